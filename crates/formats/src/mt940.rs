//! SWIFT MT940 customer statements (客户对账单) and MT942 interim reports, in the standard's form and in the
//! dialects of banks.
//!
//! What is read although the standard has it otherwise is told by a finding; a record that cannot be read is
//! rejected with the field and the character. The proofs of a statement:
//!
//! - `balance`: field 60 + the sum of the entries = field 62; absent where a statement has not both.
//! - `page_sequence`: a page's closing balance opens the next page of the account, and no number is missing or
//!   comes twice. An account whose last page closes with 62M fails it for the file.
//! - `control_count`, `control_sum`: fields 90D and 90C of MT942, over the entries by their effect (`RC` is a
//!   debit).
//! - `end_marker`: the statement ends with `-`, `-}` or block 5. Absent where all is there and no statement of
//!   the file shows a mark; it fails where a statement breaks off. The file itself has no end mark, so that one
//!   is always absent.
//!
//! ```
//! use quanfu_formats::{Options, read_all};
//!
//! let fragment = ":61:2601011230C19,90NTRFNONREF//B77\n:86:166?20EREF+A-1001?32LI LEI\n";
//! let reading = read_all("part.sta", fragment.as_bytes(), &Options::default())?;
//! let file = &reading.files[0];
//! let entry = &file.statements[0].entries[0];
//! assert_eq!(entry.booking_date.unwrap().to_string(), "2025-12-30"); // the year nearest to the value date
//! assert_eq!(entry.money(), None); // no balance, so nobody told the currency
//! assert!(file.findings.iter().any(|finding| finding.code.code() == "fragment"));
//! # Ok::<(), quanfu_formats::FileError>(())
//! ```

mod amount;
mod balance;
mod date;
mod details;
mod line;
mod record;
mod sequence;

use std::collections::BTreeMap;

use quanfu_calendar::Date;
use quanfu_money::{Currency, Money, MoneySum};
use quanfu_settlement::{
    At, Balance, DigestAlg, Entry, EntryAmount, EntryKind, EntryStatus, FileHead, Finding,
    FindingCode, Hasher, Measure, Proof, ProofKind, RefRole, Rejected, Severity, Sink,
    StatementHead, StatementTail, Verdict,
};

use crate::detect::LOOKED_AT;
use crate::encoding::{UTF8_BOM, begins_as_utf8, shown};
use crate::input::{Input, RawLine};
use crate::{Body, FileError, Options};
use details::Scratch;
use line::{Fault, Line, Quirk};
use record::{Part, Record, Text};
use sequence::Page;

/// Codes of records that this reader rejects.
pub const CODES: &[&str] = &[
    "amount-empty",
    "amount-grouping",
    "amount-malformed",
    "amount-overflow",
    "amount-too-fine",
    "date-impossible",
    "date-malformed",
    "side-unknown",
];

/// How far the reader looks ahead where one line alone cannot tell.
const AHEAD: usize = 128;

/// Most accounts whose pages are followed through one file.
const CHAINS: usize = 10_000;

/// Most available balances that are kept of a statement.
const AVAILABLE: usize = 100;

/// Lines and characters of field 86 in the standard.
const DETAILS: (usize, usize) = (6, 65);

/// Reads a file.
pub(crate) fn read(
    input: &mut Input<'_>,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> Result<Body, FileError> {
    let name = input.name().to_owned();
    let first = input.peek(LOOKED_AT)?;
    let first = first.get(..LOOKED_AT).unwrap_or(first);
    let format = if is_report(first) { "mt942" } else { "mt940" };
    let encoding = if begins_as_utf8(first) {
        "utf-8"
    } else {
        "windows-1252"
    };
    sink.begin_file(&FileHead {
        name: name.clone(),
        format: format.to_owned(),
        encoding: encoding.to_owned(),
    });
    let mut reader = Reader::new(name, options, sink);
    let mut held = Vec::new();
    let mut ahead = Vec::new();
    while let Some(line) = input.next_line()? {
        if !reader.must_look_ahead(line.bytes) {
            reader.line(&line, b"")?;
            continue;
        }
        held.clear();
        held.extend_from_slice(line.bytes);
        let RawLine {
            line,
            byte,
            ended,
            cr,
            ..
        } = line;
        ahead.clear();
        let waiting = input.peek(AHEAD)?;
        ahead.extend_from_slice(waiting.get(..AHEAD).unwrap_or(waiting));
        reader.line(
            &RawLine {
                bytes: &held,
                line,
                byte,
                ended,
                cr,
            },
            &ahead,
        )?;
    }
    let mut body = reader.finish()?;
    body.format = format.to_owned();
    if body.encoding.is_empty() {
        body.encoding = encoding.to_owned();
    }
    Ok(body)
}

/// Whether a file begins as MT942 does: a floor limit and no opening balance.
fn is_report(first: &[u8]) -> bool {
    let has = |tag: &[u8]| memchr::memmem::find(first, tag).is_some();
    let has_report_tag = has(b":34F:") || has(b":13D:") || has(b":90D:") || has(b":90C:");
    has_report_tag && !has(b":60F:") && !has(b":60M:")
}

/// A field of the two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    /// 20
    Reference,
    /// 21
    Related,
    /// 25, 25P
    Account,
    /// 28, 28C
    Number,
    /// 13D
    Moment,
    /// 34F
    Floor,
    /// 60F, 60M
    Opening { is_interim: bool },
    /// 61
    Line,
    /// 86
    Details,
    /// NS
    NonSwift,
    /// 62F, 62M
    Closing { is_interim: bool },
    /// 64, 65
    Available,
    /// 90D, 90C
    Total { is_credit: bool },
    /// `:940:`, a head of old Rabobank files.
    Message,
    /// Shaped like a tag, but of no field of these messages.
    Unknown,
}

