//! Files of tokens that others made. All numbers are little-endian.

mod flat;
mod megatron;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use flat::FlatRecords;
pub use megatron::MegatronRecords;

use super::files::SourceFile;
use super::record::{MAX_DOCUMENT, Records};
use crate::{CorpusError, TokenFormat};

/// The ids that a file may have.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary {
    /// The id that ends a document.
    pub end: u32,
    /// Every id is below it.
    pub size: usize,
}

/// Most tokens of a document.
const MAX_TOKENS: usize = MAX_DOCUMENT / 4;

/// The documents of a `.bin` file: Megatron's if its index is beside it, otherwise llm.c's.
///
/// # Errors
/// If a header is invalid, or a file is not accessible.
pub fn open_bin(
    file: &SourceFile,
    vocabulary: Vocabulary,
    read: &Arc<AtomicU64>,
) -> Result<Records, CorpusError> {
    if let Some((index, _, _)) = &file.index {
        return Ok(Box::new(MegatronRecords::open(file, index, vocabulary)?));
    }
    Ok(Box::new(FlatRecords::llm_c(file, vocabulary, read)?))
}

/// The documents of a file of OLMo-core, whose number format is `dtype`.
///
/// # Errors
/// If the format is not given, the file has a header of NumPy, or it is not accessible.
pub fn open_flat(
    file: &SourceFile,
    dtype: Option<TokenFormat>,
    vocabulary: Vocabulary,
    read: &Arc<AtomicU64>,
) -> Result<Records, CorpusError> {
    let Some(dtype) = dtype else {
        let remedy = "set `dtype` of the corpus to \"uint16\" or \"uint32\"";
        return Err(invalid(
            &file.path,
            "does not state its number format",
            remedy,
        ));
    };
    Ok(Box::new(FlatRecords::olmo(file, dtype, vocabulary, read)?))
}

fn invalid(path: &Path, problem: impl Into<String>, remedy: &str) -> CorpusError {
    CorpusError::source(path.display().to_string(), problem, remedy)
}

/// Checks an id, that of token `place` of the file.
///
/// # Errors
/// If it is not below the size of the vocabulary.
fn check_id(path: &Path, id: u64, place: u64, vocabulary: Vocabulary) -> Result<u32, CorpusError> {
    match u32::try_from(id) {
        Ok(id) if (id as usize) < vocabulary.size => Ok(id),
        _ => {
            let size = vocabulary.size;
            let problem = format!("token {place} has id {id}, the tokenizer has {size} ids");
            let remedy = "set `tokenizer.path` to the tokenizer that made the file, and `dtype` if the file does not state it";
            Err(invalid(path, problem, remedy))
        }
    }
}

fn too_long(path: &Path, place: u64, remedy: &str) -> CorpusError {
    let problem = format!("the document at token {place} has more than {MAX_TOKENS} tokens");
    invalid(path, problem, remedy)
}
