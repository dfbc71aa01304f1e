//! A CSV file by blocks of whole records, on any number of threads, for work that wants few columns of many records.
//!
//! Most records are taken straight from the separators of their line. A record that has anything uncommon about it (a
//! quote, blanks around a cell, a word not met before, an amount of another shape) goes through the reader that reads
//! every other file, so both agree on what is an entry and on why a record is rejected.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use encoding_rs::UTF_8;
use quanfu_codes::mask_numbers;
use quanfu_money::Currency;
use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_settlement::profile::{AmountColumns, Preamble, Sign, TextEncoding, TimeFormat};
use quanfu_settlement::{
    At, Entry, EntryKind, FileHead, Finding, Hasher, Profile, RefRole, Rejected, Sink, SourceFile,
    StatementHead, StatementTail,
};
use wide::u8x16;

use super::cells::leaves_quote_open;
use super::header::{AmountPlaces, Plan};
use super::{Delivered, Reader, tally::Tally};
use crate::Options;
use crate::encoding::{UTF8_BOM, encoding_name};
use crate::error::FileError;
use crate::input::Input;

/// How many bytes a block has unless the caller says so; it ends where a record ends.
const BLOCK: usize = 256 * 1024;

/// How many words are remembered; files that have more of them are read all the same.
const REMEMBERED: usize = 64;

/// Most references of a record that can be asked for.
pub const MOST_REFERENCES: usize = 3;

/// What is asked of each record: its references, amount and currency.
#[derive(Clone, Copy, Debug)]
pub struct BlockRow<'b> {
    /// The references asked for, in that order; empty where the record has none.
    pub references: [&'b [u8]; MOST_REFERENCES],
    /// Currency of the amount.
    pub currency: Currency,
    /// The amount in minor units, signed by its effect.
    pub minor: i64,
}

/// A CSV file that is read by blocks.
pub struct BlockReader<'p> {
    file: String,
    options: Options<'p>,
    profile: &'p Profile,
    plan: Plan<'p>,
    fast: Fast<'p>,
    block: usize,
    source: Mutex<Source<'p>>,
    read: Mutex<Vec<BlockTally>>,
}

/// What was opened.
pub enum Opened<'p> {
    /// A file that can be read by blocks.
    Blocks(Box<BlockReader<'p>>),
    /// Another one, with all its bytes.
    Other(Box<dyn Read + Send + 'p>),
}

struct Source<'p> {
    reader: Box<dyn Read + Send + 'p>,
    /// Bytes that were read and belong to the next block.
    ahead: Vec<u8>,
    hasher: Hasher,
    /// Offset of `ahead[0]` in the file.
    offset: u64,
    bytes: u64,
    finished: bool,
    blocks: u32,
}

/// What came of one block.
#[derive(Debug, Default)]
struct BlockTally {
    index: u32,
    lines: u32,
    entries: u64,
    rejected: Vec<Rejected>,
    findings: Vec<Finding>,
}

/// What one thread needs to read blocks; used again for the next one.
#[derive(Debug, Default)]
pub struct BlockBuffer {
    /// Which reader the words below are of, by its address.
    of: usize,
    bytes: Vec<u8>,
    len: usize,
    places: Places,
    uncommon: Vec<(u32, u32, u32)>,
    currencies: Currencies,
    kinds: Vec<(Short, Option<(usize, Sign)>)>,
    ways: Vec<(Short, Sign)>,
    /// For each column of days, some texts that are right, by a digit of theirs.
    days: Vec<[KnownTime; 8]>,
}

/// The text of a time that is right.
#[derive(Clone, Copy, Debug, Default)]
struct KnownTime {
    text: [u8; 32],
    length: u8,
}

/// Currencies by their code in the file, found without a guess at which comes next: that would be wrong for every third
/// row.
#[derive(Debug)]
struct Currencies(Vec<Option<(Short, Currency)>>);

impl Default for Currencies {
    fn default() -> Self {
        Self(vec![None; 256])
    }
}

impl Currencies {
    /// The forty currencies that are traded most have places of their own; others may push one another out.
    #[inline]
    fn slot(code: Short) -> usize {
        (code.text.wrapping_mul(0x63CA_828D_D5F4_B3B3) >> 56) as usize
    }

    #[inline]
    fn get(&self, code: Short) -> Option<Currency> {
        let known = self.0.get(Self::slot(code))?.as_ref()?;
        (known.0 == code).then_some(known.1)
    }

    fn put(&mut self, code: Short, currency: Currency) {
        self.0[Self::slot(code)] = Some((code, currency));
    }
}

/// Where things stand in a block.
#[derive(Debug, Default)]
struct Places {
    /// Delimiters and line feeds, behind the place in front of the block; only the first `count` are meant. What stands
    /// between two neighbours is a cell.
    separators: Vec<u32>,
    count: usize,
    /// Line feeds.
    ends: Vec<u32>,
    quotes: Vec<u32>,
}

