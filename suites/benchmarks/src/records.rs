//! Files of records: JSON lines, JSON lists, CSV and TSV, each also gzipped.
//!
//! Every record is an object of JSON. It has the field `file`, the name of its file, from which relations and subjects follow.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value as Json};

use crate::error::BenchmarkError;
use crate::task::Source;

/// Most bytes of a JSON file: a gzip file may unpack to any size.
const MAX_BYTES: u64 = 4 << 30;

/// Most bytes of a line.
const MAX_LINE: u64 = 64 << 20;

/// Records, and what was left out of them.
#[derive(Debug, Default)]
pub struct Records {
    /// The files, in the order of their names.
    pub files: Vec<PathBuf>,
    /// In file order; null in the place of one that was left out.
    pub records: Vec<Json>,
    /// File, as its place in `files`, and line of each, from 1; in a JSON list the place of the record.
    pub places: Vec<(usize, usize)>,
    /// Messages of lines that were left out.
    pub skipped: Vec<String>,
}

/// The files of `source` at `paths`: files that are given are taken as they are, folders are searched for the names of the source.
///
/// # Errors
/// If none is found, or several in different folders.
pub fn find(
    task: &str,
    source: &Source,
    paths: &[PathBuf],
) -> Result<Vec<PathBuf>, BenchmarkError> {
    let failed = |problem: String, remedy: &str| BenchmarkError::Files {
        task: task.to_owned(),
        problem,
        remedy: remedy.to_owned(),
    };
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            folders.push(path.clone());
        } else if path.is_file() {
            found.push(path.clone());
        } else {
            let problem = format!("{} does not exist", path.display());
            return Err(failed(problem, "give a file or folder of the benchmark"));
        }
    }
    if found.is_empty() {
        let mut all = Vec::new();
        for folder in &folders {
            walk(folder, &mut all)?;
        }
        all.sort();
        // The first name that exists: a task names its files in the order of preference.
        for name in &source.files {
            let pattern = glob::Pattern::new(name).map_err(|error| {
                failed(
                    format!("`source.files` has \"{name}\" ({error})"),
                    "write a name with *",
                )
            })?;
            let is_named = |file: &&PathBuf| {
                file.file_name()
                    .and_then(|own| own.to_str())
                    .is_some_and(|own| {
                        pattern.matches(own) || pattern.matches(own.trim_end_matches(".gz"))
                    })
            };
            found = all.iter().filter(is_named).cloned().collect();
            if !found.is_empty() {
                break;
            }
        }
    }
    let Some(first) = found.first() else {
        let names = source.files.join(", ");
        let places: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let problem = format!("no file {names} in {}", places.join(", "));
        return Err(failed(problem, "give its file or folder with --data"));
    };
    let others = found.iter().find(|file| file.parent() != first.parent());
    if let (Some(other), true) = (others, paths.iter().all(|path| path.is_dir())) {
        let problem = format!("{} and {} both match", first.display(), other.display());
        return Err(failed(problem, "give one of their folders with --data"));
    }
    Ok(found)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), BenchmarkError> {
    for entry in std::fs::read_dir(folder).map_err(BenchmarkError::io(folder))? {
        let entry = entry.map_err(BenchmarkError::io(folder))?;
        let kind = entry.file_type().map_err(BenchmarkError::io(folder))?;
        // A link to a folder may lead in a circle.
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The records of `files`.
///
/// # Arguments
/// * `skips`: whether a line that cannot be read is left out and reported, instead of an error.
///
/// # Errors
/// If a file cannot be read, or a line of it.
pub fn read(files: &[PathBuf], source: &Source, skips: bool) -> Result<Records, BenchmarkError> {
    let mut all = Records {
        files: files.to_vec(),
        ..Records::default()
    };
    for (place, file) in files.iter().enumerate() {
        let start = all.records.len();
        let name = plain_name(file);
        let extension = Path::new(&name)
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        let mut add = |line: usize, record: Result<Json, String>| -> Result<(), BenchmarkError> {
            let record = record.and_then(|record| with_file(record, &name));
            all.places.push((place, line));
            match record {
                Ok(record) => all.records.push(record),
                Err(problem) => {
                    let error = BenchmarkError::Line {
                        file: file.clone(),
                        line,
                        problem,
                        remedy: "correct or remove it, or leave it out with --skip-bad".to_owned(),
                    };
                    if !skips {
                        return Err(error);
                    }
                    all.skipped.push(error.to_string());
                    all.records.push(Json::Null);
                }
            }
            Ok(())
        };
        match extension {
            "json" => {
                let mut text = String::new();
                open(file)?
                    .take(MAX_BYTES)
                    .read_to_string(&mut text)
                    .map_err(BenchmarkError::io(file))?;
                let whole: Result<Json, String> =
                    serde_json::from_str(&text).map_err(|error| format!("is not JSON ({error})"));
                match whole {
                    Ok(Json::Array(list)) => {
                        for (place, record) in list.into_iter().enumerate() {
                            add(place + 1, Ok(record))?;
                        }
                    }
                    Ok(_) => add(1, Err("is not a list of records".to_owned()))?,
                    Err(problem) => add(1, Err(problem))?,
                }
            }
            "csv" | "tsv" | "txt" => {
                let separator =
                    source
                        .separator
                        .unwrap_or(if extension == "tsv" { '\t' } else { ',' });
                read_columns(file, separator, &source.columns, &mut add)?;
            }
            _ => {
                for_each_line(file, open(file)?, &mut |line, text| {
                    let parsed = text.and_then(|text| {
                        serde_json::from_str(text).map_err(|error| format!("is not JSON ({error})"))
                    });
                    add(line, parsed)
                })?;
            }
        }
        if let Some(labels) = &source.labels {
            join_labels(&file.with_file_name(labels), &mut all.records[start..])?;
        }
    }
    Ok(all)
}

/// The name of a file without `.gz`.
fn plain_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.trim_end_matches(".gz").to_owned()
}

/// What is done with the number of a line and its text, or why it has none.
type OfLine<'a> = dyn FnMut(usize, Result<&str, String>) -> Result<(), BenchmarkError> + 'a;

/// Calls `each` with every line that is not blank.
///
/// # Errors
/// If the file cannot be read, a line has more than 64 MiB, or `each` fails. A line that is no UTF-8 is an error of its own, for `each`.
pub(crate) fn for_each_line(
    file: &Path,
    reader: impl Read,
    each: &mut OfLine,
) -> Result<(), BenchmarkError> {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let mut bounded = reader.by_ref().take(MAX_LINE);
        let read = bounded
            .read_until(b'\n', &mut bytes)
            .map_err(BenchmarkError::io(file))?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE && !bytes.ends_with(b"\n") {
            return Err(BenchmarkError::Line {
                file: file.to_owned(),
                line,
                problem: "has more than 64 MiB".to_owned(),
                remedy: "give a file with one record a line".to_owned(),
            });
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => each(line, Ok(text))?,
            Err(_) => each(line, Err("is not UTF-8".to_owned()))?,
        }
    }
    Ok(())
}

