//! tmp
mod error;
mod points;
mod price;
mod rmb;
mod rules;
mod steps;
pub use error::{PricingError, PricingRulesError};
pub use points::PricePoints;
pub use price::{ChargedFee, ForeignPrice, Item, Margin, Offer};
pub use rmb::{RmbPrice, Shown};
pub use rules::*;
