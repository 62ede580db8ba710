//! Exact top-k over all pairs of half-keys without scoring all pairs.
//!
//! A pair's score is the sum of its halves' scores, so the k best pairs lie among the k best of each half; with both
//! lists sorted, a pair of ranks (a, b) can only win if (a+1)(b+1) <= k, as that many pairs are at least as good: 119
//! candidates for k = 32 instead of 1,024.

use rayon::prelude::*;

/// The k best pairs of every row, best first, as `first * n + second`.
///
/// `scores [heads, 2, rows, n]` holds the two halves' scores; `out [heads, rows, k]`. Equal scores keep the smaller id.
pub fn product_key_top_k(scores: &[f32], rows: usize, n: usize, k: usize, out: &mut [i64]) {
    out.par_chunks_mut(k)
        .enumerate()
        .with_min_len(64)
        .for_each_init(
            || (Ranking::new(k), Ranking::new(k), Ranking::new(k)),
            |(first, second, pairs), (index, out)| {
                let (head, row) = (index / rows, index % rows);
                let half = |half: usize| &scores[((head * 2 + half) * rows + row) * n..][..n];
                first.rank(half(0));
                second.rank(half(1));
                pairs.clear();
                for (a, (x, i)) in first.best().enumerate() {
                    for (y, j) in second.best().take(k / (a + 1)) {
                        pairs.offer(x + y, i * n as i64 + j);
                    }
                }
                for (out, (_, id)) in out.iter_mut().zip(pairs.best()) {
                    *out = id;
                }
            },
        );
}

/// The k best of what it was offered, sorted best first.
struct Ranking {
    len: usize,
    scores: Vec<f32>,
    ids: Vec<i64>,
}

impl Ranking {
    fn new(k: usize) -> Self {
        Self {
            len: 0,
            scores: vec![0.0; k],
            ids: vec![0; k],
        }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// Ranks a whole row.
    fn rank(&mut self, scores: &[f32]) {
        /// Scores compared with the worst kept at once: most chunks hold none better.
        const CHUNK: usize = 16;
        self.clear();
        let k = self.scores.len();
        let (first, rest) = scores.split_at(k);
        for (id, &score) in first.iter().enumerate() {
            self.offer(score, id as i64);
        }
        for (chunk, scores) in rest.chunks(CHUNK).enumerate() {
            let worst = self.scores[k - 1];
            if scores
                .iter()
                .fold(false, |any, &score| any | (score > worst))
            {
                for (place, &score) in scores.iter().enumerate() {
                    self.offer(score, (k + chunk * CHUNK + place) as i64);
                }
            }
        }
    }

    fn offer(&mut self, score: f32, id: i64) {
        let k = self.scores.len();
        let mut rank = if self.len < k {
            self.len += 1;
            self.len - 1
        } else if self.beats(score, id, k - 1) {
            k - 1
        } else {
            return;
        };
        while rank > 0 && self.beats(score, id, rank - 1) {
            self.scores[rank] = self.scores[rank - 1];
            self.ids[rank] = self.ids[rank - 1];
            rank -= 1;
        }
        self.scores[rank] = score;
        self.ids[rank] = id;
    }

    fn beats(&self, score: f32, id: i64, rank: usize) -> bool {
        score > self.scores[rank] || (score == self.scores[rank] && id < self.ids[rank])
    }

    fn best(&self) -> impl Iterator<Item = (f32, i64)> + '_ {
        self.scores[..self.len]
            .iter()
            .copied()
            .zip(self.ids.iter().copied())
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
        for (n, k) in [(1, 1), (4, 4), (16, 3), (33, 32), (64, 7)] {
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
