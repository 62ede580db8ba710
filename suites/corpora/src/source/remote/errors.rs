//! Errors of object stores, each in one line with its remedy.

use std::error::Error as StdError;

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
            "check the URL, the network, and settings and credentials in the environment, then run again: objects that are complete are not \
             fetched again"
        }
    };
    let mut text = error.to_string();
    // The HTTP client says what failed and leaves the cause, such as a certificate or a name, to the innermost error.
    let cause = innermost(error).to_string();
    if !text.contains(&cause) {
        text = format!("{cause}: {text}");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(SHOWN).collect();
    CorpusError::source(url, format!("cannot be fetched ({text})"), remedy)
}

fn innermost(mut error: &dyn StdError) -> &dyn StdError {
    while let Some(cause) = error.source() {
        error = cause;
    }
    error
}

/// The content of the object `url` did not arrive as it was announced.
pub fn incomplete(url: &str, problem: &str) -> CorpusError {
    let remedy =
        "check the network, then run again: objects that are complete are not fetched again";
    CorpusError::source(url, format!("cannot be fetched ({problem})"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("sending failed\n{}", "x".repeat(1000))]
    struct Sending(#[source] std::io::Error);

    #[test]
    fn an_error_is_one_line_of_bounded_length_with_its_cause() {
        let error = Error::Generic {
            store: "S3",
            source: Box::new(Sending(std::io::Error::other("no such host"))),
        };
        let message = failed("s3://b/a.txt", &error).to_string();
        let expected =
            "s3://b/a.txt: cannot be fetched (no such host: Generic S3 error: sending failed xxx";
        assert!(message.starts_with(expected), "{message}");
        assert!(message.ends_with("are not fetched again"), "{message}");
        assert!(message.len() < 700 && !message.contains('\n'));
    }
}
