//! Re-checks a result from its inputs, with small code of its own.
//!
//! The readers and the parsed rules are the only things shared with the engine. Everything else is derived a second
//! time, plainly: each row's name, amount, accounting day and key, the partition, every group with its sum, causes
//! and predicates, the summary and the list of open positions. The first thing that is not as it must be is named.
//!
//! ```no_run
//! use quanfu_verify::{Candidate, verify};
//!
//! let result = std::fs::read_to_string("day.json")?;
//! let files = ["orders.csv", "bank.sta", "day.csv"].map(|path| {
//!     Candidate::new(path, move || Ok(Box::new(std::fs::File::open(path)?)))
//! });
//! let verification = verify(&result, &files, &Default::default())?;
//! assert!(verification.holds());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balance;
mod decide;
mod document;
mod exchange;
mod fees;
mod groups;
mod judge;
mod key;
mod passes;
mod presence;
mod rows;
mod table;

use std::fmt;
use std::io::{self, Read};

use exchange::Rates;
use quanfu_calendar::BusinessCalendar;
use quanfu_settlement::result::{Input, SCHEMA};
use quanfu_settlement::{
    DecisionLog, Digest, DigestAlg, Hasher, Limits, Profile, ResultDoc, Rules,
};

type Open<'a> = Box<dyn Fn() -> io::Result<Box<dyn Read + 'a>> + 'a>;

/// A file that the result may speak of: it is found by its digest, its name only serves messages.
pub struct Candidate<'a> {
    /// Its name.
    pub name: String,
    open: Open<'a>,
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Candidate").field(&self.name).finish()
    }
}

impl<'a> Candidate<'a> {
    /// A file that can be opened as often as needed.
    pub fn new(
        name: impl Into<String>,
        open: impl Fn() -> io::Result<Box<dyn Read + 'a>> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            open: Box::new(open),
        }
    }

    /// A file in memory.
    pub fn bytes(name: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self::new(name, move || Ok(Box::new(bytes)))
    }

    fn digest(&self, alg: DigestAlg) -> io::Result<Digest> {
        let mut reader = (self.open)()?;
        let mut hasher = Hasher::new(alg);
        let mut block = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut block)? {
                0 => return Ok(hasher.finish()),
                count => hasher.update(&block[..count]),
            }
        }
    }
}

/// The first thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Fault {
    /// Stable code of the kind.
    pub code: &'static str,
    /// Where: a key of the document, a line of the table, a record on an edge.
    pub place: String,
    /// What was found and what must be.
    pub message: String,
}

impl Fault {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "verify-document",
        "verify-body",
        "verify-embedded",
        "verify-input",
        "verify-chain",
        "verify-table",
        "verify-row",
        "verify-partition",
        "verify-outcome-digest",
        "verify-group",
        "verify-outcome",
        "verify-summary",
        "verify-open-positions",
        "verify-presence",
        "verify-balance",
        "verify-fees",
        "verify-list",
        "verify-totals",
        "verify-decision",
    ];

    pub(crate) fn new(
        code: &'static str,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        debug_assert!(Self::CODES.contains(&code), "{code} is listed");
        Self {
            code,
            place: place.into(),
            message: message.into(),
        }
    }
}

/// A document or file that the result names and that was not among the files given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What it is: `input`, `rates`, `outcomes table`, `predecessor` or `decision log`.
    pub what: &'static str,
    /// Its name at the time of the run.
    pub name: String,
    /// Its digest.
    pub digest: Option<Digest>,
}

/// What was checked, for the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Input files read again.
    pub files: u64,
    /// Records in them, readable or not.
    pub records: u64,
    /// Lines of the outcomes table compared.
    pub lines: u64,
    /// Groups derived again.
    pub groups: u64,
    /// Open positions compared.
    pub open_positions: u64,
}

/// What came of verifying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Everything is as it must be.
    Holds(Checked),
    /// Something is not.
    Fails(Fault),
    /// Files are missing, so nothing can be said.
    Incomplete(Vec<Missing>),
}

impl Verification {
    /// Whether everything is as it must be.
    #[must_use]
    pub fn holds(&self) -> bool {
        matches!(self, Self::Holds(_))
    }
}

/// A file could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[error("{file}: cannot be read")]
pub struct VerifyError {
    /// Its name.
    pub file: String,
    /// Why.
    pub source: io::Error,
}

