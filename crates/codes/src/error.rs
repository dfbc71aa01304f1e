//! What is wrong with an identifier. No error holds the text that was found: it may be a person's.

/// Why a text is not an identifier, or its check digits do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// It is not written as such an identifier is.
    #[error("not the form of a {kind}: {want} would be right")]
    Form {
        /// What was to be read.
        kind: &'static str,
        /// What would be right.
        want: &'static str,
    },
    /// The check digits are not those of the rest.
    #[error("the check digits of the {kind} are not those of the rest")]
    CheckDigit {
        /// What was checked.
        kind: &'static str,
    },
    /// The date of birth in an identity number is no day.
    #[error("the date of birth in the {kind} is no day")]
    BirthDate {
        /// What was checked.
        kind: &'static str,
    },
    /// It has another length than its country's identifiers have.
    #[error("the {kind} has {found} characters; those of its country have {want}")]
    Length {
        /// What was checked.
        kind: &'static str,
        /// Characters found.
        found: usize,
        /// Characters of its country.
        want: usize,
    },
}

impl CodeError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "identifier-form",
        "identifier-check-digit",
        "identifier-birth-date",
        "identifier-length",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form { .. } => "identifier-form",
            Self::CheckDigit { .. } => "identifier-check-digit",
            Self::BirthDate { .. } => "identifier-birth-date",
            Self::Length { .. } => "identifier-length",
        }
    }
}
