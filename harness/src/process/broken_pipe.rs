//! Behaviour when the reader of standard output closes the pipe, as in `isoflop plan | head`.

/// Restores the default action of SIGPIPE, so that a write to a closed pipe ends the process without a message. No
/// effect on other systems than Unix. Rust ignores the signal by default, and `println!` then panics.
///
/// Must not be called before programs are started that read from this process: one that ended early would end this
/// process too. The action that child processes inherit does not change, since `std::process::Command` always resets it
/// to the default.
pub fn end_on_broken_pipe() {
    #[cfg(unix)]
    // SAFETY: the default action installs no handler, so no code of this process runs in signal context.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}
