//! [`Route`]: the way of an amount from one currency to another; [`Conversion`]: the amount with its trail.

use crate::fraction::Factors;
use crate::quote::rounded;
use crate::{CustomerSide, FxError, FxRate, RateKind, RmbMarket, Spread};
use quanfu_calendar::Certainty;
use quanfu_money::{Currency, Money, RoundingRule};
use quanfu_trail::{Rational, Step, Trail, TrailError};

/// A price with both sides: what its maker pays for the base currency, and what it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoWay {
    bid: FxRate,
    ask: FxRate,
}

impl TwoWay {
    /// The two sides of one price.
    ///
    /// # Errors
    ///
    /// [`FxError::TwoWay`] if the kinds are not the two of a pair (`bid` and `ask`, `spot_buy` and `spot_sell`,
    /// `cash_buy` and `cash_sell`), the currencies, units or markets differ, or more is paid than asked.
    pub fn new(bid: FxRate, ask: FxRate) -> Result<Self, FxError> {
        let sides = |rate: &FxRate| (rate.base(), rate.unit(), rate.quote(), rate.market());
        let why = match (bid.kind(), ask.kind()) {
            (RateKind::Bid, RateKind::Ask)
            | (RateKind::SpotBuy, RateKind::SpotSell)
            | (RateKind::CashBuy, RateKind::CashSell) => {
                if sides(&bid) != sides(&ask) {
                    Some("currencies, unit and market would be the same")
                } else if bid.value() > ask.value() {
                    Some("no more would be paid than is asked")
                } else {
                    None
                }
            }
            _ => Some("the kinds would be bid and ask, or buy and sell of one board"),
        };
        match why {
            None => Ok(Self { bid, ask }),
            Some(why) => Err(FxError::TwoWay {
                bid: format!("{} ({})", bid.quoted(), bid.kind().name()),
                ask: format!("{} ({})", ask.quoted(), ask.kind().name()),
                why,
            }),
        }
    }

    /// What is paid for the base currency.
    #[must_use]
    pub const fn bid(&self) -> &FxRate {
        &self.bid
    }

    /// What is asked for the base currency.
    #[must_use]
    pub const fn ask(&self) -> &FxRate {
        &self.ask
    }

    /// The side that a customer meets who gives this currency: the bid for the base, the ask for the other.
    ///
    /// # Errors
    ///
    /// [`FxError::NotInPair`].
    pub fn for_giving(&self, currency: Currency) -> Result<&FxRate, FxError> {
        self.bid.quoted().other(currency)?;
        Ok(if currency == self.bid.base() {
            &self.bid
        } else {
            &self.ask
        })
    }
}

/// One rate of a route, used from one of its currencies to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Leg {
    rate: FxRate,
    from_base: bool,
    note: Option<String>,
}

/// The way from one currency to another: no rate, one, or two that meet in a pivot.
///
/// No rate is multiplied out or turned round: the amount, the published values and the spread make one exact
/// fraction, which is rounded once.
///
/// ```
/// use quanfu_fx::{Certainty, Date, FxRate, Quote, RateKind, Route, Spread};
/// use quanfu_money::{Currency, Rounding};
///
/// let day = Date::from_ymd_opt(2025, 7, 16).ok_or("no such day")?;
/// let parity = |base, quote, value: &str| {
///     let quote = Quote::new(base, 1, quote, value.parse()?)?;
///     Ok::<_, Box<dyn std::error::Error>>(FxRate::new(quote, RateKind::Mid, "CFETS central parity", day, Certainty::Certain)?)
/// };
/// let dollar = parity(Currency::USD, Currency::CNY, "7.1526")?;
/// let ringgit = parity(Currency::CNY, Currency::MYR, "0.59275")?;
///
/// let route = Route::through(Currency::USD, dollar, Currency::CNY, ringgit)?;
/// let sale = route.convert("1000.00 USD".parse()?, Spread::bps(30)?, Rounding::HalfUp)?;
/// assert_eq!((sale.mid.to_string(), sale.spread.to_string()), ("4239.70 MYR".into(), "12.72 MYR".into()));
/// assert_eq!(sale.to.to_string(), "4226.98 MYR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    from: Currency,
    to: Currency,
    legs: Vec<Leg>,
}

