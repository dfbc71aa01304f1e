//! SQLite, in a file: write-ahead log, and a commit waits until the disk has it.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::StoreError;
use crate::migration::Migration;
use crate::sql::{Row, Sql, Value};

/// `qfst`, so that `file` and other programs can tell what it is.
const APPLICATION: i64 = 0x7166_7374;

/// How long a writer waits for the others.
const WAIT: Duration = Duration::from_secs(10);

static MIGRATIONS: &[Migration] = &[Migration {
    name: "first",
    sql: include_str!("../migrations/sqlite/0001_first.sql"),
}];

#[derive(Debug)]
pub(crate) struct Sqlite {
    connection: Connection,
    migrations: &'static [Migration],
    /// Nobody writes to it, so it needs no log.
    sealed: bool,
}

impl Sqlite {
    /// Opens a file; makes it if `create` is set.
    pub(crate) fn open(path: &Path, create: bool) -> Result<Self, StoreError> {
        Self::open_with(path, create, MIGRATIONS)
    }

    pub(crate) fn open_with(
        path: &Path,
        create: bool,
        migrations: &'static [Migration],
    ) -> Result<Self, StoreError> {
        if create {
            // the journals get the rights of the file
            make(path).map_err(io)?;
        } else if !path.exists() {
            return Err(StoreError::Absent);
        }
        if let (false, Err(error)) = (create, OpenOptions::new().append(true).open(path)) {
            return match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    Self::only_read(path, migrations)
                }
                _ => Err(io(error)),
            };
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(refused)?;
        connection.busy_timeout(WAIT).map_err(refused)?;
        let mut store = Self {
            connection,
            migrations,
            sealed: false,
        };
        if store.is_new()? && !create {
            return Err(foreign("it is empty"));
        }
        store.set()?;
        store.write_ahead()?;
        match store.settings()?.first() {
            Some(fault) => Err(StoreError::Io { why: fault.clone() }),
            None => Ok(store),
        }
    }

    /// Opens a file that nobody can write to while it is read.
    fn only_read(path: &Path, migrations: &'static [Migration]) -> Result<Self, StoreError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            let why = "it may only be read, and a log with its last events stands beside it; a copy made by \
                       `store backup` would be right"
                .to_owned();
            return Err(StoreError::Io { why });
        }
        let path = path.to_str().ok_or_else(|| StoreError::Io {
            why: "it may only be read, and its path is not UTF-8 text".to_owned(),
        })?;
        let mut address = String::from("file:");
        for &byte in path.as_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' => address.push(byte.into()),
                byte if byte.is_ascii_alphanumeric() => address.push(byte.into()),
                byte => address.push_str(&format!("%{byte:02X}")),
            }
        }
        address.push_str("?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(address, flags).map_err(refused)?;
        let mut store = Self {
            connection,
            migrations,
            sealed: true,
        };
        if store.is_new()? {
            return Err(foreign("it is empty"));
        }
        store.set()?;
        Ok(store)
    }

    fn set(&self) -> Result<(), StoreError> {
        for (name, value) in [
            ("synchronous", "FULL"),
            ("foreign_keys", "ON"),
            ("trusted_schema", "OFF"),
            ("secure_delete", "ON"),
        ] {
            let set = self.connection.pragma_update(None, name, value);
            set.map_err(refused)?;
        }
        Ok(())
    }

    /// Switches to the write-ahead log. While another process makes the store, the engine does not wait by itself.
    fn write_ahead(&self) -> Result<(), StoreError> {
        let mut last = StoreError::Busy;
        for _ in 0..200 {
            let switched = self.connection.pragma_update(None, "journal_mode", "WAL");
            match switched.map_err(refused) {
                Err(StoreError::Busy) => last = StoreError::Busy,
                Err(error) => return Err(error),
                Ok(()) => return Ok(()),
            }
            std::thread::sleep(WAIT / 200);
        }
        Err(last)
    }

    fn number(&self, pragma: &str) -> Result<i64, StoreError> {
        let value = self
            .connection
            .pragma_query_value(None, pragma, |row| row.get(0));
        value.map_err(refused)
    }

    /// Settings that the engine did not take.
    fn settings(&self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        for (name, want) in [
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("trusted_schema", 0),
            ("secure_delete", 1),
        ] {
            let found = self.number(name)?;
            if found != want {
                faults.push(format!("setting {name} is {found}, {want} would be right"));
            }
        }
        let mode = self
            .connection
            .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let mode = mode.map_err(refused)?;
        if mode != "wal" && !self.sealed {
            faults.push(format!(
                "setting journal_mode is {mode}, wal would be right"
            ));
        }
        Ok(faults)
    }

    /// Tables, indexes and triggers as they stand in the file.
    fn shape(connection: &Connection) -> Result<Vec<String>, StoreError> {
        let sql =
            "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1";
        let mut statement = connection.prepare(sql).map_err(refused)?;
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .map_err(refused)?;
        rows.collect::<Result<_, _>>().map_err(refused)
    }
}

