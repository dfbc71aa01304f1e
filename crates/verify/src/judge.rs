//! The outcomes derived a second time, plainly: maps and lists, no speed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use quanfu_calendar::{BusinessCalendar, Date, Datelike as _};
use quanfu_money::{Currency, Rounding};
use quanfu_settlement::outcome::Search;
use quanfu_settlement::rules::{
    AmountOf, Bounds, Decide, EdgeRules, Explain, Field, MatchRule, On, RoundingPer, SourceRole,
    Window,
};
use quanfu_settlement::{
    BreakCode, DecisionLog, Digest, DigestAlg, EntryKind, EntryStatus, Measure, Outcome, PassKind,
    ProofKind, RecordId, RefRole, ResultDoc, Rules, Side, Verdict,
};

use crate::Fault;
use crate::decide::{Decided, decided};
use crate::exchange::{self, Rates, Sides};
use crate::key::{field, key, passes};
use crate::passes::SAME_DAY;
use crate::rows::{Row, Source, handed_on};

const GRAIN: i128 = 1_000_000;

/// Rows of both sides by key.
pub(crate) type Keys = BTreeMap<Vec<String>, (Vec<usize>, Vec<usize>)>;

/// A cause of a difference, right minus left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub name: String,
    pub minor: i128,
    pub currency: Currency,
    pub note: Option<String>,
}

/// Rows that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub outcome: Outcome,
    pub code: Option<BreakCode>,
    pub rule: Option<usize>,
    pub left: Vec<usize>,
    pub right: Vec<usize>,
    pub difference: Option<(i128, Currency)>,
    pub causes: Vec<Cause>,
    /// How it was searched for.
    pub search: Option<Search>,
    /// For a line that several sets fit: what such a set is.
    pub fit: Option<Fit>,
    /// Sums of the compared figures of both sides, where `difference` is known and they have one currency.
    pub figures: Option<(i128, i128)>,
    pub id: u64,
}

impl Group {
    /// Rows that agree, before their figures are looked at.
    pub(crate) fn of(rule: Option<usize>, left: Vec<usize>, right: Vec<usize>) -> Self {
        Self {
            outcome: Outcome::Confirmed,
            code: None,
            rule,
            left,
            right,
            difference: None,
            causes: Vec::new(),
            search: None,
            fit: None,
            figures: None,
            id: 0,
        }
    }

    /// Whether its sides have two currencies and a rate.
    pub(crate) fn is_exchange(&self) -> bool {
        self.causes.iter().any(|cause| cause.name == "fx")
    }
}

/// What a set of rows must be to tie with a line.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    /// Sums that tie, each with what it may be apart.
    pub targets: Vec<(i128, i128)>,
    /// The rows that may be in it, with what they bring; of a run in the order of time.
    pub parts: Vec<(RecordId, i128)>,
    pub is_run: bool,
    /// How many must stand there; 0: one or two.
    pub sets: usize,
}

impl Fit {
    /// Whether these records tie.
    pub(crate) fn takes(&self, records: &[RecordId]) -> bool {
        let parts: HashMap<RecordId, i128> = self.parts.iter().copied().collect();
        let distinct: HashSet<&RecordId> = records.iter().collect();
        let sum: Option<i128> = records.iter().map(|id| parts.get(id)).sum();
        let ties = sum.is_some_and(|sum| {
            let mut targets = self.targets.iter();
            targets.any(|(target, allowed)| (sum - target).abs() <= *allowed)
        });
        let places: Vec<usize> = (0..self.parts.len())
            .filter(|&at| distinct.contains(&self.parts[at].0))
            .collect();
        let follow = places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        ties && distinct.len() == records.len() && (follow || !self.is_run)
    }
}

/// What came of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub outcome: Outcome,
    pub code: Option<BreakCode>,
    pub rule: Option<usize>,
    pub group: Option<usize>,
}

/// Until when an open row may be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// No carry, or no day to count from.
    None,
    /// That day.
    On(Date),
    /// The calendar ends before.
    NotDeterminable,
}

/// An edge judged.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub left: Vec<State>,
    pub right: Vec<State>,
    pub groups: Vec<Group>,
    /// The decision of each row that one is about.
    pub decided: BTreeMap<(Side, usize), Digest>,
    /// How many decisions had an effect.
    pub applied: u64,
}

