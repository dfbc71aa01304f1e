//! What came of a challenge (`quanfu.challenge/1`), for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quanfu_settlement::challenge::{ClassScore, EdgeScore, WrongRow};
use quanfu_settlement::{ChallengeDoc, ChallengeGap};
use quanfu_trail::Lang;

use crate::text::{amount, grouped, inert, left, paint, percent, right, say};
use crate::{Look, labels};

/// Precision and recall of every class, what was wrongly confirmed, and what was not planted.
#[must_use]
pub fn table(doc: &ChallengeDoc, look: &Look) -> String {
    let mut out = String::new();
    let days: Vec<String> = doc.days.iter().map(ToString::to_string).collect();
    let _ = writeln!(
        out,
        "{}  {} {}  {} {}  {} {}  {} {}",
        doc.engine,
        say(look, "规则", "rules"),
        inert(&doc.rules),
        say(look, "种子", "seed"),
        doc.seed,
        grouped(doc.rows),
        say(look, "行", "rows"),
        say(look, "业务日", "business days"),
        days.join(", "),
    );
    for edge in &doc.edges {
        classes(edge, look, &mut out);
    }
    wrong_pairs(doc, look, &mut out);
    for edge in &doc.edges {
        left_out(edge, look, &mut out);
    }
    out
}

/// Widths of the columns behind the class.
const WIDTHS: [usize; 8] = [8, 7, 10, 10, 10, 7, 7, 7];

fn classes(edge: &EdgeScore, look: &Look, out: &mut String) {
    let right_pairs = edge.confirmed_pairs - edge.wrong;
    let colour = if edge.wrong == 0 { "32" } else { "31" };
    let _ = writeln!(
        out,
        "\n{} {}  {} {} {} {} ({})",
        say(look, "边", "edge"),
        inert(&edge.name),
        say(look, "确认的配对中正确", "confirmed pairs that are right"),
        grouped(right_pairs),
        say(look, "/", "of"),
        grouped(edge.confirmed_pairs),
        paint(look, colour, &percent(right_pairs, edge.confirmed_pairs)),
    );
    let words = match look.lang {
        Lang::Zh => [
            "组",
            "对",
            "确认率",
            "建议率",
            "不唯一",
            "差异",
            "未配",
            "误认",
        ],
        Lang::En => [
            "planted",
            "pairs",
            "confirmed",
            "suggested",
            "ambiguous",
            "break",
            "open",
            "wrong",
        ],
    };
    line(
        out,
        say(look, "类别", "class"),
        &words.map(str::to_owned),
        say(look, "精确率", "precision"),
        "",
    );
    for class in &edge.classes {
        score(class, look, out);
    }
}

fn line(out: &mut String, class: &str, cells: &[String; 8], precision: &str, label: &str) {
    let mut text = left(class, 17);
    for (cell, width) in cells.iter().zip(WIDTHS) {
        text.push_str(&right(cell, width));
    }
    let _ = write!(text, "{}  {label}", right(precision, 11));
    let _ = writeln!(out, "  {}", text.trim_end());
}

fn score(score: &ClassScore, look: &Look, out: &mut String) {
    let cells = [
        grouped(score.planted),
        grouped(score.pairs),
        percent(score.confirmed, score.pairs),
        percent(score.suggested, score.pairs),
        grouped(score.ambiguous),
        grouped(score.broken),
        grouped(score.open),
        grouped(score.wrong),
    ];
    let code = score.class.code();
    let precision = percent(score.confirmed, score.confirmed + score.wrong);
    line(
        out,
        code,
        &cells,
        &precision,
        labels::short(code, look.lang),
    );
}

fn wrong_pairs(doc: &ChallengeDoc, look: &Look, out: &mut String) {
    if doc.wrong == 0 {
        let sentence = say(look, "没有误认的配对。", "No pair was wrongly confirmed.");
        let _ = writeln!(out, "\n{}", paint(look, "32", sentence));
        return;
    }
    let _ = writeln!(
        out,
        "\n{} {}{}",
        paint(
            look,
            "31",
            say(look, "误认的配对", "wrongly confirmed pairs")
        ),
        grouped(doc.wrong),
        if doc.wrong > doc.wrong_pairs.len() as u64 {
            format!(
                " ({} {})",
                say(look, "其中", "of which"),
                doc.wrong_pairs.len()
            )
        } else {
            String::new()
        },
    );
    for pair in &doc.wrong_pairs {
        let _ = writeln!(
            out,
            "  {} {} {}  {} {} ({}:{})  {}",
            inert(&pair.edge),
            say(look, "规则", "rule"),
            inert(pair.rule.as_deref().unwrap_or("-")),
            say(look, "组", "group"),
            pair.group,
            pair.members[0],
            pair.members[1],
            pair.as_of,
        );
        for row in [&pair.left, &pair.right] {
            wrong_row(row, out);
        }
    }
}

fn wrong_row(row: &WrongRow, out: &mut String) {
    let day = row.day.map_or("-".to_owned(), |day| day.to_string());
    let _ = writeln!(
        out,
        "    {}{}{} {}  {day}  {}",
        left(&inert(&row.source), 10),
        left(&row.record.to_string(), 19),
        right(&amount(&row.amount), 16),
        row.currency,
        row.class,
    );
}

fn left_out(edge: &EdgeScore, look: &Look, out: &mut String) {
    let mut by_gap: BTreeMap<ChallengeGap, Vec<&str>> = BTreeMap::new();
    for left_out in &edge.left_out {
        let classes = by_gap.entry(left_out.why).or_default();
        classes.push(left_out.class.code());
    }
    if by_gap.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{} {}",
        say(look, "未投放于", "not planted on"),
        inert(&edge.name)
    );
    for (gap, classes) in by_gap {
        let why = labels::label(gap.code(), look.lang).map_or(gap.code(), |label| label.long);
        let _ = writeln!(out, "  {}\n    {why}", classes.join(", "));
    }
}
