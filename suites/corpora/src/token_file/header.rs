//! The layout of a token file.
//!
//! ```text
//! bytes      field                                                            all integers little-endian
//! 8          magic, which contains the version of the layout
//! 8          bytes per token, 2 or 4
//! 8          corpus epochs in the file
//! 8          tokens
//! 8          vocabulary size: every token id is below it
//! 8          bytes per block of tokens; the last block may be shorter
//! 32         BLAKE3 of the table
//! 32         BLAKE3 of the fields above
//! ...        tokens
//! 32 each    table: BLAKE3 of each block, in their order
//! ```

/// Bytes of the header.
pub(super) const LEN: usize = 112;
/// Bytes of a hash.
pub(super) const HASH: usize = blake3::OUT_LEN;

const MAGIC: &[u8; 8] = b"isotok02";
/// Start of an earlier layout, without hashes.
const EARLIER: &[u8; 8] = b"isotok01";
/// Number of fields after the magic and before the hashes.
const FIELDS: usize = 5;
/// Bytes before the header's own hash.
const HASHED: usize = LEN - HASH;
/// Largest block that a reader accepts, in bytes: each read of a token reads its block.
const MAX_BLOCK: u64 = 1 << 20;

/// The fields of the header.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// Bytes per token, 2 or 4.
    pub width: usize,
    /// Number of corpus epochs.
    pub epochs: u64,
    /// Number of tokens, at least one.
    pub tokens: usize,
    /// Every token id is below it.
    pub vocab_size: u64,
    /// Bytes per block, a multiple of `width`.
    pub block: usize,
    /// Hash of the table.
    pub table: blake3::Hash,
}

impl Header {
    /// The header as bytes.
    pub fn encode(&self) -> [u8; LEN] {
        let fields = [
            self.width as u64,
            self.epochs,
            self.tokens as u64,
            self.vocab_size,
            self.block as u64,
        ];
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(MAGIC);
        for (place, field) in bytes[8..].chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes[HASHED - HASH..HASHED].copy_from_slice(self.table.as_bytes());
        let hash = blake3::hash(&bytes[..HASHED]);
        bytes[HASHED..].copy_from_slice(hash.as_bytes());
        bytes
    }

    /// The header of a file of `file_len` bytes.
    ///
    /// # Errors
    /// The reason, if the bytes are no header, were changed, or do not match the length.
    pub fn decode(bytes: &[u8; LEN], file_len: u64) -> Result<Self, &'static str> {
        if &bytes[..8] != MAGIC {
            return Err("not a token file");
        }
        let (hashed, hash) = bytes.split_at(HASHED);
        if blake3::hash(hashed).as_bytes() != hash {
            return Err("bytes 0 to 112, the header, do not match their hash");
        }
        let mut fields = [0; FIELDS];
        for (field, place) in fields.iter_mut().zip(bytes[8..].chunks_exact(8)) {
            *field = u64::from_le_bytes(place.try_into().unwrap_or_default());
        }
        let [width, epochs, tokens, vocab_size, block] = fields;
        if vocab_size == 0 || vocab_size > 1 << 32 || width != bytes_per_token(vocab_size) as u64 {
            return Err("its header has an invalid vocabulary size or token width");
        }
        if block == 0 || block > MAX_BLOCK || block % width != 0 {
            return Err("its header has an invalid block size");
        }
        let expected = tokens
            .checked_mul(width)
            .and_then(|bytes| bytes.checked_add(bytes.div_ceil(block).checked_mul(HASH as u64)?))
            .and_then(|bytes| bytes.checked_add(LEN as u64));
        if tokens == 0 || expected != Some(file_len) {
            return Err("its length does not match its header");
        }
        let mut table = [0; HASH];
        table.copy_from_slice(&bytes[HASHED - HASH..HASHED]);
        Ok(Self {
            width: width as usize,
            epochs,
            tokens: usize::try_from(tokens).map_err(|_| "it is too long for this machine")?,
            vocab_size,
            block: block as usize,
            table: blake3::Hash::from_bytes(table),
        })
    }

    /// Bytes of all tokens.
    pub fn token_bytes(&self) -> u64 {
        self.tokens as u64 * self.width as u64
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.token_bytes().div_ceil(self.block as u64) as usize
    }
}

/// Whether the file starts as one of an earlier layout.
pub(super) fn is_earlier_layout(start: &[u8]) -> bool {
    start.starts_with(EARLIER)
}

/// Bytes per token for a vocabulary of `vocab_size` ids.
pub(super) fn bytes_per_token(vocab_size: u64) -> usize {
    if vocab_size <= 1 << 16 { 2 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            width: 2,
            epochs: 3,
            tokens: 5,
            vocab_size: 300,
            block: 4,
            table: blake3::hash(b"table"),
        }
    }

    #[test]
    fn the_width_depends_on_the_vocabulary_size() {
        assert_eq!((bytes_per_token(65_536), bytes_per_token(65_537)), (2, 4));
    }

    #[test]
    fn a_header_with_a_right_hash_and_impossible_fields_is_an_error() {
        let length = (LEN + 10 + 3 * HASH) as u64;
        assert!(Header::decode(&header().encode(), length).is_ok());
        let changes: [fn(&mut Header); 9] = [
            |header| header.width = 4,
            |header| header.width = 0,
            |header| header.tokens = 0,
            |header| header.tokens = 6,
            |header| header.tokens = usize::MAX,
            |header| header.vocab_size = 0,
            |header| header.vocab_size = u64::MAX,
            |header| header.block = 0,
            |header| header.block = 3,
        ];
        for change in changes {
            let mut changed = header();
            change(&mut changed);
            assert!(
                Header::decode(&changed.encode(), length).is_err(),
                "{changed:?}"
            );
        }
    }
}
