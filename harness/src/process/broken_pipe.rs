//! Standard output into a pipe that its reader closed, as in `isoflop plan | head`.

/// Lets the next write to a closed pipe end the process quietly by SIGPIPE, as other command-line programs do; elsewhere
/// than on Unix, nothing. Rust ignores the signal by default, and `println!` then panics.
///
/// Not before programs are started that read from this process: one that ends early would end this process too. What
/// those programs inherit does not change: `std::process::Command` gives them the default action in either case.
pub fn end_on_broken_pipe() {
    #[cfg(unix)]
    // SAFETY: the default action is no handler, so no code of this process runs within the signal.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}
