//! `isoflop match`.

use architectures::ModelConfig;
use experiment::matching::{Knobs, SolveError, SolveRequest, solve};
use experiment::plan::Run;
use harness::error::Error;
use harness::run::conclusion::Conclusion;

use super::plan_tables::{SOLUTION, solution};
use super::selected_plan::{check_labels, whole_plan};
use super::terminal_table::terminal_table;
use crate::cli::arguments::{MatchOptions, SweepLocation};
use crate::cli::output::print;

/// Solves for the knobs of the block at each size and prints the solutions.
///
/// # Errors
/// If an argument is invalid, or if there is no solution at some size; the solutions of the other sizes are printed.
pub fn match_blocks(options: &MatchOptions) -> Result<Conclusion, Error> {
    let (plan, _) = whole_plan(&SweepLocation {
        sweep: options.sweep.clone(),
        output: "runs".into(),
        changes: options.changes.clone(),
    })?;
    let labels = |pick: fn(&Run) -> String| plan.runs.iter().map(pick).collect::<Vec<_>>();
    let sizes = labels(|run| run.label.size.clone());
    check_labels(
        "--block",
        std::slice::from_ref(&options.block),
        &labels(|run| run.label.block.clone()),
    )?;
    check_labels("--size", &options.size, &sizes)?;
    check_labels(
        "--reference-size",
        options.reference_size.as_slice(),
        &sizes,
    )?;
    let request = request(options)?;
    let selected = plan.runs.iter().filter(|run| {
        run.label.block == options.block
            && run.label.seed == plan.sweep.seeds[0]
            && (options.size.is_empty() || options.size.contains(&run.label.size))
    });
    let selected: Vec<&Run> = selected.collect();
    if selected.is_empty() {
        let name = format!("--block {}", options.block);
        return Err(argument(
            &name,
            "does not occur at these sizes",
            "remove --size",
        ));
    }
    let (mut rows, mut first_error) = (Vec::new(), None);
    for run in selected {
        let size = options.reference_size.as_ref().unwrap_or(&run.label.size);
        let wanted = request
            .equal
            .of(&reference(&plan.runs, size, &options.reference)?.cost()?);
        let name = format!("{} at {size}", options.reference);
        match solve(&run.model, &request, &name, wanted) {
            Ok((_, matched)) => {
                let labels = [run.label.size.clone(), run.label.block.clone()];
                rows.push([&labels[..], &solution(&matched)].concat());
            }
            Err(error @ SolveError::NoSuchKnob { .. }) => {
                let message = error.to_string();
                let (problem, remedy) = message.split_once("; ").unwrap_or((&message, ""));
                return Err(argument("--knob", problem, remedy));
            }
            Err(error) => first_error = first_error.or(Some((run, error.to_string()))),
        }
    }
    if !rows.is_empty() {
        print(terminal_table(&SOLUTION, SOLUTION.len(), rows))?;
    }
    let Some((run, message)) = first_error else {
        return Ok(Conclusion::Complete);
    };
    let (problem, remedy) = message
        .split_once("; ")
        .unwrap_or((&message, "change the target or the knobs"));
    Err(argument(
        &format!("--block {} at size {}", options.block, run.label.size),
        problem,
        remedy,
    ))
}

fn request(options: &MatchOptions) -> Result<SolveRequest, Error> {
    let tolerance = options.tolerance;
    if !(tolerance >= 0.0 && tolerance.is_finite()) {
        let name = format!("--tolerance {tolerance}");
        return Err(argument(
            &name,
            "is negative or non-finite",
            "write a share such as 0.01 for one percent",
        ));
    }
    Ok(SolveRequest {
        equal: options.equal,
        reference: options.reference.clone(),
        reference_size: options.reference_size.clone(),
        tolerance,
        side: options.side,
        knobs: knobs(&options.knob)?,
    })
}

/// `n_experts:at_most=64:multiple_of=2` as the sweep file's `n_experts = { at_most = 64, multiple_of = 2 }`.
fn knobs(written: &[String]) -> Result<Knobs, Error> {
    let line = |knob: &String| {
        let (name, bounds) = knob.split_once(':').unwrap_or((knob, ""));
        format!("{name} = {{ {} }}\n", bounds.replace(':', ", "))
    };
    let text: String = written.iter().map(line).collect();
    toml::from_str(&text).map_err(|error| {
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let remedy = "write a knob such as n_experts:at_most=64:multiple_of=2";
        argument(
            &format!("--knob {}", written.join(",")),
            &format!("is invalid: {message}"),
            remedy,
        )
    })
}

/// The model of `block` at `size`. `dense` is the decoder without other blocks, even if the sweep does not list it.
fn reference(runs: &[Run], size: &str, block: &str) -> Result<ModelConfig, Error> {
    let here: Vec<&Run> = runs.iter().filter(|run| run.label.size == size).collect();
    if let Some(run) = here.iter().find(|run| run.label.block == block) {
        return Ok(run.model.clone());
    }
    let blocks: Vec<String> = here.iter().map(|run| run.label.block.clone()).collect();
    if block != "dense" {
        check_labels("--reference", &[block.to_owned()], &blocks)?;
    }
    let decoder = here.first().map(|run| run.model.decoder.clone());
    let none = || {
        argument(
            &format!("--reference {block}"),
            "does not occur at this size",
            "choose another size",
        )
    };
    Ok(ModelConfig {
        decoder: decoder.ok_or_else(none)?,
        blocks: Vec::new(),
    })
}

fn argument(argument: &str, problem: &str, remedy: &str) -> Error {
    Error::Argument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}
