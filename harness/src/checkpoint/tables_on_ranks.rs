//! Tests of tables whose columns are split over ranks: files of any number of ranks are read by any number.

use std::path::Path;

use architectures::{Decoder, ModelConfig, TablePart};
use burn::tensor::Device;
use collectives::thread_ranks;

use super::snapshot::tests::{model, trained, training};
use super::tables;
use super::tensor_file::FileEntry;
use crate::train::state::autodiff;

/// Memory, PEER (both lookups), and several tables of one layer.
const BLOCKS: [&str; 3] = [
    r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}, "gate": true, "shared_values": true}"#,
    r#"{"kind": "peer", "keys": {"n_keys": 4, "top_k": 2}}"#,
    r#"{"kind": "ultra_mem", "n_keys": 4, "top_k": 2, "value_dim": 8, "pre_value_dim": 4}"#,
];
/// So small that every rank has several files.
const FILE_BYTES: u64 = 400;

/// Number of updates, values and moments of each table, of the columns of `rank` of `ranks`.
fn state(decoder: &Decoder, rank: usize, ranks: usize) -> Vec<(u32, Vec<u32>)> {
    let tables = decoder.tables().into_iter();
    let parts = [TablePart::Values, TablePart::Mean, TablePart::Square];
    tables
        .map(|table| {
            let own = table.width() / ranks;
            let own = rank * own..(rank + 1) * own;
            let numbers = parts.iter().flat_map(|part| {
                let piece = table.piece(*part, 0..table.rows(), own.clone());
                piece.unwrap().into_iter().map(f32::to_bits)
            });
            (table.updates(), numbers.collect())
        })
        .collect()
}

/// Reads `files` on `ranks` ranks; returns the files that these write to another folder.
fn read_and_write(
    [from, to]: [&Path; 2],
    files: &[FileEntry],
    config: &ModelConfig,
    (whole, ranks): (&Decoder, usize),
) -> Vec<FileEntry> {
    let updates: Vec<u32> = whole.tables().iter().map(|table| table.updates()).collect();
    let written = thread_ranks(ranks, |collectives| {
        let rank = collectives.rank();
        let device = autodiff(&Device::flex());
        let decoder = Decoder::on_ranks(config, 1, &device, collectives).unwrap();
        tables::read(from, files, &decoder, &updates).unwrap();
        let [own, expected] = [&decoder, whole].map(|decoder| state(decoder, rank, ranks));
        assert!(own == expected, "rank {rank} of {ranks}");
        tables::write(to, &decoder, true, FILE_BYTES).unwrap()
    });
    written.into_iter().flatten().collect()
}

#[test]
fn tables_of_any_number_of_ranks_are_read_by_any_other() {
    for block in BLOCKS {
        let config = model(block);
        let whole = trained(&config, &training(), 3).decoder;
        let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
        let mut files = tables::write(folders[0].path(), &whole, true, FILE_BYTES).unwrap();
        for (pair, ranks) in folders.windows(2).zip([4, 2, 1]) {
            let paths = [pair[0].path(), pair[1].path()];
            files = read_and_write(paths, &files, &config, (&whole, ranks));
            assert!(files.len() >= ranks * whole.tables().len(), "{block}");
        }
    }
}
