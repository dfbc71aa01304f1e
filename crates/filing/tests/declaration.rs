//! Declarations: what a draft takes over, what a review finds, by which rows, and that no personal value is shown whole.

use std::collections::BTreeMap;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_codes::{CodeTable, Parameters};
use quanfu_filing::declaration::*;
use quanfu_filing::{Actual, Batch, Charge, FeeRounding, Original, OriginalKind, Place, Restored};
use quanfu_fx::{RateReading, RateTable, Terms};
use quanfu_money::{Currency, Rounding};
use quanfu_settlement::rules::RoundingPer;
use quanfu_settlement::{Digest, DigestAlg};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

const DECLARANT: &str = r#"
schema = "quanfu.declarant/1"
reporting_bank = "102451000016"
institution = "370100000101"
channel = "CIPS"
method = "other"
code = "122030"
remark = "platform: made up"
under_customs_supervision = false
counterparty_bank = "ABNABE2A"

[subject]
kind = "firm"
name = "虚构支付有限公司"
id_kind = "uscc"
id_number = "91350100M000100Y43"
account_number = "6222020200112233445"
country = "CHN"

[counterparty]
kind = "firm"
name = "Made-up Abroad Ltd"
account_number = "DE89370400440532013000"
country = "DEU"

[reporter]
name = "李四光"
phone_number = "13812345678"
"#;

/// Orders and their parties: O3 is paid by another than who ordered, O4 has a wrong check digit, O5 is not here.
const EVIDENCE: &str = "order,kind,name,id_kind,id_number,account_number,country,orderer_id,authenticated,bop_code,remark
O1,resident_person,张三丰,resident,11010519491231002X,6200000000000005,CHN,11010519491231002x,no,,
O2,resident_person,张三丰,resident,11010519491231002X,6200000000000005,CHN,,yes,,
O3,resident_person,王五一,resident,440524188001010014,,CHN,360426199101010071,no,,
O4,resident_person,赵六六,resident,440524188001010015,,CHN,,yes,121010,
";

fn batch(rows: &[(&str, i64, &str)]) -> Restored {
    let originals: Vec<Original> = rows
        .iter()
        .enumerate()
        .map(|(n, (order, minor, on))| Original {
            place: Place {
                record: format!("{n:016x}"),
                file: "bill.csv".into(),
                line: n as u32 + 2,
            },
            kind: match *minor < 0 {
                true => OriginalKind::Refund,
                false => OriginalKind::Payment,
            },
            order: (!order.is_empty()).then(|| (*order).to_owned()),
            refunds: (*minor < 0).then(|| (*order).to_owned()),
            day: Some(day(on)),
            minor: *minor,
            fee_grains: 0,
        })
        .collect();
    let sum: i64 = rows.iter().map(|row| row.1).sum();
    let place = Place {
        record: "00000000000000b1".into(),
        file: "bank.sta".into(),
        line: 5,
    };
    let batch = Batch {
        group: "00000000000000aa".into(),
        value_date: Some(day("2026-01-12")),
        currency: Currency::CNY,
        settled_minor: sum - 100,
        actual: vec![Actual {
            place,
            value_date: Some(day("2026-01-12")),
            minor: sum - 100,
        }],
        charges: vec![Charge {
            cause: "fee".into(),
            minor: -100,
        }],
        fees_round: Some(FeeRounding {
            rounding: Rounding::HalfUp,
            per: RoundingPer::Batch,
        }),
        count: rows.len() as u64,
        originals,
    };
    Restored {
        schema: quanfu_filing::RESTORED_SCHEMA.into(),
        as_of: day("2026-01-12"),
        edge: "psp-bank".into(),
        result: None,
        batches: vec![batch],
        not_declared: Vec::new(),
        body: Digest::of(DigestAlg::Sha256, b""),
    }
    .sealed()
}

