//! Locating the Python interpreter.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::error::SandboxError;

/// The path of the interpreter's executable. `python3` on PATH may be a launcher script that depends on the
/// environment, which the sandbox clears.
///
/// # Errors
/// If `python3` is not on PATH, does not start, or is older than version 3.8.
pub(super) fn find() -> Result<PathBuf, SandboxError> {
    let script = "import sys; assert sys.version_info >= (3, 8), 'too old'; print(sys.executable)";
    let output = Command::new("python3")
        .args(["-I", "-S", "-c", script])
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| SandboxError::NoPython(error.to_string()))?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || path.is_empty() {
        let error = String::from_utf8_lossy(&output.stderr);
        let last = error
            .lines()
            .last()
            .unwrap_or("it printed no path")
            .to_owned();
        return Err(SandboxError::NoPython(last));
    }
    Ok(PathBuf::from(path))
}