/// The tag that a line begins with, and its length.
fn tag_of(text: &[u8]) -> Option<(Tag, usize)> {
    let [b':', rest @ ..] = text else { return None };
    let length = rest.iter().take(4).position(|&byte| byte == b':')?;
    let name = rest.get(..length)?;
    let tag = match name {
        b"61" => Tag::Line,
        b"86" => Tag::Details,
        b"20" => Tag::Reference,
        b"21" => Tag::Related,
        b"25" | b"25P" => Tag::Account,
        b"28" | b"28C" => Tag::Number,
        b"13" | b"13D" => Tag::Moment,
        b"34F" => Tag::Floor,
        b"60F" | b"60" => Tag::Opening { is_interim: false },
        b"60M" => Tag::Opening { is_interim: true },
        b"62F" | b"62" => Tag::Closing { is_interim: false },
        b"62M" => Tag::Closing { is_interim: true },
        b"64" | b"65" | b"65F" | b"64F" => Tag::Available,
        b"90D" => Tag::Total { is_credit: false },
        b"90C" => Tag::Total { is_credit: true },
        b"NS" => Tag::NonSwift,
        b"940" | b"942" => Tag::Message,
        [tens, ones] | [tens, ones, b'A'..=b'Z']
            if tens.is_ascii_digit() && ones.is_ascii_digit() =>
        {
            Tag::Unknown
        }
        _ => return None,
    };
    Some((tag, length + 2))
}

/// What a balance field said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Declared {
    #[default]
    Missing,
    Unreadable(String),
    Read(Balance),
}

impl Declared {
    fn balance(&self) -> Option<Balance> {
        match self {
            Self::Read(balance) => Some(*balance),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }
}

/// Where a line without a tag belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    /// Behind a field of the statement's head, or behind its balances.
    Field,
    /// In a record.
    Record,
    /// In an 86 of the statement itself.
    Note,
}

/// How a statement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Mark,
    NextStatement,
    File,
}

/// Entries of one side.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    count: u64,
    minor: i128,
    /// What field 90 declares.
    declared: Option<balance::Total>,
}

/// The statement that is being read.
#[derive(Debug, Default)]
struct Statement {
    head: StatementHead,
    is_begun: bool,
    has_head: bool,
    /// MT942.
    is_report: bool,
    /// A closing balance or control totals were read.
    is_closed: bool,
    currency: Option<Currency>,
    opening: Declared,
    closing: Declared,
    available: Vec<Balance>,
    notes: Vec<String>,
    note_bytes: usize,
    debit: Side,
    credit: Side,
    unreadable_total: Option<String>,
    records: u64,
    number_line: u32,
}

impl Statement {
    /// Whether entries may still come: an opening balance or report head was read, and no end.
    fn is_open(&self) -> bool {
        !self.is_closed && (self.opening != Declared::Missing || self.is_report)
    }
}

struct Reader<'a, 'o> {
    name: String,
    options: &'a Options<'o>,
    sink: &'a mut dyn Sink,
    body: Body,
    statement: Option<Statement>,
    place: Place,
    record: Record,
    has_record: bool,
    scratch: Scratch,
    /// A line that holds a `:` alone; its tag stands on the next line.
    colon: Option<(Vec<u8>, u32, u64, bool)>,
    has_tag: bool,
    /// Tags are indented in this file.
    is_indented: bool,
    /// Inside block 4 of a message.
    in_block: bool,
    /// A statement of this file ended with a mark.
    shows_marks: bool,
    /// Stray text was told for this run of lines.
    in_stray: bool,
    /// Bits of what was told once.
    told: u32,
    chains: BTreeMap<(String, Option<[u8; 3]>, bool), Page>,
    identity: Identity,
}

/// Bits of `told` above those of [`Quirk`].
mod told {
    pub(super) const DETAILS_LONG: u32 = 16;
    pub(super) const LOOK_ALIKE: u32 = 17;
    pub(super) const ENCODING: u32 = 18;
    pub(super) const NO_ACCOUNT: u32 = 19;
    pub(super) const SPLIT_TAG: u32 = 20;
    pub(super) const AVAILABLE: u32 = 21;
    pub(super) const NOTES: u32 = 22;
    pub(super) const BALANCE_STYLE: u32 = 23;
    pub(super) const ALIAS: u32 = 24;
}

impl<'a, 'o> Reader<'a, 'o> {
    fn new(name: String, options: &'a Options<'o>, sink: &'a mut dyn Sink) -> Self {
        Self {
            name,
            options,
            sink,
            body: Body::default(),
            statement: None,
            place: Place::Outside,
            record: Record::default(),
            has_record: false,
            scratch: Scratch::default(),
            colon: None,
            has_tag: false,
            is_indented: false,
            in_block: false,
            shows_marks: false,
            in_stray: false,
            told: 0,
            chains: BTreeMap::new(),
            identity: Identity::default(),
        }
    }

    fn is_open(&self) -> bool {
        self.statement.as_ref().is_some_and(Statement::is_open)
    }

    /// Whether only the next line can tell what this one is.
    fn must_look_ahead(&self, bytes: &[u8]) -> bool {
        match bytes {
            [b':', b'2', b'0', b':', ..] => self.has_record && self.is_open(),
            [b'-', ..] => self.is_open() && bytes.len() < 8 && trimmed(bytes) == b"-",
            [b':'] => true,
            [b':', rest @ ..] => rest.len() < 8 && trimmed(rest).is_empty(),
            _ => false,
        }
    }

    fn line(&mut self, line: &RawLine<'_>, ahead: &[u8]) -> Result<(), FileError> {
        if let Some((bytes, number, byte, cr)) = self.colon.take() {
            return self.split_tag(
                &RawLine {
                    bytes: &bytes,
                    line: number,
                    byte,
                    ended: true,
                    cr,
                },
                line,
            );
        }
        let bytes = line.bytes;
        // The common lines first.
        if let [b':', b'6' | b'8', ..] = bytes
            && !self.in_block
            && let Some((tag, length)) = tag_of(bytes)
        {
            return self.tag(line, tag, length, ahead);
        }
        let mut skipped = bytes.iter().take_while(|&&byte| byte < b' ').count();
        if bytes
            .get(skipped..)
            .is_some_and(|rest| rest.starts_with(UTF8_BOM))
        {
            skipped += UTF8_BOM.len();
        }
        let text = bytes.get(skipped..).unwrap_or_default();
        if trimmed(text).is_empty() {
            if self.has_record && self.place == Place::Record {
                self.push_record(line, self.record.part(), 0)?;
            }
            return Ok(());
        }
        if self.in_block
            && let Some(mark) = stuck_mark(text)
        {
            let (before, mark) = bytes.split_at(skipped + mark);
            let cut = RawLine {
                bytes: before,
                ..*line
            };
            if !trimmed(before).is_empty() {
                self.inner(&cut, skipped, ahead)?;
            }
            return self.wrapper(mark, line);
        }
        self.inner(line, skipped, ahead)
    }

