//! Business days per place with make-up workdays, deadlines, dated values.
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

mod business;
mod certainty;
mod dated;

pub use business::{BusinessCalendar, CalendarError, CalendarRow, DayReason, RowKind};
pub use certainty::Certainty;
pub use chrono::{Datelike, NaiveDate as Date, Weekday};
pub use dated::{Dated, DatedError, DatedTable};
