//! One edge: rows that are left out, the rules one by one, and what is still open after them.
//!
//! A rule's rows are placed in a fixed number of buckets by a hash of their key; each bucket is a task of its own,
//! sorted by key, so that the result does not depend on which thread did it or in which order rows came.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_money::MoneySum;
use quanfu_settlement::outcome::EdgeOutcomes;
use quanfu_settlement::rules::{Bounds, EdgeRules, MatchRule, SourceRole};
use quanfu_settlement::{
    Book, BreakCode, Cause, DecisionLog, Digest, DigestAlg, EntryKind, Group, Outcome, PassKind,
    Rules, Side,
};

use crate::carry::due;
use crate::compare::{Scales, unexplained};
use crate::decide::decided;
use crate::duplicate::SourceFacts;
use crate::error::ReconError;
use crate::exchange::Rates;
use crate::kernel::hash;
use crate::key::push_key;
use crate::nearest::why_open;
use crate::pass::{Found, Keyed, Turn, doubt};

/// Number of buckets: a constant, so that the same keys meet in the same bucket everywhere.
const BUCKETS: usize = 64;

/// Everything that an edge is judged by.
pub(crate) struct EdgeJob<'a> {
    pub rules: &'a Rules,
    pub edge: &'a EdgeRules,
    pub left: &'a Book,
    pub right: &'a Book,
    pub left_facts: &'a SourceFacts,
    pub right_facts: &'a SourceFacts,
    pub calendar: &'a BusinessCalendar,
    pub rates: Option<&'a Rates<'a>>,
    pub as_of: Date,
    pub threads: usize,
    /// For each item carried in: whether it was carried on this edge.
    pub carried_here: &'a (dyn Fn(Side, u32) -> bool + Sync),
    /// What people decided.
    pub decisions: Option<&'a DecisionLog>,
    /// Counts the decisions that had an effect.
    pub applied: &'a AtomicU64,
    /// Rows that each worker took, added up over all rules.
    pub worked: &'a [AtomicUsize],
    /// Called before each rule; `Break` stops.
    pub tick: &'a (dyn Fn() -> ControlFlow<()> + Sync),
}

/// A group in the making; members stand in a list of their own.
pub(crate) struct Draft {
    pub group: Group,
    pub left: Vec<u32>,
    pub right: Vec<u32>,
}

pub(crate) const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const EXCLUDED: u8 = 2;
/// Confirmed by a rule by key.
pub(crate) const BY_KEY: u8 = 3;
/// A search suggests it.
const BY_SEARCH: u8 = 4;

impl<'a> EdgeJob<'a> {
    pub(crate) fn book(&self, side: Side) -> &'a Book {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    pub(crate) fn facts(&self, side: Side) -> &'a SourceFacts {
        match side {
            Side::Left => self.left_facts,
            Side::Right => self.right_facts,
        }
    }

    pub(crate) fn role(&self, side: Side) -> SourceRole {
        self.rules.sources[if side == Side::Left {
            self.edge.left
        } else {
            self.edge.right
        }]
        .role
    }

