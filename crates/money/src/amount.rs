//! [`Amount`]: an amount that is not rounded yet.

use crate::money::same_currency;
use crate::{AmountStyle, Currency, Decimal, Money, MoneyError, RoundingRule, lexer, text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// An exact amount that may be finer than the minor unit: a unit price, a fee before rounding.
///
/// Its one door to [`Money`], [`Amount::round`], names a rounding. The text form keeps the decimals that were written:
/// `0.11940 CNY`. Equality looks at the value alone, so `0.5 CNY` equals `0.50 CNY`.
///
/// ```
/// # use quanfu_money::{Amount, Rounding};
/// let fee: Amount = "0.11940 CNY".parse()?;
/// assert_eq!(fee.to_string(), "0.11940 CNY");
/// assert!(fee.to_money().is_err()); // finer than a fen
/// assert_eq!(fee.round(Rounding::HalfUp)?.to_string(), "0.12 CNY");
/// # Ok::<(), quanfu_money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    value: Decimal,
    currency: Currency,
}

impl Amount {
    /// The amount of a decimal, as it is.
    #[must_use]
    pub fn exact(value: Decimal, currency: Currency) -> Self {
        let value = if value.is_zero() { value.abs() } else { value };
        Self { value, currency }
    }

    /// The decimal, with the decimals that were written.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.value
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether this is no money at all.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.value.is_zero()
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.value.is_sign_negative()
    }

    /// The amount in whole minor units or steps, rounded once as named: by a [`Rounding`] to the minor unit, by a
    /// [`RoundingRule`] to its step.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] beyond an `i64` of minor units; for a step, those of [`RoundingRule::round`].
    pub fn round(self, rule: impl Into<RoundingRule>) -> Result<Money, MoneyError> {
        rule.into().round(self)
    }

    /// Shares the amount in proportion to weights, see [`Money::allocate`].
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooFine`] for an amount finer than the minor unit: nothing is cut off in silence, whoever wants
    /// it rounded rounds it before. [`MoneyError::NoWeights`], [`MoneyError::Overflow`].
    ///
    /// ```
    /// # use quanfu_money::Amount;
    /// let error = "10.005 CNY".parse::<Amount>()?.allocate(&[1, 1]).unwrap_err();
    /// assert_eq!(error.code(), "amount-too-fine");
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
        self.to_money()?.allocate(weights)
    }

    /// The amount in whole minor units, if it has no finer part.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooFine`], [`MoneyError::Overflow`].
    pub fn to_money(self) -> Result<Money, MoneyError> {
        Money::exact(self.value, self.currency)
    }

    /// The exact sum of two amounts of one currency, with the finer scale of the two.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`]; [`MoneyError::Overflow`] if the exact sum needs more than the
    /// 28 digits of a decimal: it is never shortened.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        same_currency(self.currency, other.currency)?;
        let scale = self.value.scale().max(other.value.scale());
        let at_scale = |value: Decimal| {
            let factor = 10_i128.checked_pow(scale - value.scale())?;
            value.mantissa().checked_mul(factor)
        };
        at_scale(self.value)
            .zip(at_scale(other.value))
            .and_then(|(left, right)| left.checked_add(right))
            .and_then(|sum| Decimal::try_from_i128_with_scale(sum, scale).ok())
            .map(|value| Self::exact(value, self.currency))
            .ok_or(MoneyError::Overflow {
                operation: "exact sum",
                currency: self.currency,
            })
    }

    /// The decimal as text, without the currency: `0.11940`.
    #[must_use]
    pub fn amount_text(&self) -> String {
        self.value.to_string()
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self::exact(money.to_decimal(), money.currency())
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.currency.code())
    }
}

impl FromStr for Amount {
    type Err = MoneyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (amount, currency) = text::split_currency(s)?;
        let value = lexer::parse_decimal(amount.as_bytes(), AmountStyle::PLAIN)?;
        Ok(Self::exact(value, currency))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::MoneyText {
            amount: self.amount_text(),
            currency: self.currency,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = text::MoneyText::deserialize(deserializer)?;
        lexer::parse_decimal(read.amount.as_bytes(), AmountStyle::PLAIN)
            .map(|value| Self::exact(value, read.currency))
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rounding;
    use proptest::prelude::*;

    #[test]
    fn unrounded_amounts_add_exactly_or_not_at_all() {
        for (left, right, want) in [
            ("0.11940 CNY", "0.00001 CNY", Ok("0.11941 CNY")),
            ("0.1 CNY", "-0.10 CNY", Ok("0.00 CNY")),
            ("-0.5 CNY", "0.25 CNY", Ok("-0.25 CNY")),
            // rust_decimal's own sum would silently drop the cent here.
            (
                "7922816251426433759354395033.5 CNY",
                "0.01 CNY",
                Err("money-overflow"),
            ),
            (
                "79228162514264337593543950335 CNY",
                "1 CNY",
                Err("money-overflow"),
            ),
            (
                "79228162514264337593543950335 CNY",
                "0.0000000000000000000000000001 CNY",
                Err("money-overflow"),
            ),
            ("1 CNY", "1 USD", Err("currency-mismatch")),
        ] {
            let [left, right]: [Amount; 2] =
                [left, right].map(|text| text.parse().expect("an amount"));
            let found = left.checked_add(right);
            let found = found
                .map(|sum| sum.to_string())
                .map_err(|error| error.code());
            assert_eq!(found, want.map(String::from), "{left} + {right}");
        }
    }

    #[test]
    fn zero_has_no_sign() {
        let negative_zero = Amount::exact(-Decimal::ZERO, Currency::CNY);
        assert_eq!(negative_zero.to_string(), "0 CNY");
        assert!(!negative_zero.is_negative());
        assert!("-0.000 CNY".parse::<Amount>().is_err());
    }

    proptest! {
        #[test]
        fn reading_what_we_wrote_gives_it_back(mantissa in any::<i64>(), scale in 0_u32..=28) {
            let amount = Amount::exact(Decimal::new(mantissa, scale), Currency::CNY);
            let read: Amount = amount.to_string().parse().expect("our own text");
            prop_assert_eq!(read.to_string(), amount.to_string());
            let json = serde_json::to_string(&amount).expect("serialises");
            let read: Amount = serde_json::from_str(&json).expect("our own text");
            prop_assert_eq!(read.value().scale(), scale);
            prop_assert_eq!(read, amount);
        }

        #[test]
        fn an_exact_amount_is_what_every_rounding_gives(mantissa in any::<i64>(), scale in 0_u32..6) {
            let amount = Amount::exact(Decimal::new(mantissa, scale), Currency::CNY);
            if let Ok(money) = amount.to_money() {
                for rounding in Rounding::ALL {
                    prop_assert_eq!(amount.round(rounding), Ok(money));
                }
                prop_assert_eq!(Amount::from(money), amount);
            }
        }
    }
}
