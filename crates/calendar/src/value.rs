//! Value dates: on which day a currency trade settles.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate as Date;

use crate::data::{certain, rows};
use crate::{
    BusinessCalendar, CalendarError, Calendars, Certainty, CountedDay, Period, PeriodAddition,
    Roll, UnknownConvention,
};

/// From when to when a trade runs; printed and read as `ON`, `TN`, `SP`, `SN`, `1W`, `3M` ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tenor {
    /// The next good day after the trade (overnight).
    Overnight,
    /// The second good day after the trade (tomorrow-next).
    TomNext,
    /// The spot day.
    Spot,
    /// The next good day after spot.
    SpotNext,
    /// A period after spot.
    After(Period),
}

impl Tenor {
    /// The row of the rules that says how it is counted.
    fn row(self) -> String {
        match self {
            Self::After(period) => period.unit().to_string(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Tenor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overnight => f.write_str("ON"),
            Self::TomNext => f.write_str("TN"),
            Self::Spot => f.write_str("SP"),
            Self::SpotNext => f.write_str("SN"),
            Self::After(period) => period.fmt(f),
        }
    }
}

impl FromStr for Tenor {
    type Err = UnknownConvention;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = [Self::Overnight, Self::TomNext, Self::Spot, Self::SpotNext];
        if let Some(tenor) = named.into_iter().find(|tenor| tenor.to_string() == text) {
            return Ok(tenor);
        }
        let period = text.parse().map_err(|_| UnknownConvention {
            what: "tenor",
            name: text.to_owned(),
            known: "ON, TN, SP, SN, 1D, 1W, 1M, 1Y and so on up to 999".to_owned(),
        })?;
        Ok(Self::After(period))
    }
}

/// What is special about the spot day of a currency against the US dollar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpotRule {
    /// So many business days after the trade, one at least.
    Lag(u32),
    /// Whether a US holiday before the spot day counts against it.
    UsdHolidayCounts(bool),
    /// Another rule, in words: the day cannot be computed.
    Special(String),
}

impl SpotRule {
    /// Name of the kind: `lag`, `usd_holiday`, `special`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lag(_) => "lag",
            Self::UsdHolidayCounts(_) => "usd_holiday",
            Self::Special(_) => "special",
        }
    }

    /// Its value as text: `2`, `ignored`, `counts`, or the words.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Lag(lag) => lag.to_string(),
            Self::UsdHolidayCounts(true) => "counts".to_owned(),
            Self::UsdHolidayCounts(false) => "ignored".to_owned(),
            Self::Special(words) => words.clone(),
        }
    }
}

/// A rule that a value date rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleUsed {
    /// The currency, or the tenor's row (`M`).
    pub of: String,
    /// `calendar`, `lag`, `usd_holiday` or `tenor`.
    pub rule: &'static str,
    /// What it says.
    pub value: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// Where it was read.
    pub source: String,
}

/// A value with its source and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sourced<T> {
    value: T,
    certainty: Certainty,
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TenorRule {
    tenor: String,
    roll: Roll,
    addition: PeriodAddition,
    certainty: Certainty,
    source: String,
}

/// Which calendar a currency has, how many days lie between trade and spot, how tenors are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueRules {
    calendars: BTreeMap<String, Sourced<String>>,
    /// By currency (`*` for all that have no row) and name of the rule.
    spot: BTreeMap<(String, &'static str), Sourced<SpotRule>>,
    tenors: Vec<TenorRule>,
}

/// The currency through which all others are traded.
const DOLLAR: &str = "USD";

impl ValueRules {
    /// Ours, from the tables in `data/`.
    ///
    /// # Panics
    ///
    /// Never: the tables are checked by a test.
    #[must_use]
    pub fn shipped() -> Self {
        let mut rules = Self {
            calendars: BTreeMap::new(),
            spot: BTreeMap::new(),
            tenors: Vec::new(),
        };
        for [currency, calendar, certainty, source] in rows(include_str!("../data/currencies.csv"))
        {
            rules = rules.with_currency(currency, calendar, certain(certainty), source);
        }
        for [currency, rule, value, certainty, source] in rows(include_str!("../data/spot.csv")) {
            let rule = match rule {
                "lag" => SpotRule::Lag(value.parse().expect("a lag of our table is a number")),
                "usd_holiday" => SpotRule::UsdHolidayCounts(value == "counts"),
                _ => SpotRule::Special(value.to_owned()),
            };
            rules = rules.with_spot(currency, rule, certain(certainty), source);
        }
        for [tenor, _, roll, addition, certainty, source] in
            rows(include_str!("../data/tenors.csv"))
        {
            let mut additions = PeriodAddition::ALL.into_iter();
            rules.tenors.push(TenorRule {
                tenor: tenor.to_owned(),
                roll: roll.parse().expect("a roll of our table has its name"),
                addition: additions
                    .find(|one| one.name() == addition)
                    .expect("an addition of our table has its name"),
                certainty: certain(certainty),
                source: source.to_owned(),
            });
        }
        rules
    }

