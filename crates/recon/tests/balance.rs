//! Balance reconciliations (余额调节表) of days made by hand, and one law.
#![allow(clippy::unwrap_used)] // in helpers of tests a panic is the failure

mod common;

use common::*;
use proptest::prelude::*;
use quanfu_calendar::BusinessCalendar;
use quanfu_money::{Currency, Money};
use quanfu_recon::{ReconError, Reconciled, Request, reconcile};
use quanfu_settlement::balance::{BalanceReconciliation, BalanceVerdict};
use quanfu_settlement::{
    Balance, Book, BookBuilder, Entry, EntryKind, EntryStatus, Limits, RefRole, ResultDoc, RowRate,
    Rules, Sink, StatementHead, StatementTail,
};

type Rows = Vec<Entry<'static>>;

const LATE: &str = "2026-03-20";

/// `rule` inside the rule by order number, `tables` after it. The left source is the company, the right one the bank.
fn by_order(rule: &str, tables: &str) -> Rules {
    rules(&format!("{BY_ORDER}{rule}\n{tables}"))
}

fn asked(figures: &str) -> String {
    format!("[[edge.balance]]\ncurrency = \"CNY\"\n{figures}\n")
}

fn money(fen: i64) -> Balance {
    Balance {
        amount: Money::from_minor(fen, Currency::CNY),
        date: None,
        is_interim: false,
    }
}

/// A statement: account, day, opening, rows, closing.
type Page = (&'static str, &'static str, i64, Rows, i64);

/// A book of statements, after the items that an earlier result carries over.
fn statements(
    rules: &Rules,
    source: usize,
    previous: Option<&ResultDoc>,
    pages: Vec<Page>,
) -> Book {
    let of = &rules.sources[source];
    let mut builder = BookBuilder::new(of.clone(), Limits::default());
    for item in previous
        .iter()
        .flat_map(|doc| quanfu_recon::carried_items(doc, &of.name))
    {
        builder.push_carried(item).unwrap();
    }
    for (account, on, opening, rows, closing) in pages {
        let on = (!on.is_empty()).then(|| day(on));
        let dated = |fen| {
            Some(Balance {
                date: on,
                ..money(fen)
            })
        };
        builder.begin_statement(&StatementHead {
            account: (!account.is_empty()).then(|| account.to_owned()),
            opening: dated(opening),
            ..StatementHead::default()
        });
        for row in rows {
            builder.push_row(row).unwrap();
        }
        builder.end_statement(&StatementTail {
            closing: dated(closing),
            ..StatementTail::default()
        });
    }
    builder.finish()
}

fn with_books(
    rules: &Rules,
    books: Vec<Book>,
    as_of: &str,
    previous: Option<&ResultDoc>,
) -> Result<Reconciled, ReconError> {
    let calendar = BusinessCalendar::china();
    let mut request = Request::new(rules, books, &calendar).with_as_of(day(as_of));
    if let Some(previous) = previous {
        request = request.with_previous(previous);
    }
    reconcile(request)
}

/// What is not zero: `company_received 1 1.00`, `fee -0.60`, `adjusted 5.00 | 5.00`, `balanced 0.00`.
fn story(balance: &BalanceReconciliation) -> Vec<String> {
    let zero = |text: &str| text.bytes().all(|c| !(b'1'..=b'9').contains(&c));
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut lines = Vec::new();
    for found in balance.outstanding.iter().filter(|found| found.count > 0) {
        assert_eq!(found.count, found.items.len() as u64);
        lines.push(format!("{} {} {}", found.kind, found.count, found.sum));
    }
    for line in balance.adjusting.iter().filter(|line| !zero(&line.sum)) {
        lines.push(format!("{} {}", line.cause, line.sum));
    }
    for side in [&balance.company, &balance.bank] {
        if side.left_out.count > 0 {
            let out = &side.left_out;
            lines.push(format!(
                "{} left out {} {}",
                side.source, out.count, out.sum
            ));
        }
        for (word, gap) in [
            ("opening gap", &side.opening_gap),
            ("closing gap", &side.closing_gap),
            ("rolls", &side.roll_difference),
        ] {
            if gap.as_deref().is_some_and(|gap| !zero(gap)) {
                lines.push(format!("{} {word} {}", side.source, shown(gap)));
            }
        }
    }
    lines.push(format!(
        "adjusted {} | {}",
        shown(&balance.adjusted_company),
        shown(&balance.adjusted_bank)
    ));
    lines.push(format!(
        "{} {}",
        balance.verdict,
        shown(&balance.difference)
    ));
    lines
}

