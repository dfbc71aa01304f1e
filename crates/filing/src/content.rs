//! [`Content`]: what is filed.

use std::collections::BTreeSet;

use quanfu_calendar::Date;
use quanfu_codes::{AccountNumber, CnapsCode, PaymentLicence, PersonName, Phone, Uscc};
use quanfu_settlement::Digest;
use serde::{Deserialize, Serialize};

use crate::list::closed_list;
use crate::programme::Programme;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_until: Option<Date>,
}

/// The agreement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its number.
    pub number: String,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// What it covers, such as `export goods`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// Currencies in which buyers pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<String>,
    /// When is settled, such as `T+1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<String>,
}

/// An account number in a document, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(#[serde(with = "quanfu_codes::whole")] pub AccountNumber);

/// Whom the authority may ask; whole in the document, masked wherever it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name.
    #[serde(with = "quanfu_codes::whole")]
    pub name: PersonName,
    /// Telephone.
    #[serde(with = "quanfu_codes::whole")]
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
    /// The bank.
    pub bank: Bank,
    /// The payment institution.
    pub institution: Institution,
    /// The agreement.
    pub agreement: Agreement,
    /// Reserve accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// Ways over the border.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Papers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
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

    /// What is there and looks wrong; no reason to refuse, but to look: check digits, papers listed twice.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        for (field, uscc) in [
            ("bank.uscc", &self.bank.uscc),
            ("institution.uscc", &self.institution.uscc),
        ] {
            let Some(uscc) = uscc else { continue };
            let inner = uscc.organisation();
            let found = [uscc.check(), inner.check()]
                .into_iter()
                .filter_map(Result::err);
            doubts.extend(found.map(|error| format!("{field}: {error}")));
        }
        let mut seen = BTreeSet::new();
        for paper in &self.attachments {
            if !seen.insert(paper.digest) {
                doubts.push(format!("attachment {:?} is there twice", paper.name));
            }
        }
        doubts
    }
}
