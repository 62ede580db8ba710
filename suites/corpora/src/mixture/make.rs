//! The making of the sequence of a mixture, in segments.

use std::path::Path;

use super::stream::{Segment, Segments, SourceState, file};
use super::{TokenStream, Weighted, next_source};
use crate::progress::{Observer, Stage, StageReport};
use crate::{CorpusError, TokenFile, write};

/// Tokens after which a segment ends: what a process that is killed makes again.
const SEGMENT_TOKENS: u64 = 1 << 26;

/// Tokens between two reports.
const REPORT_TOKENS: u64 = 1 << 20;

/// The sequence `name` in `folder`, with at least `min_tokens` tokens; what is missing is made from the sources.
///
/// # Errors
/// Those of the sources; if a file is damaged or not accessible, or the observer ends the preparation.
pub fn extend<E: From<CorpusError>>(
    (folder, name): (&Path, &str),
    sources: Vec<Weighted<E>>,
    vocab_size: usize,
    min_tokens: u64,
    observer: Observer,
) -> Result<TokenStream, E> {
    let of = (folder, name);
    extend_in_segments(
        of,
        sources,
        vocab_size,
        (min_tokens, SEGMENT_TOKENS),
        observer,
    )
}

/// As [`extend`], with segments of about `most` tokens.
///
/// # Errors
/// As [`extend`].
pub(super) fn extend_in_segments<E: From<CorpusError>>(
    (folder, name): (&Path, &str),
    mut sources: Vec<Weighted<E>>,
    vocab_size: usize,
    (min_tokens, most): (u64, u64),
    mut observer: Observer,
) -> Result<TokenStream, E> {
    let mut segments = Segments::read(folder, name)?;
    let made = segments.tokens();
    let mut states = match segments.0.last() {
        Some(segment) if segment.sources.len() == sources.len() => segment.sources.clone(),
        Some(_) => {
            let reason = "it is that of another mixture";
            return Err(CorpusError::damaged(&folder.join(name), reason).into());
        }
        None => vec![SourceState::default(); sources.len()],
    };
    if made < min_tokens {
        for (weighted, state) in sources.iter_mut().zip(&states) {
            weighted.source.seek(state.position)?;
        }
    }
    let mut report = StageReport::new(
        &mut observer,
        "",
        Stage::Ordering,
        min_tokens - made.min(min_tokens),
    );
    let mut done = 0;
    while made + done < min_tokens {
        let wanted = most.min(min_tokens - made - done);
        let path = file(folder, name, segments.0.len());
        write(&path, vocab_size, |writer| {
            let mut told = 0;
            while writer.tokens() < wanted {
                let counts = states.iter().zip(&sources);
                let turn = next_source(counts.map(|(state, own)| (state.tokens, own.weight)));
                let document = sources[turn].source.next_document()?;
                writer.push(&document)?;
                states[turn].tokens += document.len() as u64;
                if writer.tokens() >= told + REPORT_TOKENS {
                    told = writer.tokens();
                    report.tell(done + told, done + told)?;
                }
            }
            for (state, weighted) in states.iter_mut().zip(&sources) {
                state.position = weighted.source.position();
            }
            done += writer.tokens();
            segments.0.push(Segment {
                tokens: writer.tokens(),
                sources: states.clone(),
            });
            Ok::<_, E>(0)
        })?;
        segments.write(folder, name)?;
        report.tell(done, done)?;
    }
    Ok(TokenStream::new(folder, name, &segments, vocab_size))
}

/// The file `path` with at least `tokens` tokens of the sources by their weights, made if it is not there.
///
/// # Errors
/// As [`extend`].
pub fn held_out<E: From<CorpusError>>(
    path: &Path,
    mut sources: Vec<Weighted<E>>,
    vocab_size: usize,
    tokens: u64,
) -> Result<TokenFile, E> {
    if let Some(file) = TokenFile::cached(path, vocab_size)? {
        return Ok(file);
    }
    let mut counts = vec![0; sources.len()];
    write(path, vocab_size, |writer| {
        while writer.tokens() < tokens.max(1) {
            let weights = sources.iter().map(|own| own.weight);
            let turn = next_source(counts.iter().copied().zip(weights));
            let document = sources[turn].source.next_document()?;
            writer.push(&document)?;
            counts[turn] += document.len() as u64;
        }
        Ok::<_, E>(1)
    })?;
    Ok(TokenFile::open(path)?)
}
