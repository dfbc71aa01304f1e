//! The passes that look for more than one row of each side, a second time and plainly.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use quanfu_calendar::{Date, Datelike as _};
use quanfu_money::Currency;
use quanfu_settlement::outcome::Search;
use quanfu_settlement::rules::{
    AmountOf, Bounds, Decide, Explain, MatchRule, Near, RoundingPer, SourceRole, Window,
};
use quanfu_settlement::{BreakCode, Outcome, PassKind, RecordId, Side};

use crate::judge::{
    Bench, Cause, Due, Fit, Group, components_of, due, fee, in_either, round, tolerance,
    unexplained,
};
use crate::key::{field, key};
use crate::rows::Row;

pub(crate) const SAME_DAY: Window = Window {
    from: 0,
    until: 0,
    business_days: false,
};

/// Figures by side, currency and day, rising.
pub(crate) type Figures = BTreeMap<(Side, Currency, Option<Date>), Vec<i128>>;

/// A row of a pool: what it brings to a sum.
#[derive(Clone, Copy)]
struct Part {
    at: usize,
    minor: i128,
}

/// Pairs of a key, and the rows of both sides that are none.
type InPairs = (Vec<(usize, usize)>, Vec<usize>, Vec<usize>);

/// Lines looked at together and what was found for them.
struct Hit {
    lines: Vec<usize>,
    search: Search,
    sets: Vec<Vec<usize>>,
    is_full: bool,
    fit: Fit,
}

