//! Sources of sweep files: a path, a name in `sweeps/`, or a sweep that is built into the binary.

use std::path::Path;

use super::error::FileError;

/// Name and text of the built-in sweeps.
const BUILT_IN: [(&str, &str); 5] = [
    ("isoflop", include_str!("../../../../sweeps/isoflop.toml")),
    ("newer", include_str!("../../../../sweeps/newer.toml")),
    ("paper", include_str!("../../../../sweeps/paper.toml")),
    ("quick", include_str!("../../../../sweeps/quick.toml")),
    ("smoke", include_str!("../../../../sweeps/smoke.toml")),
];

/// The name and the text of a sweep file.
pub struct Source {
    /// The name in error messages.
    pub file: String,
    /// The content of the file.
    pub text: String,
}

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
    match std::fs::read_to_string(Path::new(&file)) {
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
