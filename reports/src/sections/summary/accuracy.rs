//! The sentence about the accuracy on questions, and that about recall.

use results::number::{fixed, percent, signed};
use results::study::scores::PairedDifference;
use results::summary::{AccuracySummary, Ranking, Significance};

use super::selection::selection_note;

/// The words for one kind of suite.
pub struct Words {
    /// With the block as its subject.
    verb: &'static str,
    infinitive: &'static str,
    items: &'static str,
    phrasing: &'static str,
}

pub const QUESTIONS: Words = Words {
    verb: "answers",
    infinitive: "answer",
    items: "questions",
    phrasing: "in an unseen phrasing",
};

pub const RECALL: Words = Words {
    verb: "completes",
    infinitive: "complete",
    items: "statements",
    phrasing: "in a phrasing that was trained on",
};

/// The sentence, without the opening that names the budget.
pub fn sentence(words: &Words, summary: &AccuracySummary) -> String {
    let incomplete: Vec<String> = summary
        .incomplete
        .iter()
        .map(|(block, missing)| format!("{block} ({missing})"))
        .collect();
    let left_out = match incomplete.as_slice() {
        [] => String::new(),
        some => format!(
            " Left out, as not evaluated on everything: {}.",
            some.join(", ")
        ),
    };
    let comparison = match &summary.ranking {
        Some(ranking) => ranked(words, summary, ranking),
        None => format!("no block was evaluated on all of the {}.", words.items),
    };
    comparison + &left_out
}

fn ranked(words: &Words, summary: &AccuracySummary, ranking: &Ranking) -> String {
    let Words {
        verb,
        infinitive,
        items,
        phrasing,
    } = words;
    let of = format!("the {items} of {}", summary.suites.join(" and "));
    let (best, dense, significance, candidates) = match ranking {
        Ranking::WithoutDense { best } => {
            return format!(
                "{} {verb} most of {of} right ({phrasing}): {}\u{a0}%. No dense run finished there to compare with.",
                best.block,
                percent(best.value)
            );
        }
        Ranking::DenseAlone { dense } => {
            return format!(
                "dense {verb} {}\u{a0}% of {of} right ({phrasing}), with no other block to compare it with.",
                percent(*dense)
            );
        }
        Ranking::DenseBest { dense } => {
            return format!(
                "no block {verb} more of {of} right ({phrasing}) than dense: {}\u{a0}%.",
                percent(*dense)
            );
        }
        Ranking::BlockBest {
            best,
            dense,
            significance,
            candidates,
        } => (best, dense, significance, candidates),
    };
    let against = format!(
        "{} {verb} {}\u{a0}% of {of} right ({phrasing}), against {}\u{a0}% for dense",
        best.block,
        percent(best.value),
        percent(*dense),
    );
    let choice = selection_note(*candidates);
    match significance {
        Significance::NoInterval => {
            format!("{against}. The items cannot be paired, so the difference has no interval.")
        }
        Significance::ExcludesZero(difference) => {
            format!("{against}: {}{choice}.", points(difference, items))
        }
        Significance::IncludesZero(difference) => {
            let others = match summary.ahead.as_slice() {
                [] => format!("No block is shown to {infinitive} more than dense."),
                [one] => format!(
                    "Of the others, {one} is ahead of dense by an interval that excludes zero."
                ),
                some => format!(
                    "Of the others, {} are ahead of dense by intervals that exclude zero.",
                    some.join(", ")
                ),
            };
            format!(
                "{against}: {}, which does not exclude zero{choice}. {others}",
                points(difference, items)
            )
        }
    }
}

fn points(difference: &PairedDifference, items: &str) -> String {
    let PairedDifference { interval, seeds } = difference;
    format!(
        "{} points (95\u{a0}% interval {} to {}{})",
        signed(interval.value * 100.0, 1),
        fixed(interval.low * 100.0, 1),
        fixed(interval.high * 100.0, 1),
        match seeds {
            1 => format!(", over {items}; one seed"),
            _ => String::new(),
        },
    )
}
