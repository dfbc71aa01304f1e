//! What somebody changes behind the store's back is found; what is not ours is refused.

mod common;

use std::path::Path;

use common::{Folder, Random, new_store, note, result, rounds, stamp};
use quanfu_settlement::decision::{Act, Decision, DecisionKind, DecisionMember};
use quanfu_settlement::{DecisionLog, Side};
use quanfu_store::{Alg, Document, Head, Key, Store, StoreError};
use rusqlite::Connection;

const SECRETS: [&str; 3] = [
    "11010519491231002X",
    "6222020200112233445",
    "310115198001011239",
];

/// A store that has two rows or more in every table.
fn full(path: &Path) -> Store {
    let mut store = new_store(path).keyed(Key::new(&[9; 32]).expect("a key"));
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

const TABLES: [&str; 8] = [
    "audit",
    "migration",
    "document",
    "link",
    "position",
    "decision",
    "personal",
    "purged",
];

/// Does something to the tables as one who holds the file can, leaving no trace in the schema.
fn behind(path: &Path, sql: &str) -> usize {
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
        connection
            .execute(&format!("DROP TRIGGER {name}"), [])
            .expect("dropped");
    }
    let changed = connection.execute(sql, []).unwrap_or(0);
    for (_, sql) in &triggers {
        connection.execute(sql, []).expect("made again");
    }
    connection.execute("COMMIT", []).expect("committed");
    changed
}

fn columns(path: &Path, table: &str) -> Vec<(String, String)> {
    let connection = Connection::open(path).expect("a database");
    let mut found = connection
        .prepare("SELECT name, type FROM pragma_table_info(?1)")
        .expect("a query");
    let rows = found
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

fn keys(path: &Path, table: &str) -> Vec<(i64, i64)> {
    let connection = Connection::open(path).expect("a database");
    let n = if columns(path, table).iter().any(|(name, _)| name == "n") {
        "n"
    } else {
        "0"
    };
    let mut found = connection
        .prepare(&format!("SELECT seq, {n} FROM {table} ORDER BY 1, 2"))
        .expect("a query");
    let rows = found
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn every_cell_changed_and_every_row_deleted_added_or_swapped_is_found() {
    let folder = Folder::new("tamper");
    let (path, whole) = (folder.file("memory.db"), folder.file("whole.db"));
    let head = {
        let mut store = full(&path);
        store.backup(&whole).expect("a copy");
        store.head().expect("a head")
    };
    let mut tried = 0;
    let mut attack = |sql: &str, tail: bool| {
        let victim = folder.file("victim.db");
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", victim.display()));
        }
        std::fs::copy(&whole, &victim).expect("a copy");
        if behind(&victim, sql) == 0 {
            return; // the engine did not take it
        }
        tried += 1;
        let found = Store::open(&victim).and_then(|mut store| store.audit(None));
        let with_head = Store::open(&victim).and_then(|mut store| store.audit(Some(&head)));
        assert!(found.is_err() || tail, "not found: {sql}");
        assert!(with_head.is_err(), "not found with a head: {sql}");
    };
    for table in TABLES {
        let (columns, keys) = (columns(&path, table), keys(&path, table));
        let has_n = columns.iter().any(|(name, _)| name == "n");
        let at = |(seq, n): (i64, i64)| {
            if has_n {
                format!("seq = {seq} AND n = {n}")
            } else {
                format!("seq = {seq}")
            }
        };
        assert!(!keys.is_empty(), "{table} has no rows");
        for (column, kind) in &columns {
            for &key in &keys {
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
                    attack(
                        &format!(
                            "UPDATE {table} SET {column} = {change} WHERE {at} AND {column} IS NOT {change}"
                        ),
                        false,
                    );
                }
            }
            // the same column of two rows, swapped
            if let [one, .., other] = keys[..] {
                let (one, other) = (at(one), at(other));
                attack(
                    &format!(
                        "UPDATE {table} SET {column} = CASE WHEN {one} THEN (SELECT {column} FROM {table} WHERE {other}) \
                         ELSE (SELECT {column} FROM {table} WHERE {one}) END WHERE (({one}) OR ({other})) AND \
                         (SELECT {column} FROM {table} WHERE {one}) IS NOT (SELECT {column} FROM {table} WHERE {other})"
                    ),
                    false,
                );
            }
        }
        for &key in &keys {
            attack(&format!("DELETE FROM {table} WHERE {}", at(key)), false);
        }
        attack(&format!("DELETE FROM {table}"), false);
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
            attack(
                &format!("INSERT INTO {table} ({names}) SELECT {cells} FROM {table} LIMIT 1"),
                false,
            );
        }
    }
    println!("{tried} attacks, all found");
    assert!(tried > 600, "only {tried} attacks took place");
}

