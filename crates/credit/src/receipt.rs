//! [`Receipts`]: money that has come in (收汇、到账), by the results of reconciliation that confirm it.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::Date;
use quanfu_settlement::result::{ResultDoc, SCHEMA};
use quanfu_settlement::table::HEADER;
use quanfu_settlement::{Digest, DigestAlg, Outcome};

use crate::application::{Records, whole};
use crate::error::DocumentError;

/// What results say of records. An item's `receipt` is the id of a record in their outcomes tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// Of each record: the business day of the latest result that has it, and each edge with its outcome there.
    records: BTreeMap<String, (Date, BTreeSet<(String, String)>)>,
    /// Whether every name is taken for a confirmed receipt, as in worked cases.
    takes_all: bool,
}

impl Receipts {
    /// Takes every name for a confirmed receipt.
    pub(crate) fn as_named() -> Self {
        Self {
            records: BTreeMap::new(),
            takes_all: true,
        }
    }

    /// Adds a result (`quanfu.result/1`) and its outcomes table (`quanfu.outcomes/1`); of two results that have a record
    /// the later one counts, whatever the order in which they are added.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] if the result was changed after it was written, is not trusted (a proof fails, or a record could
    /// not be read), or is not that of the table.
    pub fn add(&mut self, result: &str, outcomes: &str) -> Result<(), DocumentError> {
        let wrong = |line: u32, place: &str, message: &str| DocumentError::Meaning {
            line,
            place: place.to_owned(),
            message: message.to_owned(),
        };
        let doc = ResultDoc::from_json(result).map_err(|error| DocumentError::Syntax {
            line: u32::try_from(error.line()).unwrap_or(u32::MAX),
            column: u32::try_from(error.column()).unwrap_or(u32::MAX),
            message: error.to_string(),
        })?;
        if doc.schema != SCHEMA {
            return Err(wrong(1, "result", "quanfu.result/1 would be right"));
        }
        if doc.to_json() != result || doc.body_digest() != doc.certificate.body {
            let message = "it was changed after it was written";
            return Err(wrong(1, "result", message));
        }
        if !doc.trusted {
            let message =
                "it is not trusted: a proof of its files fails, or a record could not be read";
            return Err(wrong(1, "result", message));
        }
        let table = Digest::of(
            doc.certificate
                .outcomes_table
                .map_or(DigestAlg::Sha256, |digest| digest.alg),
            outcomes.as_bytes(),
        );
        if doc.certificate.outcomes_table != Some(table) {
            let message = "it is not the table that the result names by its digest";
            return Err(wrong(1, "outcomes", message));
        }
        let text = outcomes.strip_prefix('\u{feff}').unwrap_or(outcomes);
        let rows = text
            .strip_prefix(HEADER)
            .and_then(|rest| rest.strip_prefix('\n'));
        let text = rows.ok_or_else(|| wrong(1, "outcomes", "its header is another"))?;
        let columns: Vec<&str> = HEADER.split(',').collect();
        let place = |name: &str| columns.iter().position(|column| *column == name);
        let rows = Records {
            text,
            at: 0,
            line: 2,
        };
        for (line, cells) in rows {
            let cells = cells.map_err(|message| wrong(line, "outcomes", &message))?;
            let cell = |name| place(name).and_then(|at| cells.get(at)).map(String::as_str);
            let (Some(record), Some(edge), Some(outcome)) =
                (cell("record"), cell("edge"), cell("outcome"))
            else {
                return Err(wrong(line, "outcomes", "16 cells would be right"));
            };
            if record.is_empty() {
                continue; // could not be read, so it has no name
            }
            let known = self
                .records
                .entry(record.to_owned())
                .or_insert_with(|| (doc.as_of, BTreeSet::new()));
            if known.0 < doc.as_of {
                *known = (doc.as_of, BTreeSet::new());
            }
            if known.0 == doc.as_of {
                known.1.insert((edge.to_owned(), outcome.to_owned()));
            }
        }
        Ok(())
    }

    /// Why a receipt is not confirmed, in words; `None`: it is, on every edge that it stands on.
    #[must_use]
    pub fn fault(&self, receipt: &str) -> Option<String> {
        if self.takes_all {
            return None;
        }
        let Some((day, edges)) = self.records.get(whole(receipt)) else {
            return Some(format!("{receipt}: no result has it"));
        };
        let mut open = edges.iter();
        let (edge, outcome) = open.find(|(_, outcome)| outcome != Outcome::Confirmed.code())?;
        Some(format!("{receipt}: {outcome} on {edge}, {day}"))
    }
}
