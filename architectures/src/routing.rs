//! Routing of a mixture of experts: token choice (Shazeer et al. 2017) and expert choice (Zhou et al. 2022).

use std::sync::Arc;

use burn::tensor::{Int, Tensor, TensorData};

use crate::host_copy;
use crate::kernels::gather::select_rows;
use crate::kernels::routes::Routes;

/// (token, expert) pairs, from the router's probabilities.
pub struct Assignments {
    n_experts: usize,
    /// Token and expert of each, token by token; under token choice a token's most probable expert first.
    pairs: Vec<(usize, usize)>,
    tokens: usize,
}

/// The `top_k` most probable experts of every token; `probabilities [tokens, n_experts]`. Of equal experts
/// the lower index is selected.
pub fn token_choice(probabilities: &Tensor<2>, top_k: usize) -> Assignments {
    let [tokens, n_experts] = probabilities.dims();
    let values = host_copy::floats(probabilities.clone());
    let mut pairs = Vec::with_capacity(tokens * top_k);
    let mut ranked: Vec<usize> = Vec::with_capacity(n_experts);
    for (token, row) in values.chunks_exact(n_experts).enumerate() {
        ranked.clear();
        ranked.extend(0..n_experts);
        ranked.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        pairs.extend(ranked[..top_k].iter().map(|&expert| (token, expert)));
    }
    Assignments {
        n_experts,
        pairs,
        tokens,
    }
}

/// The tokens of each expert, `capacity_factor * tokens / n_experts` of them (at least one): the most probable ones.
pub fn expert_choice(probabilities: &Tensor<2>, capacity_factor: f64) -> Assignments {
    let [tokens, n_experts] = probabilities.dims();
    let capacity = (capacity_factor * tokens as f64 / n_experts as f64).round() as usize;
    let capacity = capacity.clamp(1, tokens);
    let values = host_copy::floats(probabilities.clone());
    let mut pairs = Vec::with_capacity(n_experts * capacity);
    for expert in 0..n_experts {
        let mut ranked: Vec<usize> = (0..tokens).collect();
        let probability = |token: usize| values[token * n_experts + expert];
        ranked.sort_by(|&a, &b| probability(b).total_cmp(&probability(a)));
        pairs.extend(ranked[..capacity].iter().map(|&token| (token, expert)));
    }
    pairs.sort_unstable();
    Assignments {
        n_experts,
        pairs,
        tokens,
    }
}

impl Assignments {
    /// Token and expert of each assignment, token by token.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.pairs.iter().copied()
    }

    /// One assignment alone, for tests.
    #[cfg(test)]
    pub(crate) fn single(n_experts: usize, tokens: usize, pair: (usize, usize)) -> Self {
        Self {
            n_experts,
            pairs: vec![pair],
            tokens,
        }
    }

    /// Number of assignments of each expert, `[n_experts]`.
    pub fn loads(&self) -> Vec<usize> {
        let mut loads = vec![0; self.n_experts];
        for &(_, expert) in &self.pairs {
            loads[expert] += 1;
        }
        loads
    }

    /// Share of assignments that each expert received, `[1, n_experts]`, without gradient.
    pub fn shares(&self, like: &Tensor<2>) -> Tensor<2> {
        let total = self.pairs.len() as f32;
        let shares: Vec<f32> = self
            .loads()
            .iter()
            .map(|&load| load as f32 / total)
            .collect();
        Tensor::from_data(TensorData::new(shares, [1, self.n_experts]), &like.device())
    }

    /// The probability of each assignment, `[assignments]`, token by token.
    pub fn weights(&self, probabilities: Tensor<2>) -> Tensor<1> {
        let ids: Vec<i64> = self
            .pairs
            .iter()
            .map(|&(token, expert)| (token * self.n_experts + expert) as i64)
            .collect();
        let len = ids.len();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [len]), &probabilities.device());
        let probabilities = probabilities.reshape([self.tokens * self.n_experts, 1]);
        select_rows(probabilities, ids).reshape([len])
    }

    /// The assignments stably sorted by expert.
    pub fn routes(&self) -> Arc<Routes> {
        let loads = self.loads();
        let mut next: Vec<usize> = loads
            .iter()
            .scan(0, |end, load| {
                *end += load;
                Some(*end - load)
            })
            .collect();
        let mut source_tokens = vec![0; self.pairs.len()];
        let mut rows = Vec::with_capacity(self.pairs.len());
        let mut offsets = vec![0; self.tokens + 1];
        for &(token, expert) in &self.pairs {
            let row = next[expert];
            next[expert] += 1;
            source_tokens[row] = token as i64;
            rows.push(row as i64);
            offsets[token + 1] += 1;
        }
        for token in 0..self.tokens {
            offsets[token + 1] += offsets[token];
        }
        Arc::new(Routes {
            loads,
            source_tokens,
            rows,
            offsets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn probabilities() -> Tensor<2> {
        let rows = [
            [0.1, 0.6, 0.3],
            [0.5, 0.2, 0.3],
            [0.2, 0.2, 0.6],
            [0.7, 0.1, 0.2],
            [0.3, 0.4, 0.3],
            [0.3, 0.3, 0.4],
        ];
        Tensor::from_data(rows, &Device::flex())
    }

    #[test]
    fn token_choice_selects_the_most_probable_experts() {
        let choice = token_choice(&probabilities(), 2);
        let experts: Vec<usize> = choice.pairs.iter().map(|assignment| assignment.1).collect();
        assert_eq!(experts, [1, 2, 0, 2, 2, 0, 0, 2, 1, 0, 2, 0]);
        assert_eq!(choice.loads(), [5, 2, 5]);
        let routes = choice.routes();
        assert_eq!(routes.source_tokens, [1, 2, 3, 4, 5, 0, 4, 0, 1, 2, 3, 5]);
        assert_eq!(routes.offsets, [0, 2, 4, 6, 8, 10, 12]);
        for (assignment, &row) in routes.rows.iter().enumerate() {
            assert_eq!(routes.source_tokens[row as usize], assignment as i64 / 2);
        }
        let weights: Vec<f32> = choice.weights(probabilities()).into_data().iter().collect();
        assert_eq!(weights[..4], [0.6, 0.3, 0.5, 0.3]);
    }

    #[test]
    fn expert_choice_has_equal_loads() {
        let choice = expert_choice(&probabilities(), 1.0);
        assert_eq!(choice.loads(), [2, 2, 2]);
        assert_eq!(
            choice.pairs,
            [(0, 1), (1, 0), (2, 2), (3, 0), (4, 1), (5, 2)]
        );
        assert_eq!(expert_choice(&probabilities(), 2.0).loads(), [4, 4, 4]);
    }

    #[test]
    fn a_token_that_no_expert_chose_has_no_place() {
        let routes = expert_choice(&probabilities(), 0.5).routes();
        assert_eq!(routes.source_tokens, [3, 0, 2]);
        assert_eq!(routes.offsets, [0, 1, 1, 2, 3, 3, 3]);
    }
}
