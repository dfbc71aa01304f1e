//! Calendar files: `date,kind,name,class`, one day or one statement a line.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate as Date, Weekday};

use crate::{CalendarError, Certainty};

/// What a row says of its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKind {
    /// A day off.
    Holiday,
    /// A Saturday or Sunday that is worked (调休).
    MakeupWorkday,
}

impl RowKind {
    /// The name used in calendar files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::MakeupWorkday => "makeup_workday",
        }
    }
}

/// A day that departs from Monday-to-Friday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarRow {
    /// The day.
    pub date: Date,
    /// What it is.
    pub kind: RowKind,
    /// Name of the feast.
    pub name: String,
    /// Further class, such as `statutory`; may be empty.
    pub class: String,
}

/// Days of which a table is less than certain: moving feasts that are not announced, for example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// How sure the table is of these days.
    pub certainty: Certainty,
}

/// What one table says of the days that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) from: Date,
    pub(crate) until: Date,
    pub(crate) weekends_off: bool,
    /// In order, one for a day at most.
    pub(crate) rows: Vec<CalendarRow>,
    /// In order.
    pub(crate) doubts: Vec<Doubt>,
}

/// A table with the day on which it became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edition {
    /// `None`: at all times.
    pub(crate) known_on: Option<Date>,
    pub(crate) source: String,
    pub(crate) certainty: Certainty,
    pub(crate) table: Table,
}

const HEADER: &str = "date,kind,name,class";

impl Table {
    /// This table with another laid over it: on the days that `upper` covers, its rows hold. The error is the first
    /// day between the two.
    pub(crate) fn overlaid_with(mut self, upper: Self) -> Result<Self, Date> {
        for (earlier, later) in [(self.until, upper.from), (upper.until, self.from)] {
            if let Some(day) = earlier.succ_opt()
                && day < later
            {
                return Err(day);
            }
        }
        let inside = |day: Date| day >= upper.from && day <= upper.until;
        self.rows.retain(|row| !inside(row.date));
        self.rows.extend(upper.rows);
        self.rows.sort_by_key(|row| row.date);
        let mut doubts = Vec::new();
        for doubt in self.doubts {
            let before = upper.from.pred_opt().map(|day| day.min(doubt.until));
            let after = upper.until.succ_opt().map(|day| day.max(doubt.from));
            for (from, until) in [(Some(doubt.from), before), (after, Some(doubt.until))] {
                if let (Some(from), Some(until)) = (from, until)
                    && from <= until
                {
                    let certainty = doubt.certainty;
                    doubts.push(Doubt {
                        from,
                        until,
                        certainty,
                    });
                }
            }
        }
        doubts.extend(upper.doubts);
        doubts.sort_unstable();
        self.doubts = doubts;
        self.from = self.from.min(upper.from);
        self.until = self.until.max(upper.until);
        Ok(self)
    }

    /// The text that [`parse`] reads as one edition.
    pub(crate) fn to_csv(&self) -> String {
        let mut text = format!("{HEADER}\n{},covers,{},\n", self.from, self.until);
        if !self.weekends_off {
            text.push_str(&format!("{},every_day,,\n", self.from));
        }
        for Doubt {
            from,
            until,
            certainty,
        } in &self.doubts
        {
            text.push_str(&format!("{from},certainty,{until},{}\n", certainty.name()));
        }
        for row in &self.rows {
            text.push_str(&format!(
                "{},{},{},{}\n",
                row.date,
                row.kind.name(),
                row.name,
                row.class
            ));
        }
        text
    }
}

/// An edition whose lines are being read; each row with its line.
struct Draft {
    known_on: Option<Date>,
    source: String,
    certainty: Certainty,
    covers: Option<(Date, Date)>,
    weekends_off: bool,
    rows: BTreeMap<Date, (usize, CalendarRow)>,
    doubts: Vec<(usize, Doubt)>,
}

