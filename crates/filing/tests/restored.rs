//! Restored declarations: made from rows, conserved, and any row lost, added, doubled or changed is found with its place.

use proptest::prelude::*;
use quanfu_calendar::Date;
use quanfu_codes::Parameters;
use quanfu_filing::*;
use quanfu_money::{Currency, Money};
use quanfu_settlement::{Book, Entry, EntryKind, Limits, Outcome, RefRole, Rules, Side};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn rules() -> Rules {
    Rules::parse(
        r#"
schema = "quanfu.rules/1"
name = "t"
calendar = "CN"
[source.psp]
role = "institution"
[source.bank]
role = "bank"
[[edge]]
left = "psp"
right = "bank"
[[edge.rule]]
id = "B1"
pass = "net_batch"
on = ["batch", "currency", "order", "original"]
explain = ["fee"]
rounding = "half_up"
rounding_per = "batch"
"#,
    )
    .expect("rules")
}

/// One original: amount in fen, fee in hundred-thousandths of a yuan, whether it is a refund.
type Row = (i64, i64, bool);

struct World {
    rules: Rules,
    psp: Book,
    bank: Book,
    rows: Vec<OutcomeOf>,
}

/// Batches of these rows, settled to the fen, charges rounded once for each.
fn world(batches: &[Vec<Row>]) -> World {
    let rules = rules();
    let (mut inner, mut outer) = (Vec::new(), Vec::new());
    let mut groups = Vec::new();
    for (index, rows) in batches.iter().enumerate() {
        let (mut sum, mut fees) = (0, 0);
        for (nth, &(fen, fee, is_refund)) in rows.iter().enumerate() {
            let fen = if is_refund { -fen } else { fen };
            let kind = if is_refund {
                EntryKind::Refund
            } else {
                EntryKind::Payment
            };
            let fee_text = format!("{}.{:05} CNY", fee / 100_000, fee % 100_000);
            let entry = Entry::new(Money::from_minor(fen, Currency::CNY))
                .with_kind(kind)
                .with_fee(fee_text.parse().expect("an amount"))
                .with_reference(RefRole::Batch, format!("B{index}"))
                .with_reference(RefRole::Order, format!("O{index}-{nth}"));
            inner.push(entry.on(day("2025-12-30")));
            sum += fen;
            fees += fee;
        }
        let fee = (fees + 500) / 1_000; // half up to the fen
        let settled = sum - fee;
        let entry = Entry::new(Money::from_minor(settled, Currency::CNY));
        let entry = entry.with_reference(RefRole::Batch, format!("B{index}"));
        outer.push(entry.on(day("2025-12-31")));
        groups.push((format!("{index:016x}"), fee));
    }
    let of = |at: usize, rows| Book::from_rows(&rules.sources[at], rows, &Limits::default());
    let psp = of(0, inner).expect("a book");
    let bank = of(1, outer).expect("a book");
    let mut rows = Vec::new();
    let mut row = 0;
    let mut one = |side, book: &Book, row, index: usize| {
        let (group, fee): &(String, i64) = &groups[index];
        rows.push(OutcomeOf {
            side,
            record: book.id(row),
            outcome: Outcome::Confirmed,
            minor: Some(book.amounts()[row as usize]),
            group: group.clone(),
            rule: "B1".into(),
            causes: match fee {
                0 => String::new(),
                fee => format!("fee:-{}.{:02}", fee / 100, fee % 100),
            },
        });
    };
    for (index, batch) in batches.iter().enumerate() {
        for _ in batch {
            one(Side::Left, &psp, row, index);
            row += 1;
        }
        one(Side::Right, &bank, index as u32, index);
    }
    World {
        rules,
        psp,
        bank,
        rows,
    }
}

impl World {
    fn restore(&self, rows: Vec<OutcomeOf>) -> Result<Restored, RestoreError> {
        Restored::from_rows(
            &self.rules,
            0,
            [&self.psp, &self.bank],
            day("2026-01-05"),
            None,
            rows,
        )
    }
}

fn netting() -> Vec<NettingRule> {
    netting_rules(&Parameters::shipped())
}

fn codes(found: &[Unsound]) -> Vec<&'static str> {
    found.iter().map(Unsound::code).collect()
}

fn whole() -> Restored {
    let mut rows: Vec<Row> = (0..50).map(|n| (1_000 + n, 600, false)).collect();
    rows.push((300, 180, true));
    let world = world(&vec![rows; 4]);
    world.restore(world.rows.clone()).expect("whole")
}

