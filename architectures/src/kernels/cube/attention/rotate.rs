//! The rotary position embedding of queries and keys, with the scale of the scores in the queries.

use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::launch::{addresses, elements, empty, independent};
use crate::kernels::attention_shape::AttentionShape;

/// One unit for each pair of elements. `table [2, positions, half]` has the cosines and sines of the positions
/// `0, fine, 2 fine, ..`, of which there are `coarse`, and then of `0 .. fine`.
#[cube(launch_unchecked, address_type = "dynamic")]
fn rotate_kernel<T: Float>(
    x: &Tensor<T>,
    table: &Tensor<f32>,
    out: &mut Tensor<T>,
    seq: usize,
    heads: usize,
    n_heads: usize,
    n_kv_heads: usize,
    half: usize,
    coarse: usize,
    fine: usize,
    scale: f32,
    turn: f32,
    total: usize,
    #[define(T)] _element: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let pair = ABSOLUTE_POS % half;
    let head = ABSOLUTE_POS / half % heads;
    let position = ABSOLUTE_POS / (half * heads) % seq;
    let low_at = ABSOLUTE_POS / half * 2 * half + pair;
    let high_at = low_at + half;
    if head >= n_heads + n_kv_heads {
        out[low_at] = x[low_at];
        out[high_at] = x[high_at];
    } else {
        let coarse_at = position / fine * half + pair;
        let fine_at = (coarse + position % fine) * half + pair;
        let sines = (coarse + fine) * half;
        let (coarse_cos, coarse_sin) = (table[coarse_at], table[sines + coarse_at]);
        let (fine_cos, fine_sin) = (table[fine_at], table[sines + fine_at]);
        let cos = coarse_cos * fine_cos - coarse_sin * fine_sin;
        let sin = (coarse_sin * fine_cos + coarse_cos * fine_sin) * turn;
        let factor = select(head < n_heads, scale, 1.0f32);
        let (low, high) = (f32::cast_from(x[low_at]), f32::cast_from(x[high_at]));
        out[low_at] = T::cast_from((low * cos - high * sin) * factor);
        out[high_at] = T::cast_from((high * cos + low * sin) * factor);
    }
}

/// Whether to rotate, or to apply the transpose to a gradient.
#[derive(Clone, Copy, PartialEq)]
pub enum Direction {
    Forward,
    Backward,
}

/// Cosines and sines of `2 sqrt(seq)` positions, from which the addition theorems give those of every position:
/// computed on the host, which has f64 on every backend.
pub struct Angles {
    table: CubeTensor,
    coarse: usize,
    fine: usize,
}

impl Angles {
    /// The angles of `shape`, on the device of `like`.
    pub fn new(like: &CubeTensor, shape: &AttentionShape) -> Self {
        let half = shape.head_dim / 2;
        let fine = (shape.seq as f64).sqrt().ceil() as usize;
        let coarse = shape.seq.div_ceil(fine);
        let positions = (0..coarse).map(|i| i * fine).chain(0..fine);
        let angles: Vec<f64> = positions
            .flat_map(|position| {
                (0..half).map(move |pair| position as f64 * shape.rotary.frequency(pair, half))
            })
            .collect();
        let cosines = angles.iter().map(|angle| angle.cos() as f32);
        let sines = angles.iter().map(|angle| angle.sin() as f32);
        let data = TensorData::new(cosines.chain(sines).collect(), [2, coarse + fine, half]);
        Self {
            table: CubeBackend::float_from_data(data.convert_dtype(DType::F32), &like.device),
            coarse,
            fine,
        }
    }

    /// `x [batch, seq, (n_heads + 2 n_kv_heads) head_dim]`, contiguous, with its queries and keys rotated and its queries
    /// scaled by `head_dim^(-1/2)`.
    pub fn rotate(
        &self,
        x: CubeTensor,
        shape: &AttentionShape,
        direction: Direction,
    ) -> CubeTensor {
        let &AttentionShape {
            batch,
            seq,
            n_heads,
            n_kv_heads,
            head_dim,
            ..
        } = shape;
        let (heads, half) = (n_heads + 2 * n_kv_heads, head_dim / 2);
        let out = empty(&x, [batch, seq, heads * head_dim], x.dtype);
        let (client, total) = (out.client.clone(), batch * seq * heads * half);
        let (count, dim) = independent(&client, total);
        let address = addresses(&[&x, &self.table]);
        let [element] = elements([&x]);
        let turn = match direction {
            Direction::Forward => 1.0f32,
            Direction::Backward => -1.0,
        };
        // SAFETY: every index follows from the shapes.
        unsafe {
            rotate_kernel::launch_unchecked(
                &client,
                count,
                dim,
                address,
                x.into_tensor_arg(),
                self.table.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                seq,
                heads,
                n_heads,
                n_kv_heads,
                half,
                self.coarse,
                self.fine,
                (head_dim as f32).powf(-0.5),
                turn,
                total,
                element,
            );
        }
        out
    }
}
