//! The verdict on one program: two processes, the tests' and the program's, and the report of the former.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::limits::SandboxLimits;
use crate::process::{End, Process, ResourceLimits};
use crate::{Launcher, MAX_SOURCE, Program, ProgramVerdict};

/// Values between the processes, the beginning of both scripts.
const VALUES: &str = include_str!("python/values.py");
const PROGRAM: &str = include_str!("python/program.py");
const TESTER: &str = include_str!("python/tester.py");

/// Time in which both processes start. A machine on which they do not is too busy to judge.
const START: Duration = Duration::from_secs(60);

/// Maximum time to wait for output before the state of the processes is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Standard input of the process of the tests, as JSON.
#[derive(Serialize)]
struct Job<'a> {
    nonce: &'a str,
    source: &'a str,
    prelude: &'a str,
    names: &'a [String],
    tests: &'a str,
}

/// A report on the tests.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Report {
    /// Both processes have started; the time of the program begins.
    Started,
    Passed,
    Ended,
    Wrong {
        call: String,
        given: String,
    },
    Raised {
        name: String,
        line: Option<u32>,
    },
}

/// Runs one program with its tests.
///
/// # Arguments
/// * `stops`: asked while it runs, whether to end without a verdict.
pub(crate) fn judge(
    launcher: &Launcher,
    limits: &SandboxLimits,
    program: &Program,
    stops: &dyn Fn() -> bool,
) -> ProgramVerdict {
    let verdict = run(launcher, limits, program, stops);
    verdict.unwrap_or_else(|error| ProgramVerdict::NotRun(error.to_string()))
}

/// In place of the verdict on a program that did not run to its end.
pub(crate) fn interrupted() -> ProgramVerdict {
    ProgramVerdict::NotRun("interrupted".to_owned())
}

/// # Errors
/// If a process cannot be started or watched.
fn run(
    launcher: &Launcher,
    limits: &SandboxLimits,
    program: &Program,
    stops: &dyn Fn() -> bool,
) -> io::Result<ProgramVerdict> {
    if program.source.len() > MAX_SOURCE {
        return Ok(ProgramVerdict::TooLong);
    }
    // Not from a seeded stream: nothing must be able to predict it.
    let nonce = format!("{:032x}", rand::rng().random::<u128>());
    let job = serde_json::to_vec(&Job {
        nonce: &nonce,
        source: &program.source,
        prelude: &program.prelude,
        names: &program.names,
        tests: &program.tests,
    })?;
    let wall = match program.seconds {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(limits.wall_seconds).unwrap_or(Duration::MAX / 4),
    };
    let resources = ResourceLimits {
        cpu_seconds: program.seconds.unwrap_or(limits.cpu_seconds),
        memory_bytes: limits.memory_bytes,
        file_bytes: limits.file_bytes,
        threads: Some(limits.threads_per_program),
    };
    let (job_reader, mut job_writer) = io::pipe()?;
    let (report_reader, report_writer) = io::pipe()?;
    let (request_reader, request_writer) = io::pipe()?;
    let (reply_reader, reply_writer) = io::pipe()?;
    let (output_reader, output_writer) = io::pipe()?;
    let mut deadline = Instant::now() + START;
    let mut has_started = false;
    let start = |part: &str, descriptors: &[BorrowedFd<'_>]| {
        launcher.start(&format!("{VALUES}{part}"), descriptors, resources)
    };
    let of_program = [
        request_reader.as_fd(),
        reply_writer.as_fd(),
        output_writer.as_fd(),
    ];
    let mut program = start(PROGRAM, &of_program)?;
    let of_tester = [
        job_reader.as_fd(),
        report_writer.as_fd(),
        // What the tests print is discarded; the interpreter alone could write here.
        output_writer.as_fd(),
        request_writer.as_fd(),
        reply_reader.as_fd(),
    ];
    let mut tester = start(TESTER, &of_tester)?;
    // The ends of the processes, whose closing tells the other ends.
    drop((job_reader, report_writer, request_reader, request_writer));
    drop((reply_reader, reply_writer, output_writer));
    match job_writer.write_all(&job) {
        // The process of the tests ended early: it makes no report.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => drop(job_writer),
    }
    let mut report = Stream::new(report_reader)?;
    let mut output = Stream::new(output_reader)?;
    let outcome = loop {
        // Checked before reading: all that an ended process has written is then in the pipe.
        let ended = tester.has_ended()?;
        report.read()?;
        output.read()?;
        if output.bytes.len() > limits.output_bytes {
            break Err(ProgramVerdict::TooMuchOutput);
        }
        match report.line().map(|line| read(&line, &nonce)) {
            Some(Some(Report::Started)) if !has_started => {
                has_started = true;
                deadline = Instant::now() + wall;
                continue;
            }
            Some(report) => break Ok(report),
            None => {}
        }
        if ended || report.bytes.len() > limits.output_bytes {
            break Ok(None);
        }
        if Instant::now() > deadline {
            break Err(match has_started {
                true => ProgramVerdict::TimedOut,
                false => ProgramVerdict::NotRun("Python did not start in time".to_owned()),
            });
        }
        // Page tables are no address space, which is what the limit of the system counts.
        let memory = program.memory_bytes().max(tester.memory_bytes());
        if memory.is_some_and(|bytes| bytes > limits.memory_bytes) {
            break Err(ProgramVerdict::TooMuchMemory);
        }
        if stops() {
            break Err(interrupted());
        }
        wait(&[&report, &output]);
    };
    // A program that ended by itself is told from one that is killed here.
    let had_ended = match outcome {
        Ok(Some(Report::Ended)) => ends_soon(&program)?,
        _ => false,
    };
    let (program, _) = (program.kill()?, tester.kill()?);
    Ok(match (outcome, program) {
        (Err(verdict), _) => verdict,
        // Neither is the fault of the program, which had not begun.
        (Ok(_), _) if !has_started => {
            ProgramVerdict::NotRun("Python ended before the program began".to_owned())
        }
        (Ok(Some(Report::Ended)), End::Signal(signal)) if had_ended => {
            ProgramVerdict::Killed(signal)
        }
        (Ok(report), _) => verdict(report),
    })
}

