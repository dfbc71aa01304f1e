//! Faults that other reconcilers have, as far as they could be read in code: each is a case that must come out right.

use quanfu::calendar::Date;
use quanfu::money::Amount;
use quanfu::settlement::{BreakCode, EntryKind, Outcome, RefRole, Side};
use quanfu::{Currency, Day, Decimal, Entry, Money, Reconciled, ResultDoc, Rules};

fn rules(rule: &str) -> Rules {
    let text = format!(
        "schema = \"quanfu.rules/1\"\nname = \"peers\"\ncalendar = \"every-day\"\ncarry = {{ business_days = 1 }}\n\
         [source.psp]\nrole = \"institution\"\n[source.bank]\nrole = \"bank\"\n[[edge]]\nleft = \"psp\"\nright = \"bank\"\n\
         [[edge.rule]]\nid = \"R\"\n{rule}\n"
    );
    Rules::parse(&text).expect("rules of this test")
}

const BY_KEY: &str = "pass = \"unique_key\"\non = [\"institution\"]";
const BY_BATCH: &str = "pass = \"net_batch\"\non = [\"batch\", \"currency\"]\nexplain = [\"fee\"]";
const BY_TOKEN: &str = "pass = \"exact_token\"\non = [\"merchant\"]\nwindow = { days = [0, 1] }";

fn on(day: u32) -> Date {
    Date::from_ymd_opt(2026, 3, day).expect("a day of March")
}

fn row(role: RefRole, reference: &str, fen: i64) -> Entry<'static> {
    Entry::new(Money::from_minor(fen, Currency::CNY))
        .with_kind(EntryKind::Payment)
        .with_reference(role, reference.to_owned())
        .on(on(2))
}

fn keyed(reference: &str, fen: i64) -> Entry<'static> {
    row(RefRole::Institution, reference, fen)
}

fn run(rule: &str, psp: Vec<Entry<'static>>, bank: Vec<Entry<'static>>) -> Reconciled {
    let day = Day::new(rules(rule))
        .rows("psp", psp)
        .rows("bank", bank)
        .as_of(on(20));
    day.run().expect("rows of this test")
}

/// Outcome and code of each row.
fn came(done: &Reconciled, side: Side) -> Vec<(Outcome, Option<BreakCode>)> {
    let rows = done.outcomes().edges[0].side(side);
    rows.iter().map(|row| (row.outcome, row.code)).collect()
}

fn confirmed(done: &Reconciled) -> usize {
    let rows = came(done, Side::Left)
        .into_iter()
        .chain(came(done, Side::Right));
    rows.filter(|(outcome, _)| *outcome == Outcome::Confirmed)
        .count()
}

#[test]
fn two_rows_never_match_the_same_row() {
    let done = run(
        BY_KEY,
        vec![keyed("A", 100)],
        vec![keyed("A", 100), keyed("A", 100)],
    );
    assert_eq!(confirmed(&done), 0);
    assert!(
        came(&done, Side::Right)
            .iter()
            .all(|(outcome, _)| *outcome == Outcome::Ambiguous)
    );
}

#[test]
fn a_group_of_several_currencies_satisfies_no_currency() {
    let usd = Entry::new(Money::from_minor(50, Currency::USD))
        .with_kind(EntryKind::Payment)
        .with_reference(RefRole::Batch, "B")
        .on(on(2));
    let rule = "pass = \"net_batch\"\non = [\"batch\"]";
    let done = run(
        rule,
        vec![row(RefRole::Batch, "B", 50), usd],
        vec![row(RefRole::Batch, "B", 100)],
    );
    assert_eq!(confirmed(&done), 0);
}

#[test]
fn a_batch_of_any_size_is_summed_whole() {
    let psp: Vec<_> = (1..=12_345)
        .map(|fen| row(RefRole::Batch, "B", fen))
        .collect();
    let sum = (1..=12_345).sum();
    let done = run(BY_BATCH, psp, vec![row(RefRole::Batch, "B", sum)]);
    assert_eq!(confirmed(&done), 12_346);
}

#[test]
fn too_much_is_a_break_as_too_little_is() {
    for (bank, code) in [
        (99, BreakCode::AmountChannelLess),
        (101, BreakCode::AmountChannelMore),
    ] {
        let done = run(BY_KEY, vec![keyed("A", 100)], vec![keyed("A", bank)]);
        assert_eq!(
            came(&done, Side::Left),
            [(Outcome::Break, Some(code))],
            "{bank}"
        );
    }
}

#[test]
fn there_is_no_cap_on_candidates() {
    let side: Vec<_> = (0..20_000).map(|n| keyed(&format!("K{n}"), 100)).collect();
    assert_eq!(confirmed(&run(BY_KEY, side.clone(), side)), 40_000);
}

