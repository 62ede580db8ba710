//! Probes grouped by device, threads and tokens of a pass.

use std::collections::BTreeMap;

use results::ProbeRow;
use results::study::{Study, block_order};

/// The probes of one device with passes of one length.
pub struct ProbeGroup<'a> {
    /// Anchors of its figures end in this.
    pub index: usize,
    pub device: &'a str,
    pub threads: u64,
    /// Of one pass.
    pub tokens: u64,
    pub rows: Vec<&'a ProbeRow>,
    /// In the page's order.
    pub blocks: Vec<&'a str>,
    /// From the narrowest.
    pub sizes: Vec<&'a str>,
}

impl<'a> ProbeGroup<'a> {
    /// Finished rows of this basis and phase.
    pub fn of(&self, basis: &str, phase: &str) -> impl Iterator<Item = &'a ProbeRow> {
        let rows = self.rows.iter().copied();
        rows.filter(move |row| row.status == "finished" && row.basis == basis && row.phase == phase)
    }

    /// Whole steps where there are any, else forward passes: both in one panel would not compare.
    pub fn phase(&self, basis: &str) -> &'static str {
        let steps = self.of(basis, "step").count();
        if steps > 0 { "step" } else { "forward" }
    }

    pub fn look(&self, block: &str) -> usize {
        self.blocks
            .iter()
            .position(|other| *other == block)
            .unwrap_or(0)
    }
}

/// What a phase is, in words.
pub fn words(phase: &str) -> &'static str {
    match phase {
        "step" => "forward, backward and update",
        _ => "forward",
    }
}

pub fn groups<'a>(study: &Study<'a>) -> Vec<ProbeGroup<'a>> {
    // Rates rise with the tokens of a pass: rows of other passes are another group.
    let mut by_key: BTreeMap<(&str, u64, u64), Vec<&ProbeRow>> = BTreeMap::new();
    for row in study.frames.probes() {
        let key = (row.device.as_str(), row.threads, row.tokens);
        by_key.entry(key).or_default().push(row);
    }
    by_key
        .into_iter()
        .enumerate()
        .map(|(index, ((device, threads, tokens), rows))| {
            let mut shapes: Vec<(u64, &str)> = rows
                .iter()
                .map(|row| (row.d_model, row.size.as_str()))
                .collect();
            shapes.sort_unstable();
            let mut sizes: Vec<&str> = Vec::new();
            for (_, size) in shapes {
                if !sizes.contains(&size) {
                    sizes.push(size);
                }
            }
            ProbeGroup {
                index,
                device,
                threads,
                tokens,
                blocks: block_order::ordered(rows.iter().map(|row| row.block.as_str())),
                rows,
                sizes,
            }
        })
        .collect()
}
