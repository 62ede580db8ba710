//! The size at which a block knows the most at a budget of training FLOPs, chosen on some seeds and judged on another.
//!
//! The best of several sizes is ahead partly because it was chosen by its own result. Here each seed is judged at the size whose
//! mean over the *other* seeds is the highest: the value of a seed takes no part in the choice of its size, so that its expectation
//! is that of the chosen size (cross-validation by leaving one out, Stone 1974).

use super::knowledge::{KnowledgeTask, bits_known};
use super::{BlockRole, Rung, Study};
use crate::statistics::{Interval, mean_over_seeds, paired_over_seeds};

/// Fewest sizes of a budget among which a best one is chosen.
pub const LEAST_SIZES: usize = 3;

/// One seed at the size that the other seeds chose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The seed.
    pub seed: u64,
    /// Place of the size in [`BestSize::sizes`].
    pub size: usize,
    /// Bits known there.
    pub bits: f64,
}

/// What a block knows at its best size at a budget.
#[derive(Clone, Debug, PartialEq)]
pub struct BestSize<'s> {
    /// Label of the block.
    pub block: &'s str,
    /// Training FLOPs of the budget.
    pub flops: f64,
    /// Its sizes with a score, from the smallest.
    pub sizes: Vec<&'s str>,
    /// By seed.
    pub judged: Vec<Judged>,
    /// Bits known, over seeds.
    pub bits: Interval,
    /// Difference to dense at dense's best size, over the seeds of both; none for dense itself.
    pub minus_dense: Option<Interval>,
}

impl BestSize<'_> {
    /// Labels of the chosen sizes, each once, from the smallest.
    pub fn chosen(&self) -> Vec<&str> {
        let is_chosen = |place: &usize| self.judged.iter().any(|judged| judged.size == *place);
        let places = (0..self.sizes.len()).filter(is_chosen);
        places.map(|place| self.sizes[place]).collect()
    }

    /// Whether some seed's size is the smallest or the greatest, so that a better one may lie beyond.
    pub fn is_at_edge(&self) -> bool {
        let last = self.sizes.len() - 1;
        let at_edge = |judged: &Judged| judged.size == 0 || judged.size == last;
        self.judged.iter().any(at_edge)
    }
}

/// The budgets with [`LEAST_SIZES`] sizes or more, block by block where two seeds or more can be judged.
pub fn best_sizes<'s>(study: &'s Study<'_>, of: KnowledgeTask) -> Vec<BestSize<'s>> {
    let budgets = study.budgets().into_iter();
    let budgets = budgets.filter(|budget| budget.len() >= LEAST_SIZES);
    budgets
        .flat_map(|budget| {
            let judge = |block: &&'s str| judged(study, of, block, &budget);
            let found: Vec<(&str, Vec<&str>, Vec<Judged>)> =
                study.blocks.iter().filter_map(judge).collect();
            let dense = study.label(BlockRole::Dense);
            let of_dense = found.iter().find(|(block, ..)| Some(*block) == dense);
            let of_dense = of_dense.map(|(.., judged)| judged.clone());
            found.into_iter().map(move |(block, sizes, judged)| {
                let pairs = of_dense.iter().filter(|_| Some(block) != dense);
                let pairs = pairs.map(|dense| paired(&judged, dense));
                let bits: Vec<f64> = judged.iter().map(|judged| judged.bits).collect();
                BestSize {
                    block,
                    flops: budget[0].flops,
                    sizes,
                    bits: mean_over_seeds(&bits),
                    minus_dense: pairs.map(|pairs| paired_over_seeds(&pairs)).next(),
                    judged,
                }
            })
        })
        .collect()
}

fn paired(ours: &[Judged], theirs: &[Judged]) -> Vec<(f64, f64)> {
    let other = |seed| theirs.iter().find(|judged| judged.seed == seed);
    let pair = |judged: &Judged| Some((judged.bits, other(judged.seed)?.bits));
    ours.iter().filter_map(pair).collect()
}

