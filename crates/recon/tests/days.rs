//! Days made by hand, each with a sentence of what must come of it.
#![allow(clippy::unwrap_used)] // in helpers of tests a panic is the failure

mod common;

use common::*;
use quanfu_calendar::BusinessCalendar;
use quanfu_money::{Currency, Money};
use quanfu_recon::{ReconError, Request, reconcile};
use quanfu_settlement::{
    Book, BookBuilder, Entry, EntryKind, EntryStatus, Limits, Moment, Outcome, Proof, ProofKind,
    RefRole, RowRate, Sink, StatementHead, StatementTail,
};

type Rows = Vec<Entry<'static>>;

/// One story: rules, both sides, what must come of every row.
struct Case {
    says: &'static str,
    edge: String,
    left: Rows,
    right: Rows,
    want: &'static [&'static str],
}

fn check(cases: Vec<Case>) {
    for case in cases {
        let rules = rules(&case.edge);
        let run = run(&rules, case.left, case.right);
        assert_eq!(story(&run), case.want, "{}", case.says);
    }
}

fn by_order(more: &str) -> String {
    format!("{BY_ORDER}{more}\n")
}

#[test]
fn a_unique_key_confirms_or_breaks_by_what_the_amounts_say() {
    let usd = |order: &str, cents| {
        let mut entry = pay(order, 0);
        entry.amount =
            quanfu_settlement::EntryAmount::Money(Money::from_minor(cents, Currency::USD));
        entry
    };
    let rate = RowRate {
        base: Currency::USD,
        unit: 1,
        quote: Currency::CNY,
        value: "7.1526".parse().unwrap(),
    };
    let with_rate = |mut entry: Entry<'static>| {
        entry.rate = Some(rate);
        entry
    };
    check(vec![
        Case {
            says: "equal amounts agree",
            edge: by_order(""),
            left: vec![pay("A", 100)],
            right: vec![pay("A", 100)],
            want: &["L0 confirmed", "R0 confirmed"],
        },
        Case {
            says: "the bank got less, and nothing explains it",
            edge: by_order(""),
            left: vec![pay("A", 100)],
            right: vec![pay("A", 90)],
            want: &[
                "L0 break AMOUNT_CHANNEL_LESS unexplained:-0.10",
                "R0 break AMOUNT_CHANNEL_LESS unexplained:-0.10",
            ],
        },
        Case {
            says: "the bank got more",
            edge: by_order(""),
            left: vec![pay("A", 90)],
            right: vec![pay("A", 100)],
            want: &[
                "L0 break AMOUNT_CHANNEL_MORE unexplained:0.10",
                "R0 break AMOUNT_CHANNEL_MORE unexplained:0.10",
            ],
        },
        Case {
            says: "the row's own fee explains the difference to the fen",
            edge: by_order("explain = [\"fee\"]"),
            left: vec![pay("A", 10_000).with_fee(fee("0.60"))],
            right: vec![pay("A", 9_940)],
            want: &["L0 confirmed fee:-0.60", "R0 confirmed fee:-0.60"],
        },
        Case {
            says: "a fee of five decimals is rounded half up, by name",
            edge: by_order("explain = [\"fee\"]\nrounding = \"half_up\""),
            left: vec![pay("A", 990).with_fee(fee("0.05940"))],
            right: vec![pay("A", 984)],
            want: &["L0 confirmed fee:-0.06", "R0 confirmed fee:-0.06"],
        },
        Case {
            says: "a fee that is not allowed to explain does not",
            edge: by_order(""),
            left: vec![pay("A", 10_000).with_fee(fee("0.60"))],
            right: vec![pay("A", 9_940)],
            want: &[
                "L0 break AMOUNT_CHANNEL_LESS unexplained:-0.60",
                "R0 break AMOUNT_CHANNEL_LESS unexplained:-0.60",
            ],
        },
        Case {
            says: "a fee off by one fen does not explain",
            edge: by_order("explain = [\"fee\"]"),
            left: vec![pay("A", 10_000).with_fee(fee("0.60"))],
            right: vec![pay("A", 9_941)],
            want: &[
                "L0 break AMOUNT_CHANNEL_LESS unexplained:-0.59",
                "R0 break AMOUNT_CHANNEL_LESS unexplained:-0.59",
            ],
        },
        Case {
            says: "a tolerance is booked under its name",
            edge: by_order("tolerance = [{ cause = \"rounding\", max_minor = 1 }]"),
            left: vec![pay("A", 100), pay("B", 100)],
            right: vec![pay("A", 101), pay("B", 102)],
            want: &[
                "L0 confirmed rounding:0.01",
                "L1 break AMOUNT_CHANNEL_MORE unexplained:0.02",
                "R0 confirmed rounding:0.01",
                "R1 break AMOUNT_CHANNEL_MORE unexplained:0.02",
            ],
        },
        Case {
            says: "other currencies never match by number",
            edge: by_order("tolerance = [{ cause = \"rounding\", max_minor = 100 }]"),
            left: vec![pay("A", 100)],
            right: vec![usd("A", 100)],
            want: &["L0 break CURRENCY_MISMATCH", "R0 break CURRENCY_MISMATCH"],
        },
        Case {
            says: "the row's own rate and one rounding explain a conversion exactly",
            edge: by_order("explain = [\"fx\"]"),
            left: vec![with_rate(usd("A", 10_000))],
            right: vec![pay("A", 71_526)],
            want: &[
                "L0 confirmed fx:1 USD = 7.1526 CNY",
                "R0 confirmed fx:1 USD = 7.1526 CNY",
            ],
        },
        Case {
            says: "a conversion off by a fen is a break of its own kind",
            edge: by_order("explain = [\"fx\"]"),
            left: vec![with_rate(usd("A", 10_000))],
            right: vec![pay("A", 71_527)],
            want: &[
                "L0 break FX_DIFF fx:1 USD = 7.1526 CNY unexplained:0.01",
                "R0 break FX_DIFF fx:1 USD = 7.1526 CNY unexplained:0.01",
            ],
        },
        Case {
            says: "status is looked at before the amount",
            edge: by_order("same_status = true"),
            left: vec![pay("A", 100).with_status(EntryStatus::Pending)],
            right: vec![pay("A", 90)],
            want: &[
                "L0 break STATUS_MISMATCH unexplained:-0.10",
                "R0 break STATUS_MISMATCH unexplained:-0.10",
            ],
        },
        Case {
            says: "days further apart than declared are for a person to look at",
            edge: by_order("window = { days = [0, 1] }"),
            left: vec![pay("A", 100), pay("B", 100)],
            right: vec![
                pay("A", 100).on(day("2026-03-03")),
                pay("B", 100).on(day("2026-03-05")),
            ],
            want: &[
                "L0 confirmed",
                "L1 suggested DATE_OUTSIDE_WINDOW",
                "R0 confirmed",
                "R1 suggested DATE_OUTSIDE_WINDOW",
            ],
        },
        Case {
            says: "a rule that may only suggest does so",
            edge: by_order("decide = \"suggest\""),
            left: vec![pay("A", 100)],
            right: vec![pay("A", 100)],
            want: &["L0 suggested RULE_SUGGESTS", "R0 suggested RULE_SUGGESTS"],
        },
    ]);
}

