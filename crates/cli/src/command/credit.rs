mod case;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use clap::ArgMatches;
use quanfu::calendar::{BusinessCalendar, Date};
use quanfu::credit::application::{self, Application, Applications};
use quanfu::credit::budget::{self, Source};
use quanfu::credit::programme::BudgetMethod;
use quanfu::credit::{
    Assessment, Context, DocumentError, FileMark, Policy, Programme, Receipts, ReferenceRates,
    SHIPPED, assess, shipped,
};
use quanfu::fx::{Certainty, RateTable};
use quanfu::money::Money;
use quanfu::report::{award, programme};
use quanfu::settlement::{Digest, DigestAlg};

use super::{extension, path, paths, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, USAGE, graver};
use crate::files::{self, Outputs};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("check", matches)) => check(matches, screen),
        Some(("assess", matches)) => assess_all(matches, screen),
        Some(("explain", matches)) => explain(matches, screen),
        Some(("budget", matches)) => share_out(matches, screen),
        Some(("borrowing-base", matches)) => borrowing_base(matches, screen),
        Some(("publish", matches)) => publish(matches, screen),
        Some(("case", matches)) => case::run(matches, screen),
        _ => Err(Failure::usage("no command")),
    }
}

fn document(path: &Path, error: &DocumentError) -> Failure {
    let exit = match error {
        DocumentError::Row { .. } => UNTRUSTED,
        _ => USAGE,
    };
    Failure::new(error.code(), exit, format!("{}: {error}", path.display()))
}

fn day(matches: &ArgMatches, name: &str) -> Result<Date, Failure> {
    let given = text(matches, name);
    let day = given
        .parse::<Date>()
        .ok()
        .filter(|day| day.to_string() == given);
    day.ok_or_else(|| {
        Failure::usage(format!(
            "--{name} {given:?}: a day such as 2025-04-01 would be right"
        ))
    })
}

/// A programme from a file, or a shipped one by its name if there is no such file.
fn programme_of(path: &Path) -> Result<Programme, Failure> {
    let name = path.to_str().filter(|_| !path.exists());
    let text = match name.and_then(shipped) {
        Some(text) => text.to_owned(),
        None => files::text(path)?,
    };
    Programme::parse(&text).map_err(|error| document(path, &error))
}

fn check(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let mut given = paths(matches, "programmes");
    if given.is_empty() {
        given = SHIPPED.iter().map(|(name, _)| name.into()).collect();
    }
    let (rates, reference, calendar) = (
        RateTable::default(),
        ReferenceRates::shipped(),
        BusinessCalendar::china(),
    );
    let context = Context {
        day: Date::MAX,
        rates: &rates,
        reference: &reference,
        calendar: &calendar,
        earlier: &[],
        policies: &[],
        files: &[],
        unread: &[],
        receipts: None,
    };
    let mut exit = FINE;
    for path in &given {
        let programme = match programme_of(path) {
            Ok(programme) => programme,
            Err(failure) => {
                screen.complain(&failure);
                exit = graver(exit, failure.exit);
                continue;
            }
        };
        let mut out = String::new();
        if matches.get_flag("meaning") {
            out.push_str(&programme::meaning(&programme, &screen.look));
        }
        let results = programme.run_tests(&context);
        let failed = results
            .iter()
            .filter(|result| !result.differs.is_empty())
            .count();
        out.push_str(&format!(
            "{} {} ({}): {} worked cases, {failed} differ\n",
            programme.id,
            programme.year,
            programme.status.name(),
            results.len()
        ));
        for result in results {
            for fault in result.differs {
                out.push_str(&format!("  {}: {fault}\n", result.name));
            }
        }
        if failed > 0 {
            exit = graver(exit, UNTRUSTED);
        }
        screen.show(&out)?;
    }
    Ok(exit)
}

fn earlier(path: &Path) -> Result<Assessment, Failure> {
    let read = Assessment::from_json(&files::text(path)?);
    read.map_err(|why| {
        Failure::new(
            "credit-award",
            UNTRUSTED,
            format!("{}: {why}", path.display()),
        )
    })
}

