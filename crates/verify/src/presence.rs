//! Who has which payments, derived a second time: a walk from each row over the groups of the edges.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use quanfu_money::Currency;
use quanfu_settlement::presence::{Presence, PresenceLine};
use quanfu_settlement::result::Total;
use quanfu_settlement::rules::SourceRole;
use quanfu_settlement::{Outcome, RecordId, ResultDoc, Rules, Side};

use crate::judge::{Edge, Group};
use crate::rows::{Source, handed_on};
use crate::table::amount;

/// Why a walk ends, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Overdue,
    Undecided,
    Waiting,
    LeftOut,
}

/// What a walk meets: roles that have the payment, and roles that it could not reach, with the reason.
#[derive(Clone, Debug, Default)]
struct Met {
    roles: BTreeSet<SourceRole>,
    ends: BTreeSet<(SourceRole, End)>,
}

impl Met {
    fn take(&mut self, other: &Self) {
        self.roles.extend(&other.roles);
        self.ends.extend(&other.ends);
    }
}

/// A group crossed: edge, side that the walk came from, group.
type Crossing = (usize, Side, usize);

/// Presences of all rows, by source.
pub(crate) type States = Vec<Vec<Option<(Presence, Option<&'static str>)>>>;

struct Walker<'a> {
    rules: &'a Rules,
    sources: &'a [Source],
    judged: &'a [Edge],
    /// Roles beyond an edge, by edge and side that the walk comes from.
    beyond: Vec<[BTreeSet<SourceRole>; 2]>,
    /// Roles that the day before found to have what it carried over, by source and record.
    before: BTreeMap<(String, RecordId), BTreeSet<SourceRole>>,
    /// Without circles among the edges, what lies behind a crossing is always the same.
    known: Option<HashMap<Crossing, Met>>,
}

fn same_payment(group: &Group) -> bool {
    let both = !group.left.is_empty() && !group.right.is_empty();
    let agreed = matches!(group.outcome, Outcome::Confirmed | Outcome::Suggested);
    let told = matches!(group.outcome, Outcome::Break | Outcome::Carried) && group.rule.is_some();
    both && (agreed || told)
}

fn source_at(rules: &Rules, edge: usize, side: Side) -> usize {
    if side == Side::Left {
        rules.edges[edge].left
    } else {
        rules.edges[edge].right
    }
}

/// The edges of a source and the side that it is on.
fn doors(rules: &Rules, source: usize) -> Vec<(usize, Side)> {
    let mut doors = Vec::new();
    for edge in 0..rules.edges.len() {
        for side in [Side::Left, Side::Right] {
            if source_at(rules, edge, side) == source {
                doors.push((edge, side));
            }
        }
    }
    doors
}

