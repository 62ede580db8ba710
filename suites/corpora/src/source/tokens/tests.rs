use std::fs;
use std::path::Path;

use super::*;
use crate::source::{Content, Document, Documents, Event, find};
use crate::{CorpusConfig, TokenFormat};

const END: u32 = 50_256;
const DOCUMENTS: [&[u32]; 3] = [&[5, 6, 7], &[50_255], &[1, 2]];

fn read_as(path: &Path, dtype: Option<TokenFormat>, size: usize) -> Result<Vec<Vec<u32>>, String> {
    let config = CorpusConfig {
        dtype,
        ..CorpusConfig::new(vec![path.to_owned()])
    };
    let files = find("k", &config.paths).map_err(|error| error.to_string())?;
    let vocabulary = Vocabulary { end: END, size };
    let mut documents = Vec::new();
    for event in Documents::new(&files, &config, vocabulary) {
        match event.map_err(|error| error.to_string())? {
            Event::Document(Document {
                content: Content::Tokens(ids),
                ..
            }) => documents.push(ids),
            Event::Empty => {}
            other => panic!("{other:?}"),
        }
    }
    Ok(documents)
}

fn read(path: &Path) -> Result<Vec<Vec<u32>>, String> {
    read_as(path, None, 50_257)
}

fn u16s(ids: &[u32]) -> Vec<u8> {
    ids.iter()
        .flat_map(|&id| (id as u16).to_le_bytes())
        .collect()
}

fn u32s(ids: &[u32]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_le_bytes()).collect()
}

/// Each document with its end after it.
fn ended() -> Vec<u32> {
    DOCUMENTS
        .iter()
        .flat_map(|ids| [*ids, &[END]].concat())
        .collect()
}

fn llm_c(magic: u32, version: u32, tokens: u32, body: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 1024];
    for (place, field) in header.chunks_exact_mut(4).zip([magic, version, tokens]) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    [&header, body].concat()
}

/// An index of sequences with these lengths of `width` bytes per token, of which each document has some.
fn index(format: u8, width: u64, lengths: &[u32], bounds: &[u64]) -> Vec<u8> {
    let mut bytes = b"MMIDIDX\0\0".to_vec();
    bytes.extend(1_u64.to_le_bytes());
    bytes.push(format);
    bytes.extend((lengths.len() as u64).to_le_bytes());
    bytes.extend((bounds.len() as u64).to_le_bytes());
    bytes.extend(u32s(lengths));
    let mut start = 0;
    for length in lengths {
        bytes.extend(u64::to_le_bytes(start));
        start += u64::from(*length) * width;
    }
    bytes.extend(bounds.iter().flat_map(|bound| bound.to_le_bytes()));
    bytes
}

#[test]
fn the_files_of_olmo_core_llm_c_and_megatron_give_their_documents() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.npy"), u16s(&ended())).unwrap();
    let found = read_as(&at("a.npy"), Some(TokenFormat::Uint16), 50_257);
    assert_eq!(found.unwrap(), DOCUMENTS);
    fs::write(at("b.npy"), u32s(&ended())).unwrap();
    let found = read_as(&at("b.npy"), Some(TokenFormat::Uint32), 50_257);
    assert_eq!(found.unwrap(), DOCUMENTS);
    // The end comes first in files of llm.c.
    let begun: Vec<u32> = DOCUMENTS
        .iter()
        .flat_map(|ids| [&[END], *ids].concat())
        .collect();
    let tokens = begun.len() as u32;
    fs::write(at("c.bin"), llm_c(20_240_520, 1, tokens, &u16s(&begun))).unwrap();
    assert_eq!(read(&at("c.bin")).unwrap(), DOCUMENTS);
    fs::write(at("d.bin"), llm_c(20_240_801, 7, tokens, &u32s(&begun))).unwrap();
    assert_eq!(read(&at("d.bin")).unwrap(), DOCUMENTS);
    for (format, width, bytes) in [(8, 2, u16s(&ended())), (4, 4, u32s(&ended()))] {
        fs::write(at("e.bin"), bytes).unwrap();
        // The first document is of two sequences.
        fs::write(
            at("e.idx"),
            index(format, width, &[1, 3, 2, 3], &[0, 2, 3, 4]),
        )
        .unwrap();
        assert_eq!(read(&at("e.bin")).unwrap(), DOCUMENTS);
    }
}

#[test]
fn an_invalid_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = u16s(&ended());
    let (tokens, whole) = (ended().len() as u32, index(8, 2, &[4, 2, 3], &[0, 1, 2, 3]));
    let message = |name: &str, content: &[u8], dtype: Option<TokenFormat>| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let message = read_as(&path, dtype, 50_257).unwrap_err();
        assert!(
            message.contains(name) && !message.contains('\n'),
            "{message}"
        );
        message
    };
    let two = Some(TokenFormat::Uint16);
    for (name, content, dtype, expected) in [
        (
            "a.npy",
            bytes.clone(),
            None,
            "does not state its number format; set `dtype`",
        ),
        ("b.npy", bytes[1..].to_vec(), two, "ends within a token"),
        (
            "c.npy",
            b"\x93NUMPY\x01\x00".to_vec(),
            two,
            "has a header of NumPy",
        ),
        (
            "d.npy",
            u16s(&[1, 50_257]),
            two,
            "token 1 has id 50257, the tokenizer has 50257 ids",
        ),
        ("e.bin", bytes.clone(), None, "has no header of llm.c"),
        (
            "f.bin",
            llm_c(20_240_520, 1, tokens + 1, &bytes),
            None,
            "its header states",
        ),
        (
            "g.bin",
            llm_c(20_240_520, 2, tokens, &bytes),
            None,
            "has no header of llm.c",
        ),
        (
            "h.bin",
            llm_c(20_240_520, 1, tokens, &bytes)[..1023].to_vec(),
            None,
            "has no header",
        ),
    ] {
        let message = message(name, &content, dtype);
        assert!(message.contains(expected), "{message}");
    }
    let path = folder.path().join("i.bin");
    fs::write(&path, &bytes).unwrap();
    for (content, expected) in [
        (whole[..20].to_vec(), "no header of Megatron-LM"),
        (
            whole[..whole.len() - 8].to_vec(),
            "the length that its header states",
        ),
        (index(5, 8, &[4, 2, 3], &[0, 1, 2, 3]), "number format 5"),
        (
            index(8, 2, &[4, 2, 4], &[0, 1, 2, 3]),
            "sequence 2 ends beyond the tokens",
        ),
        (
            index(8, 2, &[4, 2, 3], &[0, 2, 1, 3]),
            "a document ends with sequence 1 after 2",
        ),
        (
            index(8, 2, &[4, 2, 3], &[0, 1, 4]),
            "a document ends with sequence 4 after 1",
        ),
        (
            index(8, 2, &[4, 2, u32::MAX], &[0, 3]),
            "sequence 2 ends beyond the tokens",
        ),
        (
            {
                let mut huge = whole.clone();
                huge[18..26].copy_from_slice(&u64::MAX.to_le_bytes());
                huge
            },
            "the length that its header states",
        ),
    ] {
        fs::write(folder.path().join("i.idx"), content).unwrap();
        let message = read(&path).unwrap_err();
        assert!(
            message.contains("i.idx") && message.contains(expected),
            "{message}"
        );
    }
}
