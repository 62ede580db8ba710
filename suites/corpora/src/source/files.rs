//! The files of a corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::remote::is_url;
use crate::CorpusError;

/// What a file contains, by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.txt`: text.
    Text,
    /// `.jsonl`, `.json`, `.ndjson`: a JSON object in each line.
    JsonLines,
    /// `.parquet`: a column of texts.
    Parquet,
    /// `.npy`: token ids without a header, as OLMo-core writes them.
    FlatTokens,
    /// `.bin`: token ids, of llm.c or, with an index beside, of Megatron.
    Tokens,
}

/// How a file is compressed, by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// `.gz`.
    Gzip,
    /// `.zst`.
    Zstandard,
}

/// A file of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path.
    pub path: PathBuf,
    /// What it contains.
    pub format: Format,
    /// How it is compressed.
    pub compression: Compression,
    /// Its bytes, as stored.
    pub bytes: u64,
    /// When it was last changed, if the file system says so.
    pub modified: Option<SystemTime>,
    /// The index of Megatron-LM beside a file of tokens, with its bytes and the time of its last change.
    pub index: Option<(PathBuf, u64, Option<SystemTime>)>,
}

impl SourceFile {
    /// The file; `None` if the end of its name is none that is known, or it belongs to another file.
    ///
    /// # Errors
    /// If it is not accessible or no regular file.
    fn of(path: &Path) -> Result<Option<Self>, CorpusError> {
        let Some((format, compression)) = kind(path) else {
            return Ok(None);
        };
        let metadata = fs::metadata(path).map_err(CorpusError::io("read", path))?;
        if !metadata.is_file() {
            return Err(CorpusError::source(
                path.display().to_string(),
                "no regular file",
                "give a file, a folder of files or a glob",
            ));
        }
        Ok(Some(Self {
            path: path.to_owned(),
            format,
            compression,
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            index: index(path, format),
        }))
    }

    /// Checks that the file is as it was when it was found.
    ///
    /// # Errors
    /// If it was changed or is not accessible.
    pub fn check_unchanged(&self) -> Result<(), CorpusError> {
        if Self::of(&self.path)?.as_ref() == Some(self) {
            return Ok(());
        }
        Err(CorpusError::source(
            self.path.display().to_string(),
            "was changed while it was read",
            "run again when it is complete",
        ))
    }
}

fn index(path: &Path, format: Format) -> Option<(PathBuf, u64, Option<SystemTime>)> {
    let path = (format == Format::Tokens).then(|| path.with_extension("idx"))?;
    let metadata = fs::metadata(&path).ok().filter(|own| own.is_file())?;
    Some((path, metadata.len(), metadata.modified().ok()))
}

/// What a file of this name has; `None` if the end of the name is not known.
pub(super) fn kind(path: &Path) -> Option<(Format, Compression)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (name, compression) = match name.rsplit_once('.')? {
        (stem, "gz") => (stem, Compression::Gzip),
        (stem, "zst") => (stem, Compression::Zstandard),
        _ => (name.as_str(), Compression::None),
    };
    let format = match name.rsplit_once('.')?.1 {
        "txt" => Format::Text,
        "jsonl" | "json" | "ndjson" => Format::JsonLines,
        // Their parts are read out of order, which a compressed stream does not permit.
        "parquet" if compression == Compression::None => Format::Parquet,
        "npy" if compression == Compression::None => Format::FlatTokens,
        "bin" if compression == Compression::None => Format::Tokens,
        _ => return None,
    };
    Some((format, compression))
}

/// The known ends of names, for messages.
pub(super) const KNOWN: &str =
    ".txt, .jsonl, .json, .ndjson (each also .gz or .zst), .parquet, .npy or .bin";

/// The files of `paths`, the value of `key`, in the order of their names. A folder stands for all files below it whose names end
/// in one that is known; links to folders are not followed.
///
/// # Errors
/// If a path does not exist or is not accessible, names a file of another kind, or yields no file.
pub fn find(key: &str, paths: &[PathBuf]) -> Result<Vec<SourceFile>, CorpusError> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        if is_url(path) {
            let remedy = "it is no local path; fetch it before it is read";
            return Err(CorpusError::config(key, path.display(), remedy));
        }
        if path.is_dir() {
            walk(path, &mut files)?;
        } else if path.exists() {
            let Some(file) = SourceFile::of(path)? else {
                return Err(CorpusError::source(
                    path.display().to_string(),
                    "the end of its name is not known",
                    format!("give a file that ends in {KNOWN}"),
                ));
            };
            files.push(file);
        } else {
            expand(key, path, &mut files)?;
        }
        if files.len() == before {
            let remedy = format!("there is no file that ends in {KNOWN}; correct the path");
            return Err(CorpusError::config(key, path.display(), remedy));
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path);
    Ok(files)
}

/// Adds the files of a glob, whose folders stand for what is below them.
fn expand(key: &str, path: &Path, files: &mut Vec<SourceFile>) -> Result<(), CorpusError> {
    let missing =
        || CorpusError::config(key, path.display(), "it does not exist; correct the path");
    let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']));
    let pattern = pattern.ok_or_else(missing)?;
    let found = glob::glob(pattern).map_err(|error| {
        CorpusError::config(key, pattern, format!("it is no glob ({error}); correct it"))
    })?;
    for path in found {
        let path = path.map_err(|error| {
            let path = error.path().to_owned();
            CorpusError::io("list", path)(error.into())
        })?;
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.extend(SourceFile::of(&path)?);
        }
    }
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<SourceFile>) -> Result<(), CorpusError> {
    let failed = || CorpusError::io("list", folder);
    for entry in fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let kind = entry.file_type().map_err(failed())?;
        // A link to a folder may lead in a circle.
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if !(kind.is_symlink() && entry.path().is_dir()) {
            files.extend(SourceFile::of(&entry.path())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_for_their_files_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        for name in [
            "b/c/z.txt",
            "b/a.jsonl.gz",
            "a.txt",
            "b/notes.md",
            "c.parquet",
        ] {
            fs::write(at(name), "x").unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let files = find("corpus.a.paths", paths).unwrap();
            let name = |file: &SourceFile| {
                let name = file.path.strip_prefix(folder.path()).unwrap();
                name.to_string_lossy().into_owned()
            };
            files.iter().map(name).collect()
        };
        let all = ["a.txt", "b/a.jsonl.gz", "b/c/z.txt", "c.parquet"];
        assert_eq!(names(&[folder.path().to_owned()]), all);
        assert_eq!(names(&[at("*"), at("a.txt")]), all);
        assert_eq!(names(&[at("b/**/*.txt")]), ["b/c/z.txt"]);
    }

    #[test]
    fn a_path_without_files_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("notes.md"), "x").unwrap();
        for (name, expected) in [
            ("none", "it does not exist"),
            ("*.txt", "there is no file that ends in .txt"),
            ("", "there is no file that ends in .txt"),
            ("notes.md", "the end of its name is not known"),
        ] {
            let message = find("corpus.a.paths", &[at(name)]).unwrap_err().to_string();
            assert!(
                message.contains(expected) && message.contains(name),
                "{message}"
            );
        }
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "x").unwrap();
        let file = find("k", std::slice::from_ref(&path)).unwrap().remove(0);
        file.check_unchanged().unwrap();
        fs::write(&path, "xy").unwrap();
        assert!(
            file.check_unchanged()
                .unwrap_err()
                .to_string()
                .contains("was changed")
        );
    }
}
