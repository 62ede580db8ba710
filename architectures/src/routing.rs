//! Routing of a mixture of experts: token choice (Shazeer et al. 2017) and expert choice (Zhou et al. 2022).
//!
//! Assignments are on the device, in the order that [`crate::kernels::routing`] defines. None of their tensors has a gradient; weights
//! have one through the probabilities.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::host_copy;
use crate::kernels::gather::{add_rows, select_rows};
use crate::kernels::routes::Routes;
use crate::kernels::routing;
use crate::pass::Pass;

/// (token, expert) pairs, from the router's probabilities.
#[derive(Clone, Debug)]
pub struct Assignments {
    n_experts: usize,
    tokens: usize,
    /// `token * n_experts + expert` of each, token by token; under token choice a token's most probable expert first.
    pairs: Tensor<1, Int>,
    routes: Routes<Dispatch>,
}

/// The `top_k` most probable experts of every token; `probabilities [tokens, n_experts]`. Of equal experts
/// the lower index is selected.
pub fn token_choice(probabilities: &Tensor<2>, top_k: usize) -> Assignments {
    let pairs = routing::choose_experts(probabilities.clone(), top_k);
    Assignments::new(pairs, probabilities.dims())
}

/// The tokens of each expert, `capacity_factor * tokens / n_experts` of them (at least one): the most probable ones.
pub fn expert_choice(probabilities: &Tensor<2>, capacity_factor: f64) -> Assignments {
    let [tokens, n_experts] = probabilities.dims();
    let capacity = (capacity_factor * tokens as f64 / n_experts as f64).round() as usize;
    let pairs = routing::choose_tokens(probabilities.clone(), capacity.clamp(1, tokens));
    Assignments::new(pairs, [tokens, n_experts])
}

impl Assignments {
    /// The assignments `token * n_experts + expert`, listed token by token.
    pub(crate) fn new(pairs: Tensor<1, Int>, [tokens, n_experts]: [usize; 2]) -> Self {
        let routes = routing::sort_by_expert(pairs.clone(), tokens, n_experts);
        Self {
            n_experts,
            tokens,
            pairs,
            routes,
        }
    }

    /// Number of assignments.
    pub fn count(&self) -> usize {
        self.pairs.dims()[0]
    }

    /// Token and expert of each assignment, token by token, as `token * n_experts + expert`, `[assignments]`.
    pub fn pairs(&self) -> Tensor<1, Int> {
        self.pairs.clone()
    }

    /// Number of assignments of each expert, `[n_experts]`.
    pub fn loads(&self) -> Tensor<1, Int> {
        let offsets = self.expert_offsets();
        offsets.clone().narrow(0, 1, self.n_experts) - offsets.narrow(0, 0, self.n_experts)
    }

    /// Share of assignments that each expert received, `[1, n_experts]`.
    pub fn shares(&self) -> Tensor<2> {
        let loads = self.loads().float().reshape([1, self.n_experts]);
        loads / self.count() as f64
    }

    /// `weight` times the number of assignments that each expert has in each run of `run` tokens, `[tokens / run, n_experts]`.
    pub fn weighted_loads(&self, run: usize, weight: f32) -> Tensor<2> {
        let n_experts = self.n_experts as i64;
        let of_run = self.pairs().div_scalar(n_experts * run as i64) * n_experts;
        let experts = self.pairs().remainder_scalar(n_experts);
        let runs = self.tokens / run;
        let weights = Tensor::full([self.count(), 1], weight, &self.pairs.device());
        add_rows(weights, of_run + experts, runs * self.n_experts).reshape([runs, self.n_experts])
    }

    /// The probability of each assignment, `[assignments]`, token by token.
    pub fn weights(&self, probabilities: Tensor<2>) -> Tensor<1> {
        let probabilities = probabilities.reshape([self.tokens * self.n_experts, 1]);
        select_rows(probabilities, self.pairs()).reshape([self.count()])
    }

    /// Records the loads as the usage of `pass`, by a copy to the host.
    pub fn observe(&self, pass: &mut Pass) {
        let loads = host_copy::integers(self.loads());
        let loads = loads.into_iter().map(|load| load as f64).collect();
        pass.observe("expert", loads, self.count());
    }

    /// The assignments stably sorted by expert.
    pub fn routes(&self) -> &Routes<Dispatch> {
        &self.routes
    }

    /// First row of each expert, and after them the number of rows, `[n_experts + 1]`.
    pub fn expert_offsets(&self) -> Tensor<1, Int> {
        Tensor::from_dispatch(self.routes.expert_offsets.clone())
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

    fn integers(tensor: Tensor<1, Int>) -> Vec<i64> {
        tensor.into_data().iter().collect()
    }

    fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    /// Token and expert of each assignment.
    fn pairs(assignments: &Assignments) -> Vec<(i64, i64)> {
        let pairs = integers(assignments.pairs()).into_iter();
        pairs.map(|pair| (pair / 3, pair % 3)).collect()
    }

    #[test]
    fn token_choice_selects_the_most_probable_experts() {
        let choice = token_choice(&probabilities(), 2);
        let experts: Vec<i64> = pairs(&choice).iter().map(|pair| pair.1).collect();
        assert_eq!(experts, [1, 2, 0, 2, 2, 0, 0, 2, 1, 0, 2, 0]);
        assert_eq!(integers(choice.loads()), [5, 2, 5]);
        let of = |tensor| integers(Tensor::from_dispatch(tensor));
        let routes = choice.routes().clone();
        let source_tokens = of(routes.source_tokens);
        assert_eq!(source_tokens, [1, 2, 3, 4, 5, 0, 4, 0, 1, 2, 3, 5]);
        assert_eq!(of(routes.token_offsets), [0, 2, 4, 6, 8, 10, 12]);
        let assignments = of(routes.assignments);
        for (assignment, row) in of(routes.rows).into_iter().enumerate() {
            assert_eq!(source_tokens[row as usize], assignment as i64 / 2);
            assert_eq!(assignments[row as usize], assignment as i64);
        }
        let weights = floats(choice.weights(probabilities()));
        assert_eq!(weights[..4], [0.6, 0.3, 0.5, 0.3]);
    }

    #[test]
    fn shares_and_loads_of_runs_count_assignments() {
        let choice = token_choice(&probabilities(), 2);
        assert_eq!(floats(choice.shares()), [5.0, 2.0, 5.0].map(|n| n / 12f32));
        // Tokens 0 to 2, and 3 to 5.
        assert_eq!(
            floats(choice.weighted_loads(3, 0.5)),
            [1.0, 0.5, 1.5, 1.5, 0.5, 1.0]
        );
    }

    #[test]
    fn expert_choice_has_equal_loads() {
        let choice = expert_choice(&probabilities(), 1.0);
        assert_eq!(integers(choice.loads()), [2, 2, 2]);
        assert_eq!(
            pairs(&choice),
            [(0, 1), (1, 0), (2, 2), (3, 0), (4, 1), (5, 2)]
        );
        let twice = expert_choice(&probabilities(), 2.0);
        assert_eq!(integers(twice.loads()), [4, 4, 4]);
    }
}
