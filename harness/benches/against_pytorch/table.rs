//! The tables, for the terminal and as Markdown.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::machine::Machine;
use crate::measurement::{Line, Times};

/// Share of all processor time that others may take before a row notes it.
const DISTURBED: f64 = 0.02;

/// A table and its notes.
pub struct Section {
    title: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Section {
    /// An empty table of these columns.
    pub fn new(title: &'static str, header: Vec<&'static str>) -> Self {
        Self {
            title,
            header,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The comparison of both sides.
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
                "ours, GB/s",
                "of read bandwidth",
                "at least",
            ],
        )
    }

    /// One row.
    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// A line below the table; the same line is kept once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A line of [`Section::against_pytorch`].
    pub fn add(&mut self, line: &Line) {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value}"));
        let (rate, share) = match &line.bandwidth {
            Some(bandwidth) => {
                let rate = bandwidth.bytes as f64 / line.ours.median();
                (
                    format!("{:.1}", rate / 1e9),
                    format!("{:.2}", rate / bandwidth.read),
                )
            }
            None => (String::new(), String::new()),
        };
        self.push(vec![
            line.name.clone(),
            line.shape.clone(),
            line.theirs_label.to_owned(),
            milliseconds(&line.ours),
            line.theirs.as_ref().map_or_else(String::new, milliseconds),
            line.ratio(),
            number(line.at_least),
            rate,
            share,
            number(line.share_at_least),
        ]);
        if let Some(bandwidth) = &line.bandwidth {
            self.note(format!(
                "`{}`: read {:.1} GB/s ({:.1} with one stream per thread), triad {:.1} GB/s, between its rounds",
                line.name,
                bandwidth.read / 1e9,
                bandwidth.read_one / 1e9,
                bandwidth.triad / 1e9
            ));
        }
        if let Some(note) = line.disturbed() {
            self.note(format!("`{}`: {note}", line.name));
        }
        if !line.command.is_empty() {
            self.note(format!(
                "`{}`, {}: `{}`",
                line.name, line.theirs_label, line.command
            ));
        }
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// For a terminal of any width: no cell is wrapped.
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

/// All tables and the conditions of the measurement.
pub fn markdown(machine: &Machine, sections: &[Section]) -> String {
    let sections = sections.iter().filter(|section| !section.is_empty());
    let tables: String = sections.map(Section::markdown).collect();
    format!("{}{tables}", machine.markdown())
}

fn milliseconds(times: &Times) -> String {
    format!("{:.2} / {:.2}", 1e3 * times.min(), 1e3 * times.median())
}

impl Line {
    fn ratio(&self) -> String {
        let Some(theirs) = &self.theirs else {
            return String::new();
        };
        let (low, high) = theirs.spread_over(&self.ours);
        let ratio = theirs.median() / self.ours.median();
        format!("{ratio:.2} [{low:.2}, {high:.2}]")
    }

    /// A warning, where others took enough of the processors to matter.
    pub fn disturbed(&self) -> Option<String> {
        let disturbance = self.disturbance?;
        (disturbance.others + disturbance.stolen > DISTURBED).then(|| {
            format!(
                "disturbed: other processes took {:.0} % of all processor time, the host {:.0} %",
                100.0 * disturbance.others,
                100.0 * disturbance.stolen
            )
        })
    }

    /// One line for the terminal.
    pub fn summary(&self) -> String {
        let ours = milliseconds(&self.ours);
        match &self.theirs {
            Some(theirs) => format!(
                "{}; {}: ours {ours} ms, theirs {} ms, ratio {}",
                self.shape,
                self.theirs_label,
                milliseconds(theirs),
                self.ratio()
            ),
            None => format!("{}: ours {ours} ms", self.shape),
        }
    }
}
