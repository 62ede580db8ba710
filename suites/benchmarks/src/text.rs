//! Normalisations of answers and texts, character by character as the field's programs in Python do.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex::Regex;

use crate::task::{ExactMatch, Overlap};

/// Whether Python's `str.strip` removes it: Unicode whitespace and the four separators of ASCII.
pub fn is_python_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// As Python's `str.strip`.
pub fn python_strip(text: &str) -> &str {
    text.trim_matches(is_python_space)
}

/// As Python's `str.capitalize`.
pub fn python_capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + &letters.as_str().to_lowercase()
}

/// The texts of a list literal of Python, such as `['a', "b's"]`; none if it is not one.
pub fn python_list(literal: &str) -> Option<Vec<String>> {
    let mut letters = python_strip(literal).chars().peekable();
    (letters.next()? == '[').then_some(())?;
    let mut texts = Vec::new();
    loop {
        while letters
            .next_if(|letter| is_python_space(*letter) || *letter == ',')
            .is_some()
        {}
        match letters.next()? {
            ']' => return letters.next().is_none().then_some(texts),
            quote @ ('\'' | '"') => texts.push(python_text(&mut letters, quote)?),
            _ => return None,
        }
    }
}

/// A text literal after its opening quote.
fn python_text(letters: &mut impl Iterator<Item = char>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            letter if letter == quote => return Some(text),
            '\\' => {
                let digits = match letters.next()? {
                    'n' => {
                        text.push('\n');
                        continue;
                    }
                    't' => {
                        text.push('\t');
                        continue;
                    }
                    'r' => {
                        text.push('\r');
                        continue;
                    }
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    letter @ ('\\' | '\'' | '"') => {
                        text.push(letter);
                        continue;
                    }
                    letter => {
                        text.extend(['\\', letter]);
                        continue;
                    }
                };
                let code: String = letters.take(digits).collect();
                text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
            }
            letter => text.push(letter),
        }
    }
}

/// HellaSwag's texts without their markup, in the order of lm-evaluation-harness.
pub fn hellaswag(text: &str) -> String {
    let text = python_strip(text).replace(" [title]", ". ");
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // `\[.*?\]`, where the dot is no line feed.
    while let Some(start) = rest.find('[') {
        let inside = &rest[start..];
        let end = inside
            .find(']')
            .filter(|end| !inside[..*end].contains('\n'));
        plain.push_str(&rest[..start]);
        match end {
            Some(end) => rest = &inside[end + 1..],
            None => {
                plain.push('[');
                rest = &inside[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.replace("  ", " ")
}

/// A context of HellaSwag whose last, unfinished sentence begins in upper case: the rule for files that do not have it apart.
pub fn capitalised_last(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '"', '\'', ')', ']']) {
        return text.to_owned();
    }
    let starts = [". ", "! ", "? "].iter().filter_map(|end| text.rfind(end));
    match starts.max() {
        Some(start) => {
            let (before, last) = text.split_at(start + 2);
            before.to_owned() + &python_capitalised(last)
        }
        None => text.to_owned(),
    }
}

/// The text before the first of the stop texts.
pub fn cut<'a>(text: &'a str, stop: &[String]) -> &'a str {
    let ends = stop.iter().filter(|stop| !stop.is_empty());
    let end = ends.filter_map(|stop| text.find(stop.as_str())).min();
    &text[..end.unwrap_or(text.len())]
}

/// What `exact_match` compares.
pub struct Matcher {
    ignore: Vec<Regex>,
    ignore_case: bool,
    ignore_punctuation: bool,
}

impl Matcher {
    /// The comparison that a task declares; its regular expressions were checked when it was read.
    pub fn new(config: &ExactMatch) -> Self {
        Self {
            ignore: config
                .ignore
                .iter()
                .filter_map(|pattern| Regex::new(pattern).ok())
                .collect(),
            ignore_case: config.ignore_case,
            ignore_punctuation: config.ignore_punctuation,
        }
    }

