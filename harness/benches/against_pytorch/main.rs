//! Both sides of docs/performance.md in one run: this project's kernels and training steps, and the same work in PyTorch
//! (`benches/baseline`), measured alternately.
//!
//! ```text
//! cargo bench -p harness --bench against_pytorch -- --python PATH --only bag,memory --markdown FILE
//! ```

mod arguments;
mod disturbance;
mod growth;
mod machine;
mod measurement;
mod ours;
mod row;
mod rows;
mod step_memory;
mod step_shape;
#[path = "../../../benches/stream.rs"]
mod stream;
mod table;
mod worker;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use machine::Machine;
use measurement::{Line, Measurement};
use table::Section;
use worker::Python;

fn main() -> ExitCode {
    harness::process::allocator::keep_freed_memory();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("against_pytorch: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
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
        return Err("no row has such a name; `--list` shows all names".into());
    }
    if arguments.list {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(());
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads())
        .build_global()?;
    let python = Python::find(arguments);
    if let Err(remedy) = &python {
        eprintln!("{remedy}");
    }
    let mut measurement = Measurement::new(arguments, python.ok());
    let mut sections = vec![Section::against_pytorch()];
    let mut failed = Vec::new();
    for row in rows::all()
        .iter()
        .filter(|row| arguments.selects(&row.name))
    {
        eprintln!("{} ...", row.name);
        match measurement.row(row) {
            Ok(lines) => {
                for line in &lines {
                    eprintln!("  {}", line.summary());
                    sections[0].add(line);
                }
                if let Some(warning) = lines.first().and_then(Line::disturbed) {
                    eprintln!("  {warning}");
                }
            }
            // The rows measured before are still reported.
            Err(error) => failed.push(format!("{}: {error}", row.name)),
        }
    }
    if arguments.selects(growth::NAME) {
        eprintln!("{} ...", growth::NAME);
        sections.push(growth::measure(arguments));
    }
    if arguments.selects(step_memory::NAME) {
        eprintln!("{} ...", step_memory::NAME);
        sections.push(step_memory::measure()?);
    }
    let machine = Machine::describe(arguments, measurement.torch());
    println!("{machine}");
    for section in sections.iter().filter(|section| !section.is_empty()) {
        println!("{}", section.terminal());
    }
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, table::markdown(&machine, &sections))?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("; ").into())
    }
}
