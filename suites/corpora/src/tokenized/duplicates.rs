//! Number of documents that are equal to another one.

use std::collections::HashSet;

use super::corpus::Corpus;
use crate::CorpusError;

/// Hashes in memory at a time, about 64 MiB of them. More documents are counted in several passes over the index.
const AT_ONCE: u64 = 1 << 22;

impl Corpus {
    /// Number of documents beyond the first of each content, by 64 bits of their hashes: of 100 million documents the expected number of
    /// unequal ones that are taken for equal is 0.0003.
    ///
    /// # Errors
    /// If a shard is damaged.
    pub fn duplicates(&self) -> Result<u64, CorpusError> {
        duplicates(self, AT_ONCE)
    }
}

fn duplicates(corpus: &Corpus, at_once: u64) -> Result<u64, CorpusError> {
    let documents = corpus.train().documents + corpus.held_out().documents;
    let passes = documents.div_ceil(at_once).max(1);
    let mut duplicates = 0;
    for pass in 0..passes {
        let mut seen = HashSet::new();
        corpus.for_each_key(|key| {
            if key % passes == pass && !seen.insert(key) {
                duplicates += 1;
            }
        })?;
    }
    Ok(duplicates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenized::tests::{prepare, tokenizer, write_lines};

    #[test]
    fn equal_documents_are_counted_in_any_number_of_passes() {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<String> = (0..100).map(|i| format!("document {}", i % 70)).collect();
        let config = write_lines(folder.path(), "a.jsonl", &texts);
        let corpus = prepare(&config, &tokenizer(), folder.path(), 200).unwrap();
        for at_once in [1, 7, 100] {
            assert_eq!(duplicates(&corpus, at_once).unwrap(), 30);
        }
    }
}
