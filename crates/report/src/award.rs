//! Awards of a support programme: for a terminal, for a page, and the lists that an office publishes and pays from.

use std::fmt::Write as _;

use quanfu_calendar::Certainty;
use quanfu_credit::budget::Shared;
use quanfu_credit::programme::{BudgetMethod, Status};
use quanfu_credit::{ASSESSMENT_SCHEMA, Assessment, Award, BorrowingBase, Reason};
use quanfu_money::Rounding;
use quanfu_settlement::table::push_text_cell;
use quanfu_trail::Trail;
use serde_json::json;

use crate::schema::{array, list, object, or_null};
use crate::text::{amount, inert, inert_lines, left, paint, right, say};
use crate::{Look, labels};

/// What a made-up or partly seen programme must say of itself wherever it is shown.
fn caveat(assessment: &Assessment, look: &Look) -> String {
    let mark = &assessment.programme;
    let mut out = String::new();
    match mark.status.as_str() {
        "illustrative" => {
            let _ = writeln!(
                out,
                "{}",
                say(
                    look,
                    "示例:比例、上限、日期均为编造,不是真实政策。",
                    "ILLUSTRATIVE: rates, caps and days are made up; this is no real policy."
                )
            );
        }
        "real-partial" => {
            let unseen: Vec<String> = mark.unseen.iter().map(|text| inert(text)).collect();
            let _ = writeln!(
                out,
                "{}{}",
                say(look, "部分依据未见原文:", "Not shown by the sources: "),
                unseen.join("; ")
            );
        }
        _ => {}
    }
    out
}

/// The awards and refusals for a terminal.
#[must_use]
pub fn table(assessment: &Assessment, look: &Look) -> String {
    let mark = &assessment.programme;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {} ({}), {}",
        inert(&mark.title),
        inert(&mark.id),
        mark.status,
        assessment.day
    );
    out.push_str(&caveat(assessment, look));
    if !assessment.awards.is_empty() {
        let width = |text: &dyn Fn(&Award) -> String| {
            let widths = assessment
                .awards
                .iter()
                .map(|award| unicode_width::UnicodeWidthStr::width(text(award).as_str()));
            widths.max().unwrap_or(0).clamp(6, 40)
        };
        let name_width = width(&|award| inert(&award.name));
        let id_width = width(&|award| inert(&award.enterprise));
        let _ = writeln!(out);
        for award in &assessment.awards {
            let _ = writeln!(
                out,
                "{}  {}  {}  {}  {}",
                left(&inert(&award.enterprise), id_width),
                left(&inert(&award.name), name_width),
                right(&amount(&award.eligible.amount_text()), 16),
                right(&amount(&award.paid.amount_text()), 16),
                award.certainty.name(),
            );
        }
    }
    let budget = &assessment.budget;
    let _ = writeln!(out);
    let _ = writeln!(
        out,
        "{} {}",
        say(look, "可支持", "eligible"),
        amount(&budget.eligible.amount_text())
    );
    let _ = writeln!(
        out,
        "{} {}",
        say(look, "核定", "paid"),
        amount(&budget.paid.amount_text())
    );
    if let (Some(total), Some(unspent)) = (budget.total, budget.unspent) {
        let _ = writeln!(
            out,
            "{} {}, {} {} ({})",
            say(look, "预算", "budget"),
            amount(&total.amount_text()),
            say(look, "结余", "unspent"),
            amount(&unspent.amount_text()),
            budget.method
        );
    }
    for of in &budget.classes {
        let _ = writeln!(
            out,
            "  {} {} {}, {} {}",
            inert(&of.class),
            say(look, "预算", "budget"),
            amount(&of.total.amount_text()),
            say(look, "结余", "unspent"),
            amount(&of.unspent.amount_text()),
        );
    }
    for row in &assessment.unread {
        let _ = writeln!(
            out,
            "{}{}",
            say(look, "未能读取:", "not read: "),
            inert(row)
        );
    }
    if !assessment.refused.is_empty() {
        let _ = writeln!(out, "\n{}", say(look, "未支持:", "refused:"));
        for refusal in &assessment.refused {
            let line = refusal
                .line
                .as_ref()
                .map_or(String::new(), |line| format!(" {line}"));
            let code = refusal.reason.code();
            let _ = write!(
                out,
                "  {} {}/{}{line}: {} {}",
                inert(&refusal.enterprise),
                inert(&refusal.application),
                inert(&refusal.item),
                paint(look, "33", code),
                labels::short(code, look.lang)
            );
            if !refusal.detail.is_empty() {
                let _ = write!(out, " ({})", inert(&refusal.detail));
            }
            if let Some(source) = &refusal.source {
                let _ = write!(out, " [{}]", inert(source));
            }
            out.push('\n');
        }
    }
    out
}

