//! Every pass, over small hostile days from seeds: what the engine says the verifier derives again, the second verifier calls none of it
//! a lie, the same bytes come of other threads and other orders of rows, and mirrored sides give mirrored outcomes.
//!
//! `QUANFU_SEEDS` sets the number of days for each set of rules; 150 unless it is set.

mod second;

use quanfu::settlement::{Digest, DigestAlg, Limits, Outcome, Side};
use quanfu::verify::{Candidate, Verification, verify};
use quanfu::{Day, Profile, Reconciled, Rules};
use second::Second;
use serde_json::json;

const LEFT: &str = r#"
schema = "quanfu.profile/1"
name = "t-left"
title = "made up"
[file]
header_within = 1
[columns]
time = { name = "time", format = ["%Y-%m-%dT%H:%M:%S"] }
order = "order"
institution = "ref"
merchant = "merchant"
transaction = "id"
token = "count"
[kind]
column = "kind"
words = { payment = ["P"], refund = ["R"], payout = ["S"] }
[currency]
column = "currency"
[amount]
column = "amount"
[fee]
column = "fee"
"#;

const HEADER: &str = "id,order,ref,time,currency,amount,fee,merchant,kind,count\n";

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
}

fn money(fen: i64) -> String {
    format!(
        "{}{}.{:02}",
        if fen < 0 { "-" } else { "" },
        fen.abs() / 100,
        fen.abs() % 100
    )
}

/// A reference, now and then with a slip.
fn reference(dice: &mut Dice, number: u64) -> String {
    let mut text = format!("QF{:08X}", (number * 2_654_435_761) & 0xFFFF_FFFF);
    match dice.roll(10) {
        0 => text.replace_range(5..6, "Z"),
        1 | 4 => text = format!("PAY {text} THX"),
        2 => text.truncate(8),
        3 => text = String::new(),
        _ => {}
    }
    text
}

/// What a row brings, and whose it is.
struct Part {
    side: char,
    net: i64,
    number: u64,
    merchant: u64,
    hour: u64,
}

/// Rows of a side; those of the bank are now and then the sum of some rows of the other.
fn rows(dice: &mut Dice, side: char, count: u64, parts: &mut Vec<Part>) -> Vec<String> {
    let mut all = Vec::new();
    for row in 0..count {
        let mut number = dice.roll(14);
        let amounts = [100, 200, 300, 500, 600, 1_000, 1_100, 12_345, 101, 700];
        let amount = if dice.roll(2) == 0 {
            number % 10
        } else {
            dice.roll(10)
        };
        let mut cents: i64 = amounts[amount as usize];
        let mut merchant = dice.roll(2);
        let mut kind = ["P", "P", "P", "P", "P", "P", "P", "S", "S", "R"][dice.roll(10) as usize];
        let mut hour = dice.roll(3) * 24 + dice.roll(24);
        let fee = [0, 0, 0, 1, 100][dice.roll(5) as usize];
        if kind == "R" {
            cents = -cents;
        }
        let mut count = String::new();
        let mut alone = None;
        if side == 'b' && dice.roll(2) == 0 {
            merchant = dice.roll(2);
            let take = [1, 1, 2, 3, 4][dice.roll(5) as usize];
            let mut own: Vec<&Part> = parts
                .iter()
                .filter(|part| part.merchant == merchant)
                .collect();
            if dice.roll(2) == 0 {
                own.sort_by_key(|part| part.hour);
            }
            let from = dice.roll(own.len() as u64 + 1) as usize;
            let till = (from + take).min(own.len());
            let own = if dice.roll(3) == 0 {
                // a day's
                let day = own.get(from).map(|part| part.hour / 24);
                own.retain(|part| Some(part.hour / 24) == day && part.side == 'a');
                // the first of them on a line of its own
                if own.len() > 2 && dice.roll(3) > 0 {
                    alone = Some(own.remove(0).net);
                }
                &own[..]
            } else {
                &own[from..till]
            };
            if let Some(last) = own.last() {
                cents = own.iter().map(|part| part.net).sum::<i64>()
                    + [0, 0, 0, 0, 2][dice.roll(5) as usize];
                (number, hour, kind) = (last.number, last.hour + dice.roll(20), "S");
                if dice.roll(3) == 0 {
                    count = own.len().to_string();
                }
            }
        } else if dice.roll(9) == 0 {
            count = dice.roll(4).to_string();
        }
        parts.push(Part {
            side,
            net: cents - fee,
            number,
            merchant,
            hour,
        });
        let currency = if dice.roll(15) == 0 { "USD" } else { "CNY" };
        let fee = match fee {
            0 if row % 2 == 0 => String::new(), // names no fee
            _ if kind == "S" => money(0),
            fee => money(fee),
        };
        let mut line = |id: &str, cents: i64| {
            let reference = reference(dice, number);
            all.push(format!(
                "{side}{row:03}{id},O{},{reference},2026-03-{:02}T{:02}:00:00,{currency},{},{fee},M{merchant},{kind},{count}\n",
                number % 9,
                2 + hour / 24,
                hour % 24,
                money(cents),
            ));
        };
        line("", cents);
        if let Some(alone) = alone {
            line("b", alone);
        } else if number == 0 {
            line("c", cents); // once more, under another number
        }
    }
    all
}

