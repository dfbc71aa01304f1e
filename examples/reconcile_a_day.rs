//! Reconciles a made-up settlement day: orders, an institution's bill and a bank statement, from bytes to a
//! result that can be verified. Run with `cargo run --example reconcile_a_day`.

use quanfu::{Day, Rules};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sample = quanfu::sample::demo_day(20_170_125);
    let bytes = |path: &str| {
        sample
            .bytes(path)
            .ok_or_else(|| format!("the sample day has no {path}"))
    };

    let done = Day::new(Rules::parse(&sample.rules)?)
        .file("order", "orders.csv", bytes("orders.csv")?)
        .file("psp", "wechat.csv", bytes("wechat.csv")?)
        .file("bank", "bank.sta", bytes("bank.sta")?)
        .run()?;

    let result = done.document(None);
    for edge in &result.edges {
        println!("{}", edge.name);
        for total in &edge.outcomes {
            let rows: u64 = total.totals.iter().map(|t| t.count).sum();
            let code = total.code.map_or("", |code| code.code());
            println!(
                "  {:6} {:10} {:22} {rows:6}",
                total.source, total.outcome, code
            );
        }
    }
    let (breaks, ambiguous, carried) = (&result.breaks, &result.ambiguous, &result.carried);
    println!(
        "{} breaks, {} ambiguous, {} carried",
        breaks.len(),
        ambiguous.len(),
        carried.len()
    );
    println!("outcome digest {}", result.certificate.outcome_digest);
    Ok(())
}
