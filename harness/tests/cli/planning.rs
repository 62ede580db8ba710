//! `isoflop plan`: tables, devices and filters.

use std::time::{Duration, Instant};

use crate::scratch::{Scratch, TINY};

/// The 8B model of "Memory Layers at Scale" (Berges et al. 2024), with 64 billion parameters of memory.
const LARGE: &str = r#"
seeds = [0]
match = { mode = "flops" }
[sizes.8b]
d_model = 4096
n_layers = 32
n_heads = 32
n_kv_heads = 8
d_ff = 14336
seq_len = 4096
vocab_size = 128_256
tokens = 1_000_000_000_000
[blocks.dense]
kind = "dense"
[blocks."memory+"]
kind = "memory"
placement = { centred = { count = 3, stride = 8 } }
keys = { n_keys = 4096, key_dim = 2048 }
gate = true
shared_values = true
[suites]
vocab_size = 32_000
suites = "below"
[training]
batch_size = 512
learning_rate = 3e-4
table_learning_rate = 1e-3
"#;

#[test]
fn a_plan_of_an_8b_model_is_immediate_and_writes_nothing() {
    let text = LARGE.replace("suites = \"below\"", "[suites.world]");
    let scratch = Scratch::new(&text);
    let clock = Instant::now();
    let ended = scratch.isoflop(&["plan", "sweep.toml"]);
    assert!(
        clock.elapsed() < Duration::from_secs(10),
        "{:?}",
        clock.elapsed()
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // 16.8 million slots of width 4096, and the 8.03 billion parameters of Llama 3 8B.
    assert!(
        ended.out.contains("68.7 G") && ended.out.contains("8.03 G"),
        "{}",
        ended.out
    );
    assert!(!scratch.path("runs").exists());
}

#[test]
fn filters_select_runs() {
    let scratch = Scratch::new(TINY);
    let all = scratch.isoflop(&["plan", "sweep.toml"]).out;
    assert!(
        all.contains("2 runs, matched by flops")
            && all.contains("xs    dense")
            && all.contains("xs    memory"),
        "{all}"
    );
    let one = scratch
        .isoflop(&["plan", "sweep.toml", "--only", "memory", "--seed", "0"])
        .out;
    assert!(
        one.contains("tiny: 1 run,") && !one.contains("xs    dense"),
        "{one}"
    );
}

#[test]
fn built_in_sweeps_are_found_from_any_folder() {
    let scratch = Scratch::new("");
    let quick = scratch.isoflop(&["plan"]);
    assert!(
        quick.out.starts_with("quick: 45 runs, matched by flops"),
        "{quick:?}"
    );
    let smoke = scratch.isoflop(&["plan", "smoke"]);
    assert!(smoke.out.starts_with("smoke: 10 runs"), "{smoke:?}");
}

#[test]
fn the_plan_of_the_paper_is_immediate_and_has_devices() {
    let scratch = Scratch::new("");
    let clock = Instant::now();
    let ended = scratch.isoflop(&["plan", "paper"]);
    assert!(
        clock.elapsed() < Duration::from_secs(2),
        "{:?}",
        clock.elapsed()
    );
    assert!(
        ended.out.starts_with("paper: 25 runs, matched by tokens"),
        "{ended:?}"
    );
    let json = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let out = scratch.isoflop(
            &[
                &["plan", "paper", "--json", "--throughput", "400T"],
                arguments,
            ]
            .concat(),
        );
        serde_json::from_str(&out.out).unwrap_or_else(|_| panic!("{out:?}"))
    };
    let largest = &json(&["--only", "memory+64m", "--numeric-format", "bf16"])[0];
    // 2 bytes for each of 137 billion values, and 4 for each of their moments.
    assert_eq!(largest["table_bytes"], 10u64 << 37);
    assert_eq!(largest["table_columns"], 2048);
    let devices = |memory| {
        json(&[
            "--only",
            "memory+64m",
            "--numeric-format",
            "bf16",
            "--device-memory",
            memory,
        ])[0]["least_devices"]
            .as_u64()
    };
    let (small, large) = (devices("80GiB").unwrap(), devices("160GiB").unwrap());
    assert!(
        (13..40).contains(&small) && large < small,
        "{small} and {large}"
    );
    // One column is half a gibibyte, which does not fit.
    assert_eq!(devices("256MiB"), None);
}

#[test]
fn invalid_quantities_are_errors() {
    let scratch = Scratch::new(TINY);
    for (argument, value, message) in [
        ("--device-memory", "80 barrels", "80GiB"),
        ("--throughput", "fast", "400T"),
        ("--price", "-1", "2.5"),
        ("--numeric-format", "f16", "bf16"),
    ] {
        let joined = format!("{argument}={value}");
        let ended = scratch.isoflop(&["plan", "sweep.toml", &joined]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(message) && ended.out.is_empty(),
            "{ended:?}"
        );
    }
}

#[test]
fn filters_that_select_no_run_together_are_an_error() {
    let scratch = Scratch::new("");
    let ended = scratch.isoflop(&["plan", "paper", "--only", "memory+4m", "--size", "134m"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("selects no run"), "{ended:?}");
}
