//! Prices made by hand, and the laws that all prices keep.

mod common;

use common::{dollar, item, mid, money, rules};
use proptest::prelude::*;
use quanfu_calendar::{Certainty, Date};
use quanfu_fx::{FxRate, Quote, RateKind, RmbMarket};
use quanfu_money::{Currency, Decimal, Money, Rounding};
use quanfu_pricing::{
    Bearer, Breach, Buyer, Fee, FixedSide, ForeignPrice, Guard, Item, PartKind, PricePoints,
    PriceRules, PricingError, Receipt, RmbPrice, Terms,
};
use quanfu_trail::Rational;
use std::collections::BTreeMap;

const SELLER: &str =
    "[[fee]]\nname = \"channel\"\nbearer = \"seller\"\nbps = 60\namount = \"0.30 CNY\"\n";
const BOTH: &str = "[[fee]]\nname = \"service\"\nbearer = \"buyer\"\nbps = 100\n\
    [[fee]]\nname = \"channel\"\nbearer = \"seller\"\nbps = 60\namount = \"0.30 CNY\"\n";
const GUARD: &str = "[guard]\nmin_margin_bps = 500\nbreach = \"raise\"\n";
const REFUSE: &str = "[guard]\nmin_margin_bps = 500\nbreach = \"refuse\"\n";
const CHARM: &str =
    "[buyer.USD]\nmarkup_bps = 150\nbuffer_bps = 200\nstep = \"1.00\"\nending = \"0.99\"\n";

