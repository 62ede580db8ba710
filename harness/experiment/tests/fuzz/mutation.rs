//! Mutations of sweep files.

use rand::Rng;
use rand::seq::IndexedRandom;

/// Numbers at the ends of types and of the bounds of keys.
const NUMBERS: [&str; 36] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "64",
    "257",
    "1000",
    "1023",
    "1024",
    "1025",
    "4096",
    "10_000",
    "65535",
    "65536",
    "65537",
    "1048576",
    "1048577",
    "16777216",
    "4294967295",
    "4294967296",
    "1000000000000",
    "1125899906842624",
    "9223372036854775807",
    "9223372036854775808",
    "-1",
    "-9223372036854775808",
    "0.0",
    "-0.0",
    "1e-320",
    "0.5",
    "1e30",
    "1e308",
    "inf",
    "nan",
    "99999999999999999999999999",
];

/// Words of sweep files: values, keys and sections.
const WORDS: [&str; 48] = [
    "dense",
    "mlp",
    "mixture_of_experts",
    "deepseek_moe",
    "peer",
    "memory",
    "ultra_mem",
    "engram",
    "hashed_bigram",
    "all",
    "middle",
    "centred",
    "layers",
    "beside",
    "before_attention",
    "feed_forward",
    "flops",
    "tokens",
    "cosine",
    "wsd",
    "flops_per_token",
    "params_total",
    "params_active",
    "bytes_per_token",
    "above",
    "below",
    "n_keys",
    "n_heads",
    "top_k",
    "d_ff",
    "n_experts",
    "n_rows",
    "head_dim",
    "key_dim",
    "value_dim",
    "rank",
    "n_cores",
    "kernel",
    "max_order",
    "solve",
    "knobs",
    "with",
    "sizes",
    "at_least",
    "at_most",
    "multiple_of",
    "..",
    "probes",
];

/// Lines that may be added anywhere.
const LINES: [&str; 14] = [
    "solve = { equal = \"flops_per_token\", knobs = { d_ff = {} } }",
    "solve = { equal = \"params_total\", tolerance = 0.9, knobs = { n_experts = { at_least = 9223372036854775807, multiple_of = 3 } } }",
    "solve = { equal = \"params_active\", tolerance = 1e9, knobs = { n_keys = {}, top_k = {} } }",
    "solve = { equal = \"flops_per_token\", knobs = { layers = { multiple_of = 9223372036854775807 } } }",
    "placement = { centred = { count = 9223372036854775807, stride = 9223372036854775807 } }",
    "placement = { layers = [0, 1, 2, 3] }",
    "site = \"beside\"",
    "d_ff_multiple = 0",
    "n_kv_heads = 1",
    "tie_embeddings = true",
    "blocks.memory.keys.n_keys = 4294967296",
    "\"\\u001b[2J\" = 1",
    "name = \"../../etc\"",
    "[blocks.more.with.other]\nkind = \"engram\"\nn_rows = 2147483648\nmax_order = 16\nn_heads = 1024",
];

