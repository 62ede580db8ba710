//! Sets the provenance of the build as environment variables: commit, uncommitted changes, compiler, tensor library.
#![allow(clippy::print_stdout, reason = "the interface to cargo")]

#[path = "src/record/checkout.rs"]
mod checkout;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use checkout::Checkout;

/// Sources of the program, relative to the root of the workspace.
const SOURCES: [&str; 14] = [
    "Cargo.lock",
    "Cargo.toml",
    "architectures/src",
    "harness/build.rs",
    "harness/experiment/src",
    "harness/interchange/src",
    "harness/src",
    "random/src",
    "reports/src",
    "results/planned",
    "results/published",
    "results/src",
    "suites/src",
    "sweeps",
];

fn main() {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for build scripts");
    let root = Path::new(&manifest).join("..");
    let checkout = Checkout::rooted_at(&root);
    let commit = checkout.as_ref().and_then(Checkout::commit);
    let dirty = commit.is_some() && checkout.as_ref().is_some_and(Checkout::dirty);
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=ISOFLOP_COMMIT={}", or_unknown(commit));
    println!("cargo::rustc-env=ISOFLOP_DIRTY={dirty}");
    println!(
        "cargo::rustc-env=ISOFLOP_BURN={}",
        or_unknown(locked(&root, "burn"))
    );
    println!("cargo::rustc-env=ISOFLOP_RUSTC={}", or_unknown(compiler()));

    // A checkout that shares its target folder with another sets this: its files may all be older than the last build.
    println!("cargo::rerun-if-env-changed=ISOFLOP_CHECKOUT");
    // A path that does not exist would rerun this script at every build.
    let sources = SOURCES.iter().map(|source| Path::new("..").join(source));
    let sources = sources.filter(|source| source.exists());
    let repository = checkout.iter().flat_map(Checkout::commit_files);
    for path in sources.chain(repository).collect::<Vec<PathBuf>>() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// The output of `rustc --version`.
fn compiler() -> Option<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The version of `package` in `Cargo.lock`.
fn locked(root: &Path, package: &str) -> Option<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).ok()?;
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.contains(&format!("name = \"{package}\"\n")))?;
    let version = entry
        .lines()
        .find_map(|line| line.strip_prefix("version = "))?;
    Some(version.trim_matches('"').to_owned())
}
