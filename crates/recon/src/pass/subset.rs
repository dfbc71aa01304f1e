//! One line for several rows of a pool that add up to it.
//!
//! All sets of at most `members` rows, and all that leave out at most `left_out` rows of the pool, are looked through
//! (branch and bound over sorted figures, the last row by a look-up), up to the second one that ties. The bounds shrink
//! beforehand until the number of steps that they may take fits into that of the rule, so that the verdict is always
//! one about all sets within the bounds that the result states.

use std::collections::{HashMap, HashSet};

use quanfu_money::Currency;
use quanfu_settlement::Side;
use quanfu_settlement::outcome::Search;
use quanfu_settlement::rules::Bounds;

use super::{Found, Keyed, Keys, SAME_DAY, Turn, chance_millionths, tolerance_for};
use crate::edge::EdgeJob;
use crate::error::ReconError;

/// A row of the pool.
struct Part {
    day: i32,
    minor: i128,
    currency: Currency,
    row: u32,
    keys: Option<Keys>,
}

/// Lines that are looked at together, and what they ask for.
struct Ask {
    lines: Vec<u32>,
    target: i128,
    currency: Currency,
    tolerance: u64,
    /// How many rows the lines say they stand for.
    count: Option<u64>,
}

/// What came of one search.
struct Verdict {
    search: Search,
    /// The sets that tie, two at the most.
    sets: Vec<Vec<u32>>,
    /// Whether the bounds are those of the rule.
    is_full: bool,
}

