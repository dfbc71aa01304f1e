use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::ArgMatches;
use quanfu::calendar::{BusinessCalendar, Date};
use quanfu::recon::Progress;
use quanfu::report::{labels, result};
use quanfu::settlement::{Digest, DigestAlg, Finding, FindingCode, Hasher, Severity};
use quanfu::{Day, Reconciled, ResultDoc, Rules};

use super::store::Memory;
use super::{extension, keyrun, path, paths, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, graver};
use crate::files::{self, Outputs};
use crate::screen::Screen;

/// How many rejected records, and how many findings, are told one by one.
const TOLD: usize = 10;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let rules_path = path(matches, "rules").unwrap_or_default();
    let rules = files::rules(&rules_path)?;
    let inputs = inputs(matches, &rules)?;
    let outputs = paths(matches, "out");
    if outputs.iter().any(|output| keyrun::list(output).is_some()) {
        return keyrun::run(matches, &rules_path, rules, inputs, &outputs, screen);
    }
    if matches.contains_id("memory") {
        return Err(Failure::usage(
            "--memory bounds a key run: -o groups:FILE.csv asks for one",
        ));
    }
    for output in &outputs {
        extension(output, &["json", "csv"])?;
    }
    let documents = [
        path(matches, "after"),
        path(matches, "supersedes"),
        path(matches, "decisions"),
        path(matches, "rates"),
        Some(rules_path),
    ];
    let read = inputs.iter().map(|(_, path)| path.as_path());
    files::keep_apart(
        &outputs,
        read.chain(documents.iter().flatten().map(PathBuf::as_path)),
    )?;
    let after = earlier(matches, "after")?;
    let supersedes = earlier(matches, "supersedes")?;
    let decisions = path(matches, "decisions");
    let decisions = decisions.map(|path| files::decisions(&path)).transpose()?;

    let memory = Memory::of(matches)?;

    let began = Instant::now();
    let is_terminal = std::io::stderr().is_terminal() && !screen.quiet;
    let progress = |progress: Progress| {
        if is_terminal && began.elapsed() > Duration::from_millis(500) {
            eprint!("\rrule {} of {} ", progress.done + 1, progress.of);
        }
        ControlFlow::Continue(())
    };
    let mut day = Day::new(rules.clone())
        .threads(threads(matches))
        .strict(matches.get_flag("strict"))
        .digest(match text(matches, "digest") {
            "sha256" => DigestAlg::Sha256,
            _ => DigestAlg::Blake3,
        })
        .progress(&progress);
    for path in paths(matches, "profile") {
        day = day.profile(files::profile(&path)?);
    }
    if let Some(path) = path(matches, "calendar") {
        day = day.calendar(calendar(&path, &rules)?);
    }
    if let Some(text) = matches.get_one::<String>("as-of") {
        let day_given: Date = text.parse().map_err(|_| {
            Failure::usage(format!(
                "--as-of {text}: a day such as 2017-01-25 would be right"
            ))
        })?;
        day = day.as_of(day_given);
    }
    if let Some(previous) = &after {
        day = day.after(previous);
    }
    if let Some(earlier) = &supersedes {
        day = day.supersedes(earlier);
    }
    if let Some(path) = path(matches, "rates") {
        day = day.rates(&path.display().to_string(), files::text(&path)?);
    }
    if let Some(log) = &decisions {
        day = day.decisions(log);
    }
    for (source, path) in &inputs {
        day = day.file(source, &path.display().to_string(), files::open(path)?);
    }
    let done = day.run().map_err(|error| Failure::day(&error));
    if is_terminal && began.elapsed() > Duration::from_millis(500) {
        eprint!("\r                    \r");
    }
    finish(&done?, &outputs, text(matches, "format"), memory, screen)
}

/// Writes the outputs, shows the summary, and tells the exit code.
pub fn finish(
    done: &Reconciled,
    outputs: &[PathBuf],
    format: &str,
    memory: Option<Memory>,
    screen: &Screen,
) -> Result<u8, Failure> {
    let mut written = Outputs::default();
    let mut table = None;
    for output in outputs {
        if extension(output, &["json", "csv"])? == "csv" {
            table = Some(write_table(done, output, &mut written)?);
        }
    }
    let doc = done.document(table);
    for output in outputs {
        if extension(output, &["json", "csv"])? == "json" {
            written.write(output, &doc.to_json())?;
        }
    }
    written.commit()?;

    let summary = result::table(&doc, &screen.look);
    match format {
        "json" => screen.show(&doc.to_json())?,
        "jsonl" => screen.show(&result::jsonl(&doc))?,
        "csv" => {
            let mut text = String::new();
            done.write_table(|block| text.push_str(block));
            screen.show(&text)?;
        }
        _ => screen.show(&summary)?,
    }
    if format != "table" {
        screen.say(&summary);
    }
    tell_findings(done, screen);
    tell_rejected(done, screen);
    tell_next(&doc, outputs, screen);
    if let Some(mut memory) = memory {
        memory.remember(&[("result".as_ref(), doc.to_json())], screen)?;
    }
    Ok(exit(done, &doc))
}

fn exit(done: &Reconciled, doc: &ResultDoc) -> u8 {
    let open = if done.has_open() { OPEN } else { FINE };
    graver(open, if doc.trusted { FINE } else { UNTRUSTED })
}

