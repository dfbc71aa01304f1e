//! Files as delivered: plain, gzip or zip. Bytes are counted as they come out, so headers may lie as they like.
//!
//! The digest and length of a file are those of its bytes as delivered, of the archive for a member. Members
//! are never written anywhere; their names are labels only.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Cursor, Read};

use encoding_rs::GB18030;
use flate2::read::MultiGzDecoder;
use quanfu_settlement::{Digest, Finding, FindingCode, Hasher, Limits, Severity, Sink, SourceFile};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::detect::{Detected, LOOKED_AT, detect};
use crate::encoding::{UTF8_BOM, decode_record, escaped};
use crate::error::FileError;
use crate::guard::Guard;
use crate::input::Input;
use crate::{Body, Options, camt, csv, mt940};

/// Above so many inflated bytes the ratio to the packed bytes is looked at.
const RATIO_FROM: u64 = 1024 * 1024;

/// How many characters of a member's name are shown.
const NAME_SHOWN: usize = 255;

/// Reads a file of any kind into the sink.
pub(crate) fn read(
    name: &str,
    input: impl Read,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> Result<(), FileError> {
    let mut delivered = Delivered::new(input, options);
    let start = delivered
        .look(4)
        .map_err(|source| unreadable(name, source))?;
    match detect(start, &[]) {
        Detected::Zip => read_zip(name, delivered, options, sink),
        Detected::Gzip => {
            let mut inflated = Gunzip {
                decoder: MultiGzDecoder::new(delivered),
                count: 0,
                limits: &options.limits,
            };
            let read = read_text(name, &mut inflated, options, Vec::new(), sink)
                .map_err(FileError::of_archive)?;
            let (digest, bytes) = inflated.decoder.into_inner().finish();
            read.end(digest, bytes)
        }
        _ => {
            let read = read_text(name, &mut delivered, options, Vec::new(), sink)?;
            let (digest, bytes) = delivered.finish();
            read.end(digest, bytes)
        }
    }
}

/// A text that was read to its end, but whose file is not ended yet: the digest was not known.
struct ReadText<'a> {
    guard: Guard<'a>,
    name: String,
    body: Body,
}

impl ReadText<'_> {
    fn end(self, digest: Digest, bytes: u64) -> Result<(), FileError> {
        let Body {
            format,
            encoding,
            identity,
            proofs,
            records,
            entries,
            rejected,
        } = self.body;
        let name = self.name;
        self.guard.finish(&SourceFile {
            name,
            format,
            encoding,
            digest,
            bytes,
            identity,
            proofs,
            records,
            entries,
            rejected,
        })
    }
}

/// Reads plain text of a known format, all of it.
fn read_text<'a>(
    name: &str,
    reader: &mut dyn Read,
    options: &'a Options<'_>,
    findings: Vec<Finding>,
    sink: &'a mut dyn Sink,
) -> Result<ReadText<'a>, FileError> {
    let mut input = Input::new(name.to_owned(), reader, options.limits.record_bytes);
    let first = input.peek(LOOKED_AT).map_err(bound)?;
    let has_bom = first.starts_with(UTF8_BOM);
    let detected = detect(first, options.profiles);
    let reader = choose(detected, options, name)?;
    if has_bom {
        input.skip(UTF8_BOM.len());
    }
    let mut guard = Guard::new(name, options.strict, &options.limits, sink).with_findings(findings);
    let read = match reader {
        Reader::Swift => mt940::read(&mut input, options, &mut guard),
        Reader::Camt => camt::read(&mut input, options, &mut guard),
        Reader::Csv(profile) => {
            let options = Options {
                profile: Some(profile),
                ..options.clone()
            };
            csv::read(&mut input, &options, &mut guard)
        }
    };
    if let Some(failure) = guard.failure() {
        return Err(failure);
    }
    let body = read.map_err(bound)?;
    // What a reader leaves unread belongs to the digest all the same.
    io::copy(&mut input, &mut io::sink()).map_err(|source| bound(unreadable(name, source)))?;
    Ok(ReadText {
        guard,
        name: name.to_owned(),
        body,
    })
}

/// Whose reader is asked.
enum Reader<'a> {
    Swift,
    Camt,
    Csv(&'a quanfu_settlement::Profile),
}

fn choose<'a>(
    detected: Detected<'a>,
    options: &Options<'a>,
    name: &str,
) -> Result<Reader<'a>, FileError> {
    let file = name.to_owned();
    match (detected, options.profile) {
        (Detected::Empty, _) => Err(FileError::Empty { file }),
        (Detected::Utf16, _) => Err(FileError::Utf16 { file }),
        (Detected::Zip | Detected::Gzip, _) => {
            let message = "an archive inside an archive is not opened: deliver its files";
            Err(FileError::Archive {
                file,
                message: message.to_owned(),
            })
        }
        (_, Some(profile)) | (Detected::Csv(profile), None) => Ok(Reader::Csv(profile)),
        (Detected::Swift, None) => Ok(Reader::Swift),
        (Detected::Camt, None) => Ok(Reader::Camt),
        (Detected::SeveralProfiles(profiles), None) => {
            Err(FileError::SeveralProfiles { file, profiles })
        }
        (Detected::Unknown { begins }, None) => Err(FileError::Unknown { file, begins }),
    }
}

