//! `isoflop sweep`, and `report`, `eval` and `status` of its records.

use std::fs;

use results::{Records, RunRow, WHOLE_SUITE};

use crate::scratch::{Scratch, TINY};

#[test]
fn a_sweep_writes_rows_and_a_report_and_a_second_one_runs_nothing() {
    let scratch = Scratch::new(TINY);
    let first = scratch.isoflop(&["sweep", "sweep.toml", "--csv", "--json", "--threads", "1"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(
        first.out.contains("biographies exact_match") && first.out.contains(" memory "),
        "{first:?}"
    );
    assert!(
        first.out.trim_end().ends_with("runs/tiny/report.html"),
        "{first:?}"
    );
    assert!(
        first.err.contains("[1/2] xs dense seed 0: step 1/"),
        "{first:?}"
    );

    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let frames = records.read_all().unwrap();
    let runs = frames.runs();
    assert_eq!(
        runs.iter()
            .map(|run| run.block.as_str())
            .collect::<Vec<_>>(),
        ["dense", "memory"]
    );
    for run in runs {
        assert_eq!((run.status.as_str(), run.reason.as_str()), ("finished", ""));
        assert_eq!(
            (run.threads, run.device.as_str(), run.matching.as_str()),
            (1, "flex", "flops")
        );
        assert!(
            (run.train_flops / run.target_flops - 1.0).abs() < 0.06,
            "{run:?}"
        );
        assert!((run.flop_per_s * run.train_wall_s / run.train_flops - 1.0).abs() < 1e-9);
        assert!(run.val_loss > 0.0 && run.val_tokens > 0 && run.peak_memory_bytes > 1 << 20);
        assert!(
            run.command.contains("isoflop sweep sweep.toml --only "),
            "{}",
            run.command
        );
        assert!(
            run.version.contains("burn 0.22") && run.version.contains("rustc 1."),
            "{}",
            run.version
        );
        assert_eq!(run.started.len(), "2000-01-01T00:00:00Z".len());
        let matches: Vec<_> = frames
            .matches()
            .iter()
            .filter(|row| row.run == run.run)
            .collect();
        assert_eq!(matches.len(), 1);
        assert_eq!(
            (matches[0].target.as_str(), &matches[0].knobs),
            ("train_flops", &format!("tokens = {}", run.tokens))
        );
        assert_eq!(
            (matches[0].wanted, matches[0].reached),
            (run.target_flops, run.train_flops)
        );
        assert!((run.train_flops / run.target_flops - 1.0).abs() <= matches[0].tolerance);
        let steps: Vec<_> = frames
            .steps()
            .iter()
            .filter(|step| step.run == run.run)
            .collect();
        let last = steps.last().unwrap();
        assert_eq!((last.step, last.tokens), (run.steps, run.tokens));
        assert!((last.train_flops / run.train_flops - 1.0).abs() < 1e-9);
        let whole = |metric: &str| {
            frames
                .scores()
                .iter()
                .find(|s| s.run == run.run && s.task == WHOLE_SUITE && s.metric == metric)
                .unwrap()
        };
        let score = whole("exact_match");
        assert!(score.low <= score.value && score.value <= score.high && score.baseline.is_some());
        assert!(whole("answer_nll_bits").value > 0.0);
        assert_eq!(whole("bits_per_parameter").interval, "bootstrap");
        assert_eq!(
            frames
                .items()
                .iter()
                .filter(|item| item.run == run.run && item.suite == score.suite)
                .count() as u64,
            score.n
        );
    }
    assert!(frames.usage().iter().any(|usage| usage.unit == "slot"));
    assert!(
        fs::read_to_string(scratch.path("runs/tiny/csv/runs.csv"))
            .unwrap()
            .lines()
            .count()
            > 2
    );
    let json = fs::read_to_string(scratch.path("runs/tiny/json/runs.jsonl")).unwrap();
    assert_eq!(json.lines().count(), 2);

    // A second sweep runs nothing, and equal rows give an equal report.
    let page = fs::read(scratch.path("runs/tiny/report.html")).unwrap();
    let again = scratch.isoflop(&["sweep", "sweep.toml"]);
    assert_eq!(
        again.err.matches("finished earlier").count(),
        2,
        "{again:?}"
    );
    assert_eq!(records.read_all().unwrap(), frames);
    assert_eq!(
        fs::read(scratch.path("runs/tiny/report.html")).unwrap(),
        page
    );
    fs::remove_file(scratch.path("runs/tiny/report.html")).unwrap();
    assert_eq!(scratch.isoflop(&["report", "sweep.toml"]).code, Some(0));
    assert_eq!(
        fs::read(scratch.path("runs/tiny/report.html")).unwrap(),
        page
    );

    // Evaluation of the saved weights gives equal rows.
    let evaluated = scratch.isoflop(&["eval", "sweep.toml", "--quiet"]);
    assert_eq!(
        (evaluated.code, evaluated.err.as_str()),
        (Some(0), ""),
        "{evaluated:?}"
    );
    assert_eq!(records.read_all().unwrap(), frames);

    let status = scratch.isoflop(&["status", "sweep.toml"]);
    assert_eq!(status.out.matches(" finished ").count(), 2, "{status:?}");
    fs::write(
        scratch.path("sweep.toml"),
        TINY.replace("seq_len = 96", "seq_len = 80"),
    )
    .unwrap();
    let status = scratch.isoflop(&["status", "sweep.toml"]);
    assert_eq!(
        status
            .out
            .matches("recorded with another configuration")
            .count(),
        2,
        "{status:?}"
    );
}

#[test]
fn failed_runs_are_recorded_and_repeated_and_do_not_end_the_sweep() {
    // Each step multiplies the weights by 1 - 9 x 9, until they overflow.
    let text = TINY
        .replace(
            "learning_rate = 3e-3\n",
            "learning_rate = 9.0\nweight_decay = 9.0\nwarmup = 0.0\n",
        )
        .replace("tokens = 2_000", "tokens = 20_000");
    let scratch = Scratch::new(&text.replace("seeds = [0]", "seeds = [0, 1]"));
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--quiet", "--only", "dense"]);
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let runs = records.read::<RunRow>().unwrap();
    assert_eq!(runs.len(), 2, "{ended:?}");
    assert!(runs.iter().all(|run| run.status == "failed"), "{runs:?}");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let failed = &runs[0];
    assert!(
        failed.reason.starts_with("non-finite ")
            && failed.reason.contains("sequences ")
            && failed.reason.contains("gradient norm "),
        "{}",
        failed.reason
    );
    assert!(
        failed.val_loss.is_nan() && ended.err.contains(&failed.reason),
        "{ended:?}"
    );
    assert!(scratch.path("runs/tiny/report.html").exists());
    assert!(
        scratch
            .isoflop(&["status", "sweep.toml"])
            .out
            .contains("non-finite")
    );

    let again = scratch.isoflop(&["sweep", "sweep.toml", "--only", "dense"]);
    assert!(
        again
            .err
            .contains(&format!("seed {}: step 1/", failed.seed)),
        "{again:?}"
    );
    assert_eq!(records.read::<RunRow>().unwrap().len(), 2);
}

#[test]
fn quiet_prints_only_the_path_of_the_report() {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&[
        "sweep",
        "sweep.toml",
        "--quiet",
        "--only",
        "dense",
        "--output",
        "elsewhere",
    ]);
    assert_eq!(
        (ended.out.as_str(), ended.err.as_str()),
        ("elsewhere/tiny/report.html\n", ""),
        "{ended:?}"
    );
    let missing = scratch
        .isoflop(&["status", "sweep.toml", "--output", "elsewhere"])
        .out;
    assert_eq!(
        (
            missing.matches(" finished ").count(),
            missing.matches(" missing ").count(),
            missing.ends_with("1 of 2 runs finished\n")
        ),
        (1, 1, true),
        "{missing}"
    );
}

#[test]
fn a_report_without_records_is_an_error_with_a_remedy() {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&["report", "sweep.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("run a sweep first"), "{ended:?}");
    assert!(!scratch.path("runs").exists());
}

#[test]
fn questions_longer_than_the_context_are_errors() {
    let scratch = Scratch::new(&TINY.replace("seq_len = 96", "seq_len = 20"));
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--quiet"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .err
            .contains("`seq_len` = 20 is shorter than a question")
            && ended.err.contains("raise"),
        "{ended:?}"
    );
}

#[test]
fn eval_reads_final_weights_and_checkpoints() {
    let text = TINY.to_owned() + "\n[training.checkpoint]\nkeep_best = true\n";
    let scratch = Scratch::new(&text);
    let swept = scratch.isoflop(&["sweep", "sweep.toml", "--quiet"]);
    assert_eq!(swept.code, Some(0), "{swept:?}");
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let before = records.read_all().unwrap();
    let best = scratch.isoflop(&["eval", "sweep.toml", "--quiet", "--checkpoint", "best"]);
    assert_eq!(best.code, Some(0), "{best:?}");
    for block in [" dense ", " memory "] {
        let row = best
            .out
            .lines()
            .find(|line| line.contains(block) && line.contains("exact_match"));
        assert!(
            row.is_some_and(|row| row.contains(" biographies ")),
            "{best:?}"
        );
    }
    // Nothing is recorded, also where the checkpoint is of an earlier step.
    assert_eq!(records.read_all().unwrap(), before);
    let weights = scratch.isoflop(&["eval", "sweep.toml", "--quiet"]);
    assert_eq!(weights.code, Some(0), "{weights:?}");
    assert_eq!(records.read_all().unwrap().items(), before.items());

    // A flipped bit of the weights is an error, not another score.
    let folder = scratch
        .path("runs/tiny/weights")
        .join(&before.runs()[0].run);
    let file = folder.join("dense-0.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 0x40;
    fs::write(&file, bytes).unwrap();
    let damaged = scratch.isoflop(&["eval", "sweep.toml", "--quiet"]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert!(
        damaged.err.contains("dense-0.safetensors is damaged"),
        "{damaged:?}"
    );
    assert_eq!(records.read_all().unwrap().items(), before.items());
}
