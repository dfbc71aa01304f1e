//! The interest of a loan whose rate is reset, day by day and exactly: where it is rounded decides about a fen.
//!
//! Run with `cargo run --example interest_discount`.

use quanfu::calendar::BusinessCalendar;
use quanfu::credit::{Context, Programme, ReferenceRates, application, assess};
use quanfu::fx::RateTable;

const PROGRAMME: &str = r#"
schema = "quanfu.programme/1"
id = "whole-interest"
year = "2024"
title = "made up: all of the interest"
status = "illustrative"
[authority]
region = "nowhere"
bodies = []
[[refs]]
id = "made-up"
doc = "made up"
certainty = "illustrative"
[window]
from = 2024-01-01
to = 2024-12-31
test = "interest_period"
ref = "made-up"
[[line]]
id = "interest"
kind = "interest_discount"
base = "interest_accrued"
rate = [{ applied = "1.00", ref = "made-up" }]
ref = "made-up"
[rounding]
unit = "fen"
mode = "half_up"
at = "line_total"
order = ["rate", "round", "deduct_other_support", "line_cap", "enterprise_cap", "min_payable", "budget"]
ref = "made-up"
[budget]
total = "unlimited"
method = "pro_rata"
ref = "made-up"
"#;

const APPLICATION: &str = r#"
schema = "quanfu.application/1"
id = "A-1"
enterprise = "E-1"
name = "a made-up firm"
filed_on = 2025-01-15
[[item]]
id = "1"
kind = "interest"
amount = "17600.00 CNY"
loan = "L-1"
from = 2024-03-01
until = 2024-09-01
paid_on = 2024-09-01
[[loan]]
id = "L-1"
signed_on = 2024-02-26
due_on = 2024-09-01
day_count = "Act/360"
drawdown = [{ on = 2024-03-01, amount = "1000000.00 CNY" }]
rate = [{ from = 2024-03-01, rate = "0.0345" }, { from = 2024-07-22, rate = "0.0335" }]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let application = application::from_toml(APPLICATION)?;
    let each_part = PROGRAMME.replace("line_total", "segment");
    for (place, text, want) in [
        ("rounded once", PROGRAMME, "17519.44 CNY"),
        ("each part rounded", each_part.as_str(), "17519.45 CNY"),
    ] {
        let done = assess(
            &Programme::parse(text)?,
            std::slice::from_ref(&application),
            &Context {
                day: "2025-02-01".parse()?,
                rates: &RateTable::default(),
                reference: &ReferenceRates::shipped(),
                calendar: &BusinessCalendar::china(),
                earlier: &[],
                policies: &[],
                files: &[],
                unread: &[],
                receipts: None,
            },
        )?;
        println!("{place}: {}", done.budget.paid);
        assert_eq!(done.budget.paid.to_string(), want);
    }
    Ok(())
}