/// Expected figures computed apart, with fractions: due, unguarded, price, at mid, markup, residue, expected, kept.
#[test]
fn prices_of_the_table_have_these_parts() {
    let usd = ("USD", 1, "CNY", "7.1526");
    let jpy = ("JPY", 100, "CNY", "4.8134");
    let myr = ("CNY", 1, "MYR", "0.59275");
    let krw = ("CNY", 1, "KRW", "193.31");
    let charm = CHARM.to_owned();
    let target = format!("fixed = \"target\"\n{BOTH}{REFUSE}{CHARM}");
    let big = format!(
        "{BOTH}[guard]\nmin_margin_bps = 1200\nbreach = \"raise\"\n[buyer.MYR]\nmarkup_bps = 275\nbuffer_bps = 300\n\
         step = \"5.00\"\nending = \"4.99\"\nrounding = \"half_up\"\n"
    );
    let text = str::to_owned;
    for (rest, rate, list, cost, want) in [
        (
            text("[buyer.USD]"),
            usd,
            "199.00",
            "",
            "199.00 27.83 27.83 199.06 0.00 0.06 199.06 -",
        ),
        (
            text("[buyer.USD]\nmarkup_bps = 150"),
            usd,
            "199.00",
            "",
            "199.00 28.24 28.24 201.99 2.99 0.00 201.99 -",
        ),
        (
            charm.clone(),
            usd,
            "199.00",
            "",
            "199.00 28.99 28.99 207.35 3.06 5.29 207.35 -",
        ),
        (
            text(
                "[buyer.USD]\nmarkup_bps = 150\nstep = \"1.00\"\nending = \"0.95\"\nrounding = \"half_up\"",
            ),
            usd,
            "199.00",
            "",
            "199.00 27.95 27.95 199.92 2.96 -2.04 199.92 -",
        ),
        // Down would be 27.00, better than mid for the buyer; so the next point up.
        (
            text("[buyer.USD]\nstep = \"1.00\"\nrounding = \"down\""),
            usd,
            "199.00",
            "",
            "199.00 28.00 28.00 200.27 0.00 1.27 200.27 -",
        ),
        (
            format!("{BOTH}[buyer.USD]\nmarkup_bps = 150\nstep = \"0.50\""),
            usd,
            "199.00",
            "",
            "200.99 29.00 29.00 207.43 3.07 3.37 203.95 -",
        ),
        (
            format!("{SELLER}{GUARD}{CHARM}"),
            usd,
            "199.00",
            "120.00",
            "199.00 28.99 28.99 207.35 3.06 5.29 205.86 81.71",
        ),
        (
            format!("{SELLER}{GUARD}{CHARM}"),
            usd,
            "199.00",
            "190.00",
            "199.00 28.99 28.99 207.35 3.06 5.29 205.86 11.71",
        ),
        (
            target,
            usd,
            "199.00",
            "150.00",
            "200.99 28.99 28.99 207.35 3.06 3.30 197.51 47.51",
        ),
        (
            text("[buyer.JPY]\nmarkup_bps = 100\nstep = \"100\"\nending = \"80\""),
            jpy,
            "199.00",
            "",
            "199.00 4180 4180 201.20 1.99 0.21 201.20 -",
        ),
        (
            text("[buyer.MYR]\nmarkup_bps = 50\nstep = \"0.10\""),
            myr,
            "1000.00",
            "",
            "1000.00 595.80 595.80 1005.15 5.01 0.14 1005.15 -",
        ),
        (
            text("[buyer.KRW]"),
            krw,
            "10.00",
            "",
            "10.00 1934 1934 10.00 0.00 0.00 10.00 -",
        ),
        (
            text("[buyer.USD]\nstep = \"1.00\"\nending = \"0.99\""),
            usd,
            "0.01",
            "",
            "0.01 0.99 0.99 7.08 0.00 7.07 7.08 -",
        ),
        (
            big,
            myr,
            "12345678.90",
            "11000000.00",
            "12469135.69 7594334.99 7747924.99 13071151.40 349836.17 252179.54 12873620.24 1481485.69",
        ),
    ] {
        let cost = if cost.is_empty() {
            String::new()
        } else {
            format!("{cost} CNY")
        };
        let item = item(&format!("{list} CNY"), &cost);
        let (base, unit, quote, value) = rate;
        let rate = mid(base, unit, quote, value, "2025-07-16");
        let found = rules(&rest).foreign(&item, &rate).expect("a price");
        let money = [
            found.due,
            found.unguarded,
            found.price,
            found.at_mid,
            found.markup,
            found.residue,
            found.expected,
        ];
        let kept = found
            .margin
            .as_ref()
            .map_or("-".into(), |margin| margin.kept.amount_text());
        let mut figures: Vec<String> = money.iter().map(Money::amount_text).collect();
        figures.push(kept);
        assert_eq!(figures.join(" "), want, "{rest}");
        replays(&found);
    }
}

/// Every step gives its figure again, and the last one the price.
fn replays(price: &ForeignPrice) {
    let last = price.trail.replay().expect("our own steps");
    let (amount, _) = price
        .price
        .to_string()
        .split_once(' ')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a unit");
    assert_eq!(last, Some(amount.parse().expect("a number")));
    if let Some(margin) = &price.margin {
        margin.step.replay().expect("our own step");
    }
}

#[test]
fn a_price_says_every_step_of_its_making() {
    let rules = rules(&format!("{SELLER}{GUARD}{CHARM}"));
    let price = rules
        .foreign(&item("199.00 CNY", "198.00 CNY"), &dollar("7.1526"))
        .expect("a price");
    let steps: Vec<String> = price
        .trail
        .0
        .iter()
        .map(|step| {
            let rounded = step.rounded.clone().unwrap_or_default();
            format!("{}: {} = {} {rounded}", step.rule, step.formula, step.exact)
        })
        .collect();
    // 198.00 + 1.49 + 9.95 must be left after a move of 2 %: 29.88 dollars, and the next point up.
    let want = [
        "price-fee: list * bps / 10000 + amount = 1.494 CNY 1.49 CNY",
        "price-due: list = 199.00 CNY ",
        "price-margin-needed: cost + fees + list * min_margin_bps / 10000 = 209.44 CNY ",
        "price-margin-floor: needed * unit / rate * 10000 / (10000 - buffer_bps) = 7480000/250341 USD ",
        "price-at-mid: due * unit / rate = 995000/35763 USD ",
        "price-markup: at_mid * (10000 + markup_bps) / 10000 = 144275/5109 USD ",
        "price-points: (amount - ending) / step = 13921709/510900 28",
        "price-point: count * step + ending = 28.99 USD ",
        "price-points: (amount - ending) / step = 723216241/25034100 29",
        "price-point: count * step + ending = 29.99 USD ",
    ];
    assert_eq!(steps, want);
    assert_eq!(
        (price.unguarded, price.price),
        (money("28.99 USD"), money("29.99 USD"))
    );
    replays(&price);
}

