//! Several processes prepare one cache folder at the same time.

use std::path::Path;
use std::process::{Command, Stdio};

use suites::{BiographiesConfig, Dataset, SuitesConfig};

/// Variables by which this test starts itself as one of the processes.
const FOLDER: &str = "ISOFLOP_TEST_FOLDER";
const TOKENS: &str = "ISOFLOP_TEST_TOKENS";

fn prepare(folder: &Path, min_tokens: u64) -> Dataset {
    let biographies = BiographiesConfig {
        people: 20,
        ..BiographiesConfig::default()
    };
    let config = SuitesConfig {
        biographies: Some(biographies),
        world: None,
        functions: None,
        bios: None,
    };
    Dataset::prepare(&config, 0, 300, min_tokens, folder).expect("prepares")
}

#[test]
fn processes_that_prepare_one_folder_at_once_all_read_what_one_alone_would() {
    if let (Some(folder), Ok(tokens)) = (std::env::var_os(FOLDER), std::env::var(TOKENS)) {
        let tokens: u64 = tokens.parse().expect("number");
        let data = prepare(Path::new(&folder), tokens);
        assert!(data.train.len() >= tokens);
        data.train
            .window(0, data.train.len() as usize)
            .expect("reads");
        data.held_out.window(0, data.held_out.len()).expect("reads");
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    // What a killed process leaves.
    std::fs::write(folder.path().join(".writing-abc"), "x").expect("writes");
    let least = [1, 50_000, 200_000, 100_000];
    let processes: Vec<_> = least
        .map(|tokens| {
            Command::new(std::env::current_exe().expect("this program"))
                .env(FOLDER, folder.path())
                .env(TOKENS, tokens.to_string())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("starts")
        })
        .into_iter()
        .collect();
    for process in processes {
        let output = process.wait_with_output().expect("ends");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("lists")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort_unstable();
    let starts = [".lock", "held-out-", "tokenizer-", "train-"];
    assert_eq!(names.len(), starts.len(), "{names:?}");
    assert!(
        names
            .iter()
            .zip(starts)
            .all(|(name, start)| name.starts_with(start))
    );
    let together = prepare(folder.path(), 1);
    let alone = tempfile::tempdir().expect("folder");
    let alone = prepare(alone.path(), 200_000);
    let bytes =
        |data: &Dataset| std::fs::read(data.train.paths().next().expect("a file")).expect("reads");
    assert_eq!(bytes(&together), bytes(&alone));
}
