//! A difference for a terminal, as JSON, and as CSV.

use std::fmt::Write as _;

use quanfu_settlement::table::push_text_cell;

use super::{
    Difference, EdgeDifference, GroupClass, InputClass, Kinship, Pair, PositionClass, SourceSum,
    Standing,
};
use crate::Look;
use crate::text::{amount, cut, grouped, inert, left, paint, pretty, right, say};

/// How many lines each list of an edge shows.
const LISTED: usize = 20;

/// The difference for a terminal: what the runs were given, then sums and the first of each list, edge by edge.
#[must_use]
pub fn table(difference: &Difference, look: &Look) -> String {
    let mut out = String::new();
    head(difference, look, &mut out);
    for edge in &difference.edges {
        of_edge(edge, look, &mut out);
    }
    out.push('\n');
    let verdict = if difference.is_empty() {
        paint(look, "32", say(look, "没有变化", "nothing changed"))
    } else if difference.edges.iter().all(EdgeDifference::is_empty) {
        let trust = difference.runs.old.trusted != difference.runs.new.trusted;
        let words = if trust {
            say(
                look,
                "去向没有变化，输入的可信状况有变",
                "no outcome changed, but whether the inputs can be trusted did",
            )
        } else {
            say(
                look,
                "有变化，需两份明细表才能指出在哪里",
                "something changed; both outcomes tables would tell where",
            )
        };
        paint(look, "33", words)
    } else {
        paint(look, "33", say(look, "有变化", "something changed"))
    };
    let _ = writeln!(out, "{verdict}");
    out
}

fn head(difference: &Difference, look: &Look, out: &mut String) {
    for (word, run) in [
        (say(look, "旧", "old"), &difference.runs.old),
        (say(look, "新", "new"), &difference.runs.new),
    ] {
        let trust = if run.trusted {
            String::new()
        } else {
            format!("  {}", say(look, "不可信", "not trusted"))
        };
        let _ = writeln!(
            out,
            "{}{}  {}  {}{}",
            left(word, 7),
            run.as_of,
            cut(&run.body.to_string(), 23),
            inert(&run.rules),
            paint(look, "31", &trust),
        );
    }
    let kinship = match difference.kinship {
        Kinship::Same => say(look, "同一份结果", "one and the same result"),
        Kinship::Follows => say(look, "新承接旧", "the new one follows the old one"),
        Kinship::Precedes => say(look, "旧承接新", "the old one follows the new one"),
        Kinship::Supersedes => say(look, "新替代旧", "the new one replaces the old one"),
        Kinship::SupersededBy => say(look, "旧替代新", "the old one replaces the new one"),
        Kinship::None => say(look, "互不指名", "neither names the other"),
    };
    let _ = writeln!(out, "{}{kinship}", left("", 7));
    let other: Vec<&str> = difference
        .other_basis()
        .map(|what| basis(what, look))
        .collect();
    let same: Vec<&str> = difference
        .basis
        .iter()
        .filter(|basis| basis.same)
        .map(|of| basis(of.what, look))
        .collect();
    for (word, list) in [
        (say(look, "不同", "other"), other),
        (say(look, "相同", "same"), same),
    ] {
        let list = if list.is_empty() {
            "-".to_owned()
        } else {
            list.join(say(look, "、", ", "))
        };
        let _ = writeln!(out, "{}{list}", left(word, 7));
    }
    for input in &difference.inputs {
        let class = match input.class {
            InputClass::OldOnly => say(look, "仅旧有", "only old"),
            InputClass::NewOnly => say(look, "仅新有", "only new"),
            InputClass::OtherBytes => say(look, "重新交付", "delivered again"),
        };
        let _ = writeln!(
            out,
            "{}{}{}{}",
            left("", 7),
            left(class, 17),
            left(&cut(&inert(&input.source), 11), 12),
            inert(&input.file),
        );
    }
    if !difference.tables {
        let words = say(
            look,
            "缺少明细表：只比较合计与未决项，已确认的组无法比较",
            "without both outcomes tables: only sums and open positions, no confirmed groups",
        );
        let _ = writeln!(out, "{}{}", left("!", 7), paint(look, "33", words));
    }
}

