//! `isoflop sweep --until-decided`.

use experiment::plan::Plan;
use harness::error::Error;
use harness::record::selection::frames_of;
use harness::run::conclusion::Conclusion;
use harness::run::decide::{Claim, State, claims, next_runs, spent};
use harness::run::progress::Progress;
use results::Records;
use results::number::{fixed, scientific, signed};

use super::terminal_table::terminal_table;
use crate::cli::output::{note, print};

/// Executes the runs of the sweep, then adds seeds until every claim of `[decide]` is decided or a limit is reached, and prints the
/// claims.
///
/// # Errors
/// If the sweep has no `[decide]`, or rows cannot be read or written.
pub fn until_decided(
    plan: &Plan,
    records: &Records,
    mut sweep: impl FnMut(&Plan, &mut dyn Progress) -> Result<Conclusion, Error>,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    let Some(decide) = &plan.sweep.decide else {
        return Err(Error::Argument {
            argument: "--until-decided".to_owned(),
            problem: format!("{} has no section [decide]", plan.sweep.argument),
            remedy: "add it with quantity and max_seeds: docs/guide.md".to_owned(),
        });
    };
    let mut conclusion = sweep(plan, progress)?;
    loop {
        let frames = frames_of(plan, &records.read_for_reports()?)?;
        let claims = claims(plan, decide, &frames);
        let spent = spent(plan, &frames);
        let is_affordable = decide.max_flops.is_none_or(|most| spent < most);
        let may_go_on = matches!(conclusion, Conclusion::Complete | Conclusion::SomeFailed);
        let next = next_runs(&claims).filter(|_| may_go_on && is_affordable);
        let Some(runs) = next else {
            progress.done();
            print(table(&claims))?;
            if !is_affordable {
                note(format_args!(
                    "stopped at {} FLOP of added seeds: `decide.max_flops`",
                    scientific(spent)
                ));
            }
            return Ok(conclusion);
        };
        let added = Plan {
            runs: runs.to_vec(),
            ..plan.clone()
        };
        let ended = sweep(&added, progress)?;
        if ended != Conclusion::Complete {
            conclusion = ended;
        }
    }
}

fn table(claims: &[Claim]) -> impl std::fmt::Display {
    let row = |claim: &Claim| {
        let labels = [
            claim.size.clone(),
            claim.block.clone(),
            words(claim.state).to_owned(),
        ];
        let numbers = claim.evidence.as_ref().map_or_else(
            || {
                [
                    "1 or 0".to_owned(),
                    String::new(),
                    String::new(),
                    String::new(),
                ]
            },
            |evidence| {
                let difference = evidence.difference;
                let range = match difference.is_bounded() {
                    true => format!(
                        "[{}, {}]",
                        fixed(difference.low, 3),
                        fixed(difference.high, 3)
                    ),
                    false => "unbounded".to_owned(),
                };
                [
                    evidence.seeds.to_string(),
                    signed(difference.value, 3),
                    range,
                    scientific(evidence.ln_e.exp()),
                ]
            },
        );
        labels.into_iter().chain(numbers).collect()
    };
    let header = [
        "size",
        "block",
        "verdict",
        "seeds",
        "block - dense",
        "95 % CI at any time",
        "e-value",
    ];
    terminal_table(&header, 3, claims.iter().map(row).collect())
}

fn words(state: State) -> &'static str {
    match state {
        State::Better => "better than dense",
        State::Worse => "worse than dense",
        State::Equal => "equal to dense",
        State::Open => "open",
        State::Undecided => "open after all seeds",
    }
}