/// Whether a process whose pipes are closed ends. A moment passes between the two.
fn ends_soon(process: &Process) -> io::Result<bool> {
    for _ in 0..100 {
        if process.has_ended()? {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(false)
}

/// The report, if the line is one.
fn read(line: &[u8], nonce: &str) -> Option<Report> {
    let text = str::from_utf8(line).ok()?;
    serde_json::from_str(text.strip_prefix(nonce)?).ok()
}

fn verdict(report: Option<Report>) -> ProgramVerdict {
    match report {
        None | Some(Report::Started) => ProgramVerdict::NoReport,
        Some(Report::Passed) => ProgramVerdict::Passed,
        Some(Report::Ended) => ProgramVerdict::Ended,
        Some(Report::Wrong { call, given }) => ProgramVerdict::Wrong { call, given },
        Some(Report::Raised { name, line }) => ProgramVerdict::Raised { name, line },
    }
}

/// What a process writes.
struct Stream {
    reader: io::PipeReader,
    bytes: Vec<u8>,
    is_open: bool,
}

impl Stream {
    fn new(reader: io::PipeReader) -> io::Result<Self> {
        let fd = reader.as_raw_fd();
        // SAFETY: the calls read and set flags of a descriptor that this process owns.
        unsafe {
            let flags = libc::fcntl(fd, libc::F_GETFL);
            if flags < 0 || libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self {
            reader,
            bytes: Vec::new(),
            is_open: true,
        })
    }

    /// Reads what there is, at most one buffer.
    fn read(&mut self) -> io::Result<()> {
        let mut chunk = [0; 1 << 16];
        match self.reader.read(&mut chunk) {
            Ok(0) => self.is_open = false,
            Ok(count) => self.bytes.extend_from_slice(&chunk[..count]),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
        Ok(())
    }

    /// Takes the first line, once it is complete.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n')?;
        Some(self.bytes.drain(..=end).take(end).collect())
    }
}

/// Waits until there is something to read, at most [`POLL_INTERVAL`].
fn wait(streams: &[&Stream]) {
    let open = streams.iter().filter(|stream| stream.is_open);
    let poll = |fd: RawFd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut polls: Vec<libc::pollfd> = open.map(|stream| poll(stream.reader.as_raw_fd())).collect();
    let milliseconds = POLL_INTERVAL.as_millis() as libc::c_int;
    // SAFETY: the pointer is to as many valid structures; an error only shortens the wait.
    unsafe {
        libc::poll(
            polls.as_mut_ptr(),
            polls.len() as libc::nfds_t,
            milliseconds,
        )
    };
}
