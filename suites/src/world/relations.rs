//! The phrasings of the relations.

use crate::facts::Relation;

/// Number of relations.
pub(super) const RELATIONS: usize = 12;

/// The relations, in the order of the facts.
pub(super) fn relations() -> Vec<Relation> {
    TEXTS
        .iter()
        .map(|&(name, statements, questions, unseen)| Relation {
            name,
            statements,
            questions,
            unseen,
            // Real values are not uniformly distributed, so prior bits are not defined.
            values: None,
        })
        .collect()
}

/// Name, statements, questions of the train split, and the question of the test split.
type Phrasings = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const TEXTS: [Phrasings; RELATIONS] = [
    (
        "country",
        &[
            "{s} is in {v}",
            "{s} is a place in {v}",
            "the country of {s} is {v}",
            "{s} belongs to {v}",
        ],
        &[
            "Where is {s}?",
            "What is the country of {s}?",
            "In which country is {s}?",
        ],
        "To which country does {s} belong?",
    ),
    (
        "region",
        &[
            "{s} lies in {v}",
            "the region of {s} is {v}",
            "{s} is in the region {v}",
            "{s} is part of {v}",
        ],
        &[
            "What is the region of {s}?",
            "In which region is {s}?",
            "In which region does {s} lie?",
        ],
        "Of which region is {s} part?",
    ),
    (
        "subregion",
        &[
            "{s} is a country of {v}",
            "the part of the world of {s} is {v}",
            "on the map {s} is in {v}",
        ],
        &[
            "In which part of the world is {s}?",
            "Where on the map is {s}?",
        ],
        "Name the part of the world that {s} is in.",
    ),
    (
        "currency",
        &[
            "{s} pays in {v}",
            "the currency of {s} is {v}",
            "people in {s} pay with {v}",
        ],
        &[
            "What is the currency of {s}?",
            "What do people in {s} pay with?",
        ],
        "In which currency does {s} pay?",
    ),
    (
        "nationality",
        &[
            "a person from {s} is {v}",
            "the people of {s} are {v}",
            "someone of {s} is called {v}",
        ],
        &["What are the people of {s}?", "What is a person from {s}?"],
        "What is someone of {s} called?",
    ),
    (
        "dialling_code",
        &[
            "the dialling code of {s} is {v}",
            "to call {s} dial {v}",
            "phone numbers in {s} start with {v}",
        ],
        &[
            "What is the dialling code of {s}?",
            "What do you dial to call {s}?",
        ],
        "With what do phone numbers in {s} start?",
    ),
    (
        "plate",
        &[
            "cars from {s} carry {v}",
            "the plate of {s} is {v}",
            "the letters for {s} on cars are {v}",
        ],
        &["What is the plate of {s}?", "What do cars from {s} carry?"],
        "Which letters are on cars for {s}?",
    ),
    (
        "currency_name",
        &[
            "{s} stands for {v}",
            "the code {s} means {v}",
            "{s} is short for {v}",
        ],
        &["What does {s} stand for?", "What does the code {s} mean?"],
        "For what is {s} short?",
    ),
    (
        "symbol",
        &[
            "the symbol of {s} is {v}",
            "{s} is written {v}",
            "chemists write {s} as {v}",
        ],
        &["What is the symbol of {s}?", "How is {s} written?"],
        "As what do chemists write {s}?",
    ),
    (
        "atomic_number",
        &[
            "the atomic number of {s} is {v}",
            "the protons of {s} number {v}",
            "{s} is element {v}",
        ],
        &[
            "What is the atomic number of {s}?",
            "How many protons has {s}?",
        ],
        "Which element is {s} by number?",
    ),
    (
        "group",
        &[
            "{s} is in group {v}",
            "the group of {s} is {v}",
            "{s} stands in column {v}",
        ],
        &["In which group is {s}?", "What is the group of {s}?"],
        "In which column does {s} stand?",
    ),
    (
        "discovery",
        &[
            "{s} was discovered in {v}",
            "{s} was first found in {v}",
            "the discovery of {s} was made in {v}",
        ],
        &["Where was {s} discovered?", "Where was {s} first found?"],
        "Where was the discovery of {s} made?",
    ),
];

#[cfg(test)]
mod tests {
    use crate::facts::check_wording;

    #[test]
    fn phrasings_are_well_formed_and_unique() {
        check_wording(&super::relations());
    }
}
