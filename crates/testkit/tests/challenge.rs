//! Challenges: days planted for rules, and the judge of what rules make of them.
//!
//! `QUANFU_SEEDS` sets the number of seeds; 20 unless it is set.

use std::collections::BTreeMap;

use quanfu::sample::Challenge as Planted;
use quanfu::settlement::challenge::{ClassScore, EdgeScore};
use quanfu::settlement::{ChallengeClass, ChallengeDoc, ChallengeGap, Outcome, Outcomes};
use quanfu::{Challenge, Challenged, Day, Profile, Rules};
use quanfu_testkit::house;

fn seeds() -> u64 {
    let seeds = std::env::var("QUANFU_SEEDS").ok();
    seeds.and_then(|text| text.parse().ok()).unwrap_or(20)
}

fn demo() -> Trial {
    Trial {
        rules: house::text("crates/sample/src/rules.toml"),
        profiles: Vec::new(),
    }
}

fn bench() -> Trial {
    Trial {
        rules: house::text("benches/rules/bench.toml"),
        profiles: ["institution", "bank"]
            .map(|name| house::text(format!("benches/profiles/{name}.toml")))
            .to_vec(),
    }
}

/// Rules with their profiles, as texts.
struct Trial {
    rules: String,
    profiles: Vec<String>,
}

impl Trial {
    fn run(&self, seed: u64, rows: u32) -> Challenged {
        self.on(seed, rows, 2)
    }

    fn on(&self, seed: u64, rows: u32, threads: usize) -> Challenged {
        let rules = Rules::parse(&self.rules).unwrap_or_else(|error| panic!("{error}"));
        let mut trial = Challenge::new(rules, seed).rows(rows).threads(threads);
        for profile in &self.profiles {
            trial = trial.profile(Profile::parse(profile).expect("a profile"));
        }
        trial.run().expect("a challenge runs")
    }
}

fn class(edge: &EdgeScore, class: ChallengeClass) -> &ClassScore {
    let mut classes = edge.classes.iter();
    classes
        .find(|score| score.class == class)
        .unwrap_or_else(|| panic!("{class} is planted on {}: {:?}", edge.name, edge.left_out))
}

/// Every row stands once in the days and once in the truth, and the counts of the answer add up.
fn check(done: &Challenged) {
    let planted = &done.planted;
    let in_days: usize = planted
        .days
        .iter()
        .flat_map(|day| day.rows.iter().map(Vec::len))
        .sum();
    assert_eq!(in_days, planted.truth.len());
    let mut sides: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for row in &planted.truth {
        sides.entry(row.group).or_default().push(row.edge);
    }
    assert_eq!(sides.len(), planted.groups.len(), "no group without rows");
    for (group, edges) in sides {
        let is_one = edges.iter().all(|edge| *edge == edges[0]);
        assert!(is_one, "group {group} is of one edge: {edges:?}");
    }
    assert_eq!(done.doc.rows, planted.row_count());
    let rows = done.doc.edges.iter().flat_map(|edge| &edge.classes);
    assert_eq!(rows.map(|score| score.rows).sum::<u64>(), done.doc.rows);
    for edge in &done.doc.edges {
        let left_out: Vec<_> = edge.left_out.iter().map(|gap| gap.class).collect();
        let there: Vec<_> = edge.classes.iter().map(|score| score.class).collect();
        for class in ChallengeClass::ALL {
            let is_once = left_out.contains(class) != there.contains(class);
            assert!(is_once, "{class} is planted or left out");
        }
        for score in &edge.classes {
            let found = [
                score.confirmed,
                score.suggested,
                score.ambiguous,
                score.broken,
                score.open,
            ];
            assert_eq!(found.iter().sum::<u64>(), score.pairs, "{score:?}");
        }
    }
}

