use std::path::Path;

use clap::ArgMatches;
use quanfu::report::challenge;
use quanfu::{Challenge, Challenged};

use super::{path, paths, recon, text};
use crate::failure::{FINE, Failure, OPEN};
use crate::files;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let rules = files::rules(&path(matches, "rules").unwrap_or_default())?;
    let seed = matches.get_one::<u64>("seed").copied().unwrap_or_default();
    let rows = matches.get_one::<u32>("rows").copied().unwrap_or_default();
    let folder = path(matches, "dir");
    if let Some(folder) = &folder {
        files::new_folder(folder)?;
    }
    let mut trial = Challenge::new(rules.clone(), seed)
        .rows(rows)
        .threads(std::thread::available_parallelism().map_or(2, std::num::NonZero::get));
    for path in paths(matches, "profile") {
        trial = trial.profile(files::profile(&path)?);
    }
    if let Some(path) = path(matches, "calendar") {
        trial = trial.calendar(recon::calendar(&path, &rules)?);
    }
    let done = trial.run().map_err(|error| Failure::day(&error))?;
    screen.show(&match text(matches, "format") {
        "json" => done.doc.to_json(),
        _ => challenge::table(&done.doc, &screen.look),
    })?;
    if let Some(folder) = &folder {
        write(&done, folder, screen)?;
    }
    Ok(if done.doc.wrong == 0 { FINE } else { OPEN })
}

/// Writes the days, their truth and the answer.
fn write(done: &Challenged, folder: &Path, screen: &Screen) -> Result<(), Failure> {
    let made = done.files();
    for file in &made.files {
        files::write_below(folder, &file.path, &file.bytes)?;
    }
    files::write_below(folder, "challenge.json", done.doc.to_json().as_bytes())?;
    screen.say(&format!(
        "wrote  {} files to {}\n",
        made.files.len() + 1,
        folder.display()
    ));
    if !made.listed.is_empty() {
        screen.say(&format!(
            "no file of {} can be made up from its profile: its rows are a plain list (.rows.csv)\n",
            made.listed.join(", ")
        ));
    }
    Ok(())
}
