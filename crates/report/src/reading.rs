//! What files said, for people and for programs (`quanfu.reading/1`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quanfu_codes::{mask_account, mask_name};
use quanfu_money::{Currency, Money};
use quanfu_settlement::table::push_text_cell;
use quanfu_settlement::{
    Balance, Counterparty, Detail, Entry, EntryAmount, EntryKind, EntryStatus, FileReading,
    FindingCode, Moment, Proof, ProofKind, Reading, RefRole, References, Severity, Statement,
    Verdict,
};
use serde::Serialize;
use serde_json::json;

use crate::schema::{array, list, object, or_null};
use crate::text::{amount, cut, grouped, inert, left, paint, right, say};
use crate::{Look, labels};

/// Schema name of readings.
pub const SCHEMA: &str = "quanfu.reading/1";

#[derive(Serialize)]
struct Doc<'a> {
    schema: &'static str,
    files: Vec<FileDoc<'a>>,
}

#[derive(Serialize)]
struct FileDoc<'a> {
    file: &'a str,
    format: &'a str,
    encoding: &'a str,
    digest: String,
    bytes: u64,
    statements: Vec<StatementDoc<'a>>,
    proofs: Vec<ProofDoc<'a>>,
    findings: Vec<FindingDoc<'a>>,
    rejected: Vec<RejectedDoc<'a>>,
    counts: Counts,
}

#[derive(Serialize)]
struct Counts {
    records: u64,
    entries: u64,
    rejected: u64,
}

#[derive(Serialize)]
struct FindingDoc<'a> {
    severity: &'static str,
    code: &'static str,
    line: u32,
    column: u32,
    message: &'a str,
}

#[derive(Serialize)]
struct RejectedDoc<'a> {
    code: &'static str,
    line: u32,
    column: u32,
    field: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct ProofDoc<'a> {
    kind: &'static str,
    scope: &'a str,
    verdict: &'static str,
    expected: Option<String>,
    found: Option<String>,
    difference: Option<String>,
}

#[derive(Serialize)]
struct BalanceDoc {
    amount: String,
    date: Option<String>,
}

#[derive(Serialize)]
struct StatementDoc<'a> {
    id: Option<&'a str>,
    account: Option<&'a str>,
    currency: Option<Currency>,
    number: Option<&'a str>,
    page: Option<u32>,
    from: Option<String>,
    until: Option<String>,
    opening: Option<BalanceDoc>,
    closing: Option<BalanceDoc>,
    entries: Vec<EntryDoc<'a>>,
    notes: &'a [String],
    proofs: Vec<ProofDoc<'a>>,
}

#[derive(Serialize)]
struct PartyDoc<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
}

#[derive(Serialize)]
struct MoneyDoc {
    amount: String,
    currency: Currency,
}

#[derive(Serialize)]
struct DetailDoc<'a> {
    amount: Option<MoneyDoc>,
    references: BTreeMap<&'static str, &'a str>,
    counterparty: PartyDoc<'a>,
    remittance: Vec<&'a str>,
}

#[derive(Serialize)]
struct AtDoc {
    line: u32,
    byte: u64,
}

#[derive(Serialize)]
struct EntryDoc<'a> {
    value_date: Option<String>,
    booking_date: Option<String>,
    time: Option<String>,
    amount: String,
    currency: Option<Currency>,
    kind: &'static str,
    kind_written: Option<&'a str>,
    status: &'static str,
    is_reversal: bool,
    fee: Option<String>,
    original: Option<MoneyDoc>,
    rate: Option<String>,
    references: BTreeMap<&'static str, &'a str>,
    counterparty: PartyDoc<'a>,
    remittance: Vec<&'a str>,
    details: Vec<DetailDoc<'a>>,
    at: AtDoc,
}

fn money(money: Money) -> MoneyDoc {
    MoneyDoc {
        amount: money.amount_text(),
        currency: money.currency(),
    }
}

fn references<'a>(references: &'a References<'_>) -> BTreeMap<&'static str, &'a str> {
    references
        .iter()
        .map(|(role, text)| (role.code(), text))
        .collect()
}

fn party<'a>(party: &'a Counterparty<'_>) -> PartyDoc<'a> {
    PartyDoc {
        name: party.name.as_deref(),
        account: party.account.as_deref(),
        agent: party.agent.as_deref(),
    }
}

fn detail<'a>(detail: &'a Detail<'_>) -> DetailDoc<'a> {
    DetailDoc {
        amount: detail.amount.map(money),
        references: references(&detail.references),
        counterparty: party(&detail.counterparty),
        remittance: detail.remittance.iter().map(|text| &**text).collect(),
    }
}

