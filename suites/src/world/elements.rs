//! Chemical elements, from `mendeleev`.

use mendeleev::Element;

use super::Pairs;

/// Symbol, atomic number, group and place of discovery, by name.
pub(super) fn facts() -> [Pairs; 4] {
    let mut facts: [Pairs; 4] = Default::default();
    for element in Element::iter() {
        let mut tell = |relation: usize, value: String| {
            facts[relation].push((element.name().to_owned(), value))
        };
        tell(0, element.symbol().to_owned());
        tell(1, element.atomic_number().to_string());
        if let Some(group) = element.group() {
            tell(2, group.group_number().to_string());
        }
        // Several places mean a shared or disputed discovery.
        if let Some([place]) = element.discovery_location() {
            tell(3, (*place).to_owned());
        }
    }
    facts
}
