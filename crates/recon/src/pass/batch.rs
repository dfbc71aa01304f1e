//! Bank lines for all rows of a batch.

use quanfu_settlement::{BreakCode, Outcome, Side};

use super::{Found, Keyed, Turn, doubt};
use crate::edge::EdgeJob;
use crate::error::ReconError;

impl EdgeJob<'_> {
    /// One bank line for all rows of the key, or several if their sum ties.
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
            counts.iter().map(|&count| u128::from(count)).sum::<u128>() != many.len() as u128
        });
        if miscounted {
            doubt(&mut draft);
        }
        out.drafts.push(draft);
        Ok(())
    }
}
