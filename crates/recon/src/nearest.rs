//! Why an open row is open: the nearest row of the other side, and the first predicate that kept the two apart.
//!
//! Looked for in this order: a row with the same key in whatever state; a row with the same identity token and
//! currency, by amount, then by day; a row with the same currency and amount, by day. Rows that are confirmed are no
//! candidates, but for those with the same key.

use std::collections::{BTreeMap, HashMap, HashSet};

use quanfu_settlement::outcome::EdgeOutcomes;
use quanfu_settlement::outcome::WhyNot;
use quanfu_settlement::rules::{Field, MatchRule};
use quanfu_settlement::{Book, Outcome, Reason, RecordId, Side};

use crate::carry::{Due, due};
use crate::edge::EdgeJob;
use crate::key::{push_field, push_key, shown};

/// Reasons for the open rows of both sides, `open[0]` being those of the left.
pub(crate) fn why_open(
    job: &EdgeJob<'_>,
    outcomes: &EdgeOutcomes,
    open: &[Vec<u32>; 2],
) -> [BTreeMap<u32, WhyNot>; 2] {
    [Side::Left, Side::Right].map(|side| {
        let search = Search::new(job, outcomes, side, &open[side as usize]);
        open[side as usize]
            .iter()
            .map(|&row| (row, search.why(row)))
            .collect()
    })
}

fn books<'a>(job: &EdgeJob<'a>, side: Side) -> (&'a Book, &'a Book) {
    match side {
        Side::Left => (job.left, job.right),
        Side::Right => (job.right, job.left),
    }
}

/// The tokens of a rule: its references, without days and the like.
fn token(rule: &MatchRule, side: Side, book: &Book, row: u32) -> Option<String> {
    let mut text = String::new();
    for on in &rule.on {
        let (field, steps) = match side {
            Side::Left => (&on.left, &on.left_normalise),
            Side::Right => (&on.right, &on.right_normalise),
        };
        if matches!(field, Field::Reference(_)) {
            if !push_field(field, steps, book, row, &mut text) {
                return None;
            }
            text.push('\u{1f}');
        }
    }
    (!text.is_empty()).then_some(text)
}

/// A candidate's place in a sorted list.
type Place = (i64, i32, RecordId, u32);

/// The smallest candidate of each key.
type ByKey = HashMap<String, (RecordId, u32)>;

/// Candidates of each token and currency.
type ByToken<'a> = HashMap<(String, &'a str), Vec<Place>>;

/// What is looked through for the open rows of one side.
struct Search<'s, 'a> {
    job: &'s EdgeJob<'a>,
    outcomes: &'s EdgeOutcomes,
    side: Side,
    own: &'a Book,
    other: &'a Book,
    /// For each unique-key rule: the key of an open row to the smallest row of the other side that has it.
    by_key: Vec<(&'a MatchRule, ByKey)>,
    /// For each other rule: candidates by token and currency, sorted by amount, day and record.
    by_token: Vec<(&'a MatchRule, ByToken<'a>)>,
    /// Candidates by currency, sorted by amount, day and record.
    by_amount: HashMap<&'a str, Vec<Place>>,
}

impl<'s, 'a> Search<'s, 'a> {
    fn new(job: &'s EdgeJob<'a>, outcomes: &'s EdgeOutcomes, side: Side, open: &[u32]) -> Self {
        let (own, other) = books(job, side);
        let mut search = Self {
            job,
            outcomes,
            side,
            own,
            other,
            by_key: Vec::new(),
            by_token: Vec::new(),
            by_amount: HashMap::new(),
        };
        if open.is_empty() {
            return search;
        }
        let states = outcomes.side(side.other());
        let free: Vec<u32> = (0..other.len())
            .filter(|&row| states[row as usize].outcome != Outcome::Confirmed)
            .collect();
        let place = |row: u32| {
            (
                other.money(row).minor(),
                other.accounting_days()[row as usize],
                other.id(row),
                row,
            )
        };
        for rule in &job.edge.rules {
            if rule.pass.is_by_key() {
                let key = |side, book, row| {
                    let mut text = String::new();
                    push_key(rule, side, book, row, &mut text).then_some(text)
                };
                let wanted: HashSet<String> =
                    open.iter().filter_map(|&row| key(side, own, row)).collect();
                let mut found: HashMap<String, (RecordId, u32)> = HashMap::new();
                for &row in &free {
                    if let Some(text) =
                        key(side.other(), other, row).filter(|text| wanted.contains(text))
                    {
                        let candidate = (other.id(row), row);
                        found
                            .entry(text)
                            .and_modify(|best| *best = candidate.min(*best))
                            .or_insert(candidate);
                    }
                }
                search.by_key.push((rule, found));
            } else {
                let mut found: HashMap<(String, &str), Vec<Place>> = HashMap::new();
                for &row in &free {
                    if let Some(text) = token(rule, side.other(), other, row) {
                        found
                            .entry((text, code(other, row)))
                            .or_default()
                            .push(place(row));
                    }
                }
                found.values_mut().for_each(|places| places.sort_unstable());
                search.by_token.push((rule, found));
            }
        }
        for &row in &free {
            search
                .by_amount
                .entry(code(other, row))
                .or_default()
                .push(place(row));
        }
        search
            .by_amount
            .values_mut()
            .for_each(|places| places.sort_unstable());
        search
    }

    fn why(&self, row: u32) -> WhyNot {
        let (nearest, failed) = self.nearest(row);
        let day = self.own.accounting_day(row);
        let age = day.and_then(|day| {
            self.job
                .calendar
                .business_days_between(day, self.job.as_of)
                .ok()
        });
        let (due, due_not_determinable) =
            match due(self.job.rules, self.job.calendar, self.own, row) {
                Due::None => (None, false),
                Due::On(day) => (Some(day), false),
                Due::NotDeterminable => (None, true),
            };
        WhyNot {
            nearest,
            failed: Some(failed),
            due,
            due_not_determinable,
            age: age.and_then(|age| u32::try_from(age).ok()),
        }
    }