/// The one application of a TOML file, or those of a table.
fn applications_of(path: &Path, text: &str) -> Result<Applications, Failure> {
    let read = match extension(path, &["toml", "csv"])? {
        "toml" => application::from_toml(text).map(|one| Applications {
            applications: vec![one],
            rejected: Vec::new(),
        }),
        _ => application::from_csv(text),
    };
    read.map_err(|error| document(path, &error))
}

fn assess_all(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json"])?;
    }
    let inputs = paths(matches, "applications");
    let more = ["programme", "rates", "reference"];
    let more: Vec<_> = more
        .into_iter()
        .filter_map(|name| path(matches, name))
        .collect();
    let read = inputs.iter().chain(&more).map(|path| path.as_path());
    files::keep_apart(&outputs, read)?;
    let programme = programme_of(&path(matches, "programme").unwrap_or_default())?;
    let mut marks = Vec::new();
    let mut mark = |path: &Path, text: &str| {
        let digest = Digest::of(DigestAlg::Sha256, text.as_bytes());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        marks.push(FileMark::new(name, digest));
    };
    let mut applications: Vec<Application> = Vec::new();
    let mut unread = Vec::new();
    let mut ids = BTreeSet::new();
    let mut exit = FINE;
    for path in &inputs {
        let text = files::text(path)?;
        mark(path, &text);
        let read = applications_of(path, &text)?;
        for error in &read.rejected {
            screen.complain(&document(path, error));
            unread.push(format!("{}: {error}", path.display()));
            exit = graver(exit, UNTRUSTED);
        }
        for application in read.applications {
            if !ids.insert(application.id.clone()) {
                let message = format!(
                    "{}: application {:?} was read before",
                    path.display(),
                    application.id
                );
                return Err(Failure::new("credit-application", UNTRUSTED, message));
            }
            applications.push(application);
        }
    }
    let rates = match path(matches, "rates") {
        None => RateTable::default(),
        Some(path) => {
            let text = files::text(&path)?;
            mark(&path, &text);
            files::rates(&path, &text)?
        }
    };
    let reference = match path(matches, "reference") {
        None => ReferenceRates::shipped(),
        Some(path) => {
            let text = files::text(&path)?;
            ReferenceRates::parse(&text).map_err(|error| document(&path, &error))?
        }
    };
    marks.push(FileMark::new("reference rates", reference.digest));
    let calendar = match path(matches, "calendar") {
        None => BusinessCalendar::china(),
        Some(path) => {
            let read = BusinessCalendar::parse("CN", &files::text(&path)?);
            let laid = read.and_then(|user| BusinessCalendar::china().overlaid_with(&user));
            laid.map_err(|error| {
                Failure::new(error.code(), USAGE, format!("{}: {error}", path.display()))
            })?
        }
    };
    let mut before = Vec::new();
    for path in paths(matches, "earlier") {
        before.push(earlier(&path)?);
    }
    let mut policies = Vec::new();
    for path in paths(matches, "policy") {
        policies
            .push(Policy::parse(&files::text(&path)?).map_err(|error| document(&path, &error))?);
    }
    let mut receipts = None;
    for pair in paths(matches, "receipts").chunks(2) {
        if let [result, outcomes] = pair {
            let (doc, table) = (files::text(result)?, files::text(outcomes)?);
            for (path, text) in [(result, &doc), (outcomes, &table)] {
                let digest = Digest::of(DigestAlg::Sha256, text.as_bytes());
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                marks.push(FileMark::new(name, digest));
            }
            let all = receipts.get_or_insert_with(Receipts::default);
            let added = all.add(&doc, &table);
            added.map_err(|error| {
                let message = format!("{}, {}: {error}", result.display(), outcomes.display());
                Failure::new(error.code(), UNTRUSTED, message)
            })?;
        }
    }
    let context = Context {
        day: day(matches, "day")?,
        rates: &rates,
        reference: &reference,
        calendar: &calendar,
        earlier: &before,
        policies: &policies,
        files: &marks,
        unread: &unread,
        receipts: receipts.as_ref(),
    };
    let done = assess(&programme, &applications, &context);
    let done = done.map_err(|error| Failure::new(error.code(), UNTRUSTED, error.to_string()))?;
    let mut written = Outputs::default();
    for output in &outputs {
        let mut file = written.begin(output)?;
        let done = done.write_json(&mut file).and_then(|()| file.flush());
        done.map_err(|error| Failure::output(output, &error))?;
    }
    written.commit()?;
    let mut shown = match text(matches, "format") {
        "json" => done.to_json(),
        _ => award::table(&done, &screen.look),
    };
    if matches.get_flag("coverage") {
        let rules = award::coverage(&done, &screen.look);
        if text(matches, "format") == "json" {
            screen.say(&rules);
        } else {
            shown.push_str(&format!("\n{rules}"));
        }
    }
    screen.show(&shown)?;
    if !done.refused.is_empty() {
        exit = graver(exit, OPEN);
    }
    Ok(exit)
}