/// `bases`, one of them, changed by one mutation or a few: more rarely give a valid sweep.
pub fn mutated(bases: &[String], rng: &mut impl Rng) -> String {
    let mut text = bases.choose(rng).cloned().unwrap_or_default().into_bytes();
    for _ in 0..*[1, 1, 1, 2, 2, 3, 5].choose(rng).unwrap_or(&1) {
        text = match rng.random_range(0..10) {
            0 => flipped(text, rng),
            1..=3 => replaced(&text, |b| b.is_ascii_digit(), &number(rng), rng),
            4 => replaced(
                &text,
                |b| b.is_ascii_lowercase() || b == b'_',
                WORDS.choose(rng).unwrap_or(&""),
                rng,
            ),
            5 => with_lines(&text, rng),
            6 => spliced(
                &text,
                bases.choose(rng).map_or(&[], |base| base.as_bytes()),
                rng,
            ),
            7 => inserted(&text, &nested(rng), rng),
            8 => inserted(&text, &repeated(rng), rng),
            _ => inserted(
                &text,
                &format!("\n{}\n", LINES.choose(rng).unwrap_or(&"")),
                rng,
            ),
        };
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn number(rng: &mut impl Rng) -> String {
    match rng.random_range(0..4) {
        0 => rng.random::<u64>().to_string(),
        1 => (1u64 << rng.random_range(0..64)).to_string(),
        _ => (*NUMBERS.choose(rng).unwrap_or(&"0")).to_owned(),
    }
}

fn flipped(mut text: Vec<u8>, rng: &mut impl Rng) -> Vec<u8> {
    for _ in 0..rng.random_range(1..=8) {
        if text.is_empty() {
            break;
        }
        let at = rng.random_range(0..text.len());
        text[at] = match rng.random_range(0..3) {
            0 => text[at] ^ (1 << rng.random_range(0..8)),
            1 => rng.random(),
            _ => *b"[]{}=.,\"'#\n\\\0\x1b".choose(rng).unwrap_or(&0),
        };
    }
    text
}

/// A random run of bytes that `is_part`, replaced.
fn replaced(text: &[u8], is_part: impl Fn(u8) -> bool, by: &str, rng: &mut impl Rng) -> Vec<u8> {
    let starts: Vec<usize> = (0..text.len())
        .filter(|&at| is_part(text[at]) && (at == 0 || !is_part(text[at - 1])))
        .collect();
    let Some(&start) = starts.choose(rng) else {
        return text.to_vec();
    };
    let length = text[start..].iter().take_while(|b| is_part(**b)).count();
    [&text[..start], by.as_bytes(), &text[start + length..]].concat()
}

/// Lines removed, repeated or moved.
fn with_lines(text: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    for _ in 0..rng.random_range(1..=3) {
        let at = rng.random_range(0..lines.len());
        let to = rng.random_range(0..lines.len());
        match rng.random_range(0..3) {
            0 if lines.len() > 1 => drop(lines.remove(at)),
            1 => lines.insert(to, lines[at]),
            _ => lines.swap(at, to),
        }
    }
    lines.join(&b'\n')
}

/// The start of one file and the end of another.
fn spliced(text: &[u8], other: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let (start, end) = (
        rng.random_range(0..=text.len()),
        rng.random_range(0..=other.len()),
    );
    [&text[..start], b"\n", &other[end..]].concat()
}

fn inserted(text: &[u8], piece: &str, rng: &mut impl Rng) -> Vec<u8> {
    let ends: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'\n').collect();
    let at = match rng.random_bool(0.9) {
        true => ends.choose(rng).copied().unwrap_or(0),
        false => rng.random_range(0..=text.len()),
    };
    [&text[..at], piece.as_bytes(), &text[at..]].concat()
}

/// Deep nesting, of each kind that TOML has.
fn nested(rng: &mut impl Rng) -> String {
    let depth = 1usize << rng.random_range(1..13);
    match rng.random_range(0..4) {
        0 => format!("\nx = {}1{}\n", "[".repeat(depth), "]".repeat(depth)),
        1 => format!("\nx = {}1{}\n", "{ a = ".repeat(depth), " }".repeat(depth)),
        2 => format!("\n[blocks{}]\n", ".a".repeat(depth)),
        _ => format!("\na{} = 1\n", ".a".repeat(depth)),
    }
}

/// Long text, and many seeds, budgets, sizes or blocks.
fn repeated(rng: &mut impl Rng) -> String {
    let count = 1usize << rng.random_range(1..14);
    let list = |from: usize| {
        (from..from + count)
            .map(|i| i.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let letter = *["a", "é", "\u{202e}", "\\u0000", "\\\\", "\u{1b}", "`", "; "]
        .choose(rng)
        .unwrap_or(&"a");
    match rng.random_range(0..7) {
        0 => format!("\nseeds = [{}]\n", list(0)),
        1 => format!("\nflops = [{}]\n", list(1_000_000)),
        2 => format!("\nplacement = {{ layers = [{}] }}\n", list(0)),
        3 => (0..count)
            .map(|i| format!("\n[sizes.x{i}]\nd_model = 32\nn_heads = 2\ntokens = 5000\n"))
            .collect(),
        4 => (0..count)
            .map(|i| format!("\n[blocks.x{i}]\nkind = \"dense\"\n"))
            .collect(),
        5 => format!("\nname = \"{}\"\n", letter.repeat(count)),
        _ => format!("\n[sizes.\"{}\"]\n", letter.repeat(count)),
    }
}
