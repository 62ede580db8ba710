//! Tables: text aligned left, numbers right, in a container that scrolls.

use maud::{Markup, Render, html};

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Text,
    Numbers,
    /// Sentences, which wrap.
    Prose,
}

impl Content {
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Numbers => Some("number"),
            Self::Prose => Some("prose"),
        }
    }
}

/// A table. The first column names its row.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Title and content.
    columns: Vec<(String, Content)>,
    rows: Vec<Vec<Markup>>,
    /// Indices of the rows that start a group.
    groups: Vec<usize>,
    label: String,
}

impl Table {
    /// `label` names the scrolling region for screen readers.
    pub fn new(label: &str) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Adds a column of words.
    pub fn text(mut self, title: &str) -> Self {
        self.columns.push((title.into(), Content::Text));
        self
    }

    /// Adds a column of numbers.
    pub fn number(mut self, title: &str) -> Self {
        self.columns.push((title.into(), Content::Numbers));
        self
    }

    /// Adds a column of sentences.
    pub fn prose(mut self, title: &str) -> Self {
        self.columns.push((title.into(), Content::Prose));
        self
    }

    /// Adds a row; each cell is escaped unless it is markup already.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Render>) {
        self.rows
            .push(cells.into_iter().map(|cell| cell.render()).collect());
    }

    /// Starts a group of rows at the next row.
    pub fn group(&mut self) {
        self.groups.push(self.rows.len());
    }

    /// Rows below the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        let class = |index: usize| self.columns.get(index)?.1.class();
        html! {
            div.scroll tabindex="0" role="region" aria-label=(self.label) {
                table {
                    thead {
                        tr {
                            @for (index, (title, _)) in self.columns.iter().enumerate() {
                                th scope="col" class=[class(index)] { (title) }
                            }
                        }
                    }
                    tbody {
                        @for (line, row) in self.rows.iter().enumerate() {
                            tr class=[self.groups.contains(&line).then_some("group")] {
                                @for (index, cell) in row.iter().enumerate() {
                                    @if index == 0 {
                                        th scope="row" class=[class(index)] { (cell) }
                                    } @else {
                                        td class=[class(index)] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_and_numbers_marked() {
        let mut table = Table::new("a \"table\"").text("block").number("loss");
        assert!(table.is_empty());
        table.row(["<b>", "1 & 2"]);
        let html = table.render().into_string();
        assert!(
            html.contains("<th scope=\"row\">&lt;b&gt;</th><td class=\"number\">1 &amp; 2</td>"),
            "{html}"
        );
        assert!(
            html.contains("aria-label=\"a &quot;table&quot;\""),
            "{html}"
        );
    }
}
