//! The gradient of a table, as the entries of its lookups.

use burn::tensor::{Int, Tensor};

use crate::kernels::{fused, lookup};

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

    /// Bytes of entries up to which they are never summed before the update, so that small steps add in one order.
    pub const LEAST_SUMMED_BYTES: u64 = 256 << 20;

    /// Bytes of the entries; an id has 8.
    pub fn bytes(&self) -> u64 {
        let numbers = 2 * self.ids.shape().num_elements()
            + self.weights.shape().num_elements()
            + self.rows.shape().num_elements();
        4 * numbers as u64
    }

    /// `parts` of the gradient of a table `[rows, width]`, summed by row if they need more than twice the
    /// memory of a gradient for each of its rows, and more than [`TableGradient::LEAST_SUMMED_BYTES`].
    pub fn bounded(parts: Vec<Self>, rows: usize, width: usize) -> Vec<Self> {
        let bytes: u64 = parts.iter().map(Self::bytes).sum();
        let of_rows = 4 * rows as u64 * width as u64;
        match bytes > Self::LEAST_SUMMED_BYTES.max(2 * of_rows) {
            true => vec![Self::concat(parts).summed(rows)],
            false => parts,
        }
    }

    /// The same gradient with one entry for each row, of weight one.
    fn summed(self, rows: usize) -> Self {
        let (ids, rows) = lookup::row_sums(self.ids, self.weights, self.rows, rows);
        let [entries, _] = rows.dims();
        Self {
            ids: ids.reshape([entries, 1]),
            weights: Tensor::ones([entries, 1], &rows.device()),
            rows,
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

    fn gradient(weight: f32, row: f32) -> TableGradient {
        let device = Device::flex();
        TableGradient {
            ids: Tensor::from_data([[1, 1]], &device),
            weights: Tensor::from_data([[weight, 4.0]], &device),
            rows: Tensor::from_data([[row, 0.0]], &device),
        }
    }

    fn bound(weight: f32, row: f32) -> f64 {
        let squares = gradient(weight, row).squares();
        TableGradient::norm_bound(squares.map(host_copy::number))
    }

    #[test]
    fn a_summed_gradient_has_each_row_once() {
        let parts = vec![gradient(3.0, 2.0), gradient(1.0, 0.5)];
        let summed = TableGradient::concat(parts).summed(4);
        assert_eq!(
            summed.ids.into_data().iter::<i64>().collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(summed.weights.into_scalar::<f32>(), 1.0);
        let row: Vec<f32> = summed.rows.into_data().iter().collect();
        assert_eq!(row, [7.0 * 2.0 + 5.0 * 0.5, 0.0]);
        // Few entries are kept as they are.
        let kept = TableGradient::bounded(vec![gradient(3.0, 2.0), gradient(1.0, 0.5)], 4, 2);
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0].bytes(), 4 * (4 + 2 + 2));
    }

    #[test]
    fn the_bound_is_that_of_one_row_read_once_and_non_finite_with_any_entry() {
        // Both entries read row 1 with the factor (3 + 4) * 2; the bound is 5 * 2.
        assert_eq!(bound(3.0, 2.0), 10.0);
        assert!(!bound(f32::NAN, 2.0).is_finite());
        assert!(!bound(3.0, f32::INFINITY).is_finite());
    }
}
