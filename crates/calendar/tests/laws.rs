//! What holds for every day and every calendar.

use proptest::prelude::*;
use quanfu_calendar::{
    BusinessCalendar, Calendars, Certainty, Date, Datelike, DayCount, DayFraction, Period, Roll,
    Schedule, Tenor, ValueDateError, ValueRules,
};

const NAMES: [&str; 10] = [
    "CN", "CN-IB", "CN-FX", "HK", "TARGET", "US", "GB", "JP", "KR", "SG",
];

fn day(offset: u64) -> Date {
    Date::from_ymd_opt(2017, 1, 1).unwrap() + chrono::Days::new(offset)
}

fn at(text: &str) -> Date {
    text.parse().unwrap()
}

fn calendar(index: usize) -> BusinessCalendar {
    BusinessCalendar::named(NAMES[index]).unwrap()
}

/// Whether `a + b = whole`.
fn adds_up([a, b, whole]: [DayFraction; 3]) -> bool {
    let [[a, b], [c, d], [e, f]] = [a, b, whole].map(|x| [x.num(), x.den()].map(i128::from));
    (a * d + c * b) * f == e * b * d
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rolling_gives_a_business_day_on_the_right_side(which in 0usize..10, offset in 20u64..3600, roll in 0usize..7) {
        let (calendar, day, roll) = (calendar(which), day(offset), Roll::ALL[roll]);
        let to = calendar.adjust(day, roll).unwrap();
        prop_assert_eq!(calendar.adjust(to, roll), Ok(to));
        prop_assert!(roll == Roll::NoAdjust || calendar.is_business_day(to).unwrap());
        let same_month = (to.year(), to.month()) == (day.year(), day.month());
        match roll {
            Roll::NoAdjust => prop_assert_eq!(to, day),
            Roll::Following => prop_assert!(to >= day),
            Roll::Preceding => prop_assert!(to <= day),
            Roll::ModifiedFollowing | Roll::ModifiedPreceding => prop_assert!(same_month),
            Roll::ModifiedFollowingBiMonthly => prop_assert!(same_month && (day.day() > 15 || to.day() <= 15)),
            _ => {}
        }
    }

    #[test]
    fn the_days_of_a_count_are_all_days_and_their_reasons(which in 0usize..10, offset in 0u64..3600, n in -20i32..20) {
        let (calendar, from) = (calendar(which), day(offset));
        let Ok(told) = calendar.count(from, n) else {
            prop_assert!(calendar.add_business_days(from, n).is_err());
            return Ok(());
        };
        let mut number = 0;
        for (index, step) in told.iter().enumerate() {
            let distance = (step.day - from).num_days();
            prop_assert_eq!(distance, (index as i64 + 1) * i64::from(n.signum()));
            let good = calendar.is_business_day(step.day).unwrap();
            prop_assert_eq!(step.reason.is_business(), good);
            number += u32::from(good);
            prop_assert_eq!(step.counted, good.then_some(number));
        }
        prop_assert_eq!(number, n.unsigned_abs());
    }

    #[test]
    fn a_joint_calendar_is_open_when_both_are_and_a_linked_one_when_either_is(
        a in 0usize..10, b in 0usize..10, offset in 0u64..3652,
    ) {
        let (a, b, day) = (calendar(a), calendar(b), day(offset));
        let [in_a, in_b] = [&a, &b].map(|one| one.is_business_day(day).unwrap());
        for (mark, want) in [('+', in_a && in_b), ('~', in_a || in_b)] {
            let name = format!("{}{mark}{}", a.name(), b.name());
            let both = BusinessCalendar::named(&name).unwrap();
            prop_assert_eq!(both.name(), name);
            prop_assert_eq!(both.is_business_day(day), Ok(want));
            let why = both.why(day).unwrap();
            prop_assert_eq!(why.is_business(), want);
            // the feasts that make it so are named with their places, and no others
            for one in [&a, &b] {
                let reason = one.why(day).unwrap();
                let says = format!("{}: {}", one.name(), reason.feast());
                let told = why.feast().split("; ").any(|part| part == says);
                let must = !reason.feast().is_empty() && reason.kind() == why.kind();
                prop_assert_eq!(told, must, "{} {} {}", both.name(), day, why);
            }
        }
    }

    #[test]
    fn spot_is_good_in_both_places_and_for_the_dollar(a in 0usize..8, b in 0usize..8, offset in 0u64..3560) {
        let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
        let codes = rules.currencies();
        let (a, b, traded) = (codes[a], codes[b], day(offset));
        prop_assume!(a != b);
        let pair = rules.pair(&calendars, a, b).unwrap();
        let of = |tenor: &str| {
            let tenor: Tenor = tenor.parse().unwrap();
            pair.value_date(traded, tenor)
        };
        let spot = of("SP").unwrap();
        prop_assert!(spot.date > traded);
        for code in [a, b, "USD"] {
            let calendar = calendars.named(rules.calendar_of(code).unwrap()).unwrap();
            prop_assert_eq!(calendar.is_business_day(spot.date), Ok(true), "{} {}", code, spot.date);
        }
        prop_assert_eq!(spot.to_spot.iter().filter_map(|step| step.counted).max(), Some(2));
        let turned = rules.value_date(&calendars, b, a, traded, Tenor::Spot).unwrap();
        prop_assert_eq!(turned.date, spot.date);
        for tenors in [&["ON", "TN", "SP", "SN"][..], &["SP", "1D", "1W", "2W", "1M", "2M"]] {
            let mut before = traded;
            for tenor in tenors {
                let far = match of(tenor) {
                    Err(ValueDateError::NoTomNext { .. }) if *tenor == "TN" => continue,
                    far => far.unwrap(),
                };
                prop_assert!(far.date >= before, "{} {}", tenor, far.date);
                before = far.date;
                prop_assert!(far.moved.last().is_none_or(|last| last.day == far.date));
                if far.end_end {
                    let joint = pair.calendar();
                    prop_assert_eq!(joint.last_business_day_of_month(far.date), Ok(far.date));
                    prop_assert_eq!(joint.last_business_day_of_month(spot.date), Ok(spot.date));
                }
            }
        }
    }

    #[test]
    fn equal_days_are_no_share_of_a_year_and_backwards_is_refused(
        offset in 0u64..8000, back in 1u64..400, which in 0usize..9,
    ) {
        let (count, before, end) = (DayCount::ALL[which], day(offset), day(offset + back));
        prop_assert!(count.fraction(end, before).is_err());
        prop_assert!(count.fraction_to_maturity(end, before).is_err());
        let schedule = Schedule::around(end, 6, false, before, end).unwrap();
        prop_assert!(schedule.fraction(end, before).is_err());
        prop_assert_eq!(schedule.fraction(end, end).unwrap().num(), 0);
        if count != DayCount::ActActIcma {
            for share in [count.fraction(end, end), count.fraction_to_maturity(end, end)] {
                prop_assert_eq!(share.unwrap().num(), 0);
            }
        }
    }

    #[test]
    fn actual_counts_add_up(a in 0u64..8000, b in 0u64..2000, c in 0u64..2000) {
        let (from, middle, until) = (day(a), day(a + b), day(a + b + c));
        let spans = [(from, middle), (middle, until), (from, until)];
        for count in [DayCount::Act360, DayCount::Act365F, DayCount::ActActIsda] {
            let shares = spans.map(|(from, until)| count.fraction(from, until).unwrap());
            prop_assert!(adds_up(shares), "{}", count);
        }
        let schedule = Schedule::around(from, 3, true, from, until).unwrap();
        prop_assert!(adds_up(spans.map(|(from, until)| schedule.fraction(from, until).unwrap())));
    }

    #[test]
    fn a_later_end_is_no_smaller_share(a in 0u64..8000, b in 0u64..800, which in 0usize..9) {
        let count = DayCount::ALL[which];
        prop_assume!(count != DayCount::ActActIcma);
        let [one, two] = [b, b + 1].map(|b| count.fraction(day(a), day(a + b)).unwrap());
        let [[a, b], [c, d]] = [one, two].map(|x| [x.num(), x.den()].map(i128::from));
        prop_assert!(a >= 0 && c * b >= a * d, "{} {} {}", count, one, two);
    }

    #[test]
    fn a_period_is_read_as_it_is_printed(n in 1u16..1000, unit in 0usize..4) {
        let period = [Period::Days(n), Period::Weeks(n), Period::Months(n), Period::Years(n)][unit];
        prop_assert_eq!(period.to_string().parse(), Ok(period));
        let tenor = Tenor::After(period);
        prop_assert_eq!(tenor.to_string().parse(), Ok(tenor));
    }
}