impl Bench<'_> {
    pub(crate) fn single(&self, rule: &MatchRule) -> Side {
        let bank_is_left = self.rules.sources[self.edge.left].role == SourceRole::Bank;
        rule.single.unwrap_or(if bank_is_left {
            Side::Left
        } else {
            Side::Right
        })
    }

    fn steps_of_a_line(&self, rule: &MatchRule, lines: usize) -> u64 {
        rule.bounds
            .nodes
            .min(Bounds::NODES_OF_A_RULE / (lines.max(1) as u64))
    }

    /// What a row of several brings: less its own fee where fees explain.
    pub(crate) fn part(&self, rule: &MatchRule, side: Side, at: usize) -> (i128, Currency) {
        let (minor, currency) = self.figure(rule, side, at);
        let which = if side == Side::Left {
            rule.left_amount
        } else {
            rule.right_amount
        };
        if rule.explain.contains(&Explain::Fee) && which != AmountOf::Original {
            let row = &self.source(side).rows[at];
            return (minor - fee(row, rule.rounding), currency);
        }
        (minor, currency)
    }

    pub(crate) fn counted(&self, rule: &MatchRule, side: Side, at: usize) -> Option<u64> {
        let text = self.source(side).rows[at].reference(rule.count?)?;
        text.parse().ok()
    }

    pub(crate) fn tolerance_of(&self, rule: &MatchRule, currency: Currency) -> u64 {
        let mut most = 0;
        for tolerance in &rule.tolerances {
            if tolerance.currency.is_none() || tolerance.currency == Some(currency) {
                most = most.max(tolerance.max_minor);
            }
        }
        most
    }

    fn within(&self, rule: &MatchRule, single: Side, line: usize, row: usize) -> bool {
        let (line, row) = (
            &self.source(single).rows[line],
            &self.source(single.other()).rows[row],
        );
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        match single {
            Side::Left => self.in_window(window, line, row) && !self.contradicts(line, row),
            Side::Right => self.in_window(window, row, line) && !self.contradicts(row, line),
        }
    }

    /// Whether all rows of both sides lie within the window of each other.
    pub(crate) fn all_within(&self, rule: &MatchRule, left: &[usize], right: &[usize]) -> bool {
        let days = |side: Side, rows: &[usize]| -> BTreeMap<Option<Date>, usize> {
            let rows = rows.iter().map(|&at| (self.source(side).rows[at].day, at));
            rows.collect()
        };
        let (left, right) = (days(Side::Left, left), days(Side::Right, right));
        left.values().all(|&l| {
            right
                .values()
                .all(|&r| self.in_window(rule.window, &self.left.rows[l], &self.right.rows[r]))
        })
    }

    /// Whether a later rule takes all rows of the same key.
    pub(crate) fn is_left_to_group(&self, index: usize) -> bool {
        let rule = &self.edge.rules[index];
        self.edge.rules.iter().skip(index + 1).any(|later| {
            later.pass == PassKind::KeyGroup
                && (&later.on, &later.left_where, &later.right_where)
                    == (&rule.on, &rule.left_where, &rule.right_where)
        })
    }

    pub(crate) fn key_group(&mut self, index: usize, rule: &MatchRule) {
        for (_, (left, right)) in self.by_key(rule) {
            if left.is_empty() || right.is_empty() {
                continue;
            }
            if let ([l], [r]) = (&left[..], &right[..]) {
                let group = self.pair(index, rule, *l, *r);
                self.close(self.in_part(rule, group).0);
                continue;
            }
            let statuses: BTreeSet<_> = (left.iter().map(|&at| self.left.rows[at].status))
                .chain(right.iter().map(|&at| self.right.rows[at].status))
                .collect();
            if rule.same_status && statuses.len() > 1 {
                let code = BreakCode::StatusMismatch;
                let group = self.many(index, rule, left, right, Outcome::Break, code);
                self.close(group);
                continue;
            }
            let whole = self.sums(index, rule, &left, &right);
            if whole.outcome == Outcome::Break {
                let (whole, is_in_part) = self.in_part(rule, whole);
                if is_in_part {
                    self.close(whole);
                    continue;
                }
                let twice = |rows: &[usize], side: usize| {
                    rows.len() == 1
                        || rows
                            .iter()
                            .all(|row| self.facts[side].paid_twice.contains(row))
                };
                let figures: BTreeSet<_> =
                    (left.iter().map(|&at| self.figure(rule, Side::Left, at)))
                        .chain(right.iter().map(|&at| self.figure(rule, Side::Right, at)))
                        .collect();
                let (outcome, code) = if twice(&left, 0) && twice(&right, 1) {
                    (Outcome::Break, BreakCode::DuplicatePayment)
                } else if figures.len() == 1 {
                    (Outcome::Ambiguous, BreakCode::AmbiguousKey)
                } else {
                    (
                        Outcome::Break,
                        whole.code.unwrap_or(BreakCode::CurrencyMismatch),
                    )
                };
                let group = self.many(index, rule, left, right, outcome, code);
                self.close(group);
                continue;
            }
            let parts = match &whole.causes[..] {
                [] => self.in_pairs(rule, &left, &right, None),
                [cause] if cause.name == "fee" => {
                    let ways = [Side::Left, Side::Right].map(Some).into_iter();
                    let ways = ways.filter_map(|way| self.in_pairs(rule, &left, &right, way));
                    let mut ways: Vec<_> = ways
                        .filter(|(_, rest_left, _)| rest_left.is_empty())
                        .collect();
                    // two ways that differ tell nothing
                    ways.dedup();
                    ways.pop().filter(|_| ways.is_empty())
                }
                _ => None,
            };
            let Some((pairs, rest_left, rest_right)) = parts else {
                self.close(whole);
                continue;
            };
            for (l, r) in pairs {
                let group = self.pair(index, rule, l, r);
                self.close(group);
            }
            if !rest_left.is_empty() {
                let group = self.sums(index, rule, &rest_left, &rest_right);
                self.close(group);
            }
        }
    }

    /// Figures that stand once on each side are pairs, and so are equal figures of which each day has one on each side; the
    /// rest stays together, if there is some on both sides. One side's figures may be taken less their fees.
    fn in_pairs(
        &self,
        rule: &MatchRule,
        left: &[usize],
        right: &[usize],
        less_fee: Option<Side>,
    ) -> Option<InPairs> {
        let of = |side: Side, at: usize| {
            if less_fee == Some(side) {
                self.part(rule, side, at)
            } else {
                self.figure(rule, side, at)
            }
        };
        let mut by_figure: BTreeMap<_, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for &at in left {
            by_figure.entry(of(Side::Left, at)).or_default().0.push(at);
        }
        for &at in right {
            by_figure.entry(of(Side::Right, at)).or_default().1.push(at);
        }
        let (mut pairs, mut rest_left, mut rest_right) = (Vec::new(), Vec::new(), Vec::new());
        for (l, r) in by_figure.into_values() {
            let days = |side: Side, rows: &[usize]| -> BTreeMap<Option<Date>, usize> {
                let rows = rows.iter().map(|&at| (self.source(side).rows[at].day, at));
                rows.collect()
            };
            let (on_left, on_right) = (days(Side::Left, &l), days(Side::Right, &r));
            let is_once = on_left.len() == l.len() && on_right.len() == r.len();
            if (l.len() == 1 && r.len() == 1) || (is_once && on_left.keys().eq(on_right.keys())) {
                pairs.extend(on_left.into_values().zip(on_right.into_values()));
            } else {
                rest_left.extend(l);
                rest_right.extend(r);
            }
        }
        pairs.sort_unstable();
        let is_even = rest_left.is_empty() == rest_right.is_empty();
        (!pairs.is_empty() && is_even).then_some((pairs, rest_left, rest_right))
    }

    /// The group, and whether it lacks only rows of the side that may come in parts: then it waits, if all its rows may.
    fn in_part(&self, rule: &MatchRule, mut group: Group) -> (Group, bool) {
        use BreakCode::{AmountChannelLess, AmountChannelMore};
        let sum = |side: Side, rows: &[usize]| -> i128 {
            rows.iter().map(|&at| self.figure(rule, side, at).0).sum()
        };
        let (left, right) = (sum(Side::Left, &group.left), sum(Side::Right, &group.right));
        let is_in_part = match (rule.partial, group.code) {
            (Some(side), Some(AmountChannelLess | AmountChannelMore)) => {
                let (came, all) = match side {
                    Side::Left => (left, right),
                    Side::Right => (right, left),
                };
                (0 < came && came < all) || (all < came && came < 0)
            }
            _ => false,
        };
        if !is_in_part {
            return (group, false);
        }
        let waits = |row: &Row| match due(self.rules, self.calendar, row) {
            Due::None => false,
            Due::NotDeterminable => true,
            Due::On(day) => self.as_of <= day,
        };
        let all_wait = group.left.iter().all(|&at| waits(&self.left.rows[at]))
            && group.right.iter().all(|&at| waits(&self.right.rows[at]));
        group.outcome = if all_wait {
            Outcome::Carried
        } else {
            Outcome::Break
        };
        group.code = Some(BreakCode::Partial);
        for cause in &mut group.causes {
            cause.name = "to_come".into();
        }
        (group, true)
    }

    /// All rows of a key compared by their sums.
    fn sums(&self, index: usize, rule: &MatchRule, left: &[usize], right: &[usize]) -> Group {
        let mut group = Group::of(Some(index), left.to_vec(), right.to_vec());
        group.difference = self.difference(rule, left, right);
        let Some((difference, currency)) = group.difference else {
            group.outcome = Outcome::Break;
            group.code = Some(BreakCode::CurrencyMismatch);
            return group;
        };
        let mut fees = vec![0i128];
        if rule.explain.contains(&Explain::Fee) {
            for (side, rows, sign) in [(Side::Left, left, -1), (Side::Right, right, 1)] {
                let rows = rows.iter().map(|&at| &self.source(side).rows[at]);
                let total: i128 = match rule.rounding_per {
                    RoundingPer::Row => rows.map(|row| fee(row, rule.rounding)).sum(),
                    RoundingPer::Batch => {
                        round(rows.filter_map(|row| row.fee).sum(), rule.rounding)
                    }
                };
                fees.push(sign * total);
            }
        }
        fees.sort_by_key(|fee| ((difference - fee).abs(), fee.abs()));
        let explained = fees.iter().find(|&&fee| {
            fee == difference || tolerance(rule, difference - fee, currency).is_some()
        });
        let Some(&part) = explained else {
            let sum = |side: Side, rows: &[usize]| -> i128 {
                rows.iter().map(|&at| self.figure(rule, side, at).0).sum()
            };
            group.outcome = Outcome::Break;
            group.code = Some(self.more_or_less(sum(Side::Left, left), sum(Side::Right, right)));
            group.causes = vec![unexplained(difference, currency)];
            return group;
        };
        if part != 0 {
            group.causes.push(Cause {
                name: "fee".into(),
                minor: part,
                currency,
                note: None,
            });
        }
        if part != difference {
            group
                .causes
                .extend(tolerance(rule, difference - part, currency));
        }
        if !self.all_within(rule, left, right) {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::DateOutsideWindow);
        } else if rule.decide == Decide::Suggest {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::RuleSuggests);
        }
        group
    }

    /// A group that a search found.
    fn searched(&self, index: usize, rule: &MatchRule, hit: &Hit, is_sure: bool) -> Group {
        let single = self.single(rule);
        let rows = hit.sets[0].clone();
        let (left, right) = match single {
            Side::Left => (hit.lines.clone(), rows),
            Side::Right => (rows, hit.lines.clone()),
        };
        let mut group = Group::of(Some(index), left, right);
        group.search = Some(hit.search);
        group.difference = self.difference(rule, &group.left, &group.right);
        let Some((mut rest, currency)) = group.difference else {
            group.outcome = Outcome::Break;
            group.code = Some(BreakCode::CurrencyMismatch);
            return group;
        };
        if rule.explain.contains(&Explain::Fee) {
            let many = single.other();
            let rows = in_either(many, &group.left, &group.right);
            let rows = rows.iter().map(|&at| &self.source(many).rows[at]);
            let fees: i128 = rows.map(|row| fee(row, rule.rounding)).sum();
            let minor = if many == Side::Left { -fees } else { fees };
            if minor != 0 {
                rest -= minor;
                group.causes.push(Cause {
                    name: "fee".into(),
                    minor,
                    currency,
                    note: None,
                });
            }
        }
        if rest != 0 {
            match tolerance(rule, rest, currency) {
                Some(cause) => group.causes.push(cause),
                None => {
                    group.causes.push(unexplained(rest, currency));
                    group.outcome = Outcome::Break;
                    group.code = Some(BreakCode::BatchNetDiff);
                    return group;
                }
            }
        }
        if rule.decide == Decide::Suggest {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::RuleSuggests);
        } else if !is_sure {
            group.outcome = Outcome::Suggested;
            group.code = Some(BreakCode::WeakEvidence);
        }
        group
    }

    fn undetermined(
        &mut self,
        index: usize,
        rule: &MatchRule,
        line: usize,
        search: Search,
        fit: Fit,
    ) {
        let (left, right) = match self.single(rule) {
            Side::Left => (vec![line], Vec::new()),
            Side::Right => (Vec::new(), vec![line]),
        };
        let mut group = Group::of(Some(index), left, right);
        group.outcome = Outcome::Ambiguous;
        group.code = Some(BreakCode::AmbiguousSubset);
        group.search = Some(search);
        group.fit = Some(fit);
        self.close(group);
    }

    pub(crate) fn subset(&mut self, index: usize, rule: &MatchRule) {
        let single = self.single(rule);
        let keys = self.by_key(rule);
        let all = keys
            .values()
            .map(|(l, r)| in_either(single, l, r).len())
            .sum();
        let nodes = self.steps_of_a_line(rule, all);
        for (left, right) in keys.into_values() {
            let mut open = in_either(single, &left, &right).to_vec();
            let mut pool: Vec<usize> = in_either(single.other(), &left, &right).to_vec();
            if open.is_empty() || pool.is_empty() {
                continue;
            }
            pool.retain(|&at| self.part(rule, single.other(), at).0 != 0);
            for together in 1..=usize::from(rule.bounds.lines) {
                let combinations = binomial(open.len() as u64, together as u64);
                let share = nodes.saturating_mul(open.len() as u64) / combinations.max(1);
                let nodes = share.min(nodes);
                let is_wide = combinations > Bounds::LINES_TOGETHER || nodes < pool.len() as u64;
                if together > 1 && is_wide {
                    self.undecided
                        .extend(open.iter().map(|&line| (single, line)));
                    break;
                }
                // ways to take a line with others
                let with_others = binomial(open.len() as u64 - 1, together as u64 - 1);
                let mut hits = Vec::new();
                let mut is_clear = true;
                let mut combination = Vec::new();
                self.each_combination(&open, together, &mut combination, &mut |bench, lines| {
                    match bench.hunt(rule, lines, &pool, nodes, with_others) {
                        Err(true) => {}
                        Err(false) => {
                            is_clear = false;
                            bench
                                .undecided
                                .extend(lines.iter().map(|&line| (single, line)));
                        }
                        Ok(hit) => hits.push(hit),
                    }
                });
                let (gone_lines, gone_rows) = self.settle(index, rule, &hits, is_clear);
                open.retain(|line| !gone_lines.contains(line));
                pool.retain(|row| !gone_rows.contains(row));
                if open.len() < 2 || pool.is_empty() {
                    break;
                }
            }
        }
    }

    fn each_combination(
        &mut self,
        open: &[usize],
        together: usize,
        chosen: &mut Vec<usize>,
        each: &mut dyn FnMut(&mut Self, &[usize]),
    ) {
        if chosen.len() == together {
            each(self, chosen);
            return;
        }
        for (place, &line) in open.iter().enumerate() {
            chosen.push(line);
            self.each_combination(&open[place + 1..], together, chosen, each);
            chosen.pop();
        }
    }

    /// `Err(true)`: certainly no set within the full bounds. `Err(false)`: not decided.
    fn hunt(
        &mut self,
        rule: &MatchRule,
        lines: &[usize],
        pool: &[usize],
        nodes: u64,
        with_others: u64,
    ) -> Result<Hit, bool> {
        let (single, many) = (self.single(rule), self.single(rule).other());
        let figures: Vec<_> = lines
            .iter()
            .map(|&line| self.figure(rule, single, line))
            .collect();
        let currency = figures[0].1;
        let target: i128 = figures.iter().map(|figure| figure.0).sum();
        if target == 0 || figures.iter().any(|figure| figure.1 != currency) {
            return Err(true);
        }
        let allowed = i128::from(self.tolerance_of(rule, currency));
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        let by_day = pool.iter().copied().filter(|&row| {
            lines.iter().all(|&line| {
                let (line, row) = (
                    &self.source(single).rows[line],
                    &self.source(many).rows[row],
                );
                match single {
                    Side::Left => self.in_window(window, line, row),
                    Side::Right => self.in_window(window, row, line),
                }
            })
        });
        let by_day: Vec<usize> = by_day.collect();
        if by_day.len() as u64 > nodes {
            return Err(false);
        }
        let mut parts: Vec<Part> = Vec::new();
        for at in by_day {
            let (minor, of) = self.part(rule, many, at);
            if of == currency
                && lines
                    .iter()
                    .all(|&line| self.within(rule, single, line, at))
            {
                parts.push(Part { at, minor });
            }
        }
        if parts
            .iter()
            .all(|part| part.minor.signum() == target.signum())
        {
            parts.retain(|part| part.minor.abs() <= target.abs() + allowed);
        }
        parts.sort_by_key(|part| part.minor);
        let rows = parts.len() as u64;
        // the bounds, made smaller until their steps are allowed
        let widest = u64::from(rule.bounds.members).min(rows);
        let mut members = widest;
        while members > 1 && steps(rows, members) > nodes {
            members -= 1;
        }
        let mut is_full = members == widest;
        let mut left_out = None;
        if members < rows {
            let widest = u64::from(rule.bounds.left_out).min(rows - members - 1);
            let spare = nodes.saturating_sub(steps(rows, members));
            let most = (0..=widest)
                .rev()
                .find(|&most| most == 0 || steps(rows, most) <= spare);
            let most = most.unwrap_or(0);
            is_full = is_full && most == widest;
            left_out = Some(most);
        }
        let counts: Option<Vec<u64>> = lines
            .iter()
            .map(|&line| self.counted(rule, single, line))
            .collect();
        let count = counts.map(|counts| counts.into_iter().sum::<u64>());
        let mut sets = 0u64;
        for size in 1..=rows {
            let looked_at = size <= members || left_out.is_some_and(|most| rows - size <= most);
            if looked_at && count.is_none_or(|count| count == size) {
                sets = sets.saturating_add(binomial(rows, size));
            }
            if size == members
                && let Some(most) = left_out
            {
                // the sizes between are not looked at
                let from = (rows - most).max(size + 1);
                for size in from..=rows {
                    if count.is_none_or(|count| count == size) {
                        sets = sets.saturating_add(binomial(rows, size));
                    }
                }
                break;
            }
        }
        let sets = sets.saturating_mul(with_others);
        let values: Vec<i128> = parts.iter().map(|part| part.minor).collect();
        let mut found = sets_that_tie(&values, members as usize, target, allowed, count);
        if let Some(most) = left_out {
            let total: i128 = values.iter().sum();
            let lacking = count.map(|count| rows.checked_sub(count).unwrap_or(u64::MAX));
            let mut others = Vec::new();
            if lacking.is_none_or(|lacking| lacking == 0) && (total - target).abs() <= allowed {
                others.push(Vec::new());
            }
            if lacking != Some(0) {
                others.extend(sets_that_tie(
                    &values,
                    most as usize,
                    total - target,
                    allowed,
                    lacking,
                ));
            }
            for without in others {
                found.push(
                    (0..values.len())
                        .filter(|at| !without.contains(at))
                        .collect(),
                );
            }
        }
        found.truncate(2);
        let known = found.len();
        if found.is_empty() {
            return Err(is_full);
        }
        let chance = u128::from(sets)
            .saturating_mul(2 * allowed.unsigned_abs() + 1)
            .saturating_mul(1_000_000);
        let chance = chance.div_ceil(target.unsigned_abs());
        Ok(Hit {
            lines: lines.to_vec(),
            search: Search {
                pool: rows as u32,
                members: members as u8,
                left_out: left_out.unwrap_or(0) as u8,
                sets,
                chance_millionths: u64::try_from(chance).unwrap_or(u64::MAX),
            },
            sets: found
                .into_iter()
                .map(|set| set.into_iter().map(|at| parts[at].at).collect())
                .collect(),
            is_full,
            fit: Fit {
                targets: vec![(target, allowed)],
                parts: parts
                    .iter()
                    .map(|part| (self.source(many).rows[part.at].id, part.minor))
                    .collect(),
                is_run: false,
                sets: known,
            },
        })
    }

    /// One row of a pool of several for one line, which does not tell that it stands for one.
    fn is_single_of_several(&self, rule: &MatchRule, hit: &Hit) -> bool {
        let tells = |line: &usize| self.counted(rule, self.single(rule), *line).is_some();
        let is_single = hit.sets[0].len() == 1 && hit.search.pool > 1;
        let is_let_pass = rule.bounds.chance_millionths == 1_000_000;
        is_single && hit.lines.len() == 1 && !tells(&hit.lines[0]) && !is_let_pass
    }

    /// Takes what nobody else lays claim to; the rest of the lines is ambiguous.
    fn settle(
        &mut self,
        index: usize,
        rule: &MatchRule,
        hits: &[Hit],
        mut is_clear: bool,
    ) -> (HashSet<usize>, HashSet<usize>) {
        let mut lines: HashMap<usize, usize> = HashMap::new();
        let mut rows: HashMap<usize, usize> = HashMap::new();
        for hit in hits {
            hit.lines
                .iter()
                .for_each(|&line| *lines.entry(line).or_default() += 1);
            if hit.sets.len() == 1 {
                hit.sets[0]
                    .iter()
                    .for_each(|&row| *rows.entry(row).or_default() += 1);
            }
        }
        let alone: Vec<bool> = hits
            .iter()
            .map(|hit| {
                hit.sets.len() == 1
                    && hit.lines.iter().all(|line| lines[line] == 1)
                    && hit.sets[0].iter().all(|row| rows[row] == 1)
            })
            .collect();
        is_clear = is_clear && alone.iter().all(|alone| *alone);
        let (mut gone_lines, mut gone_rows) = (HashSet::new(), HashSet::new());
        for (hit, alone) in hits.iter().zip(alone) {
            if alone {
                let is_sure = is_clear
                    && hit.is_full
                    && !self.is_single_of_several(rule, hit)
                    && !self.is_leftover(rule, hit.lines[0])
                    && hit.search.chance_millionths <= rule.bounds.chance_millionths;
                let group = self.searched(index, rule, hit, is_sure);
                self.close(group);
                gone_lines.extend(hit.lines.iter().copied());
                gone_rows.extend(hit.sets[0].iter().copied());
                continue;
            }
            for &line in &hit.lines {
                if gone_lines.insert(line) {
                    let mut of_line = hits.iter().filter(|other| other.lines.contains(&line));
                    let sets = match (of_line.next(), of_line.next()) {
                        (Some(only), None) => only.fit.sets,
                        // the same set may stand for several lines together
                        _ => 0,
                    };
                    let mut fit = Fit {
                        targets: Vec::new(),
                        parts: Vec::new(),
                        is_run: false,
                        sets,
                    };
                    for other in hits.iter().filter(|other| other.lines.contains(&line)) {
                        fit.targets.extend(other.fit.targets.iter().copied());
                        fit.parts.extend(other.fit.parts.iter().copied());
                    }
                    self.undetermined(index, rule, line, hit.search, fit);
                }
            }
        }
        (gone_lines, gone_rows)
    }

    pub(crate) fn run_batch(&mut self, index: usize, rule: &MatchRule) {
        let single = self.single(rule);
        let keys = self.by_key(rule);
        let all = keys
            .values()
            .map(|(l, r)| in_either(single, l, r).len())
            .sum();
        let nodes = self.steps_of_a_line(rule, all);
        for (left, right) in keys.into_values() {
            let lines = in_either(single, &left, &right);
            let rows = in_either(single.other(), &left, &right);
            let mut currencies: BTreeSet<Currency> = BTreeSet::new();
            currencies.extend(lines.iter().map(|&line| self.figure(rule, single, line).1));
            if rows.is_empty() {
                continue;
            }
            for currency in currencies {
                self.runs(index, rule, currency, lines, rows, nodes);
            }
        }
    }

    fn runs(
        &mut self,
        index: usize,
        rule: &MatchRule,
        currency: Currency,
        lines: &[usize],
        rows: &[usize],
        nodes: u64,
    ) {
        let (single, many) = (self.single(rule), self.single(rule).other());
        let mut tape: Vec<Part> = Vec::new();
        for &at in rows {
            let (minor, of) = self.part(rule, many, at);
            if of == currency && minor != 0 && self.source(many).rows[at].day.is_some() {
                tape.push(Part { at, minor });
            }
        }
        let moment = |part: &Part| {
            let row = &self.source(many).rows[part.at];
            (row.day, row.instant)
        };
        tape.sort_by_key(|part| (moment(part), self.source(many).rows[part.at].id));
        let beats: Vec<Vec<Part>> = tape
            .chunk_by(|a, b| moment(a) == moment(b))
            .map(<[Part]>::to_vec)
            .collect();
        let allowed = i128::from(self.tolerance_of(rule, currency));
        let mut sums = vec![0i128];
        for beat in &beats {
            sums.push(sums[sums.len() - 1] + beat.iter().map(|part| part.minor).sum::<i128>());
        }
        let mut places: BTreeMap<i128, Vec<usize>> = BTreeMap::new();
        for (place, sum) in sums.iter().enumerate() {
            places.entry(*sum).or_default().push(place);
        }
        let mut is_clear = true;
        let mut hits: Vec<(Hit, Vec<(usize, usize)>)> = Vec::new();
        for &line in lines {
            let (target, of) = self.figure(rule, single, line);
            if of != currency || target == 0 {
                continue;
            }
            let window = Some(rule.window.unwrap_or(SAME_DAY));
            let by_day: Vec<usize> = (0..beats.len())
                .filter(|&beat| {
                    let (line, row) = (
                        &self.source(single).rows[line],
                        &self.source(many).rows[beats[beat][0].at],
                    );
                    match single {
                        Side::Left => self.in_window(window, line, row),
                        Side::Right => self.in_window(window, row, line),
                    }
                })
                .collect();
            let mut spent = by_day.len() as u64;
            let mut over = spent > nodes;
            let free: Vec<usize> = by_day
                .into_iter()
                .filter(|&beat| {
                    beats[beat]
                        .iter()
                        .all(|part| self.within(rule, single, line, part.at))
                })
                .collect();
            let count = self.counted(rule, single, line);
            let (mut pool, mut sets) = (0usize, 0u64);
            let mut found: Vec<(usize, usize)> = Vec::new();
            let mut order: Vec<(RecordId, i128)> = Vec::new();
            for stretch in free.chunk_by(|a, b| a + 1 == *b) {
                let stop = stretch[stretch.len() - 1] + 1;
                let long = stretch.len() as u64;
                sets = sets.saturating_add(long * (long + 1) / 2);
                for &beat in stretch {
                    pool += beats[beat].len();
                    let ids = beats[beat].iter();
                    order.extend(ids.map(|part| (self.source(many).rows[part.at].id, part.minor)));
                }
                for &first in stretch {
                    if over {
                        break;
                    }
                    let wanted = sums[first] + target;
                    let mut ends: Vec<usize> = places
                        .range(wanted - allowed..=wanted + allowed)
                        .flat_map(|(_, places)| places.iter().copied())
                        .filter(|&end| end > first && end <= stop)
                        .collect();
                    ends.sort_unstable();
                    spent += ends.len() as u64;
                    for end in ends {
                        let rows: usize = beats[first..end].iter().map(Vec::len).sum();
                        if count.is_none_or(|count| count == rows as u64) {
                            found.push((first, end));
                        }
                    }
                    over = over || spent > nodes.saturating_mul(4);
                }
            }
            if over || pool as u64 > nodes {
                is_clear = false;
                self.undecided.insert((single, line));
                continue;
            }
            if found.is_empty() {
                continue;
            }
            let chance = u128::from(sets).saturating_mul(2 * allowed.unsigned_abs() + 1);
            let chance = chance
                .saturating_mul(1_000_000)
                .div_ceil(target.unsigned_abs());
            let run = |&(first, end): &(usize, usize)| -> Vec<usize> {
                beats[first..end]
                    .iter()
                    .flatten()
                    .map(|part| part.at)
                    .collect()
            };
            // a day's rows but one may be what the line is for as well
            let mut by_day: BTreeMap<Option<Date>, Vec<Part>> = BTreeMap::new();
            for part in free.iter().flat_map(|&beat| &beats[beat]) {
                let day = self.source(many).rows[part.at].day;
                by_day.entry(day).or_default().push(*part);
            }
            let mut sets_found: Vec<Vec<usize>> = found.iter().take(2).map(run).collect();
            let mut others = Vec::new();
            for parts in by_day.into_values().filter(|parts| parts.len() > 1) {
                let total: i128 = parts.iter().map(|part| part.minor).sum();
                let fits = |out: &&Part| (total - out.minor - target).abs() <= allowed;
                let is_told = count.is_none_or(|count| count + 1 == parts.len() as u64);
                for out in parts.iter().filter(fits).filter(|_| is_told).take(3) {
                    let rest = parts.iter().filter(|part| part.at != out.at);
                    others.push(rest.map(|part| part.at).collect::<Vec<usize>>());
                }
            }
            others.truncate(3);
            let as_set = |rows: &Vec<usize>| rows.iter().copied().collect::<BTreeSet<usize>>();
            let known: Vec<BTreeSet<usize>> = sets_found.iter().map(as_set).collect();
            others.retain(|other| !known.contains(&as_set(other)));
            let is_run = others.is_empty();
            sets_found.extend(others);
            let sets_known = found.len().max(sets_found.len()).min(2);
            sets_found.truncate(2);
            let hit = Hit {
                lines: vec![line],
                search: Search {
                    pool: pool as u32,
                    members: 0,
                    left_out: 0,
                    sets,
                    chance_millionths: u64::try_from(chance).unwrap_or(u64::MAX),
                },
                sets: sets_found,
                is_full: true,
                fit: Fit {
                    targets: vec![(target, allowed)],
                    parts: order,
                    is_run,
                    sets: sets_known,
                },
            };
            hits.push((hit, found));
        }
        // beats that runs of two lines claim
        let mut claims: Vec<(usize, usize, usize)> = Vec::new();
        for (which, (_, found)) in hits.iter().enumerate() {
            if found.len() > Bounds::RUNS {
                // very many: all from the first to the last
                let first = found.iter().map(|run| run.0).min().unwrap_or(0);
                let end = found.iter().map(|run| run.1).max().unwrap_or(0);
                claims.push((first, end, which));
            } else {
                claims.extend(found.iter().map(|&(first, end)| (first, end, which)));
            }
        }
        claims.sort_unstable();
        let mut contested: HashSet<usize> = HashSet::new();
        let mut reaching: Vec<(usize, usize)> = Vec::new();
        for (first, end, which) in claims {
            reaching.retain(|(reached, _)| *reached > first);
            for &(_, other) in reaching.iter().filter(|(_, other)| *other != which) {
                contested.extend([other, which]);
            }
            reaching.push((end, which));
        }
        for (which, (hit, found)) in hits.into_iter().enumerate() {
            if found.len() == 1 && hit.sets.len() == 1 && !contested.contains(&which) {
                let is_sure = is_clear
                    && !self.is_single_of_several(rule, &hit)
                    && !self.is_leftover(rule, hit.lines[0])
                    && hit.search.chance_millionths <= rule.bounds.chance_millionths;
                let group = self.searched(index, rule, &hit, is_sure);
                self.close(group);
            } else {
                self.undetermined(index, rule, hit.lines[0], hit.search, hit.fit);
            }
        }
    }

    pub(crate) fn assignment(&mut self, index: usize, rule: &MatchRule) {
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        for (left, right) in self.by_key(rule).into_values() {
            let mut by_figure: BTreeMap<(Currency, i128), Vec<usize>> = BTreeMap::new();
            for (place, &r) in right.iter().enumerate() {
                let figures = [
                    self.figure(rule, Side::Right, r),
                    self.part(rule, Side::Right, r),
                ];
                for (minor, currency) in BTreeSet::from(figures) {
                    by_figure.entry((currency, minor)).or_default().push(place);
                }
            }
            let figures = self.figures(rule, &left, &right);
            let mut tried = 0u64;
            let mut costs: BTreeMap<(usize, usize), (i128, i64)> = BTreeMap::new();
            for (place, &l) in left.iter().enumerate() {
                let figures = [
                    self.figure(rule, Side::Left, l),
                    self.part(rule, Side::Left, l),
                ];
                for (minor, currency) in BTreeSet::from(figures) {
                    let allowed = i128::from(self.tolerance_of(rule, currency));
                    let near =
                        by_figure.range((currency, minor - allowed)..=(currency, minor + allowed));
                    for &other in near.flat_map(|(_, places)| places) {
                        tried += 1;
                        if tried > Bounds::PAIRS {
                            break;
                        }
                        let (a, b) = (&self.left.rows[l], &self.right.rows[right[other]]);
                        if !self.in_window(window, a, b)
                            || self.contradicts(a, b)
                            || (rule.same_status && a.status != b.status)
                        {
                            continue;
                        }
                        let compared = self.compare(rule, l, right[other]);
                        if compared.code.is_some() {
                            continue;
                        }
                        let apart = compared
                            .causes
                            .iter()
                            .filter(|cause| cause.name != "fee")
                            .map(|cause| cause.minor.abs())
                            .sum();
                        let number =
                            |row: &Row| row.day.map_or(0, |day| i64::from(day.num_days_from_ce()));
                        costs.insert((place, other), (apart, (number(b) - number(a)).abs()));
                    }
                }
            }
            if tried > Bounds::PAIRS {
                self.undecided.extend(left.iter().map(|&l| (Side::Left, l)));
                self.undecided
                    .extend(right.iter().map(|&r| (Side::Right, r)));
                continue;
            }
            let links: Vec<(usize, usize)> = costs.keys().copied().collect();
            for (lefts, rights) in components_of(&links) {
                let rows = |places: &[usize], of: &[usize]| -> Vec<usize> {
                    places.iter().map(|&place| of[place]).collect()
                };
                let (l_rows, r_rows) = (rows(&lefts, &left), rows(&rights, &right));
                if lefts.len() > Bounds::ROWS_TOGETHER || rights.len() > Bounds::ROWS_TOGETHER {
                    self.undecided
                        .extend(l_rows.into_iter().map(|l| (Side::Left, l)));
                    self.undecided
                        .extend(r_rows.into_iter().map(|r| (Side::Right, r)));
                    continue;
                }
                let cost = |l: usize, r: usize| costs.get(&(lefts[l], rights[r])).copied();
                let best = least_cost(lefts.len(), rights.len(), &cost, None);
                let is_only = best.1.iter().all(|&pair| {
                    least_cost(lefts.len(), rights.len(), &cost, Some(pair)).0 != best.0
                });
                if !is_only {
                    let code = BreakCode::AmbiguousToken;
                    let group = self.many(index, rule, l_rows, r_rows, Outcome::Ambiguous, code);
                    self.close(group);
                    continue;
                }
                let is_whole = best.1.len() == lefts.len() && best.1.len() == rights.len();
                for (l, r) in best.1 {
                    let mut group = self.pair(index, rule, l_rows[l], r_rows[r]);
                    let currency = self.figure(rule, Side::Left, l_rows[l]).1;
                    let allowed = self.tolerance_of(rule, currency);
                    let crowded = self.crowded(rule, &figures, allowed, (l_rows[l], r_rows[r]));
                    if group.outcome == Outcome::Confirmed && (!is_whole || crowded) {
                        group.outcome = Outcome::Suggested;
                        group.code = Some(BreakCode::WeakEvidence);
                    }
                    self.close(group);
                }
            }
        }
    }

    /// Figures of the open rows of a key, by side, currency and day.
    pub(crate) fn figures(&self, rule: &MatchRule, left: &[usize], right: &[usize]) -> Figures {
        let mut all = Figures::new();
        for (side, rows) in [(Side::Left, left), (Side::Right, right)] {
            for &at in rows {
                let figures = [self.figure(rule, side, at), self.part(rule, side, at)];
                for (minor, currency) in BTreeSet::from(figures) {
                    let day = self.source(side).rows[at].day;
                    all.entry((side, currency, day)).or_default().push(minor);
                }
            }
        }
        all.values_mut().for_each(|figures| figures.sort_unstable());
        all
    }

    /// Whether strangers with about the same figure are so many that an equal one may be chance.
    pub(crate) fn crowded(
        &self,
        rule: &MatchRule,
        figures: &Figures,
        allowed: u64,
        pair: (usize, usize),
    ) -> bool {
        if rule.bounds.chance_millionths == 1_000_000 {
            return false; // whatever chance gives
        }
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        let mut most = 0u128;
        for side in [Side::Left, Side::Right] {
            let (own, other) = if side == Side::Left {
                pair
            } else {
                (pair.1, pair.0)
            };
            let (minor, currency) = self.figure(rule, side.other(), other);
            let reach = (minor.abs() / 64).clamp(8, 5_000);
            let near = minor - reach..=minor + reach;
            let mut strangers = 0i128;
            for ((_, _, day), others) in
                figures.range((side, currency, None)..=(side, currency, Some(Date::MAX)))
            {
                let mut stranger = self.source(side).rows[own].clone();
                stranger.day = *day;
                let other = &self.source(side.other()).rows[other];
                let in_window = match side {
                    Side::Left => self.in_window(window, &stranger, other),
                    Side::Right => self.in_window(window, other, &stranger),
                };
                if in_window {
                    let below = others.partition_point(|figure| figure < near.start());
                    let above = others.partition_point(|figure| figure <= near.end());
                    strangers += (above - below) as i128;
                }
            }
            let own = [self.figure(rule, side, own), self.part(rule, side, own)];
            for (minor, _) in BTreeSet::from(own) {
                strangers -= i128::from(near.contains(&minor));
            }
            let scaled =
                strangers.max(0).unsigned_abs() * (2 * u128::from(allowed) + 1) * 1_000_000;
            most = most.max(scaled.div_ceil(2 * reach.unsigned_abs() + 1));
        }
        most > u128::from(rule.bounds.chance_millionths)
    }

    pub(crate) fn near_key(&mut self, index: usize, rule: &MatchRule, near: &Near) {
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        let text = |side: Side, row: &Row| match side {
            Side::Left => field(&near.on.left, &near.on.left_normalise, row),
            Side::Right => field(&near.on.right, &near.on.right_normalise, row),
        };
        let least = usize::from(near.min_chars);
        // the later source of the chain has texts, the earlier one references; of two alike both have either
        let role = |source: usize| self.rules.sources[source].role;
        let (left_role, right_role) = (role(self.edge.left), role(self.edge.right));
        let may_be_cut = [right_role <= left_role, left_role <= right_role];
        let mut made: Vec<Group> = Vec::new();
        for (left, right) in self.by_key(rule).into_values() {
            let mut by_figure: BTreeMap<(i128, Currency), (Vec<usize>, Vec<usize>)> =
                BTreeMap::new();
            for (side, rows) in [(Side::Left, &left), (Side::Right, &right)] {
                for &at in rows {
                    if text(side, &self.source(side).rows[at]).is_none() {
                        continue;
                    }
                    let figures = [self.figure(rule, side, at), self.part(rule, side, at)];
                    for figure in BTreeSet::from(figures) {
                        let both = by_figure.entry(figure).or_default();
                        match side {
                            Side::Left => both.0.push(at),
                            Side::Right => both.1.push(at),
                        }
                    }
                }
            }
            let mut links: BTreeSet<(usize, usize)> = BTreeSet::new();
            for (lefts, rights) in by_figure.into_values() {
                if lefts.len() as u64 * rights.len() as u64 > Bounds::PAIRS {
                    self.undecided
                        .extend(lefts.into_iter().map(|l| (Side::Left, l)));
                    self.undecided
                        .extend(rights.into_iter().map(|r| (Side::Right, r)));
                    continue;
                }
                let texts = |side: Side, rows: &[usize]| -> Vec<String> {
                    let rows = rows.iter().map(|&at| &self.source(side).rows[at]);
                    rows.map(|row| text(side, row).unwrap_or_default())
                        .collect()
                };
                let right_texts = texts(Side::Right, &rights);
                for (&l, a) in lefts.iter().zip(texts(Side::Left, &lefts)) {
                    for (&r, b) in rights.iter().zip(&right_texts) {
                        if names(&a, b, least, may_be_cut)
                            && self.in_window(window, &self.left.rows[l], &self.right.rows[r])
                            && self.compare(rule, l, r).code.is_none()
                        {
                            links.insert((l, r));
                        }
                    }
                }
            }
            let links: Vec<(usize, usize)> = links.into_iter().collect();
            for (lefts, rights) in components_of(&links) {
                made.push(if let ([l], [r]) = (&lefts[..], &rights[..]) {
                    self.pair(index, rule, *l, *r)
                } else {
                    let code = BreakCode::AmbiguousToken;
                    self.many(index, rule, lefts, rights, Outcome::Ambiguous, code)
                });
            }
        }
        // numbers that stand close together prove nothing
        for side in [Side::Left, Side::Right] {
            let pairs: Vec<usize> = (0..made.len())
                .filter(|&at| {
                    made[at].left.len() == 1
                        && made[at].right.len() == 1
                        && self.mended(&made[at]).outcome == Outcome::Confirmed
                })
                .collect();
            let of = |at: usize, side: Side| {
                let row = in_either(side, &made[at].left, &made[at].right)[0];
                text(side, &self.source(side).rows[row]).unwrap_or_default()
            };
            let mut lacking: HashMap<String, Vec<usize>> = HashMap::new();
            let mut parts: HashMap<String, Vec<usize>> = HashMap::new();
            let (own, other): (Vec<String>, Vec<String>) = pairs
                .iter()
                .map(|&at| (of(at, side), of(at, side.other())))
                .unzip();
            for (which, text) in other.iter().enumerate() {
                for lack in lacks(text) {
                    lacking.entry(lack).or_default().push(which);
                }
                for part in windows(text, least) {
                    parts.entry(part).or_default().push(which);
                }
            }
            let mut doubted: HashSet<usize> = HashSet::new();
            // how many numbers begin as a pair's up to its slip, and are as long as the other side's
            let mut taken: BTreeMap<usize, u128> = BTreeMap::new();
            let mut begin: HashMap<(String, usize), Vec<usize>> = HashMap::new();
            for which in 0..pairs.len() {
                if one_slip(&own[which], &other[which]) {
                    let stem = common(&own[which], &other[which]);
                    let long = other[which].len();
                    begin.entry((stem, long)).or_default().push(which);
                }
            }
            let stems: BTreeSet<usize> = begin.keys().map(|(stem, _)| stem.len()).collect();
            for (at, row) in self.source(side).rows.iter().enumerate() {
                let Some(text) = text(side, row) else {
                    continue;
                };
                let by_its_own = self.is_confirmed_by_key(side, at);
                let lacks = lacks(&text)
                    .into_iter()
                    .filter_map(|lack| lacking.get(&lack));
                let windows = windows(&text, least);
                let parts = windows.iter().filter_map(|part| parts.get(part));
                for &which in lacks.chain(parts).flatten() {
                    let slips =
                        one_slip(&own[which], &other[which]) && one_slip(&text, &other[which]);
                    if own[which] != text
                        && alike(&text, &other[which], least)
                        && !(by_its_own && slips)
                    {
                        doubted.insert(pairs[which]);
                    }
                }
                for stem in stems.iter().filter_map(|&end| text.get(..end)) {
                    let same = begin.get(&(stem.to_owned(), text.len()));
                    for &which in same.into_iter().flatten() {
                        if stem.len() < text.len() && own[which] != text && other[which] != text {
                            *taken.entry(which).or_default() += 1;
                        }
                    }
                }
            }
            for (which, count) in taken {
                let stem = common(&own[which], &other[which]);
                let rest = &other[which][stem.len()..];
                let is_decimal = rest.chars().all(|c| c.is_ascii_digit());
                let letters: u128 = if is_decimal { 10 } else { 16 };
                let room = letters.saturating_pow(rest.chars().count() as u32);
                if count * 1_000_000 > u128::from(rule.bounds.chance_millionths) * room {
                    doubted.insert(pairs[which]);
                }
            }
            for at in doubted {
                made[at].outcome = Outcome::Suggested;
                made[at].code = Some(BreakCode::WeakEvidence);
            }
        }
        for group in made {
            self.close(group);
        }
    }

    /// Rows that agree in their key under a rule are no candidates of another key.
    pub(crate) fn contradicts(&self, left: &Row, right: &Row) -> bool {
        let rules = self.edge.rules.iter().filter(|rule| rule.pass.is_by_key());
        for rule in rules {
            if let (Some(l), Some(r)) = (key(rule, Side::Left, left), key(rule, Side::Right, right))
                && l != r
            {
                return true;
            }
        }
        false
    }
}

