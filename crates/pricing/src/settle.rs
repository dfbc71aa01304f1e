//! [`Tie`]: what a price brought, part by part; [`Disclosure`]: what a buyer is told about the rate.

use crate::error::renminbi;
use crate::points::major;
use crate::price::{fen, from_renminbi, in_renminbi, other_side, total};
use crate::rules::{Bearer, FixedSide};
use crate::steps::{Origin, exchange, exchanged, of, replayed, rounded, sum_step};
use crate::{ForeignPrice, PricingError};
use quanfu_fx::FxRate;
use quanfu_money::{Currency, Money, MoneySum, Rounding};
use quanfu_trail::{Rational, Trail};
use serde::Serialize;

/// What one payment of a price brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The rate at which the bank or institution exchanged it.
    pub rate: FxRate,
    /// What was withheld as fees, in renminbi, zero or more.
    pub fees: Money,
    /// What the seller received, in renminbi.
    pub received: Money,
}

/// Why a part of a receipt is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PartKind {
    /// The list price.
    List,
    /// The fees that the buyer paid on top.
    BuyerFees,
    /// The markup.
    Markup,
    /// What price points and a guarded margin added.
    Residue,
    /// What the rate moved by between price and settlement (汇兑差额).
    FxDifference,
    /// What whoever converts kept, or bore, where the seller's side is fixed.
    Converter,
    /// The fees that were withheld, below zero.
    Fees,
    /// What none of these explains.
    Unexplained,
}

impl PartKind {
    /// The text form, such as `fx_difference`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::BuyerFees => "buyer_fees",
            Self::Markup => "markup",
            Self::Residue => "residue",
            Self::FxDifference => "fx_difference",
            Self::Converter => "converter",
            Self::Fees => "fees",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A receipt and its parts, in renminbi; they add up to it, to the fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Tie {
    /// What the buyer paid.
    pub price: Money,
    /// The parts, in the order of [`PartKind`]; all of them, also those of zero.
    pub parts: Vec<(PartKind, Money)>,
    /// What the seller received: the sum of the parts.
    pub received: Money,
    /// The steps; the last one adds the parts up.
    pub trail: Trail,
}

impl Tie {
    /// One part.
    #[must_use]
    pub fn part(&self, kind: PartKind) -> Money {
        let found = self.parts.iter().find(|(part, _)| *part == kind);
        found.map_or(Money::zero(Currency::CNY), |(_, money)| *money)
    }
}

/// What a buyer is told about the rate before choosing, and on the receipt (as for dynamic currency conversion).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    /// The amount in renminbi.
    pub original: Money,
    /// What the buyer pays instead.
    pub price: Money,
    /// The rate that this comes to, in the direction of the base rate, rounded half up to six decimals.
    pub customer_rate: String,
    /// The rate that the price started from.
    pub base_rate: FxRate,
    /// The markup on it, in hundredths of a percent.
    pub markup_bps: u32,
    /// The rate to compare with.
    pub reference_rate: FxRate,
    /// How much more than at the reference rate the buyer pays, in hundredths of a percent, rounded half up.
    pub over_reference_bps: i64,
    /// The steps of `customer_rate` and `over_reference_bps`.
    pub trail: Trail,
}

