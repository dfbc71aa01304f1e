//! ISO 20022 camt.053 bank statements of every version, and camt.052 and camt.054, which are built the same way.
//!
//! Elements are known by local name below the message, whatever the prefix; one `Ntry` is one record. Every
//! entry is cut out, decoded, parsed and handed over on its own, so memory does not grow with the file.

mod entry;
mod moment;
mod piece;
mod statement;
mod walk;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use quanfu_settlement::{
    At, FileHead, Finding, FindingCode, Proof, ProofKind, Rejected, Sequence, Severity, Sink,
    StatementHead,
};

use self::entry::{Around, Noticed, Refusal};
use self::piece::{Kind, newlines, next_piece};
use self::statement::{StatementText, Tally};
use self::walk::{Fault, Step, Wrong, attribute, local, namespaces, walk};
use crate::encoding::{decode_record, encoding_name};
use crate::input::Input;
use crate::{Body, FileError, Options};

/// Which message a document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    /// camt.052
    Report,
    /// camt.053
    Statement,
    /// camt.054
    Notification,
}

impl Message {
    /// By the local name of its element; version 1 has its number in the name.
    fn of(name: &str) -> Option<Self> {
        match name.strip_suffix("V01").unwrap_or(name) {
            "BkToCstmrAcctRpt" => Some(Self::Report),
            "BkToCstmrStmt" => Some(Self::Statement),
            "BkToCstmrDbtCdtNtfctn" => Some(Self::Notification),
            _ => None,
        }
    }

    fn format(self) -> &'static str {
        match self {
            Self::Report => "camt.052",
            Self::Statement => "camt.053",
            Self::Notification => "camt.054",
        }
    }

    fn statement_element(self) -> &'static str {
        match self {
            Self::Report => "Rpt",
            Self::Statement => "Stmt",
            Self::Notification => "Ntfctn",
        }
    }
}

/// Reads a whole document.
pub(crate) fn read(
    input: &mut Input<'_>,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> Result<Body, FileError> {
    let file = input.name().to_owned();
    let encoding = declared_encoding(input.peek(1024)?, &file)?;
    let mut document = Document::new(file, encoding, options, sink);
    while let Some((kind, length)) =
        next_piece(input, options.limits.xml_entry_bytes, document.line)?
    {
        let byte = input.offset();
        let raw = input.peek(length)?.get(..length).unwrap_or_default();
        match kind {
            Kind::Entry if document.takes_entry() => document.entry(raw, byte)?,
            Kind::Entry | Kind::Between => document.between(raw, byte)?,
        }
        document.line = document.line.saturating_add(newlines(raw));
        input.skip(length);
    }
    document.end()
}

/// The encoding that the XML declaration names; UTF-8 without one.
fn declared_encoding(first: &[u8], file: &str) -> Result<&'static Encoding, FileError> {
    let first = first.trim_ascii_start();
    if !first.starts_with(b"<?xml") {
        return Ok(UTF_8);
    }
    let end = memchr::memmem::find(first, b"?>").unwrap_or(first.len());
    let declaration = String::from_utf8_lossy(first.get(5..end).unwrap_or_default());
    let Some(label) = attribute(&declaration, "encoding") else {
        return Ok(UTF_8);
    };
    match Encoding::for_label(label.as_bytes()) {
        // A declaration that can be read byte by byte is not UTF-16, whatever it says.
        Some(encoding) if !encoding.is_ascii_compatible() => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(FileError::Encoding {
            file: file.to_owned(),
            line: 1,
            byte: 0,
            encoding: format!("known (the XML declaration says {label:?})"),
        }),
    }
}

/// A statement that is being read.
struct Current {
    text: StatementText,
    /// Given to the sink at the first entry.
    head: Option<StatementHead>,
    tally: Tally,
}

/// What is kept of a statement that was read, for the order of pages.
struct Done {
    account: Option<String>,
    sequence: Sequence,
}

