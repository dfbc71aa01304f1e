//! [`Case`] (案卷): what becomes of a firm's applications in an office, with what must be so before each step
//! (`quanfu.case/1`).
//!
//! A case is a list of [`Record`]s: who did what on which day. Where the case stands is never stored; it follows from
//! the records, each of which must hold on the ones before it, when it is added and whenever the case is read. Who
//! proposed an amount does not decide on it. quanfu authenticates nobody: `by` is what the office says, and whoever can
//! write the file can tell another story from its beginning.

use std::collections::{BTreeMap, BTreeSet};

use quanfu_calendar::{BusinessCalendar, CalendarError, Calendars, CountedDay, Date};
use quanfu_money::Money;
use quanfu_settlement::Digest;
use serde::{Deserialize, Serialize};

use crate::application::{Application, plain};
use crate::award::{Assessment, NoticeMark};
use crate::programme::Programme;

/// The schema of a case.
pub const SCHEMA: &str = "quanfu.case/1";

macro_rules! named {
    ($(#[$doc:meta])* $of:ident { $($(#[$each:meta])+ $name:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $of {
            $($(#[$each])+ $name,)+
        }

        impl $of {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The text form, in snake case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        impl std::fmt::Display for $of {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// Where a case is.
    State {
        /// Nothing is filed yet.
        Draft = "draft",
        /// Filed.
        Submitted = "submitted",
        /// Given back to be corrected (补正).
        Returned = "returned",
        /// Complete in form.
        Accepted = "accepted",
        /// Under review, insurer and bank having confirmed where that is asked for.
        UnderReview = "under_review",
        /// An amount is proposed.
        Proposed = "proposed",
        /// Before the public (公示).
        PublicNotice = "public_notice",
        /// Approved.
        Approved = "approved",
        /// Paid.
        Disbursed = "disbursed",
        /// Done.
        Closed = "closed",
        /// Refused.
        Rejected = "rejected",
        /// Taken back by the firm.
        Withdrawn = "withdrawn",
        /// Not filed in time.
        Lapsed = "lapsed",
        /// To be paid back.
        Clawback = "clawback",
        /// Paid back.
        Recovered = "recovered",
    }
}

/// What happens to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The firm files an application, or files it again, corrected.
    Submit {
        /// The application's number.
        application: String,
        /// The firm that it is of.
        enterprise: String,
        /// Digest of the file that it was read from.
        digest: Digest,
        /// The kinds of documents that it has.
        documents: BTreeSet<String>,
    },
    /// The office gives it back to be corrected; the record's note says what.
    Return,
    /// It is complete in form.
    Accept,
    /// Review begins.
    Review,
    /// An amount is proposed, by an assessment.
    Propose {
        /// The amount.
        amount: Money,
        /// The award's id.
        award: String,
        /// Its applications.
        applications: BTreeSet<String>,
        /// Digest of the programme that was run.
        programme: Digest,
        /// Digest of the file of awards.
        awards: Digest,
    },
    /// The public notice begins.
    OpenNotice,
    /// Somebody objects (异议); objections are numbered from 1, and the note says what is wrong.
    Object,
    /// An objection is settled, and the proposal stays as it is; the note says why.
    Settle {
        /// Its number.
        objection: u32,
    },
    /// An objection is upheld: all is reviewed again; the note says why.
    Uphold {
        /// Its number.
        objection: u32,
    },
    /// The budget sets the money apart.
    Commit {
        /// The amount, which is the proposed one.
        amount: Money,
    },
    /// It is approved.
    Approve,
    /// It is paid.
    Disburse {
        /// Whether the firm owes public money, as looked up on the day.
        owes_funds: bool,
    },
    /// It is closed.
    Close,
    /// It is refused; the note says why.
    Reject,
    /// The firm takes it back.
    Withdraw,
    /// The time to file has passed.
    Lapse,
    /// The money is to be paid back, for false documents and the like; the note says why.
    OrderClawback,
    /// Some of it is paid back.
    Recover {
        /// How much.
        amount: Money,
    },
}

impl Event {
    /// The text forms of all events.
    pub const NAMES: &'static [&'static str] = &[
        "submit",
        "return",
        "accept",
        "review",
        "propose",
        "open_notice",
        "object",
        "settle",
        "uphold",
        "commit",
        "approve",
        "disburse",
        "close",
        "reject",
        "withdraw",
        "lapse",
        "order_clawback",
        "recover",
    ];

    /// The text form, such as `open_notice`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submit { .. } => "submit",
            Self::Return => "return",
            Self::Accept => "accept",
            Self::Review => "review",
            Self::Propose { .. } => "propose",
            Self::OpenNotice => "open_notice",
            Self::Object => "object",
            Self::Settle { .. } => "settle",
            Self::Uphold { .. } => "uphold",
            Self::Commit { .. } => "commit",
            Self::Approve => "approve",
            Self::Disburse { .. } => "disburse",
            Self::Close => "close",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Lapse => "lapse",
            Self::OrderClawback => "order_clawback",
            Self::Recover { .. } => "recover",
        }
    }

    /// Filing of an application that was read from a file with this digest.
    #[must_use]
    pub fn submit(application: &Application, digest: Digest) -> Self {
        Self::Submit {
            application: application.id.clone(),
            enterprise: application.enterprise.clone(),
            digest,
            documents: application.documents.keys().cloned().collect(),
        }
    }

    /// A proposal of what an assessment gives a firm; `None`: it gives it nothing.
    #[must_use]
    pub fn propose(assessment: &Assessment, enterprise: &str, awards: Digest) -> Option<Self> {
        let mut all = assessment.awards.iter();
        let award = all.find(|award| award.enterprise == enterprise)?;
        Some(Self::Propose {
            amount: award.paid,
            award: award.id.clone(),
            applications: award.applications.iter().cloned().collect(),
            programme: assessment.programme.digest.parse().ok()?,
            awards,
        })
    }

    fn wants_note(&self) -> bool {
        matches!(
            self,
            Self::Return
                | Self::Object
                | Self::Settle { .. }
                | Self::Uphold { .. }
                | Self::Reject
                | Self::OrderClawback
        )
    }
}

/// Who did what on which day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The day, never before that of an earlier record.
    pub on: Date,
    /// Who.
    pub by: String,
    /// What.
    pub event: Event,
    /// In their words.
    pub note: Option<String>,
}