    fn nearest(&self, row: u32) -> (Option<u32>, Reason) {
        let mut own_key = String::new();
        for (rule, found) in &self.by_key {
            let mut text = String::new();
            if push_key(rule, self.side, self.own, row, &mut text) {
                if let Some(&(_, candidate)) = found.get(&text) {
                    return (Some(candidate), self.with_same_key(row, candidate));
                }
                own_key = text;
            }
        }
        let amount = self.own.money(row).minor();
        let day = self.own.accounting_days()[row as usize];
        for (rule, found) in &self.by_token {
            if let Some(text) = token(rule, self.side, self.own, row) {
                let places = found.get(&(text.clone(), code(self.own, row)));
                if let Some(candidate) =
                    places.and_then(|places| closest(places, amount, day, true))
                {
                    return (Some(candidate), self.with_same_token(row, candidate));
                }
                if own_key.is_empty() {
                    own_key = text;
                }
            }
        }
        if let Some(candidate) = self
            .by_amount
            .get(code(self.own, row))
            .and_then(|places| closest(places, amount, day, false))
        {
            let own = self.key_text(self.side, row);
            let other = self.key_text(self.side.other(), candidate);
            let reason = if own == other {
                self.with_same_token(row, candidate)
            } else {
                self.reason("key", own, other)
            };
            return (Some(candidate), reason);
        }
        (None, self.reason("key", shown(&own_key), String::new()))
    }

    /// A failed predicate, with the texts in the order left, right.
    fn reason(&self, predicate: &str, own: String, other: String) -> Reason {
        let (left, right) = if self.side == Side::Left {
            (own, other)
        } else {
            (other, own)
        };
        Reason {
            predicate: predicate.to_owned(),
            left,
            right,
            holds: false,
        }
    }

    /// All references of a row that the edge's rules look at, for people.
    fn key_text(&self, side: Side, row: u32) -> String {
        let book = if side == self.side {
            self.own
        } else {
            self.other
        };
        for rule in &self.job.edge.rules {
            let mut text = String::new();
            if push_key(rule, side, book, row, &mut text) {
                return shown(&text);
            }
        }
        String::new()
    }

    /// The key is the same: what else kept the two apart?
    fn with_same_key(&self, row: u32, candidate: u32) -> Reason {
        let state =
            |side: Side, row: u32| self.outcomes.side(side)[row as usize].outcome.to_string();
        if self.own.status(row) != self.other.status(candidate) {
            return self.reason(
                "status",
                self.own.status(row).to_string(),
                self.other.status(candidate).to_string(),
            );
        }
        if self.own.kind(row) != self.other.kind(candidate) {
            return self.reason(
                "kind",
                self.own.kind(row).to_string(),
                self.other.kind(candidate).to_string(),
            );
        }
        self.reason(
            "state",
            state(self.side, row),
            state(self.side.other(), candidate),
        )
    }

    /// The token and currency are the same: key, amount, day, or that others fit as well.
    fn with_same_token(&self, row: u32, candidate: u32) -> Reason {
        for rule in self
            .job
            .edge
            .rules
            .iter()
            .filter(|rule| rule.pass.is_by_key())
        {
            let (mut own, mut other) = (String::new(), String::new());
            if push_key(rule, self.side, self.own, row, &mut own)
                && push_key(rule, self.side.other(), self.other, candidate, &mut other)
                && own != other
            {
                return self.reason("key", shown(&own), shown(&other));
            }
        }
        let (a, b) = (self.own.money(row), self.other.money(candidate));
        if a != b {
            return self.reason("amount", a.to_string(), b.to_string());
        }
        let text = |book: &Book, row| {
            book.accounting_day(row)
                .map(|day| day.to_string())
                .unwrap_or_default()
        };
        let days = (text(self.own, row), text(self.other, candidate));
        if days.0 != days.1 {
            return self.reason("window", days.0, days.1);
        }
        self.with_same_key(row, candidate)
    }
}

fn code(book: &Book, row: u32) -> &str {
    book.currencies()[usize::from(book.currency_index(row))].code()
}

/// The place nearest in amount, then in day, then by record; with `any` false only of the same amount.
fn closest(places: &[Place], amount: i64, day: i32, any: bool) -> Option<u32> {
    let at = places.partition_point(|place| place.0 < amount);
    let best_amount = if places.get(at).is_some_and(|place| place.0 == amount) {
        amount
    } else if any {
        let above = places.get(at).map(|place| place.0);
        let below = at.checked_sub(1).map(|at| places[at].0);
        match (below, above) {
            (Some(below), Some(above)) if above.abs_diff(amount) < amount.abs_diff(below) => above,
            (Some(below), _) => below,
            (None, above) => above?,
        }
    } else {
        return None;
    };
    let from = places.partition_point(|place| place.0 < best_amount);
    let until = places.partition_point(|place| place.0 <= best_amount);
    let same = &places[from..until];
    let at = same.partition_point(|place| place.1 < day);
    let above = same.get(at);
    let below = at.checked_sub(1).map(|at| same[at].1);
    let best_day = match (below, above.map(|place| place.1)) {
        (Some(below), Some(above)) if above.abs_diff(day) < day.abs_diff(below) => above,
        (Some(below), _) => below,
        (None, above) => above?,
    };
    let first = same.partition_point(|place| place.1 < best_day);
    same.get(first).map(|place| place.3)
}
