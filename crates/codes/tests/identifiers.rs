//! Identifiers by tables of right and wrong ones, and what their check digits promise.

use std::str::FromStr;

use proptest::prelude::*;
use quanfu_codes::*;

/// 'f': the form is wrong; 'c': the check digits are; 'o': all is right.
fn verdict<T: FromStr>(text: &str, check: impl Fn(&T) -> bool) -> char {
    match text.parse::<T>() {
        Err(_) => 'f',
        Ok(parsed) if check(&parsed) => 'o',
        Ok(_) => 'c',
    }
}

#[test]
fn identifiers_are_told_right_from_wrong_form_and_wrong_check_digits() {
    for (kind, text, want) in [
        ("uscc", "91110000600037341L", 'o'),
        ("uscc", "91350100M000100Y43", 'o'),
        ("uscc", "91440300708461136T", 'o'),
        ("uscc", "91440300708461136U", 'c'),
        ("uscc", "91440300708461136I", 'f'), // no I
        ("uscc", "9144030070846113", 'f'),
        ("resident", "11010519491231002X", 'o'),
        ("resident", "440524188001010014", 'o'),
        ("resident", "360426199101010071", 'o'),
        ("resident", "130625021345225322", 'c'), // of the customs samples
        ("resident", "130681136250023332", 'c'), // of the customs samples: no day
        ("resident", "11010519491231002x", 'f'),
        ("resident", "110105491231002", 'f'), // the old form
        ("card", "6200000000000005", 'o'),
        ("card", "4111111111111111", 'o'),
        ("card", "6221558812340000", 'c'),
        ("card", "62000000005", 'f'),
        ("lei", "213800KUD8LAJWSQ9D15", 'o'),
        ("lei", "529900T8BM49AURSDO55", 'o'),
        ("lei", "5493001KJTIIGC8Y1R12", 'o'),
        ("lei", "5493001KJTIIGC8Y1R13", 'c'),
        ("lei", "5493001KJTIIGC8Y1RAA", 'f'),
        ("iban", "GB82WEST12345698765432", 'o'),
        ("iban", "DE89370400440532013000", 'o'),
        ("iban", "GR1601101050000010547023795", 'o'),
        ("iban", "GB82WEST12345698765433", 'c'),
        ("iban", "GB82 WEST 1234 5698 7654 32", 'f'),
        ("bic", "AGRIFRPP882", 'o'),
        ("bic", "ABNABE2A", 'o'),
        ("bic", "ABNABE2", 'f'),
        ("bic", "ABNA1E2A", 'f'),
        ("uetr", "eb6305c9-1f7f-49de-aed0-16487c27b42d", 'o'),
        ("uetr", "EB6305C9-1F7F-49DE-AED0-16487C27B42D", 'f'),
        ("uetr", "eb6305c9-1f7f-39de-aed0-16487c27b42d", 'f'), // version 3
        ("uetr", "eb6305c9-1f7f-49de-ced0-16487c27b42d", 'f'), // another variant
        ("customs", "1105910159", 'o'),
        ("customs", "3301964J31", 'o'),
        ("customs", "440316T004", 'o'),
        ("customs", "46016602EV", 'o'),
        ("customs", "312226T001", 'o'),
        ("customs", "无", 'f'),
        ("cnaps", "102100099996", 'o'),
        ("cnaps", "10210009999", 'f'),
        ("licence", "Z2002211000010", 'o'),
        ("licence", "Z200221100001", 'f'),
        ("bop", "370100000101251231N001", 'o'),
        ("bop", "370100000101251331N001", 'f'), // no day
        ("bop", "3701000001012512310001", 'o'),
        ("bop", "37010000010125123100", 'f'),
    ] {
        let found = match kind {
            "uscc" => verdict::<Uscc>(text, |id| {
                id.check().is_ok() && id.organisation().check().is_ok()
            }),
            "resident" => verdict::<ResidentId>(text, |id| id.check().is_ok()),
            "card" => verdict::<BankCard>(text, |id| id.check().is_ok()),
            "lei" => verdict::<Lei>(text, |id| id.check().is_ok()),
            "iban" => verdict::<Iban>(text, |id| id.check().is_ok()),
            "bic" => verdict::<Bic>(text, |_| true),
            "uetr" => verdict::<Uetr>(text, |_| true),
            "customs" => verdict::<CustomsFirmCode>(text, |_| true),
            "cnaps" => verdict::<CnapsCode>(text, |_| true),
            "licence" => verdict::<PaymentLicence>(text, |_| true),
            _ => verdict::<BopNumber>(text, |_| true),
        };
        assert_eq!(found, want, "{kind} {text}");
    }
}

