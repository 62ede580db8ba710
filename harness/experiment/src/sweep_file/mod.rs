//! Sweep files: sizes x blocks x seeds with training budgets, read and validated.
//!
//! ```toml
//! seeds = [0]
//! match = { mode = "flops" }
//!
//! [decoder]                      # shared by all sizes
//! n_layers = 4
//! seq_len = 128
//!
//! [sizes.s]                      # a decoder and its budget
//! d_model = 64
//! n_heads = 2
//! tokens = 400_000               # training tokens of the dense decoder
//! blocks.memory.keys.n_keys = 64 # overrides [blocks.memory] at this size
//!
//! [blocks.memory]
//! kind = "memory"
//! placement = "middle"           # default: every layer
//! keys = { n_keys = 32, top_k = 8 }
//!
//! [suites]
//! vocab_size = 1024
//! [training]
//! batch_size = 16
//! ```

mod block_sizes;
mod budgets;
mod corpora;
mod decide;
mod error;
mod labels;
mod load;
mod matching;
mod model_variant;
mod overrides;
mod parse;
mod read;
mod resolve;
mod size;
mod solve;
mod source;
mod suggest;
mod suites;
mod sweep;
mod tasks;
mod tree;
mod tune;

pub use decide::{DecideConfig, DecidedBy};
pub use error::FileError;
pub use labels::RESERVED_NAME;
pub use matching::{FactsPerToken, Matching, TOKENS_PER_PERSON_TOLERANCE};
pub use overrides::Override;
pub use suggest::suggest;
pub use sweep::{DataConfig, ModelVariant, Size, Sweep};
pub use tasks::TaskConfig;
pub use tune::{TuneConfig, TunedBy};
