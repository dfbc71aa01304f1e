//! How close together figures stand: where many do, an equal one may well be a stranger's.

use std::collections::BTreeMap;

use quanfu_money::Currency;
use quanfu_settlement::Side;
use quanfu_settlement::rules::Window;

use super::{Keyed, Turn};
use crate::edge::EdgeJob;

/// Figures of the open rows of a key, by side, currency and day; each row stands there with and without its fee.
pub(super) struct Crowd {
    sides: [BTreeMap<(Currency, i32), Days>; 2],
}

struct Days {
    /// Any row of the day.
    sample: u32,
    /// Rising.
    figures: Vec<i128>,
}

/// How far around a figure others are counted: a 64th of it, within these bounds.
const REACH: (u128, u128) = (8, 5_000);

impl EdgeJob<'_> {
    pub(super) fn crowd(&self, turn: Turn<'_>, keyed: Keyed<'_>) -> Crowd {
        let of = |side: Side| {
            let mut by_day: BTreeMap<(Currency, i32), Days> = BTreeMap::new();
            for &row in keyed.side(side) {
                let day = self.book(side).accounting_days()[row as usize];
                let whole = self.whole(turn.rule, side, row);
                let part = self.part(turn.rule, side, row);
                let days = by_day.entry((whole.1, day)).or_insert_with(|| Days {
                    sample: row,
                    figures: Vec::new(),
                });
                days.figures.push(whole.0);
                if part != whole {
                    days.figures.push(part.0);
                }
            }
            by_day
                .values_mut()
                .for_each(|days| days.figures.sort_unstable());
            by_day
        };
        Crowd {
            sides: [of(Side::Left), of(Side::Right)],
        }
    }

    /// Whether so many open rows of the key and window have figures about that of the pair, that one within `tolerance`
    /// of it would be there by chance more often than the rule allows.
    pub(super) fn is_crowded(
        &self,
        turn: Turn<'_>,
        crowd: &Crowd,
        window: Option<Window>,
        tolerance: u64,
        (left, right): (u32, u32),
    ) -> bool {
        if turn.rule.bounds.chance_millionths == 1_000_000 {
            return false; // whatever chance gives
        }
        let scales = self.scales();
        [Side::Left, Side::Right].into_iter().any(|side| {
            // strangers of this side about the figure of the other side's row
            let (own, other) = match side {
                Side::Left => (left, right),
                Side::Right => (right, left),
            };
            let (minor, currency) = self.whole(turn.rule, side.other(), other);
            let reach = (minor.unsigned_abs() / 64).clamp(REACH.0, REACH.1);
            let (low, high) = (minor - reach as i128, minor + reach as i128);
            let mut count = 0u128;
            let days = &crowd.sides[side as usize];
            for (_, days) in days.range((currency, i32::MIN)..=(currency, i32::MAX)) {
                let in_window = match side {
                    Side::Left => scales.in_window(window, days.sample, other),
                    Side::Right => scales.in_window(window, other, days.sample),
                };
                if in_window {
                    let from = days.figures.partition_point(|figure| *figure < low);
                    let until = days.figures.partition_point(|figure| *figure <= high);
                    count += (until - from) as u128;
                }
            }
            let whole = self.whole(turn.rule, side, own);
            let part = self.part(turn.rule, side, own);
            let own = [Some(whole), (part != whole).then_some(part)];
            let own = own.into_iter().flatten();
            let own = own
                .filter(|figure| (low..=high).contains(&figure.0))
                .count();
            let strangers = count.saturating_sub(own as u128);
            strangers * (2 * u128::from(tolerance) + 1) * 1_000_000
                > u128::from(turn.rule.bounds.chance_millionths) * (2 * reach + 1)
        })
    }
}