#[test]
fn a_calendar_year_is_one_year() {
    for year in 1990..2030 {
        let [from, until] = [year, year + 1].map(|year| Date::from_ymd_opt(year, 1, 1).unwrap());
        let share = DayCount::ActActIsda.fraction(from, until).unwrap();
        assert_eq!((share.num(), share.den()), (1, 1), "{year}");
        let schedule = Schedule::around(from, 4, false, from, until).unwrap();
        assert_eq!(schedule.fraction(from, until), Ok(share));
    }
}

#[test]
fn names_are_read_as_they_are_printed_and_others_are_refused() {
    for count in DayCount::ALL {
        assert_eq!(count.to_string().parse(), Ok(count));
    }
    for roll in Roll::ALL {
        assert_eq!(roll.to_string().parse(), Ok(roll));
    }
    for tenor in ["ON", "TN", "SP", "SN"] {
        assert_eq!(tenor.parse::<Tenor>().unwrap().to_string(), tenor);
    }
    let error = "Act/365L".parse::<DayCount>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no day count is named \"Act/365L\"; known are Act/360, Act/365F, Act/Act ISDA, Act/Act ICMA, 30/360 ISDA, \
         30E/360, 30E/360 ISDA, 30U/360, 30U/360 EOM"
    );
    assert!("following".parse::<Roll>().is_err());
    for wrong in [
        "", "M", "0M", "01M", "1000D", "1m", "1MM", "+1M", "1", "-1W", "1W1D", "一M", "1月",
    ] {
        assert!(wrong.parse::<Period>().is_err(), "{wrong:?}");
        assert!(wrong.parse::<Tenor>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_date_says_when_it_rests_on_days_that_are_not_certain() {
    let named = |name| BusinessCalendar::named(name).unwrap();
    let (hk, fx) = (named("HK"), named("CN-FX"));
    let sure =
        |calendar: &BusinessCalendar, from, until| calendar.certainty(at(from), at(until)).unwrap();
    assert_eq!(sure(&hk, "2026-06-01", "2026-12-31"), Certainty::Certain);
    assert_eq!(sure(&hk, "2027-01-04", "2026-12-31"), Certainty::Probable);
    assert_eq!(
        sure(&named("HK+US"), "2027-01-04", "2027-01-05"),
        Certainty::Probable
    );
    // the make-up Sunday before the holidays of 2025 may be open or not
    assert_eq!(sure(&fx, "2025-09-28", "2025-09-28"), Certainty::Probable);
    assert_eq!(sure(&fx, "2025-09-29", "2025-10-10"), Certainty::Certain);
    assert_eq!(fx.is_business_day(at("2025-09-28")), Ok(false));
    assert_eq!(named("CN-IB").is_business_day(at("2025-09-28")), Ok(true));
    // what is laid over ours takes its doubts away, on its own days
    let own = "date,kind,name,class\n2027-01-01,covers,2027-06-30,\n";
    let laid = hk
        .overlaid_with(&BusinessCalendar::parse("own", own).unwrap())
        .unwrap();
    assert_eq!(sure(&laid, "2027-01-04", "2027-06-30"), Certainty::Certain);
    assert_eq!(sure(&laid, "2027-01-04", "2027-07-01"), Certainty::Probable);
}
