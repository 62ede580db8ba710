//! Checkpoints that some ranks write and others read.

use std::ops::ControlFlow;
use std::path::Path;

use architectures::ModelConfig;
use collectives::{Collectives, OneRank, thread_ranks};
use experiment::training::TrainingConfig;
use harness::checkpoint::manifest::{Manifest, Origin};
use harness::checkpoint::snapshot;
use harness::ranks::gathered::{AfterCheckpoint, answer};
use harness::ranks::order::{Order, give};
use harness::train::TrainSpec;
use harness::train::state::TrainingState;

use crate::models::every_model;
use crate::training::{Outcome, train_on, training, with_vocabulary};

const STEPS: usize = 6;
/// The step after which a checkpoint is written and training stops.
const STOP: usize = 3;

fn save(folder: &Path, ranks: &dyn Collectives, state: &TrainingState) -> ControlFlow<()> {
    if state.progress.step < STOP {
        return ControlFlow::Continue(());
    }
    if ranks.rank() > 0 {
        assert_eq!(answer(ranks, state), AfterCheckpoint::Continue);
        return ControlFlow::Break(());
    }
    let manifest = Manifest::new("run", &state.progress, None, Origin::default());
    let optimizer = Some(&state.optimizers.dense);
    // Files so small that there are several.
    snapshot::write(folder, &state.decoder, optimizer, manifest, 1 << 14).unwrap();
    give(ranks, &Order::Continue);
    ControlFlow::Break(())
}

/// Trains to the checkpoint on `ranks` ranks.
fn write(folder: &Path, ranks: usize, of: (&ModelConfig, &TrainingConfig)) -> Manifest {
    let of = (of.0, of.1, STEPS);
    let first = |spec: &TrainSpec| TrainingState::new(spec).unwrap();
    let after = |ranks: &dyn Collectives, state: &TrainingState| save(folder, ranks, state);
    match ranks {
        1 => drop(train_on(&OneRank::shared(), of, &first, &after)),
        _ => drop(thread_ranks(ranks, |ranks| {
            train_on(&ranks, of, &first, &after)
        })),
    }
    snapshot::verify(folder, "run").unwrap()
}

/// Trains from the checkpoint to the end on `ranks` ranks.
fn resume(folder: &Path, ranks: usize, of: (&ModelConfig, &TrainingConfig)) -> Outcome {
    let of = (of.0, of.1, STEPS);
    let first = |spec: &TrainSpec| {
        let manifest = snapshot::verify(folder, "run").unwrap();
        snapshot::read_state(folder, &manifest, spec).unwrap()
    };
    let go_on = |_: &dyn Collectives, _: &TrainingState| ControlFlow::Continue(());
    match ranks {
        1 => train_on(&OneRank::shared(), of, &first, &go_on),
        _ => thread_ranks(ranks, |ranks| train_on(&ranks, of, &first, &go_on)).remove(0),
    }
}

#[test]
fn a_checkpoint_is_the_same_for_any_number_of_ranks_and_continues_on_any() {
    // One part for each of four ranks, and no clipping: all numbers of ranks then give the same bits.
    let keys = "clip_norm = 0.0\ntable_clip_norm = 0.0\nmicro_batches = 4";
    let training = training(keys);
    for (name, model) in every_model() {
        let model = with_vocabulary(&model);
        let of = (&model, &training);
        let (one, four) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let by_one = write(one.path(), 1, of);
        let by_four = write(four.path(), 4, of);
        assert!(by_one.files.len() > 3, "{name}");
        assert_eq!(by_four.files, by_one.files, "{name}");
        assert_eq!(by_four.dense_updates, by_one.dense_updates, "{name}");
        let whole = resume(one.path(), 1, of);
        assert_eq!(whole.steps.len(), STEPS - STOP);
        let bits = |outcome: &Outcome| {
            outcome
                .steps
                .iter()
                .map(|s| s[0].to_bits())
                .collect::<Vec<_>>()
        };
        let again = resume(four.path(), 4, of);
        assert_eq!(bits(&again), bits(&whole), "{name}");
        assert_eq!(again.weights, whole.weights, "{name}");
        assert_eq!(resume(four.path(), 1, of), whole, "{name}");
        // Two ranks add the gradients of four parts in another order.
        for (own, one) in resume(four.path(), 2, of).steps.iter().zip(&whole.steps) {
            assert!(
                (own[0] - one[0]).abs() < 1e-6 * one[0],
                "{name}: {own:?} {one:?}"
            );
        }
    }
}
