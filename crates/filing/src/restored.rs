//! Restored declaration (还原申报): what was settled in one sum, and every original transaction behind it, linked and proved.
//!
//! This is a neutral model, no authority's format on the wire.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, BufWriter, Write};

use quanfu_calendar::Date;
use quanfu_codes::{ParameterRow, Parameters};
use quanfu_money::{Currency, Money, MoneySum, Rounding};
use quanfu_settlement::book::{FEE_GRAIN, fee_grains, fee_text};
use quanfu_settlement::rules::{AmountOf, RoundingPer, SourceRole};
use quanfu_settlement::table::push_text_cell;
use quanfu_settlement::{
    Book, Digest, DigestAlg, EntryKind, Hasher, Outcome, Outcomes, RecordId, RefRole, Rules, Side,
};
use serde::{Deserialize, Serialize};

use crate::list::closed_list;

/// Schema name of a restored declaration.
pub const SCHEMA: &str = "quanfu.restored/1";

closed_list! {
    /// What an original transaction is.
    OriginalKind {
        /// A payment.
        Payment = "payment",
        /// A refund.
        Refund = "refund",
        /// Overseas storage.
        Warehousing = "warehousing",
        /// Transport.
        Logistics = "logistics",
        /// Overseas tax.
        Tax = "tax",
        /// Anything else.
        Other = "other",
    }
}

/// A kind that may be netted against receipts on some days: a parameter named `netting_KIND` that is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NettingRule {
    /// What may be netted.
    pub kind: OriginalKind,
    /// The row that says so, with its days, its source and how sure it is.
    pub row: ParameterRow,
}

/// Ours, from parameters named `netting_KIND` that are 1: refunds, and overseas costs by 汇发〔2020〕11号.
#[must_use]
pub fn netting_rules(parameters: &Parameters) -> Vec<NettingRule> {
    let mut rules = Vec::new();
    for row in parameters.rows() {
        let name = row.name.strip_prefix("netting_");
        let kind = OriginalKind::ALL
            .iter()
            .find(|kind| name == Some(kind.code()));
        if let Some(&kind) = kind.filter(|_| !row.value.is_zero()) {
            let row = row.clone();
            rules.push(NettingRule { kind, row });
        }
    }
    rules
}

impl NettingRule {
    fn allows(&self, kind: OriginalKind, day: Date) -> bool {
        self.kind == kind && self.row.from <= day && self.row.until.is_none_or(|until| day <= until)
    }
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The record's name.
    pub record: String,
    /// Its file; empty for rows of a program.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Its line, counted from 1; 0 for rows of a program.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(line: &u32) -> bool {
    *line == 0
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.file.as_str() {
            "" => f.write_str(&self.record),
            file => write!(f, "{} ({file}:{})", self.record, self.line),
        }
    }
}

/// An original transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// The record and where it stands.
    pub place: Place,
    /// What it is.
    pub kind: OriginalKind,
    /// Order number, if the record has one.
    pub order: Option<String>,
    /// For a refund: what it gives back.
    pub refunds: Option<String>,
    /// Accounting day of the record, if it has one.
    pub day: Option<Date>,
    /// Amount in minor units of the batch's currency: receipts +, payments -.
    pub minor: i64,
    /// Charge as written, in millionths of a minor unit; 0 where charges are no part of what is settled.
    pub fee_grains: i64,
}

/// A record of the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    /// The record and where it stands.
    pub place: Place,
    /// Value date, if the record has one.
    pub value_date: Option<Date>,
    /// Amount in minor units of the batch's currency: received +, paid -.
    pub minor: i64,
}

/// A part of the difference between what was settled and the originals, as the reconciliation explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// `fee` for the charges of the originals, `bank_fee` for other charges, or the name of a tolerance or of a decision's
    /// cause.
    pub cause: String,
    /// In minor units of the batch's currency; what lowers the settled sum is negative.
    pub minor: i64,
}

/// How the charges of the originals become whole minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRounding {
    /// The rounding.
    pub rounding: Rounding,
    /// Each charge by itself, or their sum once.
    pub per: RoundingPer,
}

impl FeeRounding {
    /// What charges in millionths of a minor unit make in minor units.
    fn total(self, grains: impl Iterator<Item = i64>) -> i128 {
        // whole for any sum of 64-bit charges
        let whole = |grains: i128| {
            let rounded = self.rounding.divide(grains, FEE_GRAIN.into());
            rounded.unwrap_or(i128::MAX)
        };
        let grains = grains.map(i128::from);
        match self.per {
            RoundingPer::Row => grains.map(whole).fold(0, i128::saturating_add),
            RoundingPer::Batch => whole(grains.sum()),
        }
    }
}

/// A sum that was settled, and the originals behind it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BatchText")]
pub struct Batch {
    /// Name of the group of the reconciliation.
    pub group: String,
    /// Value date of the bank: the latest of its records.
    pub value_date: Option<Date>,
    /// Currency.
    pub currency: Currency,
    /// What the bank settled, in minor units: received +, paid -.
    pub settled_minor: i64,
    /// Records of the bank.
    pub actual: Vec<Actual>,
    /// What settled and originals differ by.
    pub charges: Vec<Charge>,
    /// How charges round to minor units; `None`: charges of the originals are no part of what is settled.
    pub fees_round: Option<FeeRounding>,
    /// How many originals there are.
    pub count: u64,
    /// The originals.
    pub originals: Vec<Original>,
}