struct Case {
    says: &'static str,
    rule: &'static str,
    figures: &'static str,
    company: Rows,
    bank: Rows,
    want: &'static [&'static str],
}

#[test]
fn each_kind_of_outstanding_item_alone_and_all_together() {
    let fee_row = |order, fen, text| pay(order, fen).with_fee(fee(text));
    let cases = vec![
        Case {
            says: "nothing outstanding",
            rule: "",
            figures: "company_opening = \"10.00\"\ncompany_closing = \"11.00\"\nbank_opening = \"10\"\nbank_closing = \"11.00\"",
            company: vec![pay("A", 100)],
            bank: vec![pay("A", 100)],
            want: &["adjusted 11.00 | 11.00", "balanced 0.00"],
        },
        Case {
            says: "the company has received, the bank has not (企业已收银行未收)",
            rule: "",
            figures: "company_closing = \"11.00\"\nbank_closing = \"10.00\"",
            company: vec![pay("A", 100)],
            bank: vec![],
            want: &[
                "company_received 1 1.00",
                "adjusted 11.00 | 11.00",
                "balanced 0.00",
            ],
        },
        Case {
            says: "the company has paid, the bank has not (企业已付银行未付): a refund on the way",
            rule: "",
            figures: "company_closing = \"9.00\"\nbank_closing = \"10.00\"",
            company: vec![pay("A", -100).with_kind(EntryKind::Refund)],
            bank: vec![],
            want: &[
                "company_paid 1 -1.00",
                "adjusted 9.00 | 9.00",
                "balanced 0.00",
            ],
        },
        Case {
            says: "the bank has received, the company has not (银行已收企业未收)",
            rule: "",
            figures: "company_closing = \"10.00\"\nbank_closing = \"11.00\"",
            company: vec![],
            bank: vec![pay("A", 100)],
            want: &[
                "bank_received 1 1.00",
                "adjusted 11.00 | 11.00",
                "balanced 0.00",
            ],
        },
        Case {
            says: "the bank has paid, the company has not (银行已付企业未付): a charge of the bank",
            rule: "",
            figures: "company_closing = \"10.00\"\nbank_closing = \"9.85\"",
            company: vec![],
            bank: vec![pay("A", -15).with_kind(EntryKind::Fee)],
            want: &["bank_paid 1 -0.15", "adjusted 9.85 | 9.85", "balanced 0.00"],
        },
        Case {
            says: "all four with a fee and a difference that nobody explains",
            rule: "explain = [\"fee\"]",
            figures: "company_opening = \"10.00\"\nbank_opening = \"10.00\"",
            company: vec![
                fee_row("F", 1_000, "0.06"),
                pay("D", 500),
                pay("1", 100),
                pay("2", -20),
            ],
            bank: vec![pay("F", 994), pay("D", 470), pay("3", 7), pay("4", -3)],
            want: &[
                "company_received 1 1.00",
                "company_paid 1 -0.20",
                "bank_received 1 0.07",
                "bank_paid 1 -0.03",
                "fee -0.06",
                "unexplained -0.30",
                "adjusted 25.48 | 25.48",
                "balanced 0.00",
            ],
        },
        Case {
            says: "a tolerance is a line of its own",
            rule: "tolerance = [{ cause = \"rounding\", max_minor = 1 }]",
            figures: "company_opening = \"0\"\nbank_opening = \"0\"",
            company: vec![pay("A", 100)],
            bank: vec![pay("A", 101)],
            want: &["rounding 0.01", "adjusted 1.01 | 1.01", "balanced 0.00"],
        },
        Case {
            says: "a company that books gross and is compared net owes the fee",
            rule: "left_amount = \"net\"",
            figures: "company_opening = \"0\"\nbank_opening = \"0\"",
            company: vec![fee_row("A", 10_000, "0.60")],
            bank: vec![pay("A", 9_940)],
            want: &["fee -0.60", "adjusted 99.40 | 99.40", "balanced 0.00"],
        },
        Case {
            says: "what is not booked moves nothing, on either side",
            rule: "",
            figures: "company_opening = \"0\"\nbank_opening = \"0\"",
            company: vec![
                pay("A", 100).with_status(EntryStatus::Pending),
                pay("B", 50).with_status(EntryStatus::Failed),
            ],
            bank: vec![pay("A", 100)],
            want: &["status 1.00", "adjusted 1.00 | 1.00", "balanced 0.00"],
        },
        Case {
            says: "a suggestion is no match until a person takes it",
            rule: "decide = \"suggest\"",
            figures: "company_opening = \"0\"\nbank_opening = \"0\"",
            company: vec![pay("A", 100)],
            bank: vec![pay("A", 100)],
            want: &[
                "company_received 1 1.00",
                "bank_received 1 1.00",
                "adjusted 2.00 | 2.00",
                "balanced 0.00",
            ],
        },
        Case {
            says: "an ambiguous key is outstanding on both sides",
            rule: "",
            figures: "company_opening = \"0\"\nbank_opening = \"0\"",
            company: vec![pay("A", 100), pay("A", 30)],
            bank: vec![pay("A", 130)],
            want: &[
                "company_received 2 1.30",
                "bank_received 1 1.30",
                "adjusted 2.60 | 2.60",
                "balanced 0.00",
            ],
        },
        Case {
            says: "a closing that nothing leads to is told with its difference",
            rule: "",
            figures: "company_opening = \"10.00\"\nbank_opening = \"10.00\"\nbank_closing = \"12.50\"",
            company: vec![pay("A", 100)],
            bank: vec![pay("A", 100)],
            want: &[
                "right rolls 1.50",
                "adjusted 11.00 | 12.50",
                "not_balanced 1.50",
            ],
        },
        Case {
            says: "two closings that are wrong by the same amount do not pass",
            rule: "",
            figures: "company_opening = \"10.00\"\ncompany_closing = \"12.50\"\nbank_opening = \"10.00\"\nbank_closing = \"12.50\"",
            company: vec![pay("A", 100)],
            bank: vec![pay("A", 100)],
            want: &[
                "left rolls 1.50",
                "right rolls 1.50",
                "adjusted 12.50 | 12.50",
                "not_balanced 0.00",
            ],
        },
        Case {
            says: "openings that differ show items older than the first day",
            rule: "",
            figures: "company_opening = \"10.00\"\nbank_opening = \"8.00\"",
            company: vec![pay("A", 100)],
            bank: vec![pay("A", 100)],
            want: &["adjusted 11.00 | 9.00", "not_balanced -2.00"],
        },
        Case {
            says: "without any balance of a side nothing can be told, and the items are still listed",
            rule: "",
            figures: "company_opening = \"10.00\"",
            company: vec![pay("A", 100)],
            bank: vec![],
            want: &[
                "company_received 1 1.00",
                "adjusted 11.00 | -",
                "not_determinable -",
            ],
        },
    ];
    for case in cases {
        let rules = by_order(case.rule, &asked(case.figures));
        let done = run(&rules, case.company, case.bank);
        assert_eq!(done.balances().len(), 1, "{}", case.says);
        assert_eq!(story(&done.balances()[0]), case.want, "{}", case.says);
        assert_eq!(done.document(None).balances, done.balances());
    }
}

