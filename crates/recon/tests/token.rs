//! The pass by identity token against a slow twin that compares every row with every row.
#![allow(clippy::unwrap_used)] // in helpers of tests a panic is the failure

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use proptest::prelude::*;
use quanfu_money::{Currency, Money};
use quanfu_settlement::{Entry, EntryKind, Outcome, RefRole, Side};

const RULES: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n\
    [[edge.rule]]\nid = \"T\"\npass = \"exact_token\"\non = [\"merchant\"]\nwindow = { days = [0, 1] }\nmax_chance = \"1\"\n";

/// Amount, day, order number, merchant.
type Plain = (i64, u32, Option<u8>, u8);

fn entry(&(fen, on, order, merchant): &Plain) -> Entry<'static> {
    let mut entry = Entry::new(Money::from_minor(fen, Currency::CNY))
        .with_kind(EntryKind::Payment)
        .with_reference(RefRole::Merchant, format!("M{merchant}"))
        .on(day(&format!("2026-03-{on:02}")));
    if let Some(order) = order {
        entry.references.set(RefRole::Order, format!("O{order}"));
    }
    entry
}

/// Sides and indices of the rows of a group.
type Rows = BTreeSet<(bool, usize)>;

/// The groups that the token pass must make, with their outcome.
fn twin(left: &[Plain], right: &[Plain]) -> BTreeMap<Rows, Outcome> {
    let with = |rows: &[Plain], order: u8| rows.iter().filter(|row| row.2 == Some(order)).count();
    // A key that several rows have was decided by the pass before.
    let is_open = |row: &Plain| {
        row.2
            .is_none_or(|order| with(left, order) + with(right, order) == 1)
    };
    let fits = |l: &Plain, r: &Plain| {
        let days = i64::from(r.1) - i64::from(l.1);
        let contradict = l.2.is_some() && r.2.is_some() && l.2 != r.2;
        l.0 == r.0 && l.3 == r.3 && (0..=1).contains(&days) && !contradict
    };
    let mut groups: Vec<Rows> = Vec::new();
    for (i, l) in left.iter().enumerate().filter(|(_, row)| is_open(row)) {
        for (j, r) in right.iter().enumerate().filter(|(_, row)| is_open(row)) {
            if fits(l, r) {
                let mut joined = Rows::from([(false, i), (true, j)]);
                groups.retain(|group| {
                    let meets = !group.is_disjoint(&joined);
                    if meets {
                        joined.extend(group);
                    }
                    !meets
                });
                groups.push(joined);
            }
        }
    }
    let outcome = |group: &Rows| match group.len() {
        2 => Outcome::Confirmed,
        _ => Outcome::Ambiguous,
    };
    groups
        .into_iter()
        .map(|group| (group.clone(), outcome(&group)))
        .collect()
}

fn rows() -> impl Strategy<Value = Vec<Plain>> {
    let row = (1..=2i64, 2..=4u32, proptest::option::of(0..3u8), 0..2u8);
    proptest::collection::vec(row, 0..9)
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn classes_of_rows_give_what_comparing_all_rows_gives(left in rows(), right in rows()) {
        let entries = |rows: &[Plain]| rows.iter().map(entry).collect::<Vec<_>>();
        let done = run(&rules(RULES), entries(&left), entries(&right));
        let edge = &done.outcomes().edges[0];
        let found: BTreeMap<Rows, Outcome> = edge
            .groups
            .iter()
            .filter(|group| group.rule == Some(1))
            .map(|group| {
                let of = |side: Side, rows: &[u32]| {
                    rows.iter().map(|&row| (side == Side::Right, row as usize)).collect::<Vec<_>>()
                };
                let mut rows = of(Side::Left, edge.left_members(group));
                rows.extend(of(Side::Right, edge.right_members(group)));
                (rows.into_iter().collect(), group.outcome)
            })
            .collect();
        prop_assert_eq!(found, twin(&left, &right));
    }
}
