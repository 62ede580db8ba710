//! `isoflop slurm`: the missing runs of a sweep as jobs of Slurm or Kubernetes, or as lines.

use std::path::Path;
use std::process::{Command, Stdio};

use experiment::plan::{Plan, Run};
use harness::cluster::groups::{Group, grouped};
use harness::cluster::resources::{Margins, Resources};
use harness::cluster::template::{KUBERNETES, OfKubernetes, SLURM, Variables, render};
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::run_row::FINISHED;
use harness::record::selection::row_of;
use harness::record::shell::quoted;
use harness::run::conclusion::Conclusion;
use harness::run::tuning::state;
use results::Records;

use super::estimates::Estimates;
use super::job_commands::JobCommands;
use super::job_files::write;
use super::selected_plan::{run_name, selected_plan};
use super::terminal_table::terminal_table;
use crate::cli::arguments::{JobFormat, SlurmOptions};
use crate::cli::output::{note, print, print_exact};

/// Writes, prints or submits jobs that execute the runs that are not finished.
///
/// # Errors
/// If an argument, the sweep or the template is invalid, a run fits no number of devices, or files cannot be written or jobs not
/// submitted.
pub fn slurm(options: &SlurmOptions) -> Result<Conclusion, Error> {
    if options.print_template {
        let template = match options.format {
            JobFormat::Kubernetes => KUBERNETES,
            _ => SLURM,
        };
        print_exact(template.as_bytes())?;
        return Ok(Conclusion::Complete);
    }
    check(options)?;
    let (mut plan, folders) = selected_plan(&options.selection)?;
    check_search(&plan, &folders)?;
    let runs = plan.runs.len();
    retain_missing(&mut plan, &folders)?;
    if plan.runs.is_empty() {
        note(format_args!("all {runs} runs are finished: no jobs"));
        return Ok(Conclusion::Complete);
    }
    let estimates = Estimates::of(&plan, &folders, &options.devices, None, None)?;
    let groups = grouped(
        requirements(options, &estimates)?,
        options.array_size.into(),
    );
    let commands = JobCommands::of(options, &plan)?;
    match options.format {
        JobFormat::Lines => {
            let line = |group: &Group, run: &String| {
                let ranks = match group.resources.devices {
                    1 => String::new(),
                    devices => format!("mpirun -n {devices} "),
                };
                format!("{ranks}{} --run {}\n", commands.run, quoted(run))
            };
            let lines = groups
                .iter()
                .flat_map(|group| group.runs.iter().map(move |run| line(group, run)));
            print_exact(lines.collect::<String>().as_bytes())?;
            note(format_args!(
                "once all lines have ended: {}",
                commands.report
            ));
        }
        JobFormat::Kubernetes => {
            let of_format = OfKubernetes {
                groups: &groups,
                image: stated("--image", options.image.as_deref())?,
                volume_claim: stated("--volume-claim", options.volume_claim.as_deref())?,
            };
            let variables = variables(options, &plan, &commands, of_format);
            let (name, template) = template(options, KUBERNETES)?;
            print_exact(render(&name, &template, &variables)?.as_bytes())?;
        }
        JobFormat::Slurm => {
            let (name, text) = template(options, SLURM)?;
            let shared = variables(options, &plan, &commands, ());
            let script = write((&name, &text), &folders, options, &groups, &shared)?;
            print(table(&groups))?;
            print(format_args!(
                "{} of {runs} runs are not finished; {}, on {}\n{}",
                plan.runs.len(),
                "devices, memory and time by the estimates of `isoflop plan`",
                estimates.device(),
                script.display()
            ))?;
            match options.submit {
                true => submit(&script)?,
                false => note(format_args!(
                    "submit: bash {}",
                    quoted(&script.to_string_lossy())
                )),
            }
        }
    }
    Ok(Conclusion::Complete)
}

/// Checks what the options require of each other.
fn check(options: &SlurmOptions) -> Result<(), Error> {
    if options.submit && options.format != JobFormat::Slurm {
        return Err(argument(
            "--submit",
            "submits to Slurm, and --format is another",
            "remove one of the two",
        ));
    }
    let devices = &options.devices;
    let is_stated = devices.device_memory.is_some() && devices.throughput.is_some();
    if uses_gpus(options) && devices.device_kind.is_none() && !is_stated {
        return Err(argument(
            &format!("--device {}", options.device),
            "is not this machine's processor, and neither its memory nor its speed is known",
            "add --device-kind, or --device-memory and --throughput",
        ));
    }
    for (name, text) in [
        ("--partition", &options.partition),
        ("--account", &options.account),
    ] {
        check_option(name, text.iter())?;
    }
    check_option("--sbatch-option", options.sbatch_option.iter())
}

