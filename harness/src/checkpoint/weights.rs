//! Saved weights of finished runs: one burnpack file with the decoder's parameters and its value tables.
//!
//! Value tables are not part of the decoder's module, which excludes them from autodiff and from the dense optimizer.
//! The file stores them as separate parameters, each shared table once.

use std::path::{Path, PathBuf};

use architectures::{ConfigError, Decoder, HasBuffers, ModelConfig};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// An error in saving or loading weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be written or read.
    #[error("cannot {action} weights {}: {detail}; {remedy}", .path.display())]
    File {
        /// The operation, such as `write`.
        action: &'static str,
        /// The file of weights.
        path: PathBuf,
        /// The cause.
        detail: String,
        /// How to correct it.
        remedy: &'static str,
    },
    /// The model cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

#[derive(Module, Debug)]
struct Saved {
    decoder: Decoder,
    tables: Vec<Param<Tensor<2>>>,
    buffers: Vec<Param<Tensor<1>>>,
}

impl Saved {
    fn of(decoder: Decoder, device: &Device) -> Self {
        let tables = decoder.tables().into_iter();
        let tables = tables.map(|table| Param::from_tensor(table.values()));
        let buffers = decoder.buffers().into_iter();
        let buffers = buffers.map(|buffer| {
            let values = Tensor::<1>::from_floats(buffer.values().as_slice(), device);
            Param::from_tensor(values)
        });
        Self {
            tables: tables.collect(),
            buffers: buffers.collect(),
            decoder,
        }
    }
}

/// Writes the weights of `decoder` to `file` atomically.
///
/// # Errors
/// If the file or its folder cannot be written.
pub fn save(decoder: &Decoder, file: &Path) -> Result<(), WeightsError> {
    let failed = |detail: String| WeightsError::File {
        action: "write",
        path: file.to_owned(),
        detail,
        remedy: "check that the folder is writable and has free space",
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
    let saved = Saved::of(decoder.clone(), &Device::flex());
    let partial = file.with_extension("partial.bpk");
    saved
        .save_file(&partial)
        .map_err(|error| failed(error.to_string()))?;
    std::fs::rename(&partial, file).map_err(|error| failed(error.to_string()))
}

/// The decoder of `config` with the weights in `file`, without autodiff.
///
/// # Errors
/// If the file is missing or does not fit `config`, or if the model cannot be built.
pub fn load(config: &ModelConfig, file: &Path, device: &Device) -> Result<Decoder, WeightsError> {
    let failed = |detail: String| WeightsError::File {
        action: "read",
        path: file.to_owned(),
        detail,
        remedy: "delete the run's records and run the sweep again",
    };
    if !file.is_file() {
        return Err(failed("no such file".to_owned()));
    }
    let decoder = Decoder::new(config, 0, device)?;
    let loaded = Saved::of(decoder, device)
        .try_load_file(file)
        .map_err(|error| failed(error.to_string()))?;
    for (table, values) in loaded.decoder.tables().into_iter().zip(loaded.tables) {
        table.set_values(values.val());
    }
    for (buffer, values) in loaded.decoder.buffers().into_iter().zip(loaded.buffers) {
        buffer.set_values(values.val().into_data().iter::<f32>().collect());
    }
    Ok(loaded.decoder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use architectures::Pass;
    use burn::tensor::Int;

    #[test]
    fn a_loaded_decoder_has_the_logits_of_the_saved_one() {
        let folder = tempfile::tempdir().unwrap();
        let device = Device::flex();
        for block in [
            r#"{"kind": "peer", "keys": {"n_keys": 4, "top_k": 2}}"#,
            r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}, "gate": true, "shared_values": true}"#,
            r#"{"kind": "mixture_of_experts", "n_experts": 2}"#,
            r#"{"kind": "deepseek_moe", "n_experts": 3, "top_k": 1}"#,
            r#"{"kind": "ultra_mem", "n_keys": 4, "top_k": 2}"#,
            r#"{"kind": "engram", "n_rows": 11}"#,
        ] {
            let config: ModelConfig = serde_json::from_str(&format!(
                r#"{{"decoder": {{"vocab_size": 30, "d_model": 8, "n_layers": 3, "n_heads": 2, "seq_len": 8}},
                     "blocks": [{{"block": {block}, "placement": "all"}}]}}"#
            ))
            .unwrap();
            let logits = |decoder: &Decoder| {
                let tokens = Tensor::<2, Int>::from_data([[1, 2, 3, 4]], &device);
                decoder.forward(tokens, &mut Pass::evaluation()).into_data()
            };
            let decoder = Decoder::new(&config, 7, &device).unwrap();
            for buffer in decoder.buffers() {
                buffer.set_values(buffer.values().iter().map(|value| value + 0.25).collect());
            }
            let file = folder.path().join("weights").join("run.bpk");
            save(&decoder, &file).unwrap();
            let loaded = load(&config, &file, &device).unwrap();
            assert_eq!(logits(&decoder), logits(&loaded));
            assert_ne!(
                logits(&decoder),
                logits(&Decoder::new(&config, 0, &device).unwrap())
            );
            assert_eq!(
                std::fs::read_dir(folder.path().join("weights"))
                    .unwrap()
                    .count(),
                1
            );
        }
    }

    #[test]
    fn errors_name_a_missing_or_foreign_file() {
        let folder = tempfile::tempdir().unwrap();
        let config: ModelConfig = serde_json::from_str(
            r#"{"decoder": {"vocab_size": 30, "d_model": 8, "n_layers": 1, "n_heads": 2, "seq_len": 8}, "blocks": []}"#,
        )
        .unwrap();
        let file = folder.path().join("run.bpk");
        let message = |file: &Path| {
            load(&config, file, &Device::flex())
                .unwrap_err()
                .to_string()
        };
        assert!(message(&file).contains("run.bpk: no such file"));
        std::fs::write(&file, "not a burnpack").unwrap();
        assert!(message(&file).contains("run.bpk"));
    }
}
