//! `isoflop score`: the metrics of a benchmark for answers that are given.

use std::collections::BTreeMap;
use std::path::Path;

use benchmarks::Benchmark;
use benchmarks::answers;
use benchmarks::judge::{Judge, Metric};
use harness::error::Error;
use harness::evaluate::benchmark_scores::{Scores, differences, scores};
use harness::run::conclusion::Conclusion;

use super::score_output;
use super::tasks::read;
use crate::cli::arguments::ScoreOptions;
use crate::cli::output::note;

/// Judges the answers of a file and prints the metrics.
///
/// # Errors
/// If the task is unknown, its files or the answers cannot be read or used, or programs would have to be run.
pub fn score(options: &ScoreOptions) -> Result<Conclusion, Error> {
    let benchmark = read(&options.task, &options.data)?;
    if benchmark.task.program.is_some() {
        return Err(Error::Argument {
            argument: format!("--task {}", options.task),
            problem: "is judged by running programs, and `score` runs none".to_owned(),
            remedy: "choose a task that is answered by texts or choices: `isoflop tasks`"
                .to_owned(),
        });
    }
    let given = judged(&benchmark, &options.answers)?;
    let judged_items: Vec<(&str, Vec<Metric>)> = benchmark
        .items
        .iter()
        .filter_map(|item| Some((item.group.as_str(), given.get(&item.doc_id)?.clone())))
        .collect();
    let judged_items = judged_items.as_slice();
    if judged_items.is_empty() {
        return Err(Error::Argument {
            argument: format!("--answers {}", options.answers.display()),
            problem: "answers no item".to_owned(),
            remedy: "write one line for each item: docs/guide.md, Tasks".to_owned(),
        });
    }
    let left_out = benchmark.items.len() - judged_items.len();
    if left_out > 0 {
        note(format_args!(
            "{left_out} of {} items have no answer and are left out",
            benchmark.items.len()
        ));
    }
    let n_shot = options.data.shots.unwrap_or(benchmark.task.shots.count);
    let mut all = scores(&benchmark, judged_items, n_shot);
    if let Some(file) = &options.against {
        let others = self::judged(&benchmark, file)?;
        all.extend(differences(&all[0], &given, &others));
    }
    let scores = Scores {
        scores: all,
        items: benchmark.items.len(),
        answered: judged_items.len(),
        has_groups: benchmark.task.group.is_some(),
    };
    score_output::print_scores(&benchmark, &scores, options)?;
    Ok(Conclusion::Complete)
}

/// The metrics of the answers of `file`, by item.
fn judged(benchmark: &Benchmark, file: &Path) -> Result<BTreeMap<usize, Vec<Metric>>, Error> {
    let given = answers::read(file, benchmark)?;
    let judge = Judge::new(benchmark);
    let items = benchmark.items.iter().filter_map(|item| {
        let answer = given.get(&item.doc_id)?;
        Some((item.doc_id, judge.metrics(item, answer)))
    });
    Ok(items.collect())
}
