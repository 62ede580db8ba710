//! One table of hashed bigrams, added with a scalar gate per layer: the inexpensive relative of Engram (modded-nanogpt,
//! pull request 201).
//!
//! ```text
//! row(t) = ((36313 x_t) xor (27191 x_{t-1})) mod (n_rows - 1);  row(0) = n_rows - 1     32-bit wrapping products
//! o      = b table[row]                                                                 table [n_rows, d_model], b a scalar
//! ```
//!
//! All layers of a model share the table, which starts at zero; `b` starts at 0.1. Cost per token and layer: one
//! parameter, `2 d_model` FLOPs and `d_model` table elements gathered.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, hashed_bigram::HashedBigramConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 50304, "d_model": 768, "n_layers": 11, "n_heads": 6, "seq_len": 1024}"#).unwrap();
//! let bigram: HashedBigramConfig = serde_json::from_str("{}").unwrap();
//! assert_eq!(bigram.tables(&decoder)[0].rows, 5 * 50304);
//! assert_eq!(bigram.cost(&decoder).forward(), 2 * 768);
//! ```

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::Context;
use crate::cost::Cost;
use crate::init::Init;
use crate::knob::Knob;
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[Knob::count(&["n_rows"], 1 << 30)];

/// Options of the hashed bigrams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashedBigramConfig {
    /// Rows of the table; five times the vocabulary when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_rows: Option<usize>,
    /// Factor of the tables' learning rate.
    #[serde(default = "unit")]
    pub learning_rate_factor: f64,
}

fn unit() -> f64 {
    1.0
}

impl HashedBigramConfig {
    fn n_rows(&self, decoder: &DecoderConfig) -> usize {
        self.n_rows.unwrap_or(5 * decoder.vocab_size)
    }

    fn table(&self, decoder: &DecoderConfig) -> TableSpec {
        let (rows, width) = (self.n_rows(decoder), decoder.d_model);
        TableSpec::new(format!("bigrams.{rows}"), rows, width)
            .shared()
            .with_learning_rate_factor(self.learning_rate_factor)
    }
}

impl Architecture for HashedBigramConfig {
    type Block = HashedBigram;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        let rows = self.n_rows(decoder);
        if !(2..=1 << 31).contains(&rows) {
            let problem = format!("= {rows} is not between 2 and 2^31");
            return Err(ConfigError::new(
                "n_rows",
                problem,
                "leave it out for five times the vocabulary",
            ));
        }
        if !(self.learning_rate_factor > 0.0 && self.learning_rate_factor.is_finite()) {
            let problem = format!("= {} is not positive", self.learning_rate_factor);
            return Err(ConfigError::new(
                "learning_rate_factor",
                problem,
                "1 is the rate of all tables",
            ));
        }
        Ok(())
    }

    fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
        vec![self.table(decoder)]
    }

    fn reads_residual_stream(&self) -> bool {
        true
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        Cost::vector(1) + Cost::gather(1, decoder.d_model)
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        Activations::default().with_entries(1, 1, decoder.d_model)
    }

    fn build(&self, builder: &mut Builder) -> HashedBigram {
        HashedBigram {
            table: builder.table(&self.table(builder.decoder), 0.0),
            gate: builder.parameter("gate", [1], Init::Constant(0.1)),
        }
    }
}

/// The hashed bigrams of one layer.
#[derive(Module, Debug)]
pub struct HashedBigram {
    #[module(skip)]
    table: ValueTable,
    gate: Param<Tensor<1>>,
}

impl Block for HashedBigram {
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let [batch, seq, d_model] = x.dims();
        let reads = self.reads(context, seq);
        if context.pass.observes() {
            context
                .pass
                .observe_hashed("n-gram", self.table.rows(), &reads);
        }
        let ids: Vec<i64> = reads.iter().map(|(row, _)| *row).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [batch * seq, 1]), &x.device());
        let gate = self.gate.val().reshape([1, 1]).expand([batch * seq, 1]);
        let rows = self.table.bag(ids, gate, context.pass);
        rows.reshape([batch, seq, d_model])
    }

    fn tables(&self) -> Vec<&ValueTable> {
        vec![&self.table]
    }
}

impl HashedBigram {
    /// Row and bigram of the last `seq` tokens of every sequence, `[batch, seq]`.
    fn reads(&self, context: &Context, seq: usize) -> Vec<(i64, i64)> {
        let past = context.tokens.past();
        let sequences = context.tokens.on_host().chunks_exact(past + seq);
        sequences
            .flat_map(|tokens| {
                (past..past + seq).map(|at| match at.checked_sub(1) {
                    None => (self.table.rows() as i64 - 1, -1),
                    Some(before) => {
                        let (token, before) = (tokens[at], tokens[before]);
                        let row = bigram(token, before, self.table.rows());
                        (row, token << 32 | before)
                    }
                })
            })
            .collect()
    }
}

/// The row of a token after another; products wrap at 32 bits and the modulus is floored, as in the published code.
fn bigram(token: i64, before: i64, n_rows: usize) -> i64 {
    let product = |factor: i32, token: i64| factor.wrapping_mul(token as i32);
    let mix = product(36_313, token) ^ product(27_191, before);
    i64::from(mix).rem_euclid(n_rows as i64 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_equal_published_ones() {
        assert_eq!(bigram(60_000, 5, 1_000_003), 951_357);
        assert_eq!(bigram(128_000, 60_000, 1_000_003), 679_462);
    }
}
