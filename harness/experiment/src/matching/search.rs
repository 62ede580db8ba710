//! Bisection over ranks at which a cost is monotone and some ranks are invalid.

use super::request::Side;

/// At most two ranks below `count` whose values bracket `wanted`, on the requested side, with their values and in
/// ascending order of rank. Of ranks with equal values the lowest is returned.
///
/// `value` is monotone, increasing or decreasing, at the ranks for which it is `Some`. It may be `None`, for an invalid
/// model, at a range of ranks at one end. It is called about `4 log2(count)` times.
pub fn neighbours(
    count: usize,
    wanted: u64,
    side: Side,
    value: &dyn Fn(usize) -> Option<u64>,
) -> Vec<(usize, u64)> {
    let Some((low, high)) = valid_range(count, value) else {
        return Vec::new();
    };
    let at = |rank: usize| value(rank).map_or(0, |value| value);
    let rising = at(low) <= at(high);
    // Whether the value at a rank is `wanted` or beyond it.
    let is_beyond = |rank: usize| {
        let value = at(rank);
        if rising {
            value >= wanted
        } else {
            value <= wanted
        }
    };
    let beyond = first(low, high + 1, &is_beyond);
    let mut bracket: Vec<usize> = Vec::with_capacity(2);
    if beyond > low {
        // The lowest rank with the last value before `wanted`.
        let value = at(beyond - 1);
        let same = |rank: usize| {
            if rising {
                at(rank) >= value
            } else {
                at(rank) <= value
            }
        };
        bracket.push(first(low, beyond - 1, &same));
    }
    if beyond <= high {
        bracket.push(beyond);
    }
    let allowed = |value: u64| match side {
        Side::Nearest => true,
        Side::Above => value >= wanted,
        Side::Below => value <= wanted,
    };
    bracket
        .into_iter()
        .map(|rank| (rank, at(rank)))
        .filter(|&(_, value)| allowed(value))
        .collect()
}

/// The first and the last valid rank; `None` if neither rank 0 nor the last rank is valid.
fn valid_range(count: usize, value: &dyn Fn(usize) -> Option<u64>) -> Option<(usize, usize)> {
    let last = count.checked_sub(1)?;
    match (value(0).is_some(), value(last).is_some()) {
        (true, true) => Some((0, last)),
        (false, true) => Some((first(0, last, &|rank| value(rank).is_some()), last)),
        (true, false) => Some((0, first(0, last, &|rank| value(rank).is_none()) - 1)),
        (false, false) => None,
    }
}

/// The first rank of `low..high` for which `holds`, a predicate that is false below some rank and true from it on;
/// `high` if there is none.
fn first(mut low: usize, mut high: usize, holds: &dyn Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest distance to `wanted`, by evaluating every rank.
    fn exhaustive(
        count: usize,
        wanted: u64,
        side: Side,
        value: &dyn Fn(usize) -> Option<u64>,
    ) -> Option<u64> {
        (0..count)
            .filter_map(value)
            .filter(|&value| match side {
                Side::Nearest => true,
                Side::Above => value >= wanted,
                Side::Below => value <= wanted,
            })
            .map(|value| value.abs_diff(wanted))
            .min()
    }

    #[test]
    fn equals_an_exhaustive_search() {
        type Value = Box<dyn Fn(usize) -> Option<u64>>;
        let functions: Vec<Value> = vec![
            Box::new(|rank| Some((rank * rank) as u64)),
            Box::new(|rank| Some(500 - 7 * rank as u64)),
            Box::new(|rank| (rank >= 5).then_some(3 * rank as u64)),
            Box::new(|rank| (rank < 9).then_some(40 + (rank / 3) as u64)),
            Box::new(|_| Some(77)),
            Box::new(|_| None),
        ];
        for value in &functions {
            for count in [0, 1, 2, 13, 40] {
                for wanted in [0, 1, 20, 41, 77, 100, 499, 501, 5000] {
                    for side in [Side::Nearest, Side::Above, Side::Below] {
                        let found = neighbours(count, wanted, side, value.as_ref());
                        let nearest = found.iter().map(|(_, value)| value.abs_diff(wanted)).min();
                        assert_eq!(nearest, exhaustive(count, wanted, side, value.as_ref()));
                        assert!(found.iter().all(|&(rank, v)| value(rank) == Some(v)));
                    }
                }
            }
        }
    }

    #[test]
    fn the_lowest_rank_of_equal_values_is_returned() {
        let flat = |rank: usize| Some(10 * (rank / 4) as u64);
        assert_eq!(neighbours(20, 15, Side::Nearest, &flat), [(4, 10), (8, 20)]);
        assert_eq!(neighbours(20, 99, Side::Nearest, &flat), [(16, 40)]);
    }
}
