//! Logits of a model in a folder, for comparison with other programs:
//! `logits FOLDER TOKENS OUTPUT` reads sequences of equal length from the JSON file TOKENS, such as `[[1, 2], [3, 4]]`, and writes
//! the logits `[sequences, length, vocab_size]` to OUTPUT as little-endian f32.

use std::error::Error;
use std::path::Path;

use architectures::Pass;
use burn::tensor::{Device, Int, Tensor, TensorData};
use interchange::import;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, tokens, output] = &arguments[..] else {
        return Err("give FOLDER TOKENS OUTPUT".into());
    };
    let device = Device::flex();
    let model = import(Path::new(folder), &device)?;
    let rows: Vec<Vec<i64>> = serde_json::from_slice(&std::fs::read(tokens)?)?;
    let length = rows.first().map_or(0, Vec::len);
    let vocabulary = model.model.decoder.vocab_size as i64;
    let is_valid =
        |row: &Vec<i64>| row.len() == length && row.iter().all(|id| (0..vocabulary).contains(id));
    if length == 0 || !rows.iter().all(is_valid) {
        return Err("give sequences of one length, of token ids of the model".into());
    }
    let data = TensorData::new(rows.concat(), [rows.len(), length]);
    let tokens = Tensor::<2, Int>::from_data(data, &device);
    let logits = model.decoder.forward(tokens, &mut Pass::evaluation());
    let logits = logits.into_data();
    let bytes: Vec<u8> = logits.iter::<f32>().flat_map(f32::to_le_bytes).collect();
    std::fs::write(output, bytes)?;
    Ok(())
}
