//! [`Quote`]: a price of one currency in another.

use crate::FxError;
use crate::fraction::Factors;
use quanfu_money::{Currency, Decimal, Money, MoneyError, Rounding, RoundingRule};
use std::fmt;

/// A price: `unit` of the base currency cost `value` of the quote currency.
///
/// The unit belongs to the price, because 4.8134 yuan are for 100 yen; so does the direction, because the
/// ringgit is quoted for one yuan and the dollar in yuan. The digits stay as they were published.
///
/// ```
/// use quanfu_fx::Quote;
/// use quanfu_money::{Currency, Money, Rounding};
///
/// let yen = Quote::new(Currency::JPY, 100, Currency::CNY, "4.8134".parse()?)?;
/// assert_eq!(yen.to_string(), "100 JPY = 4.8134 CNY");
/// let price = Money::from_minor(1_234, Currency::JPY);
/// assert_eq!(yen.convert(price, Rounding::HalfUp)?.to_string(), "59.40 CNY");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quote {
    base: Currency,
    /// The unit is one with that many zeros.
    zeros: u32,
    quote: Currency,
    value: Decimal,
}

impl Quote {
    /// A price for 1, 10, 100, 1000 or 10000 of the base currency.
    ///
    /// # Errors
    ///
    /// [`FxError::NotPositive`], [`FxError::Unit`], [`FxError::SameCurrency`].
    pub fn new(
        base: Currency,
        unit: u32,
        quote: Currency,
        value: Decimal,
    ) -> Result<Self, FxError> {
        if base == quote {
            return Err(FxError::SameCurrency { currency: base });
        }
        if !matches!(unit, 1 | 10 | 100 | 1_000 | 10_000) {
            return Err(FxError::Unit { base, quote, unit });
        }
        if value <= Decimal::ZERO {
            return Err(FxError::NotPositive { base, quote, value });
        }
        Ok(Self {
            base,
            zeros: unit.ilog10(),
            quote,
            value,
        })
    }

    /// The currency that is priced.
    #[must_use]
    pub const fn base(&self) -> Currency {
        self.base
    }

    /// How many of the base currency the price is for.
    #[must_use]
    pub const fn unit(&self) -> u32 {
        10_u32.pow(self.zeros)
    }

    /// The currency of the price.
    #[must_use]
    pub const fn quote(&self) -> Currency {
        self.quote
    }

    /// The price, with the digits that were published.
    #[must_use]
    pub const fn value(&self) -> Decimal {
        self.value
    }

    /// The side that a currency is not on.
    ///
    /// # Errors
    ///
    /// [`FxError::NotInPair`] for a currency of neither side.
    pub fn other(&self, currency: Currency) -> Result<Currency, FxError> {
        match currency {
            currency if currency == self.base => Ok(self.quote),
            currency if currency == self.quote => Ok(self.base),
            currency => Err(FxError::NotInPair {
                currency,
                base: self.base,
                quote: self.quote,
            }),
        }
    }

    /// An amount of one side in the other side's currency, rounded once as named; for any amount and any rate the
    /// exact fraction is held.
    ///
    /// # Errors
    ///
    /// [`FxError::NotInPair`] for an amount of neither side; [`FxError::Money`] if the result leaves the range of
    /// [`Money`].
    #[inline]
    pub fn convert(&self, money: Money, rounding: Rounding) -> Result<Money, FxError> {
        let currency = self.other(money.currency())?;
        let (num, den) = self.factor(money.currency() == self.base);
        // The common case, which needs no more than 64 bits, many times faster.
        if let (Ok(num), Ok(den)) = (i64::try_from(num), i64::try_from(den))
            && let Some(num) = money.minor().checked_mul(num)
        {
            let minor = rounding.divide(num.into(), den.into())?;
            return Ok(quanfu_money::MoneySum::from_minor(minor, currency).to_money()?);
        }
        rounded(
            &Factors::ONE.times((num, den)),
            money.minor(),
            currency,
            rounding.into(),
        )
    }

