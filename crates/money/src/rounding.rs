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
    pub fn divide(self, num: i128, den: i128) -> Result<i128, MoneyError> {
        if den == 0 {
            return Err(MoneyError::DivideByZero);
        }
        let overflow = MoneyError::NumberOverflow {
            operation: "division",
        };
        let Some(quotient) = num.checked_div(den) else {
            return Err(overflow);
        };
        let rest = (num % den).unsigned_abs();
        if rest == 0 {
            return Ok(quotient);
        }
        let negative = (num < 0) != (den < 0);
        let half = rest.cmp(&(den.unsigned_abs() - rest));
        if !self.leaves_zero(negative, quotient % 2 != 0, half) {
            return Ok(quotient);
        }
        let step = if negative { -1 } else { 1 };
        quotient.checked_add(step).ok_or(overflow)
    }

    /// Whether a quotient that was cut towards zero, with something cut off, moves one away from zero.
    ///
    /// `half` compares what was cut off with one half.
    #[must_use]
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
