//! What was known when, and where our tables end.

use quanfu_calendar::{
    BusinessCalendar, CalendarError, CalendarHistory, Calendars, Certainty, Date, Roll, SpotRule,
    Tenor, ValueDateError, ValueRules,
};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn china_on(known_at: &str) -> Result<BusinessCalendar, CalendarError> {
    Calendars::shipped().as_known_at(day(known_at)).named("CN")
}

#[test]
fn does_not_guess_beyond_the_table() {
    let china = BusinessCalendar::china();
    let error = china.add_business_days(day("2026-12-30"), 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "calendar CN covers 2017-01-01 to 2026-12-31; 2026-12-31 is outside"
    );
    for name in ["CN", "CN-IB", "CN-FX", "CN-FX+US", "CN-FX+HK+US", "CN~US"] {
        let calendar = BusinessCalendar::named(name).unwrap();
        assert_eq!(calendar.covers().1, day("2026-12-31"), "{name}");
        assert!(
            calendar.is_business_day(day("2027-01-04")).is_err(),
            "{name}"
        );
    }
    let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
    let far = Tenor::After("3M".parse().unwrap());
    let error = rules
        .value_date(&calendars, "USD", "CNY", day("2026-11-27"), far)
        .unwrap_err();
    assert_eq!(error.code(), "calendar-out-of-range");
    assert!(error.to_string().contains("to 2026-12-31"), "{error}");
    let hong_kong = BusinessCalendar::named("HK").unwrap();
    assert_eq!(
        hong_kong.adjust(day("2027-12-27"), Roll::Following),
        Ok(day("2027-12-28"))
    );
    assert!(hong_kong.is_business_day(day("2028-01-03")).is_err());
}

#[test]
fn does_not_take_weekends_for_a_calendar() {
    let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
    let refused = |base, quote| {
        let spot = rules.value_date(&calendars, base, quote, day("2025-07-02"), Tenor::Spot);
        spot.unwrap_err()
    };
    assert_eq!(
        refused("USD", "CAD").to_string(),
        "no calendar for CAD; there is one for CNY, EUR, GBP, HKD, JPY, KRW, SGD, USD"
    );
    let error = refused("USD", "AED");
    assert!(
        matches!(&error, ValueDateError::NotDeterminable { currency, .. } if currency == "AED"),
        "{error}"
    );
    assert_eq!(refused("CNY", "CNY").code(), "value-date-same-pair");
    assert_eq!(
        calendars.named("CN-FX+XX").unwrap_err().to_string(),
        "no calendar is named \"XX\"; known are CN, CN-FX, CN-IB, GB, HK, JP, KR, SG, TARGET, US, every-day, \
         joined by + (a day is good in all) or ~ (in any)"
    );
}

#[test]
fn tomorrow_next_ends_on_spot_or_does_not_exist() {
    let (rules, calendars) = (ValueRules::shipped(), Calendars::shipped());
    let of = |traded, tenor| rules.value_date(&calendars, "USD", "CNY", day(traded), tenor);
    let plain = of("2025-07-01", Tenor::TomNext).unwrap();
    assert_eq!(
        (plain.date, plain.spot),
        (day("2025-07-03"), day("2025-07-03"))
    );
    // 4 July is no day for dollars, yet spot is the Monday after it
    assert_eq!(
        of("2025-07-03", Tenor::Overnight).unwrap().date,
        day("2025-07-07")
    );
    assert_eq!(
        of("2025-07-03", Tenor::TomNext).unwrap_err().to_string(),
        "no TN for a trade of 2025-07-03: the first good day after it is spot already, 2025-07-07"
    );
}

