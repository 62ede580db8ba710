//! Sweep files of any content: a plan, or one message that names the file. `ISOFLOP_FUZZ_INPUTS` is the number of mutated
//! files, `ISOFLOP_FUZZ_FIRST` the number of the first.

#[path = "fuzz/allocations.rs"]
mod allocations;
#[path = "fuzz/mutation.rs"]
mod mutation;

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use experiment::estimate::{Assumptions, Estimate};
use experiment::plan::Plan;
use experiment::printable::is_printable;
use experiment::speed::Speed;
use experiment::sweep_file::Sweep;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Longest time of one input.
const MAX_TIME: Duration = Duration::from_secs(2);
/// Most memory of one input, in bytes.
const MAX_BYTES: isize = 256 << 20;
/// Number of inputs without `ISOFLOP_FUZZ_INPUTS`.
const DEFAULT_INPUTS: u64 = 400;

/// The number of runs of the plan of `text`, or the message of its error. Everything that `isoflop plan` computes is
/// computed.
fn plan(text: &str) -> Result<usize, String> {
    let sweep = Sweep::parse("fuzz.toml", text).map_err(|error| error.to_string())?;
    // What a plan rejects is rejected when the file is read, where the message has its place.
    let plan = Plan::new(sweep).map_err(|error| format!("Plan::new: {error}"))?;
    for run in &plan.runs {
        black_box(run.stream_tokens());
    }
    let assumed = Assumptions {
        format: None,
        device_memory: 80 << 30,
        price: None,
    };
    for run in &plan.runs {
        let relative = run.flops_relative_to_dense();
        let estimate = Estimate::of(run, Speed::Stated(1e12), &assumed);
        black_box(relative.map_err(|error| format!("relative: {error}"))?);
        black_box(estimate.map_err(|error| format!("estimate: {error}"))?);
    }
    Ok(plan.runs.len())
}

/// Held while allocations are counted.
static COUNTED: Mutex<()> = Mutex::new(());

/// Checks one input; returns whether it is a valid sweep, or what is wrong.
fn check(text: &str) -> Result<bool, String> {
    let _counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let timed = || {
        allocations::reset();
        let clock = Instant::now();
        let planned = catch_unwind(AssertUnwindSafe(|| plan(text)));
        (planned, clock.elapsed(), allocations::peak())
    };
    let (planned, mut time, bytes) = timed();
    let planned = planned.map_err(|_| "panics".to_owned())?;
    if time > MAX_TIME {
        // Another process may have had the processor.
        time = time.min(timed().1);
    }
    if time > MAX_TIME {
        return Err(format!("takes {time:?}"));
    }
    if bytes > MAX_BYTES {
        return Err(format!("allocates {bytes} bytes"));
    }
    let Err(message) = planned else {
        return Ok(true);
    };
    let is_located = message.starts_with("fuzz.toml:");
    let is_short = message.chars().count() < 1000;
    if !(is_located && is_short && message.chars().all(is_printable)) {
        return Err(format!("has the message {message:?}"));
    }
    Ok(false)
}

fn number(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

fn bases() -> Vec<String> {
    let manifest = env!("CARGO_MANIFEST_DIR");
    let mut bases = Vec::new();
    // Files of the corpus are invalid already: the others are more frequent.
    for folder in [
        "tests/corpus",
        "../../sweeps",
        "../../sweeps",
        "../../sweeps",
    ] {
        let folder = std::path::Path::new(manifest).join(folder);
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        bases.extend(
            files
                .iter()
                .map(|file| std::fs::read_to_string(file).unwrap()),
        );
    }
    bases.push(experiment::testing::SWEEP.to_owned());
    bases
}

#[test]
fn mutated_sweep_files_are_plans_or_one_message_that_names_the_file() {
    let bases = bases();
    let first = number("ISOFLOP_FUZZ_FIRST", 0);
    let inputs = number("ISOFLOP_FUZZ_INPUTS", DEFAULT_INPUTS);
    let (mut failures, mut valid) = (Vec::new(), 0);
    let clock = Instant::now();
    for input in first..first + inputs {
        let text = mutation::mutated(&bases, &mut random::stream(0, "fuzz", input));
        match check(&text) {
            Ok(is_valid) => valid += u64::from(is_valid),
            Err(problem) => {
                let file = std::env::temp_dir().join(format!("isoflop-fuzz-{input}.toml"));
                std::fs::write(&file, text).unwrap();
                failures.push(format!("input {input} ({}) {problem}", file.display()));
            }
        }
    }
    println!(
        "{inputs} inputs, {valid} of them valid, in {:.1?}",
        clock.elapsed()
    );
    assert!(
        failures.is_empty(),
        "{} of {inputs}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        inputs < 100 || (valid > inputs / 100 && valid < inputs),
        "{valid} of {inputs} are valid"
    );
}

/// One test for each file of the corpus: its message contains the text.
macro_rules! corpus {
    ($($name:ident => $message:literal;)*) => {
        $(#[test]
        fn $name() {
            let text = include_str!(concat!("corpus/", stringify!($name), ".toml"));
            assert_eq!(check(text), Ok(false));
            let message = plan(text).unwrap_err();
            assert!(message.contains($message), "{message}");
        })*

        #[test]
        fn every_file_of_the_corpus_has_a_test() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
            for file in std::fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!([$(stringify!($name)),*].contains(&name), "{name}");
            }
        }
    };
}

