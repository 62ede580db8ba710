//! `[tasks]` of a sweep file: the published benchmarks that every run is evaluated on.
//!
//! They are no part of a run: a task that is added later is evaluated with the weights that are there.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::FileError;
use super::read::read;
use super::suggest::suggest;
use super::tree::{LocatedNode, LocatedTable};

/// A benchmark and what of it is evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskConfig {
    /// Name of the task.
    pub name: String,
    /// File of its declaration; `None` for an embedded one.
    pub file: Option<PathBuf>,
    /// Its files as published, or folders that have them.
    pub data: Vec<PathBuf>,
    /// Few-shot examples; as the task says if absent.
    pub shots: Option<usize>,
    /// Most items, drawn at random and the same for every run; all if absent.
    pub limit: Option<usize>,
    /// Most tokens that the model reads; `seq_len` if absent.
    pub max_length: Option<usize>,
    /// Whether records that cannot be read are left out and counted.
    pub skip_bad: bool,
    /// Whether answers that are programs are run.
    pub run_code: bool,
}

/// The keys of `[tasks.NAME]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskKeys {
    data: Paths,
    file: Option<PathBuf>,
    shots: Option<usize>,
    limit: Option<usize>,
    max_length: Option<usize>,
    #[serde(default)]
    skip_bad: bool,
    #[serde(default)]
    run_code: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a path, or a list of paths")]
enum Paths {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

/// The tasks of a file, in its order; paths are relative to the folder of the file.
///
/// # Arguments
/// * `corpora`: labels of the corpora, whose scores are rows beside those of tasks.
///
/// # Errors
/// If a key is unknown or missing, a value is invalid, or a task is not known or has a name that is taken.
pub fn tasks(
    file: &str,
    root: &LocatedTable,
    corpora: &[&str],
) -> Result<Vec<TaskConfig>, FileError> {
    let section = root.section("tasks");
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut tasks = Vec::new();
    for (label, _) in section.labelled(file)? {
        let LocatedNode::Table(own) = &label.node else {
            continue;
        };
        let keys: TaskKeys = read(file, own)?;
        let name = label.key.clone();
        let known: Vec<&str> = benchmarks::builtin::names().collect();
        if keys.file.is_none() && !known.contains(&name.as_str()) {
            let problem = "is no known task".to_owned();
            let remedy = format!(
                "{}, or give the `file` of a declaration",
                suggest(&name, &known)
            );
            return Err(FileError::at(file, label, problem, remedy));
        }
        if is_taken(&name, corpora) {
            let problem = "is the name of a suite or a corpus, whose scores have it too";
            return Err(FileError::at(
                file,
                label,
                problem,
                "rename the task or the corpus",
            ));
        }
        let data = match keys.data {
            Paths::One(path) => vec![path],
            Paths::Several(paths) => paths,
        };
        let invalid = |key: &str, problem: &str, remedy: &str| {
            Err(FileError::of(file, own, key, problem, remedy))
        };
        if data.is_empty() {
            return invalid(
                "data",
                "is empty",
                "name the files or folders of the benchmark",
            );
        }
        if keys.limit == Some(0) {
            return invalid("limit", "= 0", "write 1 or more, or remove the key");
        }
        if keys
            .max_length
            .is_some_and(|most| !(2..=architectures::MAX_SEQ_LEN).contains(&most))
        {
            return invalid(
                "max_length",
                "is out of range",
                "write a number of tokens from 2",
            );
        }
        tasks.push(TaskConfig {
            name,
            file: keys.file.map(|path| folder.join(path)),
            data: data.iter().map(|path| folder.join(path)).collect(),
            shots: keys.shots,
            limit: keys.limit,
            max_length: keys.max_length,
            skip_bad: keys.skip_bad,
            run_code: keys.run_code,
        });
    }
    Ok(tasks)
}

fn is_taken(name: &str, corpora: &[&str]) -> bool {
    let suite = name.strip_suffix(" recall").unwrap_or(name);
    ["biographies", "world", "functions", "bios", "suites"].contains(&suite)
        || corpora.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep_file::Sweep;

    fn parsed(section: &str) -> Result<Vec<TaskConfig>, String> {
        let text = format!("{}\n{section}", crate::testing::SWEEP);
        let sweep = Sweep::parse("sweeps/f.toml", &text).map_err(|error| error.to_string())?;
        Ok(sweep.tasks)
    }

    #[test]
    fn tasks_are_in_the_order_of_the_file_with_paths_beside_it() {
        let tasks = parsed(
            "[tasks.piqa]\ndata = \"../data/piqa\"\nlimit = 5\n[tasks.mine]\nfile = \"mine.toml\"\ndata = [\"/a\", \"b\"]\n",
        )
        .unwrap();
        assert_eq!((tasks[0].name.as_str(), tasks[0].limit), ("piqa", Some(5)));
        assert_eq!(tasks[0].data, [Path::new("sweeps/../data/piqa")]);
        assert_eq!(tasks[1].data, [Path::new("/a"), Path::new("sweeps/b")]);
        assert_eq!(
            tasks[1].file.as_deref(),
            Some(Path::new("sweeps/mine.toml"))
        );
        assert_eq!(parsed("").unwrap(), []);
    }

    #[test]
    fn an_invalid_key_is_an_error_that_names_it() {
        let message = |section: &str| parsed(section).unwrap_err();
        assert!(message("[tasks.pica]\ndata = \"d\"\n").contains("piqa"));
        assert!(message("[tasks.piqa]\nshots = 1\n").contains("data"));
        assert!(message("[tasks.piqa]\ndata = []\n").contains("`tasks.piqa.data`"));
        assert!(message("[tasks.piqa]\ndata = 3\n").contains("list of paths"));
        assert!(message("[tasks.piqa]\ndata = \"d\"\nlimit = 0\n").contains("`tasks.piqa.limit`"));
        assert!(message("[tasks.piqa]\ndata = \"d\"\nlimits = 3\n").contains("limits"));
        let own = "[tasks.world]\ndata = \"d\"\nfile = \"f.toml\"\n";
        assert!(message(own).contains("name of a suite"));
    }
}
