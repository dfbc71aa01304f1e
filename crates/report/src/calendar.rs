//! What calendars answer: a day, a count of business days, a value date; and which calendars there are.

use std::fmt::Write as _;

use quanfu_calendar::{
    BusinessCalendar, Calendars, Certainty, CountedDay, Date, Datelike, DayReason, RuleUsed,
    ValueDate, Weekday,
};
use quanfu_trail::{Lang, certainty_label};
use serde::Serialize;

use crate::Look;
use crate::text::{inert, left, paint, pretty, right, say};

/// `2017-02-04 Sat`.
pub(crate) fn dated(day: Date, look: &Look) -> String {
    let (zh, en) = match day.weekday() {
        Weekday::Mon => ("周一", "Mon"),
        Weekday::Tue => ("周二", "Tue"),
        Weekday::Wed => ("周三", "Wed"),
        Weekday::Thu => ("周四", "Thu"),
        Weekday::Fri => ("周五", "Fri"),
        Weekday::Sat => ("周六", "Sat"),
        Weekday::Sun => ("周日", "Sun"),
    };
    format!("{day} {}", say(look, zh, en))
}

pub(crate) fn reason(reason: &DayReason, look: &Look) -> String {
    let (zh, en) = match reason {
        DayReason::Weekday => ("平日", "weekday"),
        DayReason::Weekend => ("周末", "weekend"),
        DayReason::Holiday(_) => ("放假", "holiday"),
        DayReason::MakeupWorkday(_) => ("调休上班", "make-up workday"),
        _ => ("其他", "other"),
    };
    let word = say(look, zh, en);
    match reason.feast() {
        "" => word.to_owned(),
        feast => format!("{word} {}", inert(feast)),
    }
}

/// A certainty, which stands out if it is not certain.
pub(crate) fn sure(certainty: Certainty, look: &Look) -> String {
    let label = certainty_label(certainty, look.lang);
    match certainty {
        Certainty::Certain => label.to_owned(),
        _ => paint(look, "33", label),
    }
}

/// The calendar and the days that it covers, in a line.
fn ground(calendar: &BusinessCalendar, certainty: Certainty, look: &Look) -> String {
    let (from, until) = calendar.covers();
    format!(
        "{} {}, {from} {} {until}; {}\n",
        say(look, "日历", "calendar"),
        inert(calendar.name()),
        say(look, "至", "to"),
        sure(certainty, look)
    )
}

#[derive(Serialize)]
pub(crate) struct StepDoc<'a> {
    day: Date,
    counted: Option<u32>,
    reason: &'static str,
    name: &'a str,
}

fn step_doc(step: &CountedDay) -> StepDoc<'_> {
    StepDoc {
        day: step.day,
        counted: step.counted,
        reason: step.reason.kind(),
        name: step.reason.feast(),
    }
}

pub(crate) fn steps(days: &[CountedDay]) -> Vec<StepDoc<'_>> {
    days.iter().map(step_doc).collect()
}

pub(crate) fn step_lines(days: &[CountedDay], look: &Look) -> String {
    let mut out = String::new();
    for step in days {
        let number = step
            .counted
            .map_or("-".to_owned(), |number| number.to_string());
        let (day, reason) = (dated(step.day, look), reason(&step.reason, look));
        let _ = writeln!(out, "  {day} {} {reason}", right(&number, 4));
    }
    out
}

/// The calendars that there are.
///
/// ```
/// use quanfu_report::{Look, calendar};
///
/// let text = calendar::list(&quanfu_calendar::Calendars::shipped(), &Look::default())?;
/// assert!(text.starts_with("CN        2017-01-01 2026-12-31  Chinese statutory working days\n"));
/// # Ok::<(), quanfu_calendar::CalendarError>(())
/// ```
///
/// # Errors
///
/// As [`Calendars::named`].
pub fn list(calendars: &Calendars, look: &Look) -> Result<String, quanfu_calendar::CalendarError> {
    let mut out = String::new();
    for row in listed(calendars)? {
        let what = say(look, row.zh, row.en);
        let _ = write!(
            out,
            "{} {} {}  {what}",
            left(&inert(&row.name), 9),
            row.from,
            row.until
        );
        if row.doubtful_days > 0 {
            let days = say(look, "天", "days");
            let _ = write!(
                out,
                " ({} {days} {})",
                row.doubtful_days,
                sure(row.certainty, look)
            );
        }
        out.push('\n');
    }
    Ok(out)
}

