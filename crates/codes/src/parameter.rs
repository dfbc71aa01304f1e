//! [`Parameters`]: limits, deadlines, retention, thresholds as dated rows with their source.

use std::collections::BTreeMap;

use quanfu_calendar::{Certainty, Date, Dated, DatedError, DatedTable};
use quanfu_money::Decimal;
use serde::{Deserialize, Serialize};

use crate::table::{cells, certainty_of, day, optional_day, some};

/// A row of a parameter. Results carry the rows that they used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterRow {
    /// Name of the parameter.
    pub name: String,
    /// The value.
    #[serde(with = "decimal_text")]
    pub value: Decimal,
    /// What it counts: a currency, `working_days`, `calendar_days`, `months`, `years`, `day_of_month`, `persons`, `banks`
    /// or `ratio`.
    pub unit: String,
    /// First day.
    pub from: Date,
    /// Last day; `None`: until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Document, or where it was read.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl ParameterRow {
    /// Its name in reports: `import_single_limit@2019-01-01`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.from)
    }

    /// The value, if it is a whole number of a unit.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Unit`].
    pub fn whole(&self, unit: &str) -> Result<u32, ParameterError> {
        let wrong = || ParameterError::Unit {
            id: self.id(),
            found: format!("{} {}", self.value, self.unit),
            want: unit.to_owned(),
        };
        let text = self.value.normalize().to_string();
        match text.parse() {
            Ok(value) if self.unit == unit => Ok(value),
            _ => Err(wrong()),
        }
    }
}

/// Why parameters cannot be read, or have no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A line is not of its form.
    #[error("parameters, line {line}: {message}")]
    Line {
        /// Line, counted from 1.
        line: usize,
        /// What was found and what would be right.
        message: String,
    },
    /// Rows of a parameter do not follow each other, or none holds on the day.
    #[error("parameter {name}: {problem}")]
    Days {
        /// The parameter.
        name: String,
        /// What is wrong.
        problem: DatedError,
    },
    /// There is no such parameter.
    #[error("no parameter is named {name:?}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The row counts something else.
    #[error("parameter {id} is {found}; a number of {want} would be right")]
    Unit {
        /// The row.
        id: String,
        /// Its value and unit.
        found: String,
        /// The unit that is needed.
        want: String,
    },
}

impl ParameterError {
    /// Codes of all kinds; what is wrong with days has a code of [`DatedError`].
    pub const CODES: &'static [&'static str] =
        &["parameter-line", "parameter-unknown", "parameter-unit"];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Line { .. } => "parameter-line",
            Self::Days { problem, .. } => problem.code(),
            Self::Unknown { .. } => "parameter-unknown",
            Self::Unit { .. } => "parameter-unit",
        }
    }
}

/// Parameters by name and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    tables: BTreeMap<String, DatedTable<ParameterRow>>,
}

const HEADER: &str = "name,value,unit,from,until,source,certainty";

