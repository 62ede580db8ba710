//! Damaged and forged files of the cache, made from the valid ones in `tests/corpus` by mutations that follow from the
//! number of the input.
//!
//! `ISOFLOP_FUZZ_INPUTS` is the number of inputs for each kind of file. A failure states the number of its input, and
//! the input is in the folder `isoflop-fuzz` of the temporary files. To keep an input, add it to the corpus: files there
//! whose name begins with `valid` must be read, all others must be errors.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use corpora::{TokenFile, Tokenizer};
use rand::Rng;
use random::Stream;

/// Inputs of each kind without the variable.
const DEFAULT_INPUTS: u64 = 300;
/// Time that no input may take; a loaded machine needs more than the microseconds of an idle one.
const TIME: Duration = Duration::from_secs(10);
/// Bytes of a token file's header and of its hash, and of each field before.
const HEADER: usize = 112;
const HASH: usize = 32;
const FIELD: usize = 8;
/// Bytes of the line with the hash before a tokenizer.
const HASH_LINE: usize = 72;

fn corpus(extension: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("corpus")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort_unstable();
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("reads"));
    paths.into_iter().map(read).collect()
}

/// Reads every token.
fn read_tokens(path: &Path) -> Result<String, String> {
    let read = || {
        let file = TokenFile::open(path)?;
        file.window(0, file.len())
    };
    read()
        .map(|tokens| format!("{tokens:?}"))
        .map_err(|error| error.to_string())
}

/// Loads the tokenizer.
fn read_tokenizer(path: &Path) -> Result<String, String> {
    Tokenizer::load(path)
        .map(|tokenizer| tokenizer.fingerprint().to_owned())
        .map_err(|error| error.to_string())
}

