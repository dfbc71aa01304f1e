//! [`Document`]: what is remembered, with the rows that questions are asked of.

use std::fmt;

use quanfu_calendar::Date;
use quanfu_settlement::decision;
use quanfu_settlement::result::{self, OpenPosition, ResultDoc};
use serde_json::Value as Json;

use crate::error::StoreError;
use crate::personal::{PERSONAL_KEYS, PERSONAL_KEYS_OF};
use crate::sql::{Row, Value};

/// Schema name of a filing, which this crate knows by name only.
const FILING: &str = "quanfu.filing/1";
pub(crate) const DECLARATION: &str = "quanfu.declaration/1";

/// A JSON document with a schema name, ready to be remembered.
///
/// Results (`quanfu.result/1`) bring their open positions, lines of a log (`quanfu.decision/1`) who did what;
/// anything else is kept as it is, with the digests that its certificate names.
#[derive(Clone)]
pub struct Document {
    pub(crate) schema: String,
    /// What it may be called, the best first, with the keys that say so.
    names: Vec<(&'static str, String)>,
    pub(crate) day: Option<Date>,
    pub(crate) retained_until: Option<Date>,
    pub(crate) text: String,
    pub(crate) personal: Vec<String>,
    /// Without `seq` and `n`.
    pub(crate) links: Vec<Row>,
    pub(crate) positions: Vec<Row>,
    /// Without `seq`.
    pub(crate) decision: Option<Row>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // not its text, which may hold personal values
        f.debug_struct("Document")
            .field("schema", &self.schema)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

fn wrong(why: impl Into<String>) -> StoreError {
    StoreError::Document { why: why.into() }
}

impl Document {
    /// A document from its text.
    ///
    /// Its name is `certificate.body` of a result or a key run, the digest of a line of a log, the number of a filing's
    /// first agreement, else its own `id`, `number` or `name`, if it has one that is not personal.
    ///
    /// # Errors
    ///
    /// [`StoreError::Document`] if it is not JSON, names no schema, or a result or a line is not as it was written.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let json: Json = serde_json::from_str(text).map_err(|error| {
            // serde's own words may hold what stands in the document
            wrong(format!(
                "line {} column {}: not JSON",
                error.line(),
                error.column()
            ))
        })?;
        let schema = json["schema"].as_str().unwrap_or_default().to_owned();
        if !schema.contains('/') {
            return Err(wrong(
                "the document names no schema; \"schema\": \"quanfu.NAME/1\" would be right",
            ));
        }
        let certificate = &json["certificate"];
        let names = ["digest", "id", "number", "name"];
        let mut names: Vec<(&'static str, String)> = names
            .into_iter()
            .filter_map(|key| Some((key, json[key].as_str()?.to_owned())))
            .collect();
        // a filing goes by the number that it began with, however it grows
        let number = json.pointer("/events/0/act/new/number");
        if let (FILING, Some(number)) = (schema.as_str(), number.and_then(Json::as_str)) {
            names.insert(0, ("number", number.to_owned()));
        }
        if let Some(body) = certificate["body"].as_str() {
            names.insert(0, ("certificate", body.to_owned()));
        }
        let days = ["as_of", "day", "date"];
        let day = days
            .iter()
            .find_map(|key| json[*key].as_str()?.parse().ok());
        let of_schema = PERSONAL_KEYS_OF.iter().filter(|(of, _)| *of == schema);
        let of_schema = of_schema.flat_map(|(_, keys)| keys.iter());
        let personal = PERSONAL_KEYS.iter().chain(of_schema);
        let mut document = Self {
            names,
            day,
            retained_until: None,
            text: text.to_owned(),
            personal: personal.map(|key| (*key).to_owned()).collect(),
            schema,
            links: certified(certificate),
            positions: Vec::new(),
            decision: None,
        };
        match document.schema.as_str() {
            result::SCHEMA => document.take_result(text)?,
            decision::SCHEMA => document.take_line(&json)?,
            _ => {}
        }
        Ok(document)
    }

    /// A result as it is written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Document`] if it was changed after it was sealed.
    pub fn result(result: &ResultDoc) -> Result<Self, StoreError> {
        Self::parse(&result.to_json())
    }

    /// The lines of a log of decisions, one document each. The log is read whole first: a line that does not hold
    /// keeps all of them out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Document`] with the first line that does not hold.
    pub fn decisions(log: &str) -> Result<Vec<Self>, StoreError> {
        decision::DecisionLog::parse(log).map_err(|error| wrong(error.to_string()))?;
        log.split_inclusive('\n').map(Self::parse).collect()
    }

