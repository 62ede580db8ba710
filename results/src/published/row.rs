//! What others printed, one number a row.

use std::fmt;

use serde::Deserialize;

/// One published number. It is no measurement of this project and never is among measured rows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    /// Where it was published, such as `arXiv 2412.09764`.
    pub source: String,
    /// Which of the source's tables or figures.
    pub table: String,
    /// As the source calls it; empty where it does not say.
    pub size: String,
    /// As the source calls it, such as `Memory+`.
    pub model: String,
    /// What else distinguishes rows of one model; empty where nothing does.
    pub variant: String,
    /// As printed.
    pub params: Option<f64>,
    /// Rows of the value table; 0 where the model has none, none where it is not known.
    pub memory_slots: Option<u64>,
    /// Of training.
    pub tokens: Option<f64>,
    /// Name of the metric.
    pub metric: String,
    /// Of `value`: shares are in percent here, as they were printed.
    pub unit: String,
    /// The printed value.
    pub value: f64,
    /// Half-width by which a digitised value may be off; the sources state no uncertainties of their own.
    pub uncertainty: Option<f64>,
    /// How the number came here.
    pub mark: Mark,
    /// What a reader has to know; empty where there is nothing.
    pub note: String,
}

/// How a published number came here: no table was seen in the paper's own PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Mark {
    /// Two independent transcriptions of the paper agree.
    #[serde(rename = "paper via two transcriptions")]
    TwoTranscriptions,
    /// One transcription of the whole table.
    #[serde(rename = "paper via one transcription")]
    OneTranscription,
    /// Transcriptions that hold parts of the table.
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