fn read_zip<R: Read>(
    name: &str,
    mut delivered: Delivered<R>,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> Result<(), FileError> {
    let limits = &options.limits;
    let mut packed = Vec::new();
    let most = limits.zip_bytes.saturating_add(1);
    let read = (&mut delivered).take(most).read_to_end(&mut packed);
    read.map_err(|source| bound(unreadable(name, source)))?;
    let (digest, bytes) = delivered.finish();
    if bytes > limits.zip_bytes {
        return Err(over(name, "bytes in an archive", limits.zip_bytes));
    }
    let damaged = |error: ZipError| archive(name, format!("the archive is damaged: {error}"));
    let mut zip = ZipArchive::new(Cursor::new(packed.as_slice())).map_err(damaged)?;
    if zip.len() > limits.zip_members {
        return Err(over(
            name,
            "members in an archive",
            limits.zip_members as u64,
        ));
    }
    if zip.has_duplicate_names() {
        return Err(archive(
            name,
            "two members have the same name, so one could hide the other",
        ));
    }
    let (fitting, skipped) = sort_members(name, &mut zip, options)?;
    if fitting.is_empty() {
        let members: Vec<String> = skipped
            .iter()
            .map(|(member, why)| format!("{member} ({why})"))
            .collect();
        let found = if members.is_empty() {
            "it is empty".to_owned()
        } else {
            members.join(", ")
        };
        return Err(archive(
            name,
            format!("no known format fits a file in the archive: {found}"),
        ));
    }
    let mut findings: Vec<Finding> = skipped
        .into_iter()
        .map(|(member, why)| {
            let message = format!("{member} in the archive was not read: {why}");
            Finding::new(Severity::Info, FindingCode::MemberSkipped, 0, message)
        })
        .collect();
    let inflated = Cell::new(0);
    for index in fitting {
        let member = zip.by_index(index).map_err(damaged)?;
        let label = format!("{name}/{}", member_name(member.name_raw()));
        let mut counted = Counted {
            inner: member,
            inflated: &inflated,
            packed: bytes,
            limits,
        };
        let findings = std::mem::take(&mut findings);
        let read = read_text(&label, &mut counted, options, findings, sink)
            .map_err(FileError::of_archive)?;
        read.end(digest, bytes)?;
    }
    Ok(())
}

/// The members that can be read, in the archive's order, and the others with the reason.
type Members = (Vec<usize>, Vec<(String, String)>);

fn sort_members(
    name: &str,
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    options: &Options<'_>,
) -> Result<Members, FileError> {
    let mut fitting = Vec::new();
    let mut skipped = Vec::new();
    for index in 0..zip.len() {
        let raw = zip.by_index_raw(index);
        let member =
            raw.map_err(|error| archive(name, format!("the archive is damaged: {error}")))?;
        if member.is_dir() {
            continue;
        }
        let label = member_name(member.name_raw());
        if member.encrypted() {
            return Err(archive(
                name,
                format!("{label} is encrypted: deliver it without a password"),
            ));
        }
        if member.is_symlink() {
            skipped.push((label, "it is a link".to_owned()));
            continue;
        }
        drop(member);
        let unpacking = |error: &dyn fmt::Display| {
            archive(name, format!("{label} cannot be unpacked: {error}"))
        };
        let member = zip.by_index(index).map_err(|error| unpacking(&error))?;
        let mut first = Vec::with_capacity(LOOKED_AT);
        let mut start = member.take(LOOKED_AT as u64);
        start
            .read_to_end(&mut first)
            .map_err(|error| unpacking(&error))?;
        let detected = match (detect(&first, options.profiles), options.profile) {
            (
                Detected::Csv(_)
                | Detected::Swift
                | Detected::Camt
                | Detected::SeveralProfiles(_)
                | Detected::Unknown { .. },
                Some(profile),
            ) => {
                if csv::fits(profile, &first) {
                    Detected::Csv(profile)
                } else {
                    skipped.push((label, format!("it is not as profile {} says", profile.name)));
                    continue;
                }
            }
            (detected, _) => detected,
        };
        match choose(detected, options, &format!("{name}/{label}")) {
            Ok(_) => fitting.push(index),
            Err(FileError::Unknown { begins, .. }) => {
                skipped.push((
                    label,
                    format!("no known format fits; it begins \"{begins}\""),
                ));
            }
            Err(FileError::Empty { .. }) => skipped.push((label, "it is empty".to_owned())),
            Err(error) => return Err(error),
        }
    }
    Ok((fitting, skipped))
}

/// The name of a member as a label: UTF-8, or GB18030 as archives made in China have it, without tricks.
fn member_name(raw: &[u8]) -> String {
    let name = match (std::str::from_utf8(raw), decode_record(raw, GB18030)) {
        (Ok(name), _) => name.into(),
        (Err(_), Ok(name)) => name,
        (Err(_), Err(_)) => String::from_utf8_lossy(raw),
    };
    escaped(&name, NAME_SHOWN)
}

fn archive(name: &str, message: impl Into<String>) -> FileError {
    FileError::Archive {
        file: name.to_owned(),
        message: message.into(),
    }
}

fn over(name: &str, what: &'static str, limit: u64) -> FileError {
    FileError::Limit {
        file: name.to_owned(),
        line: 0,
        what,
        limit,
    }
}

fn unreadable(name: &str, source: io::Error) -> FileError {
    FileError::Io {
        file: name.to_owned(),
        source,
    }
}

/// A broken limit on its way through an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("more {what} than the limit of {limit}")]
struct Bound {
    what: &'static str,
    limit: u64,
}

impl Bound {
    fn error(what: &'static str, limit: u64) -> io::Error {
        io::Error::other(Self { what, limit })
    }
}

/// Finds a broken limit in an error of reading.
fn bound(error: FileError) -> FileError {
    match error {
        FileError::Io { file, source } => {
            match source
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Bound>())
            {
                Some(&Bound { what, limit }) => FileError::Limit {
                    file,
                    line: 0,
                    what,
                    limit,
                },
                None => FileError::Io { file, source },
            }
        }
        other => other,
    }
}

