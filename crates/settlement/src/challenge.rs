//! What came of a challenge: `quanfu.challenge/1`.
//!
//! A challenge plants payments whose truth is known into made-up days, has them reconciled under a user's own rules,
//! and counts what these rules found and what they confirmed wrongly.

use quanfu_calendar::Date;
use quanfu_money::Currency;
use serde::{Deserialize, Serialize};

use crate::book::RecordId;
use crate::entry::closed_list;
use crate::outcome::Outcome;
use crate::result::written;

/// Schema name of challenges.
pub const SCHEMA: &str = "quanfu.challenge/1";

closed_list! {
    /// What is odd about planted rows.
    ChallengeClass {
        /// Nothing: one row of each side with a key of its own.
        Plain = "plain",
        /// The bank's amount is less the fee.
        FeeInside = "fee_inside",
        /// One side has it behind midnight or the cut-off, the other a day later.
        DayShifted = "day_shifted",
        /// No key: merchant, amount and day only.
        TokenOnly = "token_only",
        /// One order, two or three captures with its key.
        PartialCaptures = "partial_captures",
        /// One order, equal captures on three days.
        Instalments = "instalments",
        /// A payment and a refund of a part of it.
        RefundPartial = "refund_partial",
        /// Two refunds that are together more than the payment.
        RefundOver = "refund_over",
        /// A refund whose payment is in no file.
        RefundOrphan = "refund_orphan",
        /// The other side comes in the files of the next day.
        Late = "late",
        /// One side delivers the row twice, the same in every field.
        DeliveredTwice = "delivered_twice",
        /// One order, two payments of its amount.
        PaidTwice = "paid_twice",
        /// One character of the key is another.
        KeyTypo = "key_typo",
        /// Two neighbouring characters of the key stand the other way round.
        KeySwapped = "key_swapped",
        /// The key's last characters are missing.
        KeyCut = "key_cut",
        /// The key stands inside a longer text.
        KeyInText = "key_in_text",
        /// Another payment has the same key.
        KeyReused = "key_reused",
        /// Keys that follow each other, same merchant, amount and day: the outer two do not belong together.
        KeyNeighbour = "key_neighbour",
        /// The amounts differ by one minor unit.
        OffByOne = "off_by_one",
        /// The same figure in another currency: must not be confirmed.
        CurrencyOther = "currency_other",
        /// One side is missing.
        OneSided = "one_sided",
        /// Two or three payments of one merchant, amount and day, without a key: truly ambiguous.
        EqualAmounts = "equal_amounts",
        /// A row of each side whose counterparts are missing, of one merchant, amount and day: they do not belong
        /// together. Where rows have batches only: a bank line as large as one row of a batch that was not paid.
        Strangers = "strangers",
        /// One bank line for all rows of a batch.
        BatchExact = "batch_exact",
        /// Batches of three days that were cut at other moments than the rules say.
        BatchDrifting = "batch_drifting",
        /// A row is in the batch on one side only.
        BatchRowMissing = "batch_row_missing",
        /// Two bank lines for one batch.
        BatchTwoLines = "batch_two_lines",
    }
}

closed_list! {
    /// Why a class could not be planted on an edge.
    ChallengeGap {
        /// No rule compares single rows by a key.
        NoKeyRule = "no_key_rule",
        /// No rule adds up batches.
        NoBatchRule = "no_batch_rule",
        /// No rule compares rows without a key.
        NoTokenRule = "no_token_rule",
        /// No side is a bank.
        NoBank = "no_bank_side",
        /// The rules carry nothing into the next day, or the calendar has no next day.
        NoCarry = "no_carry",
        /// Batches have numbers, so no cut-off decides.
        BatchNumbers = "batch_numbers",
        /// The rows of a batch have no time of day.
        NoTime = "no_time",
        /// A key or text that the rules want cannot be made up: its pattern, normalisers or profile do not allow it.
        NoText = "no_text",
        /// The filters or the profile let no row of the kind, sign or currency pass.
        NoKind = "no_kind",
    }
}

