//! Tables whose columns are split over ranks, compared with whole tables, for every block with tables.

mod models;

use std::sync::Arc;

use architectures::{
    Decoder, LazyAdam, ModelConfig, NumericFormat, Pass, TableGradient, ValueTable, loss,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use collectives::{Collectives, OneRank, thread_ranks};
use models::{VOCAB, every_model};

const STEPS: usize = 3;
/// Sequences and tokens of one rank in one step.
const TOKENS: [usize; 2] = [2, 8];

/// The optimizer of the tables. Its epsilon is large, so that the updates are smooth functions of the gradient.
const OPTIMIZER: LazyAdam = LazyAdam {
    beta_1: 0.9,
    beta_2: 0.95,
    epsilon: 1e-2,
    max_norm: Some(0.02),
    moments: NumericFormat::F32,
};

/// The models with tables, at widths that two and four ranks divide.
fn models_with_tables() -> Vec<(String, ModelConfig)> {
    let models = every_model().into_iter();
    let models = models.filter(|(_, model)| model.cost().unwrap().params_table > 0);
    let widened = models.map(|(name, model)| {
        let mut json = serde_json::to_value(&model).unwrap();
        for placed in json["blocks"].as_array_mut().unwrap() {
            let block = placed["block"].as_object_mut().unwrap();
            for key in ["value_dim", "pre_value_dim", "head_dim"] {
                if let Some(width) = block.get_mut(key).filter(|width| width.is_u64()) {
                    *width = width.as_u64().unwrap().next_multiple_of(4).into();
                }
            }
        }
        (name, serde_json::from_value(json).unwrap())
    });
    widened.collect()
}

/// Whether a sum over columns, which ranks add in parts, is in the model's forward pass.
fn has_dot_products(name: &str) -> bool {
    name.contains("peer") || name.contains("ultra_mem")
}

fn tokens(rank: usize, step: usize, device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let [batch, seq] = TOKENS;
    let ids = 0..(batch * (seq + 1)) as i64;
    let (rank, step) = (rank as i64, step as i64);
    let ids = ids.map(|i| (i * i * 5 + (3 + rank) * i + 7 * step + 1) % VOCAB as i64);
    let ids = TensorData::new(ids.collect::<Vec<i64>>(), [batch, seq + 1]);
    let whole = Tensor::<2, Int>::from_data(ids, device);
    (whole.clone().narrow(1, 0, seq), whole.narrow(1, 1, seq))
}

/// What one rank's part of a step gives.
struct Part {
    logits: Vec<f32>,
    dense: Vec<f32>,
    tables: Vec<(ValueTable, Vec<TableGradient>)>,
}

/// The gradients of all dense parameters, one after the other; zeros for those without one.
struct Dense<'a> {
    gradients: &'a Gradients,
    values: Vec<f32>,
}

impl ModuleVisitor for Dense<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val();
        let gradient = values.grad(self.gradients);
        let gradient = gradient.unwrap_or_else(|| values.inner().zeros_like());
        self.values.extend(gradient.into_data().iter::<f32>());
    }
}

/// Loss of the tokens of `rank`, as its share of `ranks`, with all gradients.
fn differentiate(decoder: &Decoder, rank: usize, ranks: usize, step: usize) -> Part {
    let device = Device::flex().autodiff();
    let (inputs, targets) = tokens(rank, step, &device);
    let mut pass = Pass::training();
    let logits = decoder.forward(inputs, &mut pass);
    let values = logits.clone().inner().into_data().iter::<f32>().collect();
    let loss = loss::cross_entropy(logits, targets);
    let loss = match pass.auxiliary_loss() {
        Some(auxiliary) => loss + auxiliary,
        None => loss,
    };
    let gradients = (loss / ranks as f32).backward();
    let mut dense = Dense {
        gradients: &gradients,
        values: Vec::new(),
    };
    decoder.visit(&mut dense);
    let dense = dense.values;
    Part {
        logits: values,
        dense,
        tables: pass.into_table_gradients(&gradients),
    }
}

/// What a rank has after each step.
#[derive(Default)]
struct Record {
    logits: Vec<Vec<f32>>,
    dense: Vec<Vec<f32>>,
    norms: Vec<Vec<f32>>,
    bounds: Vec<Vec<f64>>,
    /// Columns of this rank.
    tables: Vec<Vec<f32>>,
    /// Logits of the tokens of rank 0 in evaluation, whole and cached.
    evaluated: Vec<f32>,
    /// The same by rank 0 alone, whose lookups the other ranks serve.
    served: Vec<f32>,
}

fn evaluated(decoder: &Decoder) -> Vec<f32> {
    let (inputs, _) = tokens(0, STEPS, &Device::flex().autodiff());
    let whole = decoder.forward(inputs.clone(), &mut Pass::evaluation());
    let mut cache = decoder.cache();
    let first = decoder.extend(inputs.clone().narrow(1, 0, 5), &mut cache);
    let rest = decoder.extend(inputs.narrow(1, 5, 3), &mut cache);
    let all = [whole, first, rest].into_iter();
    all.flat_map(|logits| logits.into_data().iter::<f32>().collect::<Vec<_>>())
        .collect()
}

