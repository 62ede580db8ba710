//! A claim, the result of its rule, and the verdict.

/// What the recorded runs show about a headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval of the rule is on the side of the claim.
    Supported,
    /// Supported by the rule's interval, from one training run of each block.
    SupportedOnce,
    /// The interval of the rule is on the other side.
    Contradicted,
    /// Contradicted by the rule's interval, from one training run of each block.
    ContradictedOnce,
    /// The rows cannot decide the rule.
    NotTested,
}

impl Verdict {
    /// All verdicts, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Supported,
        Self::SupportedOnce,
        Self::Contradicted,
        Self::ContradictedOnce,
        Self::NotTested,
    ];

    /// The verdict in words, limited to the scale of the recorded runs.
    pub fn words(self) -> &'static str {
        match self {
            Self::Supported => "supported at this scale",
            Self::SupportedOnce => "supported in one run each, at this scale",
            Self::Contradicted => "contradicted at this scale",
            Self::ContradictedOnce => "contradicted in one run each, at this scale",
            Self::NotTested => "not tested at this scale",
        }
    }

    /// The outcome where the blocks have this many seeds in common.
    pub(super) fn by(self, seeds: usize) -> Self {
        match self {
            Self::Supported if seeds < 2 => Self::SupportedOnce,
            Self::Contradicted if seeds < 2 => Self::ContradictedOnce,
            other => other,
        }
    }

    /// The verdict of a headline that requires all `parts`: one contradiction suffices, else the weakest support decides.
    pub(super) fn all(parts: &[Self]) -> Self {
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

/// The result of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What the rule gives.
    pub outcome: Verdict,
    /// Numbers with their intervals, n and seeds; or why there are none.
    pub evidence: String,
    /// Size, parameters, tokens and runs behind the evidence; empty where there is none.
    pub scale: String,
}

impl Finding {
    /// The finding where no recorded run can test the headline.
    pub(super) fn untested(why: impl Into<String>) -> Self {
        Self {
            outcome: Verdict::NotTested,
            evidence: why.into(),
            scale: String::new(),
        }
    }
}

/// A headline with its rule and the finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The claim in our own words.
    pub headline: &'static str,
    /// The published numbers behind it, with their marks; empty where the available sources have none.
    pub published: String,
    /// When it is supported and when contradicted; otherwise it is not tested.
    pub rule: &'static str,
    /// What the rule gives for these rows.
    pub finding: Finding,
}
