//! [`CodeTable`]: the codes of an authority, with the days on which they hold and where they were read.

use std::collections::BTreeMap;

use quanfu_calendar::{Certainty, Date};
use serde::Serialize;

/// Which way the money of a code goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// It comes in (收入).
    Income,
    /// It goes out (支出).
    Expenditure,
}

impl Flow {
    /// The word that tables use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Income => "income",
            Self::Expenditure => "expenditure",
        }
    }

    /// The word of the trade.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Income => "收入",
            Self::Expenditure => "支出",
        }
    }
}

/// A code of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeRow {
    /// The code.
    pub code: String,
    /// What it says in Chinese; empty where no Chinese wording was seen.
    pub zh: String,
    /// What it says in English.
    pub en: String,
    /// What goes with the code, such as a length; mostly empty.
    pub value: String,
    /// Which way its money goes; `None`: either way, or not known.
    pub direction: Option<Flow>,
    /// First day; `None`: not known, or always.
    pub from: Option<Date>,
    /// Last day; `None`: until further notice.
    pub until: Option<Date>,
    /// Where it was read.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl CodeRow {
    fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// Why a table cannot be read, or has no such code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A line is not of its form.
    #[error("code table {table}, line {line}: {message}")]
    Line {
        /// The table.
        table: String,
        /// Line, counted from 1.
        line: usize,
        /// What was found and what would be right.
        message: String,
    },
    /// A code stands twice for one day.
    #[error("code table {table}: two rows of code {code:?} hold on one day")]
    Overlap {
        /// The table.
        table: String,
        /// The code.
        code: String,
    },
    /// The table does not have the code, or not on that day.
    #[error(
        "code table {table} has no code {code:?} on {day}; it holds only codes whose source is known, others come from a table of your own"
    )]
    Unknown {
        /// The table.
        table: String,
        /// The code.
        code: String,
        /// The day.
        day: Date,
    },
}

impl TableError {
    /// Codes of all kinds.
    pub const CODES: &'static [&'static str] =
        &["code-table-line", "code-table-overlap", "code-unknown"];

    /// Stable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Line { .. } => "code-table-line",
            Self::Overlap { .. } => "code-table-overlap",
            Self::Unknown { .. } => "code-unknown",
        }
    }
}

/// Codes with what they say. Ours hold only codes that a source names; a user's table is laid over them.
///
/// ```
/// use quanfu_codes::CodeTable;
/// let day = "2025-12-31".parse()?;
/// assert_eq!(CodeTable::customs_currencies().at("142", day)?.en, "CNY");
/// assert!(CodeTable::customs_currencies().at("156", day).is_err()); // that is ISO's number
///
/// let mine = CodeTable::parse("bop", "code,zh,en,value,from,until,source,certainty\n\
///     122031,,made up,,2024-01-01,,made up,illustrative\n")?;
/// let bop = CodeTable::bop().overlaid_with(&mine);
/// assert_eq!(bop.at("122031", day)?.en, "made up");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeTable {
    name: String,
    rows: BTreeMap<String, Vec<CodeRow>>,
}

const HEADER: &str = "code,zh,en,value,from,until,source,certainty";

/// The same with a direction for each code.
const DIRECTION_HEADER: &str = "code,zh,en,direction,from,until,source,certainty";

