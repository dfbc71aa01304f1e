//! [`CustomsRule`]: which day's rate turns a dutiable value into renminbi (海关计征汇率).

use crate::read::{cells, certainty, day};
use crate::{Certainty, Date};
use quanfu_calendar::{
    BusinessCalendar, CalendarError, Dated, DatedError, DatedTable, Datelike, Weekday,
};
use std::fmt;

/// How the day is found whose rate customs use in the next month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CustomsRule {
    /// The third Wednesday of the month before; if it is a statutory holiday, the fourth.
    ThirdWednesdayElseFourth,
    /// The third Wednesday of the month before; if there is no trading on it, the next trading day.
    ThirdWednesdayElseNext,
}

impl CustomsRule {
    /// All rules.
    pub const ALL: [Self; 2] = [Self::ThirdWednesdayElseFourth, Self::ThirdWednesdayElseNext];

    /// The text form, such as `third_wednesday_else_next`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThirdWednesdayElseFourth => "third_wednesday_else_fourth",
            Self::ThirdWednesdayElseNext => "third_wednesday_else_next",
        }
    }

    /// The rules by the day on which duty is owed (应税之日), with source and certainty; a user's own are a table of
    /// the same type.
    ///
    /// # Panics
    ///
    /// Never: the table is checked by a test.
    #[must_use]
    pub fn table() -> DatedTable<Self> {
        let text = include_str!("../data/customs.csv");
        let rows = text.lines().skip(1).map(|line| {
            let row = cells("data/customs.csv", line).ok()?;
            let [from, until, rule, source, sure] = &row[..] else {
                return None;
            };
            let read = |text: &str| day("data/customs.csv", "day", text).ok();
            Some(Dated {
                from: read(from)?,
                until: if until.is_empty() {
                    None
                } else {
                    Some(read(until)?)
                },
                value: Self::ALL.into_iter().find(|own| own.name() == rule)?,
                source: source.clone(),
                certainty: certainty(sure)?,
            })
        });
        let rows: Option<Vec<_>> = rows.collect();
        rows.and_then(|rows| DatedTable::new(rows).ok())
            .expect("data/customs.csv: rows that follow each other")
    }
}

impl fmt::Display for CustomsRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The days off that the two rules look at.
#[derive(Clone, Copy, Debug)]
pub struct CustomsCalendars<'c> {
    /// Statutory working days, with make-up workdays.
    pub statutory: &'c BusinessCalendar,
    /// The days on which renminbi are traded against foreign currency between banks.
    pub trading: &'c BusinessCalendar,
}

/// The day whose rate is used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomsDay {
    /// The day whose rate is used.
    pub day: Date,
    /// The third Wednesday of the month before.
    pub third_wednesday: Date,
    /// The rule that holds on the day on which duty is owed.
    pub rule: CustomsRule,
    /// Where the rule is written.
    pub source: String,
    /// How sure the rule and its days are.
    pub certainty: Certainty,
}

/// Why no day can be named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomsError {
    /// Third and fourth Wednesday are holidays, for which the rule has no answer.
    #[error("{third} and {fourth} are holidays: the rule names no further day")]
    Undetermined {
        /// The third Wednesday.
        third: Date,
        /// The fourth.
        fourth: Date,
    },
    /// No rule holds on the day on which duty is owed.
    #[error(transparent)]
    Dated(#[from] DatedError),
    /// A calendar does not know the day.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

impl CustomsError {
    /// Every code of this kind of error; the others are those of [`DatedError`] and [`CalendarError`].
    pub const CODES: &[&str] = &["customs-undetermined"];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Undetermined { .. } => "customs-undetermined",
            Self::Dated(error) => error.code(),
            Self::Calendar(error) => error.code(),
        }
    }
}