impl Batch {
    /// The day for which rules are asked: the value date of the bank, or the given one.
    #[must_use]
    pub fn day(&self, otherwise: Date) -> Date {
        self.value_date.unwrap_or(otherwise)
    }

    /// What was settled.
    #[must_use]
    pub fn settled(&self) -> Money {
        Money::from_minor(self.settled_minor, self.currency)
    }

    /// An amount of the batch's currency.
    #[must_use]
    pub fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.currency)
    }

    /// Originals and charges together, in minor units; conserved if it is what was settled.
    #[must_use]
    pub fn explained(&self) -> i128 {
        let originals = self.originals.iter().map(|o| i128::from(o.minor));
        let charges = self.charges.iter().map(|c| i128::from(c.minor));
        originals.chain(charges).sum()
    }
}

/// A batch as it is written: amounts as texts at the currency's full scale.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchText {
    group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_date: Option<Date>,
    currency: Currency,
    settled: String,
    actual: Vec<ActualText>,
    charges: Vec<ChargeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fees_round: Option<FeeRounding>,
    count: u64,
    originals: Vec<OriginalText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActualText {
    record: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    file: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    line: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_date: Option<Date>,
    amount: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargeText {
    cause: String,
    amount: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginalText {
    record: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    file: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    line: u32,
    kind: OriginalKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunds: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    amount: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee: Option<String>,
}

impl Serialize for Batch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let amount = |minor| self.money(minor).amount_text();
        BatchText {
            group: self.group.clone(),
            value_date: self.value_date,
            currency: self.currency,
            settled: amount(self.settled_minor),
            actual: self
                .actual
                .iter()
                .map(|actual| ActualText {
                    record: actual.place.record.clone(),
                    file: actual.place.file.clone(),
                    line: actual.place.line,
                    value_date: actual.value_date,
                    amount: amount(actual.minor),
                })
                .collect(),
            charges: self
                .charges
                .iter()
                .map(|charge| ChargeText {
                    cause: charge.cause.clone(),
                    amount: amount(charge.minor),
                })
                .collect(),
            fees_round: self.fees_round,
            count: self.count,
            originals: self
                .originals
                .iter()
                .map(|original| OriginalText {
                    record: original.place.record.clone(),
                    file: original.place.file.clone(),
                    line: original.place.line,
                    kind: original.kind,
                    order: original.order.clone(),
                    refunds: original.refunds.clone(),
                    day: original.day,
                    amount: amount(original.minor),
                    fee: (original.fee_grains != 0)
                        .then(|| fee_text(original.fee_grains, self.currency)),
                })
                .collect(),
        }
        .serialize(serializer)
    }
}

/// An amount at the currency's full scale.
pub(crate) fn minor_of(text: &str, currency: Currency) -> Result<i64, String> {
    let money = format!("{text} {currency}").parse::<Money>();
    let money = money.map_err(|error| error.to_string())?;
    if money.amount_text() == text {
        Ok(money.minor())
    } else {
        let right = money.amount_text();
        Err(format!("{text:?} is written {right:?}"))
    }
}

impl TryFrom<BatchText> for Batch {
    type Error = String;

    fn try_from(text: BatchText) -> Result<Self, String> {
        let currency = text.currency;
        let minor = |text: &str| minor_of(text, currency);
        let mut actual = Vec::with_capacity(text.actual.len());
        for one in text.actual {
            actual.push(Actual {
                minor: minor(&one.amount)?,
                value_date: one.value_date,
                place: Place {
                    record: one.record,
                    file: one.file,
                    line: one.line,
                },
            });
        }
        let mut charges = Vec::with_capacity(text.charges.len());
        for one in text.charges {
            let minor = minor(&one.amount)?;
            charges.push(Charge {
                cause: one.cause,
                minor,
            });
        }
        let mut originals = Vec::with_capacity(text.originals.len());
        for one in text.originals {
            let fee_grains = match &one.fee {
                None => 0,
                Some(fee) => {
                    let grains = fee
                        .parse()
                        .ok()
                        .and_then(|fee| fee_grains(fee, currency))
                        .filter(|grains| *grains != 0 && fee_text(*grains, currency) == *fee);
                    grains.ok_or_else(|| {
                        format!("record {}: {fee:?} is no charge of {currency}", one.record)
                    })?
                }
            };
            originals.push(Original {
                minor: minor(&one.amount)?,
                fee_grains,
                kind: one.kind,
                order: one.order,
                refunds: one.refunds,
                day: one.day,
                place: Place {
                    record: one.record,
                    file: one.file,
                    line: one.line,
                },
            });
        }
        Ok(Self {
            settled_minor: minor(&text.settled)?,
            group: text.group,
            value_date: text.value_date,
            currency,
            actual,
            charges,
            fees_round: text.fees_round,
            count: text.count,
            originals,
        })
    }
}

