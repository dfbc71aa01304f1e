//! How long a question to a calendar takes, near and far, and how long a calendar takes to make.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use quanfu::calendar::{BusinessCalendar, Calendars, Date, Tenor, ValueRules};

fn questions(c: &mut Criterion) {
    let china = BusinessCalendar::china();
    let day = Date::from_ymd_opt(2018, 3, 2).expect("a day of the calendar");
    let mut group = c.benchmark_group("calendar");
    group.bench_function("is_business_day", |b| {
        b.iter(|| china.is_business_day(black_box(day)))
    });
    for n in [1, 2_000] {
        group.bench_with_input(BenchmarkId::new("add_business_days", n), &n, |b, &n| {
            b.iter(|| china.add_business_days(black_box(day), n));
        });
    }
    let rules = ValueRules::shipped();
    let pair = rules
        .pair(&Calendars::shipped(), "USD", "CNY")
        .expect("a pair that has calendars");
    group.bench_function("value_date", |b| {
        b.iter(|| pair.value_date(black_box(day), Tenor::Spot))
    });
    group.bench_function("make", |b| b.iter(BusinessCalendar::china));
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
