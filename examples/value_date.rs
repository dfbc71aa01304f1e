//! On which day does a trade of dollars against yuan settle, and was that so on the day when it was made?
//!
//! Run with `cargo run --example value_date`.

use quanfu::Currency;
use quanfu::calendar::{BusinessCalendar, Calendars, Date, DayCount, Tenor, ValueRules};
use quanfu::fx::value_date;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let day = |text: &str| text.parse::<Date>();
    let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
    let (usd, cny) = (Currency::USD, Currency::CNY);

    // the last day before the holidays of October
    let spot = value_date(
        &rules,
        &calendars,
        usd,
        cny,
        day("2025-09-30")?,
        Tenor::Spot,
    )?;
    println!(
        "spot of 2025-09-30: {} ({})",
        spot.date,
        spot.certainty.name()
    );
    for step in &spot.to_spot {
        let number = step
            .counted
            .map_or("-".to_owned(), |number| number.to_string());
        println!("  {} {number} {}", step.day, step.reason);
    }
    assert_eq!(spot.date, day("2025-10-10")?);

    // in January 2020 the holidays were made longer while trades were under way
    let traded = day("2020-01-22")?;
    let as_made = calendars.clone().as_known_at(traded);
    let then = value_date(&rules, &as_made, usd, cny, traded, Tenor::Spot)?;
    let now = value_date(&rules, &calendars, usd, cny, traded, Tenor::Spot)?;
    println!(
        "spot of {traded}: {} as known that day, {} in the end",
        then.date, now.date
    );
    assert_eq!(
        (then.date, now.date),
        (day("2020-01-31")?, day("2020-02-03")?)
    );

    // a filing that is due within three working days, weekends that are worked included
    let due = BusinessCalendar::china().add_business_days(day("2017-01-25")?, 3)?;
    println!("three working days after 2017-01-25: {due}");

    // interest for the time between, as an exact share of a year
    let share = DayCount::Act360.fraction(traded, now.date)?;
    println!(
        "{} from {traded} until {}: {share}",
        DayCount::Act360,
        now.date
    );
    assert_eq!(share.to_string(), "1/30");

    // nobody knows the holidays of 2027 yet, and neither do we
    let beyond = value_date(
        &rules,
        &calendars,
        usd,
        cny,
        day("2026-12-30")?,
        Tenor::Spot,
    );
    println!(
        "{}",
        beyond
            .err()
            .map_or_else(String::new, |error| error.to_string())
    );
    Ok(())
}
