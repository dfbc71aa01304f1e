//! Figures of two currencies compared: by one rate, and what else was done where they do not meet.

use quanfu_calendar::BusinessCalendar;
use quanfu_fx::{FxRate, Quote, RateKind, RateTable, RmbMarket, Staleness, Terms};
use quanfu_money::{Currency, Money, MoneySum, Rounding};
use quanfu_settlement::rules::{Explain, MatchRule, RatesRules};
use quanfu_settlement::{Book, BreakCode, Cause, Group, RowRate, Side};

use crate::compare::{Compared, Figure, Scales, cause, fee};
use crate::error::ReconError;

/// The table of rates of a run, and which of them the rules mean.
#[derive(Debug)]
pub(crate) struct Rates<'a> {
    table: &'a RateTable,
    terms: Terms<'a>,
}

impl<'a> Rates<'a> {
    /// What the rules say of the table that was given.
    pub(crate) fn new(
        rules: Option<&'a RatesRules>,
        table: Option<&'a RateTable>,
        calendar: &'a BusinessCalendar,
    ) -> Result<Option<Self>, ReconError> {
        let why = |why: String| ReconError::Rates { why };
        let (rules, table) = match (rules, table) {
            (None, None) => return Ok(None),
            (Some(rules), Some(table)) => (rules, table),
            (Some(rules), None) => {
                let source = &rules.source;
                return Err(why(format!(
                    "the rules want rates of {source:?}, and no table was given"
                )));
            }
            (None, Some(_)) => {
                return Err(why("a table was given, and the rules name none".to_owned()));
            }
        };
        let kind = RateKind::from_name(&rules.kind).ok_or_else(|| {
            let kinds = RateKind::ALL.map(RateKind::name).join(", ");
            why(format!(
                "no kind of rate is named {:?}; known are {kinds}",
                rules.kind
            ))
        })?;
        let staleness = match rules.max_business_days {
            None => Staleness::Exact,
            Some(max_business_days) => Staleness::PreviousPublished {
                max_business_days,
                calendar,
            },
        };
        Ok(Some(Self {
            table,
            terms: Terms {
                kind,
                source: Some(&rules.source),
                market: RmbMarket::Onshore,
                staleness,
            },
        }))
    }
}

/// Whether a group's sides have two currencies and a rate to bring them to one.
pub(crate) fn is_exchange(group: &Group) -> bool {
    group
        .causes
        .first()
        .is_some_and(|cause| cause.name == Cause::FX)
}

fn of_row(rate: RowRate) -> Option<Quote> {
    Quote::new(rate.base, rate.unit, rate.quote, rate.value).ok()
}

fn of_day(rate: &FxRate) -> String {
    format!("{} of {}", rate.quoted(), rate.as_of())
}

/// One amount, one exact fraction, one rounding.
fn converted(figure: Figure, quote: Quote, rounding: Rounding) -> Option<Figure> {
    let money = Money::from_minor(i64::try_from(figure.0).ok()?, figure.1);
    let to = quote.convert(money, rounding).ok()?;
    Some((to.minor().into(), to.currency()))
}

/// A rate that was not to be taken, and what it is called.
type Other = (Quote, String);

/// Part of a difference: the cause, its amount, its note.
type Part = (&'static str, i128, Option<String>);

/// Two figures of which one is to be the other by a rate.
struct Exchange<'a> {
    rule: &'a MatchRule,
    source: Figure,
    result: Figure,
    agreed: Quote,
    /// Rates that the rows name, and those of the table next to the agreed one.
    others: [Vec<Other>; 2],
    /// The amount before exchange that the row with the result names, if it is another than the source.
    told: Option<Money>,
    /// The rows' fees as they count from left to right, in the currency of the result.
    fees: Vec<i128>,
    /// Plus if the result is on the right.
    sign: i128,
}

