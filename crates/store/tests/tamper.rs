//! What somebody changes behind the store's back is found; what is not ours is refused.

mod common;

use std::path::PathBuf;

use common::{Folder, Place, Random, note, places, result, rounds, stamp};
use quanfu_settlement::decision::{Act, Decision, DecisionKind, DecisionMember};
use quanfu_settlement::{DecisionLog, Side};
use quanfu_store::{Alg, Document, Key, Store, StoreError};
use rusqlite::Connection;

const SECRETS: [&str; 3] = [
    "11010519491231002X",
    "6222020200112233445",
    "310115198001011239",
];

/// A store that has two rows or more in every table.
fn full(place: &Place) -> Store {
    let mut store = place
        .create(Alg::Sha256)
        .keyed(Key::new(&[9; 32]).expect("a key"));
    let first = result(
        "2026-03-02",
        &[
            ("b1", "break", None),
            ("c1", "carried", Some("ONLY_PLATFORM")),
        ],
        None,
    );
    let next = result(
        "2026-03-03",
        &[("c2", "carried", None)],
        Some(("after", &first)),
    );
    for doc in [&first, &next] {
        store
            .remember(&[Document::result(doc).expect("one")], &stamp())
            .expect("remembered");
    }
    let decision = Decision {
        kind: DecisionKind::Assign,
        edge: "order-psp".into(),
        members: vec![DecisionMember {
            side: Side::Left,
            record: "00112233445566aa".parse().expect("a record"),
        }],
        positions: vec!["b1".into()],
        result: first.certificate.body,
        to: Some("Wang Wei".into()),
        causes: Vec::new(),
        reason: "knows the customer".into(),
    };
    let mut log = DecisionLog::default();
    let mut text = log
        .propose(decision, "Li Na", "2026-03-02T09:00:00Z")
        .expect("proposed");
    let id = log.proposals()[0].id;
    text += &log
        .answer(Act::Approve, id, "Zhao Min", None, "2026-03-02T09:05:00Z")
        .expect("approved");
    store
        .remember(&Document::decisions(&text).expect("a log"), &stamp())
        .expect("remembered");
    for (number, until) in ["2030-12-31", "2031-12-31", "2032-12-31"]
        .into_iter()
        .enumerate()
    {
        let text = format!(
            r#"{{"schema":"made-up.filing/1","number":"F{number}","id_number":"{}","card_number":"{}"}}"#,
            SECRETS[number], SECRETS[1]
        );
        let document = Document::parse(&text)
            .expect("one")
            .retained_until(until.parse().expect("a day"));
        store.remember(&[document], &stamp()).expect("remembered");
    }
    store
        .purge("2030-12-31".parse().expect("a day"), &stamp())
        .expect("purged");
    store.remember(&[note(1)], &stamp()).expect("remembered");
    store.audit(None).expect("it holds");
    store
}

/// One who holds the file, or owns the tables: whatever is done, the tables look as quanfu made them afterwards.
enum Attacker {
    File {
        path: PathBuf,
        whole: PathBuf,
    },
    #[cfg(feature = "postgres")]
    Owner(Box<std::cell::RefCell<postgres::Client>>),
}

impl Attacker {
    /// Notes the store as it is, to come back to.
    fn of(place: &Place, store: &mut Store) -> Self {
        match place {
            Place::File(path) => {
                let whole = path.with_extension("whole");
                store.backup(&whole).expect("a copy");
                Self::File {
                    path: path.clone(),
                    whole,
                }
            }
            #[cfg(feature = "postgres")]
            Place::Database(url) => {
                let mut client =
                    postgres::Client::connect(url, postgres::NoTls).expect("a database");
                // neither triggers nor references count for a copy that is taken in
                client
                    .batch_execute("SET session_replication_role = replica")
                    .expect("the owner of the database");
                let attacker = Self::Owner(Box::new(client.into()));
                for table in attacker.tables() {
                    attacker.told(&format!(
                        "CREATE TEMPORARY TABLE whole_{table} AS TABLE {table}"
                    ));
                }
                attacker
            }
        }
    }

