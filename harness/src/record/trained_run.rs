//! A recorded run with its weights and its tokenizer.

use std::ops::ControlFlow;
use std::path::Path;

use architectures::Decoder;
use burn::tensor::Device;
use suites::Tokenizer;

use super::folders::Folders;
use super::run_selector;
use crate::checkpoint::manifest::Manifest;
use crate::checkpoint::snapshot;
use crate::error::Error;
use crate::run::data::dataset;
use crate::run::rerun::RecordedRun;

/// A trained model of the records.
pub struct TrainedRun {
    /// Its row and configuration.
    pub recorded: RecordedRun,
    /// Its weights, without autodiff.
    pub decoder: Decoder,
    /// Their hash.
    pub weights_hash: String,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
}

impl TrainedRun {
    /// The one run that `argument` selects, as an argument of `isoflop compare` does, among those recorded under `output`.
    ///
    /// # Errors
    /// If `argument` selects no run or several, or the run's weights or tokenizer are missing or are not those of its row.
    pub fn load(argument: &str, output: &Path, device: &Device) -> Result<Self, Error> {
        let invalid = |problem: String, remedy: String| Error::Argument {
            argument: argument.to_owned(),
            problem,
            remedy,
        };
        let selected = run_selector::select(&[argument.to_owned()], output, &|_| true, &[])?.order;
        let [name] = selected.as_slice() else {
            let problem = format!("selects {} runs", selected.len());
            let remedy = format!(
                "name one, SWEEP:SIZE/BLOCK/SEED, or one of {}",
                selected.join(", ")
            );
            return Err(invalid(problem, remedy));
        };
        let recorded = RecordedRun::find(name, output)?;
        let sweep = recorded.records.parent().unwrap_or(output);
        let weights = Folders::new(sweep, "").weights(name);
        if !weights.is_dir() {
            let problem = format!("has no weights in {}", weights.display());
            let remedy = "choose a finished run, or train it: isoflop rerun".to_owned();
            return Err(invalid(problem, remedy));
        }
        Self::read(recorded, &weights, output, device)
    }

    /// The model in `folder`, of the weights or of a checkpoint of a run that is recorded under `output`.
    ///
    /// # Errors
    /// If the files are damaged, or the run or its tokenizer is not that of the records.
    pub fn of_folder(folder: &Path, output: &Path, device: &Device) -> Result<Self, Error> {
        let recorded = RecordedRun::find(&Manifest::read_any(folder)?.run, output)?;
        Self::read(recorded, folder, output, device)
    }

    fn read(
        recorded: RecordedRun,
        weights: &Path,
        output: &Path,
        device: &Device,
    ) -> Result<Self, Error> {
        let manifest = snapshot::verify(weights, &recorded.row.run)?;
        let model = &recorded.configuration.model;
        let decoder = snapshot::read_weights(weights, &manifest, model, device)?;
        let tokenizer = tokenizer(&recorded, &Folders::new(output, "").cache())?;
        Ok(Self {
            recorded,
            decoder,
            weights_hash: manifest.content_hash(),
            tokenizer,
        })
    }
}

/// The tokenizer of a recorded run, from the cache or trained again.
fn tokenizer(recorded: &RecordedRun, cache: &Path) -> Result<Tokenizer, Error> {
    let data = &recorded.configuration.data;
    // One token: the training data are not needed.
    let dataset = dataset(data, 1, cache, &mut |_| ControlFlow::Continue(()))?;
    let (own, row) = (dataset.tokenizer.fingerprint(), &recorded.row);
    if own != row.tokenizer_fingerprint {
        return Err(Error::Argument {
            argument: row.run.clone(),
            problem: format!(
                "was trained with the tokenizer {}, and this program makes {own} of its configuration",
                row.tokenizer_fingerprint
            ),
            remedy: format!("build commit {}", row.commit),
        });
    }
    Ok(dataset.tokenizer)
}
