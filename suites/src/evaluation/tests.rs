//! Evaluation of models with fixed answers.

use std::collections::HashMap;

use super::programs::judge_programs;
use super::*;
use crate::{
    Biographies, BiographiesConfig, Continuation, Functions, FunctionsConfig, Generation, Item,
    LanguageModel, ModelError, SandboxLimits, Suite, Tokenizer,
};
use sandbox::{Confinement, Program, ProgramVerdict};

/// A model with a fixed answer to each prompt and a probability of one quarter for every token.
struct FixedAnswers(HashMap<Vec<u32>, Vec<u32>>);

impl LanguageModel for FixedAnswers {
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<Vec<f64>>, ModelError> {
        Ok(items
            .iter()
            .map(|item| vec![0.25f64.ln(); item.continuation.len()])
            .collect())
    }

    fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        generation: &Generation,
    ) -> Result<Vec<Vec<u32>>, ModelError> {
        let answer = |prompt| self.0.get(prompt).cloned().unwrap_or_default();
        let answers: Vec<Vec<u32>> = prompts.iter().map(answer).collect();
        assert!(
            answers
                .iter()
                .all(|answer| answer.len() <= generation.max_tokens)
        );
        Ok(answers)
    }
}

/// A model with `answer` as the answer to each item.
fn fixed_answers(
    suite: &dyn Suite,
    tokenizer: &Tokenizer,
    answer: impl Fn(&Item) -> String,
) -> FixedAnswers {
    let encode = |text: &str| tokenizer.encode(text).expect("encodes");
    let items = suite.tasks().into_iter().flat_map(|task| task.items);
    let pair = |item: Item| {
        (
            [vec![tokenizer.end()], encode(&item.prompt)].concat(),
            encode(&answer(&item)),
        )
    };
    FixedAnswers(items.map(pair).collect())
}

fn people() -> Biographies {
    let config = BiographiesConfig {
        people: 20,
        ..BiographiesConfig::default()
    };
    Biographies::new(&config, 1)
}

fn functions() -> Functions {
    Functions::new(&FunctionsConfig::default(), 1)
}

fn share(result: &TaskResult) -> f64 {
    let TaskOutcome::Answered(answers) = &result.outcome else {
        panic!("skipped: {:?}", result.outcome);
    };
    answers.iter().filter(|answer| answer.correct).count() as f64 / answers.len() as f64
}

fn score(suite: &dyn Suite, answer: impl Fn(&Item) -> String) -> Vec<TaskResult> {
    let tokenizer = Tokenizer::train(&suite.documents(0), 600).expect("trains");
    let mut model = fixed_answers(suite, &tokenizer, answer);
    evaluate(suite, &mut model, &tokenizer, &SandboxLimits::default()).expect("evaluates")
}

#[test]
fn reference_answers_score_one_and_have_the_bits_of_the_model() {
    let results = score(&people(), |item| item.expected.clone());
    assert_eq!(results.len(), 7);
    let suites: Vec<&str> = results.iter().map(|result| result.suite.as_str()).collect();
    assert_eq!(suites[..6], ["biographies"; 6]);
    assert_eq!(suites[6], "biographies recall");
    assert!(
        results
            .iter()
            .all(|result| share(result) == 1.0 && result.metric == "exact_match")
    );
    let TaskOutcome::Answered(answers) = &results[6].outcome else {
        panic!("skipped");
    };
    let tokenizer = Tokenizer::train(&people().documents(0), 600).expect("trains");
    for answer in answers {
        let tokens = tokenizer
            .encode(&format!(" {}", answer.expected))
            .expect("encodes")
            .len();
        // One more token: the separator that ends the answer.
        assert_eq!(answer.answer_tokens, tokens);
        assert!((answer.answer_nll_bits - 2.0 * tokens as f64).abs() < 1e-9);
        assert!((answer.end_nll_bits - 2.0).abs() < 1e-9);
        assert!(answer.prior_bits.is_some_and(|bits| bits >= 6.0));
    }
}

#[test]
fn empty_truncated_and_extended_answers_are_incorrect() {
    for result in score(&people(), |_| String::new()) {
        assert_eq!(share(&result), 0.0);
    }
    for result in score(&people(), |item| item.expected.chars().take(3).collect()) {
        assert_eq!(share(&result), 0.0);
    }
    for result in score(&people(), |item| format!("{}s", item.expected)) {
        assert_eq!(share(&result), 0.0);
    }
    for result in score(&people(), |item| format!("{}\nQ:", item.expected)) {
        assert_eq!(share(&result), 1.0, "only the first line counts");
    }
}

#[test]
fn reference_bodies_pass_and_trivial_ones_do_not() {
    let results = score(&functions(), |item| item.expected.clone());
    if let TaskOutcome::Skipped(reason) = &results[0].outcome {
        return eprintln!("skipped: {reason}");
    }
    assert_eq!(
        (results[0].metric.as_str(), share(&results[0])),
        ("pass@1", 1.0)
    );
    assert_eq!(
        share(&score(&functions(), |_| "\n    return x".to_owned())[0]),
        0.0
    );
}

