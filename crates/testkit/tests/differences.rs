//! What changed between two results: days by hand, and laws over many pairs of small days.

use std::collections::BTreeMap;

use quanfu::calendar::Date;
use quanfu::money::{Currency, Money};
use quanfu::report::difference::{
    Difference, Given, GroupClass, InputClass, Kinship, PositionClass, csv, difference, json,
};
use quanfu::sample::{SampleDay, Shares, day, next_day};
use quanfu::settlement::{Digest, DigestAlg, EntryKind, RefRole};
use quanfu::{Day, Entry, Reconciled, ResultDoc, Rules};
use serde_json::Value;

/// A result with its table.
struct Written {
    doc: ResultDoc,
    table: String,
}

impl Written {
    fn of(done: &Reconciled) -> Self {
        let mut table = String::from("\u{feff}");
        done.write_table(|block| table.push_str(block));
        let digest = Digest::of(DigestAlg::Sha256, table.as_bytes());
        Self {
            doc: done.document(Some(digest)),
            table,
        }
    }

    fn given(&self) -> Given<'_> {
        Given {
            doc: &self.doc,
            table: Some(&self.table),
        }
    }

    fn bare(&self) -> Given<'_> {
        Given {
            doc: &self.doc,
            table: None,
        }
    }
}

fn between(old: &Written, new: &Written) -> Difference {
    difference(old.given(), new.given()).expect("two results with their tables")
}

const HEAD: &str = "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\ncarry = { business_days = 3 }\n\
    [source.left]\nrole = \"institution\"\n[source.right]\nrole = \"bank\"\n[[edge]]\nleft = \"left\"\nright = \"right\"\n";
const BY_ORDER: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n";
const ROUNDING: &str = "tolerance = [{ cause = \"rounding\", max_minor = 1 }]\n";
const BY_BATCH: &str = "[[edge.rule]]\nid = \"B\"\npass = \"net_batch\"\non = [\"batch\"]\nwindow = { days = [0, 3] }\n";

fn pay(order: &str, fen: i64, on: &str) -> Entry<'static> {
    Entry::new(Money::from_minor(fen, Currency::CNY))
        .with_kind(EntryKind::Payment)
        .with_reference(RefRole::Order, order.to_owned())
        .on(on.parse::<Date>().expect("a day"))
}

type Rows = Vec<Entry<'static>>;

fn run(rules: &str, left: Rows, right: Rows, as_of: &str, after: Option<&Written>) -> Written {
    let rules = Rules::parse(&format!("{HEAD}{rules}")).expect("rules");
    let mut day = Day::new(rules)
        .rows("left", left)
        .rows("right", right)
        .as_of(as_of.parse().expect("a day"));
    if let Some(after) = after {
        day = day.after(&after.doc);
    }
    Written::of(&day.run().expect("a day"))
}

/// What changed on the only edge, a line each.
fn story(difference: &Difference) -> Vec<String> {
    let edge = &difference.edges[0];
    let mut lines = Vec::new();
    for sum in &edge.group_sums {
        lines.push(format!(
            "{:?} {} {} {}",
            sum.class, sum.groups, sum.rows.source, sum.rows.rows.sum
        ));
    }
    for sum in &edge.moved_sums {
        lines.push(format!(
            "{} {} -> {} {} {} {} {}",
            sum.outcome.old,
            sum.code.old,
            sum.outcome.new,
            sum.code.new,
            sum.rows.source,
            sum.rows.rows.count,
            sum.rows.rows.sum
        ));
    }
    for sum in &edge.position_sums {
        lines.push(format!(
            "{:?} {} {} | {}",
            sum.class, sum.positions, sum.at_stake.old, sum.at_stake.new
        ));
    }
    lines
}

