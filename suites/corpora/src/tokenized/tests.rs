use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::prepare::prepare_in_shards;
use super::*;
use crate::progress::Stage;
use crate::{CorpusConfig, CorpusError, Tokenizer};

pub fn texts() -> Vec<String> {
    let words = [
        "Ada", "Berg", "was", "born", "in", "Oslo", "and", "studied", "law",
    ];
    (0..400_usize)
        .map(|i| {
            let length = 1 + i * 7 % 40;
            let words: Vec<&str> = (0..length).map(|k| words[(i + k * k) % 9]).collect();
            format!("{} {i}", words.join(" "))
        })
        .collect()
}

pub fn tokenizer() -> Tokenizer {
    Tokenizer::train(&texts()[..50], 300).unwrap()
}

pub fn write_lines(folder: &Path, name: &str, texts: &[String]) -> CorpusConfig {
    let lines: Vec<String> = texts
        .iter()
        .map(|text| serde_json::json!({ "text": text }).to_string())
        .collect();
    let path = folder.join(name);
    fs::write(&path, lines.join("\n")).unwrap();
    CorpusConfig {
        held_out: 0.1,
        ..CorpusConfig::new(vec![path])
    }
}

pub fn prepare(
    config: &CorpusConfig,
    tokenizer: &Tokenizer,
    cache: &Path,
    shard_tokens: usize,
) -> Result<Corpus, CorpusError> {
    let observer = &mut |_: &crate::Progress| ControlFlow::Continue(());
    prepare_in_shards("a", config, tokenizer, cache, shard_tokens, observer)
}

/// Hashes of the files, by name.
fn hashes(corpus: &Corpus) -> BTreeMap<String, blake3::Hash> {
    let files = files(corpus).into_iter();
    files
        .map(|(name, bytes)| (name, blake3::hash(&bytes)))
        .collect()
}

fn files(corpus: &Corpus) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(corpus.folder()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn every_document_is_on_one_side_with_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let (texts, tokenizer) = (texts(), tokenizer());
    let config = write_lines(folder.path(), "a.jsonl", &texts);
    for shard_tokens in [1, 500, 1 << 20] {
        let cache = folder.path().join(shard_tokens.to_string());
        let corpus = prepare(&config, &tokenizer, &cache, shard_tokens).unwrap();
        let (train, held_out) = (corpus.train(), corpus.held_out());
        assert_eq!(train.documents + held_out.documents, 400);
        assert!((20..70).contains(&held_out.documents), "{held_out:?}");
        let mut read = Vec::new();
        let mut counted = Counts::default();
        for number in 0..train.documents {
            read.push(corpus.train_document(number).unwrap());
        }
        for number in 0..held_out.documents {
            let document = corpus.held_out_document(number).unwrap();
            counted.add(Counts {
                documents: 1,
                bytes: document.bytes,
                tokens: document.ids.len() as u64,
            });
            read.push(document.ids);
        }
        assert_eq!(counted, held_out);
        assert!(corpus.train_document(train.documents).is_err());
        assert!(corpus.held_out_document(held_out.documents).is_err());
        let mut decoded: Vec<String> = read
            .iter()
            .map(|ids| {
                let (end, ids) = ids.split_last().unwrap();
                assert_eq!(*end, tokenizer.end());
                tokenizer.decode(ids).unwrap()
            })
            .collect();
        decoded.sort();
        let mut expected = texts.clone();
        expected.sort();
        assert_eq!(decoded, expected);
        let bytes: usize = texts.iter().map(String::len).sum();
        assert_eq!(train.bytes + held_out.bytes, bytes as u64);
    }
}

#[test]
fn the_files_do_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_lines(folder.path(), "a.jsonl", &texts());
    let tokenizer = tokenizer();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let cache = folder.path().join(threads.to_string());
        let prepare = || hashes(&prepare(&config, &tokenizer, &cache, 900).unwrap());
        pool.build().unwrap().install(prepare)
    };
    let one = with(1);
    assert!(one.len() > 10, "{:?}", one.keys());
    assert_eq!(one, with(2));
    assert_eq!(one, with(7));
}

#[test]
fn a_preparation_that_is_stopped_after_any_shard_ends_in_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut texts = texts();
    // Empty records and bad lines are between all shards.
    texts.iter_mut().step_by(5).for_each(String::clear);
    let mut config = write_lines(folder.path(), "a.jsonl", &texts);
    let path = &config.paths[0];
    let lines = fs::read_to_string(path)
        .unwrap()
        .replace("\n{\"text\":\"\"}", "\n{\"text\":\"\"}\n{");
    fs::write(path, lines).unwrap();
    config.skip_bad = true;
    let tokenizer = tokenizer();
    let whole = prepare(&config, &tokenizer, &folder.path().join("whole"), 900).unwrap();
    let shards = whole.manifest_shards();
    assert!(shards > 5);
    assert_eq!(whole.left_out(), (80, 79));
    assert_eq!(whole.messages().len(), 3);
    let cache = folder.path().join("killed");
    fs::create_dir_all(cache.join(whole.folder().file_name().unwrap())).unwrap();
    for done in 0..shards {
        // What a process that is killed after `done` shards leaves, with an unfinished file.
        let left = cache.join(whole.folder().file_name().unwrap());
        fs::remove_dir_all(&left).unwrap();
        fs::create_dir_all(&left).unwrap();
        whole.write_manifest_of(&left, done);
        for (name, bytes) in files(&whole) {
            if name < format!("{:06}", done + 1) {
                fs::write(left.join(name), bytes).unwrap();
            }
        }
        fs::write(left.join(".writing-abc"), "x").unwrap();
        let resumed = prepare(&config, &tokenizer, &cache, 900).unwrap();
        assert_eq!(hashes(&resumed), hashes(&whole), "after {done} shards");
    }
}

