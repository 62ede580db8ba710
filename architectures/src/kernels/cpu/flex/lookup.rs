//! Bags, dot products, selection and row updates.

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{DType, TensorData, bf16};

use super::{elements, floats, id_slice, ids, tensor};
use crate::kernels::adam_step::AdamStep;
use crate::kernels::cpu::bag;
use crate::kernels::cpu::prefetch::prefetch;
use crate::kernels::cpu::product_key_top_k as selection;
use crate::kernels::cpu::row_adam::{RowGradient, UpdateRows};
use crate::kernels::cpu::table_element::TableElement;
use crate::kernels::lookup::LookupOps;

impl LookupOps for Flex {
    fn bag(
        table: FloatTensor<Self>,
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (tokens, per_token, width) = (indices.shape()[0], indices.shape()[1], table.shape()[1]);
        let (table, indices, weights) =
            (table.to_contiguous(), ids(indices), weights.to_contiguous());
        let (indices, weights) = (id_slice(&indices), floats(&weights));
        let out = match table.dtype() {
            DType::BF16 => {
                let table = elements::<bf16>(&table);
                bag::bag(table, width, indices, weights, per_token)
            }
            _ => bag::bag(floats(&table), width, indices, weights, per_token),
        };
        tensor(out, [tokens, width])
    }

    fn dot(
        table: FloatTensor<Self>,
        indices: IntTensor<Self>,
        inputs: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (tokens, per_token, width) = (indices.shape()[0], indices.shape()[1], table.shape()[1]);
        let (table, indices, inputs) =
            (table.to_contiguous(), ids(indices), inputs.to_contiguous());
        let mut out = vec![0.0; tokens * per_token];
        let (indices, inputs) = (id_slice(&indices), floats(&inputs));
        match table.dtype() {
            DType::BF16 => {
                let table = elements::<bf16>(&table);
                bag::dot(table, width, indices, inputs, per_token, &mut out);
            }
            _ => bag::dot(floats(&table), width, indices, inputs, per_token, &mut out),
        }
        tensor(out, [tokens, per_token])
    }

    fn prefetch(table: FloatTensor<Self>, indices: IntTensor<Self>) -> IntTensor<Self> {
        let width = table.shape()[1];
        // A strided table would have to be copied.
        if table.is_contiguous() {
            let indices = ids(indices.clone());
            match table.dtype() {
                DType::BF16 => prefetch_rows(elements::<bf16>(&table), width, id_slice(&indices)),
                _ => prefetch_rows(floats(&table), width, id_slice(&indices)),
            }
        }
        indices
    }

    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        let (heads, rows, n) = (scores.shape()[0], scores.shape()[2], scores.shape()[3]);
        let scores = scores.to_contiguous();
        let mut out = vec![0i64; heads * rows * top_k];
        selection::product_key_top_k(floats(&scores), rows, n, top_k, &mut out);
        FlexTensor::from_data(TensorData::new(out, [heads, rows, top_k]))
    }

    fn pair_scores(scores: FloatTensor<Self>, indices: IntTensor<Self>) -> FloatTensor<Self> {
        let (heads, rows, k) = (indices.shape()[0], indices.shape()[1], indices.shape()[2]);
        let n = scores.shape()[3];
        let (scores, indices) = (scores.to_contiguous(), ids(indices));
        let mut out = vec![0.0; heads * rows * k];
        selection::pair_scores(floats(&scores), id_slice(&indices), rows, n, k, &mut out);
        tensor(out, [heads, rows, k])
    }

    fn pair_scores_backward(
        grad: FloatTensor<Self>,
        indices: IntTensor<Self>,
        n: usize,
    ) -> FloatTensor<Self> {
        let (heads, rows, k) = (indices.shape()[0], indices.shape()[1], indices.shape()[2]);
        let (grad, indices) = (grad.to_contiguous(), ids(indices));
        let mut out = vec![0.0; heads * 2 * rows * n];
        selection::pair_scores_backward(floats(&grad), id_slice(&indices), rows, n, k, &mut out);
        tensor(out, [heads, 2, rows, n])
    }

    fn row_sums(
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: usize,
    ) -> (IntTensor<Self>, FloatTensor<Self>) {
        let width = values.shape()[1];
        let entries = Entries::new(indices, weights, values);
        let gradient = entries.gradient(rows);
        let (distinct, sums) = gradient.sums();
        let len = distinct.len();
        (
            FlexTensor::from_data(TensorData::new(distinct, [len])),
            tensor(sums, [len, width]),
        )
    }

    fn row_gradient_norm(
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: usize,
    ) -> FloatTensor<Self> {
        let entries = Entries::new(indices, weights, values);
        let gradient = entries.gradient(rows);
        tensor(vec![gradient.norm()], [1])
    }

    fn row_adam(
        table: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        step: AdamStep,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let rows = table.shape()[0];
        let entries = Entries::new(indices, weights, values);
        // Updates write to a tensor's storage: a strided view must be copied first.
        let mut tables = [table, mean, square].map(|table| table.to_contiguous());
        let gradient = entries.gradient(rows);
        // Without clipping the norm is only reported, and the update computes it.
        let scale = step
            .max_norm
            .map_or(1.0, |max_norm| gradient.clipping_scale(max_norm));
        let norm = match [tables[0].dtype(), tables[1].dtype()] {
            [DType::BF16, DType::BF16] => update::<bf16, bf16>(&gradient, &mut tables, scale, step),
            [DType::BF16, _] => update::<bf16, f32>(&gradient, &mut tables, scale, step),
            [_, DType::BF16] => update::<f32, bf16>(&gradient, &mut tables, scale, step),
            _ => update::<f32, f32>(&gradient, &mut tables, scale, step),
        };
        let [table, mean, square] = tables;
        (table, mean, square, tensor(vec![norm], [1]))
    }
}

/// The entries of a table's gradient in contiguous memory.
struct Entries {
    ids: FlexTensor,
    weights: FlexTensor,
    values: FlexTensor,
}

impl Entries {
    /// `indices` and `weights [tokens, per_token]`, `values [tokens, width]`.
    fn new(indices: FlexTensor, weights: FlexTensor, values: FlexTensor) -> Self {
        Self {
            ids: ids(indices),
            weights: weights.to_contiguous(),
            values: values.to_contiguous(),
        }
    }

    /// The gradient of a table of `rows` rows.
    fn gradient(&self, rows: usize) -> RowGradient<'_> {
        RowGradient::new(
            rows,
            id_slice(&self.ids),
            floats(&self.weights),
            floats(&self.values),
            self.ids.shape()[1],
            self.values.shape()[1],
        )
    }
}

/// The update of a table and its moments in their formats.
fn update<T: UpdateRows<M>, M: TableElement>(
    gradient: &RowGradient,
    [table, mean, square]: &mut [FlexTensor; 3],
    scale: f32,
    step: AdamStep,
) -> f32 {
    let (mean, square) = (mean.storage_mut::<M>(), square.storage_mut::<M>());
    gradient.update(table.storage_mut::<T>(), mean, square, scale, step)
}

fn prefetch_rows<T>(table: &[T], width: usize, rows: &[i64]) {
    for &row in rows {
        prefetch(table, row as usize * width, width);
    }
}
