//! The life of a record: a table, and what a changed file shows.

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
    let mut filing = Filing::new(&rules, "JN-1", content("a"), day("2025-12-22"), "Li Na").unwrap();
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
        (Some(10), Some(day("2036-10-09"))),
        "{:?}",
        kept.rows
    );
    assert_eq!(Filing::from_json(&filing.to_json()), Ok(filing));
}

#[test]
fn every_day_until_a_deadline_has_its_reason() {
    let (rules, china) = (programme("example-5wd"), BusinessCalendar::china());
    let mut filing = Filing::new(&rules, "JN-1", content("a"), day("2025-12-22"), "Li Na").unwrap();
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
        let mut filing = Filing::new(&rules, "JN-1", content("a"), day(signed), "Li Na").unwrap();
        filing
            .apply(&rules, Act::Sign, day(signed), "Li Na")
            .unwrap();
        filing
            .apply(&rules, Act::Start, day(started), "Li Na")
            .unwrap();
        let item = due(&filing, &rules, &china, day(started));
        assert_eq!(item.timeliness, Timeliness::NotDeterminable, "{id}");
        assert!(why_not(&item).is_some() && item.is_open, "{id}");
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
        "JN-1",
        content("a"),
        day("2017-01-24"),
        "Li Na",
    );
    assert_eq!(old.unwrap_err().code(), "filing-other-programme");
}