fn moment(moment: Moment) -> String {
    let second = moment.second;
    let mut text = format!(
        "{}T{:02}:{:02}:{:02}",
        moment.date,
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    if let Some(offset) = moment.offset_minutes {
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.unsigned_abs();
        let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    }
    text
}

fn amount_of(entry: &Entry<'_>) -> String {
    match &entry.amount {
        EntryAmount::Money(money) => money.amount_text(),
        EntryAmount::Written(text) => text.to_string(),
    }
}

fn entry<'a>(entry: &'a Entry<'_>) -> EntryDoc<'a> {
    EntryDoc {
        value_date: entry.value_date.map(|day| day.to_string()),
        booking_date: entry.booking_date.map(|day| day.to_string()),
        time: entry.time.map(moment),
        amount: amount_of(entry),
        currency: entry.money().map(Money::currency),
        kind: entry.kind.code(),
        kind_written: entry.kind_written.as_deref(),
        status: entry.status.code(),
        is_reversal: entry.is_reversal,
        fee: entry.fee.map(|fee| fee.amount_text()),
        original: entry.original.map(money),
        rate: entry.rate.map(|rate| rate.to_string()),
        references: references(&entry.references),
        counterparty: party(&entry.counterparty),
        remittance: entry.remittance.iter().map(|text| &**text).collect(),
        details: entry.details.iter().map(detail).collect(),
        at: AtDoc {
            line: entry.at.line,
            byte: entry.at.byte,
        },
    }
}

fn proof(proof: &Proof) -> ProofDoc<'_> {
    let text =
        |measure: &Option<quanfu_settlement::Measure>| measure.as_ref().map(ToString::to_string);
    ProofDoc {
        kind: proof.kind.code(),
        scope: &proof.scope,
        verdict: proof.verdict.code(),
        expected: text(&proof.expected),
        found: text(&proof.found),
        difference: text(&proof.difference),
    }
}

fn balance(balance: Balance) -> BalanceDoc {
    BalanceDoc {
        amount: balance.amount.amount_text(),
        date: balance.date.map(|day| day.to_string()),
    }
}

fn statement(statement: &Statement) -> StatementDoc<'_> {
    let head = &statement.head;
    StatementDoc {
        id: head.id.as_deref(),
        account: head.account.as_deref(),
        currency: statement.currency(),
        number: head.sequence.number.as_deref(),
        page: head.sequence.page,
        from: head.period.map(|(from, _)| from.to_string()),
        until: head.period.map(|(_, until)| until.to_string()),
        opening: statement.opening().map(balance),
        closing: statement.tail.closing.map(balance),
        entries: statement.entries.iter().map(entry).collect(),
        notes: &statement.tail.notes,
        proofs: statement.tail.proofs.iter().map(proof).collect(),
    }
}

fn file(file: &FileReading) -> FileDoc<'_> {
    let findings = file.findings.iter().map(|finding| FindingDoc {
        severity: finding.severity.code(),
        code: finding.code.code(),
        line: finding.line,
        column: finding.column,
        message: &finding.message,
    });
    let rejected = file.rejected.iter().map(|rejected| RejectedDoc {
        code: rejected.code,
        line: rejected.line,
        column: rejected.column,
        field: &rejected.field,
        message: &rejected.message,
    });
    FileDoc {
        file: &file.file.name,
        format: &file.file.format,
        encoding: &file.file.encoding,
        digest: file.file.digest.to_string(),
        bytes: file.file.bytes,
        statements: file.statements.iter().map(statement).collect(),
        proofs: file.file.proofs.iter().map(proof).collect(),
        findings: findings.collect(),
        rejected: rejected.collect(),
        counts: Counts {
            records: file.file.records,
            entries: file.file.entries,
            rejected: file.file.rejected,
        },
    }
}

fn text<T: Serialize>(value: &T, pretty: bool) -> String {
    let text = if pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    let mut text = text.expect("the document holds no map with keys other than text");
    text.push('\n');
    text
}

/// The reading as one JSON document, complete.
#[must_use]
pub fn json(reading: &Reading) -> String {
    let files = reading.files.iter().map(file).collect();
    let schema = SCHEMA;
    text(&Doc { schema, files }, true)
}

/// One line of JSON for each entry and each rejected record, with its file; complete.
#[must_use]
pub fn jsonl(reading: &Reading) -> String {
    #[derive(Serialize)]
    struct Line<'a, T> {
        file: &'a str,
        account: Option<&'a str>,
        #[serde(flatten)]
        record: T,
    }
    let mut out = String::new();
    for read in &reading.files {
        let name = read.file.name.as_str();
        for statement in &read.statements {
            for one in &statement.entries {
                let line = Line {
                    file: name,
                    account: statement.head.account.as_deref(),
                    record: entry(one),
                };
                out.push_str(&text(&line, false));
            }
        }
        for record in file(read).rejected {
            let line = Line {
                file: name,
                account: None,
                record,
            };
            out.push_str(&text(&line, false));
        }
    }
    out
}

