//! The comparison of docs/performance.md: kernels and training steps of this project, and the same work in PyTorch
//! (`benches/baseline`), measured alternately.
//!
//! ```text
//! cargo bench -p harness --bench against_pytorch -- --python PATH --only bag,memory --markdown FILE
//! ```
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a benchmark")]

mod arguments;
mod bandwidth;
mod conditions;
mod demand;
mod disturbance;
mod growth;
mod measurement;
mod ours;
mod random_rows;
mod row;
mod rows;
mod step_memory;
mod step_shape;
#[path = "../../../benches/stream.rs"]
mod stream;
mod table;
mod times;
mod worker;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use arguments::BenchArguments;
use conditions::Conditions;
use measurement::{MeasuredPair, Measurement};
use table::ResultTable;
use worker::Python;

fn main() -> ExitCode {
    match run(&BenchArguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("against_pytorch: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &BenchArguments) -> Result<(), Box<dyn Error>> {
    if let Some(shape) = arguments.step_memory {
        println!("{}", step_memory::growth(shape));
        return Ok(());
    }
    let names = rows::all()
        .into_iter()
        .map(|row| row.name)
        .chain([growth::NAME, step_memory::NAME].map(str::to_owned));
    let names: Vec<String> = names.filter(|name| arguments.selects(name)).collect();
    if names.is_empty() {
        return Err("--only selects no row; `--list` prints all names".into());
    }
    if arguments.list {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(());
    }
    rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .num_threads(arguments.threads())
        .build_global()?;
    let python = Python::find(arguments);
    if let Err(remedy) = &python {
        eprintln!("{remedy}");
    }
    let mut measurement = Measurement::new(arguments, python.ok());
    let mut tables = vec![ResultTable::against_pytorch()];
    let mut failed = Vec::new();
    for row in rows::all()
        .iter()
        .filter(|row| arguments.selects(&row.name))
    {
        eprintln!("{} ...", row.name);
        match measurement.row(row) {
            Ok(pairs) => {
                for pair in &pairs {
                    eprintln!("  {}", pair.summary());
                    tables[0].add(pair);
                }
                if let Some(warning) = pairs.first().and_then(MeasuredPair::disturbed) {
                    eprintln!("  {warning}");
                }
            }
            // An error does not prevent the report of the other rows.
            Err(error) => failed.push(format!("{}: {error}", row.name)),
        }
    }
    if arguments.selects(growth::NAME) {
        eprintln!("{} ...", growth::NAME);
        tables.push(growth::measure(arguments));
    }
    if arguments.selects(step_memory::NAME) {
        eprintln!("{} ...", step_memory::NAME);
        tables.push(step_memory::measure()?);
    }
    let conditions = Conditions::describe(arguments, measurement.torch());
    println!("{conditions}");
    for table in tables.iter().filter(|table| !table.is_empty()) {
        println!("{}", table.terminal());
    }
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, table::markdown(&conditions, &tables))?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("; ").into())
    }
}
