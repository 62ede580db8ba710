//! Preparation of the tokenizer, the token files and the suites from a configuration and a seed.

use std::path::Path;

use corpora::{CacheLock, Corpus, TokenStream};

use crate::{
    Biographies, Bios, Functions, Suite, SuiteError, SuitesConfig, TokenFile, Tokenizer, World,
    corpus,
};

/// Incremented when the order or the separation of documents changes, so that caches of an earlier version are not
/// used.
const VERSION: &str = "corpus 1";

/// Tokenizer, tokens and suites of one configuration and seed.
pub struct Dataset {
    /// Tokenizer of everything: of suites alone trained on their first epoch.
    pub tokenizer: Tokenizer,
    /// The training tokens.
    pub train: TokenStream,
    /// The tokens of the validation loss.
    pub held_out: TokenFile,
    /// Tokens of one pass over everything: the first epoch of the suites, and all documents of the corpora.
    pub epoch_tokens: u64,
    /// Those of the suites.
    pub suite_epoch_tokens: u64,
    /// Share of the training tokens that the suites have.
    pub suite_share: f64,
    /// Text corpora, in the order of their labels, each with the largest number of held-out tokens that are scored.
    pub corpora: Vec<(Corpus, u64)>,
    /// Suites, in the order biographies, world, functions, bios.
    pub suites: Vec<Box<dyn Suite>>,
    /// Hash of the suites, the tokenizer and the seed; it does not depend on the number of tokens.
    pub fingerprint: String,
}

impl Dataset {
    /// Creates the files that are missing in `cache_dir` and opens them; `train` has at least `min_tokens` tokens. Of
    /// several processes that prepare one folder, one writes and the others wait for it.
    ///
    /// # Errors
    /// If the configuration is invalid, the tokenizer fails, or a file of the cache is damaged or not accessible.
    pub fn prepare(
        config: &SuitesConfig,
        seed: u64,
        vocab_size: usize,
        min_tokens: u64,
        cache_dir: &Path,
    ) -> Result<Self, SuiteError> {
        let suites = build(config, seed)?;
        let first_epoch: Vec<String> = suites.iter().flat_map(|suite| suite.documents(0)).collect();
        let _lock = CacheLock::acquire(cache_dir)?;
        let tokenizer = Tokenizer::cached(&first_epoch, vocab_size, cache_dir)?;
        let fingerprint = fingerprint(&suites, &tokenizer, seed);
        let file = |kind: &str| cache_dir.join(format!("{kind}-{fingerprint}.tokens"));
        let train = corpus::train(&file("train"), &suites, &tokenizer, seed, min_tokens)?;
        let held_out = corpus::held_out(&file("held-out"), &suites, &tokenizer, seed)?;
        let epoch_tokens = train.end_of(first_epoch.len(), tokenizer.end())?;
        Ok(Self {
            train: TokenStream::of_file(train),
            tokenizer,
            held_out,
            epoch_tokens,
            suite_epoch_tokens: epoch_tokens,
            suite_share: 1.0,
            corpora: Vec::new(),
            suites,
            fingerprint,
        })
    }
}

/// The suites that a configuration enables, in the order biographies, world, functions, bios.
///
/// # Errors
/// If the configuration is invalid.
pub fn build(config: &SuitesConfig, seed: u64) -> Result<Vec<Box<dyn Suite>>, SuiteError> {
    config.validate()?;
    let mut suites: Vec<Box<dyn Suite>> = Vec::new();
    if let Some(config) = &config.biographies {
        suites.push(Box::new(Biographies::new(config, seed)));
    }
    if let Some(config) = &config.world {
        suites.push(Box::new(World::new(config, seed)));
    }
    if let Some(config) = &config.functions {
        suites.push(Box::new(Functions::new(config, seed)));
    }
    if let Some(config) = &config.bios {
        suites.push(Box::new(Bios::new(config, seed)));
    }
    Ok(suites)
}

