//! Next-token loss.
//!
//! The logits of many tokens over a large vocabulary need more memory than all activations of a layer. Where they would
//! exceed [`MAX_LOGITS`], head and loss are computed in pieces of [`rows_of_piece`] tokens ([`pieces`]).

use burn::tensor::{Int, Tensor};

use crate::kernels::fused;

/// Largest number of logits in memory at once, 128 MiB in f32. Passes with fewer are computed whole, with the same bits as
/// without pieces.
pub const MAX_LOGITS: usize = 1 << 25;

/// Some tokens of a pass with their targets.
pub struct Piece {
    /// The residual stream after the last layer: `[batch, seq, d_model]`, or `[1, rows, d_model]` of a part.
    pub h: Tensor<3>,
    /// `[batch, seq]`, or `[1, rows]`.
    pub targets: Tensor<2, Int>,
    /// Share of the pass's tokens.
    pub share: f64,
}

/// Number of tokens whose logits are computed at once, of a pass of `tokens` tokens: all of them, or the largest power of two
/// with at most [`MAX_LOGITS`] logits.
pub fn rows_of_piece(tokens: usize, vocab: usize) -> usize {
    let most = MAX_LOGITS / vocab.max(1);
    match tokens <= most {
        true => tokens,
        false => 1 << most.max(1).ilog2(),
    }
}

/// The tokens of a pass in pieces, in order; one of the given shape if its logits are few. `h [batch, seq, d_model]`,
/// `targets [batch, seq]`.
pub fn pieces(h: Tensor<3>, targets: Tensor<2, Int>, vocab: usize) -> Vec<Piece> {
    let [batch, seq, d_model] = h.dims();
    let tokens = batch * seq;
    let rows = rows_of_piece(tokens, vocab);
    if rows == tokens {
        let share = 1.0;
        return vec![Piece { h, targets, share }];
    }
    let (h, targets) = (
        h.reshape([1, tokens, d_model]),
        targets.reshape([1, tokens]),
    );
    let starts = (0..tokens).step_by(rows);
    starts
        .map(|start| {
            let len = rows.min(tokens - start);
            Piece {
                h: h.clone().narrow(1, start, len),
                targets: targets.clone().narrow(1, start, len),
                share: len as f64 / tokens as f64,
            }
        })
        .collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn pieces_are_powers_of_two_and_cover_all_tokens() {
        assert_eq!(rows_of_piece(1024, 32_000), 1024);
        assert_eq!(rows_of_piece(2048, 32_000), 1024);
        assert_eq!(rows_of_piece(1 << 20, 128_256), 256);
        // A vocabulary larger than a piece has one row.
        assert_eq!(rows_of_piece(3, 1 << 30), 1);
        let device = Device::flex();
        let vocab = MAX_LOGITS / 4;
        let (batch, seq) = (3, 3);
        let h = Tensor::<1, Int>::arange(0..18, &device)
            .float()
            .reshape([batch, seq, 2]);
        let targets = Tensor::<1, Int>::arange(0..9, &device).reshape([batch, seq]);
        let pieces = pieces(h, targets, vocab);
        let rows: Vec<usize> = pieces.iter().map(|piece| piece.h.dims()[1]).collect();
        assert_eq!(rows, [4, 4, 1]);
        let shares: f64 = pieces.iter().map(|piece| piece.share).sum();
        assert!((shares - 1.0).abs() < 1e-12);
        let last = &pieces[2];
        assert_eq!(last.targets.clone().into_scalar::<i64>(), 8);
        assert_eq!(
            last.h.clone().into_data().iter::<f32>().collect::<Vec<_>>(),
            [16.0, 17.0]
        );
    }
}
