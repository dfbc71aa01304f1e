//! Bank lines for all rows of a batch.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use quanfu_settlement::rules::{Bounds, Explain, Field, MatchRule, RoundingPer};
use quanfu_settlement::{BreakCode, Outcome, Side};

use super::{Found, Keyed, Turn, doubt, tolerance_for};
use crate::compare::{Figure, round_fee};
use crate::edge::{Draft, EdgeJob, OPEN};
use crate::error::ReconError;
use crate::key::{push_field, push_key};

/// Whether lines that tie with all rows of a key only together could be batches of their own.
#[derive(PartialEq, Eq)]
enum Apart {
    No,
    Yes,
    /// There are too many of them to be tried.
    Unknown,
}

/// A day of a key but for its day.
#[derive(Default)]
struct Day {
    /// Whether a line of it does not tie.
    is_open: bool,
    /// What its rows bring to a sum, and how many bring it.
    figures: BTreeMap<Figure, u64>,
}

/// How many of a million pairs of a row of the one and a row of the other bring the same.
fn equal_millionths(figures: &[Figure], others: &BTreeMap<Figure, u64>) -> u128 {
    let equal = |figure| u128::from(others.get(figure).copied().unwrap_or(0));
    let equal: u128 = figures.iter().map(equal).sum();
    let others: u64 = others.values().sum();
    equal * 1_000_000 / (figures.len() as u128 * u128::from(others)).max(1)
}

