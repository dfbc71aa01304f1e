//! Currencies, exact amounts in minor units, named rounding, lossless allocation, strict parsing.
//!
//! [`Money`] counts whole minor units (分, cents) of one [`Currency`] in an `i64`; [`MoneySum`] adds many of
//! them in an `i128`. An [`Amount`] is not rounded yet, and its one door to `Money` names a [`Rounding`],
//! or a [`RoundingRule`] with a step such as 0.05. A [`ScaleProfile`] says in which minor units a counterparty counts
//! where they are not those of ISO 4217. Nothing here rounds, wraps or guesses by itself: what does not fit is a
//! [`MoneyError`] or, for text in files, an [`AmountError`] of the [`lexer`].
//!
//! ```
//! use quanfu_money::{Currency, Money, Rounding};
//!
//! let price: Money = "19.90 CNY".parse()?;
//! let fee = Money::rounded("0.11940".parse()?, Currency::CNY, Rounding::HalfUp)?;
//! assert_eq!(price.checked_sub(fee)?.to_string(), "19.78 CNY");
//! let parts: Vec<String> = price.split(3)?.iter().map(Money::amount_text).collect();
//! assert_eq!(parts, ["6.64", "6.63", "6.63"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amount;
mod currency;
mod error;
pub mod lexer;
mod money;
mod rounding;
mod rule;
mod scale;
mod sum;
mod text;

pub use amount::Amount;
pub use currency::Currency;
pub use error::MoneyError;
pub use lexer::{AmountError, AmountStyle};
pub use money::{Allocation, AllocationMode, Money};
pub use rounding::Rounding;
pub use rule::RoundingRule;
pub use rust_decimal::Decimal;
pub use scale::ScaleProfile;
pub use sum::MoneySum;
pub use text::grouped;
