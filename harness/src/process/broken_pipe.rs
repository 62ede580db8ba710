//! The end of the process when the reader of standard output has closed the pipe, as in `isoflop plan | head`.

/// Ends the process as a closed pipe ends a program by default: by the signal SIGPIPE, without a message. On other
/// systems than Unix it ends with exit status 0.
///
/// Rust ignores the signal, so that writes to a closed pipe are errors. This is called for such an error of standard
/// output when everything else is done; the signal stays ignored until then, since the pipes to child programs and
/// standard error may be closed at any time.
pub fn end_by_broken_pipe() -> ! {
    #[cfg(unix)]
    // SAFETY: the default action installs no handler, so no code of this process runs in signal context; raise has no
    // preconditions.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::raise(libc::SIGPIPE);
    }
    std::process::exit(0)
}
