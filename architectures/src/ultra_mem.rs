//! UltraMemV2: a memory with Tucker-decomposed scores and pre-values (2508.18756, section 3; the published code where the
//! text is silent).
//!
//! ```text
//! q[s,p]  = RMSNorm(x Wq)                              [tokens, 2, rank, key_dim]; sides s, ranks p; norm over key_dim
//! S[s,p]  = <q[s,p], RMSNorm(K)[s,i,p]>                [tokens, n_keys] for each side and rank; S_0 rows, S_1 columns
//! I, J    = top n_candidates of u^T S_0 and v^T S_1    u, v the leading singular vectors of C = sum_c C_c
//! z_c     = S_0[I]^T C_c S_1[J]                        exact scores of the candidate pairs, for each of n_cores cores
//! slots   = the top_k pairs by sum_c z_c;  w_c = z_c of the slots      no softmax: weights have any sign
//! a_m     = <x Wp, P[slot_m]>                          pre-values P [n_keys^2, pre_value_dim]
//! o       = concat_c( sum_m w_c,m a_m V_c[slot_m] ) Wv    values V_c [n_keys^2, value_dim / n_cores]
//! ```
//!
//! One head. No biases. The block is meant for the site `beside`. `u` and `v` are recomputed from the cores after each
//! optimizer step, with the sign that changes them least; no gradient reaches them. The approximation `C ~ u v^T` finds the
//! exact best pairs of the quadrant in which both approximate scores are positive only. Tables are not shared between
//! layers, and virtual addresses are not folded (share ratio and expansion 1 of the paper). Parameters beside the tables:
//! `2 rank key_dim (d_model + n_keys) + d_model pre_value_dim + value_dim d_model + 2 key_dim + n_cores rank^2`.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, ultra_mem::UltraMemConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 50304, "d_model": 768, "n_layers": 20, "n_heads": 12, "seq_len": 4096}"#).unwrap();
//! // One layer of the published 227M/1.2B model.
//! let memory: UltraMemConfig = serde_json::from_str(
//!     r#"{"n_keys": 360, "key_dim": 192, "value_dim": 192, "pre_value_dim": 192}"#).unwrap();
//! let cost = memory.cost(&decoder);
//! assert_eq!(cost.params_dense, 2 * 2 * 192 * (768 + 360) + 2 * 192 * 768 + 2 * 192 + 2 * 4);
//! assert_eq!(cost.bytes_gathered, 32 * (192 + 192) * 4);
//! ```

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::buffer::{Buffer, Statistics};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::Context;
use crate::cost::Cost;
use crate::host_copy;
use crate::init::Init;
use crate::kernels::fused;
use crate::kernels::row_top_k::row_top_k;
use crate::linear::Linear;
use crate::numeric_format::NumericFormat;
use crate::pass::Pass;
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;

mod config;
mod singular_vectors;

use config::Sizes;
pub use config::{KNOBS, UltraMemConfig};
use singular_vectors::{leading, sum_of_cores};

