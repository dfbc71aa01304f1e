//! [`Filing`]: the record of one cooperation, as a chain of events (`quanfu.filing/1`).

use std::collections::BTreeMap;

use quanfu_calendar::Date;
use quanfu_codes::PersonName;
use quanfu_settlement::decision::person;
use quanfu_settlement::{Digest, DigestAlg};
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::list::closed_list;
use crate::programme::{Matter, Programme, Trigger};

/// Schema name of a record.
pub const SCHEMA: &str = "quanfu.filing/1";

closed_list! {
    /// How far the cooperation has come.
    Standing {
        /// Not signed.
        Draft = "draft",
        /// Signed.
        Signed = "signed",
        /// Business runs. It may, before anything is filed.
        InBusiness = "in_business",
        /// Over.
        Terminated = "terminated",
    }
}

closed_list! {
    /// How far a matter has come.
    Progress {
        /// Not filed.
        Open = "open",
        /// Filed, without an answer.
        Filed = "filed",
        /// Accepted by the authority.
        Accepted = "accepted",
        /// Returned for correction (退回补正).
        Returned = "returned",
    }
}

/// What one person put forward, for another to release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Who, as written.
    pub by: PersonName,
    /// Digest of the content that was put forward.
    pub content: Digest,
}

/// One matter of a record, from its cause to its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// What is or was to be filed.
    pub matter: Matter,
    /// How far that has come.
    pub progress: Progress,
    /// Day of the change, the renewal or the end; of a first filing, [`State::days`] have the days.
    pub caused_on: Option<Date>,
    /// Day of the last filing.
    pub filed_on: Option<Date>,
    /// The authority's number, once it was accepted.
    pub receipt: Option<String>,
}

impl Course {
    fn begin(matter: Matter, caused_on: Option<Date>) -> Self {
        Self {
            matter,
            progress: Progress::Open,
            caused_on,
            filed_on: None,
            receipt: None,
        }
    }

    /// Whether it waits to be filed, for the first time or again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Open | Progress::Returned)
    }
}

/// Where a record stands. Derived from its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The cooperation.
    pub standing: Standing,
    /// The matters before the one at hand, in their order. One of them is open only if the cooperation ended before.
    pub before: Vec<Course>,
    /// The matter at hand.
    pub at_hand: Course,
    /// What waits for a second person.
    pub submission: Option<Submission>,
    /// Days of signing and of the start of business.
    pub days: BTreeMap<Trigger, Date>,
    /// Digest of the content.
    pub content: Digest,
}

impl State {
    /// The state in one word: `draft`, `signed`, `in_business`, `filed`, `accepted`, `returned`, `changed`, `renewed` or
    /// `terminated`.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        match (self.standing, self.at_hand.progress, self.at_hand.matter) {
            (Standing::Terminated, ..) => "terminated",
            (_, Progress::Open, Matter::Change) => "changed",
            (_, Progress::Open, Matter::Renewal) => "renewed",
            (standing, Progress::Open, _) => standing.code(),
            (_, progress, _) => progress.code(),
        }
    }

    /// All matters in their order, the one at hand last.
    pub fn courses(&self) -> impl Iterator<Item = &Course> {
        self.before.iter().chain([&self.at_hand])
    }

    /// Day of an event that deadlines of a matter count from.
    #[must_use]
    pub fn day(&self, course: &Course, trigger: Trigger) -> Option<Date> {
        match trigger {
            Trigger::Signed | Trigger::Started => self.days.get(&trigger).copied(),
            Trigger::Changed | Trigger::Renewed | Trigger::Terminated => course.caused_on,
        }
    }

    fn next_matter(&mut self, matter: Matter, on: Date) {
        let next = Course::begin(matter, Some(on));
        self.before.push(std::mem::replace(&mut self.at_hand, next));
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// The record was begun.
    New {
        /// Our number of the record.
        number: String,
        /// The programme.
        programme: String,
        /// What is to be filed.
        content: Box<Content>,
    },
    /// The content was put right or filled in; what was put forward before is void.
    Edit {
        /// All of it.
        content: Box<Content>,
    },
    /// The agreement was signed.
    Sign,
    /// Business began.
    Start,
    /// One person puts the filing forward.
    Submit,
    /// Another person releases it: it is filed.
    Approve {
        /// Digest of the content that is released.
        content: Digest,
    },
    /// The authority accepted it.
    Accept {
        /// The authority's number.
        receipt: String,
    },
    /// The authority returned it.
    Return {
        /// Why.
        reason: String,
    },
    /// The cooperation changed.
    Change {
        /// All of the content.
        content: Box<Content>,
    },
    /// The agreement was renewed.
    Renew {
        /// Its new last day.
        until: Date,
    },
    /// The cooperation ended.
    Terminate {
        /// Why.
        reason: String,
    },
}

