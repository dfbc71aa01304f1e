//! Cuts a document into pieces without understanding it: one for each entry, and what stands between them.
//!
//! So an entry is decoded and parsed on its own, from the read buffer, and its bytes are at hand as delivered.
//! In every encoding that XML is delivered in (but UTF-16), no byte of `<`, `>` and quotes is part of another
//! character.

use memchr::{memchr, memchr3, memmem};

use crate::error::FileError;
use crate::input::Input;

/// What stands between entries is cut after so many bytes.
const BETWEEN: usize = 64 * 1024;

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From `<Ntry` to `</Ntry>`.
    Entry,
    /// Whole tags and text before, between and after entries; at the end of the file perhaps half a tag.
    Between,
}

/// The next piece and its length, waiting in the input; `None` at the end.
///
/// # Errors
///
/// Bytes that cannot be had, an entry without an end or with another inside, a DOCTYPE, a piece beyond `longest`.
pub(super) fn next_piece(
    input: &mut Input<'_>,
    longest: usize,
    line: u32,
) -> Result<Option<(Kind, usize)>, FileError> {
    let file = input.name().to_owned();
    let mut at = 0;
    let mut in_entry = false;
    let mut want = 1;
    loop {
        let bytes = input.peek(want)?;
        let is_all = bytes.len() < want;
        let line_at = |at| line.saturating_add(newlines(bytes.get(..at).unwrap_or_default()));
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(token) = token(rest) else {
            if !in_entry && at > 0 {
                return Ok(Some((Kind::Between, at)));
            }
            if is_all && in_entry {
                let message = "the file ends inside an entry: </Ntry> is missing".to_owned();
                return Err(FileError::Structure {
                    file,
                    line: line_at(at),
                    message,
                });
            }
            if is_all {
                return Ok((!bytes.is_empty()).then_some((Kind::Between, bytes.len())));
            }
            if bytes.len() > longest {
                return Err(too_long(file, line_at(at), longest));
            }
            want = bytes.len().saturating_mul(2).max(4096);
            continue;
        };
        if at + token.length > longest {
            if !in_entry && at > 0 {
                return Ok(Some((Kind::Between, at)));
            }
            return Err(too_long(file, line_at(at), longest));
        }
        match token.kind {
            TokenKind::Doctype => {
                return Err(FileError::Doctype {
                    file,
                    line: line_at(at),
                });
            }
            TokenKind::EntryStart if in_entry => {
                let message = "an Ntry stands inside an Ntry".to_owned();
                return Err(FileError::Structure {
                    file,
                    line: line_at(at),
                    message,
                });
            }
            TokenKind::EntryStart | TokenKind::EntryEmpty if at > 0 && !in_entry => {
                return Ok(Some((Kind::Between, at)));
            }
            TokenKind::EntryStart => in_entry = true,
            TokenKind::EntryEmpty if !in_entry => return Ok(Some((Kind::Entry, token.length))),
            TokenKind::EntryEnd if in_entry => return Ok(Some((Kind::Entry, at + token.length))),
            TokenKind::EntryEmpty | TokenKind::EntryEnd | TokenKind::Other => {}
        }
        at += token.length;
        if !in_entry && at >= BETWEEN {
            return Ok(Some((Kind::Between, at)));
        }
        want = want.max(at + 1);
    }
}

fn too_long(file: String, line: u32, longest: usize) -> FileError {
    FileError::Limit {
        file,
        line,
        what: "bytes in one entry",
        limit: longest as u64,
    }
}

/// Line ends in a text (LF; CRLF has one too).
pub(super) fn newlines(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    EntryStart,
    EntryEmpty,
    EntryEnd,
    Doctype,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: TokenKind,
    length: usize,
}

/// The tag, comment, section or text that the bytes begin with; `None` if its end is not there.
fn token(bytes: &[u8]) -> Option<Token> {
    let other = |length| {
        Some(Token {
            kind: TokenKind::Other,
            length,
        })
    };
    let until = |end: &[u8]| other(memmem::find(bytes, end)? + end.len());
    match bytes {
        [] => None,
        [b'<', b'?', ..] => until(b"?>"),
        [b'<', b'!', rest @ ..] => {
            if rest.starts_with(b"--") {
                // The comment's own start must not be taken for its end, as in `<!-->`.
                return other(memmem::find(bytes.get(4..)?, b"-->")? + 7);
            }
            if rest.starts_with(b"[CDATA[") {
                return until(b"]]>");
            }
            let is_cut = b"[CDATA[".starts_with(rest) || b"--".starts_with(rest);
            (!is_cut).then_some(Token {
                kind: TokenKind::Doctype,
                length: 2,
            })
        }
        [b'<', b'/', name @ ..] => {
            let end = memchr(b'>', name)?;
            let name = name.get(..end).unwrap_or_default().trim_ascii_end();
            let kind = if is_entry(name) {
                TokenKind::EntryEnd
            } else {
                TokenKind::Other
            };
            Some(Token {
                kind,
                length: end + 3,
            })
        }
        [b'<', tag @ ..] => {
            let end = tag_end(tag)?;
            let tag = tag.get(..end).unwrap_or_default();
            let is_entry = is_entry_tag(tag);
            let kind = match (is_entry, tag.last()) {
                (true, Some(b'/')) => TokenKind::EntryEmpty,
                (true, _) => TokenKind::EntryStart,
                (false, _) => TokenKind::Other,
            };
            Some(Token {
                kind,
                length: end + 2,
            })
        }
        text => other(memchr(b'<', text)?),
    }
}

