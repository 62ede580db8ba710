//! The sentences of a biography: 50 templates for each attribute, ten ways to say it times five insertions.

use super::person::Attribute;

/// Number of templates of each attribute.
pub(super) const TEMPLATES: usize = WORDINGS * INSERTIONS.len();

const WORDINGS: usize = 10;
const INSERTIONS: [&str; 5] = [
    "",
    ", as records show,",
    ", by all accounts,",
    ", it is documented,",
    ", as is well known,",
];

/// The sentence of `attribute` in a template below [`TEMPLATES`] up to its value, without the space before it: the value and
/// a full stop follow. `subject` is the full name or a pronoun.
pub(super) fn opening(attribute: Attribute, template: usize, subject: &str) -> String {
    let wording = wordings(attribute)[template % WORDINGS];
    format!("{subject}{} {wording}", INSERTIONS[template / WORDINGS])
}

fn wordings(attribute: Attribute) -> [&'static str; WORDINGS] {
    match attribute {
        Attribute::BirthDate => [
            "was born on",
            "came into the world on",
            "has a birthday on",
            "celebrates the day of birth, which was",
            "entered life on",
            "was delivered on",
            "saw the light of day on",
            "counts the years from",
            "took a first breath on",
            "arrived in this world on",
        ],
        Attribute::BirthCity => [
            "was born in",
            "is a native of",
            "hails from",
            "has roots in",
            "spent the first days in",
            "comes from",
            "began life in",
            "is originally from",
            "owes the first memories to",
            "calls as birthplace the town of",
        ],
        Attribute::University => [
            "studied at",
            "graduated from",
            "holds a degree from",
            "was a student of",
            "attended lectures at",
            "received an education at",
            "was taught by the professors of",
            "earned a diploma from",
            "completed the studies at",
            "is an alumnus of",
        ],
        Attribute::Major => [
            "majored in",
            "specialised in",
            "has a degree in",
            "chose the subject of",
            "devoted the studies to",
            "concentrated on",
            "was trained in",
            "wrote a thesis in",
            "took courses in",
            "passed the examinations in",
        ],
        Attribute::Employer => [
            "works for",
            "is employed by",
            "has a position at",
            "earns a living at",
            "is on the staff of",
            "found a job at",
            "pursues a career at",
            "is engaged by",
            "was hired by",
            "contributes to the success of",
        ],
        Attribute::WorkCity => [
            "works in",
            "has an office in",
            "goes to work in",
            "is employed in",
            "spends the working days in",
            "has a desk in",
            "practises the profession in",
            "commutes to",
            "found work in",
            "gained experience in",
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_templates_differ() {
        let openings: HashSet<String> = Attribute::ALL
            .into_iter()
            .flat_map(|attribute| {
                (0..TEMPLATES).map(move |template| opening(attribute, template, "She"))
            })
            .collect();
        assert_eq!(openings.len(), 6 * TEMPLATES);
        assert!(
            openings
                .iter()
                .all(|text| text.starts_with("She") && !text.ends_with(' '))
        );
    }
}
