//! Every parameter's gradient against finite differences, and the table's against a dense scatter-add.

mod models;

use architectures::{Decoder, Init, ModelConfig, Pass, ValueTable, loss};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Int, Tensor, TensorData};
use models::{VOCAB, every_model};

/// Step of the differences: large enough that f32 losses still differ, small enough that few top-k selections change.
const EPSILON: f32 = 1.5e-4;

fn batch(device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let values: Vec<i64> = (0..18)
        .map(|i| (i * i * 5 + 3 * i + 1) % VOCAB as i64)
        .collect();
    let whole = Tensor::<2, Int>::from_data(TensorData::new(values, [2, 9]), device);
    (whole.clone().narrow(1, 0, 8), whole.narrow(1, 1, 8))
}

fn total_loss(decoder: &Decoder, pass: &mut Pass, device: &Device) -> Tensor<1> {
    let (inputs, targets) = batch(device);
    let loss = loss::cross_entropy(decoder.forward(inputs, pass), targets);
    match pass.auxiliary_loss() {
        Some(auxiliary) => loss + auxiliary,
        None => loss,
    }
}

/// The loss as a number, in training mode, so that routing and auxiliary losses are those that were differentiated.
fn value(decoder: &Decoder, device: &Device) -> f64 {
    f64::from(total_loss(decoder, &mut Pass::training(), device).into_scalar::<f32>())
}

struct Ids(Vec<ParamId>);

impl ModuleVisitor for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.id);
    }
}

struct Gradient<'a> {
    id: ParamId,
    gradients: &'a burn::tensor::Gradients,
    found: Option<Vec<f32>>,
}

impl ModuleVisitor for Gradient<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.id == self.id {
            self.found = param
                .val()
                .grad(self.gradients)
                .map(|g| g.into_data().iter::<f32>().collect());
        }
    }
}

/// Adds `EPSILON * direction` to one parameter.
struct Nudge<'a> {
    id: ParamId,
    direction: &'a [f32],
}

impl ModuleMapper for Nudge<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id != self.id {
            return param;
        }
        let shape = param.val().dims();
        let step: Vec<f32> = self.direction.iter().map(|d| d * EPSILON).collect();
        param.map(|tensor| {
            let step = Tensor::<D>::from_data(TensorData::new(step, shape), &tensor.device());
            Tensor::from_inner((tensor + step).inner()).require_grad()
        })
    }
}

/// Adds noise to every parameter, so that none is zero and every gradient shows.
struct Perturb(u64);

impl ModuleMapper for Perturb {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let noise = Init::TruncatedNormal(0.05).draw(self.0, "noise", param.val().dims());
        param.map(|tensor| {
            let noise = Tensor::<D>::from_data(noise, &tensor.device());
            Tensor::from_inner((tensor + noise).inner()).require_grad()
        })
    }
}

/// A decoder in whose parameters and tables no value is zero.
fn perturbed(config: &ModelConfig, seed: u64, device: &Device) -> Decoder {
    let decoder = Decoder::new(config, seed, device).unwrap();
    for table in decoder.tables() {
        let noise = Init::TruncatedNormal(0.05).draw(seed, "noise", [table.rows(), table.width()]);
        let values = table.values();
        table.set_values(values.clone() + Tensor::from_data(noise, &values.device()));
    }
    decoder.map(&mut Perturb(seed))
}

/// A sign for every element, half of them negative.
fn direction(len: usize, salt: usize) -> Vec<f32> {
    (0..len)
        .map(|i| {
            if (i * 2654435761 + salt * 40503) >> 7 & 1 == 0 {
                1.0
            } else {
                -1.0
            }
        })
        .collect()
}

fn inner(gradient: &[f32], direction: &[f32]) -> f64 {
    gradient
        .iter()
        .zip(direction)
        .map(|(g, d)| f64::from(g * d))
        .sum()
}

/// Directional derivatives along sign vectors that disagree with the gradient, as (difference, gradient). One in five
/// may: the step may change a top-k selection, where the loss has no derivative.
fn disagreements(gradient: &[f32], mut difference: impl FnMut(&[f32]) -> f64) -> Vec<(f64, f64)> {
    let mut wrong = Vec::new();
    for salt in 0..5 {
        let direction = direction(gradient.len(), salt);
        let (expected, found) = (difference(&direction), inner(gradient, &direction));
        if (expected - found).abs() > 0.02 * expected.abs().max(found.abs()) + 5e-3 {
            wrong.push((expected, found));
        }
    }
    if wrong.len() <= 1 { Vec::new() } else { wrong }
}

