//! The folder of records: rows are read back as written, and a damaged file is an error.

use std::fs;
use std::path::Path;

use results::{Error, Frames, ItemRow, Records, ScoreRow, StepRow};

fn step(run: &str, step: u64, loss: f64) -> StepRow {
    StepRow {
        run: run.into(),
        step,
        tokens: step * 512,
        train_flops: step as f64 * 1e9,
        wall_s: step as f64 * 0.25,
        loss,
        val_loss: step.is_multiple_of(2).then_some(loss + 0.1),
        learning_rate: 3e-4,
        grad_norm: 1.0,
        table_grad_norm: 0.0,
        auxiliary_loss: 0.0,
        tokens_per_s: 2048.0,
    }
}

fn item(run: &str, item: &str, given: &str) -> ItemRow {
    ItemRow {
        run: run.into(),
        suite: "world".into(),
        task: "capital".into(),
        item: item.into(),
        correct: true,
        answer_tokens: 2,
        answer_nll_bits: 0.5,
        end_nll_bits: 0.1,
        expected: "Reykjavík, \"Ísland\"\n".into(),
        given: given.into(),
        detail: String::new(),
    }
}

fn score(run: &str, baseline: Option<f64>) -> ScoreRow {
    ScoreRow {
        run: run.into(),
        suite: "functions".into(),
        task: "all".into(),
        metric: "pass@1".into(),
        status: "skipped".into(),
        reason: "python3 not found".into(),
        value: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
        n: 0,
        baseline,
        interval: String::new(),
    }
}

#[test]
fn merged_records_are_read_as_those_of_each_run() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path().join("apart")).unwrap();
    for run in ["a", "b"] {
        records.append_steps(run, &[step(run, 1, 3.0)]).unwrap();
        records.write(run, &[item(run, "0", "x")]).unwrap();
        records.write(run, &[score(run, Some(0.5))]).unwrap();
    }
    let all = records.read_all().unwrap();
    let merged = Records::open(folder.path().join("merged")).unwrap();
    merged.write_merged(&all).unwrap();
    assert_eq!(
        format!("{:?}", merged.read_all().unwrap()),
        format!("{all:?}")
    );
}

#[test]
fn rows_are_read_back_with_nulls_nan_and_any_script() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path().join("new/records")).unwrap();
    records
        .append_steps("b", &[step("b", 1, f64::NAN), step("b", 2, 3.0)])
        .unwrap();
    records
        .write("b", &[item("b", "一", "日本語 🗻"), item("b", "0", "")])
        .unwrap();
    records.write("b", &[score("b", None)]).unwrap();
    let frames = records.read_all().unwrap();
    assert!(frames.steps()[0].loss.is_nan());
    assert_eq!(frames.steps()[0].val_loss, None);
    assert_eq!(frames.steps()[1], step("b", 2, 3.0));
    assert_eq!(
        frames.items(),
        [item("b", "0", ""), item("b", "一", "日本語 🗻")]
    );
    assert!(frames.scores()[0].value.is_nan());
    assert_eq!(frames.scores()[0].baseline, None);
    assert!(frames.runs().is_empty());
}

#[test]
fn the_order_of_writing_does_not_matter() {
    let read = |order: &[(&str, u64)]| {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        for (run, at) in order {
            records
                .append_steps(run, &[step(run, *at, *at as f64)])
                .unwrap();
        }
        records.read_all().unwrap()
    };
    let (one, other) = (
        read(&[("b", 2), ("a", 1), ("b", 1)]),
        read(&[("b", 1), ("b", 2), ("a", 1)]),
    );
    assert_eq!(one, other);
    assert_eq!(
        one.steps()
            .iter()
            .map(|s| s.run.as_str())
            .collect::<Vec<_>>(),
        ["a", "b", "b"]
    );
}

#[test]
fn a_repeated_step_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    records
        .append_steps(
            "a",
            &[step("a", 1, 5.0), step("a", 2, 4.0), step("a", 3, 3.0)],
        )
        .unwrap();
    records.append_steps("a", &[step("a", 2, 4.5)]).unwrap();
    let losses: Vec<f64> = records
        .read::<StepRow>()
        .unwrap()
        .iter()
        .map(|s| s.loss)
        .collect();
    assert_eq!(losses, [5.0, 4.5, 3.0]);
}

#[test]
fn an_interrupted_write_leaves_the_old_rows() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    records.append_steps("a", &[step("a", 1, 5.0)]).unwrap();
    // After a killed process: half of a file under its temporary name.
    let whole = fs::read(folder.path().join("steps/a.parquet")).unwrap();
    fs::write(
        folder.path().join("steps/.writing-x"),
        &whole[..whole.len() / 2],
    )
    .unwrap();
    assert_eq!(records.read_all().unwrap().steps(), [step("a", 1, 5.0)]);
    let names: Vec<_> = fs::read_dir(folder.path().join("steps")).unwrap().collect();
    assert_eq!(names.len(), 2, "a finished write leaves no temporary file");
}

