//! One line for rows that stand one after the other in time: batches whose cut-off nobody tells, or that drifts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use quanfu_money::Currency;
use quanfu_settlement::Side;
use quanfu_settlement::outcome::Search;
use quanfu_settlement::rules::Bounds;

use super::{Found, Keyed, SAME_DAY, Turn, chance_millionths, tolerance_for};
use crate::edge::EdgeJob;
use crate::error::ReconError;

/// Rows of one instant, which no cut-off can part.
struct Beat {
    first: usize,
    end: usize,
}

/// Rows of one currency in the order of time.
struct Tape {
    rows: Vec<u32>,
    beats: Vec<Beat>,
    /// For each day: its first beat and one past its last.
    days: Vec<(usize, usize)>,
    /// Sum of the figures of the first so many beats.
    sums: Vec<i128>,
}

/// The runs that tie with a line.
struct Runs {
    line: u32,
    search: Search,
    /// First beat and one past the last.
    found: Vec<(usize, usize)>,
    /// All rows of a day but one that tie with the line as well.
    others: Vec<Vec<u32>>,
    /// Beats that a run may take: those of its runs, or from the first to the last where there are very many.
    claims: Vec<(usize, usize)>,
}

impl EdgeJob<'_> {
    /// Lines whose one run overlaps no other's take it; a line that several runs fit, or as well a day's rows but one, or
    /// whose run another line claims a part of, is ambiguous.
    pub(super) fn run_batch(
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
        let mut by_currency: BTreeMap<Currency, Vec<(i128, u32)>> = BTreeMap::new();
        for &line in lines {
            let (minor, currency) = self.whole(turn.rule, single, line);
            by_currency.entry(currency).or_default().push((minor, line));
        }
        for (currency, lines) in by_currency {
            self.runs_of(turn, currency, &lines, rows, out)?;
        }
        Ok(())
    }

    fn tape(&self, turn: Turn<'_>, side: Side, currency: Currency, rows: &[u32]) -> Tape {
        let book = self.book(side);
        let mut timed: Vec<((i32, Option<i64>), u32, i128)> = Vec::new();
        for &row in rows {
            let (minor, of) = self.part(turn.rule, side, row);
            let day = book.accounting_days()[row as usize];
            if minor == 0 || of != currency || day == i32::MIN {
                continue; // a row of nothing would make two runs of one
            }
            timed.push(((day, book.instant(row)), row, minor));
        }
        timed.sort_unstable_by_key(|&(moment, row, _)| (moment, book.id(row)));
        let (mut beats, mut days, mut sums) = (Vec::new(), Vec::new(), vec![0]);
        let mut at = 0;
        for day in timed.chunk_by(|a, b| a.0.0 == b.0.0) {
            let first_beat = beats.len();
            for beat in day.chunk_by(|a, b| a.0 == b.0) {
                let sum: i128 = beat.iter().map(|row| row.2).sum();
                sums.push(sums[sums.len() - 1] + sum);
                beats.push(Beat {
                    first: at,
                    end: at + beat.len(),
                });
                at += beat.len();
            }
            days.push((first_beat, beats.len()));
        }
        Tape {
            rows: timed.into_iter().map(|(_, row, _)| row).collect(),
            beats,
            days,
            sums,
        }
    }

    fn runs_of(
        &self,
        turn: Turn<'_>,
        currency: Currency,
        lines: &[(i128, u32)],
        rows: &[u32],
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let single = self.single(turn.rule);
        let tape = self.tape(turn, single.other(), currency, rows);
        let mut places: HashMap<i128, Vec<usize>> = HashMap::new();
        for (beat, &sum) in tape.sums.iter().enumerate() {
            places.entry(sum).or_default().push(beat);
        }
        let mut sorted: Vec<(i128, usize)> = Vec::new();
        let tolerance = tolerance_for(turn.rule, currency);
        if tolerance > 0 {
            sorted = tape.sums.iter().copied().zip(0..).collect();
            sorted.sort_unstable();
        }
        let ends = |sum: i128| -> Cow<'_, [usize]> {
            if tolerance == 0 {
                return Cow::Borrowed(places.get(&sum).map_or(&[], Vec::as_slice));
            }
            let from = sorted.partition_point(|place| place.0 < sum - i128::from(tolerance));
            let until = sorted.partition_point(|place| place.0 <= sum + i128::from(tolerance));
            let mut ends: Vec<usize> = sorted[from..until].iter().map(|place| place.1).collect();
            ends.sort_unstable();
            Cow::Owned(ends)
        };
        let mut all: Vec<Runs> = Vec::new();
        let mut is_clear = true;
        for &(target, line) in lines.iter().filter(|line| line.0 != 0) {
            match self.runs(turn, &tape, line, target, tolerance, &ends) {
                Some(runs) if runs.found.is_empty() => {}
                Some(runs) => all.push(runs),
                None => {
                    is_clear = false;
                    out.undecided.push((single, line));
                }
            }
        }
        // a run that others overlap is nobody's
        let mut at: BTreeSet<(usize, usize, u32)> = BTreeSet::new();
        for runs in &all {
            at.extend(
                runs.claims
                    .iter()
                    .map(|&(first, end)| (first, end, runs.line)),
            );
        }
        let mut contested: BTreeSet<u32> = BTreeSet::new();
        let mut farthest: Option<(usize, u32)> = None;
        for &(first, end, line) in &at {
            if let Some((reached, other)) = farthest
                && first < reached
                && other != line
            {
                contested.extend([other, line]);
            }
            if farthest.is_none_or(|(reached, _)| end > reached) {
                farthest = Some((end, line));
            }
        }
        for runs in all {
            let rows = |&(first, end): &(usize, usize)| -> Vec<u32> {
                tape.rows[tape.beats[first].first..tape.beats[end - 1].end].to_vec()
            };
            if let [run] = &runs.found[..]
                && runs
                    .others
                    .iter()
                    .all(|other| *other == in_order(rows(run)))
                && !contested.contains(&runs.line)
            {
                let rows_found = rows(run).len();
                let is_sure = is_clear
                    && !self.is_lone(turn, &[runs.line], rows_found, runs.search)
                    && runs.search.chance_millionths <= turn.rule.bounds.chance_millionths;
                let (left, right) = match single {
                    Side::Left => (vec![runs.line], rows(run)),
                    Side::Right => (rows(run), vec![runs.line]),
                };
                out.drafts
                    .push(self.searched(turn, runs.search, is_sure, left, right)?);
                continue;
            }
            let mut alternatives: Vec<Vec<u32>> = runs.found.iter().take(2).map(rows).collect();
            let known: Vec<Vec<u32>> = alternatives.iter().cloned().map(in_order).collect();
            let others = runs
                .others
                .into_iter()
                .filter(|other| !known.contains(other));
            alternatives.extend(others);
            alternatives.truncate(2);
            out.drafts
                .push(self.undetermined(turn, runs.search, runs.line, alternatives));
        }
        Ok(())
    }

    /// `None`: the tape is too long to be looked through.
    fn runs<'t>(
        &self,
        turn: Turn<'_>,
        tape: &Tape,
        line: u32,
        target: i128,
        tolerance: u64,
        ends: &dyn Fn(i128) -> Cow<'t, [usize]>,
    ) -> Option<Runs> {
        let (scales, single) = (self.scales(), self.single(turn.rule));
        let window = Some(turn.rule.window.unwrap_or(SAME_DAY));
        let in_window = |&&(first, _): &&(usize, usize)| {
            let row = tape.rows[tape.beats[first].first];
            match single {
                Side::Left => scales.in_window(window, line, row),
                Side::Right => scales.in_window(window, row, line),
            }
        };
        let keys = self.keys(single, line);
        let has_keys = keys.iter().any(Option::is_some);
        let fits = |beat: usize| {
            let rows = &tape.rows[tape.beats[beat].first..tape.beats[beat].end];
            !has_keys
                || rows
                    .iter()
                    .all(|&row| !self.contradicts(&keys, &self.keys(single.other(), row)))
        };
        let count = self.counted(turn.rule, single, line);
        let days: Vec<(usize, usize)> = tape.days.iter().filter(in_window).copied().collect();
        let mut steps: u64 = days.iter().map(|(first, end)| (end - first) as u64).sum();
        if steps > turn.nodes {
            return None;
        }
        let (mut found, mut pool, mut sets) = (Vec::new(), 0u32, 0u64);
        let mut most = (usize::MAX, 0);
        let beats = days
            .into_iter()
            .flat_map(|(first, end)| first..end)
            .filter(|&beat| fits(beat));
        let beats: Vec<usize> = beats.collect();
        for stretch in beats.chunk_by(|a, b| a + 1 == *b) {
            let (start, stop) = (stretch[0], stretch[stretch.len() - 1] + 1);
            let beats = stretch.len() as u64;
            pool += (tape.beats[stop - 1].end - tape.beats[start].first) as u32;
            sets = sets.saturating_add(beats * (beats + 1) / 2);
            for first in start..stop {
                let ends = ends(tape.sums[first] + target);
                let from = ends.partition_point(|&end| end <= first);
                for &end in ends[from..].iter().take_while(|&&end| end <= stop) {
                    let rows = tape.beats[end - 1].end - tape.beats[first].first;
                    if count.is_none_or(|count| count == rows as u64) {
                        most = (most.0.min(first), most.1.max(end));
                        found.push((first, end));
                    }
                    steps += 1;
                }
                if steps > turn.nodes.saturating_mul(4) {
                    return None;
                }
            }
        }
        if u64::from(pool) > turn.nodes {
            return None;
        }
        let others = match found.is_empty() {
            true => Vec::new(),
            false => self.all_but_one(turn, tape, &beats, target, tolerance, count),
        };
        let claims = if found.len() > Bounds::RUNS {
            vec![most]
        } else {
            found.clone()
        };
        Some(Runs {
            line,
            search: Search {
                pool,
                members: 0,
                left_out: 0,
                sets,
                chance_millionths: chance_millionths(sets, tolerance, target),
            },
            found,
            others,
            claims,
        })
    }

    /// All rows of a day but one that tie with a line; the beats are those that the line may have.
    fn all_but_one(
        &self,
        turn: Turn<'_>,
        tape: &Tape,
        beats: &[usize],
        target: i128,
        tolerance: u64,
        count: Option<u64>,
    ) -> Vec<Vec<u32>> {
        let many = self.single(turn.rule).other();
        let days = self.book(many).accounting_days();
        let rows = beats.iter().flat_map(|&beat| {
            let beat = &tape.beats[beat];
            &tape.rows[beat.first..beat.end]
        });
        let rows: Vec<u32> = rows.copied().collect();
        let mut found = Vec::new();
        for day in rows.chunk_by(|&a, &b| days[a as usize] == days[b as usize]) {
            if day.len() < 2 || count.is_some_and(|count| count + 1 != day.len() as u64) {
                continue;
            }
            let part = |row: u32| self.part(turn.rule, many, row).0;
            let total: i128 = day.iter().map(|&row| part(row)).sum();
            for &left_out in day {
                if (total - part(left_out) - target).unsigned_abs() <= u128::from(tolerance) {
                    let others = day.iter().copied().filter(|&row| row != left_out);
                    found.push(in_order(others.collect()));
                    if found.len() > 2 {
                        return found; // the run and two more
                    }
                }
            }
        }
        found
    }
}

fn in_order(mut rows: Vec<u32>) -> Vec<u32> {
    rows.sort_unstable();
    rows
}
