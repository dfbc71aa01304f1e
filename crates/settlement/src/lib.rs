//! What a line of any settlement file means, and what came of reconciling it.
//!
//! A reader turns bytes into [`Entry`] values and hands them to a [`Sink`]; after that nobody knows the
//! format. [`Reading`] keeps all of it for people and programs; a [`Book`] keeps one source's entries in
//! columns of integers for matching. [`Rules`] say how sources are compared; [`Outcomes`] say what came
//! of every entry, and [`ResultDoc`] is the signed form of a run (`quanfu.result/1`).
//!
//! ```
//! use quanfu_money::{Currency, Money};
//! use quanfu_settlement::{Entry, EntryKind, RefRole};
//!
//! let paid = Entry::new(Money::from_minor(19_990, Currency::CNY))
//!     .with_kind(EntryKind::Payment)
//!     .with_reference(RefRole::Order, "A-1001");
//! assert_eq!(paid.references.get(RefRole::Order), Some("A-1001"));
//! ```
//!
//! Read on in this order: [`entry`], [`statement`], [`proof`], [`finding`], [`reading`], [`book`],
//! [`profile`], [`rules`], [`outcome`], [`presence`], [`balance`], [`result`], [`decision`].

pub mod balance;
pub mod book;
pub mod challenge;
pub mod decision;
pub mod digest;
pub mod entry;
pub mod fees;
pub mod finding;
pub mod groups;
pub mod limits;
pub mod outcome;
pub mod presence;
pub mod profile;
pub mod proof;
pub mod reading;
pub mod result;
pub mod rules;
pub mod statement;
pub mod table;

pub use balance::{BalanceReconciliation, OutstandingKind};
pub use book::{Book, BookBuilder, BookError, BookMark, RecordId};
pub use challenge::{ChallengeClass, ChallengeDoc, ChallengeGap};
pub use decision::{Decision, DecisionError, DecisionLog};
pub use digest::{Digest, DigestAlg, Hasher};
pub use entry::{
    At, Counterparty, Detail, Entry, EntryAmount, EntryKind, EntryStatus, Moment, RefRole,
    References, RowRate, Text,
};
pub use finding::{Finding, FindingCode, Rejected, Severity};
pub use limits::Limits;
pub use outcome::{
    BreakCode, Cause, Group, Outcome, Outcomes, PassKind, Reason, Relation, RowOutcome, Side,
    Viewpoint,
};
pub use presence::Presence;
pub use profile::{Profile, ProfileError};
pub use proof::{Measure, Proof, ProofKind, Verdict};
pub use reading::{FileHead, FileReading, Reading, ReadingBuilder, Sink, SourceFile};
pub use result::ResultDoc;
pub use rules::Rules;
pub use statement::{Balance, Sequence, Statement, StatementHead, StatementTail};
pub use table::OutcomeTable;
