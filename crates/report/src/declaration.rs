//! Restored declarations (还原申报) from what a reconciliation wrote, and declarations for a terminal.

mod schema;

use std::fmt::Write as _;

use quanfu_filing::declaration::{Basis, Declaration, Due, Reviewed};
use quanfu_filing::{Difference, NettingRule, OutcomeOf, RestoreError, Restored, Unsound};
use quanfu_money::{Currency, Money};
use quanfu_settlement::{Book, Outcome, ResultDoc, Rules, Side};
use quanfu_trail::Lang;

use crate::outcomes::{self, OutcomeRow, OutcomesError};
use crate::text::{amount, grouped, inert, left, paint, pretty, right, say};
use crate::{Look, labels};

pub use schema::{declaration_schema, restored_schema};

/// Why no declaration can be made of a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromResultError {
    /// The table cannot be read.
    #[error("outcomes table: {0}")]
    Table(#[from] OutcomesError),
    /// What it says makes no declaration.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

impl FromResultError {
    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Table(_) => "outcomes-document",
            Self::Restore(error) => error.code(),
        }
    }
}

/// The confirmed groups of one edge of a result, from its outcomes table and the books of its inputs, one for each source
/// of the rules.
///
/// # Errors
///
/// [`FromResultError`], if the table is not one line for each record of the books.
pub fn restore(
    doc: &ResultDoc,
    rules: &Rules,
    edge: usize,
    books: &[Book],
    table: &str,
) -> Result<Restored, FromResultError> {
    let missing = || RestoreError::Edge { edge };
    let named = rules.edges.get(edge).ok_or_else(missing)?;
    let book = |source: usize| books.get(source).ok_or_else(missing);
    let (left, right) = (book(named.left)?, book(named.right)?);
    let mut rows = Vec::with_capacity(left.len() as usize + right.len() as usize);
    let mut failed = None;
    let mut line = 1;
    outcomes::for_each(table, |row| {
        line += 1;
        if row.edge != named.name || failed.is_some() {
            return;
        }
        let source = |side: usize| rules.sources[side].name == row.source;
        let side = match (source(named.left), source(named.right)) {
            (true, _) => Some(Side::Left),
            (_, true) => Some(Side::Right),
            _ => None,
        };
        match side.and_then(|side| read_row(row, side)) {
            Some(row) => rows.push(row),
            None => {
                let message = "the line is not as the table is written".to_owned();
                failed = Some(OutcomesError { line, message });
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let result = Some(doc.certificate.body);
    let books = [left, right];
    Ok(Restored::from_rows(
        rules, edge, books, doc.as_of, result, rows,
    )?)
}

fn read_row(row: OutcomeRow, side: Side) -> Option<OutcomeOf> {
    let outcome = Outcome::from_code(&row.outcome)?;
    let minor = if outcome == Outcome::Rejected {
        None
    } else {
        let currency = Currency::from_code(&row.currency).ok()?;
        let money: Money = format!("{} {currency}", row.amount).parse().ok()?;
        Some(money.minor())
    };
    Some(OutcomeOf {
        side,
        record: row.record.parse().ok()?,
        outcome,
        minor,
        group: row.group,
        rule: row.rule,
        causes: row.cause,
    })
}

/// How many batches, and how many faults of one kind, are told one by one.
const TOLD: usize = 10;

/// A restored declaration for a terminal: totals, batches, what is netted by which rule, and what is not declared.
#[must_use]
pub fn table(restored: &Restored, netting: &[NettingRule], look: &Look) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {}  {} {}",
        say(look, "还原申报", "restored declaration"),
        inert(&restored.edge),
        say(look, "业务日", "business day"),
        restored.as_of
    );
    let originals: usize = restored
        .batches
        .iter()
        .map(|batch| batch.originals.len())
        .sum();
    let _ = writeln!(
        out,
        "{} {}, {} {}\n",
        grouped(restored.batches.len()),
        say(look, "批", "batches"),
        grouped(originals),
        say(look, "笔原始交易", "originals")
    );
    for (settled, explained) in restored.totals() {
        let _ = writeln!(
            out,
            "{} {} {}  {} {}",
            say(look, "实际结算", "settled"),
            amount(&settled.amount_text()),
            settled.currency().code(),
            say(look, "还原合计", "originals less charges"),
            amount(&explained.amount_text())
        );
    }
    for batch in restored.batches.iter().take(TOLD) {
        let charges: i128 = batch.charges.iter().map(|one| i128::from(one.minor)).sum();
        let gross = batch.explained() - charges;
        let text = |minor: i128| {
            let sum = quanfu_money::MoneySum::from_minor(minor, batch.currency);
            amount(&sum.amount_text())
        };
        let _ = writeln!(
            out,
            "  {}  {}  {} {}  = {} {}  {} {}  {} {}",
            inert(&batch.group),
            batch
                .value_date
                .map_or("-".to_owned(), |day| day.to_string()),
            right(&text(batch.settled_minor.into()), 14),
            batch.currency.code(),
            grouped(batch.count),
            say(look, "笔", "originals"),
            right(&text(gross), 14),
            batch.currency.code(),
            right(&text(charges), 10),
            say(look, "费", "charges"),
        );
    }
    if restored.batches.len() > TOLD {
        let more = grouped(restored.batches.len() - TOLD);
        let _ = writeln!(out, "  … {more} {}", say(look, "批", "more batches"));
    }
    let netted = restored.netted(netting);
    if !netted.is_empty() {
        let _ = writeln!(out, "\n{}", say(look, "轧差", "netted"));
    }
    for (rule, count, sum) in netted {
        let _ = writeln!(
            out,
            "  {} {}  {} {}  {}: {} [{}]",
            grouped(count),
            rule.kind,
            amount(&sum.amount_text()),
            sum.currency().code(),
            rule.row.id(),
            inert(&rule.row.source),
            rule.row.certainty.name()
        );
    }
    if !restored.not_declared.is_empty() {
        let _ = writeln!(out, "\n{}", say(look, "未申报", "not declared"));
    }
    for one in &restored.not_declared {
        let currency = one.currency.map_or(String::new(), |c| c.code().to_owned());
        let _ = writeln!(
            out,
            "  {} {} {} {} {currency}  {}",
            left(&inert(&one.source), 9),
            left(&inert(&one.reason), 18),
            right(&grouped(one.count), 9),
            right(&amount(&one.sum), 16),
            labels::short(&one.reason, look.lang)
        );
    }
    out
}

/// Why a declaration does not hold, and where it is not as one made anew; of each kind the first few.
#[must_use]
pub fn faults(unsound: &[Unsound], differences: &[Difference], look: &Look) -> String {
    let mut out = String::new();
    let mut told: Vec<(&'static str, String)> = Vec::new();
    told.extend(unsound.iter().map(|one| (one.code(), one.to_string())));
    let others = differences.iter();
    told.extend(others.map(|one| ("declaration-otherwise", one.to_string())));
    let (mut code, mut of_code) = ("", 0);
    for (index, (kind, text)) in told.iter().enumerate() {
        if *kind != code {
            (code, of_code) = (kind, 0);
            let label = labels::label(kind, look.lang);
            let short = label.map_or("", |label| label.short);
            let _ = writeln!(out, "{} {short}", paint(look, "31", kind));
        }
        of_code += 1;
        if of_code <= TOLD {
            let _ = writeln!(out, "  {}", inert(text));
        }
        if told.get(index + 1).is_none_or(|(next, _)| next != kind) && of_code > TOLD {
            let more = grouped(of_code - TOLD);
            let _ = writeln!(out, "  … {more} {}", say(look, "处", "more"));
        }
    }
    out
}

/// The same, complete, as one JSON document.
#[must_use]
pub fn faults_json(unsound: &[Unsound], differences: &[Difference]) -> String {
    #[derive(serde::Serialize)]
    struct Fault {
        code: &'static str,
        text: String,
    }
    #[derive(serde::Serialize)]
    struct Doc {
        schema: &'static str,
        faults: Vec<Fault>,
    }
    let of_document = unsound.iter().map(|one| (one.code(), one.to_string()));
    let others = differences
        .iter()
        .map(|one| ("declaration-otherwise", one.to_string()));
    let faults = of_document
        .chain(others)
        .map(|(code, text)| Fault { code, text });
    let doc = Doc {
        schema: "quanfu.restored-check/1",
        faults: faults.collect(),
    };
    pretty(&doc)
}

/// A declaration for a terminal: its records in sums, with names and accounts masked unless the look says otherwise.
#[must_use]
pub fn draft(declaration: &Declaration, look: &Look) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {} {}",
        say(
            look,
            "申报草稿（中性模型，非监管报文格式）",
            "draft declaration (a neutral model, no authority's format)"
        ),
        say(look, "业务日", "business day"),
        declaration.as_of
    );
    let counts = [
        (
            say(look, "收付", "receipts and payments"),
            declaration.receipts_payments.len(),
        ),
        (
            say(look, "国际收支", "balance of payments"),
            declaration.bop.len(),
        ),
        (
            say(look, "原始交易", "originals"),
            declaration.details.len(),
        ),
    ];
    for (what, count) in counts {
        let _ = writeln!(out, "  {} {what}", right(&grouped(count), 9));
    }
    for one in declaration.receipts_payments.iter().take(TOLD) {
        let name = |party: &quanfu_filing::declaration::Party| match look.unmask {
            true => inert(party.name.reveal()),
            false => inert(&party.name.masked()),
        };
        let _ = writeln!(
            out,
            "  {}  {}  {} {}  {}  {} <> {}",
            inert(&one.reference),
            one.value_date.map_or("-".to_owned(), |day| day.to_string()),
            right(&amount(&one.amount.amount_text()), 14),
            one.amount.currency().code(),
            one.direction,
            name(&one.subject),
            name(&one.counterparty),
        );
    }
    if declaration.receipts_payments.len() > TOLD {
        let more = grouped(declaration.receipts_payments.len() - TOLD);
        let _ = writeln!(out, "  … {more} {}", say(look, "条", "more"));
    }
    out
}

fn basis(basis: &Basis) -> String {
    let certainty = basis.certainty.name();
    format!(
        "{}: {}; {} [{certainty}]",
        inert(&basis.row),
        inert(&basis.value),
        inert(&basis.source)
    )
}

/// What a review found, for a terminal: of each kind the first few, with the rows that they rest on; then the deadlines.
#[must_use]
pub fn review(reviewed: &Reviewed, look: &Look) -> String {
    let mut out = String::new();
    let (mut kind, mut of_kind) = (None, 0);
    let findings = &reviewed.findings;
    for (index, one) in findings.iter().enumerate() {
        if kind != Some(one.kind) {
            (kind, of_kind) = (Some(one.kind), 0);
            let label = labels::label(one.kind.code(), look.lang);
            let short = label.map_or("", |label| label.short);
            let _ = writeln!(out, "{} {short}", paint(look, "33", one.kind.code()));
        }
        of_kind += 1;
        if of_kind <= TOLD {
            let place = match one.place.as_str() {
                "" => String::new(),
                place => format!("{}: ", inert(place)),
            };
            let times = match one.count {
                1 => String::new(),
                count => format!("  x{}", grouped(count)),
            };
            let text = match look.lang {
                Lang::Zh => &one.text.zh,
                Lang::En => &one.text.en,
            };
            let _ = writeln!(out, "  {place}{}{times}", inert(text));
            for row in &one.basis {
                let _ = writeln!(out, "      {}", basis(row));
            }
        }
        if findings
            .get(index + 1)
            .is_none_or(|next| Some(next.kind) != kind)
            && of_kind > TOLD
        {
            let more = grouped(of_kind - TOLD);
            let _ = writeln!(out, "  … {more} {}", say(look, "处", "more"));
        }
    }
    for due in reviewed.dues.iter().take(TOLD) {
        let last = match due.deadline.due() {
            Some(last) => last.to_string(),
            None => say(look, "无法判定", "not determinable").to_owned(),
        };
        let reported = due.reported_on.map_or(String::new(), |day| {
            format!("  {} {day}", say(look, "已报", "reported"))
        });
        let _ = writeln!(
            out,
            "{} {} {}  {last}{reported}",
            say(look, "期限", "due"),
            left(due.form, 16),
            inert(&due.batch)
        );
        if let Some(row) = &due.basis {
            let _ = writeln!(out, "      {}", basis(row));
        }
    }
    if reviewed.dues.len() > TOLD {
        let more = grouped(reviewed.dues.len() - TOLD);
        let _ = writeln!(out, "  … {more} {}", say(look, "个期限", "more deadlines"));
    }
    out
}

/// What a review found, complete, as one JSON document. Personal values are masked in it.
#[must_use]
pub fn review_json(reviewed: &Reviewed, differences: &[Difference]) -> String {
    #[derive(serde::Serialize)]
    struct DueText<'d> {
        batch: &'d str,
        form: &'d str,
        /// The last day; `null`: not determinable.
        due: Option<quanfu_calendar::Date>,
        basis: Option<&'d Basis>,
        reported_on: Option<quanfu_calendar::Date>,
    }
    #[derive(serde::Serialize)]
    struct Doc<'d> {
        schema: &'static str,
        /// Where it is not as the restored declaration.
        otherwise: Vec<String>,
        findings: &'d [quanfu_filing::declaration::Finding],
        dues: Vec<DueText<'d>>,
    }
    let text = |due| {
        let due: &Due = due;
        DueText {
            batch: &due.batch,
            form: due.form,
            due: due.deadline.due(),
            basis: due.basis.as_ref(),
            reported_on: due.reported_on,
        }
    };
    let doc = Doc {
        schema: "quanfu.declaration-review/1",
        otherwise: differences.iter().map(ToString::to_string).collect(),
        findings: &reviewed.findings,
        dues: reviewed.dues.iter().map(text).collect(),
    };
    pretty(&doc)
}
