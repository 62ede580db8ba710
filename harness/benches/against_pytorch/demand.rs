//! What an iteration requires of any implementation, and the time that the machine needs for that.

use architectures::{Cost, ModelConfig};
use harness::probe::peaks::Peaks;

/// Bytes of f32.
const F32: f64 = 4.0;

/// The least work of an iteration.
#[derive(Clone, Copy)]
pub struct Demand {
    /// Tokens that it trains on, or generates.
    pub tokens: usize,
    /// FLOPs by [`architectures::cost::FLOP_CONVENTION`].
    pub flops: f64,
    /// Bytes that it reads and writes if no parameter, moment or cached key stays in a cache between two uses; activations
    /// and gradients are not counted.
    pub bytes: f64,
}

/// The limit that gives the longer time.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Matrix products.
    Products,
    /// Memory bandwidth.
    Memory,
}

impl Demand {
    /// A training step on `tokens` tokens: parameters and both moments of AdamW are read and written once, and so are the
    /// table rows that are looked up, which the lookup reads as well.
    pub fn training(cost: &Cost, tokens: usize) -> Self {
        Self {
            tokens,
            flops: cost.training() as f64 * tokens as f64,
            bytes: F32 * (6.0 * cost.params_dense as f64 + 7.0 * distinct_rows(cost, tokens)),
        }
    }

    /// Greedy generation of `new` tokens after each of `batch` prompts of `prompt` tokens, with cached keys and values.
    ///
    /// # Panics
    /// If `model` is invalid.
    pub fn generation(model: &ModelConfig, [batch, prompt, new]: [usize; 3]) -> Self {
        let (cost, decoder) = (model.cost().expect("a model"), &model.decoder);
        let embedding = (decoder.vocab_size * decoder.d_model) as f64;
        let width = (decoder.n_layers * decoder.d_model) as f64;
        // The last token is generated, not read.
        let read = prompt + new - 1;
        // Keys that are read for all queries of a sequence.
        let keys = (1..=read).sum::<usize>() as f64;
        let cached_keys = (prompt..=read).sum::<usize>() as f64;
        let products = (cost.matmul + cost.lookup) as f64 * read as f64
            // Logits are needed of one token of a prompt.
            - 2.0 * embedding * (prompt - 1) as f64;
        let tables =
            distinct_rows(&cost, batch * prompt) + (new - 1) as f64 * distinct_rows(&cost, batch);
        let parameters = new as f64 * (cost.params_dense as f64 - embedding);
        Self {
            tokens: batch * new,
            flops: batch as f64 * (products + 4.0 * width * keys),
            bytes: F32 * (parameters + tables + batch as f64 * 2.0 * width * cached_keys),
        }
    }

    /// Seconds that the machine needs at its measured peak rates, and for which of both.
    pub fn floor(&self, peaks: &Peaks) -> (f64, Limit) {
        let (products, memory) = (
            self.flops / peaks.flop_per_s,
            self.bytes / peaks.bytes_per_s,
        );
        match products >= memory {
            true => (products, Limit::Products),
            false => (memory, Limit::Memory),
        }
    }
}

/// Elements of the distinct table rows that `tokens` tokens look up, if all rows are equally probable.
fn distinct_rows(cost: &Cost, tokens: usize) -> f64 {
    let table = cost.params_table as f64;
    if table == 0.0 {
        return 0.0;
    }
    let gathered = cost.bytes_gathered as f64 / F32 * tokens as f64;
    table * -(-gathered / table).exp_m1()
}