fn basis<'t>(what: &'t str, look: &Look) -> &'t str {
    match what {
        "engine" => say(look, "程序版本", "engine"),
        "day" => say(look, "业务日", "business day"),
        "rules" => say(look, "规则", "rules"),
        "profiles" => say(look, "自带格式", "profiles"),
        "calendar" => say(look, "日历", "calendar"),
        "inputs" => say(look, "输入文件", "inputs"),
        "predecessor" => say(look, "上日结果", "predecessor"),
        "decisions" => say(look, "人工决定", "decisions"),
        "rates" => say(look, "汇率表", "rates"),
        other => other,
    }
}

fn group_class<'t>(class: GroupClass, look: &Look) -> &'t str {
    match class {
        GroupClass::Lost => say(look, "不再确认", "lost"),
        GroupClass::New => say(look, "新确认", "new"),
        GroupClass::Explained => say(look, "依据改变", "other grounds"),
        GroupClass::Arrived => say(look, "随新文件确认", "arrived"),
        GroupClass::Gone => say(look, "不在新结果内", "not in new"),
    }
}

fn position_class<'t>(class: PositionClass, look: &Look) -> &'t str {
    match class {
        PositionClass::Opened => say(look, "新开", "opened"),
        PositionClass::Changed => say(look, "变化", "changed"),
        PositionClass::Aged => say(look, "变老", "aged"),
        PositionClass::Closed => say(look, "关闭", "closed"),
        PositionClass::Arrived => say(look, "随新文件出现", "arrived"),
        PositionClass::Gone => say(look, "不在新结果内", "not in new"),
    }
}

