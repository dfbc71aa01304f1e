//! Why a file as a whole cannot be read.

/// The file as a whole is not what it claims. Single bad records are no reason: they are rejected one by one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The bytes could not be had.
    #[error("{file}: cannot be read")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing in it, or blanks only.
    #[error("{file}: the file is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// No known format fits.
    #[error(
        "{file}: no known format fits; it begins \"{begins}\". A profile (`quanfu.profile/1`) can describe any CSV file"
    )]
    Unknown {
        /// The file.
        file: String,
        /// Its first characters.
        begins: String,
    },
    /// Several profiles fit equally well.
    #[error("{file}: several profiles fit: {}; name one", profiles.join(", "))]
    SeveralProfiles {
        /// The file.
        file: String,
        /// Their names.
        profiles: Vec<String>,
    },
    /// UTF-16 text.
    #[error("{file}: the text is UTF-16; saved as UTF-8 it can be read")]
    Utf16 {
        /// The file.
        file: String,
    },
    /// The text is not in the encoding that it must be in.
    #[error("{file}, line {line}, byte {byte}: not {encoding} text")]
    Encoding {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: u32,
        /// Offset of the first wrong byte.
        byte: u64,
        /// The encoding tried.
        encoding: String,
    },
    /// The file breaks its own format.
    #[error("{file}, line {line}: {message}")]
    Structure {
        /// The file.
        file: String,
        /// Line, counted from 1; 0 speaks of the file as a whole.
        line: u32,
        /// What was found and what would be right.
        message: String,
    },
    /// A column that the profile needs is not in the header.
    #[error("{file}, line {line}: no column {column:?}; the header has: {}", header.join(", "))]
    MissingColumn {
        /// The file.
        file: String,
        /// Line of the header.
        line: u32,
        /// The column that is missing.
        column: String,
        /// What the header has.
        header: Vec<String>,
    },
    /// A bound of [`quanfu_settlement::Limits`] is broken.
    #[error("{file}, line {line}: more {what} than the limit of {limit}")]
    Limit {
        /// The file.
        file: String,
        /// Line, counted from 1; 0 speaks of the file as a whole.
        line: u32,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// An XML document with a document type declaration: refused, as entities could be anything.
    #[error(
        "{file}, line {line}: the document has a DOCTYPE; statements have none, and it is refused"
    )]
    Doctype {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: u32,
    },
    /// The archive is damaged, encrypted, or holds no file that can be read.
    #[error("{file}: {message}")]
    Archive {
        /// The file.
        file: String,
        /// What was found and what would be right.
        message: String,
    },
    /// Strict reading met the first thing that is not faultless.
    #[error("{file}, line {line}, column {column}: {code}: {message}")]
    Strict {
        /// The file.
        file: String,
        /// Line, counted from 1; 0 speaks of the file as a whole.
        line: u32,
        /// Column, counted from 1; 0 speaks of the line as a whole.
        column: u32,
        /// Code of the finding, rejected record or proof.
        code: &'static str,
        /// Its message.
        message: String,
    },
    /// The sink asked to stop.
    #[error("{file}: reading was stopped")]
    Stopped {
        /// The file.
        file: String,
    },
}

impl FileError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "file-io",
        "file-empty",
        "file-unknown",
        "file-several-profiles",
        "file-utf16",
        "file-encoding",
        "file-structure",
        "file-missing-column",
        "file-limit",
        "file-doctype",
        "file-archive",
        "file-strict",
        "file-stopped",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "file-io",
            Self::Empty { .. } => "file-empty",
            Self::Unknown { .. } => "file-unknown",
            Self::SeveralProfiles { .. } => "file-several-profiles",
            Self::Utf16 { .. } => "file-utf16",
            Self::Encoding { .. } => "file-encoding",
            Self::Structure { .. } => "file-structure",
            Self::MissingColumn { .. } => "file-missing-column",
            Self::Limit { .. } => "file-limit",
            Self::Doctype { .. } => "file-doctype",
            Self::Archive { .. } => "file-archive",
            Self::Strict { .. } => "file-strict",
            Self::Stopped { .. } => "file-stopped",
        }
    }
}

/// Every code that a rejected record can carry, of all formats.
pub const REJECTED_CODES: &[&str] = &[
    "amount-empty",
    "amount-grouping",
    "amount-malformed",
    "amount-missing",
    "amount-negative-zero",
    "amount-overflow",
    "amount-too-fine",
    "currency-missing",
    "currency-unknown",
    "currency-without-minor-unit",
    "date-impossible",
    "date-malformed",
    "field-too-long",
    "flag-malformed",
    "kind-unknown",
    "line-malformed",
    "row-width",
    "side-unknown",
    "status-unknown",
    "text-undecodable",
    "time-malformed",
];
