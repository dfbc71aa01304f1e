//! Laws that hold for every book: small random ones, judged without the engine's own helpers.
#![allow(clippy::unwrap_used)] // in helpers of tests a panic is the failure

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use proptest::prelude::*;
use quanfu_money::{Currency, Money};
use quanfu_recon::Reconciled;
use quanfu_settlement::{DigestAlg, Entry, EntryAmount, EntryKind, Outcome, RefRole, Rules, Side};

const RULES: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\nexplain = [\"fee\"]\n\
    tolerance = [{ cause = \"rounding\", max_minor = 2 }]\n\
    [[edge.rule]]\nid = \"B\"\npass = \"net_batch\"\non = [\"batch\"]\nexplain = [\"fee\"]\n\
    tolerance = [{ cause = \"rounding\", max_minor = 1 }]\n\
    [[edge.rule]]\nid = \"T\"\npass = \"exact_token\"\non = [\"merchant\"]\nwindow = { days = [0, 1] }\n";

/// A row as plain numbers, so that an oracle needs nothing of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plain {
    order: Option<u8>,
    batch: Option<u8>,
    merchant: Option<u8>,
    minor: i64,
    usd: bool,
    day: u32,
    fee: i64,
    serial: u16,
}

impl Plain {
    fn entry(&self) -> Entry<'static> {
        let mut entry = pay("", 0).on(day(&format!("2026-03-{:02}", 2 + self.day)));
        entry.kind = EntryKind::Payment;
        let currency = if self.usd {
            Currency::USD
        } else {
            Currency::CNY
        };
        entry.amount = EntryAmount::Money(Money::from_minor(self.minor, currency));
        for (role, part) in [
            (RefRole::Order, self.order),
            (RefRole::Batch, self.batch),
            (RefRole::Merchant, self.merchant),
        ] {
            if let Some(part) = part {
                entry.references.set(role, format!("{}{part}", role.code()));
            }
        }
        entry
            .references
            .set(RefRole::Token, format!("{}", self.serial));
        if self.fee != 0 && !self.usd {
            entry.fee = Some(fee(&format!("0.0{}", self.fee)));
        }
        entry
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    (
        proptest::option::weighted(0.7, 0u8..6),
        proptest::option::weighted(0.4, 0u8..3),
        proptest::option::weighted(0.6, 0u8..3),
        prop_oneof![
            Just(100i64),
            Just(101),
            Just(99),
            Just(102),
            Just(-100),
            1i64..400
        ],
        proptest::bool::weighted(0.15),
        0u32..3,
        0i64..4,
        any::<u16>(),
    )
        .prop_map(
            |(order, batch, merchant, minor, usd, day, fee, serial)| Plain {
                order,
                batch,
                merchant,
                minor,
                usd,
                day,
                fee,
                serial,
            },
        )
}

fn side() -> impl Strategy<Value = Vec<Plain>> {
    proptest::collection::vec(plain(), 0..10)
}

fn entries(rows: &[Plain]) -> Vec<Entry<'static>> {
    rows.iter().map(Plain::entry).collect()
}

fn reconciled(left: &[Plain], right: &[Plain], threads: usize) -> Reconciled {
    run_on(
        &rules(RULES),
        entries(left),
        entries(right),
        "2026-03-06",
        threads,
    )
}

/// Every record's outcome, code and the records that it is grouped with, by name.
fn by_record(run: &Reconciled) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let edge = &run.outcomes().edges[0];
    let book = |side: Side| &run.outcomes().books[side as usize];
    let name = |side: Side, row: u32| format!("{} {}", book(side).source(), book(side).id(row));
    let mut all = BTreeMap::new();
    for side in [Side::Left, Side::Right] {
        for (row, state) in (0u32..).zip(edge.side(side)) {
            let mates = state.group.map(|group| {
                let group = &edge.groups[group as usize];
                let left = edge
                    .left_members(group)
                    .iter()
                    .map(|&row| name(Side::Left, row));
                let right = edge
                    .right_members(group)
                    .iter()
                    .map(|&row| name(Side::Right, row));
                left.chain(right).collect()
            });
            let code = state.code.map_or("", |code| code.code());
            all.insert(
                name(side, row),
                (
                    format!("{} {code}", state.outcome),
                    mates.unwrap_or_default(),
                ),
            );
        }
    }
    all
}

