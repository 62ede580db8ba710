//! The values of names and attributes, in pools of the sizes of bioS. The words are our own.
//!
//! All values are combinations of a few words, so that no value has a token of its own in a vocabulary of some thousands.

use crate::biographies::MONTHS;

/// Number of first names, middle names and last names.
pub(super) const NAME_PARTS: [usize; 3] = [400, 400, 1000];
/// Number of full names, N0 of the paper: 1.6e8.
pub(super) const NAMES: usize = 400 * 400 * 1000;
/// Days of a month, months and years of a birth date.
pub(super) const DATES: [usize; 3] = [28, 12, 200];
/// Number of cities of birth.
pub(super) const CITIES: usize = 200;
/// Number of universities.
pub(super) const UNIVERSITIES: usize = 300;
/// Number of majors.
pub(super) const MAJORS: usize = 100;
/// Number of employers.
pub(super) const EMPLOYERS: usize = 263;
/// Employers in the first city of work; the others are in [`WORK_CITIES`] - 1 further ones.
const IN_FIRST_CITY: usize = 36;
/// Number of distinct cities of work.
const WORK_CITIES: usize = 133;

/// The name with this number below [`NAMES`].
pub(super) fn name(number: usize) -> String {
    let [first, middle, _] = NAME_PARTS;
    format!(
        "{} {} {}",
        first_name(number % first),
        middle_name(number / first % middle),
        last_name(number / first / middle)
    )
}

fn first_name(number: usize) -> String {
    pair(&FIRST, &FIRST_ENDINGS, number)
}

fn middle_name(number: usize) -> String {
    pair(&MIDDLE, &MIDDLE_ENDINGS, number)
}

fn last_name(number: usize) -> String {
    let (start, rest) = (number % 20, number / 20);
    format!(
        "{}{}{}",
        LAST[start],
        LAST_MIDDLES[rest % 5],
        LAST_ENDINGS[rest / 5]
    )
}

fn pair(starts: &[&str; 20], endings: &[&str; 20], number: usize) -> String {
    format!("{}{}", starts[number % 20], endings[number / 20])
}

/// The date with this number below the product of [`DATES`], such as `October 2, 1996`.
pub(super) fn date(number: usize) -> String {
    let [days, months, _] = DATES;
    let (day, rest) = (number % days + 1, number / days);
    format!("{} {day}, {}", MONTHS[rest % months], 1900 + rest / months)
}

/// The city with this number below [`CITIES`].
pub(super) fn city(number: usize) -> String {
    let place = format!("{}{}", PLACES[number % 40], PLACE_ENDINGS[number / 40]);
    // The region follows from the city.
    format!("{place}, {}", REGIONS[number * 7 % REGIONS.len()])
}

/// The university with this number below [`UNIVERSITIES`].
pub(super) fn university(number: usize) -> String {
    format!("{} {}", SCHOOLS[number % 60], SCHOOL_KINDS[number / 60])
}

/// The major with this number below [`MAJORS`].
pub(super) fn major(number: usize) -> String {
    format!("{} {}", FIELDS[number % 10], SUBJECTS[number / 10])
}

/// The employer with this number below [`EMPLOYERS`].
pub(super) fn employer(number: usize) -> String {
    format!("{} {}", FOUNDERS[number % 33], TRADES[number / 33])
}

/// The city where an employer is, a function of the employer.
pub(super) fn work_city(employer: usize) -> String {
    match employer.checked_sub(IN_FIRST_CITY) {
        None => city(0),
        Some(other) => city(1 + other % (WORK_CITIES - 1)),
    }
}

