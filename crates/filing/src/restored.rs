//! Restored declaration (还原申报): what was settled in one sum, and every original transaction behind it, linked and proved.
//!
//! This is a neutral model, no authority's format on the wire.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::Date;
use quanfu_codes::Parameters;
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_settlement::book::fee_text;
use quanfu_settlement::table::push_text_cell;
use quanfu_settlement::{EntryKind, Outcome, Outcomes, RefRole};
use serde::{Deserialize, Serialize};

use crate::list::closed_list;

/// Schema name of a declaration.
pub const SCHEMA: &str = "quanfu.declaration/1";

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

/// A kind that may be netted against receipts on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NettingRule {
    /// What may be netted.
    pub kind: OriginalKind,
    /// First value date.
    pub from: Date,
    /// Last value date; `None`: until further notice.
    pub until: Option<Date>,
    /// Where that stands.
    pub source: String,
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
        if let Some(kind) = kind.filter(|_| !row.value.is_zero()) {
            rules.push(NettingRule {
                kind: *kind,
                from: row.from,
                until: row.until,
                source: row.source.clone(),
            });
        }
    }
    rules
}

/// An original transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The record's name.
    pub record: String,
    /// What it is.
    pub kind: OriginalKind,
    /// Order number, if the record has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// For a refund: what it gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<String>,
    /// Amount in minor units: receipts +, payments -.
    pub minor: i64,
    /// Charge of the institution in minor units; it lowers what is settled.
    pub fee_minor: i64,
}

/// A sum that was settled, and the originals behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Name of the group of the reconciliation.
    pub group: String,
    /// Records of the bank.
    pub actual: Vec<String>,
    /// Value date of the bank.
    pub value_date: Option<Date>,
    /// Currency.
    pub currency: Currency,
    /// What the bank settled, in minor units.
    pub actual_minor: i64,
    /// How many originals there are.
    pub count: u64,
    /// The originals.
    pub originals: Vec<Original>,
}

/// Why a declaration does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Unsound {
    /// Receipts less payments less charges are not what was settled.
    #[error(
        "batch {group}: receipts less payments less charges are {found}, settled were {settled}"
    )]
    Sum {
        /// The batch.
        group: String,
        /// Sum of the originals, in minor units.
        found: i128,
        /// What the bank settled, in minor units.
        settled: i64,
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
    /// A record stands twice.
    #[error("record {record} is declared twice")]
    Twice {
        /// The record.
        record: String,
    },
    /// A batch has no original.
    #[error("batch {group} has no original transaction")]
    Empty {
        /// The batch.
        group: String,
    },
    /// Something is netted that no rule allows on that day.
    #[error(
        "batch {group}: {kind} of record {record} is netted, which no rule allows on its value date"
    )]
    Netting {
        /// The batch.
        group: String,
        /// What it is.
        kind: OriginalKind,
        /// The record.
        record: String,
    },
    /// A refund does not say what it gives back.
    #[error("refund {record} does not name what it gives back")]
    Refund {
        /// The record.
        record: String,
    },
}

impl Unsound {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "declaration-sum",
        "declaration-count",
        "declaration-twice",
        "declaration-empty",
        "declaration-netting",
        "declaration-refund",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sum { .. } => "declaration-sum",
            Self::Count { .. } => "declaration-count",
            Self::Twice { .. } => "declaration-twice",
            Self::Empty { .. } => "declaration-empty",
            Self::Netting { .. } => "declaration-netting",
            Self::Refund { .. } => "declaration-refund",
        }
    }
}

/// Why no declaration can be made of a reconciliation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no such edge.
    #[error("there is no edge {edge}")]
    Edge {
        /// Its index.
        edge: usize,
    },
    /// A confirmed group mixes currencies.
    #[error("group {group} has records of several currencies, which are not declared as one batch")]
    Currencies {
        /// The group.
        group: String,
    },
    /// A charge is finer than the currency, so nothing whole can be declared.
    #[error("the charge of record {record} is finer than a minor unit")]
    Fee {
        /// The record.
        record: String,
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
        "restore-currencies",
        "restore-fee",
        "restore-too-large",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Edge { .. } => "restore-edge",
            Self::Currencies { .. } => "restore-currencies",
            Self::Fee { .. } => "restore-fee",
            Self::TooLarge { .. } => "restore-too-large",
        }
    }
}

