//! The row of a cell, and its name.

use architectures::{DecoderConfig, FLOP_CONVENTION, Part};
use results::ProbeRow;
use serde::Serialize;

use super::grid::Cell;
use super::need;
use super::part_timer::Timed;
use super::peaks::Peaks;
use super::phase::Phase;
use super::repeats::Seconds;
use super::traffic;
use crate::error::Error;
use crate::record::provenance::Provenance;
use crate::run::identity::{NUMERIC_FORMAT, RunId, hash};
use experiment::memory_need::Bytes;

/// Raised when the same cell would no longer give the same work.
const FORMAT: u32 = 1;

/// `ProbeRow::status` where memory or time were too little.
pub const SKIPPED: &str = "skipped";
/// `ProbeRow::basis` of one part.
pub const MEASURED: &str = "measured";
/// `ProbeRow::basis` of a whole model.
pub const DERIVED: &str = "derived";

/// What is alike for all rows of one command.
pub struct ProbeRowContext {
    /// What the sweep was called by.
    pub sweep: String,
    /// Labels that `--only` knows.
    pub labels: Vec<String>,
    /// Of one pass.
    pub tokens: usize,
    /// Commit and version of this build.
    pub provenance: Provenance,
    /// Name of the device.
    pub device: String,
    /// Worker threads.
    pub threads: usize,
}

impl ProbeRowContext {
    /// The name of a cell's row: of its labels, its shape, its phase, the device, and the version of the harness. Not of
    /// the commit: a changed comment would make every measurement another.
    pub fn id(&self, cell: &Cell, phase: Phase) -> Result<RunId, Error> {
        self.id_of(&cell.size, &cell.block, phase, (&cell.part, &cell.decoder))
    }

    /// The name of anything `subject` that is labelled so.
    pub fn id_of<T: Serialize>(
        &self,
        size: &str,
        block: &str,
        phase: Phase,
        subject: T,
    ) -> Result<RunId, Error> {
        #[derive(Serialize)]
        struct Resolved<'a, T> {
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
        let resolved = toml::to_string(&Resolved {
            format: FORMAT,
            numeric_format: NUMERIC_FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            size,
            block,
            phase: phase.to_string(),
            device: &self.device,
            threads: self.threads,
            tokens: self.tokens,
            subject,
        })?;
        Ok(hash([&resolved]))
    }

    /// The row of a cell that was not measured, begun at `started`.
    pub fn unmeasured(
        &self,
        cell: &Cell,
        phase: Phase,
        (status, reason): (&str, &str),
        peaks: Option<Peaks>,
        started: &str,
    ) -> Result<ProbeRow, Error> {
        let cost = cell.cost();
        let per_pass = bytes_of(&cell.part, &cell.decoder, phase, self.tokens);
        Ok(ProbeRow {
            run: self.id(cell, phase)?,
            size: cell.size.clone(),
            block: cell.block.clone(),
            table_slots: cell.slots(),
            phase: phase.to_string(),
            basis: MEASURED.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            d_model: cell.decoder.d_model as u64,
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
            needed_memory_bytes: self.need(cell, phase),
            params_dense: cost.params_dense,
            params_table: cost.params_table,
            flop_convention: FLOP_CONVENTION.to_owned(),
            device: self.device.clone(),
            threads: self.threads as u64,
            commit: self.provenance.commit.clone(),
            dirty: self.provenance.dirty,
            version: self.provenance.version.clone(),
            started: started.to_owned(),
            command: self.command(&cell.size, &cell.block),
        })
    }

    /// The row of a cell that was measured.
    pub fn measured(
        &self,
        cell: &Cell,
        phase: Phase,
        timed: &Timed,
        peaks: Peaks,
        started: &str,
    ) -> Result<ProbeRow, Error> {
        let finished = (crate::record::run_row::FINISHED, "");
        let row = self.unmeasured(cell, phase, finished, Some(peaks), started)?;
        Ok(ProbeRow {
            peak_memory_bytes: timed.peak_memory_bytes,
            ..timed_row(row, Seconds::of(&timed.seconds))
        })
    }

    /// What a cell is expected to need.
    pub fn need(&self, cell: &Cell, phase: Phase) -> Bytes {
        let (cost, d_model) = (cell.cost(), cell.decoder.d_model);
        need::bytes(&cost, d_model, 1, phase, self.tokens as u64)
    }

    /// The command that repeats a cell, and whatever shares its size and block.
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

/// `row` with the times of its passes and all that follows from them.
pub fn timed_row(row: ProbeRow, seconds: Seconds) -> ProbeRow {
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

fn bytes_of(part: &Part, decoder: &DecoderConfig, phase: Phase, tokens: usize) -> f64 {
    traffic::bytes(part, decoder, phase, tokens as u64) as f64
}
