//! tmp
mod error;
mod instant;
mod points;
mod price;
mod quote;
mod rmb;
mod rules;
mod settle;
mod steps;
pub use error::{PricingError, PricingRulesError};
pub use instant::Instant;
pub use points::PricePoints;
pub use price::{ChargedFee, ForeignPrice, Item, Margin, Offer};
pub use quote::{PriceQuote, QuoteAction, QuoteError, QuoteState};
pub use rmb::{RmbPrice, Shown};
pub use rules::*;
pub use settle::*;
