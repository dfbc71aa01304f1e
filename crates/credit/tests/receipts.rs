//! Receipts count only where a result of reconciliation confirms them.

use quanfu_calendar::BusinessCalendar;
use quanfu_credit::{
    Context, Programme, Reason, Receipts, ReferenceRates, application, assess, shipped,
};
use quanfu_fx::RateTable;
use quanfu_settlement::result::{Certificate, Embedded, SCHEMA};
use quanfu_settlement::table::HEADER;
use quanfu_settlement::{Digest, DigestAlg, ResultDoc, Viewpoint};

/// A result of a day with its table of `record outcome` lines.
fn result(day: &str, trusted: bool, rows: &[(&str, &str)]) -> (String, String) {
    let mut table = format!("{HEADER}\n");
    for (record, outcome) in rows {
        table.push_str(&format!(
            "bank,b.csv,2,{record},shop-bank,{outcome},,,,,2024-05-06,1.00,CNY,,,\"a, note\"\n"
        ));
    }
    table.push_str("bank,b.csv,9,,shop-bank,rejected,amount,,,,,,,,,no amount\n");
    let doc = ResultDoc {
        schema: SCHEMA.into(),
        engine: "test".into(),
        rules: "test".into(),
        viewpoint: Viewpoint::Platform,
        as_of: day.parse().expect("a day"),
        as_of_given: true,
        trusted,
        failed_proofs: Vec::new(),
        sources: Vec::new(),
        edges: Vec::new(),
        presence: Vec::new(),
        balances: Vec::new(),
        fee_differences: Vec::new(),
        breaks: Vec::new(),
        ambiguous: Vec::new(),
        suggested: Vec::new(),
        carried: Vec::new(),
        rules_document: Embedded::new("rules", ""),
        profiles: Vec::new(),
        calendar: Embedded::new("calendar", ""),
        certificate: Certificate {
            inputs: Vec::new(),
            outcome_digest: Digest::of(DigestAlg::Sha256, b""),
            outcomes_table: Some(Digest::of(DigestAlg::Sha256, table.as_bytes())),
            after: None,
            supersedes: None,
            rates: None,
            decisions: None,
            body: Digest::of(DigestAlg::Sha256, b""),
        },
    };
    (doc.sealed().to_json(), table)
}

/// Why each receipt gets nothing; `None`: it gets something.
fn refused(
    requires: bool,
    receipts: Option<&Receipts>,
    names: &[&str],
) -> Vec<Option<(Reason, String)>> {
    let mut text = shipped("city-markets").expect("shipped").to_owned();
    if requires {
        assert!(!text.contains("[eligibility]"));
        text = text.replace(
            "[[line]]\nid = \"premium\"",
            "[eligibility]\nrequires_receipt = true\n\n[[line]]\nid = \"premium\"",
        );
        assert!(text.contains("requires_receipt"));
    }
    let programme = Programme::parse(&text).expect("a programme");
    let mut application = String::from(
        "schema = \"quanfu.application/1\"\nid = \"A\"\nenterprise = \"E\"\nname = \"E\"\nfiled_on = 2025-01-10\n",
    );
    for (index, name) in names.iter().enumerate() {
        let receipt = if name.is_empty() {
            String::new()
        } else {
            format!("receipt = \"{name}\"\n")
        };
        application.push_str(&format!(
            "[[item]]\nid = \"{index}\"\nkind = \"premium\"\namount = \"10.00 CNY\"\ninvoice = \"I{index}\"\n\
             paid_on = 2024-05-06\nproduct = \"export\"\nmarket = \"emerging\"\n{receipt}"
        ));
    }
    let application = application::from_toml(&application).expect("an application");
    let context = Context {
        day: "2025-02-01".parse().expect("a day"),
        rates: &RateTable::default(),
        reference: &ReferenceRates::shipped(),
        calendar: &BusinessCalendar::china(),
        earlier: &[],
        policies: &[],
        files: &[],
        unread: &[],
        receipts,
    };
    let done = assess(&programme, &[application], &context).expect("small amounts");
    done.replay().expect("every step gives its figure");
    let find = |index: usize| {
        let mut all = done.refused.iter();
        let refusal = all.find(|refusal| refusal.item == index.to_string())?;
        Some((refusal.reason, refusal.detail.clone()))
    };
    (0..names.len()).map(find).collect()
}

#[test]
fn a_receipt_stands_if_the_latest_result_confirms_it_on_every_edge() {
    let first = result(
        "2024-05-06",
        true,
        &[
            ("aa", "confirmed"),
            ("bb", "carried"),
            ("cc", "break"),
            ("dd", "confirmed"),
            ("dd", "suggested"),
        ],
    );
    let second = result("2024-05-07", true, &[("bb", "confirmed"), ("cc", "break")]);
    let mut orders = Vec::new();
    for days in [[&first, &second], [&second, &first]] {
        let mut receipts = Receipts::default();
        for (doc, table) in days {
            receipts.add(doc, table).expect("a result with its table");
        }
        orders.push(receipts);
    }
    assert_eq!(orders[0], orders[1]);
    let names = ["aa", "bb", "cc", "dd", "ee", ""];
    let not = |detail: &str| Some((Reason::ReceiptNotConfirmed, detail.to_owned()));
    let mut want = vec![
        None,
        None,
        not("cc: break on shop-bank, 2024-05-07"),
        not("dd: suggested on shop-bank, 2024-05-06"),
        not("ee: no result has it"),
        None,
    ];
    assert_eq!(refused(false, Some(&orders[0]), &names), want);
    want[5] = Some((Reason::ReceiptMissing, String::new()));
    assert_eq!(refused(true, Some(&orders[1]), &names), want);
    // A name alone shows nothing where a programme asks for a receipt.
    assert_eq!(
        refused(true, None, &["aa"]),
        [not("aa: no result was given")]
    );
    assert_eq!(refused(false, None, &["aa"]), [None]);
}

#[test]
fn a_result_that_cannot_be_trusted_is_refused() {
    let (doc, table) = result("2024-05-06", true, &[("aa", "break")]);
    let (doubtful, of_doubtful) = result("2024-05-06", false, &[]);
    let changed = table.replace(",break,", ",confirmed,");
    for (doc, table, message) in [
        (
            doc.replace("\"trusted\": true", "\"trusted\": false"),
            table.clone(),
            "changed after",
        ),
        (
            doc.replace("2024-05-06", "2024-05-08"),
            table.clone(),
            "changed after",
        ),
        (doubtful, of_doubtful, "not trusted"),
        (doc, changed, "not the table"),
        ("{}".into(), table, "missing field"),
    ] {
        let error = Receipts::default().add(&doc, &table).expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
    }
}
