//! Decision on one phase of a part: measured, left as it is, or skipped for a reason.

use super::row::SKIPPED;
use crate::record::run_row::FINISHED;
use experiment::quantity::duration;

/// Decision on one phase of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The recorded row is kept.
    Keep,
    /// It gets a row with this reason.
    Skip(String),
    /// It is timed.
    Measure,
}

/// By the `status` of the row that it has, if any; `memory_error` is why memory is too small, where it is.
pub fn by_memory(status: Option<&str>, memory_error: Option<String>, again: bool) -> Decision {
    match (status, memory_error) {
        (Some(FINISHED), None) if !again => Decision::Keep,
        // A measurement made with more free memory is kept rather than replaced by a skipped row.
        (Some(FINISHED), Some(_)) => Decision::Keep,
        // It did not fit and does not now; what fits by now is measured.
        (Some(SKIPPED), Some(_)) if !again => Decision::Keep,
        (_, Some(reason)) => Decision::Skip(reason),
        (_, None) => Decision::Measure,
    }
}

/// By the seconds that are left of the budget.
pub fn by_time(expected: f64, left: f64) -> Decision {
    if expected <= left {
        return Decision::Measure;
    }
    Decision::Skip(format!(
        "the budget of time has {} left, and it may take {}; raise --budget",
        duration(left),
        duration(expected)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::run_row::FAILED;

    #[test]
    fn what_is_missing_failed_or_has_come_to_fit_is_measured() {
        for status in [None, Some(FAILED), Some(SKIPPED)] {
            assert_eq!(by_memory(status, None, false), Decision::Measure);
        }
        assert_eq!(by_memory(Some(FINISHED), None, false), Decision::Keep);
        assert_eq!(by_memory(Some(FINISHED), None, true), Decision::Measure);
    }

    #[test]
    fn what_does_not_fit_is_skipped_once_and_takes_no_measurement_away() {
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
    fn what_may_outlast_the_budget_is_skipped_with_the_numbers() {
        assert_eq!(by_time(5.0, 5.0), Decision::Measure);
        assert_eq!(
            by_time(80.0, 5.0),
            Decision::Skip(
                "the budget of time has 5 s left, and it may take 1 min 20 s; raise --budget"
                    .to_owned()
            )
        );
    }
}
