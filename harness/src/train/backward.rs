//! Loss and gradients of one batch, computed in parallel micro-batches.
//!
//! Each micro-batch runs forward and backward on its own fork of the parameters, so that small models, whose single
//! operations are too short to be parallelised, also use every core. Gradients are averaged in the order of the
//! micro-batches: the result depends on their number, but not on the number of threads.

use architectures::{Decoder, host_copy, loss};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};
use rayon::prelude::*;

use super::batches::Batch;
use super::step::{self, ParameterGradients};

/// Loss and gradients of one batch.
pub struct BatchGradients {
    /// Mean negative log-likelihood, nats per token.
    pub loss: f64,
    /// Sum of the blocks' weighted auxiliary losses.
    pub auxiliary_loss: f64,
    /// Gradients of the parameters, one entry per table; statistics summed over the batch.
    pub parameters: ParameterGradients,
}

/// Mean loss and gradients of `batch`, split into `micro_batches` parts of whole sequences.
pub fn backward(decoder: &Decoder, batch: Batch, micro_batches: usize) -> BatchGradients {
    let sequences = batch.0.dims()[0];
    let parts: Vec<BatchGradients> = (0..micro_batches)
        .into_par_iter()
        .map(|part| {
            let start = part * sequences / micro_batches;
            let len = (part + 1) * sequences / micro_batches - start;
            let narrow = |whole: &Tensor<2, Int>| whole.clone().narrow(0, start, len);
            let part = (narrow(&batch.0), narrow(&batch.1));
            differentiate(decoder, part, len as f64 / sequences as f64)
        })
        .collect();
    parts
        .into_iter()
        .reduce(|sum, part| add(decoder, sum, part))
        .unwrap_or_else(|| differentiate(decoder, batch, 1.0))
}

/// Loss and gradients of one micro-batch, scaled by its share of the batch.
fn differentiate(decoder: &Decoder, (inputs, targets): Batch, share: f64) -> BatchGradients {
    let device = inputs.device();
    let part = step::differentiate(decoder, &device, share, |decoder, pass| {
        loss::cross_entropy(decoder.forward(inputs, pass), targets)
    });
    let losses = host_copy::numbers([part.loss].into_iter().chain(part.auxiliary_loss).collect());
    BatchGradients {
        loss: f64::from(losses[0]),
        auxiliary_loss: losses.get(1).copied().map_or(0.0, f64::from),
        parameters: part.parameters,
    }
}

/// The sum of the losses and gradients of two micro-batches.
fn add(decoder: &Decoder, sum: BatchGradients, part: BatchGradients) -> BatchGradients {
    let (mut parameters, added) = (sum.parameters, part.parameters);
    let mut merge = GradientSum {
        sum: parameters.dense,
        part: added.dense,
    };
    decoder.visit(&mut merge);
    parameters.dense = merge.sum;
    for (table, parts) in added.tables {
        let mut tables = parameters.tables.iter_mut();
        match tables.find(|(other, _)| other.is(&table)) {
            Some((_, others)) => others.extend(parts),
            None => parameters.tables.push((table, parts)),
        }
    }
    parameters.statistics.merge(&added.statistics);
    BatchGradients {
        loss: sum.loss + part.loss,
        auxiliary_loss: sum.auxiliary_loss + part.auxiliary_loss,
        parameters,
    }
}

/// Adds the dense gradients `part` to `sum`, parameter by parameter.
struct GradientSum {
    sum: GradientsParams,
    part: GradientsParams,
}