/// A converted amount, what of it is spread, and how it was computed.
///
/// Of `from` and `to` one was given and the other computed. `mid` is what it would be without spread, and `spread`
/// what that costs the customer: `to = mid - spread` where `to` was computed, `from = mid + spread` where `from` was.
/// A refund mirrors its sale, so of a negative amount the spread is negative.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "`from` and `to` are the amounts, `trail` says how"]
pub struct Conversion {
    /// What the customer gives.
    pub from: Money,
    /// What the customer receives.
    pub to: Money,
    /// The computed amount without spread, rounded once.
    pub mid: Money,
    /// What the spread costs.
    pub spread: Money,
    /// The steps, which [`Trail::replay`] does again; none where nothing was converted.
    pub trail: Trail,
}

/// What a route computes.
#[derive(Clone, Copy)]
enum Wanted {
    /// What is received for an amount.
    Received,
    /// What must be given for an amount.
    Given,
}

impl Route {
    /// No way at all: a currency needs no rate to itself.
    #[must_use]
    pub const fn same(currency: Currency) -> Self {
        Self {
            from: currency,
            to: currency,
            legs: Vec::new(),
        }
    }

    /// From one side of a rate to the other.
    ///
    /// # Errors
    ///
    /// [`FxError::NotInPair`] if the currency is neither side.
    pub fn direct(from: Currency, rate: FxRate) -> Result<Self, FxError> {
        Self::same(from).then(rate, None)
    }

    /// Over two rates that both have the pivot.
    ///
    /// # Errors
    ///
    /// [`FxError::NotInPair`] if the first has not `from` and the pivot, or the second not the pivot;
    /// [`FxError::SameCurrency`] if the way leads back to `from`; [`FxError::MarketsMixed`] if an onshore and an
    /// offshore rate meet in the renminbi.
    pub fn through(
        from: Currency,
        first: FxRate,
        pivot: Currency,
        second: FxRate,
    ) -> Result<Self, FxError> {
        Self::same(from).over(pivot, (first, None), (second, None))
    }

    pub(crate) fn over(
        self,
        pivot: Currency,
        first: (FxRate, Option<String>),
        second: (FxRate, Option<String>),
    ) -> Result<Self, FxError> {
        if first.0.quoted().other(self.from)? != pivot {
            return Err(FxError::NotInPair {
                currency: pivot,
                base: first.0.base(),
                quote: first.0.quote(),
            });
        }
        let route = self.then(first.0, first.1)?.then(second.0, second.1)?;
        if route.from == route.to {
            return Err(FxError::SameCurrency {
                currency: route.from,
            });
        }
        let [one, other] = [0, 1].map(|leg: usize| &route.legs[leg].rate);
        if pivot == Currency::CNY && one.market() != other.market() {
            return Err(FxError::MarketsMixed);
        }
        Ok(route)
    }

    /// Over two prices with both sides: the bid where a leg's base is given, the ask where it is received. So the
    /// bid of a cross is the product of the bids, and the bid of an inverse is one over the ask.
    ///
    /// # Errors
    ///
    /// Those of [`Route::through`].
    pub fn through_two_way(
        from: Currency,
        first: &TwoWay,
        pivot: Currency,
        second: &TwoWay,
    ) -> Result<Self, FxError> {
        let first = first.for_giving(from)?.clone();
        let second = second.for_giving(pivot)?.clone();
        Self::through(from, first, pivot, second)
    }

    /// One rate further, with a note about it for the trail.
    pub(crate) fn then(mut self, rate: FxRate, note: Option<String>) -> Result<Self, FxError> {
        let to = rate.quoted().other(self.to)?;
        self.legs.push(Leg {
            from_base: rate.base() == self.to,
            rate,
            note,
        });
        self.to = to;
        Ok(self)
    }

    /// What is given.
    #[must_use]
    pub const fn from(&self) -> Currency {
        self.from
    }

    /// What is received.
    #[must_use]
    pub const fn to(&self) -> Currency {
        self.to
    }

    /// The rates, in the order in which they are used; none, one or two.
    pub fn rates(&self) -> impl Iterator<Item = &FxRate> {
        self.legs.iter().map(|leg| &leg.rate)
    }

    /// On which side of the price a customer stands who goes this way. Over a pivot the price is that of the currency
    /// that is given.
    #[must_use]
    pub fn side(&self) -> CustomerSide {
        match &self.legs[..] {
            [leg] if !leg.from_base => CustomerSide::BuysBase,
            _ => CustomerSide::SellsBase,
        }
    }

