//! Countries and territories, from `keshvar`.

use keshvar::{Country, CountryIterator, SubRegion};

use super::pairs::Pairs;

/// Pairs of (alpha-2 code, common name) of all countries and territories.
pub(super) fn short_names() -> Pairs {
    CountryIterator::new()
        .map(|country| (country.alpha2().to_string(), short_name(&country)))
        .collect()
}

/// Pairs of the common name with subregion, currency code, nationality, dialling code and vehicle registration code.
pub(super) fn facts() -> [Pairs; 5] {
    let mut facts: [Pairs; 5] = Default::default();
    for country in CountryIterator::new() {
        // Territories without a subregion are uninhabited or disputed.
        let Some(subregion) = country.maybe_subregion() else {
            continue;
        };
        let name = short_name(&country);
        let mut add = |relation: usize, value: String| facts[relation].push((name.clone(), value));
        add(0, spaced(subregion));
        add(1, country.currency_code().to_string());
        if let Some(nationality) = country
            .maybe_nationality()
            .filter(|word| !word.contains(','))
        {
            add(2, nationality.to_owned());
        }
        add(3, country.country_code().to_string());
        if let Some(plate) = country.maybe_vehicle_registration_code() {
            add(4, plate.to_owned());
        }
    }
    facts
}

/// The common name of a country; the ISO 3166 short name may be formal or inverted.
fn short_name(country: &Country) -> String {
    let code = country.alpha2().to_string();
    let common = match code.as_str() {
        "BN" => "Brunei",
        "CD" => "DR Congo",
        "FM" => "Micronesia",
        "GB" => "United Kingdom",
        "KP" => "North Korea",
        "KR" => "South Korea",
        "LA" => "Laos",
        "MF" => "Saint Martin",
        "RU" => "Russia",
        "SY" => "Syria",
        "TR" => "Turkey",
        "US" => "United States",
        "VA" => "Vatican City",
        "VG" => "British Virgin Islands",
        "VI" => "US Virgin Islands",
        "VN" => "Vietnam",
        _ => {
            let name = country.iso_short_name();
            name.split(['(', ',']).next().unwrap_or(name).trim()
        }
    };
    common.to_owned()
}

/// The name of a subregion with spaces, such as `Northern Europe` for `NorthernEurope`.
fn spaced(subregion: SubRegion) -> String {
    let mut text = String::new();
    for letter in format!("{subregion:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn common_names_are_unique_and_without_brackets_or_commas() {
        let names: Vec<String> = short_names().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(
            names
                .iter()
                .all(|name| !name.contains(['(', ',']) && !name.is_empty())
        );
        assert!(names.contains(&"Bolivia".to_owned()) && names.contains(&"Congo".to_owned()));
    }
}
