//! Prints the page for made-up frames, to look at it: `cargo run -p reports --example synthetic > synthetic.html`.
#![allow(clippy::print_stdout, reason = "an example")]

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

fn main() -> Result<(), reports::ReportError> {
    print!("{}", reports::render(&synthetic::frames())?);
    Ok(())
}