fn rules(of_edge: &str) -> Rules {
    let text = format!(
        "schema = \"quanfu.rules/1\"\nname = \"t\"\ncalendar = \"CN\"\ncarry = {{ business_days = 2 }}\n\
         [source.a]\nrole = \"institution\"\nprofile = \"t-left\"\n[source.b]\nrole = \"bank\"\nprofile = \"t-left\"\n\
         [[edge]]\nleft = \"a\"\nright = \"b\"\n{of_edge}"
    );
    match Rules::parse(&text) {
        Ok(rules) => rules,
        Err(error) => panic!("{error}\n{text}"),
    }
}

const GROUP: &str = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\", \"currency\"]\nexplain = [\"fee\"]\n\
    [[edge.rule]]\nid = \"G\"\npass = \"key_group\"\non = [\"order\", \"currency\"]\nexplain = [\"fee\"]\nwindow = { days = [-1, 1] }\n";
const REF: &str =
    "[[edge.rule]]\nid = \"R\"\npass = \"unique_key\"\non = [\"institution\", \"currency\"]\n";
const NEAR: &str = "[[edge.rule]]\nid = \"N\"\npass = \"near_key\"\non = [\"currency\"]\nexplain = [\"fee\"]\n\
    near = { left = \"institution\", right = \"institution\", min_chars = 6 }\nwindow = { days = [-2, 2] }\n";
const BATCH: &str = "[[edge.rule]]\nid = \"B\"\npass = \"net_batch\"\non = [\"merchant\", \"currency\", \"accounting_day\"]\nexplain = [\"fee\"]\ncount = \"token\"\non_difference = \"leave\"\n";
const PART_OF_DAY: &str = "[[edge.rule]]\nid = \"S\"\npass = \"subset\"\non = [\"merchant\", \"currency\", \"accounting_day\"]\nexplain = [\"fee\"]\nright_where = { kind = [\"payout\"] }\nmax_members = 1\nmax_left_out = 0\nmax_chance = \"0\"\ndecide = \"confirm\"\n";
const BATCHES: &str = "[[edge.rule]]\nid = \"B2\"\npass = \"net_batch\"\non = [\"merchant\", \"currency\", \"accounting_day\"]\nexplain = [\"fee\"]\nright_where = { kind = [\"payout\"] }\n";
const RUN: &str = "[[edge.rule]]\nid = \"RB\"\npass = \"run_batch\"\non = [\"merchant\", \"currency\"]\nexplain = [\"fee\"]\nwindow = { days = [0, 1] }\nmax_chance = \"1\"\n";
const RUN_NEAR: &str = "[[edge.rule]]\nid = \"RB\"\npass = \"run_batch\"\non = [\"merchant\"]\ncount = \"token\"\nwindow = { business_days = [-1, 1] }\ntolerance = [{ cause = \"bank_charge\", max_minor = 2 }]\n";
const ASSIGN: &str = "[[edge.rule]]\nid = \"A\"\npass = \"assignment\"\non = [\"merchant\"]\nwindow = { days = [-1, 1] }\ntolerance = [{ cause = \"bank_charge\", max_minor = 150 }]\nexplain = [\"fee\"]\ndecide = \"confirm\"\n";
const SUBSET: &str = "[[edge.rule]]\nid = \"S\"\npass = \"subset\"\non = [\"currency\"]\nwindow = { days = [-1, 1] }\nmax_members = 4\n";
const SUBSETS: &str = "[[edge.rule]]\nid = \"S\"\npass = \"subset\"\non = [\"merchant\", \"currency\"]\nexplain = [\"fee\"]\nwindow = { days = [-1, 2] }\nmax_members = 3\nmax_left_out = 1\nmax_lines = 3\nmax_nodes = 1000\nmax_chance = \"1\"\ndecide = \"confirm\"\ntolerance = [{ cause = \"rounding\", max_minor = 1 }]\n";
const OTHER_WAY: &str = "[[edge.rule]]\nid = \"S\"\npass = \"subset\"\non = [\"merchant\"]\ndecide = \"confirm\"\nsingle = \"left\"\ncount = \"token\"\nwindow = { days = [0, 2] }\nmax_lines = 2\n";
const TOKEN: &str = "[[edge.rule]]\nid = \"T\"\npass = \"exact_token\"\non = [\"merchant\", \"currency\"]\nwindow = { days = [0, 1] }\nexplain = [\"fee\"]\n";
/// Captures of the bank come one by one; with and without a time to wait for the rest.
const PARTS: &str = "[[edge.rule]]\nid = \"P\"\npass = \"key_group\"\non = [\"order\", \"currency\"]\nexplain = [\"fee\"]\npartial = \"right\"\n";
/// Of the institution's rows on the first two days, by a contract.
const FEES: &str = "[[source.a.fee]]\nfrom = \"2026-03-01\"\nuntil = \"2026-03-03\"\nkind = [\"payment\", \"refund\"]\ncurrency = \"CNY\"\n\
    percent = \"0.45\"\nmin = \"0.01\"\nrounding = \"half_even\"\ndocument = \"made up, clause 3\"\n\
    [[source.a.fee]]\nfrom = \"2026-03-04\"\nkind = [\"payment\"]\ncurrency = \"CNY\"\nfixed = \"1\"\nrounding = \"half_up\"\n\
    document = \"made up, clause 4\"\n";

