//! Dates and times as XML writes them: `2026-03-02`, `2026-03-02T08:30:00.5+08:00`.

use quanfu_calendar::Date;
use quanfu_settlement::Moment;

/// Why a date or time cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateFault {
    /// Right in form, but there is no such day.
    Impossible,
    /// Not a date.
    Malformed,
}

/// The day of a date or of a date with time, as written; an offset does not move it.
pub(super) fn day(text: &str) -> Result<Date, DateFault> {
    let (date, rest) = split_date(text)?;
    let is_known = match rest.as_bytes() {
        [b'T', ..] => clock(&rest[1..]).is_some(),
        _ => offset(rest).is_some(),
    };
    if is_known {
        Ok(date)
    } else {
        Err(DateFault::Malformed)
    }
}

/// The time of a date with time; midnight as a mere ornament of a date (`T00:00:00`) is none.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let (date, rest) = split_date(text).ok()?;
    let (second, offset_minutes) = clock(rest.strip_prefix('T')?)?;
    let second = second.filter(|second| *second > 0)?;
    Some(Moment {
        date,
        second,
        offset_minutes,
    })
}

fn split_date(text: &str) -> Result<(Date, &str), DateFault> {
    let bytes = text.as_bytes();
    let has_form = bytes.len() >= 10
        && bytes
            .iter()
            .take(10)
            .enumerate()
            .all(|(index, byte)| match index {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse().ok());
    let (true, Some(year), Some(month), Some(day), Some(rest)) = (
        has_form,
        number(0, 4),
        number(5, 7),
        number(8, 10),
        text.get(10..),
    ) else {
        return Err(DateFault::Malformed);
    };
    let year = i32::try_from(year).map_err(|_| DateFault::Malformed)?;
    let date = Date::from_ymd_opt(year, month, day).ok_or(DateFault::Impossible)?;
    Ok((date, rest))
}

/// Second of the day (`None` for 24:00:00) and offset in minutes of `08:30:00.5+08:00`.
#[allow(clippy::type_complexity)]
fn clock(text: &str) -> Option<(Option<u32>, Option<i16>)> {
    let two = |from: usize| -> Option<u32> {
        let digits = text.get(from..from + 2)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        digits.parse().ok()
    };
    let (hour, minute) = (two(0)?, two(3)?);
    let (second, mut rest) = match text.as_bytes().get(5) {
        Some(b':') => (two(6)?, text.get(8..)?),
        _ => (0, text.get(5..)?),
    };
    if text.as_bytes().get(2) != Some(&b':') || minute > 59 || second > 60 {
        return None;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(fraction.len());
        if end == 0 {
            return None;
        }
        rest = fraction.get(end..)?;
    }
    let offset_minutes = offset(rest)?;
    let second = match (hour, minute, second) {
        (24, 0, 0) => None,
        (0..=23, _, _) => Some(hour * 3600 + minute * 60 + second.min(59)),
        _ => return None,
    };
    Some((second, offset_minutes))
}

/// `Z`, `+08:00`, `-0330` or nothing.
#[allow(clippy::option_option)]
fn offset(text: &str) -> Option<Option<i16>> {
    let sign = match text.as_bytes() {
        [] => return Some(None),
        b"Z" => return Some(Some(0)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i16, i16) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (hours <= 14 && minutes <= 59).then_some(Some(sign * (hours * 60 + minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_written_and_impossible_ones_are_told_from_malformed_ones() {
        let date = |y, m, d| Ok(Date::from_ymd_opt(y, m, d).expect("a day"));
        for (text, want) in [
            ("2026-03-02", date(2026, 3, 2)),
            ("2026-03-02Z", date(2026, 3, 2)),
            ("2026-03-02+08:00", date(2026, 3, 2)),
            ("2026-03-02T23:59:59-11:00", date(2026, 3, 2)),
            ("2026-03-02T24:00:00", date(2026, 3, 2)),
            ("2025-07-23T00:00:00.000000000", date(2025, 7, 23)),
            ("2024-02-29", date(2024, 2, 29)),
            ("2026-02-29", Err(DateFault::Impossible)),
            ("2026-02-30T10:00:00Z", Err(DateFault::Impossible)),
            ("2026-13-01", Err(DateFault::Impossible)),
            ("260302", Err(DateFault::Malformed)),
            ("2026-3-2", Err(DateFault::Malformed)),
            ("2026-03-02T25:00:00", Err(DateFault::Malformed)),
            ("2026-03-02T10:61:00", Err(DateFault::Malformed)),
            ("2026-03-02T10:00:00.", Err(DateFault::Malformed)),
            ("2026-03-02 10:00", Err(DateFault::Malformed)),
            ("2026-03-02x", Err(DateFault::Malformed)),
            ("2026-03-02T10:00:00+99:00", Err(DateFault::Malformed)),
            ("２０２６-03-02", Err(DateFault::Malformed)),
            ("", Err(DateFault::Malformed)),
        ] {
            assert_eq!(day(text), want, "{text}");
        }
    }

    #[test]
    fn times_keep_the_offset_that_was_written() {
        for (text, want) in [
            ("2014-12-31T13:15:00+01:00", Some((47_700, Some(60)))),
            ("2014-12-31T13:15:00Z", Some((47_700, Some(0)))),
            ("2014-12-31T13:15:00-03:30", Some((47_700, Some(-210)))),
            ("2014-12-31T13:15", Some((47_700, None))),
            ("2014-12-31T23:59:60", Some((86_399, None))),
            ("2014-12-31T00:00:00", None),
            ("2014-12-31T24:00:00", None),
            ("2014-12-31", None),
        ] {
            let got = moment(text).map(|moment| (moment.second, moment.offset_minutes));
            assert_eq!(got, want, "{text}");
        }
    }
}
