//! The kernel: key groups of any number of rows, in the memory that it is given.
//!
//! A row is its key, currency, signed amount and name. It goes into one of 4,096 buckets by the first bits of a fixed
//! hash of key and currency; a bucket is settled on its own, in any order and on any thread, and gives lines of text,
//! control totals and a digest. Lines are ordered by hash, then key, so the bytes depend on the rows alone: not on
//! threads, on the order of rows, or on whether memory was enough. Where it is not, shelves are emptied into a
//! [`Scratch`]; the same blocks are read back when their bucket is settled.
//!
//! ```
//! use quanfu_recon::kernel::{Kernel, KernelRow, Shelf};
//! use quanfu_money::Currency;
//! use quanfu_settlement::{DigestAlg, Rules, Side};
//!
//! let rules = Rules::parse(r#"
//! schema = "quanfu.rules/1"
//! name = "keys"
//! calendar = "CN"
//! [source.psp]
//! role = "institution"
//! [source.bank]
//! role = "bank"
//! [[edge]]
//! left = "psp"
//! right = "bank"
//! [[edge.rule]]
//! id = "K1"
//! pass = "unique_key"
//! on = ["institution", "currency"]
//! "#)?;
//! let kernel = Kernel::new(&rules, DigestAlg::Blake3)?;
//! let mut shelf = Shelf::new(&kernel, None);
//! for (side, name, minor) in [(Side::Left, "P1", 1_990), (Side::Right, "B7", 1_985)] {
//!     let row = KernelRow { side, references: &[b"A-1"], name: name.as_bytes(), currency: Currency::CNY, minor };
//!     shelf.put(&row)?;
//! }
//! let mut list = Vec::new();
//! kernel.settle(vec![shelf], 1, &mut |lines| { list.extend_from_slice(lines); Ok(()) })?;
//! assert_eq!(list, b"amount_diff,A-1,CNY,P1,B7,1,1,19.90,19.85\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod settle;
mod shelf;
mod text;

use std::io;

use quanfu_money::Currency;
use quanfu_settlement::rules::{AmountOf, Field, Filter, MatchRule};
use quanfu_settlement::{DigestAlg, PassKind, RefRole, Rules, Side};

pub use self::settle::{Settled, SumOf};
pub use self::shelf::Shelf;
use self::text::Steps;
pub(crate) use self::text::hash;
use crate::error::ReconError;

/// How many buckets there are. The digest of a run depends on it.
pub const BUCKETS: usize = 4096;

/// Most references that a key is made of.
pub const MOST_PARTS: usize = 2;

/// Longest reference or name that a row may have, in bytes.
pub const LONGEST: usize = 1024;

/// Scratch space for rows that memory does not hold. Everything is written before anything is read.
pub trait Scratch: Sync {
    /// Sets so many bytes apart and tells where they begin.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn reserve(&self, bytes: u64) -> io::Result<u64>;

    /// Writes bytes there.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Reads what was written from there on.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()>;
}

/// One row, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct KernelRow<'r> {
    /// Which side of the edge.
    pub side: Side,
    /// The references of its key, in the rule's order; an empty one leaves the row without a key.
    pub references: &'r [&'r [u8]],
    /// Its own name: the institution's transaction number, the bank's reference, the shop's order number.
    pub name: &'r [u8],
    /// Currency.
    pub currency: Currency,
    /// Amount in minor units, signed by its effect.
    pub minor: i64,
}

/// A part of the key: the references that it is made of and the steps before they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    role: [RefRole; 2],
    steps: [Steps; 2],
}

/// What is grouped and how its groups are called.
#[derive(Clone, Debug)]
pub struct Kernel {
    parts: Vec<Part>,
    edge: String,
    rule: String,
    sources: [usize; 2],
    names: [String; 2],
    alg: DigestAlg,
    /// Into how many parts rows are sorted while they are read: a power of two, at most [`BUCKETS`].
    drawers: usize,
}

