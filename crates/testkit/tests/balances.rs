//! Presences and balance reconciliations of many small days, each derived a second time by `verify`; and lies about them.

use quanfu::sample::{SampleDay, Shares, day, next_day};
use quanfu::settlement::Limits;
use quanfu::verify::{Candidate, Verification, verify};
use quanfu::{Day, Profile, Reconciled, ResultDoc, Rules};
use serde_json::Value;

const PROFILE: &str = r#"
schema = "quanfu.profile/1"
name = "mini"
[columns]
value_date = { name = "day", format = ["%Y-%m-%d"] }
order = "order"
batch = "batch"
institution = "number"
[kind]
column = "kind"
words = { payment = ["payment"], refund = ["refund"], fee = ["fee"], reversal = ["reversal"] }
[status]
column = "status"
words = { booked = ["booked"], pending = ["pending"] }
[currency]
column = "currency"
[amount]
column = "amount"
[fee]
column = "fee"
"#;

/// Numbers that look random and are the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn one_of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.roll(words.len() as u64) as usize]
    }
}

fn rules(dice: &mut Dice) -> String {
    let carry = dice.one_of(&[
        "",
        "carry = { business_days = 1 }\n",
        "carry = { business_days = 5 }\n",
    ]);
    let mut text = format!("schema = \"quanfu.rules/1\"\nname = \"m\"\ncalendar = \"CN\"\n{carry}");
    for (name, role) in [("shop", "order"), ("psp", "institution"), ("bank", "bank")] {
        text.push_str(&format!(
            "[source.{name}]\nrole = \"{role}\"\nprofile = \"mini\"\n"
        ));
    }
    let mut edge = |left: &str, right: &str, on: &str, dice: &mut Dice| {
        let decide = dice.one_of(&["", "", "decide = \"suggest\"\n"]);
        let explain = dice.one_of(&["", "explain = [\"fee\"]\n", "left_amount = \"net\"\n"]);
        let filter = dice.one_of(&[
            "",
            "",
            "right_where = { kind = [\"payment\", \"refund\"] }\n",
        ]);
        let pass = match on {
            "batch" => "net_batch\"",
            _ => dice.one_of(&[
                "unique_key\"",
                "unique_key\"",
                "key_group\"\npartial = \"right\"",
            ]),
        };
        text.push_str(&format!(
            "[[edge]]\nleft = \"{left}\"\nright = \"{right}\"\n{filter}[[edge.rule]]\nid = \"K\"\npass = \"{pass}\non = [\"{on}\"]\n{decide}{explain}"
        ));
        let bank = if right == "bank" {
            ""
        } else {
            "bank = \"psp\"\n"
        };
        text.push_str(dice.one_of(&["", "[[edge.balance]]\nBANK", "[[edge.balance]]\ncurrency = \"CNY\"\ncompany_opening = \"1.00\"\nbank_opening = \"1.00\"\nBANK[[edge.balance]]\nBANK"]).replace("BANK", bank).as_str());
    };
    edge("shop", "psp", "order", dice);
    edge("psp", "bank", "batch", dice);
    if dice.roll(2) == 0 {
        edge("shop", "bank", "order", dice);
    }
    text
}

fn csv(dice: &mut Dice, on: u64) -> String {
    let mut text = String::from("day,order,batch,number,kind,status,currency,amount,fee\n");
    for _ in 0..dice.roll(7) {
        let minor = dice.roll(5) as i64 - 1;
        text.push_str(&format!(
            "2026-03-{:02},{},{},{},{},{},{},{}.00,{}\n",
            on - dice.roll(2),
            dice.one_of(&["A", "B", "C", "D"]),
            dice.one_of(&["1", "2", "3"]),
            dice.one_of(&["7", "8"]),
            dice.one_of(&["payment", "payment", "refund", "fee", "reversal"]),
            dice.one_of(&["booked", "booked", "booked", "pending"]),
            dice.one_of(&["CNY", "CNY", "CNY", "USD"]),
            minor,
            dice.one_of(&["", "0.01", "1"]),
        ));
    }
    text
}

fn small(
    rules: &str,
    files: &[String],
    at: u64,
    previous: Option<&ResultDoc>,
    threads: usize,
) -> Reconciled {
    let mut run = Day::new(Rules::parse(rules).expect("rules"))
        .profile(Profile::parse(PROFILE).expect("a profile"))
        .threads(threads)
        .as_of(format!("2026-03-{at:02}").parse().expect("a day"));
    if let Some(previous) = previous {
        run = run.after(previous);
    }
    for (source, text) in ["shop", "psp", "bank"].iter().zip(files) {
        run = run.file(source, &format!("{source}-{at}.csv"), text.as_bytes());
    }
    run.run().expect("a small day")
}

