//! [`Rational`]: an exact fraction.

use crate::TrailError;
use std::fmt;
use std::str::FromStr;

/// An exact fraction in lowest terms, with a positive denominator.
///
/// Every operation is exact or an error; nothing rounds. The text form is a decimal where the fraction has a
/// finite one of at most 28 decimals (`1.25`), else `numerator/denominator` (`1/3`).
///
/// ```
/// use quanfu_trail::Rational;
/// let third: Rational = "1/3".parse()?;
/// let half: Rational = "0.5".parse()?;
/// assert_eq!(third.checked_add(half)?.to_string(), "5/6");
/// assert_eq!(third.checked_div(half)?.checked_mul(half)?.to_string(), "1/3");
/// # Ok::<(), quanfu_trail::TrailError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rational {
    num: i128,
    den: i128,
}

impl Rational {
    /// The fraction `num / den` in lowest terms.
    ///
    /// # Errors
    ///
    /// [`TrailError::DivideByZero`]; [`TrailError::Overflow`] at the ends of the range of an `i128`.
    pub fn new(num: i128, den: i128) -> Result<Self, TrailError> {
        if den == 0 {
            return Err(TrailError::DivideByZero);
        }
        let divisor = i128::try_from(gcd(num.unsigned_abs(), den.unsigned_abs()));
        let divisor = divisor.map_err(|_| TrailError::Overflow)?;
        let sign = den.signum();
        let reduce = |part: i128| {
            (part / divisor)
                .checked_mul(sign)
                .ok_or(TrailError::Overflow)
        };
        Ok(Self {
            num: reduce(num)?,
            den: reduce(den)?,
        })
    }

    /// A whole number.
    #[must_use]
    pub const fn whole(number: i128) -> Self {
        Self {
            num: number,
            den: 1,
        }
    }

    /// The numerator in lowest terms; it carries the sign.
    #[must_use]
    pub const fn numerator(self) -> i128 {
        self.num
    }

    /// The denominator in lowest terms, above zero.
    #[must_use]
    pub const fn denominator(self) -> i128 {
        self.den
    }

    /// The exact sum.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, TrailError> {
        // Over the least common denominator, so that sums of like fractions stay small.
        let shared = gcd_of_denominators(self, other);
        let left = self.num.checked_mul(other.den / shared);
        let right = other.num.checked_mul(self.den / shared);
        let num = left
            .zip(right)
            .and_then(|(left, right)| left.checked_add(right));
        let den = (self.den / shared).checked_mul(other.den);
        let (num, den) = num.zip(den).ok_or(TrailError::Overflow)?;
        Self::new(num, den)
    }

    /// The exact difference.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, TrailError> {
        self.checked_add(other.checked_neg()?)
    }

    /// The opposite.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`] for the one number that has none, `i128::MIN`.
    pub fn checked_neg(self) -> Result<Self, TrailError> {
        let num = self.num.checked_neg().ok_or(TrailError::Overflow)?;
        Ok(Self { num, den: self.den })
    }

    /// The exact product.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`].
    pub fn checked_mul(self, other: Self) -> Result<Self, TrailError> {
        // Reduced across first, so that the products are already in lowest terms.
        let left = Self::new(self.num, other.den)?;
        let right = Self::new(other.num, self.den)?;
        let num = left.num.checked_mul(right.num);
        let den = left.den.checked_mul(right.den);
        let (num, den) = num.zip(den).ok_or(TrailError::Overflow)?;
        Ok(Self { num, den })
    }

    /// Which of two numbers is greater.
    ///
    /// # Errors
    ///
    /// [`TrailError::Overflow`] if their difference leaves the range.
    pub fn checked_cmp(self, other: Self) -> Result<std::cmp::Ordering, TrailError> {
        Ok(self.checked_sub(other)?.num.cmp(&0))
    }

    /// The exact quotient.
    ///
    /// # Errors
    ///
    /// [`TrailError::DivideByZero`], [`TrailError::Overflow`].
    pub fn checked_div(self, other: Self) -> Result<Self, TrailError> {
        self.checked_mul(Self::new(other.den, other.num)?)
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_decimal() {
            Some((digits, 0)) => write!(f, "{digits}"),
            Some((digits, scale)) => {
                let sign = if digits < 0 { "-" } else { "" };
                let text = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
                let (whole, decimals) = text.split_at(text.len() - scale);
                write!(f, "{sign}{whole}.{decimals}")
            }
            None => write!(f, "{}/{}", self.num, self.den),
        }
    }
}