/// Where the fast path finds its cells.
#[derive(Debug)]
struct Fast<'p> {
    width: usize,
    delimiter: u8,
    is_plain_amount: bool,
    references: Vec<Option<usize>>,
    days: Vec<(usize, &'p TimeFormat)>,
    currency: Option<usize>,
    amount: FastAmount<'p>,
}

#[derive(Debug)]
enum FastAmount<'p> {
    Signed(usize, Sign),
    Directed {
        amount: usize,
        direction: usize,
        plus: &'p [String],
        minus: &'p [String],
    },
    ByKind {
        kind: usize,
        places: Vec<(EntryKind, usize, Sign)>,
    },
}

impl<'p> Fast<'p> {
    fn new(plan: &Plan<'p>, roles: &[RefRole]) -> Option<Self> {
        let amount = match &plan.amount {
            AmountPlaces::Signed(place, sign) => FastAmount::Signed(place.index, *sign),
            AmountPlaces::Directed {
                amount,
                direction,
                plus,
                minus,
            } => FastAmount::Directed {
                amount: amount.index,
                direction: direction.index,
                plus,
                minus,
            },
            AmountPlaces::Split { .. } => return None,
            AmountPlaces::ByKind(kinds) => FastAmount::ByKind {
                kind: plan.kind?.index,
                places: kinds
                    .iter()
                    .map(|(kind, place, sign)| (*kind, place.index, *sign))
                    .collect(),
            },
        };
        let place = |role: &RefRole| {
            let mut known = plan.references.iter();
            known
                .find(|(known, _)| known == role)
                .map(|(_, place)| place)
        };
        let places: Vec<_> = roles.iter().map(place).collect();
        let days = [plan.time, plan.value_date, plan.booking_date];
        let days = days.into_iter().flatten();
        let days = days.map(|place| Some((place.index, place.column.formats.first()?)));
        // A cell that says "nothing" by a word of its own is uncommon enough for the other path.
        let mut read = places.iter().flatten().copied();
        if read.any(|place| !place.column.blank.is_empty()) || plan.header.words.is_empty() {
            return None;
        }
        Some(Self {
            width: plan.header.words.len(),
            delimiter: plan.profile.delimiter,
            is_plain_amount: plan.profile.style == AmountStyle::PLAIN,
            references: places.iter().map(|place| Some((*place)?.index)).collect(),
            days: days.collect::<Option<_>>()?,
            currency: plan.currency.map(|place| place.index),
            amount,
        })
    }
}

/// Whether a profile asks for nothing that needs all records in their order, or more of a record than its cells.
fn is_plain(profile: &Profile) -> bool {
    profile.encoding == TextEncoding::Utf8
        && profile.cell_prefix.is_none()
        && profile.comment.is_none()
        && profile.end_marker.is_none()
        && profile.totals.is_empty()
        && profile.footer_lines.is_empty()
        && profile.balance.is_none()
        && profile.preamble == Preamble::default()
        && !profile.whole_days
        && profile.tokens.is_empty()
        && profile.fee.is_none()
        && profile.original.is_none()
        && profile.currency_mark.is_none()
        && profile.currency_words.is_empty()
        && profile.status.column.is_none()
        && !matches!(profile.amount, AmountColumns::Split { .. })
        && profile.columns().all(|column| column.blank.is_empty())
}

