//! `quanfu store`, and what commands with `--store` remember.

use std::path::Path;

use clap::ArgMatches;
use quanfu::calendar::Date;
use quanfu::report::Lang;
use quanfu::settlement::decision;
use quanfu::store::{Alg, Audited, Document, Head, Key, Listing, Stamp, Store, StoreError};

use super::{decide, path, paths, text};
use crate::failure::{FINE, Failure, OPEN};
use crate::files::{self, Outputs};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::usage("no command"));
    };
    let place = text(matches, "store");
    let failed = |error: StoreError| Failure::store(place, &error);
    match verb {
        "add" => {
            let mut memory = Memory::of(matches)?.ok_or_else(|| Failure::usage("no store"))?;
            let files = paths(matches, "files");
            let texts = files
                .iter()
                .map(|file| Ok((file.as_path(), files::text(file)?)));
            memory.remember(&texts.collect::<Result<Vec<_>, Failure>>()?, screen)?;
        }
        "list" => {
            let mut store = open(place).map_err(failed)?;
            let what = text(matches, "what");
            // the last columns of open items are for programs
            let (list, columns) = match what {
                "open" => (store.open_items().map(Listing::open), 10),
                "events" => (store.events().map(Listing::events), 5),
                _ => (store.documents().map(Listing::documents), 7),
            };
            let list = list.map_err(failed)?;
            screen.show(&match text(matches, "format") {
                "csv" => list.csv(),
                "json" => list.json(),
                _ => list.text(columns),
            })?;
            let is_open = what == "open" && !list.is_empty();
            return Ok(if is_open { OPEN } else { FINE });
        }
        "show" => {
            let document =
                open(place).and_then(|mut store| store.document(text(matches, "document")));
            screen.show(&document.map_err(failed)?)?;
        }
        "export" => {
            let document = open(place).and_then(|mut store| store.whole(text(matches, "document")));
            let mut outputs = Outputs::default();
            let file = path(matches, "file").unwrap_or_default();
            outputs.write(&file, &document.map_err(failed)?)?;
            outputs.commit()?;
            screen.say(&match screen.look.lang {
                Lang::Zh => format!("写出   {}\n", file.display()),
                Lang::En => format!("wrote  {}\n", file.display()),
            });
        }
        "check" => {
            let audited = open(place).and_then(|mut store| store.check());
            tell(&audited.map_err(failed)?, screen)?;
        }
        "audit" => {
            let noted = matches
                .get_one::<String>("head")
                .map(|head| head.parse::<Head>());
            let noted = noted
                .transpose()
                .map_err(|error| Failure::usage(format!("--head: {error}")))?;
            let audited = open(place).and_then(|mut store| store.audit(noted.as_ref()));
            tell(&audited.map_err(failed)?, screen)?;
            if noted.is_none() {
                screen.say(match screen.look.lang {
                    Lang::Zh => "注意   未与另存的链头核对：尾部被截断或整体重写无法发现\n",
                    Lang::En => "note   no head was given: a cut tail or a store written anew would not show\n",
                });
            }
        }
        "head" => {
            let head = open(place).and_then(|mut store| store.head());
            screen.show(&format!("{}\n", head.map_err(failed)?))?;
        }
        "backup" => {
            let copy = path(matches, "copy").unwrap_or_default();
            let audited = open(place).and_then(|mut store| store.backup(&copy));
            tell(&audited.map_err(failed)?, screen)?;
        }
        "purge" => {
            let until = day(matches, "retained-until")?.ok_or_else(|| Failure::usage("no day"))?;
            let now = decide::time(matches)?;
            let today = now.get(..10).and_then(|day| day.parse::<Date>().ok());
            if today.is_none_or(|today| until >= today) {
                return Err(Failure::usage(format!(
                    "--retained-until {until}: values that are to be kept until that day are kept through it; a day before that of --at would be right"
                )));
            }
            let stamp = stamp(matches)?;
            let purged = open(place).and_then(|mut store| store.purge(until, &stamp));
            let purged = purged.map_err(failed)?;
            let (values, documents) = (purged.values, purged.documents);
            screen.show(&match screen.look.lang {
                Lang::Zh => format!("已清除 {documents} 份文档中的 {values} 项个人信息\n"),
                Lang::En => format!("erased {values} personal values of {documents} documents\n"),
            })?;
        }
        _ => return Err(Failure::usage("no command")),
    }
    Ok(FINE)
}

fn open(place: &str) -> Result<Store, StoreError> {
    match shared(place) {
        #[cfg(feature = "postgres")]
        true => Store::open_postgres(place),
        #[cfg(not(feature = "postgres"))]
        true => Err(not_built()),
        false => Store::open(Path::new(place)),
    }
}

fn create(place: &str, alg: Alg, stamp: &Stamp) -> Result<Store, StoreError> {
    match shared(place) {
        #[cfg(feature = "postgres")]
        true => Store::create_postgres(place, alg, stamp),
        #[cfg(not(feature = "postgres"))]
        true => Err(not_built()),
        false => Store::create(Path::new(place), alg, stamp),
    }
}

