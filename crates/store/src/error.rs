//! [`StoreError`]: why a store cannot be opened, read or written.

/// Why a store cannot do what it was asked. No value of a document stands in any of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store at this place.
    #[error("there is no store here")]
    Absent,
    /// The file or database is something else.
    #[error("this is no store of quanfu: {why}")]
    Foreign {
        /// What was found.
        why: String,
    },
    /// A later version of quanfu wrote it.
    #[error("the store has schema {found}, this quanfu knows up to {known}")]
    Newer {
        /// Version of the store.
        found: i64,
        /// Latest version known.
        known: i64,
    },
    /// A step of its schema is missing, or is not the one that quanfu has under this number.
    #[error("step {version} of the schema: {why}")]
    Migration {
        /// Number of the step.
        version: i64,
        /// What is wrong with it.
        why: String,
    },
    /// Another process holds it for longer than ten seconds.
    #[error("another process holds the store")]
    Busy,
    /// Disk, file system or connection refuse. Whether the last write is there shows after opening anew.
    #[error("the store cannot be read or written: {why}")]
    Io {
        /// What the engine said.
        why: String,
    },
    /// It is not as it was written.
    #[error("{place}: {why}")]
    Damaged {
        /// Which event, table or part of the engine.
        place: String,
        /// What was found.
        why: String,
    },
    /// It does not go on from a head that was noted earlier.
    #[error("the store does not go on from {noted}: {why}")]
    Head {
        /// As noted.
        noted: String,
        /// What was found.
        why: String,
    },
    /// A document, a name or a time is not one.
    #[error("{why}")]
    Document {
        /// What was found and what would be right.
        why: String,
    },
    /// Personal values need a key or a vault (保管库), or the vault refuses.
    #[error("{why}")]
    Vault {
        /// What is missing.
        why: String,
    },
    /// This engine does it with tools of its own.
    #[error("{why}")]
    Unsupported {
        /// What to take instead.
        why: String,
    },
}

impl StoreError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "store-absent",
        "store-foreign",
        "store-newer",
        "store-migration",
        "store-busy",
        "store-io",
        "store-damaged",
        "store-head",
        "store-document",
        "store-vault",
        "store-unsupported",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent => "store-absent",
            Self::Foreign { .. } => "store-foreign",
            Self::Newer { .. } => "store-newer",
            Self::Migration { .. } => "store-migration",
            Self::Busy => "store-busy",
            Self::Io { .. } => "store-io",
            Self::Damaged { .. } => "store-damaged",
            Self::Head { .. } => "store-head",
            Self::Document { .. } => "store-document",
            Self::Vault { .. } => "store-vault",
            Self::Unsupported { .. } => "store-unsupported",
        }
    }

    pub(crate) fn damaged(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Damaged {
            place: place.into(),
            why: why.into(),
        }
    }
}
