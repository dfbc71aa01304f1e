//! Records of post-hoc filing: what they say, what is due and why, and the programmes behind them.
//!
//! Account numbers, names and telephones are masked in every view, unless it is asked for whole ones.

use std::fmt::Write as _;

use quanfu_calendar::{BusinessCalendar, Date};
use quanfu_codes::{ParameterError, ParameterRow, Parameters, PersonName};
use quanfu_filing::{
    Act, Channel, Content, DayUnit, Deadline, Doubt, DueItem, Filer, Filing, Matter,
    NotDeterminable, Programme, Progress, Retention, Scope, Term, Timeliness, Trigger, dues,
    retention, why_not,
};
use quanfu_settlement::Digest;
use quanfu_settlement::table::push_text_cell;
use serde::Serialize;

use crate::calendar::{StepDoc, dated, step_lines, steps, sure};
use crate::text::{inert, left, paint, pretty, right, say};
use crate::{Lang, Look};

/// A record, and how it stands on a day.
#[derive(Clone, Debug)]
pub struct View<'a> {
    filing: &'a Filing,
    programme: &'a Programme,
    name: String,
    day: Date,
    items: Vec<DueItem>,
    retention: Retention,
    doubts: Vec<Doubt>,
    missing: Vec<String>,
}

impl<'a> View<'a> {
    /// A record under its programme; `name` is that of its file.
    ///
    /// # Errors
    ///
    /// As [`retention`].
    pub fn new(
        filing: &'a Filing,
        programme: &'a Programme,
        name: &str,
        calendar: &BusinessCalendar,
        parameters: &Parameters,
        day: Date,
    ) -> Result<Self, ParameterError> {
        let is_over = filing.state().stage() == "terminated";
        let mut doubts = filing.content().doubts(day);
        doubts.retain(|doubt| !(is_over && matches!(doubt, Doubt::Passed { .. })));
        Ok(Self {
            filing,
            programme,
            name: name.to_owned(),
            day,
            items: dues(filing, programme, calendar, day),
            retention: retention(filing, programme, parameters, day)?,
            doubts,
            missing: filing.content().missing(programme),
        })
    }

    /// Whether something is to be filed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.items.iter().any(|item| item.is_open)
    }

    fn content(&self, whole: bool) -> Content {
        if whole {
            self.filing.content().clone()
        } else {
            self.filing.content().masked()
        }
    }
}

fn person(name: &PersonName, whole: bool) -> String {
    if whole {
        inert(name.reveal())
    } else {
        name.masked()
    }
}

fn stage(code: &str, look: &Look) -> &'static str {
    let (zh, en) = match code {
        "draft" => ("草稿", "draft"),
        "signed" => ("已签约", "signed"),
        "in_business" => ("已展业", "in business"),
        "filed" => ("已备案待回复", "filed"),
        "accepted" => ("已受理", "accepted"),
        "returned" => ("退回补正", "returned"),
        "changed" => ("已变更待备案", "changed"),
        "renewed" => ("已续签待备案", "renewed"),
        _ => ("已终止", "terminated"),
    };
    say(look, zh, en)
}

fn matter(matter: Matter, look: &Look) -> &'static str {
    let (zh, en) = match matter {
        Matter::First => ("首次备案", "first filing"),
        Matter::Change => ("变更备案", "change"),
        Matter::Renewal => ("续签备案", "renewal"),
        Matter::Termination => ("终止备案", "termination"),
    };
    say(look, zh, en)
}

fn progress(progress: Progress, look: &Look) -> &'static str {
    let (zh, en) = match progress {
        Progress::Open => ("未备案", "not filed"),
        Progress::Filed => ("已备案", "filed"),
        Progress::Accepted => ("已受理", "accepted"),
        Progress::Returned => ("退回补正", "returned"),
    };
    say(look, zh, en)
}

fn timeliness(timeliness: Timeliness, look: &Look) -> String {
    let (zh, en, colour) = match timeliness {
        Timeliness::NotYet => ("尚未起算", "its time has not begun", ""),
        Timeliness::Due => ("待备案", "due", "33"),
        Timeliness::Overdue => ("逾期", "overdue", "31"),
        Timeliness::InTime => ("按期", "in time", "32"),
        Timeliness::Late => ("迟报", "late", "31"),
        Timeliness::NotDeterminable => ("期限无法确定", "not determinable", "33"),
    };
    let word = say(look, zh, en);
    match colour {
        "" => word.to_owned(),
        colour => paint(look, colour, word),
    }
}

