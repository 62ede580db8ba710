//! The documents of the suites as a source of a mixture.

use corpora::{CorpusError, DocumentSource, SourcePosition};

use crate::corpus::{HELD_OUT_STREAM, TRAIN_STREAM, shuffled};
use crate::{Suite, SuiteError, Tokenizer};

/// Which documents of the suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Documents {
    /// Those to train on.
    Train,
    /// The held-out ones.
    HeldOut,
}

/// The documents of all suites, in the orders in which they are trained on without corpora.
pub(crate) struct SuiteSource<'a> {
    suites: &'a [Box<dyn Suite>],
    tokenizer: &'a Tokenizer,
    seed: u64,
    kind: Documents,
    position: SourcePosition,
    /// The documents of the epoch.
    documents: Vec<Vec<u32>>,
}

impl<'a> SuiteSource<'a> {
    /// The documents from the first epoch on.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn new(
        suites: &'a [Box<dyn Suite>],
        tokenizer: &'a Tokenizer,
        seed: u64,
        kind: Documents,
    ) -> Result<Self, SuiteError> {
        let mut source = Self {
            suites,
            tokenizer,
            seed,
            kind,
            position: SourcePosition::default(),
            documents: Vec::new(),
        };
        source.documents = source.epoch(0)?;
        Ok(source)
    }

    /// Tokens of the current epoch.
    pub fn tokens(&self) -> u64 {
        self.documents.iter().map(|ids| ids.len() as u64).sum()
    }

    fn epoch(&self, epoch: u64) -> Result<Vec<Vec<u32>>, SuiteError> {
        let (tokenizer, seed) = (self.tokenizer, self.seed);
        let suites = self.suites.iter();
        if self.kind == Documents::Train {
            let documents = suites.flat_map(|suite| suite.documents(epoch));
            return shuffled(documents.collect(), tokenizer, seed, TRAIN_STREAM, epoch);
        }
        let documents = suites.flat_map(|suite| suite.held_out_documents());
        shuffled(documents.collect(), tokenizer, seed, HELD_OUT_STREAM, epoch)
    }
}

impl DocumentSource<SuiteError> for SuiteSource<'_> {
    fn seek(&mut self, position: SourcePosition) -> Result<(), SuiteError> {
        if position.epoch != self.position.epoch {
            self.documents = self.epoch(position.epoch)?;
        }
        self.position = position;
        Ok(())
    }

    fn position(&self) -> SourcePosition {
        self.position
    }

    fn next_document(&mut self) -> Result<Vec<u32>, SuiteError> {
        if self.position.document >= self.documents.len() as u64 {
            self.seek(SourcePosition {
                epoch: self.position.epoch + 1,
                document: 0,
            })?;
        }
        let document = self.documents.get(self.position.document as usize);
        let none = || {
            let remedy = "the suites have no documents; raise their sizes";
            CorpusError::config("suites", "{}", remedy)
        };
        let document = document.cloned().ok_or_else(none)?;
        self.position.document += 1;
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BiographiesConfig, Dataset, SuitesConfig, build};

    #[test]
    fn the_documents_are_those_of_suites_alone_in_their_order_from_any_position() {
        let config = SuitesConfig {
            biographies: Some(BiographiesConfig {
                people: 10,
                ..BiographiesConfig::default()
            }),
            ..SuitesConfig::none()
        };
        let folder = tempfile::tempdir().expect("folder");
        let data = Dataset::prepare(&config, 1, 300, 20_000, folder.path()).expect("prepares");
        let suites = build(&config, 1).expect("valid");
        let source =
            || SuiteSource::new(&suites, &data.tokenizer, 1, Documents::Train).expect("encodes");
        let mut whole = source();
        assert_eq!(whole.tokens(), data.epoch_tokens);
        let (mut tokens, mut positions) = (Vec::new(), Vec::new());
        while tokens.len() < 20_000 {
            let position = whole.position();
            let document = whole.next_document().expect("encodes");
            positions.push((position, document.clone()));
            tokens.extend(document);
        }
        assert_eq!(
            tokens[..20_000],
            data.train.window(0, 20_000).expect("reads")
        );
        assert!(whole.position().epoch >= 2);
        for (position, document) in positions.iter().step_by(97) {
            let mut elsewhere = source();
            elsewhere.seek(*position).expect("encodes");
            assert_eq!(elsewhere.next_document().expect("encodes"), *document);
        }
    }
}
