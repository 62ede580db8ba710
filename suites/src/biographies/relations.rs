//! The phrasings of the six relations.

use crate::facts::Relation;

/// The six relations; the numbers of their values are those of `attributes`.
pub(super) fn relations(attributes: &[Vec<String>; 6]) -> Vec<Relation> {
    let sized = |index: usize, relation: Relation| Relation {
        values: Some(attributes[index].len()),
        ..relation
    };
    [
        birthday(),
        birth_city(),
        university(),
        major(),
        employer(),
        home(),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, relation)| sized(index, relation))
    .collect()
}

fn birthday() -> Relation {
    Relation {
        name: "birthday",
        statements: &[
            "{s} was born on {v}",
            "{s} has a birthday on {v}",
            "the birthday of {s} is {v}",
            "{s} came into the world on {v}",
        ],
        questions: &[
            "When was {s} born?",
            "What is the birthday of {s}?",
            "On which day was {s} born?",
        ],
        unseen: "Tell the day on which {s} came into the world.",
        values: None,
    }
}

fn birth_city() -> Relation {
    Relation {
        name: "birth_city",
        statements: &[
            "{s} was born in {v}",
            "{s} is a native of {v}",
            "the birthplace of {s} is {v}",
            "{s} comes from {v}",
        ],
        questions: &[
            "Where was {s} born?",
            "What is the birthplace of {s}?",
            "Where does {s} come from?",
        ],
        unseen: "Of which city is {s} a native?",
        values: None,
    }
}

fn university() -> Relation {
    Relation {
        name: "university",
        statements: &[
            "{s} studied at {v}",
            "{s} graduated from {v}",
            "{s} holds a degree from {v}",
            "the university of {s} was {v}",
        ],
        questions: &[
            "Where did {s} study?",
            "What was the university of {s}?",
            "Where did {s} graduate?",
        ],
        unseen: "From which university does {s} hold a degree?",
        values: None,
    }
}

fn major() -> Relation {
    Relation {
        name: "major",
        statements: &[
            "{s} majored in {v}",
            "{s} has a degree in {v}",
            "the major of {s} was {v}",
            "the field of {s} is {v}",
        ],
        questions: &[
            "What was the major of {s}?",
            "What did {s} major in?",
            "What did {s} study?",
        ],
        unseen: "Which is the field of {s}?",
        values: None,
    }
}

fn employer() -> Relation {
    Relation {
        name: "employer",
        statements: &[
            "{s} works for {v}",
            "{s} is employed by {v}",
            "the employer of {s} is {v}",
            "{s} has a job at {v}",
        ],
        questions: &[
            "Who employs {s}?",
            "Who does {s} work for?",
            "What is the employer of {s}?",
        ],
        unseen: "At which company does {s} have a job?",
        values: None,
    }
}

fn home() -> Relation {
    Relation {
        name: "home_city",
        statements: &[
            "{s} lives in {v}",
            "{s} has a home in {v}",
            "{s} resides in {v}",
            "the home of {s} is {v}",
        ],
        questions: &[
            "Where does {s} live?",
            "Where is the home of {s}?",
            "In which city does {s} live?",
        ],
        unseen: "Name the city in which {s} resides.",
        values: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::check_wording;

    #[test]
    fn phrasings_are_well_formed_and_unique() {
        check_wording(&super::relations(&super::super::values::attributes()));
    }
}