/// The document so far.
struct Document<'a, 'o> {
    file: String,
    encoding: &'static Encoding,
    options: &'a Options<'o>,
    sink: &'a mut dyn Sink,
    /// Line of the next piece.
    line: u32,
    /// Names of the open elements, with prefix.
    open: Vec<String>,
    text: String,
    ccy: Option<String>,
    is_leaf: bool,
    was_closed: bool,
    /// A camt namespace among those declared.
    namespace: Option<String>,
    /// The message and the number of elements around it.
    message: Option<(Message, usize)>,
    format: Option<String>,
    /// Page of the whole message.
    page: (Option<u32>, Option<bool>),
    current: Option<Current>,
    last_done: Option<Done>,
    pages: Option<Proof>,
    /// Account, first name, last name and last day of the statements.
    identity: Option<(String, String, String, String)>,
    aliases: Vec<String>,
    records: u64,
    entries: u64,
    rejected: u64,
}

impl<'a, 'o> Document<'a, 'o> {
    fn new(
        file: String,
        encoding: &'static Encoding,
        options: &'a Options<'o>,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Self {
            file,
            encoding,
            options,
            sink,
            line: 1,
            open: Vec::new(),
            text: String::new(),
            ccy: None,
            is_leaf: false,
            was_closed: false,
            namespace: None,
            message: None,
            format: None,
            page: (None, None),
            current: None,
            last_done: None,
            pages: None,
            identity: None,
            aliases: Vec::new(),
            records: 0,
            entries: 0,
            rejected: 0,
        }
    }

    /// Whether an `Ntry` here is a record: directly below an open statement.
    fn takes_entry(&self) -> bool {
        match self.message {
            Some((_, around)) => self.current.is_some() && self.open.len() == around + 2,
            None => false,
        }
    }

    fn fault(&self, fault: Fault, piece: &str) -> FileError {
        let file = self.file.clone();
        let line = self.line_at(piece, fault.at);
        match fault.what {
            Wrong::Form(message) => FileError::Structure {
                file,
                line,
                message,
            },
            Wrong::Depth => FileError::Limit {
                file,
                line,
                what: "levels of nesting",
                limit: self.options.limits.xml_depth as u64,
            },
            Wrong::Field => FileError::Limit {
                file,
                line,
                what: "bytes in one field",
                limit: self.options.limits.field_bytes as u64,
            },
        }
    }

    fn line_at(&self, piece: &str, at: usize) -> u32 {
        let before = piece
            .as_bytes()
            .get(..at.min(piece.len()))
            .unwrap_or_default();
        self.line.saturating_add(newlines(before))
    }

    /// Reads one record.
    fn entry(&mut self, raw: &[u8], byte: u64) -> Result<(), FileError> {
        self.begin_statement();
        self.is_leaf = false;
        self.records += 1;
        let at = At {
            line: self.line,
            byte,
            len: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        };
        let piece = match decode_record(raw, self.encoding) {
            Ok(piece) => piece,
            Err(wrong) => {
                let before = raw.get(..wrong).unwrap_or_default();
                let column = before
                    .iter()
                    .rev()
                    .take_while(|byte| **byte != b'\n')
                    .count()
                    + 1;
                return self.reject(
                    Rejected {
                        code: "text-undecodable",
                        at,
                        line: self.line.saturating_add(newlines(before)),
                        column: u32::try_from(column).unwrap_or(u32::MAX),
                        field: Cow::Borrowed("Ntry"),
                        message: format!(
                            "byte {} of the file is no {} text",
                            byte.saturating_add(wrong as u64),
                            encoding_name(self.encoding)
                        ),
                    },
                    raw,
                );
            }
        };
        let mut noticed = Vec::new();
        let current = self
            .current
            .as_mut()
            .expect("an entry is taken inside a statement only");
        let around = Around {
            account: current.text.account(),
            depth: self.open.len(),
            max_depth: self.options.limits.xml_depth,
            max_field: self.options.limits.field_bytes,
        };
        match entry::read(&piece, &around, &mut noticed) {
            Err(fault) => Err(self.fault(fault, &piece)),
            Ok(Err(refusal)) => {
                let rejected = self.rejected_by(refusal, at, &piece);
                self.reject(rejected, raw)
            }
            Ok(Ok(mut entry)) => {
                entry.at = at;
                current.tally.entry(&entry);
                self.entries += 1;
                for noticed in noticed {
                    self.notice(noticed, &piece);
                }
                if self.sink.entry(entry, raw).is_break() {
                    return Err(FileError::Stopped {
                        file: self.file.clone(),
                    });
                }
                Ok(())
            }
        }
    }

