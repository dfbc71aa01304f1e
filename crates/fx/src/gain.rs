//! [`Settled`]: what came of a booked amount, split into effects of price, fee and exchange (汇兑损益).

use crate::FxError;
use quanfu_calendar::Certainty;
use quanfu_money::{Money, MoneyError, Rounding};
use quanfu_trail::{Rational, Step, Trail};

/// A claim that was booked in the currency of the books, and what was received for it.
///
/// `invoiced` and `paid` are in the currency of the invoice, `booked` and `received` in that of the books, `fee` in
/// either. For a debt that is paid all amounts are negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What was invoiced.
    pub invoiced: Money,
    /// What that was in the books on the day of the invoice.
    pub booked: Money,
    /// What was paid, before fees.
    pub paid: Money,
    /// What was kept back from it.
    pub fee: Money,
    /// What arrived in the books' currency.
    pub received: Money,
}

/// The difference between received and booked and what it is made of, in the currency of the books. Losses are below
/// zero; the three effects sum to the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the effects are the answer"]
pub struct Realised {
    /// Received less booked.
    pub total: Money,
    /// What was paid more or less than invoiced, at the booked rate.
    pub price: Money,
    /// The fee, at the booked rate.
    pub fee: Money,
    /// The rest: what the exchange rate did between booking and settlement.
    pub exchange: Money,
    /// The steps.
    pub trail: Trail,
}

impl Settled {
    /// Splits the difference. The booked rate is that of the amounts themselves, `booked / invoiced`, so the rounding of
    /// the booking is kept; price and fee are rounded as named, and the exchange effect is what is left of exact sums.
    ///
    /// ```
    /// use quanfu_fx::Settled;
    /// use quanfu_money::Rounding;
    ///
    /// let effects = Settled {
    ///     invoiced: "1000.00 USD".parse()?,
    ///     booked: "7152.60 CNY".parse()?,   // at 7.1526
    ///     paid: "990.00 USD".parse()?,
    ///     fee: "15.00 USD".parse()?,
    ///     received: "6929.52 CNY".parse()?, // 975.00 USD at 7.1072
    /// }
    /// .realised(Rounding::HalfUp)?;
    /// assert_eq!(effects.total.to_string(), "-223.08 CNY");
    /// let parts = [effects.price, effects.fee, effects.exchange].map(|part| part.to_string());
    /// assert_eq!(parts, ["-71.53 CNY", "-107.29 CNY", "-44.26 CNY"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FxError::Money`] if currencies do not fit together, nothing was invoiced, or an effect leaves the range of
    /// [`Money`]; [`FxError::Trail`] beyond 128 bits.
    pub fn realised(&self, rounding: Rounding) -> Result<Realised, FxError> {
        let (foreign, books) = (self.invoiced.currency(), self.booked.currency());
        let more = self.paid.checked_sub(self.invoiced)?;
        let total = self.received.checked_sub(self.booked)?;
        if self.invoiced.is_zero() {
            return Err(MoneyError::DivideByZero.into());
        }
        let at_booked = |amount: Money| {
            let product = i128::from(self.booked.minor()) * i128::from(amount.minor());
            let minor = rounding.divide(product, self.invoiced.minor().into())?;
            quanfu_money::MoneySum::from_minor(minor, books).to_money()
        };
        let price = at_booked(more)?;
        let fee_formula = if self.fee.currency() == foreign {
            "0 - booked * fee / invoiced"
        } else {
            "0 - fee"
        };
        let fee = if self.fee.currency() == foreign {
            at_booked(self.fee.checked_neg()?)?
        } else {
            Money::zero(books).checked_sub(self.fee)?
        };
        let exchange = total.checked_sub(price)?.checked_sub(fee)?;
        let trail = Trail(vec![
            self.step(
                "fx-price-effect",
                "booked * (paid - invoiced) / invoiced",
                &[],
                (price, rounding),
            )?,
            self.step("fx-fee-effect", fee_formula, &[], (fee, rounding))?,
            self.step(
                "fx-exchange-effect",
                "received - booked - price_effect - fee_effect",
                &[("price_effect", price), ("fee_effect", fee)],
                (exchange, rounding),
            )?,
        ]);
        Ok(Realised {
            total,
            price,
            fee,
            exchange,
            trail,
        })
    }

