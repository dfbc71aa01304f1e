//! `recon -o groups:FILE.csv`: key groups of very many rows.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use quanfu::settlement::DigestAlg;
use quanfu::settlement::groups::GroupsDoc;
use quanfu::{KeyGroups, KeyRun, Rules};

use super::recon::{self, threads};
use super::store::Memory;
use super::{extension, paths, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, graver};
use crate::files::{self, Outputs, ScratchFile};
use crate::screen::Screen;

/// Memory unless the caller says so: holds about thirty million rows. A bounded run of ten million rows a side takes
/// about a tenth longer.
const MEMORY: u64 = 2_000_000_000;

/// How many rejected records are told one by one.
const TOLD: usize = 10;

/// The list's path, if an output asks for one.
pub fn list(output: &Path) -> Option<PathBuf> {
    let text = output.to_str()?;
    text.strip_prefix("groups:").map(PathBuf::from)
}

pub fn run(
    matches: &ArgMatches,
    rules_path: &Path,
    rules: Rules,
    inputs: Vec<(String, PathBuf)>,
    outputs: &[PathBuf],
    screen: &Screen,
) -> Result<u8, Failure> {
    for name in [
        "after",
        "supersedes",
        "decisions",
        "as-of",
        "calendar",
        "rates",
    ] {
        if matches.contains_id(name) {
            return Err(Failure::usage(format!(
                "--{name}: a key run (-o groups:FILE.csv) knows no days; leave it out"
            )));
        }
    }
    if matches.get_flag("strict") {
        return Err(Failure::usage(
            "--strict: a key run reads all records; its rejected ones are listed",
        ));
    }
    if text(matches, "format") == "jsonl" {
        return Err(Failure::usage(
            "--format jsonl: a key run shows its totals (table, csv) or json",
        ));
    }
    let mut places = Vec::new();
    let mut groups = None;
    for output in outputs {
        let place = match list(output) {
            Some(place) => {
                extension(&place, &["csv"])?;
                if groups.is_some() {
                    return Err(Failure::usage("-o groups: twice; a key run has one list"));
                }
                groups = Some(place.clone());
                place
            }
            None => {
                extension(output, &["json"])?;
                output.clone()
            }
        };
        places.push(place);
    }
    let groups = groups.unwrap_or_default();
    let read = inputs.iter().map(|(_, path)| path.as_path());
    files::keep_apart(&places, read.chain([rules_path]))?;

    let store = Memory::of(matches)?;
    let mut written = Outputs::default();
    let mut file = written.begin(&groups)?;
    let scratch = ScratchFile::beside(&groups)?;
    let memory = matches.get_one::<u64>("memory");
    let memory = memory.copied().unwrap_or(MEMORY);
    let mut run = KeyRun::new(rules)
        .threads(threads(matches))
        .memory(memory, &scratch)
        .digest(match text(matches, "digest") {
            "sha256" => DigestAlg::Sha256,
            _ => DigestAlg::Blake3,
        });
    for path in paths(matches, "profile") {
        run = run.profile(files::profile(&path)?);
    }
    let sizes = inputs
        .iter()
        .filter_map(|(_, path)| Some(path.metadata().ok()?.len()));
    run = run.expecting(sizes.sum());
    for (source, path) in &inputs {
        run = run.file(source, &path.display().to_string(), files::open(path)?);
    }
    let KeyGroups { doc, findings } = run
        .run(&mut |lines| file.write_all(lines))
        .map_err(|error| Failure::day(&error))?;
    file.flush()
        .map_err(|error| Failure::output(&groups, &error))?;
    drop(file);
    for output in outputs.iter().filter(|output| list(output).is_none()) {
        written.write(output, &doc.to_json())?;
    }
    written.commit()?;

    match text(matches, "format") {
        "json" => screen.show(&doc.to_json())?,
        _ => screen.show(&totals(&doc))?,
    }
    recon::say_findings(&findings, screen);
    tell(&doc, &places, screen);
    if let Some(mut store) = store {
        store.remember(&[("key run".as_ref(), doc.to_json())], screen)?;
    }
    let is_open = doc.totals.iter().any(|total| total.class != "matched");
    Ok(graver(
        if is_open { OPEN } else { FINE },
        if doc.trusted { FINE } else { UNTRUSTED },
    ))
}

/// One line for each class and currency: class, currency, groups, sum of left rows, sum of right rows.
fn totals(doc: &GroupsDoc) -> String {
    let mut text = String::new();
    for total in &doc.totals {
        let line = [
            &total.class,
            total.currency.code(),
            &total.groups.to_string(),
            &thousandths(&total.left),
            &thousandths(&total.right),
        ];
        text.push_str(&line.join(","));
        text.push('\n');
    }
    text
}

/// A sum with three decimals, as many as any currency in use has, so that columns of several currencies look alike.
fn thousandths(sum: &str) -> String {
    let decimals = sum
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let mut text = sum.to_owned();
    if decimals == 0 {
        text.push('.');
    }
    for _ in decimals..3 {
        text.push('0');
    }
    text
}

fn tell(doc: &GroupsDoc, places: &[PathBuf], screen: &Screen) {
    for record in doc.rejected.iter().take(TOLD) {
        screen.say(&format!(
            "rejected[{}]: {}:{}:{}: {}: {}\n",
            record.code, record.file, record.line, record.column, record.field, record.message
        ));
    }
    if doc.rejected.len() > TOLD {
        screen.say(&format!("rejected: {} more\n", doc.rejected.len() - TOLD));
    }
    let names: Vec<String> = places
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    screen.say(&format!("wrote  {}\n", names.join(", ")));
}