#[test]
fn what_is_there_on_one_side_only_is_a_break_or_carried() {
    check(vec![Case {
        says: "an overdue record of each side, and a refund",
        edge: by_order(""),
        left: vec![pay("A", 100), pay("R", -50).with_kind(EntryKind::Refund)],
        right: vec![pay("B", 100)],
        want: &[
            "L0 break ONLY_PSP_BATCH",
            "L1 break REFUND_MISLINK",
            "R0 break ONLY_BANK",
        ],
    }]);
    let rules = rules(BY_ORDER);
    // three working days after Monday 2 March are over on Thursday the 5th
    for (as_of, want) in [
        ("2026-03-05", "L0 carried CUTOFF"),
        ("2026-03-06", "L0 break ONLY_PSP_BATCH"),
    ] {
        assert_eq!(
            story(&run_on(&rules, vec![pay("A", 100)], vec![], as_of, 1)),
            [want]
        );
    }
    // beyond the calendar: not determinable, and the run goes on
    let late = run_on(
        &rules,
        vec![pay("A", 100).on(day("2026-12-31"))],
        vec![],
        "2026-12-31",
        1,
    );
    assert_eq!(story(&late), ["L0 carried CUTOFF"]);
    let position = &late.document(None).carried[0];
    assert!(position.due.is_none() && position.due_not_determinable);
    // a row without any day cannot be carried
    let mut dayless = pay("A", 100);
    dayless.value_date = None;
    assert_eq!(
        story(&run(&rules, vec![dayless], vec![])),
        ["L0 break ONLY_PSP_BATCH"]
    );
}

