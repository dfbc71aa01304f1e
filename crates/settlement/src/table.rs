//! The outcomes table, `quanfu.outcomes/1`: one line for every record and edge.
//!
//! Columns: `source,file,line,record,edge,outcome,code,group,rule,pass,value_date,amount,currency,
//! group_difference,cause,note`. Lines are ordered by edge, then source (left before right), then file and
//! line; rejected records come in their place. The *outcome digest* takes the same lines without `file` and
//! `line`, ordered by edge, source and record, so that it is the same for shuffled and split input.

use std::fmt::Write as _;

use quanfu_calendar::{Date, Datelike};
use quanfu_money::Money;

use crate::book::RecordId;
use crate::digest::{Digest, DigestAlg, Hasher};
use crate::outcome::{Outcome, Outcomes, Side};
use crate::rules::Rules;

/// Schema name of the outcomes table.
pub const SCHEMA: &str = "quanfu.outcomes/1";

/// The header line, without a line end.
pub const HEADER: &str = "source,file,line,record,edge,outcome,code,group,rule,pass,value_date,amount,currency,group_difference,cause,note";

/// A cell of text for CSV (RFC 4180), made inert for spreadsheets: a text that begins as a formula would, or with `'`, gets a
/// leading `'`.
pub fn push_text_cell(line: &mut String, text: &str) {
    let formula = text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\'',
    ]);
    let quoted = text
        .bytes()
        .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if quoted {
        line.push('"');
    }
    if formula {
        line.push('\'');
    }
    if !quoted {
        line.push_str(text);
        return;
    }
    for c in text.chars() {
        if c == '"' {
            line.push('"');
        }
        line.push(c);
    }
    line.push('"');
}

/// Sixteen hex digits.
fn push_hex(text: &mut String, value: u64) {
    for shift in (0..16).rev() {
        let digit = (value >> (shift * 4)) & 15;
        text.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
}

/// A record's name, as it displays.
fn push_id(text: &mut String, id: RecordId) {
    push_hex(text, id.digest);
    if id.nth > 1 {
        let _ = write!(text, "-{}", id.nth);
    }
}

/// A day as YYYY-MM-DD.
fn push_day(text: &mut String, day: Date) {
    let Some(year) = u32::try_from(day.year()).ok().filter(|year| *year < 10_000) else {
        let _ = write!(text, "{day}");
        return;
    };
    let mut push = |value: u32, digits: u32| {
        for place in (0..digits).rev() {
            let digit = value / 10u32.pow(place) % 10;
            text.push(char::from(b'0' + digit as u8));
        }
    };
    push(year, 4);
    text.push('-');
    for (value, mark) in [(day.month(), "-"), (day.day(), "")] {
        text.push(char::from(b'0' + (value / 10) as u8));
        text.push(char::from(b'0' + (value % 10) as u8));
        text.push_str(mark);
    }
}

/// One line of the table: a record on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Row(u32),
    Rejected(u32),
}

/// The table of a run, rendered line by line.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeTable<'a> {
    outcomes: &'a Outcomes,
    rules: &'a Rules,
}

impl<'a> OutcomeTable<'a> {
    /// The table of `outcomes`, which came of `rules`.
    #[must_use]
    pub fn new(outcomes: &'a Outcomes, rules: &'a Rules) -> Self {
        Self { outcomes, rules }
    }

    /// Calls `each` with every line of the table in its order, header first, line ends included.
    pub fn for_each_line(&self, mut each: impl FnMut(&str)) {
        let mut text = String::with_capacity(256);
        text.push_str(HEADER);
        text.push('\n');
        each(&text);
        for edge in 0..self.rules.edges.len() {
            for side in [Side::Left, Side::Right] {
                for line in self.in_file_order(edge, side) {
                    text.clear();
                    self.render(edge, side, line, true, &mut text);
                    each(&text);
                }
            }
        }
    }

    /// As [`OutcomeTable::for_each_line`], many lines at a time, rendered on so many threads; the text is the same.
    pub fn for_each_block(&self, threads: usize, mut each: impl FnMut(&str)) {
        each(HEADER);
        each("\n");
        for edge in 0..self.rules.edges.len() {
            for side in [Side::Left, Side::Right] {
                let lines: Vec<Line> = self.in_file_order(edge, side).collect();
                self.blocks((edge, side), &lines, true, threads, &mut |text, _| {
                    each(text)
                });
            }
        }
    }

