//! The life of a record: a table, a model, and what a changed file shows.

use std::collections::BTreeSet;

use proptest::prelude::*;
use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_codes::Parameters;
use quanfu_filing::*;
use quanfu_settlement::{Digest, DigestAlg};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn programme(id: &str) -> Programme {
    Programme::shipped()
        .into_iter()
        .find(|known| known.id == id)
        .expect("a programme of ours")
}

fn content(tag: &str) -> Content {
    let paper = |kind: &str| Attachment {
        kind: kind.into(),
        name: format!("{kind}.pdf"),
        bytes: 1,
        digest: Digest::of(DigestAlg::Sha256, format!("{kind}{tag}").as_bytes()),
    };
    let mut content = Content::default();
    content.bank.name = "Made-up Bank".into();
    content.institution.name = format!("Made-up Pay {tag}");
    content.agreement.number = "A-1".into();
    content.attachments = vec![paper("agreement"), paper("internal_control")];
    content
}

fn approve(filing: &Filing) -> Act {
    Act::Approve {
        content: filing.state().content,
    }
}

#[test]
fn a_cooperation_lives_from_signing_to_its_end_over_the_holidays() {
    let (rules, china) = (programme("example-5wd"), BusinessCalendar::china());
    let mut filing = Filing::new(&rules, content("a"), day("2025-12-22"), "Li Na").unwrap();
    let changed = Act::Change {
        content: Box::new(content("b")),
    };
    type Step<'s> = (&'s dyn Fn(&Filing) -> Act, &'s str, &'s str, &'s str);
    let steps: [Step<'_>; 14] = [
        (&|_| Act::Sign, "2025-12-24", "Li Na", "signed not_yet"),
        (
            &|_| Act::Start,
            "2025-12-29",
            "Li Na",
            "in_business due 2026-01-06",
        ),
        (
            &|_| Act::Submit,
            "2026-01-06",
            "Li Na",
            "in_business due 2026-01-06",
        ),
        (&approve, "2026-01-07", "Zhao Min", "filed late 2026-01-06"),
        (
            &|_| Act::Return {
                reason: "seal".into(),
            },
            "2026-01-09",
            "Zhao Min",
            "returned overdue 2026-01-06",
        ),
        (
            &|_| Act::Edit {
                content: Box::new(content("a2")),
            },
            "2026-01-09",
            "Li Na",
            "returned overdue 2026-01-06",
        ),
        (
            &|_| Act::Submit,
            "2026-01-09",
            "Zhao Min",
            "returned overdue 2026-01-06",
        ),
        (&approve, "2026-01-09", "Li Na", "filed late 2026-01-06"),
        (
            &|_| Act::Accept {
                receipt: "R1".into(),
            },
            "2026-01-12",
            "Li Na",
            "accepted late 2026-01-06",
        ),
        (
            &|_| changed.clone(),
            "2026-02-12",
            "Li Na",
            "changed due 2026-02-26",
        ),
        (
            &|_| Act::Submit,
            "2026-02-24",
            "Li Na",
            "changed due 2026-02-26",
        ),
        (
            &approve,
            "2026-02-26",
            "Zhao Min",
            "filed in_time 2026-02-26",
        ),
        (
            &|_| Act::Accept {
                receipt: "R2".into(),
            },
            "2026-02-27",
            "Li Na",
            "accepted in_time 2026-02-26",
        ),
        (
            &|_| Act::Renew {
                until: day("2027-12-31"),
            },
            "2026-09-18",
            "Li Na",
            "renewed due 2026-09-24",
        ),
    ];
    for (act, on, by, want) in steps {
        let act = act(&filing);
        let name = act.name();
        filing.apply(&rules, act, day(on), by).unwrap();
        let item = due(&filing, &rules, &china, day(on));
        let last = item.deadline.as_ref().and_then(Deadline::due);
        let last = last.map(|day| format!(" {day}")).unwrap_or_default();
        assert_eq!(
            format!("{} {}{last}", filing.state().stage(), item.timeliness),
            want,
            "{name}"
        );
    }
    filing
        .apply(
            &rules,
            Act::Terminate {
                reason: "over".into(),
            },
            day("2026-10-09"),
            "Li Na",
        )
        .unwrap();
    let kept = retention(&filing, &rules, &Parameters::shipped(), day("2026-10-09")).unwrap();
    assert_eq!(
        (kept.years, kept.until),
        (10, Some(day("2036-10-09"))),
        "{:?}",
        kept.rows
    );
    assert_eq!(Filing::from_json(&filing.to_json()), Ok(filing));
}

