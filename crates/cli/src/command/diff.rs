use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use quanfu::ResultDoc;
use quanfu::report::difference::{self, Given, difference};
use quanfu::settlement::{Digest, table};

use super::{extension, path, paths, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, USAGE};
use crate::files::{self, Outputs};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let places = ["old", "new"].map(|name| path(matches, name).unwrap_or_default());
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json", "csv"])?;
    }
    let given = paths(matches, "table");
    let read = places.iter().chain(&given).map(PathBuf::as_path);
    files::keep_apart(&outputs, read)?;
    let [old, new] = places.each_ref().map(|place| files::result(place));
    let docs = [old?, new?];
    let mut tables: [Option<String>; 2] = [None, None];
    for place in &given {
        let text = files::text(place)?;
        let mut known = false;
        for (doc, table) in docs.iter().zip(&mut tables) {
            if is_named(doc, &text) {
                *table = Some(text.clone());
                known = true;
            }
        }
        if !known {
            let message = format!(
                "{}: neither result names this file as its outcomes table",
                place.display()
            );
            return Err(Failure::new("outcomes-document", USAGE, message));
        }
    }
    for ((place, doc), table) in places.iter().zip(&docs).zip(&mut tables) {
        if table.is_none()
            && let Some((name, text)) = beside(place, doc)?
        {
            files::keep_apart(&outputs, std::iter::once(name.as_path()))?;
            *table = Some(text);
        }
    }
    let [old, new] = [0, 1].map(|at| Given {
        doc: &docs[at],
        table: tables[at].as_deref(),
    });
    let found = difference(old, new)
        .map_err(|error| Failure::new("outcomes-document", UNTRUSTED, error.to_string()))?;
    let mut written = Outputs::default();
    for output in &outputs {
        let text = match extension(output, &["json", "csv"])? {
            "json" => difference::json(&found),
            _ => format!("\u{feff}{}", difference::csv(&found)),
        };
        written.write(output, &text)?;
    }
    written.commit()?;
    screen.show(&match text(matches, "format") {
        "json" => difference::json(&found),
        "csv" => difference::csv(&found),
        _ => difference::table(&found, &screen.look),
    })?;
    Ok(if found.is_empty() { FINE } else { OPEN })
}

fn is_named(doc: &ResultDoc, text: &str) -> bool {
    let named = doc.certificate.outcomes_table;
    named.is_some_and(|named| named == Digest::of(named.alg, text.as_bytes()))
}

/// The outcomes table of a result among the files of its folder.
fn beside(place: &Path, doc: &ResultDoc) -> Result<Option<(PathBuf, String)>, Failure> {
    if doc.certificate.outcomes_table.is_none() {
        return Ok(None);
    }
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // a folder that cannot be listed has no table for us
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .collect();
    names.sort();
    for name in names {
        if begins_as_table(&name) {
            let text = files::text(&name)?;
            if is_named(doc, &text) {
                return Ok(Some((name, text)));
            }
        }
    }
    Ok(None)
}

fn begins_as_table(path: &Path) -> bool {
    let mut start = Vec::new();
    let wanted = table::HEADER.as_bytes();
    let read = files::open(path).map(|file| {
        let length = wanted.len() as u64 + 3; // with a byte order mark
        file.take(length).read_to_end(&mut start)
    });
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
    matches!(read, Ok(Ok(_))) && start.starts_with(wanted)
}
