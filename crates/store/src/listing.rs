//! [`Listing`]: what a store has, as lines for people, as CSV and as JSON.

use quanfu_settlement::table::push_text_cell;
use serde_json::{Map, Value as Json};

use crate::chain::Event;
use crate::sql::{Row, Value};
use crate::store::{Listed, OpenItem};

/// Rows under named columns, in the order of the store. The names are the same in CSV and JSON and stay.
#[derive(Clone, Debug)]
pub struct Listing {
    columns: &'static [&'static str],
    rows: Vec<Row>,
}

impl Listing {
    /// Documents: `event`, `at`, `by`, `schema`, `day`, `name`, `digest`.
    #[must_use]
    pub fn documents(documents: Vec<Listed>) -> Self {
        let row = |one: Listed| {
            vec![
                one.seq.into(),
                one.at.into(),
                one.by.into(),
                one.schema.into(),
                one.day.into(),
                Value::from(Some(one.name).filter(|name| !name.is_empty())),
                one.digest.into(),
            ]
        };
        Self {
            columns: &["event", "at", "by", "schema", "day", "name", "digest"],
            rows: documents.into_iter().map(row).collect(),
        }
    }

    /// Events: `event`, `at`, `by`, `act`, `hash`.
    #[must_use]
    pub fn events(events: Vec<Event>) -> Self {
        let row = |one: Event| {
            vec![
                one.seq.into(),
                one.at.into(),
                one.by.into(),
                one.act.into(),
                one.hash.into(),
            ]
        };
        Self {
            columns: &["event", "at", "by", "act", "hash"],
            rows: events.into_iter().map(row).collect(),
        }
    }

    /// What is open: `since`, `edge`, `outcome`, `code`, `position`, `records`, `currency`, `difference`, `due`,
    /// `decisions`, `day`, `result`.
    #[must_use]
    pub fn open(items: Vec<OpenItem>) -> Self {
        let row = |one: OpenItem| {
            let decisions = one.decisions.join(", ");
            // a currency without a difference would read as an amount that is not known
            let currency = one.currency.filter(|_| one.difference.is_some());
            vec![
                one.since.into(),
                one.edge.into(),
                one.outcome.into(),
                one.code.into(),
                one.fingerprint.into(),
                one.records.into(),
                currency.into(),
                one.difference.into(),
                one.due.into(),
                Value::from(Some(decisions).filter(|decisions| !decisions.is_empty())),
                one.day.into(),
                one.result.into(),
            ]
        };
        Self {
            columns: &[
                "since",
                "edge",
                "outcome",
                "code",
                "position",
                "records",
                "currency",
                "difference",
                "due",
                "decisions",
                "day",
                "result",
            ],
            rows: items.into_iter().map(row).collect(),
        }
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A line each, cells two blanks apart, `-` for nothing; `columns` of them, from the front.
    #[must_use]
    pub fn text(&self, columns: usize) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().take(columns).map(|cell| match cell {
                Value::Null => "-".to_owned(),
                Value::Int(number) => number.to_string(),
                Value::Text(text) => text.clone(),
            });
            text += &cells.collect::<Vec<_>>().join("  ");
            text.push('\n');
        }
        text
    }

    /// CSV with a line of names (RFC 4180, UTF-8, LF). Texts that a spreadsheet would compute begin with `'`.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = self.columns.join(",") + "\n";
        for row in &self.rows {
            for (nth, cell) in row.iter().enumerate() {
                if nth > 0 {
                    text.push(',');
                }
                match cell {
                    Value::Null => {}
                    Value::Int(number) => text += &number.to_string(),
                    // a negative amount is one, not a formula
                    Value::Text(amount) if self.columns[nth] == "difference" => text += amount,
                    Value::Text(cell) => push_text_cell(&mut text, cell),
                }
            }
            text.push('\n');
        }
        text
    }

    /// A list of objects; `null` for nothing.
    #[must_use]
    pub fn json(&self) -> String {
        let cell = |cell: &Value| match cell {
            Value::Null => Json::Null,
            Value::Int(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
        };
        let mut text = String::from("[");
        for (nth, row) in self.rows.iter().enumerate() {
            let names = self.columns.iter().map(|name| (*name).to_owned());
            let object: Map<String, Json> = names.zip(row.iter().map(cell)).collect();
            text += if nth == 0 { "\n  " } else { ",\n  " };
            text += &Json::Object(object).to_string();
        }
        text += if self.rows.is_empty() { "]\n" } else { "\n]\n" };
        text
    }
}
