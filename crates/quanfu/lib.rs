//! quanfu (泉府): settlement reconciliation, money, FX and calendars for cross-border payments in renminbi.
//!
//! [`Day`] is the paved path: name the files (or hand over rows), run, and read what came of every record.
//!
//! ```
//! use quanfu::{Day, Rules};
//!
//! let rules = Rules::parse(r#"
//! schema = "quanfu.rules/1"
//! name = "shop and bank"
//! calendar = "CN"
//!
//! [source.shop]
//! role = "order"
//! profile = "quanfu-orders"
//!
//! [source.bank]
//! role = "bank"
//!
//! [[edge]]
//! left = "shop"
//! right = "bank"
//!
//! [[edge.rule]]
//! id = "K1"
//! pass = "unique_key"
//! on = [{ left = "order", right = "owner" }]
//! "#)?;
//! let orders = "order_id,paid_at,amount,currency,status\nA-1001,2026-03-02 10:00:00,19.90,CNY,paid\n";
//! let bank = ":20:DAY1\n:25:12345678\n:28C:1/1\n:60F:C260302CNY100,00\n\
//!             :61:2603020302C19,90NTRFA-1001//B77\n:62F:C260302CNY119,90\n-\n";
//! let done = Day::new(rules)
//!     .file("shop", "orders.csv", orders.as_bytes())
//!     .file("bank", "bank.sta", bank.as_bytes())
//!     .run()?;
//! assert!(done.trusted() && !done.has_open());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod challenge;
mod day;
mod keyrun;

pub use challenge::{Challenge, ChallengeFiles, Challenged};
pub use day::{Day, DayError};
pub use keyrun::{KeyGroups, KeyRun};
pub use quanfu_calendar as calendar;
pub use quanfu_codes as codes;
pub use quanfu_credit as credit;
pub use quanfu_filing as filing;
pub use quanfu_formats as formats;
pub use quanfu_fx as fx;
pub use quanfu_money as money;
pub use quanfu_money::{Currency, Decimal, Money};
pub use quanfu_pricing as pricing;
pub use quanfu_recon as recon;
pub use quanfu_recon::Reconciled;
pub use quanfu_report as report;
pub use quanfu_sample as sample;
pub use quanfu_settlement as settlement;
pub use quanfu_settlement::{Entry, Profile, ResultDoc, Rules};
#[cfg(feature = "store")]
pub use quanfu_store as store;
pub use quanfu_trail as trail;
pub use quanfu_verify as verify;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
