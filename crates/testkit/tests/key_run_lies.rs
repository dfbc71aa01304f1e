//! Every leaf of a key run's document changed and sealed again, every line of its list: `verify` finds all of it.

mod second;

use quanfu::settlement::Limits;
use quanfu::settlement::groups::GroupsDoc;
use quanfu::verify::{Candidate, Verification, verify};
use quanfu::{KeyRun, Profile, Rules};
use second::Second;
use serde_json::{Value, json};

const RULES: &str = r#"
schema = "quanfu.rules/1"
name = "keys"
calendar = "CN"
[source.shop]
role = "order"
profile = "quanfu-orders"
[source.bank]
role = "bank"
profile = "bank"
[[edge]]
left = "shop"
right = "bank"
[[edge.rule]]
id = "K1"
pass = "unique_key"
on = [{ left = "order", right = "order", right_normalise = ["upper", "strip_leading_zeros"] }, "currency"]
"#;

const BANK: &str = r#"
schema = "quanfu.profile/1"
name = "bank"
[columns]
value_date = { name = "day", format = ["%Y-%m-%d"] }
order = "order"
bank = "serial"
[amount]
column = "amount"
[currency]
column = "currency"
"#;

const SHOP_CSV: &str = "order_id,paid_at,amount,currency,status\n\
    A1,2026-03-02 10:00:00,19.90,CNY,paid\nA2,2026-03-02 10:00:01,5,USD,paid\n\
    A3,2026-03-02 10:00:02,7.00,CNY,paid\nA3,2026-03-02 10:00:03,7.00,CNY,paid\n\
    A4,2026-03-02 10:00:04,1.234,CNY,paid\n\"A,5\",2026-03-02 10:00:04,1,CNY,paid\n";

const BANK_CSV: &str = "serial,day,order,amount,currency\nB1,2026-03-02,00a1,19.90,CNY\n\
    B2,2026-03-02,A2,4.99,USD\nB3,2026-03-02,A9,8.00,CNY\nB4,2026-03-02,,100,JPY\nB4,2026-03-02,,100,JPY\n";

fn run() -> (GroupsDoc, String) {
    let mut list = Vec::new();
    let run = KeyRun::new(Rules::parse(RULES).expect("rules of this test"))
        .profile(Profile::parse(BANK).expect("a profile of this test"))
        .file("shop", "shop.csv", SHOP_CSV.as_bytes())
        .file("bank", "bank.csv", BANK_CSV.as_bytes());
    let doc = run.run(&mut |lines| {
        list.extend_from_slice(lines);
        Ok(())
    });
    let list = String::from_utf8(list).expect("a list is text");
    (doc.expect("the files can be read").doc, list)
}

fn check(doc: &str, list: &str) -> Verification {
    let files = [
        Candidate::bytes("shop.csv", SHOP_CSV.as_bytes()),
        Candidate::bytes("bank.csv", BANK_CSV.as_bytes()),
        Candidate::bytes("list.csv", list.as_bytes()),
    ];
    verify(doc, &files, &Limits::default()).expect("files in memory can be read")
}

/// Lies that the second verifier does not see: a rejected record's reason is told in the reader's own words and place.
/// Its code, file and line are checked.
const SECOND_MAY_HOLD: &[&str] = &[
    "/rejected/0/column",
    "/rejected/0/field",
    "/rejected/0/message",
];

/// The second verifier at work beside the first.
struct Desk {
    second: Second,
    files: [Value; 2],
}

impl Desk {
    fn new(test: &str) -> Self {
        let second = Second::start(test);
        let files = [("shop.csv", SHOP_CSV), ("bank.csv", BANK_CSV)];
        let files = files.map(|(name, text)| second.keep(name, text.as_bytes()));
        Self { second, files }
    }

    fn ask(&mut self, label: &str, doc: &str, list: &str) {
        let [shop, bank] = &self.files;
        let files = [shop.clone(), bank.clone(), json!({ "text": list })];
        self.second.ask(label.to_owned(), doc, &files, &[]);
    }

    /// All lies are refused but those listed.
    fn finish(self, listed: &[&str]) {
        let answers = self.second.finish().into_iter();
        let believed: Vec<_> = answers.filter(|answer| answer.verdict == "holds").collect();
        let mut labels: Vec<&str> = believed.iter().map(|one| one.label.as_str()).collect();
        labels.dedup();
        assert!(
            labels.is_empty() || labels == listed,
            "the second verifier believes {believed:#?}"
        );
    }
}

#[test]
fn an_honest_key_run_holds_and_says_what_is_missing() {
    let (doc, list) = run();
    let Verification::Holds(checked) = check(&doc.to_json(), &list) else {
        panic!("{:?}", check(&doc.to_json(), &list));
    };
    assert_eq!((checked.files, checked.records, checked.lines), (2, 11, 7));
    let files = [Candidate::bytes("shop.csv", SHOP_CSV.as_bytes())];
    let answer = verify(&doc.to_json(), &files, &Limits::default()).expect("readable");
    let Verification::Incomplete(missing) = answer else {
        panic!("{answer:?}");
    };
    let what: Vec<_> = missing.iter().map(|missing| missing.what).collect();
    assert_eq!(what, ["input", "list of groups"]);
    let mut desk = Desk::new("key-run");
    desk.ask("honest", &doc.to_json(), &list);
    let answers = desk.second.finish();
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.verdict != "holds")
        .collect();
    assert!(
        refused.is_empty(),
        "the second verifier refuses {refused:#?}"
    );
}