#[test]
fn small_pairs_of_results_have_the_differences_that_a_person_would_name() {
    let monday = "2026-03-02";
    let a = || pay("A", 100, monday);
    let b = || pay("B", 250, monday);
    // name, rules and rows before, rules and rows now, what changed
    type Case = (
        &'static str,
        (&'static str, Rows, Rows),
        (String, Rows, Rows),
        &'static [&'static str],
    );
    let by_order = || BY_ORDER.to_owned();
    let cases: Vec<Case> = vec![
        (
            "the same",
            (BY_ORDER, vec![a()], vec![a()]),
            (by_order(), vec![a()], vec![a()]),
            &[],
        ),
        (
            "the other side came",
            (BY_ORDER, vec![a(), b()], vec![a()]),
            (by_order(), vec![a(), b()], vec![a(), b()]),
            &[
                "New 1 left 2.50",
                "New 1 right 2.50",
                "carried CUTOFF -> confirmed  left 1 2.50",
                "Closed 1 2.50 | 0.00",
            ],
        ),
        (
            "a confirmed group is lost, as the bank's row is gone",
            (BY_ORDER, vec![a()], vec![a()]),
            (by_order(), vec![a()], vec![]),
            &[
                "Lost 1 left 1.00",
                "Lost 1 right 1.00",
                "confirmed  -> carried CUTOFF left 1 1.00",
                "Opened 1 0.00 | 1.00",
            ],
        ),
        (
            "two payments that one run has and the other has not at all",
            (BY_ORDER, vec![a(), b()], vec![a()]),
            (by_order(), vec![a()], vec![a()]),
            &["Gone 1 2.50 | 0.00"],
        ),
        (
            "another rule finds the same group: no row moved, the grounds are others",
            (BY_ORDER, vec![a()], vec![a()]),
            (BY_ORDER.replace("\"K\"", "\"K2\""), vec![a()], vec![a()]),
            &["Explained 1 left 1.00", "Explained 1 right 1.00"],
        ),
        (
            "a tolerance confirms what was a break",
            (BY_ORDER, vec![a()], vec![pay("A", 101, monday)]),
            (
                format!("{BY_ORDER}{ROUNDING}"),
                vec![a()],
                vec![pay("A", 101, monday)],
            ),
            &[
                "New 1 left 1.00",
                "New 1 right 1.01",
                "break AMOUNT_CHANNEL_LESS -> confirmed  left 1 1.00",
                "break AMOUNT_CHANNEL_LESS -> confirmed  right 1 1.01",
                "Closed 1 0.01 | 0.00",
            ],
        ),
    ];
    for (name, (old_rules, old_left, old_right), (new_rules, new_left, new_right), want) in cases {
        let old = run(old_rules, old_left, old_right, monday, None);
        let new = run(&new_rules, new_left, new_right, monday, None);
        let found = between(&old, &new);
        let mut lines = story(&found);
        // "more" or "less" is the engine's word, which is not what is told here
        lines
            .iter_mut()
            .for_each(|line| *line = line.replace("CHANNEL_MORE", "CHANNEL_LESS"));
        assert_eq!(lines, want, "{name}");
        assert_eq!(found.is_empty(), want.is_empty(), "{name}");
        let rules = found
            .basis
            .iter()
            .find(|basis| basis.what == "rules")
            .expect("rules");
        assert_eq!(rules.same, old_rules == new_rules, "{name}");
    }
}

