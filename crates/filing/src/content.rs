//! [`Content`]: what is filed.

use std::collections::BTreeSet;

use quanfu_calendar::Date;
use quanfu_codes::{
    AccountNumber, CnapsCode, CodeTable, PaymentLicence, PersonName, Phone, TableError, Uscc,
};
use quanfu_money::{Currency, Money};
use quanfu_settlement::Digest;
use serde::{Deserialize, Serialize};

use crate::filing::Refusal;
use crate::list::closed_list;
use crate::programme::{Programme, toml_day_option};

closed_list! {
    /// The way on which renminbi cross the border.
    Channel {
        /// CIPS.
        Cips = "cips",
        /// A clearing bank.
        ClearingBank = "clearing_bank",
        /// An agent bank.
        AgentBank = "agent_bank",
        /// NUCC (网联).
        Nucc = "nucc",
        /// UnionPay (银联).
        UnionPay = "unionpay",
    }
}

closed_list! {
    /// Whose trade in what an agreement covers.
    Scope {
        /// Goods sold abroad.
        ExportGoods = "export_goods",
        /// Services sold abroad.
        ExportServices = "export_services",
        /// Persons who sell abroad.
        ExportPersons = "export_persons",
        /// Goods bought abroad.
        ImportGoods = "import_goods",
        /// Services bought abroad.
        ImportServices = "import_services",
        /// Persons who buy abroad.
        ImportPersons = "import_persons",
    }
}

/// The bank of the cooperation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// Name.
    pub name: String,
    /// Its code as an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<Uscc>,
    /// Its code in payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnaps: Option<CnapsCode>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// The payment institution of the cooperation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    /// Name.
    pub name: String,
    /// Its code as an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<Uscc>,
    /// Number of its payment licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<PaymentLicence>,
    /// Kinds of business that the licence names (codes of `licence-scope`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licence_scope: Vec<String>,
    /// Last day of the licence.
    #[serde(
        default,
        with = "toml_day_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub licence_until: Option<Date>,
}

/// The agreement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its number.
    pub number: String,
    /// First day.
    #[serde(
        default,
        with = "toml_day_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<Date>,
    /// Last day.
    #[serde(
        default,
        with = "toml_day_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Date>,
    /// What it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<Scope>,
    /// Currencies in which buyers pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<Currency>,
    /// When is settled, such as `T+1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<String>,
}

/// The most that one transaction may come to, by the nature of the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "LimitText", try_from = "LimitText")]
pub struct TransactionLimit {
    /// Of which trade.
    pub scope: Scope,
    /// How much.
    pub amount: Money,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitText {
    scope: Scope,
    amount: String,
    currency: Currency,
}

impl From<TransactionLimit> for LimitText {
    fn from(limit: TransactionLimit) -> Self {
        Self {
            scope: limit.scope,
            amount: limit.amount.amount_text(),
            currency: limit.amount.currency(),
        }
    }
}

impl TryFrom<LimitText> for TransactionLimit {
    type Error = &'static str;
    fn try_from(text: LimitText) -> Result<Self, Self::Error> {
        let LimitText {
            scope,
            amount,
            currency,
        } = text;
        let amount = format!("{amount} {currency}").parse().ok();
        let amount = amount.filter(|amount: &Money| amount.minor() > 0);
        let amount = amount.ok_or("an amount such as \"50000.00\" would be right")?;
        Ok(Self { scope, amount })
    }
}

/// An account number in a document, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(#[serde(with = "quanfu_codes::whole")] pub AccountNumber);

/// Whom the authority may ask; whole in the document, masked wherever it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name; `person_name` in a document.
    #[serde(rename = "person_name", with = "quanfu_codes::whole")]
    pub name: PersonName,
    /// Telephone; `phone_number` in a document.
    #[serde(rename = "phone_number", with = "quanfu_codes::whole")]
    pub phone: Phone,
}

/// A paper that goes with the filing, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// What it is, such as `agreement`.
    pub kind: String,
    /// Name of the file.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// What is filed about a cooperation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Reserve accounts; `account_number` in a document.
    #[serde(
        default,
        rename = "account_number",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub accounts: Vec<Account>,
    /// Ways over the border.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// The bank.
    #[serde(default)]
    pub bank: Bank,
    /// The payment institution.
    #[serde(default)]
    pub institution: Institution,
    /// The agreement.
    #[serde(default)]
    pub agreement: Agreement,
    /// Limits of single transactions.
    #[serde(default, rename = "limit", skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<TransactionLimit>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Papers.
    #[serde(default, rename = "attachment", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// What is there and looks wrong; no reason to refuse, but to look.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// The check digit of an identifier does not hold.
    CheckDigit {
        /// Of which field.
        field: &'static str,
        /// Of which identifier in it.
        kind: &'static str,
    },
    /// A paper is listed twice.
    PaperTwice {
        /// Its name.
        name: String,
    },
    /// A kind of business that no licence named on that day, by the table `licence-scope`.
    LicenceScope {
        /// As written.
        kind: String,
        /// The day asked for.
        day: Date,
    },
    /// A last day that has passed.
    Passed {
        /// Of which field.
        field: &'static str,
        /// The last day.
        until: Date,
    },
}

