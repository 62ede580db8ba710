//! Tables whose columns are split over ranks, as in "Memory Layers at Scale" (2024, section 3.2, "memory parallel").
//!
//! Each of `n` ranks has all rows and `c = width / n` columns of a table, with the moments of those columns, and tokens of its own. A lookup
//! gathers ids and weights of the tokens of all ranks, reads this rank's columns for all of them, and exchanges columns for tokens:
//!
//! ```text
//! bag   weights [t, k] --gather_rows--> [n t, k] --bag of own columns--> [n t, c] --columns_to_tokens--> [t, width]
//! dot   inputs [t, width] --tokens_to_columns--> [n t, c] --dot of own columns--> [n t, k] --scatter_sum--> [t, k]
//! ```
//!
//! The backward pass runs the transposes in reverse. Factors of the table's gradient are then of the tokens of all ranks and of this
//! rank's columns: no gradient of a table is exchanged. A bag has the bits of one rank's, as columns are independent; a dot product is a sum over
//! ranks.
//!
//! # Bytes
//!
//! For `t` tokens of this rank, `k` reads a token, rows of `w` values of `f` bytes and ids of `i` bytes, a rank sends, for a bag and
//! for a dot product alike,
//!
//! ```text
//! forward    (n - 1) (t k (i + f) + t w f / n)
//! backward   (n - 1) (t k f       + t w f / n)      without `t k f` where the weights of a bag are constant
//! update     (n - 1) 8 for each table, the norm of its gradient
//! ```
//!
//! and for the bounds of the norms of a table's `p` lookups, `8 (n - 1) / n` times `p` rounded up to a multiple of `n`.
//!
//! In an evaluation pass all ranks have the same tokens, or those of rank 0 ([`super::served`]): a bag sends `(n - 1) t w f / n`, a dot
//! product twice `(n - 1) / n` of its `t k` products, padded to a multiple of `n`.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use collectives::Collectives;

use super::gradient::TableGradient;
use super::over_ranks::{gather_ids, own_columns};
use super::request::LookupKind;
use super::{ValueTable, sink};
use crate::kernels::table_memory::{self, TableValues};
use crate::kernels::{exchange, lookup};
use crate::numeric_format::NumericFormat;
use crate::pass::{Pass, SavedFactor};

impl ValueTable {
    /// A table `[rows, width]` in `format` whose columns are split over `ranks`.
    ///
    /// # Arguments
    /// * `fill`: writes the given columns of all rows, row by row.
    ///
    /// # Panics
    ///
    /// If `width` is not divisible by the number of ranks, or if the system cannot allocate the memory; the message names the bytes.
    pub fn split(
        [rows, width]: [usize; 2],
        format: NumericFormat,
        device: &Device,
        ranks: &Arc<dyn Collectives>,
        fill: impl FnOnce(&Range<usize>, TableValues),
    ) -> Self {
        assert!(
            width.is_multiple_of(ranks.ranks()),
            "the columns of a table of width {width} cannot be divided among {} ranks",
            ranks.ranks()
        );
        let columns = own_columns(width, ranks.as_ref());
        let device = device.clone().inner();
        let fill = |values: TableValues| fill(&columns, values);
        let values = table_memory::filled_tensor(rows, columns.len(), format, &device, fill);
        Self {
            shape: [rows, width],
            ranks: Some(ranks.clone()),
            ..Self::from_values(values)
        }
    }

    /// The columns of the table that this process has: all, unless they are split over ranks.
    pub fn columns(&self) -> Range<usize> {
        match &self.ranks {
            None => 0..self.width(),
            Some(ranks) => own_columns(self.width(), ranks.as_ref()),
        }
    }

    /// Shape of the values and moments that this process has.
    pub(super) fn own_shape(&self) -> [usize; 2] {
        [self.rows(), self.columns().len()]
    }

    /// The ranks that the columns are split over; `None` if this process has the whole table.
    pub fn ranks(&self) -> Option<&Arc<dyn Collectives>> {
        self.ranks.as_ref()
    }

    /// The squares of each of `parts`, gradients of this table, for [`TableGradient::norm_bound`]; the same on all ranks.
    pub fn squares(&self, parts: &[TableGradient]) -> Vec<[Tensor<1>; 2]> {
        let own: Vec<[Tensor<1>; 2]> = parts.iter().map(TableGradient::squares).collect();
        let Some(ranks) = self.ranks.as_ref().filter(|_| !own.is_empty()) else {
            return own;
        };
        // Weights are of the tokens of all ranks; of the rows, each rank has its columns.
        let rows = own.iter().map(|[_, rows]| rows.clone()).collect();
        let rows = ranks.all_reduce(Tensor::cat(rows, 0));
        let of_part = |(part, [weights, _]): (usize, [Tensor<1>; 2])| {
            [weights, rows.clone().narrow(0, part, 1)]
        };
        own.into_iter().enumerate().map(of_part).collect()
    }

    pub(super) fn split_bag(
        &self,
        ranks: &Arc<dyn Collectives>,
        ids: Tensor<2, Int>,
        weights: Tensor<2>,
        pass: &mut Pass,
    ) -> Tensor<2> {
        if !pass.is_training() {
            return self.evaluate_split(ranks, LookupKind::Bag, ids, weights);
        }
        let ids = gather_ids(ids, self.rows(), ranks);
        let weights = exchange::gather_rows(weights, ranks);
        let sink = sink(&weights, pass);
        let own = lookup::bag(self.values(), ids.clone(), weights.clone(), sink.clone());
        if pass.is_differentiated() {
            let weights = SavedFactor::Weights(weights.inner());
            pass.save_lookup(self.clone(), ids, weights, sink);
        }
        exchange::columns_to_tokens(own, ranks)
    }

    pub(super) fn split_dot(
        &self,
        ranks: &Arc<dyn Collectives>,
        ids: Tensor<2, Int>,
        inputs: Tensor<2>,
        pass: &mut Pass,
    ) -> Tensor<2> {
        if !pass.is_training() {
            return self.evaluate_split(ranks, LookupKind::Dot, ids, inputs);
        }
        let ids = gather_ids(ids, self.rows(), ranks);
        let inputs = exchange::tokens_to_columns(inputs, ranks);
        let sink = sink(&inputs, pass);
        let own = lookup::dot(self.values(), ids.clone(), inputs.clone(), sink.clone());
        if pass.is_differentiated() {
            let inputs = SavedFactor::Inputs(inputs.inner());
            pass.save_lookup(self.clone(), ids, inputs, sink);
        }
        exchange::scatter_sum(own, ranks)
    }

    /// A lookup in all columns by ranks that have the same ids and the same operand: weights of a bag, inputs of a dot product.
    pub(super) fn lookup_together(
        &self,
        ranks: &Arc<dyn Collectives>,
        kind: LookupKind,
        ids: Tensor<2, Int>,
        operand: Tensor<2>,
    ) -> Tensor<2> {
        let unused = Tensor::zeros([1, 1], &operand.device());
        match kind {
            LookupKind::Bag => {
                let own = lookup::bag(self.values(), ids, operand, unused);
                exchange::gather_columns(own, ranks)
            }
            LookupKind::Dot => {
                let columns = self.columns();
                let inputs = operand.narrow(1, columns.start, columns.len());
                let own = lookup::dot(self.values(), ids, inputs, unused);
                exchange::sum(own, ranks)
            }
        }
    }
}