/// The entries as CSV: one line each, complete; rejected records are lines with a code.
#[must_use]
pub fn csv(reading: &Reading) -> String {
    let mut out = String::from(
        "file,line,account,value_date,booking_date,time,amount,currency,kind,status,fee,order,institution,bank,\
         refund,batch,merchant,counterparty_name,counterparty_account,remittance,rejected\n",
    );
    for read in &reading.files {
        for statement in &read.statements {
            for one in &statement.entries {
                let doc = entry(one);
                push_text_cell(&mut out, &read.file.name);
                let _ = write!(out, ",{},", doc.at.line);
                push_text_cell(&mut out, statement.head.account.as_deref().unwrap_or(""));
                for text in [&doc.value_date, &doc.booking_date, &doc.time] {
                    out.push(',');
                    out.push_str(text.as_deref().unwrap_or(""));
                }
                let currency = doc
                    .currency
                    .map_or(String::new(), |currency| currency.to_string());
                let _ = write!(
                    out,
                    ",{},{currency},{},{},",
                    doc.amount, doc.kind, doc.status
                );
                out.push_str(doc.fee.as_deref().unwrap_or(""));
                for role in [
                    "order",
                    "institution",
                    "bank",
                    "refund",
                    "batch",
                    "merchant",
                ] {
                    out.push(',');
                    push_text_cell(&mut out, doc.references.get(role).copied().unwrap_or(""));
                }
                for text in [doc.counterparty.name, doc.counterparty.account] {
                    out.push(',');
                    push_text_cell(&mut out, text.unwrap_or(""));
                }
                out.push(',');
                push_text_cell(&mut out, &doc.remittance.join(" "));
                out.push_str(",\n");
            }
        }
        for rejected in &read.rejected {
            push_text_cell(&mut out, &read.file.name);
            let _ = write!(out, ",{},,,,,,,,,,,,,,,,,,,", rejected.line);
            let why = format!(
                "{}: {}: {}",
                rejected.code, rejected.field, rejected.message
            );
            push_text_cell(&mut out, &why);
            out.push('\n');
        }
    }
    out
}