/// What a programme says of the way of its cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The programme.
    pub programme: String,
    /// The support year.
    pub year: String,
    /// `real`, `real-partial` or `illustrative`.
    pub status: String,
    /// Digest of the document.
    pub digest: Digest,
    /// Last day to file; none: not stated.
    pub apply_to: Option<Date>,
    /// The documents that an application must have.
    pub documents: BTreeSet<String>,
    /// Public notice; none: not stated, and nothing is approved.
    pub notice: Option<NoticeMark>,
}

impl Terms {
    /// The terms of a programme.
    #[must_use]
    pub fn of(programme: &Programme) -> Self {
        Self {
            programme: programme.id.clone(),
            year: programme.year.clone(),
            status: programme.status.name().to_owned(),
            digest: programme.digest,
            apply_to: programme.window.apply_to,
            documents: programme.documents.iter().cloned().collect(),
            notice: programme.notice_mark(),
        }
    }
}

/// Why an event cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The event does not follow on the state.
    #[error("{event} does not follow on {state}")]
    NotNext {
        /// The state.
        state: State,
        /// The event.
        event: &'static str,
    },
    /// The day is before that of the last event.
    #[error("{on} is before the last event, of {last}")]
    Backwards {
        /// The day.
        on: Date,
        /// The day of the last event.
        last: Date,
    },
    /// Nobody did it.
    #[error("who did it is not said")]
    Nobody,
    /// The event wants words.
    #[error("{event} wants a note that says what or why")]
    Note {
        /// The event.
        event: &'static str,
    },
    /// Who decides proposed it, or objected to it, or is the firm.
    #[error("{by} cannot decide: {role}")]
    SamePerson {
        /// Who.
        by: String,
        /// What they are to the case.
        role: &'static str,
    },
    /// Another firm's application, an award that covers what was not filed, or another programme's.
    #[error("{what}: {found}; {wanted} would be right")]
    Other {
        /// What it is.
        what: &'static str,
        /// What was found.
        found: String,
        /// What would be right.
        wanted: String,
    },
    /// Documents are missing.
    #[error("application {application}: {missing} is missing")]
    Documents {
        /// The application.
        application: String,
        /// The kinds of documents.
        missing: String,
    },
    /// The time to file has passed, or has not passed yet.
    #[error("{on} does not fit the last day to file, {last}")]
    Window {
        /// The day.
        on: Date,
        /// The last day to file.
        last: Date,
    },
    /// The public notice has not run its days.
    #[error("the public notice runs until {until}")]
    Notice {
        /// Its last day.
        until: Date,
    },
    /// How long the public notice runs is not known.
    #[error("how long the public notice runs is not stated")]
    NoticeUnknown,
    /// The working days of the public notice cannot be counted.
    #[error("the days of the public notice cannot be counted: {0}")]
    NoticeCalendar(CalendarError),
    /// Objections are open.
    #[error("objections are open: {open}")]
    Objection {
        /// Their numbers.
        open: String,
    },
    /// No objection of this number is open.
    #[error("no objection {objection} is open")]
    NoObjection {
        /// The number.
        objection: u32,
    },
    /// The budget has not the proposed amount set apart.
    #[error("the budget has {committed} set apart, {proposed} is proposed")]
    Budget {
        /// What is set apart.
        committed: Money,
        /// What is proposed.
        proposed: Money,
    },
    /// The firm owes public money.
    #[error("the firm owes public money")]
    OwedFunds,
    /// More is paid back than was paid, or nothing, or another currency.
    #[error("{amount} cannot be paid back: {left} is left")]
    Amount {
        /// What is paid back.
        amount: Money,
        /// What is left to be paid back.
        left: Money,
    },
    /// Nothing, or less, is proposed.
    #[error("{amount} is no amount to propose or set apart; renminbi above zero would be right")]
    Nothing {
        /// The amount.
        amount: Money,
    },
}

