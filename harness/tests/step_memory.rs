//! The memory of a training step by formula against that of a process that computes it.

#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::Arc;

use architectures::Decoder;
use burn::tensor::{Device, Int, Tensor, TensorData};
use collectives::{Collectives, OneRank, thread_ranks};
use experiment::devices::Distributed;
use experiment::memory_need::Formats;
use experiment::plan::{Plan, Run};
use experiment::sweep_file::Sweep;
use experiment::training::Division;
use harness::process::peak_memory;
use harness::train::data_parallel;
use harness::train::step::{LearningRates, Optimizers};

/// Names the settings of the child process.
const CASE: &str = "ISOFLOP_STEP_MEMORY";

const DENSE: &str = "kind = \"dense\"";
const MOE: &str = "kind = \"mixture_of_experts\"\nn_experts = 8\ntop_k = 2\nd_ff = 512";
const PEER: &str =
    "kind = \"peer\"\nplacement = \"all\"\nkeys = { n_keys = 64, n_heads = 4, top_k = 16 }";
const MEMORY_PLUS: &str = "kind = \"memory\"\nplacement = { centred = { count = 3, stride = 1 } }\n\
     keys = { n_keys = 256, n_heads = 4, top_k = 16 }\ngate = true\nshared_values = true";

const WHOLE: &str = "batch_size = 8\nmicro_batches = 2";
const IN_PARTS: &str = "batch_size = 16\naccumulate = 4\nrecompute = \"layers\"";

const DIVIDED: &str = "batch_size = 16\naccumulate = 16\nrecompute = \"layers\"\nzero_stage = 2";

/// A training run whose memory is measured.
struct Case {
    name: &'static str,
    block: &'static str,
    format: &'static str,
    /// Lines of `[training]`.
    training: &'static str,
    /// Threads that train it together, in one process.
    ranks: usize,
}

const fn case(
    name: &'static str,
    block: &'static str,
    format: &'static str,
    training: &'static str,
) -> Case {
    Case {
        name,
        block,
        format,
        training,
        ranks: 1,
    }
}

const CASES: [Case; 14] = [
    case("dense, whole", DENSE, "f32", WHOLE),
    case("dense, in parts", DENSE, "f32", IN_PARTS),
    case("moe, whole", MOE, "f32", WHOLE),
    case("moe, in parts", MOE, "f32", IN_PARTS),
    case("peer, whole", PEER, "f32", WHOLE),
    case("peer, in parts", PEER, "f32", IN_PARTS),
    case("memory+, whole", MEMORY_PLUS, "f32", WHOLE),
    case("memory+, in parts", MEMORY_PLUS, "f32", IN_PARTS),
    case("dense in bf16, whole", DENSE, "bf16", WHOLE),
    case("dense in bf16, in parts", DENSE, "bf16", IN_PARTS),
    case("memory+ in bf16, whole", MEMORY_PLUS, "bf16", WHOLE),
    case("memory+ in bf16, in parts", MEMORY_PLUS, "bf16", IN_PARTS),
    Case {
        ranks: 4,
        ..case("dense on 4 ranks", DENSE, "f32", DIVIDED)
    },
    Case {
        ranks: 4,
        ..case("dense in bf16 on 4 ranks", DENSE, "bf16", DIVIDED)
    },
];

impl Case {
    fn run(&self) -> Run {
        let Self {
            block,
            format,
            training,
            ..
        } = self;
        let sweep = format!(
            r#"
seeds = [0]
match = {{ mode = "tokens" }}
[decoder]
n_layers = 4
seq_len = 256
numeric_format = "{format}"
[sizes.s]
d_model = 256
n_heads = 4
d_ff = 704
vocab_size = 4096
tokens = 65536
[blocks.block]
{block}
[suites]
vocab_size = 4096
[suites.biographies]
people = 12
[training]
learning_rate = 1e-3
table_learning_rate = 1e-3
{training}
"#
        );
        let plan = Plan::new(Sweep::parse("step.toml", &sweep).unwrap()).unwrap();
        let mut runs = plan.runs.into_iter();
        runs.find(|run| run.label.block == "block").unwrap()
    }
}

#[test]
fn measured_peaks_are_those_of_the_formula() {
    let mut wrong = Vec::new();
    for case in CASES {
        let (name, run) = (case.name, case.run());
        let formats = Formats::of(&run, None);
        let on_ranks = Distributed::new(&run, formats, Division::of(&run.training)).unwrap();
        let need = case.ranks as u64 * on_ranks.max_bytes(case.ranks as u64).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "one_step", "--ignored", "--nocapture"])
            .env(CASE, name)
            .output()
            .unwrap();
        let text = String::from_utf8(child.stdout).unwrap();
        let peak = text.lines().find_map(|line| line.split("peak ").nth(1));
        let peak = peak
            .unwrap_or_else(|| panic!("{name}: {text} {}", String::from_utf8_lossy(&child.stderr)));
        let measured: u64 = peak.trim().parse().unwrap();
        let ratio = need as f64 / measured as f64;
        let line = format!("{name}: {measured} bytes, formula {ratio:.3} of it");
        eprintln!("{line}");
        // Ranks that are threads each keep freed memory in a heap of their own, of which the formula has half.
        let most = if case.ranks == 1 { 0.15 } else { 0.3 };
        if (ratio - 1.0).abs() > most {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// In a process of its own.
#[test]
#[ignore = "run by the other test, in a process of its own"]
fn one_step() {
    let Ok(name) = std::env::var(CASE) else {
        return;
    };
    let case = CASES.into_iter().find(|case| case.name == name).unwrap();
    let run = case.run();
    peak_memory::reset();
    let before = peak_memory::bytes();
    match case.ranks {
        1 => two_steps(&run, &OneRank::shared()),
        ranks => drop(thread_ranks(ranks, |ranks| two_steps(&run, &ranks))),
    }
    println!("peak {}", peak_memory::bytes() - before);
}

/// The first step allocates the moments.
fn two_steps(run: &Run, ranks: &Arc<dyn Collectives>) {
    let device = Device::flex().autodiff();
    let mut decoder = Decoder::on_ranks(&run.model, 0, &device, ranks.clone()).unwrap();
    decoder
        .tables()
        .iter()
        .for_each(|table| table.allocate_moments(run.training.table_moments));
    let mut optimizers = Optimizers::on_ranks(&run.training, ranks);
    let (vocab, seq) = (run.model.decoder.vocab_size, run.model.decoder.seq_len);
    let sequences = run.training.batch_size / ranks.ranks();
    for step in 0..2 {
        let tokens: Vec<i64> = (0..sequences * (seq + 1))
            .map(|i| (((i + step) * 7919 + i * i % 1013) % vocab) as i64)
            .collect();
        let tokens = TensorData::new(tokens, [sequences, seq + 1]);
        let tokens = Tensor::<2, Int>::from_data(tokens, &device);
        let inputs = tokens.clone().narrow(1, 0, seq).into();
        let batch = (inputs, tokens.narrow(1, 1, seq));
        let division = Division::of(&run.training).on_ranks(ranks.ranks());
        let batch = data_parallel::gradients(ranks.as_ref(), &decoder, batch, division);
        let norms = optimizers.numbers(&decoder, &batch).norms;
        let rates = LearningRates::of(&run.training, 1.0);
        decoder = optimizers.update(decoder, batch.parameters, norms, rates).0;
    }
}
