//! Documents and days of any kind: an answer or a refusal, never a panic.

use proptest::prelude::*;
use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_codes::Parameters;
use quanfu_filing::*;

fn programmes() -> Vec<Programme> {
    let mut all = Programme::shipped();
    for unit in ["working_days", "calendar_days"] {
        for n in [0, 65_535] {
            let text = format!(
                "schema = \"quanfu.filing-programme/1\"\nid = \"{unit}{n}\"\ntitle_zh = \"x\"\ntitle_en = \"x\"\n\
                 from = \"0001-01-01\"\nlegal_basis = \"made up\"\ncertainty = \"illustrative\"\n\
                 [[duty]]\nmatter = \"first\"\ncounted_from = \"signed\"\ndeadline = {{ n = {n}, unit = \"{unit}\" }}\n\
                 [[duty]]\nmatter = \"termination\"\ncounted_from = \"terminated\"\ndeadline = {{ n = {n}, unit = \"{unit}\" }}\n"
            );
            all.push(Programme::parse(&text).expect("a programme"));
        }
    }
    all
}

#[test]
fn days_at_the_end_of_time_have_an_answer_too() {
    let (china, ours) = (BusinessCalendar::china(), Parameters::shipped());
    let days: Vec<Date> = [
        "0001-01-01",
        "1900-01-01",
        "2016-12-31",
        "2026-12-31",
        "2299-12-31",
        "9999-12-31",
    ]
    .iter()
    .map(|text| text.parse().expect("a day"))
    .chain([Date::MAX])
    .collect();
    for rules in programmes() {
        for &signed in &days {
            let content = Content::parse(
                "[bank]\nname = \"B\"\n[institution]\nname = \"I\"\n[agreement]\nnumber = \"A\"\n",
            );
            let Ok(mut filing) =
                Filing::new(&rules, "N", content.expect("a content"), signed, "Li Na")
            else {
                continue;
            };
            filing
                .apply(&rules, Act::Sign, signed, "Li Na")
                .expect("a draft is signed");
            let reason = "x".to_owned();
            for &ended in &days {
                let mut filing = filing.clone();
                let reason = reason.clone();
                let _ = filing.apply(&rules, Act::Terminate { reason }, ended, "Li Na");
                for &day in &days {
                    for item in dues(&filing, &rules, &china, day) {
                        let is_told = item.deadline.as_ref().and_then(Deadline::due).is_some();
                        let counts = [Timeliness::Due, Timeliness::Overdue];
                        assert_eq!(is_told, counts.contains(&item.timeliness));
                        assert!(item.days_left.is_none() || item.days_late.is_none());
                    }
                    retention(&filing, &rules, &ours, day).expect("the rows count years");
                    let _ = filing.content().doubts(day);
                }
            }
        }
    }
}

/// A record with something of everything.
fn record() -> String {
    let rules = &Programme::shipped()[0];
    let day = |text: &str| text.parse::<Date>().expect("a day");
    let mut filing = Filing::new(
        rules,
        "N",
        Content::parse(CONTENT).expect("a content"),
        day("2026-01-05"),
        "Li Na",
    )
    .expect("a record");
    filing
        .apply(rules, Act::Sign, day("2026-01-05"), "Li Na")
        .expect("a draft");
    let reason = "over".to_owned();
    let end = Act::Terminate { reason };
    filing
        .apply(rules, end, day("2026-01-06"), "Li Na")
        .expect("it is signed");
    filing.to_json()
}

const CONTENT: &str = "account_number = [\"6222020200112233445\"]\nchannels = [\"cips\"]\n[bank]\nname = \"B\"\n\
    uscc = \"91110000600037341L\"\n[institution]\nname = \"I\"\nlicence_until = 2029-12-31\n[agreement]\nnumber = \"A\"\n\
    scope = [\"export_goods\"]\n[[limit]]\nscope = \"export_goods\"\namount = \"5.00\"\ncurrency = \"CNY\"\n\
    [contact]\nperson_name = \"王小明\"\nphone_number = \"13812345678\"\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_with_any_piece_replaced_is_read_or_refused_without_its_text(
        place in any::<prop::sample::Index>(), length in 0usize..40, piece in "[\\[\\]{}\":,0-9a-z王=\\-\\n ]{0,12}",
    ) {
        for whole in [record(), CONTENT.to_owned()] {
            let places: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
            let from = place.index(places.len());
            let until = places.get(from + length).copied().unwrap_or(whole.len());
            let changed = format!("{}{piece}{}", &whole[..places[from]], &whole[until..]);
            let said = match (whole.starts_with('{'), changed == whole) {
                (_, true) => continue,
                (true, _) => Filing::from_json(&changed).map(drop).map_err(|error| error.to_string()),
                (false, _) => Content::parse(&changed).map(drop).map_err(|error| error.to_string()),
            };
            let programme = Programme::parse(&changed).map(drop).map_err(|error| error.to_string());
            for said in [said, programme] {
                let said = said.err().unwrap_or_default();
                for secret in ["6222020200112233445", "王小明", "13812345678"] {
                    prop_assert!(!said.contains(secret), "{}", said);
                }
            }
        }
    }
}

#[test]
fn a_deadline_by_a_parameter_names_its_row_or_is_not_determinable() {
    let day = |text: &str| text.parse::<Date>().expect("a day");
    let china = BusinessCalendar::china();
    let ours = Parameters::shipped();
    let by = |name: &str, from: &str| {
        let found = Deadline::by_parameter(day(from), name, &ours, &china);
        found.map(|(deadline, row)| (deadline.due().map(|day| day.to_string()), row))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        by("bop_receipt_days", "2026-02-12"),
        Ok((text("2026-02-26"), text("bop_receipt_days@2022-07-26")))
    );
    assert_eq!(by("bop_receipt_days", "2022-07-25"), Ok((None, None)));
    assert_eq!(
        by("no_such", "2026-02-12").expect_err("none").code(),
        "parameter-unknown"
    );
    let years = by("retention_years_fx", "2026-02-12").expect_err("counts years");
    assert_eq!(years.code(), "parameter-unit");
    let much = "name,value,unit,from,until,source,certainty\nlong,70000,working_days,2020-01-01,,made up,illustrative\n";
    let much = Parameters::parse(much).expect("parameters");
    let much = Deadline::by_parameter(day("2026-02-12"), "long", &much, &china);
    assert_eq!(much.expect_err("too many").code(), "parameter-unit");
}
