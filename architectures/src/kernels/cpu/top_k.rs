//! The k largest of a row, largest first, without sorting the row.
//!
//! A threshold that at least k scores reach is found by bisection over the maxima of about 2 k groups: a threshold that k
//! maxima reach, k scores reach. Few more than k scores exceed it; only these are ranked, each by counting the larger
//! ones. No step branches on a score, so all of them run on whole vectors.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;

/// Numbers compared at once; loops run over multiples of it.
const LANES: usize = 16;

/// Most candidates for which counting is faster than sorting.
const COUNTED: usize = 128;

/// Steps of a bisection of scores, before that of integers.
const SCORE_STEPS: usize = 12;

/// The k largest scores of a row, with the scratch to find them.
pub struct TopK {
    /// The selected scores, largest first.
    pub scores: Vec<f32>,
    /// Their indices in the row.
    pub indices: Vec<u32>,
    ordered: Vec<i32>,
    maxima: Vec<i32>,
    candidates: Vec<i64>,
}

impl TopK {
    /// For the `k` best of each row.
    pub fn new(k: usize) -> Self {
        Self {
            scores: vec![0.0; k],
            indices: vec![0; k],
            ordered: Vec::new(),
            maxima: Vec::new(),
            candidates: Vec::new(),
        }
    }

    /// Ranks `row`, which has at least k scores. Of equal scores the earlier ranks first; NaN ranks by its
    /// bits.
    pub fn rank(&mut self, row: &[f32]) {
        rank(self, row);
    }
}

/// An integer that orders as the score does: all bits but the sign of a negative float are inverted.
#[inline(always)]
fn ordered(score: f32) -> i32 {
    let bits = score.to_bits() as i32;
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}

/// The score of an ordered integer.
#[inline(always)]
fn score(ordered: i32) -> f32 {
    f32::from_bits((ordered ^ ((ordered >> 31) as u32 >> 1) as i32) as u32)
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn rank(top: &mut TopK, row: &[f32]) {
    let k = top.scores.len();
    top.ordered.clear();
    top.ordered.extend(row.iter().map(|&score| ordered(score)));
    top.ordered
        .resize(row.len().next_multiple_of(LANES), i32::MIN);
    let groups = (2 * k).next_multiple_of(4 * LANES);
    let threshold = if row.len() > 2 * groups {
        top.maxima.clear();
        top.maxima.resize(groups, i32::MIN);
        for chunk in top.ordered.chunks(groups) {
            for (maximum, &score) in top.maxima.iter_mut().zip(chunk) {
                *maximum = (*maximum).max(score);
            }
        }
        threshold(&top.maxima, groups, k)
    } else {
        threshold(&top.ordered, row.len(), k)
    };
    // Written unconditionally; only the count depends on the score.
    top.candidates.clear();
    top.candidates.resize(row.len() + LANES, 0);
    let mut found = 0;
    for (index, &score) in top.ordered[..row.len()].iter().enumerate() {
        // Of equal scores the earlier index gives the greater candidate.
        top.candidates[found] = i64::from(score) << 32 | i64::from(u32::MAX - index as u32);
        found += usize::from(score >= threshold);
    }
    if found <= COUNTED {
        count(top, found);
    } else {
        let candidates = &mut top.candidates[..found];
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        for (index, &candidate) in top.indices.iter_mut().zip(&*candidates) {
            *index = u32::MAX - candidate as u32;
        }
    }
    for (score, &index) in top.scores.iter_mut().zip(&top.indices) {
        *score = row[index as usize];
    }
}

/// A number that at least `k` of the first `len` of `pool` reach, and rarely many more; the rest of `pool` is `i32::MIN`.
///
/// Bisects the scores at first, whose values are spread evenly, and then the integers, which end after few steps: of integers
/// half stand for numbers nearer to zero than any score.
#[inline(always)]
fn threshold(pool: &[i32], len: usize, k: usize) -> i32 {
    // As many are ranked in the time of k + k / 8.
    let enough = k..=(k + k / 8).next_multiple_of(LANES);
    // At least k reach `low`; nothing exceeds `high`.
    let mut low = pool[..len].iter().copied().fold(i32::MAX, i32::min);
    let mut high = pool[..len].iter().copied().fold(i32::MIN, i32::max);
    let mut steps = 0;
    while low < high {
        let middle = match steps < SCORE_STEPS {
            true => ordered(score(low) / 2.0 + score(high) / 2.0),
            false => low,
        };
        steps += 1;
        // Also where one is not finite.
        let middle = match (low + 1..=high).contains(&middle) {
            true => middle,
            false => (i64::from(low) + i64::from(high) + 1).div_euclid(2) as i32,
        };
        let reached = pool
            .iter()
            .map(|&score| i32::from(score >= middle))
            .sum::<i32>() as usize;
        if reached < k {
            high = middle - 1;
            continue;
        }
        low = middle;
        if enough.contains(&reached) {
            break;
        }
    }
    low
}

/// Writes each of the first `found` candidates to its rank, the number of greater ones.
#[inline(always)]
fn count(top: &mut TopK, found: usize) {
    let padded = found.next_multiple_of(LANES);
    top.candidates[found..padded].fill(i64::MIN);
    let candidates = &top.candidates[..padded];
    for &candidate in &candidates[..found] {
        let greater = candidates
            .iter()
            .map(|&other| i64::from(other > candidate))
            .sum::<i64>() as usize;
        if let Some(index) = top.indices.get_mut(greater) {
            *index = u32::MAX - candidate as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use random::stream;

    #[test]
    fn ranks_as_a_sort_does() {
        for (n, k) in [
            (1, 1),
            (5, 5),
            (70, 32),
            (119, 32),
            (300, 1),
            (512, 32),
            (4096, 128),
            (1000, 300),
        ] {
            // Few different values, so that many are equal, and then nearly all different.
            for values in [1, 3, 40, 1 << 20] {
                let mut rng = stream(4, "ranks", (n * 7 + values) as u64);
                let row: Vec<f32> = (0..n)
                    .map(|_| (rng.random_range(0..values) as f32 - values as f32 / 2.0) / 7.0)
                    .collect();
                let mut expected: Vec<u32> = (0..n as u32).collect();
                expected.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]));
                let mut top = TopK::new(k);
                top.rank(&row);
                assert_eq!(top.indices, expected[..k], "n {n} k {k} values {values}");
                assert!(
                    top.scores
                        .iter()
                        .zip(&top.indices)
                        .all(|(s, &p)| *s == row[p as usize])
                );
            }
        }
    }

    #[test]
    fn infinite_and_nan_scores_are_ranked() {
        let mut row = vec![f32::NEG_INFINITY; 100];
        row[17] = f32::INFINITY;
        row[40] = -0.0;
        let mut top = TopK::new(3);
        top.rank(&row);
        assert_eq!(top.indices, [17, 40, 0]);
        top.rank(&[f32::NAN; 100]);
        assert_eq!(top.indices, [0, 1, 2]);
    }
}
