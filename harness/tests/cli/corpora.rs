//! Sweeps that train on text corpora, and `isoflop data`.

use std::fs;

use results::{Records, ScoreRow};
use serde_json::Value;

use crate::scratch::{Scratch, TINY};

/// A sweep on two corpora, without suites.
fn texts_alone() -> String {
    let suites = TINY.find("[suites]").unwrap();
    let training = TINY.find("[training]").unwrap();
    format!(
        "{}{}{}",
        &TINY[..suites],
        r#"
[tokenizer]
vocab_size = 320
[corpus.letters]
paths = "texts/letters.txt"
separator = "\n--\n"
held_out = 0.1
weight = 3
[corpus.lines]
paths = ["texts/lines.jsonl"]
text_field = "body"
held_out = 0.1
skip_bad = true

"#,
        &TINY[training..]
    )
}

fn write_texts(scratch: &Scratch) {
    let words = [
        "Ada",
        "wrote",
        "a letter",
        "to Oslo",
        "about",
        "the weather",
    ];
    let text = |number: usize| -> String {
        let words = (0..10 + number % 23).map(|place| words[(number + place * place) % 6]);
        format!("{} {number}.", words.collect::<Vec<_>>().join(" "))
    };
    fs::create_dir_all(scratch.path("texts")).unwrap();
    let letters: Vec<String> = (0..200).map(text).collect();
    fs::write(scratch.path("texts/letters.txt"), letters.join("\n--\n")).unwrap();
    let line = |number| serde_json::json!({ "body": text(number) }).to_string();
    let mut lines: Vec<String> = (300..420).map(line).collect();
    // Twenty documents occur twice.
    lines.extend((300..320).map(line));
    lines.push("{\"body\": 3}".to_owned());
    fs::write(scratch.path("texts/lines.jsonl"), lines.join("\n")).unwrap();
}

fn scores(scratch: &Scratch) -> Vec<ScoreRow> {
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    records.read::<ScoreRow>().unwrap()
}

