//! The sealed forecasts of a sweep: `<sweep>/forecasts/<number>.json`, each with the hash of the one before it.

use std::fs;
use std::path::{Path, PathBuf};

use results::forecast::Sealed;

use crate::error::Error;
use crate::record::report_file;

/// The forecasts in `folder`, in order; none if it does not exist.
///
/// # Errors
/// If a file cannot be read, was changed after it was sealed, or one before it was removed.
pub fn read(folder: &Path) -> Result<Vec<Sealed>, Error> {
    let mut files: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths
                .collect::<Result<_, _>>()
                .map_err(Error::io("read", folder))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", folder)(error)),
    };
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    let mut found: Vec<Sealed> = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        let invalid = |problem: String| Error::Argument {
            argument: format!("forecast {}", file.display()),
            problem,
            remedy: "restore it from the commit that published it".to_owned(),
        };
        let sealed = Sealed::parse(&text).map_err(invalid)?;
        let previous = found.last().map_or("", |last| last.hash.as_str());
        if sealed.previous != previous {
            return Err(invalid(
                "does not follow the forecast before it: one was removed or added".to_owned(),
            ));
        }
        found.push(sealed);
    }
    Ok(found)
}

/// Seals `forecasts` as the next of `folder`, and writes it.
///
/// # Errors
/// If the folder cannot be read or the file cannot be written.
pub fn write(folder: &Path, forecasts: Sealed) -> Result<(PathBuf, Sealed), Error> {
    let before = read(folder)?;
    let sealed = Sealed {
        previous: before
            .last()
            .map_or_else(String::new, |last| last.hash.clone()),
        ..forecasts
    }
    .sealed();
    let file = folder.join(format!("{:04}.json", before.len() + 1));
    let text = sealed.to_json()?;
    // JSON has no infinite numbers: a record that cannot be read back must not be written.
    Sealed::parse(&text).map_err(|problem| Error::Argument {
        argument: "the forecast".to_owned(),
        problem: format!("cannot be sealed ({problem})"),
        remedy: "check the losses of the recorded runs: one is 0 or not finite".to_owned(),
    })?;
    report_file::replace(&text, &file)?;
    Ok((file, sealed))
}

/// Writes the forecasts of `from` into `to` as well, for publication.
///
/// # Errors
/// If one cannot be read or was changed, or a file cannot be written.
pub fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for (place, sealed) in read(from)?.iter().enumerate() {
        let file = to.join(format!("{:04}.json", place + 1));
        report_file::replace(&sealed.to_json()?, &file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast() -> Sealed {
        Sealed {
            format: 1,
            sweep: "test".to_owned(),
            written: String::new(),
            commit: String::new(),
            flops: 1e12,
            seeds: 3,
            floor: 0.0,
            rule: String::new(),
            budgets: vec![1e11],
            runs: 1,
            rows: String::new(),
            forecasts: Vec::new(),
            previous: String::new(),
            hash: String::new(),
        }
    }

    #[test]
    fn forecasts_are_a_chain_from_which_none_can_be_taken_unnoticed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join("none")).unwrap(), []);
        let (first, one) = write(folder.path(), forecast()).unwrap();
        let (second, two) = write(folder.path(), forecast()).unwrap();
        assert_eq!(two.previous, one.hash);
        assert_eq!(read(folder.path()).unwrap(), [one, two]);
        let text = fs::read_to_string(&second).unwrap();
        fs::write(&second, text.replace("\"runs\": 1", "\"runs\": 2")).unwrap();
        assert!(
            read(folder.path())
                .unwrap_err()
                .to_string()
                .contains("changed after")
        );
        fs::write(&second, text).unwrap();
        fs::remove_file(first).unwrap();
        assert!(
            read(folder.path())
                .unwrap_err()
                .to_string()
                .contains("does not follow")
        );
    }
}
