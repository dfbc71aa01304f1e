//! What is due, and since or until when.

use quanfu_calendar::{BusinessCalendar, Date, Period};
use quanfu_codes::{ParameterError, ParameterRow, Parameters};

use crate::deadline::{Deadline, NotDeterminable, Term};
use crate::filing::{Course, Filing, Progress, Standing, State};
use crate::list::closed_list;
use crate::programme::{Matter, Programme, Trigger};

closed_list! {
    /// How a matter stands towards its deadline.
    Timeliness {
        /// The event that the deadline counts from has not happened.
        NotYet = "not_yet",
        /// Not filed, and the last day has not passed.
        Due = "due",
        /// Overdue (逾期): not filed, and the last day has passed. The business is not invalid by that.
        Overdue = "overdue",
        /// Filed until the last day.
        InTime = "in_time",
        /// Filed after the last day.
        Late = "late",
        /// Nobody can tell, as there is no deadline or the calendar ends.
        NotDeterminable = "not_determinable",
    }
}

/// A matter of a record, and its deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// What is or was to be filed.
    pub matter: Matter,
    /// How far it has come.
    pub progress: Progress,
    /// Towards its deadline.
    pub timeliness: Timeliness,
    /// The event that the deadline counts from; `None`: the programme has no such duty.
    pub counted_from: Option<Trigger>,
    /// The day of that event, or without a duty of the latest that brought the matter about.
    pub event_on: Option<Date>,
    /// The time that the programme gives.
    pub term: Option<Term>,
    /// The deadline; `None` before its event.
    pub deadline: Option<Deadline>,
    /// Day of the last filing.
    pub filed_on: Option<Date>,
    /// The authority's number.
    pub receipt: Option<String>,
    /// Days of the deadline's kind until the last day; only of what is due.
    pub days_left: Option<u32>,
    /// Days of the deadline's kind after the last day, until the filing or the day asked for; only of what is late.
    pub days_late: Option<u32>,
    /// Whether something is to be done.
    pub is_open: bool,
}

/// How the matter at hand of a record stands on a day. What was returned is open again, and its deadline stays.
#[must_use]
pub fn due(
    filing: &Filing,
    programme: &Programme,
    calendar: &BusinessCalendar,
    day: Date,
) -> DueItem {
    let state = filing.state();
    item(state, &state.at_hand, programme, calendar, day)
}

/// How all matters of a record stand on a day, in their order: the one at hand is the last.
///
/// A matter that was open when the cooperation ended stays open until the end is filed.
#[must_use]
pub fn dues(
    filing: &Filing,
    programme: &Programme,
    calendar: &BusinessCalendar,
    day: Date,
) -> Vec<DueItem> {
    let state = filing.state();
    let courses = state.courses();
    courses
        .map(|course| item(state, course, programme, calendar, day))
        .collect()
}

fn item(
    state: &State,
    course: &Course,
    programme: &Programme,
    calendar: &BusinessCalendar,
    day: Date,
) -> DueItem {
    let duty = programme.duty(course.matter);
    let triggers: &[Trigger] = match (duty, course.matter) {
        (Some(duty), _) => &[duty.counted_from],
        (None, Matter::First) => &[Trigger::Signed, Trigger::Started],
        (None, Matter::Change) => &[Trigger::Changed],
        (None, Matter::Renewal) => &[Trigger::Renewed],
        (None, Matter::Termination) => &[Trigger::Terminated],
    };
    let days = triggers.iter().map(|of| state.day(course, *of));
    let event = days.max().flatten();
    let term = duty.and_then(|duty| duty.deadline);
    let deadline = event.map(|event| Deadline::count(event, term, calendar));
    let filed_on = course.filed_on.filter(|_| !course.is_open());
    let timeliness = match (&deadline, filed_on) {
        (None, Some(_)) if term.is_none() => Timeliness::NotDeterminable,
        // filed before the event that starts the clock
        (None, Some(_)) => Timeliness::InTime,
        (None, None) => Timeliness::NotYet,
        (Some(Deadline::NotDeterminable(_)), _) => Timeliness::NotDeterminable,
        (Some(Deadline::On { due, .. }), Some(filed)) if filed <= *due => Timeliness::InTime,
        (Some(Deadline::On { .. }), Some(_)) => Timeliness::Late,
        (Some(Deadline::On { due, .. }), None) if day <= *due => Timeliness::Due,
        (Some(Deadline::On { .. }), None) => Timeliness::Overdue,
    };
    // for the tail of the year that the calendar does not know, the days cannot be told
    let between = |from: Date, until: Date| {
        let days = term?.unit.calendar(calendar);
        let days = days.business_days_between(from, until).ok()?;
        u32::try_from(days).ok()
    };
    let last = deadline.as_ref().and_then(Deadline::due);
    let (days_left, days_late) = match (timeliness, last) {
        (Timeliness::Due, Some(due)) => (between(day, due), None),
        (Timeliness::Overdue, Some(due)) => (None, between(due, day)),
        (Timeliness::Late, Some(due)) => (None, filed_on.and_then(|filed| between(due, filed))),
        _ => (None, None),
    };
    let waits = course.is_open() && timeliness != Timeliness::NotYet;
    DueItem {
        matter: course.matter,
        progress: course.progress,
        timeliness,
        counted_from: duty.map(|duty| duty.counted_from),
        event_on: event,
        term,
        deadline,
        filed_on: course.filed_on,
        receipt: course.receipt.clone(),
        days_left,
        days_late,
        is_open: waits && state.at_hand.is_open(),
    }
}

/// How long a record is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The longest of all rules that apply; `None`: no rule is known that applies.
    pub years: Option<u32>,
    /// The last day, counted from the end of the cooperation; `None` while it runs, or if no rule is known.
    pub until: Option<Date>,
    /// The rows that apply.
    pub rows: Vec<ParameterRow>,
}

/// How long a record is kept, as known on a day: the longest of all rules of its programme that held on any day since the
/// record began. A rule that came into force while the record was kept lengthens its time and never shortens it.
///
/// # Errors
///
/// [`ParameterError`].
pub fn retention(
    filing: &Filing,
    programme: &Programme,
    parameters: &Parameters,
    day: Date,
) -> Result<Retention, ParameterError> {
    let begun = filing.events().iter().map(|event| event.on).min();
    let begun = begun.unwrap_or(day);
    let mut years = None;
    let mut rows = Vec::new();
    for name in &programme.retention {
        for row in parameters.between(name, begun, day)? {
            years = years.max(Some(row.whole("years")?));
            rows.push(row.clone());
        }
    }
    let state = filing.state();
    let ended = (state.standing == Standing::Terminated)
        .then_some(state.at_hand.caused_on)
        .flatten();
    let until = ended.zip(years).and_then(|(ended, years)| {
        let period = Period::Years(u16::try_from(years).ok()?);
        period.after(ended)
    });
    Ok(Retention { years, until, rows })
}

/// Why a deadline cannot be told, if that is so.
#[must_use]
pub fn why_not(item: &DueItem) -> Option<&NotDeterminable> {
    match &item.deadline {
        Some(Deadline::NotDeterminable(why)) => Some(why),
        _ => None,
    }
}