    /// The text that is compared; whitespace is kept.
    pub fn reduced(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for pattern in &self.ignore {
            text = pattern.replace_all(&text, "").into_owned();
        }
        if self.ignore_case {
            text = text.to_lowercase();
        }
        if self.ignore_punctuation {
            text.retain(|letter| !letter.is_ascii_punctuation());
        }
        text
    }

    /// Whether an answer is one of the accepted ones.
    pub fn is_match(&self, answer: &str, accepted: &[String]) -> bool {
        let answer = self.reduced(answer);
        accepted.iter().any(|other| self.reduced(other) == answer)
    }
}

impl Overlap {
    /// The tokens that are compared.
    pub fn normalised(self, text: &str) -> String {
        let text = match self {
            Self::Squad | Self::Hotpotqa => {
                let lower = text.to_lowercase();
                lower
                    .chars()
                    .filter(|letter| !letter.is_ascii_punctuation())
                    .collect()
            }
            Self::Triviaqa => {
                let lower = text.to_lowercase();
                let spaced = |letter: char| {
                    letter.is_ascii_punctuation() || matches!(letter, '‘' | '’' | '´')
                };
                lower.replace(spaced, " ")
            }
        };
        let text: String = text;
        let without = articles().replace_all(&text, " ");
        let words = without
            .split(is_python_space)
            .filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Whether an answer is one of the accepted ones, and the largest overlap of its words with theirs.
    pub fn em_and_f1(self, answer: &str, accepted: &[String]) -> (bool, f64) {
        let answer = self.normalised(answer);
        let mut best = (false, 0.0);
        for other in accepted {
            let other = self.normalised(other);
            best.0 |= answer == other;
            best.1 = f64::max(best.1, self.f1(&answer, &other));
        }
        best
    }

    fn f1(self, answer: &str, accepted: &str) -> f64 {
        let closed = ["yes", "no", "noanswer"];
        let is_closed = closed.contains(&answer) || closed.contains(&accepted);
        if self == Self::Hotpotqa && is_closed && answer != accepted {
            return 0.0;
        }
        let mut left: HashMap<&str, usize> = HashMap::new();
        for word in accepted.split(' ').filter(|word| !word.is_empty()) {
            *left.entry(word).or_default() += 1;
        }
        let total: usize = left.values().sum();
        let words: Vec<&str> = answer.split(' ').filter(|word| !word.is_empty()).collect();
        let mut common = 0;
        for word in &words {
            if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
                *count -= 1;
                common += 1;
            }
        }
        if common == 0 {
            return 0.0;
        }
        let (precision, recall) = (
            f64::from(common) / words.len() as f64,
            f64::from(common) / total as f64,
        );
        2.0 * precision * recall / (precision + recall)
    }
}

fn articles() -> &'static Regex {
    static ARTICLES: OnceLock<Regex> = OnceLock::new();
    ARTICLES.get_or_init(|| match Regex::new(r"\b(a|an|the)\b") {
        Ok(articles) => articles,
        Err(error) => panic!("{error}"),
    })
}

/// Whether an accepted answer, as it is, in lower case or capitalised, is part of the given one: the metric of PopQA.
pub fn contains(answer: &str, accepted: &[String]) -> bool {
    accepted.iter().any(|other| {
        answer.contains(other.as_str())
            || answer.contains(&other.to_lowercase())
            || answer.contains(&python_capitalised(other))
    })
}

