//! Two currencies, over small days from seeds: what the engine says of an exchange both verifiers derive again, causes and
//! balances too; and what is changed in it neither believes.
//!
//! `QUANFU_SEEDS` sets the number of days for each set of rules; 150 unless it is set.

mod second;

use std::collections::{BTreeMap, BTreeSet};

use quanfu::settlement::{Cause, Digest, DigestAlg, Limits};
use quanfu::verify::{Candidate, Verification, verify};
use quanfu::{Day, Profile, Reconciled, ResultDoc, Rules};
use second::Second;
use serde_json::json;

const PROFILE: &str = r#"
schema = "quanfu.profile/1"
name = "t-rows"
title = "made up"
[file]
header_within = 1
[columns]
time = { name = "time", format = ["%Y-%m-%dT%H:%M:%S"] }
order = "order"
[kind]
default = "payment"
[currency]
column = "currency"
[amount]
column = "amount"
[fee]
column = "fee"
[original]
amount = "original"
currency = "of"
rate = "rate"
unit = 1
base = "original"
"#;

const HEADER: &str = "order,time,amount,currency,fee,original,of,rate\n";

const OWN: &str = "";
const BY_TABLE: &str = "rates = \"right\"\n[rates]\nsource = \"made up\"\nmax_business_days = 1\n";
const BY_TABLE_OF_DAY: &str = "rates = \"left\"\nrounding = \"half_even\"\n[rates]\nsource = \"made up\"\nkind = \"spot_buy\"\n";

/// With a rate that holds for some days, one of a weekend, and one that is another source's.
const RATES: &str = "date,base,unit,quote,value,kind,source,certainty,valid_from,valid_until\n\
    2026-02-26,USD,1,CNY,7.0000,mid,made up,illustrative,,\n\
    2026-02-27,USD,1,CNY,7.1001,mid,made up,illustrative,,\n\
    2026-03-02,USD,1,CNY,7.1526,mid,made up,illustrative,,\n\
    2026-03-03,USD,1,CNY,7.1801,mid,made up,illustrative,2026-03-04,2026-03-05\n\
    2026-03-02,USD,1,CNY,7.3333,mid,another,illustrative,,\n\
    2026-03-02,CNY,100,USD,14.0012,spot_buy,made up,illustrative,,\n\
    2026-03-04,USD,1,CNY,7.1299,spot_buy,made up,illustrative,,\n";

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) * sides) >> 31
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len() as u64) as usize]
    }
}

fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

/// Pairs of a dollar row and a yuan row that somebody exchanged in some way, on either side.
fn files(seed: u64) -> [String; 2] {
    let mut dice = Dice(seed * 7_919 + 17);
    let mut sides = [String::from(HEADER), String::from(HEADER)];
    for order in 0..6 + dice.roll(6) {
        let cents: i64 = dice.of(&[10_000, 110, 1, 123_456, -5_000, 99_999]);
        let told = if dice.roll(4) == 0 {
            cents - dice.of(&[100, 1, -7])
        } else {
            cents
        };
        let rates: [i64; 7] = [71_526, 71_001, 71_801, 71_424, 71_299, 70_000, 71_072];
        let (named, used) = (dice.of(&rates), dice.of(&rates));
        let used = if dice.roll(2) == 0 { named } else { used };
        let fee = if dice.roll(3) == 0 {
            dice.of(&[-300, -1, 250])
        } else {
            0
        };
        // yuan of cents, rounded or cut off
        let exact = told * used;
        let mut fen = match dice.roll(6) {
            0 => exact / 10_000,
            1 => told * 10_000 / used,
            _ => exact.signum() * ((exact.abs() + 5_000) / 10_000),
        };
        fen += fee + if dice.roll(8) == 0 { 1 } else { 0 };
        let shown = |rate: i64| format!("{}.{:04}", rate / 10_000, rate % 10_000);
        let time = format!("2026-03-0{}T10:00:00", 2 + dice.roll(4));
        let fee = if fee == 0 { String::new() } else { money(fee) };
        let original = if dice.roll(5) == 0 {
            [String::new(), String::new()]
        } else {
            [money(told), "USD".into()]
        };
        let rate = if dice.roll(4) == 0 || original[0].is_empty() {
            String::new()
        } else {
            shown(named)
        };
        let yuan = format!(
            "O{order},{time},{},CNY,{fee},{},{},{rate}\n",
            money(fen),
            original[0],
            original[1]
        );
        let dollars = format!("O{order},{time},{},USD,,,,\n", money(cents));
        let here = dice.roll(3) == 0;
        sides[usize::from(!here)].push_str(&yuan);
        sides[usize::from(here)].push_str(&dollars);
    }
    sides
}

