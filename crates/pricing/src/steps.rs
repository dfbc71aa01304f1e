//! Writing steps as figures are computed, or leaving them out where nobody asked.

use quanfu_calendar::Certainty;
use quanfu_fx::FxRate;
use quanfu_money::{Currency, Money, Rounding};
use quanfu_trail::{Rational, Step, Trail, TrailError};

/// Steps so far; none are made where none are wanted.
pub(crate) struct Notes(Option<Vec<Step>>);

/// Where a step's rule is written, and how sure that is.
pub(crate) struct Origin {
    pub(crate) source: String,
    pub(crate) certainty: Certainty,
}

impl Origin {
    pub(crate) fn rules(name: &str) -> Self {
        Self {
            source: format!("rules {name}"),
            certainty: Certainty::Certain,
        }
    }

    pub(crate) fn rate(rate: &FxRate) -> Self {
        Self {
            source: format!(
                "{}, {}, {}",
                rate.source(),
                rate.kind().name(),
                rate.as_of()
            ),
            certainty: rate.certainty(),
        }
    }

    /// A step of this origin, not rounded.
    pub(crate) fn step<const N: usize>(
        &self,
        rule: &str,
        inputs: [(&str, String); N],
        formula: impl Into<String>,
        exact: String,
    ) -> Step {
        Step {
            rule: rule.into(),
            source: self.source.clone(),
            certainty: self.certainty,
            inputs: inputs.map(|(name, text)| (name.into(), text)).into(),
            formula: formula.into(),
            exact,
            rounded: None,
            rounding: None,
        }
    }
}

/// The step with what its figure was rounded to.
pub(crate) fn rounded(step: Step, to: impl ToString, rounding: Rounding) -> Step {
    Step {
        rounded: Some(to.to_string()),
        rounding: Some(rounding.name().into()),
        ..step
    }
}

/// An exact number and its currency.
pub(crate) fn of(exact: Rational, currency: Currency) -> String {
    format!("{exact} {currency}")
}

/// The inputs of a formula that exchanges an amount.
pub(crate) fn exchanged<'a>(
    name: &'a str,
    amount: String,
    rate: &FxRate,
) -> [(&'a str, String); 3] {
    [
        (name, amount),
        ("rate", format!("{} {}", rate.value(), rate.quote())),
        ("unit", format!("{} {}", rate.unit(), rate.base())),
    ]
}

/// The formula that exchanges the amount of this name and currency.
pub(crate) fn exchange(name: &str, from: Currency, rate: &FxRate) -> String {
    if from == rate.base() {
        format!("{name} * rate / unit")
    } else {
        format!("{name} * unit / rate")
    }
}

/// A sum of amounts with its step; the names may carry a minus.
pub(crate) fn sum_step(
    origin: &Origin,
    rule: &str,
    parts: &[(String, Money)],
    formula: String,
    total: Money,
) -> Step {
    let mut step = origin.step(rule, [], formula, total.to_string());
    step.inputs = parts
        .iter()
        .map(|(name, money)| (name.clone(), money.to_string()))
        .collect();
    step
}

impl Notes {
    pub(crate) fn wanted() -> Self {
        Self(Some(Vec::new()))
    }

    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn add(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }

    /// The trail, which replays: steps that need more digits than their figures are an error.
    pub(crate) fn trail(self) -> Result<Trail, TrailError> {
        replayed(self.0.unwrap_or_default())
    }
}

/// Steps as a trail that replays.
pub(crate) fn replayed(steps: Vec<Step>) -> Result<Trail, TrailError> {
    let trail = Trail(steps);
    trail.replay()?;
    Ok(trail)
}
