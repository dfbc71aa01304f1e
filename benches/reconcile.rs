//! How long the main job takes: rows of a program's own by unique key, amounts read from text, and a day from files to
//! its result.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quanfu::calendar::Date;
use quanfu::money::lexer::{AmountStyle, parse_minor};
use quanfu::settlement::{EntryKind, RefRole};
use quanfu::{Currency, Day, Entry, KeyRun, Money, Profile, Rules};

const RULES: &str = r#"
schema = "quanfu.rules/1"
name = "bench"
calendar = "every-day"
[source.a]
role = "institution"
[source.b]
role = "bank"
[[edge]]
left = "a"
right = "b"
[[edge.rule]]
id = "K"
pass = "unique_key"
on = ["transaction"]
"#;

fn rows(count: i64) -> Vec<Entry<'static>> {
    let day = Date::from_ymd_opt(2026, 3, 2).expect("a day of the calendar");
    (0..count)
        .map(|i| {
            Entry::new(Money::from_minor(i * 7_919 % 1_000_003 + 1, Currency::CNY))
                .with_kind(EntryKind::Payment)
                .with_reference(RefRole::Transaction, format!("T{:016x}", i * 2_654_435_761))
                .on(day)
        })
        .collect()
}

fn unique_key(c: &mut Criterion) {
    let mut group = c.benchmark_group("unique_key");
    group.sample_size(10);
    for count in [10_000i64, 100_000] {
        group.throughput(Throughput::Elements(2 * count as u64));
        let (rules, side) = (
            Rules::parse(RULES).expect("the rules above are right"),
            rows(count),
        );
        group.bench_with_input(BenchmarkId::from_parameter(count), &side, |b, side| {
            b.iter_batched(
                || (side.clone(), side.clone()),
                |(a, b)| {
                    Day::new(rules.clone())
                        .rows("a", a)
                        .rows("b", b)
                        .run()
                        .expect("rows of the bench are right")
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn amounts(c: &mut Criterion) {
    let texts: Vec<String> = (0..1_000)
        .map(|i| format!("{}.{:02}", i * 7_919, i % 100))
        .collect();
    let mut group = c.benchmark_group("parse_amount");
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("minor_units", |b| {
        b.iter(|| {
            texts
                .iter()
                .filter(|t| parse_minor(t.as_bytes(), AmountStyle::PLAIN, 2).is_ok())
                .count()
        });
    });
    group.bench_function("rust_decimal", |b| {
        b.iter(|| {
            texts
                .iter()
                .filter(|t| quanfu::Decimal::from_str_exact(t).is_ok())
                .count()
        });
    });
    group.finish();
}

fn from_files(c: &mut Criterion) {
    let shares = quanfu::sample::Shares {
        payments: 20_000,
        ..Default::default()
    };
    let day = quanfu::sample::day(1, &shares);
    let bytes = |name: &str| day.bytes(name).expect("a file of the day");
    let rules = Rules::parse(&day.rules).expect("rules of the day");
    let mut group = c.benchmark_group("day");
    group.sample_size(10);
    group.throughput(Throughput::Elements(day.truth.len() as u64));
    group.bench_function("files_to_result", |b| {
        b.iter(|| {
            Day::new(rules.clone())
                .file("order", "orders.csv", bytes("orders.csv"))
                .file("psp", "wechat.csv", bytes("wechat.csv"))
                .file("bank", "bank.sta", bytes("bank.sta"))
                .run()
                .expect("the day is sound")
                .document(None)
        });
    });
    group.finish();
}

fn key_run(c: &mut Criterion) {
    const KEYS: &str = r#"
schema = "quanfu.rules/1"
name = "keys"
calendar = "every-day"
[source.a]
role = "order"
profile = "rows"
[source.b]
role = "bank"
profile = "rows"
[[edge]]
left = "a"
right = "b"
[[edge.rule]]
id = "K"
pass = "unique_key"
on = ["transaction", "currency"]
"#;
    const ROWS: &str = r#"
schema = "quanfu.profile/1"
name = "rows"
[columns]
value_date = { name = "day", format = ["%Y-%m-%d"] }
transaction = "key"
[amount]
column = "amount"
[currency]
column = "currency"
"#;
    let rules = Rules::parse(KEYS).expect("the rules above are right");
    let profile = Profile::parse(ROWS).expect("the profile above is right");
    let mut group = c.benchmark_group("key_run");
    group.sample_size(10);
    for count in [10_000u64, 200_000] {
        let mut text = "day,key,amount,currency\n".to_owned();
        for i in 0..count {
            let cents = i * 7_919 % 1_000_003;
            text += &format!(
                "2026-03-02,T{:016x},{}.{:02},CNY\n",
                i * 2_654_435_761,
                cents / 100,
                cents % 100
            );
        }
        group.throughput(Throughput::Elements(2 * count));
        group.bench_with_input(BenchmarkId::from_parameter(count), &text, |b, text| {
            b.iter(|| {
                KeyRun::new(rules.clone())
                    .profile(profile.clone())
                    .expecting(2 * text.len() as u64)
                    .file("a", "a.csv", text.as_bytes())
                    .file("b", "b.csv", text.as_bytes())
                    .run(&mut |_| Ok(()))
                    .expect("the rows of the bench are right")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, unique_key, amounts, from_files, key_run);
criterion_main!(benches);
