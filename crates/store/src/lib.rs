//! Durable memory: what was read, decided and filed, kept for years, with a chain of events that shows any change.
//!
//! A [`Store`] is a file (SQLite) or a schema of a database (PostgreSQL, with the feature `postgres`). It takes in [`Document`]s: results, lines of a log of decisions, filings, awards,
//! anything that is JSON with a schema name. Each comes with one event of the chain, in one transaction. Rows are never
//! changed; what is open follows from what is there.
//!
//! ```
//! use quanfu_store::{Alg, Document, Stamp, Store};
//!
//! let folder = std::env::temp_dir().join(format!("quanfu-store-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let stamp = Stamp::new("Li Na", "2026-03-02T09:00:00Z")?;
//! let mut store = Store::create(&folder.join("memory.db"), Alg::Sha256, &stamp)?;
//!
//! let filing = Document::parse(r#"{"schema": "quanfu.filing/1", "number": "JN-2026-001"}"#)?;
//! let first = store.remember(&[filing.clone()], &stamp)?;
//! let again = store.remember(&[filing], &stamp)?;
//! assert!(first[0].is_new && !again[0].is_new); // importing twice changes nothing
//!
//! let noted = store.head()?; // to be kept elsewhere: only this shows a cut tail
//! assert_eq!(store.audit(Some(&noted))?.events, 2); // the store's making, and the filing
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The chain shows any row or column that was changed, added, taken out or swapped. It cannot show that events were
//! cut off at its end or that all of it was written anew: for that, keep a [`Head`] where the writer of the store cannot
//! reach it. The store asks no clock: times are what the caller says. It authenticates nobody: who may write to the file
//! decides who may remember.

mod audit;
mod chain;
mod document;
mod error;
mod listing;
mod migration;
mod personal;
#[cfg(feature = "postgres")]
mod postgres;
mod sql;
mod sqlite;
mod store;

pub use audit::Audited;
pub use chain::{Alg, Event, Head};
pub use document::Document;
pub use error::StoreError;
pub use listing::Listing;
pub use personal::{Key, PERSONAL_KEYS, PERSONAL_KEYS_OF, Vault};
pub use store::{Listed, OpenItem, Purged, Remembered, Stamp, Store};