fn trigger(trigger: Trigger, look: &Look) -> &'static str {
    let (zh, en) = match trigger {
        Trigger::Signed => ("签约", "signing"),
        Trigger::Started => ("展业", "start of business"),
        Trigger::Changed => ("变更", "change"),
        Trigger::Renewed => ("续签", "renewal"),
        Trigger::Terminated => ("终止", "end"),
    };
    say(look, zh, en)
}

fn act(act: &Act, look: &Look) -> &'static str {
    let (zh, en) = match act {
        Act::New { .. } => ("新建", "new"),
        Act::Edit { .. } => ("修改", "edit"),
        Act::Sign => ("签约", "sign"),
        Act::Start => ("展业", "start"),
        Act::Submit => ("提交", "submit"),
        Act::Approve { .. } => ("放行", "approve"),
        Act::Accept { .. } => ("受理", "accept"),
        Act::Return { .. } => ("退回", "return"),
        Act::Change { .. } => ("变更", "change"),
        Act::Renew { .. } => ("续签", "renew"),
        Act::Terminate { .. } => ("终止", "terminate"),
    };
    say(look, zh, en)
}

fn scope(scope: Scope, look: &Look) -> &'static str {
    let (zh, en) = match scope {
        Scope::ExportGoods => ("出口货物", "export goods"),
        Scope::ExportServices => ("出口服务", "export services"),
        Scope::ExportPersons => ("出口个人", "export persons"),
        Scope::ImportGoods => ("进口货物", "import goods"),
        Scope::ImportServices => ("进口服务", "import services"),
        Scope::ImportPersons => ("进口个人", "import persons"),
    };
    say(look, zh, en)
}

fn channel(channel: Channel, look: &Look) -> &'static str {
    let (zh, en) = match channel {
        Channel::Cips => ("CIPS", "CIPS"),
        Channel::ClearingBank => ("清算行", "clearing bank"),
        Channel::AgentBank => ("代理行", "agent bank"),
        Channel::Nucc => ("网联", "NUCC"),
        Channel::UnionPay => ("银联", "UnionPay"),
    };
    say(look, zh, en)
}

fn filer(filer: Filer, look: &Look) -> &'static str {
    let (zh, en) = match filer {
        Filer::Bank => ("银行", "the bank"),
        Filer::Institution => ("支付机构", "the institution"),
        Filer::Both => ("双方", "both"),
        Filer::Unknown => ("依据未载明", "not sourced"),
    };
    say(look, zh, en)
}

/// `5 working days`.
fn so_many(n: impl Into<u64>, unit: DayUnit, look: &Look) -> String {
    let n = n.into();
    let (zh, en) = match unit {
        DayUnit::WorkingDays => ("个工作日", "working day"),
        DayUnit::CalendarDays => ("天", "calendar day"),
    };
    let s = if n == 1 { "" } else { "s" };
    say(look, &format!("{n} {zh}"), &format!("{n} {en}{s}")).to_owned()
}

fn why(why: &NotDeterminable, look: &Look) -> String {
    match why {
        NotDeterminable::NoDeadline => say(
            look,
            "备案方案没有（有据可查的）期限",
            "the programme gives no deadline that is sourced",
        )
        .to_owned(),
        NotDeterminable::CalendarEnds(words) => inert(words),
        other => inert(&other.to_string()),
    }
}

fn doubt(doubt: &Doubt, look: &Look) -> String {
    match doubt {
        Doubt::CheckDigit { field, kind } => match look.lang {
            Lang::Zh => format!("{field}: 校验位不符（{kind}）"),
            Lang::En => format!("{field}: the check digit of the {kind} does not hold"),
        },
        Doubt::PaperTwice { name } => {
            let name = inert(name);
            let what = say(look, "材料重复", "the paper is there twice");
            format!("{name}: {what}")
        }
        Doubt::LicenceScope { kind, day } => {
            let kind = inert(kind);
            let field = "institution.licence_scope";
            match look.lang {
                Lang::Zh => format!("{field}: {day} 的业务类型中没有“{kind}”"),
                Lang::En => format!("{field}: no kind of business on {day} is {kind:?}"),
            }
        }
        Doubt::Passed { field, until } => {
            let what = say(look, "已过", "has passed");
            format!("{field}: {until} {what}")
        }
        _ => String::new(),
    }
}

