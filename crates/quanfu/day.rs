//! The paved path: one settlement day from files or rows to a result.

use std::io::Read;
use std::ops::ControlFlow;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_formats::{FileError, Options};
use quanfu_fx::{RateFileError, RateReading, RateTable, TableError};
use quanfu_recon::{Progress, ReconError, Reconciled, Request};
use quanfu_settlement::result::{Embedded, RatesInput};
use quanfu_settlement::rules::SourceRules;
use quanfu_settlement::{
    Book, BookBuilder, BookError, DecisionLog, Digest, DigestAlg, Entry, Limits, Profile,
    ResultDoc, Rules,
};

/// Why a day could not be reconciled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DayError {
    /// The rules name no such source.
    #[error("the rules name no source {name:?}; they name: {}", known.join(", "))]
    UnknownSource {
        /// The name given.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The rules name a profile that neither ships nor was given.
    #[error("source {source_name:?} wants profile {profile:?}, which is not among: {}", known.join(", "))]
    UnknownProfile {
        /// The source.
        source_name: String,
        /// The profile's name.
        profile: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The rules name a calendar that was not given.
    #[error("the rules want calendar {name:?}; CN and every-day are known, others must be given")]
    UnknownCalendar {
        /// The name.
        name: String,
    },
    /// A file as a whole is not what it claims.
    #[error(transparent)]
    File(#[from] FileError),
    /// A source is beyond a limit.
    #[error(transparent)]
    Book(#[from] BookError),
    /// A row of a program cannot be kept.
    #[error("source {source_name:?}, row {index}: it cannot be kept")]
    Row {
        /// The source.
        source_name: String,
        /// Index of the row, counted from 0.
        index: usize,
        /// Why.
        source: BookError,
    },
    /// An item of the earlier result is damaged.
    #[error("the earlier result: {message}")]
    Carried {
        /// What is damaged.
        message: String,
    },
    /// A source of a key run has one file twice.
    #[error("{file} has the same bytes as {first}: every row of it would count twice")]
    SameFile {
        /// The file.
        file: String,
        /// The file read before.
        first: String,
    },
    /// The list of a key run cannot be written, or its scratch space fails.
    #[error("the key groups cannot be kept or written")]
    Io(#[source] std::io::Error),
    /// The file of rates is none, or a row of it is no rate.
    #[error("{file}")]
    RateFile {
        /// The file.
        file: String,
        /// The first thing that is wrong.
        source: Box<RateFileError>,
    },
    /// Two rates of the file contradict each other.
    #[error("{file}")]
    RateTable {
        /// The file.
        file: String,
        /// Which.
        source: Box<TableError>,
    },
    /// The run itself.
    #[error(transparent)]
    Recon(#[from] ReconError),
}

impl DayError {
    /// Codes of the kinds that are born here; the others keep their own.
    pub const CODES: &'static [&'static str] = &[
        "unknown-source",
        "unknown-profile",
        "unknown-calendar",
        "carried-damaged",
        "same-file",
        "keyrun-io",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownSource { .. } => "unknown-source",
            Self::UnknownProfile { .. } => "unknown-profile",
            Self::UnknownCalendar { .. } => "unknown-calendar",
            Self::File(error) => error.code(),
            Self::Book(error) | Self::Row { source: error, .. } => error.code(),
            Self::Carried { .. } => "carried-damaged",
            Self::SameFile { .. } => "same-file",
            Self::Io(_) => "keyrun-io",
            Self::RateFile { source, .. } => source.code(),
            Self::RateTable { source, .. } => source.code(),
            Self::Recon(error) => error.code(),
        }
    }
}

enum Feed<'a> {
    File(String, Box<dyn Read + Send + 'a>),
    Rows(Vec<Entry<'a>>),
}

/// Builds one reconciliation; every call takes and gives the day, [`Day::run`] does the work.
///
/// Sources are read side by side on up to [`Day::threads`] threads; the result does not depend on their number.
#[must_use = "nothing happens before `run`"]
pub struct Day<'a> {
    rules: Rules,
    profiles: Vec<Profile>,
    calendar: Option<BusinessCalendar>,
    feeds: Vec<(String, Feed<'a>)>,
    as_of: Option<Date>,
    after: Option<&'a ResultDoc>,
    supersedes: Option<&'a ResultDoc>,
    decisions: Option<&'a DecisionLog>,
    rates: Option<(String, String)>,
    threads: usize,
    limits: Limits,
    digest: DigestAlg,
    strict: bool,
    progress: Option<&'a (dyn Fn(Progress) -> ControlFlow<()> + Sync)>,
}

impl<'a> Day<'a> {
    /// A day under these rules, without files: two threads, default limits, BLAKE3 digests of files.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            profiles: Vec::new(),
            calendar: None,
            feeds: Vec::new(),
            as_of: None,
            after: None,
            supersedes: None,
            decisions: None,
            rates: None,
            threads: 2,
            limits: Limits::default(),
            digest: DigestAlg::Blake3,
            strict: false,
            progress: None,
        }
    }

    /// Adds a file of a source. It is read by the source's profile, or by what its content shows.
    pub fn file(mut self, source: &str, name: &str, bytes: impl Read + Send + 'a) -> Self {
        self.feeds.push((
            source.to_owned(),
            Feed::File(name.to_owned(), Box::new(bytes)),
        ));
        self
    }

    /// Adds rows of a program's own: no file, no format.
    pub fn rows(mut self, source: &str, rows: Vec<Entry<'a>>) -> Self {
        self.feeds.push((source.to_owned(), Feed::Rows(rows)));
        self
    }

    /// Adds a profile, before the shipped ones.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// Uses this calendar, which has the name that the rules want: a user's own, or ours with a user's laid over it.
    pub fn calendar(mut self, calendar: BusinessCalendar) -> Self {
        self.calendar = Some(calendar);
        self
    }

    /// The business day of the run; without it the latest day in the files.
    pub fn as_of(mut self, day: Date) -> Self {
        self.as_of = Some(day);
        self
    }

    /// Carries the open items of an earlier result over.
    pub fn after(mut self, previous: &'a ResultDoc) -> Self {
        self.after = Some(previous);
        self
    }

    /// Replaces an earlier result of the same day, because a file of it was delivered again with other bytes.
    pub fn supersedes(mut self, earlier: &'a ResultDoc) -> Self {
        self.supersedes = Some(earlier);
        self
    }

    /// Applies what people decided before any rule.
    pub fn decisions(mut self, log: &'a DecisionLog) -> Self {
        self.decisions = Some(log);
        self
    }

    /// Gives the table of rates that the rules name, a file in our own form (see [`quanfu_fx::RateReading::csv`]): its name
    /// and its text.
    pub fn rates(mut self, file: &str, text: impl Into<String>) -> Self {
        self.rates = Some((file.to_owned(), text.into()));
        self
    }

    /// On how many threads to work, at least one.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Other bounds.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Digest algorithm of files.
    pub fn digest(mut self, alg: DigestAlg) -> Self {
        self.digest = alg;
        self
    }

    /// Stops at the first finding, rejected record or failing proof of a file.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Called now and then with how far the run has come; `Break` stops it.
    pub fn progress(mut self, call: &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync)) -> Self {
        self.progress = Some(call);
        self
    }

    /// Reads all files and reconciles nothing: one book for each source of the rules, in their order. A source without a
    /// file has an empty book.
    ///
    /// # Errors
    ///
    /// [`DayError`].
    pub fn books(mut self) -> Result<Vec<Book>, DayError> {
        self.fill()
    }

    fn fill(&mut self) -> Result<Vec<Book>, DayError> {
        let known = |rules: &Rules| {
            rules
                .sources
                .iter()
                .map(|source| source.name.clone())
                .collect()
        };
        if let Some((name, _)) = self
            .feeds
            .iter()
            .find(|(name, _)| self.rules.source_index(name).is_none())
        {
            return Err(DayError::UnknownSource {
                name: name.clone(),
                known: known(&self.rules),
            });
        }
        let mut jobs: Vec<Job<'_, 'a>> = Vec::new();
        for source in &self.rules.sources {
            let profile = match &source.profile {
                Some(name) => Some(find_profile(name, &source.name, &self.profiles)?),
                None => None,
            };
            jobs.push(Job {
                rules: source,
                profile,
                feeds: Vec::new(),
            });
        }
        for (name, feed) in std::mem::take(&mut self.feeds) {
            let index = self
                .rules
                .source_index(&name)
                .expect("every feed's source was looked up above");
            jobs[index].feeds.push(feed);
        }
        let shared = Shared {
            rules: &self.rules,
            profiles: &self.profiles,
            after: self.after,
            limits: &self.limits,
            digest: self.digest,
            strict: self.strict,
        };
        if self.threads > 1 {
            std::thread::scope(|scope| {
                let running: Vec<_> = jobs
                    .into_iter()
                    .map(|job| scope.spawn(|| job.fill(&shared)))
                    .collect();
                running
                    .into_iter()
                    .map(|thread| {
                        thread
                            .join()
                            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                    })
                    .collect::<Result<Vec<_>, _>>()
            })
        } else {
            jobs.into_iter()
                .map(|job| job.fill(&shared))
                .collect::<Result<Vec<_>, _>>()
        }
    }

    /// Reads all files and reconciles them.
    ///
    /// # Errors
    ///
    /// [`DayError`]; no part of a result is left behind.
    pub fn run(mut self) -> Result<Reconciled, DayError> {
        let calendar = match self.calendar.take() {
            Some(calendar) if calendar.name() == self.rules.calendar => calendar,
            Some(_) => {
                return Err(DayError::UnknownCalendar {
                    name: self.rules.calendar.clone(),
                });
            }
            None => known_calendar(&self.rules.calendar)?,
        };
        let rates = self
            .rates
            .take()
            .map(|(file, text)| read_rates(file, &text))
            .transpose()?;
        let books = self.fill()?;
        let profiles = self
            .profiles
            .iter()
            .map(|profile| Embedded::new(&profile.name, &profile.text))
            .collect();
        let mut request = Request::new(&self.rules, books, &calendar)
            .with_threads(self.threads)
            .with_profiles(profiles);
        if let Some(day) = self.as_of {
            request = request.with_as_of(day);
        }
        if let Some(previous) = self.after {
            request = request.with_previous(previous);
        }
        if let Some(earlier) = self.supersedes {
            request = request.with_supersedes(earlier);
        }
        if let Some(log) = self.decisions {
            request = request.with_decisions(log);
        }
        if let Some((table, file)) = &rates {
            request = request.with_rates(table, file.clone());
        }
        if let Some(call) = self.progress {
            request = request.with_progress(call);
        }
        Ok(quanfu_recon::reconcile(request)?)
    }
}

/// A table of rates from a file of which every row is one, and what the certificate says of it.
fn read_rates(file: String, text: &str) -> Result<(RateTable, RatesInput), DayError> {
    let read = RateReading::csv(text.as_bytes());
    let read = read.and_then(|mut read| match read.rejected.is_empty() {
        true => Ok(read.rates),
        false => Err(read.rejected.swap_remove(0)),
    });
    let read = match read {
        Ok(read) => read,
        Err(source) => {
            return Err(DayError::RateFile {
                file,
                source: source.into(),
            });
        }
    };
    let input = RatesInput {
        bytes: text.len() as u64,
        digest: Digest::of(DigestAlg::Sha256, text.as_bytes()),
        rates: read.len() as u64,
        file: file.clone(),
    };
    match RateTable::new(read) {
        Ok(table) => Ok((table, input)),
        Err(source) => Err(DayError::RateTable {
            file,
            source: source.into(),
        }),
    }
}

/// The calendar that rules name: one that we have, or several joined.
///
/// # Errors
///
/// [`DayError::UnknownCalendar`].
pub(crate) fn known_calendar(name: &str) -> Result<BusinessCalendar, DayError> {
    BusinessCalendar::named(name).map_err(|_| DayError::UnknownCalendar {
        name: name.to_owned(),
    })
}

pub(crate) fn find_profile<'p>(
    name: &str,
    source: &str,
    given: &'p [Profile],
) -> Result<&'p Profile, DayError> {
    let mut all = given.iter().chain(quanfu_formats::shipped_profiles());
    all.find(|profile| profile.name == name)
        .ok_or_else(|| DayError::UnknownProfile {
            source_name: source.to_owned(),
            profile: name.to_owned(),
            known: given
                .iter()
                .chain(quanfu_formats::shipped_profiles())
                .map(|profile| profile.name.clone())
                .collect(),
        })
}

