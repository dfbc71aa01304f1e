//! Who has which payments, in days made by hand.
#![allow(clippy::unwrap_used)] // in helpers of tests a panic is the failure

mod common;

use common::*;
use quanfu_calendar::BusinessCalendar;
use quanfu_recon::{Reconciled, Request, reconcile};
use quanfu_settlement::{Entry, EntryKind, EntryStatus, RefRole, Rules};

type Rows = Vec<Entry<'static>>;

/// Orders, bill and bank: orders by number, settlement in batches.
const CHAIN: &str = r#"
schema = "quanfu.rules/1"
name = "chain"
calendar = "CN"
carry = { business_days = 3 }
[source.order]
role = "order"
[source.psp]
role = "institution"
[source.bank]
role = "bank"
[[edge]]
left = "order"
right = "psp"
left_where = { status = ["booked"] }
[[edge.rule]]
id = "K"
pass = "unique_key"
on = ["order"]
[[edge]]
left = "psp"
right = "bank"
[[edge.rule]]
id = "B"
pass = "net_batch"
on = ["batch"]
"#;

fn batch(order: &str, number: &str, fen: i64) -> Entry<'static> {
    pay(order, fen).with_reference(RefRole::Batch, number.to_owned())
}

fn line(number: &str, fen: i64) -> Entry<'static> {
    let mut line = pay("", fen);
    line.references = quanfu_settlement::References::default();
    line.with_reference(RefRole::Batch, number.to_owned())
        .with_kind(EntryKind::Other)
}

fn reconciled(rules: &Rules, sources: Vec<Rows>, as_of: &str) -> Reconciled {
    let books = sources.into_iter().enumerate();
    let books = books
        .map(|(index, rows)| book(rules, index, rows))
        .collect();
    let calendar = BusinessCalendar::china();
    reconcile(Request::new(rules, books, &calendar).with_as_of(day(as_of))).unwrap()
}

/// `NO_BANK order 3 (1 waiting, 2 overdue) 5.00`.
fn told(run: &Reconciled) -> Vec<String> {
    let doc = run.document(None);
    let lines = doc.presence.iter().map(|line| {
        let mut text = format!("{} {} {}", line.state, line.source, line.rows);
        for (count, word) in [
            (line.waiting, "waiting"),
            (line.undecided, "undecided"),
            (line.left_out, "left out"),
            (line.overdue(), "overdue"),
        ] {
            if count > 0 {
                text.push_str(&format!(" {count} {word}"));
            }
        }
        for total in &line.totals {
            text.push_str(&format!(" {} {}", total.sum, total.currency));
        }
        text
    });
    lines.collect()
}

struct Case {
    says: &'static str,
    as_of: &'static str,
    sources: [Rows; 3],
    want: &'static [&'static str],
}

const SOON: &str = "2026-03-02";
const LATE: &str = "2026-03-20";

