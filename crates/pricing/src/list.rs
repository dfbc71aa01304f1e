//! [`reprice`]: a price list at another rate, and why each price changed.

use crate::price::{Item, below};
use crate::rules::{Buyer, PriceRules};
use crate::steps::Notes;
use crate::{PricingError, price::Figures};
use quanfu_calendar::{Certainty, Date};
use quanfu_fx::{FxRate, RateTable};
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_trail::{Rational, Step, Trail};
use std::collections::BTreeMap;

/// What prices are made from: rules, rates and a day.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The rules.
    pub rules: &'a PriceRules,
    /// The rates; the rules say which of them.
    pub rates: &'a RateTable,
    /// The day.
    pub on: Date,
}

/// A row of a price list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// What the seller calls it.
    pub sku: String,
    /// List price and cost.
    pub item: Item,
    /// For buyers of this currency; none: for those of every currency in the rules.
    pub buyer: Option<Currency>,
    /// What they pay so far, if there is a price.
    pub price: Option<Money>,
}

/// A row for the buyers of one currency, priced anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repriced {
    /// What the seller calls it.
    pub sku: String,
    /// List price and cost.
    pub item: Item,
    /// For buyers of this currency.
    pub buyer: Currency,
    /// What they paid so far: as the list said, else what the rules made of it before.
    pub old: Option<Money>,
    /// What they pay now, or why there is no price.
    pub new: Result<NewPrice, PricingError>,
}

/// A price and why it is another one than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrice {
    /// What buyers pay now.
    pub price: Money,
    /// What the rules make of it now; another amount than `price` only where the old price is held.
    pub calculated: Money,
    /// The causes; none if nothing changed.
    pub causes: Vec<Cause>,
    /// The change part by part, if there is an old price in the same currency: the parts of `calculated - old`.
    pub change: Option<Change>,
}

/// The parts of a change, which add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The figures that they are the differences of.
    pub figures: ChangeFigures,
    /// What the rate did under the old rules.
    pub rate: Money,
    /// What other rules did at the new rate.
    pub rule: Money,
    /// How much more the guard of the margin raises the price than before.
    pub guard: Money,
    /// What the old price was away from what the old rules make at the old rate: another list price or cost, a price
    /// set by hand, a change that was held back. Without anything before, the whole change.
    pub other: Money,
}

/// What the parts of a change are the differences of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeFigures {
    /// What buyers paid so far.
    pub old: Money,
    /// What the rules make of it now.
    pub calculated: Money,
    /// The prices on the way there, if there is anything before.
    pub between: Option<Between>,
}

/// Prices between the old one and the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// What the old rules make at the old rate.
    pub before: Money,
    /// The same without the guard of the margin.
    pub before_unguarded: Money,
    /// What the old rules make at the new rate, without the guard.
    pub old_rules_unguarded: Money,
    /// What the new rules make at the new rate, without the guard.
    pub unguarded: Money,
}

/// Why a price is another one than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// There was none.
    New,
    /// The rate moved.
    Rate,
    /// The rules changed.
    Rule,
    /// The margin is guarded.
    Guard,
    /// The list price or the cost changed, or the old price was not of these rules and rates.
    Other,
    /// It changed by too little and stays.
    Held,
}

impl Cause {
    /// The text form, such as `rate`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Rate => "rate",
            Self::Rule => "rule",
            Self::Guard => "guard",
            Self::Other => "other",
            Self::Held => "held",
        }
    }
}

/// Prices a list anew. Each row of the answer says what the buyers of one currency pay, what they paid, and why that
/// changed; rows stay in their order, and the currencies of one row are in the order of their codes.
///
/// A listed price stays (`held`) if it would change by less than the hysteresis of the rules, unless it would then be
/// better than mid for the buyer or leave less than the guarded margin. Doing it again changes nothing.
#[must_use]
pub fn reprice(rows: &[ListRow], before: Option<Basis<'_>>, now: Basis<'_>) -> Vec<Repriced> {
    let old_rules = before.map_or(now.rules, |before| before.rules);
    let mut bases = Bases {
        before: before.map(Maker::new),
        between: (old_rules != now.rules).then(|| {
            Maker::new(Basis {
                rules: old_rules,
                ..now
            })
        }),
        now: Maker::new(now),
    };
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let one = row.buyer.as_slice();
        let every: Vec<Currency> = match row.buyer {
            Some(_) => one.to_vec(),
            None => now.rules.buyers.keys().copied().collect(),
        };
        for buyer in every {
            out.push(bases.row(row, buyer));
        }
    }
    out
}

/// One basis and the rates that were looked up in it.
struct Maker<'a> {
    basis: Basis<'a>,
    rates: BTreeMap<Currency, Result<&'a FxRate, PricingError>>,
}

/// A price, and what an old one must be worth to stay.
struct Made {
    price: Money,
    unguarded: Money,
    /// None: no rate moves this price, so there is no small change to hold back.
    least: Option<Rational>,
}

struct Bases<'a> {
    before: Option<Maker<'a>>,
    between: Option<Maker<'a>>,
    now: Maker<'a>,
}

impl<'a> Maker<'a> {
    fn new(basis: Basis<'a>) -> Self {
        Self {
            basis,
            rates: BTreeMap::new(),
        }
    }

    fn make(&mut self, item: &Item, buyer: Currency) -> Result<Made, PricingError> {
        let Basis { rules, rates, on } = self.basis;
        if let Buyer::Renminbi(_) = rules.buyer(buyer)? {
            let price = rules.renminbi(item)?.payable();
            return Ok(Made {
                price,
                unguarded: price,
                least: None,
            });
        }
        let rate = self
            .rates
            .entry(buyer)
            .or_insert_with(|| rules.rate_for(buyer, rates, on))
            .clone()?;
        let Figures {
            price,
            unguarded,
            least,
            ..
        } = rules.figures(item, rate, &mut Notes::none())?;
        Ok(Made {
            price,
            unguarded,
            least: Some(least),
        })
    }
}

