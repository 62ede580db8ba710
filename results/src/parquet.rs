//! One Parquet file of rows, with a hash of the whole file.
//!
//! Parquet's own checksums are optional and cover pages alone, so that a flipped bit of a file may be read as another number. Here
//! the footer's metadata have an entry whose value ends in the BLAKE3 hash of the file's bytes, computed with zeros in place
//! of the hash. It is compared before anything is decoded. Other readers ignore the entry.

use std::fs;
use std::io::{self, Cursor, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use polars::prelude::{
    BooleanChunked, ChunkFull, DataFrame, KeyValueMetadata, ParallelStrategy, ParquetCompression,
    ParquetReader, ParquetWriter, SerReader,
};

use crate::error::one_line;
use crate::{Error, FrameError, Row, StepRow, atomic_file};

/// Key of the metadata entry.
const KEY: &str = "isoflop.hash";
/// Start of its value, by which it is found in the bytes.
const MARKER: &str = "isoflop file hash, BLAKE3: ";
/// Hexadecimal digits after it.
const DIGITS: usize = 64;

/// Replaces `file` by these rows atomically.
pub fn write<R: Row>(file: &Path, rows: &[R]) -> Result<(), Error> {
    let frame_error = |source| Error::Frame {
        file: file.to_owned(),
        source,
    };
    let mut frame = R::to_frame(rows).map_err(frame_error)?;
    let bytes = encode(&mut frame).map_err(|detail| Error::Unwritable {
        file: file.to_owned(),
        detail,
    })?;
    atomic_file::replace(file, |out| out.write_all(&bytes))
}

/// The bytes of a file of `frame`, with their hash.
fn encode(frame: &mut DataFrame) -> Result<Vec<u8>, String> {
    let value = format!("{MARKER}{}", "0".repeat(DIGITS));
    let metadata = KeyValueMetadata::from_static(vec![(KEY.to_owned(), value)]);
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        // Many small files: Zstandard's contexts take longer than the decompression.
        .with_compression(ParquetCompression::Snappy)
        .with_key_value_metadata(Some(metadata))
        .finish(frame)
        .map_err(|error| one_line(&error.to_string()))?;
    let place = place_of_hash(&bytes).ok_or("its metadata are missing")?;
    let hash = blake3::hash(&bytes).to_hex();
    bytes[place..place + DIGITS].copy_from_slice(hash.as_bytes());
    Ok(bytes)
}

/// Where the hash is. The footer is last in a file, and its metadata after any text of rows.
fn place_of_hash(bytes: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(MARKER.len());
    let place = windows.rposition(|window| window == MARKER.as_bytes())? + MARKER.len();
    (place + DIGITS <= bytes.len()).then_some(place)
}

/// Compares the hash in `bytes` with that of `bytes`.
fn verify(mut bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let place = place_of_hash(&bytes)
        .ok_or("it has no hash: it is damaged, or was not written by this version of isoflop")?;
    let digits = place..place + DIGITS;
    let stated = bytes[digits.clone()].to_vec();
    bytes[digits.clone()].fill(b'0');
    let hash = blake3::hash(&bytes).to_hex();
    if stated != hash.as_bytes() {
        return Err("its content differs from its hash: it is damaged");
    }
    bytes[digits].copy_from_slice(&stated);
    Ok(bytes)
}

/// The rows of one file, in the order of the file.
pub fn read<R: Row>(file: &Path) -> Result<Vec<R>, Error> {
    R::from_frame(&read_frame(file)?).map_err(|source| Error::Frame {
        file: file.to_owned(),
        source,
    })
}

/// The steps of one file that have a validation loss.
pub fn read_validated_steps(file: &Path) -> Result<Vec<StepRow>, Error> {
    let frame = read_frame(file)?;
    let validated = match frame.column("val_loss") {
        Ok(losses) => losses.is_not_null(),
        Err(_) => BooleanChunked::full("val_loss".into(), true, frame.height()),
    };
    let frame_error = |source| Error::Frame {
        file: file.to_owned(),
        source,
    };
    let frame = frame
        .filter(&validated)
        .map_err(|error| frame_error(FrameError::Shape(error)))?;
    StepRow::from_frame(&frame).map_err(frame_error)
}

/// The content of one file, whose hash is that of its bytes.
fn read_frame(file: &Path) -> Result<DataFrame, Error> {
    let bytes = fs::read(file).map_err(|source: io::Error| Error::Io {
        path: file.to_owned(),
        action: "cannot be read",
        source,
    })?;
    let unreadable = |detail: &str| Error::Unreadable {
        file: file.to_owned(),
        detail: one_line(detail),
    };
    let bytes = verify(bytes).map_err(unreadable)?;
    // Polars panics on some damaged pages, which must become an error that names the file. The reader is dropped by the
    // panic, so that no broken state remains.
    let reader = AssertUnwindSafe(|| {
        // Files are read in parallel, their columns not.
        ParquetReader::new(Cursor::new(bytes))
            .read_parallel(ParallelStrategy::None)
            .finish()
    });
    match panic::catch_unwind(reader) {
        Ok(Ok(frame)) => Ok(frame),
        Ok(Err(error)) => Err(unreadable(&error.to_string())),
        Err(_) => Err(unreadable("its pages are damaged")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageRow;

    fn rows() -> Vec<UsageRow> {
        let row = |layer: u64| UsageRow {
            run: "a".to_owned(),
            layer,
            unit: format!("{MARKER}{}", "7".repeat(DIGITS)),
            units: 1 << 40,
            reads: layer,
            collisions: (layer == 1).then_some(-0.0),
            used_share: 0.25,
            kl_nats: f64::NAN,
            max_share: f64::INFINITY,
        };
        (0..3).map(row).collect()
    }

    #[test]
    fn rows_are_read_back_also_if_their_text_looks_like_the_hash() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.parquet");
        write(&file, &rows()).unwrap();
        let read = read::<UsageRow>(&file).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", rows()));
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.parquet");
        write(&file, &rows()).unwrap();
        let whole = fs::read(&file).unwrap();
        for bit in 0..8 * whole.len() {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(flipped).is_err(), "bit {bit} of {}", 8 * whole.len());
        }
        for length in 0..whole.len() {
            assert!(verify(whole[..length].to_vec()).is_err());
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 3] ^= 1;
        fs::write(&file, flipped).unwrap();
        let error = read::<UsageRow>(&file).unwrap_err().to_string();
        assert!(
            error.contains("a.parquet: ") && error.contains("damaged"),
            "{error}"
        );
    }
}
