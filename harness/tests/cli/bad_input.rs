//! One message that names file, line and key with the remedy; exit status 2; nothing written.

use crate::scratch::{Scratch, TINY};

/// The complaint about [`TINY`] with `from` replaced by `to`, less the file's name: `line: message`.
fn complaint(from: &str, to: &str) -> String {
    assert!(TINY.contains(from), "{from}");
    let place = Scratch::new(&TINY.replacen(from, to, 1));
    let ended = place.isoflop(&["sweep", "sweep.toml", "--output", "out"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.out.is_empty(), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    assert!(!place.path("out").exists(), "the output folder was made");
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
    let said = complaint("seeds =", "seed =");
    assert_says(
        &said,
        line("seeds"),
        &["`seed` is not a known key", "did you mean `seeds`?"],
    );
    let said = complaint("n_heads = 2\ntokens", "n_head = 2\ntokens");
    assert_says(
        &said,
        line("n_heads"),
        &["`sizes.xs.n_head`", "did you mean `n_heads`?"],
    );
    let said = complaint("top_k = 4", "topk = 4");
    assert_says(
        &said,
        line("keys"),
        &["`blocks.memory.keys.topk`", "did you mean `top_k`?"],
    );
    let said = complaint("people = 12", "persons = 12");
    assert_says(
        &said,
        line("people"),
        &["`suites.biographies.persons`", "choose from", "people"],
    );
    let said = complaint("log_every", "log_evry");
    assert_says(
        &said,
        line("log_every"),
        &["`training.log_evry`", "did you mean `log_every`?"],
    );
    let said = complaint(
        "tokens = 2_000",
        "tokens = 2_000\nblocks.memry.keys.top_k = 2",
    );
    assert_says(
        &said,
        line("tokens") + 1,
        &["`sizes.xs.blocks.memry`", "did you mean `memory`?"],
    );
}

#[test]
fn duplicate_keys() {
    let said = complaint("n_layers = 2", "n_layers = 2\nn_layers = 3");
    assert_says(
        &said,
        line("n_layers") + 1,
        &["`n_layers` is a duplicate key", "write it once"],
    );
    let said = complaint("[training]", "[decoder]");
    assert_says(&said, line("[training]"), &["duplicate"]);
}

#[test]
fn wrong_types_and_values() {
    let said = complaint("d_model = 16", "d_model = \"16\"");
    assert_says(
        &said,
        line("d_model"),
        &[
            "`sizes.xs.d_model` is string \"16\"",
            "write a whole number",
        ],
    );
    let said = complaint("n_keys = 8", "n_keys = 8.5");
    assert_says(
        &said,
        line("keys"),
        &[
            "`blocks.memory.keys.n_keys` is floating point `8.5`",
            "write a whole number",
        ],
    );
    let said = complaint("\"middle\"", "\"midle\"");
    assert_says(
        &said,
        line("placement"),
        &[
            "`blocks.memory.placement` = \"midle\"",
            "did you mean `middle`?",
        ],
    );
    let said = complaint("mode = \"flops\"", "mode = \"flop\"");
    assert_says(
        &said,
        line("match"),
        &["`match.mode`", "did you mean `flops`?"],
    );
    let said = complaint("\"memory\"", "\"memoir\"");
    assert_says(
        &said,
        line("kind = \"memory\""),
        &["`blocks.memory.kind`", "did you mean `memory`?"],
    );
    let said = complaint("tokens = 2_000", "tokens = -5");
    assert_says(&said, line("tokens"), &["`sizes.xs.tokens`", "above 0"]);
    let said = complaint("seeds = [0]", "seeds = [1, 1]");
    assert_says(&said, line("seeds"), &["`seeds`", "list each seed once"]);
    let said = complaint("batch_size = 4", "batch_size = 0");
    assert_says(
        &said,
        line("batch_size"),
        &["`training.batch_size` is 0", "1 or more"],
    );
    let said = complaint("people = 12", "people = 0");
    assert_says(
        &said,
        line("people"),
        &["`suites.biographies.people` = 0", "write a number from 2"],
    );
    let said = complaint("name = \"tiny\"", "name = \"../tiny\"");
    assert_says(
        &said,
        line("name"),
        &["`name` \"../tiny\" cannot name a folder", "use letters"],
    );
    let said = complaint("name = \"tiny\"", "name = \"probes\"");
    assert_says(
        &said,
        line("name"),
        &["is the folder of probes", "choose another"],
    );
    let said = complaint("[sizes.xs]", "[sizes.xs");
    assert_says(&said, line("[sizes.xs]"), &["TOML"]);
}

#[test]
fn missing_keys() {
    let said = complaint("tokens = 2_000\n", "");
    assert_says(
        &said,
        line("[sizes.xs]"),
        &["`sizes.xs.tokens` is missing", "write the training tokens"],
    );
    let said = complaint("d_model = 16\n", "");
    assert_says(
        &said,
        line("[sizes.xs]"),
        &["`sizes.xs.d_model` is missing", "add it"],
    );
    let said = complaint("n_keys = 8, ", "");
    assert_says(
        &said,
        line("keys"),
        &["`blocks.memory.keys.n_keys` is missing", "add it"],
    );
    let said = complaint("learning_rate = 3e-3\n", "");
    assert_says(
        &said,
        line("[training]"),
        &["`training.learning_rate` is missing", "add it"],
    );
}

#[test]
fn impossible_shapes() {
    let said = complaint("top_k = 4", "top_k = 65");
    assert_says(
        &said,
        line("keys"),
        &["`blocks.memory.keys.top_k` = 65", "8", "lower top_k"],
    );
    let said = complaint("d_model = 16", "d_model = 15");
    assert_says(
        &said,
        line("n_heads"),
        &[
            "`sizes.xs.n_heads` = 2 does not divide d_model = 15",
            "choose a divisor",
        ],
    );
    let said = complaint(
        "tokens = 2_000",
        "tokens = 2_000\nblocks.memory.keys.top_k = 999",
    );
    assert_says(
        &said,
        line("tokens") + 1,
        &["`sizes.xs.blocks.memory.keys.top_k` = 999"],
    );
    let said = complaint("\"middle\"", "{ layers = [2] }");
    assert_says(
        &said,
        line("placement"),
        &[
            "`blocks.memory.placement` names layer 2 of 2",
            "count from 0",
        ],
    );
    let said = complaint("seq_len = 96", "seq_len = 96\nvocab_size = 300");
    assert_says(
        &said,
        line("seq_len") + 1,
        &["`decoder.vocab_size` = 300 cannot hold", "320"],
    );
}

#[test]
fn unreadable_files() {
    let place = Scratch::new("");
    for (sweep, file) in [
        ("absent.toml", "absent.toml"),
        ("absent", "sweeps/absent.toml"),
        (".", "."),
    ] {
        let ended = place.isoflop(&["sweep", sweep]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(file) && ended.err.contains("quick, smoke"),
            "{ended:?}"
        );
    }
    std::fs::write(place.path("sweep.toml"), [0xff, 0xfe]).unwrap();
    let ended = place.isoflop(&["sweep", "sweep.toml"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains("sweep.toml: cannot be read"),
        "{ended:?}"
    );
    assert!(!place.path("runs").exists());
}

#[test]
fn filters_and_devices_that_do_not_exist() {
    let place = Scratch::new(TINY);
    let ended = place.isoflop(&["sweep", "sweep.toml", "--only", "dens"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .err
            .contains("--only dens is not in the sweep; did you mean `dense`?"),
        "{ended:?}"
    );
    let ended = place.isoflop(&["sweep", "sweep.toml", "--device", "abacus"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("this build has: flex"), "{ended:?}");
    #[cfg(not(feature = "cuda"))]
    {
        let ended = place.isoflop(&["sweep", "sweep.toml", "--device", "cuda"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains("--features cuda"), "{ended:?}");
    }
    assert!(!place.path("runs").exists());
}
