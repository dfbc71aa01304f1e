//! CSV files, read by a declarative profile ([`quanfu_settlement::Profile`]).
//!
//! A line is decoded as a whole and split after that, for in GB18030 a character may hold what looks like a
//! delimiter. Lines in front of the header are the preamble; behind it every line is a record, but for blank
//! lines, lines that begin with the profile's comment mark, the summary with its header, and the end marker.

pub mod blocks;
mod cells;
mod header;
mod row;
mod tally;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};
use quanfu_calendar::Date;
use quanfu_settlement::profile::{Column, TextEncoding, TimeFormat};
use quanfu_settlement::rules::Pattern;
use quanfu_settlement::{
    At, Entry, EntryKind, FileHead, Finding, FindingCode, Profile, Proof, ProofKind, Rejected,
    Severity, Sink, StatementHead, StatementTail,
};

use self::cells::{Cells, leaves_quote_open};
use self::header::{Header, Plan};
use self::row::{Noticed, Refusal, WHOSE};
use self::tally::Tally;
use crate::detect::LOOKED_AT;
use crate::encoding::{UTF8_BOM, begins_as_utf8, decode_record, encoding_name, escaped};
use crate::input::Input;
use crate::{Body, FileError, Options};

/// Most figures of a summary.
const FIGURES: usize = 16;

/// How much of a note or stray line is kept.
const SHOWN: usize = 200;

static SHIPPED: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let texts: &[&str] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));
    let profiles = texts.iter().map(|text| Profile::parse(text));
    let profiles: Result<_, _> = profiles.collect();
    profiles.expect("the profiles that come with quanfu are right: a test reads each of them")
});

/// The profiles that come with quanfu, by file name.
pub(crate) fn shipped() -> &'static [Profile] {
    &SHIPPED
}

/// What text is read as that is not UTF-8.
fn other_encoding(profile: &Profile) -> &'static Encoding {
    match profile.encoding {
        TextEncoding::Utf8 => UTF_8,
        TextEncoding::Gb18030 => GB18030,
        TextEncoding::Windows1252 => WINDOWS_1252,
    }
}

/// Whether the beginning of a file (its first 64 KiB, or all of it) is what the profile describes.
pub(crate) fn fits(profile: &Profile, first: &[u8]) -> bool {
    let first = first.strip_prefix(UTF8_BOM).unwrap_or(first);
    let encoding = if begins_as_utf8(first) {
        UTF_8
    } else {
        other_encoding(profile)
    };
    let lines = first.split(|&byte| byte == b'\n' || byte == b'\r');
    let lines = lines.filter(|line| !line.is_empty());
    let mut cells = Cells::default();
    lines.take(profile.header_within as usize).any(|line| {
        decode_record(line, encoding).is_ok_and(|line| {
            let header = Header::of_line(&line, profile, &mut cells);
            header.fit(profile).1.is_none()
        })
    })
}

/// The summary behind the records, as far as it was met.
#[derive(Debug, Default)]
struct Summary {
    header: Option<Header>,
    cells: Option<Vec<String>>,
}

/// Reads a file by the profile in the options, which is always there.
pub(crate) fn read(
    input: &mut Input<'_>,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> Result<Body, FileError> {
    let file = input.name().to_owned();
    let Some(profile) = options.profile else {
        return Err(FileError::Unknown {
            file,
            begins: String::new(),
        });
    };
    let other = other_encoding(profile);
    let encoding = if begins_as_utf8(input.peek(LOOKED_AT)?) {
        UTF_8
    } else {
        other
    };
    sink.begin_file(&FileHead {
        name: file.clone(),
        format: profile.name.clone(),
        encoding: encoding_name(encoding),
    });
    let mut reader = Reader::new(file, profile, options, sink, encoding);
    let (plan, line) = reader.find_header(input)?;
    reader.sink.begin_statement(&StatementHead {
        account: reader.account.clone(),
        currency: profile.currency_default,
        period: reader.period,
        line,
        ..StatementHead::default()
    });
    let mut tally = Tally::new(profile.style, profile.totals.len());
    reader.records(input, &plan, &mut tally)?;
    let (tail, identity) = reader.tail(&tally);
    reader.sink.end_statement(&tail);
    Ok(Body {
        format: profile.name.clone(),
        encoding: encoding_name(reader.encoding),
        identity,
        proofs: Vec::new(),
        records: reader.records,
        entries: reader.entries,
        rejected: reader.rejected,
    })
}