/// Every text that differs from this one in one place.
fn neighbours(text: &str) -> Vec<(usize, char, String)> {
    let mut all = Vec::new();
    for (place, old) in text.char_indices() {
        for to in ('0'..='9').chain('A'..='Z').filter(|to| *to != old) {
            let mut changed = text.to_owned();
            changed.replace_range(place..=place, to.encode_utf8(&mut [0; 4]));
            all.push((place, to, changed));
        }
    }
    all
}

#[test]
fn no_change_of_one_character_of_a_known_identifier_is_taken_for_right() {
    type Verdict = fn(&str) -> char;
    let uscc: Verdict = |text| verdict::<Uscc>(text, |id| id.check().is_ok());
    let inner: Verdict = |text| verdict::<OrganisationCode>(text, |id| id.check().is_ok());
    let resident: Verdict = |text| verdict::<ResidentId>(text, |id| id.check().is_ok());
    let card: Verdict = |text| verdict::<BankCard>(text, |id| id.check().is_ok());
    let lei: Verdict = |text| verdict::<Lei>(text, |id| id.check().is_ok());
    let iban: Verdict = |text| verdict::<Iban>(text, |id| id.check().is_ok());
    // of an LEI, an IBAN and an organisation code only a digit for a digit and a letter for a letter are promised
    for (text, judge, any) in [
        ("91110000600037341L", uscc, true),
        ("91350100M000100Y43", uscc, true),
        ("91440300708461136T", uscc, true),
        ("600037341", inner, false),
        ("11010519491231002X", resident, true),
        ("440524188001010014", resident, true),
        ("360426199101010071", resident, true),
        ("6200000000000005", card, true),
        ("4111111111111111", card, true),
        ("213800KUD8LAJWSQ9D15", lei, false),
        ("529900T8BM49AURSDO55", lei, false),
        ("5493001KJTIIGC8Y1R12", lei, false),
        ("GB82WEST12345698765432", iban, false),
        ("DE89370400440532013000", iban, false),
        ("GR1601101050000010547023795", iban, false),
    ] {
        assert_eq!(judge(text), 'o', "{text}");
        for (place, to, changed) in neighbours(text) {
            let is_like = text.as_bytes()[place].is_ascii_digit() == to.is_ascii_digit();
            if any || is_like {
                assert_ne!(judge(&changed), 'o', "{text}: {changed}");
            }
        }
    }
}

#[test]
fn no_two_neighbouring_digits_of_a_resident_identity_number_can_change_places() {
    for text in [
        "11010519491231002X",
        "440524188001010014",
        "360426199101010071",
    ] {
        for place in 0..16 {
            let mut bytes = text.as_bytes().to_vec();
            bytes.swap(place, place + 1);
            let changed = String::from_utf8(bytes).unwrap();
            let found = verdict::<ResidentId>(&changed, |id| id.check().is_ok());
            assert!(found != 'o' || changed == text, "{changed}");
        }
    }
}

#[test]
fn an_iban_is_as_long_as_those_of_its_country_where_we_know_it() {
    let (table, day) = (CodeTable::iban_lengths(), "2025-12-31".parse().unwrap());
    let iban: Iban = "GB82WEST12345698765432".parse().unwrap();
    assert_eq!(iban.check_length(&table, day), Ok(Ok(())));
    let short: Iban = "GB82WEST1234569876543".parse().unwrap();
    assert!(short.check_length(&table, day).unwrap().is_err());
    let unknown: Iban = "FR8212345698765432".parse().unwrap();
    assert!(unknown.check_length(&table, day).is_err());
}

/// Right ones from any body, by trying all check characters.
fn complete<T: FromStr>(body: &str, ends: &[String], check: impl Fn(&T) -> bool) -> Option<String> {
    let texts = ends.iter().map(|end| format!("{body}{end}"));
    texts
        .into_iter()
        .find(|text| text.parse().is_ok_and(|id| check(&id)))
}

fn changed(text: &str, place: usize, to: char) -> Option<String> {
    let mut letters: Vec<char> = text.chars().collect();
    let place = place % letters.len();
    // a digit for a digit, a letter for a letter
    let same = letters[place].is_ascii_digit() == to.is_ascii_digit() && letters[place] != to;
    letters[place] = to;
    same.then(|| letters.into_iter().collect())
}

