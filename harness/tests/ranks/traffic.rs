//! Bytes and exchanges of a step, counted and by formula.

use experiment::communication::Exchanging;
use experiment::training::Division;

use crate::training::{has_tables, models_for_ranks, outcomes, training};

/// Gradients exchanged once, after each part, and segment by segment.
const DIVISIONS: [&str; 3] = [
    "",
    "accumulate = 8\nzero_stage = 2",
    "accumulate = 8\nzero_stage = 2\nrecompute = \"layers\"",
];

#[test]
fn bytes_of_a_step_are_those_of_the_formula() {
    let compared = [
        "dense",
        "moe top-1",
        "memory",
        "memory+",
        "peer",
        "hashed_bigram",
    ];
    let models = models_for_ranks().into_iter();
    let mut count = 0;
    for (name, model) in models.filter(|(name, _)| compared.contains(&name.as_str())) {
        for division in DIVISIONS {
            // The formula counts the lookups of the last segment twice, which are not evaluated again.
            if has_tables(&model) && division.contains("recompute") {
                continue;
            }
            count += 1;
            let training = training(&format!("table_clip_norm = 0.0\n{division}"));
            let cost = model.cost().unwrap();
            let tokens = (training.batch_size * model.decoder.seq_len) as u64;
            for ranks in [2, 4] {
                // Both validate twice.
                let sent = |steps| outcomes(ranks, (&model, &training, steps))[0].traffic;
                let (few, many) = (sent(3), sent(6));
                let bytes = (many.bytes_sent - few.bytes_sent) as f64 / 3.0;
                let exchanges = (many.exchanges - few.exchanges) as f64 / 3.0;
                let of_rank = Exchanging {
                    cost: &cost,
                    layers: model.decoder.n_layers,
                    division: Division::of(&training),
                }
                .on_ranks(ranks);
                let formula = of_rank.step(tokens);
                // Not in the formula: padding of each part, and the messages of a few hundred bytes.
                let other = bytes - formula.bytes;
                let most = 1_500.0 * (of_rank.division.accumulate * (ranks - 1)) as f64;
                assert!(
                    other > 0.0 && other < most,
                    "{name}, {division}, {ranks} ranks: {bytes} bytes, {}",
                    formula.bytes
                );
                // Nor the bounds and norms of tables; in it are two exchanges after the step, in which ranks agree to go on.
                let of_step = formula.exchanges - 2.0;
                assert!(
                    exchanges >= of_step && exchanges <= of_step + 12.0,
                    "{name}, {division}, {ranks} ranks: {exchanges} exchanges, {}",
                    formula.exchanges
                );
            }
        }
    }
    assert_eq!(count, 2 * 3 + 4 * 2);
}
