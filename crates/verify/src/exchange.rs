//! Two currencies compared a second time: the agreed rate, the table of rates, and what else may have been done.

use std::collections::BTreeMap;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_fx::{FxRate, RateReading, RmbMarket};
use quanfu_money::{Currency, Rounding};
use quanfu_settlement::result::RatesInput;
use quanfu_settlement::rules::{Explain, MatchRule, RatesRules};
use quanfu_settlement::{BreakCode, RowRate, Side};

use crate::Fault;
use crate::judge::{Cause, Compared, fee, unexplained};
use crate::rows::Row;

/// A figure in minor units.
type Figure = (i128, Currency);

/// The rates that the rules mean, by currencies in the order of their codes and the day on which they begin.
pub(crate) struct Rates<'a> {
    by_day: BTreeMap<(Currency, Currency, Date), FxRate>,
    max_business_days: Option<u32>,
    calendar: &'a BusinessCalendar,
}

fn pair(one: Currency, other: Currency) -> (Currency, Currency) {
    if one < other {
        (one, other)
    } else {
        (other, one)
    }
}

impl<'a> Rates<'a> {
    /// Reads the table; it has no row that is none, and no two rates of one day.
    pub(crate) fn read(
        rules: &RatesRules,
        told: &RatesInput,
        bytes: &[u8],
        calendar: &'a BusinessCalendar,
    ) -> Result<Self, Fault> {
        let fault =
            |message: String| Fault::new("verify-input", format!("rates {}", told.file), message);
        let read = RateReading::csv(bytes).map_err(|error| fault(error.to_string()))?;
        if let Some(error) = read.rejected.first() {
            return Err(fault(error.to_string()));
        }
        let found = (bytes.len() as u64, read.rates.len() as u64);
        if found != (told.bytes, told.rates) {
            return Err(fault(format!(
                "found {} bytes and {} rates; the file has {} and {}",
                told.bytes, told.rates, found.0, found.1
            )));
        }
        let mut all = BTreeMap::new();
        for rate in read.rates {
            let (one, other) = pair(rate.base(), rate.quote());
            let source = rate.source().to_owned();
            let key = (
                one,
                other,
                rate.kind(),
                rate.market(),
                source,
                rate.starts(),
            );
            if all
                .insert(key, rate.clone())
                .is_some_and(|before| before != rate)
            {
                return Err(fault(format!(
                    "two rates of {}: {}",
                    rate.starts(),
                    rate.quoted()
                )));
            }
        }
        let mut by_day = BTreeMap::new();
        for ((one, other, kind, market, source, start), rate) in all {
            if kind.name() == rules.kind && market == RmbMarket::Onshore && source == rules.source {
                by_day.insert((one, other, start), rate);
            }
        }
        Ok(Self {
            by_day,
            max_business_days: rules.max_business_days,
            calendar,
        })
    }

    /// The rate that holds on a day, after it those that begin next before and next after it.
    fn of(&self, one: Currency, other: Currency, day: Date) -> Option<Vec<&FxRate>> {
        let (one, other) = pair(one, other);
        let all: Vec<&FxRate> = self
            .by_day
            .range((one, other, Date::MIN)..=(one, other, Date::MAX))
            .map(|(_, rate)| rate)
            .collect();
        let at = all.iter().rposition(|rate| rate.starts() <= day)?;
        let rate = all[at];
        let holds = match rate.validity() {
            Some(days) => days.until.is_none_or(|until| day <= until),
            None if rate.as_of() == day => true,
            None => {
                let age = self.calendar.business_days_between(rate.as_of(), day).ok();
                let allowed = self.max_business_days.map(i64::from);
                age.zip(allowed)
                    .is_some_and(|(age, allowed)| (0..=allowed).contains(&i64::from(age)))
            }
        };
        let before = at.checked_sub(1).map(|at| all[at]);
        let next = all.get(at + 1).copied();
        holds.then(|| [rate].into_iter().chain(before).chain(next).collect())
    }
}

fn plain(rate: &FxRate) -> RowRate {
    RowRate {
        base: rate.base(),
        unit: rate.unit(),
        quote: rate.quote(),
        value: rate.value(),
    }
}

/// What is compared.
pub(crate) struct Sides<'r> {
    pub left: &'r Row,
    pub right: &'r Row,
    pub a: Figure,
    pub b: Figure,
    /// Whether the left source is later in the chain than the right one.
    pub left_is_later: bool,
}

