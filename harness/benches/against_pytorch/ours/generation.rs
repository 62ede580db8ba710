//! Greedy generation by a decoder, as the suites evaluate one.

use std::hint::black_box;

use architectures::{Decoder, ModelConfig};
use burn::module::Module;
use burn::tensor::Device;
use harness::evaluate::language_model::DecoderModel;
use rand::Rng;
use random::stream;
use serde_json::Value;
use suites::{Generation, LanguageModel, Sampling};

use crate::demand::Demand;
use crate::row::Work;

/// Sequences and their lengths.
#[derive(Clone, Copy)]
pub struct Lengths {
    /// Sequences at the same time.
    pub batch: usize,
    /// Tokens of each prompt.
    pub prompt: usize,
    /// New tokens of each sequence.
    pub new: usize,
}

/// Generation by a new decoder with this configuration after random prompts.
///
/// # Panics
/// If the configuration is invalid, or generation fails.
pub fn greedy(config: &Value, lengths: Lengths) -> Work {
    let config: ModelConfig = serde_json::from_value(config.clone()).expect("a model");
    let device = Device::flex();
    let decoder = Decoder::new(&config, 0, &device).expect("a decoder");
    let mut rng = stream(0, "prompts", 0);
    let mut token = || rng.random_range(0..config.decoder.vocab_size as u32);
    let prompts: Vec<Vec<u32>> = (0..lengths.batch)
        .map(|_| (0..lengths.prompt).map(|_| token()).collect())
        .collect();
    let generation = Generation {
        max_tokens: lengths.new,
        stop: Vec::new(),
        sampling: Sampling::Greedy,
    };
    let tables = decoder.tables().into_iter();
    Work {
        parameters: decoder.num_params(),
        table_parameters: tables.map(|table| table.rows() * table.width()).sum(),
        demand: Some(Demand::generation(
            &config,
            [lengths.batch, lengths.prompt, lengths.new],
        )),
        step: Box::new(move || {
            let mut model = DecoderModel::new(&decoder, &device, lengths.batch);
            let generated = model.generate(&prompts, &generation);
            let generated = generated.expect("no prompt is empty");
            assert!(generated.iter().all(|own| own.len() == lengths.new));
            black_box(generated);
        }),
    }
}