impl Edge {
    pub(crate) fn side(&self, side: Side) -> &[State] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// Judges all edges.
pub(crate) fn judge(
    rules: &Rules,
    sources: &[Source],
    calendar: &BusinessCalendar,
    rates: Option<&Rates<'_>>,
    as_of: Date,
    previous: Option<&ResultDoc>,
    log: Option<&DecisionLog>,
) -> Result<Vec<Edge>, Fault> {
    let facts: Vec<SourceFacts> = (0..sources.len())
        .map(|index| source_facts(rules, index, &sources[index]))
        .collect();
    rules
        .edges
        .iter()
        .map(|edge| {
            let mut bench = Bench {
                rules,
                edge,
                left: &sources[edge.left],
                right: &sources[edge.right],
                facts: [&facts[edge.left], &facts[edge.right]],
                calendar,
                as_of,
                rates,
                state: [
                    vec![None; sources[edge.left].rows.len()],
                    vec![None; sources[edge.right].rows.len()],
                ],
                groups: Vec::new(),
                undecided: HashSet::new(),
                leftovers: HashSet::new(),
            };
            bench.exclude(previous);
            let by_people = match log {
                Some(log) => {
                    let is_open =
                        |side: Side, row: usize| bench.state[side as usize][row].is_none();
                    decided(log, edge, bench.left, bench.right, is_open)?
                }
                None => Decided::default(),
            };
            for group in by_people.groups {
                bench.close(group);
            }
            for (index, rule) in edge.rules.iter().enumerate() {
                bench.leftovers = bench.leftovers(rule);
                match rule.pass {
                    PassKind::UniqueKey => bench.unique_key(index, rule),
                    PassKind::NetBatch => bench.net_batch(index, rule),
                    PassKind::ExactToken => bench.exact_token(index, rule),
                    PassKind::KeyGroup => bench.key_group(index, rule),
                    PassKind::RunBatch => bench.run_batch(index, rule),
                    PassKind::NearKey => {
                        if let Some(near) = &rule.near {
                            bench.near_key(index, rule, near);
                        }
                    }
                    PassKind::Assignment => bench.assignment(index, rule),
                    PassKind::Subset => bench.subset(index, rule),
                }
            }
            bench.classify();
            let mut done = bench.finish();
            (done.decided, done.applied) = (by_people.by, by_people.applied);
            Ok(done)
        })
        .collect()
}

/// What duplicates and reversals of a source are, whatever the edge.
#[derive(Debug, Default)]
pub(crate) struct SourceFacts {
    /// Rows that are second copies of a record, with the sets they form.
    duplicates: Vec<Vec<usize>>,
    /// Rows of identities that moved money more than once.
    pub paid_twice: HashSet<usize>,
    /// Refunds that together are more than the payments of their order.
    over_refunded: HashSet<usize>,
    /// Pairs that undo each other.
    reversed: Vec<(usize, usize)>,
}

fn is_money_proof(kind: ProofKind) -> bool {
    matches!(
        kind,
        ProofKind::Balance
            | ProofKind::RunningBalance
            | ProofKind::ControlSum
            | ProofKind::ControlCount
    )
}

/// The identity of the rows of a source: declared, or the first key that names the source.
fn identity(rules: &Rules, index: usize, row: &Row) -> Option<Vec<String>> {
    let declared = &rules.sources[index].identity;
    if !declared.is_empty() {
        return declared.iter().map(|f| field(f, &[], row)).collect();
    }
    for edge in &rules.edges {
        for side in [Side::Left, Side::Right] {
            let (source, edge_filter) = match side {
                Side::Left => (edge.left, &edge.left_where),
                Side::Right => (edge.right, &edge.right_where),
            };
            if source != index {
                continue;
            }
            if let Some(rule) = edge.rules.iter().find(|rule| rule.pass.is_by_key()) {
                let filter = if side == Side::Left {
                    &rule.left_where
                } else {
                    &rule.right_where
                };
                let counts = passes(edge_filter, row) && passes(filter, row);
                return if counts { key(rule, side, row) } else { None };
            }
        }
    }
    None
}

fn source_facts(rules: &Rules, index: usize, source: &Source) -> SourceFacts {
    let mut facts = SourceFacts {
        reversed: reversals(source),
        ..SourceFacts::default()
    };
    let gone: HashSet<usize> = facts.reversed.iter().flat_map(|&(a, b)| [a, b]).collect();
    let mut sets: BTreeMap<(Vec<String>, Currency, i64, EntryKind), Vec<usize>> = BTreeMap::new();
    for (at, row) in source.rows.iter().enumerate() {
        if row.carried.is_none()
            && !gone.contains(&at)
            && let Some(identity) = identity(rules, index, row)
        {
            sets.entry((identity, row.currency, row.amount, row.kind))
                .or_default()
                .push(at);
        }
    }
    let sets: Vec<Vec<usize>> = sets.into_values().filter(|rows| rows.len() > 1).collect();
    let holds = |statement: usize| {
        let mut held = false;
        for proof in source
            .proofs_of(statement)
            .filter(|proof| is_money_proof(proof.kind))
        {
            match proof.verdict {
                Verdict::Holds => held = true,
                Verdict::Fails => return false,
                Verdict::Absent => {}
            }
        }
        held
    };
    // surplus copies of each statement, as if all of them were left out
    let mut surplus: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for rows in &sets {
        let statements: BTreeSet<Option<usize>> =
            rows.iter().map(|&row| source.rows[row].statement).collect();
        if let [Some(statement)] = statements.into_iter().collect::<Vec<_>>()[..] {
            surplus.entry(statement).or_default().extend(&rows[1..]);
        }
    }
    let tied: HashSet<usize> = surplus
        .iter()
        .filter(|(statement, rows)| ties_without(source, **statement, rows))
        .map(|(statement, _)| *statement)
        .collect();
    for rows in &sets {
        let statements: BTreeSet<Option<usize>> =
            rows.iter().map(|&row| source.rows[row].statement).collect();
        let statements: Option<Vec<usize>> = statements.into_iter().collect();
        let Some(statements) = statements else {
            continue;
        };
        let distinct: BTreeSet<String> = statements
            .iter()
            .map(|&statement| statement_name(source, statement))
            .collect();
        if statements.iter().all(|&statement| holds(statement))
            && distinct.len() == statements.len()
        {
            facts.paid_twice.extend(rows);
        } else if let [statement] = statements[..]
            && tied.contains(&statement)
        {
            facts.duplicates.push(rows[1..].to_vec());
        }
    }
    let mut out: HashSet<usize> = facts.reversed.iter().flat_map(|&(a, b)| [a, b]).collect();
    out.extend(facts.duplicates.iter().flatten());
    facts.over_refunded = over_refunded(source, &out);
    facts
}

/// Refunds of which an order has more than it has payments, both booked and in the same source.
fn over_refunded(source: &Source, out: &HashSet<usize>) -> HashSet<usize> {
    let counts = |at: &usize| !out.contains(at) && source.rows[*at].status == EntryStatus::Booked;
    let of = |kind: EntryKind| {
        (0..source.rows.len())
            .filter(move |&at| source.rows[at].kind == kind)
            .filter(counts)
    };
    let mut orders_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut paid: BTreeMap<(&str, Currency), i128> = BTreeMap::new();
    for at in of(EntryKind::Payment) {
        let row = &source.rows[at];
        if let Some(order) = row.reference(RefRole::Order) {
            *paid.entry((order, row.currency)).or_default() += i128::from(row.amount);
            for role in [RefRole::Institution, RefRole::Bank] {
                if let Some(number) = row.reference(role) {
                    orders_of.entry(number).or_default().insert(order);
                }
            }
        }
    }
    let mut back: BTreeMap<(&str, Currency), (i128, Vec<usize>)> = BTreeMap::new();
    for at in of(EntryKind::Refund) {
        let row = &source.rows[at];
        let original = row.reference(RefRole::Original);
        let by_number = original
            .and_then(|number| orders_of.get(number))
            .filter(|orders| orders.len() == 1)
            .and_then(|orders| orders.first().copied());
        let by_name = original.filter(|name| paid.contains_key(&(*name, row.currency)));
        if let Some(order) = by_number.or(by_name).or(row.reference(RefRole::Order)) {
            let sum = back.entry((order, row.currency)).or_default();
            sum.0 += i128::from(row.amount);
            sum.1.push(at);
        }
    }
    let mut all = HashSet::new();
    for (key, (sum, rows)) in back {
        let paid = paid.get(&key).copied().unwrap_or(0);
        if paid != 0 && sum != 0 && paid.signum() != sum.signum() && sum.abs() > paid.abs() {
            all.extend(rows);
        }
    }
    all
}

fn statement_name(source: &Source, statement: usize) -> String {
    let head = &source.statements[statement].head;
    format!(
        "{:?} {:?} {:?} {:?}",
        head.id, head.account, head.sequence, head.opening
    )
}

/// Whether every failed money proof of a statement holds exactly once these rows are left out.
fn ties_without(source: &Source, statement: usize, rows: &[usize]) -> bool {
    let mut any = false;
    for proof in source
        .proofs_of(statement)
        .filter(|proof| is_money_proof(proof.kind))
    {
        if proof.verdict != Verdict::Fails {
            continue;
        }
        any = true;
        let ties = match &proof.difference {
            Some(Measure::Count(count)) => *count == rows.len() as i128,
            Some(Measure::Money(sum)) => {
                let out: i128 = rows
                    .iter()
                    .map(|&row| &source.rows[row])
                    .filter(|row| row.currency == sum.currency())
                    .map(|row| i128::from(row.amount))
                    .sum();
                sum.minor() == out || (proof.kind == ProofKind::ControlSum && sum.minor() == -out)
            }
            _ => false,
        };
        if !ties {
            return false;
        }
    }
    any
}

/// Pairs of a source that undo each other, each unique both ways.
fn reversals(source: &Source) -> Vec<(usize, usize)> {
    let is_reversal = |row: &Row| row.is_reversal || row.kind == EntryKind::Reversal;
    let linked = |reversal: &Row, original: &Row| {
        let same = |role: RefRole| {
            reversal
                .reference(role)
                .is_some_and(|text| text != "NONREF" && original.reference(role) == Some(text))
        };
        let named = reversal.reference(RefRole::Original).is_some_and(|text| {
            [RefRole::Institution, RefRole::Bank, RefRole::Order]
                .iter()
                .any(|&role| original.reference(role) == Some(text))
        });
        named
            || [
                RefRole::Bank,
                RefRole::Institution,
                RefRole::Owner,
                RefRole::EndToEnd,
            ]
            .into_iter()
            .any(same)
    };
    let mut by_amount: HashMap<(Currency, i64), Vec<usize>> = HashMap::new();
    for (at, row) in source.rows.iter().enumerate() {
        if !is_reversal(row) {
            by_amount
                .entry((row.currency, row.amount))
                .or_default()
                .push(at);
        }
    }
    let mut pairs = Vec::new();
    let mut claimed: HashMap<usize, usize> = HashMap::new();
    for (at, row) in source
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| is_reversal(row))
    {
        let Some(opposite) = row.amount.checked_neg() else {
            continue;
        };
        let originals = by_amount
            .get(&(row.currency, opposite))
            .map_or(&[][..], Vec::as_slice);
        let fits: Vec<usize> = originals
            .iter()
            .copied()
            .filter(|&other| linked(row, &source.rows[other]))
            .collect();
        if let [one] = fits[..] {
            pairs.push((at, one));
            *claimed.entry(one).or_default() += 1;
        }
    }
    pairs.retain(|(_, original)| claimed[original] == 1);
    pairs
}

