use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use clap::ArgMatches;
use quanfu::formats::{self, Options, shown_text};
use quanfu::report::outcomes::{self, OutcomeRow};
use quanfu::report::why::{self, RawLine, Story};
use quanfu::report::{bridge, exchange};
use quanfu::settlement::{
    Digest, DigestAlg, Entry, FileHead, Finding, Hasher, Rejected, Sink, SourceFile, StatementHead,
    StatementTail,
};
use quanfu::{Profile, ResultDoc, Rules};

use super::{path, paths, text};
use crate::failure::{FINE, Failure, UNTRUSTED, USAGE};
use crate::files;
use crate::screen::Screen;

pub fn run(matches: &ArgMatches, screen: &Screen) -> Result<u8, Failure> {
    let doc = files::result(&path(matches, "result").unwrap_or_default())?;
    let asked = text(matches, "record");
    let given = paths(matches, "files");
    let mut story = Story {
        positions: why::positions(&doc, asked),
        outstanding: why::outstanding(&doc, asked),
        ..Story::default()
    };
    let steps = story.positions.iter();
    story.exchanges = steps
        .filter_map(|position| exchange::of_position(&doc, position))
        .collect();
    let mut inputs = Vec::new();
    let mut table = None;
    for path in &given {
        match role(path, &doc)? {
            Role::Table => table = Some(files::text(path)?),
            Role::Inputs(sources) => inputs.push((path, sources)),
            Role::Other => screen.say(&format!(
                "{}: the result does not name this file by its digest; it is passed over\n",
                path.display()
            )),
        }
    }
    // Lines of the inputs in which the asked reference stands, so that confirmed rows are found by it too.
    let mut lines: BTreeSet<(String, u32)> = BTreeSet::new();
    for position in &story.positions {
        for member in &position.members {
            lines.insert((member.item.file.clone(), member.item.line));
        }
    }
    for (path, sources) in &inputs {
        for found in look(path, sources, &doc, |_, entry| {
            entry.references.iter().any(|(_, text)| text == asked)
        })? {
            lines.insert((found.file, found.line));
        }
    }
    let open = story.positions.iter();
    story.bridges = open
        .filter_map(|open| bridge::of_position(&doc, open))
        .collect();
    if let Some(table) = &table {
        let known: BTreeSet<String> = story
            .bridges
            .iter()
            .map(|known| known.group.clone())
            .collect();
        let all = rows(table, asked, &mut lines, &mut story)?;
        let found = bridge::of_rows(&doc, &all).into_iter();
        story
            .bridges
            .extend(found.filter(|found| !known.contains(&found.group)));
    }
    for (path, sources) in &inputs {
        story
            .raw
            .extend(look(path, sources, &doc, |at, _| lines.contains(&at))?);
    }
    if story.positions.is_empty() && story.outstanding.is_empty() && story.rows.is_empty() {
        let hint = if table.is_none() {
            "; confirmed rows are in the outcomes table, which was not given"
        } else {
            ""
        };
        return Err(Failure::new(
            "record-unknown",
            USAGE,
            format!("the result has no record {asked:?}{hint}"),
        ));
    }
    screen.show(&match text(matches, "format") {
        "json" => why::json(&story),
        _ => why::table(&story, &screen.look),
    })?;
    Ok(FINE)
}

/// Puts into the story the lines of the table about a record, some of its groups, and how many more there are; the
/// places of what is told are added to `lines`. Gives all lines of these groups.
fn rows(
    table: &str,
    asked: &str,
    lines: &mut BTreeSet<(String, u32)>,
    story: &mut Story<'_>,
) -> Result<Vec<OutcomeRow>, Failure> {
    let place = |row: &OutcomeRow| (row.file.clone(), row.line.parse().unwrap_or(0));
    let refuse = |error: outcomes::OutcomesError| {
        Failure::new("outcomes-document", UNTRUSTED, error.to_string())
    };
    let mut own = Vec::new();
    let mut groups = BTreeSet::new();
    outcomes::for_each(table, |row| {
        if why::names(&row.record, asked) || lines.contains(&place(&row)) || row.group == asked {
            if !row.group.is_empty() {
                groups.insert(row.group.clone());
            }
            own.push(row);
        }
    })
    .map_err(refuse)?;
    // Of a batch of thousands, a few rows of each source say enough.
    const OF_SOURCE: usize = 3;
    let mut all = Vec::new();
    outcomes::for_each(table, |row| {
        let is_own = own.contains(&row);
        if !is_own && !groups.contains(&row.group) {
            return;
        }
        let same = |other: &&OutcomeRow| other.group == row.group && other.source == row.source;
        if is_own || story.rows.iter().filter(same).count() < OF_SOURCE {
            lines.insert(place(&row));
            story.rows.push(row.clone());
        } else {
            story.more += 1;
        }
        all.push(row);
    })
    .map_err(refuse)?;
    Ok(all)
}

