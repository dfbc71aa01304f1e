//! [`RateTable`]: rates by day, and which of them holds on a day.

use crate::{Date, FxError, FxRate, RateKind, RmbMarket, Route};
use quanfu_calendar::{BusinessCalendar, CalendarError};
use quanfu_money::Currency;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

/// How old a rate may be on the day it is used.
#[derive(Clone, Copy, Debug)]
pub enum Staleness<'c> {
    /// It must be of that day, or hold on it by its own validity.
    Exact,
    /// The latest before that day will do, as long as not too many business days lie after its own.
    PreviousPublished {
        /// How many business days may lie after the rate's day, that of the use included; 0 carries a rate over a
        /// weekend or holiday, but not to the next business day.
        max_business_days: u32,
        /// The business days of the rate's source.
        calendar: &'c BusinessCalendar,
    },
}

/// Which rate is meant, apart from its currencies.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t> {
    /// What the rate is the price of.
    pub kind: RateKind,
    /// Where it is published; `None` if the table has one source only.
    pub source: Option<&'t str>,
    /// Which renminbi it prices. An offshore rate is found only if it is asked for.
    pub market: RmbMarket,
    /// How old it may be.
    pub staleness: Staleness<'t>,
}

impl Terms<'_> {
    /// The mid rate of that very day, onshore, of the only source.
    pub const MID: Self = Self {
        kind: RateKind::Mid,
        source: None,
        market: RmbMarket::Onshore,
        staleness: Staleness::Exact,
    };
}

/// Why a rate was taken for a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the rate of that day.
    OfTheDay,
    /// By its own validity it holds on that day.
    Valid,
    /// It is the latest that was published before.
    PreviousPublished {
        /// How many business days lie after its own day, up to and with that of the use.
        business_days: u32,
    },
}

/// A rate of a table, and why it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'t> {
    /// The rate; its [`FxRate::as_of`] is the day it is of.
    pub rate: &'t FxRate,
    /// The day for which it was asked for.
    pub asked: Date,
    /// Why it was taken.
    pub taken: Taken,
}

impl Found<'_> {
    /// What a trail says of a rate that is not of the day itself.
    fn note(&self) -> Option<String> {
        match self.taken {
            Taken::OfTheDay => None,
            Taken::Valid => Some(format!("holds on {}", self.asked)),
            Taken::PreviousPublished { business_days } => {
                let asked = self.asked;
                let days = if business_days == 1 { "day" } else { "days" };
                Some(format!(
                    "the latest before {asked}, {business_days} business {days} old"
                ))
            }
        }
    }
}

/// Why a table takes no rate in, or gives none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Two rates of one pair, kind, source, market and day differ.
    #[error("two rates of one day and source: {first} and {second} ({which})")]
    Contradiction {
        /// The rate that was there.
        first: String,
        /// The rate that came to it.
        second: String,
        /// Kind, source and day.
        which: String,
    },
    /// No rate like that is in the table on or before the day.
    #[error("no {kind} rate of {one}/{other}{from} on or before {day}{hint}")]
    NotFound {
        /// The kind asked for.
        kind: &'static str,
        /// One currency.
        one: String,
        /// The other.
        other: String,
        /// The source asked for, in words.
        from: String,
        /// The day.
        day: Date,
        /// What the table has instead, in words.
        hint: String,
    },
    /// Several sources have such a rate and none was named.
    #[error("several sources have {one}/{other}: {}; one of them must be named", .sources.join(", "))]
    Sources {
        /// One currency.
        one: Currency,
        /// The other.
        other: Currency,
        /// The sources, by name.
        sources: Vec<String>,
    },
    /// The latest rate is too old.
    #[error("the latest {rate} is of {as_of}, which is too old for {day}: {why}")]
    Stale {
        /// The rate.
        rate: String,
        /// Its day.
        as_of: Date,
        /// The day asked for.
        day: Date,
        /// What would be allowed.
        why: String,
    },
    /// The latest rate has ended by its own words.
    #[error("{rate} of {as_of} holds until {until} and not on {day}")]
    Expired {
        /// The rate.
        rate: String,
        /// Its day.
        as_of: Date,
        /// Its last day.
        until: Date,
        /// The day asked for.
        day: Date,
    },
    /// The calendar does not know the days.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The rates do not make a way.
    #[error(transparent)]
    Rate(#[from] FxError),
}

impl TableError {
    /// Every code of this kind of error; the others are those of [`FxError`] and [`CalendarError`].
    pub const CODES: &[&str] = &[
        "rate-contradiction",
        "rate-not-found",
        "rate-sources",
        "rate-stale",
        "rate-expired",
    ];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Contradiction { .. } => "rate-contradiction",
            Self::NotFound { .. } => "rate-not-found",
            Self::Sources { .. } => "rate-sources",
            Self::Stale { .. } => "rate-stale",
            Self::Expired { .. } => "rate-expired",
            Self::Calendar(error) => error.code(),
            Self::Rate(error) => error.code(),
        }
    }
}

