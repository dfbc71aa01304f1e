//! Conversions against arithmetic of any length that shares nothing with the engine, and laws of routes and tables.
//!
//! `PROPTEST_CASES` asks for another number of cases.

use proptest::prelude::*;
use quanfu_calendar::BusinessCalendar;
use quanfu_fx::{
    Certainty, CustomerSide, Date, FxError, FxRate, Quote, RateKind, RateTable, RmbMarket, Route,
    Spread, Staleness, TableError, Taken, Terms, TwoWay,
};
use quanfu_money::{Currency, Decimal, Money, Rounding, RoundingRule};
use std::sync::LazyLock;

/// Read once.
static CHINA: LazyLock<BusinessCalendar> = LazyLock::new(BusinessCalendar::china);

/// A property takes ten thousand cases in an ordinary run, and as many as are asked for in a campaign.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: asked.and_then(|cases| cases.parse().ok()).unwrap_or(10_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A whole number of any length: limbs of 32 bits, least first, without zeros at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Long(Vec<u32>);

impl Long {
    fn of(mut number: u128) -> Self {
        let mut limbs = Vec::new();
        while number > 0 {
            limbs.push(number as u32);
            number >>= 32;
        }
        Self(limbs)
    }

    fn ten_to(power: u32) -> Self {
        (0..power).fold(Self::of(1), |all, _| all.times(&Self::of(10)))
    }

    fn times(&self, other: &Self) -> Self {
        let mut limbs = vec![0_u32; self.0.len() + other.0.len()];
        for (i, &a) in self.0.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, &b) in other.0.iter().enumerate() {
                let sum = u64::from(limbs[i + j]) + u64::from(a) * u64::from(b) + carry;
                limbs[i + j] = sum as u32;
                carry = sum >> 32;
            }
            limbs[i + other.0.len()] = carry as u32;
        }
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self(limbs)
    }

    fn at_most(&self, other: &Self) -> bool {
        let key = |long: &Self| {
            (
                long.0.len(),
                long.0.iter().rev().copied().collect::<Vec<_>>(),
            )
        };
        key(self) <= key(other)
    }
}

/// Whether `found` is `num / den` rounded as named, `negative` being the sign of the exact figure: its distance to the
/// exact figure is compared as twice the distance with one, cross-multiplied, so nothing is divided.
fn is_rounded(found: i64, negative: bool, num: &Long, den: &Long, rounding: Rounding) -> bool {
    if found != 0 && (found < 0) != negative {
        return false;
    }
    let found = u128::from(found.unsigned_abs());
    let at = |twice: u128| Long::of(twice).times(den); // twice a figure, over the same denominator
    let exact = num.times(&Long::of(2));
    let whole = at(2 * found);
    if exact == whole {
        return true;
    }
    let cut = whole.at_most(&exact); // towards zero of the exact figure, or away from it
    let near = if cut {
        !at(2 * found + 2).at_most(&exact)
    } else {
        found > 0 && !exact.at_most(&at(2 * found - 2))
    };
    let half = if cut {
        at(2 * found + 1)
    } else {
        at((2 * found).saturating_sub(1))
    };
    let is_tie = exact == half;
    let is_nearer = if cut {
        exact.at_most(&half)
    } else {
        half.at_most(&exact)
    } && !is_tie;
    near && match rounding {
        Rounding::HalfUp => is_nearer || (is_tie && !cut),
        Rounding::HalfDown => is_nearer || (is_tie && cut),
        Rounding::HalfEven => is_nearer || (is_tie && found % 2 == 0),
        Rounding::Up => !cut,
        Rounding::Down => cut,
        Rounding::Ceiling => cut == negative,
        Rounding::Floor => cut != negative,
    }
}

const CURRENCIES: [Currency; 7] = [
    Currency::JPY,
    Currency::CNY,
    Currency::USD,
    Currency::MYR,
    Currency::KWD,
    Currency::CLF,
    Currency::KRW,
];

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn rate(quote: Quote, kind: RateKind) -> FxRate {
    FxRate::new(
        quote,
        kind,
        "a test",
        day("2025-07-16"),
        Certainty::Illustrative,
    )
    .expect("a rate")
}

