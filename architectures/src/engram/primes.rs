//! Consecutive prime numbers.

/// Numbers of one segment of the sieve.
const SEGMENT: usize = 1 << 16;

/// The first `count` primes of `least` or more, by a segmented sieve of Eratosthenes: up to 15 thousand primes near 2^31,
/// where trial division takes seconds.
pub fn primes_from(least: usize, count: usize) -> Vec<usize> {
    let mut primes = Vec::with_capacity(count);
    let mut start = least.max(2);
    while primes.len() < count {
        let end = start + SEGMENT;
        let mut is_composite = [false; SEGMENT];
        for divisor in small_primes(end.isqrt()) {
            let first = start.next_multiple_of(divisor).max(divisor * divisor);
            for multiple in (first..end).step_by(divisor) {
                is_composite[multiple - start] = true;
            }
        }
        let segment = (start..end).filter(|number| !is_composite[number - start]);
        primes.extend(segment.take(count - primes.len()));
        start = end;
    }
    primes
}

/// The primes up to `most`.
fn small_primes(most: usize) -> Vec<usize> {
    let mut is_composite = vec![false; most + 1];
    let mut primes = Vec::new();
    for number in 2..=most {
        if is_composite[number] {
            continue;
        }
        primes.push(number);
        for multiple in (number * number..=most).step_by(number) {
            is_composite[multiple] = true;
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_those_of_trial_division() {
        let is_prime = |n: &usize| {
            let mut divisors = (2..).take_while(|d| d * d <= *n);
            *n >= 2 && divisors.all(|d| !n.is_multiple_of(d))
        };
        for (least, count) in [(0, 30), (2, 1), (24, 8), (65_521, 20), (1_000_003, 3)] {
            let expected: Vec<usize> = (least..).filter(is_prime).take(count).collect();
            assert_eq!(primes_from(least, count), expected);
        }
        // More than one segment.
        let many = primes_from(2, 10_000);
        assert_eq!((many.len(), many[9_999]), (10_000, 104_729));
        assert_eq!(primes_from(1 << 31, 1), [2_147_483_659]);
    }
}
