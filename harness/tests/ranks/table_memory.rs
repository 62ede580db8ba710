//! A table that no process may hold: with the address space of every process limited, one cannot train it and two can.

#![cfg(unix)]

use std::process::Command;

use crate::mpirun::{mpirun_of, rows};
use crate::scratch::{Ended, Scratch, TINY};

/// Values of a table of 2^18 rows of 512 columns are 512 MiB, with both moments 1.5 GiB; halves 768 MiB.
const TABLE: (&str, &str) = (
    "keys = { n_keys = 8, n_heads = 2, top_k = 4 }",
    "keys = { n_keys = 512, key_dim = 16, n_heads = 2, top_k = 4 }\nvalue_dim = 512\ngate = true\nshared_values = true",
);
/// Most KiB of address space of a process: less than the whole table with its moments.
const LIMIT_KIB: usize = 1_400_000;

/// `program` with its address space limited.
fn limited(program: &str) -> [String; 4] {
    let limit = format!("ulimit -v {LIMIT_KIB}; exec \"$0\" \"$@\"");
    ["sh".into(), "-c".into(), limit, program.into()]
}

fn sweep(mut command: Command, scratch: &Scratch, output: &str) -> Ended {
    command
        .args(["sweep", "sweep.toml", "--quiet", "--threads", "1"])
        .args(["--output", output])
        // Every thread's own heap would reserve address space.
        .env("MALLOC_ARENA_MAX", "1")
        .current_dir(scratch.path(""));
    Ended::new(command.output().unwrap())
}

#[test]
fn two_processes_train_a_table_that_one_cannot_hold() {
    let scratch = Scratch::new(&TINY.replace(TABLE.0, TABLE.1));
    let program = limited(env!("CARGO_BIN_EXE_isoflop"));
    let Some(mut two) = mpirun_of(2) else {
        return;
    };
    two.args(&program);
    let ended = sweep(two, &scratch, "two");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (runs, _) = rows(&scratch, "two");
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.status == "finished"), "{runs:?}");

    let [shell, rest @ ..] = &program;
    let mut one = Command::new(shell);
    one.args(rest);
    let ended = sweep(one, &scratch, "one");
    assert_ne!(ended.code, Some(0), "{ended:?}");
    let (runs, _) = rows(&scratch, "one");
    let failed: Vec<_> = runs.iter().filter(|run| run.status == "failed").collect();
    assert_eq!(failed.len(), 1, "{runs:?}");
    assert!(
        failed[0]
            .reason
            .contains("a table of 262144 x 512 f32 needs 536870912 bytes"),
        "{}",
        failed[0].reason
    );
}
