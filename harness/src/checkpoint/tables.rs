//! Value tables, each in files of bounded size that hold a rectangle of its values and of both moments.
//!
//! If the columns of tables are split over ranks, each rank writes the rectangles of its columns and reads what it needs of all files.
//! The number of ranks may change between: rectangles state their columns of the whole table.

use std::ops::Range;
use std::path::Path;

use architectures::{Decoder, NumericFormat, TableMemory, TablePart, TableValues, ValueTable};

use super::error::CheckpointError;
use super::rectangles::{Rectangle, cover, divide};
use super::tensor_file::{self, FileEntry, Sink, TensorFile, TensorSpec};

/// Values copied from a table at a time.
const PIECE: usize = 1 << 21;

const PARTS: [(&str, TablePart); 3] = [
    ("values", TablePart::Values),
    ("mean", TablePart::Mean),
    ("square", TablePart::Square),
];

/// Writes the columns that this process has of all tables of `decoder`, with their moments if `with_moments`.
///
/// # Errors
/// If a file cannot be written.
pub fn write(
    folder: &Path,
    decoder: &Decoder,
    with_moments: bool,
    file_bytes: u64,
) -> Result<Vec<FileEntry>, CheckpointError> {
    let mut files = Vec::new();
    for (number, table) in decoder.tables().into_iter().enumerate() {
        let parts = match with_moments && table.updates() > 0 {
            true => &PARTS[..],
            false => &PARTS[..1],
        };
        let most = file_bytes as usize / 4 / parts.len();
        for rectangle in divide(table.rows(), table.columns(), most) {
            let specs: Vec<TensorSpec> = parts
                .iter()
                .map(|(name, part)| TensorSpec {
                    name: (*name).to_owned(),
                    shape: vec![rectangle.rows.len(), rectangle.columns.len()],
                    format: table.format_of(*part).unwrap_or_default(),
                })
                .collect();
            let name = file_name(number, &rectangle);
            let mut write =
                |at: usize, sink: Sink| write_part(table, parts[at].1, &rectangle, sink);
            files.push(tensor_file::write(folder, name, &specs, &mut write)?);
        }
    }
    Ok(files)
}

fn write_part(
    table: &ValueTable,
    part: TablePart,
    rectangle: &Rectangle,
    sink: Sink,
) -> std::io::Result<()> {
    let rows_at_once = (PIECE / rectangle.columns.len()).max(1);
    for first in rectangle.rows.clone().step_by(rows_at_once) {
        let rows = first..rectangle.rows.end.min(first + rows_at_once);
        match table.piece(part, rows, rectangle.columns.clone()) {
            Some(values) => sink(&values)?,
            None => return Err(std::io::Error::other("the table has no moments")),
        }
    }
    Ok(())
}

fn file_name(table: usize, part: &Rectangle) -> String {
    format!(
        "table-{table}.rows-{}-{}.columns-{}-{}.safetensors",
        part.rows.start, part.rows.end, part.columns.start, part.columns.end
    )
}

/// The table's number and the rectangle in a file's name.
fn parse_name(name: &str) -> Option<(usize, Rectangle)> {
    let parts = name.strip_prefix("table-")?.strip_suffix(".safetensors")?;
    let (table, parts) = parts.split_once(".rows-")?;
    let (rows, columns) = parts.split_once(".columns-")?;
    let range = |text: &str| -> Option<Range<usize>> {
        let (start, end) = text.split_once('-')?;
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        (start < end).then_some(start..end)
    };
    let rectangle = Rectangle {
        rows: range(rows)?,
        columns: range(columns)?,
    };
    Some((table.parse().ok()?, rectangle))
}

/// Loads the columns that this process has of the tables in `files` into those of `decoder`, with moments for tables with `updates`.
///
/// # Errors
/// If a file cannot be read, or the files are not those of the decoder's tables.
pub fn read(
    folder: &Path,
    files: &[FileEntry],
    decoder: &Decoder,
    updates: &[u32],
) -> Result<(), CheckpointError> {
    let foreign = |reason: String| CheckpointError::Foreign {
        path: folder.to_owned(),
        reason,
    };
    let mut parts: Vec<(usize, Rectangle, &str)> = Vec::new();
    for file in files.iter().filter(|file| file.name.starts_with("table-")) {
        let (table, rectangle) = parse_name(&file.name)
            .ok_or_else(|| foreign(format!("{} names no part of a table", file.name)))?;
        parts.push((table, rectangle, &file.name));
    }
    let tables = decoder.tables();
    if tables.len() != updates.len() || parts.iter().any(|(table, ..)| *table >= tables.len()) {
        let (own, given) = (tables.len(), updates.len());
        return Err(foreign(format!("it has {given} tables, the model {own}")));
    }
    for (number, (table, &updates)) in tables.into_iter().zip(updates).enumerate() {
        let own: Vec<(Rectangle, &str)> = parts
            .iter()
            .filter(|(table, ..)| *table == number)
            .map(|(_, rectangle, name)| (rectangle.clone(), *name))
            .collect();
        let rectangles: Vec<Rectangle> = own.iter().map(|(part, _)| part.clone()).collect();
        let shape = [table.rows(), table.width()];
        if !cover(&rectangles, shape) {
            let reason = format!("its files do not cover table {number} of shape {shape:?}");
            return Err(foreign(reason));
        }
        let first = own.first().map(|(_, name)| TensorFile::open(folder, name));
        let moments = match first.transpose()? {
            Some(file) if updates > 0 => format_of(&file, "mean"),
            _ => NumericFormat::default(),
        };
        let columns = table.columns();
        table.restore(updates, moments, |mut memory| {
            for (rectangle, name) in &own {
                if overlap(&rectangle.columns, &columns).is_empty() {
                    continue;
                }
                read_rectangle(folder, name, rectangle, &columns, &mut memory)?;
            }
            Ok::<(), CheckpointError>(())
        })?;
    }
    Ok(())
}

