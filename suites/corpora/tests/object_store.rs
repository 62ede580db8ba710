//! Corpora of a web server and of an object store, both of this machine.

mod local_server;

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use corpora::{Corpus, CorpusConfig, CorpusError, Stage, Tokenizer, fetch};
use local_server::{Served, Server};

/// The variable by which a process of the tests knows that the server is started.
const CHILD: &str = "ISOFLOP_TEST_OBJECT_STORE";

fn texts() -> Vec<String> {
    let text = |i: u32| format!("Ada Berg was born in {} and studied law", 1000 + i);
    (0..200).map(text).collect()
}

fn lines() -> Vec<u8> {
    let line = |text: String| serde_json::json!({ "text": text }).to_string();
    let lines: Vec<String> = texts().into_iter().map(line).collect();
    lines.join("\n").into_bytes()
}

fn compressed_text() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(texts().join("--").as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn served(content: Vec<u8>, e_tag: Option<&str>) -> Served {
    Served {
        content,
        e_tag: e_tag.map(str::to_owned),
        cut: None,
    }
}

fn config(paths: &[String]) -> CorpusConfig {
    CorpusConfig {
        separator: Some("--".to_owned()),
        held_out: 0.1,
        ..CorpusConfig::new(paths.iter().map(PathBuf::from).collect())
    }
}

fn fetch_quietly(config: &CorpusConfig, cache: &Path) -> Result<CorpusConfig, CorpusError> {
    fetch("web", config, cache, &mut |_| ControlFlow::Continue(()))
}

/// The fingerprint of the corpus after its preparation, and its number of documents to train on.
fn prepare(config: &CorpusConfig, cache: &Path) -> Result<(String, u64), CorpusError> {
    let tokenizer = Tokenizer::train(&texts()[..50], 300)?;
    let local = fetch_quietly(config, cache)?;
    let observer: corpora::Observer = &mut |_| ControlFlow::Continue(());
    let corpus = Corpus::prepare("web", &local, &tokenizer, cache, observer)?;
    Ok((corpus.fingerprint().to_owned(), corpus.train().documents))
}

/// The fingerprint of local files of the same names.
fn of_local_files(files: &[(&str, Vec<u8>)]) -> (String, u64) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join("texts").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let texts = folder.path().join("texts").display().to_string();
    prepare(&config(&[texts]), &folder.path().join("cache")).unwrap()
}

/// Names of all files below a folder.
fn files_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => names.extend(files_below(&path)),
            false => names.push(path.file_name().unwrap().to_str().unwrap().to_owned()),
        }
    }
    names.sort();
    names
}

#[test]
fn files_of_a_web_server_are_the_local_files_and_are_fetched_once() {
    let server = Server::start();
    server.serve("/texts/a.jsonl", served(lines(), Some("one")));
    server.serve("/texts/b.txt.gz", served(compressed_text(), None));
    let urls = [server.url("/texts/b.txt.gz"), server.url("/texts/a.jsonl")];
    let config = config(&urls);
    let cache = tempfile::tempdir().unwrap();
    let local = of_local_files(&[("a.jsonl", lines()), ("b.txt.gz", compressed_text())]);
    assert!(local.1 > 300);
    assert_eq!(prepare(&config, cache.path()).unwrap(), local);
    let gets = |requests: Vec<String>| -> Vec<String> {
        let mut gets: Vec<String> = requests;
        gets.retain(|request| request.starts_with("GET"));
        gets.sort();
        gets
    };
    let both = ["GET /texts/a.jsonl", "GET /texts/b.txt.gz"];
    assert_eq!(gets(server.requests()), both);
    // Of the same version.
    assert_eq!(prepare(&config, cache.path()).unwrap(), local);
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert!(gets(requests).is_empty());
    // Of another version, with the same size.
    let mut changed = lines();
    changed[20] ^= 1;
    server.serve("/texts/a.jsonl", served(changed, Some("two")));
    assert_ne!(prepare(&config, cache.path()).unwrap().0, local.0);
    assert_eq!(gets(server.requests()), both[..1]);
}

#[test]
fn a_connection_that_ends_early_is_an_error_and_leaves_no_file() {
    let server = Server::start();
    let broken = Served {
        cut: Some((1000, 1)),
        ..served(lines(), None)
    };
    server.serve("/a.jsonl", broken);
    let config = config(&[server.url("/a.jsonl")]);
    let cache = tempfile::tempdir().unwrap();
    let message = prepare(&config, cache.path()).unwrap_err().to_string();
    for expected in [&server.url("/a.jsonl"), "cannot be fetched", "run again"] {
        assert!(message.contains(expected), "{message}");
    }
    assert!(!message.contains('\n'));
    assert_eq!(files_below(cache.path()), [".lock"]);
    let local = of_local_files(&[("a.jsonl", lines())]);
    assert_eq!(prepare(&config, cache.path()).unwrap(), local);
}

#[test]
fn a_connection_that_ends_early_is_continued_where_the_object_has_a_tag() {
    let server = Server::start();
    let broken = Served {
        cut: Some((1000, 2)),
        ..served(lines(), Some("one"))
    };
    server.serve("/a.jsonl", broken);
    let cache = tempfile::tempdir().unwrap();
    let local = fetch_quietly(&config(&[server.url("/a.jsonl")]), cache.path()).unwrap();
    assert_eq!(fs::read(&local.paths[0]).unwrap(), lines());
    let gets = server.requests();
    let gets = gets.iter().filter(|request| request.starts_with("GET"));
    assert_eq!(gets.count(), 3);
}

