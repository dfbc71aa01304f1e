//! What becomes of a case: each step has its guards, and what is refused changes nothing.

use quanfu_calendar::{CalendarHistory, Calendars, Date};
use quanfu_credit::lifecycle::{Case, Event, GuardError, Record, State, Terms};
use quanfu_credit::{NoticeMark, Programme, shipped};
use quanfu_money::Money;
use quanfu_settlement::{Digest, DigestAlg};

fn paper(text: &str) -> Digest {
    Digest::of(DigestAlg::Sha256, text.as_bytes())
}

fn terms() -> Terms {
    let text = shipped("jinan-illustrative").expect("shipped");
    Terms::of(&Programme::parse(text).expect("a programme"))
}

fn money(text: &str) -> Money {
    text.parse().expect("money")
}

fn submit(application: &str) -> Event {
    Event::Submit {
        application: application.into(),
        enterprise: "E1".into(),
        digest: paper(application),
        documents: terms().documents,
    }
}

fn propose(amount: &str) -> Event {
    Event::Propose {
        amount: money(amount),
        award: "award".into(),
        applications: ["A1".to_owned()].into(),
        programme: terms().digest,
        awards: paper("awards"),
    }
}

fn record(on: &str, by: &str, event: Event) -> Record {
    let (on, by) = (on.parse().expect("a day"), by.into());
    let note = Some("why".to_owned());
    Record {
        on,
        by,
        event,
        note,
    }
}

fn try_one(case: &mut Case, on: &str, by: &str, event: Event) -> Result<(), GuardError> {
    let (name, before) = (event.name(), case.clone());
    let done = case.apply(record(on, by, event), &Calendars::shipped());
    if done.is_err() {
        assert_eq!(*case, before, "{name}: what is refused changes nothing");
    }
    let again = Case::from_json(&case.to_json(), &Calendars::shipped());
    assert_eq!(
        again.as_ref(),
        Ok(&*case),
        "{name}: what is written is read"
    );
    done
}

fn walk(case: &mut Case, steps: &[(&str, &str, Event)]) {
    for (on, by, event) in steps {
        let done = try_one(case, on, by, event.clone());
        assert_eq!(done, Ok(()), "{} on {on}", event.name());
    }
}

/// Filed, accepted, reviewed, proposed by `clerk`, before the public since Thursday 27 March 2025.
fn at_notice() -> Case {
    let mut case = Case::new("E1", terms());
    let steps = [
        ("2025-03-03", "E1", submit("A1")),
        ("2025-03-04", "clerk", Event::Accept),
        ("2025-03-05", "clerk", Event::Review),
        ("2025-03-20", "clerk", propose("100.00 CNY")),
        ("2025-03-27", "clerk", Event::OpenNotice),
    ];
    walk(&mut case, &steps);
    case
}

fn approved() -> Case {
    let mut case = at_notice();
    let amount = money("100.00 CNY");
    let steps = [
        ("2025-03-28", "treasury", Event::Commit { amount }),
        ("2025-04-07", "head", Event::Approve),
    ];
    walk(&mut case, &steps);
    case
}