impl Bases<'_> {
    fn row(&mut self, row: &ListRow, buyer: Currency) -> Repriced {
        let item = &row.item;
        let before = self
            .before
            .as_mut()
            .and_then(|before| before.make(item, buyer).ok());
        let old = row.price.or(before.as_ref().map(|before| before.price));
        let new = self.new_price(item, buyer, old, before.as_ref());
        Repriced {
            sku: row.sku.clone(),
            item: *item,
            buyer,
            old,
            new,
        }
    }

    fn new_price(
        &mut self,
        item: &Item,
        buyer: Currency,
        old: Option<Money>,
        before: Option<&Made>,
    ) -> Result<NewPrice, PricingError> {
        let now = self.now.make(item, buyer)?;
        let calculated = now.price;
        let Some(old) = old else {
            return Ok(NewPrice {
                price: calculated,
                calculated,
                causes: vec![Cause::New],
                change: None,
            });
        };
        if old.currency() != calculated.currency() {
            return Ok(NewPrice {
                price: calculated,
                calculated,
                causes: vec![Cause::Rule],
                change: None,
            });
        }
        let between = match &mut self.between {
            Some(between) => between.make(item, buyer).ok().map(|made| made.unguarded),
            None => Some(now.unguarded),
        };
        let comparable = |money: &Money| money.currency() == calculated.currency();
        let before = before.filter(|before| comparable(&before.price));
        let change = match before.zip(between.filter(comparable)) {
            Some((before, between)) => {
                let raised = |made: &Made| made.price.checked_sub(made.unguarded);
                Change {
                    figures: ChangeFigures {
                        old,
                        calculated,
                        between: Some(Between {
                            before: before.price,
                            before_unguarded: before.unguarded,
                            old_rules_unguarded: between,
                            unguarded: now.unguarded,
                        }),
                    },
                    rate: between.checked_sub(before.unguarded)?,
                    rule: now.unguarded.checked_sub(between)?,
                    guard: raised(&now)?.checked_sub(raised(before)?)?,
                    other: before.price.checked_sub(old)?,
                }
            }
            None => {
                let nothing = Money::zero(calculated.currency());
                Change {
                    figures: ChangeFigures {
                        old,
                        calculated,
                        between: None,
                    },
                    rate: nothing,
                    rule: nothing,
                    guard: nothing,
                    other: calculated.checked_sub(old)?,
                }
            }
        };
        let moved = calculated.checked_sub(old)?;
        if moved.is_zero() {
            return Ok(NewPrice {
                price: old,
                calculated,
                causes: Vec::new(),
                change: Some(change),
            });
        }
        let hysteresis = i128::from(self.now.basis.rules.hysteresis_bps);
        let little =
            i128::from(moved.minor()).abs() * 10_000 < i128::from(old.minor()) * hysteresis;
        if little
            && let Some(least) = now.least
            && !below(old, least)?
        {
            return Ok(NewPrice {
                price: old,
                calculated,
                causes: vec![Cause::Held],
                change: Some(change),
            });
        }
        let parts = [
            (Cause::Rate, change.rate),
            (Cause::Rule, change.rule),
            (Cause::Guard, change.guard),
            (Cause::Other, change.other),
        ];
        Ok(NewPrice {
            price: calculated,
            calculated,
            causes: parts
                .into_iter()
                .filter(|(_, part)| !part.is_zero())
                .map(|(cause, _)| cause)
                .collect(),
            change: Some(change),
        })
    }
}

impl Change {
    /// The whole change.
    #[must_use]
    pub fn total(&self) -> MoneySum {
        let parts = [self.rate, self.rule, self.guard, self.other];
        let minor = parts.iter().map(|part| i128::from(part.minor())).sum();
        MoneySum::from_minor(minor, self.rate.currency())
    }

    /// The step of each part, in the order rate, rule, guard, other; without anything before the last one alone.
    #[must_use]
    pub fn trail(&self) -> Trail {
        let step = |part: &str, formula: &str, inputs: &[(&str, Money)], exact: Money| Step {
            rule: format!("price-change-{part}"),
            source: "the prices before and after".into(),
            certainty: Certainty::Certain,
            inputs: inputs
                .iter()
                .map(|(name, money)| ((*name).into(), money.to_string()))
                .collect(),
            formula: formula.into(),
            exact: exact.to_string(),
            rounded: None,
            rounding: None,
        };
        let ChangeFigures {
            old,
            calculated,
            between,
        } = self.figures;
        let Some(found) = between else {
            let inputs = [("calculated", calculated), ("old", old)];
            return Trail(vec![step("other", "calculated - old", &inputs, self.other)]);
        };
        let old_rules = ("old_rules_unguarded", found.old_rules_unguarded);
        let before_unguarded = ("before_unguarded", found.before_unguarded);
        let unguarded = ("unguarded", found.unguarded);
        let before = ("before", found.before);
        Trail(vec![
            step(
                "rate",
                "old_rules_unguarded - before_unguarded",
                &[old_rules, before_unguarded],
                self.rate,
            ),
            step(
                "rule",
                "unguarded - old_rules_unguarded",
                &[unguarded, old_rules],
                self.rule,
            ),
            step(
                "guard",
                "calculated - unguarded - (before - before_unguarded)",
                &[
                    ("calculated", calculated),
                    unguarded,
                    before,
                    before_unguarded,
                ],
                self.guard,
            ),
            step("other", "before - old", &[before, ("old", old)], self.other),
        ])
    }
}
