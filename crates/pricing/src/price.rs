//! [`ForeignPrice`]: a renminbi list price as a fixed amount of the buyer's currency.

use crate::error::renminbi;
use crate::points::major;
use crate::rules::{Bearer, Breach, Buyer, FixedSide, PriceRules, Terms};
use crate::steps::{Notes, Origin, exchange, exchanged, of, rounded, sum_step};
use crate::{Disclosure, PricingError, RmbPrice, Shown};
use quanfu_calendar::Date;
use quanfu_fx::{FxRate, RateKind, RateTable};
use quanfu_money::{Currency, Money, MoneySum, Rounding};
use quanfu_trail::{Rational, Step, Trail, TrailError};
use serde::Serialize;

/// What is sold: its list price and, where a margin is guarded, its cost; both in renminbi.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    list: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Money>,
}

impl Item {
    /// An item of this list price, without a cost.
    ///
    /// # Errors
    ///
    /// [`PricingError::NotRenminbi`]; [`PricingError::OutOfRange`] unless it is above zero.
    pub fn new(list: Money) -> Result<Self, PricingError> {
        renminbi("list price", list, 1)?;
        Ok(Self { list, cost: None })
    }

    /// The item with what it costs the seller.
    ///
    /// # Errors
    ///
    /// [`PricingError::NotRenminbi`]; [`PricingError::OutOfRange`] below zero.
    pub fn with_cost(self, cost: Money) -> Result<Self, PricingError> {
        renminbi("cost", cost, 0)?;
        let cost = Some(cost);
        Ok(Self { cost, ..self })
    }

    /// The list price.
    #[must_use]
    pub const fn list(&self) -> Money {
        self.list
    }

    /// The cost, if there is one.
    #[must_use]
    pub const fn cost(&self) -> Option<Money> {
        self.cost
    }
}

/// A fee as it falls on one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChargedFee {
    /// Its name in the rules.
    pub name: String,
    /// Who bears it.
    pub bearer: Bearer,
    /// How much it is, in renminbi.
    pub amount: Money,
}

/// What is left to the seller after fees and cost if the rate moves against it by the buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Margin {
    /// What is left, cut down to the fen; below zero for a loss.
    pub kept: Money,
    /// What the rules want, raised to the fen.
    pub wanted: Money,
    /// How it was computed.
    pub step: Step,
}

/// A fixed amount of the buyer's currency for a renminbi list price, and every part of it.
///
/// In renminbi, `due + residue + markup` is `at_mid`, the value of the price at the mid rate, to the fen.
///
/// ```
/// use quanfu_calendar::{Certainty, Date};
/// use quanfu_fx::{FxRate, Quote, RateKind};
/// use quanfu_money::Currency;
/// use quanfu_pricing::{Item, PriceRules};
///
/// let rules = PriceRules::parse(r#"
/// schema = "quanfu.pricing/1"
/// name = "shop abroad"
/// [buyer.USD]
/// markup_bps = 150
/// step = "1.00"
/// ending = "0.99"
/// "#)?;
/// let day = Date::from_ymd_opt(2025, 7, 16).ok_or("no such day")?;
/// let quote = Quote::new(Currency::USD, 1, Currency::CNY, "7.1526".parse()?)?;
/// let mid = FxRate::new(quote, RateKind::Mid, "CFETS central parity", day, Certainty::Certain)?;
///
/// let price = rules.foreign(&Item::new("199.00 CNY".parse()?)?, &mid)?;
/// assert_eq!(price.price.to_string(), "28.99 USD"); // 28.2395 with the markup, and the next point up
/// assert_eq!(price.at_mid.to_string(), "207.35 CNY"); // 199.00 due, 5.29 from rounding, 3.06 markup
/// price.trail.replay()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "`price` is what the buyer pays"]
#[non_exhaustive]
pub struct ForeignPrice {
    /// What is sold.
    pub item: Item,
    /// The fees, in the order of the rules.
    pub fees: Vec<ChargedFee>,
    /// The list price and the fees that the buyer bears, in renminbi.
    pub due: Money,
    /// What the buyer pays, in the buyer's currency.
    pub price: Money,
    /// What the buyer would pay if no margin were guarded.
    pub unguarded: Money,
    /// The mid rate that it starts from.
    pub rate: FxRate,
    /// How it was made from the rate.
    pub terms: Terms,
    /// Which side stays at the exchange.
    pub fixed: FixedSide,
    /// The price at the mid rate, in renminbi, rounded half up.
    pub at_mid: Money,
    /// The part of `at_mid` that is the markup, rounded half up.
    pub markup: Money,
    /// The part of `at_mid` that comes from the price points and the guarded margin.
    pub residue: Money,
    /// What the seller receives if the rate does not move, after all fees, in renminbi.
    pub expected: Money,
    /// What is left if the rate moves by the buffer, if the rules guard a margin.
    pub margin: Option<Margin>,
    /// The steps from the list price to the price.
    pub trail: Trail,
}

