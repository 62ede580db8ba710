//! Byte-level BPE tokenizer (Sennrich et al. 2016; Radford et al. 2019), trained on the corpus and cached under a hash
//! of its training data.

use std::cell::Cell;
use std::io::Read;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use tokenizers::AddedToken;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::PostProcessorWrapper;

use crate::{CorpusError, hashed_file};

/// The document separator: it ends every document, starts every prompt and ends every answer.
pub const END: &str = "<|end|>";

/// Incremented when training changes, so that caches of an earlier version are not used.
const VERSION: &str = "bpe 1";

/// A byte-level BPE tokenizer.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    end: u32,
    start: Option<u32>,
    vocab_size: usize,
    fingerprint: String,
}

/// Tokens by which published tokenizers end a document.
const END_TOKENS: [&str; 5] = [END, "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];

/// Names the token that ends a document.
#[derive(Debug, Clone, Copy)]
pub enum EndToken<'a> {
    /// The one of the usual ones that the vocabulary has.
    Usual,
    /// By its text.
    Text(&'a str),
    /// By its id.
    Id(u32),
}

/// Longest `tokenizer.json` that is read.
const MAX_FILE_BYTES: u64 = 256 << 20;

impl Tokenizer {
    /// Size of the smallest vocabulary: 256 bytes and the separator.
    pub const MIN_VOCAB_SIZE: usize = 257;

    /// Trains a tokenizer with at most `vocab_size` entries; it has fewer if no pair of tokens remains that occurs
    /// twice.
    ///
    /// # Errors
    /// If `vocab_size` is below [`Self::MIN_VOCAB_SIZE`], or training fails.
    pub fn train(texts: &[String], vocab_size: usize) -> Result<Self, CorpusError> {
        if vocab_size < Self::MIN_VOCAB_SIZE {
            let remedy = format!(
                "write at least {}: every byte and the separator",
                Self::MIN_VOCAB_SIZE
            );
            return Err(CorpusError::config("vocab_size", vocab_size, remedy));
        }
        let mut inner = tokenizers::Tokenizer::new(BPE::default());
        inner.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
        inner.with_decoder(Some(ByteLevel::new(false, true, true)));
        let mut trainer: TrainerWrapper = BpeTrainer::builder()
            .vocab_size(vocab_size)
            .min_frequency(2)
            .show_progress(false)
            .special_tokens(vec![AddedToken::from(END, true)])
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build()
            .into();
        inner.train(&mut trainer, texts.iter()).map_err(failed)?;
        Self::new(inner)
    }

    /// The cached tokenizer for these texts and this size; it is trained and cached if there is none.
    ///
    /// # Errors
    /// As for [`Self::train`] and [`Self::load`].
    pub fn cached(
        texts: &[String],
        vocab_size: usize,
        cache_dir: &Path,
    ) -> Result<Self, CorpusError> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{VERSION} {vocab_size} {}", texts.len()).as_bytes());
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let name = format!("tokenizer-{}.bpe", &hasher.finalize().to_hex()[..16]);
        let path = cache_dir.join(name);
        if path.exists() {
            return Self::load(&path);
        }
        let tokenizer = Self::train(texts, vocab_size)?;
        let json = tokenizer.inner.to_string(false).map_err(failed)?;
        hashed_file::write(&path, json.as_bytes())?;
        Ok(tokenizer)
    }

    /// Loads a `tokenizer.json` of another program. Text is encoded without special tokens: what looks like one in a text is text. The
    /// post-processor of the file is not used by [`Self::encode`]: if it puts one token before a text, that token is [`Self::start`].
    ///
    /// # Errors
    /// If the file cannot be read, is no tokenizer, or has no such end token, or several.
    pub fn from_file(path: &Path, end: EndToken) -> Result<Self, CorpusError> {
        let invalid = |problem: String, remedy: &str| {
            CorpusError::source(path.display().to_string(), problem, remedy)
        };
        let give = "give a file tokenizer.json";
        let failed = || CorpusError::io("read", path);
        let file = std::fs::File::open(path).map_err(failed())?;
        let mut json = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut json)
            .map_err(failed())?;
        if json.len() as u64 > MAX_FILE_BYTES {
            return Err(invalid("is longer than 256 MiB".to_owned(), give));
        }
        let (inner, start) = without_panic(|| {
            let mut inner = Self::parse(json)?;
            let start = start_token(&inner).map_err(|error| error.to_string())?;
            inner.with_post_processor(None::<PostProcessorWrapper>);
            inner.with_padding(None);
            let truncation = inner.with_truncation(None);
            truncation.map_err(|error| error.to_string())?;
            inner.set_encode_special_tokens(true);
            Ok((inner, start))
        })
        .map_err(|reason| {
            let reason = reason.replace('\n', " ");
            invalid(format!("is no tokenizer ({reason})"), give)
        })?;
        let end = end_token(&inner, end).map_err(|problem| {
            invalid(
                problem,
                "name the token that ends a document: `tokenizer.end_token` of a sweep file, `eos_token_id` of config.json",
            )
        })?;
        Self::with_tokens(inner, end, start)
    }

    /// Writes the tokenizer as a `tokenizer.json` that other programs load, with the separator before every text, where documents
    /// of training and prompts have it. [`Self::from_file`] gives the same tokenizer again.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CorpusError> {
        let json = self.inner.to_string(false).map_err(failed)?;
        let mut json: serde_json::Value = serde_json::from_str(&json)
            .map_err(|error| CorpusError::Tokenizer(error.to_string()))?;
        let start = self.start.unwrap_or(self.end);
        if let Some(text) = self.inner.id_to_token(start) {
            let piece = serde_json::json!({"SpecialToken": {"id": text, "type_id": 0}});
            let sequence = |id: &str| serde_json::json!({"Sequence": {"id": id, "type_id": 0}});
            json["post_processor"] = serde_json::json!({
                "type": "TemplateProcessing",
                "single": [piece, sequence("A")],
                "pair": [piece, sequence("A"), sequence("B")],
                "special_tokens": {&text: {"id": text, "ids": [start], "tokens": [text]}},
            });
        }
        std::fs::write(path, format!("{json:#}\n")).map_err(CorpusError::io("write", path))
    }

    /// Loads a tokenizer from a file that [`Self::cached`] wrote: its JSON, after a line with the hash of it.
    ///
    /// # Errors
    /// If the file cannot be read, its content does not match its hash, or the content is no tokenizer.
    pub fn load(path: &Path) -> Result<Self, CorpusError> {
        let inner = Self::parse(hashed_file::read(path)?)
            .map_err(|reason| CorpusError::damaged(path, reason))?;
        Self::new(inner).map_err(|error| CorpusError::damaged(path, error.to_string()))
    }

    fn parse(json: Vec<u8>) -> Result<tokenizers::Tokenizer, String> {
        // The tokenizer's own reader panics on text that is not JSON.
        serde_json::from_slice::<serde_json::Value>(&json).map_err(|error| error.to_string())?;
        tokenizers::Tokenizer::from_bytes(json).map_err(|error| error.to_string())
    }

    fn new(inner: tokenizers::Tokenizer) -> Result<Self, CorpusError> {
        let end = inner.token_to_id(END);
        let end =
            end.ok_or_else(|| CorpusError::Tokenizer(format!("the vocabulary has no {END}")))?;
        let mut ids: Vec<u32> = inner.get_vocab(true).into_values().collect();
        ids.sort_unstable();
        if !ids.iter().copied().eq(0..ids.len() as u32) {
            let reason = format!("its ids are not 0 to {}", ids.len() - 1);
            return Err(CorpusError::Tokenizer(reason));
        }
        Self::with_tokens(inner, end, None)
    }

    fn with_tokens(
        inner: tokenizers::Tokenizer,
        end: u32,
        start: Option<u32>,
    ) -> Result<Self, CorpusError> {
        let json = inner.to_string(false).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(json.as_bytes());
        if inner.token_to_id(END) != Some(end) {
            hasher.update(&end.to_le_bytes());
        }
        let largest = inner.get_vocab(true).into_values().max();
        Ok(Self {
            inner,
            end,
            start,
            // Published vocabularies have gaps.
            vocab_size: largest.map_or(0, |id| id as usize + 1),
            fingerprint: hasher.finalize().to_hex()[..16].to_owned(),
        })
    }

    /// Token ids of a text, without a separator.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, CorpusError> {
        let encoding = self.inner.encode_fast(text, false).map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids of each text, without separators; the texts are encoded in parallel.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn encode_all(&self, texts: Vec<String>) -> Result<Vec<Vec<u32>>, CorpusError> {
        let encodings = self.inner.encode_batch_fast(texts, false).map_err(failed)?;
        Ok(encodings
            .iter()
            .map(|encoding| encoding.get_ids().to_vec())
            .collect())
    }

    /// The text of token ids; bytes that are not UTF-8 are decoded as replacement characters.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, CorpusError> {
        self.inner.decode(ids, false).map_err(failed)
    }

    /// Id of the separator.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The token that a file of another program puts before every text, such as `<s>`.
    pub fn start(&self) -> Option<u32> {
        self.start
    }

    /// Number of token ids, which are below it; in files of other programs some may be unused.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The text of the token `id`, with the file's own representation of bytes.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Hash of the vocabulary and the merges.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

