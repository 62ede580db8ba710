//! Verdicts on correct, incorrect and deceptive programs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{doubles, exception, raised, sandbox, tested};
use crate::{Program, ProgramVerdict};

#[test]
fn correct_and_incorrect_programs() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let verdict = |source: &str| sandbox.judge(&doubles(source));
    assert_eq!(
        verdict("def f(x):\n    return 2 * x"),
        ProgramVerdict::Passed
    );
    for (source, text) in [
        ("def f(x):\n    return x * x", "wrong: f(5) gave 25"),
        ("def f(x):\n    return 2.0 * x", "wrong: f(2) gave 4.0"),
        ("def f(x)\n", "raised SyntaxError"),
        (
            "def f(x):\n    return x / 0",
            "raised ZeroDivisionError in line 1 of the tests",
        ),
        ("y = 1", "raised NameError in line 1 of the tests"),
        ("import os\nos._exit(0)", "ended before the tests"),
        (
            "def f(x):\n    import os\n    os._exit(0)",
            "ended before the tests",
        ),
        ("import sys\nsys.exit(0)", "raised SystemExit"),
    ] {
        assert_eq!(verdict(source).to_string(), text, "{source}");
    }
}

#[test]
fn results_have_the_expected_types_at_every_depth() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    for (given, expected) in [
        ("True", "1"),
        ("1.0", "1"),
        ("'1'", "1"),
        ("[True]", "[1]"),
        ("(1,)", "[1]"),
        ("{1: 1.0}", "{1: 1}"),
        ("f", "1"),
        ("[f]", "['f']"),
    ] {
        let program = tested(
            &format!("def f():\n    return {given}"),
            &format!("expect('f()', f(), {expected})"),
        );
        let verdict = sandbox.judge(&program);
        assert!(
            matches!(verdict, ProgramVerdict::Wrong { .. }),
            "{given}: {verdict}"
        );
    }
    // A list of an object whose text is that of the expected value.
    let source = "class A:\n    def __repr__(self): return '4'\ndef f():\n    return [A()]";
    let verdict = sandbox.judge(&tested(source, "expect('f()', f(), [4])"));
    assert!(!verdict.passed(), "{verdict}");
}

#[test]
fn every_kind_of_data_arrives_as_it_is() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let values = "[None, True, 0, -5, 2**53, -2**100, 1e300, 0.1, float('inf'), -0.0, 1+2j, 'a\\ud800\\n\\0', b'\\xff', \
                  bytearray(b'a'), (1, (2,)), {3, 4}, frozenset({5}), {1: 'a', (2, 3): [4]}, range(1, 9, 2), ..., int, \
                  collections.Counter('aab'), collections.OrderedDict([(2, 1), (1, 2)]), collections.deque([1, 2], 5), \
                  decimal.Decimal('1.50'), fractions.Fraction(1, 3)]";
    let program = tested(
        "import collections, decimal, fractions\ndef f(x):\n    return x",
        &format!(
            "import collections, decimal, fractions\nfor value in {values}:\n    back = f(value)\n    \
             assert type(back) is type(value) and back == value and repr(back) == repr(value), repr(value)\n\
             assert f(float('nan')) != f(float('nan'))\nassert f({{1: 2}}.keys()) == {{1}}"
        ),
    );
    assert_eq!(sandbox.judge(&program), ProgramVerdict::Passed);
    // The data of a subclass, without its methods.
    let subclass = "from collections import namedtuple, defaultdict\nP = namedtuple('P', 'x y')\nclass I(int):\n    \
                    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n\
                    def f(x):\n    return [P(1, 2), defaultdict(int, a=1), I(7)]";
    let tests = "assert f(0) == [(1, 2), {'a': 1}, 7] and f(0) != [(1, 2), {'a': 1}, 8]";
    assert_eq!(
        sandbox.judge(&tested(subclass, tests)),
        ProgramVerdict::Passed
    );
}

