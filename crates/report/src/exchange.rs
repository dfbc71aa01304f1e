//! The steps of an exchange that an open position speaks of: what the agreed rate gives, and what it is off.

use quanfu_fx::{Certainty, Date, FxRate, Quote, RateKind};
use quanfu_money::{AmountStyle, Currency, Money, lexer};
use quanfu_settlement::result::{Member, OpenPosition};
use quanfu_settlement::rules::AmountOf;
use quanfu_settlement::{Cause, ResultDoc, Rules, Side};
use quanfu_trail::{Step, Trail};
use serde::Serialize;

/// The steps of one open position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExchangeSteps {
    /// The position.
    pub fingerprint: String,
    /// From the amount that was exchanged to the difference; its causes stand in the position.
    pub trail: Trail,
}

/// The steps of a pair of two currencies that has a rate. None for figures net of fees, which the result does not hold.
#[must_use]
pub fn of_position(doc: &ResultDoc, position: &OpenPosition) -> Option<ExchangeSteps> {
    let agreed = position.causes.first()?;
    let note = agreed.note.as_deref()?;
    let [left, right] = &position.members[..] else {
        return None;
    };
    if agreed.cause != Cause::FX || [left.side, right.side] != [Side::Left, Side::Right] {
        return None;
    }
    let rules = Rules::parse(&doc.rules_document.text).ok()?;
    let edge = rules.edges.iter().find(|edge| edge.name == position.edge)?;
    let id = position.rule.as_deref()?;
    let rule = edge.rules.iter().find(|rule| rule.id == id)?;
    let left = figure(left, rule.left_amount)?;
    let right = figure(right, rule.right_amount)?;
    let (source, result) = match agreed.currency {
        currency if currency == right.currency() => (left, right),
        _ => (right, left),
    };
    let (quote, of_day) = read(note)?;
    let day = of_day.or(position.since).unwrap_or(doc.as_of);
    // the result does not tell how sure its table is of a rate
    let (kind, from, certainty) = match (&rules.rates, &doc.certificate.rates) {
        (Some(named), Some(file)) if of_day.is_some() => {
            let from = format!("{} in {}", named.source, file.file);
            (RateKind::from_name(&named.kind)?, from, Certainty::Probable)
        }
        _ => (RateKind::Applied, "the row".to_owned(), Certainty::Certain),
    };
    let rate = FxRate::new(quote, kind, from, day, certainty).ok()?;
    let by_rate = rate.convert(source, rule.rounding).ok()?;
    let mut trail = by_rate.trail;
    let (formula, off) = if result == right {
        ("actual - expected", result.checked_sub(by_rate.to).ok()?)
    } else {
        ("expected - actual", by_rate.to.checked_sub(result).ok()?)
    };
    trail.0.push(Step {
        rule: "fx-difference".into(),
        source: "the row with the result of the exchange".into(),
        certainty: Certainty::Certain,
        inputs: vec![
            ("actual".into(), result.to_string()),
            ("expected".into(), by_rate.to.to_string()),
        ],
        formula: formula.into(),
        exact: off.to_string(),
        rounded: None,
        rounding: None,
    });
    Some(ExchangeSteps {
        fingerprint: position.fingerprint.clone(),
        trail,
    })
}

fn figure(member: &Member, which: AmountOf) -> Option<Money> {
    let item = &member.item;
    let amount = || format!("{} {}", item.amount, item.currency).parse().ok();
    match which {
        AmountOf::Amount => amount(),
        AmountOf::Original => item.original.or_else(amount),
        AmountOf::Net => None,
    }
}

/// A rate as a cause names it: `1 USD = 7.1526 CNY`, perhaps with ` of ` and a day.
fn read(note: &str) -> Option<(Quote, Option<Date>)> {
    let words: Vec<&str> = note.split(' ').collect();
    let (rate, day) = match words[..] {
        [_, _, "=", _, _] => (words, None),
        [unit, base, "=", value, quote, "of", day] => {
            (vec![unit, base, "=", value, quote], Some(day.parse().ok()?))
        }
        _ => return None,
    };
    let currency = |code: &str| Currency::from_code(code).ok();
    let value = lexer::parse_decimal(rate[3].as_bytes(), AmountStyle::PLAIN).ok()?;
    let unit = rate[0].parse().ok()?;
    let quote = Quote::new(currency(rate[1])?, unit, currency(rate[4])?, value).ok()?;
    Some((quote, day))
}
