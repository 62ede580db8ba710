//! From a request to the knobs.

use architectures::{ModelConfig, PlacedBlock};

use super::error::SolveError;
use super::knob::Knob;
use super::matched::Matched;
use super::request::{Request, Values};
use super::search::neighbours;

/// More combinations than this take too long: each is bisected, which takes a fraction of a millisecond.
const MOST_COMBINATIONS: u128 = 10_000;

/// A combination of values and what it costs.
struct Candidate {
    values: Vec<usize>,
    reached: u64,
}

/// Turns the knobs of the last block of `model` so that its cost meets `wanted`, the value of `reference`.
///
/// Of several combinations that come equally near, the one with the lowest values; the knob with the most values is
/// bisected, so a combination of the others is tried with its nearest partners alone.
///
/// # Errors
/// When a knob is not the block's, there is too much to try, or the nearest is not near enough: then the error names it.
pub fn solve(
    model: &ModelConfig,
    request: &Request,
    reference: &str,
    wanted: u64,
) -> Result<(ModelConfig, Matched), SolveError> {
    let mut knobs: Vec<(Knob, Values)> = request
        .knobs
        .free()
        .into_iter()
        .map(|(knob, bounds)| (knob, bounds.values(knob, &model.decoder)))
        .collect();
    knobs.sort_by_key(|(_, values)| values.count);
    let (bisected, enumerated) = knobs.split_last().ok_or(SolveError::NoKnob)?;
    let has = |knob: Knob| {
        model
            .blocks
            .last()
            .is_some_and(|block| knob.turn(&mut block.clone(), 1))
    };
    if let Some(&(knob, _)) = knobs.iter().find(|(knob, _)| !has(*knob)) {
        return Err(SolveError::NoSuchKnob { knob });
    }
    if wanted == 0 {
        return Err(SolveError::Nothing {
            target: request.equal,
            reference: reference.to_owned(),
        });
    }
    let combinations: u128 = enumerated
        .iter()
        .map(|(_, values)| values.count as u128)
        .product();
    if combinations > MOST_COMBINATIONS {
        return Err(SolveError::TooMany { combinations });
    }
    let turned = |values: &[usize]| {
        let mut model = model.clone();
        if let Some(block) = model.blocks.last_mut() {
            turn(block, &knobs, values);
        }
        model
    };
    let cost = |values: &[usize]| {
        turned(values)
            .cost()
            .ok()
            .map(|cost| request.equal.of(&cost))
    };
    let mut best: Option<Candidate> = None;
    for number in 0..combinations {
        let values = combination(enumerated, number);
        let at = |rank: usize| [&values[..], &[bisected.1.at(rank)]].concat();
        let found = neighbours(bisected.1.count, wanted, request.side, &|rank| {
            cost(&at(rank))
        });
        for (rank, reached) in found {
            let nearer =
                |best: &Candidate| reached.abs_diff(wanted) < best.reached.abs_diff(wanted);
            if best.as_ref().is_none_or(nearer) {
                let values = at(rank);
                best = Some(Candidate { values, reached });
            }
        }
    }
    let shape_error = |end: &dyn Fn(&Values) -> usize| {
        let values: Vec<usize> = knobs.iter().map(|(_, values)| end(values)).collect();
        turned(&values).cost().err()
    };
    // A shape that is invalid at both ends of the bounds is invalid for a reason other than the knobs.
    let empty = || SolveError::Empty {
        side: request.side,
        shape_error: shape_error(&|values| values.at(0))
            .and(shape_error(&|values| {
                values.at(values.count.saturating_sub(1))
            }))
            .map_or(String::new(), |error| {
                format!(" ({} {})", error.key, error.problem)
            }),
    };
    let best = best.ok_or_else(empty)?;
    let text = describe(&knobs, &best.values);
    if best.reached.abs_diff(wanted) as f64 > request.tolerance * wanted as f64 {
        return Err(SolveError::Unreachable {
            target: request.equal,
            reference: reference.to_owned(),
            wanted,
            nearest: best.reached,
            tolerance: request.tolerance,
            knobs: text,
        });
    }
    let matched = Matched {
        target: request.equal.to_string(),
        reference: reference.to_owned(),
        wanted: wanted as f64,
        reached: best.reached as f64,
        tolerance: request.tolerance,
        knobs: text,
    };
    Ok((turned(&best.values), matched))
}

fn turn(block: &mut PlacedBlock, knobs: &[(Knob, Values)], values: &[usize]) {
    for ((knob, _), value) in knobs.iter().zip(values) {
        knob.turn(block, *value);
    }
}

/// The `number`-th combination: the last knob turns fastest.
fn combination(knobs: &[(Knob, Values)], number: u128) -> Vec<usize> {
    let mut rest = number;
    let mut values = vec![0; knobs.len()];
    for (value, (_, range)) in values.iter_mut().zip(knobs).rev() {
        *value = range.at((rest % range.count as u128) as usize);
        rest /= range.count as u128;
    }
    values
}

/// `n_experts = 8, d_ff = 512`.
fn describe(knobs: &[(Knob, Values)], values: &[usize]) -> String {
    let mut parts: Vec<_> = knobs.iter().map(|(knob, _)| *knob).zip(values).collect();
    parts.sort();
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(knob, value)| format!("{knob} = {value}"))
        .collect();
    parts.join(", ")
}