/// Records of a source that are not declared, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotDeclared {
    /// The source.
    pub source: String,
    /// Their outcome, such as `break`; of confirmed records, `several-currencies` or `one-sided`.
    pub reason: String,
    /// Currency; none of rejected records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How many.
    pub count: u64,
    /// Signed sum of their amounts, at the currency's full scale; empty for rejected records.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sum: String,
}

/// Why a declaration does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Unsound {
    /// The document was changed after it was written.
    #[error("the document was changed after it was written")]
    Body,
    /// Originals and charges together are not what was settled.
    #[error("batch {group}: originals and charges make {found}, settled were {settled}")]
    Sum {
        /// The batch.
        group: String,
        /// Sum of originals and charges.
        found: String,
        /// What the bank settled.
        settled: String,
    },
    /// The records of the bank are not what was settled.
    #[error("batch {group}: the records of the bank make {found}, settled were {settled}")]
    Actual {
        /// The batch.
        group: String,
        /// Sum of the bank's records.
        found: String,
        /// What the bank settled.
        settled: String,
    },
    /// An original is missing or too much.
    #[error("batch {group}: {found} originals; {count} were declared")]
    Count {
        /// The batch.
        group: String,
        /// How many there are.
        found: u64,
        /// How many there should be.
        count: u64,
    },
    /// The charges of the originals do not make the charge of the batch.
    #[error(
        "batch {group}: the charges of its originals make {found}, those of the batch {charge}"
    )]
    Fee {
        /// The batch.
        group: String,
        /// Sum over the originals, rounded.
        found: String,
        /// Charge of the batch.
        charge: String,
    },
    /// A part of the difference that no original bears.
    #[error("batch {group}: {amount} are explained by {cause:?} alone, which no original bears")]
    Cause {
        /// The batch.
        group: String,
        /// The cause.
        cause: String,
        /// How much.
        amount: String,
    },
    /// Records of the bank have several value dates.
    #[error(
        "batch {group}: the records of the bank have several value dates, or not that of the batch"
    )]
    Days {
        /// The batch.
        group: String,
    },
    /// A record stands twice.
    #[error("record {place} is declared twice")]
    Twice {
        /// The record.
        place: Place,
    },
    /// A batch has no original.
    #[error("batch {group} has no original transaction")]
    Empty {
        /// The batch.
        group: String,
    },
    /// Something is netted that no rule allows on that day.
    #[error("batch {group}: {kind} of record {place} is netted, which no rule allows on {day}")]
    Netting {
        /// The batch.
        group: String,
        /// What it is.
        kind: OriginalKind,
        /// The record.
        place: Place,
        /// The value date.
        day: Date,
    },
    /// A refund does not say what it gives back.
    #[error("refund {place} does not name what it gives back")]
    Refund {
        /// The record.
        place: Place,
    },
}

impl Unsound {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "declaration-body",
        "declaration-sum",
        "declaration-actual",
        "declaration-count",
        "declaration-fee",
        "declaration-cause",
        "declaration-days",
        "declaration-twice",
        "declaration-empty",
        "declaration-netting",
        "declaration-refund",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body => "declaration-body",
            Self::Sum { .. } => "declaration-sum",
            Self::Actual { .. } => "declaration-actual",
            Self::Count { .. } => "declaration-count",
            Self::Fee { .. } => "declaration-fee",
            Self::Cause { .. } => "declaration-cause",
            Self::Days { .. } => "declaration-days",
            Self::Twice { .. } => "declaration-twice",
            Self::Empty { .. } => "declaration-empty",
            Self::Netting { .. } => "declaration-netting",
            Self::Refund { .. } => "declaration-refund",
        }
    }
}

closed_list! {
    /// What a declaration has otherwise than one that was made anew.
    Change {
        /// It is missing.
        Missing = "missing",
        /// It should not be there.
        Added = "added",
        /// It has other data.
        Changed = "changed",
    }
}

/// A place at which a declaration is not as one made anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Name of the batch; empty if it is about the document.
    pub group: String,
    /// The record; `None` if it is about the batch.
    pub place: Option<Place>,
    /// What is otherwise.
    pub change: Change,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.group, &self.place) {
            (group, _) if group.is_empty() => write!(f, "the document is {}", self.change),
            (group, None) => write!(f, "batch {group} is {}", self.change),
            (group, Some(place)) => write!(f, "batch {group}: record {place} is {}", self.change),
        }
    }
}

/// Why no declaration can be made of a reconciliation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no such edge, or its sources have no book.
    #[error("there is no edge {edge}")]
    Edge {
        /// Its index.
        edge: usize,
    },
    /// Not exactly one side of the edge is the bank's.
    #[error(
        "edge {edge} does not lead from records to a bank: one of its sources must have the role bank"
    )]
    Bank {
        /// Its name.
        edge: String,
    },
    /// A line speaks of a record that the inputs do not have, or not with that amount.
    #[error(
        "record {record} of source {source_name} is not in the inputs, or not with that amount"
    )]
    Record {
        /// The record.
        record: String,
        /// The source.
        source_name: String,
    },
    /// A record of the inputs has no outcome.
    #[error("record {place} of source {source_name} has no outcome on the edge")]
    Missing {
        /// The record.
        place: Place,
        /// The source.
        source_name: String,
    },
    /// A record has two outcomes.
    #[error("record {place} of source {source_name} has two outcomes on the edge")]
    Twice {
        /// The record.
        place: Place,
        /// The source.
        source_name: String,
    },
    /// A cause is no amount.
    #[error("group {group}: {text:?} is no cause with an amount")]
    Cause {
        /// The group.
        group: String,
        /// The text found.
        text: String,
    },
    /// A sum is too large.
    #[error("group {group} sums to more than an amount can hold")]
    TooLarge {
        /// The group.
        group: String,
    },
}