    /// A line that holds something behind `skipped` control characters.
    fn inner(&mut self, line: &RawLine<'_>, skipped: usize, ahead: &[u8]) -> Result<(), FileError> {
        let text = line.bytes.get(skipped..).unwrap_or_default();
        match text {
            [b':', ..] => {
                if let Some((tag, length)) = tag_of(text) {
                    return self.tag(line, tag, skipped + length, ahead);
                }
                if trimmed(text) == b":" && starts_with_tag_name(ahead) {
                    self.colon = Some((line.bytes.to_vec(), line.line, line.byte, line.cr));
                    return Ok(());
                }
            }
            [b' ', ..] if self.place != Place::Record || self.is_indented => {
                let blanks = text.iter().take_while(|&&byte| byte == b' ').count();
                if let Some((tag, length)) = text.get(blanks..).and_then(tag_of)
                    && tag != Tag::Unknown
                {
                    self.is_indented = true;
                    return self.tag(line, tag, skipped + blanks + length, ahead);
                }
            }
            [b'{', b'1'..=b'5', b':', ..] => return self.wrapper(text, line),
            [b'-', ..] => return self.dash(line, skipped, ahead),
            _ => {}
        }
        self.text(line)
    }

    /// A tag that a line end cut behind its first colon.
    fn split_tag(&mut self, colon: &RawLine<'_>, line: &RawLine<'_>) -> Result<(), FileError> {
        let mut joined = Vec::with_capacity(line.bytes.len() + 1);
        joined.push(b':');
        joined.extend_from_slice(line.bytes);
        let Some((tag, length)) = tag_of(&joined) else {
            self.text(colon)?;
            return self.line(line, b"");
        };
        let severity = Severity::Info;
        self.tell_once(
            told::SPLIT_TAG,
            severity,
            FindingCode::Dialect,
            colon.line,
            || "a line end cuts a tag behind its first colon; it was joined".to_owned(),
        );
        match tag {
            Tag::Line => {
                self.begin_record(colon, colon.bytes.len())?;
                self.push_record(line, Part::Line, length - 1)
            }
            Tag::Details if self.has_record && self.place == Place::Record => {
                self.push_record(colon, Part::Details, colon.bytes.len())?;
                self.push_record(line, Part::Details, length - 1)
            }
            _ => {
                let whole = RawLine {
                    bytes: &joined,
                    ..*line
                };
                self.tag(&whole, tag, length, b"")
            }
        }
    }

    /// A field; its content begins `before` bytes into the line.
    fn tag(
        &mut self,
        line: &RawLine<'_>,
        tag: Tag,
        before: usize,
        ahead: &[u8],
    ) -> Result<(), FileError> {
        self.has_tag = true;
        let in_record = self.has_record && self.place == Place::Record;
        match tag {
            Tag::Line => return self.begin_record(line, before),
            Tag::Details | Tag::NonSwift if in_record => {
                let part = if tag == Tag::Details {
                    Part::Details
                } else {
                    Part::NonSwift
                };
                return self.push_record(line, part, before);
            }
            // Minutes and seconds at a line's beginning look like these tags.
            Tag::Reference
            | Tag::Related
            | Tag::Account
            | Tag::Number
            | Tag::Moment
            | Tag::Unknown
                if in_record && self.is_text_of_record(tag, ahead) =>
            {
                return self.look_alike(line, before);
            }
            Tag::Unknown => {
                self.stray(line, "a field that MT940 and MT942 do not have");
                self.note(line.bytes);
                return Ok(());
            }
            _ => {}
        }
        self.flush_record()?;
        self.in_stray = false;
        let content = line.bytes.get(before..).unwrap_or_default();
        self.place = Place::Field;
        match tag {
            Tag::Reference => {
                self.end(End::NextStatement)?;
                let text = self.text_of(trimmed(content), line.line);
                let statement = self.statement_at(line, true);
                statement.head.id = Some(text).filter(|text| !text.is_empty());
            }
            Tag::Account | Tag::Number | Tag::Related | Tag::Moment | Tag::Floor => {
                if self.statement.as_ref().is_some_and(|statement| {
                    statement.is_closed || (statement.records > 0 && !statement.is_open())
                }) {
                    self.end(End::NextStatement)?;
                }
                let text = self.text_of(trimmed(content), line.line);
                self.head_field(line, tag, &text);
            }
            Tag::Opening { is_interim } => self.opening(line, content, is_interim)?,
            Tag::Closing { is_interim } => self.closing(line, content, is_interim)?,
            Tag::Available => self.available(line, content)?,
            Tag::Total { is_credit } => self.total(line, content, is_credit)?,
            Tag::Details | Tag::NonSwift => {
                self.statement_at(line, false);
                self.place = Place::Note;
                self.note(content);
            }
            Tag::Message => {
                self.end(End::NextStatement)?;
                self.place = Place::Outside;
            }
            Tag::Line | Tag::Unknown => {}
        }
        Ok(())
    }

    /// Whether what looks like a head field is text of the record's 86: an open statement has no head fields
    /// behind an entry.
    fn is_text_of_record(&self, tag: Tag, ahead: &[u8]) -> bool {
        match tag {
            Tag::Unknown => true,
            Tag::Reference => self.is_open() && !begins_head(ahead),
            _ => self.is_open(),
        }
    }

    fn look_alike(&mut self, line: &RawLine<'_>, before: usize) -> Result<(), FileError> {
        let has_details = self.record.has_details;
        let is_account = tag_of(line.bytes).is_some_and(|(tag, _)| tag == Tag::Account);
        let shown = shown(line.bytes.get(..before).unwrap_or_default(), 8);
        if !has_details && is_account {
            // A tag of field 86 that was misspelt.
            let message = format!("{shown} stands where field 86 belongs; it was read as field 86");
            self.finding(Severity::Warning, FindingCode::Dialect, line.line, message);
            return self.push_record(line, Part::Details, before);
        }
        self.tell_once(
            told::LOOK_ALIKE,
            Severity::Info,
            FindingCode::StrayText,
            line.line,
            || format!("{shown} begins no field here; the line was read as text of the record"),
        );
        self.push_record(line, self.record.part(), 0)
    }

