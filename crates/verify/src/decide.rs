//! Decisions of people applied a second time, plainly.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use quanfu_money::Currency;
use quanfu_settlement::decision::{DecisionKind, DecisionMember, Proposal, short};
use quanfu_settlement::result::Decisions;
use quanfu_settlement::rules::EdgeRules;
use quanfu_settlement::{BreakCode, DecisionLog, Digest, Outcome, Side};

use crate::judge::{Cause, Group};
use crate::rows::Source;
use crate::{Candidate, Fault, Stop, VerifyError};

const CODE: &str = "verify-decision";

/// What every line of a log begins with.
const BEGINS: &[u8] = br#"{"schema":"quanfu.decision/1""#;

/// What decisions make of an edge.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    pub groups: Vec<Group>,
    /// The decision of each row that one is about.
    pub by: BTreeMap<(Side, usize), Digest>,
    pub applied: u64,
}

/// Finds the log that a result names among the files: the one whose first lines have its digest.
pub(crate) fn log_among(
    files: &[Candidate<'_>],
    named: Option<&Decisions>,
) -> Result<Option<DecisionLog>, Stop> {
    let mut found = None;
    for file in files {
        let io = |source| {
            Stop::Io(VerifyError {
                file: file.name.clone(),
                source,
            })
        };
        let mut bytes = Vec::new();
        let mut reader = (file.open)().map_err(io)?;
        let mut begins = reader.by_ref().take(BEGINS.len() as u64);
        begins.read_to_end(&mut bytes).map_err(io)?;
        if bytes != BEGINS {
            continue;
        }
        let Some(named) = named else {
            let message = "the result names no log of decisions, but this is one";
            return Err(Fault::new(CODE, &file.name, message).into());
        };
        reader.read_to_end(&mut bytes).map_err(io)?;
        let mut length = 0;
        for line in bytes
            .split_inclusive(|byte| *byte == b'\n')
            .take(named.lines as usize)
        {
            length += line.len();
        }
        if Digest::of(named.log.alg, &bytes[..length]) != named.log {
            continue;
        }
        let fault = |message: String| Fault::new(CODE, &file.name, message);
        let text =
            std::str::from_utf8(&bytes[..length]).map_err(|error| fault(error.to_string()))?;
        let log = DecisionLog::parse(text).map_err(|error| fault(error.to_string()))?;
        if log.lines() != named.lines {
            let message = format!(
                "the result names {} lines; the log has {}",
                named.lines,
                log.lines()
            );
            return Err(fault(message).into());
        }
        found = Some(log);
    }
    if let Some(named) = named
        && named.lines == 0
    {
        let empty = DecisionLog::default();
        if empty.digest() != named.log {
            let message = "a log of no lines has another digest";
            return Err(Fault::new(CODE, "certificate.decisions", message).into());
        }
        return Ok(Some(empty));
    }
    Ok(found)
}

/// Decisions that outcomes depend on, the last first, each with the records that no later one speaks of.
fn from_the_last(log: &DecisionLog) -> Vec<(&Proposal, Vec<DecisionMember>)> {
    let mut spoken: BTreeSet<(&str, DecisionMember)> = BTreeSet::new();
    let mut all = Vec::new();
    for proposal in log.approved().rev() {
        let decision = &proposal.decision;
        if matches!(decision.kind, DecisionKind::Assign | DecisionKind::Refund) {
            continue;
        }
        let own: Vec<DecisionMember> = decision
            .members
            .iter()
            .filter(|member| spoken.insert((&decision.edge, **member)))
            .copied()
            .collect();
        all.push((proposal, own));
    }
    all
}

fn is_whole(proposal: &Proposal, own: &[DecisionMember]) -> bool {
    match proposal.decision.kind {
        DecisionKind::Unlink => !own.is_empty(),
        _ => own.len() == proposal.decision.members.len(),
    }
}

/// Whether the counts of a certificate are those of its log and of what was applied.
pub(crate) fn check_counts(
    named: Option<&Decisions>,
    log: Option<&DecisionLog>,
    applied: u64,
) -> Result<(), Fault> {
    let (Some(named), Some(log)) = (named, log) else {
        return Ok(());
    };
    let all = from_the_last(log);
    let all = all.iter().filter(|(proposal, own)| is_whole(proposal, own));
    let others = (all.count() as u64).saturating_sub(applied);
    if (named.applied, named.not_of_this_run) == (applied, others) {
        return Ok(());
    }
    let message = format!(
        "found {} applied and {} not of this run; the log and the inputs give {applied} and {others}",
        named.applied, named.not_of_this_run
    );
    Err(Fault::new(CODE, "certificate.decisions", message))
}

/// What the log makes of the rows that are open on an edge.
pub(crate) fn decided(
    log: &DecisionLog,
    edge: &EdgeRules,
    left: &Source,
    right: &Source,
    is_open: impl Fn(Side, usize) -> bool,
) -> Result<Decided, Fault> {
    let mut decided = Decided::default();
    for (proposal, own) in from_the_last(log) {
        if proposal.decision.edge != edge.name || !is_whole(proposal, &own) {
            continue;
        }
        let source = |side: Side| if side == Side::Left { left } else { right };
        let rows: Vec<(Side, usize)> = own
            .iter()
            .filter_map(|member| {
                let row = *source(member.side).by_id.get(&member.record)?;
                is_open(member.side, row).then_some((member.side, row))
            })
            .collect();
        let of = |wanted: Side| -> Vec<usize> {
            rows.iter()
                .filter(|(side, _)| *side == wanted)
                .map(|(_, row)| *row)
                .collect()
        };
        let mut group = Group::of(None, of(Side::Left), of(Side::Right));
        if proposal.decision.kind == DecisionKind::Unlink {
            for &(side, row) in &rows {
                let (left, right) = match side {
                    Side::Left => (vec![row], Vec::new()),
                    Side::Right => (Vec::new(), vec![row]),
                };
                decided.groups.push(Group {
                    outcome: Outcome::Break,
                    code: Some(BreakCode::Reopened),
                    left,
                    right,
                    ..group.clone()
                });
            }
            if rows.is_empty() {
                continue;
            }
        } else {
            if rows.len() < own.len() {
                continue;
            }
            weigh(proposal, &mut group, left, right)?;
            decided.groups.push(group);
        }
        decided.applied += 1;
        decided
            .by
            .extend(rows.into_iter().map(|at| (at, proposal.id)));
    }
    Ok(decided)
}

/// Sums, difference and causes of a decided group: one currency, and the causes add up to the difference.
fn weigh(
    proposal: &Proposal,
    group: &mut Group,
    left: &Source,
    right: &Source,
) -> Result<(), Fault> {
    let place = || format!("decision {}", short(proposal.id));
    let mut currencies: BTreeSet<Currency> = BTreeSet::new();
    let mut sum = |source: &Source, rows: &[usize]| -> i128 {
        let rows = rows.iter().map(|&row| &source.rows[row]);
        rows.map(|row| {
            currencies.insert(row.currency);
            i128::from(row.amount)
        })
        .sum()
    };
    let (l, r) = (sum(left, &group.left), sum(right, &group.right));
    for cause in &proposal.decision.causes {
        let Some(money) = cause.money() else {
            let message = format!("{:?} is no amount", cause.amount);
            return Err(Fault::new(CODE, place(), message));
        };
        currencies.insert(cause.currency);
        group.causes.push(Cause {
            name: cause.cause.clone(),
            minor: money.minor().into(),
            currency: cause.currency,
            note: None,
        });
    }
    let currencies: Vec<Currency> = currencies.into_iter().collect();
    let [currency] = currencies[..] else {
        let message = format!("it has amounts of {} currencies", currencies.len());
        return Err(Fault::new(CODE, place(), message));
    };
    let named: i128 = group.causes.iter().map(|cause| cause.minor).sum();
    if named != r - l {
        let message = format!(
            "its causes add up to {named}; right minus left is {} in minor units",
            r - l
        );
        return Err(Fault::new(CODE, place(), message));
    }
    group.difference = Some((r - l, currency));
    if !group.left.is_empty() && !group.right.is_empty() {
        group.figures = Some((l, r));
    }
    Ok(())
}