thread_local! {
    /// Whether a panic of this thread is returned as an error, and not printed.
    static RETURNS_PANICS: Cell<bool> = const { Cell::new(false) };
}

/// The result of `read`; a panic is an error, as the reader of tokenizers has some for contradictory files.
fn without_panic<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // Once, and by thread: hooks that are replaced and restored by several threads at a time stay replaced.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printing = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !RETURNS_PANICS.get() {
                printing(panic);
            }
        }));
    });
    RETURNS_PANICS.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    RETURNS_PANICS.set(false);
    result.unwrap_or_else(|_| Err("its parts contradict each other".to_owned()))
}

/// The id of the token that ends a document.
fn end_token(inner: &tokenizers::Tokenizer, end: EndToken) -> Result<u32, String> {
    let known = match end {
        EndToken::Id(id) => {
            let token = inner.id_to_token(id).map(|_| id);
            return token.ok_or_else(|| format!("has no token {id}"));
        }
        EndToken::Text(text) => vec![text],
        EndToken::Usual => END_TOKENS.to_vec(),
    };
    let found: Vec<(&str, u32)> = known
        .iter()
        .filter_map(|token| Some((*token, inner.token_to_id(token)?)))
        .collect();
    let names: Vec<&str> = found.iter().map(|(token, _)| *token).collect();
    match found[..] {
        [(_, end)] => Ok(end),
        [] => Err(format!("has no token {}", known.join(", "))),
        _ => Err(format!(
            "has several tokens that may end a document, {}",
            names.join(", ")
        )),
    }
}

/// The token that the post-processor of `inner` puts before a text.
fn start_token(inner: &tokenizers::Tokenizer) -> Result<Option<u32>, tokenizers::Error> {
    let processed = inner.encode_fast("a", true)?;
    let is_added = processed.get_special_tokens_mask().first() == Some(&1);
    Ok(processed.get_ids().first().copied().filter(|_| is_added))
}

fn failed(error: tokenizers::Error) -> CorpusError {
    CorpusError::Tokenizer(error.to_string())
}

#[cfg(test)]
mod tests;
