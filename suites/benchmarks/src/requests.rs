//! Prompts and continuations as token ids, by the conventions of lm-evaluation-harness.
//!
//! A continuation is scored by the log-probability of the tokens that it adds to its context: context and continuation are tokenised
//! jointly, and the tokens after those of the context alone are summed. Whitespace at the end of a context belongs to the continuation.

use crate::error::BenchmarkError;

/// A tokenizer, and the token that precedes every text.
pub trait Encoder {
    /// Token ids of a text, without special tokens.
    ///
    /// # Errors
    /// If the tokenizer fails, with its message.
    fn encode(&self, text: &str) -> Result<Vec<u32>, String>;

    /// The text of token ids.
    ///
    /// # Errors
    /// If the tokenizer fails, with its message.
    fn decode(&self, ids: &[u32]) -> Result<String, String>;

    /// The token that begins every text, if the training documents began with one.
    fn start(&self) -> Option<u32>;

    /// The token that ends a text.
    fn end(&self) -> u32;
}

/// A context and a continuation whose probability is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Token ids of the context, not empty.
    pub context: Vec<u32>,
    /// Token ids of the continuation, not empty.
    pub continuation: Vec<u32>,
    /// Bytes of the text whose tokens the continuation has.
    pub bytes: usize,
    /// Tokens that were removed from the start of the context, for want of space.
    pub removed: usize,
}

/// The requests of the continuations of one context.
///
/// # Arguments
/// * `space`: most tokens that the model reads; the last token of a continuation is not read.
///
/// # Errors
/// If the tokenizer fails, a continuation adds no token, or one alone does not fit.
pub fn likelihoods(
    encoder: &dyn Encoder,
    context: &str,
    continuations: &[String],
    space: usize,
) -> Result<Vec<Request>, String> {
    let stripped = context.trim_end();
    let moved = &context[stripped.len()..];
    let own = started(encoder.encode(stripped)?, encoder.start());
    let request = |text: &String| {
        let text = format!("{moved}{text}");
        let (mut context, continuation) = if stripped.is_empty() {
            let alone = encoder.encode(&text)?;
            let first = encoder.start().unwrap_or_else(|| encoder.end());
            let mut all = started(alone, Some(first));
            let rest = all.split_off(1);
            (all, rest)
        } else {
            let joint = encoder.encode(&format!("{stripped}{text}"))?;
            let joint = started(joint, encoder.start());
            let tail = joint.get(own.len()..).unwrap_or_default().to_vec();
            (own.clone(), tail)
        };
        if continuation.is_empty() {
            return Err(format!("the continuation {text:?} adds no token"));
        }
        if continuation.len() > space {
            let start: String = text.chars().take(40).collect();
            return Err(format!(
                "the continuation that begins {start:?} has {} tokens, and the model reads {space}",
                continuation.len()
            ));
        }
        let removed = (context.len() + continuation.len()).saturating_sub(space + 1);
        context.drain(..removed);
        Ok(Request {
            context,
            continuation,
            bytes: text.len(),
            removed,
        })
    };
    continuations.iter().map(request).collect()
}

/// A prompt that is continued by generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Token ids, not empty.
    pub tokens: Vec<u32>,
    /// Tokens that were removed from its start, for want of space.
    pub removed: usize,
    /// Most tokens that may follow: as many as requested, and no more than fit.
    pub max_tokens: usize,
    /// Names the random stream of an answer that is drawn.
    pub stream: String,
}

/// The tokens of a prompt. Where `max_tokens` more do not fit, the answer has fewer; only if less than a quarter of the space would be
/// left, the start of the prompt is removed.
///
/// # Errors
/// If the tokenizer fails.
pub fn prompt(
    encoder: &dyn Encoder,
    text: &str,
    max_tokens: usize,
    space: usize,
) -> Result<Prompt, String> {
    let mut tokens = started(encoder.encode(text)?, encoder.start());
    if tokens.is_empty() {
        tokens.push(encoder.end());
    }
    let answer = max_tokens.min((space / 4).max(1));
    let kept = space.saturating_sub(answer).max(1);
    let removed = tokens.len().saturating_sub(kept);
    tokens.drain(..removed);
    Ok(Prompt {
        max_tokens: max_tokens.min(space.saturating_sub(tokens.len())),
        tokens,
        removed,
        stream: String::new(),
    })
}

