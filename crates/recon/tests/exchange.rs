//! Two currencies: by which rate they meet, and what was done in its place where they do not.
#![allow(clippy::unwrap_used)] // in helpers of tests a panic is the failure

mod common;

use common::*;
use proptest::prelude::*;
use quanfu_calendar::BusinessCalendar;
use quanfu_fx::{RateReading, RateTable};
use quanfu_money::{Amount, Currency, Money};
use quanfu_recon::{ReconError, Reconciled, Request, reconcile};
use quanfu_settlement::result::RatesInput;
use quanfu_settlement::{Digest, DigestAlg, Entry, EntryAmount, RowRate, Rules};

const KEY: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\nexplain = [\"fx\", \"fee\"]\n";
const TABLE: &str = "date,base,unit,quote,value,kind,source,certainty\n\
    2026-02-27,USD,1,CNY,7.1001,mid,made up,illustrative\n\
    2026-03-02,USD,1,CNY,7.1526,mid,made up,illustrative\n\
    2026-03-02,USD,1,CNY,7.3333,mid,another,illustrative\n\
    2026-03-02,USD,1,CNY,7.4444,bid,made up,illustrative\n\
    2026-03-02,JPY,100,CNY,4.8134,mid,made up,illustrative\n\
    2026-03-03,USD,1,CNY,7.1801,mid,made up,illustrative\n";

fn with_table(rule: &str, more: &str) -> Rules {
    let edge = format!("{KEY}{rule}\n[rates]\nsource = \"made up\"\n{more}");
    rules(&edge)
}

/// With an order number, on 2 March 2026; a rate is written as `1 USD = 7.1526 CNY`.
fn row(money: &str, rate: &str, original: &str, fee: &str) -> Entry<'static> {
    let mut entry = pay("A", 0);
    entry.amount = EntryAmount::Money(money.parse().unwrap());
    if let [unit, base, _, value, quote] = rate.split(' ').collect::<Vec<_>>()[..] {
        entry.rate = Some(RowRate {
            base: Currency::from_code(base).unwrap(),
            unit: unit.parse().unwrap(),
            quote: Currency::from_code(quote).unwrap(),
            value: value.parse().unwrap(),
        });
    }
    if !original.is_empty() {
        entry.original = Some(original.parse().unwrap());
    }
    if !fee.is_empty() {
        let currency = entry_currency(&entry);
        entry.fee = Some(Amount::exact(fee.parse().unwrap(), currency));
    }
    entry
}

fn entry_currency(entry: &Entry<'_>) -> Currency {
    match &entry.amount {
        EntryAmount::Money(money) => money.currency(),
        EntryAmount::Written(_) => unreachable!("rows of a program have money"),
    }
}

fn file(text: &str) -> RatesInput {
    RatesInput {
        file: "rates.csv".into(),
        bytes: text.len() as u64,
        digest: Digest::of(DigestAlg::Sha256, text.as_bytes()),
        rates: 0,
    }
}

fn tried(
    rules: &Rules,
    table: Option<&str>,
    left: Entry<'static>,
    right: Entry<'static>,
) -> Result<Reconciled, ReconError> {
    let calendar = BusinessCalendar::china();
    let books = vec![book(rules, 0, vec![left]), book(rules, 1, vec![right])];
    let read = table.map(|text| RateReading::csv(text.as_bytes()).unwrap().rates);
    let read = read.map(|rates| RateTable::new(rates).unwrap());
    let request = Request::new(rules, books, &calendar).with_as_of(day("2026-03-20"));
    reconcile(match &read {
        Some(read) => request.with_rates(read, file(table.unwrap())),
        None => request,
    })
}