/// Names of classes in data, as JSON has them too.
fn class_word(class: &impl serde::Serialize) -> String {
    match serde_json::to_value(class) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn place(outcome: &str, code: &str) -> String {
    if code.is_empty() {
        outcome.to_owned()
    } else {
        format!("{outcome} {code}")
    }
}

fn money(rows: &SourceSum) -> String {
    format!(
        "{}{} {}",
        left(&cut(&inert(&rows.source), 11), 12),
        right(&grouped(rows.rows.count), 7),
        right(&format!("{} {}", amount(&rows.rows.sum), rows.currency), 20),
    )
}

fn of_edge(edge: &EdgeDifference, look: &Look, out: &mut String) {
    out.push('\n');
    let there = match edge.is_there {
        Pair {
            old: true,
            new: false,
        } => say(look, "  仅旧规则有", "  only the old rules have it"),
        Pair {
            old: false,
            new: true,
        } => say(look, "  仅新规则有", "  only the new rules have it"),
        _ => "",
    };
    let nothing = if edge.is_empty() {
        say(look, "  没有变化", "  nothing changed")
    } else {
        ""
    };
    let name = paint(look, "1", &inert(&edge.edge));
    let _ = writeln!(out, "{name}{there}{nothing}");
    let mut word = say(look, "合计", "totals");
    for total in &edge.totals {
        let _ = writeln!(
            out,
            "  {}{}{}{} -> {} {}",
            left(word, 8),
            left(
                &place(total.outcome.code(), total.code.as_deref().unwrap_or("")),
                30
            ),
            left(&cut(&inert(&total.source), 11), 12),
            grouped(total.rows.old.count),
            grouped(total.rows.new.count),
            format_args!("  {} {}", signed(&total.change), total.currency),
        );
        word = "";
    }
    word = say(look, "确认", "groups");
    for sum in &edge.group_sums {
        let _ = writeln!(
            out,
            "  {}{}{}{}",
            left(word, 8),
            left(group_class(sum.class, look), 14),
            left(
                &format!(
                    "{} {}",
                    right(&grouped(sum.groups), 8),
                    say(look, "组", "groups")
                ),
                16
            ),
            money(&sum.rows),
        );
        word = "";
    }
    word = say(look, "移动", "moved");
    for sum in &edge.moved_sums {
        let from = place(sum.outcome.old.code(), &sum.code.old);
        let to = place(sum.outcome.new.code(), &sum.code.new);
        let _ = writeln!(out, "  {}{from} -> {to}", left(word, 8));
        let _ = writeln!(out, "  {}{}", left("", 38), money(&sum.rows));
        word = "";
    }
    word = say(look, "未决", "open");
    for sum in &edge.position_sums {
        let open_now = !matches!(sum.class, PositionClass::Closed | PositionClass::Gone);
        let stake = if open_now {
            &sum.at_stake.new
        } else {
            &sum.at_stake.old
        };
        let stake = match sum.currency {
            Some(currency) => format!("{} {currency}", amount(stake)),
            None => "-".to_owned(),
        };
        let _ = writeln!(
            out,
            "  {}{}{}{} {}",
            left(word, 8),
            left(position_class(sum.class, look), 30),
            left(say(look, "涉及", "at stake"), 12),
            right(&grouped(sum.positions), 7),
            right(&stake, 20),
        );
        word = "";
    }
    lists(edge, look, out);
}

/// An amount with its sign, also for what grew.
fn signed(text: &str) -> String {
    if text.starts_with('-') {
        amount(text)
    } else {
        format!("+{}", amount(text))
    }
}

/// What a person looks at first: lost groups, then positions that opened, changed or closed.
fn lists(edge: &EdgeDifference, look: &Look, out: &mut String) {
    let lost = edge
        .groups
        .iter()
        .filter(|group| group.class == GroupClass::Lost);
    for (index, group) in lost.clone().enumerate() {
        if index == LISTED {
            more(lost.count() - LISTED, look, out);
            break;
        }
        let _ = write!(
            out,
            "    {} {}",
            paint(look, "31", group_class(group.class, look)),
            group.group
        );
        for rows in &group.rows {
            let _ = write!(
                out,
                "  {} {} {}",
                inert(&rows.source),
                amount(&rows.rows.sum),
                rows.currency
            );
        }
        out.push('\n');
    }
    for class in [
        PositionClass::Opened,
        PositionClass::Changed,
        PositionClass::Closed,
        PositionClass::Arrived,
    ] {
        let of_class = edge
            .positions
            .iter()
            .filter(|position| position.class == class);
        for (index, position) in of_class.clone().enumerate() {
            if index == LISTED {
                more(of_class.count() - LISTED, look, out);
                break;
            }
            let facts = position.facts.new.as_ref().or(position.facts.old.as_ref());
            let Some(facts) = facts else { continue };
            let stake = match (&facts.amount, facts.currency) {
                (Some(sum), Some(currency)) => format!("{} {currency}", amount(sum)),
                _ => "-".to_owned(),
            };
            let line = format!(
                "    {} {} {} {}",
                position_class(class, look),
                position.fingerprint,
                stake,
                inert(&cut(facts.reference.as_deref().unwrap_or("-"), 30)),
            );
            let of = |facts: &super::PositionFacts| {
                place(facts.outcome.code(), facts.code.as_deref().unwrap_or(""))
            };
            let elsewhere: Vec<String> = position
                .elsewhere
                .iter()
                .map(|of| place(of.standing.outcome.code(), &of.standing.code))
                .collect();
            let elsewhere = elsewhere.join(", ");
            let way = match (&position.facts.old, &position.facts.new) {
                (Some(old), Some(new)) => format!("{} -> {}", of(old), of(new)),
                (Some(old), None) => format!("{} -> {elsewhere}", of(old)),
                (None, Some(new)) => format!("{elsewhere} -> {}", of(new)),
                (None, None) => String::new(),
            };
            let way = way.trim_start_matches(" -> ").trim_end_matches(" -> ");
            let _ = writeln!(out, "{line}  {way}");
        }
    }
}

fn more(count: usize, look: &Look, out: &mut String) {
    let _ = writeln!(out, "    … {} {}", grouped(count), say(look, "项", "more"));
}

/// The difference as one JSON document (`quanfu.diff/1`), complete.
#[must_use]
pub fn json(difference: &Difference) -> String {
    pretty(difference)
}

/// One line for each change, complete; `kind` is `total`, `group`, `record` or `position`. A group has a line for each
/// source and currency. Amounts of totals are new minus old.
#[must_use]
pub fn csv(difference: &Difference) -> String {
    let mut out = String::from(
        "kind,edge,class,name,source,currency,count,amount,old_outcome,old_code,old_group,new_outcome,new_code,new_group\n",
    );
    let mut line = |texts: [&str; 8], standing: [Option<&Standing>; 2]| {
        for (index, text) in texts.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if index >= 6 {
                out.push_str(text); // a number is no formula, also with its sign
            } else {
                push_text_cell(&mut out, text);
            }
        }
        for standing in standing {
            match standing {
                Some(standing) => {
                    let _ = write!(
                        out,
                        ",{},{},{}",
                        standing.outcome, standing.code, standing.group
                    );
                }
                None => out.push_str(",,,"),
            }
        }
        out.push('\n');
    };
    for edge in &difference.edges {
        for total in &edge.totals {
            let standing = Standing {
                outcome: total.outcome,
                code: total.code.clone().unwrap_or_default(),
                group: String::new(),
            };
            let count = i128::from(total.rows.new.count) - i128::from(total.rows.old.count);
            let (currency, count) = (total.currency.to_string(), count.to_string());
            let of = |rows: &super::Sum| (rows.count > 0).then_some(&standing);
            let texts = [
                "total",
                &edge.edge,
                "",
                "",
                &total.source,
                &currency,
                &count,
                &total.change,
            ];
            line(texts, [of(&total.rows.old), of(&total.rows.new)]);
        }
        for group in &edge.groups {
            let standing = Standing {
                outcome: quanfu_settlement::Outcome::Confirmed,
                code: String::new(),
                group: group.group.clone(),
            };
            let of = |facts: &Option<super::GroupFacts>| facts.as_ref().map(|_| &standing);
            for rows in &group.rows {
                let class = class_word(&group.class);
                let (currency, count) = (rows.currency.to_string(), rows.rows.count.to_string());
                let texts = [
                    "group",
                    &edge.edge,
                    &class,
                    &group.group,
                    &rows.source,
                    &currency,
                    &count,
                    &rows.rows.sum,
                ];
                line(texts, [of(&group.facts.old), of(&group.facts.new)]);
            }
        }
        for moved in &edge.moved {
            let texts = [
                "record",
                &edge.edge,
                "moved",
                &moved.record,
                &moved.source,
                &moved.currency,
                "1",
                &moved.amount,
            ];
            line(
                texts,
                [Some(&moved.standing.old), Some(&moved.standing.new)],
            );
        }
        for position in &edge.positions {
            let standing = |facts: &Option<super::PositionFacts>| {
                facts.as_ref().map(|facts| Standing {
                    outcome: facts.outcome,
                    code: facts.code.clone().unwrap_or_default(),
                    group: position.fingerprint.clone(),
                })
            };
            let (old, new) = (standing(&position.facts.old), standing(&position.facts.new));
            let facts = position.facts.new.as_ref().or(position.facts.old.as_ref());
            let currency = facts.and_then(|facts| facts.currency);
            let currency = currency.map_or(String::new(), |currency| currency.to_string());
            let count = facts.map_or(0, |facts| facts.records).to_string();
            let class = class_word(&position.class);
            let texts = [
                "position",
                &edge.edge,
                &class,
                &position.fingerprint,
                "",
                &currency,
                &count,
                facts
                    .and_then(|facts| facts.amount.as_deref())
                    .unwrap_or(""),
            ];
            line(texts, [old.as_ref(), new.as_ref()]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_has_a_sign_too() {
        for (text, want) in [
            ("1234.50", "+1,234.50"),
            ("-1.00", "-1.00"),
            ("0.00", "+0.00"),
        ] {
            assert_eq!(signed(text), want);
        }
    }

    #[test]
    fn every_class_has_words_in_both_languages() {
        let zh = Look {
            lang: quanfu_trail::Lang::Zh,
            ..Look::default()
        };
        for class in [GroupClass::Lost, GroupClass::Arrived] {
            assert_ne!(
                group_class(class, &zh),
                group_class(class, &Look::default())
            );
        }
        assert_eq!(class_word(&GroupClass::Explained), "explained");
        assert_eq!(class_word(&PositionClass::Gone), "gone");
    }
}