fn singles(alphabet: &str) -> Vec<String> {
    alphabet.chars().map(String::from).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_one_character_is_caught(
        uscc in "[0-9A-HJ-NPQRTUWXY]{17}", any in "[0-9A-Z]{18}", id in "[0-9]{6}19[0-9]{2}0[1-9][012][1-8][0-9]{3}",
        card in "[0-9]{11,18}", place in 0usize..40, digit in "[0-9]", letter in "[A-Z]",
    ) {
        let pairs: Vec<String> = (0..100).map(|n| format!("{n:02}")).collect();
        let to = |text: &str| [digit.clone(), letter.clone()].into_iter()
            .filter_map(|to| changed(text, place, to.chars().next()?)).collect::<Vec<_>>();
        let right = complete::<Uscc>(&uscc, &singles("0123456789ABCDEFGHJKLMNPQRTUWXY"), |id| id.check().is_ok()).unwrap();
        for wrong in to(&right) {
            prop_assert!(wrong.parse::<Uscc>().is_err() || wrong.parse::<Uscc>().unwrap().check().is_err(), "{}", wrong);
        }
        let right = complete::<Lei>(&any, &pairs, |id| id.check().is_ok()).unwrap();
        for wrong in to(&right) {
            prop_assert!(wrong.parse::<Lei>().map_or(true, |id| id.check().is_err()), "{}", wrong);
        }
        let iban = (0..100).map(|n| format!("GB{n:02}{any}")).find(|text| text.parse::<Iban>().unwrap().check().is_ok()).unwrap();
        for wrong in to(&iban) {
            prop_assert!(wrong.parse::<Iban>().map_or(true, |id| id.check().is_err()), "{}", wrong);
        }
        if let Some(right) = complete::<ResidentId>(&id, &singles("0123456789X"), |id| id.check().is_ok()) {
            for wrong in to(&right) {
                prop_assert!(wrong.parse::<ResidentId>().map_or(true, |id| id.check().is_err()), "{}", wrong);
            }
        }
        let right = complete::<BankCard>(&card, &singles("0123456789"), |id| id.check().is_ok()).unwrap();
        for wrong in to(&right) {
            prop_assert!(wrong.parse::<BankCard>().map_or(true, |id| id.check().is_err()), "{}", wrong);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused_and_no_error_holds_it(text in any::<String>()) {
        macro_rules! try_all { ($($kind:ty),+) => {$(
            match text.parse::<$kind>() {
                Ok(id) => drop(format!("{id} {id:?}")),
                Err(error) => prop_assert!(text.len() < 8 || !error.to_string().contains(&text)),
            }
        )+} }
        try_all!(Uscc, OrganisationCode, Lei, Bic, Uetr, CustomsFirmCode, CnapsCode, PaymentLicence, BopNumber, BopCode,
            Country, CustomsCurrency, CustomsCountry, ResidentId, BankCard, Iban);
    }
}

#[test]
fn personal_identifiers_show_themselves_nowhere_unless_a_field_says_so() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Kept {
        #[serde(with = "quanfu_codes::whole")]
        id: ResidentId,
    }
    let (id, card) = ("11010519491231002X", "6200000000000005");
    let phone = Phone::new("13812345678");
    let parsed: ResidentId = id.parse().unwrap();
    let parsed_card: BankCard = card.parse().unwrap();
    let shown = format!(
        "{parsed} {parsed:?} {parsed_card} {parsed_card:?} {phone:?} {} {}",
        serde_json::to_string(&parsed).unwrap(),
        serde_json::to_string(&parsed_card).unwrap(),
    );
    assert!(!shown.contains(id) && !shown.contains(card), "{shown}");
    assert_eq!(phone.to_string(), "138****5678");
    assert_eq!(parsed.masked(), "1****************X");
    let kept = serde_json::to_string(&Kept { id: parsed.clone() }).unwrap();
    assert!(kept.contains(id), "{kept}");
    assert_eq!(serde_json::from_str::<Kept>(&kept).unwrap().id, parsed);
    let refused = serde_json::from_str::<Kept>(r#"{"id":"1101051949123100"}"#)
        .err()
        .unwrap();
    assert!(
        !refused.to_string().contains("1101051949123100"),
        "{refused}"
    );
}

#[test]
fn code_tables_hold_what_they_say_on_the_days_they_say() {
    let day = |text: &str| text.parse().unwrap();
    for (table, code, on, want) in [
        ("bop", "121010", "2025-12-31", true),
        ("bop", "222010", "2025-12-31", false), // of 22201x only the prefix is sourced
        ("customs-currency", "142", "2025-12-31", true),
        ("customs-currency", "156", "2025-12-31", false), // ISO's number of the renminbi
        ("credit-grade", "customs/一般认证", "2021-10-31", true),
        ("credit-grade", "customs/一般认证", "2021-11-01", false),
        ("credit-grade", "customs/其他", "2021-10-31", false),
        ("credit-grade", "customs/高级认证", "2026-01-01", true),
        ("licence-scope", "互联网支付", "2024-04-30", true),
        ("licence-scope", "互联网支付", "2024-05-01", false),
        ("supervision-mode", "9710", "2025-12-31", true),
        ("bop", "122030", "2025-12-31", true),
        ("bop", "A01", "2025-12-31", false), // invented by encyclopedias
    ] {
        let tables = CodeTable::shipped();
        let table = tables.iter().find(|known| known.name() == table).unwrap();
        assert_eq!(table.at(code, day(on)).is_ok(), want, "{code} {on}");
    }
    const HEAD: &str = "code,zh,en,value,from,until,source,certainty\n";
    for (rows, want) in [
        (
            "A,,a,,,2020-01-01,s,certain\nA,,b,,2020-01-01,,s,certain\n",
            "code-table-overlap",
        ),
        (
            "A,,a,,,,s,certain\nA,,b,,2020-01-01,,s,certain\n",
            "code-table-overlap",
        ),
        ("A,,a,,,,s,sure\n", "code-table-line"),
        ("A,,a,,,,,certain\n", "code-table-line"),
        ("A,,a\n", "code-table-line"),
    ] {
        let error = CodeTable::parse("t", &format!("{HEAD}{rows}")).unwrap_err();
        assert_eq!(error.code(), want, "{rows}: {error}");
    }
    assert!(CodeTable::parse("t", "").is_err());
}

#[test]
fn a_table_of_ones_own_says_which_way_the_money_of_a_code_goes() {
    const HEAD: &str = "code,zh,en,direction,from,until,source,certainty\n";
    let parse = |rows: &str| CodeTable::parse("bop", rows);
    let rows =
        "1,收,in,income,,,s,certain\n2,支,out,expenditure,,,s,certain\n3,,any,,,,s,certain\n";
    // the byte order mark is Excel's
    let table = parse(&format!("\u{feff}{HEAD}{rows}")).unwrap();
    for (code, zh, direction) in [
        ("1", "收", Some(Flow::Income)),
        ("2", "支", Some(Flow::Expenditure)),
        ("3", "", None),
    ] {
        let row = table.at(code, "2026-01-01".parse().unwrap()).unwrap();
        assert_eq!((row.zh.as_str(), row.direction), (zh, direction), "{code}");
        assert_eq!(row.value, "");
    }
    for cell in ["in", "Income", "收入"] {
        let error = parse(&format!("{HEAD}1,,a,{cell},,,s,certain\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "code table bop, line 2: direction {cell:?}: income, expenditure or nothing would be right"
            )
        );
    }
    // what no source names is not made up: ours have no direction
    assert!(CodeTable::bop().rows().all(|row| row.direction.is_none()));
}

#[test]
fn tables_hold_the_codes_that_were_seen_and_no_others() {
    let codes = |name: &str| -> Vec<String> {
        let tables = CodeTable::shipped();
        let table = tables.iter().find(|known| known.name() == name).unwrap();
        let mut codes: Vec<String> = table.rows().map(|row| row.code.clone()).collect();
        codes.dedup();
        codes
    };
    for (name, want) in [
        (
            "bop",
            "121010 121020 121030 121040 121050 121080 121090 121990 122030 122990 221000 822030 929080 999998 999999",
        ),
        (
            "customs-currency",
            "110 116 121 122 129 132 133 136 142 143 300 302 303 326 330 331 344 501 502 601 609",
        ),
        ("supervision-mode", "1210 1239 9610 9710 9810"),
        ("iban-length", "DE GB GR"),
        (
            "licence-scope",
            "互联网支付 储值账户运营Ⅰ 储值账户运营Ⅱ 支付交易处理Ⅰ 支付交易处理Ⅱ",
        ),
        (
            "credit-grade",
            "customs/一般信用 customs/一般认证 customs/其他 customs/失信 customs/高级认证 safe/A safe/B safe/C",
        ),
    ] {
        assert_eq!(codes(name).join(" "), want, "{name}");
    }
    assert_eq!(CodeTable::shipped().len(), 6);
}

/// Each figure with its first day and how sure it is, as it was read; what a row adds to that is its source.
#[test]
fn parameters_are_the_figures_that_were_read_and_no_others() {
    let found: Vec<String> = Parameters::shipped()
        .rows()
        .map(|row| {
            let until = row.until.map(|day| format!("..{day}")).unwrap_or_default();
            assert!(!row.source.is_empty());
            format!(
                "{} {} {} {}{until} {}",
                row.name,
                row.value,
                row.unit,
                row.from,
                row.certainty.name()
            )
        })
        .collect();
    assert_eq!(
        found,
        PARAMETERS
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
    );
}

const PARAMETERS: &str = "
    advance_months 12 months 2021-01-01 certain
    bank_min_years 3 years 2022-07-21 certain
    bop_receipt_days 5 working_days 2022-07-26 certain
    composite_discount 0.70 ratio 2016-04-08 certain
    deemed_income_rate 0.04 ratio 2020-01-01 probable
    directory_exempt 200000 USD 2021-04-01 certain
    directory_warning 180000 USD 2021-04-01 certain
    export_simplified_cap 5000 CNY 2019-01-01 probable
    fx_banks 2 banks 2019-04-29 probable
    fx_conversion_days 1 working_days 2019-04-29 probable
    fx_registration_years 5 years 2019-04-29 unsure
    fx_report_customer 200000 USD 2019-04-29 unsure
    fx_report_day 10 day_of_month 2019-04-29 unsure
    fx_single_limit 50000 USD 2015-01-30..2019-04-28 certain
    fx_single_limit 50000 USD 2019-04-29 probable
    fx_staff 5 persons 2019-04-29 certain
    import_annual_limit 20000 CNY 2016-04-08..2018-12-31 certain
    import_annual_limit 26000 CNY 2019-01-01 certain
    import_single_limit 2000 CNY 2016-04-08..2018-12-31 certain
    import_single_limit 5000 CNY 2019-01-01 certain
    interbank_account_filing_days 5 working_days 2009-07-01 certain
    large_value_cash_cny 50000 CNY 2018-07-13 probable
    large_value_cash_usd 10000 USD 2018-07-13 probable
    large_value_entity_cny 2000000 CNY 2018-07-13 probable
    large_value_entity_usd 200000 USD 2018-07-13 probable
    large_value_person_abroad_cny 200000 CNY 2018-07-13 probable
    large_value_person_abroad_usd 10000 USD 2018-07-13 probable
    large_value_person_cny 500000 CNY 2018-07-13 probable
    large_value_person_usd 100000 USD 2018-07-13 probable
    netting_logistics 1 allowed 2021-01-01 certain
    netting_refund 1 allowed 2015-01-30 probable
    netting_tax 1 allowed 2021-01-01 certain
    netting_warehousing 1 allowed 2021-01-01 certain
    person_quota 50000 USD 2021-01-01 certain
    rcpmis_fx_days 1 working_days 2019-01-01 unsure
    rcpmis_receipt_days 5 working_days 2019-01-01 unsure
    remitter_identity_cny 5000 CNY 2026-01-01 certain
    remitter_identity_usd 1000 USD 2026-01-01 certain
    retention_years_fx 5 years 2019-04-29 probable
    retention_years_identity 5 years 2019-04-29..2025-12-31 certain
    retention_years_identity 10 years 2026-01-01 certain
    summary_day 15 day_of_month 2019-01-01 probable
    unpaid_export_report_days 210 calendar_days 2009-07-01 probable
    vat_rate_low 0.13 ratio 2016-04-08..2017-06-30 probable
    vat_rate_low 0.11 ratio 2017-07-01..2018-04-30 probable
    vat_rate_low 0.10 ratio 2018-05-01..2019-03-31 probable
    vat_rate_low 0.09 ratio 2019-04-01 probable
    vat_rate_standard 0.17 ratio 2016-04-08..2018-04-30 probable
    vat_rate_standard 0.16 ratio 2018-05-01..2019-03-31 probable
    vat_rate_standard 0.13 ratio 2019-04-01 probable
    violation_lookback_years 2 years 2022-07-21 certain
    waybill_unique_months 6 months 2022-06-01 certain
";

#[test]
fn parameters_answer_by_day_and_users_lay_rows_over_ours() {
    let day = |text: &str| text.parse().unwrap();
    let ours = Parameters::shipped();
    for (name, on, want) in [
        ("import_single_limit", "2018-12-31", Ok("2000")),
        ("import_single_limit", "2019-01-01", Ok("5000")),
        ("import_annual_limit", "2016-04-08", Ok("20000")),
        (
            "import_annual_limit",
            "2016-04-07",
            Err("dated-not-covered"),
        ),
        ("retention_years_identity", "2025-12-31", Ok("5")),
        ("retention_years_identity", "2026-01-01", Ok("10")),
        ("vat_rate_standard", "2018-05-01", Ok("0.16")),
        ("no_such", "2018-05-01", Err("parameter-unknown")),
    ] {
        let found = ours.at(name, day(on)).map(|row| row.value.to_string());
        let found = found.as_deref().map_err(ParameterError::code);
        assert_eq!(found, want, "{name} {on}");
    }
    const HEAD: &str = "name,value,unit,from,until,source,certainty\n";
    let user = format!(
        "{HEAD}import_single_limit,6000,CNY,2018-07-01,2019-06-30,mine,certain\nmy_own,1,years,2020-01-01,,mine,certain\n"
    );
    let both = ours
        .overlaid_with(&Parameters::parse(&user).unwrap())
        .unwrap();
    let limits: Vec<String> = both
        .between("import_single_limit", day("2016-04-08"), day("2099-01-01"))
        .unwrap()
        .iter()
        .map(|row| format!("{} {}", row.id(), row.value))
        .collect();
    assert_eq!(
        limits,
        [
            "import_single_limit@2016-04-08 2000",
            "import_single_limit@2018-07-01 6000",
            "import_single_limit@2019-07-01 5000",
        ]
    );
    assert!(both.at("my_own", day("2020-01-01")).is_ok());
    assert_eq!(
        both.overlaid_with(&ours)
            .unwrap()
            .at("import_single_limit", day("2019-01-01"))
            .unwrap()
            .value
            .to_string(),
        "5000"
    );
    let far = format!("{HEAD}summary_day,10,day_of_month,2010-01-01,2010-12-31,mine,certain\n");
    let error = ours
        .overlaid_with(&Parameters::parse(&far).unwrap())
        .unwrap_err();
    assert_eq!(error.code(), "dated-gap", "{error}");
    for (rows, want) in [
        (
            "a,1,CNY,2020-01-01,,s,certain\na,2,CNY,2021-01-01,,s,certain\n",
            "dated-overlap",
        ),
        ("a,-1,CNY,2020-01-01,,s,certain\n", "parameter-line"),
        ("a,1,CNY,,,s,certain\n", "parameter-line"),
    ] {
        let error = Parameters::parse(&format!("{HEAD}{rows}")).unwrap_err();
        assert_eq!(error.code(), want, "{error}");
    }
    let row = ours.at("summary_day", day("2020-01-01")).unwrap();
    assert_eq!(row.whole("day_of_month"), Ok(15));
    assert_eq!(row.whole("years").unwrap_err().code(), "parameter-unit");
    let text = serde_json::to_string(row).unwrap();
    assert_eq!(serde_json::from_str::<ParameterRow>(&text).unwrap(), *row);
}

/// 97 more or less than a check number leaves the same remainder; MOD 97-10 never makes 00, 01 or 99.
#[test]
fn check_numbers_that_are_never_made_are_refused() {
    let of = |body: &str, place: usize, check: &str| {
        let mut text = body.to_owned();
        text.replace_range(place..place + 2, check);
        text
    };
    let mut seen = 0;
    for serial in 0..2_000_u32 {
        for (made, alias) in [("97", "00"), ("98", "01"), ("02", "99")] {
            let body = format!("DE00{:018}", serial * 37);
            let iban: quanfu_codes::Iban = of(&body, 2, made).parse().expect("the form");
            if iban.check().is_ok() {
                let alias: quanfu_codes::Iban = of(&body, 2, alias).parse().expect("the form");
                assert!(alias.check().is_err());
                seen += 1;
            }
            let body = format!("{:018}00", serial * 41);
            let lei: quanfu_codes::Lei = of(&body, 18, made).parse().expect("the form");
            if lei.check().is_ok() {
                let alias: quanfu_codes::Lei = of(&body, 18, alias).parse().expect("the form");
                assert!(alias.check().is_err());
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}
