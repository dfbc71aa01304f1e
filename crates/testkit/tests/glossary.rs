//! Every word of the glossary in `crates/README.md` names an item that exists, where its Chinese term stands too.

use quanfu_testkit::house;

/// Whether a trimmed line begins the definition of a type.
fn defines(line: &str, name: &str) -> bool {
    let rest = ["pub struct ", "pub enum ", "pub trait ", "pub type ", ""]
        .iter()
        .find_map(|start| line.strip_prefix(start)?.strip_prefix(name));
    // `Name {` alone is how the closed lists of settlement begin.
    rest.is_some_and(|rest| {
        rest == " {" || line.starts_with("pub ") && rest.starts_with([' ', '<', '(', ';'])
    })
}

/// Whether a trimmed line is a variant, field, constant or function.
fn is_part(line: &str, name: &str) -> bool {
    let starts = ["pub fn ", "pub const fn ", "pub const ", "pub ", ""];
    starts.iter().any(|start| {
        let rest = line
            .strip_prefix(start)
            .and_then(|line| line.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with([',', '(', ':', ' ', '<']))
    })
}

/// What is wrong with a row, if anything.
fn fault(chinese: &str, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.trim_matches('`').split("::").collect();
    let [home, item, part @ ..] = &parts[..] else {
        return Some(format!("{path}: crate::Item or crate::Item::part"));
    };
    for file in house::files(&format!("crates/{home}/src"), &[".rs"]) {
        let source = house::text(&file);
        let lines: Vec<&str> = source.lines().map(str::trim).collect();
        let Some(start) = lines.iter().position(|line| defines(line, item)) else {
            continue;
        };
        if let [part] = part
            && !lines[start + 1..].iter().any(|line| is_part(line, part))
        {
            return Some(format!("{path}: {file} has {item}, but no {part} in it"));
        }
        if !source.contains(chinese) {
            return Some(format!("{path}: {file} does not say {chinese}"));
        }
        return None;
    }
    Some(format!("{path}: crates/{home}/src has no {item}"))
}

#[test]
fn every_word_of_the_glossary_names_an_item_that_exists() {
    let rows = house::table(&house::text("crates/README.md"), "word");
    assert!(rows.len() >= 20, "the glossary was found");
    let faults: Vec<String> = rows
        .iter()
        .filter_map(|row| fault(&row[1], &row[2]))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_word_without_its_item_is_seen() {
    for (chinese, path, want) in [
        ("人民币", "`money::Curency`", "has no Curency"),
        ("人民币", "`money::Currency::CNX`", "no CNX in it"),
        ("日元", "`money::Currency::CNY`", "does not say 日元"),
    ] {
        let found = fault(chinese, path).expect("a fault");
        assert!(found.contains(want), "{found:?} should say {want:?}");
    }
}
