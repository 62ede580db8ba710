//! Writes the records of a made-up sweep of 2,000 runs with 2,500 steps each, to measure how `isoflop status`, `report` and
//! `compare` behave on a large folder. No number in it was measured.
//!
//! ```sh
//! cargo run --release --workspace --example large_sweep -- large
//! isoflop status large/large.toml --output large   # and report; compare large --output large
//! ```
#![allow(clippy::print_stderr, reason = "an example")]

use std::path::{Path, PathBuf};

use experiment::plan::{Plan, Run};
use experiment::sweep_file::Sweep;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::record::run_row::RunRowContext;
use harness::run::data::{Datasets, Purpose};
use harness::run::execute::RunOutcome;
use harness::run::identity::{configuration, run_id};
use rand::Rng;
use results::{ItemRow, Records, ScoreRow, StepRow, UsageRow, WHOLE_SUITE};
use suites::Dataset;

const SEEDS: usize = 100;
const STEPS: usize = 2500;

fn sweep_file() -> String {
    let seeds: Vec<String> = (0..SEEDS).map(|seed| seed.to_string()).collect();
    let sizes = [(16, 1), (24, 2), (32, 3), (48, 4)].map(|(width, number)| {
        // Budgets for 2,500 steps of 4 x 96 tokens of the dense decoder.
        format!("[sizes.s{number}]\nd_model = {width}\nn_heads = 2\ntokens = 960_000\n")
    });
    let memory = "placement = \"middle\"\nkeys = { n_keys = 8, n_heads = 2, top_k = 4 }";
    format!(
        "name = \"large\"\nseeds = [{}]\nmatch = {{ mode = \"tokens\" }}\n[decoder]\nn_layers = 2\nseq_len = 96\n\
         d_ff_multiple = 16\n{}\n[blocks.dense]\nkind = \"dense\"\n[blocks.moe]\nkind = \"mixture_of_experts\"\n\
         n_experts = 3\n[blocks.peer]\nkind = \"peer\"\n{memory}\n[blocks.memory]\nkind = \"memory\"\n{memory}\n\
         [blocks.\"memory+\"]\nkind = \"memory\"\n{memory}\ngate = true\nshared_values = true\n[suites]\n\
         vocab_size = 320\n[suites.biographies]\npeople = 12\nquestions = 4\n[training]\nbatch_size = 4\n\
         learning_rate = 3e-3\ntable_learning_rate = 1e-2\nlog_every = 1\nvalidations = 5\n",
        seeds.join(", "),
        sizes.concat()
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = std::env::args().nth(1).ok_or("give the output folder")?;
    let output = Path::new(&output);
    std::fs::create_dir_all(output)?;
    let file: PathBuf = output.join("large.toml");
    std::fs::write(&file, sweep_file())?;
    let plan = Plan::new(Sweep::load(&file.display().to_string())?)?;
    let folders = Folders::new(output, "large");
    let dataset = Datasets::new(&plan, Purpose::Evaluation, &folders).of(&plan.runs[0])?;
    let records = Records::open(folders.records())?;
    let context = RunRowContext {
        sweep: &plan.sweep,
        command: "sweep",
        provenance: Provenance::gather(),
        device: "flex".to_owned(),
        threads: 2,
    };
    eprintln!("{} runs with {STEPS} steps each", plan.runs.len());
    plan.runs.iter().enumerate().try_for_each(|(number, run)| {
        write(run, number as u64, (&dataset, &records, &context)).map_err(|error| error.to_string())
    })?;
    Ok(())
}

/// Writes the rows of one run.
fn write(
    run: &Run,
    number: u64,
    (dataset, records, context): (&Dataset, &Records, &RunRowContext),
) -> Result<(), Box<dyn std::error::Error>> {
    let configuration = configuration(run)?;
    let id = run_id(&configuration, dataset);
    let mut random = random::stream(0, "large sweep", number);
    let end = 2.0 + random.random_range(0.0..0.3) - 0.1 * (run.cost.params() as f64).log10();
    let batch = run.budget.tokens / run.budget.steps as u64;
    let loss = |step: usize, noise: f64| end + 3.0 / (1.0 + step as f64 / 100.0) + noise;
    let steps = (1..=run.budget.steps).map(|step| StepRow {
        run: id.clone(),
        step: step as u64,
        tokens: batch * step as u64,
        train_flops: run.budget.train_flops * step as f64 / run.budget.steps as f64,
        wall_s: 0.1 * step as f64,
        loss: loss(step, random.random_range(-0.1..0.1)),
        val_loss: run
            .training
            .validates(step, run.budget.steps)
            .then(|| loss(step, 0.0)),
        learning_rate: 1e-3,
        grad_norm: random.random_range(0.5..1.5),
        table_grad_norm: random.random_range(0.0..0.5),
        auxiliary_loss: 0.0,
        tokens_per_s: random.random_range(9e3..1e4),
    });
    let steps: Vec<StepRow> = steps.collect();
    records.write(&id, &steps)?;
    let (mut items, mut scores) = (Vec::new(), Vec::new());
    for suite in &dataset.suites {
        let mut right = 0;
        for task in suite.tasks() {
            for item in &task.items {
                let correct = random.random_bool(0.5);
                right += u64::from(correct);
                items.push(ItemRow {
                    run: id.clone(),
                    suite: suite.name().to_owned(),
                    task: task.name.clone(),
                    item: item.id.clone(),
                    correct,
                    answer_tokens: 2,
                    answer_nll_bits: random.random_range(0.0..9.0),
                    end_nll_bits: 0.1,
                    expected: item.expected.clone(),
                    given: item.expected.clone(),
                    detail: String::new(),
                });
            }
        }
        let share = right as f64 / items.len() as f64;
        scores.push(ScoreRow {
            run: id.clone(),
            suite: suite.name().to_owned(),
            task: WHOLE_SUITE.to_owned(),
            metric: "exact_match".to_owned(),
            status: "scored".to_owned(),
            reason: String::new(),
            value: share,
            low: share - 0.1,
            high: share + 0.1,
            n: items.len() as u64,
            baseline: Some(0.1),
            interval: "wilson".to_owned(),
        });
    }
    records.write(&id, &items)?;
    records.write(&id, &scores)?;
    let usage = |layer: u64| UsageRow {
        run: id.clone(),
        layer,
        unit: "slot".to_owned(),
        units: 64,
        reads: 4096,
        collisions: None,
        used_share: random.random_range(0.5..1.0),
        kl_nats: 0.3,
        max_share: 0.1,
    };
    records.write(&id, &[1].map(usage))?;
    let outcome = RunOutcome {
        train_loss: loss(run.budget.steps, 0.0),
        val_loss: loss(run.budget.steps, 0.0),
        val_tokens: 8192,
        tokens: run.budget.tokens,
        train_wall_s: 250.0,
        eval_wall_s: 1.0,
        peak_memory_bytes: 1 << 26,
        weights_hash: String::new(),
        resumes: 0,
        skipped_steps: 0,
    };
    let started = "2026-11-25T00:00:00Z";
    let row = context.finished(run, (&id, &configuration), dataset, started, &outcome);
    records.write(&id, &[row])?;
    Ok(())
}