#[test]
fn the_bank_may_stand_on_the_left() {
    let text = "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\n[source.left]\nrole = \"bank\"\n[source.right]\nrole = \"institution\"\n[[edge]]\nleft = \"left\"\nright = \"right\"\n[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\nexplain = [\"fee\"]\n";
    let figures = "company_opening = \"0\"\nbank_opening = \"0\"";
    let rules = Rules::parse(&format!("{text}{}", asked(figures))).unwrap();
    let company = vec![pay("A", 1_000).with_fee(fee("0.06")), pay("B", 5)];
    let done = run(&rules, vec![pay("A", 994), pay("C", 2)], company);
    assert_eq!(
        story(&done.balances()[0]),
        [
            "company_received 1 0.05",
            "bank_received 1 0.02",
            "fee -0.06",
            "adjusted 10.01 | 10.01",
            "balanced 0.00"
        ]
    );
}

#[test]
fn currencies_are_reconciled_apart_and_an_exchange_moves_from_one_to_the_other() {
    let usd = |order: &str, cents| {
        let mut entry = pay(order, 0);
        entry.amount =
            quanfu_settlement::EntryAmount::Money(Money::from_minor(cents, Currency::USD));
        entry.rate = Some(RowRate {
            base: Currency::USD,
            unit: 1,
            quote: Currency::CNY,
            value: "7.1526".parse().unwrap(),
        });
        entry
    };
    let tables = "[[edge.balance]]\n[[edge.balance]]\ncurrency = \"USD\"\ncompany_opening = \"0\"\nbank_opening = \"0\"\n";
    let rules = by_order("explain = [\"fx\"]", tables);
    let company = vec![usd("A", 10_000), usd("B", 300), pay("C", 50)];
    let done = run(&rules, company, vec![pay("A", 71_526), pay("C", 50)]);
    let found: Vec<_> = done
        .balances()
        .iter()
        .map(|balance| (balance.currency, story(balance)))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, Currency::CNY);
    assert_eq!(
        found[0].1,
        ["fx 715.26", "adjusted - | -", "not_determinable -"]
    );
    assert_eq!(found[1].0, Currency::USD);
    assert_eq!(
        found[1].1,
        [
            "company_received 1 3.00",
            "fx -100.00",
            "adjusted 3.00 | 3.00",
            "balanced 0.00"
        ]
    );
}