/// What a buyer is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "case", rename_all = "snake_case")]
#[must_use]
pub enum Offer {
    /// Renminbi.
    Renminbi {
        /// What is payable.
        price: Box<RmbPrice>,
        /// What that is about in the buyer's currency; none for a buyer in renminbi.
        shown: Option<Box<Shown>>,
    },
    /// A fixed amount of the buyer's currency.
    Foreign {
        /// What is payable.
        price: Box<ForeignPrice>,
        /// What the buyer is told about the rate, if the rules name a rate to compare with.
        disclosure: Option<Box<Disclosure>>,
    },
}

impl Offer {
    /// What the buyer pays.
    #[must_use]
    pub fn payable(&self) -> Money {
        match self {
            Self::Renminbi { price, .. } => price.payable(),
            Self::Foreign { price, .. } => price.price,
        }
    }

    /// The steps to what the buyer pays.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        match self {
            Self::Renminbi { price, .. } => price.trail(),
            Self::Foreign { price, .. } => &price.trail,
        }
    }
}

/// What is computed of a price before anybody asks for its parts.
pub(crate) struct Figures {
    fees: Vec<ChargedFee>,
    due: Money,
    pub(crate) price: Money,
    pub(crate) unguarded: Money,
    /// What the price must be worth in the buyer's currency to leave the margin, and to be no better than mid.
    pub(crate) least: Rational,
    terms: Terms,
}

impl PriceRules {
    /// What a buyer in renminbi, or one who pays renminbi, is asked for: the list price and the buyer's fees.
    ///
    /// # Errors
    ///
    /// [`PricingError::Margin`] and [`PricingError::NoCost`] if a margin is guarded; [`PricingError::Money`].
    pub fn renminbi(&self, item: &Item) -> Result<RmbPrice, PricingError> {
        let mut notes = Notes::wanted();
        let (fees, due) = self.due(item, &mut notes)?;
        let margin = self.margin_of_due(item, &fees, due)?;
        Ok(RmbPrice {
            item: Some(*item),
            fees,
            margin,
            trail: notes.trail()?,
            ..RmbPrice::new(due)?
        })
    }

    /// What a buyer is asked for in the other currency of the mid rate.
    ///
    /// # Errors
    ///
    /// [`PricingError::Rate`], [`PricingError::Buyer`], [`PricingError::Margin`], [`PricingError::NoCost`];
    /// [`PricingError::Money`] and [`PricingError::Trail`] beyond the ranges that are computed in.
    pub fn foreign(&self, item: &Item, rate: &FxRate) -> Result<ForeignPrice, PricingError> {
        let mut notes = Notes::wanted();
        let Figures {
            fees,
            due,
            price,
            unguarded,
            least: _,
            terms,
        } = self.figures(item, rate, &mut notes)?;
        let at_mid = fen(in_renminbi(major(price)?, rate)?, Rounding::HalfUp)?;
        let without = in_renminbi(major(price)?, rate)?.checked_mul(Rational::new(
            10_000,
            10_000 + i128::from(terms.markup_bps),
        )?)?;
        let without = fen(without, Rounding::HalfUp)?;
        let total = total(&fees, |_| true)?;
        let margin = match self.fixed {
            FixedSide::Source => {
                self.margin_of_price(item, total, price, rate, terms.buffer_bps)?
            }
            FixedSide::Target => self.margin_of_due(item, &fees, due)?,
        };
        let gross = match self.fixed {
            FixedSide::Source => at_mid,
            FixedSide::Target => due,
        };
        Ok(ForeignPrice {
            item: *item,
            due,
            price,
            unguarded,
            rate: rate.clone(),
            terms,
            fixed: self.fixed,
            at_mid,
            markup: at_mid.checked_sub(without)?,
            residue: without.checked_sub(due)?,
            expected: gross.checked_sub(total)?,
            margin,
            trail: notes.trail()?,
            fees,
        })
    }