    fn rejected_by(&self, refusal: Refusal, at: At, piece: &str) -> Rejected {
        let Refusal {
            code,
            field,
            at: offset,
            message,
        } = refusal;
        let before = piece.get(..offset).unwrap_or_default();
        // In the first line the record may stand behind other text, so its own columns say nothing.
        let column = match before.rfind('\n') {
            Some(end) => before.get(end + 1..).unwrap_or_default().chars().count() + 1,
            None => 0,
        };
        Rejected {
            code,
            at,
            line: self.line_at(piece, offset),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            field: Cow::Borrowed(field),
            message,
        }
    }

    fn reject(&mut self, rejected: Rejected, raw: &[u8]) -> Result<(), FileError> {
        if let Some(current) = &mut self.current {
            current.tally.rejected();
        }
        self.rejected += 1;
        if self.sink.rejected(rejected, raw).is_break() {
            return Err(FileError::Stopped {
                file: self.file.clone(),
            });
        }
        Ok(())
    }

    fn notice(&mut self, noticed: Noticed, piece: &str) {
        let Noticed { code, at, message } = noticed;
        let severity = match code {
            FindingCode::CurrencyAlias => {
                if self.aliases.contains(&message) {
                    return;
                }
                self.aliases.push(message.clone());
                Severity::Info
            }
            _ => Severity::Warning,
        };
        let line = self.line_at(piece, at);
        self.sink
            .finding(Finding::new(severity, code, line, message));
    }

    /// Reads tags and text that are no record.
    fn between(&mut self, raw: &[u8], byte: u64) -> Result<(), FileError> {
        let piece = decode_record(raw, self.encoding).map_err(|wrong| FileError::Encoding {
            file: self.file.clone(),
            line: self
                .line
                .saturating_add(newlines(raw.get(..wrong).unwrap_or_default())),
            byte: byte.saturating_add(wrong as u64),
            encoding: encoding_name(self.encoding),
        })?;
        let walked = walk(&piece, |step, at| match step {
            Step::Open { name, attributes } => self.open(name, attributes, &piece, at),
            Step::Text(text) => self.more_text(&text, at),
            Step::Close { name } => self.close(name, &piece, at),
        });
        walked.map_err(|fault| self.fault(fault, &piece))
    }

    fn open(&mut self, name: &str, attributes: &str, piece: &str, at: usize) -> Result<(), Fault> {
        if self.was_closed {
            return Err(Fault::form(
                at,
                format!("<{name}> stands after the end of the document"),
            ));
        }
        if self.open.len() >= self.options.limits.xml_depth {
            return Err(Fault {
                at,
                what: Wrong::Depth,
            });
        }
        let name_local = local(name);
        self.open.push(name.to_owned());
        self.text.clear();
        self.is_leaf = true;
        self.ccy = attribute(attributes, "Ccy").map(Cow::into_owned);
        match self.message {
            None => {
                if let Some(found) = namespaces(attributes).find(|uri| uri.contains("camt.05")) {
                    self.namespace = Some(found.into_owned());
                }
                if let Some(message) = Message::of(name_local) {
                    self.message = Some((message, self.open.len() - 1));
                    self.begin_file(message, self.line_at(piece, at));
                }
            }
            Some((message, around)) => {
                let line = self.line_at(piece, at);
                let depth = self.open.len() - around;
                if depth == 2 && name_local == message.statement_element() {
                    self.current = Some(Current {
                        text: StatementText::new(line),
                        head: None,
                        tally: Tally::default(),
                    });
                } else if depth > 2
                    && let Some(mut current) = self.current.take()
                {
                    current.text.open(&self.path(around + 2), line);
                    self.current = Some(current);
                }
            }
        }
        Ok(())
    }

