//! Days as MT messages write them: `YYMMDD`, and `MMDD` without a year.

use quanfu_calendar::{Date, Datelike};

/// The farthest that an entry date may lie from its value date: half a year, or else another year is nearer.
const HALF_YEAR_DAYS: u64 = 184;

/// From here on the other neighbouring year is nearly as near, and a reader should be told.
const AMBIGUOUS_FROM_DAYS: u64 = 150;

/// A day as written: digits that may name no day at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    year: i32,
    month: u32,
    day: u32,
}

impl Written {
    /// Six digits `YYMMDD`; as everywhere in MT messages 80..=99 are years of the last century.
    pub(super) fn yymmdd(digits: &[u8]) -> Option<Self> {
        let &[y1, y2, m1, m2, d1, d2] = digits else {
            return None;
        };
        let year = pair(y1, y2)? as i32;
        Some(Self {
            year: if year >= 80 { 1900 + year } else { 2000 + year },
            month: pair(m1, m2)?,
            day: pair(d1, d2)?,
        })
    }

    /// Eight digits `CCYYMMDD`, which no standard has and some banks write.
    pub(super) fn ccyymmdd(digits: &[u8]) -> Option<Self> {
        let &[c1, c2, y1, y2, m1, m2, d1, d2] = digits else {
            return None;
        };
        let century = pair(c1, c2)? as i32;
        (19..=20).contains(&century).then_some(())?;
        Some(Self {
            year: century * 100 + pair(y1, y2)? as i32,
            month: pair(m1, m2)?,
            day: pair(d1, d2)?,
        })
    }

    /// The day, if there is such a day.
    pub(super) fn date(self) -> Option<Date> {
        Date::from_ymd_opt(self.year, self.month, self.day)
    }

    /// A day near what is written, to measure from where the day itself does not exist.
    pub(super) fn near(self) -> Option<Date> {
        self.date()
            .or_else(|| Date::from_ymd_opt(self.year, self.month, 28))
            .or_else(|| Date::from_ymd_opt(self.year, 7, 1))
    }
}

/// An entry date whose year was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub date: Date,
    /// Whether the year is worth a finding: another one than the value date's, or a near thing.
    pub inferred: bool,
}

/// The day `MMDD` of the year that brings it nearest to `value`; `None` if no year within half a year has it.
pub(super) fn nearest(mmdd: &[u8], value: Date) -> Option<Dated> {
    let &[m1, m2, d1, d2] = mmdd else { return None };
    let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
    let own = value.year();
    let in_year = |year| Date::from_ymd_opt(year, month, day);
    if let Some(date) = in_year(own)
        && days_apart(date, value) < AMBIGUOUS_FROM_DAYS
    {
        return Some(Dated {
            date,
            inferred: false,
        });
    }
    let candidates = [own, own - 1, own + 1].into_iter().filter_map(in_year);
    let date = candidates.min_by_key(|&date| days_apart(date, value))?;
    let apart = days_apart(date, value);
    (apart <= HALF_YEAR_DAYS).then_some(Dated {
        date,
        inferred: date.year() != own || apart >= AMBIGUOUS_FROM_DAYS,
    })
}

fn days_apart(a: Date, b: Date) -> u64 {
    (a - b).num_days().unsigned_abs()
}

fn pair(tens: u8, ones: u8) -> Option<u32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day of the table")
    }

    #[test]
    fn the_year_of_an_entry_date_is_the_nearest_to_the_value_date() {
        for (value, mmdd, want, inferred) in [
            ("2026-03-02", "0302", "2026-03-02", false),
            ("2026-01-01", "1230", "2025-12-30", true),
            ("2014-12-31", "0105", "2015-01-05", true),
            ("2026-03-02", "0415", "2026-04-15", false),
            ("2024-02-28", "0229", "2024-02-29", false),
            ("2023-12-31", "0229", "2024-02-29", true),
            // Half a year away: taken, and told.
            ("2026-01-10", "0705", "2026-07-05", true),
            ("2026-07-05", "0105", "2026-01-05", true),
        ] {
            let got = nearest(mmdd.as_bytes(), day(value));
            let want = Dated {
                date: day(want),
                inferred,
            };
            assert_eq!(got, Some(want), "{value} {mmdd}");
        }
    }

    #[test]
    fn an_entry_date_that_no_near_year_has_is_none() {
        for (value, mmdd) in [
            ("2023-03-01", "0229"),
            ("2023-03-01", "0230"),
            ("2023-03-01", "1301"),
            ("2023-03-01", "0000"),
            ("2023-03-01", "03 1"),
        ] {
            assert_eq!(nearest(mmdd.as_bytes(), day(value)), None, "{value} {mmdd}");
        }
    }

    #[test]
    fn written_days_are_days_only_if_they_exist() {
        for (text, want) in [
            ("260302", Some("2026-03-02")),
            ("790101", Some("2079-01-01")),
            ("800101", Some("1980-01-01")),
            ("160229", Some("2016-02-29")),
            ("160230", None),
            ("170229", None),
            ("171301", None),
            ("000000", None),
        ] {
            let written = Written::yymmdd(text.as_bytes()).expect("six digits");
            assert_eq!(written.date(), want.map(day), "{text}");
            assert!(written.near().is_some(), "{text}");
        }
        assert_eq!(Written::yymmdd(b"26 302"), None);
        assert_eq!(
            Written::ccyymmdd(b"20260302").and_then(Written::date),
            Some(day("2026-03-02"))
        );
        assert_eq!(Written::ccyymmdd(b"26030203"), None);
    }
}
