//! A firm checks what it may expect for the interest it paid, some of it in dollars, under a shipped programme; with
//! every step.
//!
//! Run with `cargo run --example subsidy_claim`.

use quanfu::calendar::BusinessCalendar;
use quanfu::credit::{Context, Programme, ReferenceRates, application, assess, shipped};
use quanfu::fx::{RateReading, RateTable};
use quanfu::report::{Lang, Look, award};

const APPLICATION: &str = r#"
schema = "quanfu.application/1"
id = "SZ-1"
enterprise = "E-1"
name = "a made-up firm"
filed_on = 2018-01-31

[[item]]
id = "1"
kind = "interest"
amount = "410000.00 CNY"
loan = "L-1"
from = 2017-01-01
until = 2017-07-01
policy = "P-1"
paid_on = 2017-06-20

[[item]]
id = "2"
kind = "interest"
amount = "10000.00 USD"
loan = "L-2"
from = 2017-01-01
until = 2017-07-01
policy = "P-1"
paid_on = 2017-06-21

[[item]]
id = "3"
kind = "interest"
interest = "penalty"
amount = "900.00 CNY"
payment = "PAY-3"
policy = "P-1"
paid_on = 2017-06-21
"#;

// The rate is made up.
const RATES: &str = "date,base,unit,quote,value,kind,source,certainty\n\
    2017-06-21,USD,1,CNY,6.8000,mid,made up,illustrative\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = shipped("shenzhen-2017-interest").ok_or("not shipped")?;
    let programme = Programme::parse(text)?;
    let done = assess(
        &programme,
        &[application::from_toml(APPLICATION)?],
        &Context {
            day: "2018-02-01".parse()?,
            rates: &RateTable::new(RateReading::csv(RATES.as_bytes())?.rates)?,
            reference: &ReferenceRates::shipped(),
            calendar: &BusinessCalendar::china(),
            earlier: &[],
            policies: &[],
            files: &[],
            unread: &[],
            receipts: None,
        },
    )?;
    let look = Look {
        lang: Lang::Zh,
        ..Look::default()
    };
    for found in &done.awards {
        print!("{}", award::explain(&done, found, &look, false));
    }
    assert_eq!(done.budget.paid.to_string(), "95600.00 CNY"); // a fifth of 410,000 + 68,000
    Ok(())
}
