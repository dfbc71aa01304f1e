//! The story of one record: what came of it on each edge, and why.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quanfu_money::Currency;
use quanfu_settlement::balance::{OutstandingItem, OutstandingKind};
use quanfu_settlement::result::{Member, OpenPosition};
use quanfu_settlement::{RecordId, ResultDoc};
use quanfu_trail::Lang;
use serde::Serialize;

use crate::bridge::{self, GroupBridge};
use crate::exchange::ExchangeSteps;
use crate::outcomes::OutcomeRow;
use crate::text::{amount, grouped, inert, paint, pretty};
use crate::{Look, labels};

/// A record's line as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RawLine {
    /// The file.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// The text, decoded.
    pub text: String,
}

/// A record that is outstanding in a balance reconciliation (余额调节表).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutstandingIn<'a> {
    /// The edge.
    pub edge: &'a str,
    /// The currency.
    pub currency: Currency,
    /// Who has it, and which way the money went.
    pub kind: OutstandingKind,
    /// The record.
    #[serde(flatten)]
    pub item: &'a OutstandingItem,
}

/// The balance reconciliations in which the record asked for is outstanding.
#[must_use]
pub fn outstanding<'a>(doc: &'a ResultDoc, asked: &str) -> Vec<OutstandingIn<'a>> {
    let members = positions(doc, asked)
        .into_iter()
        .flat_map(|position| &position.members);
    let records: BTreeSet<RecordId> = members
        .filter(|member| is_asked(member, asked))
        .map(|member| member.item.record)
        .collect();
    let asked_of =
        |record: &RecordId| records.contains(record) || names(&record.to_string(), asked);
    let mut found = Vec::new();
    for balance in &doc.balances {
        for list in &balance.outstanding {
            let items = list.items.iter().filter(|item| asked_of(&item.record));
            found.extend(items.map(|item| OutstandingIn {
                edge: &balance.edge,
                currency: balance.currency,
                kind: list.kind,
                item,
            }));
        }
    }
    found
}

/// What is known of a record.
#[derive(Clone, Debug, Default)]
pub struct Story<'a> {
    /// Open positions that it is a member of, or that have the name asked for.
    pub positions: Vec<&'a OpenPosition>,
    /// Balance reconciliations in which it is outstanding, also from an earlier day.
    pub outstanding: Vec<OutstandingIn<'a>>,
    /// Lines of the outcomes table: its own, and those of its groups.
    pub rows: Vec<OutcomeRow>,
    /// From left to right, for groups that have more than a pair of equal rows.
    pub bridges: Vec<GroupBridge>,
    /// How the exchange of a position was computed.
    pub exchanges: Vec<ExchangeSteps>,
    /// How many further lines its groups have.
    pub more: u64,
    /// Lines in the input files.
    pub raw: Vec<RawLine>,
}

/// Whether a member is the record asked for: by its name, the beginning of it (at least four characters), or one of
/// its references.
#[must_use]
pub fn is_asked(member: &Member, asked: &str) -> bool {
    let record = member.item.record.to_string();
    names(&record, asked) || member.item.references.values().any(|text| text == asked)
}

/// Whether a record's name is the text asked for, or begins with it.
#[must_use]
pub fn names(record: &str, asked: &str) -> bool {
    record == asked || (asked.len() >= 4 && record.starts_with(asked))
}

/// The open positions of a result that speak of the record asked for.
#[must_use]
pub fn positions<'a>(doc: &'a ResultDoc, asked: &str) -> Vec<&'a OpenPosition> {
    let lists = [&doc.breaks, &doc.ambiguous, &doc.suggested, &doc.carried];
    let all = lists.into_iter().flatten();
    all.filter(|position| {
        names(&position.fingerprint, asked)
            || position
                .members
                .iter()
                .any(|member| is_asked(member, asked))
    })
    .collect()
}

