//! [`Policy`]: a short-term export credit insurance, the premium it costs, and what may be lent against it (保单质押).

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::{Certainty, Date};
use quanfu_money::{Currency, Decimal, Money, MoneySum, Rounding};
use quanfu_settlement::{Digest, DigestAlg};
use quanfu_trail::{Rational, Step, Trail};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::error::{Day, DocumentError, line_of, money, not_negative};

/// The schema of a policy.
pub const SCHEMA: &str = "quanfu.policy/1";

/// How a buyer pays; the later, the riskier for who ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum PaymentTerms {
    /// Letter of credit (信用证).
    #[serde(rename = "L/C")]
    LetterOfCredit,
    /// Documents against payment (付款交单).
    #[serde(rename = "D/P")]
    AgainstPayment,
    /// Documents against acceptance (承兑交单).
    #[serde(rename = "D/A")]
    AgainstAcceptance,
    /// Open account (赊销).
    #[serde(rename = "O/A")]
    OpenAccount,
}

impl PaymentTerms {
    /// The text form, such as `O/A`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LetterOfCredit => "L/C",
            Self::AgainstPayment => "D/P",
            Self::AgainstAcceptance => "D/A",
            Self::OpenAccount => "O/A",
        }
    }
}

/// A policy with its limits and what was shipped under it; all amounts in one currency.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its number.
    pub id: String,
    /// The insurer.
    pub insurer: String,
    /// Who is insured.
    pub holder: String,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The share of a loss that is covered.
    pub cover: Decimal,
    /// The most that is paid in all.
    pub max_liability: MaxLiability,
    /// What was paid already.
    pub indemnified: Money,
    /// Whether a shipment that was not declared takes up its buyer's limit.
    pub undeclared_consumes_limit: bool,
    /// Premium rates.
    pub rates: Vec<PremiumRate>,
    /// Buyers' limits, each version for itself.
    pub limits: Vec<Limit>,
    /// What was shipped, by day and number.
    pub shipments: Vec<Shipment>,
    /// The terms of who lends against it; none: nobody does.
    pub financing: Option<Financing>,
    /// SHA-256 of the document.
    pub digest: Digest,
}

/// The most that a policy pays in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxLiability {
    /// An amount.
    Absolute(Money),
    /// So many times the premium.
    PremiumMultiple(Decimal),
}

/// A premium rate for terms of payment and credit days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PremiumRate {
    /// The terms of payment.
    pub terms: PaymentTerms,
    /// Up to so many days of credit.
    pub max_days: u32,
    /// The rate as a fraction of what is shipped.
    pub rate: Decimal,
    /// Where it is written.
    pub source: String,
    /// How sure that is.
    pub certainty: Certainty,
}

/// A version of a buyer's limit (信用限额).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The buyer.
    pub buyer: String,
    /// First day of shipments it is for.
    pub from: Date,
    /// Last such day.
    pub until: Date,
    /// The amount, revolving.
    pub amount: Money,
    /// The riskiest terms that are approved.
    pub terms: PaymentTerms,
    /// Days of credit that are approved.
    pub max_days: u32,
    /// The covered share, where the approval has its own.
    pub cover: Option<Decimal>,
}

/// A shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Its number.
    pub id: String,
    /// The buyer.
    pub buyer: String,
    /// The day it was shipped.
    pub shipped_on: Date,
    /// The day it was declared to the insurer; none: it was not.
    pub declared_on: Option<Date>,
    /// What the buyer owes for it.
    pub amount: Money,
    /// What the buyer paid of it.
    pub paid: Money,
    /// The terms of payment.
    pub terms: PaymentTerms,
    /// Days of credit.
    pub days: u32,
}

/// The terms of who lends against a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Financing {
    /// The bank.
    pub bank: String,
    /// At most this share of an invoice; none: the cover alone counts.
    pub advance: Option<Decimal>,
    /// Longest credit that is lent against; none: any.
    pub max_days: Option<u32>,
    /// How money from claims goes to the bank: the agreement's number; none: it does not.
    pub claim_assignment: Option<String>,
}

