//! The little that a store asks of its engine, and its tables.

use std::fmt::Debug;
use std::path::Path;

use crate::error::StoreError;
use crate::migration::Migration;

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Cells of one row, in the order asked for.
pub(crate) type Row = Vec<Value>;

/// Cells taken from the front of a row; one of another kind is damage.
pub(crate) struct Cells(std::vec::IntoIter<Value>);

impl Cells {
    pub(crate) fn of(row: Row) -> Self {
        Self(row.into_iter())
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(number),
            _ => Err(StoreError::damaged("a row", "a number is missing")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.optional()?
            .ok_or_else(|| StoreError::damaged("a row", "a text is missing"))
    }

    pub(crate) fn optional(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::damaged("a row", "a text is missing")),
        }
    }
}

/// An engine that keeps tables. Statements are fixed texts with `$1` to `$n`; values are only ever bound.
pub(crate) trait Sql: Debug + Send {
    /// Begins a transaction: one that writes waits for the others that do; one that reads sees one state.
    fn begin(&mut self, writes: bool) -> Result<(), StoreError>;
    /// Returns once it is on the disk.
    fn commit(&mut self) -> Result<(), StoreError>;
    fn rollback(&mut self);
    fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<(), StoreError>;
    fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError>;
    /// Runs a step of the schema.
    fn script(&mut self, sql: &str) -> Result<(), StoreError>;
    /// The steps of the schema in this engine's words.
    fn migrations(&self) -> &'static [Migration];
    /// Whether nothing is there yet; an error if what is there is not ours.
    fn is_new(&mut self) -> Result<bool, StoreError>;
    /// Marks a new store as ours, or tells the schema's version.
    fn mark(&mut self, version: i64) -> Result<(), StoreError>;
    /// 32 hex digits from the engine's randomness, for salts.
    fn salt(&mut self) -> Result<String, StoreError>;
    /// What the engine finds wrong with itself, its settings and its tables.
    fn faults(&mut self) -> Result<Vec<String>, StoreError>;
    /// Leaves nothing of erased values in free pages and journals, as far as the engine can.
    fn scrub(&mut self) -> Result<(), StoreError>;
    /// A whole copy while others write.
    fn backup(&mut self, to: &Path) -> Result<(), StoreError>;
}

/// A table whose rows the chain covers.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) insert: &'static str,
    /// The rows of events `$1` to `$2`.
    pub(crate) select: &'static str,
    /// How many rows belong to no event of 1 to `$1`.
    pub(crate) strays: &'static str,
    /// Columns covered, from the front; those after them are erasable.
    pub(crate) covered: usize,
}

macro_rules! table {
    ($name:literal, $columns:literal, $places:literal, $order:literal, $covered:literal) => {
        Table {
            name: $name,
            insert: concat!(
                "INSERT INTO ",
                $name,
                " (",
                $columns,
                ") VALUES (",
                $places,
                ")"
            ),
            select: concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $name,
                " WHERE seq BETWEEN $1 AND $2 ORDER BY ",
                $order
            ),
            strays: concat!("SELECT count(*) FROM ", $name, " WHERE seq < 1 OR seq > $1"),
            covered: $covered,
        }
    };
}

/// The tables, in the order in which their rows are inserted and digested.
pub(crate) static TABLES: [Table; 7] = [
    MIGRATION, DOCUMENT, LINK, POSITION, DECISION, PERSONAL, PURGED,
];

const MIGRATION: Table = table!(
    "migration",
    "seq, version, name, digest",
    "$1, $2, $3, $4",
    "seq, version",
    4
);
const DOCUMENT: Table = table!(
    "document",
    "seq, digest, schema_name, name, day, retained_until, body",
    "$1, $2, $3, $4, $5, $6, $7",
    "seq",
    7
);
const LINK: Table = table!(
    "link",
    "seq, n, kind, target, label, bytes, records",
    "$1, $2, $3, $4, $5, $6, $7",
    "seq, n",
    7
);
const POSITION: Table = table!(
    "position",
    "seq, n, edge, fingerprint, outcome, code, since, due, records, currency, difference",
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11",
    "seq, n",
    11
);
const DECISION: Table = table!(
    "decision",
    "seq, id, line, act, kind, by_whom, at",
    "$1, $2, $3, $4, $5, $6, $7",
    "seq",
    7
);
const PERSONAL: Table = table!(
    "personal",
    "seq, n, kind, digest, masked, hmac, salt",
    "$1, $2, $3, $4, $5, $6, $7",
    "seq, n",
    4
);
const PURGED: Table = table!(
    "purged",
    "seq, n, document, place",
    "$1, $2, $3, $4",
    "seq, n",
    4
);

/// Rows of one event, by table as in [`TABLES`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(pub(crate) [Vec<Row>; TABLES.len()]);

impl Rows {
    pub(crate) const MIGRATION: usize = 0;
    pub(crate) const DOCUMENT: usize = 1;
    pub(crate) const LINK: usize = 2;
    pub(crate) const POSITION: usize = 3;
    pub(crate) const DECISION: usize = 4;
    pub(crate) const PERSONAL: usize = 5;
    pub(crate) const PURGED: usize = 6;
}
