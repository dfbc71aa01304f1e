//! Until when an open row may be carried.

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_settlement::{Book, Rules};

/// Until when an open row may be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The rules carry nothing, or the row has no day to count from.
    None,
    /// That day.
    On(Date),
    /// The calendar ends before.
    NotDeterminable,
}

impl Due {
    /// Whether something that is due then is carried on that day.
    pub(crate) fn carries(self, as_of: Date) -> bool {
        match self {
            Self::On(day) => as_of <= day,
            Self::NotDeterminable => true,
            Self::None => false,
        }
    }

    /// When rows are due together: as soon as one of them is.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::On(one), Self::On(other)) => Self::On(one.min(other)),
            (Self::On(day), Self::NotDeterminable) | (Self::NotDeterminable, Self::On(day)) => {
                Self::On(day)
            }
            (Self::NotDeterminable, Self::NotDeterminable) => Self::NotDeterminable,
        }
    }
}

/// The last day on which a row may be open without being a break.
pub(crate) fn due(rules: &Rules, calendar: &BusinessCalendar, book: &Book, row: u32) -> Due {
    let (Some(days), Some(day)) = (rules.carry_business_days, book.accounting_day(row)) else {
        return Due::None;
    };
    match i32::try_from(days)
        .ok()
        .and_then(|days| calendar.add_business_days(day, days).ok())
    {
        Some(day) => Due::On(day),
        None => Due::NotDeterminable,
    }
}