/// Why nothing is lent against a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LimitMismatch {
    /// The shipment was not declared.
    NotDeclared,
    /// The buyer has no limit.
    NoLimit,
    /// The shipment is before the limit's first day or after its last.
    LimitNotInForce,
    /// The limit is zero.
    LimitZero,
    /// The terms of payment are riskier than approved, or the credit is longer.
    TermsRiskier,
    /// The credit is longer than the bank lends against.
    CreditTooLong,
    /// The limit is taken up.
    LimitUsedUp,
}

impl LimitMismatch {
    /// Every mismatch.
    pub const ALL: &'static [Self] = &[
        Self::NotDeclared,
        Self::NoLimit,
        Self::LimitNotInForce,
        Self::LimitZero,
        Self::TermsRiskier,
        Self::CreditTooLong,
        Self::LimitUsedUp,
    ];

    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotDeclared => "NOT_DECLARED",
            Self::NoLimit => "NO_LIMIT",
            Self::LimitNotInForce => "LIMIT_NOT_IN_FORCE",
            Self::LimitZero => "LIMIT_ZERO",
            Self::TermsRiskier => "TERMS_RISKIER",
            Self::CreditTooLong => "CREDIT_TOO_LONG",
            Self::LimitUsedUp => "LIMIT_USED_UP",
        }
    }
}

