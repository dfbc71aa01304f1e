use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgMatches;
use quanfu::Currency;
use quanfu::calendar::{
    CalendarError, CalendarHistory, Calendars, Certainty, Date, Tenor, UnknownConvention,
    ValueDateError, ValueRules,
};
use quanfu::report::calendar::{Count, Day, Value, list, list_json};

use super::text;
use crate::failure::{FINE, Failure, USAGE};
use crate::files;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let shown = match matches.subcommand() {
        Some(("list", matches)) => {
            let (calendars, _) = given(matches)?;
            match text(matches, "format") {
                "json" => list_json(&calendars),
                _ => list(&calendars, &screen.look),
            }
            .map_err(refuse)?
        }
        Some(("day", matches)) => one_day(matches, screen)?,
        Some(("add", matches)) => add(matches, screen)?,
        Some(("value-date", matches)) => value_date(matches, screen)?,
        _ => return Err(Failure::usage("no command")),
    };
    screen.show(&shown).map(|()| FINE)
}

fn one_day(matches: &ArgMatches, screen: &Screen) -> Result<String, Failure> {
    let (calendars, _) = given(matches)?;
    let calendar = calendars.named(text(matches, "place")).map_err(refuse)?;
    let day = day(matches, "day")?;
    let shown = Day {
        reason: calendar.why(day).map_err(refuse)?,
        certainty: calendar.certainty(day, day).map_err(refuse)?,
        calendar: &calendar,
        day,
    };
    Ok(match text(matches, "format") {
        "json" => shown.json(),
        _ => shown.table(&screen.look),
    })
}

fn add(matches: &ArgMatches, screen: &Screen) -> Result<String, Failure> {
    let (calendars, _) = given(matches)?;
    let calendar = calendars.named(text(matches, "place")).map_err(refuse)?;
    let from = day(matches, "day")?;
    let n = matches.get_one::<i32>("n").copied().unwrap_or_default();
    let date = calendar.add_business_days(from, n).map_err(refuse)?;
    let shown = Count {
        days: calendar.count(from, n).map_err(refuse)?,
        certainty: calendar.certainty(from, date).map_err(refuse)?,
        calendar: &calendar,
        from,
        n,
        date,
    };
    Ok(match text(matches, "format") {
        "json" => shown.json(),
        _ => shown.table(matches.get_flag("steps"), &screen.look),
    })
}

fn value_date(matches: &ArgMatches, screen: &Screen) -> Result<String, Failure> {
    let (calendars, own) = given(matches)?;
    let pair = text(matches, "pair");
    let wrong = || Failure::usage(format!("{pair}: a pair such as USD/CNY would be right"));
    let (base, quote) = pair.split_once('/').ok_or_else(wrong)?;
    let code = |code: &str| {
        Currency::from_code(code).map_err(|error| {
            let mut failure = wrong();
            failure.causes.push(error.to_string());
            failure
        })
    };
    let (base, quote) = (code(base)?, code(quote)?);
    let tenor = text(matches, "tenor");
    let tenor: Tenor = tenor.parse().map_err(|error: UnknownConvention| {
        Failure::new(error.code(), USAGE, format!("--tenor {tenor}: {error}"))
    })?;
    let mut rules = ValueRules::shipped();
    for name in own.iter().filter(|name| Currency::from_code(name).is_ok()) {
        rules = rules.with_currency(name, name, Certainty::Certain, "given");
    }
    let traded = day(matches, "day")?;
    let value = quanfu::fx::value_date(&rules, &calendars, base, quote, traded, tenor);
    let value = value
        .map_err(|error: ValueDateError| Failure::new(error.code(), USAGE, error.to_string()))?;
    let shown = Value {
        pair: pair.to_owned(),
        traded,
        tenor: tenor.to_string(),
        value: &value,
    };
    Ok(match text(matches, "format") {
        "json" => shown.json(),
        _ => shown.table(&screen.look),
    })
}

/// Our calendars with those given laid over them, and the names of those given.
pub(super) fn given(matches: &ArgMatches) -> Result<(Calendars, Vec<String>), Failure> {
    let mut calendars = Calendars::shipped();
    let mut names: Vec<String> = Vec::new();
    let files = matches.get_many::<OsString>("calendar");
    for argument in files.into_iter().flatten() {
        let whole = argument.to_string_lossy();
        let (name, path) = match whole.split_once('=') {
            Some((name, path)) if !name.is_empty() && !name.contains(['/', '\\', '.']) => {
                (name, PathBuf::from(path))
            }
            _ => ("CN", PathBuf::from(argument)),
        };
        if names.iter().any(|other| other == name) {
            let message = format!("--calendar {whole}: a file for {name} was given before");
            return Err(Failure::usage(message));
        }
        if name.contains(['+', '~']) {
            let message = format!("--calendar {whole}: the name of one calendar would be right");
            return Err(Failure::usage(message));
        }
        let history = CalendarHistory::parse(name, &files::text(&path)?);
        let history = history.map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Failure::new(error.code(), USAGE, message)
        })?;
        calendars = calendars.with(history);
        names.push(name.to_owned());
    }
    if let Ok(Some(_)) = matches.try_get_one::<String>("known-at") {
        calendars = calendars.as_known_at(day(matches, "known-at")?);
    }
    Ok((calendars, names))
}

fn day(matches: &ArgMatches, name: &str) -> Result<Date, Failure> {
    let given = text(matches, name);
    let day = given.parse::<Date>().ok();
    // no other spelling: 2017-1-25 may be a slip of another kind
    day.filter(|day| day.to_string() == given)
        .ok_or_else(|| Failure::usage(format!("{given}: a day such as 2017-01-25 would be right")))
}

fn refuse(error: CalendarError) -> Failure {
    Failure::new(error.code(), USAGE, error.to_string())
}