#[test]
fn what_has_no_price_says_why() {
    let offshore = dollar("7.1526")
        .in_market(RmbMarket::Offshore)
        .expect("a market");
    let bid = {
        let rate = dollar("7.1526");
        let certain = Certainty::Certain;
        FxRate::new(
            rate.quoted(),
            RateKind::Bid,
            "a bank",
            rate.as_of(),
            certain,
        )
        .expect("a rate")
    };
    let cross = mid("EUR", 1, "USD", "1.1626", "2025-07-16");
    let euro = mid("EUR", 1, "CNY", "8.3157", "2025-07-16");
    let long = mid(
        "USD",
        1,
        "CNY",
        "7.152612345678901234567890123",
        "2025-07-16",
    );
    let guarded = format!("{SELLER}{REFUSE}{CHARM}");
    for (rest, cost, rate, code, message) in [
        (
            CHARM,
            "",
            &bid,
            "price-rate",
            "USD/CNY (bid, a bank): a price starts from a mid rate between CNY and USD",
        ),
        (
            CHARM,
            "",
            &offshore,
            "price-rate",
            "USD/CNH (mid, CFETS central parity): a price starts from a mid rate between CNY and USD",
        ),
        (
            CHARM,
            "",
            &cross,
            "price-rate",
            "EUR/USD (mid, CFETS central parity): a price starts from a mid rate between CNY and another currency",
        ),
        (
            CHARM,
            "",
            &euro,
            "price-buyer",
            "no rule for buyers in EUR; there are rules for USD",
        ),
        (
            "[buyer.USD]\npays = \"CNY\"",
            "",
            &dollar("7.1526"),
            "price-buyer",
            "no rule for buyers in USD; there are rules for USD who pay CNY",
        ),
        (
            &guarded,
            "",
            &dollar("7.1526"),
            "price-without-cost",
            "the rules guard a margin, which needs the cost of the item",
        ),
        (
            &guarded,
            "198.00 CNY",
            &dollar("7.1526"),
            "price-margin",
            "28.99 USD leaves 3.71 CNY after fees and cost if the rate moves by the buffer; the rules want 9.95 CNY",
        ),
    ] {
        let error = rules(rest)
            .foreign(&item("199.00 CNY", cost), rate)
            .expect_err(message);
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
        assert!(PricingError::CODES.contains(&error.code()));
    }
    let much = item("92233720368547758.07 CNY", "");
    let error = rules(CHARM)
        .foreign(&much, &long)
        .map_err(|error| error.code());
    assert_eq!(error, Err("price-trail"));
    for (list, code) in [
        ("1.00 USD", "price-not-renminbi"),
        ("0.00 CNY", "price-out-of-range"),
        ("-1.00 CNY", "price-out-of-range"),
    ] {
        assert_eq!(
            Item::new(money(list)).map_err(|error| error.code()),
            Err(code)
        );
        assert_eq!(
            RmbPrice::new(money(list)).map_err(|error| error.code()),
            Err(code)
        );
    }
    let negative = item("1.00 CNY", "").with_cost(money("-0.01 CNY"));
    assert_eq!(
        negative.map_err(|error| error.code()),
        Err("price-out-of-range")
    );
}

