//! What must be true of every assessment, and the worked figures of interest, budgets and pledges.

use proptest::prelude::*;
use quanfu_calendar::{BusinessCalendar, Certainty};
use quanfu_credit::application::{self, Application};
use quanfu_credit::budget::{Claim, Source, share_out, share_out_by_class};
use quanfu_credit::programme::BudgetMethod;
use quanfu_credit::{Assessment, Context, Policy, Programme, Reason, ReferenceRates, assess};
use quanfu_fx::{RateReading, RateTable};
use quanfu_money::Money;

const PROGRAMME: &str = r#"
schema = "quanfu.programme/1"
id = "law"
year = "2024"
title = "made up for tests"
status = "illustrative"
[authority]
region = "nowhere"
bodies = []
[[refs]]
id = "r"
doc = "made up"
certainty = "illustrative"
[window]
from = 2024-01-01
to = 2024-12-31
test = "payment_date"
ref = "r"
[[class]]
id = "small"
when = [{ fact = "exports", currency = "USD", le = "6000000" }]
ref = "r"
[[class]]
id = "large"
when = [{ fact = "exports", currency = "USD", gt = "6000000" }]
ref = "r"
[[line]]
id = "premium"
kind = "premium_subsidy"
base = "premium_paid"
rate = [{ class = "small", applied = "0.50", ref = "r" }, { class = "large", applied = "0.30", ref = "r" }]
cap = [{ per = "enterprise_year", amount = "5000.00", ref = "r" }]
min_payable = { op = "gt", amount = "10.00", ref = "r" }
ref = "r"
[[line]]
id = "interest"
kind = "interest_discount"
base = "interest_accrued"
rate = [{ applied = "0.50", ref = "r" }]
ref = "r"
[fx]
mode = "parity_on_payment_date"
ref = "r"
[stacking]
joint_ceiling = "1.00"
ref = "r"
[rounding]
unit = "fen"
mode = "half_up"
at = "line_total"
order = ["rate", "round", "deduct_other_support", "line_cap", "enterprise_cap", "min_payable", "budget"]
ref = "r"
[budget]
total = "unlimited"
method = "pro_rata"
ref = "r"
"#;

/// The programme with some words exchanged; every one of them must be there.
fn programme(changes: &[(&str, &str)]) -> Programme {
    let mut text = PROGRAMME.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Programme::parse(&text).expect("a programme")
}

/// With nothing but rates and days.
fn context<'c>(
    rates: &'c RateTable,
    reference: &'c ReferenceRates,
    calendar: &'c BusinessCalendar,
) -> Context<'c> {
    Context {
        day: "2025-03-01".parse().expect("a day"),
        rates,
        reference,
        calendar,
        earlier: &[],
        policies: &[],
        files: &[],
        unread: &[],
        receipts: None,
    }
}

fn run_with(
    programme: &Programme,
    applications: &[Application],
    rates: &RateTable,
    earlier: &[Assessment],
) -> Assessment {
    let (reference, calendar) = (ReferenceRates::shipped(), BusinessCalendar::china());
    let context = Context {
        earlier,
        ..context(rates, &reference, &calendar)
    };
    let done = assess(programme, applications, &context).expect("amounts are small");
    assert_eq!(done.replay(), Ok(()), "every step gives its figure");
    let again = Assessment::from_json(&done.to_json()).expect("what was written");
    assert_eq!(again, done);
    // Every item is in a line or refused.
    let mut all: Vec<(&str, &str)> = Vec::new();
    for award in &done.awards {
        for item in award.lines.iter().flat_map(|line| &line.items) {
            all.push((&item.application, &item.item));
        }
    }
    all.extend(
        done.refused
            .iter()
            .map(|refusal| (refusal.application.as_str(), refusal.item.as_str())),
    );
    for application in applications {
        for item in &application.items {
            assert!(
                all.contains(&(application.id.as_str(), item.id.as_str())),
                "{} {}",
                application.id,
                item.id
            );
        }
    }
    done
}

fn run(programme: &Programme, applications: &[Application]) -> Assessment {
    run_with(programme, applications, &RateTable::default(), &[])
}

/// A firm's application; each item is `invoice amount`.
fn premium(id: &str, firm: &str, exports: &str, items: &[(&str, &str)]) -> Application {
    let items: String = items
        .iter()
        .enumerate()
        .map(|(index, (invoice, amount))| {
            format!("[[item]]\nid = \"{index}\"\nkind = \"premium\"\namount = \"{amount}\"\ninvoice = \"{invoice}\"\npaid_on = 2024-07-24\n")
        })
        .collect();
    application::from_toml(&format!(
        "schema = \"quanfu.application/1\"\nid = \"{id}\"\nenterprise = \"{firm}\"\nname = \"firm {firm}\"\nfiled_on = 2025-01-10\n[facts]\nexports = \"{exports} USD\"\n{items}"
    ))
    .expect("an application")
}

fn loan(terms: &str, paid: &str) -> Application {
    application::from_toml(&format!(
        "schema = \"quanfu.application/1\"\nid = \"A\"\nenterprise = \"E\"\nname = \"E\"\nfiled_on = 2025-01-10\n[facts]\nexports = \"1 USD\"\n\
         [[item]]\nid = \"1\"\nkind = \"interest\"\namount = \"{paid} CNY\"\nloan = \"L\"\nfrom = 2024-01-10\nuntil = 2024-12-20\npaid_on = 2024-12-20\n\
         [[loan]]\nid = \"L\"\nsigned_on = 2024-01-02\n{terms}"
    ))
    .expect("an application")
}

fn given(done: &Assessment, line: &str) -> String {
    let lines = done.awards.iter().flat_map(|award| &award.lines);
    let found = lines
        .filter(|found| found.line == line)
        .map(|line| line.eligible.amount_text());
    found.collect::<Vec<_>>().join(" ")
}

