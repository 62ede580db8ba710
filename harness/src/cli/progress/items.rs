//! Progress of the evaluation of a model on a benchmark.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use harness::evaluate::answering::Answering;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::note;

/// Least time between lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

/// A bar on a terminal, lines otherwise, nothing with `--quiet`.
pub struct ItemProgress {
    model: String,
    bar: Option<ProgressBar>,
    quiet: bool,
    printed: Instant,
}

impl ItemProgress {
    /// The progress of `model`.
    pub fn new(model: &str, quiet: bool) -> Self {
        let style = "{prefix:>20} {wide_bar:.green} {pos}/{len} items, {msg}, {eta} left";
        let style =
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let is_drawn = !quiet && std::io::stderr().is_terminal();
        let bar = is_drawn.then(|| ProgressBar::no_length().with_style(style));
        if let Some(bar) = &bar {
            bar.set_prefix(model.to_owned());
        }
        Self {
            model: model.to_owned(),
            bar,
            quiet,
            printed: Instant::now(),
        }
    }

    /// Shows how far it is.
    pub fn update(&mut self, state: &Answering) {
        let fresh = state.done - state.cached;
        let rate = match fresh {
            0 => format!("{} kept from before", state.cached),
            _ => format!("{:.1} items/s", fresh as f64 / state.seconds),
        };
        if let Some(bar) = &self.bar {
            bar.set_length(state.all as u64);
            bar.set_position(state.done as u64);
            bar.set_message(rate);
        } else if !self.quiet
            && (state.done == state.all || self.printed.elapsed() >= BETWEEN_LINES)
        {
            self.printed = Instant::now();
            let Answering { done, all, .. } = state;
            note(format_args!("{}: {done}/{all} items, {rate}", self.model));
        }
    }

    /// Removes the bar.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
