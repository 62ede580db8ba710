//! The metrics of one item.

use std::f64::consts::LN_2;

use crate::answers::{Answer, Reference};
use crate::items::{Benchmark, Item, ItemKind};
use crate::text::{Matcher, contains, cut, python_strip};

/// A metric and its value for one item.
pub type Metric = (&'static str, f64);

/// Judges answers of one benchmark.
pub struct Judge<'a> {
    benchmark: &'a Benchmark,
    matcher: Option<Matcher>,
}

impl<'a> Judge<'a> {
    /// The judge of `benchmark`.
    pub fn new(benchmark: &'a Benchmark) -> Self {
        let generate = benchmark.task.generate.as_ref();
        Self {
            benchmark,
            matcher: generate.map(|generate| Matcher::new(&generate.exact_match)),
        }
    }

    /// The metrics of an answer, which [`answers::read`](crate::answers::read) has checked; of programs only those of the reference's
    /// probability, since the others need them run.
    pub fn metrics(&self, item: &Item, answer: &Answer) -> Vec<Metric> {
        let mut metrics = match &item.kind {
            ItemKind::Generate(accepted) => self.generated(accepted, answer),
            ItemKind::Choose(choices, gold) => self.chosen(choices, gold, answer),
            ItemKind::Program(_) => Vec::new(),
        };
        let of_several = match &item.kind {
            ItemKind::Generate(_) => true,
            ItemKind::Choose(_, gold) => gold.len() > 1,
            ItemKind::Program(_) => false,
        };
        metrics.extend(likelihood(&answer.references, of_several));
        metrics
    }

    fn generated(&self, accepted: &[String], answer: &Answer) -> Vec<Metric> {
        let (Some(generate), Some(matcher)) = (&self.benchmark.task.generate, &self.matcher) else {
            return Vec::new();
        };
        // The first of several, as the filter `take_first`.
        let given = answer.texts().first().copied().unwrap_or_default();
        let given = python_strip(cut(given, &generate.stop));
        let mut metrics = vec![("exact_match", truth(matcher.is_match(given, accepted)))];
        if let Some(overlap) = generate.overlap {
            let (em, f1) = overlap.em_and_f1(given, accepted);
            metrics.extend([("em", truth(em)), ("f1", f1)]);
        }
        if generate.contains {
            metrics.push(("contains", truth(contains(given, accepted))));
        }
        metrics
    }

    fn chosen(&self, choices: &[String], gold: &[usize], answer: &Answer) -> Vec<Metric> {
        let (Some(choose), Some(lls)) = (&self.benchmark.task.choose, &answer.lls) else {
            return Vec::new();
        };
        let reports = |metric: &str| choose.metrics.iter().any(|own| own == metric);
        let right = |score: &dyn Fn(usize) -> f64| {
            truth(gold.contains(&first_largest(choices.len(), score)))
        };
        let mut metrics = Vec::new();
        if reports("acc") {
            metrics.push(("acc", right(&|choice| lls[choice])));
        }
        if reports("acc_norm") {
            let characters = |choice: usize| choices[choice].chars().count() as f64;
            metrics.push((
                "acc_norm",
                right(&|choice| lls[choice] / characters(choice)),
            ));
            let bytes = |choice: usize| choices[choice].len() as f64;
            metrics.push(("acc_bytes", right(&|choice| lls[choice] / bytes(choice))));
        }
        if reports("exact_match")
            && let Some(greedy) = &answer.is_greedy
        {
            let is_right = gold.iter().any(|choice| greedy[*choice]);
            metrics.push(("exact_match", truth(is_right)));
        }
        if let ([gold], true) = (gold, answer.references.is_empty()) {
            let bytes = self.benchmark.task.target_delimiter.len() + choices[*gold].len();
            metrics.push(("nll", -lls[*gold]));
            metrics.push(("bpb", -lls[*gold] / (LN_2 * bytes as f64)));
        }
        metrics
    }
}

/// Nats and bits per byte of the first of the right answers, and nats of the most probable one where there can be several.
fn likelihood(references: &[Reference], of_several: bool) -> Vec<Metric> {
    let Some(first) = references.first() else {
        return Vec::new();
    };
    let mut metrics = vec![
        ("nll", -first.ll),
        ("bpb", -first.ll / (LN_2 * first.bytes as f64)),
    ];
    if of_several {
        let best = references.iter().map(|reference| -reference.ll);
        metrics.push(("nll_best", best.fold(f64::INFINITY, f64::min)));
    }
    metrics
}

/// The place of the largest score, the first of equals.
fn first_largest(n: usize, score: &dyn Fn(usize) -> f64) -> usize {
    let mut best = 0;
    for place in 1..n {
        if score(place) > score(best) {
            best = place;
        }
    }
    best
}

fn truth(is_right: bool) -> f64 {
    f64::from(u8::from(is_right))
}

/// Probability that one of `k` samples passes, of which `c` of `n` did: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021). None for `k` above
/// `n`.
pub fn pass_at_k(n: usize, c: usize, k: usize) -> Option<f64> {
    if k == 0 || k > n || c > n {
        return None;
    }
    if n - c < k {
        return Some(1.0);
    }
    let none: f64 = (n - c + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pass_at_k_is_the_unbiased_estimate() {
        assert_eq!(pass_at_k(1, 1, 1), Some(1.0));
        assert!((pass_at_k(10, 3, 1).unwrap() - 0.3).abs() < 1e-12);
        // 1 - C(7, 2) / C(10, 2) = 1 - 21 / 45.
        assert!((pass_at_k(10, 3, 2).unwrap() - 24.0 / 45.0).abs() < 1e-12);
        assert_eq!(pass_at_k(10, 9, 2), Some(1.0));
        assert_eq!(pass_at_k(2, 1, 3), None);
    }

    #[test]
    fn equal_scores_choose_the_first() {
        assert_eq!(first_largest(3, &|_| 1.0), 0);
        assert_eq!(first_largest(3, &|place| [0.0, 2.0, 2.0][place]), 1);
    }
}