#[test]
fn interest_is_exact_and_the_place_of_rounding_is_said() {
    let one = |count: &str| {
        format!(
            "due_on = 2024-09-01\nday_count = \"{count}\"\ndrawdown = [{{ on = 2024-03-01, amount = \"1000000 CNY\" }}]\nrate = [{{ from = 2024-03-01, rate = \"0.0345\" }}]\n"
        )
    };
    let reset = one("Act/360").replace(
        "\"0.0345\" }",
        "\"0.0345\" }, { from = 2024-07-22, rate = \"0.0335\" }",
    );
    let two = "due_on = 2024-12-20\nday_count = \"Act/360\"\ndrawdown = [{ on = 2024-01-10, amount = \"3000000 CNY\" }]\n\
               repayment = [{ on = 2024-06-15, amount = \"1000000 CNY\" }]\nrate = [{ from = 2024-01-10, rate = \"0.0435\" }]\n";
    let year = |from: &str, to: &str| {
        format!(
            "due_on = {to}\nday_count = \"Act/360\"\ndrawdown = [{{ on = {from}, amount = \"1000000 CNY\" }}]\nrate = [{{ from = {from}, rate = \"0.0435\" }}]\n"
        )
    };
    let wrong_page = "due_on = 2024-12-30\nday_count = \"Act/360\"\ndrawdown = [{ on = 2023-12-31, amount = \"50000 CNY\" }]\nrate = [{ from = 2023-12-31, rate = \"0.0631\" }]\n";
    let days = "due_on = 2024-09-08\nday_count = \"Act/360\"\ndrawdown = [{ on = 2024-07-01, amount = \"360000 CNY\" }]\nrate = [{ from = 2024-07-01, rate = \"0.01\" }]\n";
    let whole = (
        "interest_accrued\"\nrate = [{ applied = \"0.50\"",
        "interest_accrued\"\nrate = [{ applied = \"1\"",
    );
    let segment = ("line_total", "segment");
    let (wide, narrow) = (
        (
            "from = 2024-01-01\nto = 2024-12-31",
            "from = 2023-01-01\nto = 2025-12-31",
        ),
        (
            "from = 2024-01-01\nto = 2024-12-31\ntest = \"payment_date\"",
            "from = 2024-04-01\nto = 2024-10-31\ntest = \"interest_period\"",
        ),
    );
    let points = (
        "interest_accrued\"\nrate = [{ applied = \"0.50\"",
        "interest_accrued\"\nmethod = \"points\"\nrate = [{ applied = \"0.02\"",
    );
    let plenty = "999999.00";
    for (name, terms, paid, changes, want) in [
        ("184 days", one("Act/360"), plenty, vec![whole], "17633.33"),
        ("by 365", one("Act/365F"), plenty, vec![whole], "17391.78"),
        ("30/360", one("30E/360"), plenty, vec![whole], "17250.00"),
        (
            "a reset, rounded once",
            reset.clone(),
            plenty,
            vec![whole],
            "17519.44",
        ),
        (
            "a reset, each part rounded",
            reset,
            plenty,
            vec![whole, segment],
            "17519.45",
        ),
        (
            "a repayment",
            two.to_owned(),
            plenty,
            vec![whole],
            "102345.83",
        ),
        (
            "in a window",
            two.to_owned(),
            plenty,
            vec![whole, narrow],
            "60779.17",
        ),
        (
            "half of it, rounded once",
            two.to_owned(),
            plenty,
            vec![narrow],
            "30389.58",
        ),
        (
            "half of rounded parts, as it must not be here",
            two.to_owned(),
            plenty,
            vec![narrow, segment],
            "30389.59",
        ),
        (
            "two points on the principal",
            two.to_owned(),
            plenty,
            vec![points, narrow],
            "27944.44",
        ),
        (
            "points, and less was paid",
            two.to_owned(),
            "20000.00",
            vec![points, narrow],
            "20000.00",
        ),
        (
            "never more than was paid",
            two.to_owned(),
            "102345.82",
            vec![whole],
            "102345.82",
        ),
        (
            "365 days",
            year("2023-01-01", "2024-01-01"),
            plenty,
            vec![whole, wide],
            "44104.17",
        ),
        (
            "366 days",
            year("2024-01-01", "2025-01-01"),
            plenty,
            vec![whole, wide],
            "44225.00",
        ),
        (
            "a page prints 31938 for it",
            wrong_page.to_owned(),
            plenty,
            vec![whole, wide],
            "3198.82",
        ),
        (
            "a page prints 70 days for these 69",
            days.to_owned(),
            plenty,
            vec![whole],
            "690.00",
        ),
    ] {
        let done = run(&programme(&changes), &[loan(&terms, paid)]);
        assert_eq!(
            given(&done, "interest"),
            want,
            "{name}: {:#?}",
            done.refused
        );
    }
}

fn source() -> Source {
    Source {
        source: "made up".into(),
        certainty: Certainty::Illustrative,
    }
}

#[test]
fn budgets_are_shared_out_to_the_fen() {
    let claims = |figures: &[(&str, i64, u64, &str, &str)]| -> Vec<Claim> {
        figures
            .iter()
            .map(|(id, eligible, weight, class, day)| Claim {
                id: (*id).into(),
                eligible: Money::from_minor(*eligible, quanfu_money::Currency::CNY),
                weight: *weight,
                class: (*class).into(),
                filed_on: day.parse().expect("a day"),
            })
            .collect()
    };
    let d = "2024-01-02";
    let water = BudgetMethod::WaterFill { weight: "w".into() };
    let priority = BudgetMethod::Priority {
        classes: vec!["b".into(), "a".into()],
    };
    for (name, budget, figures, method, want, unspent) in [
        (
            "one fraction",
            150_000_000,
            vec![
                ("A", 200_000_000, 0, "", d),
                ("B", 61_728_395, 0, "", d),
                ("C", 20_000_003, 0, "", d),
                ("D", 0, 0, "", d),
            ],
            BudgetMethod::ProRata,
            vec![106_485_538, 32_865_907, 10_648_555, 0],
            0,
        ),
        (
            "enough for all",
            1_000,
            vec![("A", 300, 0, "", d), ("B", 200, 0, "", d)],
            BudgetMethod::ProRata,
            vec![300, 200],
            500,
        ),
        (
            "15 to 80, 8 and 12",
            15,
            vec![("A", 80, 0, "", d), ("B", 8, 0, "", d), ("C", 12, 0, "", d)],
            BudgetMethod::ProRata,
            vec![12, 1, 2],
            0,
        ),
        (
            "water",
            10_000_000_000,
            vec![
                ("A", 2_000_000_000, 50, "", d),
                ("B", 9_000_000_000, 30, "", d),
                ("C", 9_000_000_000, 20, "", d),
            ],
            water.clone(),
            vec![2_000_000_000, 4_800_000_000, 3_200_000_000],
            0,
        ),
        (
            "water, all capped",
            100,
            vec![
                ("A", 20, 5, "", d),
                ("B", 30, 1, "", d),
                ("C", 40, 0, "", d),
            ],
            water,
            vec![20, 30, 0],
            50,
        ),
        (
            "class after class",
            100,
            vec![
                ("A", 80, 0, "a", d),
                ("B", 60, 0, "b", d),
                ("C", 20, 0, "a", d),
            ],
            priority,
            vec![32, 60, 8],
            0,
        ),
        (
            "first come",
            100,
            vec![
                ("A", 80, 0, "", "2024-01-03"),
                ("B", 60, 0, "", "2024-01-02"),
                ("C", 20, 0, "", "2024-01-03"),
            ],
            BudgetMethod::FirstCome,
            vec![32, 60, 8],
            0,
        ),
    ] {
        let total = Money::from_minor(budget, quanfu_money::Currency::CNY);
        let mut claims = claims(&figures);
        let shared = share_out(total, &claims, &method, 2, &source()).expect("a budget");
        let paid: Vec<i64> = shared
            .shares
            .iter()
            .map(|share| share.paid.minor())
            .collect();
        assert_eq!((paid, shared.unspent.minor()), (want, unspent), "{name}");
        for share in &shared.shares {
            share.step.replay().expect(name);
        }
        claims.reverse();
        assert_eq!(
            share_out(total, &claims, &method, 2, &source()),
            Ok(shared),
            "{name}"
        );
    }
}

