//! What is due, and since or until when.

use quanfu_calendar::{BusinessCalendar, Date, Period};
use quanfu_codes::{ParameterError, Parameters};

use crate::deadline::{Deadline, NotDeterminable};
use crate::filing::{Filing, Progress, Standing};
use crate::list::closed_list;
use crate::programme::{Matter, Programme};

closed_list! {
    /// How a matter stands towards its deadline.
    Timeliness {
        /// The event that the deadline counts from has not happened.
        NotYet = "not_yet",
        /// Not filed, and the last day has not passed.
        Due = "due",
        /// Not filed, and the last day has passed. The business is not invalid by that.
        Overdue = "overdue",
        /// Filed until the last day.
        InTime = "in_time",
        /// Filed after the last day.
        Late = "late",
        /// Nobody can tell, as there is no deadline or the calendar ends.
        NotDeterminable = "not_determinable",
    }
}

/// The matter at hand of a record, and its deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// What is or was to be filed.
    pub matter: Matter,
    /// How far it has come.
    pub progress: Progress,
    /// Towards its deadline.
    pub timeliness: Timeliness,
    /// The deadline; `None` before its event.
    pub deadline: Option<Deadline>,
    /// Working days after the last day, until the filing or the day asked for; `None`: not late, or not determinable.
    pub days_late: Option<u32>,
}

impl DueItem {
    /// Whether something is to be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Open | Progress::Returned)
            && self.timeliness != Timeliness::NotYet
    }
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
    let duty = programme.duty(state.matter);
    let event = match duty {
        Some(duty) => state.days.get(&duty.counted_from).copied(),
        None => state.days.values().max().copied(),
    };
    let deadline = event
        .filter(|event| *event <= day)
        .map(|event| Deadline::count(event, duty.and_then(|duty| duty.deadline), calendar));
    let filed_on = match state.progress {
        Progress::Filed | Progress::Accepted => state.filed_on,
        Progress::Open | Progress::Returned => None,
    };
    let (timeliness, last) = match (&deadline, filed_on) {
        (None, Some(_)) if duty.is_none_or(|duty| duty.deadline.is_none()) => {
            (Timeliness::NotDeterminable, day)
        }
        // filed before the event that starts the clock
        (None, Some(filed)) => (Timeliness::InTime, filed),
        (None, None) => (Timeliness::NotYet, day),
        (Some(Deadline::NotDeterminable(_)), _) => (Timeliness::NotDeterminable, day),
        (Some(Deadline::On { due, .. }), Some(filed)) if filed <= *due => {
            (Timeliness::InTime, filed)
        }
        (Some(Deadline::On { .. }), Some(filed)) => (Timeliness::Late, filed),
        (Some(Deadline::On { due, .. }), None) if day <= *due => (Timeliness::Due, day),
        (Some(Deadline::On { .. }), None) => (Timeliness::Overdue, day),
    };
    let is_late = matches!(timeliness, Timeliness::Late | Timeliness::Overdue);
    let days_late = deadline
        .as_ref()
        .and_then(Deadline::due)
        .filter(|_| is_late)
        .and_then(|due| calendar.business_days_between(due, last).ok())
        .and_then(|days| u32::try_from(days).ok());
    DueItem {
        matter: state.matter,
        progress: state.progress,
        timeliness,
        deadline,
        days_late,
    }
}

/// How long a record is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The longest of all rules that apply.
    pub years: u32,
    /// The last day, counted from the end of the cooperation; `None` while it runs.
    pub until: Option<Date>,
    /// Names of the rows used.
    pub rows: Vec<String>,
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
    let begun = filing.events().first().map_or(day, |event| event.on);
    let mut years = 0;
    let mut rows = Vec::new();
    for name in &programme.retention {
        for row in parameters.between(name, begun, day)? {
            years = years.max(row.whole("years")?);
            rows.push(row.id());
        }
    }
    let state = filing.state();
    let ended = state
        .days
        .get(&crate::programme::Trigger::Terminated)
        .filter(|_| state.standing == Standing::Terminated && years > 0);
    let period = Period::Years(u16::try_from(years).unwrap_or(u16::MAX));
    let until = ended.and_then(|ended| period.after(*ended));
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
