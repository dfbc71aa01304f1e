//! How long a price list takes when the central parity moves.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quanfu::fx::{RateReading, RateTable};
use quanfu::pricing::{Basis, Item, ListRow, PriceList, PriceRules, reprice, write_list};
use quanfu::{Currency, Money};

const RULES: &str = r#"
schema = "quanfu.pricing/1"
name = "bench"
[[fee]]
name = "channel"
bearer = "seller"
bps = 60
[guard]
min_margin_bps = 500
breach = "raise"
[list]
hysteresis_bps = 50
[buyer.USD]
markup_bps = 150
buffer_bps = 200
step = "1.00"
ending = "0.99"
"#;

const RATES: &[u8] = b"date,base,unit,quote,value,kind,source,certainty\n\
    2026-03-02,USD,1,CNY,7.1526,mid,bench,illustrative\n\
    2026-03-03,USD,1,CNY,7.1026,mid,bench,illustrative\n";

fn rows(count: i64) -> Vec<ListRow> {
    let yuan = |fen| Money::from_minor(fen, Currency::CNY);
    let row = |i: i64| {
        let fen = i * 7_919 % 1_000_003 + 100;
        let item = Item::new(yuan(fen)).and_then(|item| item.with_cost(yuan(fen / 2)));
        ListRow {
            sku: format!("SKU-{i:08}"),
            item: item.expect("amounts above zero"),
            buyer: Some(Currency::USD),
            price: None,
        }
    };
    (0..count).map(row).collect()
}

fn pricing(c: &mut Criterion) {
    let rules = PriceRules::parse(RULES).expect("the rules above are right");
    let rates = RateReading::csv(RATES).expect("the rates above are right");
    let rates = RateTable::new(rates.rates).expect("the rates above are right");
    let on = |day: &str| Basis {
        rules: &rules,
        rates: &rates,
        on: day.parse().expect("a day"),
    };
    let (before, now) = (on("2026-03-02"), on("2026-03-03"));
    let mut group = c.benchmark_group("pricing");
    group.sample_size(10);
    let count = 10_000;
    let rows = rows(count);
    group.throughput(Throughput::Elements(count as u64));
    group.bench_with_input(BenchmarkId::new("reprice", count), &rows, |b, rows| {
        b.iter(|| reprice(rows, Some(before), now));
    });
    let text = write_list(&reprice(&rows, Some(before), now));
    group.bench_with_input(
        BenchmarkId::new("read and write", count),
        &text,
        |b, text| {
            b.iter(|| {
                let list = PriceList::read(text).expect("our own text");
                write_list(&reprice(&list.rows, None, now))
            });
        },
    );
    group.finish();
}

criterion_group!(benches, pricing);
criterion_main!(benches);