#[test]
fn nobody_releases_what_he_put_forward_and_nothing_is_filed_with_papers_missing() {
    let rules = programme("example-5wd");
    let mut filing = Filing::new(
        &rules,
        "JN-1",
        Content::default(),
        day("2025-12-22"),
        "Li Na",
    )
    .unwrap();
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
fn nothing_personal_is_in_debug_or_in_an_error() {
    let rules = programme("example-5wd");
    let secrets = ["王小明", "13812345678", "6222020200112233445", "李娜娜娜"];
    let mut content = content("a");
    content.contact = Some(Contact {
        name: quanfu_codes::PersonName::new(secrets[0]),
        phone: quanfu_codes::Phone::new(secrets[1]),
    });
    content.accounts = vec![Account(quanfu_codes::AccountNumber::new(secrets[2]))];
    let mut filing = Filing::new(&rules, "JN-1", content, day("2025-12-22"), secrets[3]).unwrap();
    let on = day("2025-12-24");
    filing.apply(&rules, Act::Sign, on, secrets[3]).unwrap();
    filing.apply(&rules, Act::Submit, on, secrets[3]).unwrap();
    let same = filing.apply(&rules, approve(&filing), on, secrets[3]);
    let text = filing.to_json();
    let broken = Filing::from_json(&text.replace("\"phone_number\": ", "\"phone_number\": 1"));
    let masked = filing.content().masked();
    let toml = Content::parse("[contact]\nperson_name = 13812345678\n");
    let shown = format!(
        "{filing:?} {:?} {same:?} {broken:?} {masked:?} {toml:?} {} {}",
        filing.state(),
        serde_json::to_string(&masked).unwrap(),
        serde_json::to_string_pretty(&masked).unwrap(),
    );
    assert!(same.is_err() && broken.is_err() && toml.is_err());
    for secret in secrets {
        assert!(text.contains(secret), "{secret}");
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn what_was_never_filed_stays_visible_after_the_end() {
    let (rules, china) = (programme("example-5wd"), BusinessCalendar::china());
    let mut filing = Filing::new(&rules, "JN-1", content("a"), day("2025-12-22"), "Li Na").unwrap();
    for (act, on) in [(Act::Sign, "2025-12-24"), (Act::Start, "2025-12-29")] {
        filing.apply(&rules, act, day(on), "Li Na").unwrap();
    }
    let reason = "over".to_owned();
    let end = Act::Terminate { reason };
    filing
        .apply(&rules, end, day("2026-01-30"), "Li Na")
        .unwrap();
    let told = |filing: &Filing| -> Vec<String> {
        let items = dues(filing, &rules, &china, day("2026-02-06"));
        let tell = |item: DueItem| {
            let due = item.deadline.as_ref().and_then(Deadline::due).unwrap();
            let (left, late) = (item.days_left, item.days_late);
            format!(
                "{} {} {due} {left:?} {late:?} {}",
                item.matter, item.timeliness, item.is_open
            )
        };
        items.into_iter().map(tell).collect()
    };
    // 10 calendar days after the end, counted in calendar days
    assert_eq!(
        told(&filing),
        [
            "first overdue 2026-01-06 None Some(23) true",
            "termination due 2026-02-09 Some(3) None true"
        ]
    );
    for (act, by) in [(Act::Submit, "Li Na"), (approve(&filing), "Zhao Min")] {
        filing.apply(&rules, act, day("2026-02-06"), by).unwrap();
    }
    assert_eq!(
        told(&filing),
        [
            "first overdue 2026-01-06 None Some(23) false",
            "termination in_time 2026-02-09 None None false"
        ]
    );
    let early = retention(&filing, &rules, &Parameters::shipped(), day("2026-02-06")).unwrap();
    assert_eq!((early.years, early.rows.len()), (Some(10), 3));
}

#[test]
fn how_long_a_record_is_kept_is_unknown_where_no_rule_is_known() {
    let rules = programme("jinan-2017");
    let filing = Filing::new(&rules, "JN-1", content("a"), day("2017-02-01"), "Li Na").unwrap();
    let ours = Parameters::shipped();
    for (on, years, rows) in [
        ("2018-12-31", None, 0),
        ("2019-04-29", Some(5), 2),
        ("2025-12-31", Some(5), 2),
        ("2026-01-01", Some(10), 3),
    ] {
        let kept = retention(&filing, &rules, &ours, day(on)).unwrap();
        assert_eq!(
            (kept.years, kept.rows.len(), kept.until),
            (years, rows, None),
            "{on}"
        );
    }
}

#[test]
fn a_renewal_does_not_shorten_an_agreement() {
    let rules = programme("example-5wd");
    let mut first = content("a");
    first.agreement.until = Some(day("2026-12-31"));
    let mut filing = Filing::new(&rules, "JN-1", first, day("2026-01-05"), "Li Na").unwrap();
    for (act, by) in [(Act::Sign, "Li Na"), (Act::Submit, "Li Na")] {
        filing.apply(&rules, act, day("2026-01-05"), by).unwrap();
    }
    let released = approve(&filing);
    filing
        .apply(&rules, released, day("2026-01-05"), "Zhao Min")
        .unwrap();
    let receipt = "R".to_owned();
    let accepted = Act::Accept { receipt };
    filing
        .apply(&rules, accepted, day("2026-01-05"), "Li Na")
        .unwrap();
    for (until, on, want) in [
        ("2026-12-30", "2026-06-01", Some("filing-day")),
        ("2027-05-31", "2027-06-01", Some("filing-day")),
        ("2027-12-31", "2026-06-01", None),
    ] {
        let renewed = Act::Renew { until: day(until) };
        let came = filing.apply(&rules, renewed, day(on), "Li Na");
        assert_eq!(came.err().map(|error| error.code()), want, "{until}");
    }
    assert_eq!(filing.content().agreement.until, Some(day("2027-12-31")));
}

#[test]
fn a_content_in_toml_is_read_or_its_line_is_told_and_what_would_be_right() {
    let whole = "[agreement]\nnumber = \"A\"\nuntil = 2026-12-31\ncurrencies = [\"USD\"]\n";
    for (from, to, want) in [
        ("", "", ""),
        ("2026-12-31", "\"2026-12-31\"", ""),
        (
            "2026-12-31",
            "\"31.12.2026\"",
            "content, line 3: a day such as 2026-12-31 would be right",
        ),
        (
            "2026-12-31",
            "2026-12-31T00:00:00Z",
            "content, line 3: a day such as 2026-12-31 would be right",
        ),
        ("\"A\"", "7", "content, line 2: a string would be right"),
        (
            "USD",
            "USX",
            "content, line 4: the value is not written as its field is",
        ),
        (
            "until",
            "end",
            "content, line 3: one of `number`, `from`, `until`, `scope`, `currencies`, `cycle` would be right",
        ),
        (
            "number = \"A\"\n",
            "",
            "content, line 1: missing field `number`",
        ),
        ("[agreement]", "[agreement", "content, line 1: not TOML"),
    ] {
        let read = Content::parse(&whole.replacen(from, to, 1));
        let said = read
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert_eq!(said, want, "{to}");
    }
    let uscc = Content::parse("[bank]\nname = \"B\"\nuscc = \"9111\"\n").unwrap_err();
    assert_eq!(
        uscc.to_string(),
        "content, line 3: not the form of a unified social credit code: 18 characters of 0-9 and A-Z without I, O, S, V, Z would be right"
    );
}

#[test]
fn what_looks_wrong_is_told_and_refuses_nothing() {
    let mut content = content("a");
    content.bank.uscc = Some("91110000600037341K".parse().unwrap());
    content.institution.licence_scope = vec!["互联网支付".into(), "储值账户运营Ⅰ".into()];
    content.agreement.until = Some(day("2024-04-30"));
    content.attachments.push(content.attachments[0].clone());
    let count = |on: &str| content.doubts(day(on)).len();
    // from 2024-05-01 licences name other kinds of business; the agreement's last day is not past yet the day before
    assert_eq!((count("2024-04-30"), count("2024-05-01")), (3, 4));
    let doubts = content.doubts(day("2024-05-01"));
    assert!(doubts.contains(&Doubt::Passed {
        field: "agreement.until",
        until: day("2024-04-30")
    }));
}

#[test]
fn a_changed_record_is_refused_wherever_it_was_changed() {
    let rules = programme("example-5wd");
    let mut content = content("a");
    content.contact = Some(Contact {
        name: quanfu_codes::PersonName::new("王小明"),
        phone: quanfu_codes::Phone::new("13812345678"),
    });
    let mut filing = Filing::new(&rules, "JN-1", content, day("2025-12-22"), "Li Na").unwrap();
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
        ("JN-1", "JN-2"),
    ] {
        let error = Filing::from_json(&text.replacen(from, to, 1)).unwrap_err();
        assert!(!error.to_string().contains("1381234567"), "{error}");
    }
    // a whole event taken out
    let events: Vec<&str> = text.split("    {\n      \"seq\"").collect();
    let cut = [events[0], events[1], events[3]].join("    {\n      \"seq\"");
    assert!(Filing::from_json(&cut).is_err());
}
