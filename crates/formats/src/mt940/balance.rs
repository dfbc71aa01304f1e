//! Balances (60, 62, 64, 65), floor limits (34F) and control totals (90D, 90C).

use quanfu_calendar::Date;
use quanfu_money::{Currency, Money, MoneyError};
use quanfu_settlement::Balance;

use super::amount;
use super::date::Written;
use super::line::shown;

/// A balance as read, with what was odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub balance: Balance,
    /// The date is none that exists; the balance stands without one.
    pub date_impossible: bool,
    /// The currency is an alias, such as CNH.
    pub alias: bool,
    /// The amount or the currency is written otherwise than the standard has it.
    pub dialect: bool,
    /// The statement's end mark sticks to the amount.
    pub ends: bool,
}

/// Reads `1!a6!n3!a15d`. Where the currency is left out, it is `known`.
pub(super) fn read(text: &str, is_interim: bool, known: Option<Currency>) -> Result<Read, String> {
    let (text, ends) = without_end_mark(text.trim());
    let wrong = |what: &str| {
        Err(format!(
            "{} {what}: right is C or D, YYMMDD, currency, amount, such as C260302CNY100,00",
            shown(text)
        ))
    };
    let (is_credit, rest) = match (text.strip_prefix('C'), text.strip_prefix('D')) {
        (Some(rest), _) => (true, rest.trim_start()),
        (_, Some(rest)) => (false, rest.trim_start()),
        (None, None) => return wrong("does not begin with C or D"),
    };
    let date = rest
        .get(..6)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let rest = if date.is_some() {
        rest.get(6..).unwrap_or_default().trim_start()
    } else {
        rest
    };
    let date = date.and_then(|digits| Written::yymmdd(digits.as_bytes()));
    if date.is_none()
        && rest
            .bytes()
            .next()
            .is_none_or(|byte| !byte.is_ascii_uppercase())
    {
        return wrong("has no date");
    }
    let (currency, rest, alias, without_currency) = match currency(rest)? {
        Some((currency, rest, alias)) => (currency, rest, alias, false),
        None => match known {
            Some(currency) => (currency, rest, false, true),
            None => return wrong("has no currency"),
        },
    };
    let amount = amount::read(rest.trim().as_bytes(), currency)
        .map_err(|error| format!("{error} of {currency}"))?;
    let minor = if is_credit {
        amount.minor
    } else {
        -amount.minor
    };
    let day = date.and_then(Written::date);
    Ok(Read {
        balance: Balance {
            amount: Money::from_minor(minor, currency),
            date: day,
            is_interim,
        },
        date_impossible: date.is_some() && day.is_none(),
        alias,
        dialect: amount.dialect || without_currency || date.is_none(),
        ends,
    })
}

/// A text without the `-` or `-}` that sticks to its end.
fn without_end_mark(text: &str) -> (&str, bool) {
    match text.strip_suffix('-').or_else(|| text.strip_suffix("-}")) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    }
}

/// Three letters and what follows; CNH and RMB are CNY. `None` if the text does not begin with letters.
pub(super) fn currency(text: &str) -> Result<Option<(Currency, &str, bool)>, String> {
    let Some(code) = text
        .get(..3)
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_alphabetic()))
    else {
        return Ok(None);
    };
    let rest = text.get(3..).unwrap_or_default();
    match Currency::from_code(code) {
        Ok(currency) => Ok(Some((currency, rest, false))),
        Err(MoneyError::OffshoreRenminbi) => Ok(Some((Currency::CNY, rest, true))),
        Err(_) if code == "RMB" => Ok(Some((Currency::CNY, rest, true))),
        Err(error) => Err(error.to_string()),
    }
}

/// What field 90 declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Total {
    pub count: u64,
    pub sum: Money,
}

