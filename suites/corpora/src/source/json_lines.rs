//! Files with a JSON object in each line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::PathBuf;

use serde_json::value::RawValue;

use super::bytes::read_line;
use super::record::{Content, MAX_DOCUMENT, Record, RecordError};
use crate::CorpusError;

/// The texts of a file of JSON lines.
pub struct JsonLineRecords {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    field: String,
    number: usize,
    line: Vec<u8>,
    ended: bool,
}

impl JsonLineRecords {
    /// The texts of `field` in the lines of `reader`.
    pub fn new(reader: Box<dyn BufRead + Send>, path: PathBuf, field: &str) -> Self {
        Self {
            reader,
            path,
            field: field.to_owned(),
            number: 0,
            line: Vec::new(),
            ended: false,
        }
    }

    fn text(&self) -> Result<String, String> {
        let one_line = |error: serde_json::Error| {
            // The line of the error is always the first of this text.
            let text = error.to_string();
            text.replace("at line 1 column", "at column")
                .replace('\n', " ")
        };
        let line = std::str::from_utf8(&self.line).map_err(|_| "is not UTF-8".to_owned())?;
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(line)
            .map_err(|error| format!("is no JSON object ({})", one_line(error)))?;
        let value = object
            .get(&self.field)
            .ok_or_else(|| format!("has no field `{}`", self.field))?;
        serde_json::from_str::<Cow<str>>(value.get())
            .map(Cow::into_owned)
            .map_err(|error| format!("field `{}` is no text ({})", self.field, one_line(error)))
    }
}

impl Iterator for JsonLineRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if self.ended {
                return None;
            }
            self.number += 1;
            let most = 2 * MAX_DOCUMENT;
            match read_line(self.reader.as_mut(), most, &mut self.line) {
                Ok(None) => return None,
                Ok(Some(())) if self.line.trim_ascii().is_empty() => {}
                Ok(Some(())) => break,
                Err(error) => {
                    self.ended = true;
                    let error = if error.kind() == io::ErrorKind::FileTooLarge {
                        CorpusError::source(
                            format!("{}:{}", self.path.display(), self.number),
                            format!("the line is longer than {most} bytes"),
                            "split the document",
                        )
                    } else {
                        CorpusError::io("read", &self.path)(error)
                    };
                    return Some(Err(RecordError::File(error)));
                }
            }
        }
        Some(self.text().map(Content::Text).map_err(|problem| {
            RecordError::Record(CorpusError::source(
                format!("{}:{}", self.path.display(), self.number),
                problem,
                "correct the line or `text_field`, or set `skip_bad = true`",
            ))
        }))
    }
}
