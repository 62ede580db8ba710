//! Widens the interval of a paired difference where few subjects differ.
//!
//! The bootstrap alone is anti-conservative there: four of 64 subjects with differences of one sign exclude zero, although
//! four fair coins agree with probability 1/8, and subjects that all agree give an interval of width zero. Two rules
//! correct it:
//!
//! - at neither end is it narrower than the [`score_interval`] of the subjects' signs, scaled by the mean effect of those
//!   that differ and centred on the same difference;
//! - it includes zero unless the exact [`sign_test`] of the subjects that differ has p < 0.05 in the same direction. Where
//!   an end was moved for that, the method states it.

use super::Interval;
use super::score::score_interval;
use super::sign::sign_test;

/// The interval after both rules. `totals` are each subject's summed difference; `mean` is over all `n` items.
pub(super) fn widened(mean: Interval, totals: &[f64]) -> Interval {
    if !mean.is_bounded() {
        return mean;
    }
    let count = |of: fn(&f64) -> bool| totals.iter().filter(|total| of(total)).count() as u64;
    let (ups, downs, all) = (
        count(|total| *total > 0.0),
        count(|total| *total < 0.0),
        totals.len() as u64,
    );
    let share = (ups as f64 - downs as f64) / all as f64;
    // The mean effect of a subject that differs, relative to one whose items all differ: unknown where none differs, so the
    // maximum.
    let swing = match ups + downs {
        0 => 1.0,
        differ => {
            let moved = totals.iter().map(|total| total.abs()).sum::<f64>() / mean.n as f64;
            moved * all as f64 / differ as f64
        }
    };
    let (low, high) = score_interval(ups, downs, all);
    let (low, high) = (
        mean.low.min(mean.value - swing * (share - low)),
        mean.high.max(mean.value + swing * (high - share)),
    );
    let decided = sign_test(ups, downs) < 0.05 && (ups > downs) == (mean.value > 0.0);
    if decided || (low <= 0.0 && high >= 0.0) {
        return Interval { low, high, ..mean };
    }
    Interval {
        low: low.min(0.0),
        high: high.max(0.0),
        method: "paired bootstrap over items, sign test undecided",
        ..mean
    }
}
