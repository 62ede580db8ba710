//! Rows of probes as text: a table per size.

use experiment::quantity::{bytes, count};
use harness::probe::row::DERIVED;
use harness::record::run_row::FINISHED;
use results::{FormatName, ProbeRow};

use super::terminal_table::terminal_table;

const HEADER: [&str; 12] = [
    "block", "slots", "pass", "", "ms", "tokens/s", "FLOP/s", "of peak", "B/s", "of peak",
    "memory", "needed",
];

/// A legend of the columns.
pub fn explanation(tokens: usize) -> String {
    format!(
        "a pass: one sequence of {tokens} tokens; forward, or step: forward, backward and update; in f32 unless another \
         format is stated. attention: a layer \
         without its block.\nof peak: of this device's fastest matrix product in the same format and \
         sequential read, measured in the same session. B/s: bytes of a pass, by formula; it can exceed the peak by caching.\nmodel: estimated from the \
         parts, not run; its FLOP/s and B/s are those of the sum."
    )
}

/// A table of `rows` for each size, in the order of the rows.
pub fn tables(rows: &[ProbeRow]) -> String {
    let mut sizes: Vec<&str> = Vec::new();
    for row in rows {
        if !sizes.contains(&row.size.as_str()) {
            sizes.push(&row.size);
        }
    }
    let table = |size: &&str| {
        let of_size = rows.iter().filter(|row| row.size == **size);
        let mut of_size: Vec<_> = of_size.collect();
        // Parts by block and table size, models last.
        let position = |row: &ProbeRow| rows.iter().position(|other| other.block == row.block);
        of_size.sort_by_key(|row| (row.basis == DERIVED, position(row), row.table_slots));
        let rows = of_size.into_iter().map(columns).collect();
        format!("\n{size}\n{}\n", terminal_table(&HEADER, 4, rows))
    };
    sizes.iter().map(table).collect()
}

fn columns(row: &ProbeRow) -> Vec<String> {
    let block = match row.basis == DERIVED {
        true => format!("model {}", row.block),
        false => row.block.clone(),
    };
    let slots = match row.table_slots {
        0 => String::new(),
        slots if slots.is_power_of_two() => format!("2^{}", slots.ilog2()),
        slots if slots.isqrt().pow(2) == slots => format!("{}^2", slots.isqrt()),
        slots => slots.to_string(),
    };
    let phase = match row.numeric_format == FormatName::default() {
        true => row.phase.clone(),
        false => format!("{} in {}", row.phase, row.numeric_format),
    };
    let mut columns = vec![block, slots, phase];
    if row.status != FINISHED {
        // Only the start of the reason; the row has all of it.
        let short = row.reason.split([':', '(', ';']).next().unwrap_or_default();
        let short = short.trim_end().trim_end_matches(" is skipped");
        columns.push(format!("{}: {short}", row.status));
        columns.extend(vec![String::new(); 7]);
        columns.push(bytes(row.needed_memory_bytes));
        return columns;
    }
    let share = |rate: f64, peak: f64| format!("{:.0} %", 100.0 * rate / peak);
    let memory = match row.basis == DERIVED {
        true => String::new(),
        false => bytes(row.peak_memory_bytes),
    };
    columns.extend([
        row.basis.clone(),
        format!("{:.1}", 1e3 * row.seconds),
        count(row.tokens_per_s),
        count(row.flop_per_s),
        share(row.flop_per_s, row.peak_flop_per_s),
        count(row.bytes_per_s),
        share(row.bytes_per_s, row.peak_bytes_per_s),
        memory,
        bytes(row.needed_memory_bytes),
    ]);
    columns
}
