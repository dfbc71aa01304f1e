//! The signed form of a key run: `quanfu.groups/1`.
//!
//! A key run puts all records of two sources that have one key and one currency into one group and tells of every
//! group whether its sums agree. It is the part of a reconciliation that grows with the number of rows; it reads few
//! columns, keeps no record longer than its bucket, and works in bounded memory.

use quanfu_money::Currency;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestAlg};
use crate::entry::closed_list;
use crate::result::{Embedded, Input, SourceSummary, written};

/// Schema name of key runs.
pub const SCHEMA: &str = "quanfu.groups/1";

closed_list! {
    /// What a key group is.
    GroupClass {
        /// One side or both have the key more than once.
        Duplicate = "duplicate",
        /// Only the left side has the key. Written `<source>_only`.
        LeftOnly = "left_only",
        /// Only the right side has the key. Written `<source>_only`.
        RightOnly = "right_only",
        /// One row of each side, and their amounts are equal.
        Matched = "matched",
        /// One row of each side, and their amounts differ.
        AmountDiff = "amount_diff",
        /// A row without a key.
        NoRef = "no_ref",
    }
}

/// Groups of one class and currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassTotal {
    /// The class, as it stands in the list of groups.
    pub class: String,
    /// Currency.
    pub currency: Currency,
    /// How many groups; rows without a key count one each.
    pub groups: u64,
    /// Sum of their left rows, at the currency's full scale.
    pub left: String,
    /// Sum of their right rows.
    pub right: String,
}

/// One bucket: all rows whose keys have a hash with the same first twelve bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Left rows and right rows.
    pub rows: [u64; 2],
    /// Lines in the list of groups.
    pub lines: u64,
    /// Bytes of these lines.
    pub bytes: u64,
    /// Digest of these lines.
    pub digest: Digest,
}

/// What binds a key run to everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsCertificate {
    /// The inputs, in the order given.
    pub inputs: Vec<Input>,
    /// The list's first line, with its end.
    pub header: String,
    /// Each bucket's lines, in the order of the list.
    pub buckets: Vec<Bucket>,
    /// Digest of the buckets' digests (their 32 bytes each), in order.
    pub groups_digest: Digest,
    /// Digest of this document as written, with this field's digest replaced by 64 zeros.
    pub body: Digest,
}

/// A rejected record of a key run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectedRecord {
    /// The source.
    pub source: String,
    /// The file.
    pub file: String,
    /// Line of the fault.
    pub line: u32,
    /// Column in characters.
    pub column: u32,
    /// Which field, in the file's own words.
    pub field: String,
    /// Stable code of the reason.
    pub code: String,
    /// What was found and what would be right.
    pub message: String,
}

/// A key run (`quanfu.groups/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsDoc {
    /// `quanfu.groups/1`.
    pub schema: String,
    /// The engine and its version.
    pub engine: String,
    /// Name of the edge.
    pub edge: String,
    /// Id of the rule whose key it is.
    pub rule: String,
    /// Whether no proof of an input fails and no record was rejected.
    pub trusted: bool,
    /// What went in; the sums of the sources are the sums of the groups.
    pub sources: Vec<SourceSummary>,
    /// What came of it.
    pub totals: Vec<ClassTotal>,
    /// Records that could not be read.
    pub rejected: Vec<RejectedRecord>,
    /// The rules, verbatim.
    pub rules_document: Embedded,
    /// The profiles that the user gave, verbatim.
    pub profiles: Vec<Embedded>,
    /// What binds it all.
    pub certificate: GroupsCertificate,
}

impl GroupsDoc {
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
