//! Answers that are programs: run with their tests, and `pass@k`.

use std::collections::BTreeMap;

use sandbox::{Program, ProgramVerdict};

use crate::answers::Answer;
use crate::error::BenchmarkError;
use crate::items::{Benchmark, Item};
use crate::judge::{Metric, pass_at_k};

/// The names of `pass@k` for the `k` that are reported: 1 and powers of two.
const PASS_AT: [(usize, &str); 11] = [
    (1, "pass@1"),
    (2, "pass@2"),
    (4, "pass@4"),
    (8, "pass@8"),
    (16, "pass@16"),
    (32, "pass@32"),
    (64, "pass@64"),
    (128, "pass@128"),
    (256, "pass@256"),
    (512, "pass@512"),
    (1024, "pass@1024"),
];

/// The verdicts on the programs of each item, by `doc_id`.
pub type Verdicts = BTreeMap<usize, Vec<ProgramVerdict>>;

/// Runs all programs of the answers and returns their verdicts.
///
/// # Arguments
/// * `judge`: runs programs and returns as many verdicts, in the same order.
///
/// # Errors
/// If a program cannot be put together, or one was not run in two attempts: it is not wrong, and nothing is scored.
pub fn verdicts<'a>(
    benchmark: &Benchmark,
    answers: impl Iterator<Item = (&'a Item, &'a Answer)>,
    judge: impl Fn(&[Program]) -> Vec<ProgramVerdict>,
) -> Result<Verdicts, BenchmarkError> {
    let failed = |doc_id: usize, problem: String, remedy: &str| BenchmarkError::Files {
        task: benchmark.task.name.clone(),
        problem: format!("item {doc_id}: {problem}"),
        remedy: remedy.to_owned(),
    };
    let (mut items, mut programs) = (Vec::new(), Vec::new());
    for (item, answer) in answers {
        for text in answer.texts() {
            let program = benchmark.program(item, text).map_err(|problem| {
                failed(item.doc_id, problem, "correct the task or the record")
            })?;
            items.push(item.doc_id);
            programs.push(program);
        }
    }
    let mut found = judge(&programs);
    found.resize(
        programs.len(),
        ProgramVerdict::NotRun("no verdict".to_owned()),
    );
    let unrun = |verdict: &ProgramVerdict| matches!(verdict, ProgramVerdict::NotRun(_));
    let again: Vec<usize> = (0..found.len())
        .filter(|&place| unrun(&found[place]))
        .collect();
    if !again.is_empty() {
        let repeated: Vec<Program> = again.iter().map(|&place| programs[place].clone()).collect();
        for (place, verdict) in again.into_iter().zip(judge(&repeated)) {
            found[place] = verdict;
        }
    }
    let mut verdicts = Verdicts::new();
    for (doc_id, verdict) in items.into_iter().zip(found) {
        if unrun(&verdict) {
            let remedy = "run less at once; nothing is scored, because a program that was not run is not wrong";
            return Err(failed(doc_id, verdict.to_string(), remedy));
        }
        verdicts.entry(doc_id).or_default().push(verdict);
    }
    Ok(verdicts)
}

/// The metrics of each item: `pass@k` for 1 and every power of two that no item has fewer programs than.
pub fn metrics(verdicts: &Verdicts) -> BTreeMap<usize, Vec<Metric>> {
    let fewest = verdicts.values().map(Vec::len).min().unwrap_or(0);
    let of = |own: &Vec<ProgramVerdict>| {
        let passed = own.iter().filter(|verdict| verdict.passed()).count();
        let reported = PASS_AT.iter().filter(|(k, _)| *k <= fewest);
        reported
            .filter_map(|&(k, name)| Some((name, pass_at_k(own.len(), passed, k)?)))
            .collect()
    };
    verdicts
        .iter()
        .map(|(doc_id, own)| (*doc_id, of(own)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pass_at_k_is_reported_for_what_every_item_has() {
        let (yes, no) = (ProgramVerdict::Passed, ProgramVerdict::TimedOut);
        let verdicts: Verdicts = [
            (3, vec![yes.clone(), no.clone(), no.clone()]),
            (7, vec![yes.clone(), yes, no.clone(), no]),
        ]
        .into();
        let found = metrics(&verdicts);
        let names: Vec<&str> = found[&7].iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["pass@1", "pass@2"]);
        assert!((found[&3][0].1 - 1.0 / 3.0).abs() < 1e-12);
        // 1 - C(2, 2) / C(4, 2).
        assert!((found[&7][1].1 - 5.0 / 6.0).abs() < 1e-12);
        assert!(metrics(&Verdicts::new()).is_empty());
    }
}
