//! From the rows of one side of a group to those of the other: gross, refunds, each cause, and what nobody explains.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use quanfu_money::lexer::parse_minor;
use quanfu_money::{AmountStyle, Currency, MoneySum};
use quanfu_settlement::result::OpenPosition;
use quanfu_settlement::{Cause, ResultDoc, Side};
use serde::Serialize;

use crate::Look;
use crate::outcomes::OutcomeRow;
use crate::text::say;
use crate::text::{amount, grouped, inert, left, right};

/// One line of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BridgeStep {
    /// `gross` (rows above zero), `refunds` (rows below), a cause, `deducted` (what the rule compares without: the
    /// rows' own fees where it takes net figures), or `unexplained`, which is always the last.
    pub step: String,
    /// How many rows; none for a cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Its sum, signed.
    pub sum: String,
}

/// A group from left to right in one currency; the sums of the steps add up to `right`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupBridge {
    /// The edge.
    pub edge: String,
    /// The group's name.
    pub group: String,
    /// The currency of all rows.
    pub currency: Currency,
    /// The source on the left.
    pub left: String,
    /// From left to right.
    pub steps: Vec<BridgeStep>,
    /// The source on the right.
    pub right: String,
    /// How many rows it has there.
    pub right_rows: u64,
    /// Their sum.
    pub sum: String,
}

/// Rows of a group: side, signed amount, currency.
type Row<'t> = (Side, &'t str, &'t str);

/// The bridge of an open position that has rows of both sides in one currency, more than one on a side.
#[must_use]
pub fn of_position(doc: &ResultDoc, position: &OpenPosition) -> Option<GroupBridge> {
    let members = position.members.iter();
    let codes: Vec<String> = members
        .clone()
        .map(|m| m.item.currency.to_string())
        .collect();
    let rows: Vec<Row<'_>> = members
        .zip(&codes)
        .map(|(member, code)| (member.side, member.item.amount.as_str(), code.as_str()))
        .collect();
    let causes = position.causes.iter();
    let causes: Vec<(&str, &str)> = causes
        .map(|c| (c.cause.as_str(), c.amount.as_str()))
        .collect();
    let difference = position.difference.as_deref()?;
    bridge(
        doc,
        &position.edge,
        &position.fingerprint,
        &rows,
        difference,
        &causes,
    )
}

/// The bridges of all groups that have rows in these lines of the table, which must hold all lines of a group.
#[must_use]
pub fn of_rows(doc: &ResultDoc, lines: &[OutcomeRow]) -> Vec<GroupBridge> {
    let mut groups: BTreeMap<(&str, &str), Vec<&OutcomeRow>> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.group.is_empty()) {
        groups
            .entry((&line.edge, &line.group))
            .or_default()
            .push(line);
    }
    let mut found = Vec::new();
    for ((edge, group), lines) in groups {
        let Some(first) = lines.first() else { continue };
        let Some(summary) = doc.edges.iter().find(|summary| summary.name == edge) else {
            continue;
        };
        let side = |line: &OutcomeRow| match line.source == summary.left {
            true => Side::Left,
            false => Side::Right,
        };
        let rows: Vec<Row<'_>> = lines
            .iter()
            .map(|line| (side(line), line.amount.as_str(), line.currency.as_str()))
            .collect();
        let causes: Vec<(&str, &str)> = first
            .cause
            .split(';')
            .filter_map(|cause| cause.split_once(':'))
            .collect();
        found.extend(bridge(
            doc,
            edge,
            group,
            &rows,
            &first.group_difference,
            &causes,
        ));
    }
    found
}

fn bridge(
    doc: &ResultDoc,
    edge: &str,
    group: &str,
    rows: &[Row<'_>],
    difference: &str,
    causes: &[(&str, &str)],
) -> Option<GroupBridge> {
    let is_exchange = causes.first().is_some_and(|cause| cause.0 == Cause::FX);
    let summary = doc
        .edges
        .iter()
        .find(|summary| summary.name == edge && !is_exchange)?;
    let currencies: BTreeSet<&str> = rows.iter().map(|(_, _, currency)| *currency).collect();
    let mut currencies = currencies.into_iter();
    let (Some(code), None) = (currencies.next(), currencies.next()) else {
        return None;
    };
    let currency = Currency::from_code(code).ok()?;
    let minor = |text: &str| {
        let parsed = parse_minor(text.as_bytes(), AmountStyle::PLAIN, currency.minor_digits());
        parsed.ok().map(|parsed| i128::from(parsed.minor))
    };
    let (mut counts, mut sums) = ([0u64; 3], [0i128; 3]);
    for (side, text, _) in rows {
        let figure = minor(text)?;
        let slot = match side {
            Side::Left if figure >= 0 => 0,
            Side::Left => 1,
            Side::Right => 2,
        };
        counts[slot] += 1;
        sums[slot] += figure;
    }
    let one_sided = counts[2] == 0 || counts[0] + counts[1] == 0;
    if one_sided || counts.iter().sum::<u64>() == 2 && causes.is_empty() {
        return None;
    }
    let text = |minor: i128| MoneySum::from_minor(minor, currency).amount_text();
    let step = |step: &str, rows: Option<u64>, minor: i128| BridgeStep {
        step: step.to_owned(),
        rows,
        sum: text(minor),
    };
    let mut steps = vec![step("gross", Some(counts[0]), sums[0])];
    if counts[1] > 0 {
        steps.push(step("refunds", Some(counts[1]), sums[1]));
    }
    // The compared figures may be less than the amounts: net of the rows' fees.
    let deducted = sums[2] - sums[0] - sums[1] - minor(difference)?;
    if deducted != 0 {
        steps.push(step("deducted", None, deducted));
    }
    let mut unexplained = 0;
    for (name, amount) in causes {
        match *name {
            "unexplained" => unexplained += minor(amount)?,
            name => steps.push(step(name, None, minor(amount)?)),
        }
    }
    steps.push(step("unexplained", None, unexplained));
    Some(GroupBridge {
        edge: edge.to_owned(),
        group: group.to_owned(),
        currency,
        left: summary.left.clone(),
        steps,
        right: summary.right.clone(),
        right_rows: counts[2],
        sum: text(sums[2]),
    })
}

/// The bridge for a terminal.
pub(crate) fn table(bridge: &GroupBridge, look: &Look, out: &mut String) {
    let mut line = |source: &str, step: &str, rows: Option<u64>, sum: &str| {
        let rows = rows.map_or(String::new(), grouped);
        let _ = writeln!(
            out,
            "    {}{}{}{}",
            left(&inert(source), 10),
            left(step, 14),
            right(&rows, 8),
            right(&amount(sum), 20)
        );
    };
    line(
        &bridge.left,
        say(look, "过桥", "bridge"),
        None,
        bridge.currency.code(),
    );
    for step in &bridge.steps {
        let word = match step.step.as_str() {
            "gross" => say(look, "收款", "gross"),
            "refunds" => say(look, "退款", "refunds"),
            "deducted" => say(look, "已扣手续费", "own fees"),
            "fee" => say(look, "手续费", "fee"),
            "to_come" => say(look, "尚未到账", "to come"),
            "unexplained" => say(look, "无解释", "unexplained"),
            cause => cause,
        };
        line("", &inert(word), step.rows, &step.sum);
    }
    line(&bridge.right, "=", Some(bridge.right_rows), &bridge.sum);
}
