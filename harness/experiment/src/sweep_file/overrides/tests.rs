use super::super::resolve::resolve;
use super::super::sweep::Sweep;
use super::*;
use crate::budget::DenseBudget;

fn with(given: &[&str]) -> Result<Sweep, FileError> {
    let overrides: Vec<Override> = given.iter().map(|text| text.parse().unwrap()).collect();
    resolve("f.toml", crate::testing::SWEEP, &overrides)
}

fn message(given: &str) -> String {
    with(&[given]).unwrap_err().to_string()
}

#[test]
fn values_replace_those_of_the_file_and_the_last_one_counts() {
    let sweep = with(&[
        "sizes.s.tokens=2e4",
        "seeds=[3, 4]",
        "name = other",
        "training.batch_size=1",
        "training.batch_size=2",
    ])
    .unwrap();
    assert_eq!(
        (sweep.name.as_str(), &sweep.seeds[..]),
        ("other", &[3, 4][..])
    );
    let [xs, s] = &sweep.sizes[..] else {
        panic!("{:?}", sweep.sizes)
    };
    assert_eq!(s.budget, DenseBudget::Tokens(20_000));
    // The size has a value of its own.
    assert_eq!((xs.training.batch_size, s.training.batch_size), (2, 8));
    assert_eq!(sweep.overrides[2].to_string(), "name = other");
}

#[test]
fn a_table_replaces_a_section_and_sections_are_made() {
    let sweep = with(&[r#"blocks={"m+" = {kind = "dense"}}"#, "sizes.s.blocks={}"]).unwrap();
    let labels = |sweep: &Sweep| {
        let variants = sweep.sizes[0].variants.iter();
        variants
            .map(|variant| variant.block.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(&sweep), ["m+"]);
    let sweep = with(&[r#"blocks."a.b=c".kind=dense"#]).unwrap();
    assert_eq!(labels(&sweep).last().unwrap(), "a.b=c");
}

#[test]
fn errors_are_those_of_the_file_and_name_the_option() {
    let start = "f.toml with --set: ";
    for (given, expected) in [
        (
            "training.batch_sizes=8",
            "`training.batch_sizes` is not a known key; did you mean `batch_size`?",
        ),
        (
            "training.batch_size=many",
            "`training.batch_size` is string \"many\"; write a whole number",
        ),
        (
            "training={learning_rate=1e-3}",
            "`training.batch_size` is missing",
        ),
        ("blocks.memory.keys.n_keys=0", "`blocks.memory.keys.n_keys`"),
        (
            "siezs.s.tokens=5",
            "`siezs` is not a known key; did you mean `sizes`?",
        ),
    ] {
        let message = message(given);
        let found = message
            .strip_prefix(start)
            .unwrap_or_else(|| panic!("{message}"));
        assert!(found.starts_with(expected), "{message}");
    }
    let message = message("seeds.x=1");
    assert!(
        message.starts_with("f.toml:")
            && message.contains("`seeds` is no section, and --set gives its key `x`"),
        "{message}"
    );
}

#[test]
fn invalid_texts_are_errors_and_bare_words_are_strings() {
    let error = |text: &str| text.parse::<Override>().unwrap_err();
    for text in ["", "a", "a.b", "\"a=b\"", "'a=b"] {
        assert!(error(text).contains("KEY=VALUE"), "{text}");
    }
    for text in [
        "=1",
        "a..b=1",
        "a b=1",
        "a\nb=1",
        "[a]=1",
        "a.=1",
        "memory+=1",
    ] {
        assert!(error(text).contains("no dotted key"), "{text}");
    }
    assert!(error("a=").contains("no value"));
    for text in ["a=[1", "a={b}", "a=\"b", "a='b", "a=\"b\"c"] {
        assert!(error(text).contains("no list, table or string"), "{text}");
    }
    for text in [
        "bf16",
        "data/a b.jsonl",
        "s3://bucket/a=b",
        "5\nb = 6",
        "1.2.3",
        "x # y",
    ] {
        let value = node(text).unwrap();
        assert!(
            matches!(&value, LocatedNode::Value(toml::Value::String(found)) if found == text),
            "{value:?}"
        );
    }
    let deep = format!("{}=1", vec!["a"; 1000].join("."));
    assert!(error(&deep).contains("no dotted key"));
}
