//! Records what is compiled: commit, dirty flag, compiler and tensor library.

use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let unknown = || "unknown".to_owned();
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let changes = output("git", &["status", "--porcelain", "--untracked-files=no"]);
    let dirty = commit.is_some() && changes.is_some_and(|changes| !changes.is_empty());
    println!(
        "cargo::rustc-env=ISOFLOP_COMMIT={}",
        commit.unwrap_or_else(unknown)
    );
    println!("cargo::rustc-env=ISOFLOP_DIRTY={dirty}");
    println!(
        "cargo::rustc-env=ISOFLOP_BURN={}",
        locked("burn").unwrap_or_else(unknown)
    );
    println!(
        "cargo::rustc-env=ISOFLOP_RUSTC={}",
        output(&rustc, &["--version"]).unwrap_or_else(unknown)
    );
    // A path that does not exist would run this script at every build.
    let sources = ["architectures", "harness", "reports", "results", "suites"]
        .map(|name| format!("../{name}/src"));
    let state = [
        "../.git/HEAD",
        "../.git/logs/HEAD",
        "../Cargo.lock",
        "build.rs",
    ]
    .map(str::to_owned);
    for path in sources
        .into_iter()
        .chain(state)
        .filter(|path| Path::new(path).exists())
    {
        println!("cargo::rerun-if-changed={path}");
    }
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The version of a package that the lock file holds.
fn locked(package: &str) -> Option<String> {
    let lock = fs::read_to_string("../Cargo.lock").ok()?;
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.contains(&format!("name = \"{package}\"\n")))?;
    let version = entry
        .lines()
        .find_map(|line| line.strip_prefix("version = "))?;
    Some(version.trim_matches('"').to_owned())
}