impl GuardError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "case-not-next",
        "case-backwards",
        "case-nobody",
        "case-note",
        "case-same-person",
        "case-other",
        "case-documents",
        "case-window",
        "case-notice",
        "case-notice-unknown",
        "case-notice-calendar",
        "case-objection",
        "case-no-objection",
        "case-budget",
        "case-owed-funds",
        "case-amount",
        "case-nothing",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotNext { .. } => "case-not-next",
            Self::Backwards { .. } => "case-backwards",
            Self::Nobody => "case-nobody",
            Self::Note { .. } => "case-note",
            Self::SamePerson { .. } => "case-same-person",
            Self::Other { .. } => "case-other",
            Self::Documents { .. } => "case-documents",
            Self::Window { .. } => "case-window",
            Self::Notice { .. } => "case-notice",
            Self::NoticeUnknown => "case-notice-unknown",
            Self::NoticeCalendar(_) => "case-notice-calendar",
            Self::Objection { .. } => "case-objection",
            Self::NoObjection { .. } => "case-no-objection",
            Self::Budget { .. } => "case-budget",
            Self::OwedFunds => "case-owed-funds",
            Self::Amount { .. } => "case-amount",
            Self::Nothing { .. } => "case-nothing",
        }
    }
}

/// Why a document is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// Not JSON of this shape, or of another schema.
    #[error("{message}")]
    Document {
        /// What is wrong.
        message: String,
    },
    /// A record does not hold on those before it.
    #[error("record {number}: {why}")]
    Record {
        /// Its place, counted from 1.
        number: usize,
        /// Why.
        why: GuardError,
    },
}

impl CaseError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &["case-document", "case-record"];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document { .. } => "case-document",
            Self::Record { .. } => "case-record",
        }
    }
}

/// A case as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    enterprise: String,
    terms: Terms,
    records: Vec<Record>,
}

/// A firm's applications under a programme, on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    document: Document,
    standing: Standing,
}

/// What follows from the records.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    state: State,
    /// The documents of each application, as last filed.
    applications: BTreeMap<String, BTreeSet<String>>,
    proposal: Option<(String, Money)>,
    committed: Option<Money>,
    notice_from: Option<Date>,
    objections: u32,
    /// Who raised those that are open.
    open: BTreeMap<u32, String>,
    owed_back: Option<Money>,
}

