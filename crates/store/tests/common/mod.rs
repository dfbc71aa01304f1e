//! Made-up documents, folders, and writers in processes of their own.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use quanfu_settlement::ResultDoc;
use quanfu_store::{Alg, Document, Stamp, Store, StoreError, Vault};

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{count}", std::process::id());
        // long campaigns may ask for memory instead of a disk
        let base = std::env::var("QUANFU_TEST_FOLDER");
        let base = base.unwrap_or_else(|_| env!("CARGO_TARGET_TMPDIR").to_owned());
        let path = Path::new(&base).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    /// A folder in another.
    pub fn within(folder: &Self, name: &str) -> Self {
        let path = folder.file(name);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a store of a test stands.
pub enum Place {
    File(PathBuf),
    /// An address that names a schema of its own.
    #[cfg(feature = "postgres")]
    Database(String),
}

/// Says what is not tested, also where the words of tests that pass are not shown; once.
pub fn skipped(what: &'static str) {
    static SAID: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().expect("a lock");
    if !said.contains(&what) {
        said.push(what);
        let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
    }
}

/// A file, and a schema of the database that `QUANFU_POSTGRES` names: `postgres://user@host/name`. Says so aloud if
/// nothing is asked of PostgreSQL.
pub fn places(folder: &Folder, name: &str) -> Vec<Place> {
    let mut places = vec![Place::File(folder.file("memory.db"))];
    #[cfg(feature = "postgres")]
    if let Ok(url) = std::env::var("QUANFU_POSTGRES") {
        places.push(Place::schema(&url, name));
    } else {
        skipped("QUANFU_POSTGRES names no database, so nothing is asked of PostgreSQL");
    }
    #[cfg(not(feature = "postgres"))]
    let _ = name;
    if std::env::var_os("QUANFU_ONLY_POSTGRES").is_some() {
        places.retain(|place| !matches!(place, Place::File(_)));
    }
    places.reverse();
    places
}

impl Place {
    #[cfg(feature = "postgres")]
    fn schema(url: &str, name: &str) -> Self {
        let mut client = postgres::Client::connect(url, postgres::NoTls).expect("a database");
        let made = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
        client.batch_execute(&made).expect("a schema");
        Self::Database(format!("{url}?options=-c%20search_path%3D{name}"))
    }

    fn of_text(text: &str) -> Self {
        #[cfg(feature = "postgres")]
        if text.starts_with("postgres://") {
            return Self::Database(text.to_owned());
        }
        Self::File(text.into())
    }

    pub fn text(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            #[cfg(feature = "postgres")]
            Self::Database(url) => url.clone(),
        }
    }

    pub fn create(&self, alg: Alg) -> Store {
        self.try_create(alg).expect("a store")
    }

    pub fn try_create(&self, alg: Alg) -> Result<Store, StoreError> {
        match self {
            Self::File(path) => Store::create(path, alg, &stamp()),
            #[cfg(feature = "postgres")]
            Self::Database(url) => Store::create_postgres(url, alg, &stamp()),
        }
    }

    pub fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::File(path) => Store::open(path),
            #[cfg(feature = "postgres")]
            Self::Database(url) => Store::open_postgres(url),
        }
    }
}

pub fn stamp() -> Stamp {
    Stamp::new("Li Na", "2026-03-02T09:00:00Z").expect("a stamp")
}

pub fn new_store(path: &Path) -> Store {
    Store::create(path, Alg::Sha256, &stamp()).expect("a store")
}

pub fn note(number: u64) -> Document {
    let text =
        format!(r#"{{"schema": "made-up.note/1", "number": "{number}", "date": "2026-03-02"}}"#);
    Document::parse(&text).expect("a document")
}

/// What a result says of its open positions: fingerprint, outcome, code.
pub type Open<'o> = (&'o str, &'o str, Option<&'o str>);

