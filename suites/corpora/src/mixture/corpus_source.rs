//! The documents of a corpus in random order.

use random::IndexedPermutation;

use super::{DocumentSource, SourcePosition};
use crate::{Corpus, CorpusError};

/// The documents to train on.
pub struct CorpusSource<'a>(Shuffled<'a>);

/// The held-out documents.
pub struct HeldOutSource<'a>(Shuffled<'a>);

impl<'a> CorpusSource<'a> {
    /// All documents to train on, in an order that `seed` and the pass determine.
    pub fn new(corpus: &'a Corpus, seed: u64) -> Self {
        let documents = corpus.train().documents;
        Self(Shuffled::new(corpus, documents, seed, "corpus.order"))
    }
}

impl<'a> HeldOutSource<'a> {
    /// All held-out documents, in an order that `seed` and the pass determine.
    pub fn new(corpus: &'a Corpus, seed: u64) -> Self {
        let documents = corpus.held_out().documents;
        Self(Shuffled::new(
            corpus,
            documents,
            seed,
            "corpus.held_out_order",
        ))
    }
}

struct Shuffled<'a> {
    corpus: &'a Corpus,
    documents: u64,
    seed: u64,
    stream: String,
    position: SourcePosition,
    order: IndexedPermutation,
}

impl<'a> Shuffled<'a> {
    fn new(corpus: &'a Corpus, documents: u64, seed: u64, name: &str) -> Self {
        // Corpora that are equally long have different orders.
        let stream = format!("{name}.{}", corpus.fingerprint());
        Self {
            order: IndexedPermutation::new(documents, seed, &stream, 0),
            corpus,
            documents,
            seed,
            stream,
            position: SourcePosition::default(),
        }
    }

    fn seek(&mut self, position: SourcePosition) {
        self.position = position;
        self.order =
            IndexedPermutation::new(self.documents, self.seed, &self.stream, position.epoch);
    }

    /// The number of the next document.
    fn next(&mut self) -> u64 {
        if self.position.document == self.documents {
            self.seek(SourcePosition {
                epoch: self.position.epoch + 1,
                document: 0,
            });
        }
        let number = self.order.at(self.position.document);
        self.position.document += 1;
        number
    }
}

impl<E: From<CorpusError>> DocumentSource<E> for CorpusSource<'_> {
    fn seek(&mut self, position: SourcePosition) -> Result<(), E> {
        self.0.seek(position);
        Ok(())
    }

    fn position(&self) -> SourcePosition {
        self.0.position
    }

    fn next_document(&mut self) -> Result<Vec<u32>, E> {
        let number = self.0.next();
        Ok(self.0.corpus.train_document(number)?)
    }
}

impl<E: From<CorpusError>> DocumentSource<E> for HeldOutSource<'_> {
    fn seek(&mut self, position: SourcePosition) -> Result<(), E> {
        self.0.seek(position);
        Ok(())
    }

    fn position(&self) -> SourcePosition {
        self.0.position
    }

    fn next_document(&mut self) -> Result<Vec<u32>, E> {
        let number = self.0.next();
        Ok(self.0.corpus.held_out_document(number)?.ids)
    }
}