/// How far a matter is from its deadline: `3 working days left`, `1 working day late`, or why nobody can tell.
fn distance(item: &DueItem, look: &Look) -> String {
    if let Some(reason) = why_not(item) {
        return why(reason, look);
    }
    let unit = item.term.map(|term| term.unit);
    match (item.timeliness, item.days_left, item.days_late, unit) {
        (_, Some(0), _, _) => say(look, "今日到期", "the last day").to_owned(),
        (_, Some(n), _, Some(unit)) => format!(
            "{} {}",
            say(look, "尚余", ""),
            so_many(n, unit, look) + say(look, "", " left")
        )
        .trim()
        .to_owned(),
        (_, _, Some(n), Some(unit)) => format!(
            "{} {}",
            say(look, "迟", ""),
            so_many(n, unit, look) + say(look, "", " late")
        )
        .trim()
        .to_owned(),
        (Timeliness::Overdue | Timeliness::Late, ..) => say(
            look,
            "日历不足，天数无法计算",
            "by how many days cannot be told: the calendar ends",
        )
        .to_owned(),
        _ => String::new(),
    }
}

/// What a change made of a record: a line, and the deadline of the matter at hand.
#[must_use]
pub fn changed(view: &View<'_>, look: &Look) -> String {
    let filing = view.filing;
    let number = paint(look, "1", &inert(filing.number()));
    let events = filing.events().len();
    let word = say(look, "事件", "event");
    let state = stage(filing.state().stage(), look);
    let mut out = format!("{number}  {state}  {word} {events}  {}\n", filing.head());
    if let Some(item) = view.items.last() {
        out.push_str(&headline(item, look));
    }
    out.push_str(&waiting(view, look));
    out
}

fn waiting(view: &View<'_>, look: &Look) -> String {
    let Some(submission) = &view.filing.state().submission else {
        return String::new();
    };
    let by = person(&submission.by, look.unmask);
    let content = submission.content;
    match look.lang {
        Lang::Zh => format!("  {by} 已提交，待另一人放行：{content}\n"),
        Lang::En => format!("  put forward by {by}, for another to release: {content}\n"),
    }
}

/// `first filing: due until 2026-01-06 Tue, 3 working days left`.
fn headline(item: &DueItem, look: &Look) -> String {
    let mut out = format!("  {}: ", matter(item.matter, look));
    if let Some(on) = item.filed_on {
        let _ = write!(out, "{} {on}", progress(Progress::Filed, look));
    }
    match (item.progress, item.filed_on) {
        (Progress::Filed, Some(_)) => {}
        (now, Some(_)) => {
            let _ = write!(out, ", {}", progress(now, look));
        }
        (now, None) => out.push_str(progress(now, look)),
    }
    if let Some(receipt) = &item.receipt {
        let _ = write!(out, " ({})", inert(receipt));
    }
    let _ = write!(out, "; {}", timeliness(item.timeliness, look));
    if let Some(due) = item.deadline.as_ref().and_then(Deadline::due) {
        let word = say(look, "期限", "until");
        let _ = write!(out, ", {word} {}", dated(due, look));
    }
    let distance = distance(item, look);
    if !distance.is_empty() {
        let colon = why_not(item).map_or(", ", |_| ": ");
        let _ = write!(out, "{colon}{distance}");
    }
    out.push('\n');
    out
}

