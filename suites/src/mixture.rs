//! Preparation of data of which text corpora are a part.

use std::collections::BTreeMap;
use std::path::Path;

use corpora::{
    CacheLock, Corpus, CorpusConfig, CorpusError, CorpusSource, HeldOutSource, Observer,
    TokenizerConfig, Weighted, extend, fetch, held_out, sample,
};

use crate::suite_source::{Documents, SuiteSource};
use crate::{Dataset, Suite, SuiteError, SuitesConfig, Tokenizer, build};

/// Incremented when the order of documents changes, so that caches of an earlier version are not used.
const VERSION: &str = "mixture 1";

/// Largest number of tokens of the file on which the validation loss is computed.
const HELD_OUT_TOKENS: u64 = 1 << 22;

/// Configuration of a mixture.
#[derive(Debug, Clone, Copy)]
pub struct Mixture<'a> {
    /// The suites; none may be enabled.
    pub suites: &'a SuitesConfig,
    /// Weight of the suites.
    pub suites_weight: f64,
    /// The corpora by label, at least one.
    pub corpora: &'a BTreeMap<String, CorpusConfig>,
    /// The tokenizer.
    pub tokenizer: &'a TokenizerConfig,
    /// Size of the vocabulary of a tokenizer that is trained.
    pub vocab_size: usize,
    /// Seed of the suites and of the order of all documents.
    pub seed: u64,
}

/// The tokenizer, the suites and the corpora of a mixture, before their documents are put in order.
pub struct Ingredients {
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The suites.
    pub suites: Vec<Box<dyn Suite>>,
    /// The corpora, tokenized.
    pub corpora: Vec<Corpus>,
}

