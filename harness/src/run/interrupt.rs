//! Handling of Ctrl-C and termination signals: the first stops the sweep after complete rows, a later one ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::process::standard_error::note;
use suites::{Continuation, Generation, LanguageModel, ModelError};

/// Exit status after Ctrl-C, by the convention of shells: 128 + SIGINT.
pub const EXIT_STATUS: u8 = 130;

/// Signals that follow each other within this time are one request: a batch system signals all processes of a job, among
/// them the shell that passes the signal on.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// A flag that requests a stop, shared by all clones.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Installs a handler that sets the flag on Ctrl-C or a termination signal.
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn listen() -> Result<Self, ctrlc::Error> {
        Self::listen_and(|| {
            note(
                "stopping after this step and a checkpoint; press Ctrl-C again to stop immediately",
            );
        })
    }

    /// As [`Interrupt::listen`], without a message.
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn listen_quietly() -> Result<Self, ctrlc::Error> {
        Self::listen_and(|| {})
    }

    fn listen_and(say: impl Fn() + Send + 'static) -> Result<Self, ctrlc::Error> {
        let interrupt = Self::default();
        let in_handler = interrupt.clone();
        let mut first = None;
        ctrlc::set_handler(move || {
            in_handler.request();
            match first {
                None => first = Some(Instant::now()),
                Some(first) if first.elapsed() < SAME_REQUEST => return,
                Some(_) => std::process::exit(i32::from(EXIT_STATUS)),
            }
            say();
        })?;
        Ok(interrupt)
    }

    /// Requests a stop, as the first signal does.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether a stop has been requested.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A language model whose methods return an error once an interrupt is requested.
pub struct Interruptible<'a, M> {
    /// The model that is evaluated.
    pub model: M,
    /// The flag that is checked before each call.
    pub interrupt: &'a Interrupt,
}

impl<M> Interruptible<'_, M> {
    fn check_interrupt(&self) -> Result<(), ModelError> {
        if self.interrupt.requested() {
            return Err(ModelError("interrupted".to_owned()));
        }
        Ok(())
    }
}

impl<M: LanguageModel> LanguageModel for Interruptible<'_, M> {
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<Vec<f64>>, ModelError> {
        self.check_interrupt()?;
        self.model.log_probabilities(items)
    }

    fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        generation: &Generation,
    ) -> Result<Vec<Vec<u32>>, ModelError> {
        self.check_interrupt()?;
        self.model.generate(prompts, generation)
    }
}
