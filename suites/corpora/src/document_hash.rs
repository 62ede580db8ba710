//! Hashes of documents, by which they are held out and compared.

use crate::source::Content;

/// BLAKE3 of a document's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentHash(blake3::Hash);

impl DocumentHash {
    /// The hash of the text, or of the ids of tokens.
    pub fn of(content: &Content) -> Self {
        Self(match content {
            Content::Text(text) => blake3::hash(text.as_bytes()),
            Content::Tokens(ids) => {
                let mut hasher = blake3::Hasher::new();
                for id in ids {
                    hasher.update(&id.to_le_bytes());
                }
                hasher.finalize()
            }
        })
    }

    /// Whether the document is held out: equal documents are on the same side, also of different corpora with the same share.
    pub fn is_held_out(&self, share: f64) -> bool {
        (self.part(0) as f64) < share * 2.0_f64.powi(64)
    }

    /// 64 bits that do not depend on those by which documents are held out.
    pub fn key(&self) -> u64 {
        self.part(1)
    }

    fn part(&self, index: usize) -> u64 {
        let (parts, _) = self.0.as_bytes().as_chunks::<8>();
        u64::from_le_bytes(parts[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_share_of_the_documents_is_held_out() {
        let held_out = (0..10_000).filter(|number| {
            let content = Content::Text(format!("document {number}"));
            DocumentHash::of(&content).is_held_out(0.1)
        });
        // The standard deviation is 30.
        assert!((900..1100).contains(&held_out.count()));
        let all = DocumentHash::of(&Content::Tokens(vec![1, 2]));
        assert!(all.is_held_out(1.0) && !all.is_held_out(0.0));
    }
}
