//! Gradient of attention with respect to rotated queries.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::launch::{addresses, cubes, elements};
use super::backward::Backward;
use super::tile::{MICRO, Tile, add_product, load_rows, row_products, store_rows, zeros};
use crate::kernels::attention_shape::AttentionShape;

/// Floats of shared memory of a cube: queries, gradients, keys, values; scores' gradients.
fn shared_floats(tile: &Tile) -> usize {
    2 * (tile.rows() + tile.columns()) * tile.stride() + tile.rows() * tile.product_stride()
}

/// The gradients of a tile of queries: rows of products are queries, columns keys. One cube for each head and tile of
/// queries; those that read most keys first.
#[cube(launch_unchecked, address_type = "dynamic")]
fn queries_kernel<T: Float, D: Float>(
    qkv: &Tensor<T>,
    grad: &Tensor<D>,
    log_sums: &Tensor<f32>,
    along: &Tensor<f32>,
    out: &mut Tensor<T>,
    seq: usize,
    n_heads: usize,
    n_kv_heads: usize,
    heads_of_batch: usize,
    blocks: usize,
    #[comptime] shape: Tile,
    #[define(T, D)] _elements: [ElemType; 2],
) {
    if CUBE_POS >= blocks * heads_of_batch {
        terminate!();
    }
    let first_query = (blocks - 1 - CUBE_POS / heads_of_batch) * comptime![shape.rows()];
    let (sequence, head) = (
        CUBE_POS % heads_of_batch / n_heads,
        CUBE_POS % heads_of_batch % n_heads,
    );
    let head_dim = comptime![shape.head_dim];
    let (step, grad_step) = ((n_heads + 2 * n_kv_heads) * head_dim, n_heads * head_dim);
    let of_sequence = sequence * seq * step;
    let of_queries = of_sequence + head * head_dim;
    let kv_head = head / (n_heads / n_kv_heads);
    let of_keys = of_sequence + (n_heads + kv_head) * head_dim;
    let of_values = of_keys + n_kv_heads * head_dim;
    let of_grads = sequence * seq * grad_step + head * head_dim;
    let of_rows = CUBE_POS % heads_of_batch * seq;

    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let mut queries = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.stride()]);
    let mut grads = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.stride()]);
    let mut keys = Shared::<[f32]>::new_slice(comptime![shape.columns() * shape.stride()]);
    let mut values = Shared::<[f32]>::new_slice(comptime![shape.columns() * shape.stride()]);
    let mut slopes = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.product_stride()]);
    let mut scores = Array::<f32>::new(comptime![MICRO * MICRO]);
    let mut dshares = Array::<f32>::new(comptime![MICRO * MICRO]);
    let mut dqueries = zeros(comptime![MICRO * shape.share()]);

    load_rows::<T>(
        qkv,
        &mut queries,
        of_queries,
        step,
        first_query,
        seq,
        comptime![shape.rows()],
        shape,
    );
    load_rows::<D>(
        grad,
        &mut grads,
        of_grads,
        grad_step,
        first_query,
        seq,
        comptime![shape.rows()],
        shape,
    );
    let mut row_log_sums = zeros(MICRO);
    let mut row_means = zeros(MICRO);
    #[unroll]
    for i in 0..MICRO {
        let query = first_query + unit_y + i * comptime![shape.units_y];
        if query < seq {
            row_log_sums[i] = log_sums[of_rows + query];
            row_means[i] = along[of_rows + query];
        }
    }
    let seen = usize::min(first_query + comptime![shape.rows()], seq);
    let mut first_key = 0usize;
    while first_key < seen {
        load_rows::<T>(
            qkv,
            &mut keys,
            of_keys,
            step,
            first_key,
            seq,
            comptime![shape.columns()],
            shape,
        );
        load_rows::<T>(
            qkv,
            &mut values,
            of_values,
            step,
            first_key,
            seq,
            comptime![shape.columns()],
            shape,
        );
        sync_cube();
        row_products(&queries, &keys, &mut scores, shape);
        row_products(&grads, &values, &mut dshares, shape);
        #[unroll]
        for i in 0..MICRO {
            let row = unit_y + i * comptime![shape.units_y];
            #[unroll]
            for j in 0..MICRO {
                let column = unit_x + j * comptime![shape.units_x];
                let mut slope = 0.0f32;
                if first_query + row < seq && first_key + column <= first_query + row {
                    let share = (scores[i * MICRO + j] - row_log_sums[i]).exp();
                    slope = share * (dshares[i * MICRO + j] - row_means[i]);
                }
                slopes[row * comptime![shape.product_stride()] + column] = slope;
            }
        }
        sync_cube();
        add_product(&slopes, &keys, &mut dqueries, shape);
        sync_cube();
        first_key += comptime![shape.columns()];
    }
    let mut ones = Array::<f32>::new(MICRO);
    #[unroll]
    for i in 0..MICRO {
        ones[i] = 1.0f32;
    }
    store_rows::<T>(
        &dqueries,
        &ones,
        out,
        of_queries,
        step,
        first_query,
        seq,
        shape,
    );
}

/// Writes the gradient of queries to its columns of `gradient`.
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
    let blocks = seq.div_ceil(tile.rows());
    let address = addresses(&[&rotated, &grad, &along]);
    let formats = elements([&rotated, &grad]);
    // SAFETY: every index follows from the shapes, and `gradient` was allocated by the caller for this.
    unsafe {
        queries_kernel::launch_unchecked(
            &client,
            cubes(&client, blocks * batch * n_heads),
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
            batch * n_heads,
            blocks,
            tile,
            formats,
        );
    }
}
