//! A sweep as written in its file, checked.

use architectures::{DecoderConfig, ModelConfig};
use serde::Serialize;
use suites::SuitesConfig;

use super::matching::Matching;
use crate::budget::DenseBudget;
use crate::matching::Matched;
use crate::training::TrainingConfig;

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
    /// Training data and evaluation suites; the same for all runs.
    pub data: Data,
    /// In the order of the file.
    pub sizes: Vec<Size>,
}

/// Training data and evaluation suites.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Data {
    /// Size of the tokenizer's vocabulary.
    pub vocab_size: usize,
    /// Of the synthetic facts, the splits and the questions.
    pub seed: u64,
    /// Which suites, and how much of each.
    pub suites: SuitesConfig,
}

/// One size of decoder with its budget and all its variants.
#[derive(Clone, Debug)]
pub struct Size {
    /// Its label.
    pub name: String,
    /// The decoder that the variants share.
    pub decoder: DecoderConfig,
    /// What the dense decoder of this size is given.
    pub budget: DenseBudget,
    /// How it is trained.
    pub training: TrainingConfig,
    /// In the order of the file.
    pub variants: Vec<ModelVariant>,
}

/// A labelled block in its decoder.
#[derive(Clone, Debug)]
pub struct ModelVariant {
    /// Its label.
    pub block: String,
    /// The whole model.
    pub model: ModelConfig,
    /// The target that its free knobs meet, where it had some.
    pub matched: Option<Matched>,
}
