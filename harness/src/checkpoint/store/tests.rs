use super::*;
use crate::checkpoint::manifest::Origin;
use crate::checkpoint::snapshot::tests::{model, trained, training};
use crate::train::state::{TrainingProgress, TrainingState};

fn state() -> TrainingState {
    let config = model(r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}}"#);
    trained(&config, &training(), 1)
}

fn save(store: &Store, state: &TrainingState, step: usize, val_loss: Option<f64>, keep_best: bool) {
    let progress = TrainingProgress {
        step,
        ..TrainingProgress::default()
    };
    let manifest = Manifest::new("run", &progress, val_loss, Origin::default());
    let config = CheckpointConfig {
        keep_best,
        ..CheckpointConfig::default()
    };
    store
        .save(&state.decoder, &state.optimizers.dense, manifest, &config)
        .unwrap();
}

fn kept(store: &Store) -> Vec<usize> {
    store
        .steps()
        .unwrap()
        .into_iter()
        .map(|(step, _)| step)
        .collect()
}

fn latest(store: &Store) -> (Option<usize>, usize) {
    let latest = store.latest().unwrap();
    let step = latest.intact.map(|intact| intact.manifest.progress.step);
    (step, latest.unusable.len())
}

#[test]
fn the_last_ones_and_the_best_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("checkpoints"), "run");
    assert_eq!(latest(&store), (None, 0));
    let state = state();
    for (step, val_loss) in [
        (1, Some(3.0)),
        (2, Some(2.0)),
        (3, Some(2.5)),
        (4, None),
        (5, None),
    ] {
        save(&store, &state, step, val_loss, true);
    }
    assert_eq!(kept(&store), [2, 4, 5]);
    assert_eq!(latest(&store), (Some(5), 0));
    save(&store, &state, 6, None, false);
    assert_eq!(kept(&store), [5, 6]);
    store.clear(true).unwrap();
    assert!(kept(&store).is_empty());
    assert!(!store.folder().exists());
}

#[test]
fn a_damaged_or_foreign_checkpoint_is_named_and_the_one_before_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().to_owned(), "run");
    let state = state();
    save(&store, &state, 1, None, false);
    save(&store, &state, 2, None, false);
    let last = folder.path().join("step-000000002");
    for file in [
        "dense-0.safetensors",
        "state.json",
        "table-0.rows-0-16.columns-0-8.safetensors",
    ] {
        let path = last.join(file);
        let whole = fs::read(&path).unwrap();
        let torn = &whole[..whole.len() / 2];
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 4;
        for damaged in [torn, &flipped] {
            fs::write(&path, damaged).unwrap();
            let found = store.latest().unwrap();
            assert_eq!(found.intact.unwrap().manifest.progress.step, 1);
            let message = found.unusable[0].to_string();
            assert!(
                message.contains(file) && message.contains("damaged"),
                "{message}"
            );
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(latest(&store), (Some(2), 0));
    // Of another run, and under the name of another step.
    assert_eq!(
        latest(&Store::new(folder.path().to_owned(), "other")),
        (None, 2)
    );
    fs::rename(&last, folder.path().join("step-000000009")).unwrap();
    assert_eq!(latest(&store), (Some(1), 1));
    // The damaged one is replaced when training reaches its step again.
    save(&store, &state, 9, None, false);
    assert_eq!(latest(&store), (Some(9), 0));
}

#[test]
fn what_a_killed_process_left_is_removed_and_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().to_owned(), "run");
    save(&store, &state(), 1, None, false);
    let partial = folder.path().join(".writing-abc");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("dense-0.safetensors"), "half").unwrap();
    assert_eq!(latest(&store), (Some(1), 0));
    store.remove_partial().unwrap();
    assert!(!partial.exists());
    assert_eq!(kept(&store), [1]);
}

#[test]
fn a_folder_that_cannot_be_filled_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("weights");
    replace_folder(&target, folder.path(), |folder| {
        fs::write(folder.join("a"), "1").map_err(CheckpointError::io("write", folder))
    })
    .unwrap();
    let failed = replace_folder(&target, folder.path(), |folder| {
        Err::<(), _>(CheckpointError::damaged(folder, "made up"))
    });
    assert!(failed.is_err());
    assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "1");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
