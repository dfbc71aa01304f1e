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
