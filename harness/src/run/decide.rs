//! Which seeds `isoflop sweep --until-decided` adds, and when it stops.
//!
//! Each block at each size of `[decide]` is a claim, "it differs from dense", and all of them are one family. The next seed
//! goes to the open claim that needs the fewest by its current estimate. It ends when every claim is decided, is equal within the stated
//! distance, or has all its seeds, or when the FLOPs are spent. The verdicts hold at any time, so that adding seeds inflates no
//! error (`results::statistics::sequential`).

use std::collections::HashSet;

use experiment::plan::{Plan, Run};
use experiment::sweep_file::{DecideConfig, DecidedBy};
use results::statistics::Interval;
use results::study::Study;
use results::study::scores::Scores;
use results::study::verdicts::{Quantity, Verdict, verdicts};
use results::{Frames, RunRow};

/// A block compared with dense at one size.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Label of the block.
    pub block: String,
    /// Label of the size.
    pub size: String,
    /// The evidence; `None` with fewer than two seeds.
    pub evidence: Option<Evidence>,
    /// What was found.
    pub state: State,
    /// Runs of the next seed: dense and the block, as far as they are not recorded.
    next: Vec<Run>,
}

/// The evidence of a claim.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Seeds that both blocks have.
    pub seeds: usize,
    /// The block minus dense, with a confidence sequence.
    pub difference: Interval,
    /// Natural logarithm of the largest e-value.
    pub ln_e: f64,
    /// Further seeds that it needs by its current estimate.
    needed: Option<f64>,
}

/// What was found about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The block is better than dense.
    Better,
    /// It is worse.
    Worse,
    /// It is equal to dense within the distance of the sweep file.
    Equal,
    /// Neither, and there are further seeds.
    Open,
    /// Neither, after the largest number of seeds.
    Undecided,
}

/// The claims of a plan with `[decide]`, by the rows so far.
pub fn claims(plan: &Plan, decide: &DecideConfig, frames: &Frames) -> Vec<Claim> {
    let study = Study::new(frames);
    let suites = Scores::new(&study).suites;
    let decided_at =
        |size: &str| decide.sizes.is_empty() || decide.sizes.iter().any(|own| own == size);
    let quantity = quantity(decide.quantity);
    let found = verdicts(&study, &suites, |rung, of| {
        of == quantity && decided_at(rung.size())
    });
    let recorded: HashSet<(&str, &str, u64)> = frames
        .runs()
        .iter()
        .map(|row| (row.size.as_str(), row.block.as_str(), row.seed))
        .collect();
    let is_dense = |run: &&Run| study.is_reference(&run.label.block);
    let mut claims: Vec<Claim> = Vec::new();
    for run in plan.runs.iter().filter(|run| !is_dense(run)) {
        let (block, size) = (&run.label.block, &run.label.size);
        let known = claims
            .iter()
            .any(|claim| (&claim.block, &claim.size) == (block, size));
        if known || !decided_at(size) {
            continue;
        }
        let is_new = |run: &&Run| {
            !recorded.contains(&(
                run.label.size.as_str(),
                run.label.block.as_str(),
                run.label.seed,
            ))
        };
        let own = |run: &&Run| run.label.block == *block && run.label.size == *size;
        let next = plan.further.iter().filter(own).find(is_new);
        let next: Vec<Run> = next.map_or_else(Vec::new, |next| {
            let dense = plan
                .further
                .iter()
                .filter(is_dense)
                .filter(|run| run.label.size == *size);
            let dense = dense
                .filter(|run| run.label.seed == next.label.seed)
                .find(is_new);
            dense.into_iter().chain([next]).cloned().collect()
        });
        let verdict = found
            .iter()
            .find(|verdict| verdict.block == block && verdict.rung.size() == size);
        claims.push(Claim {
            block: block.clone(),
            size: size.clone(),
            state: state(verdict, decide.equal_within, next.is_empty()),
            evidence: verdict.map(|verdict| Evidence {
                seeds: verdict.differences.len(),
                difference: verdict.anytime,
                ln_e: verdict.ln_e,
                needed: verdict.seeds_needed(),
            }),
            next,
        });
    }
    claims
}

fn state(verdict: Option<&Verdict>, equal_within: Option<f64>, is_last: bool) -> State {
    let is_equal = |verdict: &&Verdict| {
        let within = equal_within.unwrap_or(0.0);
        verdict.anytime.is_bounded()
            && verdict.anytime.low > -within
            && verdict.anytime.high < within
    };
    match verdict {
        Some(verdict) if verdict.is_decided && verdict.is_better() => State::Better,
        Some(verdict) if verdict.is_decided => State::Worse,
        Some(verdict) if is_equal(&verdict) => State::Equal,
        _ if is_last => State::Undecided,
        _ => State::Open,
    }
}

/// The runs to execute next: those of the open claim that needs the fewest seeds; `None` if none is open.
pub fn next_runs(claims: &[Claim]) -> Option<&[Run]> {
    let needed = |claim: &Claim| match &claim.evidence {
        // One seed is no evidence: a second comes first.
        None => 0.0,
        Some(evidence) => evidence.needed.unwrap_or(f64::INFINITY),
    };
    let open = claims.iter().filter(|claim| claim.state == State::Open);
    let next = open.min_by(|a, b| needed(a).total_cmp(&needed(b)))?;
    Some(&next.next)
}

/// Training FLOPs of the recorded runs of further seeds.
pub fn spent(plan: &Plan, frames: &Frames) -> f64 {
    let is_further = |row: &&RunRow| !plan.sweep.seeds.contains(&row.seed);
    frames
        .runs()
        .iter()
        .filter(is_further)
        .map(|row| row.train_flops)
        .sum()
}

fn quantity(decided_by: DecidedBy) -> Quantity {
    match decided_by {
        DecidedBy::AnswerLoss => Quantity::AnswerLoss,
        DecidedBy::ValidationLoss => Quantity::ValidationLoss,
        DecidedBy::Recall => Quantity::Recall,
        DecidedBy::Questions => Quantity::Questions,
    }
}

#[cfg(test)]
mod tests {
    use experiment::sweep_file::Sweep;

    use super::*;

    fn claim(block: &str, state: State, needed: Option<f64>, run: &Run) -> Claim {
        Claim {
            block: block.to_owned(),
            size: "s".to_owned(),
            evidence: needed.map(|needed| Evidence {
                seeds: 2,
                difference: Interval::unbounded(-0.1, 2, ""),
                ln_e: 1.0,
                needed: Some(needed),
            }),
            state,
            next: vec![Run {
                label: experiment::plan::RunLabel {
                    block: block.to_owned(),
                    ..run.label.clone()
                },
                ..run.clone()
            }],
        }
    }

    #[test]
    fn the_next_seed_goes_to_the_open_claim_that_needs_the_fewest() {
        let sweep = Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap();
        let plan = Plan::new(sweep).unwrap();
        let claim = |block, state, needed| claim(block, state, needed, &plan.runs[0]);
        let mut claims = vec![
            claim("far", State::Open, Some(9.0)),
            claim("near", State::Open, Some(2.0)),
            claim("decided", State::Better, Some(1.0)),
        ];
        let next = |claims: &[Claim]| next_runs(claims).map(|runs| runs[0].label.block.clone());
        assert_eq!(next(&claims).as_deref(), Some("near"));
        claims.push(claim("new", State::Open, None));
        assert_eq!(next(&claims).as_deref(), Some("new"));
        claims.retain(|claim| claim.state != State::Open);
        assert_eq!(next(&claims), None);
    }
}
