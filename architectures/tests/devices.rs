//! Every block on the devices of this build against the CPU backend: the same loss, gradients and losses in training.
#![cfg(any(
    feature = "tch",
    feature = "cuda",
    feature = "vulkan",
    feature = "wgpu",
    feature = "cubecl-cpu"
))]

mod models;

use architectures::{
    AdamW, Decoder, LazyAdam, ModelConfig, NumericFormat, Pass, TableGradient, loss,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use models::{VOCAB, every_model};

/// The backends of this build; a GPU only if CubeCL's CPU runtime does not replace it.
#[allow(deprecated)] // Burn has deprecated its libtorch backend.
fn devices() -> Vec<(&'static str, Device)> {
    vec![
        #[cfg(feature = "tch")]
        ("libtorch", Device::libtorch()),
        #[cfg(feature = "cubecl-cpu")]
        ("cubecl-cpu", Device::cpu()),
        #[cfg(all(feature = "cuda", not(feature = "cubecl-cpu")))]
        ("cuda", Device::cuda(0)),
        #[cfg(all(feature = "vulkan", not(feature = "cubecl-cpu")))]
        (
            "vulkan",
            Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
        ),
        #[cfg(all(feature = "wgpu", not(feature = "cubecl-cpu")))]
        (
            "wgpu",
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        ),
    ]
}

/// Gradients in the order of the parameters; `None` for a parameter without gradient.
struct InOrder<'a> {
    gradients: &'a Gradients,
    found: Vec<Option<Vec<f32>>>,
}

impl ModuleVisitor for InOrder<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients);
        self.found.push(gradient.map(|g| host(&g)));
    }
}

fn host<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}

/// A table's gradient, dense.
fn dense(rows: usize, width: usize, parts: &[TableGradient]) -> Vec<f32> {
    let mut dense = vec![0f32; rows * width];
    for part in parts {
        let [_, per_token] = part.ids.dims();
        let (weights, values) = (host(&part.weights), host(&part.rows));
        for (entry, id) in part.ids.clone().into_data().iter::<i64>().enumerate() {
            for column in 0..width {
                dense[id as usize * width + column] +=
                    weights[entry] * values[entry / per_token * width + column];
            }
        }
    }
    dense
}

/// Training of a model: the loss of every step, and the first step's gradients.
struct Trace {
    losses: Vec<f32>,
    gradients: Vec<Option<Vec<f32>>>,
    logits: Vec<f32>,
}

fn trace(config: &ModelConfig, device: &Device) -> Trace {
    let device = device.clone().autodiff();
    let adam = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: Some(0.1),
        moments: NumericFormat::F32,
    };
    let dense_adam = AdamW {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        weight_decay: 0.1,
        keep_where_zero: false,
    };
    let mut optimizer = ModuleOptimizer::from(dense_adam);
    let mut decoder = Decoder::new(config, 3, &device).unwrap();
    let values: Vec<i64> = (0..18)
        .map(|i| (i * i * 5 + 3 * i + 1) % VOCAB as i64)
        .collect();
    let whole = Tensor::<2, Int>::from_data(TensorData::new(values, [2, 9]), &device);
    let (inputs, targets) = (whole.clone().narrow(1, 0, 8), whole.narrow(1, 1, 8));
    let mut trace = Trace {
        losses: Vec::new(),
        gradients: Vec::new(),
        logits: Vec::new(),
    };
    for step in 0..4 {
        let mut pass = Pass::training();
        let mut total =
            loss::cross_entropy(decoder.forward(inputs.clone(), &mut pass), targets.clone());
        if let Some(auxiliary) = pass.auxiliary_loss() {
            total = total + auxiliary;
        }
        trace.losses.push(total.clone().into_scalar());
        let gradients = total.backward();
        let tables = pass.into_table_gradients(&gradients);
        if step == 0 {
            let mut visitor = InOrder {
                gradients: &gradients,
                found: Vec::new(),
            };
            decoder.visit(&mut visitor);
            trace.gradients = visitor.found;
            for (table, parts) in &tables {
                let dense = dense(table.rows(), table.width(), parts);
                trace.gradients.push(Some(dense));
            }
        }
        let gradients = GradientsParams::from_grads(gradients, &decoder);
        decoder = optimizer.step(0.01, decoder, gradients);
        for (table, parts) in tables {
            table.update(parts, &adam, 0.01);
        }
    }
    // Greedy decoding uses another implementation of attention.
    let mut cache = decoder.cache();
    for position in 0..3 {
        let logits = decoder.extend(inputs.clone().narrow(1, position, 1), &mut cache);
        trace.logits.extend(host(&logits));
    }
    trace
}

fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-4f32, |size, x| size.max(x.abs()));
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (found - expected).abs() <= tolerance * size;
        assert!(close, "{what}, {place}: {found} {expected}");
    }
}

#[test]
fn every_block_trains_as_on_the_cpu_backend() {
    for (model, config) in every_model() {
        let expected = trace(&config, &Device::flex());
        for (device, handle) in devices() {
            let found = trace(&config, &handle);
            let what = |part: &str| format!("{part} of {model} on {device}");
            assert_close(
                &what("losses"),
                &found.losses[..1],
                &expected.losses[..1],
                1e-5,
            );
            assert_eq!(found.gradients.len(), expected.gradients.len());
            let gradients = found.gradients.iter().zip(&expected.gradients);
            for (number, gradients) in gradients.enumerate() {
                let what = what(&format!("gradient {number}"));
                match gradients {
                    (Some(found), Some(expected)) => assert_close(&what, found, expected, 1e-4),
                    (found, expected) => assert_eq!(found.is_some(), expected.is_some(), "{what}"),
                }
            }
            // Adam's first step divides a gradient by its magnitude, which amplifies rounding of the smallest ones.
            assert_close(&what("losses"), &found.losses, &expected.losses, 2e-3);
            assert_close(&what("logits"), &found.logits, &expected.logits, 2e-2);
        }
    }
}