#[test]
fn a_user_brings_a_currency_that_we_do_not_have() {
    let text =
        "date,kind,name,class\n2025-01-01,covers,2025-12-31,\n2025-07-01,holiday,Canada Day,\n";
    let calendars = Calendars::shipped().with(CalendarHistory::parse("CA", text).unwrap());
    let (made_up, from) = (Certainty::Illustrative, "made up");
    let rules = ValueRules::shipped().with_currency("CAD", "CA", made_up, from);
    let spot = |rules: &ValueRules, base, quote, traded| {
        let spot = rules.value_date(&calendars, base, quote, day(traded), Tenor::Spot);
        spot.unwrap().date.to_string()
    };
    // one day after the trade, and good for the dollar: 1 July is off in Canada, 4 July in the States
    assert_eq!(spot(&rules, "USD", "CAD", "2025-06-30"), "2025-07-02");
    assert_eq!(spot(&rules, "USD", "CAD", "2025-07-03"), "2025-07-07");
    // a cross takes the later leg, here sterling with its two days, and a day that is good for all
    assert_eq!(spot(&rules, "GBP", "CAD", "2025-06-26"), "2025-06-30");
    assert_eq!(spot(&rules, "GBP", "CAD", "2025-06-27"), "2025-07-02");
    assert_eq!(spot(&rules, "GBP", "CAD", "2025-07-02"), "2025-07-07");
    // where a US holiday before spot counts, it moves the day
    assert_eq!(spot(&rules, "USD", "CNY", "2025-07-03"), "2025-07-07");
    let counts = rules.with_spot("CNY", SpotRule::UsdHolidayCounts(true), made_up, from);
    assert_eq!(spot(&counts, "USD", "CNY", "2025-07-03"), "2025-07-08");
    // a lag takes the place of a special rule
    let lag = counts.with_spot("AED", SpotRule::Lag(2), made_up, from);
    let lag = lag.with_currency("AED", "CA", made_up, from);
    assert_eq!(spot(&lag, "USD", "AED", "2025-06-30"), "2025-07-03");
}

#[test]
fn three_working_days_after_25_january_2017_end_on_a_saturday() {
    let told = BusinessCalendar::china()
        .count(day("2017-01-25"), 3)
        .unwrap();
    let told: Vec<String> = told
        .iter()
        .map(|step| {
            let number = step
                .counted
                .map_or("-".to_owned(), |number| number.to_string());
            format!("{} {number} {}", step.day, step.reason)
        })
        .collect();
    assert_eq!(
        told,
        [
            "2017-01-26 1 weekday",
            "2017-01-27 - holiday 春节",
            "2017-01-28 - holiday 春节",
            "2017-01-29 - holiday 春节",
            "2017-01-30 - holiday 春节",
            "2017-01-31 - holiday 春节",
            "2017-02-01 - holiday 春节",
            "2017-02-02 - holiday 春节",
            "2017-02-03 2 weekday",
            "2017-02-04 3 make-up workday for 春节",
        ]
    );
}

#[test]
fn labour_day_2019_was_one_day_until_march() {
    for (known_at, asked, want) in [
        ("2019-03-21", "2019-05-01", false),
        ("2019-03-21", "2019-05-02", true),
        ("2019-03-21", "2019-05-05", false),
        ("2019-03-21", "2019-04-28", false),
        ("2019-03-22", "2019-05-02", false),
        ("2019-03-22", "2019-05-05", true),
        ("2019-03-22", "2019-04-28", true),
    ] {
        let china = china_on(known_at).unwrap();
        assert_eq!(
            china.is_business_day(day(asked)),
            Ok(want),
            "{asked} as known at {known_at}"
        );
    }
}

#[test]
fn the_spring_festival_of_2020_was_extended_while_it_lasted() {
    let third = |known_at| {
        let china = china_on(known_at).unwrap();
        china.add_business_days(day("2020-01-22"), 3)
    };
    assert_eq!(third("2020-01-26"), Ok(day("2020-02-01"))); // a make-up Saturday
    assert_eq!(third("2020-01-27"), Ok(day("2020-02-04")));
    // a dollar that was to settle on 31 January settles on 3 February
    let spot = |known_at: &str| {
        let calendars = Calendars::shipped().as_known_at(day(known_at));
        let spot = ValueRules::shipped().value_date(
            &calendars,
            "USD",
            "CNY",
            day("2020-01-22"),
            Tenor::Spot,
        );
        spot.unwrap().date
    };
    assert_eq!(spot("2020-01-22"), day("2020-01-31"));
    assert_eq!(spot("2020-01-27"), day("2020-02-03"));
}

#[test]
fn the_law_of_2025_was_known_with_its_table() {
    let before = china_on("2024-11-11").unwrap();
    assert!(
        before.is_business_day(day("2025-01-28")).is_err(),
        "the table ends with 2024"
    );
    let after = china_on("2024-11-18").unwrap();
    for off in ["2025-01-28", "2025-02-04", "2025-05-02"] {
        assert_eq!(after.is_business_day(day(off)), Ok(false), "{off}");
    }
    assert_eq!(after.covers().1, day("2025-12-31"));
    assert_eq!(
        china_on("2016-11-30").unwrap_err().to_string(),
        "calendar CN became known on 2016-12-01; on 2016-11-30 nothing of it was known"
    );
    // the last days of 2018 became off with the notice for 2019
    let new_years_eve = |known_at| {
        china_on(known_at)
            .unwrap()
            .is_business_day(day("2018-12-31"))
    };
    assert_eq!(new_years_eve("2018-12-05"), Ok(true));
    assert_eq!(new_years_eve("2018-12-06"), Ok(false));
}

