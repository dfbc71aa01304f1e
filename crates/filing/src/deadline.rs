//! [`Deadline`]: the day until which something must be done, and how it was counted.

use std::borrow::Cow;

use quanfu_calendar::{BusinessCalendar, Certainty, CountedDay, Date};
use quanfu_codes::{ParameterError, Parameters};
use serde::{Deserialize, Serialize};

use crate::list::closed_list;

closed_list! {
    /// What a deadline counts.
    DayUnit {
        /// Days on which is worked, by the calendar of the programme.
        WorkingDays = "working_days",
        /// Every day.
        CalendarDays = "calendar_days",
    }
}

impl DayUnit {
    /// The calendar by which it counts, where the programme's is this one.
    #[must_use]
    pub fn calendar(self, working: &BusinessCalendar) -> Cow<'_, BusinessCalendar> {
        match self {
            Self::WorkingDays => Cow::Borrowed(working),
            Self::CalendarDays => Cow::Owned(BusinessCalendar::every_day()),
        }
    }
}

/// So many days after an event, which itself does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// How many.
    pub n: u16,
    /// Of which.
    pub unit: DayUnit,
}

/// Why nobody can tell until when something must be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotDeterminable {
    /// The programme or the parameters give no deadline.
    NoDeadline,
    /// The calendar does not reach so far; its words.
    CalendarEnds(String),
}

impl std::fmt::Display for NotDeterminable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoDeadline => f.write_str("the programme gives no deadline"),
            Self::CalendarEnds(why) => f.write_str(why),
        }
    }
}

/// Until when something must be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Until this day, itself included.
    On {
        /// The event that it is counted from.
        from: Date,
        /// The last day.
        due: Date,
        /// Every day after the event until then: its number, or the reason why it does not count.
        days: Vec<CountedDay>,
        /// How sure the calendar is of them.
        certainty: Certainty,
    },
    /// Nobody can tell; never the same as "in time".
    NotDeterminable(NotDeterminable),
}

impl Deadline {
    /// Counts a term from an event. Working days are those of the calendar; calendar days are not moved.
    #[must_use]
    pub fn count(from: Date, term: Option<Term>, calendar: &BusinessCalendar) -> Self {
        let Some(term) = term else {
            return Self::NotDeterminable(NotDeterminable::NoDeadline);
        };
        let calendar = term.unit.calendar(calendar);
        let counted = calendar.count(from, i32::from(term.n)).and_then(|days| {
            let due = days.last().map_or(from, |day| day.day);
            Ok((due, days, calendar.certainty(from, due)?))
        });
        match counted {
            Ok((due, days, certainty)) => Self::On {
                from,
                due,
                days,
                certainty,
            },
            Err(error) => Self::NotDeterminable(NotDeterminable::CalendarEnds(error.to_string())),
        }
    }

    /// Counts the term that a parameter gives for the day of the event, with the name of the row used.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Unknown`], [`ParameterError::Unit`]; a day without a row gives a deadline that is not determinable.
    pub fn by_parameter(
        from: Date,
        name: &str,
        parameters: &Parameters,
        calendar: &BusinessCalendar,
    ) -> Result<(Self, Option<String>), ParameterError> {
        let row = match parameters.at(name, from) {
            Ok(row) => row,
            Err(ParameterError::Days { .. }) => {
                return Ok((Self::count(from, None, calendar), None));
            }
            Err(error) => return Err(error),
        };
        let unit = match row.unit.as_str() {
            "calendar_days" => DayUnit::CalendarDays,
            _ => DayUnit::WorkingDays,
        };
        let n = u16::try_from(row.whole(unit.code())?).map_err(|_| ParameterError::Unit {
            id: row.id(),
            found: format!("{} {}", row.value, row.unit),
            want: format!("at most {} {unit}", u16::MAX),
        })?;
        let deadline = Self::count(from, Some(Term { n, unit }), calendar);
        Ok((deadline, Some(row.id())))
    }

    /// The last day, if it can be told.
    #[must_use]
    pub fn due(&self) -> Option<Date> {
        match self {
            Self::On { due, .. } => Some(*due),
            Self::NotDeterminable(_) => None,
        }
    }
}
