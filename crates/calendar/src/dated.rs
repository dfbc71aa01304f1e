//! Values that hold from a day until a day.

use chrono::NaiveDate as Date;

use crate::Certainty;

/// A value with the days on which it holds, its source and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    /// First day.
    pub from: Date,
    /// Last day; `None`: until further notice.
    pub until: Option<Date>,
    /// The value.
    pub value: T,
    /// Document and article, or where it was read.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

/// Why rows do not make a table, or a table has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatedError {
    /// A row ends before it begins.
    #[error("a row begins on {from} and ends before, on {until}")]
    Backwards {
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
    },
    /// Two rows hold on one day.
    #[error("two rows hold on {day}; the later should begin after the earlier ends")]
    Overlap {
        /// The first such day.
        day: Date,
    },
    /// No row holds between two rows.
    #[error("no row holds on {day}; the rows should follow each other without a gap")]
    Gap {
        /// The first such day.
        day: Date,
    },
    /// No row holds on the day asked for.
    #[error("no row holds on {day}")]
    NotCovered {
        /// The day.
        day: Date,
    },
}

impl DatedError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "dated-backwards",
        "dated-overlap",
        "dated-gap",
        "dated-not-covered",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Backwards { .. } => "dated-backwards",
            Self::Overlap { .. } => "dated-overlap",
            Self::Gap { .. } => "dated-gap",
            Self::NotCovered { .. } => "dated-not-covered",
        }
    }
}

/// Rows that follow each other without overlap or gap.
///
/// ```
/// use quanfu_calendar::{Certainty, Date, Dated, DatedTable};
/// let day = |text: &str| text.parse::<Date>().unwrap();
/// let row = |from, until, value| Dated {
///     from, until, value, source: "made up".into(), certainty: Certainty::Illustrative,
/// };
/// let table = DatedTable::new(vec![
///     row(day("2098-07-01"), None, 30),
///     row(day("2098-01-01"), Some(day("2098-06-30")), 20),
/// ])?;
/// assert_eq!(table.at(day("2098-06-30"))?.value, 20);
/// assert!(table.at(day("2097-12-31")).is_err());
/// # Ok::<(), quanfu_calendar::DatedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedTable<T> {
    rows: Vec<Dated<T>>,
}

impl<T> DatedTable<T> {
    /// Sorts the rows and checks that they follow each other.
    ///
    /// # Errors
    ///
    /// [`DatedError`] with the first day that is covered twice or not at all.
    pub fn new(mut rows: Vec<Dated<T>>) -> Result<Self, DatedError> {
        rows.sort_by_key(|row| row.from);
        for row in &rows {
            if let Some(until) = row.until
                && until < row.from
            {
                return Err(DatedError::Backwards {
                    from: row.from,
                    until,
                });
            }
        }
        for pair in rows.windows(2) {
            let next = pair[1].from;
            match pair[0].until.map(|until| (until, until.succ_opt())) {
                None => return Err(DatedError::Overlap { day: next }),
                Some((until, _)) if until >= next => return Err(DatedError::Overlap { day: next }),
                Some((_, Some(free))) if free < next => return Err(DatedError::Gap { day: free }),
                Some(_) => {}
            }
        }
        Ok(Self { rows })
    }

    /// The row that holds on a day.
    ///
    /// # Errors
    ///
    /// [`DatedError::NotCovered`].
    pub fn at(&self, day: Date) -> Result<&Dated<T>, DatedError> {
        let index = self.rows.partition_point(|row| row.from <= day);
        let row = index.checked_sub(1).and_then(|index| self.rows.get(index));
        row.filter(|row| row.until.is_none_or(|until| day <= until))
            .ok_or(DatedError::NotCovered { day })
    }

    /// The rows, by their first day.
    #[must_use]
    pub fn rows(&self) -> &[Dated<T>] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn row(from: &str, until: Option<&str>) -> Dated<u8> {
        Dated {
            from: day(from),
            until: until.map(day),
            value: 1,
            source: String::new(),
            certainty: Certainty::Certain,
        }
    }

    #[test]
    fn rows_that_overlap_or_leave_a_gap_are_refused() {
        for (rows, want) in [
            (
                vec![
                    row("2020-01-01", Some("2020-01-31")),
                    row("2020-01-31", None),
                ],
                DatedError::Overlap {
                    day: day("2020-01-31"),
                },
            ),
            (
                vec![row("2020-01-01", None), row("2020-02-01", None)],
                DatedError::Overlap {
                    day: day("2020-02-01"),
                },
            ),
            (
                vec![
                    row("2020-01-01", Some("2020-01-30")),
                    row("2020-02-01", None),
                ],
                DatedError::Gap {
                    day: day("2020-01-31"),
                },
            ),
            (
                vec![row("2020-01-02", Some("2020-01-01"))],
                DatedError::Backwards {
                    from: day("2020-01-02"),
                    until: day("2020-01-01"),
                },
            ),
        ] {
            assert_eq!(DatedTable::new(rows), Err(want));
        }
    }
}
