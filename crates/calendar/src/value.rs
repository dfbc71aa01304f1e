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
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCalendar { .. } => "value-date-no-calendar",
            Self::SamePair { .. } => "value-date-same-pair",
            Self::NotDeterminable { .. } => "value-date-not-determinable",
            Self::Calendar(error) => error.code(),
        }
    }
}

/// The leg of one currency against the dollar: its days up to spot, each counted or not.
struct Leg {
    days: Vec<(Date, Option<u32>)>,
    spot: Date,
}

impl ValueRules {
    /// The value date of a trade in two currencies (three letters each).
    ///
    /// Each currency has its spot day against the dollar: the n-th of its business days after the trade, where the last
    /// must be good for the dollar too. A cross takes the later of the two and moves it to a day that is good for all.
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
        if base == quote {
            return Err(ValueDateError::SamePair {
                currency: base.to_owned(),
            });
        }
        let mut rules = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut legs = Vec::new();
        let dollar = calendars.named(self.calendar_of(DOLLAR)?)?;
        let crossed = [base, quote].into_iter().filter(|code| *code != DOLLAR);
        for currency in crossed {
            let leg = self.leg(calendars, &dollar, currency, traded, &mut rules)?;
            legs.push(leg);
        }
        for currency in [base, quote, DOLLAR] {
            let name = self.calendar_of(currency)?;
            if !names.contains(&name) {
                names.push(name);
                self.note_calendar(currency, &mut rules);
            }
        }
        let joint = calendars.named(&names.join("+"))?;
        let leg = legs
            .into_iter()
            .reduce(|a, b| if b.spot > a.spot { b } else { a });
        let leg = leg.expect("two different currencies are not both the dollar");
        let spot = joint.adjust(leg.spot, Roll::Following)?;
        let to_spot = told(&joint, &leg, spot)?;
        let row = tenor.row();
        let rule = self.tenors.iter().find(|rule| rule.tenor == row);
        let rule = rule.expect("our table has a row for every tenor");
        if tenor != Tenor::Spot {
            let mut value = rule.roll.name().to_owned();
            if rule.addition != PeriodAddition::None {
                value = format!("{value}; {}", rule.addition.name());
            }
            rules.push(RuleUsed {
                of: rule.tenor.clone(),
                rule: "tenor",
                value,
                certainty: rule.certainty,
                source: rule.source.clone(),
            });
        }
        let date = match tenor {
            Tenor::Overnight => joint.add_business_days(traded, 1)?,
            Tenor::TomNext => joint.add_business_days(traded, 2)?,
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

    fn leg(
        &self,
        calendars: &Calendars,
        dollar: &BusinessCalendar,
        currency: &str,
        traded: Date,
        rules: &mut Vec<RuleUsed>,
    ) -> Result<Leg, ValueDateError> {
        if let Some(row) = self.spot_rule(currency, "special") {
            return Err(ValueDateError::NotDeterminable {
                currency: currency.to_owned(),
                rule: row.value.value(),
                source_text: row.source.clone(),
            });
        }
        let own = calendars.named(self.calendar_of(currency)?)?;
        let (mut lag, mut dollar_counts) = (1, false);
        for name in ["lag", "usd_holiday"] {
            let Some(row) = self.spot_rule(currency, name) else {
                continue;
            };
            match &row.value {
                SpotRule::Lag(days) => lag = (*days).max(1),
                SpotRule::UsdHolidayCounts(counts) => dollar_counts = *counts,
                SpotRule::Special(_) => {}
            }
            rules.push(RuleUsed {
                of: currency.to_owned(),
                rule: name,
                value: row.value.value(),
                certainty: row.certainty,
                source: row.source.clone(),
            });
        }
        let mut days = Vec::new();
        let mut day = traded;
        let mut number = 0;
        while number < lag {
            day = day.succ_opt().ok_or_else(|| own.out_of_range(day))?;
            let needs_dollar = dollar_counts || number + 1 == lag;
            let good =
                own.is_business_day(day)? && (!needs_dollar || dollar.is_business_day(day)?);
            number += u32::from(good);
            days.push((day, good.then_some(number)));
        }
        Ok(Leg { days, spot: day })
    }

    fn note_calendar(&self, currency: &str, rules: &mut Vec<RuleUsed>) {
        if let Some(row) = self.calendars.get(currency) {
            rules.push(RuleUsed {
                of: currency.to_owned(),
                rule: "calendar",
                value: row.value.clone(),
                certainty: row.certainty,
                source: row.source.clone(),
            });
        }
    }
}

/// The days of a leg with the reasons of the joint calendar, on to the spot day, which takes the leg's last number.
fn told(joint: &BusinessCalendar, leg: &Leg, spot: Date) -> Result<Vec<CountedDay>, CalendarError> {
    let last = leg.days.last().and_then(|(_, number)| *number);
    let mut days = Vec::new();
    for (day, number) in &leg.days {
        days.push(CountedDay {
            day: *day,
            reason: joint.why(*day)?,
            counted: if *day == leg.spot && spot != *day {
                None
            } else {
                *number
            },
        });
    }
    if spot != leg.spot {
        for mut day in joint.count(leg.spot, 1)? {
            day.counted = day.counted.and(last);
            days.push(day);
        }
    }
    Ok(days)
}