#[test]
fn a_key_that_several_rows_have_is_ambiguous_with_all_its_rows() {
    check(vec![
        Case {
            says: "two equal bank rows, one record: nothing decides",
            edge: by_order(""),
            left: vec![pay("A", 100)],
            right: vec![pay("A", 100), pay("A", 100)],
            want: &[
                "L0 ambiguous AMBIGUOUS_KEY unexplained:1.00",
                "R0 ambiguous AMBIGUOUS_KEY unexplained:1.00",
                "R1 ambiguous AMBIGUOUS_KEY unexplained:1.00",
            ],
        },
        Case {
            says: "a duplicated bank row never matches the same record twice, nor by sums two and two",
            edge: by_order(""),
            left: vec![pay("A", 100), pay("A", 100)],
            right: vec![pay("A", 100), pay("A", 100)],
            want: &[
                "L0 ambiguous AMBIGUOUS_KEY",
                "L1 ambiguous AMBIGUOUS_KEY",
                "R0 ambiguous AMBIGUOUS_KEY",
                "R1 ambiguous AMBIGUOUS_KEY",
            ],
        },
        Case {
            says: "two rows of one side alone are ambiguous, too",
            edge: by_order(""),
            left: vec![pay("A", 100), pay("A", 50)],
            right: vec![],
            want: &["L0 ambiguous AMBIGUOUS_KEY", "L1 ambiguous AMBIGUOUS_KEY"],
        },
    ]);
}

const BATCH: &str =
    "[[edge.rule]]\nid = \"B\"\npass = \"net_batch\"\non = [\"batch\"]\nexplain = [\"fee\"]\n";

fn of_batch(batch: &str, fen: i64, fee_text: &str) -> Entry<'static> {
    pay("", fen)
        .with_reference(RefRole::Batch, batch.to_owned())
        .with_fee(fee(fee_text))
}

fn payout(batch: &str, fen: i64) -> Entry<'static> {
    pay("", fen)
        .with_kind(EntryKind::Payout)
        .with_reference(RefRole::Batch, batch.to_owned())
}

