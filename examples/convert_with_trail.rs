//! Values a ringgit invoice in yuan at the central parity, with a spread, and shows every step.
//!
//! Run with `cargo run --example convert_with_trail`.

use quanfu::calendar::{BusinessCalendar, Date};
use quanfu::fx::{RateReading, RateTable, Spread, Staleness, Terms};
use quanfu::money::Rounding;
use quanfu::trail::Lang;
use quanfu::{Currency, Money};

/// The parity of 2025-07-16; the ringgit is quoted for one yuan.
const RATES: &str = "\
date,base,unit,quote,value,kind,source,certainty
2025-07-16,USD,1,CNY,7.1526,mid,CFETS central parity,certain
2025-07-16,CNY,1,MYR,0.59275,mid,CFETS central parity,certain
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let read = RateReading::csv(RATES.as_bytes())?;
    assert!(read.rejected.is_empty(), "{:?}", read.rejected);
    let table = RateTable::new(read.rates)?;

    // The invoice is dated on a Sunday: Wednesday's rate is two business days old by then, which we allow.
    let china = BusinessCalendar::china();
    let day: Date = "2025-07-20".parse()?;
    let terms = Terms {
        staleness: Staleness::PreviousPublished {
            max_business_days: 2,
            calendar: &china,
        },
        ..Terms::MID
    };

    let invoice: Money = "1000000.00 MYR".parse()?;
    let route = table.route(Currency::MYR, Currency::CNY, None, day, &terms)?;
    let value = route.convert(invoice, Spread::bps(30)?, Rounding::HalfUp)?;
    println!("{} = {}", value.from.for_people(), value.to.for_people());
    println!("at the rate {}, spread {}\n", value.mid, value.spread);
    print!("{}", value.trail.render(Lang::En));

    // Over the dollar, rounded once: the pivot is named, never looked for.
    let route = table.route(
        Currency::MYR,
        Currency::USD,
        Some(Currency::CNY),
        day,
        &terms,
    )?;
    let dollars = route.convert(invoice, Spread::NONE, Rounding::HalfUp)?;
    println!("\n{} = {}", invoice.for_people(), dollars.to.for_people());

    // Whoever doubts a figure computes its steps again.
    let exact = value.trail.replay()?.ok_or("there are steps")?;
    println!("replayed: {exact} CNY");
    Ok(())
}
