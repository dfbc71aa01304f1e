//! [`Money`]: whole minor units of one currency.

use crate::lexer::POW10;
use crate::{Currency, Decimal, MoneyError, Rounding, text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An amount of money in whole minor units (分, cents) of one currency.
///
/// It has no `+`: money of two currencies does not add up, and a sum may leave the range, so adding is
/// [`Money::checked_add`] and gives a `Result`. The range is that of an `i64` of minor units, for `CNY`
/// about 92 thousand billion yuan to either side.
///
/// The text form is the amount at the currency's full scale, a space and the code: `1234.50 CNY`; in serde
/// it is `{"amount":"1234.50","currency":"CNY"}`, always text and never a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount of whole minor units: 1990 fen are 19.90 yuan.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money};
    /// assert_eq!(Money::from_minor(1_990, Currency::CNY).to_string(), "19.90 CNY");
    /// ```
    #[must_use]
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// No money of this currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Makes an amount from a decimal that already fits the currency; never rounds.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooFine`] for `1.005 CNY`: whoever wants rounding says which, with [`Money::rounded`].
    /// [`MoneyError::Overflow`] beyond an `i64` of minor units.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money};
    /// let price = Money::exact("19.90".parse()?, Currency::CNY)?;
    /// assert_eq!(price.minor(), 1_990); // fen (分)
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn exact(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let (numerator, denominator) = in_minor_units(amount, currency)?;
        if numerator % denominator != 0 {
            return Err(MoneyError::TooFine {
                value: amount.to_string(),
                currency,
            });
        }
        Self::from_wide(numerator / denominator, currency, "conversion")
    }

    /// Makes an amount from a decimal, rounded once to the minor unit as named.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] beyond an `i64` of minor units.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money, Rounding};
    /// let half = "1.005".parse()?;
    /// assert_eq!(Money::rounded(half, Currency::CNY, Rounding::HalfUp)?.minor(), 101);
    /// assert_eq!(Money::rounded(half, Currency::CNY, Rounding::HalfEven)?.minor(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rounded(
        amount: Decimal,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let (numerator, denominator) = in_minor_units(amount, currency)?;
        let minor = rounding.divide(numerator, denominator)?;
        Self::from_wide(minor, currency, "rounding")
    }

    pub(crate) fn from_wide(
        minor: i128,
        currency: Currency,
        operation: &'static str,
    ) -> Result<Self, MoneyError> {
        i64::try_from(minor)
            .map(|minor| Self { minor, currency })
            .map_err(|_| MoneyError::Overflow {
                operation,
                currency,
            })
    }

    /// The count of minor units, negative for a net that is owed the other way.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether this is no money at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.holds(self.minor.checked_add(other.minor), "sum")
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.holds(self.minor.checked_sub(other.minor), "difference")
    }

    /// The same amount the other way round.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] for the one amount that has no opposite, `i64::MIN`.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.holds(self.minor.checked_neg(), "negation")
    }

    /// The amount without its sign.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] for the one amount that has no opposite, `i64::MIN`.
    pub fn checked_abs(self) -> Result<Self, MoneyError> {
        self.holds(self.minor.checked_abs(), "absolute value")
    }

    /// Which of two amounts of one currency is greater; amounts of two currencies have no order.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`].
    pub fn checked_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        same_currency(self.currency, other.currency)
    }

    fn holds(self, minor: Option<i64>, operation: &'static str) -> Result<Self, MoneyError> {
        let currency = self.currency;
        minor
            .map(|minor| Self { minor, currency })
            .ok_or(MoneyError::Overflow {
                operation,
                currency,
            })
    }

    /// The amount as a decimal at the currency's full scale.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money};
    /// assert_eq!(Money::from_minor(1_990, Currency::CNY).to_decimal().to_string(), "19.90");
    /// ```
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, u32::from(self.currency.minor_digits()))
    }

    /// Shares the amount between `parts` equal receivers; the parts sum to the whole.
    ///
    /// Units that cannot be shared go to the first parts, one each. A negative amount mirrors the positive
    /// one, so a refund undoes its sale.
    ///
    /// # Errors
    ///
    /// [`MoneyError::NoWeights`] if `parts` is zero.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money};
    /// let parts = Money::from_minor(-100, Currency::CNY).split(3)?;
    /// assert_eq!(parts.iter().map(|part| part.minor()).collect::<Vec<_>>(), [-34, -33, -33]);
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    pub fn split(self, parts: usize) -> Result<Vec<Self>, MoneyError> {
        self.allocate(&vec![1; parts])
    }

    /// Shares the amount in proportion to weights by largest remainder; the parts sum to the whole.
    ///
    /// Every part is first cut towards zero; the units left over go, one each, to the parts that lost most,
    /// and between equal losses to the lower index. So no part is a whole unit away from its exact share, a
    /// weight of zero receives nothing, and a negative amount mirrors the positive one.
    ///
    /// # Errors
    ///
    /// [`MoneyError::NoWeights`] if there are none, or all are zero.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money};
    /// let fee = Money::from_minor(1_001, Currency::CNY).allocate(&[50, 30, 0, 20])?;
    /// assert_eq!(fee.iter().map(|part| part.minor()).collect::<Vec<_>>(), [501, 300, 0, 200]);
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total: u128 = weights.iter().copied().map(u128::from).sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let whole = u128::from(self.minor.unsigned_abs());
        // At most 2^63 * 2^64, so a u128 holds every product.
        let mut shares: Vec<u128> = Vec::with_capacity(weights.len());
        let mut losses: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
        for (index, &weight) in weights.iter().enumerate() {
            let product = whole * u128::from(weight);
            shares.push(product / total);
            losses.push((product % total, index));
        }
        let left = whole - shares.iter().sum::<u128>();
        losses.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let left = usize::try_from(left).expect("fewer units are left over than there are parts");
        for &(_, index) in losses.iter().take(left) {
            shares[index] += 1;
        }
        Ok(shares
            .into_iter()
            .map(|share| {
                let share = i128::try_from(share).expect("a share is at most the whole");
                let signed = if self.minor < 0 { -share } else { share };
                Self {
                    minor: i64::try_from(signed).expect("a share is at most the whole"),
                    currency: self.currency,
                }
            })
            .collect())
    }

    /// The amount at the currency's full scale, without the currency: `1234.50`.
    #[must_use]
    pub fn amount_text(&self) -> String {
        let mut out = String::with_capacity(24);
        self.write_amount(&mut out)
            .expect("writing to a String does not fail");
        out
    }

    /// Writes what [`Money::amount_text`] gives, without allocating.
    ///
    /// # Errors
    ///
    /// Those of the writer; a `String` has none.
    pub fn write_amount(&self, out: &mut impl fmt::Write) -> fmt::Result {
        text::write_minor(i128::from(self.minor), self.currency.minor_digits(), out)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_amount(f)?;
        write!(f, " {}", self.currency.code())
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (amount, currency) = text::split_currency(s)?;
        Self::from_wide(text::read_minor(amount, currency)?, currency, "reading")
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::MoneyText {
            amount: self.amount_text(),
            currency: self.currency,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = text::MoneyText::deserialize(deserializer)?;
        text::read_minor(&read.amount, read.currency)
            .and_then(|minor| Self::from_wide(minor, read.currency, "reading"))
            .map_err(serde::de::Error::custom)
    }
}

pub(crate) fn same_currency(left: Currency, right: Currency) -> Result<(), MoneyError> {
    if left == right {
        Ok(())
    } else {
        Err(MoneyError::CurrencyMismatch { left, right })
    }
}

/// A decimal as an exact fraction of minor units; the denominator is a power of ten.
fn in_minor_units(amount: Decimal, currency: Currency) -> Result<(i128, i128), MoneyError> {
    let scale = amount.scale();
    let digits = u32::from(currency.minor_digits());
    if scale >= digits {
        let denominator = 10_i128.pow(scale - digits); // a Decimal has at most 28 decimals
        return Ok((amount.mantissa(), denominator));
    }
    // At most 96 bits times 10^4, so an i128 holds it.
    let factor = i128::from(POW10[(digits - scale) as usize]);
    Ok((amount.mantissa() * factor, 1))
}
