//! What people decide (人工决定) about open positions and confirmed groups: an append-only log, `quanfu.decision/1`.
//!
//! The log is a text of JSON lines. One person proposes a decision, another one approves or refuses it; an approval
//! names the digest of the content that it approves. Each line holds its number, its digest and that of the line before
//! it, so that nothing can be changed, taken out or put in without breaking the chain. A chain does not show that lines were
//! cut off at its end, or that all of it was written anew: the certificate of a result that used the log does.
//!
//! Nobody is authenticated here: names are what the caller says. Time is a text that the caller gives.
//!
//! ```
//! use quanfu_settlement::decision::{Act, Decision, DecisionKind, DecisionLog, DecisionMember};
//! use quanfu_settlement::{Digest, DigestAlg, Side};
//!
//! let decision = Decision {
//!     kind: DecisionKind::Assign,
//!     edge: "order-psp".into(),
//!     members: vec![DecisionMember { side: Side::Left, record: "00112233445566aa".parse()? }],
//!     positions: vec!["99e1a77387586e00".into()],
//!     result: Digest::of(DigestAlg::Sha256, b"the result's body"),
//!     to: Some("Wang Wei".into()),
//!     causes: Vec::new(),
//!     reason: "knows the customer".into(),
//! };
//! let mut log = DecisionLog::default();
//! let first = log.propose(decision, "Li Na", "2026-03-02T09:00:00Z")?;
//! let id = log.proposals()[0].id;
//! assert!(log.answer(Act::Approve, id, "li  NA", None, "2026-03-02T09:05:00Z").is_err()); // the same person
//! let second = log.answer(Act::Approve, id, "Zhao Min", None, "2026-03-02T09:05:00Z")?;
//! assert_eq!(DecisionLog::parse(&format!("{first}{second}"))?, log);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};

use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::book::RecordId;
use crate::digest::{Digest, DigestAlg};
use crate::entry::closed_list;
use crate::outcome::Side;

/// Schema name of a line of the log.
pub const SCHEMA: &str = "quanfu.decision/1";

/// Most records of one decision.
pub const MEMBERS: usize = 100_000;

/// Longest name or reason, in characters.
pub const TEXT: usize = 1_000;

closed_list! {
    /// What is decided.
    DecisionKind {
        /// A person is to look at a position; no outcome changes.
        Assign = "assign",
        /// Records of both sides belong together: one confirmed group, its difference has the causes named.
        Link = "link",
        /// Records do not belong together: a confirmed group is taken apart, until they are linked again.
        Unlink = "unlink",
        /// The difference of a position is given up: its records are one confirmed group with the causes named.
        WriteOff = "write_off",
        /// A suggestion, or one alternative of an ambiguous set, is accepted as it is.
        Force = "force",
        /// Money is to be given back; no outcome changes.
        Refund = "refund",
    }
}

impl DecisionKind {
    /// Whether its records become one confirmed group.
    #[must_use]
    pub fn groups(self) -> bool {
        match self {
            Self::Link | Self::WriteOff | Self::Force => true,
            Self::Assign | Self::Unlink | Self::Refund => false,
        }
    }

    /// Whether outcomes depend on it.
    #[must_use]
    pub fn matters(self) -> bool {
        self.groups() || self == Self::Unlink
    }
}

closed_list! {
    /// What a line of the log does.
    Act {
        /// Puts a decision forward.
        Propose = "propose",
        /// Another person agrees; from here on the decision is in force.
        Approve = "approve",
        /// Another person does not agree.
        Refuse = "refuse",
    }
}

/// A record that a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionMember {
    /// Its side on the edge.
    pub side: Side,
    /// Its name.
    pub record: RecordId,
}

/// A part of the difference between right and left, and why it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecidedCause {
    /// The cause: small letters, digits and `_`; never `unexplained`, nor one of those that an exchange has.
    pub cause: String,
    /// Right minus left for this cause, at the currency's full scale.
    pub amount: String,
    /// Currency of `amount`.
    pub currency: Currency,
}

impl DecidedCause {
    /// Its amount; `None` if the text is none.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        let digits = self.currency.minor_digits();
        let parsed = parse_minor(self.amount.as_bytes(), AmountStyle::PLAIN, digits).ok()?;
        let money = Money::from_minor(parsed.minor, self.currency);
        (money.amount_text() == self.amount).then_some(money)
    }
}