/// An edge being judged.
pub(crate) struct Bench<'a> {
    pub rules: &'a Rules,
    pub edge: &'a EdgeRules,
    pub left: &'a Source,
    pub right: &'a Source,
    pub facts: [&'a SourceFacts; 2],
    pub calendar: &'a BusinessCalendar,
    pub as_of: Date,
    rates: Option<&'a Rates<'a>>,
    state: [Vec<Option<State>>; 2],
    groups: Vec<Group>,
    /// Rows whose search ended at its bounds.
    pub undecided: HashSet<(Side, usize)>,
    /// Of the rule at work: keys of which a search suggests a line.
    leftovers: HashSet<Vec<String>>,
}

/// What came of comparing two figures.
pub(crate) struct Compared {
    pub difference: Option<(i128, Currency)>,
    pub causes: Vec<Cause>,
    /// `None` where the causes explain the difference.
    pub code: Option<BreakCode>,
}

impl<'a> Bench<'a> {
    pub(crate) fn source(&self, side: Side) -> &'a Source {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// What a group is once refunds that give back too much are looked at.
    pub(crate) fn mended(&self, group: &Group) -> Group {
        let mut group = group.clone();
        let too_much = |rows: &[usize], side: usize| {
            rows.iter()
                .any(|row| self.facts[side].over_refunded.contains(row))
        };
        let agrees = matches!(group.outcome, Outcome::Confirmed | Outcome::Suggested);
        if agrees && (too_much(&group.left, 0) || too_much(&group.right, 1)) {
            group.outcome = Outcome::Break;
            group.code = Some(BreakCode::RefundMislink);
        }
        group
    }

    pub(crate) fn close(&mut self, group: Group) {
        let group = self.mended(&group);
        let index = self.groups.len();
        let state = State {
            outcome: group.outcome,
            code: group.code,
            rule: group.rule,
            group: Some(index),
        };
        for &row in &group.left {
            self.state[0][row] = Some(state);
        }
        for &row in &group.right {
            self.state[1][row] = Some(state);
        }
        self.groups.push(group);
    }

    fn one_sided(
        &self,
        side: Side,
        rows: Vec<usize>,
        outcome: Outcome,
        code: BreakCode,
        rule: Option<usize>,
    ) -> Group {
        let (left, right) = match side {
            Side::Left => (rows, Vec::new()),
            Side::Right => (Vec::new(), rows),
        };
        Group {
            outcome,
            code: Some(code),
            rule,
            left,
            right,
            difference: None,
            causes: Vec::new(),
            search: None,
            fit: None,
            figures: None,
            id: 0,
        }
    }

