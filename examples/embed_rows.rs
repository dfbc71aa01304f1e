//! Reconciles rows of a program's own: no file, no TOML on disk, no format.
//!
//! Run with `cargo run --example embed_rows`.

use quanfu::calendar::Date;
use quanfu::settlement::{EntryKind, RefRole};
use quanfu::{Currency, Day, Entry, Money, Rules};

const RULES: &str = r#"
schema = "quanfu.rules/1"
name = "wallet and ledger"
calendar = "every-day"

[source.wallet]
role = "institution"

[source.ledger]
role = "bank"

[[edge]]
left = "wallet"
right = "ledger"

[[edge.rule]]
id = "by-transaction"
pass = "unique_key"
on = ["transaction"]
"#;

fn row(
    transaction: &str,
    fen: i64,
    day: &str,
) -> Result<Entry<'static>, Box<dyn std::error::Error>> {
    Ok(Entry::new(Money::from_minor(fen, Currency::CNY))
        .with_kind(EntryKind::Payment)
        .with_reference(RefRole::Transaction, transaction.to_owned())
        .on(day.parse::<Date>()?))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wallet = vec![
        row("T1", 19_990, "2026-03-02")?,
        row("T2", 500, "2026-03-02")?,
    ];
    let ledger = vec![
        row("T1", 19_990, "2026-03-02")?,
        row("T2", 450, "2026-03-02")?,
    ];

    let done = Day::new(Rules::parse(RULES)?)
        .rows("wallet", wallet)
        .rows("ledger", ledger)
        .run()?;

    let result = done.document(None);
    for open in &result.breaks {
        let code = open.code.map_or("", |code| code.code());
        let difference = open.difference.as_deref().unwrap_or("none");
        println!("{code}: difference {difference} CNY");
        for member in &open.members {
            println!(
                "  {} {} {} {}",
                member.side, member.item.record, member.item.amount, member.item.currency
            );
        }
    }
    assert_eq!(result.breaks.len(), 1, "T1 agrees, T2 lacks 0.50");
    Ok(())
}
