//! Damaged and hostile folders of other programs, which have no hashes: each import ends with a model or with an error that names a
//! file of the folder.
//!
//! `ISOFLOP_FUZZ_INPUTS=100000 cargo test --release --workspace --test fuzz_folders`

mod samples;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use architectures::ModelConfig;
use burn::tensor::Device;
use interchange::{Source, WeightType, export, import};
use rand::Rng;
use random::{Stream, stream};
use samples::{decoder, every_model, tokenizer};

/// Replacements of a number or a word in JSON.
const VALUES: [&str; 12] = [
    "0",
    "1",
    "-1",
    "99999999999",
    "1e9",
    "18446744073709551615",
    "null",
    "true",
    "\"x\"",
    "[]",
    "{}",
    "1e-320",
];

fn inputs() -> u64 {
    std::env::var("ISOFLOP_FUZZ_INPUTS").map_or(300, |count| count.parse().unwrap())
}

/// Exports the model `name` without its hashes.
fn folder_of_another_program(root: &Path, name: &str) {
    let model: ModelConfig = every_model()
        .into_iter()
        .find(|(other, _)| other == name)
        .unwrap()
        .1;
    let source = Source {
        name,
        model: &model,
        decoder: &decoder(&model),
        tokenizer: &tokenizer(root),
    };
    export(&root.join("model"), &source, WeightType::Bf16).unwrap();
    fs::remove_file(root.join("model/isoflop.json")).unwrap();
}

/// `bytes` with one random change.
fn mutated(bytes: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..5) {
        0 => changed[at] ^= 1 << random.random_range(0..8),
        1 => changed.truncate(at),
        2 => {
            let part = bytes[at..bytes.len().min(at + 32)].to_vec();
            let to = random.random_range(0..bytes.len());
            changed.splice(to..to, part);
        }
        // A value of JSON in place of another: of a configuration, a tokenizer or a header.
        _ => {
            let ends = |byte: u8| matches!(byte, b',' | b'}' | b']' | b'\n');
            let starts: Vec<usize> = (1..bytes.len().min(8192))
                .filter(|&at| matches!(bytes[at - 1], b':' | b'[') && !ends(bytes[at]))
                .collect();
            if starts.is_empty() {
                return changed;
            }
            let start = starts[random.random_range(0..starts.len())];
            let length = bytes[start..]
                .iter()
                .position(|&byte| ends(byte))
                .unwrap_or(0);
            let value = VALUES[random.random_range(0..VALUES.len())];
            changed.splice(start..start + length, value.bytes());
        }
    }
    changed
}

#[test]
fn every_change_gives_a_model_or_an_error_that_names_a_file() {
    let names = ["dense, grouped heads, tied", "mixtral", "moe top-1"];
    let (mut errors, mut models) = (0, 0);
    for (number, name) in (0..).zip(names) {
        let root = tempfile::tempdir().unwrap();
        folder_of_another_program(root.path(), name);
        let folder = root.path().join("model");
        let files = [
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "tokenizer_config.json",
        ];
        for input in 0..inputs() / names.len() as u64 {
            let mut random = stream(number, "folders", input);
            let path = folder.join(files[random.random_range(0..files.len())]);
            let whole = fs::read(&path).unwrap();
            fs::write(&path, mutated(&whole, &mut random)).unwrap();
            let found = catch_unwind(|| import(&folder, &Device::flex()).map(|_| ()));
            match found {
                Ok(Ok(())) => models += 1,
                Ok(Err(error)) => {
                    errors += 1;
                    let message = error.to_string();
                    let named = message.contains(&*folder.to_string_lossy());
                    let is_one_line = message.len() < 1000 && !message.contains('\n');
                    assert!(named && is_one_line, "{name} {input}: {message}");
                }
                Err(_) => panic!("{name} {input}: {} makes it panic", path.display()),
            }
            fs::write(&path, whole).unwrap();
        }
    }
    println!("{errors} errors, {models} models");
    assert!(
        errors > models / 10 && models > 0,
        "{errors} errors, {models} models"
    );
}