impl RestoreError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "restore-edge",
        "restore-bank",
        "restore-record",
        "restore-missing",
        "restore-twice",
        "restore-cause",
        "restore-too-large",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Edge { .. } => "restore-edge",
            Self::Bank { .. } => "restore-bank",
            Self::Record { .. } => "restore-record",
            Self::Missing { .. } => "restore-missing",
            Self::Twice { .. } => "restore-twice",
            Self::Cause { .. } => "restore-cause",
            Self::TooLarge { .. } => "restore-too-large",
        }
    }
}

/// What came of a record on the edge, as the outcomes table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeOf {
    /// Which side of the edge.
    pub side: Side,
    /// The record.
    pub record: RecordId,
    /// Its outcome.
    pub outcome: Outcome,
    /// Signed amount in minor units; `None` of a rejected record.
    pub minor: Option<i64>,
    /// Name of its group, or empty.
    pub group: String,
    /// Id of the rule, or empty.
    pub rule: String,
    /// Causes as the table writes them, such as `fee:-1.20;rounding:0.01`.
    pub causes: String,
}

/// Batches and their originals (`quanfu.restored/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// Always `quanfu.restored/1`.
    pub schema: String,
    /// Business day of the reconciliation.
    pub as_of: Date,
    /// The edge that leads to the bank.
    pub edge: String,
    /// `certificate.body` of the result that it was made from, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Digest>,
    /// The batches, by group.
    pub batches: Vec<Batch>,
    /// What is not declared, by source and reason.
    pub not_declared: Vec<NotDeclared>,
    /// Digest of this document as written, with this field's digest replaced by 64 zeros.
    pub body: Digest,
}

const ZERO: Digest = Digest {
    alg: DigestAlg::Sha256,
    bytes: [0; 32],
};

/// Rows of a group, as they come.
#[derive(Default)]
struct Draft {
    inner: Vec<u32>,
    bank: Vec<u32>,
    rule: String,
    causes: String,
}

/// Turns the outcomes of one edge into batches.
struct Desk<'b> {
    /// The side of the originals, and that of the bank.
    books: [&'b Book; 2],
    left_is_bank: bool,
    rows: [HashMap<RecordId, u32>; 2],
    seen: [Vec<bool>; 2],
    groups: BTreeMap<String, Draft>,
    left_out: BTreeMap<(usize, String, Option<Currency>), (u64, i128)>,
}

impl<'b> Desk<'b> {
    fn new(left: &'b Book, right: &'b Book, left_is_bank: bool) -> Self {
        let books = if left_is_bank {
            [right, left]
        } else {
            [left, right]
        };
        Self {
            books,
            left_is_bank,
            rows: books.map(|book| (0..book.len()).map(|row| (book.id(row), row)).collect()),
            seen: books.map(|book| vec![false; book.len() as usize]),
            groups: BTreeMap::new(),
            left_out: BTreeMap::new(),
        }
    }

    fn leave_out(&mut self, at: usize, reason: &str, currency: Option<Currency>, minor: i64) {
        let key = (at, reason.to_owned(), currency);
        let total = self.left_out.entry(key).or_default();
        *total = (total.0 + 1, total.1 + i128::from(minor));
    }

    fn take(&mut self, one: &OutcomeOf) -> Result<(), RestoreError> {
        let at = usize::from((one.side == Side::Left) == self.left_is_bank);
        let book = self.books[at];
        let Some(minor) = one.minor else {
            self.leave_out(at, one.outcome.code(), None, 0);
            return Ok(());
        };
        let row = self.rows[at].get(&one.record).copied();
        let row = row.filter(|&row| book.amounts()[row as usize] == minor);
        let Some(row) = row else {
            return Err(RestoreError::Record {
                record: one.record.to_string(),
                source_name: book.source().to_owned(),
            });
        };
        if std::mem::replace(&mut self.seen[at][row as usize], true) {
            return Err(RestoreError::Twice {
                place: place(book, row),
                source_name: book.source().to_owned(),
            });
        }
        if one.outcome != Outcome::Confirmed || one.group.is_empty() {
            self.leave_out(at, one.outcome.code(), Some(book.currency(row)), minor);
            return Ok(());
        }
        if !self.groups.contains_key(&one.group) {
            let draft = Draft {
                rule: one.rule.clone(),
                causes: one.causes.clone(),
                ..Draft::default()
            };
            self.groups.insert(one.group.clone(), draft);
        }
        if let Some(draft) = self.groups.get_mut(&one.group) {
            [&mut draft.inner, &mut draft.bank][at].push(row);
        }
        Ok(())
    }

