//! `isoflop data`.

use std::ops::ControlFlow;

use corpora::Corpus;
use experiment::plan::Plan;
use experiment::printable;
use experiment::quantity::{bytes, count};
use experiment::sweep_file::DataConfig;
use harness::error::Error;
use harness::run::conclusion::Conclusion;
use harness::run::data::mixture;
use harness::run::interrupt::Interrupt;
use random::IndexedPermutation;
use results::number::fixed;
use serde::Serialize;
use suites::{Ingredients, Suite, SuiteError, Tokenizer};

use super::selected_plan::whole_plan;
use super::terminal_table::terminal_table;
use crate::cli::arguments::DataOptions;
use crate::cli::output::{note, print};
use crate::cli::progress;

/// Documents of which the beginning is shown.
const EXAMPLES: u64 = 3;
/// Characters of a beginning.
const EXAMPLE_LENGTH: usize = 120;

/// Label of the suites, which together are one source.
const SUITES: &str = "suites";

/// What a source holds.
#[derive(Debug, Serialize)]
struct Source {
    label: String,
    /// Absent for suites, as what follows it where it is absent.
    files: Option<usize>,
    file_bytes: Option<u64>,
    documents: u64,
    bytes: u64,
    tokens: u64,
    bytes_per_token: f64,
    /// Documents that are equal to an earlier one.
    duplicates: Option<u64>,
    held_out_documents: u64,
    held_out_tokens: u64,
    empty_records: u64,
    skipped_records: u64,
    /// Share of the training tokens.
    share: f64,
    /// Passes over the documents in the shortest and in the longest run.
    epochs: [f64; 2],
    examples: Vec<String>,
}

/// All sources with the tokenizer.
#[derive(Debug, Serialize)]
struct Data {
    sweep: String,
    vocab_size: usize,
    tokenizer: String,
    sources: Vec<Source>,
}