#[test]
fn a_settlement_batch_is_explained_from_gross_to_bank() {
    let tolerant = format!("{BATCH}tolerance = [{{ cause = \"bank_charge\", max_minor = 500 }}]\n");
    check(vec![
        Case {
            says: "payments less a refund less fees are what the bank received",
            edge: BATCH.into(),
            left: vec![
                of_batch("B1", 10_000, "0.60"),
                of_batch("B1", 5_000, "0.30"),
                of_batch("B1", -1_000, "-0.06"),
            ],
            right: vec![payout("B1", 13_916)],
            want: &[
                "L0 confirmed fee:-0.84",
                "L1 confirmed fee:-0.84",
                "L2 confirmed fee:-0.84",
                "R0 confirmed fee:-0.84",
            ],
        },
        Case {
            says: "what fees leave over is a number, and all rows of the batch stay open",
            edge: BATCH.into(),
            left: vec![
                of_batch("B1", 10_000, "0.60"),
                of_batch("B1", 5_000, "0.30"),
            ],
            right: vec![payout("B1", 14_610)],
            want: &[
                "L0 break BATCH_NET_DIFF fee:-0.90 unexplained:-3.00",
                "L1 break BATCH_NET_DIFF fee:-0.90 unexplained:-3.00",
                "R0 break BATCH_NET_DIFF fee:-0.90 unexplained:-3.00",
            ],
        },
        Case {
            says: "a declared bank charge is a cause of its own",
            edge: tolerant,
            left: vec![of_batch("B1", 10_000, "0.60")],
            right: vec![payout("B1", 9_640)],
            want: &[
                "L0 confirmed fee:-0.60 bank_charge:-3.00",
                "R0 confirmed fee:-0.60 bank_charge:-3.00",
            ],
        },
        Case {
            says: "two bank lines of one batch are not guessed",
            edge: BATCH.into(),
            left: vec![of_batch("B1", 10_000, "0.60")],
            right: vec![payout("B1", 9_940), payout("B1", 9_940)],
            want: &[
                "L0 ambiguous AMBIGUOUS_KEY unexplained:98.80",
                "R0 ambiguous AMBIGUOUS_KEY unexplained:98.80",
                "R1 ambiguous AMBIGUOUS_KEY unexplained:98.80",
            ],
        },
        Case {
            says: "a batch that the bank has not paid yet is open row by row",
            edge: BATCH.into(),
            left: vec![
                of_batch("B1", 10_000, "0.60"),
                of_batch("B1", 5_000, "0.30"),
            ],
            right: vec![],
            want: &["L0 break ONLY_PSP_BATCH", "L1 break ONLY_PSP_BATCH"],
        },
    ]);
    // where the rounding takes place decides: 3 x 0.005 is 0.03 by rows and 0.02 by batch
    for (per, sum) in [("row", 29_997), ("batch", 29_998)] {
        let rules = rules(&format!("{BATCH}rounding_per = \"{per}\"\n"));
        let left = vec![
            of_batch("B1", 10_000, "0.005"),
            of_batch("B1", 10_000, "0.005"),
            of_batch("B1", 10_000, "0.005"),
        ];
        let run = run(&rules, left, vec![payout("B1", sum)]);
        assert_eq!(
            count(&run, Outcome::Confirmed),
            4,
            "{per}: {:?}",
            story(&run)
        );
    }
}

const BY_TOKEN: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n\
                        [[edge.rule]]\nid = \"T\"\npass = \"exact_token\"\non = [\"merchant\"]\nwindow = { days = [0, 1] }\n";

fn at(merchant: &str, order: &str, fen: i64) -> Entry<'static> {
    pay(order, fen).with_reference(RefRole::Merchant, merchant.to_owned())
}

