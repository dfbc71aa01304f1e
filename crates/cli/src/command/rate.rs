use clap::ArgMatches;
use quanfu::calendar::Date;
use quanfu::fx::{
    CENTRAL_PARITY, CustomsCalendars, CustomsRule, FxError, FxRate, RateKind, RateReading,
    RateTable, RmbMarket, Spread, Staleness, Terms, customs_day, to_csv,
};
use quanfu::money::{MoneyError, Rounding};
use quanfu::report::rates::{self, Converted};
use quanfu::{Currency, Money};

use super::{paths, text};
use crate::failure::{FINE, Failure, UNTRUSTED};
use crate::files;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("show", matches)) => show(matches, screen),
        Some(("convert", matches)) => convert(matches, screen),
        Some(("customs", matches)) => customs(matches, screen),
        _ => Err(Failure::usage("no command")),
    }
}

fn show(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let (table, exit) = read(matches, screen)?;
    let pair = match matches.get_one::<String>("pair") {
        None => None,
        Some(pair) => {
            let wanted =
                || Failure::usage(format!("{pair:?}: a pair such as USD/CNY would be right"));
            let (one, other) = pair.split_once('/').ok_or_else(wanted)?;
            let one = one.trim_start_matches(|c: char| c.is_ascii_digit());
            Some([side(one)?, side(other)?])
        }
    };
    let on = match matches.get_one::<String>("day") {
        None => None,
        Some(text) => Some(day(text)?),
    };
    let wanted: Vec<&FxRate> = table
        .rates()
        .filter(|rate| {
            let own = [rate.base(), rate.quote()].map(|currency| (currency, rate.market()));
            let has = |side: &(Currency, Option<RmbMarket>)| {
                own.iter()
                    .any(|own| own.0 == side.0 && side.1.is_none_or(|market| market == own.1))
            };
            pair.is_none_or(|pair| pair.iter().all(has)) && on.is_none_or(|on| rate.as_of() == on)
        })
        .collect();
    screen.show(&match text(matches, "format") {
        "json" => rates::json(&wanted),
        "csv" => to_csv(wanted),
        _ => rates::table(&wanted, &screen.look),
    })?;
    Ok(exit)
}

/// One side of a pair; with renminbi, the market that its name says.
fn side(code: &str) -> Result<(Currency, Option<RmbMarket>), Failure> {
    match code {
        "CNY" => Ok((Currency::CNY, Some(RmbMarket::Onshore))),
        "CNH" => Ok((Currency::CNY, Some(RmbMarket::Offshore))),
        code => Ok((currency(code)?, None)),
    }
}

fn convert(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let money: Money = text(matches, "amount")
        .parse()
        .map_err(|error: MoneyError| Failure::refused(error.code(), &error))?;
    let other = currency(text(matches, "to"))?;
    let on = day(text(matches, "on"))?;
    let spread: Spread = text(matches, "spread")
        .parse()
        .map_err(|error: FxError| Failure::refused(error.code(), &error))?;
    let rounding: Rounding = text(matches, "rounding")
        .parse()
        .map_err(|error: MoneyError| Failure::refused(error.code(), &error))?;
    let via = match matches.get_one::<String>("via") {
        None => None,
        Some(code) => Some(currency(code)?),
    };
    let market = match text(matches, "market") {
        "CNH" => RmbMarket::Offshore,
        _ => RmbMarket::Onshore,
    };
    let (calendars, _) = super::calendar::given(matches)?;
    let calendar = calendars
        .named(text(matches, "place"))
        .map_err(|error| Failure::refused(error.code(), &error))?;
    let staleness = match matches.get_one::<u32>("stale") {
        None => Staleness::Exact,
        Some(&max_business_days) => Staleness::PreviousPublished {
            max_business_days,
            calendar: &calendar,
        },
    };
    let table = whole(matches, screen)?;
    let terms = terms(matches, market, staleness)?;
    let is_cost = matches.get_flag("cost");
    let (from, to) = if is_cost {
        (other, money.currency())
    } else {
        (money.currency(), other)
    };
    let route = table
        .route(from, to, via, on, &terms)
        .map_err(|error| Failure::refused(error.code(), &error))?;
    let converted = if is_cost {
        route.cost(money, spread, rounding)
    } else {
        route.convert(money, spread, rounding)
    };
    let conversion = converted.map_err(|error| Failure::refused(error.code(), &error))?;
    let converted = Converted {
        conversion: &conversion,
        route: &route,
        on,
        spread,
        rounding,
    };
    screen.show(&match text(matches, "format") {
        "json" => converted.json(),
        _ => converted.table(matches.get_flag("steps"), &screen.look),
    })?;
    Ok(FINE)
}

