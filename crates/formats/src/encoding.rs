//! Encodings: which one a text is in, and strict decoding that never replaces a byte in silence.
//!
//! A record is decoded as a whole and split after that: in GB18030 the second byte of a character may be `|`,
//! `@` or a letter, and a character that was cut in front of a delimiter swallows it (`D6 7C` is one
//! character). So splitting bytes would split characters, and whoever splits must check the number of fields.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8};

/// The bytes that a UTF-8 file may begin with.
pub(crate) const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// The name of an encoding in heads and messages, such as `utf-8` or `gb18030`.
pub(crate) fn encoding_name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

/// Decodes a whole record strictly; borrows where the bytes are UTF-8 already.
///
/// # Errors
///
/// The offset in `bytes` of the first byte that starts no character of the encoding.
pub(crate) fn decode_record<'a>(
    bytes: &'a [u8],
    encoding: &'static Encoding,
) -> Result<Cow<'a, str>, usize> {
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => Err(error.valid_up_to()),
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text),
        None => Err(first_malformed(bytes, encoding)),
    }
}

/// Where decoding stops for the first time.
fn first_malformed(bytes: &[u8], encoding: &'static Encoding) -> usize {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(4096);
    let mut read = 0;
    loop {
        text.clear();
        let rest = bytes.get(read..).unwrap_or_default();
        let (result, taken) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        read += taken;
        match result {
            DecoderResult::InputEmpty => return bytes.len(),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                return read.saturating_sub(usize::from(length) + usize::from(after));
            }
        }
    }
}

/// Whether a long beginning of a file is UTF-8 so far; a character cut at its end is none of its faults.
pub(crate) fn begins_as_utf8(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && bytes.len() - error.valid_up_to() < 4,
    }
}

/// Whether a file begins as UTF-16 does, with or without a byte order mark.
pub(crate) fn begins_as_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        [first, 0, second, 0, ..] | [0, first, 0, second, ..] => *first != 0 && *second != 0,
        _ => false,
    }
}

/// The text of unknown bytes for a message: printable, one line, at most `most` characters.
pub(crate) fn shown(bytes: &[u8], most: usize) -> String {
    let start = bytes.get(..bytes.len().min(most * 4)).unwrap_or_default();
    let text = match std::str::from_utf8(start) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if error.valid_up_to() > 0 && error.error_len().is_none() => {
            String::from_utf8_lossy(&start[..error.valid_up_to()])
        }
        Err(_) => String::from_utf8_lossy(start),
    };
    quanfu_codes::mask_numbers(&escaped(&text, most))
}

/// A text without what could move or hide other text on a screen: control and bidirectional characters are
/// written as `\u{..}`.
pub(crate) fn escaped(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    for (index, character) in text.chars().enumerate() {
        if index == most {
            out.push('…');
            break;
        }
        match character {
            '\u{0}'..='\u{1F}'
            | '\u{7F}'..='\u{9F}'
            | '\u{61C}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GB18030, WINDOWS_1252};

    #[test]
    fn decoding_is_strict_and_names_the_first_wrong_byte() {
        for (bytes, encoding, want) in [
            (&b"plain"[..], UTF_8, Ok("plain")),
            ("中文".as_bytes(), UTF_8, Ok("中文")),
            (b"ab\xFFc", UTF_8, Err(2)),
            (b"ab\xE4\xB8", UTF_8, Err(2)),
            (b"\xD6\xD0\xCE\xC4,1", GB18030, Ok("中文,1")),
            // A character that was cut in front of a comma: the comma is no second byte.
            (b"\xD6\xD0\xCE,1", GB18030, Err(2)),
            (b"x,\xD6", GB18030, Err(2)),
            // Four-byte forms hold digits.
            (b"\x81\x30\x81\x30,", GB18030, Ok("\u{80},")),
            (b"a\x81\x30\x81", GB18030, Err(1)),
            (b"caf\xE9", WINDOWS_1252, Ok("café")),
        ] {
            let got = decode_record(bytes, encoding);
            assert_eq!(
                got.as_deref(),
                want.as_ref().map(|text| *text),
                "{bytes:X?}"
            );
        }
    }

    #[test]
    fn a_cut_character_before_a_delimiter_is_an_error_or_eats_it_where_it_can_be_counted() {
        for lead in 0x81..=0xFEu8 {
            for delimiter in *b",|\t\n\" 0123456789" {
                let record = [b"a,".as_slice(), &[lead, delimiter], b"b,c"].concat();
                match decode_record(&record, GB18030) {
                    Err(at) => assert_eq!(at, 2, "{lead:X} {delimiter:X}"),
                    Ok(text) => {
                        assert_eq!(delimiter, b'|', "{lead:X}: only | can be a second byte");
                        assert!(!text.contains('|'), "{lead:X}: the delimiter is gone");
                    }
                }
            }
        }
    }

    #[test]
    fn the_place_of_a_wrong_byte_is_found_far_behind_too() {
        let mut bytes = "中".repeat(10_000);
        bytes.push('!');
        let (encoded, _, _) = GB18030.encode(&bytes);
        let mut encoded = encoded.into_owned();
        encoded.extend_from_slice(b"\xFF,");
        assert_eq!(decode_record(&encoded, GB18030), Err(20_001));
    }

    #[test]
    fn beginnings_are_told_apart() {
        assert!(begins_as_utf8("中".as_bytes()));
        assert!(
            begins_as_utf8(&"中".as_bytes()[..2]),
            "cut at the end of what was peeked"
        );
        assert!(!begins_as_utf8(b"\xD6\xD0\xCE\xC4 and more"));
        assert!(begins_as_utf16(b"\xFF\xFE<\0"));
        assert!(begins_as_utf16(b"<\0?\0"));
        assert!(begins_as_utf16(b"\0<\0?"));
        assert!(!begins_as_utf16(b"<?xml"));
        assert!(!begins_as_utf16(b"\0\0\0\0"));
    }

    #[test]
    fn what_is_shown_cannot_move_other_text() {
        assert_eq!(
            escaped("a\u{202E}gpj.exe\n\u{1B}[2J", 64),
            r"a\u{202e}gpj.exe\u{a}\u{1b}[2J"
        );
        assert_eq!(escaped("中文账单", 2), "中文…");
        assert_eq!(shown(b"\x00\x01PNG", 8), r"\u{0}\u{1}PNG");
    }
}
