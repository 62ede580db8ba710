//! Training of one model by several ranks, each with equal parts of every batch.
//!
//! The sequences of a step are those of one rank, in the same order: rank `r` of `n` has the `r`-th of `n` consecutive parts. Losses,
//! gradients and statistics are scaled by a part's share of the batch and summed in the order of the ranks, so that `n` ranks
//! with one part each add the same numbers in the same order as one rank with `n` micro-batches. Each rank sums the
//! gradients of its parts before those of ranks are summed; with `zero_stage` 2 those of each part are summed over ranks first.
//!
//! The columns of value tables are split over the ranks ([`Decoder::on_ranks`]): their gradients need no sum.

use std::ops::Range;

use architectures::{ConfigError, Decoder, HasBuffers, Statistics};
use collectives::Collectives;
use experiment::training::{Division, TrainingConfig};

use super::backward::{self, backward};
use super::batches::Batch;
use super::gradients::{DenseGradients, SummedBatch, SummedGradients};
use super::own_gradients::OwnSums;

/// Checks that `ranks` can train with `training` together.
///
/// # Errors
/// If the sequences of a batch cannot be divided into equal parts.
pub fn check_ranks(training: &TrainingConfig, ranks: usize) -> Result<(), ConfigError> {
    match training.batch_size.is_multiple_of(ranks) {
        true => Ok(()),
        false => Err(ConfigError::new(
            "batch_size",
            format!(
                "= {} cannot be divided among {ranks} ranks",
                training.batch_size
            ),
            "start a number of ranks that divides it",
        )),
    }
}

/// The part of `sequences` that the rank has.
pub fn own_sequences(sequences: Range<u64>, ranks: &dyn Collectives) -> Range<u64> {
    let (rank, count) = (ranks.rank() as u64, ranks.ranks() as u64);
    let each = (sequences.end - sequences.start) / count;
    let first = sequences.start + rank * each;
    first..first + each
}

/// Losses and gradients of a batch, of which `batch` is the part of this rank. Of the dense gradients, a rank receives the elements that
/// it updates.
pub fn gradients(
    ranks: &dyn Collectives,
    decoder: &Decoder,
    batch: Batch,
    division: Division,
) -> SummedBatch {
    if ranks.ranks() == 1 {
        return backward(decoder, batch, division).into();
    }
    let mut sums = OwnSums::new(ranks);
    let own = backward::divided(decoder, batch, division, &mut sums);
    let parameters = own.parameters;
    let message = Message {
        present: sums.present(decoder),
        statistics: statistics_of(decoder, &parameters.statistics),
    };
    let all = ranks.all_gather_bytes(&message.bytes());
    let mut present = vec![false; message.present.len()];
    let mut statistics = Statistics::default();
    for bytes in all {
        let part = match Message::parse(&bytes, &message) {
            Some(part) => part,
            None => panic!(
                "a rank sent {} bytes about its step, this one {}: the ranks train different models",
                bytes.len(),
                message.bytes().len()
            ),
        };
        for (any, present) in present.iter_mut().zip(&part.present) {
            *any |= present;
        }
        for (buffer, values) in decoder.buffers().into_iter().zip(part.statistics) {
            if let Some(values) = values {
                statistics.add(buffer, &values);
            }
        }
    }
    let dense = sums.finish(decoder, &present);
    SummedBatch {
        losses: own.losses,
        parameters: SummedGradients {
            dense: DenseGradients::Own(Box::new(dense)),
            // Of the tokens of all ranks already: the columns of tables are split over ranks.
            tables: parameters.tables,
            statistics,
        },
    }
}

/// What a rank tells the others of its part of a step, beside losses and gradients: what its host knows.
struct Message {
    /// Of each parameter, whether it has a gradient: an expert to which no token is routed has none.
    present: Vec<bool>,
    /// Of each buffer, what was recorded.
    statistics: Vec<Option<Vec<f64>>>,
}

impl Message {
    /// Values of 64 bits: 0 or 1 for each parameter, and for each buffer the number of values and the values.
    fn bytes(&self) -> Vec<u8> {
        let present = self.present.iter();
        let mut values: Vec<f64> = present.map(|present| f64::from(*present)).collect();
        for recorded in &self.statistics {
            let recorded = recorded.as_deref().unwrap_or_default();
            values.push(recorded.len() as f64);
            values.extend(recorded);
        }
        values.into_iter().flat_map(f64::to_le_bytes).collect()
    }

    /// A message about the same parameters and buffers as `own`; `None` if it is about others.
    fn parse(bytes: &[u8], own: &Self) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut values = words.iter().map(|word| f64::from_le_bytes(*word));
        let mut present = Vec::with_capacity(own.present.len());
        for _ in &own.present {
            present.push(values.next()? != 0.0);
        }
        let mut statistics = Vec::with_capacity(own.statistics.len());
        for _ in &own.statistics {
            let count = values.next()? as usize;
            let recorded: Vec<f64> = values.by_ref().take(count).collect();
            if recorded.len() < count {
                return None;
            }
            statistics.push((count > 0).then_some(recorded));
        }
        (rest.is_empty() && values.next().is_none()).then_some(Self {
            present,
            statistics,
        })
    }
}

fn statistics_of(decoder: &Decoder, statistics: &Statistics) -> Vec<Option<Vec<f64>>> {
    let buffers = decoder.buffers().into_iter();
    buffers
        .map(|buffer| statistics.of(buffer).map(<[f64]>::to_vec))
        .collect()
}