#[test]
fn a_sweep_on_texts_has_bits_per_byte_of_each_corpus_and_names_that_do_not_depend_on_paths() {
    let scratch = Scratch::new(&texts_alone());
    write_texts(&scratch);
    let planned = scratch.isoflop(&["plan", "sweep.toml"]);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    assert!(!scratch.path("runs").exists(), "a plan prepares nothing");

    let first = scratch.isoflop(&["sweep", "sweep.toml"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.err.contains("tokenizing letters: "), "{first:?}");
    let rows = scores(&scratch);
    // Two blocks, two corpora, two metrics.
    assert_eq!(rows.len(), 8, "{rows:?}");
    for row in &rows {
        assert!(row.low <= row.value && row.value <= row.high, "{row:?}");
        let range = match row.metric.as_str() {
            "nats_per_token" => 1.0..8.0,
            "bits_per_byte" => 0.5..8.0,
            other => panic!("{other}"),
        };
        assert!(range.contains(&row.value) && row.n > 100, "{row:?}");
    }
    let data = scratch.isoflop(&["data", "sweep.toml", "--json", "--quiet"]);
    assert_eq!(data.code, Some(0), "{data:?}");
    let data: Value = serde_json::from_str(&data.out).unwrap();
    let source = |index: usize| &data["sources"][index];
    let documents = |index: usize| {
        let number = |key: &str| source(index)[key].as_u64().unwrap();
        number("documents") + number("held_out_documents")
    };
    assert_eq!((documents(0), documents(1)), (200, 140));
    assert_eq!(
        (&source(0)["label"], &source(1)["label"]),
        (&"letters".into(), &"lines".into())
    );
    assert_eq!(
        (&source(0)["duplicates"], &source(1)["duplicates"]),
        (&0.into(), &20.into())
    );
    assert_eq!(source(1)["skipped_records"], 1);
    assert_eq!(source(0)["share"], 0.75);
    let row = rows
        .iter()
        .find(|row| row.suite == "letters" && row.metric == "nats_per_token");
    assert_eq!(source(0)["held_out_tokens"], row.unwrap().n);

    // The same texts elsewhere are the same data.
    fs::rename(scratch.path("texts"), scratch.path("elsewhere")).unwrap();
    let moved = texts_alone().replace("texts/", "elsewhere/");
    fs::write(scratch.path("sweep.toml"), moved).unwrap();
    let second = scratch.isoflop(&["sweep", "sweep.toml"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(
        !second.err.contains("tokenizing") && !second.err.contains("step 1/"),
        "{second:?}"
    );

    // A run can be executed again from its row.
    fs::rename(scratch.path("elsewhere"), scratch.path("texts")).unwrap();
    let again = scratch.isoflop(&["rerun", &rows[0].run]);
    assert_eq!(again.code, Some(0), "{again:?}");
}

#[test]
fn suites_and_corpora_share_the_tokens_of_a_sweep_with_a_tokenizer_from_a_file() {
    let scratch = Scratch::new(TINY);
    write_texts(&scratch);
    let alone = scratch.isoflop(&["sweep", "sweep.toml", "--only", "dense"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    // What is cached is a hash in the first line and then a tokenizer.json.
    let mut files = fs::read_dir(scratch.path("runs/.cache")).unwrap();
    let cached = files.find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|end| end == "bpe")
            .then_some(path)
    });
    let cached = fs::read_to_string(cached.unwrap()).unwrap();
    fs::write(
        scratch.path("tokenizer.json"),
        cached.split_once('\n').unwrap().1,
    )
    .unwrap();
    let corpus =
        "[corpus.letters]\npaths = \"texts/letters.txt\"\nseparator = \"--\"\nheld_out = 0.2\n";
    let text = TINY.replace("name = \"tiny\"", "name = \"mixed\"").replace(
        "[suites]\nvocab_size = 320\n",
        &format!("{corpus}[tokenizer]\npath = \"tokenizer.json\"\n[suites]\nweight = 0.5\n"),
    );
    fs::write(scratch.path("sweep.toml"), text).unwrap();
    let mixed = scratch.isoflop(&["sweep", "sweep.toml", "--only", "dense"]);
    assert_eq!(mixed.code, Some(0), "{mixed:?}");
    let records = Records::open(scratch.path("runs/mixed/records")).unwrap();
    let rows = records.read::<ScoreRow>().unwrap();
    let has = |suite: &str, metric: &str| {
        rows.iter()
            .any(|row| row.suite == suite && row.metric == metric)
    };
    assert!(has("biographies", "exact_match") && has("letters", "bits_per_byte"));
    // A third of the tokens are those of the suites.
    let exposures = |sweep: &str| {
        let records = Records::open(scratch.path(&format!("runs/{sweep}/records"))).unwrap();
        let frames = records.read_all().unwrap();
        frames.exposures().iter().map(|row| row.mean).sum::<f64>()
    };
    let ratio = exposures("mixed") / exposures("tiny");
    assert!((ratio - 1.0 / 3.0).abs() < 0.01, "{ratio}");
    let shown = scratch.isoflop(&["data", "sweep.toml"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown.out.contains("33.3 %") && shown.out.contains("suites"),
        "{shown:?}"
    );
}

#[test]
fn invalid_corpora_are_errors_that_name_the_key_or_the_line() {
    let scratch = Scratch::new(&texts_alone());
    write_texts(&scratch);
    for (from, to, expected) in [
        (
            "texts/letters.txt",
            "texts/none.txt",
            "corpus.letters.paths = texts/none.txt: it does not exist",
        ),
        // Without the feature `object-store` no URL is read, with it none of another machine without TLS.
        (
            "texts/letters.txt",
            "http://example.org/letters.txt",
            "corpus.letters.paths = http://example.org/letters.txt: ",
        ),
        (
            "skip_bad = true",
            "",
            "texts/lines.jsonl:141: field `body` is no text",
        ),
        ("text_field = \"body\"", "", "none is to train on"),
        (
            "weight = 3",
            "weight = 0",
            "`corpus.letters.weight` = 0; write a number above 0",
        ),
        ("weight = 3", "wieght = 3", "did you mean `weight`?"),
        (
            "held_out = 0.1\nweight",
            "held_out = 0.9\nweight",
            "`corpus.letters.held_out` = 0.9",
        ),
        ("[corpus.lines]", "[corpus.world]", "is the name of a suite"),
        ("vocab_size = 320", "", "`tokenizer.vocab_size` is missing"),
        ("vocab_size = 320", "path = \"none.json\"", "none.json"),
        ("separator = \"\\n--\\n\"", "", "of 1 documents none is"),
        (
            "\"flops\"",
            "\"facts\", exposures = 1, tokens_per_person = 9",
            "people",
        ),
    ] {
        let text = texts_alone();
        assert!(text.contains(from), "{from}");
        fs::write(scratch.path("sweep.toml"), text.replacen(from, to, 1)).unwrap();
        let ended = scratch.isoflop(&["data", "sweep.toml"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(expected), "{to}: {ended:?}");
        let lines = ended
            .err
            .lines()
            .filter(|line| line.starts_with("isoflop: "));
        assert_eq!(lines.count(), 1, "{ended:?}");
    }
}
