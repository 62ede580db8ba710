//! The parametric law: recovery, coverage, errors and warnings.

use super::{noise, point};
use crate::fits::*;

const LAW: Law = Law {
    irreducible: 1.8,
    a: 400.0,
    b: 2000.0,
    alpha: 0.34,
    beta: 0.37,
};

/// Six sizes by four token counts, losses by `of`.
fn grid(mut of: impl FnMut(f64, f64) -> f64) -> Vec<LossPoint> {
    let mut points = Vec::new();
    for i in 0..6 {
        for j in 0..4 {
            let (params, tokens) = (1e7 * 2.5f64.powi(i), 2e8 * 4f64.powi(j));
            points.push(point(params, tokens, of(params, tokens)));
        }
    }
    points
}

#[test]
fn a_law_is_found_from_points_that_follow_it() {
    for (alpha, beta) in [(0.34, 0.37), (0.1, 0.6), (0.8, 0.2)] {
        let law = Law {
            alpha,
            beta,
            a: 0.9 * 3e7f64.powf(alpha),
            b: 0.7 * 1e9f64.powf(beta),
            ..LAW
        };
        let found = parametric(&grid(|n, d| law.loss(n, d)), 0, 0).unwrap();
        assert!((found.law.alpha - alpha).abs() < 2e-3, "{found:?}");
        assert!((found.law.beta - beta).abs() < 2e-3, "{found:?}");
        assert!((found.law.irreducible - 1.8).abs() < 5e-3, "{found:?}");
        assert!(found.warnings.is_empty() && !found.alpha.is_bounded());
    }
}

#[test]
fn intervals_cover_the_law_in_most_noisy_data_sets() {
    let trials = 30;
    let mut held = [0; 3];
    for trial in 0..trials {
        let mut noise = noise(trial);
        let points = grid(|n, d| LAW.loss(n, d) * noise());
        let found = parametric(&points, 100, trial).unwrap();
        held[0] += i32::from(!found.irreducible.excludes(LAW.irreducible));
        held[1] += i32::from(!found.alpha.excludes(LAW.alpha));
        held[2] += i32::from(!found.params_exponent.excludes(LAW.params_exponent()));
    }
    assert!(
        held.iter().all(|&h| f64::from(h) >= 0.8 * trials as f64),
        "{held:?} of {trials}"
    );
}

#[test]
fn the_number_of_threads_changes_nothing_and_the_seed_does() {
    let mut noise = noise(0);
    let points = grid(|n, d| LAW.loss(n, d) * noise());
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| parametric(&points, 60, 5).unwrap())
    };
    assert_eq!(on(1), on(3));
    assert_ne!(on(1).alpha, parametric(&points, 60, 6).unwrap().alpha);
}

#[test]
fn too_few_points_are_an_error_that_states_the_minimum() {
    let points = grid(|n, d| LAW.loss(n, d));
    assert_eq!(
        parametric(&points[..5], 0, 0),
        Err(NoLaw::TooFewPoints { found: 5 })
    );
    assert_eq!(
        parametric(&points[..8], 0, 0),
        Err(NoLaw::TooFewParams { found: 2 })
    );
    let two: Vec<LossPoint> = points.iter().copied().filter(|p| p.tokens < 1e9).collect();
    assert_eq!(
        parametric(&two, 0, 0),
        Err(NoLaw::TooFewTokens { found: 2 })
    );
    let mut broken = points;
    broken[3].loss = f64::NAN;
    assert_eq!(parametric(&broken, 0, 0), Err(NoLaw::InvalidPoint));
    assert!(NoLaw::TooFewPoints { found: 5 }.to_string().contains('6'));
}

#[test]
fn parameters_that_are_not_identified_are_warnings() {
    let warnings = |points: &[LossPoint]| parametric(points, 0, 0).unwrap().warnings;
    let flat = grid(|_, d| 2.0 + 2000.0 * d.powf(-0.37));
    assert!(
        warnings(&flat).contains(&FitWarning::FlatInParams),
        "{:?}",
        warnings(&flat)
    );
    let falling = grid(|n, d| 400.0 * n.powf(-0.3) + 2000.0 * d.powf(-0.37));
    assert!(
        warnings(&falling).contains(&FitWarning::NoIrreducible),
        "{:?}",
        warnings(&falling)
    );
    let few = warnings(&grid(|n, d| LAW.loss(n, d))[..9]);
    assert_eq!(few, [FitWarning::FewPoints { found: 9 }]);
    let together: Vec<LossPoint> = (0..12)
        .map(|i| 1e7 * 2f64.powi(i))
        .map(|n| point(n, 20.0 * n, LAW.loss(n, 20.0 * n)))
        .collect();
    let found = warnings(&together);
    assert!(
        matches!(found[..], [.., FitWarning::Collinear { correlation }] if correlation > 0.999),
        "{found:?}"
    );
}