    /// With the calendar of a currency (three letters), in place of ours.
    #[must_use]
    pub fn with_currency(
        mut self,
        currency: &str,
        calendar: &str,
        certainty: Certainty,
        source: &str,
    ) -> Self {
        let value = calendar.to_owned();
        let source = source.to_owned();
        let row = Sourced {
            value,
            certainty,
            source,
        };
        self.calendars.insert(currency.to_owned(), row);
        self
    }

    /// With a rule for the spot day of a currency against the US dollar, in place of ours of the same kind. A lag takes the
    /// place of a special rule too.
    #[must_use]
    pub fn with_spot(
        mut self,
        currency: &str,
        rule: SpotRule,
        certainty: Certainty,
        source: &str,
    ) -> Self {
        if matches!(rule, SpotRule::Lag(_)) {
            self.spot.remove(&(currency.to_owned(), "special"));
        }
        let name = rule.name();
        let source = source.to_owned();
        let row = Sourced {
            value: rule,
            certainty,
            source,
        };
        self.spot.insert((currency.to_owned(), name), row);
        self
    }

    /// The currencies that have a calendar, sorted.
    #[must_use]
    pub fn currencies(&self) -> Vec<&str> {
        self.calendars.keys().map(String::as_str).collect()
    }

    /// The name of a currency's calendar.
    ///
    /// # Errors
    ///
    /// [`ValueDateError::NoCalendar`]: weekends alone would be a guess.
    pub fn calendar_of(&self, currency: &str) -> Result<&str, ValueDateError> {
        let row = self.calendars.get(currency);
        let row = row.ok_or_else(|| ValueDateError::NoCalendar {
            currency: currency.to_owned(),
            known: self.currencies().join(", "),
        })?;
        Ok(&row.value)
    }

    fn spot_rule(&self, currency: &str, name: &'static str) -> Option<&Sourced<SpotRule>> {
        let of = |currency: &str| self.spot.get(&(currency.to_owned(), name));
        of(currency).or_else(|| of("*"))
    }
}

/// On which day a trade settles, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueDate {
    /// The day.
    pub date: Date,
    /// The spot day, from which most tenors count.
    pub spot: Date,
    /// The calendar in which both days are good: that of both currencies and of the US dollar.
    pub calendar: String,
    /// Each day from the trade to spot. A day that counts may be a holiday, if only the dollar is closed before spot; in a
    /// cross, these are the days of the later leg.
    pub to_spot: Vec<CountedDay>,
    /// Each day from the one that the tenor names to the value date, where that was moved; the days run backwards if the
    /// next good day is in another month. None of them is good but the last, which has number 1.
    pub moved: Vec<CountedDay>,
    /// Whether it is the last business day of its month because spot is that of its month (end-end).
    pub end_end: bool,
    /// The rules that it rests on.
    pub rules: Vec<RuleUsed>,
    /// How sure it is: as the least sure of the rules and of the calendars' days from the trade to the value date.
    pub certainty: Certainty,
}

/// Why there is no value date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueDateError {
    /// We have no calendar for a currency, and weekends alone would be a guess.
    #[error("no calendar for {currency}; there is one for {known}")]
    NoCalendar {
        /// The currency.
        currency: String,
        /// Those that have one, with commas between.
        known: String,
    },
    /// The two currencies are the same.
    #[error("{currency} against itself is no trade")]
    SamePair {
        /// The currency.
        currency: String,
    },
    /// A rule says something that cannot be computed.
    #[error("the spot day of {currency} cannot be determined: {rule} ({source_text})")]
    NotDeterminable {
        /// The currency.
        currency: String,
        /// The rule, in words.
        rule: String,
        /// Where it was read.
        source_text: String,
    },
    /// There is no second good day between the trade and spot, because the dollar is closed.
    #[error("no TN for a trade of {traded}: the first good day after it is spot already, {spot}")]
    NoTomNext {
        /// The day of the trade.
        traded: Date,
        /// The spot day.
        spot: Date,
    },
    /// A calendar has no answer.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

