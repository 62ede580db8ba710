//! Events of training that do not end a run and that a reader of its results should know.

use architectures::Usage;

/// Kind of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// The loss exceeded the mean of the recent steps by several standard deviations.
    LossSpike,
    /// The update of a step was skipped, since its loss or gradient norm was an outlier.
    SkippedStep,
    /// A layer uses very few of its slots or experts.
    Collapse,
    /// The run continued on a build or instruction set other than that which wrote its checkpoint.
    ContinuedElsewhere,
    /// A damaged checkpoint was not used.
    DamagedCheckpoint,
}

impl WarningKind {
    /// The name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::LossSpike => "loss_spike",
            Self::SkippedStep => "skipped_step",
            Self::Collapse => "collapse",
            Self::ContinuedElsewhere => "continued_elsewhere",
            Self::DamagedCheckpoint => "damaged_checkpoint",
        }
    }
}

/// A warning about one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// Its kind.
    pub kind: WarningKind,
    /// The step, from 1.
    pub step: usize,
    /// What it is about, such as `loss` or `layer 3 slot`.
    pub subject: String,
    /// The measured value.
    pub value: f64,
    /// The value beyond which a warning is raised; NaN if there is none.
    pub threshold: f64,
    /// Further explanation; may be empty.
    pub detail: String,
}

/// Least effective number of units of a layer, as a share of those that its reads could use, without a warning.
const LEAST_EFFECTIVE_SHARE: f64 = 0.01;
/// Least effective number of units of a layer without a warning.
const LEAST_EFFECTIVE_UNITS: f64 = 1.5;

/// A warning if the usage of a layer has collapsed: if its effective number of units, the exponential of the entropy of
/// their weights, is below 1.5, or below 1 % of its units (or of its reads, where those are fewer).
pub fn collapse(step: usize, usage: &Usage) -> Option<Warning> {
    let units = usage.units() as f64;
    let effective = units * (-usage.kl_from_uniform()).exp();
    let usable = units.min(usage.reads() as f64);
    let threshold = LEAST_EFFECTIVE_UNITS.max(LEAST_EFFECTIVE_SHARE * usable);
    // A unit that all tokens share is no collapse.
    if units <= 1.0 || usage.reads() == 0 || effective >= threshold {
        return None;
    }
    Some(Warning {
        kind: WarningKind::Collapse,
        step,
        subject: subject(usage),
        value: effective,
        threshold,
        detail: format!("effective number of {} units", usage.units()),
    })
}

/// The layer and unit of `usage`.
pub fn subject(usage: &Usage) -> String {
    format!("layer {} {}", usage.layer, usage.unit)
}
