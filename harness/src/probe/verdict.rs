//! What is to become of one phase of a cell: measured, left as it is, or skipped for a reason.

use super::row::SKIPPED;
use crate::record::run_row::FINISHED;
use experiment::quantity::duration;

/// What is to become of one phase of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Its row.
    Leave,
    /// It gets a row with this reason.
    Skip(String),
    Measure,
}

/// By the `status` of the row that it has, if any; `rejection` is the reason where memory does not hold it.
pub fn by_memory(status: Option<&str>, rejection: Option<String>, again: bool) -> Verdict {
    match (status, rejection) {
        (Some(FINISHED), None) if !again => Verdict::Leave,
        // A measurement made when more memory was free is kept.
        (Some(FINISHED), Some(_)) => Verdict::Leave,
        // It did not fit and does not now; what has come to fit is measured.
        (Some(SKIPPED), Some(_)) if !again => Verdict::Leave,
        (_, Some(reason)) => Verdict::Skip(reason),
        (_, None) => Verdict::Measure,
    }
}

/// By the seconds that are left of the budget.
pub fn by_time(expected: f64, left: f64) -> Verdict {
    if expected <= left {
        return Verdict::Measure;
    }
    Verdict::Skip(format!(
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
            assert_eq!(by_memory(status, None, false), Verdict::Measure);
        }
        assert_eq!(by_memory(Some(FINISHED), None, false), Verdict::Leave);
        assert_eq!(by_memory(Some(FINISHED), None, true), Verdict::Measure);
    }

    #[test]
    fn what_does_not_fit_is_skipped_once_and_takes_no_measurement_away() {
        let verdict = |status, again| by_memory(status, Some("big".to_owned()), again);
        for status in [None, Some(FAILED)] {
            assert_eq!(verdict(status, false), Verdict::Skip("big".to_owned()));
        }
        assert_eq!(verdict(Some(SKIPPED), false), Verdict::Leave);
        assert_eq!(
            verdict(Some(SKIPPED), true),
            Verdict::Skip("big".to_owned())
        );
        for again in [false, true] {
            assert_eq!(verdict(Some(FINISHED), again), Verdict::Leave);
        }
    }

    #[test]
    fn what_may_outlast_the_budget_is_skipped_with_the_numbers() {
        assert_eq!(by_time(5.0, 5.0), Verdict::Measure);
        assert_eq!(
            by_time(80.0, 5.0),
            Verdict::Skip(
                "the budget of time has 5 s left, and it may take 1 min 20 s; raise --budget"
                    .to_owned()
            )
        );
    }
}