    /// The outcome digest: over all lines without `file` and `line`, by edge, source and record; rendered on so many
    /// threads.
    pub fn digest(&self, alg: DigestAlg, threads: usize) -> Digest {
        /// Lines are rendered in the order in which their rows lie in memory, so many at once, and taken in by record.
        const GATHERED: usize = 1 << 19;
        let mut hasher = Hasher::new(alg);
        let mut texts = String::new();
        for edge in 0..self.rules.edges.len() {
            for side in [Side::Left, Side::Right] {
                let mut lines: Vec<(RecordId, Line, u32)> = self
                    .in_file_order(edge, side)
                    .zip(0..)
                    .map(|(line, place)| (self.id(edge, side, line), line, place))
                    .collect();
                lines
                    .sort_unstable_by_key(|(id, line, _)| (*id, matches!(line, Line::Rejected(_))));
                for lines in lines.chunks(GATHERED) {
                    let mut laid: Vec<usize> = (0..lines.len()).collect();
                    laid.sort_unstable_by_key(|&index| lines[index].2);
                    let wanted: Vec<Line> = laid.iter().map(|&index| lines[index].1).collect();
                    let mut spans = vec![0..0; lines.len()];
                    let mut laid = laid.into_iter();
                    texts.clear();
                    self.blocks((edge, side), &wanted, false, threads, &mut |text, ends| {
                        let (behind, mut start) = (texts.len(), 0);
                        for (&end, index) in ends.iter().zip(&mut laid) {
                            spans[index] = behind + start..behind + end;
                            start = end;
                        }
                        texts.push_str(text);
                    });
                    for span in spans {
                        hasher.update(&texts.as_bytes()[span]);
                    }
                }
            }
        }
        hasher.finish()
    }

