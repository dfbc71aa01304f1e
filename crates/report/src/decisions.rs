//! Decisions of people (`quanfu.decision/1`): made from a result's positions, and shown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_money::{Currency, MoneySum};
use quanfu_settlement::decision::{
    DecidedCause, Decision, DecisionKind, DecisionLog, DecisionMember, Proposal, Standing,
};
use quanfu_settlement::result::{Member, OpenPosition};
use quanfu_settlement::{Digest, Outcome, ResultDoc, Side};
use quanfu_trail::Lang;
use serde::Serialize;

use crate::outcomes::for_each;
use crate::text::{amount, cut, grouped, inert, left, paint, pretty, say};
use crate::why::names;
use crate::{Look, labels};

/// What somebody wants to decide, in their words.
#[derive(Clone, Debug, Default)]
pub struct Wish<'a> {
    /// Fingerprints of open positions, or their first letters (four at least).
    pub positions: Vec<&'a str>,
    /// Of these positions, only these records (names or their first letters); none: all.
    pub records: Vec<&'a str>,
    /// For `unlink`: the name of a confirmed group.
    pub group: Option<&'a str>,
    /// The cause of what is not explained; `decision` or `write_off` if it is not said.
    pub cause: Option<&'a str>,
    /// For `write_off`: the amount that is given up, right minus left.
    pub amount: Option<&'a str>,
    /// For `assign`: the person.
    pub to: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
}

/// Why a result has nothing that such a decision could be about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WishError {
    /// What was found and what would be right.
    pub message: String,
}

fn refuse<T>(message: impl Into<String>) -> Result<T, WishError> {
    Err(WishError {
        message: message.into(),
    })
}

/// Makes a decision from what a result says. Confirmed groups stand in its outcomes table only.
///
/// # Errors
///
/// [`WishError`] if the result has no such position, record or group, or the amount is another.
pub fn decision(
    doc: &ResultDoc,
    table: Option<&str>,
    kind: DecisionKind,
    wish: &Wish<'_>,
) -> Result<Decision, WishError> {
    let mut decision = Decision {
        kind,
        edge: String::new(),
        members: Vec::new(),
        positions: Vec::new(),
        result: doc.certificate.body,
        to: wish.to.map(str::to_owned),
        causes: Vec::new(),
        reason: wish.reason.to_owned(),
    };
    if kind == DecisionKind::Unlink {
        let Some(group) = wish.group else {
            return refuse("unlink wants the name of a confirmed group");
        };
        if !wish.positions.is_empty() || !wish.records.is_empty() {
            return refuse("unlink is about a confirmed group, as a whole");
        }
        of_group(doc, table, group, &mut decision)?;
        return Ok(decision);
    }
    if wish.group.is_some() {
        return refuse(format!(
            "{kind} is about open positions, not about a confirmed group"
        ));
    }
    let positions = positions(doc, &wish.positions)?;
    let Some(first) = positions.first() else {
        return refuse(format!("{kind} wants an open position"));
    };
    if let Some(other) = positions.iter().find(|other| other.edge != first.edge) {
        return refuse(format!(
            "positions of edges {} and {}",
            first.edge, other.edge
        ));
    }
    let members = members(&positions, &wish.records)?;
    decision.edge.clone_from(&first.edge);
    decision.positions = positions
        .iter()
        .map(|position| position.fingerprint.clone())
        .collect();
    let member = |member: &&Member| DecisionMember {
        side: member.side,
        record: member.item.record,
    };
    decision.members = members.iter().map(member).collect();
    decision.members.sort_unstable();
    decision.members.dedup();
    if kind.groups() {
        let whole = match &positions[..] {
            [one] if one.members.len() == members.len() => Some(*one),
            _ => None,
        };
        decision.causes = causes(kind, whole, &members, wish)?;
    } else if wish.cause.is_some() || wish.amount.is_some() {
        return refuse(format!("{kind} has no cause and no amount"));
    }
    Ok(decision)
}

/// The positions meant, each once.
fn positions<'d>(doc: &'d ResultDoc, asked: &[&str]) -> Result<Vec<&'d OpenPosition>, WishError> {
    let lists = [&doc.breaks, &doc.ambiguous, &doc.suggested, &doc.carried];
    let mut found: Vec<&OpenPosition> = Vec::new();
    for asked in asked {
        let all = lists.into_iter().flatten();
        let fits: Vec<&OpenPosition> = all
            .filter(|position| names(&position.fingerprint, asked))
            .collect();
        match fits[..] {
            [one] => {
                if !found.contains(&one) {
                    found.push(one);
                }
            }
            [] => return refuse(format!("the result has no open position {asked:?}")),
            _ => return refuse(format!("{asked:?} begins {} positions", fits.len())),
        }
    }
    Ok(found)
}

