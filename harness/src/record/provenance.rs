//! Where a row comes from: the source that was compiled, with what, and the command.

use std::process::Command;

/// What a record says of the program that wrote it.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Commit that was compiled; where the program runs inside a repository at another commit, that one too.
    pub commit: String,
    /// Whether the sources differed from their commit.
    pub dirty: bool,
    /// Harness, tensor library and compiler.
    pub version: String,
}

impl Provenance {
    /// Of this program, run here.
    pub fn gather() -> Self {
        let built = env!("ISOFLOP_COMMIT");
        let built_dirty = env!("ISOFLOP_DIRTY") == "true";
        let (commit, dirty) = match git(&["rev-parse", "--short=12", "HEAD"]) {
            Some(here) if here == built => {
                let changes = git(&["status", "--porcelain", "--untracked-files=no"]);
                (
                    here,
                    built_dirty || changes.is_some_and(|changes| !changes.is_empty()),
                )
            }
            Some(here) => (
                format!("{built} (run in a repository at {here})"),
                built_dirty,
            ),
            None => (built.to_owned(), built_dirty),
        };
        let (harness, burn, rustc) = (
            env!("CARGO_PKG_VERSION"),
            env!("ISOFLOP_BURN"),
            env!("ISOFLOP_RUSTC"),
        );
        Self {
            commit,
            dirty,
            version: format!("isoflop {harness}, burn {burn}, {rustc}"),
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
