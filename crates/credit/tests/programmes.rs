//! The shipped programmes: each is right, and its worked cases come out.

use quanfu_calendar::BusinessCalendar;
use quanfu_credit::{Context, Programme, ReferenceRates, SHIPPED};
use quanfu_fx::RateTable;

#[test]
fn the_worked_cases_of_every_shipped_programme_come_out() {
    let (rates, reference, calendar) = (
        RateTable::default(),
        ReferenceRates::shipped(),
        BusinessCalendar::china(),
    );
    let context = Context {
        day: "2025-06-30".parse().expect("a day"),
        rates: &rates,
        reference: &reference,
        calendar: &calendar,
        earlier: &[],
        policies: &[],
        files: &[],
        unread: &[],
        receipts: None,
    };
    let mut faults = Vec::new();
    let mut cases = 0;
    for (name, text) in SHIPPED {
        let programme = match Programme::parse(text) {
            Ok(programme) => programme,
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                continue;
            }
        };
        assert_eq!(programme.id, *name);
        assert!(!programme.tests.is_empty(), "{name} has no worked case");
        for result in programme.run_tests(&context) {
            cases += 1;
            for fault in result.differs {
                faults.push(format!("{name}, {}: {fault}", result.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(cases > 35, "{cases}");
}
