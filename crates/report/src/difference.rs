//! What changed from one result to another (`quanfu.diff/1`).
//!
//! Two results are compared by names that are the same in every run: a record's name, a group's name (of its members),
//! a position's fingerprint. First it is told what the two runs were given; then, edge by edge, which groups were
//! confirmed in one only, which records stand elsewhere, and which open positions closed, opened or aged. What a
//! result does not know at all (yesterday's confirmed payments are no part of today's run) is told apart from what it
//! judges otherwise. Confirmed rows stand in the outcomes tables: without both of them only sums and open positions
//! are compared, and [`Difference::tables`] says so.
//!
//! What is carried on one edge is left out on the others the day after. So where the business days differ, a record that
//! an edge leaves out counts as not there.
//!
//! The comparison has no direction of its own: with old and new exchanged it is the same, mirrored.

mod tally;
mod view;

use std::collections::BTreeSet;

use quanfu_calendar::Date;
use quanfu_money::Currency;
use quanfu_settlement::result::{OpenPosition, SCHEMA as RESULT};
use quanfu_settlement::{Digest, Outcome, ResultDoc};
use serde::Serialize;

use crate::outcomes::OutcomesError;
use tally::Tally;

pub use view::{csv, json, table};

/// Schema name of a difference.
pub const SCHEMA: &str = "quanfu.diff/1";

/// A result with its outcomes table, if that is at hand.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The result.
    pub doc: &'a ResultDoc,
    /// Its outcomes table as written.
    pub table: Option<&'a str>,
}

/// Why two results cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceError {
    /// The document is of another schema.
    #[error("the {which} result has schema {found:?}; {RESULT:?} would be right")]
    Schema {
        /// `old` or `new`.
        which: &'static str,
        /// What it says.
        found: String,
    },
    /// The table is not the one that the result names.
    #[error("the table given for the {which} result is not the one that it names by its digest")]
    NotItsTable {
        /// `old` or `new`.
        which: &'static str,
    },
    /// The table cannot be read.
    #[error("outcomes table of the {which} result, {error}")]
    Table {
        /// `old` or `new`.
        which: &'static str,
        /// Line and reason.
        error: OutcomesError,
    },
    /// A sum of the document cannot be read.
    #[error("the {which} result: {text:?} is no sum of {currency}")]
    Sum {
        /// `old` or `new`.
        which: &'static str,
        /// As it stands.
        text: String,
        /// Its currency.
        currency: Currency,
    },
}

/// One thing as the old and as the new result have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// In the old result.
    pub old: T,
    /// In the new result.
    pub new: T,
}

impl<T: PartialEq> Pair<T> {
    /// Whether both are the same.
    #[must_use]
    pub fn same(&self) -> bool {
        self.old == self.new
    }
}

/// How the two results stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinship {
    /// One and the same result.
    Same,
    /// The new one follows the old one: days in a chain.
    Follows,
    /// The old one follows the new one.
    Precedes,
    /// The new one replaces the old one.
    Supersedes,
    /// The old one replaces the new one.
    SupersededBy,
    /// Neither names the other.
    None,
}

/// A result in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its business day.
    pub as_of: Date,
    /// Name of its rules.
    pub rules: String,
    /// Its `certificate.body`.
    pub body: Digest,
    /// Its outcome digest.
    pub outcome_digest: Digest,
    /// Whether its inputs can be trusted.
    pub trusted: bool,
}

/// Something that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// `engine`, `day`, `rules`, `profiles`, `calendar`, `inputs`, `predecessor`, `decisions`, `rates`.
    pub what: &'static str,
    /// Whether both runs had the same.
    pub same: bool,
    /// What they had: a name, a day or digests; empty for nothing.
    #[serde(flatten)]
    pub values: Pair<String>,
}

/// How a file of one run stands to the files of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputClass {
    /// Only the old run had it.
    OldOnly,
    /// Only the new run had it.
    NewOnly,
    /// Both had it, with other bytes: delivered again.
    OtherBytes,
}

/// An input that the runs do not share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputChange {
    /// The source.
    pub source: String,
    /// What the file is, apart from its bytes; its name where it does not tell.
    pub file: String,
    /// How it stands to the other run.
    pub class: InputClass,
    /// Its digests.
    #[serde(flatten)]
    pub digests: Pair<Option<Digest>>,
}

/// A number of rows and the sum of their amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Signed sum.
    pub sum: String,
}