    fn step(
        &self,
        rule: &str,
        formula: &str,
        more: &[(&str, Money)],
        (figure, rounding): (Money, Rounding),
    ) -> Result<Step, FxError> {
        let own = [
            ("invoiced", self.invoiced),
            ("booked", self.booked),
            ("paid", self.paid),
            ("fee", self.fee),
            ("received", self.received),
        ];
        let is_used = |name: &str| formula.split([' ', '(', ')']).any(|word| word == name);
        let inputs: Vec<(String, String)> = own
            .iter()
            .chain(more)
            .filter(|(name, _)| is_used(name))
            .map(|(name, money)| ((*name).into(), money.to_string()))
            .collect();
        let exact: Rational = quanfu_trail::evaluate(formula, &inputs)?;
        Ok(Step {
            rule: rule.into(),
            source: "the amounts of the invoice, of its payment and of the books".into(),
            certainty: Certainty::Certain,
            inputs,
            formula: formula.into(),
            exact: format!("{exact} {}", figure.currency()),
            rounded: Some(figure.to_string()),
            rounding: Some(rounding.name().into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quanfu_money::Currency;

    fn settled(texts: [&str; 5]) -> Settled {
        let [invoiced, booked, paid, fee, received] =
            texts.map(|text| text.parse().expect("money"));
        Settled {
            invoiced,
            booked,
            paid,
            fee,
            received,
        }
    }

    #[test]
    fn effects_of_hand_made_settlements() {
        for (texts, want) in [
            // paid in full, no fee: the exchange alone
            (
                [
                    "1000.00 USD",
                    "7152.60 CNY",
                    "1000.00 USD",
                    "0.00 USD",
                    "7107.20 CNY",
                ],
                ["0.00", "0.00", "-45.40"],
            ),
            // a fee in yuan
            (
                [
                    "1000.00 USD",
                    "7152.60 CNY",
                    "1000.00 USD",
                    "50.00 CNY",
                    "7057.20 CNY",
                ],
                ["0.00", "-50.00", "-45.40"],
            ),
            // the rate stood still; a dollar more was paid and two kept
            (
                [
                    "100.00 USD",
                    "715.26 CNY",
                    "101.00 USD",
                    "2.00 USD",
                    "708.11 CNY",
                ],
                ["7.15", "-14.31", "0.01"],
            ),
            // a debt of ours: paying less yuan than booked is a gain
            (
                [
                    "-1000.00 USD",
                    "-7152.60 CNY",
                    "-1000.00 USD",
                    "0.00 USD",
                    "-7107.20 CNY",
                ],
                ["0.00", "0.00", "45.40"],
            ),
            (
                [
                    "10000 JPY",
                    "481.34 CNY",
                    "9000 JPY",
                    "100 JPY",
                    "430.00 CNY",
                ],
                ["-48.13", "-4.81", "1.60"],
            ),
        ] {
            let effects = settled(texts)
                .realised(Rounding::HalfUp)
                .expect("small amounts");
            let found =
                [effects.price, effects.fee, effects.exchange].map(|part| part.amount_text());
            assert_eq!(found, want, "{texts:?}");
            assert!(effects.trail.replay().is_ok());
        }
    }

    #[test]
    fn amounts_that_do_not_fit_together_are_refused() {
        for (texts, code) in [
            (
                ["0.00 USD", "0.00 CNY", "1.00 USD", "0.00 USD", "7.00 CNY"],
                "rate-money",
            ),
            (
                ["1.00 USD", "7.00 CNY", "1.00 EUR", "0.00 USD", "7.00 CNY"],
                "rate-money",
            ),
            (
                ["1.00 USD", "7.00 CNY", "1.00 USD", "0.00 EUR", "7.00 CNY"],
                "rate-money",
            ),
            (
                ["1.00 USD", "7.00 CNY", "1.00 USD", "0.00 USD", "7.00 USD"],
                "rate-money",
            ),
        ] {
            let found = settled(texts).realised(Rounding::HalfUp);
            assert_eq!(
                found.map_err(|error| error.code()).err(),
                Some(code),
                "{texts:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_effects_sum_to_the_whole_and_replay(
            minors in prop::array::uniform5(any::<i32>()), fee_in_books in any::<bool>(),
            rounding in prop::sample::select(Rounding::ALL.to_vec()),
        ) {
            let [invoiced, booked, paid, fee, received] = minors.map(i64::from);
            prop_assume!(invoiced != 0);
            let money = |minor, books| Money::from_minor(minor, if books { Currency::CNY } else { Currency::USD });
            let settled = Settled {
                invoiced: money(invoiced, false),
                booked: money(booked, true),
                paid: money(paid, false),
                fee: money(fee, fee_in_books),
                received: money(received, true),
            };
            if let Ok(effects) = settled.realised(rounding) {
                let sum = effects.price.checked_add(effects.fee).and_then(|sum| sum.checked_add(effects.exchange));
                prop_assert_eq!(sum, Ok(effects.total));
                prop_assert_eq!(effects.total.minor(), received - booked);
                prop_assert!(effects.trail.replay().is_ok());
            }
        }
    }
}