    /// What a buyer of this currency is asked for at the mid rate of a day: renminbi and what that is about, or a fixed
    /// amount and what is to be told about its rate.
    ///
    /// # Errors
    ///
    /// [`PricingError::Buyer`], [`PricingError::Table`], and those of [`PriceRules::renminbi`] and
    /// [`PriceRules::foreign`].
    pub fn offer(
        &self,
        item: &Item,
        buyer: Currency,
        rates: &RateTable,
        on: Date,
    ) -> Result<Offer, PricingError> {
        match self.buyer(buyer)? {
            Buyer::Renminbi(rounding) => {
                let price = Box::new(self.renminbi(item)?);
                let shown = if buyer == Currency::CNY {
                    None
                } else {
                    let rate = self.rate_for(buyer, rates, on)?;
                    Some(Box::new(price.show(rate, rounding)?))
                };
                Ok(Offer::Renminbi { price, shown })
            }
            Buyer::Own(_) => {
                let price = self.foreign(item, self.rate_for(buyer, rates, on)?)?;
                let disclosure = match self.reference_for(buyer, rates, on)? {
                    Some(reference) => Some(Box::new(price.disclose(reference)?)),
                    None => None,
                };
                let price = Box::new(price);
                Ok(Offer::Foreign { price, disclosure })
            }
        }
    }

    /// What the rules say of buyers of this currency; a buyer in renminbi needs no rule.
    ///
    /// # Errors
    ///
    /// [`PricingError::Buyer`].
    pub fn buyer(&self, buyer: Currency) -> Result<Buyer, PricingError> {
        match self.buyers.get(&buyer) {
            Some(rule) => Ok(*rule),
            None if buyer == Currency::CNY => Ok(Buyer::Renminbi(Rounding::HalfUp)),
            None => {
                let known: Vec<&str> = self.buyers.keys().map(Currency::code).collect();
                let known = known.join(", ");
                Err(PricingError::Buyer { buyer, known })
            }
        }
    }

