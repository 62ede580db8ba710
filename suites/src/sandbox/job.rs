//! What is sent to the child, and what its report is worth.

use std::path::Path;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{SandboxLimits, Verdict};
use crate::ProgramCheck;

#[derive(Serialize)]
struct Job<'a> {
    nonce: &'a str,
    source: &'a str,
    function: &'a str,
    arguments: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Report {
    Calls(Vec<Call>),
    Error(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Call {
    Value(serde_json::Value),
    Other(String),
    Error(String),
}

pub(super) fn judge(
    python: &Path,
    limits: &SandboxLimits,
    source: &str,
    check: &ProgramCheck,
) -> Verdict {
    // Not keyed by any seed: what matters is that an answer cannot have it by heart.
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
        Err(error) => return Verdict::NotRun(error.to_string()),
    };
    match run(python, limits, &job) {
        Ok(output) => read(&output, &nonce, check),
        Err(verdict) => verdict,
    }
}

#[cfg(unix)]
fn run(python: &Path, limits: &SandboxLimits, job: &str) -> Result<Vec<u8>, Verdict> {
    super::process::run(python, limits, include_str!("runner.py"), job)
}

#[cfg(not(unix))]
fn run(_: &Path, _: &SandboxLimits, _: &str) -> Result<Vec<u8>, Verdict> {
    Err(Verdict::NotRun(
        super::SandboxError::Unsupported.to_string(),
    ))
}

/// The report is the last line that starts with the nonce; everything else is the program's own talk.
fn read(output: &[u8], nonce: &str, check: &ProgramCheck) -> Verdict {
    let output = String::from_utf8_lossy(output);
    let framed = output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(nonce));
    let Some(Ok(report)) = framed.map(|line| serde_json::from_str(line.trim())) else {
        return Verdict::NoReport;
    };
    let calls = match report {
        Report::Calls(calls) => calls,
        Report::Error(error) => return Verdict::Raised(error),
    };
    if calls.len() != check.expected.len() || calls.is_empty() {
        return Verdict::NoReport;
    }
    for ((call, expected), argument) in calls.into_iter().zip(&check.expected).zip(&check.arguments)
    {
        let given = match call {
            Call::Value(value) if value == expected.to_json() => continue,
            Call::Value(value) => value.to_string(),
            Call::Other(kind) => format!("a {kind}"),
            Call::Error(error) => return Verdict::Raised(error),
        };
        return Verdict::Wrong {
            call: format!("{}({argument})", check.function),
            given,
        };
    }
    Verdict::Passed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    fn verdict(output: &str) -> Verdict {
        let check = ProgramCheck {
            function: "f".to_owned(),
            arguments: vec![Value::Integer(1), Value::Integer(2)],
            expected: vec![Value::Integer(2), Value::List(vec![4])],
        };
        read(output.as_bytes(), "abc", &check)
    }

    #[test]
    fn only_a_framed_report_with_the_right_values_passes() {
        assert_eq!(
            verdict("noise\nabc {\"calls\": [{\"value\": 2}, {\"value\": [4]}]}\n"),
            Verdict::Passed
        );
        for (output, expected) in [
            ("", Verdict::NoReport),
            (
                "{\"calls\": [{\"value\": 2}, {\"value\": [4]}]}",
                Verdict::NoReport,
            ),
            (
                "abd {\"calls\": [{\"value\": 2}, {\"value\": [4]}]}",
                Verdict::NoReport,
            ),
            ("abc {\"calls\": []}", Verdict::NoReport),
            ("abc {\"calls\": [{\"value\": 2}]}", Verdict::NoReport),
            ("abc passed", Verdict::NoReport),
            (
                "abc {\"error\": \"SyntaxError\"}",
                Verdict::Raised("SyntaxError".to_owned()),
            ),
        ] {
            assert_eq!(verdict(output), expected, "{output}");
        }
    }

    #[test]
    fn a_boolean_or_a_number_is_no_integer_and_a_string_no_list() {
        for wrong in ["true", "2.0", "\"2\"", "[2]"] {
            let output = format!("abc {{\"calls\": [{{\"value\": {wrong}}}, {{\"value\": [4]}}]}}");
            assert!(matches!(verdict(&output), Verdict::Wrong { .. }), "{wrong}");
        }
    }
}
