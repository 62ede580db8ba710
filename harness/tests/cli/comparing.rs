//! `isoflop compare`, on records that are written without training.

use results::{ItemRow, Records, RunRow, ScoreRow, WHOLE_SUITE};

use crate::scratch::{Scratch, TINY};

fn run(sweep: &str, block: &str, id: &str) -> RunRow {
    RunRow {
        run: id.into(),
        sweep: sweep.into(),
        size: "l".into(),
        block: block.into(),
        block_kind: block.into(),
        block_options: format!(r#"[{{"block": {{"kind": "{block}"}}, "placement": "all"}}]"#),
        seed: 0,
        status: "finished".into(),
        reason: String::new(),
        matching: "flops".into(),
        target_flops: 1e9,
        train_flops: 1e9,
        tokens: 1000,
        epoch_tokens: 500,
        epochs: 2.0,
        steps: 10,
        d_model: 8,
        n_layers: 2,
        params_dense: 100,
        params_table: 50,
        params_active: 110,
        params_total: 150,
        forward_matmul_flops: 1.0,
        forward_attention_flops: 1.0,
        forward_lookup_flops: 1.0,
        bytes_gathered: 64.0,
        train_loss: 2.0,
        val_loss: 2.5,
        val_tokens: 100,
        tokens_per_s: 10.0,
        flop_per_s: 10.0,
        numeric_format: Default::default(),
        flop_convention: "two".into(),
        peak_memory_bytes: 1 << 20,
        train_wall_s: 1.0,
        eval_wall_s: 1.0,
        table_bytes: 200,
        commit: String::new(),
        dirty: false,
        version: String::new(),
        config: format!("block = \"{block}\"\n"),
        data_fingerprint: "data".into(),
        tokenizer_fingerprint: "tokenizer".into(),
        device: "flex".into(),
        threads: 2,
        instruction_set: String::new(),
        processor: String::new(),
        lock_file: String::new(),
        weights_hash: String::new(),
        resumes: 0,
        skipped_steps: 0,
        started: String::new(),
        command: String::new(),
    }
}

/// Writes the rows of a run with 40 items, of which the first `correct` are correct.
fn record(scratch: &Scratch, run: &RunRow, correct: u32) {
    let records = Records::open(scratch.path(&format!("runs/{}/records", run.sweep))).unwrap();
    let item = |i: u32| ItemRow {
        run: run.run.clone(),
        suite: "facts".into(),
        task: "t".into(),
        item: format!("{i:02}"),
        correct: i < correct,
        answer_tokens: 2,
        answer_nll_bits: 1.0,
        end_nll_bits: 0.1,
        expected: "e".into(),
        given: String::new(),
        detail: String::new(),
    };
    let score = ScoreRow {
        run: run.run.clone(),
        suite: "facts".into(),
        task: WHOLE_SUITE.into(),
        metric: "exact_match".into(),
        status: "scored".into(),
        reason: String::new(),
        value: f64::from(correct) / 40.0,
        low: 0.0,
        high: 1.0,
        n: 40,
        baseline: None,
        interval: "wilson".into(),
    };
    records
        .write(&run.run, &(0..40).map(item).collect::<Vec<_>>())
        .unwrap();
    records.write(&run.run, &[score]).unwrap();
    records.write(&run.run, std::slice::from_ref(run)).unwrap();
}

/// Two sweeps: `a` with dense and memory, `b` with memory+.
fn recorded() -> Scratch {
    let scratch = Scratch::new(TINY);
    record(&scratch, &run("a", "dense", "aa11"), 10);
    record(&scratch, &run("a", "memory", "aa22"), 30);
    record(&scratch, &run("b", "memory+", "bb33"), 35);
    scratch
}

#[test]
fn sweeps_are_compared_with_differences_from_the_first_model() {
    let scratch = recorded();
    let ended = scratch.isoflop(&["compare", "a", "runs/b"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    let header = ended.out.lines().nth(1).unwrap();
    let columns: Vec<&str> = header.split_whitespace().collect();
    assert_eq!(columns, ["a:l/dense", "a:l/memory", "b:l/memory+"]);
    assert!(ended.out.contains("held equal: 1.000e9 training FLOPs"));
    let difference = ended
        .out
        .lines()
        .rfind(|line| line.contains("facts exact match, n 40"))
        .unwrap();
    assert!(
        difference.contains("+50.0 pt [") && difference.contains("+62.5 pt ["),
        "{difference}"
    );
}

#[test]
fn the_order_of_only_is_that_of_the_models_and_its_first_the_reference() {
    let scratch = recorded();
    let columns = |only: &str| {
        let ended = scratch.isoflop(&["compare", "a", "--only", only]);
        let header = ended.out.lines().nth(1).unwrap_or_default().to_owned();
        header
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(columns("memory,dense"), ["l/memory", "l/dense"]);
    assert_eq!(columns("dense,memory"), ["l/dense", "l/memory"]);
}

#[test]
fn parts_of_sweeps_and_prefixes_of_names_select_runs() {
    let scratch = recorded();
    for arguments in [
        ["compare", "a:l/memory", "bb", "--csv"],
        ["compare", "runs/a/records:*/memory/0", "b:l", "--csv"],
        ["compare", "aa2", "bb33", "--csv"],
    ] {
        let ended = scratch.isoflop(&arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let lines: Vec<&str> = ended.out.lines().collect();
        assert_eq!(
            lines[0],
            "metric,unit,held,model,run,value,low,high,n,interval"
        );
        let accuracy: Vec<&&str> = lines
            .iter()
            .filter(|line| line.starts_with("facts exact_match,"))
            .collect();
        assert_eq!(accuracy.len(), 2, "{ended:?}");
        assert!(
            accuracy[0].contains(",a:l/memory,aa22,0.75,0.0,1.0,40,"),
            "{accuracy:?}"
        );
    }
    let ended = scratch.isoflop(&["compare", "a", "--only", "dense", "--csv"]);
    assert!(
        ended.out.contains("l/dense") && !ended.out.contains("l/memory"),
        "{ended:?}"
    );
}

#[test]
fn runs_with_different_conventions_are_errors_and_nothing_is_written() {
    let scratch = recorded();
    let mut other = run("c", "dense", "cc44");
    other.flop_convention = "one".into();
    record(&scratch, &other, 10);
    let ended = scratch.isoflop(&["compare", "a", "c", "--report", "page.html"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
    assert!(
        ended.err.contains(
            "FLOP convention differs: `two` in a:l/dense/0 (aa11), `one` in c:l/dense/0 (cc44); \
             select only runs that agree in it"
        ),
        "{ended:?}"
    );
    assert!(!scratch.path("page.html").exists());
}

#[test]
fn arguments_that_select_no_run_or_several_are_errors_with_a_remedy() {
    let scratch = recorded();
    for (argument, message) in [
        ("aa", "give a longer prefix of one of: aa11, aa22"),
        (
            "zz",
            "is not a folder of records, a recorded sweep or the prefix of a run's name",
        ),
        ("a:xl", "recorded there: l/dense, l/memory"),
        ("z:l", "has no records of a sweep `z`"),
        ("a:l/dense/x", "not a whole number"),
    ] {
        let ended = scratch.isoflop(&["compare", argument]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(message), "{argument}: {ended:?}");
    }
    let filtered = scratch.isoflop(&["compare", "a", "--size", "xl"]);
    assert!(
        filtered.code == Some(2) && filtered.err.contains("remove or change these filters"),
        "{filtered:?}"
    );
}

#[test]
fn the_page_is_self_contained() {
    let scratch = recorded();
    let ended = scratch.isoflop(&["compare", "a", "b", "--report", "pages/page.html"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.ends_with("pages/page.html\n"), "{ended:?}");
    let page = std::fs::read_to_string(scratch.path("pages/page.html")).unwrap();
    assert!(page.contains("b:l/memory+") && page.contains("+62.5"));
    for reference in ["http:", "https:", "src=", "<script", "<link"] {
        assert!(!page.contains(reference), "{reference}");
    }
}