impl Mixture<'_> {
    /// Fetches remote corpora, trains or reads the tokenizer and tokenizes the corpora, as far as that is not in `cache_dir`.
    ///
    /// # Errors
    /// If a configuration or a source file is invalid, a file cannot be read or written, or the observer ends the preparation.
    pub fn ingredients(
        &self,
        cache_dir: &Path,
        observer: Observer,
    ) -> Result<Ingredients, SuiteError> {
        self.check()?;
        let fetched = self.corpora.iter().map(|(label, config)| {
            Ok((
                label.clone(),
                fetch(label, config, cache_dir, &mut *observer)?,
            ))
        });
        let fetched: BTreeMap<_, _> = fetched.collect::<Result<_, CorpusError>>()?;
        let local = Mixture {
            corpora: &fetched,
            ..*self
        };
        local.ingredients_of_files(cache_dir, observer)
    }

    /// As [`Mixture::ingredients`], of local paths.
    fn ingredients_of_files(
        &self,
        cache_dir: &Path,
        observer: Observer,
    ) -> Result<Ingredients, SuiteError> {
        let suites = match self.suites.is_empty() {
            true => Vec::new(),
            false => build(self.suites, self.seed)?,
        };
        let tokenizer = match self.tokenizer.read()? {
            Some(tokenizer) => tokenizer,
            None => {
                let texts = self.sample(&suites)?;
                let _lock = CacheLock::acquire(cache_dir)?;
                Tokenizer::cached(&texts, self.vocab_size, cache_dir)?
            }
        };
        let corpora = self.corpora.iter().map(|(label, config)| {
            Corpus::prepare(label, config, &tokenizer, cache_dir, &mut *observer)
        });
        Ok(Ingredients {
            corpora: corpora.collect::<Result<_, _>>()?,
            tokenizer,
            suites,
        })
    }

    fn check(&self) -> Result<(), SuiteError> {
        self.tokenizer.validate()?;
        for (label, config) in self.corpora {
            config.validate(label)?;
        }
        Ok(())
    }

    /// Texts on which a tokenizer is trained: of each corpus and of the suites its share of the bytes.
    fn sample(&self, suites: &[Box<dyn Suite>]) -> Result<Vec<String>, SuiteError> {
        let bytes = self.tokenizer.sample_bytes as f64 / self.total_weight();
        let mut texts = Vec::new();
        for (label, config) in self.corpora {
            texts.extend(sample(label, config, (bytes * config.weight) as u64)?);
        }
        if !suites.is_empty() {
            let mut left = bytes * self.suites_weight;
            let documents: Vec<String> =
                suites.iter().flat_map(|suite| suite.documents(0)).collect();
            let order = random::permutation(documents.len(), self.seed, "tokenizer.sample", 0);
            let within = |&index: &usize| {
                left -= documents[index].len() as f64;
                left >= 0.0
            };
            let taken = order.into_iter().take_while(within);
            let taken: Vec<usize> = taken.collect();
            texts.extend(taken.into_iter().map(|index| documents[index].clone()));
        }
        Ok(texts)
    }

    fn total_weight(&self) -> f64 {
        let corpora: f64 = self.corpora.values().map(|config| config.weight).sum();
        corpora + self.weight_of_suites()
    }

    fn weight_of_suites(&self) -> f64 {
        match self.suites.is_empty() {
            true => 0.0,
            false => self.suites_weight,
        }
    }

    /// Hash of all that determines the sequence of tokens.
    fn fingerprint(&self, of: &Ingredients) -> String {
        let mut hasher = blake3::Hasher::new();
        let tokenizer = of.tokenizer.fingerprint();
        hasher.update(format!("{VERSION} {} {tokenizer}", self.seed).as_bytes());
        for suite in &of.suites {
            hasher.update(format!(" {} {}", suite.name(), suite.fingerprint()).as_bytes());
        }
        hasher.update(format!(" weight {:?}", self.weight_of_suites()).as_bytes());
        for (corpus, config) in of.corpora.iter().zip(self.corpora.values()) {
            let fingerprint = corpus.fingerprint();
            hasher.update(format!(" {fingerprint} weight {:?}", config.weight).as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

impl Dataset {
    /// As [`Dataset::prepare`], of a mixture.
    ///
    /// # Errors
    /// If a configuration or a source file is invalid, a file of the cache is damaged or not accessible, or the observer ends the
    /// preparation.
    pub fn prepare_mixture(
        mixture: &Mixture,
        min_tokens: u64,
        cache_dir: &Path,
        observer: Observer,
    ) -> Result<Self, SuiteError> {
        let ingredients = mixture.ingredients(cache_dir, &mut *observer)?;
        let fingerprint = mixture.fingerprint(&ingredients);
        let Ingredients {
            tokenizer,
            suites,
            corpora,
        } = ingredients;
        let _lock = CacheLock::acquire(cache_dir)?;
        let vocab_size = tokenizer.vocab_size();
        let (train, held_out, suite_epoch_tokens) = {
            let sources = mixture.sources(&tokenizer, &suites, &corpora)?;
            let path = cache_dir.join(format!("held-out-{fingerprint}.tokens"));
            let tokens = sources.held_out_tokens.min(HELD_OUT_TOKENS);
            let name = format!("mixture-{fingerprint}");
            let of = (cache_dir, name.as_str());
            let train = extend(of, sources.train, vocab_size, min_tokens, observer)?;
            let held_out = held_out(&path, sources.held_out, vocab_size, tokens)?;
            (train, held_out, sources.suite_epoch_tokens)
        };
        let corpus_tokens: u64 = corpora.iter().map(|corpus| corpus.train().tokens).sum();
        let scored = mixture.corpora.values().map(|config| config.scored_tokens);
        Ok(Self {
            train,
            held_out,
            epoch_tokens: suite_epoch_tokens + corpus_tokens,
            suite_epoch_tokens,
            suite_share: mixture.weight_of_suites() / mixture.total_weight(),
            corpora: corpora.into_iter().zip(scored).collect(),
            tokenizer,
            suites,
            fingerprint,
        })
    }
}

/// Sources of documents, to train on and held out.
struct Sources<'a> {
    train: Vec<Weighted<'a, SuiteError>>,
    held_out: Vec<Weighted<'a, SuiteError>>,
    held_out_tokens: u64,
    suite_epoch_tokens: u64,
}

impl Mixture<'_> {
    fn sources<'a>(
        &self,
        tokenizer: &'a Tokenizer,
        suites: &'a [Box<dyn Suite>],
        corpora: &'a [Corpus],
    ) -> Result<Sources<'a>, SuiteError> {
        let seed = self.seed;
        let mut sources = Sources {
            train: Vec::new(),
            held_out: Vec::new(),
            held_out_tokens: 0,
            suite_epoch_tokens: 0,
        };
        for (corpus, config) in corpora.iter().zip(self.corpora.values()) {
            sources.train.push(Weighted {
                weight: config.weight,
                source: Box::new(CorpusSource::new(corpus, seed)),
            });
            sources.held_out.push(Weighted {
                weight: config.weight,
                source: Box::new(HeldOutSource::new(corpus, seed)),
            });
            sources.held_out_tokens += corpus.held_out().tokens;
        }
        if suites.is_empty() {
            return Ok(sources);
        }
        let weight = self.suites_weight;
        let train = SuiteSource::new(suites, tokenizer, seed, Documents::Train)?;
        sources.suite_epoch_tokens = train.tokens();
        sources.train.push(Weighted {
            weight,
            source: Box::new(train),
        });
        let held_out = SuiteSource::new(suites, tokenizer, seed, Documents::HeldOut)?;
        if held_out.tokens() > 0 {
            sources.held_out_tokens += held_out.tokens();
            sources.held_out.push(Weighted {
                weight,
                source: Box::new(held_out),
            });
        }
        Ok(sources)
    }
}
