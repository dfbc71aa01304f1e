//! Presence (三方持有): which sources of a chain have a payment, and what is to be done where one lacks it.
//!
//! Rows of all sources are linked where an edge puts them into one group: confirmed, suggested, or broken under a rule
//! with rows of both sides. An ambiguous group links nothing. From a row the links are followed from edge to edge, never
//! back over the edge that was just crossed; the roles that are met are those that have the payment. So an order sees
//! its row at the institution and, beyond it, the bank's line; it does not see the other orders of the bank's line. A
//! payment without an order is told as such, also if it was settled in one sum with others that have theirs.
//!
//! Sources count by role: of two banks, one is enough. Where all sources have one role there is nothing to tell.
//!
//! What was carried in from an earlier result brings along who had it then, over the edges on which it is asked no more.
//!
//! Duplicates, reversed pairs, rejected records and rows that the rules leave out of every edge have no presence.

use serde::{Deserialize, Serialize};

use crate::entry::closed_list;
use crate::result::Total;
use crate::rules::SourceRole;

closed_list! {
    /// Which roles of the chain have a payment. Roles that the rules do not declare are not asked.
    Presence {
        /// Every role that the rules declare.
        All = "ALL",
        /// Order and institution, no bank.
        NoBank = "NO_BANK",
        /// Order and bank, no institution.
        NoInstitution = "NO_INSTITUTION",
        /// Institution and bank, no order.
        NoOrder = "NO_ORDER",
        /// The order only.
        OrderAlone = "ORDER_ALONE",
        /// The institution only.
        InstitutionAlone = "INSTITUTION_ALONE",
        /// The bank only.
        BankAlone = "BANK_ALONE",
    }
}

impl Presence {
    /// Whether a role that the rules declare has the payment.
    ///
    /// ```
    /// use quanfu_settlement::{presence::Presence, rules::SourceRole};
    /// assert!(Presence::NoBank.has(SourceRole::Order) && !Presence::NoBank.has(SourceRole::Bank));
    /// ```
    #[must_use]
    pub fn has(self, role: SourceRole) -> bool {
        match self {
            Self::All => true,
            Self::NoBank => role != SourceRole::Bank,
            Self::NoInstitution => role != SourceRole::Institution,
            Self::NoOrder => role != SourceRole::Order,
            Self::OrderAlone => role == SourceRole::Order,
            Self::InstitutionAlone => role == SourceRole::Institution,
            Self::BankAlone => role == SourceRole::Bank,
        }
    }
}

/// Rows of one source with one presence.
///
/// `rows` = `waiting` + `undecided` + `left_out` + those that are overdue; where nothing is lacking, all three are 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceLine {
    /// Who has the payment.
    pub state: Presence,
    /// The source of the rows.
    pub source: String,
    /// How many rows.
    pub rows: u64,
    /// Of these, rows that lack nothing but what may still come: it is carried (在途).
    pub waiting: u64,
    /// Of these, rows that would not lack anything overdue if an ambiguous set were decided.
    pub undecided: u64,
    /// Of these, rows of which no more is asked: the rules leave them out where they lack something, or they were carried
    /// in and an earlier result has told already that it is lacking.
    pub left_out: u64,
    /// Signed sums of all rows, by currency.
    pub totals: Vec<Total>,
}

impl PresenceLine {
    /// Rows that lack something, and it is overdue.
    #[must_use]
    pub fn overdue(&self) -> u64 {
        if self.state == Presence::All {
            return 0;
        }
        let excused = [self.waiting, self.undecided, self.left_out];
        excused
            .into_iter()
            .fold(self.rows, |rows, some| rows.saturating_sub(some))
    }
}