    fn head_field(&mut self, line: &RawLine<'_>, tag: Tag, text: &str) {
        let floor = (tag == Tag::Floor).then(|| balance::currency(text));
        if let Some(Ok(Some((_, _, true)))) = &floor {
            self.tell_alias(line.line);
        }
        let statement = self.statement_at(line, true);
        match tag {
            Tag::Account => {
                statement
                    .head
                    .account
                    .get_or_insert_with(|| text.to_owned());
                if statement.head.account.as_deref() == Some("") {
                    statement.head.account = None;
                }
            }
            Tag::Number => {
                statement.number_line = line.line;
                let (number, page) = match text.split_once('/') {
                    Some((number, page)) => (number.trim(), page.trim().parse().ok()),
                    None => (text, None),
                };
                statement.head.sequence.number =
                    Some(number.to_owned()).filter(|number| !number.is_empty());
                statement.head.sequence.page = page;
            }
            Tag::Moment => {
                statement.is_report |= statement.opening == Declared::Missing;
                let day = balance::day(text);
                statement.head.period = statement.head.period.or(day.map(|day| (day, day)));
            }
            Tag::Floor => {
                statement.is_report |= statement.opening == Declared::Missing;
                if let (Some(Ok(Some((currency, _, _)))), None) = (floor, statement.currency) {
                    statement.currency = Some(currency);
                    statement.head.currency = Some(currency);
                }
            }
            _ => {}
        }
    }

    fn opening(
        &mut self,
        line: &RawLine<'_>,
        content: &[u8],
        is_interim: bool,
    ) -> Result<(), FileError> {
        if self.statement.as_ref().is_some_and(|statement| {
            statement.is_closed || statement.opening != Declared::Missing || statement.records > 0
        }) {
            self.end(End::NextStatement)?;
        }
        self.statement_at(line, true);
        let declared = self.balance(line, content, is_interim, "60").0;
        if let Some(statement) = &mut self.statement {
            if let Some(balance) = declared.balance() {
                statement.currency = Some(balance.amount.currency());
                statement.head.currency = statement.currency;
                statement.head.opening = Some(balance);
            }
            statement.opening = declared;
            statement.is_report = false;
        }
        Ok(())
    }

    fn closing(
        &mut self,
        line: &RawLine<'_>,
        content: &[u8],
        is_interim: bool,
    ) -> Result<(), FileError> {
        self.statement_at(line, true);
        let (declared, ends) = self.balance(line, content, is_interim, "62");
        // A second closing balance that says the same says nothing new.
        let again = self.statement.as_ref().is_some_and(|statement| {
            statement.closing != Declared::Missing
                && statement.closing.balance().map(|balance| balance.amount)
                    != declared.balance().map(|balance| balance.amount)
        });
        if again {
            self.end(End::NextStatement)?;
            self.statement_at(line, true);
        }
        if let Some(statement) = &mut self.statement {
            if statement.currency.is_none() {
                statement.currency = declared.balance().map(|balance| balance.amount.currency());
            }
            statement.closing = declared;
            statement.is_closed = true;
        }
        if ends {
            self.end(End::Mark)?;
        }
        Ok(())
    }

    fn available(&mut self, line: &RawLine<'_>, content: &[u8]) -> Result<(), FileError> {
        self.statement_at(line, true);
        let known = self
            .statement
            .as_ref()
            .and_then(|statement| statement.currency);
        let text = self.text_of(content, line.line);
        match balance::read(&text, false, known) {
            Ok(read) => {
                let is_full = self
                    .statement
                    .as_ref()
                    .is_some_and(|statement| statement.available.len() >= AVAILABLE);
                if is_full {
                    self.tell_once(told::AVAILABLE, Severity::Info, FindingCode::StrayText, line.line, || {
                        format!("more than {AVAILABLE} available balances; further ones were left out")
                    });
                } else if let Some(statement) = &mut self.statement {
                    statement.available.push(read.balance);
                }
                if read.ends {
                    self.end(End::Mark)?;
                }
            }
            // Not part of any proof: kept as a note.
            Err(why) => {
                self.finding(
                    Severity::Info,
                    FindingCode::Dialect,
                    line.line,
                    format!("available balance: {why}"),
                );
                self.note(line.bytes);
            }
        }
        Ok(())
    }

    fn total(
        &mut self,
        line: &RawLine<'_>,
        content: &[u8],
        is_credit: bool,
    ) -> Result<(), FileError> {
        self.statement_at(line, true);
        let text = self.text_of(content, line.line);
        let read = balance::total(&text);
        let Some(statement) = &mut self.statement else {
            return Ok(());
        };
        statement.is_report |= statement.opening == Declared::Missing;
        statement.is_closed |= statement.is_report;
        match read {
            Ok((total, ends)) => {
                statement.currency = statement.currency.or(Some(total.sum.currency()));
                let side = if is_credit {
                    &mut statement.credit
                } else {
                    &mut statement.debit
                };
                side.declared = Some(total);
                if ends {
                    self.end(End::Mark)?;
                }
            }
            Err(why) => {
                statement.unreadable_total = Some(text);
                self.finding(
                    Severity::Error,
                    FindingCode::Dialect,
                    line.line,
                    format!("field 90: {why}"),
                );
            }
        }
        Ok(())
    }

    /// Reads a balance and tells what is odd about it; also whether an end mark sticks to it.
    fn balance(
        &mut self,
        line: &RawLine<'_>,
        content: &[u8],
        is_interim: bool,
        field: &str,
    ) -> (Declared, bool) {
        let known = self
            .statement
            .as_ref()
            .and_then(|statement| statement.currency);
        let text = self.text_of(content, line.line);
        match balance::read(&text, is_interim, known) {
            Ok(read) => {
                if read.date_impossible {
                    let message = format!(
                        "the date of the balance in field {field} does not exist; it was left out"
                    );
                    self.finding(
                        Severity::Warning,
                        FindingCode::DateImpossible,
                        line.line,
                        message,
                    );
                }
                if read.alias {
                    self.tell_alias(line.line);
                }
                if read.dialect {
                    self.tell_once(told::BALANCE_STYLE, Severity::Info, FindingCode::Dialect, line.line, || {
                        format!("the balance in field {field} is written otherwise than the standard has it")
                    });
                }
                (Declared::Read(read.balance), read.ends)
            }
            Err(why) => {
                let message = format!("field {field}: {why}");
                self.finding(Severity::Error, FindingCode::Dialect, line.line, message);
                (Declared::Unreadable(text.trim().to_owned()), false)
            }
        }
    }

