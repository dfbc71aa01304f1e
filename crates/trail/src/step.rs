//! [`Step`] and [`Trail`]: how a figure was computed, as values.

use crate::formula::number_of;
use crate::{Rational, TrailError, evaluate};
use quanfu_calendar::Certainty;
use serde::{Deserialize, Serialize};

/// One step of a computed figure. Text for people is rendered from it, never the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The stable name of the rule, such as `fx-conversion`.
    pub rule: String,
    /// Where the rule or its figures are written.
    pub source: String,
    /// How sure the source is.
    pub certainty: Certainty,
    /// The names that the formula uses and their values: a number, perhaps a space and a unit.
    pub inputs: Vec<(String, String)>,
    /// The arithmetic over the inputs, see [`evaluate`].
    pub formula: String,
    /// The exact figure: a decimal or `numerator/denominator`.
    pub exact: String,
    /// The figure after rounding, if it was rounded: a number, perhaps a space and a unit.
    pub rounded: Option<String>,
    /// The name of the rounding, such as `half_up`, if the figure was rounded.
    pub rounding: Option<String>,
}

impl Step {
    /// Computes the step again from its inputs and gives the exact figure.
    ///
    /// # Errors
    ///
    /// [`TrailError::WrongExact`] if the formula gives another figure than the step says;
    /// [`TrailError::WrongRounded`] if the rounded figure is a whole unit of its last decimal away, or more;
    /// and the errors of [`evaluate`].
    pub fn replay(&self) -> Result<Rational, TrailError> {
        let found = evaluate(&self.formula, &self.inputs)?;
        if found != number_of(&self.exact).parse()? {
            return Err(TrailError::WrongExact {
                rule: self.rule.clone(),
                found: found.to_string(),
                claimed: self.exact.clone(),
            });
        }
        if let Some(rounded) = &self.rounded {
            let figure = number_of(rounded);
            let decimals = figure
                .split_once('.')
                .map_or(0, |(_, decimals)| decimals.len());
            let units = u32::try_from(decimals)
                .ok()
                .and_then(|n| 10_i128.checked_pow(n));
            let units = Rational::whole(units.ok_or(TrailError::Overflow)?);
            let exact = found.checked_mul(units)?;
            let below = exact.numerator().div_euclid(exact.denominator());
            let above = below + i128::from(exact.denominator() != 1);
            let claimed = figure.parse::<Rational>()?.checked_mul(units)?.numerator();
            if claimed != below && claimed != above {
                return Err(TrailError::WrongRounded {
                    rule: self.rule.clone(),
                    exact: self.exact.clone(),
                    rounded: rounded.clone(),
                });
            }
        }
        Ok(found)
    }
}

/// The steps of a figure, in the order in which they were taken; the last one gives the figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trail(pub Vec<Step>);

impl Trail {
    /// Computes every step again; gives the exact figure of the last, or `None` for a trail without steps.
    ///
    /// # Errors
    ///
    /// Those of [`Step::replay`], of the first step that has one.
    pub fn replay(&self) -> Result<Option<Rational>, TrailError> {
        let mut last = None;
        for step in &self.0 {
            last = Some(step.replay()?);
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Step {
        Step {
            rule: "half".into(),
            source: "a test".into(),
            certainty: Certainty::Illustrative,
            inputs: vec![("amount".into(), "10.01 CNY".into())],
            formula: "amount / 2".into(),
            exact: "5.005 CNY".into(),
            rounded: Some("5.01 CNY".into()),
            rounding: Some("half_up".into()),
        }
    }

    #[test]
    fn a_step_gives_its_figure_again_or_says_what_is_wrong() {
        type Change = fn(&mut Step);
        let cases: [(&str, Change, Result<&str, &str>); 10] = [
            ("as it was", |_| {}, Ok("5.005")),
            (
                "rounded the other way",
                |step| step.rounded = Some("5.00 CNY".into()),
                Ok("5.005"),
            ),
            ("not rounded", |step| step.rounded = None, Ok("5.005")),
            (
                "exact as a fraction",
                |step| step.exact = "1001/200".into(),
                Ok("5.005"),
            ),
            (
                "another exact figure",
                |step| step.exact = "5.006".into(),
                Err("trail-wrong-exact"),
            ),
            (
                "another input",
                |step| step.inputs[0].1 = "10.02 CNY".into(),
                Err("trail-wrong-exact"),
            ),
            (
                "another formula",
                |step| step.formula = "amount * 2".into(),
                Err("trail-wrong-exact"),
            ),
            (
                "a missing input",
                |step| step.inputs.clear(),
                Err("trail-unknown-input"),
            ),
            (
                "rounded too far up",
                |step| step.rounded = Some("5.02 CNY".into()),
                Err("trail-wrong-rounded"),
            ),
            (
                "rounded too far down",
                |step| step.rounded = Some("4.99 CNY".into()),
                Err("trail-wrong-rounded"),
            ),
        ];
        for (name, change, want) in cases {
            let mut step = step();
            change(&mut step);
            let found = step
                .replay()
                .map(|figure| figure.to_string())
                .map_err(|error| {
                    assert!(TrailError::CODES.contains(&error.code()));
                    error.code()
                });
            assert_eq!(found, want.map(String::from), "{name}");
        }
    }

    #[test]
    fn a_trail_replays_to_its_last_figure_or_to_the_first_wrong_step() {
        let mut wrong = step();
        wrong.exact = "6".into();
        assert_eq!(Trail::default().replay(), Ok(None));
        let last = Trail(vec![step(), step()])
            .replay()
            .map(|last| last.map(|figure| figure.to_string()));
        assert_eq!(last, Ok(Some("5.005".into())));
        let error = Trail(vec![step(), wrong])
            .replay()
            .expect_err("the second step is wrong");
        assert_eq!(
            error.to_string(),
            "rule half: the formula gives 5.005, the step says 6"
        );
    }
}
