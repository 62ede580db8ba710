//! Prints the page for made-up frames, to look at it: `cargo run -p reports --example specimen > specimen.html`.

#[path = "../tests/specimen/mod.rs"]
mod specimen;

fn main() -> Result<(), reports::ReportError> {
    print!("{}", reports::render(&specimen::frames())?);
    Ok(())
}
