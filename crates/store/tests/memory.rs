//! What a store answers, whatever its engine: one list of cases for all of them.

mod common;

use common::{Folder, Safe, note, places, result, stamp};
use quanfu_settlement::decision::{Act, Decision, DecisionKind, DecisionMember};
use quanfu_settlement::{DecisionLog, ResultDoc, Side};
use quanfu_store::{Alg, Document, Key, Stamp, Store, StoreError};

type Case = fn(&dyn Fn() -> Store);

/// Each gets a place that is empty at first; calling it again opens the same store once more.
const CASES: &[(&str, Case)] = &[
    (
        "importing twice changes nothing",
        importing_twice_changes_nothing,
    ),
    (
        "open follows from what is there, in any order",
        open_follows_from_what_is_there,
    ),
    (
        "decisions stand beside what they speak of",
        decisions_stand_beside_what_they_speak_of,
    ),
    (
        "a batch is taken in whole or not at all",
        a_batch_is_taken_in_whole_or_not_at_all,
    ),
    (
        "personal values are masked, come back and are erased",
        personal_values_are_masked_come_back_and_are_erased,
    ),
    ("texts come back byte by byte", texts_come_back_byte_by_byte),
    ("two handles take turns", two_handles_take_turns),
    ("a head shows what it can", a_head_shows_what_it_can),
];

#[test]
fn every_engine_answers_all_cases() {
    for alg in [Alg::Sha256, Alg::Sm3] {
        for (number, (name, case)) in CASES.iter().enumerate() {
            let folder = Folder::new("memory");
            for place in places(&folder, &format!("case_{number}")) {
                println!("{name}, {}, {}", alg.name(), place.text());
                case(&|| place.create(alg));
                let mut store = place.open().expect("a store");
                assert_eq!(store.alg(), alg);
                store.check().expect("it holds");
                store.audit(None).expect("it holds");
            }
        }
    }
}

fn importing_twice_changes_nothing(open: &dyn Fn() -> Store) {
    let mut store = open();
    let documents = [
        note(1),
        Document::result(&result("2026-03-02", &[("aa", "break", None)], None)).expect("one"),
    ];
    let first = store.remember(&documents, &stamp()).expect("remembered");
    let head = store.head().expect("a head");
    let later = Stamp::new("Zhao Min", "2026-03-03T09:00:00Z").expect("a stamp");
    let again = open().remember(&documents, &later).expect("remembered");
    for (first, again) in first.iter().zip(again) {
        assert!(first.is_new && !again.is_new);
        assert_eq!((first.seq, &first.digest), (again.seq, &again.digest));
    }
    assert_eq!(open().head().expect("a head"), head);
    let twice = store
        .remember(&[note(2), note(2)], &stamp())
        .expect("remembered");
    assert_eq!(
        (twice[0].seq, twice[0].is_new, twice[1].is_new),
        (twice[1].seq, true, false)
    );
}

fn open_names(store: &mut Store) -> Vec<String> {
    let open = store.open_items().expect("open items");
    open.into_iter().map(|item| item.fingerprint).collect()
}

fn open_follows_from_what_is_there(open: &dyn Fn() -> Store) {
    let first = result(
        "2026-03-02",
        &[
            ("b1", "break", Some("ONLY_PLATFORM")),
            ("c1", "carried", None),
        ],
        None,
    );
    let again = result(
        "2026-03-02",
        &[("b2", "break", None), ("c1", "carried", None)],
        Some(("supersedes", &first)),
    );
    let next = result(
        "2026-03-03",
        &[("c2", "carried", None), ("a1", "ambiguous", None)],
        Some(("after", &again)),
    );
    let instead = result(
        "2026-03-03",
        &[("s1", "suggested", None)],
        Some(("supersedes", &next)),
    );
    let steps: [(&ResultDoc, &[&str]); 4] = [
        (&first, &["b1", "c1"]),
        (&again, &["b2", "c1"]),
        (&next, &["b2", "a1", "c2"]),
        // its replacement says nothing of what it follows, so that what was carried is open again
        (&instead, &["b2", "c1", "s1"]),
    ];
    let mut store = open();
    for (doc, want) in steps {
        store
            .remember(&[Document::result(doc).expect("one")], &stamp())
            .expect("remembered");
        assert_eq!(open_names(&mut store), want);
    }
    let item = &store.open_items().expect("open items")[0];
    assert_eq!(
        (item.edge.as_str(), item.records, item.currency.as_deref()),
        ("order-psp", 1, Some("CNY"))
    );
    assert_eq!(item.result, again.certificate.body.to_string());
}

