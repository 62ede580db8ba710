//! Learning rates of sizes that are not tuned, by a law fitted to those that are.
//!
//! ```text
//! ln rate(block, N, D) = a(block) + b ln N + c ln D
//! ```
//!
//! N is the number of parameters of the dense decoder of the size without its vocabulary, D its training tokens: the form of Li et al.
//! 2025 ("Step Law"), whose constants do not hold at other sizes and batches. Where D follows from N at the sizes tuned, their exponents
//! cannot be told apart, and c is 0. The law is checked by leaving each width out and comparing the loss at the predicted rate
//! with the lowest of that width's own curve. Exponents from a few noisy optima can extrapolate worse than no exponents: the law with
//! b = c = 0, the geometric mean of a block's rates, is checked the same way, and the form with the smaller largest regret is used.

use std::collections::{BTreeMap, BTreeSet};

use super::search::{Curve, minimum, parabola, rounded};

/// A block at a size that is tuned.
#[derive(Clone, Debug)]
pub struct Tuned<'a> {
    /// Label of the size.
    pub size: &'a str,
    /// Label of the block.
    pub block: &'a str,
    /// ln N and ln D.
    pub scale: Scale,
    /// The curve of its learning rate.
    pub curve: &'a Curve,
}

/// ln N and ln D of a size.
pub type Scale = (f64, f64);

/// The law.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// Exponent of N.
    pub params: f64,
    /// Exponent of D.
    pub tokens: f64,
    /// ln rate of each block at N = D = 1.
    levels: BTreeMap<String, f64>,
}

/// The form of the law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With the exponents of least squares.
    Power,
    /// b = c = 0.
    Constant,
}

/// A block at a width that was left out of the fit and predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Label of the size.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// The rate predicted.
    pub predicted: f64,
    /// Loss at that rate minus the lowest, both on the parabola of its own curve, in nats; infinite outside the grid.
    pub regret: f64,
}

impl Law {
    /// The law of the form that predicts the widths left out with the smaller largest regret, and its predictions of them.
    pub fn choose(cells: &[Tuned]) -> (Self, Vec<LeftOut>) {
        let worst = |checked: &[LeftOut]| {
            let regrets = checked.iter().map(|cell| cell.regret);
            regrets.fold(0.0, f64::max)
        };
        let [power, constant] = [Form::Power, Form::Constant].map(|form| left_out(cells, form));
        if worst(&constant) < worst(&power) {
            (Self::fit(cells, Form::Constant), constant)
        } else {
            (Self::fit(cells, Form::Power), power)
        }
    }

    /// The law of least squares through the rates picked.
    pub fn fit(cells: &[Tuned], form: Form) -> Self {
        let mut blocks: BTreeMap<&str, Vec<[f64; 3]>> = BTreeMap::new();
        for cell in cells {
            let point = [cell.scale.0, cell.scale.1, cell.curve.picked.ln()];
            blocks.entry(cell.block).or_default().push(point);
        }
        let mean = |points: &[[f64; 3]], axis: usize| {
            points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64
        };
        // Levels of blocks are removed by centring each block's points.
        let centred: Vec<[f64; 3]> = blocks
            .values()
            .flat_map(|points| {
                let centre = [0, 1, 2].map(|axis| mean(points, axis));
                points
                    .iter()
                    .map(move |point| [0, 1, 2].map(|axis| point[axis] - centre[axis]))
            })
            .collect();
        let dot = |a: usize, b: usize| centred.iter().map(|point| point[a] * point[b]).sum::<f64>();
        let (nn, nd, dd) = (dot(0, 0), dot(0, 1), dot(1, 1));
        let determinant = nn * dd - nd * nd;
        let (params, tokens) = if form == Form::Constant {
            (0.0, 0.0)
        } else if determinant > 1e-3 * nn * dd {
            (
                (dd * dot(0, 2) - nd * dot(1, 2)) / determinant,
                (nn * dot(1, 2) - nd * dot(0, 2)) / determinant,
            )
        } else if nn > 0.0 {
            (dot(0, 2) / nn, 0.0)
        } else {
            (0.0, 0.0)
        };
        let levels = blocks.iter().map(|(block, points)| {
            let level = mean(points, 2) - params * mean(points, 0) - tokens * mean(points, 1);
            ((*block).to_owned(), level)
        });
        Self {
            params,
            tokens,
            levels: levels.collect(),
        }
    }

    /// The rate of a block; none of a block that is tuned nowhere.
    pub fn rate(&self, block: &str, scale: Scale) -> Option<f64> {
        let level = self.levels.get(block)?;
        let ln = level + self.params * scale.0 + self.tokens * scale.1;
        Some(rounded(ln.exp()))
    }
}

/// Every cell predicted by the law of a form that is fitted without its width.
pub fn left_out(cells: &[Tuned], form: Form) -> Vec<LeftOut> {
    let bits = |cell: &Tuned| cell.scale.0.to_bits();
    let widths: BTreeSet<u64> = cells.iter().map(bits).collect();
    let predictions = widths.into_iter().flat_map(|width| {
        let (out, rest): (Vec<Tuned>, Vec<Tuned>) =
            cells.iter().cloned().partition(|cell| bits(cell) == width);
        let law = Law::fit(&rest, form);
        let predicted = out.into_iter().filter_map(move |cell| {
            let predicted = law.rate(cell.block, cell.scale)?;
            Some(LeftOut {
                size: cell.size.to_owned(),
                block: cell.block.to_owned(),
                predicted,
                regret: regret(cell.curve, predicted),
            })
        });
        predicted.collect::<Vec<_>>()
    });
    predictions.collect()
}

