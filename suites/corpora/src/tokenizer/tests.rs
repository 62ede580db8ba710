use super::*;

fn texts() -> Vec<String> {
    (0..200)
        .map(|index| format!("Q: Where was Ada Berg {} born?\nA: Oslo", index % 7))
        .collect()
}

#[test]
fn encoding_and_decoding_is_the_identity() {
    let tokenizer = Tokenizer::train(&texts(), 300).expect("trains");
    for text in [
        "",
        " ",
        "Ada Berg",
        "a\n\n  b\t",
        "żółć — 東京 \u{1F9EA}\0",
        "x<|end|>y",
        "    return x[::-1]\n",
    ] {
        let ids = tokenizer.encode(text).expect("encodes");
        assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()));
        assert_eq!(tokenizer.decode(&ids).expect("decodes"), text);
    }
}

#[test]
fn training_is_deterministic_and_equals_the_cached_tokenizer() {
    let folder = tempfile::tempdir().expect("folder");
    let first = Tokenizer::cached(&texts(), 320, folder.path()).expect("trains");
    let again = Tokenizer::cached(&texts(), 320, folder.path()).expect("loads");
    let fresh = Tokenizer::train(&texts(), 320).expect("trains");
    assert_eq!(first.fingerprint(), again.fingerprint());
    assert_eq!(first.fingerprint(), fresh.fingerprint());
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    let other = Tokenizer::train(&texts(), 270).expect("trains");
    assert_ne!(first.fingerprint(), other.fingerprint());
    assert_eq!(other.vocab_size(), 270);
}

#[test]
fn the_error_of_a_damaged_file_names_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokenizer-x.bpe");
    // The second file has the right hash, and content that is no tokenizer.
    let write: [fn(&Path); 2] = [
        |path| std::fs::write(path, "{").expect("writes"),
        |path| hashed_file::write(path, b"{").expect("writes"),
    ];
    for write in write {
        write(&path);
        let message = Tokenizer::load(&path).expect_err("is damaged").to_string();
        assert!(
            message.contains("tokenizer-x.bpe is damaged") && message.contains("delete it"),
            "{message}"
        );
    }
}

#[test]
fn each_flipped_bit_of_the_cached_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("folder");
    Tokenizer::cached(&texts(), 260, folder.path()).expect("trains");
    let entry = std::fs::read_dir(folder.path()).expect("lists").next();
    let path = entry.expect("a file").expect("entry").path();
    let whole = std::fs::read(&path).expect("reads");
    assert!(Tokenizer::load(&path).is_ok());
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).expect("writes");
        let message = Tokenizer::load(&path).expect_err("is damaged").to_string();
        assert!(message.contains(".bpe is damaged"), "bit {bit}: {message}");
    }
}

#[test]
fn a_saved_tokenizer_is_the_same_with_the_separator_before_a_text() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokenizer.json");
    let tokenizer = Tokenizer::train(&texts(), 300).expect("trains");
    tokenizer.save(&path).expect("writes");
    let found = Tokenizer::from_file(&path, EndToken::Text(END)).expect("reads");
    assert_eq!(found.fingerprint(), tokenizer.fingerprint());
    assert_eq!(found.start(), Some(tokenizer.end()));
    assert_eq!(found.token(tokenizer.end()).as_deref(), Some(END));
    let text = "Ada Berg: żółć";
    let ids = tokenizer.encode(text).expect("encodes");
    assert_eq!(found.encode(text).expect("encodes"), ids);
    let elsewhere = tokenizers::Tokenizer::from_file(&path).expect("reads");
    let encoded = elsewhere.encode(text, true).expect("encodes");
    assert_eq!(encoded.get_ids(), [&[tokenizer.end()], &ids[..]].concat());
}

#[test]
fn the_error_of_a_file_that_is_no_tokenizer_names_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokenizer.json");
    Tokenizer::train(&texts(), 260)
        .expect("trains")
        .save(&path)
        .expect("writes");
    let rejected = |end| {
        Tokenizer::from_file(&path, end)
            .expect_err("is invalid")
            .to_string()
    };
    assert!(rejected(EndToken::Text("</s>")).contains("tokenizer.json: has no token </s>"));
    assert!(rejected(EndToken::Id(260)).contains("has no token 260"));
    for content in ["{", "{}", "[1]", "\0"] {
        std::fs::write(&path, content).expect("writes");
        assert!(rejected(EndToken::Id(0)).contains("tokenizer.json: is no tokenizer"));
    }
}

#[test]
fn a_vocabulary_size_below_the_minimum_is_an_error() {
    let message = Tokenizer::train(&texts(), 100)
        .expect_err("is too small")
        .to_string();
    assert!(message.starts_with("vocab_size = 100"), "{message}");
}
