//! The suites that scored, and the rows behind their headline metrics.

use std::f64::consts::LN_2;

use crate::{ItemRow, RunRow, SHARE_METRICS, ScoreRow, WHOLE_SUITE};

use crate::study::Study;

/// The headline metric of the suites that evaluate facts stated in the training documents.
///
/// Rows have no column for the kind of a suite. Every suite of facts, question or recall, compares an answer with the one
/// expected text; other suites have other metrics, such as `pass@1` for programs, and cannot be pooled with them, nor can
/// published benchmarks, whose facts may not be in the training documents.
const FACTS_METRIC: &str = "exact_match";

/// Ending of the names of recall suites, which evaluate statements in a phrasing that was trained on.
const RECALL: &str = " recall";

/// A suite with at least one score, and its headline metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite<'a> {
    /// Name of the suite; of recall, with the word `recall`.
    pub name: &'a str,
    /// Name of its metric.
    pub metric: &'a str,
    /// Score of the majority guess, or of chance.
    pub baseline: Option<f64>,
    /// Whether it is a published benchmark.
    pub is_published: bool,
}

impl<'a> Suite<'a> {
    /// Whether it evaluates statements in a phrasing that was trained on, rather than questions in a new one.
    pub fn is_recall(&self) -> bool {
        self.name.ends_with(RECALL)
    }

    /// Whether it evaluates facts, as questions or as recall.
    pub fn is_about_facts(&self) -> bool {
        self.metric == FACTS_METRIC && !self.is_published
    }

    /// What the baseline is called.
    pub fn baseline_name(&self) -> &'static str {
        match (self.is_published, self.metric) {
            (true, "acc") => "chance",
            (true, _) => "most common answer",
            (false, _) => "majority guess",
        }
    }

    /// The name without its ending, which a suite and its recall suite share.
    pub fn subject(&self) -> &'a str {
        base(self.name)
    }
}

fn base(name: &str) -> &str {
    name.strip_suffix(RECALL).unwrap_or(name)
}

/// Mean loss in nats of the tokens that carry a fact, over the items of one run on recall suites; none without an item.
pub fn answer_loss(items: &[ItemRow]) -> Option<f64> {
    let recalled = items.iter().filter(|item| item.suite.ends_with(RECALL));
    let nats: Vec<f64> = recalled.map(|item| item.answer_nll_bits * LN_2).collect();
    (!nats.is_empty()).then(|| nats.iter().sum::<f64>() / nats.len() as f64)
}

/// The suites by name, each directly followed by its recall suite.
pub fn suites<'a>(study: &Study<'a>) -> Vec<Suite<'a>> {
    let scores = study.frames.scores();
    let mut names: Vec<&str> = scores.iter().map(|score| score.suite.as_str()).collect();
    names.sort_unstable_by_key(|name| (base(name), name.len()));
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let scored = |metric: &&&str| {
                scores
                    .iter()
                    .any(|s| s.suite == name && s.metric == **metric && is_scored(s))
            };
            let metric = *SHARE_METRICS.iter().find(scored)?;
            let rows = scores
                .iter()
                .filter(|s| s.suite == name && s.metric == metric && is_scored(s));
            Some(Suite {
                name,
                metric,
                baseline: pooled(whole(rows.collect()), |s| s.baseline),
                is_published: study
                    .frames
                    .evaluations()
                    .iter()
                    .any(|own| own.task == name),
            })
        })
        .collect()
}

/// Accuracy of the majority guess over several suites, weighted by their items in `run`; 0 where it is unknown.
pub fn guess_accuracy(study: &Study, suites: &[&Suite], run: &RunRow) -> f64 {
    let items = |suite: &&&Suite| study.items(run, suite.name).len() as f64;
    let total: f64 = suites.iter().map(|suite| items(&suite)).sum();
    let guessed = |suite: &&Suite| suite.baseline.unwrap_or(0.0) * items(&suite);
    if total > 0.0 {
        suites.iter().map(guessed).sum::<f64>() / total
    } else {
        0.0
    }
}

/// The headline rows of a run: the one for the whole suite, or those of its tasks.
pub fn rows<'a>(study: &Study<'a>, suite: &Suite, run: &RunRow) -> Vec<&'a ScoreRow> {
    let of_run = |s: &&ScoreRow| {
        s.run == run.run && s.suite == suite.name && s.metric == suite.metric && is_scored(s)
    };
    whole(study.frames.scores().iter().filter(of_run).collect())
}

fn whole(rows: Vec<&ScoreRow>) -> Vec<&ScoreRow> {
    if rows.iter().any(|score| score.task == WHOLE_SUITE) {
        return rows
            .into_iter()
            .filter(|score| score.task == WHOLE_SUITE)
            .collect();
    }
    rows
}

/// The mean weighted by items; none unless every row has the number.
fn pooled(rows: Vec<&ScoreRow>, of: impl Fn(&ScoreRow) -> Option<f64>) -> Option<f64> {
    let total: f64 = rows.iter().map(|score| score.n as f64).sum();
    let sum = rows
        .iter()
        .map(|score| Some(of(score)? * score.n as f64))
        .sum::<Option<f64>>()?;
    (total > 0.0).then(|| sum / total)
}

/// Whether a score is finite and was not skipped.
pub fn is_scored(score: &ScoreRow) -> bool {
    score.status == "scored" && score.value.is_finite()
}
