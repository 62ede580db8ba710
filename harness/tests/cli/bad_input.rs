//! One message that names file, line and key with the remedy; exit status 2; nothing written.

use crate::scratch::{Scratch, TINY};

/// The complaint about [`TINY`] with `from` replaced by `to`, less the file's name: `line: message`.
fn complaint(from: &str, to: &str) -> String {
    assert!(TINY.contains(from), "{from}");
    let scratch = Scratch::new(&TINY.replacen(from, to, 1));
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--output", "out"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.out.is_empty(), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    assert!(!scratch.path("out").exists(), "the output folder was made");
    let message = ended.err.trim_end().strip_prefix("isoflop: sweep.toml:");
    message.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

/// The line of [`TINY`] that starts with `start`.
fn line(start: &str) -> usize {
    1 + TINY
        .lines()
        .position(|line| line.starts_with(start))
        .unwrap()
}

fn assert_says(message: &str, line: usize, parts: &[&str]) {
    let (at, rest) = message.split_once(": ").unwrap();
    assert_eq!(at, line.to_string(), "{message}");
    for part in parts {
        assert!(rest.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn unknown_keys_at_every_depth() {
    let message = complaint("seeds =", "seed =");
    assert_says(
        &message,
        line("seeds"),
        &["`seed` is not a known key", "did you mean `seeds`?"],
    );
    let message = complaint("n_heads = 2\ntokens", "n_head = 2\ntokens");
    assert_says(
        &message,
        line("n_heads"),
        &["`sizes.xs.n_head`", "did you mean `n_heads`?"],
    );
    let message = complaint("top_k = 4", "topk = 4");
    assert_says(
        &message,
        line("keys"),
        &["`blocks.memory.keys.topk`", "did you mean `top_k`?"],
    );
    let message = complaint("people = 12", "persons = 12");
    assert_says(
        &message,
        line("people"),
        &["`suites.biographies.persons`", "choose from", "people"],
    );
    let message = complaint("log_every", "log_evry");
    assert_says(
        &message,
        line("log_every"),
        &["`training.log_evry`", "did you mean `log_every`?"],
    );
    let message = complaint(
        "tokens = 2_000",
        "tokens = 2_000\nblocks.memry.keys.top_k = 2",
    );
    assert_says(
        &message,
        line("tokens") + 1,
        &["`sizes.xs.blocks.memry`", "did you mean `memory`?"],
    );
}

#[test]
fn duplicate_keys() {
    let message = complaint("n_layers = 2", "n_layers = 2\nn_layers = 3");
    assert_says(
        &message,
        line("n_layers") + 1,
        &["`n_layers` is a duplicate key", "write it once"],
    );
    let message = complaint("[training]", "[decoder]");
    assert_says(&message, line("[training]"), &["duplicate"]);
}

#[test]
fn wrong_types_and_values() {
    let message = complaint("d_model = 16", "d_model = \"16\"");
    assert_says(
        &message,
        line("d_model"),
        &[
            "`sizes.xs.d_model` is string \"16\"",
            "write a whole number",
        ],
    );
    let message = complaint("n_keys = 8", "n_keys = 8.5");
    assert_says(
        &message,
        line("keys"),
        &[
            "`blocks.memory.keys.n_keys` is floating point `8.5`",
            "write a whole number",
        ],
    );
    let message = complaint("\"middle\"", "\"midle\"");
    assert_says(
        &message,
        line("placement"),
        &[
            "`blocks.memory.placement` = \"midle\"",
            "did you mean `middle`?",
        ],
    );
    let message = complaint("mode = \"flops\"", "mode = \"flop\"");
    assert_says(
        &message,
        line("match"),
        &["`match.mode`", "did you mean `flops`?"],
    );
    let message = complaint("\"memory\"", "\"memoir\"");
    assert_says(
        &message,
        line("kind = \"memory\""),
        &["`blocks.memory.kind`", "did you mean `memory`?"],
    );
    let message = complaint("tokens = 2_000", "tokens = -5");
    assert_says(&message, line("tokens"), &["`sizes.xs.tokens`", "above 0"]);
    let message = complaint("seeds = [0]", "seeds = [1, 1]");
    assert_says(&message, line("seeds"), &["`seeds`", "list each seed once"]);
    let message = complaint("batch_size = 4", "batch_size = 0");
    assert_says(
        &message,
        line("batch_size"),
        &["`training.batch_size` is 0", "1 or more"],
    );
    let message = complaint("people = 12", "people = 0");
    assert_says(
        &message,
        line("people"),
        &["`suites.biographies.people` = 0", "write a number from 2"],
    );
    let message = complaint("name = \"tiny\"", "name = \"../tiny\"");
    assert_says(
        &message,
        line("name"),
        &["`name` \"../tiny\" cannot name a folder", "use letters"],
    );
    let message = complaint("name = \"tiny\"", "name = \"probes\"");
    assert_says(
        &message,
        line("name"),
        &["is the folder of probes", "choose another"],
    );
    let message = complaint("[sizes.xs]", "[sizes.xs");
    assert_says(&message, line("[sizes.xs]"), &["TOML"]);
}

#[test]
fn missing_keys() {
    let message = complaint("tokens = 2_000\n", "");
    assert_says(
        &message,
        line("[sizes.xs]"),
        &["`sizes.xs.tokens` is missing", "write the training tokens"],
    );
    let message = complaint("d_model = 16\n", "");
    assert_says(
        &message,
        line("[sizes.xs]"),
        &["`sizes.xs.d_model` is missing", "add it"],
    );
    let message = complaint("n_keys = 8, ", "");
    assert_says(
        &message,
        line("keys"),
        &["`blocks.memory.keys.n_keys` is missing", "add it"],
    );
    let message = complaint("learning_rate = 3e-3\n", "");
    assert_says(
        &message,
        line("[training]"),
        &["`training.learning_rate` is missing", "add it"],
    );
}

#[test]
fn impossible_shapes() {
    let message = complaint("top_k = 4", "top_k = 65");
    assert_says(
        &message,
        line("keys"),
        &["`blocks.memory.keys.top_k` = 65", "8", "lower top_k"],
    );
    let message = complaint("d_model = 16", "d_model = 15");
    assert_says(
        &message,
        line("n_heads"),
        &[
            "`sizes.xs.n_heads` = 2 does not divide d_model = 15",
            "choose a divisor",
        ],
    );
    let message = complaint(
        "tokens = 2_000",
        "tokens = 2_000\nblocks.memory.keys.top_k = 999",
    );
    assert_says(
        &message,
        line("tokens") + 1,
        &["`sizes.xs.blocks.memory.keys.top_k` = 999"],
    );
    let message = complaint("\"middle\"", "{ layers = [2] }");
    assert_says(
        &message,
        line("placement"),
        &[
            "`blocks.memory.placement` names layer 2 of 2",
            "count from 0",
        ],
    );
    let message = complaint("seq_len = 96", "seq_len = 96\nvocab_size = 300");
    assert_says(
        &message,
        line("seq_len") + 1,
        &["`decoder.vocab_size` = 300 is smaller than", "320"],
    );
}

#[test]
fn unreadable_files() {
    let scratch = Scratch::new("");
    for (sweep, file) in [
        ("absent.toml", "absent.toml"),
        ("absent", "sweeps/absent.toml"),
        (".", "."),
    ] {
        let ended = scratch.isoflop(&["sweep", sweep]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(file) && ended.err.contains("quick, smoke"),
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
fn filters_and_devices_that_do_not_exist() {
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
