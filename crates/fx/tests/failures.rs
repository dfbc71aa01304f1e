//! What programs get wrong with published rates, each with the figure that comes of it, and ours.

use quanfu_fx::{
    CENTRAL_PARITY, FxRate, RateKind, RateReading, RateTable, RmbMarket, Route, Spread, TableError,
    Terms,
};
use quanfu_money::{Currency, Decimal, Money, Rounding};

fn parities() -> RateTable {
    let read = RateReading::any(include_bytes!("../testdata/central_parity.csv")).expect("rates");
    RateTable::new(read.rates).expect("one rate a day")
}

/// The parity of a currency on 2025-07-16.
fn parity(code: &str) -> FxRate {
    let day = "2025-07-16".parse().expect("a day");
    let currency = Currency::from_code(code).expect("a currency");
    let table = parities();
    let found = table.find(currency, Currency::CNY, day, &Terms::MID);
    found.expect("a parity").rate.clone()
}

fn converted(rate: &FxRate, amount: &str) -> String {
    let money: Money = amount.parse().expect("money");
    let to = rate.convert(money, Rounding::HalfUp).expect("small").to;
    to.to_string()
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

#[test]
fn a_yen_parity_is_for_a_hundred_yen() {
    let yen = parity("JPY");
    assert_eq!(yen.quoted().to_string(), "100 JPY = 4.8134 CNY");
    assert_eq!(converted(&yen, "10000 JPY"), "481.34 CNY"); // for one yen it would be 48134.00
}

#[test]
fn a_ringgit_parity_is_ringgit_for_a_yuan_and_never_turned_round() {
    let ringgit = parity("MYR");
    assert_eq!(ringgit.quoted().to_string(), "1 CNY = 0.59275 MYR");
    // Taken as yuan for a ringgit: 592750.00. Through the inverse with four decimals, 1.6871: 1687100.00.
    assert_eq!(converted(&ringgit, "1000000.00 MYR"), "1687051.88 CNY");
    let inverse = decimal("1.6871");
    let off = Money::rounded(
        inverse * decimal("1000000"),
        Currency::CNY,
        Rounding::HalfUp,
    )
    .expect("small");
    let right: Money = "1687051.88 CNY".parse().expect("money");
    assert_eq!(
        off.checked_sub(right).expect("small").to_string(),
        "48.12 CNY"
    );
}

#[test]
fn a_won_parity_is_for_one_yuan_and_not_for_a_hundred_won() {
    let won = parity("KRW");
    assert_eq!(won.quoted().to_string(), "1 CNY = 193.31 KRW");
    assert_eq!(converted(&won, "1000000 KRW"), "5173.04 CNY");
}

#[test]
fn an_inverse_with_four_decimals_does_not_lead_back() {
    let dollar = parity("USD");
    let inverse = (Decimal::ONE / dollar.value()).round_dp(4);
    assert_eq!(inverse.to_string(), "0.1398");
    assert_eq!((Decimal::ONE / inverse).round_dp(4).to_string(), "7.1531"); // and not 7.1526
    assert_eq!(converted(&dollar, "1000000.00 CNY"), "139809.30 USD"); // and not 139800.00
    assert_eq!(converted(&dollar, "139809.30 USD"), "1000000.00 CNY");
}

#[test]
fn rounding_at_the_pivot_would_round_twice() {
    let (dollar, ringgit) = (parity("USD"), parity("MYR"));
    let route = Route::through(
        Currency::USD,
        dollar.clone(),
        Currency::CNY,
        ringgit.clone(),
    );
    let route = route.expect("a route");
    let mut differ = 0;
    for cents in 1..1_000 {
        let money = Money::from_minor(cents, Currency::USD);
        let once = route
            .convert(money, Spread::NONE, Rounding::HalfUp)
            .expect("small")
            .to;
        let pivot = dollar.convert(money, Rounding::HalfUp).expect("small").to;
        let twice = ringgit.convert(pivot, Rounding::HalfUp).expect("small").to;
        differ += i32::from(once != twice);
    }
    assert!(differ > 100, "{differ} of 999 amounts differ by a sen");
}

#[test]
fn published_digits_stay_with_their_zeros() {
    let day = "2026-02-06".parse().expect("a day");
    let table = parities();
    let found = table
        .find(Currency::HKD, Currency::CNY, day, &Terms::MID)
        .expect("a parity");
    assert_eq!(found.rate.value().to_string(), "0.89080");
    assert_eq!(
        (found.rate.source(), found.rate.kind()),
        (CENTRAL_PARITY, RateKind::Mid)
    );
    let json = serde_json::to_string(found.rate).expect("serialises");
    assert!(json.contains(r#""value":"0.89080""#), "{json}");
}

#[test]
fn two_rates_of_one_day_and_source_are_no_table() {
    let table = parities();
    let rates = || table.rates().cloned();
    assert_eq!(
        RateTable::new(rates().chain(rates())),
        Ok(table.clone()),
        "the same twice is the same"
    );
    let other = |base, quote, value: &str| {
        let quote = quanfu_fx::Quote::new(base, 1, quote, decimal(value)).expect("a quote");
        let day = "2025-07-16".parse().expect("a day");
        FxRate::new(
            quote,
            RateKind::Mid,
            CENTRAL_PARITY,
            day,
            quanfu_fx::Certainty::Certain,
        )
        .expect("a rate")
    };
    for (rate, want) in [
        (
            other(Currency::USD, Currency::CNY, "7.1527"),
            "two rates of one day and source: 1 USD = 7.1526 CNY and 1 USD = 7.1527 CNY (mid, CFETS central parity, 2025-07-16)",
        ),
        (
            other(Currency::CNY, Currency::USD, "0.1398"),
            "two rates of one day and source: 1 USD = 7.1526 CNY and 1 CNY = 0.1398 USD (mid, CFETS central parity, 2025-07-16)",
        ),
    ] {
        let error = RateTable::new(rates().chain([rate])).expect_err(want);
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("rate-contradiction", want)
        );
    }
}

#[test]
fn a_currency_to_itself_needs_no_rate_and_others_are_not_found_by_chance() {
    let table = parities();
    let day = "2025-07-16".parse().expect("a day");
    let route = |from, to, via| table.route(from, to, via, day, &Terms::MID);
    let money: Money = "12.34 CHF".parse().expect("money");
    let same = route(Currency::CHF, Currency::CHF, None).expect("no way at all");
    let same = same
        .convert(money, Spread::bps(30).expect("a spread"), Rounding::Down)
        .expect("itself");
    assert_eq!((same.to, same.trail.0.len()), (money, 0));
    // USD/EUR has no parity: a pivot is never looked for, only used if it is named.
    let error = route(Currency::USD, Currency::EUR, None).expect_err("no such parity");
    assert_eq!(
        error.to_string(),
        "no mid rate of USD/EUR on or before 2025-07-16"
    );
    let cross = route(Currency::USD, Currency::EUR, Some(Currency::CNY)).expect("two parities");
    let cross = cross
        .convert(
            "100.00 USD".parse().expect("money"),
            Spread::NONE,
            Rounding::HalfUp,
        )
        .expect("small");
    assert_eq!(cross.to.to_string(), "86.01 EUR"); // 100 * 7.1526 / 8.3157
    let sources: Vec<&str> = cross
        .trail
        .0
        .iter()
        .map(|step| step.source.as_str())
        .collect();
    assert_eq!(sources, ["CFETS central parity, mid, 2025-07-16"; 2]);
    assert_eq!(
        cross.trail.0[0].rounded, None,
        "nothing is rounded at the pivot"
    );
}

#[test]
fn a_rate_that_has_ended_or_a_source_that_is_not_named_is_not_used() {
    let day = |text: &str| text.parse().expect("a day");
    let rate = |source: &str| {
        let quote = parity("USD").quoted();
        FxRate::new(
            quote,
            RateKind::Mid,
            source,
            day("2025-07-16"),
            quanfu_fx::Certainty::Illustrative,
        )
        .expect("a rate")
    };
    let july = rate("a contract")
        .valid(day("2025-07-17"), Some(day("2025-07-31")))
        .expect("days");
    let table = RateTable::new([july.clone()]).expect("one");
    let find = |asked| table.find(Currency::USD, Currency::CNY, day(asked), &Terms::MID);
    for (asked, want) in [
        ("2025-07-16", Err("rate-not-found")), // its own day is before the first on which it holds
        ("2025-07-17", Ok("valid")),
        ("2025-07-31", Ok("valid")),
        ("2025-08-01", Err("rate-expired")),
    ] {
        let found = find(asked)
            .map(|found| found.taken.to_string())
            .map_err(|error| error.code());
        assert_eq!(found, want.map(String::from), "{asked}");
    }
    let both = RateTable::new([july, rate("a bank")]).expect("two sources");
    let found = both.find(Currency::USD, Currency::CNY, day("2025-07-17"), &Terms::MID);
    let want = TableError::Sources {
        one: Currency::USD,
        other: Currency::CNY,
        sources: vec!["a bank".into(), "a contract".into()],
    };
    assert_eq!(found, Err(want));
    let terms = Terms {
        source: Some("a contract"),
        ..Terms::MID
    };
    assert!(
        both.find(Currency::USD, Currency::CNY, day("2025-07-17"), &terms)
            .is_ok()
    );
    assert_eq!(RmbMarket::default(), RmbMarket::Onshore);
}
