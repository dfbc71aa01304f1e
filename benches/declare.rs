//! How long it takes to restore a settled day from its outcomes table and books, to check it, to write it, and to draft
//! and review declarations of it: ten times the payments should cost about ten times as much.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quanfu::calendar::BusinessCalendar;
use quanfu::codes::{CodeTable, Parameters};
use quanfu::filing::declaration::{Declarant, Evidence, Review};
use quanfu::filing::{Declaration, Restored, netting_rules};
use quanfu::fx::{RateTable, Terms};
use quanfu::report::declaration::restore;
use quanfu::sample::{Shares, day};
use quanfu::settlement::Book;
use quanfu::{Day, ResultDoc, Rules};

const DECLARANT: &str = r#"
schema = "quanfu.declarant/1"
code = "122030"
[subject]
kind = "firm"
[counterparty]
kind = "firm"
"#;

struct Settled {
    doc: ResultDoc,
    rules: Rules,
    table: String,
    books: Vec<Book>,
}

fn settled(payments: u32) -> Settled {
    let shares = Shares {
        payments,
        ..Shares::default()
    };
    let sample = day(7, &shares);
    let rules = Rules::parse(&sample.rules).expect("rules");
    let with_files = || {
        let mut day = Day::new(rules.clone());
        for (source, file) in [
            ("order", "orders.csv"),
            ("psp", "wechat.csv"),
            ("bank", "bank.sta"),
        ] {
            day = day.file(source, file, sample.bytes(file).expect("a file"));
        }
        day
    };
    let done = with_files().run().expect("a day");
    let mut table = String::new();
    done.write_table(|block| table.push_str(block));
    Settled {
        doc: done.document(None),
        table,
        books: with_files().books().expect("books"),
        rules,
    }
}

fn reviewed(restored: &Restored, parameters: &Parameters) -> usize {
    let declarant = Declarant::parse(DECLARANT).expect("a declarant");
    let draft = Declaration::draft(restored, &declarant, &Evidence::default());
    let limits = ["import_single_limit".to_owned()];
    let review = Review {
        day: restored.as_of,
        parameters,
        codes: &CodeTable::bop(),
        grades: &CodeTable::credit_grades(),
        calendar: &BusinessCalendar::china(),
        rates: &RateTable::default(),
        terms: Terms::MID,
        single_limits: &limits,
        annual_limits: &limits,
        split_days: Some(1),
        lists: &[],
        declarant: None,
        earlier: &[],
    };
    draft.expect("small sums").review(&review).findings.len()
}

fn declarations(c: &mut Criterion) {
    let parameters = Parameters::shipped();
    let netting = netting_rules(&parameters);
    let mut group = c.benchmark_group("declare");
    group.sample_size(10);
    for payments in [20_000, 200_000] {
        let from = settled(payments);
        let make =
            || restore(&from.doc, &from.rules, 1, &from.books, &from.table).expect("restored");
        let made = make();
        assert!(made.check(&netting).is_empty());
        let text = made.to_json();
        group.throughput(Throughput::Elements(payments.into()));
        let id = |what: &str| BenchmarkId::new(what, payments);
        group.bench_function(id("restore"), |b| b.iter(make));
        group.bench_function(id("check"), |b| b.iter(|| made.check(&netting)));
        group.bench_function(id("write"), |b| b.iter(|| made.to_json()));
        group.bench_function(id("read"), |b| b.iter(|| Restored::from_json(&text)));
        group.bench_function(id("review"), |b| b.iter(|| reviewed(&made, &parameters)));
    }
    group.finish();
}

criterion_group!(benches, declarations);
criterion_main!(benches);
