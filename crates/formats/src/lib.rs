//! Bytes of settlement files to entries: one module per format, detected by content, read in one pass.
//!
//! [`read`] takes any [`std::io::Read`], finds out what it is (container, encoding, format), and hands every
//! record to a [`Sink`] together with its position and bytes. It returns an error only if the file as a whole is
//! not what it claims; a record that cannot be read is rejected and counted, and reading goes on.
//!
//! ```
//! use quanfu_formats::{Options, read_all};
//!
//! let file = ":20:DAY1\r\n:25:12345678\r\n:28C:1/1\r\n:60F:C260302CNY100,00\r\n\
//!             :61:2603020302C19,90NTRFA-1001//B77\r\n:62F:C260302CNY119,90\r\n-\r\n";
//! let reading = read_all("bank.sta", file.as_bytes(), &Options::default())?;
//! let statement = &reading.files[0].statements[0];
//! assert_eq!(statement.entries[0].money().unwrap().to_string(), "19.90 CNY");
//! assert!(statement.tail.proofs.iter().all(|proof| !proof.fails()));
//! # Ok::<(), quanfu_formats::FileError>(())
//! ```

pub mod camt;
mod container;
pub mod csv;
pub mod detect;
mod encoding;
mod error;
mod guard;
mod input;
pub mod mt940;

use std::io::Read;

pub use error::{FileError, REJECTED_CODES};
use quanfu_settlement::{DigestAlg, Limits, Profile, Proof, Reading, ReadingBuilder, Sink};

/// How a file is read.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Stops at the first finding, rejected record or failing proof, with [`FileError::Strict`].
    pub strict: bool,
    /// Reads a CSV file by this profile, whatever its content looks like.
    pub profile: Option<&'a Profile>,
    /// Further profiles that detection may choose from, before the shipped ones.
    pub profiles: &'a [Profile],
    /// The bounds.
    pub limits: Limits,
    /// Digest algorithm of files.
    pub digest: DigestAlg,
}

impl Default for Options<'_> {
    /// Lenient, detected by content, shipped profiles, default limits, BLAKE3.
    fn default() -> Self {
        Self {
            strict: false,
            profile: None,
            profiles: &[],
            limits: Limits::default(),
            digest: DigestAlg::Blake3,
        }
    }
}

/// What a format's reader knows of its file at the end; the digest is added outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    /// Format, as in `FileHead`.
    pub format: String,
    /// Encoding, as in `FileHead`.
    pub encoding: String,
    /// What the file is apart from its bytes, or empty.
    pub identity: String,
    /// Proofs of the file as a whole.
    pub proofs: Vec<Proof>,
    /// Records by the reader's own count of record markers.
    pub records: u64,
    /// Records handed over as entries.
    pub entries: u64,
    /// Records handed over as rejected.
    pub rejected: u64,
}

/// Reads a file of any known format.
///
/// # Errors
///
/// [`FileError`] if the file as a whole is not what it claims, breaks a limit, or (with `strict`) is not faultless.
pub fn read(
    name: &str,
    input: impl Read,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> Result<(), FileError> {
    container::read(name, input, options, sink)
}

/// Reads a file into memory.
///
/// # Errors
///
/// As [`read`].
pub fn read_all(name: &str, input: impl Read, options: &Options<'_>) -> Result<Reading, FileError> {
    let mut builder = ReadingBuilder::new();
    read(name, input, options, &mut builder)?;
    Ok(builder.finish())
}

/// The profiles that come with quanfu.
#[must_use]
pub fn shipped_profiles() -> &'static [Profile] {
    csv::shipped()
}

/// The text of a record's bytes for people to see, in the encoding that its file was read in: printable, what is no
/// text replaced, cut after 2,000 characters.
#[must_use]
pub fn shown_text(raw: &[u8], encoding: &str) -> String {
    let named = encoding_rs::Encoding::for_label(encoding.as_bytes());
    let (text, _) = named
        .unwrap_or(encoding_rs::UTF_8)
        .decode_without_bom_handling(raw);
    encoding::escaped(&text, 2_000)
}
