//! All rows of a sweep in memory, in an order that depends on the rows alone.

use std::collections::HashSet;
use std::path::Path;

use polars::prelude::{CsvWriter, DataFrame, SerWriter};

use crate::export::write_json_lines;
use crate::forecast::Sealed;
use crate::row::sort_and_deduplicate;
use crate::{
    Error, EvaluationRow, ExposureRow, FrameError, InitialWeightsRow, ItemRow, MatchRow, ProbeRow,
    Row, RunRow, ScoreRow, StepRow, TrialRow, UsageRow, WarningRow, atomic_file,
};

/// The tables of a sweep. Rows are validated when they are read, so that access cannot fail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frames {
    runs: Vec<RunRow>,
    steps: Vec<StepRow>,
    scores: Vec<ScoreRow>,
    items: Vec<ItemRow>,
    usage: Vec<UsageRow>,
    matches: Vec<MatchRow>,
    probes: Vec<ProbeRow>,
    warnings: Vec<WarningRow>,
    exposures: Vec<ExposureRow>,
    trials: Vec<TrialRow>,
    evaluations: Vec<EvaluationRow>,
    initial_weights: Vec<InitialWeightsRow>,
    sealed: Vec<Sealed>,
}

impl Frames {
    /// Sorts each table by its key; of rows with equal keys the last is kept.
    pub fn new(
        runs: Vec<RunRow>,
        steps: Vec<StepRow>,
        scores: Vec<ScoreRow>,
        items: Vec<ItemRow>,
        usage: Vec<UsageRow>,
    ) -> Self {
        Self {
            runs: sort_and_deduplicate(runs),
            steps: sort_and_deduplicate(steps),
            scores: sort_and_deduplicate(scores),
            items: sort_and_deduplicate(items),
            usage: sort_and_deduplicate(usage),
            ..Self::default()
        }
    }

    /// The same, with the solver's choices for its runs.
    pub fn with_matches(self, matches: Vec<MatchRow>) -> Self {
        Self {
            matches: sort_and_deduplicate(matches),
            ..self
        }
    }

    /// The same, with probes.
    pub fn with_probes(self, probes: Vec<ProbeRow>) -> Self {
        Self {
            probes: sort_and_deduplicate(probes),
            ..self
        }
    }

    /// The same, with warnings.
    pub fn with_warnings(self, warnings: Vec<WarningRow>) -> Self {
        Self {
            warnings: sort_and_deduplicate(warnings),
            ..self
        }
    }

    /// The same, with exposures.
    pub fn with_exposures(self, exposures: Vec<ExposureRow>) -> Self {
        Self {
            exposures: sort_and_deduplicate(exposures),
            ..self
        }
    }

    /// The same, with trials.
    pub fn with_trials(self, trials: Vec<TrialRow>) -> Self {
        Self {
            trials: sort_and_deduplicate(trials),
            ..self
        }
    }

    /// The same, with what runs were evaluated on.
    pub fn with_evaluations(self, evaluations: Vec<EvaluationRow>) -> Self {
        Self {
            evaluations: sort_and_deduplicate(evaluations),
            ..self
        }
    }

    /// The same, with the models that runs began with.
    pub fn with_initial_weights(self, initial_weights: Vec<InitialWeightsRow>) -> Self {
        Self {
            initial_weights: sort_and_deduplicate(initial_weights),
            ..self
        }
    }

    /// The same, with sealed forecasts, which are no rows of runs.
    pub fn with_sealed(self, sealed: Vec<Sealed>) -> Self {
        Self { sealed, ..self }
    }

    /// The rows of the named runs; probes, which belong to none, are left out.
    pub fn of_runs(&self, names: &HashSet<String>) -> Self {
        Self::default().extended(self, names)
    }

    /// These rows and those of `more` that belong to the named runs.
    pub fn extended(self, more: &Self, names: &HashSet<String>) -> Self {
        fn of<R: Row>(all: Vec<R>, more: &[R], names: &HashSet<String>) -> Vec<R> {
            let added = more.iter().filter(|row| names.contains(row.run()));
            sort_and_deduplicate(all.into_iter().chain(added.cloned()).collect())
        }
        Self {
            runs: of(self.runs, &more.runs, names),
            steps: of(self.steps, &more.steps, names),
            scores: of(self.scores, &more.scores, names),
            items: of(self.items, &more.items, names),
            usage: of(self.usage, &more.usage, names),
            matches: of(self.matches, &more.matches, names),
            probes: self.probes,
            warnings: of(self.warnings, &more.warnings, names),
            exposures: of(self.exposures, &more.exposures, names),
            trials: of(self.trials, &more.trials, names),
            evaluations: of(self.evaluations, &more.evaluations, names),
            initial_weights: of(self.initial_weights, &more.initial_weights, names),
            sealed: self.sealed,
        }
    }