const BY_CLASS: (&str, &str) = (
    "total = \"unlimited\"",
    "total = \"by_class\"\nclass = [{ id = \"small\", total = \"SMALL\", ref = \"r\" }, { id = \"large\", total = \"LARGE\", ref = \"r\" }]",
);

#[test]
fn a_class_with_a_budget_of_its_own_neither_lends_nor_borrows() {
    let text = BY_CLASS
        .1
        .replace("SMALL", "1000.00")
        .replace("LARGE", "9000.00");
    let programme = programme(&[(BY_CLASS.0, &text)]);
    let done = run(
        &programme,
        &[
            premium("A1", "E1", "1", &[("I1", "4000.00 CNY")]),
            premium("A2", "E2", "1", &[("I2", "2000.02 CNY")]),
            premium("A3", "E3", "7000000", &[("I3", "1000.00 CNY")]),
        ],
    );
    let paid: Vec<String> = done
        .awards
        .iter()
        .map(|award| award.paid.amount_text())
        .collect();
    assert_eq!(paid, ["666.66", "333.34", "300.00"]);
    let left: Vec<String> = done
        .budget
        .classes
        .iter()
        .map(|of| of.unspent.amount_text())
        .collect();
    assert_eq!(left, ["0.00", "8700.00"]);
    let text = |money: Option<Money>| money.map(|money| money.amount_text());
    assert_eq!(text(done.budget.total), Some("10000.00".into()));
    assert_eq!(text(done.budget.unspent), Some("8700.00".into()));
    // Money that is moved from one class to another is seen, though all of it still ties.
    let mut moved = done.clone();
    let fen = |minor| Money::from_minor(minor, quanfu_money::Currency::CNY);
    moved.budget.classes[0].total = fen(100_001);
    moved.budget.classes[0].unspent = fen(1);
    moved.budget.classes[1].total = fen(899_999);
    moved.budget.classes[1].unspent = fen(869_999);
    assert_eq!(
        moved.replay(),
        Ok(()),
        "what a class has is the programme's matter"
    );
    moved.budget.classes[1].unspent = fen(870_000);
    assert!(moved.replay().is_err());
    let mut swapped = done;
    swapped.awards[0].class = "large".into();
    assert!(swapped.replay().is_err());
}

#[test]
fn amounts_at_the_end_of_their_range_are_refused_and_stop_nothing() {
    let money = |minor| Money::from_minor(minor, quanfu_money::Currency::CNY);
    let claim = |id: &str, eligible, weight| Claim {
        id: id.into(),
        eligible: money(eligible),
        weight,
        class: String::new(),
        filed_on: "2024-01-01".parse().expect("a day"),
    };
    let half = i64::MAX / 2;
    let water = BudgetMethod::WaterFill { weight: "w".into() };
    let heavy = [claim("A", half, u64::MAX), claim("B", half, u64::MAX)];
    let found = share_out(money(i64::MAX), &heavy, &water, 2, &source());
    assert_eq!(found.expect_err("too heavy").code(), "budget-range");
    let light = [
        claim("A", half, u64::MAX / 8),
        claim("B", half, u64::MAX / 8),
    ];
    for method in [water, BudgetMethod::ProRata] {
        let shared = share_out(money(half), &light, &method, 2, &source()).expect("it can be held");
        assert_eq!(shared.paid.minor(), half);
    }
    let found = share_out_by_class(&[], &light, &BudgetMethod::ProRata, 2);
    assert_eq!(found.expect_err("no class").code(), "budget-no-budget");
    // A rate beyond reason leaves the range of an amount, not of the program.
    let wide = programme(&[("parity_on_payment_date", "rate_in_application")]);
    let segment = programme(&[
        ("parity_on_payment_date", "rate_in_application"),
        ("line_total", "segment"),
    ]);
    for rate in ["10000000000000000001", "79228162514264337593543950335"] {
        let text = format!(
            "schema = \"quanfu.application/1\"\nid = \"A\"\nenterprise = \"E\"\nname = \"E\"\nfiled_on = 2025-01-10\n[facts]\nexports = \"1 USD\"\n\
             [[item]]\nid = \"1\"\nkind = \"premium\"\namount = \"92233720368547758.07 USD\"\nrate = \"{rate}\"\ninvoice = \"I\"\npaid_on = 2024-07-24\n"
        );
        let application = application::from_toml(&text).expect("an application");
        for programme in [&wide, &segment] {
            let done = run(programme, std::slice::from_ref(&application));
            let code = done.refused.first().map(|refusal| refusal.reason);
            let capped = done.awards.first().map(|award| award.eligible.minor());
            assert!(
                code == Some(Reason::NotComputable) || capped == Some(500_000),
                "{rate}: {code:?} {capped:?}"
            );
        }
    }
}

