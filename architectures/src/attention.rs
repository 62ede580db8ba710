//! Causal self-attention with rotary position embedding and, optionally, fewer key and value heads than query heads.
//!
//! ```text
//! a = softmax( rope(x Wq) rope(x Wk)^T / sqrt(head_dim) + causal mask ) (x Wv) Wo
//! ```
//!
//! Rotary pairs are (i, i + head_dim/2), not (2i, 2i + 1): the same rotations up to a fixed permutation of each head's
//! columns, with contiguous memory accesses. Cost per token: `d_model head_dim (2 n_heads + 2 n_kv_heads)` parameters, twice
//! that in matmul FLOPs (with `qkv_bias` also the biases' parameters), and `2 d_model seq_len` for scores and values over half the context on average.

use crate::linear::Linear;
use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor, TensorData, activation};

use crate::activations::Activations;
use crate::block::Builder;
use crate::config::DecoderConfig;
use crate::cost::Cost;
use crate::init::Init;
use crate::kernels::AttentionShape;
use crate::kernels::fused;
use crate::numeric_format::NumericFormat;

mod layer_cache;

pub use layer_cache::LayerCache;

/// Cost of one token in attention.
pub fn cost(decoder: &DecoderConfig) -> Cost {
    let (d_model, heads) = (decoder.d_model, decoder.head_dim());
    let mut cost = Cost::matrix(d_model, heads * decoder.n_heads).times(2)
        + Cost::matrix(d_model, heads * decoder.kv_heads()).times(2);
    cost.attention = 2 * (d_model * decoder.seq_len) as u64;
    if decoder.qkv_bias {
        cost += Cost::vector(heads * (decoder.n_heads + 2 * decoder.kv_heads()));
    }
    cost
}

/// What one token's attention leaves in memory, without its input: queries, keys and values, outputs, and the log-sums.
pub fn activations(decoder: &DecoderConfig) -> Activations {
    let (heads, width) = (decoder.n_heads, decoder.head_dim());
    Activations::stored((2 * heads + 2 * decoder.kv_heads()) * width + heads)
}

/// One layer's attention.
#[derive(Module, Debug)]
pub struct Attention {
    /// Wq, Wk and Wv side by side, `[d_model, (n_heads + 2 n_kv_heads) head_dim]`: one product instead of three.
    qkv: Linear,
    output: Linear,
    #[module(skip)]
    shape: AttentionShape,
    #[module(skip)]
    format: NumericFormat,
}

/// Rotations and causal mask of new positions, shared by all layers of one cached pass.
pub struct Positions {
    /// `[1, 1, seq, head_dim]` each.
    cos: Tensor<4>,
    sin: Tensor<4>,
    /// True at masked keys, `[seq, past + seq]`; `None` if no key is masked.
    mask: Option<Tensor<2, Bool>>,
}

impl Positions {
    /// Positions `past .. past + seq`.
    pub fn new(config: &DecoderConfig, past: usize, seq: usize, device: &Device) -> Self {
        let (half, rotary) = (config.head_dim() / 2, config.rotary());
        // In f64 on the host, as the fused kernels do: an f32 angle is off by 1e-4 rad at position 4096.
        let rotation = |function: fn(f64) -> f64| {
            let angle = |i: usize| {
                let frequency = rotary.frequency(i % half, half);
                (past + i / (2 * half)) as f64 * frequency
            };
            let values: Vec<f32> = (0..seq * 2 * half)
                .map(|i| function(angle(i)) as f32)
                .collect();
            Tensor::from_data(TensorData::new(values, [1, 1, seq, 2 * half]), device)
        };
        let mask = (seq > 1).then(|| Tensor::tril_mask([seq, past + seq], past as i64, device));
        Self {
            cos: rotation(f64::cos),
            sin: rotation(f64::sin),
            mask,
        }
    }

    /// Rotates `x [batch, heads, seq, head_dim]`.
    fn rotate(&self, x: Tensor<4>) -> Tensor<4> {
        let half = x.dims()[3] / 2;
        let turned = Tensor::cat(
            vec![
                x.clone().narrow(3, half, half).neg(),
                x.clone().narrow(3, 0, half),
            ],
            3,
        );
        x * self.cos.clone() + turned * self.sin.clone()
    }
}

