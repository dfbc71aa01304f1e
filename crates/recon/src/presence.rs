//! Presence: which roles have the payment of a row, found by following the groups of all edges.

use std::collections::{BTreeMap, HashMap};

use quanfu_settlement::outcome::EdgeOutcomes;
use quanfu_settlement::presence::{Presence, PresenceLine};
use quanfu_settlement::rules::SourceRole;
use quanfu_settlement::{Book, Group, Outcome, Outcomes, RecordId, ResultDoc, Rules, Side};

use crate::document::Sums;
use crate::request::handed_on;

/// What is met beyond a row: a bit for each role that has the payment, and for each role four bits that tell why the way
/// to it ends.
type Met = u16;

const OVERDUE: u16 = 1;
const UNDECIDED: u16 = 2;
const WAITING: u16 = 4;
const LEFT_OUT: u16 = 8;

fn role_bit(role: SourceRole) -> Met {
    1 << role as u16
}

/// The way to these roles ends here, for this reason.
fn blocked(roles: Met, why: u16) -> Met {
    let bits = SourceRole::ALL
        .iter()
        .filter(|&&role| roles & role_bit(role) != 0);
    bits.fold(0, |met, &role| met | why << (3 + 4 * role as u16))
}

/// Whether a group says that its rows are the same payment on both sides.
fn links(group: &Group) -> bool {
    group.left > 0
        && group.right > 0
        && match group.outcome {
            Outcome::Confirmed | Outcome::Suggested => true,
            Outcome::Break | Outcome::Carried => group.rule.is_some(),
            Outcome::Ambiguous
            | Outcome::Duplicate
            | Outcome::Reversed
            | Outcome::Excluded
            | Outcome::Rejected => false,
        }
}

/// The presence of every row.
pub(crate) struct PresenceMap {
    /// By source and row; `None` for rows that have none.
    states: Vec<Vec<Option<(Presence, u16)>>>,
}

impl PresenceMap {
    /// The presence of a row, if it has one.
    pub(crate) fn of(&self, source: usize, row: u32) -> Option<Presence> {
        let state = self.states.get(source)?.get(row as usize)?;
        state.map(|(presence, _)| presence)
    }

    /// Counts and sums, by state and source.
    pub(crate) fn lines(&self, rules: &Rules, outcomes: &Outcomes) -> Vec<PresenceLine> {
        type Count = (Sums, [u64; 4]);
        let mut counts: BTreeMap<(Presence, usize), Count> = BTreeMap::new();
        for (source, states) in self.states.iter().enumerate() {
            for (row, state) in (0u32..).zip(states) {
                let Some((presence, why)) = *state else {
                    continue;
                };
                let count = counts.entry((presence, source)).or_default();
                count.0.add(&outcomes.books[source], row);
                count.1[0] += 1;
                match why {
                    WAITING => count.1[1] += 1,
                    UNDECIDED => count.1[2] += 1,
                    LEFT_OUT => count.1[3] += 1,
                    _ => {}
                }
            }
        }
        let line = |((state, source), (sums, counts)): ((Presence, usize), Count)| PresenceLine {
            state,
            source: rules.sources[source].name.clone(),
            rows: counts[0],
            waiting: counts[1],
            undecided: counts[2],
            left_out: counts[3],
            totals: sums.totals(),
        };
        counts.into_iter().map(line).collect()
    }
}

/// What an earlier result had met of the rows that it carried over, by source and row.
pub(crate) type Before = BTreeMap<(usize, u32), Met>;

/// Roles that the earlier result found to have what it carried over.
pub(crate) fn before(rules: &Rules, books: &[Book], previous: Option<&ResultDoc>) -> Before {
    let mut found = Before::new();
    let Some(previous) = previous else {
        return found;
    };
    let declared: Vec<SourceRole> = previous.sources.iter().map(|source| source.role).collect();
    let mut known: HashMap<(&str, RecordId), Met> = HashMap::new();
    for member in handed_on(previous).flat_map(|open| &open.members) {
        let has = |role: &&SourceRole| member.presence.is_some_and(|state| state.has(**role));
        let roles = declared.iter().filter(has).map(|role| role_bit(*role));
        let key = (member.item.source.as_str(), member.item.record);
        known.insert(key, roles.fold(0, |met, role| met | role));
    }
    for (source, book) in books.iter().enumerate() {
        let name = rules.sources[source].name.as_str();
        for row in (0..book.len()).take_while(|&row| book.statement_of(row).is_none()) {
            if let Some(met) = known.get(&(name, book.id(row))) {
                found.insert((source, row), *met);
            }
        }
    }
    found
}

/// Follows the groups of all edges from every row.
pub(crate) fn presence(rules: &Rules, outcomes: &Outcomes, before: &Before) -> PresenceMap {
    let declared = rules
        .sources
        .iter()
        .fold(0, |roles, source| roles | role_bit(source.role));
    if declared.count_ones() < 2 {
        let states = outcomes.books.iter();
        let states = states.map(|book| vec![None; book.len() as usize]);
        return PresenceMap {
            states: states.collect(),
        };
    }
    let mut walk = Walk {
        rules,
        outcomes,
        before,
        beyond: Vec::new(),
    };
    walk.begin();
    // Every round carries what is known one edge further; sets of bits only grow, so this ends.
    while walk.round() {}
    let states = (0..rules.sources.len()).map(|source| {
        let rows = 0..outcomes.books[source].len();
        rows.map(|row| {
            let met = walk.met(source, row, None)?;
            Some(state_of(declared, met))
        })
        .collect()
    });
    PresenceMap {
        states: states.collect(),
    }
}