/// The characters that two texts begin with.
fn common(a: &str, b: &str) -> String {
    let both = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    both.map(|(c, _)| c).collect()
}

/// Whether two texts, of which neither need hold the other, are the same but for a slip.
fn one_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    slip(&short, &long)
}

fn slip(short: &[char], long: &[char]) -> bool {
    match long.len() - short.len() {
        0 => {
            let wrong: Vec<usize> = (0..short.len())
                .filter(|&at| short[at] != long[at])
                .collect();
            match wrong[..] {
                [_] => true,
                [x, y] => y == x + 1 && short[x] == long[y] && short[y] == long[x],
                _ => false,
            }
        }
        1 => (0..long.len())
            .any(|gone| long[..gone] == short[..gone] && long[gone + 1..] == short[gone..]),
        _ => false,
    }
}

/// Whether two texts name one payment: alike, and where one holds the other, it is a word of its own there or the
/// shorter one is a text cut at one end (`may_be_cut`: the left one, the right one).
fn names(left: &str, right: &str, least: usize, may_be_cut: [bool; 2]) -> bool {
    if !alike(left, right, least) {
        return false;
    }
    let left_is_short = left.len() <= right.len();
    let (short, long) = match left_is_short {
        true => (left, right),
        false => (right, left),
    };
    if !long.contains(short) {
        return true;
    }
    let may_be_cut = match left.len() == right.len() {
        true => true,
        false => may_be_cut[usize::from(!left_is_short)],
    };
    let is_end = long.starts_with(short) || long.ends_with(short);
    let goes_on = |c: &char| c.is_ascii_alphanumeric() || c.is_numeric();
    let is_decimal = short.chars().all(|c| c.is_ascii_digit());
    let chars: Vec<char> = long.chars().collect();
    let word: Vec<char> = short.chars().collect();
    let is_word = (0..=chars.len() - word.len()).any(|at| {
        let end = at + word.len();
        if chars[at..end] != word[..] || chars.get(end).is_some_and(goes_on) {
            return false;
        }
        let before: Vec<char> = chars[..at]
            .iter()
            .rev()
            .copied()
            .take_while(goes_on)
            .skip_while(|c| *c == '0')
            .collect();
        before.is_empty() || is_decimal && before.iter().all(char::is_ascii_alphabetic)
    });
    may_be_cut && is_end || is_word
}

