//! Small days made by hand.
#![allow(dead_code)]

use std::sync::LazyLock;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_money::{Amount, Currency, Decimal, Money};
use quanfu_recon::{Reconciled, Request, reconcile};
use quanfu_settlement::{
    Book, BookBuilder, Entry, EntryKind, Limits, Outcome, RefRole, ResultDoc, Rules, Side,
};

/// Read once: reading it takes longer than reconciling a small book.
static CHINA: LazyLock<BusinessCalendar> = LazyLock::new(BusinessCalendar::china);

/// Settings of a property that takes so many cases in an ordinary run. `PROPTEST_CASES` asks for another number, of which
/// a costly property takes its share: all of them if it takes 10,000 ordinarily, a tenth if it takes 1,000.
pub fn cases(ordinarily: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked: u64 = asked.map_or(10_000, |text| {
        text.parse().expect("PROPTEST_CASES is a number")
    });
    proptest::test_runner::Config {
        cases: (asked * u64::from(ordinarily) / 10_000).max(1) as u32,
        failure_persistence: None,
        ..Default::default()
    }
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A payment of so many fen with an order number, on 2 March 2026.
pub fn pay(order: &str, fen: i64) -> Entry<'static> {
    Entry::new(Money::from_minor(fen, Currency::CNY))
        .with_kind(EntryKind::Payment)
        .with_reference(RefRole::Order, order.to_owned())
        .on(day("2026-03-02"))
}

pub fn fee(text: &str) -> Amount {
    Amount::exact(text.parse::<Decimal>().unwrap(), Currency::CNY)
}

/// Rules for two sources: `head` between the sources' tables and the edge, `rule` inside the first rule.
pub fn rules(edge: &str) -> Rules {
    let text = format!(
        "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\ncarry = {{ business_days = 3 }}\n\
         [source.left]\nrole = \"institution\"\n[source.right]\nrole = \"bank\"\n\
         [[edge]]\nleft = \"left\"\nright = \"right\"\n{edge}"
    );
    Rules::parse(&text).unwrap()
}

pub const BY_ORDER: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n";

pub fn book(rules: &Rules, source: usize, rows: Vec<Entry<'static>>) -> Book {
    Book::from_rows(&rules.sources[source], rows, &Limits::default()).unwrap()
}

/// Reconciles two lists of rows, as of 20 March 2026 (everything open is overdue).
pub fn run(rules: &Rules, left: Vec<Entry<'static>>, right: Vec<Entry<'static>>) -> Reconciled {
    run_on(rules, left, right, "2026-03-20", 2)
}

pub fn run_on(
    rules: &Rules,
    left: Vec<Entry<'static>>,
    right: Vec<Entry<'static>>,
    as_of: &str,
    threads: usize,
) -> Reconciled {
    let books = vec![book(rules, 0, left), book(rules, 1, right)];
    reconcile(
        Request::new(rules, books, &CHINA)
            .with_as_of(day(as_of))
            .with_threads(threads),
    )
    .unwrap()
}

/// Following an earlier result, whose carried items come first.
pub fn run_after(
    rules: &Rules,
    left: Vec<Entry<'static>>,
    right: Vec<Entry<'static>>,
    as_of: &str,
    previous: &ResultDoc,
) -> Reconciled {
    let books = [left, right].into_iter().enumerate().map(|(index, rows)| {
        let source = &rules.sources[index];
        let mut builder = BookBuilder::new(source.clone(), Limits::default());
        for item in quanfu_recon::carried_items(previous, &source.name) {
            builder.push_carried(item).unwrap();
        }
        builder.begin_rows();
        for row in rows {
            builder.push_row(row).unwrap();
        }
        builder.finish()
    });
    reconcile(
        Request::new(rules, books.collect(), &CHINA)
            .with_as_of(day(as_of))
            .with_previous(previous),
    )
    .unwrap()
}

/// Outcome, code and causes of every row: `L0 confirmed fee:-1.00`.
pub fn story(run: &Reconciled) -> Vec<String> {
    let edge = &run.outcomes().edges[0];
    let mut lines = Vec::new();
    for (side, letter) in [(Side::Left, 'L'), (Side::Right, 'R')] {
        for (row, state) in edge.side(side).iter().enumerate() {
            let mut line = format!("{letter}{row} {}", state.outcome);
            if let Some(code) = state.code {
                line.push_str(&format!(" {code}"));
            }
            if let Some(group) = state.group {
                for cause in &edge.groups[group as usize].causes {
                    line.push_str(&format!(" {cause}"));
                }
            }
            lines.push(line);
        }
    }
    lines
}

pub fn count(run: &Reconciled, outcome: Outcome) -> usize {
    let edge = &run.outcomes().edges[0];
    edge.left
        .iter()
        .chain(&edge.right)
        .filter(|row| row.outcome == outcome)
        .count()
}
