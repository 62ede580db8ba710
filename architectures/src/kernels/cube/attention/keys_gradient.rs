//! Gradients of attention with respect to rotated keys and values.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::launch::{addresses, cubes, elements};
use super::backward::Backward;
use super::tile::{MICRO, Tile, add_product, load_rows, row_products, store_rows, zeros};
use crate::kernels::attention_shape::AttentionShape;

/// Floats of shared memory of a cube: keys, values, queries, gradients; probabilities and scores' gradients.
fn shared_floats(tile: &Tile) -> usize {
    2 * (tile.rows() + tile.columns()) * tile.stride() + 2 * tile.rows() * tile.product_stride()
}

/// The gradients of a tile of keys and values: rows of products are keys, columns queries. One cube for each key head and
/// tile of keys; those that most queries read first.
#[cube(launch_unchecked, address_type = "dynamic")]
fn keys_kernel<T: Float, D: Float>(
    qkv: &Tensor<T>,
    grad: &Tensor<D>,
    log_sums: &Tensor<f32>,
    along: &Tensor<f32>,
    out: &mut Tensor<T>,
    seq: usize,
    n_heads: usize,
    n_kv_heads: usize,
    kv_heads_of_batch: usize,
    total: usize,
    #[comptime] shape: Tile,
    #[define(T, D)] _elements: [ElemType; 2],
) {
    if CUBE_POS >= total {
        terminate!();
    }
    let first_key = CUBE_POS / kv_heads_of_batch * comptime![shape.rows()];
    let (sequence, kv_head) = (
        CUBE_POS % kv_heads_of_batch / n_kv_heads,
        CUBE_POS % kv_heads_of_batch % n_kv_heads,
    );
    let head_dim = comptime![shape.head_dim];
    let (step, grad_step) = ((n_heads + 2 * n_kv_heads) * head_dim, n_heads * head_dim);
    let of_sequence = sequence * seq * step;
    let of_keys = of_sequence + (n_heads + kv_head) * head_dim;
    let of_values = of_keys + n_kv_heads * head_dim;

    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let mut keys = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.stride()]);
    let mut values = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.stride()]);
    let mut queries = Shared::<[f32]>::new_slice(comptime![shape.columns() * shape.stride()]);
    let mut grads = Shared::<[f32]>::new_slice(comptime![shape.columns() * shape.stride()]);
    let mut shares = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.product_stride()]);
    let mut slopes = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.product_stride()]);
    let mut scores = Array::<f32>::new(comptime![MICRO * MICRO]);
    let mut dshares = Array::<f32>::new(comptime![MICRO * MICRO]);
    let mut dkeys = zeros(comptime![MICRO * shape.share()]);
    let mut dvalues = zeros(comptime![MICRO * shape.share()]);

    load_rows::<T>(
        qkv,
        &mut keys,
        of_keys,
        step,
        first_key,
        seq,
        comptime![shape.rows()],
        shape,
    );
    load_rows::<T>(
        qkv,
        &mut values,
        of_values,
        step,
        first_key,
        seq,
        comptime![shape.rows()],
        shape,
    );
    let group = n_heads / n_kv_heads;
    for head in kv_head * group..kv_head * group + group {
        let of_queries = of_sequence + head * head_dim;
        let of_grads = sequence * seq * grad_step + head * head_dim;
        let of_rows = (sequence * n_heads + head) * seq;
        // The tile of the first query that reads these keys.
        let mut first_query = first_key / comptime![shape.columns()] * comptime![shape.columns()];
        while first_query < seq {
            load_rows::<T>(
                qkv,
                &mut queries,
                of_queries,
                step,
                first_query,
                seq,
                comptime![shape.columns()],
                shape,
            );
            load_rows::<D>(
                grad,
                &mut grads,
                of_grads,
                grad_step,
                first_query,
                seq,
                comptime![shape.columns()],
                shape,
            );
            sync_cube();
            row_products(&keys, &queries, &mut scores, shape);
            row_products(&values, &grads, &mut dshares, shape);
            #[unroll]
            for j in 0..MICRO {
                let column = unit_x + j * comptime![shape.units_x];
                let query = first_query + column;
                let mut log_sum = 0.0f32;
                let mut mean = 0.0f32;
                if query < seq {
                    log_sum = log_sums[of_rows + query];
                    mean = along[of_rows + query];
                }
                #[unroll]
                for i in 0..MICRO {
                    let row = unit_y + i * comptime![shape.units_y];
                    let reads = query < seq && first_key + row <= query;
                    let mut share = 0.0f32;
                    let mut slope = 0.0f32;
                    if reads {
                        share = (scores[i * MICRO + j] - log_sum).exp();
                        slope = share * (dshares[i * MICRO + j] - mean);
                    }
                    shares[row * comptime![shape.product_stride()] + column] = share;
                    slopes[row * comptime![shape.product_stride()] + column] = slope;
                }
            }
            sync_cube();
            add_product(&shares, &grads, &mut dvalues, shape);
            add_product(&slopes, &queries, &mut dkeys, shape);
            sync_cube();
            first_query += comptime![shape.columns()];
        }
    }
    let mut ones = Array::<f32>::new(MICRO);
    #[unroll]
    for i in 0..MICRO {
        ones[i] = 1.0f32;
    }
    store_rows::<T>(&dkeys, &ones, out, of_keys, step, first_key, seq, shape);
    store_rows::<T>(&dvalues, &ones, out, of_values, step, first_key, seq, shape);
}

/// Writes the gradients of keys and values to those columns of `gradient`.
pub fn write(saved: &Backward, shape: &AttentionShape, gradient: &CubeTensor) {
    let &AttentionShape {
        batch,
        seq,
        n_heads,
        n_kv_heads,
        head_dim,
        ..
    } = shape;
    let Backward {
        rotated,
        grad,
        log_sums,
        along,
    } = saved.clone();
    let client = rotated.client.clone();
    let tile = Tile::largest(&client, head_dim, shared_floats);
    let total = seq.div_ceil(tile.rows()) * batch * n_kv_heads;
    let address = addresses(&[&rotated, &grad, &along]);
    let formats = elements([&rotated, &grad]);
    // SAFETY: every index follows from the shapes, and `gradient` was allocated by the caller for this.
    unsafe {
        keys_kernel::launch_unchecked(
            &client,
            cubes(&client, total),
            tile.cube_dim(),
            address,
            rotated.into_tensor_arg(),
            grad.into_tensor_arg(),
            log_sums.into_tensor_arg(),
            along.into_tensor_arg(),
            gradient.clone().into_tensor_arg(),
            seq,
            n_heads,
            n_kv_heads,
            batch * n_kv_heads,
            total,
            tile,
            formats,
        );
    }
}
