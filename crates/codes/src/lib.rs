//! Identifiers, the masking (脱敏) of personal data in what people see, code tables, and dated parameters of rules.
//!
//! An identifier that was parsed has the form of its kind; whether its check digits hold is a second question, as real files
//! have numbers that are wrong and must still be read.
//!
//! Account and card numbers and names of people are wrapped as soon as they are read. The wrappers print
//! themselves masked, in `Display`, in `Debug` and in serde, so that neither a report nor a log line nor a failed test
//! shows one by accident; [`AccountNumber::reveal`] gives the value to those who may have it, and a field of a document
//! that must hold the whole value says so: `#[serde(with = "quanfu_codes::whole")]`.
//!
//! ```
//! use quanfu_codes::{AccountNumber, Parameters, PersonName, Uscc};
//!
//! let account = AccountNumber::new("6222020200112233445");
//! let name = PersonName::new("张三");
//! assert_eq!(format!("{name} {account}"), "张* 6222***********3445");
//! assert_eq!(format!("{account:?}"), "AccountNumber(6222***********3445)");
//! assert_eq!(account.reveal(), "6222020200112233445");
//!
//! let firm: Uscc = "91350100M000100Y43".parse()?;
//! firm.check()?;
//! let limits = Parameters::shipped();
//! let row = limits.at("import_single_limit", "2018-12-31".parse()?)?;
//! assert_eq!((row.value.to_string(), row.unit.as_str()), ("2000".to_owned(), "CNY"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Read on in this order: identifiers of firms ([`Uscc`] and its neighbours), of persons ([`ResidentId`]), [`CodeTable`],
//! [`Parameters`].

mod account;
mod digits;
mod error;
mod firm;
mod name;
mod parameter;
mod person;
mod table;
mod text;
pub mod whole;

pub use account::{AccountNumber, mask_account};

pub use error::CodeError;
pub use firm::{
    Bic, BopCode, BopNumber, CnapsCode, Country, CustomsCountry, CustomsCurrency, CustomsFirmCode,
    Lei, OrganisationCode, PaymentLicence, Uetr, Uscc,
};
pub use name::{PersonName, mask_name};
pub use parameter::{ParameterError, ParameterRow, Parameters};
pub use person::{BankCard, Iban, Phone, ResidentId, mask_identity, mask_numbers, mask_phone};
pub use table::{CodeRow, CodeTable, Flow, TableError};

/// What stands for a character that is not shown.
const MASK: char = '*';

/// Implements the wrapper around any text that is only shown masked.
macro_rules! masked_text {
    ($type:ident, $mask:path) => {
        impl $type {
            /// Wraps the value as it was read; nothing is checked or changed.
            #[must_use]
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }
        }

        impl $crate::whole::Whole for $type {
            fn whole(&self) -> &str {
                &self.0
            }

            fn from_whole(text: &str) -> Result<Self, String> {
                Ok(Self::new(text))
            }
        }

        $crate::masked!($type, $mask);
    };
}
use masked_text;

/// Shows a wrapper around a text masked.
macro_rules! masked {
    ($type:ident, $mask:path) => {
        impl $type {
            /// The value itself, for data outputs and for people who may see it.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }

            /// What everybody may see.
            #[must_use]
            pub fn masked(&self) -> String {
                $mask(&self.0)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.masked())
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($type), self.masked())
            }
        }

        /// Masked: a document that must hold the whole value says so with [`crate::whole`].
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.masked())
            }
        }
    };
}
use account::mask_ends;
use masked;
use text::{identifier, parsed};
