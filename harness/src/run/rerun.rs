//! A recorded run, built again from its row alone, and compared with the record bit for bit.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use experiment::budget::{Tokens, TrainingBudget};
use experiment::plan::{Run, RunLabel, Tuning};
use results::{EvaluationRow, ItemRow, Records, RunRow, ScoreRow, StepRow};
use suites::Dataset;

use super::data::dataset;
use super::execute::RunOutcome;
use super::identity::{RunConfiguration, run_id};
use crate::error::Error;
use crate::record::folders::Folders;
use crate::record::provenance::Provenance;

/// A recorded run.
pub struct RecordedRun {
    /// Its row.
    pub row: RunRow,
    /// Folder of its records.
    pub records: PathBuf,
    /// Its configuration.
    pub configuration: RunConfiguration,
}

impl RecordedRun {
    /// The recorded run whose name starts with `prefix`, among all sweeps under `output`.
    ///
    /// # Errors
    /// If there is none or more than one, rows cannot be read, or the row is of another run format.
    pub fn find(prefix: &str, output: &Path) -> Result<Self, Error> {
        let invalid = |problem: String, remedy: &str| Error::Argument {
            argument: prefix.to_owned(),
            problem,
            remedy: remedy.to_owned(),
        };
        let mut found: Vec<(PathBuf, RunRow)> = Vec::new();
        for folder in Folders::new(output, "").all_records() {
            for row in Records::open(&folder)?.read::<RunRow>()? {
                if row.run.starts_with(prefix)
                    && found.iter().all(|(_, other)| other.run != row.run)
                {
                    found.push((folder.clone(), row));
                }
            }
        }
        if found.len() > 1 {
            let problem = format!("is the prefix of {} runs' names", found.len());
            return Err(invalid(problem, "give a longer prefix"));
        }
        let Some((records, row)) = found.pop() else {
            let problem = format!("is no prefix of a run recorded under {}", output.display());
            let remedy = "give a name from the column `run` of the records, or --output";
            return Err(invalid(problem, remedy));
        };
        let configuration = RunConfiguration::parse(&row.config).map_err(|problem| {
            invalid(problem, "build the commit of the row, and rerun it there")
        })?;
        Ok(Self {
            row,
            records,
            configuration,
        })
    }

    /// The run of the recorded configuration.
    ///
    /// # Errors
    /// If the configuration is invalid.
    pub fn run(&self) -> Result<Run, Error> {
        let configuration = &self.configuration;
        let cost = configuration.model.cost()?;
        let batch = configuration.training.batch_size * configuration.model.decoder.seq_len;
        let tokens = (configuration.steps * batch) as Tokens;
        Ok(Run {
            label: RunLabel {
                size: configuration.size.clone(),
                block: configuration.block.clone(),
                seed: configuration.seed,
            },
            size: configuration.size.clone(),
            matching: configuration.matching.clone(),
            model: configuration.model.clone(),
            data: configuration.data.clone(),
            training: configuration.training.clone(),
            cost,
            budget: TrainingBudget {
                steps: configuration.steps,
                tokens,
                target_flops: self.row.target_flops,
                train_flops: tokens as f64 * cost.training() as f64,
            },
            matches: Vec::new(),
            tuning: Tuning {
                settings: configuration.tuned.clone(),
                ..Tuning::default()
            },
        })
    }

    /// The data of the run, which are those that its name states.
    ///
    /// # Errors
    /// If the data cannot be prepared, or are others.
    pub fn dataset(&self, run: &Run, cache: &Path) -> Result<Dataset, Error> {
        let data = &self.configuration.data;
        let tokens = run.stream_tokens();
        let dataset = dataset(data, tokens, cache, &mut |_| ControlFlow::Continue(()))?;
        if run_id(&self.row.config, &dataset) == self.row.run {
            return Ok(dataset);
        }
        let (row, tokenizer) = (&self.row, dataset.tokenizer.fingerprint());
        let differing = [
            (
                "data",
                row.data_fingerprint.as_str(),
                dataset.fingerprint.as_str(),
            ),
            ("tokenizer", row.tokenizer_fingerprint.as_str(), tokenizer),
        ];
        let differing = differing
            .iter()
            .filter(|(_, recorded, own)| recorded != own);
        let differing =
            differing.map(|(name, recorded, own)| format!("{name} {recorded}, here {own}"));
        Err(Error::Argument {
            argument: row.run.clone(),
            problem: format!(
                "cannot be built again: its name states other inputs ({})",
                differing.collect::<Vec<_>>().join("; ")
            ),
            remedy: format!("build commit {}, and rerun it there", row.commit),
        })
    }