    #[cfg(feature = "postgres")]
    fn told(&self, sql: &str) {
        if let Self::Owner(client) = self {
            client.borrow_mut().batch_execute(sql).expect(sql);
        }
    }

    /// Undoes what was done to a table.
    fn restore(&self, table: &str) {
        match self {
            Self::File { path, whole } => {
                for suffix in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
                }
                std::fs::copy(whole, path).expect("a copy");
                let _ = table;
            }
            #[cfg(feature = "postgres")]
            Self::Owner(_) => self.told(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM whole_{table};"
            )),
        }
    }

    /// Does something to rows and says how many it changed: none, if the engine did not take it.
    fn does(&self, sql: &str) -> u64 {
        match self {
            Self::File { path, .. } => behind(path, sql),
            #[cfg(feature = "postgres")]
            Self::Owner(client) => client.borrow_mut().execute(sql, &[]).unwrap_or(0),
        }
    }

    /// Texts of the first two columns of a query.
    fn asks(&self, sql: &str) -> Vec<(String, String)> {
        match self {
            Self::File { path, .. } => {
                let connection = Connection::open(path).expect("a database");
                let mut found = connection.prepare(sql).expect(sql);
                let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
                rows.expect("rows").map(|row| row.expect("a row")).collect()
            }
            #[cfg(feature = "postgres")]
            Self::Owner(client) => {
                let rows = client.borrow_mut().query(sql, &[]).expect(sql);
                rows.iter().map(|row| (row.get(0), row.get(1))).collect()
            }
        }
    }

    /// The tables that are there, so that one more is attacked without anybody thinking of it.
    fn tables(&self) -> Vec<String> {
        let sql = match self {
            Self::File { .. } => {
                "SELECT name, '' FROM sqlite_schema WHERE type = 'table' ORDER BY 1"
            }
            #[cfg(feature = "postgres")]
            Self::Owner(_) => {
                "SELECT tablename::text, '' FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
            }
        };
        self.asks(sql).into_iter().map(|(name, _)| name).collect()
    }

    /// Names and types of a table's columns.
    fn columns(&self, table: &str) -> Vec<(String, String)> {
        self.asks(&match self {
            Self::File { .. } => format!("SELECT name, type FROM pragma_table_info('{table}')"),
            #[cfg(feature = "postgres")]
            Self::Owner(_) => format!(
                "SELECT attname::text, CASE atttypid WHEN 'bigint'::regtype THEN 'INTEGER' ELSE 'TEXT' END \
                 FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum"
            ),
        })
    }
}

/// Does something to a file's rows as one who holds it can, leaving no trace in the schema.
fn behind(path: &std::path::Path, sql: &str) -> u64 {
    let connection = Connection::open(path).expect("a database");
    for name in ["foreign_keys", "synchronous"] {
        connection
            .pragma_update(None, name, "OFF")
            .expect("a setting");
    }
    connection.execute("BEGIN", []).expect("a transaction");
    let mut found = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .expect("a query");
    let triggers: Vec<(String, String)> = found
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    assert!(triggers.len() >= 16);
    for (name, _) in &triggers {
        let dropped = connection.execute(&format!("DROP TRIGGER {name}"), []);
        dropped.expect("dropped");
    }
    let changed = connection.execute(sql, []).unwrap_or(0);
    for (_, sql) in &triggers {
        connection.execute(sql, []).expect("made again");
    }
    connection.execute("COMMIT", []).expect("committed");
    changed as u64
}

