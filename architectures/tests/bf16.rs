//! Models in bf16 against the same models in f32: gradients within bf16's rounding, and tables in bf16. A difference quotient of a
//! loss in bf16 is rounding error alone, so that gradients are compared with those in f32, which finite differences test.

mod models;

use architectures::{
    Decoder, Init, LazyAdam, ModelConfig, NumericFormat, Pass, TableGradient, TablePart, loss,
};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Gradients, Int, Tensor, TensorData};
use models::{VOCAB, every_model};

/// Largest norm of a gradient's difference from that in f32, relative to its norm. A bf16 is off by at most 2^-9 of its size; a
/// gradient has passed through dozens of roundings, and some are small differences of larger numbers, or change with the slot
/// that rounding selects.
const DIFFERENCE: f64 = 0.2;

/// Largest distance from one of the factor between both gradients, in the median of the initialisations.
const FACTOR: f64 = 0.1;

/// Initialisations.
const SEEDS: std::ops::Range<u64> = 21..29;

fn in_bf16(config: &ModelConfig) -> ModelConfig {
    let mut config = config.clone();
    config.decoder.numeric_format = NumericFormat::Bf16;
    config
}

fn tokens(batch: usize, from: usize, device: &Device) -> Tensor<2, Int> {
    let values: Vec<i64> = (0..batch * 8)
        .map(|i| ((i + from) * (i + from) * 5 + 3 * (i + from) + 1) as i64 % VOCAB as i64)
        .collect();
    Tensor::from_data(TensorData::new(values, [batch, 8]), device)
}

/// Adds noise to every parameter, so that no gradient is zero, and rounds it to bf16, so that both formats compute with equal ones.
struct Perturb(u64);

impl ModuleMapper for Perturb {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let noise = Init::TruncatedNormal(0.05).draw(self.0, "noise", param.val().dims());
        param.map(|tensor| {
            let noise = Tensor::<D>::from_data(noise, &tensor.device());
            let rounded = (tensor + noise).inner().cast(DType::BF16).cast(DType::F32);
            Tensor::from_inner(rounded).require_grad()
        })
    }
}

struct Collect<'a> {
    gradients: &'a Gradients,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.val().grad(self.gradients) else {
            panic!("a parameter is detached")
        };
        assert_eq!(gradient.dtype(), DType::F32);
        self.found.push(gradient.into_data().iter().collect());
    }
}

/// The dense gradient that the parts of a table's gradient add up to.
fn scattered([rows, width]: [usize; 2], parts: &[TableGradient]) -> Vec<f32> {
    let mut dense = vec![0f32; rows * width];
    for part in parts {
        let [_, per_token] = part.ids.dims();
        let ids = part.ids.clone().into_data();
        let weights: Vec<f32> = part.weights.clone().into_data().iter().collect();
        let values: Vec<f32> = part.rows.clone().into_data().iter().collect();
        for (entry, (id, weight)) in ids.iter::<i64>().zip(&weights).enumerate() {
            let values = &values[entry / per_token * width..][..width];
            let row = &mut dense[id as usize * width..][..width];
            for (sum, value) in row.iter_mut().zip(values) {
                *sum += weight * value;
            }
        }
    }
    dense
}

/// The loss, and the gradients of dense parameters, then of tables.
fn differentiated(config: &ModelConfig, seed: u64, device: &Device) -> (f64, Vec<Vec<f32>>) {
    let decoder = Decoder::new(config, seed, device).unwrap();
    let decoder = decoder.map(&mut Perturb(seed));
    // In f32 too, the tables have values of bf16.
    for table in decoder.tables() {
        let noise = Init::TruncatedNormal(0.05).draw(seed, "noise", [table.rows(), table.width()]);
        let values = table.values().cast(DType::F32);
        let noise = Tensor::from_data(noise, &values.device());
        table.set_values((values + noise).cast(DType::BF16));
    }
    let mut pass = Pass::training();
    let logits = decoder.forward(tokens(3, 0, device), &mut pass);
    assert_eq!(logits.dtype(), DType::F32);
    let mut total = loss::cross_entropy(logits, tokens(3, 1, device));
    if let Some(auxiliary) = pass.auxiliary_loss() {
        total = total + auxiliary;
    }
    let value = f64::from(total.clone().into_scalar::<f32>());
    let gradients = total.backward();
    let mut collect = Collect {
        gradients: &gradients,
        found: Vec::new(),
    };
    decoder.visit(&mut collect);
    let mut found = collect.found;
    for (table, parts) in pass.into_table_gradients(&gradients) {
        found.push(scattered([table.rows(), table.width()], &parts));
    }
    (value, found)
}

/// A gradient in bf16 beside that in f32.
struct Agreement {
    /// Norm of the difference over the norm in f32.
    difference: f64,
    /// Inner product of both over the squared norm in f32.
    factor: f64,
}

