//! [`Spread`]: what is charged on top of a rate, kept apart from it.

use crate::FxError;
use quanfu_money::{Decimal, MoneyError, Rounding};
use quanfu_trail::{Rational, TrailError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What the customer does with the base currency of a rate. A spread always makes it dearer for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustomerSide {
    /// The customer gives the base currency, and receives less for it: rate * (1 - spread).
    SellsBase,
    /// The customer receives the base currency, and pays more for it: rate * (1 + spread).
    BuysBase,
}

/// A charge on a rate (点差), in basis points (万分之一) with two decimals, from 0 to below 100 percent.
///
/// The rate stays as it was published. The text form is `30bps`, also in serde.
///
/// ```
/// use quanfu_fx::{CustomerSide, Spread};
///
/// let spread: Spread = "200bps".parse()?;
/// let customer = spread.charged("1.12415".parse()?, CustomerSide::SellsBase)?;
/// assert_eq!(customer.to_string(), "1.101667");
/// assert_eq!(spread.taken_off(customer, CustomerSide::SellsBase)?.to_string(), "1.12415");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spread {
    /// Hundredths of a basis point.
    ppm: u32,
}

/// Hundredths of a basis point in one.
const WHOLE: u32 = 1_000_000;

impl Spread {
    /// Nothing is charged.
    pub const NONE: Self = Self { ppm: 0 };

    /// Whole basis points: 30 are 0.3 percent.
    ///
    /// # Errors
    ///
    /// [`FxError::Spread`] for 10000 or more.
    pub fn bps(bps: u32) -> Result<Self, FxError> {
        bps.checked_mul(100)
            .and_then(Self::from_ppm)
            .ok_or_else(|| FxError::Spread {
                found: format!("{bps}bps"),
            })
    }

    /// Parts per million, of which a basis point has a hundred; `None` for a million or more.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Option<Self> {
        if ppm < WHOLE {
            Some(Self { ppm })
        } else {
            None
        }
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.ppm
    }

    /// Whether nothing is charged.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.ppm == 0
    }

    /// The basis points as a decimal without trailing zeros: `12.5`.
    pub(crate) fn bps_text(self) -> String {
        Decimal::new(self.ppm.into(), 2).normalize().to_string()
    }

    /// What a rate of the base currency becomes for the customer, exactly.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`] beyond 128 bits.
    pub fn charged(self, rate: Rational, side: CustomerSide) -> Result<Rational, TrailError> {
        rate.checked_mul(self.share(side)?)
    }

    /// The rate that a customer's rate came from: the proof that nothing else was charged.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`] beyond 128 bits.
    pub fn taken_off(self, customer: Rational, side: CustomerSide) -> Result<Rational, TrailError> {
        customer.checked_div(self.share(side)?)
    }

    fn share(self, side: CustomerSide) -> Result<Rational, TrailError> {
        Rational::new(i128::from(self.part(side)), i128::from(WHOLE))
    }

    /// Of a million, what of the base currency's price is left or becomes of it.
    const fn part(self, side: CustomerSide) -> u32 {
        match side {
            CustomerSide::SellsBase => WHOLE - self.ppm,
            CustomerSide::BuysBase => WHOLE + self.ppm,
        }
    }

    /// What a customer who gives an amount receives of what the rate alone would give.
    pub(crate) fn factor(self, side: CustomerSide) -> (u128, u128) {
        let (part, whole) = (u128::from(self.part(side)), u128::from(WHOLE));
        match side {
            CustomerSide::SellsBase => (part, whole),
            CustomerSide::BuysBase => (whole, part),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}bps", self.bps_text()))
    }
}

impl FromStr for Spread {
    type Err = FxError;

    /// Reads `30bps` or `12.5bps`, in the one spelling that [`Spread`] writes.
    fn from_str(s: &str) -> Result<Self, FxError> {
        let read = || {
            let number = s.strip_suffix("bps")?;
            let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(whole) || !digits(decimals) || decimals.len() > 2 || whole.len() > 4 {
                return None;
            }
            let hundredths = format!("{whole}{decimals:0<2}").parse().ok()?;
            Self::from_ppm(hundredths).filter(|spread| spread.to_string() == s)
        };
        read().ok_or_else(|| FxError::Spread { found: s.into() })
    }
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Spread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A rate with so many significant digits, as it is printed for people; never to compute with.
///
/// # Errors
///
/// [`MoneyError::NumberOverflow`] beyond 128 bits or the 28 digits of a decimal.
pub fn significant(rate: Rational, digits: u8, rounding: Rounding) -> Result<Decimal, MoneyError> {
    let overflow = || MoneyError::NumberOverflow {
        operation: "significant digits",
    };
    // The first scale at which the number, cut off, has enough digits; rounding may then add one.
    for scale in 0..=Decimal::MAX_SCALE {
        let unit = Rational::whole(10_i128.pow(scale));
        let at_scale = rate.checked_mul(unit).map_err(|_| overflow())?;
        let cut = at_scale.numerator() / at_scale.denominator();
        if cut.unsigned_abs() >= 10_u128.pow(u32::from(digits.clamp(1, 28)) - 1)
            || scale == Decimal::MAX_SCALE
        {
            let mantissa = rounding.divide(at_scale.numerator(), at_scale.denominator())?;
            return Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| overflow());
        }
    }
    Err(overflow())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rational(text: &str) -> Rational {
        text.parse().expect("a number")
    }

