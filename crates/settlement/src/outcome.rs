//! What came of every record: on each edge of its source exactly one outcome.

use std::fmt;

use quanfu_calendar::Date;
use quanfu_money::{Currency, MoneySum};

use crate::book::Book;
use crate::entry::closed_list;

closed_list! {
    /// Whose side the words for too much and too little take.
    Viewpoint {
        /// The shop or platform.
        Platform = "platform",
        /// The payment institution.
        Institution = "institution",
        /// The bank.
        Bank = "bank",
    }
}

closed_list! {
    /// How a rule matches.
    PassKind {
        /// One row of each side has the key.
        UniqueKey = "unique_key",
        /// One bank line for all rows of the key: their sum net of fees and refunds.
        NetBatch = "net_batch",
        /// No key: same currency and amount, days within the window, and an identity token; unique both ways.
        ExactToken = "exact_token",
        /// All rows of both sides that have the key, if their sums tie.
        KeyGroup = "key_group",
        /// One bank line for rows that stand one after the other in time, if there is one such run only.
        RunBatch = "run_batch",
        /// The key with a slip: inside a text, cut, or one character wrong; same amount; unique both ways.
        NearKey = "near_key",
        /// Pairs within a tolerance, at the least cost over all rows that hang together.
        Assignment = "assignment",
        /// One line for several rows of a pool that add up to it, if there is one such set only.
        Subset = "subset",
    }
}

impl PassKind {
    /// Whether the pass takes rows by their whole key, so that two different keys speak against a match.
    #[must_use]
    pub fn is_by_key(self) -> bool {
        matches!(self, Self::UniqueKey | Self::KeyGroup)
    }

    /// Whether the pass looks through combinations of rows within the bounds of its rule.
    #[must_use]
    pub fn is_search(self) -> bool {
        matches!(self, Self::RunBatch | Self::Subset)
    }
}

closed_list! {
    /// What came of a record on an edge.
    Outcome {
        /// It agrees with the other side; every difference has a cause.
        Confirmed = "confirmed",
        /// It may agree; a person must look.
        Suggested = "suggested",
        /// More than one counterpart fits equally well; nothing was guessed.
        Ambiguous = "ambiguous",
        /// No counterpart yet, and it is not overdue (在途).
        Carried = "carried",
        /// It does not agree (差异).
        Break = "break",
        /// The same record delivered again; out of the sums.
        Duplicate = "duplicate",
        /// Undone by another record of the same source (冲正).
        Reversed = "reversed",
        /// The rules leave it out of this edge.
        Excluded = "excluded",
        /// It could not be read.
        Rejected = "rejected",
    }
}

closed_list! {
    /// Neutral codes of what is not simply confirmed. Chinese labels depend on the viewpoint and stand in the label data.
    BreakCode {
        /// Money arrived, and no order is paid (渠道单边).
        OnlyChannel = "ONLY_CHANNEL",
        /// The order is paid, and the channel has no row (平台单边).
        OnlyPlatform = "ONLY_PLATFORM",
        /// A bank line without a record of the institution (资金单边).
        OnlyBank = "ONLY_BANK",
        /// A record or batch of the institution without a bank line (未达账项).
        OnlyPspBatch = "ONLY_PSP_BATCH",
        /// The channel's amount is greater than booked (金额不符).
        AmountChannelMore = "AMOUNT_CHANNEL_MORE",
        /// The channel's amount is smaller than booked (金额不符).
        AmountChannelLess = "AMOUNT_CHANNEL_LESS",
        /// Paid on one side, pending or failed on the other (状态不符).
        StatusMismatch = "STATUS_MISMATCH",
        /// The same payment in neighbouring accounting days (日切差异).
        Cutoff = "CUTOFF",
        /// A record delivered twice; out of the sums (重复记录).
        DuplicateRecord = "DUPLICATE_RECORD",
        /// One order, two payments, both in the sums; a refund is advised (重复支付).
        DuplicatePayment = "DUPLICATE_PAYMENT",
        /// A refund on one side only, or without its original (退款错配).
        RefundMislink = "REFUND_MISLINK",
        /// The fee is not what it should be (手续费差异).
        FeeDiff = "FEE_DIFF",
        /// Settled is not amount times rate (汇率差异).
        FxDiff = "FX_DIFF",
        /// The currencies differ (币种不符).
        CurrencyMismatch = "CURRENCY_MISMATCH",
        /// The bank's sum is not the net of the batch (净额结算不平).
        BatchNetDiff = "BATCH_NET_DIFF",
        /// Both legs inside one source net to zero (冲正).
        ReversedPair = "REVERSED_PAIR",
        /// Totals or balances of the file do not tie (文件异常).
        FileError = "FILE_ERROR",
        /// Several rows of one side have the key, and nothing decides between them (键不唯一).
        AmbiguousKey = "AMBIGUOUS_KEY",
        /// Several rows fit by token, amount and day (候选不唯一).
        AmbiguousToken = "AMBIGUOUS_TOKEN",
        /// Key and amount agree, the days lie further apart than declared (日期超窗).
        DateOutsideWindow = "DATE_OUTSIDE_WINDOW",
        /// A rule that may only suggest found it (规则仅建议).
        RuleSuggests = "RULE_SUGGESTS",
        /// Several sets of rows add up to the line (组合不唯一).
        AmbiguousSubset = "AMBIGUOUS_SUBSET",
        /// The bounds of the search ended before it could be decided (未能判定).
        NotDecided = "NOT_DECIDED",
        /// It fits and is the only one that does, but may well be chance (证据不足).
        WeakEvidence = "WEAK_EVIDENCE",
        /// A decision took its group apart; no rule looks at it until it is linked again (重新打开).
        Reopened = "REOPENED",
        /// Rows of one side came in part; the others may still come (部分到账).
        Partial = "PARTIAL",
    }
}

