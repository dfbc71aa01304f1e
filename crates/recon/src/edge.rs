//! One edge: rows that are left out, the rules one by one, and what is still open after them.
//!
//! A rule's rows are placed in a fixed number of buckets by a hash of their key; each bucket is a task of its own,
//! sorted by key, so that the result does not depend on which thread did it or in which order rows came.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_money::MoneySum;
use quanfu_settlement::outcome::EdgeOutcomes;
use quanfu_settlement::rules::{Decide, EdgeRules, MatchRule, SourceRole, Window};
use quanfu_settlement::{
    Book, BreakCode, Cause, Digest, DigestAlg, EntryKind, Group, Outcome, PassKind, Rules, Side,
};

use crate::carry::{Due, due};
use crate::compare::{Compared, Scales, figure, unexplained};
use crate::duplicate::SourceFacts;
use crate::error::ReconError;
use crate::kernel::hash;
use crate::key::push_key;
use crate::nearest::why_open;

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
    pub as_of: Date,
    pub threads: usize,
    /// For each item carried in: whether it was carried on this edge.
    pub carried_here: &'a (dyn Fn(Side, u32) -> bool + Sync),
    /// Rows that each worker took, added up over all rules.
    pub worked: &'a [AtomicUsize],
    /// Called before each rule; `Break` stops.
    pub tick: &'a (dyn Fn() -> ControlFlow<()> + Sync),
}

/// A group in the making; members stand in a list of their own.
struct Draft {
    group: Group,
    left: Vec<u32>,
    right: Vec<u32>,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const EXCLUDED: u8 = 2;

/// The rows of one key.
struct Keyed<'k> {
    left: &'k [u32],
    right: &'k [u32],
}

impl<'a> EdgeJob<'a> {
    fn book(&self, side: Side) -> &'a Book {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    fn facts(&self, side: Side) -> &'a SourceFacts {
        match side {
            Side::Left => self.left_facts,
            Side::Right => self.right_facts,
        }
    }

    fn role(&self, side: Side) -> SourceRole {
        self.rules.sources[if side == Side::Left {
            self.edge.left
        } else {
            self.edge.right
        }]
        .role
    }