struct Reader<'r> {
    file: String,
    profile: &'r Profile,
    options: &'r Options<'r>,
    sink: &'r mut dyn Sink,
    encoding: &'static Encoding,
    /// What the profile says for text that is not UTF-8.
    other: &'static Encoding,
    /// Whether a character beyond ASCII has decided the encoding.
    is_sure: bool,
    cells: Cells,
    period: Option<(Date, Date)>,
    account: Option<String>,
    days: Option<(Date, Date)>,
    whose: BTreeSet<String>,
    summary: Summary,
    /// Lines that hold figures: which of the profile's they are, and their text.
    footer: Vec<(usize, String)>,
    /// Line of the end marker.
    ended: Option<u32>,
    /// First line behind it.
    after_end: Option<u32>,
    notes: Vec<String>,
    kinds_noticed: BTreeSet<String>,
    alias_noticed: bool,
    records: u64,
    entries: u64,
    rejected: u64,
    last_unended: bool,
}

/// A record as delivered.
#[derive(Clone, Copy)]
struct Delivered<'b> {
    bytes: &'b [u8],
    at: At,
    /// Whether a line end follows.
    ended: bool,
}

impl<'r> Reader<'r> {
    fn new(
        file: String,
        profile: &'r Profile,
        options: &'r Options<'r>,
        sink: &'r mut dyn Sink,
        encoding: &'static Encoding,
    ) -> Self {
        let other = other_encoding(profile);
        Self {
            file,
            profile,
            options,
            sink,
            encoding,
            other,
            is_sure: encoding == other,
            cells: Cells::default(),
            period: None,
            account: None,
            days: None,
            whose: BTreeSet::new(),
            summary: Summary::default(),
            footer: Vec::new(),
            ended: None,
            after_end: None,
            notes: Vec::new(),
            kinds_noticed: BTreeSet::new(),
            alias_noticed: false,
            records: 0,
            entries: 0,
            rejected: 0,
            last_unended: false,
        }
    }

