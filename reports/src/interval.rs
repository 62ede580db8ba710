//! Confidence intervals as text.

use results::number::fixed;
use results::statistics::Interval;

/// `value [low, high]`, or the value alone where the interval is unbounded.
pub fn interval(interval: &Interval, digits: usize) -> String {
    text(interval, |value| fixed(value, digits))
}

/// The same with numbers in another format.
pub fn text(interval: &Interval, format: impl Fn(f64) -> String) -> String {
    let [value, low, high] = [interval.value, interval.low, interval.high].map(format);
    match interval.is_bounded() {
        true => format!("{value} [{low}, {high}]"),
        false => value,
    }
}