/// A record with its content, every deadline day by day, its events and how long it is kept.
#[must_use]
pub fn show(view: &View<'_>, look: &Look) -> String {
    let (filing, programme) = (view.filing, view.programme);
    let mut out = String::new();
    let state = stage(filing.state().stage(), look);
    let number = paint(look, "1", &inert(filing.number()));
    let _ = writeln!(out, "{number}  {state}  {}", dated(view.day, look));
    let line = |out: &mut String, zh, en, text: &str| {
        let word = say(look, zh, en);
        let _ = writeln!(out, "{} {}", left(word, 12), text.trim_end());
    };
    let title = say(look, &programme.title_zh, &programme.title_en);
    let sure = sure(programme.certainty, look);
    let text = format!("{}: {} ({sure})", inert(&programme.id), inert(title));
    line(&mut out, "方案", "programme", &text);
    line(&mut out, "依据", "basis", &inert(&programme.legal_basis));
    content_lines(&mut out, &view.content(look.unmask), look);
    if !view.missing.is_empty() {
        let text = inert(&view.missing.join(", "));
        line(&mut out, "缺少", "missing", &text);
    }
    for found in &view.doubts {
        line(&mut out, "留意", "look at", &doubt(found, look));
    }
    let _ = writeln!(out, "{}", say(look, "事项", "matters"));
    for item in &view.items {
        out.push_str(&headline(item, look));
        let Some(Deadline::On {
            days, certainty, ..
        }) = &item.deadline
        else {
            continue;
        };
        if let (Some(term), Some(from), Some(of)) = (item.term, item.event_on, item.counted_from) {
            let term = so_many(term.n, term.unit, look);
            let of = trigger(of, look);
            let sure = self::sure(*certainty, look);
            let _ = match look.lang {
                Lang::Zh => writeln!(out, "    {of} {from} 之后 {term}，日历{sure}"),
                Lang::En => {
                    writeln!(out, "    {term} after {from} ({of}); calendar {sure}")
                }
            };
        }
        for line in step_lines(days, look).lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
    out.push_str(&waiting(view, look));
    let _ = writeln!(out, "{}", say(look, "经过", "events"));
    for event in filing.events() {
        let seq = right(&event.seq.to_string(), 4);
        let by = person(&event.by, look.unmask);
        let word = left(act(&event.act, look), 10);
        let more = match &event.act {
            Act::Accept { receipt } => inert(receipt),
            Act::Return { reason } | Act::Terminate { reason } => inert(reason),
            Act::Renew { until } => format!("{} {until}", say(look, "至", "until")),
            Act::Approve { content } => content.to_string(),
            _ => String::new(),
        };
        let text = format!("{seq}  {}  {word} {}  {more}", event.on, left(&by, 12));
        let _ = writeln!(out, "{}", text.trim_end());
    }
    kept_lines(&mut out, &view.retention, look);
    line(&mut out, "链头", "head", &filing.head().to_string());
    out
}

fn content_lines(out: &mut String, content: &Content, look: &Look) {
    let mut line = |zh, en, parts: Vec<String>| {
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            let word = left(say(look, zh, en), 12);
            let _ = writeln!(out, "{word} {}", inert(&parts.join("  ")));
        }
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    let until =
        |day: Option<Date>| text(day.map(|day| format!("{} {day}", say(look, "至", "until"))));
    let (bank, institution) = (&content.bank, &content.institution);
    line(
        "银行",
        "bank",
        vec![
            bank.name.clone(),
            text(bank.uscc.as_ref().map(ToString::to_string)),
            text(bank.cnaps.as_ref().map(ToString::to_string)),
            text(bank.branch.clone()),
        ],
    );
    line(
        "支付机构",
        "institution",
        vec![
            institution.name.clone(),
            text(institution.uscc.as_ref().map(ToString::to_string)),
            text(institution.licence.as_ref().map(ToString::to_string)),
            until(institution.licence_until),
            institution.licence_scope.join(", "),
        ],
    );
    let agreement = &content.agreement;
    let scopes = agreement.scope.iter().map(|of| scope(*of, look));
    let currencies = agreement.currencies.iter().map(|of| of.code());
    line(
        "协议",
        "agreement",
        vec![
            agreement.number.clone(),
            text(
                agreement
                    .from
                    .map(|day| format!("{} {day}", say(look, "自", "from"))),
            ),
            until(agreement.until),
            scopes.collect::<Vec<_>>().join(", "),
            currencies.collect::<Vec<_>>().join(" "),
            text(agreement.cycle.clone()),
        ],
    );
    for limit in &content.limits {
        let amount = limit.amount.to_string();
        line(
            "单笔限额",
            "limit",
            vec![scope(limit.scope, look).to_owned(), amount],
        );
    }
    let channels = content.channels.iter().map(|of| channel(*of, look));
    line(
        "通道",
        "channel",
        vec![channels.collect::<Vec<_>>().join(", ")],
    );
    for account in &content.accounts {
        line("账户", "account", vec![account.0.reveal().to_owned()]);
    }
    if let Some(contact) = &content.contact {
        let (name, phone) = (contact.name.reveal(), contact.phone.reveal());
        line("联系人", "contact", vec![name.to_owned(), phone.to_owned()]);
    }
    for paper in &content.attachments {
        let size = format!("{} {}", paper.bytes, say(look, "字节", "bytes"));
        let digest = paper.digest.to_string();
        line(
            "材料",
            "paper",
            vec![paper.kind.clone(), paper.name.clone(), size, digest],
        );
    }
}

fn kept_lines(out: &mut String, kept: &Retention, look: &Look) {
    let word = left(say(look, "保存", "kept"), 12);
    let text = match (kept.years, kept.until, look.lang) {
        (None, _, Lang::Zh) => "期限无法确定：没有已知的适用规则".to_owned(),
        (None, _, Lang::En) => "not determinable: no rule that applies is known".to_owned(),
        (Some(years), None, Lang::Zh) => format!("合作终止后 {years} 年"),
        (Some(years), None, Lang::En) => {
            format!("{years} years after the end of the cooperation")
        }
        (Some(years), Some(until), Lang::Zh) => format!("至 {until}，终止后 {years} 年"),
        (Some(years), Some(until), Lang::En) => {
            format!("until {until}, {years} years after the end")
        }
    };
    let _ = writeln!(out, "{word} {text}");
    for row in &kept.rows {
        let (id, years, sure) = (inert(&row.id()), row.value, sure(row.certainty, look));
        let unit = say(look, "年", "years");
        let source = inert(&row.source);
        let _ = writeln!(out, "  {years} {unit}: {id} ({sure}: {source})");
    }
}

/// One line for each record.
#[must_use]
pub fn list(views: &[View<'_>], look: &Look) -> String {
    let mut out = String::new();
    for view in views {
        let filing = view.filing;
        let last = filing.events().last().map(|event| event.on.to_string());
        let content = filing.content();
        let _ = writeln!(
            out,
            "{} {} {} {} {} / {}  {}",
            left(&inert(filing.number()), 14),
            left(stage(filing.state().stage(), look), 13),
            last.unwrap_or_default(),
            left(&inert(&view.programme.id), 18),
            inert(&content.bank.name),
            inert(&content.institution.name),
            inert(&view.name),
        );
    }
    out
}

struct Open<'v, 'a> {
    view: &'v View<'a>,
    item: &'v DueItem,
}

/// Everything that is open, the earliest deadline first; what has none that can be told comes last.
fn open<'v, 'a>(views: &'v [View<'a>]) -> Vec<Open<'v, 'a>> {
    let mut open = Vec::new();
    for view in views {
        let items = view.items.iter().filter(|item| item.is_open);
        open.extend(items.map(|item| Open { view, item }));
    }
    open.sort_by_key(|Open { view, item }| {
        let due = item.deadline.as_ref().and_then(Deadline::due);
        let number = view.filing.number().to_owned();
        (due.is_none(), due, number, item.matter, view.name.clone())
    });
    open
}

/// What is due in all records, the earliest deadline first.
#[must_use]
pub fn due(views: &[View<'_>], look: &Look) -> String {
    let mut out = String::new();
    for Open { view, item } in open(views) {
        let due = item.deadline.as_ref().and_then(Deadline::due);
        let due = due.map_or_else(|| left("-", 14), |due| left(&dated(due, look), 14));
        let word = timeliness(item.timeliness, look);
        let plain = Look {
            colour: false,
            ..look.clone()
        };
        let gap = left(&timeliness(item.timeliness, &plain), 17);
        let gap = &gap[timeliness(item.timeliness, &plain).len()..];
        let _ = writeln!(
            out,
            "{word}{gap}{due} {} {}  {}  {}",
            left(&inert(view.filing.number()), 14),
            left(matter(item.matter, look), 13),
            distance(item, look),
            inert(&view.name),
        );
    }
    if out.is_empty() {
        out.push_str(say(look, "没有待备案事项\n", "nothing is due\n"));
    }
    for view in views {
        for found in &view.doubts {
            let word = say(look, "留意", "look at");
            let (number, doubt) = (inert(view.filing.number()), doubt(found, look));
            let _ = writeln!(out, "{word} {number}  {doubt}");
        }
    }
    out
}

#[derive(Serialize)]
struct ItemDoc<'a> {
    matter: Matter,
    progress: Progress,
    timeliness: Timeliness,
    is_open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_from: Option<Trigger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<Term>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_determinable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filed_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_left: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_late: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days: Vec<StepDoc<'a>>,
}

fn item_doc(item: &DueItem) -> ItemDoc<'_> {
    ItemDoc {
        matter: item.matter,
        progress: item.progress,
        timeliness: item.timeliness,
        is_open: item.is_open,
        counted_from: item.counted_from,
        event_on: item.event_on,
        term: item.term,
        due: item.deadline.as_ref().and_then(Deadline::due),
        not_determinable: why_not(item).map(ToString::to_string),
        filed_on: item.filed_on,
        receipt: item.receipt.as_deref(),
        days_left: item.days_left,
        days_late: item.days_late,
        days: match &item.deadline {
            Some(Deadline::On { days, .. }) => steps(days),
            _ => Vec::new(),
        },
    }
}

