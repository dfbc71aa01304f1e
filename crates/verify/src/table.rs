//! The outcomes table rendered a second time and compared line by line.

use std::collections::HashMap;
use std::fmt::Write as _;

use quanfu_settlement::decision::short;
use quanfu_settlement::result::OpenPosition;
use quanfu_settlement::{DigestAlg, Hasher, Outcome, RecordId, ResultDoc, Rules, Side};

use crate::Fault;
use crate::judge::{Cause, Edge};
use crate::rows::Source;

pub(crate) const HEADER: &str = "source,file,line,record,edge,outcome,code,group,rule,pass,value_date,amount,currency,group_difference,cause,note";

/// Compares the table's text, if there is a table, and the outcome digest; gives the number of lines.
pub(crate) fn compare(
    text: Option<&str>,
    rules: &Rules,
    sources: &[Source],
    judged: &[Edge],
    doc: &ResultDoc,
) -> Result<u64, Fault> {
    let mut rest = text.map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut number = 0u64;
    let mut take = |expected: &str, place: &dyn Fn() -> String| match rest
        .map(|rest| (rest, rest.strip_prefix(expected)))
    {
        None => {
            number += 1;
            Ok(())
        }
        Some((_, Some(after))) => {
            rest = Some(after);
            number += 1;
            Ok(())
        }
        Some((rest, None)) => {
            let found = rest.lines().next().unwrap_or("the end of the table");
            let message = format!(
                "{}: found {found:?}; the inputs give {:?}",
                place(),
                expected.trim_end()
            );
            Err(Fault::new(
                "verify-table",
                format!("outcomes table, line {}", number + 1),
                message,
            ))
        }
    };
    take(&format!("{HEADER}\n"), &|| "header".into())?;
    let notes = Notes::of(doc);
    let mut hasher = Hasher::new(doc.certificate.outcome_digest.alg);
    for (index, edge) in rules.edges.iter().enumerate() {
        for (side, at) in [(Side::Left, edge.left), (Side::Right, edge.right)] {
            let source = &sources[at];
            let mut lines: Vec<(RecordId, bool, String)> = Vec::new();
            for which in in_file_order(source) {
                let line = Line {
                    rules,
                    sources,
                    judged,
                    index,
                    side,
                    which,
                    notes: &notes,
                };
                let (id, placed, plain) = line.render();
                take(&placed, &|| format!("record {id} on edge {}", edge.name))?;
                lines.push((id, matches!(which, Which::Rejected(_)), plain));
            }
            lines.sort();
            for (_, _, plain) in lines {
                hasher.update(plain.as_bytes());
            }
        }
    }
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        let found = rest.lines().next().unwrap_or_default();
        return Err(Fault::new(
            "verify-table",
            format!("outcomes table, line {}", number + 1),
            format!("{found:?} stands after the last line that the inputs give"),
        ));
    }
    let digest = hasher.finish();
    if digest.alg != DigestAlg::Sha256 || digest != doc.certificate.outcome_digest {
        let message = format!(
            "found {}; the lines give {digest}",
            doc.certificate.outcome_digest
        );
        return Err(Fault::new(
            "verify-outcome-digest",
            "certificate.outcome_digest",
            message,
        ));
    }
    Ok(number)
}

#[derive(Clone, Copy)]
enum Which {
    Row(usize),
    Rejected(usize),
}

/// Items carried in first, then rows and rejected records by file and line.
fn in_file_order(source: &Source) -> Vec<Which> {
    let mut all: Vec<((usize, usize, u32, usize), Which)> = Vec::new();
    for (index, row) in source.rows.iter().enumerate() {
        let place = match row.statement {
            Some(statement) => (1, source.statements[statement].file, row.line, index),
            None => (0, 0, 0, index),
        };
        all.push((place, Which::Row(index)));
    }
    for (index, row) in source.rejected.iter().enumerate() {
        // on one line a readable record comes before a rejected one
        all.push((
            (1, row.file_index, row.line, usize::MAX),
            Which::Rejected(index),
        ));
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, which)| which).collect()
}

/// Notes of single open rows, as the document's open positions tell them.
struct Notes<'d>(HashMap<(&'d str, Side, RecordId), &'d OpenPosition>);

impl<'d> Notes<'d> {
    fn of(doc: &'d ResultDoc) -> Self {
        let positions = [&doc.breaks, &doc.ambiguous, &doc.suggested, &doc.carried];
        let single =
            positions
                .into_iter()
                .flatten()
                .filter_map(|position| match &position.members[..] {
                    [one] => Some((
                        (position.edge.as_str(), one.side, one.item.record),
                        position,
                    )),
                    _ => None,
                });
        Self(single.collect())
    }
}

struct Line<'a> {
    rules: &'a Rules,
    sources: &'a [Source],
    judged: &'a [Edge],
    index: usize,
    side: Side,
    which: Which,
    notes: &'a Notes<'a>,
}

