use std::path::PathBuf;

use clap::ArgMatches;
use quanfu::sample::demo_day;
use quanfu::{Day, Rules};

use super::recon;
use crate::failure::{FINE, Failure};
use crate::files;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let folder = matches
        .get_one::<PathBuf>("dir")
        .cloned()
        .unwrap_or_default();
    let seed = matches.get_one::<u64>("seed").copied().unwrap_or_default();
    let sample = demo_day(seed);
    files::new_folder(&folder)?;
    for file in &sample.files {
        files::write_below(&folder, &file.path, &file.bytes)?;
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
    recon::finish(&done, &[], "table", None, screen)?;
    screen.say(&format!(
        "\nwrote  {} files to {}; README.md there has the commands to go on with\n",
        sample.files.len(),
        folder.display()
    ));
    // The open items are planted: the demo did what it was asked to.
    Ok(FINE)
}
