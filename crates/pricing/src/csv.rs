//! Price lists as CSV text: what is read, what is written, and the one is read as the other.

use crate::list::{ListRow, Repriced};
use crate::price::Item;
use quanfu_money::lexer::{AmountStyle, parse_decimal};
use quanfu_money::{Currency, Money};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The first line of a list that was priced.
pub const LIST_HEADER: &str = "sku,list_cny,cost_cny,buyer,pays,price,old,change,by_rate,by_rule,by_guard,by_other,calculated,cause";

/// Why a price list, or a row of it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The first line does not name the columns.
    #[error("line 1: {message}")]
    Header {
        /// What is wrong and what would be right.
        message: String,
    },
    /// A row says something that cannot be.
    #[error("line {line}, column {column}: {message}")]
    Row {
        /// Its line, counted from 1.
        line: usize,
        /// The column's name.
        column: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl ListError {
    /// Every code that [`ListError::code`] can give.
    pub const CODES: &[&str] = &["price-list-header", "price-list-row"];

    /// The stable name of this kind of error, for programs and for `explain`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Header { .. } => "price-list-header",
            Self::Row { .. } => "price-list-row",
        }
    }
}

/// What a price list says: its rows and the reasons for those that cannot be read, each in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "`rejected` tells which lines are missing from `rows`"]
pub struct PriceList {
    /// The rows.
    pub rows: Vec<ListRow>,
    /// Why the others are none.
    pub rejected: Vec<ListError>,
}

/// Columns that are read, and whether a list must have them.
const COLUMNS: [(&str, bool); 7] = [
    ("sku", true),
    ("list_cny", true),
    ("cost_cny", false),
    ("buyer", false),
    ("pays", false),
    ("price", false),
    ("old", false),
];

impl PriceList {
    /// Reads a list: columns by the names in its first line, of which `sku` and `list_cny` are needed and `cost_cny`,
    /// `buyer`, `pays` and `price` are known; the other columns of a list that was priced are passed over. The price is
    /// in the currency of `pays`, else in that of `buyer`. Where a list that was priced has none, `old` is the last one.
    ///
    /// # Errors
    ///
    /// [`ListError::Header`] for a column that is missing, unknown or there twice. Rows that cannot be read are in
    /// `rejected`.
    ///
    /// ```
    /// use quanfu_pricing::PriceList;
    /// let list = PriceList::read("sku,list_cny,cost_cny\nA-1,199.00,120.00\nA-2,free,\n")?;
    /// assert_eq!(list.rows[0].item.list().to_string(), "199.00 CNY");
    /// assert!(list.rejected[0].to_string().starts_with("line 3, column list_cny: "));
    /// # Ok::<(), quanfu_pricing::ListError>(())
    /// ```
    pub fn read(text: &str) -> Result<Self, ListError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut records = records(text);
        let header = records.next().map(|(_, cells)| cells).unwrap_or_default();
        let places = places(&header)?;
        let mut list = Self::default();
        let (mut seen, mut skus) = (BTreeSet::new(), BTreeSet::new());
        for (line, cells) in records {
            if cells.len() == 1 && cells[0].is_empty() {
                continue;
            }
            let row = |column, message: String| ListError::Row {
                line,
                column,
                message,
            };
            if cells.len() != header.len() {
                let (found, wanted) = (cells.len(), header.len());
                let message = format!("{found} cells; {wanted} would be right");
                list.rejected.push(row("sku", message));
                continue;
            }
            let cell = |column: usize| places[column].map_or("", |place| cells[place].trim());
            let read = read_row(cell).and_then(|read| {
                let key = (read.sku.clone(), read.buyer);
                let message = || "this sku is there twice for this buyer".to_owned();
                // a row for buyers of every currency is one for each of them
                let is_new = match &read.buyer {
                    None => !skus.contains(&read.sku),
                    Some(_) => !seen.contains(&(read.sku.clone(), None)),
                };
                if !is_new || !seen.insert(key) {
                    return Err(("sku", message()));
                }
                skus.insert(read.sku.clone());
                Ok(read)
            });
            match read {
                Ok(read) => list.rows.push(read),
                Err((column, message)) => list.rejected.push(row(column, message)),
            }
        }
        Ok(list)
    }
}

fn places(header: &[String]) -> Result<[Option<usize>; COLUMNS.len()], ListError> {
    let wrong = |message: String| Err(ListError::Header { message });
    for (at, name) in header.iter().enumerate() {
        if !LIST_HEADER.split(',').any(|known| known == name.trim()) {
            let shown: String = name.chars().take(40).collect();
            return wrong(format!("unknown column {shown:?}; known are {LIST_HEADER}"));
        }
        if header[..at]
            .iter()
            .any(|before| before.trim() == name.trim())
        {
            return wrong(format!("column {:?} is there twice", name.trim()));
        }
    }
    let places = COLUMNS.map(|(name, _)| header.iter().position(|column| column.trim() == name));
    for ((name, needed), place) in COLUMNS.iter().zip(places) {
        if *needed && place.is_none() {
            return wrong(format!("no column {name:?}; it is needed"));
        }
    }
    Ok(places)
}

