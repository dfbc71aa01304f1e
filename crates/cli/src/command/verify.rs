use std::fs::File;
use std::io::Read;

use clap::ArgMatches;
use quanfu::report::verification;
use quanfu::settlement::Limits;
use quanfu::verify::{Candidate, verify};

use super::{path, paths, text};
use crate::failure::{FINE, Failure, UNTRUSTED};
use crate::files;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let result = files::text(&path(matches, "result").unwrap_or_default())?;
    let given = paths(matches, "files");
    let candidates: Vec<Candidate<'_>> = given
        .iter()
        .map(|path| {
            Candidate::new(path.display().to_string(), move || {
                File::open(path).map(|file| Box::new(file) as Box<dyn Read>)
            })
        })
        .collect();
    let answer = verify(&result, &candidates, &Limits::default())
        .map_err(|error| Failure::io(error.file.as_ref(), &error.source))?;
    screen.show(&match text(matches, "format") {
        "json" => verification::json(&answer),
        _ => verification::table(&answer, &screen.look),
    })?;
    Ok(if answer.holds() { FINE } else { UNTRUSTED })
}