    /// Until when its personal values must be kept; without a day they are never purged.
    #[must_use]
    pub fn retained_until(mut self, day: Date) -> Self {
        self.retained_until = Some(day);
        self
    }

    /// Further keys below which every text is personal, beside [`PERSONAL_KEYS`].
    #[must_use]
    pub fn personal(mut self, keys: &[&str]) -> Self {
        self.personal
            .extend(keys.iter().map(|key| (*key).to_owned()));
        self
    }

    /// What it is called; never a personal value.
    pub(crate) fn name(&self) -> &str {
        let may = |key: &str| !self.personal.iter().any(|personal| personal == key);
        let name = self.names.iter().find(|(key, _)| may(key));
        name.map_or("", |(_, name)| name)
    }

    fn take_result(&mut self, text: &str) -> Result<(), StoreError> {
        let doc = ResultDoc::from_json(text).map_err(|_| wrong("the result is not one"))?;
        if doc.to_json() != text || doc.body_digest() != doc.certificate.body {
            return Err(wrong("the result was changed after it was written"));
        }
        let lists = [&doc.breaks, &doc.ambiguous, &doc.suggested, &doc.carried];
        self.positions = lists.into_iter().flatten().map(position).collect();
        Ok(())
    }

    fn take_line(&mut self, line: &Json) -> Result<(), StoreError> {
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        let need = |key: &str| text(key).ok_or_else(|| wrong(format!("a line of a log has {key}")));
        let decision = &line["decision"];
        self.day = text("at").and_then(|at| at.get(..10)?.parse().ok());
        let number = line["seq"]
            .as_i64()
            .ok_or_else(|| wrong("a line of a log has seq"))?;
        let kind = decision["kind"].as_str();
        self.decision = Some(vec![
            need("id")?.into(),
            number.into(),
            need("act")?.into(),
            kind.into(),
            need("by")?.into(),
            need("at")?.into(),
        ]);
        self.links.push(link("prev", &need("prev")?, ""));
        if let Some(result) = decision["result"].as_str() {
            self.links.push(link("result", result, ""));
        }
        let positions = decision["positions"].as_array().into_iter().flatten();
        let edge = decision["edge"].as_str().unwrap_or_default();
        self.links.extend(
            positions
                .filter_map(Json::as_str)
                .map(|name| link("position", name, edge)),
        );
        Ok(())
    }
}

fn link(kind: &str, target: &str, label: &str) -> Row {
    vec![
        kind.into(),
        target.into(),
        label.into(),
        Value::Null,
        Value::Null,
    ]
}

/// What a certificate names by digest.
fn certified(certificate: &Json) -> Vec<Row> {
    let mut links = Vec::new();
    for input in certificate["inputs"].as_array().into_iter().flatten() {
        if let Some(digest) = input["digest"].as_str() {
            let text = |key: &str| input[key].as_str().unwrap_or_default();
            let label = format!("{}={}", text("source"), text("file"));
            let number = |key: &str| Value::from(input[key].as_i64());
            links.push(vec![
                "input".into(),
                digest.into(),
                label.into(),
                number("bytes"),
                number("records"),
            ]);
        }
    }
    for kind in ["after", "supersedes"] {
        if let Some(body) = certificate[kind]["body"].as_str() {
            links.push(link(kind, body, ""));
        }
    }
    if let Some(log) = certificate["decisions"]["log"].as_str() {
        links.push(link("decisions", log, ""));
    }
    if let Some(rates) = certificate["rates"]["digest"].as_str() {
        links.push(link(
            "rates",
            rates,
            certificate["rates"]["file"].as_str().unwrap_or_default(),
        ));
    }
    if let Some(table) = certificate["outcomes_table"].as_str() {
        links.push(link("table", table, ""));
    }
    links
}

fn position(open: &OpenPosition) -> Row {
    let day = |day: Option<Date>| Value::from(day.map(|day| day.to_string()));
    // of two currencies the difference is in that of its causes
    let of_causes = open.causes.first().map(|cause| cause.currency);
    let of_members = open.members.first().map(|member| member.item.currency);
    let currency = of_causes.or(of_members);
    let currency = currency.map(|currency| currency.code().to_owned());
    vec![
        open.edge.as_str().into(),
        open.fingerprint.as_str().into(),
        open.outcome.code().into(),
        open.code.map(|code| code.code()).into(),
        day(open.since),
        day(open.due),
        (open.members.len() as i64).into(),
        currency.into(),
        open.difference.as_deref().into(),
    ]
}
