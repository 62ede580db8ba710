//! Invalid sweep files: one message with file, line, key and remedy; exit status 2; no files written.

use crate::scratch::{Scratch, TINY};

/// The error of [`TINY`] with `from` replaced by `to`, without the name of the file: `line: message`.
fn error_message(from: &str, to: &str) -> String {
    assert!(TINY.contains(from), "{from}");
    let scratch = Scratch::new(&TINY.replacen(from, to, 1));
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--output", "out"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.out.is_empty(), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    assert!(
        !scratch.path("out").exists(),
        "the output folder was created"
    );
    let message = ended.err.trim_end().strip_prefix("isoflop: sweep.toml:");
    message.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

/// The line of [`TINY`] that starts with `start`.
fn line_number(start: &str) -> usize {
    1 + TINY
        .lines()
        .position(|line| line.starts_with(start))
        .unwrap()
}

fn assert_message(message: &str, line: usize, parts: &[&str]) {
    let (number, rest) = message.split_once(": ").unwrap();
    assert_eq!(number, line.to_string(), "{message}");
    for part in parts {
        assert!(rest.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn unknown_keys_at_every_depth_are_errors() {
    let message = error_message("seeds =", "seed =");
    assert_message(
        &message,
        line_number("seeds"),
        &["`seed` is not a known key", "did you mean `seeds`?"],
    );
    let message = error_message("n_heads = 2\ntokens", "n_head = 2\ntokens");
    assert_message(
        &message,
        line_number("n_heads"),
        &["`sizes.xs.n_head`", "did you mean `n_heads`?"],
    );
    let message = error_message("top_k = 4", "topk = 4");
    assert_message(
        &message,
        line_number("keys"),
        &["`blocks.memory.keys.topk`", "did you mean `top_k`?"],
    );
    let message = error_message("people = 12", "persons = 12");
    assert_message(
        &message,
        line_number("people"),
        &["`suites.biographies.persons`", "choose from", "people"],
    );
    let message = error_message("log_every", "log_evry");
    assert_message(
        &message,
        line_number("log_every"),
        &["`training.log_evry`", "did you mean `log_every`?"],
    );
    let message = error_message(
        "tokens = 2_000",
        "tokens = 2_000\nblocks.memry.keys.top_k = 2",
    );
    assert_message(
        &message,
        line_number("tokens") + 1,
        &["`sizes.xs.blocks.memry`", "did you mean `memory`?"],
    );
}

#[test]
fn duplicate_keys_are_errors() {
    let message = error_message("n_layers = 2", "n_layers = 2\nn_layers = 3");
    assert_message(
        &message,
        line_number("n_layers") + 1,
        &["`n_layers` is a duplicate key", "write it once"],
    );
    let message = error_message("[training]", "[decoder]");
    assert_message(&message, line_number("[training]"), &["duplicate"]);
}

#[test]
fn invalid_types_and_values_are_errors() {
    let message = error_message("d_model = 16", "d_model = \"16\"");
    assert_message(
        &message,
        line_number("d_model"),
        &[
            "`sizes.xs.d_model` is string \"16\"",
            "write a whole number",
        ],
    );
    let message = error_message("n_keys = 8", "n_keys = 8.5");
    assert_message(
        &message,
        line_number("keys"),
        &[
            "`blocks.memory.keys.n_keys` is floating point `8.5`",
            "write a whole number",
        ],
    );
    let message = error_message("\"middle\"", "\"midle\"");
    assert_message(
        &message,
        line_number("placement"),
        &[
            "`blocks.memory.placement` = \"midle\"",
            "did you mean `middle`?",
        ],
    );
    let message = error_message("mode = \"flops\"", "mode = \"flop\"");
    assert_message(
        &message,
        line_number("match"),
        &["`match.mode`", "did you mean `flops`?"],
    );
    let message = error_message("\"memory\"", "\"memoir\"");
    assert_message(
        &message,
        line_number("kind = \"memory\""),
        &["`blocks.memory.kind`", "did you mean `memory`?"],
    );
    let message = error_message("tokens = 2_000", "tokens = -5");
    assert_message(
        &message,
        line_number("tokens"),
        &["`sizes.xs.tokens`", "above 0"],
    );
    let message = error_message("seeds = [0]", "seeds = [1, 1]");
    assert_message(
        &message,
        line_number("seeds"),
        &["`seeds`", "list each seed once"],
    );
    let message = error_message("batch_size = 4", "batch_size = 0");
    assert_message(
        &message,
        line_number("batch_size"),
        &["`training.batch_size` is 0", "1 or more"],
    );
    let message = error_message("people = 12", "people = 0");
    assert_message(
        &message,
        line_number("people"),
        &["`suites.biographies.people` = 0", "write a number from 2"],
    );
    let message = error_message("name = \"tiny\"", "name = \"../tiny\"");
    assert_message(
        &message,
        line_number("name"),
        &["`name` \"../tiny\" cannot name a folder", "use letters"],
    );
    let message = error_message("name = \"tiny\"", "name = \"probes\"");
    assert_message(
        &message,
        line_number("name"),
        &["is the folder of probes", "choose another"],
    );
    let message = error_message("[sizes.xs]", "[sizes.xs");
    assert_message(&message, line_number("[sizes.xs]"), &["TOML"]);
}

#[test]
fn missing_keys_are_errors() {
    let message = error_message("tokens = 2_000\n", "");
    assert_message(
        &message,
        line_number("[sizes.xs]"),
        &["`sizes.xs.tokens` is missing", "write the training tokens"],
    );
    let message = error_message("d_model = 16\n", "");
    assert_message(
        &message,
        line_number("[sizes.xs]"),
        &["`sizes.xs.d_model` is missing", "add it"],
    );
    let message = error_message("n_keys = 8, ", "");
    assert_message(
        &message,
        line_number("keys"),
        &["`blocks.memory.keys.n_keys` is missing", "add it"],
    );
    let message = error_message("learning_rate = 3e-3\n", "");
    assert_message(
        &message,
        line_number("[training]"),
        &["`training.learning_rate` is missing", "add it"],
    );
}

#[test]
fn inconsistent_shapes_are_errors() {
    let message = error_message("top_k = 4", "top_k = 65");
    assert_message(
        &message,
        line_number("keys"),
        &["`blocks.memory.keys.top_k` = 65", "8", "lower top_k"],
    );
    let message = error_message("d_model = 16", "d_model = 15");
    assert_message(
        &message,
        line_number("n_heads"),
        &[
            "`sizes.xs.n_heads` = 2 does not divide d_model = 15",
            "choose a divisor",
        ],
    );
    let message = error_message(
        "tokens = 2_000",
        "tokens = 2_000\nblocks.memory.keys.top_k = 999",
    );
    assert_message(
        &message,
        line_number("tokens") + 1,
        &["`sizes.xs.blocks.memory.keys.top_k` = 999"],
    );
    let message = error_message("\"middle\"", "{ layers = [2] }");
    assert_message(
        &message,
        line_number("placement"),
        &[
            "`blocks.memory.placement` names layer 2 of 2",
            "count from 0",
        ],
    );
    let message = error_message("seq_len = 96", "seq_len = 96\nvocab_size = 300");
    assert_message(
        &message,
        line_number("seq_len") + 1,
        &["`decoder.vocab_size` = 300 is smaller than", "320"],
    );
}

#[test]
fn unreadable_files_are_errors() {
    let scratch = Scratch::new("");
    for (sweep, file) in [
        ("absent.toml", "absent.toml"),
        ("absent", "sweeps/absent.toml"),
        (".", "."),
    ] {
        let ended = scratch.isoflop(&["sweep", sweep]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(file) && ended.err.contains("newer, paper, quick, "),
            "{ended:?}"
        );
    }
    std::fs::write(scratch.path("sweep.toml"), [0xff, 0xfe]).unwrap();
    let ended = scratch.isoflop(&["sweep", "sweep.toml"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains("sweep.toml: cannot be read"),
        "{ended:?}"
    );
    assert!(!scratch.path("runs").exists());
}

#[test]
fn unknown_labels_and_devices_are_errors() {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--only", "dens"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .err
            .contains("--only dens is not in the sweep; did you mean `dense`?"),
        "{ended:?}"
    );
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--device", "abacus"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("this build has: flex"), "{ended:?}");
    #[cfg(not(feature = "cuda"))]
    {
        let ended = scratch.isoflop(&["sweep", "sweep.toml", "--device", "cuda"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains("--features cuda"), "{ended:?}");
    }
    assert!(!scratch.path("runs").exists());
}
