//! Equal bits on all processors, in builds with `portable-math`.
#![cfg(feature = "portable-math")]

mod models;

use std::hint::black_box;

use architectures::{Decoder, LazyAdam, NumericFormat, Pass, loss};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use models::{VOCAB, every_model};

#[test]
fn functions_of_std_are_those_of_libm() {
    for i in 1..20_000 {
        let x = black_box(f64::from(i) * 1.37e-3);
        let y = black_box(x as f32);
        let equal = [
            (x.exp(), libm::exp(x)),
            (x.ln(), libm::log(x)),
            (x.powf(-0.37), libm::pow(x, -0.37)),
            (x.sin(), libm::sin(x)),
            (x.tanh(), libm::tanh(x)),
            (f64::from(y.exp()), f64::from(libm::expf(y))),
            (f64::from(y.ln()), f64::from(libm::logf(y))),
            (f64::from(y.powf(0.37)), f64::from(libm::powf(y, 0.37))),
            (f64::from(y.cos()), f64::from(libm::cosf(y))),
            (f64::from(y.tanh()), f64::from(libm::tanhf(y))),
        ];
        for (index, (own, expected)) in equal.into_iter().enumerate() {
            assert_eq!(own.to_bits(), expected.to_bits(), "function {index} of {x}");
        }
        let ((sine, cosine), expected) = (x.sin_cos(), libm::sincos(x));
        assert_eq!((sine, cosine), expected, "sine and cosine of {x}");
    }
}

/// The bits of the logits of each of [`every_model`] after three steps, and of those with a cache. A change of a kernel or
/// a block that is meant to change them changes these numbers too; a processor must not.
const LOGITS: &[(&str, u64)] = &[
    ("dense", 0xbcafbafdd5028364),
    ("dense, grouped heads, tied", 0xcab4f498af102e74),
    ("dense, biases", 0x1e65632f7decbbb9),
    ("dense, scaled rotations", 0xd778b8b98423efcf),
    ("moe top-1", 0x87f31dd3950061a3),
    ("moe top-2 normalised", 0x0e1ac580a512e3cc),
    ("moe expert choice", 0x3631ff484f01758b),
    ("peer", 0xd4ddf74a7913af87),
    ("peer of the paper", 0x8b87a592f9bc9925),
    ("memory", 0x01a2fa04ebe28626),
    ("memory, relu, narrow", 0x9541d89abf986a98),
    ("memory, normalised", 0x234aa4615d3e591c),
    ("memory+", 0x60bc4fee24d0d84e),
    ("mlp", 0x8973d60e83a233ec),
    ("mlp, exact", 0x52dfb36f5fb03fee),
    ("deepseek_moe", 0x7786543f75babd58),
    ("deepseek_moe, balance loss", 0x4916138caa4e959b),
    ("memory+ beside the feed-forward", 0x771bf9aff3e99e6e),
    ("memory before attention", 0x05540e38aedf292e),
    ("ultra_mem", 0x675214b79680b826),
    ("ultra_mem, one core", 0x53dcc9c7de214d49),
    ("engram", 0xbfa065a27d10a5b8),
    ("engram, plain gate, no convolution", 0x145f45b2ccfc9033),
    ("hashed_bigram", 0x600ad0cdc5b07a00),
];

#[test]
fn every_block_has_the_recorded_bits() {
    let device = Device::flex().autodiff();
    let optimizer = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: Some(1.0),
        moments: NumericFormat::F32,
    };
    let computed: Vec<(String, u64)> = every_model()
        .into_iter()
        .map(|(name, config)| {
            let mut decoder = Decoder::new(&config, 5, &device).unwrap();
            let mut adam = AdamWConfig::new().with_epsilon(1e-8).init();
            let (inputs, targets) = (tokens(0, &device), tokens(1, &device));
            for _ in 0..3 {
                let mut pass = Pass::training();
                let logits = decoder.forward(inputs.clone(), &mut pass);
                let mut total = loss::cross_entropy(logits, targets.clone());
                if let Some(auxiliary) = pass.auxiliary_loss() {
                    total = total + auxiliary;
                }
                let gradients = total.backward();
                let tables = pass.into_table_gradients(&gradients);
                let gradients_of_dense = GradientsParams::from_grads(gradients, &decoder);
                decoder = adam.step(1e-2, decoder, gradients_of_dense);
                for (table, parts) in tables {
                    table.update(parts, &optimizer, 1e-2);
                }
            }
            let whole = decoder.forward(inputs.clone(), &mut Pass::evaluation());
            let mut cache = decoder.cache();
            let first = decoder.extend(inputs.clone().narrow(1, 0, 5), &mut cache);
            let last = decoder.extend(inputs.narrow(1, 5, 3), &mut cache);
            (name, fingerprint([whole, first, last]))
        })
        .collect();
    let expected: Vec<(String, u64)> = LOGITS
        .iter()
        .map(|&(name, bits)| (name.to_owned(), bits))
        .collect();
    assert_eq!(computed, expected, "computed, then recorded");
}

/// `[4, 8]` tokens.
fn tokens(from: usize, device: &Device) -> Tensor<2, Int> {
    let values: Vec<i64> = (from..from + 32)
        .map(|i| ((i * 7 + i * i * 3 + 5) % VOCAB) as i64)
        .collect();
    Tensor::from_data(TensorData::new(values, [4, 8]), device)
}

/// FNV-1a over the bits of all values.
fn fingerprint(tensors: [Tensor<3>; 3]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for tensor in tensors {
        for value in tensor.into_data().iter::<f32>() {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