fn quote(base: Currency, unit: u32, other: Currency, mantissa: i128, scale: u32) -> Quote {
    Quote::new(
        base,
        unit,
        other,
        Decimal::from_i128_with_scale(mantissa, scale),
    )
    .expect("a quote")
}

/// A rate of up to 28 digits between two currencies, in either direction.
fn quotes(one: Currency, other: Currency) -> impl Strategy<Value = Quote> {
    let unit = prop::sample::select(vec![1, 10, 100, 1_000, 10_000]);
    let mantissa = prop_oneof![
        1..1_000_000_i128,
        1..1_i128 << 96,
        Just((1 << 96) - 1),
        Just(1)
    ];
    (any::<bool>(), unit, mantissa, 0..=28_u32).prop_map(move |(turned, unit, mantissa, scale)| {
        let (base, to) = if turned { (other, one) } else { (one, other) };
        quote(base, unit, to, mantissa, scale)
    })
}

fn minors() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -1_000_000..1_000_000_i64,
        Just(i64::MIN),
        Just(i64::MAX)
    ]
}

fn roundings() -> impl Strategy<Value = Rounding> {
    prop::sample::select(Rounding::ALL.to_vec())
}

/// The exact figure of an amount over rates, by the words of their definition: `unit` of the base cost `value` of the
/// quote currency. In minor units, as numerator and denominator.
fn exact(minor: i64, from: Currency, quotes: &[Quote]) -> (Long, Long, Currency) {
    let mut num = Long::of(u128::from(minor.unsigned_abs()));
    let mut den = Long::ten_to(u32::from(from.minor_digits()));
    let mut currency = from;
    for quote in quotes {
        let value = Long::of(quote.value().mantissa().unsigned_abs());
        let unit = Long::of(u128::from(quote.unit())).times(&Long::ten_to(quote.value().scale()));
        if currency == quote.base() {
            (num, den) = (num.times(&value), den.times(&unit));
            currency = quote.quote();
        } else {
            (num, den) = (num.times(&unit), den.times(&value));
            currency = quote.base();
        }
    }
    (
        num.times(&Long::ten_to(u32::from(currency.minor_digits()))),
        den,
        currency,
    )
}

/// More than an `i64` holds: the exact figure is at least 2^63 - 1.
fn too_much(num: &Long, den: &Long) -> bool {
    Long::of(i64::MAX as u128).times(den).at_most(num)
}

fn pairs() -> impl Strategy<Value = Quote> {
    let two = prop::sample::subsequence(CURRENCIES.to_vec(), 2);
    two.prop_flat_map(|two| quotes(two[0], two[1]))
}

fn crosses() -> impl Strategy<Value = (Currency, Quote, Currency, Quote)> {
    let three = prop::sample::subsequence(CURRENCIES.to_vec(), 3).prop_shuffle();
    three.prop_flat_map(|three| {
        let (from, pivot, to) = (three[0], three[1], three[2]);
        (
            Just(from),
            quotes(from, pivot),
            Just(pivot),
            quotes(pivot, to),
        )
    })
}

