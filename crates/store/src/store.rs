//! [`Store`]: open, remember, ask, purge.

use std::collections::BTreeSet;
use std::path::Path;

use quanfu_calendar::Date;
use quanfu_settlement::decision;

use crate::audit::{self, Audited};
use crate::chain::{self, Alg, Event, Frame, Head};
use crate::document::Document;
use crate::error::StoreError;
use crate::migration;
use crate::personal::{self, Guard, Hidden, Kept, Key, Vault};
use crate::sql::{Cells, Row, Rows, Sql, TABLES, Value};
use crate::sqlite::Sqlite;

/// Who writes, and when; both are what the caller says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    by: String,
    at: String,
}

impl Stamp {
    /// A name and a time such as `2026-03-02T09:00:00Z`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Document`] if one of them is none.
    pub fn new(by: &str, at: &str) -> Result<Self, StoreError> {
        let wrong = |why| StoreError::Document { why };
        decision::person(by).map_err(wrong)?;
        if !decision::is_time(at) {
            let why = format!("{at:?}: a time such as 2026-03-02T09:00:00Z would be right");
            return Err(wrong(why));
        }
        Ok(Self {
            by: by.to_owned(),
            at: at.to_owned(),
        })
    }
}

/// What came of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The event that it came with.
    pub seq: i64,
    /// Its digest in the store: that of its text, if it holds no personal values.
    pub digest: String,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// A document as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The event that it came with.
    pub seq: i64,
    /// Its digest in the store.
    pub digest: String,
    /// Its schema.
    pub schema: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// Its day.
    pub day: Option<String>,
    /// Who remembered it.
    pub by: String,
    /// When.
    pub at: String,
}

/// A position that is open: its result is not superseded, and, if it is carried, no later result took it in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenItem {
    /// Earliest accounting day of its records.
    pub since: Option<String>,
    /// The edge.
    pub edge: String,
    /// Its name.
    pub fingerprint: String,
    /// `break`, `ambiguous`, `suggested` or `carried`.
    pub outcome: String,
    /// Its code.
    pub code: Option<String>,
    /// Until when it may be carried.
    pub due: Option<String>,
    /// How many records.
    pub records: i64,
    /// Their currency.
    pub currency: Option<String>,
    /// Right minus left, where both sides have records.
    pub difference: Option<String>,
    /// Business day of its result.
    pub day: Option<String>,
    /// `certificate.body` of its result.
    pub result: String,
    /// Decisions that speak of it: act, kind where it is a proposal, and who.
    pub decisions: Vec<String>,
}

/// What a purge erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// Documents with values that were erased.
    pub documents: usize,
    /// Values erased.
    pub values: usize,
}

/// A store (存证库) that is open. One process may have several; writers wait for each other.
#[derive(Debug)]
pub struct Store {
    sql: Box<dyn Sql>,
    alg: Alg,
    guard: Guard,
    /// Set when a commit failed: whether it took place is not known until the store is opened anew.
    in_doubt: bool,
}

