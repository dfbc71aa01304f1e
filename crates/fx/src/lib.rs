//! Pairs and rates, exact conversion with its trail.
//!
//! A [`Quote`] is a price of one currency in another with the digits that were published; an [`FxRate`] is a
//! quote with its kind, its source and its day. Converting is one exact fraction and one named rounding, in
//! both directions: an inverse rate is never made, because 1/7.1526 has no end. A [`Route`] goes over one rate or,
//! through a pivot, over two, still with one rounding; a [`Spread`] stays apart from the rate. A [`RateTable`] knows
//! which rate holds on a day, and says why it was taken.
//!
//! ```
//! use quanfu_fx::{Certainty, Date, FxRate, Quote, RateKind};
//! use quanfu_money::{Currency, Money, Rounding};
//!
//! // The central parity (中间价) of 2025-07-16 is quoted as ringgit for one yuan.
//! let day = Date::from_ymd_opt(2025, 7, 16).ok_or("no such day")?;
//! let quote = Quote::new(Currency::CNY, 1, Currency::MYR, "0.59275".parse()?)?;
//! let rate = FxRate::new(quote, RateKind::Mid, "CFETS central parity", day, Certainty::Certain)?;
//!
//! let ringgit: Money = "1000000.00 MYR".parse()?;
//! let yuan = rate.convert(ringgit, Rounding::HalfUp)?;
//! assert_eq!(yuan.to.to_string(), "1687051.88 CNY");
//! assert_eq!(yuan.trail.0[0].formula, "amount * unit / rate");
//! yuan.trail.replay()?; // the steps give the figure again
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod board;
mod chinamoney;
mod customs;
mod error;
mod fraction;
mod gain;
mod parity;
mod quote;
mod rate;
mod read;
mod route;
mod spread;
mod table;
mod value_date;

pub use board::Board;
pub use customs::{CustomsCalendars, CustomsDay, CustomsError, CustomsRule, customs_day};
pub use error::FxError;
pub use gain::{Realised, Settled};
pub use parity::{CENTRAL_PARITY, ParityQuoting};
pub use quanfu_calendar::{Certainty, Date};
pub use quote::Quote;
pub use rate::{FxRate, RateKind, RmbMarket, Validity};
pub use read::{HEADER, RateFileError, RateReading, to_csv};
pub use route::{Conversion, Route, TwoWay};
pub use spread::{CustomerSide, Spread, significant};
pub use table::{Found, RateTable, Staleness, TableError, Taken, Terms};
pub use value_date::value_date;