#[test]
fn days_in_a_chain_tell_what_closed_what_aged_and_what_is_only_of_another_day() {
    let left = vec![
        pay("A", 100, "2026-03-02"),
        pay("B", 200, "2026-03-02"),
        pay("C", 400, "2026-03-02"),
    ];
    let one = run(
        BY_ORDER,
        left,
        vec![pay("A", 100, "2026-03-02")],
        "2026-03-02",
        None,
    );
    let right = vec![pay("B", 200, "2026-03-03"), pay("D", 800, "2026-03-03")];
    let left = vec![pay("D", 800, "2026-03-03")];
    let two = run(BY_ORDER, left, right, "2026-03-03", Some(&one));
    let found = between(&one, &two);
    assert_eq!(found.kinship, Kinship::Follows);
    assert_eq!(between(&two, &one).kinship, Kinship::Precedes);
    assert_eq!(
        story(&found),
        [
            "New 1 left 2.00", // B: carried in
            "New 1 right 2.00",
            "Arrived 1 left 8.00", // D
            "Arrived 1 right 8.00",
            "Gone 1 left 1.00", // A: of the first day, not lost
            "Gone 1 right 1.00",
            "carried CUTOFF -> confirmed  left 1 2.00",
            "Aged 1 4.00 | 4.00",
            "Closed 1 2.00 | 0.00",
        ]
    );
    let other: Vec<&str> = found.other_basis().collect();
    assert_eq!(other, ["day", "predecessor"]);
    // a day later C is overdue
    let three = run(BY_ORDER, vec![], vec![], "2026-03-09", Some(&two));
    assert_eq!(
        story(&between(&two, &three)),
        [
            "Gone 2 left 10.00",
            "Gone 2 right 10.00",
            "carried CUTOFF -> break ONLY_PSP_BATCH left 1 4.00",
            "Changed 1 4.00 | 4.00",
        ]
    );
}

fn demo(
    sample: &SampleDay,
    edit: impl Fn(String) -> String,
    before: Option<(&ResultDoc, bool)>,
) -> Written {
    let orders = sample.bytes("orders.csv").expect("orders").to_vec();
    let orders = edit(String::from_utf8(orders).expect("text"));
    let mut day = Day::new(Rules::parse(&sample.rules).expect("rules"))
        .file("order", "orders.csv", orders.as_bytes())
        .file(
            "psp",
            "wechat.csv",
            sample.bytes("wechat.csv").expect("a bill"),
        )
        .file(
            "bank",
            "bank.sta",
            sample.bytes("bank.sta").expect("a statement"),
        );
    match before {
        Some((doc, true)) => day = day.supersedes(doc),
        Some((doc, false)) => day = day.after(doc),
        None => {}
    }
    Written::of(&day.run().expect("the sample's day"))
}

#[test]
fn a_file_delivered_again_shows_what_its_changed_rows_did() {
    let sample = day(7, &Shares::default());
    let old = demo(&sample, |orders| orders, None);
    let new = demo(
        &sample,
        |orders| orders.replacen(",paid,", ",closed,", 3),
        Some((&old.doc, true)),
    );
    let found = between(&old, &new);
    assert_eq!(found.kinship, Kinship::Supersedes);
    assert_eq!(found.other_basis().collect::<Vec<_>>(), ["inputs"]);
    assert!(found.inputs.iter().all(|input| input.source == "order"));
    // a CSV of one's own does not tell what it is, so it cannot be known as the same file again
    let classes: Vec<InputClass> = found.inputs.iter().map(|input| input.class).collect();
    assert!(classes.contains(&InputClass::NewOnly) || classes == [InputClass::OtherBytes]);
    let edge = &found.edges[0];
    let count = |class| {
        edge.groups
            .iter()
            .filter(|group| group.class == class)
            .count()
    };
    assert_eq!((count(GroupClass::Lost), count(GroupClass::New)), (3, 0));
    assert!(found.edges[1].is_empty());
}

