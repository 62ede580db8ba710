//! Whether a block differs from dense, decided over seeds so that seeds may be added until it is.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use super::budgets::BlockAtRung;
use super::grouping::{Rung, Study};
use super::measure::Measure;
use super::scores::Suite;
use crate::statistics::{
    Interval, confidence_sequence, largest_ln_e_value, mean_over_seeds, rejected_together,
    seeds_needed,
};
use crate::{ItemRow, RunRow};

/// Probability of any false verdict among those of one [`verdicts`].
pub const ALPHA: f64 = 0.05;

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Mean loss of the tokens that carry a fact, in nats per answer, over the recall suites.
    AnswerLoss,
    /// Validation loss, in nats per token.
    ValidationLoss,
    /// Share of correct answers on the recall suites.
    Recall,
    /// Share of correct answers on the question suites.
    Questions,
}

impl Quantity {
    /// All quantities, the first measure of knowledge first.
    pub const ALL: [Self; 4] = [
        Self::AnswerLoss,
        Self::ValidationLoss,
        Self::Recall,
        Self::Questions,
    ];

    /// The quantity in words, with its unit.
    pub fn words(self) -> &'static str {
        match self {
            Self::AnswerLoss => "loss of answers, nats",
            Self::ValidationLoss => "validation loss, nats per token",
            Self::Recall => "recall of facts, points",
            Self::Questions => "questions of facts, points",
        }
    }

    /// Whether less is better.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::AnswerLoss | Self::ValidationLoss)
    }
}

/// A block compared with dense on one rung, by seed.
#[derive(Clone, Debug)]
pub struct Verdict<'s> {
    /// The block.
    pub block: &'s str,
    /// Size and budget.
    pub rung: &'s Rung,
    /// What is compared.
    pub quantity: Quantity,
    /// The block minus dense for each seed that both have, by seed.
    pub differences: Vec<f64>,
    /// Their mean with Student's interval, valid for a number of seeds that was chosen beforehand.
    pub fixed: Interval,
    /// Their mean with a confidence sequence, valid whenever the seeds were looked at.
    pub anytime: Interval,
    /// Natural logarithm of the largest e-value so far against no difference.
    pub ln_e: f64,
    /// Whether the difference is shown, together with all others of the family.
    pub is_decided: bool,
}

impl Verdict<'_> {
    /// Whether the difference is in favour of the block.
    pub fn is_better(&self) -> bool {
        (self.fixed.value < 0.0) == self.quantity.is_loss()
    }

    /// Further seeds until it is decided alone, if mean and spread stay as they are.
    pub fn seeds_needed(&self) -> Option<f64> {
        seeds_needed(&self.differences, ALPHA)
    }
}

/// The comparisons of all blocks with dense, on every rung and by every quantity for which `belongs` holds, where both have two
/// seeds or more. They are one family: the probability that any of them is decided without a difference is at most
/// [`ALPHA`].
pub fn verdicts<'s, 'a>(
    study: &'s Study<'a>,
    suites: &[Suite],
    belongs: impl Fn(&Rung, Quantity) -> bool,
) -> Vec<Verdict<'s>> {
    let mut found = Vec::new();
    for rung in &study.rungs {
        let dense = study.finished_reference(rung);
        let blocks = study
            .blocks
            .iter()
            .filter(|block| !study.is_reference(block));
        for block in blocks.filter(|block| study.comparable(block, rung)) {
            let quantities = Quantity::ALL.into_iter().filter(|&of| belongs(rung, of));
            let compared = |of| compared(study, suites, (block, rung), &dense, of);
            found.extend(quantities.filter_map(compared));
        }
    }
    decided_together(found)
}

/// The comparisons of all blocks at all sizes and budgets with the runs of `reference`, by every quantity, where both have two
/// seeds or more with the same data and tokenizer: for sweeps in which options or settings of one block vary. They are one
/// family, as those of [`verdicts`].
pub fn verdicts_against<'s>(
    study: &'s Study<'_>,
    suites: &[Suite],
    reference: BlockAtRung,
) -> Vec<Verdict<'s>> {
    let theirs = study.at(reference);
    let same_data = |run: &&RunRow| {
        theirs.iter().all(|other| {
            other.seed != run.seed
                || (other.data_fingerprint == run.data_fingerprint
                    && other.tokenizer_fingerprint == run.tokenizer_fingerprint)
        })
    };
    let mut found = Vec::new();
    for rung in &study.rungs {
        let others = study.blocks.iter();
        let others = others.filter(|block| (**block, rung) != reference);
        for block in others.filter(|block| study.finished(block, rung).iter().all(same_data)) {
            let compared = |of| compared(study, suites, (block, rung), &theirs, of);
            found.extend(Quantity::ALL.into_iter().filter_map(compared));
        }
    }
    decided_together(found)
}

