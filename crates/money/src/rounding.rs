//! [`Rounding`]: the seven ways to round, by name.

use crate::MoneyError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// How an exact number becomes a whole one. There is no default: whoever rounds says how.
///
/// | from | 2.5 | 1.5 | 1.1 | -1.1 | -1.5 | -2.5 |
/// |---|---|---|---|---|---|---|
/// | `HalfUp` | 3 | 2 | 1 | -1 | -2 | -3 |
/// | `HalfEven` | 2 | 2 | 1 | -1 | -2 | -2 |
/// | `HalfDown` | 2 | 1 | 1 | -1 | -1 | -2 |
/// | `Up` | 3 | 2 | 2 | -2 | -2 | -3 |
/// | `Down` | 2 | 1 | 1 | -1 | -1 | -2 |
/// | `Ceiling` | 3 | 2 | 2 | -1 | -1 | -2 |
/// | `Floor` | 2 | 1 | 1 | -2 | -2 | -3 |
///
/// The text form is in snake case: `half_up`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rounding {
    /// To the nearest, ties away from zero (四舍五入).
    HalfUp,
    /// To the nearest, ties to the even neighbour.
    HalfEven,
    /// To the nearest, ties towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero: cuts the rest off.
    Down,
    /// Towards plus infinity.
    Ceiling,
    /// Towards minus infinity.
    Floor,
}

impl Rounding {
    /// All ways to round.
    pub const ALL: [Self; 7] = [
        Self::HalfUp,
        Self::HalfEven,
        Self::HalfDown,
        Self::Up,
        Self::Down,
        Self::Ceiling,
        Self::Floor,
    ];

    /// The exact quotient `num / den`, rounded once.
    ///
    /// # Errors
    ///
    /// [`MoneyError::DivideByZero`]; [`MoneyError::NumberOverflow`] for `i128::MIN / -1`.
    ///
    /// ```
    /// # use quanfu_money::Rounding;
    /// assert_eq!(Rounding::HalfUp.divide(-5, 2)?, -3);
    /// assert_eq!(Rounding::HalfEven.divide(5, 2)?, 2);
    /// # Ok::<(), quanfu_money::MoneyError>(())
    /// ```
    #[inline]
    pub fn divide(self, num: i128, den: i128) -> Result<i128, MoneyError> {
        if den == 0 {
            return Err(MoneyError::DivideByZero);
        }
        let (size, by) = (num.unsigned_abs(), den.unsigned_abs());
        // Dividing 64 bits is several times faster than 128, and most amounts need no more.
        let (mut quotient, rest) = match (u64::try_from(size), u64::try_from(by)) {
            (Ok(size), Ok(by)) => (u128::from(size / by), u128::from(size % by)),
            _ => (size / by, size % by),
        };
        let negative = (num < 0) != (den < 0);
        if rest != 0 && self.leaves_zero(negative, quotient % 2 != 0, rest.cmp(&(by - rest))) {
            quotient += 1; // there is a rest, so the quotient is at most half of what a u128 holds
        }
        let signed = if negative {
            0_i128.checked_sub_unsigned(quotient)
        } else {
            i128::try_from(quotient).ok()
        };
        signed.ok_or(MoneyError::NumberOverflow {
            operation: "division",
        })
    }

    /// Whether a quotient that was cut towards zero, with something cut off, moves one away from zero.
    ///
    /// `half` compares what was cut off with one half.
    #[must_use]
    #[inline]
    pub fn leaves_zero(self, negative: bool, odd: bool, half: Ordering) -> bool {
        match self {
            Self::HalfUp => half != Ordering::Less,
            Self::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && odd),
            Self::HalfDown => half == Ordering::Greater,
            Self::Up => true,
            Self::Down => false,
            Self::Ceiling => !negative,
            Self::Floor => negative,
        }
    }

    /// The text form, such as `half_up`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HalfUp => "half_up",
            Self::HalfEven => "half_even",
            Self::HalfDown => "half_down",
            Self::Up => "up",
            Self::Down => "down",
            Self::Ceiling => "ceiling",
            Self::Floor => "floor",
        }
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Rounding {
    type Err = MoneyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|rounding| rounding.name() == s)
            .ok_or_else(|| MoneyError::UnknownRounding {
                found: crate::lexer::shown(s.as_bytes()),
            })
    }
}

