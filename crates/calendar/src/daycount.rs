//! Day counts: the exact share of a year between two days.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate as Date};

use crate::roll::end_of_month;
use crate::{Period, UnknownConvention};

/// A share of a year as an exact fraction in lowest terms; never negative.
///
/// Interest is principal times rate times `num / den`, rounded once by whoever multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DayFraction {
    num: i64,
    den: i64,
}

impl DayFraction {
    /// The numerator.
    #[must_use]
    pub fn num(self) -> i64 {
        self.num
    }

    /// The denominator, above zero.
    #[must_use]
    pub fn den(self) -> i64 {
        self.den
    }

    fn new(num: i128, den: i128) -> Result<Self, DayCountError> {
        let common = gcd(num, den);
        let part = |part: i128| i64::try_from(part / common).map_err(|_| DayCountError::TooLarge);
        Ok(Self {
            num: part(num)?,
            den: part(den)?,
        })
    }

    fn plus(self, other: Self) -> Result<Self, DayCountError> {
        let [a, b, c, d] = [self.num, self.den, other.num, other.den].map(i128::from);
        Self::new(a * d + c * b, b * d) // a sum of products of 63 bits each fits 128
    }
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl fmt::Display for DayFraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// Why there is no fraction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DayCountError {
    /// The last day is before the first.
    #[error("from {start} until {end} goes backwards")]
    Reversed {
        /// First day.
        start: Date,
        /// Last day.
        end: Date,
    },
    /// The convention needs the coupon periods, and none were given or they do not hold the days.
    #[error("Act/Act ICMA from {start} until {end} needs coupon periods that hold both days")]
    Schedule {
        /// First day.
        start: Date,
        /// Last day.
        end: Date,
    },
    /// The fraction needs more than 64 bits.
    #[error("the fraction of a year has more than 64 bits")]
    TooLarge,
}

impl DayCountError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "day-count-reversed",
        "day-count-schedule",
        "day-count-too-large",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reversed { .. } => "day-count-reversed",
            Self::Schedule { .. } => "day-count-schedule",
            Self::TooLarge => "day-count-too-large",
        }
    }
}

/// How days are counted as a share of a year. Other conventions (`Act/365L`, `Act/Act AFB`, `NL/365`, `Bus/252` ...) are
/// not here, and asking for one by name is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DayCount {
    /// Days over 360.
    Act360,
    /// Days over 365, also in leap years.
    Act365F,
    /// Days of leap years over 366 plus days of other years over 365.
    ActActIsda,
    /// Days over the days of the coupon period times the periods of a year; needs a [`Schedule`].
    ActActIcma,
    /// 30/360 Bond Basis (ISDA 2006 4.16(f)): a 31st at the end stays unless the start is a 30th or 31st.
    Thirty360Isda,
    /// 30E/360 Eurobond Basis: a 31st is a 30th.
    ThirtyE360,
    /// 30E/360 ISDA: also the last day of February is a 30th, but not as the maturity.
    ThirtyE360Isda,
    /// 30U/360 without the end-of-month rule.
    Thirty360U,
    /// 30U/360 with the end-of-month rule, also called 30/360 US: the last day of February is a 30th too.
    Thirty360UEom,
}

impl DayCount {
    /// All conventions.
    pub const ALL: [Self; 9] = [
        Self::Act360,
        Self::Act365F,
        Self::ActActIsda,
        Self::ActActIcma,
        Self::Thirty360Isda,
        Self::ThirtyE360,
        Self::ThirtyE360Isda,
        Self::Thirty360U,
        Self::Thirty360UEom,
    ];

