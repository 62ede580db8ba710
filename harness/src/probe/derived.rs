//! Time of whole models, estimated from their parts without building them.
//!
//! The time of a pass is the sum of the times of the parts, each times its number in the model. The estimate neglects
//! overheads between parts, and counts one table update per layer even if layers share a table.

use architectures::LayerConfig;
use std::collections::HashMap;

use results::ProbeRow;

use super::grid::{self, ProbedModel, ProbedPart};
use super::need;
use super::phase::Phase;
use super::repeats::PassSeconds;
use super::row::{DERIVED, ProbeRowContext, SKIPPED, timed_row};
use crate::error::Error;
use crate::record::run_row::FINISHED;

/// The row of a whole model, or `None` if a part has no row yet. Its status is skipped if a part is not finished.
///
/// # Arguments
/// * `all`: all models of the sweep, which determine the labels of the parts.
/// * `rows`: rows of parts by name.
///
/// # Errors
/// If the model is invalid or cannot be serialised.
pub fn row(
    target: &ProbedModel,
    all: &[ProbedModel],
    phase: Phase,
    row_context: &ProbeRowContext,
    rows: &HashMap<String, ProbeRow>,
) -> Result<Option<ProbeRow>, Error> {
    let mut parts: Vec<(ProbedPart, f64, &ProbeRow)> = Vec::new();
    for (part, count) in grid::model_parts(target, all) {
        let Some(row) = rows.get(&row_context.id(&part, phase)?) else {
            return Ok(None);
        };
        parts.push((part, count as f64, row));
    }
    // Provenance and peaks are those of the part that started last, so that equal rows of parts give an equal row.
    let Some((_, _, last)) = parts.iter().max_by_key(|(_, _, row)| &row.started) else {
        return Ok(None);
    };
    let sum = |of: fn(&ProbeRow) -> f64| parts.iter().map(|(_, n, row)| n * of(row)).sum::<f64>();
    let (cost, decoder) = (target.model.cost()?, &target.model.decoder);
    let (d_model, layers) = (decoder.d_model, decoder.n_layers);
    let labels = (target.size.as_str(), target.block.as_str());
    let format = decoder.numeric_format;
    let tokens = row_context.tokens as u64;
    let base = ProbeRow {
        run: row_context.subject_id(labels, decoder.numeric_format, phase, &target.model)?,
        size: target.size.clone(),
        block: target.block.clone(),
        table_slots: target
            .layers
            .iter()
            .flat_map(LayerConfig::blocks)
            .map(|block| grid::slots(block, decoder))
            .max()
            .unwrap_or(0),
        phase: phase.to_string(),
        basis: DERIVED.to_owned(),
        d_model: d_model as u64,
        tokens,
        flops: phase.flops(&cost) as f64,
        bytes: sum(|row| row.bytes),
        peak_memory_bytes: 0,
        needed_memory_bytes: need::bytes(&cost, (layers, d_model), format, phase, tokens),
        params_dense: cost.params_dense,
        params_table: cost.params_table,
        command: row_context.command(&target.size, &target.block),
        ..(*last).clone()
    };
    let unfinished = parts.iter().find(|(_, _, row)| row.status != FINISHED);
    let (status, reason, seconds) = match unfinished {
        Some((part, _, row)) => {
            let reason = format!("its part {part} is {}: {}", row.status, row.reason);
            (SKIPPED, reason, PassSeconds::of(&[]))
        }
        None => {
            let seconds = PassSeconds {
                median: sum(|row| row.seconds),
                low: sum(|row| row.seconds_low),
                high: sum(|row| row.seconds_high),
                repeats: parts
                    .iter()
                    .map(|(_, _, row)| row.repeats)
                    .min()
                    .unwrap_or(0),
            };
            (FINISHED, String::new(), seconds)
        }
    };
    Ok(Some(ProbeRow {
        status: status.to_owned(),
        reason,
        ..timed_row(base, seconds)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::part_timer::Timed;
    use crate::probe::peaks::Peaks;
    use crate::record::provenance::Provenance;
    use experiment::plan::Plan;
    use experiment::sweep_file::Sweep;

    const PEAKS: Peaks = Peaks {
        flop_per_s: 1e9,
        bytes_per_s: 1e9,
    };

    fn row_context() -> ProbeRowContext {
        ProbeRowContext {
            sweep: "f".to_owned(),
            labels: vec!["dense".to_owned()],
            tokens: 8,
            provenance: Provenance::gather(),
            device: "flex".to_owned(),
            threads: 1,
        }
    }

    /// All models, and the rows of the parts of a two-layer model with a memory; part `i` takes `i + 1` seconds.
    fn measured() -> (Vec<ProbedModel>, HashMap<String, ProbeRow>) {
        let plan = Plan::new(Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap()).unwrap();
        let all = grid::targets(&plan, 8).unwrap();
        let row_context = row_context();
        let row = |(index, (part, _)): (usize, (ProbedPart, usize))| {
            let timed = Timed {
                seconds: vec![index as f64 + 1.0],
                peak_memory_bytes: 7,
            };
            let started = format!("200{index}");
            let row = row_context
                .measured(&part, Phase::Step, &timed, PEAKS, &started)
                .unwrap();
            (row.run.clone(), row)
        };
        let parts = grid::model_parts(&all[1], &all).into_iter().enumerate();
        let rows = parts.map(row).collect();
        (all, rows)
    }

    #[test]
    fn the_time_of_a_model_is_the_weighted_sum_of_its_parts() {
        let (all, rows) = measured();
        let row = row(&all[1], &all, Phase::Step, &row_context(), &rows)
            .unwrap()
            .unwrap();
        // Two attention layers, embedding, head, one dense block, one memory.
        assert_eq!(row.seconds, 2.0 * 1.0 + 2.0 + 3.0 + 4.0 + 5.0);
        assert_eq!(
            (row.basis.as_str(), row.status.as_str()),
            (DERIVED, FINISHED)
        );
        let cost = all[1].model.cost().unwrap();
        assert_eq!(row.flops, cost.training() as f64);
        assert_eq!(row.tokens_per_s, 8.0 / 16.0);
        assert_eq!((row.params_table, row.table_slots), (64 * 16, 64));
        assert_eq!((row.peak_memory_bytes, row.started.as_str()), (0, "2004"));
        assert!(!row.command.contains("--only"), "{}", row.command);
    }

    #[test]
    fn a_skipped_part_is_the_reason_of_a_skipped_model() {
        let (all, mut rows) = measured();
        let memory = rows.values_mut().find(|row| row.table_slots == 64).unwrap();
        (memory.status, memory.reason) = (SKIPPED.to_owned(), "needs 9 B of 8 B".to_owned());
        let name = memory.run.clone();
        let of = |rows: &HashMap<String, ProbeRow>| {
            row(&all[1], &all, Phase::Step, &row_context(), rows).unwrap()
        };
        let row = of(&rows).unwrap();
        assert_eq!(row.status, SKIPPED);
        assert_eq!(
            row.reason,
            "its part xs memory 64 slots is skipped: needs 9 B of 8 B"
        );
        assert!(row.seconds.is_nan() && row.tokens_per_s.is_nan());
        rows.remove(&name);
        assert_eq!(of(&rows), None);
    }

    #[test]
    fn names_depend_on_phase_device_and_shape() {
        let (all, _) = measured();
        let part = |index: usize| grid::model_parts(&all[index], &all)[0].0.clone();
        let on_cpu = row_context();
        let id = |part: &ProbedPart, phase| on_cpu.id(part, phase).unwrap();
        assert_eq!(id(&part(1), Phase::Step), id(&part(0), Phase::Step));
        assert_ne!(id(&part(0), Phase::Step), id(&part(0), Phase::Forward));
        assert_ne!(id(&part(0), Phase::Step), id(&part(2), Phase::Step));
        let on_cuda = ProbeRowContext {
            device: "cuda".to_owned(),
            ..row_context()
        };
        assert_ne!(
            id(&part(0), Phase::Step),
            on_cuda.id(&part(0), Phase::Step).unwrap()
        );
    }
}
