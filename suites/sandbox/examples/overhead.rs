//! What isolation costs a program: processor and wall-clock time of judging a trivial one, beside two starts of the interpreter alone.
//!
//! `cargo run --release -p sandbox --example overhead`

#![allow(clippy::print_stdout, reason = "the program prints what it measures")]

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use sandbox::{Policy, Program, Sandbox, SandboxLimits};

    const PROGRAMS: u32 = 100;
    let sandbox = Sandbox::open(&SandboxLimits::default(), Policy::Isolated)?;
    let program = Program {
        source: "def f(x):\n    return 2 * x".to_owned(),
        names: vec!["f".to_owned()],
        tests: "assert f(2) == 4".to_owned(),
        ..Program::default()
    };
    let interpreter = Command::new("python3")
        .args([
            "-c",
            "import sys, os; print(os.path.realpath(sys.executable))",
        ])
        .output()?;
    let interpreter = String::from_utf8(interpreter.stdout)?;
    let measure = |name: &str, work: &dyn Fn() -> bool| {
        let (clock, processor) = (Instant::now(), cpu_seconds());
        assert!((0..PROGRAMS).all(|_| work()), "{name} failed");
        let each = |seconds: f64| seconds * 1e3 / f64::from(PROGRAMS);
        let (processor, wall) = (cpu_seconds() - processor, clock.elapsed().as_secs_f64());
        println!(
            "{name}: {:.1} ms CPU, {:.1} ms wall",
            each(processor),
            each(wall)
        );
    };
    measure("one program with its tests", &|| {
        sandbox.judge(&program).passed()
    });
    measure("two starts of the interpreter", &|| {
        (0..2).all(|_| {
            let mut start = Command::new(interpreter.trim());
            start
                .args(["-s", "-S", "-B", "-c", "pass"])
                .stdin(Stdio::null());
            start.status().is_ok_and(|status| status.success())
        })
    });
    Ok(())
}

/// CPU time of this process and of its children that have ended.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let of = |who| {
        // SAFETY: `rusage` is plain data for which zeros are valid, and the call fills it.
        let usage = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(who, &mut usage);
            usage
        };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        seconds(usage.ru_utime) + seconds(usage.ru_stime)
    };
    of(libc::RUSAGE_SELF) + of(libc::RUSAGE_CHILDREN)
}

#[cfg(not(unix))]
fn main() {}
