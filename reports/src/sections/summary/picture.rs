//! The answer in one figure: the difference of each block to dense, with intervals.

use maud::Markup;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Guide, Point, Series, Style};
use crate::figure::Figure;
use crate::interval::interval;
use crate::table::Table;
use results::study::scores::Suite;
use results::study::verdicts::{Quantity, Verdict, verdicts};
use results::study::{Rung, Study};

/// Most panels: the largest budgets.
const PANELS: usize = 3;

/// The figure; none where no block has two seeds in common with dense.
///
/// # Errors
/// If it cannot be drawn.
pub fn picture(study: &Study, suites: &[Suite]) -> Result<Option<Markup>, ReportError> {
    let all = verdicts(study, suites, |_, _| true);
    let measures = [Quantity::AnswerLoss, Quantity::ValidationLoss];
    let Some(quantity) = measures
        .into_iter()
        .find(|of| all.iter().any(|verdict| verdict.quantity == *of))
    else {
        return Ok(None);
    };
    let shown: Vec<&Verdict> = all.iter().filter(|one| one.quantity == quantity).collect();
    let mut rungs: Vec<&Rung> = Vec::new();
    for verdict in &shown {
        if !rungs.contains(&verdict.rung) {
            rungs.push(verdict.rung);
        }
    }
    let rungs = &rungs[rungs.len().saturating_sub(PANELS)..];
    let mut data = Table::new("Difference to dense")
        .text("Size")
        .text("Block")
        .number("Seeds")
        .number("Block − dense");
    let panels = rungs
        .iter()
        .map(|rung| panel(study, &shown, rung, quantity, &mut data))
        .collect();
    let figure = Figure {
        id: "figure-difference".into(),
        caption: format!(
            "{}: each block minus dense on the same seeds; below zero is better. Bars are 95 % intervals: Student’s t for this number of seeds \
             (with caps), and, as a thin line cut at the frame, the one that holds however often the results were looked at; it is \
             missing where so few seeds bound nothing.",
            capitalised(quantity.words())
        ),
        panels,
        data,
    };
    figure.render().map(Some)
}

fn panel(
    study: &Study,
    shown: &[&Verdict],
    rung: &Rung,
    quantity: Quantity,
    data: &mut Table,
) -> Chart {
    let own: Vec<&&Verdict> = shown
        .iter()
        .filter(|verdict| verdict.rung == rung)
        .collect();
    let (mut series, mut guides) = (Vec::new(), Vec::new());
    for (place, verdict) in own.iter().enumerate() {
        let look = study
            .blocks
            .iter()
            .position(|block| *block == verdict.block);
        let look = look.unwrap_or(0);
        let fixed = verdict.fixed;
        let point = Point {
            x: place as f64,
            y: fixed.value,
            range: fixed.is_bounded().then_some((fixed.low, fixed.high)),
        };
        series.push(Series::new(verdict.block, look, vec![point]).styled(Style::Apart));
        if verdict.anytime.is_bounded() {
            guides.push(Guide {
                look: Some(look),
                path: vec![
                    (place as f64, verdict.anytime.low),
                    (place as f64, verdict.anytime.high),
                ],
                dashed: false,
            });
        }
        data.row([
            rung.label.clone(),
            verdict.block.to_owned(),
            verdict.differences.len().to_string(),
            interval(&fixed, 3),
        ]);
    }
    let ends = own.iter().flat_map(|verdict| {
        let fixed = verdict.fixed;
        [fixed.low, fixed.value, fixed.high]
    });
    let y = Axis::linear(unit(quantity), ends.chain([0.0]));
    for guide in &mut guides {
        for (_, at) in &mut guide.path {
            *at = at.clamp(y.low, y.high);
        }
    }
    let names: Vec<&str> = own.iter().map(|verdict| verdict.block).collect();
    Chart {
        level: Some((0.0, "dense".into())),
        guides,
        ..Chart::new(&rung.label, Axis::categories("", &names), y, series)
    }
}

fn unit(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::AnswerLoss => "nats per answer",
        Quantity::ValidationLoss => "nats per token",
        Quantity::Recall | Quantity::Questions => "points",
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