impl Architecture for UltraMemConfig {
    type Block = UltraMem;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        self.sizes(decoder).check()
    }

    fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
        let sizes = self.sizes(decoder);
        let slots = sizes.n_keys * sizes.n_keys;
        let values = (0..sizes.cores).map(|core| {
            TableSpec::new(
                format!("values.{core}"),
                slots,
                sizes.value_dim / sizes.cores,
            )
        });
        let pre_values = TableSpec::new("pre_values", slots, sizes.pre_value_dim);
        [pre_values].into_iter().chain(values).collect()
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let Sizes {
            n_keys,
            top_k,
            candidates,
            rank,
            cores,
            key_dim,
            value_dim,
            pre_value_dim,
        } = self.sizes(decoder);
        let d_model = decoder.d_model;
        let mut cost = Cost::matrix(d_model, 2 * rank * key_dim)
            + Cost::vector(2 * n_keys * rank * key_dim)
            + Cost::vector(2 * key_dim + cores * rank * rank)
            + Cost::matrix(d_model, pre_value_dim)
            + Cost::matrix(value_dim, d_model)
            + Cost::gather(top_k, pre_value_dim)
            + Cost::gather(top_k, value_dim);
        let scores = 4 * n_keys * rank * key_dim + 4 * n_keys * rank;
        let exact = cores * (2 * candidates * rank * rank + 2 * candidates * candidates * rank);
        cost.matmul += (scores + exact) as u64;
        cost
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let sizes = self.sizes(decoder);
        let queries = 6 * sizes.rank * sizes.key_dim;
        // Ids and scores of the candidates of both sides, and the scores times each core.
        let candidates = sizes.candidates * sizes.rank * (6 + sizes.cores);
        let lookups = sizes.top_k * (4 + 2 * sizes.cores) + sizes.pre_value_dim + sizes.value_dim;
        Activations::stored(queries + candidates + lookups).with_entries(
            sizes.top_k,
            sizes.top_k * (1 + sizes.cores),
            sizes.pre_value_dim + sizes.value_dim,
        )
    }

    fn build(&self, builder: &mut Builder) -> UltraMem {
        let d_model = builder.decoder.d_model;
        let sizes = self.sizes(builder.decoder);
        let Sizes {
            n_keys,
            rank,
            cores,
            key_dim,
            ..
        } = sizes;
        let normal = |width: usize| Init::TruncatedNormal((width as f64).powf(-0.5));
        let gain = Init::Constant((key_dim as f64).powf(-0.4) as f32);
        let tables = self.tables(builder.decoder);
        let mut tables = tables.iter().map(|table| builder.table(table, 0.02));
        let (Some(pre_values), values) = (tables.next(), tables.collect()) else {
            unreachable!("the first table is that of pre-values")
        };
        let cores = builder.parameter("cores", [cores, rank, rank], Init::UniformPositive(1.0));
        let vectors = leading(&host_copy::floats(sum_of_cores(&cores)), rank, None);
        UltraMem {
            query: builder.parameter("query", [d_model, 2 * rank * key_dim], normal(key_dim)),
            keys: builder.parameter("keys", [2 * rank, n_keys, key_dim], normal(key_dim)),
            query_gain: builder.parameter("query_gain", [key_dim], gain),
            key_gain: builder.parameter("key_gain", [key_dim], gain),
            cores,
            pre_value_query: builder.linear("pre_value_query", d_model, sizes.pre_value_dim),
            output: builder.linear("output", sizes.value_dim, d_model),
            vectors: Buffer::new(vectors),
            pre_values,
            values,
            format: builder.decoder.numeric_format,
            sizes,
        }
    }
}

/// An UltraMemV2 layer.
#[derive(Module, Debug)]
pub struct UltraMem {
    /// `[d_model, 2 rank key_dim]`
    query: Param<Tensor<2>>,
    /// `[2 rank, n_keys, key_dim]`, all ranks of a side together.
    keys: Param<Tensor<3>>,
    query_gain: Param<Tensor<1>>,
    key_gain: Param<Tensor<1>>,
    /// `[n_cores, rank, rank]`
    cores: Param<Tensor<3>>,
    pre_value_query: Linear,
    output: Linear,
    /// `u` and `v`, `[2 rank]`.
    #[module(skip)]
    vectors: Buffer,
    #[module(skip)]
    pre_values: ValueTable,
    #[module(skip)]
    values: Vec<ValueTable>,
    /// Of queries and of their scores with all keys; the products with the cores are in f32.
    #[module(skip)]
    format: NumericFormat,
    #[module(skip)]
    sizes: Sizes,
}

/// Slots of each token and their scores.
struct Selection {
    /// `[tokens, top_k]`
    slots: Tensor<2, Int>,
    /// For each core, `[tokens, top_k]`.
    scores: Vec<Tensor<2>>,
}