/// Prepares the corpora of a sweep as `sweep` would, and prints what they hold.
///
/// # Errors
/// If the sweep or a source file is invalid, files cannot be read or written, or standard output cannot be written.
pub fn data(options: &DataOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = whole_plan(&options.location)?;
    let mut progress = progress::display_for(options.quiet);
    let interrupt = Interrupt::listen()?;
    // With facts of their own the seeds have equal corpora; the first stands for all.
    let config = plan.runs.first().map_or(&plan.sweep.data, |run| &run.data);
    let tokenizer = config.tokenizer.clone().unwrap_or_default();
    let mixture = mixture(config, &tokenizer);
    let ingredients = mixture.ingredients(&folders.cache(), &mut |data| {
        progress.data(data);
        match interrupt.requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    progress.done();
    if interrupt.requested() {
        return Ok(Conclusion::Interrupted);
    }
    let ingredients = ingredients?;
    for corpus in &ingredients.corpora {
        let skipped = corpus.left_out().1;
        if let (1.., Some(first)) = (skipped, corpus.messages().first()) {
            note(format_args!(
                "{}: {skipped} records are left out, the first: {first}",
                corpus.label()
            ));
        }
    }
    let data = Data {
        sweep: plan.sweep.name.clone(),
        vocab_size: ingredients.tokenizer.vocab_size(),
        tokenizer: ingredients.tokenizer.fingerprint().to_owned(),
        sources: sources(&plan, config, &ingredients)?,
    };
    if options.json {
        let json = serde_json::to_string_pretty(&data)
            .map_err(|error| Error::Output(std::io::Error::other(error)))?;
        print(json)?;
    } else {
        print(text(&data))?;
    }
    Ok(Conclusion::Complete)
}

fn sources(plan: &Plan, config: &DataConfig, of: &Ingredients) -> Result<Vec<Source>, Error> {
    let suites_weight = match of.suites.is_empty() {
        true => 0.0,
        false => config.suites_weight.unwrap_or(1.0),
    };
    let corpora_weight: f64 = config.corpora.values().map(|corpus| corpus.weight).sum();
    let share = |weight: f64| weight / (suites_weight + corpora_weight);
    let mut sources = Vec::new();
    for (corpus, own) in of.corpora.iter().zip(config.corpora.values()) {
        let mut source = of_corpus(corpus, &of.tokenizer)?;
        source.share = share(own.weight);
        sources.push(source);
    }
    if !of.suites.is_empty() {
        let mut source = of_suites(&of.suites, &of.tokenizer)?;
        source.share = share(suites_weight);
        sources.push(source);
    }
    let tokens = || plan.runs.iter().map(|run| run.budget.tokens);
    let range = [tokens().min().unwrap_or(0), tokens().max().unwrap_or(0)];
    for source in &mut sources {
        source.epochs = range.map(|tokens| tokens as f64 * source.share / source.tokens as f64);
    }
    Ok(sources)
}

fn of_corpus(corpus: &Corpus, tokenizer: &Tokenizer) -> Result<Source, Error> {
    let (train, held_out) = (corpus.train(), corpus.held_out());
    let (empty_records, skipped_records) = corpus.left_out();
    let order = IndexedPermutation::new(train.documents, 0, "data.examples", 0);
    let example = |place: u64| {
        let ids = corpus.train_document(order.at(place))?;
        let start = &ids[..ids.len().min(EXAMPLE_LENGTH)];
        Ok::<_, Error>(beginning(&tokenizer.decode(start)?))
    };
    Ok(Source {
        label: corpus.label().to_owned(),
        files: Some(corpus.files()),
        file_bytes: Some(corpus.file_bytes()),
        documents: train.documents,
        bytes: train.bytes,
        tokens: train.tokens,
        bytes_per_token: train.bytes as f64 / train.tokens as f64,
        duplicates: Some(corpus.duplicates()?),
        held_out_documents: held_out.documents,
        held_out_tokens: held_out.tokens,
        empty_records,
        skipped_records,
        share: 0.0,
        epochs: [0.0; 2],
        examples: (0..EXAMPLES.min(train.documents))
            .map(example)
            .collect::<Result<_, _>>()?,
    })
}

/// The first epoch of the suites.
fn of_suites(suites: &[Box<dyn Suite>], tokenizer: &Tokenizer) -> Result<Source, SuiteError> {
    let documents: Vec<String> = suites.iter().flat_map(|suite| suite.documents(0)).collect();
    let held_out: Vec<String> = suites
        .iter()
        .flat_map(|suite| suite.held_out_documents())
        .collect();
    let (number, held_out_number) = (documents.len() as u64, held_out.len() as u64);
    let bytes: usize = documents.iter().map(String::len).sum();
    let order = IndexedPermutation::new(number, 0, "data.examples", 0);
    let examples = (0..EXAMPLES.min(number))
        .map(|place| beginning(&documents[order.at(place) as usize]))
        .collect();
    let tokens = |documents: Vec<String>| {
        let encoded = tokenizer.encode_all(documents)?;
        Ok::<u64, SuiteError>(encoded.iter().map(|ids| ids.len() as u64 + 1).sum())
    };
    let (tokens, held_out_tokens) = (tokens(documents)?, tokens(held_out)?);
    Ok(Source {
        label: SUITES.to_owned(),
        files: None,
        file_bytes: None,
        documents: number,
        bytes: bytes as u64,
        tokens,
        bytes_per_token: bytes as f64 / tokens as f64,
        duplicates: None,
        held_out_documents: held_out_number,
        held_out_tokens,
        empty_records: 0,
        skipped_records: 0,
        share: 0.0,
        epochs: [0.0; 2],
        examples,
    })
}

/// The first characters of a document in one line.
fn beginning(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let start: String = words.join(" ").chars().take(EXAMPLE_LENGTH).collect();
    printable::one_line(&start).into_owned()
}

fn text(data: &Data) -> String {
    let absent = || "-".to_owned();
    let rows = data.sources.iter().map(|source| {
        let [shortest, longest] = source.epochs.map(|epochs| fixed(epochs, 2));
        vec![
            source.label.clone(),
            source.files.map_or_else(absent, |files| files.to_string()),
            source.documents.to_string(),
            bytes(source.bytes),
            count(source.tokens as f64),
            fixed(source.bytes_per_token, 2),
            source.duplicates.map_or_else(absent, |own| own.to_string()),
            source.held_out_documents.to_string(),
            count(source.held_out_tokens as f64),
            (source.empty_records + source.skipped_records).to_string(),
            format!("{} %", fixed(100.0 * source.share, 1)),
            match shortest == longest {
                true => shortest,
                false => format!("{shortest} to {longest}"),
            },
        ]
    });
    let header = [
        "source",
        "files",
        "documents",
        "text",
        "tokens",
        "bytes/token",
        "duplicates",
        "held out",
        "its tokens",
        "left out",
        "share",
        "epochs",
    ];
    let mut lines = vec![
        format!("{}: vocabulary of {}", data.sweep, data.vocab_size),
        format!("\n{}", terminal_table(&header, 1, rows.collect())),
        "documents, text, tokens: of training; duplicates: documents equal to an earlier one, held-out ones included; left out: empty or \
         unreadable; epochs: passes\n  over the documents in the shortest and the longest run"
            .to_owned(),
    ];
    for source in &data.sources {
        lines.push(format!("\n{}", source.label));
        lines.extend(source.examples.iter().map(|text| format!("  {text}")));
    }
    lines.join("\n")
}
