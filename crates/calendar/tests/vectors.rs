//! Figures of others and of an earlier program, row by row; where they come from is in `testdata/SOURCE.md`.

use quanfu_calendar::{
    BusinessCalendar, Calendars, Date, DayCount, DayFraction, Period, PeriodAddition, Roll,
    Schedule, Tenor, ValueRules,
};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert!(rows.len() >= 10, "the table was read");
    rows
}

#[test]
fn days_roll_as_in_strata() {
    let text = "date,kind,name,class\n2014-01-01,covers,2015-12-31,\n";
    let weekends = BusinessCalendar::parse("Sat/Sun", text).expect("a calendar");
    let rows = rows(include_str!("../testdata/rolls.csv"));
    assert_eq!(rows.len(), 72);
    for row in rows {
        let roll: Roll = row[0].parse().expect("a convention");
        let got = weekends.adjust(day(row[1]), roll);
        assert_eq!(got, Ok(day(row[2])), "{row:?}");
    }
    // Strata, TenorAdjustment: last day and following
    for (from, months, want) in [
        ("2014-08-15", 3, "2014-11-17"),
        ("2014-02-28", 1, "2014-03-31"),
        ("2014-06-30", 1, "2014-07-31"),
    ] {
        let (period, addition) = (Period::Months(months), PeriodAddition::LastDay);
        let got = weekends.add_period(day(from), period, addition, Roll::Following);
        assert_eq!(got, Ok(day(want)), "{from} + {months}M");
    }
}

#[test]
fn dollars_against_yuan_settle_on_the_second_good_day() {
    let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
    for row in rows(include_str!("../testdata/spot_usd_cny.csv")) {
        for [base, quote] in [["USD", "CNY"], ["CNY", "USD"]] {
            let spot = rules.value_date(&calendars, base, quote, day(row[0]), Tenor::Spot);
            let spot = spot.expect("a spot day");
            assert_eq!(
                (spot.spot, spot.date),
                (day(row[1]), day(row[1])),
                "{row:?}"
            );
            let counted: Vec<u32> = spot.to_spot.iter().filter_map(|day| day.counted).collect();
            assert_eq!(counted, [1, 2], "{row:?}");
            assert_eq!(spot.to_spot.last().map(|last| last.day), Some(spot.spot));
        }
    }
}

#[test]
fn working_days_in_china_are_three_different_counts() {
    let weekdays = "date,kind,name,class\n2017-01-01,covers,2026-12-31,\n";
    let weekdays = BusinessCalendar::parse("weekdays", weekdays).expect("a calendar");
    let fx = BusinessCalendar::named("CN-FX").expect("a calendar");
    for row in rows(include_str!("../testdata/working_days_cn.csv")) {
        let n = row[1].parse().expect("a number");
        for (calendar, want) in [
            (&BusinessCalendar::china(), row[2]),
            (&weekdays, row[3]),
            (&fx, row[4]),
        ] {
            let got = calendar.add_business_days(day(row[0]), n);
            assert_eq!(got, Ok(day(want)), "{row:?} {}", calendar.name());
            let told = calendar.count(day(row[0]), n).expect("the days");
            assert_eq!(told.last().map(|last| last.day), Some(day(want)), "{row:?}");
        }
    }
}

/// Whether two fractions are the same number; the tables are not all in lowest terms.
fn same(got: DayFraction, want: &str) -> bool {
    let (num, den) = want.split_once('/').expect("a fraction");
    let [num, den]: [i128; 2] = [num, den].map(|part| part.parse().expect("a number"));
    num * i128::from(got.den()) == den * i128::from(got.num())
}

#[test]
fn shares_of_a_year_are_those_of_strata_and_quantlib() {
    let rows = rows(include_str!("../testdata/day_counts.csv"));
    assert_eq!(rows.len(), 283);
    for row in rows {
        let [name, start, end, want, condition] = row[..5] else {
            panic!("a row of five cells and more: {row:?}")
        };
        let (start, end) = (day(start), day(end));
        let given = |key: &str| condition.split(';').find_map(|part| part.strip_prefix(key));
        let maturity = given("maturity=").map(day);
        let got = match (name, condition) {
            ("30U/360", "schedule endOfMonth=true") | ("30/360 US (30U/360 EOM)", "") => {
                DayCount::Thirty360UEom.fraction(start, end)
            }
            ("30U/360", "schedule endOfMonth=false") => DayCount::Thirty360U.fraction(start, end),
            ("30E/360 ISDA", "end is maturity") => {
                DayCount::ThirtyE360Isda.fraction_to_maturity(start, end)
            }
            ("30E/360 ISDA", "end is not maturity") => {
                DayCount::ThirtyE360Isda.fraction(start, end)
            }
            ("30E/360 ISDA", _) if maturity == Some(end) => {
                DayCount::ThirtyE360Isda.fraction_to_maturity(start, end)
            }
            ("30E/360 ISDA", _) if maturity.is_some() => {
                DayCount::ThirtyE360Isda.fraction(start, end)
            }
            ("Act/Act ICMA", _) => {
                let months = given("freq=P").and_then(|text| text.strip_suffix('M'));
                let months = months.and_then(|text| text.parse().ok()).expect("months");
                // a first stub is counted back from its end, all else on from its start
                let around = if condition.contains("initial stub") {
                    end
                } else {
                    start
                };
                let schedule = Schedule::around(around, months, true, start, end);
                schedule.and_then(|schedule| schedule.fraction(start, end))
            }
            (name, "") => name
                .parse::<DayCount>()
                .expect("a day count")
                .fraction(start, end),
            _ => panic!("a condition that the test does not know: {row:?}"),
        };
        let got = got.expect("a fraction");
        assert!(same(got, want), "{row:?}: {got}");
    }
}