/// Several steps, of which the parts of `own` ranks are computed by this process one after the other.
fn train(decoder: &Decoder, own: &[usize], ranks: usize) -> Record {
    let mut record = Record::default();
    for step in 0..STEPS {
        let parts = own
            .iter()
            .map(|&rank| differentiate(decoder, rank, ranks, step));
        let mut tables: Vec<(ValueTable, Vec<TableGradient>)> = Vec::new();
        let mut dense: Vec<f32> = Vec::new();
        let mut logits = Vec::new();
        for part in parts {
            logits.extend(part.logits);
            dense.resize(part.dense.len(), 0.0);
            dense
                .iter_mut()
                .zip(part.dense)
                .for_each(|(sum, part)| *sum += part);
            for (table, entries) in part.tables {
                match tables.iter_mut().find(|(other, _)| other.is(&table)) {
                    Some((_, others)) => others.extend(entries),
                    None => tables.push((table, entries)),
                }
            }
        }
        let bounds = tables.iter();
        let bounds = bounds.map(|(table, parts)| {
            let squares = table.squares(parts).into_iter();
            let on_host = squares.map(|part| part.map(architectures::host_copy::number));
            on_host.map(TableGradient::norm_bound).sum()
        });
        record.bounds.push(bounds.collect());
        let norms = tables.into_iter();
        let norms = norms.map(|(table, parts)| {
            architectures::host_copy::number(table.update(parts, &OPTIMIZER, 0.01))
        });
        record.norms.push(norms.collect());
        record.logits.push(logits);
        record.dense.push(dense);
        let values = |table: &&ValueTable| table.values().into_data().iter::<f32>().collect();
        record.tables = decoder.tables().iter().map(values).collect();
    }
    record.evaluated = evaluated(decoder);
    if own.contains(&0) {
        let served = decoder.with_served_lookups();
        assert_eq!(served.is_some(), decoder.table_ranks().is_some());
        // Two passes at a time, as the parts of a benchmark are evaluated.
        let passes = std::thread::scope(|scope| {
            let passes = [0, 1].map(|_| scope.spawn(|| evaluated(decoder)));
            passes.map(|pass| pass.join().unwrap())
        });
        assert_eq!(passes[0], passes[1]);
        let [pass, _] = passes;
        record.served = pass;
    } else {
        decoder.serve_lookups();
    }
    // All ranks evaluate together again.
    assert_eq!(evaluated(decoder), record.evaluated);
    record
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0f32, |most, x| most.max(x.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-6 * largest.max(1.0),
            "{what}: {found} instead of {expected} at {at}, largest {largest}"
        );
    }
}

fn trains_as_one_rank(ranks: usize) {
    let device = Device::flex().autodiff();
    let mut clipped = Vec::new();
    for (name, model) in models_with_tables() {
        let name = format!("{name}, {ranks} ranks");
        let whole = Decoder::new(&model, 3, &device).unwrap();
        let initial: Vec<Vec<f32>> = whole
            .tables()
            .iter()
            .map(|table| table.values().into_data().iter::<f32>().collect())
            .collect();
        let all: Vec<usize> = (0..ranks).collect();
        let expected = train(&whole, &all, ranks);
        let widths: Vec<usize> = whole.tables().iter().map(|table| table.width()).collect();
        let columns = |values: &[f32], table: usize, rank: usize| -> Vec<f32> {
            let own = widths[table] / ranks;
            let rows = values.chunks_exact(widths[table]);
            rows.flat_map(|row| row[rank * own..(rank + 1) * own].to_vec())
                .collect()
        };

        let records = thread_ranks(ranks, |collectives| {
            let rank = collectives.rank();
            let decoder = Decoder::on_ranks(&model, 3, &device, collectives).unwrap();
            for (number, table) in decoder.tables().into_iter().enumerate() {
                let values: Vec<f32> = table.values().into_data().iter::<f32>().collect();
                assert_eq!(values, columns(&initial[number], number, rank), "{name}");
            }
            let record = train(&decoder, &[rank], ranks);
            for (own, whole) in decoder.tables().into_iter().zip(whole.tables()) {
                assert_eq!(own.memory_bytes() * ranks as u64, whole.memory_bytes());
            }
            record
        });

        let norms = expected.norms.iter().flatten();
        clipped.extend(norms.map(|norm| Some(*norm) > OPTIMIZER.max_norm));
        for step in 0..STEPS {
            let gather = |part: fn(&Record) -> &Vec<Vec<f32>>| -> Vec<f32> {
                records
                    .iter()
                    .flat_map(|record| part(record)[step].clone())
                    .collect()
            };
            let logits = gather(|record| &record.logits);
            if step == 0 && !has_dot_products(&name) {
                assert_eq!(
                    logits, expected.logits[0],
                    "{name}: columns are independent"
                );
            }
            assert_close(
                &format!("{name}, logits of step {step}"),
                &logits,
                &expected.logits[step],
            );
            let mut dense = vec![0f32; expected.dense[step].len()];
            for record in &records {
                let parts = dense.iter_mut().zip(&record.dense[step]);
                parts.for_each(|(sum, part)| *sum += part);
            }
            let what = format!("{name}, dense gradients of step {step}");
            assert_close(&what, &dense, &expected.dense[step]);
            for record in &records {
                let what = format!("{name}, norms of step {step}");
                assert_close(&what, &record.norms[step], &expected.norms[step]);
                assert_eq!(record.norms[step], records[0].norms[step], "{what}");
                assert_eq!(record.bounds[step], records[0].bounds[step], "{what}");
                let bounds = record.bounds[step].iter().zip(&record.norms[step]);
                for (bound, norm) in bounds {
                    assert!(
                        *bound >= f64::from(*norm) * 0.999_99,
                        "{name}: {bound} {norm}"
                    );
                }
            }
        }
        for (rank, record) in records.iter().enumerate() {
            for (number, found) in record.tables.iter().enumerate() {
                let expected = columns(&expected.tables[number], number, rank);
                assert_close(&format!("{name}, table {number}"), found, &expected);
            }
            assert_close(
                &format!("{name}, evaluation"),
                &record.evaluated,
                &expected.evaluated,
            );
            assert_eq!(record.evaluated, records[0].evaluated, "{name}");
            assert_eq!(record.evaluated, records[0].served, "{name}");
        }
    }
    assert!(clipped.contains(&true) && clipped.contains(&false));
}