fn members<'d>(
    positions: &[&'d OpenPosition],
    records: &[&str],
) -> Result<Vec<&'d Member>, WishError> {
    let all: Vec<&Member> = positions
        .iter()
        .flat_map(|position| &position.members)
        .collect();
    if records.is_empty() {
        return Ok(all);
    }
    let mut some: Vec<&Member> = Vec::new();
    for asked in records {
        let fits: Vec<&Member> = all
            .iter()
            .copied()
            .filter(|member| names(&member.item.record.to_string(), asked))
            .collect();
        match fits[..] {
            [one] => some.push(one),
            [] => return refuse(format!("the positions have no record {asked:?}")),
            _ => return refuse(format!("{asked:?} begins {} records", fits.len())),
        }
    }
    Ok(some)
}

fn minor(text: &str, currency: Currency) -> Result<i128, WishError> {
    let parsed = parse_minor(text.as_bytes(), AmountStyle::PLAIN, currency.minor_digits());
    match parsed {
        Ok(parsed) => Ok(parsed.minor.into()),
        Err(error) => refuse(error.to_string()),
    }
}

/// Causes that add up to right minus left: those that the position knows, and one for the rest.
fn causes(
    kind: DecisionKind,
    position: Option<&OpenPosition>,
    members: &[&Member],
    wish: &Wish<'_>,
) -> Result<Vec<DecidedCause>, WishError> {
    let currencies: BTreeSet<Currency> =
        members.iter().map(|member| member.item.currency).collect();
    let [currency] = currencies.into_iter().collect::<Vec<_>>()[..] else {
        return refuse("records of several currencies cannot be one group by decision");
    };
    let mut difference = 0;
    for member in members {
        let minor = minor(&member.item.amount, currency)?;
        difference += if member.side == Side::Left {
            -minor
        } else {
            minor
        };
    }
    let written = |minor: i128| MoneySum::from_minor(minor, currency).amount_text();
    let mut causes = Vec::new();
    let mut rest = difference;
    let same =
        |position: &&OpenPosition| position.difference.as_ref() == Some(&written(difference));
    for known in position
        .filter(same)
        .iter()
        .flat_map(|position| &position.causes)
    {
        if known.cause != "unexplained" && known.currency == currency {
            rest -= minor(&known.amount, currency)?;
            causes.push(DecidedCause {
                cause: known.cause.clone(),
                amount: known.amount.clone(),
                currency,
            });
        }
    }
    let asked = wish.amount.map(|text| minor(text, currency)).transpose()?;
    if kind == DecisionKind::WriteOff && rest == 0 {
        return refuse(
            "nothing is left that could be given up; force accepts both sides as they are",
        );
    }
    if kind == DecisionKind::WriteOff && asked.is_none() {
        return refuse(format!(
            "write_off wants the amount: {} {currency}",
            written(rest)
        ));
    }
    if asked.is_some_and(|asked| asked != rest) {
        return refuse(format!(
            "the amount is {}; right minus left without known causes is {} {currency}",
            wish.amount.unwrap_or_default(),
            written(rest)
        ));
    }
    if rest != 0 {
        let usual = if kind == DecisionKind::WriteOff {
            "write_off"
        } else {
            "decision"
        };
        causes.push(DecidedCause {
            cause: wish.cause.unwrap_or(usual).to_owned(),
            amount: written(rest),
            currency,
        });
    } else if wish.cause.is_some() {
        return refuse("nothing is left that a cause could be of");
    }
    Ok(causes)
}

/// A confirmed group, from the outcomes table.
fn of_group(
    doc: &ResultDoc,
    table: Option<&str>,
    group: &str,
    decision: &mut Decision,
) -> Result<(), WishError> {
    let named = doc.certificate.outcomes_table;
    let Some(table) = table else {
        return refuse("confirmed groups stand in the outcomes table, which was not given");
    };
    if named.is_none_or(|named| named != Digest::of(named.alg, table.as_bytes())) {
        return refuse("the table is not the one that the result names by its digest");
    }
    let mut found = Vec::new();
    let read = for_each(table, |row| {
        if names(&row.group, group) {
            found.push(row);
        }
    });
    if let Err(error) = read {
        return refuse(error.to_string());
    }
    let Some(first) = found.first() else {
        return refuse(format!("the table has no group {group:?}"));
    };
    if found
        .iter()
        .any(|row| (&row.group, &row.edge) != (&first.group, &first.edge))
    {
        return refuse(format!("{group:?} begins several groups"));
    }
    if first.outcome != Outcome::Confirmed.code() {
        return refuse(format!(
            "group {} is {}, not confirmed",
            first.group, first.outcome
        ));
    }
    let Some(edge) = doc.edges.iter().find(|edge| edge.name == first.edge) else {
        return refuse(format!("the result has no edge {:?}", first.edge));
    };
    decision.edge.clone_from(&first.edge);
    decision.positions = vec![first.group.clone()];
    for row in &found {
        let side = if row.source == edge.left {
            Side::Left
        } else {
            Side::Right
        };
        match row.record.parse() {
            Ok(record) => decision.members.push(DecisionMember { side, record }),
            Err(message) => return refuse(message),
        }
    }
    decision.members.sort_unstable();
    Ok(())
}

