//! Exact top-k over all pairs of half-keys without scoring all pairs.
//!
//! A pair's score is the sum of its halves' scores, so the k best pairs lie among the k best of each half; with both
//! lists sorted, a pair of ranks (a, b) can only win if (a+1)(b+1) <= k, as that many pairs are at least as good: 119
//! candidates for k = 32 instead of 1,024.

use multiversion::multiversion;
use rayon::prelude::*;

/// Comparisons of a search for the best, repeated k times, up to which it is used: insertion branches on every score.
const FEW: usize = 8192;

/// The k best pairs of every row, best first, as `first * n + second`.
///
/// `scores [heads, 2, rows, n]` holds the two halves' scores; `out [heads, rows, k]`. Equal scores keep the earlier.
pub fn product_key_top_k(scores: &[f32], rows: usize, n: usize, k: usize, out: &mut [i64]) {
    // Pairs of ranks that can win.
    let candidates: Vec<(usize, usize)> = (0..k)
        .flat_map(|a| (0..k / (a + 1)).map(move |b| (a, b)))
        .collect();
    out.par_chunks_mut(k)
        .enumerate()
        .with_min_len(64)
        .for_each_init(
            || {
                (
                    Ranking::new(k),
                    Ranking::new(k),
                    Ranking::new(k),
                    vec![0.0; candidates.len()],
                )
            },
            |(first, second, best, sums), (index, out)| {
                let (head, row) = (index / rows, index % rows);
                let half = |half: usize| &scores[((head * 2 + half) * rows + row) * n..][..n];
                first.rank(half(0));
                second.rank(half(1));
                for (sum, &(a, b)) in sums.iter_mut().zip(&candidates) {
                    *sum = first.scores[a] + second.scores[b];
                }
                best.rank(sums);
                for (out, &place) in out.iter_mut().zip(&best.places) {
                    let (a, b) = candidates[place];
                    *out = (first.places[a] * n + second.places[b]) as i64;
                }
            },
        );
}

/// The k best of a row, best first, and where in the row they stood.
struct Ranking {
    scores: Vec<f32>,
    places: Vec<usize>,
    keys: Vec<i64>,
}

impl Ranking {
    fn new(k: usize) -> Self {
        Self {
            scores: vec![0.0; k],
            places: vec![0; k],
            keys: Vec::new(),
        }
    }

    fn rank(&mut self, row: &[f32]) {
        if self.scores.len() * row.len() <= FEW {
            take_best(row, &mut self.keys, &mut self.scores, &mut self.places);
        } else {
            self.insert_all(row);
        }
    }

    /// One comparison for each score no better than the worst kept.
    fn insert_all(&mut self, row: &[f32]) {
        let k = self.scores.len();
        for (place, &score) in row.iter().enumerate() {
            let len = place.min(k);
            if len == k && score <= self.scores[k - 1] {
                continue;
            }
            let mut rank = len.min(k - 1);
            while rank > 0 && score > self.scores[rank - 1] {
                self.scores[rank] = self.scores[rank - 1];
                self.places[rank] = self.places[rank - 1];
                rank -= 1;
            }
            self.scores[rank] = score;
            self.places[rank] = place;
        }
    }
}

/// Numbers compared at once.
const LANES: usize = 8;

/// One number that orders as its score does and, among equals, as the earlier place does.
fn key(score: f32, place: usize) -> i64 {
    let bits = score.to_bits() as i32;
    // Negative floats order backwards as integers: turn all their bits but the sign.
    let ordered = bits ^ ((bits >> 31) as u32 >> 1) as i32;
    i64::from(ordered) << 32 | i64::from(u32::MAX - place as u32)
}

/// Finds the best of `row` and strikes it out, as often as there are `scores` to fill; `keys` is scratch.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn take_best(row: &[f32], keys: &mut Vec<i64>, scores: &mut [f32], places: &mut [usize]) {
    keys.clear();
    keys.extend(
        row.iter()
            .enumerate()
            .map(|(place, &score)| key(score, place)),
    );
    keys.resize(row.len().next_multiple_of(LANES), i64::MIN);
    for (score, place) in scores.iter_mut().zip(places) {
        let mut peaks = [i64::MIN; LANES];
        for chunk in keys.chunks_exact(LANES) {
            for lane in 0..LANES {
                peaks[lane] = peaks[lane].max(chunk[lane]);
            }
        }
        let peak = peaks.into_iter().fold(i64::MIN, i64::max);
        *place = (u32::MAX - peak as u32) as usize;
        *score = row[*place];
        keys[*place] = i64::MIN;
    }
}

/// `out[h,r,j] = scores[h,0,r,first] + scores[h,1,r,second]` for `ids[h,r,j] = first * n + second`.
pub fn pair_scores(scores: &[f32], ids: &[i64], rows: usize, n: usize, k: usize, out: &mut [f32]) {
    out.par_chunks_mut(k)
        .zip(ids.par_chunks(k))
        .enumerate()
        .with_min_len(64)
        .for_each(|(index, (out, ids))| {
            let (head, row) = (index / rows, index % rows);
            let first = (head * 2 * rows + row) * n;
            let second = first + rows * n;
            for (out, &id) in out.iter_mut().zip(ids) {
                *out = scores[first + id as usize / n] + scores[second + id as usize % n];
            }
        });
}

/// The gradient of [`pair_scores`]: `out [heads, 2, rows, n]` receives, in each half, the sum over the pairs that used
/// it.
pub fn pair_scores_backward(
    grad: &[f32],
    ids: &[i64],
    rows: usize,
    n: usize,
    k: usize,
    out: &mut [f32],
) {
    out.par_chunks_mut(n)
        .enumerate()
        .with_min_len(64)
        .for_each(|(index, out)| {
            let (head, half, row) = (index / (2 * rows), index / rows % 2, index % rows);
            let pairs = (head * rows + row) * k..;
            for (&id, grad) in ids[pairs.clone()][..k].iter().zip(&grad[pairs]) {
                let id = id as usize;
                out[if half == 0 { id / n } else { id % n }] += grad;
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use rand::Rng;

    /// All n * n pairs, sorted.
    fn brute_force(first: &[f32], second: &[f32], k: usize) -> Vec<i64> {
        let n = first.len();
        let mut pairs: Vec<(f32, i64)> = (0..n * n)
            .map(|id| (first[id / n] + second[id % n], id as i64))
            .collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        pairs.iter().take(k).map(|pair| pair.1).collect()
    }

    #[test]
    fn equals_brute_force() {
        let (heads, rows) = (2, 5);
        // The last is ranked by insertion.
        for (n, k) in [(1, 1), (4, 4), (16, 3), (33, 32), (64, 7), (300, 32)] {
            let mut rng = stream(3, "top-k", (n * 100 + k) as u64);
            let scores: Vec<f32> = (0..heads * 2 * rows * n)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect();
            let mut ids = vec![0; heads * rows * k];
            product_key_top_k(&scores, rows, n, k, &mut ids);
            for head in 0..heads {
                for row in 0..rows {
                    let half = |half: usize| &scores[((head * 2 + half) * rows + row) * n..][..n];
                    let found = &ids[(head * rows + row) * k..][..k];
                    assert_eq!(found, brute_force(half(0), half(1), k), "n {n} k {k}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_in_bounds() {
        let mut ids = vec![-1; 4];
        product_key_top_k(&[f32::NAN; 16], 1, 8, 4, &mut ids);
        assert!(ids.iter().all(|id| (0..64).contains(id)));
    }
}