/// What may be lent against a policy on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct BorrowingBase {
    /// The policy.
    pub policy: String,
    /// The day.
    pub day: Date,
    /// The amount, cut down to the minor unit.
    pub amount: Money,
    /// The agreement by which money from claims goes to the bank; none: it does not.
    pub claim_assignment: Option<String>,
    /// Shipments against which nothing, or not all, is lent, and why.
    pub left_out: Vec<(String, LimitMismatch)>,
    /// How the amount came about.
    pub trail: Trail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: Spanned<String>,
    id: Spanned<String>,
    insurer: String,
    holder: String,
    from: Day,
    until: Day,
    currency: Currency,
    cover: String,
    max_liability: Spanned<MaxText>,
    indemnified: Option<String>,
    undeclared_consumes_limit: bool,
    #[serde(default)]
    rate: Vec<Spanned<RateText>>,
    #[serde(default)]
    limit: Vec<Spanned<LimitText>>,
    #[serde(default)]
    shipment: Vec<Spanned<ShipmentText>>,
    financing: Option<FinancingText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaxText {
    absolute: Option<String>,
    premium_multiple: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateText {
    terms: PaymentTerms,
    max_days: u32,
    rate: String,
    source: String,
    certainty: Certainty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitText {
    buyer: String,
    from: Day,
    until: Day,
    amount: String,
    terms: PaymentTerms,
    max_days: u32,
    cover: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShipmentText {
    id: String,
    buyer: String,
    shipped_on: Day,
    declared_on: Option<Day>,
    amount: String,
    paid: Option<String>,
    terms: PaymentTerms,
    days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinancingText {
    bank: String,
    advance: Option<String>,
    max_days: Option<u32>,
    claim_assignment: Option<String>,
}

impl Policy {
    /// Parses a policy and checks what can be checked.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] with the line and what would be right.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let document: Document =
            toml::from_str(text).map_err(|error| DocumentError::from_toml(&error, text))?;
        let at_id = document.id.span().start;
        let wrong = |offset: usize, place: &str, message: String| DocumentError::Meaning {
            line: line_of(text, offset),
            place: place.to_owned(),
            message,
        };
        if document.schema.get_ref() != SCHEMA {
            let found = document.schema.get_ref();
            let message = format!("found {found:?}; {SCHEMA:?} would be right");
            return Err(wrong(document.schema.span().start, "schema", message));
        }
        let currency = document.currency;
        let amount = |text: &str| {
            let amount = money(&format!("{text} {currency}"))?;
            Ok::<Money, String>(amount)
        };
        let share = |text: &str| {
            let share = not_negative(text)?;
            if share > Decimal::ONE {
                return Err(format!("{text} is more than the whole"));
            }
            Ok(share)
        };
        let max = document.max_liability;
        let max_at = max.span().start;
        let max_liability = match (
            max.get_ref().absolute.as_deref(),
            max.get_ref().premium_multiple.as_deref(),
        ) {
            (Some(text), None) => amount(text).map(MaxLiability::Absolute),
            (None, Some(text)) => not_negative(text).map(MaxLiability::PremiumMultiple),
            _ => Err("`absolute` or `premium_multiple` would be right".into()),
        };
        let max_liability =
            max_liability.map_err(|message| wrong(max_at, "max_liability", message))?;
        if document.until.0 < document.from.0 {
            return Err(wrong(at_id, "until", "it ends before it begins".into()));
        }
        let mut rates = Vec::new();
        for row in document.rate {
            let (at, row) = (row.span().start, row.into_inner());
            let rate = share(&row.rate).map_err(|message| wrong(at, "rate", message))?;
            rates.push(PremiumRate {
                terms: row.terms,
                max_days: row.max_days,
                rate,
                source: row.source,
                certainty: row.certainty,
            });
        }
        rates.sort_by_key(|rate| (rate.terms, rate.max_days));
        let mut limits: Vec<Limit> = Vec::new();
        for row in document.limit {
            let (at, row) = (row.span().start, row.into_inner());
            let refuse = |message: String| wrong(at, "limit", message);
            let cover = row.cover.as_deref().map(share).transpose();
            let limit = Limit {
                amount: amount(&row.amount).map_err(refuse)?,
                cover: cover.map_err(refuse)?,
                buyer: row.buyer,
                from: row.from.0,
                until: row.until.0,
                terms: row.terms,
                max_days: row.max_days,
            };
            let meets = |other: &&Limit| {
                other.buyer == limit.buyer && other.from <= limit.until && limit.from <= other.until
            };
            if limit.until < limit.from {
                return Err(refuse("it ends before it begins".into()));
            }
            if let Some(other) = limits.iter().find(meets) {
                let message = format!(
                    "buyer {} has another limit from {}; versions that do not overlap would be right",
                    limit.buyer, other.from
                );
                return Err(refuse(message));
            }
            limits.push(limit);
        }
        let mut shipments: Vec<Shipment> = Vec::new();
        let mut ids = BTreeSet::new();
        for row in document.shipment {
            let (at, row) = (row.span().start, row.into_inner());
            let refuse = |message: String| wrong(at, "shipment", message);
            if !ids.insert(row.id.clone()) {
                return Err(refuse(format!("id {:?} stands twice", row.id)));
            }
            let shipment = Shipment {
                amount: amount(&row.amount).map_err(refuse)?,
                paid: amount(row.paid.as_deref().unwrap_or("0")).map_err(refuse)?,
                id: row.id,
                buyer: row.buyer,
                shipped_on: row.shipped_on.0,
                declared_on: row.declared_on.map(|day| day.0),
                terms: row.terms,
                days: row.days,
            };
            if shipment.paid.minor() > shipment.amount.minor() {
                return Err(refuse(format!("more is paid than {}", shipment.amount)));
            }
            shipments.push(shipment);
        }
        shipments.sort_by(|a, b| (a.shipped_on, &a.id).cmp(&(b.shipped_on, &b.id)));
        let at_top = |message: String| wrong(at_id, "policy", message);
        let financing = match document.financing {
            None => None,
            Some(read) => Some(Financing {
                advance: read
                    .advance
                    .as_deref()
                    .map(share)
                    .transpose()
                    .map_err(at_top)?,
                bank: read.bank,
                max_days: read.max_days,
                claim_assignment: read.claim_assignment,
            }),
        };
        Ok(Self {
            id: document.id.get_ref().clone(),
            insurer: document.insurer,
            holder: document.holder,
            from: document.from.0,
            until: document.until.0,
            currency,
            cover: share(&document.cover).map_err(at_top)?,
            max_liability,
            indemnified: amount(document.indemnified.as_deref().unwrap_or("0")).map_err(at_top)?,
            undeclared_consumes_limit: document.undeclared_consumes_limit,
            rates,
            limits,
            shipments,
            financing,
            digest: Digest::of(DigestAlg::Sha256, text.as_bytes()),
        })
    }

    fn step(
        &self,
        rule: &str,
        certainty: Certainty,
        inputs: Vec<(String, String)>,
        formula: &str,
    ) -> Result<Step, String> {
        let exact = quanfu_trail::evaluate(formula, &inputs).map_err(|error| error.to_string())?;
        Ok(Step {
            rule: rule.to_owned(),
            source: format!("policy {}", self.id),
            certainty,
            inputs,
            formula: formula.to_owned(),
            exact: format!("{exact} {}", self.currency),
            rounded: None,
            rounding: None,
        })
    }

    fn rounded(&self, mut step: Step, rounding: Rounding) -> Result<(Money, Step), String> {
        let exact: Rational = figure(&step.exact)
            .parse()
            .map_err(|error| format!("{error}"))?;
        let major = 10_i128.pow(u32::from(self.currency.minor_digits()));
        let minor = exact
            .checked_mul(Rational::whole(major))
            .map_err(|error| error.to_string())?;
        let whole = rounding.divide(minor.numerator(), minor.denominator());
        let sum = MoneySum::from_minor(whole.map_err(|error| error.to_string())?, self.currency);
        let amount = sum.to_money().map_err(|error| error.to_string())?;
        step.rounded = Some(amount.to_string());
        step.rounding = Some(rounding.name().to_owned());
        Ok((amount, step))
    }

    /// The premium of the declared shipments, each rounded half up, with its steps.
    ///
    /// # Errors
    ///
    /// In words: a shipment for which there is no rate; an amount out of range.
    pub fn premium(&self) -> Result<(Money, Trail), String> {
        let mut sum = MoneySum::zero(self.currency);
        let mut trail = Trail::default();
        for shipment in self
            .shipments
            .iter()
            .filter(|shipment| shipment.declared_on.is_some())
        {
            let mut rates = self.rates.iter();
            let rate =
                rates.find(|rate| rate.terms == shipment.terms && shipment.days <= rate.max_days);
            let rate = rate.ok_or_else(|| {
                format!(
                    "shipment {}: no premium rate for {} with {} days",
                    shipment.id,
                    shipment.terms.name(),
                    shipment.days
                )
            })?;
            let inputs = vec![
                (
                    "amount".to_owned(),
                    format!("{} (shipment {})", shipment.amount, shipment.id),
                ),
                (
                    "rate".to_owned(),
                    format!("{} ({})", rate.rate, rate.source),
                ),
            ];
            let step = self.step("premium", rate.certainty, inputs, "amount * rate")?;
            let (premium, step) = self.rounded(step, Rounding::HalfUp)?;
            sum = sum
                .checked_add(premium)
                .map_err(|error| error.to_string())?;
            trail.0.push(step);
        }
        Ok((sum.to_money().map_err(|error| error.to_string())?, trail))
    }

    /// What may be lent against the policy on a day: each declared shipment within its buyer's limit, times the covered
    /// share or what the bank advances, and all within the remaining liability. It is cut down, never up.
    ///
    /// A shipment takes the limit version that holds on its day, and what earlier shipments of the buyer left of it.
    ///
    /// # Errors
    ///
    /// In words, as [`Policy::premium`] for a liability that is a multiple of the premium; an amount out of range.
    pub fn borrowing_base(&self, day: Date) -> Result<BorrowingBase, String> {
        let mut trail = Trail::default();
        let mut left_out = Vec::new();
        let mut owed: BTreeMap<&str, Money> = BTreeMap::new();
        let mut parts: Vec<(String, String)> = Vec::new();
        let fail = |error: quanfu_money::MoneyError| error.to_string();
        for shipment in self
            .shipments
            .iter()
            .filter(|shipment| shipment.shipped_on <= day)
        {
            let open = shipment.amount.checked_sub(shipment.paid).map_err(fail)?;
            if open.is_zero() {
                continue;
            }
            let declared = shipment.declared_on.is_some_and(|declared| declared <= day);
            let used = owed.get(shipment.buyer.as_str()).copied();
            let used = used.unwrap_or(Money::zero(self.currency));
            let limit = self.limit_of(shipment);
            // What takes up the limit: all that the limit is for, whether the bank lends against it or not.
            if limit.is_ok() && (declared || self.undeclared_consumes_limit) {
                let sum = used.checked_add(open).map_err(fail)?;
                owed.insert(&shipment.buyer, sum);
            }
            let limit = match limit {
                _ if !declared => Err(LimitMismatch::NotDeclared),
                Err(why) => Err(why),
                Ok(limit) => {
                    let longest = self
                        .financing
                        .as_ref()
                        .and_then(|financing| financing.max_days);
                    if longest.is_some_and(|longest| shipment.days > longest) {
                        Err(LimitMismatch::CreditTooLong)
                    } else {
                        Ok(limit)
                    }
                }
            };
            let limit = match limit {
                Ok(limit) => limit,
                Err(why) => {
                    left_out.push((shipment.id.clone(), why));
                    continue;
                }
            };
            if used.checked_add(open).map_err(fail)?.minor() > limit.amount.minor() {
                left_out.push((shipment.id.clone(), LimitMismatch::LimitUsedUp));
            }
            let inputs = vec![
                (
                    "declared".to_owned(),
                    format!(
                        "{open} (shipment {}, buyer {})",
                        shipment.id, shipment.buyer
                    ),
                ),
                (
                    "limit".to_owned(),
                    format!("{} (from {})", limit.amount, limit.from),
                ),
                ("used".to_owned(), used.to_string()),
                (
                    "cover".to_owned(),
                    limit.cover.unwrap_or(self.cover).to_string(),
                ),
            ];
            let mut inputs = inputs;
            let mut formula = "min(declared, max(0, limit - used)) * cover".to_owned();
            if let Some(advance) = self
                .financing
                .as_ref()
                .and_then(|financing| financing.advance)
            {
                inputs.push(("advance".into(), advance.to_string()));
                formula = format!("min({formula}, declared * advance)");
            }
            let step = self.step("covered", Certainty::Certain, inputs, &formula)?;
            parts.push((
                format!("part_{}", parts.len() + 1),
                format!("{} (shipment {})", step.exact, shipment.id),
            ));
            trail.0.push(step);
        }
        let mut formula: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
        if formula.is_empty() {
            formula.push("0".into());
        }
        let mut inputs = parts;
        let sum = formula.join(" + ");
        inputs.push(("indemnified".into(), self.indemnified.to_string()));
        let most = match self.max_liability {
            MaxLiability::Absolute(most) => {
                inputs.push(("most".into(), most.to_string()));
                "most"
            }
            MaxLiability::PremiumMultiple(multiple) => {
                let (premium, steps) = self.premium()?;
                trail.0.splice(0..0, steps.0);
                inputs.push(("premium".into(), premium.to_string()));
                inputs.push(("multiple".into(), multiple.to_string()));
                "premium * multiple"
            }
        };
        let formula = format!("min({sum}, max(0, {most} - indemnified))");
        let step = self.step("borrowing-base", Certainty::Certain, inputs, &formula)?;
        let (amount, step) = self.rounded(step, Rounding::Down)?;
        trail.0.push(step);
        Ok(BorrowingBase {
            policy: self.id.clone(),
            day,
            amount,
            claim_assignment: self
                .financing
                .as_ref()
                .and_then(|financing| financing.claim_assignment.clone()),
            left_out,
            trail,
        })
    }

    /// The limit version that a shipment is under.
    fn limit_of(&self, shipment: &Shipment) -> Result<&Limit, LimitMismatch> {
        let of_buyer = || {
            self.limits
                .iter()
                .filter(|limit| limit.buyer == shipment.buyer)
        };
        if of_buyer().next().is_none() {
            return Err(LimitMismatch::NoLimit);
        }
        let mut held = of_buyer();
        let held = held
            .find(|limit| limit.from <= shipment.shipped_on && shipment.shipped_on <= limit.until);
        let limit = held.ok_or(LimitMismatch::LimitNotInForce)?;
        if limit.amount.is_zero() {
            return Err(LimitMismatch::LimitZero);
        }
        if shipment.terms > limit.terms || shipment.days > limit.max_days {
            return Err(LimitMismatch::TermsRiskier);
        }
        Ok(limit)
    }
}

fn figure(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}