#[test]
fn small_days_of_all_kinds_hold_three_days_on() {
    let (mut presences, mut balances, mut brought) = (std::collections::BTreeSet::new(), 0, 0);
    for seed in 0..400 {
        let mut dice = Dice(seed * 7_919 + 1);
        let rules = rules(&mut dice);
        let mut previous: Option<ResultDoc> = None;
        for at in [3, 4, 10] {
            let files: Vec<String> = (0..3).map(|_| csv(&mut dice, at)).collect();
            let done = small(&rules, &files, at, previous.as_ref(), 1);
            let doc = done.document(None);
            let again = small(&rules, &files, at, previous.as_ref(), 3).document(None);
            assert_eq!(doc.to_json(), again.to_json(), "seed {seed}: threads");
            let earlier = previous.as_ref().map(ResultDoc::to_json);
            let mut given: Vec<Candidate<'_>> = files
                .iter()
                .map(|text| Candidate::bytes("f", text.as_bytes()))
                .collect();
            given.extend(
                earlier
                    .iter()
                    .map(|text| Candidate::bytes("p", text.as_bytes())),
            );
            let answer = verify(&doc.to_json(), &given, &Limits::default()).expect("read");
            assert!(
                answer.holds(),
                "seed {seed}, day {at}: {answer:?}\n{rules}\n{files:#?}"
            );

            // Every row that an edge asks about is told once; nothing overdue is called anything else.
            for (source, summary) in doc.sources.iter().enumerate() {
                let told: u64 = doc
                    .presence
                    .iter()
                    .filter(|line| line.source == summary.name)
                    .map(|line| line.rows)
                    .sum();
                assert!(
                    told <= summary.entries + summary.carried_in,
                    "seed {seed}, source {source}"
                );
            }
            for line in &doc.presence {
                assert!(line.waiting + line.undecided + line.left_out <= line.rows);
                presences.insert((
                    line.state,
                    line.waiting > 0,
                    line.undecided > 0,
                    line.left_out > 0,
                ));
            }
            for balance in &doc.balances {
                balances += 1;
                let own: usize = balance
                    .outstanding
                    .iter()
                    .map(|list| list.items.len())
                    .sum();
                brought += usize::from(own > 0 && previous.is_some());
                // No figure is declared but equal openings: what is known ties.
                let difference = balance.difference.as_deref().unwrap_or("0.00");
                assert_eq!(difference, "0.00", "seed {seed}, day {at}: {balance:#?}");
            }
            previous = Some(doc);
        }
    }
    assert!(presences.len() > 15, "{presences:?}");
    assert!(balances > 1_000 && brought > 300, "{balances} {brought}");
}

fn shares() -> Shares {
    Shares {
        payments: 2,
        late_bill: 2,
        behind_cutoff: 1,
        refunds: 1,
        order_only_fresh: 1,
        order_only_old: 1,
        channel_only_fresh: 1,
        channel_only_old: 1,
        refund_unknown: 1,
        more: 1,
        less: 1,
        pending: 1,
        paid_twice: 1,
        exported_twice: 1,
        revoked: 1,
        closed: 1,
        short_batch: true,
        bank_only_fresh: 1,
        bank_only_old: 1,
    }
}

fn with_balance(sample: &SampleDay) -> String {
    format!(
        "{}\n[[edge.balance]]\ncurrency = \"CNY\"\ncompany_opening = \"100000.00\"\n",
        sample.rules
    )
}

const FILES: [(&str, &str); 3] = [
    ("order", "orders.csv"),
    ("psp", "wechat.csv"),
    ("bank", "bank.sta"),
];

fn run(sample: &SampleDay, after: Option<&ResultDoc>) -> ResultDoc {
    let mut day = Day::new(Rules::parse(&with_balance(sample)).expect("rules"));
    if let Some(previous) = after {
        day = day.after(previous);
    }
    for (source, name) in FILES {
        day = day.file(source, name, sample.bytes(name).expect("a file"));
    }
    day.run().expect("the sample's day").document(None)
}

fn check(doc: &ResultDoc, sample: &SampleDay, previous: &str) -> Verification {
    let mut files: Vec<Candidate<'_>> = FILES
        .iter()
        .map(|(_, name)| Candidate::bytes(*name, sample.bytes(name).expect("a file")))
        .collect();
    files.push(Candidate::bytes("previous.json", previous.as_bytes()));
    verify(&doc.to_json(), &files, &Limits::default()).expect("files in memory can be read")
}

#[test]
fn the_demos_bank_statement_ties_to_the_bill_on_both_days() {
    let first = run(&day(8, &shares()), None);
    let second = run(&next_day(8, &shares()), Some(&first));
    for doc in [&first, &second] {
        let balance = &doc.balances[0];
        assert_eq!(balance.verdict.code(), "balanced", "{balance:#?}");
        assert!(balance.outstanding.iter().any(|list| list.count > 0));
    }
}

/// Every way to every value of a document.
fn paths(value: &Value, path: &str, out: &mut Vec<String>) {
    let mut deeper = |key: &str, value: &Value| paths(value, &format!("{path}/{key}"), out);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| deeper(key, value)),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                deeper(&index.to_string(), value);
            }
            out.push(path.to_owned());
        }
        _ => out.push(path.to_owned()),
    }
}

fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => ["0.00", "1", "previous", "ALL"].map(Value::from).to_vec(),
        Value::Number(number) => vec![
            Value::from(number.as_u64().unwrap_or(0) + 1),
            Value::from(0),
        ],
        Value::String(text) => {
            let mut others: Vec<Value> = [
                "0.00",
                "-0.01",
                "CNY",
                "USD",
                "psp",
                "bank",
                "order",
                "ALL",
                "NO_ORDER",
                "BANK_ALONE",
                "rolled",
                "statements",
                "balanced",
                "not_balanced",
                "company_paid",
                "bank_paid",
                "unexplained",
                "fee",
                "2017-01-17",
            ]
            .map(Value::from)
            .to_vec();
            others.push(Value::from(format!("{text}1")));
            others.push(Value::from(format!("0{text}")));
            others.push(Value::Null);
            others
        }
        Value::Array(list) => {
            let mut others = vec![Value::Array(Vec::new())];
            if let Some(first) = list.first() {
                let mut twice = list.clone();
                twice.push(first.clone());
                let mut turned = list.clone();
                turned.rotate_left(1);
                others.extend([twice, turned, list[1..].to_vec()].map(Value::Array));
            }
            others
        }
        _ => Vec::new(),
    }
}

#[test]
fn no_changed_field_of_a_presence_or_balance_holds_even_with_every_digest_computed_again() {
    let first = run(&day(3, &shares()), None);
    let previous = first.to_json();
    let sample = next_day(3, &shares());
    let doc = run(&sample, Some(&first));
    assert!(
        check(&doc, &sample, &previous).holds(),
        "{:?}",
        check(&doc, &sample, &previous)
    );
    let value = serde_json::to_value(&doc).expect("a document");
    let mut all = Vec::new();
    paths(&value, "", &mut all);
    all.retain(|path| {
        path.starts_with("/presence")
            || path.starts_with("/balances")
            || path.ends_with("/presence")
    });
    let (mut tried, mut held) = (0, Vec::new());
    for path in &all {
        for other in others(value.pointer(path).expect("it is there")) {
            let mut changed = value.clone();
            *changed.pointer_mut(path).expect("it is there") = other.clone();
            let Ok(lie) = serde_json::from_value::<ResultDoc>(changed) else {
                continue;
            };
            let lie = lie.sealed();
            if lie == doc {
                continue;
            }
            tried += 1;
            match check(&lie, &sample, &previous) {
                Verification::Fails(fault) if path.starts_with("/presence") => {
                    assert_eq!(fault.code, "verify-presence")
                }
                Verification::Fails(fault) if path.starts_with("/balances") => {
                    assert_eq!(fault.code, "verify-balance")
                }
                Verification::Fails(fault) => assert_eq!(fault.code, "verify-open-positions"),
                _ => held.push(format!("{path} = {other}")),
            }
        }
    }
    assert!(tried > 900, "{tried}");
    assert!(
        held.is_empty(),
        "{} of {tried} lies hold: {held:#?}",
        held.len()
    );
}

#[test]
fn the_lies_of_an_engine_about_balances_are_refused_by_name() {
    let first = run(&day(5, &shares()), None);
    let previous = first.to_json();
    let sample = next_day(5, &shares());
    let doc = run(&sample, Some(&first));
    let refused = |says: &str, lie: &dyn Fn(&mut ResultDoc)| {
        let mut changed = doc.clone();
        lie(&mut changed);
        assert_ne!(changed, doc, "{says}");
        let answer = check(&changed.sealed(), &sample, &previous);
        assert!(
            matches!(&answer, Verification::Fails(fault) if fault.code.starts_with("verify-")),
            "{says}: {answer:?}"
        );
    };
    refused(
        "an outstanding item is dropped, and all figures follow",
        &|doc| {
            let balance = &mut doc.balances[0];
            let list = balance
                .outstanding
                .iter_mut()
                .find(|list| list.count > 0)
                .expect("an item");
            (list.count, list.sum) = (0, "0.00".to_owned());
            list.items.clear();
        },
    );
    refused("the unexplained is told as a fee", &|doc| {
        let lines = &mut doc.balances[0].adjusting;
        let last = lines.len() - 1;
        let unexplained = lines[last].sum.clone();
        lines[last].sum = "0.00".to_owned();
        lines.insert(
            0,
            quanfu::settlement::result::BridgeLine {
                cause: "rounding".to_owned(),
                sum: unexplained,
            },
        );
    });
    refused("the reconciliation is left out", &|doc| {
        doc.balances.clear()
    });
    refused("the presence is left out", &|doc| doc.presence.clear());
    refused("a break is told as seen by all", &|doc| {
        let members = doc
            .breaks
            .iter_mut()
            .chain(&mut doc.carried)
            .flat_map(|position| &mut position.members);
        members.for_each(|member| member.presence = Some(quanfu::settlement::Presence::All));
    });
    // The predecessor itself is changed: it is another result then.
    let mut other = first.clone();
    other.balances[0].company.closing = Some("1.00".to_owned());
    let answer = check(&doc, &sample, &other.sealed().to_json());
    assert!(matches!(answer, Verification::Incomplete(_)), "{answer:?}");
}