#[test]
fn every_row_of_a_chain_is_told_by_who_has_its_payment() {
    let rules = Rules::parse(CHAIN).unwrap();
    let cases = vec![
        Case {
            says: "all three have it",
            as_of: LATE,
            sources: [
                vec![pay("A", 100)],
                vec![batch("A", "1", 100)],
                vec![line("1", 100)],
            ],
            want: &[
                "ALL order 1 1.00 CNY",
                "ALL psp 1 1.00 CNY",
                "ALL bank 1 1.00 CNY",
            ],
        },
        Case {
            says: "a payment without an order is told so, though it was settled in one sum with one that has its order",
            as_of: LATE,
            sources: [
                vec![pay("A", 100)],
                vec![batch("A", "1", 100), batch("B", "1", 50)],
                vec![line("1", 150)],
            ],
            want: &[
                "ALL order 1 1.00 CNY",
                "ALL psp 1 1.00 CNY",
                "ALL bank 1 1.50 CNY",
                "NO_ORDER psp 1 1 overdue 0.50 CNY",
            ],
        },
        Case {
            says: "what is merely carried waits, and so does what lies beyond it",
            as_of: SOON,
            sources: [
                vec![pay("A", 100), pay("B", 70)],
                vec![batch("A", "1", 100)],
                vec![line("9", 5)],
            ],
            want: &[
                "NO_BANK order 1 1 waiting 1.00 CNY",
                "NO_BANK psp 1 1 waiting 1.00 CNY",
                "ORDER_ALONE order 1 1 waiting 0.70 CNY",
                "BANK_ALONE bank 1 1 waiting 0.05 CNY",
            ],
        },
        Case {
            says: "the same later is overdue",
            as_of: LATE,
            sources: [
                vec![pay("A", 100), pay("B", 70)],
                vec![batch("A", "1", 100)],
                vec![line("9", 5)],
            ],
            want: &[
                "NO_BANK order 1 1 overdue 1.00 CNY",
                "NO_BANK psp 1 1 overdue 1.00 CNY",
                "ORDER_ALONE order 1 1 overdue 0.70 CNY",
                "BANK_ALONE bank 1 1 overdue 0.05 CNY",
            ],
        },
        Case {
            says: "the institution alone, and a bank line whose batch has no order at all",
            as_of: LATE,
            sources: [
                vec![],
                vec![batch("A", "1", 100), batch("B", "2", 50)],
                vec![line("2", 50)],
            ],
            want: &[
                "NO_ORDER psp 1 1 overdue 0.50 CNY",
                "NO_ORDER bank 1 1 overdue 0.50 CNY",
                "INSTITUTION_ALONE psp 1 1 overdue 1.00 CNY",
            ],
        },
        Case {
            says: "amounts that differ are still the same payment",
            as_of: LATE,
            sources: [
                vec![pay("A", 100)],
                vec![batch("A", "1", 90)],
                vec![line("1", 80)],
            ],
            want: &[
                "ALL order 1 1.00 CNY",
                "ALL psp 1 0.90 CNY",
                "ALL bank 1 0.80 CNY",
            ],
        },
        Case {
            says: "an ambiguous key joins nothing and is not called missing",
            as_of: LATE,
            sources: [
                vec![pay("A", 100)],
                vec![batch("A", "1", 100), batch("A", "1", 30)],
                vec![line("1", 130)],
            ],
            want: &[
                "NO_ORDER psp 2 2 undecided 1.30 CNY",
                "NO_ORDER bank 1 1 undecided 1.30 CNY",
                "ORDER_ALONE order 1 1 undecided 1.00 CNY",
            ],
        },
        Case {
            says: "what is ambiguous one way and carried the other way needs a decision first",
            as_of: SOON,
            sources: [
                vec![pay("A", 100)],
                vec![batch("A", "1", 100), batch("A", "1", 30)],
                vec![],
            ],
            want: &[
                "ORDER_ALONE order 1 1 undecided 1.00 CNY",
                "INSTITUTION_ALONE psp 2 2 undecided 1.30 CNY",
            ],
        },
        Case {
            says: "rows that the rules leave out of every edge have no presence; those left out of one edge are asked no more there",
            as_of: LATE,
            sources: [
                vec![pay("A", 100).with_status(EntryStatus::Failed)],
                vec![batch("A", "1", 100)],
                vec![line("1", 100)],
            ],
            want: &[
                "NO_ORDER psp 1 1 overdue 1.00 CNY",
                "NO_ORDER bank 1 1 overdue 1.00 CNY",
            ],
        },
    ];
    for case in cases {
        let run = reconciled(&rules, case.sources.to_vec(), case.as_of);
        assert_eq!(told(&run), case.want, "{}", case.says);
    }
}

#[test]
fn every_open_member_says_who_has_it() {
    let rules = Rules::parse(CHAIN).unwrap();
    let sources = vec![
        vec![pay("A", 100)],
        vec![batch("A", "1", 90), batch("B", "2", 50)],
        vec![],
    ];
    let doc = reconciled(&rules, sources, LATE).document(None);
    let mut found: Vec<String> = doc
        .breaks
        .iter()
        .flat_map(|position| &position.members)
        .map(|member| format!("{} {}", member.item.amount, member.presence.unwrap()))
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(
        found,
        ["0.50 INSTITUTION_ALONE", "0.90 NO_BANK", "1.00 NO_BANK"]
    );
}

/// Rules of sources by name and role, and edges by unique key.
fn graph(sources: &[(&str, &str)], edges: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "schema = \"quanfu.rules/1\"\nname = \"g\"\ncalendar = \"CN\"\ncarry = { business_days = 3 }\n",
    );
    for (name, role) in sources {
        text.push_str(&format!("[source.{name}]\nrole = \"{role}\"\n"));
    }
    for (left, right) in edges {
        text.push_str(&format!(
            "[[edge]]\nleft = \"{left}\"\nright = \"{right}\"\n[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n"
        ));
    }
    text
}

