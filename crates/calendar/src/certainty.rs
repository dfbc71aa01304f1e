//! How sure a figure or rule is.

use serde::{Deserialize, Serialize};

/// How sure a figure or rule is; part of every row of rule data. The order goes from sure to not sure, so that the
/// greatest of several is that of a figure made from all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Read in its source.
    Certain,
    /// Likely, by evidence that the source names.
    Probable,
    /// Not confirmed.
    Unsure,
    /// Made up to show how something works.
    Illustrative,
}

impl Certainty {
    /// All, from sure to not sure.
    pub const ALL: [Self; 4] = [
        Self::Certain,
        Self::Probable,
        Self::Unsure,
        Self::Illustrative,
    ];

    /// The name used in text forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Probable => "probable",
            Self::Unsure => "unsure",
            Self::Illustrative => "illustrative",
        }
    }

    /// The certainty of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}
