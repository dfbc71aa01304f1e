//! Business days of a place.

use std::fmt;

use chrono::{Datelike, NaiveDate as Date, Weekday};

use crate::table::Table;
use crate::{CalendarError, CalendarHistory, CalendarRow, Calendars, Certainty, Doubt, RowKind};

/// Why a day is a business day or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DayReason {
    /// Monday to Friday, nothing special; any day of a calendar in which every day is a business day.
    Weekday,
    /// Saturday or Sunday, nothing special.
    Weekend,
    /// A day off, with the feast's name; in a joint calendar with the places, `HK: Good Friday; US: Good Friday`.
    Holiday(String),
    /// A worked Saturday or Sunday, with the name of the feast that it makes up for.
    MakeupWorkday(String),
}

impl DayReason {
    /// Whether a day with this reason is a business day.
    #[must_use]
    pub fn is_business(&self) -> bool {
        matches!(self, Self::Weekday | Self::MakeupWorkday(_))
    }

    /// Stable name of the kind: `weekday`, `weekend`, `holiday`, `makeup_workday`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Weekday => "weekday",
            Self::Weekend => "weekend",
            Self::Holiday(_) => RowKind::Holiday.name(),
            Self::MakeupWorkday(_) => RowKind::MakeupWorkday.name(),
        }
    }

    /// The feast, or nothing.
    #[must_use]
    pub fn feast(&self) -> &str {
        match self {
            Self::Weekday | Self::Weekend => "",
            Self::Holiday(name) | Self::MakeupWorkday(name) => name,
        }
    }
}

impl fmt::Display for DayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekday => f.write_str("weekday"),
            Self::Weekend => f.write_str("weekend"),
            Self::Holiday(name) => write!(f, "holiday {name}"),
            Self::MakeupWorkday(name) => write!(f, "make-up workday for {name}"),
        }
    }
}

/// A day on the way of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedDay {
    /// The day.
    pub day: Date,
    /// Why it is a business day or not.
    pub reason: DayReason,
    /// Its number in the count, from 1; `None`: it does not count.
    pub counted: Option<u32>,
}

/// Business days of a place, for the days that its table covers.
///
/// Asking whether a day is a business day and finding the n-th one after a day cost the same near and far: the
/// table holds, for each day, the number of business days up to it, and the list of business days.
#[derive(Clone, PartialEq, Eq)]
pub struct BusinessCalendar {
    name: String,
    table: Table,
    /// For day `from + i`: how many business days lie in `from..=from + i`.
    counts: Vec<u32>,
    /// Offsets of the business days from `from`.
    days: Vec<u32>,
}

impl fmt::Debug for BusinessCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Table {
            from, until, rows, ..
        } = &self.table;
        let (name, rows) = (&self.name, rows.len());
        write!(f, "BusinessCalendar({name} {from}..={until}, {rows} rows)")
    }
}

impl BusinessCalendar {
    /// Chinese statutory working days (工作日) 2017 to 2026, with make-up workdays; name `CN`.
    ///
    /// # Panics
    ///
    /// Never: the table is checked by a test.
    #[must_use]
    pub fn china() -> Self {
        Self::named("CN").expect("the table is checked by a test")
    }

