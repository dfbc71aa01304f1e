//! Identifiers, and the masking (脱敏) of personal data in what people see.
//!
//! Account and card numbers and names of people are wrapped as soon as they are read. The wrappers print
//! themselves masked, in `Display` and in `Debug`, so that neither a report nor a log line nor a failed test
//! shows one by accident; [`AccountNumber::reveal`] gives the value to those who may have it.
//!
//! ```
//! use quanfu_codes::{AccountNumber, PersonName};
//!
//! let account = AccountNumber::new("6222020200112233445");
//! let name = PersonName::new("张三");
//! assert_eq!(format!("{name} {account}"), "张* 6222***********3445");
//! assert_eq!(format!("{account:?}"), "AccountNumber(6222***********3445)");
//! assert_eq!(account.reveal(), "6222020200112233445");
//! ```

mod account;
mod name;

pub use account::{AccountNumber, mask_account};
pub use name::{PersonName, mask_name};

/// What stands for a character that is not shown.
const MASK: char = '*';

/// Implements the wrapper around a text that is only shown masked.
macro_rules! masked_text {
    ($type:ident, $mask:path) => {
        impl $type {
            /// Wraps the value as it was read; nothing is checked or changed.
            #[must_use]
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

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
    };
}
use masked_text;