    /// Decodes a line; the first one with characters beyond ASCII decides between UTF-8 and the profile's encoding.
    fn decode<'t>(&mut self, bytes: &'t [u8]) -> Result<Cow<'t, str>, usize> {
        match decode_record(bytes, self.encoding) {
            Ok(text) => {
                if !self.is_sure && !bytes.is_ascii() {
                    self.is_sure = true;
                }
                Ok(text)
            }
            Err(at) if self.is_sure => Err(at),
            Err(at) => {
                let text = decode_record(bytes, self.other).map_err(|_| at)?;
                self.encoding = self.other;
                self.is_sure = true;
                Ok(text)
            }
        }
    }

    fn note(&mut self, text: &str) {
        if self.notes.len() < self.options.limits.findings_listed {
            self.notes.push(escaped(text.trim(), SHOWN));
        }
    }

    fn find_header(&mut self, input: &mut Input<'_>) -> Result<(Plan<'r>, u32), FileError> {
        let profile = self.profile;
        let mut nearest: Option<(usize, u32, &Column, Header)> = None;
        let mut looked_at = 0;
        while looked_at < profile.header_within
            && let Some(line) = input.next_line()?
        {
            looked_at += 1;
            let (number, ended) = (line.line, line.ended);
            let text = match self.decode(line.bytes) {
                Ok(text) => text,
                Err(_) => {
                    self.sink.finding(Finding::new(
                        Severity::Warning,
                        FindingCode::TextUndecodable,
                        number,
                        "a line in front of the header is no text in the file's encoding",
                    ));
                    continue;
                }
            };
            let header = Header::of_line(&text, profile, &mut self.cells);
            if header.words.len() > self.options.limits.fields {
                return Err(FileError::Limit {
                    file: self.file.clone(),
                    line: number,
                    what: "columns",
                    limit: self.options.limits.fields as u64,
                });
            }
            match header.fit(profile) {
                (_, None) if profile.final_line_end && !ended => {
                    let message = "the file ends inside its header: a line end would be right";
                    return Err(self.structure(number, message.to_owned()));
                }
                (_, None) => {
                    if let Some(word) = header.doubled(profile) {
                        let message = format!(
                            "the header has the column {word:?} twice; which one is meant, nobody can say"
                        );
                        return Err(self.structure(number, message));
                    }
                    match Plan::new(profile, header) {
                        Ok(plan) => return Ok((plan, number)),
                        Err((missing, header)) => {
                            return Err(self.missing_column(number, missing, header));
                        }
                    }
                }
                (found, Some(missing)) => {
                    if found > nearest.as_ref().map_or(0, |(most, ..)| *most) {
                        nearest = Some((found, number, missing, header));
                    }
                }
            }
            self.preamble(&text);
        }
        Err(match nearest {
            Some((_, line, missing, header)) => self.missing_column(line, missing, header),
            None => {
                let columns = profile.columns().filter(|column| !column.optional);
                let names: Vec<&str> = columns.map(|column| column.names[0].as_str()).collect();
                let message = format!(
                    "no header in the first {} lines; profile {} looks for the columns {}",
                    profile.header_within,
                    profile.name,
                    names.join(", ")
                );
                self.structure(0, message)
            }
        })
    }

    fn structure(&self, line: u32, message: String) -> FileError {
        FileError::Structure {
            file: self.file.clone(),
            line,
            message,
        }
    }

    fn missing_column(&self, line: u32, missing: &Column, header: Header) -> FileError {
        let words = header.words.iter().map(|word| escaped(word, SHOWN));
        FileError::MissingColumn {
            file: self.file.clone(),
            line,
            column: missing.names.join(" / "),
            header: words.collect(),
        }
    }

    fn preamble(&mut self, text: &str) {
        let preamble = &self.profile.preamble;
        if let Some(found) = preamble.account.as_ref().and_then(|p| p.find(text)) {
            self.account = Some(found.to_owned());
        }
        let day = |pattern: &Pattern, format: &TimeFormat| {
            let found = pattern.find(text)?;
            format.read(found.trim()).ok()
        };
        let from = preamble
            .from
            .as_ref()
            .and_then(|(p, format)| day(p, format));
        let until = preamble.until.as_ref().and_then(|(p, format, exclusive)| {
            let moment = day(p, format)?;
            if *exclusive && moment.second == 0 {
                moment.date.pred_opt()
            } else {
                Some(moment.date)
            }
        });
        if let Some(from) = from {
            let until = until.unwrap_or(from.date);
            self.period = Some((from.date, until));
        } else if let (Some(until), Some((from, _))) = (until, self.period) {
            self.period = Some((from, until));
        }
    }

    fn records(
        &mut self,
        input: &mut Input<'_>,
        plan: &Plan<'r>,
        tally: &mut Tally,
    ) -> Result<(), FileError> {
        let joins = self.profile.quoted && self.profile.multiline;
        let most = self.options.limits.record_bytes;
        let mut joined = Vec::new();
        while let Some(line) = input.next_line()? {
            let mut at = At {
                line: line.line,
                byte: line.byte,
                len: line.bytes.len() as u32,
            };
            let mut ended = line.ended;
            if !(joins && leaves_quote_open(line.bytes)) {
                self.line(
                    Delivered {
                        bytes: line.bytes,
                        at,
                        ended,
                    },
                    plan,
                    tally,
                )?;
                continue;
            }
            joined.clear();
            joined.extend_from_slice(line.bytes);
            let mut cr = line.cr;
            while leaves_quote_open(&joined)
                && let Some(line) = input.next_line()?
            {
                // The bytes between the two lines are the line end that the cell holds.
                let gap = line.byte - at.byte - joined.len() as u64;
                joined.extend_from_slice(match (gap, cr) {
                    (2, _) => b"\r\n",
                    (_, true) => b"\r",
                    (_, false) => b"\n",
                });
                joined.extend_from_slice(line.bytes);
                (cr, ended) = (line.cr, line.ended);
                if joined.len() > most {
                    return Err(FileError::Limit {
                        file: self.file.clone(),
                        line: at.line,
                        what: "bytes in one record: a quote may be open",
                        limit: most as u64,
                    });
                }
            }
            at.len = joined.len() as u32;
            self.line(
                Delivered {
                    bytes: &joined,
                    at,
                    ended,
                },
                plan,
                tally,
            )?;
        }
        Ok(())
    }

    /// Takes one line behind the header.
    fn line(
        &mut self,
        delivered: Delivered<'_>,
        plan: &Plan<'r>,
        tally: &mut Tally,
    ) -> Result<(), FileError> {
        let profile = self.profile;
        let bytes = delivered.bytes;
        let says_nothing = |byte: &u8| byte.is_ascii_whitespace() || *byte == profile.delimiter;
        if bytes.iter().all(says_nothing) {
            return Ok(());
        }
        self.last_unended = !delivered.ended;
        let text = match self.decode(bytes) {
            Ok(text) => text,
            Err(at) => {
                let sound = decode_record(&bytes[..at.min(bytes.len())], self.encoding);
                let column = sound.map_or(0, |text| text.chars().count() as u32 + 1);
                let message = format!(
                    "byte {} of the line begins no character of {}",
                    at + 1,
                    encoding_name(self.encoding)
                );
                self.after_end = self.after_end.or(self.ended.map(|_| delivered.at.line));
                let refusal = Refusal::line("text-undecodable", 0, message);
                return self.refuse(delivered, "line", column, refusal);
            }
        };
        let text = text.as_ref();
        if let Some(comment) = &profile.comment
            && text.trim_start().starts_with(comment.as_str())
        {
            self.comment(text.trim());
            return Ok(());
        }
        if let Some(marker) = &profile.end_marker
            && text.trim() == marker
        {
            self.ended = Some(delivered.at.line);
            return Ok(());
        }
        if self.ended.is_some() {
            self.after_end.get_or_insert(delivered.at.line);
        }
        if self.is_summary(text) {
            return Ok(());
        }
        self.records += 1;
        match self.record(text, delivered, plan, tally) {
            Ok(flow) => self.go_on(flow),
            Err(mut refusal) => {
                self.records -= 1;
                if let Some(cell) = refusal.cell {
                    refusal.hide_name(&self.cells.get(text, cell));
                }
                let byte = refusal
                    .cell
                    .map_or(refusal.byte, |cell| self.cells.start(cell));
                let before = text.get(..byte).unwrap_or(text);
                let column = before.chars().count() as u32 + 1;
                let field = refusal.cell.and_then(|cell| plan.header.words.get(cell));
                let field = field.map_or("line", String::as_str);
                self.refuse(delivered, field, column, refusal)
            }
        }
    }

    fn go_on(&self, flow: ControlFlow<()>) -> Result<(), FileError> {
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(FileError::Stopped {
                file: self.file.clone(),
            }),
        }
    }

    fn refuse(
        &mut self,
        delivered: Delivered<'_>,
        field: &str,
        column: u32,
        refusal: Refusal,
    ) -> Result<(), FileError> {
        self.records += 1;
        self.rejected += 1;
        let rejected = Rejected {
            code: refusal.code,
            at: delivered.at,
            line: delivered.at.line,
            column,
            field: Cow::Owned(field.to_owned()),
            message: refusal.message,
        };
        let flow = self.sink.rejected(rejected, delivered.bytes);
        self.go_on(flow)
    }

    /// Reads one record and hands it over.
    fn record(
        &mut self,
        text: &str,
        delivered: Delivered<'_>,
        plan: &Plan<'r>,
        tally: &mut Tally,
    ) -> Result<ControlFlow<()>, Refusal> {
        let profile = self.profile;
        let split = self.cells.split(text, profile);
        split.map_err(|(at, why)| Refusal::line("line-malformed", at, why))?;
        let width = plan.header.words.len();
        if self.cells.len() > width {
            self.cells.shorten(width);
        }
        if self.cells.len() != width {
            let message = format!(
                "the line has {} cells, the header {width}",
                self.cells.len()
            );
            return Err(Refusal::line("row-width", 0, message));
        }
        if profile.final_line_end && !delivered.ended {
            let message = "the file ends inside this line: a line end would be right";
            return Err(Refusal::line("line-malformed", text.len(), message));
        }
        let read = row::read(text, &self.cells, plan, &self.options.limits)?;
        let mut figures = [0; FIGURES];
        for (figure, place) in figures.iter_mut().zip(&plan.totals) {
            let Some(place) = place else { continue };
            let cell = self.cells.get(text, place.index);
            *figure = tally.parse_total(&cell).map_err(|error| Refusal {
                code: error.code(),
                cell: Some(place.index),
                byte: 0,
                message: error.to_string(),
            })?;
        }
        for (index, figure) in figures.iter().enumerate().take(plan.totals.len()) {
            tally.add_to_total(index, *figure);
        }
        tally.record(read.money, read.balance);
        match read.noticed {
            None => {}
            Some(Noticed::Alias) if self.alias_noticed => {}
            Some(Noticed::Alias) => {
                self.alias_noticed = true;
                self.sink.finding(Finding::new(
                    Severity::Info,
                    FindingCode::CurrencyAlias,
                    delivered.at.line,
                    "CNH and RMB are no currency codes; they were read as CNY",
                ));
            }
            Some(Noticed::Kind(word)) => {
                let message = format!(
                    "{word:?} is no kind that profile {} names; it was read as {}",
                    profile.name,
                    EntryKind::Other
                );
                if self.kinds_noticed.len() < self.options.limits.findings_listed
                    && self.kinds_noticed.insert(word)
                {
                    self.sink.finding(Finding::new(
                        Severity::Warning,
                        FindingCode::KindUnknown,
                        delivered.at.line,
                        message,
                    ));
                }
            }
        }
        let mut entry = read.entry;
        entry.at = delivered.at;
        if profile.whole_days {
            self.remember_day(&entry);
        }
        self.entries += 1;
        Ok(self.sink.entry(entry, delivered.bytes))
    }

    fn remember_day(&mut self, entry: &Entry<'_>) {
        let day = entry.time.map(|time| time.date).or(entry.value_date);
        if let Some(day) = day {
            let (first, last) = self.days.unwrap_or((day, day));
            self.days = Some((first.min(day), last.max(day)));
        }
        if let Some(whose) = entry.references.get(WHOSE)
            && !self.whose.contains(whose)
        {
            self.whose.insert(whose.to_owned());
        }
    }

    fn comment(&mut self, text: &str) {
        let lines = self.profile.footer_lines.iter();
        let mut fitting = lines
            .enumerate()
            .filter(|(_, line)| line.pattern.find(text).is_some());
        if let Some((index, _)) = fitting.next() {
            self.footer.push((index, text.to_owned()));
        } else if text.chars().any(char::is_alphanumeric) {
            self.note(text);
        }
    }

    /// Whether a line is the summary's header or its figures.
    fn is_summary(&mut self, text: &str) -> bool {
        let Some(first) = self.profile.totals.first() else {
            return false;
        };
        if self.summary.header.is_none() {
            let start = text.trim_start_matches(['"', '\u{feff}']);
            let start = match &self.profile.cell_prefix {
                Some(prefix) => start.strip_prefix(prefix.as_str()).unwrap_or(start),
                None => start,
            };
            if !first
                .column
                .names
                .iter()
                .any(|name| start.starts_with(name))
            {
                return false;
            }
            let header = Header::of_line(text, self.profile, &mut self.cells);
            if header.find(&first.column) != Some(0) {
                return false;
            }
            self.summary.header = Some(header);
            return true;
        }
        if self.summary.cells.is_some() {
            return false;
        }
        let cells = match self.cells.split(text, self.profile) {
            Ok(()) => (0..self.cells.len())
                .map(|index| self.cells.get(text, index).into_owned())
                .collect(),
            Err(_) => Vec::new(),
        };
        self.summary.cells = Some(cells);
        true
    }

    fn tail(&mut self, tally: &Tally) -> (StatementTail, String) {
        let (mut proofs, ends) = tally.running_balance();
        self.prove_summary(tally, &mut proofs);
        self.prove_lines(tally, &mut proofs);
        for kind in [ProofKind::ControlCount, ProofKind::ControlSum] {
            if !proofs.iter().any(|proof| proof.kind == kind) {
                proofs.push(Proof::absent(kind, ""));
            }
        }
        proofs.push(self.prove_end());
        if !self.notes.is_empty() {
            let message = format!(
                "{} lines behind the header were kept as text, beginning with {:?}",
                self.notes.len(),
                self.notes[0].trim_matches(['#', '-', '='])
            );
            self.sink.finding(Finding::new(
                Severity::Info,
                FindingCode::FooterUnknown,
                0,
                message,
            ));
        }
        let identity = match (self.days, self.period, &self.account) {
            (Some((first, last)), _, _) => {
                let whose: Vec<&str> = self.whose.iter().map(String::as_str).collect();
                format!("{} {} {first}..{last}", self.profile.name, whose.join(","))
            }
            (None, Some((first, last)), Some(account)) => {
                format!("{} {account} {first}..{last}", self.profile.name)
            }
            _ => String::new(),
        };
        let tail = StatementTail {
            opening: ends.map(|(opening, _)| opening),
            closing: ends.map(|(_, closing)| closing),
            notes: std::mem::take(&mut self.notes),
            proofs,
            ..StatementTail::default()
        };
        (tail, identity)
    }

    fn prove_summary(&mut self, tally: &Tally, proofs: &mut Vec<Proof>) {
        let (Some(header), Some(cells)) = (&self.summary.header, &self.summary.cells) else {
            return;
        };
        for (index, total) in self.profile.totals.iter().enumerate() {
            let Some(at) = header.find(&total.column) else {
                continue;
            };
            let scope = header.words.get(at).map_or("", String::as_str);
            let cell = cells.get(at).map_or("", String::as_str);
            match tally.total(total, index, scope, cell, self.records) {
                Some(proof) => proofs.push(proof),
                None => {
                    proofs.push(Proof::absent(ProofKind::ControlSum, scope));
                    let message = format!(
                        "{scope} is {cell:?}, with fewer decimals than the sum of its column; how it was rounded, \
                         the file does not say"
                    );
                    self.sink.finding(Finding::new(
                        Severity::Info,
                        FindingCode::FooterUnknown,
                        0,
                        message,
                    ));
                }
            }
        }
    }

    fn prove_lines(&self, tally: &Tally, proofs: &mut Vec<Proof>) {
        for (index, text) in &self.footer {
            let line = &self.profile.footer_lines[*index];
            match tally.line(line, text) {
                Some(found) => proofs.extend(found),
                None => proofs.push(Proof::absent(ProofKind::ControlCount, line.of.code())),
            }
        }
    }

    /// Whether the file ends as its format says: with the marker, the summary, or the lines of figures.
    fn prove_end(&self) -> Proof {
        let kind = ProofKind::EndMarker;
        if let Some(marker) = &self.profile.end_marker {
            let found = match (self.ended, self.after_end) {
                (None, _) => String::new(),
                (Some(_), None) => marker.clone(),
                (Some(_), Some(line)) => {
                    format!("{marker}, and records behind it from line {line}")
                }
            };
            return Proof::texts(kind, "", marker.clone(), found);
        }
        let profile = self.profile;
        if let Some(first) = profile.totals.first() {
            let words = self.summary.header.as_ref().map_or(0, |h| h.words.len());
            let cells = self.summary.cells.as_ref().map_or(0, Vec::len);
            if words == 0 || cells < words {
                return Proof::texts(kind, "", first.column.names[0].clone(), "");
            }
        } else if !profile.footer_lines.is_empty() {
            let mut lines = profile.footer_lines.iter().enumerate();
            let missing = lines.find(|(index, _)| !self.footer.iter().any(|(at, _)| at == index));
            if let Some((_, line)) = missing {
                return Proof::texts(kind, "", line.pattern.as_str(), "");
            }
        } else {
            return Proof::absent(kind, "");
        }
        if self.last_unended {
            // The last figure may have lost digits: the file does not prove its own end.
            Proof::absent(kind, "")
        } else {
            Proof::texts(kind, "", "footer", "footer")
        }
    }
}