/// The calendars that there are, as JSON (`quanfu.calendars/1`).
///
/// # Errors
///
/// As [`Calendars::named`].
pub fn list_json(calendars: &Calendars) -> Result<String, quanfu_calendar::CalendarError> {
    #[derive(Serialize)]
    struct Doc {
        schema: &'static str,
        calendars: Vec<Listed>,
    }
    Ok(pretty(&Doc {
        schema: "quanfu.calendars/1",
        calendars: listed(calendars)?,
    }))
}

#[derive(Serialize)]
struct Listed {
    name: String,
    from: Date,
    until: Date,
    /// How many of its days are less than certain.
    doubtful_days: usize,
    /// That of its least certain day.
    certainty: Certainty,
    zh: &'static str,
    en: &'static str,
    source: &'static str,
}

fn listed(calendars: &Calendars) -> Result<Vec<Listed>, quanfu_calendar::CalendarError> {
    let places = Calendars::places();
    let mut rows = Vec::new();
    for name in calendars.names() {
        let calendar = calendars.named(&name)?;
        let (from, until) = calendar.covers();
        let is_doubtful = |day: &Date| {
            calendar
                .doubts()
                .iter()
                .any(|doubt| doubt.from <= *day && *day <= doubt.until)
        };
        let days = from.iter_days().take_while(|day| *day <= until);
        let doubtful_days = days.filter(is_doubtful).count();
        let certainty = calendar.certainty(from, until)?;
        let place = places.iter().find(|place| place.name == name);
        let (zh, en, source) = match place {
            Some(place) => (place.zh, place.en, place.source),
            None if name == "every-day" => (
                "每天都是工作日",
                "every day is a business day",
                "by definition",
            ),
            None => ("自带日历", "your own", "given"),
        };
        rows.push(Listed {
            name,
            from,
            until,
            doubtful_days,
            certainty,
            zh,
            en,
            source,
        });
    }
    Ok(rows)
}

/// One day in a calendar.
#[derive(Clone, Debug)]
pub struct Day<'a> {
    /// The calendar.
    pub calendar: &'a BusinessCalendar,
    /// The day.
    pub day: Date,
    /// Why it is a business day or not.
    pub reason: DayReason,
    /// How sure that is.
    pub certainty: Certainty,
}

impl Day<'_> {
    /// For a terminal.
    #[must_use]
    pub fn table(&self, look: &Look) -> String {
        let word = if self.reason.is_business() {
            paint(look, "32", say(look, "工作日", "business day"))
        } else {
            paint(look, "33", say(look, "非工作日", "no business day"))
        };
        let mut out = format!(
            "{}: {word}, {}\n",
            dated(self.day, look),
            reason(&self.reason, look)
        );
        out.push_str(&ground(self.calendar, self.certainty, look));
        out
    }

    /// As JSON (`quanfu.calendar-day/1`).
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Doc<'a> {
            schema: &'static str,
            calendar: &'a str,
            day: Date,
            business_day: bool,
            reason: &'static str,
            name: &'a str,
            certainty: Certainty,
        }
        pretty(&Doc {
            schema: "quanfu.calendar-day/1",
            calendar: self.calendar.name(),
            day: self.day,
            business_day: self.reason.is_business(),
            reason: self.reason.kind(),
            name: self.reason.feast(),
            certainty: self.certainty,
        })
    }
}

/// A count of business days from a day.
#[derive(Clone, Debug)]
pub struct Count<'a> {
    /// The calendar.
    pub calendar: &'a BusinessCalendar,
    /// The day from which it counts; it does not count itself.
    pub from: Date,
    /// How many; before the day, if negative.
    pub n: i32,
    /// The day that it comes to.
    pub date: Date,
    /// All days on the way.
    pub days: Vec<CountedDay>,
    /// How sure that is.
    pub certainty: Certainty,
}

