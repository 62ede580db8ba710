//! Sealed forecasts beside what was measured.

use maud::{Markup, html};

use crate::table::Table;
use results::forecast::Quantity;
use results::forecast::score::{Coverage, Outcome, Scored, coverage, scored};
use results::number::{NONE, fixed, percent, scientific};
use results::study::Study;

pub fn body(study: &Study) -> Markup {
    let scored = scored(study.frames, study.frames.sealed());
    if scored.is_empty() {
        return html! {
            p.none {
                "Nothing was forecast. " code { "isoflop forecast SWEEP --at FLOPS" } " writes forecasts of a budget before it is trained."
            }
        };
    }
    let counted = coverage(&scored);
    html! {
        p {
            "Forecasts were written before their budget was trained, from the budgets below it, and sealed with a hash. They are laws of \
             best size against best size, with Student’s t of the noise between seeds, widened where the law missed the last budget that it \
             rests on. The skill is that over the better of the baselines “as at the last budget” and, for differences, “none”: 1 − CRPS / \
             CRPS of the baseline; positive is better. Blocks of one sweep share seeds, so that their hits are not independent."
        }
        @for sealed in study.frames.sealed() {
            p.note {
                "Forecast of " (scientific(sealed.flops)) " FLOPs, written " (sealed.written) " at commit " (sealed.commit) ", from "
                (sealed.runs) " runs at " (sealed.budgets.len()) " budgets, for means over " (sealed.seeds) " seeds: "
                code { (&sealed.hash[..16.min(sealed.hash.len())]) }
            }
        }
        @if counted.is_empty() {
            p { "None of these budgets has been trained yet." }
        } @else {
            (coverage_table(&counted))
        }
        (table(&scored))
    }
}

fn coverage_table(counted: &[Coverage]) -> Table {
    let mut table = Table::new("Coverage of all forecasts")
        .text("Interval")
        .number("Hits")
        .number("Forecasts")
        .number("Coverage, 95 % CI");
    for one in counted {
        let (low, high) = one.interval;
        table.row([
            format!("{} %", fixed(100.0 * one.share, 0)),
            one.hits.to_string(),
            one.n.to_string(),
            format!(
                "{} % [{}, {}]",
                percent(one.hits as f64 / one.n as f64),
                percent(low),
                percent(high)
            ),
        ]);
    }
    table
}

fn table(scored: &[Scored]) -> Table {
    let mut table = Table::new("Forecast and measurement")
        .number("FLOPs")
        .text("Quantity")
        .text("Block")
        .number("Forecast, 95 %")
        .number("Measured")
        .number("Seeds")
        .text("In it")
        .number("Skill");
    let mut last = None;
    for one in scored {
        let forecast = one.forecast;
        if last != Some((one.sealed.flops.to_bits(), &forecast.block)) {
            table.group();
            last = Some((one.sealed.flops.to_bits(), &forecast.block));
        }
        let digits = if forecast.quantity == Quantity::Recall {
            1
        } else {
            3
        };
        let (low, high) = forecast.distribution.interval(0.95);
        let (measured, seeds, skill) = match one.outcome {
            Outcome::Pending => (
                "not trained yet".to_owned(),
                NONE.to_owned(),
                NONE.to_owned(),
            ),
            Outcome::NoValue => (
                "no finished run".to_owned(),
                "0".to_owned(),
                NONE.to_owned(),
            ),
            Outcome::Measured { value, seeds, crps } => (
                fixed(value, digits),
                seeds.to_string(),
                fixed(1.0 - crps.0 / crps.1, 2),
            ),
        };
        table.row([
            scientific(one.sealed.flops),
            forecast.quantity.words().to_owned(),
            forecast.block.clone(),
            format!(
                "{} [{}, {}]",
                fixed(forecast.distribution.quantile(0.5), digits),
                fixed(low, digits),
                fixed(high, digits)
            ),
            measured,
            seeds,
            match one.is_hit(0.95) {
                Some(true) => "yes",
                Some(false) => "no",
                None => NONE,
            }
            .to_owned(),
            skill,
        ]);
    }
    table
}
