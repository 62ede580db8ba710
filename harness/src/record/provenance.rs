//! Where a row comes from: the sources that were compiled, and with what.

use std::path::Path;

use super::checkout::Checkout;

/// What a record states about the program that wrote it.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Commit that was compiled, or `unknown`; where the program runs inside a repository at another commit, that one too.
    pub commit: String,
    /// Whether tracked files differed from their commit, when it was compiled or where it runs.
    pub dirty: bool,
    /// Harness, tensor library and compiler.
    pub version: String,
}

impl Provenance {
    /// Of this program, in the present folder.
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
        }
    }
}

/// The commit that was compiled and the state of the repository where the program runs. Nothing there says anything about
/// sources of an unknown commit.
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
    fn a_row_names_the_compiled_commit() {
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
