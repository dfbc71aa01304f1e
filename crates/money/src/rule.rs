//! [`RoundingRule`]: a rounding with the step it rounds to.

use crate::lexer::{self, AmountStyle};
use crate::money::in_minor_units;
use crate::{Amount, Decimal, Money, MoneyError, Rounding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A rounding and its step: the minor unit, the smallest coin (0.05 CHF, 0.1 CNY), or the distance of price points.
///
/// In serde `{"rounding":"half_up","increment":"0.05"}`; without `increment` the step is the minor unit.
///
/// ```
/// # use quanfu_money::{Amount, Rounding, RoundingRule};
/// let coins = RoundingRule::to_step(Rounding::HalfUp, "0.05".parse()?);
/// let price: Amount = "19.975 CHF".parse()?;
/// assert_eq!(price.round(coins)?.to_string(), "20.00 CHF");
/// assert_eq!(price.round(Rounding::HalfUp)?.to_string(), "19.98 CHF");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoundingRule {
    /// How to round.
    pub rounding: Rounding,
    /// The step, in whole units of the currency; `None`: the minor unit of the amount's currency.
    pub increment: Option<Decimal>,
}

impl RoundingRule {
    /// To multiples of a step, in whole units of the currency.
    #[must_use]
    pub const fn to_step(rounding: Rounding, increment: Decimal) -> Self {
        Self {
            rounding,
            increment: Some(increment),
        }
    }

    /// The amount as a multiple of the step, rounded once.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Step`] if the step is not a multiple of the currency's minor unit above zero;
    /// [`MoneyError::Overflow`] beyond an `i64` of minor units.
    pub fn round(self, amount: Amount) -> Result<Money, MoneyError> {
        let (value, currency) = (amount.value(), amount.currency());
        let Some(step) = self.increment else {
            return Money::rounded(value, currency, self.rounding);
        };
        let units = match Money::exact(step, currency) {
            Ok(units) if units.minor() > 0 => i128::from(units.minor()),
            _ => return Err(MoneyError::Step { step, currency }),
        };
        let overflow = || MoneyError::Overflow {
            operation: "rounding to a step",
            currency,
        };
        let (num, den) = in_minor_units(value, currency)?;
        let den = den.checked_mul(units).ok_or_else(overflow)?;
        let steps = self.rounding.divide(num, den)?;
        let minor = steps.checked_mul(units).ok_or_else(overflow)?;
        Money::from_wide(minor, currency, "rounding to a step")
    }
}

impl From<Rounding> for RoundingRule {
    fn from(rounding: Rounding) -> Self {
        Self {
            rounding,
            increment: None,
        }
    }
}

impl fmt::Display for RoundingRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.increment {
            None => write!(f, "{}", self.rounding),
            Some(step) => write!(f, "{} to {step}", self.rounding),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    rounding: Rounding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    increment: Option<String>,
}

