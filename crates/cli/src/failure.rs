//! Why a command could not do what it was asked, and the exit code that says so.

use std::path::Path;

use quanfu::DayError;
use quanfu::formats::FileError;
use quanfu::recon::ReconError;
use quanfu::settlement::rules::RulesError;
use quanfu::settlement::{DecisionError, ProfileError};
use quanfu::store::StoreError;

/// Nothing open.
pub const FINE: u8 = 0;
/// Open items.
pub const OPEN: u8 = 1;
/// Wrong usage or rules.
pub const USAGE: u8 = 2;
/// An input cannot be trusted.
pub const UNTRUSTED: u8 = 3;
/// Could not run.
pub const BROKEN: u8 = 4;

/// The graver of two exit codes: 4 before 2 before 3 before 1.
pub fn graver(a: u8, b: u8) -> u8 {
    let weight = |code: u8| match code {
        BROKEN => 4,
        USAGE => 3,
        UNTRUSTED => 2,
        OPEN => 1,
        _ => 0,
    };
    if weight(b) > weight(a) { b } else { a }
}

/// A command that cannot go on.
#[derive(Debug)]
pub struct Failure {
    /// Stable code, for `explain`.
    pub code: &'static str,
    /// Where and what.
    pub message: String,
    /// Why, innermost last.
    pub causes: Vec<String>,
    /// Exit code.
    pub exit: u8,
}

impl Failure {
    pub fn new(code: &'static str, exit: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            causes: Vec::new(),
            exit,
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", USAGE, message)
    }

    /// A file that cannot be opened or read.
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        let message = format!("{}: cannot be read", path.display());
        Self::new("file-io", BROKEN, message).because(error)
    }

    /// A file that cannot be written.
    pub fn output(path: &Path, error: &std::io::Error) -> Self {
        let message = format!("{}: cannot be written", path.display());
        Self::new("output", BROKEN, message).because(error)
    }

    fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    pub fn rules(path: &Path, error: &RulesError) -> Self {
        Self::new(error.code(), USAGE, format!("{}: {error}", path.display()))
    }

    pub fn profile(path: &Path, error: &ProfileError) -> Self {
        Self::new(error.code(), USAGE, format!("{}: {error}", path.display()))
    }

    /// What was asked for cannot be had.
    pub fn refused(code: &'static str, error: &dyn std::error::Error) -> Self {
        let failure = Self::new(code, USAGE, error.to_string());
        match error.source() {
            Some(source) => failure.because(source),
            None => failure,
        }
    }

    /// A log of decisions that is not as it must be.
    pub fn decisions(path: &Path, error: &DecisionError) -> Self {
        let message = format!("{}: {error}", path.display());
        Self::new(error.code(), UNTRUSTED, message)
    }

    /// A store that cannot be opened, read or written, or is not as it was written.
    pub fn store(place: &str, error: &StoreError) -> Self {
        let exit = match error {
            StoreError::Busy | StoreError::Io { .. } => BROKEN,
            StoreError::Newer { .. }
            | StoreError::Migration { .. }
            | StoreError::Damaged { .. }
            | StoreError::Head { .. } => UNTRUSTED,
            _ => USAGE,
        };
        let place = crate::command::store::shown(place);
        Self::new(error.code(), exit, format!("{place}: {error}"))
    }

    pub fn file(error: &FileError) -> Self {
        let exit = match error {
            FileError::Io { .. } => BROKEN,
            FileError::SeveralProfiles { .. } => USAGE,
            _ => UNTRUSTED,
        };
        let failure = Self::new(error.code(), exit, error.to_string());
        match std::error::Error::source(error) {
            Some(source) => failure.because(source),
            None => failure,
        }
    }

    pub fn day(error: &DayError) -> Self {
        if let DayError::File(error) = error {
            return Self::file(error);
        }
        let exit = match error {
            DayError::UnknownSource { .. }
            | DayError::UnknownProfile { .. }
            | DayError::UnknownCalendar { .. }
            | DayError::RateFile { .. }
            | DayError::RateTable { .. } => USAGE,
            DayError::SameFile { .. } => USAGE,
            DayError::Io(_) => BROKEN,
            DayError::Recon(error) => match error {
                ReconError::TooLarge { .. } | ReconError::Cancelled => BROKEN,
                _ => USAGE,
            },
            _ => UNTRUSTED,
        };
        let failure = Self::new(error.code(), exit, error.to_string());
        match std::error::Error::source(error) {
            Some(source) => failure.because(source),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_exit_codes_the_gravest_stays() {
        let order = [FINE, OPEN, UNTRUSTED, USAGE, BROKEN];
        for (a_rank, &a) in order.iter().enumerate() {
            for (b_rank, &b) in order.iter().enumerate() {
                assert_eq!(graver(a, b), order[a_rank.max(b_rank)]);
            }
        }
    }
}