impl ValueDateError {
    /// Codes of its own kinds; a calendar's error keeps its code.
    pub const CODES: &'static [&'static str] = &[
        "value-date-no-calendar",
        "value-date-same-pair",
        "value-date-not-determinable",
        "value-date-no-tom-next",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCalendar { .. } => "value-date-no-calendar",
            Self::SamePair { .. } => "value-date-same-pair",
            Self::NotDeterminable { .. } => "value-date-not-determinable",
            Self::NoTomNext { .. } => "value-date-no-tom-next",
            Self::Calendar(error) => error.code(),
        }
    }
}

/// A currency against the dollar.
#[derive(Clone, Debug)]
struct Leg {
    own: BusinessCalendar,
    lag: u32,
    dollar_counts: bool,
}

/// Two currencies with their calendars and rules, ready for many value dates.
#[derive(Clone, Debug)]
pub struct ValuePair {
    /// One, or two for a cross.
    legs: Vec<Leg>,
    dollar: BusinessCalendar,
    joint: BusinessCalendar,
    rules: Vec<RuleUsed>,
    tenors: Vec<TenorRule>,
}

impl ValueRules {
    /// The value date of a trade in two currencies (three letters each).
    ///
    /// Each currency has its spot day against the dollar: the n-th of its business days after the trade, where the last
    /// must be good for the dollar too. A cross takes the later of the two and moves it to a day that is good for all.
    /// For many dates of one pair see [`ValueRules::pair`].
    ///
    /// # Errors
    ///
    /// [`ValueDateError`].
    ///
    /// ```
    /// use quanfu_calendar::{Calendars, Date, Tenor, ValueRules};
    ///
    /// let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
    /// let traded: Date = "2025-09-30".parse()?; // the day before the holidays
    /// let spot = rules.value_date(&calendars, "USD", "CNY", traded, Tenor::Spot)?;
    /// assert_eq!(spot.date.to_string(), "2025-10-10");
    /// assert!(rules.value_date(&calendars, "USD", "VND", traded, Tenor::Spot).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn value_date(
        &self,
        calendars: &Calendars,
        base: &str,
        quote: &str,
        traded: Date,
        tenor: Tenor,
    ) -> Result<ValueDate, ValueDateError> {
        self.pair(calendars, base, quote)?.value_date(traded, tenor)
    }

    /// Gets the calendars and rules of a pair.
    ///
    /// # Errors
    ///
    /// [`ValueDateError`].
    pub fn pair(
        &self,
        calendars: &Calendars,
        base: &str,
        quote: &str,
    ) -> Result<ValuePair, ValueDateError> {
        if base == quote {
            return Err(ValueDateError::SamePair {
                currency: base.to_owned(),
            });
        }
        let mut rules = Vec::new();
        let mut legs = Vec::new();
        for currency in [base, quote].into_iter().filter(|code| *code != DOLLAR) {
            legs.push(self.leg(calendars, currency, &mut rules)?);
        }
        let mut names: Vec<&str> = Vec::new();
        for currency in [base, quote, DOLLAR] {
            let name = self.calendar_of(currency)?;
            if !names.contains(&name) {
                names.push(name);
                let row = self.calendars.get(currency);
                rules.extend(row.map(|row| row.used(currency, "calendar", name.to_owned())));
            }
        }
        Ok(ValuePair {
            legs,
            dollar: calendars.named(self.calendar_of(DOLLAR)?)?,
            joint: calendars.named(&names.join("+"))?,
            rules,
            tenors: self.tenors.clone(),
        })
    }

    fn leg(
        &self,
        calendars: &Calendars,
        currency: &str,
        rules: &mut Vec<RuleUsed>,
    ) -> Result<Leg, ValueDateError> {
        if let Some(row) = self.spot_rule(currency, "special") {
            return Err(ValueDateError::NotDeterminable {
                currency: currency.to_owned(),
                rule: row.value.value(),
                source_text: row.source.clone(),
            });
        }
        let mut leg = Leg {
            own: calendars.named(self.calendar_of(currency)?)?,
            lag: 1,
            dollar_counts: false,
        };
        for name in ["lag", "usd_holiday"] {
            if let Some(row) = self.spot_rule(currency, name) {
                match row.value {
                    SpotRule::Lag(days) => leg.lag = days.max(1),
                    SpotRule::UsdHolidayCounts(counts) => leg.dollar_counts = counts,
                    SpotRule::Special(_) => {}
                }
                rules.push(row.used(currency, name, row.value.value()));
            }
        }
        Ok(leg)
    }
}

impl<T> Sourced<T> {
    fn used(&self, of: &str, rule: &'static str, value: String) -> RuleUsed {
        RuleUsed {
            of: of.to_owned(),
            rule,
            value,
            certainty: self.certainty,
            source: self.source.clone(),
        }
    }
}