/// Rows of one outcome, code and currency that are not the same in both summaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TotalChange {
    /// The source.
    pub source: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The code, where there is one.
    pub code: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// The rows of both.
    #[serde(flatten)]
    pub rows: Pair<Sum>,
    /// New sum minus old sum.
    pub change: String,
}

/// What became of a group that is not confirmed in the same way in both results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupClass {
    /// Confirmed before and not now, though the new run has records of it.
    Lost,
    /// Confirmed now and not before, though the old run had records of it.
    New,
    /// Confirmed by both, by another rule or with other causes.
    Explained,
    /// Confirmed now; the old run had none of its records.
    Arrived,
    /// Confirmed before; the new run has none of its records.
    Gone,
}

/// How a group was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupFacts {
    /// The rule's id; empty where no rule decided.
    pub rule: String,
    /// Right minus left.
    pub difference: String,
    /// Its causes.
    pub cause: String,
}

/// Rows of a source in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceSum {
    /// The source.
    pub source: String,
    /// Currency.
    pub currency: Currency,
    /// Rows and their sum.
    #[serde(flatten)]
    pub rows: Sum,
}

/// A group confirmed in one result only, or in both in two ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupChange {
    /// Its name.
    pub group: String,
    /// What became of it.
    pub class: GroupClass,
    /// How it was confirmed.
    #[serde(flatten)]
    pub facts: Pair<Option<GroupFacts>>,
    /// Its rows.
    pub rows: Vec<SourceSum>,
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Standing {
    /// The outcome.
    pub outcome: Outcome,
    /// The code; empty where there is none.
    pub code: String,
    /// The group's name; empty where there is none.
    pub group: String,
}

/// A record that both runs have and that stands elsewhere now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The source.
    pub source: String,
    /// The record's name.
    pub record: String,
    /// Currency; empty for a record that could not be read.
    pub currency: String,
    /// Signed amount; empty for a record that could not be read.
    pub amount: String,
    /// Where it stood and stands.
    #[serde(flatten)]
    pub standing: Pair<Standing>,
}

/// What became of an open position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionClass {
    /// Open now and not before, though the old run had records of it. Without tables: open now and not before.
    Opened,
    /// Open in both, with another outcome, code, rule, difference or neighbour.
    Changed,
    /// Open in both; only its age is another.
    Aged,
    /// Open before and not now, though the new run has records of it; without tables: open before and not now.
    Closed,
    /// Open now; the old run had none of its records.
    Arrived,
    /// Open before; the new run has none of its records.
    Gone,
}

/// An open position in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionFacts {
    /// The outcome.
    pub outcome: Outcome,
    /// The code, where there is one.
    pub code: Option<String>,
    /// Earliest accounting day of its members.
    pub since: Option<Date>,
    /// Age in business days.
    pub age_business_days: Option<u32>,
    /// Until when it may be carried.
    pub due: Option<Date>,
    /// How many records.
    pub records: u64,
    /// The first reference of its first record.
    pub reference: Option<String>,
    /// What is at stake, without a sign.
    pub amount: Option<String>,
    /// Currency of `amount`.
    pub currency: Option<Currency>,
}

/// Records of a position in the result in which it is not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// How many.
    pub records: u64,
    /// Where they stand.
    #[serde(flatten)]
    pub standing: Standing,
}

/// A position that is open in one result only, or in both and not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionChange {
    /// Its fingerprint.
    pub fingerprint: String,
    /// What became of it.
    pub class: PositionClass,
    /// As it is open.
    #[serde(flatten)]
    pub facts: Pair<Option<PositionFacts>>,
    /// Where its records stand in the result in which it is not open, as far as that has them and its table tells.
    pub elsewhere: Vec<Elsewhere>,
}

/// Groups of a class, in sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupSum {
    /// The class.
    pub class: GroupClass,
    /// How many groups have such rows.
    pub groups: u64,
    /// Their rows.
    #[serde(flatten)]
    pub rows: SourceSum,
}

/// Records that moved in the same way, in sums. Records that could not be read have no currency and are not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedSum {
    /// Outcome in both.
    pub outcome: Pair<Outcome>,
    /// Code in both; empty where there is none.
    pub code: Pair<String>,
    /// Their rows.
    #[serde(flatten)]
    pub rows: SourceSum,
}

/// Positions of a class, in sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionSum {
    /// The class.
    pub class: PositionClass,
    /// Currency, if their amount can be told.
    pub currency: Option<Currency>,
    /// How many positions.
    pub positions: u64,
    /// What is at stake in each result; empty without a currency.
    #[serde(flatten)]
    pub at_stake: Pair<String>,
}