impl Case {
    /// A case of a firm in which nothing has happened.
    ///
    /// ```
    /// use quanfu_calendar::Calendars;
    /// use quanfu_credit::lifecycle::{Case, Event, Record, State, Terms};
    /// use quanfu_credit::Programme;
    ///
    /// let programme = Programme::parse(quanfu_credit::shipped("city-markets").ok_or("not shipped")?)?;
    /// let mut case = Case::new("E1", Terms::of(&programme));
    /// let early = Record { on: "2025-03-03".parse()?, by: "office".into(), event: Event::Accept, note: None };
    /// let refused = case.apply(early, &Calendars::shipped()).expect_err("nothing is filed");
    /// assert_eq!(refused.code(), "case-not-next");
    /// assert_eq!((case.state(), case.records().len()), (State::Draft, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(enterprise: impl Into<String>, terms: Terms) -> Self {
        Self {
            document: Document {
                schema: SCHEMA.to_owned(),
                enterprise: enterprise.into(),
                terms,
                records: Vec::new(),
            },
            standing: Standing {
                state: State::Draft,
                applications: BTreeMap::new(),
                proposal: None,
                committed: None,
                notice_from: None,
                objections: 0,
                open: BTreeMap::new(),
                owed_back: None,
            },
        }
    }

    /// Reads a case and lets all its records happen again.
    ///
    /// # Errors
    ///
    /// [`CaseError`].
    pub fn from_json(text: &str, calendars: &Calendars) -> Result<Self, CaseError> {
        let refuse = |message: String| CaseError::Document { message };
        let document: Document =
            serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        if document.schema != SCHEMA {
            return Err(refuse(format!(
                "schema {:?}; {SCHEMA:?} would be right",
                document.schema
            )));
        }
        let mut case = Self::new(document.enterprise, document.terms);
        for (index, record) in document.records.into_iter().enumerate() {
            let number = index + 1;
            let done = case.apply(record, calendars);
            done.map_err(|why| CaseError::Record { number, why })?;
        }
        if case.to_json() != text {
            return Err(refuse("it is not as it was written".to_owned()));
        }
        Ok(case)
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(&self.document);
        text.expect("a case is plain values under names that are text") + "\n"
    }

    /// The firm.
    #[must_use]
    pub fn enterprise(&self) -> &str {
        &self.document.enterprise
    }

    /// What the programme says.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.document.terms
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.standing.state
    }

    /// What happened, in order.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.document.records
    }

    /// What is proposed, was approved or was paid; none: nothing yet.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        self.standing.proposal.as_ref().map(|(_, amount)| *amount)
    }

    /// What is still to be paid back; none: nothing was to be.
    #[must_use]
    pub fn owed_back(&self) -> Option<Money> {
        self.standing.owed_back
    }

    /// Numbers of the objections that are open.
    #[must_use]
    pub fn open_objections(&self) -> Vec<u32> {
        self.standing.open.keys().copied().collect()
    }

    /// Applications with documents missing, and which.
    #[must_use]
    pub fn missing(&self) -> Vec<(&str, Vec<&str>)> {
        let all = self.standing.applications.iter();
        let missing = all.map(|(application, has)| {
            let missing = self.terms().documents.difference(has);
            (application.as_str(), missing.map(String::as_str).collect())
        });
        missing
            .filter(|(_, missing): &(&str, Vec<&str>)| !missing.is_empty())
            .collect()
    }

    /// The days of the public notice, by the calendar as it was known on a day; each with its number, or with why it
    /// does not count. Empty: none was opened.
    ///
    /// # Errors
    ///
    /// [`GuardError::NoticeUnknown`], [`GuardError::NoticeCalendar`].
    pub fn notice(
        &self,
        known_on: Date,
        calendars: &Calendars,
    ) -> Result<Vec<CountedDay>, GuardError> {
        let Some(from) = self.standing.notice_from else {
            return Ok(Vec::new());
        };
        let notice = self.terms().notice.as_ref();
        let notice = notice.ok_or(GuardError::NoticeUnknown)?;
        let days = i32::try_from(notice.days).map_err(|_| GuardError::NoticeUnknown)?;
        let calendar = match &notice.calendar {
            None => BusinessCalendar::every_day(),
            Some(name) => {
                let known = calendars.clone().as_known_at(known_on);
                known.named(name).map_err(GuardError::NoticeCalendar)?
            }
        };
        // The count begins after a day.
        let before = if notice.counts_opening_day {
            from.pred_opt().ok_or(GuardError::NoticeUnknown)?
        } else {
            from
        };
        calendar
            .count(before, days)
            .map_err(GuardError::NoticeCalendar)
    }

    /// Adds a record; nothing changes if it cannot be.
    ///
    /// # Errors
    ///
    /// [`GuardError`].
    pub fn apply(&mut self, record: Record, calendars: &Calendars) -> Result<(), GuardError> {
        if let Some(last) = self.records().last()
            && record.on < last.on
        {
            let (on, last) = (record.on, last.on);
            return Err(GuardError::Backwards { on, last });
        }
        if plain(&record.by).is_empty() {
            return Err(GuardError::Nobody);
        }
        let has_note = record
            .note
            .as_deref()
            .is_some_and(|note| !note.trim().is_empty());
        if record.event.wants_note() && !has_note {
            let event = record.event.name();
            return Err(GuardError::Note { event });
        }
        let next = self.after(&record, calendars)?;
        self.standing = next;
        self.document.records.push(record);
        Ok(())
    }

    /// Who decides is not the firm, has not proposed the amount, and has not raised the objection.
    fn decides(&self, by: &str, objection: Option<u32>) -> Result<(), GuardError> {
        let standing = &self.standing;
        let proposer = standing.proposal.as_ref().map(|(who, _)| who);
        let objector = objection.and_then(|number| standing.open.get(&number));
        for (who, role) in [
            (Some(&self.document.enterprise), "they are the firm"),
            (proposer, "they proposed the amount"),
            (objector, "they raised the objection"),
        ] {
            if who.is_some_and(|who| plain(who) == plain(by)) {
                let by = by.to_owned();
                return Err(GuardError::SamePerson { by, role });
            }
        }
        Ok(())
    }

    fn after(&self, record: &Record, calendars: &Calendars) -> Result<Standing, GuardError> {
        use State as S;
        let (on, by, event, terms) = (record.on, &record.by, &record.event, self.terms());
        let mut next = self.standing.clone();
        let not_next = || GuardError::NotNext {
            state: self.state(),
            event: event.name(),
        };
        let late = terms.apply_to.filter(|last| on > *last);
        next.state = match (self.state(), event) {
            (
                S::Draft | S::Submitted | S::Returned,
                Event::Submit {
                    application,
                    enterprise,
                    documents,
                    ..
                },
            ) => {
                // What was filed in time may be corrected after it.
                if let Some(last) = late
                    && !next.applications.contains_key(application)
                {
                    return Err(GuardError::Window { on, last });
                }
                if *enterprise != self.document.enterprise {
                    return Err(GuardError::Other {
                        what: "the application's firm",
                        found: enterprise.clone(),
                        wanted: self.document.enterprise.clone(),
                    });
                }
                next.applications
                    .insert(application.clone(), documents.clone());
                S::Submitted
            }
            (S::Draft, Event::Lapse) => match terms.apply_to {
                Some(_) if late.is_some() => S::Lapsed,
                Some(last) => return Err(GuardError::Window { on, last }),
                None => return Err(not_next()),
            },
            (S::Submitted, Event::Return) => S::Returned,
            (S::Submitted, Event::Accept) => {
                if let Some((application, missing)) = self.missing().first() {
                    return Err(GuardError::Documents {
                        application: (*application).to_owned(),
                        missing: missing.join(", "),
                    });
                }
                S::Accepted
            }
            (S::Accepted, Event::Review) => S::UnderReview,
            (
                S::UnderReview,
                Event::Propose {
                    amount,
                    applications,
                    programme,
                    ..
                },
            ) => {
                if *programme != terms.digest {
                    return Err(GuardError::Other {
                        what: "the programme of the awards",
                        found: programme.to_string(),
                        wanted: terms.digest.to_string(),
                    });
                }
                let filed: BTreeSet<String> = next.applications.keys().cloned().collect();
                if applications.is_empty() || !applications.is_subset(&filed) {
                    let join = |set: &BTreeSet<String>| {
                        let names: Vec<&str> = set.iter().map(String::as_str).collect();
                        names.join(", ")
                    };
                    return Err(GuardError::Other {
                        what: "the applications of the award",
                        found: join(applications),
                        wanted: format!("some of {}", join(&filed)),
                    });
                }
                above_zero(*amount)?;
                next.proposal = Some((by.clone(), *amount));
                S::Proposed
            }
            (S::Proposed, Event::OpenNotice) => {
                next.notice_from = Some(on);
                S::PublicNotice
            }
            (S::PublicNotice, Event::Object) => {
                next.objections = next.objections.checked_add(1).ok_or_else(not_next)?;
                next.open.insert(next.objections, by.clone());
                S::PublicNotice
            }
            (S::PublicNotice, Event::Settle { objection } | Event::Uphold { objection }) => {
                let objection = *objection;
                self.decides(by, Some(objection))?;
                if next.open.remove(&objection).is_none() {
                    return Err(GuardError::NoObjection { objection });
                }
                if matches!(event, Event::Settle { .. }) {
                    S::PublicNotice
                } else {
                    // Another amount will be proposed, and stand before the public anew.
                    next.open.clear();
                    (next.proposal, next.committed, next.notice_from) = (None, None, None);
                    S::UnderReview
                }
            }
            (state @ (S::Proposed | S::PublicNotice), Event::Commit { amount }) => {
                above_zero(*amount)?;
                let proposed = self.amount().ok_or_else(not_next)?;
                if *amount != proposed {
                    let committed = *amount;
                    return Err(GuardError::Budget {
                        committed,
                        proposed,
                    });
                }
                next.committed = Some(*amount);
                state
            }
            (S::PublicNotice, Event::Approve) => {
                self.decides(by, None)?;
                let days = self.notice(on, calendars)?;
                let until = days.last().ok_or(GuardError::NoticeUnknown)?.day;
                if on <= until {
                    return Err(GuardError::Notice { until });
                }
                if !next.open.is_empty() {
                    let open: Vec<String> = next.open.keys().map(u32::to_string).collect();
                    let open = open.join(", ");
                    return Err(GuardError::Objection { open });
                }
                let proposed = self.amount().ok_or_else(not_next)?;
                if next.committed.is_none() {
                    return Err(GuardError::Budget {
                        committed: Money::zero(proposed.currency()),
                        proposed,
                    });
                }
                S::Approved
            }
            (S::Approved, Event::Disburse { owes_funds: true }) => {
                return Err(GuardError::OwedFunds);
            }
            (S::Approved, Event::Disburse { owes_funds: false }) => S::Disbursed,
            (S::Disbursed, Event::Close) => S::Closed,
            (S::Disbursed | S::Closed, Event::OrderClawback) => {
                next.owed_back = self.amount();
                S::Clawback
            }
            (S::Clawback, Event::Recover { amount }) => {
                let left = next.owed_back.ok_or_else(not_next)?;
                let amount = *amount;
                let rest = left.checked_sub(amount).ok();
                let is_some = !amount.is_negative() && !amount.is_zero();
                let rest = rest.filter(|rest| is_some && !rest.is_negative());
                let rest = rest.ok_or(GuardError::Amount { amount, left })?;
                next.owed_back = Some(rest);
                if rest.is_zero() {
                    S::Recovered
                } else {
                    S::Clawback
                }
            }
            (
                S::Submitted | S::Accepted | S::UnderReview | S::Proposed | S::PublicNotice,
                Event::Reject,
            ) => {
                self.decides(by, None)?;
                S::Rejected
            }
            (
                S::Draft
                | S::Submitted
                | S::Returned
                | S::Accepted
                | S::UnderReview
                | S::Proposed
                | S::PublicNotice,
                Event::Withdraw,
            ) => S::Withdrawn,
            _ => return Err(not_next()),
        };
        Ok(next)
    }
}

fn above_zero(amount: Money) -> Result<(), GuardError> {
    let is_renminbi = amount.currency() == quanfu_money::Currency::CNY;
    if !is_renminbi || amount.is_negative() || amount.is_zero() {
        return Err(GuardError::Nothing { amount });
    }
    Ok(())
}