struct Desk {
    parameters: Parameters,
    codes: CodeTable,
    grades: CodeTable,
    calendar: BusinessCalendar,
    rates: RateTable,
    declarant: Declarant,
    single: Vec<String>,
    annual: Vec<String>,
    earlier: Vec<Declaration>,
    on: Date,
    split_days: Option<u32>,
    list: UserList,
}

impl Desk {
    fn new() -> Self {
        let rates = "date,base,unit,quote,value,kind,source,certainty\n\
                     2026-01-08,USD,1,CNY,7.0000,mid,made up,illustrative\n\
                     2026-01-09,USD,1,CNY,7.0000,mid,made up,illustrative\n\
                     2026-01-10,USD,1,CNY,7.0000,mid,made up,illustrative\n";
        let rates = RateReading::csv(rates.as_bytes()).expect("rates").rates;
        Self {
            parameters: Parameters::shipped(),
            codes: CodeTable::bop(),
            grades: CodeTable::credit_grades(),
            calendar: BusinessCalendar::china(),
            rates: RateTable::new(rates).expect("a table"),
            declarant: Declarant::parse(DECLARANT).expect("a declarant"),
            single: Vec::new(),
            annual: Vec::new(),
            earlier: Vec::new(),
            on: day("2026-01-13"),
            split_days: None,
            list: UserList::default(),
        }
    }

    fn draft(&self, rows: &[(&str, i64, &str)]) -> Declaration {
        let evidence = Evidence::parse(EVIDENCE).expect("evidence");
        assert_eq!((evidence.len(), evidence.rejected.len()), (4, 0));
        Declaration::draft(&batch(rows), &self.declarant, &evidence).expect("small sums")
    }

    fn review(&self, declaration: &Declaration) -> Reviewed {
        let lists: [&dyn NegativeList; 1] = [&self.list];
        declaration.review(&Review {
            day: self.on,
            parameters: &self.parameters,
            codes: &self.codes,
            grades: &self.grades,
            calendar: &self.calendar,
            rates: &self.rates,
            terms: Terms::MID,
            single_limits: &self.single,
            annual_limits: &self.annual,
            split_days: self.split_days,
            lists: &lists,
            declarant: Some(&self.declarant),
            earlier: &self.earlier,
        })
    }

    fn told(&self, declaration: &Declaration) -> Vec<String> {
        let found = self.review(declaration).findings;
        found
            .iter()
            .map(|one| format!("{} {}: {} x{}", one.kind, one.place, one.text.en, one.count))
            .collect()
    }
}

const GOOD: &[(&str, i64, &str)] = &[("O1", 300_000, "2026-01-09"), ("O2", 200_000, "2026-01-10")];

/// A draft with what only people can tell.
fn complete(desk: &Desk, rows: &[(&str, i64, &str)]) -> Declaration {
    let mut draft = desk.draft(rows);
    draft.bop[0].number = Some("370100000101260112N001".parse().expect("a number"));
    draft
}