/// Reads `5n3!a15d`: a count, a currency, a sum without sign.
pub(super) fn total(text: &str) -> Result<(Total, bool), String> {
    let (text, ends) = without_end_mark(text.trim());
    let wrong = || {
        format!(
            "{} is no control total: right is count, currency, sum, such as 3EUR0,42",
            shown(text)
        )
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, rest) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let count = count.parse().map_err(|_| wrong())?;
    let (currency, rest, _) = currency(rest.trim_start())?.ok_or_else(wrong)?;
    let sum = amount::read(rest.trim().as_bytes(), currency)
        .map_err(|error| format!("{error} of {currency}"))?;
    Ok((
        Total {
            count,
            sum: Money::from_minor(sum.minor, currency),
        },
        ends,
    ))
}

/// The day of `13D`, `YYMMDDhhmm` with an offset.
pub(super) fn day(text: &str) -> Option<Date> {
    Written::yymmdd(text.trim().get(..6)?.as_bytes())?.date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balances_of_the_standard_and_of_dialects() {
        for (text, known, want) in [
            ("C260302CNY100,00", None, Ok("100.00 CNY 2026-03-02")),
            (
                "D070904EUR1237628,2",
                None,
                Ok("-1237628.20 EUR 2007-09-04"),
            ),
            ("C140507EUR0,", None, Ok("0.00 EUR 2014-05-07")),
            ("C110522EUR3236,28   ", None, Ok("3236.28 EUR 2011-05-22")),
            ("C100723EUR3,47-", None, Ok("3.47 EUR 2010-07-23 ends")),
            ("C100723EUR3,47-}", None, Ok("3.47 EUR 2010-07-23 ends")),
            (
                "C020315105000,00",
                Some(Currency::EUR),
                Ok("105000.00 EUR 2002-03-15 dialect"),
            ),
            (
                "C02032495000,00",
                Some(Currency::EUR),
                Ok("95000.00 EUR 2002-03-24 dialect"),
            ),
            ("C160230EUR1,00", None, Ok("1.00 EUR no day")),
            ("CEUR1,00", None, Ok("1.00 EUR dialect no day")),
            ("C260302CNH1,00", None, Ok("1.00 CNY 2026-03-02 alias")),
            ("C260302RMB1,00", None, Ok("1.00 CNY 2026-03-02 alias")),
            (
                "C260302EUR000000002145.00",
                None,
                Ok("2145.00 EUR 2026-03-02 dialect"),
            ),
            ("C020315105000,00", None, Err("has no currency")),
            ("X260302CNY100,00", None, Err("does not begin with C or D")),
            ("C260302CNY1,005", None, Err("finer")),
            ("C260302XXX1,00", None, Err("XXX")),
            ("C260302CNY", None, Err("empty")),
            ("Dnullnull", None, Err("null")),
            ("", None, Err("does not begin")),
        ] {
            let got = read(text, false, known).map(|read| {
                let mut shown = read.balance.amount.to_string();
                if let Some(date) = read.balance.date {
                    shown += &format!(" {date}");
                }
                for (flag, name) in [
                    (read.alias, " alias"),
                    (read.dialect, " dialect"),
                    (read.balance.date.is_none(), " no day"),
                    (read.ends, " ends"),
                ] {
                    shown += if flag { name } else { "" };
                }
                shown
            });
            match (got, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want, "{text}"),
                (Err(got), Err(want)) => assert!(got.contains(want), "{text}: {got}"),
                (got, want) => panic!("{text}: {got:?} is not {want:?}"),
            }
        }
    }

    #[test]
    fn control_totals() {
        let (read, ends) = total("1EUR2,30").expect("a total");
        assert_eq!(
            (read.count, read.sum.to_string(), ends),
            (1, "2.30 EUR".into(), false)
        );
        assert!(total("3PLN0,03-").expect("a total").1);
        for text in [
            "",
            "EUR2,30",
            "1EUR",
            "1,30",
            "1EURx",
            "99999999999999999999EUR1,",
        ] {
            assert!(total(text).is_err(), "{text}");
        }
        assert_eq!(
            day("1701191815+0100").map(|day| day.to_string()).as_deref(),
            Some("2017-01-19")
        );
    }
}