impl FileError {
    /// Tells damaged packed bytes from bytes that could not be had.
    fn of_archive(self) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match self {
            Self::Io { file, source }
                if matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) =>
            {
                let message = format!("the packed bytes are damaged or cut: {source}");
                Self::Archive { file, message }
            }
            other => other,
        }
    }
}

/// The bytes of a file as delivered, counted and digested as they are taken.
struct Delivered<R> {
    inner: R,
    /// Bytes that were looked at and not yet taken, and how many of them were taken since.
    ahead: Vec<u8>,
    taken: usize,
    hasher: Hasher,
    bytes: u64,
    limit: u64,
}

impl<R: Read> Delivered<R> {
    fn new(inner: R, options: &Options<'_>) -> Self {
        Self {
            inner,
            ahead: Vec::new(),
            taken: 0,
            hasher: Hasher::new(options.digest),
            bytes: 0,
            limit: options.limits.file_bytes,
        }
    }

    /// The first bytes without taking them; called once, before anything is taken.
    fn look(&mut self, count: u64) -> io::Result<&[u8]> {
        (&mut self.inner).take(count).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead)
    }

    fn finish(self) -> (Digest, u64) {
        (self.hasher.finish(), self.bytes)
    }
}

impl<R: Read> Read for Delivered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ahead = self.ahead.get(self.taken..).unwrap_or_default();
        let count = if ahead.is_empty() {
            self.inner.read(out)?
        } else {
            let count = ahead.len().min(out.len());
            out[..count].copy_from_slice(&ahead[..count]);
            self.taken += count;
            count
        };
        self.hasher.update(&out[..count]);
        self.bytes = self.bytes.saturating_add(count as u64);
        if self.bytes > self.limit {
            return Err(Bound::error("bytes in a file", self.limit));
        }
        Ok(count)
    }
}

/// A gzip stream of any number of members, counted as it inflates.
struct Gunzip<'a, R> {
    decoder: MultiGzDecoder<Delivered<R>>,
    count: u64,
    limits: &'a Limits,
}

impl<R: Read> Read for Gunzip<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(out)?;
        self.count = self.count.saturating_add(count as u64);
        check_inflated(self.count, self.decoder.get_ref().bytes, self.limits)?;
        Ok(count)
    }
}

/// A member of an archive, counted as it inflates, together with the members before it.
struct Counted<'a, R> {
    inner: R,
    inflated: &'a Cell<u64>,
    packed: u64,
    limits: &'a Limits,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.inflated
            .set(self.inflated.get().saturating_add(count as u64));
        check_inflated(self.inflated.get(), self.packed, self.limits)?;
        Ok(count)
    }
}

fn check_inflated(inflated: u64, packed: u64, limits: &Limits) -> io::Result<()> {
    if inflated > limits.inflated_bytes {
        return Err(Bound::error("inflated bytes", limits.inflated_bytes));
    }
    if inflated > RATIO_FROM && inflated > packed.saturating_mul(limits.inflate_ratio) {
        return Err(Bound::error(
            "inflated bytes for each packed byte",
            limits.inflate_ratio,
        ));
    }
    Ok(())
}