impl Serialize for RoundingRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RuleText {
            rounding: self.rounding,
            increment: self.increment.map(|step| step.to_string()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RoundingRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = RuleText::deserialize(deserializer)?;
        let step = |text: String| lexer::parse_decimal(text.as_bytes(), AmountStyle::PLAIN);
        Ok(Self {
            rounding: read.rounding,
            increment: read
                .increment
                .map(step)
                .transpose()
                .map_err(serde::de::Error::custom)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use proptest::prelude::*;

    fn rule(rounding: Rounding, step: &str) -> RoundingRule {
        RoundingRule::to_step(rounding, step.parse().expect("a decimal"))
    }

    #[test]
    fn amounts_round_to_coins_and_price_points() {
        for (amount, rounding, step, want) in [
            ("19.97 CHF", Rounding::HalfUp, "0.05", Ok("19.95 CHF")),
            ("19.975 CHF", Rounding::HalfUp, "0.05", Ok("20.00 CHF")),
            ("19.975 CHF", Rounding::HalfDown, "0.05", Ok("19.95 CHF")),
            ("-19.975 CHF", Rounding::HalfUp, "0.05", Ok("-20.00 CHF")),
            ("1.25 CNY", Rounding::HalfEven, "0.1", Ok("1.20 CNY")), // to the jiao
            ("1.21 CNY", Rounding::Up, "0.5", Ok("1.50 CNY")),
            ("1.50 CNY", Rounding::Up, "0.50", Ok("1.50 CNY")),
            ("1234 JPY", Rounding::Floor, "100", Ok("1200 JPY")),
            ("0.0001 CNY", Rounding::Ceiling, "1", Ok("1.00 CNY")),
            ("1 CNY", Rounding::Up, "0", Err("rounding-step")),
            ("1 CNY", Rounding::Up, "-1", Err("rounding-step")),
            ("1 CNY", Rounding::Up, "0.005", Err("rounding-step")),
            ("1 JPY", Rounding::Up, "0.5", Err("rounding-step")),
            (
                "92233720368547758.07 CNY",
                Rounding::Up,
                "1",
                Err("money-overflow"),
            ),
            (
                "0.0000000000000000000000000001 CNY",
                Rounding::Up,
                "92233720368547758.07",
                Err("money-overflow"),
            ),
        ] {
            let parsed: Amount = amount.parse().expect("an amount");
            let found = parsed.round(rule(rounding, step));
            let found = found
                .map(|money| money.to_string())
                .map_err(|error| error.code());
            assert_eq!(found, want.map(String::from), "{amount} {rounding} {step}");
        }
    }

    #[test]
    fn a_rule_is_written_as_text_and_never_with_a_number() {
        let coins = rule(Rounding::HalfUp, "0.05");
        let json = serde_json::to_string(&coins).expect("serialises");
        assert_eq!(json, r#"{"rounding":"half_up","increment":"0.05"}"#);
        assert_eq!(
            serde_json::from_str::<RoundingRule>(&json).expect("reads"),
            coins
        );
        let plain: RoundingRule =
            serde_json::from_str(r#"{"rounding":"half_up"}"#).expect("to the minor unit");
        assert_eq!(plain, Rounding::HalfUp.into());
        assert_eq!(
            [coins.to_string(), plain.to_string()],
            ["half_up to 0.05", "half_up"]
        );
        for json in [
            r#"{"rounding":"half_up","increment":0.05}"#,
            r#"{"increment":"0.05"}"#,
            r#"{"rounding":"half_up","increment":"5e-2"}"#,
            r#"{"rounding":"half_up","step":"0.05"}"#,
        ] {
            assert!(
                serde_json::from_str::<RoundingRule>(json).is_err(),
                "{json}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rounding_is_near_settled_monotone_and_mirrored(
            mantissa in any::<i64>(), other in any::<i64>(), scale in 0_u32..8, step in 1_i64..10_000,
            rounding in prop::sample::select(Rounding::ALL.to_vec()),
        ) {
            let rule = RoundingRule::to_step(rounding, Decimal::new(step, 2));
            let of = |mantissa: i64| Amount::exact(Decimal::new(mantissa, scale), Currency::CNY);
            let Ok(found) = of(mantissa).round(rule) else { return Ok(()) };
            prop_assert_eq!(found.minor() % step, 0);
            prop_assert_eq!(Amount::from(found).round(rule), Ok(found));
            // |x - round(x)| in units of 10^-(scale + 2): at most half a step, or less than one
            let unit = 10_i128.pow(scale);
            let off = (i128::from(mantissa) * 100 - i128::from(found.minor()) * unit).abs();
            let whole = i128::from(step) * unit;
            match rounding {
                Rounding::HalfUp | Rounding::HalfEven | Rounding::HalfDown => prop_assert!(2 * off <= whole),
                Rounding::Up | Rounding::Down | Rounding::Ceiling | Rounding::Floor => prop_assert!(off < whole),
            }
            if let Ok(second) = of(other).round(rule) {
                prop_assert!((mantissa <= other) == (found.minor() <= second.minor()) || found == second);
            }
            let mirror = match rounding {
                Rounding::Ceiling => Rounding::Floor,
                Rounding::Floor => Rounding::Ceiling,
                same => same,
            };
            if let Some(negated) = mantissa.checked_neg() {
                let mirrored = of(negated).round(RoundingRule { rounding: mirror, ..rule });
                prop_assert_eq!(mirrored, found.checked_neg());
            }
        }
    }
}
