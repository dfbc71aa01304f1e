//! All rows of both sides that have the key: partial captures, instalments, several of each.

use std::collections::BTreeMap;

use quanfu_settlement::{BreakCode, Outcome, Side};

use super::{Found, Keyed, Turn};
use crate::carry::{Due, due};
use crate::compare::Figure;
use crate::edge::{Draft, EdgeJob};
use crate::error::ReconError;

impl EdgeJob<'_> {
    /// If the sums tie, all rows of the key belong together; those of equal figures, unique on both sides, pair by
    /// pair. If not, nothing of the key is told apart.
    pub(super) fn key_group(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        if left.is_empty() || right.is_empty() {
            return Ok(());
        }
        if let ([l], [r]) = (left, right) {
            let pair = self.pair(turn, *l, *r)?;
            let in_part = match pair.group.code {
                Some(code) => self.in_part(turn, keyed, code)?,
                None => None,
            };
            out.drafts.push(in_part.unwrap_or(pair));
            return Ok(());
        }
        let mut statuses = left.iter().map(|&row| self.left.status(row));
        let first = statuses.next();
        let one_status = statuses.all(|status| Some(status) == first)
            && right
                .iter()
                .all(|&row| Some(self.right.status(row)) == first);
        if turn.rule.same_status && !one_status {
            out.drafts.push(self.open_group(
                turn,
                Outcome::Break,
                BreakCode::StatusMismatch,
                left,
                right,
            )?);
            return Ok(());
        }
        let compared = self.scales().group(turn.rule, left, right)?;
        if let Some(code) = compared.code {
            if let Some(in_part) = self.in_part(turn, keyed, code)? {
                out.drafts.push(in_part);
                return Ok(());
            }
            let (outcome, code) = if self.paid_twice(keyed) {
                (Outcome::Break, BreakCode::DuplicatePayment)
            } else if self.all_alike(turn, keyed) {
                (Outcome::Ambiguous, BreakCode::AmbiguousKey)
            } else {
                (Outcome::Break, code)
            };
            out.drafts
                .push(self.open_group(turn, outcome, code, left, right)?);
            return Ok(());
        }
        let parts = match &compared.causes[..] {
            [] => self.equal_pairs(turn, keyed, None),
            [cause] if cause.name == "fee" => {
                let way = |side| self.equal_pairs(turn, keyed, Some(side));
                let whole = |side| way(side).filter(|(_, rest)| rest.0.is_empty());
                match (whole(Side::Left), whole(Side::Right)) {
                    (Some(one), Some(other)) if one != other => None,
                    (one, other) => one.or(other),
                }
            }
            _ => None,
        };
        if let Some((pairs, rest)) = parts {
            for (l, r) in pairs {
                out.drafts.push(self.pair(turn, l, r)?);
            }
            if !rest.0.is_empty() {
                let keyed = Keyed {
                    left: &rest.0,
                    right: &rest.1,
                };
                let in_window = self.all_in_window(turn.rule, keyed);
                let compared = self.scales().group(turn.rule, &rest.0, &rest.1)?;
                out.drafts
                    .push(self.judged(turn, compared, in_window, rest.0, rest.1));
            }
            return Ok(());
        }
        let in_window = self.all_in_window(turn.rule, keyed);
        out.drafts
            .push(self.judged(turn, compared, in_window, left.to_vec(), right.to_vec()));
        Ok(())
    }

    /// A group that lacks only rows of the side that may come in parts. It waits as a whole, as long as each of its rows
    /// may; what is to come is its difference.
    fn in_part(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        code: BreakCode,
    ) -> Result<Option<Draft>, ReconError> {
        let is_amount = matches!(
            code,
            BreakCode::AmountChannelMore | BreakCode::AmountChannelLess
        );
        let Some(side) = turn.rule.partial.filter(|_| is_amount) else {
            return Ok(None);
        };
        let sum = |side: Side| -> i128 {
            let figures = keyed.side(side).iter();
            figures.map(|&row| self.whole(turn.rule, side, row).0).sum()
        };
        let (came, whole) = (sum(side), sum(side.other()));
        if came.signum() != whole.signum() || came.abs() >= whole.abs() {
            return Ok(None);
        }
        let rows = |side: Side| keyed.side(side).iter().map(move |&row| (side, row));
        let carries = rows(Side::Left)
            .chain(rows(Side::Right))
            .map(|(side, row)| due(self.rules, self.calendar, self.book(side), row))
            .reduce(Due::and)
            .is_some_and(|due| due.carries(self.as_of));
        let outcome = if carries {
            Outcome::Carried
        } else {
            Outcome::Break
        };
        let code = BreakCode::Partial;
        let mut draft = self.open_group(turn, outcome, code, keyed.left, keyed.right)?;
        for cause in &mut draft.group.causes {
            cause.name = "to_come".to_owned();
        }
        Ok(Some(draft))
    }

    /// Whether all rows of the key have one figure, so that nothing tells which of them is too much.
    fn all_alike(&self, turn: Turn<'_>, keyed: Keyed<'_>) -> bool {
        let figure = |side: Side| move |&row: &u32| self.whole(turn.rule, side, row);
        let mut figures = keyed.left.iter().map(figure(Side::Left));
        let first = figures.next();
        figures
            .chain(keyed.right.iter().map(figure(Side::Right)))
            .all(|figure| Some(figure) == first)
    }

    /// Rows of equal figures, unique on both sides or unique on each of their days, and the rest, if both sides have some or
    /// none of it. The figures of one side may be taken less their fees.
    #[allow(clippy::type_complexity)]
    fn equal_pairs(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        less_fee: Option<Side>,
    ) -> Option<(Vec<(u32, u32)>, (Vec<u32>, Vec<u32>))> {
        let mut by_figure: BTreeMap<Figure, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for side in [Side::Left, Side::Right] {
            for &row in keyed.side(side) {
                let figure = match less_fee == Some(side) {
                    true => self.part(turn.rule, side, row),
                    false => self.whole(turn.rule, side, row),
                };
                let (left, right) = by_figure.entry(figure).or_default();
                match side {
                    Side::Left => left.push(row),
                    Side::Right => right.push(row),
                }
            }
        }
        let (mut pairs, mut rest) = (Vec::new(), (Vec::new(), Vec::new()));
        for (left, right) in by_figure.into_values() {
            if let ([l], [r]) = (&left[..], &right[..]) {
                pairs.push((*l, *r));
                continue;
            }
            let (on_left, on_right) = (
                by_day(&left, self.left.accounting_days()),
                by_day(&right, self.right.accounting_days()),
            );
            if on_left.len() == left.len()
                && on_right.len() == right.len()
                && on_left.keys().eq(on_right.keys())
            {
                pairs.extend(on_left.into_values().zip(on_right.into_values()));
            } else {
                rest.0.extend(left);
                rest.1.extend(right);
            }
        }
        pairs.sort_unstable();
        (!pairs.is_empty() && rest.0.is_empty() == rest.1.is_empty()).then_some((pairs, rest))
    }
}

/// The last row of each day.
fn by_day(rows: &[u32], days: &[i32]) -> BTreeMap<i32, u32> {
    let rows = rows.iter().map(|&row| (days[row as usize], row));
    rows.collect()
}