#[test]
fn without_a_key_a_token_amount_and_day_must_be_unique_both_ways() {
    check(vec![
        Case {
            says: "one and one",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100), at("M2", "B", 100)],
            right: vec![at("M1", "", 100)],
            want: &["L0 confirmed", "L1 break ONLY_PSP_BATCH", "R0 confirmed"],
        },
        Case {
            says: "two equal candidates are ambiguous, not the first",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100), at("M1", "B", 100)],
            right: vec![at("M1", "", 100)],
            want: &[
                "L0 ambiguous AMBIGUOUS_TOKEN unexplained:-1.00",
                "L1 ambiguous AMBIGUOUS_TOKEN unexplained:-1.00",
                "R0 ambiguous AMBIGUOUS_TOKEN unexplained:-1.00",
            ],
        },
        Case {
            says: "two equal credits on one day do not satisfy one payout twice",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100)],
            right: vec![at("M1", "", 100), at("M1", "", 100)],
            want: &[
                "L0 ambiguous AMBIGUOUS_TOKEN unexplained:1.00",
                "R0 ambiguous AMBIGUOUS_TOKEN unexplained:1.00",
                "R1 ambiguous AMBIGUOUS_TOKEN unexplained:1.00",
            ],
        },
        Case {
            says: "a row whose key says otherwise is no candidate",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100)],
            right: vec![at("M1", "Z", 100)],
            want: &["L0 break ONLY_PSP_BATCH", "R0 break ONLY_BANK"],
        },
        Case {
            says: "a key that agrees with another amount is locked: no later pass takes either row",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100), at("M1", "B", 90)],
            right: vec![at("M1", "A", 90), at("M1", "", 100)],
            want: &[
                "L0 break AMOUNT_CHANNEL_LESS unexplained:-0.10",
                "L1 break ONLY_PSP_BATCH",
                "R0 break AMOUNT_CHANNEL_LESS unexplained:-0.10",
                "R1 break ONLY_BANK",
            ],
        },
        Case {
            says: "a day outside the window is no candidate",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100)],
            right: vec![at("M1", "", 100).on(day("2026-03-04"))],
            want: &["L0 break ONLY_PSP_BATCH", "R0 break ONLY_BANK"],
        },
        Case {
            says: "a batch that begins at the page's border is one: order of rows means nothing",
            edge: BY_TOKEN.into(),
            left: vec![at("M1", "A", 100), at("M1", "A2", 200), at("M1", "A3", 300)],
            right: vec![at("M1", "", 300), at("M1", "", 100), at("M1", "", 200)],
            want: &[
                "L0 confirmed",
                "L1 confirmed",
                "L2 confirmed",
                "R0 confirmed",
                "R1 confirmed",
                "R2 confirmed",
            ],
        },
    ]);
}

#[test]
fn every_open_row_names_its_nearest_and_the_first_thing_that_failed() {
    let rules = rules(BY_TOKEN);
    for (left, right, predicate, texts) in [
        (
            at("M1", "A", 100),
            at("M1", "", 120),
            "amount",
            ("1.00 CNY", "1.20 CNY"),
        ),
        (at("M1", "A", 100), at("M1", "Z", 100), "key", ("A", "Z")),
        (
            at("M1", "A", 100),
            at("M1", "", 100).on(day("2026-03-09")),
            "window",
            ("2026-03-02", "2026-03-09"),
        ),
        (at("M1", "A", 100), at("M2", "Z", 100), "key", ("A", "Z")),
        (at("M1", "A", 100), at("M2", "", 777), "key", ("A", "")),
    ] {
        let run = run(&rules, vec![left], vec![right]);
        let why = &run.outcomes().edges[0].left_why[&0];
        let failed = why.failed.as_ref().unwrap();
        assert_eq!(
            (
                failed.predicate.as_str(),
                failed.left.as_str(),
                failed.right.as_str()
            ),
            (predicate, texts.0, texts.1)
        );
    }
}

/// A source whose one statement proves so much.
fn statement(
    rules: &quanfu_settlement::Rules,
    source: usize,
    rows: Rows,
    proofs: Vec<Proof>,
) -> Book {
    let mut builder = BookBuilder::new(rules.sources[source].clone(), Limits::default());
    builder.begin_statement(&StatementHead::default());
    for (line, mut row) in (1..).zip(rows) {
        row.at.line = line;
        builder.push_row(row).unwrap();
    }
    builder.end_statement(&StatementTail {
        proofs,
        ..StatementTail::default()
    });
    builder.finish()
}