/// Compares figures of two currencies.
pub(crate) fn compare(rule: &MatchRule, sides: &Sides<'_>, rates: Option<&Rates<'_>>) -> Compared {
    let Sides {
        left, right, a, b, ..
    } = *sides;
    let open = |code| Compared {
        difference: None,
        causes: Vec::new(),
        code: Some(code),
    };
    if rule.rates.is_none() && left.rate.is_none() && right.rate.is_none() {
        return open(BreakCode::CurrencyMismatch);
    }
    // the row with the rate holds the result of the exchange if it also tells the amount before
    let left_is_result = if left.rate.is_some() {
        left.original.is_some()
    } else if right.rate.is_some() {
        right.original.is_none()
    } else {
        left.original.is_some() || (right.original.is_none() && sides.left_is_later)
    };
    let (source, result) = if left_is_result { (b, a) } else { (a, b) };
    // what may have been taken, in the order in which it is believed; the agreed one is apart
    let of_row = |row: &Row, side: Side| {
        let rate = row.rate.filter(is_rate)?;
        Some((rate, format!("{} of {side}", text(rate))))
    };
    let (agreed, note, of_rows, of_days) = match rule.rates {
        None => {
            let (own, other, other_side) = match left.rate {
                Some(rate) => (Some(rate), right, Side::Right),
                None => (right.rate, left, Side::Left),
            };
            let Some(rate) = own.filter(is_rate) else {
                return open(BreakCode::FxDiff);
            };
            let others: Vec<_> = of_row(other, other_side).into_iter().collect();
            (rate, text(rate), others, Vec::new())
        }
        Some(side) => {
            let day = if side == Side::Left {
                left.day
            } else {
                right.day
            };
            let found = day.zip(rates);
            let found = found.and_then(|(day, rates)| rates.of(a.1, b.1, day));
            let Some(found) = found else {
                return open(BreakCode::FxDiff);
            };
            let mut named = found.iter().map(|rate| {
                (
                    plain(rate),
                    format!("{} of {}", text(plain(rate)), rate.as_of()),
                )
            });
            let Some((rate, note)) = named.next() else {
                return open(BreakCode::FxDiff);
            };
            let mut of_rows = Vec::new();
            of_rows.extend(of_row(left, Side::Left));
            of_rows.extend(of_row(right, Side::Right));
            (rate, note, of_rows, named.collect())
        }
    };
    if !rule.explain.contains(&Explain::Fx) {
        return open(BreakCode::FxDiff);
    }
    let by = |amount: Figure, rate: RowRate, rounding| {
        let found = convert(amount.0, amount.1, rate, rounding);
        found
            .filter(|found| found.1 == result.1)
            .map(|found| found.0)
    };
    let Some(expected) = by(source, agreed, rule.rounding) else {
        return open(BreakCode::FxDiff);
    };
    let cause = |name: &str, minor: i128, note: Option<String>| Cause {
        name: name.into(),
        minor,
        currency: result.1,
        note,
    };
    let direction = if left_is_result { -1 } else { 1 };
    let difference = direction * (result.0 - expected);
    let mut causes = vec![cause("fx", 0, Some(note))];
    let done = |causes: Vec<Cause>, code| {
        if causes
            .iter()
            .any(|cause| i64::try_from(cause.minor).is_err())
        {
            return open(BreakCode::FxDiff);
        }
        Compared {
            difference: (difference != 0).then_some((difference, result.1)),
            causes,
            code,
        }
    };
    if difference == 0 {
        return done(causes, None);
    }
    let mut fees = Vec::new();
    if rule.explain.contains(&Explain::Fee) {
        for (row, sign) in [(left, -1), (right, 1)] {
            if row.currency == result.1 {
                fees.push(sign * fee(row, rule.rounding));
            }
        }
    }
    if fees.contains(&difference) {
        causes.push(cause("fee", difference, None));
        return done(causes, None);
    }
    let turned = RowRate {
        base: agreed.quote,
        quote: agreed.base,
        ..agreed
    };
    let result_row = if left_is_result { left } else { right };
    let told = result_row
        .original
        .map(|money| (i128::from(money.minor()), money.currency()));
    let told = told.filter(|told| told.1 == source.1 && *told != source);
    fees.retain(|fee| *fee != 0);
    for fee in std::iter::once(0).chain(fees) {
        for amount in std::iter::once(source).chain(told) {
            let Some(right_one) = by(amount, agreed, rule.rounding) else {
                continue;
            };
            let there = result.0 - direction * fee;
            let word = if amount.1 == agreed.base {
                "divided"
            } else {
                "multiplied"
            };
            let listed = |rates: &[(RowRate, String)]| -> Vec<(RowRate, Rounding, String)> {
                let all = rates.iter();
                all.map(|(rate, note)| (*rate, rule.rounding, note.clone()))
                    .collect()
            };
            let roundings = Rounding::ALL.map(|other| (agreed, other, other.name().to_owned()));
            let ways = [
                ("fx_rate", listed(&of_rows)),
                ("fx_rounding", roundings.to_vec()),
                (
                    "fx_direction",
                    vec![(turned, rule.rounding, word.to_owned())],
                ),
                ("fx_rate", listed(&of_days)),
            ];
            let way = ways.into_iter().find_map(|(name, tries)| {
                let fits: Vec<String> = tries
                    .into_iter()
                    .filter(|(rate, rounding, _)| by(amount, *rate, *rounding) == Some(there))
                    .map(|(_, _, note)| note)
                    .collect();
                (!fits.is_empty()).then(|| (name, fits.join(" or ")))
            });
            if there != right_one && way.is_none() {
                continue;
            }
            if amount != source {
                let minor = direction * (right_one - expected);
                let shown = crate::table::amount(amount.0, amount.1);
                causes.push(cause(
                    "fx_price",
                    minor,
                    Some(format!("{shown} {}", amount.1)),
                ));
            }
            if there != right_one
                && let Some((name, note)) = way
            {
                causes.push(cause(name, direction * (there - right_one), Some(note)));
            }
            if fee != 0 {
                causes.push(cause("fee", fee, None));
            }
            return done(causes, Some(BreakCode::FxDiff));
        }
    }
    causes.push(unexplained(difference, result.1));
    done(causes, Some(BreakCode::FxDiff))
}

