//! One row of each side has the key.

use quanfu_settlement::{BreakCode, Outcome, PassKind, Side};

use super::{Found, Keyed, Turn};
use crate::edge::{Draft, EdgeJob};
use crate::error::ReconError;

impl EdgeJob<'_> {
    /// One and one: compared. More: left to a later rule for all rows of the same key, or else a double payment if the
    /// file proves that all moved money, or else ambiguous.
    pub(super) fn unique_key(
        &self,
        turn: Turn<'_>,
        keyed: Keyed<'_>,
        out: &mut Found,
    ) -> Result<(), ReconError> {
        let Keyed { left, right } = keyed;
        match (left, right) {
            ([_], []) | ([], [_]) => {}
            ([l], [r]) => out.drafts.push(self.pair(turn, *l, *r)?),
            _ if self.is_left_to_group(turn) => {}
            _ => {
                let (outcome, code) = if self.paid_twice(keyed) {
                    (Outcome::Break, BreakCode::DuplicatePayment)
                } else {
                    (Outcome::Ambiguous, BreakCode::AmbiguousKey)
                };
                out.drafts
                    .push(self.open_group(turn, outcome, code, left, right)?);
            }
        }
        Ok(())
    }

    /// Whether a later rule takes all rows of the same key together.
    fn is_left_to_group(&self, turn: Turn<'_>) -> bool {
        let later = &self.edge.rules[usize::from(turn.index) + 1..];
        later.iter().any(|rule| {
            rule.pass == PassKind::KeyGroup
                && rule.on == turn.rule.on
                && rule.left_where == turn.rule.left_where
                && rule.right_where == turn.rule.right_where
        })
    }

    /// Whether wherever a side has several rows a balance or total proves that all of them moved money.
    pub(super) fn paid_twice(&self, keyed: Keyed<'_>) -> bool {
        [Side::Left, Side::Right].into_iter().all(|side| {
            let (rows, facts) = (keyed.side(side), self.facts(side));
            rows.len() < 2 || rows.iter().all(|row| facts.paid_twice.contains(row))
        })
    }

    pub(super) fn pair(&self, turn: Turn<'_>, left: u32, right: u32) -> Result<Draft, ReconError> {
        if turn.rule.same_status && self.left.status(left) != self.right.status(right) {
            return self.open_group(
                turn,
                Outcome::Break,
                BreakCode::StatusMismatch,
                &[left],
                &[right],
            );
        }
        let scales = self.scales();
        let compared = scales.pair(turn.rule, left, right)?;
        let in_window = scales.in_window(turn.rule.window, left, right);
        Ok(self.judged(turn, compared, in_window, vec![left], vec![right]))
    }
}
