//! Columns, ids and norms of tables that are split over ranks.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{DType, Int, Tensor};
use collectives::Collectives;

use super::gradient::TableGradient;
use crate::kernels::lookup;

/// The columns of the rank of `ranks`.
pub fn own_columns(width: usize, ranks: &dyn Collectives) -> Range<usize> {
    let own = width / ranks.ranks();
    ranks.rank() * own..(ranks.rank() + 1) * own
}

/// The ids of the tokens of all ranks in a table of `rows` rows, `[n t, k]`, without autodiff; sent in 4 bytes where they fit, which is half
/// of what a search returns.
pub fn gather_ids(
    ids: Tensor<2, Int>,
    rows: usize,
    ranks: &Arc<dyn Collectives>,
) -> Tensor<2, Int> {
    let [tokens, per_token] = ids.dims();
    let ids = ids.inner().reshape([tokens * per_token]);
    let dtype = ids.dtype();
    let all = match i32::try_from(rows) {
        Ok(_) => ranks.all_gather_int(ids.cast(DType::I32)).cast(dtype),
        Err(_) => ranks.all_gather_int(ids),
    };
    all.reshape([ranks.ranks() * tokens, per_token])
}

/// The norm `[1]` of the gradient of all columns, from the norm of this rank's.
pub fn norm_over_ranks(own: Tensor<1>, ranks: &Arc<dyn Collectives>) -> Tensor<1> {
    ranks.all_reduce(own.square()).sqrt()
}

/// `gradient` scaled to a norm of at most `max_norm`, and the norm `[1]` before, over the columns of all ranks.
pub fn clipped(
    gradient: TableGradient,
    rows: usize,
    max_norm: f32,
    ranks: &Arc<dyn Collectives>,
) -> (TableGradient, Tensor<1>) {
    let own = lookup::row_gradient_norm(
        gradient.ids.clone(),
        gradient.weights.clone(),
        gradient.rows.clone(),
        rows,
    );
    let norm = norm_over_ranks(own, ranks);
    // If the gradient is zero the quotient is infinite and the scale one.
    let scale = (norm.clone().recip() * max_norm).clamp_max(1.0);
    let weights = gradient.weights * scale.reshape([1, 1]);
    (
        TableGradient {
            weights,
            ..gradient
        },
        norm,
    )
}
