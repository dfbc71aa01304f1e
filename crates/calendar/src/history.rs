//! A calendar with the days on which its tables became known.

use chrono::NaiveDate as Date;

use crate::table::{Edition, parse};
use crate::{BusinessCalendar, CalendarError, Certainty};

/// A calendar as it was published: tables that became known one after the other.
///
/// A holiday table changes after it was first published, and a date computed before the change was right at its time.
/// [`CalendarHistory::as_known_at`] gives the calendar of that time.
///
/// ```
/// use quanfu_calendar::{CalendarHistory, Date};
///
/// let day = |text: &str| text.parse::<Date>().unwrap();
/// let history = CalendarHistory::parse("made-up", "\
/// date,kind,name,class
/// 2097-11-01,known,first notice,illustrative
/// 2098-01-01,covers,2098-12-31,
/// 2098-05-01,holiday,day of rest,
/// 2098-03-01,known,second notice,illustrative
/// 2098-05-01,covers,2098-05-02,
/// 2098-05-02,holiday,day of rest,
/// ")?;
/// assert!(!history.as_known_at(day("2098-02-28"))?.is_business_day(day("2098-05-01"))?);
/// assert!(history.latest()?.is_business_day(day("2098-05-01"))?);
/// # Ok::<(), quanfu_calendar::CalendarError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarHistory {
    name: String,
    /// In the order in which they are laid over each other; one at least, all with the same weekends.
    editions: Vec<Edition>,
}

/// When a table of a calendar became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The day; `None`: at all times, because the file does not say.
    pub known_on: Option<Date>,
    /// The notice, or where it was read.
    pub source: String,
    /// How sure the day is.
    pub certainty: Certainty,
    /// First day that the table covers.
    pub from: Date,
    /// Last day that the table covers.
    pub until: Date,
}

impl CalendarHistory {
    /// Reads a calendar file, as [`BusinessCalendar::parse`]. A line `2019-03-22,known,NOTICE,certain` begins a table
    /// that became known on this day; its `covers` says on which days it holds in place of the tables before it.
    /// Tables stand in the order of these days. What stands before the first such line was always known.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Line`]; [`CalendarError::Apart`] if the tables leave days between them.
    pub fn parse(name: &str, text: &str) -> Result<Self, CalendarError> {
        let history = Self::read(name, text)?;
        history.latest()?;
        Ok(history)
    }

    /// Reads a file whose tables may leave days between them.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self, CalendarError> {
        Ok(Self {
            name: name.to_owned(),
            editions: parse(name, text)?,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tables, in the order in which they are laid over each other.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        let published = |edition: &Edition| Published {
            known_on: edition.known_on,
            source: edition.source.clone(),
            certainty: edition.certainty,
            from: edition.table.from,
            until: edition.table.until,
        };
        self.editions.iter().map(published).collect()
    }

    /// This history with a user's laid over it: on the days that the user's tables cover, they hold, from when they became
    /// known. The name stays.
    ///
    /// # Errors
    ///
    /// As [`BusinessCalendar::overlaid_with`].
    pub fn overlaid_with(&self, user: &Self) -> Result<Self, CalendarError> {
        self.latest()?.overlaid_with(&user.latest()?)?;
        let editions = self.editions.iter().chain(&user.editions);
        let history = Self {
            name: self.name.clone(),
            editions: editions.cloned().collect(),
        };
        history.latest()?;
        Ok(history)
    }

    /// The calendar by all that is known.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Apart`]; not for a history that was parsed or laid over another.
    pub fn latest(&self) -> Result<BusinessCalendar, CalendarError> {
        self.of(self.editions.iter(), Date::MAX)
    }

    /// The calendar by what was known at the end of a day.
    ///
    /// # Errors
    ///
    /// [`CalendarError::NotYetKnown`] if that was nothing; [`CalendarError::Apart`] if it left days between the tables.
    pub fn as_known_at(&self, day: Date) -> Result<BusinessCalendar, CalendarError> {
        let known = |edition: &&Edition| edition.known_on.is_none_or(|known_on| known_on <= day);
        self.of(self.editions.iter().filter(known), day)
    }

    fn of<'e>(
        &self,
        mut editions: impl Iterator<Item = &'e Edition>,
        day: Date,
    ) -> Result<BusinessCalendar, CalendarError> {
        let first = editions.next().ok_or_else(|| CalendarError::NotYetKnown {
            calendar: self.name.clone(),
            day,
            first: self
                .editions
                .iter()
                .filter_map(|edition| edition.known_on)
                .min()
                .unwrap_or(day),
        })?;
        let mut table = first.table.clone();
        for edition in editions {
            let next = table.overlaid_with(edition.table.clone());
            table = next.map_err(|day| CalendarError::Apart {
                calendar: self.name.clone(),
                user: edition.source.clone(),
                day,
            })?;
        }
        Ok(BusinessCalendar::new(self.name.clone(), table))
    }
}