/// What is due in all records, as JSON (`quanfu.filing-due/1`).
#[must_use]
pub fn due_json(views: &[View<'_>]) -> String {
    #[derive(Serialize)]
    struct Row<'a> {
        number: &'a str,
        file: &'a str,
        programme: &'a str,
        #[serde(flatten)]
        item: ItemDoc<'a>,
    }
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        day: Option<Date>,
        due: Vec<Row<'a>>,
    }
    let open = open(views);
    let rows = open.iter().map(|Open { view, item }| Row {
        number: view.filing.number(),
        file: &view.name,
        programme: &view.programme.id,
        item: item_doc(item),
    });
    pretty(&Doc {
        schema: "quanfu.filing-due/1",
        day: views.first().map(|view| view.day),
        due: rows.collect(),
    })
}

#[derive(Serialize)]
struct EventDoc<'a> {
    seq: u64,
    on: Date,
    act: &'static str,
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Date>,
    digest: Digest,
}

#[derive(Serialize)]
struct KeptDoc<'a> {
    years: Option<u32>,
    until: Option<Date>,
    rows: &'a [ParameterRow],
}

#[derive(Serialize)]
struct RecordDoc<'a> {
    number: &'a str,
    programme: &'a str,
    certainty: &'static str,
    stage: &'static str,
    content: Content,
    missing: &'a [String],
    look_at: Vec<String>,
    matters: Vec<ItemDoc<'a>>,
    events: Vec<EventDoc<'a>>,
    kept: KeptDoc<'a>,
    head: Digest,
}