fn rules(rest: &str) -> Rules {
    let (rule, tables) = rest.split_once("[rates]").unwrap_or((rest, ""));
    let rates = if tables.is_empty() {
        String::new()
    } else {
        format!("[rates]{tables}")
    };
    let text = format!(
        "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\n\
         [source.a]\nrole = \"order\"\nprofile = \"t-rows\"\n[source.b]\nrole = \"bank\"\nprofile = \"t-rows\"\n\
         [[edge]]\nleft = \"a\"\nright = \"b\"\n[[edge.balance]]\n[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\n\
         on = [\"order\"]\nexplain = [\"fx\", \"fee\"]\n{rule}{rates}"
    );
    match Rules::parse(&text) {
        Ok(rules) => rules,
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn run(rules: &Rules, [left, right]: &[String; 2]) -> Reconciled {
    let mut day = Day::new(rules.clone())
        .profile(Profile::parse(PROFILE).expect("a profile of ours"))
        .digest(DigestAlg::Sha256)
        .file("a", "a.csv", left.as_bytes())
        .file("b", "b.csv", right.as_bytes());
    if rules.rates.is_some() {
        day = day.rates("rates.csv", RATES);
    }
    day.run().expect("the files are right")
}

/// Document and table.
fn written(done: &Reconciled) -> (ResultDoc, String) {
    let mut table = String::from("\u{feff}");
    done.table().for_each_line(|line| table.push_str(line));
    let digest = Digest::of(DigestAlg::Sha256, table.as_bytes());
    (done.document(Some(digest)), table)
}

fn first(document: &str, files: [&str; 4]) -> Verification {
    let files = files.map(|file| Candidate::bytes("file", file.as_bytes()));
    verify(document, &files, &Limits::default()).expect("files in memory can be read")
}

#[test]
fn what_is_said_of_an_exchange_both_verifiers_derive_again() {
    let seeds: u64 = std::env::var("QUANFU_SEEDS")
        .map_or(150, |text| text.parse().expect("QUANFU_SEEDS is a number"));
    let mut second = Second::start("exchanges");
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (name, rest) in [
        ("own", OWN),
        ("table", BY_TABLE),
        ("table of the day", BY_TABLE_OF_DAY),
    ] {
        let rules = rules(rest);
        for seed in 0..seeds {
            let files = files(seed);
            let done = run(&rules, &files);
            let (doc, table) = written(&done);
            let document = doc.to_json();
            let all = [&files[0], &files[1], &table, RATES];
            let texts = all.map(|text| json!({ "text": text }));
            second.ask(format!("{name}, seed {seed}"), &document, &texts, &[]);
            let answer = first(&document, all);
            assert!(
                answer.holds(),
                "{name}, seed {seed}: {answer:?}\n{}{}",
                files[0],
                files[1]
            );
            for group in &done.outcomes().edges[0].groups {
                let names: Vec<&str> = group
                    .causes
                    .iter()
                    .map(|cause| cause.name.as_str())
                    .collect();
                let code = group.code.map_or("", |code| code.code());
                *seen
                    .entry(format!("{code} {}", names.join(" ")))
                    .or_default() += 1;
            }
        }
    }
    let refused: Vec<_> = second
        .finish()
        .into_iter()
        .filter(|answer| answer.verdict != "holds")
        .collect();
    assert!(
        refused.is_empty(),
        "{} refused: {:#?}",
        refused.len(),
        &refused[..refused.len().min(3)]
    );
    // a campaign that never meets a case proves nothing about it
    for wanted in [
        " fx",
        " fx fee",
        "FX_DIFF ",
        "FX_DIFF fx fx_rate",
        "FX_DIFF fx fx_rounding",
        "FX_DIFF fx fx_direction",
        "FX_DIFF fx fx_price",
        "FX_DIFF fx fx_price fx_rate",
        "FX_DIFF fx fx_rate fee",
        "FX_DIFF fx fx_price fx_rate fee",
        "FX_DIFF fx unexplained",
        "CURRENCY_MISMATCH ",
    ] {
        assert!(
            seen.contains_key(wanted),
            "{wanted:?} never came up: {seen:#?}"
        );
    }
}

/// Lines without file and line, by edge, source and record: the outcome digest of a table of one edge.
fn outcome_digest(table: &str) -> Digest {
    let lines = table.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.splitn(5, ',').collect();
        (
            (cells[0], cells[3]),
            format!("{},{},{}\n", cells[0], cells[3], cells[4]),
        )
    });
    let sorted: BTreeMap<_, _> = lines.collect();
    let text: String = sorted.into_values().collect();
    Digest::of(DigestAlg::Sha256, text.as_bytes())
}

/// A lie as a lying engine would tell it: in document and table, all digests computed again.
fn resealed(document: &str, table: &str) -> Option<(String, String)> {
    let mut doc = ResultDoc::from_json(document).ok()?;
    doc.certificate.outcomes_table = Some(Digest::of(DigestAlg::Sha256, table.as_bytes()));
    doc.certificate.outcome_digest = outcome_digest(table);
    Some((doc.sealed().to_json(), table.to_owned()))
}

