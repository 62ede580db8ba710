//! `[corpus.LABEL]` and `[tokenizer]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::corpora::{CorpusConfig, CorpusError, TokenizerConfig, is_url};

use super::error::FileError;
use super::labels::check_labels;
use super::read::read;
use super::tree::{LocatedNode, LocatedTable};

/// Names of suites, which cannot be labels of corpora: scores of both are found by name.
const SUITES: [&str; 4] = ["biographies", "world", "functions", "bios"];

/// The corpora by label, none without `[corpus]`; their paths are seen from the working directory.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn corpora(
    file: &str,
    root: &LocatedTable,
) -> Result<BTreeMap<String, CorpusConfig>, FileError> {
    let mut corpora = BTreeMap::new();
    if root.get("corpus").is_none() {
        return Ok(corpora);
    }
    check_labels(file, root, "corpus")?;
    let folder = folder(file);
    for entry in &root.section("corpus").entries {
        let LocatedNode::Table(table) = &entry.node else {
            let remedy = format!("write a section [corpus.{}]", entry.key);
            return Err(FileError::at(file, entry, "is not a table", remedy));
        };
        if SUITES.contains(&entry.key.as_str()) {
            let problem = "is the name of a suite";
            return Err(FileError::at(file, entry, problem, "choose another label"));
        }
        let mut config: CorpusConfig = read(file, table)?;
        config
            .validate(&entry.key)
            .map_err(|error| located(file, table, error))?;
        for path in &mut config.paths {
            if !is_url(path) {
                *path = folder.join(&path);
            }
        }
        corpora.insert(entry.key.clone(), config);
    }
    Ok(corpora)
}

/// `[tokenizer]`.
pub struct TokenizerSection {
    /// Its keys without the vocabulary size; the path is seen from the working directory.
    pub config: TokenizerConfig,
    /// `vocab_size`.
    pub vocab_size: Option<usize>,
    /// Size of the vocabulary of the file `path`.
    pub of_file: Option<usize>,
}

/// The section `tokenizer`, if there is one.
///
/// # Errors
/// If a key is unknown or a value is invalid, or the tokenizer's file cannot be read: its vocabulary is a part of every model.
pub fn tokenizer(file: &str, root: &LocatedTable) -> Result<Option<TokenizerSection>, FileError> {
    if root.get("tokenizer").is_none() {
        return Ok(None);
    }
    let section = root.section("tokenizer");
    let vocab_size: VocabularyKey = read(file, &section)?;
    let mut rest = section.clone();
    rest.take("vocab_size");
    let mut config: TokenizerConfig = read(file, &rest)?;
    config
        .validate()
        .map_err(|error| located(file, &section, error))?;
    if let Some(path) = &mut config.path {
        *path = folder(file).join(&path);
    }
    let of_file = config.read().map_err(|error| {
        let problem = format!("cannot be used ({error})");
        FileError::of(file, &section, "path", problem, "correct it")
    })?;
    Ok(Some(TokenizerSection {
        config,
        vocab_size: vocab_size.vocab_size,
        of_file: of_file.map(|tokenizer| tokenizer.vocab_size()),
    }))
}

#[derive(serde::Deserialize)]
struct VocabularyKey {
    vocab_size: Option<usize>,
}

