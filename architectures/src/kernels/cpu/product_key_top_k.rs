//! Exact top-k over all pairs of half-keys without scoring all pairs.
//!
//! A pair's score is the sum of its halves' scores, so the k best pairs are made of the k best of each half; with both
//! lists sorted, a pair of ranks (a, b) can be among them only if (a+1)(b+1) <= k, as that many pairs are at least as good: 119
//! candidates for k = 32 instead of 1,024.

use rayon::prelude::*;

use super::top_k::TopK;

/// The k best pairs of every row, best first, as `first * n + second`.
///
/// `scores [heads, 2, rows, n]` holds the two halves' scores; `out [heads, rows, k]`. Of equal scores the earlier is kept.
pub fn product_key_top_k(scores: &[f32], rows: usize, n: usize, k: usize, out: &mut [i64]) {
    out.par_chunks_mut(k)
        .enumerate()
        .with_min_len(64)
        .for_each_init(
            || (TopK::new(k), TopK::new(k), Pairs::new(k)),
            |(first, second, pairs), (index, out)| {
                let (head, row) = (index / rows, index % rows);
                let half = |half: usize| &scores[((head * 2 + half) * rows + row) * n..][..n];
                first.rank(half(0));
                second.rank(half(1));
                let best = pairs.rank(first, second);
                for (out, (a, b, _)) in out.iter_mut().zip(best) {
                    *out = i64::from(a) * n as i64 + i64::from(b);
                }
            },
        );
}

/// The k best pairs of two rankings.
pub struct Pairs {
    /// Pairs of ranks that can be among the best k.
    candidates: Vec<(usize, usize)>,
    sums: Vec<f32>,
    best: TopK,
}

impl Pairs {
    /// Of two rankings of `k`.
    pub fn new(k: usize) -> Self {
        let candidates: Vec<(usize, usize)> = (0..k)
            .flat_map(|a| (0..k / (a + 1)).map(move |b| (a, b)))
            .collect();
        Self {
            sums: vec![0.0; candidates.len()],
            candidates,
            best: TopK::new(k),
        }
    }

    /// Both indices and the sum of each of the best pairs, best first.
    pub fn rank<'a>(
        &'a mut self,
        first: &'a TopK,
        second: &'a TopK,
    ) -> impl Iterator<Item = (u32, u32, f32)> + 'a {
        for (sum, &(a, b)) in self.sums.iter_mut().zip(&self.candidates) {
            *sum = first.scores[a] + second.scores[b];
        }
        self.best.rank(&self.sums);
        let best = self.best.indices.iter().zip(&self.best.scores);
        best.map(|(&index, &score)| {
            let (a, b) = self.candidates[index as usize];
            (first.indices[a], second.indices[b], score)
        })
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

/// The gradient of [`pair_scores`]: `out [heads, 2, rows, n]` is the sum over the pairs that contain each half-key.
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
    use rand::Rng;
    use random::stream;

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
    fn nan_scores_give_ids_in_bounds() {
        let mut ids = vec![-1; 4];
        product_key_top_k(&[f32::NAN; 16], 1, 8, 4, &mut ids);
        assert!(ids.iter().all(|id| (0..64).contains(id)));
    }
}
