//! The chain of events: each names the digest of the rows that came with it and the event before it.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest as _;

use crate::error::StoreError;
use crate::sql::{Cells, Row, Rows, TABLES, Value};

/// The digest algorithm of a store: one for all of it, named in each event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alg {
    /// SHA-256 (FIPS 180-4).
    #[default]
    Sha256,
    /// SM3 (GB/T 32905, 国密杂凑算法).
    Sm3,
}

impl Alg {
    /// The name used in text forms: `sha256` or `sm3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        }
    }

    /// The digest of `bytes`, as `sha256:<64 hex>`.
    ///
    /// ```
    /// use quanfu_store::Alg;
    /// assert_eq!(
    ///     Alg::Sm3.digest(b"abc"),
    ///     "sm3:66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    /// );
    /// ```
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> String {
        match self {
            Self::Sha256 => written(self, &sha2::Sha256::digest(bytes)),
            Self::Sm3 => written(self, &sm3::Sm3::digest(bytes)),
        }
    }

    /// The keyed digest (HMAC) of `bytes`, as `sha256:<64 hex>`.
    pub(crate) fn keyed(self, key: &[u8], bytes: &[u8]) -> Result<String, StoreError> {
        let refuse = |_| StoreError::Vault {
            why: "the key cannot be used".to_owned(),
        };
        Ok(match self {
            Self::Sha256 => {
                let mac = Hmac::<sha2::Sha256>::new_from_slice(key).map_err(refuse)?;
                written(self, &mac.chain_update(bytes).finalize().into_bytes())
            }
            Self::Sm3 => {
                let mac = Hmac::<sm3::Sm3>::new_from_slice(key).map_err(refuse)?;
                written(self, &mac.chain_update(bytes).finalize().into_bytes())
            }
        })
    }
}

impl FromStr for Alg {
    type Err = StoreError;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "sha256" => Ok(Self::Sha256),
            "sm3" => Ok(Self::Sm3),
            _ => Err(StoreError::Document {
                why: format!("{name:?} is no digest of a store; sha256 or sm3 would be right"),
            }),
        }
    }
}

fn written(alg: Alg, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}:{hex}", alg.name())
}

/// Cells one after another, so that no two lists of cells have the same bytes.
#[derive(Default)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.0.push(b't');
        self.0.extend((text.len() as u64).to_be_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    pub(crate) fn int(&mut self, number: i64) -> &mut Self {
        self.0.push(b'i');
        self.0.extend(number.to_be_bytes());
        self
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(b'n'),
            Value::Int(number) => {
                self.int(*number);
            }
            Value::Text(text) => {
                self.text(text);
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The digest of the rows that come with an event.
pub(crate) fn content(alg: Alg, rows: &Rows) -> String {
    let mut frame = Frame::default();
    for (table, rows) in TABLES.iter().zip(&rows.0) {
        frame.text(table.name).int(rows.len() as i64);
        for row in rows {
            for value in row.iter().take(table.covered) {
                frame.value(value);
            }
        }
    }
    alg.digest(frame.bytes())
}

/// An event as it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Number, from 1 without gaps.
    pub seq: i64,
    /// When, as the caller said: `2026-03-02T09:00:00Z`.
    pub at: String,
    /// Who, as the caller said.
    pub by: String,
    /// `create`, `migrate`, `remember` or `purge`.
    pub act: String,
    /// Digest algorithm.
    pub alg: String,
    /// Digest of the rows that came with it.
    pub content: String,
    /// `hash` of the event before; empty for the first.
    pub prev: String,
    /// Digest of all of the above.
    pub hash: String,
}

impl Event {
    pub(crate) const INSERT: &'static str = "INSERT INTO audit (seq, at, by_whom, act, alg, content, prev, hash) \
                                             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    pub(crate) const SELECT: &'static str = "SELECT seq, at, by_whom, act, alg, content, prev, hash FROM audit \
                                             WHERE seq BETWEEN $1 AND $2 ORDER BY seq";
    pub(crate) const LAST: &'static str = "SELECT seq, at, by_whom, act, alg, content, prev, hash FROM audit \
                                           ORDER BY seq DESC LIMIT 1";

    pub(crate) fn read(row: Row) -> Result<Self, StoreError> {
        let mut cells = Cells::of(row);
        Ok(Self {
            seq: cells.int()?,
            at: cells.text()?,
            by: cells.text()?,
            act: cells.text()?,
            alg: cells.text()?,
            content: cells.text()?,
            prev: cells.text()?,
            hash: cells.text()?,
        })
    }

    pub(crate) fn sealed(mut self, alg: Alg) -> Self {
        self.hash = self.digest(alg);
        self
    }

    pub(crate) fn digest(&self, alg: Alg) -> String {
        let mut frame = Frame::default();
        frame.text("quanfu.store/1").int(self.seq);
        for text in [
            &self.at,
            &self.by,
            &self.act,
            &self.alg,
            &self.content,
            &self.prev,
        ] {
            frame.text(text);
        }
        alg.digest(frame.bytes())
    }

    pub(crate) fn row(&self) -> Row {
        let texts = [
            &self.at,
            &self.by,
            &self.act,
            &self.alg,
            &self.content,
            &self.prev,
            &self.hash,
        ];
        let texts = texts.into_iter().map(|text| text.as_str().into());
        std::iter::once(self.seq.into()).chain(texts).collect()
    }
}

/// How far a store has come; noted elsewhere, it shows a cut tail or a store written anew. Written `12:sha256:<64 hex>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last event.
    pub events: i64,
    /// Its hash.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.events, self.hash)
    }
}

impl FromStr for Head {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || StoreError::Document {
            why: format!("{text:?} is no head; what `store head` printed would be right"),
        };
        let (events, hash) = text.split_once(':').ok_or_else(wrong)?;
        let events = events.parse().map_err(|_| wrong())?;
        if events < 1 || !hash.contains(':') {
            return Err(wrong());
        }
        Ok(Self {
            events,
            hash: hash.to_owned(),
        })
    }
}
