//! Restored declarations of real outcomes: the demo's two days and generated days, from what a run wrote and from what it
//! left in memory.

use quanfu::codes::Parameters;
use quanfu::filing::{Change, Restored, netting_rules};
use quanfu::report::declaration::{FromResultError, restore};
use quanfu::sample::{SampleDay, Shares, day, demo_day, next_day};
use quanfu::settlement::{Book, Outcome};
use quanfu::{Day, Reconciled, ResultDoc, Rules};

const FILES: [(&str, &str); 3] = [
    ("order", "orders.csv"),
    ("psp", "wechat.csv"),
    ("bank", "bank.sta"),
];
/// The edge from the institution to the bank.
const EDGE: usize = 1;

struct Settled {
    doc: ResultDoc,
    rules: Rules,
    table: String,
    books: Vec<Book>,
    done: Reconciled,
}

fn settled(sample: &SampleDay, after: Option<&ResultDoc>, threads: usize) -> Settled {
    let rules = Rules::parse(&sample.rules).expect("rules");
    let with_files = || {
        let mut day = Day::new(rules.clone()).threads(threads);
        for (source, file) in FILES {
            day = day.file(source, file, sample.bytes(file).expect("a file"));
        }
        match after {
            Some(previous) => day.after(previous),
            None => day,
        }
    };
    let done = with_files().run().expect("a day");
    let mut table = String::new();
    done.write_table(|block| table.push_str(block));
    Settled {
        doc: done.document(None),
        table,
        books: with_files().books().expect("books"),
        rules,
        done,
    }
}

impl Settled {
    fn restore(&self, table: &str) -> Result<Restored, FromResultError> {
        restore(&self.doc, &self.rules, EDGE, &self.books, table)
    }

    /// Everything that must hold of a declaration of this day.
    fn check(&self) -> Restored {
        let made = self.restore(&self.table).expect("restored");
        assert_eq!(made.check(&netting_rules(&Parameters::shipped())), []);
        assert_eq!(made.result, Some(self.doc.certificate.body));
        assert_eq!(
            Restored::from_json(&made.to_json()).expect("reads"),
            made,
            "what is written is read back"
        );
        // what a run left in memory tells the same
        let mut of_memory =
            Restored::of(self.done.outcomes(), &self.rules, EDGE).expect("restored");
        of_memory.result = made.result;
        assert!(of_memory.sealed() == made, "file and memory differ");
        // the sums are those of the result, and every row is either declared or told
        let edge = &self.doc.edges[EDGE];
        for (source, is_bank) in [(&edge.left, false), (&edge.right, true)] {
            let totals = edge.outcomes.iter().filter(|one| &one.source == source);
            let (mut confirmed, mut others) = ((0, 0), 0);
            for of in totals {
                for total in &of.totals {
                    if of.outcome == Outcome::Confirmed {
                        let money: quanfu::money::MoneySum =
                            format!("{} {}", total.sum, total.currency)
                                .parse()
                                .expect("a sum");
                        confirmed = (confirmed.0 + total.count, confirmed.1 + money.minor());
                    } else {
                        others += total.count;
                    }
                }
            }
            let rows: Vec<i64> = made
                .batches
                .iter()
                .flat_map(|batch| match is_bank {
                    true => batch.actual.iter().map(|one| one.minor).collect::<Vec<_>>(),
                    false => batch.originals.iter().map(|one| one.minor).collect(),
                })
                .collect();
            let found = (
                rows.len() as u64,
                rows.iter().map(|&minor| i128::from(minor)).sum(),
            );
            assert_eq!(found, confirmed, "{source}");
            let told = made.not_declared.iter().filter(|one| &one.source == source);
            let told: u64 = told
                .filter(|one| one.currency.is_some())
                .map(|one| one.count)
                .sum();
            assert_eq!(told, others, "{source}");
        }
        for (settled, explained) in made.totals() {
            assert_eq!(settled, explained);
        }
        made
    }
}

#[test]
fn the_demos_days_are_restored_to_the_fen_from_files_and_from_memory() {
    let first = settled(&demo_day(20_170_125), None, 2);
    let made = first.check();
    assert_eq!(
        (made.batches.len(), made.totals()[0].0.to_string().as_str()),
        (5, "198983.05 CNY")
    );
    // fees have five decimals, and each batch rounds them once
    assert!(
        made.batches[0]
            .originals
            .iter()
            .any(|one| one.fee_grains % 1_000_000 != 0)
    );
    let next = next_day(20_170_125, &Shares::default());
    let second = settled(&next, Some(&first.doc), 2).check();
    // items that the first day carried have their place in its files
    assert!(!second.batches.is_empty());
    assert_eq!(
        settled(&next, Some(&first.doc), 1).check().to_json(),
        second.to_json()
    );
}

#[test]
fn generated_days_are_restored_whatever_is_planted() {
    for seed in 1..12 {
        let many = u32::try_from(seed).expect("small");
        let shares = Shares {
            payments: 40 * many,
            refunds: 3 * many,
            revoked: many,
            short_batch: seed % 2 == 0,
            ..Shares::default()
        };
        settled(&day(seed, &shares), None, 2).check();
    }
}

#[test]
fn a_month_of_payments_is_restored_and_a_row_taken_out_by_hand_is_found_with_its_place() {
    let shares = Shares {
        payments: 100_000,
        refunds: 2_000,
        ..Shares::default()
    };
    let month = settled(&day(3, &shares), None, 2);
    let made = month.check();
    let count: usize = made.batches.iter().map(|batch| batch.originals.len()).sum();
    assert!(count > 100_000, "{count}");

    // out of the table
    let large = made.batches.iter().position(|batch| batch.count > 500);
    let large = large.expect("a large batch");
    let place = &made.batches[large].originals[500].place;
    let start = format!("psp,wechat.csv,{},{},psp-bank,", place.line, place.record);
    let line = month
        .table
        .lines()
        .find(|line| line.starts_with(&start))
        .expect("its line");
    let error = month.restore(&month.table.replacen(&format!("{line}\n"), "", 1));
    let error = error.expect_err("a row is missing");
    assert_eq!(error.code(), "restore-missing");
    assert!(error.to_string().contains(&place.to_string()), "{error}");
    // twice in the table
    let twice = month.table.replacen(line, &format!("{line}\n{line}"), 1);
    assert_eq!(
        month
            .restore(&twice)
            .expect_err("a row is there twice")
            .code(),
        "restore-twice"
    );

    // out of the declaration, with everything that goes with it put right
    let mut changed = made.clone();
    let batch = &mut changed.batches[large];
    let out = batch.originals.remove(500);
    batch.count -= 1;
    batch.settled_minor -= out.minor;
    batch.actual[0].minor -= out.minor;
    let found = changed.sealed().differences(&made);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].change, Change::Missing);
    assert_eq!(found[0].place.as_ref(), Some(&out.place));
}
