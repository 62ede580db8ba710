//! Made-up frames with the shape of a real sweep: five blocks, three sizes, one or two seeds, one failed run, one suite
//! that was skipped; and around two of the budgets more sizes for isoFLOP curves, and probes. No number in them was measured.

mod items;
mod labels;
mod noise;
mod probes;

use labels::KINDS;
use results::{Frames, RunRow, StepRow, UsageRow};

pub use labels::BLOCKS;
pub use noise::noise;

/// Size, target FLOPs, width and layers.
const SIZES: [(&str, f64, u64, u64); 3] = [
    ("2m", 4.0e12, 96, 4),
    ("5m", 1.6e13, 160, 6),
    ("12m", 6.4e13, 256, 8),
];

/// A run that failed, as (block, size, seed).
const FAILED: (usize, usize, u64) = (2, 2, 1);

/// The whole sweep.
pub fn frames() -> Frames {
    let (mut runs, mut steps, mut scores, mut items, mut usage) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for size in 0..SIZES.len() {
        for block in 0..BLOCKS.len() {
            // The smaller two sizes have two seeds, the largest one, but for the block whose second seed failed.
            let seeds = if size < 2 || block == FAILED.0 { 2 } else { 1 };
            for seed in 0..seeds {
                let run = run(block, size, seed);
                if run.status == "finished" {
                    steps.extend(curve(&run));
                    let (run_scores, run_items) = items::of(&run, block, size);
                    scores.extend(run_scores);
                    items.extend(run_items);
                    usage.extend(used(&run, block));
                }
                runs.push(run);
            }
        }
    }
    runs.extend(around());
    Frames::new(runs, steps, scores, items, usage).with_probes(probes::rows())
}

/// Runs of other widths at the two smaller budgets, for dense and memory+: what an isoFLOP curve needs. They were not evaluated.
fn around() -> Vec<RunRow> {
    let mut runs = Vec::new();
    for (size, (name, target, ..)) in SIZES.iter().enumerate().take(2) {
        for block in [0, 4] {
            let centre = run(block, size, 0);
            for (place, factor) in [0.25, 0.5, 2.0, 4.0].into_iter().enumerate() {
                let params = (centre.params_active as f64 * factor) as u64;
                let scatter = 0.01 * noise(&[block as u64, size as u64, place as u64, 77]);
                let away = f64::ln(factor) - 0.25;
                runs.push(RunRow {
                    run: format!("{}{place}", centre.run),
                    size: format!("{name} times {factor}"),
                    params_dense: params,
                    params_active: params,
                    tokens: (target / (6.0 * params as f64)) as u64,
                    val_loss: centre.val_loss - 0.004 + 0.06 * away * away + scatter,
                    ..centre.clone()
                });
            }
        }
    }
    runs
}