/// A decision as it is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What is decided.
    pub kind: DecisionKind,
    /// The edge.
    pub edge: String,
    /// The records, sorted.
    pub members: Vec<DecisionMember>,
    /// Fingerprints of the positions, or the name of the confirmed group, that it speaks of.
    pub positions: Vec<String>,
    /// `certificate.body` of the result that it speaks of.
    pub result: Digest,
    /// For `assign`: the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// For `link`, `force` and `write_off`: causes that add up to right minus left; none where that is zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<DecidedCause>,
    /// Why, in a person's words.
    pub reason: String,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogLine {
    schema: String,
    seq: u64,
    prev: Digest,
    act: Act,
    id: Digest,
    by: String,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// SHA-256 of the line with this digest replaced by 64 zeros; the next line names it as `prev`.
    digest: Digest,
}

impl LogLine {
    fn sealed(mut self) -> Self {
        self.digest = NONE;
        self.digest = Digest::of(DigestAlg::Sha256, written(&self).as_bytes());
        self
    }
}

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Number of the line.
    pub seq: u64,
    /// Who, as written.
    pub by: String,
    /// When, as the caller said.
    pub at: String,
    /// What they said to it.
    pub note: Option<String>,
}

/// How far a proposal has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has answered.
    Open,
    /// In force.
    Approved(Answer),
    /// Not in force.
    Refused(Answer),
}

/// A decision that was proposed, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// SHA-256 of its content: number of the line, decision and proposer.
    pub id: Digest,
    /// Number of the line.
    pub seq: u64,
    /// Who, as written.
    pub by: String,
    /// When, as the caller said.
    pub at: String,
    /// What is decided.
    pub decision: Decision,
    /// How far it has come.
    pub standing: Standing,
}

impl Proposal {
    /// The first 16 hex digits of its id, as people write it.
    #[must_use]
    pub fn name(&self) -> String {
        short(self.id)
    }
}

/// The first 16 hex digits of a proposal's id.
#[must_use]
pub fn short(id: Digest) -> String {
    let bytes = id.bytes.iter().take(8);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionFault {
    /// It is not written as a line of the log is.
    #[error("{message}")]
    Unreadable {
        /// What was found.
        message: String,
    },
    /// The last line has no line end: writing it was cut short.
    #[error("the log ends inside this line, so writing it was cut short")]
    Torn,
    /// It does not follow the line before it.
    #[error("{message}")]
    Chain {
        /// What was found and what would be right.
        message: String,
    },
    /// The decision is not one that can be made, or its digest is not that of its content.
    #[error("{message}")]
    Content {
        /// What was found and what would be right.
        message: String,
    },
    /// A name is none.
    #[error("{message}")]
    Person {
        /// What was found and what would be right.
        message: String,
    },
    /// The answer cannot be given.
    #[error("{message}")]
    Approval {
        /// Why.
        message: String,
    },
    /// A record is in a group of another decision that is in force.
    #[error(
        "record {record} on edge {edge} is held by decision {by}, which must be unlinked as a whole first"
    )]
    Conflict {
        /// The record.
        record: RecordId,
        /// The edge.
        edge: String,
        /// The other decision.
        by: String,
    },
}

/// A log, or a line to be added to it, that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct DecisionError {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: DecisionFault,
}

impl DecisionError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "decision-unreadable",
        "decision-torn",
        "decision-chain",
        "decision-content",
        "decision-person",
        "decision-approval",
        "decision-conflict",
    ];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.fault {
            DecisionFault::Unreadable { .. } => "decision-unreadable",
            DecisionFault::Torn => "decision-torn",
            DecisionFault::Chain { .. } => "decision-chain",
            DecisionFault::Content { .. } => "decision-content",
            DecisionFault::Person { .. } => "decision-person",
            DecisionFault::Approval { .. } => "decision-approval",
            DecisionFault::Conflict { .. } => "decision-conflict",
        }
    }
}

/// A name as it is compared: full-width letters as plain ones, small letters, one blank between words.
///
/// # Errors
///
/// The reason, if nothing is left, it is longer than [`TEXT`], or it holds characters that nobody sees.
///
/// ```
/// use quanfu_settlement::decision::person;
/// assert_eq!(person(" Li　Na "), person("ｌｉ nA"));
/// assert!(person("Li\u{200b}Na").is_err());
/// ```
pub fn person(name: &str) -> Result<String, String> {
    let plain = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{180E}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
    };
    if name.chars().any(unseen) {
        return Err("the name holds characters that nobody sees".to_owned());
    }
    if name.chars().count() > TEXT {
        return Err(format!("the name has more than {TEXT} characters"));
    }
    let text: String = name
        .chars()
        .map(plain)
        .flat_map(char::to_lowercase)
        .collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return Err("there is no name; who says so would be right".to_owned());
    }
    Ok(words.join(" "))
}