#[test]
fn every_step_has_its_guard() {
    let amount = money("100.00 CNY");
    let (draft, notice) = (Case::new("E1", terms()), at_notice());
    let mut bare = draft.clone();
    let without = Event::Submit {
        application: "A1".into(),
        enterprise: "E1".into(),
        digest: paper("A1"),
        documents: ["policy_copy".to_owned()].into(),
    };
    walk(&mut bare, &[("2025-03-03", "E1", without)]);
    let mut reviewed = draft.clone();
    walk(
        &mut reviewed,
        &[
            ("2025-03-03", "E1", submit("A1")),
            ("2025-03-04", "clerk", Event::Accept),
            ("2025-03-05", "clerk", Event::Review),
        ],
    );
    let mut committed = notice.clone();
    walk(
        &mut committed,
        &[("2025-03-28", "treasury", Event::Commit { amount })],
    );
    let mut objected = committed.clone();
    walk(&mut objected, &[("2025-03-31", "E2", Event::Object)]);
    let mut other = reviewed.clone();
    walk(&mut other, &[("2025-03-20", "clerk", propose("70.00 CNY"))]);
    let foreign = |applications: &str, programme: Digest| Event::Propose {
        amount,
        award: "award".into(),
        applications: [applications.to_owned()].into(),
        programme,
        awards: paper("awards"),
    };
    let of_other_firm = Event::Submit {
        application: "A1".into(),
        enterprise: "E2".into(),
        digest: paper("A1"),
        documents: terms().documents,
    };
    let day = "2025-04-07";
    for (name, case, on, by, event, want) in [
        (
            "filed too late",
            &draft,
            "2025-04-01",
            "E1",
            submit("A1"),
            "case-window",
        ),
        (
            "lapsed too early",
            &draft,
            "2025-03-31",
            "clerk",
            Event::Lapse,
            "case-window",
        ),
        (
            "another firm",
            &draft,
            "2025-03-03",
            "E1",
            of_other_firm,
            "case-other",
        ),
        (
            "nobody",
            &draft,
            "2025-03-03",
            " ",
            submit("A1"),
            "case-nobody",
        ),
        (
            "nothing filed",
            &draft,
            "2025-03-03",
            "clerk",
            Event::Accept,
            "case-not-next",
        ),
        (
            "documents missing",
            &bare,
            day,
            "clerk",
            Event::Accept,
            "case-documents",
        ),
        (
            "not filed",
            &reviewed,
            day,
            "clerk",
            foreign("A2", terms().digest),
            "case-other",
        ),
        (
            "other programme",
            &reviewed,
            day,
            "clerk",
            foreign("A1", paper("x")),
            "case-other",
        ),
        (
            "nothing proposed",
            &reviewed,
            day,
            "clerk",
            propose("0.00 CNY"),
            "case-nothing",
        ),
        (
            "dollars",
            &reviewed,
            day,
            "clerk",
            propose("1.00 USD"),
            "case-nothing",
        ),
        (
            "no notice",
            &reviewed,
            day,
            "head",
            Event::Approve,
            "case-not-next",
        ),
        (
            "backwards",
            &notice,
            "2025-03-26",
            "head",
            Event::Reject,
            "case-backwards",
        ),
        (
            "notice runs",
            &committed,
            "2025-04-03",
            "head",
            Event::Approve,
            "case-notice",
        ),
        // 4 to 6 April are Qingming.
        (
            "no budget",
            &notice,
            day,
            "head",
            Event::Approve,
            "case-budget",
        ),
        (
            "another amount",
            &other,
            day,
            "treasury",
            Event::Commit { amount },
            "case-budget",
        ),
        (
            "own proposal",
            &committed,
            day,
            "Clerk ",
            Event::Approve,
            "case-same-person",
        ),
        (
            "the firm itself",
            &committed,
            day,
            "e1",
            Event::Approve,
            "case-same-person",
        ),
        (
            "own refusal",
            &committed,
            day,
            "clerk",
            Event::Reject,
            "case-same-person",
        ),
        (
            "objection open",
            &objected,
            day,
            "head",
            Event::Approve,
            "case-objection",
        ),
        (
            "no such",
            &objected,
            day,
            "head",
            Event::Settle { objection: 2 },
            "case-no-objection",
        ),
        (
            "own objection",
            &objected,
            day,
            "E2",
            Event::Settle { objection: 1 },
            "case-same-person",
        ),
        (
            "objection to own",
            &objected,
            day,
            "clerk",
            Event::Uphold { objection: 1 },
            "case-same-person",
        ),
        (
            "owes",
            &approved(),
            day,
            "treasury",
            Event::Disburse { owes_funds: true },
            "case-owed-funds",
        ),
        (
            "not paid yet",
            &approved(),
            day,
            "head",
            Event::OrderClawback,
            "case-not-next",
        ),
    ] {
        let done = try_one(&mut case.clone(), on, by, event);
        assert_eq!(
            done.err().as_ref().map(GuardError::code),
            Some(want),
            "{name}"
        );
    }
    let mut silent = record("2025-03-31", "E2", Event::Object);
    silent.note = Some("  ".into());
    let done = committed.clone().apply(silent, &Calendars::shipped());
    assert_eq!(done.expect_err("no words").code(), "case-note");
    let mut unknown = at_notice();
    let text = unknown.to_json();
    let start = text.find("\"notice\": {").expect("a notice");
    let end = text[start..].find('}').expect("it ends") + start + 1;
    let text = format!("{}\"notice\": null{}", &text[..start], &text[end..]);
    unknown = Case::from_json(&text, &Calendars::shipped()).expect("a case");
    let done = try_one(&mut unknown, day, "head", Event::Approve);
    assert_eq!(done, Err(GuardError::NoticeUnknown));
}

#[test]
fn what_was_filed_in_time_may_be_corrected_after_it() {
    let mut case = Case::new("E1", terms());
    walk(
        &mut case,
        &[
            ("2025-03-30", "E1", submit("A1")),
            ("2025-03-31", "E1", submit("A2")),
            ("2025-04-01", "clerk", Event::Return),
            ("2025-04-10", "E1", submit("A1")),
        ],
    );
    let done = try_one(&mut case, "2025-04-10", "E1", submit("A3"));
    assert_eq!(done.expect_err("a new one").code(), "case-window");
    let mut lapsed = Case::new("E1", terms());
    walk(&mut lapsed, &[("2025-04-01", "clerk", Event::Lapse)]);
    assert_eq!(lapsed.state(), State::Lapsed);
}

