//! Documents to tokens: read by one thread in batches of bounded size, encoded by all, in their order.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use rayon::prelude::*;

use super::shard::Side;
use crate::document_hash::DocumentHash;
use crate::source::{Content, Document, Documents, Event, Place};
use crate::{CorpusError, Tokenizer};

/// Bytes of text after which a batch ends. Encoding needs some hundred bytes for each token that is being made, of as many
/// pieces as there are threads.
const BATCH_BYTES: usize = 4 << 20;
/// Records after which a batch ends.
const BATCH_RECORDS: usize = 1 << 14;
/// Batches that are read ahead.
const AHEAD: usize = 2;
/// Bytes after which a text is encoded in pieces, so that long documents use all threads and little memory.
const PIECE: usize = 1 << 18;

/// Most messages of left-out records that are kept.
pub const MESSAGES: usize = 3;

/// Records that are no documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Records without content.
    pub empty: u64,
    /// Records that cannot be read.
    pub skipped: u64,
    /// Errors of the first of these.
    pub messages: Vec<String>,
}

/// A document that was read, with what was left out before it: counts then do not depend on where batches end.
#[derive(Debug)]
pub struct ReadDocument {
    content: Content,
    hash: DocumentHash,
    end: Place,
    before: LeftOut,
}

/// Consecutive documents, read and hashed.
#[derive(Debug, Default)]
pub struct Batch {
    /// The documents.
    pub documents: Vec<ReadDocument>,
    /// What was left out after the last document of all; `None` unless this is the last batch.
    pub last: Option<LeftOut>,
    /// Bytes of the files read so far.
    pub read: u64,
}

/// A document as it is stored.
pub struct Encoded {
    /// Ids with the end token.
    pub ids: Vec<u32>,
    /// Bytes of the text.
    pub bytes: u64,
    /// Hash of the content.
    pub hash: DocumentHash,
    /// Which side of the split it is on.
    pub side: Side,
    /// The place after it.
    pub end: Place,
    /// What was left out before it.
    pub before: LeftOut,
}

/// Batches of documents that a thread of its own reads ahead.
pub fn read_ahead<'scope>(
    scope: &'scope Scope<'scope, '_>,
    mut documents: Documents<'scope>,
) -> Receiver<Result<Batch, CorpusError>> {
    let (send, receive) = sync_channel(AHEAD);
    scope.spawn(move || {
        let mut left_out = LeftOut::default();
        loop {
            let batch = next_batch(&mut documents, &mut left_out);
            let ends = !matches!(&batch, Ok(Batch { last: None, .. }));
            // The receiver is gone after an error of its own.
            if send.send(batch).is_err() || ends {
                return;
            }
        }
    });
    receive
}

fn next_batch(documents: &mut Documents, left_out: &mut LeftOut) -> Result<Batch, CorpusError> {
    let mut batch = Batch::default();
    let (mut bytes, mut records) = (0, 0);
    while bytes < BATCH_BYTES && records < BATCH_RECORDS {
        records += 1;
        match documents.next().transpose()? {
            None => {
                batch.last = Some(std::mem::take(left_out));
                break;
            }
            Some(Event::Empty) => left_out.empty += 1,
            Some(Event::Skipped(error)) => {
                left_out.skipped += 1;
                if left_out.messages.len() < MESSAGES {
                    left_out.messages.push(error.to_string());
                }
            }
            Some(Event::Document(Document { content, end })) => {
                bytes += content.len();
                batch.documents.push(ReadDocument {
                    hash: DocumentHash::of(&content),
                    content,
                    end,
                    before: std::mem::take(left_out),
                });
            }
        }
    }
    batch.read = documents.read().load(Ordering::Relaxed);
    Ok(batch)
}

/// The documents of a batch, encoded by all threads.
///
/// # Errors
/// If the tokenizer fails.
pub fn encode(
    batch: Vec<ReadDocument>,
    tokenizer: &Tokenizer,
    held_out: f64,
) -> Result<Vec<Encoded>, CorpusError> {
    batch
        .into_par_iter()
        .map(|document| {
            let (mut ids, bytes) = match document.content {
                Content::Text(text) => (encode_text(&text, tokenizer)?, text.len()),
                Content::Tokens(ids) => {
                    let bytes = tokenizer.decode(&ids)?.len();
                    (ids, bytes)
                }
            };
            ids.push(tokenizer.end());
            let side = match document.hash.is_held_out(held_out) {
                true => Side::HeldOut,
                false => Side::Train,
            };
            Ok(Encoded {
                ids,
                bytes: bytes as u64,
                hash: document.hash,
                side,
                end: document.end,
                before: document.before,
            })
        })
        .collect()
}

fn encode_text(text: &str, tokenizer: &Tokenizer) -> Result<Vec<u32>, CorpusError> {
    if text.len() <= PIECE {
        return tokenizer.encode(text);
    }
    let pieces: Vec<Vec<u32>> = pieces(text)
        .into_par_iter()
        .map(|piece| tokenizer.encode(piece))
        .collect::<Result<_, _>>()?;
    Ok(pieces.concat())
}

/// A long text in pieces that begin, where possible, with a space between two words: byte-level tokenizers divide texts there in any
/// case.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE {
        let bytes = rest.as_bytes();
        let is_between = |&at: &usize| {
            bytes[at] == b' '
                && bytes[at - 1].is_ascii_alphanumeric()
                && bytes[at + 1].is_ascii_alphabetic()
        };
        let end = (1..PIECE).rev().find(is_between);
        let end = end.unwrap_or_else(|| rest.floor_char_boundary(PIECE));
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_has_the_tokens_that_it_has_as_a_whole() {
        let words = [
            "the",
            "House,",
            "of",
            "1234",
            "\n\nwörter",
            " two  spaces",
            "don't",
        ];
        let text: Vec<&str> = (0..200_000)
            .map(|i| words[i * i % 11 % words.len()])
            .collect();
        let text = text.join(" ");
        let tokenizer = Tokenizer::train(&[text[..20_000].to_owned()], 300).unwrap();
        assert!(pieces(&text).len() > 2);
        assert_eq!(pieces(&text).concat(), text);
        let whole = tokenizer.encode(&text).unwrap();
        assert_eq!(encode_text(&text, &tokenizer).unwrap(), whole);
    }

    #[test]
    fn a_text_without_words_is_divided_between_characters() {
        let text = "€".repeat(PIECE);
        assert_eq!(pieces(&text).concat(), text);
        assert!(pieces(&text).iter().all(|piece| piece.len() <= PIECE));
    }
}