    pub(crate) fn scales(&self) -> Scales<'a> {
        Scales {
            edge: &self.edge.name,
            left: self.left,
            right: self.right,
            left_role: self.role(Side::Left),
            right_role: self.role(Side::Right),
            calendar: self.calendar,
            rates: self.rates,
        }
    }

    /// Judges the edge.
    pub(crate) fn judge(&self) -> Result<EdgeOutcomes, ReconError> {
        let mut state = [
            vec![OPEN; self.left.len() as usize],
            vec![OPEN; self.right.len() as usize],
        ];
        let mut undecided = [HashSet::new(), HashSet::new()];
        let mut drafts = self.before_rules(&mut state);
        let decided = self.by_decision(&mut state, &mut drafts)?;
        for (index, rule) in self.edge.rules.iter().enumerate() {
            if (self.tick)().is_break() {
                return Err(ReconError::Cancelled);
            }
            let index = index as u8; // an edge has at most 200 rules
            let found = self.run_rule(index, rule, &state)?;
            for (side, row) in found.undecided {
                undecided[side as usize].insert(row);
            }
            for draft in found.drafts {
                let closed = match draft.group.outcome {
                    Outcome::Confirmed if rule.pass.is_by_key() => BY_KEY,
                    Outcome::Suggested if rule.pass.is_search() => BY_SEARCH,
                    _ => CLOSED,
                };
                for &row in &draft.left {
                    state[0][row as usize] = closed;
                }
                for &row in &draft.right {
                    state[1][row as usize] = closed;
                }
                drafts.push(draft);
            }
        }
        let mut outcomes = self.finish(&state, drafts, &undecided)?;
        outcomes.decided = decided;
        Ok(outcomes)
    }

    /// What people decided: groups that are confirmed, and rows that no rule may see.
    fn by_decision(
        &self,
        state: &mut [Vec<u8>; 2],
        drafts: &mut Vec<Draft>,
    ) -> Result<BTreeMap<(Side, u32), Digest>, ReconError> {
        let mut by = BTreeMap::new();
        let Some(log) = self.decisions else {
            return Ok(by);
        };
        let is_open = |side: Side, row: u32| state[side as usize][row as usize] == OPEN;
        let decided = decided(log, &self.edge.name, [self.left, self.right], is_open)?;
        self.applied.fetch_add(decided.applied, Ordering::Relaxed);
        for group in decided.groups {
            let rows = [(Side::Left, &group.left), (Side::Right, &group.right)];
            for (side, row) in rows
                .iter()
                .flat_map(|(side, rows)| rows.iter().map(|row| (*side, *row)))
            {
                by.insert((side, row), group.id);
            }
            let mut draft = self.draft(Outcome::Confirmed, None, None, group.left, group.right);
            draft.group.difference = group.difference;
            draft.group.causes = group.causes;
            drafts.push(draft);
        }
        for (side, row, id) in decided.apart {
            by.insert((side, row), id);
            drafts.push(self.one_sided(side, vec![row], Outcome::Break, BreakCode::Reopened));
        }
        for &(side, row) in by.keys() {
            state[side as usize][row as usize] = CLOSED;
        }
        Ok(by)
    }

    pub(crate) fn draft(
        &self,
        outcome: Outcome,
        code: Option<BreakCode>,
        rule: Option<u8>,
        left: Vec<u32>,
        right: Vec<u32>,
    ) -> Draft {
        let group = Group {
            id: 0,
            outcome,
            code,
            rule,
            first: 0,
            left: left.len() as u32,
            right: right.len() as u32,
            difference: None,
            causes: Vec::new(),
            search: None,
            alternatives: Vec::new(),
        };
        Draft { group, left, right }
    }

    pub(crate) fn one_sided(
        &self,
        side: Side,
        rows: Vec<u32>,
        outcome: Outcome,
        code: BreakCode,
    ) -> Draft {
        match side {
            Side::Left => self.draft(outcome, Some(code), None, rows, Vec::new()),
            Side::Right => self.draft(outcome, Some(code), None, Vec::new(), rows),
        }
    }

    /// Duplicates, reversed pairs, and rows that the edge's filters leave out.
    fn before_rules(&self, state: &mut [Vec<u8>; 2]) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for side in [Side::Left, Side::Right] {
            let facts = self.facts(side);
            let state = &mut state[side as usize];
            for rows in &facts.duplicates {
                drafts.push(self.one_sided(
                    side,
                    rows.clone(),
                    Outcome::Duplicate,
                    BreakCode::DuplicateRecord,
                ));
            }
            for pair in &facts.reversed {
                drafts.push(self.one_sided(
                    side,
                    pair.to_vec(),
                    Outcome::Reversed,
                    BreakCode::ReversedPair,
                ));
            }
            for &row in facts
                .duplicates
                .iter()
                .flatten()
                .chain(facts.reversed.iter().flatten())
            {
                state[row as usize] = CLOSED;
            }
            let filter = if side == Side::Left {
                &self.edge.left_where
            } else {
                &self.edge.right_where
            };
            let book = self.book(side);
            for row in 0..book.len() {
                let elsewhere = book.carried(row).is_some() && !(self.carried_here)(side, row);
                if state[row as usize] == OPEN
                    && (elsewhere || !filter.passes(book.kind(row), book.status(row)))
                {
                    state[row as usize] = EXCLUDED;
                }
            }
        }
        drafts
    }

    /// Groups the open rows by the rule's key and lets the pass decide on each key.
    fn run_rule(
        &self,
        index: u8,
        rule: &MatchRule,
        state: &[Vec<u8>; 2],
    ) -> Result<Found, ReconError> {
        let threads = self.threads.clamp(1, BUCKETS);
        let chunk = |len: u32, part: usize| {
            let at = |part: usize| (u64::from(len) * part as u64 / threads as u64) as u32;
            at(part)..at(part + 1)
        };
        let place = |worker: usize| {
            let mut placed = Placed {
                arena: String::new(),
                buckets: vec![Vec::new(); BUCKETS],
            };
            for side in [Side::Left, Side::Right] {
                let book = self.book(side);
                let filter = if side == Side::Left {
                    &rule.left_where
                } else {
                    &rule.right_where
                };
                for row in chunk(book.len(), worker) {
                    let open = state[side as usize][row as usize] == OPEN
                        && filter.passes(book.kind(row), book.status(row));
                    if open {
                        placed.push(rule, side, book, row);
                    }
                }
            }
            placed
        };
        let placed: Vec<Placed> = in_parallel(threads, place);
        let turn = self.turn(index, rule, &placed);
        // keys are spread evenly by their hash, so a fixed share of the buckets is an even share of the work
        let work = |worker: usize| {
            let mut done: Vec<(usize, Result<Found, ReconError>)> = Vec::new();
            for bucket in (worker..BUCKETS).step_by(threads) {
                let rows: usize = placed
                    .iter()
                    .map(|placed| placed.buckets[bucket].len())
                    .sum();
                if let Some(counter) = self.worked.get(worker) {
                    counter.fetch_add(rows, Ordering::Relaxed);
                }
                done.push((bucket, self.run_bucket(turn, &placed, bucket)));
            }
            done
        };
        let mut done: Vec<_> = in_parallel(threads, work).into_iter().flatten().collect();
        done.sort_unstable_by_key(|(bucket, _)| *bucket);
        let mut all = Found::default();
        for (_, result) in done {
            let found = result?;
            all.drafts.extend(found.drafts);
            all.undecided.extend(found.undecided);
        }
        if rule.pass == PassKind::NearKey {
            self.doubt_common_slips(turn, state, &mut all.drafts);
        }
        if rule.pass == PassKind::NetBatch {
            self.doubt_moved_cutoff(rule, state, &mut all.drafts);
        }
        if rule.pass == PassKind::NetBatch || rule.pass.is_search() {
            self.doubt_leftovers(rule, state, &mut all.drafts);
        }
        Ok(all)
    }

    /// What a search only suggests for one line of a key is no evidence that the rest of the key is another line's: if the
    /// lines of a key tie with its rows as a whole, any set for the one leaves a set for the other.
    fn doubt_leftovers(&self, rule: &MatchRule, state: &[Vec<u8>; 2], drafts: &mut [Draft]) {
        let single = self.single(rule);
        let book = self.book(single);
        let key = |row: u32| {
            let mut text = String::new();
            push_key(rule, single, book, row, &mut text).then_some(text)
        };
        let suggested =
            (0..book.len()).filter(|&row| state[single as usize][row as usize] == BY_SEARCH);
        let suggested: HashSet<String> = suggested.filter_map(key).collect();
        if suggested.is_empty() {
            return;
        }
        for draft in drafts {
            let line = match single {
                Side::Left => draft.left.first(),
                Side::Right => draft.right.first(),
            };
            let key = line.and_then(|&line| key(line));
            if key.is_some_and(|key| suggested.contains(&key)) {
                doubt(draft);
            }
        }
    }

    /// The rule with the steps that each line may take, so that all lines together come to an end.
    fn turn<'r>(&self, index: u8, rule: &'r MatchRule, placed: &[Placed]) -> Turn<'r> {
        let single = self.single(rule);
        let keys = placed
            .iter()
            .flat_map(|placed| placed.buckets.iter().flatten());
        let lines = if rule.pass.is_search() {
            keys.filter(|key| key.side == single).count() as u64
        } else {
            0
        };
        Turn {
            index,
            rule,
            nodes: rule
                .bounds
                .nodes
                .min(Bounds::NODES_OF_A_RULE / lines.max(1)),
        }
    }

    fn run_bucket(
        &self,
        turn: Turn<'_>,
        placed: &[Placed],
        bucket: usize,
    ) -> Result<Found, ReconError> {
        let text = |part: usize, key: &KeyAt| {
            &placed[part].arena.as_bytes()
                [key.start as usize..key.start as usize + key.len as usize]
        };
        let mut keys: Vec<(usize, KeyAt)> = Vec::new();
        for (part, placed) in placed.iter().enumerate() {
            keys.extend(placed.buckets[bucket].iter().map(|key| (part, *key)));
        }
        keys.sort_unstable_by(|(a_part, a), (b_part, b)| {
            a.hash
                .cmp(&b.hash)
                .then_with(|| text(*a_part, a).cmp(text(*b_part, b)))
                .then_with(|| (a.side as u8, a.row).cmp(&(b.side as u8, b.row)))
        });
        let same = |(a_part, a): &(usize, KeyAt), (b_part, b): &(usize, KeyAt)| {
            a.hash == b.hash && text(*a_part, a) == text(*b_part, b)
        };
        let mut found = Found::default();
        let mut rows: Vec<u32> = Vec::new();
        for run in keys.chunk_by(same) {
            rows.clear();
            rows.extend(run.iter().map(|(_, key)| key.row));
            let lefts = run
                .iter()
                .take_while(|(_, key)| key.side == Side::Left)
                .count();
            let (left, right) = rows.split_at(lefts);
            self.decide(turn, Keyed { left, right }, &mut found)?;
        }
        for draft in &mut found.drafts {
            self.name(draft);
        }
        Ok(found)
    }

    /// A group that stays open as a whole: its difference is unexplained.
    pub(crate) fn open_group(
        &self,
        turn: Turn<'_>,
        outcome: Outcome,
        code: BreakCode,
        left: &[u32],
        right: &[u32],
    ) -> Result<Draft, ReconError> {
        let mut draft = self.draft(
            outcome,
            Some(code),
            Some(turn.index),
            left.to_vec(),
            right.to_vec(),
        );
        draft.group.difference = self.scales().difference(turn.rule, left, right);
        draft.group.causes = unexplained(draft.group.difference, &self.edge.name)?;
        Ok(draft)
    }

    /// Names a group by its edge and members.
    fn name(&self, draft: &mut Draft) {
        draft.left.sort_unstable_by_key(|&row| self.left.id(row));
        draft.right.sort_unstable_by_key(|&row| self.right.id(row));
        let mut text = String::with_capacity(64 + 24 * (draft.left.len() + draft.right.len()));
        text.push_str(&self.edge.name);
        text.push('\n');
        for (side, book, rows) in [
            (Side::Left, self.left, &draft.left),
            (Side::Right, self.right, &draft.right),
        ] {
            for &row in rows {
                use std::fmt::Write as _;
                writeln!(text, "{side} {}", book.id(row)).expect("a String takes everything");
            }
        }
        draft.group.id = first_64(&text);
    }

    /// Classifies what is open and puts everything in its order.
    fn finish(
        &self,
        state: &[Vec<u8>; 2],
        mut drafts: Vec<Draft>,
        undecided: &[HashSet<u32>; 2],
    ) -> Result<EdgeOutcomes, ReconError> {
        let mut outcomes = EdgeOutcomes::default();
        let blank = quanfu_settlement::RowOutcome {
            outcome: Outcome::Excluded,
            code: None,
            rule: None,
            group: None,
        };
        outcomes.left = vec![blank; self.left.len() as usize];
        outcomes.right = vec![blank; self.right.len() as usize];
        let mut open: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
        for side in [Side::Left, Side::Right] {
            let (book, filterless) = (self.book(side), &state[side as usize]);
            let code = one_sided_code(self.role(side), self.role(side.other()), side);
            for row in (0..book.len()).filter(|&row| filterless[row as usize] == OPEN) {
                open[side as usize].push(row);
                if due(self.rules, self.calendar, book, row).carries(self.as_of) {
                    let rows = if side == Side::Left {
                        &mut outcomes.left
                    } else {
                        &mut outcomes.right
                    };
                    rows[row as usize].outcome = Outcome::Carried;
                    rows[row as usize].code = Some(BreakCode::Cutoff);
                } else {
                    let code = if undecided[side as usize].contains(&row) {
                        BreakCode::NotDecided
                    } else if book.kind(row) == EntryKind::Refund {
                        BreakCode::RefundMislink
                    } else {
                        code
                    };
                    drafts.push(self.one_sided(side, vec![row], Outcome::Break, code));
                }
            }
        }
        for draft in drafts
            .iter()
            .filter(|draft| draft.group.code == Some(BreakCode::Reopened))
        {
            open[0].extend(&draft.left);
            open[1].extend(&draft.right);
        }
        for draft in drafts.iter_mut().filter(|draft| draft.group.id == 0) {
            self.name(draft);
        }
        drafts.sort_unstable_by_key(|draft| draft.group.id);
        for (index, mut draft) in drafts.into_iter().enumerate() {
            let state = quanfu_settlement::RowOutcome {
                outcome: draft.group.outcome,
                code: draft.group.code,
                rule: draft.group.rule,
                group: Some(index as u32), // at most one group a row
            };
            draft.group.first = outcomes.members.len() as u64;
            for &row in &draft.left {
                let slot = &mut outcomes.left[row as usize];
                assert!(slot.group.is_none(), "no row is in two groups of an edge");
                *slot = state;
            }
            for &row in &draft.right {
                let slot = &mut outcomes.right[row as usize];
                assert!(slot.group.is_none(), "no row is in two groups of an edge");
                *slot = state;
            }
            outcomes.members.extend(draft.left);
            outcomes.members.extend(draft.right);
            assert!(
                ties(&draft.group),
                "the causes of a group add up to its difference"
            );
            outcomes.groups.push(draft.group);
        }
        [outcomes.left_why, outcomes.right_why] = why_open(self, &outcomes, &open);
        Ok(outcomes)
    }
}

