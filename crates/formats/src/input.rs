//! The bytes of one file or archive member, in one pass, as lines or as a stream, counted and digested on the way.

use std::io::{self, BufRead, Read};

use crate::error::FileError;

const BLOCK: usize = 256 * 1024;

/// One line as delivered, without its end (LF, CRLF or CR).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawLine<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Line number, counted from 1.
    pub line: u32,
    /// Offset of its first byte.
    pub byte: u64,
    /// Whether a line end follows (false only on a last line that has none).
    pub ended: bool,
    /// Whether that line end begins with a CR; the next line's offset tells whether an LF follows it.
    pub cr: bool,
}

/// The bytes of one file. It is also a [`BufRead`] for readers that are not made of lines.
pub(crate) struct Input<'a> {
    name: String,
    reader: &'a mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    finished: bool,
    /// Offset in the file of `buffer[start]`.
    offset: u64,
    line: u32,
    /// The last line ended with CR; an LF right after it belongs to the same line end.
    after_cr: bool,
    max_line: usize,
}

impl<'a> Input<'a> {
    /// Over the (inflated) bytes of `reader`; `max_line` is the longest line accepted.
    pub(crate) fn new(name: String, reader: &'a mut dyn Read, max_line: usize) -> Self {
        Self {
            name,
            reader,
            buffer: vec![0; BLOCK],
            start: 0,
            filled: 0,
            finished: false,
            offset: 0,
            line: 0,
            after_cr: false,
            max_line,
        }
    }

    /// Name of the file, for errors and heads.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines taken so far.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// The next bytes without taking them: at least `want` (up to the block size), fewer only at the end of the file.
    pub(crate) fn peek(&mut self, want: usize) -> Result<&[u8], FileError> {
        while self.filled - self.start < want && !self.finished {
            self.fill_more().map_err(|source| FileError::Io {
                file: self.name.clone(),
                source,
            })?;
        }
        Ok(&self.buffer[self.start..self.filled])
    }

    /// Takes `count` bytes that were seen by [`Input::peek`] (such as a BOM).
    pub(crate) fn skip(&mut self, count: usize) {
        let count = count.min(self.filled - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// The next line, or `None` at the end. An empty rest after the last line end is no line.
    pub(crate) fn next_line(&mut self) -> Result<Option<RawLine<'_>>, FileError> {
        let mut searched = 0;
        loop {
            if self.after_cr && self.start < self.filled {
                if self.buffer[self.start] == b'\n' {
                    self.skip(1);
                }
                self.after_cr = false;
            }
            let waiting = &self.buffer[self.start + searched..self.filled];
            if !self.after_cr
                && let Some(found) = memchr::memchr2(b'\n', b'\r', waiting)
            {
                let length = searched + found;
                let from = self.start;
                self.after_cr = self.buffer[from + length] == b'\r';
                return self.take(from, length, 1).map(Some);
            }
            searched = self.filled - self.start;
            if self.finished {
                if searched == 0 {
                    return Ok(None);
                }
                let from = self.start;
                return self.take(from, searched, 0).map(Some);
            }
            if searched > self.max_line {
                return Err(self.too_long());
            }
            self.fill_more().map_err(|source| FileError::Io {
                file: self.name.clone(),
                source,
            })?;
        }
    }

    fn take(&mut self, from: usize, length: usize, end: usize) -> Result<RawLine<'_>, FileError> {
        if length > self.max_line {
            return Err(self.too_long());
        }
        self.line = self.line.checked_add(1).ok_or_else(|| self.too_long())?;
        let byte = self.offset;
        self.start += length + end;
        self.offset += (length + end) as u64;
        Ok(RawLine {
            bytes: &self.buffer[from..from + length],
            line: self.line,
            byte,
            ended: end > 0,
            cr: self.after_cr,
        })
    }

    fn too_long(&self) -> FileError {
        FileError::Limit {
            file: self.name.clone(),
            line: self.line.saturating_add(1),
            what: "bytes in one line",
            limit: self.max_line as u64,
        }
    }

    /// Reads more bytes behind those waiting; moves or grows the buffer where needed.
    fn fill_more(&mut self) -> io::Result<()> {
        if self.start > 0 && (self.start == self.filled || self.filled == self.buffer.len()) {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.finished = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.filled && !self.finished {
            self.fill_more()?;
        }
        Ok(&self.buffer[self.start..self.filled])
    }

    fn consume(&mut self, count: usize) {
        self.skip(count);
    }
}
