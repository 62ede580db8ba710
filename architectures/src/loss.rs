//! Next-token loss.

use burn::tensor::{Int, Tensor};

use crate::kernels::fused;

/// Natural-log probability of each target, `[batch, seq]`: `logits [batch, seq, vocab]`, `targets [batch, seq]`.
pub fn log_probabilities(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<2> {
    let [batch, seq, vocab] = logits.dims();
    let (rows, targets) = (
        logits.reshape([batch * seq, vocab]),
        targets.reshape([batch * seq]),
    );
    fused::cross_entropy(rows, targets)
        .neg()
        .reshape([batch, seq])
}

/// Mean negative log-likelihood in nats per token, `[1]`.
pub fn cross_entropy(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    log_probabilities(logits, targets).mean().neg()
}
