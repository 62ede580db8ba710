//! Ranks that are processes of `mpirun`: with the feature `mpi` and an MPI, otherwise skipped with the reason.

use std::process::Command;

use crate::mpirun::{mpirun, rows};
use crate::scratch::{Ended, Scratch, TINY};

/// One micro-batch for each of four ranks, so that losses that depend on the parts of a batch are equal on all numbers of ranks.
fn every_block(tokens: usize) -> String {
    let blocks = r#"
[blocks."memory+"]
kind = "memory"
placement = "middle"
keys = { n_keys = 8, n_heads = 2, top_k = 4 }
gate = true
shared_values = true

[blocks.peer]
kind = "peer"
placement = "middle"
keys = { n_keys = 8, n_heads = 2, top_k = 4 }

[blocks.moe]
kind = "mixture_of_experts"
n_experts = 3

[blocks.deepseek]
kind = "deepseek_moe"
n_experts = 3
top_k = 1

[blocks.mlp]
kind = "mlp"

[blocks.ultra]
kind = "ultra_mem"
placement = "middle"
n_keys = 8
top_k = 4
value_dim = 8
pre_value_dim = 8

[blocks.engram]
kind = "engram"
placement = "middle"
site = "before_attention"
n_rows = 31
head_dim = 8

[blocks.bigram]
kind = "hashed_bigram"
placement = "middle"
site = "before_attention"
n_rows = 31
"#;
    TINY.replace("\n[suites]\n", &format!("{blocks}\n[suites]\n"))
        .replace("tokens = 2_000", &format!("tokens = {tokens}"))
        .replace("batch_size = 4", "batch_size = 4\nmicro_batches = 4")
        .replace("log_every = 2", "log_every = 1")
}

#[test]
fn two_and_four_processes_train_every_block_with_the_losses_of_one() {
    let scratch = Scratch::new(&every_block(3_000));
    if mpirun(&scratch, 2, "2").is_none() {
        return;
    }
    let whole = scratch.isoflop(&["sweep", "sweep.toml", "--output", "1", "--quiet"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let (runs, steps) = rows(&scratch, "1");
    assert_eq!(runs.len(), 10);
    for ranks in [2, 4] {
        let output = ranks.to_string();
        let mut command = mpirun(&scratch, ranks, &output).unwrap();
        if ranks == 2 {
            // Neither key is in the configuration that ranks are sent.
            command.args(["--set", "training.zero_stage=2"]);
            command.args(["--set", "training.recompute=\"layers\""]);
        }
        let ended = Ended::new(command.output().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let (own_runs, own_steps) = rows(&scratch, &output);
        assert_eq!(own_runs.len(), runs.len());
        for (own, one) in own_runs.iter().zip(&runs) {
            assert_eq!((&own.run, &own.status), (&one.run, &one.status));
            assert_eq!(own.status, "finished", "{}", own.reason);
            assert_eq!(own.device, format!("flex on {ranks} ranks"));
        }
        assert_eq!(own_steps.len(), steps.len());
        for (own, one) in own_steps.iter().zip(&steps) {
            assert_eq!((&own.run, own.step), (&one.run, one.step));
            let difference = (own.loss - one.loss).abs() / one.loss;
            assert!(difference < 1e-6, "{ranks} ranks: {own:?} {one:?}");
        }
    }
}

/// A memory of 2^20 slots: 537 MB of values, and as much for each of two moments.
const LARGE_MEMORY: &str = r#"
name = "tiny"
seeds = [0]
match = { mode = "tokens" }

[decoder]
n_layers = 2
seq_len = 96
d_ff_multiple = 16

[sizes.xs]
d_model = 128
n_heads = 2
tokens = 1_000

[blocks."memory+"]
kind = "memory"
placement = { layers = [1] }
keys = { n_keys = 1024, n_heads = 1, top_k = 4 }
gate = true
shared_values = true

[suites]
vocab_size = 320

[suites.biographies]
people = 12
questions = 4

[training]
batch_size = 4
learning_rate = 3e-3
table_learning_rate = 1e-2
validations = 1
validation_tokens = 500
"#;
/// KiB of address space of each process: less than the table with its moments, more than half of it and what MPI maps.
const ADDRESS_SPACE: usize = 1_570_000;

#[test]
fn a_table_that_does_not_fit_one_process_is_trained_by_two() {
    let scratch = Scratch::new(LARGE_MEMORY);
    let Some(two) = mpirun(&scratch, 2, "two") else {
        return;
    };
    // The shell sets the limit, and becomes the program.
    let limited = format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_isoflop");
    let sweep = [
        "sweep",
        "sweep.toml",
        "--quiet",
        "--threads",
        "1",
        "--output",
    ];
    let mut one = Command::new("sh");
    one.args(["-c", &limited, program]).args(sweep).arg("one");
    let one = Ended::new(one.current_dir(scratch.path("")).output().unwrap());
    assert_eq!(one.code, Some(1), "{one:?}");
    assert!(
        one.err.contains("the system did not allocate them"),
        "{one:?}"
    );
    let arguments: Vec<_> = two.get_args().map(|arg| arg.to_owned()).collect();
    let place = arguments.iter().position(|arg| arg == program).unwrap();
    let mut limited_two = Command::new("mpirun");
    limited_two
        .args(&arguments[..place])
        .args(["sh", "-c", &limited])
        .args(&arguments[place..])
        .current_dir(scratch.path(""));
    let two = Ended::new(limited_two.output().unwrap());
    assert_eq!(two.code, Some(0), "{two:?}");
    assert_eq!(rows(&scratch, "two").0[0].status, "finished");
}

#[test]
fn a_program_that_cannot_be_a_rank_says_so() {
    let scratch = Scratch::new(TINY);
    let launched = |arguments: &[&str]| {
        let mut command = scratch.command(arguments);
        // As mpirun sets it.
        Ended::new(command.env("OMPI_COMM_WORLD_SIZE", "4").output().unwrap())
    };
    let planned = launched(&["plan", "sweep.toml"]);
    assert_eq!(planned.code, Some(2));
    assert!(
        planned.err.contains("was started as 4 processes by mpirun"),
        "{planned:?}"
    );
    let other = launched(&["sweep", "sweep.toml", "--ranks", "2"]);
    assert_eq!(other.code, Some(2));
    assert!(
        other
            .err
            .contains("--ranks 2 was given to one of 4 processes"),
        "{other:?}"
    );
    let alone = scratch.isoflop(&["sweep", "sweep.toml", "--ranks", "2"]);
    assert_eq!(alone.code, Some(2));
    assert!(
        alone
            .err
            .contains("started alone; start it by `mpirun -n 2`"),
        "{alone:?}"
    );
    if !cfg!(feature = "mpi") {
        let without = launched(&["sweep", "sweep.toml"]);
        assert_eq!(without.code, Some(2));
        assert!(
            without.err.contains("built without the feature `mpi`"),
            "{without:?}"
        );
    }
    let on_its_own = launched(&["sweep", "sweep.toml", "--ranks", "1", "--quiet"]);
    assert_eq!(on_its_own.code, Some(0), "{on_its_own:?}");
}