/// What came of a class on an edge.
///
/// A pair is a left and a right row that belong together; every pair is counted in exactly one of `confirmed`,
/// `suggested`, `ambiguous`, `broken` and `open`: the best that any day gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassScore {
    /// The class.
    pub class: ChallengeClass,
    /// How often it was planted.
    pub planted: u64,
    /// Rows planted, on both sides.
    pub rows: u64,
    /// Pairs planted.
    pub pairs: u64,
    /// Of these, both rows in one confirmed group.
    pub confirmed: u64,
    /// Both rows in one suggestion.
    pub suggested: u64,
    /// Both rows in one ambiguous set.
    pub ambiguous: u64,
    /// Both rows in one break: found, and said not to agree.
    pub broken: u64,
    /// Not found.
    pub open: u64,
    /// Pairs of left and right rows, one of this class at least, that a confirmed group holds and that must not be there.
    pub wrong: u64,
    /// The same of suggestions.
    pub wrongly_suggested: u64,
}

impl ClassScore {
    /// A class of which nothing was seen yet.
    #[must_use]
    pub fn new(class: ChallengeClass) -> Self {
        Self {
            class,
            planted: 0,
            rows: 0,
            pairs: 0,
            confirmed: 0,
            suggested: 0,
            ambiguous: 0,
            broken: 0,
            open: 0,
            wrong: 0,
            wrongly_suggested: 0,
        }
    }

    /// Counts a pair that belongs together; `None`: not found.
    pub fn count(&mut self, found: Option<Outcome>) {
        self.pairs += 1;
        *match found {
            Some(Outcome::Confirmed) => &mut self.confirmed,
            Some(Outcome::Suggested) => &mut self.suggested,
            Some(Outcome::Ambiguous) => &mut self.ambiguous,
            Some(Outcome::Break) => &mut self.broken,
            Some(
                Outcome::Carried
                | Outcome::Duplicate
                | Outcome::Reversed
                | Outcome::Excluded
                | Outcome::Rejected,
            )
            | None => &mut self.open,
        } += 1;
    }
}

/// A class that could not be planted on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The class.
    pub class: ChallengeClass,
    /// Why.
    pub why: ChallengeGap,
}

/// What came of an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeScore {
    /// Its name.
    pub name: String,
    /// Left source.
    pub left: String,
    /// Right source.
    pub right: String,
    /// Every class that was planted, in the order of [`ChallengeClass::ALL`].
    pub classes: Vec<ClassScore>,
    /// The others.
    pub left_out: Vec<LeftOut>,
    /// Pairs in confirmed groups.
    pub confirmed_pairs: u64,
    /// Of these, pairs that must not be there.
    pub wrong: u64,
}

/// One row of a wrong pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongRow {
    /// Its source.
    pub source: String,
    /// Its name in the result.
    pub record: RecordId,
    /// What it was planted as.
    pub class: ChallengeClass,
    /// Signed amount, at the currency's full scale.
    pub amount: String,
    /// Currency.
    pub currency: Currency,
    /// Accounting day by the rules.
    pub day: Option<Date>,
}

/// A left and a right row that a confirmed group holds and that do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongPair {
    /// The edge.
    pub edge: String,
    /// The rule that confirmed.
    pub rule: Option<String>,
    /// Business day of the run.
    pub as_of: Date,
    /// Name of the group.
    pub group: String,
    /// Its rows on both sides.
    pub members: [u32; 2],
    /// The left row.
    pub left: WrongRow,
    /// The right row.
    pub right: WrongRow,
}

/// What came of a challenge (`quanfu.challenge/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChallengeDoc {
    /// `quanfu.challenge/1`.
    pub schema: String,
    /// The engine and its version, such as `quanfu 0.1.0`.
    pub engine: String,
    /// Name of the rules.
    pub rules: String,
    /// The seed: the same rules, seed and number of rows make the same days.
    pub seed: u64,
    /// Rows planted, in all sources and days.
    pub rows: u64,
    /// Business days that were run, one after the other.
    pub days: Vec<Date>,
    /// What came of each edge.
    pub edges: Vec<EdgeScore>,
    /// Pairs in confirmed groups that must not be there.
    pub wrong: u64,
    /// The first of them, at most ten.
    pub wrong_pairs: Vec<WrongPair>,
}

impl ChallengeDoc {
    /// The document as it is written: JSON with two blanks of indent and a final line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(self)
    }
}