#[test]
fn priced_invoiced_and_settled_in_renminbi_no_rate_has_a_part_in_it() {
    let rules = rules(&format!("{BOTH}{REFUSE}[buyer.EUR]\npays = \"CNY\"\n"));
    let price = rules
        .renminbi(&item("199.00 CNY", "150.00 CNY"))
        .expect("a price");
    assert_eq!(price.payable(), money("200.99 CNY"));
    assert_eq!(
        price.margin().map(|margin| margin.kept),
        Some(money("47.51 CNY"))
    );
    assert_eq!(
        price.trail().replay(),
        Ok(Some("200.99".parse().expect("a number")))
    );
    assert_eq!(price.difference(money("200.99 CNY")), Ok(money("0.00 CNY")));
    assert_eq!(
        price.difference(money("200.00 CNY")),
        Ok(money("-0.99 CNY"))
    );
    let foreign = price
        .difference(money("28.00 USD"))
        .map_err(|error| error.code());
    assert_eq!(foreign, Err("price-not-renminbi"));
    let dear = rules
        .renminbi(&item("199.00 CNY", "190.00 CNY"))
        .map_err(|error| error.code());
    assert_eq!(dear, Err("price-margin"));

    let shown = price
        .show(
            &mid("EUR", 1, "CNY", "8.3157", "2025-07-16"),
            Rounding::HalfUp,
        )
        .expect("shown");
    assert_eq!(
        shown.to_string(),
        "about 24.17 EUR, for orientation only (CFETS central parity, mid, 2025-07-16); payable is 200.99 CNY"
    );
    shown.trail().replay().expect("our own steps");
    let json = serde_json::to_value(&shown).expect("serialises");
    assert_eq!(json["display_only"], true);
    assert_eq!(json["payable"]["currency"], "CNY");
    assert_eq!(json["text"], "about 24.17 EUR");
    assert!(
        json.get("amount").is_none() && json.get("about").is_none(),
        "nothing to pay by mistake"
    );
    let cross = mid("EUR", 1, "USD", "1.1626", "2025-07-16");
    assert_eq!(
        price
            .show(&cross, Rounding::HalfUp)
            .map_err(|error| error.code()),
        Err("price-rate")
    );
}

/// Values at the settlement's rate computed apart: 28.99 * 7.0601 = 204.67, 28.99 * 7.2103 = 209.03.
#[test]
fn a_receipt_is_explained_to_the_fen() {
    for (fixed, rate, fees, received, want) in [
        (
            "source",
            "7.1526",
            "0.00 CNY",
            "207.35 CNY",
            "199.00 0.00 3.06 5.29 0.00 0.00 0.00 0.00",
        ),
        (
            "source",
            "7.0601",
            "1.49 CNY",
            "203.18 CNY",
            "199.00 0.00 3.06 5.29 -2.68 0.00 -1.49 0.00",
        ),
        (
            "source",
            "7.2103",
            "1.49 CNY",
            "200.00 CNY",
            "199.00 0.00 3.06 5.29 1.68 0.00 -1.49 -7.54",
        ),
        (
            "target",
            "7.0601",
            "1.49 CNY",
            "197.51 CNY",
            "199.00 0.00 3.06 5.29 -2.68 -5.67 -1.49 0.00",
        ),
        (
            "target",
            "7.2103",
            "0.00 CNY",
            "198.99 CNY",
            "199.00 0.00 3.06 5.29 1.68 -10.03 0.00 -0.01",
        ),
    ] {
        let rules = rules(&format!("fixed = \"{fixed}\"\n{CHARM}"));
        let price = rules
            .foreign(&item("199.00 CNY", ""), &dollar("7.1526"))
            .expect("a price");
        let settled = Receipt {
            rate: dollar(rate),
            fees: money(fees),
            received: money(received),
        };
        let tie = price.tie(&settled).expect("a tie");
        let parts: Vec<String> = tie
            .parts
            .iter()
            .map(|(_, part)| part.amount_text())
            .collect();
        assert_eq!(parts.join(" "), want, "{fixed} {rate}");
        let last = tie.trail.replay().expect("our own steps");
        assert_eq!(
            last.map(|sum| sum.to_string().parse()),
            Some(
                received
                    .trim_end_matches(" CNY")
                    .parse::<Decimal>()
                    .map(|d| d.normalize())
            )
        );
        assert_eq!(tie.part(PartKind::Unexplained), tie.parts[7].1);
    }
    let rules = rules(CHARM);
    let price = rules
        .foreign(&item("199.00 CNY", ""), &dollar("7.1526"))
        .expect("a price");
    let euro = mid("EUR", 1, "CNY", "8.3157", "2025-07-16");
    let zero = money("0.00 CNY");
    for (rate, fees, received, code) in [
        (euro, zero, zero, "price-rate"),
        (dollar("7"), money("-0.01 CNY"), zero, "price-out-of-range"),
        (dollar("7"), zero, money("1.00 USD"), "price-not-renminbi"),
    ] {
        let error = price
            .tie(&Receipt {
                rate,
                fees,
                received,
            })
            .map_err(|error| error.code());
        assert_eq!(error, Err(code));
    }
}

