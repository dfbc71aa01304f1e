//! What goes to stdout and stderr.

use std::io::{self, IsTerminal, Write};

use clap::ArgMatches;
use quanfu::report::{Lang, Look, labels};

use crate::failure::Failure;

/// How the user wants to see things.
#[derive(Debug)]
pub struct Screen {
    pub look: Look,
    pub quiet: bool,
    errors_coloured: bool,
}

impl Screen {
    pub fn new(matches: &ArgMatches) -> Self {
        let mut inner = matches;
        while let Some((_, deeper)) = inner.subcommand() {
            inner = deeper;
        }
        let choice = inner
            .get_one::<String>("color")
            .map_or("auto", String::as_str);
        let colour = |is_terminal: bool| match choice {
            "always" => true,
            "never" => false,
            _ => is_terminal && std::env::var_os("NO_COLOR").is_none(),
        };
        let has_flag = |name| {
            let flag = inner.try_get_one::<bool>(name).ok().flatten();
            flag.copied().unwrap_or(false)
        };
        Self {
            look: Look {
                lang: language(inner.get_one::<String>("lang").map(String::as_str)),
                unmask: has_flag("unmask"),
                colour: colour(io::stdout().is_terminal()),
            },
            quiet: has_flag("quiet"),
            errors_coloured: colour(io::stderr().is_terminal()),
        }
    }

    /// Writes a result. Whoever closed the pipe does not want to read on, so that is no failure.
    pub fn show(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::output("stdout".as_ref(), &error))
            }
            _ => Ok(()),
        }
    }

    /// Says something beside the result.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let _ = io::stderr().lock().write_all(text.as_bytes());
        }
    }

    /// Reports a failure.
    pub fn complain(&self, failure: &Failure) {
        let (red, bold, plain) = if self.errors_coloured {
            ("\u{1b}[31m", "\u{1b}[1m", "\u{1b}[0m")
        } else {
            ("", "", "")
        };
        let mut text = format!(
            "{red}error{plain}[{}]: {bold}{}{plain}\n",
            failure.code, failure.message
        );
        for cause in &failure.causes {
            text.push_str(&format!("  because: {cause}\n"));
        }
        if let Some(label) = labels::label(failure.code, self.look.lang) {
            if !label.advice.is_empty() {
                text.push_str(&format!("  > {}\n", label.advice));
            }
            text.push_str(&format!("  quanfu explain {}\n", failure.code));
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// The language asked for, or that of the environment, or English.
fn language(asked: Option<&str>) -> Lang {
    let from_environment = || {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
    };
    let wanted = asked.map(str::to_owned).or_else(from_environment);
    if wanted.is_some_and(|wanted| wanted.starts_with("zh")) {
        Lang::Zh
    } else {
        Lang::En
    }
}