/// That names prove nothing.
#[must_use]
pub fn caution(look: &Look) -> &'static str {
    match look.lang {
        Lang::Zh => "quanfu 不验证身份：姓名由调用者自称",
        Lang::En => "quanfu authenticates nobody: names are what the caller says",
    }
}

fn state(proposal: &Proposal) -> (&'static str, &'static str, &'static str) {
    match &proposal.standing {
        Standing::Open => ("open", "待复核", "33"),
        Standing::Approved(_) => ("approved", "已生效", "32"),
        Standing::Refused(_) => ("refused", "已否决", "31"),
    }
}

/// One proposal for a terminal: what, about what, by whom, and why.
#[must_use]
pub fn proposal(proposal: &Proposal, look: &Look) -> String {
    let mut out = String::new();
    let (en, zh, colour) = state(proposal);
    let decision = &proposal.decision;
    let causes: Vec<String> = decision
        .causes
        .iter()
        .map(|cause| {
            format!(
                "  {} {} {}",
                cause.cause,
                amount(&cause.amount),
                cause.currency
            )
        })
        .collect();
    let _ = writeln!(
        out,
        "{} {}  {}  {} {} {}{}",
        paint(look, colour, &left(say(look, zh, en), 9)),
        proposal.name(),
        match look.lang {
            Lang::Zh => format!(
                "{} {}",
                labels::short(decision.kind.code(), Lang::Zh),
                decision.kind
            ),
            Lang::En => decision.kind.to_string(),
        },
        inert(&decision.edge),
        grouped(decision.members.len()),
        say(look, "条记录", "records"),
        causes.concat(),
    );
    let _ = writeln!(
        out,
        "          {} {}  {}: {}",
        proposal.at,
        inert(&proposal.by),
        say(look, "提出", "proposes"),
        inert(&cut(&decision.reason, 200)),
    );
    if let Some(to) = &decision.to {
        let _ = writeln!(out, "          {} {}", say(look, "交给", "to"), inert(to));
    }
    let answer = match &proposal.standing {
        Standing::Open => None,
        Standing::Approved(answer) => Some((say(look, "复核通过", "approves"), answer)),
        Standing::Refused(answer) => Some((say(look, "否决", "refuses"), answer)),
    };
    if let Some((word, answer)) = answer {
        let note = answer.note.as_deref().unwrap_or("");
        let line = format!(
            "          {} {}  {word}: {}",
            answer.at,
            inert(&answer.by),
            inert(&cut(note, 200))
        );
        let _ = writeln!(out, "{}", line.trim_end_matches(": "));
    }
    out
}

/// All proposals for a terminal.
#[must_use]
pub fn table(log: &DecisionLog, look: &Look) -> String {
    let mut out: String = log
        .proposals()
        .iter()
        .map(|one| proposal(one, look))
        .collect();
    out.push_str(&summary(log, look));
    out
}

/// The log in a line: lines, proposals by state, the digest of its last line.
#[must_use]
pub fn summary(log: &DecisionLog, look: &Look) -> String {
    let count = |word: &str| {
        let all = log.proposals().iter();
        grouped(all.filter(|proposal| state(proposal).0 == word).count())
    };
    format!(
        "{} {}, {} {}, {} {}, {} {}; {} {}\n",
        grouped(log.lines()),
        say(look, "行", "lines"),
        count("approved"),
        say(look, "项已生效", "approved"),
        count("refused"),
        say(look, "项已否决", "refused"),
        count("open"),
        say(look, "项待复核", "open"),
        say(look, "末行摘要", "head"),
        log.head(),
    )
}

/// All proposals as one JSON document.
#[must_use]
pub fn json(log: &DecisionLog) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        lines: u64,
        digest: Digest,
        head: Digest,
        proposals: &'a [Proposal],
    }
    let doc = Doc {
        schema: "quanfu.decisions/1",
        lines: log.lines(),
        digest: log.digest(),
        head: log.head(),
        proposals: log.proposals(),
    };
    pretty(&doc)
}