#[test]
fn without_tables_sums_and_open_positions_are_compared_and_it_is_said() {
    let one = run(
        BY_ORDER,
        vec![pay("A", 100, "2026-03-02")],
        vec![],
        "2026-03-02",
        None,
    );
    let two = run(
        BY_ORDER,
        vec![],
        vec![pay("A", 100, "2026-03-03")],
        "2026-03-03",
        Some(&one),
    );
    let found = difference(one.given(), two.bare()).expect("two results");
    assert!(!found.tables && !found.is_empty());
    assert_eq!(story(&found), ["Closed 1 1.00 | 0.00"]);
    assert_eq!(found.edges[0].positions[0].class, PositionClass::Closed);
    assert!(found.edges[0].positions[0].elsewhere.is_empty());
    let totals: Vec<String> = found.edges[0]
        .totals
        .iter()
        .map(|total| format!("{} {} {}", total.source, total.outcome, total.change))
        .collect();
    assert_eq!(
        totals,
        [
            "left confirmed 1.00",
            "left carried -1.00",
            "right confirmed 1.00"
        ]
    );
    let refused = difference(
        one.given(),
        Given {
            doc: &two.doc,
            table: Some(&one.table),
        },
    );
    assert_eq!(
        refused.expect_err("another result's table").to_string(),
        "the table given for the new result is not the one that it names by its digest"
    );
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn rows(&mut self) -> Rows {
        (0..self.below(9))
            .map(|_| {
                let fen = [100, 101, 250, -100][self.below(4) as usize];
                let on = format!("2026-03-{:02}", 2 + self.below(4));
                let mut row = pay("", fen, &on);
                row = row.with_reference(RefRole::Order, format!("o{}", self.below(6)));
                if self.below(2) == 0 {
                    row.amount = quanfu::settlement::EntryAmount::Money(Money::from_minor(
                        fen,
                        Currency::USD,
                    ));
                }
                if self.below(3) == 0 {
                    row = row.with_reference(RefRole::Batch, format!("b{}", self.below(2)));
                }
                row
            })
            .collect()
    }

    /// Rows of another day: some of these, and some new ones.
    fn rows_after(&mut self, rows: &Rows) -> Rows {
        let kept = rows.iter().filter(|_| self.below(5) > 0).cloned();
        let mut rows: Rows = kept.collect();
        rows.extend(self.rows().into_iter().take(2));
        rows
    }

    fn day(&mut self, rows: (Rows, Rows), after: Option<&Written>) -> Written {
        let rules = [
            BY_ORDER.to_owned(),
            format!("{BY_ORDER}{ROUNDING}"),
            format!("{BY_ORDER}{BY_BATCH}"),
            format!("{BY_BATCH}{BY_ORDER}{ROUNDING}"),
        ];
        let rules = &rules[self.below(4) as usize];
        let as_of = match (after, self.below(2)) {
            (None, 0) => "2026-03-06".to_owned(),
            _ => format!("2026-03-{:02}", 4 + self.below(6)),
        };
        run(rules, rows.0, rows.1, &as_of, after)
    }
}

/// The document with old and new exchanged.
fn mirrored(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut out = serde_json::Map::new();
            for (key, value) in map {
                let name = match key.as_str() {
                    "old" => "new",
                    "new" => "old",
                    other => other,
                };
                let value = match (name, value) {
                    ("class" | "kinship", Value::String(text)) => Value::String(
                        match text.as_str() {
                            "lost" => "new",
                            "new" => "lost",
                            "gone" => "arrived",
                            "arrived" => "gone",
                            "opened" => "closed",
                            "closed" => "opened",
                            "old_only" => "new_only",
                            "new_only" => "old_only",
                            "follows" => "precedes",
                            "precedes" => "follows",
                            other => other,
                        }
                        .to_owned(),
                    ),
                    ("change", Value::String(text)) => {
                        Value::String(match text.strip_prefix('-') {
                            Some(text) => text.to_owned(),
                            None if text.chars().all(|c| "0.".contains(c)) => text,
                            None => format!("-{text}"),
                        })
                    }
                    (_, value) => mirrored(value),
                };
                out.insert(name.to_owned(), value);
            }
            Value::Object(out)
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(mirrored).collect();
            list.sort_by_key(ToString::to_string);
            Value::Array(list)
        }
        other => other,
    }
}

/// The document with its lists in one order.
fn sorted(value: Value) -> Value {
    mirrored(mirrored(value))
}

fn fen(text: &str) -> i128 {
    text.replace('.', "").parse().expect("a sum")
}

/// Confirmed rows by source and currency, from a summary.
fn confirmed(doc: &ResultDoc) -> BTreeMap<(String, String), (i128, i128)> {
    let mut sums: BTreeMap<(String, String), (i128, i128)> = BTreeMap::new();
    for total in doc.edges.iter().flat_map(|edge| &edge.outcomes) {
        if total.outcome.code() == "confirmed" {
            for of in &total.totals {
                let sum = sums
                    .entry((total.source.clone(), of.currency.to_string()))
                    .or_default();
                sum.0 += i128::from(of.count);
                sum.1 += fen(&of.sum);
            }
        }
    }
    sums
}

