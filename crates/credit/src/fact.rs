//! [`Fact`]: what an application says of a firm; [`Condition`]: what a rule asks of it.

use std::collections::BTreeMap;
use std::fmt;

use quanfu_money::{Currency, Decimal};
use serde::Deserialize;

use crate::error::{decimal, not_negative};

/// What is said of a firm under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Yes or no.
    Yes(bool),
    /// A word, such as a region.
    Word(String),
    /// A number of zero or more; an amount of money has its currency.
    Number(Decimal, Option<Currency>),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(yes) => write!(f, "{yes}"),
            Self::Word(word) => f.write_str(word),
            Self::Number(value, None) => write!(f, "{value}"),
            Self::Number(value, Some(currency)) => write!(f, "{value} {currency}"),
        }
    }
}

impl Fact {
    /// Reads `true`, `false`, a number of zero or more, an amount such as `4000000.00 USD`; else it is a word.
    ///
    /// # Errors
    ///
    /// A number below zero.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" => return Ok(Self::Yes(true)),
            "false" => return Ok(Self::Yes(false)),
            _ => {}
        }
        let (number, currency) = match text.rsplit_once(' ') {
            Some((number, code)) => (number, Currency::from_code(code).ok()),
            None => (text, None),
        };
        if currency.is_none() && number.len() < text.len() || decimal(number).is_err() {
            return Ok(Self::Word(text.to_owned()));
        }
        Ok(Self::Number(not_negative(number)?, currency))
    }
}

/// The facts of a firm by name.
pub type Facts = BTreeMap<String, Fact>;

/// What a rule asks of one fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Name of the fact.
    pub fact: String,
    /// What it must be.
    pub wanted: Wanted,
}

/// What a fact must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Yes, or no.
    Yes(bool),
    /// One of these words.
    OneOf(Vec<String>),
    /// A number within bounds.
    Within {
        /// The currency, if it is an amount.
        currency: Option<Currency>,
        /// The lower bound and whether it belongs to the range.
        low: Option<(Decimal, bool)>,
        /// The upper bound and whether it belongs to the range.
        high: Option<(Decimal, bool)>,
    },
}

/// Why a condition cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Nothing is said under the name.
    Missing,
    /// Another kind of thing is said.
    OtherKind,
}

impl Condition {
    /// Whether the facts are so.
    pub(crate) fn holds(&self, facts: &Facts) -> Result<bool, Unanswered> {
        let fact = facts.get(&self.fact).ok_or(Unanswered::Missing)?;
        match (&self.wanted, fact) {
            (Wanted::Yes(wanted), Fact::Yes(found)) => Ok(wanted == found),
            (Wanted::OneOf(words), Fact::Word(found)) => Ok(words.contains(found)),
            (
                Wanted::Within {
                    currency,
                    low,
                    high,
                },
                Fact::Number(value, found),
            ) if currency == found => {
                let above = low.is_none_or(|(low, also)| *value > low || also && *value == low);
                let below = high.is_none_or(|(high, also)| *value < high || also && *value == high);
                Ok(above && below)
            }
            _ => Err(Unanswered::OtherKind),
        }
    }
}

impl fmt::Display for Condition {
    /// `prior_year_exports > 0 and <= 6000000 USD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fact)?;
        match &self.wanted {
            Wanted::Yes(yes) => write!(f, " = {yes}"),
            Wanted::OneOf(words) => write!(f, " = {}", words.join(" | ")),
            Wanted::Within {
                currency,
                low,
                high,
            } => {
                if let Some((low, also)) = low {
                    write!(f, " {} {low}", if *also { ">=" } else { ">" })?;
                }
                if let Some((high, also)) = high {
                    write!(f, " {} {high}", if *also { "<=" } else { "<" })?;
                }
                match currency {
                    Some(currency) => write!(f, " {currency}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A condition as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionText {
    fact: String,
    is: Option<bool>,
    #[serde(rename = "in")]
    one_of: Option<Vec<String>>,
    currency: Option<String>,
    gt: Option<String>,
    ge: Option<String>,
    lt: Option<String>,
    le: Option<String>,
}

impl ConditionText {
    pub(crate) fn read(self) -> Result<Condition, String> {
        let fact = self.fact;
        let bound = |open: Option<String>, closed: Option<String>| match (open, closed) {
            (None, None) => Ok(None),
            (Some(text), None) => not_negative(&text).map(|value| Some((value, false))),
            (None, Some(text)) => not_negative(&text).map(|value| Some((value, true))),
            (Some(_), Some(_)) => Err(format!("fact {fact:?} has two bounds on one side")),
        };
        let low = bound(self.gt, self.ge)?;
        let high = bound(self.lt, self.le)?;
        let in_range = low.is_some() || high.is_some();
        let wanted = match (self.is, self.one_of, in_range) {
            (Some(yes), None, false) => Wanted::Yes(yes),
            (None, Some(words), false) if !words.is_empty() => Wanted::OneOf(words),
            (None, None, true) => {
                let code = self.currency.as_deref();
                let currency = code.map(Currency::from_code).transpose();
                if let (Some((low, _)), Some((high, _))) = (low, high)
                    && low > high
                {
                    return Err(format!("fact {fact:?}: {low} to {high} holds nothing"));
                }
                Wanted::Within {
                    currency: currency.map_err(|error| error.to_string())?,
                    low,
                    high,
                }
            }
            _ => {
                return Err(format!(
                    "fact {fact:?}: exactly one of `is`, `in` and the bounds `gt` `ge` `lt` `le` would be right"
                ));
            }
        };
        Ok(Condition { fact, wanted })
    }
}