    /// Stages 1 and 2: duplicates, reversed pairs, rows that the rules leave out.
    fn exclude(&mut self, previous: Option<&ResultDoc>) {
        for side in [Side::Left, Side::Right] {
            let facts = self.facts[side as usize];
            for rows in &facts.duplicates {
                let group = self.one_sided(
                    side,
                    rows.clone(),
                    Outcome::Duplicate,
                    BreakCode::DuplicateRecord,
                    None,
                );
                self.close(group);
            }
            for &(a, b) in &facts.reversed {
                let group = self.one_sided(
                    side,
                    vec![a, b],
                    Outcome::Reversed,
                    BreakCode::ReversedPair,
                    None,
                );
                self.close(group);
            }
            let filter = if side == Side::Left {
                &self.edge.left_where
            } else {
                &self.edge.right_where
            };
            let excluded = State {
                outcome: Outcome::Excluded,
                code: None,
                rule: None,
                group: None,
            };
            let handed = previous.map_or(Vec::new(), handed_on).into_iter();
            let here: BTreeSet<RecordId> = handed
                .filter(|position| position.edge == self.edge.name)
                .flat_map(|position| &position.members)
                .filter(|member| member.side == side)
                .map(|member| member.item.record)
                .collect();
            for (at, row) in self.source(side).rows.iter().enumerate() {
                let elsewhere = row.carried.is_some() && !here.contains(&row.id);
                if self.state[side as usize][at].is_none() && (elsewhere || !passes(filter, row)) {
                    self.state[side as usize][at] = Some(excluded);
                }
            }
        }
    }

    /// Open rows of a side that a rule looks at.
    fn open(&self, side: Side, rule: &MatchRule) -> Vec<usize> {
        let filter = if side == Side::Left {
            &rule.left_where
        } else {
            &rule.right_where
        };
        let rows = &self.source(side).rows;
        (0..rows.len())
            .filter(|&at| self.state[side as usize][at].is_none() && passes(filter, &rows[at]))
            .collect()
    }

    pub(crate) fn by_key(&self, rule: &MatchRule) -> Keys {
        let mut keys = Keys::new();
        for side in [Side::Left, Side::Right] {
            for at in self.open(side, rule) {
                if let Some(key) = key(rule, side, &self.source(side).rows[at]) {
                    let both = keys.entry(key).or_default();
                    if side == Side::Left {
                        both.0.push(at)
                    } else {
                        both.1.push(at)
                    }
                }
            }
        }
        keys
    }

    fn unique_key(&mut self, index: usize, rule: &MatchRule) {
        for (_, (left, right)) in self.by_key(rule) {
            match (&left[..], &right[..]) {
                ([], [_]) | ([_], []) => {}
                ([l], [r]) => {
                    let group = self.pair(index, rule, *l, *r);
                    self.close(group);
                }
                _ if self.is_left_to_group(index) => {}
                _ => {
                    let twice = |rows: &[usize], side: usize| {
                        rows.len() < 2
                            || rows
                                .iter()
                                .all(|row| self.facts[side].paid_twice.contains(row))
                    };
                    let decided = twice(&left, 0) && twice(&right, 1);
                    let (outcome, code) = if decided {
                        (Outcome::Break, BreakCode::DuplicatePayment)
                    } else {
                        (Outcome::Ambiguous, BreakCode::AmbiguousKey)
                    };
                    let group = self.many(index, rule, left, right, outcome, code);
                    self.close(group);
                }
            }
        }
    }

    /// A group that is open as a whole; its difference is unexplained.
    pub(crate) fn many(
        &self,
        index: usize,
        rule: &MatchRule,
        left: Vec<usize>,
        right: Vec<usize>,
        outcome: Outcome,
        code: BreakCode,
    ) -> Group {
        let difference = self.difference(rule, &left, &right);
        let causes = difference
            .into_iter()
            .filter(|(minor, _)| *minor != 0)
            .map(|(minor, currency)| unexplained(minor, currency))
            .collect();
        Group {
            outcome,
            code: Some(code),
            rule: Some(index),
            left,
            right,
            difference,
            causes,
            search: None,
            fit: None,
            figures: None,
            id: 0,
        }
    }

    /// Right minus left of the compared figures, if both sides are there in one currency.
    pub(crate) fn difference(
        &self,
        rule: &MatchRule,
        left: &[usize],
        right: &[usize],
    ) -> Option<(i128, Currency)> {
        if left.is_empty() || right.is_empty() {
            return None;
        }
        let mut sum = 0i128;
        let mut common = None;
        for (side, rows, sign) in [(Side::Left, left, -1), (Side::Right, right, 1)] {
            for &at in rows {
                let (minor, currency) = self.figure(rule, side, at);
                if *common.get_or_insert(currency) != currency {
                    return None;
                }
                sum += sign * minor;
            }
        }
        common.map(|currency| (sum, currency))
    }

    pub(crate) fn figure(&self, rule: &MatchRule, side: Side, at: usize) -> (i128, Currency) {
        let row = &self.source(side).rows[at];
        let which = if side == Side::Left {
            rule.left_amount
        } else {
            rule.right_amount
        };
        match which {
            AmountOf::Amount => (row.amount.into(), row.currency),
            AmountOf::Net => (
                i128::from(row.amount) - fee(row, rule.rounding),
                row.currency,
            ),
            AmountOf::Original => match row.original {
                Some(money) => (money.minor().into(), money.currency()),
                None => (row.amount.into(), row.currency),
            },
        }
    }

    /// Whether the days of two rows lie within the rule's window; without a window they always do.
    pub(crate) fn in_window(&self, window: Option<Window>, left: &Row, right: &Row) -> bool {
        let Some(window) = window else { return true };
        let (Some(l), Some(r)) = (left.day, right.day) else {
            return false;
        };
        let distance = if window.business_days {
            match self.calendar.business_days_between(l, r) {
                Ok(days) => days,
                Err(_) => return false,
            }
        } else {
            r.num_days_from_ce() - l.num_days_from_ce()
        };
        (window.from..=window.until).contains(&distance)
    }

