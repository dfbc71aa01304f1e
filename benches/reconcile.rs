//! How long the main job takes: rows of a program's own by unique key, amounts read from text, and a day from files to
//! its result.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quanfu::calendar::Date;
use quanfu::money::lexer::{AmountStyle, parse_minor};
use quanfu::settlement::entry::Moment;
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

/// Rows that one pass must settle: `[left, right]`, as rows of a program.
type Sides = [Vec<Entry<'static>>; 2];

/// A row: its number, what it is worth, its merchant, and the second of its day.
fn row(number: i64, minor: i64, merchant: i64, second: i64) -> Entry<'static> {
    let date = Date::from_ymd_opt(2026, 3, 2).expect("a day of the calendar");
    Entry::new(Money::from_minor(minor, Currency::CNY))
        .with_kind(EntryKind::Payment)
        .with_reference(
            RefRole::Transaction,
            format!("QF{:012X}", number * 2_654_435_761),
        )
        .with_reference(RefRole::Merchant, format!("M{merchant:06}"))
        .on(date)
        .with_time(Moment {
            date,
            second: second as u32,
            offset_minutes: None,
        })
}

/// An amount that few other rows have.
fn minor(number: i64) -> i64 {
    number * 7_919 % 1_000_003 + 1_000
}

/// Twenty rows of each merchant, and one line for `share` of each twenty.
fn batches(count: i64, share: i64) -> Sides {
    let left = (0..count).map(|n| row(n, minor(n), n / 20, n % 20 * 60));
    let right = (0..count / 20).map(|batch| {
        let sum = (batch * 20..batch * 20 + share).map(minor).sum();
        row(1_000_000 + batch, sum, batch, 80_000)
    });
    [left.collect(), right.collect()]
}

fn pairs(count: i64, mut other: impl FnMut(i64) -> Entry<'static>) -> Sides {
    let left = (0..count).map(|n| row(n, minor(n), n / 20, n % 86_400));
    [left.collect(), (0..count).map(&mut other).collect()]
}

/// Each way of matching by itself, over rows that it settles.
fn passes(c: &mut Criterion) {
    const COUNT: i64 = 10_000;
    let by_merchant = "on = [\"merchant\", \"currency\"]\n";
    let cases: [(&str, String, Sides); 7] = [
        (
            "key_group",
            "on = [\"transaction\"]\n".into(),
            [
                (0..COUNT).map(|n| row(n / 2, minor(n), 0, n)).collect(),
                (0..COUNT / 2)
                    .map(|n| row(n, minor(2 * n) + minor(2 * n + 1), 0, n))
                    .collect(),
            ],
        ),
        ("net_batch", by_merchant.into(), batches(COUNT, 20)),
        (
            "run_batch",
            format!("{by_merchant}max_chance = \"1\"\n"),
            batches(COUNT, 12),
        ),
        (
            "near_key",
            "on = [\"currency\"]\nnear = { left = \"transaction\", right = \"transaction\" }\n"
                .into(),
            pairs(COUNT, |n| {
                let text = format!("PAY QF{:012X} THX", n * 2_654_435_761);
                let other = row(n, minor(n), n / 20, n % 86_400);
                other.with_reference(RefRole::Transaction, text)
            }),
        ),
        (
            "exact_token",
            by_merchant.into(),
            pairs(COUNT, |n| row(COUNT + n, minor(n), n / 20, n % 86_400)),
        ),
        (
            "assignment",
            format!(
                "{by_merchant}decide = \"confirm\"\ntolerance = [{{ cause = \"bank_charge\", max_minor = 3 }}]\n"
            ),
            pairs(COUNT, |n| {
                row(COUNT + n, minor(n) - n % 3, n / 20, n % 86_400)
            }),
        ),
        (
            "subset",
            format!("{by_merchant}decide = \"confirm\"\nmax_members = 4\n"),
            batches(COUNT, 3),
        ),
    ];
    let mut group = c.benchmark_group("pass");
    group.sample_size(10);
    for (pass, keys, sides) in cases {
        let edge = format!("pass = \"{pass}\"\n{keys}");
        let text = RULES.replace("pass = \"unique_key\"\non = [\"transaction\"]\n", &edge);
        let rules = Rules::parse(&text).expect("the rules above are right");
        let run = |[left, right]: Sides| {
            let day = Day::new(rules.clone()).rows("a", left).rows("b", right);
            day.run().expect("rows of the bench are right")
        };
        let found = run(sides.clone()).document(None);
        assert!(
            found.edges.iter().any(|edge| !edge.groups.is_empty()),
            "{pass} finds nothing"
        );
        group.throughput(Throughput::Elements(
            (sides[0].len() + sides[1].len()) as u64,
        ));
        group.bench_function(pass, |b| {
            b.iter_batched(|| sides.clone(), run, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, unique_key, amounts, from_files, key_run, passes);
criterion_main!(benches);