#[test]
fn an_observer_ends_the_preparation_and_a_later_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_lines(folder.path(), "a.jsonl", &texts());
    let tokenizer = tokenizer();
    let mut seen = Vec::new();
    let observer = &mut |progress: &crate::Progress| {
        seen.push(progress.clone());
        match progress.stage {
            Stage::Tokenizing => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let stopped = prepare_in_shards("a", &config, &tokenizer, folder.path(), 1000, observer);
    let message = stopped.unwrap_err().to_string();
    assert!(message.contains("run the same command again"), "{message}");
    assert_eq!(seen[0].stage, Stage::Hashing);
    assert!(seen.last().unwrap().tokens > 0);
    let resumed = prepare(&config, &tokenizer, folder.path(), 1000).unwrap();
    assert_eq!(
        resumed.train().documents + resumed.held_out().documents,
        400
    );
}

#[test]
fn no_shard_of_a_file_that_changes_meanwhile_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_lines(folder.path(), "a.jsonl", &texts());
    let tokenizer = tokenizer();
    // The content is changed after it was hashed.
    let observer = &mut |progress: &crate::Progress| {
        if progress.stage == Stage::Hashing {
            write_lines(folder.path(), "a.jsonl", &texts()[..390]);
        }
        ControlFlow::Continue(())
    };
    let cache = folder.path().join("cache");
    let changed = prepare_in_shards("a", &config, &tokenizer, &cache, 900, observer);
    let message = changed.unwrap_err().to_string();
    assert!(
        message.contains("a.jsonl: was changed while it was read"),
        "{message}"
    );
    write_lines(folder.path(), "a.jsonl", &texts());
    let corpus = prepare(&config, &tokenizer, &cache, 900).unwrap();
    assert_eq!(corpus.train().documents + corpus.held_out().documents, 400);
}

#[test]
fn the_fingerprint_is_that_of_content_and_settings_and_not_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let config = write_lines(folder.path(), "a.jsonl", &texts());
    let of = |config: &CorpusConfig, tokenizer: &Tokenizer| {
        let corpus = prepare(config, tokenizer, folder.path(), 1 << 20).unwrap();
        corpus.fingerprint().to_owned()
    };
    let first = of(&config, &tokenizer);
    assert_eq!(
        of(&write_lines(folder.path(), "b.jsonl", &texts()), &tokenizer),
        first
    );
    let mut changed = texts();
    // Of the same length, and with the same time of change.
    changed[7] = changed[7].replace("7", "8");
    let times = fs::metadata(&config.paths[0]).unwrap().modified().unwrap();
    write_lines(folder.path(), "a.jsonl", &changed);
    let file = fs::File::options()
        .write(true)
        .open(&config.paths[0])
        .unwrap();
    file.set_modified(times).unwrap();
    assert_ne!(of(&config, &tokenizer), first);
    write_lines(folder.path(), "a.jsonl", &texts());
    let other = Tokenizer::train(&texts()[..50], 280).unwrap();
    assert_ne!(of(&config, &other), first);
    let share = CorpusConfig {
        held_out: 0.2,
        ..config.clone()
    };
    assert_ne!(of(&share, &tokenizer), first);
    let weight = CorpusConfig {
        weight: 3.0,
        ..config
    };
    assert_eq!(of(&weight, &tokenizer), first);
}

#[test]
fn a_damaged_shard_is_an_error_that_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_lines(folder.path(), "a.jsonl", &texts());
    let tokenizer = tokenizer();
    let corpus = prepare(&config, &tokenizer, folder.path(), 900).unwrap();
    for (name, bytes) in files(&corpus) {
        if name == ".lock" {
            continue;
        }
        let path = corpus.folder().join(&name);
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 4;
        fs::write(&path, flipped).unwrap();
        let message = read_all(&config, &tokenizer, folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&name) && message.contains("damaged"),
            "{message}"
        );
        // The files of other documents are no replacement.
        if name.ends_with(".tokens") {
            let other = if name.starts_with("000000") {
                "000001"
            } else {
                "000000"
            };
            let other = corpus.folder().join(format!("{other}.tokens"));
            if fs::metadata(&other).unwrap().len() != bytes.len() as u64 {
                fs::copy(other, &path).unwrap();
                assert!(read_all(&config, &tokenizer, folder.path()).is_err());
            }
        }
        fs::write(&path, bytes).unwrap();
    }
    read_all(&config, &tokenizer, folder.path()).unwrap();
}

fn read_all(config: &CorpusConfig, tokenizer: &Tokenizer, cache: &Path) -> Result<(), CorpusError> {
    let corpus = prepare(config, tokenizer, cache, 900)?;
    (0..corpus.train().documents).try_for_each(|n| corpus.train_document(n).map(|_| ()))?;
    (0..corpus.held_out().documents).try_for_each(|n| corpus.held_out_document(n).map(|_| ()))
}

#[test]
fn a_corpus_without_documents_on_a_side_is_an_error_that_names_the_key() {
    let folder = tempfile::tempdir().unwrap();
    for count in [0, 1] {
        let config = write_lines(folder.path(), "a.jsonl", &texts()[..count]);
        let message = prepare(&config, &tokenizer(), folder.path(), 900)
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("corpus.a.held_out = 0.1: of"),
            "{message}"
        );
    }
}
