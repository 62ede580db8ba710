//! Speed of a Memory+ decoder over the size of its table, and the time of the product-key search in a step.

use std::hint::black_box;

use architectures::ModelConfig;
use architectures::kernels::product_key_search::product_key_search;
use burn::tensor::{Device, Distribution, Tensor};

use crate::arguments::BenchArguments;
use crate::ours::decoder::{BatchShape, DecoderStep};
use crate::ours::{BATCH, SEQ};
use crate::table::ResultTable;
use crate::times::{median, time};

/// Name of the measurement for `--only`.
pub const NAME: &str = "table-growth";

/// Numbers of half-keys, for 2^14 to 2^22 slots.
const N_KEYS: [usize; 5] = [128, 256, 512, 1024, 2048];

const SHAPE: BatchShape = BatchShape {
    batch: BATCH,
    seq: SEQ,
};

const D_MODEL: usize = 128;
const MEMORY_LAYERS: usize = 3;
const HEADS: usize = 4;
const TOP_K: usize = 32;

/// Seconds of steps, and of the search of one layer.
#[derive(Default)]
struct StepSeconds {
    step: Vec<f64>,
    search: Vec<f64>,
}

/// Measures all sizes, alternating in every round.
pub fn measure(arguments: &BenchArguments) -> ResultTable {
    let mut models = N_KEYS.map(|n_keys| DecoderStep::new(&config(n_keys), SHAPE, 1));
    let searches = N_KEYS.map(Search::new);
    for (model, search) in models.iter_mut().zip(&searches) {
        time(&mut || model.step(), 2);
        search.run();
    }
    let mut seconds = N_KEYS.map(|_| StepSeconds::default());
    for _ in 0..arguments.rounds.get() {
        for ((model, search), seconds) in models.iter_mut().zip(&searches).zip(&mut seconds) {
            seconds.step.extend(time(&mut || model.step(), 2));
            seconds.search.extend(time(&mut || search.run(), 2));
        }
    }
    section(seconds.map(|seconds| {
        [
            median(seconds.step),
            MEMORY_LAYERS as f64 * median(seconds.search),
        ]
    }))
}

fn config(n_keys: usize) -> ModelConfig {
    let config = serde_json::json!({
        "decoder": {"vocab_size": 8192, "d_model": D_MODEL, "n_layers": 8, "n_heads": 4, "seq_len": SEQ},
        "blocks": [{
            "block": {"kind": "memory", "keys": {"n_keys": n_keys, "n_heads": HEADS, "top_k": TOP_K}, "gate": true,
                      "shared_values": true},
            "placement": {"centred": {"count": MEMORY_LAYERS, "stride": 2}},
        }],
    });
    serde_json::from_value(config).expect("a model")
}

/// The product-key search of one layer, forward and backward, by the operation that the layer calls.
struct Search {
    /// `[tokens, heads * 2, half]`
    queries: Tensor<3>,
    /// `[heads * 2, n_keys, half]`
    keys: Tensor<3>,
}

impl Search {
    fn new(n_keys: usize) -> Self {
        let device = Device::flex().autodiff();
        let half = D_MODEL / 4;
        let normal = |shape| Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
        Self {
            queries: normal([BATCH * SEQ, HEADS * 2, half]),
            keys: normal([HEADS * 2, n_keys, half]),
        }
    }

    fn run(&self) {
        let queries = self.queries.clone().require_grad();
        let keys = self.keys.clone().require_grad();
        let (scores, ids) = product_key_search(queries.clone(), keys.clone(), TOP_K);
        let gradients = scores.sum().backward();
        black_box((ids, queries.grad(&gradients), keys.grad(&gradients)));
    }
}

fn section(medians: [[f64; 2]; N_KEYS.len()]) -> ResultTable {
    let mut table = ResultTable::new(
        "Memory+ decoder by table size",
        vec![
            "slots",
            "step, ms",
            "search, ms",
            "tokens/s",
            "of the smallest",
            "tokens/s without search",
            "of the smallest",
        ],
    );
    let tokens = (BATCH * SEQ) as f64;
    let rates = medians.map(|[step, search]| [tokens / step, tokens / (step - search)]);
    for ((n_keys, rate), [step, search]) in N_KEYS.iter().zip(rates).zip(medians) {
        let relative = |column: usize| format!("{:.2}", rate[column] / rates[0][column]);
        let milliseconds = |seconds: f64| format!("{:.1}", 1e3 * seconds);
        table.push(vec![
            format!("2^{}", 2 * n_keys.ilog2()),
            milliseconds(step),
            milliseconds(search),
            format!("{:.0}", rate[0]),
            relative(0),
            format!("{:.0}", rate[1]),
            relative(1),
        ]);
    }
    table.note(format!(
        "d_model {D_MODEL}, 8 layers, three of them Memory+ on one table, 8 x 256 tokens, vocabulary 8192, {HEADS} \
         heads x {TOP_K} slots; medians. The search includes scores of half-keys and selection; it is measured \
         separately, forward and backward, times three layers. Required: without search at least 0.80 of the rate of \
         the smallest table"
    ));
    table
}
