//! Matches entries, explains what is left, and certifies that nothing was lost.
//!
//! [`reconcile`] takes rules and one [`Book`](quanfu_settlement::Book) for each source, and gives every record exactly
//! one outcome on each edge of its source. It is a pure function: the same rules, books, calendar and business day
//! give the same bytes on any number of threads and for any order of rows.
//!
//! The stages: duplicates and reversals inside a source, rows that the rules leave out, what people decided, the rules of the edge one by
//! one (each sees only what is still open), and at last what is carried and what is broken, with the nearest candidate
//! and the first predicate that kept the two apart.

mod balance;
mod carry;
mod compare;
mod decide;
mod document;
mod duplicate;
mod edge;
mod error;
mod exchange;
pub mod kernel;
mod key;
mod nearest;
mod pass;
mod presence;
mod request;

pub use error::ReconError;
pub use request::{Progress, Reconciled, Request, Stats, carried_items, reconcile, roles_needed};