/// Why checking stopped.
enum Stop {
    Fault(Fault),
    Missing(Vec<Missing>),
    Io(VerifyError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Verifies a result (`quanfu.result/1`) or the document of a key run (`quanfu.groups/1`) against the files that it names.
///
/// A key run's list of groups is the file that begins as one; its bytes are checked bucket by bucket.
///
/// # Errors
///
/// [`VerifyError`] if a file cannot be read. A result that does not hold is no error but an answer.
pub fn verify(
    result: &str,
    files: &[Candidate<'_>],
    limits: &Limits,
) -> Result<Verification, VerifyError> {
    let is_key_run = result.starts_with(groups::BEGINS);
    let checked = if is_key_run {
        groups::check(result, files, limits)
    } else {
        check(result, files, limits)
    };
    match checked {
        Ok(checked) => Ok(Verification::Holds(checked)),
        Err(Stop::Fault(fault)) => Ok(Verification::Fails(fault)),
        Err(Stop::Missing(missing)) => Ok(Verification::Incomplete(missing)),
        Err(Stop::Io(error)) => Err(error),
    }
}

fn check(text: &str, files: &[Candidate<'_>], limits: &Limits) -> Result<Checked, Stop> {
    let doc = ResultDoc::from_json(text)
        .map_err(|error| Fault::new("verify-document", "document", error.to_string()))?;
    check_document(text, &doc)?;
    let rules = Rules::parse(&doc.rules_document.text)
        .map_err(|error| Fault::new("verify-embedded", "rules_document", error.to_string()))?;
    let same = |what: &str, found: &str, must: &str| {
        if found == must {
            Ok(())
        } else {
            Err(Fault::new(
                "verify-document",
                what,
                format!("found {found:?}; the rules say {must:?}"),
            ))
        }
    };
    same("rules", &doc.rules, &rules.name)?;
    same("rules_document.name", &doc.rules_document.name, &rules.name)?;
    same("viewpoint", doc.viewpoint.code(), rules.viewpoint.code())?;
    let calendar = BusinessCalendar::parse(&doc.calendar.name, &doc.calendar.text)
        .map_err(|error| Fault::new("verify-embedded", "calendar", error.to_string()))?;
    if calendar.to_csv() != doc.calendar.text {
        return Err(Fault::new(
            "verify-embedded",
            "calendar",
            "the rows are not as a calendar is written",
        )
        .into());
    }
    same("calendar.name", &doc.calendar.name, &rules.calendar)?;
    let mut profiles = Vec::new();
    for embedded in &doc.profiles {
        let profile = Profile::parse(&embedded.text).map_err(|error| {
            Fault::new(
                "verify-embedded",
                format!("profile {}", embedded.name),
                error.to_string(),
            )
        })?;
        same("profiles.name", &embedded.name, &profile.name)?;
        profiles.push(profile);
    }

    let found = Found::among(files, &doc)?;
    let previous = found.previous.as_ref();
    let mut sources = Vec::new();
    for (index, source) in rules.sources.iter().enumerate() {
        let inputs: Vec<&Input> = doc
            .certificate
            .inputs
            .iter()
            .filter(|input| input.source == source.name)
            .collect();
        let shelf = rows::Shelf {
            files,
            places: &found.inputs,
            profiles: &profiles,
            limits,
        };
        sources.push(rows::read_source(&rules, index, &inputs, previous, &shelf)?);
    }
    if let Some(stray) = doc
        .certificate
        .inputs
        .iter()
        .find(|input| rules.source_index(&input.source).is_none())
    {
        return Err(Fault::new(
            "verify-input",
            format!("input {}", stray.file),
            format!("the rules name no source {:?}", stray.source),
        )
        .into());
    }
    let as_of_max = sources
        .iter()
        .flat_map(|source| &source.rows)
        .filter_map(|row| row.value_date.or(row.day))
        .max();
    if !doc.as_of_given && as_of_max.is_some_and(|day| day != doc.as_of) {
        return Err(Fault::new(
            "verify-document",
            "as_of",
            format!(
                "found {}; the latest day in the files is {}",
                doc.as_of,
                as_of_max.unwrap_or(doc.as_of)
            ),
        )
        .into());
    }
    let log = found.log.as_ref();
    if let (Some(after), Some(earlier)) = (&doc.certificate.after, previous) {
        let own = earlier
            .certificate
            .inputs
            .iter()
            .map(|input| (&input.source, &input.identity, input.digest));
        let before = earlier
            .certificate
            .after
            .iter()
            .flat_map(|before| &before.inputs);
        let before = before.map(|input| (&input.source, &input.identity, input.digest));
        let must: Vec<_> = own
            .chain(before)
            .filter(|input| !input.1.is_empty())
            .collect();
        let told = after
            .inputs
            .iter()
            .map(|input| (&input.source, &input.identity, input.digest));
        if after.as_of != earlier.as_of || told.collect::<Vec<_>>() != must {
            return Err(Fault::new(
                "verify-chain",
                "certificate.after",
                "day or inputs are not those of the predecessor",
            )
            .into());
        }
    }
    let rates = found.rates(files, &rules, &doc, &calendar)?;
    let rates = rates.as_ref();
    let judged = judge::judge(&rules, &sources, &calendar, rates, doc.as_of, previous, log)?;
    let applied = judged.iter().map(|edge| edge.applied).sum();
    decide::check_counts(doc.certificate.decisions.as_ref(), log, applied)?;
    let table = found.table_text(files)?;
    let lines = table::compare(table.as_deref(), &rules, &sources, &judged, &doc)?;
    let presence = presence::states(&rules, &sources, &judged, previous);
    let open_positions = document::compare(&doc, &rules, &sources, &judged, &presence, &calendar)?;
    document::in_order(
        "verify-presence",
        "presence",
        &doc.presence,
        &presence::lines(&rules, &sources, &presence),
    )?;
    document::in_order(
        "verify-balance",
        "balances",
        &doc.balances,
        &balance::derive(&rules, &sources, &judged, previous)?,
    )?;
    document::in_order(
        "verify-fees",
        "fee_differences",
        &doc.fee_differences,
        &fees::differences(&rules, &sources, &judged),
    )?;
    Ok(Checked {
        files: doc.certificate.inputs.len() as u64,
        records: sources
            .iter()
            .map(|s| (s.rows.len() + s.rejected.len()) as u64)
            .sum(),
        lines,
        groups: judged.iter().map(|edge| edge.groups.len() as u64).sum(),
        open_positions,
    })
}

/// What the document says of itself, without any file.
fn check_document(text: &str, doc: &ResultDoc) -> Result<(), Fault> {
    if doc.schema != SCHEMA {
        return Err(Fault::new(
            "verify-document",
            "schema",
            format!("found {:?}; {SCHEMA:?} must be", doc.schema),
        ));
    }
    let written = doc.to_json();
    if written != text {
        let line = written
            .lines()
            .zip(text.lines())
            .take_while(|(a, b)| a == b)
            .count()
            + 1;
        return Err(Fault::new(
            "verify-document",
            format!("line {line}"),
            "the document's bytes are not as a result is written",
        ));
    }
    let body = doc.body_digest();
    if body != doc.certificate.body {
        return Err(Fault::new(
            "verify-body",
            "certificate.body",
            format!("found {}; the document gives {body}", doc.certificate.body),
        ));
    }
    for embedded in [&doc.rules_document, &doc.calendar]
        .into_iter()
        .chain(&doc.profiles)
    {
        let digest = Digest::of(DigestAlg::Sha256, embedded.text.as_bytes());
        if digest != embedded.digest {
            return Err(Fault::new(
                "verify-embedded",
                &embedded.name,
                format!("digest {}; the text gives {digest}", embedded.digest),
            ));
        }
    }
    Ok(())
}

/// Which of the given files are what.
struct Found {
    /// For each distinct input digest: the index of the file.
    inputs: Vec<(Digest, usize)>,
    /// The table of rates, if the result names one.
    rates: Option<usize>,
    /// The outcomes table, if the result names one.
    table: Option<usize>,
    previous: Option<ResultDoc>,
    log: Option<DecisionLog>,
}

impl Found {
    fn among(files: &[Candidate<'_>], doc: &ResultDoc) -> Result<Self, Stop> {
        let io = |index: usize| {
            move |source| {
                Stop::Io(VerifyError {
                    file: files[index].name.clone(),
                    source,
                })
            }
        };
        let mut missing = Vec::new();
        let mut algs: Vec<DigestAlg> = doc
            .certificate
            .inputs
            .iter()
            .map(|input| input.digest.alg)
            .collect();
        algs.extend(doc.certificate.outcomes_table.map(|digest| digest.alg));
        algs.extend(doc.certificate.rates.iter().map(|rates| rates.digest.alg));
        algs.sort_unstable();
        algs.dedup();
        let mut digests = Vec::new();
        for alg in algs {
            for (index, file) in files.iter().enumerate() {
                digests.push((file.digest(alg).map_err(io(index))?, index));
            }
        }
        let find = |digest: &Digest| {
            digests
                .iter()
                .find(|(d, _)| d == digest)
                .map(|(_, index)| *index)
        };
        let mut inputs: Vec<(Digest, usize)> = Vec::new();
        for input in &doc.certificate.inputs {
            if inputs.iter().any(|(digest, _)| *digest == input.digest) {
                continue;
            }
            match find(&input.digest) {
                Some(index) => inputs.push((input.digest, index)),
                None => missing.push(Missing {
                    what: "input",
                    name: input.file.clone(),
                    digest: Some(input.digest),
                }),
            }
        }
        let mut rates = None;
        if let Some(told) = &doc.certificate.rates {
            rates = find(&told.digest);
            if rates.is_none() {
                missing.push(Missing {
                    what: "rates",
                    name: told.file.clone(),
                    digest: Some(told.digest),
                });
            }
        }
        let table = doc
            .certificate
            .outcomes_table
            .and_then(|digest| find(&digest));
        if table.is_none() && doc.certificate.outcomes_table.is_some() {
            missing.push(Missing {
                what: "outcomes table",
                name: String::new(),
                digest: doc.certificate.outcomes_table,
            });
        }
        let mut previous = None;
        if let Some(after) = &doc.certificate.after {
            for (index, file) in files.iter().enumerate() {
                let mut text = String::new();
                let mut head = [0u8; 1];
                let mut reader = (file.open)().map_err(io(index))?;
                if reader.read(&mut head).map_err(io(index))? == 1 && head[0] == b'{' {
                    text.push('{');
                    if reader.read_to_string(&mut text).is_ok()
                        && let Ok(earlier) = ResultDoc::from_json(&text)
                        && earlier.certificate.body == after.body
                        && check_document(&text, &earlier).is_ok()
                    {
                        previous = Some(earlier);
                    }
                }
            }
            if previous.is_none() {
                missing.push(Missing {
                    what: "predecessor",
                    name: format!("result of {}", after.as_of),
                    digest: Some(after.body),
                });
            }
        }
        let named = doc.certificate.decisions.as_ref();
        let log = decide::log_among(files, named)?;
        if let (Some(named), None) = (named, &log) {
            missing.push(Missing {
                what: "decision log",
                name: format!("its first {} lines", named.lines),
                digest: Some(named.log),
            });
        }
        if !missing.is_empty() {
            return Err(Stop::Missing(missing));
        }
        if table.is_none() {
            Self::no_table_among(files)?;
        }
        Ok(Self {
            inputs,
            rates,
            table,
            previous,
            log,
        })
    }

    /// Whoever gives a table believes that the result is bound to it.
    fn no_table_among(files: &[Candidate<'_>]) -> Result<(), Stop> {
        for file in files {
            let io = |source| {
                Stop::Io(VerifyError {
                    file: file.name.clone(),
                    source,
                })
            };
            let mut start = Vec::new();
            let reader = (file.open)().map_err(io)?;
            reader.take(256).read_to_end(&mut start).map_err(io)?;
            let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
            if start.starts_with(table::HEADER.as_bytes()) {
                let message = "the result names no outcomes table, but this is one";
                return Err(Fault::new("verify-table", &file.name, message).into());
            }
        }
        Ok(())
    }

    /// The rates that the rules mean.
    fn rates<'c>(
        &self,
        files: &[Candidate<'_>],
        rules: &Rules,
        doc: &ResultDoc,
        calendar: &'c BusinessCalendar,
    ) -> Result<Option<Rates<'c>>, Stop> {
        let (named, told) = (&rules.rates, &doc.certificate.rates);
        let (Some(named), Some(told), Some(at)) = (named, told, self.rates) else {
            if named.is_some() == told.is_some() {
                return Ok(None);
            }
            let message = "there is a table of rates where and only where the rules name one";
            return Err(Fault::new("verify-document", "certificate.rates", message).into());
        };
        let file = &files[at];
        let mut bytes = Vec::new();
        let io = |source| {
            Stop::Io(VerifyError {
                file: file.name.clone(),
                source,
            })
        };
        (file.open)()
            .map_err(io)?
            .read_to_end(&mut bytes)
            .map_err(io)?;
        Ok(Some(Rates::read(named, told, &bytes, calendar)?))
    }

    fn table_text(&self, files: &[Candidate<'_>]) -> Result<Option<String>, Stop> {
        let Some(table) = self.table else {
            return Ok(None);
        };
        let file = &files[table];
        let mut text = String::new();
        let io = |source| {
            Stop::Io(VerifyError {
                file: file.name.clone(),
                source,
            })
        };
        (file.open)()
            .map_err(io)?
            .read_to_string(&mut text)
            .map_err(io)?;
        Ok(Some(text))
    }
}