#[test]
fn a_proof_decides_between_a_record_delivered_twice_and_a_payment_made_twice() {
    let rules = rules(BY_ORDER);
    let sum = |expected: i128, found: i128| {
        let sum = |minor| quanfu_money::MoneySum::from_minor(minor, Currency::CNY);
        Proof::sums(ProofKind::Balance, "", sum(expected), sum(found))
    };
    let twice = || vec![pay("A", 100), pay("A", 100), pay("B", 50)];
    for (says, proofs, want) in [
        (
            "the balance holds with both: both moved money",
            vec![sum(250, 250)],
            [
                "L0 break DUPLICATE_PAYMENT unexplained:1.00",
                "L1 confirmed",
                "R0 break DUPLICATE_PAYMENT unexplained:1.00",
                "R1 break DUPLICATE_PAYMENT unexplained:1.00",
                "R2 confirmed",
            ],
        ),
        (
            "the balance fails by exactly the second copy: it was delivered twice",
            vec![sum(150, 250)],
            [
                "L0 confirmed",
                "L1 confirmed",
                "R0 confirmed",
                "R1 duplicate DUPLICATE_RECORD",
                "R2 confirmed",
            ],
        ),
        (
            "the balance fails by something else: nothing decides",
            vec![sum(149, 250)],
            [
                "L0 ambiguous AMBIGUOUS_KEY unexplained:1.00",
                "L1 confirmed",
                "R0 ambiguous AMBIGUOUS_KEY unexplained:1.00",
                "R1 ambiguous AMBIGUOUS_KEY unexplained:1.00",
                "R2 confirmed",
            ],
        ),
    ] {
        let left = book(&rules, 0, vec![pay("A", 100), pay("B", 50)]);
        let right = statement(&rules, 1, twice(), proofs);
        let calendar = BusinessCalendar::china();
        let run = reconcile(
            Request::new(&rules, vec![left, right], &calendar).with_as_of(day("2026-03-20")),
        )
        .unwrap();
        assert_eq!(story(&run), want, "{says}");
    }
}

#[test]
fn a_batch_of_a_file_whose_total_fails_stays_open_as_a_file_error() {
    let rules = rules(BATCH);
    let count = Proof::counts(ProofKind::ControlCount, "rows", 3, 2);
    let left = statement(&rules, 0, vec![of_batch("B1", 10_000, "0.60")], vec![count]);
    let right = book(&rules, 1, vec![payout("B1", 9_940)]);
    let calendar = BusinessCalendar::china();
    let run =
        reconcile(Request::new(&rules, vec![left, right], &calendar).with_as_of(day("2026-03-20")))
            .unwrap();
    assert_eq!(
        story(&run),
        [
            "L0 break FILE_ERROR fee:-0.60",
            "R0 break FILE_ERROR fee:-0.60"
        ]
    );
    assert!(!run.trusted());
}

#[test]
fn a_reversal_and_its_original_leave_the_edge_together() {
    let rules = rules(BY_ORDER);
    let mut back = pay("", -100).with_kind(EntryKind::Reversal);
    back.references.set(RefRole::Bank, "77");
    let there = pay("", 100).with_reference(RefRole::Bank, "77");
    let twin = pay("", 100).with_reference(RefRole::Bank, "78");
    let run = run(&rules, vec![], vec![there, back, twin]);
    assert_eq!(
        story(&run),
        [
            "R0 reversed REVERSED_PAIR",
            "R1 reversed REVERSED_PAIR",
            "R2 break ONLY_BANK"
        ]
    );
}

#[test]
fn rows_that_the_rules_leave_out_are_excluded_and_counted() {
    let rules = rules(&format!(
        "left_where = {{ status = [\"booked\"] }}\n{BY_ORDER}"
    ));
    let run = run(
        &rules,
        vec![pay("A", 100).with_status(EntryStatus::Failed)],
        vec![],
    );
    assert_eq!(story(&run), ["L0 excluded"]);
}