fn broken(content: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    records.append_steps("a", &[step("a", 1, 5.0)]).unwrap();
    let file = folder.path().join("steps/a.parquet");
    content(&file);
    let message = records.read_all().unwrap_err().to_string();
    assert!(message.contains("a.parquet"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn a_corrupt_file_names_itself_and_the_remedy() {
    let text = broken(|file| fs::write(file, "not a table").unwrap());
    assert!(
        text.contains("delete the file and run the sweep again"),
        "{text}"
    );
    broken(|file| fs::write(file, "").unwrap());
    broken(|file| {
        let whole = fs::read(file).unwrap();
        fs::write(file, &whole[..whole.len() - 20]).unwrap();
    });
}

#[test]
fn a_truncated_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    let rows: Vec<StepRow> = (0..20).map(|i| step("a", i, i as f64)).collect();
    records.append_steps("a", &rows).unwrap();
    let file = folder.path().join("steps/a.parquet");
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let error = records.read::<StepRow>().unwrap_err();
        assert!(
            matches!(error, Error::Unreadable { .. }),
            "cut at {length}: {error}"
        );
    }
}

#[test]
fn damaged_pages_are_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    let rows: Vec<StepRow> = (0..20).map(|i| step("a", i, i as f64)).collect();
    records.append_steps("a", &rows).unwrap();
    let file = folder.path().join("steps/a.parquet");
    let mut bytes = fs::read(&file).unwrap();
    // Everything between the opening magic and the footer.
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..][..4].try_into().unwrap()) as usize;
    let end = bytes.len() - 8 - footer;
    bytes[4..end].fill(0);
    fs::write(&file, bytes).unwrap();
    assert!(matches!(
        records.read::<StepRow>(),
        Err(Error::Unreadable { .. })
    ));
}

#[test]
fn a_file_of_another_table_is_an_error_that_names_the_missing_column() {
    let text = broken(|file| {
        let folder = tempfile::tempdir().unwrap();
        let other = Records::open(folder.path()).unwrap();
        other.write("a", &[item("a", "0", "")]).unwrap();
        fs::copy(folder.path().join("items/a.parquet"), file).unwrap();
    });
    assert!(text.contains("column `step` is missing"), "{text}");
}

#[test]
fn invalid_folders_and_names_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Records::open(folder.path().join("nothing")).unwrap();
    assert!(matches!(absent.read_all(), Err(Error::Absent { .. })));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Records::open(&file), Err(Error::Io { .. })));
    let records = Records::open(folder.path()).unwrap();
    for run in ["", "..", "../a", "a/b", ".hidden", "a\0b"] {
        let rejected = records.append_steps(run, &[step(run, 1, 1.0)]);
        assert!(matches!(rejected, Err(Error::RunName { .. })), "{run:?}");
    }
    let rejected = records.append_steps("a", &[step("b", 1, 1.0)]);
    assert!(matches!(rejected, Err(Error::ForeignRow { .. })));
    assert!(
        !folder.path().join("steps").exists(),
        "nothing is written for a rejected row"
    );
}

#[test]
fn tables_become_csv_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let frames = Frames::new(
        vec![],
        vec![step("a", 1, 5.0), step("a", 2, 4.0)],
        vec![],
        vec![item("a", "一", "x,y")],
        vec![],
    );
    frames.export_csv(folder.path()).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let steps = read("steps.csv");
    let lines: Vec<&str> = steps.lines().collect();
    assert!(lines[0].starts_with("run,step,tokens,train_flops,wall_s,loss,val_loss,"));
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].contains(",5.0,,"),
        "null is an empty field: {}",
        lines[1]
    );
    assert!(read("items.csv").contains("\"Reykjavík, \"\"Ísland\"\"\n\",\"x,y\""));
    assert!(read("runs.csv").starts_with("run,sweep,size,block,block_kind,block_options,seed,"));

    frames.export_json_lines(folder.path()).unwrap();
    let lines = read("steps.jsonl");
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains(r#""loss":5.0,"val_loss":null,"#));
    let item: serde_json::Value = serde_json::from_str(read("items.jsonl").trim_end()).unwrap();
    assert_eq!(item["expected"], "Reykjavík, \"Ísland\"\n");
    assert_eq!(read("runs.jsonl"), "");
}

#[test]
fn reports_read_the_steps_with_a_validation_loss_alone() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    for run in ["b", "a"] {
        let steps: Vec<StepRow> = (1..=5).map(|number| step(run, number, 3.0)).collect();
        records.write(run, &steps).unwrap();
        records.write(run, &[item(run, "x", "y")]).unwrap();
    }
    let (all, few) = (
        records.read_all().unwrap(),
        records.read_for_reports().unwrap(),
    );
    let validated = all.steps().iter().filter(|step| step.val_loss.is_some());
    assert_eq!(few.steps(), validated.cloned().collect::<Vec<_>>());
    assert_eq!(few.steps().len(), 4);
    assert_eq!(few.items(), all.items());
    assert_eq!(all.steps_of("b").len(), 5);
    assert_eq!(few.steps_of("a"), &few.steps()[..2]);
    assert!(all.steps_of("c").is_empty());
}