impl Act {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::Edit { .. } => "edit",
            Self::Sign => "sign",
            Self::Start => "start",
            Self::Submit => "submit",
            Self::Approve { .. } => "approve",
            Self::Accept { .. } => "accept",
            Self::Return { .. } => "return",
            Self::Change { .. } => "change",
            Self::Renew { .. } => "renew",
            Self::Terminate { .. } => "terminate",
        }
    }
}

/// An event of a record. Each names the digest of the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its number, from 1.
    pub seq: u64,
    /// The day on which it happened.
    pub on: Date,
    /// Who says so, as written; whole in the document, masked wherever it is shown. Nobody is authenticated here.
    #[serde(with = "quanfu_codes::whole")]
    pub by: PersonName,
    /// What happened.
    pub act: Act,
    /// Digest of the event before it; zeros for the first.
    pub prev: Digest,
    /// SHA-256 of this event with this digest as zeros.
    pub digest: Digest,
}

/// Why an event cannot happen, or a text is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not written as a record is.
    #[error("{message}")]
    Unreadable {
        /// What was found.
        message: String,
    },
    /// An event does not follow the one before it, or was changed.
    #[error("event {seq}: it was changed, or does not follow the one before it")]
    Chain {
        /// Its number.
        seq: u64,
    },
    /// It cannot happen in this state.
    #[error("{act} cannot happen to a record that is {stage}: {why}")]
    State {
        /// What was to happen.
        act: &'static str,
        /// The state.
        stage: &'static str,
        /// What would be right.
        why: &'static str,
    },
    /// The day is before one that it must not precede.
    #[error("{act}, {on}: before {after}, {day}")]
    Day {
        /// What was to happen.
        act: &'static str,
        /// On which day.
        on: Date,
        /// What came before.
        after: &'static str,
        /// On which day that was.
        day: Date,
    },
    /// A name is none, or the same person twice.
    #[error("{message}")]
    Person {
        /// What is wrong.
        message: String,
    },
    /// What was put forward is not what is to be released.
    #[error("the content released is not the content put forward")]
    Content,
    /// Something that the programme asks for is missing.
    #[error("missing: {}", missing.join(", "))]
    Incomplete {
        /// What.
        missing: Vec<String>,
    },
    /// The programme is another one, or not in force.
    #[error("{message}")]
    Programme {
        /// What is wrong.
        message: String,
    },
}

impl Refusal {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "filing-unreadable",
        "filing-chain",
        "filing-state",
        "filing-day",
        "filing-person",
        "filing-content",
        "filing-incomplete",
        "filing-other-programme",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "filing-unreadable",
            Self::Chain { .. } => "filing-chain",
            Self::State { .. } => "filing-state",
            Self::Day { .. } => "filing-day",
            Self::Person { .. } => "filing-person",
            Self::Content => "filing-content",
            Self::Incomplete { .. } => "filing-incomplete",
            Self::Programme { .. } => "filing-other-programme",
        }
    }
}

/// The record of a cooperation under a programme of post-hoc filing (事后备案).
///
/// Its state is what its events make of it, and a text with an event that could not have happened is no record. Whoever can
/// write the whole file can write another history: a chain shows that only against a digest noted elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    events: Vec<Event>,
    state: State,
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    number: String,
    events: Vec<Event>,
}

const NONE: Digest = Digest {
    alg: DigestAlg::Sha256,
    bytes: [0; 32],
};

fn digest_of(value: &impl Serialize) -> Digest {
    let text =
        serde_json::to_string(value).expect("records have no map with other keys than texts");
    Digest::of(DigestAlg::Sha256, text.as_bytes())
}

impl Filing {
    /// Begins a record under a number of ours.
    ///
    /// # Errors
    ///
    /// [`Refusal::Programme`] before its first or after its last day; [`Refusal::Unreadable`] for a number without
    /// characters that are seen; [`Refusal::Person`].
    pub fn new(
        programme: &Programme,
        number: &str,
        content: Content,
        on: Date,
        by: &str,
    ) -> Result<Self, Refusal> {
        if on < programme.from || programme.until.is_some_and(|until| until < on) {
            let message = format!("programme {} is not in force on {on}", programme.id);
            return Err(Refusal::Programme { message });
        }
        let act = Act::New {
            number: number.to_owned(),
            programme: programme.id.clone(),
            content: Box::new(content),
        };
        Self::begin(sealed(1, on, PersonName::new(by), act, NONE))
    }

