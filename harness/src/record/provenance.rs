//! Provenance of a row: commit and versions of the program that wrote it.

use std::path::Path;

use super::checkout::Checkout;
use crate::checkpoint::manifest::Origin;
use crate::process::instruction_set;

/// The lock file of this build.
const LOCK_FILE: &[u8] = include_bytes!("../../../Cargo.lock");

/// Commit and versions of the program that writes a row.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Commit that was compiled, or `unknown`; followed by that of the repository in which the program runs if it
    /// differs.
    pub commit: String,
    /// Whether tracked files differed from the commit, at build time or in the repository in which the program runs.
    pub dirty: bool,
    /// Versions of the harness, the tensor library and the compiler.
    pub version: String,
    /// BLAKE3 of the lock file of its dependencies.
    pub lock_file: String,
    /// Architecture and extensions of the processor.
    pub instruction_set: String,
    /// Name of the processor.
    pub processor: String,
}

impl Provenance {
    /// The provenance of this program, run in the current directory.
    pub fn gather() -> Self {
        let here = Checkout::containing(Path::new("."));
        let here = here.and_then(|here| Some((here.commit()?, here.dirty())));
        let (commit, dirty) = combine(
            env!("ISOFLOP_COMMIT"),
            env!("ISOFLOP_DIRTY") == "true",
            here,
        );
        let (harness, burn, rustc) = (
            env!("CARGO_PKG_VERSION"),
            env!("ISOFLOP_BURN"),
            env!("ISOFLOP_RUSTC"),
        );
        Self {
            commit,
            dirty,
            version: format!("isoflop {harness}, burn {burn}, {rustc}"),
            lock_file: blake3::hash(LOCK_FILE).to_hex().to_string(),
            instruction_set: instruction_set::instruction_set(),
            processor: instruction_set::processor(),
        }
    }

    /// What a checkpoint states of the program that wrote it.
    pub fn origin(&self) -> Origin {
        Origin {
            commit: self.commit.clone(),
            instruction_set: self.instruction_set.clone(),
        }
    }
}

/// Commit and dirty flag of a row, from those of the build and those of the repository in which the program runs. The
/// repository is ignored if the compiled commit is unknown.
fn combine(built: &str, built_dirty: bool, here: Option<(String, bool)>) -> (String, bool) {
    match here {
        Some((here, dirty)) if here == built => (here, built_dirty || dirty),
        Some((here, _)) if built != "unknown" => (
            format!("{built} (run in a repository at {here})"),
            built_dirty,
        ),
        _ => (built.to_owned(), built_dirty),
    }
}

#[cfg(test)]
mod tests {
    use super::combine;

    fn at(commit: &str, dirty: bool) -> Option<(String, bool)> {
        Some((commit.to_owned(), dirty))
    }

    #[test]
    fn provenance_has_the_compiled_commit_and_a_differing_repository() {
        assert_eq!(combine("a1", false, at("a1", false)), ("a1".into(), false));
        assert_eq!(combine("a1", false, at("a1", true)), ("a1".into(), true));
        assert_eq!(combine("a1", true, at("a1", false)), ("a1".into(), true));
        assert_eq!(combine("a1", true, None), ("a1".into(), true));
        assert_eq!(
            combine("a1", false, at("b2", true)),
            ("a1 (run in a repository at b2)".into(), false)
        );
        assert_eq!(
            combine("unknown", false, at("b2", true)),
            ("unknown".into(), false)
        );
    }
}
