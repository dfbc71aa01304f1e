//! Decisions of people, before any rule: groups that are confirmed because two persons said so, and records of a group
//! that was taken apart, which no rule may see.
//!
//! The last approved decision about a record holds it. A decided group takes effect if all its records are open here
//! (not duplicates, not left out, not carried on another edge); otherwise it is not of this run, and is counted so.

use std::collections::BTreeMap;

use quanfu_money::MoneySum;
use quanfu_settlement::decision::{Decision, DecisionKind, DecisionMember, Proposal};
use quanfu_settlement::{Book, Cause, DecisionLog, Digest, RecordId, Side};

use crate::error::ReconError;

/// What decisions say of an edge.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// Confirmed groups.
    pub groups: Vec<DecidedGroup>,
    /// Rows that no rule may see, each with its decision.
    pub apart: Vec<(Side, u32, Digest)>,
    /// Decisions that had an effect.
    pub applied: u64,
}

/// A group that is confirmed by decision.
#[derive(Debug)]
pub(crate) struct DecidedGroup {
    pub id: Digest,
    pub left: Vec<u32>,
    pub right: Vec<u32>,
    pub difference: Option<MoneySum>,
    pub causes: Vec<Cause>,
}

/// Decisions that outcomes depend on and that no later one has overruled, with the records that each still holds.
pub(crate) fn in_force(log: &DecisionLog) -> Vec<(&Proposal, Vec<DecisionMember>)> {
    let matter: Vec<&Proposal> = log
        .approved()
        .filter(|proposal| proposal.decision.kind.matters())
        .collect();
    let mut holder: BTreeMap<(&str, DecisionMember), usize> = BTreeMap::new();
    for (at, proposal) in matter.iter().enumerate() {
        for member in &proposal.decision.members {
            holder.insert((&proposal.decision.edge, *member), at);
        }
    }
    let mut held: Vec<Vec<DecisionMember>> = vec![Vec::new(); matter.len()];
    for ((_, member), at) in holder {
        held[at].push(member);
    }
    let all = matter.into_iter().zip(held);
    all.filter(|(proposal, held)| {
        // of a group that was taken apart nothing is left: the log sees to it that it goes as a whole
        if proposal.decision.kind.groups() {
            held.len() == proposal.decision.members.len()
        } else {
            !held.is_empty()
        }
    })
    .collect()
}

/// Applies the decisions of an edge to the rows that are open there.
pub(crate) fn decided(
    log: &DecisionLog,
    edge: &str,
    books: [&Book; 2],
    is_open: impl Fn(Side, u32) -> bool,
) -> Result<Decided, ReconError> {
    let mut decided = Decided::default();
    let mut ours = in_force(log);
    ours.retain(|(proposal, _)| proposal.decision.edge == edge);
    let mut wanted: BTreeMap<(Side, RecordId), Option<u32>> = BTreeMap::new();
    for member in ours.iter().flat_map(|(_, held)| held) {
        wanted.insert((member.side, member.record), None);
    }
    if wanted.is_empty() {
        return Ok(decided);
    }
    for side in [Side::Left, Side::Right] {
        let book = books[side as usize];
        for row in 0..book.len() {
            if let Some(found) = wanted.get_mut(&(side, book.id(row)))
                && is_open(side, row)
            {
                *found = Some(row);
            }
        }
    }
    let row =
        |member: &DecisionMember| wanted.get(&(member.side, member.record)).copied().flatten();
    for (proposal, held) in ours {
        let rows: Vec<(Side, u32)> = held
            .iter()
            .filter_map(|member| Some((member.side, row(member)?)))
            .collect();
        if proposal.decision.kind == DecisionKind::Unlink {
            decided.applied += u64::from(!rows.is_empty());
            let rows = rows.into_iter();
            let apart = rows.map(|(side, row)| (side, row, proposal.id));
            decided.apart.extend(apart);
        } else if rows.len() == held.len() {
            decided.applied += 1;
            decided.groups.push(group(proposal, rows, books)?);
        }
    }
    Ok(decided)
}

fn group(
    proposal: &Proposal,
    rows: Vec<(Side, u32)>,
    books: [&Book; 2],
) -> Result<DecidedGroup, ReconError> {
    let refuse = |why: String| ReconError::DecisionMismatch {
        decision: proposal.name(),
        why,
    };
    let mut sum = None;
    for &(side, row) in &rows {
        let money = books[side as usize].money(row);
        let sum = sum.get_or_insert(MoneySum::zero(money.currency()));
        if sum.currency() != money.currency() {
            return Err(refuse(format!(
                "its records have amounts of {} and {}",
                sum.currency(),
                money.currency()
            )));
        }
        let minor = i128::from(money.minor());
        let minor = if side == Side::Left { -minor } else { minor };
        *sum = MoneySum::from_minor(sum.minor() + minor, sum.currency());
    }
    let causes =
        causes(&proposal.decision).ok_or_else(|| refuse("a cause has no amount".into()))?;
    if let Some(sum) = sum {
        let named: i128 = causes.iter().map(|cause| i128::from(cause.minor)).sum();
        let strange = causes.iter().find(|cause| cause.currency != sum.currency());
        if named != sum.minor() || strange.is_some() {
            return Err(refuse(format!(
                "its causes are {}; right minus left is {sum}",
                causes
                    .iter()
                    .map(|cause| format!("{cause} {}", cause.currency))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
    }
    let of = |side: Side| {
        let own = rows.iter().filter(|(of, _)| *of == side);
        own.map(|(_, row)| *row).collect()
    };
    Ok(DecidedGroup {
        id: proposal.id,
        left: of(Side::Left),
        right: of(Side::Right),
        difference: sum,
        causes,
    })
}

fn causes(decision: &Decision) -> Option<Vec<Cause>> {
    let causes = decision.causes.iter().map(|cause| {
        Some(Cause {
            name: cause.cause.clone(),
            minor: cause.money()?.minor(),
            currency: cause.currency,
            note: None,
        })
    });
    causes.collect()
}