#[test]
fn the_cut_off_moves_a_late_payment_to_the_next_accounting_day() {
    let text = rules(BATCH).text.replace(
        "role = \"institution\"",
        "role = \"institution\"\nzone = \"+08:00\"\ncutoff = \"22:30:00\"",
    );
    let text = text.replace("on = [\"batch\"]", "on = [\"batch\", \"accounting_day\"]");
    let rules = quanfu_settlement::Rules::parse(&text).unwrap();
    let paid_at = |second| {
        let time = Moment {
            date: day("2026-03-02"),
            second,
            offset_minutes: Some(480),
        };
        of_batch("B", 100, "0").with_time(time)
    };
    let late = 22 * 3600 + 30 * 60;
    let run = run(
        &rules,
        vec![paid_at(late - 1), paid_at(late)],
        vec![payout("B", 100), payout("B", 100).on(day("2026-03-03"))],
    );
    assert_eq!(count(&run, Outcome::Confirmed), 4);
}

#[test]
fn days_form_a_chain_and_an_item_leaves_it_exactly_once() {
    let rules = rules(BY_ORDER);
    let first = run_on(
        &rules,
        vec![pay("A", 100), pay("B", 200)],
        vec![],
        "2026-03-02",
        1,
    )
    .document(None);
    assert_eq!(first.carried.len(), 2);
    let late = pay("A", 90).on(day("2026-03-03"));
    let second = run_after(&rules, vec![], vec![late], "2026-03-03", &first);
    assert_eq!(
        story(&second),
        [
            "L0 break AMOUNT_CHANNEL_LESS unexplained:-0.10",
            "L1 carried CUTOFF",
            "R0 break AMOUNT_CHANNEL_LESS unexplained:-0.10"
        ]
    );
    let second = second.document(None);
    assert_eq!(
        second.certificate.after.as_ref().map(|after| after.body),
        Some(first.certificate.body)
    );
    // the amount difference was reported once; only B goes on
    let third = run_after(
        &rules,
        vec![],
        vec![pay("B", 200).on(day("2026-03-04"))],
        "2026-03-04",
        &second,
    );
    assert_eq!(story(&third), ["L0 confirmed", "R0 confirmed"]);
}

#[test]
fn a_payment_that_comes_in_parts_waits_for_the_rest_and_names_what_is_to_come() {
    let parts =
        "[[edge.rule]]\nid = \"P\"\npass = \"key_group\"\non = [\"order\"]\npartial = \"right\"\n";
    let at = |fen, on: &str| pay("A", fen).on(day(on));
    let rules = rules(parts);
    let first = run_on(
        &rules,
        vec![pay("A", 100)],
        vec![pay("A", 60)],
        "2026-03-02",
        1,
    );
    let waits = [
        "L0 carried PARTIAL to_come:-0.40",
        "R0 carried PARTIAL to_come:-0.40",
    ];
    assert_eq!(story(&first), waits);
    let first = first.document(None);
    let [position] = &first.carried[..] else {
        panic!("one position: {:?}", first.carried)
    };
    assert_eq!(position.due, Some(day("2026-03-05")));
    assert_eq!(position.difference.as_deref(), Some("-0.40"));
    // a second part, and the time runs out
    let second = run_after(
        &rules,
        vec![],
        vec![at(30, "2026-03-04")],
        "2026-03-06",
        &first,
    );
    let overdue = "break PARTIAL to_come:-0.10";
    let want = ["L0", "R0", "R1"].map(|row| format!("{row} {overdue}"));
    assert_eq!(story(&second), want);
    // the last part, late: all of it agrees
    let second = second.document(None);
    let third = run_after(
        &rules,
        vec![],
        vec![at(10, "2026-03-09")],
        "2026-03-09",
        &second,
    );
    let agreed = ["L0", "R0", "R1", "R2"].map(|row| format!("{row} confirmed"));
    assert_eq!(story(&third), agreed);
    // more than there is to come is no part
    let much = run_after(
        &rules,
        vec![],
        vec![at(11, "2026-03-09")],
        "2026-03-09",
        &second,
    );
    assert_eq!(
        story(&much)[0],
        "L0 break AMOUNT_CHANNEL_MORE unexplained:0.01"
    );
    // nor is a refund, or what lies on the side that comes at once
    let both = [
        (
            vec![pay("A", 60)],
            vec![pay("A", 100)],
            "MORE unexplained:0.40",
        ),
        (
            vec![pay("A", 100)],
            vec![pay("A", -10)],
            "LESS unexplained:-1.10",
        ),
    ];
    for (left, right, want) in both {
        let run = run_on(&rules, left, right, "2026-03-02", 1);
        assert_eq!(story(&run)[0], format!("L0 break AMOUNT_CHANNEL_{want}"));
    }
}