/// The folder from which relative paths of the sweep file begin. A file that a shell opened has none.
fn folder(file: &str) -> PathBuf {
    let path = Path::new(file);
    if ["/dev", "/proc"]
        .iter()
        .any(|shell| path.starts_with(shell))
    {
        return PathBuf::new();
    }
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// The error of a section's key, whose name is dotted, at the key's position.
fn located(file: &str, section: &LocatedTable, error: CorpusError) -> FileError {
    match error {
        CorpusError::Config { key, value, remedy } => {
            let key = key.rsplit('.').next().unwrap_or(&key);
            FileError::of(file, section, key, format!("= {value}"), remedy)
        }
        other => FileError::within(file, section, other.to_string(), "correct the section"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep_file::Sweep;
    use crate::testing::SWEEP;

    /// The test sweep with a corpus instead of suites, after `change`.
    fn text(change: impl Fn(String) -> String) -> String {
        let (before, rest) = SWEEP.split_once("[suites]").unwrap();
        let training = rest.find("[training]").unwrap();
        let corpus =
            "[tokenizer]\nvocab_size = 400\n[corpus.web]\npaths = [\"texts\", \"/data/*.txt\"]\n";
        change(format!("{before}{corpus}{}", &rest[training..]))
    }

    #[test]
    fn paths_begin_at_the_folder_of_the_sweep_file() {
        let paths = |file: &str| {
            let sweep = Sweep::parse(file, &text(|text| text)).unwrap();
            let paths = &sweep.data.corpora["web"].paths;
            let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
            paths.iter().map(path).collect::<Vec<_>>()
        };
        assert_eq!(paths("sweeps/f.toml"), ["sweeps/texts", "/data/*.txt"]);
        assert_eq!(paths("f.toml"), ["texts", "/data/*.txt"]);
        assert_eq!(paths("/dev/stdin"), ["texts", "/data/*.txt"]);
    }

    #[test]
    fn urls_stay_as_they_are() {
        let remote = text(|text| text.replace("\"texts\"", "\"s3://bucket/texts/\""));
        let sweep = Sweep::parse("sweeps/f.toml", &remote).unwrap();
        let path = sweep.data.corpora["web"].paths[0].to_str();
        assert_eq!(path, Some("s3://bucket/texts/"));
    }

    #[test]
    fn the_vocabulary_of_the_tokenizer_is_that_of_the_models() {
        let sweep = Sweep::parse("f.toml", &text(|text| text)).unwrap();
        assert!(sweep.data.suites.is_empty() && sweep.data.vocab_size == 400);
        assert!(
            sweep
                .sizes
                .iter()
                .all(|size| size.decoder.vocab_size == 400)
        );
    }

    #[test]
    fn errors_name_the_key_and_its_line() {
        let message = |from: &str, to: &str| {
            let whole = text(|text| text.replacen(from, to, 1));
            assert!(whole.contains(to));
            Sweep::parse("f.toml", &whole).unwrap_err().to_string()
        };
        let paths = "paths = [\"texts\", \"/data/*.txt\"]";
        for (from, to, expected) in [
            (
                paths,
                "paths = []",
                "`corpus.web.paths` = []: write at least one",
            ),
            (
                paths,
                "paths = 3",
                "`corpus.web.paths` is invalid: a path, or a list of paths",
            ),
            (paths, "", "`corpus.web.paths` is missing"),
            (
                "[corpus.web]",
                "[corpus.bios]",
                "`corpus.bios` is the name of a suite",
            ),
            (
                "vocab_size = 400",
                "vocab_size = 40",
                "`tokenizer.vocab_size` = 40 is less",
            ),
            (
                "vocab_size = 400",
                "sample_bytes = 0\nvocab_size = 400",
                "`tokenizer.sample_bytes` = 0",
            ),
            (
                "vocab_size = 400",
                "end_token = \"x\"\nvocab_size = 400",
                "`tokenizer.end_token` = x",
            ),
            (
                "[training]",
                "[suites]\nvocab_size = 400\n[training]",
                "`tokenizer.vocab_size` is given twice",
            ),
            (
                "[training]",
                "[suites]\nweight = 0\n[training]",
                "`suites.weight` = 0: write a number above 0",
            ),
            (
                "[training]",
                "[decide]\nquantity = \"recall\"\nmax_seeds = 9\n[training]",
                "`decide.quantity` is a quantity of suites",
            ),
        ] {
            let message = message(from, to).replace("; ", ": ");
            assert!(message.contains(expected), "{message}");
        }
        let alone = SWEEP.replace("[suites]", "[suites]\nweight = 2");
        let message = Sweep::parse("f.toml", &alone).unwrap_err().to_string();
        assert!(
            message.contains("`suites.weight` has no effect"),
            "{message}"
        );
    }
}
