//! How evenly the layers used what they have.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::UsageRow;

use crate::number::{fixed, percent};
use crate::study::Study;
use crate::table::Table;

pub fn body(study: &Study) -> Markup {
    let mut table = Table::new("Use of slots and experts by layer")
        .text("Block")
        .text("Size")
        .number("Layer")
        .text("Unit")
        .number("Units")
        .number("Used, %")
        .number("KL, nats")
        .number("Largest share, %");
    // Place of rung and block, layer, unit: the page's order, with the seeds of a layer side by side.
    let mut layers: BTreeMap<(usize, usize, u64, &str), Vec<&UsageRow>> = BTreeMap::new();
    for row in study.frames.usage() {
        let Some(run) = study.run(&row.run) else {
            continue;
        };
        let rung = study
            .rung(run)
            .and_then(|rung| study.rungs.iter().position(|other| other == rung));
        let block = study.blocks.iter().position(|block| *block == run.block);
        if let (Some(rung), Some(block)) = (rung, block) {
            layers
                .entry((rung, block, row.layer, &row.unit))
                .or_default()
                .push(row);
        }
    }
    let mut last = None;
    for ((rung, block, layer, unit), rows) in layers {
        if last.replace(rung) != Some(rung) {
            table.group();
        }
        let mean = |of: fn(&UsageRow) -> f64| {
            rows.iter().map(|row| of(row)).sum::<f64>() / rows.len() as f64
        };
        table.row([
            study.blocks[block].to_owned(),
            study.rungs[rung].label.clone(),
            layer.to_string(),
            unit.to_owned(),
            fixed(mean(|row| row.units as f64), 0),
            percent(mean(|row| row.used_share)),
            fixed(mean(|row| row.kl_nats), 3),
            fixed(mean(|row| row.max_share) * 100.0, 3),
        ]);
    }
    html! {
        @if table.is_empty() {
            p.none { "No block reported how it uses its slots or experts." }
        } @else {
            p {
                "Mean over seeds. Used is the share of units read at least once; KL is the "
                "divergence of the weight of use from even use, 0 being perfectly even; the largest share is the "
                "weight of the most used unit."
            }
            (table)
        }
    }
}