#[test]
fn statements_tell_their_balances_in_any_order_of_files_and_accounts_add_up() {
    let rules = by_order("", &asked("company_opening = \"8.00\""));
    let pages = || -> Vec<Page> {
        vec![
            ("1", "2026-03-02", 500, vec![pay("A", 100)], 600),
            ("1", "2026-03-03", 600, vec![pay("B", 50)], 650),
            ("2", "2026-03-02", 300, vec![pay("C", -20)], 280),
        ]
    };
    let company = || vec![pay("A", 100), pay("B", 50), pay("C", -20)];
    let mut seen = Vec::new();
    for turn in 0..3 {
        let mut pages = pages();
        pages.rotate_left(turn);
        let books = vec![
            book(&rules, 0, company()),
            statements(&rules, 1, None, pages),
        ];
        let done = with_books(&rules, books, LATE, None).unwrap();
        seen.push(done.balances().to_vec());
    }
    assert!(seen.windows(2).all(|two| two[0] == two[1]));
    let balance = &seen[0][0];
    assert_eq!(story(balance), ["adjusted 9.30 | 9.30", "balanced 0.00"]);
    let rolls: Vec<_> = balance
        .bank
        .accounts
        .iter()
        .map(|roll| {
            let text = |text: &Option<String>| text.clone().unwrap();
            format!(
                "{} {} {} {} {}",
                text(&roll.account),
                text(&roll.opening),
                roll.movement.sum,
                text(&roll.closing),
                text(&roll.difference)
            )
        })
        .collect();
    assert_eq!(rolls, ["1 5.00 1.50 6.50 0.00", "2 3.00 -0.20 2.80 0.00"]);
}

