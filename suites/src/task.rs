//! Suites, tasks and items.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::functions::ProgramCheck;

/// A corpus and the tasks that belong to it.
pub trait Suite: Send + Sync {
    /// Lower-case name, as in the sweep file.
    fn name(&self) -> &'static str;

    /// Hash of the settings, the texts and the items; suites with equal fingerprints are equal.
    fn fingerprint(&self) -> String;

    /// The training documents of one epoch. Phrasings are drawn by (seed, epoch, entity), so epochs differ.
    fn documents(&self, epoch: u64) -> Vec<String>;

    /// Fixed documents that no epoch contains, for the validation loss.
    fn held_out_documents(&self) -> Vec<String>;

    /// The evaluation tasks.
    fn tasks(&self) -> Vec<Task>;

    /// Whether all its tasks complete statements in trained wording; then they are reported as `<suite> recall`.
    fn is_recall(&self) -> bool {
        false
    }

    /// How often one epoch states its facts; empty for a suite without facts.
    fn exposures(&self) -> Vec<Exposures> {
        Vec::new()
    }
}

/// How often one epoch states the facts of a split in one form.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposures {
    /// `train`: subjects with questions in training; `test`: the others.
    pub split: &'static str,
    /// `statement` or `question`.
    pub form: &'static str,
    /// Number of facts.
    pub facts: usize,
    /// Mean number of documents of one epoch that state a fact.
    pub per_epoch: f64,
    /// Whether every fact is stated equally often in each epoch; otherwise by chance.
    pub equal: bool,
}

/// Name of the task of completing statements in a phrasing of the training documents. It is reported as a separate
/// suite, `<suite> recall`, because storing a fact and answering an unseen question about it are different abilities.
pub const RECALL: &str = "recall";

/// Items that are scored together.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Unique within its suite.
    pub name: String,
    /// Metric by which answers are scored.
    pub metric: Metric,
    /// Items, in a fixed order.
    pub items: Vec<Item>,
    /// Score of answers that do not depend on the subject: the most common trained value of the relation or, for
    /// functions, the trained body that passes the most checks.
    pub baseline: Option<f64>,
    /// Number of facts or functions from which the items were sampled; the mean over the items estimates theirs.
    pub population: usize,
}

/// Metric by which answers are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The first line of the answer equals the expected one.
    ExactMatch,
    /// As [`Self::ExactMatch`], for an answer within a document: a full stop follows it.
    Completion,
    /// Only the probability of the answer is evaluated: it cannot be known from the prompt, and anything may follow.
    Likelihood,
    /// The generated function returns the expected values for arguments that the prompt does not contain, for a single
    /// sample (pass@1, Chen et al. 2021).
    PassAt1,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExactMatch | Self::Completion => "exact_match",
            Self::Likelihood => "likelihood",
            Self::PassAt1 => "pass@1",
        })
    }
}

/// One prompt and its reference answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Unique within its task and equal in every run, so that answers of two models can be paired.
    pub id: String,
    /// Prompt, without trailing white space.
    pub prompt: String,
    /// Reference answer. It starts with white space, so that prompt and answer have the same tokens if they are
    /// tokenized separately. It is followed by the separator in training and when its probability is evaluated.
    pub expected: String,
    /// log2 of the number of equally probable values of the fact; `None` if values are not drawn uniformly, and in
    /// tasks other than recall, so that no fact is counted twice.
    pub prior_bits: Option<f64>,
    /// Hidden test calls; `None` except for functions.
    pub check: Option<ProgramCheck>,
}

/// Fraction of the tested (group, value) pairs whose value is the most common trained value of their group; `None`
/// without tested pairs. Among equally common values the alphabetically first is used, so the guess does not depend on
/// the tested pairs.
pub(crate) fn majority<'a>(
    trained: impl IntoIterator<Item = (&'a str, &'a str)>,
    tested: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<f64> {
    let mut counts: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
    for (group, value) in trained {
        *counts.entry(group).or_default().entry(value).or_default() += 1;
    }
    // `max_by_key` returns the last of equal maxima, which in reverse order is the alphabetically first value.
    let most_common = |values: &BTreeMap<&'a str, usize>| {
        let most = values.iter().rev().max_by_key(|&(_, &count)| count);
        most.map(|(&value, _)| value)
    };
    let guesses: HashMap<&str, Option<&str>> = counts
        .iter()
        .map(|(&group, values)| (group, most_common(values)))
        .collect();
    let (mut correct, mut total) = (0usize, 0usize);
    for (group, value) in tested {
        correct += usize::from(guesses.get(group) == Some(&Some(value)));
        total += 1;
    }
    (total > 0).then(|| correct as f64 / total as f64)
}

/// Hash of a suite's settings, its first two epochs, its held-out documents and its items.
///
/// The texts are hashed rather than the lists and templates from which they are generated, so that no source is
/// omitted. Tasks and settings are hashed in their `Debug` form: a renamed field of [`Task`], [`Item`] or a
/// configuration changes the fingerprint, and with it the names of runs.
pub(crate) fn fingerprint_of(suite: &dyn Suite, settings: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut feed = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    feed(suite.name());
    feed(settings);
    let trained = (0..2).flat_map(|epoch| suite.documents(epoch));
    trained
        .chain(suite.held_out_documents())
        .for_each(|document| feed(&document));
    for task in suite.tasks() {
        feed(&format!("{task:?}"));
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majority_guesses_the_most_common_trained_value_of_each_group() {
        let trained = [
            ("a", "x"),
            ("a", "x"),
            ("a", "y"),
            ("b", "y"),
            ("b", "x"),
            ("b", "z"),
        ];
        let score = |tested: &[(&'static str, &'static str)]| majority(trained, tested.to_vec());
        assert_eq!(
            score(&[("a", "x"), ("a", "y"), ("a", "y"), ("a", "y")]),
            Some(0.25),
            "the most common tested value is not the guess"
        );
        assert_eq!(
            score(&[("b", "x"), ("b", "y"), ("b", "z"), ("a", "x")]),
            Some(0.5),
            "the alphabetically first of equally common ones"
        );
        assert_eq!(score(&[("c", "x")]), Some(0.0), "an unknown group");
        assert_eq!(score(&[]), None);
    }
}
