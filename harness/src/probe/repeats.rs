//! Number of timed passes, and statistics of their times.

/// Limits of the number of timed passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repeats {
    /// Least number of passes.
    pub least: usize,
    /// Greatest number of passes.
    pub most: usize,
    /// Total seconds after which no further pass is timed.
    pub seconds: f64,
}

/// Two to five passes within about four seconds.
pub const REPEATS: Repeats = Repeats {
    least: 2,
    most: 5,
    seconds: 4.0,
};

impl Repeats {
    /// Whether no further pass is to be timed after passes of `timed` seconds.
    pub fn enough(&self, timed: &[f64]) -> bool {
        let spent: f64 = timed.iter().sum();
        timed.len() >= self.most || (timed.len() >= self.least && spent >= self.seconds)
    }
}

/// Statistics of the time of a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassSeconds {
    /// Median, in seconds.
    pub median: f64,
    /// Shortest, in seconds.
    pub low: f64,
    /// Longest, in seconds.
    pub high: f64,
    /// Number of timed passes.
    pub repeats: u64,
}

impl PassSeconds {
    /// The statistics of `timed`, in seconds; NaN if it is empty.
    pub fn of(timed: &[f64]) -> Self {
        let mut sorted = timed.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self {
            median: (at(last / 2) + at(sorted.len() / 2)) / 2.0,
            low: at(0),
            high: at(last),
            repeats: timed.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_passes_are_repeated_fewer_times() {
        assert!(!REPEATS.enough(&[9.0]));
        assert!(REPEATS.enough(&[9.0, 9.0]));
        assert!(!REPEATS.enough(&[0.1; 4]));
        assert!(REPEATS.enough(&[0.1; 5]));
        assert!(REPEATS.enough(&[1.5; 3]));
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        let seconds = PassSeconds::of(&[4.0, 1.0, 3.0, 1.0]);
        assert_eq!(
            (seconds.median, seconds.low, seconds.high, seconds.repeats),
            (2.0, 1.0, 4.0, 4)
        );
        assert_eq!(PassSeconds::of(&[5.0, 1.0, 2.0]).median, 2.0);
        assert!(PassSeconds::of(&[]).median.is_nan());
    }
}