/// Batches and their originals (`quanfu.declaration/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// Always `quanfu.declaration/1`.
    pub schema: String,
    /// Business day of the reconciliation.
    pub as_of: Date,
    /// The batches, by group.
    pub batches: Vec<Batch>,
}

impl Restored {
    /// The confirmed groups of an edge whose right side is the bank: bank records are what was settled, those of the left
    /// side the originals. What is not confirmed is not declared.
    ///
    /// # Errors
    ///
    /// [`RestoreError`].
    pub fn of(
        outcomes: &Outcomes,
        edge: usize,
        left: usize,
        right: usize,
    ) -> Result<Self, RestoreError> {
        let missing = || RestoreError::Edge { edge };
        let groups = outcomes.edges.get(edge).ok_or_else(missing)?;
        let left = outcomes.books.get(left).ok_or_else(missing)?;
        let right = outcomes.books.get(right).ok_or_else(missing)?;
        let mut batches = Vec::new();
        for group in &groups.groups {
            if group.outcome != Outcome::Confirmed {
                continue;
            }
            let (inner, outer) = (groups.left_members(group), groups.right_members(group));
            let name = group.name();
            let currencies = inner.iter().map(|&row| left.currency(row));
            let currencies = currencies.chain(outer.iter().map(|&row| right.currency(row)));
            let currencies: BTreeSet<String> = currencies.map(|c| c.code().to_owned()).collect();
            let Some(&first) = outer.first() else {
                continue;
            };
            if currencies.len() != 1 {
                return Err(RestoreError::Currencies { group: name });
            }
            let currency = right.currency(first);
            let actual: i128 = outer
                .iter()
                .map(|&row| i128::from(right.amounts()[row as usize]))
                .sum();
            let actual_minor = i64::try_from(actual);
            let actual_minor = actual_minor.map_err(|_| RestoreError::TooLarge {
                group: name.clone(),
            })?;
            let mut originals = Vec::with_capacity(inner.len());
            for &row in inner {
                let record = left.id(row).to_string();
                let minor = left.amounts()[row as usize];
                let fee_minor = match left.fee_grains(row) {
                    None => 0,
                    Some(grains) => {
                        whole_fee(grains, currency).ok_or_else(|| RestoreError::Fee {
                            record: record.clone(),
                        })?
                    }
                };
                let text = |role| left.reference(row, role).map(str::to_owned);
                originals.push(Original {
                    kind: match left.kind(row) {
                        EntryKind::Payment => OriginalKind::Payment,
                        EntryKind::Refund | EntryKind::Reversal | EntryKind::Chargeback => {
                            OriginalKind::Refund
                        }
                        _ => OriginalKind::Other,
                    },
                    order: text(RefRole::Order),
                    refunds: text(RefRole::Original)
                        .or_else(|| text(RefRole::Order))
                        .filter(|_| minor < 0),
                    record,
                    minor,
                    fee_minor,
                });
            }
            originals.sort_by(|a, b| a.record.cmp(&b.record));
            let mut bank: Vec<String> =
                outer.iter().map(|&row| right.id(row).to_string()).collect();
            bank.sort();
            batches.push(Batch {
                group: name,
                actual: bank,
                value_date: outer.iter().filter_map(|&row| right.value_date(row)).max(),
                currency,
                actual_minor,
                count: originals.len() as u64,
                originals,
            });
        }
        Ok(Self {
            schema: SCHEMA.to_owned(),
            as_of: outcomes.as_of,
            batches,
        })
    }

