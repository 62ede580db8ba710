use super::*;
use crate::judge::Judge;
use crate::task::Task;

/// One token for each byte; every token has the probability 1/4, and texts are `yes` with an end.
struct Fixed;

impl Encoder for Fixed {
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        Ok(text.bytes().map(u32::from).collect())
    }
    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        String::from_utf8(ids.iter().map(|id| *id as u8).collect())
            .map_err(|error| error.to_string())
    }
    fn start(&self) -> Option<u32> {
        Some(0)
    }
    fn end(&self) -> u32 {
        0
    }
}

impl Model for Fixed {
    fn space(&self) -> usize {
        12
    }
    fn likelihoods(
        &mut self,
        requests: &[Request],
        greedy: bool,
    ) -> Result<Vec<Likelihood>, String> {
        let of = |request: &Request| Likelihood {
            ll: -(request.continuation.len() as f64) * 4f64.ln(),
            is_greedy: greedy.then_some(request.continuation.len() == 4),
        };
        Ok(requests.iter().map(of).collect())
    }
    fn generate(
        &mut self,
        prompts: &[Prompt],
        _: &[String],
        _: Option<Sampling>,
    ) -> Result<Vec<Vec<u32>>, String> {
        let of = |prompt: &Prompt| {
            let text = " yes\0".bytes().map(u32::from);
            text.take(prompt.max_tokens).collect()
        };
        Ok(prompts.iter().map(of).collect())
    }
}

fn benchmark(kind: &str, record: &str) -> Benchmark {
    let text = format!(
        "name = \"mine\"\nversion = 1\nsplit = \"test\"\nsource.files = [\"a.jsonl\"]\ntext = \"{{{{ q }}}}\"\n{kind}"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.jsonl"), record).unwrap();
    let task = Task::parse("mine", &text).unwrap();
    Benchmark::read(task, &[folder.path().to_owned()], false).unwrap()
}

fn metrics(benchmark: &Benchmark) -> (ModelAnswer, Vec<(&'static str, f64)>) {
    let item = &benchmark.items[0];
    let given = answer(benchmark, &[(item, &item.text)], true, &mut Fixed).unwrap();
    let found = Judge::new(benchmark).metrics(item, &given[0].answer);
    (given[0].clone(), found)
}

#[test]
fn a_text_is_judged_and_the_reference_has_bits_per_byte() {
    let kind = "[generate]\nanswers = \"a\"\nmax_tokens = 5\n";
    let short = benchmark(kind, "{\"q\": \"ab\", \"a\": [\"yes\", \"y\"]}");
    let (given, found) = metrics(&short);
    assert_eq!(
        (given.answer.response.as_deref(), given.is_cut),
        (Some(" yes"), false)
    );
    assert_eq!(found[0], ("exact_match", 1.0));
    let nats = 4f64.ln();
    // Delimiter and three letters; the shorter answer is more probable.
    assert!((found[1].1 - 4.0 * nats).abs() < 1e-12 && found[1].0 == "nll");
    assert!((found[2].1 - 2.0).abs() < 1e-12 && found[2].0 == "bpb");
    assert!((found[3].1 - 2.0 * nats).abs() < 1e-12 && found[3].0 == "nll_best");
    let long = benchmark(kind, "{\"q\": \"abcdefghijklmn\", \"a\": \"yes\"}");
    let (given, _) = metrics(&long);
    // Twelve fit: a quarter is left for the answer, which would have five.
    assert_eq!(
        (given.answer.response.as_deref(), given.is_cut),
        (Some(" ye"), true)
    );
    assert_eq!(given.removed, 6);
}

#[test]
fn choices_have_the_likelihoods_of_their_tokens() {
    let kind = "[choose]\nchoices = \"c\"\ngold = \"g\"\nmetrics = [\"acc\", \"acc_norm\"]\n";
    let two = benchmark(
        kind,
        "{\"q\": \"ab\", \"c\": [\"long\", \"yes\"], \"g\": 1}",
    );
    let (given, found) = metrics(&two);
    assert_eq!(given.answer.is_greedy, None);
    assert_eq!(found[0], ("acc", 1.0));
    assert!(found.contains(&("bpb", 2.0)), "{found:?}");
    assert_eq!(given.answer.response, None);
}
