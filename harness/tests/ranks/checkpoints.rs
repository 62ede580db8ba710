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

use crate::training::{Outcome, has_tables, models_for_ranks, outcomes, train_on, training};

const STEPS: usize = 6;
/// The step after which a checkpoint is written and training stops.
const STOP: usize = 3;

fn save(folder: &Path, ranks: &dyn Collectives, state: &TrainingState) -> ControlFlow<()> {
    if state.progress.step < STOP {
        return ControlFlow::Continue(());
    }
    let optimizer = Some(&state.optimizers.dense);
    if ranks.rank() > 0 {
        assert_eq!(
            answer(ranks, &state.decoder, optimizer),
            AfterCheckpoint::Continue
        );
        return ControlFlow::Break(());
    }
    let manifest = Manifest::new("run", &state.progress, None, Origin::default());
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
fn a_checkpoint_continues_on_any_number_of_ranks() {
    let training = training("micro_batches = 4");
    for (name, model) in models_for_ranks() {
        let of = (&model, &training);
        let whole = |ranks| outcomes(ranks, (&model, &training, STEPS)).remove(0);
        for (writers, readers) in [(4, [4, 2, 1]), (1, [1, 2, 4])] {
            let folder = tempfile::tempdir().unwrap();
            let manifest = write(folder.path(), writers, of);
            assert!(manifest.files.len() > 3, "{name}");
            let whole = whole(writers);
            for readers in readers {
                let resumed = resume(folder.path(), readers, of);
                assert_eq!(resumed.steps.len(), STEPS - STOP);
                if readers == writers {
                    assert_eq!(resumed.steps, whole.steps[STOP..], "{name}");
                    assert_eq!(resumed.weights, whole.weights, "{name}");
                }
                for (own, one) in resumed.steps.iter().zip(&whole.steps[STOP..]) {
                    let difference = (own[0] - one[0]).abs() / one[0];
                    assert!(
                        difference < 1e-6,
                        "{name}: {writers} to {readers} ranks: {own:?} {one:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn without_tables_a_checkpoint_has_the_same_bytes_for_any_number_of_ranks() {
    // One part for each of four ranks, and no clipping: all then give the same bits.
    let training = training("clip_norm = 0.0\nmicro_batches = 4");
    let models = models_for_ranks().into_iter();
    for (name, model) in models.filter(|(_, model)| !has_tables(model)) {
        let manifest = |ranks| {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), ranks, (&model, &training))
        };
        let (one, four) = (manifest(1), manifest(4));
        assert_eq!(four.files, one.files, "{name}");
        assert_eq!(four.dense_updates, one.dense_updates, "{name}");
    }
}
