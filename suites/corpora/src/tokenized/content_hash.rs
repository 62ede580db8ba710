//! Hashes of the content of files, by which a corpus is named.

use std::fs::File;

use rayon::prelude::*;

use crate::progress::{Observer, Stage, StageReport};
use crate::source::SourceFile;
use crate::{CorpusConfig, CorpusError, Tokenizer};

/// Files between two reports.
const AT_ONCE: usize = 64;

/// Hash of all that determines the tokens of a corpus: content and order of the files, the settings, the tokenizer. Names and
/// times of files do not matter.
///
/// # Errors
/// If a file cannot be read, or the observer ends the preparation.
pub fn fingerprint(
    (label, version): (&str, &str),
    config: &CorpusConfig,
    files: &[SourceFile],
    tokenizer: &Tokenizer,
    observer: &mut Observer,
) -> Result<String, CorpusError> {
    let total = files.iter().map(|file| file.bytes).sum();
    let mut report = StageReport::new(observer, label, Stage::Hashing, total);
    let mut hasher = blake3::Hasher::new();
    let settings = (
        tokenizer.fingerprint(),
        &config.text_field,
        &config.separator,
        config.skip_bad,
        config.held_out.to_bits(),
        config.dtype,
    );
    hasher.update(format!("{version} {settings:?}").as_bytes());
    let mut done = 0;
    for files in files.chunks(AT_ONCE) {
        let hashes: Vec<blake3::Hash> = files.par_iter().map(hash).collect::<Result<_, _>>()?;
        for (file, hash) in files.iter().zip(hashes) {
            let kind = format!(" {:?} {:?} ", file.format, file.compression);
            hasher.update(kind.as_bytes()).update(hash.as_bytes());
            done += file.bytes;
        }
        report.tell(done, 0)?;
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

fn hash(file: &SourceFile) -> Result<blake3::Hash, CorpusError> {
    let mut hasher = blake3::Hasher::new();
    let index = file.index.iter().map(|(path, _, _)| path);
    for path in std::iter::once(&file.path).chain(index) {
        let failed = || CorpusError::io("read", path);
        let reader = File::open(path).map_err(failed())?;
        hasher.update_reader(reader).map_err(failed())?;
    }
    Ok(hasher.finalize())
}