/// Runs `check` from three initialisations, of which one must agree. Near a tie of two slots the loss is discontinuous in
/// every direction; an incorrect gradient is incorrect at all three.
fn agrees_somewhere(name: &str, mut check: impl FnMut(u64, usize) -> Option<Vec<(f64, f64)>>) {
    for number in 0.. {
        let mut wrong = Vec::new();
        for seed in 11..14 {
            match check(seed, number) {
                None => return,
                Some(found) if found.is_empty() => break,
                Some(found) => wrong.push(found),
            }
        }
        assert!(
            wrong.len() < 3,
            "{name}, parameter {number}: (difference, gradient) {wrong:?}"
        );
    }
}

#[test]
fn dense_parameters_match_finite_differences() {
    let device = Device::flex().autodiff();
    for (name, config) in every_model() {
        agrees_somewhere(&name, |seed, number| {
            let decoder = perturbed(&config, seed, &device);
            let gradients = total_loss(&decoder, &mut Pass::training(), &device).backward();
            let mut ids = Ids(Vec::new());
            decoder.visit(&mut ids);
            let &id = ids.0.get(number)?;
            let mut visitor = Gradient {
                id,
                gradients: &gradients,
                found: None,
            };
            decoder.visit(&mut visitor);
            let Some(gradient) = visitor.found else {
                panic!("{name}, parameter {number} is detached")
            };
            let zero = gradient.iter().all(|g| *g == 0.0);
            assert!(!zero, "{name}, parameter {number} has a gradient of zero");
            Some(disagreements(&gradient, |direction| {
                let minus: Vec<f32> = direction.iter().map(|d| -d).collect();
                let shifted = |direction: &[f32]| {
                    value(&decoder.clone().map(&mut Nudge { id, direction }), &device)
                };
                (shifted(direction) - shifted(&minus)) / f64::from(2.0 * EPSILON)
            }))
        });
    }
}

/// The dense gradient that a table's entries add up to.
fn scattered(table: &ValueTable, parts: &[architectures::TableGradient]) -> Vec<f32> {
    let width = table.width();
    let mut dense = vec![0f32; table.rows() * width];
    for part in parts {
        let [tokens, per_token] = part.ids.dims();
        let ids: Vec<i64> = part.ids.clone().into_data().iter::<i64>().collect();
        let weights: Vec<f32> = part.weights.clone().into_data().iter::<f32>().collect();
        let rows: Vec<f32> = part.rows.clone().into_data().iter::<f32>().collect();
        for token in 0..tokens {
            for j in 0..per_token {
                let entry = token * per_token + j;
                for column in 0..width {
                    dense[ids[entry] as usize * width + column] +=
                        weights[entry] * rows[token * width + column];
                }
            }
        }
    }
    dense
}

fn with_tables() -> impl Iterator<Item = (String, ModelConfig)> {
    every_model()
        .into_iter()
        .filter(|(_, config)| config.cost().unwrap().params_table > 0)
}

#[test]
fn tables_match_finite_differences_duplicates_included() {
    let device = Device::flex().autodiff();
    for (name, config) in with_tables() {
        agrees_somewhere(&name, |seed, number| {
            let decoder = perturbed(&config, seed, &device);
            let mut pass = Pass::training();
            let gradients = total_loss(&decoder, &mut pass, &device).backward();
            let tables = pass.into_table_gradients(&gradients);
            let (table, parts) = tables.get(number)?;
            // More reads than rows: some row of every table is read more than once.
            let reads = parts.iter().map(|part| part.ids.shape().num_elements());
            let (reads, rows) = (reads.sum::<usize>(), table.rows());
            assert!(
                reads > rows,
                "{name}: the batch reads {reads} of {rows} rows; give the table fewer rows in tests/models/mod.rs"
            );
            let original = table.values();
            Some(disagreements(&scattered(table, parts), |direction| {
                let shifted = |sign: f32| {
                    let step: Vec<f32> = direction.iter().map(|d| d * sign * EPSILON).collect();
                    let step = TensorData::new(step, [table.rows(), table.width()]);
                    table
                        .set_values(original.clone() + Tensor::from_data(step, &original.device()));
                    value(&decoder, &device)
                };
                (shifted(1.0) - shifted(-1.0)) / f64::from(2.0 * EPSILON)
            }))
        });
    }
}