#[test]
fn every_cell_changed_and_every_row_deleted_added_or_swapped_is_found() {
    let folder = Folder::new("tamper");
    for place in places(&folder, "tamper") {
        let mut store = full(&place);
        let head = store.head().expect("a head");
        let attacker = Attacker::of(&place, &mut store);
        drop(store);
        let mut tried = std::collections::BTreeMap::new();
        let mut attack = |table: &str, sql: &str| {
            let changed = attacker.does(sql);
            if changed == 0 {
                return; // the engine did not take it
            }
            *tried.entry(table.to_owned()).or_insert(0) += 1;
            let mut opened = place.open();
            for noted in [None, Some(&head)] {
                let found = match &mut opened {
                    Ok(store) => store.audit(noted).err(),
                    Err(error) => Some(error.clone()),
                };
                let error = found.unwrap_or_else(|| panic!("not found: {sql}"));
                let code = error.code();
                assert!(
                    ["store-damaged", "store-migration", "store-newer"].contains(&code),
                    "{code}: {sql}"
                );
            }
            drop(opened);
            attacker.restore(table);
        };
        let tables = attacker.tables();
        for table in &tables {
            every_attack(&attacker, table, &mut |sql| attack(table, sql));
        }
        let all: i32 = tried.values().sum();
        println!("{all} attacks, all found, in {}: {tried:?}", place.text());
        for table in &tables {
            assert!(tried[table] > 10, "{table}: too few attacks took place");
        }
        let mut store = place.open().expect("a store");
        store.audit(Some(&head)).expect("it is whole again");
    }
}

/// Each cell three ways, each column of two rows swapped, each row taken out, rows put in.
fn every_attack(attacker: &Attacker, table: &str, attack: &mut dyn FnMut(&str)) {
    let columns = attacker.columns(table);
    let has_n = columns.iter().any(|(name, _)| name == "n");
    let number = if has_n { "n" } else { "0" };
    let keys = attacker.asks(&format!(
        "SELECT CAST(seq AS TEXT), CAST({number} AS TEXT) FROM {table} ORDER BY seq, 2"
    ));
    assert!(!keys.is_empty(), "{table} has no rows");
    let at = |(seq, n): &(String, String)| match has_n {
        true => format!("seq = {seq} AND n = {n}"),
        false => format!("seq = {seq}"),
    };
    for (column, kind) in &columns {
        for key in &keys {
            let at = at(key);
            // one more, one letter more, nothing
            let changes = match kind.as_str() {
                "INTEGER" => vec![
                    format!("coalesce({column}, 0) + 1"),
                    format!("-coalesce({column}, 5)"),
                    "NULL".into(),
                ],
                _ => vec![
                    format!("coalesce({column}, '') || 'x'"),
                    "''".into(),
                    "NULL".into(),
                ],
            };
            for change in changes {
                attack(&format!(
                    "UPDATE {table} SET {column} = {change} WHERE {at} AND {column} IS DISTINCT FROM {change}"
                ));
            }
        }
        // the same column of two rows, swapped
        if let [one, .., other] = &keys[..] {
            let (one, other) = (at(one), at(other));
            attack(&format!(
                "UPDATE {table} SET {column} = CASE WHEN {one} THEN (SELECT {column} FROM {table} WHERE {other}) \
                 ELSE (SELECT {column} FROM {table} WHERE {one}) END WHERE (({one}) OR ({other})) AND \
                 (SELECT {column} FROM {table} WHERE {one}) IS DISTINCT FROM (SELECT {column} FROM {table} WHERE {other})"
            ));
        }
    }
    for key in &keys {
        attack(&format!("DELETE FROM {table} WHERE {}", at(key)));
    }
    attack(&format!("DELETE FROM {table}"));
    // a row added: a copy of one, under another number or another event
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    for (seq, n) in [
        ("seq", "n + 50"),
        ("seq + 100", "n"),
        ("1", "n + 50"),
        ("0", "n"),
        ("-1", "n"),
    ] {
        let cells: Vec<String> = names
            .iter()
            .map(|name| match *name {
                "seq" => seq.to_owned(),
                "n" => n.to_owned(),
                "digest" if table == "document" => "digest || seq".to_owned(),
                "version" => "version + 1".to_owned(),
                name => name.to_owned(),
            })
            .collect();
        let (names, cells) = (names.join(", "), cells.join(", "));
        attack(&format!(
            "INSERT INTO {table} ({names}) SELECT {cells} FROM {table} LIMIT 1"
        ));
    }
}

