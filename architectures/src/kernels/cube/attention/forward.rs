//! The output of attention and each row's log-sum, by an online softmax over tiles of keys.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::launch::{addresses, cubes, elements, empty};
use super::tile::{MICRO, Tile, add_product, load_rows, row_products, store_rows, zeros};
use crate::kernels::attention_shape::AttentionShape;

/// The score of a masked key: finite, so that the difference of two is not NaN.
const MASKED: f32 = -1e30;

/// Floats of shared memory: queries, keys or values, probabilities and the units' largest scores.
fn shared_floats(tile: &Tile) -> usize {
    (tile.rows() + tile.columns()) * tile.stride()
        + tile.rows() * (tile.product_stride() + tile.units_x)
}

/// One cube for each head and tile of queries; those that read most keys first.
#[cube(launch_unchecked, address_type = "dynamic")]
fn attend_kernel<T: Float>(
    qkv: &Tensor<T>,
    out: &mut Tensor<T>,
    log_sums: &mut Tensor<f32>,
    seq: usize,
    n_heads: usize,
    n_kv_heads: usize,
    heads_of_batch: usize,
    blocks: usize,
    #[comptime] shape: Tile,
    #[define(T)] _element: ElemType,
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
    let step = (n_heads + 2 * n_kv_heads) * head_dim;
    let of_sequence = sequence * seq * step;
    let kv_head = head / (n_heads / n_kv_heads);
    let of_keys = of_sequence + (n_heads + kv_head) * head_dim;
    let of_values = of_keys + n_kv_heads * head_dim;

    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let mut queries = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.stride()]);
    let mut keys = Shared::<[f32]>::new_slice(comptime![shape.columns() * shape.stride()]);
    let mut shares = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.product_stride()]);
    let mut of_units = Shared::<[f32]>::new_slice(comptime![shape.rows() * shape.units_x]);
    let mut scores = Array::<f32>::new(comptime![MICRO * MICRO]);
    let mut peaks = Array::<f32>::new(MICRO);
    #[unroll]
    for i in 0..MICRO {
        peaks[i] = f32::new(MASKED);
    }
    // Of this unit's keys alone until the end.
    let mut sums = zeros(MICRO);
    let mut mixed = zeros(comptime![MICRO * shape.share()]);

    let of_queries = of_sequence + head * head_dim;
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
        sync_cube();
        row_products(&queries, &keys, &mut scores, shape);
        #[unroll]
        for i in 0..MICRO {
            let row = unit_y + i * comptime![shape.units_y];
            let mut peak = f32::new(MASKED);
            #[unroll]
            for j in 0..MICRO {
                let key = first_key + unit_x + j * comptime![shape.units_x];
                let score = select(
                    key > first_query + row,
                    f32::new(MASKED),
                    scores[i * MICRO + j],
                );
                scores[i * MICRO + j] = score;
                peak = select(score > peak, score, peak);
            }
            of_units[row * comptime![shape.units_x] + unit_x] = peak;
        }
        sync_cube();
        // All units have read the keys; their storage receives the values.
        load_rows::<T>(
            qkv,
            &mut keys,
            of_values,
            step,
            first_key,
            seq,
            comptime![shape.columns()],
            shape,
        );
        #[unroll]
        for i in 0..MICRO {
            let row = unit_y + i * comptime![shape.units_y];
            let before = peaks[i];
            let mut peak = before;
            for unit in 0..comptime![shape.units_x] {
                let other = of_units[row * comptime![shape.units_x] + unit];
                peak = select(other > peak, other, peak);
            }
            let kept = (before - peak).exp();
            let mut sum = sums[i] * kept;
            #[unroll]
            for j in 0..MICRO {
                let share = (scores[i * MICRO + j] - peak).exp();
                sum += share;
                let column = unit_x + j * comptime![shape.units_x];
                shares[row * comptime![shape.product_stride()] + column] = share;
            }
            #[unroll]
            for part in 0..comptime![shape.share()] {
                mixed[i * comptime![shape.share()] + part] *= kept;
            }
            sums[i] = sum;
            peaks[i] = peak;
        }
        sync_cube();
        add_product(&shares, &keys, &mut mixed, shape);
        sync_cube();
        first_key += comptime![shape.columns()];
    }

    #[unroll]
    for i in 0..MICRO {
        let row = unit_y + i * comptime![shape.units_y];
        of_units[row * comptime![shape.units_x] + unit_x] = sums[i];
    }
    sync_cube();
    let mut factors = Array::<f32>::new(MICRO);
    #[unroll]
    for i in 0..MICRO {
        let row = unit_y + i * comptime![shape.units_y];
        let mut sum = 0.0f32;
        for unit in 0..comptime![shape.units_x] {
            sum += of_units[row * comptime![shape.units_x] + unit];
        }
        factors[i] = 1.0f32 / sum;
        if unit_x == 0 && first_query + row < seq {
            let at = CUBE_POS % heads_of_batch * seq + first_query + row;
            log_sums[at] = peaks[i] + sum.ln();
        }
    }
    let of_out = sequence * seq * n_heads * head_dim + head * head_dim;
    store_rows::<T>(
        &mixed,
        &factors,
        out,
        of_out,
        n_heads * head_dim,
        first_query,
        seq,
        shape,
    );
}

/// The output `[batch, seq, n_heads head_dim]` and the log-sums `[batch, n_heads, seq]` of rotated queries and keys.
pub fn attend(rotated: CubeTensor, shape: &AttentionShape) -> (CubeTensor, CubeTensor) {
    let &AttentionShape {
        batch,
        seq,
        n_heads,
        n_kv_heads,
        head_dim,
        ..
    } = shape;
    let out = empty(&rotated, [batch, seq, n_heads * head_dim], rotated.dtype);
    let log_sums = empty(&rotated, [batch, n_heads, seq], DType::F32);
    let client = rotated.client.clone();
    let tile = Tile::largest(&client, head_dim, shared_floats);
    let blocks = seq.div_ceil(tile.rows());
    let address = addresses(&[&rotated, &log_sums]);
    let [element] = elements([&rotated]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        attend_kernel::launch_unchecked(
            &client,
            cubes(&client, blocks * batch * n_heads),
            tile.cube_dim(),
            address,
            rotated.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            log_sums.clone().into_tensor_arg(),
            seq,
            n_heads,
            n_kv_heads,
            batch * n_heads,
            blocks,
            tile,
            element,
        );
    }
    (out, log_sums)
}
