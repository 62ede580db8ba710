//! A sweep as its file says it, checked.

use architectures::{DecoderConfig, ModelConfig};
use serde::Serialize;
use suites::SuitesConfig;

use super::error::FileError;
use super::matching::Matching;
use super::{resolve, source};
use crate::matching::Matched;
use crate::train::TrainingConfig;

/// Everything a sweep compares, and what with.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Names the folder of its output.
    pub name: String,
    /// What it was called by, for commands that repeat it.
    pub argument: String,
    /// What is held equal.
    pub matching: Matching,
    /// Seeds of weights and order; every cell is run with each.
    pub seeds: Vec<u64>,
    /// What is trained on and asked; the same for all runs.
    pub data: Data,
    /// In the order of the file.
    pub sizes: Vec<Size>,
}

/// What is trained on and asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Data {
    /// Size of the tokenizer's vocabulary.
    pub vocab_size: usize,
    /// Of the synthetic facts, the splits and the questions.
    pub seed: u64,
    /// Which suites, and how much of each.
    pub suites: SuitesConfig,
}

/// One size of decoder with its budget and all its competitors.
#[derive(Clone, Debug)]
pub struct Size {
    /// Its label.
    pub name: String,
    /// The decoder that the competitors share.
    pub decoder: DecoderConfig,
    /// Training tokens of the dense decoder of this size.
    pub tokens: u64,
    /// How it is trained.
    pub training: TrainingConfig,
    /// In the order of the file.
    pub competitors: Vec<Competitor>,
}

/// A labelled block in its decoder.
#[derive(Clone, Debug)]
pub struct Competitor {
    /// Its label.
    pub block: String,
    /// The whole model.
    pub model: ModelConfig,
    /// What its free knobs were turned for, where it had some.
    pub matched: Option<Matched>,
}

impl Sweep {
    /// Reads `sweep`, a path or the name of a sweep.
    pub fn load(sweep: &str) -> Result<Self, FileError> {
        let found = source::find(sweep)?;
        let argument = sweep.to_owned();
        Ok(Self {
            argument,
            ..Self::parse(&found.file, &found.text)?
        })
    }

    /// Reads the text of a sweep file called `file`.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        resolve::resolve(file, text)
    }
}