#[test]
fn a_notice_counts_the_days_that_its_programme_says() {
    let from = |first: &str| -> Date { first.parse().expect("a day") };
    let notice = |days, calendar: Option<&str>, counts_opening_day| NoticeMark {
        days,
        calendar: calendar.map(str::to_owned),
        counts_opening_day,
        source: "made up".into(),
        certainty: quanfu_calendar::Certainty::Illustrative,
    };
    // Opened on Thursday 27 March 2025: 4 to 6 April are Qingming. Opened on 26 September: 28 September is a worked Sunday,
    // and 1 to 8 October are the feasts.
    for (opens, notice, last, skipped) in [
        ("2025-03-27", notice(5, None, true), "2025-03-31", ""),
        ("2025-03-27", notice(5, None, false), "2025-04-01", ""),
        (
            "2025-03-27",
            notice(5, Some("CN"), true),
            "2025-04-02",
            "weekend, weekend",
        ),
        (
            "2025-03-27",
            notice(5, Some("CN"), false),
            "2025-04-03",
            "weekend, weekend",
        ),
        (
            "2025-04-03",
            notice(1, Some("CN"), false),
            "2025-04-07",
            "holiday 清明节, holiday 清明节, holiday 清明节",
        ),
        (
            "2025-09-26",
            notice(3, Some("CN"), true),
            "2025-09-29",
            "weekend",
        ),
        (
            "2025-09-26",
            notice(3, Some("every-day"), true),
            "2025-09-28",
            "",
        ),
    ] {
        let mut all = terms();
        (all.apply_to, all.notice) = (None, Some(notice));
        let mut case = Case::new("E1", all);
        walk(
            &mut case,
            &[
                ("2025-03-03", "E1", submit("A1")),
                ("2025-03-04", "clerk", Event::Accept),
                ("2025-03-05", "clerk", Event::Review),
                ("2025-03-20", "clerk", propose("1.00 CNY")),
                (opens, "clerk", Event::OpenNotice),
                (
                    opens,
                    "clerk",
                    Event::Commit {
                        amount: money("1.00 CNY"),
                    },
                ),
            ],
        );
        let last = from(last);
        let days = case.notice(last, &Calendars::shipped()).expect("covered");
        assert_eq!(days.last().map(|step| step.day), Some(last), "{opens}");
        let found: Vec<String> = days
            .iter()
            .filter(|step| step.counted.is_none())
            .map(|step| step.reason.to_string())
            .collect();
        assert!(
            found.join(", ").starts_with(skipped)
                && found.len() == skipped.split_terminator(", ").count(),
            "{opens}: {found:?}"
        );
        let early = try_one(&mut case.clone(), &last.to_string(), "head", Event::Approve);
        assert_eq!(early, Err(GuardError::Notice { until: last }));
        let next = last.succ_opt().expect("a day").to_string();
        walk(&mut case, &[(next.as_str(), "head", Event::Approve)]);
    }
}

#[test]
fn a_notice_that_no_calendar_covers_is_not_guessed() {
    let mut all = terms();
    all.apply_to = None;
    let mut case = Case::new("E1", all);
    walk(
        &mut case,
        &[
            ("2026-03-03", "E1", submit("A1")),
            ("2026-03-04", "clerk", Event::Accept),
            ("2026-03-05", "clerk", Event::Review),
            ("2026-03-20", "clerk", propose("1.00 CNY")),
            ("2026-12-30", "clerk", Event::OpenNotice),
            (
                "2026-12-30",
                "clerk",
                Event::Commit {
                    amount: money("1.00 CNY"),
                },
            ),
        ],
    );
    let done = try_one(&mut case, "2027-01-20", "head", Event::Approve);
    assert_eq!(
        done.expect_err("2027 is not covered").code(),
        "case-notice-calendar"
    );
    let table = "date,kind,name,class\n2027-01-01,covers,2027-12-31,\n2027-01-01,holiday,元旦,\n";
    let user = CalendarHistory::parse("CN", table).expect("a calendar");
    let calendars = Calendars::shipped().with(user);
    let late = record("2027-01-20", "head", Event::Approve);
    assert_eq!(case.apply(late, &calendars), Ok(()));
    assert!(Case::from_json(&case.to_json(), &Calendars::shipped()).is_err());
    assert_eq!(Case::from_json(&case.to_json(), &calendars), Ok(case));
}