    /// How much of `to` one of `from` is without spread, exactly.
    ///
    /// # Errors
    ///
    /// [`FxError::Trail`] beyond 128 bits.
    pub fn rate(&self) -> Result<Rational, FxError> {
        let mut rate = Rational::whole(1);
        for leg in &self.legs {
            rate = leg.apply(rate, leg.from_base)?;
        }
        Ok(rate)
    }

    /// What a customer receives who gives `money`, rounded once as named: to the minor unit, or to a step such as the
    /// smallest coin. Rounding down is in favour of the house.
    ///
    /// # Errors
    ///
    /// [`FxError::NotInPair`] or [`FxError::SameCurrency`] if the money is not what the route begins with;
    /// [`FxError::Money`] if the result leaves the range of [`Money`], or a step is no multiple of its minor unit;
    /// [`FxError::Trail`] if replaying a step needs
    /// more than 128 bits, for amounts and rates with about 36 digits together. [`crate::Quote::convert`] has no such bound.
    pub fn convert(
        &self,
        money: Money,
        spread: Spread,
        rounding: impl Into<RoundingRule>,
    ) -> Result<Conversion, FxError> {
        self.compute(money, Wanted::Received, spread, rounding.into())
    }

    /// What a customer must give to receive `money`, rounded once as named. Rounding up is in favour of the house.
    ///
    /// # Errors
    ///
    /// Those of [`Route::convert`].
    pub fn cost(
        &self,
        money: Money,
        spread: Spread,
        rounding: impl Into<RoundingRule>,
    ) -> Result<Conversion, FxError> {
        self.compute(money, Wanted::Given, spread, rounding.into())
    }

    fn compute(
        &self,
        money: Money,
        wanted: Wanted,
        spread: Spread,
        rounding: RoundingRule,
    ) -> Result<Conversion, FxError> {
        let (start, end) = match wanted {
            Wanted::Received => (self.from, self.to),
            Wanted::Given => (self.to, self.from),
        };
        if money.currency() != start {
            return Err(FxError::NotInPair {
                currency: money.currency(),
                base: self.from,
                quote: self.to,
            });
        }
        if self.legs.is_empty() {
            return Ok(Conversion {
                from: money,
                to: money,
                mid: money,
                spread: Money::zero(money.currency()),
                trail: Trail::default(),
            });
        }
        let factors = self.legs.iter().fold(Factors::ONE, |factors, leg| {
            factors.times(leg.rate.quoted().factor(leg.from_base))
        });
        let with_spread = factors.times(spread.factor(self.side()));
        let figure = |factors: Factors| {
            let factors = match wanted {
                Wanted::Received => factors,
                Wanted::Given => factors.inverse(),
            };
            rounded(&factors, money.minor(), end, rounding)
        };
        let mid = figure(factors)?;
        let computed = figure(with_spread)?;
        let trail = self.trail(money, wanted, mid, (spread, computed), rounding)?;
        let (from, to, spread) = match wanted {
            Wanted::Received => (money, computed, mid.checked_sub(computed)?),
            Wanted::Given => (computed, money, computed.checked_sub(mid)?),
        };
        Ok(Conversion {
            from,
            to,
            mid,
            spread,
            trail,
        })
    }

    fn trail(
        &self,
        money: Money,
        wanted: Wanted,
        mid: Money,
        (spread, computed): (Spread, Money),
        rounding: RoundingRule,
    ) -> Result<Trail, FxError> {
        let mut steps = Vec::new();
        let mut text = money.to_string();
        let mut figure = Rational::new(
            i128::from(money.minor()),
            10_i128.pow(u32::from(money.currency().minor_digits())),
        )?;
        let legs: Vec<(&Leg, bool)> = match wanted {
            Wanted::Received => self.legs.iter().map(|leg| (leg, leg.from_base)).collect(),
            Wanted::Given => {
                let back = self.legs.iter().rev();
                back.map(|leg| (leg, !leg.from_base)).collect()
            }
        };
        for (leg, from_base) in legs {
            figure = leg.apply(figure, from_base)?;
            steps.push(leg.step(text, figure, from_base));
            text = steps
                .last()
                .map_or_else(String::new, |step: &Step| step.exact.clone());
        }
        round_last(&mut steps, figure, mid, rounding)?;
        if !spread.is_none() {
            let side = self.side();
            let (exact, formula) = match (wanted, side) {
                (Wanted::Received, CustomerSide::SellsBase) => {
                    (spread.charged(figure, side)?, "mid * (1 - spread / 10000)")
                }
                (Wanted::Received, CustomerSide::BuysBase) => (
                    spread.taken_off(figure, side)?,
                    "mid / (1 + spread / 10000)",
                ),
                (Wanted::Given, CustomerSide::SellsBase) => (
                    spread.taken_off(figure, side)?,
                    "mid / (1 - spread / 10000)",
                ),
                (Wanted::Given, CustomerSide::BuysBase) => {
                    (spread.charged(figure, side)?, "mid * (1 + spread / 10000)")
                }
            };
            steps.push(Step {
                rule: "fx-spread".into(),
                source: "the spread of this conversion, which the customer bears".into(),
                certainty: Certainty::Certain,
                inputs: vec![
                    ("mid".into(), text),
                    ("spread".into(), format!("{} bps", spread.bps_text())),
                ],
                formula: formula.into(),
                exact: format!("{exact} {}", mid.currency()),
                rounded: None,
                rounding: None,
            });
            round_last(&mut steps, exact, computed, rounding)?;
        }
        // A trail that is handed out replays, also where that takes more digits than computing it.
        let trail = Trail(steps);
        trail.replay()?;
        Ok(trail)
    }
}