/// Whether a text is a time such as `2026-03-02T09:00:00Z`.
pub fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pattern = b"dddd-dd-ddTdd:dd:ddZ";
    let shaped = bytes.len() == pattern.len()
        && bytes.iter().zip(pattern).all(|(found, want)| match want {
            b'd' => found.is_ascii_digit(),
            want => found == want,
        });
    let part = |from: usize, until: usize| text.get(from..until).and_then(|t| t.parse::<u8>().ok());
    shaped
        && text[..10].parse::<quanfu_calendar::Date>().is_ok()
        && part(11, 13).is_some_and(|hour| hour < 24)
        && part(14, 16).is_some_and(|minute| minute < 60)
        && part(17, 19).is_some_and(|second| second < 60)
}

impl Decision {
    /// Whether it is one that can be made, whatever the records are.
    fn check(&self) -> Result<(), String> {
        let kind = self.kind;
        if self.edge.is_empty() {
            return Err("the edge has no name".to_owned());
        }
        if self.members.is_empty() || self.members.len() > MEMBERS {
            let found = self.members.len();
            return Err(format!("{found} records; 1 to {MEMBERS} would be right"));
        }
        if !self.members.is_sorted_by(|a, b| a < b) {
            return Err("the records are not sorted, or one stands there twice".to_owned());
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > TEXT {
            return Err(format!("a reason of 1 to {TEXT} characters would be right"));
        }
        let sides: BTreeSet<Side> = self.members.iter().map(|member| member.side).collect();
        if matches!(kind, DecisionKind::Link | DecisionKind::Force) && sides.len() < 2 {
            return Err(format!("{kind} wants records of both sides"));
        }
        match (&self.to, kind) {
            (Some(to), DecisionKind::Assign) => {
                person(to)?;
            }
            (None, DecisionKind::Assign) => return Err("assign wants a person".to_owned()),
            (Some(_), _) => return Err(format!("{kind} is to nobody")),
            (None, _) => {}
        }
        if !kind.groups() && !self.causes.is_empty() {
            return Err(format!("{kind} has no causes"));
        }
        if kind == DecisionKind::WriteOff && self.causes.is_empty() {
            return Err("write_off wants an amount and its cause".to_owned());
        }
        let mut names = BTreeSet::new();
        for cause in &self.causes {
            let name = &cause.cause;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
                return Err(format!(
                    "{name:?}: a cause of small letters, digits and _ would be right"
                ));
            }
            if crate::rules::is_reserved(name) {
                return Err(format!("{name} is no cause that a person can give"));
            }
            if !names.insert(name) {
                return Err(format!("cause {name} stands there twice"));
            }
            if cause.currency != self.causes[0].currency {
                return Err("the causes have several currencies".to_owned());
            }
            if cause.money().is_none_or(Money::is_zero) {
                return Err(format!(
                    "{:?} is no amount of {} at full scale other than zero",
                    cause.amount, cause.currency
                ));
            }
        }
        Ok(())
    }

    /// The digest that an approval names.
    fn id(&self, seq: u64, by: &str) -> Digest {
        let content = serde_json::to_string(&(SCHEMA, seq, by, self))
            .expect("a decision holds no map with keys other than text");
        Digest::of(DigestAlg::Sha256, content.as_bytes())
    }
}

const NONE: Digest = Digest {
    alg: DigestAlg::Sha256,
    bytes: [0; 32],
};

/// The log, as far as it is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLog {
    lines: u64,
    head: Digest,
    text: String,
    proposals: Vec<Proposal>,
    by_id: BTreeMap<Digest, usize>,
    approved: Vec<usize>,
    held: BTreeMap<(String, DecisionMember), usize>,
}

impl Default for DecisionLog {
    /// An empty log.
    fn default() -> Self {
        Self {
            lines: 0,
            head: NONE,
            text: String::new(),
            proposals: Vec::new(),
            by_id: BTreeMap::new(),
            approved: Vec::new(),
            held: BTreeMap::new(),
        }
    }
}

