//! Suites, tasks and items: what is trained on and what is asked.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::functions::ProgramCheck;

/// A corpus and the questions that belong to it.
pub trait Suite: Send + Sync {
    /// Lower-case name, as in the sweep file.
    fn name(&self) -> &'static str;

    /// Of everything that determines the texts and the items: equal fingerprints mean equal suites.
    fn fingerprint(&self) -> String;

    /// One pass over what is trained on. Phrasing is drawn by (seed, pass, entity), so passes differ.
    fn documents(&self, pass: u64) -> Vec<String>;

    /// Fixed documents that no pass contains, for the validation loss.
    fn held_out_documents(&self) -> Vec<String>;

    /// What is asked.
    fn tasks(&self) -> Vec<Task>;
}

/// The task that completes statements as they were trained on. Its answers are reported as a suite of their own,
/// `<suite> recall`: what a model has stored is one thing, answering an unseen question about it another.
pub const RECALL: &str = "recall";

/// Items that are scored together.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Unique within its suite.
    pub name: String,
    /// How an answer is judged.
    pub metric: Metric,
    /// In a fixed order.
    pub items: Vec<Item>,
    /// What an answer that ignores the subject scores on the items: always giving the relation's most common trained
    /// value, or, for functions, the one trained body that passes most checks.
    pub baseline: Option<f64>,
    /// How many facts or functions the items were drawn from: a mean over the items speaks for this many.
    pub population: usize,
}

/// How an answer is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The first line of the answer equals the expected one.
    ExactMatch,
    /// The answered function gives the expected values on inputs that the prompt does not show.
    PassAt1,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExactMatch => "exact_match",
            Self::PassAt1 => "pass@1",
        })
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Unique within its task, equal from run to run, so that answers of two models can be paired.
    pub id: String,
    /// Ends without white space: the answer brings its own.
    pub prompt: String,
    /// Reference answer. It starts with white space, so prompt and answer tokenize apart as they do together. In
    /// training the separator follows it, and so it does where the answer's probability is asked.
    pub expected: String,
    /// log2 of the number of values that were equally likely when the fact was drawn. Only in recall, so that no fact
    /// counts twice, and only where values are drawn uniformly.
    pub prior_bits: Option<f64>,
    /// Hidden inputs, for functions.
    pub check: Option<ProgramCheck>,
}

/// Share of the asked (group, value) pairs that hold their group's most common trained value. Nothing of the asked pairs
/// is known to the guess; among equally common values it takes the one that is alphabetically first.
pub(crate) fn majority<'a>(
    trained: impl IntoIterator<Item = (&'a str, &'a str)>,
    asked: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<f64> {
    let mut counts: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
    for (group, value) in trained {
        *counts.entry(group).or_default().entry(value).or_default() += 1;
    }
    // The values come in alphabetical order, and of equal ones the last is taken, which reversed is the first.
    let favourite = |values: &BTreeMap<&'a str, usize>| {
        let most = values.iter().rev().max_by_key(|&(_, &count)| count);
        most.map(|(&value, _)| value)
    };
    let favourites: HashMap<&str, Option<&str>> = counts
        .iter()
        .map(|(&group, values)| (group, favourite(values)))
        .collect();
    let (mut right, mut total) = (0usize, 0usize);
    for (group, value) in asked {
        right += usize::from(favourites.get(group) == Some(&Some(value)));
        total += 1;
    }
    (total > 0).then(|| right as f64 / total as f64)
}

/// Hash of a suite's settings, its first two passes, its held-out documents and its items.
///
/// Hashing the texts rather than the lists and templates behind them cannot forget an ingredient.
pub(crate) fn fingerprint_of(suite: &dyn Suite, settings: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut feed = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    feed(suite.name());
    feed(settings);
    let trained = (0..2).flat_map(|pass| suite.documents(pass));
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
    fn majority_gives_the_trained_favourite_of_each_group_to_what_is_asked() {
        let trained = [
            ("a", "x"),
            ("a", "x"),
            ("a", "y"),
            ("b", "y"),
            ("b", "x"),
            ("b", "z"),
        ];
        let score = |asked: &[(&'static str, &'static str)]| majority(trained, asked.to_vec());
        assert_eq!(
            score(&[("a", "x"), ("a", "y"), ("a", "y"), ("a", "y")]),
            Some(0.25),
            "the favourite among the asked is no favourite"
        );
        assert_eq!(
            score(&[("b", "x"), ("b", "y"), ("b", "z"), ("a", "x")]),
            Some(0.5),
            "of equals the alphabetically first"
        );
        assert_eq!(score(&[("c", "x")]), Some(0.0), "an unknown group");
        assert_eq!(score(&[]), None);
    }
}