impl<'p> BlockReader<'p> {
    /// Opens a file to be read by blocks if its profile (in the options) and its first bytes allow it.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be read or has no header.
    pub fn open(
        name: &str,
        mut reader: Box<dyn Read + Send + 'p>,
        options: &Options<'p>,
        roles: &[RefRole],
    ) -> Result<Opened<'p>, FileError> {
        let mut ahead = Vec::new();
        (&mut reader)
            .take(1024 * 1024)
            .read_to_end(&mut ahead)
            .map_err(|source| FileError::Io {
                file: name.to_owned(),
                source,
            })?;
        let other = |ahead: Vec<u8>, reader| {
            Ok(Opened::Other(Box::new(
                std::io::Cursor::new(ahead).chain(reader),
            )))
        };
        let archive = ahead.starts_with(b"PK") || ahead.starts_with(&[0x1F, 0x8B]);
        let utf16 = ahead.starts_with(&[0xFF, 0xFE]) || ahead.starts_with(&[0xFE, 0xFF]);
        let profile = options.profile.filter(|profile| is_plain(profile));
        let Some(profile) = profile else {
            return other(ahead, reader);
        };
        if archive || utf16 || options.strict || ahead.is_empty() || roles.len() > MOST_REFERENCES {
            return other(ahead, reader);
        }
        let mut nowhere = Nowhere;
        let bom = if ahead.starts_with(UTF8_BOM) {
            UTF8_BOM.len()
        } else {
            0
        };
        let mut rest = &ahead[bom..];
        let mut input = Input::new(name.to_owned(), &mut rest, options.limits.record_bytes);
        let mut looking = Reader::new(name.to_owned(), profile, options, &mut nowhere, UTF_8);
        let (plan, line) = looking.find_header(&mut input)?;
        let header = plan.header;
        let Ok(plan) = Plan::new(profile, header) else {
            return other(ahead, reader);
        };
        let mut begin = bom + input.offset() as usize;
        if begin > 0 && ahead[begin - 1] == b'\r' && ahead.get(begin) == Some(&b'\n') {
            begin += 1;
        }
        let Some(fast) = Fast::new(&plan, roles) else {
            return other(ahead, reader);
        };
        let mut hasher = Hasher::new(options.digest);
        hasher.update(&ahead);
        let bytes = ahead.len() as u64;
        Ok(Opened::Blocks(Box::new(Self {
            file: name.to_owned(),
            options: options.clone(),
            profile,
            plan,
            fast,
            block: BLOCK,
            source: Mutex::new(Source {
                reader,
                ahead: ahead.split_off(begin),
                hasher,
                offset: begin as u64,
                bytes,
                finished: false,
                blocks: 0,
            }),
            read: Mutex::new(vec![BlockTally {
                lines: line,
                ..BlockTally::default()
            }]),
        })))
    }

    /// In blocks of about so many bytes. It changes how fast the file is read, never what comes of it.
    #[must_use]
    pub fn with_block_bytes(mut self, bytes: usize) -> Self {
        self.block = bytes.max(1);
        self
    }

    /// What the file's header calls the column of a role.
    #[must_use]
    pub fn column_of(&self, role: RefRole) -> Option<&str> {
        let mut known = self.plan.references.iter();
        let (_, place) = known.find(|(known, _)| *known == role)?;
        self.plan.header.words.get(place.index).map(String::as_str)
    }

    /// Takes the next block, whichever thread asks, and hands every record of it to `each`, in no order. `false`: the
    /// file is at its end.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the bytes cannot be had or a record has no end within the limit.
    pub fn next_block(
        &self,
        buffer: &mut BlockBuffer,
        each: &mut impl FnMut(&BlockRow<'_>) -> ControlFlow<()>,
    ) -> Result<bool, FileError> {
        let Some((index, offset)) = self.take(buffer)? else {
            return Ok(false);
        };
        let me = std::ptr::from_ref(self).addr();
        if buffer.of != me {
            buffer.of = me;
            buffer.kinds.clear();
            buffer.ways.clear();
            buffer.days.clear();
        }
        let mut tally = BlockTally {
            index,
            ..BlockTally::default()
        };
        let mut out = Taker {
            each,
            stopped: false,
        };
        let bytes = std::mem::take(&mut buffer.bytes);
        let block = &bytes[..buffer.len];
        let done = self.read_block(block, offset, buffer, &mut tally, &mut out);
        let stopped = out.stopped;
        buffer.bytes = bytes;
        done?;
        if stopped {
            return Err(FileError::Stopped {
                file: self.file.clone(),
            });
        }
        lock(&self.read).push(tally);
        Ok(true)
    }

    /// The file's end, its rejected records and what was noticed, all with their lines.
    ///
    /// # Errors
    ///
    /// [`FileError::Limit`] for more records or rejected ones than the limits allow.
    pub fn finish(self) -> Result<(SourceFile, Vec<Rejected>, Vec<Finding>), FileError> {
        let source = self
            .source
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut blocks = self
            .read
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        blocks[1..].sort_by_key(|block| block.index);
        let (mut lines, mut entries) = (0u64, 0u64);
        let (mut rejected, mut findings) = (Vec::new(), Vec::<Finding>::new());
        for block in blocks {
            let base = u32::try_from(lines).unwrap_or(u32::MAX);
            for mut record in block.rejected {
                record.line = record.line.saturating_add(base);
                record.at.line = record.at.line.saturating_add(base);
                rejected.push(record);
            }
            for mut finding in block.findings {
                let known = findings
                    .iter()
                    .any(|known| known.code == finding.code && known.message == finding.message);
                if !known && findings.len() < self.options.limits.findings_listed {
                    finding.line = finding.line.saturating_add(base);
                    findings.push(finding);
                }
            }
            lines += u64::from(block.lines);
            entries += block.entries;
        }
        let limit = |what, limit: u64| FileError::Limit {
            file: self.file.clone(),
            line: 0,
            what,
            limit,
        };
        let limits = &self.options.limits;
        if rejected.len() > limits.rejected_listed {
            return Err(limit("rejected records", limits.rejected_listed as u64));
        }
        let records = entries + rejected.len() as u64;
        if records > limits.records {
            return Err(limit("records", limits.records));
        }
        let file = SourceFile {
            name: self.file,
            format: self.profile.name.clone(),
            encoding: encoding_name(UTF_8),
            digest: source.hasher.finish(),
            bytes: source.bytes,
            identity: String::new(),
            proofs: Vec::new(),
            records,
            entries,
            rejected: rejected.len() as u64,
        };
        Ok((file, rejected, findings))
    }

    /// Fills the buffer with whole records. The number of the block and its offset in the file.
    fn take(&self, buffer: &mut BlockBuffer) -> Result<Option<(u32, u64)>, FileError> {
        let mut source = lock(&self.source);
        let source = &mut *source;
        let mut len = source.ahead.len();
        // Whole blocks are read, so that BLAKE3 sees whole trees: the digest costs a sixth less.
        let mut want = if len < self.block {
            len + self.block
        } else {
            len
        };
        if buffer.bytes.len() < want {
            buffer.bytes = vec![0; want];
        }
        buffer.bytes[..len].copy_from_slice(&source.ahead);
        let end = loop {
            while len < want && !source.finished {
                match source.reader.read(&mut buffer.bytes[len..want]) {
                    Ok(0) => source.finished = true,
                    Ok(count) => {
                        source.hasher.update(&buffer.bytes[len..len + count]);
                        source.bytes += count as u64;
                        len += count;
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        return Err(FileError::Io {
                            file: self.file.clone(),
                            source: error,
                        });
                    }
                }
            }
            if source.bytes > self.options.limits.file_bytes {
                return Err(self.limit("bytes in a file", self.options.limits.file_bytes));
            }
            if source.finished {
                break len;
            }
            if let Some(end) = self.last_end(&buffer.bytes[..len]) {
                break end;
            }
            let most = self.options.limits.record_bytes;
            if len > most + self.block {
                return Err(self.limit("bytes in one record: a quote may be open", most as u64));
            }
            want = len * 2;
            if buffer.bytes.len() < want {
                buffer.bytes.resize(want, 0);
            }
        };
        source.ahead.clear();
        source.ahead.extend_from_slice(&buffer.bytes[end..len]);
        if end == 0 {
            return Ok(None);
        }
        buffer.len = end;
        let offset = source.offset;
        source.offset += end as u64;
        source.blocks += 1;
        Ok(Some((source.blocks, offset)))
    }

    fn limit(&self, what: &'static str, limit: u64) -> FileError {
        FileError::Limit {
            file: self.file.clone(),
            line: 0,
            what,
            limit,
        }
    }

    fn joins(&self) -> bool {
        self.profile.quoted && self.profile.multiline
    }

    /// Behind the last line end that ends a record. Bytes begin at a record.
    fn last_end(&self, bytes: &[u8]) -> Option<usize> {
        let mut end = memchr::memrchr(b'\n', bytes)? + 1;
        if !self.joins() {
            return Some(end);
        }
        while leaves_quote_open(&bytes[..end]) {
            end = memchr::memrchr(b'\n', &bytes[..end - 1])? + 1;
        }
        Some(end)
    }

    fn read_block(
        &self,
        block: &[u8],
        offset: u64,
        buffer: &mut BlockBuffer,
        tally: &mut BlockTally,
        out: &mut Taker<'_, impl FnMut(&BlockRow<'_>) -> ControlFlow<()>>,
    ) -> Result<(), FileError> {
        let mut crs = memchr::memchr_iter(b'\r', block).peekable();
        let has_cr = crs.peek().is_some();
        let is_common = crs.all(|at| block.get(at + 1) == Some(&b'\n'));
        let text = simdutf8::basic::from_utf8(block).ok();
        let Some(text) = text.filter(|_| is_common) else {
            return self.read_slowly(block, offset, tally, out);
        };
        buffer.uncommon.clear();
        let mut places = std::mem::take(&mut buffer.places);
        index(block, self.fast.delimiter, &mut places);
        places.quotes.clear();
        if self.profile.quoted {
            let quotes = memchr::memchr_iter(b'"', block);
            places.quotes.extend(quotes.map(|at| at as u32));
        }
        self.fast_rows(text, &places, has_cr, buffer, tally, out);
        buffer.places = places;
        if !buffer.uncommon.is_empty() {
            let uncommon = std::mem::take(&mut buffer.uncommon);
            let done = self.read_uncommon(block, offset, &uncommon, tally, out);
            buffer.uncommon = uncommon;
            done?;
        }
        Ok(())
    }

    fn fast_rows(
        &self,
        text: &str,
        places: &Places,
        has_cr: bool,
        buffer: &mut BlockBuffer,
        tally: &mut BlockTally,
        out: &mut Taker<'_, impl FnMut(&BlockRow<'_>) -> ControlFlow<()>>,
    ) {
        let (block, width) = (text.as_bytes(), self.fast.width);
        let (longest, joins) = (self.options.limits.field_bytes, self.joins());
        let mut quotes = places.quotes.iter().map(|&at| at as usize).peekable();
        let separators = &places.separators[..places.count];
        let mut without_cr = Vec::new();
        let (mut first, mut start, mut line) = (0usize, 0usize, 0u32);
        let mut ends = places.ends.iter().map(|&end| end as usize);
        while let Some(mut end) = ends.next() {
            line += 1;
            // A common record has as many separators as columns, and no quote.
            if let Some(bounds) = separators.get(first..=first + width)
                && bounds[width] as usize == end
                && end - start <= longest
                && quotes.peek().is_none_or(|&quote| quote > end)
            {
                let (mut stop, mut bounds) = (end, bounds);
                if has_cr && end > start && block[end - 1] == b'\r' {
                    stop -= 1;
                    without_cr.clear();
                    without_cr.extend_from_slice(bounds);
                    without_cr[width] -= 1;
                    bounds = &without_cr;
                }
                match self.fast_row(text, bounds, buffer) {
                    Some(row) => {
                        tally.entries += 1;
                        out.put(&row);
                    }
                    None => buffer.uncommon.push((start as u32, stop as u32, line)),
                }
                first += width;
                start = end + 1;
                continue;
            }
            let (begins, mut open) = (line, false);
            loop {
                while quotes.next_if(|&quote| quote < end).is_some() {
                    open = !open;
                }
                if !(open && joins) {
                    break;
                }
                // The record goes on in the next line.
                match ends.next() {
                    Some(next) => end = next,
                    None => end = block.len(),
                }
                line += 1;
                if end == block.len() {
                    break;
                }
            }
            let mut stop = end;
            if end < block.len() && stop > start && block[stop - 1] == b'\r' {
                stop -= 1;
            }
            buffer.uncommon.push((start as u32, stop as u32, begins));
            start = end + 1;
            first += 1;
            while separators.get(first).is_some_and(|&at| (at as usize) < end) {
                first += 1;
            }
        }
        if start < block.len() {
            // The last line has no end.
            line += 1;
            let end = block.len() as u32;
            buffer.uncommon.push((start as u32, end, line));
        }
        tally.lines = line;
    }

    /// A record that is as common as can be; cell `k` stands between `bounds[k]` and `bounds[k + 1]`.
    #[inline]
    fn fast_row<'b>(
        &self,
        text: &'b str,
        bounds: &[u32],
        buffer: &mut BlockBuffer,
    ) -> Option<BlockRow<'b>> {
        let fast = &self.fast;
        let span = |index: usize| -> Option<(usize, usize)> {
            let bounds = bounds.get(index..)?.first_chunk::<2>()?;
            Some((bounds[0].wrapping_add(1) as usize, bounds[1] as usize))
        };
        let cell = |index: usize| -> Option<&'b [u8]> {
            let (start, end) = span(index)?;
            text.as_bytes().get(start..end)
        };
        let short = |index: usize| -> Option<Short> {
            let (start, end) = span(index)?;
            let length = end.wrapping_sub(start);
            let bytes = text.as_bytes().get(start..)?.first_chunk::<8>()?;
            (length.wrapping_sub(1) < 8).then(|| Short {
                text: u64::from_le_bytes(*bytes).wrapping_shl(64 - 8 * length as u32),
                length: length as u32,
            })
        };
        let as_text = |index: usize| -> Option<&'b str> {
            let (start, end) = span(index)?;
            text.get(start..end)
        };
        let plain = |index: usize| -> Option<&'b [u8]> {
            let cell = cell(index)?;
            let (first, last) = (*cell.first()?, *cell.last()?);
            let is_plain = |byte: u8| byte > b' ' && byte < 0x7F;
            (is_plain(first) && is_plain(last) && first != b'\\').then_some(cell)
        };
        if buffer.days.len() < fast.days.len() {
            buffer
                .days
                .resize(fast.days.len(), [KnownTime::default(); 8]);
        }
        for (known, &(place, format)) in buffer.days.iter_mut().zip(&fast.days) {
            let text = plain(place)?;
            // A file has few days, and most formats write the day's last digit in the tenth place.
            let slot = text.get(9).or(text.last()).copied().unwrap_or_default() & 7;
            let known = &mut known[usize::from(slot)];
            let bytes = &known.text[..usize::from(known.length)];
            if format.is_like(bytes, text) || bytes == text {
                continue;
            }
            format.read(as_text(place)?).ok()?;
            if let Some(place) = known.text.get_mut(..text.len()) {
                place.copy_from_slice(text);
                known.length = text.len() as u8;
            }
        }
        let currency = match (fast.currency, self.profile.currency_default) {
            (Some(place), _) => {
                let code = short(place)?;
                match buffer.currencies.get(code) {
                    Some(currency) => currency,
                    None => {
                        plain(place)?;
                        let text = as_text(place)?;
                        if matches!(text, "CNH" | "RMB") {
                            return None;
                        }
                        let currency = Currency::from_code(text).ok()?;
                        buffer.currencies.put(code, currency);
                        currency
                    }
                }
            }
            (None, Some(currency)) => currency,
            (None, None) => return None,
        };
        let (place, sign) = match &fast.amount {
            FastAmount::Signed(place, sign) => (*place, *sign),
            FastAmount::Directed {
                amount,
                direction,
                plus,
                minus,
            } => {
                let word = short(*direction);
                let known = buffer.ways.iter().find(|(known, _)| Some(*known) == word);
                let sign = match known {
                    Some((_, sign)) => *sign,
                    None => {
                        let text = plain(*direction).and_then(|_| as_text(*direction))?;
                        let sign = if plus.iter().any(|known| known == text) {
                            Sign::AsWritten
                        } else if minus.iter().any(|known| known == text) {
                            Sign::Negated
                        } else {
                            return None;
                        };
                        buffer.ways.extend(word.map(|word| (word, sign)));
                        sign
                    }
                };
                (*amount, sign)
            }
            FastAmount::ByKind { kind, places } => {
                let word = short(*kind);
                let known = buffer.kinds.iter().find(|(known, _)| Some(*known) == word);
                match known {
                    Some((_, Some(found))) => *found,
                    Some((_, None)) => return None,
                    None => {
                        let text = plain(*kind).and_then(|_| as_text(*kind))?;
                        let meaning = self.profile.kind.meaning(text);
                        let found = meaning.and_then(|meaning| {
                            let mut places = places.iter();
                            let found = places.find(|(kind, _, _)| *kind == meaning);
                            found.map(|&(_, place, sign)| (place, sign))
                        });
                        if buffer.kinds.len() < REMEMBERED {
                            buffer.kinds.extend(word.map(|word| (word, found)));
                        }
                        found?
                    }
                }
            }
        };
        let digits = currency.minor_digits();
        let minor = match short(place) {
            Some(shape) if fast.is_plain_amount => plain_minor(shape, digits),
            _ => None,
        };
        let minor = match minor {
            Some(minor) => minor,
            None => {
                let text = plain(place)?;
                if matches!(fast.amount, FastAmount::Directed { .. }) && text[0] == b'-' {
                    return None;
                }
                parse_minor(text, self.profile.style, digits).ok()?.minor
            }
        };
        let minor = match sign {
            Sign::AsWritten => minor,
            Sign::Negated => minor.checked_neg()?,
            Sign::Plus => minor.checked_abs()?,
            Sign::Minus => minor.checked_abs()?.checked_neg()?,
        };
        let mut references = [&b""[..]; MOST_REFERENCES];
        for (reference, place) in references.iter_mut().zip(&fast.references) {
            let Some(place) = place else { continue };
            let text = cell(*place)?;
            if !text.is_empty() {
                let text = plain(*place)?;
                if text.len() > self.options.limits.key_bytes {
                    return None;
                }
                *reference = text;
            }
        }
        Some(BlockRow {
            references,
            currency,
            minor,
        })
    }

    /// Records that need the reader of all files: where they begin and end in the block, and their line in it.
    fn read_uncommon(
        &self,
        block: &[u8],
        offset: u64,
        uncommon: &[(u32, u32, u32)],
        tally: &mut BlockTally,
        out: &mut Taker<'_, impl FnMut(&BlockRow<'_>) -> ControlFlow<()>>,
    ) -> Result<(), FileError> {
        let mut capture = self.capture(out);
        let mut reader = self.reader(&mut capture);
        let mut totals = Tally::new(self.profile.style, 0);
        for &(start, end, line) in uncommon {
            let bytes = &block[start as usize..end as usize];
            let most = self.options.limits.record_bytes;
            if bytes.len() > most {
                return Err(self.limit("bytes in one line", most as u64));
            }
            let delivered = Delivered {
                bytes,
                at: At {
                    line,
                    byte: offset + u64::from(start),
                    len: end - start,
                },
                ended: (end as usize) < block.len(),
            };
            reader.line(delivered, &self.plan, &mut totals)?;
        }
        capture.settle(tally);
        Ok(())
    }

    /// A block that is no UTF-8 or has line ends of another kind.
    fn read_slowly(
        &self,
        block: &[u8],
        offset: u64,
        tally: &mut BlockTally,
        out: &mut Taker<'_, impl FnMut(&BlockRow<'_>) -> ControlFlow<()>>,
    ) -> Result<(), FileError> {
        let mut bytes = block;
        let most = self.options.limits.record_bytes;
        let mut input = Input::new(self.file.clone(), &mut bytes, most);
        let mut capture = self.capture(out);
        let mut reader = self.reader(&mut capture);
        let mut totals = Tally::new(self.profile.style, 0);
        reader.records(&mut input, &self.plan, &mut totals)?;
        let lines = input.line();
        capture.settle(tally);
        for record in &mut tally.rejected {
            record.at.byte += offset;
        }
        tally.lines = lines;
        Ok(())
    }

    fn capture<'o, 'e, F>(&self, out: &'o mut Taker<'e, F>) -> Capture<'o, 'e, F> {
        let references = self.plan.references.clone();
        let places = self.fast.references.iter().map(|place| {
            let known = references.iter().find(|(_, p)| Some(p.index) == *place);
            known.map(|(role, _)| *role)
        });
        Capture {
            roles: places.collect(),
            longest: self.options.limits.key_bytes,
            out,
            entries: 0,
            rejected: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn reader<'r>(&'r self, sink: &'r mut dyn Sink) -> Reader<'r> {
        Reader::new(self.file.clone(), self.profile, &self.options, sink, UTF_8)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text of one to eight bytes, the last one in the highest byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Short {
    text: u64,
    length: u32,
}

/// Reads the plainest amount: digits without a sign or needless zeros, and all decimals of the currency or none.
/// `None` says nothing.
#[inline]
fn plain_minor(amount: Short, digits: u8) -> Option<i64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let Short { text, length } = amount;
    let first = (text >> (64 - 8 * length)) as u8;
    let mut number = text;
    if digits > 0 {
        let decimals = u32::from(digits) * 8;
        if length < 2 + u32::from(digits) || (text >> (56 - decimals)) as u8 != b'.' {
            return None;
        }
        // The point goes; the digits before it move behind it.
        let kept = text >> (64 - decimals) << (64 - decimals);
        number = kept | (text & !(u64::MAX << (56 - decimals))) << 8;
        let is_whole = length > 2 + u32::from(digits);
        if is_whole && first == b'0' {
            return None;
        }
    } else if length > 1 && first == b'0' {
        return None;
    }
    // Bytes in front of the first digit are empty.
    let used = length - u32::from(digits > 0);
    number |= ZEROS.checked_shr(8 * used).unwrap_or(0);
    let values = number ^ ZEROS;
    if (values | (values + 0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 != 0 {
        return None;
    }
    let pairs = (values & 0x00FF_00FF_00FF_00FF) * 10 + (values >> 8 & 0x00FF_00FF_00FF_00FF);
    let fours = (pairs & 0x0000_FFFF_0000_FFFF) * 100 + (pairs >> 16 & 0x0000_FFFF_0000_FFFF);
    let all = (fours & 0xFFFF_FFFF) * 10_000 + (fours >> 32);
    Some(all as i64)
}

/// Whoever takes the rows.
struct Taker<'e, F> {
    each: &'e mut F,
    stopped: bool,
}

impl<F: FnMut(&BlockRow<'_>) -> ControlFlow<()>> Taker<'_, F> {
    #[inline]
    fn put(&mut self, row: &BlockRow<'_>) {
        if !self.stopped {
            self.stopped = (self.each)(row).is_break();
        }
    }
}

/// Takes what the reader of all files finds.
struct Capture<'o, 'e, F> {
    roles: Vec<Option<RefRole>>,
    longest: usize,
    out: &'o mut Taker<'e, F>,
    entries: u64,
    rejected: Vec<Rejected>,
    findings: Vec<Finding>,
}

impl<F> Capture<'_, '_, F> {
    fn settle(self, tally: &mut BlockTally) {
        tally.entries += self.entries;
        tally.rejected = self.rejected;
        tally.findings = self.findings;
    }
}

impl<F: FnMut(&BlockRow<'_>) -> ControlFlow<()>> Sink for Capture<'_, '_, F> {
    fn begin_file(&mut self, _: &FileHead) {}
    fn begin_statement(&mut self, _: &StatementHead) {}
    fn entry(&mut self, entry: Entry<'_>, _: &[u8]) -> ControlFlow<()> {
        let Some(money) = entry.money() else {
            return ControlFlow::Continue(());
        };
        let mut references = [&b""[..]; MOST_REFERENCES];
        for (reference, role) in references.iter_mut().zip(&self.roles) {
            let Some((role, text)) =
                role.and_then(|role| Some((role, entry.references.get(role)?)))
            else {
                continue;
            };
            if text.len() > self.longest {
                self.rejected.push(Rejected {
                    code: "field-too-long",
                    at: entry.at,
                    line: entry.at.line,
                    column: 0,
                    field: role.code().into(),
                    message: format!("{} bytes; the limit is {}", text.len(), self.longest),
                });
                return ControlFlow::Continue(());
            }
            *reference = text.as_bytes();
        }
        let row = BlockRow {
            references,
            currency: money.currency(),
            minor: money.minor(),
        };
        self.entries += 1;
        self.out.put(&row);
        ControlFlow::Continue(())
    }
    fn rejected(&mut self, mut rejected: Rejected, _: &[u8]) -> ControlFlow<()> {
        rejected.message = mask_numbers(&rejected.message);
        self.rejected.push(rejected);
        ControlFlow::Continue(())
    }
    fn finding(&mut self, mut finding: Finding) {
        finding.message = mask_numbers(&finding.message);
        self.findings.push(finding);
    }
    fn end_statement(&mut self, _: &StatementTail) {}
    fn end_file(&mut self, _: &SourceFile) {}
}

/// Takes nothing in: for the lines in front of a header.
struct Nowhere;

impl Sink for Nowhere {
    fn begin_file(&mut self, _: &FileHead) {}
    fn begin_statement(&mut self, _: &StatementHead) {}
    fn entry(&mut self, _: Entry<'_>, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn rejected(&mut self, _: Rejected, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn finding(&mut self, _: Finding) {}
    fn end_statement(&mut self, _: &StatementTail) {}
    fn end_file(&mut self, _: &SourceFile) {}
}

/// Writes down where separators (delimiter and line feed) and line feeds stand.
fn index(block: &[u8], delimiter: u8, places: &mut Places) {
    let (delimiters, feeds) = (u8x16::splat(delimiter), u8x16::splat(b'\n'));
    places.ends.clear();
    if places.separators.len() < block.len() + 65 {
        // New zeros, not more of the old: what is not used of them is never touched.
        places.separators = vec![0; block.len() + 65];
    }
    places.separators[0] = u32::MAX;
    let (chunks, rest) = block.as_chunks::<64>();
    let (mut base, mut count) = (0u32, 1usize);
    for chunk in chunks {
        let (mut found, mut lines) = (0u64, 0u64);
        for (part, bytes) in chunk.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            let line = bytes.simd_eq(feeds);
            let separator = bytes.simd_eq(delimiters) | line;
            found |= u64::from(separator.to_bitmask()) << (part * 16);
            lines |= u64::from(line.to_bitmask()) << (part * 16);
        }
        while lines != 0 {
            places.ends.push(base + lines.trailing_zeros());
            lines &= lines - 1;
        }
        if let Some(room) = places.separators[count..].first_chunk_mut::<64>() {
            let (room, more) = room.split_at_mut(8);
            let all = found.count_ones() as usize;
            // Eight are written whatever there is: guessing how many costs more.
            for place in room {
                *place = base.wrapping_add(found.trailing_zeros());
                found &= found.wrapping_sub(1);
            }
            for place in more.iter_mut().take(all.saturating_sub(8)) {
                *place = base + found.trailing_zeros();
                found &= found.wrapping_sub(1);
            }
            count += all;
        }
        base += 64;
    }
    for (at, &byte) in rest.iter().enumerate() {
        let at = base + at as u32;
        if byte == delimiter || byte == b'\n' {
            places.separators[count] = at;
            if byte == b'\n' {
                places.ends.push(at);
            }
            count += 1;
        }
    }
    places.count = count;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_plainest_amounts_are_read_as_all_amounts(text in "[0-9]{0,5}[.,-]?[0-9]{0,3}|-?[0-9]{1,7}", digits in 0u8..4) {
            prop_assume!((1..=8).contains(&text.len()));
            let mut bytes = [0; 8];
            bytes[8 - text.len()..].copy_from_slice(text.as_bytes());
            let short = Short { text: u64::from_le_bytes(bytes), length: text.len() as u32 };
            if let Some(minor) = plain_minor(short, digits) {
                let all = parse_minor(text.as_bytes(), AmountStyle::PLAIN, digits);
                prop_assert_eq!(all.map(|parsed| parsed.minor).ok(), Some(minor));
            }
        }
    }

    #[test]
    fn common_amounts_take_the_short_way() {
        for (text, digits, minor) in [
            ("12.50", 2, 1_250),
            ("0.07", 2, 7),
            ("99999.99", 2, 9_999_999),
            ("1234", 0, 1_234),
            ("0", 0, 0),
            ("1.234", 3, 1_234),
        ] {
            let mut bytes = [0; 8];
            bytes[8 - text.len()..].copy_from_slice(text.as_bytes());
            let short = Short {
                text: u64::from_le_bytes(bytes),
                length: text.len() as u32,
            };
            assert_eq!(plain_minor(short, digits), Some(minor), "{text}");
        }
    }
}
