//! `isoflop export`.

use architectures::DeviceName;
use experiment::quantity::bytes;
use harness::error::Error;
use harness::record::trained_run::TrainedRun;
use harness::run::conclusion::Conclusion;
use interchange::{Manifest, Source};

use crate::cli::arguments::ExportOptions;
use crate::cli::output::print;

/// Writes the model of a recorded run as a folder, and prints what it contains.
///
/// # Errors
/// If no run or several are selected, its weights or tokenizer cannot be read, or the folder exists or cannot be written.
pub fn export(options: &ExportOptions) -> Result<Conclusion, Error> {
    let run = TrainedRun::load(&options.run, &options.output, &DeviceName::Flex.open())?;
    let row = &run.recorded.row;
    let label = format!("{} {} seed {}", row.size, row.block, row.seed);
    let source = Source {
        name: &format!("run {} ({label}), commit {}", row.run, row.commit),
        model: &run.recorded.configuration.model,
        decoder: &run.decoder,
        tokenizer: &run.tokenizer,
    };
    let manifest = interchange::export(&options.folder, &source, options.dtype)?;
    print(summary(options, &manifest))?;
    Ok(Conclusion::Complete)
}

fn summary(options: &ExportOptions, manifest: &Manifest) -> String {
    let folder = options.folder.display();
    let mut lines = vec![
        format!("{} in {folder}", manifest.source),
        format!("layout: {}", manifest.layout.name()),
    ];
    let files = manifest.files.iter();
    lines.extend(files.map(|file| format!("  {}  {}", file.name, bytes(file.bytes))));
    lines.push(match manifest.layout.is_of_transformers() {
        true => format!(
            "transformers: AutoModelForCausalLM.from_pretrained({:?})",
            options.folder
        ),
        false => {
            "transformers has no model with these blocks: benches/load_exported.py reads the folder"
                .to_owned()
        }
    });
    lines.join("\n")
}
