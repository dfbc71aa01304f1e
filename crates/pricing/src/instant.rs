//! [`Instant`]: a second of the world's time, with the offset it was written in.

use crate::QuoteError;
use quanfu_calendar::{Date, Datelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A second of the world's time, written with its offset: `2026-03-02T09:00:00+08:00`.
///
/// Two instants are equal if they are the same second, whatever offsets they are written in. Nothing here reads a
/// clock: whoever knows the time says it.
///
/// ```
/// use quanfu_pricing::Instant;
/// let shanghai: Instant = "2026-03-02T09:00:00+08:00".parse()?;
/// assert_eq!(shanghai, "2026-03-02T01:00:00Z".parse()?);
/// assert_eq!(shanghai.plus(1_800)?.to_string(), "2026-03-02T09:30:00+08:00");
/// # Ok::<(), quanfu_pricing::QuoteError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Instant {
    /// Seconds since 1970 began in UTC.
    second: i64,
    offset_minutes: i16,
}

const DAY: i64 = 86_400;
/// Day number of 1970-01-01, where 0001-01-01 is day 1.
const EPOCH: i64 = 719_163;

impl Instant {
    /// The instant so many seconds later, in the same offset.
    ///
    /// # Errors
    ///
    /// [`QuoteError::Instant`] beyond the year 9999.
    pub fn plus(self, seconds: u32) -> Result<Self, QuoteError> {
        let second = self.second + i64::from(seconds);
        let later = Self { second, ..self };
        later.local().map(|_| later)
    }

    /// Seconds since 1970 began in UTC.
    #[must_use]
    pub const fn second(self) -> i64 {
        self.second
    }

    /// Day and second of the day where it was written.
    fn local(self) -> Result<(Date, i64), QuoteError> {
        let local = self.second + i64::from(self.offset_minutes) * 60;
        let day = i32::try_from(local.div_euclid(DAY) + EPOCH)
            .ok()
            .and_then(Date::from_num_days_from_ce_opt)
            .filter(|day| (1..=9_999).contains(&day.year()));
        day.map(|day| (day, local.rem_euclid(DAY)))
            .ok_or_else(|| QuoteError::Instant {
                found: format!("second {} since 1970", self.second),
            })
    }
}

impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.second == other.second
    }
}

impl Eq for Instant {}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.second.cmp(&other.second)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = self
            .local()
            .expect("an instant is made only where it has a day of the years 1 to 9999");
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{day}T{hour:02}:{minute:02}:{second:02}")?;
        match self.offset_minutes {
            0 => f.write_str("Z"),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                let offset = offset.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", offset / 60, offset % 60)
            }
        }
    }
}

impl FromStr for Instant {
    type Err = QuoteError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        read(s)
            .filter(|instant| instant.local().is_ok())
            .ok_or_else(|| QuoteError::Instant {
                found: s.chars().take(40).collect(),
            })
    }
}

/// Reads the one spelling: `YYYY-MM-DDTHH:MM:SS` and `Z` or an offset of at most 18 hours.
fn read(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let number = |at: usize, length: usize| {
        let digits = bytes.get(at..at + length)?;
        let add = |sum: i64, digit: &u8| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i64::from(digit - b'0'))
        };
        digits.iter().try_fold(0, add)
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|&(at, mark)| bytes.get(at) != Some(&mark)) {
        return None;
    }
    let offset_minutes = match (bytes.get(19)?, bytes.len()) {
        (b'Z', 20) => 0,
        (sign @ (b'+' | b'-'), 25) if bytes[22] == b':' => {
            let (hours, minutes) = (number(20, 2)?, number(23, 2)?);
            let offset = hours * 60 + minutes;
            if minutes > 59 || offset > 18 * 60 || (offset == 0 && *sign == b'-') {
                return None;
            }
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let part = |at| u32::try_from(number(at, 2)?).ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = Date::from_ymd_opt(year, part(5)?, part(8)?)?;
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(day.num_days_from_ce()) - EPOCH;
    let local = days * DAY + hour * 3_600 + minute * 60 + second;
    Some(Instant {
        second: local - offset_minutes * 60,
        offset_minutes: i16::try_from(offset_minutes).ok()?,
    })
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_have_one_spelling() {
        for (text, second) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T08:00:00+08:00", 0),
            ("1969-12-31T18:30:00-05:30", 0),
            ("2026-03-02T09:00:00+08:00", 1_772_413_200),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            let instant: Instant = text.parse().expect(text);
            assert_eq!(
                (instant.second(), instant.to_string().as_str()),
                (second, text)
            );
        }
        for text in [
            "",
            "2026-03-02",
            "2026-03-02 09:00:00Z",
            "2026-03-02T09:00:00",
            "2026-03-02T09:00:00z",
            "2026-03-02T09:00:00.5Z",
            "2026-3-2T09:00:00Z",
            "2026-02-29T09:00:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T09:60:00Z",
            "2026-03-02T09:00:60Z",
            "2026-03-02T09:00:00+8:00",
            "2026-03-02T09:00:00+08:60",
            "2026-03-02T09:00:00+19:00",
            "2026-03-02T09:00:00-00:00",
            "2026-03-02T09:00:00Z ",
            "0000-03-02T09:00:00Z",
            "+026-03-02T09:00:00Z",
            "２026-03-02T09:00Z",
        ] {
            let error = text.parse::<Instant>().expect_err(text);
            assert_eq!(error.code(), "quote-instant");
        }
        let last: Instant = "9999-12-31T23:59:59Z".parse().expect("the last");
        assert!(last.plus(0).is_ok() && last.plus(1).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_any_text_is_read_or_refused(
            second in -62_135_000_000_i64..253_402_000_000, offset in -1_080_i16..=1_080, text in ".{0,30}",
        ) {
            let instant = Instant { second, offset_minutes: offset };
            prop_assert_eq!(instant.to_string().parse(), Ok(instant));
            let _ = text.parse::<Instant>();
        }
    }
}
