//! The job that the child process receives, and the verdict from its report.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::interpreter::Interpreter;
use super::limits::SandboxLimits;
use super::program_verdict::ProgramVerdict;
use crate::ProgramCheck;

/// Standard input of the child process, as JSON.
#[derive(Serialize)]
struct Job<'a> {
    nonce: &'a str,
    source: &'a str,
    function: &'a str,
    arguments: Vec<serde_json::Value>,
}

/// The report of the child process: the results of the calls, or the exception that the source raised.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Report {
    Calls(Vec<Call>),
    Error(String),
}

/// The result of one call: a value, the name of a type that no expected value has, or the name of an exception.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Call {
    Value(serde_json::Value),
    Other(String),
    Error(String),
}

/// Runs one program and compares the results of its calls with the expected values.
pub(super) fn judge(
    python: &Interpreter,
    limits: &SandboxLimits,
    source: &str,
    check: &ProgramCheck,
) -> ProgramVerdict {
    // Not from a seeded stream: the program must not be able to predict it.
    let nonce = format!("{:032x}", rand::rng().random::<u128>());
    let job = Job {
        nonce: &nonce,
        source,
        function: &check.function,
        arguments: check
            .arguments
            .iter()
            .map(|argument| argument.to_json())
            .collect(),
    };
    let job = match serde_json::to_string(&job) {
        Ok(job) => job,
        Err(error) => return ProgramVerdict::NotRun(error.to_string()),
    };
    match run(python, limits, &job) {
        Ok(output) => read(&output, &nonce, check),
        Err(verdict) => verdict,
    }
}

#[cfg(unix)]
fn run(python: &Interpreter, limits: &SandboxLimits, job: &str) -> Result<Vec<u8>, ProgramVerdict> {
    super::process::run(python, limits, include_str!("runner.py"), job)
}

#[cfg(not(unix))]
fn run(_: &Interpreter, _: &SandboxLimits, _: &str) -> Result<Vec<u8>, ProgramVerdict> {
    Err(ProgramVerdict::NotRun(
        super::error::SandboxError::Unsupported.to_string(),
    ))
}

/// The verdict from the report, the last line that starts with the nonce; other output is from the program.
fn read(output: &[u8], nonce: &str, check: &ProgramCheck) -> ProgramVerdict {
    let output = String::from_utf8_lossy(output);
    let report = output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(nonce));
    let Some(Ok(report)) = report.map(|line| serde_json::from_str(line.trim())) else {
        return ProgramVerdict::NoReport;
    };
    let calls = match report {
        Report::Calls(calls) => calls,
        Report::Error(error) => return ProgramVerdict::Raised(error),
    };
    if calls.len() != check.expected.len() || calls.is_empty() {
        return ProgramVerdict::NoReport;
    }
    for ((call, expected), argument) in calls.into_iter().zip(&check.expected).zip(&check.arguments)
    {
        let given = match call {
            Call::Value(value) if value == expected.to_json() => continue,
            Call::Value(value) => value.to_string(),
            Call::Other(kind) => format!("a {kind}"),
            Call::Error(error) => return ProgramVerdict::Raised(error),
        };
        return ProgramVerdict::Wrong {
            call: format!("{}({argument})", check.function),
            given,
        };
    }
    ProgramVerdict::Passed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PythonValue;

    fn verdict(output: &str) -> ProgramVerdict {
        let check = ProgramCheck {
            function: "f".to_owned(),
            arguments: vec![PythonValue::Integer(1), PythonValue::Integer(2)],
            expected: vec![PythonValue::Integer(2), PythonValue::List(vec![4])],
        };
        read(output.as_bytes(), "abc", &check)
    }

    #[test]
    fn only_a_report_with_the_nonce_and_the_expected_values_passes() {
        assert_eq!(
            verdict("noise\nabc {\"calls\": [{\"value\": 2}, {\"value\": [4]}]}\n"),
            ProgramVerdict::Passed
        );
        for (output, expected) in [
            ("", ProgramVerdict::NoReport),
            (
                "{\"calls\": [{\"value\": 2}, {\"value\": [4]}]}",
                ProgramVerdict::NoReport,
            ),
            (
                "abd {\"calls\": [{\"value\": 2}, {\"value\": [4]}]}",
                ProgramVerdict::NoReport,
            ),
            ("abc {\"calls\": []}", ProgramVerdict::NoReport),
            (
                "abc {\"calls\": [{\"value\": 2}]}",
                ProgramVerdict::NoReport,
            ),
            ("abc passed", ProgramVerdict::NoReport),
            (
                "abc {\"error\": \"SyntaxError\"}",
                ProgramVerdict::Raised("SyntaxError".to_owned()),
            ),
        ] {
            assert_eq!(verdict(output), expected, "{output}");
        }
    }

    #[test]
    fn booleans_floats_strings_and_lists_are_not_integers() {
        for wrong in ["true", "2.0", "\"2\"", "[2]"] {
            let output = format!("abc {{\"calls\": [{{\"value\": {wrong}}}, {{\"value\": [4]}}]}}");
            assert!(
                matches!(verdict(&output), ProgramVerdict::Wrong { .. }),
                "{wrong}"
            );
        }
    }
}