fn state_of(declared: Met, met: Met) -> (Presence, u16) {
    use SourceRole::{Bank, Institution, Order};
    let lacking = declared & !met;
    if lacking == 0 {
        return (Presence::All, 0);
    }
    let has = |role| met & role_bit(role) != 0;
    let state = match (has(Order), has(Institution), has(Bank)) {
        (true, true, _) => Presence::NoBank,
        (true, false, true) => Presence::NoInstitution,
        (false, true, true) => Presence::NoOrder,
        (true, false, false) => Presence::OrderAlone,
        (false, true, false) => Presence::InstitutionAlone,
        (false, false, _) => Presence::BankAlone,
    };
    let why = SourceRole::ALL
        .iter()
        .filter(|&&role| lacking & role_bit(role) != 0)
        .fold(0, |why, &role| why | met >> (3 + 4 * role as u16) & 15);
    let worst = [OVERDUE, UNDECIDED, WAITING, LEFT_OUT]
        .into_iter()
        .find(|&kind| why & kind != 0);
    (state, worst.unwrap_or(OVERDUE))
}

struct Walk<'a> {
    rules: &'a Rules,
    outcomes: &'a Outcomes,
    before: &'a Before,
    /// What a row meets over an edge: by edge, side of the row and row.
    beyond: Vec<[Vec<Met>; 2]>,
}

impl Walk<'_> {
    fn source(&self, edge: usize, side: Side) -> usize {
        let edge = &self.rules.edges[edge];
        match side {
            Side::Left => edge.left,
            Side::Right => edge.right,
        }
    }

    /// Edges of a source, with the side that it is on.
    fn edges_of(&self, source: usize) -> impl Iterator<Item = (usize, Side)> + '_ {
        let edges = self.rules.edges.iter().enumerate();
        edges.filter_map(move |(index, edge)| match source {
            _ if edge.left == source => Some((index, Side::Left)),
            _ if edge.right == source => Some((index, Side::Right)),
            _ => None,
        })
    }

    /// Roles that lie beyond an edge, seen from one side of it.
    fn roles_beyond(&self, edge: usize, side: Side) -> Met {
        let mut reached = vec![self.source(edge, side.other())];
        let mut at = 0;
        while let Some(&source) = reached.get(at) {
            at += 1;
            for (other, from) in self.edges_of(source) {
                let next = self.source(other, from.other());
                if other != edge && !reached.contains(&next) {
                    reached.push(next);
                }
            }
        }
        let roles = reached
            .iter()
            .map(|&source| self.rules.sources[source].role);
        roles.fold(0, |met, role| met | role_bit(role))
    }

    /// What rows meet at once: the end of the way, or nothing yet.
    fn begin(&mut self) {
        for (index, edge) in self.outcomes.edges.iter().enumerate() {
            let of_side = |side: Side| {
                let (roles, source) = (self.roles_beyond(index, side), self.source(index, side));
                let met = |(at, row): (u32, &quanfu_settlement::RowOutcome)| {
                    if row
                        .group
                        .is_some_and(|group| links(&edge.groups[group as usize]))
                    {
                        return 0;
                    }
                    match row.outcome {
                        Outcome::Carried => blocked(roles, WAITING),
                        Outcome::Ambiguous => blocked(roles, UNDECIDED),
                        Outcome::Excluded => {
                            // It was carried in for another edge: an earlier day has seen what lies beyond this one.
                            let seen = self.before.get(&(source, at)).map_or(0, |met| met & roles);
                            seen | blocked(roles & !seen, LEFT_OUT)
                        }
                        Outcome::Confirmed
                        | Outcome::Suggested
                        | Outcome::Break
                        | Outcome::Duplicate
                        | Outcome::Reversed
                        | Outcome::Rejected => blocked(roles, OVERDUE),
                    }
                };
                (0u32..).zip(edge.side(side)).map(met).collect()
            };
            self.beyond
                .push([of_side(Side::Left), of_side(Side::Right)]);
        }
    }

    /// What a row is and meets over all edges but one; `None` where it has no presence.
    fn met(&self, source: usize, row: u32, but: Option<usize>) -> Option<Met> {
        let mut met = role_bit(self.rules.sources[source].role);
        let mut asked = false;
        for (edge, side) in self.edges_of(source) {
            match self.outcomes.edges[edge].side(side)[row as usize].outcome {
                Outcome::Duplicate | Outcome::Reversed | Outcome::Rejected => return None,
                Outcome::Excluded => {}
                Outcome::Confirmed
                | Outcome::Suggested
                | Outcome::Ambiguous
                | Outcome::Carried
                | Outcome::Break => asked = true,
            }
            if but != Some(edge) {
                met |= self.beyond[edge][side as usize][row as usize];
            }
        }
        asked.then_some(met)
    }

    /// Carries what is known over every edge once; tells whether anything is new.
    fn round(&mut self) -> bool {
        let mut is_new = false;
        let outcomes = self.outcomes;
        for (index, edge) in outcomes.edges.iter().enumerate() {
            for group in edge.groups.iter().filter(|group| links(group)) {
                for side in [Side::Left, Side::Right] {
                    let (own, others) = (members(edge, group, side), side.other());
                    let source = self.source(index, others);
                    let met = members(edge, group, others)
                        .iter()
                        .filter_map(|&row| self.met(source, row, Some(index)))
                        .fold(0, |met, other| met | other);
                    for &row in own {
                        let known = &mut self.beyond[index][side as usize][row as usize];
                        is_new |= *known | met != *known;
                        *known |= met;
                    }
                }
            }
        }
        is_new
    }
}

fn members<'e>(edge: &'e EdgeOutcomes, group: &Group, side: Side) -> &'e [u32] {
    match side {
        Side::Left => edge.left_members(group),
        Side::Right => edge.right_members(group),
    }
}