    /// A line that begins with a dash: the end of a statement, or text.
    fn dash(&mut self, line: &RawLine<'_>, skipped: usize, ahead: &[u8]) -> Result<(), FileError> {
        let text = trimmed(line.bytes.get(skipped..).unwrap_or_default());
        if text.starts_with(b"-}") {
            return self.wrapper(text, line);
        }
        match &self.statement {
            // Rules and separators between statements.
            None => Ok(()),
            Some(_) if text == b"-" && !(self.is_open() && goes_on(ahead)) => self.end(End::Mark),
            // ING writes `-XXX`.
            Some(statement) if statement.is_closed => self.end(End::Mark),
            Some(_) => self.text(line),
        }
    }

    /// Blocks of a SWIFT message, as far as they stand on one line.
    fn wrapper(&mut self, text: &[u8], line: &RawLine<'_>) -> Result<(), FileError> {
        let mut rest = text;
        loop {
            rest = rest.trim_ascii();
            match rest {
                [] => return Ok(()),
                [b'-', b'}', after @ ..] => {
                    self.end(End::Mark)?;
                    self.in_block = false;
                    rest = after;
                }
                [b'{', b'4', b':', after @ ..] => {
                    self.end(End::NextStatement)?;
                    self.has_tag = true;
                    self.in_block = true;
                    self.place = Place::Outside;
                    let offset = line.bytes.len() - after.len();
                    if trimmed(after).is_empty() {
                        return Ok(());
                    }
                    let bytes = line.bytes.get(offset..).unwrap_or_default();
                    return self.line(
                        &RawLine {
                            bytes,
                            byte: line.byte + offset as u64,
                            ..*line
                        },
                        b"",
                    );
                }
                [b'{', ..] => {
                    // Blocks 1, 2, 3 and 5 may hold blocks of their own.
                    let mut depth = 0u32;
                    let end = rest.iter().position(|&byte| {
                        match byte {
                            b'{' => depth += 1,
                            b'}' => depth = depth.saturating_sub(1),
                            _ => {}
                        }
                        depth == 0
                    });
                    if rest.starts_with(b"{1:") {
                        self.end(End::NextStatement)?;
                        self.in_block = false;
                    }
                    let Some(end) = end else { return Ok(()) };
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                _ => {
                    self.stray(line, "text between the blocks of messages");
                    return Ok(());
                }
            }
        }
    }

    /// A line without a tag.
    fn text(&mut self, line: &RawLine<'_>) -> Result<(), FileError> {
        match self.place {
            Place::Record if self.has_record => {
                return self.push_record(line, self.record.part(), 0);
            }
            Place::Note => self.note(line.bytes),
            Place::Outside | Place::Field | Place::Record => {
                if !is_bank_head(line.bytes) {
                    self.stray(line, "text that belongs to no field");
                    self.note(line.bytes);
                }
            }
        }
        Ok(())
    }

    /// The statement that is being read, or a new one.
    fn statement_at(&mut self, line: &RawLine<'_>, is_head: bool) -> &mut Statement {
        let statement = self.statement.get_or_insert_with(|| Statement {
            head: StatementHead {
                line: line.line,
                ..StatementHead::default()
            },
            number_line: line.line,
            ..Statement::default()
        });
        statement.has_head |= is_head;
        statement
    }

    fn begin_record(&mut self, line: &RawLine<'_>, before: usize) -> Result<(), FileError> {
        self.has_tag = true;
        self.flush_record()?;
        if self
            .statement
            .as_ref()
            .is_some_and(|statement| statement.is_closed)
        {
            self.end(End::NextStatement)?;
        }
        self.in_stray = false;
        self.statement_at(line, false).records += 1;
        self.body.records += 1;
        self.record.begin(line, before);
        self.has_record = true;
        self.place = Place::Record;
        Ok(())
    }

    fn push_record(
        &mut self,
        line: &RawLine<'_>,
        part: Part,
        before: usize,
    ) -> Result<(), FileError> {
        let limit = self.options.limits.record_bytes;
        if self.record.len().saturating_add(line.bytes.len()) > limit {
            return Err(FileError::Limit {
                file: self.name.clone(),
                line: line.line,
                what: "bytes in one record",
                limit: limit as u64,
            });
        }
        self.record.push(line, part, before);
        Ok(())
    }

    /// Hands over the record that was gathered.
    fn flush_record(&mut self) -> Result<(), FileError> {
        if !self.has_record {
            return Ok(());
        }
        self.has_record = false;
        self.begin_statement();
        let mut record = std::mem::take(&mut self.record);
        let mut scratch = std::mem::take(&mut self.scratch);
        record.decode();
        let flow = self.hand_over(&record, &mut scratch);
        self.record = record;
        self.scratch = scratch;
        if flow.is_break() {
            return Err(FileError::Stopped {
                file: self.name.clone(),
            });
        }
        Ok(())
    }

    fn hand_over(&mut self, record: &Record, scratch: &mut Scratch) -> std::ops::ControlFlow<()> {
        let text = record.text();
        let raw = record.raw();
        let at = At {
            line: record.line,
            byte: record.byte,
            len: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        };
        if text.guessed {
            self.tell_guess(record.line);
        }
        let currency = self
            .statement
            .as_ref()
            .and_then(|statement| statement.currency);
        let line = match line::read(text, currency) {
            Ok(line) => line,
            Err(Fault {
                code,
                line,
                column,
                message,
            }) => {
                self.body.rejected += 1;
                return self.sink.rejected(
                    Rejected {
                        code,
                        at,
                        line,
                        column,
                        field: "61".into(),
                        message,
                    },
                    raw,
                );
            }
        };
        self.tell_oddities(&line, text, record.line);
        let entry = entry(at, &line, text, scratch);
        self.body.entries += 1;
        if let Some(statement) = &mut self.statement {
            let side = if line.mark.is_credit {
                &mut statement.credit
            } else {
                &mut statement.debit
            };
            side.count += 1;
            if let EntryAmount::Money(money) = line.amount {
                // 2e8 records of at most 2^63 minor units stay far below 2^127.
                side.minor += i128::from(money.minor());
            }
        }
        self.sink.entry(entry, raw)
    }

    fn tell_oddities(&mut self, line: &Line<'_>, text: Text<'_>, number: u32) {
        if let Some((column, digits)) = line.impossible {
            let message = match line.value_date {
                Some(value) => format!(
                    "the entry date {digits} does not exist; the record stands on its value date {value}"
                ),
                None => format!(
                    "the value date {digits} does not exist; the record stands on its entry date"
                ),
            };
            self.finding_at(
                Severity::Warning,
                FindingCode::DateImpossible,
                number,
                column,
                message,
            );
        }
        if let (Some((column, digits)), Some(date)) = (line.inferred, line.booking_date) {
            let message = format!(
                "the entry date {digits} has no year; the nearest to the value date makes it {date}"
            );
            self.finding_at(
                Severity::Info,
                FindingCode::YearInferred,
                number,
                column,
                message,
            );
        }
        for quirk in line.quirks.into_iter().flatten() {
            let (severity, message) = match quirk {
                Quirk::AmountStyle => (
                    Severity::Warning,
                    "an amount is written otherwise than 15d with a decimal comma",
                ),
                Quirk::AmountWrapped => (Severity::Info, "the amount stands on a line of its own"),
                Quirk::ValueDateLong => (Severity::Info, "the value date has a century"),
                Quirk::TypeMissing => (Severity::Info, "the type code is missing"),
                Quirk::TypeOdd => (
                    Severity::Info,
                    "the type code begins with another letter than S, N or F",
                ),
                Quirk::ReferenceMissing => (Severity::Info, "the owner's reference is missing"),
                Quirk::ReferenceLong => {
                    (Severity::Info, "a reference is longer than 16 characters")
                }
            };
            self.tell_once(quirk as u32, severity, FindingCode::Dialect, number, || {
                format!("{message} (told once a file)")
            });
        }
        if self.told & (1 << told::DETAILS_LONG) == 0 {
            let (lines, width) = DETAILS;
            let mut details = text.spans.iter().filter(|span| span.part == Part::Details);
            let is_long = details.clone().count() > lines
                || details.any(|span| {
                    span.end - span.start > width
                        && text.of(span).trim_end().chars().count() > width
                });
            if is_long {
                self.tell_once(told::DETAILS_LONG, Severity::Info, FindingCode::Dialect, number, || {
                    format!("field 86 is longer than {lines} lines of {width} characters (told once a file)")
                });
            }
        }
    }

    fn begin_statement(&mut self) {
        if let Some(statement) = &mut self.statement
            && !statement.is_begun
        {
            statement.is_begun = true;
            self.sink.begin_statement(&statement.head);
        }
    }

    /// Ends the statement that is being read, if there is one.
    fn end(&mut self, how: End) -> Result<(), FileError> {
        self.flush_record()?;
        self.place = Place::Outside;
        self.begin_statement();
        let Some(statement) = self.statement.take() else {
            return Ok(());
        };
        let line = statement.head.line;
        let mut proofs = vec![balance_proof(&statement)];
        self.tell_fragment(&statement);
        proofs.extend(control_proofs(&statement));
        proofs.push(self.sequence_proof(&statement));
        proofs.push(self.end_proof(&statement, how));
        if how == End::Mark {
            self.shows_marks = true;
        }
        if statement.head.account.is_none()
            && statement.records > 0
            && statement.opening != Declared::Missing
        {
            self.tell_once(
                told::NO_ACCOUNT,
                Severity::Warning,
                FindingCode::Dialect,
                line,
                || "the statement names no account (field 25)".to_owned(),
            );
        }
        self.identity.add(&statement);
        let head = &statement.head;
        self.sink.end_statement(&StatementTail {
            currency: statement.currency.filter(|_| head.currency.is_none()),
            opening: statement
                .opening
                .balance()
                .filter(|_| head.opening.is_none()),
            closing: statement.closing.balance(),
            available: statement.available,
            notes: statement.notes,
            proofs,
        });
        Ok(())
    }

    fn tell_fragment(&mut self, statement: &Statement) {
        let missing = match (&statement.opening, &statement.closing) {
            _ if statement.is_report && statement.currency.is_some() => return,
            (Declared::Missing, Declared::Missing) => "no balances",
            (Declared::Missing, _) => "no opening balance (field 60)",
            (_, Declared::Missing) => "no closing balance (field 62)",
            _ => return,
        };
        let message = format!(
            "a statement with {} entries has {missing}: nothing proves that it is whole",
            statement.records
        );
        self.finding(
            Severity::Warning,
            FindingCode::Fragment,
            statement.head.line,
            message,
        );
    }

    fn sequence_proof(&mut self, statement: &Statement) -> Proof {
        if !statement.has_head
            || (statement.head.account.is_none() && statement.head.sequence.number.is_none())
        {
            return Proof::absent(ProofKind::PageSequence, "");
        }
        let code = statement
            .currency
            .and_then(|currency| <[u8; 3]>::try_from(currency.code().as_bytes()).ok());
        let key = (
            statement.head.account.clone().unwrap_or_default(),
            code,
            statement.is_report,
        );
        let page = Page {
            sequence: statement.head.sequence.clone(),
            opening: statement.opening.balance(),
            closing: statement.closing.balance(),
            line: statement.number_line,
        };
        let judgement = match self.chains.get(&key) {
            Some(before) => sequence::judge(before, &page),
            None => sequence::judge_first(&page),
        };
        if let Some((code, message)) = judgement.finding {
            self.finding(Severity::Warning, code, page.line, message);
        }
        if self.chains.len() < CHAINS || self.chains.contains_key(&key) {
            self.chains.insert(key, page);
        }
        judgement.proof
    }

    fn end_proof(&mut self, statement: &Statement, how: End) -> Proof {
        let is_cut = !statement.is_report
            && statement.opening != Declared::Missing
            && statement.closing == Declared::Missing;
        let is_complete =
            statement.closing != Declared::Missing || (statement.is_report && statement.is_closed);
        let found = match how {
            End::Mark => "-",
            End::NextStatement => "the next statement",
            End::File => "the end of the file",
        };
        if is_cut {
            return Proof::texts(ProofKind::EndMarker, "", "62F", found);
        }
        match how {
            End::Mark => Proof::texts(ProofKind::EndMarker, "", "-", "-"),
            _ if self.in_block || (is_complete && self.shows_marks) => {
                Proof::texts(ProofKind::EndMarker, "", "-", found)
            }
            _ if is_complete || !statement.has_head => Proof::absent(ProofKind::EndMarker, ""),
            _ => {
                let expected = if statement.is_report {
                    "90D, 90C or -"
                } else {
                    "62F"
                };
                Proof::texts(ProofKind::EndMarker, "", expected, found)
            }
        }
    }

    /// Ends the file.
    fn finish(mut self) -> Result<Body, FileError> {
        self.end(End::File)?;
        if !self.has_tag {
            return Err(FileError::Structure {
                file: self.name,
                line: 0,
                message: "no field of MT940 or MT942, such as :20: or :61:, was found".to_owned(),
            });
        }
        let mut body = std::mem::take(&mut self.body);
        body.proofs
            .push(Proof::absent(ProofKind::EndMarker, "file"));
        let continued: Vec<Page> = self
            .chains
            .values()
            .filter(|page| page.is_continued())
            .cloned()
            .collect();
        for page in continued {
            let expected = format!("the page after {}", page.name());
            let message = format!(
                "{} closes with 62M, so a page follows, but it is not in this file",
                page.name()
            );
            self.finding(Severity::Warning, FindingCode::PageGap, page.line, message);
            body.proofs.push(Proof::texts(
                ProofKind::PageSequence,
                "file",
                expected,
                "the end of the file",
            ));
        }
        body.identity = self.identity.text(if self.identity.is_report {
            "mt942"
        } else {
            "mt940"
        });
        if self.told & (1 << told::ENCODING) != 0 {
            body.encoding = "windows-1252".to_owned();
        }
        Ok(body)
    }

    /// Keeps text of the statement itself, up to the limit.
    fn note(&mut self, bytes: &[u8]) {
        let bytes = trimmed(bytes);
        if bytes.is_empty() || self.statement.is_none() {
            return;
        }
        let text = self.text_of(bytes, 0);
        let limit = self.options.limits.field_bytes;
        let Some(statement) = &mut self.statement else {
            return;
        };
        statement.note_bytes = statement.note_bytes.saturating_add(text.len());
        let line = statement.head.line;
        if statement.note_bytes <= limit {
            statement.notes.push(text);
        } else {
            self.tell_once(
                told::NOTES,
                Severity::Warning,
                FindingCode::StrayText,
                line,
                || {
                    format!(
                        "a statement has more than {limit} bytes of notes; the rest was left out"
                    )
                },
            );
        }
    }

    /// Text of a field: strict UTF-8, or else windows-1252.
    fn text_of(&mut self, bytes: &[u8], line: u32) -> String {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                self.tell_guess(line);
                encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(bytes)
                    .0
                    .into_owned()
            }
        }
    }

    fn tell_guess(&mut self, line: u32) {
        self.tell_once(
            told::ENCODING,
            Severity::Warning,
            FindingCode::EncodingGuessed,
            line,
            || "bytes that are not UTF-8 were read as windows-1252".to_owned(),
        );
    }

    fn tell_alias(&mut self, line: u32) {
        self.tell_once(
            told::ALIAS,
            Severity::Warning,
            FindingCode::CurrencyAlias,
            line,
            || "CNH and RMB are no currency codes; they were read as CNY".to_owned(),
        );
    }

    fn stray(&mut self, line: &RawLine<'_>, what: &str) {
        if !std::mem::replace(&mut self.in_stray, true) {
            let message = format!("{what}: \"{}\"", shown(trimmed(line.bytes), 32));
            self.finding(Severity::Info, FindingCode::StrayText, line.line, message);
        }
    }

    fn tell_once(
        &mut self,
        bit: u32,
        severity: Severity,
        code: FindingCode,
        line: u32,
        message: impl FnOnce() -> String,
    ) {
        if self.told & (1 << bit) == 0 {
            self.told |= 1 << bit;
            self.finding(severity, code, line, message());
        }
    }

    fn finding(&mut self, severity: Severity, code: FindingCode, line: u32, message: String) {
        self.sink
            .finding(Finding::new(severity, code, line, message));
    }

    fn finding_at(
        &mut self,
        severity: Severity,
        code: FindingCode,
        line: u32,
        column: u32,
        message: String,
    ) {
        self.sink.finding(Finding {
            column,
            ..Finding::new(severity, code, line, message)
        });
    }
}

