use clap::ArgMatches;
use quanfu::report::{explain, labels};

use super::text;
use crate::failure::{FINE, Failure};
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let code = text(matches, "code");
    match explain(code, &screen.look) {
        Some(page) => screen.show(&page).map(|()| FINE),
        None => {
            let near = labels::suggestions(code);
            let hint = if near.is_empty() {
                String::new()
            } else {
                format!("; near it: {}", near.join(", "))
            };
            Err(Failure::usage(format!("no code {code:?}{hint}")))
        }
    }
}
