use std::fs;
use std::io::Write;
use std::path::Path;

use polars::prelude::{Column, DataFrame, ParquetWriter};

use super::record::MAX_DOCUMENT;
use super::*;

const VOCABULARY: Vocabulary = Vocabulary { end: 0, size: 1 };

fn config(path: &Path) -> CorpusConfig {
    CorpusConfig::new(vec![path.to_owned()])
}

fn texts(config: &CorpusConfig) -> Result<Vec<String>, String> {
    let files = find("corpus.a.paths", &config.paths).map_err(|error| error.to_string())?;
    let mut texts = Vec::new();
    for event in Documents::new(&files, config, VOCABULARY) {
        match event.map_err(|error| error.to_string())? {
            Event::Document(Document {
                content: Content::Text(text),
                ..
            }) => texts.push(text),
            Event::Document(other) => panic!("{other:?}"),
            Event::Empty => texts.push("(empty)".to_owned()),
            Event::Skipped(error) => texts.push(format!("({error})")),
        }
    }
    Ok(texts)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn parquet(path: &Path, rows: &[Option<&str>], per_group: usize) {
    let column = Column::new("text".into(), rows);
    let other = Column::new("n".into(), vec![7_i64; rows.len()]);
    let mut frame = DataFrame::new(rows.len(), vec![other, column]).unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap())
        .with_row_group_size(Some(per_group))
        .finish(&mut frame)
        .unwrap();
}

#[test]
fn every_format_and_compression_gives_its_documents() {
    let folder = tempfile::tempdir().unwrap();
    let lines =
        "{\"text\": \"one\\n\"}\n\n{\"id\": 3, \"text\": \"zwei €\"}\r\n{\"text\": \"three\"}";
    let text = "one\n--\nzwei €--\n\n--\nthree";
    for (name, bytes) in [
        ("a.jsonl", lines.as_bytes().to_vec()),
        ("b.json.gz", gzip(lines.as_bytes())),
        // Several members follow each other.
        (
            "c.jsonl.gz",
            [gzip(&lines.as_bytes()[..20]), gzip(&lines.as_bytes()[20..])].concat(),
        ),
        (
            "d.ndjson.zst",
            zstd::encode_all(lines.as_bytes(), 1).unwrap(),
        ),
        ("a.txt", text.as_bytes().to_vec()),
        ("b.txt.gz", gzip(text.as_bytes())),
        ("c.txt.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let mut config = config(&path);
        config.separator = Some("--\n".to_owned());
        let expected: &[&str] = if name.contains("txt") {
            &["one\n", "zwei €", "(empty)", "three"]
        } else {
            &["one\n", "zwei €", "three"]
        };
        assert_eq!(texts(&config).unwrap(), expected, "{name}");
    }
    let path = folder.path().join("a.parquet");
    parquet(
        &path,
        &[Some("one\n"), Some("zwei €"), Some(""), Some("three")],
        2,
    );
    assert_eq!(
        texts(&config(&path)).unwrap(),
        ["one\n", "zwei €", "(empty)", "three"]
    );
    let path = folder.path().join("whole.txt");
    fs::write(&path, text).unwrap();
    assert_eq!(texts(&config(&path)).unwrap(), [text]);
}

#[test]
fn a_separator_across_the_pieces_that_are_read_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    for length in (1 << 18) - 4..(1 << 18) + 2 {
        let documents = ["x".repeat(length), "y".repeat(7), "z".repeat(length)];
        fs::write(&path, documents.join("<sep>")).unwrap();
        let mut config = config(&path);
        config.separator = Some("<sep>".to_owned());
        assert_eq!(texts(&config).unwrap(), documents);
    }
}

/// A batch of documents would otherwise need as much memory as the pieces that were read for them.
#[test]
fn documents_have_no_more_memory_than_their_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "a few words|".repeat(10_000)).unwrap();
    let mut config = config(&path);
    config.separator = Some("|".to_owned());
    let texts = texts(&config).unwrap();
    assert_eq!(texts.len(), 10_000);
    let memory: usize = texts.iter().map(String::capacity).sum();
    assert!(memory < 20 * texts.len(), "{memory}");
}

