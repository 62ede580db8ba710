//! A Memory+ decoder's speed as its table grows, and how much of a step the sub-key scores take.

use std::hint::black_box;

use architectures::ModelConfig;
use architectures::kernels::ops;
use burn::tensor::{Device, Distribution, Tensor};

use crate::arguments::Arguments;
use crate::measurement::{median, time};
use crate::ours::decoder::Training;
use crate::ours::{BATCH, SEQ};
use crate::table::Section;

/// By which `--only` finds it.
pub const NAME: &str = "table-growth";

/// Half-keys: 2^14 to 2^22 slots.
const N_KEYS: [usize; 5] = [128, 256, 512, 1024, 2048];

const D_MODEL: usize = 128;
const MEMORY_LAYERS: usize = 3;
const HEADS: usize = 4;
const TOP_K: usize = 32;

/// Seconds of one step, and of those parts of it that grow with the number of half-keys.
#[derive(Default)]
struct Seconds {
    step: Vec<f64>,
    scores: Vec<f64>,
    selection: Vec<f64>,
}

/// All sizes in turn, in every round.
pub fn measure(arguments: &Arguments) -> Section {
    let mut models = N_KEYS.map(|n_keys| Training::new(&config(n_keys), 1));
    let mut parts = N_KEYS.map(Parts::new);
    for (model, parts) in models.iter_mut().zip(&mut parts) {
        time(&mut || model.step(), 2);
        parts.scores();
        parts.selection();
    }
    let mut seconds = N_KEYS.map(|_| Seconds::default());
    for _ in 0..arguments.rounds.get() {
        for ((model, parts), seconds) in models.iter_mut().zip(&mut parts).zip(&mut seconds) {
            seconds.step.extend(time(&mut || model.step(), 2));
            seconds.scores.extend(time(&mut || parts.scores(), 2));
            seconds.selection.extend(time(&mut || parts.selection(), 2));
        }
    }
    section(seconds.map(|seconds| {
        let of_all_layers = |times| MEMORY_LAYERS as f64 * median(times);
        [
            median(seconds.step),
            of_all_layers(seconds.scores),
            of_all_layers(seconds.selection),
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

/// One layer's work on half-keys, forward and backward.
struct Parts {
    /// `[heads * 2, tokens, half]`
    queries: Tensor<3>,
    /// `[heads * 2, n_keys, half]`
    keys: Tensor<3>,
    /// `[heads * 2, tokens, n_keys]`: stands for the scores and for their gradient.
    scores: Tensor<3>,
}

impl Parts {
    fn new(n_keys: usize) -> Self {
        let device = Device::flex();
        let (tokens, half) = (BATCH * SEQ, D_MODEL / 4);
        let normal = |shape| Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
        Self {
            queries: normal([HEADS * 2, tokens, half]),
            keys: normal([HEADS * 2, n_keys, half]),
            scores: normal([HEADS * 2, tokens, n_keys]),
        }
    }

    /// The product of queries and half-keys, and both gradients, each a product as autodiff forms it.
    fn scores(&mut self) {
        let (queries, keys, gradient) = (&self.queries, &self.keys, &self.scores);
        black_box(queries.clone().matmul(keys.clone().swap_dims(1, 2)));
        black_box(gradient.clone().matmul(keys.clone()));
        black_box(queries.clone().swap_dims(1, 2).matmul(gradient.clone()));
    }

    /// The best pairs, their scores, and the gradient of all scores.
    fn selection(&mut self) {
        let [_, tokens, n_keys] = self.scores.dims();
        let scores = self.scores.clone().reshape([HEADS, 2, tokens, n_keys]);
        let ids = ops::product_key_top_k(scores.clone(), TOP_K);
        let scores = Tensor::<4>::from_inner(scores).require_grad();
        let chosen = ops::pair_scores(scores.clone(), Tensor::from_inner(ids));
        black_box(scores.grad(&chosen.sum().backward()));
    }
}

fn section(medians: [[f64; 3]; N_KEYS.len()]) -> Section {
    let mut section = Section::new(
        "A Memory+ decoder as its table grows",
        vec![
            "slots",
            "tokens/s",
            "step, ms",
            "sub-key scores, ms",
            "selection, ms",
            "tokens/s without scores",
            "of the smallest",
            "tokens/s without both",
            "of the smallest",
        ],
    );
    let tokens = (BATCH * SEQ) as f64;
    let rates = medians.map(|[step, scores, selection]| {
        [
            tokens / step,
            tokens / (step - scores),
            tokens / (step - scores - selection),
        ]
    });
    for ((n_keys, rate), [step, scores, selection]) in N_KEYS.iter().zip(rates).zip(medians) {
        let relative = |place: usize| format!("{:.2}", rate[place] / rates[0][place]);
        let milliseconds = |seconds: f64| format!("{:.1}", 1e3 * seconds);
        section.push(vec![
            format!("2^{}", 2 * n_keys.ilog2()),
            format!("{:.0}", rate[0]),
            milliseconds(step),
            milliseconds(scores),
            milliseconds(selection),
            format!("{:.0}", rate[1]),
            relative(1),
            format!("{:.0}", rate[2]),
            relative(2),
        ]);
    }
    section.note(format!(
        "d_model {D_MODEL}, 8 layers, three of them Memory+ on one table, 8 x 256 tokens, vocabulary 8192, {HEADS} heads \
         x {TOP_K} slots; medians. Scores and selection are measured alone, forward and backward, times three layers. At \
         least 0.80 of the smallest table's rate is asked for, without scores"
    ));
    section
}