impl Draft {
    fn new(known_on: Option<Date>, source: &str, certainty: Certainty) -> Self {
        Self {
            known_on,
            source: source.to_owned(),
            certainty,
            covers: None,
            weekends_off: true,
            rows: BTreeMap::new(),
            doubts: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.covers.is_none() && self.rows.is_empty() && self.doubts.is_empty() && self.weekends_off
    }

    /// The edition, or the line that is wrong (0: one is missing) and what would be right.
    fn done(self) -> Result<Edition, (usize, String)> {
        let Some((from, until)) = self.covers else {
            let wanted = "no line says what the table covers; 2027-01-01,covers,2027-12-31, would";
            return Err((0, wanted.to_owned()));
        };
        let outside = |first: Date, last: Date| {
            let day = if first < from { first } else { last };
            let out = first < from || last > until;
            out.then(|| format!("{day} is outside the days covered, {from} to {until}"))
        };
        for (line, row) in self.rows.values() {
            if let Some(message) = outside(row.date, row.date) {
                return Err((*line, message));
            }
        }
        for (line, doubt) in &self.doubts {
            if let Some(message) = outside(doubt.from, doubt.until) {
                return Err((*line, message));
            }
        }
        let mut doubts: Vec<Doubt> = self.doubts.into_iter().map(|(_, doubt)| doubt).collect();
        doubts.sort_unstable();
        Ok(Edition {
            known_on: self.known_on,
            source: self.source,
            certainty: self.certainty,
            table: Table {
                from,
                until,
                weekends_off: self.weekends_off,
                rows: self.rows.into_values().map(|(_, row)| row).collect(),
                doubts,
            },
        })
    }

    /// Takes one line in; the error says what would be right.
    fn line(&mut self, number: usize, cells: [&str; 4]) -> Result<(), String> {
        let [date, kind, name, class] = cells;
        let date = parse_date(date)
            .ok_or_else(|| format!("{date:?} is no day; 2027-02-06 would be right"))?;
        let last_day = || {
            parse_date(name)
                .filter(|&until| until >= date && until.year() - date.year() <= 400)
                .ok_or_else(|| format!("{name:?} is no last day on or after {date}"))
        };
        let kind = match kind {
            "holiday" => RowKind::Holiday,
            "makeup_workday" => RowKind::MakeupWorkday,
            "every_day" => {
                self.weekends_off = false;
                return Ok(());
            }
            "certainty" => {
                let doubt = Doubt {
                    from: date,
                    until: last_day()?,
                    certainty: certainty(class)?,
                };
                self.doubts.push((number, doubt));
                return Ok(());
            }
            "covers" => {
                let until = last_day()?;
                self.covers = Some(match self.covers {
                    None => (date, until),
                    Some((from, end)) if end.succ_opt() == Some(date) => (from, until),
                    Some((_, end)) => {
                        return Err(format!(
                            "covers from {date}, but the table so far ends on {end}; the next day would be right"
                        ));
                    }
                });
                return Ok(());
            }
            _ => {
                return Err(format!(
                    "kind {kind:?}; holiday, makeup_workday, covers, certainty or known would be right"
                ));
            }
        };
        let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        if kind == RowKind::MakeupWorkday && !is_weekend {
            return Err(format!(
                "{date} is no Saturday or Sunday, so it cannot be a make-up workday"
            ));
        }
        let row = CalendarRow {
            date,
            kind,
            name: name.to_owned(),
            class: class.to_owned(),
        };
        match self.rows.insert(date, (number, row)) {
            None => Ok(()),
            Some(_) => Err(format!("{date} has two rows")),
        }
    }
}

fn certainty(text: &str) -> Result<Certainty, String> {
    let known = Certainty::ALL.map(Certainty::name);
    Certainty::from_name(text).ok_or_else(|| {
        format!(
            "certainty {text:?}; one of {} would be right",
            known.join(", ")
        )
    })
}

/// Reads a calendar file: its editions in the order of the file, which is that of their days. There is one at least.
pub(crate) fn parse(name: &str, text: &str) -> Result<Vec<Edition>, CalendarError> {
    let at = |(line, message): (usize, String)| CalendarError::Line {
        calendar: name.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        message,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut editions: Vec<Edition> = Vec::new();
    let mut draft = Draft::new(None, "", Certainty::Certain);
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim_end();
        if index == 0 {
            if line != HEADER {
                let message = format!("found {line:?}; the header {HEADER:?} would be right");
                return Err(at((number, message)));
            }
            continue;
        }
        if line.trim().is_empty() {
            continue;
        }
        let cells: Vec<&str> = line.split(',').collect();
        let &[date, kind, source, class] = &cells[..] else {
            let found = cells.len();
            let message = format!("{found} cells; four, as in {HEADER:?}, would be right");
            return Err(at((number, message)));
        };
        if kind != "known" {
            let cells = [date, kind, source, class];
            draft.line(number, cells).map_err(|why| at((number, why)))?;
            continue;
        }
        let latest = draft.known_on;
        let known_on = parse_date(date)
            .filter(|day| latest.is_none_or(|latest| latest <= *day))
            .ok_or_else(|| {
                let message = format!("{date:?} is no day on or after that of the table before");
                at((number, message))
            })?;
        let certainty = certainty(class).map_err(|why| at((number, why)))?;
        let next = Draft::new(Some(known_on), source, certainty);
        let before = std::mem::replace(&mut draft, next);
        if !(editions.is_empty() && before.is_empty()) {
            editions.push(before.done().map_err(at)?);
        }
    }
    editions.push(draft.done().map_err(at)?);
    for pair in editions.windows(2) {
        if pair[0].table.weekends_off != pair[1].table.weekends_off {
            let message = "only some of its tables have every_day".to_owned();
            return Err(at((0, message)));
        }
    }
    Ok(editions)
}

/// YYYY-MM-DD and nothing else.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, c)| {
            if i == 4 || i == 7 {
                c == b'-'
            } else {
                c.is_ascii_digit()
            }
        });
    if shape { text.parse().ok() } else { None }
}