/// A sealed result; `earlier` names the key of its certificate and the result.
pub fn result(day: &str, open: &[Open<'_>], earlier: Option<(&str, &ResultDoc)>) -> ResultDoc {
    let positions = |outcome: &str| -> Vec<serde_json::Value> {
        let of = open.iter().filter(|open| open.1 == outcome);
        of.map(|(fingerprint, outcome, code)| {
            serde_json::json!({
                "fingerprint": fingerprint, "edge": "order-psp", "outcome": outcome, "code": code, "rule": null,
                "since": day, "age_business_days": 1, "difference": null, "causes": [],
                "members": [{
                    "side": "left", "source": "order", "record": "00112233445566aa", "file": "orders.csv", "line": 2,
                    "amount": "19.90", "currency": "CNY", "kind": "payment", "status": "booked", "references": {}
                }]
            })
        })
        .collect()
    };
    let digest = |digit: &str| format!("blake3:{}", digit.repeat(64));
    let text = |name: &str| {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        serde_json::json!({"name": name, "digest": empty, "text": ""})
    };
    let mut json = serde_json::json!({
        "schema": "quanfu.result/1", "engine": "quanfu", "rules": "made-up", "viewpoint": "platform",
        "as_of": day, "as_of_given": true, "trusted": true, "failed_proofs": [], "sources": [], "edges": [],
        "breaks": positions("break"), "ambiguous": positions("ambiguous"),
        "suggested": positions("suggested"), "carried": positions("carried"),
        "rules_document": text("rules.toml"), "profiles": [], "calendar": text("CN"),
        "certificate": {
            "inputs": [{
                "source": "order", "file": "orders.csv", "format": "csv", "encoding": "utf-8", "bytes": 120,
                "digest": digest("1"), "identity": "", "records": 3, "entries": 3, "rejected": 0
            }],
            "outcome_digest": digest("2"), "outcomes_table": null, "after": null, "supersedes": null,
            "body": format!("sha256:{}", "0".repeat(64))
        }
    });
    if let Some((key, doc)) = earlier {
        json["certificate"][key] =
            serde_json::json!({"as_of": doc.as_of, "body": doc.certificate.body, "inputs": []});
    }
    ResultDoc::from_json(&json.to_string())
        .expect("a result")
        .sealed()
}

/// Numbers that look random, from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A vault in memory.
#[derive(Clone, Default)]
pub struct Safe(pub Arc<Mutex<BTreeMap<String, String>>>);

impl Vault for Safe {
    fn keep(&mut self, token: &str, value: &str) -> Result<(), String> {
        self.0
            .lock()
            .expect("a lock")
            .insert(token.to_owned(), value.to_owned());
        Ok(())
    }

    fn value(&self, token: &str) -> Result<Option<String>, String> {
        Ok(self.0.lock().expect("a lock").get(token).cloned())
    }

    fn forget(&mut self, token: &str) -> Result<(), String> {
        self.0.lock().expect("a lock").remove(token);
        Ok(())
    }
}

/// How much of a campaign runs: few in everyday tests, all of it where this variable has a number.
pub fn rounds(variable: &str, everyday: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.map_or(everyday, |asked| asked.parse().expect("a number of rounds"))
}

/// For [`writer`]: make the store, remember this note, and make a copy beside it; 1 and 2 are acknowledged.
pub const COPY: u64 = 99;

const WRITER: &str = "QUANFU_TEST_WRITER";

/// The other end of [`writer`]: to be called by a test named `writer_of_its_own`; does nothing in an ordinary run.
pub fn write_if_asked() {
    let Ok(asked) = std::env::var(WRITER) else {
        return;
    };
    let mut words = asked.splitn(3, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (Some(from), Some(count)) = (number(), number()) else {
        panic!("FROM COUNT PLACE")
    };
    let place = Place::of_text(words.next().expect("a place"));
    if from == COPY {
        make_and_copy(&place);
        println!("\ndone");
        return;
    }
    let mut opened = place.open();
    for number in from..from + count {
        let done = match &mut opened {
            Ok(store) => store.remember(&[note(number)], &stamp()).map(|_| ()),
            Err(error) => Err(error.clone()),
        };
        match done {
            // libtest may have begun a line
            Ok(()) => println!("\nack {number}"),
            Err(error) => {
                println!("\nrefused {number} {}", error.code());
                opened = place.open();
            }
        }
    }
    println!("\ndone");
}

#[cfg_attr(not(feature = "postgres"), allow(irrefutable_let_patterns))]
fn make_and_copy(place: &Place) {
    let Place::File(path) = place else {
        panic!("a file")
    };
    let made = Store::create(path, Alg::Sha256, &stamp()).and_then(|mut store| {
        store.remember(&[note(COPY)], &stamp())?;
        println!("\nack 1");
        store.backup(&path.with_file_name("copy.db"))
    });
    match made {
        Ok(_) => println!("\nack 2"),
        Err(error) => println!("\nrefused {}", error.code()),
    }
}

/// A process that remembers the notes from `from`, each with a line of acknowledgement; below another command if given.
pub fn writer(place: &Place, from: u64, count: u64, below: &[String]) -> Child {
    let own = std::env::current_exe()
        .expect("this program")
        .display()
        .to_string();
    let mut words = below.to_vec();
    words.extend([
        own,
        "--exact".into(),
        "writer_of_its_own".into(),
        "--nocapture".into(),
    ]);
    Command::new(&words[0])
        .args(&words[1..])
        .env(WRITER, format!("{from} {count} {}", place.text()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .expect("a process")
}

/// Numbers that the writer acknowledged, up to its end, and whether it came to it.
pub fn acknowledged(child: &mut Child) -> (Vec<u64>, bool) {
    let out = BufReader::new(child.stdout.take().expect("its stdout"));
    let (mut acks, mut done) = (Vec::new(), false);
    for line in out.lines().map_while(Result::ok) {
        if let Some(number) = line.strip_prefix("ack ") {
            acks.extend(number.parse::<u64>());
        }
        done |= line == "done";
    }
    (acks, done)
}

/// Names of the notes that a store holds.
pub fn notes(store: &mut Store) -> Vec<u64> {
    let listed = store.documents().expect("documents");
    listed
        .iter()
        .filter_map(|document| document.name.parse().ok())
        .collect()
}
