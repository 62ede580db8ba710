//! Ranks give what one rank gives.

use crate::models::every_model;
use crate::training::{outcomes, training, with_vocabulary};

/// Without clipping, whose norm is a sum over ranks and therefore rounded differently.
const WITHOUT_CLIPPING: &str = "clip_norm = 0.0\ntable_clip_norm = 0.0\n";

#[test]
fn ranks_with_one_part_each_have_the_bits_of_one_rank_with_as_many_micro_batches() {
    for (name, model) in every_model() {
        let model = with_vocabulary(&model);
        for ranks in [2, 4] {
            let micro_batches = format!("{WITHOUT_CLIPPING}micro_batches = {ranks}");
            let one = outcomes(1, (&model, &training(&micro_batches), 3)).remove(0);
            let all = outcomes(ranks, (&model, &training(WITHOUT_CLIPPING), 3));
            for (rank, own) in all.iter().enumerate() {
                // Not the norms of gradients: sums in another order.
                for (step, (own, one)) in own.steps.iter().zip(&one.steps).enumerate() {
                    let of =
                        |values: &[f64; 5]| [values[0], values[1], values[4]].map(f64::to_bits);
                    assert_eq!(
                        of(own),
                        of(one),
                        "{name}: rank {rank} of {ranks}, step {step}"
                    );
                }
                assert_eq!(own.steps.len(), one.steps.len());
                assert_eq!(own.weights, one.weights, "{name}: rank {rank} of {ranks}");
            }
        }
    }
}

#[test]
fn losses_do_not_depend_on_the_number_of_ranks() {
    let training =
        training("micro_batches = 4\nclip_norm = 0.2\ntable_clip_norm = 0.01\noutliers = {}");
    for (name, model) in every_model() {
        let model = with_vocabulary(&model);
        let one = outcomes(1, (&model, &training, 5)).remove(0);
        assert!(one.steps[0][2] > 0.2, "{name}: gradients are clipped");
        for ranks in [2, 4] {
            for own in outcomes(ranks, (&model, &training, 5)) {
                for (step, (own, one)) in own.steps.iter().zip(&one.steps).enumerate() {
                    for (own, one) in own.iter().zip(one) {
                        let difference = (own - one).abs() / one.abs().max(1.0);
                        assert!(
                            difference < 1e-6,
                            "{name}: {ranks} ranks, step {step}: {own} {one}"
                        );
                    }
                }
            }
        }
    }
}
