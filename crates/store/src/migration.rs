//! The steps of the schema: forward only, each with the digest of its text, each with the event that it came with.

use quanfu_settlement::{Digest, DigestAlg};

use crate::error::StoreError;
use crate::sql::{Cells, Row, Sql};

/// A step of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// The rows of steps that are not there yet.
pub(crate) fn missing(sql: &mut dyn Sql, seq: i64) -> Result<Vec<Row>, StoreError> {
    let known = sql.migrations();
    let is_new = sql.is_new()?;
    let done = if is_new { 0 } else { applied(sql)? };
    if done == 0 && !is_new {
        let why = "it is missing, and what it makes is there".to_owned();
        return Err(StoreError::Migration { version: 1, why });
    }
    let numbered = (1..)
        .zip(known)
        .skip(usize::try_from(done).unwrap_or(usize::MAX));
    let mut rows = Vec::new();
    for (version, step) in numbered {
        sql.script(step.sql)?;
        sql.mark(version)?;
        rows.push(vec![
            seq.into(),
            version.into(),
            step.name.into(),
            digest(step).into(),
        ]);
    }
    Ok(rows)
}

/// How many steps are there; an error if one of them is not ours.
pub(crate) fn applied(sql: &mut dyn Sql) -> Result<i64, StoreError> {
    let known = sql.migrations();
    let rows = sql.query(
        "SELECT version, name, digest FROM migration ORDER BY version",
        &[],
    )?;
    let found = rows.len() as i64;
    for (number, row) in (1..).zip(rows) {
        let mut cells = Cells::of(row);
        let (version, name, found_digest) = (cells.int()?, cells.text()?, cells.text()?);
        let wrong = |why: String| StoreError::Migration {
            version: number,
            why,
        };
        if version != number {
            return Err(wrong(format!("it is missing; {version} is there")));
        }
        let Some(step) = usize::try_from(number - 1)
            .ok()
            .and_then(|at| known.get(at))
        else {
            return Err(StoreError::Newer {
                found,
                known: known.len() as i64,
            });
        };
        if name != step.name || found_digest != digest(step) {
            return Err(wrong(format!(
                "the store was made with another step {name:?}"
            )));
        }
    }
    Ok(found)
}

fn digest(step: &Migration) -> String {
    Digest::of(DigestAlg::Sha256, step.sql.as_bytes()).to_string()
}