/// A place without the password and the settings of an address.
pub fn shown(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://").filter(|_| shared(place)) else {
        return place.to_owned();
    };
    let rest = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

fn shared(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
}

#[cfg(not(feature = "postgres"))]
fn not_built() -> StoreError {
    StoreError::Unsupported {
        why: "this quanfu was built without PostgreSQL; one built with the feature `postgres` would be right".to_owned(),
    }
}

/// The store that a command remembers in.
pub struct Memory {
    store: Store,
    place: String,
    stamp: Stamp,
    retained_until: Option<Date>,
}

impl Memory {
    /// Opens the store of `--store`, if one is given, before the work begins.
    pub fn of(matches: &ArgMatches) -> Result<Option<Self>, Failure> {
        let Some(place) = matches.get_one::<String>("store") else {
            return Ok(None);
        };
        let stamp = stamp(matches)?;
        let retained_until = day(matches, "retain-until")?;
        let asked = matches.try_get_one::<String>("alg").ok().flatten();
        let alg = asked.map_or(Ok(Alg::default()), |alg| alg.parse());
        let store = alg.and_then(|alg| create(place, alg, &stamp));
        let mut store = store.map_err(|error| Failure::store(place, &error))?;
        if let Ok(Some(path)) = matches.try_get_one::<std::path::PathBuf>("key") {
            let bytes = std::fs::read(path).map_err(|error| Failure::io(path, &error))?;
            let key = Key::new(&bytes);
            store = store
                .keyed(key.map_err(|error| Failure::store(&path.display().to_string(), &error))?);
        }
        Ok(Some(Self {
            store,
            place: place.clone(),
            stamp,
            retained_until,
        }))
    }

    /// Takes in documents and logs, all or none, and says what came of each.
    pub fn remember(&mut self, texts: &[(&Path, String)], screen: &Screen) -> Result<(), Failure> {
        let mut documents = Vec::new();
        let mut names = Vec::new();
        for (path, text) in texts {
            let is_log = text.lines().next().is_some_and(|line| {
                Document::parse(line).is_ok() && line.contains(decision::SCHEMA)
            });
            let parsed = if is_log {
                Document::decisions(text)
            } else {
                Document::parse(text).map(|document| vec![document])
            };
            let parsed =
                parsed.map_err(|error| Failure::store(&path.display().to_string(), &error))?;
            for (number, document) in (1..).zip(parsed) {
                let name = path.display();
                names.push(if is_log {
                    format!("{name}:{number}")
                } else {
                    name.to_string()
                });
                documents.push(match self.retained_until {
                    Some(day) => document.retained_until(day),
                    None => document,
                });
            }
        }
        let done = self.store.remember(&documents, &self.stamp);
        let done = done.map_err(|error| Failure::store(&self.place, &error))?;
        // of a log that grows, only the lines that are new are told
        let grows = names.len() > texts.len();
        for (name, done) in names.iter().zip(done) {
            if grows && !done.is_new {
                continue;
            }
            let (place, seq) = (shown(&self.place), done.seq);
            screen.say(&match (screen.look.lang, done.is_new) {
                (Lang::Zh, true) => format!("存证   {place}: {name}，事件 {seq}\n"),
                (Lang::Zh, false) => format!("存证   {place}: {name}，已有，事件 {seq}\n"),
                (Lang::En, true) => format!("store  {place}: {name}, event {seq}\n"),
                (Lang::En, false) => format!("store  {place}: {name}, there since event {seq}\n"),
            });
        }
        Ok(())
    }
}

fn stamp(matches: &ArgMatches) -> Result<Stamp, Failure> {
    let stamp = Stamp::new(text(matches, "by"), &decide::time(matches)?);
    stamp.map_err(|error| Failure::usage(format!("--by, --at: {error}")))
}

fn day(matches: &ArgMatches, name: &str) -> Result<Option<Date>, Failure> {
    let Some(text) = matches.get_one::<String>(name) else {
        return Ok(None);
    };
    let parsed = text.parse();
    parsed.map(Some).map_err(|_| {
        Failure::usage(format!(
            "--{name} {text}: a day such as 2031-12-31 would be right"
        ))
    })
}

fn tell(audited: &Audited, screen: &Screen) -> Result<(), Failure> {
    let Audited {
        events,
        rows,
        head,
        clock_back,
        ..
    } = audited;
    screen.show(&match (screen.look.lang, rows) {
        (Lang::Zh, 0) => format!("成立   {events} 个事件\n链头   {head}\n"),
        (Lang::Zh, rows) => format!("成立   {events} 个事件，{rows} 行\n链头   {head}\n"),
        (Lang::En, 0) => format!("holds  {events} events\nhead   {head}\n"),
        (Lang::En, rows) => format!("holds  {events} events, {rows} rows\nhead   {head}\n"),
    })?;
    for seq in clock_back {
        screen.say(&match screen.look.lang {
            Lang::Zh => format!("注意   事件 {seq} 的时间早于前一事件\n"),
            Lang::En => {
                format!("note   event {seq} has a time before that of the event before it\n")
            }
        });
    }
    Ok(())
}
