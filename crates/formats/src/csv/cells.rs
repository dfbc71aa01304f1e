//! One record's text, split into cells.

use std::borrow::Cow;

use quanfu_settlement::Profile;

/// Where a cell's text stands in its record, without blanks and quotes around it.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
    /// Whether the text holds doubled quotes.
    doubled: bool,
}

/// The cells of a record; the buffer is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Cells {
    spans: Vec<Span>,
}

/// Why a record cannot be split: the place in bytes, and a sentence.
pub(super) type BadSplit = (usize, &'static str);

impl Cells {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The text of a cell; beyond the last one it is empty.
    pub(super) fn get<'t>(&self, text: &'t str, index: usize) -> Cow<'t, str> {
        let Some(span) = self.spans.get(index) else {
            return Cow::Borrowed("");
        };
        let cell = text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("");
        if span.doubled {
            Cow::Owned(cell.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(cell)
        }
    }

    /// Where a cell begins, in bytes.
    pub(super) fn start(&self, index: usize) -> usize {
        self.spans.get(index).map_or(0, |span| span.start as usize)
    }

    /// The longest cell: its index and length in bytes.
    pub(super) fn longest(&self) -> (usize, usize) {
        let lengths = self
            .spans
            .iter()
            .map(|span| (span.end - span.start) as usize);
        lengths
            .enumerate()
            .max_by_key(|&(index, length)| (length, usize::MAX - index))
            .unwrap_or((0, 0))
    }

    /// Drops empty cells from the end, down to this many.
    pub(super) fn shorten(&mut self, count: usize) {
        while self.spans.len() > count
            && self.spans.last().is_some_and(|span| span.start == span.end)
        {
            self.spans.pop();
        }
    }

    /// Splits a record as the profile says.
    pub(super) fn split(&mut self, text: &str, profile: &Profile) -> Result<(), BadSplit> {
        self.spans.clear();
        match &profile.cell_prefix {
            Some(prefix) => self.split_prefixed(text, profile.delimiter, prefix),
            None if profile.quoted && memchr::memchr(b'"', text.as_bytes()).is_some() => {
                self.split_quoted(text, profile.delimiter)
            }
            None => {
                self.split_plain(text, profile.delimiter);
                Ok(())
            }
        }
    }

    /// Splits a line of words (a header) : as a record, but words need no prefix.
    pub(super) fn split_words(&mut self, text: &str, profile: &Profile) -> Result<(), BadSplit> {
        self.spans.clear();
        if profile.quoted && text.contains('"') {
            return self.split_quoted(text, profile.delimiter);
        }
        self.split_plain(text, profile.delimiter);
        if let Some(prefix) = &profile.cell_prefix {
            for span in &mut self.spans {
                let cell = text.get(span.start as usize..span.end as usize);
                if cell.is_some_and(|cell| cell.starts_with(prefix.as_str())) {
                    span.start += prefix.len() as u32;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, text: &str, start: usize, end: usize) {
        let bytes = text.as_bytes();
        let (mut start, mut end) = (start, end);
        let is_plain = |byte: u8| byte > b' ' && byte < 0x80;
        let plain = start == end
            || (is_plain(bytes[start]) && is_plain(bytes[end - 1]) && bytes[start] != b'\\');
        if !plain && let Some(cell) = text.get(start..end) {
            let left = cell.trim_start();
            start += cell.len() - left.len();
            end = start + left.trim_end().len();
        }
        self.spans.push(Span {
            start: start as u32,
            end: end as u32,
            doubled: false,
        });
    }

    fn split_plain(&mut self, text: &str, delimiter: u8) {
        let mut start = 0;
        for at in memchr::memchr_iter(delimiter, text.as_bytes()) {
            self.push(text, start, at);
            start = at + 1;
        }
        self.push(text, start, text.len());
    }

    /// Cells that each begin with a prefix may hold delimiters: only one in front of a prefix splits.
    fn split_prefixed(&mut self, text: &str, delimiter: u8, prefix: &str) -> Result<(), BadSplit> {
        if !text.starts_with(prefix) {
            return Err((0, "the first cell does not begin with the prefix of cells"));
        }
        let bytes = text.as_bytes();
        let mut start = prefix.len();
        for at in memchr::memchr_iter(delimiter, bytes) {
            if at >= start && bytes[at + 1..].starts_with(prefix.as_bytes()) {
                self.push(text, start, at);
                start = at + 1 + prefix.len();
            }
        }
        self.push(text, start, text.len());
        Ok(())
    }

    fn split_quoted(&mut self, text: &str, delimiter: u8) -> Result<(), BadSplit> {
        let bytes = text.as_bytes();
        let is_blank = |byte: u8| byte == b' ' || byte == b'\t';
        let mut start = 0;
        loop {
            let mut open = start;
            while bytes
                .get(open)
                .copied()
                .is_some_and(|b| is_blank(b) && b != delimiter)
            {
                open += 1;
            }
            if bytes.get(open) != Some(&b'"') {
                let end = memchr::memchr(delimiter, &bytes[start..]).map(|at| start + at);
                self.push(text, start, end.unwrap_or(bytes.len()));
                match end {
                    Some(end) => start = end + 1,
                    None => return Ok(()),
                }
                continue;
            }
            let (mut at, mut doubled) = (open + 1, false);
            let close = loop {
                match memchr::memchr(b'"', &bytes[at..]) {
                    None => return Err((open, "a quote is opened here and never closed")),
                    Some(found) if bytes.get(at + found + 1) == Some(&b'"') => {
                        doubled = true;
                        at += found + 2;
                    }
                    Some(found) => break at + found,
                }
            };
            self.push(text, open + 1, close);
            if let Some(span) = self.spans.last_mut() {
                span.doubled = doubled;
            }
            at = close + 1;
            while bytes
                .get(at)
                .copied()
                .is_some_and(|b| is_blank(b) && b != delimiter)
            {
                at += 1;
            }
            match bytes.get(at) {
                None => return Ok(()),
                Some(&byte) if byte == delimiter => start = at + 1,
                Some(_) => return Err((at, "text stands behind a closing quote")),
            }
        }
    }
}

/// Whether a line leaves a quote open, so that its record goes on in the next line.
pub(super) fn leaves_quote_open(line: &[u8]) -> bool {
    memchr::memchr_iter(b'"', line).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(file: &str) -> Profile {
        let text = format!(
            "schema = \"quanfu.profile/1\"\nname = \"t\"\n[file]\n{file}\n[columns]\n\
             value_date = {{ name = \"d\", format = [\"%Y-%m-%d\"] }}\n[amount]\ncolumn = \"a\"\n\
             [currency]\ndefault = \"CNY\"\n"
        );
        Profile::parse(&text).expect("the profile of this test is right")
    }

    fn split(text: &str, file: &str) -> Result<Vec<String>, BadSplit> {
        let mut cells = Cells::default();
        cells.split(text, &profile(file))?;
        Ok((0..cells.len())
            .map(|i| cells.get(text, i).into_owned())
            .collect())
    }

    #[test]
    fn cells_are_split_as_the_profile_says() {
        for (file, text, want) in [
            ("", "a,b,,c", Ok(vec!["a", "b", "", "c"])),
            ("", "", Ok(vec![""])),
            ("", "a \t, b\t,\u{3000}c\u{3000}", Ok(vec!["a", "b", "c"])),
            ("", r#""a,b","c""d",e"#, Ok(vec!["a,b", "c\"d", "e"])),
            ("", r#" "a" ,b"#, Ok(vec!["a", "b"])),
            ("", r#"5" pipe,b"#, Ok(vec!["5\" pipe", "b"])),
            (
                "",
                r#"a,"b"#,
                Err((2, "a quote is opened here and never closed")),
            ),
            (
                "",
                r#""a"b,c"#,
                Err((3, "text stands behind a closing quote")),
            ),
            ("quoted = false", r#""a,b""#, Ok(vec!["\"a", "b\""])),
            ("delimiter = \"|\"", "a|b,c", Ok(vec!["a", "b,c"])),
            (
                "delimiter = \"\\t\"",
                "a\t\"b\tc\"\t ",
                Ok(vec!["a", "b\tc", ""]),
            ),
            (
                "cell_prefix = \"`\"",
                "`a,`b,\"c,`",
                Ok(vec!["a", "b,\"c", ""]),
            ),
            ("cell_prefix = \"`\"", "`a``,``b", Ok(vec!["a``", "`b"])),
            (
                "cell_prefix = \"`\"",
                "a,`b",
                Err((0, "the first cell does not begin with the prefix of cells")),
            ),
        ] {
            let want = want.map(|cells| cells.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(split(text, file), want, "{file} {text}");
        }
    }
}