impl Line<'_> {
    /// The record, the line with its place, and the line without it.
    fn render(&self) -> (RecordId, String, String) {
        let edge = &self.rules.edges[self.index];
        let at = if self.side == Side::Left {
            edge.left
        } else {
            edge.right
        };
        let source = &self.sources[at];
        let name = cell(&self.rules.sources[at].name);
        let (id, place, mut rest) = match self.which {
            Which::Rejected(index) => {
                let row = &source.rejected[index];
                let place = format!("{},{}", cell(&row.file), row.line);
                let rest = format!(
                    ",{},{},{},{},,,,,,,,,{}",
                    row.id,
                    cell(&edge.name),
                    Outcome::Rejected,
                    row.code,
                    cell(&row.message)
                );
                (row.id, place, rest)
            }
            Which::Row(index) => {
                let row = &source.rows[index];
                let place = format!("{},{}", cell(&row.file), row.line);
                let judged = &self.judged[self.index];
                let state = judged.side(self.side)[index];
                let group = state.group.map(|group| &judged.groups[group]);
                let mut rest = format!(
                    ",{},{},{},{},",
                    row.id,
                    cell(&edge.name),
                    state.outcome,
                    state.code.map_or("", |code| code.code())
                );
                if let Some(group) = group {
                    let _ = write!(rest, "{:016x}", group.id);
                }
                match state.rule {
                    Some(rule) => {
                        let rule = &edge.rules[rule];
                        let _ = write!(rest, ",{},{}", rule.id, rule.pass);
                    }
                    None => rest.push_str(",,"),
                }
                let date = row
                    .value_date
                    .map(|date| date.to_string())
                    .unwrap_or_default();
                let _ = write!(
                    rest,
                    ",{date},{},{},",
                    row.money().amount_text(),
                    row.currency
                );
                if let Some(group) = group {
                    if let Some((minor, currency)) = group.difference {
                        rest.push_str(&amount(minor, currency));
                    }
                    let causes: Vec<String> = group.causes.iter().map(cause_text).collect();
                    let _ = write!(rest, ",{}", causes.join(";"));
                } else {
                    rest.push(',');
                }
                let _ = write!(rest, ",{}", cell(&self.note(index)));
                (row.id, place, rest)
            }
        };
        rest.push('\n');
        (id, format!("{name},{place}{rest}"), format!("{name}{rest}"))
    }

    fn note(&self, index: usize) -> String {
        let judged = &self.judged[self.index];
        let decision = judged.decided.get(&(self.side, index));
        let decision = decision.map(|id| format!("by decision {}", short(*id)));
        let other = Some(self.other_note(index)).filter(|note| !note.is_empty());
        let notes: Vec<String> = decision.into_iter().chain(other).collect();
        notes.join("; ")
    }

    fn other_note(&self, index: usize) -> String {
        let edge = &self.rules.edges[self.index];
        let judged = &self.judged[self.index];
        let state = judged.side(self.side)[index];
        let at = if self.side == Side::Left {
            edge.left
        } else {
            edge.right
        };
        let row = &self.sources[at].rows[index];
        let searched = state.group.and_then(|group| judged.groups[group].search);
        if let Some(search) = searched.filter(|_| state.outcome != Outcome::Ambiguous) {
            return search.to_string();
        }
        if state.outcome == Outcome::Confirmed {
            let Some(group) = state.group.map(|group| &judged.groups[group]) else {
                return String::new();
            };
            let ([l], [r]) = (&group.left[..], &group.right[..]) else {
                return String::new();
            };
            let days = (
                self.sources[edge.left].rows[*l].day,
                self.sources[edge.right].rows[*r].day,
            );
            return match days {
                (Some(l), Some(r)) if l != r => format!("days {l} | {r}"),
                _ => String::new(),
            };
        }
        let Some(position) = self.notes.0.get(&(edge.name.as_str(), self.side, row.id)) else {
            return String::new();
        };
        let mut parts = Vec::new();
        if let Some(due) = position.due {
            parts.push(format!("due {due}"));
        } else if position.due_not_determinable {
            parts.push("due date not determinable".into());
        }
        if let Some(nearest) = &position.nearest
            && let Some(failed) = &nearest.failed
        {
            let who = nearest
                .item
                .as_ref()
                .map(|item| format!("nearest {}: ", item.record))
                .unwrap_or_default();
            parts.push(format!(
                "{who}{} differs: {} | {}",
                failed.predicate, failed.left, failed.right
            ));
        }
        parts.join("; ")
    }
}

/// An amount in minor units as text at the currency's full scale.
pub(crate) fn amount(minor: i128, currency: quanfu_money::Currency) -> String {
    let digits = usize::from(currency.minor_digits());
    let mut text = format!("{:0width$}", minor.unsigned_abs(), width = digits + 1);
    if digits > 0 {
        text.insert(text.len() - digits, '.');
    }
    if minor < 0 {
        text.insert(0, '-');
    }
    text
}

fn cause_text(cause: &Cause) -> String {
    match &cause.note {
        Some(note) if cause.name == "fx" => format!("fx:{note}"),
        Some(note) => {
            let amount = amount(cause.minor, cause.currency);
            format!("{}:{amount} ({note})", cause.name)
        }
        None => format!("{}:{}", cause.name, amount(cause.minor, cause.currency)),
    }
}

/// A cell as RFC 4180 has it, with `'` before what a spreadsheet would take for a formula.
fn cell(text: &str) -> String {
    let formula = text
        .chars()
        .next()
        .is_some_and(|c| "=+-@\t\r\n＝＋－＠'".contains(c));
    let inert = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if inert.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", inert.replace('"', "\"\""))
    } else {
        inert
    }
}
