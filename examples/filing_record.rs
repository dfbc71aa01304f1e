//! A cooperation of a bank and a payment institution, from signing to renewal, over New Year and the Spring Festival of
//! 2026: what is filed, until when, and why.
//!
//! Run with `cargo run --example filing_record`. The parties and the programme's five working days are made up.

use quanfu::calendar::{BusinessCalendar, Date};
use quanfu::codes::Parameters;
use quanfu::filing::{
    Act, Attachment, Content, Deadline, Filing, Programme, Refusal, Timeliness, due, dues,
    retention,
};
use quanfu::settlement::{Digest, DigestAlg};

const CONTENT: &str = r#"
account_number = ["6222020200112233445"]
channels = ["cips"]

[bank]
name = "Made-up Bank"

[institution]
name = "Made-up Pay"

[agreement]
number = "MP-2025-07"
until = 2026-12-31
scope = ["export_goods"]
"#;

fn paper(kind: &str, bytes: &[u8]) -> Attachment {
    Attachment {
        kind: kind.into(),
        name: format!("{kind}.pdf"),
        bytes: bytes.len() as u64,
        digest: Digest::of(DigestAlg::Sha256, bytes),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let day = |text: &str| text.parse::<Date>();
    let china = BusinessCalendar::china();
    let programmes = Programme::shipped();
    let named = |id: &str| programmes.iter().find(|known| known.id == id);
    let rules = named("example-5wd").ok_or("no such programme")?;

    let mut content = Content::parse(CONTENT)?;
    content.attachments = vec![
        paper("agreement", b"made-up agreement"),
        paper("internal_control", b"made-up rules"),
    ];
    let mut filing = Filing::new(rules, "JN-2025-001", content, day("2025-12-22")?, "Li Na")?;
    filing.apply(rules, Act::Sign, day("2025-12-24")?, "Li Na")?;
    filing.apply(rules, Act::Start, day("2025-12-29")?, "Li Na")?;

    // Business runs and nothing is filed: due, and a day after the deadline overdue, never invalid.
    for on in ["2026-01-05", "2026-01-07"] {
        let item = due(&filing, rules, &china, day(on)?);
        let (left, late) = (item.days_left, item.days_late);
        println!(
            "{on}: {}, days left {left:?}, late {late:?}",
            item.timeliness
        );
    }

    // One puts it forward, another releases it.
    filing.apply(rules, Act::Submit, day("2026-01-05")?, "Li Na")?;
    let content = filing.state().content;
    let same = filing.apply(rules, Act::Approve { content }, day("2026-01-06")?, "LI NA");
    println!("\n{}", same.err().ok_or("one person does not do both")?);
    filing.apply(
        rules,
        Act::Approve { content },
        day("2026-01-06")?,
        "Zhao Min",
    )?;
    let receipt = "R-2026-17".to_owned();
    filing.apply(rules, Act::Accept { receipt }, day("2026-01-09")?, "Li Na")?;

    // A change just before the Spring Festival, filed on its last day.
    let mut changed = filing.content().clone();
    changed.bank.name = "Made-up Bank of Jinan".into();
    let content = Box::new(changed);
    filing.apply(rules, Act::Change { content }, day("2026-02-12")?, "Li Na")?;
    filing.apply(rules, Act::Submit, day("2026-02-24")?, "Li Na")?;
    let content = filing.state().content;
    filing.apply(
        rules,
        Act::Approve { content },
        day("2026-02-26")?,
        "Zhao Min",
    )?;
    let receipt = "R-2026-41".to_owned();
    filing.apply(rules, Act::Accept { receipt }, day("2026-02-27")?, "Li Na")?;

    // The renewal.
    let until = day("2027-12-31")?;
    filing.apply(rules, Act::Renew { until }, day("2026-09-18")?, "Li Na")?;
    for item in dues(&filing, rules, &china, day("2026-09-21")?) {
        println!("\n{}: {}", item.matter, item.timeliness);
        let Some(Deadline::On {
            from, due, days, ..
        }) = item.deadline
        else {
            continue;
        };
        println!("  counted from {from}, until {due}");
        for day in days {
            let number = day.counted.map_or("-".to_owned(), |n| n.to_string());
            println!("  {} {number} {}", day.day, day.reason);
        }
    }

    // Without a sourced deadline nobody is in time.
    let rules = named("pboc-139-2022").ok_or("no such programme")?;
    let mut other = Filing::new(
        rules,
        "SH-1",
        Content::default(),
        day("2026-03-02")?,
        "Li Na",
    )?;
    other.apply(rules, Act::Sign, day("2026-03-02")?, "Li Na")?;
    let item = due(&other, rules, &china, day("2026-12-31")?);
    assert_eq!(item.timeliness, Timeliness::NotDeterminable);
    println!("\n{}: {}", rules.id, item.timeliness);

    let kept = retention(&filing, rules, &Parameters::shipped(), day("2026-09-21")?)?;
    println!(
        "kept {} years after its end",
        kept.years.ok_or("a rule is known")?
    );

    // The record is its events: read again it is the same, and one that was changed is none.
    let text = filing.to_json();
    assert_eq!(Filing::from_json(&text)?, filing);
    let forged = Filing::from_json(&text.replace("2026-02-26", "2026-02-25"));
    assert!(matches!(forged, Err(Refusal::Chain { .. })));
    Ok(())
}
