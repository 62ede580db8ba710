//! Texts on which a tokenizer is trained.

use random::IndexedPermutation;

use crate::document_hash::DocumentHash;
use crate::source::{Content, Document, Documents, Event, Format, Vocabulary, find};
use crate::{CorpusConfig, CorpusError};

/// Most files from which texts are taken.
const MAX_FILES: u64 = 64;

/// Documents of the corpus `label` with at most `bytes` bytes together, none of them held out: the first ones of up to 64 files, an
/// equal number of bytes of each, the last one cut. Paths are local: see [`crate::fetch`].
///
/// # Errors
/// If a file cannot be read, a record is invalid, or the files have tokens instead of text.
pub fn sample(label: &str, config: &CorpusConfig, bytes: u64) -> Result<Vec<String>, CorpusError> {
    let files = find(&format!("corpus.{label}.paths"), &config.paths)?;
    let taken = MAX_FILES.min(files.len() as u64);
    let order = IndexedPermutation::new(files.len() as u64, 0, "tokenizer.sample", 0);
    // Only files of tokens need one, and those are errors.
    let vocabulary = Vocabulary { end: 0, size: 0 };
    let mut texts = Vec::new();
    for place in 0..taken {
        let file = &files[order.at(place) as usize..][..1];
        let mut left = bytes / taken;
        if matches!(file[0].format, Format::FlatTokens | Format::Tokens) {
            return Err(CorpusError::config(
                &format!("corpus.{label}.paths"),
                file[0].path.display(),
                "it has tokens; set `tokenizer.path` to the file tokenizer.json of the tokenizer that made them",
            ));
        }
        for event in Documents::new(file, config, vocabulary) {
            let Event::Document(Document { content, .. }) = event? else {
                continue;
            };
            if DocumentHash::of(&content).is_held_out(config.held_out) {
                continue;
            }
            let Content::Text(mut text) = content else {
                continue;
            };
            if text.len() as u64 >= left {
                text.truncate(text.floor_char_boundary(left as usize));
                left = 0;
            } else {
                left -= text.len() as u64;
            }
            texts.push(text);
            if left == 0 {
                break;
            }
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_bounded_takes_from_all_files_and_has_no_held_out_document() {
        let folder = tempfile::tempdir().unwrap();
        for file in 0..5 {
            let documents: Vec<String> = (0..100).map(|i| format!("€ {file} {i}")).collect();
            let path = folder.path().join(format!("{file}.txt"));
            std::fs::write(path, documents.join("|")).unwrap();
        }
        let config = CorpusConfig {
            separator: Some("|".to_owned()),
            held_out: 0.5,
            ..CorpusConfig::new(vec![folder.path().to_owned()])
        };
        let texts = sample("a", &config, 333).unwrap();
        let bytes: usize = texts.iter().map(String::len).sum();
        assert!((310..=333).contains(&bytes), "{bytes}");
        for file in 0..5 {
            let start = format!("€ {file}");
            assert!(texts.iter().any(|text| text.starts_with(&start)));
        }
        let all = sample("a", &config, 1 << 20).unwrap();
        assert!((150..350).contains(&all.len()), "{}", all.len());
        let held_out =
            |text: &String| DocumentHash::of(&Content::Text(text.clone())).is_held_out(0.5);
        assert!(!all.iter().any(held_out));
    }
}
