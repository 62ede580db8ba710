//! The row of a run: configuration, cost, results and provenance.

use architectures::{FLOP_CONVENTION, ModelConfig};
use results::RunRow;
use suites::Dataset;

use crate::record::provenance::Provenance;
use crate::record::shell::{quoted, sweep_arguments};
use crate::run::execute::RunOutcome;
use experiment::plan::Run;
use experiment::sweep_file::Sweep;

/// `RunRow::status` of a run that was trained and evaluated.
pub const FINISHED: &str = "finished";
/// `RunRow::status` of a run that ended with an error.
pub const FAILED: &str = "failed";

/// Values that are equal in the rows of all runs of one command.
pub struct RunRowContext<'a> {
    /// The sweep that the runs belong to.
    pub sweep: &'a Sweep,
    /// The command that executes the runs: `sweep` or `tune`.
    pub command: &'a str,
    /// Commit and versions of this build.
    pub provenance: Provenance,
    /// Name of the device.
    pub device: String,
    /// Number of worker threads.
    pub threads: usize,
}

impl RunRowContext<'_> {
    /// The row of a run that failed.
    ///
    /// # Arguments
    /// * `started`: start of the run, RFC 3339.
    /// * `steps`, `reason`: recorded training steps, and the message of the error.
    pub fn failed(
        &self,
        run: &Run,
        (id, configuration): (&str, &str),
        dataset: &Dataset,
        started: &str,
        (steps, reason): (u64, &str),
    ) -> RunRow {
        let (label, cost, budget) = (&run.label, &run.cost, &run.budget);
        let format = run.model.decoder.numeric_format;
        let tokens = budget.tokens / budget.steps as u64 * steps;
        RunRow {
            run: id.to_owned(),
            sweep: self.sweep.name.clone(),
            size: label.size.clone(),
            block: label.block.clone(),
            block_kind: block_kind(&run.model),
            block_options: match serde_json::to_string(&run.model.blocks) {
                Ok(options) => options,
                Err(error) => panic!("the blocks' configuration has no JSON form: {error}"),
            },
            seed: label.seed,
            status: FAILED.to_owned(),
            reason: reason.to_owned(),
            matching: run.matching.clone(),
            target_flops: budget.target_flops,
            train_flops: tokens as f64 * cost.training() as f64,
            tokens,
            epoch_tokens: dataset.epoch_tokens,
            epochs: tokens as f64 / dataset.epoch_tokens as f64,
            steps,
            d_model: run.model.decoder.d_model as u64,
            n_layers: run.model.decoder.n_layers as u64,
            params_dense: cost.params_dense,
            params_table: cost.params_table,
            params_active: cost.params_active,
            params_total: cost.params(),
            forward_matmul_flops: cost.matmul as f64,
            forward_attention_flops: cost.attention as f64,
            forward_lookup_flops: cost.lookup as f64,
            bytes_gathered: cost.bytes_gathered as f64,
            train_loss: f64::NAN,
            val_loss: f64::NAN,
            val_tokens: 0,
            tokens_per_s: f64::NAN,
            flop_per_s: f64::NAN,
            flop_convention: FLOP_CONVENTION.to_owned(),
            numeric_format: format.name().into(),
            peak_memory_bytes: crate::process::peak_memory::bytes(),
            train_wall_s: f64::NAN,
            eval_wall_s: f64::NAN,
            table_bytes: cost.params_table * format.bytes(),
            commit: self.provenance.commit.clone(),
            dirty: self.provenance.dirty,
            version: self.provenance.version.clone(),
            config: configuration.to_owned(),
            data_fingerprint: dataset.fingerprint.clone(),
            tokenizer_fingerprint: dataset.tokenizer.fingerprint().to_owned(),
            device: self.device.clone(),
            threads: self.threads as u64,
            instruction_set: self.provenance.instruction_set.clone(),
            processor: self.provenance.processor.clone(),
            lock_file: self.provenance.lock_file.clone(),
            weights_hash: String::new(),
            resumes: 0,
            skipped_steps: 0,
            started: started.to_owned(),
            command: self.command(run),
        }
    }

    /// The row of a run that started at `started` and finished.
    pub fn finished(
        &self,
        run: &Run,
        (id, configuration): (&str, &str),
        dataset: &Dataset,
        started: &str,
        outcome: &RunOutcome,
    ) -> RunRow {
        RunRow {
            status: FINISHED.to_owned(),
            train_loss: outcome.train_loss,
            val_loss: outcome.val_loss,
            val_tokens: outcome.val_tokens,
            tokens_per_s: outcome.tokens as f64 / outcome.train_wall_s,
            flop_per_s: run.budget.train_flops / outcome.train_wall_s,
            peak_memory_bytes: outcome.peak_memory_bytes,
            train_wall_s: outcome.train_wall_s,
            eval_wall_s: outcome.eval_wall_s,
            weights_hash: outcome.weights_hash.clone(),
            resumes: outcome.resumes,
            skipped_steps: outcome.skipped_steps,
            ..self.failed(
                run,
                (id, configuration),
                dataset,
                started,
                (run.budget.steps as u64, ""),
            )
        }
    }

    /// The command that repeats this run only.
    fn command(&self, run: &Run) -> String {
        let (sweep, label) = (sweep_arguments(self.sweep), &run.label);
        let (size, block) = (quoted(&label.size), quoted(&label.block));
        // The size of a trial is none of the sweep file.
        if self.command == "tune" {
            let (threads, device) = (self.threads, &self.device);
            return format!(
                "isoflop tune {sweep} --only {block} --threads {threads} --device {device}"
            );
        }
        format!(
            "isoflop sweep {sweep} --only {block} --size {size} --seed {} --threads {} --device {}",
            label.seed, self.threads, self.device
        )
    }
}

/// The kinds of the blocks of `model`, joined by ` + `; `dense` without any.
fn block_kind(model: &ModelConfig) -> String {
    let kinds: Vec<&str> = model
        .blocks
        .iter()
        .map(|placed| placed.block.kind())
        .collect();
    match kinds.is_empty() {
        true => "dense".to_owned(),
        false => kinds.join(" + "),
    }
}
