//! Sources of sweep files: a path, a name in `sweeps/`, or a sweep that is built into the binary.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::error::FileError;

/// Name and text of the built-in sweeps.
const BUILT_IN: [(&str, &str); 16] = [
    ("capacity", include_str!("../../../../sweeps/capacity.toml")),
    (
        "capacity-rates",
        include_str!("../../../../sweeps/capacity-rates.toml"),
    ),
    (
        "knowledge",
        include_str!("../../../../sweeps/knowledge.toml"),
    ),
    (
        "knowledge-wide",
        include_str!("../../../../sweeps/knowledge-wide.toml"),
    ),
    (
        "memory-options",
        include_str!("../../../../sweeps/memory-options.toml"),
    ),
    (
        "memory-size",
        include_str!("../../../../sweeps/memory-size.toml"),
    ),
    (
        "quick-larger",
        include_str!("../../../../sweeps/quick-larger.toml"),
    ),
    ("isoflop", include_str!("../../../../sweeps/isoflop.toml")),
    ("newer", include_str!("../../../../sweeps/newer.toml")),
    ("paper", include_str!("../../../../sweeps/paper.toml")),
    ("quick", include_str!("../../../../sweeps/quick.toml")),
    (
        "quick-again",
        include_str!("../../../../sweeps/quick-again.toml"),
    ),
    (
        "quick-decided",
        include_str!("../../../../sweeps/quick-decided.toml"),
    ),
    (
        "quick-rates",
        include_str!("../../../../sweeps/quick-rates.toml"),
    ),
    ("smoke", include_str!("../../../../sweeps/smoke.toml")),
    ("split", include_str!("../../../../sweeps/split.toml")),
];

/// The name and the text of a sweep file.
pub struct Source {
    /// The name in error messages.
    pub file: String,
    /// The content of the file.
    pub text: String,
}

/// Largest size of a sweep file, in bytes; the built-in ones have at most a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// The source of `sweep`. An argument with a path separator or the extension `.toml` is a path; any other is the name
/// of a file in `sweeps/` or, if there is no such file, of a built-in sweep.
///
/// # Errors
/// If the file cannot be read and is not built in.
pub fn find(sweep: &str) -> Result<Source, FileError> {
    let named = !sweep.ends_with(".toml") && !sweep.contains(['/', '\\']);
    let file = if named {
        format!("sweeps/{sweep}.toml")
    } else {
        sweep.to_owned()
    };
    match read(Path::new(&file)) {
        Ok(text) => Ok(Source { file, text }),
        Err(source) => {
            let built_in = BUILT_IN.iter().find(|(name, _)| named && *name == sweep);
            built_in
                .map(|(_, text)| Source {
                    file: format!("built-in {file}"),
                    text: (*text).to_owned(),
                })
                .ok_or_else(|| FileError::Unreadable {
                    file,
                    source,
                    builtin: BUILT_IN.map(|(name, _)| name).join(", "),
                })
        }
    }
}

/// The text of a sweep file. A pipe without a writer or a device would be read forever; of pipes only those that a shell
/// opens (`/dev/stdin`, `/dev/fd/63`) are read, which have a writer.
///
/// # Errors
/// If it is no file, is too large, or cannot be read as text.
fn read(path: &Path) -> io::Result<String> {
    let kind = fs::metadata(path)?.file_type();
    let of_shell = ["/dev/stdin", "/dev/fd", "/proc/self/fd"];
    let is_pipe_of_shell = is_pipe(kind) && of_shell.iter().any(|shell| path.starts_with(shell));
    if !kind.is_file() && !is_pipe_of_shell {
        let what = if kind.is_dir() {
            "a folder"
        } else {
            "no regular file"
        };
        return Err(io::Error::other(what));
    }
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("larger than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

#[cfg(unix)]
fn is_pipe(kind: fs::FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: fs::FileType) -> bool {
    false
}
