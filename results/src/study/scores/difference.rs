//! Differences between two blocks, paired by item and seed.

use crate::RunRow;
use crate::statistics::{Interval, paired_difference};

use super::{SEED, Suite, missing};
use crate::study::{BlockAtRung, Study};

/// A paired difference of accuracies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// The difference with its confidence interval.
    pub interval: Interval,
    /// Seeds that both blocks have.
    pub seeds: usize,
}

/// Accuracy of `ours` minus that of `theirs`, each on its own rung: a difference of shares in [-1, 1].
///
/// # Errors
/// Why there is none: other data or training settings, no seed in common, a run without a score on one of several suites,
/// or no item in common.
pub fn accuracy_difference(
    study: &Study,
    suites: &[&Suite],
    ours: BlockAtRung,
    theirs: BlockAtRung,
) -> Result<PairedDifference, String> {
    if !study.same_training(&[ours, theirs]) {
        return Err(format!(
            "{} and {} have other data or training settings",
            ours.0, theirs.0
        ));
    }
    let others = study.at(theirs);
    let same = |run: &&RunRow| others.iter().copied().find(|other| other.seed == run.seed);
    let mut pairs: Vec<(&RunRow, &RunRow)> = study
        .at(ours)
        .into_iter()
        .filter_map(|run| Some((run, same(&run)?)))
        .collect();
    match suites {
        // With one suite a seed without its items is dropped; with several suites it is an error, as the items would differ.
        [suite] => pairs.retain(|(run, other)| {
            [run, other]
                .iter()
                .all(|run| !study.items(run, suite.name).is_empty())
        }),
        _ => {
            let runs: Vec<&RunRow> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
            if let Some(missing) = missing(study, suites, &runs) {
                return Err(missing.to_string());
            }
        }
    }
    let answers = |run: &RunRow| {
        suites
            .iter()
            .flat_map(|suite| study.items(run, suite.name))
            .copied()
            .collect()
    };
    let seeds: Vec<_> = pairs
        .iter()
        .map(|(run, other)| (answers(run), answers(other)))
        .collect();
    let interval =
        paired_difference(&seeds, SEED).ok_or("the items cannot be paired by item and seed")?;
    Ok(PairedDifference {
        interval,
        seeds: pairs.len(),
    })
}
