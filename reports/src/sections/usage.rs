//! How evenly the layers use their slots, experts or neurons.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::UsageRow;

use crate::table::Table;
use results::number::{NONE, fixed, percent};
use results::study::Study;

/// Index of the rung and of the block, layer, unit.
type LayerKey<'a> = (usize, usize, u64, &'a str);

pub fn body(study: &Study) -> Markup {
    let mut table = Table::new("Use of slots and experts by layer")
        .text("Block")
        .text("Size")
        .number("Layer")
        .text("Unit")
        .number("Units")
        .number("Reads per unit")
        .number("Used, %")
        .number("KL, nats")
        .number("Largest share, %")
        .number("Collisions");
    // By rung, block, layer and unit; each with a row for every seed.
    let mut layers: BTreeMap<LayerKey, Vec<&UsageRow>> = BTreeMap::new();
    let mut tokens: Vec<u64> = Vec::new();
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
            tokens.push(run.val_tokens);
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
        let reads: u64 = rows.iter().map(|row| row.reads).sum();
        let units: u64 = rows.iter().map(|row| row.units).sum();
        table.row([
            study.blocks[block].to_owned(),
            study.rungs[rung].label.clone(),
            layer.to_string(),
            unit.to_owned(),
            fixed(mean(|row| row.units as f64), 0),
            fixed(reads as f64 / units as f64, 2),
            percent(mean(|row| row.used_share)),
            fixed(mean(|row| row.kl_nats), 3),
            fixed(mean(|row| row.max_share) * 100.0, 3),
            match rows
                .iter()
                .map(|row| row.collisions)
                .collect::<Option<Vec<f64>>>()
            {
                Some(counts) => fixed(counts.iter().sum::<f64>() / rows.len() as f64, 0),
                None => NONE.into(),
            },
        ]);
    }
    let measured = match (tokens.iter().min(), tokens.iter().max()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
        (Some(tokens), _) => tokens.to_string(),
        _ => NONE.into(),
    };
    html! {
        @if table.is_empty() {
            p.none { "No block reported how it uses its slots or experts." }
        } @else {
            p {
                "Measured over the " (measured) " held-out tokens of each run, not over training. Every token reads as many "
                "units of a layer as its heads times its top k, so a table with more slots than tokens times reads "
                "cannot reach 100 %; with few reads per unit, unused slots are not informative. "
                "Mean over seeds. Used is the share of units read at least once; KL is the "
                "divergence of the weight of use from even use, 0 being perfectly even; the largest share is the "
                "share of the weight on the most used unit. Collisions are the distinct n-grams beyond the first in each row of a "
                "hashed table."
            }
            (table)
        }
    }
}