#[test]
fn statements_that_do_not_tell_their_order_or_contradict_the_rules_do_not_pass() {
    let figures = "company_opening = \"5.00\"\ncompany_closing = \"6.50\"";
    let company = || vec![pay("A", 100), pay("B", 50)];
    let told = |figures: &str, pages: Vec<Page>| {
        let rules = by_order("", &asked(figures));
        let books = vec![
            book(&rules, 0, company()),
            statements(&rules, 1, None, pages),
        ];
        let done = with_books(&rules, books, LATE, None).unwrap();
        story(&done.balances()[0])
    };
    let undated = vec![
        ("1", "", 500, vec![pay("A", 100)], 600),
        ("1", "", 600, vec![pay("B", 50)], 650),
    ];
    assert_eq!(
        told(figures, undated),
        ["adjusted 6.50 | -", "not_determinable -"]
    );
    let half_dated = vec![
        ("1", "", 500, vec![pay("A", 100)], 600),
        ("1", "2026-03-03", 600, vec![pay("B", 50)], 650),
    ];
    assert_eq!(
        told(figures, half_dated),
        ["adjusted 6.50 | -", "not_determinable -"]
    );
    let lacking = vec![("1", "2026-03-02", 500, vec![pay("A", 100)], 650)];
    assert_eq!(
        told(figures, lacking),
        [
            "company_received 1 0.50",
            "right rolls 0.50",
            "adjusted 6.50 | 7.00",
            "not_balanced 0.50"
        ]
    );
    let whole = vec![("1", "2026-03-02", 500, company(), 650)];
    let more = format!("{figures}\nbank_opening = \"5.01\"\nbank_closing = \"6.40\"");
    assert_eq!(
        told(&more, whole),
        [
            "right opening gap -0.01",
            "right closing gap 0.10",
            "adjusted 6.50 | 6.50",
            "not_balanced 0.00"
        ]
    );
}

#[test]
fn rows_that_the_rules_leave_out_and_reversed_pairs_stay_in_their_own_balance() {
    let edge = format!(
        "right_where = {{ kind = [\"payment\", \"reversal\"] }}\n{BY_ORDER}{}",
        asked("company_opening = \"0\"\nbank_opening = \"0\"")
    );
    let rules = rules(&edge);
    let number = |entry: Entry<'static>, n: &str| entry.with_reference(RefRole::Bank, n.to_owned());
    let mut undone = number(pay("R", -40), "7").with_kind(EntryKind::Reversal);
    undone.is_reversal = true;
    let bank = vec![
        pay("A", 100),
        pay("X", -15).with_kind(EntryKind::Fee),
        number(pay("R", 40), "7"),
        undone,
    ];
    let done = run(&rules, vec![pay("A", 100)], bank);
    assert_eq!(
        story(&done.balances()[0]),
        [
            "right left out 1 -0.15",
            "adjusted 0.85 | 0.85",
            "balanced 0.00"
        ]
    );
    assert_eq!(done.balances()[0].bank.movement.count, 4);
}