#[test]
fn a_complete_declaration_has_nothing_to_look_at_and_each_fault_is_found() {
    let desk = Desk::new();
    let good = complete(&desk, GOOD);
    assert_eq!(desk.told(&good), Vec::<String>::new());
    assert_eq!(Declaration::from_json(&good.to_json()), Ok(good.clone()));
    type Fault = fn(&mut Declaration);
    let faults: &[(&str, Fault)] = &[
        (
            "declare-field bop 00000000000000aa: number is missing x1",
            |it| it.bop[0].number = None,
        ),
        (
            "declare-number bop 00000000000000aa: number 370100000101260113N001 has another day than 2026-01-12 x1",
            |it| it.bop[0].number = Some("370100000101260113N001".parse().expect("a number")),
        ),
        (
            "declare-number bop 00000000000000aa: number 370100000102260112N001 is not of institution 370100000101 x1",
            |it| it.bop[0].number = Some("370100000102260112N001".parse().expect("a number")),
        ),
        (
            "declare-lines bop 00000000000000aa: purposes make 4000.00 CNY, the amount is 4999.00 CNY x1",
            |it| it.bop[0].lines[0].amount = "4000.00 CNY".parse().expect("an amount"),
        ),
        (
            "declare-lines receipt_payment 00000000000000aa: purposes make 4999.00 CNY, the amount is 4999.00 CNY x1",
            |it| {
                it.receipts_payments[0].lines[0].amount = "4999.00 USD".parse().expect("an amount")
            },
        ),
        (
            "declare-code bop 00000000000000aa: purpose 999990 is not in table bop on that day x1",
            |it| it.bop[0].lines[0].code = Some("999990".parse().expect("a code")),
        ),
        (
            "declare-parts bop 00000000000000aa: exchanged, kept and other make 0.00 CNY, the amount is 4999.00 CNY x1",
            |it| it.bop[0].kept = None,
        ),
        (
            "declare-refund-remark bop 00000000000000aa: the remark of a refund begins with 退款 x1",
            |it| it.bop[0].nature = Nature::Refund,
        ),
        (
            "declare-details bop 00000000000000aa: 1 originals of 3000.00 CNY; 2 of 5000.00 CNY are declared x1",
            |it| drop(it.details.pop()),
        ),
        (
            "declare-details receipt_payment 00000000000000aa: originals of 5000.00 CNY and charges of -2.00 CNY do not make 4999.00 CNY x1",
            |it| it.receipts_payments[0].link.charges = "-2.00 CNY".parse().expect("an amount"),
        ),
        (
            "declare-details other: originals of a batch without a record x1",
            |it| it.details[0].batch = "other".into(),
        ),
        (
            "declare-identity original 0000000000000000: the real party is not known x1",
            |it| it.details[0].payer = None,
        ),
        (
            "declare-identity-form original 0000000000000000: 张** 1****************1: no right number of its kind (identifier-check-digit) x1",
            |it| {
                it.details[0].payer.as_mut().expect("a party").id_number =
                    IdNumber::new("110105194912310021")
            },
        ),
        (
            "declare-order original 0000000000000001: no order number shows the trade x1",
            |it| it.details[1].order = None,
        ),
        (
            "declare-field original 0000000000000001: bop_code is missing x1",
            |it| it.details[1].code = None,
        ),
        (
            "declare-field receipt_payment 00000000000000aa: reporting_bank is missing x1",
            |it| it.receipts_payments[0].reporting_bank = None,
        ),
        (
            "declare-field bop 00000000000000aa: reason is missing x1",
            |it| it.bop[0].action = Action::Change,
        ),
        (
            "declare-identity-form bop 00000000000000aa: subject 9****************4: no right number of its kind (identifier-check-digit) x1",
            |it| it.bop[0].subject.id_number = IdNumber::new("91350100M000100Y44"),
        ),
        (
            "declare-field bop 00000000000000aa: counterparty.country is missing x1",
            |it| it.bop[0].counterparty.country = None,
        ),
    ];
    for (want, fault) in faults {
        let mut changed = good.clone();
        fault(&mut changed);
        let told = desk.told(&changed);
        assert!(told.iter().any(|one| one == want), "{want}\n{told:#?}");
    }
}

