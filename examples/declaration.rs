//! A settled day restored: every payment behind each sum at the bank, proved, and what changes by hand.
//!
//! ```console
//! $ cargo run --example declaration
//! ```

use quanfu::codes::Parameters;
use quanfu::filing::{Restored, netting_rules};
use quanfu::sample::demo_day;
use quanfu::{Day, Rules};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sample = demo_day(20_170_125);
    let rules = Rules::parse(&sample.rules)?;
    let mut day = Day::new(rules.clone());
    for (source, file) in [
        ("order", "orders.csv"),
        ("psp", "wechat.csv"),
        ("bank", "bank.sta"),
    ] {
        day = day.file(
            source,
            file,
            sample.bytes(file).ok_or("a file of the demo")?,
        );
    }
    let done = day.run()?;

    // the second edge leads from the institution to the bank
    let restored = Restored::of(done.outcomes(), &rules, 1)?;
    let netting = netting_rules(&Parameters::shipped());
    assert!(restored.check(&netting).is_empty());
    for (settled, explained) in restored.totals() {
        println!("settled {settled}, originals less charges {explained}");
    }
    for (rule, count, sum) in restored.netted(&netting) {
        let certainty = rule.row.certainty.name();
        println!(
            "netted {count} {} of {sum} by {} [{certainty}]",
            rule.kind,
            rule.row.id()
        );
    }

    let mut changed = restored.clone();
    changed.batches[0].originals.remove(3);
    for fault in changed.check(&netting) {
        println!("{}: {fault}", fault.code());
    }
    for difference in changed.differences(&restored) {
        println!("{difference}");
    }
    Ok(())
}
