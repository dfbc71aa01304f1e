//! Text forms that the types of this crate share: one spelling per value, read and written.

use crate::lexer::{self, AmountStyle};
use crate::{Currency, MoneyError};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Reads a value from a JSON string through its `FromStr`.
pub(crate) fn deserialize_text<'de, D, T>(
    deserializer: D,
    what: &'static str,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    struct Text<T>(&'static str, PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
            Err(E::invalid_type(Unexpected::Bytes(bytes), &self))
        }
    }

    deserializer.deserialize_str(Text(what, PhantomData))
}

/// Reads `1234.50` as minor units of a currency that may have at most its own number of decimals written.
pub(crate) fn read_minor(amount: &str, currency: Currency) -> Result<i128, MoneyError> {
    let written = amount
        .bytes()
        .rev()
        .position(|byte| byte == b'.')
        .unwrap_or(0);
    if written > usize::from(currency.minor_digits()) {
        // A digit after the minor unit is refused here even if it is zero: one spelling per value.
        lexer::parse_decimal(amount.as_bytes(), AmountStyle::PLAIN)?;
        return Err(MoneyError::TooFine {
            value: lexer::shown(amount.as_bytes()),
            currency,
        });
    }
    Ok(lexer::parse_wide(
        amount.as_bytes(),
        AmountStyle::PLAIN,
        currency.minor_digits(),
    )?)
}

/// Splits `1234.50 CNY` into its amount and its currency.
pub(crate) fn split_currency(text: &str) -> Result<(&str, Currency), MoneyError> {
    let (amount, code) = text.split_once(' ').ok_or_else(|| MoneyError::Text {
        found: lexer::shown(text.as_bytes()),
    })?;
    Ok((amount, Currency::from_code(code)?))
}

/// Writes minor units with the full number of decimals, without allocating.
pub(crate) fn write_minor(minor: i128, digits: u8, out: &mut impl fmt::Write) -> fmt::Result {
    // 39 digits of an i128, a sign, a mark, and the zeros that a small number needs before its decimals.
    let mut buffer = [0_u8; 48];
    let mut start = buffer.len();
    let mut rest = minor.unsigned_abs();
    let mut written = 0;
    while rest > 0 || written <= digits {
        if written == digits && digits > 0 {
            start -= 1;
            buffer[start] = b'.';
        }
        start -= 1;
        if let Ok(small) = u64::try_from(rest) {
            buffer[start] = b'0' + (small % 10) as u8;
            rest = u128::from(small / 10);
        } else {
            buffer[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        written += 1;
    }
    if minor < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    out.write_str(
        std::str::from_utf8(&buffer[start..]).expect("digits, a mark and a sign are ASCII"),
    )
}

/// The text of a number with a comma between thousands, for people: `-1,234.50` for `-1234.50`.
#[must_use]
pub fn grouped(text: &str) -> String {
    let (whole, decimals) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + decimals
}

/// The serde form that [`crate::Money`], [`crate::MoneySum`] and [`crate::Amount`] share.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoneyText {
    pub(crate) amount: String,
    pub(crate) currency: Currency,
}
