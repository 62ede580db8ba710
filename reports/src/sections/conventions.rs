//! How the numbers on the page are to be read.

use maud::{Markup, html};
use results::statistics::RESAMPLES;

use results::study::Study;

pub fn body(study: &Study) -> Markup {
    let distinct = |mut values: Vec<&str>| {
        values.retain(|value| !value.trim().is_empty());
        values.sort_unstable();
        values.dedup();
        values.join("; ")
    };
    let flops = distinct(
        study
            .frames
            .runs()
            .iter()
            .map(|run| run.flop_convention.as_str())
            .collect(),
    );
    let methods = distinct(
        study
            .frames
            .scores()
            .iter()
            .map(|score| score.interval.as_str())
            .collect(),
    );
    html! {
        dl {
            dt { "FLOPs" }
            dd { (if flops.is_empty() { "Convention not recorded." } else { &flops }) }
            dt { "Loss" }
            dd { "Cross-entropy on the held-out set in nats per token; with several seeds their mean." }
            dt { "Accuracy, one seed" }
            dd {
                "The interval that the suite computed"
                @if !methods.is_empty() { " (" (methods) ")" }
                ". It covers the choice of items, not the choice of seed, and takes items as independent: where several "
                "ask about one subject, as six facts about a person do, it is too narrow."
            }
            dt { "Accuracy, several seeds" }
            dd {
                "Mean over seeds and items. The interval joins two half-widths by the root of the sum of their squares: "
                "Student's t over the seeds' means, and Student's t over subjects, where the items about one subject count "
                "as one draw. It is cut to the range that a share can have, and where all answers are alike it is Wilson's of one seed. With two or three seeds it is wide, because so "
                "few say little about the next."
            }
            dt { "Difference to dense" }
            dd {
                "Paired by item and seed. With one seed a bootstrap that draws subjects with replacement, each with all its "
                "items, no narrower than Tango's score interval, and reaching zero unless an exact sign test of the subjects that "
                "differ has p below 0.05; it says nothing about other seeds. With several the interval for several seeds above, on the "
                "differences. No correction is made for looking at several blocks, suites and sizes; the more of them, the "
                "more likely that one stands out by chance. Runs on other data, with another tokenizer or with other "
                "training settings are not compared."
            }
            dt { "Difference in loss" }
            dd { "Paired by seed, Student's t over seeds. With one seed there is no interval, and no claim." }
            dt { "Questions and recall" }
            dd {
                "A suite of facts asks questions in a phrasing that was not trained on; the facts were, but not the "
                "questions about them. The suite of the same name with \u{201c}recall\u{201d} has statements completed in a "
                "phrasing that was trained on. The first is using what was learned, the second is having stored it."
            }
            dt { "Resampling" }
            dd { (RESAMPLES) " resamples of a bootstrap, percentile intervals at 95 %, fixed seed: the page is a function of its rows." }
            dt { "Parameters" }
            dd {
                "Table: rows that a token reads a few of. Dense: all others. Active: what takes part in the forward pass of "
                "one token."
            }
        }
    }
}