impl DecisionLog {
    /// Reads a log and checks all of it: numbers, chain, keys, contents, names and answers.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] with the first line that is not as it must be.
    pub fn parse(text: &str) -> Result<Self, DecisionError> {
        let mut log = Self::default();
        for raw in text.split_inclusive('\n') {
            let fail = |fault| DecisionError {
                line: log.lines + 1,
                fault,
            };
            let Some(line) = raw.strip_suffix('\n') else {
                return Err(fail(DecisionFault::Torn));
            };
            let read: LogLine = serde_json::from_str(line).map_err(|error| {
                fail(DecisionFault::Unreadable {
                    message: error.to_string(),
                })
            })?;
            if written(&read) != raw {
                let message = "the line's bytes are not as a line is written".to_owned();
                return Err(fail(DecisionFault::Unreadable { message }));
            }
            log.take(read)?;
        }
        Ok(log)
    }

    /// Adds a proposal and gives its line, with its line end, to be appended to the file.
    ///
    /// # Errors
    ///
    /// [`DecisionError`]; the log is as it was.
    pub fn propose(
        &mut self,
        mut decision: Decision,
        by: &str,
        at: &str,
    ) -> Result<String, DecisionError> {
        decision.members.sort_unstable();
        let line = LogLine {
            schema: SCHEMA.to_owned(),
            seq: self.lines + 1,
            prev: self.head,
            act: Act::Propose,
            id: decision.id(self.lines + 1, by),
            by: by.to_owned(),
            at: at.to_owned(),
            decision: Some(decision),
            note: None,
            digest: NONE,
        }
        .sealed();
        let text = written(&line);
        self.take(line)?;
        Ok(text)
    }

    /// Adds an approval or a refusal and gives its line, with its line end, to be appended to the file.
    ///
    /// # Errors
    ///
    /// [`DecisionError`]; the log is as it was.
    pub fn answer(
        &mut self,
        act: Act,
        id: Digest,
        by: &str,
        note: Option<&str>,
        at: &str,
    ) -> Result<String, DecisionError> {
        let line = LogLine {
            schema: SCHEMA.to_owned(),
            seq: self.lines + 1,
            prev: self.head,
            act,
            id,
            by: by.to_owned(),
            at: at.to_owned(),
            decision: None,
            note: note.map(str::to_owned),
            digest: NONE,
        }
        .sealed();
        let text = written(&line);
        self.take(line)?;
        Ok(text)
    }