fn run(block: usize, size: usize, seed: u64) -> RunRow {
    let (size_name, target, d_model, n_layers) = SIZES[size];
    let table = if block < 2 {
        0
    } else {
        4096 * d_model * if block == 2 { 2 } else { 1 }
    };
    let layer = 12 * d_model * d_model;
    let dense = 2 * 4096 * d_model + n_layers * layer;
    let experts = if block == 1 {
        n_layers * 8 * d_model * d_model * 7
    } else {
        0
    };
    let per_token = 6.0 * (dense as f64) * [1.0, 1.01, 0.96, 0.97, 0.95][block];
    let tokens = (target / per_token / 2048.0).floor() as u64 * 2048;
    let rate = 9.0e9 / per_token * [1.0, 0.62, 0.5, 0.82, 0.7][block];
    let failed = (block, size, seed) == FAILED;
    let wall = tokens as f64 / rate;
    RunRow {
        run: format!(
            "{:08x}",
            (noise(&[block as u64, size as u64, seed]) * 4.0e9) as u64
        ),
        sweep: "specimen".into(),
        size: size_name.into(),
        block: BLOCKS[block].into(),
        block_kind: KINDS[block].0.into(),
        block_options: format!(
            r#"[{{"block": {{"kind": "{}"{}}}, "placement": "all"}}]"#,
            KINDS[block].0, KINDS[block].1
        ),
        seed,
        status: if failed { "failed" } else { "finished" }.into(),
        reason: if failed {
            "loss is not finite at step 412: lower the table's learning rate <1e-3"
        } else {
            ""
        }
        .into(),
        matching: "flops".into(),
        target_flops: target,
        train_flops: tokens as f64 * per_token,
        tokens,
        epoch_tokens: 1_000_000,
        epochs: tokens as f64 / 1e6,
        steps: tokens / 2048,
        d_model,
        n_layers,
        params_dense: dense,
        params_table: table + experts,
        params_active: dense + if block < 2 { 0 } else { 128 * d_model },
        params_total: dense + table + experts,
        forward_matmul_flops: per_token / 3.0 * 0.9,
        forward_attention_flops: per_token / 3.0 * 0.1,
        forward_lookup_flops: if block < 2 {
            0.0
        } else {
            256.0 * d_model as f64
        },
        bytes_gathered: [0.0, 0.0, 2.0, 1.0, 3.0][block] * 128.0 * d_model as f64 * 4.0,
        train_loss: loss(block, size, seed) - 0.04,
        val_loss: if failed {
            f64::NAN
        } else {
            loss(block, size, seed)
        },
        val_tokens: 65_536,
        tokens_per_s: rate,
        flop_per_s: rate * per_token,
        numeric_format: Default::default(),
        flop_convention:
            "multiply-add counts two; training is three forward passes; head and attention included"
                .into(),
        peak_memory_bytes: 180_000_000 + (dense + table + experts) * 16,
        train_wall_s: wall,
        eval_wall_s: wall * 0.15,
        table_bytes: table * 4,
        commit: "0123456789abcdef0123456789abcdef01234567".into(),
        dirty: seed == 1,
        version: "isoflop 0.1.0, burn 0.22.1, rustc 1.95.0".into(),
        config: format!(
            "seed = {seed}\n\n[training]\nlearning_rate = 0.003\nbatch_size = 8\n\n[model]\nd_model = \
                {d_model}\nn_layers = {n_layers}\nblock = \"{}\"\n",
            BLOCKS[block]
        ),
        data_fingerprint: "blake3:5f1e\u{2026}".into(),
        tokenizer_fingerprint: "blake3:a03c\u{2026}".into(),
        device: "cpu, 2 x Example <A&B> 3.0 GHz".into(),
        threads: 2,
        instruction_set: "x86_64 avx2 fma".into(),
        processor: String::new(),
        lock_file: String::new(),
        weights_hash: String::new(),
        resumes: 0,
        skipped_steps: 0,
        started: format!("2026-01-0{}T0{block}:00:00Z", size + 1),
        command: "isoflop sweep sweeps/specimen.toml".into(),
    }
}

/// Final loss: better with size, and with what each block is supposed to add.
fn loss(block: usize, size: usize, seed: u64) -> f64 {
    let gain = [0.0, 0.06, 0.11, 0.09, 0.17][block] * (1.0 + 0.15 * size as f64);
    3.42 - 0.31 * size as f64 - gain + 0.02 * noise(&[block as u64, size as u64, seed, 9])
}

fn curve(run: &RunRow) -> Vec<StepRow> {
    (1..=200)
        .map(|i| {
            let part = i as f64 / 200.0;
            let loss = run.val_loss + 3.0 * (-6.0 * part).exp() - 3.0 * (-6.0f64).exp();
            StepRow {
                run: run.run.clone(),
                step: run.steps * i / 200,
                tokens: run.tokens * i / 200,
                train_flops: run.train_flops * part,
                wall_s: run.train_wall_s * part,
                loss: loss + 0.1 * (noise(&[i, run.tokens]) - 0.5),
                val_loss: i.is_multiple_of(4).then_some(loss),
                learning_rate: 3e-4 * (1.0 - part),
                grad_norm: 1.0,
                table_grad_norm: 0.2,
                auxiliary_loss: 0.0,
                tokens_per_s: run.tokens_per_s,
            }
        })
        .collect()
}

fn used(run: &RunRow, block: usize) -> Vec<UsageRow> {
    let (unit, units, layers): (&str, u64, &[u64]) = match block {
        0 => return Vec::new(),
        1 => ("expert", 8, &[0, 1, 2, 3]),
        2 => ("neuron", 4096, &[2]),
        3 => ("slot", 4096, &[2]),
        _ => ("slot", 4096, &[1, 2, 3]),
    };
    layers
        .iter()
        .map(|&layer| {
            let spread = noise(&[run.tokens, layer, run.seed]);
            UsageRow {
                run: run.run.clone(),
                layer,
                unit: unit.into(),
                units,
                reads: 65_536,
                collisions: None,
                used_share: if units == 8 { 1.0 } else { 0.7 + 0.29 * spread },
                kl_nats: if units == 8 { 0.02 } else { 0.3 } + 0.4 * spread,
                max_share: (1.5 + spread) / units as f64,
            }
        })
        .collect()
}
