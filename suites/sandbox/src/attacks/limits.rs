//! Programs that exceed the limits or attempt to run after their verdict.

use std::time::{Duration, Instant};

use super::{doubles, sandbox, tested};
use crate::{Program, ProgramVerdict};

#[test]
fn an_infinite_loop_is_terminated_at_the_limits() {
    let endless = "def f(x):\n    while True: pass";
    let Some(by_wall) = sandbox(|limits| (limits.wall_seconds, limits.cpu_seconds) = (3.0, 30))
    else {
        return;
    };
    let start = Instant::now();
    assert_eq!(by_wall.judge(&doubles(endless)), ProgramVerdict::TimedOut);
    let asleep = "def f(x):\n    import os, time\n    os.close(1)\n    time.sleep(60)";
    assert_eq!(by_wall.judge(&doubles(asleep)), ProgramVerdict::TimedOut);
    // Tests that do not end are no reason to wait.
    let tests = tested("def f(x):\n    return x", "while True: f(1)");
    assert_eq!(by_wall.judge(&tests), ProgramVerdict::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(20));
    let Some(by_cpu) = sandbox(|limits| (limits.cpu_seconds, limits.wall_seconds) = (1, 30.0))
    else {
        return;
    };
    assert!(matches!(
        by_cpu.judge(&doubles(endless)),
        ProgramVerdict::Killed(_)
    ));
    // The limit of a program replaces both.
    let own = Program {
        seconds: Some(1),
        ..doubles("import time\ndef f(x):\n    time.sleep(60)")
    };
    assert_eq!(by_cpu.judge(&own), ProgramVerdict::TimedOut);
}

#[test]
fn a_program_that_does_not_begin_is_not_wrong() {
    // Too little memory for the interpreter.
    let limits = crate::SandboxLimits {
        memory_bytes: 1 << 22,
        ..crate::SandboxLimits::default()
    };
    match crate::Sandbox::open(&limits, crate::Policy::Unsafe) {
        Err(error @ crate::SandboxError::NoPython(_)) => eprintln!("skipped: {error}"),
        Err(error) => assert!(error.to_string().contains("not run"), "{error}"),
        Ok(_) => panic!("4 MiB are enough"),
    }
}

#[test]
fn a_program_with_too_much_output_is_terminated() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    for source in [
        "def f(x):\n    while True: print('x' * 10000)",
        "import sys\nwhile True: sys.stderr.write('x' * 10000)",
    ] {
        let given = sandbox.judge(&doubles(source));
        assert_eq!(given, ProgramVerdict::TooMuchOutput, "{source}");
    }
    // What is within the limit is no matter.
    let source = "def f(x):\n    print('passed')\n    return 2 * x";
    assert_eq!(sandbox.judge(&doubles(source)), ProgramVerdict::Passed);
}

#[test]
fn a_fork_bomb_is_stopped() {
    let Some(sandbox) = sandbox(|limits| limits.wall_seconds = 3.0) else {
        return;
    };
    let start = Instant::now();
    let bomb = "import os\ndef f(x):\n    while True:\n        try:\n            os.fork()\n        except OSError:\n            pass";
    assert!(!sandbox.judge(&doubles(bomb)).passed());
    assert!(start.elapsed() < Duration::from_secs(10));
    let honest = "def f(x):\n    return x + x";
    assert_eq!(sandbox.judge(&doubles(honest)), ProgramVerdict::Passed);
}

#[test]
fn honest_programs_import_classes_threads_and_temporary_files() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let source = "\
import abc, array, base64, bisect, calendar, cmath, collections, contextlib, copy, csv, dataclasses, datetime, decimal, difflib, enum
import fractions, functools, gc, hashlib, heapq, inspect, io, itertools, json, logging, math, operator, os, pickle, pprint, queue, random, re
import secrets, statistics, string, struct, sys, tempfile, textwrap, threading, time, timeit, traceback, typing, unicodedata, unittest
import uuid, warnings, weakref, zlib
from concurrent.futures import ThreadPoolExecutor

@dataclasses.dataclass
class P:
    x: 'int'

def f(x):
    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(lambda part: part, [x, x]))
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'a'), 'w') as file:
            file.write('a')
        os.rename(os.path.join(folder, 'a'), os.path.join(folder, 'b'))
    with tempfile.TemporaryFile() as file:
        file.write(b'a')
    time.sleep(0.001)
    random.random(), secrets.token_bytes(4), time.time(), os.getcwd(), datetime.datetime.now(), hashlib.sha256(b'a')
    assert eval('1 + 1') == 2 and pickle.loads(pickle.dumps(P(x))) == P(x)
    return total
";
    // Many imports, on a busy machine.
    let program = Program {
        seconds: Some(60),
        ..doubles(source)
    };
    assert_eq!(sandbox.judge(&program), ProgramVerdict::Passed);
}

#[test]
fn a_source_that_is_too_long_fails_alone() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let long = format!(
        "def f(x): return 2 * x\n#{}",
        "\u{1F600}".repeat(crate::MAX_SOURCE / 4)
    );
    assert_eq!(sandbox.judge(&doubles(&long)), ProgramVerdict::TooLong);
}
