//! A result of reconciling (`quanfu.result/1`) for people, and as one line of JSON for each open position.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use quanfu_calendar::Date;
use quanfu_money::lexer::{AmountStyle, parse_minor};
use quanfu_money::{Currency, MoneySum};
use quanfu_settlement::fees::FeeDifference;
use quanfu_settlement::result::{EdgeSummary, OpenPosition};
use quanfu_settlement::{Cause, Outcome, ResultDoc, Side};
use quanfu_trail::Lang;

use crate::text::{amount, cut, grouped, inert, left, paint, percent, right, say};
use crate::{Look, balance, labels, presence};

/// How many open positions the work list shows.
const LISTED: usize = 50;

/// The summary and the work list for a terminal, 80 columns wide but for texts at the end of a line.
#[must_use]
pub fn table(doc: &ResultDoc, look: &Look) -> String {
    let mut out = String::new();
    head(doc, look, &mut out);
    inputs(doc, look, &mut out);
    for edge in &doc.edges {
        matched(edge, look, &mut out);
    }
    for edge in &doc.edges {
        bridges(edge, look, &mut out);
    }
    presence::table(doc, look, &mut out);
    balance::table(doc, look, &mut out);
    fees(doc, look, &mut out);
    open_classes(doc, look, &mut out);
    work_list(doc, look, &mut out);
    out
}

fn head(doc: &ResultDoc, look: &Look, out: &mut String) {
    let day = if doc.as_of_given {
        say(look, "指定", "as given")
    } else {
        say(look, "文件中最晚的一天", "the latest day in the files")
    };
    let _ = writeln!(
        out,
        "{}  {} {}  {} {} ({day})",
        doc.engine,
        say(look, "规则", "rules"),
        inert(&doc.rules),
        say(look, "业务日", "business day"),
        doc.as_of,
    );
    if let Some(after) = &doc.certificate.after {
        let _ = writeln!(
            out,
            "{} {}",
            say(look, "承接", "follows the result of"),
            after.as_of
        );
    }
    if let Some(earlier) = &doc.certificate.supersedes {
        let body = earlier.body.to_string();
        let _ = writeln!(
            out,
            "{} {}",
            say(look, "替代", "supersedes the result"),
            cut(&body, 23)
        );
    }
    if let Some(decisions) = &doc.certificate.decisions {
        let _ = writeln!(
            out,
            "{} {}, {} {}",
            grouped(decisions.applied),
            say(look, "项人工决定生效", "decisions of people applied"),
            grouped(decisions.not_of_this_run),
            say(look, "项与本次无关", "not of this run"),
        );
    }
    if let Some(rates) = &doc.certificate.rates {
        let _ = writeln!(
            out,
            "{} {}, {} {}",
            say(look, "汇率表", "rates"),
            inert(&rates.file),
            grouped(rates.rates),
            say(look, "条", "in it"),
        );
    }
    out.push('\n');
}

fn inputs(doc: &ResultDoc, look: &Look, out: &mut String) {
    let mut word = say(look, "读取", "read");
    for input in &doc.certificate.inputs {
        let failed = doc.failed_proofs.iter();
        let failed = failed
            .filter(|proof| proof.source == input.source && proof.file == input.file)
            .count();
        let verdict = match (failed, input.rejected) {
            (0, 0) => say(look, "无异常", "no fault").to_owned(),
            (0, rejected) => format!(
                "{} {}",
                grouped(rejected),
                say(look, "行无法读取", "rejected")
            ),
            (failed, 0) => format!("{failed} {}", say(look, "项证明不成立", "proofs fail")),
            (failed, rejected) => format!(
                "{failed} {}, {} {}",
                say(look, "项证明不成立", "proofs fail"),
                grouped(rejected),
                say(look, "行无法读取", "rejected")
            ),
        };
        let sound = failed == 0 && input.rejected == 0;
        let _ = writeln!(
            out,
            "{}{}{}{}  {}",
            left(word, 7),
            left(&cut(&inert(&input.source), 9), 10),
            left(&cut(&inert(&input.file), 26), 28),
            right(&grouped(input.records), 12),
            paint(look, if sound { "32" } else { "31" }, &verdict),
        );
        word = "";
    }
    for source in doc.sources.iter().filter(|source| source.carried_in > 0) {
        let _ = writeln!(
            out,
            "{}{}{}{}",
            left("", 7),
            left(&inert(&source.name), 10),
            left(say(look, "上日结转", "carried in"), 28),
            right(&grouped(source.carried_in), 12),
        );
    }
    for proof in &doc.failed_proofs {
        let figure = |text: &Option<String>| inert(text.as_deref().unwrap_or("-"));
        let _ = writeln!(
            out,
            "       ! {}: {} {}: {} {}, {} {}{}",
            inert(&proof.file),
            labels::short(proof.kind.code(), look.lang),
            inert(&proof.scope),
            say(look, "应为", "expected"),
            figure(&proof.expected),
            say(look, "实为", "found"),
            figure(&proof.found),
            match &proof.difference {
                Some(difference) => format!(" ({difference})"),
                None => String::new(),
            }
        );
    }
    out.push('\n');
}

