//! What a file is, told by its content: names and extensions lie.

use quanfu_settlement::Profile;

use crate::csv;
use crate::encoding::{UTF8_BOM, begins_as_utf16, shown};

/// How many bytes of a file's beginning are looked at.
pub const LOOKED_AT: usize = 64 * 1024;

/// How many characters of an unknown file are shown.
const SHOWN: usize = 64;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detected<'a> {
    /// Nothing, or blanks only.
    Empty,
    /// A zip archive.
    Zip,
    /// A gzip stream.
    Gzip,
    /// SWIFT MT940 or MT942, or a fragment of one.
    Swift,
    /// ISO 20022 camt.052, camt.053 or camt.054, or an XML document that only its reader can refuse well.
    Camt,
    /// A CSV file that this profile describes.
    Csv(&'a Profile),
    /// A CSV file that several profiles describe equally well: their names.
    SeveralProfiles(Vec<String>),
    /// UTF-16 text, which no known format is delivered in.
    Utf16,
    /// Anything else: its first characters, printable.
    Unknown {
        /// The first characters.
        begins: String,
    },
}

/// Tells what a file is by its first bytes ([`LOOKED_AT`] of them, or the whole file if it is shorter).
///
/// The given profiles come before the shipped ones.
///
/// ```
/// use quanfu_formats::detect::{Detected, detect};
///
/// assert_eq!(detect(b":20:START\r\n:25:1\r\n", &[]), Detected::Swift);
/// assert_eq!(detect(b" \r\n", &[]), Detected::Empty);
/// assert_eq!(detect(b"Hello", &[]), Detected::Unknown { begins: "Hello".into() });
/// ```
#[must_use]
pub fn detect<'a>(first: &[u8], profiles: &'a [Profile]) -> Detected<'a> {
    if first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06") {
        return Detected::Zip;
    }
    if first.starts_with(b"\x1F\x8B") {
        return Detected::Gzip;
    }
    if begins_as_utf16(first) {
        return Detected::Utf16;
    }
    let text = first.strip_prefix(UTF8_BOM).unwrap_or(first);
    let text = text.trim_ascii_start();
    if text.is_empty() {
        return Detected::Empty;
    }
    if text.starts_with(b"<") {
        return xml(text);
    }
    if is_swift(text) {
        return Detected::Swift;
    }
    for known in [profiles, csv::shipped()] {
        let mut fitting = known.iter().filter(|profile| csv::fits(profile, first));
        if let Some(profile) = fitting.next() {
            let others: Vec<String> = fitting.map(|other| other.name.clone()).collect();
            if others.is_empty() {
                return Detected::Csv(profile);
            }
            let all = std::iter::once(profile.name.clone()).chain(others);
            return Detected::SeveralProfiles(all.collect());
        }
    }
    unknown(text)
}

fn unknown(text: &[u8]) -> Detected<'static> {
    Detected::Unknown {
        begins: shown(text, SHOWN),
    }
}

/// Bank statements by the local name of the message; a DOCTYPE is for the reader to refuse, but not in a web page.
fn xml(text: &[u8]) -> Detected<'static> {
    let start = text
        .get(..text.len().min(32))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        return unknown(text);
    }
    let messages = [
        &b"BkToCstmrStmt"[..],
        b"BkToCstmrAcctRpt",
        b"BkToCstmrDbtCdtNtfctn",
    ];
    let has_element = |name: &[u8]| {
        memchr::memmem::find_iter(text, name)
            .any(|at| at > 0 && matches!(text.get(at - 1), Some(b'<' | b':')))
    };
    if messages.into_iter().any(has_element)
        || memchr::memmem::find(text, b"<!DOCTYPE").is_some()
        || is_cut_head(text)
    {
        return Detected::Camt;
    }
    unknown(text)
}

/// A camt document that ends before its message begins: its reader says that it is cut.
fn is_cut_head(text: &[u8]) -> bool {
    text.len() < LOOKED_AT / 2
        && memchr::memmem::find(text, b"tech:xsd:camt.05").is_some()
        && !text.trim_ascii_end().ends_with(b"Document>")
}

/// Whether one of the first lines begins as SWIFT blocks (`{1:`) or fields (`:61:`) do.
fn is_swift(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'\n' || byte == b'\r')
        .take(200)
        .any(|line| match line.trim_ascii_start() {
            [b'{', b'1'..=b'5', b':', ..] => true,
            [b':', tens, ones, b':', ..] => tens.is_ascii_digit() && ones.is_ascii_digit(),
            [b':', tens, ones, letter, b':', ..] => {
                tens.is_ascii_digit() && ones.is_ascii_digit() && letter.is_ascii_uppercase()
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes_and_not_by_its_name() {
        let unknown = |begins: &str| Detected::Unknown {
            begins: begins.to_owned(),
        };
        for (first, want) in [
            (&b""[..], Detected::Empty),
            (b"\xEF\xBB\xBF\r\n  \t", Detected::Empty),
            (b"PK\x03\x04rest", Detected::Zip),
            (b"PK\x05\x06", Detected::Zip),
            (b"\x1F\x8B\x08", Detected::Gzip),
            (
                b"{1:F01BANKCNBJAXXX0000000000}{2:I940X}{4:\r\n:20:A",
                Detected::Swift,
            ),
            (b"\r\n:20:A\r\n", Detected::Swift),
            (b"\xEF\xBB\xBF:25:1\r\n", Detected::Swift),
            (b"ABNANL2A\r\n940\r\nABNANL2A\r\n:20:X", Detected::Swift),
            (b":61:2603020302C19,90NTRF\n", Detected::Swift),
            (b"{4:\r\n", Detected::Swift),
            (
                b"date;time\r\n12:20:11;x",
                unknown(r"date;time\u{d}\u{a}12:20:11;x"),
            ),
            (
                b"<?xml version='1.0'?><Document><BkToCstmrStmt>",
                Detected::Camt,
            ),
            (
                b"<a:Document xmlns:a='urn:x'><a:BkToCstmrAcctRptV01>",
                Detected::Camt,
            ),
            (b"<!DOCTYPE a [<!ENTITY b 'c'>]><Document/>", Detected::Camt),
            (b"<!doctype html><html>", unknown("<!doctype html><html>")),
            (
                b"<Document><FIToFICstmrCdtTrf/></Document>",
                unknown("<Document><FIToFICstmrCdtTrf/></Document>"),
            ),
            (b"\xFF\xFE<\0?\0", Detected::Utf16),
            (b"<\0?\0x\0", Detected::Utf16),
            (b"%PDF-1.7\x00\xFF.", unknown(r"%PDF-1.7\u{0}�.")),
        ] {
            assert_eq!(detect(first, &[]), want, "{}", shown(first, 64));
        }
    }
}