/// The JSON Schema of [`json()`], with every closed list spelt out.
#[must_use]
pub fn schema() -> String {
    let text = json!({ "type": "string" });
    let text_or_null = json!({ "type": ["string", "null"] });
    let count = json!({ "type": "integer", "minimum": 0 });
    let count_or_null = json!({ "type": ["integer", "null"], "minimum": 0 });
    let day = json!({ "type": ["string", "null"], "format": "date" });
    let amount = json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" });
    let amount_or_null = json!({ "type": ["string", "null"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$" });
    let currency = json!({ "type": ["string", "null"], "pattern": "^[A-Z]{3}$" });
    let money = object(&[("amount", amount.clone()), ("currency", currency.clone())]);
    let balance = object(&[("amount", amount.clone()), ("date", day.clone())]);
    let roles: Vec<&str> = RefRole::ALL.iter().map(|role| role.code()).collect();
    let references = json!({
        "type": "object", "propertyNames": { "enum": roles }, "additionalProperties": { "type": "string" }
    });
    let counterparty = json!({
        "type": "object", "properties": { "name": text, "account": text, "agent": text }, "additionalProperties": false
    });
    let proof = object(&[
        ("kind", list(ProofKind::ALL, ProofKind::code)),
        ("scope", text.clone()),
        ("verdict", list(Verdict::ALL, Verdict::code)),
        ("expected", text_or_null.clone()),
        ("found", text_or_null.clone()),
        ("difference", text_or_null.clone()),
    ]);
    let detail = object(&[
        ("amount", or_null(money.clone())),
        ("references", references.clone()),
        ("counterparty", counterparty.clone()),
        ("remittance", array(text.clone())),
    ]);
    let entry = object(&[
        ("value_date", day.clone()),
        ("booking_date", day.clone()),
        ("time", text_or_null.clone()),
        ("amount", amount),
        ("currency", currency.clone()),
        ("kind", list(EntryKind::ALL, EntryKind::code)),
        ("kind_written", text_or_null.clone()),
        ("status", list(EntryStatus::ALL, EntryStatus::code)),
        ("is_reversal", json!({ "type": "boolean" })),
        ("fee", amount_or_null),
        ("original", or_null(money)),
        ("rate", text_or_null.clone()),
        ("references", references),
        ("counterparty", counterparty),
        ("remittance", array(text.clone())),
        ("details", array(detail)),
        (
            "at",
            object(&[("line", count.clone()), ("byte", count.clone())]),
        ),
    ]);
    let statement = object(&[
        ("id", text_or_null.clone()),
        ("account", text_or_null.clone()),
        ("currency", currency),
        ("number", text_or_null),
        ("page", count_or_null),
        ("from", day.clone()),
        ("until", day),
        ("opening", or_null(balance.clone())),
        ("closing", or_null(balance)),
        ("entries", array(entry)),
        ("notes", array(text.clone())),
        ("proofs", array(proof.clone())),
    ]);
    let finding = object(&[
        ("severity", list(Severity::ALL, Severity::code)),
        ("code", list(FindingCode::ALL, FindingCode::code)),
        ("line", count.clone()),
        ("column", count.clone()),
        ("message", text.clone()),
    ]);
    let rejected = object(&[
        ("code", json!({ "enum": quanfu_formats::REJECTED_CODES })),
        ("line", count.clone()),
        ("column", count.clone()),
        ("field", text.clone()),
        ("message", text.clone()),
    ]);
    let counts = object(&[
        ("records", count.clone()),
        ("entries", count.clone()),
        ("rejected", count.clone()),
    ]);
    let file = object(&[
        ("file", text.clone()),
        ("format", text.clone()),
        ("encoding", text.clone()),
        ("digest", text),
        ("bytes", count),
        ("statements", array(statement)),
        ("proofs", array(proof)),
        ("findings", array(finding)),
        ("rejected", array(rejected)),
        ("counts", counts),
    ]);
    let mut document = object(&[
        ("schema", json!({ "const": SCHEMA })),
        ("files", array(file)),
    ]);
    document["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    document["title"] = json!(SCHEMA);
    self::text(&document, true)
}

/// What each file is, what it proves and what could not be read, for a terminal; the first ten entries of each
/// statement.
#[must_use]
pub fn table(reading: &Reading, look: &Look) -> String {
    const ENTRIES: usize = 10;
    const LISTED: usize = 20;
    let mut out = String::new();
    for (index, read) in reading.files.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let file = &read.file;
        let _ = writeln!(
            out,
            "{}  {}  {}  {} {}",
            paint(look, "1", &inert(&file.name)),
            file.format,
            file.encoding,
            grouped(file.records),
            say(look, "条记录", "records"),
        );
        proof_table(&file.proofs, look, &mut out);
        for statement in &read.statements {
            statement_table(statement, look, ENTRIES, &mut out);
        }
        for finding in read.findings.iter().take(LISTED) {
            let _ = writeln!(
                out,
                "  {} {} {}: {}",
                finding.severity,
                place(&file.name, finding.line, finding.column),
                finding.code,
                inert(&finding.message)
            );
        }
        more(read.findings.len(), LISTED, look, &mut out);
        for rejected in read.rejected.iter().take(LISTED) {
            let _ = writeln!(
                out,
                "  {} {} {}: {}: {}",
                paint(look, "31", say(look, "拒绝", "rejected")),
                place(&file.name, rejected.line, rejected.column),
                rejected.code,
                inert(&rejected.field),
                inert(&rejected.message)
            );
            let advice = labels::label(rejected.code, look.lang).map_or("", |label| label.advice);
            if !advice.is_empty() {
                let _ = writeln!(out, "    > {advice}");
            }
        }
        more(read.rejected.len(), LISTED, look, &mut out);
    }
    out
}

fn proof_table(proofs: &[Proof], look: &Look, out: &mut String) {
    for proof in proofs {
        let colour = if proof.fails() { "31" } else { "32" };
        let verdict = paint(look, colour, &left(proof.verdict.code(), 7));
        let mut line = format!("  {}{verdict} ", left(proof.kind.code(), 17));
        if let (Some(expected), Some(found)) = (&proof.expected, &proof.found) {
            let _ = write!(
                line,
                "{} {}, {} {}",
                say(look, "应为", "expected"),
                inert(&expected.to_string()),
                say(look, "实为", "found"),
                inert(&found.to_string())
            );
        }
        if let Some(difference) = proof.difference.as_ref().filter(|_| proof.fails()) {
            let _ = write!(line, " ({difference})");
        }
        let line = format!("{} {}", line.trim_end(), inert(&proof.scope));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn place(file: &str, line: u32, column: u32) -> String {
    match (line, column) {
        (0, _) => inert(file),
        (line, 0) => format!("{}:{line}", inert(file)),
        (line, column) => format!("{}:{line}:{column}", inert(file)),
    }
}

fn more(all: usize, shown: usize, look: &Look, out: &mut String) {
    if all > shown {
        let rest = grouped((all - shown) as u64);
        let _ = writeln!(out, "  … {rest} {}", say(look, "条未列出", "more"));
    }
}

fn statement_table(statement: &Statement, look: &Look, most: usize, out: &mut String) {
    let head = &statement.head;
    let account = head.account.as_deref().map(|account| match look.unmask {
        true => inert(account),
        false => inert(&mask_account(account)),
    });
    let balance = |balance: Option<Balance>| {
        balance.map_or("-".to_owned(), |b| amount(&b.amount.amount_text()))
    };
    let _ = writeln!(
        out,
        "  {} {}  {}  {} .. {}  {} {}",
        say(look, "账户", "account"),
        account.as_deref().unwrap_or("-"),
        statement
            .currency()
            .map_or("-".to_owned(), |c| c.to_string()),
        balance(statement.opening()),
        balance(statement.tail.closing),
        grouped(statement.entries.len() as u64),
        say(look, "笔", "entries"),
    );
    proof_table(&statement.tail.proofs, look, out);
    for entry in statement.entries.iter().take(most) {
        let reference = entry.references.iter().next().map_or("-", |(_, text)| text);
        let name = entry.counterparty.name.as_deref().unwrap_or("");
        let name = if look.unmask {
            inert(name)
        } else {
            inert(&mask_name(name))
        };
        let line = format!(
            "  {}{}{} {}  {}{}  {}",
            right(&entry.at.line.to_string(), 7),
            right(
                &entry
                    .value_date
                    .map_or("-".to_owned(), |day| day.to_string()),
                12
            ),
            right(&amount(&amount_of(entry)), 18),
            entry
                .money()
                .map_or("   ".to_owned(), |m| m.currency().to_string()),
            left(entry.kind.code(), 11),
            inert(&cut(reference, 24)),
            name
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    more(statement.entries.len(), most, look, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::fits;
    use quanfu_formats::{Options, read_all};
    use serde_json::Value;

    #[test]
    fn what_is_written_fits_its_schema_and_says_everything() {
        let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
        let statement = ":20:D\r\n:25:6222020200112233445\r\n:28C:1/1\r\n:60F:C260302CNY100,00\r\n\
                         :61:2603020302C19,90NTRFA//B\r\n:86:166?20EREF+E1?32ALICE\r\n:61:260230C1,00NTRFX\r\n\
                         :62F:C260302CNY119,90\r\n-\r\n";
        let orders =
            "order_id,paid_at,amount,currency,status\nA,2026-03-02 09:00:00,1.00,CNY,paid\n";
        for (name, text) in [
            ("day.sta", statement),
            ("orders.csv", orders),
            ("f.sta", ":61:2603020302C1,00NTRFA\r\n"),
        ] {
            let reading = read_all(name, text.as_bytes(), &Options::default()).expect("read");
            let written: Value = serde_json::from_str(&json(&reading)).expect("JSON");
            assert_eq!(fits(&written, &schema, "document"), Ok(()), "{name}");
            for line in jsonl(&reading).lines() {
                assert!(serde_json::from_str::<Value>(line).is_ok());
            }
            let records = reading.files[0].file.records as usize;
            assert_eq!(csv(&reading).lines().count(), records + 1);
            assert_eq!(jsonl(&reading).lines().count(), records);
            let width = |line: &str| {
                let outside = line.split('"').step_by(2);
                outside.map(|part| part.matches(',').count()).sum::<usize>()
            };
            let widths: Vec<usize> = csv(&reading).lines().map(width).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
        }
    }

    #[test]
    fn people_see_masked_accounts_and_names_and_data_is_whole() {
        let text = ":20:D\r\n:25:6222020200112233445\r\n:28C:1/1\r\n:60F:C260302CNY100,00\r\n\
                    :61:2603020302C19,90NTRFA\r\n:86:166?20x?32ALICE SMITH\r\n:62F:C260302CNY119,90\r\n-\r\n";
        let reading = read_all("day.sta", text.as_bytes(), &Options::default()).expect("read");
        let masked = table(&reading, &Look::default());
        let shown = table(
            &reading,
            &Look {
                unmask: true,
                ..Look::default()
            },
        );
        for secret in ["6222020200112233445", "ALICE SMITH"] {
            assert!(
                !masked.contains(secret) && shown.contains(secret),
                "{secret}"
            );
            assert!(json(&reading).contains(secret) && csv(&reading).contains(secret));
        }
    }
}