/// What a file is to the result.
enum Role {
    Table,
    /// An input of these sources.
    Inputs(BTreeSet<String>),
    Other,
}

fn role(path: &Path, doc: &ResultDoc) -> Result<Role, Failure> {
    let certificate = &doc.certificate;
    let mut digests: Vec<Digest> = Vec::new();
    for alg in [DigestAlg::Blake3, DigestAlg::Sha256] {
        let wanted = certificate.inputs.iter().map(|input| input.digest);
        if wanted
            .chain(certificate.outcomes_table)
            .any(|digest| digest.alg == alg)
        {
            digests.push(digest(path, alg)?);
        }
    }
    if certificate
        .outcomes_table
        .is_some_and(|table| digests.contains(&table))
    {
        return Ok(Role::Table);
    }
    let inputs = certificate.inputs.iter();
    let sources: BTreeSet<String> = inputs
        .filter(|input| digests.contains(&input.digest))
        .map(|input| input.source.clone())
        .collect();
    Ok(if sources.is_empty() {
        Role::Other
    } else {
        Role::Inputs(sources)
    })
}

pub(super) fn digest(path: &Path, alg: DigestAlg) -> Result<Digest, Failure> {
    let mut reader = files::open(path)?;
    let mut hasher = Hasher::new(alg);
    let mut block = vec![0; 1 << 16];
    loop {
        match reader
            .read(&mut block)
            .map_err(|error| Failure::io(path, &error))?
        {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&block[..count]),
        }
    }
}

/// Reads an input again and gives the lines that are wanted, under the names that the result has for them.
fn look(
    path: &Path,
    sources: &BTreeSet<String>,
    doc: &ResultDoc,
    wanted: impl Fn((String, u32), &Entry<'_>) -> bool,
) -> Result<Vec<RawLine>, Failure> {
    let mut all = Vec::new();
    let rules = Rules::parse(&doc.rules_document.text)
        .map_err(|error| Failure::rules("rules_document".as_ref(), &error))?;
    let mut profiles = Vec::new();
    for embedded in &doc.profiles {
        let profile = Profile::parse(&embedded.text)
            .map_err(|error| Failure::profile(embedded.name.as_ref(), &error))?;
        profiles.push(profile);
    }
    for name in sources {
        let source = rules.sources.iter().find(|source| source.name == *name);
        let profile = source.and_then(|source| source.profile.as_deref());
        let profile = profile.and_then(|name| {
            let mut known = profiles.iter().chain(formats::shipped_profiles());
            known.find(|profile| profile.name == name)
        });
        let options = Options {
            profile,
            profiles: &profiles,
            ..Options::default()
        };
        let input = doc
            .certificate
            .inputs
            .iter()
            .find(|input| input.source == *name);
        let given = path.display().to_string();
        // Members of an archive carry its name; the result knows it under the name of that day.
        let then = input.map_or(given.as_str(), |input| input.file.as_str());
        let then = then
            .split_once(".zip/")
            .map_or(then.to_owned(), |(stem, _)| format!("{stem}.zip"));
        let mut looker = Looker {
            file: String::new(),
            encoding: String::new(),
            wanted: &wanted,
            found: Vec::new(),
        };
        let read = formats::read(&then, files::open(path)?, &options, &mut looker);
        read.map_err(|error| Failure::file(&error))?;
        all.extend(looker.found);
    }
    Ok(all)
}

/// Keeps the lines that are wanted.
struct Looker<'w> {
    file: String,
    encoding: String,
    wanted: &'w dyn Fn((String, u32), &Entry<'_>) -> bool,
    found: Vec<RawLine>,
}

impl Sink for Looker<'_> {
    fn begin_file(&mut self, head: &FileHead) {
        self.file.clone_from(&head.name);
        self.encoding.clone_from(&head.encoding);
    }

    fn begin_statement(&mut self, _head: &StatementHead) {}

    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()> {
        if (self.wanted)((self.file.clone(), entry.at.line), &entry) {
            self.found.push(RawLine {
                file: self.file.clone(),
                line: entry.at.line,
                text: shown_text(raw, &self.encoding),
            });
        }
        ControlFlow::Continue(())
    }

    fn rejected(&mut self, _rejected: Rejected, _raw: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn finding(&mut self, _finding: Finding) {}

    fn end_statement(&mut self, _tail: &StatementTail) {}

    fn end_file(&mut self, _file: &SourceFile) {}
}
