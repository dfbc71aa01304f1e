//! The calendars that we have, and calendars joined.

use std::collections::BTreeMap;

use chrono::NaiveDate as Date;

use crate::business::is_weekend;
use crate::data::{certain, rows};
use crate::table::Table;
use crate::{
    BusinessCalendar, CalendarError, CalendarHistory, CalendarRow, Certainty, DayReason, Doubt,
    RowKind,
};

/// What a place does on the make-up weekends (调休) of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Makeup {
    Open,
    Closed,
    /// Its table has none.
    Absent,
}

/// A calendar that we have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name, as `CN-FX`.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What it is, in English.
    pub en: &'static str,
    /// Where it comes from, or why we believe that it is so.
    pub source: &'static str,
    /// How sure its make-up weekends are.
    pub certainty: Certainty,
    table: &'static str,
    makeup: Makeup,
}

const PLACES: &str = include_str!("../data/places.csv");

fn text_of(table: &str) -> &'static str {
    match table {
        "CN" => include_str!("../data/cn.csv"),
        "HK" => include_str!("../data/hk.csv"),
        "TARGET" => include_str!("../data/target.csv"),
        "US" => include_str!("../data/us.csv"),
        "GB" => include_str!("../data/gb.csv"),
        "JP" => include_str!("../data/jp.csv"),
        "KR" => include_str!("../data/kr.csv"),
        "SG" => include_str!("../data/sg.csv"),
        _ => "",
    }
}

/// The calendars of places, ours and a user's, as known today or on an earlier day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendars {
    /// A user's: laid over ours of the same name, or places of their own.
    user: BTreeMap<String, CalendarHistory>,
    known_at: Option<Date>,
}

impl Calendars {
    /// Ours: `CN` and what is derived from it (`CN-IB`, `CN-FX`), `HK`, `TARGET`, `US`, `GB`, `JP`, `KR`, `SG`; and
    /// `every-day`.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            user: BTreeMap::new(),
            known_at: None,
        }
    }

    /// The places that we have, without `every-day`.
    ///
    /// # Panics
    ///
    /// Never: the data is checked by a test.
    #[must_use]
    pub fn places() -> Vec<Place> {
        let place = |[name, table, makeup, certainty, zh, en, source]: [&'static str; 7]| Place {
            name,
            zh,
            en,
            source,
            certainty: certain(certainty),
            table,
            makeup: match makeup {
                "open" => Makeup::Open,
                "closed" => Makeup::Closed,
                _ => Makeup::Absent,
            },
        };
        rows(PLACES).into_iter().map(place).collect()
    }

    /// With a user's calendar: laid over ours of this name, or a place of its own. Laid over `CN`, it counts also for what
    /// is derived from `CN`.
    #[must_use]
    pub fn with(mut self, calendar: CalendarHistory) -> Self {
        self.user.insert(calendar.name().to_owned(), calendar);
        self
    }

    /// The same calendars by what was known at the end of a day. A table whose day is not known was always known.
    #[must_use]
    pub fn as_known_at(mut self, day: Date) -> Self {
        self.known_at = Some(day);
        self
    }

    /// The names of single calendars, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.user.keys().cloned().collect();
        names.extend(Self::places().iter().map(|place| place.name.to_owned()));
        names.push("every-day".to_owned());
        names.sort();
        names.dedup();
        names
    }

    /// A calendar by its name, or several joined: `CN-FX+US` is open on days on which all are, `HK~US` on days on which any
    /// is; `+` binds first. A joint calendar covers the days that all of them cover.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Unknown`], [`CalendarError::Disjoint`], [`CalendarError::NotYetKnown`], and those of
    /// [`BusinessCalendar::overlaid_with`] if a user's calendar does not fit over ours.
    pub fn named(&self, name: &str) -> Result<BusinessCalendar, CalendarError> {
        let join =
            |names: &str,
             mark: char,
             one: &dyn Fn(&str) -> Result<BusinessCalendar, CalendarError>| {
                let mut parts = names.split(mark);
                let mut whole = one(parts.next().unwrap_or_default())?;
                for part in parts {
                    let part = one(part)?;
                    whole = if mark == '+' {
                        whole.open_in_both(&part)?
                    } else {
                        whole.open_in_either(&part)?
                    };
                }
                Ok(whole)
            };
        join(name, '~', &|all| join(all, '+', &|one| self.single(one)))
    }

    fn single(&self, name: &str) -> Result<BusinessCalendar, CalendarError> {
        if name == "every-day" && !self.user.contains_key(name) {
            return Ok(BusinessCalendar::every_day());
        }
        let place = Self::places().into_iter().find(|place| place.name == name);
        let Some(place) = place else {
            let own = self.user.get(name).ok_or_else(|| CalendarError::Unknown {
                name: name.to_owned(),
                known: self.names().join(", "),
            })?;
            return self.of(own);
        };
        let mut history = CalendarHistory::read(place.table, text_of(place.table))?;
        if let Some(user) = self.user.get(place.table) {
            history = history.overlaid_with(user)?;
        }
        let ours = derive(&place, &self.of(&history)?);
        match self.user.get(name).filter(|_| name != place.table) {
            None => Ok(ours),
            Some(user) => match self.of(user) {
                Err(CalendarError::NotYetKnown { .. }) => Ok(ours),
                user => ours.overlaid_with(&user?),
            },
        }
    }

    fn of(&self, history: &CalendarHistory) -> Result<BusinessCalendar, CalendarError> {
        match self.known_at {
            None => history.latest(),
            Some(day) => history.as_known_at(day),
        }
    }
}