    /// Every day is a business day, from 1900 to 2199; name `every-day`.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn every_day() -> Self {
        let day =
            |year, month, day| Date::from_ymd_opt(year, month, day).expect("a day of the calendar");
        let table = Table {
            from: day(1900, 1, 1),
            until: day(2199, 12, 31),
            weekends_off: false,
            rows: Vec::new(),
            doubts: Vec::new(),
        };
        Self::new("every-day".into(), table)
    }

    /// A calendar that we have, by its name, or several joined, as [`Calendars::named`] reads them.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Unknown`] lists the names that are known; [`CalendarError::Disjoint`].
    ///
    /// ```
    /// use quanfu_calendar::{BusinessCalendar, Date};
    ///
    /// let day: Date = "2025-10-13".parse()?; // Columbus Day
    /// assert!(BusinessCalendar::named("CN-FX")?.is_business_day(day)?);
    /// let both = BusinessCalendar::named("CN-FX+US")?;
    /// assert_eq!(both.why(day)?.to_string(), "holiday US: Columbus Day");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn named(name: &str) -> Result<Self, CalendarError> {
        Calendars::shipped().named(name)
    }

    /// A user's calendar. Lines are `date,kind,name,class` under a header of these words. `2027-01-01,covers,2027-12-31,`
    /// says which days the table speaks of. `kind` is `holiday` or `makeup_workday`; all other days are business days
    /// from Monday to Friday. `2027-01-01,every_day,,` makes weekends business days too.
    /// `2027-01-01,certainty,2027-12-31,probable` says that these days are less than certain. With lines of kind `known`
    /// the file has several tables ([`CalendarHistory::parse`]), and the calendar is that of all laid over each other.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Line`]; [`CalendarError::Apart`] if the tables leave days between them.
    pub fn parse(name: &str, text: &str) -> Result<Self, CalendarError> {
        CalendarHistory::read(name, text)?.latest()
    }

    /// This calendar with a user's laid over it: on the days that `user` covers, the user's rows hold, on all others
    /// these. The days covered by both together must follow each other without a gap. The name stays.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Apart`] if days between the two are covered by neither;
    /// [`CalendarError::OtherWeekends`] if only one of them has business days on Saturday and Sunday.
    pub fn overlaid_with(&self, user: &Self) -> Result<Self, CalendarError> {
        if self.table.weekends_off != user.table.weekends_off {
            return Err(CalendarError::OtherWeekends {
                calendar: self.name.clone(),
                user: user.name.clone(),
            });
        }
        let table = self.table.clone().overlaid_with(user.table.clone());
        let table = table.map_err(|day| CalendarError::Apart {
            calendar: self.name.clone(),
            user: user.name.clone(),
            day,
        })?;
        Ok(Self::new(self.name.clone(), table))
    }

    pub(crate) fn new(name: String, table: Table) -> Self {
        let mut counts = Vec::new();
        let mut days = Vec::new();
        let mut next = table.rows.iter().peekable();
        let all = table.from.iter_days().take_while(|day| *day <= table.until);
        for (offset, day) in (0u32..).zip(all) {
            let works = match next.next_if(|row| row.date == day) {
                Some(row) => row.kind == RowKind::MakeupWorkday,
                None => !(table.weekends_off && is_weekend(day)),
            };
            if works {
                days.push(offset);
            }
            counts.push(days.len() as u32); // at most one for each day of a table
        }
        Self {
            name,
            table,
            counts,
            days,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First and last day covered.
    #[must_use]
    pub fn covers(&self) -> (Date, Date) {
        (self.table.from, self.table.until)
    }

    /// The days that depart from Monday-to-Friday, in order.
    #[must_use]
    pub fn rows(&self) -> &[CalendarRow] {
        &self.table.rows
    }

    /// The days of which the table is less than certain, in order.
    #[must_use]
    pub fn doubts(&self) -> &[Doubt] {
        &self.table.doubts
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// The table as text, in the form that [`BusinessCalendar::parse`] reads.
    #[must_use]
    pub fn to_csv(&self) -> String {
        self.table.to_csv()
    }

    /// Whether a day is a business day.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`].
    pub fn is_business_day(&self, day: Date) -> Result<bool, CalendarError> {
        let index = self.index(day)?;
        let before = index.checked_sub(1).map_or(0, |index| self.counts[index]);
        Ok(self.counts[index] > before)
    }

    /// Why a day is a business day or not.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`].
    pub fn why(&self, day: Date) -> Result<DayReason, CalendarError> {
        self.index(day)?;
        let rows = &self.table.rows;
        Ok(match rows.binary_search_by_key(&day, |row| row.date) {
            Ok(index) => {
                let row = &rows[index];
                match row.kind {
                    RowKind::Holiday => DayReason::Holiday(row.name.clone()),
                    RowKind::MakeupWorkday => DayReason::MakeupWorkday(row.name.clone()),
                }
            }
            Err(_) if self.table.weekends_off && is_weekend(day) => DayReason::Weekend,
            Err(_) => DayReason::Weekday,
        })
    }

    /// How sure an answer is that depends on the days from one day to another, in either order.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`].
    pub fn certainty(&self, from: Date, until: Date) -> Result<Certainty, CalendarError> {
        self.index(from)?;
        self.index(until)?;
        let (from, until) = (from.min(until), from.max(until));
        let touched = self.table.doubts.iter();
        let touched = touched.filter(|doubt| doubt.from <= until && doubt.until >= from);
        let worst = touched.map(|doubt| doubt.certainty).max();
        Ok(worst.unwrap_or(Certainty::Certain))
    }

    /// The n-th business day after a day, which itself does not count; with a negative number, before it.
    /// 0 gives the day itself, business day or not.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`] if the day or the answer lies outside the table.
    pub fn add_business_days(&self, day: Date, n: i32) -> Result<Date, CalendarError> {
        let index = self.index(day)?;
        if n == 0 {
            return Ok(day);
        }
        let up_to = i64::from(self.counts[index]);
        let is_business = i64::from(u8::from(self.is_business_day(day)?));
        // position in `days` of the answer
        let position = if n > 0 {
            up_to + i64::from(n) - 1
        } else {
            up_to - is_business + i64::from(n)
        };
        let offset = usize::try_from(position)
            .ok()
            .and_then(|position| self.days.get(position));
        let beyond = if n > 0 {
            self.table.until
        } else {
            self.table.from
        };
        let offset = offset.ok_or_else(|| self.out_of_range(beyond))?;
        self.table
            .from
            .checked_add_days(chrono::Days::new(u64::from(*offset)))
            .ok_or_else(|| self.out_of_range(beyond))
    }

    /// [`BusinessCalendar::add_business_days`] told day by day: every day after `day` (before it, if `n` is negative) up
    /// to the answer, with its number or the reason why it does not count. Nothing for 0.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`] if the day or the answer lies outside the table.
    ///
    /// ```
    /// use quanfu_calendar::{BusinessCalendar, Date};
    ///
    /// let days = BusinessCalendar::china().count("2024-02-09".parse::<Date>()?, 1)?;
    /// assert_eq!(days[0].reason.to_string(), "holiday 春节"); // Saturday 10 February
    /// let last = days.last().ok_or("no days")?;
    /// assert_eq!((last.day.to_string(), last.counted), ("2024-02-18".to_owned(), Some(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn count(&self, day: Date, n: i32) -> Result<Vec<CountedDay>, CalendarError> {
        let last = self.add_business_days(day, n)?;
        let mut days = Vec::new();
        let mut number = 0;
        let mut at = day;
        while at != last {
            let next = if n > 0 { at.succ_opt() } else { at.pred_opt() };
            at = next.ok_or_else(|| self.out_of_range(last))?;
            let reason = self.why(at)?;
            let counted = reason.is_business().then(|| {
                number += 1;
                number
            });
            days.push(CountedDay {
                day: at,
                reason,
                counted,
            });
        }
        Ok(days)
    }

    /// How many business days lie after `from` up to and including `until`; negative if `until` is earlier.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`].
    pub fn business_days_between(&self, from: Date, until: Date) -> Result<i32, CalendarError> {
        let (from, until) = (
            self.counts[self.index(from)?],
            self.counts[self.index(until)?],
        );
        Ok(i32::try_from(i64::from(until) - i64::from(from))
            .expect("a table has fewer days than an i32 has numbers"))
    }

    fn index(&self, day: Date) -> Result<usize, CalendarError> {
        let offset = day.signed_duration_since(self.table.from).num_days();
        let index = usize::try_from(offset)
            .ok()
            .filter(|&index| index < self.counts.len());
        index.ok_or_else(|| self.out_of_range(day))
    }

    pub(crate) fn out_of_range(&self, day: Date) -> CalendarError {
        CalendarError::OutOfRange {
            calendar: self.name.clone(),
            day,
            from: self.table.from,
            until: self.table.until,
        }
    }
}

pub(crate) fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn working_days_after_a_day_skip_holidays_and_count_makeup_days() {
        let china = BusinessCalendar::china();
        // computed from the table under the assumption that the event day does not count
        for (from, n, want) in [
            ("2017-01-25", 3, "2017-02-04"), // a Saturday
            ("2025-01-24", 5, "2025-02-07"),
            ("2025-09-26", 5, "2025-10-10"),
            ("2025-09-26", 10, "2025-10-16"),
            ("2026-02-12", 5, "2026-02-26"),
            ("2026-04-30", 3, "2026-05-08"),
            ("2026-09-18", 10, "2026-10-09"),
            ("2025-12-31", 2, "2026-01-05"),
            ("2024-02-08", 1, "2024-02-09"),
            ("2024-02-09", 1, "2024-02-18"), // a Sunday
            ("2020-01-23", 5, "2020-02-07"),
        ] {
            assert_eq!(
                china.add_business_days(day(from), n),
                Ok(day(want)),
                "{from} + {n}"
            );
            assert_eq!(
                china.business_days_between(day(from), day(want)),
                Ok(n),
                "{from} .. {want}"
            );
        }
    }

    #[test]
    fn beyond_the_table_there_is_no_answer() {
        let china = BusinessCalendar::china();
        let error = china.is_business_day(day("2027-01-01")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "calendar CN covers 2017-01-01 to 2026-12-31; 2027-01-01 is outside"
        );
        assert!(china.add_business_days(day("2026-12-30"), 2).is_err());
        assert!(china.add_business_days(day("2017-01-03"), -1).is_err());
        assert!(china.add_business_days(day("2016-12-31"), 1).is_err());
    }

    #[test]
    fn every_row_of_the_table_holds_and_every_other_day_is_monday_to_friday() {
        let china = BusinessCalendar::china();
        assert_eq!(china.rows().len(), 351);
        let (from, until) = china.covers();
        for date in from.iter_days().take_while(|d| *d <= until) {
            let row = china.rows().iter().find(|row| row.date == date);
            let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            let want = match row {
                Some(row) => row.kind == RowKind::MakeupWorkday,
                None => !weekend,
            };
            assert_eq!(china.is_business_day(date), Ok(want), "{date}");
        }
    }

    #[test]
    fn stepping_day_by_day_gives_the_same_as_jumping() {
        let china = BusinessCalendar::china();
        let start = day("2023-09-20");
        let mut steps = Vec::new();
        for date in start.succ_opt().unwrap().iter_days().take(400) {
            if china.is_business_day(date).unwrap() {
                steps.push(date);
                let n = steps.len() as i32;
                assert_eq!(china.add_business_days(start, n), Ok(date));
                assert!(china.add_business_days(date, -n).unwrap() <= start);
            }
        }
    }

    #[test]
    fn a_users_calendar_extends_and_corrects_ours() {
        let china = BusinessCalendar::china();
        let user = BusinessCalendar::parse("house", "date,kind,name,class\n2026-12-01,covers,2027-12-31,\n2026-12-07,holiday,day out,\n2027-01-01,holiday,元旦,statutory\n").unwrap();
        let both = china.overlaid_with(&user).unwrap();
        assert_eq!(both.is_business_day(day("2026-12-07")), Ok(false));
        assert_eq!(both.is_business_day(day("2027-01-01")), Ok(false));
        assert_eq!(both.is_business_day(day("2026-10-01")), Ok(false));
        assert_eq!(both.name(), "CN");
        assert_eq!(
            BusinessCalendar::parse(both.name(), &both.to_csv()),
            Ok(both)
        );
        let far = BusinessCalendar::parse(
            "far",
            "date,kind,name,class\n2028-01-01,covers,2028-12-31,\n",
        )
        .unwrap();
        assert_eq!(
            china.overlaid_with(&far).unwrap_err().to_string(),
            "calendar far cannot be laid over CN: 2027-01-01 is covered by neither"
        );
        assert_eq!(
            BusinessCalendar::every_day().overlaid_with(&user),
            Err(CalendarError::OtherWeekends {
                calendar: "every-day".into(),
                user: "house".into()
            })
        );
    }

    #[test]
    fn a_calendar_file_that_is_wrong_says_where() {
        for (text, want) in [
            ("", "no line says"),
            ("day\n", "line 1: found \"day\""),
            (
                "date,kind,name,class\n2027-01-01,covers,2026-01-01,\n",
                "line 2:",
            ),
            (
                "date,kind,name,class\n2027-01-01,covers,2027-12-31,\n2027-02-30,holiday,x,\n",
                "line 3: \"2027-02-30\" is no day",
            ),
            (
                "date,kind,name,class\n2027-01-01,covers,2027-12-31,\n2028-02-03,holiday,x,\n",
                "line 3: 2028-02-03 is outside",
            ),
            (
                "date,kind,name,class\n2027-01-01,covers,2027-12-31,\n2027-02-03,feast,x,\n",
                "kind \"feast\"",
            ),
            (
                "date,kind,name,class\n2027-01-01,covers,2027-12-31,\n2027-02-03,makeup_workday,x,\n",
                "no Saturday or Sunday",
            ),
            (
                "date,kind,name,class\n2027-01-01,covers,2027-12-31,\n2027-02-03,holiday,x,\n2027-02-03,holiday,y,\n",
                "two rows",
            ),
            (
                "date,kind,name,class\n2027-01-01,covers,2027-12-31\n",
                "3 cells",
            ),
        ] {
            let error = BusinessCalendar::parse("t", text).unwrap_err().to_string();
            assert!(error.contains(want), "{error:?} should contain {want:?}");
        }
    }

    #[test]
    fn reasons_name_the_feast() {
        let china = BusinessCalendar::china();
        assert_eq!(
            china.why(day("2017-01-28")).unwrap().to_string(),
            "holiday 春节"
        );
        assert_eq!(
            china.why(day("2017-02-04")).unwrap().to_string(),
            "make-up workday for 春节"
        );
        assert_eq!(china.why(day("2017-02-11")), Ok(DayReason::Weekend));
        let every_day = BusinessCalendar::every_day();
        assert_eq!(every_day.is_business_day(day("2017-02-11")), Ok(true));
        assert_eq!(every_day.why(day("2017-02-11")), Ok(DayReason::Weekday));
    }

    /// Walks day by day: the slow twin of the table.
    fn walk(calendar: &BusinessCalendar, from: Date, n: i32) -> Option<Date> {
        let mut day = from;
        let mut left = n.abs();
        while left > 0 {
            day = if n > 0 {
                day.succ_opt()?
            } else {
                day.pred_opt()?
            };
            left -= i32::from(calendar.is_business_day(day).ok()?);
        }
        Some(day)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn jumping_is_walking_day_by_day(offset in -10i64..3662, n in -300i32..300) {
            let china = BusinessCalendar::china();
            let from = day("2017-01-01") + chrono::TimeDelta::days(offset);
            let covered = china.is_business_day(from).is_ok();
            let want = if covered { walk(&china, from, n) } else { None };
            prop_assert_eq!(china.add_business_days(from, n).ok(), want);
        }

        #[test]
        fn there_and_back_from_a_business_day_is_nowhere(offset in 0u64..3652, n in -300i32..300) {
            let china = BusinessCalendar::china();
            let from = day("2017-01-01") + chrono::Days::new(offset);
            if china.is_business_day(from).unwrap()
                && let Ok(there) = china.add_business_days(from, n)
            {
                prop_assert_eq!(china.add_business_days(there, -n), Ok(from));
                prop_assert_eq!(china.business_days_between(from, there), Ok(n));
            }
        }

        #[test]
        fn counts_of_adjoining_spans_add_up(a in 0u64..3652, b in 0u64..3652, c in 0u64..3652) {
            let china = BusinessCalendar::china();
            let at = |offset| day("2017-01-01") + chrono::Days::new(offset);
            let between = |from, until| china.business_days_between(at(from), at(until)).unwrap();
            prop_assert_eq!(between(a, b) + between(b, c), between(a, c));
        }

        #[test]
        fn a_file_that_is_read_is_written_and_read_back_the_same(
            days in prop::collection::btree_map(0u64..365, (any::<bool>(), "[a-z ]{0,6}"), 0..40),
        ) {
            let mut text = String::from("date,kind,name,class\n2030-01-01,covers,2030-12-31,\n");
            for (offset, (makeup, name)) in days {
                let date = day("2030-01-01") + chrono::Days::new(offset);
                let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
                let kind = if makeup && weekend { "makeup_workday" } else { "holiday" };
                text.push_str(&format!("{date},{kind},{name},\n"));
            }
            let calendar = BusinessCalendar::parse("t", &text).unwrap();
            prop_assert_eq!(&calendar.to_csv(), &text);
            prop_assert_eq!(BusinessCalendar::parse("t", &calendar.to_csv()), Ok(calendar));
        }
    }
}