closed_list! {
    /// Which side of an edge.
    Side {
        /// The left source.
        Left = "left",
        /// The right source.
        Right = "right",
    }
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

closed_list! {
    /// How many rows of each side a group has.
    Relation {
        /// One and one.
        OneToOne = "1:1",
        /// One left, several right.
        OneToMany = "1:n",
        /// Several left, one right.
        ManyToOne = "n:1",
        /// Several and several.
        ManyToMany = "n:m",
        /// Rows of one side only.
        OneSided = "one_sided",
    }
}

/// One cause of a difference between right and left; all causes of a group add up to it exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `fee`, a tolerance's cause such as `rounding`, `to_come` for the parts that are
    /// still to come, a cause that a decision names, or `unexplained`; and where the sides
    /// have two currencies [`Cause::FX`] before all others, and what is wrong with the exchange: [`Cause::FX_RATE`],
    /// [`Cause::FX_ROUNDING`], [`Cause::FX_DIRECTION`], [`Cause::FX_PRICE`].
    pub name: String,
    /// Right minus left, for this cause. For `fx`: zero.
    pub minor: i64,
    /// Currency of `minor`.
    pub currency: Currency,
    /// For `fx`: the rate, as `1 USD = 7.1526 CNY`. For what is wrong with the exchange: what was taken in its place.
    pub note: Option<String>,
}

impl Cause {
    /// The sides have two currencies; all else is counted in that of the exchange's result, by the rate in the note.
    pub const FX: &'static str = "fx";
    /// The exchange was made by another rate, which a row names, or the table for another day.
    pub const FX_RATE: &'static str = "fx_rate";
    /// It was made by the rate, with another rounding.
    pub const FX_ROUNDING: &'static str = "fx_rounding";
    /// It was made by the rate in the wrong direction: multiplied in place of divided, or the reverse.
    pub const FX_DIRECTION: &'static str = "fx_direction";
    /// It was made of another amount, which the row with its result names.
    pub const FX_PRICE: &'static str = "fx_price";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = MoneySum::from_minor(self.minor.into(), self.currency);
        match &self.note {
            Some(note) if self.name == Self::FX => write!(f, "{}:{note}", self.name),
            Some(note) => write!(f, "{}:{} ({note})", self.name, amount.amount_text()),
            None => write!(f, "{}:{}", self.name, amount.amount_text()),
        }
    }
}

/// A predicate with what it saw: evidence for a match, or the first thing that kept two rows apart.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Name of the predicate: `key`, `currency`, `amount`, `status`, `window`, `token`, `kind`, `unique`, `proof`.
    pub predicate: String,
    /// What the left side had.
    pub left: String,
    /// What the right side had.
    pub right: String,
    /// Whether it held.
    pub holds: bool,
}

/// What came of one row on one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    /// The outcome.
    pub outcome: Outcome,
    /// The code, where there is one.
    pub code: Option<BreakCode>,
    /// Index of the rule in its edge, where a rule decided.
    pub rule: Option<u8>,
    /// Index of the group in [`EdgeOutcomes::groups`].
    pub group: Option<u32>,
}

