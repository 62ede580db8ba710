//! `isoflop rerun`.

use results::{Records, RunRow};

use crate::scratch::{Scratch, TINY};

#[test]
fn a_rerun_is_equal_bit_for_bit_or_says_what_differs() {
    let scratch = Scratch::new(TINY);
    let swept = scratch.isoflop(&["sweep", "sweep.toml", "--quiet", "--threads", "1"]);
    assert_eq!(swept.code, Some(0), "{swept:?}");
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let before = records.read_all().unwrap();
    let run = &before.runs()[1];
    // From the row alone.
    std::fs::remove_file(scratch.path("sweep.toml")).unwrap();
    let equal = scratch.isoflop(&["rerun", &run.run[..8], "--quiet"]);
    assert_eq!(equal.code, Some(0), "{equal:?}");
    assert!(equal.out.contains("equal bit for bit"), "{equal:?}");
    assert!(equal.out.contains("inputs: all as recorded"), "{equal:?}");
    assert_eq!(records.read_all().unwrap(), before);
    assert!(!scratch.path("runs/tiny/reruns").join(&run.run).exists());

    let changed = RunRow {
        weights_hash: "0".repeat(64),
        val_loss: run.val_loss + 1e-9,
        commit: "abc".to_owned(),
        ..run.clone()
    };
    records.write(&run.run, &[changed]).unwrap();
    let unequal = scratch.isoflop(&["rerun", &run.run, "--quiet", "--threads", "2"]);
    assert_eq!(unequal.code, Some(1), "{unequal:?}");
    for text in [
        "not equal",
        "differs: validation loss ",
        "differs: final weights",
        "input commit: abc, here ",
        "input threads: 1, here 2",
    ] {
        assert!(unequal.out.contains(text), "{text}: {unequal:?}");
    }
}

#[test]
fn a_run_that_is_not_recorded_or_of_other_data_is_an_error() {
    let scratch = Scratch::new(TINY);
    let none = scratch.isoflop(&["rerun", "abc"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(
        none.err
            .contains("abc is no prefix of a run recorded under runs"),
        "{none:?}"
    );

    scratch.isoflop(&["sweep", "sweep.toml", "--quiet", "--only", "dense"]);
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let row = records.read::<RunRow>().unwrap().remove(0);
    for (from, to, problem) in [
        (
            "format = 4",
            "format = 3",
            "has format 3, and this program runs format 4",
        ),
        (
            "people = 12",
            "people = 13",
            "its name states other inputs (data ",
        ),
        (
            "people = 12",
            "folk = 12",
            "has an unreadable configuration",
        ),
    ] {
        let config = row.config.replace(from, to);
        assert_ne!(config, row.config);
        let changed = RunRow {
            config,
            ..row.clone()
        };
        records.write(&row.run, &[changed]).unwrap();
        let ended = scratch.isoflop(&["rerun", &row.run, "--quiet"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(problem), "{ended:?}");
    }
}
