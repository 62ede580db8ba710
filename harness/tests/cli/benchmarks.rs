//! `[tasks]` of a sweep file, and `isoflop score` with a model.

use results::{EvaluationRow, Records, SampleRow, ScoreRow};

use crate::scratch::{Scratch, TINY};

const CHOICES: &str = "name = \"colours\"\nversion = 1\nsplit = \"all\"\nsource.files = [\"colours.jsonl\"]\ntext = \"{{ q }}\"\n\
                       [choose]\nchoices = \"c\"\ngold = \"g\"\nmetrics = [\"acc\", \"acc_norm\"]\n";
const TEXTS: &str = "name = \"capitals\"\nversion = 1\nsplit = \"all\"\nsource.files = [\"capitals.jsonl\"]\n\
                     text = \"Q: {{ q }}\\nA:\"\n[generate]\nanswers = \"a\"\nstop = [\"\\n\"]\nmax_tokens = 6\n";

/// A sweep with two tasks of its own.
fn scratch(tasks: &str) -> Scratch {
    let scratch = Scratch::new(&format!("{TINY}\n{tasks}"));
    let colours: String = (0..20)
        .map(|n| {
            format!(
                "{{\"q\": \"The colour {n} is\", \"c\": [\"red\", \"dark blue\"], \"g\": {}}}\n",
                n % 2
            )
        })
        .collect();
    let capitals: String = (0..9)
        .map(|n| format!("{{\"q\": \"Capital {n}?\", \"a\": [\"Paris\", \"paris\"]}}\n"))
        .collect();
    for (file, text) in [
        ("colours.toml", CHOICES),
        ("capitals.toml", TEXTS),
        ("colours.jsonl", &colours),
        ("capitals.jsonl", &capitals),
    ] {
        std::fs::write(scratch.path(file), text).unwrap();
    }
    scratch
}

const COLOURS: &str = "[tasks.colours]\nfile = \"colours.toml\"\ndata = \".\"\n";
const CAPITALS: &str =
    "[tasks.capitals]\nfile = \"capitals.toml\"\ndata = \"capitals.jsonl\"\nlimit = 5\n";

#[test]
fn a_task_that_is_added_later_is_evaluated_with_the_weights_that_are_there() {
    let scratch = scratch(COLOURS);
    let first = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let rows = |metric: &str| -> Vec<ScoreRow> {
        let frames = records.read_all().unwrap();
        let own = frames.scores().iter().filter(|row| row.metric == metric);
        own.cloned().collect()
    };
    let colours = rows("acc");
    assert_eq!(colours.len(), 2);
    assert!(colours.iter().all(|row| {
        (row.suite.as_str(), row.task.as_str(), row.n, row.baseline)
            == ("colours", "all", 20, Some(0.5))
    }));
    let questions = rows("exact_match").len();

    std::fs::write(
        scratch.path("sweep.toml"),
        format!("{TINY}\n{COLOURS}{CAPITALS}"),
    )
    .unwrap();
    let second = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(
        !second.err.contains("step"),
        "nothing is trained: {second:?}"
    );
    assert_eq!(rows("acc"), colours);
    let capitals = rows("bpb");
    assert_eq!(
        capitals
            .iter()
            .filter(|row| row.suite == "capitals" && row.n == 5)
            .count(),
        2
    );
    assert_eq!(rows("exact_match").len(), questions + 2);
    let evaluations: Vec<EvaluationRow> = records.read().unwrap();
    assert_eq!(evaluations.len(), 4);
    let page = std::fs::read_to_string(scratch.path("runs/tiny/report.html")).unwrap();
    assert!(
        page.contains("5 of 9 items, drawn at random") && page.contains("Published benchmarks")
    );

    // Of another part of the data the scores are others; those of the other task stay.
    let changed = CAPITALS.replace("limit = 5", "limit = 4");
    std::fs::write(
        scratch.path("sweep.toml"),
        format!("{TINY}\n{COLOURS}{changed}"),
    )
    .unwrap();
    let third = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(third.code, Some(0), "{third:?}");
    let capitals = rows("bpb");
    assert_eq!(
        capitals
            .iter()
            .filter(|row| row.suite == "capitals" && row.n == 4)
            .count(),
        2
    );
    assert_eq!(rows("acc"), colours);
}

#[test]
fn a_benchmark_that_cannot_be_read_is_an_error_before_anything_is_trained() {
    let scratch = scratch(&COLOURS.replace("data = \".\"", "data = \"absent\""));
    let ended = scratch.isoflop(&["sweep", "sweep.toml"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains("absent") && !ended.err.contains("step"),
        "{ended:?}"
    );
    assert!(!scratch.path("runs/tiny/weights").exists());
}

#[test]
fn a_recorded_run_is_scored_and_its_answers_are_kept() {
    let scratch = scratch("");
    let trained = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1", "-q"]);
    assert_eq!(trained.code, Some(0), "{trained:?}");
    let score = |more: &[&str]| {
        let common = [
            "--task",
            "./colours.toml",
            "--data",
            "colours.jsonl",
            "--csv",
        ];
        let ended = scratch.isoflop(&[&["score"], more, &common[..]].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    };
    let first = score(&["tiny:xs/dense", "--samples", "samples.parquet"]);
    let second = score(&["tiny:xs/dense"]);
    assert_eq!(first.out, second.out);
    assert!(
        first.err.contains("items/s") && second.err.contains("20 kept from before"),
        "{second:?}"
    );
    let samples: Vec<SampleRow> = results::read_file(&scratch.path("samples.parquet")).unwrap();
    assert_eq!(
        (samples.len(), samples[3].prompt.as_str()),
        (20, "The colour 3 is")
    );
    assert!(samples[3].answer.contains("lls") && samples[3].metrics.contains("acc_norm"));

    // Another model has answers of its own; the difference is paired by item.
    let both = score(&["tiny:xs/memory", "--against", "tiny:xs/dense"]);
    assert!(
        both.out.contains("acc_difference") && both.err.contains("20 kept from before"),
        "{both:?}"
    );
    let weights = std::fs::read_dir(scratch.path("runs/tiny/weights")).unwrap();
    let folder = weights.map(|entry| entry.unwrap().path()).next().unwrap();
    let folder = folder
        .strip_prefix(scratch.path(""))
        .unwrap()
        .display()
        .to_string();
    let by_folder = score(&[&folder]);
    assert!(
        by_folder.err.contains("20 kept from before"),
        "{by_folder:?}"
    );

    let several = scratch.isoflop(&["score", "tiny", "--task", "./colours.toml", "--data", "."]);
    assert_eq!(several.code, Some(2));
    assert!(
        several.err.contains("selects 2 runs; name one"),
        "{several:?}"
    );
    let neither = scratch.isoflop(&["score", "--task", "./colours.toml", "--data", "."]);
    assert_eq!(neither.code, Some(2), "{neither:?}");
}
