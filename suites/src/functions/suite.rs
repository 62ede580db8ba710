//! The documents and tasks of the suite `functions`.
//!
//! An item has the form of a HumanEval problem (Chen et al. 2021): a signature, a docstring with an example, and hidden
//! test calls. Expected values are computed with implementations of the operations in Rust, not in the process that
//! runs the program. Every single operation is trained on; their compositions are split into trained and tested ones,
//! so a correct program combines known operations in a way that does not occur in training.

use super::composition::Composition;
use super::config::FunctionsConfig;
use super::selection::select;
use crate::task::{Item, Metric, Suite, Task, fingerprint_of};

/// The suite `functions`.
#[derive(Debug)]
pub struct Functions {
    trained: Vec<Composition>,
    tested: Vec<Composition>,
    config: FunctionsConfig,
    seed: u64,
}

impl Functions {
    /// The suite of a valid configuration; the seed determines the compositions and their split.
    pub fn new(config: &FunctionsConfig, seed: u64) -> Self {
        let (trained, tested) = select(config, seed);
        Self {
            trained,
            tested,
            config: config.clone(),
            seed,
        }
    }
}

/// The maximum over trained bodies of the fraction of tested functions whose check the body passes. Functions that a
/// trained body solves are not tested, so it is zero; it is computed rather than assumed.
fn baseline(trained: &[Composition], tested: &[Composition], seed: u64) -> Option<f64> {
    let passes = |body: &Composition| {
        tested
            .iter()
            .filter(|item| body.agrees_with(item, seed))
            .count()
    };
    let best = trained.iter().map(passes).max()?;
    (!tested.is_empty()).then(|| best as f64 / tested.len() as f64)
}

impl Suite for Functions {
    fn name(&self) -> &'static str {
        "functions"
    }

    fn fingerprint(&self) -> String {
        fingerprint_of(self, &format!("{:?} {}", self.config, self.seed))
    }

    fn documents(&self, epoch: u64) -> Vec<String> {
        let repeats = 0..self.config.repeats as u64;
        let step = |repeat: u64| epoch * self.config.repeats as u64 + repeat;
        let of = |composition: &Composition| {
            repeats
                .clone()
                .map(|repeat| composition.document(self.seed, step(repeat)))
                .collect::<Vec<_>>()
        };
        self.trained.iter().flat_map(of).collect()
    }

    fn held_out_documents(&self) -> Vec<String> {
        self.tested
            .iter()
            .map(|composition| composition.document(self.seed, 0))
            .collect()
    }

    fn tasks(&self) -> Vec<Task> {
        let tested = &self.tested[..self.tested.len().min(self.config.questions)];
        let item = |composition: &Composition| Item {
            id: composition.name(),
            prompt: composition.prompt(self.seed, 0),
            expected: composition.body(),
            prior_bits: None,
            check: Some(composition.check(self.seed)),
        };
        vec![Task {
            name: "compose".to_owned(),
            metric: Metric::PassAt1,
            items: tested.iter().map(item).collect(),
            baseline: baseline(&self.trained, tested, self.seed),
            population: self.tested.len(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::functions::ProgramCheck;
    use crate::functions::catalog::OPERATIONS;

    #[test]
    fn tested_functions_are_not_trained_on_but_their_operations_are() {
        let suite = Functions::new(&FunctionsConfig::default(), 1);
        let all = suite.trained.len() + suite.tested.len();
        assert!((190..=200).contains(&all), "{all}");
        let bodies: HashSet<String> = suite.trained.iter().map(Composition::body).collect();
        let names: HashSet<String> = suite.trained.iter().map(Composition::name).collect();
        for composition in &suite.tested {
            assert!(
                !bodies.contains(&composition.body()),
                "{}",
                composition.name()
            );
            assert!(
                composition
                    .name()
                    .split('.')
                    .all(|operation| names.contains(operation))
            );
        }
        let trained: HashSet<String> = (0..20).flat_map(|epoch| suite.documents(epoch)).collect();
        assert!(
            suite
                .held_out_documents()
                .iter()
                .all(|document| !trained.contains(document))
        );
    }

    #[test]
    fn documents_have_the_form_of_the_items() {
        let suite = Functions::new(&FunctionsConfig::default(), 1);
        for document in suite.documents(3).iter().chain(&suite.held_out_documents()) {
            assert!(document.starts_with("def f(x):\n    \"\"\""), "{document}");
            assert_eq!(document.matches("\n    >>> f(").count(), 1);
            assert!(document.len() < 300, "{document}");
        }
        let task = &suite.tasks()[0];
        assert_eq!(
            (task.items.len(), task.population),
            (suite.tested.len().min(48), suite.tested.len())
        );
        assert_eq!(
            task.baseline,
            Some(0.0),
            "no trained body solves a tested function"
        );
    }

    #[test]
    fn examples_differ_between_epochs() {
        let suite = Functions::new(&FunctionsConfig::default(), 1);
        assert_eq!(suite.documents(1), suite.documents(1));
        assert_ne!(suite.documents(1), suite.documents(2));
    }

    #[test]
    fn python_and_rust_agree_for_every_operation_and_every_tested_function() {
        let limits = sandbox::SandboxLimits::default();
        let sandbox = match sandbox::Sandbox::open(&limits, sandbox::Policy::Unsafe) {
            Ok(sandbox) => sandbox,
            Err(error) => return eprintln!("skipped: {error}"),
        };
        let suite = Functions::new(&FunctionsConfig::default(), 7);
        let functions: Vec<&Composition> = suite
            .trained
            .iter()
            .take(OPERATIONS)
            .chain(&suite.tested)
            .collect();
        let checks: Vec<ProgramCheck> =
            functions.iter().map(|function| function.check(7)).collect();
        let programs: Vec<sandbox::Program> = functions
            .iter()
            .zip(&checks)
            .map(|(function, check)| check.program(function.document(7, 0)))
            .collect();
        assert!(
            checks
                .iter()
                .all(|check| check.arguments.len() == check.expected.len())
        );
        let verdicts = sandbox.judge_all(&programs, &|_| (), &|| false);
        for (verdict, program) in verdicts.iter().zip(&programs) {
            assert!(verdict.passed(), "{verdict}\n{}", program.source);
        }
    }
}
