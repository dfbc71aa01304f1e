//! `quanfu declare`: restored declarations, and drafts of declarations.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use quanfu::calendar::Date;
use quanfu::codes::{CodeTable, Parameters};
use quanfu::filing::declaration::{Declarant, Evidence, NegativeList, Review, UserList};
use quanfu::filing::{Declaration, Difference, RestoreError, Restored, Unsound, netting_rules};
use quanfu::fx::{Staleness, Terms};
use quanfu::report::declaration as views;
use quanfu::settlement::rules::SourceRole;
use quanfu::settlement::{Digest, DigestAlg};
use quanfu::{Day, Profile, ResultDoc, Rules};

use super::{calendar, extension, path, paths, rate, text, why};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, USAGE, graver};
use crate::files::{self, Outputs};
use crate::screen::Screen;

/// How many rejected rows of evidence are told one by one.
const TOLD: usize = 10;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("restore", matches)) => restore(matches, screen),
        Some(("draft", matches)) => draft(matches, screen),
        Some(("check", matches)) => check(matches, screen),
        Some(("export", matches)) => export(matches, screen),
        _ => Err(Failure::usage("no command")),
    }
}

fn document(code: &'static str, path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(code, UNTRUSTED, format!("{}: {error}", path.display()))
}

fn restored(path: &Path) -> Result<Restored, Failure> {
    let read = Restored::from_json(&files::text(path)?);
    read.map_err(|error| document("declaration-document", path, error))
}

fn declaration(path: &Path) -> Result<Declaration, Failure> {
    let read = Declaration::from_json(&files::text(path)?);
    read.map_err(|error| document("declaration-document", path, error))
}

/// One of the two documents, by its schema.
enum Given {
    Restored(Restored),
    Declaration(Box<Declaration>),
}

fn given(path: &Path) -> Result<Given, Failure> {
    let text = files::text(path)?;
    let refuse = |error: &dyn std::fmt::Display| document("declaration-document", path, error);
    // the schema is the first field of both
    let head: String = text.chars().take(80).collect();
    if head.contains(quanfu::filing::RESTORED_SCHEMA) {
        let read = Restored::from_json(&text).map_err(|error| refuse(&error))?;
        Ok(Given::Restored(read))
    } else {
        let read = Declaration::from_json(&text).map_err(|error| refuse(&error))?;
        Ok(Given::Declaration(Box::new(read)))
    }
}

fn parameters(matches: &ArgMatches) -> Result<Parameters, Failure> {
    let shipped = Parameters::shipped();
    let Some(path) = path(matches, "parameters") else {
        return Ok(shipped);
    };
    let user = Parameters::parse(&files::text(&path)?);
    let laid = user.and_then(|user| shipped.overlaid_with(&user));
    laid.map_err(|error| Failure::new(error.code(), USAGE, format!("{}: {error}", path.display())))
}

/// The edge that was named, or the only one of which exactly one side is a bank's.
fn edge_of(rules: &Rules, named: Option<&str>) -> Result<usize, Failure> {
    let is_bank = |source: usize| rules.sources[source].role == SourceRole::Bank;
    let mut edges = rules.edges.iter().enumerate();
    if let Some(name) = named {
        let Some((index, edge)) = edges.find(|(_, edge)| edge.name == name) else {
            let known: Vec<&str> = rules.edges.iter().map(|edge| edge.name.as_str()).collect();
            let message = format!("there is no edge {name:?}; there are: {}", known.join(", "));
            return Err(Failure::new("restore-edge", USAGE, message));
        };
        if is_bank(edge.left) == is_bank(edge.right) {
            let error = RestoreError::Bank {
                edge: name.to_owned(),
            };
            return Err(Failure::new(error.code(), USAGE, error.to_string()));
        }
        return Ok(index);
    }
    let to_bank = edges.filter(|(_, edge)| is_bank(edge.left) != is_bank(edge.right));
    let to_bank: Vec<usize> = to_bank.map(|(index, _)| index).collect();
    match to_bank[..] {
        [one] => Ok(one),
        _ => {
            let names = to_bank.iter().map(|&edge| rules.edges[edge].name.as_str());
            let names: Vec<&str> = names.collect();
            let message = format!(
                "{} edges lead to a bank ({}); --edge says which",
                names.len(),
                names.join(", ")
            );
            Err(Failure::new("restore-bank", USAGE, message))
        }
    }
}

