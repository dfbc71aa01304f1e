//! What a support programme means, in words of a person.

use std::fmt::Write as _;

use quanfu_credit::Condition;
use quanfu_credit::programme::{Base, Cap, CapPer, Line, Method, Programme};
use quanfu_money::Decimal;
use quanfu_trail::Lang;

use crate::Look;
use crate::text::{amount, inert};

/// The programme's rules, each with the clause that it stands in.
#[must_use]
pub fn meaning(programme: &Programme, look: &Look) -> String {
    let say = |zh: &'static str, en: &'static str| match look.lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    let source = |reference: &str| {
        format!(
            " [{}; {}]",
            inert(&programme.source(reference)),
            programme.certainty(reference).name()
        )
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {} {} ({})",
        inert(&programme.title),
        inert(&programme.id),
        inert(&programme.year),
        programme.status.name()
    );
    for unseen in &programme.unseen {
        let _ = writeln!(out, "  {} {}", say("未见:", "not seen:"), inert(unseen));
    }
    let window = &programme.window;
    if window.from.is_some() || window.to.is_some() {
        let end = |day: Option<quanfu_calendar::Date>| {
            day.map_or("…".to_owned(), |day| day.to_string())
        };
        let _ = writeln!(
            out,
            "{} {} {} – {}{}",
            say("支持期", "window"),
            window.test.name(),
            end(window.from),
            end(window.to),
            source(&window.reference)
        );
    }
    for gate in &programme.gates {
        let _ = writeln!(
            out,
            "{} {}{}",
            say("条件", "only if"),
            inert(&gate.condition.to_string()),
            source(&gate.reference)
        );
    }
    if !programme.documents.is_empty() {
        let _ = writeln!(
            out,
            "{} {}",
            say("材料", "documents"),
            inert(&programme.documents.join(", "))
        );
    }
    for class in &programme.classes {
        let join = |conditions: &[Condition], word: &str| {
            let texts: Vec<String> = conditions.iter().map(ToString::to_string).collect();
            texts.join(word)
        };
        let mut when = join(&class.when, say(" 且 ", " and "));
        if !class.any.is_empty() {
            let any = join(&class.any, say(" 或 ", " or "));
            when = if when.is_empty() {
                any
            } else {
                format!("{when}; {any}")
            };
        }
        if class.otherwise {
            when = say("其余企业", "all others").to_owned();
        }
        let none = if class.eligible {
            ""
        } else {
            say(",不支持", ", nothing")
        };
        let _ = writeln!(
            out,
            "{} {}: {}{none}{}",
            say("类别", "class"),
            inert(&class.id),
            inert(&when),
            source(&class.reference)
        );
    }
    for line in &programme.lines {
        describe_line(line, look, &source, &mut out);
    }
    for group in &programme.cap_groups {
        let _ = writeln!(
            out,
            "{} {}: {}",
            say("合计", "together"),
            inert(&group.lines.join(" + ")),
            cap_text(&group.cap, look, &source)
        );
    }
    if let Some(reference) = &programme.stacking.reference {
        let stacking = &programme.stacking;
        let mut parts = Vec::new();
        if let Some(ceiling) = stacking.joint_ceiling {
            parts.push(format!(
                "{} {}",
                say("各级合计不超过成本的", "all support together at most"),
                percent(ceiling)
            ));
        }
        if stacking.requires_prior {
            parts.push(say("须先获上级支持", "only what has other support already").to_owned());
        }
        if !stacking.excludes.is_empty() {
            parts.push(format!(
                "{} {}",
                say("不与下列同享:", "not beside"),
                inert(&stacking.excludes.join(", "))
            ));
        }
        let _ = writeln!(
            out,
            "{} {}{}",
            say("叠加", "stacking"),
            parts.join("; "),
            source(reference)
        );
    }
    let order: Vec<&str> = programme
        .rounding
        .order
        .iter()
        .map(|op| op.name())
        .collect();
    let unit = if programme.rounding.decimals == 0 {
        say("元", "yuan")
    } else {
        say("分", "fen")
    };
    let _ = writeln!(
        out,
        "{} {unit}, {}: {}{}",
        say("舍入", "rounding"),
        programme.rounding.mode.name(),
        order.join(" > "),
        source(&programme.rounding.reference)
    );
    let total = programme
        .budget
        .total
        .map_or(say("不限", "unlimited").to_owned(), |total| {
            amount(&total.amount_text())
        });
    let _ = writeln!(
        out,
        "{} {total}, {}{}",
        say("预算", "budget"),
        programme.budget.method.name(),
        source(&programme.budget.reference)
    );
    for of in &programme.budget.classes {
        let _ = writeln!(
            out,
            "  {} {}{}",
            inert(&of.class),
            amount(&of.total.amount_text()),
            source(&of.reference)
        );
    }
    if let Some(notice) = &programme.notice {
        let unit = match &notice.calendar {
            Some(name) => format!("{} {}", say("工作日", "working days of"), inert(name)),
            None => say("日", "days").to_owned(),
        };
        let first = if notice.counts_opening_day {
            say("自公示当日起", "from the day on which it opens")
        } else {
            say("自公示次日起", "from the day after it opens")
        };
        let _ = writeln!(
            out,
            "{} {} {unit}, {first}{}",
            say("公示", "public notice"),
            notice.days,
            source(&notice.reference)
        );
    }
    out
}

