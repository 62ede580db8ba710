//! The row of a matching target.

use experiment::matching::Matched;
use results::MatchRow;

/// The row of `matched` for the run named `run`.
pub fn match_row(run: &str, matched: &Matched) -> MatchRow {
    MatchRow {
        run: run.to_owned(),
        target: matched.target.clone(),
        wanted: matched.wanted,
        reached: matched.reached,
        tolerance: matched.tolerance,
        knobs: matched.knobs.clone(),
    }
}