#[test]
fn an_invalid_record_is_an_error_that_names_its_place_or_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 7] = [
        (
            "a.jsonl",
            b"{\"text\": \"a\"}\n{\"text\": 3}\n",
            "a.jsonl:2: field `text` is no text",
        ),
        (
            "b.jsonl",
            b"\n{\"tex\": \"a\"}\n",
            "b.jsonl:2: has no field `text`",
        ),
        (
            "c.jsonl",
            b"{\"text\": \"a\"\n",
            "c.jsonl:1: is no JSON object",
        ),
        ("d.jsonl", b"[1, 2]\n", "d.jsonl:1: is no JSON object"),
        (
            "e.jsonl",
            b"{\"text\": \"\xff\"}\n",
            "e.jsonl:1: is not UTF-8",
        ),
        (
            "f.jsonl",
            b"{\"text\": \"\\ud800\"}\n",
            "f.jsonl:1: field `text` is no text",
        ),
        (
            "g.txt",
            b"one\nof\ntwo \xc3(",
            "g.txt:3: the text is not UTF-8",
        ),
    ];
    for (name, bytes, expected) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let mut config = config(&path);
        let message = texts(&config).unwrap_err();
        assert!(message.contains(expected), "{message}");
        assert!(
            message.contains("skip_bad") && !message.contains('\n'),
            "{message}"
        );
        config.skip_bad = true;
        let skipped = texts(&config).unwrap();
        assert!(
            skipped.iter().any(|text| text.contains(expected)),
            "{skipped:?}"
        );
    }
    let path = folder.path().join("h.parquet");
    parquet(&path, &[Some("a"), None], 1);
    let message = texts(&config(&path)).unwrap_err();
    assert!(
        message.contains("h.parquet row 2: column `text` is null"),
        "{message}"
    );
}

#[test]
fn a_damaged_file_is_an_error_that_names_it_also_where_records_may_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let lines = b"{\"text\": \"one\"}\n".repeat(1000);
    let whole = [
        ("a.jsonl.gz", gzip(&lines)),
        ("a.jsonl.zst", zstd::encode_all(&lines[..], 1).unwrap()),
        ("a.parquet", {
            let path = folder.path().join("b.parquet");
            parquet(&path, &[Some("one"), Some("two")], 1);
            fs::read(path).unwrap()
        }),
    ];
    for (name, bytes) in whole {
        let path = folder.path().join(name);
        let mut config = config(&path);
        config.skip_bad = true;
        for end in [0, 1, 9, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..end]).unwrap();
            let read = texts(&config);
            // An empty stream of Gzip or Zstandard has no documents.
            if end > 0 || name.ends_with("parquet") {
                let message = read.unwrap_err();
                assert!(
                    message.contains(name) && !message.contains('\n'),
                    "{end}: {message}"
                );
            }
        }
    }
    let path = folder.path().join("c.parquet");
    parquet(&path, &[Some("one")], 1);
    let mut config = config(&path);
    config.text_field = "n".to_owned();
    assert!(
        texts(&config)
            .unwrap_err()
            .contains("column `n` is not of texts")
    );
    config.text_field = "body".to_owned();
    assert!(texts(&config).unwrap_err().contains("body"));
}

#[test]
fn reading_goes_on_at_any_place() {
    let folder = tempfile::tempdir().unwrap();
    for (name, documents) in [("a.txt", 4), ("b.txt", 0), ("c.txt", 3)] {
        let text: Vec<String> = (0..documents).map(|i| format!("{name} {i}")).collect();
        fs::write(folder.path().join(name), text.join("|")).unwrap();
    }
    let mut config = config(folder.path());
    config.separator = Some("|".to_owned());
    let files = find("k", &config.paths).unwrap();
    let rest = |place| -> Vec<(String, Place)> {
        let documents = Documents::new(&files, &config, VOCABULARY)
            .after(place)
            .unwrap();
        let document = |event| match event {
            Ok(Event::Document(Document {
                content: Content::Text(text),
                end,
            })) => (text, end),
            other => panic!("{other:?}"),
        };
        documents.map(document).collect()
    };
    let all = rest(Place::default());
    assert_eq!(all.len(), 7);
    for (index, (_, end)) in all.iter().enumerate() {
        assert_eq!(rest(*end), all[index + 1..]);
    }
    let beyond = Place { file: 0, record: 9 };
    assert!(
        Documents::new(&files, &config, VOCABULARY)
            .after(beyond)
            .is_err()
    );
}

#[test]
fn a_line_or_document_beyond_the_limit_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt.zst");
    let long = zstd::encode_all(&vec![b'x'; MAX_DOCUMENT + (1 << 20)][..], 1).unwrap();
    fs::write(&path, &long).unwrap();
    let message = texts(&config(&path)).unwrap_err();
    assert!(message.contains("set `separator`"), "{message}");
    let path = folder.path().join("a.jsonl.zst");
    let long = zstd::encode_all(&vec![b'x'; 2 * MAX_DOCUMENT + (1 << 20)][..], 1).unwrap();
    fs::write(&path, &long).unwrap();
    let message = texts(&config(&path)).unwrap_err();
    assert!(
        message.contains("a.jsonl.zst:1: the line is longer"),
        "{message}"
    );
}
