//! `quanfu filing`: records of post-hoc filing, as files.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ArgMatches;
use quanfu::calendar::{BusinessCalendar, Date};
use quanfu::codes::Parameters;
use quanfu::filing::{Act, Attachment, Content, Filing, Programme, Refusal};
use quanfu::report::decisions;
use quanfu::report::filing::{self, View};
use quanfu::settlement::{DigestAlg, Hasher};

use super::store::Memory;
use super::{calendar, extension, path, paths, text};
use crate::failure::{FINE, Failure, OPEN, UNTRUSTED, USAGE, graver};
use crate::files::{self, Outputs};
use crate::record::RecordFile;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("programmes", matches)) => {
            let known = programmes(matches)?;
            screen.show(&filing::programmes(&known, &screen.look))?;
            Ok(FINE)
        }
        Some(("new", matches)) => new(matches, screen),
        Some(("list" | "due" | "show" | "export", _)) => view(matches, screen),
        Some((verb, matches)) => change(verb, matches, screen),
        None => Err(Failure::usage("no command")),
    }
}

fn day(matches: &ArgMatches, name: &str) -> Result<Date, Failure> {
    parsed_day(name, text(matches, name))
}

fn parsed_day(name: &str, given: &str) -> Result<Date, Failure> {
    let day = given.parse::<Date>().ok();
    day.filter(|day| day.to_string() == given)
        .ok_or_else(|| Failure::usage(format!("--{name}: a day such as 2026-03-02 would be right")))
}

/// Something that may not happen: the record stays as it is.
fn refused(path: &Path, refusal: &Refusal) -> Failure {
    Failure::new(
        refusal.code(),
        USAGE,
        format!("{}: {refusal}", path.display()),
    )
}

fn read(path: &Path, text: &str) -> Result<Filing, Failure> {
    Filing::from_json(text).map_err(|refusal| Failure {
        exit: UNTRUSTED,
        ..refused(path, &refusal)
    })
}

/// Ours, and over them those of `--programme`: files, or names of ours.
fn programmes(matches: &ArgMatches) -> Result<Vec<Programme>, Failure> {
    let mut known = Programme::shipped();
    for path in paths(matches, "programme") {
        if known.iter().any(|it| path.as_os_str() == it.id.as_str()) && !path.exists() {
            continue;
        }
        let own = Programme::parse(&files::text(&path)?).map_err(|error| {
            Failure::new(error.code(), USAGE, format!("{}: {error}", path.display()))
        })?;
        known.retain(|it| it.id != own.id);
        known.push(own);
    }
    Ok(known)
}

fn programme_of<'p>(
    filing: &Filing,
    known: &'p [Programme],
    path: &Path,
) -> Result<&'p Programme, Failure> {
    let found = known.iter().find(|it| it.id == filing.programme());
    found.ok_or_else(|| {
        let message = format!(
            "{}: the record is under programme {:?}; --programme with its file would be right",
            path.display(),
            filing.programme()
        );
        Failure::new("filing-other-programme", USAGE, message)
    })
}

fn calendar_of(matches: &ArgMatches) -> Result<BusinessCalendar, Failure> {
    let (calendars, _) = calendar::given(matches)?;
    let named = calendars.named("CN");
    named.map_err(|error| Failure::new(error.code(), USAGE, error.to_string()))
}

fn view_of<'a>(
    filing: &'a Filing,
    programme: &'a Programme,
    path: &Path,
    calendar: &BusinessCalendar,
    day: Date,
) -> Result<View<'a>, Failure> {
    let (name, ours) = (path.display().to_string(), Parameters::shipped());
    let view = View::new(filing, programme, &name, calendar, &ours, day);
    view.map_err(|error| Failure::new(error.code(), USAGE, error.to_string()))
}

/// The fields of `--content` and the others, laid over a content whose papers stay.
fn fields(matches: &ArgMatches, mut content: Content) -> Result<Content, Failure> {
    if let Some(path) = path(matches, "content") {
        let given = Content::parse(&files::text(&path)?);
        let given = given.map_err(|refusal| refused(&path, &refusal))?;
        let papers = std::mem::take(&mut content.attachments);
        content = given;
        if content.attachments.is_empty() {
            content.attachments = papers;
        }
    }
    let given = |name: &str| matches.get_one::<String>(name).cloned();
    for (name, field) in [
        ("bank", &mut content.bank.name),
        ("institution", &mut content.institution.name),
        ("agreement", &mut content.agreement.number),
    ] {
        *field = given(name).unwrap_or(std::mem::take(field));
    }
    for (name, field) in [
        ("bank-uscc", &mut content.bank.uscc),
        ("institution-uscc", &mut content.institution.uscc),
    ] {
        code(matches, name, field)?;
    }
    code(matches, "licence", &mut content.institution.licence)?;
    for (name, field) in [
        ("from", &mut content.agreement.from),
        ("until", &mut content.agreement.until),
    ] {
        if let Some(given) = given(name) {
            *field = Some(parsed_day(name, &given)?);
        }
    }
    Ok(content)
}

