//! Progress of the preparation of corpora, as text.

use corpora::{Progress, Stage};
use experiment::quantity::{bytes, count, duration};

/// What is being done to which corpus.
pub fn stage_name(progress: &Progress) -> String {
    let corpus = &progress.corpus;
    match progress.stage {
        Stage::Listing => format!("listing objects of {corpus}"),
        Stage::Fetching => format!("fetching {corpus}"),
        Stage::Hashing => format!("hashing {corpus}"),
        Stage::Tokenizing => format!("tokenizing {corpus}"),
        Stage::Ordering => "ordering documents".to_owned(),
    }
}

/// How much is done, how fast, and how long the rest takes.
pub fn rate(progress: &Progress) -> String {
    let Progress {
        done,
        total,
        tokens,
        seconds,
        ..
    } = *progress;
    let left = (total - done) as f64 * seconds / done.max(1) as f64;
    let per_second = |units: u64| units as f64 / seconds.max(1e-9);
    let tokens_per_s = count(per_second(tokens));
    match progress.stage {
        Stage::Listing => duration(seconds),
        Stage::Fetching | Stage::Hashing => format!(
            "{} of {}, {}/s, {} left",
            bytes(done),
            bytes(total),
            bytes(per_second(done) as u64),
            duration(left)
        ),
        Stage::Tokenizing => format!(
            "{} of {}, {} tokens, {tokens_per_s} tokens/s, {} left",
            bytes(done),
            bytes(total),
            count(tokens as f64),
            duration(left)
        ),
        Stage::Ordering => format!(
            "{} of {} tokens, {tokens_per_s} tokens/s, {} left",
            count(done as f64),
            count(total as f64),
            duration(left)
        ),
    }
}

/// Both in one line.
pub fn data_line(progress: &Progress) -> String {
    format!("{}: {}", stage_name(progress), rate(progress))
}