/// The format of a tensor; f32 if there is none, which is an error when it is read.
fn format_of(file: &TensorFile, name: &str) -> NumericFormat {
    let mut tensors = file.tensors().into_iter();
    let found = tensors.find(|tensor| tensor.name == name);
    found.map(|tensor| tensor.format).unwrap_or_default()
}

fn read_rectangle(
    folder: &Path,
    file_name: &str,
    rectangle: &Rectangle,
    columns: &Range<usize>,
    memory: &mut TableMemory,
) -> Result<(), CheckpointError> {
    let mut file = TensorFile::open(folder, file_name)?;
    let shape = vec![rectangle.rows.len(), rectangle.columns.len()];
    if file.tensors().iter().any(|tensor| tensor.shape != shape) {
        let reason = "its tensors have another shape than its name";
        return Err(CheckpointError::damaged(&folder.join(file_name), reason));
    }
    let mut fill = |name: &str, whole: &mut TableValues| {
        let (own, given) = (whole.format(), format_of(&file, name));
        if own != given {
            let reason = format!("its tensor {name} is in {given}, that of the model in {own}");
            return Err(CheckpointError::damaged(&folder.join(file_name), &reason));
        }
        file.read(name, &mut |position, piece| {
            place(rectangle, columns, position, piece, whole);
        })
    };
    fill("values", &mut memory.values)?;
    if let Some([mean, square]) = &mut memory.moments {
        fill("mean", mean)?;
        fill("square", square)?;
    }
    Ok(())
}

/// The columns that are in both ranges.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.max(b.start)..a.end.min(b.end)
}

/// Writes consecutive values of a rectangle to their places in `memory`, all rows of the table's `columns`; values of other columns are left
/// out. Runs of zeros are skipped: the memory is zero, and pages that nothing is written to take none.
fn place(
    rectangle: &Rectangle,
    columns: &Range<usize>,
    position: usize,
    mut piece: &[f32],
    memory: &mut TableValues,
) {
    let width = rectangle.columns.len();
    let mut position = position;
    while !piece.is_empty() {
        let (row, column) = (position / width, position % width);
        let count = piece.len().min(width - column);
        let (values, rest) = piece.split_at(count);
        let first = rectangle.columns.start + column;
        let own = overlap(&(first..first + count), columns);
        if !own.is_empty() {
            let values = &values[own.start - first..own.end - first];
            if values.iter().any(|value| value.to_bits() != 0) {
                let row = (rectangle.rows.start + row) * columns.len();
                memory.write(row + own.start - columns.start, values);
            }
        }
        position += count;
        piece = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_written() {
        let rectangle = Rectangle {
            rows: 0..65_536,
            columns: 16..32,
        };
        let name = file_name(3, &rectangle);
        assert_eq!(name, "table-3.rows-0-65536.columns-16-32.safetensors");
        assert_eq!(parse_name(&name), Some((3, rectangle)));
        for bad in [
            "table-3.safetensors",
            "table-x.rows-0-1.columns-0-1.safetensors",
            "table-0.rows-2-1.columns-0-1.safetensors",
        ] {
            assert_eq!(parse_name(bad), None);
        }
    }

    #[test]
    fn pieces_are_placed_where_the_rectangle_is() {
        let rectangle = Rectangle {
            rows: 1..3,
            columns: 1..3,
        };
        let mut whole = vec![0.0; 4 * 4];
        let mut memory = TableValues::F32(&mut whole);
        place(&rectangle, &(0..4), 0, &[1.0, 2.0, 3.0], &mut memory);
        place(&rectangle, &(0..4), 3, &[4.0], &mut memory);
        assert_eq!(&whole[4..8], [0.0, 1.0, 2.0, 0.0]);
        assert_eq!(&whole[8..12], [0.0, 3.0, 4.0, 0.0]);
        assert_eq!(whole.iter().sum::<f32>(), 10.0);
        // A process that has the last two columns.
        let mut half = vec![0.0; 4 * 2];
        let mut memory = TableValues::F32(&mut half);
        place(&rectangle, &(2..4), 0, &[1.0, 2.0, 3.0, 4.0], &mut memory);
        assert_eq!(half, [0.0, 0.0, 2.0, 0.0, 4.0, 0.0, 0.0, 0.0]);
    }
}
