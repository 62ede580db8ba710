//! Ctrl-C: the first stops the sweep after whole rows, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use suites::{Continuation, Generation, LanguageModel, ModelError};

/// Exit status of a process that Ctrl-C ended, by the shells' convention.
pub const EXIT_STATUS: u8 = 130;

/// A request to stop, shared by all copies.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to Ctrl-C and termination from now on.
    pub fn listen() -> Result<Self, ctrlc::Error> {
        let interrupt = Self::default();
        let handler_copy = interrupt.clone();
        ctrlc::set_handler(move || {
            if handler_copy.0.swap(true, Ordering::SeqCst) {
                std::process::exit(i32::from(EXIT_STATUS));
            }
            eprintln!("stopping once the rows are written; again to stop at once");
        })?;
        Ok(interrupt)
    }

    /// Whether to stop.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A model that stops answering once an interrupt is requested.
pub struct Interruptible<'a, M> {
    /// The model evaluated.
    pub model: M,
    /// The request to stop.
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
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<f64>, ModelError> {
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
