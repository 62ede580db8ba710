//! The operations of a decoder layer alone: memory-bound ones as fractions of the copy bandwidth, products in FLOP/s.

use architectures::Rotary;
use architectures::kernels::{AdamStep, AttentionShape, experts, fused};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};

use crate::{Sizes, seconds};

/// Width of a hidden state, width of a feed-forward, and heads, as in the decoder of `Sizes`.
pub struct Widths {
    pub d_model: usize,
    pub d_ff: usize,
    pub heads: usize,
    pub vocab: usize,
}

/// Prints one line for each operation, forward alone and with its gradients.
pub fn report(sizes: &Sizes, widths: &Widths, copied: f64, device: &Device) {
    let device = &device.clone().autodiff();
    memory_bound(sizes, widths, copied, device);
    attention(sizes, widths, device);
    products(sizes, widths, device);
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Times `forward` without gradients, and with those of the sum of its result with respect to `inputs`.
fn both<const D: usize, const O: usize, const N: usize>(
    inputs: [Tensor<D>; N],
    device: &Device,
    forward: impl Fn([Tensor<D>; N]) -> Tensor<O>,
) -> [f64; 2] {
    let alone = inputs.clone().map(Tensor::inner);
    let tracked = inputs.map(Tensor::require_grad);
    [
        seconds(device, || forward(alone.clone())),
        seconds(device, || forward(tracked.clone()).sum().backward()),
    ]
}

fn memory_bound(sizes: &Sizes, widths: &Widths, copied: f64, device: &Device) {
    let rows = sizes.batch * sizes.seq;
    let line = |what: &str, elements: usize, seconds: f64| {
        let throughput = (elements * size_of::<f32>()) as f64 / seconds;
        println!(
            "{what}: {:.3} ms, {:.1} GB/s, {:.0} % of copy",
            seconds * 1e3,
            throughput / 1e9,
            100.0 * throughput / copied
        );
    };
    let Widths {
        d_model,
        d_ff,
        vocab,
        ..
    } = *widths;

    let x = random([sizes.batch, sizes.seq, d_model], device);
    let gamma = Tensor::<1>::ones([d_model], device);
    let inner = gamma.clone().inner();
    let [forward, whole] = both([x], device, |[x]| {
        let gamma = if x.is_require_grad() { &gamma } else { &inner };
        fused::rms_norm(x, gamma.clone(), 1e-5)
    });
    line("RMSNorm", 2 * rows * d_model, forward);
    line("RMSNorm and gradient", 5 * rows * d_model, whole);

    let x = random([rows, 2 * d_ff], device);
    let [forward, whole] = both([x], device, |[x]| fused::swiglu(x));
    line("SwiGLU", 3 * rows * d_ff, forward);
    line("SwiGLU and gradient", 8 * rows * d_ff, whole);

    let targets: Tensor<1, Int> =
        Tensor::random([rows], Distribution::Uniform(0.0, vocab as f64), device);
    let [forward, whole] = both([random([rows, vocab], device)], device, |[logits]| {
        let targets = match logits.is_require_grad() {
            true => targets.clone(),
            false => targets.clone().inner(),
        };
        fused::cross_entropy(logits, targets)
    });
    line("cross-entropy", rows * vocab, forward);
    line("cross-entropy and gradient", 3 * rows * vocab, whole);

    let plain = device.clone().inner();
    let shape = [vocab, d_model];
    let zeros = || Tensor::<2>::zeros(shape, &plain);
    let gradient = random(shape, &plain);
    let mut state = Some((random(shape, &plain), (zeros(), zeros())));
    let mut step = 0;
    let seconds = seconds(&plain, || {
        step += 1;
        let adam = AdamStep {
            step,
            ..crate::adam()
        };
        if let Some((values, moments)) = state.take() {
            let updated = fused::adamw(values, gradient.clone(), moments, 0.01, adam);
            state = Some(updated);
        }
    });
    line("AdamW", 7 * vocab * d_model, seconds);
}

/// Prints FLOP/s; a gradient has `backward` times the FLOPs of the forward pass.
fn flops(what: &str, flops: f64, backward: f64, [forward, whole]: [f64; 2]) {
    let rate = |flops: f64, seconds: f64| flops / seconds / 1e12;
    println!(
        "{what}: {:.3} ms, {:.2} TFLOP/s; with gradient {:.3} ms, {:.2} TFLOP/s",
        forward * 1e3,
        rate(flops, forward),
        whole * 1e3,
        rate((1.0 + backward) * flops, whole)
    );
}

fn attention(sizes: &Sizes, widths: &Widths, device: &Device) {
    let (batch, seq) = (sizes.batch, sizes.seq);
    let shape = AttentionShape {
        batch,
        seq,
        n_heads: widths.heads,
        n_kv_heads: widths.heads,
        head_dim: widths.d_model / widths.heads,
        rotary: Rotary::unscaled(10_000.0),
    };
    let qkv = random([batch, seq, 3 * widths.d_model], device);
    let times = both([qkv], device, |[qkv]| fused::causal_attention(qkv, shape));
    // Two products over the half of the scores that is not masked; five in the backward pass.
    let pairs = (batch * seq * (seq + 1) / 2) as f64;
    let count = 4.0 * pairs * widths.d_model as f64;
    flops("attention", count, 2.5, times);
}

fn products(sizes: &Sizes, widths: &Widths, device: &Device) {
    let rows = sizes.batch * sizes.seq;
    let (inputs, outputs) = (widths.d_model, 2 * widths.d_ff);
    let count = 2.0 * (rows * inputs * outputs) as f64;
    let whole = [
        random([rows, inputs], device),
        random([inputs, outputs], device),
    ];
    let times = both(whole, device, |[x, weight]| {
        fused::weight_product(x, weight)
    });
    flops("product of a dense layer", count, 2.0, times);

    // Loads between half and one and a half of their mean.
    let experts = 16;
    let mut loads: Vec<usize> = (0..experts)
        .map(|expert| rows / experts / 2 + expert * rows / experts / (experts - 1))
        .collect();
    let routed: usize = loads.iter().sum();
    loads[experts - 1] = (loads[experts - 1] + rows).saturating_sub(routed);
    let rows = loads.iter().sum::<usize>();
    let mut offsets = vec![0];
    for load in &loads {
        offsets.push(offsets[offsets.len() - 1] + *load as i64);
    }
    let offsets = TensorData::new(offsets, [experts + 1]);
    let offsets = Tensor::<1, Int>::from_data(offsets, &device.clone().inner());
    let stacked = [
        random([1, rows, inputs], device),
        random([experts, inputs, outputs], device),
    ];
    let times = both(stacked, device, |[x, weights]| {
        experts::grouped_matmul(x.reshape([rows, inputs]), weights, offsets.clone())
    });
    let count = 2.0 * (rows * inputs * outputs) as f64;
    flops("products of 16 experts", count, 2.0, times);
}