/// Rounds the last step; to a step of more than the minor unit it takes two more: how many of them, and what they make.
fn round_last(
    steps: &mut Vec<Step>,
    exact: Rational,
    figure: Money,
    rule: RoundingRule,
) -> Result<(), FxError> {
    let name = Some(rule.rounding.name().to_owned());
    let Some(increment) = rule.increment else {
        if let Some(last) = steps.last_mut() {
            last.rounded = Some(figure.to_string());
            last.rounding = name;
        }
        return Ok(());
    };
    let currency = figure.currency();
    let step = Money::exact(increment, currency)?;
    let count = figure.minor().checked_div(step.minor()).unwrap_or(0);
    let size = Rational::new(
        i128::from(step.minor()),
        10_i128.pow(u32::from(currency.minor_digits())),
    )?;
    let own = |formula: &str, first: (&str, String), exact: String| Step {
        rule: "fx-rounding".into(),
        source: "the rounding of this conversion".into(),
        certainty: Certainty::Certain,
        inputs: vec![(first.0.into(), first.1), ("step".into(), step.to_string())],
        formula: formula.into(),
        exact,
        rounded: None,
        rounding: None,
    };
    let exact_count = exact.checked_div(size)?.to_string();
    steps.push(Step {
        rounded: Some(count.to_string()),
        rounding: name,
        ..own(
            "figure / step",
            ("figure", format!("{exact} {currency}")),
            exact_count,
        )
    });
    steps.push(own(
        "steps * step",
        ("steps", count.to_string()),
        figure.to_string(),
    ));
    Ok(())
}

impl Leg {
    /// Whole units of one side as whole units of the other.
    fn apply(&self, amount: Rational, from_base: bool) -> Result<Rational, TrailError> {
        let value = self.rate.value();
        // a decimal has at most 28 decimals, and its unit is a power of ten
        let price = Rational::new(value.mantissa(), 10_i128.pow(value.scale()))?
            .checked_div(Rational::whole(self.rate.unit().into()))?;
        if from_base {
            amount.checked_mul(price)
        } else {
            amount.checked_div(price)
        }
    }

    fn step(&self, amount: String, figure: Rational, from_base: bool) -> Step {
        let rate = &self.rate;
        let (formula, to) = if from_base {
            ("amount * rate / unit", rate.quote())
        } else {
            ("amount * unit / rate", rate.base())
        };
        let inputs = [
            ("amount", amount),
            (
                "rate",
                format!("{} {}", rate.value(), rate.written(rate.quote())),
            ),
            (
                "unit",
                format!("{} {}", rate.unit(), rate.written(rate.base())),
            ),
        ];
        let mut source = format!(
            "{}, {}, {}",
            rate.source(),
            rate.kind().name(),
            rate.as_of()
        );
        if rate.market() == RmbMarket::Offshore {
            source.push_str(", offshore");
        }
        if let Some(note) = &self.note {
            source.push_str(", ");
            source.push_str(note);
        }
        Step {
            rule: "fx-conversion".into(),
            source,
            certainty: rate.certainty(),
            inputs: inputs.map(|(name, text)| (name.into(), text)).into(),
            formula: formula.into(),
            exact: format!("{figure} {to}"),
            rounded: None,
            rounding: None,
        }
    }
}