    /// How many lines it has.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The digest of the last line, which the next one names; zeros for an empty log.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.head
    }

    /// The digest of all its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(DigestAlg::Sha256, self.text.as_bytes())
    }

    /// Everything that was proposed, in order.
    #[must_use]
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// What was approved, in the order of the approvals.
    pub fn approved(&self) -> impl DoubleEndedIterator<Item = &Proposal> {
        self.approved.iter().map(|&at| &self.proposals[at])
    }

    /// Checks a line against all before it and takes it in. Every line comes through here.
    fn take(&mut self, line: LogLine) -> Result<(), DecisionError> {
        let number = self.lines + 1;
        let fail = |fault| DecisionError {
            line: number,
            fault,
        };
        let chain = |message: String| fail(DecisionFault::Chain { message });
        let content = |message: String| fail(DecisionFault::Content { message });
        let approval = |message: String| fail(DecisionFault::Approval { message });
        if line.schema != SCHEMA {
            let message = format!("schema {:?}; {SCHEMA:?} would be right", line.schema);
            return Err(fail(DecisionFault::Unreadable { message }));
        }
        if line.seq != number {
            return Err(chain(format!("seq {}; {number} would be right", line.seq)));
        }
        if line.prev != self.head {
            return Err(chain(format!(
                "prev {}; the line before has {}",
                line.prev, self.head
            )));
        }
        let digest = line.clone().sealed().digest;
        if line.digest != digest {
            return Err(chain(format!(
                "digest {}; the line gives {digest}",
                line.digest
            )));
        }
        if !is_time(&line.at) {
            let message = format!(
                "{:?}: a time such as 2026-03-02T09:00:00Z would be right",
                line.at
            );
            return Err(content(message));
        }
        let by = person(&line.by).map_err(|message| fail(DecisionFault::Person { message }))?;
        let raw = written(&line);
        match (line.act, line.decision) {
            (Act::Propose, Some(decision)) => {
                if line.note.is_some() {
                    return Err(content("a proposal has a reason and no note".to_owned()));
                }
                decision.check().map_err(content)?;
                let id = decision.id(line.seq, &line.by);
                if id != line.id {
                    return Err(content(format!("id {}; the content gives {id}", line.id)));
                }
                self.by_id.insert(id, self.proposals.len());
                self.proposals.push(Proposal {
                    id,
                    seq: line.seq,
                    by: line.by,
                    at: line.at,
                    decision,
                    standing: Standing::Open,
                });
            }
            (Act::Propose, None) => return Err(content("nothing is proposed".to_owned())),
            (_, Some(_)) => return Err(content("an answer proposes nothing".to_owned())),
            (act, None) => {
                let note = line.note.as_ref().map_or(0, |note| note.chars().count());
                if note > TEXT {
                    return Err(content(format!(
                        "a note of at most {TEXT} characters would be right"
                    )));
                }
                let Some(&at) = self.by_id.get(&line.id) else {
                    return Err(approval(format!(
                        "nothing with the id {} was proposed",
                        line.id
                    )));
                };
                let proposal = &self.proposals[at];
                let name = proposal.name();
                if proposal.standing != Standing::Open {
                    return Err(approval(format!("{name} was answered before")));
                }
                if person(&proposal.by).is_ok_and(|proposer| proposer == by) {
                    return Err(approval(format!(
                        "{:?} proposed {name}; another person must {act} it",
                        proposal.by
                    )));
                }
                let answer = Answer {
                    seq: line.seq,
                    by: line.by,
                    at: line.at,
                    note: line.note,
                };
                if act == Act::Approve {
                    self.hold(at).map_err(fail)?;
                    self.approved.push(at);
                    self.proposals[at].standing = Standing::Approved(answer);
                } else {
                    self.proposals[at].standing = Standing::Refused(answer);
                }
            }
        }
        self.lines = number;
        self.head = digest;
        self.text.push_str(&raw);
        Ok(())
    }

    /// A decision takes hold of its records: a record is in one decided group at most, and such a group is taken apart
    /// as a whole.
    fn hold(&mut self, at: usize) -> Result<(), DecisionFault> {
        let decision = &self.proposals[at].decision;
        let key = |member: &DecisionMember| (decision.edge.clone(), *member);
        let conflict = |member: &DecisionMember, holder: usize| DecisionFault::Conflict {
            record: member.record,
            edge: decision.edge.clone(),
            by: self.proposals[holder].name(),
        };
        if decision.kind.groups() {
            for member in &decision.members {
                if let Some(&holder) = self.held.get(&key(member)) {
                    return Err(conflict(member, holder));
                }
            }
            let keys: Vec<_> = decision.members.iter().map(key).collect();
            self.held.extend(keys.into_iter().map(|key| (key, at)));
        } else if decision.kind == DecisionKind::Unlink {
            for member in &decision.members {
                let Some(&holder) = self.held.get(&key(member)) else {
                    continue;
                };
                let mut group = self.proposals[holder].decision.members.iter();
                if !group.all(|other| decision.members.binary_search(other).is_ok()) {
                    return Err(conflict(member, holder));
                }
            }
            let keys: Vec<_> = decision.members.iter().map(key).collect();
            for key in keys {
                self.held.remove(&key);
            }
        }
        Ok(())
    }
}

