//! What blocks are compared by: the validation loss, or accuracy on one of the two kinds of suites of facts.

use super::scores::Suite;

/// What a block is compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Validation loss, in nats per token.
    Loss,
    /// Accuracy on the recall suites of facts.
    Recall,
    /// Accuracy on the question suites of facts.
    Questions,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 3] = [Self::Loss, Self::Recall, Self::Questions];

    /// The measure in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Loss => "validation loss",
            Self::Recall => "recall of facts",
            Self::Questions => "questions of facts",
        }
    }

    /// The suites that the accuracy is pooled over; empty for the loss.
    pub fn suites<'s, 'a>(self, suites: &'s [Suite<'a>]) -> Vec<&'s Suite<'a>> {
        let facts = suites.iter().filter(|suite| suite.is_about_facts());
        match self {
            Self::Loss => Vec::new(),
            Self::Recall => facts.filter(|suite| suite.is_recall()).collect(),
            Self::Questions => facts.filter(|suite| !suite.is_recall()).collect(),
        }
    }
}