#[test]
fn a_cut_tail_and_a_store_written_anew_show_only_against_a_head() {
    let folder = Folder::new("tail");
    let path = folder.file("memory.db");
    let head = full(&path).head().expect("a head");
    for sql in [
        "DELETE FROM document WHERE seq = (SELECT max(seq) FROM audit)",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    ] {
        assert_eq!(behind(&path, sql), 1);
    }
    let mut store = Store::open(&path).expect("a store");
    assert_eq!(
        store.audit(None).expect("nothing shows").events,
        head.events - 1
    );
    assert!(matches!(
        store.audit(Some(&head)),
        Err(StoreError::Head { .. })
    ));
    let anew = folder.file("anew.db");
    let mut store = new_store(&anew);
    for number in 0..head.events as u64 {
        store
            .remember(&[note(number)], &stamp())
            .expect("remembered");
    }
    store.audit(None).expect("nothing shows");
    assert!(matches!(
        store.audit(Some(&head)),
        Err(StoreError::Head { .. })
    ));
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
        let mut store = full(&path);
        store.check().expect("it holds");
        Connection::open(&path)
            .expect("a database")
            .execute(sql, [])
            .expect(sql);
        assert_eq!(store.check().expect_err(sql).code(), "store-damaged");
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
        let mut store = full(&path);
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
        let path = folder.file("memory.db");
        let _ = std::fs::remove_file(&path);
        drop(full(&path));
        assert_eq!(behind(&path, sql), 1, "{sql}");
        assert_eq!(Store::open(&path).expect_err(sql).code(), code, "{sql}");
        let created = Store::create(&path, Alg::Sha256, &stamp());
        assert!(created.is_err(), "{sql}");
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
fn nothing_personal_is_in_the_file_and_nothing_purged_stays_in_it() {
    let folder = Folder::new("purge");
    let path = folder.file("memory.db");
    let mut store = full(&path);
    let bytes = || {
        let mut all = Vec::new();
        for suffix in ["", "-wal"] {
            all.extend(std::fs::read(format!("{}{suffix}", path.display())).unwrap_or_default());
        }
        all
    };
    let has = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    for secret in SECRETS {
        assert!(!has(&bytes(), secret), "a whole value is at rest");
    }
    assert!(
        !has(&bytes(), "1101**********002X"),
        "a purged mask is still there"
    );
    assert!(has(&bytes(), "3101**********1239"));
    store
        .purge("2040-01-01".parse().expect("a day"), &stamp())
        .expect("purged");
    assert!(!has(&bytes(), "**********"), "purged masks are still there");
    store.audit(None).expect("it holds");
}

#[test]
fn a_copy_made_while_others_write_is_whole() {
    let folder = Folder::new("backup");
    let path = folder.file("memory.db");
    let mut store = full(&path);
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

#[test]
fn random_operations_agree_with_a_model_and_refused_ones_leave_no_trace() {
    #[derive(Clone)]
    struct Known {
        number: u64,
        until: Option<u64>,
        erased: bool,
    }
    let folder = Folder::new("model");
    let path = folder.file("memory.db");
    let keyed = |store: Store| store.keyed(Key::new(&[9; 32]).expect("a key"));
    let mut store = keyed(new_store(&path));
    let mut random = Random(20_260_302);
    let mut model: Vec<Known> = Vec::new();
    let mut heads: Vec<Head> = Vec::new();
    let mut events = 1;
    let day = |number: u64| format!("20{:02}-12-31", 26 + number);
    let person = |number: u64, until: Option<u64>| {
        let text = format!(
            r#"{{"schema":"made-up.filing/1","number":"{number}","id_number":"1101051949{number:08}"}}"#
        );
        let document = Document::parse(&text).expect("one");
        match until {
            Some(until) => document.retained_until(day(until).parse().expect("a day")),
            None => document,
        }
    };
    let operations = rounds("QUANFU_OPERATIONS", 10_000);
    for step in 0..operations {
        match random.below(12) {
            0..=4 => {
                let number = random.below(operations / 2);
                let until = (random.below(3) > 0).then(|| random.below(10));
                let done = store
                    .remember(&[person(number, until)], &stamp())
                    .expect("remembered");
                let is_new = !model.iter().any(|known| known.number == number);
                assert_eq!(done[0].is_new, is_new, "step {step}");
                if is_new {
                    model.push(Known {
                        number,
                        until,
                        erased: false,
                    });
                    events += 1;
                }
            }
            5 if random.below(20) == 0 => {
                let until = random.below(10);
                let due =
                    |known: &Known| !known.erased && known.until.is_some_and(|day| day <= until);
                let want = model.iter().filter(|known| due(known)).count();
                let purged = store
                    .purge(day(until).parse().expect("a day"), &stamp())
                    .expect("purged");
                assert_eq!(purged.values, want, "step {step}");
                model
                    .iter_mut()
                    .filter(|known| due(known))
                    .for_each(|known| known.erased = true);
                events += i64::from(want > 0);
            }
            6 | 7 => {
                let before = store.head().expect("a head");
                let number = operations + step;
                let refused = match random.below(3) {
                    0 => Store::open(&path)
                        .expect("a store")
                        .remember(&[person(number, None)], &stamp())
                        .is_err(),
                    1 => {
                        let marked = r#"{"schema":"a/1","id_number":"x","b":"\u0001personal:0"}"#;
                        let marked = Document::parse(marked).expect("it is JSON");
                        store.remember(&[note(number), marked], &stamp()).is_err()
                    }
                    _ => {
                        let number_in_place = r#"{"schema":"a/1","id_number":110105194912310021}"#;
                        let document = Document::parse(number_in_place).expect("it is JSON");
                        store.remember(&[note(number), document], &stamp()).is_err()
                    }
                };
                assert!(refused);
                assert_eq!(store.head().expect("a head"), before, "step {step}");
            }
            8 if random.below(10) == 0 => store = keyed(Store::open(&path).expect("a store")),
            9 if random.below(10) == 0 => heads.push(store.head().expect("a head")),
            _ => {
                let Some(known) = model.get(random.below(model.len().max(1) as u64) as usize)
                else {
                    continue;
                };
                let text = store
                    .document(&known.number.to_string())
                    .expect("it is there");
                assert_eq!(
                    text.contains("\"id_number\":\"*\""),
                    known.erased,
                    "step {step}"
                );
            }
        }
        assert_eq!(store.head().expect("a head").events, events, "step {step}");
    }
    for head in &heads {
        store.audit(Some(head)).expect("it goes on from every head");
    }
    assert_eq!(store.documents().expect("documents").len(), model.len());
}