/// The calendar of a place from that of its table.
fn derive(place: &Place, of_table: &BusinessCalendar) -> BusinessCalendar {
    let mut table = of_table.table().clone();
    let is_makeup = |row: &CalendarRow| row.kind == RowKind::MakeupWorkday;
    if place.certainty != Certainty::Certain {
        let doubt = |row: &CalendarRow| Doubt {
            from: row.date,
            until: row.date,
            certainty: place.certainty,
        };
        let makeup = table.rows.iter().filter(|row| is_makeup(row));
        table.doubts.extend(makeup.map(doubt));
        table.doubts.sort_unstable();
    }
    if place.makeup == Makeup::Closed {
        table.rows.retain(|row| !is_makeup(row));
    }
    BusinessCalendar::new(place.name.to_owned(), table)
}

impl BusinessCalendar {
    /// The joint calendar in which a day is good if it is in both, named `A+B`; it covers the days that both cover. Its
    /// reasons name the places that are closed.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Disjoint`].
    pub fn open_in_both(&self, other: &Self) -> Result<Self, CalendarError> {
        self.joined(other, '+')
    }

    /// The linked calendar in which a day is good if it is in either, named `A~B`; it covers the days that both cover.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Disjoint`].
    pub fn open_in_either(&self, other: &Self) -> Result<Self, CalendarError> {
        self.joined(other, '~')
    }

    fn joined(&self, other: &Self, mark: char) -> Result<Self, CalendarError> {
        let name = format!("{}{mark}{}", self.name(), other.name());
        let (a, b) = (self.table(), other.table());
        let (from, until) = (a.from.max(b.from), a.until.min(b.until));
        if from > until {
            return Err(CalendarError::Disjoint {
                left: self.name().to_owned(),
                right: other.name().to_owned(),
            });
        }
        let weekends_off = if mark == '+' {
            a.weekends_off || b.weekends_off
        } else {
            a.weekends_off && b.weekends_off
        };
        let mut rows = Vec::new();
        for date in from.iter_days().take_while(|date| *date <= until) {
            let reasons = [(self, self.why(date)?), (other, other.why(date)?)];
            let mut good = reasons.iter().map(|(_, reason)| reason.is_business());
            let good = if mark == '+' {
                good.all(|good| good)
            } else {
                good.any(|good| good)
            };
            let plain = !(weekends_off && is_weekend(date));
            let kind = if good {
                RowKind::MakeupWorkday
            } else {
                RowKind::Holiday
            };
            let told: Vec<String> = reasons
                .iter()
                .filter(|(_, reason)| reason.kind() == kind.name())
                .map(|(calendar, reason)| calendar.tell(reason))
                .collect();
            // a weekday that is good needs no row, and so does a weekend day that nobody gives another reason for
            if good != plain || !good && !told.is_empty() {
                let name = told.join("; ");
                rows.push(CalendarRow {
                    date,
                    kind,
                    name,
                    class: String::new(),
                });
            }
        }
        let doubts = a.doubts.iter().chain(&b.doubts);
        let inside = doubts.filter(|doubt| doubt.from <= until && doubt.until >= from);
        let mut doubts: Vec<Doubt> = inside
            .map(|doubt| Doubt {
                from: doubt.from.max(from),
                until: doubt.until.min(until),
                certainty: doubt.certainty,
            })
            .collect();
        doubts.sort_unstable();
        doubts.dedup();
        let table = Table {
            from,
            until,
            weekends_off,
            rows,
            doubts,
        };
        Ok(Self::new(name, table))
    }

    /// A feast with its place; that of a joint calendar has its places.
    fn tell(&self, reason: &DayReason) -> String {
        let feast = reason.feast();
        if self.name().contains(['+', '~']) {
            feast.to_owned()
        } else {
            format!("{}: {feast}", self.name())
        }
    }
}