/// Writes the outcomes table with a byte order mark, which spreadsheets want, and gives its digest.
fn write_table(done: &Reconciled, path: &Path, outputs: &mut Outputs) -> Result<Digest, Failure> {
    let mut file = outputs.begin(path)?;
    let mut hasher = Hasher::new(DigestAlg::Sha256);
    let mut failed = None;
    let mut put = |text: &str| {
        if failed.is_none() {
            hasher.update(text.as_bytes());
            failed = file.write_all(text.as_bytes()).err();
        }
    };
    put("\u{feff}");
    done.write_table(&mut put);
    let end = file.flush();
    match failed.or(end.err()) {
        Some(error) => Err(Failure::output(path, &error)),
        None => Ok(hasher.finish()),
    }
}

/// What readers noticed and somebody should look at.
fn tell_findings(done: &Reconciled, screen: &Screen) {
    let mut findings = Vec::new();
    for book in &done.outcomes().books {
        for (file, finding) in book.findings() {
            let file = book.files().get(*file as usize);
            let name = file.map_or("", |file| file.name.as_str());
            findings.push((name.to_owned(), finding.clone()));
        }
    }
    say_findings(&findings, screen);
}

/// The same, with the names of their files.
pub fn say_findings(findings: &[(String, Finding)], screen: &Screen) {
    let matters = |finding: &&(String, Finding)| {
        finding.1.severity >= Severity::Warning || finding.1.code == FindingCode::SameFileTwice
    };
    let all: Vec<_> = findings.iter().filter(matters).collect();
    for (file, finding) in all.iter().take(TOLD) {
        let place = match (file.as_str(), finding.line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}: "),
        };
        screen.say(&format!(
            "{}[{}]: {place}{}\n",
            finding.severity, finding.code, finding.message
        ));
    }
    if all.len() > TOLD {
        screen.say(&format!("findings: {} more\n", all.len() - TOLD));
    }
}

fn tell_rejected(done: &Reconciled, screen: &Screen) {
    let (mut told, mut all) = (0, 0u64);
    for book in &done.outcomes().books {
        for row in book.rejected() {
            all += 1;
            if told == TOLD {
                continue;
            }
            told += 1;
            let file = book
                .files()
                .get(row.file as usize)
                .map_or("", |file| file.name.as_str());
            let why = &row.why;
            screen.say(&format!(
                "rejected[{}]: {file}:{}:{}: {}: {}\n",
                why.code, why.line, why.column, why.field, why.message
            ));
        }
    }
    if all > told as u64 {
        screen.say(&format!("rejected: {} more\n", all - told as u64));
    }
}

fn tell_next(doc: &ResultDoc, outputs: &[PathBuf], screen: &Screen) {
    let names: Vec<String> = outputs
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    if !names.is_empty() {
        screen.say(&format!("wrote  {}\n", names.join(", ")));
    }
    let json = outputs
        .iter()
        .find(|path| path.extension().is_some_and(|e| e == "json"));
    if let (Some(json), Some(open)) = (json, doc.breaks.first().or(doc.ambiguous.first())) {
        let label = open
            .code
            .and_then(|code| labels::label(code.code(), screen.look.lang));
        let about = label.map_or("", |label| label.short);
        screen.say(&format!(
            "next   quanfu why {} {}    {about}\n",
            json.display(),
            open.fingerprint
        ));
    }
}

pub fn threads(matches: &ArgMatches) -> usize {
    match matches.get_one::<u16>("threads") {
        Some(&threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
    }
}

fn earlier(matches: &ArgMatches, name: &str) -> Result<Option<ResultDoc>, Failure> {
    path(matches, name)
        .map(|path| files::result(&path))
        .transpose()
}

/// The sources and their files, as `NAME=FILE`.
fn inputs(matches: &ArgMatches, rules: &Rules) -> Result<Vec<(String, PathBuf)>, Failure> {
    let known: Vec<&str> = rules
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    let mut inputs = Vec::new();
    for argument in matches.get_many::<OsString>("inputs").into_iter().flatten() {
        let text = argument.to_string_lossy();
        let Some((name, file)) = text.split_once('=') else {
            return Err(Failure::usage(format!(
                "{text}: NAME=FILE would be right, with one of the names {}",
                known.join(", ")
            )));
        };
        if !known.contains(&name) {
            return Err(Failure::new(
                "unknown-source",
                crate::failure::USAGE,
                format!(
                    "{text}: the rules name no source {name:?}; they name: {}",
                    known.join(", ")
                ),
            ));
        }
        if !file.is_empty() && argument.to_str().is_none() {
            return Err(Failure::usage(format!(
                "{text}: the path is not UTF-8 text"
            )));
        }
        inputs.push((name.to_owned(), PathBuf::from(file)));
    }
    for name in known {
        if !inputs.iter().any(|(given, _)| given == name) {
            return Err(Failure::usage(format!(
                "source {name} has no file: {name}=FILE would be right"
            )));
        }
    }
    Ok(inputs)
}

/// A user's calendar: laid over the Chinese one if the rules name that, or the one whose file name the rules name.
pub fn calendar(path: &Path, rules: &Rules) -> Result<BusinessCalendar, Failure> {
    let refuse = |error: quanfu::calendar::CalendarError| {
        let message = format!("{}: {error}", path.display());
        Failure::new(error.code(), crate::failure::USAGE, message)
    };
    let own = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = if rules.calendar == "CN" {
        "CN"
    } else {
        own.as_str()
    };
    if name != rules.calendar {
        return Err(Failure::new(
            "unknown-calendar",
            crate::failure::USAGE,
            format!(
                "{}: the rules want calendar {:?}, this file is calendar {own:?}",
                path.display(),
                rules.calendar
            ),
        ));
    }
    let user = BusinessCalendar::parse(name, &files::text(path)?).map_err(refuse)?;
    if rules.calendar == "CN" {
        BusinessCalendar::china()
            .overlaid_with(&user)
            .map_err(refuse)
    } else {
        Ok(user)
    }
}