/// Rows of a source on an edge: all, and those confirmed.
fn counts(edge: &EdgeSummary, source: &str) -> (u64, u64) {
    let (mut all, mut confirmed) = (0, 0);
    for total in edge.outcomes.iter().filter(|total| total.source == source) {
        if matches!(total.outcome, Outcome::Excluded | Outcome::Rejected) {
            continue;
        }
        let rows: u64 = total.totals.iter().map(|total| total.count).sum();
        all += rows;
        if total.outcome == Outcome::Confirmed {
            confirmed += rows;
        }
    }
    (all, confirmed)
}

fn matched(edge: &EdgeSummary, look: &Look, out: &mut String) {
    let word = say(look, "匹配", "match");
    let mut line = format!("{}{}", left(word, 7), left(&inert(&edge.name), 14));
    for source in [&edge.left, &edge.right] {
        let (all, confirmed) = counts(edge, source);
        let _ = write!(
            line,
            "{}",
            left(
                &format!(
                    "{} {} {} {} ({})",
                    inert(source),
                    grouped(confirmed),
                    say(look, "/", "of"),
                    grouped(all),
                    percent(confirmed, all)
                ),
                30
            )
        );
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

fn bridges(edge: &EdgeSummary, look: &Look, out: &mut String) {
    for bridge in &edge.bridges {
        let _ = write!(
            out,
            "{}{}{} {} {}",
            left(say(look, "过桥", "bridge"), 7),
            left(&inert(&edge.name), 14),
            bridge.currency,
            inert(&edge.left),
            amount(&bridge.left)
        );
        for line in &bridge.causes {
            let _ = write!(out, "  {} {}", inert(&line.cause), amount(&line.sum));
        }
        let _ = writeln!(out, "  = {} {}", inert(&edge.right), amount(&bridge.right));
    }
}

/// Everything that is open, in the order of the document.
fn positions(doc: &ResultDoc) -> impl Iterator<Item = &OpenPosition> {
    let lists = [&doc.breaks, &doc.ambiguous, &doc.suggested, &doc.carried];
    lists.into_iter().flatten()
}

fn class_of(position: &OpenPosition) -> &'static str {
    position
        .code
        .map_or(position.outcome.code(), |code| code.code())
}

/// What is most urgent comes first.
fn urgency(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Break => 0,
        Outcome::Ambiguous => 1,
        Outcome::Suggested => 2,
        _ => 3,
    }
}

/// How much money a position is about, without a sign: what nobody explains, or what the rows of one side add up to.
pub(crate) fn at_stake(position: &OpenPosition) -> Option<MoneySum> {
    let exchange = position.causes.first();
    let exchange = exchange.filter(|cause| cause.cause == Cause::FX);
    let currency = match exchange {
        Some(cause) => cause.currency,
        None => position.members.first()?.item.currency,
    };
    let minor = |text: &str| {
        let parsed = parse_minor(text.as_bytes(), AmountStyle::PLAIN, currency.minor_digits());
        parsed.ok().map(|parsed| i128::from(parsed.minor))
    };
    let sides: BTreeSet<Side> = position.members.iter().map(|member| member.side).collect();
    let of_side = |side: Side| {
        let members = position
            .members
            .iter()
            .filter(|m| m.side == side && m.item.currency == currency);
        members
            .map(|member| minor(&member.item.amount))
            .sum::<Option<i128>>()
    };
    let missing = position
        .causes
        .iter()
        .find(|cause| ["unexplained", "to_come"].contains(&cause.cause.as_str()));
    let off = exchange.and(position.difference.as_deref());
    let sum = match (missing, sides.first()) {
        _ if off.is_some() => minor(off?)?,
        (Some(cause), _) => minor(&cause.amount)?,
        (None, Some(&side)) => of_side(side)?,
        (None, None) => return None,
    };
    Some(MoneySum::from_minor(sum.abs(), currency))
}

