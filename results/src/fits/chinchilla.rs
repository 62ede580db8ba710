//! Public points with a published fit, which ours must reproduce.

use super::{Law, LossPoint};

/// The points read off figure 4 of Hoffmann et al. (2022) by epoch-research/analyzing-chinchilla.
const TABLE: &str = include_str!("../../published/chinchilla.csv");

/// Points of the highest losses, which the replication omits.
const OUTLIERS: usize = 5;

/// A published fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedFit {
    /// The fitted law.
    pub law: Law,
    /// Summed Huber loss of the log losses.
    pub objective: f64,
    /// Points of the fit.
    pub points: usize,
    /// Where it was published.
    pub source: &'static str,
}

/// The best fit of T. Besiroglu et al., "Chinchilla Scaling: A replication attempt" (2024), as their code finds it:
/// `a` 6.1690, `b` 7.6698 and `e` 0.59730 in logarithms.
pub const CHINCHILLA: PublishedFit = PublishedFit {
    law: Law {
        irreducible: 1.8172,
        a: 477.8,
        b: 2142.7,
        alpha: 0.34730,
        beta: 0.36716,
    },
    objective: 0.001_018_274_04,
    points: 240,
    source: "epoch-research/analyzing-chinchilla: Besiroglu et al. 2024, on figure 4 of Hoffmann et al. 2022",
};

/// The 240 points of that fit: D = C / (6 N), and the five highest losses left out.
pub fn chinchilla() -> Vec<LossPoint> {
    let mut points: Vec<LossPoint> = TABLE.lines().skip(1).map(point).collect();
    let mut losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
    losses.sort_by(f64::total_cmp);
    let highest_kept = losses[losses.len() - OUTLIERS - 1];
    points.retain(|point| point.loss <= highest_kept);
    points
}

fn point(line: &str) -> LossPoint {
    let mut cells = line.split(',').map(|cell| {
        cell.trim()
            .parse::<f64>()
            .expect("the table is part of this program: its cells are numbers")
    });
    let mut next = || cells.next().expect("the table has three columns");
    let (params, flops, loss) = (next(), next(), next());
    LossPoint {
        budget: flops,
        params,
        tokens: flops / (6.0 * params),
        flops,
        loss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fits::parametric;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(TABLE.lines().count(), 246);
        let points = chinchilla();
        assert_eq!(points.len(), CHINCHILLA.points);
        assert!(points.iter().all(LossPoint::is_valid));
    }

    #[test]
    fn the_published_fit_is_reproduced() {
        let known = CHINCHILLA.law;
        let found = parametric(&chinchilla(), 200, 0).unwrap();
        let digits = |ours: f64, theirs: f64| {
            assert!(
                (ours / theirs - 1.0).abs() < 1e-3,
                "{ours} is not {theirs}: {found:?}"
            );
        };
        digits(found.law.irreducible, known.irreducible);
        digits(found.law.a, known.a);
        digits(found.law.b, known.b);
        digits(found.law.alpha, known.alpha);
        digits(found.law.beta, known.beta);
        assert!(
            (found.objective / CHINCHILLA.objective - 1.0).abs() < 1e-5,
            "{}",
            found.objective
        );
        assert_eq!(found.warnings, []);
        for (interval, theirs) in [
            (found.irreducible, known.irreducible),
            (found.a, known.a),
            (found.b, known.b),
            (found.alpha, known.alpha),
            (found.beta, known.beta),
        ] {
            assert!(
                interval.is_bounded() && !interval.excludes(theirs),
                "{interval:?}"
            );
        }
        // 240 points bound the exponent, with an interval of this width.
        assert!((0.03..0.12).contains(&(found.alpha.high - found.alpha.low)));
    }
}