fn sets() -> Vec<(&'static str, String)> {
    vec![
        (
            "group, near, batch, run",
            [GROUP, NEAR, BATCH, RUN].concat(),
        ),
        ("ref, near, assign", [REF, NEAR, ASSIGN].concat()),
        ("run within a tolerance", [REF, RUN_NEAR].concat()),
        (
            "fees by contract",
            [GROUP, NEAR, BATCH, RUN, TOKEN, FEES].concat(),
        ),
        ("batches", BATCH.to_owned()),
        ("batches, no rest", BATCHES.to_owned()),
        ("token", TOKEN.to_owned()),
        ("parts", [PARTS, TOKEN].concat()),
        (
            "parts of the left",
            PARTS.replace("partial = \"right\"", "partial = \"left\""),
        ),
        ("run", [REF, RUN].concat()),
        ("subset alone", SUBSET.to_owned()),
        ("subsets of lines", [REF, SUBSETS].concat()),
        ("subset the other way", OTHER_WAY.to_owned()),
        (
            "all",
            [REF, GROUP, NEAR, BATCH, TOKEN, RUN, ASSIGN, SUBSETS]
                .concat()
                .replacen("id = \"R\"", "id = \"R1\"", 1),
        ),
    ]
}

fn run(rules: &Rules, left: &str, right: &str, threads: usize) -> Reconciled {
    let profile = Profile::parse(LEFT).expect("a profile of ours");
    Day::new(rules.clone())
        .profile(profile)
        .file("a", "a.csv", left.as_bytes())
        .file("b", "b.csv", right.as_bytes())
        .threads(threads)
        .run()
        .expect("the files are right")
}

fn seeds() -> u64 {
    match std::env::var("QUANFU_SEEDS") {
        Ok(text) => text.parse().expect("QUANFU_SEEDS is a number"),
        Err(_) => 150,
    }
}

