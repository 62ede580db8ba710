//! Verdicts on correct, incorrect and deceptive programs.

use super::{doubles, sandbox, verdict};
use crate::ProgramCheck;
use crate::sandbox::ProgramVerdict;

#[test]
fn correct_and_incorrect_programs() {
    let Some(right) = verdict("def f(x):\n    return 2 * x") else {
        return;
    };
    assert_eq!(right, ProgramVerdict::Passed);
    assert_eq!(
        verdict("def f(x):\n    return x * x")
            .map(|v| v.to_string())
            .as_deref(),
        Some("wrong: f(5) gave 25")
    );
    assert_eq!(
        verdict("def f(x):\n    return 2.0 * x")
            .map(|v| v.to_string())
            .as_deref(),
        Some("wrong: f(2) gave a float")
    );
    assert_eq!(
        verdict("def f(x)\n"),
        Some(ProgramVerdict::Raised("SyntaxError".to_owned()))
    );
    assert_eq!(
        verdict("def f(x):\n    return x / 0"),
        Some(ProgramVerdict::Raised("ZeroDivisionError".to_owned()))
    );
    assert_eq!(
        verdict("y = 1"),
        Some(ProgramVerdict::Raised("KeyError".to_owned()))
    );
}

#[test]
fn an_early_exit_does_not_pass() {
    for source in [
        "import os\nos._exit(0)",
        "def f(x):\n    import os\n    os._exit(0)",
    ] {
        let Some(given) = verdict(source) else { return };
        assert_eq!(given, ProgramVerdict::NoReport);
    }
    assert_eq!(
        verdict("import sys\nsys.exit(0)"),
        Some(ProgramVerdict::Raised("SystemExit".to_owned()))
    );
}

#[test]
fn a_forged_report_does_not_pass() {
    let blind = "import os\nos.write(1, b'\\npassed\\n{\"calls\": [{\"value\": 4}, {\"value\": 10}]}\\n')\nos._exit(0)";
    let Some(given) = verdict(blind) else { return };
    assert_eq!(given, ProgramVerdict::NoReport);
    // The nonce can be read from the interpreter's frames; the expected values are not in the process.
    let from_frames = "import os, sys\nframe = sys._getframe()\nwhile 'job' not in frame.f_locals:\n    frame = frame.f_back\n\
        job = frame.f_locals['job']\nnonce = job['nonce']\nassert sorted(job) == ['arguments', 'function', 'nonce', 'source']\n\
        os.write(1, (nonce + ' {\"calls\": [{\"value\": 1}, {\"value\": 1}]}\\n').encode())\nos._exit(0)";
    assert!(matches!(
        verdict(from_frames),
        Some(ProgramVerdict::Wrong { .. })
    ));
}

#[test]
fn verdicts_are_in_the_order_of_the_programs() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let check = doubles();
    let programs: Vec<(String, &ProgramCheck)> = (0..5)
        .map(|factor| (format!("def f(x):\n    return {factor} * x"), &check))
        .collect();
    let passed: Vec<bool> = sandbox
        .judge_all(&programs)
        .iter()
        .map(ProgramVerdict::passed)
        .collect();
    assert_eq!(passed, [false, false, true, false, false]);
    assert!(sandbox.judge_all(&[]).is_empty());
}