/// A block's sizes with a score, and each seed at the size that the others chose; none with fewer than two such seeds or too few
/// sizes.
fn judged<'s>(
    study: &'s Study<'_>,
    of: KnowledgeTask,
    block: &'s str,
    budget: &[&'s Rung],
) -> Option<(&'s str, Vec<&'s str>, Vec<Judged>)> {
    let measured: Vec<(&str, Vec<(u64, f64)>)> = budget
        .iter()
        .map(|rung| (rung.size(), bits_known(study, of, block, rung)))
        .filter(|(_, bits)| !bits.is_empty())
        .collect();
    let mut seeds: Vec<u64> = measured
        .iter()
        .flat_map(|(_, bits)| bits.iter().map(|(seed, _)| *seed))
        .collect();
    seeds.sort_unstable();
    seeds.dedup();
    let mean_of_others = |bits: &[(u64, f64)], left_out: u64| {
        let others: Vec<f64> = bits
            .iter()
            .filter(|(seed, _)| *seed != left_out)
            .map(|(_, bits)| *bits)
            .collect();
        (!others.is_empty()).then(|| mean_over_seeds(&others).value)
    };
    let judge = |seed: u64| {
        let means = measured.iter().enumerate();
        let means = means.filter_map(|(size, (_, bits))| Some((size, mean_of_others(bits, seed)?)));
        let (size, _) = means.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let own = measured[size].1.iter().find(|(other, _)| *other == seed)?;
        let bits = own.1;
        Some(Judged { seed, size, bits })
    };
    let judged: Vec<Judged> = seeds.into_iter().filter_map(judge).collect();
    let sizes: Vec<&str> = measured.iter().map(|(size, _)| *size).collect();
    (judged.len() >= 2 && sizes.len() >= LEAST_SIZES).then_some((block, sizes, judged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::rows::{frames, run};
    use crate::{Frames, RunRow, ScoreRow};

    const OF: KnowledgeTask = KnowledgeTask {
        suite: "people recall",
        task: "recall",
    };

    /// Runs at one budget: block, size and bits known of seeds 0, 1, ...
    fn measured(cells: &[(&str, &str, &[f64])]) -> Frames {
        let rows = cells.iter().flat_map(|(block, size, bits)| {
            let row = |(seed, bits): (usize, &f64)| {
                let row = RunRow {
                    run: format!("{block} {size} {seed}"),
                    size: (*size).into(),
                    seed: seed as u64,
                    ..run(0, block)
                };
                (row, *bits)
            };
            bits.iter().enumerate().map(row).collect::<Vec<_>>()
        });
        let (runs, bits): (Vec<RunRow>, Vec<f64>) = rows.unzip();
        let all = frames(runs.into_iter().map(|run| (run, 0)).collect(), vec![]);
        let scores = all.scores().iter().zip(bits);
        let scores = scores.map(|(score, bits)| ScoreRow {
            task: OF.task.into(),
            metric: "bits_known".into(),
            value: bits,
            ..score.clone()
        });
        let scores: Vec<ScoreRow> = scores.collect();
        Frames::new(all.runs().to_vec(), vec![], scores, vec![], vec![])
    }

    #[test]
    fn a_seed_takes_no_part_in_the_choice_of_its_size() {
        // Seed 2 alone would choose size c, where it is judged by the others' choice, b.
        let all = measured(&[
            ("dense", "a", &[1.0, 2.0, 3.0]),
            ("dense", "b", &[5.0, 6.0, 7.0]),
            ("dense", "c", &[4.0, 4.0, 90.0]),
            ("memory", "a", &[1.0, 1.0, 1.0]),
            ("memory", "b", &[2.0, 2.0, 2.0]),
            ("memory", "c", &[8.0, 8.0, 8.0]),
        ]);
        let study = Study::new(&all);
        let found = best_sizes(&study, OF);
        let judged = |size, bits| move |seed| Judged { seed, size, bits };
        let [dense, memory] = &found[..] else {
            panic!("{found:?}")
        };
        // Seeds 0 and 1 are judged at c, which is the best by the mean with seed 2.
        assert_eq!(
            dense.judged,
            [judged(2, 4.0)(0), judged(2, 4.0)(1), judged(1, 7.0)(2)]
        );
        assert_eq!(dense.chosen(), ["b", "c"]);
        assert!(dense.is_at_edge());
        assert_eq!((dense.bits.value, dense.minus_dense), (5.0, None));
        let difference = memory.minus_dense.unwrap();
        assert_eq!((difference.value, difference.n), (3.0, 3));
    }

    #[test]
    fn one_seed_or_two_sizes_judge_nothing() {
        let one = measured(&[
            ("dense", "a", &[1.0]),
            ("dense", "b", &[2.0]),
            ("dense", "c", &[3.0]),
        ]);
        assert_eq!(best_sizes(&Study::new(&one), OF), []);
        let two = measured(&[("dense", "a", &[1.0, 1.0]), ("dense", "b", &[2.0, 2.0])]);
        assert_eq!(best_sizes(&Study::new(&two), OF), []);
    }

    /// Where sizes are equal but for noise, the judged value is unbiased; the best by its own result is not.
    #[test]
    fn choice_by_other_seeds_has_no_bias() {
        let mut state = 1u64;
        let mut noise = move || {
            let mut uniform = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 11) as f64 / (1u64 << 53) as f64
            };
            (0..12).map(|_| uniform()).sum::<f64>() - 6.0
        };
        let (mut judged, mut naive, worlds) = (0.0, 0.0, 400);
        for _ in 0..worlds {
            let values: Vec<[f64; 3]> = (0..5).map(|_| [(); 3].map(|()| noise())).collect();
            let labels = ["a", "b", "c", "d", "e"];
            let cells: Vec<(&str, &str, &[f64])> = labels
                .iter()
                .zip(&values)
                .map(|(label, bits)| ("dense", *label, &bits[..]))
                .collect();
            let all = measured(&cells);
            judged += best_sizes(&Study::new(&all), OF)[0].bits.value / f64::from(worlds);
            let means = values.iter().map(|bits| bits.iter().sum::<f64>() / 3.0);
            naive += means.fold(f64::MIN, f64::max) / f64::from(worlds);
        }
        assert!(judged.abs() < 0.12, "{judged}");
        assert!(naive > 0.5, "{naive}");
    }
}