impl Sql for Sqlite {
    fn begin(&mut self, writes: bool) -> Result<(), StoreError> {
        let sql = if writes { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.connection.execute_batch(sql).map_err(refused)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").map_err(refused)
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(refused)?;
        let done = statement.execute(rusqlite::params_from_iter(values));
        done.map(|_| ()).map_err(refused)
    }

    fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(refused)?;
        let columns = statement.column_count();
        let mut rows = statement
            .query(rusqlite::params_from_iter(values))
            .map_err(refused)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(refused)? {
            let mut cells = Vec::with_capacity(columns);
            for column in 0..columns {
                cells.push(match row.get_ref(column).map_err(refused)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Text(text) => match std::str::from_utf8(text) {
                        Ok(text) => Value::Text(text.to_owned()),
                        Err(_) => return Err(StoreError::damaged("a row", "a text is not UTF-8")),
                    },
                    _ => {
                        return Err(StoreError::damaged(
                            "a row",
                            "a cell is neither number nor text",
                        ));
                    }
                });
            }
            found.push(cells);
        }
        Ok(found)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(refused)
    }

    fn migrations(&self) -> &'static [Migration] {
        self.migrations
    }

    fn is_new(&mut self) -> Result<bool, StoreError> {
        // in this order, so that a store that another process makes in between is known as one
        let anything = self.query("SELECT count(*) FROM sqlite_schema", &[])?;
        match self.number("application_id")? {
            APPLICATION => Ok(false),
            0 if anything == [[Value::Int(0)]] => Ok(true),
            _ => Err(foreign("it is a database of another program")),
        }
    }

    fn mark(&mut self, version: i64) -> Result<(), StoreError> {
        for (name, value) in [("application_id", APPLICATION), ("user_version", version)] {
            self.connection
                .pragma_update(None, name, value)
                .map_err(refused)?;
        }
        Ok(())
    }

    fn salt(&mut self) -> Result<String, StoreError> {
        let rows = self.query("SELECT lower(hex(randomblob(16)))", &[])?;
        let cell = rows.into_iter().flatten().next();
        match cell {
            Some(Value::Text(salt)) => Ok(salt),
            _ => Err(StoreError::Io {
                why: "no random digits".to_owned(),
            }),
        }
    }

    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        let mut faults = self.settings()?;
        for row in self.query("PRAGMA integrity_check", &[])? {
            match row.first() {
                Some(Value::Text(text)) if text == "ok" => {}
                found => faults.push(format!("integrity: {found:?}")),
            }
        }
        if !self.query("PRAGMA foreign_key_check", &[])?.is_empty() {
            faults.push("rows refer to rows that are not there".to_owned());
        }
        let version = self.number("user_version")?;
        if version != self.migrations.len() as i64 {
            faults.push(format!(
                "user_version is {version}, {} would be right",
                self.migrations.len()
            ));
        }
        let fresh = Connection::open_in_memory().map_err(refused)?;
        for step in self.migrations {
            fresh.execute_batch(step.sql).map_err(refused)?;
        }
        let (found, want) = (Self::shape(&self.connection)?, Self::shape(&fresh)?);
        let name = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
        for line in found.iter().filter(|line| !want.contains(line)) {
            faults.push(format!("{} is not as quanfu made it", name(line)));
        }
        for line in want.iter().filter(|line| !found.contains(line)) {
            faults.push(format!("{} of quanfu is missing", name(line)));
        }
        Ok(faults)
    }

    fn scrub(&mut self) -> Result<(), StoreError> {
        // deleted cells were overwritten, but pages that were once split keep what they had beside their cells: all pages
        // are written anew, and the log must not keep them as they were
        self.script("VACUUM")?;
        let rows = self.query("PRAGMA wal_checkpoint(TRUNCATE)", &[])?;
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Int(0)) => Ok(()),
            _ => Err(StoreError::Busy),
        }
    }

    fn backup(&mut self, to: &Path) -> Result<(), StoreError> {
        let refuse = |why: &str| StoreError::Document {
            why: why.to_owned(),
        };
        if to.exists() {
            return Err(refuse(
                "the copy's place is taken; a new file would be right",
            ));
        }
        let name = to
            .file_name()
            .ok_or_else(|| refuse("the name of a file would be right"))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".part");
        let part = to.with_file_name(hidden);
        if part.exists() {
            fs::remove_file(&part).map_err(io)?;
        }
        let text = part
            .to_str()
            .ok_or_else(|| refuse("the copy's path is not UTF-8 text"))?;
        let made = make(&part).map_err(io);
        let copied = made.and_then(|()| self.execute("VACUUM INTO $1", &[text.into()]));
        let placed = copied.and_then(|()| {
            File::open(&part)
                .and_then(|file| file.sync_all())
                .map_err(io)?;
            fs::rename(&part, to).map_err(io)?;
            sync_folder(to).map_err(io)
        });
        if placed.is_err() {
            let _ = fs::remove_file(&part);
        }
        placed
    }
}