#[test]
fn what_the_engine_says_the_verifier_derives_again() {
    let mut seen: std::collections::BTreeMap<String, u64> = Default::default();
    let mut second = Second::start("passes");
    for (name, text) in sets() {
        let rules = rules(&text);
        for seed in 0..seeds() {
            let mut dice = Dice(seed * 7_919 + 13);
            let (l, r) = (3 + dice.roll(12), 2 + dice.roll(8));
            let mut parts = Vec::new();
            let left = rows(&mut dice, 'a', l, &mut parts);
            let right = rows(&mut dice, 'b', r, &mut parts);
            let text = |rows: &[String]| format!("{HEADER}{}", rows.concat());
            let done = run(&rules, &text(&left), &text(&right), 2);
            let mut table = String::from("\u{feff}");
            done.table().for_each_line(|line| table.push_str(line));
            let digest = Digest::of(DigestAlg::Sha256, table.as_bytes());
            let document = done.document(Some(digest)).to_json();
            let files = [text(&left), text(&right), table];
            // an honest result of any rules must never be called a lie by the second verifier
            let texts = files.each_ref().map(|text| json!({ "text": text }));
            second.ask(format!("{name}, seed {seed}"), &document, &texts, &[]);
            let files: Vec<Candidate<'_>> = files
                .iter()
                .map(|file| Candidate::bytes("file", file.as_bytes()))
                .collect();
            match verify(&document, &files, &Limits::default())
                .expect("files in memory can be read")
            {
                Verification::Holds(_) => {}
                other => panic!(
                    "{name}, seed {seed}: {other:?}\n{}{}",
                    text(&left),
                    text(&right)
                ),
            }
            // other threads, other order
            let again = run(&rules, &text(&left), &text(&right), 5);
            assert_eq!(
                document,
                again.document(Some(digest)).to_json(),
                "{name}, seed {seed}: threads"
            );
            let (mut left, mut right) = (left, right);
            left.reverse();
            right.rotate_left(1);
            let shuffled = run(&rules, &text(&left), &text(&right), 2);
            assert_eq!(
                done.table().digest(DigestAlg::Sha256, 1),
                shuffled.table().digest(DigestAlg::Sha256, 1),
                "{name}, seed {seed}: order of rows"
            );
            for found in done.fee_differences() {
                *seen.entry(format!("fee {}", found.document)).or_default() += 1;
            }
            for edge in &done.outcomes().edges {
                for side in [Side::Left, Side::Right] {
                    for row in edge.side(side) {
                        let rule = row
                            .rule
                            .map(|rule| rules.edges[0].rules[usize::from(rule)].pass);
                        let rule = rule.map_or("", |pass| pass.code());
                        let code = row.code.map_or("", |code| code.code());
                        *seen
                            .entry(format!("{rule} {} {code}", row.outcome))
                            .or_default() += 1;
                    }
                }
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
        "{} refused by the second verifier: {:#?}",
        refused.len(),
        &refused[..refused.len().min(3)]
    );
    // a campaign that never meets a case proves nothing about it
    for wanted in [
        "key_group confirmed ",
        "key_group ambiguous AMBIGUOUS_KEY",
        "key_group break AMOUNT_CHANNEL_MORE",
        "key_group carried PARTIAL",
        "key_group break PARTIAL",
        "run_batch confirmed ",
        "run_batch ambiguous AMBIGUOUS_SUBSET",
        "run_batch suggested WEAK_EVIDENCE",
        "near_key confirmed ",
        "near_key suggested WEAK_EVIDENCE",
        "near_key ambiguous AMBIGUOUS_TOKEN",
        "assignment confirmed ",
        "assignment suggested WEAK_EVIDENCE",
        "assignment ambiguous AMBIGUOUS_TOKEN",
        "subset confirmed ",
        "subset suggested RULE_SUGGESTS",
        "subset suggested WEAK_EVIDENCE",
        "subset ambiguous AMBIGUOUS_SUBSET",
        "net_batch confirmed ",
        "net_batch suggested WEAK_EVIDENCE",
        "net_batch ambiguous AMBIGUOUS_KEY",
        "exact_token suggested WEAK_EVIDENCE",
        "exact_token confirmed ",
        "fee made up, clause 3",
        "fee made up, clause 4",
        "exact_token ambiguous AMBIGUOUS_TOKEN",
    ] {
        assert!(
            seen.contains_key(wanted),
            "{wanted} never came up: {seen:#?}"
        );
    }
    assert!(
        !seen.contains_key(&format!(" {} ", Outcome::Confirmed)),
        "a rule confirms"
    );
}

/// Rows and lines that end one way, and one of their kind that ends another: the second half of each is the lure.
#[test]
fn what_only_seems_to_prove_itself_is_suggested_and_both_verifiers_say_so() {
    let left = |id: &str, hour: u32, cents: i64| {
        let (day, hour) = (2 + hour / 24, hour % 24);
        let amount = money(cents);
        format!("{id},,,2026-03-{day:02}T{hour:02}:00:00,CNY,{amount},,M1,P,\n")
    };
    let right = |id: &str, day: u32, cents: i64, kind: &str, count: &str| {
        let amount = money(cents);
        format!(
            "{id},,,2026-03-{:02}T20:00:00,CNY,{amount},,M1,{kind},{count}\n",
            2 + day
        )
    };
    let part_of_day = [PART_OF_DAY, BATCHES].concat();
    let cases = [
        (
            "one row for one line, of several: what is left of the key ties whatever that line is for",
            &part_of_day,
            [
                left("1", 8, 1_000),
                left("2", 9, 2_013),
                left("3", 10, 3_591),
            ]
            .concat(),
            [right("4", 0, 1_000, "S", ""), right("5", 0, 5_604, "S", "")].concat(),
            "B2 suggested, S suggested",
        ),
        (
            "the line of the day after does not tie, and has a row of the same figure",
            &BATCH.to_owned(),
            [
                left("1", 8, 1_000),
                left("2", 9, 2_013),
                left("3", 32, 1_000),
                left("4", 33, 7_000),
            ]
            .concat(),
            [right("5", 0, 3_013, "S", ""), right("6", 1, 9_000, "S", "")].concat(),
            "B suggested",
        ),
        (
            "the same without a row of the same figure",
            &BATCH.to_owned(),
            [
                left("1", 8, 1_000),
                left("2", 9, 2_013),
                left("3", 32, 1_001),
                left("4", 33, 7_000),
            ]
            .concat(),
            [right("5", 0, 3_013, "S", ""), right("6", 1, 9_000, "S", "")].concat(),
            "B confirmed",
        ),
        (
            "a batch over two lines",
            &BATCH.to_owned(),
            [left("1", 8, 1_000), left("2", 9, 2_013)].concat(),
            [right("3", 0, 1_500, "S", ""), right("4", 0, 1_513, "S", "")].concat(),
            "B confirmed",
        ),
        (
            "two batches of one day",
            &BATCH.to_owned(),
            [left("1", 8, 1_000), left("2", 9, 2_013)].concat(),
            [right("3", 0, 1_000, "S", ""), right("4", 0, 2_013, "S", "")].concat(),
            "",
        ),
        (
            "an equal amount the day after, which may be what the line is for",
            &TOKEN.to_owned(),
            [left("1", 8, 1_000), left("2", 32, 1_000)].concat(),
            right("3", 0, 1_000, "P", ""),
            "T suggested",
        ),
        (
            "no equal amount",
            &TOKEN.to_owned(),
            [left("1", 8, 1_000), left("2", 32, 5_000)].concat(),
            right("3", 0, 1_000, "P", ""),
            "T confirmed",
        ),
    ];
    let mut second = Second::start("lures");
    for (name, of_edge, left, right, wanted) in cases {
        let texts = [format!("{HEADER}{left}"), format!("{HEADER}{right}")];
        let done = run(&rules(of_edge), &texts[0], &texts[1], 1);
        let edge = &done.outcomes().edges[0];
        let told: Vec<String> = edge
            .groups
            .iter()
            .filter_map(|group| {
                let rule = &done.rules().edges[0].rules[usize::from(group.rule?)];
                Some(format!("{} {}", rule.id, group.outcome))
            })
            .collect();
        assert_eq!(told.join(", "), wanted, "{name}");
        let mut table = String::from("\u{feff}");
        done.table().for_each_line(|line| table.push_str(line));
        let digest = Digest::of(DigestAlg::Sha256, table.as_bytes());
        let document = done.document(Some(digest)).to_json();
        let files = [texts[0].clone(), texts[1].clone(), table];
        let given = files.each_ref().map(|text| json!({ "text": text }));
        second.ask(name.to_owned(), &document, &given, &[]);
        let files = files.each_ref();
        let files = files.map(|file| Candidate::bytes("file", file.as_bytes()));
        let verdict = verify(&document, &files, &Limits::default()).expect("files in memory");
        assert!(
            matches!(verdict, Verification::Holds(_)),
            "{name}: {verdict:?}"
        );
    }
    for answer in second.finish() {
        assert_eq!(answer.verdict, "holds", "{answer:?}");
    }
}

#[test]
fn a_file_given_twice_counts_once_and_one_cut_in_two_is_one() {
    for (name, text) in sets() {
        let rules = rules(&text);
        let mut dice = Dice(4_711);
        let mut parts = Vec::new();
        let left = rows(&mut dice, 'a', 12, &mut parts);
        let right = rows(&mut dice, 'b', 8, &mut parts);
        let file = |rows: &[String]| format!("{HEADER}{}", rows.concat());
        let (a, b) = (file(&left), file(&right));
        let of = |files: &[(&str, &str)]| {
            let mut day = Day::new(rules.clone()).profile(Profile::parse(LEFT).expect("a profile"));
            for (source, text) in files {
                day = day.file(source, "file.csv", text.as_bytes());
            }
            let done = day.run().expect("the files are right");
            done.table().digest(DigestAlg::Sha256, 1)
        };
        let once = of(&[("a", &a), ("b", &b)]);
        assert_eq!(
            once,
            of(&[("a", &a), ("b", &b), ("a", &a)]),
            "{name}: twice"
        );
        let (first, last) = (file(&left[..5]), file(&left[5..]));
        let halves = of(&[("a", &last), ("b", &b), ("a", &first)]);
        assert_eq!(once, halves, "{name}: in two");
    }
}