    /// Renders lines block by block, some blocks at once, and hands them over in order, with the end of each line.
    fn blocks(
        &self,
        (edge, side): (usize, Side),
        lines: &[Line],
        with_place: bool,
        threads: usize,
        each: &mut dyn FnMut(&str, &[usize]),
    ) {
        const BLOCK: usize = 1 << 14;
        let render = |lines: &[Line]| {
            let mut text = String::with_capacity(lines.len() * 160);
            let mut ends = Vec::with_capacity(lines.len());
            for line in lines {
                self.render(edge, side, *line, with_place, &mut text);
                ends.push(text.len());
            }
            (text, ends)
        };
        let threads = threads.max(1);
        for wave in lines.chunks(BLOCK * threads) {
            if threads == 1 || wave.len() <= BLOCK {
                for (text, ends) in wave.chunks(BLOCK).map(render) {
                    each(&text, &ends);
                }
                continue;
            }
            let texts: Vec<(String, Vec<usize>)> = std::thread::scope(|scope| {
                let running: Vec<_> = wave
                    .chunks(BLOCK)
                    .map(|lines| scope.spawn(|| render(lines)))
                    .collect();
                let done = running.into_iter().map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                });
                done.collect()
            });
            texts.iter().for_each(|(text, ends)| each(text, ends));
        }
    }

    fn source(&self, edge: usize, side: Side) -> usize {
        match side {
            Side::Left => self.rules.edges[edge].left,
            Side::Right => self.rules.edges[edge].right,
        }
    }

    fn id(&self, edge: usize, side: Side, line: Line) -> RecordId {
        let book = &self.outcomes.books[self.source(edge, side)];
        match line {
            Line::Row(row) => book.id(row),
            Line::Rejected(index) => book.rejected()[index as usize].id,
        }
    }

    /// Rows and rejected records merged: rows carried in first, then by file and line.
    fn in_file_order(&self, edge: usize, side: Side) -> impl Iterator<Item = Line> {
        let book = &self.outcomes.books[self.source(edge, side)];
        let place = |row: u32| match book.statement_of(row) {
            Some(statement) if book.carried(row).is_none() => (
                1,
                book.statements()[statement as usize].file,
                book.at(row).line,
            ),
            _ => (0, 0, 0),
        };
        let rows = (0..book.len()).map(move |row| (place(row), Line::Row(row)));
        let rejected = book.rejected().iter().enumerate();
        let mut rejected = rejected
            .map(|(index, r)| ((1u8, r.file, r.why.at.line), Line::Rejected(index as u32)))
            .peekable();
        let mut rows = rows.peekable();
        std::iter::from_fn(move || match (rows.peek(), rejected.peek()) {
            (Some(row), Some(reject)) if reject.0 < row.0 => rejected.next(),
            (Some(_), _) => rows.next(),
            (None, _) => rejected.next(),
        })
        .map(|(_, line)| line)
    }

    fn render(&self, edge: usize, side: Side, line: Line, with_place: bool, text: &mut String) {
        let rules = &self.rules.edges[edge];
        let source = self.source(edge, side);
        let book = &self.outcomes.books[source];
        push_text_cell(text, &self.rules.sources[source].name);
        match line {
            Line::Rejected(index) => {
                let rejected = &book.rejected()[index as usize];
                if with_place {
                    let file = book
                        .files()
                        .get(rejected.file as usize)
                        .map_or("", |file| &file.name);
                    text.push(',');
                    push_text_cell(text, file);
                    let _ = write!(text, ",{}", rejected.why.at.line);
                }
                text.push(',');
                push_id(text, rejected.id);
                text.push(',');
                push_text_cell(text, &rules.name);
                let _ = write!(
                    text,
                    ",{},{},,,,,,,,,",
                    Outcome::Rejected,
                    rejected.why.code
                );
                push_text_cell(text, &rejected.why.message);
            }
            Line::Row(row) => {
                let outcomes = &self.outcomes.edges[edge];
                let outcome = outcomes.side(side)[row as usize];
                if with_place {
                    text.push(',');
                    push_text_cell(text, book.file_name(row));
                    let _ = write!(text, ",{}", book.at(row).line);
                }
                text.push(',');
                push_id(text, book.id(row));
                text.push(',');
                push_text_cell(text, &rules.name);
                text.push(',');
                text.push_str(outcome.outcome.code());
                text.push(',');
                text.push_str(outcome.code.map_or("", |code| code.code()));
                text.push(',');
                let group = outcome.group.map(|group| &outcomes.groups[group as usize]);
                if let Some(group) = group {
                    push_hex(text, group.id);
                }
                text.push(',');
                if let Some(rule) = outcome.rule {
                    let rule = &rules.rules[rule as usize];
                    text.push_str(&rule.id);
                    text.push(',');
                    text.push_str(rule.pass.code());
                } else {
                    text.push(',');
                }
                text.push(',');
                if let Some(day) = book.value_date(row) {
                    push_day(text, day);
                }
                text.push(',');
                push_money(text, book.money(row));
                text.push(',');
                if let Some(group) = group {
                    if let Some(difference) = group.difference {
                        let _ = difference.write_amount(text);
                    }
                    text.push(',');
                    for (index, cause) in group.causes.iter().enumerate() {
                        let _ = write!(text, "{}{cause}", if index > 0 { ";" } else { "" });
                    }
                } else {
                    text.push(',');
                }
                text.push(',');
                self.note(edge, side, row, text);
            }
        }
        text.push('\n');
    }

    /// The decision, if there is one. For open rows: why. For groups that a search found: how far it went. For confirmed
    /// pairs of different accounting days: both days.
    fn note(&self, edge: usize, side: Side, row: u32, text: &mut String) {
        let outcomes = &self.outcomes.edges[edge];
        let outcome = outcomes.side(side)[row as usize];
        let mut note = String::new();
        if let Some(decision) = outcomes.decided.get(&(side, row)) {
            let _ = write!(note, "by decision {}; ", crate::decision::short(*decision));
        }
        if let Some(why) = outcomes.why(side).get(&row) {
            if let Some(due) = why.due {
                let _ = write!(note, "due {due}; ");
            } else if why.due_not_determinable {
                note.push_str("due date not determinable; ");
            }
            if let Some(failed) = &why.failed {
                let other = self.source(edge, side.other());
                if let Some(nearest) = why.nearest {
                    let _ = write!(note, "nearest {}: ", self.outcomes.books[other].id(nearest));
                }
                let _ = write!(
                    note,
                    "{} differs: {} | {}",
                    failed.predicate, failed.left, failed.right
                );
            }
        } else if let Some(search) = outcome
            .group
            .and_then(|group| outcomes.groups[group as usize].search)
            && outcome.outcome != Outcome::Ambiguous
        {
            let _ = write!(note, "{search}");
        } else if outcome.outcome == Outcome::Confirmed
            && let Some(group) = outcome.group.map(|group| &outcomes.groups[group as usize])
            && let ([left], [right]) = (outcomes.left_members(group), outcomes.right_members(group))
        {
            let (left_book, right_book) = (
                &self.outcomes.books[self.rules.edges[edge].left],
                &self.outcomes.books[self.rules.edges[edge].right],
            );
            let differ = left_book.accounting_days()[*left as usize]
                != right_book.accounting_days()[*right as usize];
            if differ
                && let (Some(l), Some(r)) = (
                    left_book.accounting_day(*left),
                    right_book.accounting_day(*right),
                )
            {
                let _ = write!(note, "days {l} | {r}");
            }
        }
        push_text_cell(text, note.trim_end_matches("; "));
    }
}

fn push_money(text: &mut String, money: Money) {
    let _ = money.write_amount(text);
    text.push(',');
    text.push_str(money.currency().code());
}