/// Makes an empty file for its owner alone, and waits until the disk has its name; leaves one that is there.
fn make(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => sync_folder(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn sync_folder(of: &Path) -> std::io::Result<()> {
    let folder = match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn foreign(why: &str) -> StoreError {
    StoreError::Foreign {
        why: why.to_owned(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn io(error: std::io::Error) -> StoreError {
    StoreError::Io {
        why: error.to_string(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn refused(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::NotADatabase) => foreign("it is no SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::damaged("the file", error.to_string()),
        _ => StoreError::Io {
            why: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Alg, Document, Stamp, Store};

    const FIRST: Migration = Migration {
        name: "first",
        sql: include_str!("../migrations/sqlite/0001_first.sql"),
    };
    static TWO: &[Migration] = &[
        FIRST,
        Migration {
            name: "second",
            sql: "CREATE INDEX document_day ON document (day);",
        },
    ];
    static TORN: &[Migration] = &[
        FIRST,
        Migration {
            name: "second",
            sql: "CREATE INDEX document_day ON document (day); CREATE TABLE audit (a);",
        },
    ];
    static CHANGED: &[Migration] = &[
        Migration {
            name: "first",
            sql: concat!(include_str!("../migrations/sqlite/0001_first.sql"), " "),
        },
        TWO[1],
    ];

    fn made(path: &Path, steps: &'static [Migration]) -> Result<Store, StoreError> {
        let stamp = Stamp::new("Li Na", "2026-03-02T09:00:00Z")?;
        Store::made(
            Box::new(Sqlite::open_with(path, true, steps)?),
            Alg::Sha256,
            &stamp,
        )
    }

    fn opened(path: &Path, steps: &'static [Migration]) -> Result<Store, StoreError> {
        Store::over(Box::new(Sqlite::open_with(path, false, steps)?))
    }

    #[test]
    fn a_second_step_comes_with_an_event_and_is_refused_by_who_does_not_know_it() {
        let folder = std::env::temp_dir().join(format!("quanfu-steps-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("memory.db");
        let stamp = Stamp::new("Li Na", "2026-03-02T09:00:00Z").expect("a stamp");
        let note = Document::parse(r#"{"schema": "made-up.note/1", "date": "2026-03-02"}"#);
        let mut store = made(&path, &[FIRST]).expect("a store");
        store
            .remember(&[note.expect("a document")], &stamp)
            .expect("remembered");
        let head = store.head().expect("a head");

        // reading does not migrate; a step that fails leaves nothing of itself
        let code = |done: Result<Store, StoreError>| done.expect_err("refused").code();
        assert_eq!(code(opened(&path, TWO)), "store-migration");
        assert_eq!(code(made(&path, TORN)), "store-io");
        assert_eq!(code(made(&path, CHANGED)), "store-migration");
        assert_eq!(store.audit(Some(&head)).expect("it holds").events, 2);

        let mut store = made(&path, TWO).expect("it goes on");
        let events = store.events().expect("events");
        let acts: Vec<&str> = events.iter().map(|event| event.act.as_str()).collect();
        assert_eq!(acts, ["create", "remember", "migrate"]);
        assert_eq!(store.audit(Some(&head)).expect("it holds").events, 3);
        let again = made(&path, TWO).expect("it is there").head();
        assert_eq!(again.expect("a head").events, 3);

        assert_eq!(code(opened(&path, &[FIRST])), "store-newer");
        assert_eq!(code(made(&path, &[FIRST])), "store-newer");
        assert_eq!(code(opened(&path, CHANGED)), "store-migration");
        // two steps at once
        let mut fresh = made(&folder.join("fresh.db"), TWO).expect("a store");
        assert_eq!(fresh.audit(None).expect("it holds").events, 1);
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_store_that_may_only_be_read_is_read_and_leaves_nothing_beside_it() {
        let folder = std::env::temp_dir().join(format!("quanfu-sealed-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("a copy%41?.db");
        let stamp = Stamp::new("Li Na", "2026-03-02T09:00:00Z").expect("a stamp");
        let note = Document::parse(r#"{"schema": "made-up.note/1"}"#).expect("a document");
        let mut store = made(&path, MIGRATIONS).expect("a store");
        store.remember(&[note], &stamp).expect("remembered");
        let sealed =
            || Sqlite::only_read(&path, MIGRATIONS).map(|sql| Box::new(sql) as Box<dyn Sql>);
        // its last events stand in the log
        assert_eq!(sealed().expect_err("a log").code(), "store-io");
        drop(store);
        let mut store = sealed().and_then(Store::over).expect("a store");
        assert_eq!(store.check().expect("it holds").events, 2);
        assert_eq!(store.audit(None).expect("it holds").events, 2);
        assert_eq!(store.documents().expect("documents").len(), 1);
        assert_eq!(
            store
                .backup(&folder.join("copy.db"))
                .expect("a copy")
                .events,
            2
        );
        let other = Document::parse(r#"{"schema": "made-up.note/1", "number": "2"}"#);
        let refused = store.remember(&[other.expect("one")], &stamp);
        assert_eq!(refused.expect_err("it is sealed").code(), "store-io");
        let mut names: Vec<_> = fs::read_dir(&folder)
            .expect("files")
            .map(|file| file.expect("a file").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a copy%41?.db", "copy.db"]);
        #[cfg(unix)]
        for name in names {
            use std::os::unix::fs::PermissionsExt;
            let rights = fs::metadata(folder.join(name))
                .expect("a file")
                .permissions();
            assert_eq!(rights.mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(&folder).expect("removed");
    }
}