/// How far a search went that found one set of rows, and what chance would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Rows that were looked through.
    pub pool: u32,
    /// Sets of at most so many rows were looked through; 0: runs of rows that follow each other in time.
    pub members: u8,
    /// And sets that leave out at most so many rows of the pool.
    pub left_out: u8,
    /// How many sets there are within these bounds; for several lines together, times the ways to take a line with others.
    pub sets: u64,
    /// How many of them would tie by chance alone, in millionths, rounded up: sets divided by the line's amount.
    pub chance_millionths: u64,
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "only one of {} ", self.sets)?;
        if self.members == 0 {
            write!(f, "runs")?;
        } else {
            match self.members {
                1 => write!(f, "sets of one row")?,
                members => write!(f, "sets of up to {members} rows")?,
            }
            if self.left_out > 0 {
                write!(f, " or all but {}", self.left_out)?;
            }
        }
        let (whole, rest) = (
            self.chance_millionths / 1_000_000,
            self.chance_millionths % 1_000_000,
        );
        write!(f, " of {}; by chance {whole}.{rest:06}", self.pool)
    }
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// First 64 bits of the SHA-256 of edge name, and sides and names of its members in order: the same in every run.
    pub id: u64,
    /// The outcome of its members.
    pub outcome: Outcome,
    /// The code, where there is one.
    pub code: Option<BreakCode>,
    /// Index of the rule in its edge, where a rule decided.
    pub rule: Option<u8>,
    /// Where its members begin in [`EdgeOutcomes::members`]: left rows first, then right rows, each in canonical order.
    pub first: u64,
    /// Number of left members.
    pub left: u32,
    /// Number of right members.
    pub right: u32,
    /// Right minus left of the compared figures, where both have one currency.
    pub difference: Option<MoneySum>,
    /// Its causes; they add up to `difference`.
    pub causes: Vec<Cause>,
    /// How it was searched for, where the pass searches.
    pub search: Option<Search>,
    /// For a line that several sets of rows fit: the first of these sets, rows of the other side in canonical order.
    pub alternatives: Vec<Vec<u32>>,
}

impl Group {
    /// The group's name, 16 hex digits.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:016x}", self.id)
    }

    /// How many rows of each side it has.
    #[must_use]
    pub fn relation(&self) -> Relation {
        match (self.left, self.right) {
            (0, _) | (_, 0) => Relation::OneSided,
            (1, 1) => Relation::OneToOne,
            (1, _) => Relation::OneToMany,
            (_, 1) => Relation::ManyToOne,
            _ => Relation::ManyToMany,
        }
    }
}

/// Why an open row is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhyNot {
    /// The nearest row of the other side, if any comes near.
    pub nearest: Option<u32>,
    /// The first predicate that kept the two apart.
    pub failed: Option<Reason>,
    /// For carried and overdue rows: the day until which it may be carried; `None`: not determinable, or no carry.
    pub due: Option<Date>,
    /// Whether `due` could not be determined because the calendar ends.
    pub due_not_determinable: bool,
    /// Age in business days at the business day of the run, if determinable.
    pub age: Option<u32>,
}

/// What came of all rows on one edge.
#[derive(Clone, Debug, Default)]
pub struct EdgeOutcomes {
    /// Outcomes of the left source's rows, by row.
    pub left: Vec<RowOutcome>,
    /// Outcomes of the right source's rows, by row.
    pub right: Vec<RowOutcome>,
    /// The groups, ordered by id.
    pub groups: Vec<Group>,
    /// Members of the groups.
    pub members: Vec<u32>,
    /// Why open left rows are open, by row.
    pub left_why: std::collections::BTreeMap<u32, WhyNot>,
    /// Why open right rows are open, by row.
    pub right_why: std::collections::BTreeMap<u32, WhyNot>,
    /// For rows whose outcome a person decided: the id of the decision.
    pub decided: std::collections::BTreeMap<(Side, u32), crate::digest::Digest>,
}

impl EdgeOutcomes {
    /// Left members of a group.
    #[must_use]
    pub fn left_members(&self, group: &Group) -> &[u32] {
        let first = group.first as usize;
        &self.members[first..first + group.left as usize]
    }

    /// Right members of a group.
    #[must_use]
    pub fn right_members(&self, group: &Group) -> &[u32] {
        let first = group.first as usize + group.left as usize;
        &self.members[first..first + group.right as usize]
    }

    /// Outcomes of one side.
    #[must_use]
    pub fn side(&self, side: Side) -> &[RowOutcome] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// Why the open rows of one side are open.
    #[must_use]
    pub fn why(&self, side: Side) -> &std::collections::BTreeMap<u32, WhyNot> {
        match side {
            Side::Left => &self.left_why,
            Side::Right => &self.right_why,
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcomes {
    /// The business day of the run.
    pub as_of: Date,
    /// One for each edge of the rules.
    pub edges: Vec<EdgeOutcomes>,
    /// Whether every proof of every input holds or is absent, and no record was rejected.
    pub trusted: bool,
    /// One for each source of the rules.
    pub books: Vec<Book>,
}
