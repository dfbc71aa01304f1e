//! [`TrailError`]: why a step cannot be replayed, or does not give its figure.

/// Why a step cannot be replayed, or does not give the figure that it claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrailError {
    /// A text is no number.
    #[error("\"{found}\" is no number such as 12, -1.25 or 1/3")]
    Number {
        /// The text found.
        found: String,
    },
    /// A formula cannot be read.
    #[error(
        "formula \"{formula}\" cannot be read at character {at}: right are names, numbers, + - * /, parentheses, min, max, above and at_least"
    )]
    Formula {
        /// The formula.
        formula: String,
        /// The place of the first wrong character, counted from 1.
        at: usize,
    },
    /// A formula names an input that the step does not have.
    #[error("the formula names \"{name}\", which is not among the inputs")]
    UnknownInput {
        /// The name.
        name: String,
    },
    /// A division by zero.
    #[error("division by zero")]
    DivideByZero,
    /// A number needs more than the 128 bits it is computed in.
    #[error("the number leaves the range that can be held exactly")]
    Overflow,
    /// The formula gives another figure than the step says.
    #[error("rule {rule}: the formula gives {found}, the step says {claimed}")]
    WrongExact {
        /// The rule of the step.
        rule: String,
        /// What the formula gives.
        found: String,
        /// What the step says.
        claimed: String,
    },
    /// The rounded figure is a whole unit of its last decimal away from the exact one, or more.
    #[error("rule {rule}: {exact} does not round to {rounded}")]
    WrongRounded {
        /// The rule of the step.
        rule: String,
        /// The exact figure.
        exact: String,
        /// The rounded figure of the step.
        rounded: String,
    },
}

impl TrailError {
    /// Every code that [`TrailError::code`] can give.
    pub const CODES: &[&str] = &[
        "trail-number",
        "trail-formula",
        "trail-unknown-input",
        "trail-division-by-zero",
        "trail-overflow",
        "trail-wrong-exact",
        "trail-wrong-rounded",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Number { .. } => "trail-number",
            Self::Formula { .. } => "trail-formula",
            Self::UnknownInput { .. } => "trail-unknown-input",
            Self::DivideByZero => "trail-division-by-zero",
            Self::Overflow => "trail-overflow",
            Self::WrongExact { .. } => "trail-wrong-exact",
            Self::WrongRounded { .. } => "trail-wrong-rounded",
        }
    }
}