#[test]
fn a_code_of_the_other_direction_is_named_with_its_field_and_row() {
    let mut desk = Desk::new();
    let good = complete(&desk, GOOD);
    let of = |direction: &str| {
        let head = "code,zh,en,direction,from,until,source,certainty";
        let row = format!("122030,网购,made up,{direction},,,made up,illustrative");
        let mine = CodeTable::parse("bop", &format!("{head}\n{row}\n")).expect("a table");
        CodeTable::bop().overlaid_with(&mine)
    };
    for direction in ["income", ""] {
        desk.codes = of(direction);
        assert_eq!(desk.told(&good), Vec::<String>::new(), "{direction}");
    }
    desk.codes = of("expenditure");
    let wrong = "122030 is a code of expenditure; the money is income x1";
    assert_eq!(
        desk.told(&good),
        [
            format!("declare-code-direction bop 00000000000000aa: lines[0].code {wrong}"),
            format!("declare-code-direction original 0000000000000000: bop_code {wrong}"),
            format!("declare-code-direction original 0000000000000001: bop_code {wrong}"),
            format!(
                "declare-code-direction receipt_payment 00000000000000aa: lines[0].code {wrong}"
            ),
        ]
    );
    let found = desk.review(&good).findings;
    assert_eq!(
        found[0].text.zh,
        "lines[0].code 122030（网购） 是支出编码；款项是收入"
    );
    let basis = &found[0].basis[0];
    assert_eq!(
        (
            basis.row.as_str(),
            basis.value.as_str(),
            basis.source.as_str()
        ),
        ("bop 122030", "expenditure", "made up")
    );
    // no source says under which direction's code money given back stands
    let mut back = good;
    back.bop[0].nature = Nature::Refund;
    back.receipts_payments[0].refund_of = Some("r".into());
    back.details
        .iter_mut()
        .for_each(|one| one.kind = OriginalKind::Refund);
    let told = desk.told(&back);
    assert!(
        told.iter().all(|one| !one.contains("direction")),
        "{told:?}"
    );
}

#[test]
fn who_pays_must_be_who_ordered_unless_the_identity_is_authenticated() {
    let desk = Desk::new();
    let told = desk.told(&complete(
        &desk,
        &[
            ("O3", 500_000, "2026-01-09"),
            ("O4", 100, "2026-01-09"),
            ("", 100, "2026-01-09"),
            ("O5", 100, "2026-01-09"),
        ],
    ));
    assert_eq!(
        told,
        [
            "declare-identity original 0000000000000002: the real party is not known x1",
            "declare-identity original 0000000000000003: the real party is not known x1",
            "declare-identity-form original 0000000000000001: 赵** 4****************5: no right number of its kind (identifier-check-digit) x1",
            "declare-payer original 0000000000000000: 4****************4 paid, 3****************1 ordered x1",
            "declare-order original 0000000000000002: no order number shows the trade x1",
        ]
    );
}

#[test]
fn identities_are_asked_for_from_the_threshold_of_the_day_on() {
    let desk = Desk::new();
    for (fen, on, want) in [
        (499_999, "2026-01-09", None),
        (500_000, "2026-01-09", Some("declare-identity")),
        (500_000, "2025-12-31", Some("declare-not-determinable")),
    ] {
        let mut one = complete(&desk, &[("O2", fen, on)]);
        one.details[0].payer.as_mut().expect("a party").id_number = IdNumber::default();
        let found = desk.review(&one).findings;
        assert_eq!(
            found.first().map(|one| one.kind.code()),
            want,
            "{fen} {on} {found:?}"
        );
        if want == Some("declare-identity") {
            assert_eq!(found[0].basis[0].row, "remitter_identity_cny@2026-01-01");
        }
    }
}

