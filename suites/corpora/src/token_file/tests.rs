//! Tests of writing and reading together.

use std::fs;
use std::path::{Path, PathBuf};

use super::header::{Header, LEN};
use super::writer::write_in_blocks;
use super::{TokenFile, write};
use crate::CorpusError;

/// A file with blocks of 8 bytes.
fn file(folder: &Path, vocab_size: usize, ids: &[u32]) -> PathBuf {
    let path = folder.join("a.tokens");
    write_in_blocks(&path, vocab_size, 8, |writer| writer.push(ids).map(|()| 3)).expect("writes");
    path
}

/// Reads every token of a file.
fn read(path: &Path) -> Result<Vec<u32>, CorpusError> {
    let tokens = TokenFile::open(path)?;
    tokens.window(0, tokens.len())
}

fn assert_damaged(path: &Path) -> String {
    let message = read(path).expect_err("is damaged").to_string();
    assert!(
        message.contains("a.tokens is damaged") && message.contains("delete it"),
        "{message}"
    );
    message
}

#[test]
fn tokens_are_unchanged_in_both_widths_and_windows_wrap_around() {
    let folder = tempfile::tempdir().expect("folder");
    for (vocab_size, ids) in [
        (65_536, [1, 65_535, 0, 7, 9]),
        (1 << 32, [1, 65_536, 4_000_000_000, 7, 9]),
    ] {
        let tokens = TokenFile::open(&file(folder.path(), vocab_size, &ids)).expect("opens");
        assert_eq!((tokens.len(), tokens.epochs()), (5, 3));
        let window = |start, len| tokens.window(start, len).expect("reads");
        assert_eq!(window(0, 5), ids);
        let wrapped: Vec<u32> = (4..17).map(|place| ids[place % 5]).collect();
        assert_eq!(window(4, 13), wrapped);
        assert_eq!(window(5 * 1_000_000_007 + 2, 1), [ids[2]]);
        assert!(window(3, 0).is_empty());
    }
}

#[test]
fn a_file_has_the_documented_layout() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), 300, &[1, 2, 3, 4, 299]);
    let stored = include_bytes!("../../tests/corpus/valid.tokens");
    assert_eq!(fs::read(path).expect("reads"), stored);
}

#[test]
fn each_flipped_bit_and_each_truncation_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), 300, &[1, 2, 3, 4, 299]);
    let whole = fs::read(&path).expect("reads");
    let flipped = (0..8 * whole.len()).map(|bit| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let truncated = (0..whole.len()).map(|end| whole[..end].to_vec());
    let extended = [[&whole[..], &[0]].concat()];
    for bytes in flipped.chain(truncated).chain(extended) {
        fs::write(&path, bytes).expect("writes");
        assert_damaged(&path);
    }
}

#[test]
fn a_block_changed_or_cut_off_after_opening_is_an_error_and_other_blocks_are_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), 300, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let tokens = TokenFile::open(&path).expect("opens");
    let mut bytes = fs::read(&path).expect("reads");
    bytes[LEN + 9] ^= 1;
    fs::write(&path, &bytes).expect("writes");
    assert_eq!(tokens.window(0, 4).expect("reads"), [1, 2, 3, 4]);
    assert_eq!(tokens.window(8, 3).expect("reads"), [9, 1, 2]);
    let message = tokens.window(3, 2).expect_err("is changed").to_string();
    assert!(
        message.contains("a.tokens is damaged (bytes 120 to 128 do not match their hash)"),
        "{message}"
    );
    fs::write(&path, &bytes[..LEN + 7]).expect("writes");
    let message = tokens.window(2, 1).expect_err("is cut off").to_string();
    assert!(
        message.contains("a.tokens is damaged (it was shortened and ends before byte 120)"),
        "{message}"
    );
}

#[test]
fn a_token_id_outside_the_vocabulary_is_an_error_that_names_its_place() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), 300, &[1, 2, 3, 4, 299]);
    // The same file for a smaller vocabulary, with the right hashes.
    let bytes = fs::read(&path).expect("reads");
    let start: &[u8; LEN] = bytes[..LEN].try_into().expect("header");
    let mut header = Header::decode(start, bytes.len() as u64).expect("valid");
    header.vocab_size = 299;
    fs::write(&path, [&header.encode(), &bytes[LEN..]].concat()).expect("writes");
    let message = assert_damaged(&path);
    assert!(
        message.contains("token 4 has id 299, the vocabulary has 299 ids"),
        "{message}"
    );
    let outside = write(&path, 299, |writer| writer.push(&[299]).map(|()| 1));
    assert!(
        outside
            .expect_err("not written")
            .to_string()
            .contains("id 299")
    );
}

#[test]
fn a_file_of_an_earlier_layout_is_replaced_and_one_of_another_vocabulary_is_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.tokens");
    assert!(TokenFile::cached(&path, 300).expect("none").is_none());
    fs::write(&path, b"isotok01 and what followed it").expect("writes");
    assert!(TokenFile::cached(&path, 300).expect("none").is_none());
    file(folder.path(), 300, &[1]);
    assert!(TokenFile::cached(&path, 300).expect("opens").is_some());
    let message = TokenFile::cached(&path, 301)
        .expect_err("another")
        .to_string();
    assert!(
        message.contains("a.tokens is damaged (it is for a vocabulary of 300"),
        "{message}"
    );
}

#[test]
fn a_reader_of_a_replaced_file_keeps_reading_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), 300, &[1, 2, 3]);
    let earlier = TokenFile::open(&path).expect("opens");
    write(&path, 300, |writer| {
        writer.append(&earlier)?;
        writer.push(&[4, 5]).map(|()| 4)
    })
    .expect("writes");
    assert_eq!(earlier.window(0, 4).expect("reads"), [1, 2, 3, 1]);
    assert_eq!(read(&path).expect("reads"), [1, 2, 3, 4, 5]);
}

/// A measurement for the comment at `BLOCK`; run it alone with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_window() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.tokens");
    let ids: Vec<u32> = (0..4_000_000).map(|id| id % 4096).collect();
    for kib in [4, 16, 64] {
        write_in_blocks(&path, 4096, kib << 10, |writer| {
            writer.push(&ids).map(|()| 1)
        })
        .expect("writes");
        let tokens = TokenFile::open(&path).expect("opens");
        let clock = std::time::Instant::now();
        for window in 0..20_000_u64 {
            std::hint::black_box(tokens.window(window * 128 * 7919, 129).expect("reads"));
        }
        let seconds = clock.elapsed().as_secs_f64() / 20_000.0;
        println!(
            "blocks of {kib} KiB: {:.2} µs per window of 129 tokens",
            1e6 * seconds
        );
    }
}