/// Records with their deadlines, as JSON (`quanfu.filing-export/1`); personal values are masked unless they are wanted whole.
#[must_use]
pub fn export_json(views: &[View<'_>], whole: bool) -> String {
    #[derive(Serialize)]
    struct Doc<'a> {
        schema: &'static str,
        day: Option<Date>,
        masked: bool,
        records: Vec<RecordDoc<'a>>,
    }
    let record = |view| record_doc(view, whole);
    pretty(&Doc {
        schema: "quanfu.filing-export/1",
        day: views.first().map(|view| view.day),
        masked: !whole,
        records: views.iter().map(record).collect(),
    })
}

fn record_doc<'v>(view: &'v View<'_>, whole: bool) -> RecordDoc<'v> {
    let filing = view.filing;
    let events = filing.events().iter().map(|event| EventDoc {
        seq: event.seq,
        on: event.on,
        act: event.act.name(),
        by: person(&event.by, whole),
        receipt: match &event.act {
            Act::Accept { receipt } => Some(receipt),
            _ => None,
        },
        reason: match &event.act {
            Act::Return { reason } | Act::Terminate { reason } => Some(reason),
            _ => None,
        },
        until: match event.act {
            Act::Renew { until } => Some(until),
            _ => None,
        },
        digest: event.digest,
    });
    let items = view.items.iter().map(item_doc);
    let english = Look::default();
    RecordDoc {
        number: filing.number(),
        programme: &view.programme.id,
        certainty: view.programme.certainty.name(),
        stage: filing.state().stage(),
        content: view.content(whole),
        missing: &view.missing,
        look_at: view.doubts.iter().map(|it| doubt(it, &english)).collect(),
        matters: items.collect(),
        events: events.collect(),
        kept: KeptDoc {
            years: view.retention.years,
            until: view.retention.until,
            rows: &view.retention.rows,
        },
        head: filing.head(),
    }
}

/// Columns of [`export_csv`].
const COLUMNS: &str = "number,programme,stage,bank,bank_uscc,institution,institution_uscc,licence,agreement,agreement_from,\
agreement_until,accounts,contact,phone,matter,progress,timeliness,counted_from,event_on,due,filed_on,receipt,days_left,\
days_late,file";

