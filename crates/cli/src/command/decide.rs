use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use quanfu::calendar::Date;
use quanfu::report::decisions::{self, Wish};
use quanfu::settlement::decision::{Act, DecisionKind, DecisionLog, Proposal};
use quanfu::settlement::{DecisionError, Digest};

use super::store::Memory;
use super::{path, text};
use crate::failure::{BROKEN, FINE, Failure, USAGE};
use crate::files::{self, LogFile};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("propose", matches)) => propose(matches, screen),
        Some(("approve", matches)) => answer(Act::Approve, matches, screen),
        Some(("refuse", matches)) => answer(Act::Refuse, matches, screen),
        Some(("list", matches)) => {
            let log = files::decisions(&path(matches, "log").unwrap_or_default())?;
            screen.show(&match text(matches, "format") {
                "json" => decisions::json(&log),
                _ => decisions::table(&log, &screen.look),
            })?;
            caution(screen);
            Ok(FINE)
        }
        Some(("check", matches)) => {
            let log = files::decisions(&path(matches, "log").unwrap_or_default())?;
            screen.show(&decisions::summary(&log, &screen.look))?;
            caution(screen);
            Ok(FINE)
        }
        _ => Err(Failure::usage("no command")),
    }
}

fn caution(screen: &Screen) {
    screen.say(&format!("note   {}\n", decisions::caution(&screen.look)));
}

fn propose(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let doc = files::result(&path(matches, "result").unwrap_or_default())?;
    let table = path(matches, "table")
        .map(|path| files::text(&path))
        .transpose()?;
    let kind = DecisionKind::from_code(text(matches, "kind"))
        .ok_or_else(|| Failure::usage("--kind: no such kind"))?;
    let many = |name| -> Vec<&str> {
        let values = matches.get_many::<String>(name).into_iter().flatten();
        values.map(String::as_str).collect()
    };
    let one = |name| matches.get_one::<String>(name).map(String::as_str);
    let wish = Wish {
        positions: many("position"),
        records: many("record"),
        group: one("group"),
        cause: one("cause"),
        amount: one("amount"),
        to: one("to"),
        reason: text(matches, "reason"),
    };
    let refuse = |message: String| Failure::new("decision-content", USAGE, message);
    let decision = decisions::decision(&doc, table.as_deref(), kind, &wish)
        .map_err(|error| refuse(error.to_string()))?;
    let place = path(matches, "log").unwrap_or_default();
    let at = time(matches)?;
    let mut memory = Memory::of(matches)?;
    // what cannot be proposed does not leave an empty log behind
    let mut trial = DecisionLog::default();
    let tried = trial.propose(decision.clone(), text(matches, "by"), &at);
    tried.map_err(|error| refused(&error))?;
    let (file, mut log) = LogFile::open(&place)?;
    let line = log
        .propose(decision, text(matches, "by"), &at)
        .map_err(|error| refused(&error))?;
    file.append(&line)?;
    remember(&mut memory, &place, screen)?;
    if let Some(last) = log.proposals().last() {
        screen.show(&decisions::proposal(last, &screen.look))?;
        screen.say(&format!(
            "next   another person: quanfu decide approve {} {} --by NAME\n",
            place.display(),
            last.name()
        ));
    }
    caution(screen);
    Ok(FINE)
}

fn answer(act: Act, matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let place = path(matches, "log").unwrap_or_default();
    if !place.exists() {
        return Err(files::decisions(&place)
            .err()
            .unwrap_or_else(|| Failure::usage("no log")));
    }
    let mut memory = Memory::of(matches)?;
    let (file, mut log) = LogFile::open(&place)?;
    let id = find(&log, text(matches, "id"))?;
    let note = matches.get_one::<String>("note").map(String::as_str);
    let line = log
        .answer(act, id, text(matches, "by"), note, &time(matches)?)
        .map_err(|error| refused(&error))?;
    file.append(&line)?;
    remember(&mut memory, &place, screen)?;
    if let Some(answered) = log.proposals().iter().find(|proposal| proposal.id == id) {
        screen.show(&decisions::proposal(answered, &screen.look))?;
    }
    caution(screen);
    Ok(FINE)
}

/// Takes all lines of the log into the store that was asked for: also those of earlier times, when it could not be written.
fn remember(memory: &mut Option<Memory>, log: &Path, screen: &Screen) -> Result<(), Failure> {
    match memory {
        Some(memory) => memory.remember(&[(log, files::text(log)?)], screen),
        None => Ok(()),
    }
}

/// A line that was not written, as it would not hold.
fn refused(error: &DecisionError) -> Failure {
    Failure::new(error.code(), USAGE, error.fault.to_string())
}

fn find(log: &DecisionLog, asked: &str) -> Result<Digest, Failure> {
    let line: Option<u64> = asked
        .strip_prefix("line:")
        .and_then(|line| line.parse().ok());
    let fits = |proposal: &&Proposal| {
        if line == Some(proposal.seq) {
            return true;
        }
        let id = proposal.id.to_string();
        id == asked || (asked.len() >= 4 && id["sha256:".len()..].starts_with(asked))
    };
    let found: Vec<&Proposal> = log.proposals().iter().filter(fits).collect();
    let refuse = |message: String| Err(Failure::new("decision-approval", USAGE, message));
    match found[..] {
        [one] => Ok(one.id),
        [] => refuse(format!("the log has no decision {asked:?}")),
        _ => refuse(format!("{asked:?} begins {} decisions", found.len())),
    }
}

/// The time given, or now.
pub fn time(matches: &ArgMatches) -> Result<String, Failure> {
    if let Some(given) = matches.get_one::<String>("at") {
        return Ok(given.clone());
    }
    let clock = || Failure::new("output", BROKEN, "the clock of this machine cannot be read");
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_err(|_| clock())?.as_secs();
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let day = i32::try_from(days).ok();
    let day = day.and_then(|days| Date::from_num_days_from_ce_opt(days + 719_163)); // 1970-01-01
    let day = day.ok_or_else(clock)?;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    Ok(format!("{day}T{hour:02}:{minute:02}:{second:02}Z"))
}
