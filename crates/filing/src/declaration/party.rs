//! [`Party`]: who pays or is paid. Names and numbers show themselves masked; documents hold them whole.

use quanfu_codes::{AccountNumber, Country, PersonName, ResidentId, Uscc, mask_identity, whole};
use serde::{Deserialize, Serialize};

use crate::list::closed_list;

closed_list! {
    /// Who a party is, as the balance of payments tells customers apart.
    PartyKind {
        /// A firm (对公用户).
        Firm = "firm",
        /// A resident person (对私中国居民).
        ResidentPerson = "resident_person",
        /// A person who is not resident (对私中国非居民).
        NonResidentPerson = "non_resident_person",
    }
}

closed_list! {
    /// What an identity number is the number of.
    IdKind {
        /// A resident's identity card (公民身份号码).
        Resident = "resident",
        /// A firm (统一社会信用代码).
        Uscc = "uscc",
        /// A passport.
        Passport = "passport",
        /// Anything else.
        Other = "other",
    }
}

/// The number of an identity paper or firm as written, shown as `1****************X`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdNumber(String);

impl IdNumber {
    /// Wraps the number as it was read; nothing is checked or changed.
    #[must_use]
    pub fn new(number: impl Into<String>) -> Self {
        Self(number.into())
    }

    /// The number itself, for data outputs and for people who may see it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for IdNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&mask_identity(&self.0))
    }
}

impl std::fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdNumber({self})")
    }
}

impl whole::Whole for IdNumber {
    fn whole(&self) -> &str {
        &self.0
    }

    fn from_whole(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }
}

fn no_name() -> PersonName {
    PersonName::new("")
}

fn no_account() -> AccountNumber {
    AccountNumber::new("")
}

/// Who pays or is paid. What is not known is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Who it is.
    pub kind: PartyKind,
    /// Name.
    #[serde(with = "whole", default = "no_name")]
    pub name: PersonName,
    /// What the identity number is the number of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_kind: Option<IdKind>,
    /// Identity number.
    #[serde(with = "whole", default)]
    pub id_number: IdNumber,
    /// Account.
    #[serde(with = "whole", default = "no_account")]
    pub account_number: AccountNumber,
    /// Country, as ISO 3166 alpha-3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

impl Party {
    /// A party of which nothing is known but its kind.
    #[must_use]
    pub fn unknown(kind: PartyKind) -> Self {
        Self {
            kind,
            name: no_name(),
            id_kind: None,
            id_number: IdNumber::default(),
            account_number: no_account(),
            country: None,
        }
    }

    /// Whether an identity number is there.
    #[must_use]
    pub fn has_identity(&self) -> bool {
        !self.id_number.reveal().is_empty()
    }

    /// Why the identity number is not of the form of its kind, without the number itself; also if it has no kind.
    ///
    /// # Errors
    ///
    /// What would be right.
    pub fn check_identity(&self) -> Result<(), String> {
        let number = self.id_number.reveal();
        let checked = match self.id_kind {
            Some(IdKind::Resident) => number.parse::<ResidentId>().and_then(|id| id.check()),
            Some(IdKind::Uscc) => number.parse::<Uscc>().and_then(|id| id.check()),
            Some(IdKind::Passport | IdKind::Other) => Ok(()),
            None => return Err("the kind of the identity number is missing".to_owned()),
        };
        // a public identifier quotes itself in its error; here it may be a person's by mistake
        checked.map_err(|error| format!("no right number of its kind ({})", error.code()))
    }
}
