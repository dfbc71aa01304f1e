//! What a file said: the way from a reader to whoever wants to know.

use std::ops::ControlFlow;

use crate::digest::Digest;
use crate::entry::Entry;
use crate::finding::{Finding, Rejected};
use crate::proof::Proof;
use crate::statement::{Statement, StatementHead, StatementTail};

/// What is known of a file before its first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHead {
    /// Name as given by the caller; a member of an archive is written `archive.zip/member.csv`.
    pub name: String,
    /// Format, such as `mt940`, `camt.053.001.08` or a profile's name.
    pub format: String,
    /// Encoding that the text was read in, such as `utf-8` or `gb18030`.
    pub encoding: String,
}

/// A file as a whole, known when its last byte was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Name, as in [`FileHead`].
    pub name: String,
    /// Format, as in [`FileHead`].
    pub format: String,
    /// Encoding, as in [`FileHead`].
    pub encoding: String,
    /// Digest of the file as delivered (of the archive, for a member).
    pub digest: Digest,
    /// Length of the file as delivered, in bytes.
    pub bytes: u64,
    /// What the file is, apart from its bytes: format, account, period or statement numbers.
    /// Two files with one identity and other bytes are a re-delivery. Empty where the file does not tell.
    pub identity: String,
    /// Proofs of the file as a whole.
    pub proofs: Vec<Proof>,
    /// Records in the file by the reader's own count of record markers; entries + rejected = records.
    pub records: u64,
    /// Records that could be read.
    pub entries: u64,
    /// Records that could not.
    pub rejected: u64,
}

/// Whoever takes in what a reader finds. Calls come in file order; one file's calls are not mixed with another's.
pub trait Sink {
    /// A file begins.
    fn begin_file(&mut self, head: &FileHead);
    /// A statement begins. Formats without statements make one of the whole file.
    fn begin_statement(&mut self, head: &StatementHead);
    /// One record, lent for the time of the call, with its bytes as delivered. `Break` stops the reader.
    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()>;
    /// A record that could not be read, with its bytes as delivered. `Break` stops the reader.
    fn rejected(&mut self, rejected: Rejected, raw: &[u8]) -> ControlFlow<()>;
    /// Something noticed.
    fn finding(&mut self, finding: Finding);
    /// The statement ends.
    fn end_statement(&mut self, tail: &StatementTail);
    /// The file ends.
    fn end_file(&mut self, file: &SourceFile);
}

/// All of one file, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReading {
    /// The file.
    pub file: SourceFile,
    /// Its statements.
    pub statements: Vec<Statement>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// Records that could not be read.
    pub rejected: Vec<Rejected>,
}

impl FileReading {
    /// Every proof of the file and of its statements.
    pub fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.file
            .proofs
            .iter()
            .chain(self.statements.iter().flat_map(|s| &s.tail.proofs))
    }
}

/// What all given files said, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "`rejected` tells which records are missing from the statements"]
pub struct Reading {
    /// One for each file, or for each member of an archive.
    pub files: Vec<FileReading>,
}

/// A [`Sink`] that keeps everything: the plain way to look into files.
#[derive(Debug, Default)]
pub struct ReadingBuilder {
    done: Vec<FileReading>,
    statements: Vec<Statement>,
    findings: Vec<Finding>,
    rejected: Vec<Rejected>,
}

impl ReadingBuilder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read; a file whose end was not reached is not in it.
    pub fn finish(self) -> Reading {
        Reading { files: self.done }
    }
}

impl Sink for ReadingBuilder {
    fn begin_file(&mut self, _head: &FileHead) {
        self.statements.clear();
        self.findings.clear();
        self.rejected.clear();
    }

    fn begin_statement(&mut self, head: &StatementHead) {
        self.statements.push(Statement {
            head: head.clone(),
            ..Statement::default()
        });
    }

    fn entry(&mut self, entry: Entry<'_>, _raw: &[u8]) -> ControlFlow<()> {
        let statement = self.statements.last_mut();
        let statement = statement.expect("a reader hands over entries inside a statement only");
        statement.entries.push(entry.into_owned());
        ControlFlow::Continue(())
    }

    fn rejected(&mut self, rejected: Rejected, _raw: &[u8]) -> ControlFlow<()> {
        self.rejected.push(rejected);
        ControlFlow::Continue(())
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn end_statement(&mut self, tail: &StatementTail) {
        if let Some(statement) = self.statements.last_mut() {
            statement.tail = tail.clone();
        }
    }

    fn end_file(&mut self, file: &SourceFile) {
        self.done.push(FileReading {
            file: file.clone(),
            statements: std::mem::take(&mut self.statements),
            findings: std::mem::take(&mut self.findings),
            rejected: std::mem::take(&mut self.rejected),
        });
    }
}
