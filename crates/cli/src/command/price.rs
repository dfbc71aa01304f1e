use std::path::Path;

use clap::ArgMatches;
use quanfu::calendar::Date;
use quanfu::fx::{RateReading, RateTable};
use quanfu::pricing::{Basis, Item, PriceList, PriceRules, PricingError, reprice, write_list};
use quanfu::report::price::{self, ListView};
use quanfu::{Currency, Money};

use super::{extension, path, paths, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, USAGE, graver};
use crate::files::{self, Outputs};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("quote", matches)) => quote(matches, screen),
        Some(("list", matches)) => list(matches, screen),
        _ => Err(Failure::usage("no command")),
    }
}

fn quote(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let rules = rules(&path(matches, "rules").unwrap_or_default())?;
    let on = day(text(matches, "on"))?;
    let buyer = text(matches, "buyer");
    let buyer = Currency::from_code(buyer)
        .map_err(|error| Failure::new(error.code(), USAGE, format!("--buyer: {error}")))?;
    let mut item = Item::new(money(matches, "amount")?).map_err(|error| refused(&error))?;
    if matches.contains_id("cost") {
        let cost = money(matches, "cost")?;
        item = item.with_cost(cost).map_err(|error| refused(&error))?;
    }
    let (rates, trusted) = rates(&path(matches, "rates").unwrap_or_default(), screen)?;
    let offer = rules
        .offer(&item, buyer, &rates, on)
        .map_err(|error| refused(&error))?;
    screen.show(&match text(matches, "format") {
        "json" => price::json(&rules, &offer),
        _ => price::table(&rules, &offer, matches.get_flag("steps"), &screen.look),
    })?;
    Ok(trusted)
}

fn list(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let places = ["rules", "items", "rates", "old-rules"].map(|name| path(matches, name));
    let [rules_place, items, rates_place, old_place] = &places;
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json", "csv"])?;
    }
    files::keep_apart(&outputs, places.iter().flatten().map(AsRef::as_ref))?;
    let new_rules = rules(rules_place.as_deref().unwrap_or(Path::new("")))?;
    let old_rules = old_place.as_deref().map(rules).transpose()?;
    let on = day(text(matches, "on"))?;
    let old_day = match text(matches, "before") {
        "" => None,
        before => Some(day(before)?),
    };
    let items = items.as_deref().unwrap_or(Path::new(""));
    let list = PriceList::read(&files::text(items)?).map_err(|error| {
        let message = format!("{}: {error}", items.display());
        Failure::new(error.code(), UNTRUSTED, message)
    })?;
    let (rates, mut exit) = rates(rates_place.as_deref().unwrap_or(Path::new("")), screen)?;
    for error in &list.rejected {
        screen.say(&format!("{}: {error}\n", items.display()));
        exit = graver(exit, UNTRUSTED);
    }
    let now = Basis {
        rules: &new_rules,
        rates: &rates,
        on,
    };
    let before = (old_day.is_some() || old_rules.is_some()).then(|| Basis {
        rules: old_rules.as_ref().unwrap_or(&new_rules),
        rates: &rates,
        on: old_day.unwrap_or(on),
    });
    let rows = reprice(&list.rows, before, now);
    let view = ListView {
        rows: &rows,
        now,
        before,
    };
    let mut written = Outputs::default();
    for output in &outputs {
        let text = match extension(output, &["json", "csv"])? {
            "json" => price::list_json(&view),
            _ => format!("\u{feff}{}", write_list(&rows)),
        };
        written.write(output, &text)?;
    }
    written.commit()?;
    screen.show(&match text(matches, "format") {
        "json" => price::list_json(&view),
        "csv" => write_list(&rows),
        _ => price::list_table(&view, &screen.look),
    })?;
    let open = if view.refused() > 0 { OPEN } else { FINE };
    Ok(graver(exit, open))
}

fn rules(path: &Path) -> Result<PriceRules, Failure> {
    PriceRules::parse(&files::text(path)?)
        .map_err(|error| Failure::new(error.code(), USAGE, format!("{}: {error}", path.display())))
}

/// The rates of a file, and the exit code for what could not be read of it.
fn rates(path: &Path, screen: &Screen) -> Result<(RateTable, u8), Failure> {
    let wrong = |code, why: String| {
        let message = format!("{}: {why}", path.display());
        Failure::new(code, UNTRUSTED, message)
    };
    let reading = RateReading::any(files::text(path)?.as_bytes())
        .map_err(|error| wrong(error.code(), error.to_string()))?;
    for error in &reading.rejected {
        screen.say(&format!("{}: {error}\n", path.display()));
    }
    let exit = if reading.rejected.is_empty() {
        FINE
    } else {
        UNTRUSTED
    };
    let table =
        RateTable::new(reading.rates).map_err(|error| wrong(error.code(), error.to_string()))?;
    Ok((table, exit))
}

fn day(text: &str) -> Result<Date, Failure> {
    let day = text.parse::<Date>().ok();
    day.filter(|day| day.to_string() == text)
        .ok_or_else(|| Failure::usage(format!("{text:?}: a day such as 2025-07-16 would be right")))
}

fn money(matches: &ArgMatches, name: &str) -> Result<Money, Failure> {
    let money = text(matches, name).parse::<Money>();
    money.map_err(|error| Failure::new(error.code(), USAGE, format!("--{name}: {error}")))
}

/// Why there is no price: a margin that is not left is an answer, all else is a question that has none.
fn refused(error: &PricingError) -> Failure {
    let exit = match error {
        PricingError::Margin { .. } => OPEN,
        _ => USAGE,
    };
    let mut failure = Failure::new(error.code(), exit, error.to_string());
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        failure.causes.push(cause.to_string());
        next = cause.source();
    }
    failure
}