    /// The mid rate of a day for a buyer's currency, of the source and market that the rules name.
    ///
    /// # Errors
    ///
    /// [`PricingError::Table`] if there is none of that day, or several sources have one.
    pub fn rate_for<'r>(
        &self,
        buyer: Currency,
        rates: &'r RateTable,
        on: Date,
    ) -> Result<&'r FxRate, PricingError> {
        self.mid(buyer, rates, on, self.rates.as_deref())
    }

    /// The mid rate of a day for a buyer's currency of the source that the rules disclose, if they disclose one.
    ///
    /// # Errors
    ///
    /// [`PricingError::Table`] if there is none of that day.
    pub fn reference_for<'r>(
        &self,
        buyer: Currency,
        rates: &'r RateTable,
        on: Date,
    ) -> Result<Option<&'r FxRate>, PricingError> {
        let source = self.reference.as_deref();
        source
            .map(|source| self.mid(buyer, rates, on, Some(source)))
            .transpose()
    }

    fn mid<'r>(
        &self,
        buyer: Currency,
        rates: &'r RateTable,
        on: Date,
        source: Option<&str>,
    ) -> Result<&'r FxRate, PricingError> {
        let terms = quanfu_fx::Terms {
            source,
            market: self.market,
            ..quanfu_fx::Terms::MID
        };
        Ok(rates.find(Currency::CNY, buyer, on, &terms)?.rate)
    }

    /// The fees of an item, and the list price with those of the buyer.
    fn due(
        &self,
        item: &Item,
        notes: &mut Notes,
    ) -> Result<(Vec<ChargedFee>, Money), PricingError> {
        let origin = Origin::rules(&self.name);
        let list = major(item.list)?;
        let mut fees = Vec::with_capacity(self.fees.len());
        let mut parts = vec![("list".to_owned(), item.list)];
        let mut due = item.list;
        for fee in &self.fees {
            let exact = list
                .checked_mul(bps(fee.bps)?)?
                .checked_add(major(fee.amount)?)?;
            let amount = fen(exact, Rounding::HalfUp)?;
            notes.add(|| {
                let inputs = [
                    ("list", item.list.to_string()),
                    ("bps", fee.bps.to_string()),
                    ("amount", fee.amount.to_string()),
                ];
                let source = format!("{}, fee {}", origin.source, fee.name);
                let origin = Origin { source, ..origin };
                let formula = "list * bps / 10000 + amount";
                let step = origin.step("price-fee", inputs, formula, of(exact, Currency::CNY));
                rounded(step, amount, Rounding::HalfUp)
            });
            if fee.bearer == Bearer::Buyer {
                due = due.checked_add(amount)?;
                parts.push((format!("fee_{}", parts.len()), amount));
            }
            fees.push(ChargedFee {
                name: fee.name.clone(),
                bearer: fee.bearer,
                amount,
            });
        }
        notes.add(|| {
            let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
            sum_step(&origin, "price-due", &parts, names.join(" + "), due)
        });
        Ok((fees, due))
    }

    /// Everything that decides the price.
    pub(crate) fn figures(
        &self,
        item: &Item,
        rate: &FxRate,
        notes: &mut Notes,
    ) -> Result<Figures, PricingError> {
        let buyer = other_side(rate).ok_or_else(|| PricingError::rate(rate, self.market, None))?;
        if rate.kind() != RateKind::Mid || rate.market() != self.market {
            return Err(PricingError::rate(rate, self.market, Some(buyer)));
        }
        let Buyer::Own(terms) = self.buyer(buyer)? else {
            let known = format!("{buyer} who pay CNY");
            return Err(PricingError::Buyer { buyer, known });
        };
        let (fees, due) = self.due(item, notes)?;
        let from_rate = Origin::rate(rate);
        let from_rules = Origin::rules(&self.name);

        let floor = match (&self.guard, self.fixed) {
            (Some(guard), FixedSide::Source) => {
                let total = total(&fees, |_| true)?;
                let cost = item.cost.ok_or(PricingError::NoCost)?;
                let needed = major(cost)?
                    .checked_add(major(total)?)?
                    .checked_add(major(item.list)?.checked_mul(bps(guard.min_margin_bps)?)?)?;
                notes.add(|| {
                    let inputs = [
                        ("cost", cost.to_string()),
                        ("fees", total.to_string()),
                        ("list", item.list.to_string()),
                        ("min_margin_bps", guard.min_margin_bps.to_string()),
                    ];
                    let formula = "cost + fees + list * min_margin_bps / 10000";
                    let exact = of(needed, Currency::CNY);
                    from_rules.step("price-margin-needed", inputs, formula, exact)
                });
                let after_move = Rational::new(10_000, 10_000 - i128::from(terms.buffer_bps))?;
                let floor = from_renminbi(needed, rate)?.checked_mul(after_move)?;
                notes.add(|| {
                    let [a, b, c] = exchanged("needed", of(needed, Currency::CNY), rate);
                    let inputs = [a, b, c, ("buffer_bps", terms.buffer_bps.to_string())];
                    let exchange = exchange("needed", Currency::CNY, rate);
                    let formula = format!("{exchange} * 10000 / (10000 - buffer_bps)");
                    from_rate.step("price-margin-floor", inputs, formula, of(floor, buyer))
                });
                Some(floor)
            }
            _ => None,
        };

        let at_mid = from_renminbi(major(due)?, rate)?;
        notes.add(|| {
            let inputs = exchanged("due", due.to_string(), rate);
            let formula = exchange("due", Currency::CNY, rate);
            from_rate.step("price-at-mid", inputs, formula, of(at_mid, buyer))
        });
        let marked_up = at_mid.checked_add(at_mid.checked_mul(bps(terms.markup_bps)?)?)?;
        notes.add(|| {
            let inputs = [
                ("at_mid", of(at_mid, buyer)),
                ("markup_bps", terms.markup_bps.to_string()),
            ];
            let formula = "at_mid * (10000 + markup_bps) / 10000";
            from_rules.step("price-markup", inputs, formula, of(marked_up, buyer))
        });

        let mut pick = |amount: Rational, rounding: Rounding| {
            let points = terms.points;
            let price = points.pick(amount, rounding)?;
            let (exact, count) = points.count(amount, rounding)?;
            notes.add(|| {
                let inputs = [
                    ("amount", of(amount, buyer)),
                    ("step", points.step().to_string()),
                    ("ending", points.ending().to_string()),
                ];
                let formula = "(amount - ending) / step";
                let step = from_rules.step("price-points", inputs, formula, exact.to_string());
                rounded(step, count, rounding)
            });
            notes.add(|| {
                let inputs = [
                    ("count", count.to_string()),
                    ("step", points.step().to_string()),
                    ("ending", points.ending().to_string()),
                ];
                let formula = "count * step + ending";
                from_rules.step("price-point", inputs, formula, price.to_string())
            });
            Ok::<Money, PricingError>(price)
        };
        let mut unguarded = pick(marked_up, terms.points.rounding())?;
        if below(unguarded, at_mid)? {
            // rounding never makes the buyer's rate better than mid
            unguarded = pick(at_mid, Rounding::Up)?;
        }
        let mut price = unguarded;
        if let Some(floor) = floor
            && below(price, floor)?
        {
            if self
                .guard
                .is_some_and(|guard| guard.breach == Breach::Refuse)
            {
                let total = total(&fees, |_| true)?;
                let margin = self.margin_of_price(item, total, price, rate, terms.buffer_bps)?;
                return Err(match margin {
                    Some(Margin { kept, wanted, .. }) => PricingError::Margin {
                        price,
                        kept,
                        wanted,
                    },
                    None => PricingError::NoCost,
                });
            }
            price = pick(floor, Rounding::Up)?;
        }
        let least = match floor {
            Some(floor) if floor.checked_sub(at_mid)?.numerator() > 0 => floor,
            _ => at_mid,
        };
        if self.fixed == FixedSide::Target {
            self.margin_of_due(item, &fees, due)?;
        }
        Ok(Figures {
            fees,
            due,
            price,
            unguarded,
            least,
            terms,
        })
    }

    /// What is left of a price after fees and cost if the rate moves by the buffer.
    fn margin_of_price(
        &self,
        item: &Item,
        fees: Money,
        price: Money,
        rate: &FxRate,
        buffer_bps: u32,
    ) -> Result<Option<Margin>, PricingError> {
        let Some(guard) = &self.guard else {
            return Ok(None);
        };
        let cost = item.cost.ok_or(PricingError::NoCost)?;
        let left = Rational::new(10_000 - i128::from(buffer_bps), 10_000)?;
        let exact = in_renminbi(major(price)?, rate)?
            .checked_mul(left)?
            .checked_sub(major(fees)?)?
            .checked_sub(major(cost)?)?;
        let kept = fen(exact, Rounding::Floor)?;
        let [a, b, c] = exchanged("price", price.to_string(), rate);
        let inputs = [
            a,
            b,
            c,
            ("buffer_bps", buffer_bps.to_string()),
            ("fees", fees.to_string()),
            ("cost", cost.to_string()),
        ];
        let exchange = exchange("price", price.currency(), rate);
        let formula = format!("{exchange} * (10000 - buffer_bps) / 10000 - fees - cost");
        let exact = of(exact, Currency::CNY);
        let step = Origin::rate(rate).step("price-margin-kept", inputs, formula, exact);
        Ok(Some(Margin {
            kept,
            wanted: wanted(item, guard.min_margin_bps)?,
            step: rounded(step, kept, Rounding::Floor),
        }))
    }

    /// What is left of an amount in renminbi after fees and cost; too little is refused.
    fn margin_of_due(
        &self,
        item: &Item,
        fees: &[ChargedFee],
        due: Money,
    ) -> Result<Option<Margin>, PricingError> {
        let Some(guard) = &self.guard else {
            return Ok(None);
        };
        let cost = item.cost.ok_or(PricingError::NoCost)?;
        let fees = total(fees, |_| true)?;
        let kept = due.checked_sub(fees)?.checked_sub(cost)?;
        let wanted = wanted(item, guard.min_margin_bps)?;
        if kept.minor() < wanted.minor() {
            let price = due;
            return Err(PricingError::Margin {
                price,
                kept,
                wanted,
            });
        }
        let inputs = [
            ("due", due.to_string()),
            ("fees", fees.to_string()),
            ("cost", cost.to_string()),
        ];
        let formula = "due - fees - cost";
        let step =
            Origin::rules(&self.name).step("price-margin-kept", inputs, formula, kept.to_string());
        Ok(Some(Margin { kept, wanted, step }))
    }
}

