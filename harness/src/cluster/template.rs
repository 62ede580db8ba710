//! Templates of jobs, in the language of Jinja, which users edit for their cluster.
//!
//! An unknown variable is an error. Beside Jinja's own there are the filters
//!
//! | filter | result |
//! |---|---|
//! | `shell` | a word of a shell |
//! | `pattern(behind)` | a file name in an option of Slurm, where `%` begins a pattern, with a pattern behind it |
//! | `clock` | minutes as `DAYS-HH:MM:00` |
//! | `json` | a text of YAML |
//! | `dns` | a name of Kubernetes |

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use super::groups::Group;
use crate::error::Error;
use crate::record::shell::quoted;

/// The template of jobs of Slurm.
pub const SLURM: &str = include_str!("templates/slurm.sh");
/// The template of Jobs of Kubernetes.
pub const KUBERNETES: &str = include_str!("templates/kubernetes.yaml");

/// What a template is filled with, beside the variables of its format.
#[derive(Clone, Debug, Serialize)]
pub struct Variables<'a, F> {
    /// Name of the sweep.
    pub name: &'a str,
    /// The folder in which commands are executed, absolute.
    pub folder: &'a str,
    /// The command that executes one run, for a shell, without the name of the run.
    pub command: &'a str,
    /// The command that writes the report, for a shell.
    pub report_command: &'a str,
    /// Worker threads of a process.
    pub threads: u64,
    /// Whether devices are GPUs.
    pub uses_gpus: bool,
    /// Seconds between the request to stop and the end of a job.
    pub grace_seconds: u64,
    /// Largest number of runs at a time; 0 for no limit.
    pub at_once: u64,
    /// Variables of the format.
    #[serde(flatten)]
    pub of_format: F,
}

impl<'a, F> Variables<'a, F> {
    /// The same for another format.
    pub fn with<G>(&self, of_format: G) -> Variables<'a, G> {
        Variables {
            name: self.name,
            folder: self.folder,
            command: self.command,
            report_command: self.report_command,
            threads: self.threads,
            uses_gpus: self.uses_gpus,
            grace_seconds: self.grace_seconds,
            at_once: self.at_once,
            of_format,
        }
    }
}

/// Variables of a job of Slurm.
#[derive(Clone, Debug, Serialize)]
pub struct OfSlurm<'a> {
    /// The runs of an array; `None` in the job that writes the report.
    pub group: Option<&'a Group>,
    /// Folder of the output of jobs, absolute.
    pub logs: &'a str,
    /// Further options, such as `partition=long`.
    pub options: &'a [String],
    /// Seconds after which a run that a killed process held can be executed by another.
    pub claim_seconds: u64,
}

/// Variables of Jobs of Kubernetes.
#[derive(Clone, Debug, Serialize)]
pub struct OfKubernetes<'a> {
    /// The arrays.
    pub groups: &'a [Group],
    /// The image of the container.
    pub image: &'a str,
    /// The claim of the volume that has the folder.
    pub volume_claim: &'a str,
}

/// The text of `template`, named `name` in messages, filled with `variables`.
///
/// # Errors
/// If it is no template, or has an unknown variable or filter.
pub fn render<F: Serialize>(
    name: &str,
    template: &str,
    variables: &Variables<F>,
) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("shell", |word: String| quoted(&word));
    environment.add_filter("pattern", |name: String, behind: Option<String>| {
        pattern(&name, &behind.unwrap_or_default())
    });
    environment.add_filter("json", |text: String| {
        serde_json::Value::String(text).to_string()
    });
    environment.add_filter("clock", clock);
    environment.add_filter("dns", |name: String| dns(&name));
    environment
        .render_named_str(name, template, variables)
        .map_err(|error| invalid(name, &error))
}

fn invalid(name: &str, error: &minijinja::Error) -> Error {
    let line = error
        .line()
        .map_or_else(String::new, |line| format!(":{line}"));
    let detail = error.detail().unwrap_or_default();
    let problem = match error.kind() {
        ErrorKind::UndefinedError => "uses an unknown variable".to_owned(),
        kind => format!("is invalid: {kind}: {detail}"),
    };
    Error::Argument {
        argument: format!("{name}{line}"),
        problem,
        remedy: "correct the template: `isoflop slurm --print-template` prints one that is valid, with all variables"
            .to_owned(),
    }
}

/// A file name as an option of Slurm, with the pattern `behind`: `%` begins a pattern, and quotes keep words together.
fn pattern(name: &str, behind: &str) -> String {
    let whole = name.replace('%', "%%") + behind;
    match whole.contains(|c: char| c.is_whitespace() || "\"'\\#".contains(c)) {
        true => {
            let escaped = whole.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        }
        false => whole,
    }
}

/// Minutes as Slurm reads them.
fn clock(minutes: u64) -> String {
    format!(
        "{}-{:02}:{:02}:00",
        minutes / 1440,
        minutes / 60 % 24,
        minutes % 60
    )
}

/// A name of Kubernetes: lower-case letters, digits and `-`, at most 40 characters, so that a number fits behind.
fn dns(name: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    let name: String = name.chars().map(plain).take(40).collect();
    let name = name.trim_matches('-');
    match name.is_empty() {
        true => "sweep".to_owned(),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