/// Sources that can be reached from one without crossing an edge.
fn reachable(rules: &Rules, from: usize, shut: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([from]);
    loop {
        let before = found.len();
        for edge in (0..rules.edges.len()).filter(|&edge| edge != shut) {
            let (left, right) = (rules.edges[edge].left, rules.edges[edge].right);
            if found.contains(&left) || found.contains(&right) {
                found.extend([left, right]);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

impl Walker<'_> {
    /// What lies behind the doors of a row, but for the one that the walk came in by.
    fn from(
        &mut self,
        source: usize,
        row: usize,
        came: Option<usize>,
        seen: &mut HashSet<Crossing>,
    ) -> Met {
        let mut met = Met::default();
        met.roles.insert(self.rules.sources[source].role);
        for (edge, side) in doors(self.rules, source) {
            if Some(edge) == came {
                continue;
            }
            let state = self.judged[edge].side(side)[row];
            let group = state
                .group
                .filter(|&group| same_payment(&self.judged[edge].groups[group]));
            if let Some(group) = group {
                let behind = self.behind((edge, side, group), seen);
                met.take(&behind);
                continue;
            }
            let end = match state.outcome {
                Outcome::Carried => End::Waiting,
                Outcome::Ambiguous => End::Undecided,
                Outcome::Excluded => End::LeftOut,
                _ => End::Overdue,
            };
            let carried = &self.sources[source].rows[row];
            let key = (self.rules.sources[source].name.clone(), carried.id);
            let known = self.before.get(&key);
            let known = known.filter(|_| end == End::LeftOut && carried.carried.is_some());
            for &role in &self.beyond[edge][side as usize] {
                if known.is_some_and(|known| known.contains(&role)) {
                    met.roles.insert(role);
                } else {
                    met.ends.insert((role, end));
                }
            }
        }
        met
    }

    fn behind(&mut self, crossing: Crossing, seen: &mut HashSet<Crossing>) -> Met {
        if let Some(met) = self.known.as_ref().and_then(|known| known.get(&crossing)) {
            return met.clone();
        }
        if self.known.is_none() && !seen.insert(crossing) {
            return Met::default(); // been there on this walk
        }
        let (edge, side, group) = crossing;
        let source = source_at(self.rules, edge, side.other());
        let judged = self.judged;
        let rows = match side {
            Side::Left => &judged[edge].groups[group].right,
            Side::Right => &judged[edge].groups[group].left,
        };
        let mut met = Met::default();
        for &row in rows {
            let one = self.from(source, row, Some(edge), seen);
            met.take(&one);
        }
        if let Some(known) = &mut self.known {
            known.insert(crossing, met.clone());
        }
        met
    }
}

/// The presence of every row, and what excuses what it lacks.
pub(crate) fn states(
    rules: &Rules,
    sources: &[Source],
    judged: &[Edge],
    previous: Option<&ResultDoc>,
) -> States {
    let roles: BTreeSet<SourceRole> = rules.sources.iter().map(|source| source.role).collect();
    let is_tree = rules.edges.len() + 1 == rules.sources.len();
    let mut before = BTreeMap::new();
    if let Some(doc) = previous {
        for member in handed_on(doc)
            .into_iter()
            .flat_map(|position| &position.members)
        {
            let roles = doc.sources.iter().map(|source| source.role);
            let roles: BTreeSet<SourceRole> = roles
                .filter(|role| member.presence.is_some_and(|state| state.has(*role)))
                .collect();
            before.insert((member.item.source.clone(), member.item.record), roles);
        }
    }
    let mut walker = Walker {
        rules,
        sources,
        before,
        judged,
        beyond: (0..rules.edges.len())
            .map(|edge| {
                [Side::Right, Side::Left].map(|far| {
                    let found = reachable(rules, source_at(rules, edge, far), edge);
                    let roles = found.into_iter().map(|source| rules.sources[source].role);
                    roles.collect()
                })
            })
            .collect(),
        known: is_tree.then(HashMap::new),
    };
    let mut all = Vec::new();
    for (source, read) in sources.iter().enumerate() {
        let mut own = Vec::new();
        for row in 0..read.rows.len() {
            let outcomes: Vec<Outcome> = doors(rules, source)
                .into_iter()
                .map(|(edge, side)| judged[edge].side(side)[row].outcome)
                .collect();
            let is_out = roles.len() < 2
                || outcomes
                    .iter()
                    .any(|o| matches!(o, Outcome::Duplicate | Outcome::Reversed))
                || outcomes.iter().all(|o| *o == Outcome::Excluded);
            own.push(if is_out {
                None
            } else {
                let met = walker.from(source, row, None, &mut HashSet::new());
                Some(named(&roles, &met))
            });
        }
        all.push(own);
    }
    all
}

fn named(declared: &BTreeSet<SourceRole>, met: &Met) -> (Presence, Option<&'static str>) {
    let lacking: BTreeSet<&SourceRole> = declared.difference(&met.roles).collect();
    if lacking.is_empty() {
        return (Presence::All, None);
    }
    let roles: Vec<SourceRole> = met.roles.iter().copied().collect();
    let state = match roles[..] {
        [SourceRole::Order, SourceRole::Institution] => Presence::NoBank,
        [SourceRole::Order, SourceRole::Bank] => Presence::NoInstitution,
        [SourceRole::Institution, SourceRole::Bank] => Presence::NoOrder,
        [SourceRole::Order] => Presence::OrderAlone,
        [SourceRole::Institution] => Presence::InstitutionAlone,
        _ => Presence::BankAlone,
    };
    let ends = met.ends.iter().filter(|(role, _)| lacking.contains(role));
    let excuse = match ends.map(|(_, end)| *end).min() {
        Some(End::Undecided) => Some("undecided"),
        Some(End::Waiting) => Some("waiting"),
        Some(End::LeftOut) => Some("left out"),
        Some(End::Overdue) | None => None,
    };
    (state, excuse)
}

/// The lines of the document.
pub(crate) fn lines(rules: &Rules, sources: &[Source], states: &States) -> Vec<PresenceLine> {
    let mut lines = Vec::new();
    for &state in Presence::ALL {
        for (index, source) in sources.iter().enumerate() {
            let own = states[index].iter().zip(&source.rows);
            let own: Vec<_> = own
                .filter_map(|(found, row)| {
                    found
                        .filter(|(known, _)| *known == state)
                        .map(|(_, excuse)| (excuse, row))
                })
                .collect();
            if own.is_empty() {
                continue;
            }
            let count = |word: &str| {
                own.iter()
                    .filter(|(excuse, _)| *excuse == Some(word))
                    .count() as u64
            };
            let mut sums: BTreeMap<Currency, (u64, i128)> = BTreeMap::new();
            for (_, row) in &own {
                let sum = sums.entry(row.currency).or_default();
                *sum = (sum.0 + 1, sum.1 + i128::from(row.amount));
            }
            lines.push(PresenceLine {
                state,
                source: rules.sources[index].name.clone(),
                rows: own.len() as u64,
                waiting: count("waiting"),
                undecided: count("undecided"),
                left_out: count("left out"),
                totals: sums
                    .into_iter()
                    .map(|(currency, (count, sum))| Total {
                        currency,
                        count,
                        sum: amount(sum, currency),
                    })
                    .collect(),
            });
        }
    }
    lines
}