#[test]
fn every_day_until_a_deadline_has_its_reason() {
    let (rules, china) = (programme("example-5wd"), BusinessCalendar::china());
    let mut filing = Filing::new(&rules, content("a"), day("2025-12-22"), "Li Na").unwrap();
    filing
        .apply(&rules, Act::Sign, day("2025-12-24"), "Li Na")
        .unwrap();
    filing
        .apply(&rules, Act::Start, day("2025-12-29"), "Li Na")
        .unwrap();
    let Some(Deadline::On { days, .. }) = due(&filing, &rules, &china, day("2025-12-30")).deadline
    else {
        panic!("no deadline")
    };
    let told: Vec<String> = days
        .iter()
        .map(|day| format!("{} {}", day.day, day.reason))
        .collect();
    assert_eq!(
        told,
        [
            "2025-12-30 weekday",
            "2025-12-31 weekday",
            "2026-01-01 holiday 元旦",
            "2026-01-02 holiday 元旦",
            "2026-01-03 holiday 元旦",
            "2026-01-04 make-up workday for 元旦",
            "2026-01-05 weekday",
            "2026-01-06 weekday",
        ]
    );
}

#[test]
fn without_a_deadline_or_a_calendar_nobody_is_in_time() {
    let china = BusinessCalendar::china();
    for (id, signed, started) in [
        ("jinan-2017", "2017-02-01", "2017-02-02"),
        ("shanghai-ftz-2014", "2017-02-01", "2017-02-02"),
        ("pboc-139-2022", "2024-02-01", "2024-02-02"),
        ("example-5wd", "2026-12-20", "2026-12-30"), // the calendar ends
    ] {
        let rules = programme(id);
        let mut filing = Filing::new(&rules, content("a"), day(signed), "Li Na").unwrap();
        filing
            .apply(&rules, Act::Sign, day(signed), "Li Na")
            .unwrap();
        filing
            .apply(&rules, Act::Start, day(started), "Li Na")
            .unwrap();
        let item = due(&filing, &rules, &china, day(started));
        assert_eq!(item.timeliness, Timeliness::NotDeterminable, "{id}");
        assert!(why_not(&item).is_some() && item.is_open(), "{id}");
        filing
            .apply(&rules, Act::Submit, day(started), "Li Na")
            .unwrap();
        filing
            .apply(&rules, approve(&filing), day(started), "Zhao Min")
            .unwrap();
        let item = due(&filing, &rules, &china, day(started));
        assert_eq!(item.timeliness, Timeliness::NotDeterminable, "{id}");
    }
    let old = Filing::new(
        &programme("jinan-2017"),
        content("a"),
        day("2017-01-24"),
        "Li Na",
    );
    assert_eq!(old.unwrap_err().code(), "filing-other-programme");
}

#[test]
fn nobody_releases_what_he_put_forward_and_nothing_is_filed_with_papers_missing() {
    let rules = programme("example-5wd");
    let mut filing = Filing::new(&rules, Content::default(), day("2025-12-22"), "Li Na").unwrap();
    let mut refused = |act: Act, by: &str| {
        let before = filing.to_json();
        let code = filing
            .apply(&rules, act, day("2025-12-22"), by)
            .err()
            .map(|error| error.code());
        assert!(code.is_none() || filing.to_json() == before);
        code
    };
    assert_eq!(refused(Act::Start, "Li Na"), Some("filing-state"));
    assert_eq!(refused(Act::Sign, " \u{3000}"), Some("filing-person"));
    assert_eq!(refused(Act::Sign, "Li Na"), None);
    assert_eq!(refused(Act::Submit, "Li Na"), Some("filing-incomplete"));
    assert_eq!(
        refused(
            Act::Edit {
                content: Box::new(content("a"))
            },
            "Li Na"
        ),
        None
    );
    assert_eq!(refused(Act::Submit, "Li Na"), None);
    let released = filing.state().content;
    let mut refused = |content: Digest, by: &str, on: &str| {
        let before = filing.to_json();
        let act = Act::Approve { content };
        let code = filing
            .apply(&rules, act, day(on), by)
            .err()
            .map(|error| error.code());
        assert!(code.is_none() || filing.to_json() == before);
        code
    };
    for name in ["Li Na", "li  na ", "ＬＩ Ｎａ", "\u{3000}LI NA"] {
        assert_eq!(
            refused(released, name, "2025-12-22"),
            Some("filing-person"),
            "{name}"
        );
    }
    let other = Digest::of(DigestAlg::Sha256, b"other");
    assert_eq!(
        refused(other, "Zhao Min", "2025-12-22"),
        Some("filing-content")
    );
    assert_eq!(
        refused(released, "Zhao Min", "2025-12-21"),
        Some("filing-day")
    );
    assert_eq!(refused(released, "Zhao Min", "2025-12-22"), None);
    let shown = format!("{filing:?}");
    assert!(!shown.contains("13812345678"));
}

