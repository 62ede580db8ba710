//! The decision whether one phase of a part is measured, skipped, or already recorded.

use super::row::SKIPPED;
use crate::record::run_row::FINISHED;
use experiment::quantity::duration;

/// The decision for one phase of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The recorded row is kept.
    Keep,
    /// It is not measured, and a row with this reason is written.
    Skip(String),
    /// It is measured.
    Measure,
}

/// The decision by recorded rows and memory.
///
/// # Arguments
/// * `status`: that of the recorded row, if any.
/// * `memory_error`: a message if memory is insufficient.
/// * `again`: whether recorded measurements are repeated.
pub fn by_memory(status: Option<&str>, memory_error: Option<String>, again: bool) -> Decision {
    match (status, memory_error) {
        (Some(FINISHED), None) if !again => Decision::Keep,
        // A measurement made with more free memory is kept rather than replaced by a skipped row.
        (Some(FINISHED), Some(_)) => Decision::Keep,
        // A part skipped earlier is measured once memory suffices.
        (Some(SKIPPED), Some(_)) if !again => Decision::Keep,
        (_, Some(reason)) => Decision::Skip(reason),
        (_, None) => Decision::Measure,
    }
}

/// The decision by time.
///
/// # Arguments
/// * `expected`, `remaining`: the expected time and the rest of the budget, in seconds.
pub fn by_time(expected: f64, remaining: f64) -> Decision {
    if expected <= remaining {
        return Decision::Measure;
    }
    Decision::Skip(format!(
        "the remaining budget is {}, the expected time {}; raise --budget",
        duration(remaining),
        duration(expected)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::run_row::FAILED;

    #[test]
    fn missing_and_failed_parts_and_those_that_now_fit_are_measured() {
        for status in [None, Some(FAILED), Some(SKIPPED)] {
            assert_eq!(by_memory(status, None, false), Decision::Measure);
        }
        assert_eq!(by_memory(Some(FINISHED), None, false), Decision::Keep);
        assert_eq!(by_memory(Some(FINISHED), None, true), Decision::Measure);
    }

    #[test]
    fn parts_that_do_not_fit_are_skipped_once_and_replace_no_measurement() {
        let decision = |status, again| by_memory(status, Some("big".to_owned()), again);
        for status in [None, Some(FAILED)] {
            assert_eq!(decision(status, false), Decision::Skip("big".to_owned()));
        }
        assert_eq!(decision(Some(SKIPPED), false), Decision::Keep);
        assert_eq!(
            decision(Some(SKIPPED), true),
            Decision::Skip("big".to_owned())
        );
        for again in [false, true] {
            assert_eq!(decision(Some(FINISHED), again), Decision::Keep);
        }
    }

    #[test]
    fn parts_that_exceed_the_budget_are_skipped_with_both_times() {
        assert_eq!(by_time(5.0, 5.0), Decision::Measure);
        assert_eq!(
            by_time(80.0, 5.0),
            Decision::Skip(
                "the remaining budget is 5 s, the expected time 1 min 20 s; raise --budget"
                    .to_owned()
            )
        );
    }
}