#[test]
fn no_pair_of_the_demos_rules_is_wrong_and_what_is_simple_is_found() {
    for seed in 0..seeds() {
        let done = demo().run(seed, 1_000);
        check(&done);
        assert_eq!(
            done.doc.wrong, 0,
            "seed {seed}: {:#?}",
            done.doc.wrong_pairs
        );
        let [orders, bank] = &done.doc.edges[..] else {
            panic!("two edges")
        };
        for (edge, class_wanted) in [
            (orders, ChallengeClass::Plain),
            (orders, ChallengeClass::DayShifted),
            (orders, ChallengeClass::RefundPartial),
            (orders, ChallengeClass::Late),
            (orders, ChallengeClass::KeyNeighbour),
            (bank, ChallengeClass::BatchExact),
            (bank, ChallengeClass::Late),
        ] {
            let score = class(edge, class_wanted);
            assert!(
                score.pairs > 0 && score.confirmed == score.pairs,
                "{score:?}"
            );
        }
    }
}

#[test]
fn the_bench_rules_confirm_nothing_wrong_and_find_what_can_be_found() {
    for seed in 0..seeds() {
        let done = bench().run(seed, 1_000);
        check(&done);
        let edge = &done.doc.edges[0];
        for score in &edge.classes {
            assert!(score.wrong == 0, "seed {seed}: {score:?}");
        }
        let equal = class(edge, ChallengeClass::EqualAmounts);
        assert_eq!((equal.confirmed, equal.suggested), (0, 0), "seed {seed}");
        for found in [
            ChallengeClass::Plain,
            ChallengeClass::FeeInside,
            ChallengeClass::DayShifted,
            ChallengeClass::PartialCaptures,
            ChallengeClass::Instalments,
            ChallengeClass::KeyTypo,
            ChallengeClass::KeyCut,
            ChallengeClass::KeyInText,
            ChallengeClass::BatchExact,
            ChallengeClass::BatchTwoLines,
        ] {
            let score = class(edge, found);
            assert_eq!(score.confirmed, score.pairs, "seed {seed}: {score:?}");
        }
        let token = class(edge, ChallengeClass::TokenOnly);
        let found = token.confirmed + token.suggested;
        assert_eq!(found, token.pairs, "seed {seed}: {token:?}");
    }
}

#[test]
fn a_challenge_is_the_same_for_any_threads_and_another_for_another_seed() {
    let text = |seed, threads| bench().on(seed, 700, threads).doc.to_json();
    assert_eq!(text(3, 1), text(3, 4));
    assert_ne!(text(3, 1), text(4, 1));
    let doc: ChallengeDoc = serde_json::from_str(&text(3, 1)).expect("what was written");
    assert_eq!(doc.to_json(), text(3, 1));
}

/// Runs the days of a challenge once more, with what `feed` gives to each source.
fn run_again<'d>(
    trial: &Trial,
    done: &Challenged,
    feed: impl Fn(Day<'d>, usize, &str, usize) -> Day<'d>,
) -> Vec<Outcomes> {
    let rules = Rules::parse(&trial.rules).expect("rules");
    let (mut runs, mut earlier) = (Vec::new(), None);
    for (index, planted) in done.planted.days.iter().enumerate() {
        let mut day = Day::new(rules.clone()).as_of(planted.as_of);
        for profile in &trial.profiles {
            day = day.profile(Profile::parse(profile).expect("a profile"));
        }
        for (number, source) in rules.sources.iter().enumerate() {
            day = feed(day, number, &source.name, index);
        }
        // a day's predecessor must live as long as its bytes
        if let Some(earlier) = earlier {
            day = day.after(Box::leak(Box::new(earlier)));
        }
        let reconciled = day.run().expect("the day");
        earlier = Some(reconciled.document(None));
        runs.push(reconciled.outcomes().clone());
    }
    runs
}

