//! Business days per place with make-up workdays, value dates, day counts, dated values.
//!
//! A [`BusinessCalendar`] knows the days that it covers; beyond them it answers with an error and never guesses.
//!
//! ```
//! use quanfu_calendar::{BusinessCalendar, Date};
//!
//! let china = BusinessCalendar::china();
//! let filed = Date::from_ymd_opt(2017, 1, 25).unwrap();
//! // 26 January, 3 February, and Saturday 4 February, a make-up workday (调休)
//! assert_eq!(china.add_business_days(filed, 3)?.to_string(), "2017-02-04");
//! # Ok::<(), quanfu_calendar::CalendarError>(())
//! ```
//!
//! - [`BusinessCalendar`] answers for one place, or for several joined; [`CountedDay`] tells a count day by day.
//! - [`Calendars`] has the places by their names, a user's laid over ours, as known today or on an earlier day;
//!   [`CalendarHistory`] is one place with the days on which its tables became known.
//! - [`Roll`], [`Period`] and [`PeriodAddition`] move days.
//! - [`ValueRules`] says on which day a currency trade settles, and why.
//! - [`DayCount`] gives the share of a year between two days as an exact fraction.
//! - [`Dated`] values hold from a day until a day; [`Certainty`] says how sure a row is.

mod business;
mod certainty;
mod data;
mod dated;
mod daycount;
mod error;
mod history;
mod places;
mod roll;
mod table;
mod value;

pub use business::{BusinessCalendar, CountedDay, DayReason};
pub use certainty::Certainty;
pub use chrono::{Datelike, NaiveDate as Date, Weekday};
pub use dated::{Dated, DatedError, DatedTable};
pub use daycount::{DayCount, DayCountError, DayFraction, Schedule};
pub use error::{CalendarError, UnknownConvention};
pub use history::{CalendarHistory, Published};
pub use places::{Calendars, Place};
pub use roll::{Period, PeriodAddition, Roll};
pub use table::{CalendarRow, Doubt, RowKind};
pub use value::{RuleUsed, SpotRule, Tenor, ValueDate, ValueDateError, ValuePair, ValueRules};
