//! [`PricingError`]: why something has no price; [`PricingRulesError`]: why rules are none.

use quanfu_fx::{FxRate, RmbMarket, TableError};
use quanfu_money::{Currency, Money, MoneyError};
use quanfu_trail::TrailError;

/// Why something has no price, or a settlement cannot be tied to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PricingError {
    /// A list price, cost, fee or receipt in another currency than renminbi.
    #[error("{what} of {found}: amounts of a seller are in CNY")]
    NotRenminbi {
        /// What it is, such as `list price`.
        what: &'static str,
        /// The amount found.
        found: Money,
    },
    /// An amount that must be above zero, or must not be below it.
    #[error("{what} of {found}: {wanted}")]
    OutOfRange {
        /// What it is, such as `list price`.
        what: &'static str,
        /// The amount found.
        found: Money,
        /// What would be right.
        wanted: &'static str,
    },
    /// Price points that no price can stand on.
    #[error(
        "price points {ending} above every {step}: a step above zero, an ending from zero to below the step"
    )]
    Points {
        /// The step.
        step: Money,
        /// What stands above each step.
        ending: Money,
    },
    /// The rules do not say what buyers of this currency pay.
    #[error("no rule for buyers in {buyer}; there are rules for {known}")]
    Buyer {
        /// The buyer's currency.
        buyer: Currency,
        /// The currencies that have rules.
        known: String,
    },
    /// The rate is not a mid between renminbi and the buyer's currency.
    #[error(
        "{pair} ({kind}, {source_name}): a price starts from a mid rate between {market} and {buyer}"
    )]
    Rate {
        /// The pair found.
        pair: String,
        /// The kind found.
        kind: &'static str,
        /// Where the rate comes from.
        source_name: String,
        /// The market of renminbi that the rules name.
        market: RmbMarket,
        /// The buyer's currency, or words for any other than renminbi.
        buyer: String,
    },
    /// The rates have none for that day, or cannot say which.
    #[error("no rate to start from")]
    Table(#[from] TableError),
    /// The rules guard a margin and the item has no cost.
    #[error("the rules guard a margin, which needs the cost of the item")]
    NoCost,
    /// The price leaves less than the margin that the rules guard.
    #[error(
        "{price} leaves {kept} after fees and cost if the rate moves by the buffer; the rules want {wanted}"
    )]
    Margin {
        /// The price.
        price: Money,
        /// What is left of it, cut to the fen.
        kept: Money,
        /// The margin wanted, raised to the fen.
        wanted: Money,
    },
    /// An amount cannot be held.
    #[error("the amount cannot be held")]
    Money(#[from] MoneyError),
    /// A figure needs more digits than are computed in.
    #[error("the figure cannot be computed exactly")]
    Trail(#[from] TrailError),
}

impl PricingError {
    /// Every code that [`PricingError::code`] can give.
    pub const CODES: &[&str] = &[
        "price-not-renminbi",
        "price-out-of-range",
        "price-points",
        "price-buyer",
        "price-rate",
        "price-no-rate",
        "price-without-cost",
        "price-margin",
        "price-money",
        "price-trail",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRenminbi { .. } => "price-not-renminbi",
            Self::OutOfRange { .. } => "price-out-of-range",
            Self::Points { .. } => "price-points",
            Self::Buyer { .. } => "price-buyer",
            Self::Rate { .. } => "price-rate",
            Self::Table(_) => "price-no-rate",
            Self::NoCost => "price-without-cost",
            Self::Margin { .. } => "price-margin",
            Self::Money(_) => "price-money",
            Self::Trail(_) => "price-trail",
        }
    }

    pub(crate) fn rate(rate: &FxRate, market: RmbMarket, buyer: Option<Currency>) -> Self {
        let side = |currency: Currency| match currency {
            Currency::CNY => rate.market().code().to_owned(),
            other => other.code().to_owned(),
        };
        Self::Rate {
            pair: format!("{}/{}", side(rate.base()), side(rate.quote())),
            kind: rate.kind().name(),
            source_name: rate.source().into(),
            market,
            buyer: buyer.map_or("another currency".into(), side),
        }
    }
}

/// Refuses what is not renminbi, is below `least` fen, or both.
pub(crate) fn renminbi(what: &'static str, found: Money, least: i64) -> Result<(), PricingError> {
    if found.currency() != Currency::CNY {
        return Err(PricingError::NotRenminbi { what, found });
    }
    if found.minor() < least {
        let wanted = if least > 0 {
            "above zero would be right"
        } else {
            "zero or more would be right"
        };
        return Err(PricingError::OutOfRange {
            what,
            found,
            wanted,
        });
    }
    Ok(())
}

/// Why rules cannot be used: the place and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PricingRulesError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl PricingRulesError {
    /// The one code.
    pub const CODES: &[&str] = &["pricing-rules"];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "pricing-rules"
    }

    /// An error at a byte of the text.
    pub(crate) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
            message: message.into(),
        }
    }
}
