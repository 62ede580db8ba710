//! Processes under restriction on Linux.
//!
//! A process is created by one `clone` in new namespaces and restricts itself before it executes the interpreter: an empty root, limits, an
//! unprivileged user, no capabilities, Landlock, the system-call filter. It is the first process of its process-id namespace, so that the
//! kernel kills with it whatever it could have started. We call the kernel ourselves, since the crates for this either need a C library
//! (libseccomp) or lack an allow-list or the drop from root. Between `clone` and `execve` nothing is allocated: another thread
//! may have held the allocator's lock.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod allowed_calls;
mod credentials;
mod failure;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod file_access;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod filter;
mod root;
mod spawn;

pub(crate) use spawn::Launcher;
