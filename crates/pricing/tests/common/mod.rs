//! What the tests of pricing share.
#![allow(dead_code)]

use quanfu_calendar::{Certainty, Date};
use quanfu_fx::{FxRate, Quote, RateKind};
use quanfu_money::lexer::{AmountStyle, parse_decimal};
use quanfu_money::{Currency, Money};
use quanfu_pricing::{Item, PriceRules};

pub fn money(text: &str) -> Money {
    text.parse().expect(text)
}

pub fn item(list: &str, cost: &str) -> Item {
    let item = Item::new(money(list)).expect("a list price");
    match cost {
        "" => item,
        cost => item.with_cost(money(cost)).expect("a cost"),
    }
}

/// Central parities as Xinhua printed them for 2025-07-16, and others made up near them.
pub fn mid(base: &str, unit: u32, quote: &str, value: &str, day: &str) -> FxRate {
    let [base, quote] = [base, quote].map(|code| Currency::from_code(code).expect(code));
    let value = parse_decimal(value.as_bytes(), AmountStyle::PLAIN).expect("a decimal");
    let quote = Quote::new(base, unit, quote, value).expect("a quote");
    let day: Date = day.parse().expect("a day");
    FxRate::new(
        quote,
        RateKind::Mid,
        "CFETS central parity",
        day,
        Certainty::Certain,
    )
    .expect("a rate")
}

pub fn dollar(value: &str) -> FxRate {
    mid("USD", 1, "CNY", value, "2025-07-16")
}

/// Rules with a name and the rest of the document.
pub fn rules(rest: &str) -> PriceRules {
    let text = format!("schema = \"quanfu.pricing/1\"\nname = \"test\"\n{rest}");
    PriceRules::parse(&text).expect("rules of a test")
}
