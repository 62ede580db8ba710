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
    // A parameter that does not reach a rank's loss has no gradient there.
    let present: Vec<u8> = sums.present(decoder).into_iter().map(u8::from).collect();
    let mut any = vec![false; present.len()];
    for of_rank in ranks.all_gather_bytes(&present) {
        assert_eq!(
            of_rank.len(),
            present.len(),
            "a rank has gradients of another number of parameters: the ranks train different models"
        );
        for (any, present) in any.iter_mut().zip(of_rank) {
            *any |= present != 0;
        }
    }
    let dense = sums.finish(decoder, &any);
    SummedBatch {
        losses: own.losses,
        parameters: SummedGradients {
            dense: DenseGradients::Own(Box::new(dense)),
            // Of the tokens of all ranks already: the columns of tables are split over ranks.
            tables: parameters.tables,
            statistics: parameters.statistics.over_ranks(ranks),
        },
    }
}