fn read_row<'c>(cell: impl Fn(usize) -> &'c str) -> Result<ListRow, (&'static str, String)> {
    let at = |column: usize| {
        let name = COLUMNS[column].0;
        move |error: &dyn std::fmt::Display| (name, error.to_string())
    };
    let amount = |column: usize, currency: Currency| {
        parse_decimal(cell(column).as_bytes(), AmountStyle::PLAIN)
            .map_err(|error| at(column)(&error))
            .and_then(|value| Money::exact(value, currency).map_err(|error| at(column)(&error)))
    };
    let currency = |column: usize| match cell(column) {
        "" => Ok(None),
        code => Currency::from_code(code)
            .map(Some)
            .map_err(|error| at(column)(&error)),
    };
    if cell(0).is_empty() {
        return Err(("sku", "empty; a name would be right".into()));
    }
    let mut item = Item::new(amount(1, Currency::CNY)?).map_err(|error| at(1)(&error))?;
    if !cell(2).is_empty() {
        item = item
            .with_cost(amount(2, Currency::CNY)?)
            .map_err(|error| at(2)(&error))?;
    }
    let (buyer, pays) = (currency(3)?, currency(4)?);
    let column = if cell(5).is_empty() { 6 } else { 5 };
    let price = match (cell(column), buyer, pays.or(buyer)) {
        ("", _, _) => None,
        (_, Some(_), Some(pays)) => Some(amount(column, pays)?),
        _ => {
            let message = "a price without buyer; its currency would be right";
            return Err(("price", message.into()));
        }
    };
    if price.is_some_and(|price| price.minor() <= 0) {
        return Err(("price", "a price is above zero".into()));
    }
    Ok(ListRow {
        sku: cell(0).to_owned(),
        item,
        buyer,
        price,
    })
}

/// Records of a text and the line on which each begins; quotes as in RFC 4180, line ends of either kind.
fn records(text: &str) -> impl Iterator<Item = (usize, Vec<String>)> + '_ {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (began, mut cells, mut cell, mut quoted) = (line, Vec::new(), String::new(), false);
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            line += usize::from(c == '\n');
            match c {
                '"' if quoted && chars.next_if(|&(_, next)| next == '"').is_some() => {
                    cell.push('"')
                }
                '"' if quoted => quoted = false,
                '"' if cell.is_empty() => quoted = true,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                c => cell.push(c),
            }
        }
        rest = &rest[end..];
        if cell.ends_with('\r') {
            cell.pop();
        }
        cells.push(cell);
        Some((began, cells))
    })
}

/// A list that was priced as CSV text, which [`PriceList::read`] reads again; without a byte order mark.
#[must_use]
pub fn write_list(rows: &[Repriced]) -> String {
    let mut out = format!("{LIST_HEADER}\n");
    for row in rows {
        write_row(row, &mut out).expect("writing to a String does not fail");
    }
    out
}

fn write_row(row: &Repriced, out: &mut String) -> std::fmt::Result {
    if row.sku.contains([',', '"', '\n', '\r']) {
        write!(out, "\"{}\",", row.sku.replace('"', "\"\""))?;
    } else {
        write!(out, "{},", row.sku)?;
    }
    row.item.list().write_amount(out)?;
    out.push(',');
    if let Some(cost) = row.item.cost() {
        cost.write_amount(out)?;
    }
    write!(out, ",{},", row.buyer)?;
    let old = row.old.map(|old| old.amount_text()).unwrap_or_default();
    match &row.new {
        Err(error) => {
            // The old price stays readable; there is no new one.
            let pays = row.old.map_or(row.buyer, |old| old.currency());
            writeln!(out, "{pays},,{old},,,,,,,{}", error.code())
        }
        Ok(new) => {
            write!(out, "{},", new.price.currency())?;
            new.price.write_amount(out)?;
            write!(out, ",{old},")?;
            match new.change {
                Some(change) => {
                    change.total().write_amount(out)?;
                    for part in [change.rate, change.rule, change.guard, change.other] {
                        out.push(',');
                        part.write_amount(out)?;
                    }
                }
                None => out.push_str(",,,,"),
            }
            out.push(',');
            new.calculated.write_amount(out)?;
            let causes: Vec<&str> = new.causes.iter().map(|cause| cause.name()).collect();
            writeln!(out, ",{}", causes.join("+"))
        }
    }
}