/// The day whose rate customs use for duty that is owed on `owed`.
///
/// # Errors
///
/// [`CustomsError`].
///
/// ```
/// use quanfu_calendar::BusinessCalendar;
/// use quanfu_fx::{CustomsCalendars, CustomsRule, Date, customs_day};
///
/// let china = BusinessCalendar::china();
/// let calendars = CustomsCalendars { statutory: &china, trading: &china };
/// let owed = Date::from_ymd_opt(2026, 3, 9).ok_or("no such day")?;
/// let found = customs_day(owed, &CustomsRule::table(), calendars)?;
/// assert_eq!(found.third_wednesday.to_string(), "2026-02-18"); // in the Spring Festival
/// assert_eq!(found.day.to_string(), "2026-02-24");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn customs_day(
    owed: Date,
    rules: &DatedTable<CustomsRule>,
    calendars: CustomsCalendars<'_>,
) -> Result<CustomsDay, CustomsError> {
    let row = rules.at(owed)?;
    let (year, month) = match owed.month() {
        1 => (owed.year() - 1, 12),
        month => (owed.year(), month - 1),
    };
    let wednesday = |n| {
        Date::from_weekday_of_month_opt(year, month, Weekday::Wed, n)
            .expect("every month has four Wednesdays")
    };
    let third = wednesday(3);
    let day = match row.value {
        CustomsRule::ThirdWednesdayElseFourth => {
            let fourth = wednesday(4);
            if calendars.statutory.is_business_day(third)? {
                third
            } else if calendars.statutory.is_business_day(fourth)? {
                fourth
            } else {
                return Err(CustomsError::Undetermined { third, fourth });
            }
        }
        CustomsRule::ThirdWednesdayElseNext => {
            if calendars.trading.is_business_day(third)? {
                third
            } else {
                calendars.trading.add_business_days(third, 1)?
            }
        }
    };
    Ok(CustomsDay {
        day,
        third_wednesday: third,
        rule: row.value,
        source: row.source.clone(),
        certainty: row.certainty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a day")
    }

    #[test]
    fn the_day_follows_the_rule_that_holds_when_duty_is_owed() {
        let china = BusinessCalendar::china();
        let calendars = CustomsCalendars {
            statutory: &china,
            trading: &china,
        };
        for (owed, third, day, rule) in [
            (
                "2018-03-01",
                "2018-02-21",
                "2018-02-28",
                CustomsRule::ThirdWednesdayElseFourth,
            ),
            (
                "2021-03-31",
                "2021-02-17",
                "2021-02-24",
                CustomsRule::ThirdWednesdayElseFourth,
            ),
            (
                "2024-11-30",
                "2024-10-16",
                "2024-10-16",
                CustomsRule::ThirdWednesdayElseFourth,
            ),
            (
                "2024-12-01",
                "2024-11-20",
                "2024-11-20",
                CustomsRule::ThirdWednesdayElseNext,
            ),
            (
                "2025-01-15",
                "2024-12-18",
                "2024-12-18",
                CustomsRule::ThirdWednesdayElseNext,
            ),
            // Tuesday the 24th; the fourth Wednesday of the old rule would be the 25th.
            (
                "2026-03-02",
                "2026-02-18",
                "2026-02-24",
                CustomsRule::ThirdWednesdayElseNext,
            ),
        ] {
            let found = customs_day(date(owed), &CustomsRule::table(), calendars).expect(owed);
            assert_eq!(
                (found.third_wednesday, found.day, found.rule),
                (date(third), date(day), rule)
            );
        }
        let found = customs_day(date("2026-03-02"), &CustomsRule::table(), calendars).expect("one");
        assert_eq!(found.certainty, Certainty::Unsure);
    }

    /// From the first month that the table covers to the last: one day each, in the month before, never a holiday.
    #[test]
    fn every_month_has_exactly_one_day() {
        let china = BusinessCalendar::china();
        let calendars = CustomsCalendars {
            statutory: &china,
            trading: &china,
        };
        let mut months = 0;
        for year in 2017..=2026 {
            for month in 1..=12 {
                if (year, month) == (2017, 1) {
                    continue; // its day is in 2016, which the calendar does not cover
                }
                let days = (1..=31).filter_map(|day| Date::from_ymd_opt(year, month, day));
                let found: Vec<Date> = days
                    .map(|owed| {
                        customs_day(owed, &CustomsRule::table(), calendars)
                            .expect("one")
                            .day
                    })
                    .collect();
                assert!(found.iter().all(|day| *day == found[0]));
                assert_eq!(found[0].month() % 12 + 1, month);
                assert_eq!(china.is_business_day(found[0]), Ok(true));
                months += 1;
            }
        }
        assert_eq!(months, 119);
    }

    #[test]
    fn what_the_tables_do_not_say_is_not_guessed() {
        let china = BusinessCalendar::china();
        let both = "date,kind,name,class\n2018-01-01,covers,2018-12-31,\n\
                    2018-02-21,holiday,made up,\n2018-02-28,holiday,made up,\n";
        let both = BusinessCalendar::parse("made up", both).expect("a calendar");
        for (owed, calendar, code) in [
            ("2016-12-31", &china, "dated-not-covered"),
            ("2017-01-10", &china, "calendar-out-of-range"),
            ("2027-02-10", &china, "calendar-out-of-range"),
            ("2018-03-10", &both, "customs-undetermined"),
        ] {
            let calendars = CustomsCalendars {
                statutory: calendar,
                trading: calendar,
            };
            let found = customs_day(date(owed), &CustomsRule::table(), calendars);
            assert_eq!(
                found.map_err(|error| error.code()).err(),
                Some(code),
                "{owed}"
            );
        }
    }
}