/// What each rule did; rules that never decided anything are told apart.
#[must_use]
pub fn coverage(assessment: &Assessment, look: &Look) -> String {
    let mut out = String::new();
    let (fired, idle): (Vec<_>, Vec<_>) = assessment.coverage.iter().partition(|row| row.count > 0);
    for row in fired {
        let money = if row.amount.is_zero() {
            String::new()
        } else {
            amount(&row.amount.amount_text())
        };
        let _ = writeln!(
            out,
            "{}  {}  {}  {}",
            left(&inert(&row.rule), 34),
            right(&row.count.to_string(), 8),
            right(&money, 18),
            inert(&row.source)
        );
    }
    let names: Vec<String> = idle.iter().map(|row| inert(&row.rule)).collect();
    if !names.is_empty() {
        let _ = writeln!(
            out,
            "{}: {}",
            say(look, "未起作用", "never decided anything"),
            names.join("; ")
        );
    }
    out
}

fn steps(trail: &Trail, look: &Look, markdown: bool, out: &mut String) {
    let text = inert_lines(&trail.render(look.lang));
    if markdown {
        let _ = write!(out, "```text\n{text}```\n");
    } else {
        out.push_str(&text);
    }
}

/// One award with every step, as text or Markdown.
#[must_use]
pub fn explain(assessment: &Assessment, award: &Award, look: &Look, markdown: bool) -> String {
    let (mark, mut out) = (&assessment.programme, String::new());
    let (head, sub) = if markdown {
        ("# ", "\n## ")
    } else {
        ("", "\n")
    };
    let _ = writeln!(
        out,
        "{head}{} {}",
        inert(&award.name),
        inert(&award.enterprise)
    );
    let gap = if markdown { "\n" } else { "" };
    let _ = writeln!(
        out,
        "{gap}{}  {} {} ({})",
        inert(&mark.title),
        inert(&mark.id),
        inert(&mark.year),
        mark.status
    );
    out.push_str(&caveat(assessment, look));
    let _ = writeln!(
        out,
        "{} {}",
        say(look, "政策文件", "programme"),
        mark.digest
    );
    for file in &assessment.files {
        let _ = writeln!(
            out,
            "{} {} {}",
            say(look, "依据文件", "file"),
            inert(&file.name),
            file.digest
        );
    }
    let _ = writeln!(
        out,
        "{} {}; {} {}; {} {}; {}: {}",
        say(look, "类别", "class"),
        inert(&award.class),
        say(look, "收款人", "payee"),
        inert(&award.payee),
        say(look, "申请", "applications"),
        inert(&award.applications.join(", ")),
        say(look, "确定性", "certainty"),
        award.certainty.name()
    );
    for line in &award.lines {
        let layer = line
            .layer
            .as_ref()
            .map_or(String::new(), |layer| format!(" ({})", inert(layer)));
        let _ = writeln!(out, "{sub}{}{layer}: {}", inert(&line.line), line.eligible);
        let _ = write!(out, "{gap}");
        steps(&line.trail, look, markdown, &mut out);
    }
    let _ = writeln!(
        out,
        "{sub}{}: {}{}",
        say(look, "核定", "paid"),
        award.paid,
        award
            .fraction
            .as_ref()
            .map_or(String::new(), |fraction| format!(
                " = {} x {fraction}",
                award.eligible
            ))
    );
    let _ = write!(out, "{gap}");
    if !award.trail.0.is_empty() {
        steps(&award.trail, look, markdown, &mut out);
    }
    let refused = assessment
        .refused
        .iter()
        .filter(|refusal| refusal.enterprise == award.enterprise);
    for refusal in refused {
        let _ = writeln!(
            out,
            "- {}/{}: {} ({})",
            inert(&refusal.application),
            inert(&refusal.item),
            labels::short(refusal.reason.code(), look.lang),
            inert(&refusal.detail)
        );
    }
    out
}

/// The list that an office publishes (公示表), as CSV: firms and amounts, nobody who gets nothing.
#[must_use]
pub fn notice(assessment: &Assessment) -> String {
    let mut out = String::from("序号,企业名称,项目,年度,拟支持金额(元),备注\n");
    let paid = assessment
        .awards
        .iter()
        .filter(|award| !award.paid.is_zero());
    for (index, award) in paid.enumerate() {
        let _ = write!(out, "{},", index + 1);
        push_text_cell(&mut out, &award.name);
        out.push(',');
        push_text_cell(&mut out, &assessment.programme.title);
        out.push(',');
        push_text_cell(&mut out, &assessment.programme.year);
        let _ = write!(out, ",{},", award.paid.amount_text());
        if assessment.programme.status == "illustrative" {
            push_text_cell(&mut out, "示例,非真实政策");
        }
        out.push('\n');
    }
    out
}