fn code<T: FromStr<Err: std::fmt::Display>>(
    matches: &ArgMatches,
    name: &str,
    field: &mut Option<T>,
) -> Result<(), Failure> {
    if let Some(given) = matches.get_one::<String>(name) {
        let parsed = given.parse();
        *field = Some(parsed.map_err(|error| Failure::usage(format!("--{name}: {error}")))?);
    }
    Ok(())
}

/// What a store would refuse only after the record was written.
fn keyed(matches: &ArgMatches, content: &Content) -> Result<(), Failure> {
    let has = |name: &str| matches.contains_id(name);
    if has("store") && !has("key") && content.is_personal() {
        return Err(Failure::usage(
            "--store: the record has account numbers or telephones; --key with a file of 32 bytes or more would be right",
        ));
    }
    Ok(())
}

fn new(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let place = path(matches, "record").unwrap_or_default();
    let known = programmes(matches)?;
    let asked = path(matches, "programme").unwrap_or_default();
    // one of our own stands last
    let programme = match asked.exists() {
        true => known.last(),
        false => known.iter().find(|it| asked.as_os_str() == it.id.as_str()),
    };
    let programme = programme.ok_or_else(|| Failure::usage("--programme: no such programme"))?;
    let content = fields(matches, Content::default())?;
    keyed(matches, &content)?;
    let (on, by) = (day(matches, "on")?, text(matches, "by"));
    let filing = Filing::new(programme, text(matches, "number"), content, on, by);
    let filing = filing.map_err(|refusal| refused(&place, &refusal))?;
    let calendar = calendar_of(matches)?;
    let view = view_of(&filing, programme, &place, &calendar, on)?;
    let mut memory = Memory::of(matches)?;
    let json = filing.to_json();
    RecordFile::create(&place, &json)?;
    remember(&mut memory, &place, json, screen)?;
    screen.show(&filing::changed(&view, &screen.look))?;
    Ok(FINE)
}

fn change(verb: &str, matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let place = path(matches, "record").unwrap_or_default();
    let known = programmes(matches)?;
    let calendar = calendar_of(matches)?;
    let on = day(matches, "on")?;
    let (file, json) = RecordFile::open(&place)?;
    let mut filing = read(&place, &json)?;
    let programme = programme_of(&filing, &known, &place)?;
    let act = act(verb, matches, &filing, &place)?;
    let done = filing.apply(programme, act, on, text(matches, "by"));
    done.map_err(|refusal| refused(&place, &refusal))?;
    let view = view_of(&filing, programme, &place, &calendar, on)?;
    keyed(matches, filing.content())?;
    let mut memory = Memory::of(matches)?;
    let json = filing.to_json();
    file.replace(&json)?;
    remember(&mut memory, &place, json, screen)?;
    screen.show(&filing::changed(&view, &screen.look))?;
    if let Some(submission) = &filing.state().submission {
        let content = submission.content.to_string();
        let short = content.get(..15).unwrap_or_default();
        screen.say(&format!(
            "next   another person: quanfu filing approve {} {short} --on DAY --by NAME\n",
            place.display()
        ));
    }
    if matches!(verb, "submit" | "approve") {
        screen.say(&format!("note   {}\n", decisions::caution(&screen.look)));
    }
    Ok(FINE)
}

fn act(verb: &str, matches: &ArgMatches, filing: &Filing, place: &Path) -> Result<Act, Failure> {
    let content = || Box::new(filing.content().clone());
    let word = |name: &str| {
        let given = text(matches, name).to_owned();
        match given.trim().is_empty() {
            true => Err(Failure::usage(format!("--{name}: it is empty"))),
            false => Ok(given),
        }
    };
    Ok(match verb {
        "edit" => Act::Edit {
            content: Box::new(fields(matches, *content())?),
        },
        "change" => Act::Change {
            content: Box::new(fields(matches, *content())?),
        },
        "add" => {
            let paper = paper(matches, word("kind")?)?;
            let mut content = content();
            if matches.get_flag("replace") {
                content.attachments.retain(|old| old.kind != paper.kind);
            }
            content.attachments.push(paper);
            Act::Edit { content }
        }
        "sign" => Act::Sign,
        "start" => Act::Start,
        "submit" => Act::Submit,
        "approve" => {
            let (given, own) = (text(matches, "digest"), filing.state().content);
            let whole = own.to_string();
            let hex = whole.rsplit(':').next().unwrap_or_default();
            let asked = given.strip_prefix("sha256:").unwrap_or(given);
            let content = if asked.len() >= 8 && hex.starts_with(asked) {
                own
            } else {
                let other = || refused(place, &Refusal::Content);
                given.parse().map_err(|_| other())?
            };
            Act::Approve { content }
        }
        "accept" => Act::Accept {
            receipt: word("receipt")?,
        },
        "return" => Act::Return {
            reason: word("reason")?,
        },
        "renew" => Act::Renew {
            until: day(matches, "until")?,
        },
        "terminate" => Act::Terminate {
            reason: word("reason")?,
        },
        _ => return Err(Failure::usage("no command")),
    })
}

