//! Losses of the parts of a batch, which stay on the device until the whole batch is differentiated.

use architectures::host_copy;
use burn::tensor::Tensor;

/// Losses of the parts of a batch that one rank computed, on the device: sums over the tokens of a part, divided by the tokens of the
/// whole batch.
#[derive(Clone, Default)]
pub struct Losses {
    /// Negative log-likelihood in nats, `[1]` each, without autodiff.
    parts: Vec<Tensor<1>>,
    /// Weighted auxiliary losses of the blocks, likewise; of the parts that have one.
    auxiliary: Vec<Tensor<1>>,
}

impl Losses {
    /// Those of one part, `[1]` each, without autodiff.
    pub fn of_part(loss: Tensor<1>, auxiliary: Option<Tensor<1>>) -> Self {
        Self {
            parts: vec![loss],
            auxiliary: auxiliary.into_iter().collect(),
        }
    }

    /// Appends the parts of `others`.
    pub fn append(&mut self, others: Self) {
        self.parts.extend(others.parts);
        self.auxiliary.extend(others.auxiliary);
    }

    /// Loss and auxiliary loss, by a copy of their own.
    pub fn on_host(&self) -> [f64; 2] {
        self.sums(&host_copy::numbers(self.tensors()))
    }

    /// `[1]` each.
    pub(super) fn tensors(&self) -> Vec<Tensor<1>> {
        self.parts.iter().chain(&self.auxiliary).cloned().collect()
    }

    /// Loss and auxiliary loss, from the values of [`Losses::tensors`] of a rank: added in f64, in the order of the parts.
    pub(super) fn sums(&self, values: &[f32]) -> [f64; 2] {
        let (parts, auxiliary) = values.split_at(self.parts.len());
        // The sum of nothing is -0.
        [parts, auxiliary].map(|values| 0.0 + values.iter().copied().map(f64::from).sum::<f64>())
    }
}