impl Parameters {
    /// Ours: every row with its source and how sure it is.
    ///
    /// # Panics
    ///
    /// Never: the data is read by a test.
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../data/parameters.csv")).expect("the data is read by a test")
    }

    /// Rows in CSV without quotes, under the header `name,value,unit,from,until,source,certainty`.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Line`]; [`ParameterError::Days`] for rows that overlap or leave a gap.
    pub fn parse(text: &str) -> Result<Self, ParameterError> {
        let mut rows = BTreeMap::<String, Vec<ParameterRow>>::new();
        for line in cells(text, HEADER) {
            let bad = |line, message| ParameterError::Line { line, message };
            let (line, [name, value, unit, from, until, source, certainty]) =
                line.map_err(|(line, message)| bad(line, message))?;
            let row = (|| {
                Ok(ParameterRow {
                    name: some(name, "a name")?,
                    value: decimal(value)?,
                    unit: some(unit, "a unit")?,
                    from: day(from)?,
                    until: optional_day(until)?,
                    source: some(source, "a source")?,
                    certainty: certainty_of(certainty)?,
                })
            })();
            let row = row.map_err(|message| bad(line, message))?;
            rows.entry(row.name.clone()).or_default().push(row);
        }
        Self::of(rows)
    }

    fn of(rows: BTreeMap<String, Vec<ParameterRow>>) -> Result<Self, ParameterError> {
        let tables = rows.into_iter().map(|(name, rows)| {
            let rows = rows.into_iter().map(|row| Dated {
                from: row.from,
                until: row.until,
                source: row.source.clone(),
                certainty: row.certainty,
                value: row,
            });
            match DatedTable::new(rows.collect()) {
                Ok(table) => Ok((name, table)),
                Err(problem) => Err(ParameterError::Days { name, problem }),
            }
        });
        let tables = tables.collect::<Result<_, _>>()?;
        Ok(Self { tables })
    }

    /// These with a user's laid over them: on the days of a user's row that row holds, on all others ours.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Days`] if days between ours and the user's have no row.
    pub fn overlaid_with(&self, user: &Self) -> Result<Self, ParameterError> {
        let mut rows: BTreeMap<String, Vec<ParameterRow>> = BTreeMap::new();
        for row in self.rows() {
            rows.entry(row.name.clone()).or_default().push(row.clone());
        }
        for (name, table) in &user.tables {
            let ours = rows.entry(name.clone()).or_default();
            for row in table.rows() {
                let parts = ours.drain(..).flat_map(|under| outside(under, &row.value));
                *ours = parts.collect();
            }
            ours.extend(table.rows().iter().map(|row| row.value.clone()));
        }
        Self::of(rows)
    }

    /// The row of a parameter that holds on a day.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Unknown`], [`ParameterError::Days`].
    pub fn at(&self, name: &str, day: Date) -> Result<&ParameterRow, ParameterError> {
        let row = self.table(name)?.at(day);
        row.map(|row| &row.value)
            .map_err(|problem| ParameterError::Days {
                name: name.to_owned(),
                problem,
            })
    }

    /// The rows of a parameter that hold on some day from one day until another.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Unknown`].
    pub fn between(
        &self,
        name: &str,
        from: Date,
        until: Date,
    ) -> Result<Vec<&ParameterRow>, ParameterError> {
        let rows = self.table(name)?.rows().iter().map(|row| &row.value);
        let touches =
            |row: &&ParameterRow| row.from <= until && row.until.is_none_or(|last| last >= from);
        Ok(rows.filter(touches).collect())
    }

    /// All rows, by name and day.
    pub fn rows(&self) -> impl Iterator<Item = &ParameterRow> {
        let tables = self.tables.values().map(DatedTable::rows);
        tables.flatten().map(|row| &row.value)
    }

    fn table(&self, name: &str) -> Result<&DatedTable<ParameterRow>, ParameterError> {
        let table = self.tables.get(name);
        table.ok_or_else(|| ParameterError::Unknown {
            name: name.to_owned(),
        })
    }
}

/// What is left of a row before and after the days of another.
fn outside(row: ParameterRow, over: &ParameterRow) -> Vec<ParameterRow> {
    let mut parts = Vec::new();
    let before = over.from.pred_opt().filter(|last| *last >= row.from);
    if let Some(last) = before {
        let until = row.until.map_or(last, |until| until.min(last));
        parts.push(ParameterRow {
            until: Some(until),
            ..row.clone()
        });
    }
    if let Some(first) = over.until.and_then(|until| until.succ_opt()) {
        let from = row.from.max(first);
        if row.until.is_none_or(|until| until >= from) {
            parts.push(ParameterRow { from, ..row });
        }
    }
    parts
}

fn decimal(cell: &str) -> Result<Decimal, String> {
    let plain = cell
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = cell.parse::<Decimal>().ok().filter(|_| plain);
    value.ok_or_else(|| format!("{cell:?} is no number without a sign"))
}

mod decimal_text {
    use quanfu_money::Decimal;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::decimal(&text).map_err(serde::de::Error::custom)
    }
}
