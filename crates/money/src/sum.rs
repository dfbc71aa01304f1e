//! [`MoneySum`]: the sum of many amounts of one currency.

use crate::money::same_currency;
use crate::{Currency, Money, MoneyError, text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A running sum of [`Money`] in one currency, wide enough for any file: an `i128` of minor units.
///
/// ```
/// # use quanfu_money::{Currency, Money, MoneySum};
/// let mut total = MoneySum::zero(Currency::CNY);
/// total.add(Money::from_minor(i64::MAX, Currency::CNY))?;
/// total.add(Money::from_minor(1, Currency::CNY))?;
/// assert_eq!(total.to_string(), "92233720368547758.08 CNY");
/// assert!(total.to_money().is_err()); // more than one amount can hold
/// # Ok::<(), quanfu_money::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MoneySum {
    minor: i128,
    currency: Currency,
}

impl MoneySum {
    /// The empty sum of a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// A sum of whole minor units.
    #[must_use]
    pub const fn from_minor(minor: i128, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The count of minor units.
    #[must_use]
    pub const fn minor(self) -> i128 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the sum is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether the sum is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Adds one amount in place; on an error the sum is as it was.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn add(&mut self, money: Money) -> Result<(), MoneyError> {
        *self = self.checked_add(money)?;
        Ok(())
    }

    /// The sum with one amount more.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, money: Money) -> Result<Self, MoneyError> {
        self.checked_add_sum(money.into())
    }

    /// The sum with one amount less.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, money: Money) -> Result<Self, MoneyError> {
        self.checked_sub_sum(money.into())
    }

    /// Two sums together.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add_sum(self, other: Self) -> Result<Self, MoneyError> {
        same_currency(self.currency, other.currency)?;
        self.holds(self.minor.checked_add(other.minor), "sum")
    }

    /// The difference of two sums.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub_sum(self, other: Self) -> Result<Self, MoneyError> {
        same_currency(self.currency, other.currency)?;
        self.holds(self.minor.checked_sub(other.minor), "difference")
    }

    fn holds(self, minor: Option<i128>, operation: &'static str) -> Result<Self, MoneyError> {
        let currency = self.currency;
        minor
            .map(|minor| Self { minor, currency })
            .ok_or(MoneyError::Overflow {
                operation,
                currency,
            })
    }

    /// The sum as one amount.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] beyond an `i64` of minor units.
    pub fn to_money(self) -> Result<Money, MoneyError> {
        Money::from_wide(self.minor, self.currency, "sum as one amount")
    }

    /// The amount at the currency's full scale, without the currency: `1234.50`.
    #[must_use]
    pub fn amount_text(&self) -> String {
        let mut out = String::with_capacity(24);
        self.write_amount(&mut out)
            .expect("writing to a String does not fail");
        out
    }

    /// Writes what [`MoneySum::amount_text`] gives, without allocating.
    ///
    /// # Errors
    ///
    /// Those of the writer; a `String` has none.
    pub fn write_amount(&self, out: &mut impl fmt::Write) -> fmt::Result {
        text::write_minor(self.minor, self.currency.minor_digits(), out)
    }
}

impl From<Money> for MoneySum {
    fn from(money: Money) -> Self {
        Self::from_minor(i128::from(money.minor()), money.currency())
    }
}

impl fmt::Display for MoneySum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_amount(f)?;
        write!(f, " {}", self.currency.code())
    }
}

impl FromStr for MoneySum {
    type Err = MoneyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (amount, currency) = text::split_currency(s)?;
        Ok(Self::from_minor(
            text::read_minor(amount, currency)?,
            currency,
        ))
    }
}

impl Serialize for MoneySum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::MoneyText {
            amount: self.amount_text(),
            currency: self.currency,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MoneySum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = text::MoneyText::deserialize(deserializer)?;
        text::read_minor(&read.amount, read.currency)
            .map(|minor| Self::from_minor(minor, read.currency))
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sums_are_written_like_amounts_however_long() {
        for (minor, currency, want) in [
            (0, Currency::CNY, "0.00 CNY"),
            (-7, Currency::CNY, "-0.07 CNY"),
            (
                i128::MAX,
                Currency::JPY,
                "170141183460469231731687303715884105727 JPY",
            ),
            (
                i128::MIN,
                Currency::CLF,
                "-17014118346046923173168730371588410.5728 CLF",
            ),
        ] {
            let sum = MoneySum::from_minor(minor, currency);
            assert_eq!(sum.to_string(), want);
            assert_eq!(want.parse(), Ok(sum));
        }
        let beyond = "1701411834604692317316873037158841057.28 CNY".parse::<MoneySum>();
        assert_eq!(beyond.map_err(|error| error.code()), Err("amount-overflow"));
    }

    #[test]
    fn a_sum_takes_one_currency_and_stays_as_it_was_on_an_error() {
        let mut sum = MoneySum::from_minor(i128::MAX, Currency::CNY);
        let fen = Money::from_minor(1, Currency::CNY);
        assert_eq!(
            sum.add(fen).map_err(|error| error.code()),
            Err("money-overflow")
        );
        let cent = Money::from_minor(1, Currency::USD);
        assert_eq!(
            sum.add(cent).map_err(|error| error.code()),
            Err("currency-mismatch")
        );
        assert_eq!(sum, MoneySum::from_minor(i128::MAX, Currency::CNY));
        assert_eq!(sum.checked_sub(fen).map(MoneySum::minor), Ok(i128::MAX - 1));
    }

    proptest! {
        #[test]
        fn the_order_of_adding_does_not_matter(minors in prop::collection::vec(any::<i64>(), 0..50)) {
            let add = |sum: MoneySum, &minor: &i64| {
                sum.checked_add(Money::from_minor(minor, Currency::CNY)).expect("an i128 holds 50 of them")
            };
            let forth = minors.iter().fold(MoneySum::zero(Currency::CNY), add);
            let back = minors.iter().rev().fold(MoneySum::zero(Currency::CNY), add);
            prop_assert_eq!(forth, back);
            let json = serde_json::to_string(&forth).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<MoneySum>(&json).expect("reads"), forth);
        }

        #[test]
        fn reading_what_we_wrote_gives_it_back(minor in any::<i128>()) {
            for currency in [Currency::JPY, Currency::CNY, Currency::KWD, Currency::CLF] {
                let sum = MoneySum::from_minor(minor, currency);
                prop_assert_eq!(sum.to_string().parse(), Ok(sum));
            }
        }
    }
}
