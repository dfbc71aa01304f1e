//! What a reader noticed, and the records that it could not read.

use std::borrow::Cow;

use crate::entry::{At, closed_list};

closed_list! {
    /// How much a finding matters.
    Severity {
        /// Good to know.
        Info = "info",
        /// Somebody should look.
        Warning = "warning",
        /// The file is wrong here.
        Error = "error",
    }
}

closed_list! {
    /// What was noticed.
    FindingCode {
        /// Entries without a statement around them: no balance, perhaps no currency.
        Fragment = "fragment",
        /// The year of a date was not in the file; the nearest to the value date was taken.
        YearInferred = "year-inferred",
        /// A date that does not exist was left out; the record stands on its other date.
        DateImpossible = "date-impossible",
        /// The encoding was not declared and had to be found out.
        EncodingGuessed = "encoding-guessed",
        /// An alias such as CNH or RMB was read as the currency that it means.
        CurrencyAlias = "currency-alias",
        /// A page or statement number is missing or out of order.
        PageGap = "page-gap",
        /// A page or statement came twice in the file.
        PageRepeated = "page-repeated",
        /// The file says of itself that it is a copy or duplicate.
        DeclaredCopy = "declared-copy",
        /// A field is longer or shaped otherwise than its standard allows, and was read all the same.
        Dialect = "dialect",
        /// Text that belongs to no record was kept as a note.
        StrayText = "stray-text",
        /// A kind or status word that the profile does not name was read as `other`.
        KindUnknown = "kind-unknown",
        /// A footer whose meaning is not known was kept as text.
        FooterUnknown = "footer-unknown",
        /// The details of a batch entry do not add up to it.
        DetailSum = "detail-sum",
        /// The same file was given twice; the second was not read.
        SameFileTwice = "same-file-twice",
        /// A member of an archive was not read.
        MemberSkipped = "member-skipped",
        /// Bytes that are no text in the file's encoding, in a field that is kept as a note only.
        TextUndecodable = "text-undecodable",
    }
}

/// Something noticed while reading; the entries are complete all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What was noticed.
    pub code: FindingCode,
    /// Line, counted from 1; 0 speaks of the file as a whole.
    pub line: u32,
    /// Column in characters, counted from 1; 0 speaks of the line as a whole.
    pub column: u32,
    /// One sentence with the values.
    pub message: String,
}

impl Finding {
    /// A finding about a line.
    #[must_use]
    pub fn new(
        severity: Severity,
        code: FindingCode,
        line: u32,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code,
            line,
            column: 0,
            message: message.into(),
        }
    }
}

/// A record that could not be read. It is counted, listed and never lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Stable code of the reason, such as `amount-too-fine`.
    pub code: &'static str,
    /// Where the record stands.
    pub at: At,
    /// Line of the fault itself, counted from 1.
    pub line: u32,
    /// Column of the fault in characters, counted from 1; 0 where the whole line is meant.
    pub column: u32,
    /// Which field, in the file's own words.
    pub field: Cow<'static, str>,
    /// What was found and what would be right.
    pub message: String,
}