/// The sum of some fees.
pub(crate) fn total(
    fees: &[ChargedFee],
    counts: impl Fn(&ChargedFee) -> bool,
) -> Result<Money, PricingError> {
    let mut sum = MoneySum::zero(Currency::CNY);
    for fee in fees.iter().filter(|fee| counts(fee)) {
        sum.add(fee.amount)?;
    }
    Ok(sum.to_money()?)
}

/// The guarded margin of an item, raised to the fen.
fn wanted(item: &Item, min_margin_bps: u32) -> Result<Money, PricingError> {
    let exact = major(item.list)?.checked_mul(bps(min_margin_bps)?)?;
    fen(exact, Rounding::Ceiling)
}

/// The side of a rate that is not renminbi, if the other one is.
pub(crate) fn other_side(rate: &FxRate) -> Option<Currency> {
    match (rate.base(), rate.quote()) {
        (Currency::CNY, other) | (other, Currency::CNY) => Some(other),
        _ => None,
    }
}

pub(crate) fn below(price: Money, least: Rational) -> Result<bool, PricingError> {
    Ok(major(price)?.checked_sub(least)?.numerator() < 0)
}

fn bps(bps: u32) -> Result<Rational, TrailError> {
    Rational::new(i128::from(bps), 10_000)
}

/// Yuan for one unit of the other currency.
fn yuan_for_one(rate: &FxRate) -> Result<Rational, TrailError> {
    let value = Rational::new(rate.value().mantissa(), 10_i128.pow(rate.value().scale()))?;
    let unit = Rational::whole(i128::from(rate.unit()));
    if rate.quote() == Currency::CNY {
        value.checked_div(unit)
    } else {
        unit.checked_div(value)
    }
}

/// An amount of the buyer's currency in yuan at a rate.
pub(crate) fn in_renminbi(amount: Rational, rate: &FxRate) -> Result<Rational, TrailError> {
    amount.checked_mul(yuan_for_one(rate)?)
}

/// An amount of yuan in the buyer's currency at a rate.
pub(crate) fn from_renminbi(amount: Rational, rate: &FxRate) -> Result<Rational, TrailError> {
    amount.checked_div(yuan_for_one(rate)?)
}

/// An exact number of yuan in whole fen.
pub(crate) fn fen(exact: Rational, rounding: Rounding) -> Result<Money, PricingError> {
    let fen = exact.checked_mul(Rational::whole(100))?;
    let minor = rounding.divide(fen.numerator(), fen.denominator())?;
    Ok(MoneySum::from_minor(minor, Currency::CNY).to_money()?)
}
