//! Price lists: read, priced anew, written, and read again.

mod common;

use common::{mid, rules};
use proptest::prelude::*;
use quanfu_calendar::Date;
use quanfu_fx::RateTable;
use quanfu_money::{Currency, Money};
use quanfu_pricing::{
    Basis, Item, LIST_HEADER, ListError, ListRow, PriceList, PriceRules, reprice, write_list,
};

const RULES: &str = "[list]\nhysteresis_bps = 100\n[guard]\nmin_margin_bps = 500\nbreach = \"raise\"\n\
    [buyer.USD]\nmarkup_bps = 150\nbuffer_bps = 200\nstep = \"0.10\"\nending = \"0.09\"\n[buyer.EUR]\npays = \"CNY\"\n";

/// Dollars at 7.1526 on the 16th, 7.1461 (0.09 % less) on the 17th, and 7.0100 (2 % less) on the 18th.
fn table() -> RateTable {
    let day = |value, day| mid("USD", 1, "CNY", value, day);
    RateTable::new([
        day("7.1526", "2025-07-16"),
        day("7.1461", "2025-07-17"),
        day("7.0100", "2025-07-18"),
    ])
    .expect("rates of three days")
}

fn on<'a>(rules: &'a PriceRules, rates: &'a RateTable, day: &str) -> Basis<'a> {
    let on: Date = day.parse().expect("a day");
    Basis { rules, rates, on }
}

fn priced(list: &str, before: Option<(&str, &str)>, now: (&str, &str)) -> String {
    let list = PriceList::read(list).expect("a list");
    assert_eq!(list.rejected, []);
    let rates = table();
    let (old, new) = (before.map(|(text, _)| rules(text)), rules(now.0));
    let before = old
        .as_ref()
        .zip(before)
        .map(|(rules, (_, day))| on(rules, &rates, day));
    let csv = write_list(&reprice(&list.rows, before, on(&new, &rates, now.1)));
    let rows = csv
        .strip_prefix(LIST_HEADER)
        .and_then(|rows| rows.strip_prefix('\n'));
    rows.expect("a header").to_owned()
}