/// Where the `>` of a tag stands, outside of quotes.
fn tag_end(tag: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr3(b'>', b'"', b'\'', tag.get(at..)?)?;
        match tag.get(found)? {
            b'>' => return Some(found),
            quote => at = found + 1 + memchr(*quote, tag.get(found + 1..)?)? + 1,
        }
    }
}

/// Whether a tag with its attributes is an `Ntry`, with any prefix.
fn is_entry_tag(tag: &[u8]) -> bool {
    let end = tag
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || *byte == b'/')
        .unwrap_or(tag.len());
    is_entry(tag.get(..end).unwrap_or_default())
}

/// Whether a name is `Ntry`, with any prefix.
fn is_entry(name: &[u8]) -> bool {
    match name.strip_suffix(b"Ntry") {
        Some(prefix) => matches!(prefix.last(), None | Some(b':')),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Gives one byte at a time, as the slowest pipe would.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let count = out.len().min(self.0.len()).min(1);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn pieces(text: &str, longest: usize) -> Result<Vec<(Kind, String)>, FileError> {
        let mut drip = Drip(text.as_bytes());
        let mut input = Input::new("f".into(), &mut drip, 1024);
        let mut found = Vec::new();
        let mut line = 1;
        while let Some((kind, length)) = next_piece(&mut input, longest, line)? {
            let bytes = input.peek(length)?[..length].to_vec();
            line += newlines(&bytes);
            found.push((kind, String::from_utf8(bytes).expect("text")));
            input.skip(length);
        }
        Ok(found)
    }

    #[test]
    fn entries_are_cut_out_whole_whatever_stands_in_them() {
        use Kind::{Between, Entry};
        for (text, want) in [
            (
                "<a><Ntry>1</Ntry></a>",
                vec![
                    (Between, "<a>"),
                    (Entry, "<Ntry>1</Ntry>"),
                    (Between, "</a>"),
                ],
            ),
            (
                "<x:Ntry a='>' b=\"'\">1</x:Ntry ><Ntry/>",
                vec![
                    (Entry, "<x:Ntry a='>' b=\"'\">1</x:Ntry >"),
                    (Entry, "<Ntry/>"),
                ],
            ),
            (
                "<NtryX><Ntry><!-- </Ntry> --></Ntry>",
                vec![
                    (Between, "<NtryX>"),
                    (Entry, "<Ntry><!-- </Ntry> --></Ntry>"),
                ],
            ),
            (
                "<Ntry><![CDATA[</Ntry>]]></Ntry>",
                vec![(Entry, "<Ntry><![CDATA[</Ntry>]]></Ntry>")],
            ),
            (
                "<!--> <Ntry> -->x<Ntry>y</Ntry>",
                vec![(Between, "<!--> <Ntry> -->x"), (Entry, "<Ntry>y</Ntry>")],
            ),
            (
                "<?x <Ntry> ?><NtryDtls></NtryDtls>\n",
                vec![
                    (Between, "<?x <Ntry> ?><NtryDtls></NtryDtls>"),
                    (Between, "\n"),
                ],
            ),
            ("<a><b", vec![(Between, "<a>"), (Between, "<b")]),
            ("", vec![]),
        ] {
            let got = pieces(text, 1024).expect("pieces");
            let got: Vec<_> = got
                .iter()
                .map(|(kind, text)| (*kind, text.as_str()))
                .collect();
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_cut_is_refused_with_its_line() {
        for (text, want) in [
            (
                "<a>\n<Ntry>\n<b>",
                "f, line 3: the file ends inside an entry: </Ntry> is missing",
            ),
            ("<Ntry>\n<Ntry>", "f, line 2: an Ntry stands inside an Ntry"),
            (
                "\n\n<!DOCTYPE a>",
                "f, line 3: the document has a DOCTYPE; statements have none, and it is refused",
            ),
            (
                "<Ntry>0123456789</Ntry>",
                "f, line 1: more bytes in one entry than the limit of 20",
            ),
        ] {
            let got = pieces(text, 20).expect_err(text).to_string();
            assert_eq!(got, want, "{text}");
        }
    }
}
