//! Solving a request for the values of the knobs.

use architectures::{ModelConfig, PlacedBlock};

use super::error::SolveError;
use super::knob::Knob;
use super::matched::Matched;
use super::request::{KnobValues, SolveRequest};
use super::search::neighbours;

/// Maximum number of combinations; the bisection of each takes a fraction of a millisecond.
const MAX_COMBINATIONS: u128 = 10_000;

/// A combination of values and the target of its cost.
struct Candidate {
    values: Vec<usize>,
    reached: u64,
}

/// Solves for the free knobs of the first block of `model` so that the target equals `wanted`, the value of `reference`.
///
/// Returns the model with the nearest value and its [`Matched`]. The knob with the most values is bisected for every
/// combination of the others. Of combinations that are equally near, the first is returned: they are evaluated in
/// ascending order, the knob with the second most values varying fastest.
///
/// # Errors
/// If a knob is not part of the block, there are too many combinations, or no valid values are within the bounds and
/// the tolerance; the last error names the nearest value.
pub fn solve(
    model: &ModelConfig,
    request: &SolveRequest,
    reference: &str,
    wanted: u64,
) -> Result<(ModelConfig, Matched), SolveError> {
    let block = model.blocks.first();
    let kind = block.map_or("", |placed| placed.block.kind());
    let free = request.knobs.of_kind(kind);
    let mut knobs: Vec<(Knob, KnobValues)> = free
        .map_err(|name| SolveError::NoSuchKnob {
            known: Knob::of_kind(kind),
            knob: name,
        })?
        .into_iter()
        .map(|(knob, bounds)| (knob, bounds.values(knob, &model.decoder)))
        .collect();
    knobs.sort_by_key(|(_, values)| values.count);
    let (bisected, enumerated) = knobs.split_last().ok_or(SolveError::NoKnob)?;
    let has = |knob: Knob| block.is_some_and(|block| knob.set(&mut block.clone(), 1));
    if knobs.iter().any(|(knob, _)| !has(*knob)) {
        return Err(SolveError::NotCentred);
    }
    if wanted == 0 {
        return Err(SolveError::ZeroReference {
            target: request.equal,
            reference: reference.to_owned(),
        });
    }
    let combinations: u128 = enumerated.iter().fold(1, |all: u128, (_, values)| {
        all.saturating_mul(values.count as u128)
    });
    if combinations > MAX_COMBINATIONS {
        return Err(SolveError::TooManyCombinations { combinations });
    }
    let with_values = |values: &[usize]| {
        let mut model = model.clone();
        if let Some(block) = model.blocks.first_mut() {
            set_all(block, &knobs, values);
        }
        model
    };
    let cost = |values: &[usize]| {
        with_values(values)
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
    let config_error = |end: &dyn Fn(&KnobValues) -> usize| {
        let values: Vec<usize> = knobs.iter().map(|(_, values)| end(values)).collect();
        with_values(&values).cost().err()
    };
    // A model that is invalid at both ends of the bounds is probably invalid for another reason than the knobs.
    let no_valid_values = || SolveError::NoValidValues {
        side: request.side,
        config_error: config_error(&|values| values.at(0))
            .and(config_error(&|values| {
                values.at(values.count.saturating_sub(1))
            }))
            .map_or(String::new(), |error| {
                format!(" ({} {})", error.key, error.problem)
            }),
    };
    let best = best.ok_or_else(no_valid_values)?;
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
    Ok((with_values(&best.values), matched))
}

/// Sets all knobs of `block`.
fn set_all(block: &mut PlacedBlock, knobs: &[(Knob, KnobValues)], values: &[usize]) {
    for ((knob, _), value) in knobs.iter().zip(values) {
        knob.set(block, *value);
    }
}

/// The `number`-th combination of values; the last knob varies fastest.
fn combination(knobs: &[(Knob, KnobValues)], number: u128) -> Vec<usize> {
    let mut rest = number;
    let mut values = vec![0; knobs.len()];
    for (value, (_, range)) in values.iter_mut().zip(knobs).rev() {
        *value = range.at((rest % range.count as u128) as usize);
        rest /= range.count as u128;
    }
    values
}

/// The knobs with their values as text, such as `n_experts = 8, d_ff = 512`.
fn describe(knobs: &[(Knob, KnobValues)], values: &[usize]) -> String {
    let mut parts: Vec<_> = knobs.iter().map(|(knob, _)| *knob).zip(values).collect();
    parts.sort();
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(knob, value)| format!("{knob} = {value}"))
        .collect();
    parts.join(", ")
}