#[test]
fn what_is_lent_stays_within_declaration_limit_cover_and_liability() {
    const POLICY: &str = r#"
schema = "quanfu.policy/1"
id = "P1"
insurer = "I"
holder = "H"
from = 2024-01-01
until = 2024-12-31
currency = "USD"
cover = "0.90"
max_liability = { absolute = "9000000" }
undeclared_consumes_limit = true
[[rate]]
terms = "O/A"
max_days = 90
rate = "0.0012"
source = "made up"
certainty = "illustrative"
[[limit]]
buyer = "B"
from = 2024-01-01
until = 2024-06-30
amount = "LIMIT"
terms = "O/A"
max_days = 90
"#;
    let ship = |id: &str, amount: &str, more: &str| {
        let mut text = format!("[[shipment]]\nid = \"{id}\"\namount = \"{amount}\"\n");
        for (key, value) in [
            ("buyer", "\"B\""),
            ("shipped_on", "2024-03-01"),
            ("declared_on", "2024-03-04"),
            ("terms", "\"O/A\""),
            ("days", "60"),
        ] {
            if !more.contains(key) {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        text + more + "\n"
    };
    let undeclared = ship("2", "50", "").replace("declared_on = 2024-03-04\n", "");
    let three = format!(
        "{}{undeclared}{}",
        ship("1", "150", ""),
        ship("3", "100", "")
    );
    let none = ("", "");
    for (name, limit, change, shipments, want, left) in [
        (
            "above the limit",
            "400000",
            none,
            ship("1", "500000", ""),
            "360000.00",
            vec!["LIMIT_USED_UP"],
        ),
        (
            "below it",
            "400000",
            none,
            ship("1", "300000", ""),
            "270000.00",
            vec![],
        ),
        (
            "liability is left",
            "400000",
            (
                "0.90\"\nmax_liability = { absolute = \"9000000\" }",
                "0.80\"\nmax_liability = { absolute = \"200000\" }",
            ),
            ship("1", "300000", ""),
            "200000.00",
            vec![],
        ),
        (
            "of 150,000 in all",
            "900000",
            (
                "0.90\"\nmax_liability = { absolute = \"9000000\" }",
                "0.80\"\nmax_liability = { absolute = \"150000\" }",
            ),
            ship("1", "187500", ""),
            "150000.00",
            vec![],
        ),
        (
            "and of more",
            "900000",
            (
                "0.90\"\nmax_liability = { absolute = \"9000000\" }",
                "0.80\"\nmax_liability = { absolute = \"150000\" }",
            ),
            ship("1", "250000", ""),
            "150000.00",
            vec![],
        ),
        (
            "50 times the premium, less what was paid",
            "2000000",
            (
                "0.90\"\nmax_liability = { absolute = \"9000000\" }",
                "0.70\"\nmax_liability = { premium_multiple = \"50\" }\nindemnified = \"56000\"",
            ),
            ship("1", "2000000", ""),
            "64000.00",
            vec![],
        ),
        (
            "what is not declared takes the limit",
            "200",
            none,
            three.clone(),
            "135.00",
            vec!["NOT_DECLARED", "LIMIT_USED_UP"],
        ),
        (
            "or not",
            "200",
            (
                "undeclared_consumes_limit = true",
                "undeclared_consumes_limit = false",
            ),
            three,
            "180.00",
            vec!["NOT_DECLARED", "LIMIT_USED_UP"],
        ),
        (
            "another buyer",
            "200",
            none,
            ship("1", "100", "buyer = \"C\""),
            "0.00",
            vec!["NO_LIMIT"],
        ),
        (
            "after the limit",
            "200",
            none,
            ship(
                "1",
                "100",
                "shipped_on = 2024-07-01\ndeclared_on = 2024-07-02",
            ),
            "0.00",
            vec!["LIMIT_NOT_IN_FORCE"],
        ),
        (
            "a limit of zero",
            "0",
            none,
            ship("1", "100", ""),
            "0.00",
            vec!["LIMIT_ZERO"],
        ),
        (
            "riskier terms",
            "200",
            (
                "terms = \"O/A\"\nmax_days = 90\n[[s",
                "terms = \"D/P\"\nmax_days = 90\n[[s",
            ),
            ship("1", "100", ""),
            "0.00",
            vec!["TERMS_RISKIER"],
        ),
        (
            "longer credit",
            "200",
            none,
            ship("1", "100", "days = 91"),
            "0.00",
            vec!["TERMS_RISKIER"],
        ),
        (
            "cut down",
            "200",
            none,
            ship("1", "0.09", ""),
            "0.08",
            vec![],
        ),
        (
            "paid in part",
            "200",
            none,
            ship("1", "150", "paid = \"100\""),
            "45.00",
            vec![],
        ),
    ] {
        let text = format!("{POLICY}{shipments}").replace("LIMIT\"", &format!("{limit}\""));
        assert!(text.contains(change.0), "{name}");
        let policy = Policy::parse(&text.replace(change.0, change.1)).expect(name);
        let base = policy
            .borrowing_base("2024-12-31".parse().expect("a day"))
            .expect(name);
        assert_eq!(base.amount.amount_text(), want, "{name}");
        let codes: Vec<&str> = base.left_out.iter().map(|(_, why)| why.code()).collect();
        assert_eq!(codes, left, "{name}");
        base.trail.replay().expect(name);
    }
}

#[test]
fn the_published_result_adds_up_from_its_parts() {
    let (micro, medium) = (610_448 + 215_647, 197_433);
    assert_eq!(micro, 826_095);
    let projects: i64 = 9_242_107 + 533_220 + 164_552;
    assert_eq!(projects + micro + medium, 10_963_407);
}

#[test]
fn a_document_that_cannot_be_is_refused_with_its_line() {
    for (from, to, want) in [
        (
            "gt = \"6000000\"",
            "gt = \"7000000\"",
            "exports = 6500000 USD is in no class",
        ),
        (
            "le = \"6000000\"",
            "lt = \"6000000\"",
            "exports = 6000000 USD is in no class",
        ),
        (
            "gt = \"6000000\"",
            "ge = \"6000000\"",
            "exports = 6000000 USD is in classes small and large",
        ),
        ("title =", "titel =", "unknown field `titel`"),
        (
            "applied = \"0.30\", ref = \"r\"",
            "applied = \"0.30\", ref = \"q\"",
            "line premium, rate, ref: no [[refs]] has the id \"q\"; there are: r",
        ),
        (
            "applied = \"0.30\", ref = \"r\"",
            "applied = \"0.30\"",
            "missing field `ref`",
        ),
        (
            ", { class = \"large\", applied = \"0.30\", ref = \"r\" }",
            "",
            "class large has no rate",
        ),
        (
            "class = \"large\"",
            "class = \"*\"",
            "class small has two rates",
        ),
        (
            "class = \"large\"",
            "class = \"huge\"",
            "no class \"huge\"; there are: small, large",
        ),
        (
            "class = \"large\", applied",
            "class = \"large\", ceiling = \"0.2\", applied",
            "applied 0.30 is above the ceiling 0.2",
        ),
        (
            "class = \"large\"",
            "until = 2024-06-30, class = \"large\"",
            "no row holds on 2024-12-31, which the window has",
        ),
        (
            "amount = \"10.00\"",
            "amount = \"5000.01\"",
            "5000.01 CNY is above a cap of 5000.00 CNY",
        ),
        (
            "to = 2024-12-31",
            "to = 2023-12-31",
            "it ends before it begins",
        ),
        ("\"line_cap\", ", "", "each of rate, round"),
        (
            "\"0.50\", ref = \"r\" }]\nref",
            "\"50\", ref = \"r\" }]\nref",
            "50 is more than the whole",
        ),
        ("total = \"unlimited\"", "total = \"1.234\"", "1.234 CNY"),
        (
            "id = \"interest\"",
            "id = \"premium\"",
            "id \"premium\" stands twice",
        ),
        (
            "status = \"illustrative\"",
            "status = \"real\"",
            "a reference is illustrative",
        ),
    ] {
        assert!(PROGRAMME.contains(from), "{from}");
        let text = PROGRAMME.replacen(from, to, 1);
        let said = Programme::parse(&text).expect_err(to).to_string();
        assert!(
            said.contains(want) && said.starts_with("line "),
            "{to}: {said}"
        );
    }
    // The line is that of the thing.
    let text = PROGRAMME.replace(
        "applied = \"0.30\", ref = \"r\"",
        "applied = \"0.30\", ref = \"q\"",
    );
    let line = PROGRAMME
        .lines()
        .position(|line| line.contains("0.30"))
        .expect("a line")
        + 1;
    let said = Programme::parse(&text)
        .expect_err("no such reference")
        .to_string();
    assert!(said.starts_with(&format!("line {line}, ")), "{said}");
}

#[test]
fn nothing_is_supported_twice() {
    let programme = programme(&[]);
    let a = premium(
        "A1",
        "E1",
        "1",
        &[("I-1", "1000.00 CNY"), ("I-2", "500.00 CNY")],
    );
    let again = premium(
        "A2",
        "E1",
        "1",
        &[("i - 1", "1000.00 CNY"), ("I-3", "500.00 CNY")],
    );
    let done = run(&programme, &[again.clone(), a.clone()]);
    // Within a firm the first stands.
    assert_eq!(given(&done, "premium"), "1000.00");
    assert_eq!(done.refused.len(), 1);
    assert_eq!(
        (done.refused[0].application.as_str(), done.refused[0].reason),
        ("A2", Reason::ClaimedTwice)
    );
    assert!(
        done.refused[0].detail.contains("application A1 item 0"),
        "{}",
        done.refused[0].detail
    );
    // Between firms neither does, and each names the other.
    let other = premium("B1", "E2", "1", &[("I-1", "1000.00 CNY")]);
    let done = run(&programme, &[a.clone(), other]);
    let said: Vec<String> = done
        .refused
        .iter()
        .map(|refusal| format!("{} {}", refusal.application, refusal.detail))
        .collect();
    assert_eq!(
        said,
        [
            "A1 invoice /I-1: firm E2 application B1 item 0",
            "B1 invoice /I-1: firm E1 application A1 item 0"
        ]
    );
    // In another year, and in another programme.
    let first = run(&programme, std::slice::from_ref(&a));
    let names = [
        ("id = \"law\"", "id = \"other\""),
        ("year = \"2024\"", "year = \"2025\""),
    ];
    for change in names {
        let later = self::programme(&[change]);
        let done = run_with(
            &later,
            std::slice::from_ref(&again),
            &RateTable::default(),
            std::slice::from_ref(&first),
        );
        assert_eq!(given(&done, "premium"), "250.00");
        assert_eq!(done.refused[0].reason, Reason::ClaimedTwice);
        assert!(
            done.refused[0]
                .detail
                .contains("award law/2024/2025-03-01/E1 application A1 item 0"),
            "{}",
            done.refused[0].detail
        );
    }
    // Where it may be stacked on, what was given counts as other support.
    let stacked = self::programme(&[
        ("id = \"law\"", "id = \"other\""),
        ("joint_ceiling", "on = [\"law\"]\njoint_ceiling"),
        ("\"0.50\"", "\"0.80\""),
    ]);
    let done = run_with(&stacked, &[a], &RateTable::default(), &[first]);
    // 80 % of 1,500 is 1,200; the other programme gave 750 of 1,500, named by both items: no more than nothing is left.
    assert_eq!(given(&done, "premium"), "0.00");
}

#[test]
fn a_receipt_shows_one_payment() {
    let text = include_str!("../data/programmes/jinan-illustrative.toml");
    let programme = programme(&[]);
    let with = |id: &str, firm: &str, items: &[(&str, &str)]| {
        let of: Vec<(&str, &str)> = items.iter().map(|(i, _)| (*i, "100.00 CNY")).collect();
        let mut application = premium(id, firm, "1", &of);
        for (item, (_, receipt)) in application.items.iter_mut().zip(items) {
            item.receipt = Some((*receipt).to_owned());
        }
        application
    };
    let said = |done: &quanfu_credit::Assessment| -> Vec<String> {
        let all = done.refused.iter();
        all.map(|refusal| {
            let (application, item) = (&refusal.application, &refusal.item);
            format!(
                "{application}/{item} {} {}",
                refusal.reason.code(),
                refusal.detail
            )
        })
        .collect()
    };
    // Two items of one application, and two applications of a firm: the first stands.
    let a = with("A1", "E1", &[("I-1", "aa"), ("I-2", "AA")]);
    let b = with("A2", "E1", &[("I-3", "aa"), ("I-4", "bb")]);
    assert_eq!(
        said(&run(&programme, &[b.clone(), a.clone()])),
        [
            "A1/1 CLAIMED_TWICE receipt AA: firm E1 application A1 item 0",
            "A2/0 CLAIMED_TWICE receipt AA: firm E1 application A1 item 0"
        ]
    );
    // Two firms: neither.
    let other = with("B1", "E2", &[("I-5", "b b")]);
    assert_eq!(
        said(&run(&programme, &[b.clone(), other])),
        [
            "A2/1 CLAIMED_TWICE receipt BB: firm E2 application B1 item 0",
            "B1/0 CLAIMED_TWICE receipt BB: firm E1 application A2 item 1"
        ]
    );
    // Another programme, and another year.
    let first = run(&programme, &[a]);
    for change in [
        ("id = \"law\"", "id = \"other\""),
        ("year = \"2024\"", "year = \"2025\""),
    ] {
        let later = self::programme(&[change]);
        let done = run_with(
            &later,
            std::slice::from_ref(&b),
            &RateTable::default(),
            std::slice::from_ref(&first),
        );
        assert_eq!(
            said(&done),
            ["A2/0 CLAIMED_TWICE receipt AA: award law/2024/2025-03-01/E1 application A1 item 0"]
        );
    }
    // Another line.
    let interest = |receipt: &str| {
        let text = format!(
            "schema = \"quanfu.application/1\"\nid = \"A3\"\nenterprise = \"E1\"\nname = \"E\"\nfiled_on = 2025-01-10\n[facts]\nexports = \"1 USD\"\n\
             [[item]]\nid = \"0\"\nkind = \"interest\"\namount = \"100.00 CNY\"\nloan = \"L\"\nfrom = 2024-01-01\nuntil = 2024-04-01\npaid_on = 2024-12-20\nreceipt = \"{receipt}\"\n"
        );
        application::from_toml(&text).expect("an application")
    };
    let paid = self::programme(&[("interest_accrued", "interest_paid")]);
    assert_eq!(
        said(&run(&paid, &[b.clone(), interest("bb")])),
        ["A3/0 CLAIMED_TWICE receipt BB: firm E1 application A2 item 1"]
    );
    assert!(run(&paid, &[b, interest("cc")]).refused.is_empty());
    // Parts of one receipt are apart; the whole and a part of it are not.
    let parts = with(
        "A4",
        "E1",
        &[("I-1", "aa#1"), ("I-2", "aa#2"), ("I-3", "aab#2")],
    );
    let of_parts = run(&programme, std::slice::from_ref(&parts));
    assert!(of_parts.refused.is_empty(), "{:?}", of_parts.refused);
    let of_whole = with("A5", "E1", &[("I-9", "aa")]);
    assert_eq!(
        said(&run(&programme, &[parts.clone(), of_whole.clone()])),
        ["A5/0 CLAIMED_TWICE receipt AA: firm E1 application A4 item 0"]
    );
    let mut early = of_whole;
    early.filed_on = "2025-01-01".parse().expect("a day");
    assert_eq!(
        said(&run(&programme, &[parts, early])),
        [
            "A4/0 CLAIMED_TWICE receipt AA#1: firm E1 application A5 item 0",
            "A4/1 CLAIMED_TWICE receipt AA#2: firm E1 application A5 item 0"
        ]
    );
    // Worked cases of a programme that asks for receipts have one for each item.
    let text = text.replace(
        "[eligibility]\n",
        "[eligibility]\nrequires_receipt = true\n",
    );
    let strict = Programme::parse(&text).expect("a programme");
    assert!(strict.requires_receipt);
    let (rates, reference, calendar) = (
        RateTable::default(),
        ReferenceRates::shipped(),
        BusinessCalendar::china(),
    );
    let context = context(&rates, &reference, &calendar);
    for result in strict.run_tests(&context) {
        assert_eq!(result.differs, Vec::<String>::new(), "{}", result.name);
    }
}

#[test]
fn days_of_one_loan_are_supported_once() {
    let programme = programme(&[("interest_accrued", "interest_paid")]);
    let interest = |id: &str, firm: &str, from: &str, until: &str| {
        application::from_toml(&format!(
            "schema = \"quanfu.application/1\"\nid = \"{id}\"\nenterprise = \"{firm}\"\nname = \"E\"\nfiled_on = 2025-01-10\n[facts]\nexports = \"1 USD\"\n\
             [[item]]\nid = \"1\"\nkind = \"interest\"\namount = \"100.00 CNY\"\nloan = \"L\"\nfrom = {from}\nuntil = {until}\npaid_on = 2024-12-20\n"
        ))
        .expect("an application")
    };
    let q1 = interest("A1", "E", "2024-01-01", "2024-04-01");
    let done = run(
        &programme,
        &[q1.clone(), interest("A2", "E", "2024-04-01", "2024-07-01")],
    );
    assert_eq!(given(&done, "interest"), "100.00");
    let done = run(
        &programme,
        &[q1, interest("A2", "E", "2024-03-31", "2024-07-01")],
    );
    assert_eq!(given(&done, "interest"), "50.00");
    assert_eq!(done.refused[0].reason, Reason::ClaimedTwice);
}

#[test]
fn two_firms_may_number_their_loans_alike_but_a_lenders_contract_is_one() {
    let programme = programme(&[("interest_accrued", "interest_paid")]);
    let interest = |id: &str, firm: &str, lender: &str| {
        application::from_toml(&format!(
            "schema = \"quanfu.application/1\"\nid = \"{id}\"\nenterprise = \"{firm}\"\nname = \"{firm}\"\nfiled_on = 2025-01-10\n[facts]\nexports = \"1 USD\"\n\
             [[item]]\nid = \"1\"\nkind = \"interest\"\namount = \"100.00 CNY\"\nloan = \"L1\"\n{lender}from = 2024-01-01\nuntil = 2024-04-01\npaid_on = 2024-12-20\n"
        ))
        .expect("an application")
    };
    for (first, second, refused) in [
        ("", "", 0),
        ("issuer = \"Bank A\"\n", "issuer = \"Bank B\"\n", 0),
        ("issuer = \"Bank A\"\n", "issuer = \"bank a\"\n", 2),
    ] {
        let done = run(
            &programme,
            &[interest("A1", "E", first), interest("A2", "F", second)],
        );
        let twice = done
            .refused
            .iter()
            .filter(|one| one.reason == Reason::ClaimedTwice);
        assert_eq!(twice.count(), refused, "{first}{second}{:?}", done.refused);
    }
    // one firm's loan is one, whether or not the lender is named
    let done = run(
        &programme,
        &[
            interest("A1", "E", ""),
            interest("A2", "E", "issuer = \"Bank A\"\n"),
        ],
    );
    assert_eq!(done.refused[0].reason, Reason::ClaimedTwice);
}

#[test]
fn a_cap_of_a_year_counts_what_was_awarded_before() {
    let programme = programme(&[]);
    let first = run(
        &programme,
        &[premium("A1", "E1", "1", &[("I-1", "9000.00 CNY")])],
    );
    assert_eq!(given(&first, "premium"), "4500.00");
    let done = run_with(
        &programme,
        &[premium("A2", "E1", "1", &[("I-2", "9000.00 CNY")])],
        &RateTable::default(),
        &[first],
    );
    assert_eq!(given(&done, "premium"), "500.00");
}

#[test]
fn other_currencies_come_in_at_the_parity_of_the_day_that_is_named() {
    let rates = RateReading::csv(b"date,base,unit,quote,value,kind,source,certainty\n2024-07-24,USD,1,CNY,7.1358,mid,Xinhua,certain\n2024-07-24,JPY,100,CNY,4.5942,mid,Xinhua,certain\n").expect("a file");
    let rates = RateTable::new(rates.rates).expect("a table");
    let dollars = || premium("A", "E", "1", &[("I", "100.01 USD")]);
    for (changes, want, why) in [
        (vec![], "356.83", None), // 713.651358 / 2
        (
            vec![(
                "parity_on_payment_date\"",
                "parity_on_fixed_date\"\ndate = 2024-07-24",
            )],
            "356.83",
            None,
        ),
        (
            vec![(
                "parity_on_payment_date\"",
                "parity_on_fixed_date\"\ndate = 2024-07-27",
            )],
            "",
            Some(Reason::NoExchangeRate),
        ),
        (
            vec![("parity_on_payment_date\"", "rate_in_application\"")],
            "",
            Some(Reason::NoExchangeRate),
        ),
        (
            vec![("parity_on_payment_date\"", "parity_on_invoice_date\"")],
            "",
            Some(Reason::NoExchangeRate),
        ),
    ] {
        let done = run_with(&programme(&changes), &[dollars()], &rates, &[]);
        assert_eq!(given(&done, "premium"), want, "{changes:?}");
        assert_eq!(
            done.refused.first().map(|refusal| refusal.reason),
            why,
            "{changes:?}"
        );
    }
    let yen = premium("A", "E", "1", &[("I", "10000 JPY")]);
    assert_eq!(
        given(&run_with(&programme(&[]), &[yen], &rates, &[]), "premium"),
        "229.71"
    );
}

#[test]
fn where_it_is_rounded_and_what_comes_first_is_data() {
    let item = |amount: &str| premium("A", "E", "1", &[("I", amount)]);
    let floor_last = (
        "\"enterprise_cap\", \"min_payable\"",
        "\"min_payable\", \"enterprise_cap\"",
    );
    let yuan = ("unit = \"fen\"", "unit = \"yuan\"");
    for (name, changes, amount, want) in [
        (
            "20.01 / 2 = 10.005 is 10.01, above 10",
            vec![],
            "20.01 CNY",
            "10.01",
        ),
        ("exactly 10 is not above 10", vec![], "20.00 CNY", "0.00"),
        (
            "at least",
            vec![("op = \"gt\"", "op = \"ge\"")],
            "20.00 CNY",
            "10.00",
        ),
        ("whole yuan", vec![yuan], "101.00 CNY", "51.00"),
        (
            "the order of cap and floor",
            vec![floor_last],
            "20.01 CNY",
            "10.01",
        ),
    ] {
        assert_eq!(
            given(&run(&programme(&changes), &[item(amount)]), "premium"),
            want,
            "{name}"
        );
    }
    // Three items of 0.11 at 50 %: rounded once 0.17, and a cap for each item cuts each.
    let three = premium(
        "A",
        "E",
        "1",
        &[("1", "100.00 CNY"), ("2", "60.00 CNY"), ("3", "10.00 CNY")],
    );
    let capped = programme(&[(
        "per = \"enterprise_year\", amount = \"5000.00\"",
        "per = \"item\", amount = \"20.00\"",
    )]);
    assert_eq!(given(&run(&capped, &[three]), "premium"), "45.00");
}

#[test]
fn classes_may_be_drawn_anew_from_a_day() {
    let dated = "[[class]]\nid = \"small\"\nuntil = 2025-01-09\nwhen = [{ fact = \"exports\", currency = \"USD\", le = \"3000000\" }]\nref = \"r\"\n\
                 [[class]]\nid = \"small\"\nfrom = 2025-01-10\nwhen = [{ fact = \"exports\", currency = \"USD\", le = \"6000000\" }]\nref = \"r\"\n";
    let begin = PROGRAMME.find("[[class]]").expect("a class");
    let end = PROGRAMME.find("[[line]]").expect("a line");
    let large = "[[class]]\nid = \"large\"\notherwise = true\nref = \"r\"\n";
    let text = format!("{}{dated}{large}{}", &PROGRAMME[..begin], &PROGRAMME[end..]);
    let programme = Programme::parse(&text).expect("a programme");
    let mut firm = premium("A", "E", "6000000", &[("I", "100.00 CNY")]);
    assert_eq!(
        given(&run(&programme, std::slice::from_ref(&firm)), "premium"),
        "50.00"
    );
    firm.filed_on = "2025-01-09".parse().expect("a day");
    assert_eq!(given(&run(&programme, &[firm]), "premium"), "30.00");
}

fn firms() -> impl Strategy<Value = Vec<(u8, Vec<u32>, bool)>> {
    let firm = (
        0_u8..6,
        proptest::collection::vec(0_u32..2_000_000, 1..4),
        any::<bool>(),
    );
    proptest::collection::vec(firm, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Of each class's budget exactly the smaller of budget and eligible sum is paid, and the whole is their sum; another
    /// class's budget changes nothing.
    #[test]
    fn each_class_keeps_its_budget(firms in firms(), small in 0_u32..2_000_000, large in 0_u32..2_000_000) {
        let text = |fen: u32| format!("{}.{:02}", fen / 100, fen % 100);
        let with = |small: u32, large: u32| {
            let budgets = BY_CLASS.1.replace("SMALL", &text(small)).replace("LARGE", &text(large));
            let programme = programme(&[(BY_CLASS.0, &budgets)]);
            let applications: Vec<Application> = firms.iter().enumerate().map(|(number, (firm, amounts, _))| {
                let exports = if firm % 2 == 0 { "1" } else { "7000000" };
                let items: Vec<(String, String)> = amounts.iter().enumerate()
                    .map(|(index, fen)| (format!("I{number}-{index}"), format!("{}.{:02} CNY", fen / 100, fen % 100)))
                    .collect();
                let texts: Vec<(&str, &str)> = items.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                premium(&format!("A{number}"), &format!("E{firm}"), exports, &texts)
            }).collect();
            run(&programme, &applications)
        };
        let done = with(small, large);
        let mut all = 0;
        for (class, budget) in [("small", small), ("large", large)] {
            let of_class = || done.awards.iter().filter(|award| award.class == class);
            let eligible: i64 = of_class().map(|award| award.eligible.minor()).sum();
            let paid: i64 = of_class().map(|award| award.paid.minor()).sum();
            prop_assert_eq!(paid, eligible.min(i64::from(budget)));
            all += paid;
        }
        prop_assert_eq!(done.budget.paid.minor(), all);
        prop_assert_eq!(done.budget.total.map(|total| total.minor()), Some(i64::from(small) + i64::from(large)));
        let other = with(small, large / 2);
        let of_small = |done: &Assessment| done.awards.iter().filter(|award| award.class == "small").cloned().collect::<Vec<_>>();
        prop_assert_eq!(of_small(&other), of_small(&done));
    }

    /// Each way of sharing out pays the smaller of budget and eligible sum, nobody more than is eligible, and says the same
    /// in any order of claims; within those paid together, by the definition of the way, told without its arithmetic.
    #[test]
    fn every_way_of_sharing_keeps_its_word(
        figures in proptest::collection::vec((0i64..200, 0u64..5, 0usize..3, 1u8..4), 0..9),
        budget in 0i64..700,
        way in 0usize..4,
        turn in 0usize..9,
    ) {
        let method = match way {
            0 => BudgetMethod::ProRata,
            1 => BudgetMethod::WaterFill { weight: "w".into() },
            2 => BudgetMethod::Priority { classes: vec!["b".into(), "a".into()] },
            _ => BudgetMethod::FirstCome,
        };
        let claims: Vec<Claim> = figures.iter().enumerate().map(|(at, &(eligible, weight, class, day))| Claim {
            id: format!("E{at}"),
            eligible: Money::from_minor(eligible, quanfu_money::Currency::CNY),
            weight,
            class: ["a", "b", "c"][class].into(),
            filed_on: format!("2024-01-0{day}").parse().expect("a day"),
        }).collect();
        let total = Money::from_minor(budget, quanfu_money::Currency::CNY);
        let shared = share_out(total, &claims, &method, 2, &source()).expect("a budget");
        let mut turned = claims.clone();
        turned.rotate_left(if claims.is_empty() { 0 } else { turn % claims.len() });
        turned.reverse();
        prop_assert_eq!(&share_out(total, &turned, &method, 2, &source()).expect("a budget"), &shared);
        let paid: Vec<i64> = shared.shares.iter().map(|share| share.paid.minor()).collect();
        let all: i64 = paid.iter().sum();
        prop_assert_eq!((shared.paid.minor(), shared.unspent.minor()), (all, budget - all));
        for (share, (eligible, ..)) in shared.shares.iter().zip(&figures) {
            prop_assert!((0..=*eligible).contains(&share.paid.minor()));
            prop_assert!(share.step.replay().is_ok());
        }
        if way == 1 {
            let reached: i64 = figures.iter().filter(|one| one.1 > 0).map(|one| one.0).sum();
            prop_assert_eq!(all, budget.min(reached));
            for (at, &(eligible, weight, ..)) in figures.iter().enumerate() {
                let weight = weight as i64;
                if weight == 0 || paid[at] == eligible {
                    prop_assert!(weight > 0 || paid[at] == 0);
                    continue;
                }
                // below what is eligible: nobody has by more than a unit more for the weight
                for (other, &(_, other_weight, ..)) in figures.iter().enumerate() {
                    prop_assert!((paid[other] - 1) * weight <= (paid[at] + 1) * other_weight as i64, "{:?}", paid);
                }
            }
            return Ok(());
        }
        let turn_of = |at: usize| match way {
            0 => 0,
            2 => [1, 0, 2][figures[at].2],
            _ => usize::from(figures[at].3),
        };
        let mut left = budget;
        for turn in 0..4 {
            let pool: Vec<usize> = (0..figures.len()).filter(|&at| turn_of(at) == turn).collect();
            let eligible: i64 = pool.iter().map(|&at| figures[at].0).sum();
            let given: i64 = pool.iter().map(|&at| paid[at]).sum();
            prop_assert_eq!(given, eligible.min(left));
            if eligible > left {
                // what a share is above or below its part of the budget, in units times the sum
                let over = |at: usize| paid[at] * eligible - figures[at].0 * left;
                for &at in &pool {
                    prop_assert!(over(at).abs() < eligible);
                    for &other in &pool {
                        if over(at) > 0 && over(other) < 0 {
                            let (mine, theirs) = (eligible - over(at), -over(other));
                            prop_assert!(mine > theirs || mine == theirs && at < other, "{:?}", paid);
                        }
                    }
                }
            }
            left -= given;
        }
    }

    /// Paid is the smaller of budget and eligible; nobody is above cap or cost; no order of applicants matters; a claim
    /// split in two applications gives what the whole gives.
    #[test]
    fn money_is_kept_and_order_and_splitting_change_nothing(firms in firms(), budget in 0_u32..3_000_000) {
        let total = format!("total = \"{}.{:02}\"", budget / 100, budget % 100);
        let programme = programme(&[("total = \"unlimited\"", &total)]);
        let mut whole: std::collections::BTreeMap<u8, Vec<(String, String)>> = std::collections::BTreeMap::new();
        let mut split = Vec::new();
        for (number, (firm, amounts, _)) in firms.iter().enumerate() {
            let exports = if firm % 2 == 0 { "1" } else { "7000000" };
            let items: Vec<(String, String)> = amounts.iter().enumerate()
                .map(|(index, fen)| (format!("I{number}-{index}"), format!("{}.{:02} CNY", fen / 100, fen % 100)))
                .collect();
            let texts: Vec<(&str, &str)> = items.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            split.push(premium(&format!("A{number}"), &format!("E{firm}"), exports, &texts));
            whole.entry(*firm).or_default().extend(items);
        }
        let joined: Vec<Application> = whole.iter().map(|(firm, items)| {
            let exports = if firm % 2 == 0 { "1" } else { "7000000" };
            let texts: Vec<(&str, &str)> = items.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            premium(&format!("W{firm}"), &format!("E{firm}"), exports, &texts)
        }).collect();
        let done = run(&programme, &split);
        split.reverse();
        prop_assert_eq!(&run(&programme, &split), &done);
        let once = run(&programme, &joined);
        let paid = |done: &Assessment| done.awards.iter().map(|award| (award.enterprise.clone(), award.paid)).collect::<Vec<_>>();
        prop_assert_eq!(paid(&once), paid(&done));
        let eligible: i64 = done.awards.iter().map(|award| award.eligible.minor()).sum();
        let all: i64 = done.awards.iter().map(|award| award.paid.minor()).sum();
        prop_assert_eq!(all, eligible.min(i64::from(budget)));
        prop_assert_eq!(done.budget.unspent.map(|unspent| unspent.minor()), Some(i64::from(budget) - all));
        for award in &done.awards {
            prop_assert!(award.paid.minor() <= award.eligible.minor() && award.eligible.minor() <= 500_000);
            prop_assert!(award.eligible.minor() == 0 || award.eligible.minor() > 1_000);
            for other in &done.awards {
                if award.eligible == other.eligible {
                    prop_assert!((award.paid.minor() - other.paid.minor()).abs() <= 1);
                }
            }
        }
    }
}
