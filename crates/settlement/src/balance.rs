//! Balance reconciliation (余额调节表): two balances of the same money, brought to one figure.
//!
//! One for each edge and currency that the rules ask for (`[[edge.balance]]`). Every amount is signed by its effect on the
//! account: + raises it, a payment out is negative. So everything is added:
//!
//! ```text
//! company's closing  + bank received, company not  + bank paid, company not  + adjusting lines + the bank's left out
//!     = adjusted company
//! bank's closing     + company received, bank not  + company paid, bank not  + the company's left out
//!     = adjusted bank
//! difference = adjusted bank - adjusted company
//! ```
//!
//! * Only booked rows move a balance. Duplicates do not: they are the same record delivered again.
//! * Outstanding (未达账项) is what an edge could not put together: carried, overdue, ambiguous, and what is merely
//!   suggested, on both sides, until a person accepts it.
//! * Adjusting lines are the differences inside groups that are confirmed or broken under a rule, bank minus company, by
//!   cause: they are for the company to book. `fee`, a tolerance's cause and `unexplained` as in the group; `fx` where a
//!   group turns one currency into another; `status` where one side has not booked yet; `reversal` where of a reversed
//!   pair only one half is booked, or one half was matched on an earlier day.
//! * Rows that the rules leave out of the edge move their own balance only. They stand apart, as `left_out`.
//!
//! A day that follows another takes over its outstanding items, adjusting lines and rows left out. Such items already sit
//! in the opening balance of the side that has them, so they are no movement of the day; they stay outstanding until the
//! other side has them too.
//!
//! Opening: the statements' own, or else the closing of the day before, or else what the rules declare. Closing: the
//! statements' own, or else what the rules declare, or else opening plus movement. What the rules declare as an opening
//! is that of the first day of a chain. Statements of several accounts add up.

use quanfu_calendar::Date;
use quanfu_money::Currency;
use serde::{Deserialize, Serialize};

use crate::book::RecordId;
use crate::entry::closed_list;
use crate::result::BridgeLine;

closed_list! {
    /// What came of comparing two balances.
    BalanceVerdict {
        /// The adjusted balances are equal, each side rolls forward, and nothing that is known twice differs.
        Balanced = "balanced",
        /// They are not.
        NotBalanced = "not_balanced",
        /// The closing balance of a side is not known.
        NotDeterminable = "not_determinable",
    }
}

closed_list! {
    /// Where a balance comes from.
    BalanceBasis {
        /// The source's statements.
        Statements = "statements",
        /// The closing balance of the result that this one follows.
        Previous = "previous",
        /// The rules.
        Declared = "declared",
        /// Opening plus movement.
        Rolled = "rolled",
    }
}

closed_list! {
    /// What is outstanding (未达账项): who has it, and which way the money went.
    OutstandingKind {
        /// The company has received it, the bank has not (企业已收银行未收).
        CompanyReceived = "company_received",
        /// The company has paid it, the bank has not (企业已付银行未付).
        CompanyPaid = "company_paid",
        /// The bank has received it, the company has not (银行已收企业未收).
        BankReceived = "bank_received",
        /// The bank has paid it, the company has not (银行已付企业未付).
        BankPaid = "bank_paid",
    }
}

/// How many rows, and their signed sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// How many rows.
    pub count: u64,
    /// Signed sum.
    pub sum: String,
}

/// One account of a side, rolled forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRoll {
    /// Its number; `null` where the source tells none.
    pub account: Option<String>,
    /// Opening balance of its first statement.
    pub opening: Option<String>,
    /// Booked rows of the day.
    pub movement: Movement,
    /// Closing balance of its last statement.
    pub closing: Option<String>,
    /// Closing minus opening and movement; `null` where one is not known.
    pub difference: Option<String>,
}

/// One side's balance, rolled forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceSide {
    /// The source.
    pub source: String,
    /// Opening balance.
    pub opening: Option<String>,
    /// Where it comes from.
    pub opening_from: Option<BalanceBasis>,
    /// The statements' opening minus the closing of the day before, or minus the declared one; `null` where one is not known.
    pub opening_gap: Option<String>,
    /// Booked rows of the day; items carried in are not among them.
    pub movement: Movement,
    /// Closing balance.
    pub closing: Option<String>,
    /// Where it comes from.
    pub closing_from: Option<BalanceBasis>,
    /// The statements' closing minus the declared one; `null` where one is not known.
    pub closing_gap: Option<String>,
    /// Closing minus opening and movement; `null` where one is not known.
    pub roll_difference: Option<String>,
    /// Booked rows that the rules leave out of the edge, with those of the days before.
    pub left_out: Movement,
    /// Its accounts, by number.
    pub accounts: Vec<AccountRoll>,
}

/// A record that only one side has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutstandingItem {
    /// Its accounting day.
    pub day: Option<Date>,
    /// Its name.
    pub record: RecordId,
    /// Its signed amount.
    pub amount: String,
}

/// All records of one kind that only one side has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outstanding {
    /// Who has them, and which way the money went.
    pub kind: OutstandingKind,
    /// How many.
    pub count: u64,
    /// Their signed sum.
    pub sum: String,
    /// The records, by day and name.
    pub items: Vec<OutstandingItem>,
}

/// Two balances of the same money, brought to one figure (余额调节表).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceReconciliation {
    /// The edge.
    pub edge: String,
    /// Currency of all its amounts.
    pub currency: Currency,
    /// The company's side (企业账).
    pub company: BalanceSide,
    /// The bank's side (银行账).
    pub bank: BalanceSide,
    /// The four kinds, each once and in the order of [`OutstandingKind::ALL`].
    pub outstanding: Vec<Outstanding>,
    /// Differences inside groups, bank minus company, by cause; `unexplained` is always the last.
    pub adjusting: Vec<BridgeLine>,
    /// The company's closing with everything added that only the bank has.
    pub adjusted_company: Option<String>,
    /// The bank's closing with everything added that only the company has.
    pub adjusted_bank: Option<String>,
    /// Adjusted bank minus adjusted company.
    pub difference: Option<String>,
    /// What came of it.
    pub verdict: BalanceVerdict,
}
