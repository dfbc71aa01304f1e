//! The commands. Each gives the exit code, or a failure that names its own.

mod calendar;
mod challenge;
mod credit;
mod decide;
mod declare;
mod demo;
mod diff;
mod explain;
mod filing;
mod keyrun;
mod price;
mod rate;
mod read;
mod recon;
pub mod store;
mod verify;
mod why;

use std::path::PathBuf;

use clap::ArgMatches;

use crate::failure::Failure;
use crate::screen::Screen;

/// Runs the command that was asked for.
pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("demo", matches)) => demo::run(matches, screen),
        Some(("read", matches)) => read::run(matches, screen),
        Some(("recon", matches)) => recon::run(matches, screen),
        Some(("why", matches)) => why::run(matches, screen),
        Some(("decide", matches)) => decide::run(matches, screen),
        Some(("diff", matches)) => diff::run(matches, screen),
        Some(("challenge", matches)) => challenge::run(matches, screen),
        Some(("price", matches)) => price::run(matches, screen),
        Some(("rate", matches)) => rate::run(matches, screen),
        Some(("calendar", matches)) => calendar::run(matches, screen),
        Some(("credit", matches)) => credit::run(matches, screen),
        Some(("declare", matches)) => declare::run(matches, screen),
        Some(("verify", matches)) => verify::run(matches, screen),
        Some(("store", matches)) => store::run(matches, screen),
        Some(("filing", matches)) => filing::run(matches, screen),
        Some(("explain", matches)) => explain::run(matches, screen),
        _ => Err(Failure::usage("no command")),
    }
}

fn path(matches: &ArgMatches, name: &str) -> Option<PathBuf> {
    matches.get_one::<PathBuf>(name).cloned()
}

fn paths(matches: &ArgMatches, name: &str) -> Vec<PathBuf> {
    let values = matches.get_many::<PathBuf>(name);
    values
        .map(|values| values.cloned().collect())
        .unwrap_or_default()
}

fn text<'m>(matches: &'m ArgMatches, name: &str) -> &'m str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// The extension of an output file, which must be one of these.
fn extension<'e>(path: &std::path::Path, known: &[&'e str]) -> Result<&'e str, Failure> {
    let found = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("");
    known
        .iter()
        .find(|known| **known == found)
        .copied()
        .ok_or_else(|| {
            let known: Vec<String> = known.iter().map(|known| format!(".{known}")).collect();
            Failure::usage(format!(
                "-o {}: the extension tells the format; {} would be right",
                path.display(),
                known.join(" or ")
            ))
        })
}