#[test]
fn limits_are_met_by_dated_rates_and_say_which_rows_they_used() {
    let mut desk = Desk::new();
    desk.single = vec!["fx_single_limit".into()];
    desk.split_days = Some(1);
    // 350,000.00 at 7 is the limit to the cent
    for (fen, on, want) in [
        (35_000_000, "2026-01-09", None),
        (
            35_000_001,
            "2026-01-09",
            Some(
                "declare-limit original 0000000000000000: 350000.01 CNY are 50000.01 USD, beyond 50000.00 USD x1",
            ),
        ),
        (
            35_000_001,
            "2026-01-11",
            Some("declare-not-determinable : no rate of CNY/USD for 2026-01-11 x1"),
        ),
        (
            35_000_001,
            "2014-01-09",
            Some(
                "declare-not-determinable : limit fx_single_limit: parameter fx_single_limit: no row holds on 2014-01-09; the first begins on 2015-01-30 x1",
            ),
        ),
    ] {
        let told = desk.told(&complete(&desk, &[("O2", fen, on)]));
        match want {
            None => assert_eq!(told, Vec::<String>::new()),
            Some(want) if want.contains("2014") => {
                assert!(
                    told[0].starts_with("declare-not-determinable : limit fx_single_limit"),
                    "{told:?}"
                );
            }
            Some(want) => assert_eq!(told.first().map(String::as_str), Some(want)),
        }
    }
    let found = desk
        .review(&complete(&desk, &[("O2", 35_000_001, "2026-01-09")]))
        .findings;
    let rows: Vec<&str> = found[0]
        .basis
        .iter()
        .map(|basis| basis.row.as_str())
        .collect();
    assert_eq!(
        rows,
        [
            "fx_single_limit@2019-04-29",
            "1 USD = 7.0000 CNY@2026-01-09"
        ]
    );

    // a year: earlier declarations count, another year does not
    let mut desk = Desk::new();
    desk.annual = vec!["import_annual_limit".into()];
    let now = complete(
        &desk,
        &[
            ("O1", 600_000, "2026-01-09"),
            ("O2", 1_000_000, "2026-01-10"),
        ],
    );
    assert_eq!(desk.told(&now), Vec::<String>::new());
    desk.earlier = vec![desk.draft(&[("O1", 1_000_000, "2026-01-08")])];
    assert_eq!(desk.told(&now), Vec::<String>::new());
    desk.earlier = vec![desk.draft(&[("O1", 1_000_001, "2026-01-08")])];
    assert_eq!(
        desk.told(&now),
        [
            "declare-annual 张** 1****************X: 3 transactions of 2026 make 26000.01 CNY, beyond 26000.00 CNY x1"
        ]
    );
    desk.earlier = vec![desk.draft(&[("O1", 1_000_001, "2025-12-31")])];
    assert_eq!(desk.told(&now), Vec::<String>::new());
}

#[test]
fn transactions_that_pass_a_limit_together_are_seen_within_the_window_that_was_given() {
    let mut desk = Desk::new();
    desk.single = vec!["import_single_limit".into()];
    let rows: &[(&str, i64, &str)] = &[
        ("O1", 300_000, "2026-01-08"),
        ("O2", 200_001, "2026-01-09"),
        ("O1", 100, "2026-01-20"),
    ];
    let one = complete(&desk, rows);
    // no rule that we know names a number of days
    let unknown = desk.review(&one).findings;
    let kinds: Vec<&str> = unknown.iter().map(|found| found.kind.code()).collect();
    assert_eq!(kinds, ["declare-not-determinable"]);
    assert!(unknown[0].text.en.starts_with("splitting: "), "{unknown:?}");
    desk.split_days = Some(2);
    let found = desk.review(&one).findings;
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].text.en,
        "2 transactions within 2 days from 2026-01-08 make 5000.01 CNY, beyond 5000.00 CNY together"
    );
    let rows: BTreeMap<&str, &str> = found[0]
        .basis
        .iter()
        .map(|one| (one.row.as_str(), one.source.as_str()))
        .collect();
    assert_eq!(rows["split_window_days"], "given by the user");
    desk.split_days = None;
    let made_up = "name,value,unit,from,until,source,certainty\nsplit_window_days,1,calendar_days,2019-01-01,,made up,illustrative\n";
    let own = Parameters::parse(made_up).expect("parameters");
    desk.parameters = desk
        .parameters
        .overlaid_with(&own)
        .expect("they do not overlap");
    let same_day = complete(
        &desk,
        &[("O1", 300_000, "2026-01-08"), ("O2", 200_001, "2026-01-08")],
    );
    let found = desk.review(&same_day).findings;
    let certainties: Vec<&str> = found[0]
        .basis
        .iter()
        .map(|one| one.certainty.name())
        .collect();
    assert_eq!(certainties, ["certain", "illustrative"]);
}