/// What changed on an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeDifference {
    /// Its name.
    pub edge: String,
    /// Whether the rules of each run have it.
    pub is_there: Pair<bool>,
    /// Totals that are not the same, from the summaries.
    pub totals: Vec<TotalChange>,
    /// Groups in sums.
    pub group_sums: Vec<GroupSum>,
    /// Records that moved, in sums.
    pub moved_sums: Vec<MovedSum>,
    /// Positions in sums.
    pub position_sums: Vec<PositionSum>,
    /// Groups by name.
    pub groups: Vec<GroupChange>,
    /// Records by source and name.
    pub moved: Vec<Moved>,
    /// Positions by fingerprint.
    pub positions: Vec<PositionChange>,
    /// Positions that are open in both and the same.
    pub same_positions: u64,
}

impl EdgeDifference {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_there.same()
            && self.totals.is_empty()
            && self.groups.is_empty()
            && self.moved.is_empty()
            && self.positions.is_empty()
    }
}

/// What changed from one result to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `quanfu.diff/1`.
    pub schema: &'static str,
    /// The runs.
    #[serde(flatten)]
    pub runs: Pair<Run>,
    /// How the two stand to each other.
    pub kinship: Kinship,
    /// Whether both outcomes tables were there; otherwise only sums and open positions are compared.
    pub tables: bool,
    /// What the runs were given.
    pub basis: Vec<Basis>,
    /// Inputs that they do not share.
    pub inputs: Vec<InputChange>,
    /// What changed, by edge.
    pub edges: Vec<EdgeDifference>,
}

impl Difference {
    /// Whether the two results say the same of every record, and their inputs can be trusted alike. Other inputs,
    /// rules or calendars that change no outcome are no difference.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.old.outcome_digest == self.runs.new.outcome_digest
            && self.runs.old.trusted == self.runs.new.trusted
            && self.edges.iter().all(EdgeDifference::is_empty)
    }

    /// What differs among the things that the runs were given.
    pub fn other_basis(&self) -> impl Iterator<Item = &'static str> {
        let other = self.basis.iter().filter(|basis| !basis.same);
        other.map(|basis| basis.what)
    }
}

/// Compares two results.
///
/// # Errors
///
/// [`DifferenceError`] for a document or table that is not what it should be.
pub fn difference(old: Given<'_>, new: Given<'_>) -> Result<Difference, DifferenceError> {
    for (which, given) in [("old", old), ("new", new)] {
        if given.doc.schema != RESULT {
            return Err(DifferenceError::Schema {
                which,
                found: given.doc.schema.clone(),
            });
        }
    }
    let same_day = old.doc.as_of == new.doc.as_of;
    let tallies = match (old.table, new.table) {
        (Some(old_table), Some(new_table)) => Some(Pair {
            old: Tally::of("old", old.doc, old_table, same_day)?,
            new: Tally::of("new", new.doc, new_table, same_day)?,
        }),
        _ => None,
    };
    let mut edges = Vec::new();
    for name in edge_names(old.doc, new.doc) {
        edges.push(tally::edge(&name, old.doc, new.doc, tallies.as_ref())?);
    }
    Ok(Difference {
        schema: SCHEMA,
        runs: Pair {
            old: run(old.doc),
            new: run(new.doc),
        },
        kinship: kinship(old.doc, new.doc),
        tables: tallies.is_some(),
        basis: basis(old.doc, new.doc),
        inputs: inputs(old.doc, new.doc),
        edges,
    })
}

/// The edges of both: in the order of the rules if that is the same, else by name.
fn edge_names(old: &ResultDoc, new: &ResultDoc) -> Vec<String> {
    let names = |doc: &ResultDoc| -> Vec<String> {
        doc.edges.iter().map(|edge| edge.name.clone()).collect()
    };
    let (old, new) = (names(old), names(new));
    if old == new {
        return old;
    }
    let all: BTreeSet<String> = old.into_iter().chain(new).collect();
    all.into_iter().collect()
}

fn run(doc: &ResultDoc) -> Run {
    Run {
        as_of: doc.as_of,
        rules: doc.rules.clone(),
        body: doc.certificate.body,
        outcome_digest: doc.certificate.outcome_digest,
        trusted: doc.trusted,
    }
}