#[test]
fn a_declaration_is_conserved_and_read_back_and_each_fault_has_its_name() {
    let whole = whole();
    assert_eq!(whole.check(&netting()), []);
    let totals = whole.totals();
    assert_eq!(totals.len(), 1);
    assert_eq!(totals[0].0, totals[0].1);
    let text = whole.to_json();
    assert_eq!(Restored::from_json(&text).expect("reads"), whole);
    assert_eq!(whole.to_csv().lines().count(), 1 + 4 * 51);
    let rules = netting();
    let netted = whole.netted(&rules);
    assert_eq!(netted.len(), 1);
    assert_eq!(
        (netted[0].1, netted[0].2.to_string().as_str()),
        (4, "-12.00 CNY")
    );
    assert_eq!(netted[0].0.row.id(), "netting_refund@2015-01-30");

    type Fault = fn(&mut Restored);
    let faults: [(Fault, &[&str]); 12] = [
        (
            |it| drop(it.batches[2].originals.remove(7)),
            &["declaration-sum", "declaration-count"],
        ),
        (
            |it| it.batches[0].originals[3].minor += 1,
            &["declaration-sum"],
        ),
        (
            |it| it.batches[1].originals[0].place = it.batches[0].originals[0].place.clone(),
            &["declaration-twice"],
        ),
        (
            |it| it.batches[1].actual[0].minor += 1,
            &["declaration-actual"],
        ),
        (
            |it| {
                let at = it.batches[0]
                    .originals
                    .iter()
                    .position(|one| one.minor < 0)
                    .expect("a refund");
                it.batches[0].originals[at].refunds = None;
            },
            &["declaration-refund"],
        ),
        (
            |it| {
                let at = it.batches[0]
                    .originals
                    .iter()
                    .position(|one| one.minor < 0)
                    .expect("a refund");
                it.batches[0].originals[at].kind = OriginalKind::Other;
            },
            &["declaration-netting"],
        ),
        (
            |it| it.batches[0].originals.clear(),
            &[
                "declaration-sum",
                "declaration-count",
                "declaration-fee",
                "declaration-empty",
            ],
        ),
        (
            |it| it.batches[1].actual = it.batches[0].actual.clone(),
            &["declaration-twice"],
        ),
        (
            |it| it.batches[3].originals[9].fee_grains += 1_000_000,
            &["declaration-fee"],
        ),
        (
            |it| {
                it.batches[3].charges[0].minor -= 1;
                it.batches[3].charges.push(Charge {
                    cause: "rounding".into(),
                    minor: 1,
                });
            },
            &["declaration-fee", "declaration-cause"],
        ),
        (
            |it| it.batches[3].actual[0].value_date = Some("2025-12-29".parse().expect("a day")),
            &["declaration-days"],
        ),
        (
            |it| it.as_of = "2026-01-06".parse().expect("a day"),
            &["declaration-body"],
        ),
    ];
    for (at, (fault, want)) in faults.into_iter().enumerate() {
        let mut changed = whole.clone();
        fault(&mut changed);
        let mut found = codes(&changed.check(&netting()));
        assert_eq!(found.remove(0), "declaration-body", "fault {at}");
        if want != ["declaration-body"] {
            assert_eq!(found, want, "fault {at}");
        }
    }
    // before the rule, overseas costs may not be netted
    let mut costs = whole;
    let at = costs.batches[0]
        .originals
        .iter()
        .position(|one| one.minor < 0)
        .expect("a refund");
    costs.batches[0].originals[at].kind = OriginalKind::Logistics;
    assert_eq!(costs.clone().sealed().check(&netting()), []);
    costs.batches[0].value_date = Some(day("2019-12-31"));
    costs.batches[0].actual[0].value_date = Some(day("2019-12-31"));
    assert_eq!(
        codes(&costs.sealed().check(&netting())),
        ["declaration-netting"]
    );
}

#[test]
fn a_group_that_is_no_batch_is_counted_and_not_declared() {
    let world = world(&[
        vec![(100, 0, false)],
        vec![(200, 0, false)],
        vec![(300, 0, false)],
    ]);
    let mut rows = world.rows.clone();
    rows[0].outcome = Outcome::Break; // the original of the first batch: its bank line stands alone
    rows[2].outcome = Outcome::Carried;
    rows[3].outcome = Outcome::Break;
    let restored = world.restore(rows).expect("restored");
    assert_eq!(restored.batches.len(), 1);
    let told: Vec<String> = restored
        .not_declared
        .iter()
        .map(|one| format!("{} {} {} {}", one.source, one.reason, one.count, one.sum))
        .collect();
    assert_eq!(
        told,
        [
            "psp break 1 1.00",
            "psp carried 1 2.00",
            "bank break 1 2.00",
            "bank one-sided 1 1.00"
        ]
    );
    let mut rows = world.rows.clone();
    rows[0].causes = "fx:1 USD = 7.1526 CNY".into();
    assert_eq!(
        world.restore(rows).expect_err("no amount").code(),
        "restore-cause"
    );
    let sides = [&world.psp, &world.bank];
    let error = Restored::from_rows(&world.rules, 7, sides, day("2026-01-05"), None, []);
    assert_eq!(error.expect_err("no such edge").code(), "restore-edge");
}