impl EdgeJob<'_> {
    pub(super) fn subset(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let single = self.single(turn.rule);
        let (lines, rows) = (keyed.side(single), keyed.side(single.other()));
        if lines.is_empty() || rows.is_empty() {
            return Ok(());
        }
        let mut pool = self.pool(turn, single.other(), rows);
        let mut open: Vec<u32> = lines.to_vec();
        for together in 1..=usize::from(turn.rule.bounds.lines) {
            let combinations = choose(open.len() as u64, together as u64);
            let wave = Turn {
                nodes: (turn.nodes.saturating_mul(open.len() as u64) / combinations.max(1))
                    .min(turn.nodes),
                ..turn
            };
            let is_wide = combinations > Bounds::LINES_TOGETHER || wave.nodes < pool.len() as u64;
            if together > 1 && is_wide {
                out.undecided
                    .extend(open.iter().map(|&line| (single, line)));
                break;
            }
            let asks = self.asks(turn, single, &open, together);
            // each line can be told by itself, or with so many others
            let with_others = choose(open.len() as u64 - 1, together as u64 - 1);
            let taken = self.wave(wave, single, &asks, with_others, &pool, out)?;
            open.retain(|line| !taken[0].contains(line));
            pool.retain(|part| !taken[1].contains(&part.row));
            if open.len() < 2 || pool.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn pool(&self, turn: Turn<'_>, side: Side, rows: &[u32]) -> Vec<Part> {
        let book = self.book(side);
        let with_keys = self.edge.rules.iter().any(|rule| rule.pass.is_by_key());
        let parts = rows.iter().map(|&row| {
            let (minor, currency) = self.part(turn.rule, side, row);
            Part {
                day: book.accounting_days()[row as usize],
                minor,
                currency,
                row,
                keys: with_keys.then(|| self.keys(side, row)),
            }
        });
        // a row of nothing would make two sets of every one
        let mut parts: Vec<Part> = parts.filter(|part| part.minor != 0).collect();
        parts.sort_unstable_by_key(|part| (part.day, book.id(part.row)));
        parts
    }

    /// All combinations of so many lines of one currency.
    fn asks(&self, turn: Turn<'_>, single: Side, open: &[u32], together: usize) -> Vec<Ask> {
        let mut asks: Vec<Ask> = Vec::new();
        let mut at: Vec<usize> = (0..together).collect();
        while at.last().is_some_and(|&last| last < open.len()) {
            let lines: Vec<u32> = at.iter().map(|&at| open[at]).collect();
            let figures = lines
                .iter()
                .map(|&line| self.whole(turn.rule, single, line));
            let figures: Vec<_> = figures.collect();
            let currency = figures[0].1;
            let counts = lines
                .iter()
                .map(|&line| self.counted(turn.rule, single, line));
            let target = figures.iter().map(|figure| figure.0).sum();
            if target != 0 && figures.iter().all(|figure| figure.1 == currency) {
                asks.push(Ask {
                    count: counts.sum(),
                    lines,
                    target,
                    currency,
                    tolerance: tolerance_for(turn.rule, currency),
                });
            }
            // the next combination in order
            let mut place = together;
            loop {
                if place == 0 {
                    return asks;
                }
                place -= 1;
                at[place] += 1;
                for next in place + 1..together {
                    at[next] = at[next - 1] + 1;
                }
                if at[together - 1] < open.len() {
                    break;
                }
            }
        }
        asks
    }

    /// Searches for each ask and takes what is found; gives the lines and rows that are taken or ambiguous.
    fn wave(
        &self,
        turn: Turn<'_>,
        single: Side,
        asks: &[Ask],
        with_others: u64,
        pool: &[Part],
        out: &mut Found,
    ) -> Result<[HashSet<u32>; 2], ReconError> {
        let mut verdicts: Vec<(&Ask, Verdict)> = Vec::new();
        let mut is_clear = true;
        for ask in asks {
            match self.search(turn, single, ask, with_others, pool) {
                Some(verdict) if verdict.sets.is_empty() && verdict.is_full => {}
                Some(verdict) if !verdict.sets.is_empty() => verdicts.push((ask, verdict)),
                _ => {
                    is_clear = false;
                    out.undecided
                        .extend(ask.lines.iter().map(|&line| (single, line)));
                }
            }
        }
        // a line or row that several sets lay claim to is nobody's
        let (mut line_claims, mut row_claims): (HashMap<u32, usize>, HashMap<u32, usize>) =
            Default::default();
        for (ask, verdict) in &verdicts {
            ask.lines
                .iter()
                .for_each(|&line| *line_claims.entry(line).or_default() += 1);
            if let [set] = &verdict.sets[..] {
                set.iter()
                    .for_each(|&row| *row_claims.entry(row).or_default() += 1);
            }
        }
        let is_alone = |ask: &Ask, verdict: &Verdict| {
            verdict.sets.len() == 1
                && ask.lines.iter().all(|line| line_claims[line] == 1)
                && verdict.sets[0].iter().all(|row| row_claims[row] == 1)
        };
        is_clear &= verdicts.iter().all(|(ask, verdict)| is_alone(ask, verdict));
        let mut taken = [HashSet::new(), HashSet::new()];
        for (ask, verdict) in &verdicts {
            if is_alone(ask, verdict) {
                let rows = verdict.sets[0].clone();
                taken[0].extend(&ask.lines);
                taken[1].extend(&rows);
                let is_sure = is_clear
                    && verdict.is_full
                    && !self.is_lone(turn, &ask.lines, rows.len(), verdict.search)
                    && verdict.search.chance_millionths <= turn.rule.bounds.chance_millionths;
                let (left, right) = match single {
                    Side::Left => (ask.lines.clone(), rows),
                    Side::Right => (rows, ask.lines.clone()),
                };
                out.drafts
                    .push(self.searched(turn, verdict.search, is_sure, left, right)?);
                continue;
            }
            for &line in &ask.lines {
                if taken[0].insert(line) {
                    let of_line = verdicts.iter().filter(|(ask, _)| ask.lines.contains(&line));
                    let sets = of_line.flat_map(|(_, verdict)| verdict.sets.iter().cloned());
                    let alternatives: Vec<Vec<u32>> = sets.take(2).collect();
                    out.drafts
                        .push(self.undetermined(turn, verdict.search, line, alternatives));
                }
            }
        }
        Ok(taken)
    }

    /// `None`: the pool is too large to be looked through at all.
    fn search(
        &self,
        turn: Turn<'_>,
        single: Side,
        ask: &Ask,
        with_others: u64,
        pool: &[Part],
    ) -> Option<Verdict> {
        let scales = self.scales();
        let window = Some(turn.rule.window.unwrap_or(SAME_DAY));
        let in_window = |row: u32| {
            ask.lines.iter().all(|&line| match single {
                Side::Left => scales.in_window(window, line, row),
                Side::Right => scales.in_window(window, row, line),
            })
        };
        let line_keys: Vec<Keys> = ask
            .lines
            .iter()
            .map(|&line| self.keys(single, line))
            .collect();
        let fits = |part: &Part| {
            part.currency == ask.currency
                && part
                    .keys
                    .as_ref()
                    .is_none_or(|keys| line_keys.iter().all(|line| !self.contradicts(line, keys)))
        };
        let days = pool
            .chunk_by(|a, b| a.day == b.day)
            .filter(|parts| in_window(parts[0].row));
        let days: Vec<&[Part]> = days.collect();
        if days.iter().map(|parts| parts.len() as u64).sum::<u64>() > turn.nodes {
            return None;
        }
        // the mirror image where money goes out: then the line is positive
        let sign = ask.target.signum();
        let target = ask.target * sign;
        let parts = days.into_iter().flatten().filter(|part| fits(part));
        let mut items: Vec<(i128, u32)> = parts.map(|part| (part.minor * sign, part.row)).collect();
        if items.iter().all(|item| item.0 > 0) {
            items.retain(|item| item.0 <= target + i128::from(ask.tolerance));
        }
        let book = self.book(single.other());
        items.sort_unstable_by_key(|&(minor, row)| (std::cmp::Reverse(minor), book.id(row)));
        let extent = Extent::within(&turn.rule.bounds, turn.nodes, items.len() as u64);
        let mut hunt = Hunt::new(items.iter().map(|item| item.0), ask.tolerance.into());
        let count = ask
            .count
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        hunt.collect(target, extent.members.into(), count);
        if let Some(left_out) = extent.left_out {
            hunt.collect_all_but(target, left_out.into(), count);
        }
        let sets = hunt.found.iter();
        let sets = sets
            .map(|set| set.iter().map(|&at| items[at].1).collect())
            .collect();
        let sets_tried = extent
            .sets(count.map(|count| count as u64))
            .saturating_mul(with_others);
        Some(Verdict {
            search: Search {
                pool: items.len() as u32,
                members: extent.members,
                left_out: extent.left_out.unwrap_or(0),
                sets: sets_tried,
                chance_millionths: chance_millionths(sets_tried, ask.tolerance, target),
            },
            sets,
            is_full: extent.is_full,
        })
    }
}

/// Which sets of a pool are looked through.
struct Extent {
    rows: u64,
    /// Sets of one to so many rows.
    members: u8,
    /// Larger sets, if they lack at most so many rows.
    left_out: Option<u8>,
    is_full: bool,
}

impl Extent {
    /// The widest bounds within those of the rule whose steps do not go beyond `nodes`.
    fn within(bounds: &Bounds, nodes: u64, rows: u64) -> Self {
        let widest = u64::from(bounds.members).min(rows);
        let mut members = widest;
        while members > 1 && steps(rows, members) > nodes {
            members -= 1;
        }
        let mut is_full = members == widest;
        let mut left_out = None;
        if rows > members {
            let widest = u64::from(bounds.left_out).min(rows - members - 1);
            let spare = nodes.saturating_sub(steps(rows, members));
            let mut most = widest;
            while most > 0 && steps(rows, most) > spare {
                most -= 1;
            }
            is_full &= most == widest;
            left_out = Some(most as u8);
        }
        Self {
            rows,
            members: members as u8,
            left_out,
            is_full,
        }
    }

    /// How many sets that is, with `count` only those of so many rows.
    fn sets(&self, count: Option<u64>) -> u64 {
        let of = |size: u64| match count {
            Some(count) if count != size => 0,
            _ => choose(self.rows, size),
        };
        let small = (1..=u64::from(self.members)).map(of);
        let large = self.left_out.map_or(0, |left_out| {
            let sizes = self.rows - u64::from(left_out)..=self.rows;
            sizes.map(of).fold(0, u64::saturating_add)
        });
        small.fold(large, u64::saturating_add)
    }
}

/// Steps of looking through all sets of at most `members` of `rows`, the last member being looked up.
fn steps(rows: u64, members: u64) -> u64 {
    (0..members).fold(0, |steps: u64, size| {
        steps.saturating_add(choose(rows, size))
    })
}

/// How many sets of `size` there are; at most 2^64 - 1.
fn choose(rows: u64, size: u64) -> u64 {
    if size > rows {
        return 0;
    }
    let size = size.min(rows - size);
    let mut sets: u128 = 1;
    for step in 0..size {
        sets = sets * u128::from(rows - step) / u128::from(step + 1);
        if sets > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    sets as u64
}

/// A search through sets of figures, up to the second one that ties.
struct Hunt {
    /// Falling.
    values: Vec<i128>,
    /// Sum of the first so many.
    sums: Vec<i128>,
    /// How many are positive.
    positive: usize,
    tolerance: i128,
    chosen: Vec<usize>,
    found: Vec<Vec<usize>>,
}

const ENOUGH: usize = 2;

impl Hunt {
    fn new(values: impl Iterator<Item = i128>, tolerance: i128) -> Self {
        let values: Vec<i128> = values.collect();
        let mut sums = vec![0];
        for value in &values {
            sums.push(sums[sums.len() - 1] + value); // at most 2^32 rows of 2^65
        }
        Self {
            positive: values.partition_point(|value| *value > 0),
            values,
            sums,
            tolerance,
            chosen: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Sets of one to `most` rows, with `count` only those of so many.
    fn collect(&mut self, target: i128, most: usize, count: Option<usize>) {
        if most > 0 {
            self.go(0, most, target, count);
        }
    }

    /// Sets that lack at most `left_out` rows.
    fn collect_all_but(&mut self, target: i128, left_out: usize, count: Option<usize>) {
        let (all, total) = (self.values.len(), self.sums[self.values.len()]);
        let mut others = Self {
            found: Vec::new(),
            values: std::mem::take(&mut self.values),
            sums: std::mem::take(&mut self.sums),
            chosen: Vec::new(),
            ..*self
        };
        let lacking = count.map(|count| all.wrapping_sub(count));
        if (total - target).abs() <= self.tolerance && lacking.is_none_or(|lacking| lacking == 0) {
            others.found.push(Vec::new());
        }
        if lacking != Some(0) {
            others.collect(total - target, left_out, lacking);
        }
        for lacking in &others.found {
            let kept = (0..all).filter(|at| !lacking.contains(at));
            self.found.push(kept.collect());
        }
        self.found.truncate(ENOUGH);
        (self.values, self.sums) = (others.values, others.sums);
    }

    /// Adds rows from `start` on, `picks` at most and one at least, that bring `rest`.
    fn go(&mut self, start: usize, picks: usize, rest: i128, count: Option<usize>) {
        let all = self.values.len();
        let (low, high) = (rest - self.tolerance, rest + self.tolerance);
        if count.is_none_or(|count| count == self.chosen.len() + 1) {
            let first = self
                .values
                .partition_point(|value| *value > high)
                .max(start);
            let hits = (first..all).take_while(|&at| self.values[at] >= low);
            for at in hits {
                let mut set = self.chosen.clone();
                set.push(at);
                self.found.push(set);
                if self.found.len() >= ENOUGH {
                    return;
                }
            }
        }
        if picks < 2 || count.is_some_and(|count| count <= self.chosen.len() + 1) {
            return;
        }
        for at in start..all.saturating_sub(1) {
            let value = self.values[at];
            if value + self.most(at + 1, picks - 1) < low {
                return; // later rows bring less
            }
            if value + self.least(at + 1, picks - 1) > high {
                continue;
            }
            self.chosen.push(at);
            self.go(at + 1, picks - 1, rest - value, count);
            self.chosen.pop();
            if self.found.len() >= ENOUGH {
                return;
            }
        }
    }

    /// The most that one to `picks` rows from `start` on can bring.
    fn most(&self, start: usize, picks: usize) -> i128 {
        if start < self.positive {
            self.sums[(start + picks).min(self.positive)] - self.sums[start]
        } else {
            self.values[start]
        }
    }

    /// The least that one to `picks` rows from `start` on can bring.
    fn least(&self, start: usize, picks: usize) -> i128 {
        let all = self.values.len();
        if self.values[all - 1] < 0 {
            self.sums[all] - self.sums[all.saturating_sub(picks).max(start).max(self.positive)]
        } else {
            self.values[all - 1]
        }
    }
}
