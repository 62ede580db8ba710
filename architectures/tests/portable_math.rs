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
/// a block that is meant to change them changes these numbers too, of cached decoding alone the second; a processor must not.
const LOGITS: &[(&str, [u64; 2])] = &[
    ("dense", [0x104a70c45ca48720, 0xfd78ce240ba3dc83]),
    (
        "dense, grouped heads, tied",
        [0x646d216d66b52d6d, 0xe414f8a2b5e1ef78],
    ),
    ("dense, biases", [0x9116c3c5ce928f4e, 0xdef8dc829c8b276f]),
    (
        "dense, scaled rotations",
        [0xc4a724836e45ebba, 0xf3d5608bee8fb72e],
    ),
    ("moe top-1", [0x266ccc696c093059, 0xf9491e426f533a7f]),
    (
        "moe top-2 normalised",
        [0x0b9cf36f2a8a4dfb, 0x777a570e46c0d6c7],
    ),
    (
        "moe expert choice",
        [0x4a7064228a9e9a59, 0x19bec2e7e59315a4],
    ),
    ("peer", [0xa1436bc7d665bd64, 0xfa77a466c8a8f640]),
    (
        "peer of the paper",
        [0x80fa1e499c782687, 0x9999f3fb333aa1fe],
    ),
    ("memory", [0x28497060179927b1, 0x21c5ea3c74c2bbea]),
    (
        "memory, relu, narrow",
        [0x7df757ad641fb3f6, 0x2180f7301a278741],
    ),
    (
        "memory, normalised",
        [0x4e308c84f8857a83, 0xda6feaeb3b00b1d6],
    ),
    ("memory+", [0x324c48b60ae3e752, 0x2cce3d1acc1bd035]),
    ("mlp", [0xc20af44973517a25, 0x059b94c6e36e53c8]),
    ("mlp, exact", [0x842444b5c1453c59, 0x8cc362b2ff70aafb]),
    ("deepseek_moe", [0xeca50c8f5ab94a47, 0x1ef4bef6995c4f4d]),
    (
        "deepseek_moe, balance loss",
        [0x05c52c50d3bd854d, 0x4f4961855abca880],
    ),
    (
        "memory+ beside the feed-forward",
        [0xf947ccd8072c53f3, 0x5feaaf357de270e4],
    ),
    (
        "memory before attention",
        [0x7b33ee6b05bcc9bb, 0x31c7ecdfe2def65e],
    ),
    ("ultra_mem", [0x845d3ae42d4a2246, 0x44ead1c08ecf9ea0]),
    (
        "ultra_mem, one core",
        [0xeef2b8c25afdf672, 0xfd3dff2ff43fcbd9],
    ),
    ("engram", [0xea7abb434f1a5cf7, 0x1e0bf0a18f989b29]),
    (
        "engram, plain gate, no convolution",
        [0x6c257c626c060813, 0x95453f683104dde0],
    ),
    ("hashed_bigram", [0xd58893e9ded9ef0f, 0x950f43371224acc7]),
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
    let computed: Vec<(String, [u64; 2])> = every_model()
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
            (name, [fingerprint(&[whole]), fingerprint(&[first, last])])
        })
        .collect();
    let expected: Vec<(String, [u64; 2])> = LOGITS
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
fn fingerprint(tensors: &[Tensor<3>]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for tensor in tensors {
        for value in tensor.to_data().iter::<f32>() {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