#[test]
fn a_list_says_what_changed_and_why() {
    let list = "sku,list_cny,cost_cny,buyer,pays,price\n";
    let one = |row: &str| format!("{list}{row}\n");
    let harder = RULES.replace("markup_bps = 150", "markup_bps = 300");
    let (day16, day17, day18) = (
        Some((RULES, "2025-07-16")),
        (RULES, "2025-07-17"),
        (RULES, "2025-07-18"),
    );
    for (what, row, before, now, want) in [
        // 199 / 7.1526 * 1.015 = 28.24, next 28.29; on the 18th 28.81, next 28.89; guarded it would be more.
        (
            "new",
            "A,199.00,120.00,,,",
            None,
            (RULES, "2025-07-16"),
            "A,199.00,120.00,EUR,CNY,199.00,,,,,,,199.00,new\nA,199.00,120.00,USD,USD,28.29,,,,,,,28.29,new\n",
        ),
        (
            "rate",
            "A,199.00,120.00,USD,,28.29",
            day16,
            day18,
            "A,199.00,120.00,USD,USD,28.89,28.29,0.60,0.60,0.00,0.00,0.00,28.89,rate\n",
        ),
        (
            "the old price is made where the list has none",
            "A,199.00,120.00,USD,,",
            day16,
            day18,
            "A,199.00,120.00,USD,USD,28.89,28.29,0.60,0.60,0.00,0.00,0.00,28.89,rate\n",
        ),
        (
            "no rate moves renminbi",
            "A,199.00,120.00,EUR,CNY,199.00",
            day16,
            day18,
            "A,199.00,120.00,EUR,CNY,199.00,199.00,0.00,0.00,0.00,0.00,0.00,199.00,\n",
        ),
        // 299 / 7.1526 * 1.015 = 42.43 -> 42.49; on the 17th 42.47 -> 42.49.
        (
            "unchanged",
            "B,299.00,120.00,USD,,42.49",
            day16,
            day17,
            "B,299.00,120.00,USD,USD,42.49,42.49,0.00,0.00,0.00,0.00,0.00,42.49,\n",
        ),
        // 298.60 / 7.1526 * 1.015 = 42.37 -> 42.39; on the 17th 42.41 -> 42.49, 0.2 % more.
        (
            "held",
            "C,298.60,120.00,USD,,42.39",
            day16,
            day17,
            "C,298.60,120.00,USD,USD,42.39,42.39,0.10,0.10,0.00,0.00,0.00,42.49,held\n",
        ),
        (
            "rule",
            "A,199.00,120.00,USD,,28.89",
            Some((RULES, "2025-07-18")),
            (&harder, "2025-07-18"),
            "A,199.00,120.00,USD,USD,29.29,28.89,0.40,0.00,0.40,0.00,0.00,29.29,rule\n",
        ),
        (
            "rate and rule",
            "A,199.00,120.00,USD,,28.29",
            day16,
            (&harder, "2025-07-18"),
            "A,199.00,120.00,USD,USD,29.29,28.29,1.00,0.60,0.40,0.00,0.00,29.29,rate+rule\n",
        ),
        // (190 + 9.95) / 7.1526 / 0.98 = 28.52 -> 28.59 guarded, 29.10 -> 29.19 on the 18th
        (
            "guarded before and after: the rate alone moves it",
            "A,199.00,190.00,USD,,28.59",
            day16,
            day18,
            "A,199.00,190.00,USD,USD,29.19,28.59,0.60,0.60,0.00,0.00,0.00,29.19,rate\n",
        ),
        // (189 + 9.95) / 7.1526 / 0.98 = 28.38: guarded
        (
            "a higher cost",
            "A,199.00,189.00,USD,,28.29",
            None,
            (RULES, "2025-07-16"),
            "A,199.00,189.00,USD,USD,28.39,28.29,0.10,0.00,0.00,0.00,0.10,28.39,other\n",
        ),
        (
            "a price set by hand",
            "A,199.00,120.00,USD,,35.00",
            day16,
            day18,
            "A,199.00,120.00,USD,USD,28.89,35.00,-6.11,0.60,0.00,0.00,-6.71,28.89,rate+other\n",
        ),
        // Less than 1 % away, but better than mid for the buyer: 199 / 7.01 = 28.39.
        (
            "too cheap to be held",
            "A,199.00,120.00,USD,,28.38",
            Some((&harder, "2025-07-16")),
            (&RULES.replace("150", "0"), "2025-07-18"),
            "A,199.00,120.00,USD,USD,28.39,28.38,0.01,0.60,-0.90,0.00,0.31,28.39,rate+rule+other\n",
        ),
        (
            "another currency than before",
            "A,199.00,120.00,USD,CNY,199.00",
            day16,
            day18,
            "A,199.00,120.00,USD,USD,28.89,199.00,,,,,,28.89,rule\n",
        ),
        (
            "no cost",
            "A,199.00,,USD,,28.29",
            day16,
            day18,
            "A,199.00,,USD,USD,,28.29,,,,,,,price-without-cost\n",
        ),
        (
            "no rate",
            "A,199.00,120.00,USD,,28.29",
            day16,
            (RULES, "2025-07-19"),
            "A,199.00,120.00,USD,USD,,28.29,,,,,,,price-no-rate\n",
        ),
        (
            "no rule",
            "A,199.00,120.00,GBP,,28.29",
            day16,
            day18,
            "A,199.00,120.00,GBP,GBP,,28.29,,,,,,,price-buyer\n",
        ),
        (
            "a name with a comma",
            "\"A, \"\"b\"\"\",199.00,120.00,EUR,,",
            None,
            day18,
            "\"A, \"\"b\"\"\",199.00,120.00,EUR,CNY,199.00,,,,,,,199.00,new\n",
        ),
    ] {
        assert_eq!(priced(&one(row), before, now), want, "{what}");
    }
}

#[test]
fn the_guard_is_a_cause_of_its_own() {
    // 187.90 + 9.95 = 197.85 is needed. At 7.1526 with 2 % to lose that is 28.226, below the point 28.29; with 3 % it is 28.52.
    let list = "sku,list_cny,cost_cny,buyer,price\nA,199.00,187.90,USD,28.29\n";
    let careful = RULES.replace("buffer_bps = 200", "buffer_bps = 300");
    let want = "A,199.00,187.90,USD,USD,28.59,28.29,0.30,0.00,0.00,0.30,0.00,28.59,guard\n";
    let day = "2025-07-16";
    let tight = careful.replace("hysteresis_bps = 100", "hysteresis_bps = 0");
    assert_eq!(priced(list, Some((RULES, day)), (&tight, day)), want);
    // A small change, but the old price would leave too little: it is not held.
    let wide = careful.replace("hysteresis_bps = 100", "hysteresis_bps = 500");
    assert_eq!(priced(list, Some((RULES, day)), (&wide, day)), want);
}

