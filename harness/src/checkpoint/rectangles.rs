//! Division of a table `[rows, width]` into rectangles of bounded size: by columns, as memory parallelism shards tables, and by
//! rows only where one column alone is too large.

use std::ops::Range;

/// A rectangle of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// Its rows.
    pub rows: Range<usize>,
    /// Its columns.
    pub columns: Range<usize>,
}

impl Rectangle {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

/// Rectangles of at most `most` values each that cover `columns` of a table of `rows`.
pub fn divide(rows: usize, columns: Range<usize>, most: usize) -> Vec<Rectangle> {
    let columns_at_once = (most / rows.max(1)).clamp(1, columns.len().max(1));
    let rows_at_once = most.max(1).min(rows);
    let mut rectangles = Vec::new();
    for first in columns.clone().step_by(columns_at_once) {
        for row in (0..rows).step_by(rows_at_once.max(1)) {
            rectangles.push(Rectangle {
                rows: row..rows.min(row + rows_at_once),
                columns: first..columns.end.min(first + columns_at_once),
            });
        }
    }
    rectangles
}

/// Whether `rectangles` cover each value of a table `[rows, width]` exactly once.
pub fn cover(rectangles: &[Rectangle], [rows, width]: [usize; 2]) -> bool {
    let inside = |part: &Rectangle| part.rows.end <= rows && part.columns.end <= width;
    let disjoint = |a: &Rectangle, b: &Rectangle| {
        a.rows.end <= b.rows.start
            || b.rows.end <= a.rows.start
            || a.columns.end <= b.columns.start
            || b.columns.end <= a.columns.start
    };
    let values: usize = rectangles.iter().map(Rectangle::len).sum();
    let pairs = rectangles.iter().enumerate();
    values == rows * width
        && rectangles.iter().all(inside)
        && pairs
            .flat_map(|(at, a)| rectangles[..at].iter().map(move |b| (a, b)))
            .all(|(a, b)| disjoint(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_whole_columns_where_those_fit() {
        let parts = divide(10, 0..7, 30);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.rows == (0..10)));
        assert_eq!(parts[2].columns, 6..7);
        for (shape, most) in [
            ([10, 7], 30),
            ([10, 7], 4),
            ([1, 1], 1),
            ([5, 3], 100),
            ([8, 2], 8),
        ] {
            let parts = divide(shape[0], 0..shape[1], most);
            assert!(cover(&parts, shape), "{shape:?} {most}");
            assert!(
                parts.iter().all(|part| part.len() <= most),
                "{shape:?} {most}"
            );
        }
    }

    #[test]
    fn parts_of_several_ranks_cover_the_table() {
        let mut parts = divide(10, 0..4, 15);
        parts.extend(divide(10, 4..8, 15));
        assert!(parts.len() > 2 && cover(&parts, [10, 8]));
    }

    #[test]
    fn gaps_overlaps_and_excess_are_no_cover() {
        let parts = divide(10, 0..7, 30);
        assert!(!cover(&parts[1..], [10, 7]));
        assert!(!cover(&[parts[0].clone(), parts[0].clone()], [10, 6]));
        assert!(!cover(&parts, [10, 8]));
        assert!(!cover(&parts, [9, 7]));
    }
}