impl ForeignPrice {
    /// Ties what one payment brought to the price, with every part of the difference.
    ///
    /// The parts are differences of whole amounts: the price at the rate of the quote, at the rate of the settlement,
    /// each rounded half up once. So nothing is lost between them, and what no part explains is a part of its own.
    ///
    /// # Errors
    ///
    /// [`PricingError::Rate`] for a rate of another pair; [`PricingError::NotRenminbi`],
    /// [`PricingError::OutOfRange`] for fees below zero; [`PricingError::Money`], [`PricingError::Trail`].
    pub fn tie(&self, receipt: &Receipt) -> Result<Tie, PricingError> {
        let buyer = self.price.currency();
        if other_side(&receipt.rate) != Some(buyer) {
            let market = self.rate.market();
            return Err(PricingError::rate(&receipt.rate, market, Some(buyer)));
        }
        renminbi("fee", receipt.fees, 0)?;
        renminbi("receipt", receipt.received, i64::MIN)?;
        let mut steps = Vec::new();
        let mut value = |rule: &str, rate: &FxRate| {
            let exact = in_renminbi(major(self.price)?, rate)?;
            let value = fen(exact, Rounding::HalfUp)?;
            let inputs = exchanged("price", self.price.to_string(), rate);
            let formula = exchange("price", buyer, rate);
            let step = Origin::rate(rate).step(rule, inputs, formula, of(exact, Currency::CNY));
            steps.push(rounded(step, value, Rounding::HalfUp));
            Ok::<Money, PricingError>(value)
        };
        let quoted = value("price-value-quoted", &self.rate)?;
        let exchanged = value("price-value-settled", &receipt.rate)?;
        let moved = exchanged.checked_sub(quoted)?;
        let added = self.markup.checked_add(self.residue)?.checked_add(moved)?;
        let converter = match self.fixed {
            FixedSide::Source => Money::zero(Currency::CNY),
            FixedSide::Target => added.checked_neg()?,
        };
        let known = [
            (PartKind::List, self.item.list()),
            (
                PartKind::BuyerFees,
                total(&self.fees, |fee| fee.bearer == Bearer::Buyer)?,
            ),
            (PartKind::Markup, self.markup),
            (PartKind::Residue, self.residue),
            (PartKind::FxDifference, moved),
            (PartKind::Converter, converter),
            (PartKind::Fees, receipt.fees.checked_neg()?),
        ];
        let mut sum = MoneySum::zero(Currency::CNY);
        for (_, part) in known {
            sum.add(part)?;
        }
        let rest = receipt.received.checked_sub(sum.to_money()?)?;
        let mut parts = known.to_vec();
        parts.push((PartKind::Unexplained, rest));
        let named: Vec<(String, Money)> = parts
            .iter()
            .map(|(kind, money)| (kind.name().to_owned(), *money))
            .collect();
        let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        let origin = Origin::rate(&receipt.rate);
        let formula = names.join(" + ");
        steps.push(sum_step(
            &origin,
            "price-tie",
            &named,
            formula,
            receipt.received,
        ));
        Ok(Tie {
            price: self.price,
            parts,
            received: receipt.received,
            trail: replayed(steps)?,
        })
    }

    /// What a buyer is told: the rate, the markup, and how that compares with a reference rate.
    ///
    /// # Errors
    ///
    /// [`PricingError::Rate`] for a rate of another pair; [`PricingError::Trail`].
    pub fn disclose(&self, reference: &FxRate) -> Result<Disclosure, PricingError> {
        let buyer = self.price.currency();
        if other_side(reference) != Some(buyer) {
            let market = self.rate.market();
            return Err(PricingError::rate(reference, market, Some(buyer)));
        }
        let (due, price) = (major(self.due)?, major(self.price)?);
        let unit = Rational::whole(i128::from(self.rate.unit()));
        let (formula, exact) = if self.rate.quote() == Currency::CNY {
            (
                "due * unit / price",
                due.checked_mul(unit)?.checked_div(price)?,
            )
        } else {
            (
                "price * unit / due",
                price.checked_mul(unit)?.checked_div(due)?,
            )
        };
        let millionths = exact.checked_mul(Rational::whole(1_000_000))?;
        let millionths =
            Rounding::HalfUp.divide(millionths.numerator(), millionths.denominator())?;
        let quote = self.rate.quote();
        let customer_rate = format!(
            "{}.{:06} {quote}",
            millionths / 1_000_000,
            millionths % 1_000_000
        );
        let inputs = [
            ("due", self.due.to_string()),
            ("price", self.price.to_string()),
            ("unit", format!("{} {}", self.rate.unit(), self.rate.base())),
        ];
        let rate_step =
            Origin::rate(&self.rate).step("price-customer-rate", inputs, formula, of(exact, quote));
        let rate_step = rounded(rate_step, &customer_rate, Rounding::HalfUp);

        let at_reference = from_renminbi(due, reference)?;
        let over = price
            .checked_div(at_reference)?
            .checked_sub(Rational::whole(1))?
            .checked_mul(Rational::whole(10_000))?;
        let over_reference_bps = Rounding::HalfUp.divide(over.numerator(), over.denominator())?;
        let over_reference_bps =
            i64::try_from(over_reference_bps).map_err(|_| quanfu_trail::TrailError::Overflow)?;
        let [a, b, c] = exchanged("due", self.due.to_string(), reference);
        let inputs = [a, b, c, ("price", self.price.to_string())];
        let exchange = exchange("due", Currency::CNY, reference);
        let formula = format!("(price / ({exchange}) - 1) * 10000");
        let over_step =
            Origin::rate(reference).step("price-over-reference", inputs, formula, over.to_string());
        let over_step = rounded(over_step, over_reference_bps, Rounding::HalfUp);
        Ok(Disclosure {
            original: self.due,
            price: self.price,
            customer_rate,
            base_rate: self.rate.clone(),
            markup_bps: self.terms.markup_bps,
            reference_rate: reference.clone(),
            over_reference_bps,
            trail: replayed(vec![rate_step, over_step])?,
        })
    }
}
