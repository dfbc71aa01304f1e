//! [`DocumentError`]: why a programme, an application, a policy or a rate table cannot be used.

use quanfu_calendar::Date;
use quanfu_money::{AmountStyle, Currency, Decimal, Money, lexer};
use serde::{Deserialize, Deserializer};

/// Why a document cannot be used; each with its line and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not TOML, an unknown key, a missing key, a value of the wrong type.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, counted from 1.
        line: u32,
        /// Column in characters, counted from 1.
        column: u32,
        /// What is wrong and what would be right.
        message: String,
    },
    /// Well formed, and says something that cannot be.
    #[error("line {line}, {place}: {message}")]
    Meaning {
        /// Line, counted from 1, of the thing that is spoken of.
        line: u32,
        /// What is spoken of, such as `line premium, rate`.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A row of a CSV table.
    #[error("line {line}, column {column:?}: {message}")]
    Row {
        /// Line, counted from 1.
        line: u32,
        /// Name of the column.
        column: String,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl DocumentError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &["credit-syntax", "credit-meaning", "credit-row"];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "credit-syntax",
            Self::Meaning { .. } => "credit-meaning",
            Self::Row { .. } => "credit-row",
        }
    }

    pub(crate) fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        let offset = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..offset).unwrap_or("");
        Self::Syntax {
            line: line_of(text, offset),
            column: before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1,
            message: error.message().to_owned(),
        }
    }
}

/// The line that a byte stands on, counted from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    before.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1
}

/// A decimal such as `0.20`; the message says what would be right.
pub(crate) fn decimal(text: &str) -> Result<Decimal, String> {
    lexer::parse_decimal(text.as_bytes(), AmountStyle::PLAIN)
        .map_err(|_| format!("{text:?} is no decimal; one such as \"0.20\" would be right"))
}

/// A decimal of zero or more.
pub(crate) fn not_negative(text: &str) -> Result<Decimal, String> {
    let value = decimal(text)?;
    if value.is_sign_negative() && !value.is_zero() {
        return Err(format!("{text:?} is below zero"));
    }
    Ok(value)
}

/// An amount of zero or more with its currency, `1000.00 CNY`.
pub(crate) fn money(text: &str) -> Result<Money, String> {
    let money: Money = text
        .parse()
        .map_err(|error| format!("{error}; an amount such as \"1000.00 CNY\" would be right"))?;
    if money.is_negative() {
        return Err(format!("{text:?} is below zero"));
    }
    Ok(money)
}

/// An amount of renminbi of zero or more, without its currency.
pub(crate) fn yuan(text: &str) -> Result<Money, String> {
    money(&format!("{text} {}", Currency::CNY))
}

/// Reads `2024-01-31` in this one spelling.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    let day = text.parse::<Date>().ok();
    day.filter(|day| day.to_string() == text)
        .ok_or_else(|| format!("{text:?} is no day; one such as 2024-01-31 would be right"))
}

/// A day as TOML writes it, or the same as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Toml(toml::value::Datetime),
            Plain(String),
        }
        let text = match Text::deserialize(deserializer)? {
            Text::Toml(day) => day.to_string(),
            Text::Plain(text) => text,
        };
        day(&text).map(Self).map_err(serde::de::Error::custom)
    }
}
