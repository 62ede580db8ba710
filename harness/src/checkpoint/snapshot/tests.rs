use super::*;
use crate::checkpoint::manifest::Origin;
use crate::train::step::LearningRates;
use crate::train::{backward, state};
use architectures::{HasBuffers, NumericFormat, Pass, TablePart};
use burn::tensor::{Int, Tensor};
use experiment::training::Division;
use experiment::training::TrainingConfig;

const BLOCKS: [&str; 9] = [
    r#"{"kind": "mlp"}"#,
    r#"{"kind": "peer", "keys": {"n_keys": 4, "top_k": 2}}"#,
    r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}}"#,
    r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}, "gate": true, "shared_values": true}"#,
    r#"{"kind": "mixture_of_experts", "n_experts": 3}"#,
    r#"{"kind": "deepseek_moe", "n_experts": 3, "top_k": 1}"#,
    r#"{"kind": "ultra_mem", "n_keys": 4, "top_k": 2}"#,
    r#"{"kind": "engram", "n_rows": 11}"#,
    r#"{"kind": "hashed_bigram", "n_rows": 11}"#,
];

pub(in crate::checkpoint) fn model(block: &str) -> ModelConfig {
    serde_json::from_str(&format!(
        r#"{{"decoder": {{"vocab_size": 30, "d_model": 8, "n_layers": 3, "n_heads": 2, "seq_len": 8}},
             "blocks": [{{"block": {block}, "placement": "all"}}]}}"#
    ))
    .unwrap()
}

/// Each block in f32, and in bf16 with moments in both formats.
fn models() -> impl Iterator<Item = (ModelConfig, TrainingConfig)> {
    use NumericFormat::{Bf16, F32};
    let formats = [[F32, F32], [Bf16, F32], [Bf16, Bf16]];
    let models = BLOCKS.into_iter().map(model);
    models.flat_map(move |config| {
        formats.map(|[values, moments]| {
            let mut config = config.clone();
            config.decoder.numeric_format = values;
            let training = TrainingConfig {
                table_moments: moments,
                ..training()
            };
            (config, training)
        })
    })
}

pub(in crate::checkpoint) fn training() -> TrainingConfig {
    toml::from_str("batch_size = 2\nlearning_rate = 0.01\ntable_learning_rate = 0.01").unwrap()
}

/// A state of the model after `steps` steps on made-up tokens.
pub(in crate::checkpoint) fn trained(
    config: &ModelConfig,
    training: &TrainingConfig,
    steps: i64,
) -> TrainingState {
    let autodiff = state::autodiff(&Device::flex());
    let state = TrainingState {
        decoder: Decoder::new(config, 7, &autodiff).unwrap(),
        optimizers: crate::train::step::Optimizers::new(training),
        progress: Default::default(),
    };
    (0..steps).fold(state, |state, step| stepped(state, training, step))
}

fn stepped(state: TrainingState, training: &TrainingConfig, step: i64) -> TrainingState {
    let TrainingState {
        decoder,
        mut optimizers,
        mut progress,
    } = state;
    let device = state::autodiff(&Device::flex());
    let tokens: Vec<i64> = (0..18).map(|i| (i * i + 5 * step) % 30).collect();
    let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([2, 9]);
    let batch = (
        tokens.clone().narrow(1, 0, 8).into(),
        tokens.narrow(1, 1, 8),
    );
    let batch = backward::backward(&decoder, batch, Division::WHOLE).into();
    let norms = optimizers.numbers(&decoder, &batch).norms;
    let rates = LearningRates::of(training, 1.0);
    let (decoder, _) = optimizers.update(decoder, batch.parameters, norms, rates);
    progress.step += 1;
    TrainingState {
        decoder,
        optimizers,
        progress,
    }
}