/// Left and right (money, rate, original, fee), what came of it, and the difference.
type Case = (
    &'static str,
    Rules,
    Option<&'static str>,
    [&'static str; 4],
    [&'static str; 4],
    &'static str,
    &'static str,
);

#[test]
fn what_was_done_in_place_of_the_agreed_exchange_is_told_with_its_amount() {
    let own = || rules(KEY);
    let of_left = || with_table("rates = \"left\"", "");
    let stale = || with_table("rates = \"left\"", "max_business_days = 1");
    let usd = ["100.00 USD", "", "", ""];
    let usd_rate = ["100.00 USD", "1 USD = 7.1526 CNY", "", ""];
    let cases: Vec<Case> = vec![
        (
            "the row's rate, to the fen",
            own(),
            None,
            usd_rate,
            ["715.26 CNY", "", "", ""],
            "confirmed fx:1 USD = 7.1526 CNY",
            "",
        ),
        (
            "and the fee of the row in the result's currency, to the fen",
            own(),
            None,
            usd_rate,
            ["712.26 CNY", "", "", "-3.00"],
            "confirmed fx:1 USD = 7.1526 CNY fee:-3.00",
            "-3.00",
        ),
        (
            "a fee of another currency is none of the result",
            own(),
            None,
            ["100.00 USD", "1 USD = 7.1526 CNY", "", "3.00"],
            ["712.26 CNY", "", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY unexplained:-3.00",
            "-3.00",
        ),
        (
            "the other row's rate was used",
            own(),
            None,
            usd_rate,
            ["710.72 CNY", "1 USD = 7.1072 CNY", "100.00 USD", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY fx_rate:-4.54 (1 USD = 7.1072 CNY of right)",
            "-4.54",
        ),
        (
            "divided where to multiply",
            own(),
            None,
            usd_rate,
            ["13.98 CNY", "", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY fx_direction:-701.28 (divided)",
            "-701.28",
        ),
        (
            "multiplied where to divide; yen have no cents",
            own(),
            None,
            ["481.34 CNY", "100 JPY = 4.8134 CNY", "", ""],
            ["23 JPY", "", "", ""],
            "break FX_DIFF fx:100 JPY = 4.8134 CNY fx_direction:-9977 (multiplied)",
            "-9977",
        ),
        (
            "cut off in place of rounded",
            own(),
            None,
            ["1.10 USD", "1 USD = 7.1526 CNY", "", ""],
            ["7.86 CNY", "", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY fx_rounding:-0.01 (down or floor)",
            "-0.01",
        ),
        (
            "another amount was exchanged, and the row with the result says so",
            own(),
            None,
            ["100.00 USD", "", "", ""],
            ["708.11 CNY", "1 USD = 7.1526 CNY", "99.00 USD", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY fx_price:-7.15 (99.00 USD)",
            "-7.15",
        ),
        (
            "price, rate and fee add up",
            own(),
            None,
            usd_rate,
            ["700.61 CNY", "1 USD = 7.1072 CNY", "99.00 USD", "-3.00"],
            "break FX_DIFF fx:1 USD = 7.1526 CNY fx_price:-7.15 (99.00 USD) fx_rate:-4.50 (1 USD = 7.1072 CNY of right) fee:-3.00",
            "-14.65",
        ),
        (
            "the result on the left: right minus left, both as of the result's currency",
            own(),
            None,
            ["710.72 CNY", "1 USD = 7.1526 CNY", "100.00 USD", ""],
            ["100.00 USD", "1 USD = 7.1072 CNY", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY fx_rate:4.54 (1 USD = 7.1072 CNY of right)",
            "4.54",
        ),
        (
            "nothing explains it",
            own(),
            None,
            usd_rate,
            ["700.00 CNY", "", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY unexplained:-15.26",
            "-15.26",
        ),
        (
            "a rate of other currencies says nothing",
            own(),
            None,
            ["100.00 USD", "100 JPY = 4.8134 CNY", "", ""],
            ["715.26 CNY", "1 USD = 7.1526 CNY", "", ""],
            "break FX_DIFF",
            "",
        ),
        (
            "no rate, no exchange",
            own(),
            None,
            usd,
            ["715.26 CNY", "", "", ""],
            "break CURRENCY_MISMATCH",
            "",
        ),
        (
            "the table's rate of the day, of its kind and source",
            of_left(),
            Some(TABLE),
            usd,
            ["715.26 CNY", "", "", ""],
            "confirmed fx:1 USD = 7.1526 CNY of 2026-03-02",
            "",
        ),
        (
            "the table against what a row says",
            of_left(),
            Some(TABLE),
            usd,
            ["710.72 CNY", "1 USD = 7.1072 CNY", "100.00 USD", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY of 2026-03-02 fx_rate:-4.54 (1 USD = 7.1072 CNY of right)",
            "-4.54",
        ),
        (
            "the rate of the day before",
            of_left(),
            Some(TABLE),
            usd,
            ["710.01 CNY", "", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY of 2026-03-02 fx_rate:-5.25 (1 USD = 7.1001 CNY of 2026-02-27)",
            "-5.25",
        ),
        (
            "the rate of the day after",
            of_left(),
            Some(TABLE),
            usd,
            ["718.01 CNY", "", "", ""],
            "break FX_DIFF fx:1 USD = 7.1526 CNY of 2026-03-02 fx_rate:2.75 (1 USD = 7.1801 CNY of 2026-03-03)",
            "2.75",
        ),
        (
            "without a rate of the day nothing is said",
            of_left(),
            Some(
                "date,base,unit,quote,value,kind,source,certainty\n2026-02-27,USD,1,CNY,7.1001,mid,made up,illustrative\n",
            ),
            usd,
            ["710.01 CNY", "", "", ""],
            "break FX_DIFF",
            "",
        ),
        (
            "unless two business days of age are allowed: Saturday the 28th is a make-up workday",
            with_table("rates = \"left\"", "max_business_days = 2"),
            Some(
                "date,base,unit,quote,value,kind,source,certainty\n2026-02-27,USD,1,CNY,7.1001,mid,made up,illustrative\n",
            ),
            usd,
            ["710.01 CNY", "", "", ""],
            "confirmed fx:1 USD = 7.1001 CNY of 2026-02-27",
            "",
        ),
        (
            "and one is too few",
            stale(),
            Some(
                "date,base,unit,quote,value,kind,source,certainty\n2026-02-27,USD,1,CNY,7.1001,mid,made up,illustrative\n",
            ),
            usd,
            ["710.01 CNY", "", "", ""],
            "break FX_DIFF",
            "",
        ),
    ];
    for (says, rules, table, left, right, want, difference) in cases {
        let of = |[money, rate, original, fee]: [&str; 4]| row(money, rate, original, fee);
        let done = tried(&rules, table, of(left), of(right)).unwrap();
        assert_eq!(story(&done)[0], format!("L0 {want}"), "{says}");
        let group = &done.outcomes().edges[0].groups[0];
        let found = group.difference.map(|sum| sum.amount_text());
        assert_eq!(found.unwrap_or_default(), difference, "{says}");
    }
}

#[test]
fn rules_and_table_must_fit() {
    let usd = || row("100.00 USD", "", "", "");
    let cny = || row("715.26 CNY", "", "", "");
    let of_left = with_table("rates = \"left\"", "");
    let odd = with_table("rates = \"left\"", "kind = \"middle\"");
    for (rules, table, want) in [
        (
            &of_left,
            None,
            "rates: the rules want rates of \"made up\", and no table was given",
        ),
        (
            &rules(KEY),
            Some(TABLE),
            "rates: a table was given, and the rules name none",
        ),
        (
            &odd,
            Some(TABLE),
            "rates: no kind of rate is named \"middle\"; known are mid, bid, ask, spot_buy, spot_sell, cash_buy, cash_sell, bank_conversion, applied",
        ),
    ] {
        let error = tried(rules, table, usd(), cny()).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("run-rates", want)
        );
    }
    let done = tried(&of_left, Some(TABLE), usd(), cny()).unwrap();
    assert_eq!(done.document(None).certificate.rates, Some(file(TABLE)));
}

#[test]
fn rules_say_which_rates_they_mean_or_are_refused() {
    let table = "[rates]\nsource = \"made up\"\n";
    for (edge, want) in [
        (
            format!("{KEY}rates = \"left\"\n"),
            "rates: a rule with `rates = \"left\"` or `rates = \"right\"` needs a table [rates] with its `source`, and the table such a rule",
        ),
        (
            format!("{KEY}{table}"),
            "rates: a rule with `rates = \"left\"` or `rates = \"right\"` needs a table [rates] with its `source`, and the table such a rule",
        ),
        (
            format!("{BY_ORDER}rates = \"left\"\n{table}"),
            "edge left-right, rule K: `rates` says which day's rate explains an exchange: explain = [\"fx\"] belongs to it",
        ),
        (
            format!("{KEY}tolerance = [{{ cause = \"fx_rate\", max_minor = 1 }}]\n"),
            "edge left-right, rule K: cause \"fx_rate\" has a meaning of its own; another name would be right",
        ),
    ] {
        let text = rules(KEY).text.replace(KEY, &edge);
        assert_eq!(Rules::parse(&text).unwrap_err().to_string(), want);
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// Whatever was exchanged how, the causes add up, and one that is planted is told or one that gives the same figure.
    #[test]
    fn the_causes_of_an_exchange_add_up_to_what_it_is_off(
        cents in -100_000i64..100_000, value in 1i64..100_000, other in 1i64..100_000, told in -100_000i64..100_000,
        fee_fen in -500i64..500, off in -3i64..3, [by_other, other_amount, with_fee, unknown, on_left] in any::<[bool; 5]>(),
    ) {
        static RULES: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(|| rules(KEY));
        // round half up of the exact product, away from zero
        let exact = |cents: i64, value: i64| (cents * value).signum() * (((cents * value).abs() + 5_000) / 10_000);
        let rate = |value: i64| RowRate {
            base: Currency::USD, unit: 1, quote: Currency::CNY,
            value: format!("{}.{:04}", value / 10_000, value % 10_000).parse().unwrap(),
        };
        let amount = if other_amount { told } else { cents };
        let by = exact(amount, if by_other { other } else { value });
        let sign = if on_left { -1 } else { 1 };
        let fee_part = if with_fee { fee_fen } else { 0 };
        let fen = by + sign * fee_part + if unknown { off } else { 0 };
        let mut usd = row("0.00 USD", "", "", "");
        usd.amount = EntryAmount::Money(Money::from_minor(cents, Currency::USD));
        let mut cny = pay("A", fen);
        // the agreed rate is the left row's
        (usd.rate, cny.rate) = if on_left { (Some(rate(other)), Some(rate(value))) } else { (Some(rate(value)), Some(rate(other))) };
        cny.original = Some(Money::from_minor(amount, Currency::USD));
        let own_fee = if on_left { -fee_fen } else { fee_fen };
        cny.fee = Some(Amount::exact(quanfu_money::Decimal::new(own_fee, 2), Currency::CNY));
        let (left, right) = if on_left { (cny, usd) } else { (usd, cny) };
        let done = tried(&RULES, None, left, right).unwrap();
        let group = &done.outcomes().edges[0].groups[0];
        let expected = exact(cents, value);
        let sum: i64 = group.causes.iter().map(|cause| cause.minor).sum();
        prop_assert_eq!(sum, sign * (fen - expected));
        prop_assert_eq!(group.difference.map_or(0, |sum| sum.minor()), i128::from(sum));
        let names: Vec<&str> = group.causes.iter().map(|cause| cause.name.as_str()).collect();
        prop_assert_eq!(names[0], "fx");
        let is_fine = sum == 0 || fee_fen != 0 && sum == fee_fen;
        prop_assert_eq!(group.code.is_none(), is_fine, "{:?}", group.causes);
        if !unknown || off == 0 {
            prop_assert!(!names.contains(&"unexplained"), "{:?}", group.causes);
        }
    }
}
