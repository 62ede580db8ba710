//! The published files load with their published numbers of rows, prompts are those of the field, and planted answers score as computed
//! by hand. Files are looked for in `ISOFLOP_BENCHMARKS`, and in `../shared/data` beside the checkout; a test without its files says so.

#![allow(clippy::print_stderr, reason = "a test without its files says so")]

use std::path::{Path, PathBuf};

use benchmarks::answers::Answer;
use benchmarks::items::Shots;
use benchmarks::judge::Judge;
use benchmarks::summary::{by_group, means};
use benchmarks::{Benchmark, ItemKind, builtin};

fn folder() -> PathBuf {
    match std::env::var_os("ISOFLOP_BENCHMARKS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    }
}

fn read(task: &str, at: &str) -> Option<Benchmark> {
    let path = folder().join(at);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    Some(Benchmark::read(builtin::find(task).unwrap(), &[path], false).unwrap())
}

fn text(doc_id: usize, response: &str) -> Answer {
    Answer {
        doc_id,
        response: Some(response.to_owned()),
        ..Answer::default()
    }
}

fn mean(benchmark: &Benchmark, metric: &str, answer: impl Fn(usize) -> Answer) -> f64 {
    let judge = Judge::new(benchmark);
    let items: Vec<_> = benchmark
        .items
        .iter()
        .map(|item| judge.metrics(item, &answer(item.doc_id)))
        .collect();
    let found = means(&items);
    found
        .iter()
        .find(|mean| mean.metric == metric)
        .unwrap()
        .value
}

#[test]
fn every_set_has_its_published_number_of_rows() {
    let sets = [
        ("nq_open", "nq_open", 3610),
        ("triviaqa", "triviaqa", 11313),
        ("hotpotqa", "hotpotqa", 7405),
        ("entityquestions", "entityquestions", 22075),
        ("piqa", "piqa", 1838),
        ("openbookqa", "openbookqa", 500),
        ("hellaswag", "hellaswag", 10042),
        ("mmlu", "mmlu", 14042),
        ("mmlu_continuation", "mmlu", 14042),
        ("humaneval", "humaneval", 164),
        ("mbpp", "mbpp", 500),
        ("mbpp_sanitized", "mbpp", 257),
    ];
    for (task, at, rows) in sets {
        if let Some(benchmark) = read(task, at) {
            assert_eq!(benchmark.items.len(), rows, "{task}");
            assert_eq!(benchmark.other_rows(), None, "{task}");
            assert!(benchmark.skipped.is_empty());
        }
    }
}

#[test]
fn prompts_are_those_of_the_harness() {
    let prompt = |benchmark: &Benchmark| {
        let item = &benchmark.items[0];
        benchmark.prompt(item, &Shots::default(), 0).unwrap()
    };
    if let Some(nq) = read("nq_open", "nq_open") {
        let text = prompt(&nq);
        assert!(
            text.starts_with("Answer these questions:\n\nQ: ") && text.ends_with("?\nA:"),
            "{text}"
        );
    }
    if let Some(trivia) = read("triviaqa", "triviaqa") {
        assert_eq!(
            prompt(&trivia),
            "Question: Who was the man behind The Chipmunks??\nAnswer:"
        );
        assert_eq!(
            trivia.items[0].kind,
            ItemKind::Generate(vec!["David Seville".to_owned()])
        );
    }
    if let Some(mmlu) = read("mmlu", "mmlu") {
        let text = prompt(&mmlu);
        let start = "The following are multiple choice questions (with answers) about abstract algebra.\n\n";
        assert!(
            text.starts_with(start) && text.ends_with("\nAnswer:") && text.contains("\nB. "),
            "{text}"
        );
        let groups = by_group(mmlu.items.iter().map(|item| (item.group.as_str(), ())));
        assert_eq!(groups.len(), 57);
        let shots = mmlu.shots(&[folder().join("mmlu")], false).unwrap();
        let five = mmlu.prompt(&mmlu.items[0], &shots, 5).unwrap();
        assert_eq!(five.matches("\nAnswer:").count(), 6);
    }
    if let Some(mbpp) = read("mbpp", "mbpp") {
        assert!(prompt(&mbpp).ends_with("\n[BEGIN]\n"));
        let shots = mbpp.shots(&[folder().join("mbpp")], false).unwrap();
        let three = mbpp.prompt(&mbpp.items[0], &shots, 3).unwrap();
        assert_eq!(
            (
                three.matches("[DONE]").count(),
                three.matches("[BEGIN]").count()
            ),
            (3, 4)
        );
    }
    if let Some(eq) = read("entityquestions", "entityquestions") {
        let shots = eq
            .shots(&[folder().join("entityquestions")], false)
            .unwrap();
        let item = &eq.items[100];
        let prompt = eq.prompt(item, &shots, 5).unwrap();
        assert_eq!(
            (
                prompt.matches("Q: ").count(),
                prompt.matches("\nA:").count()
            ),
            (6, 6)
        );
        assert_eq!(
            prompt,
            eq.prompt(item, &shots, 5).unwrap(),
            "drawn by counter"
        );
    }
}

#[test]
fn the_stop_texts_bound_what_an_exact_answer_can_reach() {
    let accepted = |benchmark: &Benchmark, doc_id: usize| match &benchmark.items[doc_id].kind {
        ItemKind::Generate(accepted) => accepted.clone(),
        _ => panic!("an answer in text"),
    };
    if let Some(nq) = read("nq_open", "nq_open") {
        let first = mean(&nq, "exact_match", |id| text(id, &accepted(&nq, id)[0]));
        assert!((first - 0.8958).abs() < 5e-5, "{first}");
    }
    if let Some(trivia) = read("triviaqa", "triviaqa") {
        let first = mean(&trivia, "exact_match", |id| {
            text(id, &accepted(&trivia, id)[0])
        });
        assert!((first - 0.9408).abs() < 5e-5, "{first}");
    }
    if let Some(hotpot) = read("hotpotqa", "hotpotqa") {
        for metric in ["exact_match", "em"] {
            let first = mean(&hotpot, metric, |id| text(id, &accepted(&hotpot, id)[0]));
            assert!(first > 0.999, "{metric} {first}");
        }
        let no = mean(&hotpot, "em", |id| text(id, "no"));
        assert!((no - 233.0 / 7405.0).abs() < 1e-9, "{no}");
    }
}

#[test]
fn planted_log_likelihoods_score_as_by_hand() {
    let Some(piqa) = read("piqa", "piqa") else {
        return;
    };
    let gold = |doc_id: usize| match &piqa.items[doc_id].kind {
        ItemKind::Choose(choices, gold) => (choices.clone(), gold[0]),
        _ => panic!("choices"),
    };
    let lls = |doc_id: usize, lls: Vec<f64>| Answer {
        lls: Some(lls),
        response: None,
        ..text(doc_id, "")
    };
    let right = |doc_id: usize| {
        let (_, gold) = gold(doc_id);
        lls(
            doc_id,
            (0..2)
                .map(|choice| if choice == gold { -1.0 } else { -2.0 })
                .collect(),
        )
    };
    assert_eq!(mean(&piqa, "acc", right), 1.0);
    // Equal ones choose the first.
    let first = mean(&piqa, "acc", |id| lls(id, vec![-1.0, -1.0]));
    let firsts = piqa
        .items
        .iter()
        .filter(|item| gold(item.doc_id).1 == 0)
        .count();
    assert!((first - firsts as f64 / 1838.0).abs() < 1e-12);
    // Equal per character: every choice has the same score by acc_norm, so that the first is chosen.
    let normed = mean(&piqa, "acc_norm", |id| {
        let (choices, _) = gold(id);
        lls(
            id,
            choices
                .iter()
                .map(|choice| -(choice.chars().count() as f64))
                .collect(),
        )
    });
    assert!((normed - first).abs() < 1e-12);
    let bpb = mean(&piqa, "bpb", |id| {
        let (choices, gold) = gold(id);
        let bits = |choice: &String| -std::f64::consts::LN_2 * (choice.len() + 1) as f64;
        let mut all = vec![0.0; 2];
        all[gold] = bits(&choices[gold]);
        lls(id, all)
    });
    assert!(
        (bpb - 1.0).abs() < 1e-12,
        "one bit for each byte, the space before it counted"
    );
}

/// A benchmark from made-up records in the published layout.
fn made_up(task: &str, name: &str, text: &str) -> Benchmark {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    Benchmark::read(
        builtin::find(task).unwrap(),
        &[folder.path().to_owned()],
        false,
    )
    .unwrap()
}

#[test]
fn layouts_without_a_file_here_are_read_as_published() {
    let popqa = made_up(
        "popqa",
        "popQA.tsv",
        "id\tprop\tquestion\tpossible_answers\n1\toccupation\tWhat is X's occupation?\t\"[\"\"politician\"\", \"\"political leader\"\"]\"\n",
    );
    assert_eq!(popqa.items[0].text, "Q: What is X's occupation?\nA:");
    assert_eq!(popqa.items[0].group, "occupation");
    let accepted = ["politician", "political leader"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(popqa.items[0].kind, ItemKind::Generate(accepted));
    // Answers sorted, without one that begins with the one before.
    let webqs = made_up(
        "webqs",
        "webqs.test.jsonl",
        "{\"question\": \"who?\", \"answers\": [\"Bob Smith\", \"Bob\", \"Ann\"]}\n",
    );
    let choices = ["Ann", "Bob"].map(str::to_owned).to_vec();
    assert_eq!(webqs.items[0].kind, ItemKind::Choose(choices, vec![0, 1]));
    let published = "{\"question\": {\"stem\": \"Why?\", \"choices\": [{\"text\": \"a\", \"label\": \"1\"}, {\"text\": \"b\", \"label\": \"2\"}]}, \"answerKey\": \"2\"}\n";
    let flat = "{\"question\": \"Why?\", \"choices\": {\"text\": [\"a\", \"b\"], \"label\": [\"1\", \"2\"]}, \"answerKey\": \"2\"}\n";
    for text in [published, flat] {
        let arc = made_up("arc_easy", "ARC-Easy-Test.jsonl", text);
        assert_eq!(arc.items[0].text, "Question: Why?\nAnswer:");
        let choices = ["a", "b"].map(str::to_owned).to_vec();
        assert_eq!(arc.items[0].kind, ItemKind::Choose(choices, vec![1]));
    }
    let hellaswag = made_up(
        "hellaswag",
        "hellaswag_val.jsonl",
        "{\"activity_label\": \"Roof\", \"ctx_a\": \"A man sits.\", \"ctx_b\": \"he Then\", \"endings\": [\"[step] x\", \"y\"], \"label\": \"1\"}\n",
    );
    assert_eq!(hellaswag.items[0].text, "Roof: A man sits. He then");
    let choices = [" x", "y"].map(str::to_owned).to_vec();
    assert_eq!(hellaswag.items[0].kind, ItemKind::Choose(choices, vec![1]));
}

#[test]
fn a_program_is_put_together_as_the_task_says() {
    let Some(mbpp) = read("mbpp", "mbpp") else {
        return;
    };
    let item = &mbpp.items[0];
    let program = mbpp
        .program(item, "def f():\n    pass[DONE] and more")
        .unwrap();
    assert_eq!(program.source, "def f():\n    pass\n");
    assert_eq!(program.names, ["remove_Occ"]);
    assert_eq!(
        (program.tests.matches("assert").count(), program.seconds),
        (3, Some(20))
    );
    let Some(humaneval) = read("humaneval", "humaneval") else {
        return;
    };
    let item = &humaneval.items[0];
    let ItemKind::Program(reference) = &item.kind else {
        panic!("a program")
    };
    let program = humaneval.program(item, reference).unwrap();
    assert!(program.tests.ends_with("check(has_close_elements)"));
    assert!(
        program.source.contains(reference.as_str()) && program.source.starts_with(&program.prelude)
    );
}
