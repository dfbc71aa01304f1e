//! One record of a statement, from its `:61:` up to the next field that is not its `:86:`, as delivered.

use encoding_rs::WINDOWS_1252;

use crate::input::RawLine;

/// Which field of the record a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Field 61 and its supplementary details.
    Line,
    /// Field 86.
    Details,
    /// Field `NS`, lines that German and Hungarian banks write in place of 86.
    NonSwift,
}

/// A line of the record, without its tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub part: Part,
    pub start: usize,
    pub end: usize,
    /// Line number in the file.
    pub number: u32,
    /// Characters before `start` on the line: the tag.
    pub before: u32,
}

/// The bytes of a record as delivered, with its lines.
#[derive(Debug, Default)]
pub(super) struct Record {
    raw: Vec<u8>,
    spans: Vec<Span>,
    /// Length up to the end of the last line that is not blank.
    solid: usize,
    /// The record as text where its bytes are not UTF-8.
    decoded: String,
    decoded_spans: Vec<Span>,
    /// Offset in the file behind the last line's text, and whether that line ends with a CR.
    last: Option<(u64, bool)>,
    pub line: u32,
    pub byte: u64,
    pub has_details: bool,
}

/// A record's text with its lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub text: &'a str,
    pub spans: &'a [Span],
    /// Whether the bytes were not UTF-8 and were read as windows-1252.
    pub guessed: bool,
}

impl<'a> Text<'a> {
    pub(super) fn of(&self, span: &Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

impl Record {
    /// Begins a record with its first line, whose tag is `before` bytes long.
    pub(super) fn begin(&mut self, line: &RawLine<'_>, before: usize) {
        self.raw.clear();
        self.spans.clear();
        self.solid = 0;
        self.last = None;
        self.has_details = false;
        self.line = line.line;
        self.byte = line.byte;
        self.push(line, Part::Line, before);
    }

    /// Adds a line; its first `before` bytes are its tag.
    pub(super) fn push(&mut self, line: &RawLine<'_>, part: Part, before: usize) {
        if let Some((end, cr)) = self.last {
            let line_end: &[u8] = match (line.byte.saturating_sub(end), cr) {
                (2, _) => b"\r\n",
                (_, true) => b"\r",
                (_, false) => b"\n",
            };
            self.raw.extend_from_slice(line_end);
        }
        let start = self.raw.len() + before.min(line.bytes.len());
        self.raw.extend_from_slice(line.bytes);
        let end = self.raw.len();
        self.last = Some((line.byte + line.bytes.len() as u64, line.cr));
        self.has_details |= part != Part::Line;
        if before > 0 || !line.bytes.trim_ascii().is_empty() {
            self.solid = end;
        }
        self.spans.push(Span {
            part,
            start,
            end,
            number: line.line,
            before: before as u32,
        });
    }

    /// The part that a line without a tag belongs to.
    pub(super) fn part(&self) -> Part {
        self.spans.last().map_or(Part::Line, |span| span.part)
    }

    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// The bytes as delivered, without the last line's end and the blank lines behind it.
    pub(super) fn raw(&self) -> &[u8] {
        self.raw.get(..self.solid).unwrap_or_default()
    }

    /// Makes text of the bytes: strict UTF-8, or else windows-1252, which has a character for every byte.
    pub(super) fn decode(&mut self) -> bool {
        self.decoded.clear();
        self.decoded_spans.clear();
        if std::str::from_utf8(self.raw()).is_ok() {
            return true;
        }
        for span in &self.spans {
            let bytes = self.raw.get(span.start..span.end).unwrap_or_default();
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            let start = self.decoded.len();
            self.decoded.push_str(&text);
            let end = self.decoded.len();
            self.decoded.push('\n');
            self.decoded_spans.push(Span {
                start,
                end,
                ..*span
            });
        }
        false
    }

    /// The text that [`Record::decode`] made.
    pub(super) fn text(&self) -> Text<'_> {
        if self.decoded_spans.is_empty() {
            let text = std::str::from_utf8(self.raw()).unwrap_or_default();
            Text {
                text,
                spans: &self.spans,
                guessed: false,
            }
        } else {
            Text {
                text: &self.decoded,
                spans: &self.decoded_spans,
                guessed: true,
            }
        }
    }
}
