//! A declarative profile of a CSV file: `quanfu.profile/1`, a TOML document parsed into inert values.

/// How one kind of CSV file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as rules refer to it.
    pub name: String,
    /// The document as it was parsed, verbatim.
    pub text: String,
}