impl EdgeJob<'_> {
    /// One bank line for all rows of the key, or several if their sum ties and no part of them does.
    pub(super) fn net_batch(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        let rule = turn.rule;
        let single = self.single(rule);
        let (one, many) = (keyed.side(single), keyed.side(single.other()));
        if one.is_empty() || (many.is_empty() && (one.len() == 1 || rule.leave_difference)) {
            return Ok(());
        }
        let ambiguous = || {
            self.open_group(
                turn,
                Outcome::Ambiguous,
                BreakCode::AmbiguousKey,
                left,
                right,
            )
        };
        if many.is_empty() {
            out.drafts.push(ambiguous()?);
            return Ok(());
        }
        let mut compared = self
            .scales()
            .batch(rule, left, right, single == Side::Right)?;
        if compared.code.is_some() && rule.leave_difference {
            return Ok(());
        }
        if compared.code.is_some() && one.len() > 1 {
            out.drafts.push(ambiguous()?);
            return Ok(());
        }
        let apart = if compared.code.is_none() {
            self.apart(rule, single, one, many)
        } else {
            Apart::No
        };
        if apart != Apart::No && rule.leave_difference {
            return Ok(()); // a later rule may tell the batches apart
        }
        if apart == Apart::Yes {
            out.drafts.push(ambiguous()?);
            return Ok(());
        }
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
        let in_window = self.all_in_window(rule, keyed);
        let mut draft = self.judged(turn, compared, in_window, left.to_vec(), right.to_vec());
        let counted: Option<Vec<u64>> = one
            .iter()
            .map(|&line| self.counted(rule, single, line))
            .collect();
        let miscounted = counted.is_some_and(|counts| {
            let all = many.len() as u64;
            counts.iter().any(|&count| count != all) // lines of one batch each tell the whole of it
        });
        if miscounted || apart == Apart::Unknown {
            doubt(&mut draft);
        }
        out.drafts.push(draft);
        Ok(())
    }

    /// Where the line of the day before or after does not tie with its rows, the cut-off may have moved: if rows of equal
    /// figures are common, a batch may tie by some of its rows in place of some of that day's.
    pub(crate) fn doubt_moved_cutoff(
        &self,
        rule: &MatchRule,
        state: &[Vec<u8>; 2],
        drafts: &mut [Draft],
    ) {
        let is_day = |field: &Field| matches!(field, Field::AccountingDay | Field::ValueDate);
        let Some(at) = rule
            .on
            .iter()
            .position(|on| is_day(&on.left) && is_day(&on.right))
        else {
            return;
        };
        let mut others = rule.clone();
        let day = others.on.remove(at);
        // the key but for its day, and the day
        let key = |side: Side, row: u32| {
            let (mut text, mut on) = (String::new(), String::new());
            let field = match side {
                Side::Left => &day.left,
                Side::Right => &day.right,
            };
            let book = self.book(side);
            let is_whole = push_key(&others, side, book, row, &mut text)
                && push_field(field, &[], book, row, &mut on);
            is_whole.then_some((text, on))
        };
        let single = self.single(rule);
        let rows_of = |draft: &Draft, side: Side| match side {
            Side::Left => draft.left.clone(),
            Side::Right => draft.right.clone(),
        };
        let is_tied =
            |draft: &&Draft| matches!(draft.group.outcome, Outcome::Confirmed | Outcome::Suggested);
        let tied: HashSet<u32> = drafts
            .iter()
            .filter(is_tied)
            .flat_map(|draft| rows_of(draft, single))
            .collect();
        let open = |side: Side| {
            let book = self.book(side);
            let filter = match side {
                Side::Left => &rule.left_where,
                Side::Right => &rule.right_where,
            };
            (0..book.len()).filter(move |&row| {
                state[side as usize][row as usize] == OPEN
                    && filter.passes(book.kind(row), book.status(row))
            })
        };
        let mut days: HashMap<String, BTreeMap<String, Day>> = HashMap::new();
        for line in open(single).filter(|line| !tied.contains(line)) {
            if let Some((key, _)) = key(single, line) {
                days.entry(key).or_default();
            }
        }
        if days.is_empty() {
            return;
        }
        for line in open(single) {
            if let Some((key, on)) = key(single, line)
                && let Some(days) = days.get_mut(&key)
            {
                days.entry(on).or_default().is_open |= !tied.contains(&line);
            }
        }
        let many = single.other();
        for row in open(many) {
            if let Some((key, on)) = key(many, row)
                && let Some(day) = days.get_mut(&key).and_then(|days| days.get_mut(&on))
            {
                *day.figures.entry(self.part(rule, many, row)).or_default() += 1;
            }
        }
        for draft in drafts {
            if draft.group.outcome != Outcome::Confirmed {
                continue;
            }
            let line = rows_of(draft, single).first().copied();
            let Some((key, on)) = line.and_then(|line| key(single, line)) else {
                continue;
            };
            let Some(days) = days.get(&key) else {
                continue;
            };
            let has_rows = |(_, day): &(&String, &Day)| !day.figures.is_empty();
            let before = days.range(..on.clone()).rfind(has_rows);
            let mut after = days.range((Bound::Excluded(on), Bound::Unbounded));
            let after = after.find(has_rows);
            let figures: Vec<Figure> = rows_of(draft, many)
                .into_iter()
                .map(|row| self.part(rule, many, row))
                .collect();
            let beside = before.into_iter().chain(after);
            let mut beside = beside.filter(|(_, day)| day.is_open);
            let most = u128::from(Bounds::EQUAL_MILLIONTHS);
            if beside.any(|(_, day)| equal_millionths(&figures, &day.figures) > most) {
                doubt(draft);
            }
        }
    }

    /// Two batches of one key are no batch over two lines: no part of the rows may tie with a part of the lines, and no
    /// line may say that it stands for a part.
    fn apart(&self, rule: &MatchRule, single: Side, one: &[u32], many: &[u32]) -> Apart {
        if one.len() < 2 || many.len() < 2 {
            return Apart::No;
        }
        let counts: Option<Vec<u64>> = one
            .iter()
            .map(|&line| self.counted(rule, single, line))
            .collect();
        if let Some(counts) = counts {
            let is_whole = counts.iter().all(|&count| count == many.len() as u64);
            return if is_whole { Apart::No } else { Apart::Yes };
        }
        if one.len().max(many.len()) > Bounds::ROWS_APART {
            return Apart::Unknown;
        }
        let side = single.other();
        let has_fee = rule.explain.contains(&Explain::Fee);
        let parts = many.iter().map(|&row| {
            let minor = self.whole(rule, side, row).0;
            let grains = self.book(side).fee_grains(row).filter(|_| has_fee);
            let grains = i128::from(grains.unwrap_or(0));
            match rule.rounding_per {
                RoundingPer::Row => (minor - round_fee(grains, rule.rounding), 0),
                RoundingPer::Batch => (minor, grains),
            }
        });
        let mut sums: Vec<i128> = proper_sums(parts)
            .map(|(minor, grains)| minor - round_fee(grains, rule.rounding))
            .collect();
        sums.sort_unstable();
        let lines = one
            .iter()
            .map(|&line| (self.whole(rule, single, line).0, 0));
        let currency = self.whole(rule, single, one[0]).1;
        let tolerance = i128::from(tolerance_for(rule, currency));
        let ties = proper_sums(lines).any(|(target, _)| {
            let from = sums.partition_point(|sum| *sum < target - tolerance);
            sums.get(from).is_some_and(|sum| *sum <= target + tolerance)
        });
        if ties { Apart::Yes } else { Apart::No }
    }
}

/// Sums of all sets of some, but not all, of these.
fn proper_sums(parts: impl Iterator<Item = (i128, i128)>) -> impl Iterator<Item = (i128, i128)> {
    let mut sums = vec![(0, 0)];
    for part in parts {
        for at in 0..sums.len() {
            let (a, b): (i128, i128) = sums[at];
            sums.push((a + part.0, b + part.1));
        }
    }
    let all = sums.len() - 1;
    sums.into_iter().take(all).skip(1)
}