/// Computed apart: 199 / 28.99 = 6.864436012..., 28.99 * 7.15 / 199 - 1 = 4.16005... %.
#[test]
fn the_buyer_is_told_rate_and_markup() {
    let price = rules(CHARM)
        .foreign(&item("199.00 CNY", ""), &dollar("7.1526"))
        .expect("a price");
    let told = price.disclose(&dollar("7.1500")).expect("a disclosure");
    assert_eq!(told.customer_rate, "6.864436 CNY");
    assert_eq!((told.markup_bps, told.over_reference_bps), (150, 416));
    told.trail.replay().expect("our own steps");
    // The other direction: ringgit for one yuan.
    let rules = rules("[buyer.MYR]\nmarkup_bps = 50\nstep = \"0.10\"");
    let rate = mid("CNY", 1, "MYR", "0.59275", "2025-07-16");
    let price = rules
        .foreign(&item("1000.00 CNY", ""), &rate)
        .expect("a price");
    let told = price.disclose(&rate).expect("a disclosure");
    assert_eq!(
        (told.customer_rate.as_str(), told.over_reference_bps),
        ("0.595800 MYR", 51)
    );
    told.trail.replay().expect("our own steps");
    let error = price
        .disclose(&dollar("7.15"))
        .map_err(|error| error.code());
    assert_eq!(error, Err("price-rate"));
}

#[test]
fn json_carries_the_steps_and_no_number_that_is_money() {
    let price = rules(&format!("{SELLER}{GUARD}{CHARM}"))
        .foreign(&item("199.00 CNY", "120.00 CNY"), &dollar("7.1526"))
        .expect("a price");
    let json = serde_json::to_value(&price).expect("serialises");
    assert_eq!(
        json["price"],
        serde_json::json!({"amount": "28.99", "currency": "USD"})
    );
    assert_eq!(json["rate"]["value"], "7.1526");
    assert_eq!(json["terms"]["markup_bps"], 150);
    assert_eq!(
        json["trail"].as_array().map(Vec::len),
        Some(price.trail.0.len())
    );
}

fn any_rate() -> impl Strategy<Value = FxRate> {
    let pairs = [
        ("USD", 1, true, 4),
        ("JPY", 100, true, 4),
        ("MYR", 1, false, 5),
        ("KRW", 1, false, 2),
        ("KWD", 1, true, 4),
    ];
    (prop::sample::select(pairs.to_vec()), 100_i64..999_999).prop_map(
        |((other, unit, base, scale), value)| {
            let other = Currency::from_code(other).expect("a currency");
            let value = Decimal::new(value, scale);
            let (base, quote) = if base {
                (other, Currency::CNY)
            } else {
                (Currency::CNY, other)
            };
            let quote = Quote::new(base, unit, quote, value).expect("a quote");
            let day = Date::from_ymd_opt(2025, 7, 16).expect("a day");
            FxRate::new(
                quote,
                RateKind::Mid,
                "made up",
                day,
                Certainty::Illustrative,
            )
            .expect("a rate")
        },
    )
}