#[test]
fn one_to_many_is_confirmed_by_its_sum_and_refunds_count() {
    let parts = |last| {
        vec![
            row(RefRole::Batch, "B", 1_000),
            row(RefRole::Batch, "B", 500),
            row(RefRole::Batch, "B", last).with_kind(EntryKind::Refund),
        ]
    };
    assert_eq!(
        confirmed(&run(
            BY_BATCH,
            parts(-300),
            vec![row(RefRole::Batch, "B", 1_200)]
        )),
        4
    );
    let off = run(BY_BATCH, parts(-301), vec![row(RefRole::Batch, "B", 1_200)]);
    assert_eq!(confirmed(&off), 0);
    assert_eq!(
        came(&off, Side::Right)[0],
        (Outcome::Break, Some(BreakCode::BatchNetDiff))
    );
}

#[test]
fn a_batch_that_does_not_tie_is_not_filled_greedily() {
    // 700 + 500 would make 1,200 if 100 were left out: nobody may leave it out.
    let psp = [700, 500, 100]
        .map(|fen| row(RefRole::Batch, "B", fen))
        .to_vec();
    assert_eq!(
        confirmed(&run(BY_BATCH, psp, vec![row(RefRole::Batch, "B", 1_200)])),
        0
    );
}

#[test]
fn a_tolerance_is_a_bound_and_not_a_bucket() {
    let rule = "pass = \"unique_key\"\non = [\"institution\"]\ntolerance = [{ cause = \"rounding\", max_minor = 5 }]";
    for base in [0, 1, 4, 5, 9, 10, 99_997] {
        for (off, holds) in [
            (-6, false),
            (-5, true),
            (0, true),
            (1, true),
            (5, true),
            (6, false),
        ] {
            let base = base + 100;
            let done = run(rule, vec![keyed("A", base)], vec![keyed("A", base + off)]);
            assert_eq!(confirmed(&done) == 2, holds, "{base} {off}");
        }
    }
}

#[test]
fn equal_amounts_are_not_paired_by_their_order() {
    let psp = vec![
        row(RefRole::Merchant, "M", 100),
        row(RefRole::Merchant, "M", 100),
    ];
    let done = run(BY_TOKEN, psp.clone(), psp.clone());
    assert_eq!(confirmed(&done), 0);
    assert!(
        came(&done, Side::Left)
            .iter()
            .all(|(outcome, _)| *outcome == Outcome::Ambiguous)
    );
    // Days that lie apart do tell them apart.
    let bank = vec![
        row(RefRole::Merchant, "M", 100),
        row(RefRole::Merchant, "M", 100).on(on(9)),
    ];
    let psp = vec![
        row(RefRole::Merchant, "M", 100).on(on(9)),
        row(RefRole::Merchant, "M", 100),
    ];
    let done = run(BY_TOKEN, psp, bank);
    assert_eq!(confirmed(&done), 4);
    for group in &done.outcomes().edges[0].groups {
        let edge = &done.outcomes().edges[0];
        let (left, right) = (edge.left_members(group)[0], edge.right_members(group)[0]);
        let books = &done.outcomes().books;
        assert_eq!(books[0].value_date(left), books[1].value_date(right));
    }
}

#[test]
fn amount_and_date_alone_never_confirm() {
    let plain = |fen| {
        Entry::new(Money::from_minor(fen, Currency::CNY))
            .with_kind(EntryKind::Payment)
            .on(on(2))
    };
    assert_eq!(
        confirmed(&run(BY_TOKEN, vec![plain(100)], vec![plain(100)])),
        0
    );
}

#[test]
fn what_was_carried_and_then_differs_is_reported_once() {
    let day =
        |psp: Vec<Entry<'static>>, bank: Vec<Entry<'static>>, as_of, after: Option<&ResultDoc>| {
            let mut day = Day::new(rules(BY_KEY))
                .rows("psp", psp)
                .rows("bank", bank)
                .as_of(on(as_of));
            if let Some(previous) = after {
                day = day.after(previous);
            }
            day.run().expect("rows of this test").document(None)
        };
    let one = day(vec![keyed("A", 100)], vec![], 2, None);
    assert_eq!((one.carried.len(), one.breaks.len()), (1, 0));
    let two = day(vec![], vec![keyed("A", 90).on(on(3))], 3, Some(&one));
    assert_eq!((two.carried.len(), two.breaks.len()), (0, 1));
    for later in 4..9 {
        let after = day(
            vec![keyed("B", 1).on(on(later))],
            vec![keyed("B", 1).on(on(later))],
            later,
            Some(&two),
        );
        assert_eq!(
            (after.carried.len(), after.breaks.len()),
            (0, 0),
            "day {later}"
        );
    }
}

#[test]
fn fees_are_exact_and_never_floating() {
    // 0.1 + 0.2 of a fen, a thousand times, is 300 fen.
    let fee = |text: &str| Amount::exact(text.parse::<Decimal>().expect("a fee"), Currency::CNY);
    let psp: Vec<_> = (0..1_000)
        .flat_map(|_| {
            ["0.001", "0.002"].map(|text| row(RefRole::Batch, "B", 100).with_fee(fee(text)))
        })
        .collect();
    let rule = "pass = \"net_batch\"\non = [\"batch\", \"currency\"]\nexplain = [\"fee\"]\nrounding_per = \"batch\"";
    let done = run(rule, psp, vec![row(RefRole::Batch, "B", 200_000 - 300)]);
    assert_eq!(confirmed(&done), 2_001);
}
