//! Gradients of a step that is computed in parts, with layers evaluated again or with the loss in pieces, for every block.

#[path = "../../architectures/tests/models/mod.rs"]
mod models;

use architectures::{Decoder, HasBuffers, ModelConfig, loss};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use experiment::training::{Division, Recompute};
use harness::train::Batch;
use harness::train::backward::backward;
use harness::train::gradients::TableGradients;
use models::every_model;

/// The results of a backward pass by name.
#[derive(Debug, PartialEq)]
struct Numbers(Vec<(String, Vec<f64>)>);

fn random_batch(decoder: &Decoder, sequences: usize, device: &Device) -> Batch {
    let (vocab, seq) = (decoder.config().vocab_size, decoder.config().seq_len);
    let tokens: Vec<i64> = (0..sequences * (seq + 1))
        .map(|i| ((i * i * 7 + i * 5 + i / 11) % vocab) as i64)
        .collect();
    let tokens = TensorData::new(tokens, [sequences, seq + 1]);
    let tokens = Tensor::<2, Int>::from_data(tokens, device);
    (
        tokens.clone().narrow(1, 0, seq).into(),
        tokens.narrow(1, 1, seq),
    )
}

/// Loss, gradients and updated buffers of `config` with six sequences.
fn numbers(config: &ModelConfig, division: Division) -> Numbers {
    let device = Device::flex().autodiff();
    let decoder = Decoder::new(config, 3, &device).unwrap();
    let batch = random_batch(&decoder, 6, &device);
    let found = backward(&decoder, batch, division);
    let [loss, auxiliary_loss] = found.losses.on_host();
    let mut all = Gradients {
        gradients: &found.parameters.dense,
        numbers: vec![
            ("loss".to_owned(), vec![loss]),
            ("auxiliary loss".to_owned(), vec![auxiliary_loss]),
        ],
    };
    decoder.visit(&mut all);
    let mut numbers = all.numbers;
    numbers.extend(dense_tables(&found.parameters.tables));
    decoder.update_buffers(&found.parameters.statistics);
    for (number, buffer) in decoder.buffers().iter().enumerate() {
        let values = buffer.values().into_iter().map(f64::from);
        numbers.push((format!("buffer {number}"), values.collect()));
    }
    Numbers(numbers)
}

struct Gradients<'a> {
    gradients: &'a GradientsParams,
    numbers: Vec<(String, Vec<f64>)>,
}

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = format!("parameter {}", self.numbers.len() - 2);
        let gradient = self.gradients.get::<D>(param.id);
        let values = gradient.map(|gradient| gradient.into_data().iter::<f64>().collect());
        self.numbers.push((name, values.unwrap_or_default()));
    }
}

/// The gradient of each table as a dense matrix, summed in the order of the entries.
fn dense_tables(tables: &TableGradients) -> Vec<(String, Vec<f64>)> {
    let dense = tables.iter().enumerate().map(|(number, (table, parts))| {
        let width = table.width();
        let mut gradient = vec![0f32; table.rows() * width];
        for part in parts {
            let [tokens, per_token] = part.ids.dims();
            let ids: Vec<i64> = part.ids.clone().into_data().iter().collect();
            let weights: Vec<f32> = part.weights.clone().into_data().iter().collect();
            let rows: Vec<f32> = part.rows.clone().into_data().iter().collect();
            for (entry, (&id, &weight)) in ids.iter().zip(&weights).enumerate() {
                let row = &rows[entry / per_token * width..][..width];
                let sums = &mut gradient[id as usize * width..][..width];
                sums.iter_mut()
                    .zip(row)
                    .for_each(|(sum, value)| *sum += weight * value);
            }
            assert_eq!(ids.len(), tokens * per_token);
        }
        let values = gradient.into_iter().map(f64::from).collect();
        (format!("table {number}"), values)
    });
    dense.collect()
}