corpus! {
    a_trillion_layers => "fuzz.toml:4: `decoder.n_layers` = 1000000000000 exceeds 1024; lower it";
    default_width_rounded_to_multiples_of_zero => "fuzz.toml:6: `decoder.d_ff_multiple` is 0; set it to 1 or more";
    four_billion_half_keys => "fuzz.toml:15: `blocks.memory.keys.n_keys` = 4294967296 exceeds 65536";
    centred_beyond_the_integers => "fuzz.toml:14: `blocks.memory.placement` centred with count";
    budget_beyond_the_integers => "fuzz.toml:9: `sizes.xs.flops` gives a run of more than 2^50 tokens";
    escape_sequence_in_a_label => "is a label with a control character";
    bounds_of_a_knob_beyond_the_integers => "has no valid values within the bounds";
}

#[test]
fn unclosed_brackets_end_in_a_message_and_not_in_a_full_stack() {
    for junk in ["[b] k = {\n", "k = {", "c ] d {", "{x=[", "["] {
        for count in [9_000 / junk.matches(['[', '{']).count(), 60_000] {
            let text = format!("k = {{ a\n{}", junk.repeat(count));
            assert_eq!(check(&text), Ok(false), "{junk}");
        }
    }
}

#[test]
fn the_largest_allowed_sizes_are_planned_within_the_limits() {
    let text = experiment::testing::SWEEP;
    let layers = text.replace("n_layers = 2", "n_layers = 1024");
    assert_planned(&layers);
    let seeds: Vec<String> = (0..1000).map(|seed| seed.to_string()).collect();
    let seeds = layers.replace("seeds = [0]", &format!("seeds = [{}]", seeds.join(", ")));
    assert_planned(&seeds);
    let budgets: Vec<String> = (1..=100).map(|i| format!("{i}e10")).collect();
    let budgets = layers.replace(
        "tokens = 2048",
        &format!("flops = [{}]", budgets.join(", ")),
    );
    assert_planned(&budgets);
    let blocks: String = (0..250)
        .map(|i| format!("[blocks.b{i}]\nkind = \"dense\"\nd_ff = {}\n", 16 + i))
        .collect();
    assert_planned(&format!("{layers}{blocks}"));
    let engram = "[blocks.e]\nkind = \"engram\"\nn_rows = 2147483648\nmax_order = 16\nn_heads = 1024\nhead_dim = 8\nplacement = \"middle\"\n";
    let engrams =
        "[blocks.f]\nkind = \"engram\"\nn_rows = 2\nmax_order = 16\nn_heads = 1024\nhead_dim = 8\n";
    assert_planned(&format!("{layers}{engram}{engrams}"));
    let sizes: String = (0..200)
        .map(|i| {
            format!(
                "[sizes.s{i}]\nd_model = 32\nn_heads = 2\ntokens = {}\n",
                5000 + i
            )
        })
        .collect();
    assert_planned(&format!("{text}{sizes}"));
}

fn assert_planned(text: &str) {
    assert_eq!(check(text), Ok(true), "{:?}", plan(text));
}
