//! Damaged and hostile checkpoints: each reading ends with the weights that were written or with an error that names a file.
//!
//! `ISOFLOP_FUZZ_INPUTS=100000 cargo test --release --workspace --test fuzz_checkpoints`

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use architectures::{Decoder, ModelConfig, Pass};
use burn::tensor::{Device, Int, Tensor};
use harness::checkpoint::manifest::{Manifest, Origin};
use harness::checkpoint::snapshot;
use harness::train::state::TrainingProgress;
use rand::Rng;
use random::Stream;

const RUN: &str = "0123456789abcdef";
/// Longest that one input may take, on a machine that is busy.
const TIME: Duration = Duration::from_secs(10);

fn inputs() -> u64 {
    std::env::var("ISOFLOP_FUZZ_INPUTS").map_or(400, |count| count.parse().unwrap())
}

fn config() -> ModelConfig {
    serde_json::from_str(
        r#"{"decoder": {"vocab_size": 30, "d_model": 8, "n_layers": 2, "n_heads": 2, "seq_len": 8},
            "blocks": [{"block": {"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}}, "placement": "middle"},
                       {"block": {"kind": "deepseek_moe", "n_experts": 3, "top_k": 1}, "placement": {"layers": [0]}}]}"#,
    )
    .unwrap()
}

fn logits(decoder: &Decoder) -> Vec<u32> {
    let tokens = Tensor::<2, Int>::from_data([[1, 2, 3, 4]], &Device::flex());
    let logits = decoder.forward(tokens, &mut Pass::evaluation());
    logits.into_data().iter::<f32>().map(f32::to_bits).collect()
}

/// The logits of the weights in `folder`.
fn read(folder: &Path) -> Result<Vec<u32>, String> {
    let manifest = snapshot::verify(folder, RUN).map_err(|error| error.to_string())?;
    let decoder = snapshot::read_weights(folder, &manifest, &config(), &Device::flex());
    decoder
        .map(|decoder| logits(&decoder))
        .map_err(|error| error.to_string())
}

/// `bytes` with one random change.
fn mutated(bytes: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..6) {
        0 => changed[at] ^= 1 << random.random_range(0..8),
        1 => changed.truncate(at),
        2 => changed.extend((0..random.random_range(1..64)).map(|_| random.random::<u8>())),
        3 => {
            let part = bytes[at..bytes.len().min(at + 32)].to_vec();
            let to = random.random_range(0..bytes.len());
            changed.splice(to..to, part);
        }
        // Numbers of the header: lengths, shapes, offsets.
        4 => {
            let digits: Vec<usize> = (0..bytes.len().min(4096))
                .filter(|&at| bytes[at].is_ascii_digit())
                .collect();
            if !digits.is_empty() {
                let at = digits[random.random_range(0..digits.len())];
                let huge: &[u8] = [b"9".as_slice(), b"99999999999", b"-1", b"1e9", b"0"]
                    [random.random_range(0..5)];
                changed.splice(at..=at, huge.iter().copied());
            }
        }
        _ => {
            for _ in 0..random.random_range(1..16) {
                let at = random.random_range(0..bytes.len());
                changed[at] = random.random();
            }
        }
    }
    changed
}

#[test]
fn damaged_checkpoints_are_errors_that_name_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let decoder = Decoder::new(&config(), 3, &Device::flex()).unwrap();
    let manifest = Manifest::new(RUN, &TrainingProgress::default(), None, Origin::default());
    let manifest = snapshot::write(folder, &decoder, None, manifest, 1 << 12).unwrap();
    let expected = logits(&decoder);
    assert_eq!(read(folder).unwrap(), expected);
    let mut names: Vec<String> = manifest
        .files
        .iter()
        .map(|file| file.name.clone())
        .collect();
    names.push("state.json".to_owned());
    let (mut errors, mut equal) = (0, 0);
    for input in 0..inputs() {
        let mut random = random::stream(11, "checkpoint fuzz", input);
        let name = &names[random.random_range(0..names.len())];
        let path = folder.join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, mutated(&whole, &mut random)).unwrap();
        // Half of the inputs bear the hash of their changed content, so that what reads it is tested too.
        let rehashed = name != "state.json" && random.random_bool(0.5);
        if rehashed {
            let mut manifest = manifest.clone();
            for file in manifest.files.iter_mut().filter(|file| file.name == *name) {
                let bytes = fs::read(&path).unwrap();
                file.bytes = bytes.len() as u64;
                file.blake3 = blake3::hash(&bytes).to_hex().to_string();
            }
            manifest.write(folder).unwrap();
        }
        let clock = Instant::now();
        match read(folder) {
            // Values that someone changed together with their hash are values.
            Ok(_) if rehashed => equal += 1,
            Ok(found) => {
                equal += 1;
                assert_eq!(found, expected, "input {input}: {name}");
            }
            Err(error) => {
                errors += 1;
                let named = error.contains(&*folder.to_string_lossy());
                assert!(
                    named && error.len() < 1000 && !error.contains('\n'),
                    "input {input}: {error}"
                );
            }
        }
        assert!(
            clock.elapsed() < TIME,
            "input {input}: {:?}",
            clock.elapsed()
        );
        fs::write(&path, whole).unwrap();
        if rehashed {
            manifest.write(folder).unwrap();
        }
    }
    assert_eq!(read(folder).unwrap(), expected);
    println!("{} inputs, {errors} errors, {equal} read", inputs());
}