    fn begin(event: Event) -> Result<Self, Refusal> {
        person(event.by.reveal()).map_err(|message| Refusal::Person { message })?;
        let Act::New {
            number, content, ..
        } = &event.act
        else {
            return Err(Refusal::Chain { seq: event.seq });
        };
        if number.trim().is_empty() || number.chars().any(char::is_control) {
            let message = "no number of a record: one such as JN-2026-001 would be right";
            return Err(Refusal::Unreadable {
                message: message.to_owned(),
            });
        }
        let content = Content::clone(content);
        let state = State {
            standing: Standing::Draft,
            before: Vec::new(),
            at_hand: Course::begin(Matter::First, None),
            submission: None,
            days: BTreeMap::new(),
            content: digest_of(&content),
        };
        Ok(Self {
            events: vec![event],
            state,
            content,
        })
    }

    /// Lets something happen. A refusal changes nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn apply(
        &mut self,
        programme: &Programme,
        act: Act,
        on: Date,
        by: &str,
    ) -> Result<(), Refusal> {
        if programme.id != self.programme() {
            let (own, other) = (self.programme(), &programme.id);
            let message = format!("the record is under programme {own}, not {other}");
            return Err(Refusal::Programme { message });
        }
        if matches!(act, Act::Submit | Act::Approve { .. }) {
            let missing = self.content.missing(programme);
            if !missing.is_empty() {
                return Err(Refusal::Incomplete { missing });
            }
        }
        let prev = self.events.last().map_or(NONE, |event| event.digest);
        let seq = self.events.len() as u64 + 1;
        self.follow(sealed(seq, on, PersonName::new(by), act, prev))
    }

    fn follow(&mut self, event: Event) -> Result<(), Refusal> {
        let (state, content) = next(&self.state, &self.content, &event)?;
        self.state = state;
        if let Some(content) = content {
            self.state.content = digest_of(&content);
            self.content = content;
        }
        self.events.push(event);
        Ok(())
    }

    /// The name of its programme.
    #[must_use]
    pub fn programme(&self) -> &str {
        match self.events.first().map(|event| &event.act) {
            Some(Act::New { programme, .. }) => programme,
            _ => "",
        }
    }

    /// Our number of it.
    #[must_use]
    pub fn number(&self) -> &str {
        match self.events.first().map(|event| &event.act) {
            Some(Act::New { number, .. }) => number,
            _ => "",
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What is filed.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// All events in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Digest of the last event: noted elsewhere, it shows that nothing was cut off or written anew.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.events.last().map_or(NONE, |event| event.digest)
    }

    /// The record as JSON, with whole account numbers and names.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            schema: SCHEMA.to_owned(),
            number: self.number().to_owned(),
            events: self.events.clone(),
        };
        let text = serde_json::to_string_pretty(&document);
        text.expect("records have no map with other keys than texts") + "\n"
    }

    /// Reads a record and lets all its events happen again.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first event that could not have happened so.
    pub fn from_json(text: &str) -> Result<Self, Refusal> {
        let unreadable = |message: String| Refusal::Unreadable { message };
        // the parser's own words may quote personal data, so only the place is told
        let document: Document = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            unreadable(format!("not a record: line {line}, column {column}"))
        })?;
        if document.schema != SCHEMA {
            return Err(unreadable(format!("not a record: {SCHEMA} would be right")));
        }
        let mut record: Option<Self> = None;
        for event in document.events {
            let seq = event.seq;
            let (count, prev) = record.as_ref().map_or((0, NONE), |record| {
                (record.events.len() as u64, record.head())
            });
            let again = sealed(seq, event.on, event.by.clone(), event.act.clone(), prev);
            if again != event || seq != count + 1 {
                return Err(Refusal::Chain { seq });
            }
            match &mut record {
                None => record = Some(Self::begin(event)?),
                Some(record) => record.follow(event)?,
            }
        }
        let record =
            record.ok_or_else(|| unreadable("not a record: it has no events".to_owned()))?;
        if record.number() != document.number {
            return Err(Refusal::Chain { seq: 1 });
        }
        Ok(record)
    }
}

fn sealed(seq: u64, on: Date, by: PersonName, act: Act, prev: Digest) -> Event {
    let mut event = Event {
        seq,
        on,
        by,
        act,
        prev,
        digest: NONE,
    };
    event.digest = digest_of(&event);
    event
}

