//! Checkpoints of training and weights of trained models: folders of safetensors files with a manifest.
//!
//! ```text
//! checkpoints/<run>/step-000000120/       the state after step 120; kept as `[training.checkpoint]` says
//!     dense-0.safetensors                 parameters by name
//!     moments-0.safetensors               `mean.<parameter>`, `square.<parameter>`
//!     buffers.safetensors                 state of blocks without gradient
//!     table-0.rows-0-65536.columns-0-64.safetensors    values, mean and square of a rectangle of a table
//!     state.json                          written last: counters, and length and hash of each file
//! checkpoints/<run>/evaluation/           rows of suites that are evaluated, until all are
//! weights/<run>/                          the same without moments, after the last step
//! ```
//!
//! A folder is written under a temporary name, flushed to the disk and renamed, so that one with its final name was whole when
//! it was written; what is read is compared with the hashes of its manifest.
//!
//! | module | contents |
//! |---|---|
//! | [`error`] | why a checkpoint cannot be written or read |
//! | `tensor_file`, `element_bytes` | one safetensors file, written and read in pieces; its numbers as bytes |
//! | `rectangles` | division of a table into files of bounded size |
//! | [`manifest`] | `state.json` |
//! | `parameters`, `dense`, `buffers` | parameters by name, their values and moments, state without gradient |
//! | `tables` | value tables |
//! | [`snapshot`] | a whole folder |
//! | [`store`] | the checkpoints of a run: writing, retention, the latest that is intact |

mod buffers;
mod dense;
mod element_bytes;
pub mod error;
pub mod manifest;
mod parameters;
mod rectangles;
pub mod snapshot;
pub mod store;
pub mod tables;
#[cfg(test)]
mod tables_on_ranks;
pub mod tensor_file;