#[test]
fn outstanding_items_go_on_over_days_until_the_other_side_has_them() {
    let rules = by_order(
        "explain = [\"fee\"]",
        &asked("company_opening = \"10.00\"\nbank_opening = \"10.00\""),
    );
    let on = |entry: Entry<'static>, text: &str| entry.on(day(text));
    let days: Vec<(&str, Rows, Rows, &[&str])> = vec![
        (
            "2026-03-02",
            vec![
                pay("A", 1_000).with_fee(fee("0.06")),
                pay("B", 100),
                pay("old", 30).on(day("2026-02-02")),
            ],
            vec![pay("A", 994), pay("Z", 5)],
            &[
                "company_received 2 1.30",
                "bank_received 1 0.05",
                "fee -0.06",
                "adjusted 21.29 | 21.29",
                "balanced 0.00",
            ],
        ),
        (
            // B arrives, of Z nothing is heard, and what was overdue yesterday is brought forward by name.
            "2026-03-03",
            vec![on(pay("C", 7), "2026-03-03")],
            vec![on(pay("B", 100), "2026-03-03")],
            &[
                "company_received 2 0.37",
                "bank_received 1 0.05",
                "fee -0.06",
                "adjusted 21.36 | 21.36",
                "balanced 0.00",
            ],
        ),
        (
            "2026-03-04",
            vec![on(pay("Z", 5), "2026-03-04")],
            vec![on(pay("C", 6), "2026-03-04")],
            &[
                "company_received 1 0.30",
                "fee -0.06",
                "unexplained -0.01",
                "adjusted 21.35 | 21.35",
                "balanced 0.00",
            ],
        ),
        (
            // Long after: a day without rows.
            "2026-03-20",
            vec![],
            vec![],
            &[
                "company_received 1 0.30",
                "fee -0.06",
                "unexplained -0.01",
                "adjusted 21.35 | 21.35",
                "balanced 0.00",
            ],
        ),
    ];
    let mut previous: Option<ResultDoc> = None;
    for (as_of, company, bank, want) in days {
        let done = match &previous {
            None => run_on(&rules, company, bank, as_of, 1),
            Some(previous) => run_after(&rules, company, bank, as_of, previous),
        };
        assert_eq!(story(&done.balances()[0]), want, "{as_of}");
        let opening = done.balances()[0].company.opening_from.unwrap();
        let want = if previous.is_none() {
            "declared"
        } else {
            "previous"
        };
        assert_eq!(opening.code(), want);
        previous = Some(done.document(None));
    }
    // A statement that does not open with what the day before closed with.
    let previous = previous.unwrap();
    let page = |opening| vec![("1", "2026-03-21", opening, vec![], opening)];
    let gap = |opening| {
        let books = vec![
            statements(&rules, 0, Some(&previous), vec![]),
            statements(&rules, 1, Some(&previous), page(opening)),
        ];
        let done = with_books(&rules, books, "2026-03-21", Some(&previous)).unwrap();
        story(&done.balances()[0]).pop().unwrap()
    };
    assert_eq!(gap(2_105), "balanced 0.00");
    assert_eq!(gap(2_100), "not_balanced -0.05");
}

#[test]
fn a_result_whose_figures_are_damaged_is_not_followed() {
    let rules = by_order("", &asked("company_opening = \"0\"\nbank_opening = \"0\""));
    let first = run_on(&rules, vec![pay("A", 1)], vec![], "2026-03-02", 1).document(None);
    for text in [
        "",
        "1",
        "1.0",
        "+1.00",
        "1,00",
        "-",
        "99999999999999999999999999999999999.00",
    ] {
        let mut damaged = first.clone();
        damaged.balances[0].company.closing = Some(text.to_owned());
        let books = vec![
            statements(&rules, 0, Some(&damaged), vec![]),
            statements(&rules, 1, Some(&damaged), vec![]),
        ];
        let error = with_books(&rules, books, "2026-03-03", Some(&damaged)).unwrap_err();
        assert_eq!(error.code(), "earlier-damaged", "{text:?}");
    }
}

#[test]
fn rules_say_which_side_is_the_banks_and_in_which_currency() {
    let refused = |tables: &str| {
        let text = format!(
            "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\n[source.left]\nrole = \"institution\"\n[source.right]\nrole = \"bank\"\n[[edge]]\nleft = \"left\"\nright = \"right\"\n{BY_ORDER}{tables}"
        );
        Rules::parse(&text).map(|_| ()).unwrap_err().to_string()
    };
    let table = "[[edge.balance]]\n";
    for (tables, want) in [
        (
            format!("{table}bank = \"x\"\n"),
            "edge left-right, balance: which side is the bank's? `bank = \"left\"` or `bank = \"right\"` would tell it",
        ),
        (
            format!("{table}bank_closing = \"1\"\n"),
            "edge left-right, balance: bank_closing is of no currency; `currency = \"CNY\"` beside it would tell it",
        ),
        (
            format!("{table}currency = \"CNY\"\nbank_closing = \"1.234\"\n"),
            "edge left-right, balance: bank_closing \"1.234\" is no amount of CNY: 1.234 CNY is finer than the minor unit of CNY (2 decimals)",
        ),
        (
            format!("{table}{table}"),
            "edge left-right, balance: two tables are for the same currency",
        ),
        (
            format!("{table}{table}currency = \"CNY\"\nbank = \"left\"\n"),
            "edge left-right, balance: two tables name another side as the bank's",
        ),
    ] {
        assert_eq!(refused(&tables), want);
    }
}