#[test]
fn every_changed_byte_of_the_list_is_found() {
    let (doc, list) = run();
    let doc = doc.to_json();
    let mut desk = Desk::new("key-run-list");
    for at in 0..list.len() {
        let mut bytes = list.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        assert!(!check(&doc, &changed).holds(), "byte {at} of the list");
        // the document is long and every question costs: lies of each line, not of each byte
        if at % 7 == 0 {
            desk.ask(&format!("byte {at} of the list"), &doc, &changed);
        }
    }
    for line in list.lines().skip(1) {
        let without = list.replacen(&format!("{line}\n"), "", 1);
        assert!(!check(&doc, &without).holds(), "without {line}");
        let twice = list.replacen(line, &format!("{line}\n{line}"), 1);
        assert!(!check(&doc, &twice).holds(), "twice {line}");
        desk.ask(&format!("without {line}"), &doc, &without);
        desk.ask(&format!("twice {line}"), &doc, &twice);
    }
    desk.finish(&[]);
}

/// Calls `each` with the document as it is with one leaf changed, and the leaf's path.
fn changed_leaves(whole: &Value, path: &str, at: &Value, each: &mut dyn FnMut(&str, Value)) {
    let replaced = |new: Value| {
        let mut doc = whole.clone();
        *doc.pointer_mut(path).expect("the path was walked") = new;
        doc
    };
    match at {
        Value::Object(map) => {
            for (key, value) in map {
                changed_leaves(whole, &format!("{path}/{key}"), value, each);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(12) {
                changed_leaves(whole, &format!("{path}/{index}"), item, each);
            }
            if let Some((_, rest)) = items.split_last() {
                each(path, replaced(Value::Array(rest.to_vec())));
            }
        }
        Value::Bool(value) => each(path, replaced(Value::Bool(!value))),
        Value::Number(number) => {
            let next = number.as_u64().unwrap_or(0) + 1;
            each(path, replaced(Value::from(next)));
        }
        Value::String(text) if text.starts_with("blake3:") || text.starts_with("sha256:") => {
            let last = if text.ends_with('0') { "1" } else { "0" };
            let new = format!("{}{last}", &text[..text.len() - 1]);
            each(path, replaced(Value::from(new)));
        }
        Value::String(text) => {
            each(path, replaced(Value::from(format!("{text}1"))));
            each(path, replaced(Value::from(text.replacen("1", "2", 1))));
        }
        Value::Null => {}
    }
}

#[test]
fn columns_called_by_each_others_names_are_found_in_list_and_document_alike() {
    let (mut doc, list) = run();
    let mut desk = Desk::new("key-run-columns");
    for (one, other) in [
        ("shop_amount", "bank_amount"),
        ("ns", "nb"),
        ("order_id", "serial"),
    ] {
        let swapped = |text: &str| {
            let text = text.replacen(one, "\0", 1).replacen(other, one, 1);
            text.replacen('\0', other, 1)
        };
        let honest = std::mem::take(&mut doc.certificate.header);
        doc.certificate.header = swapped(&honest);
        assert_ne!(doc.certificate.header, honest, "{one}");
        let lie = doc.clone().sealed().to_json();
        assert!(!check(&lie, &swapped(&list)).holds(), "{one} and {other}");
        desk.ask(&format!("{one} and {other}"), &lie, &swapped(&list));
        doc.certificate.header = honest;
    }
    desk.finish(&[]);
}

#[test]
fn every_changed_leaf_of_the_document_is_found_although_it_is_sealed_again() {
    let (doc, list) = run();
    let value: Value = serde_json::from_str(&doc.to_json()).expect("JSON");
    // A bucket in use beside the empty ones.
    let used = doc
        .certificate
        .buckets
        .iter()
        .position(|bucket| bucket.lines > 0);
    let used = format!("/certificate/buckets/{}", used.expect("a bucket is in use"));
    let mut tried = 0;
    let mut desk = Desk::new("key-run-document");
    let mut each = |path: &str, changed: Value| {
        // Nothing in the files tells the engine's version or the names that files had.
        let is_name = path.ends_with("/file") || path == "/engine";
        let text = changed.to_string();
        let Ok(changed) = GroupsDoc::from_json(&text) else {
            return;
        };
        if is_name || changed == doc {
            return;
        }
        tried += 1;
        let sealed = match path {
            "/certificate/body" => changed.to_json(),
            _ => changed.sealed().to_json(),
        };
        assert!(!check(&sealed, &list).holds(), "{path}");
        desk.ask(path, &sealed, &list);
    };
    changed_leaves(&value, "", &value, &mut each);
    let bucket = value.pointer(&used).expect("a bucket").clone();
    changed_leaves(&value, &used, &bucket, &mut each);
    assert!(tried > 150, "{tried} changes");
    desk.finish(SECOND_MAY_HOLD);
}