    fn finish(
        mut self,
        rules: &Rules,
        edge: usize,
        as_of: Date,
        result: Option<Digest>,
    ) -> Result<Restored, RestoreError> {
        for (book, seen) in self.books.into_iter().zip(&self.seen) {
            if let Some(row) = seen.iter().position(|seen| !seen) {
                return Err(RestoreError::Missing {
                    place: place(book, row as u32),
                    source_name: book.source().to_owned(),
                });
            }
        }
        let mut batches = Vec::new();
        for (group, draft) in std::mem::take(&mut self.groups) {
            let [inner, bank] = self.books;
            let members = [(0, &draft.inner), (1, &draft.bank)];
            let currencies: BTreeSet<Currency> = members
                .iter()
                .flat_map(|(at, rows)| rows.iter().map(|&row| self.books[*at].currency(row)))
                .collect();
            let why = if draft.inner.is_empty() || draft.bank.is_empty() {
                Some("one-sided")
            } else {
                (currencies.len() > 1).then_some("several-currencies")
            };
            if let Some(why) = why {
                for (at, rows) in members {
                    for &row in rows {
                        let book = self.books[at];
                        let minor = book.amounts()[row as usize];
                        self.leave_out(at, why, Some(book.currency(row)), minor);
                    }
                }
                continue;
            }
            let Some(&currency) = currencies.first() else {
                continue;
            };
            let rule = rules.edges[edge].rules.iter();
            let rule = rule.into_iter().find(|rule| rule.id == draft.rule);
            let mut charges = charges(&draft.causes, currency).map_err(|text| {
                let group = group.clone();
                RestoreError::Cause { group, text }
            })?;
            if self.left_is_bank {
                // causes tell right minus left
                for charge in &mut charges {
                    let turned = charge.minor.checked_neg();
                    charge.minor = turned.ok_or_else(|| RestoreError::TooLarge {
                        group: group.clone(),
                    })?;
                }
            }
            let fees_round = rule.and_then(|rule| {
                let of_originals = if self.left_is_bank {
                    rule.right_amount
                } else {
                    rule.left_amount
                };
                let is_net = of_originals == AmountOf::Net;
                let round = FeeRounding {
                    rounding: rule.rounding,
                    per: if is_net {
                        RoundingPer::Row
                    } else {
                        rule.rounding_per
                    },
                };
                let total =
                    -round.total(draft.inner.iter().filter_map(|&row| inner.fee_grains(row)));
                if is_net {
                    let minor = i64::try_from(total).ok().filter(|minor| *minor != 0);
                    let cause = "fee".to_owned();
                    charges.extend(minor.map(|minor| Charge { cause, minor }));
                    return Some(round);
                }
                let fee = charges.iter_mut().find(|charge| charge.cause == "fee")?;
                if i128::from(fee.minor) == total {
                    return Some(round);
                }
                fee.cause = "bank_fee".to_owned();
                None
            });
            let mut batch = Batch {
                value_date: draft
                    .bank
                    .iter()
                    .filter_map(|&row| bank.value_date(row))
                    .max(),
                currency,
                settled_minor: 0,
                actual: draft.bank.iter().map(|&row| actual(bank, row)).collect(),
                charges,
                fees_round,
                count: draft.inner.len() as u64,
                originals: draft
                    .inner
                    .iter()
                    .map(|&row| original(inner, row, fees_round.is_some()))
                    .collect(),
                group,
            };
            let settled: i128 = batch.actual.iter().map(|one| i128::from(one.minor)).sum();
            batch.settled_minor = settled.try_into().map_err(|_| RestoreError::TooLarge {
                group: batch.group.clone(),
            })?;
            batch.originals.sort_by(|a, b| a.place.cmp(&b.place));
            batch.actual.sort_by(|a, b| a.place.cmp(&b.place));
            batches.push(batch);
        }
        let not_declared = self.left_out.into_iter();
        let not_declared = not_declared.map(|((at, reason, currency), (count, sum))| NotDeclared {
            source: self.books[at].source().to_owned(),
            reason,
            currency,
            count,
            sum: currency.map_or_else(String::new, |currency| {
                MoneySum::from_minor(sum, currency).amount_text()
            }),
        });
        Ok(Restored {
            schema: SCHEMA.to_owned(),
            as_of,
            edge: rules.edges[edge].name.clone(),
            result,
            batches,
            not_declared: not_declared.collect(),
            body: ZERO,
        }
        .sealed())
    }
}

fn place(book: &Book, row: u32) -> Place {
    Place {
        record: book.id(row).to_string(),
        file: book.file_name(row).to_owned(),
        line: book.at(row).line,
    }
}

fn actual(book: &Book, row: u32) -> Actual {
    Actual {
        place: place(book, row),
        value_date: book.value_date(row),
        minor: book.amounts()[row as usize],
    }
}