/// Fees of one source, currency and document.
#[derive(Default)]
struct Claim<'d> {
    items: u64,
    minor: i128,
    first: Vec<&'d FeeDifference>,
}

/// Fees that are not what the contract says: sums by source, currency and document, and the first few records.
fn fees(doc: &ResultDoc, look: &Look, out: &mut String) {
    const TOLD: usize = 3;
    let mut sums: BTreeMap<(&str, &str, &str), Claim<'_>> = BTreeMap::new();
    for found in &doc.fee_differences {
        let style = AmountStyle::PLAIN;
        let minor = parse_minor(
            found.difference.as_bytes(),
            style,
            found.currency.minor_digits(),
        );
        let key = (
            found.source.as_str(),
            found.currency.code(),
            found.document.as_str(),
        );
        let claim = sums.entry(key).or_default();
        claim.items += 1;
        claim.minor += minor.map_or(0, |parsed| i128::from(parsed.minor));
        if claim.first.len() < TOLD {
            claim.first.push(found);
        }
    }
    for ((source, currency, document), claim) in sums {
        let first = claim.first.first();
        let sum = first.map(|first| MoneySum::from_minor(claim.minor, first.currency));
        let _ = writeln!(
            out,
            "\n{}{}{} {}, {} {} {currency} ({})",
            left(say(look, "费用", "fees"), 7),
            left(&cut(&inert(source), 9), 10),
            grouped(claim.items),
            say(look, "笔手续费与合同不符", "fees are not the contract's"),
            say(look, "多收合计", "too much in all"),
            sum.map_or(String::new(), |sum| amount(&sum.amount_text())),
            inert(document),
        );
        for found in claim.first {
            let _ = writeln!(
                out,
                "       {} {}:{}  {} {currency}  {} {}  {} {}",
                found.record,
                inert(&found.file),
                found.line,
                amount(&found.amount),
                say(look, "实收", "charged"),
                amount(&found.charged),
                say(look, "应收", "due"),
                amount(&found.due),
            );
        }
    }
}

/// Positions of one class and currency.
#[derive(Default)]
struct Class {
    items: u64,
    minor: i128,
    since: Option<Date>,
}

