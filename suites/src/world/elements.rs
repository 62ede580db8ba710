//! Chemical elements, from `mendeleev`.

use mendeleev::Element;

use super::pairs::Pairs;

/// Pairs of the name with symbol, atomic number, group and country of discovery.
pub(super) fn facts() -> [Pairs; 4] {
    let mut facts: [Pairs; 4] = Default::default();
    for element in Element::iter() {
        let mut add = |relation: usize, value: String| {
            facts[relation].push((element.name().to_owned(), value))
        };
        add(0, element.symbol().to_owned());
        add(1, element.atomic_number().to_string());
        if let Some(group) = element.group() {
            add(2, group.group_number().to_string());
        }
        // Elements with several countries are omitted: the discovery is shared or disputed.
        if let Some([country]) = element.discovery_location() {
            add(3, (*country).to_owned());
        }
    }
    facts
}
