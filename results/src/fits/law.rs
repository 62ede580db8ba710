//! The parametric law, and its Huber objective on points.

use super::LossPoint;

/// The residual at which Huber's loss changes from quadratic to linear: 0.1 % of the loss. Hoffmann et al. (2022), eq. 3.
pub const DELTA: f64 = 1e-3;

/// `L(N, D) = E + A / N^alpha + B / D^beta`: Hoffmann et al., "Training Compute-Optimal Large Language Models" (2022),
/// equation 2. Losses in nats per token; A and B have the units of N^alpha and D^beta, so that they can only be read
/// together with the exponents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// E, the irreducible loss, in nats per token.
    pub irreducible: f64,
    /// A.
    pub a: f64,
    /// B.
    pub b: f64,
    /// Exponent of the parameters.
    pub alpha: f64,
    /// Exponent of the tokens.
    pub beta: f64,
}

impl Law {
    /// Nats per token at N parameters and D tokens.
    pub fn loss(&self, params: f64, tokens: f64) -> f64 {
        self.irreducible + self.a * params.powf(-self.alpha) + self.b * tokens.powf(-self.beta)
    }

    /// `beta / (alpha + beta)`: the power of compute by which the best N grows, where FLOPs are proportional to N D.
    pub fn params_exponent(&self) -> f64 {
        self.beta / (self.alpha + self.beta)
    }

    /// `alpha / (alpha + beta)`: the same for the best D.
    pub fn tokens_exponent(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// The best N and D under `C = flops_per * N * D`; six is usual for a dense decoder when attention is left out.
    /// Hoffmann et al. (2022), equation 4.
    pub fn optimum(&self, flops: f64, flops_per: f64) -> (f64, f64) {
        let ratio =
            (self.alpha * self.a / (self.beta * self.b)).powf(1.0 / (self.alpha + self.beta));
        let product = flops / flops_per;
        let params = ratio * product.powf(self.params_exponent());
        (params, product / params)
    }
}

/// Huber's loss of one residual.
fn huber(residual: f64) -> f64 {
    if residual.abs() <= DELTA {
        residual * residual / 2.0
    } else {
        DELTA * (residual.abs() - DELTA / 2.0)
    }
}

/// The points as the optimizer's input: centred logarithms, each with a weight.
///
/// The free parameters are the logarithms of the three terms *at the centre of the points*, and the two exponents. With `ln
/// A` itself, a change of 0.01 in the exponent would require one of 0.2 in `ln A` to keep the fit; centred, the two are
/// nearly independent, and a quasi-Newton method needs tens of steps, not thousands.
#[derive(Clone, Debug)]
pub(super) struct Residuals {
    /// `ln N` and `ln D` less their means, and `ln L`, by point.
    rows: Vec<[f64; 3]>,
    weights: Vec<f64>,
    centre: [f64; 2],
}

/// `[ln(A / N0^alpha), ln(B / D0^beta), ln E, alpha, beta]`, with `N0` and `D0` the geometric means of the points.
pub(super) type Free = [f64; 5];

impl Residuals {
    pub fn new(points: &[LossPoint]) -> Self {
        let n = points.len() as f64;
        let mean = |of: fn(&LossPoint) -> f64| points.iter().map(|p| of(p).ln()).sum::<f64>() / n;
        let centre = [mean(|p| p.params), mean(|p| p.tokens)];
        Self {
            rows: points
                .iter()
                .map(|p| {
                    [
                        p.params.ln() - centre[0],
                        p.tokens.ln() - centre[1],
                        p.loss.ln(),
                    ]
                })
                .collect(),
            weights: vec![1.0; points.len()],
            centre,
        }
    }

    /// The same points with other weights: how often each was drawn.
    pub fn weighted(&self, weights: Vec<f64>) -> Self {
        Self {
            weights,
            ..self.clone()
        }
    }

    /// Rows that were drawn, with their weights.
    pub fn rows(&self) -> impl Iterator<Item = (&[f64; 3], f64)> {
        let weights = self.weights.iter().copied();
        self.rows
            .iter()
            .zip(weights)
            .filter(|(_, weight)| *weight > 0.0)
    }

    /// Summed Huber loss of `ln L` against the log-sum-exp of the three terms, and its gradient.
    pub fn objective(&self, at: &Free) -> (f64, Free) {
        let [a, b, e, alpha, beta] = *at;
        let mut sum = 0.0;
        let mut gradient = [0.0; 5];
        for (&[params, tokens, loss], weight) in self.rows() {
            let terms = [a - alpha * params, b - beta * tokens, e];
            let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares = terms.map(|term| (term - most).exp());
            let total: f64 = shares.iter().sum();
            let residual = most + total.ln() - loss;
            sum += weight * huber(residual);
            let slope = weight * residual.clamp(-DELTA, DELTA) / total;
            gradient[0] += slope * shares[0];
            gradient[1] += slope * shares[1];
            gradient[2] += slope * shares[2];
            gradient[3] -= slope * shares[0] * params;
            gradient[4] -= slope * shares[1] * tokens;
        }
        (sum, gradient)
    }

    pub fn law(&self, at: &Free) -> Law {
        let [a, b, e, alpha, beta] = *at;
        Law {
            irreducible: e.exp(),
            a: (a + alpha * self.centre[0]).exp(),
            b: (b + beta * self.centre[1]).exp(),
            alpha,
            beta,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_objective() {
        let point = |i: u32| LossPoint {
            budget: 1.0,
            params: 1e6 * 2f64.powi(i as i32),
            tokens: 3e7 * 3f64.powi((i * i % 5) as i32),
            flops: 1.0,
            loss: 2.0 + f64::from(i * 7 % 4),
        };
        let points: Vec<LossPoint> = (0..9).map(point).collect();
        let residuals =
            Residuals::new(&points).weighted((0..9).map(|i| f64::from(i % 3)).collect());
        let at = [-0.3, 0.1, 0.6, 0.4, 0.2];
        let (_, gradient) = residuals.objective(&at);
        for i in 0..5 {
            let moved = |by: f64| {
                let mut at = at;
                at[i] += by;
                residuals.objective(&at).0
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!(
                (slope - gradient[i]).abs() < 1e-8,
                "{i}: {slope} {}",
                gradient[i]
            );
        }
    }

    #[test]
    fn the_optimum_is_a_minimum_at_fixed_flops() {
        let law = Law {
            irreducible: 1.8,
            a: 480.0,
            b: 2100.0,
            alpha: 0.35,
            beta: 0.37,
        };
        let (params, tokens) = law.optimum(1e20, 6.0);
        assert!((6.0 * params * tokens / 1e20 - 1.0).abs() < 1e-12);
        let best = law.loss(params, tokens);
        assert!(best < law.loss(params * 1.01, tokens / 1.01));
        assert!(best < law.loss(params / 1.01, tokens * 1.01));
        assert!((law.params_exponent() + law.tokens_exponent() - 1.0).abs() < 1e-12);
    }
}
