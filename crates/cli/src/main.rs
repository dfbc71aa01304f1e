//! The command line of quanfu: the only room with files, a terminal, arguments and an environment.

mod args;
mod command;
mod failure;
mod files;
mod record;
mod screen;

use std::process::ExitCode;

use crate::screen::Screen;

fn main() -> ExitCode {
    let matches = match args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version go to stdout with 0, mistakes to stderr with 2.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()) * 2);
        }
    };
    let screen = Screen::new(&matches);
    match command::run(&matches, &screen) {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            screen.complain(&failure);
            ExitCode::from(failure.exit)
        }
    }
}
