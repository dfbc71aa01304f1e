//! A user's own rules under trial, before they go live.

use quanfu_calendar::BusinessCalendar;
use quanfu_formats::Options;
use quanfu_sample::{Challenge as Planted, SampleFile};
use quanfu_settlement::outcome::Outcomes;
use quanfu_settlement::{ChallengeDoc, Entry, Profile, ResultDoc, Rules};

use crate::day::{Day, DayError, find_profile, known_calendar};

/// Builds a trial of rules: hostile days with planted truth are made for them, reconciled under them, and judged.
///
/// ```
/// let rules = quanfu::Rules::parse(&quanfu::sample::demo_day(1).rules)?;
/// let done = quanfu::Challenge::new(rules, 1).rows(600).run()?;
/// let orders = &done.doc.edges[0];
/// assert!(orders.classes.iter().any(|class| class.planted > 0 && class.confirmed == class.pairs));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `run`"]
pub struct Challenge {
    rules: Rules,
    profiles: Vec<Profile>,
    calendar: Option<BusinessCalendar>,
    seed: u64,
    rows: u32,
    threads: usize,
}

/// Rules that were tried.
#[derive(Clone, Debug)]
pub struct Challenged {
    /// What came of it.
    pub doc: ChallengeDoc,
    /// The days with their truth.
    pub planted: Planted,
    rules: Rules,
    profiles: Vec<Option<Profile>>,
}

/// The files of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeFiles {
    /// Rows of every day and source, and `truth.csv`.
    pub files: Vec<SampleFile>,
    /// Sources whose rows are a plain list (`.rows.csv`), as no file of theirs can be made up: they have no CSV profile,
    /// or one that cannot be written back.
    pub listed: Vec<String>,
}

impl Challenged {
    /// The days as files: `day1/NAME.csv` as the source's profile reads it, or else `day1/NAME.rows.csv`, a plain list;
    /// and `truth.csv`, which rows belong together. Every file of a profile was read back and gave the same rows.
    #[must_use]
    pub fn files(&self) -> ChallengeFiles {
        let mut files = Vec::new();
        let mut listed = Vec::new();
        for (source, profile) in self.profiles.iter().enumerate() {
            let name = &self.rules.sources[source].name;
            let days = &self.planted.days;
            let texts = days.iter().map(|day| {
                let profile = profile.as_ref()?;
                let text = self.planted.file(day, source, profile)?;
                reads_back(&text, profile, &day.rows[source]).then_some(text)
            });
            let texts: Option<Vec<String>> = texts.collect();
            let (ending, texts) = match texts {
                Some(texts) => ("csv", texts),
                None => {
                    listed.push(name.clone());
                    let texts = days.iter().map(|day| self.planted.listing(day, source));
                    ("rows.csv", texts.collect())
                }
            };
            for (day, text) in texts.into_iter().enumerate() {
                files.push(SampleFile {
                    path: format!("day{}/{name}.{ending}", day + 1),
                    bytes: text.into_bytes(),
                });
            }
        }
        files.push(SampleFile {
            path: "truth.csv".to_owned(),
            bytes: self.planted.truth_csv(&self.rules).into_bytes(),
        });
        ChallengeFiles { files, listed }
    }
}

/// Whether a profile reads a text as these rows, in their order, each with all that was planted.
fn reads_back(text: &str, profile: &Profile, rows: &[Entry<'static>]) -> bool {
    let options = Options {
        profile: Some(profile),
        ..Options::default()
    };
    let Ok(reading) = quanfu_formats::read_all("planted.csv", text.as_bytes(), &options) else {
        return false;
    };
    let is_sound = reading
        .files
        .iter()
        .all(|file| file.file.rejected == 0 && !file.proofs().any(quanfu_settlement::Proof::fails));
    let read = reading.files.iter().flat_map(|file| &file.statements);
    let read: Vec<&Entry<'_>> = read.flat_map(|statement| &statement.entries).collect();
    is_sound
        && read.len() == rows.len()
        && read.iter().zip(rows).all(|(read, row)| {
            // where it stands and its kind's word are the file's
            let mut read = (*read).clone();
            read.at = row.at;
            read.kind_written.clone_from(&row.kind_written);
            // a text that holds tokens for the profile is no remittance of the row, unless it was planted
            if row.remittance.is_empty() {
                read.remittance.clear();
            }
            let same_fee = match (read.fee, row.fee) {
                (Some(a), Some(b)) => a.value() == b.value() && a.currency() == b.currency(),
                (a, b) => a == b,
            };
            read.fee = row.fee;
            same_fee && read == *row
        })
}

impl Challenge {
    /// Tries these rules with 2,000 rows.
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self {
            rules,
            profiles: Vec::new(),
            calendar: None,
            seed,
            rows: 2_000,
            threads: 2,
        }
    }

    /// With about this many rows; each class is planted once at least.
    pub fn rows(mut self, rows: u32) -> Self {
        self.rows = rows;
        self
    }

    /// Adds a profile, before the shipped ones.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// Uses this calendar, which has the name that the rules want.
    pub fn calendar(mut self, calendar: BusinessCalendar) -> Self {
        self.calendar = Some(calendar);
        self
    }

    /// On how many threads to work, at least one; the result is the same for any number.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Plants, reconciles and judges.
    ///
    /// # Errors
    ///
    /// [`DayError`], if the rules name a profile or calendar that is not there.
    pub fn run(self) -> Result<Challenged, DayError> {
        let calendar = match self.calendar {
            Some(calendar) => calendar,
            None => known_calendar(&self.rules.calendar)?,
        };
        let profiles = self.rules.sources.iter().map(|source| {
            let name = source.profile.as_deref();
            name.map(|name| find_profile(name, &source.name, &self.profiles))
                .transpose()
        });
        let profiles: Vec<Option<&Profile>> = profiles.collect::<Result<_, _>>()?;
        let planted = Planted::plant(&self.rules, &profiles, &calendar, self.seed, self.rows);
        let mut runs: Vec<Outcomes> = Vec::new();
        let mut before: Option<ResultDoc> = None;
        for planted_day in &planted.days {
            let mut day = Day::new(self.rules.clone())
                .calendar(calendar.clone())
                .as_of(planted_day.as_of)
                .threads(self.threads);
            for profile in &self.profiles {
                day = day.profile(profile.clone());
            }
            for (source, rows) in self.rules.sources.iter().zip(&planted_day.rows) {
                day = day.rows(&source.name, rows.clone());
            }
            if let Some(before) = &before {
                day = day.after(before);
            }
            let done = day.run()?;
            before = Some(done.document(None));
            runs.push(done.outcomes().clone());
        }
        let runs: Vec<&Outcomes> = runs.iter().collect();
        let doc = planted.judge(&self.rules, &runs);
        let profiles = profiles
            .into_iter()
            .map(Option::<&Profile>::cloned)
            .collect();
        Ok(Challenged {
            doc,
            planted,
            profiles,
            rules: self.rules,
        })
    }
}
