use std::path::Path;

use clap::ArgMatches;
use quanfu::Money;
use quanfu::pricing::{Basis, Item, PriceList, PriceRules, PricingError, reprice, write_list};
use quanfu::report::price::{self, ListView};

use super::rate::{self, currency, day};
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
    let buyer = currency(text(matches, "buyer"))?;
    let mut item = Item::new(money(matches, "amount")?).map_err(|error| refused(&error))?;
    if matches.contains_id("cost") {
        let cost = money(matches, "cost")?;
        item = item.with_cost(cost).map_err(|error| refused(&error))?;
    }
    let rates = rate::whole(matches, screen)?;
    let offer = rules
        .offer(&item, buyer, &rates, on)
        .map_err(|error| refused(&error))?;
    screen.show(&match text(matches, "format") {
        "json" => price::json(&rules, &offer),
        _ => price::table(&rules, &offer, matches.get_flag("steps"), &screen.look),
    })?;
    Ok(FINE)
}

fn list(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let places = ["rules", "items", "old-rules"].map(|name| path(matches, name));
    let [rules_place, items, old_place] = &places;
    let rates_places = paths(matches, "rates");
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json", "csv"])?;
    }
    files::keep_apart(
        &outputs,
        places
            .iter()
            .flatten()
            .chain(&rates_places)
            .map(AsRef::as_ref),
    )?;
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
    let rates = rate::whole(matches, screen)?;
    let mut exit = FINE;
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
    Failure {
        exit,
        ..Failure::refused(error.code(), error)
    }
}