#[test]
fn deadlines_carry_their_rows_and_what_no_row_tells_is_not_determinable() {
    let mut desk = Desk::new();
    let one = complete(&desk, GOOD);
    let dues = desk.review(&one).dues;
    let told: Vec<String> = dues
        .iter()
        .map(|due| {
            let last = due
                .deadline
                .due()
                .map(|day| day.to_string())
                .unwrap_or_default();
            let basis = due.basis.as_ref().expect("a row");
            format!(
                "{} {last} {} {}",
                due.form,
                basis.row,
                basis.certainty.name()
            )
        })
        .collect();
    // Monday the 12th and five working days
    assert_eq!(
        told,
        [
            "bop 2026-01-19 bop_receipt_days@2022-07-26 certain",
            "receipt_payment 2026-01-19 rcpmis_receipt_days@2019-01-01 unsure",
        ]
    );
    desk.on = day("2026-01-20");
    let told = desk.told(&one);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[0],
        "declare-overdue bop 00000000000000aa: due 2026-01-19, not reported on 2026-01-20 x1"
    );
    let mut reported = one.clone();
    reported.bop[0].reported_on = Some(day("2026-01-19"));
    reported.receipts_payments[0].reported_on = Some(day("2026-01-20"));
    assert_eq!(
        desk.told(&reported),
        [
            "declare-overdue receipt_payment 00000000000000aa: due 2026-01-19, reported 2026-01-20 x1"
        ]
    );
    let mut paid = one;
    paid.bop[0].direction = Direction::Payment;
    let told = desk.told(&paid);
    assert!(
        told.contains(
            &"declare-not-determinable : until when records of bop must be reported x1".to_owned()
        ),
        "{told:?}"
    );
}

#[test]
fn a_list_gives_findings_and_grades_alter_only_what_their_table_names() {
    let mut desk = Desk::new();
    desk.list = UserList::parse("by,value,list,from,until\nname,made-up  abroad LTD,house list,,\nid_number,11010519491231002x,old list,,2025-12-31\ncountry,XXX,house list,,\n").expect("a list");
    let one = complete(&desk, GOOD);
    let told = desk.told(&one);
    assert_eq!(
        told,
        [
            "declare-listed bop 00000000000000aa: counterparty M****** A***** L** is on list \"house list\" by name x1",
            "declare-listed receipt_payment 00000000000000aa: counterparty M****** A***** L** is on list \"house list\" by name x1",
        ]
    );
    desk.list = UserList::default();
    for (authority, grade, want) in [
        ("safe", "A", None),
        (
            "safe",
            "B",
            Some("declare-not-determinable : grade safe/B: what is left of the quota x1"),
        ),
        (
            "safe",
            "C",
            Some(
                "declare-grade receipt_payment 00000000000000aa: grade safe/C: registration is missing x1",
            ),
        ),
        (
            "customs",
            "高级认证",
            Some("declare-not-determinable : what grade customs/高级认证 alters x1"),
        ),
        (
            "customs",
            "一般认证",
            Some(
                "declare-grade customs/一般认证: code table credit-grade has no code \"customs/一般认证\" on 2026-01-12; it holds only codes whose source is known, others come from a table of your own x1",
            ),
        ),
    ] {
        desk.declarant.grades = vec![Grade {
            authority: authority.into(),
            grade: grade.into(),
        }];
        assert_eq!(
            desk.told(&one).first().map(String::as_str),
            want,
            "{authority} {grade}"
        );
    }
    desk.declarant.grades = vec![Grade {
        authority: "safe".into(),
        grade: "B".into(),
    }];
    desk.declarant.quota = Some("4998.99 CNY".parse().expect("an amount"));
    assert_eq!(
        desk.told(&one),
        ["declare-grade safe/B: grade safe/B: 4999.00 CNY are beyond the quota of 4998.99 CNY x1"]
    );
}

