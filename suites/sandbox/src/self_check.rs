//! The self-check: a known-good program, and attacks on the sandbox before it judges anything.

use std::io;
use std::net::TcpListener;

use crate::confinement::Confinement;
use crate::limits::SandboxLimits;
use crate::{Program, ProgramVerdict};

/// The attacks; the function `attack` returns the names of those that succeed.
pub(crate) const ATTACKS: &str = include_str!("python/self_check.py");

/// A program that must pass: it uses a thread, an import and a temporary file.
const KNOWN_GOOD: &str = "\
import json, threading
def f(x):
    results = []
    thread = threading.Thread(target=lambda: results.append(2 * x))
    thread.start()
    thread.join()
    return results
";

/// Time for all attacks, on a busy machine.
const SECONDS: u64 = 30;

/// The verdict on the known-good program.
pub(crate) fn known_good(judge: impl Fn(&Program) -> ProgramVerdict) -> ProgramVerdict {
    judge(&Program {
        source: KNOWN_GOOD.to_owned(),
        names: vec!["f".to_owned()],
        tests: "expect('f(2)', f(2), [4])".to_owned(),
        ..Program::default()
    })
}

/// Attacks the sandbox.
///
/// # Errors
/// If an attack succeeds, or a planted file or listener cannot be made; the error is the reason.
pub(crate) fn attack(
    judge: impl Fn(&Program) -> ProgramVerdict,
    limits: &SandboxLimits,
    confinement: Confinement,
) -> Result<(), String> {
    let planted = planted().map_err(|error| format!("no target for the self-check: {error}"))?;
    let port = planted.listener.local_addr().map(|address| address.port());
    let target = serde_json::json!({
        "port": port.map_err(|error| error.to_string())?,
        "file": planted.file.to_string_lossy(),
        "parent": std::process::id(),
        "memory": limits.memory_bytes,
        // Words of Python, where the tests are.
        "isolated": u8::from(confinement == Confinement::Isolated),
    });
    let verdict = judge(&Program {
        source: ATTACKS.to_owned(),
        names: vec!["attack".to_owned()],
        tests: format!("expect('attack', attack({target}), [])"),
        seconds: Some(SECONDS),
        ..Program::default()
    });
    match verdict {
        ProgramVerdict::Passed => {}
        ProgramVerdict::Wrong { given, .. } => {
            return Err(format!("these attacks of the self-check succeed: {given}"));
        }
        other => return Err(format!("the self-check {other}")),
    }
    // What the program could have hidden.
    if planted.listener.accept().is_ok() {
        return Err("the self-check reached the network".to_owned());
    }
    match std::fs::read(&planted.file) {
        Ok(content) if content == SECRET => Ok(()),
        _ => Err("the self-check changed a file".to_owned()),
    }
}

/// What the attacks aim at.
struct Planted {
    listener: TcpListener,
    file: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

const SECRET: &[u8] = b"planted by the self-check";

fn planted() -> io::Result<Planted> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    Ok(Planted {
        listener,
        file,
        _folder: folder,
    })
}
