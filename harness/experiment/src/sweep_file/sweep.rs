//! The validated content of a sweep file.

use std::collections::BTreeMap;

use architectures::{DecoderConfig, ModelConfig};
use corpora::{CorpusConfig, TokenizerConfig};
use serde::{Deserialize, Serialize};
use suites::SuitesConfig;

use super::decide::DecideConfig;
use super::matching::Matching;
use super::overrides::Override;
use super::tasks::TaskConfig;
use super::tune::TuneConfig;
use crate::budget::{DenseBudget, Tokens};
use crate::matching::Matched;
use crate::training::TrainingConfig;

/// A sweep: its sizes, blocks, seeds and data.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Name of the sweep and of its output folder.
    pub name: String,
    /// The argument by which it was loaded, for printed commands.
    pub argument: String,
    /// The keys that the command line gave in place of the file's own, in their order.
    pub overrides: Vec<Override>,
    /// The quantity that is equal for all blocks of one size.
    pub matching: Matching,
    /// Whether runs are added at the tokens of dense, and of dense at the tokens of the other blocks, which divide a lead into more tokens
    /// and better per token.
    pub split: bool,
    /// Seeds of initial weights and data order; each pair of size and block is run with each seed.
    pub seeds: Vec<u64>,
    /// Training data and evaluation suites; see [`Plan`](crate::plan::Plan) for those of a run.
    pub data: DataConfig,
    /// Whether each seed has facts of its own, so that a comparison over seeds is one over facts, too.
    pub fresh_facts: bool,
    /// Sizes, in the order of the file.
    pub sizes: Vec<Size>,
    /// How learning rates are searched; `None` without `[tune]`.
    pub tune: Option<TuneConfig>,
    /// When `--until-decided` has enough seeds; `None` without `[decide]`.
    pub decide: Option<DecideConfig>,
    /// The published benchmarks that runs are evaluated on, in the order of the file.
    pub tasks: Vec<TaskConfig>,
}

/// Configuration of the training data and the evaluation suites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Size of the tokenizer's vocabulary.
    pub vocab_size: usize,
    /// Seed of the synthetic facts, the splits and the order of the documents.
    pub seed: u64,
    /// Weight of the suites beside corpora; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suites_weight: Option<f64>,
    /// Configuration of the enabled suites; there may be none beside corpora.
    pub suites: SuitesConfig,
    /// The tokenizer, where it is not trained on the first epoch of the suites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<TokenizerConfig>,
    /// Text corpora by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub corpora: BTreeMap<String, CorpusConfig>,
}

impl DataConfig {
    /// Whether there is more than suites with a tokenizer of their own.
    pub fn is_mixture(&self) -> bool {
        !self.corpora.is_empty() || self.tokenizer.is_some()
    }
}

/// A size of the decoder, with its budget and all its variants.
#[derive(Clone, Debug)]
pub struct Size {
    /// Label of the size.
    pub name: String,
    /// The decoder that the variants share.
    pub decoder: DecoderConfig,
    /// Budget of the dense decoder of this size.
    pub budget: DenseBudget,
    /// The training configuration.
    pub training: TrainingConfig,
    /// Variants, in the order of the file.
    pub variants: Vec<ModelVariant>,
}

impl Size {
    /// The dense decoder of the size, whose budget is given.
    pub fn dense(&self) -> ModelConfig {
        ModelConfig {
            decoder: self.decoder.clone(),
            blocks: Vec::new(),
        }
    }

    /// Tokens of one batch.
    pub fn batch_tokens(&self) -> Tokens {
        self.training.batch_size as Tokens * self.decoder.seq_len as Tokens
    }
}

/// A decoder with a labelled block.
#[derive(Clone, Debug)]
pub struct ModelVariant {
    /// Label of the block.
    pub block: String,
    /// Configuration of the model.
    pub model: ModelConfig,
    /// The target for which its knobs were solved; `None` if all knobs are given.
    pub matched: Option<Matched>,
}
