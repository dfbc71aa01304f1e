//! CSV files, read by a declarative profile.

use quanfu_settlement::{Profile, Sink};

use crate::input::Input;
use crate::{Body, FileError, Options};

/// The profiles that come with quanfu.
pub(crate) fn shipped() -> &'static [Profile] {
    &[]
}

/// Whether the beginning of a file (its first 64 KiB, or all of it) is what the profile describes.
pub(crate) fn fits(_profile: &Profile, _first: &[u8]) -> bool {
    false
}

/// Reads a file by the profile in the options, which is always there.
pub(crate) fn read(
    input: &mut Input<'_>,
    _options: &Options<'_>,
    _sink: &mut dyn Sink,
) -> Result<Body, FileError> {
    Err(FileError::Unknown {
        file: input.name().to_owned(),
        begins: "CSV".to_owned(),
    })
}
