//! Bits known in total against the size of the decoder, budget by budget, and best size against best size.

use maud::{Markup, html};

use super::name;
use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series};
use crate::figure::Figure;
use crate::interval::interval;
use crate::table::Table;
use results::number::{NONE, prefixed, scientific};
use results::study::best_size::{LEAST_SIZES, best_sizes};
use results::study::knowledge::{KnowledgeTask, known};
use results::study::{Rung, Study};

/// Nothing where no budget has sizes enough for a curve.
pub fn body(study: &Study, of: KnowledgeTask) -> Result<Markup, ReportError> {
    let mut data = Table::new("Bits known by size at each budget")
        .number("Training FLOPs")
        .text("Block")
        .text("Size")
        .number("Active parameters")
        .number("Table parameters")
        .number("Bits known")
        .number("Seeds");
    let budgets = study.budgets().into_iter();
    let panels: Vec<Chart> = budgets
        .filter(|budget| budget.len() >= LEAST_SIZES)
        .filter_map(|budget| panel(study, of, &budget, &mut data))
        .collect();
    if panels.is_empty() {
        return Ok(html! {});
    }
    let figure = Figure {
        id: format!("figure-bits-{}", of.suite.replace(' ', "-")),
        caption: format!(
            "Bits of {} known in total against active parameters, one panel for each budget of training FLOPs. Where sizes have as many facts as \
             their tokens state a given number of times, a small decoder is asked for more than it can store, and a large one sees few \
             facts. Below zero the loss is above that of a uniform guess. Mean over seeds with the 95 % interval by Student’s t, where there are several.",
            name(of)
        ),
        panels,
        data,
    };
    let best = best(study, of);
    Ok(html! {
        h3 { "In total at each budget" }
        (figure.render()?)
        (best)
    })
}

fn panel(study: &Study, of: KnowledgeTask, budget: &[&Rung], data: &mut Table) -> Option<Chart> {
    let flops = scientific(budget[0].flops);
    let mut series = Vec::new();
    for (look, block) in study.blocks.iter().enumerate() {
        data.group();
        let mut points = Vec::new();
        for rung in budget {
            let Some(known) = known(study, of, block, rung) else {
                continue;
            };
            let bits = known.bits;
            points.push(Point {
                x: known.active,
                y: bits.value / 1e3,
                range: bits
                    .is_bounded()
                    .then_some((bits.low / 1e3, bits.high / 1e3)),
            });
            data.row([
                flops.clone(),
                (*block).into(),
                rung.size().into(),
                prefixed(known.active),
                prefixed(known.in_tables),
                interval(&bits, 0),
                bits.n.to_string(),
            ]);
        }
        if !points.is_empty() {
            series.push(Series::new(block, look, points));
        }
    }
    let all = || series.iter().flat_map(|line| &line.points);
    let ends = all().flat_map(|point| {
        let (low, high) = point.range.unwrap_or((point.y, point.y));
        [low, high]
    });
    let x = Axis::log("active parameters", all().map(|point| point.x));
    let y = Axis::linear("kbit known", ends.chain([0.0]));
    (!series.is_empty()).then(|| Chart::new(&format!("{flops} FLOPs"), x, y, series))
}

fn best(study: &Study, of: KnowledgeTask) -> Markup {
    let mut table = Table::new("Best size against best size at equal training FLOPs")
        .number("Training FLOPs")
        .text("Block")
        .number("Sizes")
        .number("Seeds")
        .text("Chosen")
        .number("Bits known")
        .number("Minus dense")
        .prose("Note");
    let mut last = None;
    for at in best_sizes(study, of) {
        if last.replace(at.flops.to_bits()) != Some(at.flops.to_bits()) {
            table.group();
        }
        let minus_dense = at.minus_dense.map(|bits| interval(&bits, 0));
        let edge = "a chosen size is the smallest or the greatest: a better one may lie beyond";
        table.row([
            scientific(at.flops),
            at.block.to_owned(),
            at.sizes.len().to_string(),
            at.judged.len().to_string(),
            at.chosen().join(", "),
            interval(&at.bits, 0),
            minus_dense.unwrap_or_else(|| NONE.into()),
            if at.is_at_edge() {
                edge.into()
            } else {
                String::new()
            },
        ]);
    }
    if table.is_empty() {
        return html! {
            p.none { "No best sizes are compared: each seed is judged at the size that other seeds choose, and there is one seed." }
        };
    }
    html! {
        p {
            "Each seed is judged at the size that is the best by the mean of the other seeds, so that no result takes part in its own choice. Differences are paired by seed, with the 95 % interval by Student’s t for this number of seeds, not corrected for the number of comparisons."
        }
        (table)
    }
}