#[test]
fn objects_that_were_complete_before_an_error_are_not_fetched_again() {
    let server = Server::start();
    server.serve("/a.jsonl", served(lines(), Some("one")));
    let cache = tempfile::tempdir().unwrap();
    let first = config(&[server.url("/a.jsonl")]);
    let local = fetch_quietly(&first, cache.path()).unwrap();
    let broken = Served {
        cut: Some((100, 1)),
        ..served(compressed_text(), None)
    };
    server.serve("/b.txt.gz", broken);
    server.requests();
    let both = config(&[server.url("/a.jsonl"), server.url("/b.txt.gz")]);
    fetch_quietly(&both, cache.path()).unwrap_err();
    assert_eq!(fs::read(&local.paths[0]).unwrap(), lines());
    assert!(!server.requests().contains(&"GET /a.jsonl".to_owned()));
}

#[test]
fn what_is_missing_or_damaged_is_an_error_that_says_what_to_do() {
    let server = Server::start();
    let cache = tempfile::tempdir().unwrap();
    let missing = config(&[server.url("/none.txt")]);
    let message = prepare(&missing, cache.path()).unwrap_err().to_string();
    assert!(
        message.contains("/none.txt: cannot be fetched") && message.contains("correct the path"),
        "{message}"
    );
    server.serve("/a.jsonl", served(lines(), Some("one")));
    let config = config(&[server.url("/a.jsonl")]);
    let local = fetch_quietly(&config, cache.path()).unwrap();
    let mut damaged = lines();
    damaged[20] ^= 1;
    fs::write(&local.paths[0], damaged).unwrap();
    let message = fetch_quietly(&config, cache.path())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("a.jsonl is damaged") && message.contains("delete it"),
        "{message}"
    );
    fs::remove_file(&local.paths[0]).unwrap();
    assert_eq!(fetch_quietly(&config, cache.path()).unwrap(), local);
}

#[test]
fn the_index_of_tokens_is_fetched_and_removed_with_its_object() {
    let server = Server::start();
    for name in ["a.bin", "a.idx"] {
        server.serve(&format!("/{name}"), served(name.into(), Some(name)));
    }
    let config = config(&[server.url("/a.bin")]);
    let cache = tempfile::tempdir().unwrap();
    let local = fetch_quietly(&config, cache.path()).unwrap();
    let index = local.paths[0].with_extension("idx");
    assert_eq!(local.paths.len(), 1);
    assert_eq!(fs::read(&index).unwrap(), b"a.idx");
    server.remove("/a.idx");
    assert_eq!(fetch_quietly(&config, cache.path()).unwrap(), local);
    assert!(local.paths[0].exists() && !index.exists());
}

#[test]
fn the_observer_sees_the_stages_and_ends_them() {
    let server = Server::start();
    server.serve("/a.jsonl", served(lines(), Some("one")));
    let config = config(&[server.url("/a.jsonl")]);
    let cache = tempfile::tempdir().unwrap();
    let ended = fetch(
        "web",
        &config,
        cache.path(),
        &mut |progress| match progress.stage {
            Stage::Listing => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        },
    );
    assert!(matches!(ended, Err(CorpusError::Interrupted)));
    let mut stages = Vec::new();
    let cache = tempfile::tempdir().unwrap();
    fetch("web", &config, cache.path(), &mut |progress| {
        if progress.done == progress.total {
            stages.push((progress.stage, progress.total));
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    let size = lines().len() as u64;
    assert_eq!(stages, [(Stage::Listing, 1), (Stage::Fetching, size)]);
}

/// The settings of a store come from the environment, which is that of a process: the test runs itself again.
#[test]
fn a_prefix_of_a_bucket_is_the_local_folder_and_is_fetched_once() {
    let files = [
        ("a.jsonl", lines()),
        ("more/b.txt.gz", compressed_text()),
        ("notes.md", b"no text".to_vec()),
    ];
    if std::env::var(CHILD).is_ok() {
        let cache = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let found = prepare(&config(&["s3://bucket/texts".to_owned()]), cache.path());
            assert_eq!(found.unwrap(), of_local_files(&files));
        }
        let one = config(&["s3://bucket/texts/a.jsonl".to_owned()]);
        assert_eq!(fetch_quietly(&one, cache.path()).unwrap().paths.len(), 1);
        let tokens = config(&["s3://bucket/tokens/".to_owned()]);
        let local = fetch_quietly(&tokens, cache.path()).unwrap();
        assert_eq!(local.paths.len(), 1);
        let beside = files_below(local.paths[0].parent().unwrap());
        assert_eq!(beside, ["a.bin", "a.idx"]);
        let empty = config(&["s3://bucket/none/".to_owned()]);
        let message = fetch_quietly(&empty, cache.path()).unwrap_err().to_string();
        assert!(
            message.contains("s3://bucket/none: there is no object that ends in .txt"),
            "{message}"
        );
        return;
    }
    let server = Server::start();
    for (name, content) in files {
        let path = format!("/bucket/texts/{name}");
        server.serve(&path, served(content, Some(name)));
    }
    for other in ["texts2.txt", "tokens/a.bin", "tokens/a.idx", "tokens/b.idx"] {
        server.serve(&format!("/bucket/{other}"), served(lines(), Some(other)));
    }
    let name = "a_prefix_of_a_bucket_is_the_local_folder_and_is_fetched_once";
    let child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("AWS_ENDPOINT_URL", server.url(""))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stderr) + String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{output}");
    let mut gets = server.requests();
    gets.retain(|request| request.starts_with("GET /bucket/texts/"));
    gets.sort();
    let expected = [
        "GET /bucket/texts/a.jsonl",
        "GET /bucket/texts/more/b.txt.gz",
    ];
    assert_eq!(gets, expected);
}