/// The entry that a record makes.
fn entry<'t>(at: At, line: &Line<'t>, text: Text<'t>, scratch: &'t mut Scratch) -> Entry<'t> {
    let mut entry = Entry::with_amount(line.amount.clone());
    entry.at = at;
    entry.value_date = line.value_date;
    entry.booking_date = line.booking_date;
    entry.is_reversal = line.mark.is_reversal;
    entry.kind = kind(line);
    if !line.type_code.is_empty() {
        entry.kind_written = Some(line.type_code.into());
    }
    if line.mark.is_expected {
        entry.status = EntryStatus::Expected;
    }
    entry.references.set(RefRole::Owner, line.owner);
    entry.references.set(RefRole::Bank, line.bank);
    if !line.behind_owner.is_empty() {
        entry.remittance.push(line.behind_owner.into());
    }
    entry.original = original(text.text, line.mark.is_credit);
    details::read(text, line.rest, scratch, &mut entry);
    entry
}

/// Only what a type code says for sure; the code itself is kept as written.
fn kind(line: &Line<'_>) -> EntryKind {
    match line.type_code.get(1..) {
        _ if line.mark.is_reversal => EntryKind::Reversal,
        // Charges, commission, brokerage.
        Some("CHG" | "COM" | "BRF") => EntryKind::Fee,
        // Foreign exchange.
        Some("FEX") => EntryKind::Fx,
        _ => EntryKind::Other,
    }
}

