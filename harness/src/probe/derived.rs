//! Whole models from their parts: no model is built, and no memory need hold one.
//!
//! A pass of the model takes what passes of its parts take together, each as often as the model has it. What a whole pass
//! would do beyond that is not in it: three layers on one table update it thrice, and waits between parts are left out.

use architectures::LayerConfig;
use std::collections::HashMap;

use results::ProbeRow;

use super::grid::{self, Cell, ProbedModel};
use super::need;
use super::phase::Phase;
use super::repeats::Seconds;
use super::row::{DERIVED, ProbeRowContext, SKIPPED, timed_row};
use crate::error::Error;
use crate::record::run_row::FINISHED;

/// The row of a whole model by the rows of its parts, which `rows` holds by name; none where a part has no row yet.
pub fn row(
    target: &ProbedModel,
    all: &[ProbedModel],
    phase: Phase,
    row_context: &ProbeRowContext,
    rows: &HashMap<String, ProbeRow>,
) -> Result<Option<ProbeRow>, Error> {
    let mut parts: Vec<(Cell, f64, &ProbeRow)> = Vec::new();
    for (cell, count) in grid::parts(target, all) {
        let Some(row) = rows.get(&row_context.id(&cell, phase)?) else {
            return Ok(None);
        };
        parts.push((cell, count as f64, row));
    }
    // Device and version are those of the part measured last, so that the same parts give the same row.
    let Some((_, _, last)) = parts.iter().max_by_key(|(_, _, row)| &row.started) else {
        return Ok(None);
    };
    let sum = |of: fn(&ProbeRow) -> f64| parts.iter().map(|(_, n, row)| n * of(row)).sum::<f64>();
    let (cost, decoder) = (target.model.cost()?, &target.model.decoder);
    let (d_model, layers) = (decoder.d_model, decoder.n_layers);
    let tokens = row_context.tokens as u64;
    let base = ProbeRow {
        run: row_context.id_of(&target.size, &target.block, phase, &target.model)?,
        size: target.size.clone(),
        block: target.block.clone(),
        table_slots: target
            .layers
            .iter()
            .flat_map(LayerConfig::blocks)
            .map(grid::slots)
            .max()
            .unwrap_or(0),
        phase: phase.to_string(),
        basis: DERIVED.to_owned(),
        d_model: d_model as u64,
        tokens,
        flops: phase.flops(&cost) as f64,
        bytes: sum(|row| row.bytes),
        peak_memory_bytes: 0,
        needed_memory_bytes: need::bytes(&cost, d_model, layers, phase, tokens),
        params_dense: cost.params_dense,
        params_table: cost.params_table,
        command: row_context.command(&target.size, &target.block),
        ..(*last).clone()
    };
    let missing = parts.iter().find(|(_, _, row)| row.status != FINISHED);
    let (status, reason, seconds) = match missing {
        Some((cell, _, row)) => {
            let reason = format!("its part {cell} is {}: {}", row.status, row.reason);
            (SKIPPED, reason, Seconds::of(&[]))
        }
        None => {
            let seconds = Seconds {
                median: sum(|row| row.seconds),
                low: sum(|row| row.seconds_low),
                high: sum(|row| row.seconds_high),
                repeats: parts.iter().map(|part| part.2.repeats).min().unwrap_or(0),
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

    /// The memory model of two layers, and its parts' rows; part `i` took `i + 1` seconds.
    fn measured() -> (Vec<ProbedModel>, HashMap<String, ProbeRow>) {
        let plan = Plan::new(Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap()).unwrap();
        let all = grid::targets(&plan, 8).unwrap();
        let row_context = row_context();
        let row = |(index, (cell, _)): (usize, (Cell, usize))| {
            let timed = Timed {
                seconds: vec![index as f64 + 1.0],
                peak_memory_bytes: 7,
            };
            let started = format!("200{index}");
            let row = row_context
                .measured(&cell, Phase::Step, &timed, PEAKS, &started)
                .unwrap();
            (row.run.clone(), row)
        };
        let parts = grid::parts(&all[1], &all).into_iter().enumerate();
        let rows = parts.map(row).collect();
        (all, rows)
    }

    #[test]
    fn a_model_takes_what_its_parts_take_as_often_as_it_has_them() {
        let (all, rows) = measured();
        let row = row(&all[1], &all, Phase::Step, &row_context(), &rows)
            .unwrap()
            .unwrap();
        // Two layers, embedding, head, one dense block, one memory.
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
    fn a_part_that_does_not_fit_is_the_models_reason() {
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
    fn names_tell_phases_devices_and_shapes_apart() {
        let (all, _) = measured();
        let cell = |index: usize| grid::parts(&all[index], &all)[0].0.clone();
        let here = row_context();
        let id = |cell: &Cell, phase| here.id(cell, phase).unwrap();
        assert_eq!(id(&cell(1), Phase::Step), id(&cell(0), Phase::Step));
        assert_ne!(id(&cell(0), Phase::Step), id(&cell(0), Phase::Forward));
        assert_ne!(id(&cell(0), Phase::Step), id(&cell(2), Phase::Step));
        let there = ProbeRowContext {
            device: "cuda".to_owned(),
            ..row_context()
        };
        assert_ne!(
            id(&cell(0), Phase::Step),
            there.id(&cell(0), Phase::Step).unwrap()
        );
    }
}
