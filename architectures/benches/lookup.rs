//! The lookups beside the stock operations they replace, with bytes read as throughput.

use architectures::kernels::ops;
use architectures::{LazyAdam, TableGradient, ValueTable};
use burn::tensor::{Device, Distribution, Int, Tensor};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const ROWS: usize = 1 << 16;
const TOKENS: usize = 1024;
const PER_TOKEN: usize = 32;

struct Work {
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    weights: Tensor<2>,
    rows: Tensor<2>,
}

fn work(width: usize, device: &Device) -> Work {
    let random = |shape: [usize; 2]| Tensor::random(shape, Distribution::Normal(0.0, 1.0), device);
    Work {
        table: random([ROWS, width]),
        ids: Tensor::random(
            [TOKENS, PER_TOKEN],
            Distribution::Uniform(0.0, ROWS as f64),
            device,
        ),
        weights: random([TOKENS, PER_TOKEN]),
        rows: random([TOKENS, width]),
    }
}

fn bags(criterion: &mut Criterion) {
    let device = Device::flex();
    let mut group = criterion.benchmark_group("bag forward");
    for width in [64, 256] {
        let Work {
            table,
            ids,
            weights,
            ..
        } = work(width, &device);
        let sink = Tensor::zeros([1, 1], &device);
        group.throughput(Throughput::Bytes((TOKENS * PER_TOKEN * width * 4) as u64));
        group.bench_function(BenchmarkId::new("fused", width), |bencher| {
            bencher.iter(|| {
                black_box(ops::bag(
                    table.clone(),
                    ids.clone(),
                    weights.clone(),
                    sink.clone(),
                ))
            });
        });
        group.bench_function(BenchmarkId::new("select and matmul", width), |bencher| {
            bencher.iter(|| {
                let flat = ids.clone().reshape([TOKENS * PER_TOKEN]);
                let rows = table
                    .clone()
                    .select(0, flat)
                    .reshape([TOKENS, PER_TOKEN, width]);
                black_box(weights.clone().reshape([TOKENS, 1, PER_TOKEN]).matmul(rows))
            });
        });
    }
    group.finish();
}

fn updates(criterion: &mut Criterion) {
    let device = Device::flex();
    let adam = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: None,
    };
    let mut group = criterion.benchmark_group("table update");
    for width in [64, 256] {
        let Work {
            table,
            ids,
            weights,
            rows,
        } = work(width, &device);
        let table = ValueTable::from_tensor(table);
        group.throughput(Throughput::Bytes((TOKENS * PER_TOKEN * width * 4) as u64));
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
                |parts| table.update(parts, &adam, 1e-3),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn selection(criterion: &mut Criterion) {
    let device = Device::flex();
    let mut group = criterion.benchmark_group("product-key top-k");
    for (n_keys, top_k) in [(64, 8), (512, 32)] {
        let scores = Tensor::<4>::random(
            [4, 2, TOKENS, n_keys],
            Distribution::Normal(0.0, 1.0),
            &device,
        );
        group.throughput(Throughput::Elements((4 * TOKENS) as u64));
        group.bench_function(
            BenchmarkId::new("fused", format!("{top_k} of {n_keys}^2")),
            |bencher| {
                bencher.iter(|| black_box(ops::product_key_top_k(scores.clone(), top_k)));
            },
        );
        group.bench_function(
            BenchmarkId::new("stock, halves alone", format!("{top_k} of {n_keys}^2")),
            |bencher| {
                bencher.iter(|| black_box(scores.clone().topk_with_indices(top_k, 3)));
            },
        );
    }
    group.finish();
}

criterion_group! {
    name = lookups;
    config = Criterion::default().sample_size(10);
    targets = bags, updates, selection
}
criterion_main!(lookups);
