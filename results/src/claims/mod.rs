//! The paper's headlines against the rows: each has a rule, and the rule alone gives the verdict.
//!
//! The headlines are those of Berges et al. (arXiv 2412.09764), abstract and section 5, in our own words. A verdict speaks of
//! the scale that ran here and of no other: a headline about models that nobody trained here is not tested, whatever
//! small models did. A rule that is asked and cannot decide gives "not tested" as well, and says what was undecided.

//! One training run of each block shows how sure the answers are and not how another seed would do, so that a verdict from
//! one run each is an outcome of its own: weaker, and never counted with those from several.

mod comparison_scope;
mod compute_gain;
mod evidence;
mod experts;
mod headlines;
mod layers;
mod rules;

pub use headlines::claims;

/// What the rows here say about a headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval of the rule is on the side of the claim.
    Supported,
    /// Supported by the rule's interval, from one training run of each block.
    SupportedOnce,
    /// The interval of the rule is on the other side.
    Contradicted,
    /// The same against it.
    ContradictedOnce,
    /// The rows cannot decide the rule.
    NotTested,
}

impl Verdict {
    /// From the strongest to none.
    pub const ALL: [Self; 5] = [
        Self::Supported,
        Self::SupportedOnce,
        Self::Contradicted,
        Self::ContradictedOnce,
        Self::NotTested,
    ];

    /// Every verdict is about this scale.
    pub fn words(self) -> &'static str {
        match self {
            Self::Supported => "supported at this scale",
            Self::SupportedOnce => "supported in one run each, at this scale",
            Self::Contradicted => "contradicted at this scale",
            Self::ContradictedOnce => "contradicted in one run each, at this scale",
            Self::NotTested => "not tested at this scale",
        }
    }

    /// The outcome where so many seeds were in common.
    fn by(self, seeds: usize) -> Self {
        match self {
            Self::Supported if seeds < 2 => Self::SupportedOnce,
            Self::Contradicted if seeds < 2 => Self::ContradictedOnce,
            other => other,
        }
    }

    /// Of a headline that needs all of these: one against it is enough, and the weakest for it decides.
    fn all(parts: &[Self]) -> Self {
        let has = |outcome: Self| parts.contains(&outcome);
        if has(Self::Contradicted) {
            Self::Contradicted
        } else if has(Self::ContradictedOnce) {
            Self::ContradictedOnce
        } else if parts.is_empty() || has(Self::NotTested) {
            Self::NotTested
        } else if has(Self::SupportedOnce) {
            Self::SupportedOnce
        } else {
            Self::Supported
        }
    }
}

/// What a rule made of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What the rule gives.
    pub outcome: Verdict,
    /// Numbers with their interval, n and seeds; or why there are none.
    pub evidence: String,
    /// Size, parameters, tokens and runs behind the evidence; empty where there is none.
    pub scale: String,
}

impl Finding {
    /// Nothing here can speak to it.
    fn untested(why: impl Into<String>) -> Self {
        Self {
            outcome: Verdict::NotTested,
            evidence: why.into(),
            scale: String::new(),
        }
    }
}

/// A headline with its rule and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// In our own words.
    pub headline: &'static str,
    /// The published numbers it rests on, with their marks; empty where the sources that could be read have none.
    pub published: String,
    /// When it is supported and when contradicted; in all other cases it is not tested.
    pub rule: &'static str,
    /// What the rule gives for these rows.
    pub finding: Finding,
}

#[cfg(test)]
pub mod tests;
