//! The bench generator's files (100,000 rows a side) against their own truth: what must come of each class.
//!
//! The files are found through the variable `QUANFU_BENCH_DIR`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use quanfu::calendar::Date;
use quanfu::settlement::{Book, DigestAlg, Outcome, Side};
use quanfu::{Day, Profile, Reconciled, Rules};

fn repo(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn text(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

fn profile(name: &str) -> Profile {
    let path = repo(&format!("benches/profiles/{name}.toml"));
    Profile::parse(&text(&path)).expect("a profile of ours")
}

/// Files of one source, by name.
type Files = Vec<(String, String)>;

fn run(institution: &Files, bank: &Files, threads: usize) -> Reconciled {
    let rules = Rules::parse(&text(&repo("benches/rules/bench.toml"))).expect("rules of ours");
    let mut day = Day::new(rules)
        .profile(profile("institution"))
        .profile(profile("bank"))
        .as_of(Date::from_ymd_opt(2026, 3, 31).expect("a day"))
        .threads(threads);
    for (source, files) in [("psp", institution), ("bank", bank)] {
        for (name, bytes) in files {
            let reader: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.as_bytes().to_vec()));
            day = day.file(source, name, reader);
        }
    }
    day.run().expect("the files are right")
}

fn whole(name: &str, text: &str) -> Files {
    vec![(name.to_owned(), text.to_owned())]
}

/// Row ids by line number of a file.
fn ids(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| line.split(',').next().unwrap_or(""))
        .collect()
}

struct Truth {
    group: u64,
    class: String,
}

fn truth(text: &str) -> HashMap<&str, Truth> {
    let rows = text.lines().skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        let group = cells[0].parse().expect("a number");
        let class = cells[3].to_owned();
        (cells[2], Truth { group, class })
    })
    .collect()
}

fn table(done: &Reconciled) -> String {
    let mut text = String::new();
    done.table().for_each_line(|line| text.push_str(line));
    text
}

/// The data lines of a file, in an order that only the text decides, cut in two.
fn shuffled_halves(name: &str, text: &str) -> Files {
    let (head, rows) = text.split_once('\n').expect("a header");
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.sort_unstable_by_key(|row| row.bytes().rev().collect::<Vec<u8>>());
    let (one, two) = rows.split_at(rows.len() / 3);
    let file = |rows: &[&str]| format!("{head}\n{}\n", rows.join("\n"));
    vec![
        (format!("1-{name}"), file(one)),
        (format!("2-{name}"), file(two)),
    ]
}

fn item<'t>(book: &Book, row: u32, ids: &[&'t str]) -> &'t str {
    ids[book.at(row).line as usize - 1]
}

#[test]
fn every_class_of_the_generator_ends_as_the_table_says() {
    let Some(folder) = std::env::var_os("QUANFU_BENCH_DIR").map(PathBuf::from) else {
        println!("skipped: QUANFU_BENCH_DIR names no folder with the generator's files");
        return;
    };
    let institution = text(&folder.join("institution.csv"));
    let bank = text(&folder.join("bank.csv"));
    let truth_text = text(&folder.join("truth.csv"));
    let truth = truth(&truth_text);
    let (left_ids, right_ids) = (ids(&institution), ids(&bank));
    let (left_files, right_files) = (
        whole("institution.csv", &institution),
        whole("bank.csv", &bank),
    );

    let done = run(&left_files, &right_files, 2);
    let outcomes = done.outcomes();
    let edge = &outcomes.edges[0];
    let [left, right] = [&outcomes.books[0], &outcomes.books[1]];

    // Nothing is confirmed with a row that it does not belong to.
    let mut wrong = Vec::new();
    for group in edge
        .groups
        .iter()
        .filter(|group| group.outcome == Outcome::Confirmed)
    {
        let left_ids = edge
            .left_members(group)
            .iter()
            .map(|&row| item(left, row, &left_ids));
        let right_ids = edge
            .right_members(group)
            .iter()
            .map(|&row| item(right, row, &right_ids));
        let members: Vec<&str> = left_ids.chain(right_ids).collect();
        let first = truth[members[0]].group;
        if members.iter().any(|member| truth[member].group != first) {
            wrong.push(members);
        }
    }
    assert!(
        wrong.is_empty(),
        "{} groups wrong: {:?}",
        wrong.len(),
        wrong.first()
    );

    // What came of each class is what the shipped table says.
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for (side, name, book, ids) in [
        (Side::Left, "psp", left, &left_ids),
        (Side::Right, "bank", right, &right_ids),
    ] {
        for (row, came) in edge.side(side).iter().enumerate() {
            let class = &truth[item(book, row as u32, ids)].class;
            let code = came.code.map_or("", |code| code.code());
            let group = came.group.map(|group| &edge.groups[group as usize]);
            let mut causes: Vec<&str> = group
                .map(|group| {
                    group
                        .causes
                        .iter()
                        .map(|cause| cause.name.as_str())
                        .collect()
                })
                .unwrap_or_default();
            causes.dedup();
            let rule = group
                .and_then(|group| group.rule)
                .map(|rule| done.rules().edges[0].rules[rule as usize].id.as_str());
            let key = format!(
                "{class},{name},{},{code},{},{}",
                came.outcome,
                rule.unwrap_or(""),
                causes.join(";")
            );
            *found.entry(key).or_default() += 1;
        }
    }
    let mut shown = String::from("class,source,outcome,code,rule,causes,rows\n");
    for (key, rows) in &found {
        shown.push_str(&format!("{key},{rows}\n"));
    }
    let table_path = repo("benches/truth.csv");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&table_path, &shown).expect("the table can be written");
    }
    assert_eq!(
        shown,
        text(&table_path),
        "benches/truth.csv says what must come of each class"
    );

    // The same outcome for shuffled rows and for the input split into two files.
    let split = run(
        &shuffled_halves("institution.csv", &institution),
        &shuffled_halves("bank.csv", &bank),
        2,
    );
    assert_eq!(
        done.table().digest(DigestAlg::Sha256, 2),
        split.table().digest(DigestAlg::Sha256, 2),
        "shuffled and split"
    );

    // The same bytes for 1, 2 and 8 threads, and two workers each took rows.
    let workers = &done.stats().rows_by_worker;
    assert!(
        workers.iter().filter(|&&rows| rows > 0).count() >= 2,
        "{workers:?}"
    );
    let (document, lines) = (done.document(None).to_json(), table(&done));
    let mut blocks = String::new();
    done.write_table(|block| blocks.push_str(block));
    assert_eq!(blocks, lines, "by blocks as by lines");
    for threads in [1, 8] {
        let other = run(&left_files, &right_files, threads);
        assert_eq!(
            document,
            other.document(None).to_json(),
            "{threads} threads"
        );
        assert_eq!(lines, table(&other), "{threads} threads");
    }
}
