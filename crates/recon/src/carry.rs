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
