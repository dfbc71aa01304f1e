//! Fees by the schedules of the rules, worked out a second time.

use std::cmp::Ordering;

use quanfu_calendar::Date;
use quanfu_money::{Currency, MoneySum, Rounding};
use quanfu_settlement::fees::{FeeDifference, FeeRate};
use quanfu_settlement::rules::SourceRules;
use quanfu_settlement::{EntryKind, Outcome, Rules, Side};

use crate::document::fee_text;
use crate::judge::Edge;
use crate::rows::Source;

/// Millionths in a minor unit.
const GRAIN: i128 = 1_000_000;

/// The schedule's row for a record: days, kinds and currencies keep the rows apart, so there is one at most.
pub(crate) fn row_of(
    rules: &SourceRules,
    kind: EntryKind,
    currency: Currency,
    day: Option<Date>,
) -> Option<&FeeRate> {
    let day = day?;
    rules.fees.iter().find(|row| {
        let ends = row.until.unwrap_or(Date::MAX);
        (row.from..=ends).contains(&day) && row.currency == currency && row.kinds.contains(&kind)
    })
}

/// The fee of an amount in minor units; `None` where it is beyond all bounds.
pub(crate) fn due(row: &FeeRate, minor: i64) -> Option<i128> {
    // Percent as a fraction over a power of ten: hundredths of it are what is taken.
    let below = 100 * 10_i128.pow(row.percent.scale());
    let size = i128::from(minor.unsigned_abs());
    let above = size.checked_mul(row.percent.mantissa())?;
    let above = i128::from(row.fixed.minor())
        .checked_mul(below)?
        .checked_add(above)?;
    let whole = whole(row.rounding, above, below);
    let least = row.min.map_or(whole, |min| whole.max(min.minor().into()));
    let fee = row.max.map_or(least, |max| least.min(max.minor().into()));
    Some(fee * i128::from(minor.signum()))
}

/// A quotient as a whole number, rounded as named; `below` is above zero.
fn whole(rounding: Rounding, above: i128, below: i128) -> i128 {
    let (floor, rest) = (above.div_euclid(below), above.rem_euclid(below));
    if rest == 0 {
        return floor;
    }
    let is_negative = above < 0;
    let up = match (rounding, rest.cmp(&(below - rest))) {
        (Rounding::Ceiling, _) => true,
        (Rounding::Floor, _) => false,
        (Rounding::Up, _) => !is_negative,
        (Rounding::Down, _) => is_negative,
        (_, Ordering::Greater) => true,
        (_, Ordering::Less) => false,
        (Rounding::HalfUp, Ordering::Equal) => !is_negative,
        (Rounding::HalfDown, Ordering::Equal) => is_negative,
        (Rounding::HalfEven, Ordering::Equal) => floor % 2 != 0,
    };
    floor + i128::from(up)
}

/// In grains, if a record can keep it.
pub(crate) fn kept(fee: i128) -> Option<i128> {
    let grains = fee.checked_mul(GRAIN)?;
    i64::try_from(grains).is_ok().then_some(grains)
}

/// Records that name a fee other than that of their source's schedule.
pub(crate) fn differences(
    rules: &Rules,
    sources: &[Source],
    judged: &[Edge],
) -> Vec<FeeDifference> {
    let mut found = Vec::new();
    for (index, (source, read)) in rules.sources.iter().zip(sources).enumerate() {
        for (at, row) in read.rows.iter().enumerate() {
            let is_copy = rules.edges.iter().zip(judged).any(|(edge, judged)| {
                let sides = [(edge.left, Side::Left), (edge.right, Side::Right)];
                let mut sides = sides.into_iter().filter(|(own, _)| *own == index);
                sides.any(|(_, side)| judged.side(side)[at].outcome == Outcome::Duplicate)
            });
            let (Some(charged), Some(rate)) =
                (row.fee, row_of(source, row.kind, row.currency, row.day))
            else {
                continue;
            };
            let Some(due) = due(rate, row.amount).filter(|_| row.carried.is_none() && !is_copy)
            else {
                continue;
            };
            let difference = whole(rate.rounding, charged, GRAIN) - due;
            let Some(day) = row.day.filter(|_| difference != 0) else {
                continue;
            };
            let text = |minor| MoneySum::from_minor(minor, row.currency).amount_text();
            found.push(FeeDifference {
                source: source.name.clone(),
                file: row.file.clone(),
                line: row.line,
                record: row.id,
                accounting_day: day,
                kind: row.kind,
                amount: text(row.amount.into()),
                currency: row.currency,
                charged: fee_text(charged, row.currency),
                due: text(due),
                difference: text(difference),
                document: rate.document.clone(),
            });
        }
    }
    found
}