/// Records as CSV, a line for each matter; personal values are masked unless they are wanted whole.
#[must_use]
pub fn export_csv(views: &[View<'_>], whole: bool) -> String {
    let all = views.iter().flat_map(|view| {
        let items = view.items.iter();
        items.map(move |item| Open { view, item })
    });
    rows(all, whole)
}

/// What is due in all records, as CSV with the columns of [`export_csv`]; personal values are masked.
#[must_use]
pub fn due_csv(views: &[View<'_>]) -> String {
    rows(open(views).into_iter(), false)
}

fn rows<'v, 'a: 'v>(open: impl Iterator<Item = Open<'v, 'a>>, whole: bool) -> String {
    let mut out = format!("{COLUMNS}\n");
    for Open { view, item } in open {
        let content = view.content(whole);
        let text = |value: Option<&dyn std::fmt::Display>| {
            value.map(ToString::to_string).unwrap_or_default()
        };
        fn some<T: std::fmt::Display>(value: &Option<T>) -> Option<&dyn std::fmt::Display> {
            value.as_ref().map(|value| value as &dyn std::fmt::Display)
        }
        let accounts: Vec<&str> = content.accounts.iter().map(|it| it.0.reveal()).collect();
        let contact = content.contact.as_ref();
        let due = item.deadline.as_ref().and_then(Deadline::due);
        let cells = [
            view.filing.number().to_owned(),
            view.programme.id.clone(),
            view.filing.state().stage().to_owned(),
            content.bank.name.clone(),
            text(some(&content.bank.uscc)),
            content.institution.name.clone(),
            text(some(&content.institution.uscc)),
            text(some(&content.institution.licence)),
            content.agreement.number.clone(),
            text(some(&content.agreement.from)),
            text(some(&content.agreement.until)),
            accounts.join(" "),
            contact
                .map(|it| it.name.reveal().to_owned())
                .unwrap_or_default(),
            contact
                .map(|it| it.phone.reveal().to_owned())
                .unwrap_or_default(),
            item.matter.to_string(),
            item.progress.to_string(),
            item.timeliness.to_string(),
            text(some(&item.counted_from)),
            text(some(&item.event_on)),
            text(some(&due)),
            text(some(&item.filed_on)),
            text(some(&item.receipt)),
            text(some(&item.days_left)),
            text(some(&item.days_late)),
            view.name.clone(),
        ];
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_text_cell(&mut out, cell);
        }
        out.push('\n');
    }
    out
}

/// Programmes: what they ask for, and what is not sourced.
#[must_use]
pub fn programmes(programmes: &[Programme], look: &Look) -> String {
    let mut out = String::new();
    for programme in programmes {
        let title = inert(say(look, &programme.title_zh, &programme.title_en));
        let sure = sure(programme.certainty, look);
        let id = paint(look, "1", &inert(&programme.id));
        let _ = writeln!(
            out,
            "{id}  {} {}  {title} ({sure})",
            say(look, "自", "from"),
            programme.from
        );
        let _ = writeln!(out, "  {}", inert(&programme.legal_basis));
        let authority = programme.authority.as_deref().map(inert);
        let unknown = say(look, "依据未载明", "not sourced");
        let _ = writeln!(
            out,
            "  {}: {}; {}: {}",
            say(look, "由谁备案", "who files"),
            filer(programme.filer, look),
            say(look, "向谁备案", "with whom"),
            authority.as_deref().unwrap_or(unknown),
        );
        let papers = programme.required_attachments.join(", ");
        let papers = if papers.is_empty() {
            unknown.to_owned()
        } else {
            inert(&papers)
        };
        let _ = writeln!(out, "  {}: {papers}", say(look, "材料", "papers"));
        for of in Matter::ALL {
            let word = matter(*of, look);
            let text = match programme.duty(*of) {
                None => unknown.to_owned(),
                Some(duty) => {
                    let from = trigger(duty.counted_from, look);
                    let term = duty.deadline.map(|term| so_many(term.n, term.unit, look));
                    match (term, look.lang) {
                        (Some(term), Lang::Zh) => format!("{from}后 {term}"),
                        (Some(term), Lang::En) => format!("{term} after the {from}"),
                        (None, Lang::Zh) => format!("{from}后，期限依据未载明"),
                        (None, Lang::En) => format!("after the {from}; no deadline is sourced"),
                    }
                }
            };
            let _ = writeln!(out, "  {}: {text}", word);
        }
    }
    out
}