fn decisions_stand_beside_what_they_speak_of(open: &dyn Fn() -> Store) {
    let day = result("2026-03-02", &[("b1", "break", None)], None);
    let mut log = DecisionLog::default();
    let decision = Decision {
        kind: DecisionKind::Assign,
        edge: "order-psp".into(),
        members: vec![DecisionMember {
            side: Side::Left,
            record: "00112233445566aa".parse().expect("a record"),
        }],
        positions: vec!["b1".into()],
        result: day.certificate.body,
        to: Some("Wang Wei".into()),
        causes: Vec::new(),
        reason: "knows the customer".into(),
    };
    let mut text = log
        .propose(decision, "Li Na", "2026-03-02T09:00:00Z")
        .expect("proposed");
    let mut store = open();
    store
        .remember(&Document::decisions(&text).expect("a log"), &stamp())
        .expect("remembered");
    store
        .remember(&[Document::result(&day).expect("one")], &stamp())
        .expect("remembered");
    assert_eq!(
        store.open_items().expect("open")[0].decisions,
        ["propose assign Li Na"]
    );
    let id = log.proposals()[0].id;
    text += &log
        .answer(Act::Approve, id, "Zhao Min", None, "2026-03-02T09:05:00Z")
        .expect("approved");
    let done = store
        .remember(&Document::decisions(&text).expect("a log"), &stamp())
        .expect("remembered");
    assert_eq!(
        done.iter().map(|done| done.is_new).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(
        store.open_items().expect("open")[0].decisions,
        ["propose assign Li Na", "approve assign Zhao Min"]
    );
    let torn = text.replace("Zhao Min", "Li Na");
    assert_eq!(
        Document::decisions(&torn)
            .expect_err("it was changed")
            .code(),
        "store-document"
    );
}

fn a_batch_is_taken_in_whole_or_not_at_all(open: &dyn Fn() -> Store) {
    let mut store = open();
    let head = store.head().expect("a head");
    let secret =
        Document::parse(r#"{"schema": "made-up.note/1", "id_number": "11010519491231002X"}"#)
            .expect("one");
    let refused = store
        .remember(&[note(1), secret], &stamp())
        .expect_err("there is no key");
    assert_eq!(refused.code(), "store-vault");
    assert!(!refused.to_string().contains("1101"));
    assert_eq!(store.head().expect("a head"), head);
    assert_eq!(store.documents().expect("documents"), []);
    store
        .remember(&[note(1)], &stamp())
        .expect("the store goes on");
}

fn personal_values_are_masked_come_back_and_are_erased(open: &dyn Fn() -> Store) {
    let safe = Safe::default();
    let key = || Key::new(&[7; 32]).expect("a key");
    let mut store = open().keyed(key()).guarded(Box::new(safe.clone()));
    let text = |name: &str| {
        format!(
            "{{\n  \"schema\": \"made-up.filing/1\",\n  \"number\": \"{name}\",\n  \"id_number\": \"11010519491231002X\",\n  \
             \"own\": [\"6222020200112233445\"]\n}}\n"
        )
    };
    let document = |name: &str, until: &str| {
        let document = Document::parse(&text(name))
            .expect("one")
            .personal(&["own"]);
        document.retained_until(until.parse().expect("a day"))
    };
    let all = [document("F1", "2030-12-31"), document("F2", "2031-12-31")];
    assert!(store.remember(&all, &stamp()).expect("remembered")[0].is_new);
    assert!(!store.remember(&all, &stamp()).expect("remembered")[0].is_new);
    let masked = store.document("F1").expect("it is there");
    assert!(
        masked.contains("1****************X") && masked.contains("6*****************5"),
        "{masked}"
    );
    assert_eq!(store.whole("F1").expect("it is there"), text("F1"));
    assert_eq!(safe.0.lock().expect("a lock").len(), 2);

    let purge = |store: &mut Store, day: &str| {
        store
            .purge(day.parse().expect("a day"), &stamp())
            .expect("purged")
    };
    assert_eq!(purge(&mut store, "2030-12-30").values, 0);
    let first = purge(&mut store, "2030-12-31");
    assert_eq!((first.documents, first.values), (1, 2));
    assert_eq!(purge(&mut store, "2030-12-31").values, 0);
    store.audit(None).expect("it holds");
    assert!(
        store
            .document("F1")
            .expect("it is there")
            .contains("\"id_number\": \"*\"")
    );
    assert_eq!(
        store.whole("F1").expect_err("it was erased").code(),
        "store-vault"
    );
    // the other document has the same person
    assert_eq!(store.whole("F2").expect("it is there"), text("F2"));
    assert_eq!(purge(&mut store, "2040-01-01").documents, 1);
    assert!(safe.0.lock().expect("a lock").is_empty());
    // taken in again, it is known, and nothing comes back
    assert!(!store.remember(&all, &stamp()).expect("remembered")[0].is_new);
    assert!(safe.0.lock().expect("a lock").is_empty());
    assert!(!format!("{store:?}").contains("[7, 7"));
}

fn texts_come_back_byte_by_byte(open: &dyn Fn() -> Store) {
    let mut store = open();
    for name in [
        "'); DROP TABLE audit; --",
        "$1",
        "\\u0000",
        "泉府 🏦",
        "%s' OR '1'='1",
        "a\\\"b",
    ] {
        let escaped = name.replace('"', "\\\"").replace("\\\\\"", "\\\\\\\"");
        let text = format!("{{\"schema\":\"made-up.note/1\",  \"number\":\"{escaped}\"\n}}");
        let Ok(document) = Document::parse(&text) else {
            continue;
        };
        let done = store.remember(&[document], &stamp());
        if name.contains("u0000") {
            assert_eq!(done.expect_err(name).code(), "store-document");
            continue;
        }
        let done = done.expect(name);
        assert_eq!(store.document(&done[0].digest).expect("it is there"), text);
    }
    let listed = store.documents().expect("documents");
    assert!(listed.len() >= 5);
    assert_eq!(listed[0].name, "'); DROP TABLE audit; --");
    for text in ["", "{", "[]", "{\"schema\": 1}", "{\"schema\": \"none\"}"] {
        assert_eq!(
            Document::parse(text).expect_err(text).code(),
            "store-document"
        );
    }
}

fn two_handles_take_turns(open: &dyn Fn() -> Store) {
    let (mut one, mut two) = (open(), open());
    for number in 0..10 {
        one.remember(&[note(number)], &stamp()).expect("remembered");
        assert!(!two.remember(&[note(number)], &stamp()).expect("remembered")[0].is_new);
        two.remember(&[note(number + 100)], &stamp())
            .expect("remembered");
    }
    assert_eq!(one.head().expect("a head"), two.head().expect("a head"));
    assert_eq!(one.audit(None).expect("it holds").events, 21);
}

fn a_head_shows_what_it_can(open: &dyn Fn() -> Store) {
    let mut store = open();
    store.remember(&[note(1)], &stamp()).expect("remembered");
    let noted = store.head().expect("a head");
    store
        .remember(
            &[note(2)],
            &Stamp::new("Li Na", "2026-03-01T09:00:00Z").expect("a stamp"),
        )
        .expect("remembered");
    let audited = store.audit(Some(&noted)).expect("it goes on from there");
    assert_eq!(audited.clock_back, [3]);
    assert_eq!(noted.to_string().parse(), Ok(noted.clone()));
    let mut ahead = store.head().expect("a head");
    ahead.events += 1;
    let mut other = noted;
    other.hash = Alg::Sha256.digest(b"another store");
    for head in [ahead, other] {
        assert!(matches!(
            store.audit(Some(&head)),
            Err(StoreError::Head { .. })
        ));
    }
}
