//! An estimate with its confidence interval.

/// A value with the ends of its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Point estimate.
    pub value: f64,
    /// NaN where the data cannot bound the value, as with a single seed.
    pub low: f64,
    /// NaN where `low` is.
    pub high: f64,
    /// Observations behind the value: items, or seeds where each seed has one number.
    pub n: u64,
    /// Name of the method.
    pub method: &'static str,
}

impl Interval {
    /// A value without an interval.
    pub fn unbounded(value: f64, n: u64, method: &'static str) -> Self {
        Self {
            value,
            low: f64::NAN,
            high: f64::NAN,
            n,
            method,
        }
    }

    /// Whether both ends are finite.
    pub fn is_bounded(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }

    /// Whether the whole interval is on one [`side`](Self::side) of `point`.
    pub fn excludes(&self, point: f64) -> bool {
        self.side(point) != Side::Undecided
    }

    /// The side of `point` on which the whole interval is. An end that touches it does not exclude it.
    pub fn side(&self, point: f64) -> Side {
        if self.is_bounded() && self.low > point {
            Side::Above
        } else if self.is_bounded() && self.high < point {
            Side::Below
        } else {
            Side::Undecided
        }
    }
}

/// The side of a point on which an interval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All of the interval is above the point.
    Above,
    /// All of it is below.
    Below,
    /// It includes the point or has no ends, so that no difference is shown.
    Undecided,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_at_the_point_does_not_exclude_it() {
        let at = |low, high| Interval {
            value: 0.5,
            low,
            high,
            n: 9,
            method: "",
        };
        assert_eq!(at(0.1, 0.9).side(0.0), Side::Above);
        assert_eq!(at(-0.9, -0.1).side(0.0), Side::Below);
        assert_eq!(at(0.0, 0.9).side(0.0), Side::Undecided);
        assert_eq!(at(0.1, f64::NAN).side(0.0), Side::Undecided);
        assert!(at(0.1, 0.9).excludes(0.0));
        assert!(at(-0.9, -0.1).excludes(0.0));
        assert!(!at(0.0, 0.9).excludes(0.0));
        assert!(!at(-0.1, 0.9).excludes(0.0));
        assert!(!Interval::unbounded(0.5, 1, "").excludes(0.0));
    }
}