/// The list that is paid from, as CSV: one row for each line of an award.
#[must_use]
pub fn payments(assessment: &Assessment) -> String {
    let mut out = String::from("award,payee,enterprise,name,line,layer,amount,currency,status\n");
    for award in &assessment.awards {
        for line in award.lines.iter().filter(|line| !line.paid.is_zero()) {
            let layer = line.layer.as_deref().unwrap_or("");
            for text in [
                &award.id,
                &award.payee,
                &award.enterprise,
                &award.name,
                &line.line,
            ] {
                push_text_cell(&mut out, text);
                out.push(',');
            }
            push_text_cell(&mut out, layer);
            let _ = writeln!(
                out,
                ",{},{},{}",
                line.paid.amount_text(),
                line.paid.currency(),
                assessment.programme.status
            );
        }
    }
    out
}

/// What may be lent against a policy, with its steps.
#[must_use]
pub fn borrowing_base(base: &BorrowingBase, look: &Look) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {}, {}: {}",
        say(look, "保单", "policy"),
        inert(&base.policy),
        base.day,
        paint(look, "1", &base.amount.to_string())
    );
    let assignment = match &base.claim_assignment {
        Some(number) => inert(number),
        None => say(
            look,
            "没有(赔款不归银行)",
            "none: money from claims does not go to the bank",
        )
        .to_owned(),
    };
    let _ = writeln!(
        out,
        "{}: {assignment}",
        say(look, "赔款转让协议", "assignment of claims")
    );
    for (shipment, why) in &base.left_out {
        let _ = writeln!(
            out,
            "  {}: {} {}",
            inert(shipment),
            why.code(),
            labels::short(why.code(), look.lang)
        );
    }
    out.push_str(&inert_lines(&base.trail.render(look.lang)));
    out
}

/// A budget, or those of classes, that were shared out, as CSV.
#[must_use]
pub fn shares(shared: &[Shared]) -> String {
    let mut out = String::from("id,paid,formula,exact\n");
    for share in shared.iter().flat_map(|part| &part.shares) {
        push_text_cell(&mut out, &share.id);
        let inputs: Vec<String> = share
            .step
            .inputs
            .iter()
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let _ = write!(out, ",{},", share.paid.amount_text());
        push_text_cell(
            &mut out,
            &format!("{}: {}", share.step.formula, inputs.join("; ")),
        );
        out.push(',');
        push_text_cell(&mut out, &share.step.exact);
        out.push('\n');
    }
    out
}