impl Exchange<'_> {
    fn by(&self, amount: Figure, quote: Quote, rounding: Rounding) -> Option<i128> {
        let (minor, currency) = converted(amount, quote, rounding)?;
        (currency == self.result.1).then_some(minor)
    }

    /// What was done with an amount, if this figure came of it: the cause and what was taken in place of the agreed.
    fn way(&self, amount: Figure, want: i128) -> Option<(&'static str, String)> {
        let rounding = self.rule.rounding;
        let rates = |others: &[Other]| {
            let fits = |other: &&Other| self.by(amount, other.0, rounding) == Some(want);
            let found: Vec<&str> = others.iter().filter(fits).map(|o| o.1.as_str()).collect();
            (!found.is_empty()).then(|| (Cause::FX_RATE, found.join(" or ")))
        };
        let rounded = || {
            let fits = |other: &Rounding| self.by(amount, self.agreed, *other) == Some(want);
            let found = Rounding::ALL.into_iter().filter(fits);
            let found: Vec<&str> = found.map(Rounding::name).collect();
            (!found.is_empty()).then(|| (Cause::FX_ROUNDING, found.join(" or ")))
        };
        let turned = || {
            let agreed = self.agreed;
            let turned = Quote::new(agreed.quote(), agreed.unit(), agreed.base(), agreed.value());
            let found = self.by(amount, turned.ok()?, rounding) == Some(want);
            let word = if amount.1 == agreed.base() {
                "divided"
            } else {
                "multiplied"
            };
            found.then(|| (Cause::FX_DIRECTION, word.to_owned()))
        };
        rates(&self.others[0])
            .or_else(rounded)
            .or_else(turned)
            .or_else(|| rates(&self.others[1]))
    }

    /// The causes of the difference between the figure that the agreed rate gives and the one that is there; they add up
    /// to it. The first account that ties to the unit counts: a fee alone, of which nothing is wrong; then, without a fee
    /// and with one, other ways with the source, and the amount that is told in its place.
    fn account(&self, expected: i128) -> (Vec<Part>, bool) {
        let actual = self.result.0;
        let rest = self.sign * (actual - expected);
        if self.fees.contains(&rest) {
            return (vec![("fee", rest, None)], true);
        }
        let amounts = [(self.source, None)]
            .into_iter()
            .chain(self.told.map(|told| {
                let figure = (i128::from(told.minor()), told.currency());
                (figure, Some(told.to_string()))
            }));
        let amounts: Vec<(Figure, i128, Option<String>)> = amounts
            .filter_map(|(figure, note)| {
                let minor = self.by(figure, self.agreed, self.rule.rounding)?;
                Some((figure, minor, note))
            })
            .collect();
        for fee in [0].into_iter().chain(self.fees.iter().copied()) {
            let gross = actual - self.sign * fee;
            for (figure, by_agreed, told) in &amounts {
                let way = if gross == *by_agreed {
                    None
                } else {
                    match self.way(*figure, gross) {
                        Some(way) => Some(way),
                        None => continue,
                    }
                };
                let mut causes = Vec::new();
                if let Some(told) = told {
                    let minor = self.sign * (by_agreed - expected);
                    causes.push((Cause::FX_PRICE, minor, Some(told.clone())));
                }
                if let Some((name, note)) = way {
                    causes.push((name, self.sign * (gross - by_agreed), Some(note)));
                }
                if fee != 0 {
                    causes.push(("fee", fee, None));
                }
                return (causes, false);
            }
        }
        (vec![("unexplained", rest, None)], false)
    }
}