impl Attention {
    /// Initialises the matrices.
    pub fn build(builder: &mut Builder) -> Self {
        let config = builder.decoder;
        let (heads, kv_heads, head_dim) = (config.n_heads, config.kv_heads(), config.head_dim());
        let (d_model, width) = (config.d_model, (heads + 2 * kv_heads) * head_dim);
        let qkv = match config.qkv_bias {
            true => {
                let init = Init::TruncatedNormal((d_model as f64).powf(-0.5));
                builder.biased_linear("qkv", d_model, width, init)
            }
            false => builder.linear("qkv", d_model, width),
        };
        Self {
            qkv,
            output: builder.linear("output", heads * head_dim, config.d_model),
            shape: AttentionShape {
                batch: 0,
                seq: 0,
                n_heads: heads,
                n_kv_heads: kv_heads,
                head_dim,
                rotary: config.rotary(),
            },
            format: config.numeric_format,
        }
    }

    /// Output `[batch, seq, d_model]` for whole sequences `x [batch, seq, d_model]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, seq, _] = x.dims();
        let shape = AttentionShape {
            batch,
            seq,
            ..self.shape
        };
        let qkv = self.qkv.forward(x);
        self.output
            .forward(self.format.causal_attention(qkv, shape))
    }

    /// Output for new tokens `x [batch, seq, d_model]` after those in `cache`.
    pub fn extend(&self, x: Tensor<3>, positions: &Positions, cache: &mut LayerCache) -> Tensor<3> {
        let [batch, seq, _] = x.dims();
        let AttentionShape {
            n_heads,
            n_kv_heads,
            head_dim,
            ..
        } = self.shape;
        let heads = n_heads + 2 * n_kv_heads;
        let qkv = self.qkv.forward(x);
        let by_head = qkv
            .clone()
            .reshape([batch, seq, heads, head_dim])
            .swap_dims(1, 2);
        let query = by_head.clone().narrow(1, 0, n_heads);
        let key = positions.rotate(by_head.clone().narrow(1, n_heads, n_kv_heads));
        let value = by_head.narrow(1, n_heads + n_kv_heads, n_kv_heads);
        let is_first = cache.is_empty();
        let (key, value) = cache.extend(key, value);
        let width = n_heads * head_dim;
        let mixed = if is_first {
            // As in a pass over whole sequences.
            let shape = AttentionShape {
                batch,
                seq,
                ..self.shape
            };
            self.format.causal_attention(qkv, shape)
        } else if seq == 1 && self.format == NumericFormat::F32 {
            let query = positions.rotate(query).reshape([batch, n_heads, head_dim]);
            fused::attend_to_cache(query, key, value).reshape([batch, 1, width])
        } else {
            self.attend_by_products(positions.rotate(query), key, value, positions)
                .swap_dims(1, 2)
                .reshape([batch, seq, width])
        };
        self.output.forward(mixed)
    }

    /// Output `[batch, n_heads, seq, head_dim]` of rotated queries of that shape for the keys and values of all tokens.
    fn attend_by_products(
        &self,
        query: Tensor<4>,
        key: Tensor<4>,
        value: Tensor<4>,
        positions: &Positions,
    ) -> Tensor<4> {
        let [batch, n_heads, seq, head_dim] = query.dims();
        let (key, value) = (
            self.for_each_query_head(key),
            self.for_each_query_head(value),
        );
        let whole = key.dims()[2];
        let scores =
            self.format.batched_product(query, key.swap_dims(2, 3)) / (head_dim as f64).sqrt();
        let scores = match &positions.mask {
            Some(mask) => {
                let mask = mask
                    .clone()
                    .reshape([1, 1, seq, whole])
                    .expand([batch, n_heads, seq, whole]);
                scores.mask_fill(mask, f32::NEG_INFINITY)
            }
            None => scores,
        };
        self.format
            .batched_product(activation::softmax(scores, 3), value)
    }

    /// Repeats each key or value head for the query heads that share it.
    fn for_each_query_head(&self, x: Tensor<4>) -> Tensor<4> {
        let group = self.shape.n_heads / self.shape.n_kv_heads;
        if group == 1 {
            return x;
        }
        let [batch, heads, seq, head_dim] = x.dims();
        x.reshape([batch, heads, 1, seq * head_dim])
            .repeat_dim(2, group)
            .reshape([batch, heads * group, seq, head_dim])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_are_exact_at_long_positions() {
        let decoder: DecoderConfig = serde_json::from_str(
            r#"{"vocab_size": 9, "d_model": 64, "n_layers": 1, "n_heads": 1, "seq_len": 8192}"#,
        )
        .unwrap();
        let position = 8191;
        let found = Positions::new(&decoder, position, 1, &Device::flex());
        let sines: Vec<f32> = found.sin.into_data().iter().collect();
        for (i, sine) in sines.iter().take(32).enumerate() {
            let angle = position as f64 * 10_000f64.powf(-(i as f64) / 32.0);
            assert!((f64::from(*sine) - angle.sin()).abs() < 1e-7, "{i}");
        }
    }
}