    pub(crate) fn pair(&self, index: usize, rule: &MatchRule, l: usize, r: usize) -> Group {
        let (left, right) = (&self.left.rows[l], &self.right.rows[r]);
        let mut group = Group::of(Some(index), vec![l], vec![r]);
        if rule.same_status && left.status != right.status {
            group.difference = self.difference(rule, &[l], &[r]);
            group.causes = group
                .difference
                .into_iter()
                .filter(|d| d.0 != 0)
                .map(|(minor, currency)| unexplained(minor, currency))
                .collect();
            group.outcome = Outcome::Break;
            group.code = Some(BreakCode::StatusMismatch);
            return group;
        }
        let compared = self.compare(rule, l, r);
        group.difference = compared.difference;
        group.causes = compared.causes;
        if let Some(code) = compared.code {
            group.outcome = Outcome::Break;
            group.code = Some(code);
        } else if !self.in_window(rule.window, left, right) {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::DateOutsideWindow);
        } else if rule.decide == Decide::Suggest {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::RuleSuggests);
        }
        group
    }

    pub(crate) fn compare(&self, rule: &MatchRule, l: usize, r: usize) -> Compared {
        let (left, right) = (&self.left.rows[l], &self.right.rows[r]);
        let ((a, a_currency), (b, b_currency)) = (
            self.figure(rule, Side::Left, l),
            self.figure(rule, Side::Right, r),
        );
        if a_currency != b_currency {
            let role = |source: usize| self.rules.sources[source].role;
            let sides = Sides {
                left,
                right,
                a: (a, a_currency),
                b: (b, b_currency),
                left_is_later: role(self.edge.right) < role(self.edge.left),
            };
            return exchange::compare(rule, &sides, self.rates);
        }
        let difference = b - a;
        let done = |causes: Vec<Cause>, code| Compared {
            difference: Some((difference, a_currency)),
            causes,
            code,
        };
        if difference == 0 {
            return done(Vec::new(), None);
        }
        let mut fees = Vec::new();
        if rule.explain.contains(&Explain::Fee) {
            if left.fee.is_some() {
                fees.push(-fee(left, rule.rounding));
            }
            if right.fee.is_some() {
                fees.push(fee(right, rule.rounding));
            }
        }
        let fee_cause = |minor| Cause {
            name: "fee".into(),
            minor,
            currency: a_currency,
            note: None,
        };
        if let Some(&minor) = fees
            .iter()
            .find(|&&minor| minor == difference && minor != 0)
        {
            return done(vec![fee_cause(minor)], None);
        }
        let tolerance = |minor: i128| tolerance(rule, minor, a_currency);
        if let Some(cause) = tolerance(difference) {
            return done(vec![cause], None);
        }
        // whichever side has it, the fee that leaves the least
        fees.sort_by_key(|fee| ((difference - fee).abs(), fee.abs()));
        for minor in fees.into_iter().filter(|minor| *minor != 0) {
            if let Some(cause) = tolerance(difference - minor) {
                return done(vec![fee_cause(minor), cause], None);
            }
        }
        let code = self.more_or_less(a, b);
        let fee_differs = left.fee.is_some()
            && right.fee.is_some()
            && left.amount == right.amount
            && left.fee != right.fee;
        let code = if fee_differs {
            BreakCode::FeeDiff
        } else {
            code
        };
        done(vec![unexplained(difference, a_currency)], Some(code))
    }

    /// Whether the channel's side has more or less than the book's.
    pub(crate) fn more_or_less(&self, left: i128, right: i128) -> BreakCode {
        let role = |source: usize| self.rules.sources[source].role;
        let (book, channel) = if role(self.edge.right) < role(self.edge.left) {
            (right, left)
        } else {
            (left, right)
        };
        if channel.abs() > book.abs() {
            BreakCode::AmountChannelMore
        } else {
            BreakCode::AmountChannelLess
        }
    }

    fn net_batch(&mut self, index: usize, rule: &MatchRule) {
        let single = self.single(rule);
        let keys = self.by_key(rule);
        let mut groups = Vec::new();
        for (_, (left, right)) in keys.clone() {
            let one = in_either(single, &left, &right).to_vec();
            let many = in_either(single.other(), &left, &right).len();
            if one.is_empty() || (many == 0 && (one.len() == 1 || rule.leave_difference)) {
                continue;
            }
            let mut group = self.batch(index, rule, single, left.clone(), right.clone());
            let mut ties = group.difference.is_some()
                && group.causes.iter().all(|cause| cause.name != "unexplained");
            // whether part of the lines and part of the rows tie too; `None`: not known
            let parts = match ties {
                true => self.parts_tie(rule, single, &left, &right),
                false => Some(false),
            };
            ties &= parts != Some(true);
            if rule.leave_difference && (!ties || parts.is_none()) {
                continue;
            }
            if many == 0 || (!ties && one.len() > 1) {
                let (outcome, code) = (Outcome::Ambiguous, BreakCode::AmbiguousKey);
                group = self.many(index, rule, left, right, outcome, code);
            } else if group.outcome == Outcome::Confirmed {
                let counts: Option<BTreeSet<u64>> = one
                    .iter()
                    .map(|&line| self.counted(rule, single, line))
                    .collect();
                let miscounted =
                    counts.is_some_and(|counts| counts != BTreeSet::from([many as u64]));
                if miscounted || parts.is_none() || self.is_leftover(rule, one[0]) {
                    group.outcome = Outcome::Suggested;
                    group.code = Some(BreakCode::WeakEvidence);
                }
            }
            groups.push(group);
        }
        self.doubt_moved_cutoff(rule, keys, &mut groups);
        for group in groups {
            self.close(group);
        }
    }

    /// A batch is no evidence beside a day whose line does not tie, if rows of that day could well stand for some of its own.
    fn doubt_moved_cutoff(&self, rule: &MatchRule, keys: Keys, groups: &mut [Group]) {
        let days = [Field::AccountingDay, Field::ValueDate];
        let is_day = |on: &On| days.contains(&on.left) && days.contains(&on.right);
        let Some(at) = rule.on.iter().position(is_day) else {
            return;
        };
        let single = self.single(rule);
        let parts = |rows: &[usize]| -> Vec<(i128, Currency)> {
            let rows = rows.iter();
            rows.map(|&row| self.part(rule, single.other(), row))
                .collect()
        };
        // of a million pairs, so many are equal
        let alike = |one: &[(i128, Currency)], other: &[(i128, Currency)]| {
            let mut count: HashMap<(i128, Currency), u128> = HashMap::new();
            other
                .iter()
                .for_each(|part| *count.entry(*part).or_default() += 1);
            let equal = one.iter().filter_map(|part| count.get(part)).sum::<u128>();
            equal * 1_000_000 / (one.len() * other.len()) as u128
        };
        let most = u128::from(Bounds::EQUAL_MILLIONTHS);
        // for all keys but for their day: each day with lines and rows, whether its lines tie, and what its rows bring
        let tied: BTreeSet<usize> = groups
            .iter()
            .filter(|group| group.outcome != Outcome::Break && group.outcome != Outcome::Ambiguous)
            .flat_map(|group| in_either(single, &group.left, &group.right).to_vec())
            .collect();
        let mut beside: BTreeMap<Vec<String>, BTreeMap<String, _>> = BTreeMap::new();
        let mut day_of: BTreeMap<usize, (Vec<String>, String)> = BTreeMap::new();
        for (mut key, (left, right)) in keys {
            let lines = in_either(single, &left, &right);
            let rows = in_either(single.other(), &left, &right);
            let day = key.remove(at);
            for &line in lines {
                day_of.insert(line, (key.clone(), day.clone()));
            }
            if !lines.is_empty() && !rows.is_empty() {
                let ties = lines.iter().all(|line| tied.contains(line));
                beside
                    .entry(key)
                    .or_default()
                    .insert(day, (ties, parts(rows)));
            }
        }
        for group in groups
            .iter_mut()
            .filter(|group| group.outcome == Outcome::Confirmed)
        {
            let (key, day) = &day_of[&in_either(single, &group.left, &group.right)[0]];
            let own = parts(in_either(single.other(), &group.left, &group.right));
            let days: Vec<_> = beside[key].iter().collect();
            let at = days.partition_point(|(other, _)| *other < day);
            let around = [at.checked_sub(1), Some(at + 1)];
            let mut around = around.into_iter().flatten().filter_map(|at| days.get(at));
            if around.any(|(_, (ties, parts))| !ties && alike(&own, parts) > most) {
                group.outcome = Outcome::Suggested;
                group.code = Some(BreakCode::WeakEvidence);
            }
        }
    }

    /// Keys of lines that an earlier search only suggests something for: what is left of such a key is no evidence.
    fn leftovers(&self, rule: &MatchRule) -> HashSet<Vec<String>> {
        let single = self.single(rule);
        let rows = &self.source(single).rows;
        let states = self.state[single as usize].iter().zip(rows);
        let suggested = states.filter(|(state, _)| {
            state.is_some_and(|state| {
                let by = state.rule.map(|by| self.edge.rules[by].pass);
                state.outcome == Outcome::Suggested && by.is_some_and(PassKind::is_search)
            })
        });
        let keys = suggested.filter_map(|(_, row)| key(rule, single, row));
        keys.collect()
    }

    /// Whether a rule by key confirmed a row.
    pub(crate) fn is_confirmed_by_key(&self, side: Side, at: usize) -> bool {
        self.state[side as usize][at].is_some_and(|state| {
            let by = state.rule.map(|by| self.edge.rules[by].pass);
            state.outcome == Outcome::Confirmed && by.is_some_and(PassKind::is_by_key)
        })
    }

    pub(crate) fn is_leftover(&self, rule: &MatchRule, line: usize) -> bool {
        let single = self.single(rule);
        let key = key(rule, single, &self.source(single).rows[line]);
        key.is_some_and(|key| self.leftovers.contains(&key))
    }

    /// Whether several lines could be batches of their own: a count says so, or some of them tie with some of the rows.
    fn parts_tie(
        &self,
        rule: &MatchRule,
        single: Side,
        left: &[usize],
        right: &[usize],
    ) -> Option<bool> {
        let (lines, rows) = (
            in_either(single, left, right),
            in_either(single.other(), left, right),
        );
        if lines.len() == 1 || rows.len() == 1 {
            return Some(false);
        }
        let told = lines.iter().map(|&line| self.counted(rule, single, line));
        if let Some(told) = told.collect::<Option<BTreeSet<u64>>>() {
            return Some(told != BTreeSet::from([rows.len() as u64]));
        }
        if lines.len() > Bounds::ROWS_APART || rows.len() > Bounds::ROWS_APART {
            return None;
        }
        let currency = self.figure(rule, single, lines[0]).1;
        let allowed = i128::from(self.tolerance_of(rule, currency));
        let mut sums = BTreeSet::new();
        for set in 1..(1u32 << rows.len()) - 1 {
            let (mut sum, mut grains) = (0, 0);
            for at in (0..rows.len()).filter(|at| set >> at & 1 == 1) {
                sum += self.figure(rule, single.other(), rows[at]).0;
                if rule.explain.contains(&Explain::Fee) {
                    let row = &self.source(single.other()).rows[rows[at]];
                    match rule.rounding_per {
                        RoundingPer::Row => sum -= fee(row, rule.rounding),
                        RoundingPer::Batch => grains += row.fee.unwrap_or(0),
                    }
                }
            }
            sums.insert(sum - round(grains, rule.rounding));
        }
        let figures: Vec<i128> = lines
            .iter()
            .map(|&line| self.figure(rule, single, line).0)
            .collect();
        let mut sets = 1..(1u32 << lines.len()) - 1;
        Some(sets.any(|set| {
            let chosen = (0..lines.len()).filter(|at| set >> at & 1 == 1);
            let target: i128 = chosen.map(|at| figures[at]).sum();
            sums.range(target - allowed..=target + allowed)
                .next()
                .is_some()
        }))
    }

    fn batch(
        &self,
        index: usize,
        rule: &MatchRule,
        single: Side,
        left: Vec<usize>,
        right: Vec<usize>,
    ) -> Group {
        let all = |side: Side| -> &[usize] { if side == Side::Left { &left } else { &right } };
        let mut group = Group {
            outcome: Outcome::Break,
            difference: self.difference(rule, &left, &right),
            ..Group::of(Some(index), left.clone(), right.clone())
        };
        let Some((difference, currency)) = group.difference else {
            group.code = Some(BreakCode::CurrencyMismatch);
            return group;
        };
        let mut rest = difference;
        if rule.explain.contains(&Explain::Fee) {
            let many = single.other();
            let rows = all(many).iter().map(|&at| &self.source(many).rows[at]);
            let total = match rule.rounding_per {
                RoundingPer::Row => rows.map(|row| fee(row, rule.rounding)).sum(),
                RoundingPer::Batch => round(rows.filter_map(|row| row.fee).sum(), rule.rounding),
            };
            let minor: i128 = if many == Side::Left { -total } else { total };
            if minor != 0 {
                group.causes.push(Cause {
                    name: "fee".into(),
                    minor,
                    currency,
                    note: None,
                });
                rest -= minor;
            }
        }
        if rest != 0 {
            match tolerance(rule, rest, currency) {
                Some(cause) => {
                    group.causes.push(cause);
                    rest = 0;
                }
                None => group.causes.push(unexplained(rest, currency)),
            }
        }
        let damaged = [Side::Left, Side::Right].into_iter().any(|side| {
            let source = self.source(side);
            all(side)
                .iter()
                .any(|&at| source.control_fails(&source.rows[at]))
        });
        let in_window = self.all_within(rule, &left, &right);
        if damaged {
            group.code = Some(BreakCode::FileError);
        } else if rest != 0 {
            group.code = Some(BreakCode::BatchNetDiff);
        } else if !in_window {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::DateOutsideWindow);
        } else if rule.decide == Decide::Suggest {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::RuleSuggests);
        } else {
            group.outcome = Outcome::Confirmed;
        }
        group
    }

    fn exact_token(&mut self, index: usize, rule: &MatchRule) {
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        let waiting = self.waiting(rule);
        let mut components: Vec<(Vec<usize>, Vec<usize>, bool)> = Vec::new();
        for (_, (left, right)) in self.by_key(rule) {
            let figures = self.figures(rule, &left, &right);
            // Rows with the same figures, day and keys fit the same rows.
            let left = self.alike(rule, Side::Left, left);
            let right = self.alike(rule, Side::Right, right);
            let mut whole: HashMap<(i128, Currency), Vec<usize>> = HashMap::new();
            let mut part: HashMap<(i128, Currency), Vec<usize>> = HashMap::new();
            for (class, rows) in right.iter().enumerate() {
                let figure = self.figure(rule, Side::Right, rows[0]);
                whole.entry(figure).or_default().push(class);
                let figure = self.part(rule, Side::Right, rows[0]);
                part.entry(figure).or_default().push(class);
            }
            let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
            // pairs that could be if one of the two was late
            let mut rivals: BTreeMap<(Side, usize), BTreeSet<usize>> = BTreeMap::new();
            for (l, rows) in left.iter().enumerate() {
                let a = &self.left.rows[rows[0]];
                let (gross, net) = (
                    self.figure(rule, Side::Left, rows[0]),
                    self.part(rule, Side::Left, rows[0]),
                );
                // a fee may be off on one side, not on both
                let equal = [whole.get(&gross), whole.get(&net), part.get(&gross)];
                for &r in equal.into_iter().flatten().flatten() {
                    let b = &self.right.rows[right[r][0]];
                    if self.contradicts(a, b) {
                        continue;
                    }
                    if self.in_window(window, a, b) {
                        edges.insert((l, r));
                    }
                    if waiting.iter().any(|&late| self.in_window(Some(late), a, b)) {
                        rivals.entry((Side::Left, l)).or_default().insert(r);
                        rivals.entry((Side::Right, r)).or_default().insert(l);
                    }
                }
            }
            let edges: Vec<(usize, usize)> = edges.into_iter().collect();
            let rows = |classes: Vec<usize>, of: &[Vec<usize>]| -> Vec<usize> {
                let rows = classes.into_iter().flat_map(|class| of[class].clone());
                rows.collect::<BTreeSet<usize>>().into_iter().collect()
            };
            for (l_classes, r_classes) in components_of(&edges) {
                let (l, r) = (
                    rows(l_classes.clone(), &left),
                    rows(r_classes.clone(), &right),
                );
                let is_pair = l.len() == 1 && r.len() == 1;
                let count = |side, class, of: &[Vec<usize>]| -> usize {
                    let fits = rivals.get(&(side, class)).into_iter().flatten();
                    fits.map(|&other| of[other].len()).sum()
                };
                let crowded = is_pair
                    && rule.bounds.chance_millionths != 1_000_000
                    && (self.crowded(rule, &figures, 0, (l[0], r[0]))
                        || count(Side::Left, l_classes[0], &right) > 1
                        || count(Side::Right, r_classes[0], &left) > 1);
                components.push((l, r, crowded));
            }
        }
        for (left, right, crowded) in components {
            let group = if left.len() == 1 && right.len() == 1 {
                let mut group = Group::of(Some(index), left, right);
                let compared = self.compare(rule, group.left[0], group.right[0]);
                (group.difference, group.causes) = (compared.difference, compared.causes);
                if let Some(code) = compared.code {
                    (group.outcome, group.code) = (Outcome::Break, Some(code));
                } else if rule.decide == Decide::Suggest {
                    group.outcome = Outcome::Suggested;
                    group.code = Some(BreakCode::RuleSuggests);
                } else if crowded && self.mended(&group).outcome == Outcome::Confirmed {
                    group.outcome = Outcome::Suggested;
                    group.code = Some(BreakCode::WeakEvidence);
                }
                group
            } else {
                self.many(
                    index,
                    rule,
                    left,
                    right,
                    Outcome::Ambiguous,
                    BreakCode::AmbiguousToken,
                )
            };
            self.close(group);
        }
    }

    /// Days between a row and one of the same figure that may be what it waits for.
    fn waiting(&self, rule: &MatchRule) -> Vec<Window> {
        let late = self.rules.carry_business_days.map_or(0, i64::from);
        let bound = |days: i64| days.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let rules = self.edge.rules.iter();
        let rules = rules.filter(|other| other.pass == PassKind::ExactToken && other.on == rule.on);
        rules
            .map(|other| other.window.unwrap_or(SAME_DAY))
            .map(|window| Window {
                from: bound(i64::from(window.from) - late),
                until: bound(i64::from(window.until) + late),
                business_days: window.business_days,
            })
            .collect()
    }

    /// Rows of one side by their figures, their day and their keys under the edge's key rules.
    fn alike(&self, rule: &MatchRule, side: Side, rows: Vec<usize>) -> Vec<Vec<usize>> {
        let mut classes: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for at in rows {
            let row = &self.source(side).rows[at];
            let figures = (self.figure(rule, side, at), self.part(rule, side, at));
            let keys: Vec<Option<Vec<String>>> = self
                .edge
                .rules
                .iter()
                .filter(|rule| rule.pass.is_by_key())
                .map(|rule| key(rule, side, row))
                .collect();
            let class = (figures, row.day, keys);
            classes.entry(class).or_default().push(at);
        }
        classes.into_values().collect()
    }

    /// Stage 4: what is still open is carried or broken.
    fn classify(&mut self) {
        for side in [Side::Left, Side::Right] {
            let (own, other) = match side {
                Side::Left => (self.edge.left, self.edge.right),
                Side::Right => (self.edge.right, self.edge.left),
            };
            let role = self.rules.sources[own].role;
            let other_role = self.rules.sources[other].role;
            for at in 0..self.source(side).rows.len() {
                if self.state[side as usize][at].is_some() {
                    continue;
                }
                let row = &self.source(side).rows[at];
                let carried = match due(self.rules, self.calendar, row) {
                    Due::On(day) => self.as_of <= day,
                    Due::NotDeterminable => true,
                    Due::None => false,
                };
                if carried {
                    let state = State {
                        outcome: Outcome::Carried,
                        code: Some(BreakCode::Cutoff),
                        rule: None,
                        group: None,
                    };
                    self.state[side as usize][at] = Some(state);
                    continue;
                }
                let code = if self.undecided.contains(&(side, at)) {
                    BreakCode::NotDecided
                } else if row.kind == EntryKind::Refund {
                    BreakCode::RefundMislink
                } else {
                    only(role, other_role, side)
                };
                let group = self.one_sided(side, vec![at], Outcome::Break, code, None);
                self.close(group);
            }
        }
    }

    fn finish(mut self) -> Edge {
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            let id = self.group_id(group);
            let figures = match (group.rule, group.difference) {
                (Some(rule), Some(_)) if !group.is_exchange() => {
                    let rule = &self.edge.rules[rule];
                    let sum = |side, rows: &[usize]| {
                        rows.iter().map(|&at| self.figure(rule, side, at).0).sum()
                    };
                    Some((sum(Side::Left, &group.left), sum(Side::Right, &group.right)))
                }
                _ => group.figures,
            };
            self.groups[index].id = id;
            self.groups[index].figures = figures;
        }
        let done = |states: Vec<Option<State>>| {
            states
                .into_iter()
                .map(|state| state.expect("every row was classified"))
                .collect()
        };
        let [left, right] = self.state;
        Edge {
            left: done(left),
            right: done(right),
            groups: self.groups,
            decided: BTreeMap::new(),
            applied: 0,
        }
    }

    fn group_id(&self, group: &Group) -> u64 {
        let mut text = format!("{}\n", self.edge.name);
        for (side, rows) in [(Side::Left, &group.left), (Side::Right, &group.right)] {
            let mut ids: Vec<_> = rows
                .iter()
                .map(|&at| self.source(side).rows[at].id)
                .collect();
            ids.sort_unstable();
            for id in ids {
                text.push_str(&format!("{side} {id}\n"));
            }
        }
        first_64(&text)
    }
}

