//! Definitions of the numbers on the page.

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
    let formats = study.frames.runs().iter();
    let formats = distinct(formats.map(|run| run.numeric_format.as_str()).collect());
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
            dt { "Number format" }
            dd {
                "Of matrix products and value tables: " (formats) ". Sums, norms, routers, softmax, the loss and the "
                "optimizer of dense parameters are in f32."
            }
            dt { "Loss" }
            dd { "Cross-entropy on the held-out set in nats per token; with several seeds their mean." }
            dt { "Accuracy, one seed" }
            dd {
                "The suite's own interval"
                @if !methods.is_empty() { " (" (methods) ")" }
                ". It covers the choice of items, not the choice of seed, and assumes independent items: where several "
                "are about one subject, such as six facts about a person, it is too narrow."
            }
            dt { "Accuracy, several seeds" }
            dd {
                "Mean over seeds and items. Its half-width is the root of the sum of two squared half-widths: "
                "Student's t over the seeds' means, and Student's t over subjects, with the items about one subject "
                "as one cluster. It is cut to [0, 1]; where all seeds agree in every item it is Wilson's interval of one seed. With two or three seeds it is wide, because the "
                "variance over seeds is poorly estimated."
            }
            dt { "Difference to dense" }
            dd {
                "Paired by item and seed. With one seed a bootstrap over subjects, each with all its "
                "items, no narrower than Tango's score interval, and including zero unless an exact sign test of the subjects that "
                "differ has p below 0.05; it does not cover variation over seeds. With several seeds the interval for several seeds above, on the "
                "differences. Intervals are not corrected for multiple comparisons over blocks, suites and sizes. "
                "Runs on other data, with another tokenizer or with other "
                "training settings are not compared."
            }
            dt { "Difference in loss" }
            dd { "Paired by seed, Student's t over seeds. With one seed there is no interval, and no claim." }
            dt { "Questions and recall" }
            dd {
                "A suite of facts asks questions in a phrasing that was not trained on; the facts were, but not the "
                "questions about them. The suite of the same name with \u{201c}recall\u{201d} has statements completed in a "
                "phrasing that was trained on. Questions measure use of the facts, recall measures their storage."
            }
            dt { "Resampling" }
            dd { (RESAMPLES) " resamples of a bootstrap, percentile intervals at 95 %, with a fixed seed: the page is a function of its rows." }
            dt { "Parameters" }
            dd {
                "Table: value tables, of which a token reads a few rows. Dense: all others. Active: those used in the forward pass of "
                "one token."
            }
        }
    }
}
