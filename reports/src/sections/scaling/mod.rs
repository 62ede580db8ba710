//! Each block's loss and accuracy over training FLOPs, with bands and fitted lines, and its parametric law.

mod laws;

use maud::{Markup, html};

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Band, Chart, Guide, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{fixed, scientific};
use results::study::scaling::{
    BudgetValue, LAW_RESAMPLES, LEAST_BUDGETS, highest_accuracies, lowest_losses,
    significant_loss_power,
};
use results::study::scores::Suite;
use results::study::{Measure, Study};

pub fn body(study: &Study, suites: &[Suite]) -> Result<Markup, ReportError> {
    let any = study
        .blocks
        .iter()
        .any(|block| !lowest_losses(study, block).is_empty());
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
                " (LAW_RESAMPLES)
            " resamples of the runs. Where it cannot be fitted, the reason is given instead."
        }
        (laws::table(study))
    })
}

fn figure(study: &Study, suites: &[Suite]) -> Figure {
    let mut data = Table::new("Scaling by block")
        .text("Block")
        .text("What")
        .number("Training FLOPs")
        .number("Value")
        .number("Low")
        .number("High");
    let mut panels = vec![panel(
        study,
        "Validation loss",
        &mut data,
        &|block| lowest_losses(study, block),
        true,
    )];
    for (title, measure) in [
        ("Recall of facts", Measure::Recall),
        ("Questions of facts", Measure::Questions),
    ] {
        let suites = measure.suites(suites);
        if !suites.is_empty() {
            let of = |block: &str| highest_accuracies(study, &suites, block);
            panels.push(panel(study, title, &mut data, &of, false));
        }
    }
    Figure {
        id: "figure-scaling".into(),
        caption: format!(
            "Validation loss and accuracy on all suites of facts together against training FLOPs. Where several sizes share a budget, \
             the best of them. Bands are 95 % intervals: of the loss over seeds, where there are two \
             or \
             more; of the accuracy over items and seeds. A dashed line is a power of FLOPs, fitted to a block with \
             {LEAST_BUDGETS} budgets or more and drawn between them where the interval of its exponent excludes 0; \
             it has no irreducible loss and must not be extrapolated. \
             Where there is no such line, and for accuracy, solid lines only join the points."
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
    // A loss is shown as it is, an accuracy in percent.
    let (digits, scale) = if loss { (4, 1.0) } else { (1, 100.0) };
    let (mut series, mut guides, mut bands) = (Vec::new(), Vec::new(), Vec::new());
    for (look, block) in study.blocks.iter().enumerate() {
        let values = of(block);
        for at in &values {
            data.row([
                (*block).to_owned(),
                title.to_lowercase(),
                scientific(at.flops),
                fixed(at.value.value * scale, digits),
                fixed(at.value.low * scale, digits),
                fixed(at.value.high * scale, digits),
            ]);
        }
        let edges: Vec<_> = values
            .iter()
            .filter(|at| at.value.is_bounded())
            .map(|at| (at.flops, at.value.low * scale, at.value.high * scale))
            .collect();
        if edges.len() > 1 {
            bands.push(Band { look, edges });
        }
        let fitted = if loss {
            significant_loss_power(&values)
        } else {
            None
        };
        let points = values.iter().map(|at| Point {
            x: at.flops,
            y: at.value.value * scale,
            range: None,
        });
        let style = if fitted.is_some() {
            Style::Apart
        } else {
            Style::Joined
        };
        series.push(Series::new(block, look, points.collect()).styled(style));
        if let (Some(power), Some(first), Some(last)) = (fitted, values.first(), values.last()) {
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
