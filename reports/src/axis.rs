//! Axes: their ranges, ticks and tick labels.

/// One axis of a chart. Positions are the values of [`Axis::position`]: logarithms on a log axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub label: String,
    pub log: bool,
    pub low: f64,
    pub high: f64,
    /// Position and text.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis whose range includes `values`.
    pub fn linear(label: &str, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = reach(values.filter(|v| v.is_finite())).unwrap_or((0.0, 1.0));
        let ticks = even(low, high);
        Self {
            label: label.into(),
            log: false,
            low,
            high,
            ticks,
        }
    }

    /// A linear axis that starts at zero.
    pub fn from_zero(label: &str, values: impl Iterator<Item = f64>) -> Self {
        let mut axis = Self::linear(label, values.chain([0.0]));
        axis.low = 0.0;
        axis.ticks.retain(|(at, _)| *at >= 0.0);
        axis
    }

    /// A logarithmic axis whose range includes the positive values.
    pub fn log(label: &str, values: impl Iterator<Item = f64>) -> Self {
        let logs = values.filter(|v| v.is_finite() && *v > 0.0).map(f64::log10);
        let (low, high) = reach(logs).unwrap_or((0.0, 1.0));
        let ticks = decades(low, high);
        Self {
            label: label.into(),
            log: true,
            low,
            high,
            ticks,
        }
    }

    /// One category per name, at positions 0, 1, 2, ...
    pub fn categories(label: &str, names: &[&str]) -> Self {
        let ticks: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(i, name)| (i as f64, (*name).to_owned()))
            .collect();
        let last = names.len().max(1) as f64;
        Self {
            label: label.into(),
            log: false,
            low: -0.5,
            high: last - 0.5,
            ticks,
        }
    }

    /// Position of a value; none for a value that is not finite or, on a log axis, not positive.
    pub fn position(&self, value: f64) -> Option<f64> {
        let at = if self.log && value > 0.0 {
            value.log10()
        } else {
            value
        };
        (at.is_finite() && (!self.log || value > 0.0)).then_some(at)
    }
}

/// The smallest range with all values and a margin; a single value gets a margin on both sides.
fn reach(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if low > high {
        return None;
    }
    let margin = match high - low {
        0.0 if low == 0.0 => 1.0,
        0.0 => low.abs() * 0.1,
        span => span * 0.09,
    };
    Some((low - margin, high + margin))
}

/// Ticks at 1, 2 or 5 times a power of ten.
fn even(low: f64, high: f64) -> Vec<(f64, String)> {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    ((low / step).ceil() as i64..=(high / step).floor() as i64)
        .map(|i| {
            let at = i as f64 * step;
            (
                at,
                if high.abs() < 1e5 {
                    results::number::fixed(at, decimals)
                } else {
                    short(at)
                },
            )
        })
        .collect()
}

/// Ticks at powers of ten over many decades, at 1, 2 and 5 over few, at every digit over less than one.
fn decades(low: f64, high: f64) -> Vec<(f64, String)> {
    let digits: &[f64] = match high - low {
        span if span > 3.0 => &[1.0],
        span if span > 0.9 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    };
    let stride = (((high - low) / 8.0).ceil() as i32).max(1);
    let ticks: Vec<_> = (low.floor() as i32..=high.ceil() as i32)
        .filter(|power| power % stride == 0)
        .flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)))
        .map(|value| (value.log10(), short(value)))
        .filter(|(at, _)| (low..=high).contains(at))
        .collect();
    if ticks.len() >= 2 {
        return ticks;
    }
    // The range is too narrow for a round digit; on so narrow a range even steps are nearly even on a log axis.
    even(10f64.powf(low), 10f64.powf(high))
        .into_iter()
        .filter(|(value, _)| *value > 0.0)
        .map(|(value, text)| (value.log10(), text))
        .collect()
}

/// The shortest text of a tick: `0.5`, `200`, `2e12`.
fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e4).contains(&size) {
        // Rust prints the shortest digits that parse to the value; rounding first removes floating-point error.
        let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
        return format!("{rounded}").replace('-', "\u{2212}");
    }
    let text = format!("{value:.3e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}e{power}").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn log_ticks_are_round_whatever_the_range() {
        assert_eq!(
            texts(&Axis::log("", [1e12, 3e13].into_iter())),
            ["1e12", "2e12", "5e12", "1e13", "2e13"]
        );
        assert_eq!(
            texts(&Axis::log("", [1.0, 1e6].into_iter())),
            ["1", "10", "100", "1000", "1e4", "1e5", "1e6"]
        );
        let wide = Axis::log("", [1e-9, 1e21].into_iter());
        assert!((3..=9).contains(&wide.ticks.len()), "{wide:?}");
    }

    #[test]
    fn every_range_has_ticks_and_all_are_inside() {
        for (low, high) in [
            (1.0, 1.0),
            (2.31, 2.32),
            (7e12, 7.1e12),
            (0.0, 0.0),
            (-3.0, 5.0),
            (1e-7, 3e-7),
        ] {
            for axis in [
                Axis::linear("", [low, high].into_iter()),
                Axis::log("", [low, high].into_iter()),
            ] {
                assert!(
                    axis.ticks.len() >= 2 && axis.ticks.len() < 14,
                    "{low} {high} {axis:?}"
                );
                assert!(
                    axis.ticks
                        .iter()
                        .all(|(at, _)| (axis.low..=axis.high).contains(at)),
                    "{axis:?}"
                );
            }
        }
    }

    #[test]
    fn tick_texts_are_distinct() {
        for axis in [
            Axis::linear("", [2.310, 2.321].into_iter()),
            Axis::log("", [7e12, 7.1e12].into_iter()),
        ] {
            let mut found = texts(&axis);
            found.dedup();
            assert_eq!(found.len(), axis.ticks.len(), "{axis:?}");
        }
    }

    #[test]
    fn values_without_a_position_are_left_out() {
        let axis = Axis::log("", [0.0, f64::NAN, 10.0].into_iter());
        assert_eq!(axis.position(0.0), None);
        assert_eq!(axis.position(f64::NAN), None);
        assert_eq!(axis.position(100.0), Some(2.0));
        assert_eq!(
            Axis::linear("", [].into_iter()).position(f64::INFINITY),
            None
        );
    }
}
