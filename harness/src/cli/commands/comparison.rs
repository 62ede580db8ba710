//! The table of results at the end of a sweep: one row per run in the order of the plan, one column per suite.

use experiment::plan::{Plan, Run};
use experiment::quantity::count;
use harness::record::run_row::FINISHED;
use results::{Frames, RunRow, SHARE_METRICS, ScoreRow, WHOLE_SUITE};

use super::terminal_table::{TerminalTable, terminal_table};

/// Validation loss, accuracy of each suite with its confidence interval, and throughput of every recorded run.
pub fn comparison(plan: &Plan, frames: &Frames) -> TerminalTable {
    let suites = suites(frames);
    let header: Vec<String> = ["size", "block", "seed", "val loss"]
        .map(str::to_owned)
        .into_iter()
        .chain(
            suites
                .iter()
                .map(|(suite, metric)| format!("{suite} {metric}")),
        )
        .chain(["tokens/s".to_owned()])
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = plan.runs.iter().filter_map(|run| {
        let row = frames.runs().iter().find(|row| has_label_of(row, run))?;
        Some(cells(row, &suites, frames))
    });
    terminal_table(&header, 2, rows.collect())
}

fn has_label_of(row: &RunRow, run: &Run) -> bool {
    let label = &run.label;
    row.size == label.size && row.block == label.block && row.seed == label.seed
}

fn cells(row: &RunRow, suites: &[(String, String)], frames: &Frames) -> Vec<String> {
    let mut cells = vec![row.size.clone(), row.block.clone(), row.seed.to_string()];
    if row.status != FINISHED {
        cells.push(row.status.clone());
        cells.resize(suites.len() + 5, "-".to_owned());
        return cells;
    }
    cells.push(format!("{:.3}", row.val_loss));
    cells.extend(suites.iter().map(|(suite, metric)| {
        let score = accuracies(frames)
            .find(|score| score.run == row.run && &score.suite == suite && &score.metric == metric);
        score.map_or("-".to_owned(), percent)
    }));
    cells.push(count(row.tokens_per_s));
    cells
}

fn percent(score: &ScoreRow) -> String {
    if score.value.is_nan() {
        return score.status.clone();
    }
    let [value, low, high] = [score.value, score.low, score.high].map(|share| 100.0 * share);
    format!("{value:.1} % [{low:.1}, {high:.1}]")
}

fn accuracies(frames: &Frames) -> impl Iterator<Item = &ScoreRow> {
    let whole = frames
        .scores()
        .iter()
        .filter(|score| score.task == WHOLE_SUITE);
    whole.filter(|score| SHARE_METRICS.contains(&score.metric.as_str()))
}

fn suites(frames: &Frames) -> Vec<(String, String)> {
    let mut suites: Vec<_> = accuracies(frames)
        .map(|score| (score.suite.clone(), score.metric.clone()))
        .collect();
    suites.sort();
    suites.dedup();
    suites
}
