//! Public sample files of MT940 and MT942, read as a whole: how many statements and entries, what each proof
//! says to the cent, and value dates and amounts as two other readers have them.
//!
//! The files are not part of the project: `QUANFU_CORPORA` names the folder that holds `mt940-wolph` and
//! `mt940-rs`. `BLESS=1` writes the table anew; read the difference line by line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use quanfu_formats::{Options, read_all};
use quanfu_settlement::{EntryAmount, FileReading, Measure, Proof, ProofKind, Statement, Verdict};
use serde_json::Value;

const CORPORA: [(&str, usize); 2] = [("mt940-wolph", 51), ("mt940-rs", 21)];

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mt940_corpora.csv");

const HEADER: &str =
    "file,statement,entries,rejected,balance,difference,control,page_sequence,end_marker";

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("QUANFU_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: QUANFU_CORPORA names no folder with sample files of MT940");
    }
    folder
}

/// All sample files of a corpus, by their names below it.
fn samples(corpus: &Path) -> Vec<PathBuf> {
    let mut waiting = vec![corpus.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for item in std::fs::read_dir(&folder).expect("the folder of a corpus can be read") {
            let path = item.expect("an item of a folder").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "sta") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name_of(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .expect("a path in the folder")
        .to_string_lossy()
        .replace('\\', "/")
}

fn read(path: &Path) -> Result<FileReading, &'static str> {
    let bytes = std::fs::read(path).expect("a sample can be read");
    let reading = read_all("sample.sta", bytes.as_slice(), &Options::default());
    reading
        .map(|mut reading| reading.files.remove(0))
        .map_err(|error| error.code())
}

fn proof(statement: &Statement, kind: ProofKind) -> &Proof {
    let mut proofs = statement
        .tail
        .proofs
        .iter()
        .filter(|proof| proof.kind == kind);
    proofs.next().expect("each statement has this proof")
}

/// What the file and its statements say, as lines of the table.
fn rows(name: &str, reading: &Result<FileReading, &'static str>) -> String {
    let mut rows = String::new();
    let file = match reading {
        Ok(file) => file,
        Err(code) => {
            let _ = writeln!(rows, "{name},{code},,,,,,,");
            return rows;
        }
    };
    for (index, statement) in file.statements.iter().enumerate() {
        let balance = proof(statement, ProofKind::Balance);
        let difference = match &balance.difference {
            Some(Measure::Money(sum)) => sum.to_string(),
            _ => String::new(),
        };
        let controls: Vec<String> = statement
            .tail
            .proofs
            .iter()
            .filter(|proof| matches!(proof.kind, ProofKind::ControlCount | ProofKind::ControlSum))
            .filter(|proof| proof.verdict != Verdict::Absent)
            .map(|proof| {
                let difference = proof
                    .difference
                    .as_ref()
                    .map_or_else(String::new, Measure::to_string);
                format!("{} {} {difference}", proof.scope, proof.verdict)
            })
            .collect();
        let rejected = if index == 0 { file.rejected.len() } else { 0 };
        let _ = writeln!(
            rows,
            "{name},{index},{},{rejected},{},{difference},{},{},{}",
            statement.entries.len(),
            balance.verdict,
            controls.join("; "),
            proof(statement, ProofKind::PageSequence).verdict,
            proof(statement, ProofKind::EndMarker).verdict,
        );
    }
    rows
}

#[test]
fn every_sample_reads_as_the_table_says_and_no_entry_is_lost() {
    let Some(folder) = corpora() else { return };
    let mut table = format!("{HEADER}\n");
    for (corpus, count) in CORPORA {
        let samples = samples(&folder.join(corpus));
        assert_eq!(samples.len(), count, "{corpus}");
        for path in samples {
            let name = name_of(&path, &folder);
            let reading = read(&path);
            table += &rows(&name, &reading);
            let bytes = std::fs::read(&path).expect("a sample can be read");
            let markers = bytes
                .split(|&byte| byte == b'\n')
                .filter(|line| line.starts_with(b":61:"))
                .count();
            let Ok(file) = reading else {
                assert_eq!(markers, 0, "{name}: a file with entries is read");
                continue;
            };
            let entries: usize = file
                .statements
                .iter()
                .map(|statement| statement.entries.len())
                .sum();
            assert_eq!(entries + file.rejected.len(), markers, "{name}");
            for entry in file
                .statements
                .iter()
                .flat_map(|statement| &statement.entries)
            {
                let from = usize::try_from(entry.at.byte).expect("a small file");
                let record = &bytes[from..from + entry.at.len as usize];
                assert!(
                    record.starts_with(b":61:"),
                    "{name}, line {}",
                    entry.at.line
                );
            }
        }
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(TABLE, &table).expect("the table can be written");
    }
    let expected = std::fs::read_to_string(TABLE).expect("the table is there");
    for (got, want) in table.lines().zip(expected.lines()) {
        assert_eq!(got, want);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

/// Value date and signed amount of a golden's entry, in the form of [`ours`].
type Golden = Vec<(String, String)>;

/// Where a golden is wrong: file, entry counted from 0, what the golden has, and why it is wrong.
const WRONG_GOLDENS: &[(&str, usize, &str, &str)] = &[
    (
        "mt940-wolph/betterplace/sepa_mt9401.sta",
        5,
        "2007-09-04 204.88",
        REVERSED_CREDIT,
    ),
    (
        "mt940-wolph/betterplace/sepa_mt9401.sta",
        18,
        "2007-09-04 204.88",
        REVERSED_CREDIT,
    ),
    (
        "mt940-wolph/self-provided/february_30.sta",
        0,
        "2016-02-29 -6",
        NO_SUCH_DAY,
    ),
    (
        "mt940-wolph/self-provided/transaction_details_wrapped.sta",
        0,
        "2016-02-29 -6",
        NO_SUCH_DAY,
    ),
    (
        "mt940-wolph/self-provided/wrapped_timestamp.sta",
        0,
        "2016-02-29 -6",
        NO_SUCH_DAY,
    ),
];

const REVERSED_CREDIT: &str =
    "RC takes a credit back, so it is a debit: only then do field 60 and the sum make field 62";

const NO_SUCH_DAY: &str = "there is no 30 February; the golden takes the month's last day without a word, we leave it out with a finding";

/// An amount without sign for zero, trailing zeros and leading ones.
fn plain(amount: &str) -> String {
    let (sign, digits) = amount
        .strip_prefix('-')
        .map_or(("", amount), |digits| ("-", digits));
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits if digits.starts_with('.') => format!("{sign}0{digits}"),
        digits => format!("{sign}{digits}"),
    }
}

fn ours(file: &FileReading) -> Golden {
    let entries = file
        .statements
        .iter()
        .flat_map(|statement| &statement.entries);
    entries
        .map(|entry| {
            let amount = match &entry.amount {
                EntryAmount::Money(money) => money.amount_text(),
                EntryAmount::Written(text) => text.to_string(),
            };
            let date = entry
                .value_date
                .map_or_else(|| "none".to_owned(), |date| date.to_string());
            (date, plain(&amount))
        })
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn json(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a golden is JSON"))
}

/// What mt-940 made of a file.
fn python_golden(corpus: &Path, name: &str) -> Option<Golden> {
    let name = name
        .strip_prefix("mt940-wolph/")?
        .replace('/', "__")
        .replace(".sta", ".json");
    let golden = json(&corpus.join("expected-peer").join(name))?;
    let entries = golden["merged"]["entries"].as_array()?;
    let read = |entry: &Value| {
        (
            text(entry, "date").to_owned(),
            plain(text(&entry["amount"], "amount")),
        )
    };
    Some(entries.iter().map(read).collect())
}

/// What mt940-rs made of a file.
fn rust_golden(path: &Path) -> Option<Golden> {
    let golden = json(&path.with_extension("json"))?;
    let lines = golden.as_array()?.iter().flat_map(|statement| {
        statement["statement_lines"]
            .as_array()
            .into_iter()
            .flatten()
    });
    let read = |line: &Value| {
        let sign = match text(line, "ext_debit_credit_indicator") {
            "Credit" | "ReverseDebit" => "",
            _ => "-",
        };
        (
            text(line, "value_date").to_owned(),
            plain(&format!("{sign}{}", text(line, "amount"))),
        )
    };
    Some(lines.map(read).collect())
}

#[test]
fn value_dates_and_amounts_are_those_of_two_other_readers_where_these_are_right() {
    let Some(folder) = corpora() else { return };
    let mut compared = 0;
    let mut met = Vec::new();
    let mut differing = Vec::new();
    for (corpus, _) in CORPORA {
        let corpus = folder.join(corpus);
        for path in samples(&corpus) {
            let name = name_of(&path, &folder);
            let golden = python_golden(&corpus, &name).or_else(|| rust_golden(&path));
            let (Some(golden), Ok(file)) = (golden, read(&path)) else {
                continue;
            };
            let ours = ours(&file);
            assert_eq!(ours.len(), golden.len(), "{name}");
            for (index, (ours, golden)) in ours.iter().zip(&golden).enumerate() {
                compared += 1;
                let shown = format!("{} {}", golden.0, golden.1);
                let wrong = WRONG_GOLDENS
                    .iter()
                    .find(|wrong| wrong.0 == name && wrong.1 == index);
                match wrong {
                    Some(wrong) => {
                        assert_eq!(
                            wrong.2, shown,
                            "{name}, entry {index}: the exception is another"
                        );
                        assert_ne!(ours, golden, "{name}, entry {index}: {}", wrong.3);
                        met.push(wrong.0);
                    }
                    None if ours != golden => {
                        differing.push(format!("{name}, entry {index}: {ours:?} is not {golden:?}"))
                    }
                    None => {}
                }
            }
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(
        met.len(),
        WRONG_GOLDENS.len(),
        "exceptions that no golden needs"
    );
    // The samples hold 366 entries; 15 of them stand in files that neither reader could read.
    assert_eq!(compared, 351, "entries that a golden speaks of");
}
