//! Which token meets which expert, and the sorted products that follow.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::dense::Dense;

/// Each token's experts, and the same assignments sorted by expert.
pub struct TokenChoice {
    n_experts: usize,
    top_k: usize,
    /// `[tokens * top_k]`, a token's best expert first.
    experts: Vec<i64>,
}

/// The `top_k` most probable experts of every token; `probabilities [tokens, n_experts]`. Equals keep the lower index.
pub fn token_choice(probabilities: &Tensor<2>, top_k: usize) -> TokenChoice {
    let [_, n_experts] = probabilities.dims();
    let values: Vec<f32> = host(probabilities);
    let mut experts = Vec::with_capacity(values.len() / n_experts * top_k);
    let mut ranked: Vec<usize> = Vec::with_capacity(n_experts);
    for row in values.chunks_exact(n_experts) {
        ranked.clear();
        ranked.extend(0..n_experts);
        ranked.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        experts.extend(ranked[..top_k].iter().map(|&expert| expert as i64));
    }
    TokenChoice {
        n_experts,
        top_k,
        experts,
    }
}

impl TokenChoice {
    /// Ids of the experts, `[tokens, top_k]`.
    pub fn experts(&self, device: &Device) -> Tensor<2, Int> {
        let shape = [self.experts.len() / self.top_k, self.top_k];
        Tensor::from_data(TensorData::new(self.experts.clone(), shape), device)
    }

    /// Assignments that each expert received.
    pub fn loads(&self) -> Vec<usize> {
        let mut loads = vec![0; self.n_experts];
        for &expert in &self.experts {
            loads[expert as usize] += 1;
        }
        loads
    }

    /// Share of assignments that each expert received, `[1, n_experts]`, a constant.
    pub fn shares(&self, like: &Tensor<2>) -> Tensor<2> {
        let total = self.experts.len() as f32;
        let shares: Vec<f32> = self
            .loads()
            .iter()
            .map(|&load| load as f32 / total)
            .collect();
        Tensor::from_data(TensorData::new(shares, [1, self.n_experts]), &like.device())
    }

    /// Assignments sorted by expert, stably, and the inverse permutation.
    fn sorted(&self) -> (Vec<i64>, Vec<i64>) {
        let mut order: Vec<i64> = (0..self.experts.len() as i64).collect();
        order.sort_by_key(|&assignment| self.experts[assignment as usize]);
        let mut inverse = vec![0; order.len()];
        for (place, &assignment) in order.iter().enumerate() {
            inverse[assignment as usize] = place as i64;
        }
        (order, inverse)
    }
}

/// `sum over a token's experts of weight * expert(token)`, each expert's tokens in one product, none padded or dropped.
///
/// `x [tokens, d_model]`, `weights [tokens, top_k]` in the order of the choice.
pub fn visit_sorted(
    x: Tensor<2>,
    experts: &[Dense],
    weights: Tensor<2>,
    choice: &TokenChoice,
) -> Tensor<2> {
    let [tokens, d_model] = x.dims();
    let device = x.device();
    let top_k = choice.top_k;
    let (order, inverse) = choice.sorted();
    let token_of: Vec<i64> = order
        .iter()
        .map(|&assignment| assignment / top_k as i64)
        .collect();
    let sorted = x.select(0, ids(token_of, &device));
    let mut outputs = Vec::with_capacity(experts.len());
    let mut start = 0;
    for (expert, load) in experts.iter().zip(choice.loads()) {
        if load > 0 {
            outputs.push(expert.apply(sorted.clone().narrow(0, start, load)));
            start += load;
        }
    }
    let outputs = Tensor::cat(outputs, 0).select(0, ids(inverse, &device));
    (outputs.reshape([tokens, top_k, d_model]) * weights.reshape([tokens, top_k, 1]))
        .sum_dim(1)
        .reshape([tokens, d_model])
}

/// Each expert's own tokens, `capacity_factor * tokens / n_experts` of them (at least one), most probable first.
pub fn expert_choice(probabilities: &Tensor<2>, capacity_factor: f64) -> Vec<Vec<i64>> {
    let [tokens, n_experts] = probabilities.dims();
    let capacity = (capacity_factor * tokens as f64 / n_experts as f64).round() as usize;
    let capacity = capacity.clamp(1, tokens);
    let values: Vec<f32> = host(probabilities);
    (0..n_experts)
        .map(|expert| {
            let mut ranked: Vec<i64> = (0..tokens as i64).collect();
            let probability = |token: i64| values[token as usize * n_experts + expert];
            ranked.sort_by(|&a, &b| probability(b).total_cmp(&probability(a)));
            ranked.truncate(capacity);
            ranked
        })
        .collect()
}

/// `sum over the experts that took a token of probability * expert(token)`; a token that none took gets zeros.
pub fn visit_chosen(
    x: Tensor<2>,
    experts: &[Dense],
    probabilities: &Tensor<2>,
    chosen: &[Vec<i64>],
) -> Tensor<2> {
    let device = x.device();
    let mut out = x.zeros_like();
    for (index, (expert, tokens)) in experts.iter().zip(chosen).enumerate() {
        let tokens = ids(tokens.clone(), &device);
        let weights = probabilities
            .clone()
            .narrow(1, index, 1)
            .select(0, tokens.clone());
        let output = expert.apply(x.clone().select(0, tokens.clone())) * weights;
        out = out.select_assign(0, tokens, output, IndexingUpdateOp::Add);
    }
    out
}

fn ids(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

fn host(tensor: &Tensor<2>) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn tokens_choose_their_best() {
        let choice = token_choice(&probabilities(), 2);
        assert_eq!(choice.experts, [1, 2, 0, 2, 2, 0, 0, 2, 1, 0, 2, 0]);
        assert_eq!(choice.loads(), [5, 2, 5]);
    }

    #[test]
    fn experts_choose_equal_loads() {
        let chosen = expert_choice(&probabilities(), 1.0);
        assert_eq!(chosen, [vec![3, 1], vec![0, 4], vec![2, 5]]);
        assert!(
            expert_choice(&probabilities(), 2.0)
                .iter()
                .all(|tokens| tokens.len() == 4)
        );
    }
}
