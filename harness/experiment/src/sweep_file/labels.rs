//! Names: of sweeps, which are folders, and labels of sizes and blocks, which are printed.

use std::path::Path;

use super::error::{FileError, quoted};
use super::tree::{LocatedEntry, LocatedTable};
use crate::printable::is_printable;

/// Name of the folder of probes in the output folder, which is not allowed as the name of a sweep.
pub const RESERVED_NAME: &str = "probes";

/// Names that Windows reserves for devices; `com1` to `com9` and `lpt1` to `lpt9` are too.
const DEVICES: [&str; 4] = ["aux", "con", "nul", "prn"];

/// Longest name or label, in characters.
const MAX_LENGTH: usize = 64;

/// Largest number of sizes or blocks of a file.
const MAX_LABELS: usize = 256;

/// The name of the sweep, `given` or that of the file; it must be a valid name of a folder on every system.
///
/// # Errors
/// If it is not.
pub fn name(file: &str, root: &LocatedTable, given: Option<String>) -> Result<String, FileError> {
    let stem = || {
        let stem = Path::new(file).file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    };
    let name = given.unwrap_or_else(stem);
    let error = |problem: &str, remedy: &str| {
        let problem = format!("\"{}\" {problem}", quoted(&name));
        Err(FileError::of(file, root, "name", problem, remedy))
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || !name.chars().all(plain) || name.len() > MAX_LENGTH {
        return error(
            "cannot name a folder",
            "use letters, digits, `-` and `_`, at most 64",
        );
    }
    let lower = name.to_ascii_lowercase();
    if lower == RESERVED_NAME {
        return error("is the folder of probes", "choose another");
    }
    let port = lower.strip_prefix("com").or(lower.strip_prefix("lpt"));
    let is_port = port.is_some_and(|number| number.len() == 1 && number != "0");
    if DEVICES.contains(&lower.as_str()) || is_port {
        return error("is the name of a device on Windows", "choose another");
    }
    Ok(name)
}

/// Checks the labels of `sizes` or `blocks`, the section `key`: there is at least one and not too many, and each is printable text.
///
/// # Errors
/// For the first label that is not.
pub fn check_labels(file: &str, root: &LocatedTable, key: &str) -> Result<(), FileError> {
    let section = root.section(key);
    let error = |problem: &str, remedy: &str| Err(FileError::of(file, root, key, problem, remedy));
    if section.entries.is_empty() {
        return error("is empty", "add at least one");
    }
    if section.entries.len() > MAX_LABELS {
        let problem = format!(
            "has {} labels, more than {MAX_LABELS}",
            section.entries.len()
        );
        return error(&problem, "divide the sweep into several files");
    }
    section
        .entries
        .iter()
        .try_for_each(|label| check_label(file, label))
}

fn check_label(file: &str, label: &LocatedEntry) -> Result<(), FileError> {
    let error = |problem: &str, remedy: &str| Err(FileError::at(file, label, problem, remedy));
    if label.key.is_empty() {
        return error("is an empty label", "name it");
    }
    if label.key.chars().count() > MAX_LENGTH {
        return error("is too long a label", "use at most 64 characters");
    }
    if !label.key.chars().all(is_printable) {
        let problem =
            "is a label with a control character or one that changes the direction of writing";
        return error(problem, "remove it: labels are printed on terminals");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, FileError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_are_names_of_folders_on_every_system() {
        let root = LocatedTable::parse("f.toml", "").unwrap();
        let named = |given: &str| name("f.toml", &root, Some(given.to_owned()));
        for given in ["a", "my-sweep_2", "com", "com10", "lpt0", &"a".repeat(64)] {
            assert_eq!(named(given).unwrap(), given);
        }
        for given in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "/a",
            "a\0",
            "a b",
            "ä",
            "a.b",
            &"a".repeat(65),
        ] {
            assert!(
                message(named(given)).contains("cannot name a folder"),
                "{given}"
            );
        }
        assert!(message(named("Probes")).contains("folder of probes"));
        for given in ["NUL", "con", "Com1", "lpt9"] {
            assert!(message(named(given)).contains("device"), "{given}");
        }
        assert_eq!(name("dir/x.toml", &root, None).unwrap(), "x");
        assert!(message(name("dir/...", &root, None)).contains("cannot name a folder"));
    }

    #[test]
    fn labels_are_printable_and_few() {
        let check = |text: &str| {
            check_labels(
                "f.toml",
                &LocatedTable::parse("f.toml", text).unwrap(),
                "sizes",
            )
        };
        assert!(check("[sizes.\"größe 2, ../x\"]").is_ok());
        assert!(message(check("sizes = {}")).contains("is empty"));
        assert!(message(check("[sizes.\"\"]")).contains("empty label"));
        let escape = message(check("[sizes.\"\\u001b[2J\"]"));
        assert!(
            escape.contains("control character") && escape.contains("\\u{1b}[2J"),
            "{escape}"
        );
        assert!(message(check("[sizes.\"\\u202e\"]")).contains("direction"));
        assert!(message(check(&format!("[sizes.{}]", "a".repeat(65)))).contains("too long"));
        let many: String = (0..257).map(|i| format!("[sizes.s{i}]\n")).collect();
        assert!(message(check(&many)).contains("257 labels, more than 256"));
    }
}