#[test]
fn a_lie_about_an_exchange_is_found_by_both() {
    let rules = rules(BY_TABLE);
    let files = files(5);
    let done = run(&rules, &files);
    let (doc, table) = written(&done);
    let honest = doc.to_json();
    let again = resealed(&honest, &table).expect("a document");
    assert_eq!(
        again.0, honest,
        "the liar computes digests as the engine does"
    );
    let mut lies: Vec<(String, String, String)> = Vec::new();
    let mut lie = |label: &str, document: String, table: String| {
        if let Some((document, table)) = resealed(&document, &table) {
            lies.push((label.to_owned(), document, table));
        }
    };
    // each cause: another name, another amount, another note, in all places at once
    let all: BTreeSet<(String, String)> = done.outcomes().edges[0]
        .groups
        .iter()
        .flat_map(|group| &group.causes)
        .map(|cause: &Cause| (cause.name.clone(), cause.to_string()))
        .collect();
    for (name, shown) in &all {
        let amount = shown.split([':', ' ']).nth(1).unwrap_or_default();
        let note = shown.split(['(', ')']).nth(1).unwrap_or_default();
        for other in [
            "fx_rate",
            "fx_rounding",
            "fx_direction",
            "fx_price",
            "fee",
            "unexplained",
        ] {
            if other != name && name != "fx" {
                let renamed = shown.replacen(&format!("{name}:"), &format!("{other}:"), 1);
                lie(
                    &format!("{shown} as {other}"),
                    honest.replace(
                        &format!("\"cause\": \"{name}\",\n          \"amount\": \"{amount}\""),
                        &format!("\"cause\": \"{other}\",\n          \"amount\": \"{amount}\""),
                    ),
                    table.replace(shown.as_str(), &renamed),
                );
            }
        }
        if !note.is_empty() {
            let changed = shown
                .replace("7.", "6.")
                .replace("down", "up")
                .replace("divided", "multiplied")
                .replace("USD)", "CNY)");
            let told = note
                .replace("7.", "6.")
                .replace("down", "up")
                .replace("divided", "multiplied")
                .replace("USD", "CNY");
            lie(
                &format!("{shown}, its note"),
                honest.replace(note, &told),
                table.replace(shown.as_str(), &changed),
            );
        }
        if name == "fx" {
            let rate = shown.strip_prefix("fx:").unwrap_or_default();
            let told = rate.replace("7.", "6.");
            lie(
                &format!("{shown}, its rate"),
                honest.replace(rate, &told),
                table.replace(rate, &told),
            );
        }
    }
    // breaks that are told as confirmed, differences moved from cause to cause
    lie(
        "confirmed",
        honest.clone(),
        table.replace(",break,FX_DIFF,", ",confirmed,,"),
    );
    lie(
        "in the table alone",
        honest.clone(),
        table.replace("fx_rate:", "unexplained:"),
    );
    lie(
        "in the document alone",
        honest.replace("\"fx_rate\"", "\"fx_rounding\""),
        table.clone(),
    );
    lie(
        "the table's size",
        honest.replace("\"rates\": 7", "\"rates\": 8"),
        table.clone(),
    );
    lie(
        "the table's length",
        honest.replace(&format!("\"bytes\": {}", RATES.len()), "\"bytes\": 1"),
        table.clone(),
    );
    let other = Digest::of(
        DigestAlg::Sha256,
        RATES.replace("7.1526", "7.1527").as_bytes(),
    )
    .to_string();
    let own = Digest::of(DigestAlg::Sha256, RATES.as_bytes()).to_string();
    lie("another table", honest.replace(&own, &other), table.clone());
    let told = lies
        .iter()
        .filter(|lie| lie.1 != honest || lie.2 != table)
        .count();
    assert!(told > 30, "{told} lies");
    let mut second = Second::start("exchange-lies");
    let rates = [RATES.to_owned(), RATES.replace("7.1526", "7.1527")];
    for (label, document, table) in lies.iter().filter(|lie| lie.1 != honest || lie.2 != table) {
        let rates = if label == "another table" {
            &rates[1]
        } else {
            &rates[0]
        };
        let all = [&files[0], &files[1], table.as_str(), rates];
        let answer = first(document, all);
        assert!(
            matches!(answer, Verification::Fails(_)),
            "{label}: {answer:?}"
        );
        let texts = all.map(|text| json!({ "text": text }));
        second.ask(label.clone(), document, &texts, &[]);
    }
    let believed: Vec<_> = second
        .finish()
        .into_iter()
        .filter(|answer| answer.verdict == "holds")
        .collect();
    assert!(believed.is_empty(), "{believed:#?}");
}