fn percent(share: Decimal) -> String {
    match share.checked_mul(Decimal::ONE_HUNDRED) {
        Some(percent) => format!("{} %", percent.normalize()),
        None => share.to_string(),
    }
}

fn cap_text(cap: &Cap, look: &Look, source: &dyn Fn(&str) -> String) -> String {
    let (zh, per) = match cap.per {
        CapPer::Item => ("每笔", "an item"),
        CapPer::EnterpriseYear => ("每户每年", "a firm and year"),
    };
    let amount = cap.amount.map(|cap| amount(&cap.amount_text()));
    let when: Vec<String> = cap
        .when
        .iter()
        .map(|condition| format!(" ({})", inert(&condition.to_string())))
        .collect();
    let text = match (look.lang, amount) {
        (Lang::Zh, Some(amount)) => format!("{zh}不超过 {amount} 元"),
        (Lang::Zh, None) => format!("{zh}有上限,数额未见"),
        (Lang::En, Some(amount)) => format!("at most {amount} yuan {per}"),
        (Lang::En, None) => format!("a cap {per}, whose amount was not seen"),
    };
    format!("{text}{}{}", when.concat(), source(&cap.reference))
}

fn describe_line(line: &Line, look: &Look, source: &dyn Fn(&str) -> String, out: &mut String) {
    let say = |zh: &'static str, en: &'static str| match look.lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    let base = match line.base {
        Base::PremiumPaid => say("实缴保费", "premium that was paid"),
        Base::FeePaid => say("实付费用", "fees that were paid"),
        Base::InterestPaid => say("实付利息", "interest that was paid"),
        Base::InterestAccrued => say(
            "期内应计且实付的利息",
            "interest that accrued in the window and was paid",
        ),
    };
    let layer = line
        .layer
        .as_ref()
        .map_or(String::new(), |layer| format!(" ({})", inert(layer)));
    let _ = writeln!(
        out,
        "{} {}{layer}: {base}{}",
        say("项目", "line"),
        inert(&line.id),
        source(&line.reference)
    );
    if !line.products.is_empty() {
        let _ = writeln!(
            out,
            "  {} {}",
            say("产品", "products"),
            inert(&line.products.join(", "))
        );
    }
    match &line.method {
        Method::Share => {}
        Method::Points => {
            let _ = writeln!(
                out,
                "  {}",
                say(
                    "按本金的百分点,不超过实付利息",
                    "points on the principal, never more than was paid"
                )
            );
        }
        Method::PointsCappedByReference { name, add, .. } => {
            let _ = writeln!(
                out,
                "  {} {} + {}",
                say("利率以此为限:", "interest counts up to"),
                inert(name),
                percent(*add)
            );
        }
    }
    for row in &line.rates {
        let rate = match (row.applied, row.ceiling) {
            (Some(applied), Some(ceiling)) if ceiling != applied => {
                format!(
                    "{} ({} {})",
                    percent(applied),
                    say("上限", "at most"),
                    percent(ceiling)
                )
            }
            (Some(applied), _) => percent(applied),
            (None, Some(ceiling)) => format!(
                "{} {}, {}",
                say("不超过", "at most"),
                percent(ceiling),
                say("执行比例未知", "the rate applied is not known")
            ),
            (None, None) => say("比例未知", "not known").to_owned(),
        };
        let part = |name: &str, value: &Option<String>| {
            value
                .as_ref()
                .map_or(String::new(), |value| format!(" {name} {}", inert(value)))
        };
        let mut days = String::new();
        if row.from.is_some() || row.until.is_some() {
            let end = |day: Option<quanfu_calendar::Date>| {
                day.map_or("…".to_owned(), |day| day.to_string())
            };
            days = format!(" {} – {}", end(row.from), end(row.until));
        }
        let _ = writeln!(
            out,
            "  {rate}{}{}{}{days}{}",
            part(say("类别", "class"), &row.class),
            part(say("市场", "market"), &row.market),
            part(say("产品", "product"), &row.product),
            source(&row.reference)
        );
    }
    for cap in &line.caps {
        let _ = writeln!(out, "  {}", cap_text(cap, look, source));
    }
    if let Some(floor) = &line.floor {
        let word = if floor.inclusive {
            say("不低于", "only from")
        } else {
            say("须高于", "only above")
        };
        let _ = writeln!(
            out,
            "  {word} {}{}",
            amount(&floor.amount.amount_text()),
            source(&floor.reference)
        );
    }
}