fn fingerprint(suites: &[Box<dyn Suite>], tokenizer: &Tokenizer, seed: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{VERSION} {seed} {}", tokenizer.fingerprint()).as_bytes());
    for suite in suites {
        hasher.update(format!(" {} {}", suite.name(), suite.fingerprint()).as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{BiographiesConfig, FunctionsConfig};

    fn small() -> SuitesConfig {
        let biographies = BiographiesConfig {
            people: 10,
            ..BiographiesConfig::default()
        };
        let functions = FunctionsConfig {
            compositions: 60,
            ..FunctionsConfig::default()
        };
        SuitesConfig {
            biographies: Some(biographies),
            world: None,
            functions: Some(functions),
            bios: None,
        }
    }

    fn prepare(seed: u64, min_tokens: u64, folder: &Path) -> Dataset {
        Dataset::prepare(&small(), seed, 400, min_tokens, folder).expect("prepares")
    }

    fn file(data: &Dataset) -> TokenFile {
        TokenFile::open(data.train.paths().next().expect("a file")).expect("opens")
    }

    fn all(data: &Dataset) -> Vec<u32> {
        data.train
            .window(0, data.train.len() as usize)
            .expect("reads")
    }

    #[test]
    fn a_longer_corpus_extends_a_shorter_one_under_the_same_name() {
        let folder = tempfile::tempdir().expect("folder");
        let short = prepare(1, 100, folder.path());
        let first_epochs = file(&short).epochs();
        let long = prepare(1, 3 * short.train.len() + 1, folder.path());
        assert_eq!(short.fingerprint, long.fingerprint);
        assert!(long.train.len() > 3 * short.train.len());
        assert!(file(&long).epochs() >= 3);
        assert_eq!(short.epoch_tokens, long.epoch_tokens);
        assert_eq!((short.epoch_tokens, first_epochs), (short.train.len(), 1));
        let prefix = all(&short);
        let read = long.train.window(0, prefix.len()).expect("reads");
        assert_eq!(read, prefix);
        assert_eq!(prepare(1, 100, folder.path()).train.len(), long.train.len());
        // The same tokens, prepared in one step.
        let elsewhere = tempfile::tempdir().expect("folder");
        let fresh = prepare(1, long.train.len(), elsewhere.path());
        assert_eq!(
            fs::read(file(&fresh).path()).expect("reads"),
            fs::read(file(&long).path()).expect("reads")
        );
    }

    #[test]
    fn the_training_tokens_decode_to_exactly_the_documents() {
        let folder = tempfile::tempdir().expect("folder");
        let data = prepare(2, 1, folder.path());
        let text = data.tokenizer.decode(&all(&data)).expect("decodes");
        let mut read: Vec<&str> = text.split_terminator(crate::END).collect();
        let mut written: Vec<String> = data
            .suites
            .iter()
            .flat_map(|suite| suite.documents(0))
            .collect();
        assert_ne!(read, written, "shuffled");
        read.sort_unstable();
        written.sort_unstable();
        assert_eq!(read, written);
    }

    /// Run names depend on the fingerprints: after a change, earlier runs are not comparable with new ones.
    #[test]
    fn the_fingerprints_of_the_default_suites_are_fixed() {
        let suites = build(&SuitesConfig::default(), 0).expect("valid");
        let fingerprints: Vec<String> = suites.iter().map(|suite| suite.fingerprint()).collect();
        let expected = ["d1896902ceb38db6", "e49df6a5aa919871", "eee14dfc41b0b30a"];
        assert_eq!(fingerprints, expected);
    }

    #[test]
    fn a_flipped_bit_of_any_cached_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().expect("folder");
        let data = prepare(1, 1, folder.path());
        let names = || {
            let entries = fs::read_dir(folder.path()).expect("lists");
            entries.map(|entry| entry.expect("entry").path())
        };
        let mut damaged = 0;
        for path in names().filter(|path| path.extension().is_some()) {
            let whole = fs::read(&path).expect("reads");
            let mut bytes = whole.clone();
            bytes[whole.len() / 2] ^= 16;
            fs::write(&path, bytes).expect("writes");
            let read = Dataset::prepare(&small(), 1, 400, 1, folder.path())
                .and_then(|data| Ok((data.train.window(0, data.train.len() as usize)?, data)))
                .and_then(|(_, data)| Ok(data.held_out.window(0, data.held_out.len())?));
            let message = read.expect_err("is damaged").to_string();
            assert!(
                message.starts_with(&path.display().to_string()),
                "{message}"
            );
            damaged += 1;
            fs::write(&path, whole).expect("writes");
        }
        assert_eq!(damaged, 3);
        assert_eq!(prepare(1, 1, folder.path()).fingerprint, data.fingerprint);
    }

    #[test]
    fn threads_that_prepare_one_folder_at_once_all_have_the_same_files() {
        let folder = tempfile::tempdir().expect("folder");
        let least = |thread: u64| 1 + 20_000 * thread;
        let (lengths, starts): (Vec<u64>, Vec<Vec<u32>>) = std::thread::scope(|scope| {
            let prepare_one = |thread: u64| {
                let data = prepare(1, least(thread), folder.path());
                assert!(data.train.len() >= least(thread));
                (data.train.len(), data.train.window(0, 1000).expect("reads"))
            };
            let workers: Vec<_> = (0..4)
                .map(|thread| scope.spawn(move || prepare_one(thread)))
                .collect();
            let joined = workers
                .into_iter()
                .map(|worker| worker.join().expect("no panic"));
            joined.unzip()
        });
        assert!(starts.iter().all(|start| *start == starts[0]));
        let last = prepare(1, 1, folder.path());
        assert_eq!(Some(&last.train.len()), lengths.iter().max());
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 4);
    }

    #[test]
    fn seeds_do_not_share_files() {
        let folder = tempfile::tempdir().expect("folder");
        let (one, two) = (prepare(1, 1, folder.path()), prepare(2, 1, folder.path()));
        assert_ne!(one.fingerprint, two.fingerprint);
        assert_ne!(file(&one).path(), file(&two).path());
    }

    #[test]
    fn prompts_and_answers_have_the_same_tokens_separately_and_together() {
        let folder = tempfile::tempdir().expect("folder");
        let data = prepare(3, 1, folder.path());
        for item in data
            .suites
            .iter()
            .flat_map(|suite| suite.tasks())
            .flat_map(|task| task.items)
        {
            let encode = |text: &str| data.tokenizer.encode(text).expect("encodes");
            let separate = [encode(&item.prompt), encode(&item.expected)].concat();
            assert_eq!(
                separate,
                encode(&format!("{}{}", item.prompt, item.expected)),
                "{}",
                item.id
            );
            assert!(
                !item.prompt.ends_with(char::is_whitespace)
                    && item.expected.starts_with(char::is_whitespace)
            );
        }
    }
}