/// Every personal value that goes in.
const CANARIES: &[&str] = &[
    "虚构支付有限公司",
    "91350100M000100Y43",
    "6222020200112233445",
    "Made-up Abroad Ltd",
    "DE89370400440532013000",
    "李四光",
    "13812345678",
    "张三丰",
    "11010519491231002X",
    "6200000000000005",
    "王五一",
    "440524188001010014",
    "360426199101010071",
    "赵六六",
    "440524188001010015",
];

fn hides(text: &str, what: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{what} shows {canary}");
    }
}

#[test]
fn no_personal_value_is_shown_whole_but_in_data() {
    let mut desk = Desk::new();
    desk.single = vec!["import_single_limit".into()];
    desk.annual = vec!["import_annual_limit".into()];
    let list: String = CANARIES
        .iter()
        .map(|canary| format!("name,{canary},l,,\n"))
        .collect();
    desk.list = UserList::parse(&format!("by,value,list,from,until\n{list}")).expect("a list");
    let one = desk.draft(&[
        ("O1", 3_000_000, "2026-01-08"),
        ("O3", 400_000, "2026-01-08"),
        ("O4", 1, "2026-01-08"),
        ("O2", 499_999, "2026-01-08"),
    ]);
    hides(&format!("{one:?}"), "Debug of a declaration");
    hides(
        &format!("{:?} {:?}", desk.declarant, desk.list),
        "Debug of what is given",
    );
    hides(
        &format!("{:?}", Evidence::parse(EVIDENCE)),
        "Debug of evidence",
    );
    let found = desk.review(&one);
    assert!(found.findings.len() > 8);
    for one in &found.findings {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        assert!(one.text.zh.chars().any(is_chinese), "{one:?}");
        assert!(!one.text.en.is_empty());
    }
    hides(&format!("{found:?}"), "Debug of what was found");
    let json = one.to_json();
    let csv = one.details_csv() + &one.records_csv();
    for canary in CANARIES
        .iter()
        .filter(|canary| !["李四光", "13812345678"].contains(canary))
    {
        assert!(
            json.contains(canary) && (csv.contains(canary) || *canary == "DE89370400440532013000"),
            "{canary}"
        );
    }
    // errors of readers, wherever a value stands that is wrong
    for (at, _) in json.match_indices('"') {
        let broken = format!("{}7{}", &json[..at], &json[at + 1..]);
        if let Err(error) = Declaration::from_json(&broken) {
            hides(&format!("{error} {error:?}"), "an error of a declaration");
        }
    }
    for (from, to) in [
        ("\"resident_person\"", "\"13812345678\""),
        ("\"resident\"", "\"张三丰\""),
        ("\"CHN\"", "\"张三丰\""),
    ] {
        let error = Declaration::from_json(&json.replacen(from, to, 1)).expect_err("a wrong value");
        hides(&format!("{error} {error:?}"), "an error of a declaration");
    }
    for (from, to) in [
        ("kind = \"firm\"", "kind = \"张三丰\""),
        ("id_kind = \"uscc\"", "id_kind = \"13812345678\""),
        ("country = \"CHN\"", "country = \"张三丰\""),
        ("name = \"李四光\"", "name = 13812345678"),
        ("name = \"李四光\"", "name = 李四光"),
        ("[reporter]", "[reporter]\n\"张三丰"),
    ] {
        let error = Declarant::parse(&DECLARANT.replacen(from, to, 1)).expect_err("a wrong value");
        hides(&format!("{error} {error:?}"), "an error of a declarant");
    }
    let columns = EVIDENCE_HEADER.split(',').count();
    for canary in CANARIES {
        for column in 0..=columns {
            let mut cells = vec![""; columns.max(column + 1)];
            cells[column] = canary;
            let evidence = Evidence::parse(&format!("{EVIDENCE_HEADER}\n{}\n", cells.join(",")))
                .expect("a header");
            hides(&format!("{:?}", evidence.rejected), "an error of evidence");
            hides(
                &evidence
                    .rejected
                    .iter()
                    .map(ToString::to_string)
                    .collect::<String>(),
                "an error of evidence",
            );
        }
        let error = UserList::parse(&format!(
            "by,value,list,from,until\n{canary},{canary},,{canary},\n"
        ));
        hides(&format!("{error:?}"), "an error of a list");
    }
}

