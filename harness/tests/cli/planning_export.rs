//! `isoflop plan --csv` and `--json`.

use crate::scratch::{Scratch, TINY};

#[test]
fn csv_has_the_costs_of_every_run() {
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
fn json_equals_csv() {
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
                serde_json::Value::Bool(value) => value.to_string() == cell,
                // Parsing JSON may change the last digit.
                number => {
                    let (value, cell) = (number.as_f64().unwrap(), cell.parse::<f64>().unwrap());
                    (value - cell).abs() <= 1e-15 * cell.abs()
                }
            };
            assert!(same, "{name}: {} and {cell}", row[name]);
        }
    }
    let number = |name: &str| rows[1][name].as_f64().unwrap();
    assert_eq!(rows[1]["flop_per_s_basis"], "stated");
    assert_eq!(number("train_s"), number("train_flops") / 2e9);
    assert_eq!(number("cost"), 3.0 * number("device_hours"));
    let parts = ["weights", "optimizer", "table", "step"];
    let parts: f64 = parts
        .iter()
        .map(|part| number(&format!("{part}_bytes")))
        .sum();
    assert_eq!(parts, number("memory_bytes"));
    let both = scratch.isoflop(&["plan", "sweep.toml", "--csv", "--json"]);
    assert_eq!((both.code, both.out.as_str()), (Some(2), ""));
}

#[test]
fn the_committed_plan_of_the_paper_is_current() {
    let scratch = Scratch::new(TINY);
    let mut arguments = vec!["plan", "paper"];
    arguments.extend(results::planned::ASSUMED);
    let ended = scratch.isoflop(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out == results::planned::PAPER,
        "results/planned/paper.csv is stale: replace it by the output of `isoflop {}`",
        arguments.join(" ")
    );
}