#[rustfmt::skip]
const FIRST: [&str; 20] = [
    "Al", "Ber", "Cor", "Dan", "El", "Fin", "Gar", "Hel", "Is", "Jor", "Kel", "Lor", "Mar", "Nor", "Os", "Per", "Ros", "Sam", "Tam", "Val",
];
#[rustfmt::skip]
const FIRST_ENDINGS: [&str; 20] = [
    "a", "an", "bert", "den", "ena", "ette", "fred", "go", "ia", "ina", "is", "ko", "la", "lan", "mir", "na", "on", "ra", "ric", "wen",
];
#[rustfmt::skip]
const MIDDLE: [&str; 20] = [
    "Am", "Ben", "Cal", "Dor", "Em", "Far", "Gil", "Har", "Il", "Jas", "Kat", "Len", "Mel", "Nat", "Or", "Pat", "Quin", "Rab", "Sel", "Tor",
];
#[rustfmt::skip]
const MIDDLE_ENDINGS: [&str; 20] = [
    "ba", "by", "dor", "ek", "el", "essa", "ian", "ice", "ien", "ima", "in", "isa", "ley", "lyn", "mond", "ney", "or", "ric", "us", "yn",
];
#[rustfmt::skip]
const LAST: [&str; 20] = [
    "Ash", "Brad", "Carl", "Dun", "Ever", "Fair", "Gold", "Hart", "Iver", "Kings", "Lang", "Mill", "North", "Oak", "Pen", "Rad", "Stan", "Thorn", "Ulls", "West",
];
const LAST_MIDDLES: [&str; 5] = ["", "al", "en", "ing", "ow"];
const LAST_ENDINGS: [&str; 10] = [
    "berg", "by", "dale", "field", "ford", "ham", "land", "man", "son", "ton",
];
#[rustfmt::skip]
const PLACES: [&str; 40] = [
    "Alder", "Amber", "Arling", "Bar", "Beau", "Birch", "Black", "Brent", "Camp", "Cedar", "Clay", "Clear", "Cold", "Cross", "Deer",
    "Eagle", "East", "Elm", "Fern", "Flint", "Fox", "Glen", "Grand", "Green", "Hazel", "High", "Holly", "Iron", "Lake", "Long",
    "Maple", "Mead", "New", "Pine", "Red", "River", "Rock", "Silver", "Stone", "Winter",
];
const PLACE_ENDINGS: [&str; 5] = ["brook", "haven", "mont", "port", "ville"];
#[rustfmt::skip]
const REGIONS: [&str; 50] = [
    "AK", "AL", "AR", "AZ", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "IA", "ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME",
    "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN",
    "TX", "UT", "VA", "VT", "WA", "WI", "WV", "WY",
];
#[rustfmt::skip]
const SCHOOLS: [&str; 60] = [
    "Abbot", "Ainsley", "Barnard", "Bishop", "Blair", "Bryant", "Carter", "Chester", "Clark", "Cooper", "Dalton", "Dawson", "Dexter",
    "Drew", "Elliot", "Emerson", "Fisher", "Foster", "Franklin", "Fuller", "Gibson", "Gordon", "Graham", "Hamilton", "Harper", "Hobart",
    "Hunter", "Irving", "Jasper", "Keats", "Kendall", "Lawrence", "Lincoln", "Logan", "Madison", "Marlow", "Mason", "Milton", "Morgan",
    "Nelson", "Newton", "Norton", "Oliver", "Palmer", "Parker", "Porter", "Quincy", "Ramsey", "Ross", "Russell", "Sawyer", "Shelby",
    "Simmons", "Sumner", "Taylor", "Tucker", "Turner", "Vernon", "Walker", "Webster",
];
const SCHOOL_KINDS: [&str; 5] = [
    "Academy",
    "College",
    "Institute",
    "School of Arts",
    "University",
];
const FIELDS: [&str; 10] = [
    "Applied",
    "Clinical",
    "Comparative",
    "Digital",
    "Early",
    "General",
    "Industrial",
    "Modern",
    "Social",
    "Theoretical",
];
const SUBJECTS: [&str; 10] = [
    "Biology",
    "Chemistry",
    "Economics",
    "Education",
    "Engineering",
    "History",
    "Linguistics",
    "Mathematics",
    "Medicine",
    "Physics",
];
#[rustfmt::skip]
const FOUNDERS: [&str; 33] = [
    "Acorn", "Apex", "Atlas", "Beacon", "Castle", "Comet", "Coral", "Crown", "Delta", "Ember", "Falcon", "Forge", "Harbor", "Horizon",
    "Jupiter", "Lantern", "Liberty", "Lotus", "Matrix", "Meridian", "Mosaic", "Nova", "Orbit", "Pacific", "Phoenix", "Pioneer",
    "Prairie", "Quartz", "Sierra", "Summit", "Union", "Vertex", "Zenith",
];
const TRADES: [&str; 8] = [
    "Air", "Bank", "Energy", "Foods", "Media", "Motors", "Steel", "Systems",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn distinct(count: usize, value: impl Fn(usize) -> String) {
        let values: HashSet<String> = (0..count).map(value).collect();
        assert_eq!(values.len(), count);
        assert!(values.iter().all(|value| !value.contains('.')));
    }

    #[test]
    fn pools_have_the_sizes_of_the_paper() {
        let [first, middle, last] = NAME_PARTS;
        distinct(first, first_name);
        distinct(middle, middle_name);
        distinct(last, last_name);
        distinct(DATES.iter().product(), date);
        distinct(CITIES, city);
        distinct(UNIVERSITIES, university);
        distinct(MAJORS, major);
        distinct(EMPLOYERS, employer);
        let cities: Vec<String> = (0..EMPLOYERS).map(work_city).collect();
        assert_eq!(cities.iter().collect::<HashSet<_>>().len(), WORK_CITIES);
        assert_eq!(
            cities.iter().filter(|found| **found == city(0)).count(),
            IN_FIRST_CITY
        );
        assert_eq!(name(0), "Ala Amba Ashberg");
        assert_eq!(date(0), "January 1, 1900");
    }
}