/// Whether one text holds the other or is it but for one slip.
fn alike(a: &str, b: &str, least: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() < least || b.len() < least {
        return false;
    }
    let (short, long) = if a.len() <= b.len() {
        (&a, &b)
    } else {
        (&b, &a)
    };
    if long.windows(short.len()).any(|part| part == &short[..]) {
        return true;
    }
    slip(short, long)
}

/// A text, and it less each one of its characters.
fn lacks(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut all = vec![text.to_owned()];
    for gone in 0..chars.len() {
        all.push(chars[..gone].iter().chain(&chars[gone + 1..]).collect());
    }
    all
}

/// All parts of so many characters.
fn windows(text: &str, chars: usize) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.windows(chars)
        .map(|part| part.iter().collect())
        .collect()
}

/// How many sets of so many there are, at most 2^64 - 1.
fn binomial(rows: u64, size: u64) -> u64 {
    let mut sets = 1u128;
    let size = size
        .min(rows.saturating_sub(size))
        .min(if size > rows { 0 } else { u64::MAX });
    for taken in 1..=size {
        sets = sets * u128::from(rows + 1 - taken) / u128::from(taken);
        if sets > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    sets as u64
}

fn steps(rows: u64, members: u64) -> u64 {
    let mut all = 0u64;
    for size in 0..members {
        all = all.saturating_add(if size > rows { 0 } else { binomial(rows, size) });
    }
    all
}

/// The first two sets of one to `most` of the rising values that come within `allowed` of the target.
fn sets_that_tie(
    values: &[i128],
    most: usize,
    target: i128,
    allowed: i128,
    count: Option<u64>,
) -> Vec<Vec<usize>> {
    struct Look<'v> {
        values: &'v [i128],
        allowed: i128,
        count: Option<u64>,
        taken: Vec<usize>,
        found: Vec<Vec<usize>>,
    }
    impl Look<'_> {
        /// Takes from the first `end` values.
        fn down(&mut self, end: usize, picks: usize, rest: i128) {
            if picks == 1 {
                let from = self.values[..end].partition_point(|v| *v < rest - self.allowed);
                for at in from..end {
                    if self.values[at] > rest + self.allowed || self.found.len() >= 2 {
                        break;
                    }
                    self.taken.push(at);
                    self.note();
                    self.taken.pop();
                }
                return;
            }
            for at in (0..end).rev() {
                if self.found.len() >= 2 {
                    return;
                }
                let highest: i128 = self.values[(at + 1).saturating_sub(picks)..=at]
                    .iter()
                    .filter(|v| **v > 0)
                    .sum();
                if highest.max(self.values[at]) < rest - self.allowed {
                    return;
                }
                let lowest: i128 = self.values[..picks.min(at + 1)]
                    .iter()
                    .filter(|v| **v < 0)
                    .sum();
                if lowest > rest + self.allowed
                    || (lowest == 0 && self.values[0] > rest + self.allowed)
                {
                    return;
                }
                self.taken.push(at);
                let left = rest - self.values[at];
                if left.abs() <= self.allowed {
                    self.note();
                }
                self.down(at, picks - 1, left);
                self.taken.pop();
            }
        }

        fn note(&mut self) {
            if self
                .count
                .is_none_or(|count| count == self.taken.len() as u64)
            {
                self.found.push(self.taken.clone());
            }
        }
    }
    if most == 0 || values.is_empty() {
        return Vec::new();
    }
    let mut look = Look {
        values,
        allowed,
        count,
        taken: Vec::new(),
        found: Vec::new(),
    };
    look.down(values.len(), most, target);
    look.found.truncate(2);
    look.found
}

