//! `--set KEY=VALUE`: keys of the sweep file on the command line.

use results::{Records, RunRow};

use crate::scratch::{Scratch, TINY};

#[test]
fn a_plan_has_the_values_that_are_set() {
    let scratch = Scratch::new(TINY);
    let rows = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let ended = scratch.isoflop(&[&["plan", "sweep.toml", "--json"], arguments].concat());
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"))
    };
    let (file, set) = (
        rows(&[]),
        rows(&["--set", "sizes.xs.tokens=4e3", "--set", "seeds=[1, 2]"]),
    );
    assert_eq!((file.len(), set.len()), (2, 4));
    let flops = |rows: &[serde_json::Value]| rows[0]["target_flops"].as_f64().unwrap();
    assert_eq!(flops(&set), 2.0 * flops(&file));
    let solved = |set: &[&str]| {
        let arguments = [
            "match",
            "paper",
            "--block",
            "moe",
            "--equal",
            "params_total",
            "--knob",
            "n_experts",
            "--reference",
            "memory",
            "--size",
            "134m",
            "--tolerance",
            "0.3",
        ];
        let ended = scratch.isoflop(&[&arguments[..], set].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    assert_ne!(solved(&[]), solved(&["--set", "sizes.134m.n_layers=24"]));
    for (given, message) in [
        (
            "training.batch_sizes=1",
            "sweep.toml with --set: `training.batch_sizes`",
        ),
        ("training.batch_size", "KEY=VALUE"),
    ] {
        let ended = scratch.isoflop(&["sweep", "sweep.toml", "--set", given]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(message), "{ended:?}");
        assert!(!scratch.path("runs").exists());
    }
}

#[test]
fn runs_with_set_values_are_runs_of_their_own_and_say_so() {
    let scratch = Scratch::new(TINY);
    let set = [
        "--set",
        "training.batch_size=2",
        "--set",
        "training.learning_rate=1e-3",
    ];
    let with = |command: &[&str], set: &[&str]| {
        let ended = scratch.isoflop(&[command, &["sweep.toml"], set].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    // Worker processes are told, too.
    with(&["sweep", "--quiet", "--jobs", "2"], &set);
    let recorded = || -> Vec<RunRow> {
        let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
        records.read().unwrap()
    };
    let rows = recorded();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert!(row.config.contains("batch_size = 2"), "{}", row.config);
        let given = "isoflop sweep sweep.toml --set 'training.batch_size=2' --set 'training.learning_rate=1e-3' --only ";
        assert!(row.command.starts_with(given), "{}", row.command);
    }
    assert!(with(&["status"], &set).contains("2 of 2 runs finished"));
    assert!(with(&["status"], &[]).contains("0 of 2 runs finished"));
    assert!(with(&["report"], &set).contains("report.html"));
    with(&["sweep", "--quiet"], &[]);
    let names = |rows: &[RunRow]| rows.iter().map(|row| row.run.clone()).collect::<Vec<_>>();
    let all = names(&recorded());
    assert_eq!(all.len(), 4);
    assert!(names(&rows).iter().all(|name| all.contains(name)));
}