/// The names of numbers whose bits differ.
fn differing<'a>(numbers: &'a Numbers, other: &Numbers) -> Vec<&'a str> {
    assert_eq!(numbers.0.len(), other.0.len());
    let pairs = numbers.0.iter().zip(&other.0);
    let differing = pairs.filter(|(one, other)| one != other);
    differing.map(|((name, _), _)| name.as_str()).collect()
}

/// The largest distance of a gradient in `other`, relative to the norm of that in `numbers`, with its name.
fn largest_distance(numbers: &Numbers, other: &Numbers) -> (f64, String) {
    let norm = |values: &mut dyn Iterator<Item = f64>| {
        values.map(|value| value * value).sum::<f64>().sqrt()
    };
    let mut largest = (0.0, String::new());
    assert_eq!(numbers.0.len(), other.0.len());
    for ((name, left), (_, right)) in numbers.0.iter().zip(&other.0) {
        assert_eq!(left.len(), right.len(), "{name}");
        let distance = norm(&mut left.iter().zip(right).map(|(a, b)| a - b));
        let relative = distance / norm(&mut left.iter().copied()).max(f64::MIN_POSITIVE);
        if relative > largest.0 {
            largest = (relative, name.clone());
        }
    }
    largest
}

#[test]
fn recomputed_layers_give_the_same_bits_for_every_block() {
    for (name, config) in every_model() {
        for micro_batches in [1, 2] {
            let with = |recompute| {
                let division = Division {
                    micro_batches,
                    recompute,
                    ..Division::WHOLE
                };
                numbers(&config, division)
            };
            let stored = with(Recompute::None);
            for layers in 1..=3 {
                let recomputed = with(Recompute::Every(layers));
                let differing = differing(&stored, &recomputed);
                assert!(
                    differing.is_empty(),
                    "{name}, every {layers}: {differing:?}"
                );
            }
        }
    }
}

#[test]
fn parts_in_sequence_give_the_gradients_of_the_whole_batch() {
    // Balance losses and expert choice belong to a part: there the gradient is not that of the whole batch.
    let of_a_part = ["moe", "balance loss"];
    for (name, config) in every_model() {
        let divided = |accumulate, micro_batches| Division {
            accumulate,
            micro_batches,
            ..Division::WHOLE
        };
        let parts = numbers(&config, divided(3, 2));
        // The same parts, side by side.
        let side_by_side = numbers(&config, divided(1, 6));
        assert!(differing(&parts, &side_by_side).is_empty(), "{name}");
        if of_a_part.iter().any(|part| name.contains(part)) && name != "deepseek_moe" {
            continue;
        }
        let whole = numbers(&config, Division::WHOLE);
        let (distance, of) = largest_distance(&whole, &parts);
        assert!(distance < 1e-6, "{name}: {of} off by {distance:e}");
    }
}

#[test]
fn a_loss_in_pieces_gives_the_same_gradients() {
    for tied in [false, true] {
        let config: ModelConfig = serde_json::from_str(&format!(
            r#"{{"decoder": {{"vocab_size": 65536, "d_model": 16, "n_layers": 2, "n_heads": 2, "d_ff": 24,
                "seq_len": 100, "tie_embeddings": {tied}}}, "blocks": []}}"#
        ))
        .unwrap();
        let tokens = 6 * 100;
        let vocab = config.decoder.vocab_size;
        assert_eq!(loss::rows_of_piece(tokens, vocab), 512, "two pieces");
        // In three parts no logits exceed a piece.
        let whole = Division {
            accumulate: 3,
            ..Division::WHOLE
        };
        let (whole, pieces) = (numbers(&config, whole), numbers(&config, Division::WHOLE));
        let (distance, of) = largest_distance(&whole, &pieces);
        assert!(distance < 1e-6, "{of} off by {distance:e}");
        let recomputed = Division {
            recompute: Recompute::Every(1),
            ..Division::WHOLE
        };
        assert!(differing(&numbers(&config, recomputed), &pieces).is_empty());
    }
}