    /// What minor units of one side are multiplied with to be minor units of the other: numerator and denominator.
    #[inline]
    pub(crate) fn factor(&self, from_base: bool) -> (u128, u128) {
        // minor(quote) / 10^eq = minor(base) / 10^eb * mantissa / 10^scale / unit, and the unit is a power of
        // ten: so mantissa over one power of ten is the whole price in minor units, and its inverse the other.
        let up = u32::from(self.quote.minor_digits());
        let down = u32::from(self.base.minor_digits()) + self.value.scale() + self.zeros;
        // 96 bits times 10^4 at most, and 10^36 at most
        let price = self.value.mantissa().unsigned_abs() * ten_to(up.saturating_sub(down));
        let whole = ten_to(down.saturating_sub(up));
        if from_base {
            (price, whole)
        } else {
            (whole, price)
        }
    }
}

/// Powers of ten from a table, for up to 28 decimals, 4 of a minor unit and 4 of a unit.
fn ten_to(power: u32) -> u128 {
    const POWERS: [u128; 37] = {
        let mut powers = [1; 37];
        let mut at = 1;
        while at < powers.len() {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    POWERS[power as usize]
}

/// Minor units times factors, as money: a multiple of the rule's step.
pub(crate) fn rounded(
    factors: &Factors,
    minor: i64,
    currency: Currency,
    rule: RoundingRule,
) -> Result<Money, FxError> {
    let figure = match rule.increment {
        None => factors.round(minor, rule.rounding),
        Some(step) => {
            let size = match Money::exact(step, currency) {
                Ok(size) if size.minor() > 0 => size.minor(),
                _ => return Err(MoneyError::Step { step, currency }.into()),
            };
            let steps = factors
                .times((1, u128::from(size.unsigned_abs())))
                .round(minor, rule.rounding);
            steps.and_then(|steps| steps.checked_mul(size))
        }
    };
    match figure {
        Some(minor) => Ok(Money::from_minor(minor, currency)),
        None => Err(FxError::Money(MoneyError::Overflow {
            operation: "conversion",
            currency,
        })),
    }
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit();
        write!(f, "{unit} {} = {} {}", self.base, self.value, self.quote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quanfu_money::lexer::{self, AmountStyle};

    fn decimal(text: &str) -> Decimal {
        lexer::parse_decimal(text.as_bytes(), AmountStyle::PLAIN).expect("a decimal")
    }

    fn quote(base: &str, unit: u32, quote: &str, value: &str) -> Quote {
        let [base, quote] =
            [base, quote].map(|code| Currency::from_code(code).expect("a currency"));
        Quote::new(base, unit, quote, decimal(value)).expect("a quote")
    }

    fn money(text: &str) -> Money {
        text.parse().expect("money")
    }

    /// Central parities of 2025-07-16 as Xinhua printed them; expected amounts computed apart, with fractions.
    #[test]
    fn amounts_convert_exactly_in_both_directions() {
        for (base, unit, price, value, from, want) in [
            ("USD", 1, "CNY", "7.1526", "100.00 USD", "715.26 CNY"),
            ("USD", 1, "CNY", "7.1526", "0.01 USD", "0.07 CNY"),
            ("USD", 1, "CNY", "7.1526", "715.26 CNY", "100.00 USD"),
            ("USD", 1, "CNY", "7.1526", "1000000.00 CNY", "139809.30 USD"),
            // With the inverse at four decimals, 0.1398, this would be 139800.00.
            ("JPY", 100, "CNY", "4.8134", "100 JPY", "4.81 CNY"),
            ("JPY", 100, "CNY", "4.8134", "1234567 JPY", "59424.65 CNY"),
            ("JPY", 100, "CNY", "4.8134", "59424.65 CNY", "1234567 JPY"),
            ("HKD", 1, "CNY", "0.91121", "1000.00 HKD", "911.21 CNY"),
            (
                "CNY",
                1,
                "MYR",
                "0.59275",
                "1000000.00 MYR",
                "1687051.88 CNY",
            ),
            (
                "CNY",
                1,
                "MYR",
                "0.59275",
                "1687051.88 CNY",
                "1000000.00 MYR",
            ),
            ("CNY", 1, "KRW", "193.31", "10.00 CNY", "1933 KRW"),
            ("CNY", 1, "KRW", "193.31", "1933 KRW", "10.00 CNY"),
            ("KWD", 1, "CNY", "23.4567", "1.001 KWD", "23.48 CNY"),
            ("USD", 1, "CNY", "7.1526", "-100.00 USD", "-715.26 CNY"),
            ("USD", 1, "CNY", "7.1526", "0.00 USD", "0.00 CNY"),
        ] {
            let found = quote(base, unit, price, value).convert(money(from), Rounding::HalfUp);
            assert_eq!(
                found.map(|money| money.to_string()),
                Ok(want.into()),
                "{from} at {value}"
            );
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let (yuan, dollar) = (Currency::CNY, Currency::USD);
        for (base, unit, price, value, want) in [
            (dollar, 1, yuan, "0", "rate-not-positive"),
            (dollar, 1, yuan, "0.0000", "rate-not-positive"),
            (dollar, 1, yuan, "-7.1526", "rate-not-positive"),
            (dollar, 0, yuan, "7.1526", "rate-unit"),
            (dollar, 7, yuan, "7.1526", "rate-unit"),
            (dollar, 100_000, yuan, "7.1526", "rate-unit"),
            (yuan, 1, yuan, "1", "rate-same-currency"),
        ] {
            let error = Quote::new(base, unit, price, decimal(value)).expect_err(want);
            assert_eq!(error.code(), want);
            assert!(FxError::CODES.contains(&error.code()));
        }
    }

    #[test]
    fn what_cannot_be_converted_is_an_error_with_its_reason() {
        let dollar = quote("USD", 1, "CNY", "7.1526");
        for (quote, amount, code, message) in [
            (
                dollar,
                "1.00 EUR",
                "rate-not-in-pair",
                "EUR is neither side of USD/CNY",
            ),
            (
                dollar,
                "92233720368547758.07 USD",
                "rate-money",
                "the converted amount cannot be held",
            ),
        ] {
            let error = quote
                .convert(money(amount), Rounding::HalfUp)
                .expect_err(code);
            assert_eq!((error.code(), error.to_string().as_str()), (code, message));
        }
    }

    /// By brute force at 7.1526: a dollar amount comes back as it was, a yuan amount at most 4 fen off, since
    /// one cent is worth 7 fen: the bound is the whole part of rate / 2 + 1 / 2.
    #[test]
    fn there_and_back_is_exact_from_the_dearer_side_and_bounded_from_the_other() {
        let parity = quote("USD", 1, "CNY", "7.1526");
        let there_and_back = |money| {
            let there = parity.convert(money, Rounding::HalfUp)?;
            parity.convert(there, Rounding::HalfUp)
        };
        let mut worst = 0;
        for minor in 1..200_000 {
            let dollars = Money::from_minor(minor, Currency::USD);
            assert_eq!(there_and_back(dollars), Ok(dollars));
            let yuan =
                there_and_back(Money::from_minor(minor, Currency::CNY)).expect("a small amount");
            worst = worst.max((yuan.minor() - minor).abs());
        }
        assert_eq!(worst, 4);
    }

    /// Numbers as decimal digits, least first: slow, obvious and as long as needed.
    fn digits(mut number: u128) -> Vec<u8> {
        let mut digits = Vec::new();
        while number > 0 {
            digits.push((number % 10) as u8);
            number /= 10;
        }
        digits
    }

    fn product(left: &[u8], right: &[u8]) -> Vec<u8> {
        let mut sums = vec![0_u32; left.len() + right.len() + 1];
        for (i, &a) in left.iter().enumerate() {
            for (j, &b) in right.iter().enumerate() {
                sums[i + j] += u32::from(a) * u32::from(b);
            }
        }
        let mut carry = 0;
        let mut digits: Vec<u8> = sums
            .into_iter()
            .map(|sum| {
                carry += sum;
                let digit = (carry % 10) as u8;
                carry /= 10;
                digit
            })
            .collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        digits
    }

    fn less(left: &[u8], right: &[u8]) -> bool {
        (left.len(), left.iter().rev().collect::<Vec<_>>())
            < (right.len(), right.iter().rev().collect::<Vec<_>>())
    }

    /// Whether `found` is `num / den` rounded half up, all above zero: (2 found - 1) den <= 2 num < (2 found + 1) den.
    fn is_half_up(found: u128, num: &[u8], den: &[u8]) -> bool {
        let twice = product(num, &digits(2));
        let low = digits((2 * found).saturating_sub(1));
        let high = digits(2 * found + 1);
        !less(&twice, &product(&low, den)) && less(&twice, &product(&high, den))
    }

    fn quotes() -> impl Strategy<Value = Quote> {
        let currency = || {
            let all = [
                Currency::JPY,
                Currency::CNY,
                Currency::USD,
                Currency::KWD,
                Currency::CLF,
            ];
            prop::sample::select(all.to_vec())
        };
        let unit = prop::sample::select(vec![1, 10, 100, 1_000, 10_000]);
        let value = (1_i64..1_000_000_000_000_000, 0_u32..=15);
        (currency(), unit, currency(), value).prop_filter_map(
            "a pair",
            |(base, unit, quote, (mantissa, scale))| {
                Quote::new(base, unit, quote, Decimal::new(mantissa, scale)).ok()
            },
        )
    }

    proptest! {
        #[test]
        fn conversions_agree_with_the_oracle_of_long_multiplication(
            quote in quotes(), minor in 1_i64..1_000_000_000_000_000, forward in any::<bool>(),
        ) {
            let from = if forward { quote.base() } else { quote.quote() };
            let to = if forward { quote.quote() } else { quote.base() };
            let ten_to = |power: u32| digits(10_u128.pow(power));
            let minor = u128::try_from(minor).expect("above zero");
            let mantissa = digits(quote.value().mantissa().unsigned_abs());
            let unit = product(&digits(u128::from(quote.unit())), &ten_to(quote.value().scale()));
            let [num, den] = if forward { [&mantissa, &unit] } else { [&unit, &mantissa] };
            let num = product(&product(&digits(minor), num), &ten_to(u32::from(to.minor_digits())));
            let den = product(den, &ten_to(u32::from(from.minor_digits())));
            let money = Money::from_minor(i64::try_from(minor).expect("it was one"), from);
            match quote.convert(money, Rounding::HalfUp) {
                Ok(found) => {
                    prop_assert_eq!(found.currency(), to);
                    let found = u128::try_from(found.minor()).expect("above zero");
                    prop_assert!(is_half_up(found, &num, &den), "{} -> {} minor units", money, found);
                }
                // More than an i64 holds: then the exact figure is at least 10^18.
                Err(FxError::Money(_)) => prop_assert!(!less(&num, &product(&den, &ten_to(18)))),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn a_price_for_a_hundred_is_the_price_for_one_with_two_decimals_more(
            mantissa in 1_i64..1_000_000_000, minor in any::<i32>(), forward in any::<bool>(),
        ) {
            let hundred = Quote::new(Currency::JPY, 100, Currency::CNY, Decimal::new(mantissa, 4)).expect("a quote");
            let one = Quote::new(Currency::JPY, 1, Currency::CNY, Decimal::new(mantissa, 6)).expect("a quote");
            let currency = if forward { Currency::JPY } else { Currency::CNY };
            let money = Money::from_minor(minor.into(), currency);
            for rounding in Rounding::ALL {
                prop_assert_eq!(hundred.convert(money, rounding), one.convert(money, rounding));
            }
        }

        #[test]
        fn refunds_mirror_sales_and_more_never_becomes_less(
            quote in quotes(), a in any::<i32>(), b in any::<i32>(), forward in any::<bool>(),
        ) {
            let currency = if forward { quote.base() } else { quote.quote() };
            let converted = |minor: i32| quote.convert(Money::from_minor(minor.into(), currency), Rounding::HalfUp);
            if let (Ok(small), Ok(large)) = (converted(a.min(b)), converted(a.max(b))) {
                prop_assert!(small.minor() <= large.minor());
            }
            if let (Ok(sale), Ok(refund)) = (converted(a), converted(a.saturating_neg())) {
                prop_assume!(a != i32::MIN);
                prop_assert_eq!(Ok(refund), sale.checked_neg());
            }
        }

        #[test]
        fn any_rate_and_amount_convert_or_are_refused(
            mantissa in 1_i128..(1 << 96), scale in 0_u32..=28, minor in any::<i64>(), forward in any::<bool>(),
        ) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            let quote = Quote::new(Currency::USD, 1, Currency::CNY, value).expect("a quote");
            let currency = if forward { Currency::USD } else { Currency::CNY };
            for rounding in Rounding::ALL {
                let _ = quote.convert(Money::from_minor(minor, currency), rounding);
            }
        }
    }
}
