//! A case of a support programme on its way through an office, for a terminal.

use std::fmt::Write as _;

use quanfu_calendar::{Calendars, Date};
use quanfu_credit::lifecycle::{Case, Event, GuardError, State};
use quanfu_settlement::{Digest, DigestAlg};
use quanfu_trail::Lang;

use crate::Look;
use crate::calendar::{dated, reason};
use crate::text::{inert, paint, right};

/// Where a case stands on a day, what happened, and the days of its public notice; each day that does not count says why.
///
/// # Errors
///
/// [`GuardError`] if the days of the notice cannot be counted by the calendar as it is known on the day.
pub fn show(
    case: &Case,
    day: Date,
    calendars: &Calendars,
    look: &Look,
) -> Result<String, GuardError> {
    let say = |zh: &'static str, en: &'static str| match look.lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    let (terms, mut out) = (case.terms(), String::new());
    let (zh, en) = state_words(case.state());
    let _ = writeln!(
        out,
        "{}  {} {} ({}): {}",
        inert(case.enterprise()),
        inert(&terms.programme),
        inert(&terms.year),
        inert(&terms.status),
        paint(look, "1", say(zh, en))
    );
    let digest = Digest::of(DigestAlg::Sha256, case.to_json().as_bytes());
    let _ = writeln!(out, "{} {digest}", say("案卷", "case"));
    if let Some(amount) = case.amount() {
        let _ = writeln!(out, "{} {amount}", say("金额", "amount"));
    }
    if let Some(left) = case.owed_back() {
        let _ = writeln!(out, "{} {left}", say("尚应追回", "still to be paid back"));
    }
    for (application, missing) in case.missing() {
        let _ = writeln!(
            out,
            "{} {}: {}",
            say("缺材料", "missing in application"),
            inert(application),
            inert(&missing.join(", "))
        );
    }
    for (index, record) in case.records().iter().enumerate() {
        let event = &record.event;
        let (zh, en) = event_words(event);
        let more = match event {
            Event::Submit {
                application,
                documents,
                ..
            } => format!(
                "{}, {} {}",
                inert(application),
                documents.len(),
                say("份材料", "documents")
            ),
            Event::Propose { amount, award, .. } => format!("{amount}, {}", inert(award)),
            Event::Commit { amount } | Event::Recover { amount } => amount.to_string(),
            Event::Settle { objection } | Event::Uphold { objection } => objection.to_string(),
            _ => String::new(),
        };
        let note = record.note.as_deref().map_or(String::new(), inert);
        let parts: Vec<&str> = [more.as_str(), note.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let line = format!(
            "{} {}  {} ({})  {}",
            right(&(index + 1).to_string(), 3),
            record.on,
            say(zh, en),
            inert(&record.by),
            parts.join(": ")
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let days = case.notice(day, calendars)?;
    if let (Some(last), Some(notice)) = (days.last(), &terms.notice) {
        let calendar = match &notice.calendar {
            Some(name) => format!("{} {}", say("工作日", "working days of"), inert(name)),
            None => say("日", "days").to_owned(),
        };
        let _ = writeln!(
            out,
            "{} {} {calendar}, {} {} [{}; {}]",
            say("公示", "public notice"),
            notice.days,
            say("至", "until"),
            last.day,
            inert(&notice.source),
            notice.certainty.name()
        );
        for step in &days {
            let number = step.counted.map_or(String::new(), |n| n.to_string());
            let day = dated(step.day, look);
            let why = reason(&step.reason, look);
            let _ = writeln!(out, "  {day} {} {why}", right(&number, 4));
        }
    }
    let open = case.open_objections();
    if !open.is_empty() {
        let numbers: Vec<String> = open.iter().map(u32::to_string).collect();
        let _ = writeln!(
            out,
            "{} {}",
            say("未结异议", "objections open:"),
            numbers.join(", ")
        );
    }
    Ok(out)
}

fn state_words(state: State) -> (&'static str, &'static str) {
    match state {
        State::Draft => ("起草", "draft"),
        State::Submitted => ("已申报", "filed"),
        State::Returned => ("退回补正", "returned for correction"),
        State::Accepted => ("已受理", "accepted"),
        State::UnderReview => ("审核中", "under review"),
        State::Proposed => ("拟支持", "proposed"),
        State::PublicNotice => ("公示中", "public notice"),
        State::Approved => ("已批准", "approved"),
        State::Disbursed => ("已拨付", "paid"),
        State::Closed => ("已办结", "closed"),
        State::Rejected => ("不予支持", "refused"),
        State::Withdrawn => ("已撤回", "withdrawn"),
        State::Lapsed => ("逾期", "lapsed"),
        State::Clawback => ("追回中", "to be paid back"),
        State::Recovered => ("已追回", "paid back"),
    }
}

fn event_words(event: &Event) -> (&'static str, &'static str) {
    match event {
        Event::Submit { .. } => ("申报", "filed"),
        Event::Return => ("退回补正", "returned for correction"),
        Event::Accept => ("受理", "accepted"),
        Event::Review => ("审核", "review begins"),
        Event::Propose { .. } => ("拟定金额", "amount proposed"),
        Event::OpenNotice => ("公示", "public notice opens"),
        Event::Object => ("提出异议", "objection"),
        Event::Settle { .. } => ("异议不成立", "objection settled"),
        Event::Uphold { .. } => ("异议成立", "objection upheld"),
        Event::Commit { .. } => ("落实预算", "budget set apart"),
        Event::Approve => ("批准", "approved"),
        Event::Disburse { .. } => ("拨付", "paid"),
        Event::Close => ("办结", "closed"),
        Event::Reject => ("不予支持", "refused"),
        Event::Withdraw => ("撤回", "withdrawn"),
        Event::Lapse => ("逾期", "lapsed"),
        Event::OrderClawback => ("责令退回", "to be paid back"),
        Event::Recover { .. } => ("追回", "paid back"),
    }
}
