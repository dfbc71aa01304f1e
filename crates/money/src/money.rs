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

/// Who receives the units that cannot be shared in proportion. Shares are always cut towards zero first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllocationMode {
    /// One each to the parts that lost most, between equal losses to the lower index; what [`Money::allocate`] does.
    LargestRemainder,
    /// One each to the first parts that have a weight.
    FloorToFirst,
    /// Nobody: they are an amount of their own.
    FloorSeparate,
}

/// A shared amount; the parts and the remainder sum to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "`remainder` is part of the amount"]
pub struct Allocation {
    /// One part for each weight, in the order of the weights.
    pub parts: Vec<Money>,
    /// What nobody received; zero but for [`AllocationMode::FloorSeparate`].
    pub remainder: Money,
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
        let allocation = self.allocate_by(weights, AllocationMode::LargestRemainder)?;
        Ok(allocation.parts)
    }

    /// Shares the amount in proportion to weights, with the units left over as the mode says. The parts and the
    /// remainder sum to the whole, a weight of zero receives nothing, and a negative amount mirrors the positive one.
    ///
    /// # Errors
    ///
    /// [`MoneyError::NoWeights`] if there are none, or all are zero.
    ///
    /// ```
    /// # use quanfu_money::{AllocationMode, Currency, Money};
    /// let sale = Money::from_minor(-100, Currency::CNY);
    /// let shared = sale.allocate_by(&[1, 1, 1], AllocationMode::FloorSeparate)?;
    /// assert_eq!(shared.parts[0].to_string(), "-0.33 CNY");
    /// assert_eq!(shared.remainder.to_string(), "-0.01 CNY");
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    pub fn allocate_by(
        self,
        weights: &[u64],
        mode: AllocationMode,
    ) -> Result<Allocation, MoneyError> {
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
            if weight > 0 {
                losses.push((product % total, index));
            }
        }
        let mut left = whole - shares.iter().sum::<u128>();
        match mode {
            AllocationMode::LargestRemainder => {
                losses.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
            }
            AllocationMode::FloorToFirst => {}
            AllocationMode::FloorSeparate => losses.clear(),
        }
        for (_, index) in losses {
            if left == 0 {
                break;
            }
            shares[index] += 1;
            left -= 1;
        }
        let signed = |units: u128| {
            let units = i128::try_from(units).expect("a share is at most the whole");
            let units = if self.minor < 0 { -units } else { units };
            Self {
                minor: i64::try_from(units).expect("a share is at most the whole"),
                currency: self.currency,
            }
        };
        Ok(Allocation {
            parts: shares.into_iter().map(signed).collect(),
            remainder: signed(left),
        })
    }

    /// The amount at the currency's full scale, without the currency: `1234.50`.
    #[must_use]
    pub fn amount_text(&self) -> String {
        let mut out = String::with_capacity(24);
        self.write_amount(&mut out)
            .expect("writing to a String does not fail");
        out
    }

    /// The amount for people, with a comma between thousands: `1,234.50 CNY`, in Chinese and in English texts alike.
    /// Nothing reads this form back.
    ///
    /// The code stands there because the sign ¥ is that of the yuan and of the yen.
    ///
    /// ```
    /// # use quanfu_money::{Currency, Money};
    /// assert_eq!(Money::from_minor(-123_450, Currency::CNY).for_people(), "-1,234.50 CNY");
    /// ```
    #[must_use]
    pub fn for_people(&self) -> String {
        format!("{} {}", text::grouped(&self.amount_text()), self.currency)
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
pub(crate) fn in_minor_units(
    amount: Decimal,
    currency: Currency,
) -> Result<(i128, i128), MoneyError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CURRENCIES: [Currency; 4] = [Currency::JPY, Currency::CNY, Currency::KWD, Currency::CLF];

    #[test]
    fn exact_accepts_what_the_currency_can_hold() {
        for (text, currency, want) in [
            ("19.900", Currency::CNY, Ok(1_990)), // trailing zeros are not precision
            ("-19.9", Currency::CNY, Ok(-1_990)),
            ("0", Currency::CNY, Ok(0)),
            (
                "1.005",
                Currency::CNY,
                Err("1.005 CNY is finer than the minor unit of CNY (2 decimals)"),
            ),
            (
                "0.5",
                Currency::JPY,
                Err("0.5 JPY is finer than the minor unit of JPY (0 decimals)"),
            ),
            ("1.2345", Currency::CLF, Ok(12_345)),
            ("92233720368547758.07", Currency::CNY, Ok(i64::MAX)),
            ("-92233720368547758.08", Currency::CNY, Ok(i64::MIN)),
            (
                "92233720368547758.08",
                Currency::CNY,
                Err("conversion in CNY leaves the range of amounts that can be held"),
            ),
            (
                "79228162514264337593543950335",
                Currency::CLF,
                Err("conversion in CLF leaves the range of amounts that can be held"),
            ),
        ] {
            let found = Money::exact(text.parse().expect("a decimal"), currency);
            let found = found.map(Money::minor).map_err(|error| error.to_string());
            assert_eq!(found, want.map_err(String::from), "{text} {currency}");
        }
    }

    #[test]
    fn rounding_happens_once_and_as_named() {
        for (text, currency, rounding, want) in [
            ("1.005", Currency::CNY, Rounding::HalfUp, 101),
            ("-1.005", Currency::CNY, Rounding::HalfUp, -101),
            ("1.005", Currency::CNY, Rounding::HalfEven, 100),
            ("1.015", Currency::CNY, Rounding::HalfEven, 102),
            ("1.005", Currency::CNY, Rounding::HalfDown, 100),
            // Rounding to three decimals first would give 1.005 and then 1.01.
            (
                "1.00499999999999999999999999",
                Currency::CNY,
                Rounding::HalfUp,
                100,
            ),
            (
                "0.0000000000000000000000000001",
                Currency::CNY,
                Rounding::Up,
                1,
            ),
            (
                "-0.0000000000000000000000000001",
                Currency::CNY,
                Rounding::Floor,
                -1,
            ),
            ("0.5", Currency::JPY, Rounding::HalfUp, 1),
            ("7", Currency::KWD, Rounding::Down, 7_000),
        ] {
            let found = Money::rounded(text.parse().expect("a decimal"), currency, rounding);
            assert_eq!(
                found.map(Money::minor),
                Ok(want),
                "{text} {currency} {rounding}"
            );
        }
    }

    #[test]
    fn two_currencies_neither_add_up_nor_compare() {
        let yuan = Money::from_minor(1, Currency::CNY);
        let dollar = Money::from_minor(1, Currency::USD);
        let mismatch = MoneyError::CurrencyMismatch {
            left: Currency::CNY,
            right: Currency::USD,
        };
        assert_eq!(yuan.checked_add(dollar), Err(mismatch.clone()));
        assert_eq!(yuan.checked_sub(dollar), Err(mismatch.clone()));
        assert_eq!(yuan.checked_cmp(dollar), Err(mismatch));
    }

    #[test]
    fn the_ends_of_the_range_are_errors() {
        let least = Money::from_minor(i64::MIN, Currency::CNY);
        let most = Money::from_minor(i64::MAX, Currency::CNY);
        let fen = Money::from_minor(1, Currency::CNY);
        for result in [
            most.checked_add(fen),
            least.checked_sub(fen),
            least.checked_neg(),
            least.checked_abs(),
        ] {
            assert_eq!(result.map_err(|error| error.code()), Err("money-overflow"));
        }
        assert_eq!(least.to_string(), "-92233720368547758.08 CNY");
        assert_eq!(least.to_string().parse(), Ok(least));
    }

    #[test]
    fn money_is_written_at_the_full_scale_of_its_currency() {
        for (minor, currency, want) in [
            (0, Currency::CNY, "0.00 CNY"),
            (5, Currency::CNY, "0.05 CNY"),
            (-5, Currency::CNY, "-0.05 CNY"),
            (123_450, Currency::CNY, "1234.50 CNY"),
            (-123_450, Currency::CNY, "-1234.50 CNY"),
            (0, Currency::JPY, "0 JPY"),
            (-7, Currency::JPY, "-7 JPY"),
            (1, Currency::KWD, "0.001 KWD"),
            (12_345, Currency::CLF, "1.2345 CLF"),
        ] {
            assert_eq!(Money::from_minor(minor, currency).to_string(), want);
        }
    }

    #[test]
    fn only_one_spelling_of_a_value_is_read() {
        for (text, want) in [
            ("1234.50 CNY", Ok(123_450)),
            ("1234.5 CNY", Ok(123_450)), // fewer decimals lose nothing
            ("1234 CNY", Ok(123_400)),
            ("1234.500 CNY", Err("amount-too-fine")),
            ("1234.567 CNY", Err("amount-too-fine")),
            ("1.0 JPY", Err("amount-too-fine")),
            ("1,234.50 CNY", Err("amount-malformed")),
            ("+1 CNY", Err("amount-malformed")),
            ("1e5 CNY", Err("amount-malformed")),
            ("1_0 CNY", Err("amount-malformed")),
            ("-0.00 CNY", Err("amount-negative-zero")),
            (" CNY", Err("amount-empty")),
            ("1.00", Err("money-malformed")),
            ("", Err("money-malformed")),
            ("1.00  CNY", Err("currency-unknown")),
            ("1.00 cny", Err("currency-unknown")),
            ("1.00 CNH", Err("currency-offshore-renminbi")),
            ("1.00 XAU", Err("currency-without-minor-unit")),
            ("92233720368547758.08 CNY", Err("money-overflow")),
        ] {
            let found = text.parse::<Money>();
            if let Err(error) = &found {
                assert!(
                    MoneyError::CODES.contains(&error.code()),
                    "{}",
                    error.code()
                );
            }
            let found = found.map(Money::minor).map_err(|error| error.code());
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn json_holds_text_and_never_a_number() {
        let price = Money::from_minor(123_450, Currency::CNY);
        let json = serde_json::to_string(&price).expect("serialises");
        assert_eq!(json, r#"{"amount":"1234.50","currency":"CNY"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).expect("reads"), price);
        for json in [
            r#"{"amount":1234.50,"currency":"CNY"}"#,
            r#"{"amount":1234,"currency":"CNY"}"#,
            r#"{"amount":"1234.500","currency":"CNY"}"#,
            r#"{"amount":"1234.50"}"#,
            r#"{"amount":"1234.50","currency":"CNY","unit":"yuan"}"#,
            r#"{"amount":"1234.50","currency":"CNH"}"#,
            r#"{"amount":"1234.50","currency":"CNY","currency":"CNY"}"#,
            r#""1234.50 CNY""#,
            "1234.50",
        ] {
            assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
        }
    }

    /// The tests of this crate switch on what makes `Decimal` a float in JSON, as any crate of a program can.
    #[test]
    fn no_feature_of_another_crate_turns_our_decimals_into_floats() {
        let decimal: Decimal = "1234.50".parse().expect("a decimal");
        let own = serde_json::to_string(&decimal).expect("serialises");
        assert_eq!(own, "1234.5", "the feature is on");
        let amount = crate::Amount::exact(decimal, Currency::CNY);
        let money = amount.to_money().expect("whole fen");
        let rule = crate::RoundingRule::to_step(Rounding::HalfUp, decimal);
        for (json, want) in [
            (
                serde_json::to_string(&money),
                r#"{"amount":"1234.50","currency":"CNY"}"#,
            ),
            (
                serde_json::to_string(&amount),
                r#"{"amount":"1234.50","currency":"CNY"}"#,
            ),
            (
                serde_json::to_string(&crate::MoneySum::from(money)),
                r#"{"amount":"1234.50","currency":"CNY"}"#,
            ),
            (
                serde_json::to_string(&rule),
                r#"{"rounding":"half_up","increment":"1234.50"}"#,
            ),
        ] {
            assert_eq!(json.expect("serialises"), want);
        }
    }

    #[test]
    fn remainders_go_to_the_largest_losses_and_ties_to_the_lower_index() {
        for (minor, weights, want) in [
            (100, &[1, 1, 1][..], &[34, 33, 33][..]),
            (-100, &[1, 1, 1], &[-34, -33, -33]),
            (101, &[1, 1, 1], &[34, 34, 33]),
            (1, &[1, 1], &[1, 0]),
            (1, &[0, 1, 1], &[0, 1, 0]),
            (1, &[1, 2], &[0, 1]), // one third against two thirds
            (100, &[1, 2, 3, 4], &[10, 20, 30, 40]),
            (5, &[3, 7], &[2, 3]), // 1.5 and 3.5: a tie
            (5, &[7, 3], &[4, 1]),
            (10, &[1, 1, 4], &[2, 2, 6]), // 1.67 1.67 6.67: a tie, and two units
            (0, &[1, 2], &[0, 0]),
            (7, &[0, 5, 0], &[0, 7, 0]),
            (i64::MIN, &[1], &[i64::MIN]),
            (i64::MAX, &[u64::MAX], &[i64::MAX]),
            (
                i64::MIN,
                &[u64::MAX, u64::MAX],
                &[i64::MIN / 2, i64::MIN / 2],
            ),
        ] {
            let found = Money::from_minor(minor, Currency::CNY).allocate(weights);
            let found =
                found.map(|parts| parts.iter().map(|part| part.minor()).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), Ok(want), "{minor} by {weights:?}");
        }
        for weights in [&[][..], &[0], &[0, 0, 0]] {
            let found = Money::from_minor(1, Currency::CNY).allocate(weights);
            assert_eq!(found, Err(MoneyError::NoWeights));
        }
        assert_eq!(
            Money::from_minor(1, Currency::CNY).split(0),
            Err(MoneyError::NoWeights)
        );
    }

    #[test]
    fn leftover_units_go_where_the_mode_says() {
        use AllocationMode::{FloorSeparate, FloorToFirst, LargestRemainder};
        for (minor, weights, mode, want, left) in [
            (8, &[1, 4, 3][..], LargestRemainder, &[1, 4, 3][..], 0),
            (7, &[0, 1, 4, 3], LargestRemainder, &[0, 1, 3, 3], 0), // 0.875 3.5 2.625
            (7, &[0, 1, 4, 3], FloorToFirst, &[0, 1, 4, 2], 0),
            (7, &[0, 1, 4, 3], FloorSeparate, &[0, 0, 3, 2], 2),
            (-7, &[0, 1, 4, 3], FloorToFirst, &[0, -1, -4, -2], 0),
            (-7, &[0, 1, 4, 3], FloorSeparate, &[0, 0, -3, -2], -2),
            (
                i64::MIN,
                &[u64::MAX, u64::MAX, u64::MAX],
                FloorSeparate,
                &[i64::MIN / 3, i64::MIN / 3, i64::MIN / 3],
                i64::MIN % 3,
            ),
            (i64::MAX, &[0, 9], FloorToFirst, &[0, i64::MAX], 0),
        ] {
            let shared = Money::from_minor(minor, Currency::CNY)
                .allocate_by(weights, mode)
                .expect("somebody to share between");
            let parts: Vec<i64> = shared.parts.iter().map(|part| part.minor()).collect();
            assert_eq!(parts, want, "{minor} by {weights:?}, {mode:?}");
            assert_eq!(shared.remainder, Money::from_minor(left, Currency::CNY));
        }
    }

    #[test]
    fn people_see_thousands() {
        for (minor, currency, want) in [
            (0, Currency::CNY, "0.00 CNY"),
            (99_999, Currency::CNY, "999.99 CNY"),
            (100_000, Currency::CNY, "1,000.00 CNY"),
            (-100_000_000, Currency::CNY, "-1,000,000.00 CNY"),
            (-999, Currency::JPY, "-999 JPY"),
            (1_234_567, Currency::JPY, "1,234,567 JPY"),
            (i64::MIN, Currency::CNY, "-92,233,720,368,547,758.08 CNY"),
        ] {
            assert_eq!(Money::from_minor(minor, currency).for_people(), want);
        }
        let read = Money::from_minor(100_000, Currency::CNY).for_people();
        assert!(read.parse::<Money>().is_err());
    }

    fn any_money() -> impl Strategy<Value = Money> {
        let minor = prop_oneof![any::<i64>(), -1_000_i64..1_000];
        let currency = prop::sample::select(CURRENCIES.to_vec());
        (minor, currency).prop_map(|(minor, currency)| Money::from_minor(minor, currency))
    }

    fn any_weights() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0_u64..5, any::<u64>()], 1..12)
    }

    proptest! {
        #[test]
        fn allocation_loses_nothing_and_is_nowhere_a_unit_off(money in any_money(), weights in any_weights()) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = money.allocate(&weights).expect("somebody to share between");
            let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
            prop_assert_eq!(sum, i128::from(money.minor()));
            let total: u128 = weights.iter().copied().map(u128::from).sum();
            for (part, &weight) in parts.iter().zip(&weights) {
                prop_assert_eq!(part.currency(), money.currency());
                if weight == 0 {
                    prop_assert_eq!(part.minor(), 0);
                }
                let share = u128::from(money.minor().unsigned_abs()) * u128::from(weight) / total;
                let part = u128::from(part.minor().unsigned_abs());
                prop_assert!(part == share || part == share + 1, "{} of {}", part, share);
            }
        }

        #[test]
        fn in_every_mode_nothing_is_lost_and_a_refund_mirrors_its_sale(minor in 0..=i64::MAX, weights in any_weights()) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let sale = Money::from_minor(minor, Currency::CNY);
            for mode in [AllocationMode::LargestRemainder, AllocationMode::FloorToFirst, AllocationMode::FloorSeparate] {
                let shared = sale.allocate_by(&weights, mode).expect("somebody to share between");
                let sum: i128 = shared.parts.iter().chain([&shared.remainder]).map(|part| i128::from(part.minor())).sum();
                prop_assert_eq!(sum, i128::from(minor));
                prop_assert_eq!(shared.remainder.is_zero() || mode == AllocationMode::FloorSeparate, true);
                let total: u128 = weights.iter().copied().map(u128::from).sum();
                for (part, &weight) in shared.parts.iter().zip(&weights) {
                    let share = u128::from(minor.unsigned_abs()) * u128::from(weight) / total;
                    let part = u128::from(part.minor().unsigned_abs());
                    prop_assert!(part == share || (part == share + 1 && weight > 0));
                }
                let refund = sale.checked_neg().and_then(|refund| refund.allocate_by(&weights, mode)).expect("the same");
                let negated: Result<Vec<Money>, MoneyError> = shared.parts.into_iter().map(Money::checked_neg).collect();
                prop_assert_eq!(Ok(refund.parts), negated);
                prop_assert_eq!(Ok(refund.remainder), shared.remainder.checked_neg());
            }
        }

        #[test]
        fn equal_weights_receive_alike_and_the_lower_index_the_odd_unit(
            money in any_money(), weights in prop::collection::vec(0_u64..4, 1..12),
        ) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = money.allocate(&weights).expect("somebody to share between");
            let size = |index: usize| parts[index].minor().unsigned_abs();
            for (first, weight) in weights.iter().enumerate() {
                for second in (first + 1..weights.len()).filter(|&second| weights[second] == *weight) {
                    prop_assert!(size(first) == size(second) || size(first) == size(second) + 1);
                }
            }
        }

        #[test]
        fn reading_what_we_wrote_gives_it_back(money in any_money()) {
            prop_assert_eq!(money.to_string().parse(), Ok(money));
            prop_assert_eq!(Money::exact(money.to_decimal(), money.currency()), Ok(money));
            let json = serde_json::to_string(&money).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<Money>(&json).expect("reads"), money);
            // The standard library's decimal text is the oracle of our own.
            prop_assert_eq!(money.amount_text(), money.to_decimal().to_string());
        }

        #[test]
        fn adding_and_taking_away_gives_the_amount_back(a in any::<i64>(), b in any::<i64>()) {
            let (a, b) = (Money::from_minor(a, Currency::CNY), Money::from_minor(b, Currency::CNY));
            match a.checked_add(b) {
                Ok(sum) => prop_assert_eq!(sum.checked_sub(b), Ok(a)),
                Err(error) => prop_assert_eq!(error.code(), "money-overflow"),
            }
        }

        #[test]
        fn rounding_a_rounded_amount_changes_nothing(money in any_money()) {
            for rounding in Rounding::ALL {
                let again = Money::rounded(money.to_decimal(), money.currency(), rounding);
                prop_assert_eq!(again, Ok(money));
            }
        }
    }
}
