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
    let scratch = Scratch::new(&text);
    let clock = Instant::now();
    let ended = scratch.isoflop(&["plan", "sweep.toml"]);
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
    assert!(!scratch.path("runs").exists());
}

#[test]
fn filters_leave_what_they_name() {
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
fn the_built_in_sweeps_plan_from_any_folder() {
    let scratch = Scratch::new("");
    let quick = scratch.isoflop(&["plan"]);
    assert!(
        quick.out.starts_with("quick: 15 runs, matched by flops"),
        "{quick:?}"
    );
    let smoke = scratch.isoflop(&["plan", "smoke"]);
    assert!(smoke.out.starts_with("smoke: 5 runs"), "{smoke:?}");
}

#[test]
fn csv_holds_exact_numbers_of_every_run() {
    let scratch = Scratch::new(TINY);
    let out = scratch.isoflop(&["plan", "sweep.toml", "--csv"]).out;
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
fn json_holds_what_csv_holds() {
    let scratch = Scratch::new(TINY);
    let stated = ["plan", "sweep.toml", "--throughput", "2G", "--price", "3"];
    let out = scratch.isoflop(&[&stated[..], &["--json"]].concat()).out;
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&out).unwrap();
    let csv = scratch.isoflop(&[&stated[..], &["--csv"]].concat()).out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(&records) {
        assert_eq!(row.len(), header.len());
        for (name, cell) in header.iter().zip(record) {
            let same = match &row[name] {
                serde_json::Value::Null => cell.is_empty(),
                serde_json::Value::String(text) => text == cell,
                serde_json::Value::Bool(held) => held.to_string() == cell,
                // The last digit is lost in reading JSON.
                number => {
                    let (held, cell) = (number.as_f64().unwrap(), cell.parse::<f64>().unwrap());
                    (held - cell).abs() <= 1e-15 * cell.abs()
                }
            };
            assert!(same, "{name}: {} and {cell}", row[name]);
        }
    }
    let number = |name: &str| rows[1][name].as_f64().unwrap();
    assert_eq!(rows[1]["flop_per_s_basis"], "stated");
    assert_eq!(number("train_s"), number("train_flops") / 2e9);
    assert_eq!(number("cost"), 3.0 * number("device_hours"));
    let parts = ["weights", "gradients", "optimizer", "table", "activations"];
    let parts: f64 = parts
        .iter()
        .map(|part| number(&format!("{part}_bytes")))
        .sum();
    assert_eq!(parts, number("memory_bytes"));
    let both = scratch.isoflop(&["plan", "sweep.toml", "--csv", "--json"]);
    assert_eq!((both.code, both.out.as_str()), (Some(2), ""));
}

#[test]
fn the_paper_is_planned_at_once_with_its_devices() {
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
    let largest = &json(&["--only", "memory+64m", "--format", "bf16"])[0];
    // 8 bytes for each of 137 billion values are a tebibyte.
    assert_eq!(largest["table_bytes"], 1u64 << 40);
    assert_eq!(largest["table_columns"], 2048);
    assert_eq!(largest["dense_layout"], "replicated");
    let devices = |memory| {
        json(&[
            "--only",
            "memory+64m",
            "--format",
            "bf16",
            "--device-memory",
            memory,
        ])[0]["devices"]
            .as_u64()
    };
    let (small, large) = (devices("80GiB").unwrap(), devices("160GiB").unwrap());
    assert!(
        (13..40).contains(&small) && large < small,
        "{small} and {large}"
    );
    // A column is half a gibibyte.
    assert_eq!(devices("256MiB"), None);
}

#[test]
fn quantities_that_do_not_read_are_errors() {
    let scratch = Scratch::new(TINY);
    for (argument, value, message) in [
        ("--device-memory", "80 barrels", "80GiB"),
        ("--throughput", "fast", "400T"),
        ("--price", "-1", "2.5"),
        ("--format", "f16", "bf16"),
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
fn filters_that_leave_nothing_together_are_an_error() {
    let scratch = Scratch::new("");
    let ended = scratch.isoflop(&["plan", "paper", "--only", "memory+4m", "--size", "134m"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("leaves no run"), "{ended:?}");
}

#[test]
fn match_says_what_it_chose_and_how_far_off_it_is() {
    let scratch = Scratch::new("");
    let arguments = [
        "match",
        "paper",
        "--block",
        "moe",
        "--equal",
        "params_total",
    ];
    let to_memory = [
        &arguments[..],
        &[
            "--reference",
            "memory",
            "--side",
            "above",
            "--knob",
            "n_experts:multiple_of=2",
        ],
    ]
    .concat();
    let ended = scratch.isoflop(&[&to_memory[..], &["--tolerance", "0.3"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "n_experts = 16",
        "n_experts = 8",
        "n_experts = 6",
        "n_experts = 4",
        "memory at 1.3b",
        "+26.81 %",
    ] {
        assert!(
            ended.out.contains(part),
            "`{part}` is not in: {}",
            ended.out
        );
    }
    let ended = scratch.isoflop(&[&to_memory[..], &["--size", "373m"]].concat());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in [
        "--block moe at size 373m",
        "1.44 G",
        "within 1 %",
        "nearest is 1.83 G (+26.81 %) with n_experts = 8",
    ] {
        assert!(
            ended.err.contains(part),
            "`{part}` is not in: {}",
            ended.err
        );
    }
    for (mistake, message) in [
        (
            vec!["--knob", "n_expert"],
            "n_expert is not a knob of this block; choose from: n_experts",
        ),
        (
            vec!["--knob", "n_experts", "--reference", "memry"],
            "did you mean `memory`?",
        ),
        (
            vec!["--knob", "n_experts", "--size", "373M"],
            "did you mean `373m`?",
        ),
        (
            vec!["--knob", "n_keys"],
            "n_keys is not a knob of this block",
        ),
        (
            vec!["--knob", "n_experts", "--tolerance", "nan"],
            "0.01 is one percent",
        ),
    ] {
        let ended = scratch.isoflop(&[&arguments[..], &mistake].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(message),
            "`{message}` is not in: {}",
            ended.err
        );
    }
}

#[test]
fn solved_knobs_are_in_the_plan() {
    let text = TINY.replace("n_keys = 8, ", "").replace(
        "[blocks.memory]",
        "[blocks.memory]\nsolve = { equal = \"params_total\", reference = \"wide\", tolerance = 0.05, knobs = { n_keys = {} } }",
    ) + "\n[blocks.wide]\nkind = \"mixture_of_experts\"\nn_experts = 8\n";
    let scratch = Scratch::new(&text);
    let ended = scratch.isoflop(&["plan", "sweep.toml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out.contains("wide at xs") && ended.out.contains("n_keys = "),
        "{}",
        ended.out
    );
    let out = scratch
        .isoflop(&["plan", "sweep.toml", "--json", "--only", "memory"])
        .out;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows[0]["solved_target"], "params_total");
    assert_eq!(
        rows[0]["solved_reached"].as_f64(),
        rows[0]["params_total"].as_f64()
    );
}

#[test]
fn the_committed_plan_of_the_papers_sweep_is_what_plan_prints() {
    let scratch = Scratch::new(TINY);
    let mut arguments = vec!["plan", "paper"];
    arguments.extend(results::planned::ASSUMED);
    let ended = scratch.isoflop(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out == results::planned::PAPER,
        "results/planned/paper.csv is stale: write `isoflop {}` into it",
        arguments.join(" ")
    );
}
