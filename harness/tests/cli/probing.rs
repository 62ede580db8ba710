//! `isoflop probe`.

use std::fs;

use results::{ProbeRow, Records};

use crate::scratch::{Scratch, TINY};

const PROBE: [&str; 6] = ["probe", "sweep.toml", "--tokens", "32", "--threads", "1"];

fn rows(scratch: &Scratch) -> Vec<ProbeRow> {
    Records::open(scratch.path("runs/probes/records"))
        .unwrap()
        .read::<ProbeRow>()
        .unwrap()
}

fn probe(scratch: &Scratch, more: &[&str]) -> crate::scratch::Ended {
    scratch.isoflop(&[&PROBE[..], more].concat())
}

/// Rows as text, for comparison: values that are not measured are NaN.
fn texts(rows: &[ProbeRow]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

#[test]
fn a_probe_records_every_part_table_and_model_and_a_second_one_measures_nothing() {
    let scratch = Scratch::new(TINY);
    let first = probe(&scratch, &["--memory", "8MiB", "--export", "out", "--csv"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let recorded = rows(&scratch);
    let names: Vec<_> = recorded
        .iter()
        .filter(|row| row.phase == "step")
        .map(|row| {
            let ProbeRow {
                block,
                table_slots,
                basis,
                status,
                ..
            } = row;
            format!("{block} {table_slots} {basis} {status}")
        })
        .collect();
    assert_eq!(
        names,
        [
            "attention 0 measured finished",
            "dense 0 derived finished",
            "dense 0 measured finished",
            "embedding 0 measured finished",
            "head 0 measured finished",
            "memory 64 derived finished",
            "memory 64 measured finished",
            // 2^16 rows of 16: 4 MiB for a forward pass, 12 MiB for a step.
            "memory 65536 measured skipped",
            // The first that does not fit for a forward pass.
            "memory 262144 measured skipped",
        ]
    );
    assert_eq!(recorded.len(), 2 * names.len());
    for row in recorded.iter().filter(|row| row.status == "finished") {
        assert!(row.reason.is_empty() && row.seconds > 0.0, "{row:?}");
        assert!(row.seconds_low <= row.seconds && row.seconds <= row.seconds_high);
        assert_eq!((row.tokens, row.repeats, row.threads), (32, 5, 1));
        assert!((row.tokens_per_s * row.seconds / 32.0 - 1.0).abs() < 1e-9);
        assert!((row.flop_per_s / row.tokens_per_s - row.flops).abs() <= 1e-6 * row.flops);
        assert!((row.bytes_per_s / row.tokens_per_s / row.bytes - 1.0).abs() < 1e-9);
        assert!(row.peak_flop_per_s > 0.0 && row.peak_bytes_per_s > 0.0);
        assert_eq!(row.peak_memory_bytes > 0, row.basis == "measured");
    }
    let skipped = |slots, phase: &str| {
        let row = recorded
            .iter()
            .find(|row| row.table_slots == slots && row.phase == phase);
        row.map(|row| (row.status.as_str(), row.reason.as_str()))
            .unwrap()
    };
    assert_eq!(skipped(65536, "forward"), ("finished", ""));
    for (slots, phase) in [(65536, "step"), (262_144, "forward")] {
        let (status, reason) = skipped(slots, phase);
        assert_eq!(status, "skipped");
        assert!(
            reason.starts_with("needs ") && reason.ends_with("(8388608 bytes, --memory)"),
            "{reason}"
        );
    }
    // The time of a whole model is the sum of those of its parts.
    let seconds = |block: &str, basis: &str| {
        let of_step = recorded.iter().filter(|row| row.phase == "step");
        of_step
            .filter(|row| row.block == block && row.basis == basis && row.status == "finished")
            .map(|row| row.seconds)
            .sum::<f64>()
    };
    let [attention, embedding, head, dense] =
        ["attention", "embedding", "head", "dense"].map(|part| seconds(part, "measured"));
    let sum = 2.0 * attention + embedding + head + 2.0 * dense;
    assert!((seconds("dense", "derived") / sum - 1.0).abs() < 1e-9);
    assert!(
        first.out.contains("model memory") && first.out.contains("skipped: needs"),
        "{first:?}"
    );

    for file in ["out/probes.csv", "runs/probes/csv/probes.csv"] {
        let csv = fs::read_to_string(scratch.path(file)).unwrap();
        assert_eq!(csv.lines().count(), 1 + recorded.len(), "{csv}");
    }
    assert!(scratch.path("out/probes.parquet").exists());

    // A second probe measures nothing.
    let again = probe(&scratch, &["--memory", "8MiB"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(texts(&rows(&scratch)), texts(&recorded));
    assert_eq!(again.out, first.out);
    assert!(
        !again.err.contains("tokens/s") && !again.err.contains("peak rates"),
        "{again:?}"
    );

    // With more memory, skipped parts are measured, and measured ones are kept.
    let more = probe(
        &scratch,
        &["--memory", "20MiB", "--quiet", "--only", "memory"],
    );
    assert_eq!((more.code, more.err.as_str()), (Some(0), ""), "{more:?}");
    let now = rows(&scratch);
    let step = now
        .iter()
        .find(|row| row.table_slots == 65536 && row.phase == "step")
        .unwrap();
    assert_eq!(step.status, "finished");
    let before = texts(&recorded);
    let kept = texts(&now)
        .into_iter()
        .filter(|row| before.contains(row))
        .count();
    // All rows except this one and that of the forward pass with 2^18 rows of 16.
    assert_eq!(kept, recorded.len() - 2);
}

#[test]
fn parts_that_exceed_the_budget_are_skipped_and_measured_the_next_time() {
    let scratch = Scratch::new(TINY);
    let only = ["--only", "dense", "--memory", "8MiB"];
    let none = probe(&scratch, &[&only[..], &["--budget", "0s"]].concat());
    assert_eq!(none.code, Some(0), "{none:?}");
    let recorded = rows(&scratch);
    let exceeds_budget =
        |row: &ProbeRow| row.reason.contains("budget") && row.reason.contains("--budget");
    assert!(
        recorded
            .iter()
            .all(|row| row.status == "skipped" && exceeds_budget(row)),
        "{recorded:?}"
    );
    let derived = recorded.iter().find(|row| row.basis == "derived").unwrap();
    assert!(
        derived
            .reason
            .starts_with("its part xs attention is skipped"),
        "{derived:?}"
    );
    assert_eq!(probe(&scratch, &only).code, Some(0));
    let recorded = rows(&scratch);
    assert_eq!(recorded.len(), 10);
    assert!(
        recorded.iter().all(|row| row.status == "finished"),
        "{recorded:?}"
    );
}

#[test]
fn invalid_arguments_are_errors_before_anything_is_written() {
    let scratch = Scratch::new(TINY);
    for (arguments, message) in [
        (
            vec!["--only", "dens"],
            "--only dens is not in the sweep; did you mean `dense`?",
        ),
        (vec!["--size", "xl"], "--size xl is not in the sweep"),
        (vec!["--memory", "lots"], "such as 80GiB"),
        (vec!["--budget", "soon"], "such as 90s"),
        (vec!["--tokens", "0"], "--tokens"),
        (vec!["--device", "abacus"], "this build has: flex"),
    ] {
        let ended = probe_defaults(&scratch, &arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(message), "{ended:?}");
    }
    let ended = scratch.isoflop(&["probe", "nothing"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("sweeps/nothing.toml"), "{ended:?}");
    assert!(!scratch.path("runs").exists());
}

/// `isoflop probe` without the options of [`PROBE`].
fn probe_defaults(scratch: &Scratch, more: &[&str]) -> crate::scratch::Ended {
    scratch.isoflop(&[&["probe", "sweep.toml"], more].concat())
}
