//! Digests of files, records and documents.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// Which digest algorithm made a [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DigestAlg {
    /// SHA-256 (FIPS 180-4): records and documents.
    Sha256,
    /// BLAKE3: bulk files, the default there (`b3sum` in distributions checks it).
    Blake3,
}

impl DigestAlg {
    /// The name used in text forms: `sha256` or `blake3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
        }
    }
}

impl FromStr for DigestAlg {
    type Err = DigestError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "sha256" => Ok(Self::Sha256),
            "blake3" => Ok(Self::Blake3),
            _ => Err(DigestError { text: s.to_owned() }),
        }
    }
}

/// A text that is not `sha256:<64 hex>` or `blake3:<64 hex>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a digest: `sha256:` or `blake3:` and 64 lower-case hex digits would be right"
)]
pub struct DigestError {
    /// The text found.
    pub text: String,
}

/// A digest with its algorithm; written `blake3:<64 lower-case hex digits>`.
///
/// ```
/// use quanfu_settlement::{Digest, DigestAlg};
/// let digest = Digest::of(DigestAlg::Sha256, b"");
/// assert_eq!(digest.to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    /// The algorithm.
    pub alg: DigestAlg,
    /// The 32 bytes.
    pub bytes: [u8; 32],
}

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(alg: DigestAlg, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(alg);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In one piece: a key run writes eight thousand digests.
        let mut hex = [0; 64];
        for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(self.bytes) {
            *pair = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        }
        f.write_str(self.alg.name())?;
        f.write_str(":")?;
        f.write_str(std::str::from_utf8(&hex).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let bad = || DigestError { text: s.to_owned() };
        let (alg, hex) = s.split_once(':').ok_or_else(bad)?;
        let alg = alg.parse().map_err(|_| bad())?;
        let hex = hex.as_bytes();
        let mut bytes = [0u8; 32];
        if hex.len() != 64 {
            return Err(bad());
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let digit = |c: u8| match c {
                b'0'..=b'9' => Ok(c - b'0'),
                b'a'..=b'f' => Ok(c - b'a' + 10),
                _ => Err(bad()),
            };
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self { alg, bytes })
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A digest in the making.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(sha2::Sha256),
    Blake3(Box<blake3::Hasher>),
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hasher").field(&self.alg()).finish()
    }
}

impl Hasher {
    /// An empty digest in the making.
    #[must_use]
    pub fn new(alg: DigestAlg) -> Self {
        Self(match alg {
            DigestAlg::Sha256 => State::Sha256(sha2::Sha256::new()),
            DigestAlg::Blake3 => State::Blake3(Box::new(blake3::Hasher::new())),
        })
    }

    /// Which algorithm runs here.
    #[must_use]
    pub fn alg(&self) -> DigestAlg {
        match self.0 {
            State::Sha256(_) => DigestAlg::Sha256,
            State::Blake3(_) => DigestAlg::Blake3,
        }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Blake3(state) => {
                state.update(bytes);
            }
        }
    }

    /// The digest of all bytes taken in.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest {
                alg: DigestAlg::Sha256,
                bytes: state.finalize().into(),
            },
            State::Blake3(state) => Digest {
                alg: DigestAlg::Blake3,
                bytes: *state.finalize().as_bytes(),
            },
        }
    }
}

/// Takes in all that is written; no write fails.
impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
