//! How each block's loss and accuracy move with training FLOPs: bands, fitted lines, and the law behind them.

pub mod budget_values;
mod laws;

use maud::{Markup, html};
use results::fits::Power;
use results::statistics::Interval;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Band, Chart, Guide, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use budget_values::{BudgetValue, LEAST_BUDGETS, law, losses};
use results::number::{fixed, scientific};
use results::study::scores::{self, Suite};
use results::study::{Rung, Study, mean};

pub fn body(study: &Study, suites: &[Suite]) -> Result<Markup, ReportError> {
    let any = study
        .blocks
        .iter()
        .any(|block| !losses(study, block).is_empty());
    if !any {
        return Ok(html! { p.none { "No run finished with a loss." } });
    }
    Ok(html! {
        (figure(study, suites).render()?)
        h3 { "A law in parameters and tokens" }
        p {
            "Fitted per block: L(N, D) = E + A / N" sup { "α" } " + B / D" sup { "β" } " over its runs, N being \
                active "
            "parameters and D tokens; Huber loss of log losses, 95\u{a0}% percentile intervals over \
                " (laws::RESAMPLES)
            " resamples of the runs. Where it cannot be fitted, the reason is given instead."
        }
        (laws::table(study))
    })
}

/// The highest accuracy at each budget.
fn accuracies(study: &Study, asked: &[&Suite], block: &str) -> Vec<BudgetValue> {
    let accuracy = |rung: &&Rung| {
        let share = scores::block_score(study, asked, block, rung)
            .ok()??
            .accuracy;
        Some(BudgetValue {
            flops: mean(&study.finished(block, rung), |run| run.train_flops),
            value: Interval {
                value: share.value * 100.0,
                low: share.low * 100.0,
                high: share.high * 100.0,
                ..share
            },
        })
    };
    let highest = |budget: Vec<&Rung>| {
        let reached = budget.iter().filter_map(accuracy);
        reached.max_by(|a, b| a.value.value.total_cmp(&b.value.value))
    };
    study.budgets().into_iter().filter_map(highest).collect()
}

fn figure(study: &Study, suites: &[Suite]) -> Figure {
    let mut data = Table::new("Scaling by block")
        .text("Block")
        .text("What")
        .number("Training FLOPs")
        .number("Value")
        .number("Low")
        .number("High");
    let facts = |recall: bool| -> Vec<&Suite> {
        let facts = suites.iter().filter(|suite| suite.metric == "exact_match");
        facts.filter(|suite| suite.is_recall() == recall).collect()
    };
    let mut panels = vec![panel(
        study,
        "Validation loss",
        &mut data,
        &|block| losses(study, block),
        true,
    )];
    for (title, asked) in [
        ("Recall of facts", facts(true)),
        ("Questions of facts", facts(false)),
    ] {
        if !asked.is_empty() {
            let of = |block: &str| accuracies(study, &asked, block);
            panels.push(panel(study, title, &mut data, &of, false));
        }
    }
    Figure {
        id: "figure-scaling".into(),
        caption: format!(
            "Validation loss and accuracy on all suites of facts together against training FLOPs. Where one budget \
                was spent on \
             several sizes, the best of them. Bands are 95 % intervals: of the loss over seeds, where there are two \
             or \
             more; of the accuracy over items and seeds. A dashed line is a power of FLOPs, fitted to a block with \
             {LEAST_BUDGETS} budgets or more and drawn between them where the interval of its exponent excludes 0; \
             it has no irreducible loss and must not be read beyond \
             its ends. Where there is no such line, and for accuracy, solid lines only join the points."
        ),
        panels,
        data,
    }
}

fn panel(
    study: &Study,
    title: &str,
    data: &mut Table,
    of: &dyn Fn(&str) -> Vec<BudgetValue>,
    loss: bool,
) -> Chart {
    let (mut series, mut guides, mut bands) = (Vec::new(), Vec::new(), Vec::new());
    for (look, block) in study.blocks.iter().enumerate() {
        let reached = of(block);
        for at in &reached {
            let digits = if loss { 4 } else { 1 };
            data.row([
                (*block).to_owned(),
                title.to_lowercase(),
                scientific(at.flops),
                fixed(at.value.value, digits),
                fixed(at.value.low, digits),
                fixed(at.value.high, digits),
            ]);
        }
        let edges: Vec<_> = reached
            .iter()
            .filter(|at| at.value.is_bounded())
            .map(|at| (at.flops, at.value.low, at.value.high))
            .collect();
        if edges.len() > 1 {
            bands.push(Band { look, edges });
        }
        let shown = |law: &Power| law.exponent.excludes(0.0);
        let fitted = if loss {
            law(&reached).filter(shown)
        } else {
            None
        };
        let points = reached.iter().map(|at| Point {
            x: at.flops,
            y: at.value.value,
            range: None,
        });
        let style = if fitted.is_some() {
            Style::Apart
        } else {
            Style::Joined
        };
        series.push(Series::new(block, look, points.collect()).styled(style));
        if let (Some(power), Some(first), Some(last)) = (fitted, reached.first(), reached.last()) {
            let steps = (0..=24).map(|step| f64::from(step) / 24.0);
            let at = steps.map(|share| first.flops * (last.flops / first.flops).powf(share));
            guides.push(Guide {
                look: Some(look),
                path: at.map(|flops| (flops, power.at(flops))).collect(),
                dashed: true,
            });
        }
    }
    let xs: Vec<f64> = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.x)
        .collect();
    let within = bands
        .iter()
        .flat_map(|band: &Band| &band.edges)
        .flat_map(|(_, low, high)| [*low, *high]);
    let ys: Vec<f64> = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.y)
        .chain(within)
        .collect();
    let y = match loss {
        true => Axis::log("nats per token", ys.into_iter()),
        false => Axis::from_zero("right answers, %", ys.into_iter()),
    };
    Chart {
        guides,
        bands,
        ..Chart::new(
            title,
            Axis::log("training FLOPs", xs.into_iter()),
            y,
            series,
        )
    }
}
