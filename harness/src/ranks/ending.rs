//! The end of all ranks after an error of one, which the others could not learn of: they wait for it in a collective operation.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use collectives::Collectives;

use crate::process::standard_error::note;

/// Prints `message` with the number of this rank and ends all ranks.
pub fn end_all(ranks: &dyn Collectives, message: &str) -> ! {
    note(format_args!(
        "isoflop: rank {} of {}: {message}; all ranks end, and the same command continues from the last checkpoint",
        ranks.rank(),
        ranks.ranks()
    ));
    ranks.abort()
}

/// Runs `body`. If it panics, all ranks end; on one rank, the panic goes on.
pub fn or_end_all<T>(ranks: &dyn Collectives, body: impl FnOnce() -> T) -> T {
    if ranks.ranks() == 1 {
        return body();
    }
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        end_all(ranks, &format!("panicked: {}", panic_text(panic.as_ref())))
    })
}

/// The first line of a panic's message.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    text.lines().next().unwrap_or("no message")
}