struct Shared<'s> {
    rules: &'s Rules,
    profiles: &'s [Profile],
    after: Option<&'s ResultDoc>,
    limits: &'s Limits,
    digest: DigestAlg,
    strict: bool,
}

struct Job<'j, 'a> {
    rules: &'j SourceRules,
    profile: Option<&'j Profile>,
    feeds: Vec<Feed<'a>>,
}

impl Job<'_, '_> {
    fn fill(self, shared: &Shared<'_>) -> Result<Book, DayError> {
        let name = &self.rules.name;
        let mut builder = BookBuilder::new(self.rules.clone(), shared.limits.clone())
            .with_roles(quanfu_recon::roles_needed(shared.rules, name));
        if let Some(previous) = shared.after {
            for item in quanfu_recon::carried_items(previous, name) {
                builder
                    .push_carried(item)
                    .map_err(|message| DayError::Carried { message })?;
            }
        }
        let options = Options {
            strict: shared.strict,
            profile: self.profile,
            profiles: shared.profiles,
            limits: shared.limits.clone(),
            digest: shared.digest,
        };
        for feed in self.feeds {
            match feed {
                Feed::File(file, bytes) => read_into(&mut builder, &file, bytes, &options)?,
                Feed::Rows(rows) => {
                    builder.begin_rows();
                    for (index, entry) in rows.into_iter().enumerate() {
                        builder.push_row(entry).map_err(|source| DayError::Row {
                            source_name: name.clone(),
                            index,
                            source,
                        })?;
                    }
                }
            }
        }
        Ok(builder.finish())
    }
}

/// Reads a file into a book; one that was read before is taken out again.
fn read_into(
    builder: &mut BookBuilder,
    file: &str,
    bytes: Box<dyn Read + Send + '_>,
    options: &Options<'_>,
) -> Result<(), DayError> {
    let mark = builder.mark();
    let read_before = builder.book().files().len();
    let outcome = quanfu_formats::read(file, bytes, options, builder);
    if let Some(error) = builder.stopped() {
        return Err(error.clone().into());
    }
    outcome?;
    let (before, new) = builder.book().files().split_at(read_before);
    let twin = new
        .first()
        .and_then(|new| before.iter().find(|old| old.digest == new.digest));
    if let Some(first) = twin.map(|twin| twin.name.clone()) {
        builder.rollback(mark);
        builder.note_same_file(file, &first);
    }
    Ok(())
}