/// Makes a restored declaration of a result and its files, which are found by their digests.
fn from_result(
    doc: &ResultDoc,
    given: &[PathBuf],
    edge: Option<&str>,
    screen: &Screen,
) -> Result<Restored, Failure> {
    let rules = Rules::parse(&doc.rules_document.text)
        .map_err(|error| Failure::rules("rules_document".as_ref(), &error))?;
    let edge = edge_of(&rules, edge)?;
    let certificate = &doc.certificate;
    let mut table = None;
    let mut previous = None;
    let mut by_digest: BTreeMap<Digest, &Path> = BTreeMap::new();
    let named = certificate.inputs.iter().map(|input| input.digest);
    let named = named.chain(certificate.outcomes_table);
    let algorithms: BTreeSet<DigestAlg> = named.map(|digest| digest.alg).collect();
    for path in given {
        let digests = algorithms.iter().map(|alg| why::digest(path, *alg));
        let digests = digests.collect::<Result<Vec<_>, _>>()?;
        let is = |digest: &Digest| digests.contains(digest);
        if certificate.outcomes_table.as_ref().is_some_and(is) {
            table = Some(files::text(path)?);
        } else if certificate.inputs.iter().any(|input| is(&input.digest)) {
            by_digest.extend(digests.into_iter().map(|digest| (digest, path.as_path())));
        } else if let Some(earlier) = certificate.after.as_ref().filter(|_| begins_json(path)) {
            let read = files::result(path)?;
            if read.certificate.body == earlier.body {
                previous = Some(read);
            }
        } else {
            screen.say(&format!(
                "{}: the result does not name this file by its digest; it is passed over\n",
                path.display()
            ));
        }
    }
    let missing = |what: &str| {
        let message = format!("{what} was not given, or is not as it was written");
        Failure::new("restore-input", UNTRUSTED, message)
    };
    let table = table.ok_or_else(|| missing("the outcomes table of the result"))?;
    let named = &rules.edges[edge];
    let sources = [named.left, named.right].map(|source| &rules.sources[source].name);
    let mut day = Day::new(rules.clone());
    for embedded in &doc.profiles {
        let profile = Profile::parse(&embedded.text);
        day =
            day.profile(profile.map_err(|error| Failure::profile(embedded.name.as_ref(), &error))?);
    }
    // members of an archive are inputs of their own; the archive is read once
    let mut opened: Vec<(&str, &Path)> = Vec::new();
    for input in certificate
        .inputs
        .iter()
        .filter(|input| sources.contains(&&input.source))
    {
        let path = by_digest.get(&input.digest).copied();
        let path = path.ok_or_else(|| missing(&format!("input {}", input.file)))?;
        if opened.contains(&(&input.source, path)) {
            continue;
        }
        opened.push((&input.source, path));
        let name = match input.file.split_once(".zip/") {
            Some((stem, _)) => format!("{stem}.zip"),
            None => input.file.clone(),
        };
        day = day.file(&input.source, &name, files::open(path)?);
    }
    if certificate.after.is_some() {
        let carried = doc
            .sources
            .iter()
            .filter(|one| sources.contains(&&one.name));
        if previous.is_none() && carried.map(|one| one.carried_in).sum::<u64>() > 0 {
            return Err(missing("the result of the day before"));
        }
    }
    if let Some(previous) = &previous {
        day = day.after(previous);
    }
    let books = day.books().map_err(|error| Failure::day(&error))?;
    views::restore(doc, &rules, edge, &books, &table)
        .map_err(|error| Failure::new(error.code(), UNTRUSTED, error.to_string()))
}

/// Whether a file may be a result.
fn begins_json(path: &Path) -> bool {
    let mut first = [0; 1];
    let read = files::open(path)
        .ok()
        .and_then(|mut file| file.read(&mut first).ok());
    read == Some(1) && first == *b"{"
}

