//! Scores on the held-out documents of text corpora.

use std::collections::BTreeSet;

use super::scores::is_scored;
use super::{Rung, Study};
use crate::statistics::{Interval, mean_over_seeds, paired_over_seeds};
use crate::{RunRow, ScoreRow};

/// Metric of the text in bits per byte, which can be compared between tokenizers.
pub const BITS_PER_BYTE: &str = "bits_per_byte";
/// Metric of all tokens in nats.
pub const NATS_PER_TOKEN: &str = "nats_per_token";

/// What a block has on the held-out documents of one corpus, at one size and budget.
#[derive(Clone, Debug)]
pub struct HeldOutScore<'a> {
    /// Label of the corpus.
    pub corpus: &'a str,
    /// Label of the block.
    pub block: &'a str,
    /// Label of the size and budget.
    pub rung: &'a str,
    /// Mean over seeds; with one seed its own interval, over documents.
    pub bits_per_byte: Interval,
    /// The same in nats per token.
    pub nats_per_token: Interval,
    /// Bits per byte less those of dense, paired by seed; none of dense itself.
    pub less_dense: Option<Interval>,
}

/// The scores of all blocks at all sizes on all corpora.
pub fn held_out_scores<'a>(study: &'a Study<'a>) -> Vec<HeldOutScore<'a>> {
    let scored = study.frames.scores().iter();
    let corpora: BTreeSet<&str> = scored
        .filter(|score| score.metric == BITS_PER_BYTE && is_scored(score))
        .map(|score| score.suite.as_str())
        .collect();
    let mut scores = Vec::new();
    for corpus in corpora {
        for rung in &study.rungs {
            let of_block = |block: &&'a str| score(study, corpus, block, rung);
            scores.extend(study.blocks.iter().filter_map(of_block));
        }
    }
    scores
}

fn score<'a>(
    study: &Study<'a>,
    corpus: &'a str,
    block: &'a str,
    rung: &'a Rung,
) -> Option<HeldOutScore<'a>> {
    let runs = study.finished(block, rung);
    let of = |metric: &'static str| {
        let rows: Vec<&ScoreRow> = runs
            .iter()
            .filter_map(|run| row(study, run, corpus, metric))
            .collect();
        over_seeds(&rows)
    };
    let dense = study.finished_reference(rung);
    let value = |run: &RunRow| Some(row(study, run, corpus, BITS_PER_BYTE)?.value);
    let pairs = runs.iter().filter_map(|run| {
        let same_seed = dense.iter().find(|dense| dense.seed == run.seed)?;
        Some((value(run)?, value(same_seed)?))
    });
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let differs = !study.is_reference(block) && study.comparable(block, rung) && !pairs.is_empty();
    Some(HeldOutScore {
        corpus,
        block,
        rung: &rung.label,
        bits_per_byte: of(BITS_PER_BYTE)?,
        nats_per_token: of(NATS_PER_TOKEN)?,
        less_dense: differs.then(|| paired_over_seeds(&pairs)),
    })
}

fn row<'a>(study: &Study<'a>, run: &RunRow, corpus: &str, metric: &str) -> Option<&'a ScoreRow> {
    study.frames.scores().iter().find(|score| {
        score.run == run.run && score.suite == corpus && score.metric == metric && is_scored(score)
    })
}

fn over_seeds(rows: &[&ScoreRow]) -> Option<Interval> {
    match rows {
        [] => None,
        [row] => Some(Interval {
            value: row.value,
            low: row.low,
            high: row.high,
            n: 1,
            method: "over documents",
        }),
        rows => {
            let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
            Some(mean_over_seeds(&values))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::rows::{frames, seeded};
    use crate::{Frames, WHOLE_SUITE};

    #[test]
    fn seeds_are_averaged_and_paired_with_dense() {
        let runs = [("dense", 0), ("dense", 1), ("memory", 0), ("memory", 1)];
        let runs = runs.map(|(block, seed)| (seeded(1, block, seed), 100));
        let all = frames(runs.to_vec(), vec![]);
        let bits = [2.0, 2.2, 1.9, 2.1];
        let mut scores = Vec::new();
        for (run, bits) in all.runs().iter().zip(bits) {
            for (metric, value) in [(BITS_PER_BYTE, bits), (NATS_PER_TOKEN, 3.0 * bits)] {
                scores.push(ScoreRow {
                    run: run.run.clone(),
                    suite: "web".into(),
                    task: WHOLE_SUITE.into(),
                    metric: metric.into(),
                    value,
                    ..all.scores()[0].clone()
                });
            }
        }
        let frames = Frames::new(all.runs().to_vec(), vec![], scores, vec![], vec![]);
        let study = Study::new(&frames);
        let found = held_out_scores(&study);
        let names: Vec<&str> = found.iter().map(|score| score.block).collect();
        assert_eq!(names, ["dense", "memory"]);
        assert!((found[0].bits_per_byte.value - 2.1).abs() < 1e-12);
        assert!((found[1].nats_per_token.value - 6.0).abs() < 1e-12);
        assert!(found[0].less_dense.is_none());
        let difference = found[1].less_dense.unwrap();
        assert!((difference.value + 0.1).abs() < 1e-12 && difference.n == 2);
    }
}