/// A row of a small book: order, fen, whether in dollars, day, fee in fen.
type Plain = (u8, i64, bool, u8, i64);

fn plain() -> impl Strategy<Value = Vec<Plain>> {
    let row = (0u8..6, -60i64..60, any::<bool>(), 0u8..3, 0i64..4);
    proptest::collection::vec(row, 0..10)
}

fn entries(rows: &[Plain], at: u8) -> Rows {
    let of_day = rows.iter().filter(|row| row.3 == at);
    let entry = |&(order, minor, usd, at, fen): &Plain| {
        let currency = if usd { Currency::USD } else { Currency::CNY };
        let mut entry = pay(&format!("O{order}"), 0).on(day(&format!("2026-03-{:02}", 2 + at)));
        entry.amount = quanfu_settlement::EntryAmount::Money(Money::from_minor(minor, currency));
        if fen > 0 && !usd {
            entry = entry.with_fee(fee(&format!("0.0{fen}")));
        }
        if fen == 3 {
            entry = entry.with_status(EntryStatus::Pending);
        }
        entry
    };
    of_day.map(entry).collect()
}

fn booked(rows: &[Plain], until: u8, usd: bool) -> i64 {
    let own = rows
        .iter()
        .filter(|row| row.2 == usd && row.3 <= until && row.4 != 3);
    own.map(|row| row.1).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the rows, day after day: the adjusted balances are equal exactly if what is declared is consistent.
    #[test]
    fn adjusted_balances_are_equal_if_and_only_if_the_declared_ones_are_consistent(
        company in plain(),
        bank in plain(),
        opening in -500i64..500,
        carry in any::<bool>(),
        off in prop_oneof![Just(0i64), -3i64..4],
        explain in prop_oneof![Just(""), Just("explain = [\"fee\"]"), Just("left_amount = \"net\""), Just("decide = \"suggest\"")],
    ) {
        let text = |minor: i64| Money::from_minor(minor, Currency::CNY).amount_text();
        let mut previous: Option<ResultDoc> = None;
        for at in 0..3u8 {
            // Declared on the last day only; before, balances roll on.
            let closing = |rows: &[Plain], off: i64| text(opening + booked(rows, at, false) + off);
            let declared = match at {
                2 => format!("company_closing = \"{}\"\nbank_closing = \"{}\"", closing(&company, 0), closing(&bank, off)),
                _ => String::new(),
            };
            let figures = format!(
                "company_opening = \"{0}\"\nbank_opening = \"{0}\"\n{declared}\n[[edge.balance]]\ncurrency = \"USD\"\ncompany_opening = \"0\"\nbank_opening = \"0\"",
                text(opening)
            );
            let mut rules = by_order(explain, &asked(&figures));
            if !carry {
                rules.carry_business_days = None;
            }
            let as_of = format!("2026-03-{:02}", 2 + at);
            let (left, right) = (entries(&company, at), entries(&bank, at));
            let done = match &previous {
                None => run_on(&rules, left, right, &as_of, 1),
                Some(previous) => run_after(&rules, left, right, &as_of, previous),
            };
            let off = if at == 2 { off } else { 0 };
            let yuan = &done.balances()[0];
            prop_assert_eq!(yuan.difference.clone(), Some(text(off)), "day {}: {:?}", at, story(yuan));
            prop_assert_eq!(yuan.verdict == BalanceVerdict::Balanced, off == 0);
            prop_assert_eq!(yuan.company.closing.clone(), Some(closing(&company, 0)));
            let dollars = &done.balances()[1];
            prop_assert_eq!(dollars.verdict, BalanceVerdict::Balanced, "day {}: {:?}", at, story(dollars));
            prop_assert_eq!(done.has_open() || off == 0, true);
            previous = Some(done.document(None));
        }
    }
}
