//! Locating the Python interpreter and the files that it reads.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::error::SandboxError;

/// Prints as JSON the executable, the folders of the standard library, folders in them that are no part of it, and the shared libraries of
/// the interpreter and of its extension modules, with the names under which they are looked for.
const SCRIPT: &str = "import glob, importlib, json, os, sys
assert sys.version_info >= (3, 8), 'too old'
folders = [path for path in sys.path if path and os.path.isdir(path)]
for folder in folders:
    for file in glob.glob(os.path.join(glob.escape(folder), '*.so')):
        name = os.path.basename(file).split('.')[0]
        # Windows cannot be opened; its libraries are many.
        if name == '_tkinter':
            continue
        try:
            importlib.import_module(name)
        except Exception:
            pass
try:
    # The C library loads it when a thread ends.
    importlib.import_module('ctypes').CDLL('libgcc_s.so.1')
except Exception:
    pass
files = set()
try:
    with open('/proc/self/maps') as maps:
        files = {line.rstrip()[line.index('/'):] for line in maps if '/' in line}
except OSError:
    pass
files = {file for file in files if os.path.isfile(file) and not file.startswith('/dev')}
links = []
for folder in {os.path.dirname(file) for file in files}:
    for entry in os.scandir(folder):
        if '.so.' in entry.name and entry.is_symlink() and os.path.realpath(entry.path) in files:
            links.append((entry.path, os.path.realpath(entry.path)))
# Where executables name their loader.
links += [(path, os.path.realpath(path)) for path in glob.glob('/lib*/ld-*.so*')]
files |= {path for path in ['/etc/ld.so.cache'] if os.path.exists(path)}
outside = [os.path.join(folder, name) for folder in folders for name in ('site-packages', 'dist-packages')]
print(json.dumps({
    'executable': os.path.realpath(sys.executable),
    'folders': folders,
    'hidden': [path for path in outside if os.path.isdir(path)],
    'files': sorted(files),
    'links': sorted(links),
}))
";

/// A Python interpreter and the files that a program may read.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "used on Linux"))]
pub(crate) struct Interpreter {
    /// The executable. `python3` on PATH may be a launcher script that depends on the environment, which the sandbox
    /// clears.
    pub executable: PathBuf,
    /// The folders of the standard library.
    pub folders: Vec<PathBuf>,
    /// Folders beneath that are no part of it: packages that were installed.
    pub hidden: Vec<PathBuf>,
    /// Shared libraries, and the list from which the dynamic linker finds them.
    pub files: Vec<PathBuf>,
    /// Paths under which files are looked for, and the files.
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// Locates the interpreter.
///
/// # Errors
/// If `python3` is not on PATH, does not start, or is older than version 3.8.
pub(crate) fn find() -> Result<Interpreter, SandboxError> {
    let output = Command::new("python3")
        .args(["-I", "-S", "-c", SCRIPT])
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| SandboxError::NoPython(error.to_string()))?;
    // A module that is imported may print.
    let printed = String::from_utf8_lossy(&output.stdout);
    let last = printed.lines().last().unwrap_or_default();
    match serde_json::from_str(last) {
        Ok(interpreter) if output.status.success() => Ok(interpreter),
        _ => {
            let error = String::from_utf8_lossy(&output.stderr);
            let last = error.lines().last().unwrap_or("it printed no path");
            Err(SandboxError::NoPython(last.to_owned()))
        }
    }
}