macro_rules! shipped {
    ($($(#[$meta:meta])* $function:ident = $name:literal, $file:literal;)+) => {
        impl CodeTable {
            $($(#[$meta])*
            ///
            /// # Panics
            ///
            /// Never: the data is read by a test.
            #[must_use]
            pub fn $function() -> Self {
                Self::parse($name, include_str!(concat!("../data/", $file)))
                    .expect("the data is read by a test")
            })+

            /// All tables that we have.
            #[must_use]
            pub fn shipped() -> Vec<Self> {
                vec![$(Self::$function()),+]
            }
        }
    };
}

shipped! {
    /// Codes of cross-border transactions in the balance of payments (涉外收支交易编码).
    bop = "bop", "bop.csv";
    /// Currencies as customs write them (JGS-20); `en` is the code of ISO 4217.
    customs_currencies = "customs-currency", "customs_currency.csv";
    /// Modes of customs supervision (监管方式) of cross-border e-commerce.
    supervision_modes = "supervision-mode", "supervision_mode.csv";
    /// Kinds of payment business that a licence names, before and after the order of 2024.
    licence_scopes = "licence-scope", "licence_scope.csv";
    /// Credit grades of firms by authority, as `customs/高级认证`; `value` says what evidence the grade asks for, where known.
    credit_grades = "credit-grade", "credit_grade.csv";
    /// How long the account numbers of a country are.
    iban_lengths = "iban-length", "iban_length.csv";
}

impl CodeTable {
    /// A table in CSV without quotes, under the header `code,zh,en,value,from,until,source,certainty`; or with `direction`
    /// instead of `value`: `income`, `expenditure`, or nothing for a code that goes either way.
    ///
    /// # Errors
    ///
    /// [`TableError::Line`], [`TableError::Overlap`].
    pub fn parse(name: &str, text: &str) -> Result<Self, TableError> {
        let mut rows: BTreeMap<String, Vec<CodeRow>> = BTreeMap::new();
        let with_direction = lines(text).next().map(|(_, line)| line) == Some(DIRECTION_HEADER);
        let header = match with_direction {
            true => DIRECTION_HEADER,
            false => HEADER,
        };
        for cells in cells(text, header) {
            let bad = |line, message| TableError::Line {
                table: name.to_owned(),
                line,
                message,
            };
            let (line, cells) = cells.map_err(|(line, message)| bad(line, message))?;
            let [code, zh, en, value, from, until, source, certainty] = cells;
            let row = (|| {
                Ok(CodeRow {
                    code: some(code, "a code")?,
                    zh: zh.to_owned(),
                    en: en.to_owned(),
                    value: if with_direction { "" } else { value }.to_owned(),
                    direction: match with_direction {
                        true => flow(value)?,
                        false => None,
                    },
                    from: optional_day(from)?,
                    until: optional_day(until)?,
                    source: some(source, "a source")?,
                    certainty: certainty_of(certainty)?,
                })
            })();
            let row: CodeRow = row.map_err(|message| bad(line, message))?;
            if let (Some(from), Some(until)) = (row.from, row.until)
                && until < from
            {
                let message = format!("it ends on {until}, before its first day {from}");
                return Err(bad(line, message));
            }
            rows.entry(row.code.clone()).or_default().push(row);
        }
        for (code, rows) in &mut rows {
            rows.sort_by_key(|row| row.from);
            let apart = |pair: &[CodeRow]| {
                let (until, from) = (pair[0].until, pair[1].from);
                until.zip(from).is_some_and(|(until, from)| until < from)
            };
            if !rows.windows(2).all(apart) {
                return Err(TableError::Overlap {
                    table: name.to_owned(),
                    code: code.clone(),
                });
            }
        }
        let name = name.to_owned();
        Ok(Self { name, rows })
    }

    /// This table with a user's laid over it: for a code that both have, the user's rows hold.
    #[must_use]
    pub fn overlaid_with(mut self, user: &Self) -> Self {
        let rows = user
            .rows
            .iter()
            .map(|(code, rows)| (code.clone(), rows.clone()));
        self.rows.extend(rows);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All rows, by code and day.
    pub fn rows(&self) -> impl Iterator<Item = &CodeRow> {
        self.rows.values().flatten()
    }

    /// What a code says on a day.
    ///
    /// # Errors
    ///
    /// [`TableError::Unknown`].
    pub fn at(&self, code: &str, day: Date) -> Result<&CodeRow, TableError> {
        let rows = self.rows.get(code).into_iter().flatten();
        let row = rows.into_iter().find(|row| row.holds_on(day));
        row.ok_or_else(|| TableError::Unknown {
            table: self.name.clone(),
            code: code.to_owned(),
            day,
        })
    }
}

type Cells<'t, const N: usize> = Result<(usize, [&'t str; N]), (usize, String)>;

/// Lines that are not empty and do not begin with #, with their index. Tables saved by Excel begin with a byte order mark.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// The cells of each line under a header, with the line's number; empty lines and lines that begin with # are passed over.
pub(crate) fn cells<'t, const N: usize>(
    text: &'t str,
    header: &'static str,
) -> impl Iterator<Item = Cells<'t, N>> {
    let mut lines = lines(text);
    let first = lines.next();
    let wrong = first.filter(|(_, line)| *line != header);
    let wrong = match (first, wrong) {
        (None, _) => Some(1),
        (_, wrong) => wrong.map(|(index, _)| index + 1),
    };
    let wrong = wrong.map(|line| Err((line, format!("the header {header} would be right"))));
    wrong.into_iter().chain(lines.map(|(index, line)| {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let found = cells.len();
        let cells = cells.try_into().map_err(|_| {
            let message = format!("{found} cells; {N} would be right");
            (index + 1, message)
        })?;
        Ok((index + 1, cells))
    }))
}

pub(crate) fn some(cell: &str, what: &str) -> Result<String, String> {
    if cell.is_empty() {
        Err(format!("{what} is missing"))
    } else {
        Ok(cell.to_owned())
    }
}

fn flow(cell: &str) -> Result<Option<Flow>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    let mut known = [Flow::Income, Flow::Expenditure].into_iter();
    let found = known.find(|flow| flow.name() == cell);
    let wrong = || format!("direction {cell:?}: income, expenditure or nothing would be right");
    found.map(Some).ok_or_else(wrong)
}

pub(crate) fn day(cell: &str) -> Result<Date, String> {
    // 3-12-31 is a day to the parser, and it is not written so
    let day = cell
        .parse()
        .ok()
        .filter(|day: &Date| day.to_string() == cell);
    day.ok_or_else(|| format!("{cell:?} is no day; YYYY-MM-DD would be right"))
}

pub(crate) fn optional_day(cell: &str) -> Result<Option<Date>, String> {
    if cell.is_empty() {
        Ok(None)
    } else {
        day(cell).map(Some)
    }
}

pub(crate) fn certainty_of(cell: &str) -> Result<Certainty, String> {
    let all = [
        Certainty::Certain,
        Certainty::Probable,
        Certainty::Unsure,
        Certainty::Illustrative,
    ];
    let found = all.into_iter().find(|certainty| certainty.name() == cell);
    found.ok_or_else(|| {
        format!("{cell:?}: certain, probable, unsure or illustrative would be right")
    })
}
