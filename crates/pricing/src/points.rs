//! [`PricePoints`]: the amounts that a price may be.

use crate::PricingError;
use quanfu_money::{Currency, Money, MoneySum, Rounding};
use quanfu_trail::Rational;
use serde::Serialize;

/// The amounts that a price may be: an ending above every multiple of a step.
///
/// Steps of 1.00 with the ending 0.99 are the charm prices 0.99, 1.99, 2.99; steps of 0.50 with the ending 0.00
/// are 0.50, 1.00, 1.50. Zero is no price.
///
/// ```
/// use quanfu_money::Rounding;
/// use quanfu_pricing::PricePoints;
///
/// let points = PricePoints::new("1.00 USD".parse()?, "0.99 USD".parse()?, Rounding::Up)?;
/// assert_eq!(points.pick("27.8221".parse()?, points.rounding())?.to_string(), "27.99 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PricePoints {
    step: Money,
    ending: Money,
    rounding: Rounding,
}

impl PricePoints {
    /// Points at `ending` above every multiple of `step`, and how the exact amount goes to one of them.
    ///
    /// # Errors
    ///
    /// [`PricingError::Points`] unless the step is above zero and the ending from zero to below the step, in one
    /// currency.
    pub fn new(step: Money, ending: Money, rounding: Rounding) -> Result<Self, PricingError> {
        let one_currency = step.currency() == ending.currency();
        if !one_currency || step.minor() <= 0 || !(0..step.minor()).contains(&ending.minor()) {
            return Err(PricingError::Points { step, ending });
        }
        Ok(Self {
            step,
            ending,
            rounding,
        })
    }

    /// Every amount of the currency, rounded up.
    #[must_use]
    pub fn every_unit(currency: Currency) -> Self {
        Self {
            step: Money::from_minor(1, currency),
            ending: Money::zero(currency),
            rounding: Rounding::Up,
        }
    }

    /// What lies between one point and the next.
    #[must_use]
    pub const fn step(&self) -> Money {
        self.step
    }

    /// What each point is above a multiple of the step.
    #[must_use]
    pub const fn ending(&self) -> Money {
        self.ending
    }

    /// How an exact amount goes to a point.
    #[must_use]
    pub const fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// The point for an amount in major units that is above zero. What would round to nothing or below becomes the
    /// lowest point there is.
    ///
    /// # Errors
    ///
    /// [`PricingError::Trail`] or [`PricingError::Money`] if it leaves the range of [`Money`].
    pub fn pick(&self, amount: Rational, rounding: Rounding) -> Result<Money, PricingError> {
        let (_, count) = self.count(amount, rounding)?;
        let minor = i128::from(self.step.minor())
            .checked_mul(count)
            .and_then(|steps| steps.checked_add(i128::from(self.ending.minor())))
            .ok_or(quanfu_trail::TrailError::Overflow)?;
        Ok(MoneySum::from_minor(minor, self.step.currency()).to_money()?)
    }

    /// How many steps the amount is, exactly and as picked.
    pub(crate) fn count(
        &self,
        amount: Rational,
        rounding: Rounding,
    ) -> Result<(Rational, i128), PricingError> {
        let exact = amount
            .checked_sub(major(self.ending)?)?
            .checked_div(major(self.step)?)?;
        let count = rounding.divide(exact.numerator(), exact.denominator())?;
        let lowest = i128::from(self.ending.is_zero());
        Ok((exact, count.max(lowest)))
    }
}

/// An amount in major units, as an exact number.
pub(crate) fn major(money: Money) -> Result<Rational, PricingError> {
    let units = 10_i128.pow(u32::from(money.currency().minor_digits()));
    Ok(Rational::new(i128::from(money.minor()), units)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_go_to_the_point_that_the_rounding_names() {
        use Rounding::{Down, HalfUp, Up};
        for (step, ending, rounding, amount, want) in [
            ("1.00 USD", "0.99 USD", Up, "27.8221", "27.99"),
            ("1.00 USD", "0.99 USD", Up, "27.99", "27.99"),
            ("1.00 USD", "0.99 USD", Up, "27.991", "28.99"),
            ("1.00 USD", "0.99 USD", Down, "27.8221", "26.99"),
            ("1.00 USD", "0.95 USD", HalfUp, "27.40", "26.95"),
            ("1.00 USD", "0.95 USD", HalfUp, "27.45", "27.95"),
            ("0.50 EUR", "0.49 EUR", Up, "3.60", "3.99"), // .49 and .99
            ("0.50 EUR", "0.00 EUR", Up, "3.60", "4.00"),
            ("0.01 EUR", "0.00 EUR", Up, "1/3", "0.34"),
            ("100 JPY", "80 JPY", Up, "4134.2", "4180"),
            ("100 JPY", "0 JPY", Up, "4134.2", "4200"),
            ("0.005 KWD", "0.000 KWD", Up, "1.0001", "1.005"),
            // What would be nothing, or less, is the lowest point.
            ("1.00 USD", "0.99 USD", Up, "0.30", "0.99"),
            ("1.00 USD", "0.99 USD", Down, "0.30", "0.99"),
            ("1.00 USD", "0.00 USD", Down, "0.30", "1.00"),
            ("1.00 USD", "0.00 USD", HalfUp, "0.30", "1.00"),
        ] {
            let [step, ending] = [step, ending].map(|text| text.parse::<Money>().expect(text));
            let points = PricePoints::new(step, ending, rounding).expect("points");
            let amount: Rational = amount.parse().expect(amount);
            let found = points.pick(amount, points.rounding()).expect("in range");
            assert_eq!(
                found.amount_text(),
                want,
                "{amount} {step} {ending} {rounding}"
            );
        }
    }

    #[test]
    fn points_that_no_price_can_stand_on_are_refused() {
        for (step, ending) in [
            ("0.00 USD", "0.00 USD"),
            ("-1.00 USD", "0.00 USD"),
            ("1.00 USD", "1.00 USD"),
            ("1.00 USD", "-0.01 USD"),
            ("1.00 USD", "0.99 EUR"),
        ] {
            let [step, ending] = [step, ending].map(|text| text.parse::<Money>().expect(text));
            let error = PricePoints::new(step, ending, Rounding::Up).expect_err("no points");
            assert_eq!(error.code(), "price-points");
        }
    }
}
