//! Number of copies from the device to the host in one training step of every block. Alone in its process: the count is global.

#[path = "../../architectures/tests/models/mod.rs"]
mod models;

use architectures::{Decoder, ModelConfig, host_copy};
use burn::tensor::{Device, Int, Tensor, TensorData};
use experiment::training::{Division, TrainingConfig};
use harness::train::backward::backward;
use harness::train::step::{LearningRates, Optimizers};
use models::{VOCAB, every_model};

/// Copies of a forward pass or an update that the blocks themselves make.
fn copies_of_blocks(config: &ModelConfig) -> u64 {
    let layers = config.layers().unwrap();
    let blocks = layers.iter().flat_map(|layer| layer.blocks());
    let kinds: Vec<String> = blocks
        .map(|block| {
            serde_json::to_value(block).unwrap()["kind"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let count = |kind: &str| kinds.iter().filter(|other| *other == kind).count() as u64;
    // Token ids, once for all layers, which the host hashes.
    let hashed = u64::from(count("engram") + count("hashed_bigram") > 0);
    // Cores, once for all layers, whose singular vectors the host computes after an update.
    hashed + u64::from(count("ultra_mem") > 0)
}

#[test]
fn a_step_copies_its_losses_its_norms_and_what_blocks_need() {
    let training: TrainingConfig = serde_json::from_str(
        r#"{"batch_size": 2, "learning_rate": 0.1, "table_learning_rate": 0.1}"#,
    )
    .unwrap();
    let device = Device::flex().autodiff();
    for (model, config) in every_model() {
        let decoder = Decoder::new(&config, 3, &device).unwrap();
        let tokens: Vec<i64> = (0..18).map(|i| (i * i * 5 + 1) % VOCAB as i64).collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [2, 9]), &device);
        let batch = (tokens.clone().narrow(1, 0, 8), tokens.narrow(1, 1, 8));
        let mut optimizers = Optimizers::new(&training);

        let before = host_copy::count();
        let gradients = backward(&decoder, batch, Division::WHOLE);
        let norms = gradients.parameters.norms(&decoder);
        let has_tables = u64::from(!gradients.parameters.tables.is_empty());
        let rates = LearningRates::of(&training, 1.0);
        optimizers.update(decoder, gradients.parameters, norms, rates);
        let copies = host_copy::count() - before;

        // The losses, the norms before the update, and those of the tables' gradients after it.
        let expected = 2 + has_tables + copies_of_blocks(&config);
        assert_eq!(copies, expected, "{model}");
    }
}
