//! PostgreSQL, for several people: one database, one schema, writers wait for one lock.

use std::fmt;
use std::path::Path;

use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls};

use crate::error::StoreError;
use crate::migration::Migration;
use crate::sql::{Row, Sql, Value};

/// The lock of those who write: `qfst`.
const LOCK: i64 = 0x7166_7374;

static MIGRATIONS: &[Migration] = &[Migration {
    name: "first",
    sql: include_str!("../migrations/postgres/0001_first.sql"),
}];

/// Lists all that stands in the schema, and what that is after the steps above.
const SHAPE: &str = include_str!("../migrations/postgres/shape.sql");
const SHAPED: &str = include_str!("../migrations/postgres/shape.txt");

pub(crate) struct Postgres {
    client: Client,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // no address: it may hold a password
        f.write_str("Postgres")
    }
}

impl Postgres {
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let mut client = Client::connect(url, NoTls).map_err(|error| refused(&error))?;
        let settings = "SET synchronous_commit = on; SET lock_timeout = '10s'; SET client_min_messages = warning";
        client
            .batch_execute(settings)
            .map_err(|error| refused(&error))?;
        Ok(Self { client })
    }

    fn texts(&mut self, sql: &'static str) -> Result<Vec<String>, StoreError> {
        let rows = self.query(sql, &[])?.into_iter().flatten();
        Ok(rows
            .filter_map(|cell| match cell {
                Value::Text(text) => Some(text),
                _ => None,
            })
            .collect())
    }
}

impl Sql for Postgres {
    fn begin(&mut self, writes: bool) -> Result<(), StoreError> {
        let sql = if writes {
            // after the lock is granted, each statement sees what was committed before; another level would not
            "BEGIN ISOLATION LEVEL READ COMMITTED"
        } else {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        };
        self.client
            .batch_execute(sql)
            .map_err(|error| refused(&error))?;
        if writes {
            let locked = self
                .client
                .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]);
            if let Err(error) = locked {
                self.rollback();
                return Err(refused(&error));
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.client
            .batch_execute("COMMIT")
            .map_err(|error| refused(&error))
    }

    fn rollback(&mut self) {
        let _ = self.client.batch_execute("ROLLBACK");
    }

    fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<(), StoreError> {
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let done = self.client.execute(sql, &values);
        done.map(|_| ()).map_err(|error| refused(&error))
    }

    fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let rows = self
            .client
            .query(sql, &values)
            .map_err(|error| refused(&error))?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let mut cells = Vec::with_capacity(row.len());
            for (at, column) in row.columns().iter().enumerate() {
                cells.push(if *column.type_() == Type::INT8 {
                    row.try_get::<_, Option<i64>>(at)
                        .map_err(|error| refused(&error))?
                        .into()
                } else {
                    row.try_get::<_, Option<String>>(at)
                        .map_err(|error| refused(&error))?
                        .into()
                });
            }
            found.push(cells);
        }
        Ok(found)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client
            .batch_execute(sql)
            .map_err(|error| refused(&error))
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    fn is_new(&mut self) -> Result<bool, StoreError> {
        let tables = self.texts(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
        )?;
        if tables.is_empty() {
            return Ok(true);
        }
        if ["audit", "migration"]
            .iter()
            .all(|name| tables.iter().any(|table| table == name))
        {
            return Ok(false);
        }
        Err(StoreError::Foreign {
            why: "its schema has tables of another program".to_owned(),
        })
    }

    fn mark(&mut self, _: i64) -> Result<(), StoreError> {
        Ok(()) // the table of steps says it
    }

    fn salt(&mut self) -> Result<String, StoreError> {
        let salt = self.texts("SELECT replace(gen_random_uuid()::text, '-', '')")?;
        salt.into_iter().next().ok_or_else(|| StoreError::Io {
            why: "no random digits".to_owned(),
        })
    }

    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        for (sql, name) in [
            ("SHOW fsync", "fsync"),
            ("SHOW synchronous_commit", "synchronous_commit"),
        ] {
            let found = self.texts(sql)?.join("");
            if found != "on" {
                faults.push(format!("setting {name} is {found}, on would be right"));
            }
        }
        let found = self.texts(SHAPE)?;
        let name = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        for line in found
            .iter()
            .filter(|found| SHAPED.lines().all(|line| line != *found))
        {
            faults.push(format!("{} is not as quanfu made it", name(line)));
        }
        for line in SHAPED
            .lines()
            .filter(|line| found.iter().all(|found| found != line))
        {
            faults.push(format!("{} of quanfu is missing", name(line)));
        }
        Ok(faults)
    }

    fn scrub(&mut self) -> Result<(), StoreError> {
        // takes old versions of rows out of their pages; the log of the database is its keeper's matter
        self.client
            .batch_execute("VACUUM FULL personal")
            .map_err(|error| refused(&error))
    }

    fn backup(&mut self, _: &Path) -> Result<(), StoreError> {
        let why = "pg_dump makes a copy of a PostgreSQL store while others write".to_owned();
        Err(StoreError::Unsupported { why })
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(of, out),
            Self::Text(text) => text.to_sql(of, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What the database said, without the details, which may hold values.
fn refused(error: &postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(said) if ["55P03", "40P01"].contains(&said.code().code()) => StoreError::Busy,
        Some(said) => StoreError::Io {
            why: format!("{}: {}", said.code().code(), said.message()),
        },
        // its own words name hosts and users
        None => StoreError::Io {
            why: "the database cannot be reached, or the connection broke".to_owned(),
        },
    }
}