proptest! {
    #![proptest_config(cases(2_000))]

    /// 1, 2: each record has exactly one outcome, no record is in two groups, and the sums tie.
    #[test]
    fn every_record_ends_in_exactly_one_place(left in side(), right in side()) {
        let run = reconciled(&left, &right, 1);
        let edge = &run.outcomes().edges[0];
        prop_assert_eq!((edge.left.len(), edge.right.len()), (left.len(), right.len()));
        let mut members = 0;
        for (index, group) in (0u32..).zip(&edge.groups) {
            members += group.left + group.right;
            for &row in edge.left_members(group) {
                prop_assert_eq!(edge.left[row as usize].group, Some(index));
            }
            for &row in edge.right_members(group) {
                prop_assert_eq!(edge.right[row as usize].group, Some(index));
            }
        }
        let grouped = edge.left.iter().chain(&edge.right).filter(|row| row.group.is_some()).count();
        prop_assert_eq!(members as usize, grouped);
        let doc = run.document(None);
        for (source, rows) in [("left", &left), ("right", &right)] {
            let totals = doc.edges[0].outcomes.iter().filter(|total| total.source == source).flat_map(|total| &total.totals);
            let count: u64 = totals.map(|total| total.count).sum();
            prop_assert_eq!(count, rows.len() as u64);
        }
    }

    /// 3, 4, 5: right minus left is the sum of the causes; nothing crosses currencies; tolerances keep their bounds.
    #[test]
    fn every_unit_of_a_difference_has_a_cause(left in side(), right in side()) {
        let run = reconciled(&left, &right, 1);
        let edge = &run.outcomes().edges[0];
        for group in &edge.groups {
            let mine: Vec<&Plain> = edge.left_members(group).iter().map(|&row| &left[row as usize]).collect();
            let theirs: Vec<&Plain> = edge.right_members(group).iter().map(|&row| &right[row as usize]).collect();
            let mixed = mine.iter().chain(&theirs).any(|row| row.usd) && mine.iter().chain(&theirs).any(|row| !row.usd);
            prop_assert!(!(mixed && group.outcome == Outcome::Confirmed), "currencies are never mixed: {:?}", group);
            if mine.is_empty() || theirs.is_empty() || mixed {
                prop_assert!(group.difference.is_none());
                continue;
            }
            let difference = theirs.iter().map(|row| row.minor).sum::<i64>() - mine.iter().map(|row| row.minor).sum::<i64>();
            prop_assert_eq!(group.difference.map(|sum| sum.minor()), Some(i128::from(difference)));
            prop_assert_eq!(group.causes.iter().map(|cause| cause.minor).sum::<i64>(), difference);
            for cause in &group.causes {
                if cause.name == "rounding" {
                    prop_assert!(cause.minor.abs() <= 2);
                }
                prop_assert!(!(cause.name == "unexplained" && group.outcome == Outcome::Confirmed));
            }
        }
    }

    /// 6, 7: neither the order of rows nor the number of threads changes anything.
    #[test]
    fn order_and_threads_change_nothing(left in side(), right in side(), seed in any::<u64>()) {
        let one = reconciled(&left, &right, 1);
        let mut mixed = (left.clone(), right.clone());
        for (index, rows) in [&mut mixed.0, &mut mixed.1].into_iter().enumerate() {
            if !rows.is_empty() {
                let by = (seed >> (8 * index)) as usize % rows.len();
                rows.rotate_left(by);
                rows.reverse();
            }
        }
        let shuffled = reconciled(&mixed.0, &mixed.1, 2);
        prop_assert_eq!(one.table().digest(DigestAlg::Sha256, 2), shuffled.table().digest(DigestAlg::Sha256, 2));
        for threads in [2, 8] {
            prop_assert_eq!(one.document(None).to_json(), reconciled(&left, &right, threads).document(None).to_json());
        }
    }

    /// 8: with the sides swapped the same records stand together.
    #[test]
    fn swapped_sides_give_the_mirrored_result(left in side(), right in side()) {
        let straight = by_record(&reconciled(&left, &right, 1));
        let text = rules(RULES).text.replace("left = \"left\"\nright = \"right\"", "left = \"right\"\nright = \"left\"")
            .replace("days = [0, 1]", "days = [-1, 0]");
        let swapped = Rules::parse(&text).unwrap();
        prop_assert_eq!(&swapped.sources[0].name, "right");
        let mirrored = by_record(&run_on(&swapped, entries(&right), entries(&left), "2026-03-06", 1));
        prop_assert_eq!(straight, mirrored);
    }

    /// 12, 15: what has a unique key and agrees is confirmed, what shares its key is not; judged by counting.
    #[test]
    fn unique_keys_are_confirmed_and_others_never(left in side(), right in side()) {
        let run = reconciled(&left, &right, 1);
        let edge = &run.outcomes().edges[0];
        let having = |rows: &[Plain], order: u8| rows.iter().filter(|row| row.order == Some(order)).count();
        for (row, plain) in left.iter().enumerate() {
            let Some(order) = plain.order else { continue };
            let counts = (having(&left, order), having(&right, order));
            let by_key = edge.left[row].rule == Some(0);
            if counts == (1, 1) {
                prop_assert!(by_key);
                let other = right.iter().find(|row| row.order == Some(order)).unwrap();
                let gap = other.minor - plain.minor;
                let fees = [0, if plain.usd { 0 } else { -plain.fee }, if other.usd { 0 } else { other.fee }];
                let agrees = plain.usd == other.usd && fees.iter().any(|fee| (gap - fee).abs() <= if *fee == gap { 0 } else { 2 });
                prop_assert_eq!(edge.left[row].outcome == Outcome::Confirmed, agrees, "{:?} {:?}", plain, other);
            } else if counts.0 > 1 || counts.1 > 1 {
                prop_assert_eq!(edge.left[row].outcome, Outcome::Ambiguous);
            } else {
                prop_assert!(!by_key);
            }
        }
    }

    /// 19: a record with a fresh key and a fresh amount changes no other outcome.
    #[test]
    fn a_fresh_record_changes_no_other(left in side(), right in side()) {
        let before = by_record(&reconciled(&left, &right, 1));
        let mut more = left.clone();
        more.push(Plain { order: Some(200), batch: None, merchant: None, minor: 77_777, usd: false, day: 0, fee: 0, serial: 1 });
        let after = by_record(&reconciled(&more, &right, 1));
        prop_assert_eq!(after.len(), before.len() + 1);
        for (record, outcome) in &before {
            prop_assert_eq!(after.get(record), Some(outcome));
        }
    }

    /// 10: days run one after the other with carry confirm the same pairs as all days at once.
    #[test]
    fn days_one_by_one_give_what_all_at_once_gives(orders in proptest::collection::vec((0u32..3, 0u32..3, 1i64..500), 1..12)) {
        let key_only = rules("[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n");
        let row = |index: usize, at: u32, minor: i64| pay(&format!("O{index}"), minor).on(day(&format!("2026-03-{:02}", 2 + at)));
        let all = |pick: &dyn Fn(&(u32, u32, i64)) -> u32, on: Option<u32>| -> Vec<Entry<'static>> {
            let rows = orders.iter().enumerate().filter(|(_, order)| on.is_none_or(|on| pick(order) == on));
            rows.map(|(index, order)| row(index, pick(order), order.2)).collect()
        };
        let whole = run_on(&key_only, all(&|o| o.0, None), all(&|o| o.1, None), "2026-03-04", 1);
        let mut confirmed = 0;
        let mut previous: Option<quanfu_settlement::ResultDoc> = None;
        for at in 0..3 {
            let as_of = format!("2026-03-{:02}", 2 + at);
            let (left, right) = (all(&|o| o.0, Some(at)), all(&|o| o.1, Some(at)));
            let run = match &previous {
                None => run_on(&key_only, left, right, &as_of, 1),
                Some(previous) => run_after(&key_only, left, right, &as_of, previous),
            };
            confirmed += count(&run, Outcome::Confirmed);
            previous = Some(run.document(None));
        }
        prop_assert_eq!(confirmed, count(&whole, Outcome::Confirmed));
        prop_assert_eq!(confirmed, 2 * orders.len());
        prop_assert!(previous.unwrap().carried.is_empty());
    }

    /// 10: captures that come over the days, some never: in the end all is as if it had come at once.
    #[test]
    fn parts_that_come_over_days_give_what_all_at_once_gives(
        orders in proptest::collection::vec((0u32..2, proptest::collection::vec((0u32..12, 1i64..40), 1..5), 0i64..3), 1..6),
        wait in 0u32..4,
    ) {
        let text = format!(
            "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\ncarry = {{ business_days = {wait} }}\n\
             [source.left]\nrole = \"order\"\n[source.right]\nrole = \"institution\"\n[[edge]]\nleft = \"left\"\nright = \"right\"\n\
             [[edge.rule]]\nid = \"P\"\npass = \"key_group\"\non = [\"order\"]\npartial = \"right\"\n"
        );
        let by_parts = Rules::parse(&text).unwrap();
        let on = |at: u32| day(&format!("2026-03-{:02}", 2 + at));
        let rows = |of: Option<u32>| {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for (index, (at, parts, lack)) in orders.iter().enumerate() {
                let name = format!("O{index}");
                let here = |at: u32| of.is_none_or(|of| of == at);
                if here(*at) {
                    left.push(pay(&name, parts.iter().map(|part| part.1).sum::<i64>() + lack).on(on(*at)));
                }
                right.extend(parts.iter().filter(|part| here(part.0)).map(|part| pay(&name, part.1).on(on(part.0))));
            }
            (left, right)
        };
        let (left, right) = rows(None);
        let whole = run_on(&by_parts, left, right, "2026-03-13", 1);
        let mut previous: Option<quanfu_settlement::ResultDoc> = None;
        let mut confirmed = 0;
        for at in 0..12 {
            let (left, right) = rows(Some(at));
            let as_of = format!("2026-03-{:02}", 2 + at);
            let run = match &previous {
                None => run_on(&by_parts, left, right, &as_of, 1),
                Some(previous) => run_after(&by_parts, left, right, &as_of, previous),
            };
            confirmed += count(&run, Outcome::Confirmed);
            previous = Some(run.document(None));
        }
        let (last, whole_doc) = (previous.unwrap(), whole.document(None));
        prop_assert_eq!(confirmed, count(&whole, Outcome::Confirmed));
        let open = |doc: &quanfu_settlement::ResultDoc| -> Vec<_> {
            let all = doc.breaks.iter().chain(&doc.carried);
            let told = |position: &quanfu_settlement::result::OpenPosition| {
                (position.outcome, position.code, position.difference.clone(), position.members.len())
            };
            let mut all: Vec<_> = all.map(told).collect();
            all.sort();
            all
        };
        prop_assert_eq!(open(&last), open(&whole_doc));
    }
}

#[test]
fn two_workers_each_take_rows_and_the_bytes_are_the_same() {
    let key_only = rules(BY_ORDER);
    let rows = || {
        (0..20_000)
            .map(|index| pay(&format!("O{index}"), index + 1))
            .collect::<Vec<_>>()
    };
    let runs: Vec<_> = [1, 2, 8]
        .map(|threads| run_on(&key_only, rows(), rows(), "2026-03-02", threads))
        .into();
    let busy = |run: &Reconciled| {
        run.stats()
            .rows_by_worker
            .iter()
            .filter(|&&rows| rows > 0)
            .count()
    };
    assert!(
        busy(&runs[1]) == 2,
        "both workers took rows: {:?}",
        runs[1].stats()
    );
    let bytes = |run: &Reconciled| {
        let mut table = String::new();
        run.table().for_each_line(|line| table.push_str(line));
        (table, run.document(None).to_json())
    };
    assert!(bytes(&runs[0]) == bytes(&runs[1]) && bytes(&runs[0]) == bytes(&runs[2]));
}