/// The first 64 bits of the SHA-256 of a text.
pub(crate) fn first_64(text: &str) -> u64 {
    let digest = Digest::of(DigestAlg::Sha256, text.as_bytes());
    digest.bytes[..8]
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn only(role: SourceRole, other: SourceRole, side: Side) -> BreakCode {
    use SourceRole::{Bank, Institution, Order};
    match (role, other) {
        (Order, Institution | Bank) => BreakCode::OnlyPlatform,
        (Institution, Order) | (Bank, Order) => BreakCode::OnlyChannel,
        (Institution, Bank) => BreakCode::OnlyPspBatch,
        (Bank, Institution) => BreakCode::OnlyBank,
        _ if side == Side::Left => BreakCode::OnlyPlatform,
        _ => BreakCode::OnlyChannel,
    }
}

/// Until when an open row may be carried.
pub(crate) fn due(rules: &Rules, calendar: &BusinessCalendar, row: &Row) -> Due {
    let (Some(days), Some(day)) = (rules.carry_business_days, row.day) else {
        return Due::None;
    };
    match i32::try_from(days)
        .ok()
        .and_then(|days| calendar.add_business_days(day, days).ok())
    {
        Some(day) => Due::On(day),
        None => Due::NotDeterminable,
    }
}

pub(crate) fn unexplained(minor: i128, currency: Currency) -> Cause {
    Cause {
        name: "unexplained".into(),
        minor,
        currency,
        note: None,
    }
}

pub(crate) fn tolerance(rule: &MatchRule, minor: i128, currency: Currency) -> Option<Cause> {
    let fits = rule.tolerances.iter().find(|tolerance| {
        minor.unsigned_abs() <= u128::from(tolerance.max_minor)
            && tolerance.currency.is_none_or(|c| c == currency)
    })?;
    Some(Cause {
        name: fits.cause.clone(),
        minor,
        currency,
        note: None,
    })
}

/// A row's fee in whole minor units.
pub(crate) fn fee(row: &Row, rounding: Rounding) -> i128 {
    row.fee.map_or(0, |grains| round(grains, rounding))
}

pub(crate) fn round(grains: i128, rounding: Rounding) -> i128 {
    ratio(grains, GRAIN, rounding).expect("fees are far below the range of 128 bits")
}

/// `num / den` rounded once, `den` positive.
fn ratio(num: i128, den: i128, rounding: Rounding) -> Option<i128> {
    let (floor, rest) = (num.div_euclid(den), num.rem_euclid(den));
    let twice = rest.checked_mul(2)?;
    let negative = num < 0;
    let up = rest != 0
        && match rounding {
            Rounding::HalfUp => {
                if negative {
                    twice > den
                } else {
                    twice >= den
                }
            }
            Rounding::HalfDown => {
                if negative {
                    twice >= den
                } else {
                    twice > den
                }
            }
            Rounding::HalfEven => twice > den || (twice == den && floor % 2 != 0),
            Rounding::Up => !negative,
            Rounding::Down => negative,
            Rounding::Ceiling => true,
            Rounding::Floor => false,
        };
    Some(floor + i128::from(up))
}

/// The rows of one of two sides.
pub(crate) fn in_either<'r>(side: Side, left: &'r [usize], right: &'r [usize]) -> &'r [usize] {
    match side {
        Side::Left => left,
        Side::Right => right,
    }
}

/// Connected components of a bipartite graph.
pub(crate) fn components_of(edges: &[(usize, usize)]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut of_left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut of_right: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(l, r) in edges {
        of_left.entry(l).or_default().push(r);
        of_right.entry(r).or_default().push(l);
    }
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut found = Vec::new();
    for &start in of_left.keys() {
        if seen.contains(&start) {
            continue;
        }
        let (mut left, mut right) = (BTreeSet::from([start]), BTreeSet::new());
        let mut waiting = vec![start];
        while let Some(l) = waiting.pop() {
            for &r in &of_left[&l] {
                if right.insert(r) {
                    waiting.extend(of_right[&r].iter().filter(|&&l| left.insert(l)));
                }
            }
        }
        seen.extend(&left);
        found.push((left.into_iter().collect(), right.into_iter().collect()));
    }
    found
}
