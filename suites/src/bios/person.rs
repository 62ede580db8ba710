//! A person with six attributes.

use rand::Rng;
use random::stream;

use super::pools;

/// An attribute, in the order of [`Person::value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Attribute {
    /// Day, month and year.
    BirthDate,
    /// City and region.
    BirthCity,
    /// University.
    University,
    /// Major.
    Major,
    /// Employer.
    Employer,
    /// City of the employer, which follows from it.
    WorkCity,
}

impl Attribute {
    /// All attributes; each has a sentence of a biography.
    pub const ALL: [Self; 6] = [
        Self::BirthDate,
        Self::BirthCity,
        Self::University,
        Self::Major,
        Self::Employer,
        Self::WorkCity,
    ];

    /// Name of its task.
    pub fn name(self) -> &'static str {
        match self {
            Self::BirthDate => "birth_date",
            Self::BirthCity => "birth_city",
            Self::University => "university",
            Self::Major => "major",
            Self::Employer => "employer",
            Self::WorkCity => "work_city",
        }
    }

    /// Number of values, drawn uniformly and independently; `None` if it follows from another attribute.
    pub fn values(self) -> Option<usize> {
        match self {
            Self::BirthDate => Some(pools::DATES.iter().product()),
            Self::BirthCity => Some(pools::CITIES),
            Self::University => Some(pools::UNIVERSITIES),
            Self::Major => Some(pools::MAJORS),
            Self::Employer => Some(pools::EMPLOYERS),
            Self::WorkCity => None,
        }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Person {
    /// Full name.
    pub name: String,
    /// `He` or `She`.
    pub pronoun: &'static str,
    values: [usize; 5],
}

impl Person {
    /// The person with this index and name.
    pub fn new(index: usize, name: usize, seed: u64) -> Self {
        let mut draw = stream(seed, "bios.attributes", index as u64);
        let pronoun = if draw.random_bool(0.5) { "She" } else { "He" };
        let mut values = [0; 5];
        for (value, attribute) in values.iter_mut().zip(Attribute::ALL) {
            *value = draw.random_range(0..attribute.values().unwrap_or(1));
        }
        Self {
            name: pools::name(name),
            pronoun,
            values,
        }
    }

    /// The value of an attribute, as text.
    pub fn value(&self, attribute: Attribute) -> String {
        let [date, city, university, major, employer] = self.values;
        match attribute {
            Attribute::BirthDate => pools::date(date),
            Attribute::BirthCity => pools::city(city),
            Attribute::University => pools::university(university),
            Attribute::Major => pools::major(major),
            Attribute::Employer => pools::employer(employer),
            Attribute::WorkCity => pools::work_city(employer),
        }
    }
}