#[test]
fn a_user_lays_a_revision_over_ours_with_the_day_on_which_it_became_known() {
    let text = "date,kind,name,class\n2026-08-01,known,house notice,certain\n2026-09-03,covers,2026-09-03,\n\
                2026-09-03,holiday,house,\n";
    let user = CalendarHistory::parse("CN", text).unwrap();
    let published = user.published();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].known_on, Some(day("2026-08-01")));
    assert_eq!(published[0].source, "house notice");
    let calendars = Calendars::shipped().with(user);
    let is_open = |calendars: Calendars, name| {
        calendars
            .named(name)
            .unwrap()
            .is_business_day(day("2026-09-03"))
    };
    for name in ["CN", "CN-FX", "CN-IB", "CN-FX+US"] {
        let on = |known_at| is_open(calendars.clone().as_known_at(day(known_at)), name);
        assert_eq!(on("2026-07-31"), Ok(true), "{name}");
        assert_eq!(on("2026-08-01"), Ok(false), "{name}");
        assert_eq!(is_open(calendars.clone(), name), Ok(false), "{name}");
    }
}

#[test]
fn a_users_table_for_the_interbank_market_speaks_of_that_market_alone() {
    // it says itself that a make-up weekend is open
    let text =
        "date,kind,name,class\n2025-09-28,covers,2025-09-28,\n2025-09-28,makeup_workday,house,\n";
    let calendars = Calendars::shipped().with(CalendarHistory::parse("CN-FX", text).unwrap());
    let on = |name| calendars.named(name).unwrap();
    assert_eq!(on("CN-FX").is_business_day(day("2025-09-28")), Ok(true));
    assert_eq!(on("CN-FX").is_business_day(day("2025-10-11")), Ok(false));
    assert_eq!(on("CN"), BusinessCalendar::china());
    assert_eq!(
        on("CN-FX").certainty(day("2025-09-28"), day("2025-09-28")),
        Ok(Certainty::Certain)
    );
}

#[test]
fn a_file_whose_tables_do_not_follow_each_other_is_refused() {
    for (text, want) in [
        (
            "2026-08-01,known,a,certain\n2026-09-03,covers,2026-09-03,\n2026-07-01,known,b,certain\n",
            "line 4: \"2026-07-01\" is no day on or after that of the table before",
        ),
        (
            "2026-08-01,known,a,sure\n2026-09-03,covers,2026-09-03,\n",
            "line 2: certainty \"sure\"",
        ),
        (
            "2026-08-01,known,a,certain\n",
            "line 0: no line says what the table covers",
        ),
        (
            "2026-08-01,every_day,,\n2026-08-01,known,a,certain\n",
            "line 0: no line says",
        ),
        (
            "2026-09-03,covers,2026-09-03,\n2026-09-03,certainty,2026-09-04,probable\n",
            "line 3: 2026-09-04 is outside",
        ),
        (
            "2026-01-01,covers,2026-01-31,\n2026-08-01,known,a,certain\n2026-03-01,covers,2026-03-31,\n",
            "2026-02-01 is covered by neither",
        ),
        (
            "2026-01-01,covers,2026-01-31,\n2026-08-01,known,a,certain\n2026-02-01,covers,2026-03-31,\n\
             2026-02-01,every_day,,\n",
            "only some of its tables have every_day",
        ),
    ] {
        let text = format!("date,kind,name,class\n{text}");
        let error = CalendarHistory::parse("t", &text).unwrap_err().to_string();
        assert!(error.contains(want), "{error:?} should contain {want:?}");
    }
}

#[test]
fn every_table_of_ours_is_read_and_written_back() {
    let calendars = Calendars::shipped();
    for name in calendars.names() {
        let calendar = calendars.named(&name).unwrap();
        assert_eq!(calendar.name(), name);
        assert_eq!(
            BusinessCalendar::parse(&name, &calendar.to_csv()),
            Ok(calendar)
        );
    }
    for place in Calendars::places() {
        assert!(
            ![place.zh, place.en, place.source].contains(&""),
            "{}",
            place.name
        );
    }
    assert_eq!(ValueRules::shipped().currencies().len(), 8);
    // China as published piece by piece is the whole
    let china = BusinessCalendar::china();
    assert_eq!(china.covers(), (day("2017-01-01"), day("2026-12-31")));
    let rows = |kind: &str| china.to_csv().matches(kind).count();
    assert_eq!((rows(",holiday,"), rows(",makeup_workday,")), (287, 64));
    assert!(china.doubts().is_empty());
}
