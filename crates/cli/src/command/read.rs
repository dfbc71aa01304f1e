use clap::ArgMatches;
use quanfu::formats::{Options, read_all};
use quanfu::report::reading;
use quanfu::settlement::Reading;

use super::{extension, path, paths, text};
use crate::failure::{FINE, Failure, UNTRUSTED, graver};
use crate::files::{self, Outputs};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let inputs = paths(matches, "files");
    let outputs = paths(matches, "out");
    for output in &outputs {
        extension(output, &["json", "jsonl", "csv"])?;
    }
    files::keep_apart(&outputs, inputs.iter().map(|path| path.as_path()))?;
    let profile = match path(matches, "profile") {
        Some(path) => Some(files::profile(&path)?),
        None => None,
    };
    let options = Options {
        strict: matches.get_flag("strict"),
        profile: profile.as_ref(),
        ..Options::default()
    };
    let mut all = Reading::default();
    let mut exit = FINE;
    for input in &inputs {
        let read = files::open(input).and_then(|bytes| {
            let name = input.display().to_string();
            read_all(&name, bytes, &options).map_err(|error| Failure::file(&error))
        });
        match read {
            Ok(reading) => all.files.extend(reading.files),
            // One file that cannot be read costs no other.
            Err(failure) => {
                screen.complain(&failure);
                exit = graver(exit, failure.exit);
            }
        }
    }
    let is_sound = |file: &quanfu::settlement::FileReading| {
        file.file.rejected == 0 && !file.proofs().any(quanfu::settlement::Proof::fails)
    };
    if !all.files.iter().all(is_sound) {
        exit = graver(exit, UNTRUSTED);
    }
    let mut written = Outputs::default();
    for output in &outputs {
        let text = match extension(output, &["json", "jsonl", "csv"])? {
            "json" => reading::json(&all),
            "jsonl" => reading::jsonl(&all),
            _ => format!("\u{feff}{}", reading::csv(&all)),
        };
        written.write(output, &text)?;
    }
    written.commit()?;
    if !(all.files.is_empty() && exit != FINE) {
        screen.show(&match text(matches, "format") {
            "json" => reading::json(&all),
            "jsonl" => reading::jsonl(&all),
            "csv" => reading::csv(&all),
            _ => reading::table(&all, &screen.look),
        })?;
    }
    Ok(exit)
}
