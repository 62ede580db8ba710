//! Made-up probes of one device. No number in them was measured.

use results::ProbeRow;

use super::labels::BLOCKS;
use super::noise::noise;

/// Size, width and parameters of one dense layer.
const SIZES: [(&str, u64, u64); 3] = [
    ("134m", 768, 4_700_000),
    ("373m", 1024, 8_700_000),
    ("1.3b", 2048, 34_600_000),
];

const PEAK: f64 = 1.2e12;
const STREAM: f64 = 4.0e10;

/// Steps of single layers, tables of several sizes at one of them, models derived from them, and one that did not fit.
pub fn rows() -> Vec<ProbeRow> {
    let mut rows = Vec::new();
    for (place, (size, d_model, params)) in SIZES.into_iter().enumerate() {
        for (block, name) in BLOCKS.iter().enumerate() {
            let tables: &[u64] = match (block, place) {
                (0 | 1, _) => &[0],
                (3 | 4, 2) => &[1 << 16, 1 << 18, 1 << 20, 1 << 22],
                _ => &[1 << 20],
            };
            for slots in tables {
                let measured = row(name, block, size, (d_model, params), *slots);
                rows.push(ProbeRow {
                    basis: "derived".into(),
                    phase: "step".into(),
                    run: format!("derived-{}", measured.run),
                    tokens_per_s: measured.tokens_per_s / 22.0,
                    seconds: measured.seconds * 22.0,
                    flops: measured.flops * 22.0,
                    bytes: measured.bytes * 22.0,
                    ..measured.clone()
                });
                rows.push(measured);
            }
        }
    }
    let fits_not = row("memory+", 4, "1.3b", (2048, 34_600_000), 1 << 26);
    rows.push(ProbeRow {
        status: "skipped".into(),
        reason: "needs 512 GiB, more than the 16 GiB <free> of this machine".into(),
        tokens_per_s: f64::NAN,
        flop_per_s: f64::NAN,
        seconds: f64::NAN,
        needed_memory_bytes: 512 << 30,
        ..fits_not
    });
    rows
}

fn row(
    name: &str,
    block: usize,
    size: &str,
    (d_model, params): (u64, u64),
    slots: u64,
) -> ProbeRow {
    let flops = 6.0 * params as f64 * [1.0, 1.0, 0.5, 0.4, 0.6][block];
    let bytes = 3.0
        * (params as f64 * 4.0 / 512.0 + 128.0 * d_model as f64 * [0.0, 0.0, 8.0, 4.0, 4.0][block]);
    let roof = PEAK.min(flops / bytes * STREAM);
    let miss = 1.0 + 0.08 * (slots.max(1) as f64).log2();
    let rate =
        roof * (0.35 + 0.3 * noise(&[block as u64, d_model])) / if slots > 0 { miss } else { 1.0 };
    let tokens = 512;
    let seconds = tokens as f64 * flops / rate;
    ProbeRow {
        run: format!("{name}-{size}-{slots}"),
        size: size.into(),
        block: name.into(),
        table_slots: slots,
        phase: "step".into(),
        basis: "measured".into(),
        status: "finished".into(),
        reason: String::new(),
        d_model,
        tokens,
        repeats: 7,
        seconds,
        seconds_low: seconds * 0.96,
        seconds_high: seconds * 1.1,
        tokens_per_s: tokens as f64 / seconds,
        flops,
        bytes,
        flop_per_s: rate,
        bytes_per_s: rate / flops * bytes,
        peak_flop_per_s: PEAK,
        peak_bytes_per_s: STREAM,
        peak_memory_bytes: 1 << 30,
        needed_memory_bytes: 1 << 30,
        params_dense: params,
        params_table: slots * d_model,
        numeric_format: Default::default(),
        flop_convention: "multiply-add counts two".into(),
        device: "cpu, made up".into(),
        threads: 2,
        commit: String::new(),
        dirty: false,
        version: String::new(),
        started: String::new(),
        command: "isoflop probe".into(),
    }
}