/// Every number of a state: logits, tables with moments, buffers.
fn numbers(state: &TrainingState) -> Vec<u32> {
    let decoder = &state.decoder;
    let mut numbers = Vec::new();
    for table in decoder.tables() {
        for part in [TablePart::Values, TablePart::Mean, TablePart::Square] {
            numbers.extend(
                table
                    .piece(part, 0..table.rows(), 0..table.width())
                    .unwrap(),
            );
        }
    }
    numbers.extend(
        decoder
            .buffers()
            .into_iter()
            .flat_map(|buffer| buffer.values()),
    );
    numbers.extend(logits(decoder));
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn logits(decoder: &Decoder) -> Vec<f32> {
    let tokens = Tensor::<2, Int>::from_data([[1, 2, 3, 4]], &Device::flex().autodiff());
    let logits = decoder.forward(tokens, &mut Pass::evaluation());
    logits.into_data().iter::<f32>().collect()
}

fn written(folder: &Path, state: &TrainingState, file_bytes: u64) -> Manifest {
    let manifest = Manifest::new("run", &state.progress, None, Origin::default());
    let optimizer = Some(&state.optimizers.dense);
    write(folder, &state.decoder, optimizer, manifest, file_bytes).unwrap()
}

/// Reads as [`read_state`] does, without a dataset.
fn read(
    folder: &Path,
    config: &ModelConfig,
    training: &TrainingConfig,
) -> Result<TrainingState, CheckpointError> {
    let manifest = verify(folder, "run")?;
    let mut state = trained(config, training, 0);
    let optimizer = (&mut state.optimizers.dense, &manifest.dense_updates);
    state.decoder = dense::read(folder, &manifest.files, state.decoder, Some(optimizer))?;
    tables::read(
        folder,
        &manifest.files,
        &state.decoder,
        &manifest.table_updates,
    )?;
    state.progress = manifest.progress.clone();
    Ok(state)
}

#[test]
fn a_state_that_is_read_continues_bit_for_bit_with_every_block() {
    for (config, training) in models() {
        let block = format!("{config:?}, moments in {}", training.table_moments);
        let state = trained(&config, &training, 3);
        let folder = tempfile::tempdir().unwrap();
        // Files so small that tables are divided by columns and parameters are in several files.
        let manifest = written(folder.path(), &state, 400);
        assert!(manifest.files.len() > 10, "{block}");
        let read = read(folder.path(), &config, &training).unwrap();
        assert_eq!(read.progress, state.progress);
        let later = |state| numbers(&(3..6).fold(state, |s, step| stepped(s, &training, step)));
        assert_eq!(later(read), later(state), "{block}");
    }
}

#[test]
fn weights_are_read_from_checkpoints_and_from_weights_alone() {
    for (config, training) in models() {
        let block = format!("{config:?}");
        let state = trained(&config, &training, 2);
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), &state, FILE_BYTES);
        let weights = tempfile::tempdir().unwrap();
        let manifest = Manifest::new("run", &state.progress, None, Origin::default());
        write(weights.path(), &state.decoder, None, manifest, FILE_BYTES).unwrap();
        for folder in [folder.path(), weights.path()] {
            let manifest = verify(folder, "run").unwrap();
            let decoder = read_weights(folder, &manifest, &config, &Device::flex().autodiff());
            assert_eq!(logits(&decoder.unwrap()), logits(&state.decoder), "{block}");
        }
    }
}

#[test]
fn the_files_of_another_model_are_foreign() {
    let training = training();
    let folder = tempfile::tempdir().unwrap();
    let state = trained(&model(BLOCKS[2]), &training, 1);
    written(folder.path(), &state, FILE_BYTES);
    for other in [BLOCKS[0], BLOCKS[3], BLOCKS[5]] {
        let error = match read(folder.path(), &model(other), &training) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{other} was read"),
        };
        assert!(error.contains("does not belong to this run"), "{error}");
    }
}

#[test]
fn a_missing_file_and_a_flipped_bit_are_errors_that_name_the_file() {
    let training = training();
    let state = trained(&model(BLOCKS[5]), &training, 1);
    let folder = tempfile::tempdir().unwrap();
    let manifest = written(folder.path(), &state, FILE_BYTES);
    for file in &manifest.files {
        let path = folder.path().join(&file.name);
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        let error = verify(folder.path(), "run").unwrap_err().to_string();
        assert!(
            error.contains(&file.name) && error.contains("is damaged"),
            "{error}"
        );
        std::fs::remove_file(&path).unwrap();
        let error = verify(folder.path(), "run").unwrap_err().to_string();
        assert!(error.contains(&file.name), "{error}");
        std::fs::write(&path, whole).unwrap();
    }
    verify(folder.path(), "run").unwrap();
}

#[test]
fn files_of_tables_in_bf16_have_half_the_bytes_and_another_format_is_an_error() {
    let training = training();
    let single = model(BLOCKS[2]);
    let mut half = single.clone();
    half.decoder.numeric_format = NumericFormat::Bf16;
    let [of_single, of_half] = [&single, &half].map(|config| {
        let folder = tempfile::tempdir().unwrap();
        let state = trained(config, &training, 0);
        let manifest = Manifest::new("run", &state.progress, None, Origin::default());
        let manifest = write(folder.path(), &state.decoder, None, manifest, FILE_BYTES).unwrap();
        (folder, manifest)
    });
    let bytes = |manifest: &Manifest| -> u64 {
        let tables = manifest.files.iter();
        let tables = tables.filter(|file| file.name.starts_with("table-"));
        tables.map(|file| file.bytes).sum()
    };
    let values = single.cost().unwrap().params_table;
    // Headers differ by the name of the format, and are aligned to 8 bytes.
    let (saved, files) = (bytes(&of_single.1) - bytes(&of_half.1), 3);
    assert!(saved.abs_diff(2 * values) <= 8 * files, "{saved}");
    let read = |(folder, manifest): &(tempfile::TempDir, Manifest), config| {
        read_weights(folder.path(), manifest, config, &Device::flex().autodiff())
    };
    assert!(read(&of_half, &half).is_ok());
    let error = read(&of_single, &half).err().unwrap().to_string();
    assert!(
        error.contains("its tensor values is in f32, that of the model in bf16"),
        "{error}"
    );
}