/// The names of the functions and classes that Python code defines at its top level.
pub(crate) fn definitions(code: &str) -> Vec<String> {
    let name = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let rest = line
            .strip_prefix("def ")
            .or_else(|| line.strip_prefix("class "))?
            .trim_start();
        let is_end = |character: char| !(character == '_' || character.is_alphanumeric());
        Some(rest.split(is_end).next()?.to_owned())
    };
    code.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nq() -> Matcher {
        let text = include_str!("../tasks/nq_open.toml");
        let task = crate::Task::parse("nq_open", text).unwrap();
        Matcher::new(&task.generate.unwrap().exact_match)
    }

    #[test]
    fn definitions_are_those_at_the_top_level() {
        let code = "import math\r\nclass A(B):\n    def f(self):\n        pass\nasync def g(x): pass\ndef  h (x):\n  pass\ndefine = 1\n";
        assert_eq!(definitions(code), ["A", "g", "h"]);
    }

    #[test]
    fn exact_match_reduces_in_the_order_of_the_harness() {
        let nq = nq();
        assert_eq!(nq.reduced("The Beatles"), "beatles");
        // The expression has `The` and `the`, and case is ignored after it.
        assert_eq!(nq.reduced("THE Beatles"), "the beatles");
        assert_eq!(nq.reduced("rock & roll"), "rock  roll");
        assert_eq!(nq.reduced("U.S."), "us");
        assert_eq!(nq.reduced("“quoted” – dash"), "“quoted” – dash");
        assert!(nq.is_match("", &["---".to_owned()]));
        assert!(
            !nq.is_match("Paris ", &["Paris".to_owned()]),
            "nothing is stripped"
        );
    }

    #[test]
    fn overlaps_normalise_as_their_data_sets_do() {
        assert_eq!(
            Overlap::Squad.normalised("The U.S. of a\u{a0}Day"),
            "us of day"
        );
        assert_eq!(
            Overlap::Triviaqa.normalised("The U.S._of ‘a’ Day"),
            "u s of day"
        );
        let accepted = ["the cat sat".to_owned(), "dog".to_owned()];
        let (em, f1) = Overlap::Squad.em_and_f1("a cat", &accepted);
        assert!(!em && (f1 - 2.0 / 3.0).abs() < 1e-12);
        let (em, f1) = Overlap::Squad.em_and_f1("Dog!", &accepted);
        assert!(em && f1 == 1.0);
        let yes = ["yes it is".to_owned()];
        assert_eq!(Overlap::Hotpotqa.em_and_f1("yes", &yes).1, 0.0);
        assert!(Overlap::Squad.em_and_f1("yes", &yes).1 > 0.0);
        assert_eq!(Overlap::Squad.em_and_f1("", &["".to_owned()]), (true, 0.0));
    }

    #[test]
    fn literals_of_python_are_read() {
        let list = python_list(r#"['a', "b's", 'c\'d', '\xa0\u200d', 'e\\f']"#).unwrap();
        assert_eq!(list, ["a", "b's", "c'd", "\u{a0}\u{200d}", "e\\f"]);
        assert_eq!(python_list("[]"), Some(vec![]));
        for broken in ["", "['a'", "['a]", "[a]", "['\\xzz']", "['a'] b"] {
            assert_eq!(python_list(broken), None, "{broken}");
        }
    }

    #[test]
    fn hellaswag_is_cleaned_in_the_order_of_the_harness() {
        assert_eq!(
            hellaswag(" [header] How to [title] Do it. [step] Foo "),
            " How to. Do it. Foo"
        );
        assert_eq!(hellaswag("a [unclosed b"), "a [unclosed b");
        assert_eq!(
            capitalised_last("He sat. then the Man"),
            "He sat. Then the man"
        );
        assert_eq!(capitalised_last("He sat."), "He sat.");
        assert_eq!(capitalised_last("no sentence"), "no sentence");
    }

    #[test]
    fn answers_are_cut_before_the_first_stop() {
        let stop = ["\n".to_owned(), ".".to_owned(), ",".to_owned()];
        assert_eq!(cut("December 14, 1972", &stop), "December 14");
        assert_eq!(cut("none", &stop), "none");
        assert_eq!(cut("x", &[String::new()]), "x");
    }

    #[test]
    fn contains_is_that_of_popqa() {
        let accepted = ["politician".to_owned()];
        assert!(contains("He is a Politician today", &accepted));
        assert!(!contains("POLITICIAN", &accepted));
    }
}