impl Count<'_> {
    /// For a terminal; with the days on the way if wanted.
    #[must_use]
    pub fn table(&self, with_steps: bool, look: &Look) -> String {
        let Self { from, n, .. } = self;
        let days = if n.abs() == 1 {
            "business day"
        } else {
            "business days"
        };
        let what = match (look.lang, *n < 0) {
            (Lang::Zh, false) => format!("{from} 之后第 {n} 个工作日"),
            (Lang::Zh, true) => format!("{from} 之前第 {} 个工作日", n.unsigned_abs()),
            (Lang::En, false) => format!("{n} {days} after {from}"),
            (Lang::En, true) => format!("{} {days} before {from}", n.unsigned_abs()),
        };
        let mut out = format!("{}: {what}\n", paint(look, "1", &dated(self.date, look)));
        out.push_str(&ground(self.calendar, self.certainty, look));
        if with_steps {
            out.push_str(&step_lines(&self.days, look));
        }
        out
    }

    /// As JSON (`quanfu.calendar-count/1`), always with the days on the way.
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Doc<'a> {
            schema: &'static str,
            calendar: &'a str,
            from: Date,
            n: i32,
            date: Date,
            certainty: Certainty,
            days: Vec<StepDoc<'a>>,
        }
        pretty(&Doc {
            schema: "quanfu.calendar-count/1",
            calendar: self.calendar.name(),
            from: self.from,
            n: self.n,
            date: self.date,
            certainty: self.certainty,
            days: steps(&self.days),
        })
    }
}

#[derive(Serialize)]
struct RuleDoc<'a> {
    of: &'a str,
    rule: &'static str,
    value: &'a str,
    certainty: Certainty,
    source: &'a str,
}

fn rule_doc(rule: &RuleUsed) -> RuleDoc<'_> {
    RuleDoc {
        of: &rule.of,
        rule: rule.rule,
        value: &rule.value,
        certainty: rule.certainty,
        source: &rule.source,
    }
}

/// What a value date was asked for, and what came of it.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    /// The pair, as `USD/CNY`.
    pub pair: String,
    /// The day of the trade.
    pub traded: Date,
    /// The tenor, as `1M`.
    pub tenor: String,
    /// The answer.
    pub value: &'a ValueDate,
}

impl Value<'_> {
    /// For a terminal: the day, how it was counted, and what that rests on.
    #[must_use]
    pub fn table(&self, look: &Look) -> String {
        let (value, pair) = (self.value, inert(&self.pair));
        let day = paint(look, "1", &dated(value.date, look));
        let (traded, tenor) = (self.traded, &self.tenor);
        let what = match look.lang {
            Lang::Zh => format!("{pair} {tenor} 起息日，成交日 {traded}"),
            Lang::En => format!("value date of {pair} {tenor}, traded on {traded}"),
        };
        let mut out = format!("{day}: {what}\n");
        let calendar = say(look, "日历", "calendar");
        let certainty = sure(value.certainty, look);
        let _ = writeln!(out, "{calendar} {}; {certainty}", inert(&value.calendar));
        let spot = say(look, "即期", "spot");
        let _ = writeln!(out, "{spot} {}", dated(value.spot, look));
        out.push_str(&step_lines(&value.to_spot, look));
        if value.end_end {
            out.push_str(say(
                look,
                "即期日为当月最后工作日，远端亦取月末工作日\n",
                "spot is the last business day of its month, and so is the value date\n",
            ));
        }
        if !value.moved.is_empty() {
            let _ = writeln!(out, "{}", say(look, "顺延或前移", "moved to"));
            out.push_str(&step_lines(&value.moved, look));
        }
        let _ = writeln!(out, "{}", say(look, "依据", "rules"));
        for rule in &value.rules {
            let RuleUsed {
                of,
                rule,
                value,
                certainty,
                source,
            } = rule;
            let (of, value, source) = (inert(of), inert(value), inert(source));
            let certainty = sure(*certainty, look);
            let _ = writeln!(
                out,
                "  {} {} {value} ({certainty}: {source})",
                left(&of, 3),
                left(rule, 11)
            );
        }
        out
    }

    /// As JSON (`quanfu.value-date/1`).
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Doc<'a> {
            schema: &'static str,
            pair: &'a str,
            traded: Date,
            tenor: &'a str,
            date: Date,
            spot: Date,
            calendar: &'a str,
            certainty: Certainty,
            to_spot: Vec<StepDoc<'a>>,
            end_end: bool,
            moved: Vec<StepDoc<'a>>,
            rules: Vec<RuleDoc<'a>>,
        }
        let value = self.value;
        pretty(&Doc {
            schema: "quanfu.value-date/1",
            pair: &self.pair,
            traded: self.traded,
            tenor: &self.tenor,
            date: value.date,
            spot: value.spot,
            calendar: &value.calendar,
            certainty: value.certainty,
            to_spot: steps(&value.to_spot),
            end_end: value.end_end,
            moved: steps(&value.moved),
            rules: value.rules.iter().map(rule_doc).collect(),
        })
    }
}
