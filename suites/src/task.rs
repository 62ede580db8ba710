//! Suites, tasks and items: what is trained on and what is asked.

use std::collections::HashMap;
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

/// Items that are scored together.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Unique within its suite.
    pub name: String,
    /// How an answer is judged.
    pub metric: Metric,
    /// In a fixed order.
    pub items: Vec<Item>,
    /// Score of the best answer that ignores the question.
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
    /// Reference answer. It starts with white space, so prompt and answer tokenize apart as they do together.
    pub expected: String,
    /// log2 of the number of values that were equally likely when the fact was drawn, where that is defined.
    pub prior_bits: Option<f64>,
    /// Hidden inputs, for functions.
    pub check: Option<ProgramCheck>,
}

/// Share of the most common expected answer within each group, over all items: what always giving the group's
/// favourite would score.
pub(crate) fn majority<'a>(groups: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<f64> {
    let mut counts: HashMap<&str, HashMap<&str, usize>> = HashMap::new();
    let mut total = 0;
    for (group, value) in groups {
        *counts.entry(group).or_default().entry(value).or_default() += 1;
        total += 1;
    }
    let best: usize = counts
        .values()
        .filter_map(|values| values.values().max())
        .sum();
    (total > 0).then(|| best as f64 / total as f64)
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
    fn majority_is_the_share_of_the_favourite_of_each_group() {
        assert_eq!(
            majority([("a", "x"), ("a", "x"), ("a", "y"), ("b", "y")]),
            Some(0.75)
        );
        assert_eq!(majority([]), None);
    }
}
