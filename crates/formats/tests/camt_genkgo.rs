//! Every camt file of the public repository genkgo/camt, against its object dumps and a table that people checked.
//!
//! `camt_genkgo.csv` has a line for each statement. `BLESS=1` writes it anew; the difference is then read line by
//! line. Its last column says what the dump beside the file has to say of the statement's entries.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use quanfu_formats::{Options, read_all};
use quanfu_settlement::{Entry, ProofKind, Statement};
use serde_json::Value;

fn corpus() -> Option<PathBuf> {
    let Some(corpora) = std::env::var_os("QUANFU_CORPORA") else {
        println!("skipped: QUANFU_CORPORA is not set, so the files of camt-genkgo are not read");
        return None;
    };
    Some(Path::new(&corpora).join("camt-genkgo"))
}

fn files(corpus: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(corpus).expect("the corpus is a folder");
    let mut files: Vec<PathBuf> = listed
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "xml"));
    files.sort();
    assert!(files.len() >= 26, "the corpus has 26 files");
    files
}

fn brief(entry: &Entry<'_>) -> String {
    let money = entry.money().expect("camt entries have a currency");
    let day = entry
        .value_date
        .map_or("-".to_owned(), |day| day.to_string());
    format!("{day} {money} {}", entry.status)
}

/// The dump's entry in the same words.
fn golden_brief(entry: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let currency = text(&entry["getAmount"]["getCurrency"]["getCode"]);
    let minor: i64 = text(&entry["getAmount"]["getAmount"])
        .parse()
        .expect("minor units");
    let currency = currency.parse().expect("a currency");
    let money = quanfu_money::Money::from_minor(minor, currency);
    let day = entry["getValueDate"]["0"]
        .as_str()
        .map_or("-", |day| &day[..10]);
    let status = match entry["getStatus"].as_str() {
        Some("BOOK") => "booked",
        Some("PDNG") => "pending",
        other => panic!("{other:?} is a status that no dump had"),
    };
    format!("{day} {money} {status}")
}

fn row(name: &str, index: usize, statement: &Statement, golden: &str) -> String {
    let balance = statement
        .tail
        .proofs
        .iter()
        .find(|proof| proof.kind == ProofKind::Balance);
    let balance = balance.expect("every statement has a balance proof");
    let difference = balance
        .difference
        .as_ref()
        .map_or(String::new(), ToString::to_string);
    let controls: Vec<String> = statement.tail.proofs[1..]
        .iter()
        .map(|proof| {
            let difference = proof
                .difference
                .as_ref()
                .map_or(String::new(), |d| format!(" {d}"));
            format!(
                "{} {}: {}{difference}",
                proof.scope, proof.kind, proof.verdict
            )
        })
        .collect();
    let entries: Vec<String> = statement.entries.iter().map(brief).collect();
    let balance_of = |balance: Option<quanfu_settlement::Balance>| {
        balance.map_or(String::new(), |balance| balance.amount.to_string())
    };
    format!(
        "{name},{index},{},{},{},{},{},{},{difference},{},{golden}",
        statement.head.account.as_deref().unwrap_or_default(),
        entries.len(),
        entries.join("; "),
        balance_of(statement.opening()),
        balance_of(statement.tail.closing),
        balance.verdict,
        controls.join("; "),
    )
}

#[test]
fn every_statement_is_as_the_table_says_and_as_the_dumps_say_where_they_are_right() {
    let Some(corpus) = corpus() else { return };
    let mut table =
        "file,statement,account,entries,value date and amount,opening,closing,balance,difference,controls,dump\n".to_owned();
    for path in files(&corpus) {
        let name = path
            .file_name()
            .expect("a name")
            .to_str()
            .expect("UTF-8")
            .to_owned();
        let bytes = std::fs::read(&path).expect("readable");
        let reading = match read_all(&name, bytes.as_slice(), &Options::default()) {
            Ok(reading) => reading,
            Err(error) => {
                writeln!(table, "{name},,,,,,,,,,refused: {}", error.code()).expect("text");
                continue;
            }
        };
        let file = &reading.files[0];
        let marks = memchr::memmem::find_iter(&bytes, b"<Ntry>").count();
        assert_eq!(
            file.file.records, marks as u64,
            "{name}: one record for each Ntry"
        );
        assert_eq!(file.file.rejected, 0, "{name}: {:?}", file.rejected);
        let dump = std::fs::read(path.with_extension("json")).expect("a dump beside the file");
        let dump: Value = serde_json::from_slice(&dump).expect("JSON");
        let golden: Vec<String> = dump["getEntries"]
            .as_array()
            .expect("a list")
            .iter()
            .map(golden_brief)
            .collect();
        let ours: Vec<String> = file
            .statements
            .iter()
            .flat_map(|s| &s.entries)
            .map(brief)
            .collect();
        for (index, statement) in file.statements.iter().enumerate() {
            let these: Vec<String> = statement.entries.iter().map(brief).collect();
            let word = if ours == golden {
                "agrees"
            } else if golden == these {
                "agrees for this statement but leaves out the others"
            } else {
                "leaves this statement out"
            };
            writeln!(table, "{}", row(&name, index + 1, statement, word)).expect("text");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/camt_genkgo.csv");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &table).expect("written");
    }
    let want = std::fs::read_to_string(&path).expect("the table is beside this test");
    for (got, want) in table.lines().zip(want.lines()) {
        assert_eq!(got, want);
    }
    assert_eq!(table.lines().count(), want.lines().count());
}
