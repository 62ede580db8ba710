//! Finds the key at which serde took offence.
//!
//! An internally tagged enum (a block by its `kind`) buffers its fields, and the error it gives has lost their place.
//! So the place is found by experiment: the key at fault is the one whose change changes the message in just the way
//! that serde quotes it. Only broken files pay for this.

use super::tree::{Entry, Node, Table};

/// Where a message belongs.
pub enum Fault {
    /// This key, or its value.
    Entry(Entry),
    /// A key that this table lacks.
    Missing(Table),
    /// No single key.
    Whole,
}

/// The place of `message`, which `read` gave for `table`.
pub fn blame(table: &Table, message: &str, read: &dyn Fn(&Table) -> Option<String>) -> Fault {
    if let Some(key) = quoted(message, "unknown field ") {
        let renamed = format!("{key}?");
        let expected = message.replacen(key, &renamed, 1);
        let suspects = places(table)
            .into_iter()
            .filter(|place| entry(table, place).key == key);
        for place in suspects {
            let mut changed = table.clone();
            entry_mut(&mut changed, &place).key = renamed.clone();
            if read(&changed).as_deref() == Some(&expected) {
                return Fault::Entry(entry(table, &place).clone());
            }
        }
    } else if let Some(key) = quoted(message, "missing field ") {
        return lacking(table, key, message, read).map_or(Fault::Whole, Fault::Missing);
    } else {
        for place in places(table) {
            let Some((value, expected)) = altered(&entry(table, &place).node, message) else {
                continue;
            };
            let mut changed = table.clone();
            entry_mut(&mut changed, &place).node = value;
            if read(&changed).as_deref() == Some(&expected) {
                return Fault::Entry(entry(table, &place).clone());
            }
        }
    }
    Fault::Whole
}

/// The word that `message` quotes after `prefix`.
pub fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message
        .strip_prefix(prefix)?
        .strip_prefix('`')?
        .split('`')
        .next()
}

/// The table, deepest first, that answers differently once it has `key`.
fn lacking(
    table: &Table,
    key: &str,
    message: &str,
    read: &dyn Fn(&Table) -> Option<String>,
) -> Option<Table> {
    let unknown = format!("unknown field `{key}`");
    let tables = places(table)
        .into_iter()
        .filter(|place| matches!(entry(table, place).node, Node::Table(_)));
    let mut tables: Vec<_> = tables.chain([Vec::new()]).collect();
    tables.sort_by_key(|place| std::cmp::Reverse(place.len()));
    tables.into_iter().find_map(|place| {
        let mut changed = table.clone();
        let target = table_mut(&mut changed, &place)?;
        let found = target.clone();
        target.entries.push(Entry {
            key: key.to_owned(),
            path: String::new(),
            line: 0,
            node: Node::Value(toml::Value::Boolean(true)),
        });
        let answer = read(&changed);
        let silent = answer
            .as_deref()
            .is_some_and(|now| now == message || now.starts_with(&unknown));
        (!silent).then_some(found)
    })
}

/// Another value of the same type, and the message if this value is what `message` quotes.
fn altered(node: &Node, message: &str) -> Option<(Node, String)> {
    let swap = |from: &str, to: &str| {
        message
            .contains(from)
            .then(|| message.replacen(from, to, 1))
    };
    let (value, message) = match node {
        Node::Table(_) => (toml::Value::Array(Vec::new()), swap("map", "sequence")?),
        Node::Value(toml::Value::Array(_)) => (
            toml::Value::Table(toml::Table::new()),
            swap("sequence", "map")?,
        ),
        Node::Value(toml::Value::String(text)) => {
            let other = format!("{text}?");
            let message = swap(&format!("{text:?}"), &format!("{other:?}"))
                .or_else(|| swap(&format!("`{text}`"), &format!("`{other}`")))?;
            (toml::Value::String(other), message)
        }
        Node::Value(toml::Value::Integer(n)) => {
            let other = n.checked_add(n.signum())?;
            (
                toml::Value::Integer(other),
                swap(&format!("`{n}`"), &format!("`{other}`"))?,
            )
        }
        Node::Value(toml::Value::Float(x)) => {
            let float = |x: f64| {
                if x.fract() == 0.0 {
                    format!("`{x:.1}`")
                } else {
                    format!("`{x}`")
                }
            };
            (
                toml::Value::Float(x * 3.0),
                swap(&float(*x), &float(x * 3.0))?,
            )
        }
        Node::Value(toml::Value::Boolean(b)) => (
            toml::Value::Boolean(!b),
            swap(&format!("`{b}`"), &format!("`{}`", !b))?,
        ),
        Node::Value(toml::Value::Table(_) | toml::Value::Datetime(_)) => return None,
    };
    Some((Node::Value(value), message))
}

/// Positions from the root to an entry.
type Place = Vec<usize>;

fn places(table: &Table) -> Vec<Place> {
    let mut all = Vec::new();
    for (index, entry) in table.entries.iter().enumerate() {
        all.push(vec![index]);
        if let Node::Table(inner) = &entry.node {
            all.extend(
                places(inner)
                    .into_iter()
                    .map(|below| [vec![index], below].concat()),
            );
        }
    }
    all
}

fn entry<'a>(table: &'a Table, place: &[usize]) -> &'a Entry {
    let found = &table.entries[place[0]];
    match &found.node {
        Node::Table(inner) if place.len() > 1 => entry(inner, &place[1..]),
        _ => found,
    }
}

fn entry_mut<'a>(table: &'a mut Table, place: &[usize]) -> &'a mut Entry {
    let found = &mut table.entries[place[0]];
    if place.len() == 1 {
        return found;
    }
    match &mut found.node {
        Node::Table(inner) => entry_mut(inner, &place[1..]),
        Node::Value(_) => unreachable!("places lead through tables"),
    }
}

fn table_mut<'a>(table: &'a mut Table, place: &[usize]) -> Option<&'a mut Table> {
    if place.is_empty() {
        return Some(table);
    }
    match &mut entry_mut(table, place).node {
        Node::Table(inner) => Some(inner),
        Node::Value(_) => None,
    }
}