/// What an event makes of a state, and the new content, if it brings one.
fn next(
    state: &State,
    content: &Content,
    event: &Event,
) -> Result<(State, Option<Content>), Refusal> {
    let who = person(event.by.reveal()).map_err(|message| Refusal::Person { message })?;
    let (act, on) = (event.act.name(), event.on);
    let refuse = |why| {
        Err(Refusal::State {
            act,
            stage: state.stage(),
            why,
        })
    };
    let order = |act, on: Date, after, day: Option<Date>| match day {
        Some(day) if on < day => Err(Refusal::Day {
            act,
            on,
            after,
            day,
        }),
        _ => Ok(()),
    };
    let before = |on, after, day| order(act, on, after, day);
    let signed = state.days.get(&Trigger::Signed).copied();
    let mut to = state.clone();
    let is_open = state.at_hand.is_open();
    let runs = matches!(state.standing, Standing::Signed | Standing::InBusiness);
    match &event.act {
        Act::New { .. } => refuse("a record begins once"),
        Act::Edit { content } => {
            if !is_open {
                return refuse("what is filed or accepted is not edited; a change would be right");
            }
            to.submission = None;
            Ok((to, Some(Content::clone(content))))
        }
        Act::Sign => {
            if state.standing != Standing::Draft {
                return refuse("only a draft is signed");
            }
            to.standing = Standing::Signed;
            to.days.insert(Trigger::Signed, on);
            Ok((to, None))
        }
        Act::Start => {
            if state.standing != Standing::Signed {
                return refuse("business begins once, after signing");
            }
            before(on, "signing", signed)?;
            to.standing = Standing::InBusiness;
            to.days.insert(Trigger::Started, on);
            Ok((to, None))
        }
        Act::Submit => {
            if state.standing == Standing::Draft || !is_open {
                return refuse("something signed that is open or returned is put forward");
            }
            if state.submission.is_some() {
                return refuse(
                    "it is put forward already; another person's approval would be right",
                );
            }
            to.submission = Some(Submission {
                by: event.by.clone(),
                content: state.content,
            });
            Ok((to, None))
        }
        Act::Approve { content: released } => {
            let Some(submission) = &state.submission else {
                return refuse("nothing is put forward");
            };
            if person(submission.by.reveal()).is_ok_and(|by| by == who) {
                let message =
                    "who put it forward does not release it; another person would be right";
                return Err(Refusal::Person {
                    message: message.to_owned(),
                });
            }
            if submission.content != *released {
                return Err(Refusal::Content);
            }
            before(on, "signing", signed)?;
            before(on, "its cause", state.at_hand.caused_on)?;
            to.submission = None;
            to.at_hand.progress = Progress::Filed;
            to.at_hand.filed_on = Some(on);
            Ok((to, None))
        }
        Act::Accept { .. } | Act::Return { .. } => {
            if state.at_hand.progress != Progress::Filed {
                return refuse("an authority answers what is filed");
            }
            before(on, "filing", state.at_hand.filed_on)?;
            match &event.act {
                Act::Accept { receipt } => {
                    to.at_hand.progress = Progress::Accepted;
                    to.at_hand.receipt = Some(receipt.clone());
                }
                _ => to.at_hand.progress = Progress::Returned,
            }
            Ok((to, None))
        }
        Act::Change { content } => {
            if !runs || state.at_hand.progress != Progress::Accepted {
                return refuse("what was accepted and is not over is changed");
            }
            before(on, "signing", signed)?;
            to.next_matter(Matter::Change, on);
            Ok((to, Some(Content::clone(content))))
        }
        Act::Renew { until } => {
            if !runs || state.at_hand.progress != Progress::Accepted {
                return refuse("what was accepted and is not over is renewed");
            }
            before(on, "signing", signed)?;
            order("renew until", *until, "the renewal", Some(on))?;
            let last = content.agreement.until;
            order("renew until", *until, "the last day so far", last)?;
            to.next_matter(Matter::Renewal, on);
            let mut content = content.clone();
            content.agreement.until = Some(*until);
            Ok((to, Some(content)))
        }
        Act::Terminate { .. } => {
            if !runs {
                return refuse("what was signed and is not over ends");
            }
            before(on, "signing", signed)?;
            before(on, "business", state.days.get(&Trigger::Started).copied())?;
            to.standing = Standing::Terminated;
            to.submission = None;
            to.next_matter(Matter::Termination, on);
            Ok((to, None))
        }
    }
}