#[test]
fn documents_with_other_spellings_of_an_amount_are_refused() {
    let text = whole().to_json();
    for (from, to) in [
        ("\"amount\": \"10.00\"", "\"amount\": \"10\""),
        ("\"amount\": \"10.00\"", "\"amount\": \"10.000\""),
        ("\"amount\": \"10.00\"", "\"amount\": 10.00"),
        ("\"fee\": \"0.006\"", "\"fee\": \"0.00600\""),
        ("quanfu.restored/1", "quanfu.restored/2"),
        ("\"count\": 51", "\"count\": 51, \"more\": 1"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Restored::from_json(&changed).is_err(), "{to}");
    }
}

fn rows() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (1i64..5_000_000, 0i64..30_000_000, prop::bool::weighted(0.1));
    prop::collection::vec(prop::collection::vec(row, 1..20), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_are_conserved_whatever_the_order_of_the_rows(batches in rows(), turn in any::<prop::sample::Index>()) {
        let world = world(&batches);
        let restored = world.restore(world.rows.clone()).expect("whole");
        prop_assert_eq!(restored.check(&netting()), []);
        let mut rows = world.rows.clone();
        let by = turn.index(rows.len());
        rows.rotate_left(by);
        prop_assert_eq!(world.restore(rows).expect("whole").to_json(), restored.to_json());
        let read = Restored::from_json(&restored.to_json()).expect("reads");
        prop_assert_eq!(&read, &restored);
        let count: usize = restored.batches.iter().map(|batch| batch.originals.len()).sum();
        prop_assert_eq!(count, world.psp.len() as usize);
    }

    #[test]
    fn a_row_removed_added_doubled_or_changed_is_found_with_its_place(
        batches in rows(), at in any::<prop::sample::Index>(), how in 0..5u8,
    ) {
        let world = world(&batches);
        // in the table
        let mut rows = world.rows.clone();
        let index = at.index(rows.len());
        let record = rows[index].record.to_string();
        match how {
            0 => drop(rows.remove(index)),
            1 => rows.push(rows[index].clone()),
            2 => rows[index].minor = rows[index].minor.map(|minor| minor + 1),
            3 => rows[index].record.digest ^= 1,
            _ => rows[index].side = rows[index].side.other(),
        }
        let error = world.restore(rows).expect_err("not one outcome for each record");
        let want = ["restore-missing", "restore-twice", "restore-record", "restore-record", "restore-record"];
        prop_assert_eq!(error.code(), want[usize::from(how)]);
        if how < 3 {
            prop_assert!(error.to_string().contains(&record), "{}", error);
        }
        // in the declaration, sealed again by whoever changed it
        let whole = world.restore(world.rows.clone()).expect("whole");
        let mut changed = whole.clone();
        let batch = at.index(changed.batches.len());
        let batch = &mut changed.batches[batch];
        let original = at.index(batch.originals.len());
        let place = batch.originals[original].place.clone();
        let change = match how {
            0 => {
                batch.originals.remove(original);
                Change::Missing
            }
            1 => {
                let again = batch.originals[original].clone();
                batch.originals.push(again);
                Change::Added
            }
            2 => {
                batch.originals[original].minor += 1;
                batch.settled_minor += 1;
                batch.actual[0].minor += 1;
                Change::Changed
            }
            3 => {
                batch.originals[original].order = Some("another".into());
                Change::Changed
            }
            _ => {
                let mut new = batch.originals[original].clone();
                new.place.record = "00000000000000ff".into();
                batch.originals.push(new);
                Change::Added
            }
        };
        batch.count = batch.originals.len() as u64;
        let group = batch.group.clone();
        let changed = changed.sealed();
        let found = changed.differences(&whole);
        let place = if how == 4 { Place { record: "00000000000000ff".into(), ..place } } else { place };
        let wanted = Difference { group, place: Some(place), change };
        prop_assert!(found.contains(&wanted), "{:?}", found);
        prop_assert_eq!(whole.differences(&whole), []);
        if how == 0 || how == 1 {
            prop_assert!(!changed.check(&netting()).is_empty());
        }
    }
}
