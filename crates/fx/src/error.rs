//! [`FxError`]: why a rate is none, or an amount cannot be converted at it.

use crate::Date;
use quanfu_money::{Currency, Decimal, MoneyError};
use quanfu_trail::TrailError;

/// Why a rate is none, or an amount cannot be converted at it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FxError {
    /// A rate of zero or less.
    #[error("{base}/{quote} at {value}: a rate is above zero")]
    NotPositive {
        /// The currency that is priced.
        base: Currency,
        /// The currency of the price.
        quote: Currency,
        /// The value found.
        value: Decimal,
    },
    /// A unit that no rate is published for.
    #[error(
        "{base}/{quote} for {unit} {base}: a rate is for 1, 10, 100, 1000 or 10000 of its base"
    )]
    Unit {
        /// The currency that is priced.
        base: Currency,
        /// The currency of the price.
        quote: Currency,
        /// The unit found.
        unit: u32,
    },
    /// Base and quote are the same currency, which needs no rate.
    #[error("{currency}/{currency} is no pair: a currency needs no rate to itself")]
    SameCurrency {
        /// The currency.
        currency: Currency,
    },
    /// A rate that does not say where it comes from.
    #[error("{base}/{quote}: a rate says where it comes from, in one line that is not empty")]
    NoSource {
        /// The currency that is priced.
        base: Currency,
        /// The currency of the price.
        quote: Currency,
    },
    /// The amount is in neither currency of the rate.
    #[error("{currency} is neither side of {base}/{quote}")]
    NotInPair {
        /// The currency of the amount.
        currency: Currency,
        /// The currency that is priced.
        base: Currency,
        /// The currency of the price.
        quote: Currency,
    },
    /// A market of the renminbi on a rate without renminbi.
    #[error("{base}/{quote}: only a rate of CNY has an offshore market")]
    Market {
        /// The currency that is priced.
        base: Currency,
        /// The currency of the price.
        quote: Currency,
    },
    /// Two rates of different markets meet in the renminbi.
    #[error("CNY and CNH meet in one conversion: both rates must be of one market")]
    MarketsMixed,
    /// The days for which a rate holds end before they begin, or begin before its own day.
    #[error("a rate of {as_of} cannot hold from {from} until {until}")]
    Validity {
        /// The day of the rate.
        as_of: Date,
        /// The first day.
        from: Date,
        /// The last day, as text.
        until: String,
    },
    /// Two rates are no two sides of one price.
    #[error("{bid} and {ask} are no two sides of one price: {why}")]
    TwoWay {
        /// What is paid.
        bid: String,
        /// What is asked.
        ask: String,
        /// What would be right.
        why: &'static str,
    },
    /// A text or a number is no spread (点差).
    #[error("\"{found}\" is no spread: 0bps to 9999.99bps, such as 30bps or 12.5bps")]
    Spread {
        /// The text found.
        found: String,
    },
    /// The text of a day is not year, month and day.
    #[error("\"{found}\" is no day such as 2025-07-16")]
    Day {
        /// The text found.
        found: String,
    },
    /// The converted amount is none.
    #[error("the converted amount cannot be held")]
    Money(#[from] MoneyError),
    /// The trail of the conversion cannot be written.
    #[error("the steps of the conversion cannot be written")]
    Trail(#[from] TrailError),
}

impl FxError {
    /// Every code that [`FxError::code`] can give.
    pub const CODES: &[&str] = &[
        "rate-not-positive",
        "rate-unit",
        "rate-same-currency",
        "rate-without-source",
        "rate-not-in-pair",
        "rate-market",
        "rate-markets-mixed",
        "rate-validity",
        "rate-two-way",
        "rate-spread",
        "rate-day",
        "rate-money",
        "rate-trail",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPositive { .. } => "rate-not-positive",
            Self::Unit { .. } => "rate-unit",
            Self::SameCurrency { .. } => "rate-same-currency",
            Self::NoSource { .. } => "rate-without-source",
            Self::NotInPair { .. } => "rate-not-in-pair",
            Self::Market { .. } => "rate-market",
            Self::MarketsMixed => "rate-markets-mixed",
            Self::Validity { .. } => "rate-validity",
            Self::TwoWay { .. } => "rate-two-way",
            Self::Spread { .. } => "rate-spread",
            Self::Day { .. } => "rate-day",
            Self::Money(_) => "rate-money",
            Self::Trail(_) => "rate-trail",
        }
    }
}