#[test]
fn the_nonce_and_the_expected_values_are_not_in_the_programs_process() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    // How often a word occurs in all that the frames and the collector know. It is sent backwards, so that it is not found in itself.
    let source = "import gc, sys\ndef f(word):\n    frame, known = sys._getframe(), []\n    while frame:\n        \
                  known += [repr(frame.f_locals), repr(list(frame.f_globals))]\n        frame = frame.f_back\n    \
                  known += [repr(o) for o in gc.get_objects() if type(o) in (dict, list, tuple)]\n    \
                  return sum(word[::-1] in text for text in known)";
    let program = Program {
        prelude: "secret = 'sixteen candles'".to_owned(),
        ..tested(
            source,
            "assert f('rewsna') > 0\nassert f('seldnac neetxis') == 0\nassert f(')\"rewsna\"(f tressa') == 0\n\
             assert f('ecnon') == 0",
        )
    };
    assert_eq!(sandbox.judge(&program), ProgramVerdict::Passed);
}

#[test]
fn the_tests_take_no_other_names_from_the_program() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let cheat = "def check(*x): pass\ndef isclose(*x): return True\ndef sorted(x): return [1, 2]\nlen = max = any = isclose\n\
                 def helper(x): return 0\ndef f(x): return x";
    for (prelude, tests) in [
        ("", "assert isclose(f(1), 2)"),
        ("from math import isclose", "assert isclose(f(1), 2)"),
        ("", "assert sorted(f([2, 3])) == [1, 2]"),
        ("", "assert len(f([1])) == 2"),
        ("def helper(x): return 1", "assert f(0) == helper(0)"),
        ("", "def check(c):\n    assert c(1) == 2\ncheck(f)"),
        ("", "import math\nassert math.isclose(f(1), 2)"),
    ] {
        let program = Program {
            prelude: prelude.to_owned(),
            ..tested(cheat, tests)
        };
        let verdict = sandbox.judge(&program);
        assert!(exception(&verdict).is_some(), "{tests}: {verdict}");
    }
    // What the prelude calls by the name of the function is not taken from it.
    let stub = Program {
        prelude: "def f(x): return 1".to_owned(),
        ..tested("y = 1", "assert f(0) == 1")
    };
    assert_eq!(sandbox.judge(&stub), raised("NameError"));
    // A name that the tests are told to take may be one of Python's.
    let own = Program {
        names: vec!["sum".to_owned()],
        ..tested("def sum(a, b): return a * b", "assert sum(2, 3) == 6")
    };
    assert_eq!(sandbox.judge(&own), ProgramVerdict::Passed);
}

#[test]
fn verdicts_are_in_the_order_of_the_programs_and_end_when_asked() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let programs: Vec<Program> = (0..5)
        .map(|factor| doubles(&format!("def f(x):\n    return {factor} * x")))
        .collect();
    let most = AtomicUsize::new(0);
    let judged = |done| {
        most.fetch_max(done, Ordering::Relaxed);
    };
    let verdicts = sandbox.judge_all(&programs, &judged, &|| false);
    let passed: Vec<bool> = verdicts.iter().map(ProgramVerdict::passed).collect();
    assert_eq!(passed, [false, false, true, false, false]);
    assert_eq!(most.into_inner(), 5);
    assert!(sandbox.judge_all(&[], &|_| (), &|| false).is_empty());
    // Those that have not begun, and those that run.
    let unrun = |verdict: &ProgramVerdict| matches!(verdict, ProgramVerdict::NotRun(_));
    let none = sandbox.judge_all(&programs, &|_| (), &|| true);
    assert_eq!((none.len(), none.iter().all(unrun)), (5, true));
    let endless = Program {
        seconds: Some(100),
        ..doubles("while True: pass")
    };
    let start = Instant::now();
    let stops = || start.elapsed() > Duration::from_millis(500);
    assert!(
        sandbox
            .judge_all(&[endless], &|_| (), &stops)
            .iter()
            .all(unrun)
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}
