//! A day's result and what people say about it are remembered for years; a change behind the store's back shows.
//!
//! Run with `cargo run --example durable_store`.

use quanfu::store::{Alg, Document, Key, Listing, Stamp, Store};

// Made up. `quanfu recon`, `decide` and `filing` write such documents.
const AWARD: &str = r#"{"schema": "quanfu.award/1", "number": "SZ-2026-7", "day": "2026-03-02"}"#;
const FILING: &str = r#"{
  "schema": "made-up.filing/1", "number": "JN-2026-001",
  "contact": {"name": "张三", "phone": "13800005678"}
}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("quanfu-durable-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let stamp = Stamp::new("Li Na", "2026-03-02T09:00:00Z")?;

    // The key comes from where you keep keys; here it is made up.
    let key = Key::new(&[42; 32])?;
    let mut store = Store::create(&folder.join("memory.db"), Alg::Sha256, &stamp)?.keyed(key);

    // All or none, each with its event, on the disk once this returns. Twice is once.
    let filing = Document::parse(FILING)?.retained_until("2031-12-31".parse()?);
    let documents = [Document::parse(AWARD)?, filing];
    for _ in 0..2 {
        for done in store.remember(&documents, &stamp)? {
            println!("event {} {} new: {}", done.seq, done.digest, done.is_new);
        }
    }
    print!("{}", Listing::documents(store.documents()?).csv());
    println!("{}", store.document("JN-2026-001")?); // masked: whole values are in a vault, if you have one

    // Note the head where the writer cannot reach it: only this shows a cut tail or a store written anew.
    let noted = store.head()?;
    println!("head {noted}");

    // Years later: the contact is erased, and the chain still holds.
    let later = Stamp::new("Zhao Min", "2032-01-02T09:00:00Z")?;
    let purged = store.purge("2031-12-31".parse()?, &later)?;
    println!(
        "erased {} values of {} documents",
        purged.values, purged.documents
    );
    println!("{}", store.document("JN-2026-001")?);
    let audited = store.audit(Some(&noted))?;
    println!("holds: {} events, {} rows", audited.events, audited.rows);

    let copy = folder.join("copy.db");
    assert_eq!(store.backup(&copy)?.head, store.head()?);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
