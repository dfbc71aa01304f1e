use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;
use quanfu::sample::demo_day;
use quanfu::{Day, Rules};

use super::recon;
use crate::failure::{FINE, Failure};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let folder = matches
        .get_one::<PathBuf>("dir")
        .cloned()
        .unwrap_or_default();
    let seed = matches.get_one::<u64>("seed").copied().unwrap_or_default();
    let sample = demo_day(seed);
    match fs::read_dir(&folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let message = format!(
                    "{}: not empty; a new folder would be right",
                    folder.display()
                );
                return Err(Failure::usage(message));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::output(&folder, &error)),
    }
    for file in &sample.files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Failure::output(parent, &error))?;
        }
        fs::write(&path, &file.bytes).map_err(|error| Failure::output(&path, &error))?;
    }
    let rules = Rules::parse(&sample.rules);
    let rules = rules.map_err(|error| Failure::rules("rules.toml".as_ref(), &error))?;
    let mut day = Day::new(rules);
    for (source, name) in [
        ("order", "orders.csv"),
        ("psp", "wechat.csv"),
        ("bank", "bank.sta"),
    ] {
        day = day.file(source, name, sample.bytes(name).unwrap_or_default());
    }
    let done = day.run().map_err(|error| Failure::day(&error))?;
    recon::finish(&done, &[], "table", screen)?;
    screen.say(&format!(
        "\nwrote  {} files to {}; README.md there has the commands to go on with\n",
        sample.files.len(),
        folder.display()
    ));
    // The open items are planted: the demo did what it was asked to.
    Ok(FINE)
}