fn written(line: &LogLine) -> String {
    let mut text =
        serde_json::to_string(line).expect("a line holds no map with keys other than text");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-03-02T09:00:00Z";

    fn member(side: Side, digest: u64) -> DecisionMember {
        DecisionMember {
            side,
            record: RecordId { digest, nth: 1 },
        }
    }

    fn decision(kind: DecisionKind, records: &[(Side, u64)]) -> Decision {
        let mut members: Vec<_> = records.iter().map(|&(side, id)| member(side, id)).collect();
        members.sort_unstable();
        Decision {
            kind,
            edge: "a-b".into(),
            members,
            positions: vec!["00".into()],
            result: NONE,
            to: None,
            causes: Vec::new(),
            reason: "seen".into(),
        }
    }

    const PAIR: &[(Side, u64)] = &[(Side::Left, 1), (Side::Right, 2)];

    fn written_log() -> (DecisionLog, String) {
        let mut log = DecisionLog::default();
        let mut text = log
            .propose(decision(DecisionKind::Link, PAIR), "Li Na", AT)
            .expect("a proposal");
        let id = log.proposals()[0].id;
        text += &log
            .answer(Act::Approve, id, "Zhao Min", Some("seen too"), AT)
            .expect("an approval");
        text += &log
            .propose(decision(DecisionKind::Refund, PAIR), "Zhao Min", AT)
            .expect("a proposal");
        (log, text)
    }

    #[test]
    fn a_log_is_read_as_it_was_written() {
        let (log, text) = written_log();
        assert_eq!(DecisionLog::parse(&text), Ok(log.clone()));
        assert_eq!(log.digest(), Digest::of(DigestAlg::Sha256, text.as_bytes()));
        assert_eq!(log.lines(), 3);
        assert_eq!(log.approved().count(), 1);
        assert_eq!(DecisionLog::parse(""), Ok(DecisionLog::default()));
    }

    #[test]
    fn every_changed_byte_and_every_missing_line_is_told_but_those_at_the_end() {
        let (_, text) = written_log();
        for at in 0..text.len() {
            for with in [b'0', b'x', b'\n', b' '] {
                let mut bytes = text.clone().into_bytes();
                if bytes[at] == with {
                    continue;
                }
                bytes[at] = with;
                let changed = String::from_utf8(bytes).expect("ASCII");
                assert!(DecisionLog::parse(&changed).is_err(), "byte {at}");
            }
            if !text[..at].is_empty() && !text[..at].ends_with('\n') {
                let error = DecisionLog::parse(&text[..at]).expect_err("it is cut");
                assert_eq!(error.code(), "decision-torn", "{error}");
            }
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (kept, code) in [
            (vec![0, 2], "decision-chain"),
            (vec![1, 2], "decision-chain"),
            (vec![1, 0, 2], "decision-chain"),
            (vec![0, 0, 1, 2], "decision-chain"),
            (vec![0, 1, 1], "decision-chain"),
        ] {
            let text: String = kept.iter().map(|&at| lines[at]).collect();
            assert_eq!(
                DecisionLog::parse(&text).expect_err("cut").code(),
                code,
                "{kept:?}"
            );
        }
        // a chain cannot know what was cut off at its end
        assert!(DecisionLog::parse(&lines[..2].concat()).is_ok());
    }

    /// A log written anew by somebody who computes every number and digest of the chain again.
    fn rechained(text: &str) -> String {
        let (mut prev, mut out) = (NONE, String::new());
        for (line, seq) in text.lines().zip(1..) {
            let mut line: LogLine = serde_json::from_str(line).expect("a line");
            (line.seq, line.prev) = (seq, prev);
            let line = line.sealed();
            prev = line.digest;
            out += &written(&line);
        }
        out
    }

    #[test]
    fn an_approval_is_of_one_content_by_another_person() {
        let (log, text) = written_log();
        assert_eq!(rechained(&text), text);
        // content changed after the approval, chain computed again
        let error = DecisionLog::parse(&rechained(&text.replace("\"seen\"", "\"seem\"")));
        assert_eq!(error.expect_err("changed").code(), "decision-content");
        // the proposer changed into the one who approves
        let error = DecisionLog::parse(&rechained(&text.replace("Li Na", "Zhao Min")));
        assert_eq!(error.expect_err("changed").code(), "decision-content");
        // with the digest of the proposal computed again, the approval speaks of nothing
        let other = decision(DecisionKind::Link, &[(Side::Left, 1), (Side::Right, 3)]);
        let mut anew = DecisionLog::default();
        let first = anew.propose(other, "Li Na", AT).expect("a proposal");
        let second = text.lines().nth(1).expect("an approval");
        let error = DecisionLog::parse(&rechained(&format!("{first}{second}\n")));
        assert_eq!(error.expect_err("replayed").code(), "decision-approval");

        let id = log.proposals()[1].id;
        for name in [
            "Zhao Min",
            "zhao  min ",
            "ＺＨＡＯ　ＭＩＮ",
            "ZHAO\u{a0}MIN",
        ] {
            let mut log = log.clone();
            for act in [Act::Approve, Act::Refuse] {
                let error = log.answer(act, id, name, None, AT).expect_err(name);
                assert_eq!(error.code(), "decision-approval", "{name}");
            }
        }
        for name in ["", "  ", "Zhao\u{200b} Min", "Zhao\nMin"] {
            let error = log
                .clone()
                .answer(Act::Approve, id, name, None, AT)
                .expect_err(name);
            assert_eq!(error.code(), "decision-person", "{name:?}");
        }
        let mut log = log.clone();
        assert!(log.answer(Act::Refuse, id, "Li Na", None, AT).is_ok());
        let error = log
            .answer(Act::Approve, id, "Li Na", None, AT)
            .expect_err("twice");
        assert_eq!(
            error.to_string(),
            format!("line 5: {} was answered before", short(id))
        );
    }

    #[test]
    fn what_cannot_be_decided_is_refused_before_it_is_written() {
        let cause = |cause: &str, amount: &str| DecidedCause {
            cause: cause.into(),
            amount: amount.into(),
            currency: Currency::CNY,
        };
        let with = |kind, causes: Vec<DecidedCause>| Decision {
            causes,
            ..decision(kind, PAIR)
        };
        let cases = [
            (
                decision(DecisionKind::Link, &[(Side::Left, 1)]),
                "link wants records of both sides",
            ),
            (
                decision(DecisionKind::Force, &[(Side::Right, 1)]),
                "force wants records of both sides",
            ),
            (decision(DecisionKind::Refund, &[]), "0 records"),
            (
                decision(DecisionKind::Refund, &[(Side::Left, 1), (Side::Left, 1)]),
                "one stands there twice",
            ),
            (
                decision(DecisionKind::Assign, PAIR),
                "assign wants a person",
            ),
            (
                Decision {
                    to: Some("x".into()),
                    ..decision(DecisionKind::Link, PAIR)
                },
                "link is to nobody",
            ),
            (
                Decision {
                    reason: " ".into(),
                    ..decision(DecisionKind::Link, PAIR)
                },
                "a reason of 1 to",
            ),
            (
                decision(DecisionKind::WriteOff, PAIR),
                "write_off wants an amount",
            ),
            (
                with(DecisionKind::Unlink, vec![cause("fee", "1.00")]),
                "unlink has no causes",
            ),
            (
                with(DecisionKind::Link, vec![cause("unexplained", "1.00")]),
                "no cause that a person can give",
            ),
            (
                with(DecisionKind::Link, vec![cause("Fee", "1.00")]),
                "small letters",
            ),
            (
                with(DecisionKind::Link, vec![cause("fee", "1.0")]),
                "no amount of CNY at full scale",
            ),
            (
                with(DecisionKind::Link, vec![cause("fee", "0.00")]),
                "other than zero",
            ),
            (
                with(
                    DecisionKind::Link,
                    vec![cause("fee", "1.00"), cause("fee", "2.00")],
                ),
                "twice",
            ),
        ];
        for (decision, want) in cases {
            let mut log = DecisionLog::default();
            let error = log.propose(decision, "Li Na", AT).expect_err(want);
            assert!(error.to_string().contains(want), "{error} / {want}");
            assert_eq!(
                (error.code(), log),
                ("decision-content", DecisionLog::default())
            );
        }
        for at in [
            "",
            "2026-03-02",
            "2026-02-30T09:00:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02 09:00:00Z",
        ] {
            let mut log = DecisionLog::default();
            assert!(
                log.propose(decision(DecisionKind::Link, PAIR), "Li Na", at)
                    .is_err(),
                "{at}"
            );
        }
    }

    #[test]
    fn a_record_is_in_one_decided_group_and_leaves_it_with_all_others() {
        let mut log = DecisionLog::default();
        let decide = |log: &mut DecisionLog, kind, records: &[(Side, u64)]| {
            log.propose(decision(kind, records), "Li Na", AT)
                .expect("a proposal");
            let id = log.proposals().last().expect("it was just made").id;
            log.answer(Act::Approve, id, "Zhao Min", None, AT)
                .map_err(|error| error.code())
        };
        use DecisionKind::{Link, Unlink};
        let (l, r) = (Side::Left, Side::Right);
        assert!(decide(&mut log, Link, &[(l, 1), (r, 2)]).is_ok());
        assert_eq!(
            decide(&mut log, Link, &[(l, 1), (r, 3)]),
            Err("decision-conflict")
        );
        assert_eq!(
            decide(&mut log, Unlink, &[(l, 1), (r, 9)]),
            Err("decision-conflict")
        );
        assert!(decide(&mut log, Unlink, &[(l, 1), (r, 2), (r, 9)]).is_ok());
        assert!(decide(&mut log, Link, &[(l, 1), (r, 3)]).is_ok());
        assert_eq!(log.approved().count(), 3);
    }
}