#[test]
fn the_oracle_sees_a_figure_that_is_one_off() {
    let (num, den) = (Long::of(25), Long::of(10));
    for (rounding, right) in [
        (Rounding::HalfUp, 3),
        (Rounding::HalfEven, 2),
        (Rounding::HalfDown, 2),
        (Rounding::Up, 3),
        (Rounding::Down, 2),
        (Rounding::Ceiling, 3),
        (Rounding::Floor, 2),
    ] {
        for found in 0..6 {
            assert_eq!(
                is_rounded(found, false, &num, &den, rounding),
                found == right,
                "{rounding} {found}"
            );
        }
    }
    assert!(is_rounded(-3, true, &num, &den, Rounding::Floor));
    assert!(!is_rounded(-3, true, &num, &den, Rounding::Ceiling));
    assert!(is_rounded(0, true, &Long::of(4), &den, Rounding::HalfUp));
    assert!(!is_rounded(1, true, &Long::of(9), &den, Rounding::HalfUp));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_amount_at_any_rate_is_rounded_once(quote in pairs(), minor in minors(), forward in any::<bool>(), rounding in roundings()) {
        let from = if forward { quote.base() } else { quote.quote() };
        let (num, den, to) = exact(minor, from, &[quote]);
        match quote.convert(Money::from_minor(minor, from), rounding) {
            Ok(found) => {
                prop_assert_eq!(found.currency(), to);
                prop_assert!(is_rounded(found.minor(), minor < 0, &num, &den, rounding), "{} at {}", minor, quote);
            }
            Err(error) => {
                prop_assert_eq!(error.code(), "rate-money");
                prop_assert!(too_much(&num, &den));
            }
        }
    }

    #[test]
    fn a_cross_with_a_spread_is_rounded_once(
        (from, first, pivot, second) in crosses(), minor in minors(), ppm in prop_oneof![Just(0_u32), 0..1_000_000_u32], rounding in roundings(),
    ) {
        let route = Route::through(from, rate(first, RateKind::Mid), pivot, rate(second, RateKind::Mid)).expect("a route");
        let (num, den, to) = exact(minor, from, &[first, second]);
        let spread = Spread::from_ppm(ppm).expect("below one");
        let customer = num.times(&Long::of(u128::from(1_000_000 - ppm)));
        let whole = den.times(&Long::of(1_000_000));
        match route.convert(Money::from_minor(minor, from), spread, rounding) {
            Ok(found) => {
                prop_assert_eq!(found.to.currency(), to);
                prop_assert!(is_rounded(found.mid.minor(), minor < 0, &num, &den, rounding));
                prop_assert!(is_rounded(found.to.minor(), minor < 0, &customer, &whole, rounding));
                prop_assert_eq!(found.to.checked_add(found.spread), Ok(found.mid));
                prop_assert!(found.trail.replay().is_ok());
            }
            Err(FxError::Money(_)) => prop_assert!(too_much(&num, &den)),
            // a step of the trail needs more than 128 bits
            Err(error) => prop_assert_eq!(error.code(), "rate-trail"),
        }
    }

    #[test]
    fn a_cross_is_rounded_once_to_a_step(
        (from, first, pivot, second) in crosses(), minor in minors(), ppm in prop_oneof![Just(0_u32), 0..1_000_000_u32],
        units in prop_oneof![Just(5_i64), Just(100), 1..10_000_i64], rounding in roundings(),
    ) {
        let route = Route::through(from, rate(first, RateKind::Mid), pivot, rate(second, RateKind::Mid)).expect("a route");
        let (num, den, to) = exact(minor, from, &[first, second]);
        let step = Money::from_minor(units, to);
        let rule = RoundingRule::to_step(rounding, step.to_decimal());
        let den = den.times(&Long::of(u128::from(units.unsigned_abs())));
        let customer = num.times(&Long::of(u128::from(1_000_000 - ppm)));
        let whole = den.times(&Long::of(1_000_000));
        match route.convert(Money::from_minor(minor, from), Spread::from_ppm(ppm).expect("below one"), rule) {
            Ok(found) => {
                for (figure, num, den) in [(found.mid, &num, &den), (found.to, &customer, &whole)] {
                    prop_assert_eq!(figure.minor() % units, 0);
                    prop_assert!(is_rounded(figure.minor() / units, minor < 0, num, den, rounding));
                }
                prop_assert_eq!(found.to.checked_add(found.spread), Ok(found.mid));
                prop_assert!(found.trail.replay().is_ok());
                let last = found.trail.0.last().map(|step| step.exact.clone());
                prop_assert_eq!(last, Some(found.to.to_string()));
            }
            // the next step beyond may be out of reach where the figure is not
            Err(FxError::Money(_)) => prop_assert!(too_much(&num.times(&Long::of(2 * u128::from(units.unsigned_abs()))), &den)),
            Err(error) => prop_assert_eq!(error.code(), "rate-trail"),
        }
    }

    #[test]
    fn what_is_given_for_a_fixed_amount_is_the_inverse_rounded_once(
        quote in pairs(), minor in minors(), forward in any::<bool>(), ppm in 0..1_000_000_u32, rounding in roundings(),
    ) {
        let from = if forward { quote.base() } else { quote.quote() };
        let route = Route::direct(from, rate(quote, RateKind::Mid)).expect("a side");
        let (num, den, given) = exact(minor, route.to(), &[quote]);
        prop_assert_eq!(given, from);
        // who receives the base pays more for it, who gives it receives less
        let million = Long::of(1_000_000);
        let (share, of) = match route.side() {
            CustomerSide::BuysBase => (Long::of(1_000_000 + u128::from(ppm)), million),
            CustomerSide::SellsBase => (million, Long::of(1_000_000 - u128::from(ppm))),
        };
        let wanted = Money::from_minor(minor, route.to());
        match route.cost(wanted, Spread::from_ppm(ppm).expect("below one"), rounding) {
            Ok(found) => {
                prop_assert_eq!(found.to, wanted);
                prop_assert!(is_rounded(found.mid.minor(), minor < 0, &num, &den, rounding));
                prop_assert!(is_rounded(found.from.minor(), minor < 0, &num.times(&share), &den.times(&of), rounding));
                prop_assert_eq!(found.mid.checked_add(found.spread), Ok(found.from));
                prop_assert!(found.trail.replay().is_ok());
            }
            Err(FxError::Money(_)) => prop_assert!(too_much(&num.times(&share), &den.times(&of))),
            Err(error) => prop_assert_eq!(error.code(), "rate-trail"),
        }
    }

    #[test]
    fn shares_convert_to_the_whole_within_a_unit(quote in pairs(), a in any::<i32>(), b in any::<i32>(), forward in any::<bool>()) {
        let from = if forward { quote.base() } else { quote.quote() };
        let convert = |minor: i64| quote.convert(Money::from_minor(minor, from), Rounding::HalfUp).map(Money::minor);
        let (a, b) = (i64::from(a), i64::from(b));
        if let (Ok(whole), Ok(one), Ok(other)) = (convert(a + b), convert(a), convert(b)) {
            let off = i128::from(whole) - i128::from(one) - i128::from(other);
            prop_assert!(off.abs() <= 1, "{} {} {}", whole, one, other);
        }
    }

    #[test]
    fn there_and_back_stays_in_its_bound(mantissa in 1..1_000_000_i128, scale in 0..=4_u32, minor in -1_000_000_000..1_000_000_000_i64) {
        // two decimals on both sides, at least one of the quote currency for one of the base
        prop_assume!(mantissa >= 10_i128.pow(scale));
        let quote = quote(Currency::USD, 1, Currency::CNY, mantissa, scale);
        let back = |money| quote.convert(quote.convert(money, Rounding::HalfUp)?, Rounding::HalfUp);
        let dollars = Money::from_minor(minor, Currency::USD);
        prop_assert_eq!(back(dollars), Ok(dollars));
        let yuan = back(Money::from_minor(minor, Currency::CNY)).expect("small").minor();
        let bound = (mantissa + 10_i128.pow(scale)) / (2 * 10_i128.pow(scale));
        prop_assert!(i128::from((yuan - minor).abs()) <= bound);
    }

    #[test]
    fn a_spread_of_the_market_never_shrinks_in_a_cross(
        bids in prop::array::uniform2(1..1_000_000_i128), wider in prop::array::uniform2(0..10_000_i128),
        turned in prop::array::uniform2(any::<bool>()), minor in 1..1_000_000_000_i64,
    ) {
        let (from, pivot, to) = (Currency::USD, Currency::CNY, Currency::MYR);
        let two_way = |one, other, turned: bool, index: usize| {
            let (base, quoted) = if turned { (other, one) } else { (one, other) };
            let side = |mantissa, kind| rate(quote(base, 1, quoted, mantissa, 4), kind);
            let bid = side(bids[index], RateKind::Bid);
            TwoWay::new(bid, side(bids[index] + wider[index], RateKind::Ask)).expect("bid below ask")
        };
        let first = two_way(from, pivot, turned[0], 0);
        let second = two_way(pivot, to, turned[1], 1);
        let there = Route::through_two_way(from, &first, pivot, &second).expect("a route");
        let back = Route::through_two_way(to, &second, pivot, &first).expect("a route");
        // bid of the cross = what is received for one; its ask = one over what the way back gives; bid <= ask.
        let bid = there.rate().expect("small");
        let ask = quanfu_trail::Rational::whole(1).checked_div(back.rate().expect("small")).expect("above zero");
        prop_assert!(ask.checked_sub(bid).expect("small").numerator() >= 0);
        if wider == [0, 0] {
            prop_assert_eq!(bid, ask);
        }
        // and so nobody gains by going there and back
        let money = Money::from_minor(minor, from);
        let received = there.convert(money, Spread::NONE, Rounding::Down).expect("small");
        let again = back.convert(received.to, Spread::NONE, Rounding::Down).expect("small");
        prop_assert!(again.to.minor() <= minor);
    }

    #[test]
    fn a_customer_never_fares_better_than_at_mid(
        quote in pairs(), minor in 1..1_000_000_000_000_i64, forward in any::<bool>(), ppm in 0..1_000_000_u32, more in 0..1_000_000_u32, rounding in roundings(),
    ) {
        let from = if forward { quote.base() } else { quote.quote() };
        let route = Route::direct(from, rate(quote, RateKind::Mid)).expect("a side");
        let [small, large] = [ppm.min(more), ppm.max(more)].map(|ppm| Spread::from_ppm(ppm).expect("below one"));
        let received = |spread| route.convert(Money::from_minor(minor, from), spread, rounding);
        if let (Ok(none), Ok(small), Ok(large)) = (received(Spread::NONE), received(small), received(large)) {
            prop_assert_eq!(none.to, none.mid);
            prop_assert!(large.to.minor() <= small.to.minor() && small.to.minor() <= none.to.minor());
        }
        let given = |spread| route.cost(Money::from_minor(minor, route.to()), spread, rounding);
        if let (Ok(none), Ok(small), Ok(large)) = (given(Spread::NONE), given(small), given(large)) {
            prop_assert_eq!(none.from, none.mid);
            prop_assert!(large.from.minor() >= small.from.minor() && small.from.minor() >= none.from.minor());
        }
    }

    #[test]
    fn a_table_never_gives_a_later_rate_and_says_how_old_it_is(
        days in prop::collection::btree_set(0..365_u64, 0..12), asked in 0..365_u64, allowed in 0..6_u32,
    ) {
        let china = &*CHINA;
        let first = day("2025-01-01");
        let at = |days: u64| first.iter_days().nth(days as usize).expect("in 2025");
        let make = |&after: &u64| {
            let quote = quote(Currency::USD, 1, Currency::CNY, 70_000 + i128::from(after), 4);
            FxRate::new(quote, RateKind::Mid, "a test", at(after), Certainty::Illustrative).expect("a rate")
        };
        let table = RateTable::new(days.iter().rev().map(make)).expect("one a day");
        let staleness = Staleness::PreviousPublished { max_business_days: allowed, calendar: china };
        let terms = Terms { staleness, ..Terms::MID };
        let found = table.find(Currency::CNY, Currency::USD, at(asked), &terms);
        let latest = days.iter().filter(|&&own| own <= asked).max();
        let between = latest.map(|&own| (own + 1..=asked).filter(|&after| china.is_business_day(at(after)) == Ok(true)).count());
        match (found, latest, between) {
            (Ok(found), Some(&own), Some(between)) => {
                prop_assert_eq!(found.rate.as_of(), at(own));
                let want = if own == asked {
                    Taken::OfTheDay
                } else {
                    Taken::PreviousPublished { business_days: u32::try_from(between).expect("few") }
                };
                prop_assert_eq!(found.taken, want);
                prop_assert!(own == asked || between <= allowed as usize);
            }
            (Err(TableError::Stale { .. }), Some(_), Some(between)) => prop_assert!(between > allowed as usize),
            (Err(TableError::NotFound { .. }), None, None) => {}
            (found, _, _) => prop_assert!(false, "{:?}", found),
        }
    }

    #[test]
    fn consistent_parities_cross_to_the_direct_one_within_their_last_digits(
        dollar in 60_000..80_000_i128, ringgit in 50_000..70_000_i128,
    ) {
        // ringgit for a dollar, in units of 10^-9: exact, and through the two published figures; each published
        // figure is off by half a last digit at most, h1/r1 + h2/r2 of the cross.
        let first = rate(quote(Currency::USD, 1, Currency::CNY, dollar, 4), RateKind::Mid);
        let second = rate(quote(Currency::CNY, 1, Currency::MYR, ringgit, 5), RateKind::Mid);
        let route = Route::through(Currency::USD, first, Currency::CNY, second).expect("a route");
        let cross = route.rate().expect("small");
        let number = |num, den| quanfu_trail::Rational::new(num, den).expect("small");
        prop_assert_eq!(cross, number(dollar * ringgit, 1_000_000_000));
        let corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)].map(|(a, b)| {
            number((2 * dollar + a) * (2 * ringgit + b), 4_000_000_000)
        });
        let bound = number(1, 2 * dollar).checked_add(number(1, 2 * ringgit)).expect("small");
        // second order of the two halves: far below
        let bound = bound.checked_add(number(1, 4 * dollar * ringgit)).expect("small");
        for direct in corners {
            let off = direct.checked_sub(cross).and_then(|off| off.checked_div(cross)).expect("small");
            let off = if off.numerator() < 0 { off.checked_neg().expect("small") } else { off };
            prop_assert!(bound.checked_sub(off).expect("small").numerator() >= 0);
        }
    }
}

