//! Selection of experts by tokens and of tokens by experts, and the order of assignments by expert.

use rayon::prelude::*;

/// The `top_k` highest of each token's `n_experts` scores, as pairs `token * n_experts + expert`, highest score first; of equal
/// scores that of the lower expert.
pub fn choose_experts(scores: &[f32], n_experts: usize, top_k: usize) -> Vec<i64> {
    let tokens = scores.len() / n_experts;
    let mut pairs = vec![0; tokens * top_k];
    pairs
        .par_chunks_exact_mut(top_k)
        .zip(scores.par_chunks_exact(n_experts))
        .enumerate()
        .with_min_len(64)
        .for_each_init(
            || Vec::with_capacity(n_experts),
            |ranked: &mut Vec<usize>, (token, (pairs, scores))| {
                ranked.clear();
                ranked.extend(0..n_experts);
                ranked.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
                for (pair, expert) in pairs.iter_mut().zip(ranked) {
                    *pair = (token * n_experts + *expert) as i64;
                }
            },
        );
    pairs
}

/// The `capacity` highest of each expert's scores over the tokens, as pairs in ascending order; of equal scores that of the lower
/// token.
pub fn choose_tokens(scores: &[f32], n_experts: usize, capacity: usize) -> Vec<i64> {
    let tokens = scores.len() / n_experts;
    let mut pairs: Vec<i64> = (0..n_experts)
        .into_par_iter()
        .flat_map_iter(|expert| {
            let score = |token: usize| scores[token * n_experts + expert];
            let mut ranked: Vec<usize> = (0..tokens).collect();
            ranked.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
            ranked.truncate(capacity);
            ranked
                .into_iter()
                .map(move |token| (token * n_experts + expert) as i64)
        })
        .collect();
    pairs.sort_unstable();
    pairs
}

/// The columns of [`crate::kernels::routes::Routes`].
pub struct SortedByExpert {
    pub source_tokens: Vec<i64>,
    pub assignments: Vec<i64>,
    pub rows: Vec<i64>,
    pub token_offsets: Vec<i64>,
    pub expert_offsets: Vec<i64>,
}

/// `pairs`, which are listed token by token, stably sorted by expert.
pub fn sort_by_expert(pairs: &[i64], tokens: usize, n_experts: usize) -> SortedByExpert {
    let token = |pair: i64| pair as usize / n_experts;
    let expert = |pair: i64| pair as usize % n_experts;
    let mut token_offsets = vec![0; tokens + 1];
    let mut expert_offsets = vec![0; n_experts + 1];
    for &pair in pairs {
        token_offsets[token(pair) + 1] += 1;
        expert_offsets[expert(pair) + 1] += 1;
    }
    for offsets in [&mut token_offsets, &mut expert_offsets] {
        let mut sum = 0;
        for offset in offsets {
            sum += *offset;
            *offset = sum;
        }
    }
    let mut next = expert_offsets.clone();
    let mut source_tokens = vec![0; pairs.len()];
    let mut assignments = vec![0; pairs.len()];
    let mut rows = Vec::with_capacity(pairs.len());
    for (assignment, &pair) in pairs.iter().enumerate() {
        let row = next[expert(pair)];
        next[expert(pair)] += 1;
        source_tokens[row as usize] = token(pair) as i64;
        assignments[row as usize] = assignment as i64;
        rows.push(row);
    }
    SortedByExpert {
        source_tokens,
        assignments,
        rows,
        token_offsets,
        expert_offsets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 18] = [
        0.1, 0.6, 0.3, //
        0.5, 0.2, 0.3, //
        0.2, 0.2, 0.6, //
        0.7, 0.1, 0.2, //
        0.3, 0.4, 0.3, //
        0.3, 0.3, 0.4,
    ];

    #[test]
    fn of_equal_scores_the_lower_expert_and_the_lower_token_are_selected() {
        assert_eq!(
            choose_experts(&SCORES, 3, 2),
            [1, 2, 3, 5, 8, 6, 9, 11, 13, 12, 17, 15]
        );
        // Expert 2 selects token 0 before tokens 1 and 4.
        assert_eq!(
            choose_tokens(&SCORES, 3, 3),
            [1, 2, 3, 8, 9, 12, 13, 16, 17]
        );
    }

    #[test]
    fn a_token_that_no_expert_chose_has_no_row() {
        let pairs = choose_tokens(&SCORES, 3, 1);
        assert_eq!(pairs, [1, 8, 9]);
        let sorted = sort_by_expert(&pairs, 6, 3);
        assert_eq!(sorted.source_tokens, [3, 0, 2]);
        assert_eq!(sorted.assignments, [2, 0, 1]);
        assert_eq!(sorted.rows, [1, 2, 0]);
        assert_eq!(sorted.token_offsets, [0, 1, 1, 2, 3, 3, 3]);
        assert_eq!(sorted.expert_offsets, [0, 1, 2, 3]);
    }
}