#[test]
fn files_of_profiles_say_the_same_as_the_rows() {
    let trial = bench();
    let rules = Rules::parse(&trial.rules).expect("rules");
    for seed in 0..5 {
        let done = trial.run(seed, 600);
        let made = done.files();
        assert_eq!(made.listed, Vec::<String>::new());
        let runs = run_again(&trial, &done, |day, _, name, index| {
            let path = format!("day{}/{name}.csv", index + 1);
            let file = made.files.iter().find(|file| file.path == path);
            let bytes = file.expect("a file of each source and day").bytes.clone();
            day.file(name, &path, std::io::Cursor::new(bytes))
        });
        let again = done.planted.judge(&rules, &runs.iter().collect::<Vec<_>>());
        assert_eq!(again.edges, done.doc.edges, "seed {seed}");
    }
}

#[test]
fn a_file_is_made_up_from_every_shipped_profile_that_has_no_figures_in_words() {
    let mut listed = Vec::new();
    for profile in quanfu::formats::shipped_profiles() {
        let trial = rules(
            "",
            "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]",
        );
        let role = format!("role = \"institution\"\nprofile = \"{}\"", profile.name);
        let trial = Trial {
            rules: trial.rules.replace("role = \"institution\"", &role),
            ..trial
        };
        let done = trial.run(1, 300);
        check(&done);
        assert!(class(&done.doc.edges[0], ChallengeClass::Plain).pairs > 0);
        let names = done.files().listed;
        assert!(
            names.contains(&"bank".to_owned()),
            "a bank without a profile"
        );
        if names.contains(&"psp".to_owned()) {
            listed.push(profile.name.clone());
        }
    }
    assert_eq!(listed, ["alipay-account"]);
}

#[test]
fn the_judge_sees_two_pairs_that_changed_partners() {
    let rules = Rules::parse(&bench().rules).expect("rules");
    let done = bench().run(5, 700);
    let before = &done.doc.edges[0];
    let mut runs = run_again(&bench(), &done, |day, source, name, index| {
        day.rows(name, done.planted.days[index].rows[source].clone())
    });
    let judge = |planted: &Planted, runs: &[Outcomes]| {
        planted.judge(&rules, &runs.iter().collect::<Vec<_>>())
    };
    assert_eq!(judge(&done.planted, &runs), done.doc);
    // two pairs that were right change their right rows
    let edge = &mut runs[0].edges[0];
    let plain = |group: &quanfu::settlement::Group| {
        let left = edge.members[group.first as usize];
        (group.outcome, group.left, group.right) == (Outcome::Confirmed, 1, 1)
            && edge.left[left as usize].rule == Some(0)
    };
    let places: Vec<usize> = edge
        .groups
        .iter()
        .filter(|group| plain(group))
        .map(|group| group.first as usize + 1)
        .take(2)
        .collect();
    edge.members.swap(places[0], places[1]);
    let [a, b] = [places[0], places[1]].map(|place| edge.members[place] as usize);
    edge.right.swap(a, b);
    let after = judge(&done.planted, &runs);
    let after = &after.edges[0];
    assert_eq!(after.wrong, before.wrong + 2);
    assert_eq!(after.confirmed_pairs, before.confirmed_pairs);
    let confirmed = |edge: &EdgeScore| {
        edge.classes
            .iter()
            .map(|score| score.confirmed)
            .sum::<u64>()
    };
    assert_eq!(confirmed(after) + 2, confirmed(before));
}

/// Rules with one edge between an institution and a bank.
fn rules(bank: &str, edge: &str) -> Trial {
    let rules = format!(
        "schema = \"quanfu.rules/1\"\nname = \"odd\"\ncalendar = \"CN\"\ncarry = {{ business_days = 2 }}\n\
         [source.psp]\nrole = \"institution\"\nzone = \"+08:00\"\n\
         [source.bank]\nrole = \"bank\"\n{bank}\n[[edge]]\nleft = \"psp\"\nright = \"bank\"\n{edge}\n"
    );
    Trial {
        rules,
        profiles: Vec::new(),
    }
}

