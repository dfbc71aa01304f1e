//! Business days per place with make-up workdays, deadlines, dated values.
pub use chrono::{Datelike, NaiveDate as Date};