    /// Recorded inputs that differ from those of this program, as `name: recorded, here own`.
    pub fn differing_inputs(&self, own: &Provenance, device: &str, threads: usize) -> Vec<String> {
        let row = &self.row;
        let threads = threads.to_string();
        let changed = |dirty: bool| {
            if dirty {
                "with changes"
            } else {
                "without changes"
            }
        };
        let inputs = [
            ("commit", row.commit.clone(), own.commit.as_str()),
            (
                "working tree",
                changed(row.dirty).to_owned(),
                changed(own.dirty),
            ),
            ("versions", row.version.clone(), own.version.as_str()),
            ("lock file", row.lock_file.clone(), own.lock_file.as_str()),
            ("device", row.device.clone(), device),
            ("threads", row.threads.to_string(), threads.as_str()),
            (
                "instruction set",
                row.instruction_set.clone(),
                own.instruction_set.as_str(),
            ),
            ("processor", row.processor.clone(), own.processor.as_str()),
        ];
        let differing = inputs.iter().filter(|(_, recorded, own)| recorded != own);
        differing
            .map(|(name, recorded, own)| format!("{name}: {recorded}, here {own}"))
            .collect()
    }

    /// Where the new result differs from the record; empty if all bits are equal.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn differences(
        &self,
        outcome: &RunOutcome,
        records: &Records,
    ) -> Result<Vec<String>, Error> {
        let (row, run) = (&self.row, self.row.run.as_str());
        let recorded = Records::open(&self.records)?;
        let mut differences = Vec::new();
        if let Some(step) = first_differing_step(
            &recorded.read_run::<StepRow>(run)?,
            &records.read_run::<StepRow>(run)?,
        ) {
            differences.push(step);
        }
        for (name, recorded, own) in [
            ("training loss", row.train_loss, outcome.train_loss),
            ("validation loss", row.val_loss, outcome.val_loss),
        ] {
            if recorded.to_bits() != own.to_bits() {
                differences.push(format!("{name} {own}, recorded {recorded}"));
            }
        }
        if row.weights_hash != outcome.weights_hash {
            differences.push("final weights".to_owned());
        }
        // Published benchmarks are no part of a run, and are not evaluated again.
        let evaluations: Vec<EvaluationRow> = recorded.read_run(run)?;
        let is_own = |suite: &str| evaluations.iter().all(|row| row.task != suite);
        let items = differing(&recorded, records, run, |row: &ItemRow| is_own(&row.suite))?;
        let scores = differing(&recorded, records, run, |row: &ScoreRow| is_own(&row.suite))?;
        for (name, count) in [("items", items), ("scores", scores)] {
            if count > 0 {
                differences.push(format!("{count} {name}"));
            }
        }
        Ok(differences)
    }
}

/// The first recorded step whose loss or gradient norms differ.
fn first_differing_step(recorded: &[StepRow], own: &[StepRow]) -> Option<String> {
    let bits = |row: &StepRow| {
        let val_loss = row.val_loss.map(f64::to_bits);
        let norms = (row.grad_norm.to_bits(), row.table_grad_norm.to_bits());
        (row.step, row.loss.to_bits(), val_loss, norms)
    };
    if recorded.len() != own.len() {
        return Some(format!(
            "{} recorded steps, here {}",
            recorded.len(),
            own.len()
        ));
    }
    let mut pairs = recorded.iter().zip(own);
    let (recorded, own) = pairs.find(|(recorded, own)| bits(recorded) != bits(own))?;
    Some(format!(
        "first step {}: loss {}, recorded {}",
        own.step, own.loss, recorded.loss
    ))
}

/// Number of compared rows of a kind that are not equal in both records.
fn differing<R: results::Row + std::fmt::Debug>(
    recorded: &Records,
    own: &Records,
    run: &str,
    is_compared: impl Fn(&R) -> bool,
) -> Result<usize, Error> {
    let (mut recorded, own) = (recorded.read_run::<R>(run)?, own.read_run::<R>(run)?);
    recorded.retain(is_compared);
    // Rows of a run have NaN in places, which equals itself in text.
    let text = |row: &R| format!("{row:?}");
    let pairs = recorded.iter().zip(&own);
    let unequal = pairs.filter(|(recorded, own)| text(recorded) != text(own));
    Ok(unequal.count() + recorded.len().abs_diff(own.len()))
}