#[test]
fn a_chain_takes_each_result_of_a_day_only_from_its_own_line() {
    let rules = rules(BY_ORDER);
    let first = run_on(&rules, vec![pay("A", 100)], vec![], "2026-03-02", 1).document(None);
    let calendar = BusinessCalendar::china();
    let books = || {
        vec![
            book(&rules, 0, vec![pay("A", 100)]),
            book(&rules, 1, vec![]),
        ]
    };
    let request = Request::new(&rules, books(), &calendar)
        .with_as_of(day("2026-03-03"))
        .with_supersedes(&first);
    assert!(matches!(
        reconcile(request),
        Err(ReconError::SupersedesMismatch { .. })
    ));
    let request = Request::new(&rules, books(), &calendar)
        .with_as_of(day("2026-03-02"))
        .with_supersedes(&first);
    assert!(reconcile(request).is_ok());
}

#[test]
fn a_run_can_be_stopped_and_an_empty_one_says_that_it_has_no_day() {
    let rules = rules(BY_ORDER);
    let calendar = BusinessCalendar::china();
    let books = || vec![book(&rules, 0, vec![]), book(&rules, 1, vec![])];
    assert_eq!(
        reconcile(Request::new(&rules, books(), &calendar)).err(),
        Some(ReconError::NoDay)
    );
    let stop = |_| std::ops::ControlFlow::Break(());
    let request = Request::new(&rules, books(), &calendar)
        .with_as_of(day("2026-03-02"))
        .with_progress(&stop);
    assert_eq!(reconcile(request).err(), Some(ReconError::Cancelled));
}

#[test]
fn results_can_be_sent_between_threads() {
    fn both<T: Send + Sync>() {}
    both::<quanfu_recon::Reconciled>();
}

/// Lines by the thousand and tolerances of any size end in time and without a panic: nothing is decided about lines
/// together, and each by itself is.
#[test]
fn many_lines_together_are_not_decided_and_wide_tolerances_are_no_panic() {
    let rules = rules(
        "[[edge.rule]]\nid = \"S\"\npass = \"subset\"\non = [\"order\"]\nmax_lines = 3\nmax_members = 12\nmax_left_out = 6\n\
         tolerance = [{ cause = \"rounding\", max_minor = 9223372036854775807, currency = \"USD\" }]\n",
    );
    let left: Vec<_> = (0..30).map(|row| pay("O", 1_000_003 + row * 7)).collect();
    let right: Vec<_> = (0..3_000).map(|row| pay("O", 11 + row)).collect();
    let done = run(&rules, left, right);
    let undecided = done.outcomes().edges[0].right.iter();
    let undecided =
        undecided.filter(|row| row.code == Some(quanfu_settlement::BreakCode::NotDecided));
    assert_eq!(undecided.count(), 3_000);

    let dollars = |minor: i64| {
        let mut entry = pay("O", 0);
        entry.amount =
            quanfu_settlement::EntryAmount::Money(Money::from_minor(minor, Currency::USD));
        entry
    };
    let left: Vec<_> = (0..40).map(|row| dollars(i64::MAX - row)).collect();
    let right: Vec<_> = (0..20).map(|row| dollars(i64::MAX / 2 + row)).collect();
    let done = run(&rules, left, right);
    assert_eq!(count(&done, Outcome::Confirmed), 0);
}