    /// Local names of the open elements from a depth on.
    fn path(&self, from: usize) -> Vec<&str> {
        self.open
            .iter()
            .skip(from)
            .map(|name| local(name))
            .collect()
    }

    fn more_text(&mut self, text: &str, at: usize) -> Result<(), Fault> {
        if self.open.is_empty() {
            // A byte order mark is taken before; nothing but blanks may stand outside of the document.
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err(Fault::form(at, "there is text outside of the document"))
            };
        }
        if self.is_leaf {
            self.text.push_str(text);
            if self.text.len() > self.options.limits.field_bytes {
                return Err(Fault {
                    at,
                    what: Wrong::Field,
                });
            }
        }
        Ok(())
    }

    fn close(&mut self, name: &str, piece: &str, at: usize) -> Result<(), Fault> {
        if self.open.last().map(String::as_str) != Some(name) {
            let message = match self.open.last() {
                Some(last) => format!("</{name}> stands where </{last}> is missing"),
                None => format!("</{name}> closes what is not open"),
            };
            return Err(Fault::form(at, message));
        }
        if let Some((_, around)) = self.message {
            if std::mem::take(&mut self.is_leaf) {
                let line = self.line_at(piece, at);
                let text = std::mem::take(&mut self.text);
                self.leaf(around, text.trim(), line);
            }
            if self.open.len() == around + 2 && self.current.is_some() {
                self.end_statement();
            }
            if self.open.len() == around + 1 {
                // An envelope may hold further messages.
                self.message = None;
            }
        }
        self.open.pop();
        self.was_closed = self.open.is_empty();
        Ok(())
    }

    fn leaf(&mut self, around: usize, text: &str, line: u32) {
        let ccy = self.ccy.take();
        if let Some(mut current) = self.current.take() {
            current
                .text
                .leaf(&self.path(around + 2), text, ccy.as_deref(), line);
            self.current = Some(current);
            return;
        }
        match self.path(around + 1).as_slice() {
            ["GrpHdr", "MsgPgntn", "PgNb"] => self.page.0 = text.parse().ok(),
            ["GrpHdr", "MsgPgntn", "LastPgInd"] => self.page.1 = entry::flag(text),
            _ => {}
        }
    }

    fn begin_file(&mut self, message: Message, line: u32) {
        if self.format.is_some() {
            return;
        }
        let version = self
            .namespace
            .as_deref()
            .and_then(|uri| uri.rsplit(':').next());
        let is_own = |version: &&str| version.starts_with(message.format());
        let format = version
            .filter(is_own)
            .unwrap_or(message.format())
            .to_owned();
        self.sink.begin_file(&FileHead {
            name: self.file.clone(),
            format: format.clone(),
            encoding: encoding_name(self.encoding),
        });
        if version.is_none_or(|version| !is_own(&version)) {
            let message = match version {
                Some(version) => format!("the namespace says {version}, the message is {format}"),
                None => format!("no namespace of {format} is declared"),
            };
            let code = FindingCode::Dialect;
            self.sink
                .finding(Finding::new(Severity::Warning, code, line, message));
        }
        self.format = Some(format);
    }

    /// Hands the head over, once, when no more can be known before the entries.
    fn begin_statement(&mut self) {
        let Some(current) = &mut self.current else {
            return;
        };
        if current.head.is_none() {
            current.text.page = current.text.page.or(self.page.0);
            current.text.last = current.text.last.or(self.page.1);
            let head = current.text.head();
            self.sink.begin_statement(&head);
            current.head = Some(head);
        }
    }

    fn end_statement(&mut self) {
        self.begin_statement();
        let (Some(current), Some((message, _))) = (self.current.take(), self.message) else {
            return;
        };
        let Current { text, head, tally } = current;
        let mut findings = Vec::new();
        let tail = text.tail(&head.unwrap_or_default(), &tally, message, &mut findings);
        self.check_order(&text, &mut findings);
        for finding in findings {
            self.sink.finding(finding);
        }
        self.sink.end_statement(&tail);
        let account = text.account().unwrap_or_default().to_owned();
        let name = text.name().to_owned();
        let day = text
            .closes_on()
            .map(|day| day.to_string())
            .unwrap_or_default();
        self.identity = Some(match self.identity.take() {
            None => (account, name.clone(), name, day),
            Some((first_account, first, _, _)) => (first_account, first, name, day),
        });
        self.last_done = Some(Done {
            account: text.account().map(str::to_owned),
            sequence: text.sequence(),
        });
    }

    /// Whether a statement follows the one before it in the file, where both have numbers.
    fn check_order(&mut self, text: &StatementText, findings: &mut Vec<Finding>) {
        let this = text.sequence();
        let number = |sequence: &Sequence| sequence.number.as_ref()?.parse::<u64>().ok();
        let Some(done) = &self.last_done else {
            // The first statement: it is whole if it says that it is the only page.
            if let (Some(1), Some(true)) = (this.page, this.last) {
                let only = "page 1, the last";
                self.pages = Some(Proof::texts(ProofKind::PageSequence, "", only, only));
            }
            return;
        };
        if done.account.as_deref() != text.account() {
            return;
        }
        let (Some(before), Some(now)) = (number(&done.sequence), number(&this)) else {
            return;
        };
        let next_page = done.sequence.page.and_then(|page| page.checked_add(1));
        let is_next_page = now == before && next_page.is_some() && this.page == next_page;
        let is_next = before.checked_add(1) == Some(now);
        let expected = format!("statement {}", before.saturating_add(1));
        let found = format!("statement {now}");
        if is_next || is_next_page {
            let holds = || Proof::texts(ProofKind::PageSequence, "", &found, &found);
            self.pages.get_or_insert_with(holds);
            return;
        }
        let code = if now <= before {
            FindingCode::PageRepeated
        } else {
            FindingCode::PageGap
        };
        let message = format!("{found} follows statement {before}");
        findings.push(Finding::new(Severity::Warning, code, text.line, message));
        if self.pages.as_ref().is_none_or(|proof| !proof.fails()) {
            self.pages = Some(Proof::texts(ProofKind::PageSequence, "", expected, found));
        }
    }

    fn end(self) -> Result<Body, FileError> {
        let (file, line) = (self.file, self.line);
        if let Some(last) = self.open.last() {
            let message = format!("the file ends before the document does: </{last}> is missing");
            return Err(FileError::Structure {
                file,
                line,
                message,
            });
        }
        let Some(format) = self.format else {
            let message = "the document holds no bank statement: BkToCstmrStmt, BkToCstmrAcctRpt or \
                           BkToCstmrDbtCdtNtfctn would be right";
            return Err(FileError::Structure {
                file,
                line,
                message: message.to_owned(),
            });
        };
        let Some((account, first, last, day)) = self.identity else {
            let message = "the message holds no statement: a Stmt, Rpt or Ntfctn is missing";
            return Err(FileError::Structure {
                file,
                line,
                message: message.to_owned(),
            });
        };
        let family = format.get(..8).unwrap_or(&format);
        let names = if first == last {
            first
        } else {
            format!("{first}..{last}")
        };
        let identity = match (account.is_empty(), names.is_empty()) {
            (true, _) | (_, true) => String::new(),
            _ => format!("{family}:{account}:{names}:{day}"),
        };
        let end = "the end of the document";
        let pages = self
            .pages
            .unwrap_or_else(|| Proof::absent(ProofKind::PageSequence, ""));
        Ok(Body {
            format,
            encoding: encoding_name(self.encoding),
            identity,
            proofs: vec![pages, Proof::texts(ProofKind::EndMarker, "", end, end)],
            records: self.records,
            entries: self.entries,
            rejected: self.rejected,
        })
    }
}
