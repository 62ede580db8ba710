//! Layers at true shapes, measured alone: throughput, bytes and how near they come to the device's limits.

mod roofline;
mod throughput;

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::ProbeRow;

use crate::ReportError;
use crate::table::Table;
use results::number::{bytes, duration, fixed, prefixed, scientific};
use results::study::Study;
use results::study::block_order;

/// The probes of one device with passes of one length.
pub struct Bench<'a> {
    /// Anchors of its figures end in this.
    place: usize,
    device: &'a str,
    threads: u64,
    /// Of one pass.
    tokens: u64,
    rows: Vec<&'a ProbeRow>,
    /// In the page's order.
    blocks: Vec<&'a str>,
    /// From the narrowest.
    sizes: Vec<&'a str>,
}

impl<'a> Bench<'a> {
    /// Finished rows of this basis and phase.
    fn of(&self, basis: &str, phase: &str) -> impl Iterator<Item = &'a ProbeRow> {
        let rows = self.rows.iter().copied();
        rows.filter(move |row| row.status == "finished" && row.basis == basis && row.phase == phase)
    }

    /// Whole steps where there are any, else forward passes: both in one panel would not compare.
    fn phase(&self, basis: &str) -> &'static str {
        let steps = self.of(basis, "step").count();
        if steps > 0 { "step" } else { "forward" }
    }

    fn look(&self, block: &str) -> usize {
        self.blocks
            .iter()
            .position(|other| *other == block)
            .unwrap_or(0)
    }
}

/// What a phase is, in words.
fn words(phase: &str) -> &'static str {
    match phase {
        "step" => "forward, backward and update",
        _ => "forward",
    }
}

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    let probes = study.frames.probes();
    if probes.is_empty() {
        return Ok(html! { p.none { "No layer was probed." } });
    }
    let benches = benches(study);
    let mut parts = Vec::new();
    for bench in &benches {
        parts.push(html! {
            h3 { (bench.device) ", " (bench.threads) @if bench.threads == 1 { " thread" } @else { " threads" } ", \
                passes of " (bench.tokens) " tokens" }
            @match throughput::by_table(bench) { Some(figure) => (figure.render()?), None => "" }
            @match throughput::by_size(bench) { Some(figure) => (figure.render()?), None => "" }
            @match throughput::models(bench) { Some(figure) => (figure.render()?), None => "" }
            @match roofline::figure(bench) { Some(figure) => (figure.render()?), None => "" }
            (listing(bench))
            (gaps(bench))
        });
    }
    Ok(html! {
        p {
            "Parts of a decoder at the true shape of their size, each timed alone: a block, or what surrounds the \
                blocks. Filled marks were measured; hollow marks are "
            em { "derived" } ": whole models computed from their measured layers, or bytes counted by formula. No \
                model of these sizes was trained here."
        }
        @for part in parts { (part) }
    })
}

fn benches<'a>(study: &Study<'a>) -> Vec<Bench<'a>> {
    // Rates rise with the tokens of a pass: rows of other passes are another bench.
    let mut groups: BTreeMap<(&str, u64, u64), Vec<&ProbeRow>> = BTreeMap::new();
    for row in study.frames.probes() {
        let key = (row.device.as_str(), row.threads, row.tokens);
        groups.entry(key).or_default().push(row);
    }
    groups
        .into_iter()
        .enumerate()
        .map(|(place, ((device, threads, tokens), rows))| {
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
            Bench {
                place,
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

fn listing(bench: &Bench) -> Markup {
    let mut table = Table::new("All probes that finished")
        .text("Basis")
        .text("Block")
        .text("Size")
        .number("Slots")
        .text("Phase")
        .number("Tokens/s")
        .number("One pass")
        .number("fastest")
        .number("slowest")
        .number("Passes")
        .number("FLOPs/token")
        .number("Bytes/token")
        .number("FLOP/s")
        .number("Bytes/s")
        .number("Peak memory");
    for basis in ["measured", "derived"] {
        table.group();
        for row in bench
            .rows
            .iter()
            .filter(|row| row.status == "finished" && row.basis == basis)
        {
            table.row([
                row.basis.clone(),
                row.block.clone(),
                row.size.clone(),
                row.table_slots.to_string(),
                row.phase.clone(),
                prefixed(row.tokens_per_s),
                milliseconds(row.seconds),
                milliseconds(row.seconds_low),
                milliseconds(row.seconds_high),
                row.repeats.to_string(),
                scientific(row.flops),
                bytes(row.bytes),
                scientific(row.flop_per_s),
                format!("{}/s", bytes(row.bytes_per_s)),
                bytes(row.peak_memory_bytes as f64),
            ]);
        }
    }
    let mut conventions: Vec<&str> = bench
        .rows
        .iter()
        .map(|row| row.flop_convention.as_str())
        .collect();
    conventions.sort_unstable();
    conventions.dedup();
    html! {
        details { summary { "All probes of this device" } (table) p.note { "FLOPs: " (conventions.join("; ")) } }
    }
}

fn milliseconds(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{}\u{a0}ms", fixed(s * 1000.0, 2)),
        s => duration(s),
    }
}

/// What was not measured, and why.
fn gaps(bench: &Bench) -> Markup {
    let mut table = Table::new("Probes that were not measured")
        .text("Block")
        .text("Size")
        .number("Slots")
        .text("Phase")
        .text("Status")
        .number("Needed memory")
        .prose("Reason");
    for row in bench.rows.iter().filter(|row| row.status != "finished") {
        table.row([
            row.block.clone(),
            row.size.clone(),
            row.table_slots.to_string(),
            row.phase.clone(),
            row.status.clone(),
            bytes(row.needed_memory_bytes as f64),
            row.reason.clone(),
        ]);
    }
    html! {
        @if table.is_empty() {
            p.note { "Nothing was skipped and nothing failed." }
        } @else {
            details { summary { "What was not measured, and why: " (table.len()) " rows" } (table) }
        }
    }
}
