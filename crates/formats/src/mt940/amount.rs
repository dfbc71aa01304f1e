//! Amounts as MT messages write them (`15d`, decimal comma), and as some banks write them.

use std::borrow::Cow;

use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_money::{AmountError, Currency};

/// A point as decimal mark, and the mark may stand alone: what is left after [`plain`].
const POINT: AmountStyle = AmountStyle {
    allow_bare_mark: true,
    ..AmountStyle::PLAIN
};

/// An amount that was read, without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub minor: i64,
    /// Whether it is written otherwise than the standard has it.
    pub dialect: bool,
}

/// Reads an amount in whole minor units. The standard form is `1234,5`; `,50`, `1234`, `12.50`, `1.234,56`
/// and `1,234.56` are read as well where they can mean one thing only.
pub(super) fn read(written: &[u8], currency: Currency) -> Result<Read, AmountError> {
    let digits = currency.minor_digits();
    if let Ok(parsed) = parse_minor(written, AmountStyle::SWIFT, digits) {
        return Ok(Read {
            minor: parsed.minor,
            dialect: false,
        });
    }
    match plain(written) {
        Some(text) => {
            let parsed = parse_minor(text.as_bytes(), POINT, digits)?;
            Ok(Read {
                minor: parsed.minor,
                dialect: true,
            })
        }
        None => parse_minor(written, AmountStyle::SWIFT, digits).map(|parsed| Read {
            minor: parsed.minor,
            dialect: false,
        }),
    }
}

/// The digits as written, with a point as decimal mark, for an amount whose currency nobody told.
pub(super) fn digits(written: &[u8]) -> Result<String, AmountError> {
    let text = match plain(written) {
        Some(text) => text.trim_end_matches('.').to_owned(),
        // The error of the standard form says what would be right.
        None => {
            return Err(parse_minor(written, AmountStyle::SWIFT, 18)
                .err()
                .unwrap_or(AmountError::Empty));
        }
    };
    quanfu_money::lexer::parse_decimal(text.as_bytes(), POINT)?;
    Ok(text)
}

/// The number with a point as decimal mark and without thousands marks, if it can be read in one way only.
fn plain(written: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(written).ok()?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = |text: &str| {
        if text.is_empty() {
            "0".to_owned()
        } else {
            text.to_owned()
        }
    };
    let mark = text.rfind([',', '.']);
    let Some(mark) = mark else {
        return (!text.is_empty() && is_number(text)).then_some(Cow::Borrowed(text));
    };
    let (before, after) = (text.get(..mark)?, text.get(mark + 1..)?);
    if !is_number(after) || (before.is_empty() && after.is_empty()) {
        return None;
    }
    let other = if text.as_bytes().get(mark) == Some(&b',') {
        '.'
    } else {
        ','
    };
    let before = if before.contains(other) {
        grouped(before, other)?
    } else if is_number(before) {
        // A lone point before three digits could mark thousands.
        if other == ',' && !(1..=2).contains(&after.len()) {
            return None;
        }
        whole(before)
    } else {
        return None;
    };
    Some(Cow::Owned(format!("{before}.{after}")))
}

/// `1.234` without its marks, if they make groups of three.
fn grouped(text: &str, mark: char) -> Option<String> {
    let mut groups = text.split(mark);
    let first = groups.next()?;
    let is_group = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let good = (1..=3).contains(&first.len())
        && is_group(first)
        && groups.all(|group| group.len() == 3 && is_group(group));
    good.then(|| text.replace(mark, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_where_they_can_mean_one_thing_only() {
        for (text, currency, want) in [
            ("19,90", Currency::CNY, Ok((1_990, false))),
            ("0,", Currency::CNY, Ok((0, false))),
            ("1234,", Currency::CNY, Ok((123_400, false))),
            ("1,5", Currency::CNY, Ok((150, false))),
            ("000000001213,28", Currency::EUR, Ok((121_328, false))),
            ("0000000000000000,00", Currency::EUR, Ok((0, false))),
            (",50", Currency::EUR, Ok((50, true))),
            ("1234", Currency::EUR, Ok((123_400, true))),
            ("000000002145.00", Currency::EUR, Ok((214_500, true))),
            ("12.5", Currency::EUR, Ok((1_250, true))),
            ("1.234,56", Currency::EUR, Ok((123_456, true))),
            ("1,234.56", Currency::EUR, Ok((123_456, true))),
            ("1.234.567,", Currency::EUR, Ok((123_456_700, true))),
            ("1000,00", Currency::JPY, Ok((1_000, false))),
            ("1000,50", Currency::JPY, Err("amount-too-fine")),
            ("1,234", Currency::EUR, Err("amount-too-fine")),
            ("1,234", Currency::KWD, Ok((1_234, false))),
            ("1.234", Currency::EUR, Err("amount-malformed")),
            ("1.23.456,00", Currency::EUR, Err("amount-malformed")),
            ("1,2,3", Currency::EUR, Err("amount-malformed")),
            (",", Currency::EUR, Err("amount-malformed")),
            ("", Currency::EUR, Err("amount-empty")),
            (
                "99999999999999999999,00",
                Currency::EUR,
                Err("amount-overflow"),
            ),
        ] {
            let got = read(text.as_bytes(), currency).map(|read| (read.minor, read.dialect));
            assert_eq!(got.map_err(|error| error.code()), want, "{text} {currency}");
        }
    }

    #[test]
    fn without_a_currency_the_digits_are_kept_with_a_point() {
        for (text, want) in [
            ("1,62", Some("1.62")),
            ("000000000001,62", Some("000000000001.62")),
            ("50,00", Some("50.00")),
            ("50,", Some("50")),
            (",5", Some("0.5")),
            ("50", Some("50")),
            ("5,0,0", None),
            ("", None),
        ] {
            assert_eq!(digits(text.as_bytes()).ok().as_deref(), want, "{text}");
        }
    }
}
