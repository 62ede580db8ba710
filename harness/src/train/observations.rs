//! What the progress of training makes of each step and validation: outliers, loss spikes, collapse.

use experiment::training::OutlierConfig;

use super::state::TrainingProgress;
use super::validation::Validation;
use super::warning::{self, Warning, WarningKind};

/// Measured values of one step.
#[derive(Clone, Copy, Debug)]
pub struct StepValues {
    /// The step, from 1.
    pub step: usize,
    /// Training loss, nats per token.
    pub loss: f64,
    /// Global norm of the dense gradient.
    pub norm: f64,
}

impl TrainingProgress {
    /// Compares a step with the recent ones and adds it to them. Returns whether its update is to be skipped, which needs
    /// `outliers`, and the warnings of the step. Skipped steps count as recent ones, so that a lasting change of the loss is
    /// not skipped for ever.
    pub fn observe_step(
        &mut self,
        values: StepValues,
        outliers: Option<&OutlierConfig>,
    ) -> (bool, Vec<Warning>) {
        let StepValues { step, loss, norm } = values;
        let default = OutlierConfig::default();
        let config = outliers.unwrap_or(&default);
        let threshold = |recent: &super::recent::Recent| {
            let threshold = recent.threshold(config.window, config.sigma);
            threshold.unwrap_or(f64::INFINITY)
        };
        let (highest_loss, highest_norm) = (
            threshold(&self.recent_losses),
            threshold(&self.recent_norms),
        );
        self.recent_losses.push(loss, config.window);
        self.recent_norms.push(norm, config.window);

        let warning = |kind, subject: &str, value, threshold| Warning {
            kind,
            step,
            subject: subject.to_owned(),
            value,
            threshold,
            detail: format!(
                "mean of {} steps plus {} standard deviations",
                config.window, config.sigma
            ),
        };
        let mut warnings = Vec::new();
        let spike = loss > highest_loss;
        if spike && !self.in_spike {
            warnings.push(warning(WarningKind::LossSpike, "loss", loss, highest_loss));
        }
        self.in_spike = spike;
        let skipped = outliers.is_some() && (spike || norm > highest_norm);
        if skipped {
            self.skipped_steps += 1;
            let (subject, value, threshold) = match spike {
                true => ("loss", loss, highest_loss),
                false => ("gradient norm", norm, highest_norm),
            };
            warnings.push(warning(WarningKind::SkippedStep, subject, value, threshold));
        }
        (skipped, warnings)
    }

    /// Records a validation; returns warnings of layers whose usage has collapsed since the last one.
    pub fn observe_validation(&mut self, step: usize, validation: &Validation) -> Vec<Warning> {
        let loss = validation.validated.loss;
        self.validated = Some(validation.validated);
        self.best_val_loss = Some(self.best_val_loss.map_or(loss, |best| best.min(loss)));
        let mut warnings = Vec::new();
        for usage in &validation.usage {
            let collapse = warning::collapse(step, usage);
            let is_new = match collapse {
                Some(_) => self.collapsed.insert(warning::subject(usage)),
                None => self.collapsed.remove(&warning::subject(usage)),
            };
            warnings.extend(collapse.filter(|_| is_new));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(
        progress: &mut TrainingProgress,
        loss: f64,
        norm: f64,
        outliers: Option<&OutlierConfig>,
    ) -> (bool, Vec<&'static str>) {
        let step = 1;
        let (skipped, warnings) = progress.observe_step(StepValues { step, loss, norm }, outliers);
        let kinds = warnings.iter().map(|warning| warning.kind.name());
        (skipped, kinds.collect())
    }

    fn after_even_steps(outliers: Option<&OutlierConfig>) -> TrainingProgress {
        let mut progress = TrainingProgress::default();
        for step in 0..OutlierConfig::default().window {
            let noise = if step % 2 == 0 { 0.1 } else { -0.1 };
            let observed = observe(&mut progress, 3.0 + noise, 1.0 + noise, outliers);
            assert_eq!(observed, (false, Vec::new()));
        }
        progress
    }

    #[test]
    fn a_spike_is_reported_once_and_skipped_only_on_request() {
        let mut progress = after_even_steps(None);
        assert_eq!(observe(&mut progress, 3.5, 1.0, None), (false, Vec::new()));
        let spike = (false, vec!["loss_spike"]);
        assert_eq!(observe(&mut progress, 9.0, 1.0, None), spike);
        assert_eq!(observe(&mut progress, 9.0, 1.0, None), (false, Vec::new()));
        assert_eq!(progress.skipped_steps, 0);
    }

    #[test]
    fn outliers_of_loss_and_gradient_are_skipped_and_counted() {
        let outliers = OutlierConfig::default();
        let mut progress = after_even_steps(Some(&outliers));
        let norm = observe(&mut progress, 3.0, 50.0, Some(&outliers));
        assert_eq!(norm, (true, vec!["skipped_step"]));
        let loss = observe(&mut progress, 9.0, 1.0, Some(&outliers));
        assert_eq!(loss, (true, vec!["loss_spike", "skipped_step"]));
        assert_eq!(progress.skipped_steps, 2);
    }
}