/// Whether a group's causes add up to its difference.
fn ties(group: &Group) -> bool {
    let causes: i128 = group
        .causes
        .iter()
        .map(|cause: &Cause| i128::from(cause.minor))
        .sum();
    group
        .difference
        .map_or(0, |difference: MoneySum| difference.minor())
        == causes
}

/// The first 64 bits of the SHA-256 of a text.
pub(crate) fn first_64(text: &str) -> u64 {
    let digest = Digest::of(DigestAlg::Sha256, text.as_bytes());
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest.bytes[..8]);
    u64::from_be_bytes(first)
}

/// The code of a row that is there on one side only.
fn one_sided_code(role: SourceRole, other: SourceRole, side: Side) -> BreakCode {
    use SourceRole::{Bank, Institution, Order};
    match (role, other) {
        (Order, Institution | Bank) => BreakCode::OnlyPlatform,
        (Institution | Bank, Order) => BreakCode::OnlyChannel,
        (Institution, Bank) => BreakCode::OnlyPspBatch,
        (Bank, Institution) => BreakCode::OnlyBank,
        (Order, Order) | (Institution, Institution) | (Bank, Bank) => {
            if side == Side::Left {
                BreakCode::OnlyPlatform
            } else {
                BreakCode::OnlyChannel
            }
        }
    }
}

#[derive(Clone, Copy)]
struct KeyAt {
    hash: u64,
    start: u64,
    len: u32,
    row: u32,
    side: Side,
}

/// Keys that one worker made, by bucket.
struct Placed {
    arena: String,
    buckets: Vec<Vec<KeyAt>>,
}

impl Placed {
    fn push(&mut self, rule: &MatchRule, side: Side, book: &Book, row: u32) {
        let start = self.arena.len();
        if push_key(rule, side, book, row, &mut self.arena) {
            let hash = hash(&self.arena.as_bytes()[start..], 0);
            let len = (self.arena.len() - start) as u32; // fields are bounded by `Limits::key_bytes`
            let bucket = (hash >> 58) as usize; // the upper six bits: 64 buckets
            self.buckets[bucket].push(KeyAt {
                hash,
                start: start as u64,
                len,
                row,
                side,
            });
        }
    }
}

/// Runs `work` for each worker number, on threads if there are several; results come in the order of the numbers.
pub(crate) fn in_parallel<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads == 1 {
        return vec![work(0)];
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn({
                    let work = &work;
                    move || work(worker)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}
