//! Names of two words, or of three if there are many people.
//!
//! The words of both lists are short and common, so that most are single tokens in a small vocabulary. No part of a
//! name is unique: a model has to combine the parts.

use rand::seq::index;

use random::stream;

/// Number of names of three words.
pub(super) const NAME_SPACE: usize = GIVEN.len() * GIVEN.len() * FAMILY.len();

/// Names have a middle name if the number of people exceeds the number of two-word names divided by this, so that names
/// are a sparse sample of the combinations.
const MIDDLE_NAME_DIVISOR: usize = 4;

/// `people` distinct random names, in random order.
pub(super) fn unique(people: usize, seed: u64) -> Vec<String> {
    let pairs = GIVEN.len() * FAMILY.len();
    let middle = people > pairs / MIDDLE_NAME_DIVISOR;
    let space = if middle { NAME_SPACE } else { pairs };
    let mut draw = stream(seed, "biographies.names", 0);
    index::sample(&mut draw, space, people.min(space))
        .into_iter()
        .map(|number| {
            let given = GIVEN[number % GIVEN.len()];
            let family = FAMILY[number / GIVEN.len() % FAMILY.len()];
            if middle {
                format!("{given} {} {family}", GIVEN[number / pairs])
            } else {
                format!("{given} {family}")
            }
        })
        .collect()
}

#[rustfmt::skip]
const GIVEN: [&str; 96] = [
    "Ada", "Alba", "Amir", "Anja", "Arlo", "Asha", "Bela", "Boris", "Bruno", "Cara", "Cato", "Chen", "Clara", "Cyrus",
    "Dana", "Dario", "Davi", "Dora", "Edda", "Elio", "Emil", "Enzo", "Esme", "Farah", "Felix", "Finn", "Flora", "Freya",
    "Gita", "Greta", "Hana", "Hugo", "Ida", "Ilse", "Imran", "Ines", "Ivan", "Jana", "Jonas", "Juno", "Kai", "Karim",
    "Kira", "Lars", "Leila", "Lena", "Leo", "Lina", "Luca", "Mara", "Marco", "Mei", "Milo", "Mina", "Nadia", "Nils",
    "Nina", "Nora", "Olga", "Omar", "Orla", "Oscar", "Otto", "Pablo", "Petra", "Pia", "Quinn", "Rafa", "Rana", "Rhea",
    "Rosa", "Ruben", "Runa", "Sami", "Sara", "Selma", "Sina", "Sven", "Tara", "Theo", "Tilda", "Tomas", "Ugo", "Uma",
    "Vera", "Victor", "Vito", "Wanda", "Willa", "Xenia", "Yara", "Yusuf", "Zane", "Zara", "Zeno", "Zora",
];

#[rustfmt::skip]
const FAMILY: [&str; 160] = [
    "Abbas", "Adler", "Aguilar", "Akers", "Alder", "Almeida", "Arden", "Ashby", "Bakker", "Banda", "Barlow", "Bauer",
    "Becker", "Berg", "Birch", "Blake", "Boyle", "Brandt", "Brook", "Calder", "Campos", "Carver", "Castro", "Chan",
    "Clay", "Conti", "Cortez", "Craig", "Dahl", "Darwish", "Delgado", "Diaz", "Doyle", "Drake", "Duarte", "Dunn",
    "Eaton", "Ek", "Ellis", "Engel", "Falk", "Farrow", "Ferrari", "Fischer", "Flint", "Fonseca", "Forde", "Frost",
    "Gallo", "Garcia", "Gibbs", "Glass", "Gomez", "Grant", "Greer", "Haas", "Hale", "Hansen", "Hart", "Hassan", "Hayes",
    "Holm", "Horvat", "Hughes", "Ibarra", "Ito", "Iyer", "Jensen", "Joshi", "Kamara", "Kane", "Kaplan", "Keller", "Khan",
    "Kim", "Klein", "Knight", "Koch", "Kowal", "Lam", "Lange", "Larsen", "Leal", "Lind", "Lopez", "Lowe", "Lund",
    "Maier", "Marsh", "Mbeki", "Mehta", "Mendes", "Mercer", "Miller", "Mori", "Moss", "Munro", "Nash", "Nilsen", "Noble",
    "Novak", "Nunez", "Nyberg", "Okafor", "Olsen", "Ortiz", "Osman", "Otieno", "Palmer", "Park", "Patel", "Pereira",
    "Pike", "Pinto", "Popov", "Price", "Quist", "Ramos", "Rao", "Reed", "Reyes", "Rhodes", "Ricci", "Rossi", "Roth",
    "Rowe", "Sadik", "Salas", "Sato", "Schmidt", "Serra", "Shah", "Silva", "Singh", "Sloan", "Soto", "Stern", "Stone",
    "Suzuki", "Tahir", "Tanaka", "Thorne", "Torres", "Tran", "Turner", "Udo", "Vance", "Varga", "Vega", "Vogel", "Voss",
    "Wagner", "Walsh", "Weber", "Wells", "Wolf", "Yamada", "Young", "Zapata", "Ziegler",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_with_and_without_a_middle_name() {
        for (people, words) in [(300, 2), (20_000, 3)] {
            let names = unique(people, 5);
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), people);
            assert!(names.iter().all(|name| name.split(' ').count() == words));
        }
    }

    #[test]
    fn the_lists_of_names_have_no_duplicates() {
        assert_eq!(GIVEN.iter().collect::<HashSet<_>>().len(), GIVEN.len());
        assert_eq!(FAMILY.iter().collect::<HashSet<_>>().len(), FAMILY.len());
    }
}
