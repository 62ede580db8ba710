//! Scores on the held-out documents of a corpus.
//!
//! | metric | value | `n` | interval |
//! |---|---|---|---|
//! | `nats_per_token` | negative log-likelihood of all tokens, those that end documents included, per token | tokens | bootstrap over documents |
//! | `bits_per_byte` | negative log-likelihood of the tokens of the text, in bits per byte of text | bytes | bootstrap over documents |
//!
//! Bits per byte can be compared between tokenizers, nats per token cannot. A document is scored from its beginning, after the
//! end token, in windows of the context length: the first token of a later window is predicted from the one before it alone.

use std::f64::consts::LN_2;

use corpora::{Corpus, HeldOutDocument};
use random::IndexedPermutation;
use results::statistics::{Interval, bootstrap_ratio};
use results::{ScoreRow, WHOLE_SUITE};
use suites::{Continuation, LanguageModel, SuiteError};

/// Seed of the bootstrap, fixed so that equal documents give equal intervals.
const RESAMPLING_SEED: u64 = 0;
/// Tokens that are given to the model at a time.
const TOKENS_AT_ONCE: usize = 1 << 15;

/// The scores of the run `run` on held-out documents of `corpus`, drawn in an order that is the same for all runs, with at most
/// `most_tokens` tokens; at least one document.
///
/// # Arguments
/// * `end`: the end token.
/// * `seq_len`: context length of the model.
///
/// # Errors
/// If the corpus is damaged, or the model returns an error.
pub fn held_out_rows(
    run: &str,
    corpus: &Corpus,
    most_tokens: u64,
    (model, end, seq_len): (&mut dyn LanguageModel, u32, usize),
) -> Result<Vec<ScoreRow>, SuiteError> {
    let documents = corpus.held_out().documents;
    let order = IndexedPermutation::new(documents, 0, "corpus.scored", 0);
    let mut totals = Totals::default();
    let (mut batch, mut in_batch) = (Vec::new(), 0);
    for place in 0..documents {
        let document = corpus.held_out_document(order.at(place))?;
        let tokens = document.ids.len();
        if place > 0 && totals.tokens + (in_batch + tokens) as u64 > most_tokens {
            break;
        }
        in_batch += tokens;
        batch.push(document);
        if in_batch >= TOKENS_AT_ONCE {
            totals.add(&batch, (&mut *model, end, seq_len))?;
            (batch, in_batch) = (Vec::new(), 0);
        }
    }
    totals.add(&batch, (model, end, seq_len))?;
    Ok(totals.rows(run, corpus.label()))
}

/// Sums over documents.
#[derive(Default)]
struct Totals {
    tokens: u64,
    bytes: u64,
    /// Nats and tokens of each document.
    nats: Vec<(f64, f64)>,
    /// Bits and bytes of the text of each document.
    bits: Vec<(f64, f64)>,
}

impl Totals {
    fn add(
        &mut self,
        documents: &[HeldOutDocument],
        (model, end, seq_len): (&mut dyn LanguageModel, u32, usize),
    ) -> Result<(), SuiteError> {
        let mut items = Vec::new();
        for document in documents {
            let mut before = end;
            for window in document.ids.chunks(seq_len) {
                items.push(Continuation {
                    prompt: vec![before],
                    continuation: window.to_vec(),
                });
                before = window.last().copied().unwrap_or(end);
            }
        }
        let mut given = model.log_probabilities(&items)?.into_iter();
        for document in documents {
            let windows = document.ids.len().div_ceil(seq_len);
            let nats: Vec<f64> = given.by_ref().take(windows).flatten().map(|p| -p).collect();
            let (whole, tokens) = (nats.iter().sum::<f64>(), nats.len());
            let text = whole - nats.last().copied().unwrap_or_default();
            self.nats.push((whole, tokens as f64));
            self.bits.push((text / LN_2, document.bytes as f64));
            self.tokens += tokens as u64;
            self.bytes += document.bytes;
        }
        Ok(())
    }

    fn rows(&self, run: &str, label: &str) -> Vec<ScoreRow> {
        let row = |metric: &str, interval: Interval, n: u64| ScoreRow {
            run: run.to_owned(),
            suite: label.to_owned(),
            task: WHOLE_SUITE.to_owned(),
            metric: metric.to_owned(),
            status: "scored".to_owned(),
            reason: String::new(),
            value: interval.value,
            low: interval.low,
            high: interval.high,
            n,
            baseline: None,
            interval: interval.method.to_owned(),
        };
        let nats = bootstrap_ratio(&self.nats, RESAMPLING_SEED);
        let bits = bootstrap_ratio(&self.bits, RESAMPLING_SEED);
        vec![
            row("nats_per_token", nats, self.tokens),
            row("bits_per_byte", bits, self.bytes),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suites::{Generation, ModelError};

    /// Every token has the probability 1 / 8, the end token 1 / 2.
    struct Uniform;

    impl LanguageModel for Uniform {
        fn log_probabilities(
            &mut self,
            items: &[Continuation],
        ) -> Result<Vec<Vec<f64>>, ModelError> {
            let of = |id: &u32| -LN_2 * if *id == 0 { 1.0 } else { 3.0 };
            Ok(items
                .iter()
                .map(|item| {
                    assert_eq!(item.prompt.len(), 1);
                    assert!(item.continuation.len() <= 4);
                    item.continuation.iter().map(of).collect()
                })
                .collect())
        }

        fn generate(
            &mut self,
            _: &[Vec<u32>],
            _: &Generation,
        ) -> Result<Vec<Vec<u32>>, ModelError> {
            Err(ModelError("is not asked".to_owned()))
        }
    }

    #[test]
    fn bits_are_those_of_the_text_and_nats_those_of_all_tokens() {
        let document = |tokens: u32, bytes: u64| HeldOutDocument {
            ids: (1..=tokens).chain([0]).collect(),
            bytes,
        };
        let documents = [document(3, 10), document(4, 8), document(9, 30)];
        let mut totals = Totals::default();
        totals.add(&documents, (&mut Uniform, 0, 4)).unwrap();
        let rows = totals.rows("r", "web");
        assert_eq!((rows[0].n, rows[1].n), (19, 48));
        let nats = LN_2 * f64::from(3 * 16 + 3) / 19.0;
        assert!((rows[0].value - nats).abs() < 1e-12, "{}", rows[0].value);
        assert!(
            (rows[1].value - 48.0 / 48.0).abs() < 1e-12,
            "{}",
            rows[1].value
        );
        assert!(rows[1].low <= 1.0 && rows[1].high >= 1.0);
        assert_eq!(
            (rows[0].suite.as_str(), rows[0].metric.as_str()),
            ("web", "nats_per_token")
        );
    }
}