impl Content {
    /// What the programme asks for and is not there: fields by name, papers as `attachment KIND`.
    #[must_use]
    pub fn missing(&self, programme: &Programme) -> Vec<String> {
        let mut missing = Vec::new();
        for (field, text) in [
            ("bank.name", &self.bank.name),
            ("institution.name", &self.institution.name),
            ("agreement.number", &self.agreement.number),
        ] {
            if text.trim().is_empty() {
                missing.push(field.to_owned());
            }
        }
        let there: BTreeSet<&str> = self.attachments.iter().map(|a| a.kind.as_str()).collect();
        let papers = programme.required_attachments.iter();
        let papers = papers.filter(|kind| !there.contains(kind.as_str()));
        missing.extend(papers.map(|kind| format!("attachment {kind}")));
        missing
    }

    /// A content in TOML, as people write it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unreadable`] with the place and what would be right, never with the text found: it may be a person's.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        toml::from_str(text).map_err(|error| {
            let message = format!("content, {}", without_text(text, &error));
            Refusal::Unreadable { message }
        })
    }

    /// The content with masks in the place of personal values.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut masked = self.clone();
        for Account(number) in &mut masked.accounts {
            *number = AccountNumber::new(number.masked());
        }
        if let Some(contact) = &mut masked.contact {
            contact.name = PersonName::new(contact.name.masked());
            contact.phone = Phone::new(contact.phone.masked());
        }
        masked
    }

    /// Whether it holds values that are a person's or must be masked.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        !self.accounts.is_empty() || self.contact.is_some()
    }

    /// What is there and looks wrong on a day.
    #[must_use]
    pub fn doubts(&self, day: Date) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        for (field, uscc) in [
            ("bank.uscc", &self.bank.uscc),
            ("institution.uscc", &self.institution.uscc),
        ] {
            let Some(uscc) = uscc else { continue };
            let organisation = uscc.organisation();
            for (kind, holds) in [
                (Uscc::KIND, uscc.check()),
                (quanfu_codes::OrganisationCode::KIND, organisation.check()),
            ] {
                if holds.is_err() {
                    doubts.push(Doubt::CheckDigit { field, kind });
                }
            }
        }
        let scopes = CodeTable::licence_scopes();
        for kind in &self.institution.licence_scope {
            if let Err(TableError::Unknown { .. }) = scopes.at(kind, day) {
                let kind = kind.clone();
                doubts.push(Doubt::LicenceScope { kind, day });
            }
        }
        let mut seen = BTreeSet::new();
        for paper in &self.attachments {
            if !seen.insert(paper.digest) {
                let name = paper.name.clone();
                doubts.push(Doubt::PaperTwice { name });
            }
        }
        for (field, until) in [
            ("agreement.until", self.agreement.until),
            ("institution.licence_until", self.institution.licence_until),
        ] {
            if let Some(until) = until.filter(|until| *until < day) {
                doubts.push(Doubt::Passed { field, until });
            }
        }
        doubts
    }
}

/// The place of an error in TOML and what would be right, without the text found: it may be a person's.
pub(crate) fn without_text(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = 1 + text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    let right = match right(error.message()) {
        Some(right) => right,
        None if text.parse::<toml::Table>().is_ok() => {
            "the value is not written as its field is".to_owned()
        }
        None => "not TOML".to_owned(),
    };
    format!("line {line}: {right}")
}

/// What would be right, of a parser's words.
fn right(message: &str) -> Option<String> {
    let line = message.lines().next()?;
    let ours = [
        "missing field `",
        "not the form of a ",
        "a day such as ",
        "an amount such as ",
    ];
    if ours.iter().any(|begin| line.starts_with(begin)) {
        return Some(line.to_owned());
    }
    let (_, expected) = line.rsplit_once("expected ")?;
    let found = ["unknown field ", "unknown variant ", "invalid type: "];
    let expected = match expected.starts_with("struct ") {
        true => "a table",
        false => expected,
    };
    let is_known = found.iter().any(|begin| line.starts_with(begin));
    is_known.then(|| format!("{expected} would be right"))
}
