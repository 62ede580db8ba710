//! What a long preparation tells its caller.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::CorpusError;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The objects of a URL are looked up.
    Listing,
    /// Objects are copied into the cache folder.
    Fetching,
    /// The files are read for the hash of their content.
    Hashing,
    /// The documents are tokenized.
    Tokenizing,
    /// Documents are put into the order of training.
    Ordering,
}

/// How far a preparation is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Label of the corpus; empty where it is about all of them.
    pub corpus: String,
    /// What is being done.
    pub stage: Stage,
    /// Units done: bytes of files, tokens while ordering, or the listing as a whole.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// Tokens that this process made in this stage.
    pub tokens: u64,
    /// Seconds of this stage so far.
    pub seconds: f64,
}

/// Who is told; it ends the preparation by `Break`.
pub type Observer<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// Tells an observer about one stage, at most some times a second.
pub(crate) struct StageReport<'a, 'b> {
    observer: &'a mut Observer<'b>,
    progress: Progress,
    begun: Instant,
    told: Option<Instant>,
}

/// Least time between two reports.
const INTERVAL: Duration = Duration::from_millis(100);

impl<'a, 'b> StageReport<'a, 'b> {
    /// A stage of `total` units that begins.
    pub fn new(observer: &'a mut Observer<'b>, corpus: &str, stage: Stage, total: u64) -> Self {
        Self {
            observer,
            progress: Progress {
                corpus: corpus.to_owned(),
                stage,
                done: 0,
                total,
                tokens: 0,
                seconds: 0.0,
            },
            begun: Instant::now(),
            told: None,
        }
    }

    /// Tells how far the stage is, unless that was told a moment ago.
    ///
    /// # Errors
    /// [`CorpusError::Interrupted`] if the observer ends the preparation.
    pub fn tell(&mut self, done: u64, tokens: u64) -> Result<(), CorpusError> {
        let is_last = done >= self.progress.total;
        if !is_last && self.told.is_some_and(|told| told.elapsed() < INTERVAL) {
            return Ok(());
        }
        self.told = Some(Instant::now());
        self.progress.done = done.min(self.progress.total);
        self.progress.tokens = tokens;
        self.progress.seconds = self.begun.elapsed().as_secs_f64();
        match (self.observer)(&self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(CorpusError::Interrupted),
        }
    }
}
