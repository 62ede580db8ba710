//! Judges programs that a model wrote, in processes that are isolated from this one, from each other and from the system.
//!
//! Two processes run for each program. The *program* holds the source. The *tests* are trusted Python in a second process, in which what the
//! program defines are references that send calls to the program and receive data ([`Program`]). The program never sees the
//! tests or the expected values, and no code of it runs where results are compared: an exit status, printed text, an object that equals
//! everything, changed built-ins or a walk through the frames cannot pass a test. The tests report to this process with a random nonce.
//!
//! On Linux both processes are isolated ([`Confinement::Isolated`]):
//!
//! | what | by |
//! |---|---|
//! | other processes | namespaces of its own of users, process ids, mounts, network, IPC and host name; the program is the first process of its namespace, and no call that creates another is allowed |
//! | files | an empty root with the interpreter and its standard library, read-only; a temporary folder in memory; Landlock where the kernel has it |
//! | privileges | an unprivileged user (root drops to one), no capabilities, an environment of constants |
//! | system calls | a list of those that are allowed (`linux/filter.rs`) |
//! | memory | the address space of the process, which is the whole tree; the size of temporary files; the number of files and pipes |
//! | the rest | limits on CPU and wall-clock time, threads, the size of a file, output |
//!
//! No cgroup is needed: with one process and an allow-list without other sources of memory, the address space bounds what the tree can use, but
//! for page tables, which this process watches.
//! [`Sandbox::open`] attacks the sandbox and opens it only if all attacks fail; [`Policy::Unsafe`] accepts weaker restrictions, which
//! [`Sandbox::confinement`] tells. One sandbox is no boundary against a kernel exploit.

mod confinement;
mod error;
mod limits;
mod program;
mod verdict;

#[cfg(unix)]
mod interpreter;
#[cfg(unix)]
mod judge;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod portable;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod sandbox;
#[cfg(unix)]
mod self_check;
#[cfg(not(unix))]
mod unsupported;

#[cfg(all(test, unix))]
mod attacks;

pub use confinement::Confinement;
pub use error::SandboxError;
pub use limits::SandboxLimits;
pub use program::{MAX_SOURCE, Program};
#[cfg(unix)]
pub use sandbox::{Policy, Sandbox};
#[cfg(not(unix))]
pub use unsupported::{Policy, Sandbox};
pub use verdict::ProgramVerdict;

#[cfg(target_os = "linux")]
use linux::Launcher;
#[cfg(all(unix, not(target_os = "linux")))]
use portable::Launcher;

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");
