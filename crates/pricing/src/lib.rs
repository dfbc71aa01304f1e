//! Prices in renminbi (人民币计价): what a buyer abroad pays, for how long, and what it brought.
//!
//! There are two cases. Where price, invoice and settlement are in renminbi, nothing is converted: an [`RmbPrice`] is
//! one amount, and what it is about elsewhere is [`Shown`], which nobody can pay by mistake. Where the buyer gets a
//! fixed amount of another currency, a [`ForeignPrice`] has every part of it: mid rate, markup, price points, guarded
//! margin. [`PriceRules`] say which case holds for whom.
//!
//! A [`PriceQuote`] is a foreign price with its window and its uses; a [`Receipt`] is tied to it by a [`Tie`], whose
//! parts add up to what came. [`reprice`] makes a whole list anew and says why each price changed. No clock is read:
//! days and [`Instant`]s are parameters.
//!
//! ```
//! use quanfu_fx::{RateReading, RateTable};
//! use quanfu_money::Currency;
//! use quanfu_pricing::{Item, Offer, PriceRules};
//!
//! let rules = PriceRules::parse(r#"
//! schema = "quanfu.pricing/1"
//! name = "shop abroad"
//!
//! [buyer.USD]
//! markup_bps = 150
//! step = "1.00"
//! ending = "0.99"
//!
//! [buyer.EUR]
//! pays = "CNY"
//! "#)?;
//! let rates = RateReading::csv(b"date,base,unit,quote,value,kind,source,certainty
//! 2025-07-16,USD,1,CNY,7.1526,mid,CFETS central parity,certain
//! 2025-07-16,EUR,1,CNY,8.3157,mid,CFETS central parity,certain
//! ")?;
//! let rates = RateTable::new(rates.rates)?;
//! let (item, day) = (Item::new("199.00 CNY".parse()?)?, "2025-07-16".parse()?);
//!
//! let dollars = rules.offer(&item, Currency::USD, &rates, day)?;
//! assert_eq!(dollars.payable().to_string(), "28.99 USD");
//! dollars.trail().replay()?; // every step gives its figure again
//!
//! let euro = rules.offer(&item, Currency::EUR, &rates, day)?;
//! assert_eq!(euro.payable().to_string(), "199.00 CNY");
//! let Offer::Renminbi { shown: Some(shown), .. } = euro else { unreachable!("they pay CNY") };
//! assert!(shown.to_string().starts_with("about 23.93 EUR, for orientation only"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv;
mod error;
mod instant;
mod list;
mod points;
mod price;
mod quote;
mod rmb;
mod rules;
mod settle;
mod steps;

pub use csv::{LIST_HEADER, ListError, PriceList, write_list};
pub use error::{PricingError, PricingRulesError};
pub use instant::Instant;
pub use list::{
    Basis, Between, Cause, Change, ChangeFigures, ListRow, NewPrice, Repriced, reprice,
};
pub use points::PricePoints;
pub use price::{ChargedFee, ForeignPrice, Item, Margin, Offer};
pub use quote::{PriceQuote, QuoteAction, QuoteError, QuoteState};
pub use rmb::{RmbPrice, Shown};
pub use rules::{
    Bearer, Breach, Buyer, Fee, FixedSide, Guard, PriceRules, QuoteTerms, SCHEMA, Terms,
};
pub use settle::{Disclosure, PartKind, Receipt, Tie};
