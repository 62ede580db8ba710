//! `isoflop tasks` and `isoflop score`: prompts of a task, and metrics of answers that are given.

use crate::scratch::Scratch;

/// A task of its own, with three questions.
fn scratch() -> Scratch {
    let scratch = Scratch::new("");
    let task = "name = \"capitals\"\nversion = 1\nsplit = \"all\"\nrows = 3\nsource.files = [\"capitals.jsonl\"]\n\
                text = \"Q: {{ q }}\\nA:\"\n[generate]\nanswers = \"a\"\nstop = [\"\\n\"]\noverlap = \"squad\"\n\
                exact_match = { ignore_case = true }\n";
    let records = "{\"q\": \"Capital of France?\", \"a\": [\"Paris\"]}\n{\"q\": \"Of Japan?\", \"a\": [\"Tokyo\"]}\n\
                   {\"q\": \"Of the UK?\", \"a\": [\"London\", \"the City of London\"]}\n";
    let answers = "{\"doc_id\": 0, \"response\": \" paris\\nQ: next\"}\n{\"doc_id\": 2, \"response\": \"The city of London\"}\n";
    std::fs::write(scratch.path("capitals.toml"), task).unwrap();
    std::fs::write(scratch.path("capitals.jsonl"), records).unwrap();
    std::fs::write(scratch.path("answers.jsonl"), answers).unwrap();
    scratch
}

const SCORE: [&str; 7] = [
    "score",
    "--task",
    "./capitals.toml",
    "--data",
    ".",
    "--answers",
    "answers.jsonl",
];

#[test]
fn given_answers_are_judged_without_a_model() {
    let scratch = scratch();
    let table = scratch.isoflop(&SCORE);
    assert_eq!(table.code, Some(0), "{table:?}");
    assert!(
        table
            .err
            .contains("1 of 3 items have no answer and are left out"),
        "{table:?}"
    );
    let csv = scratch.isoflop(&[&SCORE[..], &["--csv"]].concat());
    let row = |metric: &str| -> Vec<String> {
        let line = csv
            .out
            .lines()
            .find(|line| line.contains(&format!(",{metric},")));
        line.unwrap().split(',').map(str::to_owned).collect()
    };
    // `The city of London` differs from both accepted answers but in case and article: exact_match keeps the article here.
    assert_eq!(row("exact_match")[6], "1.0", "{csv:?}");
    assert_eq!((row("em")[6].as_str(), row("f1")[8].as_str()), ("1.0", "2"));
    assert_eq!(
        row("exact_match")[12],
        "0.3333333333333333",
        "the most common answer"
    );
    std::fs::write(
        scratch.path("other.jsonl"),
        "{\"doc_id\": 0, \"response\": \"Rome\"}\n{\"doc_id\": 1, \"response\": \"x\"}\n",
    )
    .unwrap();
    let paired = scratch.isoflop(&[&SCORE[..], &["--csv", "--against", "other.jsonl"]].concat());
    let line = paired
        .out
        .lines()
        .find(|line| line.contains(",exact_match_difference,"));
    let cells: Vec<&str> = line.unwrap().split(',').collect();
    assert_eq!(
        (cells[6], cells[8]),
        ("1.0", "1"),
        "one item has both answers: {paired:?}"
    );
    let json = scratch.isoflop(&[&SCORE[..], &["--json"]].concat());
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        found["results"]["capitals"]["exact_match,remove_whitespace"],
        1.0
    );
    assert_eq!(found["n-samples"]["capitals"]["original"], 3);
    assert_eq!(found["n-samples"]["capitals"]["effective"], 2);
}

#[test]
fn unusable_answers_name_their_line() {
    let scratch = scratch();
    for (line, words) in [
        (
            "{\"doc_id\": 9, \"response\": \"x\"}",
            "answers.jsonl:1: has doc_id 9, and the items are 0 to 2",
        ),
        ("{\"doc_id\": 0}", "answers.jsonl:1: lacks `response`"),
        ("no", "answers.jsonl:1: is no answer"),
        (
            "{\"doc_id\": 0, \"response\": \"x\"}\n{\"doc_id\": 0, \"response\": \"y\"}",
            "answers.jsonl:2: answers doc_id 0 a second time",
        ),
    ] {
        std::fs::write(scratch.path("answers.jsonl"), line).unwrap();
        let ended = scratch.isoflop(&SCORE);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(words) && ended.err.lines().count() == 1,
            "{ended:?}"
        );
    }
    std::fs::write(scratch.path("capitals.jsonl"), "{\"q\": 1\n").unwrap();
    let broken = scratch.isoflop(&SCORE);
    assert!(
        broken.err.contains("capitals.jsonl:1: is not JSON"),
        "{broken:?}"
    );
}

#[test]
fn tasks_are_listed_and_their_prompts_shown() {
    let scratch = scratch();
    let list = scratch.isoflop(&["tasks"]);
    for name in ["nq_open", "mmlu_continuation", "mbpp"] {
        assert!(list.out.contains(name), "{list:?}");
    }
    let shown = scratch.isoflop(&[
        "tasks",
        "show",
        "./capitals.toml",
        "--data",
        ".",
        "--shots",
        "0",
    ]);
    assert!(
        shown
            .out
            .contains("Q: Capital of France?\nA:\n--- accepted: Paris"),
        "{shown:?}"
    );
    let unknown = scratch.isoflop(&["tasks", "show", "nq_opne", "--data", "."]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(
        unknown.err.contains("did you mean `nq_open`"),
        "{unknown:?}"
    );
    let program = scratch.isoflop(&[
        "score",
        "--task",
        "humaneval",
        "--data",
        ".",
        "--answers",
        "answers.jsonl",
    ]);
    assert!(
        program.err.contains("no file HumanEval.jsonl"),
        "{program:?}"
    );
}