/// Loss at `rate` minus the lowest loss of a curve, on the parabola through its three lowest neighbours.
fn regret(curve: &Curve, rate: f64) -> f64 {
    let points: Vec<(f64, f64)> = curve
        .trials
        .iter()
        .filter_map(|(value, trial)| {
            Some((value.ln(), trial.loss.filter(|loss| loss.is_finite())?))
        })
        .collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return f64::INFINITY;
    };
    let at = rate.ln();
    if points.len() < 3 || at < first.0 || at > last.0 {
        return f64::INFINITY;
    }
    let three = |middle: usize| -> (Vec<f64>, Vec<f64>) {
        let middle = middle.clamp(1, points.len() - 2);
        points[middle - 1..=middle + 1].iter().copied().unzip()
    };
    let best = (0..points.len()).min_by(|&a, &b| points[a].1.total_cmp(&points[b].1));
    let (x, y) = three(best.unwrap_or(1));
    let lowest = if y[1] <= y[0] && y[1] <= y[2] {
        minimum(&x, &y).1
    } else {
        y[0].min(y[2])
    };
    let distance = |point: usize| (points[point].0 - at).abs();
    let nearest = (0..points.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    let (x, y) = three(nearest.unwrap_or(1));
    (parabola(&x, &y, at) - lowest).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::search::{Outcome, Setting};
    use super::*;

    fn curve(best: f64) -> Curve {
        let trials = (-3..=3).map(|step| {
            let value = best * 2f64.powi(step) * 1.1;
            let outcome = Outcome {
                run: String::new(),
                loss: Some(2.0 + 0.1 * (value / best).ln().powi(2)),
                train_flops: 1.0,
            };
            (value, outcome)
        });
        Curve {
            setting: Setting::LearningRate,
            trials: trials.collect(),
            picked: best,
            at_edge: false,
        }
    }

    fn law(level: f64, scale: Scale) -> f64 {
        (level - 0.7 * scale.0 + 0.3 * scale.1).exp()
    }

    #[test]
    fn a_law_is_recovered_and_its_regret_is_none() {
        let scales: Vec<Scale> = vec![(10.0, 12.0), (11.0, 12.5), (12.0, 12.2), (13.0, 14.1)];
        let curves: Vec<(&str, Scale, Curve)> = [("dense", 1.0), ("memory", 1.5)]
            .into_iter()
            .flat_map(|(block, level)| {
                let of = move |&scale: &Scale| (block, scale, curve(law(level, scale)));
                scales.iter().map(of).collect::<Vec<_>>()
            })
            .collect();
        let cells: Vec<Tuned> = curves
            .iter()
            .map(|(block, scale, curve)| Tuned {
                size: "s",
                block,
                scale: *scale,
                curve,
            })
            .collect();
        let fitted = Law::fit(&cells, Form::Power);
        assert!((fitted.params + 0.7).abs() < 1e-9 && (fitted.tokens - 0.3).abs() < 1e-9);
        let predicted = fitted.rate("memory", (14.0, 13.0)).unwrap();
        assert!((predicted / law(1.5, (14.0, 13.0)) - 1.0).abs() < 0.01);
        assert_eq!(fitted.rate("peer", (14.0, 13.0)), None);
        let (chosen, checked) = Law::choose(&cells);
        assert_eq!(chosen, fitted);
        assert_eq!(checked.len(), 8);
        assert!(checked.iter().all(|cell| cell.regret < 1e-3), "{checked:?}");
    }

    #[test]
    fn tokens_that_follow_from_parameters_have_no_exponent_of_their_own() {
        let curves = [1, 2, 3].map(|n| {
            let scale = (f64::from(n), 20.0 + f64::from(n));
            (scale, curve(law(1.0, scale)))
        });
        let cells: Vec<Tuned> = curves
            .iter()
            .map(|(scale, curve)| Tuned {
                size: "s",
                block: "dense",
                scale: *scale,
                curve,
            })
            .collect();
        let fitted = Law::fit(&cells, Form::Power);
        assert!((fitted.params + 0.4).abs() < 1e-9 && fitted.tokens == 0.0);
    }

    #[test]
    fn exponents_that_extrapolate_worse_than_none_are_not_used() {
        // The optimum does not depend on the width; two noisy ones suggest an exponent.
        let curves = [(10.0, 1.25), (11.0, 0.8), (14.0, 1.0)]
            .map(|(params, noise)| ((params, 20.0), curve(1e-3 * noise)));
        let cells: Vec<Tuned> = curves
            .iter()
            .map(|(scale, curve)| Tuned {
                size: "s",
                block: "dense",
                scale: *scale,
                curve,
            })
            .collect();
        let worst = |form| {
            left_out(&cells, form)
                .iter()
                .map(|cell| cell.regret)
                .fold(0.0, f64::max)
        };
        assert!(worst(Form::Constant) < 0.02 && worst(Form::Power) > 0.1);
        let (law, checked) = Law::choose(&cells);
        assert_eq!((law.params, law.tokens, checked.len()), (0.0, 0.0, 3));
        assert!((law.rate("dense", (20.0, 20.0)).unwrap() - 1e-3).abs() < 1e-8);
    }

    #[test]
    fn a_rate_beside_the_optimum_costs_what_its_curve_says() {
        let curve = curve(1e-3);
        for factor in [0.25, 0.5, 1.0, 2.0, 4.0] {
            let expected = 0.1 * f64::ln(factor).powi(2);
            assert!((regret(&curve, 1e-3 * factor) - expected).abs() < 1e-9);
        }
        assert_eq!(regret(&curve, 1.0), f64::INFINITY);
    }
}
