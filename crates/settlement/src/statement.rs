//! A statement: the entries of one account, merchant or page, with its balances.

use quanfu_calendar::Date;
use quanfu_money::{Currency, Money};

use crate::entry::Entry;
use crate::proof::Proof;

/// A balance that a statement declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Signed: + is money of the account's owner.
    pub amount: Money,
    /// The day of the balance, if given.
    pub date: Option<Date>,
    /// Whether it opens or closes a page only (MT `60M`/`62M`, camt interim balances).
    pub is_interim: bool,
}

/// Number and page of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Statement number as written.
    pub number: Option<String>,
    /// Page, counted from 1 (some banks: from 0).
    pub page: Option<u32>,
    /// Whether the file says that this is the last page.
    pub last: Option<bool>,
}

/// What is known of a statement before its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementHead {
    /// The statement's own reference (MT field 20, camt `Stmt/Id`).
    pub id: Option<String>,
    /// Account, merchant or partner number.
    pub account: Option<String>,
    /// Currency of the account.
    pub currency: Option<Currency>,
    /// Number and page.
    pub sequence: Sequence,
    /// First and last day that the statement speaks of, both inclusive, if given.
    pub period: Option<(Date, Date)>,
    /// Opening balance.
    pub opening: Option<Balance>,
    /// Line of its first byte, counted from 1.
    pub line: u32,
}

/// What is known of a statement after its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementTail {
    /// Currency, where only the end told it.
    pub currency: Option<Currency>,
    /// Opening balance, where only the end told it.
    pub opening: Option<Balance>,
    /// Closing balance.
    pub closing: Option<Balance>,
    /// Available balances (MT 64/65, camt CLAV/FWAV): not part of any proof.
    pub available: Vec<Balance>,
    /// Text of the statement itself, such as an `86` after the closing balance or a footer.
    pub notes: Vec<String>,
    /// What its own figures prove.
    pub proofs: Vec<Proof>,
}

/// A statement as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Before the entries.
    pub head: StatementHead,
    /// The entries that could be read, in file order.
    pub entries: Vec<Entry<'static>>,
    /// After the entries.
    pub tail: StatementTail,
}

impl Statement {
    /// Opening balance, wherever the file gave it.
    #[must_use]
    pub fn opening(&self) -> Option<Balance> {
        self.head.opening.or(self.tail.opening)
    }

    /// Currency, wherever the file gave it.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.head.currency.or(self.tail.currency)
    }
}