#[test]
fn a_cut_tail_and_a_store_written_anew_show_only_against_a_head() {
    let folder = Folder::new("tail");
    for (place, anew) in places(&folder, "tail")
        .into_iter()
        .zip(places(&Folder::within(&folder, "anew"), "anew"))
    {
        let mut store = full(&place);
        let head = store.head().expect("a head");
        let attacker = Attacker::of(&place, &mut store);
        drop(store);
        for table in ["document", "audit"] {
            let sql = format!("DELETE FROM {table} WHERE seq = {}", head.events);
            assert_eq!(attacker.does(&sql), 1);
        }
        let mut store = place.open().expect("a store");
        let audited = store.audit(None).expect("nothing shows");
        assert_eq!(audited.events, head.events - 1);
        let against = store.audit(Some(&head));
        assert!(matches!(against, Err(StoreError::Head { .. })));

        let mut store = anew.create(Alg::Sha256);
        for number in 0..head.events as u64 {
            let done = store.remember(&[note(number)], &stamp());
            done.expect("remembered");
        }
        store.audit(None).expect("nothing shows");
        let against = store.audit(Some(&head));
        assert!(matches!(against, Err(StoreError::Head { .. })));
    }
}

#[test]
fn tables_triggers_and_indexes_that_are_not_ours_are_found_by_a_check() {
    let folder = Folder::new("shape");
    for sql in [
        "DROP TRIGGER document_kept",
        "DROP INDEX link_target",
        "CREATE TRIGGER quiet AFTER INSERT ON audit BEGIN SELECT 1; END",
        "CREATE TABLE other (a)",
        "ALTER TABLE document ADD COLUMN more TEXT",
    ] {
        let path = folder.file("memory.db");
        let _ = std::fs::remove_file(&path);
        let mut store = full(&Place::File(path.clone()));
        store.check().expect("it holds");
        Connection::open(&path)
            .expect("a database")
            .execute(sql, [])
            .expect(sql);
        assert_eq!(store.check().expect_err(sql).code(), "store-damaged");
    }
}

#[test]
#[cfg(feature = "postgres")]
fn in_a_database_too_nothing_else_may_stand_beside_or_be_missing() {
    let folder = Folder::new("shape");
    for sql in [
        "DROP TRIGGER document_kept ON document",
        "ALTER TABLE document DISABLE TRIGGER document_kept",
        "ALTER TABLE document ENABLE ALWAYS TRIGGER document_kept",
        "DROP INDEX link_target",
        "CREATE TABLE other (a int)",
        "CREATE VIEW other AS SELECT seq FROM audit",
        "CREATE RULE other AS ON INSERT TO audit DO ALSO NOTHING",
        "ALTER TABLE document ADD COLUMN more TEXT",
        "ALTER TABLE document ALTER body DROP NOT NULL",
        "ALTER TABLE document ALTER body SET DEFAULT ''",
        "ALTER TABLE link DROP CONSTRAINT link_seq_fkey",
        "ALTER TABLE link ENABLE ROW LEVEL SECURITY",
        "CREATE OR REPLACE FUNCTION quanfu_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ] {
        for place in places(&folder, "shape") {
            let Place::Database(url) = &place else {
                continue;
            };
            let mut store = full(&place);
            store.check().expect("it holds");
            let mut client = postgres::Client::connect(url, postgres::NoTls).expect("a database");
            client.batch_execute(sql).expect(sql);
            assert_eq!(store.check().expect_err(sql).code(), "store-damaged");
        }
    }
}

#[test]
fn bytes_changed_in_the_file_never_pass_as_another_content() {
    let folder = Folder::new("bytes");
    let (path, whole, victim) = (
        folder.file("memory.db"),
        folder.file("whole.db"),
        folder.file("victim.db"),
    );
    let documents = {
        let mut store = full(&Place::File(path.clone()));
        store.backup(&whole).expect("a copy");
        store.documents().expect("documents")
    };
    let bytes = std::fs::read(&whole).expect("bytes");
    let mut random = Random(7);
    let (mut found, all) = (0, rounds("QUANFU_FLIPS", 1_500));
    for _ in 0..all {
        let mut changed = bytes.clone();
        let place = random.below(bytes.len() as u64) as usize;
        changed[place] ^= 1 << random.below(8);
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", victim.display()));
        }
        std::fs::write(&victim, &changed).expect("bytes");
        match Store::open(&victim).and_then(|mut store| store.audit(None).map(|_| store)) {
            Ok(mut store) => assert_eq!(
                store.documents().expect("documents"),
                documents,
                "byte {place}"
            ),
            Err(_) => found += 1,
        }
    }
    println!("{found} of {all} flipped bits found; the others stand where nothing is kept");
    assert!(found > all / 10);
}

