//! What a process does with the run that it holds, for `isoflop status`.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Progress of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// What is done, such as `training`, `evaluating world` or `waiting: the disk is full`.
    pub phase: String,
    /// Steps done.
    pub step: u64,
    /// Steps of the run.
    pub steps: u64,
    /// Training loss of the last step, nats per token; 0 before the first.
    pub loss: f64,
    /// Steps per second since the process began with the run; 0 before the first.
    pub steps_per_s: f64,
}

impl Activity {
    /// Seconds of training that are left at the present rate; `None` before the first step.
    pub fn seconds_left(&self) -> Option<f64> {
        (self.steps_per_s > 0.0)
            .then(|| self.steps.saturating_sub(self.step) as f64 / self.steps_per_s)
    }
}

/// An activity that the thread of the run sets and its heartbeat writes.
#[derive(Clone, Debug, Default)]
pub struct SharedActivity(Arc<Mutex<Activity>>);

impl SharedActivity {
    /// Changes the activity.
    pub fn update(&self, change: impl FnOnce(&mut Activity)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The present activity.
    pub fn get(&self) -> Activity {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