#[test]
fn keys_of_every_make_are_planted_and_found() {
    let key = |on: &str, more: &str| {
        format!("[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [{on}]\n{more}")
    };
    for (what, bank, edge) in [
        (
            "two tokens in one text",
            "[[source.bank.token]]\nrole = \"order\"\nfrom = \"remittance\"\npattern = 'NO:(\\d{10})'\n[[source.bank.token]]\nrole = \"merchant\"\nfrom = \"remittance\"\npattern = 'MCH([0-9]{6})'",
            key("\"order\", \"merchant\"", ""),
        ),
        (
            "a token in the owner's reference",
            "[[source.bank.token]]\nrole = \"order\"\nfrom = \"owner\"\npattern = '^JN(\\d{4,8})$'",
            key("\"order\"", ""),
        ),
        (
            "a token in the other side's name",
            "[[source.bank.token]]\nrole = \"token\"\nfrom = \"counterparty_name\"\npattern = '客户([A-Z]{8})'",
            key("{ left = \"order\", right = \"token\" }", ""),
        ),
        (
            "another role on each side",
            "",
            key("{ left = \"order\", right = \"owner\" }, \"currency\"", ""),
        ),
        (
            "every normaliser",
            "",
            key(
                "{ left = \"order\", right = \"owner\", left_normalise = [\"trim\", { strip_prefix = \"qf-\" }, \"strip_marks\", \"upper\", \"strip_leading_zeros\"], right_normalise = [{ pattern = 'REF[:#]([0-9A-Z]{9,12})' }] }",
                "",
            ),
        ),
        ("the kind in the key", "", key("\"order\", \"kind\"", "")),
        (
            "the accounting day in the key",
            "",
            key("\"order\", \"accounting_day\"", ""),
        ),
        (
            "both sides net",
            "",
            key("\"order\"", "left_amount = \"net\""),
        ),
        (
            "a window of business days that begins tomorrow",
            "",
            key("\"order\"", "window = { business_days = [1, 3] }"),
        ),
        (
            "a cut-off at midnight",
            "cutoff = \"00:00:00\"",
            key("\"order\"", ""),
        ),
        (
            "filters for status",
            "",
            key(
                "\"order\"",
                "same_status = true\nleft_where = { status = [\"pending\", \"booked\"] }\nright_where = { status = [\"booked\"], kind = [\"transfer\"] }",
            ),
        ),
        (
            "a source of one currency",
            "currency = \"USD\"",
            key("\"order\"", ""),
        ),
    ] {
        for seed in 0..3 {
            let done = rules(bank, &edge).run(seed, 400);
            check(&done);
            let plain = class(&done.doc.edges[0], ChallengeClass::Plain);
            assert!(
                plain.pairs > 0 && plain.confirmed == plain.pairs,
                "{what}: {plain:?}"
            );
            assert_eq!(done.doc.wrong, 0, "{what}: {:#?}", done.doc.wrong_pairs);
        }
    }
}

#[test]
fn what_cannot_be_made_up_is_left_out_with_its_reason() {
    let key = "[[edge.rule]]\nid = \"K\"\npass = \"unique_key\"\non = [\"order\"]\n";
    for (bank, edge, wanted) in [
        (
            "[[source.bank.token]]\nrole = \"order\"\nfrom = \"remittance\"\npattern = '(?i)no([a-z]+)'",
            key.to_owned(),
            ChallengeGap::NoText,
        ),
        (
            "",
            format!("{key}right_where = {{ kind = [\"fee\"] }}"),
            ChallengeGap::NoKind,
        ),
        (
            "",
            "[[edge.rule]]\nid = \"B\"\npass = \"net_batch\"\non = [\"batch\"]".to_owned(),
            ChallengeGap::NoKeyRule,
        ),
    ] {
        let done = rules(bank, &edge).run(1, 300);
        check(&done);
        let left_out = done.doc.edges[0].left_out.iter();
        let why: BTreeMap<_, _> = left_out.map(|gap| (gap.class, gap.why)).collect();
        assert_eq!(why.get(&ChallengeClass::Plain), Some(&wanted));
    }
}