    /// All reasons why the declaration does not hold, sorted; none: sums are conserved, nothing is missing or twice, and
    /// nothing is netted that no rule allows.
    #[must_use]
    pub fn check(&self, netting: &[NettingRule]) -> Vec<Unsound> {
        let mut found = Vec::new();
        let mut seen = BTreeMap::<&str, u32>::new();
        for batch in &self.batches {
            let group = batch.group.clone();
            let terms = batch.originals.iter();
            let sum: i128 = terms
                .map(|o| i128::from(o.minor) - i128::from(o.fee_minor))
                .sum();
            let count = batch.originals.len() as u64;
            if count == 0 {
                found.push(Unsound::Empty {
                    group: group.clone(),
                });
            }
            if count != batch.count {
                found.push(Unsound::Count {
                    group: group.clone(),
                    found: count,
                    count: batch.count,
                });
            }
            if sum != i128::from(batch.actual_minor) {
                found.push(Unsound::Sum {
                    group: group.clone(),
                    found: sum,
                    settled: batch.actual_minor,
                });
            }
            let day = batch.value_date.unwrap_or(self.as_of);
            let receives = batch.originals.iter().any(|original| original.minor > 0);
            for original in &batch.originals {
                let record = &original.record;
                *seen.entry(record).or_default() += 1;
                let allowed = netting.iter().any(|rule| {
                    rule.kind == original.kind
                        && rule.from <= day
                        && rule.until.is_none_or(|until| day <= until)
                });
                if receives && original.minor < 0 && !allowed {
                    found.push(Unsound::Netting {
                        group: group.clone(),
                        kind: original.kind,
                        record: record.clone(),
                    });
                }
                if original.kind == OriginalKind::Refund && original.refunds.is_none() {
                    found.push(Unsound::Refund {
                        record: record.clone(),
                    });
                }
            }
            for record in &batch.actual {
                *seen.entry(record).or_default() += 1;
            }
        }
        let twice = seen.into_iter().filter(|(_, times)| *times > 1);
        found.extend(twice.map(|(record, _)| Unsound::Twice {
            record: record.to_owned(),
        }));
        found.sort();
        found
    }

    /// One line for each original, with its batch. Amounts at the currency's full scale.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::from(
            "batch,value_date,settled,currency,record,kind,order,refunds,amount,fee
",
        );
        for batch in &self.batches {
            let amount = |minor| Money::from_minor(minor, batch.currency).amount_text();
            let day = batch
                .value_date
                .map(|day| day.to_string())
                .unwrap_or_default();
            for original in &batch.originals {
                let head = format!(
                    "{},{day},{},{}",
                    batch.group,
                    amount(batch.actual_minor),
                    batch.currency.code()
                );
                let mut line = format!("{head},{},{},", original.record, original.kind);
                push_text_cell(&mut line, original.order.as_deref().unwrap_or_default());
                line.push(',');
                push_text_cell(&mut line, original.refunds.as_deref().unwrap_or_default());
                line.push_str(&format!(
                    ",{},{}
",
                    amount(original.minor),
                    amount(original.fee_minor)
                ));
                text.push_str(&line);
            }
        }
        text
    }

    /// The declaration as JSON.
    ///
    /// # Panics
    ///
    /// Never: it has texts and whole numbers only.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and whole numbers")
            + "
"
    }

    /// Totals by currency: settled, and originals less charges.
    #[must_use]
    pub fn totals(&self) -> Vec<(MoneySum, MoneySum)> {
        let mut totals = BTreeMap::<String, (Currency, i128, i128)>::new();
        for batch in &self.batches {
            let entry =
                totals
                    .entry(batch.currency.code().to_owned())
                    .or_insert((batch.currency, 0, 0));
            entry.1 += i128::from(batch.actual_minor);
            let terms = batch.originals.iter();
            entry.2 += terms
                .map(|o| i128::from(o.minor) - i128::from(o.fee_minor))
                .sum::<i128>();
        }
        let sum = |minor, currency| MoneySum::from_minor(minor, currency);
        totals
            .into_values()
            .map(|(c, settled, of)| (sum(settled, c), sum(of, c)))
            .collect()
    }
}

/// A charge in minor units, if it is whole.
fn whole_fee(grains: i64, currency: Currency) -> Option<i64> {
    let text = fee_text(grains, currency);
    let money = Money::exact(text.parse().ok()?, currency).ok()?;
    Some(money.minor())
}
