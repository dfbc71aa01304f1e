//! The signed form of a run: `quanfu.result/1`.
//!
//! The document holds the summary, the open items with their data, and the certificate. It embeds the rules, the
//! user's profiles and the calendar rows verbatim, and names its inputs, the outcomes table and its predecessor by
//! digest. Confirmed rows are in the outcomes table. Amounts are texts at the currency's full scale.

use quanfu_calendar::Date;
use quanfu_money::Currency;
use serde::{Deserialize, Serialize};

use crate::balance::BalanceReconciliation;
use crate::book::{Item, RecordId};
use crate::digest::{Digest, DigestAlg};
use crate::fees::FeeDifference;
use crate::outcome::{BreakCode, Outcome, PassKind, Reason, Relation, Search, Side, Viewpoint};
use crate::presence::{Presence, PresenceLine};
use crate::proof::{ProofKind, Verdict};
use crate::rules::SourceRole;

/// Schema name of results.
pub const SCHEMA: &str = "quanfu.result/1";

/// A count and the sums of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Currency.
    pub currency: Currency,
    /// How many rows.
    pub count: u64,
    /// Signed sum of their amounts.
    pub sum: String,
}

/// What went into a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSummary {
    /// Its name.
    pub name: String,
    /// What it is in the chain.
    pub role: SourceRole,
    /// Records in its files, or rows of a program.
    pub records: u64,
    /// Of these, readable.
    pub entries: u64,
    /// Of these, not readable.
    pub rejected: u64,
    /// Items carried in from the predecessor.
    pub carried_in: u64,
    /// Readable records and items carried in, by currency.
    pub totals: Vec<Total>,
}

/// Rows of one source on an edge with one outcome and code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeTotal {
    /// The source.
    pub source: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The code, where there is one.
    pub code: Option<BreakCode>,
    /// By currency. Rejected records have none: their count stands in the source's summary.
    pub totals: Vec<Total>,
}

/// How many groups a rule made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupCount {
    /// The rule's id; `null` where the engine's own stages made them.
    pub rule: Option<String>,
    /// How it matches.
    pub pass: Option<PassKind>,
    /// The outcome.
    pub outcome: Outcome,
    /// How many rows of each side.
    pub relation: Relation,
    /// How many groups.
    pub groups: u64,
}

/// From gross to bank: what the edge's confirmed and broken groups explain, by currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Currency.
    pub currency: Currency,
    /// Sum of the left members of all groups that have both sides.
    pub left: String,
    /// Sum of each cause, by name; `unexplained` is always the last.
    pub causes: Vec<BridgeLine>,
    /// Sum of the right members.
    pub right: String,
}

/// One line of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeLine {
    /// The cause.
    pub cause: String,
    /// Its sum.
    pub sum: String,
}

/// An edge in sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeSummary {
    /// Its name.
    pub name: String,
    /// Left source.
    pub left: String,
    /// Right source.
    pub right: String,
    /// Every row once: left source first, then right, each by outcome and code.
    pub outcomes: Vec<OutcomeTotal>,
    /// Groups by rule and relation.
    pub groups: Vec<GroupCount>,
    /// From left to right, by currency.
    pub bridges: Vec<Bridge>,
}

/// A proof of an input that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRecord {
    /// The source.
    pub source: String,
    /// The file.
    pub file: String,
    /// The statement's id and number, if it is about one.
    pub statement: Option<String>,
    /// What is compared.
    pub kind: ProofKind,
    /// Which figure.
    pub scope: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Declared.
    pub expected: Option<String>,
    /// Found.
    pub found: Option<String>,
    /// Found minus declared.
    pub difference: Option<String>,
}

/// The nearest row of the other side, and what kept the two apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// The candidate, if any comes near.
    pub item: Option<Item>,
    /// The first predicate that failed.
    pub failed: Option<Reason>,
}

/// A cause of a difference, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseRecord {
    /// `fee`, `fx`, `fx_rate`, `fx_rounding`, `fx_direction`, `fx_price`, a tolerance's cause, or `unexplained`.
    pub cause: String,
    /// Right minus left, for this cause.
    pub amount: String,
    /// Currency of `amount`.
    pub currency: Currency,
    /// For `fx`: the rate; for the others of an exchange: what was taken in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One member of an open group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Which side it is on.
    pub side: Side,
    /// Which roles have the payment; none where all sources have one role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// The record with its data.
    #[serde(flatten)]
    pub item: Item,
}

/// An open position: a break, an ambiguous set, a suggestion or a carried item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenPosition {
    /// Stable name: of the group, or of the single record on its edge; the same in later runs.
    pub fingerprint: String,
    /// The edge.
    pub edge: String,
    /// `break`, `ambiguous`, `suggested` or `carried`.
    pub outcome: Outcome,
    /// Its code.
    pub code: Option<BreakCode>,
    /// The rule that decided, if one did.
    pub rule: Option<String>,
    /// Earliest accounting day of its members.
    pub since: Option<Date>,
    /// Age in business days at the run's day; `null` where the calendar ends.
    pub age_business_days: Option<u32>,
    /// Until when it may be carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// Whether a due day exists that the calendar does not reach ("not determinable").
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub due_not_determinable: bool,
    /// Right minus left, where both sides have members of one currency.
    pub difference: Option<String>,
    /// Causes of the difference; they add up to it.
    pub causes: Vec<CauseRecord>,
    /// How it was searched for, where the pass searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// For a line that several sets of records fit: the first of these sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Vec<RecordId>>,
    /// Nearest candidate and what failed, for one-sided positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
    /// The records.
    pub members: Vec<Member>,
}

