//! Scripts of Slurm in the folder of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use harness::cluster::groups::Group;
use harness::cluster::template::{OfSlurm, Variables, render};
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::report_file::replace;
use harness::record::shell::quoted;
use harness::run::claim::STALE_AFTER;

use super::job_commands::unicode;
use crate::cli::arguments::SlurmOptions;

/// Writes `array-N.sh` for each group, `report.sh`, and `submit.sh`, which submits them all; returns the path of the last. Slurm
/// copies a script when it is submitted, so that jobs in the queue keep theirs.
///
/// # Arguments
/// * `template`: name and text.
/// * `shared`: variables that are equal in all jobs.
///
/// # Errors
/// If the template is invalid, or a file cannot be written.
pub fn write(
    (name, text): (&str, &str),
    folders: &Folders,
    options: &SlurmOptions,
    groups: &[Group],
    shared: &Variables<()>,
) -> Result<PathBuf, Error> {
    let folder = folders.jobs();
    let folder = std::path::absolute(&folder).map_err(Error::io("find", &folder))?;
    let (jobs, logs) = (unicode(&folder)?, unicode(&folder.join("logs"))?);
    let further = further_options(options);
    let script = |group| {
        let of_slurm = OfSlurm {
            group,
            logs: &logs,
            options: &further,
            // One heartbeat later than the claim ends.
            claim_seconds: STALE_AFTER.as_secs() + 20,
        };
        render(name, text, &shared.with(of_slurm))
    };
    // All are rendered before any is written.
    let mut scripts = Vec::with_capacity(groups.len() + 1);
    for (at, group) in groups.iter().enumerate() {
        scripts.push((format!("array-{}.sh", at + 1), script(Some(group))?));
    }
    let report = script(None)?;
    let names: Vec<&str> = scripts.iter().map(|(name, _)| name.as_str()).collect();
    let submit = submission(shared.name, &jobs, &names);
    // `sbatch` does not create it, and the job would end without a message.
    fs::create_dir_all(&logs).map_err(Error::io("create", logs.as_ref()))?;
    remove_arrays(&folder)?;
    for (name, script) in &scripts {
        replace(script, &folder.join(name))?;
    }
    replace(&report, &folder.join("report.sh"))?;
    let path = folder.join("submit.sh");
    replace(&submit, &path)?;
    Ok(path)
}

/// Removes the arrays of an earlier list, which may have been longer.
fn remove_arrays(folder: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("list", folder))?;
    for entry in entries {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("array-") && name.ends_with(".sh") {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

fn further_options(options: &SlurmOptions) -> Vec<String> {
    let named = [
        ("partition", &options.partition),
        ("account", &options.account),
    ];
    let named = named.into_iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some(format!("{name}={value}"))
    });
    named.chain(options.sbatch_option.iter().cloned()).collect()
}

/// The script that submits `arrays` and the report, all in `folder`.
fn submission(sweep: &str, folder: &str, arrays: &[&str]) -> String {
    format!(
        r#"#!/bin/bash
# Submits the jobs of the sweep {sweep}, and one that writes its report once they have ended.
set -euo pipefail
folder={folder}
jobs=
for script in {arrays}; do
  id=$(sbatch --parsable "$folder/$script")
  # With several clusters the name of the cluster follows.
  id=${{id%%;*}}
  jobs+=:$id
  echo "$script: job $id"
done
id=$(sbatch --parsable --dependency="afterany$jobs" "$folder/report.sh")
echo "report.sh: job ${{id%%;*}}, after the others"
"#,
        folder = quoted(folder),
        arrays = arrays.join(" "),
    )
}