    /// Rows of runs.
    pub fn runs(&self) -> &[RunRow] {
        &self.runs
    }

    /// Rows of training steps.
    pub fn steps(&self) -> &[StepRow] {
        &self.steps
    }

    /// Rows of training steps of `run`, by step.
    pub fn steps_of(&self, run: &str) -> &[StepRow] {
        let start = self.steps.partition_point(|step| step.run.as_str() < run);
        let count = self.steps[start..].partition_point(|step| step.run == run);
        &self.steps[start..start + count]
    }

    /// Rows of scores.
    pub fn scores(&self) -> &[ScoreRow] {
        &self.scores
    }

    /// Rows of evaluated items.
    pub fn items(&self) -> &[ItemRow] {
        &self.items
    }

    /// Rows of slot and expert usage.
    pub fn usage(&self) -> &[UsageRow] {
        &self.usage
    }

    /// Rows of matching targets.
    pub fn matches(&self) -> &[MatchRow] {
        &self.matches
    }

    /// Rows of probes.
    pub fn probes(&self) -> &[ProbeRow] {
        &self.probes
    }

    /// Rows of warnings.
    pub fn warnings(&self) -> &[WarningRow] {
        &self.warnings
    }

    /// Rows of exposures.
    pub fn exposures(&self) -> &[ExposureRow] {
        &self.exposures
    }

    /// Rows of trials.
    pub fn trials(&self) -> &[TrialRow] {
        &self.trials
    }

    /// Rows of evaluations on published benchmarks.
    pub fn evaluations(&self) -> &[EvaluationRow] {
        &self.evaluations
    }

    /// Rows of the models that runs began with.
    pub fn initial_weights(&self) -> &[InitialWeightsRow] {
        &self.initial_weights
    }

    /// Sealed forecasts, in the order in which they were written.
    pub fn sealed(&self) -> &[Sealed] {
        &self.sealed
    }

    /// The tables as Polars frames, each with its name.
    pub fn tables(&self) -> Result<[(&'static str, DataFrame); 12], FrameError> {
        fn table<R: Row>(rows: &[R]) -> Result<(&'static str, DataFrame), FrameError> {
            Ok((R::TABLE, R::to_frame(rows)?))
        }
        Ok([
            table(&self.runs)?,
            table(&self.steps)?,
            table(&self.scores)?,
            table(&self.items)?,
            table(&self.usage)?,
            table(&self.matches)?,
            table(&self.probes)?,
            table(&self.warnings)?,
            table(&self.exposures)?,
            table(&self.trials)?,
            table(&self.evaluations)?,
            table(&self.initial_weights)?,
        ])
    }

    /// Writes `<folder>/<table>.csv` for each table: UTF-8, comma, one header line, null as an empty field.
    pub fn export_csv(&self, folder: &Path) -> Result<(), Error> {
        let tables = self.tables().map_err(|source| Error::Frame {
            file: folder.to_owned(),
            source,
        })?;
        for (name, mut frame) in tables {
            atomic_file::replace(&folder.join(format!("{name}.csv")), |out| {
                CsvWriter::new(out).finish(&mut frame)
            })?;
        }
        Ok(())
    }

    /// Writes `<folder>/<table>.jsonl` for each table, as [`write_json_lines`].
    ///
    /// # Errors
    /// When a file cannot be written; others may have been.
    pub fn export_json_lines(&self, folder: &Path) -> Result<(), Error> {
        write_json_lines(&self.runs, folder)?;
        write_json_lines(&self.steps, folder)?;
        write_json_lines(&self.scores, folder)?;
        write_json_lines(&self.items, folder)?;
        write_json_lines(&self.usage, folder)?;
        write_json_lines(&self.matches, folder)?;
        write_json_lines(&self.probes, folder)?;
        write_json_lines(&self.warnings, folder)?;
        write_json_lines(&self.exposures, folder)?;
        write_json_lines(&self.trials, folder)?;
        write_json_lines(&self.evaluations, folder)?;
        write_json_lines(&self.initial_weights, folder)
    }
}
