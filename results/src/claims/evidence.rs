//! The evidence of a rule in words: differences, accuracies, and the scale of the runs.

use crate::published::{MEMORY_LAYERS, published};
use crate::statistics::{Interval, Side};
use crate::{RunRow, fits::Reading};

use super::verdict::{Finding, Verdict};
use crate::number::{fixed, percent, prefixed, signed};
use crate::study::scores::{self, PairedDifference, Suite};
use crate::study::{BlockAtRung, Study};

/// The input of the rules.
pub struct ClaimData<'s, 'a> {
    pub study: &'s Study<'a>,
    pub suites: &'s [Suite<'a>],
}

impl<'s, 'a> ClaimData<'s, 'a> {
    /// The paired difference of two blocks on suites, each on its rung, and its text; or why there is none.
    pub fn difference(
        &self,
        suites: &[&Suite],
        ours: BlockAtRung,
        theirs: BlockAtRung,
    ) -> Result<(PairedDifference, String), String> {
        let difference = scores::accuracy_difference(self.study, suites, ours, theirs)?;
        let words = format!(
            "{} less {}: {} points{}, n {} items, {}",
            ours.0,
            theirs.0,
            signed(difference.interval.value * 100.0, 1),
            span(&difference.interval, 100.0),
            difference.interval.n,
            count(difference.seeds),
        );
        Ok((difference, words))
    }

    /// The accuracy of a block, and its text; or why there is none.
    pub fn accuracy(
        &self,
        suites: &[&Suite],
        at: BlockAtRung,
    ) -> Result<(Interval, String), String> {
        let (block, rung) = at;
        let entry =
            scores::block_score(self.study, suites, block, rung).map_err(|e| e.to_string())?;
        let accuracy = entry
            .ok_or_else(|| format!("{block} has no score"))?
            .accuracy;
        let words = format!(
            "{block} {} %{}",
            percent(accuracy.value),
            span(&accuracy, 100.0)
        );
        Ok((accuracy, words))
    }

    /// Size, parameters, tokens, seeds and names of the runs of these blocks.
    pub fn scale(&self, blocks: &[BlockAtRung]) -> String {
        let one = blocks.iter().all(|(_, rung)| *rung == blocks[0].1);
        let of = |at: &BlockAtRung| {
            let runs = self.study.at(*at);
            let first = runs.first()?;
            let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
            let size = match one {
                true => String::new(),
                false => format!(" at size {}", at.1.label),
            };
            Some(format!(
                "{}{size} {} dense and {} table parameters, {} tokens, {} ({})",
                at.0,
                prefixed(first.params_dense as f64),
                prefixed(first.params_table as f64),
                prefixed(first.tokens as f64),
                count(runs.len()),
                names.join(", "),
            ))
        };
        let texts: Vec<String> = blocks.iter().filter_map(of).collect();
        let size = match blocks {
            [(_, rung), ..] if one => format!("size {}: ", rung.label),
            _ => String::new(),
        };
        size + &texts.join("; ")
    }

    /// The largest recorded run, for headlines about larger models.
    pub fn most(&self) -> String {
        let finished = || {
            self.study
                .frames
                .runs()
                .iter()
                .filter(|run| run.status == "finished")
        };
        let most = |of: fn(&RunRow) -> f64| prefixed(finished().map(of).fold(0.0, f64::max));
        format!(
            "the largest run here has {} active and {} table parameters and {} tokens",
            most(|run| Reading::Active.of(run)),
            most(|run| run.params_table as f64),
            most(|run| run.tokens as f64),
        )
    }
}

pub fn count(seeds: usize) -> String {
    match seeds {
        1 => "one seed".into(),
        several => format!("{several} seeds"),
    }
}

fn span(interval: &Interval, scale: f64) -> String {
    match interval.is_bounded() {
        true => format!(
            " [{}, {}]",
            fixed(interval.low * scale, 1),
            fixed(interval.high * scale, 1)
        ),
        false => ", no interval".into(),
    }
}

/// The verdict of a rule about the sign of a difference.
pub fn sign(difference: &PairedDifference) -> Verdict {
    let found = match difference.interval.side(0.0) {
        Side::Above => Verdict::Supported,
        Side::Below => Verdict::Contradicted,
        Side::Undecided => Verdict::NotTested,
    };
    found.by(difference.seeds)
}

/// A finding; where the rule is undecided its evidence states why.
pub fn decided(outcome: Verdict, evidence: String, scale: String, undecided: &str) -> Finding {
    let evidence = match outcome {
        Verdict::NotTested => format!("{evidence}. Undecided: {undecided}"),
        _ => evidence,
    };
    Finding {
        outcome,
        evidence,
        scale,
    }
}

/// Published values of a metric at 1.3b in table 1, with their mark.
pub fn table_1(metric: &str, models: &[(&str, &str)]) -> String {
    let value = |(model, variant): &(&str, &str)| {
        let row = published().iter().find(|row| {
            row.source == MEMORY_LAYERS
                && row.table == "table 1"
                && row.size == "1.3b"
                && row.metric == metric
                && row.model == *model
                && row.variant == *variant
        })?;
        Some((
            format!("{model} {variant}").trim().to_owned() + &format!(" {}", row.value),
            row.mark,
        ))
    };
    let found: Vec<_> = models.iter().filter_map(value).collect();
    let Some((_, mark)) = found.first() else {
        return String::new();
    };
    let words: Vec<&str> = found.iter().map(|(words, _)| words.as_str()).collect();
    format!("{metric} at 1.3b: {} ({mark})", words.join(", "))
}
