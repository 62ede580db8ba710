//! Throughput of a device: lookups, and training steps of a whole decoder.
//!
//! ```text
//! cargo run --release -p architectures --features cuda --example device_benchmark -- cuda peak=495
//! cargo run --release -p architectures --example device_benchmark -- flex small
//! ```
//!
//! Throughput counts the bytes that a kernel has to move: rows read or written, once for each entry of a lookup and once
//! for each row of an update. It is reported beside that of an elementwise copy on the same device. `peak` is the device's
//! rate in TFLOP/s, from its datasheet, of which MFU is a fraction; without it, none is printed.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "an example")]

#[path = "device_benchmark/layers.rs"]
mod layers;

use std::time::Instant;

use architectures::kernels::{AdamStep, RoundingCounters, lookup};
use architectures::{AdamW, Decoder, DeviceName, LazyAdam, ModelConfig, NumericFormat, Pass, loss};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Distribution, FloatDType, Int, Tensor, TensorData};
use layers::Widths;

/// Sizes of what is measured.
struct Sizes {
    /// Elements of the copied tensor.
    copied: usize,
    /// Rows of the table.
    rows: usize,
    tokens: usize,
    per_token: usize,
    widths: &'static [usize],
    /// Sequences of a step, and their length.
    batch: usize,
    seq: usize,
    /// Configuration of the decoder, and the widths of its layers.
    decoder: &'static str,
    widths_of_layers: Widths,
    /// The key sets of its memories.
    n_keys: usize,
}

const FULL: Sizes = Sizes {
    copied: 1 << 28,
    rows: 1 << 20,
    tokens: 8192,
    per_token: 128,
    widths: &[256, 1024],
    batch: 8,
    seq: 2048,
    // The row 134m of sweeps/paper.toml, at sequences of 2048 tokens.
    decoder: r#""vocab_size": 32000, "d_model": 768, "n_layers": 12, "n_heads": 12, "d_ff": 2048, "seq_len": 2048"#,
    widths_of_layers: Widths {
        d_model: 768,
        d_ff: 2048,
        heads: 12,
        vocab: 32_000,
    },
    n_keys: 1024,
};

const SMALL: Sizes = Sizes {
    copied: 1 << 22,
    rows: 1 << 12,
    tokens: 256,
    per_token: 32,
    widths: &[64],
    batch: 2,
    seq: 64,
    decoder: r#""vocab_size": 256, "d_model": 64, "n_layers": 4, "n_heads": 2, "d_ff": 160, "seq_len": 64"#,
    widths_of_layers: Widths {
        d_model: 64,
        d_ff: 160,
        heads: 2,
        vocab: 256,
    },
    n_keys: 32,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("flex", String::as_str);
    let device = match DeviceName::find(name) {
        Ok(name) => name.open(),
        Err(message) => {
            eprintln!("{name}: {message}");
            std::process::exit(2);
        }
    };
    let small = arguments.iter().any(|argument| argument == "small");
    let sizes = if small { SMALL } else { FULL };
    let peak = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("peak="));
    let peak = peak.map(|text| match text.parse::<f64>() {
        Ok(peak) if peak > 0.0 => peak * 1e12,
        _ => {
            eprintln!("peak={text} is not a rate; write TFLOP/s, such as peak=495");
            std::process::exit(2);
        }
    });

    let copied = copy(&sizes, &device);
    println!("copy: {:.1} GB/s read and written", copied / 1e9);
    for dtype in [DType::F32, DType::BF16] {
        // Weights and inputs are in the format of the table here, and the CPU kernels take them in f32 alone.
        if dtype == DType::BF16 && name == "flex" {
            continue;
        }
        for &width in sizes.widths {
            lookups(&sizes, width, dtype, copied, &device);
        }
    }
    selection(&sizes, &device);
    layers::report(&sizes, &sizes.widths_of_layers, copied, &device);
    for (label, block) in [
        ("dense", r#"{"kind": "dense"}"#.to_owned()),
        (
            "Memory+",
            format!(
                r#"{{"kind": "memory", "keys": {{"n_keys": {}}}, "gate": true, "shared_values": true}}"#,
                sizes.n_keys
            ),
        ),
    ] {
        let placement = match label {
            "dense" => r#""all""#,
            _ if small => r#"{"centred": {"count": 3, "stride": 1}}"#,
            _ => r#"{"centred": {"count": 3, "stride": 4}}"#,
        };
        let json = format!(
            r#"{{"decoder": {{{}}}, "blocks": [{{"block": {block}, "placement": {placement}}}]}}"#,
            sizes.decoder
        );
        match serde_json::from_str(&json) {
            Ok(config) => steps(label, &config, &sizes, peak, &device),
            Err(error) => panic!("{label}: {error}"),
        }
    }
}

/// The best of several runs, in seconds, after one that compiles; the result of `work` is dropped
/// outside the measurement.
fn seconds<T>(device: &Device, mut work: impl FnMut() -> T) -> f64 {
    let sync = || device.sync().unwrap_or_else(|error| panic!("{error}"));
    let mut best = f64::INFINITY;
    for run in 0..6 {
        sync();
        let start = Instant::now();
        let made = work();
        sync();
        if run > 0 {
            best = best.min(start.elapsed().as_secs_f64());
        }
        drop(made);
    }
    best
}

/// The hyper-parameters of an update, without clipping.
fn adam() -> AdamStep {
    AdamStep {
        learning_rate: 1e-3,
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        step: 1,
        max_norm: None,
        rounding: RoundingCounters::default(),
    }
}

fn random(shape: [usize; 2], dtype: DType, device: &Device) -> Tensor<2> {
    Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.0), device).cast(FloatDType::from(dtype))
}

