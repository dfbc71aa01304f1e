//! A sink in front of the caller's: holds the limits and stops strict reading at the first fault.

use std::ops::ControlFlow;

use quanfu_codes::mask_numbers;
use quanfu_settlement::{
    Entry, FileHead, Finding, FindingCode, Limits, Proof, Rejected, Severity, Sink, SourceFile,
    StatementHead, StatementTail,
};

use crate::error::{FileError, REJECTED_CODES};

/// Passes on what one file's reader says until something is wrong with the file as a whole.
pub(crate) struct Guard<'a> {
    sink: &'a mut dyn Sink,
    file: String,
    strict: bool,
    limits: &'a Limits,
    /// Findings of the container, told as soon as the file begins.
    waiting: Vec<Finding>,
    entries: u64,
    rejected: u64,
    findings: usize,
    unlisted: Option<(FindingCode, u64)>,
    statement_line: u32,
    in_statement: bool,
    failure: Option<FileError>,
}

impl<'a> Guard<'a> {
    pub(crate) fn new(
        file: &str,
        strict: bool,
        limits: &'a Limits,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Self {
            sink,
            file: file.to_owned(),
            strict,
            limits,
            waiting: Vec::new(),
            entries: 0,
            rejected: 0,
            findings: 0,
            unlisted: None,
            statement_line: 0,
            in_statement: false,
            failure: None,
        }
    }

    /// Findings to tell when the file begins.
    pub(crate) fn with_findings(mut self, waiting: Vec<Finding>) -> Self {
        self.waiting = waiting;
        self
    }

    /// The first thing wrong with the file as a whole, if any.
    pub(crate) fn failure(&mut self) -> Option<FileError> {
        self.failure.take()
    }

    /// Ends the file, unless something is wrong with it.
    ///
    /// # Errors
    ///
    /// What was wrong before, a failing proof in strict reading, or counts that do not agree with each other.
    pub(crate) fn finish(mut self, file: &SourceFile) -> Result<(), FileError> {
        self.check_proofs(&file.proofs, 0);
        if let Some((code, count)) = self.unlisted {
            let message = format!("{count} more findings of this file are not listed");
            self.sink
                .finding(Finding::new(Severity::Info, code, 0, message));
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let counted = self.entries.checked_add(self.rejected);
        if (file.entries, file.rejected) != (self.entries, self.rejected)
            || counted != Some(file.records)
        {
            return Err(FileError::Structure {
                file: self.file,
                line: 0,
                message: format!(
                    "{} records were counted, but {} entries and {} rejected records were read",
                    file.records, self.entries, self.rejected
                ),
            });
        }
        self.sink.end_file(file);
        Ok(())
    }

    fn fail(&mut self, failure: FileError) {
        self.failure.get_or_insert(failure);
    }

    fn strict_failure(&mut self, line: u32, column: u32, code: &'static str, message: String) {
        if self.strict {
            let file = self.file.clone();
            self.fail(FileError::Strict {
                file,
                line,
                column,
                code,
                message,
            });
        }
    }

    fn check_proofs(&mut self, proofs: &[Proof], line: u32) {
        for proof in proofs.iter().filter(|proof| proof.fails()) {
            let figure = |measure: &Option<_>| match measure {
                Some(measure) => format!("{measure}"),
                None => "nothing".to_owned(),
            };
            let message = format!(
                "the {} proof fails: expected {}, found {}",
                [proof.scope.as_str(), proof.kind.code()]
                    .join(" ")
                    .trim_start(),
                figure(&proof.expected),
                figure(&proof.found),
            );
            self.strict_failure(line, 0, proof.kind.code(), message);
        }
    }

    fn check_records(&mut self, line: u32) -> ControlFlow<()> {
        if self.entries.saturating_add(self.rejected) > self.limits.records {
            let (file, limit) = (self.file.clone(), self.limits.records);
            self.fail(FileError::Limit {
                file,
                line,
                what: "records",
                limit,
            });
        }
        if self.failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Sink for Guard<'_> {
    fn begin_file(&mut self, head: &FileHead) {
        self.sink.begin_file(head);
        for finding in std::mem::take(&mut self.waiting) {
            self.finding(finding);
        }
    }

    fn begin_statement(&mut self, head: &StatementHead) {
        assert!(
            !self.in_statement,
            "a reader ends a statement before it begins the next"
        );
        self.in_statement = true;
        self.statement_line = head.line;
        if self.failure.is_none() {
            self.sink.begin_statement(head);
        }
    }

    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()> {
        assert!(
            self.in_statement,
            "a reader hands over entries inside a statement only"
        );
        self.entries += 1;
        self.check_records(entry.at.line)?;
        self.sink.entry(entry, raw)
    }

    fn rejected(&mut self, mut rejected: Rejected, raw: &[u8]) -> ControlFlow<()> {
        rejected.message = mask_numbers(&rejected.message);
        debug_assert!(
            REJECTED_CODES.contains(&rejected.code),
            "{} is not listed",
            rejected.code
        );
        self.rejected += 1;
        self.strict_failure(
            rejected.line,
            rejected.column,
            rejected.code,
            format!("{}: {}", rejected.field, rejected.message),
        );
        self.check_records(rejected.at.line)?;
        self.sink.rejected(rejected, raw)
    }

    fn finding(&mut self, mut finding: Finding) {
        finding.message = mask_numbers(&finding.message);
        if finding.severity >= Severity::Warning {
            let (line, column, code) = (finding.line, finding.column, finding.code.code());
            self.strict_failure(line, column, code, finding.message.clone());
        }
        if self.failure.is_some() {
            return;
        }
        if self.findings < self.limits.findings_listed {
            self.findings += 1;
            self.sink.finding(finding);
        } else {
            let (_, count) = self.unlisted.get_or_insert((finding.code, 0));
            *count += 1;
        }
    }

    fn end_statement(&mut self, tail: &StatementTail) {
        assert!(self.in_statement, "a reader ends a statement that it began");
        self.in_statement = false;
        self.check_proofs(&tail.proofs, self.statement_line);
        if self.failure.is_none() {
            self.sink.end_statement(tail);
        }
    }

    fn end_file(&mut self, _file: &SourceFile) {
        unreachable!("readers return a body; the core ends the file");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quanfu_money::{Currency, Money, MoneySum};
    use quanfu_settlement::{At, Digest, DigestAlg, ProofKind, ReadingBuilder};

    fn source(records: u64, entries: u64, rejected: u64, proofs: Vec<Proof>) -> SourceFile {
        SourceFile {
            name: "f".into(),
            format: "test".into(),
            encoding: "utf-8".into(),
            digest: Digest::of(DigestAlg::Blake3, b""),
            bytes: 0,
            identity: String::new(),
            proofs,
            records,
            entries,
            rejected,
        }
    }

    fn entry() -> Entry<'static> {
        Entry::new(Money::from_minor(100, Currency::CNY))
    }

    fn rejected() -> Rejected {
        Rejected {
            code: "amount-too-fine",
            at: At {
                line: 7,
                byte: 70,
                len: 3,
            },
            line: 7,
            column: 2,
            field: "Amt".into(),
            message: "too fine".into(),
        }
    }

    /// What a small reader says, ended with `file`.
    fn run(
        strict: bool,
        limits: &Limits,
        file: &SourceFile,
        say: impl FnOnce(&mut dyn Sink),
    ) -> Result<quanfu_settlement::Reading, String> {
        let mut builder = ReadingBuilder::new();
        let mut guard = Guard::new("f", strict, limits, &mut builder);
        guard.begin_file(&FileHead {
            name: "f".into(),
            format: "test".into(),
            encoding: "utf-8".into(),
        });
        guard.begin_statement(&StatementHead {
            line: 3,
            ..Default::default()
        });
        say(&mut guard);
        if guard.in_statement {
            guard.end_statement(&StatementTail::default());
        }
        guard.finish(file).map_err(|error| error.to_string())?;
        Ok(builder.finish())
    }

    #[test]
    fn strict_reading_stops_at_the_first_thing_that_is_not_faultless() {
        type Say = fn(&mut dyn Sink);
        let cases: [(&str, Say, Option<&str>); 5] = [
            (
                "an info passes",
                |sink| {
                    sink.finding(Finding::new(
                        Severity::Info,
                        FindingCode::MemberSkipped,
                        1,
                        "x",
                    ))
                },
                None,
            ),
            (
                "a warning stops",
                |sink| {
                    sink.finding(Finding::new(
                        Severity::Warning,
                        FindingCode::PageGap,
                        4,
                        "page 2 is missing",
                    ))
                },
                Some("f, line 4, column 0: page-gap: page 2 is missing"),
            ),
            (
                "a rejected record stops",
                |sink| assert!(sink.rejected(rejected(), b"raw").is_break()),
                Some("f, line 7, column 2: amount-too-fine: Amt: too fine"),
            ),
            (
                "a failing proof stops",
                |sink| {
                    let sum = |minor| MoneySum::from_minor(minor, Currency::CNY);
                    let proof = Proof::sums(ProofKind::Balance, "", sum(100), sum(90));
                    sink.end_statement(&StatementTail {
                        proofs: vec![proof],
                        ..Default::default()
                    });
                },
                Some(
                    "f, line 3, column 0: balance: the balance proof fails: expected 1.00 CNY, found 0.90 CNY",
                ),
            ),
            (
                "an absent proof passes",
                |sink| {
                    let proof = Proof::absent(ProofKind::Balance, "");
                    sink.end_statement(&StatementTail {
                        proofs: vec![proof],
                        ..Default::default()
                    });
                },
                None,
            ),
        ];
        for (name, say, want) in cases {
            let got = run(true, &Limits::default(), &source(0, 0, 0, Vec::new()), say);
            assert_eq!(got.err().as_deref(), want, "{name}");
        }
    }

    #[test]
    fn lenient_reading_goes_on_and_lists_everything() {
        let reading = run(
            false,
            &Limits::default(),
            &source(2, 1, 1, Vec::new()),
            |sink| {
                sink.finding(Finding::new(
                    Severity::Error,
                    FindingCode::PageGap,
                    4,
                    "gap",
                ));
                assert!(sink.rejected(rejected(), b"raw").is_continue());
                assert!(sink.entry(entry(), b"raw").is_continue());
            },
        );
        let file = &reading.expect("read").files[0];
        assert_eq!(
            (
                file.findings.len(),
                file.rejected.len(),
                file.statements[0].entries.len()
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn a_reader_that_loses_a_record_is_found_out() {
        for (records, entries, rejected) in [(2, 1, 0), (2, 2, 0), (1, 0, 1), (0, 1, 0)] {
            let got = run(
                false,
                &Limits::default(),
                &source(records, entries, rejected, Vec::new()),
                |sink| {
                    assert!(sink.entry(entry(), b"").is_continue());
                },
            );
            assert!(
                got.expect_err("refused").contains("records were counted"),
                "{records} {entries}"
            );
        }
    }

    #[test]
    fn the_bound_on_records_holds_at_its_edge() {
        let limits = Limits {
            records: 2,
            ..Default::default()
        };
        for (count, fits) in [(1, true), (2, true), (3, false)] {
            let got = run(
                false,
                &limits,
                &source(count, count, 0, Vec::new()),
                |sink| {
                    for _ in 0..count {
                        let _ = sink.entry(entry(), b"");
                    }
                },
            );
            assert_eq!(got.is_ok(), fits, "{count}");
        }
    }

    #[test]
    fn findings_beyond_the_bound_are_counted() {
        let limits = Limits {
            findings_listed: 2,
            ..Default::default()
        };
        let reading = run(false, &limits, &source(0, 0, 0, Vec::new()), |sink| {
            for line in 1..=5 {
                sink.finding(Finding::new(
                    Severity::Warning,
                    FindingCode::Dialect,
                    line,
                    "x",
                ));
            }
        });
        let findings = &reading.expect("read").files[0].findings;
        assert_eq!(findings.len(), 3);
        assert_eq!(
            findings[2].message,
            "3 more findings of this file are not listed"
        );
    }
}
