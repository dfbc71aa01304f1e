//! The house as files: where it stands, its crates, their sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the workspace.
///
/// # Panics
///
/// If this crate does not stand in `crates/testkit`.
#[must_use]
pub fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates
        .and_then(Path::parent)
        .expect("this crate stands two folders below the root")
        .to_owned()
}

/// The text of a file, named from the root; bytes that are no UTF-8 are replaced.
///
/// # Panics
///
/// If it cannot be read.
#[must_use]
pub fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The folders in `crates/`, sorted.
///
/// # Panics
///
/// If they cannot be listed.
#[must_use]
pub fn crates() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("crates/ can be listed")
        .map(|entry| entry.expect("crates/ can be listed"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("names are ASCII"))
        .collect();
    names.sort();
    names
}

/// The files below a folder with one of these endings, named from the root and sorted; what git ignores is left out.
///
/// # Panics
///
/// If a folder cannot be listed.
#[must_use]
pub fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let root = root();
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("folders of the house can be listed") {
            let path = entry.expect("folders of the house can be listed").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("");
            if path.is_dir() {
                if !["target", ".git", "artifacts", "coverage"].contains(&name) {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let path = path.strip_prefix(&root).expect("it lies below the root");
                found.push(path.to_str().expect("names are UTF-8").replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The lines of a source file that are code, numbered from 1: no comment, and nothing from the unit tests on, which
/// stand last in a file.
#[must_use]
pub fn code_lines(source: &str) -> Vec<(usize, &str)> {
    let lines = source.lines().enumerate();
    lines
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or("")))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect()
}

/// Whether a line holds a word, bounded by what cannot be part of a name.
#[must_use]
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        !line[..start].ends_with(part) && !line[start + word.len()..].starts_with(part)
    })
}

/// The rows of the table in a Markdown text whose first header cell is this; cells trimmed.
#[must_use]
pub fn table(markdown: &str, first_header: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_start_matches('|').trim_end_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    markdown
        .lines()
        .skip_while(|line| !line.starts_with('|') || cells(line)[0] != first_header)
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect()
}
