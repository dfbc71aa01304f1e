//! How long it takes to assess applications and to share out a budget: two premium payments a firm, with caps, a floor
//! and a budget that is too little.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quanfu::calendar::BusinessCalendar;
use quanfu::credit::{Context, Programme, ReferenceRates, application, assess, shipped};
use quanfu::fx::RateTable;

fn table(firms: usize) -> String {
    let paper = format!("sha256:{}", "0".repeat(64));
    let mut text = String::from(
        "application,enterprise,name,filed_on,item,kind,amount,invoice,paid_on,fact:registered_region,\
         fact:owed_fiscal_funds,fact:prior_year_exports,document:policy_copy,document:premium_invoice,\
         document:payment_voucher,document:commitment_letter\n",
    );
    for firm in 0..firms {
        for item in 0..2 {
            let fen = (firm * 7_919 + item * 104_729) % 30_000_000;
            text.push_str(&format!(
                "A{firm},E{firm:06},firm {firm},2025-01-15,{item},premium,{}.{:02} CNY,I{firm}-{item},2024-05-06,济南,false,\
                 {}.00 USD,{paper},{paper},{paper},{paper}\n",
                fen / 100,
                fen % 100,
                firm % 12 * 1_000_000
            ));
        }
    }
    text
}

fn assessments(c: &mut Criterion) {
    let programme =
        Programme::parse(shipped("jinan-illustrative").expect("shipped")).expect("right");
    let (rates, reference, calendar) = (
        RateTable::default(),
        ReferenceRates::shipped(),
        BusinessCalendar::china(),
    );
    let context = Context {
        day: "2025-04-01".parse().expect("a day"),
        rates: &rates,
        reference: &reference,
        calendar: &calendar,
        earlier: &[],
        policies: &[],
        files: &[],
        unread: &[],
        receipts: None,
    };
    let mut group = c.benchmark_group("assess");
    group.sample_size(10);
    for firms in [10_000, 100_000] {
        let read = application::from_csv(&table(firms)).expect("a table");
        assert_eq!(read.applications.len(), firms);
        group.throughput(Throughput::Elements(firms as u64));
        group.bench_with_input(
            BenchmarkId::from_parameter(firms),
            &read.applications,
            |b, applications| {
                b.iter(|| assess(&programme, applications, &context).expect("small amounts"));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, assessments);
criterion_main!(benches);
