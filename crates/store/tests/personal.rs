//! No personal value is at rest, whatever document it came in, and nothing of it is left once it was erased.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{Folder, Place, Safe, places, stamp};
use quanfu_filing::{Content, Filing, Programme};
use quanfu_store::{Alg, Document, Key, PERSONAL_KEYS, PERSONAL_KEYS_OF, Store};

/// Stands in the middle of each planted value, where no mask shows anything.
const CANARY: &str = "77340099";

fn key() -> Key {
    Key::new(&[7; 32]).expect("a key")
}

/// A record of a cooperation with a contact and accounts, as `quanfu filing` writes it.
fn filing(number: u32) -> String {
    let content = serde_json::json!({
        "bank": {"name": "Made-up Bank"}, "institution": {"name": "Made-up Pay"},
        "agreement": {"number": format!("A-{number}")},
        "account_number": [format!("6222{CANARY}{number:04}4321"), format!("6222{CANARY}{number:04}8765")],
        "contact": {"person_name": format!("Zhao{CANARY}{number}"), "phone_number": format!("199{CANARY}{number:04}")}
    });
    let content: Content = serde_json::from_value(content).expect("content");
    let programme = Programme::shipped()
        .into_iter()
        .next()
        .expect("a programme");
    let on = "2026-03-02".parse().expect("a day");
    let filing =
        Filing::new(&programme, &format!("F-{number}"), content, on, "Li Na").expect("a filing");
    filing.to_json()
}

/// A document of each schema that people keep, with a planted value below each personal key, as text, list and object.
fn samples(number: u32) -> Vec<String> {
    let mut texts = vec![filing(number)];
    let of_schema = PERSONAL_KEYS_OF
        .iter()
        .flat_map(|(of, keys)| keys.iter().map(|key| (*of, *key)));
    let anywhere = [
        "quanfu.award/1",
        "quanfu.declaration/1",
        "quanfu.application/1",
        "quanfu.policy/1",
    ]
    .into_iter()
    .flat_map(|of| PERSONAL_KEYS.iter().map(move |key| (of, *key)));
    for (nth, (schema, key)) in of_schema.chain(anywhere).enumerate() {
        let value = |kind: u32| format!("11{kind}{CANARY}{number:05}{nth:03}");
        let text = serde_json::json!({
            "schema": schema, "number": format!("N{number}-{nth}"), "day": "2026-03-02", key: value(1),
            "deep": [{key: [value(2), {"first": value(3), "more": [[value(4)]]}]}]
        });
        texts.push(text.to_string());
    }
    texts
}

