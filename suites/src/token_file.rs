//! Memory-mapped files of token ids.
//!
//! Layout, little-endian: eight bytes of magic, then as `u64` the bytes per token (2 or 4), the number of corpus epochs
//! in the file, and the number of tokens; then the tokens. The magic contains the version of the layout.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::SuiteError;

const MAGIC: &[u8; 8] = b"isotok01";
/// Bytes before the tokens.
const HEADER: usize = 32;

/// A read-only sequence of token ids.
#[derive(Debug)]
pub struct TokenFile {
    map: Mmap,
    width: usize,
    epochs: u64,
    len: usize,
    path: PathBuf,
}

impl TokenFile {
    /// Maps a file and validates its header and length.
    ///
    /// # Errors
    /// If the file is not accessible or not a token file, or its length does not match its header.
    pub fn open(path: &Path) -> Result<Self, SuiteError> {
        let file = File::open(path).map_err(SuiteError::io("open", path))?;
        // SAFETY: files of the cache are replaced by renaming and never written in place, so the mapped bytes do not
        // change.
        let map = unsafe { Mmap::map(&file) }.map_err(SuiteError::io("map", path))?;
        let damaged = |reason: &str| SuiteError::Damaged {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if map.len() < HEADER || &map[..8] != MAGIC {
            return Err(damaged("not a token file"));
        }
        let field = |index: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&map[8 * index..8 * index + 8]);
            u64::from_le_bytes(bytes)
        };
        let (width, epochs, len) = (field(1) as usize, field(2), field(3) as usize);
        if !matches!(width, 2 | 4) {
            return Err(damaged("unknown token width"));
        }
        if len == 0 || len.checked_mul(width) != Some(map.len() - HEADER) {
            return Err(damaged("its length does not match its header"));
        }
        Ok(Self {
            map,
            width,
            epochs,
            len,
            path: path.to_owned(),
        })
    }

    /// Number of tokens, at least one.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Number of corpus epochs in the file.
    pub fn epochs(&self) -> u64 {
        self.epochs
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `len` tokens from position `start`; positions are modulo the number of tokens.
    pub fn window(&self, start: u64, len: usize) -> Vec<u32> {
        let first = (start % self.len as u64) as usize;
        (0..len)
            .map(|offset| self.token((first + offset) % self.len))
            .collect()
    }

    fn token(&self, index: usize) -> u32 {
        let offset = HEADER + index * self.width;
        if self.width == 2 {
            u32::from(u16::from_le_bytes([self.map[offset], self.map[offset + 1]]))
        } else {
            u32::from_le_bytes([
                self.map[offset],
                self.map[offset + 1],
                self.map[offset + 2],
                self.map[offset + 3],
            ])
        }
    }

    /// The tokens as encoded in the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map[HEADER..]
    }
}

/// Bytes per token for a vocabulary of `vocab_size` ids.
pub(crate) fn width(vocab_size: usize) -> usize {
    if vocab_size <= 1 << 16 { 2 } else { 4 }
}

/// Appends `ids`, encoded with `width` bytes each.
pub(crate) fn push(bytes: &mut Vec<u8>, width: usize, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        bytes.extend_from_slice(&id.to_le_bytes()[..width]);
    }
}

/// Writes a complete token file, whose tokens are the concatenation of `parts`.
pub(crate) fn write(
    path: &Path,
    width: usize,
    epochs: u64,
    parts: &[&[u8]],
) -> Result<(), SuiteError> {
    let tokens = parts.iter().map(|part| part.len()).sum::<usize>() / width;
    replace(path, |file| {
        file.write_all(MAGIC)?;
        for field in [width as u64, epochs, tokens as u64] {
            file.write_all(&field.to_le_bytes())?;
        }
        parts.iter().try_for_each(|part| file.write_all(part))
    })
}

/// Writes to a temporary file in the folder of `path` and renames it, so that the file is replaced atomically.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), SuiteError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(SuiteError::io("create", folder))?;
    let temporary =
        tempfile::NamedTempFile::new_in(folder).map_err(SuiteError::io("write in", folder))?;
    let mut writer = BufWriter::new(temporary.as_file());
    fill(&mut writer)
        .and_then(|()| writer.flush())
        .map_err(SuiteError::io("write", path))?;
    drop(writer);
    temporary
        .persist(path)
        .map_err(|error| SuiteError::io("write", path)(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, width: usize, ids: &[u32]) -> PathBuf {
        let path = folder.join("a.tokens");
        let mut bytes = Vec::new();
        push(&mut bytes, width, ids.iter().copied());
        write(&path, width, 3, &[&bytes]).expect("writes");
        path
    }

    #[test]
    fn tokens_are_unchanged_in_both_widths_and_windows_wrap_around() {
        let folder = tempfile::tempdir().expect("folder");
        for (width, ids) in [(2, [1, 65_535, 0, 7]), (4, [1, 65_536, 4_000_000_000, 7])] {
            let tokens = TokenFile::open(&file(folder.path(), width, &ids)).expect("opens");
            assert_eq!((tokens.len(), tokens.epochs()), (4, 3));
            assert_eq!(tokens.window(0, 4), ids);
            assert_eq!(
                tokens.window(3, 6),
                [ids[3], ids[0], ids[1], ids[2], ids[3], ids[0]]
            );
            assert_eq!(tokens.window(4 * 1_000_000_007 + 2, 1), [ids[2]]);
        }
    }

    #[test]
    fn the_error_of_a_truncated_or_other_file_names_its_path() {
        let folder = tempfile::tempdir().expect("folder");
        let path = file(folder.path(), 2, &[1, 2, 3]);
        let whole = fs::read(&path).expect("reads");
        for broken in [
            &whole[..whole.len() - 1],
            &whole[..10],
            b"something else, long enough for a header",
        ] {
            fs::write(&path, broken).expect("writes");
            let message = TokenFile::open(&path).expect_err("is damaged").to_string();
            assert!(
                message.contains("a.tokens is damaged") && message.contains("delete it"),
                "{message}"
            );
        }
    }

    #[test]
    fn the_width_depends_on_the_vocabulary_size() {
        assert_eq!((width(65_536), width(65_537)), (2, 4));
    }
}