#[test]
fn a_sandbox_that_cannot_run_skips_the_task_with_the_reason() {
    let suite = functions();
    let tokenizer = Tokenizer::train(&suite.documents(0), 600).expect("trains");
    let mut model = fixed_answers(&suite, &tokenizer, |item| item.expected.clone());
    let limits = SandboxLimits {
        wall_seconds: 0.0,
        ..SandboxLimits::default()
    };
    let results = evaluate(&suite, &mut model, &tokenizer, &limits).expect("evaluates");
    let TaskOutcome::Skipped(reason) = &results[0].outcome else {
        panic!("it was run");
    };
    assert!(
        reason.contains("timed out") || reason.contains("python3"),
        "{reason}"
    );
}

#[test]
fn the_separator_is_part_of_the_evaluated_answer() {
    struct SeparatorChecker(u32);
    impl LanguageModel for SeparatorChecker {
        fn log_probabilities(
            &mut self,
            items: &[Continuation],
        ) -> Result<Vec<Vec<f64>>, ModelError> {
            let ended = |item: &Continuation| {
                item.continuation.iter().filter(|&&id| id == self.0).count() == 1
                    && item.continuation.last() == Some(&self.0)
            };
            assert!(items.iter().all(ended));
            let zeros = |item: &Continuation| vec![0.0; item.continuation.len()];
            Ok(items.iter().map(zeros).collect())
        }
        fn generate(
            &mut self,
            prompts: &[Vec<u32>],
            _: &Generation,
        ) -> Result<Vec<Vec<u32>>, ModelError> {
            Ok(vec![Vec::new(); prompts.len()])
        }
    }
    let suite = people();
    let tokenizer = Tokenizer::train(&suite.documents(0), 600).expect("trains");
    let mut model = SeparatorChecker(tokenizer.end());
    let results =
        evaluate(&suite, &mut model, &tokenizer, &SandboxLimits::default()).expect("evaluates");
    assert_eq!(results.len(), 7);
}

/// Two items and an answer to each.
fn two() -> (Vec<Item>, Vec<String>) {
    let items: Vec<Item> = functions()
        .tasks()
        .remove(0)
        .items
        .into_iter()
        .take(2)
        .collect();
    let texts = items.iter().map(|item| item.expected.clone()).collect();
    (items, texts)
}

#[test]
fn programs_that_were_not_run_are_retried_in_a_separate_batch() {
    let (items, texts) = two();
    let batches = std::cell::RefCell::new(Vec::new());
    let judge = |programs: &[Program]| {
        batches.borrow_mut().push(programs.len());
        match programs.len() {
            2 => vec![
                ProgramVerdict::NotRun("no memory".to_owned()),
                ProgramVerdict::NoReport,
            ],
            _ => vec![ProgramVerdict::Passed],
        }
    };
    let judged = judge_programs(&items, &texts, Confinement::Isolated, judge).expect("ran");
    assert_eq!(
        judged,
        [
            (true, "passed".to_owned()),
            (false, "ended without a report".to_owned())
        ]
    );
    assert_eq!(*batches.borrow(), [2, 1]);
}

#[test]
fn programs_that_are_not_run_in_two_attempts_are_not_scored() {
    let (items, texts) = two();
    let judge = |programs: &[Program]| {
        let mut verdicts = vec![ProgramVerdict::NotRun("no memory".to_owned()); programs.len()];
        if let [_, second] = &mut verdicts[..] {
            *second = ProgramVerdict::Passed;
        }
        verdicts
    };
    let reason =
        judge_programs(&items, &texts, Confinement::Isolated, judge).expect_err("not scored");
    assert!(
        reason.starts_with("the sandbox could not run 1 of 2 answers, tried twice; ")
            && reason.ends_with("not run: no memory"),
        "{reason}"
    );
    // Programs without a verdict are not scored either.
    assert!(judge_programs(&items, &texts, Confinement::Isolated, |_| Vec::new()).is_err());
}

#[test]
fn the_detail_notes_that_a_program_ran_without_isolation() {
    let (items, texts) = two();
    let judge = |programs: &[Program]| vec![ProgramVerdict::Passed; programs.len()];
    let judged = judge_programs(&items, &texts, Confinement::LimitsOnly, judge).expect("ran");
    let expected = "passed (ran under limits only, without isolation)";
    assert!(
        judged
            .iter()
            .all(|(correct, detail)| *correct && detail == expected)
    );
}

#[test]
fn a_model_that_omits_answers_is_an_error() {
    struct OmitsAnswers;
    impl LanguageModel for OmitsAnswers {
        fn log_probabilities(&mut self, _: &[Continuation]) -> Result<Vec<Vec<f64>>, ModelError> {
            Ok(vec![vec![0.0]])
        }
        fn generate(
            &mut self,
            _: &[Vec<u32>],
            _: &Generation,
        ) -> Result<Vec<Vec<u32>>, ModelError> {
            Ok(Vec::new())
        }
    }
    let suite = people();
    let tokenizer = Tokenizer::train(&suite.documents(0), 600).expect("trains");
    let message = evaluate(
        &suite,
        &mut OmitsAnswers,
        &tokenizer,
        &SandboxLimits::default(),
    )
    .expect_err("too few answers");
    assert_eq!(
        message.to_string(),
        "model: returned 0 answers for 10 items"
    );
}
