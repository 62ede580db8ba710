//! `isoflop init`.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use harness::error::Error;
use harness::run::conclusion::Conclusion;

use crate::cli::output::print;

/// A sweep file with comments.
const TEMPLATE: &str = include_str!("../../../../sweeps/template.toml");

/// Writes a commented sweep file, and never replaces a file.
///
/// # Errors
/// If the file exists or cannot be written.
pub fn init(file: &Path) -> Result<Conclusion, Error> {
    let error = |problem: String, remedy: &str| Error::Argument {
        argument: file.display().to_string(),
        problem,
        remedy: remedy.to_owned(),
    };
    let created = File::create_new(file).map_err(|failure| match failure.kind() {
        ErrorKind::AlreadyExists => error("exists".to_owned(), "give another path"),
        _ => error(
            format!("cannot be written ({failure})"),
            "give another path",
        ),
    });
    let written = created?.write_all(TEMPLATE.as_bytes());
    written.map_err(|failure| error(format!("cannot be written ({failure})"), "free space"))?;
    print(file.display())?;
    Ok(Conclusion::Complete)
}