/// The amount before exchange, which banks write as `/OCMT/USD12,50` in field 61 or 86.
fn original(text: &str, is_credit: bool) -> Option<Money> {
    let at = memchr::memmem::find(text.as_bytes(), b"/OCMT/")?;
    let rest = text.get(at + 6..)?;
    let (currency, rest, _) = balance::currency(rest).ok()??;
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b',')
        .count();
    let minor = amount::read(rest.get(..length)?.as_bytes(), currency)
        .ok()?
        .minor;
    Some(Money::from_minor(
        if is_credit { minor } else { -minor },
        currency,
    ))
}

fn balance_proof(statement: &Statement) -> Proof {
    let (opening, closing) = (statement.opening.balance(), statement.closing.balance());
    if let (Some(opening), Some(closing)) = (opening, closing) {
        let sum = |balance: Balance| i128::from(balance.amount.minor());
        let found = sum(opening) + statement.credit.minor + statement.debit.minor;
        return Proof::sums(
            ProofKind::Balance,
            "",
            MoneySum::from_minor(sum(closing), closing.amount.currency()),
            MoneySum::from_minor(found, opening.amount.currency()),
        );
    }
    let unreadable = [&statement.opening, &statement.closing]
        .into_iter()
        .find_map(|declared| match declared {
            Declared::Unreadable(text) => Some(text.clone()),
            _ => None,
        });
    let absent = Proof::absent(ProofKind::Balance, "");
    match unreadable {
        Some(text) => Proof {
            verdict: Verdict::Fails,
            expected: Some(Measure::Text(text)),
            ..absent
        },
        None => absent,
    }
}

