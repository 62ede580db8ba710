use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::make::extend_in_segments;
use super::*;
use crate::tokenized::tests::{prepare, texts, tokenizer, write_lines};
use crate::{Corpus, CorpusError};

/// Two corpora with different documents.
fn corpora(folder: &Path) -> [Corpus; 2] {
    let (first, second) = (texts(), texts());
    let second: Vec<String> = second.iter().map(|text| text.to_uppercase()).collect();
    [("a.jsonl", &first[..150]), ("b.jsonl", &second[..])].map(|(name, texts)| {
        let config = write_lines(folder, name, texts);
        prepare(&config, &tokenizer(), folder, 900).unwrap()
    })
}

fn sources(corpora: &[Corpus], seed: u64) -> Vec<Weighted<'_, CorpusError>> {
    let weights = [1.0, 3.0];
    let source = |(corpus, weight)| Weighted {
        weight,
        source: Box::new(CorpusSource::new(corpus, seed)) as Box<dyn DocumentSource<_>>,
    };
    corpora.iter().zip(weights).map(source).collect()
}

fn stream(folder: &Path, corpora: &[Corpus], seed: u64, tokens: u64, segment: u64) -> TokenStream {
    let name = format!("stream-{seed}-{segment}");
    let observer = &mut |_: &crate::Progress| ControlFlow::Continue(());
    let size = tokenizer().vocab_size();
    let sources = sources(corpora, seed);
    extend_in_segments((folder, &name), sources, size, (tokens, segment), observer).unwrap()
}

#[test]
fn the_tokens_do_not_depend_on_how_many_are_made_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let corpora = corpora(folder.path());
    let whole = stream(folder.path(), &corpora, 0, 40_000, 1 << 20);
    assert!(whole.len() >= 40_000 && whole.paths().count() == 1);
    let expected = whole.window(0, 40_000).unwrap();
    for tokens in (4000..=40_000).step_by(4000) {
        let longer = stream(folder.path(), &corpora, 0, tokens, 1500);
        let read = longer.window(0, tokens as usize).unwrap();
        assert!(read == expected[..tokens as usize]);
    }
    let other = stream(folder.path(), &corpora, 1, 40_000, 1 << 20);
    assert!(other.window(0, 40_000).unwrap() != expected);
    let segments = stream(folder.path(), &corpora, 0, 1, 1500);
    assert!(segments.paths().count() > 20);
    for start in (0..39_000).step_by(777) {
        let window = segments.window(start, 1000).unwrap();
        assert!(window == expected[start as usize..][..1000]);
    }
    let beyond = segments
        .window(segments.len() - 1, 2)
        .unwrap_err()
        .to_string();
    assert!(beyond.contains("the tokens end before"), "{beyond}");
}

#[test]
fn each_source_has_its_share_and_each_pass_has_every_document_once() {
    let folder = tempfile::tempdir().unwrap();
    let corpora = corpora(folder.path());
    let tokenizer = tokenizer();
    let stream = stream(folder.path(), &corpora, 0, 150_000, 1 << 20);
    let text = stream.window(0, stream.len() as usize).unwrap();
    let mut documents: [Vec<Vec<u32>>; 2] = Default::default();
    let mut tokens = [0, 0];
    for document in text.split_inclusive(|&id| id == tokenizer.end()) {
        let text = tokenizer.decode(document).unwrap();
        let is_upper = usize::from(
            text.starts_with(char::is_uppercase) && text[1..2].to_uppercase() == text[1..2],
        );
        documents[is_upper].push(document.to_vec());
        tokens[is_upper] += document.len();
        let total = (tokens[0] + tokens[1]) as f64;
        // Behind or ahead by less than the longest documents.
        assert!((tokens[0] as f64 - total / 4.0).abs() < 300.0, "{tokens:?}");
    }
    for (corpus, read) in corpora.iter().zip(documents) {
        let count = corpus.train().documents as usize;
        assert!(read.len() > 2 * count, "{} {count}", read.len());
        let passes: Vec<Vec<Vec<u32>>> = read.chunks_exact(count).map(<[_]>::to_vec).collect();
        let mut all: Vec<Vec<u32>> = (0..count)
            .map(|number| corpus.train_document(number as u64).unwrap())
            .collect();
        all.sort();
        assert!(passes[0] != passes[1]);
        for mut pass in passes {
            pass.sort();
            assert!(pass == all);
        }
    }
}

#[test]
fn the_held_out_file_is_a_mixture_of_the_held_out_documents() {
    let folder = tempfile::tempdir().unwrap();
    let corpora = corpora(folder.path());
    let sources = || -> Vec<Weighted<'_, CorpusError>> {
        let source = |corpus| Weighted {
            weight: 1.0,
            source: Box::new(HeldOutSource::new(corpus, 0)) as Box<dyn DocumentSource<_>>,
        };
        corpora.iter().map(source).collect()
    };
    let path = folder.path().join("held-out.tokens");
    let size = tokenizer().vocab_size();
    let file = held_out(&path, sources(), size, 900).unwrap();
    let known: Vec<Vec<u32>> = corpora
        .iter()
        .flat_map(|corpus| {
            (0..corpus.held_out().documents).map(|n| corpus.held_out_document(n).unwrap().ids)
        })
        .collect();
    let tokens = file.window(0, file.len()).unwrap();
    assert!((900..1300).contains(&tokens.len()));
    for document in tokens.split_inclusive(|&id| id == tokenizer().end()) {
        assert!(known.iter().any(|ids| ids == document));
    }
    let again = held_out(&path, sources(), size, 900).unwrap();
    assert_eq!(again.len(), file.len());
}

#[test]
fn a_lost_or_exchanged_segment_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let corpora = corpora(folder.path());
    let read = |stream: &TokenStream| stream.window(0, stream.len() as usize).map(|_| ());
    let stream = || stream(folder.path(), &corpora, 0, 9000, 1500);
    let paths: Vec<_> = stream().paths().map(Path::to_owned).collect();
    let second = fs::read(&paths[1]).unwrap();
    fs::copy(&paths[0], &paths[1]).unwrap();
    let sizes = [0, 1].map(|index| fs::metadata(&paths[index]).unwrap().len());
    if sizes[0] != second.len() as u64 {
        let message = read(&stream()).unwrap_err().to_string();
        assert!(message.contains("-00001.tokens is damaged"), "{message}");
    }
    fs::remove_file(&paths[1]).unwrap();
    let message = read(&stream()).unwrap_err().to_string();
    assert!(
        message.contains("-00001.tokens is damaged (it is missing)"),
        "{message}"
    );
    fs::write(&paths[1], second).unwrap();
    read(&stream()).unwrap();
}