impl Serialize for Rounding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Rounding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize_text(deserializer, "a rounding such as half_up")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_round_as_the_table_in_the_docs_says() {
        let tenths = [25, 15, 11, -11, -15, -25];
        for (rounding, want) in [
            (Rounding::HalfUp, [3, 2, 1, -1, -2, -3]),
            (Rounding::HalfEven, [2, 2, 1, -1, -2, -2]),
            (Rounding::HalfDown, [2, 1, 1, -1, -1, -2]),
            (Rounding::Up, [3, 2, 2, -2, -2, -3]),
            (Rounding::Down, [2, 1, 1, -1, -1, -2]),
            (Rounding::Ceiling, [3, 2, 2, -1, -1, -2]),
            (Rounding::Floor, [2, 1, 1, -2, -2, -3]),
        ] {
            let found = tenths.map(|tenth| rounding.divide(tenth, 10));
            assert_eq!(found, want.map(Ok), "{rounding}");
            let opposite = tenths.map(|tenth| rounding.divide(-tenth, -10));
            assert_eq!(opposite, want.map(Ok), "{rounding} with both signs turned");
        }
    }

    #[test]
    fn every_rounding_is_written_and_read_by_its_name() {
        for rounding in Rounding::ALL {
            assert_eq!(rounding.to_string().parse(), Ok(rounding));
            let json = serde_json::to_string(&rounding).expect("serialises");
            assert_eq!(json, format!("\"{rounding}\""));
            assert_eq!(
                serde_json::from_str::<Rounding>(&json).expect("reads"),
                rounding
            );
        }
        for text in ["", "HalfUp", "half-up", "HALF_UP", "half_up ", "nearest"] {
            let error = text.parse::<Rounding>().expect_err(text);
            assert_eq!(error.code(), "rounding-unknown");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_errors_or_exact() {
        assert_eq!(Rounding::HalfUp.divide(1, 0), Err(MoneyError::DivideByZero));
        assert_eq!(Rounding::HalfUp.divide(0, 0), Err(MoneyError::DivideByZero));
        for rounding in Rounding::ALL {
            let error = rounding.divide(i128::MIN, -1).expect_err("2^127");
            assert_eq!(error.code(), "number-overflow");
            assert_eq!(rounding.divide(i128::MIN, 1), Ok(i128::MIN));
            assert_eq!(rounding.divide(i128::MIN, i128::MIN), Ok(1));
            assert_eq!(rounding.divide(i128::MAX, i128::MAX), Ok(1));
            assert!(rounding.divide(i128::MAX, i128::MIN).is_ok());
            assert!(rounding.divide(i128::MIN, i128::MAX).is_ok());
        }
        // Just under one half, just above one half, at the full width.
        assert_eq!(Rounding::HalfUp.divide(i128::MAX / 2, i128::MAX), Ok(0));
        assert_eq!(Rounding::HalfUp.divide(i128::MAX / 2 + 1, i128::MAX), Ok(1));
        assert_eq!(Rounding::HalfUp.divide(i128::MIN / 2, i128::MIN), Ok(1));
        assert_eq!(Rounding::HalfDown.divide(i128::MIN / 2, i128::MIN), Ok(0));
    }

    /// The nearest whole numbers, found by trying them: the one whose distance fits the name.
    fn oracle(rounding: Rounding, num: i128, den: i128) -> i128 {
        let (num, den) = if den < 0 { (-num, -den) } else { (num, den) };
        let floor = num.div_euclid(den);
        let ceiling = if num.rem_euclid(den) == 0 {
            floor
        } else {
            floor + 1
        };
        let (near_zero, far) = if num < 0 {
            (ceiling, floor)
        } else {
            (floor, ceiling)
        };
        let to_floor = num - floor * den;
        let to_ceiling = ceiling * den - num;
        let tie = |choice| match to_floor.cmp(&to_ceiling) {
            Ordering::Less => floor,
            Ordering::Greater => ceiling,
            Ordering::Equal => choice,
        };
        match rounding {
            Rounding::HalfUp => tie(far),
            Rounding::HalfDown => tie(near_zero),
            Rounding::HalfEven => tie(if floor % 2 == 0 { floor } else { ceiling }),
            Rounding::Up => far,
            Rounding::Down => near_zero,
            Rounding::Ceiling => ceiling,
            Rounding::Floor => floor,
        }
    }

    fn roundings() -> impl Strategy<Value = Rounding> {
        prop::sample::select(Rounding::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn quotients_round_as_the_oracle_rounds_them(
            rounding in roundings(),
            num in prop_oneof![-40_i128..40, any::<i64>().prop_map(i128::from)],
            den in prop_oneof![-12_i128..12, any::<i64>().prop_map(i128::from)],
        ) {
            prop_assume!(den != 0);
            prop_assert_eq!(rounding.divide(num, den), Ok(oracle(rounding, num, den)));
        }

        #[test]
        fn any_two_numbers_divide_without_panic(
            rounding in roundings(), num in any::<i128>(), den in any::<i128>(),
        ) {
            let _ = rounding.divide(num, den);
        }

        #[test]
        fn all_but_ceiling_and_floor_mirror_negative_numbers(
            rounding in roundings(), num in any::<i64>(), den in 1_i128..1_000,
        ) {
            let num = i128::from(num);
            let mirror = match rounding {
                Rounding::Ceiling => Rounding::Floor,
                Rounding::Floor => Rounding::Ceiling,
                same => same,
            };
            let negated = mirror.divide(-num, den).map(|quotient| -quotient);
            prop_assert_eq!(rounding.divide(num, den), negated);
        }
    }
}