impl Scales<'_> {
    /// Compares figures of two currencies.
    pub(crate) fn across(
        &self,
        rule: &MatchRule,
        left: u32,
        right: u32,
        l: Figure,
        r: Figure,
    ) -> Compared {
        let open = |code| Compared {
            code: Some(code),
            ..Compared::default()
        };
        let rates = [self.left.rate(left), self.right.rate(right)];
        if rule.rates.is_none() && rates == [None, None] {
            return open(BreakCode::CurrencyMismatch);
        }
        if !rule.explain.contains(&Explain::Fx) {
            return open(BreakCode::FxDiff);
        }
        let named = |side: Side| {
            let quote = of_row(rates[side as usize]?)?;
            Some((quote, format!("{quote} of {side}")))
        };
        let mut others = [Vec::new(), Vec::new()];
        let agreed = match rule.rates {
            Some(side) => {
                let Some(found) = self.published(side, [left, right], [l.1, r.1]) else {
                    return open(BreakCode::FxDiff);
                };
                let (rate, neighbours) = found;
                others[0].extend([Side::Left, Side::Right].into_iter().filter_map(named));
                let neighbours = neighbours.into_iter().flatten();
                others[1].extend(neighbours.map(|rate| (rate.quoted(), of_day(rate))));
                (rate.quoted(), of_day(rate))
            }
            None => {
                // one that cannot be used is no reason to take the other
                let side = if rates[0].is_some() {
                    Side::Left
                } else {
                    Side::Right
                };
                let Some((quote, _)) = named(side) else {
                    return open(BreakCode::FxDiff);
                };
                others[0].extend(named(side.other()));
                (quote, quote.to_string())
            }
        };
        // one direction only: what the other way rounds away must not count as agreement
        let is_here = self.exchanged_here(left, right);
        let (source, result, sign) = if is_here { (r, l, -1) } else { (l, r, 1) };
        let told = if is_here {
            self.left.original(left)
        } else {
            self.right.original(right)
        };
        let told =
            told.filter(|told| told.currency() == source.1 && i128::from(told.minor()) != source.0);
        let mut fees = Vec::new();
        if rule.explain.contains(&Explain::Fee) {
            let of = |book: &Book, row| {
                let is_of_result = book.money(row).currency() == result.1;
                fee(book, row, rule.rounding).filter(|_| is_of_result)
            };
            fees.extend(of(self.left, left).map(|fee| -fee));
            fees.extend(of(self.right, right));
            fees.retain(|fee| *fee != 0);
        }
        let exchange = Exchange {
            rule,
            source,
            result,
            agreed: agreed.0,
            others,
            told,
            fees,
            sign,
        };
        let Some(expected) = exchange.by(source, agreed.0, rule.rounding) else {
            return open(BreakCode::FxDiff);
        };
        let (found, is_fine) = if expected == result.0 {
            (Vec::new(), true)
        } else {
            exchange.account(expected)
        };
        let first = (Cause::FX, 0, Some(agreed.1));
        let made = [first].into_iter().chain(found).map(|(name, minor, note)| {
            let cause = cause(name, minor, result.1)?;
            Some(Cause { note, ..cause })
        });
        // beyond the range of amounts nothing can be said of it
        let Some(causes) = made.collect::<Option<Vec<Cause>>>() else {
            return open(BreakCode::FxDiff);
        };
        let difference = sign * (result.0 - expected);
        Compared {
            difference: (difference != 0).then(|| MoneySum::from_minor(difference, result.1)),
            causes,
            code: (!is_fine).then_some(BreakCode::FxDiff),
        }
    }

    /// The table's rate of two currencies on the accounting day of a side's row, with those next to it.
    fn published(
        &self,
        side: Side,
        [left, right]: [u32; 2],
        [one, other]: [Currency; 2],
    ) -> Option<(&FxRate, [Option<&FxRate>; 2])> {
        let rates = self.rates?;
        let day = match side {
            Side::Left => self.left.accounting_day(left),
            Side::Right => self.right.accounting_day(right),
        };
        let found = rates.table.find(one, other, day?, &rates.terms).ok()?;
        Some((found.rate, rates.table.neighbours(found.rate)))
    }

    /// Whether the left figure is what came of the exchange: a row with a rate and an amount before exchange holds the
    /// result of the exchange, one without holds what was exchanged. Where no row has a rate, the one with an amount
    /// before exchange holds the result, or else the channel's.
    fn exchanged_here(&self, left: u32, right: u32) -> bool {
        let originals = [
            self.left.original(left).is_some(),
            self.right.original(right).is_some(),
        ];
        match (self.left.rate(left), self.right.rate(right), originals) {
            (Some(_), _, [has_original, _]) => has_original,
            (None, Some(_), [_, has_original]) => !has_original,
            (None, None, [true, _]) => true,
            (None, None, [false, true]) => false,
            (None, None, [false, false]) => self.right_role < self.left_role,
        }
    }
}