fn customs(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let foreign = currency(text(matches, "to"))?;
    let month = text(matches, "month");
    let owed = day(month).or_else(|_| {
        day(&format!("{month}-01")).map_err(|_| {
            Failure::usage(format!("{month:?}: a month such as 2026-03 would be right"))
        })
    })?;
    let (known, _) = super::calendar::given(matches)?;
    let named = |name| {
        let calendar = known.named(name);
        calendar.map_err(|error| Failure::refused(error.code(), &error))
    };
    let calendars = CustomsCalendars {
        statutory: &named("CN")?,
        trading: &named("CN-FX")?,
    };
    let found = customs_day(owed, &CustomsRule::table(), calendars)
        .map_err(|error| Failure::refused(error.code(), &error))?;
    let table = whole(matches, screen)?;
    let mut terms = terms(matches, RmbMarket::Onshore, Staleness::Exact)?;
    if found.rule == CustomsRule::ThirdWednesdayElseNext && terms.source.is_none() {
        terms.source = Some(CENTRAL_PARITY);
    }
    let rate = table
        .find(foreign, Currency::CNY, found.day, &terms)
        .map_err(|error| Failure::refused(error.code(), &error))?
        .rate;
    screen.show(&match text(matches, "format") {
        "json" => rates::customs_json(&found, rate),
        _ => rates::customs_table(&found, rate, &screen.look),
    })?;
    Ok(FINE)
}

fn terms<'t>(
    matches: &'t ArgMatches,
    market: RmbMarket,
    staleness: Staleness<'t>,
) -> Result<Terms<'t>, Failure> {
    let kind = text(matches, "kind");
    Ok(Terms {
        kind: RateKind::from_name(kind).ok_or_else(|| {
            let known = RateKind::ALL.map(RateKind::name).join(", ");
            Failure::usage(format!("--kind {kind}: {known} would be right"))
        })?,
        source: matches.get_one::<String>("source").map(String::as_str),
        market,
        staleness,
    })
}

/// The rates of all files; the exit code tells whether some rows are none.
fn read(matches: &ArgMatches, screen: &Screen) -> Result<(RateTable, u8), Failure> {
    let mut table = RateTable::default();
    let mut exit = FINE;
    for path in paths(matches, "rates") {
        let file = path.display().to_string();
        let untrusted = |code, error: &dyn std::error::Error| {
            Failure::new(code, UNTRUSTED, format!("{file}: {error}"))
        };
        let reading = RateReading::any(files::text(&path)?.as_bytes())
            .map_err(|error| untrusted(error.code(), &error))?;
        if !reading.rejected.is_empty() {
            exit = UNTRUSTED;
            screen.say(&rates::rejected(&file, &reading.rejected, &screen.look));
        }
        for rate in reading.rates {
            table
                .insert(rate)
                .map_err(|error| untrusted(error.code(), &error))?;
        }
    }
    Ok((table, exit))
}

/// The rates of all files, without a row that is none: it might be the one that is looked for.
pub(super) fn whole(matches: &ArgMatches, screen: &Screen) -> Result<RateTable, Failure> {
    match read(matches, screen)? {
        (table, FINE) => Ok(table),
        (_, exit) => Err(Failure::new(
            "rate-file-field",
            exit,
            "rows of the files of rates cannot be read, and one of them might be the rate",
        )),
    }
}

pub(super) fn currency(code: &str) -> Result<Currency, Failure> {
    Currency::from_code(code).map_err(|error| Failure::refused(error.code(), &error))
}

pub(super) fn day(text: &str) -> Result<Date, Failure> {
    text.parse::<Date>()
        .ok()
        .filter(|day| day.to_string() == text)
        .ok_or_else(|| Failure::usage(format!("{text:?}: a day such as 2025-07-16 would be right")))
}
