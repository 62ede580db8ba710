//! A parabola by least squares.

use super::minimize::solve;

/// `y = at_centre + slope (x - centre) + curvature (x - centre)^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parabola {
    /// Mean of `x`.
    pub centre: f64,
    /// Value at the centre.
    pub at_centre: f64,
    /// First derivative at the centre.
    pub slope: f64,
    /// Coefficient of the square.
    pub curvature: f64,
}

impl Parabola {
    /// Through points by least squares; none with fewer than three distinct x.
    pub(super) fn through(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len() as f64;
        let centre = points.iter().map(|(x, _)| x).sum::<f64>() / n;
        let mut matrix = [[0.0; 3]; 3];
        let mut right = [0.0; 3];
        for &(x, y) in points {
            let x = x - centre;
            let columns = [1.0, x, x * x];
            for i in 0..3 {
                right[i] += columns[i] * y;
                for j in 0..3 {
                    matrix[i][j] += columns[i] * columns[j];
                }
            }
        }
        let [at_centre, slope, curvature] = solve(matrix, right)?;
        Some(Self {
            centre,
            at_centre,
            slope,
            curvature,
        })
    }

    /// Value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        let x = x - self.centre;
        self.at_centre + x * (self.slope + x * self.curvature)
    }

    /// The position of the minimum; none where it does not open upward.
    pub fn lowest(&self) -> Option<f64> {
        (self.curvature > 0.0).then(|| self.centre - self.slope / (2.0 * self.curvature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_found_and_a_line_is_not() {
        let points: Vec<(f64, f64)> = [10.0, 11.0, 12.5, 14.0]
            .map(|x: f64| (x, 3.0 + 0.2 * (x - 12.0).powi(2)))
            .to_vec();
        let found = Parabola::through(&points).unwrap();
        assert!((found.lowest().unwrap() - 12.0).abs() < 1e-9);
        assert!((found.at(12.0) - 3.0).abs() < 1e-9);
        assert_eq!(
            Parabola::through(&[(1.0, 1.0), (2.0, 1.0), (2.0, 3.0)]),
            None
        );
        let down = Parabola::through(&[(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)]).unwrap();
        assert_eq!(down.lowest(), None);
    }
}
