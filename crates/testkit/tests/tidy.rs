//! Rules of the house that a reader of the source can check.

use std::collections::BTreeSet;

use quanfu_testkit::house::{self, code_lines, has_word};

/// Lines of code in `crates/*/src` (and the facade) that hold one of these words, without the places allowed.
fn lines_with(words: &[&str], crates: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in house::files("crates", &[".rs"]) {
        let name = path.split('/').nth(1).expect("crates/NAME/...");
        let is_source = path.contains("/src/") || name == "quanfu";
        if !is_source || !crates.contains(&name) || allowed.contains(&path.as_str()) {
            continue;
        }
        for (number, line) in code_lines(&house::text(&path)) {
            if let Some(word) = words.iter().find(|word| has_word(line, word)) {
                found.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    found
}

const BELOW_THE_DOORS: &[&str] = &[
    "calendar",
    "codes",
    "credit",
    "filing",
    "formats",
    "fx",
    "money",
    "quanfu",
    "recon",
    "report",
    "sample",
    "settlement",
    "store",
    "trail",
    "verify",
];

#[test]
fn no_binary_float_is_in_the_code() {
    let mut crates = BELOW_THE_DOORS.to_vec();
    crates.extend(["cli", "testkit"]);
    assert_eq!(
        lines_with(&["f32", "f64"], &crates, &[]),
        Vec::<String>::new()
    );
}

#[test]
fn below_the_doors_nobody_asks_the_world() {
    let words = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "SystemTime",
        "Instant",
        "File::open",
        "File::create",
        "OpenOptions",
        "TcpStream",
        "RandomState",
        "thread_rng",
        "Utc",
        "println",
        "eprintln",
    ];
    // The store owns its files: they are touched in this one place.
    let files = ["crates/store/src/sqlite.rs"];
    assert_eq!(
        lines_with(&words, BELOW_THE_DOORS, &files),
        Vec::<String>::new()
    );
}

/// Whether a line makes up a statement from parts.
fn makes_up_sql(line: &str) -> bool {
    let starts = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ",
    ];
    ["format!", "push_str", "write!"]
        .iter()
        .any(|word| line.contains(word))
        && starts.iter().any(|start| line.contains(start))
}

#[test]
fn no_statement_of_the_store_is_made_up_from_values() {
    assert!(makes_up_sql("let sql = format!(\"SELECT {a}\");"));
    let mut found = Vec::new();
    for path in house::files("crates/store/src", &[".rs"]) {
        for (number, line) in code_lines(&house::text(&path)) {
            if makes_up_sql(line) {
                found.push(format!("{path}:{number}"));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_is_forbidden_is_seen_in_code_but_not_in_comments_or_names() {
    let source = "let x: f64 = 1.0;\n// f64 is bad\nlet f64_like = 1;\n#[cfg(test)]\nlet y: f64;\n";
    let hits = code_lines(source)
        .into_iter()
        .filter(|(_, line)| has_word(line, "f64"))
        .count();
    assert_eq!(hits, 1);
}

#[test]
fn nothing_names_the_place_where_it_was_written() {
    // Put together here, so that this file does not hold the words itself.
    let words = [
        concat!("/wo", "rk/"),
        concat!("../sha", "red"),
        concat!("bash_", "jobs"),
        concat!("/tm", "p/"),
    ];
    let mut found = Vec::new();
    for path in house::files(
        "",
        &[
            ".rs", ".toml", ".md", ".csv", ".txt", ".json", ".svg", ".yml",
        ],
    ) {
        let text = house::text(&path);
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_undone() {
    let words = [
        concat!("#[ig", "nore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
    ];
    let mut found = Vec::new();
    for path in house::files("", &[".rs"]) {
        let text = house::text(&path);
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_shipped_profile_is_named_in_code() {
    let mut names = BTreeSet::new();
    for path in house::files("crates/formats/data", &[".toml"]) {
        let profile: toml::Table = house::text(&path).parse().expect("a profile is TOML");
        let name = profile
            .get("name")
            .and_then(toml::Value::as_str)
            .expect("a profile has a name");
        names.insert(name.to_owned());
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let engine = [
        "formats",
        "quanfu",
        "recon",
        "report",
        "settlement",
        "verify",
    ];
    let mut found = Vec::new();
    for path in house::files("crates", &[".rs"]) {
        // A test may name what it tests.
        let is_engine = |name: &&str| path.starts_with(&format!("crates/{name}/"));
        if path.contains("/tests/") || !engine.iter().any(is_engine) {
            continue;
        }
        for (number, line) in code_lines(&house::text(&path)) {
            for name in quoted.iter().filter(|name| line.contains(name.as_str())) {
                found.push(format!("{path}:{number}: {name}"));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
