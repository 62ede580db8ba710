//! The least summed Huber loss, from many starts.
//!
//! Given the two exponents the law is linear in E, A and B. A start is therefore a pair of exponents from a grid, with the
//! three coefficients by least squares: 36 starts replace the thousands of a grid over five parameters. From each, L-BFGS-B
//! runs within bounds so wide that a result at a bound is reported as a warning; the best is refined by the simplex method
//! of Nelder and Mead, because Huber's loss has discontinuities in its second derivative, at which quasi-Newton steps stall
//! early.

use std::convert::Infallible;

use basin::{
    BoxBounds, ConstraintDescription, ConstraintSet, Constraints, CostFunction, Executor, Gradient,
    Lbfgsb, NelderMead,
};

use super::law::{DELTA, Free, Residuals};

/// The grid of exponents, for N and for D.
const EXPONENTS: [f64; 6] = [0.05, 0.2, 0.4, 0.7, 1.2, 2.0];
/// Bounds of the exponents in the search.
pub(super) const EXPONENT_BOUNDS: (f64, f64) = (0.0, 4.0);
/// The lower bound of a term, in e-folds below the loss: less than a millionth of it is negligible.
pub(super) const FOLDS: f64 = 14.0;

/// Why the optimizer cannot fail: its errors are those of the problem.
const CANNOT_FAIL: &str = "bounds are finite and ordered, and the objective is total";

struct Problem<'a> {
    residuals: &'a Residuals,
    low: Vec<f64>,
    high: Vec<f64>,
}

/// Objectives are in units of [`DELTA`], near one: the optimizer's tolerances are absolute.
impl CostFunction for Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;
    type Error = Infallible;

    fn cost(&self, at: &Vec<f64>) -> Result<f64, Infallible> {
        Ok(self.cost_and_gradient(at)?.0)
    }
}

impl Gradient for Problem<'_> {
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>, Infallible> {
        Ok(self.cost_and_gradient(at)?.1)
    }

    fn cost_and_gradient(&self, at: &Vec<f64>) -> Result<(f64, Vec<f64>), Infallible> {
        let (cost, gradient) = self.residuals.objective(&free(at));
        Ok((cost / DELTA, gradient.iter().map(|g| g / DELTA).collect()))
    }
}

impl Constraints for Problem<'_> {
    type Set = ConstraintSet<BoxBounds<Vec<f64>>>;

    fn constraints(&self) -> <Self::Set as ConstraintDescription>::Borrowed<'_> {
        ConstraintSet::new().with_bounds(BoxBounds::new(Some(&self.low), Some(&self.high)))
    }
}

fn free(at: &[f64]) -> Free {
    [at[0], at[1], at[2], at[3], at[4]]
}

impl<'a> Problem<'a> {
    fn new(residuals: &'a Residuals) -> Self {
        let (low, high) = term_bounds(residuals);
        let (least, most) = EXPONENT_BOUNDS;
        Self {
            residuals,
            low: vec![low, low, low, least, least],
            high: vec![high, high, high, most, most],
        }
    }
}

/// The range of the logarithm of a term at the centre: from negligible to well above the largest loss.
pub(super) fn term_bounds(residuals: &Residuals) -> (f64, f64) {
    let losses = || residuals.rows().map(|(row, _)| row[2]);
    let least = losses().fold(f64::INFINITY, f64::min);
    let most = losses().fold(f64::NEG_INFINITY, f64::max);
    (least - FOLDS, most + 2.0)
}

/// One descent: its end, and the objective there.
pub(super) fn descend(residuals: &Residuals, start: Free) -> (Free, f64) {
    let problem = Problem::new(residuals);
    let start = (0..5)
        .map(|i| start[i].clamp(problem.low[i], problem.high[i]))
        .collect();
    let ended = Executor::from_start(problem, Lbfgsb::new(), start)
        .max_iter(500)
        .run()
        .expect(CANNOT_FAIL);
    (free(ended.best_param()), ended.best_cost() * DELTA)
}