fn ids(sizes: &Sizes, device: &Device) -> Tensor<2, Int> {
    let range = Distribution::Uniform(0.0, sizes.rows as f64);
    Tensor::random([sizes.tokens, sizes.per_token], range, device)
}

/// Bytes per second, read and written, of an elementwise operation.
fn copy(sizes: &Sizes, device: &Device) -> f64 {
    let source = Tensor::<1>::ones([sizes.copied], device);
    let seconds = seconds(device, || source.clone() * 2.0);
    (2 * sizes.copied * size_of::<f32>()) as f64 / seconds
}

fn lookups(sizes: &Sizes, width: usize, dtype: DType, copied: f64, device: &Device) {
    let &Sizes {
        rows,
        tokens,
        per_token,
        ..
    } = sizes;
    let report = |what: &str, bytes: usize, seconds: f64| {
        let throughput = bytes as f64 / seconds;
        println!(
            "{what}, {rows} x {width} {dtype:?}, {tokens} tokens of {per_token}: {:.3} ms, {:.1} GB/s, {:.0} % of copy",
            seconds * 1e3,
            throughput / 1e9,
            100.0 * throughput / copied
        );
    };
    let entries = tokens * per_token;
    let read = entries * width * dtype.size();
    let table = random([rows, width], dtype, device);
    let ids = ids(sizes, device);
    let weights = random([tokens, per_token], dtype, device);
    let inputs = random([tokens, width], dtype, device);
    let sink = Tensor::zeros([1, 1], device);
    report(
        "bag",
        read,
        seconds(device, || {
            lookup::bag(table.clone(), ids.clone(), weights.clone(), sink.clone())
        }),
    );
    report(
        "dot",
        read,
        seconds(device, || {
            lookup::dot(table.clone(), ids.clone(), inputs.clone(), sink.clone())
        }),
    );

    // Moments are f32 for every format of the table.
    let moments = || Tensor::<2>::zeros([rows, width], device);
    let distinct = {
        let mut seen = vec![false; rows];
        for id in ids.clone().into_data().iter::<i64>() {
            seen[id as usize] = true;
        }
        seen.iter().filter(|seen| **seen).count()
    };
    let moved = distinct * width * 2 * (dtype.size() + 2 * size_of::<f32>());
    let mut state = Some((table, (moments(), moments())));
    let mut step = 0;
    let seconds = seconds(device, || {
        step += 1;
        let adam = AdamStep {
            step,
            max_norm: Some(1.0),
            rounding: RoundingCounters::new(0, step as u32),
            ..adam()
        };
        if let Some((table, moments)) = state.take() {
            let (ids, weights, inputs) = (ids.clone(), weights.clone(), inputs.clone());
            let (table, moments, _) = lookup::row_adam(table, moments, ids, weights, inputs, adam);
            state = Some((table, moments));
        }
    });
    report("update", moved, seconds);
}

fn selection(sizes: &Sizes, device: &Device) {
    let (heads, k) = (4, sizes.per_token / 4);
    let n = sizes.n_keys;
    let range = Distribution::Normal(0.0, 1.0);
    let scores = Tensor::<4>::random([heads, 2, sizes.tokens, n], range, device);
    let seconds = seconds(device, || lookup::product_key_top_k(scores.clone(), k));
    println!(
        "{k} best of {n} x {n} pairs, {heads} heads of {} tokens: {:.3} ms",
        sizes.tokens,
        seconds * 1e3
    );
}

/// Whole training steps: forward, backward, AdamW, table update.
fn steps(label: &str, config: &ModelConfig, sizes: &Sizes, peak: Option<f64>, device: &Device) {
    let device = device.clone().autodiff();
    let mut optimizer = ModuleOptimizer::from(AdamW {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        weight_decay: 0.1,
        keep_where_zero: false,
    });
    let tables = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: Some(1.0),
        moments: NumericFormat::F32,
    };
    let mut decoder = match Decoder::new(config, 0, &device) {
        Ok(decoder) => Some(decoder),
        Err(error) => panic!("{label}: {error}"),
    };
    let (batch, seq) = (sizes.batch, sizes.seq);
    let vocab = config.decoder.vocab_size;
    let tokens: Vec<i64> = (0..batch * (seq + 1))
        .map(|i| (i * 7919 % vocab) as i64)
        .collect();
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [batch, seq + 1]), &device);
    let (inputs, targets) = (
        tokens.clone().narrow(1, 0, seq),
        tokens.clone().narrow(1, 1, seq),
    );
    let mut last = f32::NAN;
    let seconds = seconds(&device, || {
        let Some(current) = decoder.take() else {
            return;
        };
        let mut pass = Pass::training();
        let logits = current.forward(inputs.clone(), &mut pass);
        let loss = loss::cross_entropy(logits, targets.clone());
        let gradients = loss.clone().backward();
        let parts = pass.into_table_gradients(&gradients);
        let gradients = GradientsParams::from_grads(gradients, &current);
        decoder = Some(optimizer.step(1e-3, current, gradients));
        for (table, parts) in parts {
            table.update(parts, &tables, 1e-3);
        }
        last = loss.into_scalar();
    });
    let tokens_per_s = (batch * seq) as f64 / seconds;
    let flops = match config.cost() {
        Ok(cost) => cost.training() as f64 * tokens_per_s,
        Err(error) => panic!("{label}: {error}"),
    };
    let share = peak.map_or(String::new(), |peak| {
        let (share, peak) = (100.0 * flops / peak, peak / 1e12);
        format!(", {share:.1} % MFU of {peak:.0} TFLOP/s")
    });
    println!(
        "{label}: a step of {batch} x {seq} tokens in f32 takes {:.1} ms, {tokens_per_s:.0} tokens/s, {:.2} TFLOP/s{share}; loss {last:.3}",
        seconds * 1e3,
        flops / 1e12,
    );
}
