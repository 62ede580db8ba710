//! Locating the Python interpreter and the files that it reads.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::error::SandboxError;

/// Prints as JSON the path of the executable, then the paths that it reads: the configuration of a virtual environment,
/// the standard library, and the shared libraries of the interpreter and of its extension modules.
const SCRIPT: &str = "import importlib, json, os, sys
assert sys.version_info >= (3, 8), 'too old'
for name in ('bz2', 'ctypes', 'decimal', 'fcntl', 'hashlib', 'lzma', 'math', 'sqlite3', 'ssl', 'zlib'):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
folders = {sys.prefix, os.path.dirname(sys.executable)}
paths = [os.path.join(folder, 'pyvenv.cfg') for folder in folders] + [path for path in sys.path if path]
try:
    with open('/proc/self/maps') as maps:
        paths += {line.rstrip()[line.index('/'):] for line in maps if '/' in line}
except OSError:
    pass
print(json.dumps([sys.executable, sys.executable] + paths))
";

/// Paths in which the dynamic linker looks for libraries that an extension module needs.
const LIBRARIES: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
];

/// A Python interpreter.
#[derive(Debug, Clone)]
pub(super) struct Interpreter {
    /// The executable. `python3` on PATH may be a launcher script that depends on the environment, which the sandbox
    /// clears.
    pub executable: PathBuf,
    /// The files and folders that the interpreter reads and a program may read; some may not exist.
    pub readable: Vec<PathBuf>,
}

/// Locates the interpreter.
///
/// # Errors
/// If `python3` is not on PATH, does not start, or is older than version 3.8.
pub(super) fn find() -> Result<Interpreter, SandboxError> {
    let output = Command::new("python3")
        .args(["-I", "-S", "-c", SCRIPT])
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| SandboxError::NoPython(error.to_string()))?;
    let paths = serde_json::from_slice::<Vec<PathBuf>>(&output.stdout).unwrap_or_default();
    let mut paths = paths.into_iter();
    match paths.next() {
        Some(executable) if output.status.success() && !executable.as_os_str().is_empty() => {
            Ok(Interpreter {
                executable,
                readable: paths.chain(LIBRARIES.iter().map(PathBuf::from)).collect(),
            })
        }
        _ => {
            let error = String::from_utf8_lossy(&output.stderr);
            let last = error.lines().last().unwrap_or("it printed no path");
            Err(SandboxError::NoPython(last.to_owned()))
        }
    }
}