impl ModuleVisitor for GradientSum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = match (
            self.sum.remove::<D>(param.id),
            self.part.remove::<D>(param.id),
        ) {
            (Some(sum), Some(part)) => sum + part,
            (Some(one), None) | (None, Some(one)) => one,
            // An expert to which no token of the batch is routed.
            (None, None) => return,
        };
        self.sum.register(param.id, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use architectures::{HasBuffers, ModelConfig};
    use burn::tensor::Device;

    /// Loss and dense gradients of a batch, and the output gradients of its table lookups.
    fn numbers(threads: usize, micro_batches: usize) -> [Vec<f32>; 2] {
        let config: ModelConfig = serde_json::from_str(
            r#"{"decoder": {"vocab_size": 30, "d_model": 16, "n_layers": 3, "n_heads": 2, "seq_len": 16},
                "blocks": [{"block": {"kind": "memory", "keys": {"n_keys": 6, "top_k": 4}, "gate": true,
                                      "shared_values": true},
                            "placement": "all"}]}"#,
        )
        .unwrap();
        let device = Device::flex().autodiff();
        let decoder = Decoder::new(&config, 0, &device).unwrap();
        let tokens: Vec<i64> = (0..4 * 17).map(|i| i * i % 30).collect();
        let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([4, 17]);
        let batch = (tokens.clone().narrow(1, 0, 16), tokens.narrow(1, 1, 16));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let batch_gradients = pool.install(|| backward(&decoder, batch, micro_batches));
        let mut all = GradientValues {
            gradients: &batch_gradients.parameters.dense,
            values: vec![batch_gradients.loss as f32],
        };
        decoder.visit(&mut all);
        let lookups = batch_gradients
            .parameters
            .tables
            .iter()
            .flat_map(|(_, parts)| parts);
        let rows = lookups.flat_map(|part| {
            part.rows
                .clone()
                .into_data()
                .iter::<f32>()
                .collect::<Vec<_>>()
        });
        [all.values, rows.collect()]
    }

    struct GradientValues<'a> {
        gradients: &'a GradientsParams,
        values: Vec<f32>,
    }

    impl ModuleVisitor for GradientValues<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.gradients.get::<D>(param.id).unwrap();
            self.values.extend(gradient.into_data().iter::<f32>());
        }
    }

    #[test]
    fn gradients_do_not_depend_on_the_number_of_threads() {
        assert_eq!(numbers(1, 2), numbers(2, 2));
        assert_eq!(numbers(1, 1), numbers(3, 1));
    }

    #[test]
    fn buffers_are_updated_once_from_all_parts() {
        let config: ModelConfig = serde_json::from_str(
            r#"{"decoder": {"vocab_size": 30, "d_model": 16, "n_layers": 2, "n_heads": 2, "seq_len": 16},
                "blocks": [{"block": {"kind": "deepseek_moe", "n_experts": 5, "top_k": 2, "d_ff": 8},
                            "placement": "all"}]}"#,
        )
        .unwrap();
        let device = Device::flex().autodiff();
        let tokens: Vec<i64> = (0..4 * 17).map(|i| i * i % 30).collect();
        let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([4, 17]);
        let batch = (tokens.clone().narrow(1, 0, 16), tokens.narrow(1, 1, 16));
        let biases = |micro_batches: usize| {
            let decoder = Decoder::new(&config, 0, &device).unwrap();
            for _ in 0..3 {
                let gradients = backward(&decoder, batch.clone(), micro_batches);
                decoder.update_buffers(&gradients.parameters.statistics);
            }
            let buffers = decoder.buffers().into_iter();
            buffers
                .flat_map(|buffer| buffer.values())
                .collect::<Vec<f32>>()
        };
        let whole = biases(1);
        assert!(whole.iter().any(|bias| *bias != 0.0));
        for _ in 0..3 {
            assert_eq!(biases(2), whole);
            assert_eq!(biases(4), whole);
        }
    }

    #[test]
    fn micro_batches_average_to_the_gradients_of_the_batch() {
        // Dense gradients only: the order of lookups depends on the number of micro-batches.
        let ([whole, _], [parts, _]) = (numbers(2, 1), numbers(2, 4));
        assert_eq!(whole.len(), parts.len());
        for (a, b) in whole.iter().zip(&parts) {
            assert!((a - b).abs() < 1e-4 * a.abs().max(0.1), "{a} {b}");
        }
    }
}
