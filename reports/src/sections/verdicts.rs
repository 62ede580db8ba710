//! Whether each block differs from dense, over seeds.

use maud::{Markup, html};

use crate::interval::interval;
use crate::table::Table;
use results::number::fixed;
use results::study::Study;
use results::study::scores::Suite;
use results::study::verdicts::{ALPHA, Quantity, Verdict, verdicts};

pub fn body(study: &Study, suites: &[Suite]) -> Markup {
    let verdicts = verdicts(study, suites, |_, _| true);
    if verdicts.is_empty() {
        return html! {
            p.none {
                "No block has two seeds in common with dense: one seed is no evidence about blocks. Add seeds to the sweep file."
            }
        };
    }
    let mut table = Table::new("Verdicts over seeds")
        .text("Quantity")
        .text("Size")
        .text("Block")
        .number("Seeds")
        .number("Block − dense")
        .number("95 % CI, this number of seeds")
        .number("95 % CI, any number")
        .number("e-value")
        .number("Seeds to go")
        .text("Verdict");
    for quantity in Quantity::ALL {
        table.group();
        for verdict in verdicts
            .iter()
            .filter(|verdict| verdict.quantity == quantity)
        {
            table.row(row(verdict));
        }
    }
    html! {
        p {
            "The difference of each block to dense on the same seeds, and items where there are any. The first interval is Student's t \
             and holds if the number of seeds was chosen beforehand; the second holds however often the results were looked at \
             before seeds were added. An e-value of E rejects “no difference” with an error of at most 1/E at any time. A verdict \
             is corrected for the number of comparisons of this table, "
            (verdicts.len())
            " (Holm): the probability that any is false is at most "
            (fixed(ALPHA * 100.0, 0))
            " %, if differences are about normal over seeds. Seeds to go: until the comparison alone has an e-value of "
            (fixed(1.0 / ALPHA, 0))
            ", if mean and spread stay as they are."
        }
        (table)
    }
}

fn row(verdict: &Verdict) -> [String; 10] {
    let digits = match verdict.quantity {
        Quantity::AnswerLoss | Quantity::ValidationLoss => 3,
        Quantity::Recall | Quantity::Questions => 1,
    };
    let range = |interval: &results::statistics::Interval| match interval.is_bounded() {
        true => format!(
            "[{}, {}]",
            fixed(interval.low, digits),
            fixed(interval.high, digits)
        ),
        false => "unbounded".to_owned(),
    };
    let words = match (verdict.is_decided, verdict.is_better()) {
        (true, true) => "better than dense",
        (true, false) => "worse than dense",
        (false, _) => "open",
    };
    let to_go = match (verdict.is_decided, verdict.seeds_needed()) {
        (true, _) => "0".to_owned(),
        (false, Some(seeds)) if seeds <= 100.0 => fixed(seeds.ceil(), 0),
        (false, Some(_)) => "> 100".to_owned(),
        (false, None) => results::number::NONE.to_owned(),
    };
    let value = results::statistics::Interval::unbounded(verdict.fixed.value, 0, "");
    let e_value = match verdict.ln_e < 1e6f64.ln() {
        true => fixed(verdict.ln_e.exp(), 1),
        false => "> 1e6".to_owned(),
    };
    [
        verdict.quantity.words().to_owned(),
        verdict.rung.label.clone(),
        verdict.block.to_owned(),
        verdict.differences.len().to_string(),
        interval(&value, digits),
        range(&verdict.fixed),
        range(&verdict.anytime),
        e_value,
        to_go,
        words.to_owned(),
    ]
}