impl Block for UltraMem {
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, d_model] = shape;
        let x = x.reshape([batch * seq, d_model]);
        let Selection { slots, scores } = self.select(x.clone());
        if context.pass.observes() {
            self.observe(&slots, context.pass);
        }
        let pre_query = self.pre_value_query.forward(x);
        let activation = self.pre_values.dot(slots.clone(), pre_query, context.pass);
        let parts = self.values.iter().zip(scores).map(|(values, scores)| {
            values.bag(slots.clone(), scores * activation.clone(), context.pass)
        });
        self.output
            .forward(Tensor::cat(parts.collect(), 1))
            .reshape(shape)
    }

    fn tables(&self) -> Vec<&ValueTable> {
        [&self.pre_values].into_iter().chain(&self.values).collect()
    }

    fn buffers(&self) -> Vec<&Buffer> {
        vec![&self.vectors]
    }

    fn read_by_update(&self) -> Option<Tensor<1>> {
        Some(sum_of_cores(&self.cores))
    }

    fn update_buffers(&self, _: &Statistics, sum_of_cores: &[f32]) {
        let before = self.vectors.values();
        let vectors = leading(sum_of_cores, self.sizes.rank, Some(&before));
        self.vectors.set_values(vectors);
    }
}

impl UltraMem {
    fn select(&self, x: Tensor<2>) -> Selection {
        let Sizes {
            n_keys,
            top_k,
            candidates,
            rank,
            key_dim,
            ..
        } = self.sizes;
        let [tokens, _] = x.dims();
        let query = self.format.weight_product(x, self.query.val());
        let query = query.reshape([tokens, 2 * rank, key_dim]);
        let query = normalised(query, self.query_gain.val()).swap_dims(0, 1);
        let keys = normalised(self.keys.val(), self.key_gain.val()).swap_dims(1, 2);
        // [2 rank, tokens, n_keys]
        let scores = self.format.batched_product(query, keys);
        let side = |side: usize| {
            let scores = scores.clone().narrow(0, side * rank, rank);
            let vector = &self.vectors.values()[side * rank..][..rank];
            let vector = Tensor::<1>::from_floats(vector, &scores.device()).reshape([rank, 1, 1]);
            let approximate = (scores.clone().detach() * vector)
                .sum_dim(0)
                .reshape([tokens, n_keys]);
            let keys = row_top_k(approximate, candidates);
            let index = keys
                .clone()
                .reshape([1, tokens, candidates])
                .repeat_dim(0, rank);
            // [tokens, candidates, rank]
            let exact = scores.gather(2, index).swap_dims(0, 1).swap_dims(1, 2);
            (keys, exact)
        };
        let ((rows, row_scores), (columns, column_scores)) = (side(0), side(1));
        let column_scores = column_scores.swap_dims(1, 2);
        let pairs = candidates * candidates;
        let cores = self.cores.val();
        let scores: Vec<Tensor<2>> = (0..self.sizes.cores)
            .map(|core| {
                let core = cores.clone().narrow(0, core, 1).reshape([rank, rank]);
                let left = row_scores.clone().reshape([tokens * candidates, rank]);
                let left = fused::weight_product(left, core).reshape([tokens, candidates, rank]);
                fused::batched_product(left, column_scores.clone()).reshape([tokens, pairs])
            })
            .collect();
        let total = scores.iter().map(|scores| scores.clone().detach());
        let Some(total) = total.reduce(|sum, scores| sum + scores) else {
            unreachable!("there is at least one core")
        };
        let chosen = row_top_k(total, top_k);
        let column = chosen.clone().remainder_scalar(candidates as i64);
        let row = (chosen.clone() - column.clone()) / candidates as i64;
        let slots = rows.gather(1, row) * n_keys as i64 + columns.gather(1, column);
        Selection {
            slots,
            scores: scores
                .into_iter()
                .map(|scores| scores.gather(1, chosen.clone()))
                .collect(),
        }
    }

    /// Records the number of reads of each slot.
    fn observe(&self, slots: &Tensor<2, Int>, pass: &mut Pass) {
        let mut counts = vec![0.0; self.sizes.n_keys * self.sizes.n_keys];
        for slot in host_copy::integers(slots.clone()) {
            counts[slot as usize] += 1.0;
        }
        pass.observe("slot", counts, slots.shape().num_elements());
    }
}

/// RMSNorm over the last dimension.
fn normalised(x: Tensor<3>, gain: Tensor<1>) -> Tensor<3> {
    let mean_square = x.clone().square().mean_dim(2);
    x / (mean_square + 1e-5).sqrt() * gain.unsqueeze()
}

#[cfg(test)]
mod tests;