    /// Figures of the documentation of a payment institution's FX quotes: the fee multiplies the base rate, and the
    /// product is printed with six significant digits.
    #[test]
    fn published_customer_rates_come_out_and_lead_back_to_their_base_rate() {
        let fee = Spread::bps(200).expect("two percent");
        for (base, exact, printed) in [
            ("1.12415", "1.101667", "1.10167"),
            ("0.000629871", "0.00061727358", "0.000617274"),
        ] {
            let customer = fee
                .charged(rational(base), CustomerSide::SellsBase)
                .expect("small");
            assert_eq!(customer, rational(exact));
            let shown = significant(customer, 6, Rounding::HalfUp).expect("six digits");
            assert_eq!(shown.to_string(), printed);
            let back = fee.taken_off(customer, CustomerSide::SellsBase);
            assert_eq!(back, Ok(rational(base)));
        }
    }

    #[test]
    fn rates_are_printed_with_as_many_significant_digits_as_asked_for() {
        for (rate, digits, want) in [
            ("7.1526", 3, "7.15"),
            ("7.1526", 6, "7.15260"),
            ("193.31", 2, "193"), // whole digits are never cut off
            ("0.99999", 3, "1.000"),
            ("1/7.1526", 4, "0.1398"),
            ("1000", 1, "1000"),
        ] {
            let rate = match rate.split_once('/') {
                Some((one, other)) => rational(one).checked_div(rational(other)).expect("small"),
                None => rational(rate),
            };
            let shown = significant(rate, digits, Rounding::HalfUp).expect("a few digits");
            assert_eq!(shown.to_string(), want);
        }
        assert!(significant(Rational::whole(i128::MAX), 3, Rounding::Down).is_err());
    }

    #[test]
    fn a_spread_has_one_spelling() {
        for text in ["0bps", "30bps", "12.5bps", "0.25bps", "9999.99bps"] {
            let spread: Spread = text.parse().expect(text);
            assert_eq!(spread.to_string(), text);
            let json = serde_json::to_string(&spread).expect("serialises");
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(
                serde_json::from_str::<Spread>(&json).expect("reads"),
                spread
            );
        }
        for text in [
            "",
            "30",
            "bps",
            ".5bps",
            "5.bps",
            "12.50bps",
            "030bps",
            "1.005bps",
            "10000bps",
            "-1bps",
            "+1bps",
            "30 bps",
            "0.3%",
            "1e2bps",
            "３０bps",
        ] {
            let error = text.parse::<Spread>().expect_err(text);
            assert_eq!(error.code(), "rate-spread");
        }
        for bps in [10_000, u32::MAX] {
            assert!(Spread::bps(bps).is_err());
        }
        for json in ["30", "0.3", "null"] {
            assert!(serde_json::from_str::<Spread>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_customer_never_fares_better_and_the_rate_comes_back(
            num in 1..i128::from(i64::MAX), den in 1..1_000_000_000_i128, ppm in 0..WHOLE, more in 0..WHOLE,
        ) {
            let rate = Rational::new(num, den).expect("above zero");
            let [small, large] = [ppm.min(more), ppm.max(more)].map(|ppm| Spread::from_ppm(ppm).expect("below one"));
            let less = |a: Rational, b: Rational| b.checked_sub(a).expect("small").numerator() >= 0;
            for (side, mirrored) in [(CustomerSide::SellsBase, false), (CustomerSide::BuysBase, true)] {
                let [a, b] = [small, large].map(|spread| spread.charged(rate, side).expect("small"));
                prop_assert_eq!(large.taken_off(b, side), Ok(rate));
                let (worst, best) = if mirrored { (rate, b) } else { (b, rate) };
                prop_assert!(less(worst, a) && less(a, best));
                prop_assert_eq!(Spread::NONE.charged(rate, side), Ok(rate));
            }
        }

        #[test]
        fn reading_what_we_wrote_gives_it_back(ppm in 0..WHOLE) {
            let spread = Spread::from_ppm(ppm).expect("below one");
            prop_assert_eq!(spread.to_string().parse(), Ok(spread));
        }
    }
}
