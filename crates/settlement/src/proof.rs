//! What a file's own figures prove about its being whole.

use std::fmt;

use quanfu_money::MoneySum;

use crate::entry::closed_list;

closed_list! {
    /// What a proof compares.
    ProofKind {
        /// Opening balance + entries = closing balance.
        Balance = "balance",
        /// Each row's balance = the balance before + the row.
        RunningBalance = "running_balance",
        /// A declared number of records.
        ControlCount = "control_count",
        /// A declared sum of amounts.
        ControlSum = "control_sum",
        /// Pages or statement numbers follow each other.
        PageSequence = "page_sequence",
        /// The file ends as its format says that it must.
        EndMarker = "end_marker",
        /// A digest delivered beside the file.
        Digest = "digest",
    }
}

closed_list! {
    /// What came of a proof.
    Verdict {
        /// Expected and found agree.
        Holds = "holds",
        /// They do not.
        Fails = "fails",
        /// The file does not carry what the proof needs.
        Absent = "absent",
    }
}

/// A compared figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A sum of money.
    Money(MoneySum),
    /// A number of things.
    Count(i128),
    /// Anything else, as written.
    Text(String),
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(sum) => fmt::Display::fmt(sum, f),
            Self::Count(count) => fmt::Display::fmt(count, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// One proof with its figures. `difference` is found minus expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What is compared.
    pub kind: ProofKind,
    /// Which figure of the file, such as `credit count` or a column's name; empty where the kind says it all.
    pub scope: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The figure that the file declares.
    pub expected: Option<Measure>,
    /// The figure that its records give.
    pub found: Option<Measure>,
    /// Found minus expected, for sums and counts.
    pub difference: Option<Measure>,
}

impl Proof {
    /// A proof that the file carries nothing for.
    #[must_use]
    pub fn absent(kind: ProofKind, scope: impl Into<String>) -> Self {
        Self {
            kind,
            scope: scope.into(),
            verdict: Verdict::Absent,
            expected: None,
            found: None,
            difference: None,
        }
    }

    /// Compares two sums of one currency; currencies that differ fail without a difference.
    #[must_use]
    pub fn sums(
        kind: ProofKind,
        scope: impl Into<String>,
        expected: MoneySum,
        found: MoneySum,
    ) -> Self {
        let difference = (expected.currency() == found.currency())
            .then(|| found.minor().checked_sub(expected.minor()))
            .flatten()
            .map(|minor| Measure::Money(MoneySum::from_minor(minor, expected.currency())));
        Self {
            kind,
            scope: scope.into(),
            verdict: if expected == found {
                Verdict::Holds
            } else {
                Verdict::Fails
            },
            expected: Some(Measure::Money(expected)),
            found: Some(Measure::Money(found)),
            difference,
        }
    }

    /// Compares two counts.
    #[must_use]
    pub fn counts(kind: ProofKind, scope: impl Into<String>, expected: u64, found: u64) -> Self {
        let (expected, found) = (i128::from(expected), i128::from(found));
        Self {
            kind,
            scope: scope.into(),
            verdict: if expected == found {
                Verdict::Holds
            } else {
                Verdict::Fails
            },
            expected: Some(Measure::Count(expected)),
            found: Some(Measure::Count(found)),
            difference: Some(Measure::Count(found - expected)),
        }
    }

    /// Compares two texts, such as an end marker or a page number.
    #[must_use]
    pub fn texts(
        kind: ProofKind,
        scope: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let (expected, found) = (expected.into(), found.into());
        Self {
            kind,
            scope: scope.into(),
            verdict: if expected == found {
                Verdict::Holds
            } else {
                Verdict::Fails
            },
            expected: Some(Measure::Text(expected)),
            found: Some(Measure::Text(found)),
            difference: None,
        }
    }

    /// Whether this proof fails.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.verdict == Verdict::Fails
    }
}
