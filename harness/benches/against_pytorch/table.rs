//! Tables of results, as text and as Markdown.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::conditions::Conditions;
use crate::demand::Limit;
use crate::measurement::MeasuredPair;
use crate::times::Times;

/// Share of all processor time used by others above which a row has a note.
const DISTURBANCE_LIMIT: f64 = 0.02;

/// A table and its notes.
pub struct ResultTable {
    title: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl ResultTable {
    /// An empty table with these columns.
    pub fn new(title: &'static str, header: Vec<&'static str>) -> Self {
        Self {
            title,
            header,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The empty table of the comparison with PyTorch.
    pub fn against_pytorch() -> Self {
        Self::new(
            "Against PyTorch",
            vec![
                "row",
                "shape",
                "PyTorch",
                "ours, ms: min / median",
                "theirs, ms: min / median",
                "theirs / ours [rounds]",
                "at least",
                "met",
                "tokens/s: ours / theirs",
                "floor / ours",
                "ours, GB/s",
                "of read bandwidth",
                "at least",
                "of random row reads",
                "random row reads, of read bandwidth",
            ],
        )
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Adds a note below the table, unless it has the same note.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Adds a pair to [`ResultTable::against_pytorch`], with its notes.
    pub fn add(&mut self, pair: &MeasuredPair) {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value}"));
        let [mut of_random, mut random] = [const { String::new() }; 2];
        let (rate, share) = match &pair.bandwidth {
            Some(bandwidth) => {
                let rate = bandwidth.bytes as f64 / pair.ours.median();
                if let Some(limit) = bandwidth.random_rows {
                    of_random = format!("{:.2}", rate / limit);
                    random = format!("{:.2}", limit / bandwidth.read);
                }
                (
                    format!("{:.1}", rate / 1e9),
                    format!("{:.2}", rate / bandwidth.read),
                )
            }
            None => (String::new(), String::new()),
        };
        self.push(vec![
            pair.name.clone(),
            pair.shape.clone(),
            pair.label(),
            milliseconds(&pair.ours),
            pair.theirs.as_ref().map_or_else(String::new, milliseconds),
            pair.ratio(),
            number(pair.at_least),
            pair.met().to_owned(),
            pair.rates(),
            pair.floor(),
            rate,
            share,
            number(pair.share_at_least),
            of_random,
            random,
        ]);
        if let Some(bandwidth) = &pair.bandwidth {
            self.note(format!(
                "`{}`: read {:.1} GB/s ({:.1} with one stream per thread), triad {:.1} GB/s{}, between its rounds",
                pair.name,
                bandwidth.read / 1e9,
                bandwidth.read_one / 1e9,
                bandwidth.triad / 1e9,
                bandwidth.random_rows.map_or_else(String::new, |rate| {
                    format!(", random rows {:.1} GB/s", rate / 1e9)
                })
            ));
        }
        if let Some((demand, peaks)) = &pair.demand {
            self.note(format!(
                "`{}`: {:.3} TFLOP and {:.2} GB at least; {:.0} GFLOP/s by the fastest matrix product, read {:.1} GB/s",
                pair.name,
                demand.flops / 1e12,
                demand.bytes / 1e9,
                peaks.flop_per_s / 1e9,
                peaks.bytes_per_s / 1e9,
            ));
        }
        if let Some(note) = pair.disturbed() {
            self.note(format!("`{}`: {note}", pair.name));
        }
        if !pair.command.is_empty() {
            self.note(format!(
                "`{}`, {}: `{}`",
                pair.name, pair.theirs_label, pair.command
            ));
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, without wrapping.
    pub fn terminal(&self) -> String {
        let mut table = Table::new();
        table.load_preset(ASCII_MARKDOWN).set_header(&self.header);
        table.add_rows(&self.rows);
        format!("\n{}\n\n{table}\n\n{}\n", self.title, self.notes.join("\n"))
    }

    fn markdown(&self) -> String {
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<&str> = cells.collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = format!("\n### {}\n\n", self.title);
        text += &row(&mut self.header.iter().copied());
        text += &row(&mut self.header.iter().map(|_| "---"));
        for cells in &self.rows {
            text += &row(&mut cells.iter().map(String::as_str));
        }
        text += "\n";
        self.notes
            .iter()
            .for_each(|note| text += &format!("- {note}\n"));
        text
    }
}

/// The conditions of the measurement and all tables that have rows.
pub fn markdown(conditions: &Conditions, tables: &[ResultTable]) -> String {
    let tables = tables.iter().filter(|table| !table.is_empty());
    let tables: String = tables.map(ResultTable::markdown).collect();
    format!("{}{tables}", conditions.markdown())
}

fn milliseconds(times: &Times) -> String {
    format!("{:.2} / {:.2}", 1e3 * times.min(), 1e3 * times.median())
}

impl MeasuredPair {
    /// The variant of PyTorch, and whether it is the fastest.
    fn label(&self) -> String {
        match self.fastest {
            true => format!("{} (fastest)", self.theirs_label),
            false => self.theirs_label.to_owned(),
        }
    }

    /// Whether the required ratio is reached; empty without one.
    fn met(&self) -> &'static str {
        match (&self.theirs, self.at_least) {
            (Some(theirs), Some(at_least)) => {
                match theirs.median() / self.ours.median() >= at_least {
                    true => "yes",
                    false => "no",
                }
            }
            _ => "",
        }
    }

    /// Tokens per second of both sides; empty if an iteration has no tokens.
    fn rates(&self) -> String {
        let Some((demand, _)) = &self.demand else {
            return String::new();
        };
        let rate = |times: &Times| format!("{:.0}", demand.tokens as f64 / times.median());
        let theirs = self
            .theirs
            .as_ref()
            .map(|theirs| format!(" / {}", rate(theirs)));
        format!("{}{}", rate(&self.ours), theirs.unwrap_or_default())
    }

    /// The time that the machine needs at its peak rates, as a share of our median, and which rate it is.
    fn floor(&self) -> String {
        let Some((demand, peaks)) = &self.demand else {
            return String::new();
        };
        let (seconds, limit) = demand.floor(peaks);
        let limit = match limit {
            Limit::Products => "products",
            Limit::Memory => "memory",
        };
        format!("{:.2} ({limit})", seconds / self.ours.median())
    }

    fn ratio(&self) -> String {
        let Some(theirs) = &self.theirs else {
            return String::new();
        };
        let (low, high) = theirs.spread_over(&self.ours);
        let ratio = theirs.median() / self.ours.median();
        format!("{ratio:.2} [{low:.2}, {high:.2}]")
    }

    /// A warning if others used more than [`DISTURBANCE_LIMIT`] of the processor time.
    pub fn disturbed(&self) -> Option<String> {
        let disturbance = self.disturbance?;
        (disturbance.others + disturbance.stolen > DISTURBANCE_LIMIT).then(|| {
            format!(
                "disturbed: other processes used {:.0} % of all processor time, the host {:.0} %",
                100.0 * disturbance.others,
                100.0 * disturbance.stolen
            )
        })
    }

    /// One line of text.
    pub fn summary(&self) -> String {
        let ours = milliseconds(&self.ours);
        match &self.theirs {
            Some(theirs) => format!(
                "{}; {}: ours {ours} ms, theirs {} ms, ratio {}",
                self.shape,
                self.label(),
                milliseconds(theirs),
                self.ratio()
            ),
            None => format!("{}: ours {ours} ms", self.shape),
        }
    }
}