#[derive(Clone, Debug)]
struct Case {
    rules: PriceRules,
    item: Item,
    rate: FxRate,
}

fn cases() -> impl Strategy<Value = Case> {
    let fees = prop::collection::vec((any::<bool>(), 0_u32..500, 0_i64..500), 0..3);
    let points = (
        1_i64..500,
        0_i64..500,
        prop::sample::select(Rounding::ALL.to_vec()),
    );
    let guard = prop::option::of((0_u32..3_000, any::<bool>()));
    let bps = (0_u32..1_000, 0_u32..1_000);
    (
        any_rate(),
        fees,
        points,
        guard,
        bps,
        any::<bool>(),
        1_i64..10_000_000,
        0_i64..120,
    )
        .prop_map(
            |(
                rate,
                fees,
                (step, ending, rounding),
                guard,
                (markup_bps, buffer_bps),
                source,
                list,
                cost,
            )| {
                let buyer = if rate.base() == Currency::CNY {
                    rate.quote()
                } else {
                    rate.base()
                };
                let ending = Money::from_minor(ending % step, buyer);
                let points = PricePoints::new(Money::from_minor(step, buyer), ending, rounding)
                    .expect("points");
                let fixed = if source {
                    FixedSide::Source
                } else {
                    FixedSide::Target
                };
                let fees = fees
                    .into_iter()
                    .enumerate()
                    .map(|(at, (buyer, bps, amount))| Fee {
                        name: format!("f{at}"),
                        bearer: if buyer { Bearer::Buyer } else { Bearer::Seller },
                        bps,
                        amount: Money::from_minor(amount, Currency::CNY),
                    });
                let rules = PriceRules {
                    name: "any".into(),
                    rates: None,
                    market: RmbMarket::Onshore,
                    reference: None,
                    fixed,
                    quote: Default::default(),
                    fees: fees.collect(),
                    guard: guard.map(|(min_margin_bps, raise)| Guard {
                        min_margin_bps,
                        breach: if raise && source {
                            Breach::Raise
                        } else {
                            Breach::Refuse
                        },
                    }),
                    hysteresis_bps: 0,
                    buyers: BTreeMap::from([(
                        buyer,
                        Buyer::Own(Terms {
                            markup_bps,
                            buffer_bps,
                            points,
                        }),
                    )]),
                };
                let item = Item::new(Money::from_minor(list, Currency::CNY)).expect("a list price");
                let item = item
                    .with_cost(Money::from_minor(list * cost / 100, Currency::CNY))
                    .expect("a cost");
                Case { rules, item, rate }
            },
        )
}

fn number(money: Money) -> Rational {
    let units = 10_i128.pow(u32::from(money.currency().minor_digits()));
    Rational::new(money.minor().into(), units).expect("units are not zero")
}

fn not_below(a: Rational, b: Rational) -> bool {
    a.checked_sub(b).expect("small numbers").numerator() >= 0
}

fn with_terms(case: &Case, change: impl Fn(&mut Terms)) -> Case {
    let mut case = case.clone();
    for buyer in case.rules.buyers.values_mut() {
        if let Buyer::Own(terms) = buyer {
            change(terms);
        }
    }
    case
}

impl Case {
    fn price(&self) -> Result<ForeignPrice, PricingError> {
        self.rules.foreign(&self.item, &self.rate)
    }

    /// What is due in the buyer's currency at mid, by the rate's own conversion with its steps.
    fn at_mid(&self, due: Money) -> Rational {
        let converted = self
            .rate
            .convert(due, Rounding::HalfUp)
            .expect("a small amount");
        converted.trail.0[0].replay().expect("steps of the rate")
    }
}

