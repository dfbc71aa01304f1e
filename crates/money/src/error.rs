//! [`MoneyError`]: why an amount of money cannot be what was asked for.

use crate::{AmountError, Currency, Decimal};

/// Why an amount of money cannot be what was asked for.
///
/// ```
/// use quanfu_money::{Currency, Money};
/// let yuan = Money::from_minor(100, Currency::CNY);
/// let error = yuan.checked_add(Money::from_minor(100, Currency::USD)).unwrap_err();
/// assert_eq!(error.code(), "currency-mismatch");
/// assert_eq!(error.to_string(), "CNY and USD do not add up: convert one of them first");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// No currency has this code, now or in the table of superseded ones.
    #[error("\"{code}\" is no currency code of ISO 4217 (three upper-case letters, such as CNY)")]
    UnknownCurrency {
        /// The text found.
        code: String,
    },
    /// The code is in ISO 4217 but has no minor unit, so amounts in it cannot be counted.
    #[error("{code} has no minor unit in ISO 4217, so amounts in it cannot be counted")]
    NoMinorUnit {
        /// The code found, such as `XAU`.
        code: String,
    },
    /// `CNH` is a market, not a currency.
    #[error(
        "CNH is an offshore market, not a currency: the money is CNY; name CNH on the rate or the account"
    )]
    OffshoreRenminbi,
    /// Two currencies met where one was needed.
    #[error("{left} and {right} do not add up: convert one of them first")]
    CurrencyMismatch {
        /// The currency so far.
        left: Currency,
        /// The currency that came to it.
        right: Currency,
    },
    /// The result leaves the range of the type that was to hold it.
    #[error("{operation} in {currency} leaves the range of amounts that can be held")]
    Overflow {
        /// What was being done, such as `sum`.
        operation: &'static str,
        /// The currency of the amount.
        currency: Currency,
    },
    /// A number leaves the range of the integers it is computed in.
    #[error("{operation}: the number leaves the range that can be held exactly")]
    NumberOverflow {
        /// What was being done, such as `division`.
        operation: &'static str,
    },
    /// The amount is finer than the currency can hold, and nobody asked for rounding.
    #[error("{value} {currency} is finer than the minor unit of {currency} ({} decimals)", .currency.minor_digits())]
    TooFine {
        /// The amount as found.
        value: String,
        /// The currency whose minor unit is coarser.
        currency: Currency,
    },
    /// A division by zero was asked for.
    #[error("division by zero")]
    DivideByZero,
    /// There is nobody to share an amount between: no weights, or all of them zero.
    #[error("nobody to share between: at least one weight must be above zero")]
    NoWeights,
    /// A text names no way to round.
    #[error(
        "\"{found}\" is no rounding: half_up, half_even, half_down, up, down, ceiling or floor"
    )]
    UnknownRounding {
        /// The text found.
        found: String,
    },
    /// A step to round to that is nothing, less than nothing or finer than the minor unit.
    #[error(
        "{step} {currency} is no step to round to: a multiple of the minor unit of {currency} above zero"
    )]
    Step {
        /// The step found.
        step: Decimal,
        /// The currency of the amount.
        currency: Currency,
    },
    /// A number of decimals that no counterparty's minor unit has.
    #[error("{digits} decimals of {currency}: a minor unit has 0 to 8")]
    Scale {
        /// The currency.
        currency: Currency,
        /// The number found.
        digits: u8,
    },
    /// The text is not an amount, one space and a currency code.
    #[error("\"{found}\" is not an amount, one space and a currency code, such as 1234.50 CNY")]
    Text {
        /// The text found.
        found: String,
    },
    /// The digits of the text are not an amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

impl MoneyError {
    /// Every code that [`MoneyError::code`] can give.
    pub const CODES: &[&str] = &[
        "currency-unknown",
        "currency-without-minor-unit",
        "currency-offshore-renminbi",
        "currency-mismatch",
        "money-overflow",
        "number-overflow",
        "amount-too-fine",
        "division-by-zero",
        "allocation-without-weights",
        "rounding-unknown",
        "rounding-step",
        "money-scale",
        "money-malformed",
        "amount-empty",
        "amount-malformed",
        "amount-grouping",
        "amount-overflow",
        "amount-negative-zero",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCurrency { .. } => "currency-unknown",
            Self::NoMinorUnit { .. } => "currency-without-minor-unit",
            Self::OffshoreRenminbi => "currency-offshore-renminbi",
            Self::CurrencyMismatch { .. } => "currency-mismatch",
            Self::Overflow { .. } => "money-overflow",
            Self::NumberOverflow { .. } => "number-overflow",
            Self::TooFine { .. } => "amount-too-fine",
            Self::DivideByZero => "division-by-zero",
            Self::NoWeights => "allocation-without-weights",
            Self::UnknownRounding { .. } => "rounding-unknown",
            Self::Step { .. } => "rounding-step",
            Self::Scale { .. } => "money-scale",
            Self::Text { .. } => "money-malformed",
            Self::Amount(error) => error.code(),
        }
    }
}