/// Cost and pairs of an assignment.
type Best = ((usize, i128, i64), Vec<(usize, usize)>);

/// The assignment with the most pairs and among these the least cost, by paths that grow it pair by pair
/// (Bellman-Ford); `without` is a pair that may not be.
fn least_cost(
    lefts: usize,
    rights: usize,
    cost: &dyn Fn(usize, usize) -> Option<(i128, i64)>,
    without: Option<(usize, usize)>,
) -> Best {
    let cost = |l, r| {
        if without == Some((l, r)) {
            None
        } else {
            cost(l, r)
        }
    };
    let mut of_right: Vec<Option<usize>> = vec![None; rights];
    let mut of_left: Vec<Option<usize>> = vec![None; lefts];
    let mut total = (0i128, 0i64);
    let mut pairs = 0;
    loop {
        let mut left_dist: Vec<Option<(i128, i64)>> = of_left
            .iter()
            .map(|mate| mate.is_none().then_some((0, 0)))
            .collect();
        let mut right_dist: Vec<Option<(i128, i64)>> = vec![None; rights];
        let mut from: Vec<usize> = vec![0; rights];
        let mut moved = true;
        while moved {
            moved = false;
            for l in 0..lefts {
                let Some(so_far) = left_dist[l] else { continue };
                for r in (0..rights).filter(|&r| of_left[l] != Some(r)) {
                    let Some(step) = cost(l, r) else { continue };
                    let next = (so_far.0 + step.0, so_far.1 + step.1);
                    if right_dist[r].is_none_or(|known| next < known) {
                        right_dist[r] = Some(next);
                        from[r] = l;
                        moved = true;
                        if let Some(mate) = of_right[r] {
                            let back = cost(mate, r).unwrap_or((0, 0));
                            let there = (next.0 - back.0, next.1 - back.1);
                            if left_dist[mate].is_none_or(|known| there < known) {
                                left_dist[mate] = Some(there);
                            }
                        }
                    }
                }
            }
        }
        let free = (0..rights).filter(|&r| of_right[r].is_none());
        let nearest = free.filter_map(|r| Some((right_dist[r]?, r))).min();
        let Some((gain, mut r)) = nearest else { break };
        total = (total.0 + gain.0, total.1 + gain.1);
        pairs += 1;
        loop {
            let l = from[r];
            let before = of_left[l];
            of_left[l] = Some(r);
            of_right[r] = Some(l);
            match before {
                Some(next) => r = next,
                None => break,
            }
        }
    }
    let made = of_left
        .iter()
        .enumerate()
        .filter_map(|(l, r)| Some((l, (*r)?)));
    (
        (lefts.min(rights) - pairs, total.0, total.1),
        made.collect(),
    )
}
