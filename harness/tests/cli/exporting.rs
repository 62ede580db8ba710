//! `isoflop export`, and runs that begin with the parameters of an exported model.

use std::fs;

use architectures::DeviceName;
use interchange::{Layout, import};
use results::Records;

use crate::scratch::{Scratch, TINY};

#[test]
fn a_run_is_exported_and_another_begins_with_it() {
    let scratch = Scratch::new(TINY);
    let swept = scratch.isoflop(&["sweep", "sweep.toml", "--quiet"]);
    assert_eq!(swept.code, Some(0), "{swept:?}");

    let exported = scratch.isoflop(&["export", "tiny:xs/dense", "models/dense"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    for text in [
        "(xs dense seed 0)",
        "layout: Hugging Face Llama",
        "model.safetensors",
        "config.json",
    ] {
        assert!(exported.out.contains(text), "{text}: {exported:?}");
    }
    let memory = scratch.isoflop(&["export", "tiny:xs/memory", "memory", "--dtype", "bf16"]);
    assert_eq!(memory.code, Some(0), "{memory:?}");
    assert!(memory.out.contains("layout: isoflop"), "{memory:?}");
    let device = DeviceName::Flex.open();
    let model = import(&scratch.path("models/dense"), &device).unwrap();
    assert_eq!(model.layout, Layout::Llama);
    assert_eq!(
        import(&scratch.path("memory"), &device)
            .unwrap()
            .model
            .blocks
            .len(),
        1
    );

    let again = scratch.isoflop(&["export", "tiny:xs/dense", "models/dense"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(
        again.err.contains("models/dense exists already"),
        "{again:?}"
    );
    let several = scratch.isoflop(&["export", "tiny", "both"]);
    assert_eq!(several.code, Some(2), "{several:?}");
    assert!(
        several
            .err
            .contains("tiny selects 2 runs; name one, SWEEP:SIZE/BLOCK/SEED, or one of "),
        "{several:?}"
    );
    assert!(!scratch.path("both").exists());

    // A memory in one layer of the dense model, with and without the fingerprint.
    let from = |fingerprint: &str| {
        let init_from =
            format!("[training]\ninit_from = {{ folder = \"models/dense\"{fingerprint} }}");
        let text = TINY
            .replace("\"tiny\"", "\"continued\"")
            .replace("[training]", &init_from);
        fs::write(scratch.path("continued.toml"), text).unwrap();
        scratch.isoflop(&["sweep", "continued.toml", "--quiet"])
    };
    let stated = format!("fingerprint = \"{}\"", &model.fingerprint[..16]);
    let unstated = from("");
    assert_eq!(unstated.code, Some(2), "{unstated:?}");
    assert!(
        unstated
            .err
            .contains(&format!("which is not stated; write `{stated}`")),
        "{unstated:?}"
    );
    let wrong = from(", fingerprint = \"x\"");
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("init_from"), "{wrong:?}");
    let continued = from(&format!(", {stated}"));
    assert_eq!(continued.code, Some(0), "{continued:?}");

    let read = |sweep: &str| {
        let folder = scratch.path("runs").join(sweep).join("records");
        Records::open(folder).unwrap().read_all().unwrap()
    };
    let (before, after) = (read("tiny"), read("continued"));
    assert!(before.initial_weights().is_empty());
    let of_block = |block: &str| {
        let run = after.runs().iter().find(|run| run.block == block).unwrap();
        let mut rows = after.initial_weights().iter();
        (run, rows.find(|row| row.run == run.run).unwrap())
    };
    let (dense, dense_row) = of_block("dense");
    assert_eq!(
        (dense_row.taken, dense_row.parameters),
        (dense.params_total, dense.params_total)
    );
    assert_eq!(dense_row.fingerprint, model.fingerprint);
    let (memory, memory_row) = of_block("memory");
    // All but one of the two feed-forwards, 3 x 16 x 48.
    assert_eq!(memory_row.taken, dense.params_total - 3 * 16 * 48);
    assert_eq!(memory_row.parameters, memory.params_total);

    // Training continues where it ended: the first loss is near the last, and far below that of a fresh decoder.
    let first_loss = |frames: &results::Frames, run: &str| frames.steps_of(run)[0].loss;
    let fresh = before
        .runs()
        .iter()
        .find(|run| run.block == "dense")
        .unwrap();
    let (drawn, taken) = (
        first_loss(&before, &fresh.run),
        first_loss(&after, &dense.run),
    );
    assert!(taken < drawn - 0.1, "{taken} {drawn}");
    assert_ne!(fresh.run, dense.run);
}
