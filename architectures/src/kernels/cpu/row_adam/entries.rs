//! The entries of a table's gradient in the order of its rows.

use rayon::prelude::*;

/// Ranges of rows, one task each.
const RANGES: usize = 256;

/// Least entries of a part that is grouped by one task.
const LEAST_PART: usize = 1 << 14;

/// The row in the upper half, the number of the entry in the lower: orders as the pair does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry(u64);

impl Entry {
    fn new(row: i64, number: usize) -> Self {
        Self((row as u64) << 32 | number as u64)
    }

    /// Row of the table.
    #[inline(always)]
    pub fn row(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Position in the ids and weights.
    #[inline(always)]
    pub fn number(self) -> usize {
        self.0 as u32 as usize
    }

    /// Its token. Numbers have 32 bits; a 32-bit division is faster.
    #[inline(always)]
    pub fn token(self, per_token: usize) -> usize {
        (self.0 as u32 / per_token as u32) as usize
    }

    /// Whether both name the same row.
    #[inline(always)]
    pub fn same_row(&self, other: &Self) -> bool {
        self.row() == other.row()
    }
}

/// Entries by ranges of the table's rows; those of a range by row, and those of a row in their original order.
pub struct SortedEntries {
    range_rows: usize,
    ranges: Vec<Vec<Entry>>,
}

impl SortedEntries {
    /// The entries of `ids`, of a table of `rows`: grouped by range in parts, then each range is sorted in cache, so that
    /// the time is linear in the entries while their number per range is bounded.
    ///
    /// # Panics
    ///
    /// With 2^32 rows or entries, or more, and if an id is beyond the last range.
    pub fn new(rows: usize, ids: &[i64]) -> Self {
        assert!(
            rows as u64 <= 1 << 32 && ids.len() as u64 <= 1 << 32,
            "{rows} rows, {} entries",
            ids.len()
        );
        let range_rows = rows.div_ceil(RANGES).max(1);
        let count = rows.div_ceil(range_rows);
        let part = ids
            .len()
            .div_ceil(rayon::current_num_threads())
            .max(LEAST_PART);
        let parts: Vec<Grouped> = ids
            .par_chunks(part)
            .enumerate()
            .map(|(number, ids)| Grouped::new(number * part, ids, range_rows, count))
            .collect();
        let sorted = |range| {
            let mut entries = Vec::new();
            for part in &parts {
                entries.extend_from_slice(part.range(range));
            }
            entries.sort_unstable();
            entries
        };
        Self {
            range_rows,
            ranges: (0..count).into_par_iter().map(sorted).collect(),
        }
    }

    /// Rows of a range; the last may have fewer.
    pub fn range_rows(&self) -> usize {
        self.range_rows
    }

    /// The first row of each range and its entries.
    pub fn ranges(&self) -> impl IndexedParallelIterator<Item = (usize, &[Entry])> {
        let rows = self.range_rows;
        let ranges = self.ranges.par_iter().enumerate();
        ranges.map(move |(range, entries)| (range * rows, entries.as_slice()))
    }

    /// The entries of each row that has one.
    pub fn runs(&self) -> impl Iterator<Item = &[Entry]> {
        let ranges = self.ranges.iter();
        ranges.flat_map(|entries| entries.chunk_by(Entry::same_row))
    }
}

/// Entries of consecutive lookups, range by range, in their original order.
struct Grouped {
    entries: Vec<Entry>,
    /// Where each range's entries end; the first range begins at 0.
    ends: Vec<usize>,
}

impl Grouped {
    fn new(first: usize, ids: &[i64], range_rows: usize, count: usize) -> Self {
        // Rows have 32 bits; a 32-bit division is faster.
        let range_of = |row: i64| (row as u32 / range_rows as u32) as usize;
        // The entry after a range's count holds where the next begins, so that placing entries leaves the ends.
        let mut ends = vec![0; count + 1];
        for &row in ids {
            ends[range_of(row) + 1] += 1;
        }
        for range in 1..ends.len() {
            ends[range] += ends[range - 1];
        }
        let mut entries = vec![Entry(0); ids.len()];
        for (number, &row) in (first..).zip(ids) {
            let position = &mut ends[range_of(row)];
            entries[*position] = Entry::new(row, number);
            *position += 1;
        }
        Self { entries, ends }
    }

    fn range(&self, range: usize) -> &[Entry] {
        let start = range.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start..self.ends[range]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use random::stream;

    #[test]
    fn entries_are_sorted_by_row_and_number() {
        for (rows, entries) in [(1, 3), (300, 0), (256, 1000), (1 << 20, 50_000)] {
            let mut rng = stream(5, "entries", rows as u64);
            let ids: Vec<i64> = (0..entries)
                .map(|_| rng.random_range(0..rows as i64))
                .collect();
            let mut expected: Vec<(i64, usize)> = ids.iter().copied().zip(0..).collect();
            expected.sort();
            let sorted = SortedEntries::new(rows, &ids);
            let found = sorted.runs().flatten();
            let found: Vec<_> = found
                .map(|entry| (entry.row() as i64, entry.number()))
                .collect();
            assert_eq!(found, expected);
            assert!(sorted.ranges().all(|(first, entries)| {
                let range = first..first + sorted.range_rows();
                entries.iter().all(|entry| range.contains(&entry.row()))
            }));
        }
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn an_id_beyond_the_table_is_an_error() {
        SortedEntries::new(256, &[3, 256]);
    }
}
