//! The gain of a block: how much more compute, or how many more parameters, dense would need to be as good.

use maud::{Markup, html};
use results::gains::{CostAxis, Gain, TokensToScore};

use crate::table::Table;
use results::number::{NONE, fixed, percent, prefixed};
use results::study::Measure;
use results::study::block_gains::{READING, Reason, gain, gain_text};
use results::study::scores::Suite;
use results::study::{Study, tokens_to_dense};

pub fn body(study: &Study, suites: &[Suite]) -> Markup {
    let table = gains(study, suites);
    if table.is_empty() {
        return html! { p.none { "No block finished beside dense, so there is no gain." } };
    }
    let tokens = tokens(study);
    html! {
        p {
            "A gain is the cost at which dense reaches a block's score, relative to the cost of the block. Dense's curve is \
                interpolated between its own runs, "
            "linearly in the logarithm of cost; it is not extrapolated, and outside it a gain is a \
                bound (≥ or ≤). "
            "Brackets are 95\u{a0}% intervals, whose ends can be bounds, too. A gain compares at equal score: where \
                dense's curve is flat, a "
            "small difference is a large gain with a wide interval. The gain in time is that by which dense's training would have to last longer, in \
             seconds of training of these implementations on this device; its interval is that of the scores, at the mean times."
        }
        p.note {
            "Parameters are " (READING.label()) ". Dense's larger sizes were also trained longer where budgets grow \
                with size, so "
            "the parameter-equivalent gain is relative to these budgets. Intervals are not corrected for multiple \
                comparisons."
        }
        (table)
        h3 { "Tokens to reach dense's final loss" }
        @if tokens.is_empty() {
            p.none { "No validation loss was recorded during training." }
        } @else {
            p {
                "Tokens after which a block's validation loss first was as low as dense's at the end, at the same \
                    size and budget, and "
                "their share of the tokens that dense was trained on. One entry for each seed. The learning rate decays to the \
                    end of each run, so that a loss in "
                "the middle of a run is higher than that of a run that ended there."
            }
            (tokens)
        }
    }
}

fn gains(study: &Study, suites: &[Suite]) -> Table {
    let mut table = Table::new("Gains in compute, time and parameters")
        .text("Block")
        .text("Size")
        .text("By")
        .number("× compute")
        .number("× time")
        .number("× parameters")
        .number("Items")
        .number("Seeds")
        .prose("Remarks");
    for rung in study.rungs.iter().rev() {
        let blocks = study
            .blocks
            .iter()
            .filter(|block| !study.is_reference(block));
        table.group();
        for block in blocks.filter(|block| !study.finished(block, rung).is_empty()) {
            for measure in Measure::ALL {
                if measure != Measure::Loss && measure.suites(suites).is_empty() {
                    continue;
                }
                let of = |axis| gain(study, suites, measure, axis, (block, rung));
                let (compute, params) = (of(CostAxis::Flops), of(CostAxis::Params(READING)));
                let time = of(CostAxis::Seconds);
                let known = compute.as_ref().or(params.as_ref()).ok();
                table.row([
                    (*block).to_owned(),
                    rung.label.clone(),
                    measure.words().to_owned(),
                    gain_text(&compute),
                    gain_text(&time),
                    gain_text(&params),
                    match measure {
                        Measure::Loss => NONE.into(),
                        _ => known.map_or(NONE.into(), |gain| gain.items.to_string()),
                    },
                    study.finished(block, rung).len().to_string(),
                    remarks([&compute, &time, &params]),
                ]);
            }
        }
    }
    table
}

/// Remarks on the gains, each once; that ≥ and ≤ are bounds is explained above the table.
fn remarks(gains: [&Result<Gain, Reason>; 3]) -> String {
    let mut once: Vec<String> = Vec::new();
    for gain in gains {
        let words = match gain {
            Ok(gain) if gain.interval.is_none() => format!("no interval: {}", gain.method),
            Ok(gain) if gain.flattened => "dense was worse on a more expensive rung".to_owned(),
            Ok(_) => continue,
            Err(reason) => reason.clone(),
        };
        if !once.contains(&words) {
            once.push(words);
        }
    }
    once.join("; ")
}

fn tokens(study: &Study) -> Table {
    let mut table = Table::new("Tokens to dense's final loss")
        .text("Block")
        .text("Size")
        .number("Dense's loss")
        .number("Dense's tokens")
        .text("Reached")
        .number("Share of dense's tokens, %");
    for of in tokens_to_dense(study).iter().rev() {
        table.group();
        for (block, seeds) in &of.blocks {
            let share = |one: &TokensToScore| match one {
                TokensToScore::Before(tokens) => format!("≤ {}", percent(tokens / of.dense_tokens)),
                TokensToScore::At(tokens) => percent(tokens / of.dense_tokens),
                TokensToScore::Never { .. } | TokensToScore::Unmeasured => NONE.into(),
            };
            let joined = |texts: Vec<String>| texts.join("; ");
            table.row([
                (*block).to_owned(),
                of.rung.label.clone(),
                fixed(of.dense_loss, 4),
                prefixed(of.dense_tokens),
                joined(seeds.iter().map(ToString::to_string).collect()),
                joined(seeds.iter().map(share).collect()),
            ]);
        }
    }
    table
}