proptest! {
    #[test]
    fn the_buyer_never_gets_a_better_rate_than_mid(case in cases()) {
        if let Ok(price) = case.price() {
            prop_assert!(not_below(number(price.price), case.at_mid(price.due)));
            prop_assert!(price.price.minor() >= price.unguarded.minor());
        }
    }

    #[test]
    fn a_price_stands_on_a_point_and_its_parts_add_up(case in cases()) {
        match case.price() {
            Ok(price) => {
                let points = price.terms.points;
                prop_assert_eq!((price.price.minor() - points.ending().minor()) % points.step().minor(), 0);
                let sum = price.due.minor() + price.residue.minor() + price.markup.minor();
                prop_assert_eq!(sum, price.at_mid.minor());
                prop_assert!(price.markup.minor() >= 0);
                let last = price.trail.replay().expect("our own steps");
                prop_assert_eq!(last, Some(number(price.price)));
                if let (Some(margin), FixedSide::Source) = (&price.margin, price.fixed) {
                    margin.step.replay().expect("our own step");
                    prop_assert!(margin.kept.minor() >= margin.wanted.minor() - 1, "{:?}", margin);
                }
            }
            Err(error) => prop_assert!(error.code() == "price-margin", "{}", error),
        }
    }

    /// The exact margin after the move, computed here from the definition, is what the guard promises.
    #[test]
    fn the_guarded_margin_is_left_after_the_move(case in cases()) {
        if let (Ok(price), Some(guard), FixedSide::Source) = (case.price(), case.rules.guard, case.rules.fixed) {
            let rate = Rational::new(case.rate.value().mantissa(), 10_i128.pow(case.rate.value().scale())).expect("a rate");
            let unit = Rational::whole(case.rate.unit().into());
            let yuan = if case.rate.quote() == Currency::CNY { rate.checked_div(unit) } else { unit.checked_div(rate) }.expect("a rate");
            let moved = Rational::new(10_000 - i128::from(price.terms.buffer_bps), 10_000).expect("a share");
            let gross = number(price.price).checked_mul(yuan).and_then(|gross| gross.checked_mul(moved));
            let fees: i64 = price.fees.iter().map(|fee| fee.amount.minor()).sum();
            let needed = i128::from(case.item.cost().expect("a cost").minor() + fees) * 10_000
                + i128::from(case.item.list().minor()) * i128::from(guard.min_margin_bps);
            prop_assert!(not_below(gross.expect("small"), Rational::new(needed, 1_000_000).expect("a sum")));
            if guard.breach == Breach::Raise && price.price != price.unguarded {
                // and one step less would not leave it
                let less = Money::from_minor(price.price.minor() - price.terms.points.step().minor(), price.price.currency());
                let gross = number(less).checked_mul(yuan).and_then(|gross| gross.checked_mul(moved));
                prop_assert!(!not_below(gross.expect("small"), Rational::new(needed, 1_000_000).expect("a sum")));
            }
        }
    }

    #[test]
    fn no_markup_on_every_minor_unit_is_the_conversion_itself(case in cases()) {
        let mut case = case;
        case.rules.guard = None;
        let case = with_terms(&case, |terms| {
            terms.markup_bps = 0;
            terms.points = PricePoints::every_unit(terms.points.step().currency());
        });
        let price = case.price().expect("nothing is guarded");
        let converted = case.rate.convert(price.due, Rounding::Up).expect("a small amount").to;
        prop_assert_eq!(price.price.minor(), converted.minor().max(1));
        prop_assert!(price.markup.is_zero());
    }

    #[test]
    fn more_markup_buffer_or_cost_never_makes_it_cheaper(case in cases(), more in 0_u32..500, fen in 0_i64..10_000) {
        let dearer_item = case.item.with_cost(Money::from_minor(case.item.cost().expect("a cost").minor() + fen, Currency::CNY));
        let others = [
            with_terms(&case, |terms| terms.markup_bps += more),
            with_terms(&case, |terms| terms.buffer_bps += more),
            Case { item: dearer_item.expect("a cost"), ..case.clone() },
        ];
        if let Ok(price) = case.price() {
            for other in others {
                match other.price() {
                    Ok(dearer) => prop_assert!(dearer.price.minor() >= price.price.minor()),
                    Err(error) => prop_assert_eq!(error.code(), "price-margin"),
                }
            }
        }
    }

    #[test]
    fn rounding_up_never_lowers_what_is_left(case in cases()) {
        let up = with_terms(&case, |terms| {
            terms.points = PricePoints::new(terms.points.step(), terms.points.ending(), Rounding::Up).expect("points");
        });
        if let (Ok(price), Ok(up)) = (case.price(), up.price()) {
            prop_assert!(up.price.minor() >= price.price.minor());
            prop_assert!(up.expected.minor() >= price.expected.minor());
            let marked = case.at_mid(up.due).checked_mul(Rational::new(10_000 + i128::from(up.terms.markup_bps), 10_000).expect("a share"));
            prop_assert!(not_below(number(up.price), marked.expect("small")));
        }
    }

    #[test]
    fn parts_of_any_receipt_add_up_to_it(case in cases(), percent in 50_i64..200, fees in 0_i64..10_000, received in -100_000_i64..100_000_000) {
        if let Ok(price) = case.price() {
            let quoted = case.rate.quoted();
            let value = quoted.value() * Decimal::new(percent, 2);
            let quote = Quote::new(quoted.base(), quoted.unit(), quoted.quote(), value).expect("a quote");
            let rate = FxRate::new(quote, RateKind::Applied, "the bank", case.rate.as_of(), Certainty::Certain).expect("a rate");
            let [fees, received] = [fees, received].map(|fen| Money::from_minor(fen, Currency::CNY));
            let tie = price.tie(&Receipt { rate, fees, received }).expect("small amounts");
            let sum: i64 = tie.parts.iter().map(|(_, part)| part.minor()).sum();
            prop_assert_eq!(sum, received.minor());
            prop_assert_eq!(tie.trail.replay(), Ok(Some(number(received))));
            if price.fixed == FixedSide::Target {
                // the rate is no matter of the seller
                let left = received.minor() - (price.due.minor() - fees.minor());
                prop_assert_eq!(tie.part(PartKind::Unexplained).minor(), left);
            }
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(case in cases()) {
        let json = |case: &Case| case.price().map(|price| serde_json::to_string(&price).expect("serialises"));
        prop_assert_eq!(json(&case), json(&case.clone()));
    }

    #[test]
    fn any_amounts_have_a_price_or_a_reason(
        list in 1_i64..=i64::MAX, cost in 0_i64..=i64::MAX, mantissa in 1_i128..(1 << 96), scale in 0_u32..=28,
        case in cases(),
    ) {
        let quote = Quote::new(Currency::USD, 1, Currency::CNY, Decimal::from_i128_with_scale(mantissa, scale)).expect("a quote");
        let rate = FxRate::new(quote, RateKind::Mid, "made up", case.rate.as_of(), Certainty::Illustrative).expect("a rate");
        let points = PricePoints::every_unit(Currency::USD);
        let mut rules = case.rules;
        rules.buyers = BTreeMap::from([(Currency::USD, Buyer::Own(Terms { markup_bps: 150, buffer_bps: 200, points }))]);
        let item = Item::new(Money::from_minor(list, Currency::CNY)).and_then(|item| item.with_cost(Money::from_minor(cost, Currency::CNY)));
        let item = item.expect("amounts in range");
        let _ = rules.renminbi(&item);
        if let Ok(price) = rules.foreign(&item, &rate) {
            price.trail.replay().expect("our own steps");
            let _ = price.disclose(&rate);
            let _ = price.tie(&Receipt { rate, fees: money("0.00 CNY"), received: Money::from_minor(cost, Currency::CNY) });
        }
    }
}
