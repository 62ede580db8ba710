//! `isoflop plan` computes and builds nothing.

use std::time::{Duration, Instant};

use crate::scratch::{Scratch, TINY};

/// The 8-billion decoder of "Memory Layers at Scale" with its 64 billion parameters of memory.
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
fn a_plan_of_billions_takes_no_time_and_writes_nothing() {
    let text = LARGE.replace("suites = \"below\"", "[suites.world]");
    let place = Scratch::new(&text);
    let clock = Instant::now();
    let ended = place.isoflop(&["plan", "sweep.toml"]);
    assert!(
        clock.elapsed() < Duration::from_secs(10),
        "{:?}",
        clock.elapsed()
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // 16.8 million slots of 4096; 8.03 billion is Llama 3 8B.
    assert!(
        ended.out.contains("68.7 G") && ended.out.contains("8.03 G"),
        "{}",
        ended.out
    );
    assert!(!place.path("runs").exists());
}

#[test]
fn filters_leave_what_they_name() {
    let place = Scratch::new(TINY);
    let all = place.isoflop(&["plan", "sweep.toml"]).out;
    assert!(
        all.contains("2 runs, matched by flops")
            && all.contains("xs    dense")
            && all.contains("xs    memory"),
        "{all}"
    );
    let one = place
        .isoflop(&["plan", "sweep.toml", "--only", "memory", "--seed", "0"])
        .out;
    assert!(
        one.contains("tiny: 1 run,") && !one.contains("xs    dense"),
        "{one}"
    );
}

#[test]
fn the_built_in_sweeps_plan_from_any_folder() {
    let place = Scratch::new("");
    let quick = place.isoflop(&["plan"]);
    assert!(
        quick.out.starts_with("quick: 15 runs, matched by flops"),
        "{quick:?}"
    );
    let smoke = place.isoflop(&["plan", "smoke"]);
    assert!(smoke.out.starts_with("smoke: 5 runs"), "{smoke:?}");
}

#[test]
fn csv_holds_exact_numbers_of_every_run() {
    let place = Scratch::new(TINY);
    let out = place.isoflop(&["plan", "sweep.toml", "--csv"]).out;
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|title| title == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[1][column("block")], "memory");
    let number = |row: &csv::StringRecord, name: &str| row[column(name)].parse::<f64>().unwrap();
    let (dense, memory) = (&rows[0], &rows[1]);
    assert_eq!(number(dense, "params_table"), 0.0);
    assert!(number(memory, "params_table") > 0.0);
    assert!(number(memory, "bytes_gathered_per_token") > 0.0);
    let target = number(dense, "target_flops");
    assert_eq!(number(memory, "target_flops"), target);
}

#[test]
fn the_committed_plan_of_the_papers_sweep_is_what_plan_prints() {
    let place = Scratch::new(TINY);
    let mut arguments = vec!["plan", "paper"];
    arguments.extend(results::planned::ASSUMED);
    let ended = place.isoflop(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out == results::planned::PAPER,
        "results/planned/paper.csv is stale: write `isoflop {}` into it",
        arguments.join(" ")
    );
}
