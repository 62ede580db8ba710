//! Panics that are returned: they are logged, since printing them would overwrite the progress display.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Number of calls of [`returned`] that are running.
static RETURNING: AtomicUsize = AtomicUsize::new(0);

/// The result of `body`, or its panic. While any call runs, panics of all threads are logged and not printed: work of `body` panics on
/// worker threads too.
pub fn returned<T>(body: impl FnOnce() -> T) -> thread::Result<T> {
    // Once: hooks that several threads replace and restore at the same time stay replaced.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printing = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            match RETURNING.load(Ordering::SeqCst) {
                0 => printing(panic),
                _ => tracing::error!("{panic}"),
            }
        }));
    });
    RETURNING.fetch_add(1, Ordering::SeqCst);
    let ended = panic::catch_unwind(AssertUnwindSafe(body));
    RETURNING.fetch_sub(1, Ordering::SeqCst);
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_of_several_threads_are_returned_and_then_printed_again() {
        let threads: Vec<_> = (0..8)
            .map(|number: usize| {
                thread::spawn(move || {
                    (0..50).all(|_| {
                        let panicked = returned(|| std::panic::panic_any(number));
                        let nested = returned(|| returned(|| number).unwrap());
                        panicked.is_err_and(|panic| panic.downcast_ref() == Some(&number))
                            && nested.unwrap() == number
                    })
                })
            })
            .collect();
        for thread in threads {
            assert!(thread.join().unwrap());
        }
    }
}
