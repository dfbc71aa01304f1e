//! Moving a day to a business day, and periods of days, weeks, months and years.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate as Date, Weekday};

use crate::{BusinessCalendar, CalendarError, UnknownConvention};

/// How a day that is no business day is moved to one. The names are those of OpenGamma's Strata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Roll {
    /// Not at all.
    NoAdjust,
    /// To the next business day.
    Following,
    /// To the next business day, unless that is in another month: then to the one before.
    ModifiedFollowing,
    /// As `ModifiedFollowing`, and neither across the middle of a month, from the 15th to the 16th.
    ModifiedFollowingBiMonthly,
    /// To the business day before.
    Preceding,
    /// To the business day before, unless that is in another month: then to the next.
    ModifiedPreceding,
    /// From a Sunday or Monday to the next business day, from another day to the one before.
    Nearest,
}

impl Roll {
    /// All conventions.
    pub const ALL: [Self; 7] = [
        Self::NoAdjust,
        Self::Following,
        Self::ModifiedFollowing,
        Self::ModifiedFollowingBiMonthly,
        Self::Preceding,
        Self::ModifiedPreceding,
        Self::Nearest,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoAdjust => "NoAdjust",
            Self::Following => "Following",
            Self::ModifiedFollowing => "ModifiedFollowing",
            Self::ModifiedFollowingBiMonthly => "ModifiedFollowingBiMonthly",
            Self::Preceding => "Preceding",
            Self::ModifiedPreceding => "ModifiedPreceding",
            Self::Nearest => "Nearest",
        }
    }
}

impl fmt::Display for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Roll {
    type Err = UnknownConvention;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|roll| roll.name() == name);
        found.ok_or_else(|| UnknownConvention {
            what: "roll convention",
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A length of time; printed and read as `2D`, `1W`, `3M`, `1Y`, with a number from 1 to 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// Calendar days.
    Days(u16),
    /// Weeks.
    Weeks(u16),
    /// Months.
    Months(u16),
    /// Years.
    Years(u16),
}

impl Period {
    /// The day after this period, business day or not; the last of its month where the month has no such day. `None`
    /// beyond the years that a date can hold.
    #[must_use]
    pub fn after(self, day: Date) -> Option<Date> {
        match self {
            Self::Days(n) => day.checked_add_days(Days::new(u64::from(n))),
            Self::Weeks(n) => day.checked_add_days(Days::new(7 * u64::from(n))),
            Self::Months(n) => day.checked_add_months(Months::new(u32::from(n))),
            Self::Years(n) => day.checked_add_months(Months::new(12 * u32::from(n))),
        }
    }

    /// `D`, `W`, `M` or `Y`.
    #[must_use]
    pub fn unit(self) -> char {
        match self {
            Self::Days(_) => 'D',
            Self::Weeks(_) => 'W',
            Self::Months(_) => 'M',
            Self::Years(_) => 'Y',
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Days(n) | Self::Weeks(n) | Self::Months(n) | Self::Years(n)) = self;
        write!(f, "{n}{}", self.unit())
    }
}

impl FromStr for Period {
    type Err = UnknownConvention;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownConvention {
            what: "period",
            name: text.to_owned(),
            known: "1D, 1W, 1M, 1Y and so on up to 999".to_owned(),
        };
        let digits = text.trim_end_matches(['D', 'W', 'M', 'Y']);
        let plain = digits.len() <= 3
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit());
        let n = digits.parse().ok().filter(|_| plain).ok_or_else(unknown)?;
        match text.get(digits.len()..) {
            Some("D") => Ok(Self::Days(n)),
            Some("W") => Ok(Self::Weeks(n)),
            Some("M") => Ok(Self::Months(n)),
            Some("Y") => Ok(Self::Years(n)),
            _ => Err(unknown()),
        }
    }
}

/// What holds for months and years that begin at the end of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeriodAddition {
    /// Nothing: the same day of the month.
    None,
    /// From the last day of a month to the last day of a month.
    LastDay,
    /// From the last business day of a month to the last business day of a month (end-end).
    LastBusinessDay,
}

impl PeriodAddition {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::LastDay, Self::LastBusinessDay];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::LastDay => "LastDay",
            Self::LastBusinessDay => "LastBusinessDay",
        }
    }
}

/// The last day of a day's month.
pub(crate) fn end_of_month(day: Date) -> Option<Date> {
    let first = day.with_day(1)?.checked_add_months(Months::new(1))?;
    first.pred_opt()
}

impl BusinessCalendar {
    /// Moves a day to a business day as named.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`] if the table does not cover a day that had to be looked at.
    ///
    /// ```
    /// use quanfu_calendar::{BusinessCalendar, Date, Roll};
    ///
    /// let day: Date = "2026-05-31".parse()?; // a Sunday
    /// let us = BusinessCalendar::named("US")?;
    /// assert_eq!(us.adjust(day, Roll::Following)?.to_string(), "2026-06-01");
    /// assert_eq!(us.adjust(day, Roll::ModifiedFollowing)?.to_string(), "2026-05-29");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn adjust(&self, day: Date, roll: Roll) -> Result<Date, CalendarError> {
        if self.is_business_day(day)? || roll == Roll::NoAdjust {
            return Ok(day);
        }
        let (next, before) = (
            || self.add_business_days(day, 1),
            || self.add_business_days(day, -1),
        );
        let same_month = |other: Date| (other.year(), other.month()) == (day.year(), day.month());
        match roll {
            Roll::NoAdjust => Ok(day),
            Roll::Following => next(),
            Roll::Preceding => before(),
            Roll::ModifiedFollowing => {
                let to = next()?;
                if same_month(to) { Ok(to) } else { before() }
            }
            Roll::ModifiedFollowingBiMonthly => {
                let to = next()?;
                let crosses = day.day() <= 15 && to.day() > 15;
                if same_month(to) && !crosses {
                    Ok(to)
                } else {
                    before()
                }
            }
            Roll::ModifiedPreceding => {
                let to = before()?;
                if same_month(to) { Ok(to) } else { next() }
            }
            Roll::Nearest if matches!(day.weekday(), Weekday::Sun | Weekday::Mon) => next(),
            Roll::Nearest => before(),
        }
    }

    /// The last business day of a day's month.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`] if the table does not cover the end of the month, or knows no business day before it.
    pub fn last_business_day_of_month(&self, day: Date) -> Result<Date, CalendarError> {
        let end = end_of_month(day).ok_or_else(|| self.out_of_range(day))?;
        self.adjust(end, Roll::Preceding)
    }

    /// The day a period later, moved to a business day as named. `addition` counts for months and years only; the last
    /// business day of a month needs no further move.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`].
    pub fn add_period(
        &self,
        day: Date,
        period: Period,
        addition: PeriodAddition,
        roll: Roll,
    ) -> Result<Date, CalendarError> {
        let to = period.after(day).ok_or_else(|| self.out_of_range(day))?;
        if matches!(period, Period::Months(_) | Period::Years(_)) {
            match addition {
                PeriodAddition::LastBusinessDay if self.last_business_day_of_month(day)? == day => {
                    return self.last_business_day_of_month(to);
                }
                PeriodAddition::LastDay if end_of_month(day) == Some(day) => {
                    let end = end_of_month(to).ok_or_else(|| self.out_of_range(to))?;
                    return self.adjust(end, roll);
                }
                _ => {}
            }
        }
        self.adjust(to, roll)
    }
}
