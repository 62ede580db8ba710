//! Means over items and groups.

use std::collections::BTreeMap;

use crate::judge::Metric;

/// The mean of a metric over items.
#[derive(Clone, Debug, PartialEq)]
pub struct Mean {
    /// The metric.
    pub metric: &'static str,
    /// The mean.
    pub value: f64,
    /// Standard deviation of the items over the square root of their number; none of one item.
    pub stderr: Option<f64>,
    /// Items.
    pub n: usize,
    /// Their values, in order.
    pub values: Vec<f64>,
}

/// The means of each metric over the items, in the order in which metrics first occur.
pub fn means(items: &[Vec<Metric>]) -> Vec<Mean> {
    let mut values: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for (metric, value) in items.iter().flatten() {
        match values.iter_mut().find(|(own, _)| own == metric) {
            Some((_, list)) => list.push(*value),
            None => values.push((metric, vec![*value])),
        }
    }
    values
        .into_iter()
        .map(|(metric, values)| mean(metric, values))
        .collect()
}

fn mean(metric: &'static str, values: Vec<f64>) -> Mean {
    let n = values.len();
    let value = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|other| (other - value).powi(2)).sum();
    Mean {
        metric,
        value,
        stderr: (n > 1).then(|| (squares / (n - 1) as f64 / n as f64).sqrt()),
        n,
        values,
    }
}

/// Standard error of the mean over all items of several groups, by lm-evaluation-harness:
/// sqrt(sum (n - 1) n se² / (N - m) / N).
pub fn grouped_stderr(groups: &[Mean]) -> Option<f64> {
    let total: usize = groups.iter().map(|group| group.n).sum();
    if total <= groups.len() {
        return None;
    }
    let pooled: f64 = groups
        .iter()
        .map(|group| (group.n - 1) as f64 * group.n as f64 * group.stderr.unwrap_or(0.0).powi(2))
        .sum();
    Some((pooled / (total - groups.len()) as f64 / total as f64).sqrt())
}

/// The items by group.
pub fn by_group<'a, T>(items: impl Iterator<Item = (&'a str, T)>) -> BTreeMap<&'a str, Vec<T>> {
    let mut groups: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for (group, item) in items {
        groups.entry(group).or_default().push(item);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_the_standard_error_of_a_sample() {
        let items = [
            vec![("acc", 1.0), ("nll", 2.0)],
            vec![("acc", 0.0)],
            vec![("acc", 1.0)],
        ];
        let found = means(&items);
        assert_eq!((found[0].metric, found[0].n, found[1].n), ("acc", 3, 1));
        assert!((found[0].value - 2.0 / 3.0).abs() < 1e-12);
        assert!((found[0].stderr.unwrap() - (1.0f64 / 3.0 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(found[1].stderr, None);
    }

    #[test]
    fn a_group_of_equal_parts_has_the_pooled_error() {
        let part = means(&[vec![("acc", 1.0)], vec![("acc", 0.0)]]).remove(0);
        let found = grouped_stderr(&[part.clone(), part]).unwrap();
        // (1 x 2 x 0.25) x 2 / 2 / 4 = 0.125.
        assert!((found - 0.125f64.sqrt()).abs() < 1e-12, "{found}");
    }
}