/// Checks that options of sbatch are one line each.
fn check_option<'a>(name: &str, mut texts: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    match texts.find(|text| text.is_empty() || text.contains(char::is_control)) {
        None => Ok(()),
        Some(text) => Err(argument(
            &format!("{name} {text:?}"),
            "is empty or has a control character",
            "write one option in one line, such as qos=high",
        )),
    }
}

/// Checks that the search of training settings has ended: the runs are not known before.
fn check_search(plan: &Plan, folders: &Folders) -> Result<(), Error> {
    let Some(tune) = &plan.sweep.tune else {
        return Ok(());
    };
    match state(plan, tune, folders.output())?.next {
        None => Ok(()),
        Some(_) => Err(argument(
            &plan.sweep.argument,
            "has a section [tune] whose search has not ended, and its runs depend on it",
            "run `isoflop tune` with this sweep first, which may be a job, too",
        )),
    }
}

/// Removes the runs that are recorded as finished.
fn retain_missing(plan: &mut Plan, folders: &Folders) -> Result<(), Error> {
    let rows = Records::open(folders.records())?.read()?;
    let mut missing = Vec::new();
    for run in plan.runs.drain(..) {
        let row = row_of(&run, &rows)?;
        if row.is_none_or(|row| row.status != FINISHED) {
            missing.push(run);
        }
    }
    plan.runs = missing;
    Ok(())
}

/// The names of the runs with what they require.
fn requirements(
    options: &SlurmOptions,
    estimates: &Estimates,
) -> Result<Vec<(String, Resources)>, Error> {
    let margins = Margins {
        time: options.time_margin,
        max_minutes: (options.max_time.as_secs() / 60).max(1),
        devices_per_node: options.devices_per_node.into(),
        memory: options.memory,
        has_own_memory: uses_gpus(options),
    };
    let of = |(run, estimate): &(&Run, _)| match Resources::of(estimate, &margins) {
        Some(resources) if options.format == JobFormat::Kubernetes && resources.nodes > 1 => {
            Err(argument(
                &format!("run {}", run.label),
                "requires devices of several machines, and a pod has those of one",
                "raise training.accumulate, or use Slurm",
            ))
        }
        Some(resources) => Ok((run_name(&run.label), resources)),
        None => Err(argument(
            &format!("run {}", run.label),
            "fits no number of these devices",
            "raise training.accumulate, choose devices with more memory, or select other runs: `isoflop plan` shows what each needs",
        )),
    };
    estimates.runs.iter().map(of).collect()
}

fn uses_gpus(options: &SlurmOptions) -> bool {
    !matches!(options.device.as_str(), "flex" | "libtorch")
}

fn variables<'a, F>(
    options: &SlurmOptions,
    plan: &'a Plan,
    commands: &'a JobCommands,
    of_format: F,
) -> Variables<'a, F> {
    Variables {
        name: &plan.sweep.name,
        folder: &commands.folder,
        command: &commands.run,
        report_command: &commands.report,
        threads: options.threads.into(),
        uses_gpus: uses_gpus(options),
        grace_seconds: options.grace.as_secs().max(1),
        at_once: options.at_once.unwrap_or_default().into(),
        of_format,
    }
}

/// The template with its name in messages.
fn template(options: &SlurmOptions, built_in: &str) -> Result<(String, String), Error> {
    match &options.template {
        None => Ok(("the built-in template".to_owned(), built_in.to_owned())),
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(Error::io("read", file))?;
            Ok((file.display().to_string(), text))
        }
    }
}

/// One array per row.
fn table(groups: &[Group]) -> impl std::fmt::Display {
    let rows = groups.iter().enumerate().map(|(at, group)| {
        let resources = &group.resources;
        vec![
            format!("array-{}", at + 1),
            group.runs.len().to_string(),
            resources.devices.to_string(),
            resources.nodes.to_string(),
            format!("{} GiB", resources.memory_gib),
            experiment::quantity::duration(60.0 * resources.minutes as f64),
        ]
    });
    let header = ["job", "runs", "devices", "machines", "memory", "limit"];
    terminal_table(&header, 1, rows.collect())
}

/// Executes the script that submits the jobs, and prints what it says.
fn submit(script: &Path) -> Result<(), Error> {
    let mut command = Command::new("bash");
    command
        .arg(script)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().map_err(Error::io("execute", script))?;
    print_exact(&output.stdout)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Error::Submission {
            script: script.to_owned(),
        }),
    }
}

fn stated<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Error> {
    value.ok_or_else(|| argument(name, "is required with --format kubernetes", "add it"))
}

fn argument(argument: &str, problem: &str, remedy: &str) -> Error {
    Error::Argument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}