/// What the rates of one row of days share; the currencies in the order of their codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    pair: [Currency; 2],
    kind: RateKind,
    market: RmbMarket,
    source: String,
}

impl Key {
    fn of(rate: &FxRate) -> Self {
        Self {
            pair: sorted(rate.base(), rate.quote()),
            kind: rate.kind(),
            market: rate.market(),
            source: rate.source().into(),
        }
    }
}

/// Rates by pair, kind, market, source and day. The order in which they come in does not matter.
///
/// ```
/// use quanfu_calendar::BusinessCalendar;
/// use quanfu_fx::{Certainty, Date, FxRate, Quote, RateKind, RateTable, Spread, Staleness, Taken, Terms};
/// use quanfu_money::{Currency, Rounding};
///
/// let day = |day| Date::from_ymd_opt(2025, 7, day).ok_or("no such day");
/// let quote = Quote::new(Currency::USD, 1, Currency::CNY, "7.1526".parse()?)?;
/// let rate = FxRate::new(quote, RateKind::Mid, "CFETS central parity", day(18)?, Certainty::Certain)?;
/// let table = RateTable::new([rate])?;
///
/// let sunday = day(20)?;
/// assert_eq!(table.find(Currency::USD, Currency::CNY, sunday, &Terms::MID).unwrap_err().code(), "rate-stale");
/// let trading = BusinessCalendar::named("CN-FX")?;
/// let staleness = Staleness::PreviousPublished { max_business_days: 0, calendar: &trading };
/// let terms = Terms { staleness, ..Terms::MID };
/// let found = table.find(Currency::USD, Currency::CNY, sunday, &terms)?;
/// assert_eq!(found.taken, Taken::PreviousPublished { business_days: 0 });
/// let route = table.route(Currency::CNY, Currency::USD, None, sunday, &terms)?;
/// let dollars = route.convert("715.26 CNY".parse()?, Spread::NONE, Rounding::HalfUp)?;
/// assert_eq!(dollars.to.to_string(), "100.00 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateTable {
    rates: BTreeMap<Key, BTreeMap<Date, FxRate>>,
}

impl RateTable {
    /// A table of rates.
    ///
    /// # Errors
    ///
    /// Those of [`RateTable::insert`].
    pub fn new(rates: impl IntoIterator<Item = FxRate>) -> Result<Self, TableError> {
        let mut table = Self::default();
        for rate in rates {
            table.insert(rate)?;
        }
        Ok(table)
    }

    /// Takes in one rate; one that is there already changes nothing.
    ///
    /// # Errors
    ///
    /// [`TableError::Contradiction`] if another rate of the same pair (in either direction), kind, market and source
    /// starts on the same day.
    pub fn insert(&mut self, rate: FxRate) -> Result<(), TableError> {
        let days = self.rates.entry(Key::of(&rate)).or_default();
        match days.get(&rate.starts()) {
            Some(there) if *there == rate => Ok(()),
            Some(there) => Err(TableError::Contradiction {
                first: there.quoted().to_string(),
                second: rate.quoted().to_string(),
                which: format!(
                    "{}, {}, {}",
                    rate.kind().name(),
                    rate.source(),
                    rate.starts()
                ),
            }),
            None => {
                days.insert(rate.starts(), rate);
                Ok(())
            }
        }
    }

    /// All rates, by pair, kind, market, source and day.
    pub fn rates(&self) -> impl Iterator<Item = &FxRate> {
        self.rates.values().flat_map(BTreeMap::values)
    }