/// The story for a terminal. Raw lines are shown only unmasked: they hold names and account numbers.
#[must_use]
pub fn table(story: &Story<'_>, look: &Look) -> String {
    let say = |zh: &'static str, en: &'static str| match look.lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    let mut out = String::new();
    for position in &story.positions {
        let class = position
            .code
            .map_or(position.outcome.code(), |code| code.code());
        let outcome = position.outcome;
        let label = labels::label(class, look.lang);
        let _ = writeln!(
            out,
            "{outcome} {}  {} {}  {} {}",
            paint(look, "1", class),
            say("边", "edge"),
            inert(&position.edge),
            say("指纹", "fingerprint"),
            position.fingerprint
        );
        if let Some(label) = label {
            let _ = writeln!(out, "  {}", label.long);
        }
        if let Some(since) = position.since {
            let _ = write!(out, "  {} {since}", say("自", "since"));
            if let Some(age) = position.age_business_days {
                let _ = write!(out, ", {age} {}", say("个工作日", "business days old"));
            }
            if let Some(due) = position.due {
                let _ = write!(out, ", {} {due}", say("到期", "due"));
            } else if position.due_not_determinable {
                let _ = write!(
                    out,
                    ", {}",
                    say("到期日无法确定", "due day not determinable")
                );
            }
            out.push('\n');
        }
        if let Some(rule) = &position.rule {
            let _ = writeln!(out, "  {} {}", say("规则", "rule"), inert(rule));
        }
        for member in &position.members {
            let item = &member.item;
            let _ = writeln!(
                out,
                "  {} {}:{} {}  {} {}  {}  {} {}",
                inert(&item.source),
                inert(&item.file),
                item.line,
                item.record,
                amount(&item.amount),
                item.currency,
                item.accounting_day
                    .map_or("-".to_owned(), |day| day.to_string()),
                item.kind,
                item.status
            );
            for (role, text) in &item.references {
                let _ = writeln!(out, "      {role} {}", inert(text));
            }
            if let Some(state) = member.presence {
                let short = labels::short(state.code(), look.lang);
                let _ = writeln!(out, "      {} {state} {short}", say("持有", "presence"));
            }
        }
        if let Some(difference) = &position.difference {
            let _ = writeln!(
                out,
                "  {} {}",
                say("差额", "difference"),
                amount(difference)
            );
        }
        for cause in &position.causes {
            let note = cause.note.as_deref().unwrap_or("");
            let _ = writeln!(
                out,
                "    {} {} {} {}",
                inert(&cause.cause),
                amount(&cause.amount),
                cause.currency,
                inert(note)
            );
        }
        let exchange = story.exchanges.iter();
        for steps in exchange.filter(|steps| steps.fingerprint == position.fingerprint) {
            for line in steps.trail.render(look.lang).lines() {
                let _ = writeln!(out, "    {}", inert(line));
            }
        }
        if let Some(nearest) = &position.nearest {
            match &nearest.item {
                Some(item) => {
                    let _ = writeln!(
                        out,
                        "  {} {} {}:{} {}  {} {}",
                        say("最近的候选", "nearest candidate"),
                        inert(&item.source),
                        inert(&item.file),
                        item.line,
                        item.record,
                        amount(&item.amount),
                        item.currency
                    );
                }
                None => {
                    let _ = writeln!(
                        out,
                        "  {}",
                        say("对侧没有相近的行", "no row of the other side comes near")
                    );
                }
            }
            if let Some(failed) = &nearest.failed {
                let _ = writeln!(
                    out,
                    "  {} {}: {} | {}",
                    say("首个不成立的条件", "first predicate that failed"),
                    inert(&failed.predicate),
                    inert(&failed.left),
                    inert(&failed.right)
                );
            }
        }
        if let Some(label) = label
            && !label.advice.is_empty()
        {
            let _ = writeln!(out, "  > {}", label.advice);
        }
        out.push('\n');
    }
    for found in &story.outstanding {
        let _ = writeln!(
            out,
            "{} {}  {} {} {}  {} {}  {}",
            say("未达账项", "outstanding"),
            inert(found.edge),
            found.kind,
            labels::short(found.kind.code(), look.lang),
            found.item.record,
            amount(&found.item.amount),
            found.currency,
            found.item.day.map_or("-".to_owned(), |day| day.to_string()),
        );
    }
    for row in &story.rows {
        let short = labels::short(&row.outcome, look.lang);
        let _ = writeln!(
            out,
            "{} {} {}:{} {}  {} {}  {short} {}",
            inert(&row.edge),
            inert(&row.source),
            inert(&row.file),
            row.line,
            row.record,
            amount(&row.amount),
            row.currency,
            row.code
        );
        if !row.rule.is_empty() {
            let pass = labels::label(&row.pass, look.lang).map_or("", |label| label.long);
            let _ = writeln!(
                out,
                "    {} {} ({}): {pass}",
                say("规则", "rule"),
                inert(&row.rule),
                row.pass
            );
        }
        if !row.cause.is_empty() {
            let _ = writeln!(
                out,
                "    {} {}: {}",
                say("差额", "difference"),
                amount(&row.group_difference),
                inert(&row.cause)
            );
        }
        if !row.note.is_empty() {
            let _ = writeln!(out, "    {}", inert(&row.note));
        }
    }
    if story.more > 0 {
        let more = grouped(story.more);
        let _ = writeln!(
            out,
            "… {more} {}",
            say("行属于同组", "more rows of these groups")
        );
    }
    for found in &story.bridges {
        bridge::table(found, look, &mut out);
    }
    for raw in &story.raw {
        let text = if look.unmask {
            inert(&raw.text)
        } else {
            say(
                "（原文含个人信息，用 --unmask 显示）",
                "(the raw line may hold personal data: --unmask shows it)",
            )
            .to_owned()
        };
        let _ = writeln!(out, "{}:{} | {text}", inert(&raw.file), raw.line);
    }
    out
}

/// The story as one JSON document, complete.
#[must_use]
pub fn json(story: &Story<'_>) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        positions: &'a [&'a OpenPosition],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        outstanding: &'a [OutstandingIn<'a>],
        rows: &'a [OutcomeRow],
        more_rows: u64,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        bridges: &'a [GroupBridge],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        exchanges: &'a [ExchangeSteps],
        raw: &'a [RawLine],
    }
    let doc = Doc {
        schema: "quanfu.why/1",
        positions: &story.positions,
        outstanding: &story.outstanding,
        rows: &story.rows,
        more_rows: story.more,
        bridges: &story.bridges,
        exchanges: &story.exchanges,
        raw: &story.raw,
    };
    pretty(&doc)
}
