use std::fs::File;
use std::path::Path;

use clap::ArgMatches;
use quanfu::calendar::Calendars;
use quanfu::credit::lifecycle::{Case, Event, GuardError, Record, Terms};
use quanfu::money::Money;
use quanfu::report::case;
use quanfu::settlement::{Digest, DigestAlg};

use super::super::calendar;
use super::{applications_of, day, earlier, path, programme_of, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED};
use crate::files::{self, Outputs};
use crate::screen::Screen;

pub(super) fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("new", matches)) => begin(matches),
        Some(("event", matches)) => event(matches),
        Some(("show", matches)) => show(matches, screen),
        _ => Err(Failure::usage("no command")),
    }
}

fn begin(matches: &ArgMatches) -> Result<u8, Failure> {
    let place = path(matches, "case").unwrap_or_default();
    if place.exists() {
        let message = format!("{}: it is there already", place.display());
        return Err(Failure::usage(message));
    }
    let programme = programme_of(&path(matches, "programme").unwrap_or_default())?;
    let case = Case::new(text(matches, "enterprise"), Terms::of(&programme));
    write(&place, &case)
}

fn write(place: &Path, case: &Case) -> Result<u8, Failure> {
    let mut written = Outputs::default();
    written.write(place, &case.to_json())?;
    written.commit()?;
    Ok(FINE)
}

fn read(place: &Path, text: &str, calendars: &Calendars) -> Result<Case, Failure> {
    let read = Case::from_json(text, calendars);
    read.map_err(|error| {
        let message = format!("{}: {error}", place.display());
        Failure::new(error.code(), UNTRUSTED, message)
    })
}

fn refused(error: &GuardError) -> Failure {
    Failure::new(error.code(), OPEN, error.to_string())
}

/// Opens the case for one writer and gives its text. A writer before us may have put another file in its place.
fn hold(place: &Path) -> Result<(File, String), Failure> {
    loop {
        let file = File::open(place).map_err(|error| Failure::io(place, &error))?;
        file.lock().map_err(|error| Failure::io(place, &error))?;
        let held = std::io::read_to_string(&file).map_err(|error| Failure::io(place, &error))?;
        let text = files::text(place)?;
        if held == text {
            return Ok((file, text));
        }
    }
}

fn event(matches: &ArgMatches) -> Result<u8, Failure> {
    let (calendars, _) = calendar::given(matches)?;
    let place = path(matches, "case").unwrap_or_default();
    let (_held, text_of_case) = hold(&place)?;
    let mut case = read(&place, &text_of_case, &calendars)?;
    let event = wanted(matches, &case)?;
    let record = Record {
        on: day(matches, "on")?,
        by: text(matches, "by").to_owned(),
        event,
        note: matches.get_one::<String>("note").cloned(),
    };
    case.apply(record, &calendars)
        .map_err(|error| refused(&error))?;
    write(&place, &case)
}

/// The event with what it is about; what does not belong to it is a mistake of usage.
fn wanted(matches: &ArgMatches, case: &Case) -> Result<Event, Failure> {
    let name = text(matches, "event");
    let belong: &[&str] = match name {
        "submit" => &["application", "id"],
        "propose" => &["awards"],
        "commit" | "recover" => &["amount"],
        "settle" | "uphold" => &["objection"],
        "disburse" => &["owes-funds"],
        _ => &[],
    };
    for option in [
        "application",
        "id",
        "awards",
        "amount",
        "objection",
        "owes-funds",
    ] {
        let needed = belong.contains(&option) && option != "id";
        if matches.contains_id(option) && !belong.contains(&option) {
            return Err(Failure::usage(format!("--{option} is not for {name}")));
        }
        if needed && !matches.contains_id(option) {
            return Err(Failure::usage(format!("{name} wants --{option}")));
        }
    }
    let amount = || -> Result<Money, Failure> {
        let given = text(matches, "amount");
        let money = format!("{given} CNY").parse();
        money.map_err(|error| Failure::usage(format!("--amount {given:?}: {error}")))
    };
    let objection = matches.get_one::<u32>("objection").copied();
    let objection = objection.unwrap_or_default();
    Ok(match name {
        "submit" => submit(matches)?,
        "return" => Event::Return,
        "accept" => Event::Accept,
        "review" => Event::Review,
        "propose" => {
            let place = path(matches, "awards").unwrap_or_default();
            let awards = earlier(&place)?;
            let digest = Digest::of(DigestAlg::Sha256, files::text(&place)?.as_bytes());
            let event = Event::propose(&awards, case.enterprise(), digest);
            event.ok_or_else(|| {
                let (place, firm) = (place.display(), case.enterprise());
                Failure::usage(format!("{place}: no award for {firm:?}"))
            })?
        }
        "open_notice" => Event::OpenNotice,
        "object" => Event::Object,
        "settle" => Event::Settle { objection },
        "uphold" => Event::Uphold { objection },
        "commit" => Event::Commit { amount: amount()? },
        "approve" => Event::Approve,
        "disburse" => Event::Disburse {
            owes_funds: text(matches, "owes-funds") != "no",
        },
        "close" => Event::Close,
        "reject" => Event::Reject,
        "withdraw" => Event::Withdraw,
        "lapse" => Event::Lapse,
        "order_clawback" => Event::OrderClawback,
        "recover" => Event::Recover { amount: amount()? },
        other => return Err(Failure::usage(format!("no event {other:?}"))),
    })
}

fn submit(matches: &ArgMatches) -> Result<Event, Failure> {
    let place = path(matches, "application").unwrap_or_default();
    let text = files::text(&place)?;
    let mut found = applications_of(&place, &text)?.applications;
    if let Some(id) = matches.get_one::<String>("id") {
        found.retain(|application| application.id == *id);
    }
    match found.as_slice() {
        [one] => {
            let digest = Digest::of(DigestAlg::Sha256, text.as_bytes());
            Ok(Event::submit(one, digest))
        }
        _ => {
            let (place, count) = (place.display(), found.len());
            let message = format!("{place}: {count} applications; one, by --id, would be right");
            Err(Failure::usage(message))
        }
    }
}

fn show(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let (calendars, _) = calendar::given(matches)?;
    let place = path(matches, "case").unwrap_or_default();
    let case = read(&place, &files::text(&place)?, &calendars)?;
    let shown = case::show(&case, day(matches, "day")?, &calendars, &screen.look);
    screen.show(&shown.map_err(|error| refused(&error))?)?;
    Ok(FINE)
}