fn restore(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json", "csv"])?;
    }
    let given = paths(matches, "files");
    let result = path(matches, "result").unwrap_or_default();
    let read = given.iter().chain([&result]).map(PathBuf::as_path);
    files::keep_apart(&outputs, read)?;
    let netting = netting_rules(&parameters(matches)?);
    let doc = files::result(&result)?;
    let edge = matches.get_one::<String>("edge").map(String::as_str);
    let made = from_result(&doc, &given, edge, screen)?;
    let mut written = Outputs::default();
    for output in &outputs {
        if extension(output, &["json", "csv"])? == "csv" {
            written.write(output, &format!("\u{feff}{}", made.to_csv()))?;
            continue;
        }
        let mut file = written.begin(output)?;
        let done = made.write_json(&mut file).and_then(|()| file.flush());
        done.map_err(|error| Failure::output(output, &error))?;
    }
    written.commit()?;
    let unsound = made.check(&netting);
    let table = views::table(&made, &netting, &screen.look);
    let faults = views::faults(&unsound, &[], &screen.look);
    match text(matches, "format") {
        "json" => screen.show(&made.to_json())?,
        "csv" => screen.show(&made.to_csv())?,
        _ => screen.show(&table)?,
    }
    match text(matches, "format") {
        "table" => screen.show(&faults)?,
        _ => screen.say(&format!("{table}{faults}")),
    }
    Ok(sound(&unsound, &[]))
}

/// What does not add up cannot be trusted; all else is to be looked at.
fn sound(unsound: &[Unsound], differences: &[Difference]) -> u8 {
    let mut exit = if differences.is_empty() {
        FINE
    } else {
        UNTRUSTED
    };
    for one in unsound {
        exit = graver(
            exit,
            match one {
                Unsound::Netting { .. }
                | Unsound::Refund { .. }
                | Unsound::Cause { .. }
                | Unsound::Days { .. } => OPEN,
                _ => UNTRUSTED,
            },
        );
    }
    exit
}

fn declarant(matches: &ArgMatches) -> Result<Option<Declarant>, Failure> {
    let Some(path) = path(matches, "declarant") else {
        return Ok(None);
    };
    let read = Declarant::parse(&files::text(&path)?);
    let read = read.map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new("declarant-document", USAGE, message)
    })?;
    Ok(Some(read))
}

fn draft(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json"])?;
    }
    let read = ["restored", "declarant", "evidence"];
    let read: Vec<PathBuf> = read
        .into_iter()
        .filter_map(|name| path(matches, name))
        .collect();
    files::keep_apart(&outputs, read.iter().map(PathBuf::as_path))?;
    let place = path(matches, "restored").unwrap_or_default();
    let from = restored(&place)?;
    if from.body != from.body_digest() {
        return Err(document("declaration-body", &place, Unsound::Body));
    }
    let declarant = declarant(matches)?.ok_or_else(|| Failure::usage("no declarant"))?;
    let mut exit = FINE;
    let mut evidence = Evidence::default();
    if let Some(path) = path(matches, "evidence") {
        let read = Evidence::parse(&files::text(&path)?);
        evidence = read.map_err(|error| document("evidence-document", &path, error))?;
        for error in evidence.rejected.iter().take(TOLD) {
            screen.complain(&document("evidence-document", &path, error));
        }
        if evidence.rejected.len() > TOLD {
            screen.say(&format!(
                "rejected: {} more\n",
                evidence.rejected.len() - TOLD
            ));
        }
        if !evidence.rejected.is_empty() {
            exit = UNTRUSTED;
        }
    }
    let made = Declaration::draft(&from, &declarant, &evidence);
    let made = made.map_err(|error| document(error.code(), &place, &error))?;
    let mut written = Outputs::default();
    for output in &outputs {
        written.write(output, &made.to_json())?;
    }
    written.commit()?;
    screen.show(&match text(matches, "format") {
        "json" => made.to_json(),
        _ => views::draft(&made, &screen.look),
    })?;
    Ok(exit)
}

fn check(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match given(&path(matches, "document").unwrap_or_default())? {
        Given::Restored(given) => check_restored(&given, matches, screen),
        Given::Declaration(given) => check_declaration(&given, matches, screen),
    }
}

fn check_restored(given: &Restored, matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let netting = netting_rules(&parameters(matches)?);
    let unsound = given.check(&netting);
    let mut differences = Vec::new();
    let files = paths(matches, "files");
    if !files.is_empty() {
        let mut doc = None;
        let mut others = Vec::new();
        for path in files {
            let read = if doc.is_none() && begins_json(&path) {
                files::result(&path).ok()
            } else {
                None
            };
            match read.filter(|read| given.result == Some(read.certificate.body)) {
                Some(read) => doc = Some(read),
                None => others.push(path),
            }
        }
        let doc = doc.ok_or_else(|| {
            let message = "the result that the declaration was made from was not given, or is not as it was written";
            Failure::new("restore-input", UNTRUSTED, message)
        })?;
        differences = given.differences(&from_result(&doc, &others, Some(&given.edge), screen)?);
    }
    let exit = sound(&unsound, &differences);
    if text(matches, "format") == "json" {
        screen.show(&views::faults_json(&unsound, &differences))?;
    } else {
        let mut out = views::table(given, &netting, &screen.look);
        out.push_str(&views::faults(&unsound, &differences, &screen.look));
        screen.show(&out)?;
    }
    Ok(exit)
}