/// All that an engine keeps of a store.
fn bytes(place: &Place) -> Vec<u8> {
    match place {
        Place::File(path) => ["", "-wal", "-shm"]
            .iter()
            .flat_map(|suffix| {
                std::fs::read(format!("{}{suffix}", path.display())).unwrap_or_default()
            })
            .collect(),
        #[cfg(feature = "postgres")]
        Place::Database(url) => {
            let mut client = postgres::Client::connect(url, postgres::NoTls).expect("a database");
            let tables =
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
            let mut all = String::new();
            for table in client.query(tables, &[]).expect("tables") {
                let table: String = table.get(0);
                for row in client
                    .query(&format!("SELECT t::text FROM {table} t"), &[])
                    .expect("rows")
                {
                    all += row.get(0);
                }
            }
            all.into_bytes()
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

/// Keyed digests, masks and salts; each is long enough to be none by chance.
fn tokens(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes);
    let after = |prefix: &str| -> Vec<String> {
        let found = text.match_indices(prefix);
        let found = found.filter_map(|(at, _)| text.get(at + prefix.len()..at + prefix.len() + 64));
        found.map(str::to_owned).collect()
    };
    after("sha256:").into_iter().collect()
}

#[test]
fn planted_values_are_at_rest_nowhere_and_purged_ones_leave_nothing() {
    let folder = Folder::new("canaries");
    for place in places(&folder, "canaries") {
        let safe = Safe::default();
        let mut store = place
            .create(Alg::Sha256)
            .keyed(key())
            .guarded(Box::new(safe.clone()));
        let until = |number: u32| {
            format!("20{}-12-31", 30 + number % 2)
                .parse()
                .expect("a day")
        };
        let mut said = String::new();
        let mut texts = Vec::new();
        // enough that pages are split, and values of both days stand beside each other
        for number in 0..40 {
            let samples = samples(number);
            let documents: Vec<Document> = samples
                .iter()
                .map(|text| {
                    Document::parse(text)
                        .expect(text)
                        .retained_until(until(number))
                })
                .collect();
            said += &format!("{documents:?}");
            let done = store.remember(&documents, &stamp()).expect("remembered");
            texts.extend(done.into_iter().map(|done| done.digest).zip(samples));
        }
        for (digest, text) in &texts {
            said += &store.document(digest).expect("it is there");
            assert_eq!(&store.whole(digest).expect("it is there"), text);
        }
        let lists = (
            store.documents(),
            store.events(),
            store.open_items(),
            store.audit(None),
        );
        said += &format!("{store:?} {lists:?} {:?}", store.head());
        assert!(!has(said.as_bytes(), CANARY), "something says a value");
        let before = bytes(&place);
        assert!(!has(&before, CANARY), "a value is at rest");
        assert!(has(&before, "****"));

        let before = tokens(&before);
        let purge = |store: &mut Store, day: &str| {
            store
                .purge(day.parse().expect("a day"), &stamp())
                .expect("purged")
        };
        let purged = purge(&mut store, "2030-12-31");
        assert_eq!(purged.documents, texts.len() / 2);
        let half = tokens(&bytes(&place));
        assert!(
            before.difference(&half).count() >= purged.values,
            "tokens are still there"
        );
        purge(&mut store, "2031-12-31");
        store.audit(None).expect("it holds");
        store.check().expect("it holds");
        let after = bytes(&place);
        assert!(!has(&after, "****"), "purged masks are still there");
        assert!(!has(&after, CANARY));
        let left = tokens(&after);
        let kept: BTreeSet<String> = safe.0.lock().expect("a lock").keys().cloned().collect();
        assert!(kept.is_empty(), "the vault has forgotten");
        println!(
            "{} documents, {} tokens at rest before the purges, {} after: {}",
            texts.len(),
            before.len(),
            left.len(),
            place.text()
        );
        #[cfg_attr(not(feature = "postgres"), allow(irrefutable_let_patterns))]
        if let Place::File(_) = place {
            let copy = Place::File(folder.file("copy.db"));
            store.backup(&folder.file("copy.db")).expect("a copy");
            assert!(!has(&bytes(&copy), "****") && !has(&bytes(&copy), CANARY));
        }
    }
}

#[test]
fn errors_do_not_say_what_they_are_about() {
    let folder = Folder::new("errors");
    for place in places(&folder, "errors") {
        let mut store = place.create(Alg::Sha256);
        let mut keyed = place.open().expect("a store").keyed(key());
        let value = format!("110105{CANARY}002X");
        let mut said = String::new();
        for text in [
            format!(r#"{{"schema":"made-up/1","id_number":"{value}"}}"#),
            format!(r#"{{"schema":"made-up/1","id_number":{CANARY}}}"#),
            format!(r#"{{"schema":"made-up/1","id_number":"{value}","b":"\u0001personal:0"}}"#),
            format!(r#"{{"schema":"made-up/1","id_number":"{value}","number":"\u0000"}}"#),
            format!(r#"{{"schema":"made-up/1","id_number":"{value}""#),
            format!(r#"{{"schema":"{value}","id_number":"{value}"}}"#),
            format!(r#"{{"schema":"quanfu.result/1","id_number":"{value}"}}"#),
            format!(r#"{{"schema":"quanfu.decision/1","by":"x","id_number":"{value}"}}"#),
        ] {
            for store in [&mut store, &mut keyed] {
                let done = Document::parse(&text)
                    .and_then(|document| store.remember(&[document], &stamp()));
                match done {
                    Ok(done) => assert!(text.ends_with("\"}") && done[0].is_new),
                    Err(error) => said += &format!("{error} {error:?}\n"),
                }
            }
        }
        assert!(!said.contains(CANARY), "{said}");
        assert!(!has(&bytes(&place), CANARY));
    }
    assert!(!format!("{:?}", Key::new(CANARY.as_bytes())).contains(CANARY));
}

#[test]
fn no_document_is_called_by_a_personal_value() {
    let folder = Folder::new("names");
    for place in places(&folder, "names") {
        let mut store = place.create(Alg::Sha256).keyed(key());
        let text = format!(r#"{{"schema":"made-up/1","number":"{CANARY}","name":"N1"}}"#);
        let document = Document::parse(&text).expect("one").personal(&["number"]);
        store.remember(&[document], &stamp()).expect("remembered");
        assert_eq!(store.documents().expect("documents")[0].name, "N1");
        assert!(!has(&bytes(&place), CANARY));
    }
}

/// Source files of all crates.
fn sources() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                found.push(as_written(&text));
            }
        }
    }
    let mut found = Vec::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in std::fs::read_dir(crates).expect("crates") {
        let source = entry.expect("a crate").path().join("src");
        if source.is_dir() {
            walk(&source, &mut found);
        }
    }
    found
}

/// A source whose fields have the names that documents write.
fn as_written(text: &str) -> String {
    let (mut renamed, mut written) = (None, String::new());
    for line in text.lines() {
        let name = line.split_once("rename = \"").map(|(_, rest)| rest);
        if let Some((name, _)) = name.and_then(|rest| rest.split_once('"')) {
            renamed = Some(name);
        }
        let field = line.trim_start().strip_prefix("pub ");
        match (renamed, field.and_then(|field| field.split_once(':'))) {
            (Some(name), Some((_, of))) => {
                written.push_str(&format!("pub {name}:{of}"));
                renamed = None;
            }
            _ => written.push_str(line),
        }
        written.push('\n');
    }
    written
}

/// Whether a field, or one that holds its type, has a name that is a personal key.
fn is_covered(sources: &[String], field: &str, of: &str, keys: &[&str]) -> bool {
    keys.contains(&field)
        || sources.iter().flat_map(|text| text.lines()).any(|line| {
            let words: Vec<&str> = line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .collect();
            let named = words
                .iter()
                .find(|word| !word.is_empty() && **word != "pub");
            line.contains(':')
                && words.contains(&of)
                && named.is_some_and(|name| keys.contains(name))
        })
}

#[test]
fn every_field_that_a_document_writes_whole_stands_below_a_personal_key() {
    // parties stand in declarations only
    let keys = |of: &str| -> Vec<&str> {
        let of_schema = PERSONAL_KEYS_OF.iter().flat_map(|(_, keys)| keys.iter());
        let of_schema = of_schema.filter(|_| of == "Party");
        of_schema.chain(PERSONAL_KEYS).copied().collect()
    };
    let sources = sources();
    let mut fields = 0;
    for text in &sources {
        let (mut of, mut whole) = (String::new(), false);
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"))
        {
            let after = |word: &str| line.split_once(word).map(|(_, rest)| rest.to_owned());
            if let Some(rest) = after("struct ").or_else(|| after("enum ")) {
                of = rest
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default()
                    .to_owned();
            }
            whole |= line.contains("with = \"quanfu_codes::whole\"");
            if whole && (line.contains("struct ") || (!line.starts_with('#') && line.contains(':')))
            {
                let field = line
                    .trim_start_matches("pub ")
                    .split([':', '('])
                    .next()
                    .unwrap_or_default();
                // who filed is what an audit asks for
                let is_actor = (&*of, field) == ("Event", "by");
                assert!(
                    is_actor || is_covered(&sources, field, &of, &keys(&of)),
                    "{of}.{field} is kept whole"
                );
                (fields, whole) = (fields + 1, false);
            }
        }
    }
    assert!(fields >= 3, "only {fields} fields were seen");
    let made_up = ["pub holder: Option<Person>,".to_owned()];
    assert!(!is_covered(&made_up, "name", "Person", &keys("Person")));
}
