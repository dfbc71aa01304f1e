//! [`ScaleProfile`]: how many decimals a counterparty's minor units have.

use crate::lexer::{self, AmountStyle};
use crate::{Currency, Money, MoneyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The decimals of the minor units that one counterparty counts in, where they are not those of ISO 4217.
///
/// Interfaces of payment institutions count some currencies in other units than ISO 4217; what one of them says of its
/// own is data, so none is shipped. In serde it is the map of what differs: `{"HUF":0}`.
///
/// ```
/// # use quanfu_money::{Currency, ScaleProfile};
/// let profile: ScaleProfile = serde_json::from_str(r#"{"HUF":0}"#)?;
/// let paid = profile.parse(b"1990", Currency::HUF)?;
/// assert_eq!(paid.to_string(), "1990.00 HUF");
/// assert_eq!(profile.format(paid)?, "1990");
/// assert_eq!(ScaleProfile::ISO.parse(b"1990", Currency::HUF)?.to_string(), "19.90 HUF");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScaleProfile {
    digits: BTreeMap<Currency, u8>,
}

impl ScaleProfile {
    /// Nothing differs from ISO 4217.
    pub const ISO: Self = Self {
        digits: BTreeMap::new(),
    };
    const MOST: u8 = 8;

    /// A profile of what differs from ISO 4217.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Scale`] for more than 8 decimals.
    pub fn new(differs: impl IntoIterator<Item = (Currency, u8)>) -> Result<Self, MoneyError> {
        let mut digits = BTreeMap::new();
        for (currency, count) in differs {
            if count > Self::MOST {
                return Err(MoneyError::Scale {
                    currency,
                    digits: count,
                });
            }
            digits.insert(currency, count);
        }
        Ok(Self { digits })
    }

    /// How many decimals the counterparty's unit has.
    #[must_use]
    pub fn digits(&self, currency: Currency) -> u8 {
        let own = self.digits.get(&currency).copied();
        own.unwrap_or(currency.minor_digits())
    }

    /// Reads a whole number of the counterparty's units, such as `1990`.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Amount`] for what is no whole number; [`MoneyError::TooFine`] if it is finer than the minor unit of
    /// ISO 4217 can hold; [`MoneyError::Overflow`].
    pub fn parse(&self, bytes: &[u8], currency: Currency) -> Result<Money, MoneyError> {
        let own = self.digits(currency);
        let units = lexer::parse_minor(bytes, AmountStyle::MINOR_UNITS, own)?.minor;
        match shift(units.into(), own, currency.minor_digits()) {
            Some(minor) => Money::from_wide(minor, currency, "reading"),
            None => Err(MoneyError::TooFine {
                value: format!("{} units of {own} decimals,", lexer::shown(bytes)),
                currency,
            }),
        }
    }

    /// Writes an amount as a whole number of the counterparty's units.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooFine`] if the counterparty cannot be told the amount: 19.90 HUF where it counts whole forints.
    pub fn format(&self, money: Money) -> Result<String, MoneyError> {
        let currency = money.currency();
        let units = shift(
            money.minor().into(),
            currency.minor_digits(),
            self.digits(currency),
        );
        let units = units.ok_or_else(|| MoneyError::TooFine {
            value: format!(
                "for a counterparty that counts {} decimals, {}",
                self.digits(currency),
                money.amount_text()
            ),
            currency,
        })?;
        Ok(units.to_string())
    }
}

/// A count of units of so many decimals as a count of units of others; `None` if it is finer than those.
fn shift(count: i128, from: u8, to: u8) -> Option<i128> {
    // at most 8 decimals apart, and an i64 of them
    let factor = 10_i128.pow(u32::from(from.abs_diff(to)));
    if from <= to {
        Some(count * factor)
    } else {
        (count % factor == 0).then(|| count / factor)
    }
}

impl Serialize for ScaleProfile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.digits.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ScaleProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let differs = BTreeMap::<Currency, u8>::deserialize(deserializer)?;
        Self::new(differs).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_of_a_counterparty_are_read_and_written_without_loss() {
        let profile = ScaleProfile::new([
            (Currency::HUF, 0),
            (Currency::JPY, 2),
            (Currency::KWD, 2),
            (Currency::CNY, 4),
        ])
        .expect("a profile");
        for (text, currency, want) in [
            ("1990", Currency::HUF, Ok("1990.00 HUF")),
            ("-5", Currency::HUF, Ok("-5.00 HUF")),
            ("1990", Currency::USD, Ok("19.90 USD")), // as in ISO 4217
            ("123400", Currency::JPY, Ok("1234 JPY")),
            ("123450", Currency::JPY, Err("amount-too-fine")),
            ("1234", Currency::KWD, Ok("12.340 KWD")),
            ("199000", Currency::CNY, Ok("19.90 CNY")),
            ("199001", Currency::CNY, Err("amount-too-fine")),
            ("19.90", Currency::HUF, Err("amount-malformed")),
            ("", Currency::HUF, Err("amount-empty")),
            ("9223372036854775807", Currency::HUF, Err("money-overflow")),
        ] {
            let found = profile.parse(text.as_bytes(), currency);
            if let Ok(money) = found {
                assert_eq!(profile.format(money), Ok(text.to_owned()));
            }
            let found = found.map(|money| money.to_string());
            let found = found.map_err(|error| error.code());
            assert_eq!(found, want.map(String::from), "{text} {currency}");
        }
        let forint = Money::from_minor(1_990, Currency::HUF);
        let error = profile.format(forint).expect_err("19.90 HUF");
        assert_eq!(error.code(), "amount-too-fine");
    }

    #[test]
    fn a_profile_is_a_map_of_what_differs() {
        let profile = ScaleProfile::new([(Currency::HUF, 0), (Currency::TWD, 0)]).expect("one");
        let json = serde_json::to_string(&profile).expect("serialises");
        assert_eq!(json, r#"{"HUF":0,"TWD":0}"#);
        assert_eq!(
            serde_json::from_str::<ScaleProfile>(&json).expect("reads"),
            profile
        );
        for json in [
            r#"{"HUF":9}"#,
            r#"{"HUF":-1}"#,
            r#"{"HUF":"0"}"#,
            r#"{"CNH":2}"#,
        ] {
            assert!(
                serde_json::from_str::<ScaleProfile>(json).is_err(),
                "{json}"
            );
        }
        assert_eq!(
            ScaleProfile::new([(Currency::HUF, 9)]).map_err(|error| error.code()),
            Err("money-scale")
        );
    }

    proptest! {
        #[test]
        fn what_can_be_told_comes_back(minor in any::<i64>(), digits in 0_u8..=8) {
            let profile = ScaleProfile::new([(Currency::CNY, digits)]).expect("at most 8");
            let money = Money::from_minor(minor, Currency::CNY);
            if let Ok(text) = profile.format(money) {
                match profile.parse(text.as_bytes(), Currency::CNY) {
                    Ok(read) => prop_assert_eq!(read, money),
                    // as units of more decimals the number may be longer than an i64
                    Err(error) => prop_assert!(digits > 2 && error.code() == "amount-overflow"),
                }
            } else {
                prop_assert!(digits < 2);
            }
        }
    }
}
