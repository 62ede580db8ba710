//! Damaged Parquet files: each reading ends with the rows that were written or with one error that names the file.
//!
//! Content that is changed together with its hash is not tested: Polars decodes it, and aborts the process on some of it.
//!
//! `ISOFLOP_FUZZ_INPUTS=100000 cargo test --release --workspace --test fuzz_parquet -- --nocapture`

#[path = "../../harness/experiment/tests/fuzz/allocations.rs"]
mod allocations;
#[path = "../src/test_rows.rs"]
mod test_rows;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::Rng;
use random::Stream;
use results::{ItemRow, Records, Row, RunRow, ScoreRow, StepRow, UsageRow, WarningRow};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Longest that one input may take, on a machine that is busy.
const MAX_TIME: Duration = Duration::from_secs(5);
/// Most memory of one input, in bytes.
const MAX_BYTES: isize = 256 << 20;
const RUN: &str = "0123456789abcdef";

fn inputs() -> u64 {
    std::env::var("ISOFLOP_FUZZ_INPUTS").map_or(1200, |count| count.parse().unwrap())
}

/// What reading a table of one run gives: `Debug` of its rows, or the message of the error.
type Reading = fn(&Records) -> Result<String, String>;

fn reading<R: Row + std::fmt::Debug>(records: &Records) -> Result<String, String> {
    let rows = records.read_run::<R>(RUN);
    rows.map(|rows| format!("{rows:?}"))
        .map_err(|error| error.to_string())
}

/// Writes rows of each table; file and reading of each.
fn write_tables(records: &Records) -> Vec<(PathBuf, Reading)> {
    let steps: Vec<StepRow> = (1..200)
        .map(|step| StepRow {
            run: RUN.into(),
            step,
            tokens: step * 512,
            train_flops: step as f64 * 1e9,
            wall_s: step as f64 * 0.25,
            loss: 3.0 / step as f64,
            val_loss: step.is_multiple_of(20).then_some(1.0),
            learning_rate: 3e-4,
            grad_norm: 1.0,
            table_grad_norm: f64::NAN,
            auxiliary_loss: 0.0,
            tokens_per_s: 2048.0,
        })
        .collect();
    let item = |index: usize| ItemRow {
        run: RUN.into(),
        suite: "world".into(),
        task: "capital".into(),
        item: index.to_string(),
        correct: index.is_multiple_of(3),
        answer_tokens: 2,
        answer_nll_bits: 0.5,
        end_nll_bits: 0.1,
        expected: "Reykjavík, \"Ísland\"\n".into(),
        given: "x".repeat(index),
        detail: String::new(),
    };
    let score = ScoreRow {
        run: RUN.into(),
        suite: "functions".into(),
        task: "all".into(),
        metric: "pass@1".into(),
        status: "measured".into(),
        reason: String::new(),
        value: 0.5,
        low: 0.4,
        high: 0.6,
        n: 20,
        baseline: None,
        interval: "wilson".into(),
    };
    let usage = UsageRow {
        run: RUN.into(),
        layer: 2,
        unit: "slot".into(),
        units: 4096,
        reads: 65_536,
        collisions: None,
        used_share: 0.93,
        kl_nats: 0.41,
        max_share: 0.002,
    };
    let run = RunRow {
        run: RUN.into(),
        ..test_rows::finished_run("memory+", 1, 2.5)
    };
    vec![
        table(records, &steps),
        table(records, &(0..50).map(item).collect::<Vec<_>>()),
        table(records, &[score]),
        table(records, &[usage]),
        table::<WarningRow>(records, &[]),
        table(records, &[run]),
    ]
}

fn table<R: Row + std::fmt::Debug>(records: &Records, rows: &[R]) -> (PathBuf, Reading) {
    let before = files(records.folder());
    records.write(RUN, rows).unwrap();
    let mut new = files(records.folder());
    new.retain(|file| !before.contains(file));
    assert_eq!(new.len(), 1);
    (new.remove(0), reading::<R>)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// `bytes` with one random change, in the footer more often than its share of the file.
fn mutated(bytes: &[u8], random: &mut Stream) -> Vec<u8> {
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap());
    let footer = bytes.len() - 8 - footer as usize;
    let from = if random.random_bool(0.5) { footer } else { 0 };
    let at = random.random_range(from..bytes.len());
    let mut changed = bytes.to_vec();
    match random.random_range(0..7) {
        0 => changed[at] ^= 1 << random.random_range(0..8),
        1 => changed.truncate(at),
        2 => changed.extend((0..random.random_range(1..64)).map(|_| random.random::<u8>())),
        3 => {
            let part = bytes[at..bytes.len().min(at + 32)].to_vec();
            let to = random.random_range(from..bytes.len());
            changed.splice(to..to, part);
        }
        // Lengths and counts are variable-length integers: the largest ones.
        4 => changed
            .splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f])
            .for_each(drop),
        5 => changed[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
        _ => {
            for _ in 0..random.random_range(1..16) {
                let at = random.random_range(from..bytes.len());
                changed[at] = random.random();
            }
        }
    }
    changed
}

#[test]
fn damaged_parquet_files_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    let tables: Vec<_> = write_tables(&records)
        .into_iter()
        .map(|(file, read)| {
            let rows = read(&records).unwrap();
            (fs::read(&file).unwrap(), file, read, rows)
        })
        .collect();
    let (mut errors, mut equal) = (0, 0);
    let (mut longest, mut largest) = (Duration::ZERO, 0);
    let mut failures = Vec::new();
    for input in 0..inputs() {
        let mut random = random::stream(7, "parquet fuzz", input);
        let (bytes, file, read, rows) = &tables[random.random_range(0..tables.len())];
        fs::write(file, mutated(bytes, &mut random)).unwrap();
        allocations::reset();
        let clock = Instant::now();
        let found = catch_unwind(AssertUnwindSafe(|| read(&records)));
        let time = clock.elapsed();
        let memory = allocations::peak();
        longest = longest.max(time);
        largest = largest.max(memory);
        let problem = match found {
            Err(_) => Some("panics".to_owned()),
            Ok(Ok(found)) if found == *rows => {
                equal += 1;
                None
            }
            Ok(Ok(_)) => Some("gives other rows".to_owned()),
            Ok(Err(message)) => {
                errors += 1;
                let named = message.contains(&*file.to_string_lossy());
                let short = message.chars().count() < 1000;
                let printable = !message.chars().any(char::is_control);
                (!(named && short && printable)).then(|| format!("has the message {message:?}"))
            }
        };
        let problem = problem
            .or((time > MAX_TIME).then(|| format!("takes {time:?}")))
            .or((memory > MAX_BYTES).then(|| format!("allocates {memory} bytes")));
        if let Some(problem) = problem {
            let name = file.file_name().unwrap_or_default();
            failures.push(format!("input {input}, {} {problem}", name.display()));
        }
        fs::write(file, bytes).unwrap();
    }
    println!(
        "{} inputs: {errors} errors, {equal} equal; longest {longest:?}, most memory {largest} bytes",
        inputs()
    );
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
}
