//! Errors of object stores, each in one line with its remedy.

use object_store::Error;

use crate::CorpusError;

/// Characters of an error that are shown: services answer with whole documents.
const SHOWN: usize = 400;

/// The error of a request about the object or prefix `url`.
pub fn failed(url: &str, error: &Error) -> CorpusError {
    let remedy = match error {
        Error::NotFound { .. } => "correct the path",
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            "give credentials by the environment, as for the tools of the service (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS), or for \
             public objects of S3 AWS_SKIP_SIGNATURE=true"
        }
        _ => {
            "check the URL, the network and the environment (AWS_REGION, AWS_ENDPOINT_URL), then run again: objects that are complete are not \
             fetched again"
        }
    };
    let text = error.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(SHOWN).collect();
    CorpusError::source(url, format!("cannot be fetched ({text})"), remedy)
}

/// The content of the object `url` did not arrive as it was announced.
pub fn incomplete(url: &str, problem: &str) -> CorpusError {
    let remedy =
        "check the network, then run again: objects that are complete are not fetched again";
    CorpusError::source(url, format!("cannot be fetched ({problem})"), remedy)
}