/// The tokens after `start`, which is not repeated where the text begins with it.
fn started(tokens: Vec<u32>, start: Option<u32>) -> Vec<u32> {
    match start {
        Some(start) if tokens.first() != Some(&start) => {
            let mut all = Vec::with_capacity(tokens.len() + 1);
            all.push(start);
            all.extend(tokens);
            all
        }
        _ => tokens,
    }
}

/// The error of an item whose request cannot be made.
pub fn failed(task: &str, doc_id: usize, problem: String) -> BenchmarkError {
    BenchmarkError::Files {
        task: task.to_owned(),
        problem: format!("item {doc_id}: {problem}"),
        remedy: "let the model read more tokens (--max-length, or `max_length` of the task in a sweep file), or leave the record out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One token for each byte, but for `e.`, which is the token 0.
    struct Bytes {
        start: Option<u32>,
    }

    impl Encoder for Bytes {
        fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
            Ok(text.replace("e.", "\0").bytes().map(u32::from).collect())
        }
        fn decode(&self, ids: &[u32]) -> Result<String, String> {
            let bytes: Vec<u8> = ids.iter().map(|id| *id as u8).collect();
            String::from_utf8(bytes).map_err(|error| error.to_string())
        }
        fn start(&self) -> Option<u32> {
            self.start
        }
        fn end(&self) -> u32 {
            1
        }
    }

    fn one(start: Option<u32>, context: &str, continuation: &str, space: usize) -> Request {
        let mut found =
            likelihoods(&Bytes { start }, context, &[continuation.to_owned()], space).unwrap();
        found.remove(0)
    }

    #[test]
    fn whitespace_at_the_end_of_a_context_is_scored_and_counted() {
        let found = one(Some(2), "ab\n ", "cd", 99);
        assert_eq!(found.context, [2, 97, 98]);
        assert_eq!(found.continuation, [10, 32, 99, 100]);
        assert_eq!((found.bytes, found.removed), (4, 0));
    }

    #[test]
    fn a_merge_across_the_border_leaves_the_contexts_own_tokens() {
        let found = one(None, "we", ".x", 99);
        // Jointly `w`, `e.`, `x`: the context has two tokens, and what follows them is `x`.
        assert_eq!(
            (found.context, found.continuation),
            (vec![119, 101], vec![120])
        );
        let all = likelihoods(&Bytes { start: None }, "we", &[".".to_owned()], 99);
        assert!(all.unwrap_err().contains("adds no token"));
    }

    #[test]
    fn an_empty_context_is_the_token_that_begins_or_ends_a_text() {
        assert_eq!(one(Some(2), "", "a", 99).context, [2]);
        assert_eq!(one(None, "", "a", 99).context, [1]);
        // The text begins with it already.
        let found = one(Some(97), "", "ab", 99);
        assert_eq!((found.context, found.continuation), (vec![97], vec![98]));
        assert_eq!(one(Some(97), "ab", "c", 99).context, [97, 98]);
    }

    #[test]
    fn the_start_of_a_long_context_is_removed() {
        let found = one(Some(2), "abcdef", "gh", 4);
        assert_eq!((found.context, found.removed), (vec![100, 101, 102], 4));
        let error = likelihoods(&Bytes { start: None }, "a", &["bcdef".to_owned()], 4);
        assert!(error.unwrap_err().contains("has 5 tokens"));
    }

    #[test]
    fn a_prompt_leaves_space_for_its_answer() {
        let of = |text: &str, max_tokens| {
            prompt(&Bytes { start: Some(2) }, text, max_tokens, 16).unwrap()
        };
        let found = of("abc", 4);
        assert_eq!(
            (found.tokens.len(), found.removed, found.max_tokens),
            (4, 0, 4)
        );
        let found = of("abcdefghi", 40);
        assert_eq!(
            (found.tokens.len(), found.removed, found.max_tokens),
            (10, 0, 6)
        );
        let found = of(&"a".repeat(30), 40);
        assert_eq!(
            (found.tokens.len(), found.removed, found.max_tokens),
            (12, 19, 4)
        );
        assert_eq!(
            prompt(&Bytes { start: None }, "", 1, 16).unwrap().tokens,
            [1]
        );
    }
}