#[test]
fn an_objection_that_is_upheld_begins_the_way_anew() {
    let mut case = at_notice();
    let amount = money("100.00 CNY");
    walk(
        &mut case,
        &[
            ("2025-03-28", "treasury", Event::Commit { amount }),
            ("2025-03-28", "E2", Event::Object),
            ("2025-03-28", "E3", Event::Object),
            ("2025-03-31", "head", Event::Settle { objection: 2 }),
            ("2025-04-01", "head", Event::Uphold { objection: 1 }),
        ],
    );
    assert_eq!((case.state(), case.amount()), (State::UnderReview, None));
    walk(
        &mut case,
        &[
            ("2025-04-02", "clerk", propose("60.00 CNY")),
            ("2025-04-03", "clerk", Event::OpenNotice),
        ],
    );
    // The money that was set apart before is not for the new amount.
    let done = try_one(&mut case, "2025-04-14", "head", Event::Approve);
    assert_eq!(done.expect_err("not set apart").code(), "case-budget");
}

#[test]
fn what_is_clawed_back_is_exactly_what_was_paid() {
    let mut case = approved();
    walk(
        &mut case,
        &[
            (
                "2025-04-08",
                "treasury",
                Event::Disburse { owes_funds: false },
            ),
            ("2025-04-09", "clerk", Event::Close),
            ("2025-05-09", "head", Event::OrderClawback),
            (
                "2025-05-10",
                "treasury",
                Event::Recover {
                    amount: money("60.00 CNY"),
                },
            ),
        ],
    );
    for wrong in ["40.01 CNY", "0.00 CNY", "-1.00 CNY", "1.00 USD"] {
        let amount = money(wrong);
        let done = try_one(
            &mut case,
            "2025-05-11",
            "treasury",
            Event::Recover { amount },
        );
        assert_eq!(done.expect_err(wrong).code(), "case-amount");
    }
    assert_eq!(case.owed_back(), Some(money("40.00 CNY")));
    let amount = money("40.00 CNY");
    walk(
        &mut case,
        &[("2025-05-12", "treasury", Event::Recover { amount })],
    );
    assert_eq!(case.state(), State::Recovered);
}

#[test]
fn a_case_that_was_changed_by_hand_is_refused() {
    let text = approved().to_json();
    for (from, to, code) in [
        ("\"by\": \"head\"", "\"by\": \"clerk\"", "case-record"),
        (
            "\"on\": \"2025-04-07\"",
            "\"on\": \"2025-04-03\"",
            "case-record",
        ),
        ("quanfu.case/1", "quanfu.case/2", "case-document"),
        ("\"note\"", "\"remark\"", "case-document"),
        (
            "\"kind\": \"open_notice\"",
            "\"kind\": \"open_notice\", \"more\": 1",
            "case-document",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let read = Case::from_json(&text.replace(from, to), &Calendars::shipped());
        assert_eq!(read.expect_err(from).code(), code, "{from}");
    }
    for name in Event::NAMES {
        assert!(!name.contains(char::is_uppercase));
    }
}

#[test]
fn a_notice_of_absurd_length_is_refused_and_counts_nothing() {
    let text = at_notice().to_json();
    for (days, calendar) in [
        ("4000000000", "\"CN\""),
        ("2000000000", "\"CN\""),
        ("2000000000", "null"),
        ("0", "null"),
        ("1", "\"CN+nowhere\""),
        ("1", "\"\""),
    ] {
        let text = text
            .replace("\"days\": 5", &format!("\"days\": {days}"))
            .replace("\"calendar\": \"CN\"", &format!("\"calendar\": {calendar}"));
        let mut case = Case::from_json(&text, &Calendars::shipped()).expect("a case");
        let amount = money("100.00 CNY");
        walk(
            &mut case,
            &[("2025-03-28", "treasury", Event::Commit { amount })],
        );
        let done = try_one(&mut case, "2025-12-31", "head", Event::Approve);
        let code = done.expect_err(days).code();
        assert!(
            code.starts_with("case-notice-"),
            "{days} {calendar}: {code}"
        );
    }
}

proptest::proptest! {
    /// Whatever is done to the text of a case, it is read as it was written or refused.
    #[test]
    fn a_case_is_read_as_it_was_written_or_refused(at in 0_usize..100_000, length in 0_usize..40, with in "[-\"{}a-z0-9:, ]{0,12}") {
        let text = approved().to_json();
        let start = at % text.len();
        let start = (0..=start).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0);
        let end = (start + length).min(text.len());
        let end = (end..=text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len());
        let changed = format!("{}{with}{}", &text[..start], &text[end..]);
        if let Ok(case) = Case::from_json(&changed, &Calendars::shipped()) {
            proptest::prop_assert_eq!(case.to_json(), changed);
        }
    }
}