#[test]
fn laws_hold_for_many_pairs_of_days() {
    let (mut lost, mut moved, mut chained) = (0, 0, 0);
    for seed in 1..400u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let rows = (dice.rows(), dice.rows());
        let one = dice.day(rows.clone(), None);
        let two = if dice.below(2) == 0 {
            let rows = (dice.rows(), dice.rows());
            dice.day(rows, Some(&one))
        } else {
            let rows = (dice.rows_after(&rows.0), dice.rows_after(&rows.1));
            dice.day(rows, None)
        };
        let found = between(&one, &two);
        chained += u64::from(found.kinship == Kinship::Follows);

        // a result differs from itself in nothing
        let own = between(&two, &two);
        assert!(
            own.is_empty() && own.kinship == Kinship::Same,
            "seed {seed}"
        );
        assert_eq!(csv(&own).lines().count(), 1, "seed {seed}");
        // it has no direction
        let there: Value = serde_json::from_str(&json(&found)).expect("JSON");
        let back: Value = serde_json::from_str(&json(&between(&two, &one))).expect("JSON");
        assert_eq!(mirrored(there.clone()), sorted(back), "seed {seed}");
        // new and lost groups are the change of what is confirmed
        let mut change: BTreeMap<(String, String), (i128, i128)> = confirmed(&one.doc);
        for sum in found.edges.iter().flat_map(|edge| &edge.group_sums) {
            let sign = match sum.class {
                GroupClass::New | GroupClass::Arrived => 1,
                GroupClass::Lost | GroupClass::Gone => -1,
                GroupClass::Explained => 0,
            };
            let key = (sum.rows.source.clone(), sum.rows.currency.to_string());
            let of = change.entry(key).or_default();
            of.0 += sign * i128::from(sum.rows.rows.count);
            of.1 += sign * fen(&sum.rows.rows.sum);
        }
        change.retain(|_, sum| *sum != (0, 0));
        let mut want = confirmed(&two.doc);
        want.retain(|_, sum| *sum != (0, 0));
        assert_eq!(change, want, "seed {seed}");
        // what moved is known to both, and nothing that moved stands where it stood
        for edge in &found.edges {
            for of in &edge.moved {
                assert_ne!(of.standing.old, of.standing.new, "seed {seed}");
                assert!(one.table.contains(&of.record) && two.table.contains(&of.record));
            }
            lost += edge
                .groups
                .iter()
                .filter(|group| group.class == GroupClass::Lost)
                .count();
            moved += edge.moved.len();
        }
        // with tables nothing differs that is not listed
        if found
            .edges
            .iter()
            .all(quanfu::report::difference::EdgeDifference::is_empty)
        {
            assert_eq!(
                one.doc.certificate.outcome_digest, two.doc.certificate.outcome_digest,
                "seed {seed}"
            );
        }
    }
    assert!(
        lost > 10 && moved > 100 && chained > 100,
        "{lost} {moved} {chained}"
    );
}

#[test]
fn sample_days_and_the_days_after_them_compare() {
    for seed in 0..5 {
        let first = demo(&day(seed, &Shares::default()), |orders| orders, None);
        let second = demo(
            &next_day(seed, &Shares::default()),
            |orders| orders,
            Some((&first.doc, false)),
        );
        let found = between(&first, &second);
        assert_eq!(found.kinship, Kinship::Follows);
        for edge in &found.edges {
            // nobody's confirmed group is undone by the day after
            assert!(
                edge.groups
                    .iter()
                    .all(|group| group.class != GroupClass::Lost)
            );
            assert!(
                edge.group_sums
                    .iter()
                    .any(|sum| sum.class == GroupClass::New)
            );
        }
    }
}