/// A block minus `theirs`; none where they share fewer than two seeds.
fn compared<'s, 'a>(
    study: &'s Study<'a>,
    suites: &[Suite],
    (block, rung): BlockAtRung<'s>,
    theirs: &[&'a RunRow],
    quantity: Quantity,
) -> Option<Verdict<'s>> {
    let values = |runs: &[&'a RunRow]| by_seed(study, suites, runs, quantity);
    let differences = differences(&values(&study.finished(block, rung)), &values(theirs));
    (differences.len() >= 2).then(|| Verdict {
        block,
        rung,
        quantity,
        fixed: mean_over_seeds(&differences),
        anytime: confidence_sequence(&differences, ALPHA),
        ln_e: largest_ln_e_value(&differences),
        differences,
        is_decided: false,
    })
}

/// Which of a family are decided together.
fn decided_together(mut found: Vec<Verdict<'_>>) -> Vec<Verdict<'_>> {
    let evidence: Vec<f64> = found.iter().map(|verdict| verdict.ln_e).collect();
    for (verdict, decided) in found.iter_mut().zip(rejected_together(&evidence, ALPHA)) {
        verdict.is_decided = decided;
    }
    found
}

/// Values of one run: by item where it has items, so that only items that both runs have are compared.
enum Values<'a> {
    Whole(f64),
    Items(BTreeMap<(&'a str, &'a str, &'a str), f64>),
}

fn by_seed<'a>(
    study: &Study<'a>,
    suites: &[Suite],
    runs: &[&'a RunRow],
    quantity: Quantity,
) -> BTreeMap<u64, Values<'a>> {
    let measure = match quantity {
        Quantity::ValidationLoss => Measure::Loss,
        Quantity::AnswerLoss | Quantity::Recall => Measure::Recall,
        Quantity::Questions => Measure::Questions,
    };
    let suites = measure.suites(suites);
    let value = |item: &ItemRow| match quantity {
        Quantity::AnswerLoss => item.answer_nll_bits * LN_2,
        _ => 100.0 * f64::from(u8::from(item.correct)),
    };
    let of = |run: &&'a RunRow| {
        if quantity == Quantity::ValidationLoss {
            return run
                .val_loss
                .is_finite()
                .then_some(Values::Whole(run.val_loss));
        }
        let items = suites.iter().flat_map(|suite| study.items(run, suite.name));
        let items: BTreeMap<_, _> = items
            .map(|item| {
                (
                    (item.suite.as_str(), item.task.as_str(), item.item.as_str()),
                    value(item),
                )
            })
            .collect();
        (!items.is_empty()).then_some(Values::Items(items))
    };
    runs.iter()
        .filter_map(|run| Some((run.seed, of(run)?)))
        .collect()
}

/// Ours minus theirs for each seed that both have.
fn differences(ours: &BTreeMap<u64, Values>, theirs: &BTreeMap<u64, Values>) -> Vec<f64> {
    let difference = |ours: &Values, theirs: &Values| match (ours, theirs) {
        (Values::Whole(ours), Values::Whole(theirs)) => Some(ours - theirs),
        (Values::Items(ours), Values::Items(theirs)) => {
            let pairs = ours
                .iter()
                .filter_map(|(item, value)| Some(value - theirs.get(item)?));
            let pairs: Vec<f64> = pairs.filter(|difference| difference.is_finite()).collect();
            (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64)
        }
        _ => None,
    };
    let both = ours
        .iter()
        .filter_map(|(seed, ours)| Some((ours, theirs.get(seed)?)));
    both.filter_map(|(ours, theirs)| difference(ours, theirs))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::scores::Scores;
    use crate::test_rows::finished_run;
    use crate::{Frames, ScoreRow, WHOLE_SUITE};

    fn run(block: &str, seed: u64, val_loss: f64) -> RunRow {
        RunRow {
            run: format!("{block}-{seed}"),
            ..finished_run(block, seed, val_loss)
        }
    }

    fn item(run: &str, item: u64, correct: bool, bits: f64) -> ItemRow {
        ItemRow {
            run: run.into(),
            suite: "people recall".into(),
            task: "recall".into(),
            item: item.to_string(),
            correct,
            answer_tokens: 1,
            answer_nll_bits: bits,
            end_nll_bits: 0.0,
            expected: String::new(),
            given: String::new(),
            detail: String::new(),
        }
    }

    fn found(
        rows: Vec<RunRow>,
        items: Vec<ItemRow>,
    ) -> Vec<(String, Quantity, Vec<f64>, bool, bool)> {
        let scores = items.iter().map(|item| ScoreRow {
            run: item.run.clone(),
            suite: item.suite.clone(),
            task: WHOLE_SUITE.into(),
            metric: "exact_match".into(),
            status: "scored".into(),
            reason: String::new(),
            value: 0.5,
            low: 0.0,
            high: 1.0,
            n: 1,
            baseline: None,
            interval: String::new(),
        });
        let frames = Frames::new(rows, vec![], scores.collect(), items, vec![]);
        let study = Study::new(&frames);
        let suites = Scores::new(&study).suites;
        verdicts(&study, &suites, |_, _| true)
            .into_iter()
            .map(|v| {
                (
                    v.block.to_owned(),
                    v.quantity,
                    v.differences.clone(),
                    v.is_decided,
                    v.is_better(),
                )
            })
            .collect()
    }

    #[test]
    fn a_consistent_lead_is_decided_once_there_are_enough_seeds_and_noise_is_not() {
        let rows = |seeds: u64| -> Vec<RunRow> {
            let noise = |seed: u64| {
                [0.004, -0.003, 0.001, -0.004, 0.003, 0.0, 0.002, -0.002][seed as usize]
            };
            (0..seeds)
                .flat_map(|seed| {
                    let base = 1.5 + 0.1 * seed as f64;
                    [
                        run("dense", seed, base),
                        run("memory+", seed, base - 0.05 + noise(seed)),
                        run("peer", seed, base + 10.0 * noise(seed)),
                    ]
                })
                .collect()
        };
        let few = found(rows(3), vec![]);
        assert!(few.iter().all(|(.., decided, _)| !decided), "{few:?}");
        let more = found(rows(8), vec![]);
        let decided: Vec<(&str, bool)> = more
            .iter()
            .map(|(block, _, _, decided, _)| (block.as_str(), *decided))
            .collect();
        assert_eq!(decided, [("peer", false), ("memory+", true)]);
        assert!(more[1].4, "less loss is better");
        assert!(
            found(rows(1), vec![]).is_empty(),
            "one seed is no evidence about blocks"
        );
    }

    #[test]
    fn answers_are_paired_by_item_and_seed() {
        let rows = vec![
            run("dense", 0, 1.0),
            run("dense", 1, 1.0),
            run("peer", 0, 1.0),
            run("peer", 1, 1.0),
        ];
        let mut items = Vec::new();
        for seed in 0..2 {
            items.push(item(&format!("dense-{seed}"), 0, false, 3.0));
            items.push(item(&format!("peer-{seed}"), 0, true, 1.0));
            // Only one of the two runs has it.
            items.push(item(&format!("peer-{seed}"), 1, true, 0.0));
        }
        let found = found(rows, items);
        let of = |quantity| found.iter().find(|verdict| verdict.1 == quantity).unwrap();
        let losses = &of(Quantity::AnswerLoss).2;
        assert!(losses.iter().all(|nats| (nats + 2.0 * LN_2).abs() < 1e-12) && losses.len() == 2);
        assert_eq!(of(Quantity::Recall).2, [100.0; 2]);
        assert!(of(Quantity::AnswerLoss).4 && of(Quantity::Recall).4);
        assert!(!found.iter().any(|verdict| verdict.1 == Quantity::Questions));
    }

    #[test]
    fn options_of_a_block_are_compared_with_it_on_the_same_data() {
        let sized = |size: &str, seed, val_loss, data: &str| RunRow {
            run: format!("{size}-{seed}"),
            size: size.into(),
            data_fingerprint: data.into(),
            ..finished_run("memory", seed, val_loss)
        };
        let rows = vec![
            sized("base", 0, 2.0, "a"),
            sized("base", 1, 2.5, "b"),
            sized("fast", 0, 1.9, "a"),
            sized("fast", 1, 2.3, "b"),
            sized("other data", 0, 1.0, "c"),
            sized("other data", 1, 1.0, "b"),
        ];
        let frames = Frames::new(rows, vec![], vec![], vec![], vec![]);
        let study = Study::new(&frames);
        let base = study
            .rungs
            .iter()
            .find(|rung| rung.size() == "base")
            .unwrap();
        let found = verdicts_against(&study, &[], ("memory", base));
        let [fast] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            (fast.rung.size(), fast.quantity),
            ("fast", Quantity::ValidationLoss)
        );
        let rounded: Vec<f64> = fast
            .differences
            .iter()
            .map(|by| (by * 1e6).round() / 1e6)
            .collect();
        assert_eq!(rounded, [-0.1, -0.2]);
    }
}
