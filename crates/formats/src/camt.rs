//! camt
use quanfu_settlement::Sink;

use crate::input::Input;
use crate::{Body, FileError, Options};

pub(crate) fn read(
    input: &mut Input<'_>,
    _options: &Options<'_>,
    _sink: &mut dyn Sink,
) -> Result<Body, FileError> {
    Err(FileError::Unknown {
        file: input.name().to_owned(),
        begins: "camt".to_owned(),
    })
}
