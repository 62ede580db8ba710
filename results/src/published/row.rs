//! Published numbers, one for each row.

use std::fmt;

use serde::Deserialize;

/// One published number: not a measurement of this project, and never among measured rows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    /// The publication, such as `arXiv 2412.09764`.
    pub source: String,
    /// Which of the source's tables or figures.
    pub table: String,
    /// Size as named in the source; empty where it is not stated.
    pub size: String,
    /// Model as named in the source, such as `Memory+`.
    pub model: String,
    /// What else distinguishes rows of one model; empty where nothing does.
    pub variant: String,
    /// Parameters as printed.
    pub params: Option<f64>,
    /// Rows of the value table; 0 where the model has no table, none where the number is unknown.
    pub memory_slots: Option<u64>,
    /// Training tokens.
    pub tokens: Option<f64>,
    /// Name of the metric.
    pub metric: String,
    /// Unit of `value`: shares are in percent, as printed.
    pub unit: String,
    /// The printed value.
    pub value: f64,
    /// Half-width of the error of a digitised value; the sources state no uncertainties.
    pub uncertainty: Option<f64>,
    /// How the number was obtained.
    pub mark: Mark,
    /// A remark; may be empty.
    pub note: String,
}

/// How a published number was obtained: no table was read from the paper's own PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Mark {
    /// Two independent transcriptions of the paper agree.
    #[serde(rename = "paper via two transcriptions")]
    TwoTranscriptions,
    /// One transcription of the whole table.
    #[serde(rename = "paper via one transcription")]
    OneTranscription,
    /// Transcriptions of parts of the table.
    #[serde(rename = "paper via partial transcriptions")]
    PartialTranscriptions,
    /// A public copy of the paper's text.
    #[serde(rename = "paper via a public copy")]
    PublicCopy,
    /// Read off a figure.
    #[serde(rename = "digitised")]
    Digitised,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoTranscriptions => "paper via two transcriptions",
            Self::OneTranscription => "paper via one transcription",
            Self::PartialTranscriptions => "paper via partial transcriptions",
            Self::PublicCopy => "paper via a public copy",
            Self::Digitised => "digitised",
        })
    }
}