/// A text that the result embeds whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedded {
    /// Its name.
    pub name: String,
    /// Digest of the text's UTF-8 bytes.
    pub digest: Digest,
    /// The text.
    pub text: String,
}

impl Embedded {
    /// A text with its digest.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            name: name.into(),
            digest: Digest::of(DigestAlg::Sha256, text.as_bytes()),
            text,
        }
    }
}

/// A file that went into a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The source.
    pub source: String,
    /// The file's name as given.
    pub file: String,
    /// Its format.
    pub format: String,
    /// Its encoding.
    pub encoding: String,
    /// Length as delivered, in bytes.
    pub bytes: u64,
    /// Digest as delivered.
    pub digest: Digest,
    /// What the file is, apart from its bytes; empty if it does not tell.
    pub identity: String,
    /// Records found in it.
    pub records: u64,
    /// Readable ones.
    pub entries: u64,
    /// Rejected ones.
    pub rejected: u64,
}

/// The table of rates that went into a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatesInput {
    /// The file's name as given.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Rates in it.
    pub rates: u64,
}

/// An earlier result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// Its business day.
    pub as_of: Date,
    /// Its `certificate.body`.
    pub body: Digest,
    /// Identities and digests of its inputs and of those before it in the chain that it knows of.
    pub inputs: Vec<EarlierInput>,
}

/// An input of an earlier result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierInput {
    /// The source.
    pub source: String,
    /// What the file is, apart from its bytes.
    pub identity: String,
    /// Digest as delivered.
    pub digest: Digest,
}

/// The log of decisions (`quanfu.decision/1`) that a run applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// How many lines the log had. More lines may follow in the file; the digest is of these.
    pub lines: u64,
    /// Digest of these lines.
    pub log: Digest,
    /// Decisions in force that an outcome of this run comes from.
    pub applied: u64,
    /// Decisions in force that speak of records that this run does not have, or that no rule would see either.
    pub not_of_this_run: u64,
}

/// What binds the result to everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The inputs, in the order given.
    pub inputs: Vec<Input>,
    /// The table of rates, if the rules name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<RatesInput>,
    /// The outcome digest: the same for shuffled and split input.
    pub outcome_digest: Digest,
    /// Digest of the outcomes table's bytes, if one was written.
    pub outcomes_table: Option<Digest>,
    /// The result that this one follows.
    pub after: Option<Earlier>,
    /// The result of the same day that this one replaces.
    pub supersedes: Option<Earlier>,
    /// The decisions of people, if a log was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisions: Option<Decisions>,
    /// Digest of this document as written, with this field's digest replaced by 64 zeros.
    pub body: Digest,
}

/// A run's result (`quanfu.result/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultDoc {
    /// `quanfu.result/1`.
    pub schema: String,
    /// The engine and its version, such as `quanfu 0.1.0`.
    pub engine: String,
    /// Name of the rules.
    pub rules: String,
    /// Whose side the words take.
    pub viewpoint: Viewpoint,
    /// The business day of the run.
    pub as_of: Date,
    /// Whether the caller gave the business day; otherwise it is the latest day in the files.
    pub as_of_given: bool,
    /// Whether no proof of an input fails and no record was rejected.
    pub trusted: bool,
    /// Proofs that fail.
    pub failed_proofs: Vec<ProofRecord>,
    /// What went in.
    pub sources: Vec<SourceSummary>,
    /// What came of it.
    pub edges: Vec<EdgeSummary>,
    /// Who has which payments, by state and source; empty where all sources have one role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<PresenceLine>,
    /// Balance reconciliations that the rules ask for, by edge and currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<BalanceReconciliation>,
    /// Records whose fee is not that of their source's schedule, by source, then as in the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fee_differences: Vec<FeeDifference>,
    /// Breaks, ordered by edge, code and fingerprint.
    pub breaks: Vec<OpenPosition>,
    /// Ambiguous sets.
    pub ambiguous: Vec<OpenPosition>,
    /// Suggestions.
    pub suggested: Vec<OpenPosition>,
    /// Carried items.
    pub carried: Vec<OpenPosition>,
    /// The rules, verbatim.
    pub rules_document: Embedded,
    /// The profiles that the user gave, verbatim.
    pub profiles: Vec<Embedded>,
    /// The calendar, as rows.
    pub calendar: Embedded,
    /// What binds it all.
    pub certificate: Certificate,
}

impl ResultDoc {
    /// The document as it is written: JSON with two blanks of indent and a final line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(self)
    }

    /// Reads a document; unknown keys are errors.
    ///
    /// # Errors
    ///
    /// What serde found, with line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Fills in `certificate.body`.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.certificate.body = self.body_digest();
        self
    }

    /// What `certificate.body` must be.
    #[must_use]
    pub fn body_digest(&self) -> Digest {
        let mut zeroed = self.clone();
        zeroed.certificate.body = Digest {
            alg: DigestAlg::Sha256,
            bytes: [0; 32],
        };
        Digest::of(DigestAlg::Sha256, zeroed.to_json().as_bytes())
    }
}

/// A document as all documents are written: JSON with two blanks of indent and a final line end.
pub(crate) fn written(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document)
        .expect("a document holds no map with keys other than text");
    text.push('\n');
    text
}