#[test]
fn a_declaration_is_held_against_the_restored_one_that_it_was_made_from() {
    let desk = Desk::new();
    let from = batch(GOOD);
    let good = desk.draft(GOOD);
    assert_eq!(good.fits(&from), []);
    type Fault = fn(&mut Declaration);
    let faults: &[(&str, Fault)] = &[
        (
            "batch 00000000000000aa: record 0000000000000000 (bill.csv:2) is missing",
            |it| drop(it.details.remove(0)),
        ),
        (
            "batch 00000000000000aa: record 0000000000000001 is added",
            |it| it.details.push(it.details[1].clone()),
        ),
        (
            "batch 00000000000000aa: record 0000000000000001 (bill.csv:3) is changed",
            |it| it.details[1].order = Some("O9".into()),
        ),
        (
            "batch 00000000000000aa: record 0000000000000001 (bill.csv:3) is changed",
            |it| it.details[1].amount = "2000.01 CNY".parse().expect("an amount"),
        ),
        ("batch 00000000000000aa is missing", |it| it.bop.clear()),
        ("batch 00000000000000aa is added", |it| {
            it.bop.push(it.bop[0].clone())
        }),
        ("batch 00000000000000aa is changed", |it| {
            it.receipts_payments[0].direction = Direction::Payment
        }),
        ("batch 00000000000000aa is changed", |it| {
            it.bop[0].amount = "4998.00 CNY".parse().expect("an amount")
        }),
        ("batch 00000000000000aa is changed", |it| {
            it.bop[0].link.count = 3
        }),
        ("the document is changed", |it| it.as_of = day("2026-01-13")),
    ];
    for (want, fault) in faults {
        let mut changed = good.clone();
        fault(&mut changed);
        let found: Vec<String> = changed
            .fits(&from)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, [*want]);
    }
}

#[test]
fn windows_move_on_and_many_small_transactions_of_one_party_cost_no_square() {
    let mut desk = Desk::new();
    desk.single = vec!["import_single_limit".into()];
    desk.split_days = Some(3);
    let days = [
        "2026-01-05",
        "2026-01-06",
        "2026-01-07",
        "2026-01-08",
        "2026-01-09",
        "2026-01-10",
    ];
    // no three days from the 5th or 6th, but those from the 7th; the window behind them begins anew
    let rows: Vec<(&str, i64, &str)> = days
        .iter()
        .zip([100_000, 100_000, 150_000, 200_000, 150_001, 400_000])
        .map(|(on, fen)| ("O1", fen, *on))
        .collect();
    let found = desk.review(&complete(&desk, &rows)).findings;
    let told: Vec<&str> = found.iter().map(|one| one.text.en.as_str()).collect();
    assert_eq!(
        told,
        [
            "3 transactions within 3 days from 2026-01-07 make 5000.01 CNY, beyond 5000.00 CNY together"
        ]
    );
    // forty thousand transactions of a fen, one of them by itself beyond the limit
    let mut many = vec![("O1", 1, "2026-01-08"); 40_000];
    many.push(("O1", 500_001, "2026-01-08"));
    let found = desk.review(&complete(&desk, &many)).findings;
    let kinds: Vec<&str> = found.iter().map(|one| one.kind.code()).collect();
    assert_eq!(kinds, ["declare-limit"]);
}
