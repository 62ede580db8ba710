//! Where a rule looks: the rung, the scale, the intervals.

use results::published::{MEMORY_LAYERS, published};
use results::statistics::Interval;
use results::{RunRow, fits::Reading};

use super::{Finding, Outcome};
use crate::number::{fixed, percent, prefixed, signed};
use crate::score::{self, Suite};
use crate::study::{Rung, Study};

/// Everything that rules look at.
pub struct Rows<'s, 'a> {
    pub study: &'s Study<'a>,
    pub suites: &'s [Suite<'a>],
}

impl<'s, 'a> Rows<'s, 'a> {
    /// The largest rung on which both blocks finished and can be compared.
    pub fn largest(&self, block: &str, other: &str) -> Option<&'s Rung> {
        let finished = |rung: &&Rung, block: &str| !self.study.finished(block, rung).is_empty();
        let fit = |rung: &&Rung| {
            let outsiders = self.study.outsiders(rung);
            outsiders
                .iter()
                .all(|(run, _)| run.block != block && run.block != other)
        };
        let rungs = self.study.rungs.iter().rev();
        rungs
            .filter(|rung| finished(rung, block) && finished(rung, other))
            .find(fit)
    }

    /// The paired difference of two blocks on suites, and the words for it.
    pub fn difference(
        &self,
        suites: &[&Suite],
        blocks: (&str, &str),
        rung: &Rung,
    ) -> Option<(Interval, String)> {
        let gap = score::against(self.study, suites, blocks, rung)?;
        let seeds = self
            .study
            .finished(blocks.0, rung)
            .len()
            .min(self.study.finished(blocks.1, rung).len());
        let words = format!(
            "{} less {}: {} points{}, n {} items, {}",
            blocks.0,
            blocks.1,
            signed(gap.value * 100.0, 1),
            span(&gap, 100.0),
            gap.n,
            count(seeds),
        );
        Some((gap, words))
    }

    /// The accuracy of a block, and the words for it.
    pub fn accuracy(
        &self,
        suites: &[&Suite],
        block: &str,
        rung: &Rung,
    ) -> Option<(Interval, String)> {
        let entry = score::entry(self.study, suites, block, rung)?;
        let words = format!(
            "{block} {} %{}",
            percent(entry.accuracy.value),
            span(&entry.accuracy, 100.0)
        );
        Some((entry.accuracy, words))
    }

    /// Size, parameters, tokens, seeds and names of the runs of these blocks on a rung.
    pub fn scale(&self, blocks: &[&str], rung: &Rung) -> String {
        let of = |block: &&str| {
            let runs = self.study.finished(block, rung);
            let first = runs.first()?;
            let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
            Some(format!(
                "{block} {} dense and {} table parameters, {} tokens, {} ({})",
                prefixed(first.params_dense as f64),
                prefixed(first.params_table as f64),
                prefixed(first.tokens as f64),
                count(runs.len()),
                names.join(", "),
            ))
        };
        let blocks: Vec<String> = blocks.iter().filter_map(of).collect();
        format!("size {}: {}", rung.label, blocks.join("; "))
    }

    /// The largest of what ran, for headlines about what did not.
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

fn count(seeds: usize) -> String {
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

/// A rule about the sign of a difference: ahead, behind, or neither is shown.
pub fn sign(gap: &Interval) -> Outcome {
    match gap {
        gap if !gap.excludes(0.0) => Outcome::NotTested,
        gap if gap.value > 0.0 => Outcome::Supported,
        _ => Outcome::Contradicted,
    }
}

/// The same as a finding; an interval that holds zero leaves the headline undecided.
pub fn decided(outcome: Outcome, evidence: String, scale: String, undecided: &str) -> Finding {
    let evidence = match outcome {
        Outcome::NotTested => format!("{evidence}. Undecided: {undecided}"),
        _ => evidence,
    };
    Finding {
        outcome,
        evidence,
        scale,
    }
}

/// Published values of a metric at 1.3b in table 1, with the mark.
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
