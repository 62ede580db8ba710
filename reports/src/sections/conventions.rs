//! How the numbers on the page are to be read.

use maud::{Markup, html};
use results::statistics::RESAMPLES;

use crate::study::Study;

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
                ". It covers the choice of items, not the choice of seed."
            }
            dt { "Accuracy, several seeds" }
            dd { "Mean over seeds and items; pigeonhole bootstrap, which draws seeds and items with replacement." }
            dt { "Difference to dense" }
            dd {
                "Paired by item and seed: the same bootstrap on the differences. No correction is made for looking at "
                "several blocks; the more blocks, the more likely that one stands out by chance."
            }
            dt { "Resampling" }
            dd { (RESAMPLES) " resamples, percentile intervals at 95 %, fixed seed: the page is a function of its rows." }
            dt { "Parameters" }
            dd {
                "Table: rows that a token reads a few of. Dense: all others. Active: what takes part in the forward pass of "
                "one token."
            }
        }
    }
}