#[test]
fn a_changed_record_is_refused_wherever_it_was_changed() {
    let rules = programme("example-5wd");
    let mut content = content("a");
    content.contact = Some(Contact {
        name: quanfu_codes::PersonName::new("王小明"),
        phone: quanfu_codes::Phone::new("13812345678"),
    });
    let mut filing = Filing::new(&rules, content, day("2025-12-22"), "Li Na").unwrap();
    filing
        .apply(&rules, Act::Sign, day("2025-12-24"), "Li Na")
        .unwrap();
    filing
        .apply(&rules, Act::Start, day("2025-12-29"), "Li Na")
        .unwrap();
    assert!(
        !format!("{filing:?}").contains("13812345678") && !format!("{filing:?}").contains("王小明")
    );
    let text = filing.to_json();
    for (from, to) in [
        ("2025-12-24", "2025-12-25"),
        ("Li Na", "Li Nb"),
        ("Made-up Bank", "Made-up Bark"),
        ("13812345678", "13812345679"),
        ("\"sign\"", "\"start\""),
        ("\"seq\": 2", "\"seq\": 3"),
        ("quanfu.filing/1", "quanfu.filing/2"),
    ] {
        let error = Filing::from_json(&text.replacen(from, to, 1)).unwrap_err();
        assert!(!error.to_string().contains("1381234567"), "{error}");
    }
    // a whole event taken out
    let events: Vec<&str> = text.split("    {\n      \"seq\"").collect();
    let cut = [events[0], events[1], events[3]].join("    {\n      \"seq\"");
    assert!(Filing::from_json(&cut).is_err());
}

#[derive(Clone, Debug)]
struct Wish(u8, u8, u8);

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The small model: standing 0 to 3, progress, who put it forward.
    #[test]
    fn random_operations_follow_the_model(wishes in prop::collection::vec((0u8..10, 0u8..3, 0u8..2).prop_map(|(a, b, c)| Wish(a, b, c)), 25)) {
        let rules = programme("example-5wd");
        let names = ["Li Na", "Zhao Min", "LI  NA"];
        let on = day("2026-01-05");
        let mut filing = Filing::new(&rules, content("0"), on, names[0]).unwrap();
        let (mut standing, mut progress, mut forward) = (0u8, 'o', None::<u8>);
        let mut seen = BTreeSet::new();
        for Wish(act, who, tag) in wishes {
            let person = who % 2;
            let new = Box::new(content(&tag.to_string()));
            let open = matches!(progress, 'o' | 'r');
            let runs = standing == 1 || standing == 2;
            let (act, legal) = match act {
                0 => (Act::Edit { content: new }, open),
                1 => (Act::Sign, standing == 0),
                2 => (Act::Start, standing == 1),
                3 => (Act::Submit, standing > 0 && open && forward.is_none()),
                4 => (approve(&filing), forward.is_some_and(|by| by != person)),
                5 => (Act::Accept { receipt: "R".into() }, progress == 'f'),
                6 => (Act::Return { reason: "r".into() }, progress == 'f'),
                7 => (Act::Change { content: new }, runs && progress == 'a'),
                8 => (Act::Renew { until: on }, runs && progress == 'a'),
                _ => (Act::Terminate { reason: "t".into() }, runs),
            };
            let name = act.name();
            seen.insert(name);
            let before = filing.to_json();
            let done = filing.apply(&rules, act, on, names[usize::from(who)]);
            prop_assert_eq!(done.is_ok(), legal, "{} {:?}", name, done);
            if done.is_err() {
                prop_assert_eq!(filing.to_json(), before);
                continue;
            }
            match name {
                "edit" => forward = None,
                "sign" => standing = 1,
                "start" => standing = 2,
                "submit" => forward = Some(person),
                "approve" => { forward = None; progress = 'f' }
                "accept" => progress = 'a',
                "return" => progress = 'r',
                "change" | "renew" => progress = 'o',
                _ => { standing = 3; progress = 'o'; forward = None }
            }
        }
        prop_assert_eq!(Filing::from_json(&filing.to_json()), Ok(filing));
    }
}