impl Rational {
    /// The fraction as digits and a scale, if it has a finite decimal form of at most 28 decimals.
    fn as_decimal(self) -> Option<(i128, usize)> {
        let (mut digits, mut den, mut scale) = (self.num, self.den, 0);
        while den != 1 {
            let factor = match (den % 10, den % 2, den % 5) {
                (0, _, _) => 1,
                (_, 0, _) => 5,
                (_, _, 0) => 2,
                _ => return None,
            };
            den /= 10 / factor;
            digits = digits.checked_mul(factor)?;
            scale += 1;
            if scale > 28 {
                return None;
            }
        }
        Some((digits, scale))
    }
}

impl FromStr for Rational {
    type Err = TrailError;

    /// Reads `12`, `-1.25` or `1/3`.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let malformed = || TrailError::Number { found: s.into() };
        if let Some((num, den)) = s.split_once('/') {
            let (num, den): (Self, Self) = (num.parse()?, den.parse()?);
            return if num.den == 1 && den.den == 1 {
                num.checked_div(den)
            } else {
                Err(malformed())
            };
        }
        let (negative, unsigned) = match s.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, s),
        };
        let (whole, decimals) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(malformed()),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
            return Err(malformed());
        }
        let digits: i128 = format!("{whole}{decimals}")
            .parse()
            .map_err(|_| TrailError::Overflow)?;
        let scale = u32::try_from(decimals.len()).map_err(|_| TrailError::Overflow)?;
        let den = 10_i128.checked_pow(scale).ok_or(TrailError::Overflow)?;
        Self::new(if negative { -digits } else { digits }, den)
    }
}

fn gcd_of_denominators(left: Rational, right: Rational) -> i128 {
    let shared = gcd(left.den.unsigned_abs(), right.den.unsigned_abs());
    i128::try_from(shared).expect("a divisor of an i128 above zero is one too")
}

/// The greatest common divisor; that of zero and zero is one here, so that it can always divide.
fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Rational {
        text.parse().expect(text)
    }

    #[test]
    fn numbers_are_written_as_decimals_where_these_are_exact() {
        for (text, want) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.50", "0.5"),
            ("-1.250", "-1.25"),
            ("1/8", "0.125"),
            ("1/3", "1/3"),
            ("-2/6", "-1/3"),
            ("2/-6", "-1/3"),
            ("10/4", "2.5"),
            ("0.005", "0.005"),
            ("100", "100"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
        ] {
            assert_eq!(number(text).to_string(), want, "{text}");
            assert_eq!(number(want), number(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "", "-", ".5", "5.", "1e5", "+1", "1,5", " 1", "1 ", "1/2/3", "0.5/2", "--1", "１",
        ] {
            let error = text.parse::<Rational>().expect_err(text);
            assert_eq!(error.code(), "trail-number", "{text}");
        }
        assert_eq!("1/0".parse::<Rational>(), Err(TrailError::DivideByZero));
        let long = "9".repeat(50);
        assert_eq!(long.parse::<Rational>(), Err(TrailError::Overflow));
        assert_eq!(
            format!("0.{}", "0".repeat(50)).parse::<Rational>(),
            Err(TrailError::Overflow)
        );
    }

    #[test]
    fn arithmetic_is_exact_or_an_error() {
        let (third, half) = (number("1/3"), number("0.5"));
        assert_eq!(third.checked_add(half), Ok(number("5/6")));
        assert_eq!(third.checked_sub(half), Ok(number("-1/6")));
        assert_eq!(third.checked_mul(half), Ok(number("1/6")));
        assert_eq!(third.checked_div(half), Ok(number("2/3")));
        assert_eq!(
            third.checked_div(number("0")),
            Err(TrailError::DivideByZero)
        );
        let most = Rational::whole(i128::MAX);
        assert_eq!(
            most.checked_add(Rational::whole(1)),
            Err(TrailError::Overflow)
        );
        assert_eq!(
            most.checked_mul(Rational::whole(2)),
            Err(TrailError::Overflow)
        );
        assert_eq!(most.checked_mul(half), Rational::new(i128::MAX, 2));
        assert_eq!(most.checked_div(most), Ok(Rational::whole(1)));
        let least = Rational::whole(i128::MIN);
        assert_eq!(least.checked_neg(), Err(TrailError::Overflow));
        assert_eq!(
            Rational::new(i128::MIN, i128::MIN),
            Err(TrailError::Overflow)
        );
        assert_eq!(Rational::new(1, i128::MIN), Err(TrailError::Overflow));
    }
}
