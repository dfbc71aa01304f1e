//! Pairs within a tolerance: all rows that hang together are paired at the least cost, if only one way has it.

use quanfu_settlement::rules::Bounds;
use quanfu_settlement::{BreakCode, Outcome, Side};

use super::graph::Graph;
use super::{Found, Keyed, SAME_DAY, Turn, doubt, tolerance_for};
use crate::edge::EdgeJob;
use crate::error::ReconError;

/// A pair that may be: by what its amounts differ beyond explained fees, then by how many days.
#[derive(Clone, Copy)]
struct Link {
    left: usize,
    right: usize,
    cost: i128,
}

/// What it costs to leave a row of the smaller side alone: more than any pairs together.
const ALONE: i128 = 1 << 110;

impl EdgeJob<'_> {
    pub(super) fn assignment(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        let Some(links) = self.links(turn, keyed)? else {
            let rows = |side: Side| keyed.side(side).iter().map(move |&row| (side, row));
            out.undecided
                .extend(rows(Side::Left).chain(rows(Side::Right)));
            return Ok(());
        };
        let window = Some(turn.rule.window.unwrap_or(SAME_DAY));
        let crowd = self.crowd(turn, keyed);
        let mut graph = Graph::new(left.len() + right.len());
        for link in &links {
            graph.join(link.left, left.len() + link.right);
        }
        let mut of_left: Vec<Vec<Link>> = vec![Vec::new(); left.len()];
        for link in links {
            of_left[link.left].push(link);
        }
        for nodes in graph.components() {
            let at = nodes.partition_point(|&node| node < left.len());
            let (lefts, rights) = nodes.split_at(at);
            if lefts.len() > Bounds::ROWS_TOGETHER || rights.len() > Bounds::ROWS_TOGETHER {
                out.undecided
                    .extend(lefts.iter().map(|&l| (Side::Left, left[l])));
                let rights = rights.iter().map(|&r| (Side::Right, right[r - left.len()]));
                out.undecided.extend(rights);
                continue;
            }
            let mut costs = vec![vec![ALONE; rights.len()]; lefts.len()];
            for (row, &l) in lefts.iter().enumerate() {
                for link in &of_left[l] {
                    let column = rights.partition_point(|&r| r < left.len() + link.right);
                    costs[row][column] = link.cost;
                }
            }
            let rows = |nodes: &[usize]| nodes.iter().map(|&r| right[r - left.len()]).collect();
            match only_optimum(&costs) {
                Some(pairs) => {
                    let is_whole = pairs.len() == lefts.len() && pairs.len() == rights.len();
                    for (l, r) in pairs {
                        let (l, r) = (left[lefts[l]], right[rights[r] - left.len()]);
                        let mut draft = self.pair(turn, l, r)?;
                        let tolerance =
                            tolerance_for(turn.rule, self.whole(turn.rule, Side::Left, l).1);
                        if !is_whole || self.is_crowded(turn, &crowd, window, tolerance, (l, r)) {
                            doubt(&mut draft);
                        }
                        out.drafts.push(draft);
                    }
                }
                None => {
                    let lefts: Vec<u32> = lefts.iter().map(|&l| left[l]).collect();
                    let rights: Vec<u32> = rows(rights);
                    out.drafts.push(self.open_group(
                        turn,
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

    /// All pairs that the rule would let pass. `None`: too many.
    fn links(&self, turn: Turn<'_>, keyed: Keyed<'_>) -> Result<Option<Vec<Link>>, ReconError> {
        let rule = turn.rule;
        let scales = self.scales();
        let window = Some(rule.window.unwrap_or(SAME_DAY));
        // a figure with and without the row's own fee: a pair that passes is near in one of the two
        let figures = |side: Side| {
            let mut all = Vec::new();
            for (at, &row) in keyed.side(side).iter().enumerate() {
                let whole = self.whole(rule, side, row);
                let part = self.part(rule, side, row);
                all.push((whole.1, whole.0, at));
                if part != whole {
                    all.push((part.1, part.0, at));
                }
            }
            all.sort_unstable();
            all
        };
        let (lefts, rights) = (figures(Side::Left), figures(Side::Right));
        let mut tried = 0u64;
        let mut links: Vec<Link> = Vec::new();
        for (currency, minor, l) in lefts {
            let tolerance = i128::from(tolerance_for(rule, currency));
            let from = rights.partition_point(|r| (r.0, r.1) < (currency, minor - tolerance));
            let near = rights[from..]
                .iter()
                .take_while(|r| r.0 == currency && r.1 <= minor + tolerance);
            for &(_, _, r) in near {
                tried += 1;
                if tried > Bounds::PAIRS {
                    return Ok(None);
                }
                let (a, b) = (keyed.left[l], keyed.right[r]);
                if !scales.in_window(window, a, b)
                    || (rule.same_status && self.left.status(a) != self.right.status(b))
                    || self.contradicts(&self.keys(Side::Left, a), &self.keys(Side::Right, b))
                {
                    continue;
                }
                let compared = scales.pair(rule, a, b)?;
                if compared.code.is_some() {
                    continue;
                }
                let causes = compared.causes.iter().filter(|cause| cause.name != "fee");
                let apart: i128 = causes
                    .map(|cause| i128::from(cause.minor.unsigned_abs()))
                    .sum();
                let day = |days: &[i32], row: u32| i64::from(days[row as usize]);
                let days =
                    day(self.right.accounting_days(), b) - day(self.left.accounting_days(), a);
                links.push(Link {
                    left: l,
                    right: r,
                    cost: (apart << 32) + i128::from(days.abs()),
                });
            }
        }
        links.sort_unstable_by_key(|link| (link.left, link.right));
        links.dedup_by_key(|link| (link.left, link.right));
        Ok(Some(links))
    }
}

/// The pairs of the cheapest assignment with the most pairs, if no other one is as good.
fn only_optimum(costs: &[Vec<i128>]) -> Option<Vec<(usize, usize)>> {
    let size = costs.len().max(costs[0].len());
    let mut square: Vec<Vec<i128>> = costs.to_vec();
    square.iter_mut().for_each(|row| row.resize(size, ALONE));
    square.resize(size, vec![ALONE; size]);
    let (best, columns) = cheapest(&square);
    let pairs = columns.into_iter().enumerate();
    let pairs: Vec<(usize, usize)> = pairs.filter(|&(l, r)| square[l][r] < ALONE).collect();
    for &(l, r) in &pairs {
        let cost = std::mem::replace(&mut square[l][r], ALONE);
        let (other, _) = cheapest(&square);
        square[l][r] = cost;
        if other == best {
            return None;
        }
    }
    Some(pairs)
}

/// The cheapest assignment of a square matrix: its cost, and the column of each row (Hungarian algorithm with
/// potentials, rows added one by one).
fn cheapest(costs: &[Vec<i128>]) -> (i128, Vec<usize>) {
    let size = costs.len();
    let (mut row_price, mut column_price) = (vec![0i128; size + 1], vec![0i128; size + 1]);
    let mut row_of = vec![0usize; size + 1]; // by column, counted from 1; 0: none
    for row in 1..=size {
        row_of[0] = row;
        let mut least = vec![i128::MAX; size + 1];
        let mut from = vec![0usize; size + 1];
        let mut done = vec![false; size + 1];
        let mut column = 0;
        while row_of[column] != 0 {
            done[column] = true;
            let (at, mut step, mut next) = (row_of[column], i128::MAX, 0);
            for other in 1..=size {
                if done[other] {
                    continue;
                }
                let price = costs[at - 1][other - 1] - row_price[at] - column_price[other];
                if price < least[other] {
                    least[other] = price;
                    from[other] = column;
                }
                if least[other] < step {
                    step = least[other];
                    next = other;
                }
            }
            for other in 0..=size {
                if done[other] {
                    row_price[row_of[other]] += step;
                    column_price[other] -= step;
                } else if least[other] < i128::MAX {
                    least[other] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[from[column]];
            column = from[column];
        }
    }
    let mut columns = vec![0; size];
    for column in 1..=size {
        columns[row_of[column] - 1] = column - 1;
    }
    let cost = columns
        .iter()
        .enumerate()
        .map(|(row, &column)| costs[row][column])
        .sum();
    (cost, columns)
}