impl Store {
    /// Opens a store that is there. One that may only be read, a copy on a sealed disk for instance, is read without
    /// writing anything beside it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Absent`], [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Migration`] if its schema is
    /// not ours or is older, [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::over(Box::new(Sqlite::open(path, false)?))
    }

    /// Opens a store, making it if there is none, and bringing its schema up to date. `alg` counts for a new one.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`], but for [`StoreError::Absent`].
    pub fn create(path: &Path, alg: Alg, stamp: &Stamp) -> Result<Self, StoreError> {
        Self::made(Box::new(Sqlite::open(path, true)?), alg, stamp)
    }

    /// Opens a store in a PostgreSQL database, such as `postgres://user@host/name`; it stands in the first schema of
    /// `search_path`.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    #[cfg(feature = "postgres")]
    pub fn open_postgres(url: &str) -> Result<Self, StoreError> {
        Self::over(Box::new(crate::postgres::Postgres::open(url)?))
    }

    /// Opens a store in a PostgreSQL database, making it if there is none.
    ///
    /// # Errors
    ///
    /// As for [`Store::create`].
    #[cfg(feature = "postgres")]
    pub fn create_postgres(url: &str, alg: Alg, stamp: &Stamp) -> Result<Self, StoreError> {
        Self::made(Box::new(crate::postgres::Postgres::open(url)?), alg, stamp)
    }

    pub(crate) fn over(mut sql: Box<dyn Sql>) -> Result<Self, StoreError> {
        if sql.is_new()? {
            return Err(StoreError::Absent);
        }
        let version = migration::applied(&mut *sql)?;
        if version < sql.migrations().len() as i64 {
            let why = "it is missing; writing to the store adds it".to_owned();
            return Err(StoreError::Migration {
                version: version + 1,
                why,
            });
        }
        let alg = alg_of(&last(&mut *sql)?)?;
        Ok(Self {
            sql,
            alg,
            guard: Guard::default(),
            in_doubt: false,
        })
    }

    pub(crate) fn made(sql: Box<dyn Sql>, alg: Alg, stamp: &Stamp) -> Result<Self, StoreError> {
        let mut store = Self {
            sql,
            alg,
            guard: Guard::default(),
            in_doubt: false,
        };
        store.write(|store| {
            let before = if store.sql.is_new()? {
                None
            } else {
                Some(last(&mut *store.sql)?)
            };
            if let Some(last) = &before {
                store.alg = alg_of(last)?;
            }
            let mut rows = Rows::default();
            let seq = before.as_ref().map_or(0, |last| last.seq) + 1;
            rows.0[Rows::MIGRATION] = migration::missing(&mut *store.sql, seq)?;
            if !rows.0[Rows::MIGRATION].is_empty() {
                let act = if before.is_some() {
                    "migrate"
                } else {
                    "create"
                };
                store.append(before.as_ref(), act, &rows, stamp)?;
            }
            Ok(())
        })?;
        Ok(store)
    }

    /// Gives the key of keyed digests, which documents with personal values need.
    #[must_use]
    pub fn keyed(mut self, key: Key) -> Self {
        self.guard.key = Some(key);
        self
    }

    /// Gives the place where whole personal values are kept.
    #[must_use]
    pub fn guarded(mut self, vault: Box<dyn Vault + Send>) -> Self {
        self.guard.vault = Some(vault);
        self
    }

    /// The digest algorithm of this store.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// Takes documents in, each with its event, all in one transaction. Once this returns, they are on the disk. A
    /// document that is there already changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing was taken in then. After [`StoreError::Io`] whether it was shows when the store is opened
    /// anew; remembering again is always right.
    pub fn remember(
        &mut self,
        documents: &[Document],
        stamp: &Stamp,
    ) -> Result<Vec<Remembered>, StoreError> {
        self.write(|store| {
            let mut last = last(&mut *store.sql)?;
            let mut done = Vec::with_capacity(documents.len());
            for document in documents {
                let hidden = personal::hide(&document.text, &document.personal)?;
                let (rows, digest, kept) = store.rows(document, &hidden, last.seq + 1)?;
                let known = store.sql.query(
                    "SELECT seq FROM document WHERE digest = $1",
                    &[digest.as_str().into()],
                )?;
                if let Some(row) = known.into_iter().next() {
                    let seq = Cells::of(row).int()?;
                    done.push(Remembered {
                        seq,
                        digest,
                        is_new: false,
                    });
                    continue;
                }
                // not before it is known to be new: a vault must not get back what was purged
                if let Some(vault) = &mut store.guard.vault {
                    for (kept, (_, value)) in kept.iter().zip(&hidden.values) {
                        let kept = vault.keep(&kept.hmac, value);
                        kept.map_err(|why| StoreError::Vault { why })?;
                    }
                }
                last = store.append(Some(&last), "remember", &rows, stamp)?;
                done.push(Remembered {
                    seq: last.seq,
                    digest,
                    is_new: true,
                });
            }
            Ok(done)
        })
    }

    /// How far the store has come; note it elsewhere.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn head(&mut self) -> Result<Head, StoreError> {
        let last = last(&mut *self.sql)?;
        Ok(Head {
            events: last.seq,
            hash: last.hash,
        })
    }

    /// Looks whether the engine is whole, the tables are ours and the chain has no gap. [`Store::audit`] also reads every
    /// row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] with the first thing that is wrong.
    pub fn check(&mut self) -> Result<Audited, StoreError> {
        self.read(|store| audit::run(&mut *store.sql, store.alg, false))
    }

    /// Derives the chain and the digest of every row anew; with a head that was noted earlier, also whether the store
    /// goes on from it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] with the first event or table that is wrong; [`StoreError::Head`].
    pub fn audit(&mut self, noted: Option<&Head>) -> Result<Audited, StoreError> {
        self.read(|store| {
            let audited = audit::run(&mut *store.sql, store.alg, true)?;
            if let Some(noted) = noted {
                audit::goes_on(&mut *store.sql, noted)?;
            }
            Ok(audited)
        })
    }

    /// The events, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn events(&mut self) -> Result<Vec<Event>, StoreError> {
        let rows = self
            .sql
            .query(Event::SELECT, &[1.into(), i64::MAX.into()])?;
        rows.into_iter().map(Event::read).collect()
    }

    /// All documents, in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn documents(&mut self) -> Result<Vec<Listed>, StoreError> {
        const SQL: &str = "SELECT d.seq, d.digest, d.schema_name, d.name, d.day, a.by_whom, a.at \
                           FROM document d JOIN audit a ON a.seq = d.seq ORDER BY d.seq";
        let listed = |row| {
            let mut cells = Cells::of(row);
            Ok(Listed {
                seq: cells.int()?,
                digest: cells.text()?,
                schema: cells.text()?,
                name: cells.text()?,
                day: cells.optional()?,
                by: cells.text()?,
                at: cells.text()?,
            })
        };
        self.sql.query(SQL, &[])?.into_iter().map(listed).collect()
    }

    /// Everything open, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn open_items(&mut self) -> Result<Vec<OpenItem>, StoreError> {
        const OPEN: &str = "SELECT p.since, p.edge, p.fingerprint, p.outcome, p.code, p.due, p.records, p.currency, \
            p.difference, d.day, d.name FROM position p JOIN document d ON d.seq = p.seq \
            WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.kind = 'supersedes' AND l.target = d.name) \
            AND NOT (p.outcome = 'carried' AND EXISTS (SELECT 1 FROM link l JOIN document f ON f.seq = l.seq \
            WHERE l.kind = 'after' AND l.target = d.name AND NOT EXISTS \
            (SELECT 1 FROM link s WHERE s.kind = 'supersedes' AND s.target = f.name)))";
        const DECIDED: &str = "SELECT a.act, p.kind, a.by_whom FROM link l JOIN decision p ON p.seq = l.seq \
            JOIN decision a ON a.id = p.id WHERE l.kind = 'position' AND l.target = $1 AND l.label = $2 ORDER BY a.seq";
        let mut items = self.read(|store| {
            let mut items = Vec::new();
            for row in store.sql.query(OPEN, &[])? {
                let mut cells = Cells::of(row);
                items.push(OpenItem {
                    since: cells.optional()?,
                    edge: cells.text()?,
                    fingerprint: cells.text()?,
                    outcome: cells.text()?,
                    code: cells.optional()?,
                    due: cells.optional()?,
                    records: cells.int()?,
                    currency: cells.optional()?,
                    difference: cells.optional()?,
                    day: cells.optional()?,
                    result: cells.text()?,
                    decisions: Vec::new(),
                });
            }
            for item in &mut items {
                let about = [item.fingerprint.as_str().into(), item.edge.as_str().into()];
                for row in store.sql.query(DECIDED, &about)? {
                    let mut cells = Cells::of(row);
                    let (act, kind, by) = (cells.text()?, cells.optional()?, cells.text()?);
                    item.decisions
                        .push(format!("{act} {} {by}", kind.unwrap_or_default()));
                }
            }
            Ok(items)
        })?;
        items.sort();
        Ok(items)
    }

    /// A document by its digest or name; personal values masked, erased ones as `*`. The latest of several of one name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Document`] if there is none; [`StoreError::Io`].
    pub fn document(&mut self, digest_or_name: &str) -> Result<String, StoreError> {
        let (body, personal) = self.read(|store| store.body(digest_or_name))?;
        personal::show(&body, |n| {
            let kept = personal.get(n).cloned().flatten();
            Ok(kept.map_or("*".to_owned(), |kept| kept.masked))
        })
    }

    /// A document with its personal values, from the vault. One that holds none, or that quanfu wrote, has the same bytes
    /// as then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Vault`] if it holds some and there is no vault, or it no longer has a value.
    pub fn whole(&mut self, digest_or_name: &str) -> Result<String, StoreError> {
        let (body, personal) = self.read(|store| store.body(digest_or_name))?;
        let refuse = |why: &str| StoreError::Vault {
            why: why.to_owned(),
        };
        personal::show(&body, |n| {
            let vault = self
                .guard
                .vault
                .as_ref()
                .ok_or_else(|| refuse("there is no vault"))?;
            let kept = personal.get(n).cloned().flatten();
            let kept = kept.ok_or_else(|| refuse("a value was erased"))?;
            let value = vault
                .value(&kept.hmac)
                .map_err(|why| StoreError::Vault { why })?;
            value.ok_or_else(|| refuse("the vault does not have a value"))
        })
    }

    /// Erases the personal values of documents that are retained until `until` or a day before it: mask, keyed digest and
    /// salt here, the value in the vault. The chain still holds. Copies and noted values elsewhere are not reached.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing was erased here then. [`StoreError::Busy`] after the erasure if a reader keeps the journal
    /// from being cut: purge again.
    pub fn purge(&mut self, until: Date, stamp: &Stamp) -> Result<Purged, StoreError> {
        const DUE: &str = "SELECT p.seq, p.n, p.hmac FROM personal p JOIN document d ON d.seq = p.seq \
                           WHERE p.salt IS NOT NULL AND d.retained_until <= $1 ORDER BY p.seq, p.n";
        const OTHERS: &str = "SELECT count(*) FROM personal p JOIN document d ON d.seq = p.seq \
                              WHERE p.hmac = $1 AND (d.retained_until IS NULL OR d.retained_until > $2)";
        const ERASE: &str =
            "UPDATE personal SET masked = NULL, hmac = NULL, salt = NULL WHERE seq = $1 AND n = $2";
        let until = until.to_string();
        let purged = self.write(|store| {
            let last = last(&mut *store.sql)?;
            let mut rows = Rows::default();
            let mut documents = BTreeSet::new();
            for (n, row) in (0..).zip(store.sql.query(DUE, &[until.as_str().into()])?) {
                let mut cells = Cells::of(row);
                let (document, place, token) = (cells.int()?, cells.int()?, cells.text()?);
                let others = store
                    .sql
                    .query(OTHERS, &[token.as_str().into(), until.as_str().into()])?;
                if let (Some(vault), true) = (&mut store.guard.vault, others == [[Value::Int(0)]]) {
                    vault
                        .forget(&token)
                        .map_err(|why| StoreError::Vault { why })?;
                }
                store.sql.execute(ERASE, &[document.into(), place.into()])?;
                documents.insert(document);
                rows.0[Rows::PURGED].push(vec![
                    (last.seq + 1).into(),
                    n.into(),
                    document.into(),
                    place.into(),
                ]);
            }
            let values = rows.0[Rows::PURGED].len();
            if values > 0 {
                store.append(Some(&last), "purge", &rows, stamp)?;
            }
            Ok(Purged {
                documents: documents.len(),
                values,
            })
        })?;
        self.sql.scrub()?;
        Ok(purged)
    }

    /// Makes a whole copy while others go on writing, and audits it. The copy is a store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Document`] if its place is taken, [`StoreError::Unsupported`] for a shared database.
    pub fn backup(&mut self, to: &Path) -> Result<Audited, StoreError> {
        self.sql.backup(to)?;
        Self::open(to)?.audit(None)
    }

    /// Runs a transaction that writes.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.in_doubt {
            let why = "an earlier write failed; open the store anew".to_owned();
            return Err(StoreError::Io { why });
        }
        self.sql.begin(true)?;
        let done = match work(self) {
            Ok(done) => done,
            Err(error) => {
                self.sql.rollback();
                return Err(error);
            }
        };
        if let Err(error) = self.sql.commit() {
            self.sql.rollback();
            self.in_doubt = true;
            return Err(error);
        }
        Ok(done)
    }

    /// Runs a transaction that sees one state.
    fn read<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.sql.begin(false)?;
        let done = work(self);
        self.sql.rollback();
        done
    }

    /// The next event, with its rows.
    fn append(
        &mut self,
        before: Option<&Event>,
        act: &str,
        rows: &Rows,
        stamp: &Stamp,
    ) -> Result<Event, StoreError> {
        let event = Event {
            seq: before.map_or(0, |last| last.seq) + 1,
            at: stamp.at.clone(),
            by: stamp.by.clone(),
            act: act.to_owned(),
            alg: self.alg.name().to_owned(),
            content: chain::content(self.alg, rows),
            prev: before.map_or_else(String::new, |last| last.hash.clone()),
            hash: String::new(),
        }
        .sealed(self.alg);
        let cells = rows.0.iter().flatten().flatten();
        if cells
            .into_iter()
            .any(|cell| matches!(cell, Value::Text(text) if text.contains('\0')))
        {
            let why = "a name in the document holds the character U+0000".to_owned();
            return Err(StoreError::Document { why });
        }
        self.sql.execute(Event::INSERT, &event.row())?;
        for (table, rows) in TABLES.iter().zip(&rows.0) {
            for row in rows {
                self.sql.execute(table.insert, row)?;
            }
        }
        Ok(event)
    }

    /// The rows of a document, its digest, and what is kept of its personal values.
    fn rows(
        &mut self,
        document: &Document,
        hidden: &Hidden,
        seq: i64,
    ) -> Result<(Rows, String, Vec<Kept>), StoreError> {
        let mut kept = Vec::new();
        let mut rows = Rows::default();
        let mut digest = self.alg.digest(document.text.as_bytes());
        if !hidden.values.is_empty() {
            let key = self.guard.key.as_ref().ok_or_else(|| StoreError::Vault {
                why: format!(
                    "the document holds {} personal values, and there is no key",
                    hidden.values.len()
                ),
            })?;
            kept = personal::kept(&hidden.values, key, self.alg)?;
            // The digest of the text itself would let guesses be tried without the key.
            let mut frame = Frame::default();
            frame.text(&hidden.body);
            for (n, kept) in (0..).zip(&kept) {
                frame.text(&kept.kind).text(&kept.masked).text(&kept.hmac);
                rows.0[Rows::PERSONAL].push(kept.row(seq, n, self.alg, &mut *self.sql)?);
            }
            digest = self.alg.digest(frame.bytes());
        }
        let day = |day: Option<Date>| Value::from(day.map(|day| day.to_string()));
        rows.0[Rows::DOCUMENT].push(vec![
            seq.into(),
            digest.as_str().into(),
            document.schema.as_str().into(),
            document.name().into(),
            day(document.day),
            day(document.retained_until),
            hidden.body.as_str().into(),
        ]);
        let numbered = |(n, row): (i64, &Row)| {
            [seq.into(), n.into()]
                .into_iter()
                .chain(row.iter().cloned())
                .collect()
        };
        rows.0[Rows::LINK] = (0..).zip(&document.links).map(numbered).collect();
        rows.0[Rows::POSITION] = (0..).zip(&document.positions).map(numbered).collect();
        let decision = document.decision.iter();
        rows.0[Rows::DECISION] = decision
            .map(|row| {
                std::iter::once(seq.into())
                    .chain(row.iter().cloned())
                    .collect()
            })
            .collect();
        Ok((rows, digest, kept))
    }

    /// A document's body with marks, and what its marks stand for.
    fn body(&mut self, asked: &str) -> Result<(String, Vec<Option<Kept>>), StoreError> {
        // a digest names one document, whatever another may call itself
        const BODY: &str = "SELECT seq, body FROM document WHERE digest = $1 OR name = $2 \
                            ORDER BY CASE WHEN digest = $3 THEN 0 ELSE 1 END, seq DESC LIMIT 1";
        const KEPT: &str = "SELECT kind, masked, hmac FROM personal WHERE seq = $1 ORDER BY n";
        let found = self
            .sql
            .query(BODY, &[asked.into(), asked.into(), asked.into()])?;
        let row = found
            .into_iter()
            .next()
            .ok_or_else(|| StoreError::Document {
                why: format!("the store has no document {asked:?}"),
            })?;
        let mut cells = Cells::of(row);
        let (seq, body) = (cells.int()?, cells.text()?);
        let mut personal = Vec::new();
        for row in self.sql.query(KEPT, &[seq.into()])? {
            let mut cells = Cells::of(row);
            let (kind, masked, hmac) = (cells.text()?, cells.optional()?, cells.optional()?);
            personal.push(
                masked
                    .zip(hmac)
                    .map(|(masked, hmac)| Kept { kind, masked, hmac }),
            );
        }
        Ok((body, personal))
    }
}

fn alg_of(event: &Event) -> Result<Alg, StoreError> {
    let why = "it names no digest algorithm of quanfu";
    let damaged = |_| StoreError::damaged(format!("event {}", event.seq), why);
    event.alg.parse().map_err(damaged)
}

/// The last event.
fn last(sql: &mut dyn Sql) -> Result<Event, StoreError> {
    let rows = sql.query(Event::LAST, &[])?;
    let row = rows.into_iter().next();
    row.map_or_else(
        || Err(StoreError::damaged("table audit", "it is empty")),
        Event::read,
    )
}