fn kinship(old: &ResultDoc, new: &ResultDoc) -> Kinship {
    let (old, new) = (&old.certificate, &new.certificate);
    let names = |earlier: &Option<quanfu_settlement::result::Earlier>, body: Digest| {
        earlier.as_ref().is_some_and(|earlier| earlier.body == body)
    };
    if old.body == new.body {
        Kinship::Same
    } else if names(&new.after, old.body) {
        Kinship::Follows
    } else if names(&old.after, new.body) {
        Kinship::Precedes
    } else if names(&new.supersedes, old.body) {
        Kinship::Supersedes
    } else if names(&old.supersedes, new.body) {
        Kinship::SupersededBy
    } else {
        Kinship::None
    }
}

fn basis(old: &ResultDoc, new: &ResultDoc) -> Vec<Basis> {
    let profiles = |doc: &ResultDoc| {
        let all: Vec<String> = doc
            .profiles
            .iter()
            .map(|profile| format!("{} {}", profile.name, profile.digest))
            .collect();
        all.join(", ")
    };
    let inputs = |doc: &ResultDoc| {
        let all: BTreeSet<String> = doc
            .certificate
            .inputs
            .iter()
            .map(|input| format!("{} {}", input.source, input.digest))
            .collect();
        let all: Vec<String> = all.into_iter().collect();
        all.join(", ")
    };
    let after = |doc: &ResultDoc| {
        let after = doc.certificate.after.as_ref();
        after.map_or(String::new(), |after| {
            format!("{} {}", after.as_of, after.body)
        })
    };
    type Value<'v> = &'v dyn Fn(&ResultDoc) -> String;
    let decisions = |doc: &ResultDoc| {
        let decisions = doc.certificate.decisions.as_ref();
        decisions.map_or(String::new(), |decisions| decisions.log.to_string())
    };
    let rates = |doc: &ResultDoc| {
        let rates = doc.certificate.rates.as_ref();
        rates.map_or(String::new(), |rates| rates.digest.to_string())
    };
    let all: [(&'static str, Value<'_>); 9] = [
        ("engine", &|doc| doc.engine.clone()),
        ("day", &|doc| doc.as_of.to_string()),
        ("rules", &|doc| {
            format!("{} {}", doc.rules, doc.rules_document.digest)
        }),
        ("profiles", &profiles),
        ("calendar", &|doc| {
            format!("{} {}", doc.calendar.name, doc.calendar.digest)
        }),
        ("inputs", &inputs),
        ("predecessor", &after),
        ("decisions", &decisions),
        ("rates", &rates),
    ];
    all.into_iter()
        .map(|(what, value)| {
            let values = Pair {
                old: value(old),
                new: value(new),
            };
            Basis {
                what,
                same: values.same(),
                values,
            }
        })
        .collect()
}

/// Files by source and what they are; files without an identity by their bytes.
fn inputs(old: &ResultDoc, new: &ResultDoc) -> Vec<InputChange> {
    let (old, new) = (&old.certificate.inputs, &new.certificate.inputs);
    let mut found = Vec::new();
    let lacks = |input: &quanfu_settlement::result::Input,
                 others: &[quanfu_settlement::result::Input]| {
        !others
            .iter()
            .any(|other| other.source == input.source && other.digest == input.digest)
    };
    for (own, others, class) in [
        (old, new, InputClass::OldOnly),
        (new, old, InputClass::NewOnly),
    ] {
        for input in own.iter().filter(|input| lacks(input, others)) {
            let twin = others.iter().find(|other| {
                other.source == input.source
                    && !input.identity.is_empty()
                    && other.identity == input.identity
                    && lacks(other, own)
            });
            let digests = match class {
                InputClass::OldOnly => Pair {
                    old: Some(input.digest),
                    new: twin.map(|twin| twin.digest),
                },
                _ if twin.is_some() => continue, // told from the old side
                _ => Pair {
                    old: None,
                    new: Some(input.digest),
                },
            };
            let named = !input.identity.is_empty() && twin.is_some();
            let file = if named { &input.identity } else { &input.file };
            found.push(InputChange {
                source: input.source.clone(),
                file: file.clone(),
                class: if twin.is_some() {
                    InputClass::OtherBytes
                } else {
                    class
                },
                digests,
            });
        }
    }
    found.sort_by(|a, b| {
        let digests = |change: &InputChange| change.digests.old.max(change.digests.new);
        (&a.source, &a.file, digests(a)).cmp(&(&b.source, &b.file, digests(b)))
    });
    found
}

/// Everything that is open on an edge.
fn open<'d>(doc: &'d ResultDoc, edge: &'d str) -> impl Iterator<Item = &'d OpenPosition> {
    let lists = [&doc.breaks, &doc.ambiguous, &doc.suggested, &doc.carried];
    let all = lists.into_iter().flatten();
    all.filter(move |position| position.edge == edge)
}
