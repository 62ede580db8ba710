//! The gradient of a table, as the entries of its lookups.

use burn::tensor::{Int, Tensor};

use crate::kernels::fused;

/// Entries of a table's gradient: `grad[ids[t,j]] += weights[t,j] rows[t]`.
pub struct TableGradient {
    /// `[tokens, per_token]`
    pub ids: Tensor<2, Int>,
    /// `[tokens, per_token]`
    pub weights: Tensor<2>,
    /// `[tokens, width]`
    pub rows: Tensor<2>,
}

impl TableGradient {
    pub(super) fn concat(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let (mut ids, mut weights, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            ids.push(part.ids);
            weights.push(part.weights);
            rows.push(part.rows);
        }
        Self {
            ids: Tensor::cat(ids, 0),
            weights: Tensor::cat(weights, 0),
            rows: Tensor::cat(rows, 0),
        }
    }

    /// The sums of the squares of `weights` and of `rows`, `[1]` each: what [`TableGradient::norm_bound`] needs on the host.
    pub fn squares(&self) -> [Tensor<1>; 2] {
        [&self.weights, &self.rows].map(|factor| fused::square_sum(factor.clone()))
    }

    /// An upper bound of the gradient's Frobenius norm, from its [`TableGradient::squares`]: the product of the norms of `weights` and
    /// `rows`. Non-finite if an entry is; finite and below the root of the largest f32 only if every sum over the entries is finite.
    pub fn norm_bound(squares: [f32; 2]) -> f64 {
        let [weights, rows] = squares.map(|square| f64::from(square).sqrt());
        weights * rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_copy;
    use burn::tensor::Device;

    fn bound(weight: f32, row: f32) -> f64 {
        let device = Device::flex();
        let gradient = TableGradient {
            ids: Tensor::from_data([[1, 1]], &device),
            weights: Tensor::from_data([[weight, 4.0]], &device),
            rows: Tensor::from_data([[row, 0.0]], &device),
        };
        TableGradient::norm_bound(gradient.squares().map(host_copy::number))
    }

    #[test]
    fn the_bound_is_that_of_one_row_read_once_and_non_finite_with_any_entry() {
        // Both entries read row 1 with the factor (3 + 4) * 2; the bound is 5 * 2.
        assert_eq!(bound(3.0, 2.0), 10.0);
        assert!(!bound(f32::NAN, 2.0).is_finite());
        assert!(!bound(3.0, f32::INFINITY).is_finite());
    }
}