/// Of each gradient.
fn agreements(config: &ModelConfig, seed: u64, device: &Device) -> Vec<Agreement> {
    let (expected_loss, expected) = differentiated(config, seed, device);
    let (found_loss, found) = differentiated(&in_bf16(config), seed, device);
    assert_ne!(expected_loss, found_loss, "nothing was rounded");
    assert!(
        (expected_loss - found_loss).abs() < 0.02 * expected_loss,
        "{found_loss} {expected_loss}"
    );
    assert_eq!(expected.len(), found.len());
    let inner = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let pairs = found.iter().zip(&expected);
    pairs
        .map(|(found, expected)| {
            let difference: Vec<f32> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
            let square = inner(expected, expected);
            Agreement {
                difference: (inner(&difference, &difference) / square).sqrt(),
                factor: inner(found, expected) / square,
            }
        })
        .collect()
}

/// Of several initialisations one must agree, for each gradient: rounding may select another slot or expert, where the gradient is
/// discontinuous. An incorrect gradient is incorrect at all.
#[test]
fn gradients_are_those_in_f32_within_the_rounding_of_bf16() {
    let device = Device::flex().autodiff();
    let mut wrong = Vec::new();
    for (name, config) in every_model() {
        let of_seeds: Vec<Vec<Agreement>> = SEEDS
            .map(|seed| agreements(&config, seed, &device))
            .collect();
        for number in 0..of_seeds[0].len() {
            let own = || of_seeds.iter().map(|found| &found[number]);
            let best = own().fold(f64::INFINITY, |best, one| best.min(one.difference));
            let mut factors: Vec<f64> = own().map(|one| one.factor).collect();
            factors.sort_by(f64::total_cmp);
            let factor = factors[factors.len() / 2];
            // Written so that NaN is wrong.
            if !(best < DIFFERENCE && (factor - 1.0).abs() < FACTOR) {
                wrong.push(format!(
                    "{name}, gradient {number}: {best}, factor {factor}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tables_are_stored_in_bf16_and_cached_decoding_gives_the_logits_of_whole_sequences() {
    let device = Device::flex();
    for (name, config) in every_model() {
        let decoder = Decoder::new(&in_bf16(&config), 3, &device).unwrap();
        for table in decoder.tables() {
            assert_eq!(table.values().dtype(), DType::BF16, "{name}");
        }
        let inputs = tokens(2, 0, &device);
        let whole = decoder.forward(inputs.clone(), &mut Pass::evaluation());
        let mut cache = decoder.cache();
        let first = decoder.extend(inputs.clone().narrow(1, 0, 5), &mut cache);
        let last = decoder.extend(inputs.narrow(1, 5, 3), &mut cache);
        let both = Tensor::cat(vec![first, last], 1);
        let size: f32 = whole.clone().abs().max().into_scalar();
        let difference: f32 = (whole - both).abs().mean().into_scalar();
        // The order of roundings differs; on average over logits little remains, even where a slot differs.
        assert!(difference < 0.02 * size, "{name}: {difference} of {size}");
    }
}

/// A step of training: the loss, and the parameters and tables after it.
fn stepped(
    decoder: Decoder,
    adam: &mut ModuleOptimizer,
    tables: &LazyAdam,
    device: &Device,
) -> (f32, Decoder) {
    let mut pass = Pass::training();
    let logits = decoder.forward(tokens(4, 0, device), &mut pass);
    let loss = loss::cross_entropy(logits, tokens(4, 1, device));
    let value = loss.clone().into_scalar();
    let total = match pass.auxiliary_loss() {
        Some(auxiliary) => loss + auxiliary,
        None => loss,
    };
    let gradients = total.backward();
    let parts = pass.into_table_gradients(&gradients);
    let dense = GradientsParams::from_grads(gradients, &decoder);
    let decoder = adam.step(1e-2, decoder, dense);
    for (table, parts) in parts {
        table.update(parts, tables, 1e-2);
    }
    (value, decoder)
}

#[test]
fn every_block_overfits_one_batch_in_bf16() {
    let device = Device::flex().autodiff();
    for (number, (name, config)) in every_model().into_iter().enumerate() {
        let moments = [NumericFormat::F32, NumericFormat::Bf16][number % 2];
        let tables = LazyAdam {
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-8,
            max_norm: Some(1.0),
            moments,
        };
        let mut decoder = Decoder::new(&in_bf16(&config), 5, &device).unwrap();
        let mut adam = AdamWConfig::new().with_epsilon(1e-8).init();
        let mut last = f32::INFINITY;
        for _ in 0..150 {
            (last, decoder) = stepped(decoder, &mut adam, &tables, &device);
        }
        assert!(last < 0.15, "{name} stays at {last}");
        for table in decoder.tables() {
            assert_eq!(table.format_of(TablePart::Mean), Some(moments), "{name}");
        }
    }
}