/// The JSON Schema of what `credit assess` writes, `quanfu.award/1`.
#[must_use]
pub fn schema() -> String {
    let text = json!({ "type": "string" });
    let text_or_null = json!({ "type": ["string", "null"] });
    let count = json!({ "type": "integer", "minimum": 0 });
    let day = json!({ "type": "string", "format": "date" });
    let digest = json!({ "type": "string", "pattern": "^[a-z0-9]+:[0-9a-f]{64}$" });
    let certainty = list(&Certainty::ALL, Certainty::name);
    let money = object(&[
        (
            "amount",
            json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" }),
        ),
        (
            "currency",
            json!({ "type": "string", "pattern": "^[A-Z]{3}$" }),
        ),
    ]);
    let step = object(&[
        ("rule", text.clone()),
        ("source", text.clone()),
        ("certainty", certainty.clone()),
        (
            "inputs",
            array(json!({ "type": "array", "items": text, "minItems": 2, "maxItems": 2 })),
        ),
        ("formula", text.clone()),
        ("exact", text.clone()),
        ("rounded", text_or_null.clone()),
        ("rounding", or_null(rounding_schema())),
    ]);
    let paper = object(&[("paper", text.clone())]);
    let interest = object(&[
        ("loan", text.clone()),
        ("from", day.clone()),
        ("until", day.clone()),
    ]);
    let item = object(&[
        ("application", text.clone()),
        ("item", text.clone()),
        (
            "keys",
            array(json!({ "anyOf": [paper, object(&[("interest", interest)])] })),
        ),
    ]);
    let line = object(&[
        ("line", text.clone()),
        ("layer", text_or_null.clone()),
        ("items", array(item)),
        ("eligible", money.clone()),
        ("paid", money.clone()),
        ("trail", array(step.clone())),
    ]);
    let award = object(&[
        ("id", text.clone()),
        ("enterprise", text.clone()),
        ("name", text.clone()),
        ("payee", text.clone()),
        ("class", text.clone()),
        ("applications", array(text.clone())),
        ("lines", array(line)),
        ("eligible", money.clone()),
        ("paid", money.clone()),
        ("fraction", text_or_null.clone()),
        ("certainty", certainty.clone()),
        ("trail", array(step)),
    ]);
    let refusal = object(&[
        ("enterprise", text.clone()),
        ("application", text.clone()),
        ("item", text.clone()),
        ("line", text_or_null.clone()),
        ("reason", list(Reason::ALL, Reason::code)),
        ("detail", text.clone()),
        ("source", text_or_null.clone()),
    ]);
    let notice = object(&[
        ("days", count.clone()),
        ("calendar", text_or_null.clone()),
        ("counts_opening_day", json!({ "type": "boolean" })),
        ("source", text.clone()),
        ("certainty", certainty.clone()),
    ]);
    let programme = object(&[
        ("id", text.clone()),
        ("year", text.clone()),
        ("title", text.clone()),
        ("status", list(&Status::ALL, Status::name)),
        ("digest", digest.clone()),
        ("unseen", array(text.clone())),
        ("notice", or_null(notice)),
    ]);
    let class_budget = object(&[
        ("class", text.clone()),
        ("total", money.clone()),
        ("eligible", money.clone()),
        ("paid", money.clone()),
        ("unspent", money.clone()),
    ]);
    let budget = object(&[
        ("total", or_null(money.clone())),
        ("method", json!({ "enum": BudgetMethod::NAMES })),
        ("eligible", money.clone()),
        ("paid", money.clone()),
        ("unspent", or_null(money.clone())),
        ("classes", array(class_budget)),
    ]);
    let rule = object(&[
        ("rule", text.clone()),
        ("source", text.clone()),
        ("count", count),
        ("amount", money),
    ]);
    let mut document = object(&[
        ("schema", json!({ "const": ASSESSMENT_SCHEMA })),
        ("programme", programme),
        ("day", day),
        (
            "files",
            array(object(&[("name", text.clone()), ("digest", digest)])),
        ),
        ("budget", budget),
        ("awards", array(award)),
        ("refused", array(refusal)),
        ("unread", array(text)),
        ("coverage", array(rule)),
    ]);
    document["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    document["title"] = json!(ASSESSMENT_SCHEMA);
    format!("{document:#}\n")
}

/// The names of roundings, and how a unit that is left over is given.
fn rounding_schema() -> serde_json::Value {
    let names = Rounding::ALL.iter().map(|rounding| rounding.name());
    let names: Vec<&str> = names.chain(["largest_remainder"]).collect();
    json!({ "enum": names })
}

#[cfg(test)]
mod tests {
    use quanfu_calendar::BusinessCalendar;
    use quanfu_credit::{Context, Programme, ReferenceRates, application, assess, shipped};
    use quanfu_fx::{RateReading, RateTable};

    use super::*;
    use crate::schema::fits;

    #[test]
    fn what_is_written_fits_its_schema_and_nothing_else_does() {
        let text = shipped("jinan-illustrative").expect("shipped");
        let text = text.replace("total = \"1500000.00\"", "total = \"500000.01\"");
        let claims = include_str!("../../credit/testdata/claims.csv");
        let mut applications = application::from_csv(claims).expect("a table").applications;
        let loan = include_str!("../../credit/testdata/loan.toml");
        applications.push(application::from_toml(loan).expect("an application"));
        let rates = RateReading::csv(include_bytes!("../../credit/testdata/parity.csv"));
        let rates = RateTable::new(rates.expect("rates").rates).expect("a table");
        let context = Context {
            day: "2025-04-01".parse().expect("a day"),
            rates: &rates,
            reference: &ReferenceRates::shipped(),
            calendar: &BusinessCalendar::china(),
            earlier: &[],
            policies: &[],
            files: &[],
            unread: &["a row".to_owned()],
            receipts: None,
        };
        let programme = Programme::parse(&text).expect("a programme");
        let done = assess(&programme, &applications, &context).expect("amounts are small");
        let schema: serde_json::Value = serde_json::from_str(&schema()).expect("JSON");
        let written: serde_json::Value = serde_json::from_str(&done.to_json()).expect("JSON");
        assert_eq!(fits(&written, &schema, "document"), Ok(()));
        for (place, change) in [
            ("/schema", json!("quanfu.award/2")),
            ("/budget/method", json!("by_lot")),
            ("/awards/0/lines/0/trail/0/certainty", json!("sure")),
            ("/awards/0/lines/0/items/0/keys/0", json!({ "paper": 1 })),
            ("/refused/0/reason", json!("WHIM")),
            ("/day", json!(null)),
        ] {
            let mut changed = written.clone();
            *changed.pointer_mut(place).expect(place) = change;
            assert!(fits(&changed, &schema, "document").is_err(), "{place}");
        }
    }
}