#[test]
fn an_exchange_rounds_to_coins_and_shows_how_many() {
    let franc = quote(Currency::CHF, 1, Currency::CNY, 88_782, 4);
    let route = Route::direct(Currency::CNY, rate(franc, RateKind::Mid)).expect("a side");
    let coins =
        |step: &str| RoundingRule::to_step(Rounding::HalfUp, step.parse().expect("a decimal"));
    let yuan: Money = "100.00 CNY".parse().expect("money");
    let francs = route
        .convert(yuan, Spread::NONE, coins("0.05"))
        .expect("in range");
    assert_eq!(francs.to.to_string(), "11.25 CHF"); // 11.2635..
    let steps = francs.trail.0.iter().map(|step| step.formula.as_str());
    assert_eq!(
        steps.collect::<Vec<_>>(),
        ["amount * unit / rate", "figure / step", "steps * step"]
    );
    assert_eq!(francs.trail.0[1].rounded.as_deref(), Some("225"));
    for step in ["0", "-0.05", "0.001"] {
        let error = route
            .convert(yuan, Spread::NONE, coins(step))
            .expect_err(step);
        assert_eq!(error.code(), "rate-money");
    }
}

#[test]
fn offshore_and_onshore_do_not_meet_unasked() {
    let dollar = |market| {
        let value = if market == RmbMarket::Onshore {
            71_526
        } else {
            71_810
        };
        rate(
            quote(Currency::USD, 1, Currency::CNY, value, 4),
            RateKind::Mid,
        )
        .in_market(market)
        .expect("renminbi")
    };
    let ringgit = rate(
        quote(Currency::CNY, 1, Currency::MYR, 59_275, 5),
        RateKind::Mid,
    );
    let offshore = dollar(RmbMarket::Offshore);
    let mixed = Route::through(
        Currency::USD,
        offshore.clone(),
        Currency::CNY,
        ringgit.clone(),
    );
    assert_eq!(
        mixed.map_err(|error| error.code()).err(),
        Some("rate-markets-mixed")
    );
    let table = RateTable::new([offshore.clone(), ringgit]).expect("two rates");
    let asked = day("2025-07-16");
    let find = |terms: &Terms<'_>| {
        table
            .find(Currency::USD, Currency::CNY, asked, terms)
            .map(|found| found.rate)
    };
    let error = find(&Terms::MID).expect_err("an offshore rate must be asked for");
    assert_eq!(
        error.to_string(),
        "no mid rate of USD/CNY on or before 2025-07-16; there is mid, a test, offshore, from 2025-07-16"
    );
    let terms = Terms {
        market: RmbMarket::Offshore,
        ..Terms::MID
    };
    assert_eq!(find(&terms), Ok(&offshore));
    // both may stand in one table, and each is found for itself
    let both = RateTable::new([offshore, dollar(RmbMarket::Onshore)]).expect("two markets");
    let found = both
        .find(Currency::USD, Currency::CNY, asked, &Terms::MID)
        .expect("onshore");
    assert_eq!(found.rate.value().to_string(), "7.1526");
}

