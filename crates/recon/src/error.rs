//! Why a reconciliation cannot be made.

use quanfu_calendar::Date;

/// Why a reconciliation cannot be made. Nothing of a result is left behind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReconError {
    /// Books and sources do not correspond.
    #[error(
        "source {source_name:?} has no book, or the book of another source stands in its place"
    )]
    BooksMismatch {
        /// The source.
        source_name: String,
    },
    /// No record has a day and none was given.
    #[error("no record has a day, so the business day cannot be told; `as_of` would name it")]
    NoDay,
    /// A file of an earlier run was delivered again with other bytes.
    #[error(
        "{file} of source {source_name:?} is {identity}, which was read before with other bytes; a run that supersedes the earlier result of that day would take it"
    )]
    Redelivered {
        /// The file.
        file: String,
        /// The source.
        source_name: String,
        /// What the file is.
        identity: String,
    },
    /// A file of an earlier run was given again.
    #[error("{file} of source {source_name:?} was reconciled before, in the result of {day}")]
    AlreadyReconciled {
        /// The file.
        file: String,
        /// The source.
        source_name: String,
        /// Business day of the earlier result.
        day: Date,
    },
    /// The superseded result is of another day or chain.
    #[error("the superseded result {what}; it must be of the same day and follow the same result")]
    SupersedesMismatch {
        /// What differs.
        what: String,
    },
    /// Sums beyond the range of amounts.
    #[error("the amounts of one group on edge {edge} go beyond the range of amounts")]
    TooLarge {
        /// The edge.
        edge: String,
    },
    /// The rules ask for more than key groups.
    #[error("a list of key groups cannot be made: {why}")]
    NoKeyRun {
        /// What stands in the way.
        why: String,
    },
    /// A decision cannot be applied to its records.
    #[error("decision {decision} cannot be applied: {why}")]
    DecisionMismatch {
        /// The decision.
        decision: String,
        /// What does not fit.
        why: String,
    },
    /// The rules and the table of rates do not fit together.
    #[error("rates: {why}")]
    Rates {
        /// What does not fit.
        why: String,
    },
    /// The earlier result holds figures that cannot be read.
    #[error("the earlier result is damaged: unreadable {what}")]
    EarlierDamaged {
        /// Where.
        what: String,
    },
    /// The caller asked to stop.
    #[error("the run was stopped")]
    Cancelled,
}

impl ReconError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "books-mismatch",
        "no-day",
        "redelivered",
        "already-reconciled",
        "supersedes-mismatch",
        "too-large",
        "no-key-run",
        "decision-mismatch",
        "run-rates",
        "earlier-damaged",
        "cancelled",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BooksMismatch { .. } => "books-mismatch",
            Self::NoDay => "no-day",
            Self::Redelivered { .. } => "redelivered",
            Self::AlreadyReconciled { .. } => "already-reconciled",
            Self::SupersedesMismatch { .. } => "supersedes-mismatch",
            Self::TooLarge { .. } => "too-large",
            Self::NoKeyRun { .. } => "no-key-run",
            Self::DecisionMismatch { .. } => "decision-mismatch",
            Self::Rates { .. } => "run-rates",
            Self::EarlierDamaged { .. } => "earlier-damaged",
            Self::Cancelled => "cancelled",
        }
    }
}
