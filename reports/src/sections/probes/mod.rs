//! Probes: layers at true shapes timed alone, their throughput, bytes and roofline.

mod roofline;
mod throughput;
mod words;

use maud::{Markup, html};

use crate::ReportError;
use crate::table::Table;
use results::number::{bytes, duration, fixed, prefixed, scientific};
use results::study::Study;
use results::study::probe_groups::{ProbeGroup, probe_groups};

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    let probes = study.frames.probes();
    if probes.is_empty() {
        return Ok(html! { p.none { "No layer was probed." } });
    }
    let groups = probe_groups(study);
    let mut parts = Vec::new();
    for group in &groups {
        parts.push(html! {
            h3 { (group.device) ", " (group.threads) @if group.threads == 1 { " thread" } @else { " threads" } ", \
                passes of " (group.tokens) " tokens in " (group.numeric_format) }
            @match throughput::by_table(group) { Some(figure) => (figure.render()?), None => "" }
            @match throughput::by_size(group) { Some(figure) => (figure.render()?), None => "" }
            @match throughput::models(group) { Some(figure) => (figure.render()?), None => "" }
            @match roofline::figure(group) { Some(figure) => (figure.render()?), None => "" }
            (listing(group))
            (gaps(group))
        });
    }
    Ok(html! {
        p {
            "Parts of a decoder at the true shape of their size, each timed alone: a block, or another part of \
                the decoder. Filled marks were measured; hollow marks are "
            em { "derived" } ": whole models computed from their measured layers, or bytes counted by formula. No \
                model of these sizes was trained here."
        }
        @for part in parts { (part) }
    })
}

fn listing(group: &ProbeGroup) -> Markup {
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
        for row in group
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
    let mut conventions: Vec<&str> = group
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

/// The probes that were not measured, with their reasons.
fn gaps(group: &ProbeGroup) -> Markup {
    let mut table = Table::new("Probes that were not measured")
        .text("Block")
        .text("Size")
        .number("Slots")
        .text("Phase")
        .text("Status")
        .number("Needed memory")
        .prose("Reason");
    for row in group.rows.iter().filter(|row| row.status != "finished") {
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
            p.note { "No probe was skipped and none failed." }
        } @else {
            details { summary { "What was not measured, and why: " (table.len()) " rows" } (table) }
        }
    }
}
