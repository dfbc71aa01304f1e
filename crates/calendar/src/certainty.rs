//! How sure a figure or rule is.

use serde::{Deserialize, Serialize};

/// How sure a figure or rule is; part of every row of rule data.
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
}
