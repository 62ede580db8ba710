//! The commands that jobs execute.

use std::env;
use std::path::Path;

use experiment::plan::Plan;
use harness::error::Error;
use harness::record::shell::{quoted, sweep_arguments};

use crate::cli::arguments::{JobFormat, SlurmOptions};

/// Commands of jobs, for a shell, and the folder in which they are executed.
pub struct JobCommands {
    /// The present folder: sweep file and output may be relative to it.
    pub folder: String,
    /// Executes the run whose name follows `--run`.
    pub run: String,
    /// Writes the report.
    pub report: String,
}

impl JobCommands {
    /// The commands for the sweep of `plan`.
    ///
    /// # Errors
    /// If the present folder or the program has no name in Unicode, or the sweep is read from a pipe.
    pub fn of(options: &SlurmOptions, plan: &Plan) -> Result<Self, Error> {
        let argument = &plan.sweep.argument;
        if ["/dev/", "/proc/"]
            .iter()
            .any(|place| argument.starts_with(place))
        {
            return Err(Error::Argument {
                argument: argument.clone(),
                problem: "cannot be read by a job".to_owned(),
                remedy: "write the sweep to a file".to_owned(),
            });
        }
        let folder = env::current_dir().map_err(Error::io("find", ".".as_ref()))?;
        let program = match (&options.program, options.format) {
            (Some(program), _) => program.clone(),
            (None, JobFormat::Kubernetes) => "isoflop".to_owned(),
            (None, _) => {
                let own = env::current_exe().map_err(Error::io("find", "this program".as_ref()))?;
                unicode(&own)?
            }
        };
        let program = quoted(&program);
        let sweep = sweep_arguments(&plan.sweep);
        let output = quoted(&unicode(&options.selection.location.output)?);
        // A pod that ends is started again, where a job of Slurm waits for the claim by itself.
        let waits = match options.format {
            JobFormat::Kubernetes => "",
            _ => " --no-wait",
        };
        Ok(Self {
            folder: unicode(&folder)?,
            run: format!(
                "{program} sweep {sweep} --output {output} --device {} --threads {} --no-report --quiet{waits}",
                quoted(&options.device),
                options.threads
            ),
            report: format!("{program} report {sweep} --output {output}"),
        })
    }
}

/// The path as text.
///
/// # Errors
/// If it is no Unicode or has control characters.
pub fn unicode(path: &Path) -> Result<String, Error> {
    let text = path
        .to_str()
        .filter(|text| !text.contains(char::is_control));
    text.map(str::to_owned).ok_or_else(|| Error::Argument {
        argument: format!("{}", path.display()),
        problem: "is a path that is no Unicode or has control characters, which no job can state"
            .to_owned(),
        remedy: "use another folder".to_owned(),
    })
}
