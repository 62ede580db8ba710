//! Training of one model by several ranks, each with equal parts of every batch.
//!
//! The sequences of a step are those of one rank, in the same order: rank `r` of `n` has the `r`-th of `n` consecutive parts. Losses,
//! gradients and statistics are scaled by a part's share of the batch and summed in the order of the ranks, so that `n` ranks
//! with one part each add the same numbers in the same order as one rank with `n` micro-batches. Each rank sums the
//! gradients of its parts before those of ranks are summed; with `zero_stage` 2 those of each part are summed over ranks first.
//!
//! The columns of value tables are split over the ranks ([`Decoder::on_ranks`]): their gradients need no sum.

use std::ops::Range;

use architectures::{ConfigError, Decoder};
use collectives::Collectives;
use experiment::training::{Division, TrainingConfig};

use super::backward::{self, backward};
use super::batches::Batch;
use super::own_gradients::OwnSums;
use super::step::{DenseGradients, SummedGradients};

/// Loss and gradients of one batch, summed over ranks.
pub struct SummedBatch {
    /// Mean negative log-likelihood, nats per token.
    pub loss: f64,
    /// Sum of the blocks' weighted auxiliary losses.
    pub auxiliary_loss: f64,
    /// Gradients of the parameters.
    pub parameters: SummedGradients,
}

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

/// Loss and gradients of a batch, of which `batch` is the part of this rank. Of the dense gradients, a rank receives the elements that
/// it updates.
pub fn gradients(
    ranks: &dyn Collectives,
    decoder: &Decoder,
    batch: Batch,
    division: Division,
) -> SummedBatch {
    if ranks.ranks() == 1 {
        let own = backward(decoder, batch, division);
        return SummedBatch {
            loss: own.loss,
            auxiliary_loss: own.auxiliary_loss,
            parameters: own.parameters.into(),
        };
    }
    let mut sums = OwnSums::new(ranks);
    let own = backward::divided(decoder, batch, division, &mut sums);
    let parameters = own.parameters;
    let message = Message {
        losses: [own.loss, own.auxiliary_loss],
        present: sums.present(decoder),
    };
    let all = ranks.all_gather_bytes(&message.bytes());
    let mut sum = Message::default();
    for bytes in all {
        let part = match Message::parse(&bytes, &message) {
            Some(part) => part,
            None => panic!(
                "a rank sent {} bytes about its step, this one {}: the ranks train different models",
                bytes.len(),
                message.bytes().len()
            ),
        };
        sum.add(&part);
    }
    let [loss, auxiliary_loss] = sum.losses;
    let dense = sums.finish(decoder, &sum.present);
    SummedBatch {
        loss,
        auxiliary_loss,
        parameters: SummedGradients {
            dense: DenseGradients::Own(dense),
            // Of the tokens of all ranks already: the columns of tables are split over ranks.
            tables: parameters.tables,
            statistics: parameters.statistics.over_ranks(ranks),
        },
    }
}

/// What a rank tells the others of its part of a step, beside gradients.
#[derive(Clone, Default)]
struct Message {
    /// Loss and auxiliary loss.
    losses: [f64; 2],
    /// Of each parameter, whether it has a gradient: an expert to which no token is routed has none.
    present: Vec<bool>,
}

impl Message {
    /// Values of 64 bits: losses, and 0 or 1 for each parameter.
    fn bytes(&self) -> Vec<u8> {
        let mut values = self.losses.to_vec();
        values.extend(self.present.iter().map(|present| f64::from(*present)));
        values.into_iter().flat_map(f64::to_le_bytes).collect()
    }

    /// A message about the same parameters as `own`; `None` if it is about others.
    fn parse(bytes: &[u8], own: &Self) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut values = words.iter().map(|word| f64::from_le_bytes(*word));
        let losses = [values.next()?, values.next()?];
        let mut present = Vec::with_capacity(own.present.len());
        for _ in &own.present {
            present.push(values.next()? != 0.0);
        }
        (rest.is_empty() && values.next().is_none()).then_some(Self { losses, present })
    }

    /// Adds the losses of `part`, and the parameters that have a gradient in it.
    fn add(&mut self, part: &Self) {
        if self.present.is_empty() {
            *self = part.clone();
            return;
        }
        for (sum, loss) in self.losses.iter_mut().zip(part.losses) {
            *sum += loss;
        }
        for (any, present) in self.present.iter_mut().zip(&part.present) {
            *any |= present;
        }
    }
}
