//! What the exchanges of a run were, for a notice at its end.

use std::time::Duration;

use collectives::Traffic;
use experiment::quantity;

/// One line: bytes and exchanges of a step, and their share of the time of training, from the totals of a rank before and after.
pub fn exchanged(before: Traffic, after: Traffic, steps: usize, elapsed: Duration) -> String {
    let each = |total: u64| total as f64 / steps.max(1) as f64;
    let time = after.time.saturating_sub(before.time);
    format!(
        "each rank sent {} a step in {:.1} exchanges: {:.1} % of the time of training, with waiting for other ranks",
        quantity::bytes(each(after.bytes_sent - before.bytes_sent) as u64),
        each(after.exchanges - before.exchanges),
        100.0 * time.as_secs_f64() / elapsed.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_divided_by_the_steps_between() {
        let traffic = |exchanges, bytes_sent, seconds| Traffic {
            exchanges,
            bytes_sent,
            time: Duration::from_secs(seconds),
        };
        let (before, after) = (traffic(10, 1_000, 1), traffic(40, 31_000, 3));
        let line = exchanged(before, after, 10, Duration::from_secs(8));
        assert!(line.contains("3.0 exchanges: 25.0 %"), "{line}");
    }
}
