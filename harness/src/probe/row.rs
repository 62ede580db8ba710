//! Rows of probes, and their names.

use architectures::{DecoderConfig, FLOP_CONVENTION, NumericFormat, Part};
use results::ProbeRow;
use serde::Serialize;

use super::grid::ProbedPart;
use super::need;
use super::part_timer::Timed;
use super::peaks::Peaks;
use super::phase::Phase;
use super::repeats::PassSeconds;
use super::traffic;
use crate::error::Error;
use crate::record::provenance::Provenance;
use crate::run::identity::{RunId, hash};
use experiment::memory_need::Bytes;

/// Version of the measurement; to be raised whenever an equal part would give other work.
const FORMAT: u32 = 1;

/// `ProbeRow::status` of a part that was not measured for lack of memory or time.
pub const SKIPPED: &str = "skipped";
/// `ProbeRow::basis` of a part.
pub const MEASURED: &str = "measured";
/// `ProbeRow::basis` of a whole model.
pub const DERIVED: &str = "derived";

/// Values that are equal in all rows of one command.
pub struct ProbeRowContext {
    /// The sweep as given on the command line.
    pub sweep: String,
    /// Labels of blocks, which `--only` accepts.
    pub labels: Vec<String>,
    /// Tokens of one pass.
    pub tokens: usize,
    /// Commit and versions of this build.
    pub provenance: Provenance,
    /// Name of the device.
    pub device: String,
    /// Number of worker threads.
    pub threads: usize,
}

impl ProbeRowContext {
    /// The name of a part's row: a hash of labels, shape, phase, device, threads and the version of the harness. The
    /// commit is excluded, since any change of the sources would invalidate all measurements.
    ///
    /// # Errors
    /// If the part cannot be serialised.
    pub fn id(&self, part: &ProbedPart, phase: Phase) -> Result<RunId, Error> {
        let labels = (part.size.as_str(), part.block.as_str());
        let format = part.decoder.numeric_format;
        self.subject_id(labels, format, phase, (&part.kind, &part.decoder))
    }

    /// The name of the row of `subject`, a part or a model in `format`, with the labels of a size and a block.
    ///
    /// # Errors
    /// If `subject` cannot be serialised.
    pub fn subject_id<T: Serialize>(
        &self,
        (size, block): (&str, &str),
        format: NumericFormat,
        phase: Phase,
        subject: T,
    ) -> Result<RunId, Error> {
        #[derive(Serialize)]
        struct ProbeIdentity<'a, T> {
            format: u32,
            numeric_format: &'static str,
            version: &'static str,
            size: &'a str,
            block: &'a str,
            phase: String,
            device: &'a str,
            threads: usize,
            tokens: usize,
            subject: T,
        }
        let identity = toml::to_string(&ProbeIdentity {
            format: FORMAT,
            numeric_format: format.name(),
            version: env!("CARGO_PKG_VERSION"),
            size,
            block,
            phase: phase.to_string(),
            device: &self.device,
            threads: self.threads,
            tokens: self.tokens,
            subject,
        })?;
        Ok(hash([&identity]))
    }

    /// The row of a part that was not measured.
    ///
    /// # Arguments
    /// * `started`: the time of the attempt, RFC 3339.
    ///
    /// # Errors
    /// If the part cannot be serialised.
    pub fn unmeasured(
        &self,
        part: &ProbedPart,
        phase: Phase,
        (status, reason): (&str, &str),
        peaks: Option<Peaks>,
        started: &str,
    ) -> Result<ProbeRow, Error> {
        let cost = part.cost();
        let per_pass = bytes_of(&part.kind, &part.decoder, phase, self.tokens);
        Ok(ProbeRow {
            run: self.id(part, phase)?,
            size: part.size.clone(),
            block: part.block.clone(),
            table_slots: part.slots(),
            phase: phase.to_string(),
            basis: MEASURED.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            d_model: part.decoder.d_model as u64,
            tokens: self.tokens as u64,
            repeats: 0,
            seconds: f64::NAN,
            seconds_low: f64::NAN,
            seconds_high: f64::NAN,
            tokens_per_s: f64::NAN,
            flops: phase.flops(&cost) as f64,
            bytes: per_pass / self.tokens as f64,
            flop_per_s: f64::NAN,
            bytes_per_s: f64::NAN,
            peak_flop_per_s: peaks.map_or(f64::NAN, |peaks| peaks.flop_per_s),
            peak_bytes_per_s: peaks.map_or(f64::NAN, |peaks| peaks.bytes_per_s),
            peak_memory_bytes: 0,
            needed_memory_bytes: self.need(part, phase),
            params_dense: cost.params_dense,
            params_table: cost.params_table,
            flop_convention: FLOP_CONVENTION.to_owned(),
            numeric_format: part.decoder.numeric_format.name().into(),
            device: self.device.clone(),
            threads: self.threads as u64,
            commit: self.provenance.commit.clone(),
            dirty: self.provenance.dirty,
            version: self.provenance.version.clone(),
            started: started.to_owned(),
            command: self.command(&part.size, &part.block),
        })
    }

    /// The row of a part that was measured.
    ///
    /// # Errors
    /// If the part cannot be serialised.
    pub fn measured(
        &self,
        part: &ProbedPart,
        phase: Phase,
        timed: &Timed,
        peaks: Peaks,
        started: &str,
    ) -> Result<ProbeRow, Error> {
        let finished = (crate::record::run_row::FINISHED, "");
        let row = self.unmeasured(part, phase, finished, Some(peaks), started)?;
        Ok(ProbeRow {
            peak_memory_bytes: timed.peak_memory_bytes,
            ..timed_row(row, PassSeconds::of(&timed.seconds))
        })
    }

    /// Expected memory need of a part, in bytes.
    pub fn need(&self, part: &ProbedPart, phase: Phase) -> Bytes {
        let (cost, d_model) = (part.cost(), part.decoder.d_model);
        let format = part.decoder.numeric_format;
        need::bytes(&cost, (1, d_model), format, phase, self.tokens as u64)
    }

    /// The command that measures a part again, with all parts of the same size and block.
    pub fn command(&self, size: &str, block: &str) -> String {
        let only = match self.labels.iter().any(|label| label == block) {
            true => format!(" --only {block}"),
            false => String::new(),
        };
        format!(
            "isoflop probe {} --size {size}{only} --tokens {} --threads {} --device {} --again",
            self.sweep, self.tokens, self.threads, self.device
        )
    }
}

/// `row` with the times of its passes and the rates that follow from them.
pub fn timed_row(row: ProbeRow, seconds: PassSeconds) -> ProbeRow {
    let tokens_per_s = row.tokens as f64 / seconds.median;
    ProbeRow {
        repeats: seconds.repeats,
        seconds: seconds.median,
        seconds_low: seconds.low,
        seconds_high: seconds.high,
        tokens_per_s,
        flop_per_s: row.flops * tokens_per_s,
        bytes_per_s: row.bytes * tokens_per_s,
        ..row
    }
}

fn bytes_of(kind: &Part, decoder: &DecoderConfig, phase: Phase, tokens: usize) -> f64 {
    traffic::bytes(kind, decoder, phase, tokens as u64) as f64
}
