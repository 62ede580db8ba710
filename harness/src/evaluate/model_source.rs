//! The models that `isoflop score` can evaluate: a recorded run, or a folder of weights or a checkpoint of one.

use std::path::{Path, PathBuf};

use architectures::Decoder;
use burn::tensor::Device;
use suites::Tokenizer;

use crate::checkpoint::manifest::{self, Manifest};
use crate::checkpoint::snapshot;
use crate::error::Error;
use crate::record::folders::Folders;
use crate::record::run_selector::select;
use crate::run::rerun::RecordedRun;

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

/// The model that `argument` names: a folder with `state.json`, or a recorded run as `isoflop compare` names it.
///
/// # Errors
/// If there is no such model or more than one, or its weights or data cannot be read.
pub fn load(argument: &str, output: &Path, device: &Device) -> Result<ScoredModel, Error> {
    let folder = Path::new(argument);
    if folder.join(manifest::FILE).is_file() {
        let recorded = RecordedRun::find(&Manifest::read_any(folder)?.run, output)?;
        return read(argument, folder, &recorded, output, device);
    }
    let selected = select(&[argument.to_owned()], output, &|_| true, &[])?;
    let [run] = selected.order.as_slice() else {
        let labels = selected.frames.runs().iter().take(8);
        let labels: Vec<String> = labels
            .map(|row| format!("{}/{}/{}", row.size, row.block, row.seed))
            .collect();
        return Err(Error::Argument {
            argument: argument.to_owned(),
            problem: format!("names {} runs", selected.order.len()),
            remedy: format!("name one, SWEEP:SIZE/BLOCK/SEED: {}", labels.join(", ")),
        });
    };
    let recorded = RecordedRun::find(run, output)?;
    let weights = weights_folder(&recorded);
    if !weights.join(manifest::FILE).is_file() {
        return Err(Error::Argument {
            argument: argument.to_owned(),
            problem: format!("has no weights at {}", weights.display()),
            remedy: "run its sweep here: published records are without weights".to_owned(),
        });
    }
    let row = &recorded.row;
    let name = format!("{}:{}/{}/{}", row.sweep, row.size, row.block, row.seed);
    read(&name, &weights, &recorded, output, device)
}

/// The folder of the weights of a run, beside its records.
fn weights_folder(recorded: &RecordedRun) -> PathBuf {
    let sweep = recorded.records.parent().unwrap_or(Path::new(""));
    sweep.join("weights").join(&recorded.row.run)
}

fn read(
    name: &str,
    folder: &Path,
    recorded: &RecordedRun,
    output: &Path,
    device: &Device,
) -> Result<ScoredModel, Error> {
    let manifest = snapshot::verify(folder, &recorded.row.run)?;
    let model = &recorded.configuration.model;
    let decoder = snapshot::read_weights(folder, &manifest, model, device)?;
    let tokenizer = recorded.tokenizer(&Folders::new(output, "").cache())?;
    Ok(ScoredModel {
        name: name.to_owned(),
        decoder,
        // The separator precedes every document in training.
        start: Some(tokenizer.end()),
        tokenizer,
        space: model.decoder.seq_len,
        weights_hash: manifest.content_hash(),
    })
}