#[test]
fn a_newer_schema_and_a_changed_step_are_refused() {
    let folder = Folder::new("schema");
    for place in places(&folder, "schema") {
        let mut store = full(&place);
        let attacker = Attacker::of(&place, &mut store);
        drop(store);
        for (sql, code) in [
            (
                "INSERT INTO migration SELECT seq, 2, 'second', digest FROM migration",
                "store-newer",
            ),
            (
                "UPDATE migration SET digest = digest || '0'",
                "store-migration",
            ),
            ("UPDATE migration SET name = 'other'", "store-migration"),
            ("UPDATE migration SET version = 2", "store-migration"),
            ("DELETE FROM migration", "store-migration"),
        ] {
            assert_eq!(attacker.does(sql), 1, "{sql}");
            assert_eq!(place.open().expect_err(sql).code(), code, "{sql}");
            assert_eq!(
                place.try_create(Alg::Sha256).expect_err(sql).code(),
                code,
                "{sql}"
            );
            attacker.restore("migration");
        }
    }
}

#[test]
fn what_is_no_store_is_left_alone() {
    let folder = Folder::new("foreign");
    assert_eq!(
        Store::open(&folder.file("none.db"))
            .expect_err("nothing")
            .code(),
        "store-absent"
    );
    assert!(!folder.file("none.db").exists());
    let text = folder.file("orders.csv");
    let content = "order_id,paid_at,amount\n".repeat(100);
    std::fs::write(&text, &content).expect("a file");
    let other = folder.file("other.db");
    Connection::open(&other)
        .expect("a database")
        .execute("CREATE TABLE a (b)", [])
        .expect("a table");
    let before = std::fs::read(&other).expect("bytes");
    for path in [&text, &other] {
        assert_eq!(
            Store::open(path).expect_err("foreign").code(),
            "store-foreign"
        );
        assert_eq!(
            Store::create(path, Alg::Sha256, &stamp())
                .expect_err("foreign")
                .code(),
            "store-foreign"
        );
    }
    assert_eq!(std::fs::read(&other).expect("bytes"), before);
    assert_eq!(std::fs::read_to_string(&text).expect("text"), content);
    assert!(Store::create(&folder.file("no/such/folder.db"), Alg::Sha256, &stamp()).is_err());
}

#[test]
fn a_copy_made_while_others_write_is_whole() {
    let folder = Folder::new("backup");
    let path = folder.file("memory.db");
    let mut store = full(&Place::File(path.clone()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut other = Store::open(&path).expect("a store");
            for number in 100..400 {
                other
                    .remember(&[note(number)], &stamp())
                    .expect("remembered");
            }
        });
        for number in 0..5 {
            let copy = folder.file(&format!("copy-{number}.db"));
            let audited = store.backup(&copy).expect("a copy");
            assert_eq!(
                Store::open(&copy).expect("a store").head().expect("a head"),
                audited.head
            );
            store
                .audit(Some(&audited.head))
                .expect("the store went on from the copy");
        }
    });
    let taken = store.backup(&folder.file("copy-0.db")).expect_err("taken");
    assert_eq!(taken.code(), "store-document");
    let names: Vec<_> = std::fs::read_dir(path.parent().expect("a folder"))
        .expect("files")
        .collect();
    assert!(names.iter().all(|name| {
        !name
            .as_ref()
            .expect("a file")
            .file_name()
            .to_string_lossy()
            .ends_with(".part")
    }));
}
