//! Bytes and exchanges of a step, counted and by formula.

use experiment::communication::StepExchanges;

use crate::training::{models_for_ranks, outcomes, training};

#[test]
fn bytes_of_a_step_are_those_of_the_formula() {
    let training = training("table_clip_norm = 0.0");
    let compared = ["dense", "moe top-1", "memory", "memory+", "peer"];
    let models = models_for_ranks().into_iter();
    let mut count = 0;
    for (name, model) in models.filter(|(name, _)| compared.contains(&name.as_str())) {
        count += 1;
        let cost = model.cost().unwrap();
        let tokens = (training.batch_size * model.decoder.seq_len) as u64;
        for ranks in [2, 4] {
            // Both validate twice.
            let sent = |steps| outcomes(ranks, (&model, &training, steps))[0].traffic;
            let (few, many) = (sent(3), sent(6));
            let bytes = (many.bytes_sent - few.bytes_sent) as f64 / 3.0;
            let exchanges = (many.exchanges - few.exchanges) as f64 / 3.0;
            let formula = StepExchanges::of(&cost, tokens, ranks, 1);
            // Not in the formula: padding, and the messages of a few hundred bytes.
            let other = bytes - formula.bytes;
            assert!(
                other > 0.0 && other < 1_500.0 * (ranks - 1) as f64,
                "{name}, {ranks} ranks: {bytes} bytes, {}",
                formula.bytes
            );
            // Nor the bounds and norms of tables; in it are two exchanges after the step, in which ranks agree to go on.
            let of_step = formula.exchanges - 2.0;
            assert!(
                exchanges >= of_step && exchanges <= of_step + 12.0,
                "{name}, {ranks} ranks: {exchanges} exchanges, {}",
                formula.exchanges
            );
        }
    }
    assert_eq!(count, compared.len());
}
