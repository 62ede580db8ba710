//! Ranks give what one rank gives.

use crate::training::{has_tables, models_for_ranks, outcomes, training};

/// Without clipping, whose norm is a sum over ranks and therefore rounded differently.
const WITHOUT_CLIPPING: &str = "clip_norm = 0.0\ntable_clip_norm = 0.0\n";

/// Gradients that ranks exchange together after a step, or segment by segment.
const EXCHANGES: [&str; 3] = [
    "",
    "zero_stage = 2\n",
    "zero_stage = 2\nrecompute = \"layers\"\n",
];

/// Without tables, whose entries ranks sum in another order than micro-batches, and whose dot products are sums over ranks.
#[test]
fn ranks_with_one_part_each_have_the_bits_of_one_rank_with_as_many_micro_batches() {
    let models = models_for_ranks().into_iter();
    for (name, model) in models.filter(|(_, model)| !has_tables(model)) {
        for ranks in [2, 4] {
            let micro_batches = format!("{WITHOUT_CLIPPING}micro_batches = {ranks}");
            let one = outcomes(1, (&model, &training(&micro_batches), 3)).remove(0);
            let all = EXCHANGES.into_iter().flat_map(|exchanges| {
                let training = training(&format!("{WITHOUT_CLIPPING}{exchanges}"));
                outcomes(ranks, (&model, &training, 3))
            });
            for (number, own) in all.enumerate() {
                let rank = number % ranks;
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
fn losses_and_norms_do_not_depend_on_the_number_of_ranks() {
    // On each rank parts in parallel, in sequence, and in parallel with gradients exchanged after them.
    let divisions = [
        "micro_batches = 4",
        "accumulate = 4\nzero_stage = 2\nrecompute = \"layers\"",
        "micro_batches = 4\nzero_stage = 2\nrecompute = 2",
    ];
    for division in divisions {
        check_losses_and_norms(division);
    }
}

fn check_losses_and_norms(division: &str) {
    let keys = format!("{division}\nclip_norm = 0.2\ntable_clip_norm = 0.01\noutliers = {{}}");
    let training = training(&keys);
    for (name, model) in models_for_ranks() {
        let one = outcomes(1, (&model, &training, 5)).remove(0);
        assert!(one.steps[0][2] > 0.2, "{name}: gradients are clipped");
        assert_eq!(one.steps[0][3] > 0.0, has_tables(&model), "{name}");
        for ranks in [2, 4] {
            for own in outcomes(ranks, (&model, &training, 5)) {
                for (step, (own, one)) in own.steps.iter().zip(&one.steps).enumerate() {
                    // Losses, and norms, which are less smooth: Engram's gate has a root.
                    let most = [1e-6, 1e-6, 1e-4, 1e-4, 1e-6];
                    for ((own, one), most) in own.iter().zip(one).zip(most) {
                        let difference = (own - one).abs() / one.abs().max(1.0);
                        assert!(
                            difference < most,
                            "{name}, {division}: {ranks} ranks, step {step}: {own} {one}"
                        );
                    }
                }
            }
        }
    }
}
