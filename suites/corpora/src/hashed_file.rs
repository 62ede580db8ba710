//! Files whose first line is the hash of what follows it.
//!
//! ```text
//! blake3 <BLAKE3 of all bytes after this line, 64 hexadecimal digits>\n<content>
//! ```

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::CorpusError;
use crate::cache::replace;

/// The first line of a file with this content.
fn first_line(content: &[u8]) -> String {
    format!("blake3 {}\n", blake3::hash(content).to_hex())
}

/// Writes the content with its hash.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), CorpusError> {
    replace(path, |mut file| {
        file.write_all(first_line(content).as_bytes())
            .and_then(|()| file.write_all(content))
            .map_err(CorpusError::io("write", path))
    })
}

/// The content of a file, which equals what was written.
///
/// # Errors
/// If the file cannot be read, or its content does not match its hash.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CorpusError> {
    let mut bytes = fs::read(path).map_err(CorpusError::io("read", path))?;
    let damaged = |reason: &str| CorpusError::damaged(path, reason);
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let Some(end) = end.filter(|_| bytes.starts_with(b"blake3 ")) else {
        return Err(damaged("its first line is not a hash"));
    };
    let content = bytes.split_off(end + 1);
    if bytes != first_line(&content).as_bytes() {
        return Err(damaged(
            "its content does not match the hash in its first line",
        ));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_unchanged_and_each_flipped_bit_and_truncation_is_an_error() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.bpe");
        write(&path, b"one\ntwo\n").expect("writes");
        assert_eq!(read(&path).expect("reads"), b"one\ntwo\n");
        let whole = fs::read(&path).expect("reads");
        let flipped = (0..8 * whole.len()).map(|bit| {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        for bytes in flipped.chain((0..whole.len()).map(|end| whole[..end].to_vec())) {
            fs::write(&path, bytes).expect("writes");
            let message = read(&path).expect_err("is damaged").to_string();
            assert!(
                message.contains("a.bpe is damaged") && message.contains("delete it"),
                "{message}"
            );
        }
    }
}
