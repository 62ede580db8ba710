//! Files of tables whose columns are split over ranks: each rank writes those of its columns, and rank 0 lists them in the manifest.

use std::io;

use architectures::Decoder;
use collectives::Collectives;
use serde::{Deserialize, Serialize};

use super::ending::end_all;
use super::order::{Order, TablesOrder, give};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::tables;
use crate::checkpoint::tensor_file::FileEntry;

/// What a rank tells the others of its files.
#[derive(Serialize, Deserialize)]
enum Written {
    Files(Vec<FileEntry>),
    Failed { message: String, disk_full: bool },
}

/// Writes all tables of `decoder` as `order` says. If they are split over ranks, to be called by rank 0 while the others
/// [`super::gathered::answer`].
///
/// # Errors
/// If a rank cannot write a file.
pub fn write_tables(
    decoder: &Decoder,
    order: TablesOrder,
) -> Result<Vec<FileEntry>, CheckpointError> {
    match decoder.table_ranks() {
        None => write_own(decoder, &order),
        Some(ranks) => {
            give(ranks.as_ref(), &Order::Tables(order.clone()));
            write_with_others(ranks.as_ref(), decoder, &order)
        }
    }
}

fn write_own(decoder: &Decoder, order: &TablesOrder) -> Result<Vec<FileEntry>, CheckpointError> {
    tables::write(&order.folder, decoder, order.with_moments, order.file_bytes)
}

/// Writes the files of this rank, while all do; returns those of all ranks, in their order.
pub(super) fn write_with_others(
    ranks: &dyn Collectives,
    decoder: &Decoder,
    order: &TablesOrder,
) -> Result<Vec<FileEntry>, CheckpointError> {
    let written = match write_own(decoder, order) {
        Ok(files) => Written::Files(files),
        Err(error) => Written::Failed {
            message: error.to_string(),
            disk_full: error.is_disk_full(),
        },
    };
    let text = serde_json::to_vec(&written).unwrap_or_default();
    let mut all = Vec::new();
    for (rank, text) in ranks.all_gather_bytes(&text).into_iter().enumerate() {
        match serde_json::from_slice(&text) {
            Ok(Written::Files(files)) => all.extend(files),
            Ok(Written::Failed { message, disk_full }) => {
                let kind = match disk_full {
                    true => io::ErrorKind::StorageFull,
                    false => io::ErrorKind::Other,
                };
                let source = io::Error::new(kind, format!("rank {rank}: {message}"));
                return Err(CheckpointError::io("write tables in", &order.folder)(
                    source,
                ));
            }
            Err(error) => end_all(
                ranks,
                &format!("the files of rank {rank} are unknown: {error}"),
            ),
        }
    }
    Ok(all)
}