#[test]
fn two_ranks_train_as_one() {
    trains_as_one_rank(2);
}

#[test]
fn four_ranks_train_as_one() {
    trains_as_one_rank(4);
}

/// Bytes that a rank sends for lookups, by the formula of `value_table/split.rs`: forward and backward, bags and dot products.
fn lookup_bytes(name: &str, table: &ValueTable, parts: &[TableGradient], ranks: usize) -> usize {
    // Ids of tables with fewer than 2^31 rows have 4 bytes.
    let (float, id) = (4, 4);
    let lookups = parts.iter().map(|part| {
        let [tokens, per_token] = part.ids.dims();
        let (reads, values) = (tokens / ranks * per_token, tokens / ranks * table.width());
        // Engram reads rows at the constant weight one.
        let weights = if name.contains("engram") { 1 } else { 2 };
        reads * (id + weights * float) + 2 * values * float / ranks
    });
    (ranks - 1) * lookups.sum::<usize>()
}

#[test]
fn bytes_are_those_of_the_formula() {
    let device = Device::flex().autodiff();
    for ranks in [2, 4] {
        for (name, model) in models_with_tables() {
            let bytes = thread_ranks(ranks, |collectives| {
                let traffic = collectives.clone();
                let sent = || traffic.traffic().bytes_sent as usize;
                let decoder = Decoder::on_ranks(&model, 3, &device, collectives.clone()).unwrap();
                let part = differentiate(&decoder, collectives.rank(), ranks, 0);
                let step = sent();
                let lookups = part.tables.iter();
                let lookups = lookups
                    .map(|(table, parts)| lookup_bytes(&name, table, parts, ranks))
                    .sum::<usize>();
                let mut norms = 0;
                for (table, parts) in part.tables {
                    table.squares(&parts);
                    norms += 8 * (ranks - 1) * (parts.len().div_ceil(ranks) + 1);
                    table.update(parts, &OPTIMIZER, 0.01);
                }
                // The ranks first agree on the pass: a length and 32 bytes.
                [
                    (step, lookups + (ranks - 1) * (8 + 32)),
                    (sent() - step, norms),
                ]
            });
            for [step, update] in bytes {
                assert_eq!(
                    step.0, step.1,
                    "{name}, {ranks} ranks, forward and backward"
                );
                assert_eq!(update.0, update.1, "{name}, {ranks} ranks, update");
            }
        }
    }
}

#[test]
fn a_width_that_ranks_do_not_divide_is_an_error() {
    let peer = &models_with_tables()[0];
    let errors = thread_ranks(3, |ranks| {
        let decoder = Decoder::on_ranks(&peer.1, 3, &Device::flex(), ranks);
        decoder.err().map(|error| error.to_string())
    });
    for error in errors {
        let error = error.unwrap();
        assert!(
            error.contains("the table down of width 16") && error.contains("among 3 ranks"),
            "{error}"
        );
    }
}

#[test]
fn one_rank_has_whole_tables() {
    let (_, model) = &models_with_tables()[0];
    let one: Arc<dyn Collectives> = Arc::new(OneRank);
    let decoder = Decoder::on_ranks(model, 3, &Device::flex(), one).unwrap();
    assert!(decoder.table_ranks().is_none());
}
