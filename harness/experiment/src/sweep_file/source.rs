//! Where a sweep file comes from: a path, a name in `sweeps/`, or the binary itself.

use std::path::Path;

use super::error::FileError;

/// Sweeps that work from any folder.
const BUILT_IN: [(&str, &str); 4] = [
    ("isoflop", include_str!("../../../../sweeps/isoflop.toml")),
    ("paper", include_str!("../../../../sweeps/paper.toml")),
    ("quick", include_str!("../../../../sweeps/quick.toml")),
    ("smoke", include_str!("../../../../sweeps/smoke.toml")),
];

/// A file's name, for messages, and its text.
pub struct Source {
    /// As a reader would find it.
    pub file: String,
    /// What it says.
    pub text: String,
}

/// Finds `sweep`: what looks like a path is one; a bare name is looked for in `sweeps/`, then in the binary.
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