/// Simplex and descent in turn until neither improves the objective by more than a millionth.
pub(super) fn polish(residuals: &Residuals, from: (Free, f64)) -> (Free, f64) {
    let mut best = from;
    for _ in 0..20 {
        let before = best.1;
        let ended = Executor::from_start(
            Problem::new(residuals),
            NelderMead::new().projected(),
            best.0.to_vec(),
        )
        .max_iter(2000)
        .run()
        .expect(CANNOT_FAIL);
        let simplex = (free(ended.best_param()), ended.best_cost() * DELTA);
        for found in [simplex, descend(residuals, simplex.0)] {
            if found.1 < best.1 {
                best = found;
            }
        }
        if before - best.1 <= 1e-6 * before {
            break;
        }
    }
    best
}

/// The start of each pair of exponents, best first by the objective.
pub(super) fn starts(residuals: &Residuals) -> Vec<Free> {
    let mut found: Vec<(f64, Free)> = EXPONENTS
        .iter()
        .flat_map(|&alpha| EXPONENTS.iter().map(move |&beta| (alpha, beta)))
        .map(|(alpha, beta)| {
            let start = coefficients(residuals, alpha, beta);
            (residuals.objective(&start).0, start)
        })
        .collect();
    found.sort_by(|x, y| x.0.total_cmp(&y.0));
    found.into_iter().map(|(_, start)| start).collect()
}

/// E, A and B by least squares on relative errors, given the exponents. Where the best has a term that is not positive, the
/// best of the fits with fewer terms is taken, and the omitted terms start small.
fn coefficients(residuals: &Residuals, alpha: f64, beta: f64) -> Free {
    let (low, _) = term_bounds(residuals);
    let small = low + FOLDS - 5.0;
    let mut best = (f64::INFINITY, [small; 3]);
    for subset in 1..8u8 {
        let has = |term: usize| subset >> term & 1 == 1;
        // Normal equations of the terms in the subset; the others get a row of the identity.
        let mut matrix = [[0.0; 3]; 3];
        let mut right = [0.0; 3];
        for (&[params, tokens, loss], weight) in residuals.rows() {
            let columns =
                [-alpha * params, -beta * tokens, 0.0].map(|term: f64| (term - loss).exp());
            for i in (0..3).filter(|&i| has(i)) {
                right[i] += weight * columns[i];
                for j in (0..3).filter(|&j| has(j)) {
                    matrix[i][j] += weight * columns[i] * columns[j];
                }
            }
        }
        for i in (0..3).filter(|&i| !has(i)) {
            matrix[i][i] = 1.0;
        }
        let Some(solved) = solve(matrix, right) else {
            continue;
        };
        if (0..3).any(|i| has(i) && solved[i] <= 0.0) {
            continue;
        }
        let logs = std::array::from_fn(|i| if has(i) { solved[i].ln() } else { small });
        let [a, b, e] = logs;
        let objective = residuals.objective(&[a, b, e, alpha, beta]).0;
        if objective < best.0 {
            best = (objective, logs);
        }
    }
    let [a, b, e] = best.1;
    [a, b, e, alpha, beta]
}

/// Three linear equations by Gaussian elimination with pivots; none where they are dependent.
pub(super) fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> Option<[f64; 3]> {
    let scale = matrix
        .iter()
        .flatten()
        .fold(0.0, |most: f64, x| most.max(x.abs()));
    for step in 0..3 {
        let pivot =
            (step..3).max_by(|&i, &j| matrix[i][step].abs().total_cmp(&matrix[j][step].abs()))?;
        matrix.swap(step, pivot);
        right.swap(step, pivot);
        if matrix[step][step].abs() <= 1e-12 * scale {
            return None;
        }
        let above = matrix[step];
        for row in step + 1..3 {
            let factor = matrix[row][step] / above[step];
            for (cell, above) in matrix[row].iter_mut().zip(above) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[step];
        }
    }
    for step in (0..3).rev() {
        let known: f64 = (step + 1..3)
            .map(|column| matrix[step][column] * right[column])
            .sum();
        right[step] = (right[step] - known) / matrix[step][step];
    }
    Some(right)
}
