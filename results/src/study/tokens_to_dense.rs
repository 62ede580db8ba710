//! The tokens after which a block has the validation loss that dense has at the end of training.

use super::{Rung, Study, mean};
use crate::RunRow;
use crate::gains::{TokensToScore, tokens_to_loss};

/// The blocks of one size and budget.
#[derive(Clone, Debug, PartialEq)]
pub struct TokensToDense<'s> {
    /// The size and budget.
    pub rung: &'s Rung,
    /// Dense's final validation loss in nats per token, mean over seeds.
    pub dense_loss: f64,
    /// Dense's training tokens, mean over seeds.
    pub dense_tokens: f64,
    /// Each block that can be compared with dense, with an element for each of its seeds. Blocks of which no loss was
    /// recorded during training are left out.
    pub blocks: Vec<(&'s str, Vec<TokensToScore>)>,
}

/// All sizes and budgets where dense finished with a finite loss, from the smallest.
pub fn tokens_to_dense<'s>(study: &'s Study) -> Vec<TokensToDense<'s>> {
    let of_rung = |rung: &'s Rung| {
        let dense = study.finished_reference(rung);
        let dense_loss = mean(&dense, |run| run.val_loss);
        dense_loss.is_finite().then(|| TokensToDense {
            rung,
            dense_loss,
            dense_tokens: mean(&dense, |run| run.tokens as f64),
            blocks: blocks(study, rung, dense_loss),
        })
    };
    study.rungs.iter().filter_map(of_rung).collect()
}

fn blocks<'s>(
    study: &'s Study,
    rung: &'s Rung,
    dense_loss: f64,
) -> Vec<(&'s str, Vec<TokensToScore>)> {
    let tokens = |run: &&RunRow| tokens_to_loss(study.frames.steps_of(&run.run).iter(), dense_loss);
    let blocks = study.blocks.iter().copied();
    blocks
        .filter(|block| !study.is_reference(block) && study.comparable(block, rung))
        .map(|block| {
            let runs = study.finished(block, rung);
            (block, runs.iter().map(tokens).collect::<Vec<_>>())
        })
        .filter(|(_, seeds)| seeds.iter().any(|one| *one != TokensToScore::Unmeasured))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::rows::{changed, ladder};
    use crate::{Frames, StepRow};

    fn step(run: &str, tokens: u64, val_loss: f64) -> StepRow {
        StepRow {
            run: run.into(),
            step: tokens,
            tokens,
            train_flops: 0.0,
            wall_s: 0.0,
            loss: 9.0,
            val_loss: Some(val_loss),
            learning_rate: 0.0,
            grad_norm: 0.0,
            table_grad_norm: 0.0,
            auxiliary_loss: 0.0,
            tokens_per_s: 0.0,
        }
    }

    #[test]
    fn blocks_trained_as_dense_was_are_held_to_its_final_loss() {
        let all = ladder(&[("memory", 100), ("moe", 100), ("peer", 100)]);
        let all = changed(&all, |run| {
            if run.block == "peer" {
                run.data_fingerprint = "other".into();
            }
        });
        // Dense ends at 1.9 on this rung. Nothing was recorded of moe.
        let steps = vec![
            step("memory-1", 1000, 2.5),
            step("memory-1", 100_000, 1.9),
            step("peer-1", 1000, 1.0),
        ];
        let frames = Frames::new(all.runs().to_vec(), steps, vec![], vec![], vec![]);
        let study = Study::new(&frames);
        let found = tokens_to_dense(&study);
        assert_eq!(found.len(), 3);
        let middle = &found[1];
        assert_eq!((middle.dense_loss, middle.dense_tokens), (1.9, 1e6));
        let [("memory", seeds)] = middle.blocks.as_slice() else {
            panic!("{middle:?}")
        };
        assert!(matches!(seeds[..], [TokensToScore::At(tokens)] if (tokens - 1e5).abs() < 1.0));
    }
}
