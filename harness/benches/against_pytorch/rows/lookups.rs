//! Single kernels: bags, table updates, product-key top-k.

use crate::ours::lookup;
use crate::random_rows::RandomRowsShape;
use crate::row::{Ours, Row, Theirs};

/// Rows of the table, unless stated otherwise.
const ROWS: usize = 1 << 18;

/// Rows of the large tables, of which a bag reads few twice.
const MANY_ROWS: usize = 1 << 20;

/// Lookups per token.
const PER_TOKEN: usize = 128;
const TOKENS: usize = 8192;

const HEADS: usize = 4;
const TOP_K: usize = 32;

/// Bytes of f32.
const F32: usize = 4;

pub fn bags() -> Vec<Row> {
    let widths = [64, 128, 256, 512, 1024];
    [ROWS, MANY_ROWS]
        .into_iter()
        .flat_map(|rows| widths.map(|width| bag(rows, width)))
        .collect()
}

pub fn table_steps() -> Vec<Row> {
    [64, 256].map(table_step).into()
}

/// The number of tokens falls with that of half-keys, for similar times.
pub fn selections() -> Vec<Row> {
    [(512, 8192), (1024, 2048), (2048, 1024), (4096, 512)]
        .map(|(n_keys, tokens)| selection(n_keys, tokens))
        .into()
}

/// The only variant of ours.
fn one(build: impl Fn() -> crate::row::Work + 'static) -> Vec<Ours> {
    vec![Ours {
        label: "",
        build: Box::new(build),
    }]
}

fn shape(rows: usize, width: usize) -> String {
    format!("{TOKENS} tokens x {PER_TOKEN} rows, table {rows} x {width}")
}

fn options(rows: usize, width: usize) -> String {
    format!("--rows {rows} --width {width} --tokens {TOKENS} --per-token {PER_TOKEN}")
}

fn bag(rows: usize, width: usize) -> Row {
    let name = match rows {
        ROWS => format!("bag-{width}"),
        _ => format!("bag-2^{}-{width}", rows.ilog2()),
    };
    let reads = RandomRowsShape {
        rows,
        width,
        lookups: [TOKENS, PER_TOKEN],
    };
    Row {
        name,
        shape: shape(rows, width),
        ours: one(move || lookup::bag([rows, width], [TOKENS, PER_TOKEN])),
        theirs: vec![Theirs::new(
            "eager",
            &format!("bag {}", options(rows, width)),
        )],
        at_least: 1.0,
        share_at_least: Some(0.85),
        bytes: Some(reads.bytes()),
        random_rows: Some(reads),
        in_turns: false,
    }
}

fn table_step(width: usize) -> Row {
    let worker = format!("table_step {}", options(ROWS, width));
    Row {
        name: format!("table-step-{width}"),
        shape: shape(ROWS, width),
        ours: one(move || lookup::table_step([ROWS, width], [TOKENS, PER_TOKEN])),
        theirs: vec![
            Theirs::new("eager, SparseAdam", &worker),
            Theirs::new(
                "eager, dense Adam",
                &format!("{worker} --table-gradient dense"),
            ),
        ],
        at_least: 4.0,
        share_at_least: None,
        // Table rows for the bag and for the gradient of its weights; then reads and writes of the table and both
        // moments, of which 2 % of the rows are not looked up.
        bytes: Some((2 * TOKENS * PER_TOKEN + 6 * ROWS) * width * F32),
        random_rows: None,
        in_turns: false,
    }
}

fn selection(n_keys: usize, tokens: usize) -> Row {
    let worker =
        format!("top_k --heads {HEADS} --tokens {tokens} --n-keys {n_keys} --top-k {TOP_K}");
    Row {
        name: format!("top-k-{n_keys}"),
        shape: format!(
            "{} rows of {n_keys} half-key scores, k {TOP_K}",
            HEADS * 2 * tokens
        ),
        ours: one(move || lookup::selection([HEADS, 2, tokens, n_keys], TOP_K)),
        theirs: vec![
            Theirs::new("eager", &worker),
            Theirs::new(
                "eager, sums that can win",
                &format!("{worker} --sums sorted"),
            ),
        ],
        at_least: 1.5,
        share_at_least: None,
        bytes: None,
        random_rows: None,
        in_turns: false,
    }
}