impl Leg {
    /// The days after the trade up to spot, each with its number or none.
    fn to_spot(
        &self,
        dollar: &BusinessCalendar,
        traded: Date,
    ) -> Result<Vec<(Date, Option<u32>)>, CalendarError> {
        let mut days = Vec::new();
        let (mut day, mut number) = (traded, 0);
        while number < self.lag {
            day = day.succ_opt().ok_or_else(|| self.own.out_of_range(day))?;
            let needs_dollar = self.dollar_counts || number + 1 == self.lag;
            let good =
                self.own.is_business_day(day)? && (!needs_dollar || dollar.is_business_day(day)?);
            number += u32::from(good);
            days.push((day, good.then_some(number)));
        }
        Ok(days)
    }
}

impl ValuePair {
    /// The calendar in which spot and value date are good: that of both currencies and of the US dollar.
    #[must_use]
    pub fn calendar(&self) -> &BusinessCalendar {
        &self.joint
    }

    /// The value date of a trade.
    ///
    /// # Errors
    ///
    /// [`ValueDateError::Calendar`] beyond the calendars; [`ValueDateError::NoTomNext`].
    pub fn value_date(&self, traded: Date, tenor: Tenor) -> Result<ValueDate, ValueDateError> {
        let joint = &self.joint;
        let to_spot = self.to_spot(traded)?;
        let spot = to_spot.last().map_or(traded, |last| last.day);
        let row = tenor.row();
        let rule = self.tenors.iter().find(|rule| rule.tenor == row);
        let rule = rule.expect("our table has a row for every tenor");
        let date = match tenor {
            Tenor::Overnight => joint.add_business_days(traded, 1)?,
            Tenor::TomNext => {
                let date = joint.add_business_days(traded, 2)?;
                // with a lag of two it must end on spot, and a US holiday may have left no day between
                if date > spot && self.legs.iter().any(|leg| leg.lag > 1) {
                    return Err(ValueDateError::NoTomNext { traded, spot });
                }
                date
            }
            Tenor::Spot => spot,
            Tenor::SpotNext => joint.add_business_days(spot, 1)?,
            Tenor::After(period) => joint.add_period(spot, period, rule.addition, rule.roll)?,
        };
        let end_end = matches!(tenor, Tenor::After(Period::Months(_) | Period::Years(_)))
            && rule.addition == PeriodAddition::LastBusinessDay
            && joint.last_business_day_of_month(spot)? == spot;
        let moved = match tenor {
            Tenor::After(period) if !end_end => match period.after(spot) {
                Some(from) if from < date => joint.count(from, 1)?,
                Some(from) if from > date => joint.count(from, -1)?,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let mut rules = self.rules.clone();
        if tenor != Tenor::Spot {
            rules.push(rule.used());
        }
        let of_rules = rules.iter().map(|rule| rule.certainty).max();
        let certainty = joint.certainty(traded, date.max(spot))?;
        Ok(ValueDate {
            date,
            spot,
            calendar: joint.name().to_owned(),
            to_spot,
            moved,
            end_end,
            certainty: certainty.max(of_rules.unwrap_or(Certainty::Certain)),
            rules,
        })
    }

    /// The days of the later leg with the reasons of the joint calendar, and on to a day that is good for all, which takes
    /// the leg's last number.
    fn to_spot(&self, traded: Date) -> Result<Vec<CountedDay>, CalendarError> {
        let mut later: Vec<(Date, Option<u32>)> = Vec::new();
        for leg in &self.legs {
            let days = leg.to_spot(&self.dollar, traded)?;
            if days.len() > later.len() {
                later = days;
            }
        }
        let mut days = Vec::new();
        for (day, counted) in later {
            let reason = self.joint.why(day)?;
            days.push(CountedDay {
                day,
                reason,
                counted,
            });
        }
        if let Some(last) = days.last_mut()
            && !last.reason.is_business()
        {
            let (from, number) = (last.day, last.counted.take());
            for mut day in self.joint.count(from, 1)? {
                day.counted = day.counted.and(number);
                days.push(day);
            }
        }
        Ok(days)
    }
}

impl TenorRule {
    fn used(&self) -> RuleUsed {
        let value = match self.addition {
            PeriodAddition::None => self.roll.name().to_owned(),
            addition => format!("{}; {}", self.roll.name(), addition.name()),
        };
        RuleUsed {
            of: self.tenor.clone(),
            rule: "tenor",
            value,
            certainty: self.certainty,
            source: self.source.clone(),
        }
    }
}
