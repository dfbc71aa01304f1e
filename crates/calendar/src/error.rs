//! Why a calendar has no answer or cannot be made.

use chrono::NaiveDate as Date;

/// Why a calendar has no answer or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The day lies outside the table.
    #[error("calendar {calendar} covers {from} to {until}; {day} is outside")]
    OutOfRange {
        /// The calendar.
        calendar: String,
        /// The day asked for, or the last day of the table where counting ran beyond it.
        day: Date,
        /// First day covered.
        from: Date,
        /// Last day covered.
        until: Date,
    },
    /// A calendar cannot be laid over another: between them lie days that neither covers.
    #[error("calendar {user} cannot be laid over {calendar}: {day} is covered by neither")]
    Apart {
        /// The calendar below.
        calendar: String,
        /// The calendar on top.
        user: String,
        /// The first day between them.
        day: Date,
    },
    /// A calendar cannot be laid over another: in one of them Saturday and Sunday are business days.
    #[error("calendar {user} cannot be laid over {calendar}: only one of them has every_day")]
    OtherWeekends {
        /// The calendar below.
        calendar: String,
        /// The calendar on top.
        user: String,
    },
    /// A line of a calendar file is not of its form.
    #[error("calendar {calendar}, line {line}: {message}")]
    Line {
        /// The calendar.
        calendar: String,
        /// Line, counted from 1; 0 for the file as a whole.
        line: u32,
        /// What was found and what would be right.
        message: String,
    },
    /// There is no calendar of this name.
    #[error(
        "no calendar is named {name:?}; known are {known}, joined by + (a day is good in all) or ~ (in any)"
    )]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that are known, with commas between them.
        known: String,
    },
    /// Calendars cannot be joined: no day is covered by both.
    #[error("calendars {left} and {right} cover no common day")]
    Disjoint {
        /// The one.
        left: String,
        /// The other.
        right: String,
    },
    /// Nothing was known on the day as of which it is asked.
    #[error("calendar {calendar} became known on {first}; on {day} nothing of it was known")]
    NotYetKnown {
        /// The calendar.
        calendar: String,
        /// The day as of which it is asked.
        day: Date,
        /// The day on which its first table became known.
        first: Date,
    },
}

impl CalendarError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "calendar-out-of-range",
        "calendar-apart",
        "calendar-other-weekends",
        "calendar-line",
        "calendar-unknown",
        "calendar-disjoint",
        "calendar-not-yet-known",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "calendar-out-of-range",
            Self::Apart { .. } => "calendar-apart",
            Self::OtherWeekends { .. } => "calendar-other-weekends",
            Self::Line { .. } => "calendar-line",
            Self::Unknown { .. } => "calendar-unknown",
            Self::Disjoint { .. } => "calendar-disjoint",
            Self::NotYetKnown { .. } => "calendar-not-yet-known",
        }
    }
}

/// No convention or period has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} is named {name:?}; known are {known}")]
pub struct UnknownConvention {
    /// What was asked for, such as `day count`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// What is known, with commas between.
    pub known: String,
}

impl UnknownConvention {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &["convention-unknown"];

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "convention-unknown"
    }
}
