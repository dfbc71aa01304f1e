//! Whether a store is as it was written.

use std::collections::BTreeSet;

use crate::chain::{self, Alg, Event, Head};
use crate::error::StoreError;
use crate::migration;
use crate::personal::Kept;
use crate::sql::{Cells, Row, Rows, Sql, TABLES, Value};

/// How many events are read at once, with their documents.
const BLOCK: i64 = 16;

/// What a check or an audit saw of a store that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Events of the chain.
    pub events: i64,
    /// Rows beside the events; 0 for a check, which does not read them.
    pub rows: u64,
    /// The last event.
    pub head: Head,
    /// Numbers of events whose time lies before that of the event before them. Times are what callers said, so this is
    /// no damage.
    pub clock_back: Vec<i64>,
}

/// Checks the engine and the chain; with `rows`, every row.
pub(crate) fn run(sql: &mut dyn Sql, alg: Alg, rows: bool) -> Result<Audited, StoreError> {
    if let Some(fault) = sql.faults()?.into_iter().next() {
        return Err(StoreError::damaged("the engine", fault));
    }
    migration::applied(sql)?;
    let mut audited = Audited {
        events: 0,
        rows: 0,
        head: Head {
            events: 0,
            hash: String::new(),
        },
        clock_back: Vec::new(),
    };
    let purged = purged(sql)?;
    let mut erased = BTreeSet::new();
    let mut at = String::new();
    loop {
        let from = audited.events + 1;
        let block = sql.query(Event::SELECT, &[from.into(), (from + BLOCK - 1).into()])?;
        let block: Vec<Event> = block
            .into_iter()
            .map(Event::read)
            .collect::<Result<_, _>>()?;
        let Some(until) = block.last().map(|event| event.seq) else {
            break;
        };
        let mut contents = if rows {
            contents(sql, from, until)?.into_iter()
        } else {
            Vec::new().into_iter()
        };
        for event in block {
            let seq = audited.events + 1;
            let wrong = |why: &str| StoreError::damaged(format!("event {seq}"), why);
            if event.seq != seq {
                return Err(wrong("it is missing"));
            }
            if event.prev != audited.head.hash {
                return Err(wrong("it does not follow the event before it"));
            }
            if event.alg != alg.name() {
                return Err(wrong("it has another digest algorithm than the last event"));
            }
            if event.hash != event.digest(alg) {
                return Err(wrong("it was changed after it was written"));
            }
            if rows {
                let rows = contents.next().unwrap_or_default();
                if chain::content(alg, &rows) != event.content {
                    return Err(wrong("its rows are not as they were written"));
                }
                personal(alg, &rows, &purged, &mut erased).map_err(|why| wrong(&why))?;
                audited.rows += rows.0.iter().map(|rows| rows.len() as u64).sum::<u64>();
            }
            if event.at < at {
                audited.clock_back.push(seq);
            }
            at = event.at;
            audited.events = seq;
            audited.head = Head {
                events: seq,
                hash: event.hash,
            };
        }
    }
    if audited.events == 0 {
        return Err(StoreError::damaged("table audit", "it is empty"));
    }
    let events = [Value::Int(audited.events)];
    for table in &TABLES {
        if sql.query(table.strays, &events)? != [[Value::Int(0)]] {
            return Err(StoreError::damaged(
                format!("table {}", table.name),
                "it has rows of no event",
            ));
        }
    }
    if sql.query(
        "SELECT count(*) FROM audit WHERE seq < 1 OR seq > $1",
        &events,
    )? != [[Value::Int(0)]]
    {
        return Err(StoreError::damaged(
            "table audit",
            "it has events beside the chain",
        ));
    }
    if rows && erased != purged {
        return Err(StoreError::damaged(
            "table purged",
            "it names values that are still there",
        ));
    }
    Ok(audited)
}

/// Whether the chain holds the event that a head names.
pub(crate) fn goes_on(sql: &mut dyn Sql, noted: &Head) -> Result<(), StoreError> {
    let found = sql.query(Event::SELECT, &[noted.events.into(), noted.events.into()])?;
    let why = match found.into_iter().next().map(Event::read).transpose()? {
        Some(event) if event.hash == noted.hash => return Ok(()),
        Some(_) => "its event of this number is another one: the store was written anew",
        None => "it has fewer events: its tail was cut off",
    };
    Err(StoreError::Head {
        noted: noted.to_string(),
        why: why.to_owned(),
    })
}

/// The rows of events, from `from` to `until`.
fn contents(sql: &mut dyn Sql, from: i64, until: i64) -> Result<Vec<Rows>, StoreError> {
    let count = usize::try_from(until - from + 1).unwrap_or_default();
    let mut found = vec![Rows::default(); count.min(BLOCK as usize)];
    for (index, table) in TABLES.iter().enumerate() {
        for row in sql.query(table.select, &[from.into(), until.into()])? {
            let seq = match row.first() {
                Some(Value::Int(seq)) => usize::try_from(seq - from).ok(),
                _ => None,
            };
            let rows = seq.and_then(|seq| found.get_mut(seq));
            let rows = rows.ok_or_else(|| {
                StoreError::damaged(format!("table {}", table.name), "a row has no event")
            })?;
            rows.0[index].push(row);
        }
    }
    Ok(found)
}

/// Personal values: each has its salted digest, or was purged and has nothing left.
fn personal(
    alg: Alg,
    rows: &Rows,
    purged: &BTreeSet<(i64, i64)>,
    erased: &mut BTreeSet<(i64, i64)>,
) -> Result<(), String> {
    for row in &rows.0[Rows::PERSONAL] {
        let mut cells = Cells::of(row.clone());
        let read = |cells: &mut Cells| -> Result<_, StoreError> {
            let place = (cells.int()?, cells.int()?);
            let (kind, digest) = (cells.text()?, cells.text()?);
            Ok((
                place,
                kind,
                digest,
                cells.optional()?,
                cells.optional()?,
                cells.optional()?,
            ))
        };
        let (place, kind, digest, masked, hmac, salt) =
            read(&mut cells).map_err(|error| error.to_string())?;
        match (masked, hmac, salt) {
            (Some(masked), Some(hmac), Some(salt)) => {
                if (Kept { kind, masked, hmac }).digest(alg, &salt) != digest {
                    return Err("a personal value is not as it was written".to_owned());
                }
            }
            (None, None, None) if purged.contains(&place) => {
                erased.insert(place);
            }
            _ => return Err("a personal value is gone without a purge".to_owned()),
        }
    }
    Ok(())
}

fn purged(sql: &mut dyn Sql) -> Result<BTreeSet<(i64, i64)>, StoreError> {
    let place = |row: Row| {
        let mut cells = Cells::of(row);
        Ok((cells.int()?, cells.int()?))
    };
    let rows = sql.query("SELECT document, place FROM purged", &[])?;
    rows.into_iter().map(place).collect()
}