fn explain(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let awards = earlier(&path(matches, "awards").unwrap_or_default())?;
    let wanted = text(matches, "enterprise");
    let found = awards
        .awards
        .iter()
        .find(|award| award.enterprise == wanted);
    let found = found.ok_or_else(|| Failure::usage(format!("no award for {wanted:?}")))?;
    let markdown = text(matches, "format") == "markdown";
    screen.show(&award::explain(&awards, found, &screen.look, markdown))?;
    Ok(FINE)
}

fn publish(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let awards = earlier(&path(matches, "awards").unwrap_or_default())?;
    screen.show(&match text(matches, "list") {
        "notice" => award::notice(&awards),
        _ => award::payments(&awards),
    })?;
    Ok(FINE)
}

fn share_out(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let path = path(matches, "claims").unwrap_or_default();
    let claims =
        budget::read_claims(&files::text(&path)?).map_err(|error| document(&path, &error))?;
    let yuan = |option: &str, total: &str| -> Result<Money, Failure> {
        let money = format!("{total} CNY").parse();
        money.map_err(|error| Failure::usage(format!("--{option} {total:?}: {error}")))
    };
    let classes = matches.get_many::<String>("class").unwrap_or_default();
    let method = match text(matches, "method") {
        "water_fill" => BudgetMethod::WaterFill {
            weight: "weight".into(),
        },
        "priority" => BudgetMethod::Priority {
            classes: classes.cloned().collect(),
        },
        "first_come" => BudgetMethod::FirstCome,
        _ => BudgetMethod::ProRata,
    };
    let source = Source {
        source: "command line".into(),
        certainty: Certainty::Certain,
    };
    let mut budgets = Vec::new();
    for given in matches
        .get_many::<String>("class-total")
        .unwrap_or_default()
    {
        let (class, total) = given.split_once('=').ok_or_else(|| {
            Failure::usage(format!(
                "--class-total {given:?}: a class and its budget, as in small=1000.00, would be right"
            ))
        })?;
        let total = yuan("class-total", total)?;
        budgets.push((class.to_owned(), total, source.clone()));
    }
    let shared = if budgets.is_empty() {
        let total = yuan("total", text(matches, "total"))?;
        budget::share_out(total, &claims, &method, 2, &source).map(|shared| vec![shared])
    } else {
        budget::share_out_by_class(&budgets, &claims, &method, 2)
    };
    let shared = shared.map_err(|error| Failure::new(error.code(), USAGE, error.to_string()))?;
    screen.show(&award::shares(&shared))?;
    for (place, part) in shared.iter().enumerate() {
        let class = budgets.get(place);
        let class = class.map_or(String::new(), |(class, ..)| format!("{class}: "));
        screen.say(&format!(
            "{class}paid {}, unspent {}\n",
            part.paid, part.unspent
        ));
    }
    Ok(FINE)
}

fn borrowing_base(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let path = path(matches, "policy").unwrap_or_default();
    let policy = Policy::parse(&files::text(&path)?).map_err(|error| document(&path, &error))?;
    let base = policy.borrowing_base(day(matches, "day")?);
    let base = base.map_err(|why| {
        Failure::new(
            "credit-policy",
            UNTRUSTED,
            format!("{}: {why}", path.display()),
        )
    })?;
    screen.show(&award::borrowing_base(&base, &screen.look))?;
    Ok(if base.left_out.is_empty() { FINE } else { OPEN })
}
