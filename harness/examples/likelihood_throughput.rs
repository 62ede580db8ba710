//! Items per second of a model's likelihoods on a benchmark, in three ways that alternate in one run: contexts read once for all their
//! continuations, whole sequences in batches, and whole sequences one after another.
//!
//! ```sh
//! cargo run --release --example likelihood_throughput -- MODEL TASK DATA ITEMS [MAX_LENGTH]
//! ```

use std::path::{Path, PathBuf};
use std::time::Instant;

use architectures::DeviceName;
use benchmarks::items::Shots;
use benchmarks::model::{Likelihood, Model};
use benchmarks::requests::{Request, likelihoods};
use benchmarks::{Benchmark, ItemKind, builtin};
use harness::evaluate::answering::questions;
use harness::evaluate::benchmark_model::BenchmarkModel;
use harness::evaluate::language_model::DecoderModel;
use harness::evaluate::model_source::load;
use harness::run::interrupt::Interrupt;
use suites::{Continuation, LanguageModel};

const ROUNDS: usize = 3;
const SEQUENCES: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, task, data, items, rest @ ..] = arguments.as_slice() else {
        return Err("write MODEL TASK DATA ITEMS [MAX_LENGTH]".into());
    };
    let device = DeviceName::Flex.open();
    let scored = load(model, Path::new("runs"), &device)?;
    let task = builtin::find(task).ok_or("no such task")?;
    let benchmark = Benchmark::read(task, &[PathBuf::from(data)], false)?;
    let asked = questions(&benchmark, &Shots::default(), 0, Some(items.parse()?))?;
    let interrupt = Interrupt::default();
    let mut model = BenchmarkModel {
        decoder: &scored.decoder,
        device: &device,
        tokenizer: &scored.tokenizer,
        start: scored.start,
        space: rest.first().map_or(Ok(scored.space), |most| most.parse())?,
        sequences: SEQUENCES,
        interrupt: &interrupt,
    };
    let mut requests: Vec<Request> = Vec::new();
    for question in &asked {
        if let ItemKind::Choose(choices, _) = &question.item.kind {
            let delimiter = &benchmark.task.target_delimiter;
            let texts: Vec<String> = choices
                .iter()
                .map(|text| format!("{delimiter}{text}"))
                .collect();
            requests.extend(likelihoods(&model, &question.prompt, &texts, model.space)?);
        }
    }
    let whole: Vec<Continuation> = requests
        .iter()
        .map(|request| Continuation {
            prompt: request.context.clone(),
            continuation: request.continuation.clone(),
        })
        .collect();
    let mut seconds = [const { Vec::new() }; 3];
    let mut largest: f64 = 0.0;
    for _ in 0..ROUNDS {
        let clock = Instant::now();
        let shared: Vec<Likelihood> = model.likelihoods(&requests, false)?;
        seconds[0].push(clock.elapsed().as_secs_f64());
        for (way, batch) in [(1, SEQUENCES), (2, 1)] {
            let clock = Instant::now();
            let mut naive = DecoderModel::new(&scored.decoder, &device, batch);
            let found = naive.log_probabilities(&whole)?;
            seconds[way].push(clock.elapsed().as_secs_f64());
            for (one, other) in shared.iter().zip(found) {
                largest = largest.max((one.ll - other.iter().sum::<f64>()).abs());
            }
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let times = seconds.each_mut().map(median);
    let n = asked.len() as f64;
    let mut out = String::new();
    for (name, seconds) in [
        "shared contexts",
        "batches of sequences",
        "one after another",
    ]
    .iter()
    .zip(times)
    {
        out += &format!(
            "{name}: {:.1} items/s, {:.2} of one after another\n",
            n / seconds,
            times[2] / seconds
        );
    }
    out += &format!("largest difference of a likelihood: {largest:.1e} nats\n");
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes())?;
    Ok(())
}
