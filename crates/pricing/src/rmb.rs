//! [`RmbPrice`]: priced, invoiced and settled in renminbi; [`Shown`]: what it would be elsewhere.

use crate::price::{ChargedFee, Item, Margin};
use crate::{PricingError, error::renminbi};
use quanfu_fx::FxRate;
use quanfu_money::{Currency, Money, Rounding};
use quanfu_trail::Trail;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// A price that is named, invoiced and settled in renminbi (人民币计价结算): one amount, and no rate has a part in it.
///
/// ```
/// use quanfu_calendar::{Certainty, Date};
/// use quanfu_fx::{FxRate, Quote, RateKind};
/// use quanfu_money::{Currency, Rounding};
/// use quanfu_pricing::RmbPrice;
///
/// let price = RmbPrice::new("199.00 CNY".parse()?)?;
/// let day = Date::from_ymd_opt(2025, 7, 16).ok_or("no such day")?;
/// let quote = Quote::new(Currency::USD, 1, Currency::CNY, "7.1526".parse()?)?;
/// let rate = FxRate::new(quote, RateKind::Mid, "CFETS central parity", day, Certainty::Certain)?;
/// assert_eq!(
///     price.show(&rate, Rounding::HalfUp)?.to_string(),
///     "about 27.82 USD, for orientation only (CFETS central parity, mid, 2025-07-16); payable is 199.00 CNY",
/// );
/// assert_eq!(price.difference("199.00 CNY".parse()?)?.to_string(), "0.00 CNY");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RmbPrice {
    pub(crate) payable: Money,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fees: Vec<ChargedFee>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) margin: Option<Margin>,
    pub(crate) trail: Trail,
}

impl RmbPrice {
    /// A price in renminbi above zero.
    ///
    /// # Errors
    ///
    /// [`PricingError::NotRenminbi`], [`PricingError::OutOfRange`].
    pub fn new(payable: Money) -> Result<Self, PricingError> {
        renminbi("price", payable, 1)?;
        Ok(Self {
            payable,
            fees: Vec::new(),
            item: None,
            margin: None,
            trail: Trail::default(),
        })
    }

    /// What the invoice says, what the buyer pays and what is settled.
    #[must_use]
    pub const fn payable(&self) -> Money {
        self.payable
    }

    /// What it is the price of, if rules made it.
    #[must_use]
    pub const fn item(&self) -> Option<Item> {
        self.item
    }

    /// What the rules made of the list price: its fees, in the order of the rules.
    #[must_use]
    pub fn fees(&self) -> &[ChargedFee] {
        &self.fees
    }

    /// What is left of it, if the rules guard a margin.
    #[must_use]
    pub const fn margin(&self) -> Option<&Margin> {
        self.margin.as_ref()
    }

    /// The steps from the list price to what is payable; none where no rules had a part in it.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// What the price is about in the other currency of a rate, for orientation.
    ///
    /// # Errors
    ///
    /// [`PricingError::Rate`] if the rate is not one of renminbi; those of a conversion.
    pub fn show(&self, rate: &FxRate, rounding: Rounding) -> Result<Shown, PricingError> {
        let conversion = rate
            .convert(self.payable, rounding)
            .map_err(|_| PricingError::rate(rate, rate.market(), None))?;
        Ok(Shown {
            payable: self.payable,
            about: conversion.to,
            rate: rate.clone(),
            trail: conversion.trail,
        })
    }

    /// What came more (or, below zero, less) than was payable. No rate can explain any of it.
    ///
    /// # Errors
    ///
    /// [`PricingError::NotRenminbi`] if something else than renminbi came; [`PricingError::Money`].
    pub fn difference(&self, received: Money) -> Result<Money, PricingError> {
        renminbi("receipt", received, i64::MIN)?;
        Ok(received.checked_sub(self.payable)?)
    }
}

/// A renminbi price in another currency, for orientation.
///
/// It cannot be paid: there is no way from it to a [`Money`], and its text says what is payable.
///
/// ```compile_fail
/// # fn try_it(shown: quanfu_pricing::Shown) {
/// let payable: quanfu_money::Money = shown.into();
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    payable: Money,
    about: Money,
    rate: FxRate,
    trail: Trail,
}

impl Shown {
    /// The currency it is shown in.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.about.currency()
    }

    /// The rate it is shown at.
    #[must_use]
    pub const fn rate(&self) -> &FxRate {
        &self.rate
    }

    /// How it was computed.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            payable,
            about,
            rate,
            ..
        } = self;
        let (source, kind, day) = (rate.source(), rate.kind().name(), rate.as_of());
        write!(
            f,
            "about {about}, for orientation only ({source}, {kind}, {day}); payable is {payable}"
        )
    }
}

impl Serialize for Shown {
    /// `{"display_only":true,"text":"27.82 USD","payable":…,"rate":…,"trail":…}`: no amount beside what is payable.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Shown", 5)?;
        fields.serialize_field("display_only", &true)?;
        fields.serialize_field("text", &format!("about {}", self.about))?;
        fields.serialize_field("payable", &self.payable)?;
        fields.serialize_field("rate", &self.rate)?;
        fields.serialize_field("trail", &self.trail)?;
        fields.end()
    }
}