fn check_declaration(
    given: &Declaration,
    matches: &ArgMatches,
    screen: &Screen,
) -> Result<u8, Failure> {
    let mut differences = Vec::new();
    for path in paths(matches, "files") {
        differences.extend(given.fits(&restored(&path)?));
    }
    let day: Date = match matches.get_one::<String>("day") {
        None => given.as_of,
        Some(text) => rate::day(text)?,
    };
    let (calendars, _) = calendar::given(matches)?;
    let china = calendars.named("CN");
    let china = china.map_err(|error| Failure::refused(error.code(), &error))?;
    let published = calendars.named("CN-FX");
    let published = published.map_err(|error| Failure::refused(error.code(), &error))?;
    let rates = rate::whole(matches, screen)?;
    let parameters = parameters(matches)?;
    let limits = |name| -> Vec<String> {
        let names = matches.get_many::<String>(name).unwrap_or_default();
        names.cloned().collect()
    };
    let (single, annual) = (limits("limit"), limits("annual"));
    for name in single.iter().chain(&annual) {
        if !parameters.rows().any(|row| row.name == *name) {
            let message = format!("no parameter is named {name:?}");
            return Err(Failure::new("parameter-unknown", USAGE, message));
        }
    }
    let mut codes = CodeTable::bop();
    for path in paths(matches, "codes") {
        let table = CodeTable::parse("bop", &files::text(&path)?).map_err(|error| {
            Failure::new(error.code(), USAGE, format!("{}: {error}", path.display()))
        })?;
        codes = codes.overlaid_with(&table);
    }
    let mut lists = Vec::new();
    for path in paths(matches, "list") {
        let list = UserList::parse(&files::text(&path)?);
        lists.push(list.map_err(|error| document("list-document", &path, error))?);
    }
    let lists: Vec<&dyn NegativeList> = lists.iter().map(|list| list as _).collect();
    let mut earlier = Vec::new();
    for path in paths(matches, "earlier") {
        earlier.push(declaration(&path)?);
    }
    let declarant = declarant(matches)?;
    let staleness = match matches.get_one::<u32>("stale") {
        None => Staleness::Exact,
        Some(&max_business_days) => Staleness::PreviousPublished {
            max_business_days,
            calendar: &published,
        },
    };
    let reviewed = given.review(&Review {
        day,
        parameters: &parameters,
        codes: &codes,
        grades: &CodeTable::credit_grades(),
        calendar: &china,
        rates: &rates,
        terms: Terms {
            source: matches.get_one::<String>("source").map(String::as_str),
            staleness,
            ..Terms::MID
        },
        single_limits: &single,
        annual_limits: &annual,
        split_days: matches.get_one::<u32>("split-days").copied(),
        lists: &lists,
        declarant: declarant.as_ref(),
        earlier: &earlier,
    });
    screen.show(&match text(matches, "format") {
        "json" => views::review_json(&reviewed, &differences),
        _ => {
            views::faults(&[], &differences, &screen.look) + &views::review(&reviewed, &screen.look)
        }
    })?;
    let open = if reviewed.findings.is_empty() {
        FINE
    } else {
        OPEN
    };
    Ok(graver(open, sound(&[], &differences)))
}

fn export(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["csv"])?;
    }
    let place = path(matches, "document").unwrap_or_default();
    files::keep_apart(&outputs, std::iter::once(place.as_path()))?;
    let list = match (given(&place)?, text(matches, "list")) {
        (Given::Restored(given), "originals") => given.to_csv(),
        (Given::Restored(_), _) => {
            return Err(Failure::usage("a restored declaration has originals only"));
        }
        (Given::Declaration(given), "originals") => given.details_csv(),
        (Given::Declaration(given), _) => given.records_csv(),
    };
    if outputs.is_empty() {
        screen.show(&list)?;
    }
    let mut written = Outputs::default();
    for output in &outputs {
        written.write(output, &format!("\u{feff}{list}"))?;
    }
    written.commit()?;
    Ok(FINE)
}