    /// Its name, as in Strata; `30U/360 EOM` for the last.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Act360 => "Act/360",
            Self::Act365F => "Act/365F",
            Self::ActActIsda => "Act/Act ISDA",
            Self::ActActIcma => "Act/Act ICMA",
            Self::Thirty360Isda => "30/360 ISDA",
            Self::ThirtyE360 => "30E/360",
            Self::ThirtyE360Isda => "30E/360 ISDA",
            Self::Thirty360U => "30U/360",
            Self::Thirty360UEom => "30U/360 EOM",
        }
    }

    /// The share of a year from one day until another. `Act/Act ICMA` has its own, [`Schedule::fraction`].
    /// The end of `30E/360 ISDA` is taken not to be the maturity; else see [`DayCount::fraction_to_maturity`].
    ///
    /// # Errors
    ///
    /// [`DayCountError`].
    ///
    /// ```
    /// use quanfu_calendar::{Date, DayCount};
    ///
    /// let day = |text: &str| text.parse::<Date>().unwrap();
    /// let share = DayCount::ActActIsda.fraction(day("2003-11-01"), day("2004-05-01"))?;
    /// assert_eq!(share.to_string(), "66491/133590"); // 61/365 + 121/366
    /// # Ok::<(), quanfu_calendar::DayCountError>(())
    /// ```
    pub fn fraction(self, start: Date, end: Date) -> Result<DayFraction, DayCountError> {
        self.count(start, end, false)
    }

    /// As [`DayCount::fraction`], where the end is the maturity: only `30E/360 ISDA` makes a difference of it.
    ///
    /// # Errors
    ///
    /// [`DayCountError`].
    pub fn fraction_to_maturity(
        self,
        start: Date,
        end: Date,
    ) -> Result<DayFraction, DayCountError> {
        self.count(start, end, true)
    }

    fn count(
        self,
        start: Date,
        end: Date,
        at_maturity: bool,
    ) -> Result<DayFraction, DayCountError> {
        if end < start {
            return Err(DayCountError::Reversed { start, end });
        }
        if start == end {
            return DayFraction::new(0, 1);
        }
        let days = i128::from(end.signed_duration_since(start).num_days());
        let february_end = |day: Date| day.month() == 2 && end_of_month(day) == Some(day);
        let (mut from, mut to) = (start.day(), end.day());
        match self {
            Self::Act360 => return DayFraction::new(days, 360),
            Self::Act365F => return DayFraction::new(days, 365),
            Self::ActActIsda => return act_act_isda(start, end, days),
            Self::ActActIcma => return Err(DayCountError::Schedule { start, end }),
            Self::Thirty360Isda | Self::Thirty360U | Self::Thirty360UEom => {
                if self == Self::Thirty360UEom && february_end(start) {
                    if february_end(end) {
                        to = 30;
                    }
                    from = 30;
                }
                if to == 31 && from >= 30 {
                    to = 30;
                }
                from = from.min(30);
            }
            Self::ThirtyE360 => (from, to) = (from.min(30), to.min(30)),
            Self::ThirtyE360Isda => {
                from = if february_end(start) {
                    30
                } else {
                    from.min(30)
                };
                to = if february_end(end) && !at_maturity {
                    30
                } else {
                    to.min(30)
                };
            }
        }
        let months = 12 * (i128::from(end.year()) - i128::from(start.year()))
            + i128::from(end.month())
            - i128::from(start.month());
        DayFraction::new(30 * months + i128::from(to) - i128::from(from), 360)
    }
}

fn act_act_isda(start: Date, end: Date, days: i128) -> Result<DayFraction, DayCountError> {
    let length = |day: Date| if day.leap_year() { 366 } else { 365 };
    if start.year() == end.year() {
        return DayFraction::new(days, length(start));
    }
    let in_first = length(start) + 1 - i128::from(start.ordinal());
    let in_last = i128::from(end.ordinal()) - 1;
    let whole_years = i128::from(end.year()) - i128::from(start.year()) - 1;
    let first = DayFraction::new(in_first, length(start))?;
    let last = DayFraction::new(in_last, length(end))?;
    first.plus(last)?.plus(DayFraction::new(whole_years, 1)?)
}