fn control_proofs(statement: &Statement) -> Vec<Proof> {
    let mut proofs = Vec::new();
    for (scope, side) in [("debit", statement.debit), ("credit", statement.credit)] {
        let Some(declared) = side.declared else {
            continue;
        };
        proofs.push(Proof::counts(
            ProofKind::ControlCount,
            scope,
            declared.count,
            side.count,
        ));
        let expected =
            MoneySum::from_minor(i128::from(declared.sum.minor()), declared.sum.currency());
        proofs.push(
            match statement
                .head
                .currency
                .or(statement.opening.balance().map(|b| b.amount.currency()))
            {
                Some(currency) => {
                    let found = MoneySum::from_minor(side.minor.abs(), currency);
                    Proof::sums(ProofKind::ControlSum, scope, expected, found)
                }
                // The entries had no currency when they were read.
                None => Proof {
                    expected: Some(Measure::Money(expected)),
                    ..Proof::absent(ProofKind::ControlSum, scope)
                },
            },
        );
    }
    if let Some(text) = &statement.unreadable_total {
        let absent = Proof::absent(ProofKind::ControlCount, "");
        proofs.push(Proof {
            verdict: Verdict::Fails,
            expected: Some(Measure::Text(text.clone())),
            ..absent
        });
    } else if proofs.is_empty() && statement.is_report {
        proofs.push(Proof::absent(ProofKind::ControlCount, ""));
        proofs.push(Proof::absent(ProofKind::ControlSum, ""));
    }
    proofs
}

/// What a file is apart from its bytes: the heads of its statements.
#[derive(Default)]
struct Identity {
    first: Option<String>,
    last: String,
    count: u64,
    all: Option<Hasher>,
    is_report: bool,
}

impl Identity {
    fn add(&mut self, statement: &Statement) {
        let head = &statement.head;
        if head.account.is_none() && head.sequence.number.is_none() {
            return;
        }
        let day = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
        let opening = statement.opening.balance();
        let page = head
            .sequence
            .page
            .map_or_else(String::new, |page| format!("/{page}"));
        let text = format!(
            "{}:{}{page}:{}{}..{}",
            head.account.as_deref().unwrap_or_default(),
            head.sequence.number.as_deref().unwrap_or_default(),
            day(opening.and_then(|balance| balance.date)),
            opening.map_or_else(String::new, |balance| format!(" {}", balance.amount)),
            day(statement
                .closing
                .balance()
                .and_then(|balance| balance.date)
                .or(head.period.map(|period| period.1))),
        );
        self.is_report |= statement.is_report;
        self.count += 1;
        let all = self
            .all
            .get_or_insert_with(|| Hasher::new(DigestAlg::Sha256));
        all.update(text.as_bytes());
        all.update(b"\n");
        self.first.get_or_insert_with(|| text.clone());
        self.last = text;
    }

    fn text(&mut self, format: &str) -> String {
        match (self.first.take(), self.all.take()) {
            (Some(first), Some(all)) if self.count > 1 => {
                let digest = all.finish().to_string();
                let digest = digest.rsplit(':').next().unwrap_or_default();
                format!(
                    "{format}:{first}:{}:{} statements:{}",
                    self.last,
                    self.count,
                    digest.get(..16).unwrap_or(digest)
                )
            }
            (Some(first), _) => format!("{format}:{first}"),
            _ => String::new(),
        }
    }
}

/// Without control characters and blanks around.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| *byte <= b' ' || *byte == 0x7F;
    let Some(start) = bytes.iter().position(|byte| !is_blank(byte)) else {
        return b"";
    };
    let end = bytes
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |end| end + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// Where block 4 ends on a line that holds more: `-}` at its end or before another block.
fn stuck_mark(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'}', text)?;
    let at = memchr::memmem::find_iter(text, b"-}")
        .find(|at| matches!(text.get(at + 2..).map(trimmed), Some([] | [b'{', ..])))?;
    (at > 0).then_some(at)
}

/// Lines that banks put before a message: upper-case letters, digits and blanks.
fn is_bank_head(bytes: &[u8]) -> bool {
    let text = trimmed(bytes);
    text.len() <= 40
        && text
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ')
}

/// The next lines, without blank ones.
fn next_text(ahead: &[u8]) -> &[u8] {
    let start = ahead
        .iter()
        .position(|byte| *byte > b' ')
        .unwrap_or(ahead.len());
    ahead.get(start..).unwrap_or_default()
}

/// Whether what follows a `:20:` begins the head of a statement.
fn begins_head(ahead: &[u8]) -> bool {
    matches!(
        tag_of(next_text(ahead)),
        Some((
            Tag::Related
                | Tag::Account
                | Tag::Number
                | Tag::Floor
                | Tag::Opening { .. }
                | Tag::Moment
                | Tag::NonSwift,
            _
        ))
    )
}

/// Whether a statement goes on behind a `-` that stands alone.
fn goes_on(ahead: &[u8]) -> bool {
    matches!(
        tag_of(next_text(ahead)),
        Some((
            Tag::Line | Tag::Details | Tag::Closing { .. } | Tag::Available | Tag::Total { .. },
            _
        ))
    )
}

/// Whether the next line is a tag that lacks its first colon.
fn starts_with_tag_name(ahead: &[u8]) -> bool {
    let mut tag = [b':'; 6];
    let rest = ahead.strip_prefix(b"\n").unwrap_or(ahead);
    let rest = rest.get(..5).unwrap_or(rest);
    let Some(place) = tag.get_mut(1..=rest.len()) else {
        return false;
    };
    place.copy_from_slice(rest);
    matches!(tag_of(&tag), Some((tag, length)) if tag != Tag::Unknown && length <= rest.len() + 1)
}