#[test]
fn lines_that_cannot_be_read_cost_no_other_line() {
    let text = "\u{feff}sku,list_cny,cost_cny,buyer,price\r\nA,199.00,120.00,USD,28.29\r\n\"x\ny\",1.00,,,\r\n,1.00,,,\n\
        B,1.005,,,\nC,0.00,,,\nD,1.00,-1,,\nE,1.00,,CNH,\nF,1.00,,,1.00\nG,1.00,,USD,0.00\nH,1.00\nA,1.00,,USD,\n\nA,1.00,,JPY,5";
    let list = PriceList::read(text).expect("a header");
    let names: Vec<&str> = list.rows.iter().map(|row| row.sku.as_str()).collect();
    assert_eq!(names, ["A", "x\ny", "A"]);
    let found: Vec<String> = list.rejected.iter().map(ToString::to_string).collect();
    let want = [
        "line 5, column sku: empty; a name would be right",
        "line 6, column list_cny: 1.005 CNY is finer than the minor unit of CNY (2 decimals)",
        "line 7, column list_cny: list price of 0.00 CNY: above zero would be right",
        "line 8, column cost_cny: cost of -1.00 CNY: zero or more would be right",
        "line 9, column buyer: CNH is an offshore market, not a currency: the money is CNY; name CNH on the rate or the account",
        "line 10, column price: a price without buyer; its currency would be right",
        "line 11, column price: a price is above zero",
        "line 12, column sku: 2 cells; 5 would be right",
        "line 13, column sku: this sku is there twice for this buyer",
    ];
    assert_eq!(found, want);
    for (header, want) in [
        ("", "line 1: unknown column \"\"; known are "),
        ("sku,price", "line 1: no column \"list_cny\"; it is needed"),
        (
            "sku,list_cny,colour",
            "line 1: unknown column \"colour\"; known are ",
        ),
        ("sku,list_cny,sku", "line 1: column \"sku\" is there twice"),
    ] {
        let error = PriceList::read(&format!("{header}\nA,1.00\n")).expect_err(want);
        assert!(error.to_string().starts_with(want), "{error}");
        assert!(ListError::CODES.contains(&error.code()));
    }
    assert!(PriceList::read("").is_err());
}

fn rows() -> impl Strategy<Value = Vec<ListRow>> {
    let row = (
        1_i64..1_000_000,
        0_i64..120,
        0_usize..3,
        prop::option::of(1_i64..200_000),
    );
    prop::collection::vec(row, 0..20).prop_map(|rows| {
        let row = |(at, (list, cost, buyer, price)): (usize, (i64, i64, usize, Option<i64>))| {
            let buyer = [None, Some(Currency::USD), Some(Currency::EUR)][buyer];
            let item = Item::new(Money::from_minor(list, Currency::CNY)).expect("a list price");
            let cost = Money::from_minor(list * cost / 100, Currency::CNY);
            ListRow {
                sku: format!("S{at}"),
                item: item.with_cost(cost).expect("a cost"),
                buyer,
                price: buyer
                    .and(price)
                    .map(|minor| Money::from_minor(minor, Currency::USD)),
            }
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

proptest! {
    #[test]
    fn pricing_again_changes_nothing_and_text_is_read_again(
        rows in rows(), hysteresis in 0_u32..2_000, days in (0_usize..3, 0_usize..3), before in any::<bool>(),
    ) {
        let rates = table();
        let mut rules = rules(RULES);
        rules.hysteresis_bps = hysteresis;
        let day = |at: usize| ["2025-07-16", "2025-07-17", "2025-07-18"][at];
        let now = on(&rules, &rates, day(days.1));
        let before = before.then(|| on(&rules, &rates, day(days.0)));
        let once = reprice(&rows, before, now);
        let text = write_list(&once);
        let list = PriceList::read(&text).expect("our own text");
        prop_assert!(list.rejected.is_empty(), "{:?}", list.rejected);
        let again = reprice(&list.rows, before, now);
        prop_assert_eq!(once.len(), again.len());
        for (once, again) in once.iter().zip(&again) {
            if once.new.is_err() {
                prop_assert_eq!(once.old, again.old, "a refused row keeps the price it had");
            }
            let price = |new: &quanfu_pricing::Repriced| new.new.as_ref().map(|new| new.price).map_err(|error| error.code());
            prop_assert_eq!(price(once), price(again), "{:?} {:?}", once, again);
            if let Ok(new) = &again.new {
                let held = new.causes == [quanfu_pricing::Cause::Held];
                prop_assert!(held || new.causes.is_empty(), "{:?}", new);
            }
        }
    }

    #[test]
    fn the_parts_of_a_change_add_up_to_it(rows in rows(), markups in (0_u32..500, 0_u32..500), days in (0_usize..3, 0_usize..3)) {
        let rates = table();
        let with = |markup: u32| rules(&RULES.replace("markup_bps = 150", &format!("markup_bps = {markup}")));
        let (old, new) = (with(markups.0), with(markups.1));
        let day = |at: usize| ["2025-07-16", "2025-07-17", "2025-07-18"][at];
        for row in reprice(&rows, Some(on(&old, &rates, day(days.0))), on(&new, &rates, day(days.1))) {
            if let (Some(old), Ok(new)) = (row.old, row.new)
                && let Some(change) = new.change
            {
                let moved = new.calculated.checked_sub(old).expect("small amounts");
                prop_assert_eq!(change.total().to_money(), Ok(moved));
                prop_assert!(change.trail().replay().is_ok(), "{:?}", change.trail());
                prop_assert_eq!(change.trail().0.last().map(|step| step.exact.clone()), Some(change.other.to_string()));
            }
        }
    }

    #[test]
    fn any_text_is_a_list_or_not(text in "(sku,list_cny(,price|,buyer)?\n)?[a-zA-Z0-9,\"\r\n. ]{0,60}") {
        let _ = PriceList::read(&text);
    }
}
