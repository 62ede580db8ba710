//! Loss and gradients of one batch, its parts computed side by side.
//!
//! Each part runs forward and backward on a fork of the parameters, so that parts share nothing and small models, whose
//! single operations are too short for splitting, still use every core. Gradients are averaged in the order of
//! the parts: the result depends on their number, not on the threads.

use architectures::{Decoder, Statistics, loss};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};
use rayon::prelude::*;

use super::batches::Batch;
use super::step::{self, TableGradients};

/// Loss and gradients of one batch.
pub struct BatchGradients {
    /// Mean negative log-likelihood, nats per token.
    pub loss: f64,
    /// The blocks' own losses, weighted.
    pub auxiliary_loss: f64,
    /// Of the dense parameters.
    pub dense: GradientsParams,
    /// Of the tables, one entry per table.
    pub tables: TableGradients,
    /// Statistics for the blocks' buffers, summed over the batch.
    pub statistics: Statistics,
}

/// Differentiates the mean loss of `batch`, split into `micro_batches` parts of whole sequences.
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

/// One part; losses and gradients are scaled by the part's share of the batch.
fn differentiate(decoder: &Decoder, (inputs, targets): Batch, share: f64) -> BatchGradients {
    let device = inputs.device();
    let part = step::differentiate(decoder, &device, share, |decoder, pass| {
        loss::cross_entropy(decoder.forward(inputs, pass), targets)
    });
    let value = |loss: Tensor<1>| f64::from(loss.into_scalar::<f32>());
    BatchGradients {
        loss: value(part.loss),
        auxiliary_loss: part.auxiliary_loss.map_or(0.0, value),
        dense: part.dense,
        tables: part.tables,
        statistics: part.statistics,
    }
}

fn add(decoder: &Decoder, mut sum: BatchGradients, part: BatchGradients) -> BatchGradients {
    let mut merge = Merge {
        sum: sum.dense,
        part: part.dense,
    };
    decoder.visit(&mut merge);
    for (table, parts) in part.tables {
        match sum.tables.iter_mut().find(|(other, _)| other.is(&table)) {
            Some((_, others)) => others.extend(parts),
            None => sum.tables.push((table, parts)),
        }
    }
    sum.statistics.merge(&part.statistics);
    BatchGradients {
        loss: sum.loss + part.loss,
        auxiliary_loss: sum.auxiliary_loss + part.auxiliary_loss,
        dense: merge.sum,
        tables: sum.tables,
        statistics: sum.statistics,
    }
}

struct Merge {
    sum: GradientsParams,
    part: GradientsParams,
}

impl ModuleVisitor for Merge {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = match (
            self.sum.remove::<D>(param.id),
            self.part.remove::<D>(param.id),
        ) {
            (Some(sum), Some(part)) => sum + part,
            (Some(one), None) | (None, Some(one)) => one,
            // An expert that no token of the batch chose.
            (None, None) => return,
        };
        self.sum.register(param.id, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use architectures::ModelConfig;
    use burn::tensor::Device;

    /// Loss with the dense gradients of a batch, and the output gradients that its table lookups received.
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
        let mut all = Numbers {
            gradients: &batch_gradients.dense,
            values: vec![batch_gradients.loss as f32],
        };
        decoder.visit(&mut all);
        let lookups = batch_gradients.tables.iter().flat_map(|(_, parts)| parts);
        let rows = lookups.flat_map(|part| {
            part.rows
                .clone()
                .into_data()
                .iter::<f32>()
                .collect::<Vec<_>>()
        });
        [all.values, rows.collect()]
    }

    struct Numbers<'a> {
        gradients: &'a GradientsParams,
        values: Vec<f32>,
    }

    impl ModuleVisitor for Numbers<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.gradients.get::<D>(param.id).unwrap();
            self.values.extend(gradient.into_data().iter::<f32>());
        }
    }

    #[test]
    fn threads_change_no_bit() {
        assert_eq!(numbers(1, 2), numbers(2, 2));
        assert_eq!(numbers(1, 1), numbers(3, 1));
    }

    #[test]
    fn parts_average_to_the_whole() {
        // Dense gradients alone: parts list their lookups in an order of their own.
        let ([whole, _], [parts, _]) = (numbers(2, 1), numbers(2, 4));
        assert_eq!(whole.len(), parts.len());
        for (a, b) in whole.iter().zip(&parts) {
            assert!((a - b).abs() < 1e-4 * a.abs().max(0.1), "{a} {b}");
        }
    }
}
