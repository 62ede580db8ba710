//! Models in and out: folders in the layouts of Hugging Face's `transformers`, and in a documented layout of this project for blocks
//! that it does not have.
//!
//! | module | contents |
//! |---|---|
//! | `layout` | the layouts, and which of them a model fits |
//! | `names` | parameters and the tensors that they are made of |
//! | `config_json` | `config.json` of transformers |
//! | `block_tensors` | blocks and their tensors in the layout of this project |
//! | `tensor_reader`, `tensor_writer`, `weight_type` | safetensors files |
//! | `manifest` | `isoflop.json`, which describes an exported folder |
//! | `description` | configuration, tokenizer and fingerprint of a folder |
//! | `export`, `import` | a whole folder |
//! | `initialise` | parameters of a folder as the initial ones of another model |

mod block_tensors;
mod config_json;
mod description;
mod error;
mod export;
mod import;
mod initialise;
mod json_file;
mod layout;
mod manifest;
mod names;
mod tensor_reader;
mod tensor_writer;
mod weight_type;

pub use block_tensors::{BlockTensors, LayerTensors};
pub use error::Error;
pub use export::{Source, export};
pub use import::{ImportedModel, import};
pub use initialise::{InitialWeights, Initialised, initialise};
pub use layout::Layout;
pub use manifest::{HashedFile, Manifest};
pub use weight_type::WeightType;

/// File of the tokenizer.
const TOKENIZER: &str = "tokenizer.json";