impl Kernel {
    /// For the only edge of the rules and its first `unique_key` rule. Every row counts, whatever its status, and sums
    /// agree only if they are equal.
    ///
    /// # Errors
    ///
    /// [`ReconError::NoKeyRun`] if the rules ask for more than equal references and currencies.
    pub fn new(rules: &Rules, alg: DigestAlg) -> Result<Self, ReconError> {
        let refuse = |why: String| Err(ReconError::NoKeyRun { why });
        let [edge] = rules.edges.as_slice() else {
            return refuse(format!(
                "the rules have {} edges; one would be right",
                rules.edges.len()
            ));
        };
        let mut keyed = edge.rules.iter();
        let Some(rule) = keyed.find(|rule| rule.pass == PassKind::UniqueKey) else {
            return refuse(format!("edge {} has no rule with unique_key", edge.name));
        };
        let filters = [
            &edge.left_where,
            &edge.right_where,
            &rule.left_where,
            &rule.right_where,
        ];
        if filters.iter().any(|filter| **filter != Filter::default()) {
            return refuse(format!("rule {} leaves rows out by a filter", rule.id));
        }
        if rule.same_status {
            return refuse(format!("rule {} compares the status", rule.id));
        }
        if rule.left_amount != AmountOf::Amount || rule.right_amount != AmountOf::Amount {
            return refuse(format!(
                "rule {} compares another figure than the amount",
                rule.id
            ));
        }
        for index in [edge.left, edge.right] {
            let source = &rules.sources[index];
            if !source.tokens.is_empty() || source.currency.is_some() {
                return refuse(format!(
                    "source {} takes tokens from texts or has a currency of its own",
                    source.name
                ));
            }
        }
        Ok(Self {
            parts: parts(rule)?,
            edge: edge.name.clone(),
            rule: rule.id.clone(),
            sources: [edge.left, edge.right],
            names: [edge.left, edge.right].map(|index| rules.sources[index].name.clone()),
            alg,
            drawers: 256,
        })
    }

    /// For about so many bytes of input. It changes how fast a run is, never what comes of it.
    #[must_use]
    pub fn expecting(mut self, bytes: u64) -> Self {
        // Three to six megabytes for each: fewer drawers are better to fill, and their rows still fit a cache. Half as
        // many bytes for each cost a tenth more processor time at ten million rows.
        let drawers = (bytes / 6_000_000).clamp(32, BUCKETS as u64);
        self.drawers = (drawers as usize).next_power_of_two();
        self
    }

    /// The references that make the key of a side, in order.
    #[must_use]
    pub fn roles(&self, side: Side) -> Vec<RefRole> {
        let roles = self.parts.iter().map(|part| part.role[side as usize]);
        roles.collect()
    }

    /// Index of a side's source in the rules.
    #[must_use]
    pub fn source(&self, side: Side) -> usize {
        self.sources[side as usize]
    }

    /// Name of the edge.
    #[must_use]
    pub fn edge(&self) -> &str {
        &self.edge
    }

    /// Id of the rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Names of the two sources.
    #[must_use]
    pub fn sources(&self) -> &[String; 2] {
        &self.names
    }
}

fn parts(rule: &MatchRule) -> Result<Vec<Part>, ReconError> {
    let refuse = |why: String| Err(ReconError::NoKeyRun { why });
    let mut has_currency = false;
    let mut parts = Vec::new();
    for on in &rule.on {
        match (&on.left, &on.right) {
            (Field::Reference(left), Field::Reference(right)) => parts.push(Part {
                role: [*left, *right],
                steps: [
                    Steps::new(&on.left_normalise),
                    Steps::new(&on.right_normalise),
                ],
            }),
            (Field::Currency, Field::Currency) => has_currency = true,
            (field, _) => {
                return refuse(format!(
                    "rule {} compares {}, not a reference",
                    rule.id,
                    field.name()
                ));
            }
        }
    }
    if !has_currency {
        return refuse(format!(
            "rule {} does not compare the currency, so sums would mix currencies",
            rule.id
        ));
    }
    if parts.is_empty() || parts.len() > MOST_PARTS {
        return refuse(format!(
            "rule {} compares {} references; one to {MOST_PARTS} would be right",
            rule.id,
            parts.len()
        ));
    }
    Ok(parts)
}