impl fmt::Display for DayCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DayCount {
    type Err = UnknownConvention;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|count| count.name() == name);
        found.ok_or_else(|| UnknownConvention {
            what: "day count",
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// Coupon periods for `Act/Act ICMA`: days that follow each other at one distance, the ends of whole periods, notional
/// ones before the first and after the last coupon included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// In order, two at least.
    days: Vec<Date>,
    per_year: u32,
}

impl Schedule {
    /// Periods of some months (1, 2, 3, 4, 6 or 12) around an end of a period, enough to hold the days from `start` until
    /// `end`. With `end_of_month` all ends are last days of their months if `around` is.
    ///
    /// # Errors
    ///
    /// [`DayCountError::Reversed`]; [`DayCountError::Schedule`] for another number of months, or beyond the years that a
    /// date can hold.
    ///
    /// ```
    /// use quanfu_calendar::{Date, Schedule};
    ///
    /// let day = |text: &str| text.parse::<Date>().unwrap();
    /// // a long first stub: half-yearly coupons, the first on 15 July 2003
    /// let (issued, first) = (day("2002-08-15"), day("2003-07-15"));
    /// let schedule = Schedule::around(first, 6, false, issued, first)?;
    /// assert_eq!(schedule.fraction(issued, first)?.to_string(), "337/368"); // 153/184/2 + 1/2
    /// # Ok::<(), quanfu_calendar::DayCountError>(())
    /// ```
    pub fn around(
        around: Date,
        months: u16,
        end_of_month_rule: bool,
        start: Date,
        end: Date,
    ) -> Result<Self, DayCountError> {
        if end < start {
            return Err(DayCountError::Reversed { start, end });
        }
        let wrong = || DayCountError::Schedule { start, end };
        if !matches!(months, 1 | 2 | 3 | 4 | 6 | 12) {
            return Err(wrong());
        }
        let at_end = end_of_month_rule && end_of_month(around) == Some(around);
        let month_of = |day: Date| 12 * i64::from(day.year()) + i64::from(day.month0());
        let step = i64::from(months);
        let first = (month_of(start) - month_of(around)).div_euclid(step) - 1;
        let last = (month_of(end) - month_of(around)).div_euclid(step) + 2;
        let mut days = Vec::new();
        for n in first..=last {
            let shift = u16::try_from((n * step).unsigned_abs()).map_err(|_| wrong())?;
            let shifted = if n < 0 {
                around.checked_sub_months(chrono::Months::new(u32::from(shift)))
            } else {
                Period::Months(shift).after(around)
            };
            let day = if at_end {
                shifted.and_then(end_of_month)
            } else {
                shifted
            };
            days.push(day.ok_or_else(wrong)?);
        }
        Ok(Self {
            days,
            per_year: 12 / u32::from(months),
        })
    }

    /// The `Act/Act ICMA` share of a year from one day until another.
    ///
    /// # Errors
    ///
    /// [`DayCountError::Reversed`]; [`DayCountError::Schedule`] if the periods do not hold both days;
    /// [`DayCountError::TooLarge`].
    pub fn fraction(&self, start: Date, end: Date) -> Result<DayFraction, DayCountError> {
        if end < start {
            return Err(DayCountError::Reversed { start, end });
        }
        let holds = self.days.first().is_some_and(|first| *first <= start)
            && self.days.last().is_some_and(|last| *last >= end);
        if !holds {
            return Err(DayCountError::Schedule { start, end });
        }
        let mut sum = DayFraction { num: 0, den: 1 };
        let mut whole = 0;
        for period in self.days.windows(2) {
            let (from, until) = (period[0].max(start), period[1].min(end));
            if from >= until {
                continue;
            }
            if (from, until) == (period[0], period[1]) {
                whole += 1;
                continue;
            }
            let days = |from: Date, until: Date| i128::from((until - from).num_days());
            let length = days(period[0], period[1]) * i128::from(self.per_year);
            sum = sum.plus(DayFraction::new(days(from, until), length)?)?;
        }
        sum.plus(DayFraction::new(whole, i128::from(self.per_year))?)
    }
}