fn open(file: &Path) -> Result<Box<dyn Read>, BenchmarkError> {
    let opened = File::open(file).map_err(BenchmarkError::io(file))?;
    Ok(match file.extension().is_some_and(|end| end == "gz") {
        true => Box::new(MultiGzDecoder::new(opened)),
        false => Box::new(opened),
    })
}

fn with_file(record: Json, name: &str) -> Result<Json, String> {
    match record {
        Json::Object(mut object) => {
            object.insert("file".to_owned(), Json::String(name.to_owned()));
            Ok(Json::Object(object))
        }
        _ => Err("is not an object with fields".to_owned()),
    }
}

fn read_columns(
    file: &Path,
    separator: char,
    columns: &[String],
    add: &mut dyn FnMut(usize, Result<Json, String>) -> Result<(), BenchmarkError>,
) -> Result<(), BenchmarkError> {
    let separator = u8::try_from(separator).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(columns.is_empty())
        .flexible(true)
        .from_reader(open(file)?);
    let names: Vec<String> = match columns.is_empty() {
        true => {
            let header = reader
                .headers()
                .map_err(|error| column_error(file, &error))?;
            header.iter().map(str::to_owned).collect()
        }
        false => columns.to_vec(),
    };
    // Counted here: with `\r\n` the reader has not passed the line's end when it says where the next row begins.
    let mut line = if columns.is_empty() { 2 } else { 1 };
    for row in reader.records() {
        let mut lines = 1;
        let record = match row {
            Ok(row) => {
                lines += row
                    .iter()
                    .map(|text| text.matches('\n').count())
                    .sum::<usize>();
                match row.len() == names.len() {
                    true => {
                        let fields = names.iter().cloned().zip(row.iter());
                        let fields =
                            fields.map(|(name, text)| (name, Json::String(text.to_owned())));
                        Ok(Json::Object(fields.collect::<Map<_, _>>()))
                    }
                    false => Err(format!("has {} columns, not {}", row.len(), names.len())),
                }
            }
            Err(error) => Err(format!("is not a row ({error})")),
        };
        add(line, record)?;
        line += lines;
    }
    Ok(())
}

fn column_error(file: &Path, error: &csv::Error) -> BenchmarkError {
    BenchmarkError::Line {
        file: file.to_owned(),
        line: 1,
        problem: format!("has no header ({error})"),
        remedy: "give a file with column names".to_owned(),
    }
}

fn join_labels(file: &Path, records: &mut [Json]) -> Result<(), BenchmarkError> {
    let text = std::fs::read_to_string(file).map_err(BenchmarkError::io(file))?;
    let labels: Vec<&str> = text.lines().collect();
    if labels.len() != records.len() {
        return Err(BenchmarkError::Line {
            file: file.to_owned(),
            line: labels.len().min(records.len()) + 1,
            problem: format!("has {} labels for {} records", labels.len(), records.len()),
            remedy: "give the labels of these records, one a line".to_owned(),
        });
    }
    for (record, label) in records.iter_mut().zip(labels) {
        if let Json::Object(object) = record {
            object.insert("label".to_owned(), Json::String(label.trim().to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