/// One change of a file at random.
fn mutate(rng: &mut Stream, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let place = |rng: &mut Stream, len: usize| rng.random_range(0..=len);
    match rng.random_range(0..7) {
        0 | 1 if !bytes.is_empty() => {
            for _ in 0..rng.random_range(1..=4) {
                let bit = rng.random_range(0..8 * bytes.len());
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        2 => bytes.truncate(place(rng, bytes.len())),
        3 => {
            let other = &seeds[rng.random_range(0..seeds.len())];
            let (from, to) = (place(rng, other.len()), place(rng, other.len()));
            let at = place(rng, bytes.len());
            let end = (at + rng.random_range(0..=64)).min(bytes.len());
            bytes.splice(at..end, other[from.min(to)..from.max(to)].iter().copied());
        }
        4 => {
            let (from, to) = (place(rng, bytes.len()), place(rng, bytes.len()));
            bytes.drain(from.min(to)..from.max(to));
        }
        5 => {
            let added = rng.random_range(1..=200);
            bytes.extend((0..added).map(|_| rng.random::<u8>()));
        }
        _ => {
            let at = place(rng, bytes.len());
            let end = (at + rng.random_range(1..=32)).min(bytes.len());
            rng.fill(&mut bytes[at..end]);
        }
    }
}

/// Replaces a field of a token file's header by a number at the edge of what is possible.
fn change_field(rng: &mut Stream, bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    let at = FIELD * rng.random_range(1..=5);
    let field: [u8; FIELD] = bytes[at..at + FIELD].try_into().expect("eight bytes");
    let now = u64::from_le_bytes(field);
    let changed = match rng.random_range(0..8) {
        0 => rng.random(),
        1 => u64::MAX >> rng.random_range(0..64_u32),
        2 => 1 << rng.random_range(0..64_u32),
        3 => now.wrapping_add(1),
        4 => now.wrapping_sub(1),
        5 => now.wrapping_mul(2),
        6 => now / 2,
        _ => rng.random_range(0..9),
    };
    bytes[at..at + FIELD].copy_from_slice(&changed.to_le_bytes());
}

/// Makes the hashes of a token file right, as far as it has the parts.
fn sign_tokens(bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    let field = |bytes: &[u8], index: usize| {
        let at = FIELD * index;
        u64::from_le_bytes(bytes[at..at + FIELD].try_into().expect("eight bytes"))
    };
    let (width, tokens, block) = (field(bytes, 1), field(bytes, 3), field(bytes, 5));
    let end = tokens
        .checked_mul(width)
        .and_then(|len| len.checked_add(HEADER as u64));
    if let Some(end) = end.filter(|&end| end <= bytes.len() as u64 && block > 0) {
        let (before, table) = bytes.split_at_mut(end as usize);
        let blocks = before[HEADER..].chunks(block.min(1 << 30) as usize);
        for (place, block) in table.chunks_exact_mut(HASH).zip(blocks) {
            place.copy_from_slice(blake3::hash(block).as_bytes());
        }
        let hash = *blake3::hash(table).as_bytes();
        bytes[HEADER - 2 * HASH..HEADER - HASH].copy_from_slice(&hash);
    }
    let hash = *blake3::hash(&bytes[..HEADER - HASH]).as_bytes();
    bytes[HEADER - HASH..HEADER].copy_from_slice(&hash);
}

/// Makes the hash of a tokenizer's content right.
fn sign_tokenizer(bytes: &mut Vec<u8>) {
    let content = bytes.split_off(HASH_LINE.min(bytes.len()));
    *bytes = format!("blake3 {}\n", blake3::hash(&content).to_hex()).into_bytes();
    bytes.extend(content);
}

/// Runs all inputs of one kind and returns their counts. `change` makes an input of a seed, and returns whether its hashes are forged.
fn fuzz(
    extension: &str,
    read: impl Fn(&Path) -> Result<String, String>,
    change: impl Fn(&mut Stream, &mut Vec<u8>, &[Vec<u8>]) -> bool,
) -> String {
    let folder = std::env::temp_dir().join("isoflop-fuzz");
    fs::create_dir_all(&folder).expect("folder");
    let name = format!("{}.{extension}", std::process::id());
    let path = folder.join(&name);
    let mut seeds = Vec::new();
    for (stored, bytes) in corpus(extension) {
        let valid = stored
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("valid"));
        assert_eq!(read(&stored).is_ok(), valid, "{}", stored.display());
        if valid {
            seeds.push(bytes);
        }
    }
    let inputs = std::env::var("ISOFLOP_FUZZ_INPUTS").map_or(DEFAULT_INPUTS, |count| {
        count.parse().expect("a number of inputs")
    });
    let (mut forged_count, mut accepted, mut longest) = (0_u64, 0_u64, Duration::ZERO);
    for input in 0..inputs {
        let mut rng = random::stream(0, &format!("fuzz.{extension}"), input);
        let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
        let forged = change(&mut rng, &mut bytes, &seeds);
        fs::write(&path, &bytes).expect("writes");
        let clock = Instant::now();
        let given = catch_unwind(AssertUnwindSafe(|| read(&path)));
        let time = clock.elapsed();
        longest = longest.max(time);
        assert!(time < TIME, "input {input} took {time:?}");
        forged_count += u64::from(forged);
        match given {
            Err(_) => panic!("input {input} panicked"),
            Ok(Err(message)) => {
                assert!(
                    message.contains(&name) && !message.contains('\n'),
                    "input {input}: {message}"
                );
                assert!(!seeds.contains(&bytes), "input {input} is valid: {message}");
            }
            Ok(Ok(_)) => {
                accepted += 1;
                assert!(
                    forged || seeds.contains(&bytes),
                    "input {input} was changed and read"
                );
            }
        }
    }
    fs::remove_file(&path).expect("removes");
    format!(
        "{extension}: {inputs} inputs, {forged_count} with forged hashes, {accepted} read, longest {longest:?}"
    )
}

#[test]
fn a_changed_token_file_is_an_error_that_names_it() {
    let summary = fuzz("tokens", read_tokens, |rng, bytes, seeds| {
        for _ in 0..rng.random_range(1..=3) {
            if rng.random_bool(0.3) {
                change_field(rng, bytes);
            } else {
                mutate(rng, bytes, seeds);
            }
        }
        let forged = rng.random_bool(0.3);
        if forged {
            sign_tokens(bytes);
        }
        forged
    });
    println!("{summary}");
}

#[test]
fn a_changed_tokenizer_is_an_error_that_names_it() {
    let summary = fuzz("bpe", read_tokenizer, |rng, bytes, seeds| {
        for _ in 0..rng.random_range(1..=3) {
            mutate(rng, bytes, seeds);
        }
        let forged = rng.random_bool(0.3);
        if forged {
            sign_tokenizer(bytes);
        }
        forged
    });
    println!("{summary}");
}

/// Run names depend on the tokenizer's JSON, so the bytes that training gives are fixed too.
#[test]
fn the_tokenizer_of_the_corpus_is_what_training_writes() {
    let folder = tempfile::tempdir().expect("folder");
    let texts: Vec<String> = (0..20)
        .map(|index| format!("Q: Where was Ada Berg {} born?\nA: Oslo", index % 7))
        .collect();
    Tokenizer::cached(&texts, 262, folder.path()).expect("trains");
    let entry = fs::read_dir(folder.path()).expect("lists").next();
    let written = fs::read(entry.expect("a file").expect("entry").path()).expect("reads");
    assert_eq!(corpus("bpe").pop().map(|(_, bytes)| bytes), Some(written));
}
