//! [`Declarant`]: what is the same in all declarations of a house.

use quanfu_codes::{BopCode, CnapsCode, PersonName, Phone, whole};
use quanfu_money::Money;
use serde::Deserialize;

use super::party::Party;

/// Schema name of a declarant.
pub const SCHEMA: &str = "quanfu.declarant/1";

/// A credit grade that an authority gave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// The authority, such as `safe` or `customs`.
    pub authority: String,
    /// The grade as its table writes it, such as `A` or `高级认证`.
    pub grade: String,
}

/// A person whom an authority may ask.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    /// Name.
    #[serde(with = "whole")]
    pub name: PersonName,
    /// Telephone.
    #[serde(with = "whole", rename = "phone_number")]
    pub phone: Phone,
}

/// What is the same in all declarations of a house (`quanfu.declarant/1`, TOML).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declarant {
    /// Always `quanfu.declarant/1`.
    pub schema: String,
    /// Bank that reports, by its CNAPS code.
    pub reporting_bank: Option<CnapsCode>,
    /// The 12 digits of the institution in declaration numbers.
    pub institution: Option<String>,
    /// Clearing channel, in the user's words.
    #[serde(default)]
    pub channel: String,
    /// How it is settled, in the user's words.
    #[serde(default)]
    pub method: String,
    /// Purpose of originals of which the evidence tells none.
    pub code: Option<BopCode>,
    /// Remark that goes with it.
    #[serde(default)]
    pub remark: String,
    /// Whether the goods are under customs supervision.
    pub under_customs_supervision: Option<bool>,
    /// The resident subject.
    pub subject: Party,
    /// The side abroad of what is settled in one sum.
    pub counterparty: Party,
    /// Its bank.
    #[serde(default)]
    pub counterparty_bank: String,
    /// Who made it.
    pub reporter: Option<Reporter>,
    /// Credit grades.
    #[serde(default, rename = "grade")]
    pub grades: Vec<Grade>,
    /// For a grade that is checked against an electronic quota: what is left of it.
    pub quota: Option<Money>,
}

/// Why a text is no declarant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct DeclarantError {
    /// Line, where it is known.
    pub place: String,
    /// What is wrong. It quotes no value.
    pub why: String,
}

impl Declarant {
    /// Reads a declarant; unknown keys are errors.
    ///
    /// # Errors
    ///
    /// [`DeclarantError`]; it shows no text of the document, as that may be personal.
    pub fn parse(text: &str) -> Result<Self, DeclarantError> {
        let read: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or_default();
                before.matches('\n').count() + 1
            });
            let told = error.message().lines().next().unwrap_or_default();
            let of_keys = ["missing field", "unknown field", "duplicate"];
            let why = match of_keys.iter().any(|start| told.starts_with(start)) {
                true => told,
                false => "not of the form that is wanted here",
            };
            DeclarantError {
                place: format!("line {line}"),
                why: why.to_owned(),
            }
        })?;
        let wrong = |place: &str, why: String| {
            let place = place.to_owned();
            Err(DeclarantError { place, why })
        };
        if read.schema != SCHEMA {
            return wrong("schema", format!("{SCHEMA:?} would be right"));
        }
        let digits = |text: &String| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if read.institution.as_ref().is_some_and(|text| !digits(text)) {
            return wrong("institution", "12 digits would be right".to_owned());
        }
        Ok(read)
    }
}