#[test]
fn a_cross_of_two_sided_prices_takes_the_side_that_the_customer_meets() {
    let side = |base, other, mantissa, kind| rate(quote(base, 1, other, mantissa, 4), kind);
    let (euro, dollar, yuan) = (Currency::EUR, Currency::USD, Currency::CNY);
    let first = TwoWay::new(
        side(euro, dollar, 11_620, RateKind::Bid),
        side(euro, dollar, 11_624, RateKind::Ask),
    )
    .expect("two sides");
    let second = TwoWay::new(
        side(dollar, yuan, 71_500, RateKind::Bid),
        side(dollar, yuan, 71_560, RateKind::Ask),
    )
    .expect("two sides");
    let money = |text: &str| text.parse::<Money>().expect("money");
    let none = Spread::NONE;

    // bid 1.1620 * 7.1500 = 8.3083, ask 1.1624 * 7.1560 = 8.31813440
    let sells = Route::through_two_way(euro, &first, dollar, &second).expect("a route");
    assert_eq!(
        sells.rate().map(|rate| rate.to_string()),
        Ok("8.3083".into())
    );
    let received = sells.convert(money("1000.00 EUR"), none, Rounding::HalfUp);
    assert_eq!(received.expect("small").to, money("8308.30 CNY"));
    let buys = Route::through_two_way(yuan, &second, dollar, &first).expect("a route");
    let paid = buys.cost(money("1000.00 EUR"), none, Rounding::HalfUp);
    assert_eq!(paid.expect("small").from, money("8318.13 CNY"));
    let received = buys.convert(money("8318.13 CNY"), none, Rounding::HalfUp);
    assert_eq!(received.expect("small").to, money("1000.00 EUR"));

    let code = |result: Result<Route, FxError>| result.map_err(|error| error.code()).err();
    for (from, pivot, want) in [
        (euro, yuan, "rate-not-in-pair"),
        (yuan, dollar, "rate-not-in-pair"),
        (dollar, euro, "rate-not-in-pair"),
    ] {
        let route = Route::through_two_way(from, &first, pivot, &second);
        assert_eq!(code(route), Some(want), "{from} over {pivot}");
    }
    let back = Route::through_two_way(euro, &first, dollar, &first);
    assert_eq!(code(back), Some("rate-same-currency"));
}

#[test]
fn two_rates_that_are_no_two_sides_of_one_price_are_refused() {
    let side =
        |unit, other, mantissa, kind| rate(quote(Currency::JPY, unit, other, mantissa, 4), kind);
    let yuan = Currency::CNY;
    let bid = side(100, yuan, 48_012, RateKind::SpotBuy);
    let ask = side(100, yuan, 48_365, RateKind::SpotSell);
    assert!(TwoWay::new(bid.clone(), ask.clone()).is_ok());
    let offshore = ask
        .clone()
        .in_market(RmbMarket::Offshore)
        .expect("renminbi");
    for wrong in [
        side(100, yuan, 48_011, RateKind::SpotSell), // asked for less than is paid
        side(1, yuan, 48_365, RateKind::SpotSell),
        side(100, Currency::USD, 48_365, RateKind::SpotSell),
        side(100, yuan, 48_365, RateKind::CashSell),
        side(100, yuan, 48_365, RateKind::Mid),
        offshore,
    ] {
        let error = TwoWay::new(bid.clone(), wrong).expect_err("no two sides");
        assert_eq!(error.code(), "rate-two-way");
    }
    assert!(TwoWay::new(ask, bid).is_err());
}