/// A paper by its name, length and digest; its bytes are not kept.
fn paper(matches: &ArgMatches, kind: String) -> Result<Attachment, Failure> {
    let path = path(matches, "paper").unwrap_or_default();
    let mut reader = files::open(&path)?;
    let mut hasher = Hasher::new(DigestAlg::Sha256);
    let (mut bytes, mut block) = (0, vec![0; 1 << 16]);
    loop {
        match reader.read(&mut block) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&block[..n]);
                bytes += n as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::io(&path, &error)),
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Attachment {
        kind,
        name: name.into_owned(),
        bytes,
        digest: hasher.finish(),
    })
}

/// Takes the new state of a record into the store that was asked for.
fn remember(
    memory: &mut Option<Memory>,
    place: &Path,
    json: String,
    screen: &Screen,
) -> Result<(), Failure> {
    match memory {
        Some(memory) => memory.remember(&[(place, json)], screen),
        None => Ok(()),
    }
}

fn view(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::usage("no command"));
    };
    let places = match verb {
        "show" => path(matches, "record").into_iter().collect(),
        _ => paths(matches, "records"),
    };
    let outputs: Vec<PathBuf> = match verb {
        "export" => paths(matches, "out"),
        _ => Vec::new(),
    };
    for output in &outputs {
        extension(output, &["json", "csv"])?;
    }
    files::keep_apart(&outputs, places.iter().map(PathBuf::as_path))?;
    let known = programmes(matches)?;
    let calendar = calendar_of(matches)?;
    let mut exit = FINE;
    let mut read_ones = Vec::new();
    for place in &places {
        // a record that cannot be read costs no other
        let one = files::text(place).and_then(|json| read(place, &json));
        let one = one.and_then(|filing| Ok((programme_of(&filing, &known, place)?, filing)));
        match one {
            Ok(one) => read_ones.push((place, one)),
            Err(failure) => {
                screen.complain(&failure);
                exit = graver(exit, failure.exit);
            }
        }
    }
    let mut views = Vec::new();
    for (place, (programme, filing)) in &read_ones {
        let day = match verb {
            "list" => filing.events().last().map_or(Date::MIN, |event| event.on),
            _ => day(matches, "day")?,
        };
        views.push(view_of(filing, programme, place, &calendar, day)?);
    }
    let look = &screen.look;
    let shown = match (verb, format(matches)) {
        _ if views.is_empty() => String::new(),
        ("list", _) => filing::list(&views, look),
        ("due", "json") => filing::due_json(&views),
        ("due", "csv") => filing::due_csv(&views),
        ("due", _) => filing::due(&views, look),
        ("show", "json") => filing::export_json(&views, look.unmask),
        ("show", _) => views.iter().map(|view| filing::show(view, look)).collect(),
        (_, asked) => return export(matches, screen, asked, &outputs, &views).map(|()| exit),
    };
    screen.show(&shown)?;
    if verb == "due" && views.iter().any(View::is_open) {
        exit = graver(exit, OPEN);
    }
    Ok(exit)
}

fn format(matches: &ArgMatches) -> &str {
    let given = matches.try_get_one::<String>("format").ok().flatten();
    given.map_or("table", String::as_str)
}

fn export(
    matches: &ArgMatches,
    screen: &Screen,
    format: &str,
    outputs: &[PathBuf],
    views: &[View<'_>],
) -> Result<(), Failure> {
    let whole = matches.get_flag("whole");
    let text = |format: &str| match format {
        "csv" => filing::export_csv(views, whole),
        _ => filing::export_json(views, whole),
    };
    if outputs.is_empty() {
        return screen.show(&text(format));
    }
    let mut written = Outputs::default();
    for output in outputs {
        written.write(output, &text(extension(output, &["json", "csv"])?))?;
    }
    written.commit()
}
