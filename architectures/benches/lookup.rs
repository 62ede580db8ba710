//! The lookups against the composed operations they replace, and against the memory bandwidth.
//!
//! Throughput is in bytes that have to move (`GiB/s`) or in FLOPs (`elem`). A rate divided by that of `memory` is the share
//! of the memory bandwidth that a kernel uses.

#[path = "../../benches/stream.rs"]
mod stream;

use std::hint::black_box;

use architectures::kernels::lookup;
use architectures::{LazyAdam, NumericFormat, Pass, TableGradient, ValueTable};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;

use stream::{READ_BYTES, Stream, TRIAD_BYTES};

const ROWS: usize = 1 << 18;
const TOKENS: usize = 8192;
const PER_TOKEN: usize = 128;
const HEADS: usize = 4;
const TOP_K: usize = 32;
const F32: usize = size_of::<f32>();

const ADAM: LazyAdam = LazyAdam {
    beta_1: 0.9,
    beta_2: 0.95,
    epsilon: 1e-8,
    max_norm: None,
    moments: NumericFormat::F32,
};

struct Inputs {
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    weights: Tensor<2>,
    /// `[tokens, width]`
    rows: Tensor<2>,
}

/// Uniform ids, normal values.
fn inputs(width: usize) -> Inputs {
    let device = Device::flex();
    let normal = |shape: [usize; 2]| Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let mut rng = random::stream(0, "ids", 0);
    let ids = (0..TOKENS * PER_TOKEN).map(|_| rng.random_range(0..ROWS as i64));
    let ids = TensorData::new(ids.collect::<Vec<_>>(), [TOKENS, PER_TOKEN]);
    Inputs {
        table: normal([ROWS, width]),
        ids: Tensor::from_data(ids, &device),
        weights: normal([TOKENS, PER_TOKEN]),
        rows: normal([TOKENS, width]),
    }
}

/// Bytes of the rows that one lookup reads.
fn gathered(width: usize) -> usize {
    TOKENS * PER_TOKEN * width * F32
}

/// Bytes of a table and its moments, read and written; a step of these sizes updates 98 % of the rows.
fn updated(width: usize) -> usize {
    6 * ROWS * width * F32
}

fn memory(criterion: &mut Criterion) {
    let mut stream = Stream::new();
    let mut group = criterion.benchmark_group("memory");
    group.throughput(Throughput::Bytes(READ_BYTES as u64));
    group.bench_function("read", |bencher| bencher.iter(|| black_box(stream.read())));
    group.bench_function("read at many places", |bencher| {
        bencher.iter(|| black_box(stream.read_many()));
    });
    group.throughput(Throughput::Bytes(TRIAD_BYTES as u64));
    group.bench_function("triad", |bencher| bencher.iter(|| stream.triad()));
    group.finish();
}

fn bags(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bag forward");
    for width in [64, 128, 256, 512, 1024] {
        let Inputs {
            table,
            ids,
            weights,
            ..
        } = inputs(width);
        let sink = Tensor::zeros([1, 1], &table.device());
        // In table memory, as in a model.
        let table = ValueTable::from_tensor(table).values();
        group.throughput(Throughput::ElementsAndBytes {
            elements: (2 * TOKENS * PER_TOKEN * width) as u64,
            bytes: gathered(width) as u64,
        });
        group.bench_function(BenchmarkId::new("fused", width), |bencher| {
            bencher.iter(|| {
                black_box(lookup::bag(
                    table.clone(),
                    ids.clone(),
                    weights.clone(),
                    sink.clone(),
                ))
            });
        });
        // Composed operations write all gathered rows to memory: at larger widths, gigabytes.
        if width > 128 {
            continue;
        }
        group.bench_function(BenchmarkId::new("select and matmul", width), |bencher| {
            bencher.iter(|| {
                let flat = ids.clone().reshape([TOKENS * PER_TOKEN]);
                let rows = table.clone().select(0, flat);
                let rows = rows.reshape([TOKENS, PER_TOKEN, width]);
                black_box(weights.clone().reshape([TOKENS, 1, PER_TOKEN]).matmul(rows))
            });
        });
    }
    group.finish();
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("table update");
    for width in [64, 256] {
        let Inputs {
            table,
            ids,
            weights,
            rows,
        } = inputs(width);
        let table = ValueTable::from_tensor(table);
        group.throughput(Throughput::Bytes(updated(width) as u64));
        group.bench_function(BenchmarkId::new("lazy Adam", width), |bencher| {
            let gradient = || {
                vec![TableGradient {
                    ids: ids.clone(),
                    weights: weights.clone(),
                    rows: rows.clone(),
                }]
            };
            bencher.iter_batched(
                gradient,
                |parts| table.update(parts, &ADAM, 1e-5),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Bag, gradient of its weights and update of the table, through autodiff as in training.
fn table_steps(criterion: &mut Criterion) {
    let autodiff = Device::flex().autodiff();
    let mut group = criterion.benchmark_group("bag, weight gradient and update");
    for width in [64, 256] {
        let Inputs {
            table,
            ids,
            weights,
            rows,
        } = inputs(width);
        let table = ValueTable::from_tensor(table);
        let on_autodiff = |values: Tensor<2>| Tensor::<2>::from_data(values.into_data(), &autodiff);
        let (weights, rows) = (on_autodiff(weights), on_autodiff(rows));
        group.throughput(Throughput::Bytes(
            (2 * gathered(width) + updated(width)) as u64,
        ));
        group.bench_function(BenchmarkId::new("lazy Adam", width), |bencher| {
            bencher.iter(|| {
                let mut pass = Pass::training();
                let weights = weights.clone().require_grad();
                let y = table.bag(ids.clone(), weights.clone(), &mut pass);
                let gradients = (y * rows.clone()).sum().backward();
                black_box(weights.grad(&gradients));
                for (table, parts) in pass.into_table_gradients(&gradients) {
                    black_box(table.update(parts, &ADAM, 1e-5));
                }
            });
        });
    }
    group.finish();
}

fn selection(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product-key top-k");
    for (n_keys, tokens) in [
        (64, 8192),
        (512, 8192),
        (1024, 2048),
        (2048, 1024),
        (4096, 512),
    ] {
        let scores = Tensor::<4>::random(
            [HEADS, 2, tokens, n_keys],
            Distribution::Normal(0.0, 1.0),
            &Device::flex(),
        );
        let size = format!("{TOP_K} of {n_keys}^2");
        // Here an element is one score of a half-key.
        group.throughput(Throughput::Elements((HEADS * 2 * tokens * n_keys) as u64));
        group.bench_function(BenchmarkId::new("fused", &size), |bencher| {
            bencher.iter(|| black_box(lookup::product_key_top_k(scores.clone(), TOP_K)));
        });
        group.bench_function(
            BenchmarkId::new("composed, halves only", &size),
            |bencher| {
                bencher.iter(|| black_box(scores.clone().topk_with_indices(TOP_K, 3)));
            },
        );
    }
    group.finish();
}

criterion_group! {
    name = lookups;
    config = Criterion::default().sample_size(10);
    targets = memory, bags, updates, table_steps, selection
}
criterion_main!(lookups);