fn original(book: &Book, row: u32, has_fee: bool) -> Original {
    let minor = book.amounts()[row as usize];
    let text = |role| book.reference(row, role).map(str::to_owned);
    let order = text(RefRole::Order);
    Original {
        place: place(book, row),
        kind: match book.kind(row) {
            EntryKind::Payment => OriginalKind::Payment,
            EntryKind::Refund | EntryKind::Reversal | EntryKind::Chargeback => OriginalKind::Refund,
            EntryKind::Fee
            | EntryKind::Payout
            | EntryKind::Transfer
            | EntryKind::Fx
            | EntryKind::Adjustment
            | EntryKind::Reserve
            | EntryKind::Other => OriginalKind::Other,
        },
        refunds: text(RefRole::Original)
            .or_else(|| order.clone())
            .filter(|_| minor < 0),
        order,
        day: book.accounting_day(row),
        minor,
        fee_grains: book.fee_grains(row).filter(|_| has_fee).unwrap_or(0),
    }
}

/// Causes as the outcomes table writes them; those of nothing are left out. Gives the text of one that is no amount.
fn charges(causes: &str, currency: Currency) -> Result<Vec<Charge>, String> {
    let mut charges = Vec::new();
    for text in causes.split(';').filter(|text| !text.is_empty()) {
        let charge = text.split_once(':').and_then(|(cause, amount)| {
            let minor = minor_of(amount, currency).ok()?;
            let cause = cause.to_owned();
            Some(Charge { cause, minor })
        });
        let charge = charge.ok_or_else(|| text.to_owned())?;
        if charge.minor != 0 {
            charges.push(charge);
        }
    }
    Ok(charges)
}

impl Restored {
    /// The confirmed groups of an edge that leads to a bank, from what a run left in memory.
    ///
    /// # Errors
    ///
    /// Those of [`Restored::from_rows`].
    pub fn of(outcomes: &Outcomes, rules: &Rules, edge: usize) -> Result<Self, RestoreError> {
        let missing = || RestoreError::Edge { edge };
        let of_edge = outcomes.edges.get(edge).ok_or_else(missing)?;
        let named = rules.edges.get(edge).ok_or_else(missing)?;
        let left = outcomes.books.get(named.left).ok_or_else(missing)?;
        let right = outcomes.books.get(named.right).ok_or_else(missing)?;
        let mut names: HashMap<u32, (String, String)> = HashMap::new();
        let mut rows = Vec::new();
        for (side, book) in [(Side::Left, left), (Side::Right, right)] {
            for (row, outcome) in (0..book.len()).zip(of_edge.side(side)) {
                let group = outcome.group.map(|index| {
                    names.entry(index).or_insert_with(|| {
                        let group = &of_edge.groups[index as usize];
                        let causes: Vec<String> =
                            group.causes.iter().map(ToString::to_string).collect();
                        (group.name(), causes.join(";"))
                    })
                });
                let (group, causes) = group.map_or_else(Default::default, |known| known.clone());
                let rule = outcome
                    .rule
                    .map(|rule| named.rules[usize::from(rule)].id.clone());
                rows.push(OutcomeOf {
                    side,
                    record: book.id(row),
                    outcome: outcome.outcome,
                    minor: Some(book.amounts()[row as usize]),
                    group,
                    rule: rule.unwrap_or_default(),
                    causes,
                });
            }
            rows.extend(book.rejected().iter().map(|rejected| OutcomeOf {
                side,
                record: rejected.id,
                outcome: Outcome::Rejected,
                minor: None,
                group: String::new(),
                rule: String::new(),
                causes: String::new(),
            }));
        }
        Self::from_rows(rules, edge, [left, right], outcomes.as_of, None, rows)
    }

    /// The confirmed groups of an edge that leads to a bank: the bank's records are what was settled, those of the other
    /// side the originals. What is not confirmed is not declared, and counted. `books` are those of the edge's left and
    /// right source, `rows` the edge's lines of the outcomes table, `result` the digest of the
    /// result's body, if there is one.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]: above all if `rows` are not one for each record of the books.
    pub fn from_rows(
        rules: &Rules,
        edge: usize,
        [left, right]: [&Book; 2],
        as_of: Date,
        result: Option<Digest>,
        rows: impl IntoIterator<Item = OutcomeOf>,
    ) -> Result<Self, RestoreError> {
        let named = rules.edges.get(edge);
        let named = named.ok_or(RestoreError::Edge { edge })?;
        let is_bank = |source: usize| rules.sources[source].role == SourceRole::Bank;
        let left_is_bank = is_bank(named.left);
        if left_is_bank == is_bank(named.right) {
            let edge = named.name.clone();
            return Err(RestoreError::Bank { edge });
        }
        let mut desk = Desk::new(left, right, left_is_bank);
        for row in rows {
            desk.take(&row)?;
        }
        desk.finish(rules, edge, as_of, result)
    }