#[test]
fn sources_count_by_role_and_two_sources_know_fewer_states() {
    // An order and two institutions: one is enough.
    let text = graph(
        &[
            ("shop", "order"),
            ("ali", "institution"),
            ("wx", "institution"),
        ],
        &[("shop", "ali"), ("shop", "wx")],
    );
    let rules = Rules::parse(&text).unwrap();
    let sources = vec![
        vec![pay("A", 100), pay("B", 70)],
        vec![pay("A", 100)],
        vec![pay("C", 9)],
    ];
    assert_eq!(
        told(&reconciled(&rules, sources, LATE)),
        [
            "ALL shop 1 1.00 CNY",
            "ALL ali 1 1.00 CNY",
            "ORDER_ALONE shop 1 1 overdue 0.70 CNY",
            "INSTITUTION_ALONE wx 1 1 overdue 0.09 CNY",
        ]
    );
    // Two sources of one role: nothing to tell.
    let rules = Rules::parse(&graph(&[("a", "bank"), ("b", "bank")], &[("a", "b")])).unwrap();
    let doc = reconciled(&rules, vec![vec![pay("A", 100)], vec![]], LATE).document(None);
    assert!(doc.presence.is_empty() && doc.breaks[0].members[0].presence.is_none());
}

#[test]
fn a_circle_of_edges_shows_who_skips_the_institution() {
    let text = graph(
        &[("shop", "order"), ("psp", "institution"), ("bank", "bank")],
        &[("shop", "psp"), ("psp", "bank"), ("shop", "bank")],
    );
    let rules = Rules::parse(&text).unwrap();
    let sources = vec![
        vec![pay("A", 100), pay("B", 70)],
        vec![pay("A", 100)],
        vec![pay("A", 100), pay("B", 70)],
    ];
    assert_eq!(
        told(&reconciled(&rules, sources, LATE)),
        [
            "ALL shop 1 1.00 CNY",
            "ALL psp 1 1.00 CNY",
            "ALL bank 1 1.00 CNY",
            "NO_INSTITUTION shop 1 1 overdue 0.70 CNY",
            "NO_INSTITUTION bank 1 1 overdue 0.70 CNY",
        ]
    );
}

#[test]
fn up_to_eight_sources_hang_together_by_edges() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let line = |count: usize| {
        let sources: Vec<_> = names[..count]
            .iter()
            .enumerate()
            .map(|(at, name)| (*name, ["order", "institution", "bank"][at * 3 / count]))
            .collect();
        let edges: Vec<_> = names[..count]
            .windows(2)
            .map(|two| (two[0], two[1]))
            .collect();
        graph(&sources, &edges)
    };
    let rules = Rules::parse(&line(8)).unwrap();
    let rows = vec![vec![pay("A", 100)]; 8];
    let run = reconciled(&rules, rows, LATE);
    assert_eq!(told(&run).len(), 8);
    assert!(told(&run).iter().all(|line| line.starts_with("ALL ")));
    let error = Rules::parse(&line(9)).unwrap_err().to_string();
    assert_eq!(
        error,
        "edge: 9 sources are compared; two to eight would be right"
    );
    let roles = [("a", "order"), ("b", "bank"), ("c", "order"), ("d", "bank")];
    let apart = Rules::parse(&graph(&roles, &[("a", "b"), ("c", "d")])).unwrap_err();
    assert_eq!(
        apart.to_string(),
        "edge: no edges lead from source \"a\" to source \"c\"; the edges must join all sources into one graph"
    );
}

#[test]
fn a_payment_that_comes_in_on_the_next_day_brings_along_who_had_it() {
    let rules = Rules::parse(CHAIN).unwrap();
    let first = reconciled(
        &rules,
        vec![vec![pay("A", 100)], vec![batch("A", "1", 100)], vec![]],
        SOON,
    );
    let previous = first.document(None);
    let mut books = Vec::new();
    for (index, rows) in [vec![], vec![], vec![line("1", 100)]]
        .into_iter()
        .enumerate()
    {
        let source = &rules.sources[index];
        let mut builder = quanfu_settlement::BookBuilder::new(source.clone(), Default::default());
        for item in quanfu_recon::carried_items(&previous, &source.name) {
            builder.push_carried(item).unwrap();
        }
        builder.begin_rows();
        for row in rows {
            builder.push_row(row).unwrap();
        }
        books.push(builder.finish());
    }
    let calendar = BusinessCalendar::china();
    let request = Request::new(&rules, books, &calendar)
        .with_as_of(day("2026-03-03"))
        .with_previous(&previous);
    assert_eq!(
        told(&reconcile(request).unwrap()),
        ["ALL psp 1 1.00 CNY", "ALL bank 1 1.00 CNY"]
    );
}