/// Whether a rate is one that can be used.
fn is_rate(rate: &RowRate) -> bool {
    rate.value.mantissa() > 0
        && rate.base != rate.quote
        && [1, 10, 100, 1_000, 10_000].contains(&rate.unit)
}

fn text(rate: RowRate) -> String {
    format!(
        "{} {} = {} {}",
        rate.unit, rate.base, rate.value, rate.quote
    )
}

/// An amount by a rate: one exact ratio, one rounding. `None` for other currencies and beyond the range of amounts.
fn convert(minor: i128, currency: Currency, rate: RowRate, rounding: Rounding) -> Option<Figure> {
    let minor = i64::try_from(minor).ok()?;
    let power = |digits: u32| 10_u128.pow(digits);
    // at most 4 decimals of a currency, 96 bits of a value; 28 decimals of it and 4 of a unit
    let value = rate.value.mantissa().unsigned_abs();
    let forward = power(u32::from(rate.quote.minor_digits())) * value;
    let decimals = u32::from(rate.base.minor_digits()) + rate.value.scale();
    let backward = power(decimals) * u128::from(rate.unit);
    let (num, den, to) = if currency == rate.base {
        (forward, backward, rate.quote)
    } else if currency == rate.quote {
        (backward, forward, rate.base)
    } else {
        return None;
    };
    let (whole, rest) = long_division(minor.unsigned_abs(), num, den)?;
    let negative = minor < 0;
    let away = match rounding {
        Rounding::HalfUp => 2 * rest >= den,
        Rounding::HalfDown => 2 * rest > den,
        Rounding::HalfEven => 2 * rest > den || (2 * rest == den && whole % 2 == 1),
        Rounding::Up => rest > 0,
        Rounding::Down => false,
        Rounding::Ceiling => rest > 0 && !negative,
        Rounding::Floor => rest > 0 && negative,
    };
    let size = i128::from(whole) + i128::from(away);
    let minor = if negative { -size } else { size };
    i64::try_from(minor).ok()?;
    Some((minor, to))
}

/// Quotient and rest of `a * num / den`, where `num` and `den` have at most 121 bits; bit by bit, as on paper.
fn long_division(a: u64, num: u128, den: u128) -> Option<(u64, u128)> {
    let low = u128::from(a) * (num & u128::from(u64::MAX));
    let high = u128::from(a) * (num >> 64) + (low >> 64);
    if high / den != 0 {
        return None; // a quotient beyond 64 bits
    }
    let (mut whole, mut rest) = (0_u64, high % den);
    for bit in (0..64).rev() {
        rest = rest << 1 | (low >> bit & 1);
        whole <<= 1;
        if rest >= den {
            rest -= den;
            whole |= 1;
        }
    }
    Some((whole, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quanfu_fx::Quote;
    use quanfu_money::{Decimal, Money};

    proptest! {
        /// The engine's arithmetic is another one.
        #[test]
        fn amounts_are_converted_as_the_engine_does_over_the_whole_range(
            minor in any::<i64>(), small in any::<bool>(), mantissa in 1_i128..(1 << 96), bits in 0_u32..96, scale in 0_u32..=28,
            unit in 0_u32..=4, way in 0_usize..4, rounding in prop::sample::select(Rounding::ALL.to_vec()),
        ) {
            let [base, quote] = [
                [Currency::USD, Currency::CNY], [Currency::JPY, Currency::CNY], [Currency::KWD, Currency::JPY], [Currency::CLF, Currency::USD],
            ][way];
            let value = Decimal::from_i128_with_scale((mantissa >> bits).max(1), scale);
            let rate = RowRate { base, unit: 10_u32.pow(unit), quote, value };
            let minor = if small { minor >> 40 } else { minor };
            let engine = Quote::new(base, rate.unit, quote, value).expect("a quote");
            for from in [base, quote] {
                let want = engine.convert(Money::from_minor(minor, from), rounding).ok();
                let want = want.map(|money| (i128::from(money.minor()), money.currency()));
                prop_assert_eq!(convert(minor.into(), from, rate, rounding), want, "{} {}", minor, text(rate));
            }
        }
    }
}