    /// The rate of two currencies, quoted in either direction, that holds on a day; never one of a later day.
    ///
    /// # Errors
    ///
    /// [`TableError::NotFound`], [`TableError::Sources`], [`TableError::Stale`]; [`TableError::Expired`] for a rate
    /// whose own validity has ended, whatever its staleness; [`TableError::Calendar`].
    pub fn find(
        &self,
        one: Currency,
        other: Currency,
        day: Date,
        terms: &Terms<'_>,
    ) -> Result<Found<'_>, TableError> {
        let pair = sorted(one, other);
        // of each source the latest rate that has begun
        let mut latest: Vec<&FxRate> = self
            .rates
            .iter()
            .filter(|(key, _)| {
                key.pair == pair
                    && key.kind == terms.kind
                    && key.market == terms.market
                    && terms.source.is_none_or(|source| source == key.source)
            })
            .filter_map(|(_, days)| Some(days.range(..=day).next_back()?.1))
            .collect();
        if latest.len() > 1 {
            return Err(TableError::Sources {
                one,
                other,
                sources: latest.iter().map(|rate| rate.source().into()).collect(),
            });
        }
        let Some(rate) = latest.pop() else {
            return Err(self.not_found(one, other, day, terms));
        };
        let taken = |taken| {
            Ok(Found {
                rate,
                asked: day,
                taken,
            })
        };
        if let Some(until) = rate.validity().and_then(|days| days.until)
            && until < day
        {
            return Err(TableError::Expired {
                rate: rate.quoted().to_string(),
                as_of: rate.as_of(),
                until,
                day,
            });
        }
        if rate.as_of() == day {
            return taken(Taken::OfTheDay);
        }
        if rate.validity().is_some() {
            return taken(Taken::Valid);
        }
        let stale = |why| TableError::Stale {
            rate: rate.quoted().to_string(),
            as_of: rate.as_of(),
            day,
            why,
        };
        match terms.staleness {
            Staleness::Exact => Err(stale(
                "only the rate of the day itself would be right".into(),
            )),
            Staleness::PreviousPublished {
                max_business_days,
                calendar,
            } => {
                let between = calendar.business_days_between(rate.as_of(), day)?;
                match u32::try_from(between) {
                    Ok(business_days) if business_days <= max_business_days => {
                        taken(Taken::PreviousPublished { business_days })
                    }
                    _ => Err(stale(format!(
                        "{between} business days lie after it, {max_business_days} are allowed"
                    ))),
                }
            }
        }
    }

    /// The rates of the same pair, kind, market and source that start next before and next after one of the table.
    #[must_use]
    pub fn neighbours(&self, rate: &FxRate) -> [Option<&FxRate>; 2] {
        let key = Key::of(rate);
        let Some(days) = self.rates.get(&key) else {
            return [None, None];
        };
        let after = (Bound::Excluded(rate.starts()), Bound::Unbounded);
        [
            days.range(..rate.starts()).next_back(),
            days.range(after).next(),
        ]
        .map(|found| found.map(|(_, rate)| rate))
    }

    fn not_found(
        &self,
        one: Currency,
        other: Currency,
        day: Date,
        terms: &Terms<'_>,
    ) -> TableError {
        let pair = sorted(one, other);
        let near: Vec<String> = self
            .rates
            .iter()
            .filter(|(key, _)| key.pair == pair)
            .filter_map(|(key, days)| {
                let first = days.keys().next()?;
                let market = match key.market {
                    RmbMarket::Onshore => "",
                    RmbMarket::Offshore => ", offshore",
                };
                let kind = key.kind.name();
                Some(format!("{kind}, {}{market}, from {first}", key.source))
            })
            .collect();
        let against = |side: Currency| {
            self.rates
                .keys()
                .filter(move |key| key.pair.contains(&side))
                .flat_map(|key| key.pair)
                .filter(move |&currency| currency != side)
        };
        let hint = if !near.is_empty() {
            format!("; there is {}", near.join("; "))
        } else if let Some(pivot) =
            against(one).find(|pivot| against(other).any(|own| own == *pivot))
        {
            format!("; both have rates with {pivot}, which could be named as the pivot")
        } else {
            String::new()
        };
        let written = |currency: Currency| {
            if currency == Currency::CNY {
                terms.market.code().into()
            } else {
                currency.code().into()
            }
        };
        TableError::NotFound {
            kind: terms.kind.name(),
            one: written(one),
            other: written(other),
            from: terms
                .source
                .map_or_else(String::new, |source| format!(" from {source}")),
            day,
            hint,
        }
    }

    /// The way from one currency to another on a day: none for the same currency, one rate, or two over a pivot that
    /// the caller names. A pivot is never looked for.
    ///
    /// # Errors
    ///
    /// Those of [`RateTable::find`] and of [`Route::through`].
    pub fn route(
        &self,
        from: Currency,
        to: Currency,
        via: Option<Currency>,
        day: Date,
        terms: &Terms<'_>,
    ) -> Result<Route, TableError> {
        let start = Route::same(from);
        if from == to {
            return Ok(start);
        }
        // A market belongs to rates with renminbi only; a leg without it is the same in both.
        let leg = |one: Currency, other: Currency| {
            let market = if one == Currency::CNY || other == Currency::CNY {
                terms.market
            } else {
                RmbMarket::Onshore
            };
            let found = self.find(one, other, day, &Terms { market, ..*terms })?;
            Ok::<_, TableError>((found.rate.clone(), found.note()))
        };
        match via {
            Some(pivot) if pivot != from && pivot != to => {
                Ok(start.over(pivot, leg(from, pivot)?, leg(pivot, to)?)?)
            }
            _ => {
                let (rate, note) = leg(from, to)?;
                Ok(start.then(rate, note)?)
            }
        }
    }
}

fn sorted(one: Currency, other: Currency) -> [Currency; 2] {
    [one.min(other), one.max(other)]
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfTheDay => f.write_str("of the day"),
            Self::Valid => f.write_str("valid"),
            Self::PreviousPublished { business_days } => {
                write!(f, "previous published, {business_days} business days")
            }
        }
    }
}
