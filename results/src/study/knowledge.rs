//! Bits of knowledge stored: per parameter, and in total.

use super::scores::is_scored;
use super::{Rung, Study, mean};
use crate::statistics::{Interval, mean_over_seeds};
use crate::{RunRow, ScoreRow, WHOLE_SUITE};

const PER_PARAMETER: &str = "bits_per_parameter";
const IN_TOTAL: &str = "bits_known";

/// What stored bits were measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnowledgeTask<'a> {
    /// Name of the suite.
    pub suite: &'a str,
    /// Name of the task, or [`WHOLE_SUITE`].
    pub task: &'a str,
}

/// The suites that measured stored bits; the tasks of a suite only where the suite as a whole has no score, since they
/// count the same knowledge.
pub fn knowledge_tasks<'a>(study: &Study<'a>) -> Vec<KnowledgeTask<'a>> {
    let scores = study.frames.scores().iter();
    let mut tasks: Vec<KnowledgeTask> = scores
        .filter(|score| score.metric == PER_PARAMETER && is_scored(score))
        .map(|score| KnowledgeTask {
            suite: &score.suite,
            task: &score.task,
        })
        .collect();
    tasks.sort_unstable();
    tasks.dedup();
    let whole: Vec<&str> = tasks
        .iter()
        .filter(|of| of.task == WHOLE_SUITE)
        .map(|of| of.suite)
        .collect();
    tasks.retain(|of| of.task == WHOLE_SUITE || !whole.contains(&of.suite));
    tasks
}

/// Total parameters of a block on a rung, and bits stored per parameter: means over the seeds. None where nothing was
/// measured.
pub fn bits_per_parameter(
    study: &Study,
    of: KnowledgeTask,
    block: &str,
    rung: &Rung,
) -> Option<(f64, f64)> {
    let runs = study.finished(block, rung);
    let bits: Vec<f64> = runs
        .iter()
        .filter_map(|run| value(study, of, PER_PARAMETER, &run.run))
        .collect();
    (!bits.is_empty()).then(|| {
        let params = mean(&runs, |run| run.params_total as f64);
        (params, mean_over_seeds(&bits).value)
    })
}

/// Bits that a block knows of all facts together on a rung, for each seed, by seed. Negative where its loss is above that of a
/// uniform guess.
pub fn bits_known(study: &Study, of: KnowledgeTask, block: &str, rung: &Rung) -> Vec<(u64, f64)> {
    let runs = study.finished(block, rung);
    let bits = |run: &&RunRow| Some((run.seed, value(study, of, IN_TOTAL, &run.run)?));
    runs.iter().filter_map(bits).collect()
}

/// What a block knows at one size and budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Active parameters, mean over seeds.
    pub active: f64,
    /// Parameters in tables, likewise.
    pub in_tables: f64,
    /// Bits known, over seeds.
    pub bits: Interval,
}

/// What a block knows on a rung; none where it was not measured.
pub fn known(study: &Study, of: KnowledgeTask, block: &str, rung: &Rung) -> Option<Known> {
    let bits = bits_known(study, of, block, rung).into_iter();
    let bits: Vec<f64> = bits.map(|(_, bits)| bits).collect();
    let runs = study.finished(block, rung);
    (!bits.is_empty()).then(|| Known {
        active: mean(&runs, |run| run.params_active as f64),
        in_tables: mean(&runs, |run| run.params_table as f64),
        bits: mean_over_seeds(&bits),
    })
}

fn value(study: &Study, of: KnowledgeTask, metric: &str, run: &str) -> Option<f64> {
    let of_run = |score: &&ScoreRow| {
        score.run == run
            && (score.suite.as_str(), score.task.as_str()) == (of.suite, of.task)
            && score.metric == metric
            && is_scored(score)
    };
    let score = study.frames.scores().iter().find(of_run);
    score.map(|score| score.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;
    use crate::claims::tests::rows::{frames, seeded};

    #[test]
    fn the_whole_suite_replaces_its_tasks_and_seeds_are_averaged() {
        let runs = [seeded(1, "dense", 0), seeded(1, "dense", 1)].map(|run| (run, 100));
        let all = frames(runs.to_vec(), vec![]);
        let bits = |task: &str, suite: &str| {
            let rows = all.scores().iter().enumerate();
            rows.map(|(place, row)| ScoreRow {
                suite: suite.into(),
                task: task.into(),
                metric: PER_PARAMETER.into(),
                value: 1.0 + place as f64,
                ..row.clone()
            })
            .collect::<Vec<_>>()
        };
        let scores = [
            bits("recall", "a"),
            bits(WHOLE_SUITE, "a"),
            bits("recall", "b"),
        ]
        .concat();
        let frames = Frames::new(all.runs().to_vec(), vec![], scores, vec![], vec![]);
        let study = Study::new(&frames);
        let task = |suite, task| KnowledgeTask { suite, task };
        assert_eq!(
            knowledge_tasks(&study),
            [task("a", WHOLE_SUITE), task("b", "recall")]
        );
        let of = |block| bits_per_parameter(&study, task("a", WHOLE_SUITE), block, &study.rungs[0]);
        assert_eq!(of("dense"), Some((2e6, 1.5)));
        assert_eq!(of("memory"), None);
    }
}
