//! How long a converted amount takes, a share and a fee, beside the decimal crate doing the same.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quanfu::fx::Quote;
use quanfu::money::Rounding;
use quanfu::{Currency, Decimal, Money};
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

/// A thousand amounts between 0.01 and 10,000,030.00.
fn minors() -> Vec<i64> {
    (0..1_000)
        .map(|i| i * 104_729_017 % 1_000_003_000 + 1)
        .collect()
}

fn conversions(c: &mut Criterion) {
    let parity = Quote::new(Currency::USD, 1, Currency::CNY, decimal("7.1526")).expect("a quote");
    let minors = minors();
    let rate = decimal("7.1526");
    let mut group = c.benchmark_group("money");
    group.throughput(Throughput::Elements(minors.len() as u64));
    for (name, from) in [("times_rate", Currency::USD), ("by_rate", Currency::CNY)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                minors.iter().fold(0, |sum: i64, &minor| {
                    let money = Money::from_minor(minor, from);
                    let converted = parity.convert(money, Rounding::HalfUp);
                    sum + converted.expect("a small amount").minor()
                })
            });
        });
    }
    group.bench_function("times_rate/rust_decimal", |b| {
        b.iter(|| {
            minors.iter().fold(Decimal::ZERO, |sum, &minor| {
                let exact = Decimal::new(minor, 2) * rate;
                sum + exact.round_dp_with_strategy(2, MidpointAwayFromZero)
            })
        });
    });
    group.bench_function("by_rate/rust_decimal", |b| {
        b.iter(|| {
            minors.iter().fold(Decimal::ZERO, |sum, &minor| {
                let exact = Decimal::new(minor, 2) / rate;
                sum + exact.round_dp_with_strategy(2, MidpointAwayFromZero)
            })
        });
    });
    // 0.38 percent of each amount, to the fen
    group.bench_function("fee", |b| {
        b.iter(|| {
            minors.iter().fold(0, |sum: i128, &minor| {
                let fee = Rounding::HalfUp.divide(i128::from(minor) * 38, 10_000);
                sum + fee.expect("a small amount")
            })
        });
    });
    let share = decimal("0.0038");
    group.bench_function("fee/rust_decimal", |b| {
        b.iter(|| {
            minors.iter().fold(Decimal::ZERO, |sum, &minor| {
                let exact = Decimal::new(minor, 2) * share;
                sum + exact.round_dp_with_strategy(2, MidpointAwayFromZero)
            })
        });
    });
    group.bench_function("allocate_to_3", |b| {
        b.iter(|| {
            minors.iter().fold(0, |sum: i64, &minor| {
                let parts = Money::from_minor(minor, Currency::CNY).allocate(&[50, 30, 20]);
                sum + parts.expect("three receivers")[0].minor()
            })
        });
    });
    group.finish();
}

criterion_group!(benches, conversions);
criterion_main!(benches);