fn open_classes(doc: &ResultDoc, look: &Look, out: &mut String) {
    let mut shown = String::new();
    for edge in &doc.edges {
        let mut classes: BTreeMap<(u8, &str, Outcome, Option<Currency>), Class> = BTreeMap::new();
        for position in positions(doc).filter(|position| position.edge == edge.name) {
            let stake = at_stake(position);
            let (outcome, currency) = (position.outcome, stake.map(MoneySum::currency));
            let key = (urgency(outcome), class_of(position), outcome, currency);
            let class = classes.entry(key).or_default();
            class.items += 1;
            class.minor += stake.map_or(0, MoneySum::minor);
            class.since = match (class.since, position.since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        for ((_, class, outcome, currency), found) in &classes {
            let sum = currency.map_or("-".to_owned(), |currency| {
                let sum = MoneySum::from_minor(found.minor, currency);
                format!("{} {currency}", amount(&sum.amount_text()))
            });
            let _ = writeln!(
                shown,
                "       {}{}{}{} {}{}  {}",
                left(&cut(&inert(&edge.name), 11), 12),
                left(outcome.code(), 10),
                left(class, 20),
                right(&grouped(found.items), 6),
                right(&sum, 15),
                right(
                    &found.since.map_or("-".to_owned(), |day| day.to_string()),
                    12
                ),
                labels::short(class, Lang::Zh),
            );
        }
    }
    out.push('\n');
    if shown.is_empty() {
        let _ = writeln!(
            out,
            "{}{}",
            left(say(look, "未决", "open"), 7),
            paint(look, "32", say(look, "无", "nothing"))
        );
    } else {
        let _ = writeln!(
            out,
            "{}{}{}{}{}{}{}",
            left(say(look, "未决", "open"), 7),
            left(say(look, "边", "edge"), 12),
            left(say(look, "去向", "outcome"), 10),
            left(say(look, "代码", "code"), 20),
            right(say(look, "项数", "items"), 6),
            right(say(look, "涉及金额", "at stake"), 16),
            right(say(look, "自", "since"), 12),
        );
        out.push_str(&shown);
    }
    if !doc.trusted {
        let words = say(
            look,
            "不可信：有证明不成立或记录无法读取",
            "not trusted: a proof of an input fails, or records were rejected",
        );
        let _ = writeln!(out, "       {}", paint(look, "31", &format!("! {words}")));
    }
}

fn work_list(doc: &ResultDoc, look: &Look, out: &mut String) {
    let lists = [&doc.breaks, &doc.ambiguous, &doc.suggested];
    let all: usize = lists.iter().map(|list| list.len()).sum();
    if all == 0 {
        return;
    }
    let mut advised: Vec<&str> = Vec::new();
    for position in lists.into_iter().flatten().take(LISTED) {
        out.push('\n');
        let class = class_of(position);
        let label = labels::label(class, look.lang);
        let mut head = format!(
            "{} {} {}",
            paint(look, "1", class),
            position.fingerprint,
            label.map_or("", |label| label.short),
        );
        if let Some(difference) = &position.difference {
            let _ = write!(
                head,
                "  {} {}",
                say(look, "差额", "difference"),
                amount(difference)
            );
        }
        for cause in &position.causes {
            let _ = write!(
                head,
                "  {} {} {}",
                inert(&cause.cause),
                amount(&cause.amount),
                cause.currency
            );
        }
        let _ = writeln!(out, "{}", head.trim_end());
        members(position, look, out);
        if let Some(nearest) = &position.nearest {
            let mut line = String::from("    ");
            match (&nearest.item, &nearest.failed) {
                (Some(item), failed) => {
                    let _ = write!(
                        line,
                        "{}{} {}:{} {} {}",
                        say(look, "最近：", "nearest: "),
                        inert(&item.source),
                        inert(&item.file),
                        item.line,
                        amount(&item.amount),
                        item.currency
                    );
                    if let Some(failed) = failed {
                        let _ = write!(
                            line,
                            "; {} {}: {} | {}",
                            inert(&failed.predicate),
                            say(look, "不同", "differs"),
                            inert(&failed.left),
                            inert(&failed.right)
                        );
                    }
                }
                (None, failed) => {
                    line.push_str(say(
                        look,
                        "对侧没有相近的行",
                        "no row of the other side comes near",
                    ));
                    let sought =
                        failed
                            .as_ref()
                            .map_or("", |failed| match failed.left.is_empty() {
                                true => &failed.right,
                                false => &failed.left,
                            });
                    if !sought.is_empty() {
                        let _ = write!(line, "{} {}", say(look, "：", ":"), inert(sought));
                    }
                }
            }
            let _ = writeln!(out, "{line}");
        }
        if let Some(label) = label
            && !label.advice.is_empty()
            && !advised.contains(&class)
        {
            advised.push(class);
            let _ = writeln!(out, "    > {}", label.advice);
        }
    }
    if all > LISTED {
        let more = grouped((all - LISTED) as u64);
        let _ = writeln!(
            out,
            "\n… {more} {}",
            say(look, "项见结果文件", "more in the result")
        );
    }
}

fn members(position: &OpenPosition, look: &Look, out: &mut String) {
    /// Of a batch, so many rows of each side.
    const OF_SIDE: usize = 4;
    for side in Side::ALL {
        let of_side = || {
            position
                .members
                .iter()
                .filter(|member| member.side == *side)
        };
        for member in of_side().take(OF_SIDE) {
            let item = &member.item;
            let reference = item.references.values().next().map_or("-", String::as_str);
            let place = format!("{}:{}", inert(&item.file), item.line);
            let day = item.accounting_day.or(item.value_date);
            let _ = writeln!(
                out,
                "    {}{}{}  {}  {}  {} {}",
                left(&cut(&inert(&item.source), 9), 10),
                left(&cut(&place, 22), 23),
                right(&format!("{} {}", amount(&item.amount), item.currency), 18),
                day.map_or_else(|| "-         ".to_owned(), |day| day.to_string()),
                inert(&cut(reference, 30)),
                item.kind,
                item.status,
            );
        }
        let all = of_side().count();
        if all > OF_SIDE {
            let more = grouped(all - OF_SIDE);
            let _ = writeln!(out, "    … {more} {}", say(look, "行", "more rows"));
        }
    }
}

/// One line of JSON for each open position, in the order breaks, ambiguous, suggested, carried; complete.
#[must_use]
pub fn jsonl(doc: &ResultDoc) -> String {
    let mut out = String::new();
    for position in positions(doc) {
        let line = serde_json::to_string(position);
        out.push_str(&line.expect("a position holds no map with keys other than text"));
        out.push('\n');
    }
    out
}