    fn scales(&self) -> Scales<'a> {
        Scales {
            edge: &self.edge.name,
            left: self.left,
            right: self.right,
            left_role: self.role(Side::Left),
            right_role: self.role(Side::Right),
            calendar: self.calendar,
        }
    }

    /// Judges the edge.
    pub(crate) fn judge(&self) -> Result<EdgeOutcomes, ReconError> {
        let mut state = [
            vec![OPEN; self.left.len() as usize],
            vec![OPEN; self.right.len() as usize],
        ];
        let mut drafts = self.before_rules(&mut state);
        for (index, rule) in self.edge.rules.iter().enumerate() {
            if (self.tick)().is_break() {
                return Err(ReconError::Cancelled);
            }
            let index = index as u8; // an edge has at most 200 rules
            for draft in self.run_rule(index, rule, &state)? {
                for &row in &draft.left {
                    state[0][row as usize] = CLOSED;
                }
                for &row in &draft.right {
                    state[1][row as usize] = CLOSED;
                }
                drafts.push(draft);
            }
        }
        self.finish(&state, drafts)
    }

    fn draft(
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
        };
        Draft { group, left, right }
    }

    fn one_sided(&self, side: Side, rows: Vec<u32>, outcome: Outcome, code: BreakCode) -> Draft {
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
    ) -> Result<Vec<Draft>, ReconError> {
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
        // keys are spread evenly by their hash, so a fixed share of the buckets is an even share of the work
        let work = |worker: usize| {
            let mut done: Vec<(usize, Result<Vec<Draft>, ReconError>)> = Vec::new();
            for bucket in (worker..BUCKETS).step_by(threads) {
                let rows: usize = placed
                    .iter()
                    .map(|placed| placed.buckets[bucket].len())
                    .sum();
                if let Some(counter) = self.worked.get(worker) {
                    counter.fetch_add(rows, Ordering::Relaxed);
                }
                done.push((bucket, self.run_bucket(index, rule, &placed, bucket)));
            }
            done
        };
        let mut done: Vec<_> = in_parallel(threads, work).into_iter().flatten().collect();
        done.sort_unstable_by_key(|(bucket, _)| *bucket);
        let mut drafts = Vec::new();
        for (_, result) in done {
            drafts.extend(result?);
        }
        Ok(drafts)
    }

    fn run_bucket(
        &self,
        index: u8,
        rule: &MatchRule,
        placed: &[Placed],
        bucket: usize,
    ) -> Result<Vec<Draft>, ReconError> {
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
        let mut drafts = Vec::new();
        let mut rows: Vec<u32> = Vec::new();
        for run in keys.chunk_by(same) {
            rows.clear();
            rows.extend(run.iter().map(|(_, key)| key.row));
            let lefts = run
                .iter()
                .take_while(|(_, key)| key.side == Side::Left)
                .count();
            let (left, right) = rows.split_at(lefts);
            self.decide(index, rule, Keyed { left, right }, &mut drafts)?;
        }
        for draft in &mut drafts {
            self.name(draft);
        }
        Ok(drafts)
    }

    fn decide(
        &self,
        index: u8,
        rule: &MatchRule,
        keyed: Keyed<'_>,
        out: &mut Vec<Draft>,
    ) -> Result<(), ReconError> {
        match rule.pass {
            PassKind::UniqueKey => self.unique_key(index, rule, keyed, out),
            PassKind::NetBatch => self.net_batch(index, rule, keyed, out),
            PassKind::ExactToken => self.exact_token(index, rule, keyed, out),
        }
    }

    /// One and one: compared. More: a double payment if the file proves that all moved money, or else ambiguous.
    fn unique_key(
        &self,
        index: u8,
        rule: &MatchRule,
        keyed: Keyed<'_>,
        out: &mut Vec<Draft>,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        match (left, right) {
            ([_], []) | ([], [_]) => Ok(()),
            ([l], [r]) => {
                out.push(self.pair(index, rule, *l, *r)?);
                Ok(())
            }
            _ => {
                let proven = |rows: &[u32], side| {
                    rows.len() < 2
                        || rows
                            .iter()
                            .all(|row| self.facts(side).paid_twice.contains(row))
                };
                let (outcome, code) = if proven(left, Side::Left) && proven(right, Side::Right) {
                    (Outcome::Break, BreakCode::DuplicatePayment)
                } else {
                    (Outcome::Ambiguous, BreakCode::AmbiguousKey)
                };
                out.push(self.open_group(index, rule, outcome, code, left, right)?);
                Ok(())
            }
        }
    }

    /// A group that stays open as a whole: its difference is unexplained.
    fn open_group(
        &self,
        index: u8,
        rule: &MatchRule,
        outcome: Outcome,
        code: BreakCode,
        left: &[u32],
        right: &[u32],
    ) -> Result<Draft, ReconError> {
        let mut draft = self.draft(
            outcome,
            Some(code),
            Some(index),
            left.to_vec(),
            right.to_vec(),
        );
        draft.group.difference = self.scales().difference(rule, left, right);
        draft.group.causes = unexplained(draft.group.difference, &self.edge.name)?;
        Ok(draft)
    }

    fn pair(
        &self,
        index: u8,
        rule: &MatchRule,
        left: u32,
        right: u32,
    ) -> Result<Draft, ReconError> {
        if rule.same_status && self.left.status(left) != self.right.status(right) {
            return self.open_group(
                index,
                rule,
                Outcome::Break,
                BreakCode::StatusMismatch,
                &[left],
                &[right],
            );
        }
        let scales = self.scales();
        let compared = scales.pair(rule, left, right)?;
        let in_window = scales.in_window(rule.window, left, right);
        Ok(self.judged(index, rule, compared, in_window, vec![left], vec![right]))
    }

    /// Turns a comparison into a group.
    fn judged(
        &self,
        index: u8,
        rule: &MatchRule,
        compared: Compared,
        in_window: bool,
        left: Vec<u32>,
        right: Vec<u32>,
    ) -> Draft {
        let (outcome, code) = match compared.code {
            Some(code) => (Outcome::Break, Some(code)),
            None if !in_window => (Outcome::Suggested, Some(BreakCode::DateOutsideWindow)),
            None if rule.decide == Decide::Suggest => {
                (Outcome::Suggested, Some(BreakCode::RuleSuggests))
            }
            None => (Outcome::Confirmed, None),
        };
        let mut draft = self.draft(outcome, code, Some(index), left, right);
        draft.group.difference = compared.difference;
        draft.group.causes = compared.causes;
        draft
    }

    /// One bank line for all rows of the key.
    fn net_batch(
        &self,
        index: u8,
        rule: &MatchRule,
        keyed: Keyed<'_>,
        out: &mut Vec<Draft>,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        let many_is_left = self.role(Side::Left) != SourceRole::Bank;
        let (one, many) = if many_is_left {
            (right, left)
        } else {
            (left, right)
        };
        if one.len() > 1 {
            out.push(self.open_group(
                index,
                rule,
                Outcome::Ambiguous,
                BreakCode::AmbiguousKey,
                left,
                right,
            )?);
            return Ok(());
        }
        if one.is_empty() || many.is_empty() {
            return Ok(());
        }
        let scales = self.scales();
        let mut compared = scales.batch(rule, left, right, many_is_left)?;
        let damaged = |side: Side, rows: &[u32]| {
            let (book, facts) = (self.book(side), self.facts(side));
            rows.iter().any(|&row| {
                book.statement_of(row)
                    .is_some_and(|statement| facts.damaged.contains(&statement))
            })
        };
        if compared.difference.is_some()
            && (damaged(Side::Left, left) || damaged(Side::Right, right))
        {
            compared.code = Some(BreakCode::FileError);
        }
        let in_window = left
            .iter()
            .all(|&l| right.iter().all(|&r| scales.in_window(rule.window, l, r)));
        out.push(self.judged(
            index,
            rule,
            compared,
            in_window,
            left.to_vec(),
            right.to_vec(),
        ));
        Ok(())
    }

    /// No key, but a token: same figure, days within the window, unique both ways.
    fn exact_token(
        &self,
        index: u8,
        rule: &MatchRule,
        keyed: Keyed<'_>,
        out: &mut Vec<Draft>,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        if left.is_empty() || right.is_empty() {
            return Ok(());
        }
        let scales = self.scales();
        let window = Some(rule.window.unwrap_or(Window {
            from: 0,
            until: 0,
            business_days: false,
        }));
        let mut by_figure: BTreeMap<_, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for &row in left {
            by_figure
                .entry(figure(self.left, row, rule.left_amount, rule.rounding))
                .or_default()
                .0
                .push(row);
        }
        for &row in right {
            by_figure
                .entry(figure(self.right, row, rule.right_amount, rule.rounding))
                .or_default()
                .1
                .push(row);
        }
        for (lefts, rights) in by_figure
            .into_values()
            .filter(|(l, r)| !l.is_empty() && !r.is_empty())
        {
            for (lefts, rights) in self.token_components(&scales, window, &lefts, &rights) {
                if let ([l], [r]) = (&lefts[..], &rights[..]) {
                    let difference = scales.difference(rule, &[*l], &[*r]);
                    let compared = Compared {
                        difference,
                        ..Compared::default()
                    };
                    out.push(self.judged(index, rule, compared, true, lefts, rights));
                } else {
                    out.push(self.open_group(
                        index,
                        rule,
                        Outcome::Ambiguous,
                        BreakCode::AmbiguousToken,
                        &lefts,
                        &rights,
                    )?);
                }
            }
        }
        Ok(())
    }

    /// Rows of one figure that hang together: each fits one of the other side, by day and by what their keys say.
    ///
    /// Rows of one day with the same keys fit the same rows, so classes of them are compared, and a class with a key
    /// only with those that have the same one or none: equal amounts by the thousand cost no more than unequal ones.
    fn token_components(
        &self,
        scales: &Scales<'_>,
        window: Option<Window>,
        left: &[u32],
        right: &[u32],
    ) -> Vec<(Vec<u32>, Vec<u32>)> {
        let left = self.classes(Side::Left, left);
        let right = self.classes(Side::Right, right);
        let first_key = |class: &TokenClass| class.keys.first().cloned().flatten();
        let (mut without, mut with): (Vec<usize>, HashMap<String, Vec<usize>>) = Default::default();
        for (index, class) in right.iter().enumerate() {
            match first_key(class) {
                None => without.push(index),
                Some(key) => with.entry(key).or_default().push(index),
            }
        }
        let all: Vec<usize> = (0..right.len()).collect();
        let mut graph = Graph::new(left.len() + right.len());
        for (l, class) in left.iter().enumerate() {
            let candidates = match first_key(class) {
                None => [&all[..], &[]],
                Some(key) => [&without[..], with.get(&key).map_or(&[], Vec::as_slice)],
            };
            for &r in candidates.into_iter().flatten() {
                let other = &right[r];
                let mut keys = class.keys.iter().zip(&other.keys);
                let contradict = keys.any(|(a, b)| a.is_some() && b.is_some() && a != b);
                if !contradict && scales.in_window(window, class.rows[0], other.rows[0]) {
                    graph.join(l, left.len() + r);
                }
            }
        }
        let components = graph.components().into_iter().map(|nodes| {
            let mut found = (Vec::new(), Vec::new());
            for node in nodes {
                match left.get(node) {
                    Some(class) => found.0.extend(&class.rows),
                    None => found.1.extend(&right[node - left.len()].rows),
                }
            }
            found.0.sort_unstable();
            found.1.sort_unstable();
            found
        });
        components.collect()
    }

    /// Rows by their day and their keys under the unique-key rules of the edge.
    fn classes(&self, side: Side, rows: &[u32]) -> Vec<TokenClass> {
        let book = self.book(side);
        let rules = || {
            self.edge
                .rules
                .iter()
                .filter(|rule| rule.pass == PassKind::UniqueKey)
        };
        let mut classes: BTreeMap<(i32, Vec<Option<String>>), Vec<u32>> = BTreeMap::new();
        for &row in rows {
            let key = |rule: &MatchRule| {
                let mut text = String::new();
                push_key(rule, side, book, row, &mut text).then_some(text)
            };
            let keys = rules().map(key).collect();
            let day = book.accounting_days()[row as usize];
            classes.entry((day, keys)).or_default().push(row);
        }
        let classes = classes.into_iter();
        classes
            .map(|((_, keys), rows)| TokenClass { keys, rows })
            .collect()
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
                let carried = match due(self.rules, self.calendar, book, row) {
                    Due::On(day) => self.as_of <= day,
                    Due::NotDeterminable => true,
                    Due::None => false,
                };
                if carried {
                    let rows = if side == Side::Left {
                        &mut outcomes.left
                    } else {
                        &mut outcomes.right
                    };
                    rows[row as usize].outcome = Outcome::Carried;
                    rows[row as usize].code = Some(BreakCode::Cutoff);
                } else {
                    let code = if book.kind(row) == EntryKind::Refund {
                        BreakCode::RefundMislink
                    } else {
                        code
                    };
                    drafts.push(self.one_sided(side, vec![row], Outcome::Break, code));
                }
            }
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
fn in_parallel<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
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

/// Rows of one side that fit the same rows of the other side.
struct TokenClass {
    /// The key under each unique-key rule, where there is one.
    keys: Vec<Option<String>>,
    /// The rows, one at least.
    rows: Vec<u32>,
}

/// What hangs together.
struct Graph {
    parent: Vec<usize>,
    joined: Vec<bool>,
}

impl Graph {
    fn new(nodes: usize) -> Self {
        Self {
            parent: (0..nodes).collect(),
            joined: vec![false; nodes],
        }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        self.joined[a] = true;
        self.joined[b] = true;
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    /// The components of more than one node, by their lowest node.
    fn components(mut self) -> Vec<Vec<usize>> {
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for node in 0..self.parent.len() {
            if self.joined[node] {
                let root = self.root(node);
                found.entry(root).or_default().push(node);
            }
        }
        found.into_values().collect()
    }
}
