//! The models that `isoflop score` can evaluate, by name.
//!
//! | argument | model |
//! |---|---|
//! | `hf:PATH` | a folder of transformers, or one that `isoflop export` wrote |
//! | a folder with `state.json` | weights or a checkpoint of a recorded run |
//! | `quick:l/dense/0`, `4f1c` | a recorded run, as in `isoflop compare` |

use std::path::Path;

use architectures::Decoder;
use burn::tensor::Device;
use suites::Tokenizer;

use crate::checkpoint::manifest;
use crate::error::Error;
use crate::record::trained_run::TrainedRun;

/// Prefix of the folders of other programs.
const FOLDER: &str = "hf:";

/// A model with its tokenizer.
pub struct ScoredModel {
    /// What it is called in tables and files.
    pub name: String,
    /// The decoder, without autodiff.
    pub decoder: Decoder,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// The token that began every training document.
    pub start: Option<u32>,
    /// Most tokens that it reads.
    pub space: usize,
    /// Hash of its weights.
    pub weights_hash: String,
}

/// The model that `argument` names.
///
/// # Errors
/// If there is no such model or more than one, or its weights or tokenizer cannot be read.
pub fn load(argument: &str, output: &Path, device: &Device) -> Result<ScoredModel, Error> {
    if let Some(folder) = argument.strip_prefix(FOLDER) {
        return imported(argument, Path::new(folder), device);
    }
    let folder = Path::new(argument);
    let is_folder = folder.join(manifest::FILE).is_file();
    let run = match is_folder {
        true => TrainedRun::of_folder(folder, output, device)?,
        false => TrainedRun::load(argument, output, device)?,
    };
    let row = &run.recorded.row;
    Ok(ScoredModel {
        name: match is_folder {
            true => argument.to_owned(),
            false => format!("{}:{}/{}/{}", row.sweep, row.size, row.block, row.seed),
        },
        decoder: run.decoder,
        // The separator precedes every document in training.
        start: Some(run.tokenizer.end()),
        tokenizer: run.tokenizer,
        space: run.recorded.configuration.model.decoder.seq_len,
        weights_hash: run.weights_hash,
    })
}

fn imported(name: &str, folder: &Path, device: &Device) -> Result<ScoredModel, Error> {
    let model = interchange::import(folder, device)?;
    Ok(ScoredModel {
        name: name.to_owned(),
        decoder: model.decoder,
        start: model.tokenizer.start(),
        tokenizer: model.tokenizer,
        space: model.model.decoder.seq_len,
        weights_hash: model.fingerprint,
    })
}