    /// Fills in `body`.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.body = self.body_digest();
        self
    }

    /// What `body` must be.
    #[must_use]
    pub fn body_digest(&self) -> Digest {
        let zeroed = Outline {
            schema: &self.schema,
            as_of: self.as_of,
            edge: &self.edge,
            result: self.result,
            batches: &self.batches,
            not_declared: &self.not_declared,
            body: ZERO,
        };
        // never as one text: that of a month has hundreds of megabytes
        let mut pen = BufWriter::with_capacity(1 << 16, Hasher::new(DigestAlg::Sha256));
        let done = write_pretty(&zeroed, &mut pen).and_then(|()| Ok(pen.into_inner()?));
        let hasher = done.expect("texts, whole numbers and lists; and a digest takes all bytes");
        hasher.finish()
    }

    /// All reasons why the declaration does not hold, sorted; none: sums are conserved, nothing is missing or twice, and
    /// nothing is netted that no rule allows.
    #[must_use]
    pub fn check(&self, netting: &[NettingRule]) -> Vec<Unsound> {
        let mut found = Vec::new();
        if self.body != self.body_digest() {
            found.push(Unsound::Body);
        }
        let places = |batch: &Batch| batch.originals.len() + batch.actual.len();
        let places = self.batches.iter().map(places).sum();
        let mut seen = HashMap::<(bool, &str), u32>::with_capacity(places);
        for batch in &self.batches {
            self.check_batch(batch, netting, &mut found);
            let originals = batch.originals.iter().map(|one| (false, &one.place));
            let actual = batch.actual.iter().map(|one| (true, &one.place));
            for (side, place) in originals.chain(actual) {
                let times = seen.entry((side, &place.record)).or_default();
                *times += 1;
                if *times == 2 {
                    let place = place.clone();
                    found.push(Unsound::Twice { place });
                }
            }
        }
        found.sort();
        found
    }

    fn check_batch(&self, batch: &Batch, netting: &[NettingRule], found: &mut Vec<Unsound>) {
        let group = &batch.group;
        let money = |minor: i128| MoneySum::from_minor(minor, batch.currency).to_string();
        let count = batch.originals.len() as u64;
        if count == 0 {
            let group = group.clone();
            found.push(Unsound::Empty { group });
        }
        if count != batch.count {
            found.push(Unsound::Count {
                group: group.clone(),
                found: count,
                count: batch.count,
            });
        }
        let settled = i128::from(batch.settled_minor);
        let explained = batch.explained();
        if explained != settled {
            found.push(Unsound::Sum {
                group: group.clone(),
                found: money(explained),
                settled: money(settled),
            });
        }
        let actual: i128 = batch.actual.iter().map(|one| i128::from(one.minor)).sum();
        if actual != settled || batch.actual.is_empty() {
            found.push(Unsound::Actual {
                group: group.clone(),
                found: money(actual),
                settled: money(settled),
            });
        }
        let mut dates = batch.actual.iter().map(|one| one.value_date);
        if !dates.all(|date| date == batch.value_date) {
            let group = group.clone();
            found.push(Unsound::Days { group });
        }
        self.check_charges(batch, found);
        let day = batch.day(self.as_of);
        let receives = batch.originals.iter().any(|original| original.minor > 0);
        for original in &batch.originals {
            let allowed = |rule: &NettingRule| rule.allows(original.kind, day);
            if receives && original.minor < 0 && !netting.iter().any(allowed) {
                found.push(Unsound::Netting {
                    group: group.clone(),
                    kind: original.kind,
                    place: original.place.clone(),
                    day,
                });
            }
            if original.kind == OriginalKind::Refund && original.refunds.is_none() {
                let place = original.place.clone();
                found.push(Unsound::Refund { place });
            }
        }
    }

    /// The charges of the originals, rounded as the batch says, make its charge; no other cause is left.
    fn check_charges(&self, batch: &Batch, found: &mut Vec<Unsound>) {
        let money = |minor: i128| MoneySum::from_minor(minor, batch.currency).to_string();
        let fees = || batch.originals.iter().map(|original| original.fee_grains);
        let mut charge = 0;
        for one in &batch.charges {
            if one.cause == "fee" {
                charge -= i128::from(one.minor);
            } else {
                found.push(Unsound::Cause {
                    group: batch.group.clone(),
                    cause: one.cause.clone(),
                    amount: money(i128::from(one.minor)),
                });
            }
        }
        let found_fee = batch.fees_round.map_or(0, |round| round.total(fees()));
        let has_none = || fees().all(|grains| grains == 0);
        if found_fee != charge || (batch.fees_round.is_none() && !has_none()) {
            found.push(Unsound::Fee {
                group: batch.group.clone(),
                found: money(found_fee),
                charge: money(charge),
            });
        }
    }

    /// Where this is not as `anew`, which was made from the result and its inputs again; sorted.
    #[must_use]
    pub fn differences(&self, anew: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let note = |found: &mut Vec<Difference>, group: &str, place: Option<&Place>, change| {
            found.push(Difference {
                group: group.to_owned(),
                place: place.cloned(),
                change,
            });
        };
        let [mine, theirs] = [self, anew].map(|one| {
            let batches = one.batches.iter();
            let batches = batches.map(|batch| (batch.group.as_str(), batch));
            batches.collect::<BTreeMap<_, _>>()
        });
        for (group, batch) in &mine {
            let Some(other) = theirs.get(group) else {
                note(&mut found, group, None, Change::Added);
                continue;
            };
            if batch == other {
                continue;
            }
            let before = found.len();
            let [records, wanted] = [batch, other].map(|batch| {
                let originals = batch.originals.iter();
                let originals = originals.map(|o| (o.place.record.as_str(), o));
                originals.collect::<BTreeMap<_, _>>()
            });
            for (record, original) in &records {
                match wanted.get(record) {
                    None => note(&mut found, group, Some(&original.place), Change::Added),
                    Some(other) if other != original => {
                        note(&mut found, group, Some(&other.place), Change::Changed);
                    }
                    Some(_) => {}
                }
            }
            for (record, original) in &wanted {
                if !records.contains_key(record) {
                    note(&mut found, group, Some(&original.place), Change::Missing);
                }
            }
            let mut once = BTreeSet::new();
            for original in &batch.originals {
                if !once.insert(&original.place.record) {
                    note(&mut found, group, Some(&original.place), Change::Added);
                }
            }
            if found.len() == before {
                note(&mut found, group, None, Change::Changed);
            }
        }
        for group in theirs.keys().filter(|group| !mine.contains_key(*group)) {
            note(&mut found, group, None, Change::Missing);
        }
        if found.is_empty() && self != anew {
            note(&mut found, "", None, Change::Changed);
        }
        found.sort();
        found
    }

    /// What is netted by which rule: kind, row, how many, and their sum; one line for each kind, row and currency.
    #[must_use]
    pub fn netted<'r>(&self, netting: &'r [NettingRule]) -> Vec<(&'r NettingRule, u64, MoneySum)> {
        let mut totals = BTreeMap::<(usize, Currency), (u64, i128)>::new();
        for batch in &self.batches {
            if !batch.originals.iter().any(|original| original.minor > 0) {
                continue;
            }
            let day = batch.day(self.as_of);
            for original in batch.originals.iter().filter(|one| one.minor < 0) {
                let rule = netting
                    .iter()
                    .position(|rule| rule.allows(original.kind, day));
                if let Some(rule) = rule {
                    let total = totals.entry((rule, batch.currency)).or_default();
                    *total = (total.0 + 1, total.1 + i128::from(original.minor));
                }
            }
        }
        totals
            .into_iter()
            .map(|((rule, currency), (count, sum))| {
                (&netting[rule], count, MoneySum::from_minor(sum, currency))
            })
            .collect()
    }

    /// One line for each original, with its batch. Amounts at the currency's full scale, charges as written.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::from(CSV_HEADER);
        text.push('\n');
        for batch in &self.batches {
            let amount = |minor| batch.money(minor).amount_text();
            let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
            let mut head = String::new();
            push_text_cell(&mut head, &batch.group);
            head.push_str(&format!(
                ",{},{},{},",
                day(batch.value_date),
                amount(batch.settled_minor),
                batch.currency.code()
            ));
            for original in &batch.originals {
                text.push_str(&head);
                push_text_cell(&mut text, &original.place.record);
                text.push(',');
                push_text_cell(&mut text, &original.place.file);
                text.push_str(&format!(",{},{},", original.place.line, original.kind));
                push_text_cell(&mut text, original.order.as_deref().unwrap_or_default());
                text.push(',');
                push_text_cell(&mut text, original.refunds.as_deref().unwrap_or_default());
                text.push_str(&format!(
                    ",{},{},{}\n",
                    day(original.day),
                    amount(original.minor),
                    fee_text(original.fee_grains, batch.currency)
                ));
            }
        }
        text
    }

    /// The declaration as JSON with two blanks of indent and a final line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(self)
    }

    /// Writes what [`Restored::to_json`] gives, piece by piece.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write_pretty(self, out)
    }

    /// Reads a declaration; unknown keys are errors. Whether it holds is asked with [`Restored::check`].
    ///
    /// # Errors
    ///
    /// What serde found, with line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let read: Self = serde_json::from_str(text)?;
        if read.schema != SCHEMA {
            let wrong = format!("the schema is {:?}; {SCHEMA:?} would be right", read.schema);
            return Err(serde::de::Error::custom(wrong));
        }
        Ok(read)
    }

    /// Totals by currency: settled, and originals with charges.
    #[must_use]
    pub fn totals(&self) -> Vec<(MoneySum, MoneySum)> {
        let mut totals = BTreeMap::<Currency, (i128, i128)>::new();
        for batch in &self.batches {
            let entry = totals.entry(batch.currency).or_default();
            entry.0 += i128::from(batch.settled_minor);
            entry.1 += batch.explained();
        }
        let sum = MoneySum::from_minor;
        totals
            .into_iter()
            .map(|(c, (settled, of))| (sum(settled, c), sum(of, c)))
            .collect()
    }
}

/// The columns of [`Restored::to_csv`].
const CSV_HEADER: &str =
    "batch,value_date,settled,currency,record,file,line,kind,order,refunds,day,amount,fee";

/// The document with another body.
#[derive(Serialize)]
struct Outline<'d> {
    schema: &'d str,
    as_of: Date,
    edge: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Digest>,
    batches: &'d [Batch],
    not_declared: &'d [NotDeclared],
    body: Digest,
}

/// A document as all documents are written; one that has texts and whole numbers only can always be.
pub(crate) fn written(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    let mut text = text.expect("the document holds texts, whole numbers and lists only");
    text.push('\n');
    text
}

fn write_pretty(document: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    out.write_all(b"\n")
}
